// Optimizer: parameter groups, their options and the state of each parameter.

import { enable_grad } from '../autograd/modes.js'
import { tensor as makeTensor } from '../creation.js'
import { keyError, runtimeError, typeError, valueError, warn } from '../nn/errors.js'
import { RemovableHandle } from '../nn/hooks.js'
import { zeroGradients } from '../nn/module.js'
import { isPlainObject, pythonFloat, pythonNumber, pythonRepr, typeName } from '../nn/text.js'
import { setScope } from '../runtime/call.js'
import { TorchError } from '../runtime/errors.js'
import { Tensor } from '../tensor.js'
import { isOnDevice } from '../webgpu/reading.js'

/** What an optimizer is given: tensors, pairs of name and tensor, or groups with options of their own. */
export type Params<Options extends object = Record<string, unknown>> =
  | Iterable<Tensor>
  | Iterable<readonly [name: string, parameter: Tensor]>
  | Iterable<{ params: Tensor | Iterable<Tensor> | Iterable<readonly [string, Tensor]> } & Partial<Options>>

/** Tensors that are updated with the same options. Change an option here and the next step uses it. */
export interface ParamGroup {
  params: Tensor[]
  param_names?: string[]
  lr: number | Tensor
  [option: string]: unknown
}

/** What an optimizer remembers of one parameter. */
export type ParamState = Record<string, unknown>

/** An optimizer's state in PyTorch's structure: parameters are numbers, in the order of the groups. */
export interface OptimizerStateDict {
  state: Record<string | number, ParamState>
  param_groups: Record<string, unknown>[]
}

/** Computes a loss and its gradients anew. */
export type Closure = () => Tensor | number | Promise<Tensor | number>

type StepHook = (optimizer: Optimizer, args: readonly unknown[]) => void

/** Base class of all optimizers. A subclass gives its options' defaults and defines `update(group)`. */
export abstract class Optimizer {
  /** The options of groups that do not have their own. */
  readonly defaults: Readonly<Record<string, unknown>>
  /** What is remembered, by parameter. */
  state = new Map<Tensor, ParamState>()
  param_groups: ParamGroup[] = []
  /** @internal How often step() ran; learning rate schedulers look at it. */
  steps_done = 0
  #pre: StepHook[] = []
  #post: StepHook[] = []

  constructor(params: Params, defaults: Record<string, unknown>) {
    this.defaults = defaults
    if (params instanceof Tensor) {
      throw typeError(`params argument given to the optimizer should be an iterable of Tensors or dicts, but got ${typeName(params)}`)
    }
    if (typeof (params as Iterable<unknown> | null)?.[Symbol.iterator] !== 'function') {
      throw typeError(`'${typeName(params)}' object is not iterable`)
    }
    const list: unknown[] = [...(params as Iterable<unknown>)]
    if (list.length === 0) throw valueError('optimizer got an empty parameter list')
    const groups = isPlainObject(list[0]) ? (list as Record<string, unknown>[]) : [{ params: list }]
    for (const group of groups) this.add_param_group(group)
  }

  /** One update of all parameters of a group. Runs without recording. */
  protected abstract update(group: ParamGroup): void

