// Replays the cases in a page of Chromium, in a Worker of its own, as applications do.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { browse, serve } from '../browser/server.mjs'

const PAGE = `<!doctype html><meta charset="utf-8"><title>cases</title>`
const WORKER = `
import torch from '/dist/index.js'
import { replay } from '/golden/replay.mjs'

const unpacked = async (name) => {
  const response = await fetch('/cases/' + name)
  return response.ok ? new Response(response.body.pipeThrough(new DecompressionStream('gzip'))) : null
}
self.onmessage = async ({ data }) => {
  try {
    const lines = async (name) => (await (await unpacked(name + '.jsonl.gz')).text()).split('\\n').filter(Boolean).map((l) => JSON.parse(l))
    const blob = async (name) => new Uint8Array((await (await unpacked(name + '.bin.gz'))?.arrayBuffer()) ?? 0)
    self.postMessage({ result: await replay(torch, { ...data, lines, blob, log: (line) => self.postMessage({ line }) }) })
  } catch (e) {
    self.postMessage({ error: String(e.stack) })
  }
}
self.postMessage({ ready: true })
`

/** `source`: what replay wants, as far as it can be sent to a Worker. */
export async function replayInChromium(source, { cases, log }) {
  const dir = mkdtempSync(join(tmpdir(), 'torchjs-cases-'))
  writeFileSync(join(dir, 'index.html'), PAGE)
  writeFileSync(join(dir, 'worker.js'), WORKER)
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const server = await serve({ '/dist/': join(root, 'dist'), '/golden/': join(root, 'tests/golden'), '/cases/': resolve(cases), '/': dir })
  const browser = await browse({ log: (text) => source.verbose && log(text), webgpu: source.device === 'webgpu' })
  try {
    const page = await browser.page()
    await page.exposeFunction('log', log)
    await page.goto(server.origin)
    return await page.evaluate(
      (options) =>
        new Promise((resolve, reject) => {
          const worker = new Worker('/worker.js', { type: 'module' })
          worker.onmessage = ({ data }) => {
            if (data.ready) worker.postMessage(options)
            else if (data.line) window.log(data.line)
            else if (data.error) reject(new Error(data.error))
            else resolve(data.result)
          }
          worker.onerror = (e) => reject(new Error(e.message ?? 'the worker could not be loaded'))
        }),
      source,
    )
  } finally {
    await browser.close()
    server.close()
    rmSync(dir, { recursive: true, force: true })
  }
}
