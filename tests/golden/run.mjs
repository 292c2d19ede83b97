#!/usr/bin/env node
// Replays cases recorded from PyTorch through the public API and compares.
//   node tests/golden/run.mjs --cases DIR [--group NAME] [--device cpu] [--only REGEX] [--json FILE] [--verbose]
//     --group    op, op_error, module, optim, sched, print, error, rng, dist, serialization; may be given several times
//     --only     cases whose id matches
//     --chromium in a page, instead of in Node, where TORCHJS_BACKEND chooses native or wasm
//     --part     0/3: every third case, beginning with the first
//     --device   cpu, or webgpu: group op, dtypes float32, int32, bool and complex64
//     --baseline FILE   names that have to be there: fails when one of them is missing; --update writes it,
//                       and beside it missing.txt, the names of which no case passes
// A case is passed, failed, missing (the API lacks a name that it needs; by name), inexpressible (Python can say what JavaScript cannot),
// or of another version (PyTorch 2.6 answers otherwise, and ours differs from the newer answer).
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { replayInChromium } from './browser.mjs'
import { GROUPS, replay } from './replay.mjs'

const { values: options } = parseArgs({
  options: {
    cases: { type: 'string' },
    group: { type: 'string', multiple: true },
    device: { type: 'string', default: 'cpu' },
    only: { type: 'string' },
    json: { type: 'string' },
    part: { type: 'string' },
    baseline: { type: 'string' },
    update: { type: 'boolean' },
    verbose: { type: 'boolean' },
    chromium: { type: 'boolean' },
  },
})
if (!options.cases || !existsSync(join(options.cases, 'manifest.json'))) {
  console.error(`--cases has to name the folder that holds manifest.json${options.cases ? `, '${options.cases}' does not` : ''}`)
  process.exit(2)
}
for (const g of options.group ?? [])
  if (!GROUPS.includes(g)) {
    console.error(`unknown group '${g}' (known: ${GROUPS.join(', ')})`)
    process.exit(2)
  }
if (options.device !== 'cpu' && options.device !== 'webgpu') {
  console.error(`device '${options.device}' is not there (known: cpu, webgpu)`)
  process.exit(2)
}
const [part, parts] = (options.part ?? '0/1').split('/').map(Number)

const read = (name) => gunzipSync(readFileSync(join(options.cases, name)))
const source = {
  files: Object.keys(JSON.parse(readFileSync(join(options.cases, 'manifest.json'))).cases),
  groups: options.group,
  only: options.only,
  device: options.device,
  part,
  parts,
  verbose: options.verbose,
}
const log = (line) => console.log(line)
const { backend, totals, names, missing, failures } = options.chromium
  ? await replayInChromium(source, { cases: options.cases, log })
  : await replay((await import('torch.js')).default, {
      ...source,
      lines: (name) =>
        read(`${name}.jsonl.gz`)
          .toString()
          .split('\n')
          .filter(Boolean)
          .map((l) => JSON.parse(l)),
      blob: (name) => (existsSync(join(options.cases, `${name}.bin.gz`)) ? read(`${name}.bin.gz`) : Buffer.alloc(0)),
      log,
    })

const wholly = Object.entries(names)
  .filter(([, n]) => n.passed > 0 && n.missing === 0)
  .map(([k]) => k)
  .sort()
if (Object.keys(missing).length) {
  console.log(
    `\nMissing names (cases): ${Object.entries(missing)
      .sort((a, b) => b[1] - a[1])
      .map(([n, k]) => `${n} (${k})`)
      .join(', ')}`,
  )
}
console.log(
  `\n${backend}${options.chromium ? ' in Chromium' : ''}: ${wholly.length} names present, ${totals.missing} cases missing, ${totals.inexpressible} that JavaScript cannot express, ${totals.version} unlike this version of PyTorch and marked as different in 2.6`,
)
let gone = []
if (options.baseline && options.update) {
  const absent = Object.entries(names)
    .filter(([, n]) => n.missing > 0 && n.passed === 0)
    .map(([k]) => k)
  writeFileSync(options.baseline, wholly.join('\n') + '\n')
  writeFileSync(join(dirname(options.baseline), 'missing.txt'), absent.sort().join('\n') + '\n')
} else if (options.baseline && !options.only) {
  const now = new Set(wholly)
  gone = readFileSync(options.baseline, 'utf8')
    .split('\n')
    .filter((n) => n && n in names && !now.has(n))
  for (const n of gone) console.log(`FAILED ${n}: it passed once and is missing now`)
}
if (options.json) {
  writeFileSync(options.json, JSON.stringify({ backend, totals, names, missing, failures, gone }, null, 1))
}
console.log(`${totals.passed} passed, ${totals.failed + gone.length} failed`)
process.exitCode = totals.failed + gone.length ? 1 : 0
