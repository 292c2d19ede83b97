#!/usr/bin/env node
// How long a page takes from navigation until the first operator has computed, in Chromium with a warm cache.
//   node bench/browser/first.mjs [--times N]
// Before: `make wasm ts`.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { browse, serve } from '../../tests/browser/server.mjs'

const { values } = parseArgs({ options: { times: { type: 'string', default: '20' } } })
const dir = mkdtempSync(join(tmpdir(), 'torchjs-first-'))
writeFileSync(
  join(dir, 'index.html'),
  `<!doctype html><meta charset="utf-8"><title>first</title><link rel="icon" href="data:,"><script type="module">
import torch from '/torch/page/torch.js'
torch.ones(2).add(1).toArray()
globalThis.first = performance.now() // since navigation
</script>`,
)
const server = await serve({ '/torch/': fileURLToPath(new URL('../../dist', import.meta.url)), '/': dir }, { cached: true })
const browser = await browse()
try {
  const times = []
  for (let i = -3; i < Number(values.times); i++) {
    const page = await browser.page()
    await page.goto(server.origin)
    await page.waitForFunction('globalThis.first !== undefined')
    if (i >= 0) times.push(await page.evaluate('globalThis.first'))
    await page.close()
  }
  times.sort((a, b) => a - b)
  console.log(
    `first operator after ${times[times.length >> 1].toFixed(0)} ms (median of ${times.length}; ${times[0].toFixed(0)} to ${times.at(-1).toFixed(0)})`,
  )
} finally {
  await browser.close()
  server.close()
  rmSync(dir, { recursive: true, force: true })
}
