// Tensors joined and repeated.
import type {
  dimension_error_out_of_range,
  cat_error_ranks_do_not_match,
  cat_error_sizes_do_not_match,
  dimension_error_rank,
  stack_error_shapes_do_not_match,
} from '../../generated/shape_errors.js'
import type { Add, Multiply, Product } from '../decimal.js'
import type {
  AnyShape,
  AsList,
  DynamicShape,
  InsertAt,
  Known,
  MayEqual,
  NormalDim,
  NormalPlace,
  ReplaceAt,
  SameRank,
  Shape,
  ShapedTensor,
  SizeOf,
} from './core.js'
import type { Atleast1DShape, Atleast2DShape, Atleast3DShape } from './view.js'

/** The shapes of a list of tensors. */
export type ShapesOf<Tensors extends readonly unknown[]> = {
  readonly [K in keyof Tensors]: Tensors[K] extends ShapedTensor<infer S> ? S : DynamicShape
}
/** The dtypes of a list of tensors, as a union. */
export type DTypesOf<Tensors extends readonly unknown[]> = Tensors[number] extends { readonly dtype: infer D } ? D : never

/** An empty vector is left out, as PyTorch does for old programs. */
type Joinable<S> = S extends readonly [0] ? false : true

type CatTail<Shapes extends readonly unknown[], Dim extends number, Out extends Shape> = Shapes extends readonly [
  infer H,
  ...infer T extends readonly unknown[],
]
  ? Joinable<H> extends false
    ? CatTail<T, Dim, Out>
    : H extends AnyShape
      ? number extends H['length']
        ? CatTail<T, Dim, ReplaceAt<Out, NormalDim<Out, Dim>, number>>
        : H['length'] extends Out['length']
          ? CatOne<Out, H, NormalDim<Out, Dim>> extends infer R
            ? R extends AnyShape
              ? CatTail<T, Dim, R>
              : R
            : never
          : cat_error_ranks_do_not_match<[...Out], [...H]>
      : H
  : Out
type CatOne<
  A extends Shape,
  B extends Shape,
  At extends number,
  RestA extends Shape = A,
  RestB extends Shape = B,
  Out extends Shape = readonly [],
> = RestA extends readonly [infer X extends number, ...infer TA extends Shape]
  ? RestB extends readonly [infer Y extends number, ...infer TB extends Shape]
    ? Out['length'] extends At
      ? CatOne<A, B, At, TA, TB, readonly [...Out, Add<X, Y>]>
      : MayEqual<X, Y> extends true
        ? CatOne<A, B, At, TA, TB, readonly [...Out, Known<X, Y>]>
        : cat_error_sizes_do_not_match<Out['length'], X, Y>
    : never
  : Out

type CatShapes<Shapes extends readonly unknown[], Dim extends number> = number extends Shapes['length']
  ? Shapes[number] extends infer S extends Shape
    ? number extends S['length']
      ? DynamicShape
      : [NormalDim<S, Dim>] extends [never]
        ? dimension_error_out_of_range<Dim, [...S]>
        : number extends NormalDim<S, Dim>
          ? SameRank<S>
          : ReplaceAt<S, NormalDim<S, Dim>, number>
    : DynamicShape
  : Shapes extends readonly [infer H, ...infer T extends readonly unknown[]]
    ? H extends AnyShape
      ? T extends readonly []
        ? CheckCat<H, Dim, T>
        : Joinable<H> extends false
          ? CatShapes<T, Dim>
          : CheckCat<H, Dim, T>
      : H
    : DynamicShape
type CheckCat<H extends Shape, Dim extends number, T extends readonly unknown[]> = number extends H['length']
  ? DynamicShape
  : H extends readonly []
    ? cat_error_ranks_do_not_match<[], []>
    : [NormalDim<H, Dim>] extends [never]
      ? dimension_error_out_of_range<Dim, [...H]>
      : number extends NormalDim<H, Dim>
        ? SameRank<H>
        : CatTail<T, Dim, H>

/** A list of tensors joined along a dimension: `CatShape<[readonly [2, 3], readonly [4, 3]], 0>` is `readonly [6, 3]`. */
export type CatShape<Shapes extends readonly unknown[], Dim extends number = 0> = CatShapes<Shapes, Dim>

