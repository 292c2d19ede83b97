// The base of the learning rate schedulers.

import { keyError, typeError, warn } from '../../nn/errors.js'
import { isPlainObject, typeName } from '../../nn/text.js'
import { Tensor } from '../../tensor.js'
import { Optimizer, optionNumber, type ParamGroup } from '../optimizer.js'

/** Everything a scheduler remembers but the optimizer and functions. */
export type SchedulerStateDict = Record<string, unknown>

function checkOptimizer(optimizer: unknown): asserts optimizer is Optimizer {
  if (!(optimizer instanceof Optimizer)) throw typeError(`${typeName(optimizer)} is not an Optimizer`)
}

/** @internal */
export function setOption(group: ParamGroup, name: string, value: number): void {
  const old = group[name]
  if (old instanceof Tensor) old.fill_(value)
  else group[name] = value
}

/** @internal */
export const lrOf = (group: ParamGroup): number => optionNumber(group.lr)

/**
 * Base class of the schedulers. A subclass defines `get_lr()`, the rates at `last_epoch`, one a group, and calls `start()` at the end of its
 * constructor, which sets the first rates.
 */
export abstract class LRScheduler {
  readonly optimizer: Optimizer
  declare base_lrs: number[]
  /** How many times `step()` ran, counted from 0. */
  declare last_epoch: number
  declare _step_count: number
  declare _is_initial: boolean
  declare _get_lr_called_within_step: boolean
  declare _last_lr: number[]
  readonly #first: number

  constructor(optimizer: Optimizer, last_epoch = -1) {
    checkOptimizer(optimizer)
    this.optimizer = optimizer
    Object.defineProperty(this, 'optimizer', { enumerable: false })
    this.#first = last_epoch
  }

  /** The rates at `last_epoch`. */
  abstract get_lr(): number[]
  /** The rates at `last_epoch` without those before, where there is a formula. */
  protected closed_form_lr?(): number[]

  /** Sets the rates of the beginning; subclasses call it when their own fields are there. */
  protected start(): void {
    this.rememberInitial(this.#first)
    this.base_lrs = this.optimizer.param_groups.map((group) => group['initial_lr'] as number)
    this.last_epoch = this.#first
    this.initialStep()
  }

  /** @internal */
  protected rememberInitial(last_epoch: number): void {
    this.optimizer.param_groups.forEach((group, i) => {
      if (last_epoch === -1) group['initial_lr'] ??= lrOf(group)
      else if (!('initial_lr' in group)) {
        throw keyError(`"param 'initial_lr' is not specified in param_groups[${i}] when resuming an optimizer"`)
      }
    })
  }

  /** @internal The step that sets the first rates. */
  initialStep(): void {
    this._step_count = 0
    this._is_initial = false
    this._get_lr_called_within_step = false
    this.advance(null)
  }

  /** The rates last set. */
  get_last_lr(): number[] {
    return this._last_lr
  }

  /** Goes on by one epoch and sets the rates; call it after `optimizer.step()`. With `epoch`: goes to that one. */
  step(epoch?: number | null): void {
    if (this._step_count === undefined) this.start()
    if (this._step_count === 1 && this.optimizer.steps_done === 0) {
      warn(
        'Detected call of `lr_scheduler.step()` before `optimizer.step()`. In PyTorch 1.1.0 and later, you should call them in the opposite ' +
          'order: `optimizer.step()` before `lr_scheduler.step()`.  Failure to do this will result in PyTorch skipping the first value of the ' +
          'learning rate schedule. See more details at https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate',
      )
    }
    this.advance(epoch ?? null)
  }

  /** @internal */
  protected advance(epoch: number | null): void {
    this._step_count++
    let values: number[]
    if (epoch === null) {
      this.last_epoch++
      values = this.get_lr()
    } else {
      this.last_epoch = epoch
      values = this.closed_form_lr ? this.closed_form_lr() : this.get_lr()
    }
    this.setRates(values)
  }

  /** @internal */
  protected setRates(values: readonly number[]): void {
    this.optimizer.param_groups.forEach((group, i) => {
      const value = values[i]
      if (value !== undefined) setOption(group, 'lr', value)
    })
    this._last_lr = this.optimizer.param_groups.map(lrOf)
  }

  protected groups(rate: (lr: number, group: ParamGroup, i: number) => number): number[] {
    return this.optimizer.param_groups.map((group, i) => rate(lrOf(group), group, i))
  }

  /** The state in one plain object, without the optimizer. */
  state_dict(): SchedulerStateDict {
    return copy({ ...this }) as SchedulerStateDict
  }

  /** Takes over a state made by `state_dict()`. */
  load_state_dict(state_dict: SchedulerStateDict): void {
    Object.assign(this, copy(state_dict))
  }
}

function copy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copy)
  if (value instanceof Map) return new Map(value)
  if (isPlainObject(value)) {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, item]) => typeof item !== 'function')
        .map(([key, item]) => [key, copy(item)]),
    )
  }
  return value
}

/** @internal */
export type WithOptimizer<Options> = Options & { optimizer: Optimizer; last_epoch?: number }

/** @internal How many of the sorted milestones are not above x. */
export function countUpTo(sorted: readonly number[], x: number): number {
  return sorted.filter((milestone) => milestone <= x).length
}
