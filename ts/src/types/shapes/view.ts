// Views: the same elements with other sizes.
import type {
  dimension_error_out_of_range,
  chunk_error_dim_out_of_range,
  complex_error_last_dimension,
  dimension_error_rank,
  dimension_error_repeated,
  narrow_error_length_exceeds_bounds,
  narrow_error_start_out_of_bounds,
  permute_error_dimension_count_mismatch,
  reshape_error_incompatible,
  reshape_error_several_inferred,
  select_error_index_out_of_bounds,
  slice_error_out_of_bounds,
  split_error_dim_out_of_range,
  split_error_not_divisible,
  split_error_sizes_do_not_sum,
  transpose_dims_error_out_of_range,
  transpose_error_requires_2d_tensor,
  unbind_error_dim_out_of_range,
  unflatten_error_incompatible,
} from '../../generated/shape_errors.js'
import type { Add, Compare, Divide, Multiply, Product, Subtract } from '../decimal.js'
import type { ShapeError } from '../shape_error.js'
import type {
  AnyShape,
  AllFixed,
  DimsError,
  Drop,
  DynamicShape,
  InsertAt,
  IsFixed,
  MayEqual,
  NormalDim,
  NormalPlace,
  Positions,
  RemoveAt,
  ReplaceAt,
  Same,
  SameRank,
  Shape,
  Shown,
  SizeOf,
  Take,
  WithDim,
} from './core.js'

// ---- reshape -------------------------------------------------------------------------------------------------------

/** The product of the sizes that are not -1, with how many are: [product, 0 | 1 | 2]. */
type Asked<Size extends Shape, Out extends number = 1, Inferred extends 0 | 1 | 2 = 0> = Size extends readonly [
  infer H extends number,
  ...infer T extends Shape,
]
  ? Same<H, -1> extends true
    ? Asked<T, Out, Inferred extends 0 ? 1 : 2>
    : Asked<T, Multiply<Out, H>, Inferred>
  : [Out, Inferred]
type Fill<Size extends Shape, With extends number> = { readonly [K in keyof Size]: Same<Size[K], -1> extends true ? With : Size[K] }

/**
 * The sizes that a view or reshape asks for; -1 is computed.
 *
 *     ReshapeShape<readonly [2, 6], readonly [-1, 3]> // readonly [4, 3]
 *     ReshapeShape<readonly [2, 3], readonly [4]>     // reshape_error_incompatible<[2, 3], [4]>
 */
export type ReshapeShape<S, Size> = S extends AnyShape
  ? Size extends AnyShape
    ? number extends Size['length']
      ? DynamicShape
      : KeepsFirst<S, Size> extends infer R
        ? R extends AnyShape
          ? R
          : ReshapeByCount<S, Size>
        : never
    : Size
  : S
/** A first size that is kept, with the others regrouped: it may be a type parameter. */
type KeepsFirst<S extends Shape, Size extends Shape> = S extends readonly [infer H extends number, ...infer T extends Shape]
  ? Size extends readonly [infer N extends number, ...infer U extends Shape]
    ? Same<H, N> extends true
      ? Regrouped<T, U> extends true
        ? Readonly<Size>
        : null
      : N extends -1
        ? Regrouped<T, U> extends true
          ? readonly [H, ...U]
          : null
        : null
    : null
  : null
type Regrouped<T extends Shape, U extends Shape> = -1 extends U[number]
  ? false
  : AllFixed<T> extends true
    ? AllFixed<U> extends true
      ? Product<T> extends Product<U>
        ? true
        : false
      : false
    : false
type ReshapeByCount<S extends Shape, Size extends Shape> =
  Asked<Size> extends [infer Known extends number, infer Inferred]
    ? Inferred extends 2
      ? reshape_error_several_inferred<[...Size]>
      : AllFixed<S> extends true
        ? IsFixed<Known> extends true
          ? Inferred extends 1
            ? Known extends 0
              ? reshape_error_incompatible<[...S], [...Size]>
              : Divide<Product<S>, Known> extends { quotient: infer Q extends number; remainder: infer R }
                ? R extends 0
                  ? Fill<Size, Q>
                  : reshape_error_incompatible<[...S], [...Size]>
                : never
            : Product<S> extends Known
              ? Readonly<Size>
              : reshape_error_incompatible<[...S], [...Size]>
          : Fill<Size, number>
        : Inferred extends 1
          ? Fill<Size, InferredSize<S, Size>>
          : Readonly<Size>
    : never
/** -1 for sizes that are not all known: where the others are the same, it is the one that is left. */
type InferredSize<S extends Shape, Size extends Shape> = S extends readonly [infer H extends number, ...infer T extends Shape]
  ? Size extends readonly [-1, ...infer U extends Shape]
    ? AllFixed<T> extends true
      ? AllFixed<U> extends true
        ? Product<T> extends Product<U>
          ? H
          : number
        : number
      : Same<T, Readonly<U>> extends true
        ? H
        : number
    : number
  : number

