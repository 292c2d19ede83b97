#!/usr/bin/env node
// How fast the device webgpu is: matrix products as a share of the GPU's plain peak, pointwise operators and softmax as a share of its memory's
// bandwidth, training steps; and, which no clock is needed for, launches, submits and bytes of each case.
//   node bench/webgpu/run.mjs [--tflops 60] [--bandwidth 3000] [--quick] [--json FILE]
// Before: `make examples`.
//     --tflops, --bandwidth   the GPU's plain float32 peak and its memory's GB/s: then shares are shown
//     --quick                 small sizes, for software adapters
//     --tiles LIST            products also with these tiles of the engine's table in turn ("128x128,64x64", or "all"), beside what it plans
//     --only REGEX            these cases
//     --profile               of the training steps also the time of each kernel (torch.profiler)
// The GPU is the one that npm's `webgpu` finds (Vulkan, Metal or Direct3D 12). A time is the median of repetitions, each of which submits a batch and
// waits for its end; what a wait costs is measured with an empty one and shown. Before, the GPU multiplies large matrices for a fifth of a second:
// after little work its kernels were seen to be several times slower, and steps of small networks do not change that.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import torch, { nn } from 'torch.js'
import { convnet } from '../../build/examples/digits/classifier.js'
import { gpt, trainer } from './models.mjs'

const { values: options } = parseArgs({
  options: {
    tflops: { type: 'string' },
    bandwidth: { type: 'string' },
    quick: { type: 'boolean' },
    json: { type: 'string' },
    tiles: { type: 'string' },
    only: { type: 'string', default: '' },
    profile: { type: 'boolean' },
  },
})
await torch.webgpu.init({ powerPreference: 'high-performance' })
console.log(String(torch.webgpu.info()))
const device = 'webgpu'
const quick = options.quick
const results = []

const median = (list) => list.sort((a, b) => a - b)[list.length >> 1]

const square = torch.randn(...(quick ? [32, 32] : [2048, 2048])).to(device)
async function warm() {
  const begin = performance.now()
  do {
    for (let i = 0; i < 10; i++) torch.scope(() => void square.matmul(square))
    await torch.webgpu.sync_device()
  } while (!quick && performance.now() - begin < 200)
}

/** Milliseconds of one call of fn: `inner` calls in a batch, and the launches, submits and new buffers of a call. */
async function measure(fn, inner, repetitions = quick ? 3 : 15) {
  const once = async () => {
    const start = performance.now()
    const results = [] // what nobody keeps need not be computed
    for (let i = 0; i < inner; i++) results.push(torch.scope(fn))
    await torch.webgpu.sync_device()
    const time = performance.now() - start
    for (const t of results) t?.dispose()
    return time
  }
  await warm()
  for (let i = 0; i < 3; i++) await once()
  const before = torch.webgpu.stats()
  const times = []
  for (let i = 0; i < repetitions; i++) times.push(await once())
  const after = torch.webgpu.stats()
  const calls = inner * repetitions
  return {
    ms: median(times) / inner,
    launches: (after.dispatches - before.dispatches) / calls,
    submits: (after.submits - before.submits) / calls,
    new_buffers: (after.buffers - before.buffers) / calls,
  }
}

function report(name, m, work) {
  const row = { name, ...m, ...work }
  const parts = [`${m.ms.toFixed(3)} ms`]
  if (work.flops) {
    const tflops = work.flops / m.ms / 1e9
    row.tflops = tflops
    parts.push(`${tflops.toFixed(2)} TFLOP/s`)
    if (options.tflops) parts.push(`${((100 * tflops) / Number(options.tflops)).toFixed(0)} % of peak`)
  }
  if (work.bytes) {
    const rate = work.bytes / m.ms / 1e6
    row.gigabytes_per_second = rate
    parts.push(`${rate.toFixed(1)} GB/s`)
    if (options.bandwidth) parts.push(`${((100 * rate) / Number(options.bandwidth)).toFixed(0)} % of bandwidth`)
  }
  parts.push(`${m.launches.toFixed(1)} launches, ${m.submits.toFixed(2)} submits, ${m.new_buffers.toFixed(2)} new buffers`)
  results.push(row)
  console.log(`${name.padEnd(34)} ${parts.join('  ')}`)
}

const randn = (...shape) => torch.randn(...shape).to(device)
const wanted = (name) => new RegExp(options.only).test(name)

