// Where results are made (set_default_device), results whose size depends on elements, factorisations and their errors, state between devices.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import torch, { nn } from 'torch.js'
import { loadSchema } from '../../codegen/schema.mjs'

const on = { device: 'webgpu' }
before(() => torch.webgpu.init())
after(() => torch.set_default_device(null))

test('set_default_device reaches every function that makes tensors', async () => {
  const ops = loadSchema(fileURLToPath(new URL('../../schema/ops', import.meta.url)))
  const samples = { int: 3, float: 0.5, Scalar: 2, 'int[]': [2, 3], bool: true }
  const special = {
    randint: [5, [2]],
    'randint.low': [1, 5, [2]],
    empty_strided: [
      [2, 3],
      [3, 1],
    ],
    empty_permuted: [
      [2, 3],
      [1, 0],
    ],
    arange: [4],
  }
  torch.set_default_device('webgpu')
  let tried = 0
  try {
    assert.equal(String(torch.get_default_device()), 'webgpu')
    for (const op of ops) {
      if (op.namespace === 'internal' || !op.function || !op.args.some((a) => a.type.base === 'Device')) continue
      if (op.args.some((a) => a.type.base === 'Tensor')) continue
      const f = (op.namespace === 'torch' ? torch : op.namespace.split('.').reduce((o, k) => o[k], torch))[op.name.replace(/\..*/, '')]
      if (typeof f !== 'function') continue
      const needed = op.args.filter((a) => !a.kwOnly && a.default === undefined)
      const args = special[op.name] ?? needed.map((a) => samples[a.type.list ? `${a.type.base}[]` : a.type.base])
      const made = f(...args)
      assert.equal(made.device, 'webgpu', op.name)
      assert.equal(f(...args, { device: 'cpu' }).device, 'cpu', op.name)
      tried++
    }
    assert.ok(tried >= 15, `${tried} functions`)
    for (const [name, make] of Object.entries({
      tensor: () => torch.tensor([1, 2]),
      as_tensor: () => torch.as_tensor([1, 2]),
      'tensor of a tensor': () => torch.tensor(torch.ones(2, { device: 'cpu' })),
      from_array: () => torch.from_array(Float32Array.of(1, 2)),
      scalar_tensor: () => torch.scalar_tensor(3),
      normal: () => torch.normal(0, 1, [3]),
      hann: () => torch.signal.windows.hann(5),
      kaiser: () => torch.signal.windows.kaiser(5),
      hann_window: () => torch.hann_window(5),
      parameters: () => new nn.Linear(2, 3).weight,
      buffers: () => new nn.BatchNorm1d(3).running_mean,
      zeros_like: () => torch.zeros_like(torch.ones(2)),
    })) {
      if (name === 'hann_window' && !torch.hann_window) continue
      assert.equal(make().device, 'webgpu', name)
    }
    assert.equal(torch.zeros_like(torch.ones(2, { device: 'cpu' })).device, 'cpu') // of a tensor: where that is
    const data = new torch.utils.data.DataLoader(
      [1, 2, 3].map((v) => torch.tensor([v], { device: 'cpu' })),
      { shuffle: true, batch_size: 3 },
    )
    for await (const batch of data) assert.equal(batch.sum().item(), 6) // orders are drawn on the cpu
  } finally {
    torch.set_default_device(null)
  }
  assert.equal(torch.zeros(1).device, 'cpu')
  assert.throws(() => torch.set_default_device('webgpu:1'), /there is only webgpu:0/)
  assert.equal(torch.zeros(1).device, 'cpu')
})