/** All elements in one dimension. */
export type RavelShape<S> = S extends AnyShape ? (number extends S['length'] ? readonly [number] : readonly [Product<S>]) : S

type RankDim<S extends Shape, Dim extends number> = S extends readonly [] ? NormalDim<readonly [1], Dim> : NormalDim<S, Dim>
/**
 * Dimensions from start to end joined into one.
 *
 *     FlattenShape<readonly [32, 3, 28, 28], 1> // readonly [32, 2352]
 */
export type FlattenShape<S, StartDim extends number = 0, EndDim extends number = -1> = S extends AnyShape
  ? number extends S['length']
    ? DynamicShape
    : [RankDim<S, StartDim>] extends [never]
      ? dimension_error_out_of_range<StartDim, [...S]>
      : [RankDim<S, EndDim>] extends [never]
        ? dimension_error_out_of_range<EndDim, [...S]>
        : S extends readonly []
          ? readonly [1]
          : number extends NormalDim<S, StartDim> | NormalDim<S, EndDim>
            ? DynamicShape
            : FlattenFrom<S, NormalDim<S, StartDim>, NormalDim<S, EndDim>>
  : S
type FlattenFrom<
  S extends Shape,
  Start extends number,
  End extends number,
  Count extends Shape = readonly [],
  Out extends Shape = readonly [],
  Joined extends number | null = null,
> = S extends readonly [infer H extends number, ...infer T extends Shape]
  ? Joined extends number
    ? Count['length'] extends End
      ? readonly [...Out, Multiply<Joined, H>, ...T]
      : FlattenFrom<T, Start, End, readonly [...Count, 0], Out, Multiply<Joined, H>>
    : Count['length'] extends Start
      ? Start extends End
        ? readonly [...Out, ...S]
        : FlattenFrom<T, Start, End, readonly [...Count, 0], Out, H>
      : FlattenFrom<T, Start, End, readonly [...Count, 0], readonly [...Out, H], null>
  : dimension_error_rank<'flatten() has invalid args: start_dim cannot come after end_dim', [...Out]>

/** One dimension split into several, one of which may be -1: `UnflattenShape<readonly [2, 12], 1, readonly [3, -1]>` is `readonly [2, 3, 4]`. */
export type UnflattenShape<S, Dim extends number, Sizes> = S extends AnyShape
  ? Sizes extends AnyShape
    ? number extends S['length'] | Sizes['length']
      ? DynamicShape
      : [NormalDim<S, Dim>] extends [never]
        ? dimension_error_out_of_range<Dim, [...S]>
        : number extends NormalDim<S, Dim>
          ? DynamicShape
          : ReshapeShape<readonly [SizeOf<S, Dim>], Sizes> extends infer R
            ? R extends AnyShape
              ? readonly [...Take<S, NormalDim<S, Dim>>, ...R, ...Rest<Drop<S, NormalDim<S, Dim>>>]
              : unflatten_error_incompatible<SizeOf<S, Dim>, [...Sizes], [...S]>
            : never
    : Sizes
  : S
type Rest<S extends Shape> = S extends readonly [unknown, ...infer T extends Shape] ? T : readonly []

// ---- dimensions of size 1 ------------------------------------------------------------------------------------------

/** A dimension of size 1 put in: `UnsqueezeShape<readonly [2, 3], -1>` is `readonly [2, 3, 1]`. */
export type UnsqueezeShape<S, Dim extends number> = S extends AnyShape
  ? number extends S['length']
    ? DynamicShape
    : NormalPlace<S, Dim> extends infer At extends number
      ? [At] extends [never]
        ? dimension_error_out_of_range<Dim, [...S]>
        : number extends At
          ? DynamicShape
          : InsertAt<S, At, 1>
      : never
  : S

type WithoutOnes<S extends Shape, Out extends Shape = readonly []> = S extends readonly [infer H extends number, ...infer T extends Shape]
  ? Same<H, 1> extends true
    ? WithoutOnes<T, Out>
    : IsFixed<H> extends true
      ? WithoutOnes<T, readonly [...Out, H]>
      : DynamicShape
  : Out
type WithoutOnesAt<
  S extends Shape,
  At extends number,
  Count extends Shape = readonly [],
  Out extends Shape = readonly [],
> = S extends readonly [infer H extends number, ...infer T extends Shape]
  ? Count['length'] extends At
    ? Same<H, 1> extends true
      ? WithoutOnesAt<T, At, readonly [...Count, 0], Out>
      : IsFixed<H> extends true
        ? WithoutOnesAt<T, At, readonly [...Count, 0], readonly [...Out, H]>
        : DynamicShape
    : WithoutOnesAt<T, At, readonly [...Count, 0], readonly [...Out, H]>
  : Out
