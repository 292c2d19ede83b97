// Losses of nn.functional that take a function.
import * as generated from '../generated/functional.js'
import { clamp_min, minimum } from '../generated/functions.js'
import type { Tensor } from '../tensor.js'
import { runtimeError, typeError, valueError } from './errors.js'
import type { Module } from './module.js'
import { pythonFloat } from './text.js'

/** A distance of two tensors of one shape. */
export type Distance = (a: Tensor, b: Tensor) => Tensor

/** Options of triplet_margin_with_distance_loss. */
export interface TripletMarginWithDistanceLossFunctionalOptions {
  /** A function or a module; null: pairwise_distance. */
  readonly distance_function?: Distance | Module | null
  /** Default: 1. */
  readonly margin?: number
  /** Also measure the distance of the negative from the positive, and take the smaller. Default: false. */
  readonly swap?: boolean
  /** 'none', 'mean' or 'sum'. Default: 'mean'. */
  readonly reduction?: string
}

const KNOWN = ['distance_function', 'margin', 'swap', 'reduction']

/**
 * max(0, margin + d(anchor, positive) − d(anchor, negative)) with a distance of one's own. Throws a ValueError for a margin that is not
 * positive or another reduction, and a RuntimeError for tensors of different numbers of dimensions.
 */
export function triplet_margin_with_distance_loss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: TripletMarginWithDistanceLossFunctionalOptions = {},
): Tensor {
  const unknown = Object.keys(options).find((key) => !KNOWN.includes(key))
  if (unknown !== undefined) {
    throw typeError(`triplet_margin_with_distance_loss() got an unexpected keyword argument '${unknown}'; known are: ${KNOWN.join(', ')}`)
  }
  const { margin = 1, swap = false, reduction = 'mean' } = options
  const given = options.distance_function
  const distance: Distance = !given
    ? (a, b): Tensor => generated.pairwise_distance(a, b) as Tensor
    : typeof given === 'function'
      ? given
      : (a, b): Tensor => given.call(a, b) as Tensor
  if (!['none', 'mean', 'sum'].includes(reduction)) throw valueError(`${reduction} is not a valid value for reduction`)
  if (!(margin > 0)) throw valueError(`margin must be greater than 0, got ${pythonFloat(margin)}`)
  if (anchor.ndim !== positive.ndim || positive.ndim !== negative.ndim) {
    throw runtimeError(
      `The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: anchor ${anchor.ndim}D, ` +
        `positive ${positive.ndim}D, and negative ${negative.ndim}D inputs`,
    )
  }
  const near = distance(anchor, positive)
  let far = distance(anchor, negative)
  if (swap) far = minimum(far, distance(positive, negative)) as Tensor
  const losses = clamp_min(near.add(margin).sub(far) as Tensor, 0) as Tensor
  return (reduction === 'none' ? losses : reduction === 'mean' ? losses.mean() : losses.sum()) as Tensor
}
