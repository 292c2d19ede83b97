// rearrange, reduce, repeat, pack and unpack against what the patterns mean element by element, and einops' messages.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import torch from 'torch.js'

const message = (fn) => {
  try {
    fn()
  } catch (e) {
    assert.ok(e instanceof torch.TorchError, String(e))
    return e.message
  }
  return assert.fail('nothing was thrown')
}
const same = (a, b) => {
  assert.deepEqual(a.shape, b.shape)
  assert.deepEqual(a.toArray(), b.toArray())
}
/** Whether both begin at the same memory. */
const shares = (a, b) => a.data_ptr() === b.data_ptr()
const iota = (...sizes) => torch.arange(sizes.reduce((n, s) => n * s, 1)).reshape(sizes)

// A small generator, so that failures can be repeated.
function random(seed) {
  let s = seed
  const next = (n) => {
    s = (Math.imul(s, 1103515245) + 12345) >>> 0
    return (s >>> 8) % n
  }
  const shuffled = (list) => {
    const out = [...list]
    for (let i = out.length - 1; i > 0; i--) {
      const k = next(i + 1)
      ;[out[i], out[k]] = [out[k], out[i]]
    }
    return out
  }
  /** Cuts a list into groups: a group of one axis stands alone or in parentheses, an empty one is 1 or (). */
  const grouped = (list) => {
    const groups = []
    for (let i = 0; i < list.length;) {
      const n = 1 + next(3)
      groups.push(list.slice(i, i + n))
      i += n
      if (next(5) === 0) groups.push([])
    }
    return groups
  }
  const text = (groups) =>
    groups
      .map((g) => {
        if (g.length === 0) return next(2) ? '1' : '()'
        return g.length > 1 || next(4) === 0 ? `(${' '.repeat(next(2))}${g.join(' '.repeat(1 + next(2)))})` : g[0]
      })
      .join(' ')
  return { next, shuffled, grouped, text }
}

const NAMES = ['a', 'b', 'c1', 'height', 'w_x', 'Z', 'ä']

/** Every element by the coordinates of its axes: { sizes by axis, left groups } -> function from coordinates to the flat place. */
function place(groups, sizes, at) {
  let flat = 0
  for (const group of groups) for (const axis of group) flat = flat * sizes[axis] + at[axis]
  return flat
}
function* coordinates(axes, sizes) {
  const at = Object.fromEntries(axes.map((a) => [a, 0]))
  if (axes.some((a) => sizes[a] === 0)) return
  for (;;) {
    yield at
    let i = axes.length - 1
    while (i >= 0 && ++at[axes[i]] === sizes[axes[i]]) at[axes[i--]] = 0
    if (i < 0) return
  }
}
const dims = (groups, sizes) => groups.map((g) => g.reduce((n, a) => n * sizes[a], 1))