report('empty wait', await measure(() => {}, 1), {})
for (const n of quick ? [64, 128] : [512, 1024, 2048, 4096]) {
  for (const dtype of ['float32', 'float16']) {
    if (!wanted(`matmul ${n} ${dtype}`)) continue
    const a = randn(n, n).to(dtype),
      b = randn(n, n).to(dtype)
    report(`matmul ${n} ${dtype}`, await measure(() => a.matmul(b), n > 2000 || quick ? 1 : 8), { flops: 2 * n ** 3 })
  }
}
// The shapes of products that the choice of tiles is made by: large squares, and those of the training steps below with their gradients.
if (options.tiles) {
  const known = (tile) => {
    try {
      torch.webgpu.set_matmul_tile(tile)
      return true
    } catch {
      return false // the adapter has no subgroups
    }
  }
  const all = ['128x128', '128x64', '64x128', '64x64', '64x64s', '32x32', '16x256g', '16x16'].filter(known)
  const tiles = options.tiles === 'all' ? all : options.tiles.split(',')
  const shapes = quick
    ? [[128, 64, 128]]
    : [
        [4096, 4096, 4096],
        [1024, 1024, 1024],
        [512, 512, 512],
        [2048, 256, 768],
        [2048, 256, 1024],
        [2048, 1024, 256],
        [2048, 256, 256],
        [2048, 768, 256],
        [256, 2048, 768],
        [256, 2048, 1024],
        [256, 1024, 1024],
        [1024, 256, 1024],
      ]
  for (const [m, k, n] of shapes) {
    for (const layout of ['nn', 'nt', 'tn']) {
      if (!['planned', ...tiles].some((tile) => wanted(`product ${m} x ${k} x ${n} ${layout} ${tile}`))) continue
      const matrix = (turned, r, c) => (turned ? randn(c, r).t() : randn(r, c))
      const a = matrix(layout[0] === 't', m, k),
        b = matrix(layout[1] === 't', k, n)
      for (const tile of ['planned', ...tiles]) {
        const name = `product ${m} x ${k} x ${n} ${layout} ${tile}`
        if (!wanted(name)) continue
        torch.webgpu.set_matmul_tile(tile === 'planned' ? null : tile)
        report(name, await measure(() => a.matmul(b), m * k * n > 2 ** 33 ? 2 : 8, quick ? 3 : 7), { flops: 2 * m * k * n })
      }
      torch.webgpu.set_matmul_tile(null)
    }
  }
}
const side = quick ? 256 : 4096
if (wanted('pointwise')) {
  const x = randn(side, side),
    y = randn(side, side)
  const size = 4 * side * side
  torch.webgpu.set_fusion(false) // else the calls of a batch are one kernel, which reads its inputs once
  report(`add ${side} x ${side}`, await measure(() => x.add(y), 8), { bytes: 3 * size })
  report(`gelu ${side} x ${side}`, await measure(() => nn.functional.gelu(x), 8), { bytes: 2 * size })
  torch.webgpu.set_fusion(true)
  report('chain of 6 pointwise operators', await measure(() => x.mul(2).add(1).sigmoid().mul(x).sub(y).relu(), 4), { bytes: 3 * size })
  report(`layer norm ${side} x ${side}`, await measure(() => nn.functional.layer_norm(x, [side]), 8), { bytes: 2 * size })
  report(`softmax ${side} x ${side}`, await measure(() => x.softmax(1), 8), { bytes: 2 * size })
  report(`sum of all ${side} x ${side}`, await measure(() => x.sum(), 8), { bytes: size })
  report(`sum of columns ${side} x ${side}`, await measure(() => x.sum(0), 8), { bytes: size })
  report(`transposed copy ${side} x ${side}`, await measure(() => x.t().contiguous(), 8), { bytes: 2 * size })
}

/** Where a training step's time goes, kernel by kernel. */
async function profiled(name, step) {
  if (!options.profile) return
  await warm()
  const prof = new torch.profiler.profile()
  await prof.run(async () => {
    torch.scope(step)
    await torch.webgpu.sync_device()
  })
  const kernels = prof.key_averages().filter((e) => e.kind === 'kernel')
  const list = torch.profiler.EventList.of_events(kernels, true)
  console.log(list.table({ sort_by: 'self_device_time_total', row_limit: 30, header: name, max_name_column_width: 48 }))
  results.push({
    name: `${name}, kernels in microseconds`,
    kernels: Object.fromEntries(kernels.map((k) => [k.key, [k.count, k.self_device_time_total]])),
  })
}

if (wanted('convnet')) {
  const batch = quick ? 8 : 64
  const x = randn(batch, 1, 8, 8),
    y = torch.randint(0, 10, [batch]).to(device)
  const net = convnet(torch)
  const step = trainer(net, (m) => nn.functional.cross_entropy(m.forward(x), y))
  report(`convnet of digits, step of ${batch}`, await measure(step, 1), {})
  await profiled('convnet', step)
}
if (wanted('MLP')) {
  const [batch, width, depth] = quick ? [8, 32, 2] : [256, 1024, 3]
  const x = randn(batch, width),
    y = torch.randint(0, 10, [batch]).to(device)
  const layers = []
  for (let i = 0; i < depth; i++) layers.push(new nn.Linear(width, width), new nn.LayerNorm(width), new nn.GELU())
  const net = new nn.Sequential(...layers, new nn.Linear(width, 10))
  const step = trainer(net, (m) => nn.functional.cross_entropy(m.forward(x), y))
  report(`MLP ${depth} x ${width}, step of ${batch}`, await measure(step, 1), { flops: 6 * batch * depth * width * width })
  await profiled('MLP', step)
}
if (wanted('GPT')) {
  // A small GPT of 2 layers.
  const [batch, time, width, heads, vocabulary] = quick ? [2, 8, 16, 2, 17] : [16, 128, 256, 8, 512]
  const x = torch.randint(0, vocabulary, [batch, time]).to(device),
    y = torch.randint(0, vocabulary, [batch * time]).to(device),
    at = torch.arange(time).to(device)
  const loss = (m) => nn.functional.cross_entropy(m.forward(x, at).view(-1, vocabulary), y)
  const step = trainer(gpt({ batch, time, width, heads, vocabulary }), loss)
  report(`GPT of 2 layers, step of ${batch} x ${time}`, await measure(step, 1), {})
  await profiled('GPT', step)
  if (options.quick) console.log(torch.webgpu.launches())
}
if (options.json) writeFileSync(options.json, JSON.stringify({ info: torch.webgpu.info(), results }, null, 1))
torch.webgpu.destroy()
