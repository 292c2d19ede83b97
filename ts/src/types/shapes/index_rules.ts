// Indexing, gathering and scattering.
import type {
  dimension_error_out_of_range,
  at_error_index_out_of_bounds,
  at_error_too_many_indices,
  embedding_bag_error_requires_2d_input,
  gather_error_dim_out_of_range,
  gather_error_sizes_do_not_match,
  index_select_error_dim_out_of_range,
  scatter_error_dim_out_of_range,
  slice_error_out_of_bounds,
} from '../../generated/shape_errors.js'
import type { Add, Compare, Divide, Subtract } from '../decimal.js'
import type { BroadcastShape } from './broadcast.js'
import type { Shown, AnyShape, DynamicShape, IsFixed, MayEqual, NormalDim, ReplaceAt, SameRank, Shape, WithDim } from './core.js'
import type { InBounds } from './view.js'

/**
 * gather: the shape of the index, which may not be larger than the tensor but along the dimension.
 *
 *     GatherShape<readonly [2, 3], 1, readonly [2, 9]> // readonly [2, 9]
 *     GatherShape<readonly [2, 3], 2, readonly [2, 3]> // gather_error_dim_out_of_range<2, [2, 3]>
 */
export type GatherShape<S, Dim extends number, Index> = S extends AnyShape
  ? Index extends AnyShape
    ? number extends S['length'] | Index['length']
      ? Index
      : [NormalDim<S, Dim>] extends [never]
        ? gather_error_dim_out_of_range<Dim, [...S]>
        : S extends readonly []
          ? Index
          : Index extends readonly []
            ? Index
            : S['length'] extends Index['length']
              ? number extends NormalDim<S, Dim>
                ? Index
                : Inside<Index, S, NormalDim<S, Dim>> extends true
                  ? Index
                  : gather_error_sizes_do_not_match<[...Index], [...S]>
              : gather_error_sizes_do_not_match<[...Index], [...S]>
    : Index
  : S
/** Whether all sizes of A but one are at most those of B. */
type Inside<A extends Shape, B extends Shape, Except extends number, Count extends Shape = readonly []> = A extends readonly [
  infer X extends number,
  ...infer TA extends Shape,
]
  ? B extends readonly [infer Y extends number, ...infer TB extends Shape]
    ? Count['length'] extends Except
      ? Inside<TA, TB, Except, readonly [...Count, 0]>
      : IsFixed<X> extends true
        ? IsFixed<Y> extends true
          ? Compare<X, Y> extends 1
            ? false
            : Inside<TA, TB, Except, readonly [...Count, 0]>
          : Inside<TA, TB, Except, readonly [...Count, 0]>
        : Inside<TA, TB, Except, readonly [...Count, 0]>
    : true
  : true

/**
 * scatter: the tensor's own shape.
 *
 *     ScatterShape<readonly [2, 3], 1, readonly [2, 2]> // readonly [2, 3]
 *     ScatterShape<readonly [2, 3], 2, readonly [2, 2]> // scatter_error_dim_out_of_range<2, [2, 3]>
 */
export type ScatterShape<S, Dim extends number, Index = DynamicShape> = WithDim<
  S,
  Dim,
  scatter_error_dim_out_of_range<Dim, Shown<S>>,
  S extends AnyShape ? (GatherShape<S, Dim, Index> extends infer R ? (R extends AnyShape ? S : R) : never) : S
>
/** Operators on entries along a dimension (index_add, index_copy, index_fill): the tensor's own shape. */
export type IndexAlongShape<S, Dim extends number> = WithDim<S, Dim, dimension_error_out_of_range<Dim, Shown<S>>>