describe('random patterns', () => {
  it('rearrange puts every element where the pattern says', () => {
    const r = random(1)
    for (let k = 0; k < 400; k++) {
      const axes = r.shuffled(NAMES).slice(0, r.next(6))
      const sizes = Object.fromEntries(axes.map((a) => [a, 1 + r.next(4)]))
      const left = r.grouped(axes),
        right = r.grouped(r.shuffled(axes))
      const given = {}
      for (const g of left) r.shuffled(g).forEach((a, i) => (i > 0 || r.next(3) === 0) && (given[a] = sizes[a]))
      const pattern = `${r.text(left)} ->${' '.repeat(r.next(3))}${r.text(right)}`
      const x = iota(...dims(left, sizes))
      const y = torch.rearrange(x, pattern, given)
      assert.deepEqual(y.shape, dims(right, sizes), pattern)
      const flat = y.flatten().toArray()
      for (const at of coordinates(axes, sizes)) assert.equal(flat[place(right, sizes, at)], place(left, sizes, at), pattern)
      // and back, with the ellipsis in the place of what stays in front
      same(torch.rearrange(y, `${r.text(right)} -> ${r.text(left)}`, sizes), x)
    }
  })
  it('reduce sums over what is missing', () => {
    const r = random(2)
    for (let k = 0; k < 200; k++) {
      const axes = r.shuffled(NAMES).slice(0, 1 + r.next(5))
      const sizes = Object.fromEntries(axes.map((a) => [a, 1 + r.next(4)]))
      const left = r.grouped(axes),
        kept = r.shuffled(axes).slice(0, r.next(axes.length + 1)),
        right = r.grouped(kept)
      const pattern = `${r.text(left)} -> ${r.text(right)}`
      const x = iota(...dims(left, sizes))
      const sums = new Array(kept.reduce((n, a) => n * sizes[a], 1)).fill(0)
      for (const at of coordinates(axes, sizes)) sums[place(right, sizes, at)] += place(left, sizes, at)
      const y = torch.reduce(x, pattern, 'sum', sizes)
      assert.deepEqual(y.shape, dims(right, sizes), pattern)
      assert.deepEqual(y.flatten().toArray(), sums, pattern)
    }
  })
  it('repeat copies along what is new', () => {
    const r = random(3)
    for (let k = 0; k < 200; k++) {
      const axes = r.shuffled(NAMES).slice(0, 1 + r.next(5))
      const sizes = Object.fromEntries(axes.map((a) => [a, r.next(8) === 0 ? 0 : 1 + r.next(4)]))
      const old = axes.slice(0, r.next(axes.length + 1))
      const left = r.grouped(old),
        right = r.grouped(r.shuffled(axes))
      const pattern = `${r.text(left)} -> ${r.text(right)}`
      if (old.some((a) => sizes[a] === 0)) continue
      const x = iota(...dims(left, sizes))
      const y = torch.repeat(x, pattern, sizes)
      assert.deepEqual(y.shape, dims(right, sizes), pattern)
      const flat = y.flatten().toArray()
      for (const at of coordinates(axes, sizes)) assert.equal(flat[place(right, sizes, at)], place(left, sizes, at), pattern)
    }
  })
  it('texts that are no patterns are errors, never crashes', () => {
    const r = random(4)
    const pieces = ['a', 'b', ' ', '(', ')', '...', '.', '->', '-', '>', '1', '2', '0', '?', '_', 'é', '99999999999999999999', '']
    let refused = 0
    for (let k = 0; k < 3000; k++) {
      const pattern = Array.from({ length: r.next(12) }, () => pieces[r.next(pieces.length)]).join('')
      for (const call of [
        () => torch.rearrange(iota(2, 2), pattern),
        () => torch.reduce(iota(2, 2), pattern, 'sum'),
        () => torch.repeat(iota(2, 2), pattern, { b: 2 }),
        () => torch.pack([iota(2, 2)], pattern),
        () => torch.unpack(iota(2, 2), [[1], [1]], pattern),
      ])
        try {
          call()
        } catch (e) {
          assert.ok(e instanceof torch.TorchError && e.code === 'RuntimeError', `${pattern}: ${e}`)
          refused++
        }
    }
    assert.ok(refused > 10000)
  })
})

