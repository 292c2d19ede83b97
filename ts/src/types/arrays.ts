// Nested arrays and records of elements as types.
import type { GradFn } from '../tensor.js'
import type { Complex, DataOf, DType } from './dtype.js'
import type { IsDynamic, Shape } from './shapes.js'

/** Nested arrays of any depth. */
export type Nested<T> = T | Nested<T>[]

/** The nested arrays that a tensor of this shape becomes. */
export type ArrayOf<S extends Shape, T> =
  IsDynamic<S> extends true ? Nested<T> : S extends readonly [number, ...infer Rest extends Shape] ? ArrayOf<Rest, T>[] : T

/**
 * JavaScript's typed arrays; `torch.tensor` takes each with a dtype of its own.
 *
 *     const elements: torch.TypedArray = new Float64Array([1, 2, 3])
 *     const x: torch.Tensor = torch.from_array(elements, [3])
 */
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

/**
 * A tensor on the cpu as a record: its elements, row-major, and what it is.
 *
 *     const data: torch.CPUTensorData<readonly [2], 'float32'> = torch.tensor_data(torch.tensor([1, 2]))
 *     const elements: Float32Array = data.buffer
 *     const back: torch.Tensor<readonly [2], 'float32'> = torch.tensor(data)
 */
export interface CPUTensorData<S extends Shape = Shape, D extends DType = DType> {
  readonly buffer: DataOf<D>
  readonly shape: S
  readonly dtype: D
  readonly device: 'cpu'
  readonly requires_grad: boolean
  /** What made the tensor; missing for a leaf. */
  readonly grad_fn?: GradFn
  /** Whether the buffer is this record's own copy. */
  readonly ownsBuffer?: boolean
}

/**
 * What `torch.tensor` makes a tensor of: a number, a typed array, nested arrays of these, or a record of `torch.tensor_data`.
 *
 *     const rows: torch.TensorData = [[1, 2], [3, 4]]
 *     const x = torch.tensor(rows)
 */
export type TensorData = number | bigint | boolean | Complex | TypedArray | CPUTensorData | readonly TensorData[]
