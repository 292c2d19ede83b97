// The expression language `$` as types: tokens, tree, shapes. The tables are those of schema/grammar/expression.yaml, which the engine's parser
// (engine/expr/parse.c) is made of too; the tree is the one that the engine shows (tj_expression_tree).
import type {
  expression_argument_order,
  expression_argument_twice,
  expression_chained,
  expression_ends,
  expression_got,
  expression_number,
  expression_points,
  expression_text,
} from '../generated/reasons.js'
import type { FunctionResults } from '../generated/expression_functions.js'
import type {
  BinaryLevel,
  Constant,
  LongOperator,
  Prefix,
  RightOperator,
  ShortToken,
  SingleOperator,
  Tighter,
} from '../generated/grammar.js'
import type {
  expression_error_operand,
  expression_error_syntax,
  expression_error_unknown_function,
  pattern_error_extra_variables,
  pattern_error_missing_variables,
} from '../generated/shape_errors.js'
import type { Tensor } from '../tensor.js'
import type { DeviceType, DType, PromoteScalar, PromoteTensors, ToFloat } from './dtype.js'
import type { AnyError, ItemsValue, NullValue, NumberValue, TensorOr, TensorValue, TextValue, Value } from './expression_values.js'
import type { Checked } from './results.js'
import type { SelectShape, BroadcastShape, DynamicShape, MatmulShape, Shape } from './shapes.js'

// ---- tokens --------------------------------------------------------------------------------------------------------
// A token is its text; texts keep the quote in front.

type Words = readonly string[]
type Push<Out extends Words, Word extends string> = Word extends '' ? Out : readonly [...Out, Word]
type Digit = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9'
type Space = ' ' | '\n' | '\t' | '\r'
type IsNumberWord<Word extends string> = Word extends `${Digit}${string}` | `.${Digit}${string}` ? true : false
/** Whether a sign goes on with a number: 1e-3. */
type Exponent<Word extends string> = Word extends `${Digit | '.'}${string}${'e' | 'E'}` ? true : false

type Tokens<S extends string, Word extends string = '', Out extends Words = readonly []> = S extends `${infer C}${infer Rest}`
  ? C extends Space
    ? Tokens<Rest, '', Push<Out, Word>>
    : C extends "'"
      ? Rest extends `${infer Text}'${infer After}`
        ? Tokens<After, '', readonly [...Push<Out, Word>, `'${Text}`]>
        : null
      : C extends '"'
        ? Rest extends `${infer Text}"${infer After}`
          ? Tokens<After, '', readonly [...Push<Out, Word>, `'${Text}`]>
          : null
        : C extends ShortToken | FirstOfLong
          ? Rest extends `${infer D}${infer After}`
            ? `${C}${D}` extends LongOperator
              ? Tokens<After, '', readonly [...Push<Out, Word>, `${C}${D}`]>
              : C extends '-' | '+'
                ? Exponent<Word> extends true
                  ? Tokens<Rest, `${Word}${C}`, Out>
                  : Tokens<Rest, '', readonly [...Push<Out, Word>, C]>
                : Tokens<Rest, '', readonly [...Push<Out, Word>, C]>
            : Tokens<Rest, '', readonly [...Push<Out, Word>, C]>
          : Tokens<Rest, `${Word}${C}`, Out>
  : Push<Out, Word>
type FirstOfLong = LongOperator extends infer L ? (L extends `${infer C}${string}` ? C : never) : never

// ---- the tree ------------------------------------------------------------------------------------------------------

export type ExpressionNode =
  | { readonly op: string; readonly left: unknown; readonly right: unknown }
  | { readonly op: 'neg' | '~'; readonly arg: unknown }
  | { readonly op: '?:'; readonly cond: unknown; readonly then: unknown; readonly else: unknown }
  | { readonly fn: string; readonly args: readonly unknown[]; readonly named?: object }
  | { readonly var: string }
  | { readonly literal: number | string | boolean | null }
  | { readonly string: string }
  | { readonly list: readonly unknown[] }
  | { readonly field: string; readonly arg: unknown }
  | { readonly index: unknown; readonly arg: unknown }