test('promises of exact size', async () => {
  const cpu = torch.tensor([
    [3, 0, 3, 1],
    [0, 0, 1, 3],
  ])
  const x = cpu.to('webgpu')
  const same = async (got, want, what) => {
    assert.equal(got.device, 'webgpu', what)
    assert.deepEqual([got.shape, got.dtype, got.stride()], [want.shape, want.dtype, want.stride()], what)
    assert.deepEqual(await got.toArray(), want.toArray(), what)
  }
  await same(await torch.nonzero_async(x), torch.nonzero(cpu), 'nonzero')
  await same(await torch.argwhere_async(x), torch.argwhere(cpu), 'argwhere')
  const tuple = await torch.nonzero_async(x, { as_tuple: true })
  assert.deepEqual(
    await tuple[1].toArray(),
    [0n, 2n, 3n, 2n, 3n].map(Number).map((v) => v),
  )
  await same(await torch.masked_select_async(x, x.gt(0)), torch.masked_select(cpu, cpu.gt(0)), 'masked_select')
  await same(await torch.masked_select_async(x, x.gt(9)), torch.masked_select(cpu, cpu.gt(9)), 'masked_select of nothing')
  await same(await torch.unique_async(x), torch.unique(cpu), 'unique')
  const all = { return_inverse: true, return_counts: true }
  for (const more of [{}, { dim: 1 }, { dim: 0 }]) {
    const got = await torch.unique_async(x, { ...all, ...more })
    const want = torch.unique(cpu, { ...all, ...more })
    for (const part of ['output', 'inverse_indices', 'counts']) assert.deepEqual(await got[part].toArray(), want[part].toArray(), part)
    const next = await torch.unique_consecutive_async(x, { ...all, ...more })
    const near = torch.unique_consecutive(cpu, { ...all, ...more })
    for (const part of ['output', 'inverse_indices', 'counts']) assert.deepEqual(await next[part].toArray(), near[part].toArray(), part)
  }
  const whole = cpu.to('int64').reshape(-1)
  await same(await torch.bincount_async(whole.to('webgpu')), torch.bincount(whole), 'bincount')
  await same(
    await torch.repeat_interleave_async(x, torch.tensor([2, 1], { ...on, dtype: 'int64' }), { dim: 0 }),
    torch.repeat_interleave(cpu, torch.tensor([2, 1], { dtype: 'int64' }), 0),
    'repeat_interleave',
  )
  assert.equal(await torch.equal_async(x, x.clone()), true)
  assert.equal(await torch.equal_async(x, x.add(1)), false)
  assert.equal(await torch.allclose_async(x, x.add(1e-9)), true)
  // On the cpu they are what their namesakes are.
  assert.deepEqual((await torch.unique_async(cpu)).toArray(), [0, 1, 3])
  // Their gradients flow.
  const leaf = cpu.clone().to('webgpu').requires_grad_()
  ;(await torch.masked_select_async(leaf, leaf.gt(1))).sum().backward()
  assert.deepEqual(await leaf.grad.toArray(), [
    [1, 0, 1, 0],
    [0, 0, 0, 1],
  ])
  // At once they are an error that says why.
  assert.throws(() => torch.unique(x), { code: 'NotImplementedError' })
})

test('factorisations reject the next read with the words of the cpu', async () => {
  const singular = torch.tensor([
    [
      [1, 2],
      [3, 4],
    ],
    [
      [1, 2],
      [2, 4],
    ],
  ])
  for (const f of [
    (a) => torch.linalg.inv(a),
    (a) => torch.linalg.inv(a[1] ?? a.select(0, 1)),
    (a) => torch.linalg.solve(a, torch.ones(2, 2, 1, { device: a.device })),
    (a) => torch.linalg.cholesky(a.mul(-1)),
    (a) => torch.linalg.svd(a.div(0)).S,
  ]) {
    let message
    try {
      f(singular)
    } catch (e) {
      message = e.message
    }
    assert.ok(message, String(f))
    await assert.rejects(
      async () => void (await f(singular.to('webgpu')).toArray()),
      (e) => e.code === 'RuntimeError' && e.message.startsWith(`${message} (found on the device webgpu by 'linalg_`),
      String(f),
    )
  }
})

