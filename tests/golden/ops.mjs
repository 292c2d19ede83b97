// Groups op and op_error: operators with recorded arguments: forward, gradients, in-place and out forms; calls that have to raise.
import { Builder, call, cotangent, differs, Inexpressible, lookup, Missing, SUPPORTED_DTYPES, tensorsIn } from './values.mjs'

// Where PyTorch's own test calls a small lambda: how its arguments are meant.
const WRAPPERS = {
  einsum: (torch) => (tensors, equation) => need(torch, 'einsum')(equation, ...tensors),
  polygamma: (torch) => (x, n) => need(torch, 'polygamma')(n?.n ?? n, x),
  'special.polygamma': (torch) => (x, n) => need(torch, 'special.polygamma')(n?.n ?? n, x),
  where:
    (torch) =>
    (self, condition, other, ...rest) =>
      torch.where(condition, self, other, ...rest),
  'nn.functional.embedding':
    (torch) =>
    (weight, index, ...rest) =>
      need(torch, 'nn.functional.embedding')(index, weight, ...rest),
  'nn.functional.embedding_bag':
    (torch) =>
    (weight, index, ...rest) =>
      need(torch, 'nn.functional.embedding_bag')(index, weight, ...rest),
  resize_: () => (x, shape) => method(x.clone(), 'resize_')(shape),
  resize_as_: () => (x, other) => method(x.clone(), 'resize_as_')(other),
  zero_: () => (x) => method(x.clone(), 'zero_')(),
  T: () => (x) => x.T,
  H: () => (x) => property(x, 'H'),
  mT: () => (x) => x.mT,
  mH: () => (x) => property(x, 'mH'),
  max_pool2d_with_indices_backward: () => () => {
    throw new Missing('max_pool2d_with_indices_backward')
  },
}
for (const op of ['svd_lowrank', 'pca_lowrank'])
  WRAPPERS[op] =
    (torch) =>
    (a, b, ...rest) =>
      need(torch, op)(a.matmul(b.mT), ...rest)
const need = (torch, path) => lookup(torch, path)
const method = (x, name) => {
  const f = x[name] ?? x[`${name}_`]
  if (typeof f !== 'function') throw new Missing(`Tensor.${name}`)
  return f.bind(x)
}
const property = (x, name) => {
  if (x[name] === undefined) throw new Missing(`Tensor.${name}`)
  return x[name]
}
// Python's operators with swapped arguments; those of commutative ones do not swap, which shows in the layout of results.
const REFLECTED = { __radd__: 'add', __rmul__: 'mul', __rand__: 'bitwise_and', __ror__: 'bitwise_or', __rxor__: 'bitwise_xor' }
const SWAPPED = { __rmatmul__: 'matmul', __rmod__: 'remainder', __rpow__: 'pow', __rsub__: 'sub' }

// Python's index to arguments of at(): a slice is [start, end, step], None inserts a dimension, a list is a tensor of indices.
function atArguments(torch, recorded, index) {
  const items = recorded.tuple ? index : [index]
  return items.map((x) => {
    if (x === null) return 'newaxis'
    if (Array.isArray(x)) return torch.tensor(x, typeof x[0] === 'boolean' ? undefined : { dtype: 'int64' })
    if (x?.slice && Array.isArray(x.slice)) {
      const [start, stop, step] = x.slice
      return start === null && stop === null && step === null ? null : step === null ? [start, stop] : [start, stop, step]
    }
    return x
  })
}