describe('rearrange', () => {
  const x = iota(2, 6, 4)
  it('is what the ordinary operators do', () => {
    same(torch.rearrange(x, 'a b c -> c b a'), x.permute(2, 1, 0))
    same(torch.rearrange(x, 'a (h p) c -> (a h) (c p)', { p: 3 }), x.view(2, 2, 3, 4).permute(0, 1, 3, 2).reshape(4, 12))
    same(torch.rearrange(x, '... c -> c ...'), x.movedim(-1, 0))
    same(torch.rearrange(x, 'a ... -> (...) a'), x.reshape(2, 24).t())
    same(torch.rearrange(x, '... -> (...)'), x.flatten())
    same(torch.rearrange(x, 'a b c -> a 1 b () c'), x.unsqueeze(1).unsqueeze(3))
    same(torch.rearrange([x, x.neg()], 'n a b c -> a b c n'), torch.stack([x, x.neg()], -1))
    same(torch.rearrange(x, 'a (h p) c -> a h p c', { axes: { h: 2 } }), x.view(2, 2, 3, 4))
    same(torch.rearrange(x, 'a (h p) c -> a h p c', undefined, { axes: { h: 2 } }), x.view(2, 2, 3, 4))
    same(torch.rearrange(torch.tensor(3), ' -> '), torch.tensor(3))
    same(torch.rearrange(torch.zeros(0, 3), 'a b -> b a'), torch.zeros(3, 0))
  })
  it('gives views where the strides allow it', () => {
    for (const pattern of [
      'a b c -> c a b',
      'a b c -> (a b) c',
      'a b c -> a 1 c b',
      'a (b d) c -> a d b c',
      '... c -> c ...',
      'a b c -> a b c',
    ]) {
      const y = torch.rearrange(x, pattern, pattern.includes('d') ? { d: 2 } : {})
      assert.ok(shares(x, y), pattern)
    }
    assert.ok(!shares(x, torch.rearrange(x, 'a b c -> (b a) c')))
    const written = torch.zeros(2, 3)
    torch.rearrange(written, 'a b -> b a').at_put(2, 0, 5)
    assert.equal(written.at(0, 2).item(), 5)
  })
  it('passes gradients on', () => {
    const w = torch.randn(2, 6, { requires_grad: true })
    torch.rearrange(w, 'a (b c) -> c (a b)', { c: 3 }).mul(iota(3, 4)).sum().backward()
    same(w.grad, torch.rearrange(iota(3, 4), 'c (a b) -> a (b c)', { a: 2 }).to('float32'))
  })
  it("says what is wrong in einops' words, with the position", () => {
    const head = (pattern, info = '') =>
      ` Error while processing rearrange-reduction pattern "${pattern}".\n Input tensor shape: torch.Size([2, 6, 4]). Additional info: {${info}}.\n `
    const wrong = (pattern, text, axes = {}, info = '') =>
      assert.equal(
        message(() => torch.rearrange(x, pattern, axes)),
        head(pattern, info) + text,
      )
    wrong('a b c -> a b', "Identifiers only on one side of expression (should be on both): {'c'}")
    wrong('a b c -> a b d', "Identifiers only on one side of expression (should be on both): {'c', 'd'}")
    wrong('a b -> b a', 'Wrong shape: expected 2 dims. Received 3-dim tensor.')
    wrong('a b c d ... -> ... d c b a', 'Wrong shape: expected >=4 dims. Received 3-dim tensor.')
    wrong('a (b d) c -> a b c d', "Could not infer sizes for {'b', 'd'}")
    wrong('a (b d) c -> a b c d', "Shape mismatch, can't divide axis of length 6 in chunks of 4", { d: 4 }, "'d': 4")
    wrong('a (b d) c -> a b c d', 'Shape mismatch, 6 != 8', { d: 4, b: 2 }, "'d': 4, 'b': 2")
    wrong('a b c -> c b a', 'Shape mismatch, 2 != 3', { a: 3 }, "'a': 3")
    wrong('a b c -> c b a', 'Axis z is not used in transform', { z: 3 }, "'z': 3")
    wrong('a b c -> c b a', 'Invalid name for an axis: _z', { _z: 3 }, "'_z': 3")
    wrong('a b c -> a b c 2', 'Non-unitary anonymous axes are not supported in rearrange (exception is length 1)')
    wrong('a b c -> a b c ...', 'Ellipsis found in right side, but not left side of a pattern a b c -> a b c ...')
    wrong('(a ...) c -> c a ...', 'Ellipsis inside parenthesis in the left side is not allowed: (a ...) c -> c a ...')
    wrong('a b a -> a b', 'Indexing expression contains duplicate dimension "a" at position 4')
    wrong('a b c', 'The pattern has no arrow (->) between its two sides')
    wrong('a b -> c -> d', 'The pattern has a second arrow (->) at position 9')
    wrong('a ((b) d) c -> a', 'Axis composition is one-level (brackets inside brackets not allowed), position 3')
    wrong('a b) c -> a', 'Brackets are not balanced, position 3')
    wrong('(a b c -> a', 'Imbalanced parentheses in expression: "(a b c "')
    wrong('a .. b -> a', 'Expression may contain dots only inside ellipsis (...), position 2')
    wrong('... a ... -> a', 'Expression may contain dots only inside ellipsis (...); only one ellipsis for tensor, position 6')
    wrong('a b! c -> a', "Unknown character '!' at position 3")
    wrong('a b_ c -> a', 'Invalid axis identifier: b_ at position 2\naxis name should not start or end with underscore')
    wrong('a 2b c -> a', 'Invalid axis identifier: 2b at position 2\nnot a valid identifier')
    wrong('a 0 c -> a', 'Anonymous axis should have positive length, not 0 (position 2)')
    assert.match(
      message(() => torch.rearrange(x, 'a b c -> c b a', { a: 1.5 })),
      /the size of axis 'a' must be an integer, not 1\.5/,
    )
    assert.match(
      message(() => torch.rearrange(x, 5)),
      /argument 'pattern' \(position 2\) must be str, not int/,
    )
    assert.match(
      message(() => torch.rearrange([], 'a -> a')),
      /must be Tensor or a list of Tensors, not list/,
    )
    assert.match(
      message(() => torch.rearrange(x, 'a b c -> a b c', { axes: {}, dims: 3 })),
      /unexpected keyword argument 'dims'/,
    )
  })
})

