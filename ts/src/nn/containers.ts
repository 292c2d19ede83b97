// Modules that hold other modules or parameters.

import type { DeviceType, DType } from '../types/dtype.js'
import type { Forward, SequentialRule } from '../types/modules.js'
import type { Shape } from '../types/shapes.js'
import { Tensor } from '../tensor.js'
import { indexError, keyError, typeError } from './errors.js'
import { Module, type Member } from './module.js'
import { Parameter } from './parameter.js'
import { indent, isPlainObject, pythonRepr, typeName } from './text.js'

/** Modules by name, in order: a plain object, a Map, a ModuleDict or an iterable of pairs. */
export type ModuleEntries = Readonly<Record<string, Module>> | Iterable<readonly [string, Module]>

/** index from the end when negative; throws an IndexError when out of range */
function checkedIndex(index: number, length: number): number {
  if (!Number.isInteger(index)) throw typeError(`'${typeName(index)}' object cannot be interpreted as an integer`)
  if (index < -length || index >= length) throw indexError(`index ${index} is out of range`)
  return index < 0 ? index + length : index
}

function checkModule(module: unknown): asserts module is Module {
  if (!(module instanceof Module)) throw typeError(`${typeName(module)} is not a Module subclass`)
}

/** A list of modules under the names '0', '1', ... or names of their own; the base of Sequential and ModuleList. */
abstract class ModuleSequence extends Module {
  /** In a private map, because JavaScript sorts keys like '0' before all others. */
  #items = new Map<string, Module>();