// Where PyTorch's own approximations are worse than float64 between 2 and 10: airy_ai(-2.146076312776824) is 0.13280641967828, not 0.13280857.
export const WIDER = {
  'special.airy_ai': [2e-5, 1e-6],
  'special.bessel_j0': [2e-5, 1e-6],
  'special.bessel_j1': [2e-5, 1e-6],
  'special.bessel_y0': [2e-5, 1e-6],
  'special.bessel_y1': [2e-5, 1e-6],
  matrix_exp: [5e-3, 1e-3],
  'linalg.householder_product': [1e-3, 1e-4],
}
// Among equal elements PyTorch leaves open which index is returned.
export const TIES = new Set(['kthvalue', 'mode', 'topk', 'median', 'nanmedian', 'sort', 'msort'])
export function pointsAtValues(torch, args, kwargs, out) {
  const [values, indices] = [...out]
  const x = args[0]
  if (x.ndim === 0) return true
  // The dimension is one of the small integers of the call, or the last; it may have been dropped from the result.
  for (const dim of new Set([kwargs.dim, ...args.slice(1), -1])) {
    if (!Number.isInteger(dim) || dim >= x.ndim || dim < -x.ndim) continue
    const [v, i] = indices.ndim === x.ndim ? [values, indices] : [values.unsqueeze(dim), indices.unsqueeze(dim)]
    const fits = [...i.shape].every((n, k) => n === x.shape[k] || k === (dim + x.ndim) % x.ndim)
    if (!fits || i.max().item() >= x.shape.at(dim)) continue
    const picked = torch.gather(x, dim, i)
    if (
      picked
        .eq(v)
        .logical_or(picked.ne(picked).logical_and(v.ne(v)))
        .all()
        .item()
    )
      return true
  }
  return false
}

export function callable(torch, info, c) {
  const { op, call: how } = info
  if (SWAPPED[op]) {
    const f = need(torch, SWAPPED[op])
    // Two numbers are Python's own affair.
    return (self, other, ...rest) => (typeof self === 'number' && typeof other === 'number' ? null : f(other, self, ...rest))
  }
  if (REFLECTED[op]) return need(torch, REFLECTED[op])
  if (op === '__rdiv__') return (self, other) => torch.mul(self.reciprocal(), other)
  if (op === '__getitem__') return (x, index) => x.at(...atArguments(torch, c.args[1], index))
  if (WRAPPERS[op]) return WRAPPERS[op](torch)
  // Variants of linalg that PyTorch's test wraps.
  if (how.kind === 'wrapper' && op === 'linalg.lstsq')
    return (a, b, options) => {
      const { solution, residuals } = torch.linalg.lstsq(a, b, options)
      return [solution, residuals]
    }
  if (how.kind === 'wrapper' && op === 'linalg.pinv') return (a, b) => torch.linalg.pinv(a.matmul(b.mT))
  if (how.kind === 'wrapper') {
    if (!how.hint) throw new Missing(op)
    const [kind, path] = how.hint.split(' ')
    if (kind === 'property') return (x) => property(x, path.split('.').pop())
    if (kind === 'method' || path.startsWith('torch.Tensor.')) return (x, ...rest) => method(x, path.split('.').pop())(...rest)
    return need(torch, path)
  }
  if (how.kind === 'method') return (x, ...rest) => method(x, how.path.split('.').pop())(...rest)
  return need(torch, how.path)
}

