// x.at(...) and x.at_put(...)
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import torch from 'torch.js'

const x = torch.arange(24).view(2, 3, 4)
const rows = x.toArray()

describe('at', () => {
  it('takes numbers', () => {
    assert.deepEqual(x.at(1).toArray(), rows[1])
    assert.deepEqual(x.at(-1, 0).toArray(), rows[1][0])
    assert.equal(x.at(1, 2, 3).item(), 23)
    assert.equal(x.at(torch.tensor(1n), 2, -1).item(), 23)
  })
  it('takes ranges', () => {
    assert.deepEqual(x.at(0, [1, 3]).toArray(), rows[0].slice(1, 3))
    assert.deepEqual(x.at(0, [null, 2]).toArray(), rows[0].slice(0, 2))
    assert.deepEqual(x.at(0, [-2, null]).toArray(), rows[0].slice(-2))
    assert.deepEqual(x.at(0, 0, [null, null, 2]).toArray(), [0, 2])
    assert.deepEqual(x.at(0, [5, 9]).shape, [0, 4])
    assert.deepEqual(x.at(0, [2, 1]).shape, [0, 4])
    assert.deepEqual(x.at(0, [-100, 100]).shape, [3, 4])
  })
  it('takes ranges that go backwards', () => {
    const v = torch.arange(7)
    const list = v.toArray()
    const python = (start, end, step) => {
      const out = []
      for (let i = start; step > 0 ? i < end : i > end; i += step) out.push(list[i])
      return out
    }
    assert.deepEqual(v.at([null, null, -1]).toArray(), python(6, -1, -1))
    assert.deepEqual(v.at([5, 1, -2]).toArray(), python(5, 1, -2))
    assert.deepEqual(v.at([null, 2, -3]).toArray(), python(6, 2, -3))
    assert.deepEqual(v.at([3, null, -2]).toArray(), python(3, -1, -2))
    assert.deepEqual(v.at([1, 5, -1]).toArray(), [])
  })
  it('takes null, ... and newaxis', () => {
    assert.deepEqual(
      x.at(null, 0).toArray(),
      rows.map((r) => r[0]),
    )
    assert.deepEqual(
      x.at('...', 0).toArray(),
      rows.map((r) => r.map((c) => c[0])),
    )
    assert.deepEqual(x.at('newaxis').shape, [1, 2, 3, 4])
    assert.deepEqual(x.at('...', 'newaxis').shape, [2, 3, 4, 1])
    assert.deepEqual(x.at(0, 'newaxis', null, 'newaxis').shape, [1, 3, 1, 4])
    assert.deepEqual(x.at().toArray(), rows)
  })
  it('takes masks and positions', () => {
    assert.deepEqual(x.at(x.gt(20)).toArray(), [21, 22, 23])
    assert.deepEqual(x.at(torch.tensor([true, false])).toArray(), [rows[0]])
    assert.deepEqual(
      x.at(null, torch.tensor([2n, 0n])).toArray(),
      rows.map((r) => [r[2], r[0]]),
    )
    assert.deepEqual(x.at(torch.tensor([0n, 1n]), torch.tensor([2n, 0n])).toArray(), [rows[0][2], rows[1][0]])
    assert.deepEqual(x.at(torch.tensor([[0n], [1n]]), torch.tensor([2n, 0n]), 1).shape, [2, 2])
    assert.deepEqual(
      x.at(torch.ones(2, 3, { dtype: 'bool' }), 1).toArray(),
      rows.flat().map((c) => c[1]),
    )
  })
  it('gives views of numbers and ranges', () => {
    const y = torch.zeros(3, 3)
    y.at(0).add_(1)
    y.at(null, [1, 2]).add_(1)
    assert.deepEqual(y.toArray(), [
      [1, 2, 1],
      [0, 1, 0],
      [0, 1, 0],
    ])
  })
  it('complains as PyTorch does', () => {
    const fails = (fn, code, message) =>
      assert.throws(
        fn,
        (e) =>
          (e.code === code && (message instanceof RegExp ? message.test(e.message) : e.message === message)) ||
          assert.fail(`${e.code}: ${e.message}`),
      )
    fails(() => x.at(5), 'IndexError', 'index 5 is out of bounds for dimension 0 with size 2')
    fails(() => x.at(0, 3), 'IndexError', 'index 3 is out of bounds for dimension 1 with size 3')
    fails(() => x.at(0, 0, 0, 0), 'IndexError', 'too many indices for tensor of dimension 3')
    fails(() => torch.tensor(1).at(0), 'IndexError', /^invalid index of a 0-dim tensor/)
    fails(() => x.at([0, 1, 0]), 'ValueError', 'slice step cannot be zero')
    fails(() => x.at(torch.tensor([0.5])), 'IndexError', 'tensors used as indices must be long, int, byte or bool tensors')
    fails(
      () => x.at(torch.tensor([true, false, true])),
      'IndexError',
      'The shape of the mask [3] at index 0 does not match the shape of the indexed tensor [2, 3, 4] at index 0',
    )
    fails(() => x.at('...', '...'), 'IndexError', /single ellipsis/)
    fails(() => x.at('a'), 'IndexError', /valid indices/)
    fails(() => x.at([0, 1, 2, 3]), 'IndexError', /range \[start, end\]/)
  })
  it('lets gradients through', () => {
    const y = torch.ones(3, 3, { requires_grad: true })
    y.at(0, [0, 2])
      .sum()
      .add(y.at(y.gt(0)).sum())
      .add(y.at([null, null, -1], 1).sum())
      .backward()
    assert.deepEqual(y.grad.toArray(), [
      [2, 3, 1],
      [1, 2, 1],
      [1, 2, 1],
    ])
  })
})

