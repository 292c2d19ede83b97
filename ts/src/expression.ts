// `$`: formulas as texts. The engine parses and evaluates them (engine/expr); the compiler reads the same grammar (types/expression.ts).
import { BUILTIN } from './generated/calls.js'
import { pattern_error_extra_variables, pattern_error_missing_variables } from './generated/error_texts.js'
import { isScalar, typeName } from './runtime/arguments.js'
import { Arguments, builtin, fail, wrap } from './runtime/call.js'
import { TorchError } from './runtime/errors.js'
import { host } from './runtime/host.js'
import { Tensor } from './tensor.js'
import type { DeviceType, DType, Scalar } from './types/dtype.js'
import type { ExpressionNode, ExtractVariables, ParseExprPattern, PatternExprResult, TensorOrNumber } from './types/expression.js'
import type { ShapeError } from './types/shape_error.js'
import type { DynamicShape, Shape } from './types/shapes.js'

// ---- parsed expressions --------------------------------------------------------------------------------------------

/** An expression in the engine. */
class Parsed {
  readonly handle: number
  readonly text: string
  readonly variables: readonly string[]

  constructor(text: unknown) {
    if (typeof text !== 'string')
      throw new TorchError(`$(): argument 'pattern' (position 1) must be str, not ${typeName(text)}`, 'TypeError')
    if (text.includes('\0')) throw new TorchError('$(): the expression has a null character', 'ValueError')
    this.text = text
    this.handle = new Arguments().text(text).call(BUILTIN.expression_parse)
    if (this.handle <= 0) fail()
    host.track(this, this.handle)
    if (builtin(BUILTIN.expression_variables, this.handle) <= 0) fail()
    const names = host.takeString()
    this.variables = names === '' ? [] : names.split(' ')
  }

  tree(): ExpressionNode {
    if (builtin(BUILTIN.expression_tree, this.handle) <= 0) fail()
    return JSON.parse(host.takeString()) as ExpressionNode
  }

  /** values: one for each variable. Numbers count as numbers. */
  evaluate(values: readonly unknown[]): Tensor {
    const call = new Arguments().number(this.handle).number(values.length)
    values.forEach((v, i) => {
      if (!(v instanceof Tensor) && !isScalar(v))
        throw new TorchError(`$(): the value of '${this.variables[i]}' must be Tensor or a number, not ${typeName(v)}`, 'TypeError')
      call.operand(v)
    })
    return wrap(call.call(BUILTIN.expression_evaluate))
  }

  /** The values by name, in the order of the variables. */
  bind(bindings: Readonly<Record<string, unknown>>): unknown[] {
    const missing = this.variables.filter((name) => !Object.hasOwn(bindings, name))
    if (missing.length > 0)
      throw new TorchError(pattern_error_missing_variables(this.text, quoted(missing), quoted(Object.keys(bindings))), 'ValueError')
    const extra = Object.keys(bindings).filter((name) => !this.variables.includes(name))
    if (extra.length > 0)
      throw new TorchError(pattern_error_extra_variables(this.text, quoted(extra), quoted(this.variables)), 'ValueError')
    return this.variables.map((name) => bindings[name])
  }
}

const quoted = (names: readonly string[]): string => (names.length > 0 ? names.map((n) => `'${n}'`).join(', ') : 'none')
const asBindings = (v: unknown): Readonly<Record<string, unknown>> => {
  if (typeof v !== 'object' || v === null || Array.isArray(v) || v instanceof Tensor)
    throw new TorchError(`$(): the bindings must be an object { name: value }, not ${typeName(v)}`, 'TypeError')
  return v as Readonly<Record<string, unknown>>
}

// ---- patterns ------------------------------------------------------------------------------------------------------

/** Values of variables by name. */
export type Bindings = Readonly<Record<string, TensorOrNumber | Scalar>>

/** A parsed pattern: called with the values of its variables, it gives the value of the expression. */
export interface PatternFunction<P extends string> {
  <const B extends Bindings>(bindings: B): PatternExprResult<P, B>
  /** The text that it was made of. */
  readonly pattern: P
  /** The names of its variables in the order in which they appear. */
  readonly variables: readonly ExtractVariables<P>[]
}
/** What `$(pattern)` gives: a function, or the error where the pattern is none. */
export type PatternOf<P extends string> = ParseExprPattern<P> extends infer N ? (N extends ShapeError ? N : PatternFunction<P>) : never

function patternFunction(text: unknown): unknown {
  const parsed = new Parsed(text)
  const run = (bindings: unknown): Tensor => parsed.evaluate(parsed.bind(asBindings(bindings ?? {})))
  return Object.defineProperties(run, { pattern: { value: parsed.text }, variables: { value: parsed.variables } })
}

// ---- templates -----------------------------------------------------------------------------------------------------

type DeviceOf<T> = T extends { readonly device: infer Dev } ? Dev : never
type DeviceOfAll<Values extends readonly unknown[]> = [DeviceOf<Values[number]>] extends [never] ? 'cpu' : DeviceOf<Values[number]>
/**
 * What a template gives: the compiler does not see the text between the values, so the shape is found at run time. `$('x @ w')({ x, w })` has its
 * shape at compile time.
 */
