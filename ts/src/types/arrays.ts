// Nested arrays as types.
import type { Complex } from './dtype.js'
import type { IsDynamic, Shape } from './shapes.js'

/** Nested arrays of any depth. */
export type Nested<T> = T | Nested<T>[]

/** The nested arrays that a tensor of this shape becomes. */
export type ArrayOf<S extends Shape, T> =
  IsDynamic<S> extends true ? Nested<T> : S extends readonly [number, ...infer Rest extends Shape] ? ArrayOf<Rest, T>[] : T

export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint8ClampedArray
  | Uint16Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array

/** What `torch.tensor` makes a tensor of. */
export type TensorData = number | bigint | boolean | Complex | TypedArray | readonly TensorData[]
