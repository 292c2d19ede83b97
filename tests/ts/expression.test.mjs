// `$`: values against the ordinary operators, trees against those that were written, what is refused, memory.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import torch, { $ } from 'torch.js'

const failure = (fn) => {
  try {
    fn()
  } catch (e) {
    assert.ok(e instanceof torch.TorchError, String(e))
    return e
  }
  return assert.fail('nothing was thrown')
}
const same = (a, b) => {
  assert.deepEqual([a.shape, a.dtype], [b.shape, b.dtype])
  assert.deepEqual(a.toArray(), b.toArray())
}

// ---- random expressions: a tree, its text with spaces and parentheses at random, and its value by methods ----------------------

const LEVELS = [['|'], ['^'], ['&'], ['==', '!=', '<', '<=', '>', '>='], ['+', '-'], ['*', '/', '//', '%', '@'], ['neg', '~'], ['**']]
const METHODS = {
  '|': 'bitwise_or',
  '^': 'bitwise_xor',
  '&': 'bitwise_and',
  '==': 'eq',
  '!=': 'ne',
  '<': 'lt',
  '<=': 'le',
  '>': 'gt',
  '>=': 'ge',
  '+': 'add',
  '-': 'sub',
  '*': 'mul',
  '/': 'div',
  '//': 'floor_divide',
  '%': 'remainder',
  '@': 'matmul',
  '**': 'pow',
}
const levelOf = (op) => LEVELS.findIndex((ops) => ops.includes(op))

function generator(seed) {
  let s = seed
  const next = (n) => {
    s = (Math.imul(s, 1103515245) + 12345) >>> 0
    return (s >>> 8) % n
  }
  const pick = (list) => list[next(list.length)]
  const tree = (depth) => {
    if (depth === 0 || next(6) === 0) return next(4) ? { var: pick(['a', 'b', 'c_1', '$d']) } : { literal: pick([0, 1, 2, 7, 0.5, 2.25]) }
    switch (next(9)) {
      case 0:
        return { op: next(3) ? 'neg' : '~', arg: tree(depth - 1) }
      case 1:
        return { op: '?:', cond: tree(depth - 1), then: tree(depth - 1), else: tree(depth - 1) }
      case 2:
        return { fn: pick(['relu', 'abs', 'special.expit']), args: [tree(depth - 1)] }
      case 3:
        return { fn: 'sum', args: [tree(depth - 1)], named: { dim: { list: [{ literal: 0 }] }, keepdim: { literal: true } } }
      default:
        return { op: pick(Object.keys(METHODS)), left: tree(depth - 1), right: tree(depth - 1) }
    }
  }
  const space = () => ' '.repeat(next(3))
  /** The text of a tree where operators of at least `level` may stand without parentheses. */
  const text = (n, level = -1) => {
    let out
    let own = 9
    if (n.var) out = n.var
    else if ('literal' in n) out = JSON.stringify(n.literal)
    else if (n.list) out = `[${n.list.map((x) => text(x)).join(',')}]`
    else if (n.fn) {
      const named = Object.entries(n.named ?? {}).map(([k, v]) => `${k}${space()}=${space()}${text(v)}`)
      out = `${n.fn}(${space()}${[...n.args.map((x) => text(x)), ...named].join(`${space()},${space()}`)}${space()})`
    } else if (n.op === '?:') {
      own = -1
      out = `${text(n.cond, 0)}${space()}?${space()}${text(n.then)}${space()}:${space()}${text(n.else)}`
    } else {
      own = levelOf(n.op)
      if (n.arg) out = `${n.op === 'neg' ? '-' : '~'}${space()}${text(n.arg, own)}`
      else {
        const right = n.op === '**' ? (n.right.op === 'neg' || n.right.op === '~' ? 6 : own) : own + 1
        const left = n.op === '**' || own === 3 ? own + 1 : own
        out = `${text(n.left, left)}${space()}${n.op}${space()}${text(n.right, right)}`
      }
    }
    return own < level || next(8) === 0 ? `(${space()}${out}${space()})` : out
  }
  return { tree, text }
}

