// The general path of a call: finds the overload that the arguments fit, as PyTorch's argument parser does, and writes them to the host's buffer.
// Generated functions come here when their arguments are not all positional and plain.
import { Tensor } from '../tensor.js'
import { Generator } from '../random.js'
import { Device, deviceCode } from '../device.js'
import { dtypeIndex, isDType } from '../dtype.js'
import type { Complex, Scalar } from '../types/dtype.js'
import { host } from './host.js'
import { TorchError } from './errors.js'
import { finish, finishOut, type Returns } from './call.js'

export type ArgType =
  | 'Tensor'
  | 'Scalar'
  | 'ScalarType'
  | 'Device'
  | 'Generator'
  | 'int'
  | 'float'
  | 'bool'
  | 'str'
  | 'Tensor[]'
  | 'Tensor?[]'
  | 'int[]'
  | 'float[]'
  | 'bool[]'
  | 'Scalar[]'

export interface Arg {
  readonly name: string
  readonly type: ArgType
  readonly optional: boolean
  readonly kwonly: boolean
  readonly hasDefault: boolean
  readonly number: boolean
  readonly size: number
  readonly def: unknown
}

export interface Overload {
  readonly call: number
  /** The call that writes its result to a given tensor; -1: there is none. */
  readonly out: number
  readonly returns: Returns
  readonly fields: readonly string[]
  readonly args: readonly Arg[]
  /** How many arguments can be positional. */
  readonly positional: number
  /** The last positional argument is the only list of ints, so that its items may be arguments themselves. */
  readonly variadic: boolean
}

export interface Operator {
  readonly name: string
  readonly overloads: readonly Overload[]
}

export const OPTIONAL = 1
export const KWONLY = 2
export const DEFAULT = 4
export const NUMBER = 8
export const VARIADIC = 16

// An overload is written in words: its call, the call with `out`, what it returns, the names of several results, and its arguments as
// `name:letter`, flags, `*size`, `=default`. Overloads are separated by semicolons.
const TYPES: Readonly<Record<string, ArgType>> = {
  T: 'Tensor',
  S: 'Scalar',
  Y: 'ScalarType',
  D: 'Device',
  G: 'Generator',
  i: 'int',
  f: 'float',
  b: 'bool',
  s: 'str',
  L: 'Tensor[]',
  O: 'Tensor?[]',
  I: 'int[]',
  F: 'float[]',
  B: 'bool[]',
  C: 'Scalar[]',
}

/** There are a thousand of these, and a program needs a few: the text is read when it is first asked for. */
class Table implements Operator {
  readonly name: string
  readonly #text: string
  #overloads: readonly Overload[] | null = null

  constructor(name: string, text: string) {
    this.name = name
    this.#text = text
  }

