// torch.autograd: backward, grad, modes, hooks, custom functions, gradcheck.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import torch from 'torch.js'

const leaf = (data, dtype = 'float64') => torch.tensor(data, { dtype, requires_grad: true })
const fails = (fn, code, message) =>
  assert.throws(fn, (e) => {
    assert.equal(e.code, code, `${e.stack}`)
    if (message instanceof RegExp) assert.match(e.message, message)
    else assert.equal(e.message, message)
    return true
  })

describe('backward', () => {
  it('adds to grad', () => {
    const x = leaf([1, 2])
    x.pow(2).sum().backward()
    x.pow(2).sum().backward()
    assert.deepEqual(x.grad.toArray(), [4, 8])
    assert.equal(x.grad, x.grad)
    x.grad = null
    assert.equal(x.grad, null)
  })
  it('takes a gradient, options, inputs', () => {
    const x = leaf([1, 2])
    const w = leaf([3, 4])
    x.mul(w).backward(torch.tensor([1, 10], { dtype: 'float64' }), { inputs: [x] })
    assert.deepEqual(x.grad.toArray(), [3, 40])
    assert.equal(w.grad, null)
    const y = x.pow(3).sum()
    y.backward({ retain_graph: true })
    y.backward()
    fails(() => y.backward(), 'RuntimeError', /backward through the graph a second time/)
    fails(() => x.mul(2).backward(), 'RuntimeError', 'grad can be implicitly created only for scalar outputs')
    fails(() => torch.ones(1).backward(), 'RuntimeError', 'element 0 of tensors does not require grad and does not have a grad_fn')
    fails(() => y.backward({ keep: true }), 'TypeError', /unexpected keyword argument 'keep'/)
  })
  it('tells the graph', () => {
    const x = leaf([1])
    assert.equal(x.is_leaf, true)
    assert.equal(x.grad_fn, null)
    assert.equal(x.mul(2).is_leaf, false)
    assert.equal(x.mul(2).grad_fn.name, 'MulBackward0')
    const y = x.mul(2)
    y.retain_grad()
    y.sum().backward()
    assert.deepEqual(y.grad.toArray(), [1])
  })
})

describe('grad', () => {
  it('returns gradients', () => {
    const x = leaf([2])
    const [g] = torch.autograd.grad(x.pow(3).sum(), x, { create_graph: true })
    const [gg] = torch.autograd.grad(g.sum(), [x])
    assert.deepEqual([g.item(), gg.item()], [12, 12])
    assert.equal(x.grad, null)
  })
  it('complains of inputs that are not used', () => {
    const x = leaf([2])
    const z = leaf([2])
    fails(() => torch.autograd.grad(x.sum(), z), 'RuntimeError', /appears to not have been used in the graph/)
    assert.deepEqual(torch.autograd.grad(x.sum(), [z], { allow_unused: true }), [null])
    assert.deepEqual(torch.autograd.grad(x.sum(), [z], { materialize_grads: true })[0].toArray(), [0])
  })
})

describe('modes', () => {
  const x = leaf([1])
  it('run a function', () => {
    assert.equal(
      torch.no_grad(() => x.mul(2).requires_grad),
      false,
    )
    assert.equal(
      torch.no_grad(() => torch.enable_grad(() => x.mul(2).requires_grad)),
      true,
    )
    assert.equal(
      torch.set_grad_enabled(false, () => torch.is_grad_enabled()),
      false,
    )
    assert.equal(
      torch.inference_mode(() => torch.is_inference_mode_enabled()),
      true,
    )
    assert.throws(
      () =>
        torch.no_grad(() => {
          throw new Error('x')
        }),
      /x/,
    )
    assert.equal(torch.is_grad_enabled(), true)
  })
  it('await promises', async () => {
    const during = await torch.no_grad(async () => {
      await null
      return torch.is_grad_enabled()
    })
    assert.equal(during, false)
    assert.equal(torch.is_grad_enabled(), true)
  })
  it('guard a block', () => {
    const guard = torch.no_grad()
    assert.equal(torch.is_grad_enabled(), false)
    guard[Symbol.dispose]()
    guard[Symbol.dispose]()
    assert.equal(torch.is_grad_enabled(), true)
  })
  it('name the operator of a NaN', () => {
    fails(() => torch.autograd.detect_anomaly(() => leaf([-1]).sqrt().sum().backward()), 'RuntimeError', /SqrtBackward0.*nan/)
  })
})

describe('hooks', () => {
  it('see and replace gradients', () => {
    const x = leaf([1, 2])
    const seen = []
    const handle = x.register_hook((g) => {
      seen.push(g.toArray())
      return g.mul(10)
    })
    x.sum().backward()
    handle.remove()
    x.sum().backward()
    assert.deepEqual(seen, [[1, 1]])
    assert.deepEqual(x.grad.toArray(), [11, 11])
  })
  it('throw through backward', () => {
    const x = leaf([1])
    x.register_hook(() => {
      throw new RangeError('mine')
    })
    assert.throws(() => x.sum().backward(), RangeError)
    assert.equal(x.grad, null)
  })
  it('run after accumulation', () => {
    const x = leaf([1])
    let seen = null
    x.register_post_accumulate_grad_hook((t) => (seen = t.grad.toArray()))
    x.mul(3).sum().backward()
    assert.deepEqual(seen, [3])
  })
})