// What waits for its operand or its end, on a stack: the innermost one is last.
type Waiting =
  | { readonly wait: 'binary'; readonly op: keyof BinaryLevel }
  | { readonly wait: 'prefix'; readonly op: Prefix }
  | { readonly wait: '(' | '?' | ':' | 'index' }
  | { readonly wait: 'call'; readonly fn: string; readonly args: readonly unknown[]; readonly named: object; readonly key: string | null }
  | { readonly wait: 'list'; readonly items: readonly unknown[] }
type Stack = readonly Waiting[]
type Values = readonly unknown[]

type PrefixNode<Op, Arg> = { readonly op: Op extends '-' ? 'neg' : Op; readonly arg: Arg }
type Level<Op> = Op extends keyof BinaryLevel ? BinaryLevel[Op] : never
type TighterThan<L> = L extends keyof Tighter ? Tighter[L] : never

/** Applies the operators that bind tighter than the level (and as tight, where Equal says so) to the values. */
type Reduce<V extends Values, W extends Stack, Ops extends string> = W extends readonly [...infer Outer extends Stack, infer Top]
  ? Top extends { readonly wait: 'binary'; readonly op: infer Op extends Ops }
    ? V extends readonly [...infer Below, infer L, infer R]
      ? Reduce<readonly [...Below, { readonly op: Op; readonly left: L; readonly right: R }], Outer, Ops>
      : never
    : Top extends { readonly wait: 'prefix'; readonly op: infer Op extends string }
      ? `prefix${Op}` extends Ops
        ? V extends readonly [...infer Below, infer A]
          ? Reduce<readonly [...Below, PrefixNode<Op, A>], Outer, Ops>
          : never
        : { values: V; waiting: W }
      : Top extends { readonly wait: ':' }
        ? 'conditional' extends Ops
          ? V extends readonly [...infer Below, infer C, infer A, infer B]
            ? Reduce<readonly [...Below, { readonly op: '?:'; readonly cond: C; readonly then: A; readonly else: B }], Outer, Ops>
            : never
          : { values: V; waiting: W }
        : { values: V; waiting: W }
  : { values: V; waiting: W }
type Operators = keyof BinaryLevel | `prefix${Prefix}`
interface State {
  values: Values
  waiting: Stack
}

type Fault<P, Wanted extends string, Got extends Words> = expression_error_syntax<
  P,
  Got extends readonly [infer T extends string, ...Words]
    ? expression_got<Wanted, T extends `'${string}` | `.${string}` ? string : T>
    : expression_ends<Wanted>
>

type NameStart<S extends string> = S extends `${Digit | '.'}${string}` ? false : true
/** A name, or several with points between them. */
type IsPath<S extends string> = S extends `${string}${OtherCharacter}${string}`
  ? false
  : S extends `${infer A}.${infer B}`
    ? A extends ''
      ? false
      : NameStart<A> extends true
        ? IsPath<B>
        : false
    : S extends ''
      ? false
      : NameStart<S>
type OtherCharacter = '!' | '#' | '\\' | '`' | '{' | '}' | ';'
type IsNumber<S extends string> = S extends `${string}${'.' | Digit}`
  ? S extends `${string}.${string}.${string}`
    ? false
    : OnlyNumber<S>
  : false
type OnlyNumber<S extends string> = S extends `${infer C}${infer Rest}`
  ? C extends Digit | '.' | 'e' | 'E' | '+' | '-'
    ? OnlyNumber<Rest>
    : false
  : true
type NumberNode<T extends string> = { readonly literal: T extends `${infer N extends number}` ? N : number }

