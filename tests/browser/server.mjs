// A server on the loopback interface, with the headers that give pages threads (or without), and Chromium to look at what it serves.
//   node tests/browser/server.mjs DIR [PORT]    serves a folder until it is stopped
import { createReadStream, mkdtempSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.gz': 'application/octet-stream',
  '.csv': 'text/csv',
}

/** `routes`: folders by the beginning of the path, the first that fits. `cached`: whether the browser may keep what it got. */
export async function serve(routes, { isolated = true, port = 0, cached = false } = {}) {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://localhost').pathname))
    const prefix = Object.keys(routes).find((p) => path.startsWith(p))
    let file = prefix === undefined ? '' : join(routes[prefix], path.slice(prefix.length))
    let stat = file && statSync(file, { throwIfNoEntry: false })
    if (stat?.isDirectory()) {
      file = join(file, 'index.html')
      stat = statSync(file, { throwIfNoEntry: false })
    }
    if (!stat?.isFile()) {
      response.writeHead(404).end('not found')
      return
    }
    response.writeHead(200, {
      'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
      'content-length': stat.size,
      'cache-control': cached ? 'max-age=3600' : 'no-store',
      ...(isolated && {
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-embedder-policy': 'require-corp',
        'cross-origin-resource-policy': 'same-origin',
      }),
    })
    createReadStream(file).pipe(response)
  })
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve))
  return { origin: `http://localhost:${server.address().port}`, close: () => server.close() }
}

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

const WEBGPU = [
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--use-angle=swiftshader',
  '--enable-features=Vulkan',
  '--ignore-gpu-blocklist',
]

/** Chromium with an empty profile. What pages print and throw goes to `log`. webgpu: pages have WebGPU, computed by its software adapter. */
export async function browse({ log = () => {}, flags = [], webgpu = false } = {}) {
  const { chromium } = await import('playwright-core')
  const profile = mkdtempSync(join(tmpdir(), 'torchjs-chromium-'))
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: [...FLAGS.filter((f) => !(webgpu && f === '--disable-gpu')), ...(webgpu ? WEBGPU : []), ...flags],
  })
  return {
    context,
    async page() {
      const page = await context.newPage()
      page.on('console', (m) => log(m.text()))
      page.on('pageerror', (e) => log(`uncaught: ${e.message}`))
      return page
    },
    async close() {
      await context.close()
      rmSync(profile, { recursive: true, force: true })
    },
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { origin } = await serve({ '/': process.argv[2] ?? '.' }, { port: Number(process.argv[3] ?? 8080) })
  console.log(origin)
}