class Cube extends torch.autograd.Function {
  static forward(ctx, x) {
    ctx.save_for_backward(x)
    return x.mul(x).mul(x)
  }
  static backward(ctx, grad) {
    const [x] = ctx.saved_tensors
    return grad.mul(x).mul(x).mul(3)
  }
}

describe('Function', () => {
  it('has a derivative of its own', () => {
    const x = leaf([2, 3])
    const y = Cube.apply(x)
    assert.equal(y.grad_fn.name, 'CubeBackward')
    y.sum().backward()
    assert.deepEqual(x.grad.toArray(), [12, 27])
    assert.ok(torch.autograd.gradcheck(Cube.apply.bind(Cube), [x]))
    assert.ok(torch.autograd.gradgradcheck(Cube.apply.bind(Cube), [x]))
    assert.equal(
      torch.no_grad(() => Cube.apply(x).requires_grad),
      false,
    )
  })
  it('takes other arguments and gives several results', () => {
    class Scale extends torch.autograd.Function {
      static forward(ctx, x, factor, w) {
        ctx.factor = factor
        assert.deepEqual(ctx.needs_input_grad, [true, false, false])
        return [x.mul(factor), w.add(1)]
      }
      static backward(ctx, a, b) {
        assert.deepEqual(b.toArray(), [0, 0])
        return [a.mul(ctx.factor), null, null]
      }
    }
    const x = leaf([1, 2])
    const [a] = Scale.apply(x, 5, torch.ones(2, { dtype: 'float64' }))
    a.sum().backward()
    assert.deepEqual(x.grad.toArray(), [5, 5])
  })
  it('marks what is dirty and what has no gradient', () => {
    class Twice extends torch.autograd.Function {
      static forward(ctx, x) {
        ctx.mark_dirty(x)
        return x.mul_(2)
      }
      static backward(ctx, g) {
        return g.mul(2)
      }
    }
    const x = leaf([1, 2])
    const y = x.clone()
    const z = Twice.apply(y)
    z.sum().backward()
    assert.deepEqual(x.grad.toArray(), [2, 2])
    assert.deepEqual(y.toArray(), [2, 4])
    class Sorted extends torch.autograd.Function {
      static forward(ctx, t) {
        const { values, indices } = t.sort()
        ctx.mark_non_differentiable(indices)
        ctx.save_for_backward(indices)
        return [values, indices]
      }
      static backward(ctx, g) {
        const [indices] = ctx.saved_tensors
        return torch.zeros_like(g).scatter(0, indices, g)
      }
    }
    const [values, indices] = Sorted.apply(leaf([2, 1]))
    assert.equal(values.requires_grad, true)
    assert.equal(indices.requires_grad, false)
  })
  it('complains of wrong gradients', () => {
    class Many extends torch.autograd.Function {
      static forward(ctx, x) {
        return x.mul(2)
      }
      static backward(ctx, g) {
        return [g, g]
      }
    }
    class Wrong extends torch.autograd.Function {
      static forward(ctx, x) {
        return x.mul(2)
      }
      static backward() {
        return torch.ones(5)
      }
    }
    fails(
      () =>
        Many.apply(leaf([1, 2]))
          .sum()
          .backward(),
      'RuntimeError',
      'function ManyBackward returned an incorrect number of gradients (expected 1, got 2)',
    )
    fails(
      () =>
        Wrong.apply(leaf([1, 2]))
          .sum()
          .backward(),
      'RuntimeError',
      'Function WrongBackward returned an invalid gradient at index 0 - got [5] but expected shape compatible with [2]',
    )
  })
  it('keeps gradients that are not there apart on request', () => {
    let second
    class Two extends torch.autograd.Function {
      static forward(ctx, x) {
        ctx.set_materialize_grads(false)
        return [x.mul(1), x.mul(2)]
      }
      static backward(ctx, a, b) {
        second = b
        return a
      }
    }
    Two.apply(leaf([1]))[0]
      .sum()
      .backward()
    assert.equal(second, null)
  })
})

describe('gradcheck', () => {
  it('passes right derivatives, also of complex functions', () => {
    assert.ok(
      torch.autograd.gradcheck(
        (a, b) => a.matmul(b),
        [
          leaf([
            [1, 2],
            [3, 4],
          ]),
          leaf([[1], [-1]]),
        ],
      ),
    )
    assert.ok(torch.autograd.gradgradcheck((x) => x.sin().mul(x), leaf([0.3, 0.7])))
  })
  it('shows wrong ones', () => {
    class Wrong extends torch.autograd.Function {
      static forward(ctx, x) {
        return x.mul(2)
      }
      static backward(ctx, g) {
        return g.mul(3)
      }
    }
    fails(
      () => torch.autograd.gradcheck((x) => Wrong.apply(x), leaf([1])),
      'GradcheckError',
      /^Jacobian mismatch for output 0 with respect to input 0,\nnumerical:/,
    )
    assert.equal(
      torch.autograd.gradcheck((x) => Wrong.apply(x), leaf([1]), { raise_exception: false }),
      false,
    )
    fails(() => torch.autograd.gradcheck((x) => x, torch.ones(1)), 'ValueError', /expects at least one input tensor to require gradient/)
  })
})
