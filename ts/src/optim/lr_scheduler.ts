// Learning rate schedulers, with PyTorch's recursive formulas, so that the rates agree to the last bit.

import { keyError, typeError, valueError, warn } from '../nn/errors.js'
import { isPlainObject, pythonRepr, typeName } from '../nn/text.js'
import { Tensor } from '../tensor.js'
import { cos, pow } from './exact.js'
import { Optimizer, optionNumber, type ParamGroup } from './optimizer.js'
import { readArguments, type Arguments } from '../nn/options.js'

/** Everything a scheduler remembers but the optimizer and functions. */
export type SchedulerStateDict = Record<string, unknown>

function checkOptimizer(optimizer: unknown): asserts optimizer is Optimizer {
  if (!(optimizer instanceof Optimizer)) throw typeError(`${typeName(optimizer)} is not an Optimizer`)
}

function setOption(group: ParamGroup, name: string, value: number): void {
  const old = group[name]
  if (old instanceof Tensor) old.fill_(value)
  else group[name] = value
}

const lrOf = (group: ParamGroup): number => optionNumber(group.lr)

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

type WithOptimizer<Options> = Options & { optimizer: Optimizer; last_epoch?: number }

/** How many of the sorted milestones are not above x. */
function countUpTo(sorted: readonly number[], x: number): number {
  return sorted.filter((milestone) => milestone <= x).length
}

export interface LambdaLROptions {
  /** The factor of the first rate at an epoch; one function for all groups or one each. */
  lr_lambda: ((epoch: number) => number) | readonly ((epoch: number) => number)[]
}

function lambdas(given: LambdaLROptions['lr_lambda'], optimizer: Optimizer): readonly ((epoch: number) => number)[] {
  const n = optimizer.param_groups.length
  if (typeof given === 'function') return new Array<(epoch: number) => number>(n).fill(given)
  if (given.length !== n) throw valueError(`Expected ${n} lr_lambdas, but got ${given.length}`)
  return [...given]
}

type LambdaArguments = Arguments<[optimizer: Optimizer, lr_lambda: LambdaLROptions['lr_lambda']], [last_epoch: number], WithOptimizer<LambdaLROptions>>

