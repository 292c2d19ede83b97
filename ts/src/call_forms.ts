// Forms of calls that the schema language does not express: tensors as arguments of their own, lists of lists, results that depend on the
// value of an argument.
import * as generated from './generated/functions.js'
import { isOptions } from './runtime/arguments.js'
import { Tensor } from './tensor.js'
import type { DType, DeviceType, SameFloat } from './types/dtype.js'
import type { DynamicShape, Shape } from './types/shapes.js'

type AnyCall = (...args: unknown[]) => unknown

/** Several tensors as arguments of their own, or one array of them; options may follow. */
type Tensors = readonly [Tensor, ...Tensor[]]
function gathered(call: unknown, args: readonly unknown[]): unknown {
  let n = 0
  while (args[n] instanceof Tensor) n++
  return n > 0 ? (call as AnyCall)(args.slice(0, n), ...args.slice(n)) : (call as AnyCall)(...args)
}

/** How many dimensions are summed over (the last of the first tensor, the first of the other), or which ones of each. */
export type TensordotDims = number | readonly [readonly number[], readonly number[]]

/**
 * Sums of products over pairs of dimensions.
 *
 * `tensordot(a, b, dims=2)`
 */
export function tensordot<S extends Shape, D extends DType, Dev extends DeviceType>(
  a: Tensor<S, D, Dev>,
  b: Tensor,
  dims?: TensordotDims | { readonly dims?: TensordotDims; readonly out?: Tensor },
  options?: { readonly out?: Tensor },
): Tensor<DynamicShape, SameFloat<D>, Dev>
export function tensordot(...args: unknown[]): unknown {
  const call = generated.tensordot as AnyCall
  const [a, b, third, ...rest] = args
  const options = isOptions(third) ? third : undefined
  const dims = options ? options['dims'] : third
  if (!Array.isArray(dims)) return call(...args)
  if (options) {
    const others = Object.fromEntries(Object.entries(options).filter(([key]) => key !== 'dims'))
    if (Object.keys(others).length > 0) rest.unshift(others)
  }
  const list = (d: unknown): unknown => (typeof d === 'number' ? [d] : d)
  return call(a, b, list(dims[0]), list(dims[1]), ...rest)
}

/** Views of all tensors at the sizes that they broadcast to together. */
export function broadcast_tensors(tensors: readonly Tensor[]): Tensor[]
export function broadcast_tensors(...tensors: Tensors): Tensor[]
export function broadcast_tensors(...args: unknown[]): unknown {
  return gathered(generated.broadcast_tensors, args)
}

/** A matrix with the given matrices along its diagonal and zeros elsewhere. */
export function block_diag(tensors: readonly Tensor[]): Tensor
export function block_diag(...tensors: Tensors): Tensor
export function block_diag(...args: unknown[]): unknown {
  return gathered(generated.block_diag, args)
}

/** All combinations of one element of each 1-dimensional tensor, a row each. */
export function cartesian_prod(tensors: readonly Tensor[]): Tensor
export function cartesian_prod(...tensors: Tensors): Tensor
export function cartesian_prod(...args: unknown[]): unknown {
  return gathered(generated.cartesian_prod, args)
}

export interface MeshgridOptions {
  /** 'ij' (default): dimensions in the order of the tensors; 'xy': the first two change places. */
  readonly indexing?: 'ij' | 'xy'
}
/** Grids of coordinates from 0- or 1-dimensional tensors. */
export function meshgrid(tensors: readonly Tensor[], options?: MeshgridOptions): Tensor[]
export function meshgrid(...args: [...Tensors] | [...Tensors, MeshgridOptions]): Tensor[]
export function meshgrid(...args: unknown[]): unknown {
  return gathered(generated.meshgrid, args)
}

const atLeast = (call: unknown, args: readonly unknown[]): unknown =>
  args.length > 1 && args[1] instanceof Tensor ? gathered(call, args) : (call as AnyCall)(...args)
interface AtLeast {
  (tensor: Tensor): Tensor
  (tensors: readonly Tensor[]): Tensor[]
  (first: Tensor, second: Tensor, ...more: Tensor[]): Tensor[]
}
/** 0-dimensional tensors become 1-dimensional. */
export const atleast_1d = ((...args: unknown[]) => atLeast(generated.atleast_1d, args)) as AtLeast
/** Tensors of fewer dimensions become 2-dimensional. */
export const atleast_2d = ((...args: unknown[]) => atLeast(generated.atleast_2d, args)) as AtLeast
/** Tensors of fewer dimensions become 3-dimensional. */
export const atleast_3d = ((...args: unknown[]) => atLeast(generated.atleast_3d, args)) as AtLeast

/** The indices of the elements that are not zero: a row each, or with `as_tuple` a tensor a dimension. */
export function nonzero(input: Tensor, options: { readonly as_tuple: true }): Tensor[]
export function nonzero(input: Tensor, options?: { readonly as_tuple?: false; readonly out?: Tensor }): Tensor<DynamicShape, 'int64'>
export function nonzero(input: Tensor, options?: { readonly as_tuple?: boolean; readonly out?: Tensor }): unknown {
  if (!options || !('as_tuple' in options)) return (generated.nonzero as AnyCall)(input, ...(options ? [options] : []))
  const { as_tuple, ...rest } = options
  if (!as_tuple) return (generated.nonzero as AnyCall)(input, ...(Object.keys(rest).length ? [rest] : []))
  return [...generated.unbind(generated.nonzero(input.ndim === 0 ? generated.unsqueeze(input, 0) : input), 1)]
}

Object.defineProperty(Tensor.prototype, 'nonzero', {
  value(this: Tensor, options?: { readonly as_tuple?: false }): unknown {
    return nonzero(this, options)
  },
  writable: true,
  configurable: true,
})
