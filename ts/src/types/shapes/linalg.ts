// Linear algebra: the last two dimensions are matrices, those in front of them a batch.
import type {
  dimension_error_rank,
  linalg_error_not_square_matrix,
  linalg_error_requires_2d,
  linalg_error_requires_at_least_2d,
  matmul_error_inner_dimensions_do_not_match,
} from '../../generated/shape_errors.js'
import type { Compare } from '../decimal.js'
import type { BroadcastShape } from './broadcast.js'
import type { AnyShape, DynamicShape, MayEqual, Shape } from './core.js'

type Matrices<S, Result> = S extends AnyShape
  ? number extends S['length']
    ? Result
    : S extends readonly [...AnyShape, unknown, unknown]
      ? Result
      : linalg_error_requires_at_least_2d<[...S]>
  : S
type Min<A extends number, B extends number> = number extends A | B ? number : Compare<A, B> extends 1 ? B : A

/**
 * S if it is a batch of square matrices (or may be one), else the error.
 *
 *     ValidateBatchedSquareMatrix<readonly [7, 3, 3]> // readonly [7, 3, 3]
 *     ValidateBatchedSquareMatrix<readonly [7, 2, 3]> // linalg_error_not_square_matrix<2, 3, [7, 2, 3]>
 */
export type ValidateBatchedSquareMatrix<S> = S extends AnyShape
  ? number extends S['length']
    ? S
    : S extends readonly [...AnyShape, infer M extends number, infer N extends number]
      ? MayEqual<M, N> extends true
        ? S
        : linalg_error_not_square_matrix<M, N, [...S]>
      : linalg_error_requires_at_least_2d<[...S]>
  : S
/**
 * S if it is one square matrix, else the error.
 *
 *     ValidateSquareMatrix<readonly [3, 3]>    // readonly [3, 3]
 *     ValidateSquareMatrix<readonly [7, 3, 3]> // linalg_error_requires_2d<[7, 3, 3]>
 */
export type ValidateSquareMatrix<S> = S extends AnyShape
  ? number extends S['length']
    ? S
    : S extends readonly [unknown, unknown]
      ? ValidateBatchedSquareMatrix<S>
      : linalg_error_requires_2d<[...S]>
  : S

/** Operators on square matrices that keep the shape: `InverseShape<readonly [7, 3, 3]>` is `readonly [7, 3, 3]`. */
export type InverseShape<S> = ValidateBatchedSquareMatrix<S>
/** cholesky: `CholeskyShape<readonly [3, 3]>` is `readonly [3, 3]`. */
export type CholeskyShape<S> = ValidateBatchedSquareMatrix<S>
/** Operators on matrices of any shape that keep it. */
export type AtLeast2DShape<S> = Matrices<S, S>
/** det and other numbers of a square matrix leave the batch: `DetShape<readonly [7, 3, 3]>` is `readonly [7]`. */
export type DetShape<S> =
  ValidateBatchedSquareMatrix<S> extends infer R
    ? R extends AnyShape
      ? number extends R['length']
        ? DynamicShape
        : R extends readonly [...infer B extends Shape, unknown, unknown]
          ? readonly [...B]
          : never
      : R
    : never
/** A number of any matrix (rank, condition): the batch is left. */
export type PerMatrixShape<S> = Matrices<
  S,
  S extends readonly [...infer B extends Shape, unknown, unknown] ? readonly [...B] : DynamicShape
>
/** trace of one matrix: `TraceShape<readonly [3, 3]>` is `readonly []`. */
export type TraceShape<S> = S extends AnyShape
  ? number extends S['length']
    ? readonly []
    : S extends readonly [unknown, unknown]
      ? readonly []
      : linalg_error_requires_2d<[...S]>
  : S
/** Eigenvalues of square matrices: `EigShape<readonly [7, 3, 3]>` is `readonly [7, 3]`. */
export type EigShape<S> =
  ValidateBatchedSquareMatrix<S> extends infer R
    ? R extends AnyShape
      ? number extends R['length']
        ? DynamicShape
        : R extends readonly [...infer B extends Shape, infer N extends number, unknown]
          ? readonly [...B, N]
          : never
      : R
    : never
/** Singular values: `SVDShape<readonly [5, 3]>` is `readonly [3]`. */
export type SVDShape<S> = Matrices<
  S,
  S extends readonly [...infer B extends Shape, infer M extends number, infer N extends number] ? readonly [...B, Min<M, N>] : DynamicShape
>
/** U of svd (and Q of qr): [M, M] or [M, min(M, N)]. */
export type LeftShape<S, Full> = Matrices<
  S,
  S extends readonly [...infer B extends Shape, infer M extends number, infer N extends number]
    ? readonly [...B, M, Full extends true | 'complete' ? M : Full extends false | 'reduced' ? Min<M, N> : number]
    : DynamicShape
