// Reductions, and rules that only check their dimension.
import type {
  dimension_error_out_of_range,
  dimension_error_rank,
  dimension_error_repeated,
  flip_error_dim_out_of_range,
  softmax_error_dim_out_of_range,
  topk_error_k_out_of_range,
} from '../../generated/shape_errors.js'
import type { Add, Compare, Subtract } from '../decimal.js'
import type {
  Shown,
  AnyShape,
  AsList,
  Count,
  DimsError,
  DynamicShape,
  NormalDim,
  Positions,
  RemoveAt,
  ReplaceAt,
  SameRank,
  Shape,
  SizeOf,
  WithDim,
} from './core.js'

type Ones<S extends Shape> = { readonly [K in keyof S]: 1 }
type KeepOnes<S extends Shape, At extends number> = {
  readonly [K in keyof S]: K extends `${At}` ? 1 : S[K]
}

type Reduced<S extends Shape, Dims extends Shape, Keep> = number extends Dims['length']
  ? Keep extends true
    ? SameRank<S>
    : DynamicShape
  : Dims extends readonly []
    ? ReducedAll<S, Keep>
    : DimsError<S, Dims> extends infer E
      ? E extends null
        ? S extends readonly []
          ? S
          : number extends Positions<S, Dims>
            ? Keep extends true
              ? SameRank<S>
              : DynamicShape
            : Keep extends true
              ? KeepOnes<S, Positions<S, Dims>>
              : RemoveAt<S, Positions<S, Dims>>
        : E extends 'repeated'
          ? dimension_error_repeated<[...Dims], [...S]>
          : E
      : never
type ReducedAll<S extends Shape, Keep> = Keep extends true ? Ones<S> : readonly []

/**
 * Dimensions taken out, or kept with size 1. Dim: one, a list, or null for all.
 *
 *     ReduceShape<readonly [2, 3, 4], 1>          // readonly [2, 4]
 *     ReduceShape<readonly [2, 3, 4], [0, -1], true> // readonly [1, 3, 1]
 */
export type ReduceShape<S, Dim = null, Keep = false> = S extends AnyShape
  ? boolean extends Keep
    ? DynamicShape
    : [Dim] extends [null | undefined]
      ? number extends S['length']
        ? Keep extends true
          ? DynamicShape
          : readonly []
        : ReducedAll<S, Keep>
      : number extends S['length']
        ? DynamicShape
        : AsList<Exclude<Dim, null | undefined>> extends infer Dims extends Shape
          ? Reduced<S, Dims, Keep>
          : DynamicShape
  : S

/** any and all: an empty list of dimensions is none of them, where for sums it is all. */
export type ReduceListedShape<S, Dim, Keep = false> = Dim extends readonly [] ? S : ReduceShape<S, Dim, Keep>

/** Several quantiles: their shape in front of the reduced one. */
export type QuantileShape<S, Q, Dim, Keep> =
  ReduceShape<S, Dim, Keep> extends infer R
    ? R extends AnyShape
      ? Q extends AnyShape
        ? number extends Q['length']
          ? DynamicShape
          : number extends R['length']
            ? DynamicShape
            : readonly [...Q, ...R]
        : Q
      : R
    : never

/** An operator along a dimension that keeps all sizes. */
export type AlongShape<S, Dim> = Dim extends number ? WithDim<S, Dim, dimension_error_out_of_range<Dim, Shown<S>>> : S
/** softmax along a dimension: `SoftmaxShape<readonly [2, 3], -1>` is `readonly [2, 3]`. */
export type SoftmaxShape<S, Dim> = Dim extends number ? WithDim<S, Dim, softmax_error_dim_out_of_range<Dim, Shown<S>>> : S
/** Cumulative operators: `CumShape<readonly [2, 3], 1>` is `readonly [2, 3]`. */
export type CumShape<S, Dim> = AlongShape<S, Dim>
/** sort and what goes with it. */
export type SortShape<S, Dim> = AlongShape<S, Dim>

