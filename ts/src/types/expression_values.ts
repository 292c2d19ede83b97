// What parts of an expression are for the compiler, and how the arguments of a call find the parameters of a function.
import type { expression_error_wrong_arguments } from '../generated/shape_errors.js'
import type { DType, NumbersDType, PromoteScalar, PromoteTensors } from './dtype.js'
import type { ShapeError } from './shape_error.js'
import type { DynamicShape, Shape } from './shapes.js'

export type AnyError = ShapeError

// ---- values --------------------------------------------------------------------------------------------------------

export interface TensorValue<S extends Shape, D extends DType> {
  readonly kind: 'tensor'
  readonly shape: S
  readonly dtype: D
}
/** A number or a boolean; its value where it is written in the expression. */
export interface NumberValue<N extends number | boolean> {
  readonly kind: 'number'
  readonly value: N
}
export interface TextValue<T extends string> {
  readonly kind: 'text'
  readonly value: T
}
export interface NullValue {
  readonly kind: 'null'
}
/** A list that is written in the expression. */
export interface ItemsValue<Items extends readonly Value[]> {
  readonly kind: 'items'
  readonly items: Items
}
/** A list of tensors that a function gives: their shapes, where they are known. */
export interface ListValue<Shapes, D> {
  readonly kind: 'list'
  readonly shapes: Shapes
  readonly dtype: D
}
/** Several results of a function, by name. */
export interface ResultsValue<Fields> {
  readonly kind: 'results'
  readonly fields: Fields
}
export type Value =
  | TensorValue<Shape, DType>
  | NumberValue<number | boolean>
  | TextValue<string>
  | NullValue
  | { readonly kind: 'items'; readonly items: readonly unknown[] }
  | { readonly kind: 'list' }
  | ResultsValue<unknown>
/** A tensor of this shape and dtype, or the error in the place of one of them. */
export type TensorOr<S, D> = [S] extends [Shape] ? ([D] extends [DType] ? TensorValue<S, D> : D) : S
/** A list of tensors of these shapes, or the error. */
export type ListOr<Shapes, D> = [Shapes] extends [readonly unknown[]] ? ListValue<Shapes, D> : Shapes

export type WrongArguments<Name> = expression_error_wrong_arguments<Name>

// ---- calls ---------------------------------------------------------------------------------------------------------

/** The arguments of a call: by position, and by name. */
export interface CallArguments {
  readonly args: readonly unknown[]
  readonly named: object
}
/** A parameter: name, kind (a letter; `[]` a list, `[n]` one that a number may stand for), flags (? may be null, n a number may stand for the tensor, v ints one by one), needed, by name only. */
type Parameter = readonly [name: string, kind: string, flags: string, needed: 0 | 1, keyword: 0 | 1]
/** The arguments of a call by the names of the parameters. */
export type Bound = { readonly bound: object }

type KindOf<Kind extends string> = Kind extends `T${'' | '[]'}`
  ? 'tensor'
  : Kind extends 's' | 't' | 'd'
    ? 'text'
    : Kind extends 'S' | 'i' | 'f' | 'b'
      ? 'number'
      : 'items'
/** Whether a value may stand for a parameter. */
type Takes<V, Kind extends string, Flags extends string> = V extends { readonly kind: infer K }
  ? K extends 'null'
    ? Flags extends `?${string}`
      ? true
      : false
    : Kind extends `${string}[${string}]`
      ? K extends 'items'
        ? true
        : K extends 'list'
          ? Kind extends 'T[]'
            ? true
            : false
          : K extends 'number'
            ? Kind extends `${string}[n]`
              ? true
              : false
            : false
      : K extends KindOf<Kind>
        ? Kind extends 'b'
          ? V extends NumberValue<boolean>
            ? true
            : false
          : Kind extends 'i' | 'f'
            ? V extends NumberValue<number>
              ? true
              : false
            : true
        : K extends 'number'
          ? Kind extends 'T'
            ? Flags extends `${string}n`
              ? true
              : false
            : false
          : false
  : false

type Walk<
  Args extends readonly unknown[],
  Named,
  Parameters extends readonly Parameter[],
  Out extends object,
  Used extends PropertyKey,
> = Parameters extends readonly [
  readonly [infer Name extends string, infer Kind extends string, infer Flags extends string, infer Needed, infer Keyword],
  ...infer Rest extends readonly Parameter[],
]
  ? Args extends readonly [infer First, ...infer More]
    ? Keyword extends 1
      ? null
      : Takes<First, Kind, Flags> extends true
        ? Walk<More, Named, Rest, Out & { readonly [K in Name]: First }, Used>
        : Flags extends 'v'
          ? AllNumbers<Args> extends true
            ? Args extends readonly Value[]
              ? Walk<readonly [], Named, Rest, Out & { readonly [K in Name]: ItemsValue<Args> }, Used>
              : null
            : null
          : null
    : Name extends keyof Named
      ? Takes<Named[Name], Kind, Flags> extends true
        ? Walk<Args, Named, Rest, Out & { readonly [K in Name]: Named[Name] }, Used | Name>
        : null
      : Needed extends 1
        ? null
        : Walk<Args, Named, Rest, Out, Used>
  : Args extends readonly []
    ? [Exclude<keyof Named, Used>] extends [never]
      ? { readonly bound: Out }
      : null
    : null