describe('at_put', () => {
  it('writes numbers', () => {
    const y = torch.zeros(3, 3)
    assert.equal(y.at_put(1, 5), y)
    y.at_put(null, [0, 1], 2)
    y.at_put(2, 2, 7)
    assert.deepEqual(y.toArray(), [
      [2, 0, 0],
      [2, 5, 5],
      [2, 0, 7],
    ])
  })
  it('writes tensors that broadcast', () => {
    const y = torch.zeros(2, 3)
    y.at_put('...', torch.tensor([1, 2, 3]))
    y.at_put(1, [null, null, -1], torch.tensor([7, 8, 9]))
    assert.deepEqual(y.toArray(), [
      [1, 2, 3],
      [9, 8, 7],
    ])
    y.at_put(0, torch.tensor([[4, 4, 4]]))
    assert.deepEqual(y.at(0).toArray(), [4, 4, 4])
  })
  it('writes through masks and positions', () => {
    const y = torch.arange(5).to('float32')
    y.at_put(y.gt(2), 0)
    y.at_put(torch.tensor([0n, 2n]), torch.tensor([10, 20]))
    assert.deepEqual(y.toArray(), [10, 1, 20, 0, 0])
    const z = torch.zeros(2, 2, { dtype: 'int64' })
    z.at_put(torch.tensor([0n, 1n]), torch.tensor([1n, 0n]), 3)
    assert.deepEqual(z.toArray(), [
      [0, 3],
      [3, 0],
    ])
  })
  it('complains as PyTorch does', () => {
    assert.throws(
      () => torch.ones(3).at_put([0, 2], torch.ones(3)),
      (e) => e.code === 'RuntimeError',
    )
    assert.throws(
      () => torch.ones(3).at_put(0, 'a'),
      (e) => e.code === 'TypeError',
    )
    assert.throws(
      () => torch.ones(2, { requires_grad: true }).at_put(0, 5),
      (e) => e.message === 'a view of a leaf Variable that requires grad is being used in an in-place operation.',
    )
  })
})