/** Dimensions of size 1 taken out: all, one, or those of a list: `SqueezeShape<readonly [1, 3, 1]>` is `readonly [3]`. */
export type SqueezeShape<S, Dim = null> = S extends AnyShape
  ? number extends S['length']
    ? DynamicShape
    : Dim extends null | undefined
      ? WithoutOnes<S>
      : (Dim extends AnyShape ? Dim : readonly [Dim & number]) extends infer Dims extends Shape
        ? number extends Dims['length']
          ? DynamicShape
          : DimsError<S, Dims> extends infer E
            ? E extends null
              ? number extends Positions<S, Dims>
                ? DynamicShape
                : WithoutOnesAt<S, Positions<S, Dims>>
              : E extends 'repeated'
                ? dimension_error_repeated<[...Dims], [...S]>
                : E
            : never
        : never
  : S

// ---- order ---------------------------------------------------------------------------------------------------------

type Exchange<S extends Shape, I extends number, J extends number> = {
  readonly [K in keyof S]: K extends `${I}` ? S[J] & number : K extends `${J}` ? S[I] & number : S[K]
}
/** Two dimensions exchanged: `TransposeDimsShape<readonly [2, 3, 4], 0, -1>` is `readonly [4, 3, 2]`. */
export type TransposeDimsShape<S, Dim0 extends number, Dim1 extends number> = S extends AnyShape
  ? number extends S['length']
    ? DynamicShape
    : [NormalDim<S, Dim0>] extends [never]
      ? transpose_dims_error_out_of_range<Dim0, [...S]>
      : [NormalDim<S, Dim1>] extends [never]
        ? transpose_dims_error_out_of_range<Dim1, [...S]>
        : number extends NormalDim<S, Dim0> | NormalDim<S, Dim1>
          ? SameRank<S>
          : Exchange<S, NormalDim<S, Dim0>, NormalDim<S, Dim1>>
  : S
/** TransposeDimsShape under its other name; both check: `TransposeDimsShapeChecked<readonly [2, 3], 0, 1>` is `readonly [3, 2]`. */
export type TransposeDimsShapeChecked<S, Dim0 extends number, Dim1 extends number> = TransposeDimsShape<S, Dim0, Dim1>

/** A matrix transposed; fewer dimensions stay as they are: `TransposeShape<readonly [2, 3]>` is `readonly [3, 2]`. */
export type TransposeShape<S> = S extends AnyShape
  ? number extends S['length']
    ? DynamicShape
    : S extends readonly [infer M extends number, infer N extends number]
      ? readonly [N, M]
      : S extends readonly [] | readonly [unknown]
        ? S
        : transpose_error_requires_2d_tensor<[...S]>
  : S
/** The last two dimensions exchanged. */
export type MatrixTransposeShape<S> = S extends AnyShape
  ? number extends S['length']
    ? DynamicShape
    : S extends readonly [...infer B extends Shape, infer M extends number, infer N extends number]
      ? readonly [...B, N, M]
      : S extends readonly []
        ? S
        : dimension_error_rank<'at least 2', [...S]>
  : S
// Written so that the compiler sees that it keeps assignability: a property of Tensor<S> has this type.
/** The sizes from the last to the first: `Mirrored<readonly [2, 3, 4]>` is `readonly [4, 3, 2]`. */
export type Mirrored<S extends Shape> = S extends readonly [infer H extends number, ...infer T extends Shape]
  ? readonly [...Mirrored<T>, H]
  : S extends readonly []
    ? readonly []
    : Shape
/** All dimensions in reverse order. */
export type ReverseShape<S extends Shape, Out extends Shape = readonly []> = number extends S['length']
  ? DynamicShape
  : S extends readonly [infer H extends number, ...infer T extends Shape]
    ? ReverseShape<T, readonly [H, ...Out]>
    : Out

/** The dimensions in another order: `PermuteShape<readonly [2, 3, 4], readonly [2, 0, 1]>` is `readonly [4, 2, 3]`. */
export type PermuteShape<S, Dims> = S extends AnyShape
  ? Dims extends AnyShape
    ? number extends S['length'] | Dims['length']
      ? DynamicShape
      : Dims['length'] extends S['length']
        ? DimsError<S, Dims> extends infer E
          ? E extends null
            ? { readonly [K in keyof Dims]: SizeOf<S, Dims[K] & number> }
            : E extends 'repeated'
              ? dimension_error_repeated<[...Dims], [...S]>
              : E
          : never
        : permute_error_dimension_count_mismatch<Dims['length'], S['length'], [...S]>
    : Dims
  : S

