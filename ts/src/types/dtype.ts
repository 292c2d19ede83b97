// dtypes, devices and plain numbers, as types.
import type { dtype_error_cannot_promote, dtype_error_mismatch, dtype_error_not_floating } from '../generated/shape_errors.js'
import type { Promotions } from './promotions.js'

/**
 * Names of the dtypes, PyTorch's words.
 *
 *     const dtype: torch.DType = torch.float32 // 'float32'
 */
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
export type IntegerDType = 'uint8' | 'int8' | 'int16' | 'int32' | 'int64' | 'uint16' | 'uint32' | 'uint64'

/**
 * Names of the devices.
 *
 *     const device: torch.DeviceType = torch.zeros(2).device
 */
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

// A true branch that names what was compared would make an intersection of it, and nested ones would grow without bound: hence IsSame.
type IsSame<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type InTable<A, B> = Promotions[A & keyof Promotions][B & keyof Promotions]

/**
 * The common dtype of two: `Promote<'int64', 'float32'>` is 'float32'. Of dtypes that are not known it is all that may come out.
 */
export type Promote<A, B> =
  IsSame<A, B> extends true ? A : [InTable<A, B>] extends [never] ? dtype_error_cannot_promote<A, B> : InTable<A, B>

/** How dtypes weigh: a tensor without dimensions changes the dtype of one with dimensions only if its kind weighs more. */
type KindOf<D> = [D] extends ['bool']
  ? 0
  : [D] extends [ComplexDType]
    ? 3
    : [D] extends [FloatingDType]
      ? 2
      : [D] extends [IntegerDType]
        ? 1
        : number
type Heavier = { 0: never; 1: 0; 2: 0 | 1; 3: 0 | 1 | 2 }
/** The dtype of a tensor (with dimensions) and one without. */
type PromoteScalarTensor<D, Zero> = Zero extends ComplexDType
  ? D extends 'float64'
    ? 'complex128'
    : Promote<D, Zero> extends infer P
      ? KindOf<D> extends 3
        ? D
        : D extends FloatingDType
          ? 'complex64'
          : P
      : never
  : number extends KindOf<D> | KindOf<Zero>
    ? Promote<D, Zero> | D
    : KindOf<D> extends Heavier[KindOf<Zero> & keyof Heavier]
      ? Promote<D, Zero>
      : D

/**
 * The dtype of an elementwise operation on tensors of these dtypes and shapes: a tensor without dimensions weighs less.
 *
 *     PromoteTensors<'int64', readonly [3], 'float64', readonly []> // 'float64'
 *     PromoteTensors<'float32', readonly [3], 'float64', readonly []> // 'float32'
 */
export type PromoteTensors<A, SA, B, SB> = IsSame<A, B> extends true ? A : DType extends A | B ? DType : PromoteByShape<A, SA, B, SB>
type PromoteByShape<A, SA, B, SB> = SA extends readonly []
  ? SB extends readonly []
    ? Promote<A, B>
    : SB extends readonly [unknown, ...unknown[]]
      ? PromoteScalarTensor<B, A>
      : Promote<A, B> | PromoteScalarTensor<B, A>
  : SB extends readonly []
    ? SA extends readonly [unknown, ...unknown[]]
      ? PromoteScalarTensor<A, B>
      : Promote<A, B> | PromoteScalarTensor<A, B>
    : SA extends readonly [unknown, ...unknown[]]
      ? SB extends readonly [unknown, ...unknown[]]
        ? Promote<A, B>
        : Promote<A, B> | PromoteScalarTensor<A, B>
      : SB extends readonly [unknown, ...unknown[]]
        ? Promote<A, B> | PromoteScalarTensor<B, A>
        : Promote<A, B> | PromoteScalarTensor<B, A> | PromoteScalarTensor<A, B>

/** The dtype of a tensor and a number: whole numbers count as integers: `PromoteScalar<'int64', 2.5>` is 'float32'. */
export type PromoteScalar<D, N> = DType extends D ? DType : PromoteKnown<D, N>
type PromoteKnown<D, N> = N extends number
  ? [D] extends [FloatingDType | ComplexDType]
    ? D
    : number extends N
      ? D | 'float32'
      : `${N}` extends `${bigint}`
        ? ToWhole<D>
        : D extends FloatingDType | ComplexDType
          ? D
          : 'float32'
  : N extends boolean
    ? D
    : N extends bigint
      ? ToWhole<D>
      : N extends Complex
        ? D extends ComplexDType
          ? D
          : D extends 'float64'
            ? 'complex128'
            : 'complex64'
        : D
type ToWhole<D> = D extends 'bool' ? 'int64' : D

/** The dtype of a tensor made of a number: `NumberDType<3>` is 'int64'. */
export type NumberDType<N> = N extends number
  ? number extends N
    ? 'int64' | 'float32'
    : `${N}` extends `${bigint}`
      ? 'int64'
      : 'float32'
  : N extends boolean
    ? 'bool'
    : N extends bigint
      ? 'int64'
      : 'complex64'

/** The dtype of a range of numbers: whole ones alone are int64. */
export type NumbersDType<N> = 'float32' extends NumberDType<N> ? (number extends N ? NumberDType<N> : 'float32') : NumberDType<N>

/** The dtype of operators that take floating and complex numbers alone: `FloatingOnly<'int64'>` is an error. */
export type FloatingOnly<D> = DType extends D ? DType : [D] extends [IntegerDType | 'bool'] ? dtype_error_not_floating<D> : D
/** The dtype of operators whose tensors have to be of one: `SameDType<'float32', 'float64'>` is an error. */
export type SameDType<A, B> =
  IsSame<A, B> extends true ? A : [A] extends [DType] ? ([A & B] extends [never] ? dtype_error_mismatch<A, B> : A) : A
/** Whether an in-place operator may store a result: kinds do not grow. */
export type Storable<Result, Target> = [Result] extends [DType]
  ? [Target] extends [DType]
    ? number extends KindOf<Result> | KindOf<Target>
      ? true
      : KindOf<Target> extends Heavier[KindOf<Result> & keyof Heavier]
        ? false
        : true
    : true
  : true

/** The dtype of any and all: bool, but of uint8 itself. */
export type ToTruth<D> = DType extends D ? DType : D extends 'uint8' ? 'uint8' : 'bool'

/** The dtype of sums: integers and bool are added up in int64. */
export type ToSum<D> = DType extends D ? DType : D extends FloatingDType | ComplexDType ? D : 'int64'
/** The complex dtype whose parts have a dtype. */
export type ToComplex<D> = DType extends D
  ? DType
  : D extends 'float64'
    ? 'complex128'
    : D extends 'float16'
      ? DType
      : D extends ComplexDType
        ? D
        : 'complex64'

/** The dtype of a result: the one that was asked for, or else the rule's. */
export type DTypeOr<Asked, Otherwise> = [Asked] extends [null | undefined] ? Otherwise : [Asked] extends [DType] ? Asked : DType

/** The dtype of operators that turn integers into the default floating dtype. */
export type ToFloat<D> = DType extends D ? DType : D extends IntegerDType | 'bool' ? 'float32' : D

/** The dtype of operators that keep floating dtypes, and whose results for others are found at run time. */
export type SameFloat<D> = [D] extends [FloatingDType] ? D : DType

/** The dtype of the real and imaginary parts. */
export type ToReal<D> = DType extends D ? DType : D extends 'complex64' ? 'float32' : D extends 'complex128' ? 'float64' : D

/** The widest dtype of its kind: float64, of complex ones complex128. */
export type ToDouble<D> = DType extends D ? DType : D extends ComplexDType ? 'complex128' : 'float64'

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
