// Convolutions, pooling, padding and resampling: spatial sizes by arithmetic.
import type {
  conv_error_channels_do_not_match,
  conv_error_dimensions,
  conv_error_kernel_larger_than_input,
  pad_error_too_long,
  pixel_shuffle_error_not_divisible,
  pool_error_output_too_small,
} from '../../generated/shape_errors.js'
import type { Add, Compare, Divide, Multiply, Product, Subtract } from '../decimal.js'
import type { AnyShape, DynamicShape, IsFixed, MayEqual, SameRank, Shape } from './core.js'

/** The I-th of a list of numbers, or the one number for all dimensions. */
type Nth<T, I extends number> = T extends number
  ? T
  : T extends readonly [infer Only extends number]
    ? Only
    : T extends AnyShape
      ? T[I] & number
      : number

/** Dilation * (kernel - 1) + 1: what a kernel covers. */
type Extent<Kernel extends number, Dilation extends number> = Dilation extends 1 ? Kernel : Add<Multiply<Dilation, Subtract<Kernel, 1>>, 1>
type Padded<N extends number, P extends number> = P extends 0 ? N : Add<N, Multiply<2, P>>
type Windows<Room extends number, Stride extends number> =
  IsFixed<Room> extends true
    ? Stride extends 1
      ? Add<Room, 1>
      : Divide<Room, Stride> extends { quotient: infer Q extends number }
        ? Add<Q, 1>
        : number
    : number

/** One spatial size of a convolution; null where the kernel is larger than the padded input. */
export type ConvSize<N extends number, Kernel extends number, Stride extends number, Padding extends number, Dilation extends number> =
  IsFixed<N> extends true
    ? number extends Kernel | Stride | Padding | Dilation
      ? number
      : Compare<Padded<N, Padding>, Extent<Kernel, Dilation>> extends -1
        ? null
        : Windows<Subtract<Padded<N, Padding>, Extent<Kernel, Dilation>>, Stride>
    : // A window of 1, and one that keeps the size, do so for a size of any name.
      [Extent<Kernel, Dilation>, Stride] extends [infer E extends number, 1]
      ? Padded<1, Padding> extends E
        ? N
        : number
      : number

type Spatial<S extends Shape, K extends Shape, Stride, Padding, Dilation, Out extends Shape = readonly []> = S extends readonly [
  infer N extends number,
  ...infer T extends Shape,
]
  ? K extends readonly [infer Kernel extends number, ...infer KT extends Shape]
    ? ConvSize<N, Kernel, Nth<Stride, Out['length']>, Nth<Padding, Out['length']>, Nth<Dilation, Out['length']>> extends infer Size
      ? Size extends number
        ? Spatial<T, KT, Stride, Padding, Dilation, readonly [...Out, Size]>
        : null
      : never
    : Out
  : Out
type ChannelsOf<C extends number, Groups extends number> = Groups extends 1 ? C : Multiply<C, Groups>

type SplitInput<S extends Shape, N extends number> = N extends 1
  ? S extends readonly [infer C extends number, infer A extends number]
    ? [readonly [], C, readonly [A]]
    : S extends readonly [infer B extends number, infer C extends number, infer A extends number]
      ? [readonly [B], C, readonly [A]]
      : null
  : N extends 2
    ? S extends readonly [infer C extends number, infer A extends number, infer B extends number]
      ? [readonly [], C, readonly [A, B]]
      : S extends readonly [infer M extends number, infer C extends number, infer A extends number, infer B extends number]
        ? [readonly [M], C, readonly [A, B]]
        : null
    : S extends readonly [infer C extends number, infer A extends number, infer B extends number, infer D extends number]
      ? [readonly [], C, readonly [A, B, D]]
      : S extends readonly [
            infer M extends number,
            infer C extends number,
            infer A extends number,
            infer B extends number,
            infer D extends number,
          ]
        ? [readonly [M], C, readonly [A, B, D]]
        : null

/** A kernel size for each of N dimensions. */
export type Spread<K, N extends number> = K extends number
  ? N extends 1
    ? readonly [K]
    : N extends 2
      ? readonly [K, K]
      : readonly [K, K, K]
  : K extends readonly [infer Only extends number]
    ? Spread<Only, N>
    : K extends AnyShape
      ? number extends K['length']
        ? Spread<number, N>
        : K
      : Spread<number, N>

