// Random numbers on the device webgpu: Philox4x32-10 with keys from the cpu's generator, or the cpu's stream.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import torch, { nn } from 'torch.js'

const on = { device: 'webgpu' }
before(() => torch.webgpu.init())

// Random123's definition.
function philox([k0, k1], counter) {
  const M = [0xd2511f53n, 0xcd9e8d57n]
  let [a, b, c, d] = counter.map(BigInt)
  let [x, y] = [BigInt(k0), BigInt(k1)]
  for (let r = 0; r < 10; r++) {
    const p = M[0] * a
    const q = M[1] * c
    ;[a, b, c, d] = [(q >> 32n) ^ b ^ x, q & 0xffffffffn, (p >> 32n) ^ d ^ y, p & 0xffffffffn]
    x = (x + 0x9e3779b9n) & 0xffffffffn
    y = (y + 0xbb67ae85n) & 0xffffffffn
  }
  return [a, b, c, d].map(Number)
}

test('the reference here is Philox: known answers', () => {
  assert.deepEqual(philox([0, 0], [0, 0, 0, 0]), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8])
  const f = 0xffffffff
  assert.deepEqual(philox([f, f], [f, f, f, f]), [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd])
})

test('rand is Philox: the key is the next 64 bits of the generator, element i is word i', async () => {
  torch.manual_seed(11)
  const word = torch
    .empty(1, { dtype: 'int64' })
    .random_(-(2n ** 63n), null)
    .item()
  const key = BigInt.asUintN(64, BigInt(word))
  torch.manual_seed(11)
  const got = await torch.rand(11, on).toArray()
  const want = Array.from({ length: 11 }, (_, i) => {
    const block = philox([Number(key & 0xffffffffn), Number(key >> 32n)], [i >> 2, 0, 0, 0])
    return Math.fround((block[i % 4] >>> 8) * 2 ** -24)
  })
  assert.deepEqual(got, want)
})

test('manual_seed, states and forks hold for the device', async () => {
  const draw = async () => [await torch.rand(5, on).toArray(), await torch.randn(5, on).toArray(), await torch.randperm(9, on).toArray()]
  torch.manual_seed(3)
  const first = await draw()
  torch.manual_seed(3)
  assert.deepEqual(await draw(), first)
  assert.notDeepEqual(await draw(), first)
  const state = torch.get_rng_state()
  const next = await draw()
  torch.set_rng_state(state)
  assert.deepEqual(await draw(), next)
  torch.manual_seed(4)
  assert.notDeepEqual(await draw(), first)
})

test('every distribution has its mean and spread', async () => {
  torch.manual_seed(1)
  const n = 40000
  const stats = async (t) => {
    const x = t.to('float32')
    return [await x.mean().item(), await x.std().item()]
  }
  const near = (got, want, by, what) => got.forEach((g, i) => assert.ok(Math.abs(g - want[i]) < by, `${what}: ${got} is not near ${want}`))
  const e = () => torch.empty(n, on)
  const of = (v) => torch.full([n], v, { ...on, dtype: 'float32' })
  near(await stats(torch.rand(n, on)), [0.5, Math.sqrt(1 / 12)], 0.01, 'rand')
  near(await stats(torch.randn(n, on)), [0, 1], 0.03, 'randn')
  near(await stats(e().uniform_(-2, 4)), [1, Math.sqrt(3)], 0.05, 'uniform_')
  near(await stats(e().normal_(3, 2)), [3, 2], 0.06, 'normal_')
  near(await stats(e().exponential_(2)), [0.5, 0.5], 0.02, 'exponential_')
  near(await stats(e().geometric_(0.25)), [4, Math.sqrt(12)], 0.12, 'geometric_')
  near(await stats(torch.empty(n, { ...on, dtype: 'int64' }).geometric_(0.5)), [2, Math.sqrt(2)], 0.06, 'geometric_ of int64')
  near(await stats(e().log_normal_(0, 0.25)), [Math.exp(0.03125), 0.2625], 0.02, 'log_normal_')
  near([await torch.empty(2000, on).cauchy_(5, 1).median().item()], [5], 0.15, 'cauchy_')
  near(await stats(torch.randint(10, 20, [n], on)), [14.5, Math.sqrt(99 / 12)], 0.06, 'randint')
  near(await stats(e().bernoulli_(0.3)), [0.3, Math.sqrt(0.21)], 0.01, 'bernoulli_')
  near(await stats(torch.bernoulli(of(0.8))), [0.8, 0.4], 0.02, 'bernoulli')
  near(await stats(torch.poisson(of(3))), [3, Math.sqrt(3)], 0.06, 'poisson')
  near(await stats(torch.poisson(of(50))), [50, Math.sqrt(50)], 0.3, 'poisson, large')
  near(await stats(torch.normal(of(1), of(2))), [1, 2], 0.06, 'normal')
  near(await stats(nn.functional.dropout(torch.ones(n, on), 0.25)), [1, Math.sqrt(1 / 3)], 0.02, 'dropout')
  near(await stats(torch.multinomial(torch.tensor([1, 3], on), n, true)), [0.75, Math.sqrt(3 / 16)], 0.01, 'multinomial')
})