/** The entries of an index along a dimension: `IndexSelectShape<readonly [5, 3], 0, readonly [2]>` is `readonly [2, 3]`. */
export type IndexSelectShape<S, Dim extends number, Index> = S extends AnyShape
  ? Index extends AnyShape
    ? number extends S['length']
      ? DynamicShape
      : [NormalDim<S, Dim>] extends [never]
        ? index_select_error_dim_out_of_range<Dim, [...S]>
        : number extends NormalDim<S, Dim>
          ? SameRank<S>
          : Index extends readonly [infer N extends number]
            ? S extends readonly []
              ? MayEqual<N, 1> extends true
                ? S
                : gather_error_sizes_do_not_match<[N], []>
              : ReplaceAt<S, NormalDim<S, Dim>, N>
            : Index extends readonly []
              ? ReplaceAt<S, NormalDim<S, Dim>, 1>
              : number extends Index['length']
                ? ReplaceAt<S, NormalDim<S, Dim>, number>
                : gather_error_sizes_do_not_match<[...Index], [...S]>
    : Index
  : S

/** take_along_dim: what the sizes broadcast to but along the dimension; of a flat tensor, the index's number of elements. */
export type TakeAlongShape<S, Index, Dim> = S extends AnyShape
  ? Index extends AnyShape
    ? Dim extends number
      ? number extends S['length'] | Index['length'] | Dim
        ? DynamicShape
        : [NormalDim<S, Dim>] extends [never]
          ? dimension_error_out_of_range<Dim, [...S]>
          : Index[NormalDim<Index, Dim>] extends infer N extends number
            ? BroadcastShape<ReplaceAt<S, NormalDim<S, Dim>, 1>, ReplaceAt<Index, NormalDim<Index, Dim>, 1>> extends infer R
              ? R extends AnyShape
                ? ReplaceAt<R, NormalDim<R, Dim>, N>
                : R
              : never
            : DynamicShape
      : readonly [number]
    : Index
  : S

/** The elements that a mask picks: their number is found at run time. */
export type MaskedSelectShape<S, Mask> = BroadcastShape<S, Mask> extends infer R ? (R extends AnyShape ? readonly [number] : R) : never
/** nonzero and argwhere: a row of positions for each element. */
export type NonzeroShape<S> = S extends AnyShape
  ? number extends S['length']
    ? readonly [number, number]
    : readonly [number, S['length']]
  : S
/** nonzero_static: a fixed number of rows. */
export type NonzeroStaticShape<S, N extends number> = S extends AnyShape
  ? readonly [N, number extends S['length'] ? number : S['length']]
  : S
/** One class of N for each element: `OneHotShape<readonly [5], 10>` is `readonly [5, 10]`. */
export type OneHotShape<S, N extends number> = S extends AnyShape
  ? number extends S['length']
    ? DynamicShape
    : readonly [...S, `${N}` extends `-${string}` ? number : N]
  : S
/** A row of the weight for each index: `EmbeddingShape<readonly [2, 7], readonly [1000, 64]>` is `readonly [2, 7, 64]`. */
export type EmbeddingShape<Index, W> = Index extends AnyShape
  ? W extends AnyShape
    ? number extends Index['length']
      ? DynamicShape
      : W extends readonly [unknown, infer D extends number]
        ? readonly [...Index, D]
        : number extends W['length']
          ? DynamicShape
          : gather_error_sizes_do_not_match<[...Index], [...W]>
    : W
  : Index
/** Bags of rows: a matrix of indices, or a vector with offsets. */
export type EmbeddingBagShape<Index, W, Offsets = null> = Index extends AnyShape
  ? W extends AnyShape
    ? number extends Index['length'] | W['length']
      ? DynamicShape
      : W extends readonly [unknown, infer D extends number]
        ? Index extends readonly [infer N extends number, unknown]
          ? readonly [N, D]
          : Index extends readonly [unknown]
            ? Offsets extends readonly [infer N extends number]
              ? readonly [N, D]
              : readonly [number, D]
            : embedding_bag_error_requires_2d_input<[...Index]>
        : DynamicShape
    : W
  : Index
/** tril_indices and triu_indices: two rows. */
export type PairsShape = readonly [2, number]
/** bincount, unique and others: a vector of unknown length. */
export type ListShape = readonly [number]
/** combinations of R elements. */
export type CombinationsShape<R extends number> = readonly [number, R]
/** multinomial: N samples in place of the last dimension. */
export type SamplesShape<S, N extends number> = S extends AnyShape
  ? number extends S['length']
    ? DynamicShape
    : S extends readonly [...infer B extends Shape, unknown]
      ? readonly [...B, N]
      : S
  : S