/** A list of tensors of one shape joined along a new dimension: `StackShape<[readonly [3], readonly [3]], 0>` is `readonly [2, 3]`. */
export type StackShape<Shapes extends readonly unknown[], Dim extends number = 0> = number extends Shapes['length']
  ? Shapes[number] extends infer S extends Shape
    ? number extends S['length']
      ? DynamicShape
      : StackAt<S, number, Dim>
    : DynamicShape
  : Shapes extends readonly [infer H, ...infer T extends readonly unknown[]]
    ? H extends AnyShape
      ? StackTail<T, H> extends infer R
        ? R extends AnyShape
          ? number extends R['length']
            ? DynamicShape
            : StackAt<R, Shapes['length'], Dim>
          : R
        : never
      : H
    : DynamicShape
type StackAt<S extends Shape, N extends number, Dim extends number> = [NormalPlace<S, Dim>] extends [never]
  ? dimension_error_out_of_range<Dim, [...S, 1]>
  : number extends NormalPlace<S, Dim>
    ? DynamicShape
    : InsertAt<S, NormalPlace<S, Dim>, N>
type StackTail<Shapes extends readonly unknown[], Out extends Shape> = Shapes extends readonly [
  infer H,
  ...infer T extends readonly unknown[],
]
  ? H extends AnyShape
    ? number extends H['length'] | Out['length']
      ? DynamicShape
      : EqualShapes<Out, H> extends infer R
        ? R extends AnyShape
          ? StackTail<T, R>
          : stack_error_shapes_do_not_match<[...Out], [...H]>
        : never
    : H
  : Out
/** Two shapes that have to be equal, as one with what is known of both; never: they are not. */
export type EqualShapes<A extends Shape, B extends Shape, Out extends Shape = readonly []> = A extends readonly [
  infer X extends number,
  ...infer TA extends Shape,
]
  ? B extends readonly [infer Y extends number, ...infer TB extends Shape]
    ? MayEqual<X, Y> extends true
      ? EqualShapes<TA, TB, readonly [...Out, Known<X, Y>]>
      : null
    : null
  : B extends readonly []
    ? Out
    : null

/** The shapes of several tensors, each with one dimension at least. */
export type Atleast1DShapes<Shapes extends readonly unknown[]> = Mapped1<Shapes>
/** With two at least. */
export type Atleast2DShapes<Shapes extends readonly unknown[]> = Mapped2<Shapes>
/** With three at least. */
export type Atleast3DShapes<Shapes extends readonly unknown[]> = Mapped3<Shapes>
type Mapped1<Shapes extends readonly unknown[]> = { readonly [K in keyof Shapes]: Atleast1DShape<Shapes[K]> }
type Mapped2<Shapes extends readonly unknown[]> = { readonly [K in keyof Shapes]: Atleast2DShape<Shapes[K]> }
type Mapped3<Shapes extends readonly unknown[]> = { readonly [K in keyof Shapes]: Atleast3DShape<Shapes[K]> }
type Columns<Shapes extends readonly unknown[]> = {
  readonly [K in keyof Shapes]: Shapes[K] extends readonly []
    ? readonly [1, 1]
    : Shapes[K] extends readonly [infer N]
      ? readonly [N, 1]
      : Shapes[K]
}
/** hstack: along the second dimension, or the first of vectors. */
export type HstackShape<Shapes extends readonly unknown[]> =
  Mapped1<Shapes> extends infer M extends readonly unknown[] ? (M[0] extends readonly [unknown] ? CatShape<M, 0> : CatShape<M, 1>) : never
/** vstack: along the first dimension; vectors are rows. */
export type VstackShape<Shapes extends readonly unknown[]> = CatShape<Mapped2<Shapes>, 0>
/** dstack: along the third dimension. */
export type DstackShape<Shapes extends readonly unknown[]> = CatShape<Mapped3<Shapes>, 2>
/** column_stack: vectors are columns. */
export type ColumnStackShape<Shapes extends readonly unknown[]> = CatShape<Columns<Shapes>, 1>
/** block_diag: the sums of rows and columns. */
export type BlockDiagShape<Shapes extends readonly unknown[], M extends number = 0, N extends number = 0> = number extends Shapes['length']
  ? readonly [number, number]
  : Shapes extends readonly [infer H, ...infer T]
    ? Atleast2DShape<H> extends readonly [infer A extends number, infer B extends number]
      ? BlockDiagShape<T, Add<M, A>, Add<N, B>>
      : readonly [number, number]
    : readonly [M, N]
/** meshgrid: one grid of all sizes for each tensor; with 'xy' the first two sizes change places. */
export type MeshgridShapes<Shapes extends readonly unknown[], Indexing = 'ij'> = number extends Shapes['length']
  ? DynamicShape[]
  : { -readonly [K in keyof Shapes]: Indexed<GridOf<Shapes>, Indexing> }
