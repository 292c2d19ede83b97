// torch.autograd.backward and grad.
import { BUILTIN } from '../generated/calls.js'
import { isOptions, typeName } from '../runtime/arguments.js'
import { Arguments, fail, wrapOptional } from '../runtime/call.js'
import { host } from '../runtime/host.js'
import { TorchError } from '../runtime/errors.js'
import { Tensor } from '../tensor.js'
import { checkOptions, tensorList, type Tensors } from './lists.js'

export interface BackwardOptions {
  readonly gradient?: Tensor | null
  readonly grad_tensors?: Tensor | readonly (Tensor | null)[] | null
  /** Keep what backward needs, so that it can run again. Default: `create_graph`. */
  readonly retain_graph?: boolean | null
  /** Record the gradients' own computation, for higher derivatives. */
  readonly create_graph?: boolean
  /** Only these get a gradient. Default: all leaves. */
  readonly inputs?: Tensors | null
}

/** @internal */
export function runBackward(
  name: string,
  tensors: readonly Tensor[],
  grads: readonly (Tensor | null)[],
  options: BackwardOptions,
  method = false,
): void {
  checkOptions(name, options, [method ? 'gradient' : 'grad_tensors', 'retain_graph', 'create_graph', 'inputs'])
  for (const g of grads)
    if (g !== null && !(g instanceof Tensor))
      throw new TorchError(`gradients can be either Tensors or None, but got ${typeName(g)}`, 'TypeError')
  const create = options.create_graph ?? false
  const retain = options.retain_graph ?? create
  const inputs = options.inputs ? tensorList(options.inputs, name, 'inputs') : []
  const call = new Arguments().tensors(tensors).tensors(grads).bool(retain).bool(create).tensors(inputs)
  if (call.call(BUILTIN.backward) <= 0) fail()
}

/** Adds the gradients of `tensors` to the `grad` of the leaves that they were computed from. */
export function backward(tensors: Tensors, options?: BackwardOptions): void
export function backward(
  tensors: Tensors,
  grad_tensors?: Tensor | readonly (Tensor | null)[] | null,
  retain_graph?: boolean | null | BackwardOptions,
  create_graph?: boolean | BackwardOptions,
  inputs?: Tensors | null | BackwardOptions,
  options?: BackwardOptions,
): void
export function backward(tensors: Tensors, ...rest: unknown[]): void {
  const o = collect(rest, ['grad_tensors', 'retain_graph', 'create_graph', 'inputs']) as BackwardOptions
  const outputs = tensorList(tensors, 'backward', 'tensors')
  const grads = o.grad_tensors === undefined || o.grad_tensors === null ? [] : tensorList(o.grad_tensors, 'backward', 'grad_tensors', true)
  runBackward('backward', outputs, grads, o)
}

export interface GradOptions {
  readonly grad_outputs?: Tensor | readonly (Tensor | null)[] | null
  readonly retain_graph?: boolean | null
  readonly create_graph?: boolean
  /** null for inputs that the outputs do not depend on, instead of an error. */
  readonly allow_unused?: boolean | null
  /** Zeros in the place of those nulls. */
  readonly materialize_grads?: boolean
}

/** The gradients of `outputs` with respect to `inputs`, one an input. `grad` of tensors is left alone. */
export function grad(outputs: Tensors, inputs: Tensors, options?: GradOptions & { readonly allow_unused?: false | null }): Tensor[]
export function grad(outputs: Tensors, inputs: Tensors, options: GradOptions): (Tensor | null)[]
export function grad(
  outputs: Tensors,
  inputs: Tensors,
  grad_outputs?: Tensor | readonly (Tensor | null)[] | null,
  retain_graph?: boolean | null | GradOptions,
  create_graph?: boolean | GradOptions,
  options?: GradOptions,
): Tensor[]
export function grad(outputs: Tensors, inputs: Tensors, ...rest: unknown[]): (Tensor | null)[] {
  const o = collect(rest, ['grad_outputs', 'retain_graph', 'create_graph', 'allow_unused', 'materialize_grads']) as GradOptions
  checkOptions('grad', o, ['grad_outputs', 'retain_graph', 'create_graph', 'allow_unused', 'materialize_grads'])
  const from = tensorList(outputs, 'grad', 'outputs')
  const to = tensorList(inputs, 'grad', 'inputs')
  const grads = o.grad_outputs === undefined || o.grad_outputs === null ? [] : tensorList(o.grad_outputs, 'grad', 'grad_outputs', true)
  const create = o.create_graph ?? false
  const unused = (o.allow_unused ?? false) || (o.materialize_grads ?? false)
  const call = new Arguments()
    .tensors(from)
    .tensors(to)
    .tensors(grads)
    .bool(o.retain_graph ?? create)
    .bool(create)
    .bool(unused)
  if (call.call(BUILTIN.grad_of) <= 0) fail()
  const handles = Array.from(host.f64.subarray(0, to.length))
  const results = handles.map(wrapOptional)
  if (!o.materialize_grads) return results
  return results.map((g, i) => g ?? to[i]!.detach().mul(0))
}

/** Positional arguments in this order, the last of which may be an options object. */
export function collect(rest: readonly unknown[], names: readonly string[]): Record<string, unknown> {
  const given = [...rest]
  while (given.length > 0 && given.at(-1) === undefined) given.pop()
  const options = isOptions(given.at(-1)) ? (given.pop() as Record<string, unknown>) : {}
  const result: Record<string, unknown> = { ...options }
  given.forEach((v, i) => {
    const name = names[i]
    if (name !== undefined && v !== undefined && !isOptions(v)) result[name] = v
  })
  return result
}
