// The seam between the package and the engine: results of calls become tensors, numbers and named results; failures become TorchErrors.
// Every call is: write the arguments to the host's buffer, host.call(index), read the result at once (the next call uses the buffer again).
import { Tensor } from '../tensor.js'
import type { Complex, Scalar } from '../types/dtype.js'
import { BUILTIN } from '../generated/calls.js'
import { TorchError } from './errors.js'
import { host } from './host.js'

export type Returns = 'tensor' | 'self' | 'tuple' | 'list' | 'scalar' | 'void'

/** Throws the engine's error of the call just made. */
export function fail(): never {
  const error = host.error()
  throw new TorchError(error.message, error.name)
}

// ---- scopes --------------------------------------------------------------------------------------------------------

/** An open torch.scope: it frees what was made since it began, so the collector need not know of those tensors until they leave it. */
export class Scope {
  readonly tensors: Tensor[] = []
  /** It waits for a promise, which may never settle: the collector knows of its tensors after all. */
  waiting = false
  constructor(readonly outer: Scope | null) {}

  /** Hands over a tensor that lives on: to the scope around this one, or to the collector. */
  release(t: Tensor): void {
    if (this.outer) this.outer.tensors.push(t)
    else if (!this.waiting) host.track(t, t.handle)
  }

  wait(): void {
    this.waiting = true
    for (const t of this.tensors) host.track(t, t.handle)
  }
}

/** The innermost scope; null outside of all. */
export let innermost: Scope | null = null
/** Returns the scope before. */
export function setScope(scope: Scope | null): Scope | null {
  const before = innermost
  innermost = scope
  return before
}

// ---- results -------------------------------------------------------------------------------------------------------

export function wrap(handle: number): Tensor {
  if (handle <= 0) fail()
  return new Tensor(handle)
}

/** A tensor, or null where the engine has none (and that is no error). */
export function wrapOptional(handle: number): Tensor | null {
  return handle > 0 ? new Tensor(handle) : null
}

/** The first `count` slots as tensors. The handles are read before any is wrapped: wrapping may call the engine. */
export function wrapSlots(count: number): Tensor[] {
  const handles = Array.from(host.f64.subarray(0, count))
  return handles.map((handle) => new Tensor(handle))
}

export type Results<Fields> = Readonly<Fields> & { [Symbol.iterator](): IterableIterator<Fields[keyof Fields]> }

class ResultFields {
  readonly #name: string
  constructor(name: string) {
    this.#name = name
  }
  toString(): string {
    const fields = Object.entries(this).map(([key, value]) => `${key}=${String(value)}`)
    return `torch.return_types.${this.#name}(\n${fields.join(',\n')})`
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }
  *[Symbol.iterator](): IterableIterator<unknown> {
    yield* Object.values(this)
  }
}

/** Several results: one object with their names, which also iterates in order and prints as PyTorch's torch.return_types do. */
export function named(name: string, fields: readonly string[], values: readonly unknown[]): Results<Record<string, unknown>> {
  const result = new ResultFields(name) as unknown as Record<string, unknown>
  fields.forEach((field, i) => {
    result[field] = values[i]
  })
  return result as Results<Record<string, unknown>>
}

/** An int in the buffer: a double, or NaN and 64 bits. Returns the value; `slots.at` moves on. */
const slots = { at: 0 }
function takeInt(): number | bigint {
  const v = host.f64[slots.at++]!
  return v === v ? v : host.i64[slots.at++]!
}

/** The scalar that a call returned with this kind. */
export function readScalar(kind: number): number | bigint | boolean | Complex {
  const f = host.f64
  switch (kind) {
    case 1:
      return f[0] !== 0
    case 2:
      slots.at = 0
      return takeInt()
    case 3:
      return f[0]!
    case 4:
      return { re: f[0]!, im: f[1]! }
    default:
      return fail()
  }
}

export function readInts(count: number): number[] {
  if (count < 0) fail()
  slots.at = 0
  const f = host.f64
  const list = new Array<number>(count)
  for (let i = 0; i < count; i++) {
    const v = f[slots.at]!
    if (v === v) {
      list[i] = v
      slots.at++
    } else {
      list[i] = Number(takeInt())
    }
  }
  return list
}

export function finish(result: number, returns: Returns, fields: readonly string[], self: unknown, name: string): unknown {
  switch (returns) {
    case 'tensor':
      return wrap(result)
    case 'self':
      if (result <= 0) fail()
      return self
    case 'tuple': {
      if (result <= 0) fail()
      return tuple(fields, name)
    }
    case 'list':
      if (result < 0) fail()
      return wrapSlots(result)
    case 'scalar':
      return readScalar(result)
    case 'void':
      if (result <= 0) fail()
      return undefined
  }
}

function tuple(fields: readonly string[], name: string): unknown {
  const tensors = wrapSlots(fields.length)
  return fields[0]!.startsWith('result') ? tensors : named(name, fields, tensors)
}

