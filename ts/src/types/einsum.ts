// Equations of einsum, read by the compiler, with the rules of engine/ops/einsum.c.
import type {
  einsum_error_invalid_equation,
  einsum_error_operand_count_mismatch,
  einsum_error_subscript_rank_mismatch,
  einsum_error_dimension_mismatch,
  einsum_error_unknown_output_index,
  einsum_error_index_out_of_range,
  einsum_error_invalid_sublist_element,
} from '../generated/shape_errors.js'
import type {
  einsum_output_second_ellipsis,
  einsum_output_stray_dot,
  einsum_output_twice,
  einsum_second_ellipsis,
  einsum_stray_dot,
  einsum_subscript,
} from '../generated/reasons.js'
import type { BroadcastShape, DynamicShape, IsDynamic, Shape } from './shapes.js'
import type { ShapeError } from './shape_error.js'

type AnyError = ShapeError

// ---- reading the equation ------------------------------------------------------------------------------------------

type Alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
type LetterList<S extends string = Alphabet, Out extends readonly string[] = readonly []> = S extends `${infer C}${infer Rest}`
  ? LetterList<Rest, readonly [...Out, C]>
  : Out
type Letters = LetterList
type Label = Letters[number]
/** Subscripts of an operand or of the output: labels, and '...' once at most. */
type Subscripts = readonly string[]

type WithoutSpaces<S extends string> = S extends `${infer A} ${infer B}` ? WithoutSpaces<`${A}${B}`> : S
/** Place: the number of the operand, or 'output'. */
type ReadSubscripts<
  Equation,
  S extends string,
  Place extends number | 'output',
  Out extends Subscripts = readonly [],
  Dots extends boolean = false,
> = S extends `...${infer Rest}`
  ? Dots extends true
    ? einsum_error_invalid_equation<Equation, Place extends number ? einsum_second_ellipsis<Place> : einsum_output_second_ellipsis>
    : ReadSubscripts<Equation, Rest, Place, readonly [...Out, '...'], true>
  : S extends `${infer C}${infer Rest}`
    ? C extends Label
      ? ReadSubscripts<Equation, Rest, Place, readonly [...Out, C], Dots>
      : einsum_error_invalid_equation<Equation, C extends '.' ? Dot<Place, Dots> : einsum_subscript>
    : Out
/** What is wrong with a point: it is one after the ellipsis, or no ellipsis. */
type Dot<Place extends number | 'output', Dots extends boolean> = Place extends number
  ? Dots extends true
    ? einsum_second_ellipsis<Place>
    : einsum_stray_dot<Place>
  : Dots extends true
    ? einsum_output_second_ellipsis
    : einsum_output_stray_dot
type ReadOperands<Equation, S extends string, Out extends readonly Subscripts[] = readonly []> = S extends `${infer First},${infer Rest}`
  ? ReadSubscripts<Equation, First, Out['length']> extends infer R
    ? R extends Subscripts
      ? ReadOperands<Equation, Rest, readonly [...Out, R]>
      : R
    : never
  : ReadSubscripts<Equation, S, Out['length']> extends infer R
    ? R extends Subscripts
      ? readonly [...Out, R]
      : R
    : never
interface Read {
  operands: readonly Subscripts[]
  output: Subscripts | null
}
/** Subscripts of the operands and of the output (null: none are written); or what is wrong. */
type ReadEquation<Equation extends string> =
  WithoutSpaces<Equation> extends `${infer Left}->${infer Right}`
    ? ReadBoth<Equation, Left, Right>
    : ReadLeft<Equation, WithoutSpaces<Equation>>
type ReadBoth<Equation, Left extends string, Right extends string> =
  ReadOperands<Equation, Left> extends infer O
    ? O extends readonly Subscripts[]
      ? ReadSubscripts<Equation, Right, 'output'> extends infer R
        ? R extends Subscripts
          ? { operands: O; output: R }
          : R
        : never
      : O
    : never
type ReadLeft<Equation, Left extends string> =
  ReadOperands<Equation, Left> extends infer O ? (O extends readonly Subscripts[] ? { operands: O; output: null } : O) : never

// ---- sizes ---------------------------------------------------------------------------------------------------------

