// nn.Module: the tree of parameters, buffers and modules, and the call with hooks.

import { Tensor } from '../tensor.js'
import { no_grad } from '../autograd/modes.js'
import type { DeviceInput } from '../device.js'
import { isDType } from '../dtype.js'
import { TorchError } from '../runtime/errors.js'
import { isOnDevice, readTensor } from '../webgpu/reading.js'
import { setScope } from '../runtime/call.js'
import type { DType } from '../types/dtype.js'
import type { CallResult } from '../types/modules.js'
import { applyBackwardHooks } from './backward_hooks.js'
import { attributeError, keyError, notImplementedError, typeError, valueError } from './errors.js'
import {
  bufferRegistrationHooks,
  globalHooks,
  ModuleHooks,
  moduleRegistrationHooks,
  parameterRegistrationHooks,
  type BackwardHook,
  type BackwardPreHook,
  type ForwardHook,
  type ForwardPreHook,
  type HookOptions,
  type RemovableHandle,
} from './hooks.js'
import { Buffer, Parameter } from './parameter.js'
import { loadStateDict, type IncompatibleKeys, type StateDict } from './state_dict.js'
import { indent, isPlainObject, typeName } from './text.js'

/** What a module holds under a name. */
export type Member =
  | { readonly kind: 'parameter'; readonly value: Parameter | null }
  | { readonly kind: 'buffer'; readonly value: Tensor | null; readonly persistent: boolean }
  | { readonly kind: 'module'; readonly value: Module | null }

interface Slot {
  readonly kind: Member['kind']
  value: Tensor | Module | null
  persistent: boolean
  /** Not among the object's own keys: names like '0', which JavaScript would sort before all others. */
  readonly hidden: boolean
}

/** The arguments and the result of a module's forward. */
export type ForwardArguments<M extends Module> = Parameters<M['forward']>
export type ForwardResult<M extends Module> = ReturnType<M['forward']>

type Forward = (this: Module, ...args: unknown[]) => unknown

const wrappedPrototypes = new WeakSet<object>()
/** A wrapper's own forward, without hooks. */
const plainForward = new WeakMap<object, Forward>()

/**
 * Base class of all networks. Fields that hold a `Parameter`, a `Buffer` or a `Module` belong to the module by being there, in the order in
 * which they were defined; assigning another one replaces it.
 *
 * ```ts
 * class Net extends torch.nn.Module {
 *   fc = new torch.nn.Linear(4, 2)
 *   forward(x: torch.Tensor) { return this.fc.forward(x) }
 * }
 * ```
 *
 * `forward(x)` and `call(x)` are the same call: both run the module's hooks, each once. (`super.forward(x)` runs none.)
 */
export class Module {
  /** Whether the module trains; dropout and batch normalisation behave accordingly. Set by `train()` and `eval()`. */
  training = true
  /** What forward does to the shape of its input, for the compiler alone. */
  declare readonly shape_rule?: unknown
  #slots: Map<string, Slot> | null = null
  #hooks: ModuleHooks | null = null
  /** What the registration hooks have seen. */
  #announced: Map<string, unknown> | null = null

  constructor() {
    wrapForward(new.target.prototype as object)
  }

  // ---- the call ----------------------------------------------------------------------------------------------------

  /** What the module computes; every subclass defines it. A NotImplementedError says so when it does not. */
  forward(..._args: unknown[]): unknown {
    throw notImplementedError(`Module [${this.constructor.name}] is missing the required "forward" function`)
  }

  /** Runs forward with its hooks: the same as `forward(...)`. */
  call<M extends Module, const Args extends Parameters<M['forward']>>(this: M, ...args: Args): CallResult<M, Args>
  call(...args: unknown[]): unknown {
    const own: Forward = this.forward
    const plain = plainForward.get(own)
    if (plain) return own.apply(this, args)
    return Module.run(this, own, args)
  }

  /** @internal The forward of a class, which runs no hooks. */
  static plain_forward(prototype: object): (...args: unknown[]) => unknown {
    const own = (prototype as Module).forward as Forward
    return plainForward.get(own) ?? own
  }

