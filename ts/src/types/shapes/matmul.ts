// Matrix products.
import type {
  batch_dimensions_do_not_match_error,
  broadcast_error_incompatible_dimensions,
  dimension_error_rank,
  dimension_error_repeated,
  linear_error_features_do_not_match,
  matmul_error_inner_dimensions_do_not_match,
} from '../../generated/shape_errors.js'
import type { Multiply } from '../decimal.js'
import type { BroadcastShape, ExpandShape } from './broadcast.js'
import type { ShapeError } from '../shape_error.js'
import type { AnyShape, DimsError, DynamicShape, Known, MayEqual, Positions, RemoveAt, Shape, SizeOf } from './core.js'

type Inner<K extends number, L extends number, A extends Shape, B extends Shape, Result> =
  MayEqual<K, L> extends true ? Result : matmul_error_inner_dimensions_do_not_match<K, L, [...A], [...B]>

type Batches<BatchA extends Shape, BatchB extends Shape, M extends number, N extends number, A extends Shape, B extends Shape> =
  BroadcastShape<BatchA, BatchB> extends infer Batch
    ? Batch extends AnyShape
      ? readonly [...Batch, M, N]
      : Batch extends broadcast_error_incompatible_dimensions<infer X, infer Y>
        ? batch_dimensions_do_not_match_error<X, Y, [...A], [...B]>
        : Batch
    : never

type Product<A extends Shape, B extends Shape> = A extends readonly [infer K extends number]
  ? B extends readonly [infer L extends number]
    ? Inner<K, L, A, B, readonly []>
    : B extends readonly [...infer Batch extends Shape, infer L extends number, infer N extends number]
      ? Inner<K, L, A, B, readonly [...Batch, N]>
      : dimension_error_rank<'at least 1', [...B]>
  : A extends readonly [...infer BatchA extends Shape, infer M extends number, infer K extends number]
    ? B extends readonly [infer L extends number]
      ? Inner<K, L, A, B, readonly [...BatchA, M]>
      : B extends readonly [...infer BatchB extends Shape, infer L extends number, infer N extends number]
        ? Inner<K, L, A, B, Batches<BatchA, BatchB, M, N, A, B>>
        : dimension_error_rank<'at least 1', [...B]>
    : dimension_error_rank<'at least 1', [...A]>

/**
 * The shape of matmul, with its rules for vectors and batches.
 *
 *     MatmulShape<readonly [7, 2, 3], readonly [3, 4]> // readonly [7, 2, 4]
 *     MatmulShape<readonly [2, 3], readonly [5, 4]>    // matmul_error_inner_dimensions_do_not_match<3, 5, [2, 3], [5, 4]>
 */
export type MatmulShape<A, B> = A extends AnyShape
  ? B extends AnyShape
    ? number extends A['length']
      ? DynamicShape
      : number extends B['length']
        ? DynamicShape
        : Product<A, B>
    : B
  : A

type RankOr<S extends Shape, R extends number, Result> = number extends S['length']
  ? Result
  : S['length'] extends R
    ? Result
    : dimension_error_rank<R, [...S]>
type Sized<A, B, RA extends number, RB extends number, Result, Unknown = DynamicShape> = A extends AnyShape
  ? B extends AnyShape
    ? number extends A['length']
      ? RankOr<B, RB, Unknown>
      : number extends B['length']
        ? RankOr<A, RA, Unknown>
        : A['length'] extends RA
          ? B['length'] extends RB
            ? Result
            : dimension_error_rank<RB, [...B]>
          : dimension_error_rank<RA, [...A]>
    : B
  : A

/** mm, the product of two matrices: `Matmul2DShape<readonly [2, 3], readonly [3, 4]>` is `readonly [2, 4]`. */
export type Matmul2DShape<A, B> = Sized<A, B, 2, 2, MatmulShape<A, B>, readonly [number, number]>
/** bmm, the products of two batches of matrices: `BmmShape<readonly [7, 2, 3], readonly [7, 3, 4]>`. */
export type BmmShape<A, B> = Sized<
  A,
  B,
  3,
  3,
  A extends readonly [infer X extends number, unknown, unknown]
    ? B extends readonly [infer Y extends number, unknown, unknown]
      ? MayEqual<X, Y> extends true
        ? MatmulShape<readonly [Known<X, Y>, A[1], A[2]], readonly [Known<X, Y>, B[1], B[2]]>
        : batch_dimensions_do_not_match_error<X, Y, [...A], [...B]>
      : never
    : never,
  readonly [number, number, number]
>
/** mv, a matrix times a vector. */
export type MvShape<A, B> = Sized<A, B, 2, 1, MatmulShape<A, B>, readonly [number]>
/** dot, the product of two vectors. */
export type DotShape<A, B> = Sized<A, B, 1, 1, MatmulShape<A, B>, readonly []>
/** outer, all products of two vectors' elements. */
export type OuterShape<A, B> = Sized<
  A,
  B,
  1,
  1,
  A extends readonly [infer N extends number] ? (B extends readonly [infer M extends number] ? readonly [N, M] : never) : never,
  readonly [number, number]