test('ends and edges', async () => {
  torch.manual_seed(5)
  for (const dtype of ['float32', 'float16', 'bfloat16']) {
    const x = torch.rand(30000, { ...on, dtype })
    assert.ok((await x.max().item()) < 1 && (await x.min().item()) >= 0, dtype)
  }
  assert.ok((await torch.empty(30000, on).exponential_().min().item()) > 0)
  assert.equal(await torch.empty(1000, on).bernoulli_(1).sum().item(), 1000)
  assert.equal(await torch.empty(1000, on).bernoulli_(0).sum().item(), 0)
  const whole = torch.randint(-5, 5, [3000], on)
  assert.deepEqual([await whole.min().item(), await whole.max().item()], [-5, 4])
  assert.deepEqual(
    (await torch.randperm(257, on).sort().values.toArray()).map(Number),
    Array.from({ length: 257 }, (_, i) => i),
  )
  assert.ok(
    (await torch
      .empty(3000, { ...on, dtype: 'int64' })
      .random_()
      .min()
      .item()) >= 0,
  )
  const drawn = await torch.multinomial(torch.ones(20, on), 20).sort().values.toArray()
  assert.deepEqual(
    drawn.map(Number),
    Array.from({ length: 20 }, (_, i) => i),
  )
  assert.throws(() => torch.randint(0, 2 ** 40, [3], on), /do not fit/)
  await assert.rejects(async () => void (await torch.bernoulli(torch.tensor([0.5, 2], on)).toArray()), /Expected p_in >= 0 && p_in <= 1/)
  await assert.rejects(async () => void (await torch.poisson(torch.tensor([-1], on)).toArray()), /invalid Poisson rate/)
  await assert.rejects(
    async () => void (await torch.multinomial(torch.tensor([-1, 2], on), 1).toArray()),
    /probability tensor contains either/,
  )
  await assert.rejects(
    async () => void (await torch.normal(torch.zeros(2, on), torch.tensor([1, -1], on)).toArray()),
    /all elements of std >= 0/,
  )
})

test('the cpu stream: by choice, or with a generator', async () => {
  torch.webgpu.set_random_stream('cpu')
  assert.equal(torch.webgpu.get_random_stream(), 'cpu')
  torch.manual_seed(8)
  const want = torch.randn(20).toArray()
  torch.manual_seed(8)
  assert.deepEqual(await torch.randn(20, on).toArray(), want)
  torch.manual_seed(8)
  const p = torch.rand(50)
  const bits = torch.bernoulli(p).toArray()
  torch.manual_seed(8)
  torch.rand(50)
  assert.deepEqual(await torch.bernoulli(p.to('webgpu')).toArray(), bits)
  torch.webgpu.set_random_stream('philox')
  const make = () => new torch.Generator().manual_seed(2)
  assert.deepEqual(await torch.rand(7, { ...on, generator: make() }).toArray(), torch.rand(7, { generator: make() }).toArray())
  assert.throws(() => torch.webgpu.set_random_stream('mt'), /expected 'philox' or 'cpu'/)
})