/** Dimensions moved to other places: `MovedimShape<readonly [2, 3, 4], 0, -1>` is `readonly [3, 4, 2]`. */
export type MovedimShape<S, Source, Destination> = S extends AnyShape
  ? number extends S['length']
    ? DynamicShape
    : Source extends number
      ? Destination extends number
        ? [NormalDim<S, Source>] extends [never]
          ? dimension_error_out_of_range<Source, [...S]>
          : [NormalDim<S, Destination>] extends [never]
            ? dimension_error_out_of_range<Destination, [...S]>
            : number extends NormalDim<S, Source> | NormalDim<S, Destination>
              ? SameRank<S>
              : S extends readonly []
                ? S
                : InsertAt<RemoveAt<S, NormalDim<S, Source>>, NormalDim<S, Destination>, SizeOf<S, Source>>
        : SameRank<S>
      : Source extends readonly [infer Only extends number]
        ? Destination extends readonly [infer To extends number]
          ? MovedimShape<S, Only, To>
          : SameRank<S>
        : Source extends AnyShape
          ? Destination extends AnyShape
            ? MoveSeveral<S, Source, Destination>
            : SameRank<S>
          : SameRank<S>
  : S
type MoveSeveral<S extends Shape, Source extends Shape, Destination extends Shape> = number extends Source['length'] | Destination['length']
  ? SameRank<S>
  : DimsError<S, Source> extends infer E
    ? E extends ShapeError
      ? E
      : DimsError<S, Destination> extends infer F
        ? F extends ShapeError
          ? F
          : 'repeated' extends E | F
            ? dimension_error_repeated<[...Source], [...S]>
            : number extends Positions<S, Source> | Positions<S, Destination>
              ? SameRank<S>
              : Place<S, RemoveAt<S, Positions<S, Source>>, Source, Destination>
        : never
    : never
/** Each place of the result is a moved dimension's, or the next of those that stay. */
type Place<
  S extends Shape,
  Left extends Shape,
  Source extends Shape,
  Destination extends Shape,
  Count extends Shape = readonly [],
  Out extends Shape = readonly [],
> = Count['length'] extends S['length']
  ? Out
  : MovedTo<S, Source, Destination, Count['length']> extends infer Size
    ? Size extends number
      ? Place<S, Left, Source, Destination, readonly [...Count, 0], readonly [...Out, Size]>
      : Left extends readonly [infer H extends number, ...infer T extends Shape]
        ? Place<S, T, Source, Destination, readonly [...Count, 0], readonly [...Out, H]>
        : Out
    : never
type MovedTo<S extends Shape, Source extends Shape, Destination extends Shape, At extends number> = Source extends readonly [
  infer From extends number,
  ...infer Sources extends Shape,
]
  ? Destination extends readonly [infer To extends number, ...infer Destinations extends Shape]
    ? NormalDim<S, To> extends At
      ? SizeOf<S, From>
      : MovedTo<S, Sources, Destinations, At>
    : null
  : null

// ---- parts ---------------------------------------------------------------------------------------------------------

/** Whether an index (from either end) is one of N entries; unknown ones may be: `InBounds<-1, 3>` is true. */
export type InBounds<Index extends number, N extends number> =
  IsFixed<N> extends true
    ? IsFixed<Index> extends true
      ? `${Index}` extends `-${infer Back extends number}`
        ? Compare<Back, N> extends 1
          ? false
          : true
        : Compare<Index, N> extends -1
          ? true
          : false
      : true
    : true

/** One entry of a dimension, which goes: `SelectShape<readonly [2, 3], 1, 0>` is `readonly [2]`. */
export type SelectShape<S, Dim extends number, Index> = S extends AnyShape
  ? number extends S['length']
    ? DynamicShape
    : S extends readonly []
      ? dimension_error_rank<'at least 1', []>
      : [NormalDim<S, Dim>] extends [never]
        ? dimension_error_out_of_range<Dim, [...S]>
        : number extends NormalDim<S, Dim>
          ? DynamicShape
          : Index extends number
            ? InBounds<Index, SizeOf<S, Dim>> extends true
              ? RemoveAt<S, NormalDim<S, Dim>>
              : select_error_index_out_of_bounds<Index, NormalDim<S, Dim>, SizeOf<S, Dim>>
            : RemoveAt<S, NormalDim<S, Dim>>
  : S

