// What programs see of the device beside numbers: its start, batches and their defaults, texts of tensors, records, states that move between devices.
import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { after, before, test } from 'node:test'
import torch, { nn } from 'torch.js'

const on = { device: 'webgpu' }
before(() => torch.webgpu.init())
after(() => torch.set_default_device(null))
const submits = () => torch.webgpu.stats().submits

test('batches: 64 commands or 16 ms, until somebody says otherwise', async () => {
  const x = torch.ones(4, on)
  await torch.webgpu.sync_device()
  assert.equal(torch.webgpu.is_batching_enabled(), true)
  let start = submits()
  for (let i = 0; i < 63; i++) x.flip(0)
  assert.equal(submits(), start)
  x.flip(0)
  assert.equal(submits(), start + 1)
  start = submits()
  const begin = performance.now()
  x.flip(0)
  while (submits() === start) {
    await new Promise((r) => setTimeout(r, 1))
    assert.ok(performance.now() - begin < 5000, 'the timer does not run')
  }
  assert.ok(performance.now() - begin >= 10, 'the timer waits')
})

test('batch(fn): what fn records is one batch, whatever happens in it', async () => {
  const x = torch.ones(4, on)
  torch.webgpu.disable_batching()
  await torch.webgpu.sync_device()
  let start = submits()
  assert.equal(
    torch.webgpu.batch(() => {
      for (let i = 0; i < 10; i++) x.flip(0)
      torch.webgpu.batch(() => x.flip(0))
      return 7
    }),
    7,
  )
  assert.ok(submits() - start <= 2)
  start = submits()
  assert.throws(
    () =>
      torch.webgpu.batch(() => {
        x.flip(0)
        throw new Error('in the middle')
      }),
    /in the middle/,
  )
  assert.equal(submits(), start + 1)
  assert.equal(torch.webgpu.is_batching_enabled(), false)
  torch.webgpu.enable_batching()
  for (const bad of [-1, NaN, Infinity, '3']) {
    assert.throws(() => torch.webgpu.set_batch_threshold(bad), { code: 'ValueError' })
    assert.throws(() => torch.webgpu.set_batch_delay(bad), { code: 'ValueError' })
  }
})

test('reading does not wait for a batch to be full, and reads of one turn share a submit', async () => {
  const list = Array.from({ length: 8 }, (_, i) => torch.full([3], i, on))
  await torch.webgpu.sync_device()
  const start = submits()
  const read = await Promise.all(list.map((t) => t.sum().item()))
  assert.deepEqual(
    read,
    list.map((_, i) => 3 * i),
  )
  assert.equal(submits(), start + 1)
})

test('an adapter of the caller', async () => {
  const gpu = globalThis.navigator?.gpu ?? globalThis.__torchjs_gpu
  const adapter = await gpu.requestAdapter()
  torch.webgpu.destroy()
  assert.equal(torch.webgpu.is_initialized(), false)
  await torch.webgpu.init({ adapter, powerPreference: 'high-performance' })
  assert.equal(torch.webgpu.is_initialized(), true)
  assert.deepEqual(await torch.ones(2, on).add(1).toArray(), [2, 2])
  const text = String(torch.webgpu.info())
  for (const part of ['adapter', 'features', 'maxBufferSize', 'maxStorageBufferBindingSize']) assert.match(text, new RegExp(part))
})

test('the text of a tensor says all but its elements, and asks the GPU nothing', async () => {
  const x = torch.ones(2, 3, on)
  await torch.webgpu.sync_device()
  const start = submits()
  assert.equal(String(x), "tensor(..., device='webgpu:0', size=(2, 3))")
  assert.equal(inspect(x.to('int64')), "tensor(..., device='webgpu:0', size=(2, 3), dtype=torch.int64)")
  assert.equal(String(x.sum().requires_grad_()), "tensor(..., device='webgpu:0', size=(), requires_grad=True)")
  const w = new nn.Linear(3, 2).to('webgpu').weight
  assert.match(String(w), /^(Parameter containing:\n)?tensor\(\.\.\., device='webgpu:0', size=\(2, 3\), requires_grad=True\)$/)
  assert.match(String(w.mul(2)), /size=\(2, 3\), grad_fn=<MulBackward0>\)$/)
  assert.equal(submits(), start)
  assert.equal(String(await x.cpu()), 'tensor([[1., 1., 1.],\n        [1., 1., 1.]])')
})