  /** @internal Runs `forward` between the hooks. */
  static run(module: Module, forward: Forward, args: unknown[]): unknown {
    const own = module.#hooks
    if (globalHooks.size === 0 && (own === null || own.size === 0)) return forward.apply(module, args)
    return runWithHooks(module, own, forward, args)
  }

  /** Runs `hook(module, args)` before forward. */
  register_forward_pre_hook(hook: ForwardPreHook<this>, options: HookOptions = {}): RemovableHandle {
    return this.#ownHooks().forward_pre.add(hook, options)
  }

  /** Runs `hook(module, args, output)` after forward. */
  register_forward_hook(hook: ForwardHook<this>, options: HookOptions = {}): RemovableHandle {
    return this.#ownHooks().forward.add(hook, options)
  }

  /** Runs `hook(module, grad_input, grad_output)` when the gradients of the module's inputs have been computed. */
  register_full_backward_hook(hook: BackwardHook<this>, options: Pick<HookOptions, 'prepend'> = {}): RemovableHandle {
    return this.#ownHooks().backward.add(hook, options)
  }

  /** Runs `hook(module, grad_output)` before the gradients go through the module. */
  register_full_backward_pre_hook(hook: BackwardPreHook<this>, options: Pick<HookOptions, 'prepend'> = {}): RemovableHandle {
    return this.#ownHooks().backward_pre.add(hook, options)
  }

  /** PyTorch's older name; the same as `register_full_backward_hook`. */
  register_backward_hook(hook: BackwardHook<this>): RemovableHandle {
    return this.#ownHooks().backward.add(hook)
  }

  #ownHooks(): ModuleHooks {
    // A forward that is a field (an arrow function) has no prototype to be wrapped in.
    if (Object.hasOwn(this, 'forward') && !plainForward.has(this.forward)) {
      const wrapper = makeWrapper(this.forward as Forward, () => true)
      Object.defineProperty(this, 'forward', { value: wrapper, writable: true, configurable: true })
    }
    return (this.#hooks ??= new ModuleHooks())
  }

  // ---- members -----------------------------------------------------------------------------------------------------

  /** @internal The module's own parameters, buffers and modules by name, in order. */
  *members(): IterableIterator<[string, Member]> {
    const slots = this.#slots
    const announce = parameterRegistrationHooks.size + bufferRegistrationHooks.size + moduleRegistrationHooks.size > 0
    for (const name of Object.keys(this)) {
      let value = (this as Record<string, unknown>)[name]
      const slot = slots?.get(name)
      if (announce && (value instanceof Tensor || value instanceof Module)) value = this.#announce(name, value)
      if (value instanceof Module) yield [name, { kind: 'module', value }]
      else if (value instanceof Parameter) yield [name, { kind: 'parameter', value }]
      else if (slot?.kind === 'buffer' && (value === null || value instanceof Tensor)) {
        yield [name, { kind: 'buffer', value, persistent: slot.persistent }]
      } else if (value instanceof Buffer) yield [name, { kind: 'buffer', value, persistent: value.persistent }]
      else if (slot && value === null) yield [name, { kind: slot.kind, value: null } as Member]
    }
    if (slots)
      for (const [name, slot] of slots)
        if (slot.hidden) yield [name, { kind: slot.kind, value: slot.value, persistent: slot.persistent } as Member]
  }

  /** Shows a field to the registration hooks, once for each value. */
  #announce(name: string, value: Tensor | Module): unknown {
    const seen = (this.#announced ??= new Map<string, unknown>())
    if (seen.get(name) === value) return value
    let result: Tensor | Module = value
    if (value instanceof Module) {
      for (const { hook } of moduleRegistrationHooks.entries()) result = hook(this, name, result as Module) ?? result
    } else if (value instanceof Parameter) {
      for (const { hook } of parameterRegistrationHooks.entries()) result = hook(this, name, result as Parameter) ?? result
    } else if (value instanceof Buffer) {
      for (const { hook } of bufferRegistrationHooks.entries()) result = hook(this, name, result as Buffer) ?? result
    }
    seen.set(name, result)
    if (result !== value) (this as Record<string, unknown>)[name] = result
    return result
  }