// -> list of failures (empty: passed). Throws Missing.
export function runOp(torch, c, blob, info) {
  const dtype = JSON.stringify(c.out ?? null)
    .match(/"dtype":"(\w+)"/g)
    ?.map((m) => m.slice(9, -1))
    .find((d) => !SUPPORTED_DTYPES.includes(d))
  if (dtype) throw new Missing(`dtype ${dtype}`)
  if (c.op === 'norm' && c.variant === 'nuc' && !torch.linalg?.svd) throw new Missing('linalg.svd')
  const f = callable(torch, info, c)
  const fresh = () => {
    const b = new Builder(torch, blob)
    return { b, args: c.args.map((a) => b.value(a)), kwargs: b.kwargs(c.kwargs) }
  }
  const { b, args, kwargs } = fresh()
  const failures = []
  const out = call(f, args, kwargs)
  if (c.gauge) return gauged(torch, c, blob, b, out)
  const exact = exactly(torch, c, blob, info)
  let wrong = c.out === undefined ? '' : differs(torch, out, c.out, blob, { strides: !c.random && !c.uninit, tolerance: WIDER[c.op] })
  if (/element/.test(wrong)) wrong = differs(torch, out, c.out, blob, { strides: true, tolerance: WIDER[c.op], exact: exact(false) })
  if (/element/.test(wrong) && info.random && occurs(torch, c, blob, f, fresh)) return []
  if (/^out\[1\]: element/.test(wrong) && TIES.has(c.op) && pointsAtValues(torch, args, kwargs, out)) wrong = ''
  if (wrong && b.floatIntegers && /dtype/.test(wrong)) throw new Inexpressible(wrong)
  if (wrong) failures.push(wrong)
  for (const m of c.mutated ?? []) {
    const r = differs(torch, b.byId.get(m.id), { tensor: m.value.tensor ?? m.value }, blob)
    if (r) failures.push(`mutated argument ${m.id}: ${r}`)
  }
  if (c.grads && failures.length === 0) failures.push(...gradients(torch, c, blob, b, out, exact))
  if (failures.length === 0 && !c.random && !c.uninit && !c.mutated) failures.push(...otherForms(torch, c, blob, info, fresh, out, exact))
  return failures
}

// What the call gives in float64, as a function that computes it once it is asked for: { value, largest } of the result, or of the gradients.
// null where the call has no narrower numbers.
export function exactly(torch, c, blob, info) {
  const kept = []
  const compute = (grads) => {
    if (!/float16|float32|complex64/.test(c.dtype) || c.random) return null
    try {
      const b = new Builder(torch, blob, true)
      const args = c.args.map((a) => b.value(a)),
        kwargs = b.kwargs(c.kwargs)
      const out = call(callable(torch, info, c), args, kwargs)
      const largest = Math.max(...tensorsIn(torch, [args, Object.values(kwargs), out]).map((t) => magnitude(t)))
      if (!grads) return { value: out, largest }
      const { differentiable, cotangents } = differentiated(torch, out)
      const inputs = c.grads.map((g) => b.byId.get(g.id))
      const value = torch.autograd.grad(differentiable, inputs, { grad_outputs: cotangents, allow_unused: true })
      return { value, largest: Math.max(largest, ...value.map((t) => (t ? magnitude(t) : 0))) }
    } catch {
      return null // float64 is no dtype of this call
    }
  }
  return (grads) => (kept[Number(grads)] ??= { is: compute(grads) }).is
}

const magnitude = (t) => (t.numel() === 0 || !/float|complex/.test(t.dtype) ? 0 : t.detach().abs().max().item())

// The records call random what came out differently twice; by chance some came out alike. There, the recorded result has to be a possible one.
function occurs(torch, c, blob, f, fresh) {
  torch.manual_seed(0) // the same draws in every run
  for (let draw = 0; draw < 500; draw++) {
    const { args, kwargs } = fresh()
    if (differs(torch, call(f, args, kwargs), c.out, blob) === '') return true
  }
  return false
}

export const cotangentOf = cotangent
export function differentiated(torch, out, make = (t, k) => cotangent(torch, t, k)) {
  const differentiable = [],
    cotangents = []
  tensorsIn(torch, out).forEach((t, k) => {
    if (!t.requires_grad) return
    differentiable.push(t)
    cotangents.push(make(t, k))
  })
  return { differentiable, cotangents }
}

function gradients(torch, c, blob, b, out, exact = () => null) {
  const { differentiable, cotangents } = differentiated(torch, out)
  const inputs = c.grads.map((g) => b.byId.get(g.id))
  if (differentiable.length === 0) return c.grads.every((g) => g.grad === null) ? [] : ['the result does not require a gradient']
  const got = torch.autograd.grad(differentiable, inputs, { grad_outputs: cotangents, allow_unused: true })
  const failures = []
  c.grads.forEach((g, i) => {
    const x = got[i]
    if (g.grad === null) {
      // An unused input: no gradient, or one of zeros, say the same.
      if (x && tensorsIn(torch, x).length && torch.any(x.ne(0)).item()) failures.push(`gradient of input ${g.id}: expected none`)
      return
    }
    let r = x ? differs(torch, x, g.grad, blob) : 'none'
    if (/element/.test(r) && exact(true)) r = differs(torch, x, g.grad, blob, { exact: { ...exact(true), value: exact(true).value[i] } })
    if (r) failures.push(`gradient of input ${g.id}: ${r}`)
  })
  return failures
}

