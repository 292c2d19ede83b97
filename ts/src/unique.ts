// unique and unique_consecutive: how many results there are depends on the arguments.
import type { DeviceType, DType } from './types/dtype.js'
import type { DynamicShape, Shape } from './types/shapes.js'
import * as generated from './generated/functions.js'
import { isOptions, typeName } from './runtime/arguments.js'
import { named, type Results } from './runtime/call.js'
import { TorchError } from './runtime/errors.js'
import { Tensor } from './tensor.js'

export interface UniqueConsecutiveOptions {
  /** Also for each element (or slice) of the input its place in the output. */
  readonly return_inverse?: boolean
  /** Also how often each occurs. */
  readonly return_counts?: boolean
  /** Slices along this dimension instead of elements. */
  readonly dim?: number | null
}
export interface UniqueOptions extends UniqueConsecutiveOptions {
  /** The output is always in order. */
  readonly sorted?: boolean
}

type Of<D extends DType, Dev extends DeviceType> = Tensor<DynamicShape, D, Dev>
type Places<Dev extends DeviceType> = Tensor<DynamicShape, 'int64', Dev>
/** The output alone, or an object with PyTorch's names and order of what was asked for. */
export type Unique<O, D extends DType, Dev extends DeviceType> = O extends { readonly return_inverse: true }
  ? O extends { readonly return_counts: true }
    ? Results<{ output: Of<D, Dev>; inverse_indices: Places<Dev>; counts: Places<Dev> }>
    : Results<{ output: Of<D, Dev>; inverse_indices: Places<Dev> }>
  : O extends { readonly return_counts: true }
    ? Results<{ output: Of<D, Dev>; counts: Places<Dev> }>
    : Of<D, Dev>

/** Values by name from positional arguments and a last object of options. */
function collect(name: string, keys: readonly string[], args: readonly unknown[]): Record<string, unknown> {
  const given = [...args]
  while (given.length && given.at(-1) === undefined) given.pop()
  const options = isOptions(given.at(-1)) ? (given.pop() as Record<string, unknown>) : {}
  if (given.length > keys.length)
    throw new TorchError(`${name}() takes at most ${keys.length + 1} positional arguments but ${given.length + 1} were given`, 'TypeError')
  const values: Record<string, unknown> = {}
  given.forEach((v, i) => (values[keys[i]!] = v))
  for (const [key, v] of Object.entries(options)) {
    if (!keys.includes(key))
      throw new TorchError(`${name}() got an unexpected keyword argument '${key}' (known: ${keys.join(', ')})`, 'TypeError')
    if (values[key] !== undefined) throw new TorchError(`${name}() got multiple values for argument '${key}'`, 'TypeError')
    values[key] = v
  }
  for (const key of keys)
    if (key !== 'dim' && values[key] !== undefined && typeof values[key] !== 'boolean')
      throw new TorchError(`${name}(): argument '${key}' must be bool, not ${typeName(values[key])}`, 'TypeError')
  return values
}

type Three = Iterable<Tensor>
function chosen(all: Three, inverse: boolean, counts: boolean): unknown {
  const [output, inverse_indices, count] = [...all]
  if (!inverse && !counts) {
    inverse_indices!.dispose()
    count!.dispose()
    return output
  }
  const fields = ['output', ...(inverse ? ['inverse_indices'] : []), ...(counts ? ['counts'] : [])]
  if (!inverse) inverse_indices!.dispose()
  if (!counts) count!.dispose()
  return named('unique', fields, [output, ...(inverse ? [inverse_indices] : []), ...(counts ? [count] : [])])
}

/**
 * The different elements, or slices along `dim`, in order.
 *
 * `unique(input, sorted=True, return_inverse=False, return_counts=False, dim=None)`
 */
