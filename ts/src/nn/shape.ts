// Flatten and Unflatten.

import type { DeviceType, DType } from '../types/dtype.js'
import type { FlattenRule, Forward, UnflattenRule } from '../types/modules.js'
import type { Shape } from '../types/shapes.js'
import type { Tensor } from '../tensor.js'
import { typeError } from './errors.js'
import { Module } from './module.js'
import { operator } from './operators.js'
import { readArguments, type Arguments } from './options.js'
import { pythonRepr, typeName } from './text.js'

const flatten = operator('flatten')
const unflatten = operator('unflatten')

export interface FlattenOptions<Start extends number = number, End extends number = number> {
  /** Default: 1. */
  start_dim?: Start
  /** Default: −1. */
  end_dim?: End
}

/** Makes one dimension of those from start_dim to end_dim. Input [N, A, B], result [N, A · B]. */
export class Flatten<const Start extends number = 1, const End extends number = -1> extends Module {
  /** @internal */
  declare readonly shape_rule?: FlattenRule<Start, End>
  readonly start_dim: number
  readonly end_dim: number

  constructor(options: FlattenOptions<Start, End>)
  constructor(start_dim?: Start, end_dim?: End | FlattenOptions<number, End>)
  constructor(...args: readonly unknown[]) {
    super()
    const o = readArguments<FlattenOptions>('Flatten', args, ['start_dim', 'end_dim'])
    this.start_dim = o.start_dim ?? 1
    this.end_dim = o.end_dim ?? -1
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    return flatten(input, this.start_dim, this.end_dim)
  }
  override extra_repr(): string {
    return `start_dim=${this.start_dim}, end_dim=${this.end_dim}`
  }
}

export interface UnflattenOptions<Dim extends number = number, Sizes extends readonly number[] = readonly number[]> {
  dim: Dim
  unflattened_size: Sizes
}

/** Makes several dimensions of one; their product is its size, one of them may be −1. Throws a TypeError for sizes that are no integers. */
export class Unflatten<const Dim extends number = number, const Sizes extends readonly number[] = readonly number[]> extends Module {
  /** @internal */
  declare readonly shape_rule?: UnflattenRule<Dim, Sizes>
  readonly dim: number
  readonly unflattened_size: readonly number[]

  constructor(...args: Arguments<[dim: Dim, unflattened_size: Sizes], [], UnflattenOptions<Dim, Sizes>>) {
    super()
    const o = readArguments<UnflattenOptions>('Unflatten', args, ['dim', 'unflattened_size'], 2)
    if (!Array.isArray(o.unflattened_size))
      throw typeError(`unflattened_size must be a tuple of ints, but found type ${typeName(o.unflattened_size)}`)
    o.unflattened_size.forEach((size: unknown, i) => {
      if (!Number.isInteger(size))
        throw typeError(`unflattened_size must be tuple of ints, but found element of type ${typeName(size)} at pos ${i}`)
    })
    this.dim = o.dim
    this.unflattened_size = [...o.unflattened_size]
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    return unflatten(input, this.dim, this.unflattened_size)
  }
  override extra_repr(): string {
    return `dim=${this.dim}, unflattened_size=${pythonRepr(this.unflattened_size)}`
  }
}