// Operators whose out= is one Tensor for each of their results.
const SEVERAL_OUT = new Set('max min aminmax cummax cummin sort topk kthvalue median nanmedian mode'.split(' '))

// The in-place method and out= give what the function gives.
function otherForms(torch, c, blob, info, fresh, out, exact) {
  const several = !(out instanceof torch.Tensor) && out !== null && typeof out === 'object' && typeof out[Symbol.iterator] === 'function'
  if (several && !SEVERAL_OUT.has(c.op)) return []
  if (several && ![...out].every((t) => t instanceof torch.Tensor)) return []
  const compare = (t) => {
    const r = differs(torch, t, c.out, blob, { tolerance: WIDER[c.op] })
    return /element/.test(r) ? differs(torch, t, c.out, blob, { tolerance: WIDER[c.op], exact: exact(false) }) : r
  }
  const failures = []
  if (!several && !(out instanceof torch.Tensor)) return failures
  const first = c.args[0]?.tensor
  if (!several && info.inplace && info.inplace_name && first && !first.rg) {
    const { args, kwargs } = fresh()
    const inplace = args[0][info.inplace_name]
    const target = first.dtype === c.out.tensor?.dtype
    if (typeof inplace === 'function' && target && !('out' in kwargs) && !('dtype' in kwargs)) {
      const self = args[0].clone()
      let raised = null
      try {
        call(inplace.bind(self), args.slice(1), kwargs)
      } catch (e) {
        raised = e
      }
      // What does not fit into its input has to raise; views may change the shape of the tensor itself.
      if (c.out.tensor.alias === undefined && JSON.stringify(c.out.tensor.shape) !== JSON.stringify(first.shape)) {
        if (!raised) failures.push(`${info.inplace_name} has to raise: its result is larger than its input`)
      } else if (raised) failures.push(`${info.inplace_name}: ${raised.message}`)
      else {
        const r = compare(self)
        if (r) failures.push(`${info.inplace_name}: ${r}`)
      }
    }
  }
  if (
    info.supports_out &&
    info.call.kind === 'function' &&
    !c.args.some(function requires(a) {
      return Array.isArray(a) ? a.some(requires) : a?.tensor?.rg
    }) &&
    !Object.values(c.kwargs).some((v) => v?.tensor?.rg)
  ) {
    const { args, kwargs } = fresh()
    const like = (t) => torch.empty([...t.shape], { dtype: t.dtype })
    const target = several ? [...out].map(like) : like(out)
    try {
      call(callable(torch, info, c), args, { ...kwargs, out: target })
      const r = several && TIES.has(c.op) ? '' : compare(target)
      if (r) failures.push(`out=: ${r}`)
    } catch (e) {
      if (!/unknown|unexpected|out/.test(e.message) || /DisposedError|InternalError/.test(e.name)) failures.push(`out=: ${e.message}`)
    }
  }
  return failures
}