describe('reduce', () => {
  const x = torch.randn(2, 6, 4)
  it('is what the ordinary operators do', () => {
    const close = (a, b) => assert.ok(torch.allclose(a, b))
    close(torch.reduce(x, 'a b c -> a', 'mean'), x.mean([1, 2]))
    close(torch.reduce(x, 'a b c -> c a', 'max'), x.amax(1).t())
    close(torch.reduce(x, 'a b c -> 1 b 1', 'min'), x.amin([0, 2], true))
    close(torch.reduce(x, 'a b c ->', 'prod'), x.prod())
    close(torch.reduce(x, 'a (b 2) (c 2) -> a b c', 'max'), torch.nn.functional.max_pool2d(x.unsqueeze(1), 2).squeeze(1))
    same(torch.reduce(x.gt(0), 'a b c -> b', 'any'), x.gt(0).any([0, 2]))
    same(torch.reduce(x.gt(0), 'a b c -> b', 'all'), x.gt(0).all([0, 2]))
    same(torch.reduce(x, 'a b c -> c b a', 'sum'), x.permute(2, 1, 0))
    same(torch.reduce([x, x], 'n ... -> ...', 'max'), x)
    assert.equal(torch.reduce(iota(2, 3), 'a b -> a', 'sum').dtype, 'int64')
  })
  it('says what is wrong', () => {
    const head = (op, pattern) =>
      ` Error while processing ${op}-reduction pattern "${pattern}".\n Input tensor shape: torch.Size([2, 6, 4]). Additional info: {}.\n `
    assert.equal(
      message(() => torch.reduce(x, 'a b c -> a d', 'sum')),
      `${head('sum', 'a b c -> a d')}Unexpected identifiers on the right side of reduce sum: {'d'}`,
    )
    assert.equal(
      message(() => torch.reduce(x, 'a b c -> a', 'median')),
      `${head('median', 'a b c -> a')}Unknown reduction median. Expect one of ('min', 'max', 'sum', 'mean', 'prod', 'any', 'all').`,
    )
    assert.equal(
      message(() => torch.reduce(iota(2, 3), 'a b -> a', 'mean')),
      'reduce_mean is not available for non-floating tensors',
    )
  })
})