/** What is known of the labels. sizes: by label, and '...'; seen: all labels; often: those that are there twice. */
interface Known {
  sizes: object
  seen: string
  often: string
}
type Start = { sizes: object; seen: never; often: never }
type SizeOfLabel<K extends Known, L extends string> = L extends keyof K['sizes'] ? Extract<K['sizes'][L], number> : 1
type Join<A extends number, B extends number> = number extends A
  ? B extends 1
    ? number
    : B
  : number extends B
    ? A extends 1
      ? number
      : A
    : A extends 1
      ? B
      : B extends 1
        ? A
        : A extends B
          ? A
          : never
type Put<Sizes, L extends string, N> = { readonly [P in keyof Sizes | L]: P extends L ? N : P extends keyof Sizes ? Sizes[P] : never }
type WithLabel<K extends Known, L extends string, N> = {
  sizes: Put<K['sizes'], L, N>
  seen: K['seen'] | L
  often: L extends K['seen'] ? K['often'] | L : K['often']
}
type AddLabel<Equation, K extends Known, L extends string, N extends number> = [Join<SizeOfLabel<K, L>, N>] extends [never]
  ? einsum_error_dimension_mismatch<L, SizeOfLabel<K, L>, N, Equation>
  : WithLabel<K, L, Join<SizeOfLabel<K, L>, N>>

/** A label that is repeated in an operand: both sizes have to be equal, 1 is no exception. Own: the sizes of this operand. */
type CheckRepeated<Equation, Own, L extends string, N extends number> = L extends keyof Own
  ? number extends N | Own[L]
    ? true
    : Own[L] extends N
      ? true
      : einsum_error_dimension_mismatch<L, Own[L], N, Equation>
  : true

/** The labels of an operand that stand before an ellipsis (or all of them) with the first dimensions, those behind it with the last ones. */
type AddOperand<
  Equation,
  K extends Known,
  S extends Subscripts,
  Sizes extends Shape,
  Whole extends Shape,
  All extends Subscripts,
  Own = object,
> = S extends readonly ['...', ...infer After extends Subscripts]
  ? After extends readonly [...infer Before extends Subscripts, infer L extends string]
    ? Sizes extends readonly [...infer Init extends Shape, infer N extends number]
      ? CheckRepeated<Equation, Own, L, N> extends infer C
        ? C extends true
          ? AddLabel<Equation, K, L, N> extends infer More
            ? More extends Known
              ? AddOperand<Equation, More, readonly ['...', ...Before], Init, Whole, All, Put<Own, L, N>>
              : More
            : never
          : C
        : never
      : einsum_error_subscript_rank_mismatch<All, Whole, Equation>
    : AddHidden<Equation, K, Sizes>
  : S extends readonly [infer L extends string, ...infer Rest extends Subscripts]
    ? Sizes extends readonly [infer N extends number, ...infer Tail extends Shape]
      ? CheckRepeated<Equation, Own, L, N> extends infer C
        ? C extends true
          ? AddLabel<Equation, K, L, N> extends infer More
            ? More extends Known
              ? AddOperand<Equation, More, Rest, Tail, Whole, All, Put<Own, L, N>>
              : More
            : never
          : C
        : never
      : einsum_error_subscript_rank_mismatch<All, Whole, Equation>
    : Sizes extends readonly []
      ? K
      : einsum_error_subscript_rank_mismatch<All, Whole, Equation>
type HiddenOf<K extends Known> = K['sizes'] extends { readonly '...': infer H extends Shape } ? H : readonly []
type AddHidden<Equation, K extends Known, Hidden extends Shape> =
  BroadcastShape<HiddenOf<K>, Hidden> extends infer B
    ? B extends Shape
      ? { sizes: Put<K['sizes'], '...', B>; seen: K['seen']; often: K['often'] }
      : einsum_error_dimension_mismatch<'...', HiddenOf<K>, readonly [...Hidden], Equation>
    : never
/** An operand of unknown rank: its labels are there, with unknown sizes. */
type AddUnknown<K extends Known, S extends Subscripts> = S extends readonly [infer L extends string, ...infer Rest extends Subscripts]
  ? L extends '...'
    ? AddUnknown<{ sizes: Put<K['sizes'], '...', DynamicShape>; seen: K['seen']; often: K['often'] }, Rest>
    : AddUnknown<WithLabel<K, L, Join<SizeOfLabel<K, L>, number>>, Rest>
  : K

type AddOperands<
  Equation,
  K extends Known,
  Operands extends readonly Subscripts[],
  Shapes extends readonly Shape[],
