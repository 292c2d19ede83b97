// Losses of distances, margins and labels.

import type { Tensor } from '../tensor.js'
import { valueError } from './errors.js'
import type { DeviceInput } from '../device.js'
import type { DeviceType, DType } from '../types/dtype.js'
import type { LossForward, LossRule } from '../types/modules.js'
import type { SameDevice } from '../types/results.js'
import type { Shape } from '../types/shapes.js'
import { PairwiseDistance } from './distance.js'
import { triplet_margin_with_distance_loss, type Distance } from './functional_loss.js'
import { Loss, WeightedLoss, type Legacy, type LossOptions, type Reduction, type WeightedLossOptions } from './loss.js'
import { Linear, type FactoryOptions } from './linear.js'
import { Module } from './module.js'
import { operator } from './operators.js'
import { readArguments, type Arguments } from './options.js'
import { pythonFloat, pythonRepr } from './text.js'

const F = {
  gaussian_nll_loss: operator('gaussian_nll_loss'),
  triplet_margin_loss: operator('triplet_margin_loss'),
  multi_margin_loss: operator('multi_margin_loss'),
  multilabel_margin_loss: operator('multilabel_margin_loss'),
  multilabel_soft_margin_loss: operator('multilabel_soft_margin_loss'),
  ctc_loss: operator('ctc_loss'),
  linear_cross_entropy: operator('linear_cross_entropy'),
}

export interface GaussianNLLLossOptions<R extends string = Reduction> {
  /** Add the constant term. Default: false. */
  full?: boolean
  /** The least variance. Default: 1e-6. */
  eps?: number
  reduction?: R
}
/** Negative log likelihood under Gaussian distributions with the input as means. */
export class GaussianNLLLoss<const R extends Reduction = 'mean'> extends Loss {
  /** @internal */
  declare readonly loss_rule?: LossRule<'pair', R>
  readonly full: boolean
  readonly eps: number

  constructor(...args: Arguments<[], [], GaussianNLLLossOptions<R>>) {
    const o = readArguments<GaussianNLLLossOptions>('GaussianNLLLoss', args, [], 0, ['full', 'eps', 'reduction'])
    super(o)
    this.full = o.full ?? false
    this.eps = o.eps ?? 1e-6
    this.keyword('full', this.full, false)
    this.keyword('eps', this.eps, 1e-6)
  }
  /** `variance`: a tensor like the input, with a last dimension of 1 or without it; or one number. */
  override forward<
    M extends Module,
    A extends Shape,
    D extends DType,
    Dev extends DeviceType,
    B extends Shape,
    TD extends DType,
    BDev extends DeviceType,
  >(
    this: M,
    input: Tensor<A, D, Dev>,
    target: Tensor<B, TD, BDev>,
    variance: Tensor | number,
  ): LossForward<M, readonly [A, B], D, TD, SameDevice<Dev, BDev>>
  override forward(input: Tensor, target: Tensor, variance: Tensor | number): unknown {
    return F.gaussian_nll_loss(input, target, variance, ...this.rest())
  }
}

export interface TripletMarginLossOptions<R extends string = Reduction, Old = boolean | null> extends LossOptions<R, Old> {
  /** Default: 1. */
  margin?: number
  /** The p of the norm. Default: 2. */
  p?: number
  /** Default: 1e-6. */
  eps?: number
  /** The positive counts as an anchor too. Default: false. */
  swap?: boolean
}
/** max(0, margin + |anchor − positive| − |anchor − negative|). Throws a ValueError for a margin that is not positive. */
export class TripletMarginLoss<const R extends Reduction = 'mean', const Old extends boolean | null = null> extends Loss {
  /** @internal */
  declare readonly loss_rule?: LossRule<'rows_of_three', R, Old>
  readonly margin: number
  readonly p: number
  readonly eps: number
  readonly swap: boolean

  constructor(
    ...args: Arguments<[], [margin: number, p: number, eps: number, swap: boolean, ...Legacy<R, Old>], TripletMarginLossOptions<R, Old>>
  ) {
    const o = readArguments<TripletMarginLossOptions>('TripletMarginLoss', args, [
      'margin',
      'p',
      'eps',
      'swap',
      'size_average',
      'reduce',
      'reduction',
    ])
    super(o)
    this.margin = o.margin ?? 1
    this.p = o.p ?? 2
    this.eps = o.eps ?? 1e-6
    this.swap = o.swap ?? false
    if (!(this.margin > 0))
      throw valueError(`TripletMarginLoss: expected margin to be greater than 0, got ${pythonFloat(this.margin)} instead`)
    this.keyword('margin', this.margin, 1)
    this.keyword('p', this.p, 2)
    this.keyword('eps', this.eps, 1e-6)
    this.keyword('swap', this.swap, false)
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
    anchor: Tensor<A, D, Dev>,
    positive: Tensor<B, TD, BDev>,
    negative: Tensor<C, DType, CDev>,
  ): LossForward<M, readonly [A, B, C], D, TD, SameDevice<Dev, BDev>>
  override forward(anchor: Tensor, positive: Tensor, negative: Tensor): unknown {
    return F.triplet_margin_loss(anchor, positive, negative, ...this.rest())
  }
}

