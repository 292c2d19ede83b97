// Patterns of rearrange, reduce, repeat, pack and unpack, read by the compiler. Each type follows a step of engine/ops/einops.c.
import type {
  einops_error_invalid_pattern,
  einops_error_undefined_axis,
  einops_error_anonymous_in_output,
  einops_error_dimension_mismatch,
  einops_error_ambiguous_decomposition,
  einops_error_reduce_undefined_output,
  einops_error_repeat_missing_size,
} from '../generated/shape_errors.js'
import type {
  einops_character,
  einops_dots,
  einops_duplicate,
  einops_ellipsis_enclosed,
  einops_ellipsis_in_name,
  einops_ellipsis_right,
  einops_identifier,
  einops_nested,
  einops_no_arrow,
  einops_no_star,
  einops_open,
  einops_packed_duplicate,
  einops_packed_name,
  einops_second_arrow,
  einops_second_ellipsis,
  einops_unbalanced,
  einops_underscore,
  einops_zero,
} from '../generated/reasons.js'
import type { Add, Divide, Multiply, Product } from './decimal.js'
import type { DynamicShape, Shape } from './shapes.js'
import type { ShapeError } from './shape_error.js'

/**
 * Sizes of axes by name.
 *
 *     const axes: torch.AxesRecord = { h: 2, w: 3 }
 *     const x = torch.rearrange(torch.zeros(6), '(h w) -> h w', axes)
 */
export type AxesRecord = Readonly<Record<string, number>>
/**
 * What `reduce` does with the axes that go.
 *
 *     const how: torch.ReduceOperation = 'mean'
 *     const x = torch.reduce(torch.zeros(2, 3), 'a b -> b', how)
 */
export type ReduceOperation = 'min' | 'max' | 'sum' | 'mean' | 'prod' | 'any' | 'all'

type AnyError = ShapeError

// ---- reading a side ------------------------------------------------------------------------------------------------

type Words = readonly string[]
/** A dimension: the axes that it is made of, or '...'. */
type Dimension = Words | '...'
type Dimensions = readonly Dimension[]

type PushWord<Out extends Words, Word extends string> = Word extends '' ? Out : readonly [...Out, Word]
/** Names, numbers, '...' and parentheses. */
type Tokens<Side extends string, Word extends string = '', Out extends Words = readonly []> = Side extends `${infer C}${infer Rest}`
  ? C extends ' '
    ? Tokens<Rest, '', PushWord<Out, Word>>
    : C extends '(' | ')'
      ? Tokens<Rest, '', readonly [...PushWord<Out, Word>, C]>
      : Tokens<Rest, `${Word}${C}`, Out>
  : PushWord<Out, Word>

type DigitCharacter = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9'
/** Characters of ASCII that no name has. */
type OtherCharacter =
  | '!'
  | '"'
  | '#'
  | '$'
  | '%'
  | '&'
  | "'"
  | '*'
  | '+'
  | ','
  | '-'
  | '.'
  | '/'
  | ':'
  | ';'
  | '<'
  | '='
  | '>'
  | '?'
  | '@'
  | '['
  | '\\'
  | ']'
  | '^'
  | '`'
  | '{'
  | '|'
  | '}'
  | '~'
  | '\t'
  | '\n'
  | '\r'
type HasOther<Word extends string> = Word extends `${string}${OtherCharacter}${string}` ? true : false
type IsDigits<Word extends string> = Word extends `${DigitCharacter}${infer Rest}` ? (Rest extends '' ? true : IsDigits<Rest>) : false
type IsNumber<Word extends string> = Word extends `${DigitCharacter}${string}` ? true : false
/** Whether a word can be the name of an axis. */
export type IsAxisName<Word extends string> = Word extends '' | `_${string}` | `${string}_` | `${DigitCharacter}${string}`
  ? false
  : HasOther<Word> extends true
    ? false
    : true

/** The first character that no name has: the rest of the word is not looked at. */
type FirstOther<Word extends string> = Word extends `${infer C}${infer Rest}`
  ? C extends OtherCharacter | '.'
    ? C
    : FirstOther<Rest>
  : never
/** What stands before that character is a word of its own, and looked at first. */
type BeforeOther<Word extends string, Out extends string = ''> = Word extends `${infer C}${infer Rest}`
  ? C extends OtherCharacter | '.'
    ? Out
    : BeforeOther<Rest, `${Out}${C}`>
  : Out
