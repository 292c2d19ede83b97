// Hooks on modules: their types, their handles, and the registries that hold for every module.

import type { Tensor } from '../tensor.js'
import type { Buffer, Parameter } from './parameter.js'
import type { Module } from './module.js'

/** Sees the arguments before forward runs. What it returns takes their place: an array is all arguments, anything else the only one. */
export type ForwardPreHook<M extends Module = Module> = (module: M, args: unknown[], kwargs?: Record<string, unknown>) => unknown
/** Sees arguments and result after forward ran. What it returns takes the result's place; undefined leaves it. */
export type ForwardHook<M extends Module = Module> = (module: M, args: unknown[], output: unknown, outputOrKwargs?: unknown) => unknown
/** Sees the gradients of the module's inputs and outputs. What it returns takes the place of grad_input. */
export type BackwardHook<M extends Module = Module> = (
  module: M,
  grad_input: readonly (Tensor | null)[],
  grad_output: readonly (Tensor | null)[],
) => readonly (Tensor | null)[] | Tensor | null | undefined | void
/** Sees the gradients of the module's outputs before its backward runs. What it returns takes their place. */
export type BackwardPreHook<M extends Module = Module> = (
  module: M,
  grad_output: readonly (Tensor | null)[],
) => readonly (Tensor | null)[] | Tensor | null | undefined | void
/** Called when a parameter is registered; what it returns is registered instead. */
export type ParameterRegistrationHook = (module: Module, name: string, parameter: Parameter | null) => Parameter | null | undefined | void
/** Called when a buffer is registered; what it returns is registered instead. */
export type BufferRegistrationHook = (module: Module, name: string, buffer: Tensor | Buffer | null) => Tensor | null | undefined | void
/** Called when a module is registered; what it returns is registered instead. */
export type ModuleRegistrationHook = (module: Module, name: string, submodule: Module | null) => Module | null | undefined | void

/** What a hook's registration returns: `remove()` takes the hook away. Also usable with `using`. */
export class RemovableHandle implements Disposable {
  static #next = 0
  /** Unique among all handles, in order of registration. */
  readonly id: number = RemovableHandle.#next++
  #remove: (() => void) | null

  constructor(remove: () => void) {
    this.#remove = remove
  }

  /** Takes the hook away; again is a no-op. */
  remove(): void {
    this.#remove?.()
    this.#remove = null
  }

  [Symbol.dispose](): void {
    this.remove()
  }
}

/** Hooks in the order in which they run. */
export class HookList<Hook> {
  #entries: { hook: Hook; with_kwargs: boolean; always_call: boolean }[] = []

  get size(): number {
    return this.#entries.length
  }

  add(hook: Hook, options: HookOptions = {}): RemovableHandle {
    const entry = { hook, with_kwargs: options.with_kwargs ?? false, always_call: options.always_call ?? false }
    if (options.prepend) this.#entries = [entry, ...this.#entries]
    else this.#entries = [...this.#entries, entry]
    return new RemovableHandle(() => {
      this.#entries = this.#entries.filter((other) => other !== entry)
    })
  }

  /** A list that hooks which add or remove hooks do not change. */
  entries(): readonly { readonly hook: Hook; readonly with_kwargs: boolean; readonly always_call: boolean }[] {
    return this.#entries
  }
}

export interface HookOptions {
  /** Run before the hooks that are there, instead of after them. */
  prepend?: boolean
  /** Give the hook a trailing options object apart, as its last argument. */
  with_kwargs?: boolean
  /** Run the hook even when forward throws. */
  always_call?: boolean
}

/** The hooks of one module, or of all. */
export class ModuleHooks {
  readonly forward = new HookList<ForwardHook<never>>()
  readonly forward_pre = new HookList<ForwardPreHook<never>>()
  readonly backward = new HookList<BackwardHook<never>>()
  readonly backward_pre = new HookList<BackwardPreHook<never>>()

  get size(): number {
    return this.forward.size + this.forward_pre.size + this.backward.size + this.backward_pre.size
  }
}

/** Hooks that hold for every module; a module with no hooks of its own looks at `size` only. */
export const globalHooks = new ModuleHooks()
export const parameterRegistrationHooks = new HookList<ParameterRegistrationHook>()
export const bufferRegistrationHooks = new HookList<BufferRegistrationHook>()
export const moduleRegistrationHooks = new HookList<ModuleRegistrationHook>()

/** Runs `hook` before the forward of every module. */
export function register_module_forward_pre_hook(hook: ForwardPreHook, options: HookOptions = {}): RemovableHandle {
  return globalHooks.forward_pre.add(hook, options)
}
/** Runs `hook` after the forward of every module. */
export function register_module_forward_hook(hook: ForwardHook, options: HookOptions = {}): RemovableHandle {
  return globalHooks.forward.add(hook, options)
}
/** Runs `hook` when the gradients with respect to the inputs of any module have been computed. */
export function register_module_full_backward_hook(hook: BackwardHook): RemovableHandle {
  return globalHooks.backward.add(hook)
}
/** Runs `hook` before the backward of every module. */
export function register_module_full_backward_pre_hook(hook: BackwardPreHook): RemovableHandle {
  return globalHooks.backward_pre.add(hook)
}
/** PyTorch's older name; the same as `register_module_full_backward_hook`. */
export function register_module_backward_hook(hook: BackwardHook): RemovableHandle {
  return globalHooks.backward.add(hook)
}
/** Runs `hook` whenever a module registers a parameter. Fields register when the module is first walked. */
export function register_module_parameter_registration_hook(hook: ParameterRegistrationHook): RemovableHandle {
  return parameterRegistrationHooks.add(hook)
}
/** Runs `hook` whenever a module registers a buffer. Fields register when the module is first walked. */
export function register_module_buffer_registration_hook(hook: BufferRegistrationHook): RemovableHandle {
  return bufferRegistrationHooks.add(hook)
}
/** Runs `hook` whenever a module registers a module. Fields register when the module is first walked. */
export function register_module_module_registration_hook(hook: ModuleRegistrationHook): RemovableHandle {
  return moduleRegistrationHooks.add(hook)
}
