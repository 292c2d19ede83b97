// Dropout.

import type { DeviceType, DType } from '../types/dtype.js'
import type { Forward, SameRule } from '../types/modules.js'
import type { Shape } from '../types/shapes.js'
import type { Tensor } from '../tensor.js'
import { valueError } from './errors.js'
import { Module } from './module.js'
import { operator, type Operator } from './operators.js'
import { readArguments, type Arguments } from './options.js'
import { pythonNumber } from './text.js'

/** Options of all dropouts. */
export interface DropoutOptions {
  /** The probability of zero. Default: 0.5. */
  p?: number
  /** Overwrite the input. Default: false. */
  inplace?: boolean
}

abstract class DropoutBase extends Module {
  /** @internal */
  declare readonly shape_rule?: SameRule
  readonly p: number
  readonly inplace: boolean
  readonly #operator: Operator

  constructor(name: string, f: Operator, args: readonly unknown[]) {
    super()
    const o = readArguments<DropoutOptions>(name, args, ['p', 'inplace'])
    this.p = o.p ?? 0.5
    if (!(this.p >= 0 && this.p <= 1)) throw valueError(`dropout probability has to be between 0 and 1, but got ${pythonNumber(this.p)}`)
    this.inplace = o.inplace ?? false
    this.#operator = f
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    return this.#operator(input, this.p, this.training, this.inplace)
  }
  override extra_repr(): string {
    return `p=${pythonNumber(this.p)}, inplace=${this.inplace ? 'True' : 'False'}`
  }
}

type DropoutArguments = Arguments<[], [p: number, inplace: boolean], DropoutOptions>
const dropout = operator('dropout')
const dropout1d = operator('dropout1d')
const dropout2d = operator('dropout2d')
const dropout3d = operator('dropout3d')
const alpha_dropout = operator('alpha_dropout')
const feature_alpha_dropout = operator('feature_alpha_dropout')

/** In training every element becomes 0 with probability p, the others are divided by 1 − p. Throws a ValueError unless 0 ≤ p ≤ 1. */
export class Dropout extends DropoutBase {
  constructor(...args: DropoutArguments) {
    super('Dropout', dropout, args)
  }
}
/** Dropout of whole channels of [N, C, L] or [C, L]. */
export class Dropout1d extends DropoutBase {
  constructor(...args: DropoutArguments) {
    super('Dropout1d', dropout1d, args)
  }
}
/** Dropout of whole channels of [N, C, H, W]. */
export class Dropout2d extends DropoutBase {
  constructor(...args: DropoutArguments) {
    super('Dropout2d', dropout2d, args)
  }
}
/** Dropout of whole channels of [N, C, D, H, W]. */
export class Dropout3d extends DropoutBase {
  constructor(...args: DropoutArguments) {
    super('Dropout3d', dropout3d, args)
  }
}
/** Dropout that keeps mean and variance of what SELU makes. */
export class AlphaDropout extends DropoutBase {
  constructor(...args: DropoutArguments) {
    super('AlphaDropout', alpha_dropout, args)
  }
}
/** AlphaDropout of whole channels. */
export class FeatureAlphaDropout extends DropoutBase {
  constructor(...args: DropoutArguments) {
    super('FeatureAlphaDropout', feature_alpha_dropout, args)
  }
}