type CheckName<Word extends string> =
  IsDigits<Word> extends true
    ? AllZeros<Word> extends true
      ? einops_zero
      : true
    : IsAxisName<Word> extends true
      ? true
      : Word extends `${DigitCharacter}${string}`
        ? einops_identifier<Word>
        : einops_underscore<Word>
type AllZeros<Word extends string> = Word extends `0${infer Rest}` ? (Rest extends '' ? true : AllZeros<Rest>) : false
type CheckWord<Word extends string, Pattern> = Word extends '...'
  ? true
  : Whole<Word> extends infer R
    ? R extends true
      ? true
      : einops_error_invalid_pattern<Pattern, R>
    : never
type Whole<Word extends string> = [FirstOther<Word>] extends [never] ? CheckName<Word> : InParts<Word, FirstOther<Word>, BeforeOther<Word>>
type InParts<Word extends string, Other extends string, Before extends string> = Before extends ''
  ? OtherReason<Word, Other>
  : CheckName<Before> extends true
    ? OtherReason<Word, Other>
    : CheckName<Before>
type OtherReason<Word extends string, Other extends string> = Other extends '.'
  ? Word extends `${string}....${string}`
    ? einops_dots
    : Word extends `${string}...${string}`
      ? einops_ellipsis_in_name
      : einops_dots
  : einops_character<Other>

/** The dimensions of a side. Open: the axes of the parentheses that are not closed yet; Seen: all names so far. */
type Read<
  Pattern,
  Side extends string,
  List extends Words,
  Open extends Words | null = null,
  Seen extends string = never,
  Out extends Dimensions = readonly [],
> = List extends readonly [infer Word extends string, ...infer Rest extends Words]
  ? Word extends '('
    ? Open extends null
      ? Read<Pattern, Side, Rest, readonly [], Seen, Out>
      : einops_error_invalid_pattern<Pattern, einops_nested>
    : Word extends ')'
      ? Open extends Words
        ? Read<Pattern, Side, Rest, null, Seen, readonly [...Out, Open]>
        : einops_error_invalid_pattern<Pattern, einops_unbalanced>
      : CheckWord<Word, Pattern> extends infer Check
        ? Check extends true
          ? Word extends Seen
            ? einops_error_invalid_pattern<Pattern, Word extends '...' ? einops_second_ellipsis : einops_duplicate<Word>>
            : Word extends '1'
              ? Read<Pattern, Side, Rest, Open, Seen, Open extends null ? readonly [...Out, readonly []] : Out>
              : Read<
                  Pattern,
                  Side,
                  Rest,
                  Open extends Words ? readonly [...Open, Word] : null,
                  IsNumber<Word> extends true ? Seen : Seen | Word,
                  Open extends null ? readonly [...Out, Word extends '...' ? '...' : readonly [Word]] : Out
                >
          : Check
        : never
  : Open extends null
    ? Out
    : einops_error_invalid_pattern<Pattern, einops_open<Side>>

type ReadSide<Pattern, Side extends string> = Read<Pattern, Side, Tokens<Side>>

/** All axes of a side, one after another. */
type Flat<D extends Dimensions, Out extends Words = readonly []> = D extends readonly [
  infer H extends Dimension,
  ...infer T extends Dimensions,
]
  ? Flat<T, H extends Words ? readonly [...Out, ...H] : readonly [...Out, '...']>
  : Out
type Numbers<Axes extends Words> = {
  [K in keyof Axes]: IsNumber<Axes[K]> extends true ? Axes[K] : never
}[number]
/** A pair of sides, read; or what is wrong with them. */
export type ReadPattern<Pattern extends string> = Pattern extends `${infer Left}->${infer Right}`
  ? Right extends `${string}->${string}`
    ? einops_error_invalid_pattern<Pattern, einops_second_arrow>
    : ReadSide<Pattern, Left> extends infer L
      ? L extends Dimensions
        ? ReadSide<Pattern, Right> extends infer R
          ? R extends Dimensions
            ? '...' extends Flat<R>[number]
              ? '...' extends Flat<L>[number]
                ? CheckEnclosed<Pattern, L, R>
                : einops_error_invalid_pattern<Pattern, einops_ellipsis_right<Pattern>>
              : CheckEnclosed<Pattern, L, R>
            : R
          : never
        : L
      : never
  : einops_error_invalid_pattern<Pattern, einops_no_arrow>