type AllNumbers<Args extends readonly unknown[]> = Args extends readonly [infer H, ...infer T]
  ? H extends NumberValue<number>
    ? AllNumbers<T>
    : false
  : true
/** The arguments of a call as those of an overload; null where they do not fit. */
export type Bind<A extends CallArguments, Parameters extends readonly Parameter[]> = Walk<A['args'], A['named'], Parameters, object, never>

type In<B extends Bound, Name extends string> = Name extends keyof B['bound'] ? B['bound'][Name] : undefined
/** The shape of a tensor; a number has none: it is a scalar. Otherwise: of one that is not given. */
export type ShapeIn<B extends Bound, Name extends string, Otherwise = DynamicShape> =
  In<B, Name> extends { readonly shape: infer S extends Shape }
    ? S
    : In<B, Name> extends NumberValue<number | boolean>
      ? readonly []
      : Otherwise
/** A number that is written, or the default, or `number`. */
export type NumberIn<B extends Bound, Name extends string, Default extends number> =
  In<B, Name> extends NumberValue<infer N>
    ? Extract<N, number>
    : In<B, Name> extends undefined
      ? [Default] extends [never]
        ? number
        : Default
      : number
/** A flag that is written, or the default, or `boolean`. */
export type FlagIn<B extends Bound, Name extends string, Default extends boolean> =
  In<B, Name> extends NumberValue<infer N>
    ? Extract<N, boolean>
    : In<B, Name> extends undefined
      ? [Default] extends [never]
        ? boolean
        : Default
      : boolean
/** Any other argument as a shape rule takes it: a number, a text, a list of numbers or of shapes, null. */
export type ArgumentIn<B extends Bound, Name extends string, Default> =
  In<B, Name> extends infer V
    ? V extends undefined
      ? Default
      : V extends NullValue
        ? null
        : V extends NumberValue<infer N>
          ? N
          : V extends TextValue<infer T>
            ? T
            : V extends { readonly items: infer Items extends readonly unknown[] }
              ? ListOf<Items>
              : V extends ListValue<infer Shapes, unknown>
                ? Shapes
                : Default
    : never
type ListOf<Items extends readonly unknown[], Out extends readonly unknown[] = readonly []> = Items extends readonly [infer H, ...infer T]
  ? ListOf<
      T,
      readonly [
        ...Out,
        H extends NumberValue<infer N> ? N : H extends { readonly shape: infer S } ? S : H extends NullValue ? null : number,
      ]
    >
  : Out

/** The dtype that the tensors and numbers of these names promote to. */
export type DTypeIn<
  B extends Bound,
  Names extends readonly string[],
  D = never,
  S = readonly [],
  Numbers = never,
> = Names extends readonly [infer Name extends string, ...infer Rest extends readonly string[]]
  ? In<B, Name> extends { readonly shape: infer OtherS; readonly dtype: infer Other }
    ? DTypeIn<B, Rest, [D] extends [never] ? Other : PromoteTensors<D, S, Other, OtherS>, [D] extends [never] ? OtherS : S, Numbers>
    : In<B, Name> extends NumberValue<infer N>
      ? DTypeIn<B, Rest, D, S, Numbers | N>
      : In<B, Name> extends { readonly items: infer Items extends readonly unknown[] }
        ? DTypeIn<B, Rest, DTypeOfItems<Items, D, S>, S, Numbers>
        : In<B, Name> extends ListValue<unknown, infer Other>
          ? DTypeIn<B, Rest, Other, S, Numbers>
          : DTypeIn<B, Rest, D, S, Numbers>
  : [D] extends [never]
    ? [Numbers] extends [never]
      ? DType
      : NumbersDType<Numbers>
    : [Numbers] extends [never]
      ? D
      : PromoteScalar<D, Numbers>
type DTypeOfItems<Items extends readonly unknown[], D, S> = Items extends readonly [infer H, ...infer T]
  ? H extends { readonly shape: infer OtherS; readonly dtype: infer Other }
    ? DTypeOfItems<T, [D] extends [never] ? Other : PromoteTensors<D, S, Other, OtherS>, OtherS>
    : DTypeOfItems<T, D, S>
  : D
/** The dtype that an argument names, or else another one. */
export type DTypeArgument<B extends Bound, Otherwise> =
  In<B, 'dtype'> extends TextValue<infer T> ? (T extends DType ? T : DType) : Otherwise