>
/** A result onto which self broadcasts (addmm, baddbmm, addmv, addr): `AddOntoShape<readonly [4], readonly [2, 4]>`. */
export type AddOntoShape<S, Result> = S extends AnyShape
  ? Result extends AnyShape
    ? number extends S['length']
      ? Result
      : number extends Result['length']
        ? DynamicShape
        : ExpandShape<S, Result>
    : Result
  : S
/** addbmm: the sum of the products of a batch. */
export type AddbmmShape<A, B> =
  BmmShape<A, B> extends infer R ? (R extends readonly [unknown, ...infer Rest extends Shape] ? Rest : R) : never

/**
 * x Wᵀ: the last dimension of the input becomes the rows of the weight.
 *
 *     LinearShape<readonly [32, 784], readonly [10, 784]> // readonly [32, 10]
 */
export type LinearShape<S, W> = S extends AnyShape
  ? W extends AnyShape
    ? number extends W['length']
      ? DynamicShape
      : number extends S['length']
        ? DynamicShape
        : S extends readonly [...infer Batch extends Shape, infer K extends number]
          ? W extends readonly [infer N extends number, infer L extends number]
            ? MayEqual<K, L> extends true
              ? readonly [...Batch, N]
              : linear_error_features_do_not_match<K, [...W]>
            : W extends readonly [infer L extends number]
              ? MayEqual<K, L> extends true
                ? Batch
                : linear_error_features_do_not_match<K, [...W]>
              : dimension_error_rank<2, [...W]>
          : dimension_error_rank<'at least 1', [...S]>
    : W
  : S

/** bilinear: the batch dimensions of the first input and the outputs of the weight. */
export type BilinearShape<A, B, W> = A extends AnyShape
  ? B extends AnyShape
    ? W extends AnyShape
      ? number extends A['length']
        ? DynamicShape
        : number extends B['length']
          ? DynamicShape
          : W extends readonly [infer O extends number, infer K1 extends number, infer K2 extends number]
            ? A extends readonly [...infer BatchA extends Shape, infer L1 extends number]
              ? B extends readonly [...infer BatchB extends Shape, infer L2 extends number]
                ? MayEqual<K1, L1> extends true
                  ? MayEqual<K2, L2> extends true
                    ? BatchesEqual<BatchA, BatchB> extends true
                      ? readonly [...BatchA, O]
                      : batch_dimensions_do_not_match_error<[...BatchA], [...BatchB], [...A], [...B]>
                    : linear_error_features_do_not_match<L2, [...W]>
                  : linear_error_features_do_not_match<L1, [...W]>
                : dimension_error_rank<'at least 1', [...B]>
              : dimension_error_rank<'at least 1', [...A]>
            : number extends W['length']
              ? DynamicShape
              : dimension_error_rank<3, [...W]>
      : W
    : B
  : A
type BatchesEqual<A extends Shape, B extends Shape> = A extends readonly [infer X extends number, ...infer TA extends Shape]
  ? B extends readonly [infer Y extends number, ...infer TB extends Shape]
    ? MayEqual<X, Y> extends true
      ? BatchesEqual<TA, TB>
      : false
    : false
  : B extends readonly []
    ? true
    : false

/** inner: products over the last dimension of both. */
export type InnerShape<A, B> = A extends AnyShape
  ? B extends AnyShape
    ? number extends A['length']
      ? DynamicShape
      : number extends B['length']
        ? DynamicShape
        : A extends readonly []
          ? B
          : B extends readonly []
            ? A
            : A extends readonly [...infer IA extends Shape, infer K extends number]
              ? B extends readonly [...infer IB extends Shape, infer L extends number]
                ? Inner<K, L, A, B, readonly [...IA, ...IB]>
                : never
              : never
    : B
  : A

/** kron: sizes multiply, the smaller rank gets ones in front. */
export type KronShape<A, B> = A extends AnyShape
  ? B extends AnyShape
    ? number extends A['length']
      ? DynamicShape
      : number extends B['length']
        ? DynamicShape
        : KronTail<A, B>
    : B
  : A
type KronTail<A extends Shape, B extends Shape, Out extends Shape = readonly []> = A extends readonly [
  ...infer IA extends Shape,
  infer X extends number,
]
  ? B extends readonly [...infer IB extends Shape, infer Y extends number]
    ? KronTail<IA, IB, readonly [Multiply<X, Y>, ...Out]>
    : readonly [...A, ...Out]
  : readonly [...B, ...Out]

/** tensordot over the last N dimensions of A and the first N of B. */
export type TensordotShape<A, B, Dims> = Dims extends number
  ? TensordotOver<A, B, Dims>
  : Dims extends readonly [infer DA, infer DB]
    ? TensordotListsShape<A, B, DA, DB>
    : DynamicShape
