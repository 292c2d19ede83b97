// Kernels that work on vectors, in pieces or on several threads, against plain loops: lengths around the vectors' own, any thread count.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import torch from 'torch.js'

const F = torch.nn.functional
const list = (t) => t.flatten().tolist()
const near = (a, b, tolerance = 1e-6) => {
  assert.equal(a.length, b.length)
  for (let i = 0; i < a.length; i++)
    assert.ok(Object.is(a[i], b[i]) || Math.abs(a[i] - b[i]) <= tolerance * Math.max(1, Math.abs(b[i])), `${i}: ${a[i]} is not ${b[i]}`)
}
const LENGTHS = [1, 15, 16, 17, 63, 64, 65, 130, 1000]

/* The same elements with one thread and with three. */
function anyThreads(run) {
  const before = torch.get_num_threads()
  torch.set_num_threads(1)
  const one = run()
  torch.set_num_threads(3)
  const three = run()
  torch.set_num_threads(before)
  assert.ok(torch.equal(one, three))
  return one
}

describe('bytes and halves', () => {
  for (const [dtype, wrap] of [
    ['uint8', (v) => v & 255],
    ['int8', (v) => (v << 24) >> 24],
  ])
    it(`${dtype}: arithmetic, comparison, bits`, () => {
      for (const n of LENGTHS) {
        const a = torch.randint(0, 120, [n], { dtype }),
          b = torch.randint(0, 120, [n], { dtype })
        const x = list(a),
          y = list(b)
        const is = (t, fn) =>
          assert.deepEqual(
            list(t),
            x.map((v, i) => fn(v, y[i])),
          )
        is(a.add(b), (v, w) => wrap(v + w))
        is(a.add(b, { alpha: 3 }), (v, w) => wrap(v + 3 * w))
        is(a.sub(5), (v) => wrap(v - 5))
        is(a.mul(b), (v, w) => wrap(v * w))
        is(torch.maximum(a, b), (v, w) => Math.max(v, w))
        is(torch.bitwise_xor(a, b), (v, w) => wrap(v ^ w))
        is(torch.bitwise_not(a), (v) => wrap(~v))
        is(a.lt(b), (v, w) => v < w)
        is(a.eq(b), (v, w) => v === w)
        is(a.clamp(20, 90), (v) => Math.min(Math.max(v, 20), 90))
        assert.equal(
          a.sum().item(),
          x.reduce((s, v) => s + v, 0),
        )
        assert.equal(a.amax().item(), Math.max(...x))
      }
    })
  it('float16: arithmetic and conversion', () => {
    for (const n of LENGTHS) {
      const a = torch.randn([n]).to('float16'),
        b = torch.randn([n]).to('float16')
      const rounded = (t) => list(t.to('float16'))
      const x = a.to('float32'),
        y = b.to('float32')
      assert.deepEqual(list(a.add(b)), rounded(x.add(y)))
      assert.deepEqual(list(a.sub(b, { alpha: 2 })), rounded(x.sub(y, { alpha: 2 })))
      assert.deepEqual(list(a.mul(b)), rounded(x.mul(y)))
      assert.deepEqual(list(a.div(b)), rounded(x.div(y)))
      assert.deepEqual(list(a.neg()), rounded(x.neg()))
    }
  })
})

