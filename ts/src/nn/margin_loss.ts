// Losses of distances, margins and labels.

import type { Tensor } from '../tensor.js'
import { valueError } from './errors.js'
import { PairwiseDistance } from './distance.js'
import { triplet_margin_with_distance_loss, type Distance } from './functional_loss.js'
import { Loss, WeightedLoss, type Legacy, type LossOptions, type Reduction, type WeightedLossOptions } from './loss.js'
import { Module } from './module.js'
import { operator } from './operators.js'
import { readArguments, type Arguments } from './options.js'
import { pythonFloat } from './text.js'

const F = {
  gaussian_nll_loss: operator('gaussian_nll_loss'),
  triplet_margin_loss: operator('triplet_margin_loss'),
  multi_margin_loss: operator('multi_margin_loss'),
  multilabel_margin_loss: operator('multilabel_margin_loss'),
  multilabel_soft_margin_loss: operator('multilabel_soft_margin_loss'),
}

export interface GaussianNLLLossOptions {
  /** Add the constant term. Default: false. */
  full?: boolean
  /** The least variance. Default: 1e-6. */
  eps?: number
  reduction?: Reduction
}
/** Negative log likelihood under Gaussian distributions with the input as means. */
export class GaussianNLLLoss extends Loss {
  readonly full: boolean
  readonly eps: number

  constructor(...args: Arguments<[], [], GaussianNLLLossOptions>) {
    const o = readArguments<GaussianNLLLossOptions>('GaussianNLLLoss', args, [], 0, ['full', 'eps', 'reduction'])
    super(o)
    this.full = o.full ?? false
    this.eps = o.eps ?? 1e-6
    this.keyword('full', this.full, false)
    this.keyword('eps', this.eps, 1e-6)
  }
  /** `variance`: a tensor like the input, with a last dimension of 1 or without it; or one number. */
  override forward(input: Tensor, target: Tensor, variance: Tensor | number): Tensor {
    return F.gaussian_nll_loss(input, target, variance, ...this.rest())
  }
}

export interface TripletMarginLossOptions extends LossOptions {
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
export class TripletMarginLoss extends Loss {
  readonly margin: number
  readonly p: number
  readonly eps: number
  readonly swap: boolean

  constructor(...args: Arguments<[], [margin: number, p: number, eps: number, swap: boolean, ...Legacy], TripletMarginLossOptions>) {
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
  override forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
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

export interface MultiMarginLossOptions extends WeightedLossOptions {
  /** 1 or 2. Default: 1. */
  p?: number
  /** Default: 1. */
  margin?: number
}
/** Mean over classes of max(0, margin − input[target] + input[class])^p. Input [N, C] or [C], target int64 [N] or []. */
export class MultiMarginLoss extends WeightedLoss {
  readonly p: number
  readonly margin: number

  constructor(...args: Arguments<[], [p: number, margin: number, weight: Tensor | null, ...Legacy], MultiMarginLossOptions>) {
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
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.multi_margin_loss(input, target, ...this.rest({ weight: this.weight }))
  }
}

/** The margins between the labels before the first −1 and all other classes. Input and target [N, C] or [C], target int64. */
export class MultiLabelMarginLoss extends Loss {
  constructor(...args: Arguments<[], Legacy, LossOptions>) {
    super(readArguments<LossOptions>('MultiLabelMarginLoss', args, ['size_average', 'reduce', 'reduction']))
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.multilabel_margin_loss(input, target, ...this.rest())
  }
}

/** Mean over classes of the cross entropy of the sigmoid of the input. Input and target [N, C]. */
export class MultiLabelSoftMarginLoss extends WeightedLoss {
  constructor(...args: Arguments<[], [weight: Tensor | null, ...Legacy], WeightedLossOptions>) {
    super(readArguments<WeightedLossOptions>('MultiLabelSoftMarginLoss', args, ['weight', 'size_average', 'reduce', 'reduction']))
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.multilabel_soft_margin_loss(input, target, ...this.rest({ weight: this.weight }))
  }
}