> = Operands extends readonly [infer S extends Subscripts, ...infer MoreS extends readonly Subscripts[]]
  ? Shapes extends readonly [infer Sizes extends Shape, ...infer MoreSizes extends readonly Shape[]]
    ? (IsDynamic<Sizes> extends true ? AddUnknown<K, S> : AddOperand<Equation, K, S, Sizes, Sizes, S>) extends infer Next
      ? Next extends Known
        ? AddOperands<Equation, Next, MoreS, MoreSizes>
        : Next
      : never
    : never
  : K

// ---- the output ----------------------------------------------------------------------------------------------------

/** Labels that are there once, in alphabetical order. */
type ImplicitLabels<
  Once extends string,
  Letters extends string = Alphabet,
  Out extends Subscripts = readonly [],
> = Letters extends `${infer C}${infer Rest}` ? ImplicitLabels<Once, Rest, C extends Once ? readonly [...Out, C] : Out> : Out
type OutputShape<
  Equation,
  K extends Known,
  S extends Subscripts,
  Seen extends string = never,
  Out extends Shape = readonly [],
> = S extends readonly [infer L extends string, ...infer Rest extends Subscripts]
  ? L extends '...'
    ? OutputShape<Equation, K, Rest, Seen, readonly [...Out, ...HiddenOf<K>]>
    : L extends Seen
      ? einsum_error_invalid_equation<Equation, einsum_output_twice<L>>
      : L extends K['seen']
        ? OutputShape<Equation, K, Rest, Seen | L, readonly [...Out, SizeOfLabel<K, L>]>
        : einsum_error_unknown_output_index<L, Equation>
  : number extends Out['length']
    ? DynamicShape
    : Out

/** The shape of `torch.einsum`, or the error. `EinsumOutputShape<'ij,jk->ik', [[2, 3], [3, 4]]>` is `readonly [2, 4]`. */
export type EinsumOutputShape<Equation extends string, Shapes extends readonly Shape[]> = string extends Equation
  ? DynamicShape
  : ReadEquation<Equation> extends infer R
    ? R extends Read
      ? number extends Shapes['length']
        ? DynamicShape
        : CountFits<Equation, R['operands'], Shapes> extends infer Bad extends AnyError
          ? Bad
          : AddOperands<Equation, Start, R['operands'], Shapes> extends infer K
            ? K extends Known
              ? OutputShape<
                  Equation,
                  K,
                  R['output'] extends Subscripts ? R['output'] : readonly ['...', ...ImplicitLabels<Exclude<K['seen'], K['often']>>]
                >
              : RanksFit<Equation, R['operands'], Shapes, K>
            : never
      : R
    : never
type CountFits<Equation, Operands extends readonly unknown[], Shapes extends readonly unknown[]> = number extends Shapes['length']
  ? Shapes
  : Operands['length'] extends Shapes['length']
    ? Shapes
    : einsum_error_operand_count_mismatch<Operands['length'], Shapes['length'], Equation>
/**
 * The shapes if there are as many as the equation has operands, else the error.
 *
 *     ValidateOperandCount<'ij,jk->ik', [[2, 3], [3, 4]]> // [[2, 3], [3, 4]]
 *     ValidateOperandCount<'ij,jk->ik', [[2, 3]]>         // einsum_error_operand_count_mismatch<2, 1, 'ij,jk->ik'>
 */
export type ValidateOperandCount<Equation extends string, Shapes extends readonly Shape[]> = string extends Equation
  ? Shapes
  : ReadEquation<Equation> extends infer R
    ? R extends Read
      ? CountFits<Equation, R['operands'], Shapes>
      : R
    : never
/**
 * The shapes if each has as many dimensions as its operand has subscripts, else what is wrong with them.
 *
 *     ValidateRanks<'ij,jk->ik', [[2, 3], [3, 4]]> // [[2, 3], [3, 4]]
 *     ValidateRanks<'ijk->i', [readonly [2, 3]]>   // einsum_error_subscript_rank_mismatch<readonly ['i', 'j', 'k'], readonly [2, 3], 'ijk->i'>
 */
export type ValidateRanks<Equation extends string, Shapes extends readonly Shape[]> = string extends Equation
  ? Shapes
  : ReadEquation<Equation> extends infer R
    ? R extends Read
      ? RanksFit<Equation, R['operands'], Shapes, Shapes>
      : R
    : never