/**
 * A convolution over N spatial dimensions.
 *
 *     ConvShape<2, readonly [8, 3, 32, 32], readonly [16, 3, 3, 3], 1, 1, 1, 1> // readonly [8, 16, 32, 32]
 */
export type ConvShape<N extends number, S, W, Stride = 1, Padding = 0, Dilation = 1, Groups extends number = 1> = S extends AnyShape
  ? W extends AnyShape
    ? number extends S['length'] | W['length']
      ? DynamicShape
      : W extends readonly [infer Out extends number, infer In extends number, ...infer Kernel extends Shape]
        ? ConvModuleShape<N, S, ChannelsOf<In, Groups>, Out, Kernel, Stride, Padding, Dilation>
        : conv_error_dimensions<N, [...W]>
    : W
  : S
/** ConvShape from channels and kernel size, as modules know them. */
export type ConvModuleShape<
  N extends number,
  S,
  In extends number,
  Out extends number,
  Kernel,
  Stride,
  Padding,
  Dilation,
> = S extends AnyShape
  ? number extends S['length']
    ? DynamicShape
    : SplitInput<S, N> extends [infer Batch extends Shape, infer C extends number, infer Sizes extends Shape]
      ? MayEqual<C, In> extends true
        ? Padding extends 'same'
          ? readonly [...Batch, Out, ...Sizes]
          : Spatial<Sizes, Spread<Kernel, N>, Stride, Padding extends 'valid' ? 0 : Padding, Dilation> extends infer R
            ? R extends AnyShape
              ? readonly [...Batch, Out, ...R]
              : conv_error_kernel_larger_than_input<[...Sizes], [...Spread<Kernel, N>]>
            : never
        : conv_error_channels_do_not_match<C, In>
      : conv_error_dimensions<N, [...S]>
  : S

/** (N - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1 */
type TransposedSize<
  N extends number,
  Kernel extends number,
  Stride extends number,
  Padding extends number,
  OutputPadding extends number,
  Dilation extends number,
> =
  IsFixed<N> extends true
    ? number extends Kernel | Stride | Padding | OutputPadding | Dilation
      ? number
      : Add<Add<Multiply<Subtract<N, 1>, Stride>, Extent<Kernel, Dilation>>, OutputPadding> extends infer Whole extends number
        ? Compare<Whole, Multiply<2, Padding>> extends 1
          ? Subtract<Whole, Multiply<2, Padding>>
          : null
        : number
    : number
type TransposedSpatial<
  S extends Shape,
  K extends Shape,
  Stride,
  Padding,
  OutputPadding,
  Dilation,
  Out extends Shape = readonly [],
> = S extends readonly [infer N extends number, ...infer T extends Shape]
  ? K extends readonly [infer Kernel extends number, ...infer KT extends Shape]
    ? TransposedSize<
        N,
        Kernel,
        Nth<Stride, Out['length']>,
        Nth<Padding, Out['length']>,
        Nth<OutputPadding, Out['length']>,
        Nth<Dilation, Out['length']>
      > extends infer Size
      ? Size extends number
        ? TransposedSpatial<T, KT, Stride, Padding, OutputPadding, Dilation, readonly [...Out, Size]>
        : null
      : never
    : Out
  : Out
/** A transposed convolution over N spatial dimensions; the weight is [in, out / groups, ...kernel]. */
export type ConvTransposeShape<
  N extends number,
  S,
  W,
  Stride = 1,
  Padding = 0,
  OutputPadding = 0,
  Groups extends number = 1,
  Dilation = 1,
> = S extends AnyShape
  ? W extends AnyShape
    ? number extends S['length'] | W['length']
      ? DynamicShape
      : W extends readonly [infer In extends number, infer Out extends number, ...infer Kernel extends Shape]
        ? ConvTransposeModuleShape<N, S, In, ChannelsOf<Out, Groups>, Kernel, Stride, Padding, OutputPadding, Dilation>
        : conv_error_dimensions<N, [...W]>
    : W
  : S
/** ConvTransposeShape from channels and kernel size. */
export type ConvTransposeModuleShape<
  N extends number,
  S,
  In extends number,
  Out extends number,
  Kernel,
  Stride,
  Padding,
  OutputPadding,
  Dilation,