const FAILED = Symbol('failed')
/** The value of a tree by methods; numbers stay numbers where Python's rules are JavaScript's. */
function value(n, at) {
  if (n.var) return at[n.var]
  if ('literal' in n) return n.literal
  if (n.fn) {
    const [x] = n.args.map((a) => value(a, at))
    if (!(x instanceof torch.Tensor)) throw FAILED
    return n.fn === 'sum' ? x.sum([0], true) : n.fn === 'relu' ? x.relu() : n.fn === 'abs' ? x.abs() : torch.special.expit(x)
  }
  if (n.op === '?:') {
    const [c, a, b] = [n.cond, n.then, n.else].map((x) => value(x, at))
    if (!(c instanceof torch.Tensor)) return Number(c) !== 0 ? a : b
    return torch.where(c, a, b)
  }
  if (n.arg) {
    const x = value(n.arg, at)
    if (x instanceof torch.Tensor) return n.op === 'neg' ? x.neg() : x.bitwise_not()
    if (n.op === 'neg' && typeof x === 'number') return -x
    throw FAILED
  }
  const l = value(n.left, at),
    r = value(n.right, at)
  if (l instanceof torch.Tensor) return l[METHODS[n.op]](r)
  if (r instanceof torch.Tensor) {
    const turned = { '==': 'eq', '!=': 'ne', '<': 'gt', '<=': 'ge', '>': 'lt', '>=': 'le' }[n.op]
    if (turned) return r[turned](l)
    const f = torch[METHODS[n.op]]
    return n.op === '@' ? f(torch.tensor(l), r) : f(l, r)
  }
  if (typeof l !== 'number' || typeof r !== 'number' || !['+', '-', '*'].includes(n.op)) throw FAILED
  return n.op === '+' ? l + r : n.op === '-' ? l - r : l * r
}

