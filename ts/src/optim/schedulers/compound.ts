// A scheduler that watches a metric, and schedulers made of others.

import { valueError } from '../../nn/errors.js'
import { readArguments, type Arguments } from '../../nn/options.js'
import type { Tensor } from '../../tensor.js'
import { optionNumber, type Optimizer } from '../optimizer.js'
import { countUpTo, lrOf, LRScheduler, setOption, type SchedulerStateDict, type WithOptimizer } from './base.js'

export interface ReduceLROnPlateauOptions {
  /** Whether the metric should fall or grow. Default: 'min'. */
  mode?: 'min' | 'max'
  /** Default: 0.1. */
  factor?: number
  /** How many epochs without improvement are borne. Default: 10. */
  patience?: number
  /** How much better counts as better. Default: 1e-4. */
  threshold?: number
  /** Default: 'rel'. */
  threshold_mode?: 'rel' | 'abs'
  /** Epochs to wait after a reduction. Default: 0. */
  cooldown?: number
  /** Default: 0. */
  min_lr?: number | readonly number[]
  /** Smaller changes of the rate are not made. Default: 1e-8. */
  eps?: number
}

/** Reduces the rate when a metric has stopped getting better: `scheduler.step(loss)`. Throws a ValueError for options out of range. */
export class ReduceLROnPlateau extends LRScheduler {
  factor: number
  default_min_lr: number
  min_lrs: number[]
  patience: number
  cooldown: number
  eps: number
  declare mode_worse: number
  declare mode: string
  declare threshold: number
  declare threshold_mode: string
  declare best: number
  declare cooldown_counter: number
  declare num_bad_epochs: number

  constructor(
    ...args: Arguments<
      [optimizer: Optimizer],
      [mode: 'min' | 'max', factor: number, patience: number, threshold: number, threshold_mode: 'rel' | 'abs', cooldown: number],
      WithOptimizer<ReduceLROnPlateauOptions>
    >
  ) {
    const o = readArguments<WithOptimizer<ReduceLROnPlateauOptions>>(
      'ReduceLROnPlateau',
      args,
      ['optimizer', 'mode', 'factor', 'patience', 'threshold', 'threshold_mode', 'cooldown', 'min_lr', 'eps'],
      1,
    )
    const factor = o.factor ?? 0.1
    if (factor >= 1) throw valueError('Factor should be < 1.0.')
    super(o.optimizer)
    const n = o.optimizer.param_groups.length
    const min_lr = o.min_lr ?? 0
    if (typeof min_lr !== 'number' && min_lr.length !== n) throw valueError(`expected ${n} min_lrs, got ${min_lr.length}`)
    const { mode = 'min', threshold_mode = 'rel' } = o
    if (mode !== 'min' && mode !== 'max') throw valueError(`mode ${String(mode)} is unknown!`)
    if (threshold_mode !== 'rel' && threshold_mode !== 'abs') throw valueError(`threshold mode ${String(threshold_mode)} is unknown!`)
    this.factor = factor
    this.default_min_lr = typeof min_lr === 'number' ? min_lr : 0
    this.min_lrs = typeof min_lr === 'number' ? new Array<number>(n).fill(min_lr) : [...min_lr]
    this.patience = o.patience ?? 10
    this.cooldown = o.cooldown ?? 0
    this.eps = o.eps ?? 1e-8
    this.last_epoch = 0
    this._last_lr = o.optimizer.param_groups.map(lrOf)
    this.mode_worse = mode === 'min' ? Infinity : -Infinity
    this.mode = mode
    this.threshold = o.threshold ?? 1e-4
    this.threshold_mode = threshold_mode
    this.best = this.mode_worse
    this.cooldown_counter = 0
    this.num_bad_epochs = 0
  }

  override get_lr(): number[] {
    return this._last_lr
  }

  /** Takes note of an epoch's metric, a number or a tensor of one element, and reduces the rates if it is time. */
  override step(metrics?: number | Tensor | null): void {
    const current = optionNumber(metrics)
    this.last_epoch++
    if (this.#isBetter(current)) {
      this.best = current
      this.num_bad_epochs = 0
    } else this.num_bad_epochs++
    if (this.cooldown_counter > 0) {
      this.cooldown_counter--
      this.num_bad_epochs = 0
    }
    if (this.num_bad_epochs > this.patience) {
      this.optimizer.param_groups.forEach((group, i) => {
        const old = lrOf(group)
        const next = Math.max(old * this.factor, this.min_lrs[i] ?? this.default_min_lr)
        if (old - next > this.eps) setOption(group, 'lr', next)
      })
      this.cooldown_counter = this.cooldown
      this.num_bad_epochs = 0
    }
    this._last_lr = this.optimizer.param_groups.map(lrOf)
  }

  #isBetter(a: number): boolean {
    const { best, threshold } = this
    const relative = this.threshold_mode === 'rel'
    if (this.mode === 'min') return relative ? a < best * (1 - threshold) : a < best - threshold
    return relative ? a > best * (threshold + 1) : a > best + threshold
  }
}

