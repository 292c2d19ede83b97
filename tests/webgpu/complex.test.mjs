// complex64 on the device: two words an element. Parts are views, arithmetic and gradients are the cpu's, transforms of any length agree with it.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import torch from 'torch.js'

before(async () => {
  await torch.webgpu.init()
  torch.manual_seed(3)
})

const complex = (...sizes) => torch.randn(sizes, { dtype: 'complex64' })
const there = (x) => x.to('webgpu')

/** f of tensors of the device gives what it gives of those of the cpu, as large as `size` numbers are. */
async function agrees(name, f, inputs, size = 1) {
  const want = f(...inputs)
  const got = await f(...inputs.map(there)).cpu()
  assert.equal(got.dtype, want.dtype, name)
  assert.deepEqual(got.shape, want.shape, name)
  if (want.numel() === 0) return
  const off = got.sub(want).abs().max().item()
  assert.ok(off <= 4e-6 * size, `${name}: off by ${off}`)
}

test('parts are views of one buffer', async () => {
  const x = complex(3, 4)
  const d = there(x)
  const pairs = torch.view_as_real(d)
  assert.deepEqual(pairs.shape, [3, 4, 2])
  torch.imag(d).fill_(2)
  torch.real(d).select(0, 0).mul_(3)
  pairs.select(0, 1).zero_()
  torch.imag(x).fill_(2)
  torch.real(x).select(0, 0).mul_(3)
  torch.view_as_real(x).select(0, 1).zero_()
  assert.deepEqual(await d.toArray(), x.toArray())
  assert.deepEqual(await pairs.toArray(), torch.view_as_real(x).toArray())
  const y = torch.view_as_complex(there(torch.arange(12, { dtype: 'float32' })).view(2, 3, 2))
  assert.deepEqual(await y.t().contiguous().toArray(), [
    [
      { re: 0, im: 1 },
      { re: 6, im: 7 },
    ],
    [
      { re: 2, im: 3 },
      { re: 8, im: 9 },
    ],
    [
      { re: 4, im: 5 },
      { re: 10, im: 11 },
    ],
  ])
  // written as numbers, read as pairs, all in one chain
  const z = torch.zeros(8, { device: 'webgpu', dtype: 'complex64' })
  const parts = torch.view_as_real(z)
  z.add_({ re: 1, im: -2 })
  parts.mul_(2)
  z.mul_({ re: 0, im: 1 })
  assert.deepEqual((await z.toArray())[7], { re: 4, im: 2 })
})

test('arithmetic, broadcasting, conversions, indexing', async () => {
  const x = complex(5, 7)
  const y = complex(7)
  const r = torch.randn([5, 1])
  const places = torch.tensor([4, 0, 2], { dtype: 'int64' })
  const cases = {
    chain: () => (a, b) =>
      a
        .mul(b)
        .add(a, { alpha: { re: 0.5, im: 2 } })
        .exp()
        .div(b)
        .conj(),
    real: () => (a, b) => a.mul(there(r).device === b.device ? there(r) : r),
    abs: () => (a) => a.abs().add(a.angle()),
    bool: () => (a) => a.eq(a.t().contiguous().t()).logical_xor(a.isnan()).to('int32'),
    where: () => (a, b) => torch.where(a.abs().gt(1), a, b),
    pow: () => (a) => a.pow(3).add(a.pow({ re: 0.5, im: 1 })),
    sums: () => (a) => a.sum(0).add(a.mean(0)).mul(a.prod(0)),
    norm: () => (a) => torch.linalg.vector_norm(a, 2, [1]),
    cat: () => (a, b) =>
      torch
        .cat([a, b.unsqueeze(0)], 0)
        .flip(1)
        .roll(2, 0),
    select: () => (a) => a.index_select(0, a.device === 'cpu' ? places : there(places)),
    cumsum: () => (a) => a.cumsum(1).tril(),
    half: () => (a) => torch.real(a).to('float16').to('complex64'),
    pad: () => (a) => torch.nn.functional.pad(a.unsqueeze(0), [2, 1], { mode: 'reflect' }),
    turned: () => (a) => a.unsqueeze(0).expand(40, 5, 7).permute(2, 1, 0).contiguous(),
  }
  for (const [name, make] of Object.entries(cases)) {
    const f = make()
    await agrees(name, f, f.length === 1 ? [x] : [x, y], 40)
  }
})