  get overloads(): readonly Overload[] {
    return (this.#overloads ??= this.#text.split(';').map(readOverload))
  }
}

function readOverload(text: string): Overload {
  const [call, out, returns, fields, ...words] = text.split(' ')
  let variadic = false
  const args = words.map((word): Arg => {
    const [, name, letter, digits, size, def] = /^(\w+):(\w)(\d*)(?:\*(\d+))?(?:=(.*))?$/.exec(word)!
    const flags = Number(digits)
    variadic ||= (flags & VARIADIC) !== 0
    return {
      name: name!,
      type: TYPES[letter!]!,
      optional: (flags & OPTIONAL) !== 0,
      kwonly: (flags & KWONLY) !== 0,
      hasDefault: (flags & DEFAULT) !== 0,
      number: (flags & NUMBER) !== 0,
      size: Number(size ?? 0),
      def: def === undefined ? undefined : readDefault(def),
    }
  })
  return {
    call: Number(call),
    out: Number(out),
    returns: returns as Returns,
    fields: fields ? fields.split(',') : [],
    args,
    positional: args.filter((a) => !a.kwonly).length,
    variadic,
  }
}

const readDefault = (text: string): unknown => (text.endsWith('Infinity') ? Number(text) : JSON.parse(text))

/** The table of an operator, from the text that codegen/typescript.mjs writes. */
export const operator = (name: string, text: string): Operator => new Table(name, text)

// ---- what a value is -----------------------------------------------------------------------------------------------

export function isComplex(v: unknown): v is Complex {
  return (
    typeof v === 'object' &&
    v !== null &&
    typeof (v as Complex).re === 'number' &&
    typeof (v as Complex).im === 'number' &&
    !(v instanceof Tensor)
  )
}

export function isScalar(v: unknown): v is Scalar {
  return typeof v === 'number' || typeof v === 'bigint' || typeof v === 'boolean' || isComplex(v)
}

/** An options object: a plain object that is no complex number. */
export function isOptions(v: unknown): v is Record<string, unknown> {
  if (typeof v !== 'object' || v === null) return false
  const proto: unknown = Object.getPrototypeOf(v)
  return (proto === Object.prototype || proto === null) && !isComplex(v)
}

const isInt = (v: unknown): boolean => (typeof v === 'number' && Number.isInteger(v)) || typeof v === 'bigint' || isIndexTensor(v)
const isIndexTensor = (v: unknown): v is Tensor => v instanceof Tensor && v.ndim === 0 && /int/.test(v.dtype)
const isNumberTensor = (v: unknown): v is Tensor => v instanceof Tensor && v.ndim === 0 && !v.requires_grad

/** Of every item, holes of sparse arrays included, which Array.prototype.every passes over. */
function all(list: readonly unknown[], test: (item: unknown) => boolean): boolean {
  for (let i = 0; i < list.length; i++) if (!test(list[i])) return false
  return true
}

function accepts(arg: Arg, v: unknown): boolean {
  if (v === null) return arg.optional
  switch (arg.type) {
    case 'Tensor':
      return v instanceof Tensor || (arg.number && isScalar(v))
    case 'Scalar':
      return isScalar(v) || isNumberTensor(v)
    case 'ScalarType':
      return typeof v === 'string' && isDType(v)
    case 'Device':
      return v instanceof Device || (typeof v === 'string' && !isDType(v))
    case 'Generator':
      return v instanceof Generator
    case 'int':
      return isInt(v)
    case 'float':
      return typeof v === 'number' || typeof v === 'bigint' || isNumberTensor(v)
    case 'bool':
      return typeof v === 'boolean'
    case 'str':
      return typeof v === 'string'
    case 'Tensor[]':
      return Array.isArray(v) && all(v, (t) => t instanceof Tensor)
    case 'Tensor?[]':
      return Array.isArray(v) && all(v, (t) => t === null || t instanceof Tensor)
    case 'int[]':
      return Array.isArray(v) ? all(v, isInt) : arg.size > 0 && isInt(v)
    case 'bool[]':
      return Array.isArray(v) && all(v, (b) => typeof b === 'boolean')
    case 'float[]':
      return Array.isArray(v) ? all(v, (x) => typeof x === 'number' || typeof x === 'bigint') : arg.size > 0 && typeof v === 'number'
    case 'Scalar[]':
      return Array.isArray(v) && all(v, isScalar)
  }
}

const TYPE_WORDS: Record<ArgType, string> = {
  Tensor: 'Tensor',
  Scalar: 'Number',
  ScalarType: 'torch.dtype',
  Device: 'torch.device',
  Generator: 'torch.Generator',
  int: 'int',
  float: 'float',
  bool: 'bool',
  str: 'str',
  'Tensor[]': 'tuple of Tensors',
  'Tensor?[]': 'tuple of Tensors',
  'int[]': 'tuple of ints',
  'float[]': 'tuple of floats',
  'bool[]': 'tuple of bools',
  'Scalar[]': 'tuple of Scalars',
}

/** PyTorch's word for the type of a value. */
export function typeName(v: unknown): string {
  if (v === null) return 'NoneType'
  if (v === undefined) return 'undefined'
  if (v instanceof Tensor) return v.constructor.name === 'Parameter' ? 'Parameter' : 'Tensor'
  if (Array.isArray(v)) return 'list'
  if (isComplex(v)) return 'complex'
  switch (typeof v) {
    case 'number':
      return Number.isInteger(v) ? 'int' : 'float'
    case 'bigint':
      return 'int'
    case 'boolean':
      return 'bool'
    case 'string':
      return 'str'
    case 'function':
      return 'function'
    case 'object':
      return isOptions(v) ? 'dict' : (v.constructor?.name ?? 'object')
    default:
      return typeof v
  }
}

// ---- matching ------------------------------------------------------------------------------------------------------

const GIVEN_NOT = undefined

interface Match {
  values: unknown[]
  /** Where the results go, one Tensor each. */
  out: readonly Tensor[] | null
}
type Mismatch = () => TorchError

const keyOf = (arg: Arg, index: number): string => (index === 0 && arg.name === 'self' ? 'input' : arg.name)

function typeError(message: string): TorchError {
  return new TorchError(message, 'TypeError')
}

function describeBad(name: string, arg: Arg, index: number, v: unknown, position: number | null): TorchError {
  const where = `${name}(): argument '${keyOf(arg, index)}'${position === null ? '' : ` (position ${position})`} must be ${TYPE_WORDS[arg.type]}`
  if (Array.isArray(v) && arg.type.endsWith('[]')) {
    const item = {
      ...arg,
      type: arg.type === 'Tensor?[]' ? 'Tensor' : (arg.type.slice(0, -2) as ArgType),
      optional: arg.type === 'Tensor?[]',
      number: false,
    }
    const at = v.findIndex((x: unknown) => !accepts(item, x))
    if (at >= 0 && item.type === 'Tensor')
      return typeError(`expected Tensor as element ${at} in argument ${index}, but got ${typeName(v[at])}`)
    if (at >= 0) return typeError(`${where}, but found element of type ${typeName(v[at])} at pos ${at}`)
  }
  if (arg.type === 'ScalarType' && typeof v === 'string') return typeError(`${where}, not str '${v}'`)
  return typeError(`${where}, not ${typeName(v)}`)
}

/** The values of an overload's arguments from what was given, or what is wrong with it. `skip`: leading arguments that messages do not count. */
function match(
  name: string,
  o: Overload,
  given: readonly unknown[],
  options: Record<string, unknown> | null,
  skip: number,
): Match | Mismatch {
  const values: unknown[] = new Array(o.args.length).fill(GIVEN_NOT)
  let positional = given
  if (o.variadic && given.length >= o.positional) {
    const rest = given.slice(o.positional - 1)
    if (isInt(rest[0]) && rest.every(isInt)) positional = [...given.slice(0, o.positional - 1), rest]
  }
  if (positional.length > o.positional) {
    return () => {
      const max = o.positional - skip
      const count = given.length - skip
      const min = o.args.filter((a) => !a.kwonly && !a.hasDefault).length - skip
      const given_ = `but ${count} ${count === 1 ? 'was' : 'were'} given`
      if (min !== max) return typeError(`${name}() takes from ${min} to ${max} positional arguments ${given_}`)
      return typeError(`${name}() takes ${max} positional argument${max === 1 ? '' : 's'} ${given_}`)
    }
  }
  for (let i = 0; i < positional.length; i++) {
    const arg = o.args[i]!
    const v = positional[i]
    if (v === undefined) continue
    if (!accepts(arg, v)) return () => describeBad(name, arg, i, v, i + 1 - skip)
    values[i] = v
  }
  let out: readonly Tensor[] | null = null
  if (options) {
    for (const key of Object.keys(options)) {
      const v = options[key]
      if (v === undefined) continue
      if (key === 'out' && o.out >= 0) {
        if (v === null) continue
        if (o.returns === 'tuple') {
          if (!Array.isArray(v) || !v.every((t) => t instanceof Tensor))
            return () => typeError(`${name}(): argument 'out' must be tuple of Tensors, not ${typeName(v)}`)
          if (v.length !== o.fields.length) return () => typeError(`expected tuple of ${o.fields.length} elements but got ${v.length}`)
          out = v as Tensor[]
          continue
        }
        if (!(v instanceof Tensor)) return () => typeError(`${name}(): argument 'out' must be Tensor, not ${typeName(v)}`)
        out = [v]
        continue
      }
      const i = o.args.findIndex((a, at) => at >= skip && (a.name === key || keyOf(a, at) === key))
      if (i < 0) {
        return () => {
          const known = o.args.slice(skip).map((a, at) => keyOf(a, at + skip))
          if (o.out >= 0) known.push('out')
          return typeError(`${name}() got an unexpected keyword argument '${key}' (known: ${known.join(', ')})`)
        }
      }
      const arg = o.args[i]!
      if (values[i] !== undefined) return () => typeError(`${name}() got multiple values for argument '${key}'`)
      if (!accepts(arg, v)) return () => describeBad(name, arg, i, v, null)
      values[i] = v
    }
  }
  const missing = o.args.flatMap((a, i) => (values[i] === undefined && !a.hasDefault && !(a.kwonly && a.optional) ? [keyOf(a, i)] : []))
  if (missing.length > 0) {
    return () =>
      // The plural is PyTorch's.
      typeError(
        `${name}() missing ${missing.length} required positional argument${missing.length === 1 ? 's' : ''}: ${missing.map((m) => `"${m}"`).join(', ')}`,
      )
  }
  if (!BOTH_NUMBERS.has(name) && o.args.some((a) => a.number) && onlyNumbers(o, values)) {
    return () => invalidCombination({ name, overloads: numberForms(o) }, given, options, skip)
  }
  return { values, out }
}

/** Operators that take numbers alone, as PyTorch's parser has them; all others want one Tensor at least. */
const BOTH_NUMBERS: ReadonlySet<string> = new Set('add sub subtract mul multiply div divide true_divide floor_divide'.split(' '))

function onlyNumbers(o: Overload, values: readonly unknown[]): boolean {
  return o.args.every(
    (a, i) => a.type !== 'Tensor' || values[i] === undefined || values[i] === null || (a.number && !(values[i] instanceof Tensor)),
  )
}

/** The overload as PyTorch lists it: with Tensors, and with a number in the place of each argument that can be one. */
function numberForms(o: Overload): Overload[] {
  const withNumber = (k: number): Overload => ({
    ...o,
    args: o.args.map((a, i) => (i === k ? { ...a, type: 'Scalar', number: false } : { ...a, number: false })),
  })
  return [{ ...o, args: o.args.map((a) => ({ ...a, number: false })) }, ...o.args.flatMap((a, i) => (a.number ? [withNumber(i)] : []))]
}

function defaultText(v: unknown): string {
  if (v === null || v === undefined) return 'None'
  if (v === true) return 'True'
  if (v === false) return 'False'
  if (Array.isArray(v)) return `(${v.join(', ')})`
  return String(v)
}

function signatureText(o: Overload, skip: number): string {
  const parts: string[] = []
  let star = false
  o.args.forEach((a, i) => {
    if (i < skip) return
    if (a.kwonly && !star) {
      parts.push('*')
      star = true
    }
    const type = a.type === 'int[]' && a.size > 0 ? `tuple of ints` : TYPE_WORDS[a.type]
    parts.push(`${type} ${keyOf(a, i)}${a.hasDefault ? ` = ${defaultText(a.def)}` : ''}`)
  })
  if (o.out >= 0 && skip === 0) {
    if (!star) parts.push('*')
    parts.push(o.returns === 'tuple' ? 'tuple of Tensors out = None' : 'Tensor out = None')
  }
  return `(${parts.join(', ')})`
}

function invalidCombination(op: Operator, given: readonly unknown[], options: Record<string, unknown> | null, skip: number): TorchError {
  const got = [...given.slice(skip).map(typeName), ...Object.entries(options ?? {}).map(([k, v]) => `${k}=${typeName(v)}`)].join(', ')
  const head = `${op.name}() received an invalid combination of arguments - got (${got}), but expected `
  if (op.overloads.length === 1) return typeError(head + signatureText(op.overloads[0]!, skip))
  const lines = op.overloads.map((o) => {
    const marked = given.slice(skip).map((v, i) => {
      const arg = o.args[i + skip]
      const word = typeName(v)
      return arg && accepts(arg, v) ? word : `!${word}!`
    })
    const fits = given.length <= o.positional && marked.some((m) => m.startsWith('!'))
    const why =
      fits && marked.length > 0 ? `\n      didn't match because some of the arguments have invalid types: (${marked.join(', ')})` : ''
    return ` * ${signatureText(o, skip)}${why}\n`
  })
  return typeError(`${head}one of:\n${lines.join('')}`)
}

// ---- writing -------------------------------------------------------------------------------------------------------

let cursor = 0
const LONG_MIN_BITS = -0 // the bits of INT64_MIN, seen as a double: "none"
const encoder = new TextEncoder()

function reserve(slots: number): void {
  if (cursor + slots > host.f64.length) host.grow(cursor + slots)
}

function put(v: number): void {
  host.f64[cursor++] = v
}

function putInt(v: unknown): void {
  if (typeof v === 'number') {
    if (Number.isSafeInteger(v)) return put(v)
    v = BigInt(v as number)
  }
  const b = v as bigint
  if (b > -9007199254740992n && b < 9007199254740992n) return put(Number(b))
  if (b < -(1n << 63n) || b >= 1n << 64n) throw new TorchError('Overflow when unpacking long', 'RuntimeError')
  put(NaN)
  host.i64[cursor++] = BigInt.asIntN(64, b)
}

const SAFE = 2 ** 53

/** Kind and value of a number: an integer below 2^53 counts as an integer. */
function putScalar(v: unknown): void {
  if (v instanceof Floating) {
    put(3)
    put(v.value)
  } else if (typeof v === 'number') {
    if (Number.isInteger(v) && Math.abs(v) < SAFE) put(2)
    else put(3)
    put(v)
  } else if (typeof v === 'boolean') {
    put(1)
    put(v ? 1 : 0)
  } else if (typeof v === 'bigint') {
    put(2)
    putInt(v)
  } else {
    const c = v as Complex
    put(4)
    put(c.re)
    put(c.im)
  }
}

function putString(text: string): void {
  const bytes = encoder.encode(text)
  const slots = Math.ceil(bytes.length / 8)
  reserve(slots + 64)
  put(bytes.length)
  host.u8.set(bytes, cursor * 8)
  cursor += slots
}

function putArg(arg: Arg, value: unknown): void {
  const v = value === undefined ? arg.def : value
  reserve(8)
  const none = v === null || v === undefined
  switch (arg.type) {
    case 'Tensor':
    case 'Generator':
      if (none) return put(0)
      if (!arg.number || v instanceof Tensor) return put((v as Tensor).handle)
      put(-(cursor + 1)) // the number follows
      return putScalar(v)
    case 'int':
      if (!none) return putInt(v)
      put(NaN)
      return put(LONG_MIN_BITS)
    case 'float':
      if (arg.optional) {
        if (none) return put(0)
        put(3)
      }
      return put(Number(v))
    case 'Scalar':
      return none ? put(0) : putScalar(v)
    case 'bool':
      return put(none ? -1 : v ? 1 : 0)
    case 'ScalarType':
      return put(none ? -1 : dtypeIndex(v as string))
    case 'Device':
      return put(none ? -1 : deviceCode(v as string | Device))
    case 'str':
      return none ? put(-1) : putString(v as string)
    default: {
      if (none) return put(-1)
      const list = Array.isArray(v) ? (v as unknown[]) : new Array<unknown>(arg.size).fill(v)
      reserve(list.length * 2 + 8)
      put(list.length)
      for (const item of list) {
        if (arg.type === 'int[]') putInt(item)
        else if (arg.type === 'float[]') put(Number(item))
        else if (arg.type === 'bool[]') put(item ? 1 : 0)
        else if (arg.type === 'Scalar[]') putScalar(item)
        else put(item === null ? 0 : (item as Tensor).handle)
      }
    }
  }
}

/** A number that counts as a float even where it is whole. */
class Floating {
  constructor(readonly value: number) {}
}

const NUMERIC: ReadonlySet<ArgType> = new Set(['int', 'float', 'Scalar', 'int[]', 'float[]', 'Scalar[]'])

/** Tensors in the place of numbers, as numbers. */
function readNumber(v: unknown): unknown {
  if (Array.isArray(v)) return v.some((x) => x instanceof Tensor) ? v.map(readNumber) : v
  if (!(v instanceof Tensor)) return v
  const item: unknown = v.item()
  return typeof item === 'number' && /float/.test(v.dtype) ? new Floating(item) : item
}

/** Reading a tensor is a call of its own, so it has to be done before any argument is in the buffer. */
function readNumbers(o: Overload, values: unknown[]): void {
  for (let i = 0; i < o.args.length; i++) {
    const type = o.args[i]!.type
    if (!NUMERIC.has(type)) continue
    const v = readNumber(values[i])
    values[i] = v instanceof Floating && type === 'float' ? v.value : v
  }
}

/**
 * Calls the operator with arguments of any allowed kind. `skip`: 1 for methods, whose messages do not count `self`.
 */
export function invoke(op: Operator, skip: 0 | 1, args: ArrayLike<unknown>): unknown {
  let n = args.length
  while (n > 0 && args[n - 1] === undefined) n--
  const given: unknown[] = Array.prototype.slice.call(args, 0, n)
  const options = n > skip && isOptions(given[n - 1]) ? (given.pop() as Record<string, unknown>) : null
  let only: Mismatch | null = null
  let fallback: [Overload, Match] | null = null
  let plausible = 0
  const count = given.length + (options ? Object.keys(options).length : 0)
  for (const o of op.overloads) {
    const found = match(op.name, o, given, options, skip)
    if (typeof found === 'function') {
      const min = o.args.filter((a) => !a.kwonly && !a.hasDefault).length
      if (op.overloads.length === 1 || (count >= min && count <= o.args.length + (o.out >= 0 ? 1 : 0))) {
        plausible++
        only = found
      }
      continue
    }
    // A tensor in the place of a number is what PyTorch's parser tries last.
    if (!found.values.some((v, i) => v instanceof Tensor && o.args[i]!.type === 'Scalar')) return run(op.name, o, found)
    fallback ??= [o, found]
  }
  if (fallback) return run(op.name, ...fallback)
  if (op.overloads.length === 1 || plausible === 1) throw only!()
  if (plausible === 0) {
    const max = Math.max(...op.overloads.map((o) => o.positional))
    if (given.length > max) {
      const o = op.overloads.find((x) => x.positional === max)!
      const found = match(op.name, o, given, options, skip)
      if (typeof found === 'function') throw found()
    }
  }
  const unknown = unknownKey(op, options, skip)
  throw unknown ?? invalidCombination(op, given, options, skip)
}

function unknownKey(op: Operator, options: Record<string, unknown> | null, skip: number): TorchError | null {
  if (!options) return null
  const known = new Set(
    op.overloads.flatMap((o) => [...o.args.slice(skip).map((a, i) => keyOf(a, i + skip)), ...(o.out >= 0 ? ['out'] : [])]),
  )
  const bad = Object.keys(options).find((k) => !known.has(k) && k !== 'self')
  return bad === undefined ? null : typeError(`${op.name}() got an unexpected keyword argument '${bad}' (known: ${[...known].join(', ')})`)
}

function run(name: string, o: Overload, found: Match): unknown {
  readNumbers(o, found.values)
  cursor = 0
  for (const t of found.out ?? []) put(t.handle)
  for (let i = 0; i < o.args.length; i++) putArg(o.args[i]!, found.values[i])
  if (found.out) return finishOut(host.call(o.out), found.out, name, o.fields)
  // In place, the tensor that is written is the first one: polygamma_(n, self).
  const self = o.returns === 'self' ? found.values.find((v) => v instanceof Tensor) : undefined
  return finish(host.call(o.call), o.returns, o.fields, self, name)
}

/** The arguments of a method whose `self` is not the first of the function's arguments: polygamma(n, self). */
export function withSelf(args: unknown[], at: number, self: Tensor): unknown[] {
  const options = isOptions(args.at(-1)) ? (args.pop() as Record<string, unknown>) : null
  if (args.length < at) return [...args, { ...options, self }]
  args.splice(at, 0, self)
  return options ? [...args, options] : args
}

/** A method was called with more arguments than any of its forms has, an options object included. */
export function tooMany(name: string, max: number, given: number): never {
  throw typeError(`${name}() takes ${max} positional argument${max === 1 ? '' : 's'} but ${given} ${given === 1 ? 'was' : 'were'} given`)
}
