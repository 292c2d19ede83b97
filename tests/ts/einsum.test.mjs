// einsum against what its equation means element by element, PyTorch's messages, orders of contraction, copies.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import torch from 'torch.js'

const failure = (fn) => {
  try {
    fn()
  } catch (e) {
    assert.ok(e instanceof torch.TorchError, String(e))
    return e
  }
  return assert.fail('nothing was thrown')
}
const iota = (...sizes) =>
  torch
    .arange(
      sizes.reduce((n, s) => n * s, 1),
      { dtype: 'float64' },
    )
    .reshape(sizes)

/** By the definition: the sum over all labels of the products. operands: [{ labels, tensor }] */
function byDefinition(operands, output, sizes) {
  const labels = Object.keys(sizes)
  const flats = operands.map(({ tensor }) => tensor.flatten().toArray())
  const out = new Array([...output].reduce((n, l) => n * sizes[l], 1)).fill(0)
  const at = Object.fromEntries(labels.map((l) => [l, 0]))
  const place = (subscripts, shape) => [...subscripts].reduce((p, l, i) => p * shape[i] + (shape[i] === 1 ? 0 : at[l]), 0)
  for (;;) {
    let product = 1
    operands.forEach(({ labels: s, tensor }, i) => (product *= flats[i][place(s, tensor.shape)]))
    out[
      place(
        output,
        [...output].map((l) => sizes[l]),
      )
    ] += product
    let i = labels.length - 1
    while (i >= 0 && ++at[labels[i]] === sizes[labels[i]]) at[labels[i--]] = 0
    if (i < 0) return out
  }
}