> = S extends AnyShape
  ? number extends S['length']
    ? DynamicShape
    : SplitInput<S, N> extends [infer Batch extends Shape, infer C extends number, infer Sizes extends Shape]
      ? MayEqual<C, In> extends true
        ? TransposedSpatial<Sizes, Spread<Kernel, N>, Stride, Padding, OutputPadding, Dilation> extends infer R
          ? R extends AnyShape
            ? readonly [...Batch, Out, ...R]
            : conv_error_kernel_larger_than_input<[...Sizes], [...Spread<Kernel, N>]>
          : never
        : conv_error_channels_do_not_match<C, In>
      : conv_error_dimensions<N, [...S]>
  : S

// ---- pooling -------------------------------------------------------------------------------------------------------

/** With ceil_mode the last window may begin in the input or its left padding and end beyond. */
type CeilWindows<N extends number, Room extends number, Stride extends number, Padding extends number> =
  Divide<Room, Stride> extends { quotient: infer Q extends number; remainder: infer R extends number }
    ? R extends 0
      ? Add<Q, 1>
      : Compare<Multiply<Add<Q, 1>, Stride>, Add<N, Padding>> extends -1
        ? Add<Q, 2>
        : Add<Q, 1>
    : number
type PoolSize<N extends number, Kernel extends number, Stride extends number, Padding extends number, Dilation extends number, Ceil> =
  IsFixed<N> extends true
    ? number extends Kernel | Stride | Padding | Dilation
      ? number
      : boolean extends Ceil
        ? number
        : Compare<Padded<N, Padding>, Extent<Kernel, Dilation>> extends -1
          ? Ceil extends true
            ? number
            : null
          : Ceil extends true
            ? CeilWindows<N, Subtract<Padded<N, Padding>, Extent<Kernel, Dilation>>, Stride, Padding>
            : Windows<Subtract<Padded<N, Padding>, Extent<Kernel, Dilation>>, Stride>
    : number
type PoolSpatial<S extends Shape, K extends Shape, Stride, Padding, Dilation, Ceil, Out extends Shape = readonly []> = S extends readonly [
  infer N extends number,
  ...infer T extends Shape,
]
  ? K extends readonly [infer Kernel extends number, ...infer KT extends Shape]
    ? PoolSize<N, Kernel, Nth<Stride, Out['length']>, Nth<Padding, Out['length']>, Nth<Dilation, Out['length']>, Ceil> extends infer Size
      ? Size extends number
        ? PoolSpatial<T, KT, Stride, Padding, Dilation, Ceil, readonly [...Out, Size]>
        : null
      : never
    : Out
  : Out
/**
 * Windows over the last N dimensions. Stride: null is the kernel's size.
 *
 *     PoolShape<2, readonly [8, 16, 32, 32], 2> // readonly [8, 16, 16, 16]
 */
export type PoolShape<N extends number, S, Kernel, Stride = null, Padding = 0, Dilation = 1, Ceil = false> = S extends AnyShape
  ? number extends S['length']
    ? DynamicShape
    : SplitInput<S, N> extends [infer Batch extends Shape, infer C extends number, infer Sizes extends Shape]
      ? PoolSpatial<
          Sizes,
          Spread<Kernel, N>,
          [Stride] extends [null | undefined | readonly []] ? Spread<Kernel, N> : Stride,
          Padding,
          Dilation,
          Ceil
        > extends infer R
        ? R extends AnyShape
          ? readonly [...Batch, C, ...R]
          : pool_error_output_too_small<[...Sizes], [...Spread<Kernel, N>]>
        : never
      : conv_error_dimensions<N, [...S]>
  : S

type AdaptiveSizes<S extends Shape, Size, Out extends Shape = readonly []> = S extends readonly [
  infer N extends number,
  ...infer T extends Shape,
]
  ? (Size extends readonly unknown[] ? (Size extends readonly [infer Only] ? Only : Size[Out['length']]) : Size) extends infer Asked
    ? AdaptiveSizes<T, Size, readonly [...Out, Asked extends number ? Asked : Asked extends null ? N : number]>
    : never
  : Out
/** Windows chosen so that Size is left; null keeps a size. */
export type AdaptivePoolShape<N extends number, S, Size> = S extends AnyShape
  ? number extends S['length']
    ? DynamicShape
    : SplitInput<S, N> extends [infer Batch extends Shape, infer C extends number, infer Sizes extends Shape]
      ? readonly [...Batch, C, ...AdaptiveSizes<Sizes, Size>]
      : conv_error_dimensions<N, [...S]>
  : S
