// Schedulers that go up and down.

import { valueError } from '../../nn/errors.js'
import { readArguments, type Arguments } from '../../nn/options.js'
import { pythonRepr } from '../../nn/text.js'
import { cos, pow } from '../exact.js'
import type { Optimizer, ParamGroup } from '../optimizer.js'
import { LRScheduler, setOption, type WithOptimizer } from './base.js'

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
      'CosineAnnealingWarmRestarts',
      args,
      ['optimizer', 'T_0', 'T_mult', 'eta_min', 'last_epoch'],
      2,
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
  if (value.length !== n)
    throw valueError(
      `${name} must have the same length as optimizer.param_groups. ${name} has ${value.length} values, param_groups has ${n}.`,
    )
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
        'optimizer',
        'base_lr',
        'max_lr',
        'step_size_up',
        'step_size_down',
        'mode',
        'gamma',
        'scale_fn',
        'scale_mode',
        'cycle_momentum',
        'base_momentum',
        'max_momentum',
        'last_epoch',
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
        'optimizer',
        'max_lr',
        'total_steps',
        'epochs',
        'steps_per_epoch',
        'pct_start',
        'anneal_strategy',
        'cycle_momentum',
        'base_momentum',
        'max_momentum',
        'div_factor',
        'final_div_factor',
        'three_phase',
        'last_epoch',
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
      start_lr: 'initial_lr',
      end_lr: 'max_lr',
      start_momentum: 'max_momentum',
      end_momentum: 'base_momentum',
    }
    this._schedule_phases = o.three_phase
      ? [
          up,
          {
            end_step: 2 * pct_start * total - 2,
            start_lr: 'max_lr',
            end_lr: 'initial_lr',
            start_momentum: 'base_momentum',
            end_momentum: 'max_momentum',
          },
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