type CheckEnclosed<Pattern, L extends Dimensions, R extends Dimensions> = '...' extends Extract<L[number], Words>[number]
  ? einops_error_invalid_pattern<Pattern, einops_ellipsis_enclosed<Pattern>>
  : { left: L; right: R; leftAxes: Flat<L>; rightAxes: Flat<R> }
interface Sides {
  left: Dimensions
  right: Dimensions
  leftAxes: Words
  rightAxes: Words
}

// ---- which axes may be where ---------------------------------------------------------------------------------------

type Kind = 'rearrange' | 'repeat' | 'reduce'
type NewAxes<P extends Sides> = Exclude<P['rightAxes'][number], P['leftAxes'][number] | `${DigitCharacter}${string}`>
type LostAxes<P extends Sides> = Exclude<P['leftAxes'][number], P['rightAxes'][number] | `${DigitCharacter}${string}`>
type CheckAxes<Pattern, P extends Sides, A, K extends Kind> = K extends 'rearrange'
  ? [Numbers<P['leftAxes']> | Numbers<P['rightAxes']>] extends [never]
    ? [NewAxes<P> | LostAxes<P>] extends [never]
      ? CheckGiven<Pattern, P, A>
      : einops_error_undefined_axis<NewAxes<P> | LostAxes<P>, Pattern>
    : einops_error_anonymous_in_output<Numbers<P['leftAxes']> | Numbers<P['rightAxes']>, Pattern>
  : K extends 'repeat'
    ? [LostAxes<P> | Numbers<P['leftAxes']>] extends [never]
      ? [Exclude<NewAxes<P>, keyof A>] extends [never]
        ? CheckGiven<Pattern, P, A>
        : string extends keyof A
          ? true
          : einops_error_repeat_missing_size<Exclude<NewAxes<P>, keyof A>, Pattern>
      : einops_error_undefined_axis<LostAxes<P> | Numbers<P['leftAxes']>, Pattern>
    : [Numbers<P['rightAxes']>] extends [never]
      ? [NewAxes<P>] extends [never]
        ? CheckGiven<Pattern, P, A>
        : einops_error_reduce_undefined_output<NewAxes<P>, Pattern>
      : einops_error_anonymous_in_output<Numbers<P['rightAxes']>, Pattern>
type CheckGiven<Pattern, P extends Sides, A> = string extends keyof A
  ? true
  : [Exclude<keyof A, P['leftAxes'][number] | P['rightAxes'][number]>] extends [never]
    ? true
    : einops_error_undefined_axis<Exclude<keyof A, P['leftAxes'][number] | P['rightAxes'][number]>, Pattern>

// ---- sizes ---------------------------------------------------------------------------------------------------------

type Sizes = object
type SizeIn<Env, Axis extends string> = Axis extends keyof Env ? Extract<Env[Axis], number> : number
/** The size that is written or given; undefined where there is none. */
type GivenSize<A, Axis extends string> =
  IsNumber<Axis> extends true
    ? Axis extends `${infer N extends number}`
      ? N
      : never
    : Axis extends keyof A
      ? string extends keyof A
        ? undefined
        : A[Axis]
      : undefined

/** Splits a dimension into its axes: their sizes by name. Open: the axes without a size. */
type SplitDimension<
  Pattern,
  Axes extends Words,
  Length extends number,
  A,
  Env extends Sizes,
  Known extends number = 1,
  Open extends Words = readonly [],
> = Axes extends readonly [infer Axis extends string, ...infer Rest extends Words]
  ? GivenSize<A, Axis> extends infer Size
    ? Size extends number
      ? SplitDimension<Pattern, Rest, Length, A, Env & { readonly [K in Axis]: Size }, Multiply<Known, Size>, Open>
      : SplitDimension<Pattern, Rest, Length, A, Env, Known, readonly [...Open, Axis]>
    : never
  : Open extends readonly []
    ? number extends Length | Known
      ? Env
      : Length extends Known
        ? Env
        : einops_error_dimension_mismatch<Known, Length, Pattern>
    : Open extends readonly [infer Axis extends string]
      ? Divide<Length, Known> extends { quotient: infer Q extends number; remainder: infer R }
        ? R extends 0
          ? Env & { readonly [K in Axis]: Q }
          : number extends R
            ? Env & { readonly [K in Axis]: number }
            : einops_error_dimension_mismatch<Known, Length, Pattern>
        : einops_error_dimension_mismatch<Known, Length, Pattern>
      : string extends keyof A
        ? Env
        : einops_error_ambiguous_decomposition<Open, Pattern>