/** Where an operand is expected. */
type Operand<P, T extends Words, V extends Values, W extends Stack> = T extends readonly [
  infer H extends string,
  ...infer Rest extends Words,
]
  ? H extends Prefix
    ? Operand<P, Rest, V, readonly [...W, { readonly wait: 'prefix'; readonly op: H }]>
    : H extends '('
      ? Operand<P, Rest, V, readonly [...W, { readonly wait: '(' }]>
      : H extends '['
        ? Rest extends readonly [']', ...infer After extends Words]
          ? Operator<P, After, readonly [...V, { readonly list: readonly [] }], W>
          : Operand<P, Rest, V, readonly [...W, { readonly wait: 'list'; readonly items: readonly [] }]>
        : H extends `'${infer Text}`
          ? Operator<P, Rest, readonly [...V, { readonly string: Text }], W>
          : IsNumberWord<H> extends true
            ? IsNumber<H> extends true
              ? Operator<P, Rest, readonly [...V, NumberNode<H>], W>
              : expression_error_syntax<P, expression_number>
            : H extends ShortToken | LongOperator
              ? Fault<P, 'an operand', T>
              : IsPath<H> extends true
                ? H extends keyof Constant
                  ? Operator<P, Rest, readonly [...V, { readonly literal: Constant[H] }], W>
                  : NameOperand<P, H, Rest, V, W>
                : Fault<P, 'an operand', T>
  : Fault<P, 'an operand', T>
type NameOperand<P, Name extends string, Rest extends Words, V extends Values, W extends Stack> = Rest extends readonly [
  '(',
  ...infer After extends Words,
]
  ? After extends readonly [')', ...infer Behind extends Words]
    ? Operator<P, Behind, readonly [...V, { readonly fn: Name; readonly args: readonly [] }], W>
    : Argument<
        P,
        After,
        V,
        readonly [
          ...W,
          { readonly wait: 'call'; readonly fn: Name; readonly args: readonly []; readonly named: object; readonly key: null },
        ]
      >
  : Name extends `${string}.${string}`
    ? expression_error_syntax<P, expression_points<Name>>
    : Operator<P, Rest, readonly [...V, { readonly var: Name }], W>
/** The beginning of an argument of a call: `name =` or the value. */
type Argument<P, T extends Words, V extends Values, W extends Stack> = T extends readonly [
  infer Key extends string,
  '=',
  ...infer Rest extends Words,
]
  ? W extends readonly [...infer Outer extends Stack, infer Call extends { readonly wait: 'call'; readonly named: object }]
    ? Key extends keyof Call['named']
      ? expression_error_syntax<P, expression_argument_twice<Key>>
      : Operand<P, Rest, V, readonly [...Outer, WithKey<Call, Key>]>
    : never
  : W extends readonly [...Stack, { readonly wait: 'call'; readonly named: infer Named }]
    ? [keyof Named] extends [never]
      ? Operand<P, T, V, W>
      : expression_error_syntax<P, expression_argument_order>
    : never
type WithKey<Call, Key extends string> = Call extends {
  readonly fn: infer F extends string
  readonly args: infer A extends readonly unknown[]
  readonly named: infer N extends object
}
  ? { readonly wait: 'call'; readonly fn: F; readonly args: A; readonly named: N; readonly key: Key }
  : never
/** The call with one more argument. */
type WithArgument<Call, Arg> = Call extends {
  readonly fn: infer F extends string
  readonly args: infer A extends readonly unknown[]
  readonly named: infer N extends object
  readonly key: infer Key
}
  ? Key extends string
    ? { readonly wait: 'call'; readonly fn: F; readonly args: A; readonly named: Merge<N, Key, Arg>; readonly key: null }
    : { readonly wait: 'call'; readonly fn: F; readonly args: readonly [...A, Arg]; readonly named: N; readonly key: null }
  : never
type Merge<N, Key extends string, Arg> = { readonly [K in keyof N | Key]: K extends Key ? Arg : K extends keyof N ? N[K] : never }
type CallNode<Call> = Call extends { readonly fn: infer F; readonly args: infer A; readonly named: infer N }
  ? [keyof N] extends [never]
    ? { readonly fn: F; readonly args: A }
    : { readonly fn: F; readonly args: A; readonly named: N }
  : never