  /**
   * Updates all parameters that have a gradient. `closure` computes the loss and the gradients anew before that; its result is returned (as a
   * promise when it gives one).
   */
  step(): undefined
  step<T>(closure: () => T): T
  step(closure?: (() => unknown) | null): unknown
  step(closure?: (() => unknown) | null): unknown {
    for (const hook of this.#pre) hook(this, closure ? [closure] : [])
    const loss = closure ? enable_grad(closure) : undefined
    if (loss instanceof Promise) {
      return loss.then((value: unknown) => {
        this.#updateAll(closure)
        return value
      })
    }
    this.#updateAll(closure)
    return loss
  }

  #updateAll(closure: unknown): void {
    // What is remembered outlives a torch.scope around the step.
    const scope = setScope(null)
    try {
      for (const group of this.param_groups) this.update(group)
    } finally {
      setScope(scope)
    }
    this.steps_done++
    for (const hook of this.#post) hook(this, closure ? [closure] : [])
  }

  /** Calls `hook(optimizer, args)` before each step. */
  register_step_pre_hook(hook: StepHook): RemovableHandle {
    this.#pre = [...this.#pre, hook]
    return new RemovableHandle(() => (this.#pre = this.#pre.filter((other) => other !== hook)))
  }

  /** Calls `hook(optimizer, args)` after each step. */
  register_step_post_hook(hook: StepHook): RemovableHandle {
    this.#post = [...this.#post, hook]
    return new RemovableHandle(() => (this.#post = this.#post.filter((other) => other !== hook)))
  }

  /** Removes the gradients of all parameters, or with `set_to_none: false` fills them with zeros. */
  zero_grad(set_to_none: boolean | { set_to_none?: boolean } = true): void {
    const none = typeof set_to_none === 'boolean' ? set_to_none : (set_to_none.set_to_none ?? true)
    for (const group of this.param_groups) zeroGradients(group.params, none)
  }

  /**
   * Adds a group: `{ params, ...options }`. Throws a TypeError for what is no leaf tensor or no group, a ValueError for a parameter that
   * another group has or an option that is missing.
   */
  add_param_group(
    param_group: { params: Tensor | Iterable<Tensor> | Iterable<readonly [string, Tensor]> } | Record<string, unknown>,
  ): void {
    if (!isPlainObject(param_group)) throw typeError(`param_group must be a dict, but got <class '${typeName(param_group)}'>`)
    const given: unknown = param_group['params']
    if (given === undefined) throw keyError("'params'")
    if (given instanceof Set) {
      throw typeError(
        'optimizer parameters need to be organized in ordered collections, but the ordering of tensors in sets will change between runs. Please use a list instead.',
      )
    }
    const items: unknown[] = given instanceof Tensor ? [given] : isPair(given) ? [given] : [...(given as Iterable<unknown>)]
    const named = items.filter(isPair)
    if (named.length > 0 && named.length !== items.length) {
      throw valueError('all optimizer params should be with/without names. Some param names are missing')
    }
    const params = items.map((item) => (isPair(item) ? item[1] : item))
    for (const param of params) {
      if (!(param instanceof Tensor)) throw typeError(`optimizer can only optimize Tensors, but one of the params is ${typeName(param)}`)
      if (!param.is_leaf && !param.retains_grad) throw valueError("can't optimize a non-leaf Tensor")
    }
    const group: ParamGroup = {
      ...(param_group as Record<string, unknown>),
      params: params as Tensor[],
      lr: undefined as unknown as number,
    }
    if ('lr' in param_group) group.lr = param_group['lr'] as number
    else delete (group as Partial<ParamGroup>).lr
    if (named.length > 0) group.param_names = named.map(([name]) => name)
    for (const [name, value] of Object.entries(this.defaults)) if (!(name in group)) group[name] = value
    if (new Set(params).size !== params.length) {
      warn(
        'optimizer contains a parameter group with duplicate parameters; in future, this will cause an error; see github.com/pytorch/pytorch/issues/40967 for more information',
      )
    }
    const others = this.param_groups
    if (others.length > 0) {
      const before = others.some((other) => other.param_names !== undefined)
      const now = group.param_names !== undefined
      if (before !== now) {
        throw valueError(
          `all optimizer param groups should be with/without names. cannot add param group ${now ? 'with' : 'without'} names to the optimizer`,
        )
      }
    }
    const known = others.flatMap((other) => other.params)
    if (group.params.some((param) => known.some((other) => param.is(other))))
      throw valueError('some parameters appear in more than one parameter group')
    this.param_groups.push(group)
  }

  /** The state as one plain object: `{ state: { 0: {...} }, param_groups: [{ ..., params: [0, 1] }] }`. Tensors in it are shared. */
  state_dict(): OptimizerStateDict {
    const numbers = new Map<Tensor, number>()
    for (const group of this.param_groups) for (const param of group.params) if (!numbers.has(param)) numbers.set(param, numbers.size)
    const param_groups = this.param_groups.map(({ params, ...options }) => ({
      ...options,
      params: params.map((param) => numbers.get(param) as number),
    }))
    const state: Record<string | number, ParamState> = {}
    for (const [param, entry] of this.state) {
      const packed: ParamState = {}
      // PyTorch keeps the count of steps in a tensor.
      for (const [name, value] of Object.entries(entry))
        packed[name] = name === 'step' ? makeTensor(value as number, { dtype: 'float32', device: 'cpu' }) : value
      state[numbers.get(param) as number] = packed
    }
    return { state, param_groups }
  }

  /** Takes over a state made by `state_dict()`. Throws a ValueError when its groups are not those of this optimizer. */
  load_state_dict(state_dict: OptimizerStateDict): void {
    const { state, param_groups: saved } = state_dict
    const groups = this.param_groups
    if (saved.length !== groups.length) throw valueError('loaded state dict has a different number of parameter groups')
    const counts = saved.map((group) => (group['params'] as unknown[]).length)
    if (groups.some((group, i) => group.params.length !== counts[i])) {
      throw valueError("loaded state dict contains a parameter group that doesn't match the size of optimizer's group")
    }
    const params = new Map<string, Tensor>()
    saved.forEach((group, i) => {
      ;(group['params'] as (number | string)[]).forEach((id, j) => params.set(String(id), (groups[i] as ParamGroup).params[j] as Tensor))
    })
    const loaded = new Map<Tensor, ParamState>()
    const entries: Iterable<[unknown, ParamState]> =
      (state as unknown) instanceof Map ? (state as unknown as Map<unknown, ParamState>) : Object.entries(state)
    for (const [id, entry] of entries) {
      const param = params.get(String(id))
      if (param) loaded.set(param, convertState(entry, param))
    }
    this.state = loaded
    this.param_groups = saved.map((group, i) => {
      const mine = groups[i] as ParamGroup
      const { params: _ids, ...options } = group
      // A state saved without names leaves the names that are there.
      const names = mine.param_names && !('param_names' in options) ? { param_names: mine.param_names } : {}
      return { ...(copyOptions(options) as Record<string, unknown>), ...names, params: mine.params } as ParamGroup
    })
  }

  /** PyTorch's text: the options of each group in the order of the alphabet. */
  toString(): string {
    const groups = this.param_groups.map((group, i) => {
      const lines = Object.keys(group)
        .filter((key) => key !== 'params')
        .sort()
        .map((key) => `    ${key}: ${optionText(key, group[key])}\n`)
      return `\nParameter Group ${i}\n${lines.join('')}`
    })
    return `${this.constructor.name} (${groups.join('')})`
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }

  /** @internal The state of a parameter, made when it is asked for. */
  protected stateOf(param: Tensor): ParamState {
    let entry = this.state.get(param)
    if (!entry) this.state.set(param, (entry = {}))
    return entry
  }
}

function isPair(value: unknown): value is readonly [string, Tensor] {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === 'string'
}

function optionText(key: string, value: unknown): string {
  if (value instanceof Tensor) return value.numel() === 1 ? pythonFloat(Number(value.item())) : value.toString()
  if (typeof value === 'string') return value
  if (key === 'betas' && Array.isArray(value)) {
    return `(${value.map((beta: unknown) => (beta instanceof Tensor ? beta.toString() : pythonFloat(beta as number))).join(', ')})`
  }
  if (typeof value === 'number') return pythonNumber(value)
  return pythonRepr(value, key === 'param_names' ? 'list' : 'tuple')
}

function copyOptions(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOptions)
  if (isPlainObject(value)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copyOptions(item)]))
  return value
}

/** State tensors in the dtype and on the device of their parameter; the count of steps as a number. */
function convertState(entry: ParamState, param: Tensor): ParamState {
  const result: ParamState = {}
  for (const [name, value] of Object.entries(entry)) {
    if (!(value instanceof Tensor)) result[name] = value
    else if (isOnDevice(value) && (name === 'step' || !isOnDevice(param)))
      throw new TorchError(
        `Optimizer.load_state_dict: '${name}' is on webgpu, and reading is asynchronous there: load \`await torch.webgpu.to_cpu(state_dict)\``,
        'NotImplementedError',
      )
    else if (name === 'step') result[name] = Number(value.item())
    else result[name] = value.to(param.device, param.is_floating_point() || param.is_complex() ? param.dtype : value.dtype)
  }
  return result
}

/** @internal An option as a number, whether it was given as one or as a tensor. */
export function optionNumber(value: unknown): number {
  return value instanceof Tensor ? Number(value.item()) : (value as number)
}

/** @internal The checks that all optimizers share. */
export function checkLr(lr: unknown): void {
  if (lr instanceof Tensor && lr.numel() !== 1) throw valueError('Tensor lr must be 1-element')
  if (!(optionNumber(lr) >= 0)) throw valueError(`Invalid learning rate: ${pythonNumber(optionNumber(lr))}`)
}

/** @internal */
export function checkNotNegative(name: string, value: unknown): void {
  const n = optionNumber(value)
  if (!(n >= 0)) throw valueError(`Invalid ${name} value: ${pythonNumber(n)}`)
}

/** @internal */
export function checkFused(o: { fused?: boolean | null; foreach?: boolean | null; differentiable?: boolean }): void {
  if (!o.fused) return
  if (o.differentiable) throw runtimeError('`fused` does not support `differentiable`')
  if (o.foreach) throw runtimeError('`fused` and `foreach` cannot be `True` together.')
}