/** The sizes of all axes of the left side, and those that the ellipsis stands for. From the front up to the ellipsis, then from the end. */
type BindSizes<
  Pattern,
  Left extends Dimensions,
  S extends Shape,
  A,
  Whole extends Shape,
  Env extends Sizes = object,
> = Left extends readonly [infer H extends Words, ...infer Rest extends Dimensions]
  ? S extends readonly [infer Size extends number, ...infer Tail extends Shape]
    ? SplitDimension<Pattern, H, Size, A, Env> extends infer E
      ? E extends AnyError
        ? E
        : BindSizes<Pattern, Rest, Tail, A, Whole, E & Sizes>
      : never
    : einops_error_dimension_mismatch<`${string} dimensions`, Whole, Pattern>
  : Left extends readonly ['...', ...infer Rest extends Dimensions]
    ? Rest extends readonly [...infer Before extends Dimensions, infer L extends Words]
      ? S extends readonly [...infer Init extends Shape, infer Size extends number]
        ? SplitDimension<Pattern, L, Size, A, Env> extends infer E
          ? E extends AnyError
            ? E
            : BindSizes<Pattern, readonly ['...', ...Before], Init, A, Whole, E & Sizes>
          : never
        : einops_error_dimension_mismatch<`${string} dimensions`, Whole, Pattern>
      : Env & { readonly '...': S }
    : S extends readonly []
      ? Env
      : einops_error_dimension_mismatch<`${string} dimensions`, Whole, Pattern>

/** The number of dimensions that the left side expects, for the message. */
type ExpectedDimensions<L extends Dimensions> = '...' extends L[number]
  ? `>=${L extends readonly [unknown, ...infer T] ? T['length'] : 0} dimensions`
  : `${L['length']} dimensions`
type NameCount<E, L extends Dimensions> =
  E extends einops_error_dimension_mismatch<infer Expected, infer Received extends Shape, infer Pattern>
    ? [Expected] extends [string]
      ? einops_error_dimension_mismatch<ExpectedDimensions<L>, Received, Pattern>
      : E
    : E

type Hidden<Env> = Env extends { readonly '...': infer H extends Shape } ? H : readonly []
type JoinAxes<Env, A, Axes extends Words, Out extends number = 1> = Axes extends readonly [
  infer Axis extends string,
  ...infer Rest extends Words,
]
  ? JoinAxes<
      Env,
      A,
      Rest,
      Multiply<Out, Axis extends '...' ? Product<Hidden<Env>> : GivenSize<A, Axis> extends infer N extends number ? N : SizeIn<Env, Axis>>
    >
  : Out
type JoinDimensions<Env, A, D extends Dimensions, Out extends Shape = readonly []> = D extends readonly [
  infer H extends Dimension,
  ...infer Rest extends Dimensions,
]
  ? JoinDimensions<Env, A, Rest, H extends Words ? readonly [...Out, JoinAxes<Env, A, H>] : readonly [...Out, ...Hidden<Env>]>
  : Out

/** A shape of unknown sizes for a left side without an ellipsis. */
type Unknowns<L extends Dimensions> = { readonly [K in keyof L]: number }

type Transform<Pattern extends string, S extends Shape, A, K extends Kind> = string extends Pattern
  ? DynamicShape
  : ReadPattern<Pattern> extends infer P
    ? P extends Sides
      ? CheckAxes<Pattern, P, A, K> extends infer Check
        ? Check extends true
          ? number extends S['length']
            ? '...' extends P['leftAxes'][number]
              ? DynamicShape
              : TransformSizes<Pattern, P, Unknowns<P['left']>, A>
            : TransformSizes<Pattern, P, S, A>
          : Check
        : never
      : P
    : never