type Indexed<S extends Shape, Indexing> = [Indexing] extends ['ij' | null | undefined]
  ? S
  : S extends readonly [infer A extends number, infer B extends number, ...infer Rest extends Shape]
    ? [Indexing] extends ['xy']
      ? readonly [B, A, ...Rest]
      : SameRank<S>
    : S
type GridOf<Shapes extends readonly unknown[], Out extends Shape = readonly []> = Shapes extends readonly [infer H, ...infer T]
  ? GridOf<T, readonly [...Out, Atleast1DShape<H> extends readonly [infer N extends number] ? N : number]>
  : Out
/** cartesian_prod: a row for each combination. */
export type CartesianShape<Shapes extends readonly unknown[]> = number extends Shapes['length']
  ? DynamicShape
  : Shapes extends readonly [infer Only]
    ? Only
    : readonly [Product<GridOf<Shapes>>, Shapes['length']]

type RepeatTail<S extends Shape, N extends Shape, Out extends Shape = readonly []> = S extends readonly [
  ...infer IS extends Shape,
  infer A extends number,
]
  ? N extends readonly [...infer IN extends Shape, infer B extends number]
    ? RepeatTail<IS, IN, readonly [Multiply<A, B>, ...Out]>
    : null
  : readonly [...N, ...Out]
/** The tensor repeated along its dimensions; new ones go to the front. */
export type RepeatTensorShape<S, Repeats> = S extends AnyShape
  ? Repeats extends AnyShape
    ? number extends S['length'] | Repeats['length']
      ? DynamicShape
      : RepeatTail<S, Repeats> extends infer R
        ? R extends AnyShape
          ? R
          : dimension_error_rank<'Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor', [...S]>
        : never
    : Repeats
  : S
type TileTail<S extends Shape, N extends Shape, Out extends Shape = readonly []> = S extends readonly [
  ...infer IS extends Shape,
  infer A extends number,
]
  ? N extends readonly [...infer IN extends Shape, infer B extends number]
    ? TileTail<IS, IN, readonly [Multiply<A, B>, ...Out]>
    : readonly [...S, ...Out]
  : readonly [...N, ...Out]
/** tile: like repeat, with ones for missing counts: `TileShape<readonly [2, 3], readonly [2]>` is `readonly [2, 6]`. */
export type TileShape<S, Dims> = S extends AnyShape
  ? Dims extends AnyShape
    ? number extends S['length'] | Dims['length']
      ? DynamicShape
      : TileTail<S, Dims>
    : Dims
  : S
/** Each entry repeated N times along a dimension, or of the flat tensor. */
export type RepeatInterleaveShape<S, N extends number, Dim> = S extends AnyShape
  ? number extends S['length']
    ? DynamicShape
    : Dim extends number
      ? [NormalDim<S, Dim>] extends [never]
        ? dimension_error_out_of_range<Dim, [...S]>
        : number extends NormalDim<S, Dim>
          ? SameRank<S>
          : S extends readonly []
            ? readonly [N]
            : ReplaceAt<S, NormalDim<S, Dim>, Multiply<SizeOf<S, Dim>, N>>
      : readonly [Multiply<Product<S>, N>]
  : S
/** Each entry repeated as often as a tensor says: the size is found at run time. */
export type RepeatByTensorShape<S, Dim> = S extends AnyShape
  ? Dim extends number
    ? number extends S['length']
      ? DynamicShape
      : number extends NormalDim<S, Dim>
        ? SameRank<S>
        : ReplaceAt<S, NormalDim<S, Dim>, number>
    : readonly [number]
  : S
/** rot90: the sizes of two dimensions change places for odd K. */
export type Rot90Shape<S, K extends number, Dims> = S extends AnyShape
  ? number extends S['length']
    ? DynamicShape
    : AsList<Dims> extends readonly [infer A extends number, infer B extends number]
      ? [NormalDim<S, A>] extends [never]
        ? dimension_error_out_of_range<A, [...S]>
        : [NormalDim<S, B>] extends [never]
          ? dimension_error_out_of_range<B, [...S]>
          : number extends K | NormalDim<S, A> | NormalDim<S, B>
            ? SameRank<S>
            : `${K}` extends `${string}${'1' | '3' | '5' | '7' | '9'}`
              ? ReplaceAt<ReplaceAt<S, NormalDim<S, A>, SizeOf<S, B>>, NormalDim<S, B>, SizeOf<S, A>>
              : S
      : SameRank<S>
  : S