/** Length entries from Start: `NarrowShape<readonly [2, 5], 1, 1, 3>` is `readonly [2, 3]`. */
export type NarrowShape<S, Dim extends number, Start, Length extends number> = S extends AnyShape
  ? number extends S['length']
    ? DynamicShape
    : S extends readonly []
      ? dimension_error_rank<'at least 1', []>
      : [NormalDim<S, Dim>] extends [never]
        ? dimension_error_out_of_range<Dim, [...S]>
        : number extends NormalDim<S, Dim>
          ? SameRank<S>
          : NarrowError<SizeOf<S, Dim>, Start, Length> extends infer E
            ? E extends null
              ? ReplaceAt<S, NormalDim<S, Dim>, Length>
              : E
            : never
  : S
type NarrowError<N extends number, Start, Length extends number> = `${Length}` extends `-${string}`
  ? narrow_error_length_exceeds_bounds<Start, Length, N>
  : Start extends number
    ? IsFixed<N> extends true
      ? IsFixed<Start> extends true
        ? FromFront<Start, N> extends infer At extends number
          ? [At] extends [never]
            ? narrow_error_start_out_of_bounds<Start, N>
            : Compare<At, N> extends 1
              ? narrow_error_start_out_of_bounds<Start, N>
              : IsFixed<Length> extends true
                ? Compare<Add<At, Length>, N> extends 1
                  ? narrow_error_length_exceeds_bounds<At, Length, N>
                  : null
                : null
          : null
        : null
      : null
    : null
/** A position from either end as one from the front; never where it is before the first. */
type FromFront<I extends number, N extends number> = `${I}` extends `-${infer Back extends number}` ? Subtract<N, Back> : I

/** A position of a slice, moved into the dimension. */
export type Clamp<I, N extends number, Otherwise extends number> = I extends number
  ? IsFixed<I> extends true
    ? `${I}` extends `-${infer Back extends number}`
      ? Compare<Back, N> extends 1
        ? 0
        : Subtract<N, Back>
      : Compare<I, N> extends 1
        ? N
        : I
    : number
  : Otherwise
/** How many entries a slice has. */
export type SliceSize<N extends number, Start, End, Step extends number> =
  IsFixed<N> extends true
    ? [Clamp<Start, N, 0>, Clamp<End, N, N>] extends [infer A extends number, infer B extends number]
      ? number extends A | B | Step
        ? number
        : Compare<B, A> extends 1
          ? Step extends 1
            ? Subtract<B, A>
            : Divide<Subtract<Add<Subtract<B, A>, Step>, 1>, Step> extends { quotient: infer Q extends number }
              ? Q
              : number
          : 0
      : number
    : [Start, End, Step] extends [0 | null | undefined, null | undefined, 1]
      ? N
      : number

/** Every Step-th entry from Start to before End: `SliceShape<readonly [10], 0, 2, 8, 3>` is `readonly [2]`. */
export type SliceShape<S, Dim extends number, Start, End, Step extends number> = S extends AnyShape
  ? number extends S['length']
    ? DynamicShape
    : S extends readonly []
      ? dimension_error_rank<'at least 1', []>
      : [NormalDim<S, Dim>] extends [never]
        ? dimension_error_out_of_range<Dim, [...S]>
        : number extends NormalDim<S, Dim>
          ? SameRank<S>
          : `${Step}` extends `-${string}` | '0'
            ? slice_error_out_of_bounds<Step, SizeOf<S, Dim>>
            : ReplaceAt<S, NormalDim<S, Dim>, SliceSize<SizeOf<S, Dim>, Start, End, Step>>
  : S

// ---- pieces --------------------------------------------------------------------------------------------------------
// Rules of operators that give several tensors: a tuple of shapes where their number is known and small, else Shape[].

type Repeat<S extends Shape, N extends number, Out extends readonly Shape[] = []> = Out['length'] extends N
  ? Out
  : Repeat<S, N, [...Out, S]>
type Few<N extends number> = IsFixed<N> extends true ? (`${N}` extends `${number}${number}${number}` ? false : true) : false
type Piece<S extends Shape, Dim extends number> = ReplaceAt<S, NormalDim<S, Dim>, number>

type Pieces<S extends Shape, Dim extends number, N extends number, Size extends number, Rest extends number> =
  Few<N> extends true
    ? Rest extends 0
      ? Repeat<ReplaceAt<S, NormalDim<S, Dim>, Size>, N>
      : [...Repeat<ReplaceAt<S, NormalDim<S, Dim>, Size>, N>, ReplaceAt<S, NormalDim<S, Dim>, Rest>]
    : Piece<S, Dim>[]
type SplitBy<S extends Shape, Dim extends number, Size extends number, N extends number = SizeOf<S, Dim>> =
  IsFixed<N> extends true
    ? IsFixed<Size> extends true
      ? Divide<N, Size> extends { quotient: infer Q extends number; remainder: infer R extends number }
        ? Q extends 0
          ? [S]
          : Pieces<S, Dim, Q, Size, R>
        : Piece<S, Dim>[]
      : Piece<S, Dim>[]
    : Piece<S, Dim>[]