describe('repeat', () => {
  const x = iota(2, 3)
  it('is what the ordinary operators do', () => {
    same(torch.repeat(x, 'h w -> h w c', { c: 3 }), x.unsqueeze(-1).expand(2, 3, 3))
    same(torch.repeat(x, 'h w -> (2 h) w'), x.repeat(2, 1))
    same(torch.repeat(x, 'h w -> h (w 4)'), x.repeat_interleave(4, 1))
    same(torch.repeat(x, 'h w -> w h'), x.t())
    same(torch.repeat(x, '... -> n ...', { n: 0 }), torch.zeros(0, 2, 3, { dtype: 'int64' }))
  })
  it('copies nothing for a dimension of its own', () => {
    const y = torch.repeat(x, 'h w -> h c w', { c: 5 })
    assert.ok(shares(x, y))
    assert.deepEqual(y.stride(), [3, 0, 1])
  })
  it('says what is wrong', () => {
    assert.match(
      message(() => torch.repeat(x, 'h w -> h w c')),
      /\n Specify sizes for new axes in repeat: \{'c'\}$/,
    )
    assert.match(
      message(() => torch.repeat(x, 'h w -> h')),
      /\n Unexpected identifiers on the left side of repeat: \{'w'\}$/,
    )
  })
})

describe('pack, unpack', () => {
  const tensors = [iota(2, 3, 5), iota(2, 7, 1, 5), iota(2, 5)]
  it('are inverse', () => {
    const [packed, shapes] = torch.pack(tensors, 'b * c')
    assert.deepEqual(packed.shape, [2, 11, 5])
    assert.deepEqual(shapes, [[3], [7, 1], []])
    const parts = torch.unpack(packed, shapes, 'b * c')
    parts.forEach((p, i) => same(p, tensors[i]))
    assert.ok(shares(parts[0], packed))
    const [head, tail] = torch.unpack(packed, [[], [2, -1]], 'b * c')
    same(head, packed.select(1, 0))
    same(tail, packed.narrow(1, 1, 10).reshape(2, 2, 5, 5))
    same(torch.pack([torch.tensor(1), torch.tensor(2)], '*')[0], torch.tensor([1, 2]))
    assert.deepEqual(torch.unpack(torch.zeros(0, 2), [], '* a'), [])
  })
  it("say what is wrong in einops' words", () => {
    assert.equal(
      message(() => torch.pack(tensors, 'a a *')),
      'Duplicates in axes names in pack(..., "a a *"): a at position 2',
    )
    assert.equal(
      message(() => torch.pack(tensors, 'a b')),
      'No *-axis in pack(..., "a b")',
    )
    assert.equal(
      message(() => torch.pack(tensors, 'a b- *')),
      'Invalid axis name b- in pack(..., "a b- *") at position 2',
    )
    assert.equal(
      message(() => torch.pack(tensors, 'a b c *')),
      'packed tensor #2 (enumeration starts with 0) has shape torch.Size([2, 5]), while pattern a b c * assumes at least 3 axes',
    )
    assert.equal(
      message(() => torch.unpack(iota(2, 3), [[3]], 'a *  b')),
      'unpack(..., a *  b) received input of wrong dim with shape torch.Size([2, 3])',
    )
    assert.equal(
      message(() => torch.unpack(iota(2, 3), [[-1], [2, -1]], 'a *')),
      "unpack(..., a *) received more than one -1 in [[-1], [2, -1]] and can't infer dimensions",
    )
    for (const shapes of [[[2]], [[2], [2]], [[-1, -1]], [[2, -1]], [[4], [-1]], [[-2]], [[0, -1]]])
      assert.match(
        message(() => torch.unpack(iota(2, 3), shapes, 'a *')),
        /^Error during unpack\(\.\.\., "a \*"\): could not split axis of size 3 into requested \[\[/,
      )
  })
})