export interface SequentialLROptions {
  schedulers: readonly LRScheduler[]
  /** At which epochs the next scheduler takes over; one less than there are schedulers. */
  milestones: readonly number[]
}

/** Schedulers one after another. Throws a ValueError for none, for those of another optimizer, and for a wrong number of milestones. */
export class SequentialLR extends LRScheduler {
  _milestones: number[]
  readonly #schedulers: readonly LRScheduler[]

  constructor(
    ...args: Arguments<
      [optimizer: Optimizer, schedulers: readonly LRScheduler[], milestones: readonly number[]],
      [last_epoch: number],
      WithOptimizer<SequentialLROptions>
    >
  ) {
    const o = readArguments<WithOptimizer<SequentialLROptions>>(
      'SequentialLR',
      args,
      ['optimizer', 'schedulers', 'milestones', 'last_epoch'],
      3,
    )
    const { optimizer, schedulers, milestones, last_epoch = -1 } = o
    if (schedulers.length < 1) throw valueError('SequentialLR expects at least one scheduler, but got no scheduler.')
    checkSameOptimizer('SequentialLR', schedulers, optimizer)
    if (milestones.length !== schedulers.length - 1) {
      throw valueError(
        'Sequential Schedulers expects number of schedulers provided to be one more than the number of milestone points, but got number of ' +
          `schedulers ${schedulers.length} and the number of milestones to be equal to ${milestones.length}`,
      )
    }
    super(optimizer)
    this._milestones = [...milestones]
    this.#schedulers = [...schedulers]
    this.last_epoch = last_epoch + 1
    // The schedulers have all made their first step: back to the first rates, which only the first of them may set.
    for (const group of optimizer.param_groups) setOption(group, 'lr', group['initial_lr'] as number)
    for (const scheduler of schedulers) scheduler.last_epoch -= 1
    const first = schedulers[0] as LRScheduler
    first.initialStep()
    this._last_lr = first.get_last_lr()
  }

  override get_lr(): number[] {
    return this._last_lr
  }

  override step(): void {
    this.last_epoch++
    const at = countUpTo(this._milestones, this.last_epoch)
    const scheduler = this.#schedulers[at] as LRScheduler
    if (at > 0 && this._milestones[at - 1] === this.last_epoch) scheduler.step(0)
    else scheduler.step()
    this._last_lr = scheduler.get_last_lr()
  }

  override state_dict(): SchedulerStateDict {
    return { ...super.state_dict(), _schedulers: this.#schedulers.map((scheduler) => scheduler.state_dict()) }
  }
  override load_state_dict(state_dict: SchedulerStateDict): void {
    const { _schedulers, ...own } = state_dict
    super.load_state_dict(own)
    ;(_schedulers as SchedulerStateDict[]).forEach((state, i) => this.#schedulers[i]?.load_state_dict(state))
  }
}

function checkSameOptimizer(name: string, schedulers: readonly LRScheduler[], optimizer: Optimizer): void {
  schedulers.forEach((scheduler, i) => {
    if (scheduler.optimizer !== optimizer) {
      throw valueError(
        `${name} expects all schedulers to belong to the same optimizer, but got scheduler ${scheduler.constructor.name} at index ${i} has another one.`,
      )
    }
  })
}

export interface ChainedSchedulerOptions {
  schedulers: readonly LRScheduler[]
}

/** Schedulers at once: each step steps all of them, in order. Throws a ValueError for none and for different optimizers. */
export class ChainedScheduler extends LRScheduler {
  readonly #schedulers: readonly LRScheduler[]

  constructor(
    ...args: Arguments<
      [schedulers: readonly LRScheduler[]],
      [optimizer: Optimizer | null],
      ChainedSchedulerOptions & { optimizer?: Optimizer | null }
    >
  ) {
    const o = readArguments<ChainedSchedulerOptions & { optimizer?: Optimizer | null }>(
      'ChainedScheduler',
      args,
      ['schedulers', 'optimizer'],
      1,
    )
    const [first] = o.schedulers
    if (!first) throw valueError('ChainedScheduler expects at least one scheduler to be chained, but got no scheduler.')
    const optimizer = o.optimizer ?? first.optimizer
    checkSameOptimizer('ChainedScheduler', o.schedulers, optimizer)
    super(optimizer)
    this.#schedulers = [...o.schedulers]
    this._last_lr = optimizer.param_groups.map(lrOf)
  }

  override get_lr(): number[] {
    return this._last_lr
  }
  override step(): void {
    for (const scheduler of this.#schedulers) scheduler.step()
    this._last_lr = this.optimizer.param_groups.map(lrOf)
  }
  override state_dict(): SchedulerStateDict {
    return { ...super.state_dict(), _schedulers: this.#schedulers.map((scheduler) => scheduler.state_dict()) }
  }
  override load_state_dict(state_dict: SchedulerStateDict): void {
    const { _schedulers, ...own } = state_dict
    super.load_state_dict(own)
    ;(_schedulers as SchedulerStateDict[]).forEach((state, i) => this.#schedulers[i]?.load_state_dict(state))
  }
}