type ValidDim<S, Dim extends number, Bad> = S extends AnyShape
  ? number extends S['length']
    ? S
    : S extends readonly []
      ? dimension_error_rank<'at least 1', []>
      : [NormalDim<S, Dim>] extends [never]
        ? Bad
        : S
  : S
/**
 * The shape if it has the dimension that `unbind` takes apart, else the error.
 *
 *     ValidateUnbindDim<readonly [2, 3], -1> // readonly [2, 3]
 *     ValidateUnbindDim<readonly [2, 3], 2>  // unbind_error_dim_out_of_range<2, [2, 3]>
 */
export type ValidateUnbindDim<S, Dim extends number> = ValidDim<S, Dim, unbind_error_dim_out_of_range<Dim, Shown<S>>>
/**
 * The shape if it has the dimension that `split` cuts, else the error.
 *
 *     ValidateSplitDim<readonly [2, 3], 1>  // readonly [2, 3]
 *     ValidateSplitDim<readonly [2, 3], -3> // split_error_dim_out_of_range<-3, [2, 3]>
 */
export type ValidateSplitDim<S, Dim extends number> = ValidDim<S, Dim, split_error_dim_out_of_range<Dim, Shown<S>>>
/**
 * The shape if it has the dimension that `chunk` cuts, else the error.
 *
 *     ValidateChunkDim<readonly [2, 3], 0> // readonly [2, 3]
 *     ValidateChunkDim<readonly [2, 3], 5> // chunk_error_dim_out_of_range<5, [2, 3]>
 */
export type ValidateChunkDim<S, Dim extends number> = ValidDim<S, Dim, chunk_error_dim_out_of_range<Dim, Shown<S>>>

/** The entries along a dimension: `UnbindShapes<readonly [2, 3], 0>` is `[readonly [3], readonly [3]]`. */
export type UnbindShapes<S, Dim extends number> = S extends AnyShape
  ? number extends S['length']
    ? DynamicShape[]
    : ValidateUnbindDim<S, Dim> extends infer Bad extends ShapeError
      ? Bad
      : number extends NormalDim<S, Dim>
        ? DynamicShape[]
        : Few<SizeOf<S, Dim>> extends true
          ? Repeat<RemoveAt<S, NormalDim<S, Dim>>, SizeOf<S, Dim>>
          : RemoveAt<S, NormalDim<S, Dim>>[]
  : S

/** Pieces of one size, or of several: `SplitShapes<readonly [5, 2], 2, 0>` is `[readonly [2, 2], readonly [2, 2], readonly [1, 2]]`. */
export type SplitShapes<S, Size, Dim extends number> = S extends AnyShape
  ? number extends S['length']
    ? DynamicShape[]
    : ValidateSplitDim<S, Dim> extends infer Bad extends ShapeError
      ? Bad
      : number extends NormalDim<S, Dim>
        ? SameRank<S>[]
        : Size extends number
          ? SplitBy<S, Dim, Size>
          : Size extends AnyShape
            ? SplitSizes<S, Dim, Size>
            : Piece<S, Dim>[]
  : S
type SplitSizes<S extends Shape, Dim extends number, Sizes extends Shape> = number extends Sizes['length']
  ? Piece<S, Dim>[]
  : MayEqual<Total<Sizes>, SizeOf<S, Dim>> extends true
    ? { -readonly [K in keyof Sizes]: ReplaceAt<S, NormalDim<S, Dim>, Sizes[K] & number> }
    : split_error_sizes_do_not_sum<[...Sizes], SizeOf<S, Dim>>
/** The sum of sizes. */
export type Total<Sizes extends Shape, Out extends number = 0> = Sizes extends readonly [infer H extends number, ...infer T extends Shape]
  ? Total<T, Add<Out, H>>
  : Out

type CeilDivide<A extends number, B extends number> =
  Divide<A, B> extends { quotient: infer Q extends number; remainder: infer R } ? (R extends 0 ? Q : Add<Q, 1>) : number
/** At most N pieces of equal size: `ChunkShapes<readonly [5], 2, 0>` is `[readonly [3], readonly [2]]`. */
export type ChunkShapes<S, N extends number, Dim extends number> = S extends AnyShape
  ? number extends S['length']
    ? DynamicShape[]
    : ValidateChunkDim<S, Dim> extends infer Bad extends ShapeError
      ? Bad
      : number extends NormalDim<S, Dim>
        ? SameRank<S>[]
        : IsFixed<SizeOf<S, Dim>> extends true
          ? SizeOf<S, Dim> extends 0
            ? Few<N> extends true
              ? Repeat<S, N>
              : S[]
            : IsFixed<N> extends true
              ? SplitBy<S, Dim, CeilDivide<SizeOf<S, Dim>, N>>
              : Piece<S, Dim>[]
          : Piece<S, Dim>[]
  : S