// ---- at() ----------------------------------------------------------------------------------------------------------

/**
 * `[start, end]` or `[start, end, step]`; null: from the beginning, to the end.
 *
 *     const middle: torch.RangeSpec = [2, -2]
 *     const x = torch.arange(10).at(middle)
 */
export type RangeSpec =
  readonly [start: number | null, end: number | null] | readonly [start: number | null, end: number | null, step: number | null]
/**
 * A range of at(), under its other name.
 *
 *     const everySecond: torch.SliceSpec = [null, null, 2]
 *     const x = torch.arange(10).at(everySecond)
 */
export type SliceSpec = RangeSpec

/** A bound counted from the end made positive, and kept in [0, Size]. */
type Place<Bound extends number, Size extends number> = `${Bound}` extends `-${infer Back extends number}`
  ? Compare<Back, Size> extends -1
    ? Subtract<Size, Back>
    : 0
  : Compare<Bound, Size> extends -1
    ? Bound
    : Size
/** How many steps fit between two places. */
type Steps<From extends number, To extends number, Step extends number> =
  Compare<From, To> extends -1
    ? Divide<Subtract<To, From>, Step> extends { quotient: infer Q extends number; remainder: infer R }
      ? R extends 0
        ? Q
        : Add<Q, 1>
      : number
    : 0
/** One behind the place that a range of negative step begins or ends at: in [0, Size], where 0 is "before the first element". */
type PlaceBehind<Bound extends number, Size extends number> = `${Bound}` extends `-${infer Back extends number}`
  ? Compare<Back, Size> extends 1
    ? 0
    : Add<Subtract<Size, Back>, 1>
  : Compare<Bound, Size> extends -1
    ? Add<Bound, 1>
    : Size
type Given<Bound, Otherwise extends number> = Bound extends number ? Bound : Otherwise

/** The number of elements that a range takes of a dimension; `number` where it is not known. */
type RangeSize<Size extends number, Range extends RangeSpec> = number extends Size | Range[number]
  ? number
  : Range extends readonly [infer Start, infer End, infer Step]
    ? `${Given<Step, 1>}` extends `-${infer Back extends number}`
      ? Steps<End extends number ? PlaceBehind<End, Size> : 0, Start extends number ? PlaceBehind<Start, Size> : Size, Back>
      : Given<Step, 1> extends 0
        ? never
        : Steps<Place<Given<Start, 0>, Size>, End extends number ? Place<End, Size> : Size, Given<Step, 1>>
    : Range extends readonly [infer Start, infer End]
      ? Steps<Place<Given<Start, 0>, Size>, End extends number ? Place<End, Size> : Size, 1>
      : number

type Consumed<Specs extends readonly unknown[], Out extends Shape = readonly []> = Specs extends readonly [infer H, ...infer T]
  ? Consumed<
      T,
      H extends '...' | 'newaxis'
        ? Out
        : H extends { readonly dtype: 'bool'; readonly shape: infer M extends Shape }
          ? readonly [...Out, ...M]
          : readonly [...Out, 0]
    >
  : Out

/**
 * The shape of `x.at(...specs)`. Numbers take a dimension away, ranges and null keep it, 'newaxis' adds one, '...' stands for all in between;
 * a tensor of integers puts its own shape there, a mask an unknown size.
 *
 *     AtShape<readonly [4, 5, 6], readonly [0, readonly [1, 3]]> // readonly [2, 6]
 */
export type AtShape<S extends Shape, Specs extends readonly unknown[]> = number extends S['length'] | Specs['length']
  ? DynamicShape
  : Consumed<Specs> extends infer Used extends Shape
    ? number extends Used['length']
      ? DynamicShape
      : Rest<S, Used> extends infer Free
        ? Free extends AnyShape
          ? AtTail<S, Specs, Free>
          : at_error_too_many_indices<Used['length'], [...S]>
        : never
    : never