describe('places', () => {
  it('gather, scatter_add and take, long and across', () => {
    const m = torch.randn([37, 3000]),
      index = torch.randint(0, 37, [37, 3000])
    const x = m.tolist(),
      at = index.tolist()
    assert.deepEqual(
      anyThreads(() => m.gather(0, index)).tolist(),
      at.map((row) => row.map((k, c) => x[k][c])),
    )
    const sums = Array.from({ length: 37 }, () => new Array(3000).fill(0))
    at.forEach((row, r) => row.forEach((k, c) => (sums[k][c] = Math.fround(sums[k][c] + x[r][c]))))
    assert.deepEqual(anyThreads(() => torch.zeros([37, 3000]).scatter_add(0, index, m)).tolist(), sums)
    const along = torch.randint(0, 3000, [37, 3000]),
      places = along.tolist()
    assert.deepEqual(
      anyThreads(() => m.gather(1, along)).tolist(),
      places.map((row, r) => row.map((k) => x[r][k])),
    )
    const flat = x.flat(),
      some = torch.randint(-flat.length, flat.length, [5000])
    assert.deepEqual(
      list(anyThreads(() => m.take(some))),
      list(some).map((k) => flat.at(k)),
    )
    assert.deepEqual(
      anyThreads(() => m.index_select(1, along.select(0, 0))).tolist(),
      x.map((row) => places[0].map((k) => row[k])),
    )
  })
  it('an index that is no place is named', () => {
    const index = torch.zeros([5000], { dtype: 'int64' })
    const bad = torch.cat([index.narrow(0, 0, 4321), torch.tensor([9, -3], { dtype: 'int64' }), index.narrow(0, 0, 10)])
    assert.throws(() => torch.randn([9]).gather(0, bad), /index 9 is out of bounds for dimension 0 with size 9/)
    assert.throws(() => torch.zeros([9]).scatter_add(0, bad, torch.ones([4333])), /index 9 is out of bounds for dimension 0 with size 9/)
  })
  it('nonzero, bincount and histc', () => {
    const m = torch.rand([50, 7, 300]).gt(0.7)
    const expected = []
    m.tolist().forEach((p, a) => p.forEach((r, b) => r.forEach((v, c) => v && expected.push([a, b, c]))))
    assert.deepEqual(anyThreads(() => m.nonzero()).tolist(), expected)
    const numbers = torch.randint(0, 50, [300000]),
      counts = new Array(60).fill(0)
    list(numbers).forEach((v) => counts[v]++)
    assert.deepEqual(list(anyThreads(() => torch.bincount(numbers, null, 60))), counts)
    const x = torch.rand([300001]),
      bins = new Array(16).fill(0)
    list(x).forEach((v) => bins[Math.min(15, Math.floor(Math.fround(v * 16)))]++)
    assert.deepEqual(list(anyThreads(() => torch.histc(x, 16, 0, 1))), bins)
    assert.equal(
      torch
        .histc(torch.cat([x, torch.tensor([NaN, -1, 2])]), 16, 0, 1)
        .sum()
        .item(),
      300001,
    )
  })
})

describe('order and sequences', () => {
  it('flip and roll', () => {
    for (const dtype of ['uint8', 'int16', 'float32', 'float64', 'complex128'])
      for (const n of LENGTHS) {
        const m = torch.randint(0, 100, [3, n]).to(dtype)
        const rows = m.to('float64').tolist()
        const is = (t, fn) => assert.deepEqual(t.to('float64').tolist(), rows.map(fn))
        is(m.flip(1), (r) => [...r].reverse())
        for (const shift of [3, -40, n]) is(m.roll(shift, 1), (r) => r.map((_, i) => r[(((i - shift) % n) + n) % n]))
      }
  })
  it('linspace', () => {
    const n = 100001
    for (const [dtype, tolerance] of [
      ['float32', 1e-6],
      ['float64', 1e-14],
      ['bfloat16', 1e-2],
    ]) {
      const t = anyThreads(() => torch.linspace(-3, 5, n, { dtype }))
      near(
        list(t),
        Array.from({ length: n }, (_, i) => -3 + (8 * i) / (n - 1)),
        tolerance,
      )
      assert.equal(t.select(0, 0).item(), -3)
      assert.equal(t.select(0, n - 1).item(), 5)
    }
    assert.deepEqual(list(torch.linspace(0, 10, 5, { dtype: 'int64' })), [0, 2, 5, 7, 10])
  })
  it('cumprod and logcumsumexp of lines', () => {
    for (const rows of [1, 4, 5, 33])
      for (const n of [1, 7, 8, 21, 70]) {
        const m = torch.rand([rows, n], { dtype: 'float64' }).add(0.5)
        const products = m.tolist().map((r) =>
          r.map(
            (
              (p) => (v) =>
                (p *= v)
            )(1),
          ),
        )
        for (const [dtype, tolerance] of [
          ['float64', 1e-14],
          ['float32', 1e-4],
          ['float16', 0.1],
        ])
          near(list(m.to(dtype).cumprod(1)), products.flat(), tolerance)
        const logs = m.tolist().map((r) =>
          r.map(
            (
              (s) => (v) =>
                Math.log((s += Math.exp(v)))
            )(0),
          ),
        )
        near(list(m.logcumsumexp(1)), logs.flat(), 1e-13)
      }
    assert.deepEqual(list(torch.tensor([-Infinity, -Infinity, 0, Infinity, 1]).logcumsumexp(0)), [
      -Infinity,
      -Infinity,
      0,
      Infinity,
      Infinity,
    ])
    assert.deepEqual(list(torch.tensor([1, NaN, 2]).logcumsumexp(0)).slice(1), [NaN, NaN])
  })
  it('extremes and products of rows, NaN included', () => {
    for (const n of [127, 128, 200, 1000]) {
      const m = torch.randn([3, n])
      near(
        list(m.amax(1)),
        m.tolist().map((r) => Math.max(...r)),
      )
      near(
        list(m.amin(1)),
        m.tolist().map((r) => Math.min(...r)),
      )
      for (const at of [0, 70, n - 1]) {
        const some = m.clone()
        some.narrow(1, at, 1).fill_(NaN)
        assert.deepEqual(list(some.amax(1)), [NaN, NaN, NaN])
      }
      near([m.abs().add(0.5).prod().item()], [list(m.abs().add(0.5)).reduce((p, v) => Math.fround(p * v), 1)], 1e-2)
    }
  })
})

