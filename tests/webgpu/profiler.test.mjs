// torch.profiler on the device: kernels, their times, and the operators that asked for them. And the memory of both devices.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import torch from 'torch.js'

before(() => torch.webgpu.init())
const { profile } = torch.profiler

test('kernels are recorded for the operators that asked for them', async () => {
  const a = torch.randn(40, 40).to('webgpu'),
    b = torch.randn(40, 40).to('webgpu')
  const prof = new profile()
  assert.deepEqual(prof.activities, ['CPU', 'WEBGPU'])
  await prof.run(async () => {
    const y = torch.scope(() => a.matmul(b).mul(2).add(1).relu())
    await y.sum().item()
  })
  const events = prof.events()
  const kernels = events.filter((e) => e.kind === 'kernel')
  assert.deepEqual(
    kernels.map((k) => k.name.split(' ')[0]),
    ['gemm', 'mul+add+relu', 'reduce'],
  )
  assert.equal(kernels[0].cpu_parent.name, 'aten::mm')
  assert.equal(kernels[1].cpu_parent.name, 'aten::relu', 'a chain belongs to its last operator')
  assert.equal(kernels[2].cpu_parent.name, 'aten::sum')
  const sums = prof.key_averages()
  const mm = sums.find((e) => e.key === 'aten::mm')
  assert.equal(mm.device_time_total, kernels[0].time_range.elapsed_us())
  const timed = torch.webgpu.info().features.includes('timestamp-query')
  if (timed) assert.ok(kernels.every((k) => k.time_range.elapsed_us() > 0) && kernels[1].time_range.start >= kernels[0].time_range.end)
  const table = sums.table({ sort_by: 'device_time_total' })
  assert.match(table, /Self WebGPU +Self WebGPU % +WebGPU total +WebGPU time avg/)
  assert.match(table, /Self WebGPU time total: /)
  const { traceEvents } = JSON.parse(prof.chrome_trace())
  assert.equal(traceEvents.filter((e) => e.cat === 'kernel' && e.tid === 1).length, 3)
})

test('what was asked for before and after is not recorded, and batches of any size are', async () => {
  const x = torch.ones(8).to('webgpu')
  x.exp()
  const prof = new profile()
  const before = torch.webgpu.stats().dispatches
  torch.webgpu.set_fusion(false)
  await prof.run(async () => {
    for (let i = 0; i < 200; i++) torch.scope(() => void x.add(i))
    await torch.webgpu.sync_device()
  })
  torch.webgpu.set_fusion(true)
  x.log()
  await torch.webgpu.sync_device()
  const kernels = prof.events().filter((e) => e.kind === 'kernel')
  assert.equal(kernels.length, 200)
  assert.ok(kernels.every((k) => k.name.startsWith('add') && k.cpu_parent.name === 'aten::add'))
  assert.ok(torch.webgpu.stats().dispatches > before)
})

test('without the activity only operators', async () => {
  const x = torch.ones(8).to('webgpu')
  const prof = new profile({ activities: ['CPU'] })
  await prof.run(() => x.add(1))
  assert.deepEqual(
    prof.events().map((e) => e.name),
    ['aten::add'],
  )
})

test('memory of both devices', async () => {
  await torch.webgpu.sync_device()
  globalThis.gc?.()
  torch.reset_peak_memory_stats('webgpu')
  const start = torch.memory_stats('webgpu')
  const x = torch.ones(1000).to('webgpu')
  const during = torch.memory_stats('webgpu')
  assert.equal(during.live_bytes - start.live_bytes, 4000)
  x.dispose()
  const after = torch.memory_stats('webgpu')
  assert.equal(after.live_bytes, start.live_bytes)
  assert.ok(after.peak_bytes >= start.live_bytes + 4000)
  torch.reset_peak_memory_stats('webgpu')
  assert.equal(torch.memory_stats('webgpu').peak_bytes, torch.memory_stats('webgpu').live_bytes)
  await torch.webgpu.sync_device()
  assert.ok(torch.webgpu.stats().pooled_bytes > 0)
  torch.empty_cache('webgpu')
  assert.equal(torch.webgpu.stats().pooled_bytes, 0)
  assert.match(torch.memory_summary('webgpu'), /webgpu/)
  assert.ok(torch.memory_stats('cpu').live_bytes >= 0)
  assert.match(torch.memory_summary('cpu'), /torch.js memory/)
})
