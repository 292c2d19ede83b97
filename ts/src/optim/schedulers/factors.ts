// Schedulers that multiply the rate by a factor, by PyTorch's recursive formulas.

import { valueError } from '../../nn/errors.js'
import { readArguments, type Arguments } from '../../nn/options.js'
import { cos, pow } from '../exact.js'
import type { Optimizer } from '../optimizer.js'
import { countUpTo, LRScheduler, type WithOptimizer } from './base.js'

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

type LambdaArguments = Arguments<
  [optimizer: Optimizer, lr_lambda: LambdaLROptions['lr_lambda']],
  [last_epoch: number],
  WithOptimizer<LambdaLROptions>
>

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
  constructor(
    ...args: Arguments<[optimizer: Optimizer, step_size: number], [gamma: number, last_epoch: number], WithOptimizer<StepLROptions>>
  ) {
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
    ...args: Arguments<
      [optimizer: Optimizer, milestones: readonly number[]],
      [gamma: number, last_epoch: number],
      WithOptimizer<MultiStepLROptions>
    >
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
  constructor(
    ...args: Arguments<[optimizer: Optimizer], [factor: number, total_iters: number, last_epoch: number], WithOptimizer<ConstantLROptions>>
  ) {
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
    const o = readArguments<WithOptimizer<LinearLROptions>>(
      'LinearLR',
      args,
      ['optimizer', 'start_factor', 'end_factor', 'total_iters', 'last_epoch'],
      1,
    )
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
  constructor(
    ...args: Arguments<[optimizer: Optimizer], [total_iters: number, power: number, last_epoch: number], WithOptimizer<PolynomialLROptions>>
  ) {
    const o = readArguments<WithOptimizer<PolynomialLROptions>>(
      'PolynomialLR',
      args,
      ['optimizer', 'total_iters', 'power', 'last_epoch'],
      1,
    )
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
  constructor(
    ...args: Arguments<
      [optimizer: Optimizer, T_max: number],
      [eta_min: number, last_epoch: number],
      WithOptimizer<CosineAnnealingLROptions>
    >
  ) {
    const o = readArguments<WithOptimizer<CosineAnnealingLROptions>>(
      'CosineAnnealingLR',
      args,
      ['optimizer', 'T_max', 'eta_min', 'last_epoch'],
      2,
    )
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