describe('interpolation, pooling, losses', () => {
  const linear = (row, size, scale) =>
    Array.from({ length: size }, (_, o) => {
      const at = Math.max(0, (o + 0.5) / scale - 0.5),
        i = Math.floor(at)
      return row[i] * (1 - (at - i)) + row[Math.min(i + 1, row.length - 1)] * (at - i)
    })
  it('lines of any length and scale', () => {
    for (const n of [1, 5, 16, 33, 70, 200])
      for (const scale of [2, 3, 1.5, 0.5]) {
        const size = Math.floor(n * scale)
        if (!size) continue
        const x = torch.randn([1, 3, n]),
          rows = x.select(0, 0).tolist()
        near(
          list(anyThreads(() => F.interpolate(x, { scale_factor: scale, mode: 'linear' }))),
          rows.flatMap((r) => linear(r, size, scale)),
          1e-4,
        )
        near(
          list(F.interpolate(x, { scale_factor: scale })),
          rows.flatMap((r) => Array.from({ length: size }, (_, o) => r[Math.min(n - 1, Math.floor(o / scale))])),
        )
        // The gradient is the transposed map: <y, A x> = <A'y, x>.
        for (const mode of ['nearest', 'linear']) {
          const leaf = x.detach().clone().requires_grad_()
          const out = F.interpolate(leaf, { scale_factor: scale, mode }),
            y = torch.randn(out.shape)
          const [grad] = torch.autograd.grad([out], [leaf], [y])
          near([grad.mul(x).sum().item()], [out.detach().mul(y).sum().item()], 1e-3)
        }
      }
  })
  it('wide windows', () => {
    const x = torch.rand([1, 2, 90, 70])
    const naive = x
      .select(0, 0)
      .tolist()
      .flatMap((plane) => {
        const out = []
        for (let a = 0; a < 3; a++)
          for (let b = 0; b < 3; b++) {
            const h = [30 * a, 30 * (a + 1)],
              w = [Math.floor((b * 70) / 3), Math.ceil(((b + 1) * 70) / 3)]
            let sum = 0
            for (let i = h[0]; i < h[1]; i++) for (let j = w[0]; j < w[1]; j++) sum += plane[i][j]
            out.push(sum / ((h[1] - h[0]) * (w[1] - w[0])))
          }
        return out
      })
    near(list(F.adaptive_avg_pool2d(x, 3)), naive, 1e-5)
  })
  it('a loss in one pass is the mean of the losses', () => {
    for (const n of [1, 100, 70000, 200001]) {
      const a = torch.rand([n]),
        b = torch.rand([n])
      for (const loss of ['mse_loss', 'l1_loss', 'huber_loss', 'binary_cross_entropy', 'binary_cross_entropy_with_logits']) {
        const each = F[loss](a, b, { reduction: 'none' }).to('float64')
        near([anyThreads(() => F[loss](a, b)).item()], [each.mean().item()], 1e-6)
        near([F[loss](a, b, { reduction: 'sum' }).item()], [each.sum().item()], 1e-6)
        near([F[loss](a.clone().requires_grad_(), b).item()], [each.mean().item()], 1e-6)
      }
      const each = F.smooth_l1_loss(a, b, { beta: 0.3, reduction: 'none' }).to('float64')
      near([F.smooth_l1_loss(a, b, { beta: 0.3 }).item()], [each.mean().item()], 1e-6)
      const y = list(b)
      const naive = list(a).map((v, i) => {
        const d = Math.abs(v - y[i])
        return d < 0.3 ? (0.5 * d * d) / 0.3 : d - 0.15
      })
      near(list(each), naive, 1e-5)
    }
  })
})

