// The device 'webgpu': where tensors are, how they are read, batches, errors, memory. Small tensors: software adapters are slow.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import torch, { nn } from 'torch.js'

const on = { device: 'webgpu' }

test('before the device starts, its use says how to start it', () => {
  assert.throws(() => torch.zeros(2, on), { code: 'DeviceError', message: /call `await torch\.webgpu\.init\(\)` first/ })
  assert.throws(() => torch.tensor([1]).to('webgpu'), /init/)
  assert.throws(() => torch.zeros(2, { device: 'webgpu:1' }), /there is only webgpu:0/)
})

test('no adapter: one error that says why', async () => {
  await assert.rejects(torch.webgpu.init({ gpu: { requestAdapter: async () => null } }), {
    code: 'DeviceError',
    message: /WebGPU is not available: no adapter was found/,
  })
  const nothing = { info: { device: 'Null backend', description: '' }, features: new Set(), limits: {} }
  await assert.rejects(torch.webgpu.init({ gpu: { requestAdapter: async () => nothing } }), /computes nothing/)
})

test('init, info', async () => {
  assert.equal(await torch.is_webgpu_available(), true)
  await torch.requireWebGPU()
  await torch.webgpu.init()
  const info = torch.webgpu.info()
  assert.ok(info.limits.maxBufferSize > 0)
  assert.match(String(info), /adapter .*\n {2}software/)
})

test('creation, movement and reading', async () => {
  const x = torch.tensor(
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
    on,
  )
  assert.equal(x.device, 'webgpu')
  assert.deepEqual([x.shape, x.dtype, x.stride()], [[2, 3], 'float32', [3, 1]])
  const read = x.toArray()
  assert.ok(read instanceof Promise)
  assert.deepEqual(await read, [
    [1, 2, 3],
    [4, 5, 6],
  ])
  assert.deepEqual(await x.t().toArray(), [
    [1, 4],
    [2, 5],
    [3, 6],
  ])
  assert.deepEqual((await x.t().cpu()).stride(), [1, 3])
  assert.deepEqual(await x.at(1, [0, 2]).data(), Float32Array.of(4, 5))
  assert.equal(await x.sum().item(), 21)
  await assert.rejects(async () => x.item(), /a Tensor with 6 elements cannot be converted to Scalar/)
  for (const [dtype, values] of [
    ['bool', [true, false]],
    ['int64', [2147483647, -2147483648]],
    ['int8', [-128, 127]],
    ['uint8', [255, 0]],
    ['int16', [-5, 5]],
    ['float16', [0.0999755859375, 65504]],
    ['bfloat16', [0.10009765625, -1]],
  ]) {
    const t = torch.tensor(values, { dtype, device: 'webgpu' })
    assert.equal(t.dtype, dtype)
    assert.deepEqual(await t.toArray(), values, dtype)
    assert.deepEqual((await t.cpu()).dtype, dtype)
  }
  assert.deepEqual(await torch.zeros(0, 3, on).toArray(), [])
  assert.equal((await x.to('cpu')).device, 'cpu')
  assert.equal((await x.to('cpu', 'float64')).dtype, 'float64')
  assert.equal(torch.ones(2).to(x).device, 'webgpu')
  assert.deepEqual(await torch.ones_like(x).device, 'webgpu')
  const y = torch.tensor([1, 2])
  assert.equal(y.cpu(), y)
})

test('sequences and, where asked for, random numbers are those of the cpu', async () => {
  torch.webgpu.set_random_stream('cpu')
  for (const make of [
    (o) => torch.arange(5, o),
    (o) => torch.linspace(0, 1, 7, o),
    (o) => torch.triu_indices(4, 5, 1, o),
    (o) => torch.tril_indices(4, 5, -1, o),
    (o) => torch.eye(3, 4, o),
    (o) => torch.randn(20, o),
    (o) => torch.rand(3, 3, o),
    (o) => torch.randint(0, 100, [9], o),
    (o) => torch.randperm(11, o),
    (o) => torch.empty(30, o).bernoulli_(0.3),
    (o) => nn.functional.dropout(torch.ones(40, o), 0.25),
  ]) {
    torch.manual_seed(7)
    const want = make({}).toArray()
    torch.manual_seed(7)
    assert.deepEqual(await make(on).toArray(), want, String(make))
  }
  torch.webgpu.set_random_stream('philox')
})

