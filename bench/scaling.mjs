#!/usr/bin/env node
// The large cases of the benchmark on one thread and on several: how well they scale. One and the other in turn, the shortest of many.
//   node bench/scaling.mjs [--threads N] [--only REGEX] [--rounds R] [--markdown]
import { parseArgs } from 'node:util'
import torch from 'torch.js'
import { cases } from './cases.mjs'

const { values: options } = parseArgs({
  options: {
    threads: { type: 'string', default: '2' },
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '6' },
    markdown: { type: 'boolean' },
  },
})
const threads = Number(options.threads)
const small = /^overhead\/|_64$|tiny_/ // nothing to share

// The shortest iteration of about 50 ms, and of three at least, in microseconds.
function shortest(run, n) {
  torch.set_num_threads(n)
  let best = Infinity
  for (let i = 0, end = performance.now() + 50; i < 3 || performance.now() < end; i++) {
    const start = performance.now()
    torch.scope(() => void run())
    best = Math.min(best, performance.now() - start)
  }
  return best * 1e3
}

const row = options.markdown
  ? (name, ...cells) => `| ${name} | ${cells.join(' | ')} |`
  : (name, ...cells) => name.padEnd(44) + cells.map((c) => c.padStart(14)).join('')
const number = (x) => (x < 100 ? x.toFixed(2) : String(Math.round(x)))
console.log(row('case', '1 thread us', `${threads} threads us`, 'times as fast'))
if (options.markdown) console.log('| --- | ---: | ---: | ---: |')
torch.manual_seed(0)
const ratios = []
for (const [name, make] of cases) {
  if (small.test(name) || !new RegExp(options.only).test(name)) continue
  const run = make()
  let one = Infinity,
    more = Infinity
  for (let round = 0; round < Number(options.rounds); round++) {
    one = Math.min(one, shortest(run, 1))
    more = Math.min(more, shortest(run, threads))
  }
  ratios.push(one / more)
  console.log(row(name, number(one), number(more), (one / more).toFixed(2)))
}
const mean = Math.exp(ratios.reduce((s, r) => s + Math.log(r), 0) / ratios.length)
console.log(`\ngeometric mean ${mean.toFixed(2)} over ${ratios.length} cases; ${ratios.filter((r) => r < 1.7).length} under 1.7`)