/** adaptive pooling of a signal: `AdaptivePool1dShape<readonly [8, 16, 32], 4>` is `readonly [8, 16, 4]`. */
export type AdaptivePool1dShape<S, Size> = AdaptivePoolShape<1, S, Size>
/** adaptive pooling of an image: `AdaptivePool2dShape<readonly [8, 16, 32, 32], 1>` is `readonly [8, 16, 1, 1]`. */
export type AdaptivePool2dShape<S, Size> = AdaptivePoolShape<2, S, Size>

/** (N - 1) * stride - 2 * padding + kernel, or the sizes that are given. */
type UnpoolSpatial<S extends Shape, K extends Shape, Stride, Padding, Out extends Shape = readonly []> = S extends readonly [
  infer N extends number,
  ...infer T extends Shape,
]
  ? K extends readonly [infer Kernel extends number, ...infer KT extends Shape]
    ? TransposedSize<N, Kernel, Nth<Stride, Out['length']>, Nth<Padding, Out['length']>, 0, 1> extends infer Size
      ? UnpoolSpatial<T, KT, Stride, Padding, readonly [...Out, Size extends number ? Size : number]>
      : never
    : Out
  : Out
/** The inverse of pooling by largest elements. */
export type UnpoolShape<N extends number, S, Kernel, Stride = null, Padding = 0, Size = null> = S extends AnyShape
  ? number extends S['length']
    ? DynamicShape
    : SplitInput<S, N> extends [infer Batch extends Shape, infer C extends number, infer Sizes extends Shape]
      ? [Size] extends [null | undefined]
        ? readonly [
            ...Batch,
            C,
            ...UnpoolSpatial<Sizes, Spread<Kernel, N>, [Stride] extends [null | undefined] ? Spread<Kernel, N> : Stride, Padding>,
          ]
        : Size extends AnyShape
          ? number extends Size['length']
            ? SameRank<S>
            : Size['length'] extends N
              ? readonly [...Batch, C, ...Size]
              : Size['length'] extends S['length']
                ? Readonly<Size>
                : SameRank<S>
          : SameRank<S>
      : conv_error_dimensions<N, [...S]>
  : S

// ---- patches and pixels --------------------------------------------------------------------------------------------

/** Windows of an image as columns: [N, C * kernel, number of windows]. */
export type UnfoldShape<S, Kernel, Dilation = 1, Padding = 0, Stride = 1> = S extends AnyShape
  ? number extends S['length']
    ? DynamicShape
    : SplitInput<S, 2> extends [infer Batch extends Shape, infer C extends number, infer Sizes extends Shape]
      ? Spatial<Sizes, Spread<Kernel, 2>, Stride, Padding, Dilation> extends infer R
        ? R extends AnyShape
          ? readonly [...Batch, Multiply<C, Product<Spread<Kernel, 2>>>, Product<R>]
          : conv_error_kernel_larger_than_input<[...Sizes], [...Spread<Kernel, 2>]>
        : never
      : conv_error_dimensions<2, [...S]>
  : S
/** Columns put back into an image. */
export type FoldShape<S, Size, Kernel> = S extends AnyShape
  ? number extends S['length']
    ? DynamicShape
    : S extends readonly [...infer Batch extends Shape, infer Columns extends number, unknown]
      ? Divide<Columns, Product<Spread<Kernel, 2>>> extends { quotient: infer C extends number; remainder: infer R }
        ? R extends 0
          ? readonly [...Batch, C, ...Spread<Size, 2>]
          : number extends R
            ? readonly [...Batch, C, ...Spread<Size, 2>]
            : pixel_shuffle_error_not_divisible<Columns, Product<Spread<Kernel, 2>>>
        : never
      : DynamicShape
  : S
/** Channels made pixels: `PixelShuffleShape<readonly [1, 9, 4, 4], 3>` is `readonly [1, 1, 12, 12]`. */
export type PixelShuffleShape<S, R extends number> = S extends AnyShape
  ? number extends S['length']
    ? DynamicShape
    : S extends readonly [...infer B extends Shape, infer C extends number, infer H extends number, infer W extends number]
      ? Divide<C, Multiply<R, R>> extends { quotient: infer Q extends number; remainder: infer Rest }
        ? Rest extends 0
          ? readonly [...B, Q, Multiply<H, R>, Multiply<W, R>]
          : number extends Rest
            ? readonly [...B, number, Multiply<H, R>, Multiply<W, R>]
            : pixel_shuffle_error_not_divisible<C, Multiply<R, R>>
        : never
      : conv_error_dimensions<2, [...S]>
  : S