  override *members(): IterableIterator<[string, Member]> {
    // The base class's constructor may ask before the field is there.
    for (const [name, value] of this.#items) yield [name, { kind: 'module', value }]
    yield* super.members()
  }

  /** How many modules there are. */
  get length(): number {
    return this.#items.size
  }

  /** The module at an index (negative: from the end). Throws an IndexError when out of range. */
  get(index: number): Module {
    return [...this.#items.values()][checkedIndex(index, this.length)] as Module
  }

  /** Puts a module in the place of the one at an index. */
  set(index: number, module: Module): void {
    checkModule(module)
    const name = [...this.#items.keys()][checkedIndex(index, this.length)] as string
    this.#items.set(name, module)
  }

  override replace_member(name: string, value: Tensor | Module | null): void {
    if (this.#items.has(name) && value instanceof Module) this.#items.set(name, value)
    else super.replace_member(name, value)
  }

  override add_module(name: string, module: Module | null): void {
    if (module === null) {
      super.add_module(name, module)
      return
    }
    checkModule(module)
    if (typeof name !== 'string') throw typeError(`module name should be a string. Got ${typeName(name)}`)
    if (name.includes('.')) throw keyError(`module name can't contain ".", got: ${name}`)
    if (name === '') throw keyError(`module name can't be empty string ""`)
    if (name in this && !this.#items.has(name) && !/^\d+$/.test(name)) throw keyError(`attribute '${name}' already exists`)
    this.#items.set(name, module)
  }

  /** Adds a module at the end. Throws a TypeError for what is no Module. */
  append(module: Module): this {
    checkModule(module)
    this.add_module(String(this.length), module)
    return this
  }

  /** Adds all of `modules` at the end. */
  extend(modules: Iterable<Module>): this {
    if (typeof (modules as Iterable<Module> | undefined)?.[Symbol.iterator] !== 'function') {
      throw typeError(`${this.constructor.name}.extend should be called with an iterable, but got ${typeName(modules)}`)
    }
    for (const module of [...modules]) this.append(module)
    return this
  }

  /** Puts a module before the one at `index`; those after it move up. */
  insert(index: number, module: Module): this {
    checkModule(module)
    const n = this.length
    if (index < -n || index > n) throw indexError(`Index out of range: ${index}`)
    this.#replaceAll((list) => list.splice(index < 0 ? index + n : index, 0, module))
    return this
  }

  /** Takes the module at `index` (the last one by default) out and returns it. */
  pop(index = -1): Module {
    const at = checkedIndex(index, this.length)
    const module = this.get(at)
    this.#replaceAll((list) => list.splice(at, 1))
    return module
  }

  /** Takes the module at `index` out. */
  delete(index: number): void {
    this.pop(index)
  }

  /** Changes the list and numbers it anew; names that are not numbers stay with their modules. */
  #replaceAll(change: (list: Module[]) => void): void {
    const names = new Map([...this.#items].filter(([name]) => !/^\d+$/.test(name)).map(([name, module]) => [module, name]))
    const list = [...this.#items.values()]
    change(list)
    this.#items = new Map(list.map((module, i) => [names.get(module) ?? String(i), module]))
  }

  /** The modules of a slice, in a new container of the same class. */
  protected sliceEntries(start?: number, end?: number): [string, Module][] {
    return [...this.#items].slice(start, end)
  }

  /** @internal */
  protected get items(): ReadonlyMap<string, Module> {
    return this.#items
  }

  [Symbol.iterator](): IterableIterator<Module> {
    return this.#items.values()
  }
}

/**
 * Modules one after another: each gets what the one before returned. `new Sequential(a, b)` names them '0', '1'; an object or a Map of
 * modules gives names.
 *
 * ```ts
 * const net = new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Linear(8, 2))
 * net.forward(x)  // x: [..., 4], result [..., 2]
 * ```
 * Throws a TypeError for what is no Module.
 */
export class Sequential<const Modules extends readonly Module[] = readonly Module[]> extends ModuleSequence {
  /** @internal */
  declare readonly shape_rule?: SequentialRule & { readonly modules: Modules }

  constructor(entries: Readonly<Record<string, Module>> | ReadonlyMap<string, Module>)
  constructor(...modules: Modules)
  constructor(...modules: readonly unknown[]) {
    super()
    const [first] = modules
    if (modules.length === 1 && first instanceof Map)
      for (const [name, module] of first as ReadonlyMap<string, Module>) this.add_module(name, module)
    else if (modules.length === 1 && isPlainObject(first))
      for (const [name, module] of Object.entries(first)) this.add_module(name, module as Module)
    else for (const module of modules as Module[]) this.append(module)
  }

  /** The first module gets all arguments, each of the others what the one before it returned. */
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(...args: Tensor[]): Tensor
  override forward(...args: unknown[]): unknown
  override forward(...args: unknown[]): unknown {
    let values = args
    for (const module of this) values = [module.forward(...values)]
    return values[0]
  }

  /** The modules from `start` to before `end`, under their names, in a new Sequential. */
  slice(start?: number, end?: number): Sequential {
    return new Sequential(new Map(this.sliceEntries(start, end)))
  }
}

/** A list of modules that are called by hand. `new ModuleList([a, b])`; `list.get(0)`, `for (const m of list)`. */
export class ModuleList extends ModuleSequence {
  constructor(modules?: Iterable<Module> | null) {
    super()
    if (modules !== undefined && modules !== null) this.extend(modules)
  }

  /** The modules from `start` to before `end` in a new ModuleList. */
  slice(start?: number, end?: number): ModuleList {
    return new ModuleList(this.sliceEntries(start, end).map(([, module]) => module))
  }

  /** This list and another, in a new one. */
  concat(other: Iterable<Module>): ModuleList {
    return new ModuleList([...this, ...other])
  }

  /** Equal modules that follow one another are told once: `(0-2): 3 x Linear(...)`. */
  override toString(): string {
    const runs: { first: number; last: number; text: string }[] = []
    ;[...this].forEach((module, i) => {
      const text = module.toString()
      const run = runs[runs.length - 1]
      if (run?.text === text) run.last = i
      else runs.push({ first: i, last: i, text })
    })
    if (runs.length === 0) return `${this.repr_name()}()`
    const lines = runs.map(({ first, last, text }) =>
      indent(first === last ? `(${first}): ${text}` : `(${first}-${last}): ${last - first + 1} x ${text}`, 2),
    )
    return `${this.repr_name()}(\n  ${lines.join('\n  ')}\n)`
  }
}

/** Modules by name, with the methods of a Map. `new ModuleDict({ conv, act })`. */
export class ModuleDict extends Module {
  #items = new Map<string, Module>()

  constructor(modules?: ModuleEntries | null) {
    super()
    if (modules !== undefined && modules !== null) this.update(modules)
  }

  override *members(): IterableIterator<[string, Member]> {
    for (const [name, value] of this.#items) yield [name, { kind: 'module', value }]
    yield* super.members()
  }

  override replace_member(name: string, value: Tensor | Module | null): void {
    if (this.#items.has(name) && value instanceof Module) this.#items.set(name, value)
    else super.replace_member(name, value)
  }

  get size(): number {
    return this.#items.size
  }
  /** The module under a name. Throws a KeyError when there is none. */
  get(name: string): Module {
    const module = this.#items.get(name)
    if (!module) throw keyError(`'${name}'`)
    return module
  }
  /** Puts a module under a name. Throws a TypeError for what is no Module. */
  set(name: string, module: Module): this {
    this.add_module(name, module)
    return this
  }
  override add_module(name: string, module: Module | null): void {
    if (module === null) {
      super.add_module(name, module)
      return
    }
    checkModule(module)
    if (typeof name !== 'string') throw typeError(`module name should be a string. Got ${typeName(name)}`)
    if (name.includes('.')) throw keyError(`module name can't contain ".", got: ${name}`)
    if (name === '') throw keyError(`module name can't be empty string ""`)
    this.#items.set(name, module)
  }
  has(name: string): boolean {
    return this.#items.has(name)
  }
  /** Takes the module away; whether there was one. */
  delete(name: string): boolean {
    return this.#items.delete(name)
  }
  /** Takes the module away and returns it. Throws a KeyError when there is none. */
  pop(name: string): Module {
    const module = this.get(name)
    this.#items.delete(name)
    return module
  }
  clear(): void {
    this.#items.clear()
  }
  /** Adds all modules of an object, a Map or pairs. */
  update(modules: ModuleEntries): this {
    for (const [name, module] of entriesOf(modules, 'ModuleDict')) this.set(name, module as Module)
    return this
  }
  keys(): IterableIterator<string> {
    return this.#items.keys()
  }
  values(): IterableIterator<Module> {
    return this.#items.values()
  }
  entries(): IterableIterator<[string, Module]> {
    return this.#items.entries()
  }
  [Symbol.iterator](): IterableIterator<[string, Module]> {
    return this.#items.entries()
  }
}

function entriesOf(value: unknown, name: string): Iterable<readonly [string, unknown]> {
  if (isPlainObject(value)) return Object.entries(value)
  if (typeof (value as Iterable<unknown> | null)?.[Symbol.iterator] !== 'function') {
    throw typeError(`${name}.update should be called with an iterable of key/value pairs, but got ${typeName(value)}`)
  }
  return value as Iterable<readonly [string, unknown]>
}

/** What a parameter container may hold: tensors become parameters, anything else is kept as it is. */
export type ParameterValue = Tensor | string | number | boolean | null | object

/** A tensor as a parameter of a container. */
function asParameter(value: unknown): unknown {
  return value instanceof Tensor && !(value instanceof Parameter) ? new Parameter(value) : value
}

abstract class ParameterContainer extends Module {
  protected readonly entriesByName = new Map<string, unknown>();

  override *members(): IterableIterator<[string, Member]> {
    for (const [name, value] of this.entriesByName) {
      if (value instanceof Parameter) yield [name, { kind: 'parameter', value }]
      else if (value instanceof Module) yield [name, { kind: 'module', value }]
    }
    for (const entry of super.members()) if (entry[0] !== 'entriesByName') yield entry
  }

  override replace_member(name: string, value: Tensor | Module | null): void {
    if (this.entriesByName.has(name)) this.entriesByName.set(name, value)
    else super.replace_member(name, value)
  }

  override register_parameter(name: string, parameter: Parameter | null): void {
    if (parameter !== null && !(parameter instanceof Parameter)) {
      throw typeError(`cannot assign '${typeName(parameter)}' object to parameter '${name}' (torch.nn.Parameter or None required)`)
    }
    this.entriesByName.set(name, parameter)
  }

  /** PyTorch names a tensor's dtype in a list and its type in a dict. */
  protected text(kind: (t: Tensor) => string): string {
    const lines = [...this.entriesByName].map(([name, value]) => {
      if (!(value instanceof Tensor))
        return `(${name}): Object of type: ${value instanceof Module ? value.constructor.name : typeName(value)}`
      const word = value instanceof Parameter ? 'Parameter' : 'Tensor'
      return `(${name}): ${word} containing: [${kind(value)} of size ${value.shape.join('x')}]`
    })
    return lines.length === 0 ? `${this.repr_name()}()` : `${this.repr_name()}(\n    ${lines.join('\n    ')}\n)`
  }
}

/** A list of parameters. Tensors become parameters; other values are kept but are no part of the state. */
export class ParameterList extends ParameterContainer {
  constructor(values?: Iterable<ParameterValue> | null) {
    super()
    if (values !== undefined && values !== null) this.extend(values)
  }

  get length(): number {
    return this.entriesByName.size
  }
  /** The value at an index (negative: from the end). Throws an IndexError when out of range. */
  get(index: number): Parameter {
    return this.entriesByName.get(String(checkedIndex(index, this.length))) as Parameter
  }
  /** Puts a value at an index. */
  set(index: number, value: ParameterValue): void {
    this.entriesByName.set(String(checkedIndex(index, this.length)), asParameter(value))
  }
  append(value: ParameterValue): this {
    this.entriesByName.set(String(this.length), asParameter(value))
    return this
  }
  extend(values: Iterable<ParameterValue>): this {
    if (typeof values !== 'object' || values === null || values instanceof Tensor || typeof values[Symbol.iterator] !== 'function') {
      throw typeError(
        `ParameterList.extend should be called with an iterable, but got ${values instanceof Tensor ? 'Tensor' : typeName(values)}`,
      )
    }
    for (const value of [...values]) this.append(value)
    return this
  }
  [Symbol.iterator](): IterableIterator<Parameter> {
    return this.entriesByName.values() as IterableIterator<Parameter>
  }
  override toString(): string {
    return this.text((t) => `torch.${t.dtype}`)
  }
}

/** Parameters by name, with the methods of a Map. Tensors become parameters; other values are kept but are no part of the state. */
export class ParameterDict extends ParameterContainer {
  constructor(parameters?: Readonly<Record<string, ParameterValue>> | Iterable<readonly [string, ParameterValue]> | null) {
    super()
    if (parameters !== undefined && parameters !== null) this.update(parameters)
  }

  get size(): number {
    return this.entriesByName.size
  }
  /** The value under a name. Throws a KeyError when there is none. */
  get(name: string): Parameter {
    if (!this.entriesByName.has(name)) throw keyError(pythonRepr(name))
    return this.entriesByName.get(name) as Parameter
  }
  set(name: string, value: ParameterValue): this {
    if (typeof name !== 'string') {
      throw typeError(
        `Index given to ParameterDict cannot be used as a key as it is not a string (type is '${typeName(name)}'). Open an issue on github if you need non-string keys.`,
      )
    }
    this.entriesByName.set(name, asParameter(value))
    return this
  }
  has(name: string): boolean {
    return this.entriesByName.has(name)
  }
  delete(name: string): boolean {
    return this.entriesByName.delete(name)
  }
  /** Takes the value away and returns it. Throws a KeyError when there is none. */
  pop(name: string): Parameter {
    const value = this.get(name)
    this.entriesByName.delete(name)
    return value
  }
  clear(): void {
    this.entriesByName.clear()
  }
  update(parameters: Readonly<Record<string, ParameterValue>> | Iterable<readonly [string, ParameterValue]>): this {
    for (const [name, value] of entriesOf(parameters, 'ParameterDict')) this.set(name, value as ParameterValue)
    return this
  }
  keys(): IterableIterator<string> {
    return this.entriesByName.keys()
  }
  values(): IterableIterator<Parameter> {
    return this.entriesByName.values() as IterableIterator<Parameter>
  }
  entries(): IterableIterator<[string, Parameter]> {
    return this.entriesByName.entries() as IterableIterator<[string, Parameter]>
  }
  [Symbol.iterator](): IterableIterator<[string, Parameter]> {
    return this.entries()
  }
  override toString(): string {
    return this.text((t) => typeName(t))
  }
}
