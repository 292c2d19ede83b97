// Group op on another device than the cpu: the recorded arguments are moved there, the results and gradients come back and are compared. Reading is
// asynchronous there, so this is a way of its own; what the cpu's way tests beside (in-place and out= forms) is the same code on every device.
import { bare, callable, cotangentOf, differentiated, exactly, pointsAtValues, processedBy, TIES, WIDER } from './ops.mjs'
import { Builder, call, differs, Missing, tensorsIn } from './values.mjs'

/** The dtypes of cases that are replayed. Others have no kernels there, or are computed as one of these. */
export const DEVICE_DTYPES = ['float32', 'int32', 'bool', 'complex64']

// What reads results in the middle of a call, or is told by it, cannot be on a device.
const isMissing = (e) =>
  e.name === 'NotImplementedError' ||
  e.code === 'NotImplementedError' ||
  /not implemented for|Cannot convert a webgpu Tensor to|no kernel for this dtype/.test(e.message)

class DeviceBuilder extends Builder {
  constructor(torch, blob, device) {
    super(torch, blob)
    this.device = device
  }
  // The storage moves, so that views keep their strides.
  storage(flat) {
    return flat.to(this.device)
  }
}

async function brought(torch, v) {
  if (v instanceof torch.Tensor) return v.device === 'cpu' ? v : v.detach().cpu()
  if (Array.isArray(v)) return Promise.all(v.map((x) => brought(torch, x)))
  if (v && typeof v === 'object' && typeof v[Symbol.iterator] === 'function') return Promise.all([...v].map((x) => brought(torch, x)))
  return v
}

/** Names whose results depend on elements: on a device they are promises, of functions with this ending. */
const asynchronously = (torch, op) => torch[`${op}_async`]
// Python's positional arguments: the promises take the first ones, and options.
const POSITIONS = { bincount: ['weights', 'minlength'], allclose: ['', 'rtol', 'atol', 'equal_nan'] }
function asynchronous(torch, op) {
  const f = asynchronously(torch, op)
  return (...given) => {
    const isOptions = (a) => a !== null && typeof a === 'object' && !(a instanceof torch.Tensor)
    const options = Object.assign({}, ...given.filter(isOptions))
    const args = given.filter((a) => !isOptions(a))
    if (op === 'multinomial') return f(args[0], args[1] ?? options.num_samples, args[2] ?? options.replacement)
    if (op === 'repeat_interleave') {
      const { repeats, ...rest } = options
      return f(args[0], args[1] ?? repeats, rest)
    }
    for (const [i, name] of (POSITIONS[op] ?? []).entries()) if (name && args[i + 1] !== undefined) options[name] ??= args[i + 1]
    return f(...(op === 'bincount' ? args.slice(0, 1) : args.filter((a) => a instanceof torch.Tensor)), options)
  }
}

export async function runOpOn(torch, c, blob, info, device) {
  const f = asynchronously(torch, info.op) ? asynchronous(torch, info.op) : callable(torch, info, c)
  const b = new DeviceBuilder(torch, blob, device)
  try {
    const args = c.args.map((a) => b.value(a)),
      kwargs = b.kwargs(c.kwargs)
    // Where the recorder named its device for what is made, that is this one here; a move to the cpu is one.
    const moves = c.op === 'to'
    if (kwargs.device !== undefined && !moves) kwargs.device = device
    // A call that names no tensor makes its result where the default says.
    const creates = tensorsIn(torch, [args, Object.values(kwargs)]).length === 0
    if (creates) torch.set_default_device(device)
    let out
    try {
      out = await call(f, args, kwargs)
    } finally {
      if (creates) torch.set_default_device(null)
    }
    const toCpu = moves && /"cpu/.test(JSON.stringify([c.args, c.kwargs]))
    if (!toCpu && tensorsIn(torch, out).some((t) => t.device === 'cpu' && t.numel() > 0)) return ['the result is on the cpu']
    const failures = []
    const exact = c.gauge ? () => null : exactly(torch, c, blob, info)
    const tolerance = WIDER[c.op]
    let wrong = c.out === undefined ? '' : differs(torch, out, bare(c.out), blob, { strides: !c.random && !c.uninit })
    if (c.gauge && !wrong) {
      // Outputs that are not unique: what is the same, whatever the choice.
      if (c.processed === undefined) return []
      out = processedBy(torch, c)(out)
      wrong = differs(torch, await brought(torch, out), c.processed, blob)
      if (wrong || c.grad_of !== 'processed') return wrong ? [wrong] : []
    } else if (!wrong && c.out !== undefined) wrong = differs(torch, await brought(torch, out), c.out, blob, { tolerance })
    // Where rounding carries an element out of the tolerance, it has to be as close to the exact value as PyTorch's.
    if (/element/.test(wrong) && exact(false)) wrong = differs(torch, await brought(torch, out), c.out, blob, { exact: exact(false) })
    // Of a random operator: some draw gives it.
    for (let k = 0; info.random && /element/.test(wrong) && k < 60; k++)
      if (!differs(torch, await brought(torch, await call(f, args, kwargs)), c.out, blob)) return []
    const tie = /^out\[1\]: element/.test(wrong) && TIES.has(c.op)
    if (wrong && !(tie && pointsAtValues(torch, await brought(torch, args), kwargs, await brought(torch, out)))) failures.push(wrong)
    for (const m of c.mutated ?? []) {
      const r = differs(torch, await b.byId.get(m.id).detach().cpu(), { tensor: m.value.tensor ?? m.value }, blob)
      if (r) failures.push(`mutated argument ${m.id}: ${r}`)
    }
    if (!c.grads || failures.length || toCpu) return failures // what comes from the device has left the graph
    const { differentiable, cotangents } = differentiated(torch, out, (t, k) => cotangentOf(torch, t, k).to(device))
    const inputs = c.grads.map((g) => b.byId.get(g.id))
    if (differentiable.length === 0) return c.grads.every((g) => g.grad === null) ? [] : ['the result does not require a gradient']
    const got = torch.autograd.grad(differentiable, inputs, { grad_outputs: cotangents, allow_unused: true })
    for (const [i, g] of c.grads.entries()) {
      if (g.grad === null) continue
      const back = got[i] ? await got[i].detach().cpu() : null
      let r = back ? differs(torch, back, g.grad, blob) : 'none'
      if (/element/.test(r) && exact(true))
        r = differs(torch, back, g.grad, blob, { exact: { ...exact(true), value: exact(true).value[i] } })
      if (r) failures.push(`gradient of input ${g.id}: ${r}`)
    }
    return failures
  } catch (e) {
    if (isMissing(e)) throw new Missing(/Cannot convert/.test(e.message) ? /to (\w+) dtype/.exec(e.message)[1] : c.op)
    throw e
  }
}
