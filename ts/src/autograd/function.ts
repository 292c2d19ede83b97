// torch.autograd.Function: operators with a derivative of the user's own.
import { BUILTIN } from '../generated/calls.js'
import { typeName } from '../runtime/arguments.js'
import { Arguments, builtin, fail } from '../runtime/call.js'
import { addCallback, dropCallback, type Callback } from '../runtime/callbacks.js'
import { TorchError } from '../runtime/errors.js'
import { host } from '../runtime/host.js'
import { Tensor } from '../tensor.js'
import { is_grad_enabled, set_grad_enabled } from './modes.js'

/** What forward leaves for backward. Own fields may be set on it too. */
export class FunctionCtx {
  [key: string]: unknown
  /** For each argument of apply: whether backward has to give its gradient. */
  needs_input_grad: readonly boolean[] = []
  #saved: readonly (Tensor | null)[] = []
  #dirty: readonly Tensor[] = []
  #fixed: readonly Tensor[] = []
  #materialize = true
  #running = false

  /** Keeps tensors for backward, which reads them as `saved_tensors`. In-place changes in between are noticed. Inputs and outputs only should be saved so. */
  save_for_backward(...tensors: readonly (Tensor | null)[]): void {
    tensors.forEach((t: unknown) => {
      if (t !== null && !(t instanceof Tensor))
        throw new TorchError(`save_for_backward can only save variables, but argument is of type ${typeName(t)}`, 'TypeError')
    })
    this.#saved = tensors
  }

  /** Tells inputs that forward changed in place. */
  mark_dirty(...tensors: readonly Tensor[]): void {
    this.#dirty = tensors
  }

  /** Tells outputs that have no gradient. */
  mark_non_differentiable(...tensors: readonly Tensor[]): void {
    this.#fixed = tensors
  }

  /** false: gradients that are not there come to backward as null instead of zeros. */
  set_materialize_grads(value: boolean): void {
    this.#materialize = value
  }

  /** What forward saved. */
  get saved_tensors(): (Tensor | null)[] {
    if (!this.#running) return [...this.#saved]
    return this.#saved.map((t, i) => {
      if (t === null) return null
      const handle = builtin(BUILTIN.function_saved, i)
      return handle > 0 ? new Tensor(handle) : fail()
    })
  }

  /** @internal */
  _take(): { saved: readonly (Tensor | null)[]; dirty: readonly Tensor[]; fixed: readonly Tensor[]; materialize: boolean } {
    const taken = { saved: this.#saved, dirty: this.#dirty, fixed: this.#fixed, materialize: this.#materialize }
    // The engine holds the tensors from here on; the context would keep a cycle through the graph alive.
    this.#saved = this.#saved.map((t) => (t === null ? null : PLACE))
    this.#dirty = []
    this.#fixed = []
    return taken
  }

  /** @internal */
  _run<T>(fn: () => T): T {
    this.#running = true
    try {
      return fn()
    } finally {
      this.#running = false
    }
  }
}

// Stands for a tensor that the engine holds.
const PLACE = Object.freeze({}) as unknown as Tensor

type Gradients = Tensor | null | undefined | readonly (Tensor | null | undefined)[]

/** A class with static `forward` and `backward`. */
export interface FunctionClass<Args extends readonly unknown[], Result extends Tensor | readonly Tensor[]> {
  readonly name: string
  forward(ctx: FunctionCtx, ...args: Args): Result
  backward(ctx: FunctionCtx, ...grads: (Tensor | null)[]): Gradients
}

/**
 * Base of operators with a derivative of the user's own:
 *
 *     class Exp extends torch.autograd.Function {
 *       static forward(ctx, x) { const y = x.exp(); ctx.save_for_backward(y); return y }
 *       static backward(ctx, grad) { const [y] = ctx.saved_tensors; return grad.mul(y) }
 *     }
 *     const y = Exp.apply(x)
 */
export abstract class Function {
  static forward(_ctx: FunctionCtx, ..._args: never[]): Tensor | readonly Tensor[] {
    throw new TorchError('You must implement the forward function for custom autograd.Function.', 'NotImplementedError')
  }

  static backward(_ctx: FunctionCtx, ..._grads: never[]): Gradients {
    throw new TorchError(
      'You must implement either the backward or vjp method for your custom autograd.Function to use it with backward mode AD.',
      'NotImplementedError',
    )
  }