>
/** Vh of svd: [N, N] or [min(M, N), N]. */
export type RightShape<S, Full> = Matrices<
  S,
  S extends readonly [...infer B extends Shape, infer M extends number, infer N extends number]
    ? readonly [...B, Full extends true ? N : Full extends false ? Min<M, N> : number, N]
    : DynamicShape
>
/** R of qr: [min(M, N), N], or [M, N] of a complete one. */
export type UpperShape<S, Mode> = Matrices<
  S,
  S extends readonly [...infer B extends Shape, infer M extends number, infer N extends number]
    ? readonly [...B, Mode extends 'complete' ? M : Mode extends 'reduced' | 'r' ? Min<M, N> : number, N]
    : DynamicShape
>
/** L of lu, [M, min(M, N)]: `LUShape<readonly [5, 3]>` is `readonly [5, 3]`. */
export type LUShape<S> = LeftShape<S, false>
/** P of lu: [M, M]. */
export type PermutationShape<S> = LeftShape<S, true>
/** Householder scalars and pivots: [min(M, N)]. */
export type PivotsShape<S> = SVDShape<S>
/** pinv: rows and columns exchanged. */
export type PinvShape<S> = Matrices<
  S,
  S extends readonly [...infer B extends Shape, infer M extends number, infer N extends number] ? readonly [...B, N, M] : DynamicShape
>
/** X of AX = B, or of XA = B: the shape of B, with its batch broadcast. A vector B has one dimension less than A. */
export type SolveShape<A, B, Left = true> =
  ValidateBatchedSquareMatrix<A> extends infer R
    ? R extends AnyShape
      ? B extends AnyShape
        ? number extends R['length'] | B['length']
          ? DynamicShape
          : R extends readonly [...infer BA extends Shape, infer N extends number, unknown]
            ? B extends readonly [infer K extends number]
              ? MayEqual<N, K> extends true
                ? readonly [...BA, K]
                : matmul_error_inner_dimensions_do_not_match<N, K, [...R], [...B]>
              : B extends readonly [...infer BB extends Shape, infer K extends number, infer M extends number]
                ? VectorBatch<BA, N, B> extends true
                  ? B
                  : MayEqual<N, Left extends false ? M : K> extends true
                    ? BroadcastShape<BA, BB> extends infer Batch
                      ? Batch extends AnyShape
                        ? readonly [...Batch, K, M]
                        : Batch
                      : never
                    : matmul_error_inner_dimensions_do_not_match<N, Left extends false ? M : K, [...R], [...B]>
                : dimension_error_rank<'at least 1', []>
            : never
        : B
      : R
    : never
type VectorBatch<BA extends Shape, N extends number, B extends Shape> = readonly [...BA, N] extends B
  ? B extends readonly [...BA, N]
    ? true
    : false
  : false
/** lstsq: [N, K] of A [M, N] and B [M, K]. */
export type LstsqShape<A, B> = Matrices<
  A,
  A extends readonly [...infer BA extends Shape, unknown, infer N extends number]
    ? B extends readonly [...AnyShape, unknown, infer K extends number]
      ? readonly [...BA, N, K]
      : DynamicShape
    : DynamicShape
>
/** vander: powers as a last dimension. */
export type VanderShape<S, N> = S extends AnyShape
  ? number extends S['length']
    ? DynamicShape
    : S extends readonly [...AnyShape, infer Own extends number]
      ? readonly [...S, N extends number ? N : Own]
      : dimension_error_rank<'at least 1', []>
  : S
/** cov and corrcoef: variables are rows. */
export type CovShape<S> = S extends readonly [] | readonly [unknown]
  ? readonly []
  : S extends readonly [infer N extends number, unknown]
    ? readonly [N, N]
    : S extends AnyShape
      ? number extends S['length']
        ? DynamicShape
        : dimension_error_rank<'at most 2', [...S]>
      : S

type Whole<Some> = Some extends true ? false : Some extends false ? true : boolean
/** Q of the older qr: `LeftSomeShape<readonly [5, 3], true>` is `readonly [5, 3]`. */
export type LeftSomeShape<S, Some> = LeftShape<S, Whole<Some>>
/** R of the older qr. */
export type UpperSomeShape<S, Some> = UpperShape<S, Some extends true ? 'reduced' : Some extends false ? 'complete' : string>
/** The product of a matrix with its own adjoint: `GramShape<readonly [5, 3]>` is `readonly [3, 3]`. */
export type GramShape<S> = Matrices<
  S,
  S extends readonly [...infer B extends Shape, unknown, infer N extends number] ? readonly [...B, N, N] : DynamicShape
>
/** What a flag asks for; without it a tensor without elements. */
export type WhenShape<Flag, S> = Flag extends true ? S : DynamicShape