export interface TripletMarginWithDistanceLossOptions {
  /** A function or a module. Default: PairwiseDistance. */
  distance_function?: Distance | Module | null
  /** Default: 1. */
  margin?: number
  /** The positive counts as an anchor too. Default: false. */
  swap?: boolean
  reduction?: Reduction
}
/** The triplet loss with a distance of one's own. Throws a ValueError for a margin that is not positive. */
export class TripletMarginWithDistanceLoss extends Loss {
  readonly distance_function: Distance | Module
  readonly margin: number
  readonly swap: boolean

  constructor(...args: Arguments<[], [], TripletMarginWithDistanceLossOptions>) {
    const o = readArguments<TripletMarginWithDistanceLossOptions>('TripletMarginWithDistanceLoss', args, [], 0, [
      'distance_function',
      'margin',
      'swap',
      'reduction',
    ])
    super(o)
    this.margin = o.margin ?? 1
    this.swap = o.swap ?? false
    if (!(this.margin > 0))
      throw valueError(`TripletMarginWithDistanceLoss: expected margin to be greater than 0, got ${pythonFloat(this.margin)} instead`)
    this.distance_function = o.distance_function ?? new PairwiseDistance()
  }
  override forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    const { distance_function, margin, swap, reduction } = this
    return triplet_margin_with_distance_loss(anchor, positive, negative, { distance_function, margin, swap, reduction })
  }
}

export interface MultiMarginLossOptions<R extends string = Reduction, Old = boolean | null> extends WeightedLossOptions<R, Old> {
  /** 1 or 2. Default: 1. */
  p?: number
  /** Default: 1. */
  margin?: number
}
/** Mean over classes of max(0, margin − input[target] + input[class])^p. Input [N, C] or [C], target int64 [N] or []. */
export class MultiMarginLoss<const R extends Reduction = 'mean', const Old extends boolean | null = null> extends WeightedLoss {
  /** @internal */
  declare readonly loss_rule?: LossRule<'rows', R, Old>
  readonly p: number
  readonly margin: number

  constructor(
    ...args: Arguments<[], [p: number, margin: number, weight: Tensor | null, ...Legacy<R, Old>], MultiMarginLossOptions<R, Old>>
  ) {
    const o = readArguments<MultiMarginLossOptions>('MultiMarginLoss', args, [
      'p',
      'margin',
      'weight',
      'size_average',
      'reduce',
      'reduction',
    ])
    super(o)
    this.p = o.p ?? 1
    this.margin = o.margin ?? 1
    if (this.p !== 1 && this.p !== 2) throw valueError('only p == 1 and p == 2 supported')
    if (o.weight && o.weight.ndim !== 1)
      throw valueError(`MultiMarginLoss: expected weight to be None or 1D tensor, got ${o.weight.ndim}D instead`)
    this.keyword('p', this.p, 1)
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
    return F.multi_margin_loss(input, target, ...this.rest({ weight: this.weight }))
  }
}

/** The margins between the labels before the first −1 and all other classes. Input and target [N, C] or [C], target int64. */
export class MultiLabelMarginLoss<const R extends Reduction = 'mean', const Old extends boolean | null = null> extends Loss {
  /** @internal */
  declare readonly loss_rule?: LossRule<'rows', R, Old>
  constructor(options?: LossOptions<R, Old>)
  constructor(...args: Arguments<[], Legacy<R, Old>, LossOptions<R, Old>>)
  constructor(...args: readonly unknown[]) {
    super(readArguments<LossOptions>('MultiLabelMarginLoss', args, ['size_average', 'reduce', 'reduction']))
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
    return F.multilabel_margin_loss(input, target, ...this.rest())
  }
}

/** Mean over classes of the cross entropy of the sigmoid of the input. Input and target [N, C]. */
export class MultiLabelSoftMarginLoss<const R extends Reduction = 'mean', const Old extends boolean | null = null> extends WeightedLoss {
  /** @internal */
  declare readonly loss_rule?: LossRule<'rows', R, Old>
  constructor(...args: Arguments<[], [weight: Tensor | null, ...Legacy<R, Old>], WeightedLossOptions<R, Old>>) {
    super(readArguments<WeightedLossOptions>('MultiLabelSoftMarginLoss', args, ['weight', 'size_average', 'reduce', 'reduction']))
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
    return F.multilabel_soft_margin_loss(input, target, ...this.rest({ weight: this.weight }))
  }
}