/** Where an operator, a comma or an end is expected. */
type Operator<P, T extends Words, V extends Values, W extends Stack> = T extends readonly [
  infer H extends string,
  ...infer Rest extends Words,
]
  ? H extends keyof BinaryLevel
    ? Reduce<V, W, TighterThan<Level<H>> | (H extends RightOperator | SingleOperator ? never : SameLevel<H>)> extends infer R extends State
      ? H extends SingleOperator
        ? R['waiting'] extends readonly [...Stack, { readonly wait: 'binary'; readonly op: SingleOperator }]
          ? expression_error_syntax<P, expression_chained>
          : Operand<P, Rest, R['values'], readonly [...R['waiting'], { readonly wait: 'binary'; readonly op: H }]>
        : Operand<P, Rest, R['values'], readonly [...R['waiting'], { readonly wait: 'binary'; readonly op: H }]>
      : never
    : H extends '?'
      ? Reduce<V, W, Operators> extends infer R extends State
        ? Operand<P, Rest, R['values'], readonly [...R['waiting'], { readonly wait: '?' }]>
        : never
      : H extends '['
        ? Operand<P, Rest, V, readonly [...W, { readonly wait: 'index' }]>
        : H extends `.${infer Field}`
          ? V extends readonly [...infer Below, infer A]
            ? IsPath<Field> extends true
              ? Operator<P, Rest, readonly [...Below, FieldNode<Field, A>], W>
              : Fault<P, 'an operator', T>
            : never
          : Reduce<V, W, Operators | 'conditional'> extends infer R extends State
            ? Close<P, H, Rest, R['values'], R['waiting'], T>
            : never
  : Reduce<V, W, Operators | 'conditional'> extends infer R extends State
    ? R['waiting'] extends readonly []
      ? R['values'] extends readonly [infer Only]
        ? Only
        : never
      : Fault<P, Ending<R['waiting']>, T>
    : never
type FieldNode<Field extends string, A> = Field extends `${infer First}.${infer Rest}`
  ? FieldNode<Rest, { readonly field: First; readonly arg: A }>
  : { readonly field: Field; readonly arg: A }
type SameLevel<Op> = { [K in keyof BinaryLevel]: BinaryLevel[K] extends Level<Op> ? K : never }[keyof BinaryLevel]
type Ending<W extends Stack> = W extends readonly [...Stack, { readonly wait: infer K }]
  ? K extends '?'
    ? '":"'
    : K extends '('
      ? '")"'
      : K extends 'call' | 'list'
        ? '","'
        : '"]"'
  : 'an operator or the end'

/** A colon, a comma or a closing parenthesis, with all operators inside applied. */
type Close<P, H extends string, Rest extends Words, V extends Values, W extends Stack, T extends Words> = W extends readonly [
  ...infer Outer extends Stack,
  infer Top,
]
  ? V extends readonly [...infer Below, infer Last]
    ? Top extends { readonly wait: '?' }
      ? H extends ':'
        ? Operand<P, Rest, V, readonly [...Outer, { readonly wait: ':' }]>
        : Fault<P, '":"', T>
      : Top extends { readonly wait: '(' }
        ? H extends ')'
          ? Operator<P, Rest, V, Outer>
          : Fault<P, '")"', T>
        : Top extends { readonly wait: 'call' }
          ? H extends ')'
            ? Operator<P, Rest, readonly [...Below, CallNode<WithArgument<Top, Last>>], Outer>
            : H extends ','
              ? Rest extends readonly [')', ...Words]
                ? Fault<P, 'an operand', Rest>
                : Argument<P, Rest, Below, readonly [...Outer, WithArgument<Top, Last>]>
              : Fault<P, '","', T>
          : Top extends { readonly wait: 'list'; readonly items: infer Items extends readonly unknown[] }
            ? H extends ']'
              ? Operator<P, Rest, readonly [...Below, { readonly list: readonly [...Items, Last] }], Outer>
              : H extends ','
                ? Rest extends readonly [']', ...Words]
                  ? Fault<P, 'an operand', Rest>
                  : Operand<P, Rest, Below, readonly [...Outer, { readonly wait: 'list'; readonly items: readonly [...Items, Last] }]>
                : Fault<P, '","', T>
            : Top extends { readonly wait: 'index' }
              ? H extends ']'
                ? Below extends readonly [...infer Deeper, infer Of]
                  ? Operator<P, Rest, readonly [...Deeper, { readonly index: Last; readonly arg: Of }], Outer>
                  : never
                : Fault<P, '"]"', T>
              : never
    : never
  : Fault<P, 'an operator or the end', T>

