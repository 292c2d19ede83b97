// Backward hooks of modules: identity functions around a module that see the gradients on their way through.

import { Function as AutogradFunction, type FunctionCtx } from '../autograd/function.js'
import { Tensor } from '../tensor.js'
import { typeError } from './errors.js'
import type { BackwardHook, BackwardPreHook } from './hooks.js'
import type { Module } from './module.js'
import { isPlainObject, typeName } from './text.js'

type Grads = readonly (Tensor | null)[]
type Watcher = (grads: Grads) => Grads

/** Gives its tensors through; their gradients go through `watch`. */
class Watch extends AutogradFunction {
  static override forward(ctx: FunctionCtx, watch: Watcher, ...tensors: Tensor[]): Tensor[] {
    ctx.set_materialize_grads(false)
    watchers.set(ctx, watch)
    return tensors.map((tensor) => tensor.detach())
  }
  static override backward(ctx: FunctionCtx, ...grads: (Tensor | null)[]): (Tensor | null)[] {
    const watch = watchers.get(ctx)
    return [null, ...(watch ? watch(grads) : grads)]
  }
}

const watchers = new WeakMap<object, Watcher>()

/** Every tensor in a value that requires a gradient, and the same value with others in their place. */
function replaceTensors(value: unknown, watch: (all: (Tensor | null)[]) => Watcher): { value: unknown; watched: number } {
  const all: Tensor[] = []
  const collect = (v: unknown): void => {
    if (v instanceof Tensor) all.push(v)
    else if (Array.isArray(v)) v.forEach(collect)
    else if (isPlainObject(v)) Object.values(v).forEach(collect)
  }
  collect(value)
  const needing = all.filter((tensor) => tensor.requires_grad)
  if (needing.length === 0) return { value, watched: 0 }
  const inner = watch(all)
  const wide: Watcher = (grads) => {
    // Gradients of all tensors, those that need none included, as the hooks expect them.
    const next = inner(all.map((tensor) => (tensor.requires_grad ? (grads[needing.indexOf(tensor)] ?? null) : null)))
    return needing.map((tensor) => next[all.indexOf(tensor)] ?? null)
  }
  const result: unknown = (Watch as unknown as { apply(...args: unknown[]): unknown }).apply(wide, ...needing)
  const fresh = (Array.isArray(result) ? result : [result]) as Tensor[]
  const replace = (v: unknown): unknown => {
    if (v instanceof Tensor) return v.requires_grad ? (fresh[needing.indexOf(v)] ?? v) : v
    if (Array.isArray(v)) return v.map(replace)
    if (isPlainObject(v)) return Object.fromEntries(Object.entries(v).map(([key, item]) => [key, replace(item)]))
    return v
  }
  return { value: replace(value), watched: needing.length }
}

function replaced(result: unknown, old: Grads, hook: string): Grads {
  if (result === undefined || result === null) return old
  const list: unknown[] = result instanceof Tensor ? [result] : (result as unknown[])
  if (!Array.isArray(list)) throw typeError(`${hook} returned a value of type ${typeName(result)}, but Tensors or None were expected`)
  if (list.length !== old.length) {
    throw typeError(`${hook} returned an invalid number of grads, got ${list.length}, but expected ${old.length}`)
  }
  return list as (Tensor | null)[]
}

/** Runs `forward` so that in the backward pass `preHooks` see the gradients of its outputs, and `hooks` those of its inputs as well. */
export function applyBackwardHooks(
  module: Module,
  args: unknown[],
  preHooks: readonly BackwardPreHook<never>[],
  hooks: readonly BackwardHook<never>[],
  forward: (args: unknown[]) => unknown,
  finish: (output: unknown) => unknown,
): unknown {
  let gradOutput: Grads = []
  const runHooks = (gradInput: Grads): Grads => {
    let grads = gradInput
    for (const hook of hooks) grads = replaced(hook(module as never, grads, gradOutput), grads, 'Backward hook')
    return grads
  }
  const inputs =
    hooks.length > 0
      ? replaceTensors(args, (all) => (grads) => {
          // One gradient an argument: null for what is no tensor.
          const byArgument = args.map((arg) => (arg instanceof Tensor ? (grads[all.indexOf(arg)] ?? null) : null))
          const next = runHooks(byArgument)
          return all.map((tensor, i) => {
            const at = args.indexOf(tensor)
            return at < 0 ? (grads[i] ?? null) : (next[at] ?? null)
          })
        })
      : { value: args, watched: 0 }
  const output = finish(forward(inputs.value as unknown[]))
  return replaceTensors(output, () => (grads) => {
    gradOutput = grads
    for (const hook of preHooks) gradOutput = replaced(hook(module as never, gradOutput), gradOutput, 'Backward pre hook')
    if (inputs.watched === 0 && hooks.length > 0) runHooks(args.map(() => null))
    return gradOutput
  }).value
}
