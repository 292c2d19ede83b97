// Distances between vectors.

import type { Tensor } from '../tensor.js'
import { Module } from './module.js'
import { operator } from './operators.js'
import { readArguments, type Arguments } from './options.js'

const cosine_similarity = operator('cosine_similarity')
const pairwise_distance = operator('pairwise_distance')

export interface CosineSimilarityOptions {
  /** Default: 1. */
  dim?: number
  /** Smaller norms count as this. Default: 1e-8. */
  eps?: number
}

/** The cosine of the angle between vectors along dim. Inputs of one shape (or broadcast), result without that dimension. */
export class CosineSimilarity extends Module {
  readonly dim: number
  readonly eps: number
  constructor(...args: Arguments<[], [dim: number, eps: number], CosineSimilarityOptions>) {
    super()
    const o = readArguments<CosineSimilarityOptions>('CosineSimilarity', args, ['dim', 'eps'])
    this.dim = o.dim ?? 1
    this.eps = o.eps ?? 1e-8
  }
  override forward(x1: Tensor, x2: Tensor): Tensor {
    return cosine_similarity(x1, x2, this.dim, this.eps)
  }
}

export interface PairwiseDistanceOptions {
  /** The norm. Default: 2. */
  p?: number
  /** Added to the differences. Default: 1e-6. */
  eps?: number
  /** Keep the last dimension, as one of size 1. Default: false. */
  keepdim?: boolean
}

/** The p-norm of the difference of vectors along the last dimension. Inputs [N, D] or [D], result [N] or []. */
export class PairwiseDistance extends Module {
  readonly norm: number
  readonly eps: number
  readonly keepdim: boolean
  constructor(...args: Arguments<[], [p: number, eps: number, keepdim: boolean], PairwiseDistanceOptions>) {
    super()
    const o = readArguments<PairwiseDistanceOptions>('PairwiseDistance', args, ['p', 'eps', 'keepdim'])
    this.norm = o.p ?? 2
    this.eps = o.eps ?? 1e-6
    this.keepdim = o.keepdim ?? false
  }
  override forward(x1: Tensor, x2: Tensor): Tensor {
    return pairwise_distance(x1, x2, this.norm, this.eps, this.keepdim)
  }
}
