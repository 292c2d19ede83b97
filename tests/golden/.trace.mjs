#!/usr/bin/env node
// Replays cases recorded from PyTorch through the public API and compares.
//   node tests/golden/run.mjs --cases DIR [--group NAME] [--device cpu] [--only REGEX] [--json FILE] [--verbose]
//     --group    op, op_error, module, optim, sched, print, error, rng, dist, serialization; may be given several times
//     --only     cases whose id matches
//     --part     0/3: every third case, beginning with the first
//     --device   cpu, or webgpu: group op, dtypes float32, int32 and bool
//     --baseline FILE   names that have to be there: fails when one of them is missing; --update writes it,
//                       and beside it missing.txt, the names of which no case passes
// A case is passed, failed, missing (the API lacks a name that it needs; by name), inexpressible (Python can say what JavaScript cannot),
// or of another version (PyTorch 2.6 answers otherwise, and ours differs from the newer answer).
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { gunzipSync } from 'node:zlib'
import * as import_fs from "node:fs"
import torch from 'torch.js'
import { DEVICE_DTYPES, runOpOn } from './device.mjs'
import { runModule, runOptim, runSched } from './classes.mjs'
import { runOp, runOpError } from './ops.mjs'
import { runError, runPrint, runRng } from './programs.mjs'
import { Inexpressible, Missing, SUPPORTED_DTYPES } from './values.mjs'

const GROUPS = ['op', 'op_error', 'module', 'optim', 'sched', 'print', 'error', 'rng', 'dist', 'serialization']
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
const onDevice = options.device !== 'cpu'
if (onDevice) await torch.webgpu.init()
const [part, parts] = (options.part ?? '0/1').split('/').map(Number)

const read = (name) => gunzipSync(readFileSync(join(options.cases, name)))
const lines = (name) =>
  read(`${name}.jsonl.gz`)
    .toString()
    .split('\n')
    .filter(Boolean)
    .map((l) => JSON.parse(l))
const files = Object.keys(JSON.parse(readFileSync(join(options.cases, 'manifest.json'))).cases)
const groupOf = (file) => (file.startsWith('op_') && file !== 'op_error' ? 'op' : file)
const ops = new Map(lines('ops').map((o) => [`${o.op}|${o.variant}`, o]))
// Operators of which some call came out differently twice: their results are random.
for (const file of files.filter((f) => groupOf(f) === 'op')) {
  for (const c of lines(file)) if (c.random && ops.has(`${c.op}|${c.variant}`)) ops.get(`${c.op}|${c.variant}`).random = true
}
const only = options.only ? new RegExp(options.only) : null

const nameOf = (c) =>
  ({
    op: c.op && (c.variant ? `${c.op}.${c.variant}` : c.op),
    op_error: c.op,
    module: c.module,
    optim: `optim.${c.optimizer}`,
    sched: `lr_scheduler.${c.scheduler}`,
  })[c.group] ?? c.group
const info = (c) => ops.get(`${c.op}|${c.variant}`) ?? { op: c.op, call: { kind: 'function', path: `torch.${c.op}` } }
const RUN = {
  op: (c, blob) => runOp(torch, c, blob, info(c)),
  op_error: (c, blob) => runOpError(torch, c, blob, info(c)),
  module: (c, blob) => runModule(torch, c, blob),
  optim: (c, blob) => runOptim(torch, c, blob),
  sched: (c) => runSched(torch, c),
  print: (c) => runPrint(torch, c),
  error: (c) => runError(torch, c),
  rng: (c, blob) => runRng(torch, c, blob),
}

const totals = { passed: 0, failed: 0, missing: 0, inexpressible: 0, version: 0 }
const names = new Map() // "group name" -> counts
const missingNames = new Map()
const failures = []
let count = 0
for (const file of files) {
  const group = groupOf(file)
  if (options.group && !options.group.includes(group)) continue
  const blob = existsSync(join(options.cases, `${file}.bin.gz`)) ? read(`${file}.bin.gz`) : Buffer.alloc(0)
  for (const c of lines(file)) {
    c.group ??= group
    if (only && !only.test(c.id)) continue
    if (onDevice && (group !== 'op' || !DEVICE_DTYPES.includes(c.dtype))) continue
    if (count++ % parts !== part) continue
    const key = `${group} ${nameOf(c)}`
    if (!names.has(key)) names.set(key, { passed: 0, failed: 0, missing: 0, inexpressible: 0, version: 0 })
    import_fs.writeSync(2, "CASE " + c.id + "\n");
    let outcome = 'passed',
      why = ''
    try {
      if (!RUN[group]) throw new Missing(group)
      if (c.dtype && !SUPPORTED_DTYPES.includes(c.dtype)) throw new Missing(`dtype ${c.dtype}`)
      const wrong = onDevice
        ? await torch.scope(() => runOpOn(torch, c, blob, info(c), options.device))
        : torch.scope(() => {
            const r = RUN[group](c, blob)
            return r
          })
      // PyTorch's own versions answer these differently; ours follows 2.6 in them.
      if (wrong.length && c.other_versions?.['2.6.0']?.same === false) outcome = 'version'
      else if (wrong.length) ((outcome = 'failed'), (why = wrong.join('; ')))
    } catch (e) {
      if (e instanceof Missing) ((outcome = 'missing'), missingNames.set(e.missing, (missingNames.get(e.missing) ?? 0) + 1))
      else if (e instanceof Inexpressible) outcome = 'inexpressible'
      else if (c.other_versions?.['2.6.0']?.same === false) outcome = 'version'
      else ((outcome = 'failed'), (why = `raised ${e.name ?? ''}: ${options.verbose ? e.stack : e.message}`))
    }
    totals[outcome]++
    names.get(key)[outcome]++
    if (outcome === 'failed') {
      failures.push({ id: c.id, group, why })
      console.log(`FAILED ${group} ${c.id}: ${why.slice(0, options.verbose ? 5000 : 300)}`)
    }
  }
}

const wholly = [...names]
  .filter(([, n]) => n.passed > 0 && n.missing === 0)
  .map(([k]) => k)
  .sort()
if (missingNames.size) {
  console.log(
    `\nMissing names (cases): ${[...missingNames]
      .sort((a, b) => b[1] - a[1])
      .map(([n, k]) => `${n} (${k})`)
      .join(', ')}`,
  )
}
console.log(
  `\n${wholly.length} names present, ${totals.missing} cases missing, ${totals.inexpressible} that JavaScript cannot express, ${totals.version} unlike this version of PyTorch and marked as different in 2.6`,
)
let gone = []
if (options.baseline && options.update) {
  const absent = [...names].filter(([, n]) => n.missing > 0 && n.passed === 0).map(([k]) => k)
  writeFileSync(options.baseline, wholly.join('\n') + '\n')
  writeFileSync(join(dirname(options.baseline), 'missing.txt'), absent.sort().join('\n') + '\n')
} else if (options.baseline && !only) {
  const now = new Set(wholly)
  gone = readFileSync(options.baseline, 'utf8')
    .split('\n')
    .filter((n) => n && names.has(n) && !now.has(n))
  for (const n of gone) console.log(`FAILED ${n}: it passed once and is missing now`)
}
if (options.json) {
  writeFileSync(
    options.json,
    JSON.stringify({ totals, names: Object.fromEntries(names), missing: Object.fromEntries(missingNames), failures, gone }, null, 1),
  )
}
console.log(`${totals.passed} passed, ${totals.failed + gone.length} failed`)
process.exitCode = totals.failed + gone.length ? 1 : 0
