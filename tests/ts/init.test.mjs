// nn.init: bounds, moments and errors.
import assert from 'node:assert/strict'
import test from 'node:test'
import torch from 'torch.js'

const { nn } = torch

const near = (actual, expected, tolerance) => {
  assert.equal(actual.length, expected.length)
  for (let i = 0; i < actual.length; i++) {
    assert.ok(Math.abs(actual[i] - expected[i]) <= tolerance * (1 + Math.abs(expected[i])), `${i}: ${actual[i]} is not ${expected[i]}`)
  }
}

test('drawn values have the right bounds and moments', () => {
  torch.manual_seed(1)
  const w = torch.empty(200, 100)
  assert.equal(nn.init.uniform_(w, 2, 3), w)
  assert.ok(w.min().item() >= 2 && w.max().item() < 3)
  nn.init.normal_(w, { mean: 5, std: 0.5 })
  assert.ok(Math.abs(w.mean().item() - 5) < 0.02 && Math.abs(w.std().item() - 0.5) < 0.02)
  nn.init.xavier_uniform_(w)
  assert.ok(w.abs().max().item() <= Math.sqrt(6 / 300))
  nn.init.xavier_normal_(w, 2)
  assert.ok(Math.abs(w.std().item() - 2 * Math.sqrt(2 / 300)) < 0.005)
  nn.init.kaiming_uniform_(w, { nonlinearity: 'relu' })
  assert.ok(w.abs().max().item() <= Math.sqrt(6 / 100) * (1 + 1e-6))
  nn.init.kaiming_normal_(w, 0, 'fan_out', 'relu')
  assert.ok(Math.abs(w.std().item() - Math.sqrt(2 / 200)) < 0.003)
})

test('fixed values', () => {
  assert.deepEqual(nn.init.eye_(torch.empty(2, 3)).toArray(), [
    [1, 0, 0],
    [0, 1, 0],
  ])
  assert.deepEqual(nn.init.ones_(torch.empty(2)).toArray(), [1, 1])
  assert.deepEqual(nn.init.zeros_(torch.ones(2)).toArray(), [0, 0])
  assert.deepEqual(nn.init.constant_(torch.ones(2), 3.5).toArray(), [3.5, 3.5])
  assert.deepEqual(nn.init.dirac_(torch.empty(2, 2, 3)).toArray(), [
    [
      [0, 1, 0],
      [0, 0, 0],
    ],
    [
      [0, 0, 0],
      [0, 1, 0],
    ],
  ])
  const p = new nn.Parameter(torch.empty(2))
  nn.init.ones_(p)
  assert.ok(p.requires_grad && p.is_leaf && p.grad_fn === null)
})

test('gains and errors', () => {
  assert.equal(nn.init.calculate_gain('linear'), 1)
  assert.equal(nn.init.calculate_gain('tanh'), 5 / 3)
  assert.equal(nn.init.calculate_gain('relu'), Math.SQRT2)
  near([nn.init.calculate_gain('leaky_relu'), nn.init.calculate_gain('leaky_relu', 0.2)], [1.4141428569978354, 1.3867504905630728], 1e-15)
  assert.throws(() => nn.init.calculate_gain('bad'), { code: 'ValueError', message: 'Unsupported nonlinearity bad' })
  assert.throws(() => nn.init.xavier_uniform_(torch.ones(3)), {
    code: 'ValueError',
    message: 'Fan in and fan out can not be computed for tensor with fewer than 2 dimensions',
  })
  assert.throws(() => nn.init.kaiming_uniform_(torch.ones(2, 3), { mode: 'foo' }), {
    code: 'ValueError',
    message: "Mode foo not supported, please use one of ['fan_in', 'fan_out']",
  })
  assert.throws(() => nn.init.eye_(torch.ones(2)), { code: 'ValueError', message: 'Only tensors with 2 dimensions are supported' })
})

test('clip_grad_norm_ and friends', () => {
  const p = new nn.Parameter(torch.zeros(2))
  const q = new nn.Parameter(torch.zeros(1))
  p.grad = torch.tensor([3, 0])
  q.grad = torch.tensor([4])
  assert.equal(nn.utils.clip_grad_norm_([p, q], 1).item(), 5)
  near([...p.grad.toArray(), ...q.grad.toArray()], [0.6, 0, 0.8], 1e-5)
  assert.equal(nn.utils.clip_grad_norm_([p, q], 10).item() < 1.001, true)
  nn.utils.clip_grad_value_([p, q], 0.5)
  near([...p.grad.toArray(), ...q.grad.toArray()], [0.5, 0, 0.5], 1e-6)
  assert.equal(nn.utils.clip_grad_norm_([p, q], 1, { norm_type: Infinity }).item(), 0.5)
  assert.equal(nn.utils.clip_grad_norm_([], 1).item(), 0)
  p.grad = torch.tensor([NaN, 1])
  assert.throws(() => nn.utils.clip_grad_norm_([p], 1, { error_if_nonfinite: true }), {
    code: 'RuntimeError',
    message: /^The total norm of order 2\.0 for gradients from `parameters` is non-finite/,
  })
  const v = nn.utils.parameters_to_vector([p, q])
  assert.deepEqual([...v.shape], [3])
  nn.utils.vector_to_parameters(torch.tensor([1, 2, 3]), [p, q])
  assert.deepEqual([p.toArray(), q.toArray()], [[1, 2], [3]])
  assert.throws(() => nn.utils.vector_to_parameters(3, [p]), { code: 'TypeError', message: 'expected torch.Tensor, but got: int' })
})
