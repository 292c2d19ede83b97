// Flatten and Unflatten.

import type { Tensor } from '../tensor.js'
import { typeError } from './errors.js'
import { Module } from './module.js'
import { operator } from './operators.js'
import { readArguments, type Arguments } from './options.js'
import { pythonRepr, typeName } from './text.js'

const flatten = operator('flatten')
const unflatten = operator('unflatten')

export interface FlattenOptions {
  /** Default: 1. */
  start_dim?: number
  /** Default: −1. */
  end_dim?: number
}

/** Makes one dimension of those from start_dim to end_dim. Input [N, A, B], result [N, A · B]. */
export class Flatten extends Module {
  readonly start_dim: number
  readonly end_dim: number

  constructor(...args: Arguments<[], [start_dim: number, end_dim: number], FlattenOptions>) {
    super()
    const o = readArguments<FlattenOptions>('Flatten', args, ['start_dim', 'end_dim'])
    this.start_dim = o.start_dim ?? 1
    this.end_dim = o.end_dim ?? -1
  }
  override forward(input: Tensor): Tensor {
    return flatten(input, this.start_dim, this.end_dim)
  }
  override extra_repr(): string {
    return `start_dim=${this.start_dim}, end_dim=${this.end_dim}`
  }
}

export interface UnflattenOptions {
  dim: number
  unflattened_size: readonly number[]
}

/** Makes several dimensions of one; their product is its size, one of them may be −1. Throws a TypeError for sizes that are no integers. */
export class Unflatten extends Module {
  readonly dim: number
  readonly unflattened_size: readonly number[]

  constructor(...args: Arguments<[dim: number, unflattened_size: readonly number[]], [], UnflattenOptions>) {
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
  override forward(input: Tensor): Tensor {
    return unflatten(input, this.dim, this.unflattened_size)
  }
  override extra_repr(): string {
    return `dim=${this.dim}, unflattened_size=${pythonRepr(this.unflattened_size)}`
  }
}