/** The first rate times what a function gives for the epoch. Throws a ValueError unless there is a function a group. */
export class LambdaLR extends LRScheduler {
  readonly #lambdas: readonly ((epoch: number) => number)[]
  constructor(...args: LambdaArguments) {
    const o = readArguments<WithOptimizer<LambdaLROptions>>('LambdaLR', args, ['optimizer', 'lr_lambda', 'last_epoch'], 2)
    super(o.optimizer, o.last_epoch)
    this.#lambdas = lambdas(o.lr_lambda, o.optimizer)
    this.start()
  }
  override get_lr(): number[] {
    return this.base_lrs.map((lr, i) => lr * (this.#lambdas[i] as (epoch: number) => number)(this.last_epoch))
  }
}

/** The rate before times what a function gives for the epoch. */
export class MultiplicativeLR extends LRScheduler {
  readonly #lambdas: readonly ((epoch: number) => number)[]
  constructor(...args: LambdaArguments) {
    const o = readArguments<WithOptimizer<LambdaLROptions>>('MultiplicativeLR', args, ['optimizer', 'lr_lambda', 'last_epoch'], 2)
    super(o.optimizer, o.last_epoch)
    this.#lambdas = lambdas(o.lr_lambda, o.optimizer)
    this.start()
  }
  override get_lr(): number[] {
    return this.groups((lr, _, i) => (this.last_epoch > 0 ? lr * (this.#lambdas[i] as (epoch: number) => number)(this.last_epoch) : lr))
  }
}

export interface StepLROptions {
  step_size: number
  /** Default: 0.1. */
  gamma?: number
}

/** The rate times gamma every step_size epochs. */
export class StepLR extends LRScheduler {
  step_size: number
  gamma: number
  constructor(...args: Arguments<[optimizer: Optimizer, step_size: number], [gamma: number, last_epoch: number], WithOptimizer<StepLROptions>>) {
    const o = readArguments<WithOptimizer<StepLROptions>>('StepLR', args, ['optimizer', 'step_size', 'gamma', 'last_epoch'], 2)
    super(o.optimizer, o.last_epoch)
    this.step_size = o.step_size
    this.gamma = o.gamma ?? 0.1
    this.start()
  }
  override get_lr(): number[] {
    return this.groups((lr) => (this.last_epoch === 0 || this.last_epoch % this.step_size !== 0 ? lr : lr * this.gamma))
  }
  protected override closed_form_lr(): number[] {
    return this.base_lrs.map((lr) => lr * pow(this.gamma, Math.floor(this.last_epoch / this.step_size)))
  }
}

export interface MultiStepLROptions {
  /** Epochs at which the rate falls; one that occurs twice counts twice. */
  milestones: readonly number[]
  /** Default: 0.1. */
  gamma?: number
}

/** The rate times gamma at each milestone. */
export class MultiStepLR extends LRScheduler {
  /** How often each milestone occurs. */
  milestones: Map<number, number>
  gamma: number
  constructor(
    ...args: Arguments<[optimizer: Optimizer, milestones: readonly number[]], [gamma: number, last_epoch: number], WithOptimizer<MultiStepLROptions>>
  ) {
    const o = readArguments<WithOptimizer<MultiStepLROptions>>('MultiStepLR', args, ['optimizer', 'milestones', 'gamma', 'last_epoch'], 2)
    super(o.optimizer, o.last_epoch)
    this.milestones = new Map()
    for (const milestone of o.milestones) this.milestones.set(milestone, (this.milestones.get(milestone) ?? 0) + 1)
    this.gamma = o.gamma ?? 0.1
    this.start()
  }
  override get_lr(): number[] {
    const count = this.milestones.get(this.last_epoch)
    return this.groups((lr) => (count === undefined ? lr : lr * pow(this.gamma, count)))
  }
  protected override closed_form_lr(): number[] {
    const sorted = [...this.milestones].flatMap(([milestone, count]) => new Array<number>(count).fill(milestone)).sort((a, b) => a - b)
    return this.base_lrs.map((lr) => lr * pow(this.gamma, countUpTo(sorted, this.last_epoch)))
  }
}

export interface ConstantLROptions {
  /** Default: 1/3. */
  factor?: number
  /** Default: 5. */
  total_iters?: number
}

/** The rate times a factor for the first total_iters epochs. Throws a ValueError for a factor outside [0, 1]. */
export class ConstantLR extends LRScheduler {
  factor: number
  total_iters: number
  constructor(...args: Arguments<[optimizer: Optimizer], [factor: number, total_iters: number, last_epoch: number], WithOptimizer<ConstantLROptions>>) {
    const o = readArguments<WithOptimizer<ConstantLROptions>>('ConstantLR', args, ['optimizer', 'factor', 'total_iters', 'last_epoch'], 1)
    super(o.optimizer, o.last_epoch)
    this.factor = o.factor ?? 1 / 3
    this.total_iters = o.total_iters ?? 5
    if (this.factor > 1 || this.factor < 0) throw valueError('Constant multiplicative factor expected to be between 0 and 1.')
    this.start()
  }
  override get_lr(): number[] {
    if (this.last_epoch === 0) return this.groups((lr) => lr * this.factor)
    return this.groups((lr) => (this.last_epoch === this.total_iters ? lr * (1 / this.factor) : lr))
  }
  protected override closed_form_lr(): number[] {
    return this.base_lrs.map((lr) => lr * (this.factor + (this.last_epoch >= this.total_iters ? 1 : 0) * (1 - this.factor)))
  }
}

export interface LinearLROptions {
  /** Default: 1/3. */
  start_factor?: number
  /** Default: 1. */
  end_factor?: number
  /** Default: 5. */
  total_iters?: number
}

/** The rate times a factor that goes from start_factor to end_factor in total_iters epochs. Throws a ValueError for factors out of range. */
export class LinearLR extends LRScheduler {
  start_factor: number
  end_factor: number
  total_iters: number
  constructor(
    ...args: Arguments<
      [optimizer: Optimizer],
      [start_factor: number, end_factor: number, total_iters: number, last_epoch: number],
      WithOptimizer<LinearLROptions>
    >
  ) {
    const o = readArguments<WithOptimizer<LinearLROptions>>('LinearLR', args, ['optimizer', 'start_factor', 'end_factor', 'total_iters', 'last_epoch'], 1)
    super(o.optimizer, o.last_epoch)
    this.start_factor = o.start_factor ?? 1 / 3
    this.end_factor = o.end_factor ?? 1
    this.total_iters = o.total_iters ?? 5
    if (this.start_factor > 1 || this.start_factor <= 0) {
      throw valueError('Starting multiplicative factor expected to be greater than 0 and less or equal to 1.')
    }
    if (this.end_factor > 1 || this.end_factor < 0) throw valueError('Ending multiplicative factor expected to be between 0 and 1.')
    this.start()
  }
  override get_lr(): number[] {
    const epoch = this.last_epoch
    if (epoch === 0) return this.groups((lr) => lr * this.start_factor)
    if (epoch > this.total_iters) return this.groups((lr) => lr)
    const growth = this.end_factor - this.start_factor
    return this.groups((lr) => lr * (1 + growth / (this.total_iters * this.start_factor + (epoch - 1) * growth)))
  }
  protected override closed_form_lr(): number[] {
    const growth = this.end_factor - this.start_factor
    return this.base_lrs.map((lr) => lr * (this.start_factor + (growth * Math.min(this.total_iters, this.last_epoch)) / this.total_iters))
  }
}

export interface ExponentialLROptions {
  gamma: number
}

/** The rate times gamma every epoch. */
export class ExponentialLR extends LRScheduler {
  gamma: number
  constructor(...args: Arguments<[optimizer: Optimizer, gamma: number], [last_epoch: number], WithOptimizer<ExponentialLROptions>>) {
    const o = readArguments<WithOptimizer<ExponentialLROptions>>('ExponentialLR', args, ['optimizer', 'gamma', 'last_epoch'], 2)
    super(o.optimizer, o.last_epoch)
    this.gamma = o.gamma
    this.start()
  }
  override get_lr(): number[] {
    return this.groups((lr) => (this.last_epoch === 0 ? lr : lr * this.gamma))
  }
  protected override closed_form_lr(): number[] {
    return this.base_lrs.map((lr) => lr * pow(this.gamma, this.last_epoch))
  }
}

export interface PolynomialLROptions {
  /** Default: 5. */
  total_iters?: number
  /** Default: 1. */
  power?: number
}

/** The first rate times (1 − epoch / total_iters)^power. */
export class PolynomialLR extends LRScheduler {
  total_iters: number
  power: number
  constructor(...args: Arguments<[optimizer: Optimizer], [total_iters: number, power: number, last_epoch: number], WithOptimizer<PolynomialLROptions>>) {
    const o = readArguments<WithOptimizer<PolynomialLROptions>>('PolynomialLR', args, ['optimizer', 'total_iters', 'power', 'last_epoch'], 1)
    super(o.optimizer, o.last_epoch)
    this.total_iters = o.total_iters ?? 5
    this.power = o.power ?? 1
    this.start()
  }
  override get_lr(): number[] {
    const epoch = this.last_epoch
    if (epoch === 0 || epoch > this.total_iters) return this.groups((lr) => lr)
    const decay = pow((1 - epoch / this.total_iters) / (1 - (epoch - 1) / this.total_iters), this.power)
    return this.groups((lr) => lr * decay)
  }
  protected override closed_form_lr(): number[] {
    return this.base_lrs.map((lr) => lr * pow(1 - Math.min(this.total_iters, this.last_epoch) / this.total_iters, this.power))
  }
}

export interface CosineAnnealingLROptions {
  /** Half the period, in epochs. */
  T_max: number
  /** The smallest rate. Default: 0. */
  eta_min?: number
}

/** Half a cosine from the first rate down to eta_min in T_max epochs (Loshchilov and Hutter, 2016), and up again after. */
export class CosineAnnealingLR extends LRScheduler {
  T_max: number
  eta_min: number
  constructor(...args: Arguments<[optimizer: Optimizer, T_max: number], [eta_min: number, last_epoch: number], WithOptimizer<CosineAnnealingLROptions>>) {
    const o = readArguments<WithOptimizer<CosineAnnealingLROptions>>('CosineAnnealingLR', args, ['optimizer', 'T_max', 'eta_min', 'last_epoch'], 2)
    super(o.optimizer, o.last_epoch)
    this.T_max = o.T_max
    this.eta_min = o.eta_min ?? 0
    this.start()
  }
  override get_lr(): number[] {
    const { last_epoch: epoch, T_max, eta_min } = this
    if (epoch === 0) return this.groups((lr) => lr)
    if (this._step_count === 1 && epoch > 0) {
      return this.base_lrs.map((lr) => eta_min + ((lr - eta_min) * (1 + cos((epoch * Math.PI) / T_max))) / 2)
    }
    if ((epoch - 1 - T_max) % (2 * T_max) === 0) {
      return this.groups((lr, _, i) => lr + (((this.base_lrs[i] as number) - eta_min) * (1 - cos(Math.PI / T_max))) / 2)
    }
    const ratio = (1 + cos((Math.PI * epoch) / T_max)) / (1 + cos((Math.PI * (epoch - 1)) / T_max))
    return this.groups((lr) => ratio * (lr - eta_min) + eta_min)
  }
  protected override closed_form_lr(): number[] {
    return this.base_lrs.map((lr) => this.eta_min + ((lr - this.eta_min) * (1 + cos((Math.PI * this.last_epoch) / this.T_max))) / 2)
  }
}

export interface CosineAnnealingWarmRestartsOptions {
  /** Epochs until the first restart. */
  T_0: number
  /** How much longer each period is than the one before. Default: 1. */
  T_mult?: number
  /** The smallest rate. Default: 0. */
  eta_min?: number
}

/** Half a cosine from the first rate down to eta_min, again and again (SGDR). Throws a ValueError for T_0 or T_mult out of range. */
export class CosineAnnealingWarmRestarts extends LRScheduler {
  T_0: number
  T_i: number
  T_mult: number
  eta_min: number
  T_cur: number
  constructor(
    ...args: Arguments<
      [optimizer: Optimizer, T_0: number],
      [T_mult: number, eta_min: number, last_epoch: number],
      WithOptimizer<CosineAnnealingWarmRestartsOptions>
    >
  ) {
    const o = readArguments<WithOptimizer<CosineAnnealingWarmRestartsOptions>>(
      'CosineAnnealingWarmRestarts', args, ['optimizer', 'T_0', 'T_mult', 'eta_min', 'last_epoch'], 2,
    )
    const { T_0, T_mult = 1, eta_min = 0, last_epoch = -1 } = o
    if (T_0 <= 0 || !Number.isInteger(T_0)) throw valueError(`Expected positive integer T_0, but got ${T_0}`)
    if (T_mult < 1 || !Number.isInteger(T_mult)) throw valueError(`Expected integer T_mult >= 1, but got ${T_mult}`)
    super(o.optimizer, last_epoch)
    this.T_0 = T_0
    this.T_i = T_0
    this.T_mult = T_mult
    this.eta_min = eta_min
    this.T_cur = last_epoch
    this.start()
  }
  override get_lr(): number[] {
    return this.base_lrs.map((lr) => this.eta_min + ((lr - this.eta_min) * (1 + cos((Math.PI * this.T_cur) / this.T_i))) / 2)
  }
  protected override advance(epoch: number | null): void {
    let at = epoch ?? (this.last_epoch < 0 ? 0 : null)
    if (at === null) {
      at = this.last_epoch + 1
      this.T_cur++
      if (this.T_cur >= this.T_i) {
        this.T_cur -= this.T_i
        this.T_i *= this.T_mult
      }
    } else {
      if (at < 0) throw valueError(`Expected non-negative epoch, but got ${at}`)
      this.#goTo(at)
    }
    this.last_epoch = Math.floor(at)
    this.setRates(this.get_lr())
  }
  #goTo(epoch: number): void {
    const { T_0, T_mult } = this
    if (epoch < T_0) {
      this.T_i = T_0
      this.T_cur = epoch
    } else if (T_mult === 1) {
      this.T_cur = epoch % T_0
    } else {
      const n = Math.floor(Math.log((epoch / T_0) * (T_mult - 1) + 1) / Math.log(T_mult))
      this.T_cur = epoch - (T_0 * (T_mult ** n - 1)) / (T_mult - 1)
      this.T_i = T_0 * T_mult ** n
    }
  }
}

/** One number for all groups, or one each. */
function each(name: string, optimizer: Optimizer, value: number | readonly number[]): number[] {
  const n = optimizer.param_groups.length
  if (typeof value === 'number') return new Array<number>(n).fill(value)
  if (value.length !== n) throw valueError(`${name} must have the same length as optimizer.param_groups. ${name} has ${value.length} values, param_groups has ${n}.`)
  return [...value]
}

function setMomentum(group: ParamGroup, useBeta1: boolean, value: number): void {
  if (useBeta1) group['betas'] = [value, ...(group['betas'] as unknown[]).slice(1)]
  else setOption(group, 'momentum', value)
}

function checkMomentum(optimizer: Optimizer): boolean {
  if (!('momentum' in optimizer.defaults) && !('betas' in optimizer.defaults)) {
    throw valueError('optimizer must support momentum or beta1 with `cycle_momentum` option enabled')
  }
  return 'betas' in optimizer.defaults
}

export interface CyclicLROptions {
  base_lr: number | readonly number[]
  max_lr: number | readonly number[]
  /** Default: 2000. */
  step_size_up?: number
  /** Default: step_size_up. */
  step_size_down?: number | null
  /** Default: 'triangular'. */
  mode?: 'triangular' | 'triangular2' | 'exp_range'
  /** Default: 1. */
  gamma?: number
  scale_fn?: ((x: number) => number) | null
  /** What scale_fn is given. Default: 'cycle'. */
  scale_mode?: 'cycle' | 'iterations'
  /** Move the momentum the other way. Default: true. */
  cycle_momentum?: boolean
  /** Default: 0.8. */
  base_momentum?: number | readonly number[]
  /** Default: 0.9. */
  max_momentum?: number | readonly number[]
}

/** Up from base_lr to max_lr and down again, in cycles of steps (Smith, 2015). */
export class CyclicLR extends LRScheduler {
  max_lrs: number[]
  total_size: number
  step_ratio: number
  mode: string
  gamma: number
  scale_mode: string
  cycle_momentum: boolean
  declare use_beta1: boolean
  declare base_momentums: number[]
  declare max_momentums: number[]
  readonly #scale: (x: number) => number

  constructor(
    ...args: Arguments<
      [optimizer: Optimizer, base_lr: number | readonly number[], max_lr: number | readonly number[]],
      [step_size_up: number, step_size_down: number | null, mode: 'triangular' | 'triangular2' | 'exp_range', gamma: number],
      WithOptimizer<CyclicLROptions>
    >
  ) {
    const o = readArguments<WithOptimizer<CyclicLROptions>>(
      'CyclicLR',
      args,
      [
        'optimizer', 'base_lr', 'max_lr', 'step_size_up', 'step_size_down', 'mode', 'gamma', 'scale_fn', 'scale_mode', 'cycle_momentum',
        'base_momentum', 'max_momentum', 'last_epoch',
      ],
      3,
    )
    const { optimizer, step_size_up: up = 2000, mode = 'triangular', gamma = 1, last_epoch = -1 } = o
    super(optimizer, last_epoch)
    const base = each('base_lr', optimizer, o.base_lr)
    if (last_epoch === -1) optimizer.param_groups.forEach((group, i) => setOption(group, 'lr', base[i] as number))
    this.max_lrs = each('max_lr', optimizer, o.max_lr)
    this.total_size = up + (o.step_size_down ?? up)
    this.step_ratio = up / this.total_size
    if (!['triangular', 'triangular2', 'exp_range'].includes(mode) && !o.scale_fn) throw valueError('mode is invalid and scale_fn is None')
    this.mode = mode
    this.gamma = gamma
    const scales = { triangular: () => 1, triangular2: (x: number) => 1 / 2 ** (x - 1), exp_range: (x: number) => pow(gamma, x) }
    this.#scale = o.scale_fn ?? scales[mode]
    this.scale_mode = o.scale_fn ? (o.scale_mode ?? 'cycle') : mode === 'exp_range' ? 'iterations' : 'cycle'
    this.cycle_momentum = o.cycle_momentum ?? true
    if (this.cycle_momentum) {
      this.use_beta1 = checkMomentum(optimizer)
      this.base_momentums = each('base_momentum', optimizer, o.base_momentum ?? 0.8)
      this.max_momentums = each('max_momentum', optimizer, o.max_momentum ?? 0.9)
      if (last_epoch === -1) {
        optimizer.param_groups.forEach((group, i) => {
          setMomentum(group, this.use_beta1, this.max_momentums[i] as number)
          group['max_momentum'] = this.max_momentums[i]
          group['base_momentum'] = this.base_momentums[i]
        })
      }
    }
    this.rememberInitial(last_epoch)
    this.base_lrs = base
    this.last_epoch = last_epoch
    this.initialStep()
  }

  override get_lr(): number[] {
    const cycle = Math.floor(1 + this.last_epoch / this.total_size)
    const x = 1 + this.last_epoch / this.total_size - cycle
    const factor = x <= this.step_ratio ? x / this.step_ratio : (x - 1) / (this.step_ratio - 1)
    const scale = this.#scale(this.scale_mode === 'cycle' ? cycle : this.last_epoch)
    if (this.cycle_momentum) {
      this.optimizer.param_groups.forEach((group, i) => {
        const most = this.max_momentums[i] as number
        setMomentum(group, this.use_beta1, most - (most - (this.base_momentums[i] as number)) * factor * scale)
      })
    }
    return this.base_lrs.map((lr, i) => lr + ((this.max_lrs[i] as number) - lr) * factor * scale)
  }
}

interface Phase {
  end_step: number
  start_lr: string
  end_lr: string
  start_momentum: string
  end_momentum: string
}

export interface OneCycleLROptions {
  max_lr: number | readonly number[]
  /** How many steps there are; or epochs and steps_per_epoch. */
  total_steps?: number | null
  epochs?: number | null
  steps_per_epoch?: number | null
  /** The part of the cycle in which the rate grows. Default: 0.3. */
  pct_start?: number
  /** Default: 'cos'. */
  anneal_strategy?: 'cos' | 'linear'
  /** Move the momentum the other way. Default: true. */
  cycle_momentum?: boolean
  /** Default: 0.85. */
  base_momentum?: number | readonly number[]
  /** Default: 0.95. */
  max_momentum?: number | readonly number[]
  /** max_lr over the first rate. Default: 25. */
  div_factor?: number
  /** The first rate over the last. Default: 1e4. */
  final_div_factor?: number
  /** Down to the first rate before the last phase. Default: false. */
  three_phase?: boolean
}

/** One cycle: up to max_lr, then down far below the first rate (Smith and Topin, 2017). Call `step()` after each batch. */
export class OneCycleLR extends LRScheduler {
  total_steps: number
  _schedule_phases: Phase[]
  cycle_momentum: boolean
  declare use_beta1: boolean
  readonly #anneal: (start: number, end: number, part: number) => number

  constructor(
    ...args: Arguments<
      [optimizer: Optimizer, max_lr: number | readonly number[]],
      [total_steps: number | null, epochs: number | null, steps_per_epoch: number | null, pct_start: number],
      WithOptimizer<OneCycleLROptions>
    >
  ) {
    const o = readArguments<WithOptimizer<OneCycleLROptions>>(
      'OneCycleLR',
      args,
      [
        'optimizer', 'max_lr', 'total_steps', 'epochs', 'steps_per_epoch', 'pct_start', 'anneal_strategy', 'cycle_momentum', 'base_momentum',
        'max_momentum', 'div_factor', 'final_div_factor', 'three_phase', 'last_epoch',
      ],
      2,
    )
    const { optimizer, pct_start = 0.3, anneal_strategy = 'cos', div_factor = 25, final_div_factor = 1e4, last_epoch = -1 } = o
    super(optimizer, last_epoch)
    const positive = (name: string, n: number): number => {
      if (!Number.isInteger(n) || n <= 0) throw valueError(`Expected positive integer ${name}, but got ${pythonRepr(n)}`)
      return n
    }
    if (o.total_steps !== undefined && o.total_steps !== null) this.total_steps = positive('total_steps', o.total_steps)
    else if (o.epochs !== undefined && o.epochs !== null && o.steps_per_epoch !== undefined && o.steps_per_epoch !== null) {
      this.total_steps = positive('epochs', o.epochs) * positive('steps_per_epoch', o.steps_per_epoch)
    } else throw valueError('You must define either total_steps OR (epochs AND steps_per_epoch)')

    const total = this.total_steps
    const up: Phase = {
      end_step: pct_start * total - 1,
      start_lr: 'initial_lr', end_lr: 'max_lr', start_momentum: 'max_momentum', end_momentum: 'base_momentum',
    }
    this._schedule_phases = o.three_phase
      ? [
          up,
          { end_step: 2 * pct_start * total - 2, start_lr: 'max_lr', end_lr: 'initial_lr', start_momentum: 'base_momentum', end_momentum: 'max_momentum' },
          { end_step: total - 1, start_lr: 'initial_lr', end_lr: 'min_lr', start_momentum: 'max_momentum', end_momentum: 'max_momentum' },
        ]
      : [up, { end_step: total - 1, start_lr: 'max_lr', end_lr: 'min_lr', start_momentum: 'base_momentum', end_momentum: 'max_momentum' }]
    if (!(pct_start >= 0 && pct_start <= 1)) throw valueError(`Expected float between 0 and 1 pct_start, but got ${pythonRepr(pct_start)}`)
    if (anneal_strategy !== 'cos' && anneal_strategy !== 'linear') {
      throw valueError(`anneal_strategy must be one of 'cos' or 'linear', instead got ${String(anneal_strategy)}`)
    }
    this.#anneal =
      anneal_strategy === 'cos'
        ? (start, end, part) => end + ((start - end) / 2) * (cos(Math.PI * part) + 1)
        : (start, end, part) => (end - start) * part + start

    const most = each('max_lr', optimizer, o.max_lr)
    if (last_epoch === -1) {
      optimizer.param_groups.forEach((group, i) => {
        const initial = (most[i] as number) / div_factor
        group['initial_lr'] = initial
        group['max_lr'] = most[i]
        group['min_lr'] = initial / final_div_factor
      })
    }
    this.cycle_momentum = o.cycle_momentum ?? true
    if (this.cycle_momentum) {
      this.use_beta1 = checkMomentum(optimizer)
      const max = each('max_momentum', optimizer, o.max_momentum ?? 0.95)
      const base = each('base_momentum', optimizer, o.base_momentum ?? 0.85)
      if (last_epoch === -1) {
        optimizer.param_groups.forEach((group, i) => {
          setMomentum(group, this.use_beta1, max[i] as number)
          group['max_momentum'] = max[i]
          group['base_momentum'] = base[i]
        })
      }
    } else this.use_beta1 = false
    this.start()
  }

  override get_lr(): number[] {
    const step = this.last_epoch
    if (step > this.total_steps) throw valueError(`Tried to step ${step} times. The specified number of total steps is ${this.total_steps}`)
    return this.groups((_, group) => {
      let start = 0
      const phases = this._schedule_phases
      const phase = phases.find((candidate, i) => {
        if (step <= candidate.end_step || i === phases.length - 1) return true
        start = candidate.end_step
        return false
      }) as Phase
      const part = (step - start) / (phase.end_step - start)
      const between = (from: string, to: string): number => this.#anneal(group[from] as number, group[to] as number, part)
      if (this.cycle_momentum) setMomentum(group, this.use_beta1, between(phase.start_momentum, phase.end_momentum))
      return between(phase.start_lr, phase.end_lr)
    })
  }
}

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
      'ReduceLROnPlateau', args,
      ['optimizer', 'mode', 'factor', 'patience', 'threshold', 'threshold_mode', 'cooldown', 'min_lr', 'eps'], 1,
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
    const o = readArguments<WithOptimizer<SequentialLROptions>>('SequentialLR', args, ['optimizer', 'schedulers', 'milestones', 'last_epoch'], 3)
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
      throw valueError(`${name} expects all schedulers to belong to the same optimizer, but got scheduler ${scheduler.constructor.name} at index ${i} has another one.`)
    }
  })
}

export interface ChainedSchedulerOptions {
  schedulers: readonly LRScheduler[]
}

/** Schedulers at once: each step steps all of them, in order. Throws a ValueError for none and for different optimizers. */
export class ChainedScheduler extends LRScheduler {
  readonly #schedulers: readonly LRScheduler[]

  constructor(...args: Arguments<[schedulers: readonly LRScheduler[]], [optimizer: Optimizer | null], ChainedSchedulerOptions & { optimizer?: Optimizer | null }>) {
    const o = readArguments<ChainedSchedulerOptions & { optimizer?: Optimizer | null }>('ChainedScheduler', args, ['schedulers', 'optimizer'], 1)
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
