// Losses of nn.functional that take a function.
import * as generated from '../generated/functional.js'
import { clamp_min, minimum } from '../generated/functions.js'
import { Tensor } from '../tensor.js'
import { runtimeError, typeError, valueError } from './errors.js'
import { Module } from './module.js'
import { isPlainObject, pythonFloat, typeName } from './text.js'

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

const NAME = 'triplet_margin_with_distance_loss'
const KNOWN = ['distance_function', 'margin', 'swap', 'reduction']

function checked(value: unknown, what: string): Tensor {
  if (value instanceof Tensor) return value
  throw typeError(`${NAME}(): ${what} must be Tensor, not ${typeName(value)}`)
}

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
  for (const [i, t] of [anchor, positive, negative].entries())
    checked(t, `argument '${['anchor', 'positive', 'negative'][i]}' (position ${i + 1})`)
  if (!isPlainObject(options)) throw typeError(`${NAME}(): options must be an object, not ${typeName(options)}`)
  const unknown = Object.keys(options).find((key) => !KNOWN.includes(key))
  if (unknown !== undefined) {
    throw typeError(`${NAME}() got an unexpected keyword argument '${unknown}'; known are: ${KNOWN.join(', ')}`)
  }
  const { margin = 1, swap = false, reduction = 'mean' } = options as TripletMarginWithDistanceLossFunctionalOptions
  const given = options.distance_function
  if (given !== undefined && given !== null && typeof given !== 'function' && !(given instanceof Module))
    throw typeError(`${NAME}(): distance_function must be a function or a module, not ${typeName(given)}`)
  if (typeof margin !== 'number') throw typeError(`${NAME}(): margin must be float, not ${typeName(margin)}`)
  const distance: Distance = !given
    ? (a, b): Tensor => generated.pairwise_distance(a, b) as Tensor
    : (a, b): Tensor => checked(typeof given === 'function' ? given(a, b) : given.call(a, b), 'what distance_function returns')
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
