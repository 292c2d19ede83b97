// Losses: how far a result is from a target. `reduction` says what becomes of the single terms.

import type { Tensor } from '../tensor.js'
import type { DeviceType, DType } from '../types/dtype.js'
import type { LossForward, LossRule } from '../types/modules.js'
import type { SameDevice } from '../types/results.js'
import type { Shape } from '../types/shapes.js'
import { typeError } from './errors.js'
import { Module } from './module.js'
import { operator } from './operators.js'
import { readArguments, type Arguments } from './options.js'
import { typeName } from './text.js'

/** 'mean': one number, the mean of the terms; 'sum': their sum; 'none': the terms themselves. */
export type Reduction = 'none' | 'mean' | 'sum'

/** Options of every loss. */
export interface LossOptions<R extends string = Reduction, Old = boolean | null> {
  /** Default: 'mean'. */
  reduction?: R
  /** PyTorch's older way to say reduction. */
  size_average?: boolean | null
  /** PyTorch's older way to say reduction. */
  reduce?: Old
}
export interface WeightedLossOptions<R extends string = Reduction, Old = boolean | null> extends LossOptions<R, Old> {
  /** A factor a class, [C]. */
  weight?: Tensor | null
}
export interface CrossEntropyLossOptions<R extends string = Reduction, Old = boolean | null> extends WeightedLossOptions<R, Old> {
  /** Targets of this class do not count. Default: −100. */
  ignore_index?: number
  /** How much of the target's weight is spread over all classes. Default: 0. */
  label_smoothing?: number
}
export interface NLLLossOptions<R extends string = Reduction, Old = boolean | null> extends WeightedLossOptions<R, Old> {
  /** Targets of this class do not count. Default: −100. */
  ignore_index?: number
}
export interface BCEWithLogitsLossOptions<R extends string = Reduction, Old = boolean | null> extends WeightedLossOptions<R, Old> {
  /** A factor for the positive targets, broadcast with them. */
  pos_weight?: Tensor | null
}
export type BCELossOptions<R extends string = Reduction, Old = boolean | null> = WeightedLossOptions<R, Old>
export type MSELossOptions<R extends string = Reduction, Old = boolean | null> = LossOptions<R, Old>
export type L1LossOptions<R extends string = Reduction, Old = boolean | null> = LossOptions<R, Old>
export interface SmoothL1LossOptions<R extends string = Reduction, Old = boolean | null> extends LossOptions<R, Old> {
  /** Where the square ends and the line begins. Default: 1. */
  beta?: number
}
export interface HuberLossOptions<R extends string = Reduction> {
  reduction?: R
  /** Where the square ends and the line begins. Default: 1. */
  delta?: number
}
export interface KLDivLossOptions<R extends string = Reduction | 'batchmean', Old = boolean | null> extends LossOptions<R, Old> {
  /** The target is given as logarithms. Default: false. */
  log_target?: boolean
}
export interface SoftMarginLossOptions<R extends string = Reduction, Old = boolean | null> extends LossOptions<R, Old> {}
export interface MarginLossOptions<R extends string = Reduction, Old = boolean | null> extends LossOptions<R, Old> {
  margin?: number
}
export interface PoissonNLLLossOptions<R extends string = Reduction, Old = boolean | null> extends LossOptions<R, Old> {
  /** The input is the logarithm of the mean. Default: true. */
  log_input?: boolean
  /** Add Stirling's term. Default: false. */
  full?: boolean
  /** Default: 1e-8. */
  eps?: number
}
/** What older code says with two flags. */
function reductionOf(o: LossOptions<string>): string {
  if (o.size_average === undefined && o.reduce === undefined) return o.reduction ?? 'mean'
  if ((o.size_average ?? null) === null && (o.reduce ?? null) === null) return o.reduction ?? 'mean'
  if (!(o.reduce ?? true)) return 'none'
  return (o.size_average ?? true) ? 'mean' : 'sum'
}

/** @internal */
export abstract class Loss extends Module {
  readonly reduction: string
  /** What differs from the operator's defaults. */
  readonly #keywords: Record<string, unknown> = {}