describe('einsum', () => {
  it('is what the equation says, for random equations of up to five operands', () => {
    let s = 5
    const next = (n) => {
      s = (Math.imul(s, 1103515245) + 12345) >>> 0
      return (s >>> 8) % n
    }
    for (let k = 0; k < 300; k++) {
      const letters = [...'abCdeF'].slice(0, 1 + next(6))
      const sizes = Object.fromEntries(letters.map((l) => [l, 1 + next(3)]))
      const operands = Array.from({ length: 1 + next(5) }, () => {
        let labels = ''
        const shape = []
        for (let m = next(4); m > 0; m--) {
          const l = letters[next(letters.length)]
          shape.push(!labels.includes(l) && next(8) === 0 ? 1 : sizes[l])
          labels += l
        }
        // a diagonal needs equal sizes, 1 is no exception
        ;[...labels].forEach((l, i) => (shape[i] = labels.indexOf(l) !== labels.lastIndexOf(l) ? sizes[l] : shape[i]))
        return { labels, tensor: torch.randint(-3, 4, shape).to('float64') }
      })
      const present = {}
      operands.forEach(({ labels, tensor }) => [...labels].forEach((l, i) => (present[l] = Math.max(present[l] ?? 1, tensor.shape[i]))))
      const output = Object.keys(present)
        .filter(() => next(2))
        .sort(() => next(3) - 1)
        .join('')
      const equation = `${operands.map((o) => o.labels).join(', ')} -> ${output}`
      const result = torch.einsum(equation, ...operands.map((o) => o.tensor))
      assert.deepEqual(
        result.shape,
        [...output].map((l) => present[l]),
        equation,
      )
      // no sign of zeros
      const values = (t) => t.add(0).flatten().toArray()
      assert.deepEqual(
        values(result),
        byDefinition(operands, output, present).map((v) => v + 0),
        equation,
      )
      // and in any order
      if (operands.length > 1) {
        const path = []
        for (let n = operands.length; n > 1; n--) {
          const i = next(n)
          path.push(i, (i + 1 + next(n - 1)) % n)
        }
        const other = torch.einsum(
          equation,
          operands.map((o) => o.tensor),
          { path },
        )
        assert.deepEqual(values(other), values(result), `${equation} ${path}`)
      }
    }
  })
  it('takes lists of numbers in the place of an equation', () => {
    const a = iota(2, 3),
      b = iota(3, 4),
      c = iota(5, 3, 4)
    const { Ellipsis } = torch
    const same = (x, y) => assert.deepEqual([x.shape, x.toArray()], [y.shape, y.toArray()])
    same(torch.einsum(a, [0, 1], b, [1, 2], [0, 2]), a.matmul(b))
    same(torch.einsum(a, [0, 1], b, [1, 2]), a.matmul(b))
    same(torch.einsum(a, [1, 0], []), a.sum())
    same(torch.einsum(a, [26, 51], [51, 26]), a.t())
    same(torch.einsum(c, [Ellipsis, 0], b, [1, 0], [Ellipsis, 1]), c.matmul(b.t()))
    const wrong = (text, ...args) => assert.equal(failure(() => torch.einsum(...args)).message, text)
    wrong('einsum(): subscript in subscript list is not within the valid range [0, 52)', a, [0, 52])
    wrong('einsum(): subscript in subscript list is not within the valid range [0, 52)', a, [0, -1])
    wrong('einsum(): a subscript list holds integers and torch.Ellipsis, not str', a, ['i', 'j'])
    wrong('einsum(): a subscript list holds integers and torch.Ellipsis, not 0.5', a, [0.5, 1])
    wrong('einsum(): a subscript list must be a list, not int', a, 5)
    const nothing = 'einsum(): must specify the equation string and at least one operand, or at least one operand and its subscripts list'
    wrong(nothing, 'i')
    wrong(nothing, a)
    wrong(nothing)
  })
  it("refuses what PyTorch refuses, in PyTorch's words", () => {
    const bad = [
      [
        'ij,jk->ik',
        [
          [2, 3],
          [4, 4],
        ],
        'subscript j has size 4 for operand 1 which does not broadcast with previously seen size 3',
      ],
      ['ii->i', [[3, 4]], "subscript i is repeated for operand 0 but the sizes don't match, 4 != 3"],
      [
        'ij',
        [[2]],
        'the number of subscripts in the equation (2) does not match the number of dimensions (1) for operand 0 and no ellipsis was given',
      ],
      ['...ij', [[2]], 'the number of subscripts in the equation (2) is more than the number of dimensions (1) for operand 0'],
      ['ij->k', [[2, 3]], 'output subscript k does not appear in the equation for any input operand'],
      ['ij->ii', [[2, 3]], 'output subscript i appears more than once in the output'],
      ['ij-k', [[2, 3]], 'invalid subscript given at index 2 in the equation string, subscripts must be in [a-zA-Z]'],
      ['i?', [[2, 3]], 'invalid subscript given at index 1 in the equation string, subscripts must be in [a-zA-Z]'],
      ['i->i->i', [[2]], 'invalid subscript given at index 4 in the equation string, subscripts must be in [a-zA-Z]'],
      ['i->j,', [[2]], 'output subscript j does not appear in the equation for any input operand'],
      ['ij,', [[2, 3]], 'fewer operands were provided than specified in the equation'],
      [
        'ij',
        [
          [2, 3],
          [2, 3],
        ],
        'more operands were provided than specified in the equation',
      ],
      ['i..j', [[2, 3]], "found '.' for operand 0 that is not part of any ellipsis"],
      ['...i...', [[2, 3]], "found '.' for operand 0 for which an ellipsis was already found"],
      ['i->i..', [[2]], "found '.' for output that is not part of any ellipsis (...)"],
      ['...i->...i...', [[2, 3]], "found '.' for output but an ellipsis (...) was already found"],
      ['i', [], 'must provide at least one operand'],
      [
        'i...,i...',
        [
          [2, 5],
          [2, 3],
        ],
        'dimension 1 covered by ellipsis in operand 1has size 3 which does not broadcast with previously seen ellipsis with size 5 for the respective dimension',
      ],
    ]
    for (const [equation, shapes, text] of bad) {
      const e = failure(() =>
        torch.einsum(
          equation,
          shapes.map((shape) => iota(...shape)),
        ),
      )
      assert.equal(e.message, `einsum(): ${text}`)
      assert.equal(e.code, 'RuntimeError')
    }
    const path = (p) => failure(() => torch.einsum('ab,bc,cd->ad', [iota(2, 3), iota(3, 4), iota(4, 5)], { path: p })).message
    assert.equal(path([0, 1]), 'einsum(): expected contraction path given in path parameter to have size 4 but got 2')
    assert.equal(path([0, 0, 0, 1]), 'einsum(): invalid contraction (0, 0) cannot contract an operand with itself')
    assert.equal(path([0, 5, 0, 1]), 'einsum(): invalid contraction (0, 5) operand index is out of bounds')
  })
  it('contracts in a good order', () => {
    // From left to right, the first product alone would have 16 million elements.
    const a = torch.randn(4000, 2, { dtype: 'float64' }),
      b = torch.randn(2, 4000, { dtype: 'float64' }),
      v = torch.randn(4000, { dtype: 'float64' })
    torch.reset_peak_memory_stats()
    const before = torch.memory_stats().live_bytes
    const r = torch.einsum('ij,jk,k->i', a, b, v)
    assert.ok(torch.memory_stats().peak_bytes - before < 1e6)
    assert.ok(torch.allclose(r, a.matmul(b.matmul(v))))
    // More operands than the best order is looked for.
    const chain = Array.from({ length: 12 }, (_, i) => torch.randn(i % 2 ? 2 : 60, i % 2 ? 60 : 2, { dtype: 'float64' }))
    const letters = 'abcdefghijklm'
    const equation = `${chain.map((_, i) => letters[i] + letters[i + 1]).join()}->am`
    assert.ok(torch.allclose(torch.einsum(equation, chain), torch.linalg.multi_dot(chain)))
  })
  it('copies no operand that the matrix product can read as it is', () => {
    const x = (...sizes) => torch.randn(sizes)
    const free = [
      ['ij,jk->ik', [x(64, 64), x(64, 64)], (a, b) => a.mm(b)],
      ['ij,kj->ki', [x(64, 64), x(64, 64)], (a, b) => a.mm(b.t())],
      ['ij,jk->ik', [x(64, 64).t(), x(64, 64).t()], (a, b) => a.mm(b)],
      ['bij,bkj->bik', [x(4, 32, 32), x(4, 32, 32)], (a, b) => a.bmm(b.mT)],
      ['ijk,ijl->kl', [x(8, 8, 64), x(8, 8, 64)], (a, b) => a.view(64, 64).t().mm(b.view(64, 64))],
      ['ijk,ljk->il', [x(64, 8, 8), x(64, 8, 8)], (a, b) => a.view(64, 64).mm(b.view(64, 64).t())],
      ['ijk,lkj->il', [x(64, 8, 8).transpose(1, 2), x(64, 8, 8)], (a, b) => a.mT.view(64, 64).mm(b.view(64, 64).t())],
      ['...ij,jk->...ik', [x(4, 8, 8, 64), x(64, 64)], (a, b) => a.view(256, 64).mm(b)],
      ['i,j->ij', [x(64), x(64)], (a, b) => a.unsqueeze(1).mul(b)],
      ['ij->ji', [x(64, 64)], (a) => a.t()],
    ]
    const room = (f) => {
      f().dispose()
      torch.reset_peak_memory_stats()
      const before = torch.memory_stats().live_bytes
      f().dispose()
      return torch.memory_stats().peak_bytes - before
    }
    for (const [equation, operands, plain] of free) {
      const used = room(() => torch.einsum(equation, operands)),
        needed = room(() => plain(...operands))
      assert.ok(used <= needed + 4096, `${equation}: ${used} bytes, and ${needed} without einsum`)
    }
  })
})
