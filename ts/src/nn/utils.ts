// nn.utils: gradients and parameters as a whole.

import { no_grad } from '../autograd/modes.js'
import { tensor as makeTensor } from '../creation.js'
import { Tensor } from '../tensor.js'
import { runtimeError, typeError } from './errors.js'
import { operator } from './operators.js'
import { isPlainObject, pythonFloat, typeName } from './text.js'

/** Options of clip_grad_norm_. */
export interface ClipGradNormOptions {
  /** The p of the norm; Infinity is the largest absolute value. Default: 2. */
  norm_type?: number
  /** Throw when the norm is infinite or no number. Default: false. */
  error_if_nonfinite?: boolean
  /** Accepted as PyTorch does; there is one way to compute it. */
  foreach?: boolean | null
}

const abs = operator('abs')
const stack = operator('stack')
const cat = operator('cat')
const mul = operator('mul')
const pow = operator('pow')
const clamp = operator('clamp')
const vector_norm = operator('norm')

function list(tensors: Tensor | Iterable<Tensor>): Tensor[] {
  return tensors instanceof Tensor ? [tensors] : [...tensors]
}

function options<T extends object>(name: string, order: readonly (keyof T & string)[], args: readonly unknown[]): T {
  const result: Record<string, unknown> = {}
  args.forEach((value, i) => {
    if (value === undefined) return
    if (!isPlainObject(value)) result[order[i] as string] = value
    else {
      for (const [key, item] of Object.entries(value)) {
        if (!(order as readonly string[]).includes(key))
          throw typeError(`${name}() got an unexpected keyword argument '${key}'; known are: ${order.join(', ')}`)
        result[key] = item
      }
    }
  })
  return result as T
}

/** The p-norm of one tensor, as a tensor without dimensions. */
function norm(tensor: Tensor, p: number): Tensor {
  return p === Infinity ? (abs(tensor) as Tensor).max() : vector_norm(tensor, p)
}

/** The norm of all tensors taken as one vector. Throws a RuntimeError for an infinite one with `error_if_nonfinite`. */
export function get_total_norm(
  tensors: Tensor | Iterable<Tensor>,
  norm_type?: number | ClipGradNormOptions,
  error_if_nonfinite?: boolean | ClipGradNormOptions,
): Tensor {
  const o = options<ClipGradNormOptions>('get_total_norm', ['norm_type', 'error_if_nonfinite', 'foreach'], [norm_type, error_if_nonfinite])
  const p = Number(o.norm_type ?? 2)
  return no_grad(() => {
    const all = list(tensors)
    if (all.length === 0) return makeTensor(0)
    const total = norm(stack(all.map((tensor) => norm(tensor.detach(), p))), p)
    if (o.error_if_nonfinite && !Number.isFinite(Number(total.item()))) {
      throw runtimeError(
        `The total norm of order ${pythonFloat(p)} for gradients from \`parameters\` is non-finite, so it cannot be clipped. To disable ` +
          'this error and scale the gradients by the non-finite norm anyway, set `error_if_nonfinite=False`',
      )
    }
    return total
  })
}

/** Scales the gradients in place such that their norm, which was `total_norm`, is at most `max_norm`. */
export function clip_grads_with_norm_(parameters: Tensor | Iterable<Tensor>, max_norm: number, total_norm: Tensor): void {
  no_grad(() => {
    const grads = gradients(parameters)
    if (grads.length === 0) return
    // 1 where the norm is small enough: a product with it costs less than reading the number.
    const factor = clamp(mul(pow(total_norm.add(1e-6), -1), max_norm), null, 1)
    for (const grad of grads) grad.mul_(factor)
  })
}

function gradients(parameters: Tensor | Iterable<Tensor>): Tensor[] {
  return list(parameters).flatMap((parameter) => parameter.grad ?? [])
}

/**
 * Scales the gradients of `parameters` in place such that the norm of all of them, taken as one vector, is at most `max_norm`. Returns the
 * norm before. Throws a RuntimeError for an infinite one with `error_if_nonfinite`.
 */
export function clip_grad_norm_(
  parameters: Tensor | Iterable<Tensor>,
  max_norm: number,
  norm_type?: number | ClipGradNormOptions,
  error_if_nonfinite?: boolean | ClipGradNormOptions,
): Tensor {
  const o = options<ClipGradNormOptions>('clip_grad_norm_', ['norm_type', 'error_if_nonfinite', 'foreach'], [norm_type, error_if_nonfinite])
  const all = list(parameters)
  const total = get_total_norm(gradients(all), { norm_type: o.norm_type ?? 2, error_if_nonfinite: o.error_if_nonfinite ?? false })
  clip_grads_with_norm_(all, Number(max_norm), total)
  return total
}

/** Limits every gradient's elements to ±clip_value, in place. */
export function clip_grad_value_(parameters: Tensor | Iterable<Tensor>, clip_value: number): void {
  const bound = Number(clip_value)
  no_grad(() => {
    for (const grad of gradients(parameters)) grad.copy_(clamp(grad, -bound, bound))
  })
}

/** All parameters, one after another, as one vector. */
export function parameters_to_vector(parameters: Iterable<Tensor>): Tensor {
  return cat([...parameters].map((parameter) => parameter.reshape([-1])))
}

/** Cuts a vector into the parameters: the reverse of parameters_to_vector. Throws a TypeError for what is no tensor. */
export function vector_to_parameters(vector: Tensor, parameters: Iterable<Tensor>): void {
  if (!(vector instanceof Tensor)) throw typeError(`expected torch.Tensor, but got: ${typeName(vector)}`)
  let at = 0
  for (const parameter of parameters) {
    const count = parameter.numel()
    parameter.set_data(
      vector
        .detach()
        .narrow(0, at, count)
        .view([...(parameter.shape as readonly number[])]),
    )
    at += count
  }
}
