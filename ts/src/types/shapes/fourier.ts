// Discrete Fourier transforms.
import type { dimension_error_out_of_range } from '../../generated/shape_errors.js'
import type { Add, Divide, Multiply, Subtract } from '../decimal.js'
import type { AnyShape, DynamicShape, NormalDim, ReplaceAt, SameRank, Shape, SizeOf } from './core.js'

type Half<N extends number> = Divide<N, 2> extends { quotient: infer Q extends number } ? Add<Q, 1> : number
type Twice<N extends number> = number extends N ? number : Multiply<2, Subtract<N, 1>>
type Along<S, Dim extends number, Size extends number> = S extends AnyShape
  ? number extends S['length']
    ? DynamicShape
    : [NormalDim<S, Dim>] extends [never]
      ? dimension_error_out_of_range<Dim, [...S]>
      : number extends NormalDim<S, Dim>
        ? SameRank<S>
        : ReplaceAt<S, NormalDim<S, Dim>, Size>
  : S
type Length<S, N, Dim extends number> = N extends number ? N : S extends AnyShape ? SizeOf<S, Dim> : number
/** fft and ifft: N entries along a dimension. */
export type FftShape<S, N, Dim extends number> = Along<S, Dim, Length<S, N, Dim>>
/** rfft: the half that the other half follows from: `RfftShape<readonly [8], null, -1>` is `readonly [5]`. */
export type RfftShape<S, N, Dim extends number> = Along<S, Dim, Half<Length<S, N, Dim>>>
/** irfft: N entries, or twice as many. */
export type IrfftShape<S, N, Dim extends number> = Along<S, Dim, N extends number ? N : Twice<Length<S, null, Dim>>>
/** Over several dimensions, without sizes of their own. */
export type FftnShape<S, Sizes> = S extends AnyShape ? ([Sizes] extends [null | undefined] ? S : SameRank<S>) : S
/** Real transforms over several dimensions, the last of which is halved. */
export type RfftnShape<S, Sizes, Dims> = S extends AnyShape
  ? [Sizes] extends [null | undefined]
    ? RfftShape<S, null, Dims extends readonly [...AnyShape, infer Last extends number] ? Last : Dims extends null ? -1 : number>
    : SameRank<S>
  : S
/** Their inverse. */
export type IrfftnShape<S, Sizes, Dims> = S extends AnyShape
  ? [Sizes] extends [null | undefined]
    ? IrfftShape<S, null, Dims extends readonly [...AnyShape, infer Last extends number] ? Last : Dims extends null ? -1 : number>
    : SameRank<S>
  : S
/** rfftfreq: N / 2 + 1 frequencies. */
export type RfftfreqShape<N extends number> = readonly [Half<N>]
