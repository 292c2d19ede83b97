// Normalisation: values, statistics and gradients beside the plain formulas in float64, whatever the sizes, the parameters and the threads; derivatives
// of both orders.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import torch from 'torch.js'

const F = torch.nn.functional
const { gradcheck, gradgradcheck } = torch.autograd

/* Each kind: the sizes, the function of x, weight and bias, the sizes of these, and how a tensor looks to the plain formulas: its sizes with the groups as
 * dimensions of their own, what a mean is over, and the weight's sizes there. */
const batch = (...sizes) => ({
  name: `batch_norm ${sizes}`,
  sizes,
  parameter: [sizes[1]],
  norm: (x, w, b, training = true, mean = null, variance = null) =>
    F.batch_norm(x, mean, variance, { weight: w, bias: b, training, momentum: 0.25, eps: 1e-3 }),
  view: sizes,
  over: sizes.map((_, i) => i).filter((i) => i !== 1),
  shared: sizes.map((n, i) => (i === 1 ? n : 1)),
})
const layer = (normalized, ...sizes) => ({
  name: `layer_norm ${sizes} over ${normalized}`,
  sizes,
  parameter: normalized,
  norm: (x, w, b) => F.layer_norm(x, normalized, { weight: w, bias: b, eps: 1e-3 }),
  view: sizes,
  over: normalized.map((_, i) => i - normalized.length),
  shared: normalized,
})
const group = (groups, ...sizes) => ({
  name: `group_norm ${sizes} in ${groups}`,
  sizes,
  parameter: [sizes[1]],
  norm: (x, w, b) => F.group_norm(x, groups, { weight: w, bias: b, eps: 1e-3 }),
  view: [sizes[0], groups, sizes[1] / groups, ...sizes.slice(2)],
  over: sizes.map((_, i) => i + 1).filter((i) => i > 1),
  shared: [1, groups, sizes[1] / groups, ...sizes.slice(2).map(() => 1)],
})
const KINDS = [
  batch(8, 3, 16, 17),
  batch(3, 2, 50, 50),
  batch(8, 5, 3, 3),
  batch(4, 7, 300),
  batch(1, 3, 600),
  batch(40, 70),
  batch(50, 9, 1),
  batch(20, 6, 1, 1),
  layer([70], 300, 70),
  layer([300], 5, 300),
  layer([3, 5], 2, 7, 3, 5),
  layer([1000], 129, 1000),
  group(1, 2, 6, 4, 5),
  group(3, 3, 6, 11),
  group(6, 1, 6, 40),
  group(2, 5, 4, 9, 9),
]

function plain(kind, x, w, b) {
  const v = x.to('float64').reshape(kind.view)
  const centred = v.sub(v.mean(kind.over, { keepdim: true }))
  let y = centred.div(centred.mul(centred).mean(kind.over, { keepdim: true }).add(1e-3).sqrt())
  if (w) y = y.mul(w.to('float64').reshape(kind.shared))
  if (b) y = y.add(b.to('float64').reshape(kind.shared))
  return y.reshape(kind.sizes)
}

const near = (a, b, what) => {
  const error = a.to('float64').sub(b.to('float64')).abs().max().item()
  const scale = Math.max(1, b.abs().max().item())
  assert.ok(error <= 2e-5 * scale, `${what}: ${error} of ${scale}`)
}

const given = (kind, dtype, offset = 0) => {
  torch.manual_seed(3)
  const leaf = (sizes) => torch.randn(sizes, { dtype }).add(offset).requires_grad_(true)
  return [leaf(kind.sizes), leaf(kind.parameter), leaf(kind.parameter)]
}

/* y and its gradients for the tensors that there are. */
function results(fn, inputs, grad) {
  const y = fn(...inputs)
  return [y, ...torch.autograd.grad([y], inputs.filter(Boolean), { grad_outputs: [grad.to(y.dtype)] })]
}

for (const kind of KINDS)
  describe(kind.name, () => {
    for (const [what, choose] of [
      ['weight and bias', (x, w, b) => [x, w, b]],
      ['weight', (x, w) => [x, w, null]],
      ['bias', (x, w, b) => [x, null, b]],
      ['no parameters', (x) => [x, null, null]],
    ])
      it(`${what}: as the formulas say, on any threads`, () => {
        const inputs = choose(...given(kind, 'float32', 1))
        const grad = torch.randn(kind.sizes)
        const expected = results((...a) => plain(kind, ...a), inputs, grad)
        const threads = torch.get_num_threads()
        let first
        for (const n of [1, 2, 3]) {
          torch.set_num_threads(n)
          const got = results(kind.norm, inputs, grad)
          first ??= got
          got.forEach((t, i) => assert.ok(torch.equal(t.detach(), first[i].detach()), `${i} on ${n} threads`))
        }
        torch.set_num_threads(threads)
        first.forEach((t, i) => near(t.detach(), expected[i].detach(), `${what} ${i}`))
      })

    it('gradients of some of the three are those of all', () => {
      const [x, w, b] = given(kind, 'float32')
      const grad = torch.randn(kind.sizes)
      const all = results(kind.norm, [x, w, b], grad).slice(1)
      for (let mask = 1; mask < 7; mask++) {
        const inputs = [x, w, b].map((t, i) => (mask & (1 << i) ? t : t.detach()))
        const wanted = inputs.filter((_, i) => mask & (1 << i))
        const got = torch.autograd.grad([kind.norm(...inputs)], wanted, { grad_outputs: [grad] })
        const expected = all.filter((_, i) => mask & (1 << i))
        got.forEach((t, i) => assert.ok(torch.equal(t, expected[i]), `mask ${mask}: ${i}`))
      }
    })
  })