type TransformSizes<Pattern, P extends Sides, S extends Shape, A> =
  BindSizes<Pattern, P['left'], S, A, S> extends infer Env
    ? Env extends AnyError
      ? NameCount<Env, P['left']>
      : JoinDimensions<Env, A, P['right']>
    : never

/** The shape of `torch.rearrange`, or the error. `RearrangeShape<'b (h p) -> b h p', [2, 6], { p: 3 }>` is `readonly [2, 2, 3]`. */
export type RearrangeShape<Pattern extends string, S extends Shape, A = object> = Transform<Pattern, S, A, 'rearrange'>
/** What `rearrange` gives: `ValidatedRearrangeShape<'h w -> w h', readonly [2, 3]>` is `readonly [3, 2]`. */
export type ValidatedRearrangeShape<Pattern extends string, S extends Shape, A = object> = RearrangeShape<Pattern, S, A>
/** The shape of `torch.repeat`, or the error. `RepeatShape<'h w -> (h 2) w', [2, 3]>` is `readonly [4, 3]`. */
export type RepeatShape<Pattern extends string, S extends Shape, A = object> = Transform<Pattern, S, A, 'repeat'>
/** What `repeat` gives: `ValidatedRepeatShape<'h w -> h w 2', readonly [2, 3]>` is `readonly [2, 3, 2]`. */
export type ValidatedRepeatShape<Pattern extends string, S extends Shape, A = object> = RepeatShape<Pattern, S, A>
/** The shape of `torch.reduce`, or the error. `EinopsReduceShape<'b c (h 2) -> b c h', [1, 3, 8]>` is `readonly [1, 3, 4]`. */
export type EinopsReduceShape<Pattern extends string, S extends Shape, A = object> = Transform<Pattern, S, A, 'reduce'>
/** What `reduce` gives: `ValidatedReduceShape<'h w -> w', readonly [2, 3]>` is `readonly [3]`. */
export type ValidatedReduceShape<Pattern extends string, S extends Shape, A = object> = EinopsReduceShape<Pattern, S, A>

// ---- pack, unpack --------------------------------------------------------------------------------------------------

/** The axes before and behind the star. */
type ReadStar<Pattern extends string> = Tokens<Pattern> extends infer T extends Words ? CheckStar<Pattern, T> : never
type CheckStar<
  Pattern,
  List extends Words,
  Seen extends string = never,
  Out extends Words = readonly [],
  Before extends Words | null = null,
> = List extends readonly [infer Word extends string, ...infer Rest extends Words]
  ? Word extends Seen
    ? einops_error_invalid_pattern<Pattern, einops_packed_duplicate<Pattern, Word>>
    : Word extends '*'
      ? CheckStar<Pattern, Rest, Seen | Word, readonly [], Out>
      : IsAxisName<Word> extends true
        ? CheckStar<Pattern, Rest, Seen | Word, readonly [...Out, Word], Before>
        : einops_error_invalid_pattern<Pattern, einops_packed_name<Word, Pattern>>
  : Before extends Words
    ? { before: Before; after: Out }
    : einops_error_invalid_pattern<Pattern, einops_no_star<Pattern>>
interface Star {
  before: Words
  after: Words
}

type TakeFront<S extends Shape, Names extends Words, Out extends Shape = readonly []> = Names extends readonly [
  string,
  ...infer Rest extends Words,
]
  ? S extends readonly [infer H extends number, ...infer T extends Shape]
    ? TakeFront<T, Rest, readonly [...Out, H]>
    : null
  : { taken: Out; left: S }
type TakeBack<S extends Shape, Names extends Words, Out extends Shape = readonly []> = Names extends readonly [
  ...infer Rest extends Words,
  string,
]
  ? S extends readonly [...infer T extends Shape, infer H extends number]
    ? TakeBack<T, Rest, readonly [H, ...Out]>
    : null
  : { taken: Out; left: S }
/** The sizes of a shape before, under and behind the star; null where there are too few. */
type Parts<S extends Shape, P extends Star> =
  TakeFront<S, P['before']> extends { taken: infer F extends Shape; left: infer Rest extends Shape }
    ? TakeBack<Rest, P['after']> extends { taken: infer B extends Shape; left: infer M extends Shape }
      ? { front: F; packed: M; back: B }
      : null
    : null

type PackShapes<
  Pattern,
  P extends Star,
  Shapes extends readonly Shape[],
  First = null,
  Length extends number = 0,