export function finishOut(result: number, out: readonly Tensor[], name: string, fields: readonly string[]): unknown {
  if (result <= 0) fail()
  return fields.length > 0 ? named(name, fields, out) : out[0]
}

// ---- what generated functions use ----------------------------------------------------------------------------------

/** A number in the place of a Tensor, written from slot `at` on, behind all arguments: what to write in the Tensor's slot. */
export function writeNumber(at: number, v: number): number {
  const f = host.f64
  f[at] = Number.isSafeInteger(v) ? 2 : 3
  f[at + 1] = v
  return -at
}

/** Releases handles, and those of tensors, in one call; 0 and those released before are passed over. */
export function freeHandles(list: readonly (number | Tensor)[]): void {
  const n = list.length
  if (n === 0) return
  if (n >= host.f64.length) host.grow(n + 1)
  const f = host.f64
  f[0] = n
  for (let i = 0; i < n; i++) {
    const t = list[i]!
    f[i + 1] = typeof t === 'number' ? t : t.handle
  }
  host.call(BUILTIN.free)
}

/**
 * Writes a list of safe ints from slot `at`, its count first; an int in its place stands for `size` copies. The next free slot, or -1 if an item
 * is no safe int.
 */
export function writeInts(at: number, list: unknown, size = 1): number {
  if (!Array.isArray(list)) {
    const f = host.f64
    f[at++] = size
    for (let i = 0; i < size; i++) f[at++] = list as number
    return at
  }
  const n = list.length
  if (at + n + 64 > host.f64.length) host.grow(at + n + 64)
  const f = host.f64
  f[at++] = n
  for (let i = 0; i < n; i++) {
    const v: unknown = list[i]
    if (!Number.isSafeInteger(v)) return -1
    f[at++] = v as number
  }
  return at
}

/** Writes a list of tensors from slot `at`; the next free slot, or -1 if an item is no Tensor. */
export function writeTensors(at: number, list: readonly unknown[]): number {
  const n = list.length
  if (at + n + 64 > host.f64.length) host.grow(at + n + 64)
  const f = host.f64
  f[at++] = n
  for (let i = 0; i < n; i++) {
    const v = list[i]
    if (!(v instanceof Tensor)) return -1
    f[at++] = v.handle
  }
  return at
}

// ---- builtin calls -------------------------------------------------------------------------------------------------

/**
 * A call whose arguments are doubles (handles, small ints, bools, floats). One that is not there is written too, as NaN: what an earlier call left
 * in its place could be the handle of another tensor.
 */
export function builtin(index: number, a?: number, b?: number, c?: number): number {
  const f = host.f64
  f[0] = a as number
  f[1] = b as number
  f[2] = c as number
  return host.call(index)
}

export function builtinBool(index: number, a?: number, b?: number, c?: number): boolean {
  return readScalar(builtin(index, a, b, c)) as boolean
}

export function builtinInt(index: number, a?: number, b?: number): number {
  return Number(readScalar(builtin(index, a, b)))
}

export function builtinVoid(index: number, a?: number, b?: number, c?: number): void {
  if (builtin(index, a, b, c) <= 0) fail()
}

/** Arguments of a builtin call with lists and texts, written one after another. */
export class Arguments {
  at = 0
  number(v: number): this {
    if (this.at + 8 > host.f64.length) host.grow(this.at + 8)
    host.f64[this.at++] = v
    return this
  }
  int(v: number | bigint): this {
    if (typeof v === 'number' && Number.isSafeInteger(v)) return this.number(v)
    this.number(NaN)
    host.i64[this.at++] = BigInt.asIntN(64, BigInt(v))
    return this
  }
  /** Kind and value. */
  scalar(v: Scalar): this {
    if (typeof v === 'number') return this.number(Number.isSafeInteger(v) ? 2 : 3).number(v)
    if (typeof v === 'boolean') return this.number(1).bool(v)
    if (typeof v === 'bigint') return this.number(2).int(v)
    return this.number(4).number(v.re).number(v.im)
  }
  /** A tensor, or a number in its place, which follows. */
  operand(v: Tensor | Scalar): this {
    return v instanceof Tensor ? this.number(v.handle) : this.number(-(this.at + 1)).scalar(v)
  }
  bool(v: boolean): this {
    return this.number(v ? 1 : 0)
  }
  numbers(list: readonly number[]): this {
    if (this.at + list.length + 8 > host.f64.length) host.grow(this.at + list.length + 8)
    host.f64[this.at++] = list.length
    for (const v of list) host.f64[this.at++] = v
    return this
  }
  tensors(list: readonly (Tensor | null | undefined)[]): this {
    return this.numbers(list.map((t) => (t ? t.handle : 0)))
  }
  text(v: string): this {
    const bytes = new TextEncoder().encode(v)
    const count = Math.ceil(bytes.length / 8)
    if (this.at + count + 8 > host.f64.length) host.grow(this.at + count + 8)
    host.f64[this.at++] = bytes.length
    host.u8.set(bytes, this.at * 8)
    this.at += count
    return this
  }
  call(index: number): number {
    return host.call(index)
  }
}