/** The tree of an expression, or the error. `ParseExprPattern<'x @ w'>` is `{ op: '@', left: { var: 'x' }, right: { var: 'w' } }`. */
export type ParseExprPattern<P extends string> = string extends P
  ? ExpressionNode
  : Tokens<P> extends infer T
    ? T extends Words
      ? Operand<P, T, readonly [], readonly []>
      : expression_error_syntax<P, expression_text>
    : never

// ---- variables -----------------------------------------------------------------------------------------------------

/** The names of the variables, as a union. `ExtractVariables<'relu(x @ w)'>` is `'x' | 'w'`. */
export type ExtractVariables<P extends string> = string extends P ? string : VariablesOf<ParseExprPattern<P>>
type VariablesOf<N> = N extends { readonly var: infer Name extends string }
  ? Name
  : N extends { readonly left: infer L; readonly right: infer R }
    ? VariablesOf<L> | VariablesOf<R>
    : N extends { readonly cond: infer C; readonly then: infer A; readonly else: infer B }
      ? VariablesOf<C> | VariablesOf<A> | VariablesOf<B>
      : N extends { readonly args: infer A extends readonly unknown[]; readonly named: infer Named }
        ? VariablesOf<A[number]> | VariablesOf<Named[keyof Named]>
        : N extends { readonly args: infer A extends readonly unknown[] }
          ? VariablesOf<A[number]>
          : N extends { readonly list: infer A extends readonly unknown[] }
            ? VariablesOf<A[number]>
            : N extends { readonly index: infer I; readonly arg: infer A }
              ? VariablesOf<I> | VariablesOf<A>
              : N extends { readonly arg: infer A }
                ? VariablesOf<A>
                : never
export type PatternVariables<P extends string> = ExtractVariables<P>

// ---- shapes --------------------------------------------------------------------------------------------------------

/** What a variable may be. */
export type TensorOrNumber = Tensor | number | boolean
type ValueOf<T> = T extends { readonly shape: infer S extends Shape; readonly dtype: infer D extends DType }
  ? TensorValue<S, D>
  : T extends number | boolean
    ? NumberValue<T>
    : TensorValue<DynamicShape, DType>
type ConstantValue<V> = V extends null ? NullValue : V extends number | boolean ? NumberValue<V> : NumberValue<number>
type ShapeOfValue<V> = V extends TensorValue<infer S, DType> ? S : readonly []
type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>='

/** The dtype of two operands, as PyTorch promotes them; a comparison gives bool, `/` no integers. */
type BinaryDType<Op, L, R> = Op extends Comparison ? 'bool' : Op extends '/' ? ToFloat<Promoted<L, R>> : Promoted<L, R>
type Promoted<L, R> =
  L extends TensorValue<infer SA, infer A>
    ? R extends TensorValue<infer SB, infer B>
      ? PromoteTensors<A, SA, B, SB>
      : R extends NumberValue<infer N>
        ? PromoteScalar<A, N>
        : DType
    : R extends TensorValue<Shape, infer B>
      ? L extends NumberValue<infer N>
        ? PromoteScalar<B, N>
        : DType
      : DType
type Binary<Op, L, R> = L extends AnyError
  ? L
  : R extends AnyError
    ? R
    : L extends TensorValue<Shape, DType> | NumberValue<number | boolean>
      ? R extends TensorValue<Shape, DType> | NumberValue<number | boolean>
        ? L extends NumberValue<number | boolean>
          ? R extends NumberValue<number | boolean>
            ? Op extends '@'
              ? expression_error_operand<Op, 'number'>
              : NumberValue<Op extends Comparison ? boolean : number>
            : BinaryTensors<Op, L, R>
          : BinaryTensors<Op, L, R>
        : expression_error_operand<Op, R extends { readonly kind: infer K } ? K : unknown>
      : expression_error_operand<Op, L extends { readonly kind: infer K } ? K : unknown>