  #checkName(kind: string, name: unknown): asserts name is string {
    if (typeof name !== 'string') throw typeError(`${kind} name should be a string. Got ${typeName(name)}`)
    if (name.includes('.'))
      throw keyError(kind === 'module' ? `module name can't contain ".", got: ${name}` : `${kind} name can't contain "."`)
    if (name === '') throw keyError(`${kind} name can't be empty string ""`)
  }

  /** Puts a member under a name, as a property that checks what is assigned to it. */
  #define(kind: Member['kind'], name: string, value: Tensor | Module | null, persistent: boolean): void {
    const slots = (this.#slots ??= new Map<string, Slot>())
    const old = slots.get(name)
    if (old?.kind === kind) {
      old.value = value
      old.persistent = persistent
      return
    }
    const hidden = /^\d+$/.test(name)
    const slot: Slot = { kind, value, persistent, hidden }
    slots.set(name, slot)
    Object.defineProperty(this, name, {
      enumerable: !hidden,
      configurable: true,
      get: () => slot.value,
      set: (next: unknown) => {
        slot.value = checkAssignment(slot, name, next)
      },
    })
    if (this.#announced === null && parameterRegistrationHooks.size + bufferRegistrationHooks.size + moduleRegistrationHooks.size === 0)
      return
    const announced = (this.#announced ??= new Map<string, unknown>())
    announced.set(name, value)
  }

  /** Whether another thing than a member of this kind has the name. */
  #taken(kind: Member['kind'], name: string): boolean {
    if (!(name in this)) return false
    const slot = this.#slots?.get(name)
    if (slot) return slot.kind !== kind
    const value = (this as Record<string, unknown>)[name]
    if (value === undefined && Object.hasOwn(this, name)) return false // a declared field that waits for its value
    return !(
      (kind === 'module' && value instanceof Module) ||
      (kind === 'parameter' && value instanceof Parameter) ||
      (kind === 'buffer' && value instanceof Buffer)
    )
  }

  /**
   * Adds a parameter under `name`, which is then a property of the module. `null` reserves the name and is no part of the state.
   * Throws a KeyError for a name that is taken, empty or has a dot, a TypeError for what is no Parameter.
   */
  register_parameter(name: string, parameter: Parameter | null): void {
    this.#checkName('parameter', name)
    if (this.#taken('parameter', name)) throw keyError(`attribute '${name}' already exists`)
    if (parameter !== null && !(parameter instanceof Parameter)) {
      throw typeError(`cannot assign '${typeName(parameter)}' object to parameter '${name}' (torch.nn.Parameter or None required)`)
    }
    let value: Parameter | null = parameter
    for (const { hook } of parameterRegistrationHooks.entries()) value = hook(this, name, value) ?? value
    this.#define('parameter', name, value, true)
  }

  /**
   * Adds a tensor that belongs to the module's state but is not learned. It is part of the state_dict unless `persistent` is false.
   * Throws a KeyError for a name that is taken, empty or has a dot, a TypeError for what is no Tensor.
   */
  register_buffer(name: string, tensor: Tensor | null, persistent: boolean | { persistent?: boolean } = true): void {
    this.#checkName('buffer', name)
    if (this.#taken('buffer', name)) throw keyError(`attribute '${name}' already exists`)
    if (tensor !== null && !(tensor instanceof Tensor)) {
      throw typeError(`cannot assign '${typeName(tensor)}' object to buffer '${name}' (torch Tensor or None required)`)
    }
    let value: Tensor | null = tensor
    for (const { hook } of bufferRegistrationHooks.entries()) value = hook(this, name, value) ?? value
    this.#define('buffer', name, value, typeof persistent === 'boolean' ? persistent : (persistent.persistent ?? true))
  }

  /** Adds a module under `name`, which is then a property of this one. The errors are those of `register_parameter`. */
  add_module(name: string, module: Module | null): void {
    if (module !== null && !(module instanceof Module)) throw typeError(`${typeName(module)} is not a Module subclass`)
    this.#checkName('module', name)
    if (this.#taken('module', name)) throw keyError(`attribute '${name}' already exists`)
    let value: Module | null = module
    for (const { hook } of moduleRegistrationHooks.entries()) value = hook(this, name, value) ?? value
    this.#define('module', name, value, true)
  }

  /** The same as `add_module`. */
  register_module(name: string, module: Module | null): void {
    this.add_module(name, module)
  }

  /** @internal Puts `value` in the place of the member `name`. */
  replace_member(name: string, value: Tensor | Module | null): void {
    const slot = this.#slots?.get(name)
    if (slot && !Object.hasOwn(this, name)) slot.value = value
    else (this as Record<string, unknown>)[name] = value
  }

  /** @internal Takes a registered member away (containers that shrink). */
  protected remove_member(name: string): void {
    this.#slots?.delete(name)
    delete (this as Record<string, unknown>)[name]
  }

  // ---- walking the tree --------------------------------------------------------------------------------------------

  /** The modules that are fields of this one, each once, with their names. */
  named_children(): [string, Module][] {
    const seen = new Set<Module>()
    const result: [string, Module][] = []
    for (const [name, member] of this.members()) {
      if (member.kind !== 'module' || member.value === null || seen.has(member.value)) continue
      seen.add(member.value)
      result.push([name, member.value])
    }
    return result
  }

  /** The modules that are fields of this one, each once. */
  children(): Module[] {
    return this.named_children().map(([, module]) => module)
  }

  /** This module ('' or `prefix`) and all below it with their dotted names, each module once unless `remove_duplicate` is false. */
  named_modules(prefix = '', remove_duplicate = true): [string, Module][] {
    const result: [string, Module][] = []
    collectModules(this, prefix, remove_duplicate ? new Set() : null, result)
    return result
  }

  /** This module and all below it, each once. */
  modules(): Module[] {
    return this.named_modules().map(([, module]) => module)
  }

  /** The parameters with their dotted names, each once. `recurse: false`: only those of this module itself. */
  named_parameters(prefix: string | NamedOptions = '', recurse = true, remove_duplicate = true): [string, Parameter][] {
    return collectTensors<Parameter>(this, 'parameter', namedOptions(prefix, recurse, remove_duplicate))
  }

  /** The parameters, each once. `recurse: false`: only those of this module itself. */
  parameters(recurse: boolean | { recurse?: boolean } = true): Parameter[] {
    return this.named_parameters('', typeof recurse === 'boolean' ? recurse : recurse.recurse).map(([, parameter]) => parameter)
  }

  /** The buffers with their dotted names, each once. */
  named_buffers(prefix: string | NamedOptions = '', recurse = true, remove_duplicate = true): [string, Tensor][] {
    return collectTensors<Tensor>(this, 'buffer', namedOptions(prefix, recurse, remove_duplicate))
  }

  /** The buffers, each once. */
  buffers(recurse: boolean | { recurse?: boolean } = true): Tensor[] {
    return this.named_buffers('', typeof recurse === 'boolean' ? recurse : recurse.recurse).map(([, buffer]) => buffer)
  }

  /** How many numbers the parameters hold; with `trainable_only`, those that require a gradient. */
  num_parameters(options: boolean | { trainable_only?: boolean } = false): number {
    const trainable = typeof options === 'boolean' ? options : (options.trainable_only ?? false)
    return this.parameters().reduce((sum, p) => (trainable && !p.requires_grad ? sum : sum + p.numel()), 0)
  }

  /** The module under a dotted name; '' is this one. Throws an AttributeError when there is none. */
  get_submodule(target: string): Module {
    let module: Module = this // eslint-disable-line @typescript-eslint/no-this-alias
    if (target === '') return module
    for (const name of target.split('.')) {
      const member = findMember(module, name)
      if (!member) {
        const value = (module as unknown as Record<string, unknown>)[name]
        if (value === undefined) throw attributeError(`${module.constructor.name} has no attribute \`${name}\``)
        throw attributeError(`\`${name}\` is not an nn.Module`)
      }
      if (member.kind !== 'module' || member.value === null) throw attributeError(`\`${name}\` is not an nn.Module`)
      module = member.value
    }
    return module
  }

  /** The parameter under a dotted name. Throws an AttributeError when there is none. */
  get_parameter(target: string): Parameter {
    const [module, name] = this.#owner(target)
    const member = findMember(module, name)
    if (member?.kind === 'parameter' && member.value) return member.value
    throw attributeError(
      (member ?? name in module) ? `\`${name}\` is not an nn.Parameter` : `${module.constructor.name} has no attribute \`${name}\``,
    )
  }

  /** The buffer under a dotted name. Throws an AttributeError when there is none. */
  get_buffer(target: string): Tensor {
    const [module, name] = this.#owner(target)
    const member = findMember(module, name)
    if (member?.kind === 'buffer' && member.value) return member.value
    throw attributeError(
      (member ?? name in module) ? `\`${name}\` is not a buffer` : `${module.constructor.name} has no attribute \`${name}\``,
    )
  }

  #owner(target: string): [Module, string] {
    const dot = target.lastIndexOf('.')
    return [this.get_submodule(dot < 0 ? '' : target.slice(0, dot)), target.slice(dot + 1)]
  }

  /** Calls `fn` with every module below and then with this one; returns this one. */
  apply(fn: (module: Module) => void): this {
    for (const child of this.children()) child.apply(fn)
    fn(this)
    return this
  }

  // ---- modes -------------------------------------------------------------------------------------------------------

  /** Sets `training` on this module and all below it. */
  train(mode = true): this {
    if (typeof mode !== 'boolean') throw valueError('training mode is expected to be boolean')
    this.training = mode
    for (const child of this.children()) child.train(mode)
    return this
  }

  /** The same as `train(false)`. */
  eval(): this {
    return this.train(false)
  }

  /** Sets `requires_grad` of all parameters. */
  requires_grad_(requires_grad = true): this {
    for (const parameter of this.parameters()) parameter.requires_grad_(requires_grad)
    return this
  }

  /** Removes the gradients of all parameters, or with `set_to_none: false` fills them with zeros. */
  zero_grad(set_to_none: boolean | { set_to_none?: boolean } = true): void {
    zeroGradients(this.parameters(), typeof set_to_none === 'boolean' ? set_to_none : (set_to_none.set_to_none ?? true))
  }

  // ---- conversion --------------------------------------------------------------------------------------------------

  /**
   * Converts the parameters and buffers in place: `to('float64')`, `to('webgpu')`, `to(device, dtype)`, `to(tensor)` (its dtype and device),
   * `to({ device, dtype })`. Only floating point and complex tensors change their dtype. Throws a TypeError for an integer dtype. From webgpu to
   * the cpu it takes a wait: see `cpu_async()`.
   */
  to(...args: ToArguments): this {
    const { device, dtype } = readTo(args)
    if (device !== undefined && String(device).startsWith('cpu') && this.#onDevice()) {
      throw new TorchError(
        'Module.to: the parameters are on webgpu, and reading is asynchronous there: use `await module.cpu_async()`',
        'NotImplementedError',
      )
    }
    if (dtype !== undefined && !isInexact(dtype)) {
      throw typeError(`nn.Module.to only accepts floating point or complex dtypes, but got desired dtype=torch.${dtype}`)
    }
    return this.convert((t) => {
      let result = t
      if (device !== undefined) result = result.to(device)
      if (dtype !== undefined && isInexact(t.dtype)) result = result.to(dtype)
      return result
    })
  }

  #onDevice(): boolean {
    for (const t of [...this.parameters(), ...this.buffers()]) if (isOnDevice(t)) return true
    return false
  }

  /** Brings the parameters and buffers to the cpu in place; a promise of the module itself, because tensors on webgpu take a wait. */
  async cpu_async(): Promise<this> {
    const copies: [Tensor, Tensor][] = []
    for (const t of [...this.parameters(), ...this.buffers()])
      for (const x of [t, t.grad]) if (x && isOnDevice(x)) copies.push([x, await readTensor(x)])
    return this.convert((t) => (isOnDevice(t) ? (copies.find(([x]) => x.is(t))?.[1] ?? t) : t))
  }

  /** Converts the floating point parameters and buffers to `dtype` in place. */
  type(dtype: DType): this {
    return this.convert((t) => t.to(dtype))
  }
  /** The same as `to('float32')`. */
  float(): this {
    return this.#cast('float32')
  }
  /** The same as `to('float64')`. */
  double(): this {
    return this.#cast('float64')
  }
  /** The same as `to('float16')`. */
  half(): this {
    return this.#cast('float16')
  }
  /** The same as `to('bfloat16')`. */
  bfloat16(): this {
    return this.#cast('bfloat16')
  }
  /** The same as `to('cpu')`. */
  cpu(): this {
    return this.to('cpu')
  }

  #cast(dtype: DType): this {
    return this.convert((t) => (isInexact(t.dtype) && !t.dtype.startsWith('complex') ? t.to(dtype) : t))
  }

  /** @internal Replaces every parameter's memory (it stays the same object) and every buffer by what `fn` makes of it. */
  convert(fn: (tensor: Tensor) => Tensor): this {
    const done = new Map<Tensor, Tensor>()
    no_grad(() => {
      for (const module of this.modules()) {
        for (const [name, member] of module.members()) {
          if (member.kind === 'module' || member.value === null) continue
          const known = done.get(member.value)
          if (member.kind === 'parameter') {
            if (known) continue
            convertParameter(member.value, fn)
            done.set(member.value, member.value)
          } else {
            const next = known ?? outsideScopes(() => convertBuffer(member.value as Tensor, fn))
            done.set(member.value, next)
            if (next !== member.value) module.replace_member(name, next)
          }
        }
      }
    })
    return this
  }

  // ---- state -------------------------------------------------------------------------------------------------------

  /**
   * The parameters and persistent buffers by dotted name, in order, in one plain object. The tensors are detached but share memory with the
   * module; with `keep_vars` they are the parameters themselves.
   */
  state_dict(options: { prefix?: string; keep_vars?: boolean; destination?: StateDict } | string = {}): StateDict {
    const { prefix = '', keep_vars = false, destination = {} } = typeof options === 'string' ? { prefix: options } : options
    const children: [string, Module][] = []
    const buffers: [string, Tensor][] = []
    for (const [name, member] of this.members()) {
      if (member.value === null) continue
      if (member.kind === 'parameter') destination[prefix + name] = keep_vars ? member.value : member.value.detach()
      else if (member.kind === 'module') children.push([name, member.value])
      else if (member.persistent) buffers.push([prefix + name, member.value])
    }
    for (const [name, buffer] of buffers) destination[name] = keep_vars ? buffer : buffer.detach()
    for (const [name, child] of children) child.state_dict({ prefix: `${prefix}${name}.`, keep_vars, destination })
    return destination
  }

  /**
   * Copies the tensors of a state_dict (a plain object or a Map) into the parameters and buffers. Throws a RuntimeError that lists every key
   * that is missing or unexpected and every size that does not match; with `strict: false` only sizes count, and the keys are returned.
   * `assign`: the tensors themselves become the state instead of being copied.
   */
  load_state_dict(
    state_dict: Readonly<Record<string, Tensor>> | ReadonlyMap<string, Tensor>,
    strict: boolean | { strict?: boolean; assign?: boolean } = true,
    assign = false,
  ): IncompatibleKeys {
    return typeof strict === 'boolean'
      ? loadStateDict(this, state_dict, strict, assign)
      : loadStateDict(this, state_dict, strict.strict ?? true, strict.assign ?? assign)
  }

  /** @internal Keys of the state that an older checkpoint may lack. */
  optional_state_keys(): readonly string[] {
    return []
  }

  // ---- text --------------------------------------------------------------------------------------------------------

  /** What the module's text says between the parentheses, before the modules below it. */
  extra_repr(): string {
    return ''
  }

  /** The name in the module's text: the class's. */
  protected repr_name(): string {
    return this.constructor.name
  }

  /** PyTorch's text for the module and all below it. */
  toString(): string {
    const extra = this.extra_repr() === '' ? [] : this.extra_repr().split('\n')
    const children: string[] = []
    for (const [name, member] of this.members()) {
      if (member.kind === 'module') children.push(`(${name}): ${indent(member.value === null ? 'None' : member.value.toString(), 2)}`)
    }
    const lines = [...extra, ...children]
    if (lines.length === 0) return `${this.repr_name()}()`
    if (extra.length === 1 && children.length === 0) return `${this.repr_name()}(${extra[0]})`
    return `${this.repr_name()}(\n  ${lines.join('\n  ')}\n)`
  }

  /** Node's console.log shows the text. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }
}

// ---- forward and its hooks -------------------------------------------------------------------------------------------

function makeWrapper(original: Forward, outermost: (module: Module) => boolean): Forward {
  const wrapper: Forward = function (this: Module, ...args: unknown[]): unknown {
    return outermost(this) ? Module.run(this, original, args) : original.apply(this, args)
  }
  plainForward.set(wrapper, original)
  return wrapper
}

/**
 * Puts the hooks around the forward of every class between `prototype` and Module, once a class. A forward that is not the one its object
 * answers with was called through `super`, and runs no hooks.
 */
function wrapForward(prototype: object): void {
  for (let p = prototype; p !== Module.prototype && !wrappedPrototypes.has(p); p = Object.getPrototypeOf(p) as object) {
    wrappedPrototypes.add(p)
    const descriptor = Object.getOwnPropertyDescriptor(p, 'forward')
    if (!descriptor || typeof descriptor.value !== 'function') continue
    const wrapper = makeWrapper(descriptor.value as Forward, (module) => module.forward === wrapper)
    Object.defineProperty(p, 'forward', { ...descriptor, value: wrapper })
  }
}

function asArguments(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [value]
}

/** A trailing options object apart from the arguments before it. */
function splitOptions(args: unknown[]): [unknown[], Record<string, unknown>] {
  const last = args[args.length - 1]
  return isPlainObject(last) ? [args.slice(0, -1), last] : [args, {}]
}

function runWithHooks(module: Module, own: ModuleHooks | null, forward: Forward, given: unknown[]): unknown {
  let args = given
  for (const list of [globalHooks.forward_pre, own?.forward_pre]) {
    for (const { hook, with_kwargs } of list?.entries() ?? []) {
      if (with_kwargs) {
        const [plain, kwargs] = splitOptions(args)
        const result = hook(module as never, plain, kwargs)
        if (result === undefined || result === null) continue
        if (!Array.isArray(result) || result.length !== 2) {
          throw typeError('forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got ' + typeName(result) + '.')
        }
        args = [...asArguments(result[0]), result[1]]
      } else {
        const result = hook(module as never, args)
        if (result !== undefined && result !== null) args = asArguments(result)
      }
    }
  }
  const backward = globalHooks.backward.size + globalHooks.backward_pre.size + (own ? own.backward.size + own.backward_pre.size : 0) > 0
  const after = [...globalHooks.forward.entries(), ...(own?.forward.entries() ?? [])]
  const finish = (result: unknown, hooks: typeof after): unknown => {
    let output = result
    for (const { hook, with_kwargs } of hooks) {
      const next = with_kwargs
        ? hook(module as never, splitOptions(args)[0], splitOptions(args)[1], output)
        : hook(module as never, args, output)
      if (next !== undefined && next !== null) output = next
    }
    return output
  }
  const compute = (): unknown => {
    if (!backward) return forward.apply(module, args)
    return applyBackwardHooks(
      module,
      args,
      [...globalHooks.backward_pre.entries(), ...(own?.backward_pre.entries() ?? [])].map((entry) => entry.hook),
      [...globalHooks.backward.entries(), ...(own?.backward.entries() ?? [])].map((entry) => entry.hook),
      (inputs) => forward.apply(module, inputs),
      // Forward hooks see the output before the backward hooks' node is put on it, as in PyTorch.
      (output) => finish(output, after),
    )
  }
  let result: unknown
  try {
    result = compute()
  } catch (error) {
    finish(
      undefined,
      after.filter((entry) => entry.always_call),
    )
    throw error
  }
  if (backward) return result
  if (result instanceof Promise) return result.then((output: unknown) => finish(output, after))
  return finish(result, after)
}

// ---- helpers ---------------------------------------------------------------------------------------------------------

/** How named_parameters and named_buffers walk. */
export interface NamedOptions {
  prefix?: string
  recurse?: boolean
  remove_duplicate?: boolean
}

function namedOptions(prefix: string | NamedOptions, recurse: boolean, remove_duplicate: boolean): Required<NamedOptions> {
  return { recurse, remove_duplicate, prefix: '', ...(typeof prefix === 'string' ? { prefix } : prefix) }
}

function collectModules(module: Module, prefix: string, seen: Set<Module> | null, result: [string, Module][]): void {
  if (seen?.has(module)) return
  seen?.add(module)
  result.push([prefix, module])
  for (const [name, member] of module.members()) {
    if (member.kind === 'module' && member.value) collectModules(member.value, prefix ? `${prefix}.${name}` : name, seen, result)
  }
}

function collectTensors<T extends Tensor>(root: Module, kind: 'parameter' | 'buffer', options: Required<NamedOptions>): [string, T][] {
  const seen = new Set<Tensor>()
  const result: [string, T][] = []
  const modules = options.recurse ? root.named_modules(options.prefix, options.remove_duplicate) : [[options.prefix, root] as const]
  for (const [prefix, module] of modules) {
    for (const [name, member] of module.members()) {
      if (member.kind !== kind || member.value === null || (options.remove_duplicate && seen.has(member.value))) continue
      seen.add(member.value)
      result.push([prefix ? `${prefix}.${name}` : name, member.value as T])
    }
  }
  return result
}

function findMember(module: Module, name: string): Member | undefined {
  for (const [key, member] of module.members()) if (key === name) return member
  return undefined
}

function checkAssignment(slot: Slot, name: string, next: unknown): Tensor | Module | null {
  if (next === null) return null
  switch (slot.kind) {
    case 'parameter':
      if (next instanceof Parameter) return next
      throw typeError(`cannot assign '${typeName(next)}' as parameter '${name}' (torch.nn.Parameter or None expected)`)
    case 'buffer':
      if (next instanceof Tensor) return next
      throw typeError(`cannot assign '${typeName(next)}' as buffer '${name}' (torch.Tensor or None expected)`)
    case 'module':
      if (next instanceof Module) return next
      throw typeError(`cannot assign '${typeName(next)}' as child module '${name}' (torch.nn.Module or None expected)`)
  }
}

/** Floating point or complex. */
function isInexact(dtype: DType): boolean {
  return dtype.includes('float') || dtype.startsWith('complex')
}

/** @internal What zero_grad does, for modules and optimizers. */
export function zeroGradients(parameters: Iterable<Tensor>, set_to_none: boolean): void {
  for (const parameter of parameters) {
    const grad = parameter.grad
    if (grad === null) continue
    if (set_to_none) parameter.grad = null
    else no_grad(() => grad.detach().zero_())
  }
}

function convertParameter(parameter: Parameter, fn: (tensor: Tensor) => Tensor): void {
  const next = fn(parameter)
  if (next === parameter) return
  const grad = parameter.grad
  const requires_grad = parameter.requires_grad
  if (grad) parameter.grad = null
  parameter.set_data(next.detach())
  if (parameter.requires_grad !== requires_grad) parameter.requires_grad_(requires_grad)
  if (grad) parameter.grad = fn(grad)
}

/** What a module holds on to outlives a torch.scope around it. */
function outsideScopes<T>(fn: () => T): T {
  const scope = setScope(null)
  try {
    return fn()
  } finally {
    setScope(scope)
  }
}

/** A field is a buffer by being a Buffer, so that what takes its place has to be one too. */
function convertBuffer(buffer: Tensor, fn: (tensor: Tensor) => Tensor): Tensor {
  const next = fn(buffer)
  return next !== buffer && buffer instanceof Buffer ? new Buffer(next, buffer.persistent) : next
}

/** The arguments of `Module.to`. */
export type ToArguments =
  | [dtype: DType]
  | [device: DeviceInput]
  | [device: DeviceInput, dtype: DType]
  | [tensor: Tensor]
  | [options: { device?: DeviceInput; dtype?: DType }]

function readTo(args: readonly unknown[]): { device?: DeviceInput; dtype?: DType } {
  const [first, second] = args
  if (first instanceof Tensor) return { device: first.device, dtype: first.dtype }
  if (isPlainObject(first)) {
    for (const key of Object.keys(first)) {
      if (key !== 'device' && key !== 'dtype') throw typeError(`to() got an unexpected keyword argument '${key}'; known are: device, dtype`)
    }
    return first as { device?: DeviceInput; dtype?: DType }
  }
  if (typeof first === 'string' && isDType(first)) return { dtype: first }
  return { device: first as DeviceInput, ...(second === undefined ? {} : { dtype: second as DType }) }
}