test('what the device cannot hold is refused', () => {
  assert.throws(() => torch.tensor([2n ** 40n]).to('webgpu'), /keeps int64 in 32 bits: the value 1099511627776 does not fit/)
  assert.throws(() => torch.zeros(2, { ...on, dtype: 'float64' }), /doesn't support float64\. Please use float32 instead/)
  assert.throws(() => torch.zeros(2, { ...on, dtype: 'complex128' }), /doesn't support complex128\. Please use complex64 instead/)
  assert.throws(() => torch.zeros(2, on).view('int16'), /32 bits/)
  assert.throws(() => torch.empty(2 ** 20, 2 ** 14, on), { code: 'OutOfMemoryError', message: /maxStorageBufferBindingSize/ })
})

test('devices do not mix, and nothing falls back', async () => {
  const x = torch.ones(2, on)
  const mixed = /Expected all tensors to be on the same device, but found at least two devices, webgpu:0 and cpu!/
  assert.throws(() => x.add(torch.ones(2)), mixed)
  assert.throws(() => torch.ones(2).add(x), /two devices, cpu and webgpu:0!/)
  assert.throws(() => x.view(1, 2).matmul(torch.ones(2, 1)), mixed)
  assert.throws(() => torch.cat([x, torch.ones(2)]), mixed)
  assert.deepEqual(await x.add(torch.tensor(2)).toArray(), [3, 3]) // a number of the cpu
  assert.throws(() => torch.linalg.eig(torch.ones(2, 2, on)), {
    code: 'NotImplementedError',
    message: /not implemented for the device webgpu/,
  })
  assert.throws(() => torch.nonzero(x), { code: 'NotImplementedError' })
  assert.deepEqual(
    await (await torch.masked_select_async(torch.tensor([1, 2, 3], on), torch.tensor([true, false, true], on))).toArray(),
    [1, 3],
  )
})

test('an index out of range rejects the next read, once', async () => {
  const x = torch.arange(4, on)
  const bad = x.at(torch.tensor([1n, 9n], on))
  await assert.rejects(bad.toArray(), { code: 'IndexError', message: /index 9 is out of bounds for dimension with size 4/ })
  assert.deepEqual(await x.toArray(), [0, 1, 2, 3])
})

test('NaN, infinities and zeros', async () => {
  const v = [NaN, Infinity, -Infinity, 0, -0, 1]
  const x = torch.tensor(v, on)
  const cpu = torch.tensor(v)
  for (const f of [
    (t) => t.eq(t),
    (t) => t.ne(t),
    (t) => t.ne(NaN),
    (t) => t.lt(1),
    (t) => t.ge(0),
    (t) => t.isnan(),
    (t) => t.isinf(),
    (t) => t.isfinite(),
    (t) => t.signbit(),
    (t) => t.to('bool'),
    (t) => t.max(),
    (t) => t.min(),
    (t) => t.argmax(),
    (t) => t.sort().values,
    (t) => t.relu(),
    (t) => t.clamp(-1, 1),
    (t) => t.exp(),
    (t) => t.log(),
    (t) => t.sqrt(),
    (t) => t.reciprocal(),
    (t) => t.tanh(),
    (t) => t.sigmoid(),
    (t) => t.maximum(t.flip(0)),
    (t) => t.softmax(0),
    (t) => t.nan_to_num(),
    (t) => t.pow(2),
    (t) => t.pow(-1),
    (t) => torch.logaddexp(t, t.flip(0)),
    (t) => t.fmod(2),
    (t) => t.remainder(-2),
    (t) => t.sum(),
    (t) => t.cumsum(0),
  ])
    assert.deepEqual(await f(x).toArray(), f(cpu).toArray(), String(f))
})

test('more workgroups than one dimension has', async () => {
  const n = 65535 * 64 + 100
  const x = torch.ones(n, on)
  assert.equal(await x.add(1).sum().item(), 2 * n)
  assert.deepEqual(
    await x
      .mul(3)
      .at([n - 2, n])
      .toArray(),
    [3, 3],
  )
})

test('in place, views and out', async () => {
  const x = torch.zeros(2, 3, on)
  x.at(1).add_(2)
  x.t().at(0).mul_(5).sub_(1)
  assert.deepEqual(await x.toArray(), [
    [-1, 0, 0],
    [9, 2, 2],
  ])
  const out = torch.empty(0, on)
  torch.add(x, 1, { out })
  assert.deepEqual(await out.toArray(), [
    [0, 1, 1],
    [10, 3, 3],
  ])
})

test('batches: nothing is submitted before there is a reason', async () => {
  await torch.webgpu.sync_device()
  torch.webgpu.set_batch_delay(0)
  torch.webgpu.set_batch_threshold(10)
  assert.equal(torch.webgpu.is_batching_enabled(), true)
  const submits = () => torch.webgpu.stats().submits
  const x = torch.ones(4, on)
  await torch.webgpu.sync_device()
  const start = submits()
  let y = x
  for (let i = 0; i < 9; i++) y = y.reshape(2, 2).softmax(0)
  assert.equal(submits(), start)
  y = y.softmax(0)
  assert.equal(submits(), start + 1)
  assert.equal(
    torch.webgpu.batch(() => 5),
    5,
  )
  torch.webgpu.disable_batching()
  y.softmax(0)
  assert.equal(submits(), start + 2)
  torch.webgpu.enable_batching()
  torch.webgpu.set_batch_threshold(64)
  torch.webgpu.set_batch_delay(16)
  y.softmax(0)
  await new Promise((r) => setTimeout(r, 60))
  assert.equal(submits(), start + 3)
  assert.throws(() => torch.webgpu.set_batch_threshold(0), /at least 1/)
})

test('autograd, modules, optimizers and state between devices', async () => {
  torch.manual_seed(3)
  const make = () => {
    torch.manual_seed(3)
    return new nn.Sequential(new nn.Linear(4, 8), new nn.LayerNorm(8), new nn.GELU(), new nn.Linear(8, 3))
  }
  const cpu = make(),
    gpu = make().to('webgpu')
  const x = torch.randn(5, 4),
    y = torch.tensor([0, 1, 2, 1, 0], { dtype: 'int64' })
  const a = new torch.optim.SGD(cpu.parameters(), { lr: 0.1, momentum: 0.9 }),
    b = new torch.optim.SGD(gpu.parameters(), { lr: 0.1, momentum: 0.9 })
  for (let i = 0; i < 3; i++) {
    a.zero_grad()
    b.zero_grad()
    const la = nn.functional.cross_entropy(cpu.forward(x), y)
    const lb = nn.functional.cross_entropy(gpu.forward(x.to('webgpu')), y.to('webgpu'))
    la.backward()
    lb.backward()
    a.step()
    b.step()
    assert.ok(Math.abs(la.item() - (await lb.item())) < 1e-5)
  }
  assert.throws(() => gpu.to('cpu'), /await module\.cpu_async\(\)/)
  await gpu.cpu_async()
  for (const [name, p] of Object.entries(gpu.state_dict()))
    assert.ok(torch.allclose(p, cpu.state_dict()[name], { rtol: 1e-4, atol: 1e-5 }), name)
  gpu.to('webgpu')
  gpu.load_state_dict(make().state_dict())
  assert.deepEqual(await gpu.state_dict()['0.weight'].toArray(), make().state_dict()['0.weight'].toArray())
})

test('memory: what is disposed of goes back to the pool', async () => {
  await torch.webgpu.sync_device()
  const before = torch.webgpu.stats()
  const x = torch.ones(1000, on)
  assert.equal(torch.webgpu.stats().live_bytes, before.live_bytes + 4000)
  x.dispose()
  assert.throws(() => x.add(1), { code: 'DisposedError' })
  await torch.webgpu.sync_device()
  const made = torch.webgpu.stats().buffers
  for (let i = 0; i < 5; i++) torch.scope(() => void torch.ones(1000, on).add(1).mul(2))
  await torch.webgpu.sync_device()
  assert.equal(torch.webgpu.stats().live_bytes, before.live_bytes)
  assert.ok(torch.webgpu.stats().buffers - made <= 20)
  torch.webgpu.empty_cache()
  assert.equal(torch.webgpu.stats().pooled_bytes, 0)
  torch.webgpu.reset_peak_memory_stats()
  assert.equal(torch.webgpu.stats().peak_bytes, torch.webgpu.stats().live_bytes)
  assert.equal(torch.memory_stats('webgpu').live_bytes, before.live_bytes)
  assert.ok(torch.memory_stats().live_tensors > 0)
  assert.match(torch.memory_summary('webgpu'), /reserved/)
})

test('a lost device: pending reads reject, old tensors say so, a new one works', async () => {
  const x = torch.ones(3, on)
  const read = x.add(1).toArray()
  torch.webgpu.destroy()
  await assert.rejects(read, { code: 'DeviceError', message: /lost/ })
  assert.throws(() => x.add(1), { code: 'DeviceError', message: /torch\.webgpu\.init\(\)/ })
  assert.throws(() => torch.ones(1, on), { code: 'DeviceError' })
  await torch.webgpu.init()
  assert.throws(() => x.add(1), { code: 'DeviceError', message: /on a webgpu device that is lost/ })
  assert.deepEqual(await torch.ones(2, on).add(1).toArray(), [2, 2])
})
