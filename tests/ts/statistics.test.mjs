// Quantiles, histograms, distances, unique, special functions: edges, forms of JavaScript, derivatives of derivatives.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import torch from 'torch.js'

const { gradcheck, gradgradcheck } = torch.autograd
const leaf = (t) => t.to('float64').detach().requires_grad_()
const rand = (...sizes) => leaf(torch.rand(sizes, { dtype: 'float64' }))
const near = (a, b, tolerance = 1e-12) => assert.ok(Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b)), `${a} is not ${b}`)
const both = (fn, ...inputs) => {
  assert.ok(gradcheck(fn, inputs))
  assert.ok(gradgradcheck(fn, inputs))
}

describe('special functions', () => {
  // From series in 30 digits.
  const known = [
    ['i0', 1, 1.2660658777520084],
    ['i0', 40, 1.4894774793419899e16],
    ['i1', -2.5, -2.5167162452886984],
    ['i0e', 1000, 0.01261724045589126],
    ['i1e', 0.1, 0.045298446808809326],
    ['modified_bessel_k0', 0.1, 2.427069024702017],
    ['modified_bessel_k0', 5, 0.0036910983340425942],
    ['modified_bessel_k1', 1, 0.6019072301972346],
    ['scaled_modified_bessel_k1', 300, 0.0724504816672584],
    ['bessel_j0', 30, -0.08636798358104031],
    ['bessel_y1', 3, 0.3246744247918],
    ['airy_ai', -10, 0.04024123848644319],
    ['airy_ai', 2, 0.03492413042327438],
    ['airy_ai', -3, -0.37881429367765823],
    ['erfcx', 5, 0.1107046377339686],
    ['erfcx', -3, 16205.988853999586],
    ['ndtri', 1e-10, -6.361340902404056],
    ['log_ndtr', -20, -203.9171553710973],
  ]
  for (const [name, x, expected] of known)
    it(`${name}(${x})`, () => near(torch.special[name](torch.tensor(x, { dtype: 'float64' })).item(), expected, 1e-11))

  it('zeta, gammainc, polygamma', () => {
    const t = (v) => torch.tensor(v, { dtype: 'float64' })
    near(torch.special.zeta(t(2), 1).item(), Math.PI ** 2 / 6)
    near(torch.special.gammainc(t(1), t(2)).item(), 1 - Math.exp(-2))
    near(torch.igammac(t(100), t(120)).item(), 0.02786373989052066)
    near(torch.igamma(t(1e6), t(1e6)).item(), 0.5001329807607251, 1e-11)
    near(torch.polygamma(3, t(1)).item(), Math.PI ** 4 / 15)
    near(t(1).polygamma_(1).item(), Math.PI ** 2 / 6)
    assert.throws(() => torch.polygamma(-1, t(1)), /polygamma\(n, x\) does not support negative n/)
  })

  it('have derivatives of derivatives', () => {
    const x = leaf(torch.tensor([-1.5, -0.3, 0.4, 2.2]))
    const positive = leaf(torch.tensor([0.3, 1.4, 2.6]))
    for (const name of ['i0e', 'i1', 'i1e', 'erfcx', 'ndtr', 'log_ndtr']) both(torch.special[name], x)
    both(torch.i0, x)
    both(torch.special.entr, positive)
    both(torch.special.ndtri, leaf(torch.tensor([0.2, 0.5, 0.9])))
    both((a) => torch.polygamma(2, a), positive)
    both(torch.digamma, positive)
    both((a) => torch.mvlgamma(a, 3), leaf(torch.tensor([2.3, 4.1])))
    both(torch.special.xlog1py, positive, leaf(torch.tensor([0.3, 1.4, -0.6])))
    both((q) => torch.special.zeta(torch.tensor([2.5, 3.5, 4], { dtype: 'float64' }), q), positive)
    both((b) => torch.igamma(torch.tensor([0.7, 2.5, 3], { dtype: 'float64' }), b), positive)
  })

  it('are one function under two names', () => {
    assert.equal(torch.special.expit, torch.sigmoid)
    assert.equal(torch.special.gammaln, torch.lgamma)
    assert.equal(torch.special.softmax, torch.softmax)
  })
})

