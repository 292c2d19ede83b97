// How functions and methods are called: positional arguments, options, numbers for tensors, sizes, several results, out and in-place forms.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import torch, { TorchError } from 'torch.js'

const throws = (fn, code, message) =>
  assert.throws(fn, (e) => {
    assert.ok(e instanceof TorchError, `${e?.stack}`)
    assert.equal(e.code, code)
    if (message instanceof RegExp) assert.match(e.message, message)
    else assert.equal(e.message, message)
    return true
  })

describe('sizes', () => {
  it('are variadic or one array, with options last', () => {
    assert.deepEqual(torch.zeros(2, 3).shape, [2, 3])
    assert.deepEqual(torch.zeros([2, 3]).shape, [2, 3])
    assert.deepEqual(torch.zeros([]).shape, [])
    assert.equal(torch.zeros(2, { dtype: 'int64' }).dtype, 'int64')
    assert.equal(torch.zeros([2, 3], { dtype: 'bool' }).dtype, 'bool')
    assert.equal(torch.ones(2, { requires_grad: true }).requires_grad, true)
  })
  it('of views and permutations too', () => {
    const x = torch.arange(6)
    assert.deepEqual(x.view(2, -1).shape, [2, 3])
    assert.deepEqual(x.view([3, 2]).shape, [3, 2])
    assert.deepEqual(x.reshape(2, 3).permute(1, 0).toArray(), [
      [0, 3],
      [1, 4],
      [2, 5],
    ])
    assert.deepEqual(x.view(6, 1).expand(-1, 2).shape, [6, 2])
    assert.deepEqual(torch.reshape(x, [1, 6]).shape, [1, 6])
  })
})

describe('options', () => {
  const x = torch.tensor([
    [1, 2],
    [3, 4],
  ])
  it('stand for positional arguments from any point on', () => {
    for (const y of [
      x.sum(1, true),
      x.sum({ dim: 1, keepdim: true }),
      x.sum(1, { keepdim: true }),
      torch.sum(x, { dim: 1, keepdim: true }),
    ]) {
      assert.deepEqual(y.toArray(), [[3], [7]])
    }
    assert.deepEqual(x.sum(undefined).toArray(), 10)
    assert.deepEqual(x.add(1, { alpha: 10 }).toArray(), [
      [11, 12],
      [13, 14],
    ])
  })
  it('complain of unknown keys and list the known ones', () => {
    throws(() => x.add(1, { bogus: 1 }), 'TypeError', /^add\(\) got an unexpected keyword argument 'bogus' \(known: .*alpha.*\)$/)
    throws(() => x.sum({ dims: 1 }), 'TypeError', /^sum\(\) got an unexpected keyword argument 'dims' \(known: .*keepdim.*\)$/)
    throws(() => x.add(1, { other: 2 }), 'TypeError', "add() got multiple values for argument 'other'")
  })
  it('take undefined as not given', () => {
    assert.deepEqual(x.sum(1, { keepdim: undefined }).shape, [2])
  })
})

describe('overloads', () => {
  const x = torch.tensor([
    [1, 5],
    [7, 2],
  ])
  it('are told apart by their arguments', () => {
    assert.equal(x.max().item(), 7)
    assert.deepEqual(x.max(torch.tensor(3)).toArray(), [
      [3, 5],
      [7, 3],
    ])
    const { values, indices } = x.max(1)
    assert.deepEqual(values.toArray(), [5, 7])
    assert.deepEqual(indices.toArray(), [1, 0])
  })
  it('give several results as an object that iterates', () => {
    const [values, indices] = x.max({ dim: 0 })
    assert.deepEqual(values.toArray(), [7, 5])
    assert.deepEqual(indices.toArray(), [1, 0])
    assert.deepEqual(Object.keys(x.max(0)), ['values', 'indices'])
  })
  it('of lists give arrays', () => {
    assert.deepEqual(
      torch
        .arange(6)
        .split(4)
        .map((t) => t.toArray()),
      [
        [0, 1, 2, 3],
        [4, 5],
      ],
    )
    assert.deepEqual(torch.cat([torch.ones(1), torch.zeros(2)]).toArray(), [1, 0, 0])
  })
})

describe('numbers in the place of tensors', () => {
  it('promote as numbers', () => {
    const i = torch.tensor([1n, 2n])
    assert.equal(i.add(2).dtype, 'int64')
    assert.equal(i.add(2.5).dtype, 'float32')
    assert.equal(i.add(true).dtype, 'int64')
    assert.equal(i.to('int32').mul(3n).dtype, 'int32')
    assert.equal(torch.ones(1, { dtype: 'float16' }).mul(2.5).dtype, 'float16')
    assert.equal(torch.ones(1).mul({ re: 0, im: 1 }).dtype, 'complex64')
    assert.deepEqual(torch.sub(1, torch.tensor([1, 2])).toArray(), [0, -1])
    assert.deepEqual(torch.pow(2, torch.tensor([1, 2, 3])).toArray(), [2, 4, 8])
  })
  it('leave no handles behind', () => {
    const x = torch.ones(2)
    const before = torch.memory_stats().live_handles
    torch.scope(() => {
      for (let i = 0; i < 100; i++) x.add(i).mul(0.5)
    })
    assert.equal(torch.memory_stats().live_handles, before)
    assert.throws(() => torch.add(3, { bogus: 1 }))
    assert.equal(torch.memory_stats().live_handles, before)
  })
})

describe('results written elsewhere', () => {
  it('in place', () => {
    const x = torch.ones(2)
    assert.equal(x.add_(1), x)
    assert.equal(x.mul_(torch.tensor([2, 3])), x)
    assert.deepEqual(x.toArray(), [4, 6])
  })
  it('to out', () => {
    const out = torch.empty(0)
    assert.equal(torch.add(torch.ones(2), 1, { out }), out)
    assert.deepEqual(out.toArray(), [2, 2])
    throws(() => torch.add(torch.ones(2), 1, { out: 3 }), 'TypeError', "add(): argument 'out' must be Tensor, not int")
  })
})

describe('names', () => {
  it('that are reserved words get an underscore', () => {
    assert.equal(torch.var_(torch.tensor([1, 2, 3])).item(), 1)
    assert.equal(torch.tensor([1, 2, 3]).var().item(), 1)
  })
  it('are there on the default export and as named exports', async () => {
    const all = await import('torch.js')
    assert.equal(all.default.zeros, all.zeros)
    assert.equal(torch.float32, 'float32')
    assert.equal(torch.Tensor, all.Tensor)
  })
})

describe('long argument lists', () => {
  it('make the buffer grow', () => {
    const parts = Array.from({ length: 5000 }, (_, i) => torch.tensor([i]))
    const joined = torch.cat(parts)
    assert.deepEqual(joined.shape, [5000])
    assert.equal(joined.at(4999).item(), 4999)
    assert.equal(joined.split(1).length, 5000)
  })
})