> = Shapes extends readonly [infer S extends Shape, ...infer Rest extends readonly Shape[]]
  ? number extends S['length']
    ? DynamicShape
    : Parts<S, P> extends infer Q
      ? Q extends { front: infer F extends Shape; packed: infer M extends Shape; back: infer B extends Shape }
        ? First extends { front: infer F0 extends Shape; back: infer B0 extends Shape }
          ? [SameSizes<readonly [...F0, ...B0], readonly [...F, ...B]>] extends [true]
            ? PackShapes<Pattern, P, Rest, First, Add<Length, Product<M>>>
            : einops_error_dimension_mismatch<readonly [...F0, ...B0], readonly [...F, ...B], Pattern>
          : PackShapes<Pattern, P, Rest, Q, Product<M>>
        : einops_error_dimension_mismatch<`>=${[...P['before'], ...P['after']]['length'] & number} dimensions`, S, Pattern>
      : never
  : First extends { front: infer F extends Shape; back: infer B extends Shape }
    ? readonly [...F, Length, ...B]
    : DynamicShape
type SameSizes<A extends Shape, B extends Shape> = A extends readonly [infer X extends number, ...infer Xs extends Shape]
  ? B extends readonly [infer Y extends number, ...infer Ys extends Shape]
    ? number extends X | Y
      ? SameSizes<Xs, Ys>
      : X extends Y
        ? SameSizes<Xs, Ys>
        : false
    : false
  : true

/** The shape of the tensor that `torch.pack` gives. `PackShape<[[2, 3, 5], [2, 7, 7, 5]], 'b * c'>` is `readonly [2, 52, 5]`. */
export type PackShape<Shapes extends readonly Shape[], Pattern extends string> = string extends Pattern
  ? DynamicShape
  : ReadStar<Pattern> extends infer P
    ? P extends Star
      ? number extends Shapes['length']
        ? DynamicShape
        : PackShapes<Pattern, P, Shapes>
      : P
    : never
/** The sizes that were packed into the star, by tensor. */
export type PackedShapes<Shapes extends readonly Shape[], Pattern extends string> = string extends Pattern
  ? number[][]
  : ReadStar<Pattern> extends infer P extends Star
    ? number extends Shapes['length']
      ? number[][]
      : { [K in keyof Shapes]: Parts<Shapes[K], P> extends { packed: infer M extends Shape } ? readonly [...M] : number[] }
    : number[][]

type KnownSize<N extends number> = N extends -1 ? number : N
type KnownSizes<S extends Shape> = { readonly [K in keyof S]: KnownSize<S[K]> }
/** The shape of each tensor that `torch.unpack` gives. `UnpackShape<[2, 52, 5], [[3], [7, 7]], 'b * c'>` is `readonly [readonly [2, 3, 5], readonly [2, 7, 7, 5]]`. */
export type UnpackShape<S extends Shape, Packed extends readonly Shape[], Pattern extends string> = string extends Pattern
  ? { readonly [K in keyof Packed]: DynamicShape }
  : ReadStar<Pattern> extends infer P
    ? P extends Star
      ? number extends S['length']
        ? { readonly [K in keyof Packed]: DynamicShape }
        : Parts<S, P> extends { front: infer F extends Shape; packed: readonly [infer Length extends number]; back: infer B extends Shape }
          ? CheckTotal<Packed, Length> extends true
            ? {
                readonly [K in keyof Packed]: number extends Packed[K]['length']
                  ? DynamicShape
                  : readonly [...F, ...KnownSizes<Packed[K]>, ...B]
              }
            : einops_error_dimension_mismatch<Packed, Length, Pattern>
          : einops_error_dimension_mismatch<`${[...P['before'], 1, ...P['after']]['length'] & number} dimensions`, S, Pattern>
      : P
    : never
/** Whether the packed sizes add up, where all of them are known. */
type CheckTotal<Packed extends readonly Shape[], Length extends number, Sum extends number = 0> = number extends Packed['length'] | Length
  ? true
  : Packed extends readonly [infer H extends Shape, ...infer T extends readonly Shape[]]
    ? -1 extends H[number]
      ? true
      : CheckTotal<T, Length, Add<Sum, Product<H>>>
    : number extends Sum
      ? true
      : Sum extends Length
        ? true
        : false