describe('derivatives of both orders', () => {
  const values = (...shape) => {
    const n = shape.reduce((a, b) => a * b, 1)
    return torch.arange(n, { dtype: 'float64' }).add(0.37).mul(7.3).sin().mul(2).reshape(shape).requires_grad_(true)
  }
  for (const kind of [batch(3, 2, 2), batch(4, 3), layer([3], 2, 3), layer([2, 2], 2, 2, 2), group(2, 2, 4, 2), group(1, 1, 2, 3)])
    it(kind.name, () => {
      const inputs = [values(...kind.sizes), values(...kind.parameter), values(...kind.parameter)]
      for (const used of [3, 2, 1]) {
        const norm = (...a) => kind.norm(a[0], a[1] ?? null, a[2] ?? null)
        assert.equal(gradcheck(norm, inputs.slice(0, used)), true)
        assert.equal(gradgradcheck(norm, inputs.slice(0, used)), true)
      }
    })
  it('batch_norm in evaluation', () => {
    const kind = batch(3, 2, 2)
    const mean = torch.tensor([0.3, -0.2], { dtype: 'float64' })
    const variance = torch.tensor([0.7, 1.9], { dtype: 'float64' })
    const norm = (x, w, b) => kind.norm(x, w, b, false, mean, variance)
    const inputs = [values(3, 2, 2), values(2), values(2)]
    assert.equal(gradcheck(norm, inputs), true)
    assert.equal(gradgradcheck(norm, inputs), true)
  })
  it('batch_norm of a matrix in evaluation', () => {
    const mean = torch.tensor([0.3, -0.2, 1], { dtype: 'float64' })
    const variance = torch.tensor([0.7, 1.9, 0.1], { dtype: 'float64' })
    const [x, w, b] = [values(5, 3), values(3), values(3)]
    const norm = (...a) => batch(5, 3).norm(...a, false, mean, variance)
    near(norm(x, w, b).detach(), x.sub(mean).div(variance.add(1e-3).sqrt()).mul(w).add(b).detach(), 'values')
    assert.equal(gradcheck(norm, [x, w, b]), true)
    assert.equal(gradgradcheck(norm, [x, w, b]), true)
  })
  it('of the gradient of weights or biases alone', () => {
    const kind = layer([3], 4, 3)
    const [x, w, b] = [values(4, 3), values(3), values(3)]
    for (const of of [w, b]) {
      const fn = (v) => torch.enable_grad(() => torch.autograd.grad([kind.norm(v, w, b).mul(v).sum()], [of], { create_graph: true })[0])
      assert.equal(gradcheck(fn, [x]), true)
    }
  })
})

describe('statistics', () => {
  for (const sizes of [
    [8, 3, 16, 17],
    [8, 5, 3, 3],
    [30, 4],
  ])
    it(`of ${sizes} far from zero, and what is kept of them`, () => {
      torch.manual_seed(5)
      const x = torch.randn(sizes).add(100)
      const mean = torch.zeros(sizes[1]),
        variance = torch.ones(sizes[1])
      const y = batch(...sizes).norm(x, null, null, true, mean, variance)
      const wide = x.to('float64')
      const over = sizes.map((_, i) => i).filter((i) => i !== 1)
      near(mean, wide.mean(over).mul(0.25), 'running_mean')
      near(variance, wide.var(over).mul(0.25).add(0.75), 'running_var')
      near(y.mean(over), torch.zeros(sizes[1], { dtype: 'float64' }), 'mean')
    })
  it('a NaN stays in its channel', () => {
    for (const sizes of [
      [4, 3, 300],
      [4, 3, 5],
    ]) {
      const x = torch.randn(sizes)
      x.select(0, 1).select(0, 2).fill_(NaN)
      const y = batch(...sizes).norm(x, null, null)
      const finite = y.isfinite().all(0).all(-1)
      assert.deepEqual(finite.tolist(), [true, true, false])
    }
  })
})
