// From shapes, dtypes and options to result types.
import type { Results } from '../runtime/call.js'
import type { Tensor } from '../tensor.js'
import type { Device } from '../device.js'
import type { Product } from './decimal.js'
import type { Complex, DeviceType, DType, ItemOf, Promote, Storable } from './dtype.js'
import type { device_error_mismatch, dtype_error_cannot_cast, item_error_not_scalar } from '../generated/shape_errors.js'
import type { AllFixed, AnyShape, InPlaceShape, Same, Shape } from './shapes.js'

/**
 * A Tensor, or the error that is in the place of its shape, dtype or device.
 *
 *     Checked<MatmulShape<readonly [2, 3], readonly [3, 4]>, 'float32', 'cpu'> // Tensor<readonly [2, 4], 'float32', 'cpu'>
 */
export type Checked<S, D, Dev> = [S] extends [AnyShape]
  ? [D] extends [DType]
    ? [Dev] extends [DeviceType]
      ? Tensor<S, D, Dev>
      : Dev
    : D
  : S

/** Several tensors: a tuple of them, an array where their number is not known, or the error in place of their shapes. */
export type CheckedList<Shapes, D, Dev> = [Shapes] extends [readonly AnyShape[]]
  ? [D] extends [DType]
    ? [Dev] extends [DeviceType]
      ? { -readonly [K in keyof Shapes]: Shapes[K] extends Shape ? Tensor<Shapes[K], D, Dev> : never }
      : Dev
    : D
  : Shapes

/** The tensor that an in-place operator returns, or the error. */
export type InPlace<T extends Tensor, Result, D = T['dtype']> = [InPlaceShape<T['shape'], Result>] extends [AnyShape]
  ? [D] extends [DType]
    ? [Storable<D, T['dtype']>] extends [true]
      ? T
      : dtype_error_cannot_cast<D, T['dtype']>
    : D
  : InPlaceShape<T['shape'], Result>

/** The device of two operands: the same, or an error; a tensor without dimensions may come from the CPU. */
export type JoinDevice<A, SA, B, SB> = Same<A, B> extends true ? A : OtherDevice<A, SA, B, SB>
type OtherDevice<A, SA, B, SB> = [DeviceType] extends [A]
  ? B
  : [DeviceType] extends [B]
    ? A
    : [B] extends ['cpu']
      ? SB extends readonly []
        ? A
        : Shape extends SB
          ? A
          : device_error_mismatch<A, B>
      : [A] extends ['cpu']
        ? SA extends readonly []
          ? B
          : Shape extends SA
            ? B
            : device_error_mismatch<A, B>
        : device_error_mismatch<A, B>
/** The device of two operands that have to be on the same one. */
export type SameDevice<A, B> = JoinDevice<A, readonly [1], B, readonly [1]>

/** The device that was asked for, or else another one. */
export type DeviceOr<Asked, Otherwise> = [Asked] extends [null | undefined]
  ? Otherwise
  : Asked extends DeviceType
    ? Asked
    : Asked extends `${infer Name extends DeviceType}:${number}`
      ? Name
      : DeviceType

/** The dtype that an options object asks for. */
export type DTypeOfOptions<Options, Otherwise extends DType> = Options extends { readonly dtype: infer D }
  ? D extends DType
    ? D
    : Otherwise
  : Otherwise

/** The device that an options object asks for. */
export type DeviceOfOptions<Options> = Options extends { readonly device: infer Dev }
  ? Dev extends DeviceType
    ? Dev
    : Dev extends `${infer Name extends DeviceType}:${number}`
      ? Name
      : Dev extends Device
        ? DeviceType
        : 'cpu'
  : 'cpu'

/** What a loss does with the values of its elements. */
export type LossReduction = 'none' | 'mean' | 'sum'

/** The common dtype of a list of tensors. */
export type PromoteAll<Tensors extends readonly unknown[], Out = never> = number extends Tensors['length']
  ? Tensors[number] extends { readonly dtype: infer D }
    ? D
    : DType
  : Tensors extends readonly [{ readonly dtype: infer D }, ...infer Rest]
    ? PromoteAll<Rest, [Out] extends [never] ? D : Promote<Out, D>>
    : [Out] extends [never]
      ? DType
      : Out
/** The common device of a list of tensors. */
export type DeviceOfAll<Tensors extends readonly unknown[], Out = never> = number extends Tensors['length']
  ? Tensors[number] extends { readonly device: infer Dev }
    ? Dev
    : DeviceType
  : Tensors extends readonly [{ readonly device: infer Dev }, ...infer Rest]
    ? DeviceOfAll<Rest, [Out] extends [never] ? Dev : SameDevice<Out, Dev>>
    : [Out] extends [never]
      ? DeviceType
      : Out

/**
 * What `item()` gives: a number, boolean, bigint or complex number by dtype; an error for a tensor that does not have exactly one element.
 *
 *     ItemResult<readonly [], 'bool'>        // boolean
 *     ItemResult<readonly [2, 3], 'float32'> // item_error_not_scalar<[2, 3]>
 */
export type ItemResult<S extends Shape, D extends DType> = ValidateScalar<S> extends true ? ItemOf<D> : ValidateScalar<S>
/**
 * true for a shape of one element (or one that may be), else the error.
 *
 *     ValidateScalar<readonly [1, 1]> // true
 *     ValidateScalar<readonly [2, 3]> // item_error_not_scalar<[2, 3]>
 */
export type ValidateScalar<S extends Shape> =
  AllFixed<S> extends true ? (Product<S> extends 1 ? true : item_error_not_scalar<[...S]>) : true

/** The argument, or what stands for it where an options object was inferred in its place: `Given<{ keepdim: true }, null>` is null. */
export type Given<T, Otherwise> = undefined extends T
  ? Otherwise
  : T extends number | bigint | boolean | string | null | readonly unknown[] | Complex | Device
    ? T
    : Otherwise

/**
 * What `cummax` and `cummin` give: the largest (smallest) elements so far, and where they are.
 *
 *     const { values, indices }: torch.CumExtremeResult<readonly [2, 3], 'float32', 'cpu'> = torch.zeros(2, 3).cummax(1)
 */
export type CumExtremeResult<S, D, Dev> = Results<{ values: Checked<S, D, Dev>; indices: Checked<S, 'int64', Dev> }>

/**
 * What `histogram` gives: how much is in each interval, and the edges of the intervals, one more.
 *
 *     const { hist, bin_edges }: torch.HistogramResult<readonly [4], readonly [5], 'float32', 'cpu'> = torch.zeros(9).histogram(4)
 */
export type HistogramResult<Bins, Edges, D, Dev> = Results<{ hist: Checked<Bins, D, Dev>; bin_edges: Checked<Edges, D, Dev> }>
