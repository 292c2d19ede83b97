// The shape of x.at(...), with the rules of ts/src/indexing.ts.
import type { Tensor } from '../tensor.js'
import type { Add, Compare, Divide, Subtract } from './decimal.js'
import type { DynamicShape, Shape, ShapeError } from './shapes.js'

/** `[start, end]` or `[start, end, step]`; null: from the beginning, to the end. */
export type RangeSpec =
  readonly [start: number | null, end: number | null] | readonly [start: number | null, end: number | null, step: number | null]
/** A mask: elements where it is true. */
export type MaskSpec = Tensor<Shape, 'bool'>
/** Positions along a dimension. */
export type IndicesSpec = Tensor<Shape, 'int64' | 'int32' | 'int16' | 'int8' | 'uint8'>
/** A range. */
export type SliceSpec = RangeSpec

/**
 * What one argument of `at` may be: a number (the dimension goes), a range, null (the whole dimension), `'...'` (all dimensions in between),
 * `'newaxis'` (a new dimension of size 1), or a tensor: of booleans a mask, of integers the positions to take.
 */
export type IndexSpec = number | bigint | RangeSpec | null | '...' | 'newaxis' | Tensor

/** A position that the dimension does not have: `torch.zeros(2, 3).at(2)`. */
export type at_error_index_out_of_bounds<Index, Dim, Size> = ShapeError<'at_error_index_out_of_bounds', readonly [Index, Dim, Size]>
/** More arguments than dimensions: `torch.zeros(2, 3).at(0, 0, 0)`. */
export type at_error_too_many_indices<Specs, S> = ShapeError<'at_error_too_many_indices', readonly [Specs, S]>

// ---- one argument --------------------------------------------------------------------------------------------------

type InBounds<Index extends number, Size extends number> = number extends Index | Size
  ? true
  : `${Index}` extends `-${infer Back extends number}`
    ? Compare<Back, Size> extends 1
      ? false
      : true
    : Compare<Index, Size> extends -1
      ? true
      : false

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
type RangeSize<Range extends RangeSpec, Size extends number> = number extends Size | Range[number]
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

// ---- all arguments -------------------------------------------------------------------------------------------------

type Specs = readonly unknown[]
type TensorsOf<List extends Specs, Out extends Specs = readonly []> = List extends readonly [infer H, ...infer T]
  ? TensorsOf<T, [H] extends [Tensor] ? readonly [...Out, H] : Out>
  : Out
/** How many dimensions the arguments speak of: an item each. null: not known. */
type Spoken<List extends Specs, Out extends readonly 1[] = readonly []> = List extends readonly [infer H, ...infer T]
  ? [H] extends ['...' | 'newaxis']
    ? Spoken<T, Out>
    : [H] extends [Tensor<infer M, 'bool'>]
      ? number extends M['length']
        ? null
        : Spoken<T, readonly [...Out, ...{ [K in keyof M]: 1 }]>
      : Spoken<T, readonly [...Out, 1]>
  : Out

/** The sizes that are left for '...': those of the front, without as many as are spoken of. */
type FrontWithout<S extends Shape, Count extends readonly unknown[]> = Count extends readonly [unknown, ...infer Rest]
  ? S extends readonly [...infer Init extends Shape, number]
    ? FrontWithout<Init, Rest>
    : null
  : S
type DropFront<S extends Shape, Count extends readonly unknown[]> = Count extends readonly [unknown, ...infer Rest]
  ? S extends readonly [number, ...infer T extends Shape]
    ? DropFront<T, Rest>
    : null
  : S

type Walk<S extends Shape, List extends Specs, Dim extends readonly unknown[], Out extends Shape> = List extends readonly [
  infer H,
  ...infer Rest,
]
  ? [H] extends ['newaxis']
    ? Walk<S, Rest, Dim, readonly [...Out, 1]>
    : [H] extends ['...']
      ? Spoken<Rest> extends infer Count extends readonly 1[]
        ? FrontWithout<S, Count> extends infer Skipped extends Shape
          ? DropFront<S, Skipped> extends infer Left extends Shape
            ? Walk<Left, Rest, readonly [...Dim, ...Skipped], readonly [...Out, ...Skipped]>
            : DynamicShape
          : DynamicShape
        : DynamicShape
      : [H] extends [Tensor<infer M, 'bool'>]
        ? DropFront<S, M> extends infer Left extends Shape
          ? Walk<Left, Rest, readonly [...Dim, ...M], readonly [...Out, number]>
          : DynamicShape
        : S extends readonly [infer Size extends number, ...infer Tail extends Shape]
          ? [H] extends [null]
            ? Walk<Tail, Rest, readonly [...Dim, 1], readonly [...Out, Size]>
            : [H] extends [number]
              ? InBounds<H, Size> extends true
                ? Walk<Tail, Rest, readonly [...Dim, 1], Out>
                : at_error_index_out_of_bounds<H, Dim['length'], Size>
              : [H] extends [bigint]
                ? Walk<Tail, Rest, readonly [...Dim, 1], Out>
                : [H] extends [RangeSpec]
                  ? Walk<Tail, Rest, readonly [...Dim, 1], readonly [...Out, RangeSize<H, Size>]>
                  : [H] extends [Tensor<infer I, infer D>]
                    ? 'bool' extends D
                      ? DynamicShape
                      : number extends I['length']
                        ? DynamicShape
                        : Walk<Tail, Rest, readonly [...Dim, 1], readonly [...Out, ...I]>
                    : DynamicShape
          : DynamicShape
  : readonly [...Out, ...S]

/** The shape of `x.at(...specs)`, or the error. `AtShape<[4, 5, 6], [0, [1, null], '...']>` is `[4, 6]`. Two tensors of positions: found at run time. */
export type AtShape<S extends Shape, List extends Specs> = number extends S['length'] | List['length']
  ? DynamicShape
  : TensorsOf<List> extends readonly [unknown, unknown, ...unknown[]]
    ? DynamicShape
    : Spoken<List> extends infer Count
      ? Count extends readonly 1[]
        ? FrontWithout<S, Count> extends Shape
          ? Walk<S, List, readonly [], readonly []>
          : at_error_too_many_indices<List, S>
        : DynamicShape
      : never