type RanksFit<Equation, Operands extends readonly Subscripts[], Left extends readonly Shape[], Shapes> = Operands extends readonly [
  infer O extends Subscripts,
  ...infer Os extends readonly Subscripts[],
]
  ? Left extends readonly [infer S extends Shape, ...infer Ss extends readonly Shape[]]
    ? RankFits<O, S> extends true
      ? RanksFit<Equation, Os, Ss, Shapes>
      : einsum_error_subscript_rank_mismatch<O, S, Equation>
    : Shapes
  : Shapes
type RankFits<O extends Subscripts, S extends Shape> = number extends S['length']
  ? true
  : '...' extends O[number]
    ? S extends readonly [...Named<O>, ...number[]]
      ? true
      : false
    : O['length'] extends S['length']
      ? true
      : false
/** A size for each subscript that is no ellipsis. */
type Named<O extends Subscripts, Out extends Shape = readonly []> = O extends readonly [infer H, ...infer T extends Subscripts]
  ? Named<T, H extends '...' ? Out : readonly [...Out, number]>
  : Out
/** What `einsum` gives: `ValidatedEinsumShape<'ij->ji', [readonly [2, 3]]>` is `readonly [3, 2]`. */
export type ValidatedEinsumShape<Equation extends string, Shapes extends readonly Shape[]> = EinsumOutputShape<Equation, Shapes>
/** The equation where it fits the shapes, else the error: `ValidateEinsum<'ij->ji', [readonly [2, 3]]>` is `'ij->ji'`. */
export type ValidateEinsum<Equation extends string, Shapes extends readonly Shape[]> =
  EinsumOutputShape<Equation, Shapes> extends infer R ? (R extends AnyError ? R : Equation) : never

// ---- sublists ------------------------------------------------------------------------------------------------------

type IndicesOf<T extends readonly unknown[]> = { [K in keyof T]: K extends `${infer N extends number}` ? N : never }
type Indices = IndicesOf<Letters>
/**
 * The numbers that stand for subscripts: 0 to 25 for A to Z, 26 to 51 for a to z.
 *
 *     const last: torch.SubscriptIndex = 51
 */
export type SubscriptIndex = Indices[number]
/** The type of `torch.Ellipsis`. */
export type EllipsisType = typeof import('../einsum.js').Ellipsis
/**
 * An element of a sublist: a number or `torch.Ellipsis`.
 *
 *     const elements: torch.SublistElement[] = [0, torch.Ellipsis]
 */
export type SublistElement = number | EllipsisType
/**
 * Subscripts as numbers: `[0, 1]` is 'AB'.
 *
 *     const rows: torch.Sublist = [0, torch.Ellipsis]
 *     const x = torch.einsum(torch.zeros(2, 3), rows)
 */
export type Sublist = readonly SublistElement[]

type SublistText<S extends readonly unknown[], Out extends string = ''> = number extends S['length']
  ? string
  : S extends readonly [infer H, ...infer Rest]
    ? H extends EllipsisType
      ? SublistText<Rest, `${Out}...`>
      : H extends number
        ? number extends H
          ? string
          : H extends SubscriptIndex
            ? SublistText<Rest, `${Out}${Letters[H]}`>
            : einsum_error_index_out_of_range<H>
        : einsum_error_invalid_sublist_element<H>
    : Out
/** Operands and sublists in turn, as an equation and shapes. */
type Interleaved<
  Args extends readonly unknown[],
  Equation extends string = '',
  Shapes extends readonly Shape[] = readonly [],
> = Args extends readonly [{ readonly shape: infer S extends Shape }, infer L extends readonly unknown[], ...infer Rest]
  ? SublistText<L> extends infer T
    ? T extends string
      ? Interleaved<
          Rest,
          string extends T ? string : Equation extends '' ? (Shapes extends readonly [] ? T : `${Equation},${T}`) : `${Equation},${T}`,
          readonly [...Shapes, S]
        >
      : T
    : never
  : Args extends readonly [infer Output extends readonly unknown[]]
    ? SublistText<Output> extends infer T
      ? T extends string
        ? EinsumOutputShape<string extends T ? string : `${Equation}->${T}`, Shapes>
        : T
      : never
    : Args extends readonly []
      ? EinsumOutputShape<Equation, Shapes>
      : DynamicShape
/** The shape of `torch.einsum(a, [0, 1], b, [1, 2], [0, 2])`. */
export type SublistEinsumShape<Args extends readonly unknown[]> = Interleaved<Args>