/** An operator over dimensions that keeps all sizes; null: all of them. */
export type AlongAllShape<S, Dims> = S extends AnyShape
  ? number extends S['length']
    ? S
    : [Dims] extends [null | undefined]
      ? S
      : AsList<Exclude<Dims, null | undefined>> extends infer D extends Shape
        ? DimsError<S, D> extends infer E
          ? E extends null
            ? S
            : E extends 'repeated'
              ? dimension_error_repeated<[...D], [...S]>
              : E
          : never
        : S
  : S
/** flip over dimensions: `FlipShape<readonly [2, 3], readonly [0, -1]>` is `readonly [2, 3]`. */
export type FlipShape<S, Dims> =
  AlongAllShape<S, Dims> extends infer R
    ? R extends { readonly error: 'dimension_error_out_of_range'; readonly parameters: readonly [infer D, infer Z] }
      ? flip_error_dim_out_of_range<D, Z>
      : R
    : never
/** roll: without dims the tensor is rolled as if it were flat. */
export type RollShape<S, Dims> = S extends AnyShape
  ? number extends S['length']
    ? S
    : S extends readonly []
      ? RollScalar<Dims>
      : AnyOutOfRange<S, AsList<Dims>>
  : S
/** A tensor without dimensions rolls over none. */
type RollScalar<Dims> = AsList<Dims> extends readonly [] ? readonly [] : dimension_error_rank<'at least 1', []>
type AnyOutOfRange<S extends Shape, Dims> = Dims extends readonly [infer H extends number, ...infer T]
  ? [NormalDim<S, H>] extends [never]
    ? dimension_error_out_of_range<H, [...S]>
    : AnyOutOfRange<S, T>
  : S

/** The K largest along a dimension: `TopkShape<readonly [2, 5], 3, -1>` is `readonly [2, 3]`. */
export type TopkShape<S, K extends number, Dim extends number> = WithDim<
  S,
  Dim,
  dimension_error_out_of_range<Dim, Shown<S>>,
  S extends AnyShape
    ? number extends S['length']
      ? DynamicShape
      : number extends NormalDim<S, Dim>
        ? SameRank<S>
        : Compare<K, SizeOf<S, Dim>> extends 1
          ? topk_error_k_out_of_range<K, SizeOf<S, Dim>>
          : ReplaceAt<S, NormalDim<S, Dim>, K>
    : S
>
/** The K-th smallest along a dimension. */
export type KthvalueShape<S, K extends number, Dim extends number, Keep> = S extends AnyShape
  ? number extends S['length']
    ? DynamicShape
    : [NormalDim<S, Dim>] extends [never]
      ? dimension_error_out_of_range<Dim, [...S]>
      : Compare<K, SizeOf<S, Dim>> extends 1
        ? topk_error_k_out_of_range<K, SizeOf<S, Dim>>
        : ReduceShape<S, Dim, Keep>
  : S

/** Differences of neighbours, N times. */
export type DiffShape<S, N extends number, Dim extends number> = WithDim<
  S,
  Dim,
  dimension_error_out_of_range<Dim, Shown<S>>,
  S extends AnyShape
    ? number extends S['length']
      ? DynamicShape
      : number extends NormalDim<S, Dim>
        ? SameRank<S>
        : ReplaceAt<
            S,
            NormalDim<S, Dim>,
            Compare<N, SizeOf<S, Dim>> extends -1 ? Subtract<SizeOf<S, Dim>, N> : Compare<N, SizeOf<S, Dim>> extends 0 | 1 ? 0 : number
          >
    : S
>

/** The edges of N intervals: `EdgesShape<4>` is `readonly [5]`. */
export type EdgesShape<N> = readonly [Add<Count<N>, 1>]
/** The intervals between edges: `BetweenShape<readonly [5]>` is `readonly [4]`. */
export type BetweenShape<S> = S extends AnyShape
  ? number extends S['length']
    ? readonly [number]
    : S extends readonly [infer N extends number]
      ? readonly [Subtract<N, 1>]
      : dimension_error_rank<1, [...S]>
  : S
