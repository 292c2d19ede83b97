// Elementwise operators: sizes that are equal or 1.
import type {
  broadcast_error_incompatible_dimensions,
  dimension_error_rank,
  expand_error_incompatible,
  inplace_error_shape_changes,
} from '../../generated/shape_errors.js'
import type { AnyShape, DynamicShape, IsFixed, MayEqual, Same, Shape } from './core.js'

/** Two sizes of one dimension as one; never where they do not fit. */
export type BroadcastSize<A extends number, B extends number> =
  Same<A, B> extends true
    ? A
    : Same<B, 1> extends true
      ? A
      : Same<A, 1> extends true
        ? B
        : IsFixed<A> extends true
          ? IsFixed<B> extends true
            ? never
            : A
          : Same<A, number> extends true
            ? B
            : IsFixed<B> extends true
              ? B
              : A

type Tail<A extends Shape, B extends Shape, Out extends Shape = readonly []> = A extends readonly [
  ...infer InitA extends Shape,
  infer LastA extends number,
]
  ? B extends readonly [...infer InitB extends Shape, infer LastB extends number]
    ? [BroadcastSize<LastA, LastB>] extends [never]
      ? broadcast_error_incompatible_dimensions<LastA, LastB>
      : Tail<InitA, InitB, readonly [BroadcastSize<LastA, LastB>, ...Out]>
    : readonly [...A, ...Out]
  : readonly [...B, ...Out]

/**
 * The shape of an elementwise operator's result.
 *
 *     BroadcastShape<readonly [2, 1], readonly [3]> // readonly [2, 3]
 *     BroadcastShape<readonly [3], readonly [5]>    // broadcast_error_incompatible_dimensions<3, 5>
 */
export type BroadcastShape<A, B> = A extends AnyShape
  ? B extends AnyShape
    ? number extends A['length']
      ? DynamicShape
      : number extends B['length']
        ? DynamicShape
        : B extends readonly []
          ? A
          : Same<A, B> extends true
            ? A
            : Tail<A, B>
    : B
  : A

/** The shape of an elementwise operator that keeps its tensor's size: an error where the result would be larger. */
export type InPlaceShape<S, Result> = Result extends AnyShape
  ? S extends AnyShape
    ? number extends S['length']
      ? S
      : number extends Result['length']
        ? S
        : S['length'] extends Result['length']
          ? FitsAll<Result, S> extends true
            ? S
            : inplace_error_shape_changes<[...S], [...Result]>
          : inplace_error_shape_changes<[...S], [...Result]>
    : S
  : Result
type FitsAll<A extends Shape, B extends Shape> = A extends readonly [infer HA extends number, ...infer TA extends Shape]
  ? B extends readonly [infer HB extends number, ...infer TB extends Shape]
    ? MayEqual<HA, HB> extends true
      ? FitsAll<TA, TB>
      : false
    : true
  : true

/**
 * The sizes that expand asks for; -1 keeps one.
 *
 *     ExpandShape<readonly [2, 1], readonly [4, 2, 3]> // readonly [4, 2, 3]
 */
export type ExpandShape<S, Size> = S extends AnyShape
  ? Size extends AnyShape
    ? number extends S['length']
      ? { readonly [K in keyof Size]: Size[K] extends -1 ? number : Size[K] }
      : number extends Size['length']
        ? DynamicShape
        : ExpandTail<S, Size> extends infer R
          ? [R] extends [never]
            ? expand_error_incompatible<[...S], [...Size]>
            : R
          : never
    : Size
  : S
type ExpandTail<S extends Shape, Size extends Shape, Out extends Shape = readonly []> = S extends readonly [
  ...infer InitS extends Shape,
  infer A extends number,
]
  ? Size extends readonly [...infer InitSize extends Shape, infer B extends number]
    ? Same<B, -1> extends true
      ? ExpandTail<InitS, InitSize, readonly [A, ...Out]>
      : Same<A, 1> extends true
        ? ExpandTail<InitS, InitSize, readonly [B, ...Out]>
        : MayEqual<A, B> extends true
          ? ExpandTail<InitS, InitSize, readonly [B, ...Out]>
          : never
    : never
  : -1 extends Size[number]
    ? HasMinusOne<Size> extends true
      ? never
      : readonly [...Size, ...Out]
    : readonly [...Size, ...Out]
type HasMinusOne<S extends Shape> = S extends readonly [infer H, ...infer T extends Shape] ? (H extends -1 ? true : HasMinusOne<T>) : false

/** The sizes that all tensors of a list broadcast to, for each of them. */
export type BroadcastTensorsShapes<Shapes extends readonly unknown[]> = number extends Shapes['length']
  ? DynamicShape[]
  : BroadcastAll<Shapes> extends infer R
    ? R extends AnyShape
      ? { readonly [K in keyof Shapes]: R }
      : R
    : never
/** Several shapes broadcast together. */
export type BroadcastAll<Shapes extends readonly unknown[], Out = readonly []> = Shapes extends readonly [infer H, ...infer T]
  ? BroadcastAll<T, BroadcastShape<Out, H>>
  : Out

/** The cross product's shape: a dimension of size 3, the others broadcast. */
export type CrossShape<A, B> = BroadcastShape<A, B>

/** A mask or index that has to be of a given rank or is wrong. */
export type RankError<Expected, S extends Shape> = dimension_error_rank<Expected, [...S]>