describe('quantile', () => {
  it('interpolates in five ways', () => {
    const x = torch.tensor([1, 2, 3, 4, 7])
    const at = (interpolation) => x.quantile(0.4, { interpolation }).item()
    assert.deepEqual(
      ['linear', 'lower', 'higher', 'midpoint', 'nearest'].map(at).map((v) => Math.round(v * 100) / 100),
      [2.6, 2, 3, 2.5, 3],
    )
  })
  it('is NaN where one is, nanquantile is not', () => {
    const x = torch.tensor([
      [1, NaN, 3],
      [4, 5, 6],
    ])
    assert.deepEqual(x.quantile(0.5, 1).toArray(), [NaN, 5])
    assert.deepEqual(x.nanquantile(torch.tensor([0, 1]), 1).toArray(), [
      [1, 4],
      [3, 6],
    ])
    assert.ok(Number.isNaN(torch.tensor([NaN]).nanquantile(0.5).item()))
  })
  it('refuses', () => {
    assert.throws(() => torch.quantile(torch.ones(2), 1.5), /quantile\(\) q must be in the range \[0, 1\] but got 1.5/)
    assert.throws(() => torch.quantile(torch.ones(0), 0.5), /input tensor must be non-empty/)
  })
  it('has derivatives, by q too', () => both((a, q) => torch.quantile(a, q, 0), rand(5, 2), leaf(torch.tensor([0.3, 0.8]))))
})

describe('histograms', () => {
  it('count', () => {
    assert.deepEqual(torch.histc(torch.tensor([1, 2, 1, NaN]), 4, 0, 3).toArray(), [0, 2, 1, 0])
    const { hist, bin_edges } = torch.histogram(torch.tensor([1, 2, 1]), 4, { range: [0, 3], weight: torch.tensor([1, 2, 4]) })
    assert.deepEqual(hist.toArray(), [0, 5, 2, 0])
    assert.deepEqual(bin_edges.toArray(), [0, 0.75, 1.5, 2.25, 3])
    const [counts] = torch.histogram(torch.tensor([1, 2, 4, 5]), torch.tensor([1, 2, 4]))
    assert.deepEqual(counts.toArray(), [1, 2])
  })
  it('in several dimensions', () => {
    const points = torch.tensor([
      [0, 1],
      [1, 0],
      [2, 0],
      [2, 2],
    ])
    const { hist, bin_edges } = torch.histogramdd(points, [3, 3], { density: true })
    assert.ok(
      torch.allclose(
        hist,
        torch.tensor([
          [0, 0.5625, 0],
          [0.5625, 0, 0],
          [0.5625, 0, 0.5625],
        ]),
      ),
    )
    assert.equal(bin_edges.length, 2)
    assert.deepEqual(torch.histogramdd(points, [torch.tensor([0, 1, 3]), torch.tensor([0, 3])]).hist.toArray(), [[1], [3]])
    assert.throws(() => torch.histogramdd(points, [3]), /The size of bins must be equal to the innermost dimension/)
  })
})

