#!/usr/bin/env node
// Times the benchmark cases, each beside the same case of a peer.
//   node bench/run.mjs [--peer COMMAND] [--only REGEX] [--json FILE] [--machine PROGRAM] [--threads N] [--seconds S] [--list]
// COMMAND --only '^CASE$' has to print a JSON line {"case": name, "median_us": t}; it runs right after our run of the same case, so that
// both see the same machine. Ratio: theirs / ours, of medians. A case that cannot run yet is listed as missing, with the reason.
// PROGRAM (bench/machine.c, built) measures what the machine can do at most; each case then shows its floor, and our time as a multiple of it.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import torch from 'torch.js'
import { cases } from './cases.mjs'
import { floorOf } from './floors.mjs'

const { values: options } = parseArgs({
  options: {
    peer: { type: 'string' },
    only: { type: 'string', default: '' },
    json: { type: 'string' },
    machine: { type: 'string' },
    threads: { type: 'string' },
    seconds: { type: 'string', default: '0.5' },
    list: { type: 'boolean' },
  },
})
const names = [...cases.keys()].filter((n) => new RegExp(options.only).test(n))
if (options.list) {
  console.log(names.join('\n'))
  process.exit(0)
}
if (options.threads) torch.set_num_threads(Number(options.threads))

// Median of iterations over a fixed time, after a warm-up, in microseconds.
function time(run) {
  const once = () => {
    const t = performance.now()
    torch.scope(() => void run())
    return (performance.now() - t) * 1e3
  }
  for (let i = 0; i < 3; i++) once()
  const times = [],
    end = Date.now() + Number(options.seconds) * 1e3
  while (Date.now() < end || times.length < 5) times.push(once())
  return times.sort((a, b) => a - b)[times.length >> 1]
}

function timePeer(name) {
  const [command, ...args] = options.peer.split(' ')
  const out = execFileSync(command, [...args, '--only', `^${name}$`, '--seconds', options.seconds], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  for (const line of out.split('\n')) {
    const r = line.startsWith('{') ? JSON.parse(line) : {}
    if (r.case === name) return r.median_us
  }
  return null
}

torch.manual_seed(0)
const results = [],
  missing = []
const cell = (x) => (x === null ? '-' : x < 100 ? x.toFixed(2) : String(Math.round(x))).padStart(12)
const machine = options.machine ? JSON.parse(execFileSync(options.machine, [String(torch.get_num_threads())], { encoding: 'utf8' })) : null
if (machine)
  console.log(
    `${machine.threads} threads: ${machine.cache_gb_s} GB/s from the caches, ${machine.memory_gb_s} GB/s from memory, ${machine.gflop_s} GFLOP/s\n`,
  )
const floorTitles = machine ? `${'floor us'.padStart(12)}${'x floor'.padStart(9)}` : ''
console.log(`${'case'.padEnd(44)}${'ours us'.padStart(12)}${'peer us'.padStart(12)}${'ratio'.padStart(8)}${floorTitles}`)
for (const name of names) {
  let ours
  try {
    ours = time(cases.get(name)())
  } catch (e) {
    missing.push({ case: name, why: e.message.split('\n')[0] })
    console.log(`${name.padEnd(44)}     missing: ${e.message.split('\n')[0].slice(0, 80)}`)
    continue
  }
  const peer = options.peer ? timePeer(name) : null
  const ratio = peer === null ? null : peer / ours
  const floor = machine ? floorOf(name, machine) : null
  results.push({ case: name, ours_us: ours, peer_us: peer, ratio, ...(floor === null ? {} : { floor_us: floor }) })
  const floorCells = floor === null ? '' : `${cell(floor)}${(ours / floor).toFixed(1).padStart(9)}`
  console.log(`${name.padEnd(44)}${cell(ours)}${cell(peer)}${ratio === null ? '       -' : ratio.toFixed(2).padStart(8)}${floorCells}`)
}
const compared = results.filter((r) => r.ratio !== null)
if (compared.length) {
  const mean = Math.exp(compared.reduce((s, r) => s + Math.log(r.ratio), 0) / compared.length)
  const worst = compared.reduce((a, b) => (b.ratio < a.ratio ? b : a))
  console.log(
    `\ngeometric mean of the ratios ${mean.toFixed(2)} over ${compared.length} cases; worst ${worst.ratio.toFixed(2)} (${worst.case}); ${missing.length} missing`,
  )
}
if (options.json)
  writeFileSync(options.json, JSON.stringify({ threads: torch.get_num_threads(), machine, cases: results, missing }, null, 1))