export type TensorExprResult<Values extends readonly unknown[]> = Tensor<DynamicShape, DType, Extract<DeviceOfAll<Values>, DeviceType>>

/** Each template in the program is parsed once. */
const templates = new WeakMap<readonly string[], Parsed>()
function template(strings: readonly string[], values: readonly unknown[]): Tensor {
  let parsed = templates.get(strings)
  if (!parsed) {
    if (values.length === 0) throw new TorchError('$`...` has no values: use $("...") for an expression with variables', 'TypeError')
    parsed = new Parsed(strings.map((s, i) => (i < values.length ? `${s} $${i} ` : s)).join(''))
    const free = parsed.variables.filter((name, i) => name !== `$${i}`)
    if (free.length > 0)
      throw new TorchError(`$\`...\` has variables without a value: ${quoted(free)}. Put them in as \${...}`, 'ValueError')
    templates.set(strings, parsed)
  }
  return parsed.evaluate(values)
}

// ---- lazy expressions ----------------------------------------------------------------------------------------------

type Merged<A, B> = { readonly [K in keyof A | keyof B]: K extends keyof B ? B[K] : K extends keyof A ? A[K] : never }

/** An expression whose variables get their values one after another; nothing is computed before `execute`. */
export class LazyExpression<P extends string = string, B extends object = object> {
  readonly pattern: P
  readonly bindings: Readonly<B>
  readonly #parsed: Parsed

  /** @internal */
  constructor(parsed: unknown, bindings: B) {
    this.#parsed = parsed as Parsed
    this.pattern = this.#parsed.text as P
    this.bindings = Object.freeze({ ...bindings })
  }

  /** The names of all variables. */
  get variables(): readonly ExtractVariables<P>[] {
    return this.#parsed.variables as readonly ExtractVariables<P>[]
  }
  /** Those that have no value yet. */
  get unboundVariables(): readonly string[] {
    return this.#parsed.variables.filter((name) => !Object.hasOwn(this.bindings, name))
  }
  get isComplete(): boolean {
    return this.unboundVariables.length === 0
  }

  /** The same expression with more values; earlier ones of the same name are replaced. */
  with<const More extends Bindings>(bindings: More): LazyExpression<P, Merged<B, More>> {
    const extra = Object.keys(asBindings(bindings)).filter((name) => !this.#parsed.variables.includes(name))
    if (extra.length > 0)
      throw new TorchError(pattern_error_extra_variables(this.pattern, quoted(extra), quoted(this.#parsed.variables)), 'ValueError')
    return new LazyExpression(this.#parsed, { ...this.bindings, ...bindings }) as unknown as LazyExpression<P, Merged<B, More>>
  }

  /** The value, with these values beside those that are bound. */
  execute<const More extends Bindings = Record<never, never>>(bindings?: More): PatternExprResult<P, Merged<B, More>> {
    const all = bindings === undefined ? this.bindings : { ...this.bindings, ...asBindings(bindings) }
    return this.#parsed.evaluate(this.#parsed.bind(all as Record<string, unknown>)) as PatternExprResult<P, Merged<B, More>>
  }

  toString(): string {
    const bound = Object.keys(this.bindings)
    return `LazyExpression("${this.pattern}"${bound.length > 0 ? `, bound: ${bound.join(', ')}` : ''})`
  }
}

// ---- $ -------------------------------------------------------------------------------------------------------------

export interface Dollar {
  /**
   * A pattern: a function of the values of its variables.
   *
   *     const layer = $('relu(x @ w + b)')
   *     layer({ x, w, b })
   */
  <const P extends string>(pattern: P): PatternOf<P>
  /** A template without values is no expression. */
  (strings: TemplateStringsArray): never
  /** A template, evaluated at once: `` $`${x} @ ${w} + 1` ``. */
  <const Values extends readonly [TensorOrNumber, ...TensorOrNumber[]]>(
    strings: TemplateStringsArray,
    ...values: Values
  ): TensorExprResult<Values>
  /** An expression whose variables get their values later. */
  lazy<const P extends string>(pattern: P): LazyExpression<P>
  /** The tree of an expression. */
  parse<const P extends string>(pattern: P): ParseExprPattern<P>
}

/** Formulas as texts: see `torch.$` in the documentation. */
export const $: Dollar = Object.assign(
  ((first: unknown, ...values: unknown[]): unknown =>
    Array.isArray(first) && Object.hasOwn(first, 'raw') ? template(first as string[], values) : patternFunction(first)) as unknown as Omit<
    Dollar,
    'lazy' | 'parse'
  >,
  {
    lazy: (pattern: unknown): LazyExpression => new LazyExpression(new Parsed(pattern), {}),
    parse: (pattern: unknown): unknown => new Parsed(pattern).tree(),
  },
) as unknown as Dollar

/** The tree of an expression, as the engine reads it. */
export function parse<const P extends string>(pattern: P): ParseExprPattern<P> {
  return $.parse(pattern)
}
/** The names of the variables of an expression, in the order in which they appear. */
export function extractVariables<const P extends string>(pattern: P): ExtractVariables<P>[] {
  return [...new Parsed(pattern).variables] as ExtractVariables<P>[]
}
/** `$.lazy` under its other name. */
export function createLazyExpression<const P extends string>(pattern: P): LazyExpression<P> {
  return $.lazy(pattern)
}