// Outputs that are not unique: what the named Python function makes of them is.
export function processedBy(torch, c) {
  const adjoint = (x) => x.transpose(-2, -1).conj()
  const singular = ([U, S, V]) => {
    const k = S.shape.at(-1)
    const Vh = c.op === 'svd' ? adjoint(V) : V
    return [U.narrow(-1, 0, k), S, Vh.narrow(-2, 0, k)]
  }
  const functions = {
    fn: ([U, S, V]) => [U.matmul(adjoint(V)), S],
    fn_U: (usv) => singular(usv)[0].abs(),
    fn_S: (usv) => singular(usv)[1],
    fn_Vh: (usv) => [singular(usv)[1], singular(usv)[2].abs()],
    fn_UVh: (usv) => [singular(usv)[0].matmul(singular(usv)[2]), singular(usv)[1]],
  }
  const [, name] = /^def (\w+)/.exec(c.gauge)
  if (functions[name]) return functions[name]
  if (/abs\(output\[1\]\)/.test(c.gauge)) return (out) => (out instanceof torch.Tensor ? out : [[...out][0], [...out][1].abs()])
  if (/op_info\.name == "linalg\.lu"/.test(c.gauge)) return (out) => (c.op === 'linalg.lu' ? [...out].slice(1) : out)
  if (/return output\[1\], output\[2\]/.test(c.gauge)) return (out) => [...out].slice(1)
  throw new Missing(`gauge ${c.gauge}`)
}

// Shapes, dtypes and layouts alone.
export const bare = (v) =>
  Array.isArray(v) ? v.map(bare) : v?.tuple ? { ...v, tuple: v.tuple.map(bare) } : v?.tensor ? { tensor: { ...v.tensor, nodata: true } } : v

function gauged(torch, c, blob, b, out) {
  // These are the same, whatever the gauge.
  const shape = differs(torch, out, bare(c.out), blob, { strides: !c.random })
  if (shape) return [shape]
  if (c.processed === undefined) return []
  const got = processedBy(torch, c)(out)
  const wrong = differs(torch, got, c.processed, blob)
  if (wrong) return [wrong]
  return c.grads && c.grad_of === 'processed' ? gradients(torch, c, blob, b, got) : []
}

// A call that has to raise: it does, and says what PyTorch's tests want to hear.
export function runOpError(torch, c, blob, info) {
  if (/^__r\w+__$/.test(c.op) && c.args.every((x) => typeof x === 'number'))
    throw new Inexpressible('an operator between numbers of Python')
  const f = callable(torch, info, c)
  const b = new Builder(torch, blob)
  let raised = null
  try {
    const args = c.args.map((a) => b.value(a)),
      kwargs = b.kwargs(c.kwargs)
    call(f, args, kwargs)
  } catch (e) {
    if (e instanceof Missing) throw e
    raised = e
  }
  // 1.0 where an int is wanted: JavaScript's 1 is both.
  if (!raised && b.floatIntegers && /received an invalid combination/.test(c.raised?.message ?? ''))
    throw new Inexpressible('a float that is whole')
  return judgeError(torch, raised, c)
}

// Python's regular expressions, as far as the records use them, are JavaScript's.
export function judgeError(torch, raised, c) {
  if (/descriptor '__\w+__'|object has no attribute '(reciprocal|__\w+__)'/.test(c.raised?.message ?? ''))
    throw new Inexpressible('an operator method of Python')
  if (c.raised === null) return raised ? [`raised '${raised.message}', PyTorch raises nothing`] : []
  if (!raised) return [`raised nothing, expected '${c.raised.message}'`]
  if (!(raised instanceof torch.TorchError))
    return [`raised ${raised.name} '${raised.message}', which is no TorchError; expected '${c.raised.message}'`]
  // Messages about Python itself (descriptors, the signature of a C function) have no counterpart; that it raises is what matters there.
  if (
    /descriptor '|argument '.*' must be|received an invalid combination|object has no attribute|unsupported operand|positional argument|not 'int'|must be .*, not|invalid literal for int|new\(\): invalid data type/.test(
      c.raised.message,
    )
  )
    return []
  // Ours may go on to say what would be right; the devices that a build knows differ.
  const same = (text) => text.replace(/Expected one of [\w, ]+ device type/, 'Expected one of ... device type').trim()
  if (same(raised.message).startsWith(same(c.raised.message))) return []
  let regexp = null
  try {
    regexp = c.error_regex ? new RegExp(c.error_regex, 's') : null
  } catch {
    regexp = null
  }
  return regexp?.test(raised.message) ? [] : [`says '${raised.message}', expected '${c.raised.message}'`]
}