describe('values that all places share', () => {
  for (const [sizes, dim] of [
    [[9], 0],
    [[100, 40], 0],
    [[3, 100, 40], 1],
    [[3, 4, 50], 2],
  ])
    it(`are as good as a copy for each: [${sizes}], dim ${dim}`, () => {
      const index = torch.randint(0, sizes[dim], [1000]),
        one = torch.randint(0, 9, sizes.with(dim, 1)).to('float32'),
        shared = one.expand(sizes.with(dim, 1000)),
        self = torch.randn(sizes)
      for (const name of ['index_add', 'index_copy'])
        assert.ok(
          torch.equal(
            anyThreads(() => self[name](dim, index, shared)),
            self[name](dim, index, shared.clone().contiguous()),
          ),
          name,
        )
    })
  it('in the gradient of an embedding', () => {
    const weight = torch.randn(70, 33, { requires_grad: true }),
      rows = torch.randint(0, 70, [40, 50])
    F.embedding(rows, weight).sum().backward()
    const counts = torch.bincount(rows.flatten(), null, 70)
    assert.ok(torch.equal(weight.grad, counts.to('float32').unsqueeze(1).expand(70, 33)))
  })
})

describe('joining', () => {
  for (const [sizes, dim] of [
    [[[100000], [1], [70001], [0], [3]], 0],
    [
      [
        [300, 200],
        [1, 200],
        [400, 200],
      ],
      0,
    ],
    [
      [
        [700, 100],
        [700, 1],
        [700, 90],
        [700, 33],
      ],
      1,
    ],
    [
      [
        [3000, 2],
        [3000, 3],
      ],
      1,
    ],
    [
      [
        [5, 20, 300],
        [5, 1, 300],
        [5, 60, 300],
      ],
      1,
    ],
    [Array.from({ length: 50 }, () => [1, 3, 40]), 0],
  ])
    it(`${sizes.length} tensors from [${sizes[0]}], dim ${dim}`, () => {
      const parts = sizes.map((s) => torch.randn(s)),
        total = sizes.reduce((n, s) => n + s[dim], 0)
      const joined = anyThreads(() => torch.cat(parts, dim))
      assert.deepEqual(joined.shape, sizes[0].with(dim, total))
      let at = 0
      for (const part of parts) {
        assert.ok(torch.equal(joined.narrow(dim, at, part.shape[dim]), part))
        at += part.shape[dim]
      }
      // operands that lie otherwise, or are of another dtype, give the same
      const turned = parts.map((p) => p.transpose(0, -1).contiguous().transpose(0, -1))
      assert.ok(torch.equal(torch.cat(turned, dim), joined))
      assert.ok(torch.equal(torch.cat([parts[0].to('float64'), ...parts.slice(1)], dim), joined.to('float64')))
    })
})