test('factorisations of sizes around a workgroup', async () => {
  for (const [m, n] of [
    [1, 1],
    [5, 5],
    [65, 65],
    [70, 30],
    [30, 70],
    [130, 3],
  ]) {
    torch.manual_seed(m)
    const a = torch.randn(m, n)
    const x = a.to('webgpu')
    const close = async (got, want, what) =>
      assert.ok(torch.allclose(await got.cpu(), want, { rtol: 1e-3, atol: 2e-4 * Math.max(m, n) }), `${what} of ${m} x ${n}`)
    const { Q, R } = torch.linalg.qr(x)
    await close(Q.matmul(R), a, 'qr')
    for (const full_matrices of [false, true]) {
      const { U, S, Vh } = torch.linalg.svd(x, { full_matrices })
      const k = Math.min(m, n)
      await close(
        U.narrow(1, 0, k)
          .mul(S)
          .matmul(Vh.narrow(0, 0, k)),
        a,
        'svd',
      )
      await close(U.mT.matmul(U), torch.eye(U.shape[1]), 'U of svd')
      await close(Vh.matmul(Vh.mT), torch.eye(Vh.shape[0]), 'V of svd')
      await close(S, torch.linalg.svdvals(a), 'singular values')
    }
    const { P, L, U } = torch.linalg.lu(x)
    await close(P.matmul(L).matmul(U), a, 'lu')
    if (m !== n) continue
    const s = a.matmul(a.mT).add(torch.eye(n))
    const { eigenvalues, eigenvectors } = torch.linalg.eigh(s.to('webgpu'))
    await close(eigenvectors.mul(eigenvalues).matmul(eigenvectors.mT), s, 'eigh')
    const c = torch.linalg.cholesky(s.to('webgpu'))
    await close(c.matmul(c.mT), s, 'cholesky')
    await close(torch.linalg.solve(s.to('webgpu'), x), torch.linalg.solve(s, a), 'solve')
  }
})

test('a state_dict goes to the device and back, and stays what it was', async () => {
  torch.manual_seed(2)
  const make = () => new nn.Sequential(new nn.Conv2d(1, 2, 3), new nn.BatchNorm2d(2), new nn.Flatten(), new nn.Linear(8, 3))
  const model = make()
  model.forward(torch.randn(3, 1, 4, 4))
  const before_ = Object.fromEntries(Object.entries(model.state_dict()).map(([k, v]) => [k, v.toArray()]))
  model.to('webgpu')
  const there = model.state_dict()
  for (const v of Object.values(there)) assert.equal(v.device, 'webgpu')
  const other = make() // of the cpu
  const back = {}
  for (const [k, v] of Object.entries(there)) back[k] = await v.cpu()
  other.load_state_dict(back)
  for (const [k, v] of Object.entries(other.state_dict())) assert.deepEqual(v.toArray(), before_[k], k)
  const third = make().to('webgpu')
  third.load_state_dict(other.state_dict()) // cpu to webgpu
  for (const [k, v] of Object.entries(third.state_dict())) assert.deepEqual(await v.toArray(), before_[k], k)
  await third.cpu_async()
  for (const [k, v] of Object.entries(third.state_dict())) assert.deepEqual(v.toArray(), before_[k], k)
})

test('recurrent layers: results and gradients are those of the cpu', async () => {
  for (const [make, states] of [
    [() => new nn.LSTM(3, 4, { num_layers: 2, bidirectional: true }), 2],
    [() => new nn.GRU(3, 4, { batch_first: true }), 1],
    [() => new nn.RNN(3, 4, { nonlinearity: 'relu' }), 1],
  ]) {
    torch.manual_seed(7)
    const cpu = make()
    const gpu = make()
    gpu.load_state_dict(cpu.state_dict())
    gpu.to('webgpu')
    const x = torch.randn(5, 2, 3)
    const [a, ha] = cpu.forward(x)
    const [b, hb] = gpu.forward(x.to('webgpu'))
    const close = async (got, want) => assert.ok(torch.allclose(await got.detach().cpu(), want.detach(), { rtol: 1e-4, atol: 1e-5 }))
    await close(b, a)
    if (states === 2) for (const k of [0, 1]) await close(hb[k], ha[k])
    else await close(hb, ha)
    a.pow(2).sum().backward()
    b.pow(2).sum().backward()
    const grads = [...gpu.parameters()].map((p) => p.grad)
    for (const [i, p] of [...cpu.parameters()].entries()) await close(grads[i], p.grad)
  }
})