/** Exactly N pieces, or those between positions. */
export type TensorSplitShapes<S, N, Dim extends number> = S extends AnyShape
  ? number extends S['length']
    ? DynamicShape[]
    : S extends readonly []
      ? dimension_error_rank<'at least 1', []>
      : [NormalDim<S, Dim>] extends [never]
        ? dimension_error_out_of_range<Dim, [...S]>
        : number extends NormalDim<S, Dim>
          ? SameRank<S>[]
          : N extends number
            ? IsFixed<SizeOf<S, Dim>> extends true
              ? Few<N> extends true
                ? Divide<SizeOf<S, Dim>, N> extends { quotient: infer Q extends number; remainder: infer R extends number }
                  ? TensorSplit<S, NormalDim<S, Dim>, N, Q, R>
                  : Piece<S, Dim>[]
                : Piece<S, Dim>[]
              : Piece<S, Dim>[]
            : N extends AnyShape
              ? number extends N['length']
                ? Piece<S, Dim>[]
                : Between<S, NormalDim<S, Dim>, SizeOf<S, Dim>, N>
              : Piece<S, Dim>[]
  : S
type TensorSplit<
  S extends Shape,
  At extends number,
  N extends number,
  Q extends number,
  R extends number,
  Out extends Shape[] = [],
> = Out['length'] extends N
  ? Out
  : Compare<Out['length'], R> extends -1
    ? TensorSplit<S, At, N, Q, R, [...Out, ReplaceAt<S, At, Add<Q, 1>>]>
    : TensorSplit<S, At, N, Q, R, [...Out, ReplaceAt<S, At, Q>]>
type Between<
  S extends Shape,
  At extends number,
  N extends number,
  Ends extends Shape,
  From extends number = 0,
  Out extends Shape[] = [],
> = Ends extends readonly [infer H extends number, ...infer T extends Shape]
  ? Between<S, At, N, T, H, [...Out, ReplaceAt<S, At, SliceSize<N, From, H, 1>>]>
  : [...Out, ReplaceAt<S, At, SliceSize<N, From, null, 1>>]
/** hsplit: along the second dimension, or the first of a vector. */
export type HsplitShapes<S, N> = S extends AnyShape
  ? number extends S['length']
    ? DynamicShape[]
    : S extends readonly [unknown]
      ? EvenSplit<S, N, 0>
      : EvenSplit<S, N, 1>
  : S
/** vsplit: along the first dimension of at least two. */
export type VsplitShapes<S, N> = S extends readonly [] | readonly [unknown]
  ? dimension_error_rank<'at least 2', [...S]>
  : EvenSplit<S, N, 0>
/** dsplit: along the third dimension. */
export type DsplitShapes<S, N> = S extends readonly [] | readonly [unknown] | readonly [unknown, unknown]
  ? dimension_error_rank<'at least 3', [...S]>
  : EvenSplit<S, N, 2>
type EvenSplit<S, N, Dim extends number> = S extends AnyShape
  ? N extends number
    ? Divide<SizeOf<S, Dim>, N> extends { remainder: infer R }
      ? R extends 0
        ? TensorSplitShapes<S, N, Dim>
        : number extends R
          ? TensorSplitShapes<S, N, Dim>
          : split_error_not_divisible<SizeOf<S, Dim>, N>
      : TensorSplitShapes<S, N, Dim>
    : TensorSplitShapes<S, N, Dim>
  : S

// ---- diagonals, windows, complex parts -----------------------------------------------------------------------------

type Min<A extends number, B extends number> = number extends A | B ? number : Compare<A, B> extends 1 ? B : A
/** The length of a diagonal of an M x N matrix. */
export type DiagonalSize<M extends number, N extends number, Offset extends number> = number extends M | N | Offset
  ? number
  : `${Offset}` extends `-${infer Down extends number}`
    ? Compare<M, Down> extends 1
      ? Min<Subtract<M, Down>, N>
      : 0
    : Compare<N, Offset> extends 1
      ? Min<M, Subtract<N, Offset>>
      : 0
/** Diagonals as the last dimension: `DiagonalShape<readonly [7, 2, 3], 0, 1, 2>` is `readonly [7, 2]`. */
export type DiagonalShape<S, Offset extends number, Dim1 extends number, Dim2 extends number> = S extends AnyShape
  ? number extends S['length']
    ? DynamicShape
    : [NormalDim<S, Dim1>] extends [never]
      ? dimension_error_out_of_range<Dim1, [...S]>
      : [NormalDim<S, Dim2>] extends [never]
        ? dimension_error_out_of_range<Dim2, [...S]>
        : number extends NormalDim<S, Dim1> | NormalDim<S, Dim2>
          ? DynamicShape
          : NormalDim<S, Dim1> extends NormalDim<S, Dim2>
            ? dimension_error_repeated<[Dim1, Dim2], [...S]>
            : readonly [...RemoveAt<S, NormalDim<S, Dim1> | NormalDim<S, Dim2>>, DiagonalSize<SizeOf<S, Dim1>, SizeOf<S, Dim2>, Offset>]
  : S