/** Pixels made channels. */
export type PixelUnshuffleShape<S, R extends number> = S extends AnyShape
  ? number extends S['length']
    ? DynamicShape
    : S extends readonly [...infer B extends Shape, infer C extends number, infer H extends number, infer W extends number]
      ? [Divide<H, R>, Divide<W, R>] extends [
          { quotient: infer QH extends number; remainder: infer RH extends number },
          { quotient: infer QW extends number; remainder: infer RW extends number },
        ]
        ? [RH, RW] extends [0, 0]
          ? readonly [...B, Multiply<C, Multiply<R, R>>, QH, QW]
          : number extends RH | RW
            ? readonly [...B, Multiply<C, Multiply<R, R>>, QH, QW]
            : pixel_shuffle_error_not_divisible<RH extends 0 ? W : H, R>
        : never
      : conv_error_dimensions<2, [...S]>
  : S

// ---- padding and resampling ----------------------------------------------------------------------------------------

type Signed<N extends number, P extends number> = number extends N | P
  ? number
  : `${P}` extends `-${infer M extends number}`
    ? Subtract<N, M>
    : Add<N, P>
type PadTail<
  S extends Shape,
  Pad extends Shape,
  Whole extends Shape,
  Rank extends number,
  Out extends Shape = readonly [],
> = Pad extends readonly [infer A extends number, infer B extends number, ...infer Rest extends Shape]
  ? S extends readonly [...infer I extends Shape, infer N extends number]
    ? PadTail<I, Rest, Whole, Rank, readonly [Signed<Signed<N, A>, B>, ...Out]>
    : pad_error_too_long<Whole['length'], Rank>
  : readonly [...S, ...Out]
/** pad: pairs for the last dimension first: `PadShape<readonly [2, 3], readonly [1, 1]>` is `readonly [2, 5]`. */
export type PadShape<S, Pad> = S extends AnyShape
  ? Pad extends AnyShape
    ? number extends S['length']
      ? DynamicShape
      : number extends Pad['length']
        ? SameRank<S>
        : PadTail<S, Pad, Pad, S['length']>
    : SameRank<S>
  : S
type Whole<N extends number> = number extends N ? false : `${N}` extends `${string}${'.' | 'e' | '-'}${string}` ? false : true
type Scale<S extends Shape, F, Out extends Shape = readonly []> = S extends readonly [infer N extends number, ...infer T extends Shape]
  ? Nth<F, Out['length']> extends infer X extends number
    ? Scale<T, F, readonly [...Out, Whole<X> extends true ? Multiply<N, X> : number]>
    : never
  : Out
/** interpolate: the sizes that are asked for, or scaled ones. */
export type InterpolateShape<S, Size, Factor> = S extends AnyShape
  ? number extends S['length']
    ? DynamicShape
    : S extends readonly [infer B extends number, infer C extends number, ...infer Sizes extends Shape]
      ? [Size] extends [null | undefined]
        ? [Factor] extends [null | undefined]
          ? SameRank<S>
          : readonly [B, C, ...Scale<Sizes, Factor>]
        : readonly [B, C, ...AdaptiveSizes<Sizes, Size>]
      : conv_error_dimensions<1, [...S]>
  : S
/** grid_sample: the grid's sizes with the input's channels. */
export type GridSampleShape<S, Grid> = S extends AnyShape
  ? Grid extends AnyShape
    ? number extends S['length'] | Grid['length']
      ? DynamicShape
      : S extends readonly [infer B extends number, infer C extends number, ...AnyShape]
        ? Grid extends readonly [unknown, ...infer Sizes extends Shape, unknown]
          ? readonly [B, C, ...Sizes]
          : DynamicShape
        : conv_error_dimensions<2, [...S]>
    : Grid
  : S
/** affine_grid: a coordinate for each pixel of an output of Size. */
export type AffineGridShape<Size> = Size extends readonly [infer N extends number, unknown, ...infer Sizes extends Shape]
  ? Sizes extends readonly [unknown, unknown, unknown]
    ? readonly [N, ...Sizes, 3]
    : readonly [N, ...Sizes, 2]
  : DynamicShape