type BinaryTensors<Op, L, R> = Op extends '@'
  ? ShapeOfValue<L> extends readonly []
    ? expression_error_operand<Op, 'scalar'>
    : ShapeOfValue<R> extends readonly []
      ? expression_error_operand<Op, 'scalar'>
      : TensorOr<MatmulShape<ShapeOfValue<L>, ShapeOfValue<R>>, BinaryDType<Op, L, R>>
  : TensorOr<BroadcastShape<ShapeOfValue<L>, ShapeOfValue<R>>, BinaryDType<Op, L, R>>
type Unary<Op, A> = A extends AnyError
  ? A
  : A extends TensorValue<Shape, DType>
    ? A
    : A extends NumberValue<infer N>
      ? NumberValue<N extends boolean ? boolean : NegativeOf<Op, Extract<N, number>>>
      : expression_error_operand<Op, A extends { readonly kind: infer K } ? K : unknown>
type NegativeOf<Op, N extends number> = Op extends 'neg' ? (`-${N}` extends `${infer M extends number}` ? M : number) : number
type Conditional<C, A, B> = C extends AnyError
  ? C
  : A extends AnyError
    ? A
    : B extends AnyError
      ? B
      : C extends NumberValue<infer N>
        ? N extends true
          ? A
          : N extends false
            ? B
            : A | B
        : A extends Chosen
          ? B extends Chosen
            ? A | B extends NumberValue<number | boolean>
              ? TensorOr<ShapeOfValue<C>, DType>
              : TensorOr<BroadcastShape<BroadcastShape<ShapeOfValue<C>, ShapeOfValue<A>>, ShapeOfValue<B>>, Promoted<A, B>>
            : expression_error_operand<'?:', B extends { readonly kind: infer K } ? K : unknown>
          : expression_error_operand<'?:', A extends { readonly kind: infer K } ? K : unknown>
type Chosen = TensorValue<Shape, DType> | NumberValue<number | boolean>

type EvaluateAll<List extends readonly unknown[], Bindings, Out extends readonly unknown[] = readonly []> = List extends readonly [
  infer H,
  ...infer T,
]
  ? Evaluate<H, Bindings> extends infer V
    ? V extends AnyError
      ? V
      : EvaluateAll<T, Bindings, readonly [...Out, V]>
    : never
  : Out
type EvaluateNamed<Named, Bindings> = { readonly [K in keyof Named]: Evaluate<Named[K], Bindings> }
type Call<F extends string, Args, Named, Bindings> = Args extends readonly unknown[]
  ? EvaluateAll<Args, Bindings> extends infer V
    ? V extends readonly unknown[]
      ? EvaluateNamed<Named, Bindings> extends infer N extends object
        ? N[keyof N] extends infer Bad
          ? [Extract<Bad, AnyError>] extends [never]
            ? F extends `torch.${infer Short}`
              ? Look<Short, V, N>
              : Look<F, V, N>
            : Extract<Bad, AnyError>
          : never
        : never
      : V
    : never
  : never
type Look<F extends string, Args extends readonly unknown[], Named extends object> = F extends keyof FunctionResults<{
  args: Args
  named: Named
}>
  ? FunctionResults<{ args: Args; named: Named }>[F]
  : expression_error_unknown_function<F>

/** The value of a tree. */
type Evaluate<N, Bindings> = N extends { readonly var: infer Name }
  ? Name extends keyof Bindings
    ? ValueOf<Bindings[Name]>
    : TensorValue<DynamicShape, DType>
  : N extends { readonly literal: infer V }
    ? ConstantValue<V>
    : N extends { readonly op: infer Op; readonly left: infer L; readonly right: infer R }
      ? Binary<Op, Evaluate<L, Bindings>, Evaluate<R, Bindings>>
      : N extends { readonly fn: infer F extends string; readonly args: infer Args; readonly named: infer Named }
        ? Call<F, Args, Named, Bindings>
        : N extends { readonly fn: infer F extends string; readonly args: infer Args }
          ? Call<F, Args, object, Bindings>
          : N extends { readonly op: infer Op; readonly arg: infer A }
            ? Unary<Op, Evaluate<A, Bindings>>
            : N extends { readonly cond: infer C; readonly then: infer A; readonly else: infer B }
              ? Conditional<Evaluate<C, Bindings>, Evaluate<A, Bindings>, Evaluate<B, Bindings>>
              : N extends { readonly string: infer T extends string }
                ? TextValue<T>
                : N extends { readonly list: infer Items extends readonly unknown[] }
                  ? EvaluateAll<Items, Bindings> extends infer V
                    ? V extends readonly Value[]
                      ? ItemsValue<V>
                      : V
                    : never
                  : N extends { readonly field: infer Name; readonly arg: infer A }
                    ? Field<Evaluate<A, Bindings>, Name>
                    : N extends { readonly index: infer I; readonly arg: infer A }
                      ? Item<Evaluate<A, Bindings>, Evaluate<I, Bindings>>
                      : TensorValue<DynamicShape, DType>