type Magnitude<N extends number> = `${N}` extends `-${infer M extends number}` ? M : N
/** A vector as a matrix's diagonal, or a matrix's diagonal: `DiagShape<readonly [3]>` is `readonly [3, 3]`. */
export type DiagShape<S, Diagonal extends number = 0> = S extends AnyShape
  ? number extends S['length']
    ? DynamicShape
    : S extends readonly [infer N extends number]
      ? readonly [Add<N, Magnitude<Diagonal>>, Add<N, Magnitude<Diagonal>>]
      : S extends readonly [infer M extends number, infer N extends number]
        ? readonly [DiagonalSize<M, N, Diagonal>]
        : dimension_error_rank<'1 or 2', [...S]>
  : S
/** diagflat: all elements on the diagonal of a matrix. */
export type DiagflatShape<S, Offset extends number> = S extends AnyShape
  ? number extends S['length']
    ? readonly [number, number]
    : DiagShape<readonly [Product<S>], Offset>
  : S
/** diag_embed: the last dimension as the diagonal of two. */
export type DiagEmbedShape<S, Offset extends number, Dim1 extends number, Dim2 extends number> = S extends AnyShape
  ? number extends S['length']
    ? DynamicShape
    : S extends readonly [...infer B extends Shape, infer N extends number]
      ? [Dim1, Dim2] extends [-2, -1]
        ? readonly [...B, Add<N, Magnitude<Offset>>, Add<N, Magnitude<Offset>>]
        : SameRank<readonly [...S, 1]>
      : dimension_error_rank<'at least 1', []>
  : S

/** Windows along a dimension as a new last one: `UnfoldWindowsShape<readonly [2, 10], 1, 4, 3>` is `readonly [2, 3, 4]`. */
export type UnfoldWindowsShape<S, Dim extends number, Size extends number, Step extends number> = S extends AnyShape
  ? number extends S['length']
    ? DynamicShape
    : [NormalDim<S, Dim>] extends [never]
      ? dimension_error_out_of_range<Dim, [...S]>
      : number extends NormalDim<S, Dim>
        ? DynamicShape
        : S extends readonly []
          ? Compare<Size, 1> extends 1
            ? narrow_error_length_exceeds_bounds<0, Size, 1>
            : readonly [Size]
          : Compare<Size, SizeOf<S, Dim>> extends 1
            ? narrow_error_length_exceeds_bounds<0, Size, SizeOf<S, Dim>>
            : number extends Size | Step | SizeOf<S, Dim>
              ? readonly [...ReplaceAt<S, NormalDim<S, Dim>, number>, Size]
              : Divide<Subtract<SizeOf<S, Dim>, Size>, Step> extends { quotient: infer Q extends number }
                ? readonly [...ReplaceAt<S, NormalDim<S, Dim>, Add<Q, 1>>, Size]
                : never
  : S

/** Complex numbers as pairs: `ViewAsRealShape<readonly [3]>` is `readonly [3, 2]`. */
export type ViewAsRealShape<S> = S extends AnyShape ? (number extends S['length'] ? DynamicShape : readonly [...S, 2]) : S
/** Pairs as complex numbers: `ViewAsComplexShape<readonly [3, 2]>` is `readonly [3]`. */
export type ViewAsComplexShape<S> = S extends AnyShape
  ? number extends S['length']
    ? DynamicShape
    : S extends readonly [...infer B extends Shape, infer N extends number]
      ? MayEqual<N, 2> extends true
        ? readonly [...B]
        : complex_error_last_dimension<N>
      : dimension_error_rank<'at least 1', []>
  : S

/** At least one dimension. */
export type Atleast1DShape<S> = S extends readonly [] ? readonly [1] : S
/** At least two dimensions, new ones in front. */
export type Atleast2DShape<S> = S extends readonly [] ? readonly [1, 1] : S extends readonly [infer N extends number] ? readonly [1, N] : S
/** At least three dimensions: a vector gets one on either side, a matrix a last one. */
export type Atleast3DShape<S> = S extends readonly []
  ? readonly [1, 1, 1]
  : S extends readonly [infer N extends number]
    ? readonly [1, N, 1]
    : S extends readonly [infer M extends number, infer N extends number]
      ? readonly [M, N, 1]
      : S