describe('unique', () => {
  it('gives a tensor, or an object of what is asked for', () => {
    const x = torch.tensor([3n, 1n, 3n, 2n])
    assert.deepEqual(torch.unique(x).toArray(), [1, 2, 3])
    const { output, inverse_indices, counts } = x.unique({ return_inverse: true, return_counts: true })
    assert.deepEqual(
      [output, inverse_indices, counts].map((t) => t.toArray()),
      [
        [1, 2, 3],
        [2, 0, 2, 1],
        [1, 1, 2],
      ],
    )
    const [values, numbers] = torch.unique(x, true, false, true)
    assert.deepEqual(
      [values.toArray(), numbers.toArray()],
      [
        [1, 2, 3],
        [1, 1, 2],
      ],
    )
  })
  it('of slices', () => {
    const x = torch.tensor([
      [1, 2],
      [1, 2],
      [0, 5],
    ])
    const all = x.unique({ dim: 0, return_inverse: true, return_counts: true })
    assert.deepEqual(
      [...all].map((t) => t.toArray()),
      [
        [
          [0, 5],
          [1, 2],
        ],
        [1, 1, 0],
        [1, 2],
      ],
    )
    assert.deepEqual(x.unique_consecutive({ dim: 0 }).toArray(), [
      [1, 2],
      [0, 5],
    ])
    assert.throws(() => torch.unique(torch.ones(3, 0), { dim: 0 }), /There are 0 sized dimensions/)
    const many = torch.randint(0, 3, [1000, 3])
    assert.equal(many.unique({ dim: 0 }).shape[0], 27)
  })
  it('consecutive', () => {
    const x = torch.tensor([1, 1, 2, 2, 1])
    const { output, counts } = torch.unique_consecutive(x, { return_counts: true })
    assert.deepEqual(
      [output.toArray(), counts.toArray()],
      [
        [1, 2, 1],
        [2, 2, 1],
      ],
    )
    assert.throws(() => torch.unique(x, { sort: true }), /unexpected keyword argument 'sort'/)
  })
})

describe('distances', () => {
  for (const p of [0.5, 1, 1.5, 2, 3, Infinity])
    it(`cdist and pdist with p = ${p} have derivatives of derivatives`, () => {
      both((a, b) => torch.cdist(a, b, p), rand(2, 3, 4), rand(5, 4))
      both((a) => torch.pdist(a, p), rand(4, 3))
    })
  it('of equal rows have the derivative 0', () => {
    const a = leaf(
      torch.tensor([
        [1, 2],
        [1, 2],
      ]),
    )
    torch.cdist(a, a).sum().backward()
    assert.deepEqual(a.grad.toArray(), [
      [0, 0],
      [0, 0],
    ])
  })
  it('of many rows go through a matrix product', () => {
    const a = torch.rand(40, 3, { dtype: 'float64' })
    const [product, plain] = ['use_mm_for_euclid_dist', 'donot_use_mm_for_euclid_dist'].map((compute_mode) =>
      torch.cdist(a, a.add(0.5), { p: 2, compute_mode }),
    )
    assert.ok(torch.allclose(product, plain))
    assert.throws(() => torch.cdist(a, a, 2, 'x'), /x is not a valid value for compute_mode/)
    assert.throws(
      () => torch.cdist(a, torch.ones(2, 4, { dtype: 'float64' })),
      /X1 and X2 must have the same number of columns. X1: 3 X2: 4/,
    )
  })
  it('cross and renorm', () => {
    both((a, b) => torch.linalg.cross(a, b), rand(2, 3), rand(1, 3))
    both((a) => torch.renorm(a, 2, 0, 0.7), rand(3, 4))
    assert.deepEqual(torch.cross(torch.tensor([1, 0, 0]), torch.tensor([0, 1, 0])).toArray(), [0, 0, 1])
  })
})

describe('samples of functions', () => {
  it('trapezoid, cumulative_trapezoid, gradient have derivatives', () => {
    both((y, x) => torch.trapezoid(y, x), rand(2, 4), rand(4))
    both((y) => torch.cumulative_trapezoid(y, { dx: 0.5, dim: 0 }), rand(4, 2))
    both((y) => torch.gradient(y, { edge_order: 2 })[1], rand(3, 4))
    both((y, x) => torch.gradient(y, { spacing: [x], dim: 0, edge_order: 2 })[0], rand(4, 2), leaf(torch.tensor([0, 0.5, 2, 2.7])))
  })
  it('cov and corrcoef', () => {
    both((a) => torch.cov(a), rand(3, 5))
    both((a) => torch.corrcoef(a), rand(2, 4))
    const x = torch.tensor([
      [0, 2],
      [1, 1],
      [2, 0],
    ]).T
    assert.deepEqual(torch.cov(x).toArray(), [
      [1, -1],
      [-1, 1],
    ])
  })
})