test('tensor_data: a buffer of its own with the elements in their order', async () => {
  const x = torch.tensor(
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
    { ...on, requires_grad: true },
  )
  const data = await torch.tensor_data(x.mul(2).t())
  assert.deepEqual([data.shape, data.dtype, data.device, data.requires_grad], [[3, 2], 'float32', 'webgpu', true])
  assert.ok(data.grad_fn && data.ownsBuffer)
  x.detach().fill_(0)
  // The record's buffer is one of the standard: read by hand.
  const device = torch.webgpu.device?.() ?? null
  assert.ok(data.buffer.size >= 24)
  if (device) {
    const read = device.createBuffer({ size: 24, usage: 1 | 8 })
    const encoder = device.createCommandEncoder()
    encoder.copyBufferToBuffer(data.buffer, 0, read, 0, 24)
    device.queue.submit([encoder.finish()])
    await read.mapAsync(1)
    assert.deepEqual([...new Float32Array(read.getMappedRange())], [2, 8, 4, 10, 6, 12])
    read.destroy()
  }
  data.buffer.destroy()
  assert.equal((await torch.tensor_data(torch.tensor([3n], on))).dtype, 'int64')
})

const make = () => {
  torch.manual_seed(4)
  return new nn.Sequential(new nn.Linear(4, 6), new nn.BatchNorm1d(6), new nn.Tanh(), new nn.Linear(6, 1))
}
const data = () => {
  torch.manual_seed(5)
  const x = torch.randn(8, 4)
  return [x, x.sum(1, true)]
}
async function train(model, optimizer, steps, device) {
  const [x, y] = data().map((t) => t.to(device))
  const losses = []
  for (let i = 0; i < steps; i++) {
    optimizer.zero_grad()
    const loss = nn.functional.mse_loss(model.forward(x), y)
    loss.backward()
    optimizer.step()
    losses.push(await loss.item())
  }
  return losses
}
const near = (a, b) => a.length === b.length && a.every((v, i) => Math.abs(v - b[i]) <= 1e-4 * Math.max(1e-2, Math.abs(b[i])))

test('states of modules and optimizers move to the cpu and back, and the training does not notice', async () => {
  const optimizers = {
    sgd: (p) => new torch.optim.SGD(p, { lr: 0.05, momentum: 0.9, nesterov: true }),
    adam: (p) => new torch.optim.Adam(p, { lr: 0.02, amsgrad: true }),
    adamw: (p) => new torch.optim.AdamW(p, { lr: 0.02 }),
  }
  for (const [name, optimizerOf] of Object.entries(optimizers)) {
    const straight = make()
    const want = await train(straight, optimizerOf(straight.parameters()), 9, 'cpu')
    let model = make().to('webgpu')
    let optimizer = optimizerOf(model.parameters())
    const got = await train(model, optimizer, 3, 'webgpu')
    // While it stays where it is, a copy goes to the cpu and goes on there.
    const saved = await torch.webgpu.to_cpu({ model: model.state_dict(), optimizer: optimizer.state_dict() })
    for (const t of Object.values(saved.model)) assert.equal(t.device, 'cpu')
    assert.equal(model.state_dict()['0.weight'].device, 'webgpu')
    assert.throws(() => {
      const other = make()
      optimizerOf(other.parameters()).load_state_dict(optimizer.state_dict())
    }, /to_cpu/)
    model = make()
    optimizer = optimizerOf(model.parameters())
    model.load_state_dict(saved.model)
    optimizer.load_state_dict(saved.optimizer)
    got.push(...(await train(model, optimizer, 3, 'cpu')))
    // And from there to a device.
    const back = make().to('webgpu')
    const last = optimizerOf(back.parameters())
    back.load_state_dict(model.state_dict())
    last.load_state_dict(optimizer.state_dict())
    for (const entry of last.state.values())
      for (const v of Object.values(entry)) if (v instanceof torch.Tensor) assert.equal(v.device, 'webgpu')
    got.push(...(await train(back, last, 3, 'webgpu')))
    assert.ok(near(got, want), `${name}: ${got}, expected ${want}`)
  }
})

test('with webgpu as the default device, new tensors, layers and states are there', async () => {
  torch.set_default_device('webgpu')
  const model = new nn.Linear(2, 2)
  const optimizer = new torch.optim.Adam(model.parameters(), { lr: 0.1 })
  assert.equal(model.weight.device, 'webgpu')
  model.forward(torch.ones(1, 2)).sum().backward()
  optimizer.step()
  const saved = await torch.webgpu.to_cpu(optimizer.state_dict())
  optimizer.load_state_dict(saved)
  optimizer.step()
  assert.equal(optimizer.state.get(model.weight).exp_avg.device, 'webgpu')
  torch.set_default_device(null)
})