type Field<V, Name> = V extends AnyError
  ? V
  : V extends { readonly kind: 'results'; readonly fields: infer Fields }
    ? Name extends keyof Fields
      ? Fields[Name]
      : expression_error_operand<`.${Name & string}`, 'results'>
    : expression_error_operand<`.${Name & string}`, V extends { readonly kind: infer K } ? K : unknown>
type Item<V, I> = V extends AnyError
  ? V
  : I extends AnyError
    ? I
    : V extends TensorValue<infer S, infer D>
      ? TensorOr<I extends NumberValue<infer N> ? SelectShape<S, 0, Extract<N, number>> : DynamicShape, D>
      : V extends { readonly kind: 'results'; readonly fields: infer Fields }
        ? Fields[keyof Fields]
        : V extends { readonly kind: 'list'; readonly shapes: infer Shapes extends readonly unknown[]; readonly dtype: infer D }
          ? TensorOr<I extends NumberValue<infer N> ? (N extends keyof Shapes ? Shapes[N] : DynamicShape) : DynamicShape, D>
          : V extends { readonly items: infer Items extends readonly unknown[] }
            ? I extends NumberValue<infer N>
              ? N extends keyof Items
                ? Items[N]
                : Items[number]
              : Items[number]
            : expression_error_operand<'[]', V extends { readonly kind: infer K } ? K : unknown>

/** The shape of a tree, given the types of its variables. `EvalExprShape<ParseExprPattern<'x @ w'>, { x: Tensor<[2, 3]>, w: Tensor<[3, 4]> }>` is `[2, 4]`. */
export type EvalExprShape<N, Bindings> = Evaluate<N, Bindings> extends infer V ? (V extends AnyError ? V : ShapeOfValue<V>) : never
type DTypeOfValue<V> = V extends TensorValue<Shape, infer D> ? D : DType
type DeviceOfBindings<Bindings> = Bindings[keyof Bindings] extends infer T
  ? T extends { readonly device: infer Dev }
    ? Dev
    : never
  : never
type OneDevice<Dev> = [Dev] extends [never] ? 'cpu' : Extract<Dev, DeviceType>

/** The shape of an expression with these bindings, or the error. */
export type PatternExprShape<P extends string, Bindings> =
  PatternValue<P, Bindings> extends infer V ? (V extends AnyError ? V : ShapeOfValue<V>) : never
type PatternValue<P extends string, Bindings> =
  ParseExprPattern<P> extends infer N
    ? N extends AnyError
      ? N
      : [Exclude<VariablesOf<N>, keyof Bindings>] extends [never]
        ? [Exclude<keyof Bindings, VariablesOf<N>>] extends [never]
          ? Evaluate<N, Bindings>
          : pattern_error_extra_variables<Exclude<keyof Bindings, VariablesOf<N>>, P>
        : pattern_error_missing_variables<Exclude<VariablesOf<N>, keyof Bindings>, P>
    : never
/** What an expression gives for these bindings: a Tensor, or the error. */
export type PatternExprResult<P extends string, Bindings> = string extends P
  ? Tensor
  : PatternValue<P, Bindings> extends infer V
    ? V extends TensorValue<infer S, infer D>
      ? Checked<S, D, OneDevice<DeviceOfBindings<Bindings>>>
      : V extends NumberValue<number | boolean>
        ? Tensor<readonly [], DType, 'cpu'>
        : V extends AnyError
          ? V
          : expression_error_operand<'the result', V extends { readonly kind: infer K } ? K : unknown>
    : never
