// dtypes, devices and plain numbers, as types.

/** Names of the dtypes, PyTorch's words. `torch.float32 === 'float32'`. */
export type DType =
  | 'bool'
  | 'uint8'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'float16'
  | 'bfloat16'
  | 'float32'
  | 'float64'
  | 'complex64'
  | 'complex128'

export type FloatingDType = 'float16' | 'bfloat16' | 'float32' | 'float64'
export type ComplexDType = 'complex64' | 'complex128'

export type DeviceType = 'cpu' | 'webgpu'

/** A complex number. */
export interface Complex {
  readonly re: number
  readonly im: number
}

/** A number as JavaScript writes one: an integer `number` counts as an integer in type promotion, `bigint` is int64. */
export type Scalar = number | bigint | boolean | Complex

/** What `item()` gives for a dtype. */
export type ItemOf<D extends DType> = [D] extends ['bool']
  ? boolean
  : [D] extends [ComplexDType]
    ? Complex
    : [D] extends ['int64' | 'uint64']
      ? number | bigint
      : [D] extends [Exclude<DType, 'bool' | ComplexDType | 'int64' | 'uint64'>]
        ? number
        : number | bigint | boolean | Complex

/** The result dtype of two operands, where the types tell: equal dtypes stay, others are found at run time. */
export type Promote<A extends DType, B extends DType> = [A] extends [B] ? ([B] extends [A] ? A : DType) : DType

/** The dtype of operators that turn integers into the default floating dtype. */
export type ToFloat<D extends DType> = [D] extends [FloatingDType | ComplexDType] ? D : DType

/** The dtype of operators that keep floating dtypes, and whose results for others are found at run time. */
export type SameFloat<D extends DType> = [D] extends [FloatingDType] ? D : DType

/** The dtype of the real and imaginary parts. */
export type ToReal<D extends DType> = [D] extends ['complex64']
  ? 'float32'
  : [D] extends ['complex128']
    ? 'float64'
    : [D] extends [ComplexDType]
      ? DType
      : D

/** The typed array that `data()` gives for a dtype; complex numbers as (real, imaginary) pairs. */
export type DataOf<D extends DType> = D extends 'float32' | 'complex64' | 'float16' | 'bfloat16'
  ? Float32Array
  : D extends 'float64' | 'complex128'
    ? Float64Array
    : D extends 'bool' | 'uint8'
      ? Uint8Array
      : D extends 'int8'
        ? Int8Array
        : D extends 'int16'
          ? Int16Array
          : D extends 'uint16'
            ? Uint16Array
            : D extends 'int32'
              ? Int32Array
              : D extends 'uint32'
                ? Uint32Array
                : D extends 'int64'
                  ? BigInt64Array
                  : BigUint64Array