test('float16 and bfloat16: rounded after each operator, forward and backward, as on the cpu', async () => {
  for (const dtype of ['float16', 'bfloat16']) {
    const results = []
    for (const device of ['cpu', 'webgpu']) {
      torch.manual_seed(2)
      const x = torch.randn(6, 5).to(device, dtype).requires_grad_()
      const w = torch.randn(4, 5).to(device, dtype).requires_grad_()
      const y = nn.functional.gelu(x.mm(w.t()).add(0.1)).softmax(1)
      y.select(1, 0).sum().backward()
      assert.deepEqual([y.dtype, x.grad.dtype, w.grad.dtype], [dtype, dtype, dtype])
      const list = []
      for (const t of [y, x.grad, w.grad, x.sum(), x.cumsum(0), x.sort(1).values]) list.push(await t.detach().cpu())
      results.push(list)
    }
    const [cpu, gpu] = results
    const atol = dtype === 'float16' ? 2e-3 : 2e-2
    cpu.forEach((t, i) => assert.ok(torch.allclose(gpu[i].float(), t.float(), { rtol: atol, atol }), `${dtype}, result ${i}`))
  }
})

test('writing by a mask needs no reading where the value is the same for all places', async () => {
  for (const [indices, value, accumulate] of [
    [(m) => [m.gt(2)], -1],
    [(m) => [m.gt(2)], 10, true],
    [(m) => [m.select(1, 0).gt(2)], -1], // whole rows
    [(m) => [m.select(1, 0).gt(2)], [7, 8, 9]],
    [(m) => [m.select(1, 0).gt(2)], [[7, 8, 9]], true],
    [(m) => [null, m.select(0, 0).gt(0)], -1], // columns
    [(m) => [null, m.select(0, 0).gt(0)], [[5], [6]]],
    [(m) => [m.gt(100)], -1],
  ]) {
    const results = []
    for (const device of ['cpu', 'webgpu']) {
      const x = torch.arange(6, { device, dtype: 'float32' }).view(2, 3).requires_grad_()
      const y = x.index_put(indices(x), torch.tensor(value, { device, dtype: 'float32' }), accumulate ?? false)
      y.mul(y).sum().backward()
      results.push([await y.detach().toArray(), await x.grad.toArray()])
    }
    assert.deepEqual(results[1], results[0], `${indices} ${value}`)
  }
  const x = torch.ones(2, 3, on)
  assert.deepEqual(
    await x
      .index_put_([x.gt(0)], torch.tensor(3))
      .sum()
      .item(),
    18,
  ) // a number of the cpu
  assert.throws(() => x.index_put([torch.ones(2, 2, on).gt(0)], torch.tensor(1, on)), {
    code: 'IndexError',
    message: /The shape of the mask \[2, 2\]/,
  })
  assert.throws(() => x.index_put([x.gt(0)], torch.ones(6, on)), { code: 'NotImplementedError' })
})

test('ctc_loss, isin and sequences between bounds that are there', async () => {
  const results = []
  for (const device of ['cpu', 'webgpu']) {
    torch.manual_seed(1)
    const scores = torch.randn(7, 3, 5).to(device).requires_grad_()
    const targets = torch.tensor(
      [
        [1, 2, 2],
        [3, 1, 4],
        [4, 4, 4],
      ],
      { device, dtype: 'int64' },
    )
    const loss = nn.functional.ctc_loss(scores.log_softmax(2), targets, [7, 6, 2], [3, 2, 3], { reduction: 'none', zero_infinity: true })
    loss.sum().backward()
    results.push([await loss.detach().cpu(), await scores.grad.cpu()])
  }
  results[0].forEach((want, i) => assert.ok(torch.allclose(results[1][i], want, { rtol: 1e-4, atol: 1e-5 }), String(results[1][i])))
  const bad = torch.tensor([[1, 9]], { ...on, dtype: 'int64' })
  await assert.rejects(
    async () => void (await nn.functional.ctc_loss(torch.zeros(4, 1, 3, on), bad, [4], [2]).item()),
    /index 9 is out of bounds [^]*in ctc_loss/,
  )
  assert.deepEqual(await torch.isin(torch.tensor([1, 2, 3], on), 2).toArray(), [false, true, false])
  assert.deepEqual(await torch.linspace(torch.tensor(0, on), torch.tensor(1, on), 5).toArray(), [0, 0.25, 0.5, 0.75, 1])
  assert.deepEqual(await torch.logspace(0, torch.tensor(3, on), 4, 2).toArray(), [1, 2, 4, 8])
  assert.throws(() => torch.linspace(torch.tensor(0, on), 1, 5, { device: 'cpu' }), { code: 'NotImplementedError' })
})