describe('random expressions', () => {
  it('have the tree that was written, whatever the spaces and parentheses', () => {
    const g = generator(1)
    for (let k = 0; k < 2000; k++) {
      const tree = g.tree(1 + (k % 5))
      const text = g.text(tree)
      assert.deepEqual($.parse(text), tree, text)
    }
  })
  it('have the value of the methods', () => {
    const g = generator(2)
    let compared = 0
    let refused = 0
    torch.manual_seed(0)
    const at = {
      a: torch.randn(2, 2),
      b: torch.randint(-3, 4, [2, 2]),
      c_1: torch.tensor([
        [true, false],
        [true, true],
      ]),
      $d: torch.randn(2, 1),
    }
    for (let k = 0; k < 1500; k++) {
      const tree = g.tree(1 + (k % 4))
      const text = g.text(tree)
      const run = $(text)
      const given = Object.fromEntries(run.variables.map((v) => [v, at[v]]))
      let wanted
      try {
        wanted = value(tree, at)
      } catch (e) {
        if (e === FAILED) continue
        // What the operators refuse, the expression refuses with the same words and the position.
        const got = failure(() => run(given))
        if (e.code !== 'TypeError') {
          assert.equal(got.code, e.code, text)
          assert.ok(got.message.startsWith(e.message), `${text}\n${e.message}\n${got.message}`)
        }
        refused++
        continue
      }
      if (!(wanted instanceof torch.Tensor)) continue
      same(run(given), wanted)
      compared++
    }
    assert.ok(compared > 300, `${compared} compared`)
    assert.ok(refused > 100, `${refused} refused`)
  })
  it('texts that are none are errors with a position, never crashes', () => {
    let s = 3
    const next = (n) => {
      s = (Math.imul(s, 1103515245) + 12345) >>> 0
      return (s >>> 8) % n
    }
    const pieces = [...'ab(){}[],?:=.+-*/%@<>&|^~!#$\'"\\;0123456789e \n\tü', '**', '//', '==', 'sum(', 'dim=', 'true', '1e9']
    for (let k = 0; k < 5000; k++) {
      const text = Array.from({ length: next(14) }, () => pieces[next(pieces.length)]).join('')
      let run
      try {
        run = $(text)
      } catch (e) {
        assert.ok(e instanceof torch.TorchError && / at position \d+ of the expression "/.test(e.message), `${text}: ${e}`)
        continue
      }
      try {
        run(Object.fromEntries(run.variables.map((v) => [v, torch.ones(2)])))
      } catch (e) {
        assert.ok(e instanceof torch.TorchError, `${text}: ${e}`)
      }
    }
  })
})

describe('functions', () => {
  const x = torch.randn(3, 4)
  const is = (text, wanted, more = {}) => {
    const run = $(text)
    same(run(Object.fromEntries(run.variables.map((v) => [v, { x, ...more }[v]]))), wanted)
  }
  it('are called by name, with arguments by place and by name', () => {
    is('softmax(x, -1)', x.softmax(-1))
    is('softmax(x, dim=0)', x.softmax(0))
    is('sum(x, [0, 1])', x.sum([0, 1]))
    is('sum(x, 1, true)', x.sum(1, true))
    is('clamp(x, 0, 0.5)', x.clamp(0, 0.5))
    is('clamp(x, min=-0.5)', x.clamp(-0.5))
    is('where(x > 0, x, 0)', torch.where(x.gt(0), x, 0))
    is('linalg.norm(x)', torch.linalg.norm(x))
    is('nn.functional.layer_norm(x, [4])', torch.nn.functional.layer_norm(x, [4]))
    is('layer_norm(x, [4])', torch.nn.functional.layer_norm(x, [4]))
    is('torch.linalg.norm(x, 1, 0)', torch.linalg.norm(x, 1, 0))
    is('special.expit(x)', torch.special.expit(x))
    is('fft.fft(x)', torch.fft.fft(x))
    is('view(x, 2, -1)', x.view(2, -1))
    is('view(x, [2, 6])', x.view(2, 6))
    is('permute(x, 1, 0)', x.permute(1, 0))
    is('zeros(2, 3, dtype="int64")', torch.zeros(2, 3, { dtype: 'int64' }))
    is('to(x, "float64")', x.to('float64'))
    is('cat([x, x], dim=1)', torch.cat([x, x], 1))
    is('cat(split(x, 2, 1), 0)', torch.cat([...x.split(2, 1)], 0))
    is('einsum("ij,kj->ik", [x, x])', torch.einsum('ij,kj->ik', x, x))
    is('max(x, 1).values', x.max(1).values)
    is('max(x, 1)[1]', x.max(1).indices)
    is('topk(x, k=2).indices[0]', x.topk(2).indices.select(0, 0))
    is('x[-1]', x.select(0, -1))
    is('mse_loss(x, y, reduction="sum")', torch.nn.functional.mse_loss(x, x.neg(), { reduction: 'sum' }), { y: x.neg() })
    is('sum(x, d)', x.sum(1), { d: 1 })
    is('view(x, [n, 12 // n])', x.view(6, 2), { n: 6 })
    is('dropout(x, 0.5, false)', x)
    is('rearrange(x, "a (b c) -> b (a c)", c=2)', torch.rearrange(x, 'a (b c) -> b (a c)', { c: 2 }))
    is('reduce(x, "a b -> a", "mean")', torch.reduce(x, 'a b -> a', 'mean'))
  })
  it('all functions of the torch namespace are there', () => {
    const missing = Object.keys(torch)
      .filter((name) => typeof torch[name] === 'function' && typeof torch.Tensor.prototype[name] === 'function' && !name.endsWith('_'))
      .filter((name) => /there is no function/.test(failure(() => $(`${name}()`)({})).message))
    // written in TypeScript, or names of other things
    assert.deepEqual(
      missing.filter(
        (n) =>
          !['at', 'nonzero_tuple', 'unique', 'unique_consecutive', 'lu', 'dispose', 'numel', 'is_complex', 'is_floating_point'].includes(n),
      ),
      [],
    )
  })
  it('wrong arguments are refused', () => {
    const message = (text) => failure(() => $(text)({ x })).message
    assert.match(
      message('relu(x, 1)'),
      /^relu\(\) received an invalid combination of arguments - got \(Tensor, int\), but expected \(Tensor self\), at position 0/,
    )
    assert.match(message('1 + nothing(x)'), /^there is no function "nothing", at position 4 of the expression "1 \+ nothing\(x\)"$/)
    assert.match(message('linalg.relu(x)'), /^there is no function "linalg\.relu"/)
    assert.match(message('softmax(x, dimension=1)'), /^softmax\(\) received an invalid combination/)
    assert.match(message('softmax(x, 5)'), /^Dimension out of range \(expected to be in range of \[-2, 1\], but got 5\), at position 0/)
    assert.match(message('rearrange(x, "a b -> b")'), /Identifiers only on one side.*, at position 0 of the expression/s)
  })
})

describe('$', () => {
  const x = torch.randn(2, 3),
    w = torch.randn(3, 4),
    b = torch.randn(4)
  it('patterns', () => {
    const layer = $('relu(x @ w + b)')
    assert.equal(layer.pattern, 'relu(x @ w + b)')
    assert.deepEqual(layer.variables, ['x', 'w', 'b'])
    same(layer({ x, w, b }), x.matmul(w).add(b).relu())
    same($('x * s')({ x, s: 2 }), x.mul(2))
    same($('n * s')({ n: torch.tensor([1, 2], { dtype: 'int64' }), s: 2 }), torch.tensor([2, 4], { dtype: 'int64' }))
    same($('2')({}), torch.tensor(2n))
    same($('1 / 2')({}), torch.tensor(0.5))
    same($('x')({ x }), x)
    assert.equal(failure(() => layer({ x, w })).message, `the expression "relu(x @ w + b)" has no value for 'b' (given: 'x', 'w')`)
    assert.equal(
      failure(() => layer({ x, w, b, c: 1 })).message,
      `the expression "relu(x @ w + b)" has no variable 'c' (its variables: 'x', 'w', 'b')`,
    )
    assert.equal(failure(() => layer({ x, w, b: 'a' })).message, "$(): the value of 'b' must be Tensor or a number, not str")
    assert.equal(failure(() => layer(5)).message, '$(): the bindings must be an object { name: value }, not int')
    assert.match(failure(() => $(5)).message, /must be str, not int/)
    assert.match(failure(() => $('x @')).message, /^expected an operand, but the expression ends, at position 3/)
  })
  it('templates', () => {
    same($`${x} @ ${w} + ${b}`, x.matmul(w).add(b))
    same($`${x} * ${2} + 1`, x.mul(2).add(1))
    const half = (t) => $`${t} / 2`
    same(half(x), x.div(2))
    same(half(w), w.div(2))
    assert.match(failure(() => $`1 + 1`).message, /has no values/)
    assert.match(failure(() => $`${x} + y`).message, /variables without a value: 'y'/)
    assert.match(failure(() => $`${x} ${x}`).message, /expected an operator or the end/)
    assert.match(failure(() => $`${x} + ${'a'}`).message, /must be Tensor or a number, not str/)
  })
  it('lazy expressions', () => {
    const lazy = $.lazy('x @ w + b')
    assert.deepEqual(
      [lazy.pattern, lazy.variables, lazy.unboundVariables, lazy.isComplete],
      ['x @ w + b', ['x', 'w', 'b'], ['x', 'w', 'b'], false],
    )
    const some = lazy.with({ x, w })
    assert.deepEqual([some.unboundVariables, Object.keys(some.bindings), lazy.unboundVariables.length], [['b'], ['x', 'w'], 3])
    same(some.execute({ b }), x.matmul(w).add(b))
    same(some.with({ b }).execute(), x.matmul(w).add(b))
    assert.ok(some.with({ b }).isComplete)
    assert.match(failure(() => some.execute()).message, /has no value for 'b'/)
    assert.match(failure(() => lazy.with({ c: 1 })).message, /has no variable 'c'/)
    assert.ok(lazy instanceof torch.LazyExpression && lazy instanceof torch.tx.LazyExpression)
  })
  it('passes gradients on', () => {
    const p = torch.randn(3, 4, { requires_grad: true })
    $('sum(tanh(x @ p) ** 2)')({ x, p }).backward()
    const q = p.detach().requires_grad_()
    x.matmul(q).tanh().pow(2).sum().backward()
    same(p.grad, q.grad)
  })
  it('frees what is between, at once', () => {
    const big = torch.ones(1 << 18)
    const run = $('((((x + 1) * 2 - 3) / 4 + 5) * 6 - 7) / 8')
    run({ x: big }).dispose()
    const live = torch.memory_stats()
    torch.reset_peak_memory_stats()
    run({ x: big }).dispose()
    const { peak_bytes, live_bytes, live_tensors } = torch.memory_stats()
    assert.ok(peak_bytes - live.live_bytes <= 2 * big.nbytes + 65536, `${peak_bytes - live.live_bytes}`)
    assert.deepEqual([live_bytes, live_tensors], [live.live_bytes, live.live_tensors])
  })
})