  constructor(o: LossOptions<string>) {
    super()
    this.reduction = reductionOf(o)
    if (this.reduction !== 'mean') this.#keywords['reduction'] = this.reduction
  }

  protected keyword(name: string, value: unknown, usual: unknown): void {
    if (value !== undefined && value !== usual) this.#keywords[name] = value
  }

  /** The arguments after the tensors: nothing where all is as usual, which is the quick way. */
  protected rest(tensors: Readonly<Record<string, Tensor | null>> = {}): unknown[] {
    const given = Object.entries(tensors).filter(([, tensor]) => tensor !== null)
    if (given.length > 0) return [{ ...this.#keywords, ...Object.fromEntries(given) }]
    return Object.keys(this.#keywords).length > 0 ? [this.#keywords] : []
  }
}

/** @internal */
export abstract class WeightedLoss extends Loss {
  declare weight: Tensor | null

  constructor(o: WeightedLossOptions) {
    super(o)
    this.register_buffer('weight', o.weight ?? null)
  }
}

const F = {
  cross_entropy: operator('cross_entropy'),
  nll_loss: operator('nll_loss'),
  mse_loss: operator('mse_loss'),
  l1_loss: operator('l1_loss'),
  smooth_l1_loss: operator('smooth_l1_loss'),
  huber_loss: operator('huber_loss'),
  binary_cross_entropy: operator('binary_cross_entropy'),
  binary_cross_entropy_with_logits: operator('binary_cross_entropy_with_logits'),
  kl_div: operator('kl_div'),
  soft_margin_loss: operator('soft_margin_loss'),
  hinge_embedding_loss: operator('hinge_embedding_loss'),
  margin_ranking_loss: operator('margin_ranking_loss'),
  cosine_embedding_loss: operator('cosine_embedding_loss'),
  poisson_nll_loss: operator('poisson_nll_loss'),
}

/** @internal */
export type Legacy<R = Reduction, Old = boolean | null> = [size_average: boolean | null, reduce: Old, reduction: R]

/**
 * Cross entropy between logits and classes. Input [N, C, ...] or [C]; target int64 class numbers [N, ...] or [], or probabilities of the
 * input's shape. log_softmax and the negative log likelihood in one.
 */
export class CrossEntropyLoss<const R extends Reduction = 'mean', const Old extends boolean | null = null> extends WeightedLoss {
  /** @internal */
  declare readonly loss_rule?: LossRule<'classes', R, Old>
  readonly ignore_index: number
  readonly label_smoothing: number

  constructor(
    ...args: Arguments<
      [],
      [weight: Tensor | null, size_average: boolean | null, ignore_index: number, reduce: Old, reduction: R, label_smoothing: number],
      CrossEntropyLossOptions<R, Old>
    >
  ) {
    const o = readArguments<CrossEntropyLossOptions>('CrossEntropyLoss', args, [
      'weight',
      'size_average',
      'ignore_index',
      'reduce',
      'reduction',
      'label_smoothing',
    ])
    super(o)
    this.ignore_index = o.ignore_index ?? -100
    this.label_smoothing = o.label_smoothing ?? 0
    this.keyword('ignore_index', this.ignore_index, -100)
    this.keyword('label_smoothing', this.label_smoothing, 0)
  }
  override forward<
    M extends Module,
    A extends Shape,
    D extends DType,
    Dev extends DeviceType,
    B extends Shape,
    TD extends DType,
    BDev extends DeviceType,
  >(this: M, input: Tensor<A, D, Dev>, target: Tensor<B, TD, BDev>): LossForward<M, readonly [A, B], D, TD, SameDevice<Dev, BDev>>
  override forward(input: Tensor, target: Tensor): unknown {
    return F.cross_entropy(input, target, ...this.rest({ weight: this.weight }))
  }
}

/** Negative log likelihood of log probabilities. Input [N, C, ...] or [C], target int64 class numbers [N, ...] or []. */
export class NLLLoss<const R extends Reduction = 'mean', const Old extends boolean | null = null> extends WeightedLoss {
  /** @internal */
  declare readonly loss_rule?: LossRule<'classes', R, Old>
  readonly ignore_index: number

  constructor(
    ...args: Arguments<
      [],
      [weight: Tensor | null, size_average: boolean | null, ignore_index: number, reduce: Old, reduction: R],
      NLLLossOptions<R, Old>
    >
  ) {
    const o = readArguments<NLLLossOptions>('NLLLoss', args, ['weight', 'size_average', 'ignore_index', 'reduce', 'reduction'])
    super(o)
    this.ignore_index = o.ignore_index ?? -100
    this.keyword('ignore_index', this.ignore_index, -100)
  }
  override forward<
    M extends Module,
    A extends Shape,
    D extends DType,
    Dev extends DeviceType,
    B extends Shape,
    TD extends DType,
    BDev extends DeviceType,
  >(this: M, input: Tensor<A, D, Dev>, target: Tensor<B, TD, BDev>): LossForward<M, readonly [A, B], D, TD, SameDevice<Dev, BDev>>
  override forward(input: Tensor, target: Tensor): unknown {
    return F.nll_loss(input, target, ...this.rest({ weight: this.weight }))
  }
}

/** (input − target)². Both of one shape. */
export class MSELoss<const R extends Reduction = 'mean', const Old extends boolean | null = null> extends Loss {
  /** @internal */
  declare readonly loss_rule?: LossRule<'pair', R, Old>
  constructor(options?: MSELossOptions<R, Old>)
  constructor(...args: Arguments<[], Legacy<R, Old>, MSELossOptions<R, Old>>)
  constructor(...args: readonly unknown[]) {
    super(readArguments<MSELossOptions>('MSELoss', args, ['size_average', 'reduce', 'reduction']))
  }
  override forward<
    M extends Module,
    A extends Shape,
    D extends DType,
    Dev extends DeviceType,
    B extends Shape,
    TD extends DType,
    BDev extends DeviceType,
  >(this: M, input: Tensor<A, D, Dev>, target: Tensor<B, TD, BDev>): LossForward<M, readonly [A, B], D, TD, SameDevice<Dev, BDev>>
  override forward(input: Tensor, target: Tensor): unknown {
    return F.mse_loss(input, target, ...this.rest())
  }
}

/** |input − target|. Both of one shape. */
export class L1Loss<const R extends Reduction = 'mean', const Old extends boolean | null = null> extends Loss {
  /** @internal */
  declare readonly loss_rule?: LossRule<'pair', R, Old>
  constructor(options?: L1LossOptions<R, Old>)
  constructor(...args: Arguments<[], Legacy<R, Old>, L1LossOptions<R, Old>>)
  constructor(...args: readonly unknown[]) {
    super(readArguments<L1LossOptions>('L1Loss', args, ['size_average', 'reduce', 'reduction']))
  }
  override forward<
    M extends Module,
    A extends Shape,
    D extends DType,
    Dev extends DeviceType,
    B extends Shape,
    TD extends DType,
    BDev extends DeviceType,
  >(this: M, input: Tensor<A, D, Dev>, target: Tensor<B, TD, BDev>): LossForward<M, readonly [A, B], D, TD, SameDevice<Dev, BDev>>
  override forward(input: Tensor, target: Tensor): unknown {
    return F.l1_loss(input, target, ...this.rest())
  }
}

/** (input − target)² / (2 beta) where the difference is below beta, else |input − target| − beta / 2. */
export class SmoothL1Loss<const R extends Reduction = 'mean', const Old extends boolean | null = null> extends Loss {
  /** @internal */
  declare readonly loss_rule?: LossRule<'pair', R, Old>
  readonly beta: number
  constructor(options?: SmoothL1LossOptions<R, Old>)
  constructor(...args: Arguments<[], [...Legacy<R, Old>, beta: number], SmoothL1LossOptions<R, Old>>)
  constructor(...args: readonly unknown[]) {
    const o = readArguments<SmoothL1LossOptions>('SmoothL1Loss', args, ['size_average', 'reduce', 'reduction', 'beta'])
    super(o)
    this.beta = o.beta ?? 1
    this.keyword('beta', this.beta, 1)
  }
  override forward<
    M extends Module,
    A extends Shape,
    D extends DType,
    Dev extends DeviceType,
    B extends Shape,
    TD extends DType,
    BDev extends DeviceType,
  >(this: M, input: Tensor<A, D, Dev>, target: Tensor<B, TD, BDev>): LossForward<M, readonly [A, B], D, TD, SameDevice<Dev, BDev>>
  override forward(input: Tensor, target: Tensor): unknown {
    return F.smooth_l1_loss(input, target, ...this.rest())
  }
}

/** (input − target)² / 2 where the difference is below delta, else delta (|input − target| − delta / 2). */
export class HuberLoss<const R extends Reduction = 'mean'> extends Loss {
  /** @internal */
  declare readonly loss_rule?: LossRule<'pair', R>
  readonly delta: number
  constructor(options?: HuberLossOptions<R>)
  constructor(...args: Arguments<[], [reduction: R, delta: number], HuberLossOptions<R>>)
  constructor(...args: readonly unknown[]) {
    const o = readArguments<HuberLossOptions>('HuberLoss', args, ['reduction', 'delta'])
    super(o)
    this.delta = o.delta ?? 1
    if (typeof this.delta !== 'number')
      throw typeError(`delta must be a float or int, got: <class '${complexOr(typeName(this.delta), this.delta)}'>`)
    this.keyword('delta', this.delta, 1)
  }
  override forward<
    M extends Module,
    A extends Shape,
    D extends DType,
    Dev extends DeviceType,
    B extends Shape,
    TD extends DType,
    BDev extends DeviceType,
  >(this: M, input: Tensor<A, D, Dev>, target: Tensor<B, TD, BDev>): LossForward<M, readonly [A, B], D, TD, SameDevice<Dev, BDev>>
  override forward(input: Tensor, target: Tensor): unknown {
    return F.huber_loss(input, target, ...this.rest())
  }
}

function complexOr(name: string, value: unknown): string {
  return typeof value === 'object' && value !== null && 're' in value && 'im' in value ? 'complex' : name
}

/** Cross entropy of probabilities in [0, 1] and targets in [0, 1] of the same shape. */
export class BCELoss<const R extends Reduction = 'mean', const Old extends boolean | null = null> extends WeightedLoss {
  /** @internal */
  declare readonly loss_rule?: LossRule<'input', R, Old>
  constructor(...args: Arguments<[], [weight: Tensor | null, ...Legacy<R, Old>], BCELossOptions<R, Old>>) {
    super(readArguments<BCELossOptions>('BCELoss', args, ['weight', 'size_average', 'reduce', 'reduction']))
  }
  override forward<
    M extends Module,
    A extends Shape,
    D extends DType,
    Dev extends DeviceType,
    B extends Shape,
    TD extends DType,
    BDev extends DeviceType,
  >(this: M, input: Tensor<A, D, Dev>, target: Tensor<B, TD, BDev>): LossForward<M, readonly [A, B], D, TD, SameDevice<Dev, BDev>>
  override forward(input: Tensor, target: Tensor): unknown {
    return F.binary_cross_entropy(input, target, ...this.rest({ weight: this.weight }))
  }
}

/** BCELoss of sigmoid(input), computed without overflow. Targets in [0, 1] of the input's shape. */
export class BCEWithLogitsLoss<const R extends Reduction = 'mean', const Old extends boolean | null = null> extends WeightedLoss {
  /** @internal */
  declare readonly loss_rule?: LossRule<'input', R, Old>
  declare pos_weight: Tensor | null

  constructor(
    ...args: Arguments<[], [weight: Tensor | null, ...Legacy<R, Old>, pos_weight: Tensor | null], BCEWithLogitsLossOptions<R, Old>>
  ) {
    const o = readArguments<BCEWithLogitsLossOptions>('BCEWithLogitsLoss', args, [
      'weight',
      'size_average',
      'reduce',
      'reduction',
      'pos_weight',
    ])
    super(o)
    this.register_buffer('pos_weight', o.pos_weight ?? null)
  }
  override forward<
    M extends Module,
    A extends Shape,
    D extends DType,
    Dev extends DeviceType,
    B extends Shape,
    TD extends DType,
    BDev extends DeviceType,
  >(this: M, input: Tensor<A, D, Dev>, target: Tensor<B, TD, BDev>): LossForward<M, readonly [A, B], D, TD, SameDevice<Dev, BDev>>
  override forward(input: Tensor, target: Tensor): unknown {
    return F.binary_cross_entropy_with_logits(input, target, ...this.rest({ weight: this.weight, pos_weight: this.pos_weight }))
  }
}

/** target · (log target − input): the divergence of the target from the log probabilities that are the input. */
export class KLDivLoss<const R extends Reduction | 'batchmean' = 'mean', const Old extends boolean | null = null> extends Loss {
  /** @internal */
  declare readonly loss_rule?: LossRule<'pair', R, Old>
  readonly log_target: boolean
  constructor(options?: KLDivLossOptions<R, Old>)
  constructor(
    ...args: Arguments<[], [size_average: boolean | null, reduce: Old, reduction: R, log_target: boolean], KLDivLossOptions<R, Old>>
  )
  constructor(...args: readonly unknown[]) {
    const o = readArguments<KLDivLossOptions>('KLDivLoss', args, ['size_average', 'reduce', 'reduction', 'log_target'])
    super(o)
    this.log_target = o.log_target ?? false
    this.keyword('log_target', this.log_target, false)
  }
  override forward<
    M extends Module,
    A extends Shape,
    D extends DType,
    Dev extends DeviceType,
    B extends Shape,
    TD extends DType,
    BDev extends DeviceType,
  >(this: M, input: Tensor<A, D, Dev>, target: Tensor<B, TD, BDev>): LossForward<M, readonly [A, B], D, TD, SameDevice<Dev, BDev>>
  override forward(input: Tensor, target: Tensor): unknown {
    return F.kl_div(input, target, ...this.rest())
  }
}

/** log(1 + exp(−target · input)), targets 1 and −1. */
export class SoftMarginLoss<const R extends Reduction = 'mean', const Old extends boolean | null = null> extends Loss {
  /** @internal */
  declare readonly loss_rule?: LossRule<'pair', R, Old>
  constructor(options?: SoftMarginLossOptions<R, Old>)
  constructor(...args: Arguments<[], Legacy<R, Old>, SoftMarginLossOptions<R, Old>>)
  constructor(...args: readonly unknown[]) {
    super(readArguments<SoftMarginLossOptions>('SoftMarginLoss', args, ['size_average', 'reduce', 'reduction']))
  }
  override forward<
    M extends Module,
    A extends Shape,
    D extends DType,
    Dev extends DeviceType,
    B extends Shape,
    TD extends DType,
    BDev extends DeviceType,
  >(this: M, input: Tensor<A, D, Dev>, target: Tensor<B, TD, BDev>): LossForward<M, readonly [A, B], D, TD, SameDevice<Dev, BDev>>
  override forward(input: Tensor, target: Tensor): unknown {
    return F.soft_margin_loss(input, target, ...this.rest())
  }
}

/** input where the target is 1, max(0, margin − input) where it is −1. */
export class HingeEmbeddingLoss<const R extends Reduction = 'mean', const Old extends boolean | null = null> extends Loss {
  /** @internal */
  declare readonly loss_rule?: LossRule<'pair', R, Old>
  readonly margin: number
  constructor(...args: Arguments<[], [margin: number, ...Legacy<R, Old>], MarginLossOptions<R, Old>>) {
    const o = readArguments<MarginLossOptions>('HingeEmbeddingLoss', args, ['margin', 'size_average', 'reduce', 'reduction'])
    super(o)
    this.margin = o.margin ?? 1
    this.keyword('margin', this.margin, 1)
  }
  override forward<
    M extends Module,
    A extends Shape,
    D extends DType,
    Dev extends DeviceType,
    B extends Shape,
    TD extends DType,
    BDev extends DeviceType,
  >(this: M, input: Tensor<A, D, Dev>, target: Tensor<B, TD, BDev>): LossForward<M, readonly [A, B], D, TD, SameDevice<Dev, BDev>>
  override forward(input: Tensor, target: Tensor): unknown {
    return F.hinge_embedding_loss(input, target, ...this.rest())
  }
}

/** max(0, −target · (input1 − input2) + margin), targets 1 and −1. */
export class MarginRankingLoss<const R extends Reduction = 'mean', const Old extends boolean | null = null> extends Loss {
  /** @internal */
  declare readonly loss_rule?: LossRule<'three', R, Old>
  readonly margin: number
  constructor(...args: Arguments<[], [margin: number, ...Legacy<R, Old>], MarginLossOptions<R, Old>>) {
    const o = readArguments<MarginLossOptions>('MarginRankingLoss', args, ['margin', 'size_average', 'reduce', 'reduction'])
    super(o)
    this.margin = o.margin ?? 0
    this.keyword('margin', this.margin, 0)
  }
  override forward<
    M extends Module,
    A extends Shape,
    D extends DType,
    Dev extends DeviceType,
    B extends Shape,
    TD extends DType,
    BDev extends DeviceType,
    C extends Shape,
    CDev extends DeviceType,
  >(
    this: M,
    input1: Tensor<A, D, Dev>,
    input2: Tensor<B, TD, BDev>,
    target: Tensor<C, DType, CDev>,
  ): LossForward<M, readonly [A, B, C], D, TD, SameDevice<Dev, BDev>>
  override forward(input1: Tensor, input2: Tensor, target: Tensor): unknown {
    return F.margin_ranking_loss(input1, input2, target, ...this.rest())
  }
}

/** 1 − cos(input1, input2) where the target is 1, max(0, cos − margin) where it is −1. */
export class CosineEmbeddingLoss<const R extends Reduction = 'mean', const Old extends boolean | null = null> extends Loss {
  /** @internal */
  declare readonly loss_rule?: LossRule<'third', R, Old>
  readonly margin: number
  constructor(...args: Arguments<[], [margin: number, ...Legacy<R, Old>], MarginLossOptions<R, Old>>) {
    const o = readArguments<MarginLossOptions>('CosineEmbeddingLoss', args, ['margin', 'size_average', 'reduce', 'reduction'])
    super(o)
    this.margin = o.margin ?? 0
    this.keyword('margin', this.margin, 0)
  }
  override forward<
    M extends Module,
    A extends Shape,
    D extends DType,
    Dev extends DeviceType,
    B extends Shape,
    TD extends DType,
    BDev extends DeviceType,
    C extends Shape,
    CDev extends DeviceType,
  >(
    this: M,
    input1: Tensor<A, D, Dev>,
    input2: Tensor<B, TD, BDev>,
    target: Tensor<C, DType, CDev>,
  ): LossForward<M, readonly [A, B, C], D, TD, SameDevice<Dev, BDev>>
  override forward(input1: Tensor, input2: Tensor, target: Tensor): unknown {
    return F.cosine_embedding_loss(input1, input2, target, ...this.rest())
  }
}

/** Negative log likelihood of counts under a Poisson distribution. */
export class PoissonNLLLoss<const R extends Reduction = 'mean', const Old extends boolean | null = null> extends Loss {
  /** @internal */
  declare readonly loss_rule?: LossRule<'pair', R, Old>
  readonly log_input: boolean
  readonly full: boolean
  readonly eps: number
  constructor(
    ...args: Arguments<
      [],
      [log_input: boolean, full: boolean, size_average: boolean | null, eps: number, reduce: Old, reduction: R],
      PoissonNLLLossOptions<R, Old>
    >
  ) {
    const o = readArguments<PoissonNLLLossOptions>('PoissonNLLLoss', args, [
      'log_input',
      'full',
      'size_average',
      'eps',
      'reduce',
      'reduction',
    ])
    super(o)
    this.log_input = o.log_input ?? true
    this.full = o.full ?? false
    this.eps = o.eps ?? 1e-8
    this.keyword('log_input', this.log_input, true)
    this.keyword('full', this.full, false)
    this.keyword('eps', this.eps, 1e-8)
  }
  override forward<
    M extends Module,
    A extends Shape,
    D extends DType,
    Dev extends DeviceType,
    B extends Shape,
    TD extends DType,
    BDev extends DeviceType,
  >(this: M, log_input: Tensor<A, D, Dev>, target: Tensor<B, TD, BDev>): LossForward<M, readonly [A, B], D, TD, SameDevice<Dev, BDev>>
  override forward(log_input: Tensor, target: Tensor): unknown {
    return F.poisson_nll_loss(log_input, target, ...this.rest())
  }
}