  /** Runs forward, recorded so that backward gives the gradients of its tensor arguments. */
  static apply<Args extends readonly unknown[], Result extends Tensor | readonly Tensor[]>(
    this: FunctionClass<Args, Result>,
    ...args: Args
  ): Result {
    const ctx = new FunctionCtx()
    const recording = is_grad_enabled()
    ctx.needs_input_grad = args.map((a) => recording && a instanceof Tensor && a.requires_grad)
    const result = set_grad_enabled(false, () => this.forward(ctx, ...args))
    if (!ctx.needs_input_grad.includes(true)) return result
    const outputs: readonly Tensor[] = result instanceof Tensor ? [result] : result
    if (!Array.isArray(outputs) || outputs.some((t) => !(t instanceof Tensor))) {
      throw new TorchError(
        `${this.name}.forward: expected to return a Tensor or an array of Tensors, but got ${typeName(result)}`,
        'TypeError',
      )
    }
    const replaced = record(this, ctx, args, outputs)
    return (result instanceof Tensor ? replaced[0] : replaced) as Result
  }
}

/**
 * What the engine calls for the gradients. Made here and not in `record`, whose tensors a closure of its own would keep alive: the graph holds
 * this callback, and an output holds the graph, so neither would ever go.
 */
function backwardCallback<Args extends readonly unknown[], Result extends Tensor | readonly Tensor[]>(
  cls: FunctionClass<Args, Result>,
  ctx: FunctionCtx,
  name: string,
  positions: readonly number[],
  count: number,
  shapes: readonly (readonly number[])[],
): Callback {
  return (handles) => {
    const grads = handles.map((handle) => (handle > 0 ? new Tensor(handle) : null))
    const given = ctx._run(() => cls.backward(ctx, ...grads))
    const list: (Tensor | null | undefined)[] = Array.isArray(given)
      ? [...(given as (Tensor | null | undefined)[])]
      : [given as Tensor | null | undefined]
    while (list.length > count && (list.at(-1) === null || list.at(-1) === undefined)) list.pop()
    if (list.length !== count)
      throw new TorchError(
        `function ${name} returned an incorrect number of gradients (expected ${count}, got ${list.length})`,
        'RuntimeError',
      )
    return positions.map((at, i) => {
      const g: unknown = list[at]
      if (g === null || g === undefined) return 0
      if (!(g instanceof Tensor))
        throw new TorchError(`function ${name} returned a gradient at index ${at} that is no Tensor, but ${typeName(g)}`, 'TypeError')
      if (!expandable(shapes[i]!, g.shape)) {
        throw new TorchError(
          `Function ${name} returned an invalid gradient at index ${at} - got [${g.shape.join(', ')}] but expected shape compatible with [${shapes[i]!.join(', ')}]`,
          'RuntimeError',
        )
      }
      return g.handle
    })
  }
}

function record<Args extends readonly unknown[], Result extends Tensor | readonly Tensor[]>(
  cls: FunctionClass<Args, Result>,
  ctx: FunctionCtx,
  args: Args,
  outputs: readonly Tensor[],
): Tensor[] {
  const { saved, dirty, fixed, materialize } = ctx._take()
  const name = `${cls.name}Backward`
  const positions = args.flatMap((a, i) => (a instanceof Tensor ? [i] : []))
  const inputs = positions.map((i) => args[i] as Tensor)
  const shapes = inputs.map((t) => t.shape)
  const id = addCallback(backwardCallback(cls, ctx, name, positions, args.length, shapes))
  const index = fixed.flatMap((t) => {
    const i = outputs.findIndex((o) => o.is(t))
    return i < 0 ? [] : [i]
  })
  const call = new Arguments()
    .text(name)
    .number(id)
    .bool(materialize)
    .tensors(saved)
    .tensors(inputs)
    .tensors(outputs)
    .numbers(index)
    .tensors(dirty)
  if (call.call(BUILTIN.function_record) <= 0) {
    dropCallback(id)
    fail()
  }
  const handles = Array.from(host.f64.subarray(0, outputs.length))
  return outputs.map((t, i) => {
    if (handles[i] === t.handle) return t
    const same = inputs.find((input) => input.handle === handles[i])
    return same ?? new Tensor(handles[i]!)
  })
}

/** Whether a gradient of shape `got` can be summed down to `wanted`. */
function expandable(wanted: readonly number[], got: readonly number[]): boolean {
  if (wanted.length > got.length) return false
  return wanted.every((n, i) => n === 1 || n === got[got.length - wanted.length + i])
}

/** Decorates a backward whose own derivative must not be taken. */
export function once_differentiable<Args extends readonly unknown[]>(
  backward: (ctx: FunctionCtx, ...grads: Args) => Gradients,
): (ctx: FunctionCtx, ...grads: Args) => Gradients {
  return (ctx, ...grads) => set_grad_enabled(false, () => backward(ctx, ...grads))
}