export function unique<D extends DType, Dev extends DeviceType, const O extends UniqueOptions = object>(
  input: Tensor<Shape, D, Dev>,
  options?: O,
): Unique<O, D, Dev>
export function unique<D extends DType, Dev extends DeviceType>(
  input: Tensor<Shape, D, Dev>,
  sorted: boolean,
  return_inverse?: boolean | UniqueOptions,
  return_counts?: boolean | UniqueOptions,
  dim?: number | null | UniqueOptions,
  options?: UniqueOptions,
): Of<D, Dev> | Results<{ output: Of<D, Dev>; inverse_indices: Places<Dev>; counts: Places<Dev> }>
export function unique(input: Tensor, ...args: unknown[]): unknown {
  const o = collect('unique', ['sorted', 'return_inverse', 'return_counts', 'dim'], args)
  const sorted = o['sorted'] !== false
  const inverse = o['return_inverse'] === true
  const counts = o['return_counts'] === true
  const dim = o['dim'] as number | null | undefined
  const all =
    dim === null || dim === undefined
      ? generated._unique2(input, sorted, inverse, counts)
      : generated.unique_dim(input, dim, sorted, inverse, counts)
  return chosen(all, inverse, counts)
}

/**
 * The elements, or slices along `dim`, without repetitions of neighbours.
 *
 * `unique_consecutive(input, return_inverse=False, return_counts=False, dim=None)`
 */
export function unique_consecutive<D extends DType, Dev extends DeviceType, const O extends UniqueConsecutiveOptions = object>(
  input: Tensor<Shape, D, Dev>,
  options?: O,
): Unique<O, D, Dev>
export function unique_consecutive<D extends DType, Dev extends DeviceType>(
  input: Tensor<Shape, D, Dev>,
  return_inverse: boolean,
  return_counts?: boolean | UniqueConsecutiveOptions,
  dim?: number | null | UniqueConsecutiveOptions,
  options?: UniqueConsecutiveOptions,
): Of<D, Dev> | Results<{ output: Of<D, Dev>; inverse_indices: Places<Dev>; counts: Places<Dev> }>
export function unique_consecutive(input: Tensor, ...args: unknown[]): unknown {
  const o = collect('unique_consecutive', ['return_inverse', 'return_counts', 'dim'], args)
  const inverse = o['return_inverse'] === true
  const counts = o['return_counts'] === true
  return chosen(generated.unique_consecutive(input, inverse, counts, (o['dim'] ?? null) as number | null), inverse, counts)
}

declare module './tensor.js' {
  // The parameters have to be those of the class.
  // eslint-disable-next-line @typescript-eslint/no-unused-vars
  interface Tensor<out S extends Shape = Shape, out D extends DType = DType, out Dev extends DeviceType = DeviceType> {
    /** The different elements, or slices along `dim`, in order. */
    unique<T extends DType, On extends DeviceType, const O extends UniqueOptions = object>(
      this: Tensor<Shape, T, On>,
      options?: O,
    ): Unique<O, T, On>
    unique<T extends DType, On extends DeviceType>(
      this: Tensor<Shape, T, On>,
      sorted: boolean,
      return_inverse?: boolean | UniqueOptions,
      return_counts?: boolean | UniqueOptions,
      dim?: number | null | UniqueOptions,
    ): Tensor<DynamicShape, T, On> | Results<{ output: Tensor<DynamicShape, T, On>; inverse_indices: Tensor; counts: Tensor }>
    /** The elements, or slices along `dim`, without repetitions of neighbours. */
    unique_consecutive<T extends DType, On extends DeviceType, const O extends UniqueConsecutiveOptions = object>(
      this: Tensor<Shape, T, On>,
      options?: O,
    ): Unique<O, T, On>
    unique_consecutive<T extends DType, On extends DeviceType>(
      this: Tensor<Shape, T, On>,
      return_inverse: boolean,
      return_counts?: boolean | UniqueConsecutiveOptions,
      dim?: number | null | UniqueConsecutiveOptions,
    ): Tensor<DynamicShape, T, On> | Results<{ output: Tensor<DynamicShape, T, On>; inverse_indices: Tensor; counts: Tensor }>
  }
}

type AnyCall = (...args: unknown[]) => unknown
for (const [name, call] of Object.entries({ unique, unique_consecutive }))
  Object.defineProperty(Tensor.prototype, name, {
    value(this: Tensor, ...args: unknown[]): unknown {
      return (call as AnyCall)(this, ...args)
    },
    writable: true,
    configurable: true,
  })
