#!/usr/bin/env node
// Times torch.js in Chromium beside TensorFlow.js and jax-js, all on WebAssembly, in one page, in turn.
//   node bench/browser/run.mjs [--threads N] [--seconds S] [--only REGEX] [--json FILE]
// Before: `make wasm examples`, and `npm ci` in this folder.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { browse, serve } from '../../tests/browser/server.mjs'

const { values: options } = parseArgs({
  options: {
    threads: { type: 'string', default: String(availableParallelism()) },
    seconds: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    json: { type: 'string' },
  },
})
const HERE = fileURLToPath(new URL('.', import.meta.url))
const ROOT = join(HERE, '../..')
const dir = mkdtempSync(join(tmpdir(), 'torchjs-bench-'))
mkdirSync(join(dir, 'page'))
execFileSync(join(ROOT, 'node_modules/esbuild/bin/esbuild'), [
  join(HERE, 'page.js'),
  '--bundle',
  '--format=esm',
  '--log-level=error',
  `--outfile=${join(dir, 'page/page.js')}`,
])
writeFileSync(
  join(dir, 'page/index.html'),
  `<!doctype html><meta charset="utf-8"><title>benchmark</title><script>globalThis.TORCH_URL = '/torch/page/torch.js'</script><script type="module" src="/page.js"></script>`,
)
const server = await serve({
  '/torch/': join(ROOT, 'dist'),
  '/tfjs/': join(HERE, 'node_modules/@tensorflow/tfjs-backend-wasm/dist'),
  '/': join(dir, 'page'),
})
const browser = await browse({ log: (text) => /^(torch\.js|uncaught)/.test(text) && console.error(text) })
try {
  const page = await browser.page()
  await page.goto(server.origin)
  await page.waitForFunction('globalThis.run !== undefined', null, { timeout: 60_000 })
  const result = await page.evaluate((o) => globalThis.run(o), {
    threads: Number(options.threads),
    seconds: Number(options.seconds),
    only: options.only,
  })
  const show = (v) => (typeof v === 'number' ? v.toFixed(3) : 'cannot')
  console.log(
    `| case (median ms, ${options.threads} threads) | torch.js | TensorFlow.js | jax-js | faster peer / torch.js |\n| --- | --- | --- | --- | --- |`,
  )
  const ratios = []
  for (const [name, { torch, tfjs, jax }] of Object.entries(result.cases)) {
    const peers = [tfjs, jax].filter((v) => typeof v === 'number')
    const ratio = typeof torch === 'number' && peers.length ? Math.min(...peers) / torch : NaN
    if (ratio === ratio) ratios.push(ratio)
    console.log(`| ${name} | ${show(torch)} | ${show(tfjs)} | ${show(jax)} | ${ratio === ratio ? ratio.toFixed(2) : '–'} |`)
  }
  const mean = Math.exp(ratios.map(Math.log).reduce((a, b) => a + b, 0) / ratios.length)
  console.log(`\ngeometric mean ${mean.toFixed(2)}, least ${Math.min(...ratios).toFixed(2)}`)
  for (const [name, { backend, load }] of Object.entries(result.libraries))
    console.log(`${name}: ${backend}, first operator after ${(1e3 * load).toFixed(0)} ms`)
  for (const [name, row] of Object.entries(result.cases))
    for (const [library, why] of Object.entries(row)) if (typeof why === 'string') console.log(`${name}: ${library} cannot: ${why}`)
  if (options.json) writeFileSync(options.json, JSON.stringify(result, null, 1))
} finally {
  await browser.close()
  server.close()
  rmSync(dir, { recursive: true, force: true })
}