/** The dimensions that nothing speaks of, as a tuple of their number; null: there are fewer than none. */
type Rest<S extends Shape, Used extends Shape> = Used extends readonly [unknown, ...infer U extends Shape]
  ? S extends readonly [unknown, ...infer T extends Shape]
    ? Rest<T, U>
    : null
  : S

type AtTail<
  S extends Shape,
  Specs extends readonly unknown[],
  Free extends Shape,
  At extends Shape = readonly [],
  Out extends Shape = readonly [],
  Picked = null,
> = Specs extends readonly [infer H, ...infer T]
  ? H extends '...'
    ? SkipFree<S, Free, Out> extends [infer S2 extends Shape, infer Out2 extends Shape]
      ? AtTail<S2, T, readonly [], readonly [...At, ...Free], Out2, Picked extends null ? null : 'apart'>
      : never
    : H extends 'newaxis'
      ? AtTail<S, T, Free, At, readonly [...Out, 1], Picked extends null ? null : 'apart'>
      : S extends readonly [infer N extends number, ...infer Tail extends Shape]
        ? H extends number
          ? InBounds<H, N> extends true
            ? AtTail<Tail, T, Free, readonly [...At, 0], Out, Picked>
            : at_error_index_out_of_bounds<H, At['length'], N>
          : H extends bigint
            ? AtTail<Tail, T, Free, readonly [...At, 0], Out, Picked>
            : H extends null | undefined
              ? AtTail<Tail, T, Free, readonly [...At, 0], readonly [...Out, N], Picked extends null ? null : 'apart'>
              : H extends readonly [unknown, unknown, 0]
                ? slice_error_out_of_bounds<0, N>
                : H extends RangeSpec
                  ? AtTail<Tail, T, Free, readonly [...At, 0], readonly [...Out, RangeSize<N, H>], Picked extends null ? null : 'apart'>
                  : H extends { readonly dtype: infer D; readonly shape: infer Index extends Shape }
                    ? AtTensor<S, Tail, D, Index, T, Free, At, Out, Picked>
                    : DynamicShape
        : DynamicShape
  : readonly [...Out, ...S]
type SkipFree<S extends Shape, Free extends Shape, Out extends Shape> = Free extends readonly [unknown, ...infer F extends Shape]
  ? S extends readonly [infer N extends number, ...infer T extends Shape]
    ? SkipFree<T, F, readonly [...Out, N]>
    : [S, Out]
  : [S, Out]
/** One index tensor is known; several, or a mask among others, are found at run time. */
type AtTensor<
  S extends Shape,
  Tail extends Shape,
  D,
  Index extends Shape,
  T extends readonly unknown[],
  Free extends Shape,
  At extends Shape,
  Out extends Shape,
  Picked,
> = Picked extends null
  ? D extends 'bool'
    ? Same<D> extends true
      ? Index extends readonly [unknown]
        ? AtTail<Tail, T, Free, readonly [...At, 0], readonly [...Out, number], 'picked'>
        : T extends readonly []
          ? Out extends readonly []
            ? MaskRest<S, Index>
            : DynamicShape
          : DynamicShape
      : DynamicShape
    : 'bool' extends D
      ? DynamicShape
      : number extends Index['length']
        ? DynamicShape
        : AtTail<Tail, T, Free, readonly [...At, 0], readonly [...Out, ...Index], Index extends readonly [] ? null : 'picked'>
  : DynamicShape
type Same<D> = [D] extends ['bool'] ? true : false
type MaskRest<S extends Shape, Mask extends Shape, Whole extends Shape = Mask> = Mask extends readonly [unknown, ...infer M extends Shape]
  ? S extends readonly [unknown, ...infer T extends Shape]
    ? MaskRest<T, M, Whole>
    : at_error_too_many_indices<Whole['length'], [...S]>
  : Whole extends readonly []
    ? DynamicShape
    : readonly [number, ...S]