/** tensordot over listed dimensions: the others of A, then those of B. */
export type TensordotListsShape<A, B, DA, DB> = A extends AnyShape
  ? B extends AnyShape
    ? number extends A['length'] | B['length']
      ? DynamicShape
      : DA extends AnyShape
        ? DB extends AnyShape
          ? number extends DA['length'] | DB['length']
            ? DynamicShape
            : TensordotLists<A, B, DA, DB>
          : DynamicShape
        : DynamicShape
    : B
  : A
type TensordotLists<A extends Shape, B extends Shape, DA extends Shape, DB extends Shape> =
  DimsFault<A, DA> extends infer Bad extends ShapeError
    ? Bad
    : DimsFault<B, DB> extends infer Bad extends ShapeError
      ? Bad
      : number extends Positions<A, DA> | Positions<B, DB>
        ? DynamicShape
        : Paired<A, B, DA, DB> extends infer R
          ? R extends ShapeError
            ? R
            : readonly [...RemoveAt<A, Positions<A, DA>>, ...RemoveAt<B, Positions<B, DB>>]
          : never
type DimsFault<S extends Shape, Dims extends Shape> =
  DimsError<S, Dims> extends infer E ? (E extends 'repeated' ? dimension_error_repeated<[...Dims], [...S]> : E) : never
/** A dimension of size 1 broadcasts. */
type Paired<A extends Shape, B extends Shape, DA extends Shape, DB extends Shape> = DA extends readonly [
  infer X extends number,
  ...infer Xs extends Shape,
]
  ? DB extends readonly [infer Y extends number, ...infer Ys extends Shape]
    ? MayEqual<SizeOf<A, X>, SizeOf<B, Y>> extends true
      ? Paired<A, B, Xs, Ys>
      : 1 extends SizeOf<A, X> | SizeOf<B, Y>
        ? Paired<A, B, Xs, Ys>
        : matmul_error_inner_dimensions_do_not_match<SizeOf<A, X>, SizeOf<B, Y>, [...A], [...B]>
    : dimension_error_rank<'as many dimensions of each tensor', [...A]>
  : DB extends readonly []
    ? true
    : dimension_error_rank<'as many dimensions of each tensor', [...B]>
type TensordotOver<A, B, N extends number> = A extends AnyShape
  ? B extends AnyShape
    ? number extends A['length']
      ? DynamicShape
      : number extends B['length']
        ? DynamicShape
        : number extends N
          ? DynamicShape
          : Contract<A, B, N>
    : B
  : A
type Contract<A extends Shape, B extends Shape, N extends number, Summed extends Shape = readonly []> = Summed['length'] extends N
  ? ContractHead<A, B, Summed>
  : A extends readonly [...infer I extends Shape, infer K extends number]
    ? Contract<I, B, N, readonly [K, ...Summed]>
    : dimension_error_rank<N, [...A]>
type ContractHead<A extends Shape, B extends Shape, Summed extends Shape> = Summed extends readonly [
  infer K extends number,
  ...infer T extends Shape,
]
  ? B extends readonly [infer L extends number, ...infer TB extends Shape]
    ? MayEqual<K, L> extends true
      ? ContractHead<A, TB, T>
      : K extends 1
        ? ContractHead<A, TB, T>
        : L extends 1
          ? ContractHead<A, TB, T>
          : matmul_error_inner_dimensions_do_not_match<K, L, [...A, ...Summed], [...B]>
    : dimension_error_rank<Summed['length'], [...B]>
  : readonly [...A, ...B]

/** Products of a chain of matrices. */
export type ChainShape<Shapes extends readonly unknown[], Out = null> = number extends Shapes['length']
  ? DynamicShape
  : Shapes extends readonly [infer H, ...infer T]
    ? ChainShape<T, Out extends null ? H : MatmulShape<Out, H>>
    : Out

/** The product of vectors along a dimension: what they broadcast to, without it. */
export type VecdotShape<A, B, Dim extends number> =
  BroadcastShape<A, B> extends infer R
    ? R extends AnyShape
      ? number extends R['length']
        ? DynamicShape
        : R extends readonly []
          ? R
          : SizeOf<R, Dim> extends number
            ? VecdotDrop<R, Dim>
            : never
      : R
    : never
type VecdotDrop<R extends Shape, Dim extends number> = Dim extends -1
  ? R extends readonly [...infer I extends Shape, unknown]
    ? I
    : R
  : number extends Dim
    ? DynamicShape
    : RemoveAt<R, Dim>

/** cdist: the distances of P rows to R rows. */
export type CdistShape<A, B> = A extends AnyShape
  ? B extends AnyShape
    ? number extends A['length']
      ? DynamicShape
      : number extends B['length']
        ? DynamicShape
        : A extends readonly [...infer BatchA extends Shape, infer P extends number, infer K extends number]
          ? B extends readonly [...infer BatchB extends Shape, infer R extends number, infer L extends number]
            ? Inner<K, L, A, B, Batches<BatchA, BatchB, P, R, A, B>>
            : dimension_error_rank<'at least 2', [...B]>
          : dimension_error_rank<'at least 2', [...A]>
    : B
  : A