describe('repetition and places', () => {
  it('repeat_interleave', () => {
    const x = torch.tensor([
      [1, 2],
      [3, 4],
    ])
    assert.deepEqual(x.repeat_interleave(2).toArray(), [1, 1, 2, 2, 3, 3, 4, 4])
    assert.deepEqual(torch.repeat_interleave(x, torch.tensor([1n, 2n]), 0).toArray(), [
      [1, 2],
      [3, 4],
      [3, 4],
    ])
    assert.deepEqual(torch.repeat_interleave(torch.tensor([0n, 2n, 1n])).toArray(), [1, 1, 2])
    assert.throws(() => torch.repeat_interleave(x, -1), /Repeats must be non-negative/)
    both((a) => a.repeat_interleave(torch.tensor([2n, 0n, 1n]), 1), rand(2, 3))
  })
  it('index_reduce has derivatives', () => {
    const index = torch.tensor([0n, 2n, 0n])
    for (const reduce of ['prod', 'mean', 'amax', 'amin'])
      for (const include_self of [true, false])
        both((a, b) => torch.index_reduce(a, 0, index, b, reduce, { include_self }), rand(4, 2), rand(3, 2))
  })
  it('unravel_index, nonzero_static, frexp, equal', () => {
    const [rows, columns] = torch.unravel_index(torch.tensor([5n, 2n]), [2, 3])
    assert.deepEqual(
      [rows.toArray(), columns.toArray()],
      [
        [1, 0],
        [2, 2],
      ],
    )
    assert.deepEqual(torch.nonzero_static(torch.tensor([0, 1, 1]), { size: 3 }).toArray(), [[1], [2], [-1]])
    const { mantissa, exponent } = torch.frexp(torch.tensor([8, -0.75, 0, Infinity]))
    assert.deepEqual(
      [mantissa.toArray(), exponent.toArray()],
      [
        [0.5, -0.75, 0, Infinity],
        [4, 0, 0, 0],
      ],
    )
    assert.equal(exponent.dtype, 'int32')
    assert.equal(torch.equal(torch.ones(2), torch.ones(2)), true)
    assert.equal(torch.equal(torch.ones(2), torch.ones(2, 1)), false)
  })
})

describe('shapes and settings', () => {
  it('broadcast_shapes', () => {
    assert.deepEqual(torch.broadcast_shapes([2, 1], 3), [2, 3])
    assert.deepEqual(torch.broadcast_shapes(), [])
    assert.throws(() => torch.broadcast_shapes([2, 3], [4]), /Mismatching argument at index 1 had \(4,\)/)
    assert.equal(torch.canBroadcastTo([1, 3], [2, 3]), true)
    assert.equal(torch.canBroadcastTo([2], [3]), false)
    assert.equal(torch.needsBroadcast([1, 3], [2, 3]), true)
  })
  it('remember', () => {
    torch.use_deterministic_algorithms(true, { warn_only: true })
    assert.equal(torch.get_deterministic_debug_mode(), 1)
    torch.set_deterministic_debug_mode('default')
    assert.equal(torch.are_deterministic_algorithms_enabled(), false)
    assert.throws(() => torch.set_deterministic_debug_mode(5), /expected 0, 1, or 2, but got 5/)
    torch.set_float32_matmul_precision('high')
    assert.equal(torch.get_float32_matmul_precision(), 'high')
    torch.set_float32_matmul_precision('highest')
    assert.equal(String(torch.get_default_device()), 'cpu')
    assert.throws(() => torch.set_default_device('x'))
    assert.equal(torch.is_nonzero(torch.tensor([2])), true)
    assert.throws(() => torch.is_nonzero(torch.ones(2)), /Boolean value of Tensor with more than one value is ambiguous/)
  })
})