test('products of matrices', async () => {
  for (const [m, k, n] of [
    [3, 4, 5],
    [130, 200, 70],
    [1, 300, 90],
    [16, 3000, 8],
  ])
    await agrees(`${m} ${k} ${n}`, (a, b) => a.mm(b), [complex(m, k), complex(k, n)], Math.sqrt(k))
  const [a, b, c] = [complex(2, 9, 33), complex(2, 33, 4), complex(2, 9, 4)]
  await agrees('bmm', (a, b) => torch.bmm(a.conj(), b), [a, b], 10)
  await agrees('turned', (a, b) => torch.bmm(b.mT, a.mT), [a, b], 10)
  await agrees('baddbmm', (a, b, c) => torch.baddbmm(c, a, b, { alpha: { re: 0.5, im: 1 }, beta: { re: 2, im: -1 } }), [a, b, c], 20)
  await agrees('vdot', (a, b) => torch.vdot(a.select(0, 0).select(0, 0), b.select(0, 0).select(1, 2)), [a, b], 10)
})

test('transforms of short and long lengths, powers of two and primes', async () => {
  for (const n of [1, 30, 97]) {
    const x = complex(n)
    await agrees(`fft ${n}`, (x) => torch.fft.fft(x), [x], Math.sqrt(n))
    await agrees(`ifft ${n}`, (x) => torch.fft.ifft(x, { norm: 'ortho' }), [x])
    await agrees(`rfft ${n}`, (x) => torch.fft.rfft(torch.real(x)), [x], Math.sqrt(n))
    await agrees(`irfft ${n}`, (x) => torch.fft.irfft(x, { n, norm: 'ortho' }), [x])
  }
  for (const n of [1024, 5005, 2 ** 16, 2 ** 17]) await agrees(`fft ${n}`, (x) => torch.fft.fft(x), [complex(n)], Math.sqrt(n))
  await agrees('prime', (x) => torch.fft.fft(x), [complex(10007)], 100)
  const x = complex(3, 50, 6)
  await agrees('middle', (x) => torch.fft.fft(x, { dim: 1 }), [x], 8)
  await agrees('longer', (x) => torch.fft.fft(x, { n: 1500, dim: 1 }), [x], 8)
  await agrees('shorter', (x) => torch.fft.ifft(x, { n: 34, dim: 1 }), [x])
  await agrees('prime in the middle', (x) => torch.fft.irfft(x, { n: 53, dim: 1 }), [x])
  await agrees('all', (x) => torch.fft.fftshift(torch.fft.fftn(x)), [x], 30)
  await agrees('half of all', (x) => torch.fft.irfft2(torch.fft.rfft2(torch.real(x))), [x])
  await agrees('hfft', (x) => torch.fft.hfft(x, { dim: 1 }), [x], 10)
})

test('gradients', async () => {
  const x = complex(4, 34)
  const gradient = (x, f) => {
    const leaf = x.detach().requires_grad_()
    f(leaf).abs().pow(2).sum().backward()
    return leaf.grad
  }
  for (const [name, f] of Object.entries({
    fft: (a) => torch.fft.fft(a, { n: 21 }),
    ifft: (a) => torch.fft.ifft(a, { n: 40, norm: 'ortho' }),
    rfft: (a) => torch.fft.rfft(torch.real(a)),
    irfft: (a) => torch.fft.irfft(a),
    product: (a) => a.mm(a.mT).tanh(),
    parts: (a) => torch.view_as_complex(torch.view_as_real(a).mul(2)).sqrt(),
    gather: (a) => torch.cat([a.select(0, 1), a.select(0, 3).conj()]).cumprod(0),
  }))
    await agrees(name, (a) => gradient(a, f), [x], 2000)
})

test('stft and back', async () => {
  const signal = torch.randn([2, 600])
  const window = torch.signal.windows.hann(64, { sym: false })
  const spectrum = (x) => torch.stft(x, 64, { hop_length: 16, window: x.device === 'cpu' ? window : there(window), return_complex: true })
  await agrees('stft', spectrum, [signal], 10)
  const back = (x) => torch.istft(spectrum(x), 64, { hop_length: 16, window: x.device === 'cpu' ? window : there(window), length: 600 })
  await agrees('istft', back, [signal])
})

test('what has no kernel of complex numbers says so', () => {
  const x = there(complex(3, 3))
  assert.throws(() => torch.linalg.inv(x), /no kernel .*of complex numbers.* on the device webgpu/)
  assert.throws(() => torch.linalg.eig(x), /webgpu/)
  assert.throws(() => x.to('complex128'), /doesn't support complex128\. Please use complex64 instead/)
})