export interface CTCLossOptions<R extends string = Reduction> {
  /** The class that stands for no label. Default: 0. */
  blank?: number
  reduction?: R
  /** Losses of targets that no path fits are 0, not infinite. Default: false. */
  zero_infinity?: boolean
}
/** Connectionist temporal classification of log probabilities [T, N, C] or [T, C]; targets [N, S], or all of them in a row. */
export class CTCLoss<const R extends Reduction = 'mean'> extends Loss {
  /** @internal */
  declare readonly loss_rule?: LossRule<'lengths', R>
  readonly blank: number
  readonly zero_infinity: boolean

  constructor(...args: Arguments<[], [blank: number, reduction: R, zero_infinity: boolean], CTCLossOptions<R>>) {
    const o = readArguments<CTCLossOptions>('CTCLoss', args, ['blank', 'reduction', 'zero_infinity'])
    super(o)
    this.blank = o.blank ?? 0
    this.zero_infinity = o.zero_infinity ?? false
    this.keyword('blank', this.blank, 0)
    this.keyword('zero_infinity', this.zero_infinity, false)
  }
  /** Lengths: int64 tensors [N] or arrays of N numbers. */
  override forward<
    M extends Module,
    A extends Shape,
    D extends DType,
    Dev extends DeviceType,
    B extends Shape,
    TD extends DType,
    BDev extends DeviceType,
    C extends Shape = Shape,
  >(
    this: M,
    log_probs: Tensor<A, D, Dev>,
    targets: Tensor<B, TD, BDev>,
    input_lengths: Tensor<C> | readonly number[],
    target_lengths: Tensor | readonly number[],
  ): LossForward<M, readonly [A, B, C], D, TD, SameDevice<Dev, BDev>>
  override forward(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Tensor | readonly number[],
    target_lengths: Tensor | readonly number[],
  ): unknown {
    return F.ctc_loss(log_probs, targets, input_lengths, target_lengths, ...this.rest())
  }
}

export interface LinearCrossEntropyLossOptions<R extends string = Reduction> extends FactoryOptions {
  in_features: number
  num_classes: number
  /** Further dimensions of the logits. Default: none. */
  out_features?: readonly number[]
  /** Default: false. */
  bias?: boolean
  reduction?: R
  /** A factor a class, [num_classes]. */
  weight?: Tensor | null
  /** Targets of this class do not count. */
  ignore_index?: number | null
  /** How much of the target's weight is spread over all classes. Default: 0. */
  label_smoothing?: number
  /** PyTorch's hints for saving memory: none. */
  options?: null
}
/** Cross entropy of a learned linear map of the input [N, in_features]; the logits are [N, num_classes, ...out_features]. */
export class LinearCrossEntropyLoss<const R extends Reduction = 'mean'> extends Loss {
  /** @internal */
  declare readonly loss_rule?: LossRule<'second', R>
  readonly in_features: number
  readonly num_classes: number
  readonly out_features: readonly number[]
  readonly bias: boolean
  readonly ignore_index: number | null
  readonly label_smoothing: number
  readonly linear: Linear
  declare weight: Tensor | null

  constructor(
    ...args: Arguments<
      [in_features: number, num_classes: number],
      [],
      LinearCrossEntropyLossOptions<R> & { device?: DeviceInput | null; dtype?: DType | null }
    >
  ) {
    const o = readArguments<LinearCrossEntropyLossOptions>('LinearCrossEntropyLoss', args, ['in_features', 'num_classes'], 2, [
      'out_features',
      'bias',
      'device',
      'dtype',
      'reduction',
      'weight',
      'ignore_index',
      'label_smoothing',
      'options',
    ])
    super(o.reduction === undefined ? {} : { reduction: o.reduction })
    this.in_features = o.in_features
    this.num_classes = o.num_classes
    this.out_features = o.out_features ?? []
    this.bias = o.bias ?? false
    this.ignore_index = o.ignore_index ?? null
    this.label_smoothing = o.label_smoothing ?? 0
    const outputs = this.out_features.reduce((product, n) => product * n, o.num_classes)
    const { device = null, dtype = null } = o
    this.linear = new Linear(o.in_features, outputs, { bias: this.bias, device, dtype })
    this.register_buffer('weight', o.weight ?? null)
    this.keyword('ignore_index', this.ignore_index, null)
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
    const sizes = [this.num_classes, ...this.out_features]
    const linear_weight = this.linear.weight.reshape([...sizes, this.in_features]) as Tensor
    const linear_bias = this.linear.bias ? (this.linear.bias.reshape(sizes) as Tensor) : null
    return F.linear_cross_entropy(input, linear_weight, target, ...this.rest({ linear_bias, weight: this.weight }))
  }

  override extra_repr(): string {
    return (
      `in_features=${this.in_features}, num_classes=${this.num_classes}, out_features=${pythonRepr(this.out_features)}, ` +
      `bias=${pythonRepr(this.bias)}, reduction=${this.reduction}, ignore_index=${pythonRepr(this.ignore_index)}, ` +
      `label_smoothing=${pythonFloat(this.label_smoothing)}, options=None`
    )
  }
}
