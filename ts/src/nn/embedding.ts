// Embedding: rows of a table by number.

import type { DeviceInput } from '../device.js'
import { no_grad } from '../autograd/modes.js'
import type { Tensor } from '../tensor.js'
import type { DeviceType, DType } from '../types/dtype.js'
import type { EmbeddingRule, Forward } from '../types/modules.js'
import type { Shape } from '../types/shapes.js'
import { assertionError } from './errors.js'
import { normal_ } from './init.js'
import { newParameter, type FactoryOptions } from './linear.js'
import { Module } from './module.js'
import { operator } from './operators.js'
import { readArguments, type Arguments } from './options.js'
import { Parameter } from './parameter.js'
import { pythonFloat, pythonNumber } from './text.js'

const embedding = operator('embedding')

export interface EmbeddingOptions<Rows extends number = number, Width extends number = number> extends FactoryOptions {
  num_embeddings: Rows
  embedding_dim: Width
  /** This row is zero at first and gets no gradient; negative ones count from the end. */
  padding_idx?: number | null
  /** Rows with a larger norm are scaled down to it when they are looked up. */
  max_norm?: number | null
  /** The norm of max_norm. Default: 2. */
  norm_type?: number
  /** Divide gradients by how often the number occurs. Default: false. */
  scale_grad_by_freq?: boolean
  /** Sparse gradients. Default: false. */
  sparse?: boolean
  /** The table, [num_embeddings, embedding_dim]. */
  _weight?: Tensor | null
  /** The table is not learned. Default: false. */
  _freeze?: boolean
}

/** Options of Embedding.from_pretrained. */
export interface EmbeddingFromPretrainedOptions {
  /** The table is not learned. Default: true. */
  freeze?: boolean
  padding_idx?: number | null
  max_norm?: number | null
  norm_type?: number
  scale_grad_by_freq?: boolean
  sparse?: boolean
}

/**
 * Rows of a table. Input int64 or int32 [...] with numbers below num_embeddings, result [..., embedding_dim]; weight
 * [num_embeddings, embedding_dim], normal at first. Throws an AssertionError for a padding_idx that is out of range.
 */
export class Embedding<const Rows extends number = number, const Width extends number = number> extends Module {
  /** @internal */
  declare readonly shape_rule?: EmbeddingRule<Rows, Width>
  readonly num_embeddings: number
  readonly embedding_dim: number
  readonly padding_idx: number | null
  readonly max_norm: number | null
  readonly norm_type: number
  readonly scale_grad_by_freq: boolean
  readonly sparse: boolean
  declare weight: Parameter

  constructor(
    ...args: Arguments<
      [num_embeddings: Rows, embedding_dim: Width],
      [
        padding_idx: number | null,
        max_norm: number | null,
        norm_type: number,
        scale_grad_by_freq: boolean,
        sparse: boolean,
        _weight: Tensor | null,
        _freeze: boolean,
        device: DeviceInput | null,
        dtype: DType | null,
      ],
      EmbeddingOptions<Rows, Width>
    >
  ) {
    super()
    const o = readArguments<EmbeddingOptions>(
      'Embedding',
      args,
      [
        'num_embeddings',
        'embedding_dim',
        'padding_idx',
        'max_norm',
        'norm_type',
        'scale_grad_by_freq',
        'sparse',
        '_weight',
        '_freeze',
        'device',
        'dtype',
      ],
      2,
    )
    const n = o.num_embeddings
    let padding = o.padding_idx ?? null
    if (padding !== null) {
      if (padding >= n || padding < -n) throw assertionError('Padding_idx must be within num_embeddings')
      if (padding < 0) padding += n
    }
    this.num_embeddings = n
    this.embedding_dim = o.embedding_dim
    this.padding_idx = padding
    this.max_norm = o.max_norm ?? null
    this.norm_type = o.norm_type ?? 2
    this.scale_grad_by_freq = o.scale_grad_by_freq ?? false
    this.sparse = o.sparse ?? false
    const freeze = o._freeze ?? false
    if (o._weight) {
      const [rows, columns] = o._weight.shape as readonly number[]
      if (rows !== n || columns !== o.embedding_dim) throw assertionError('Shape of weight does not match num_embeddings and embedding_dim')
      this.register_parameter('weight', new Parameter(o._weight, !freeze))
    } else {
      this.register_parameter('weight', newParameter([n, o.embedding_dim], o))
      this.reset_parameters()
      if (freeze) this.weight.requires_grad_(false)
    }
  }

  /** Draws the table anew. */
  reset_parameters(): void {
    normal_(this.weight)
    const padding = this.padding_idx
    if (padding !== null) no_grad(() => this.weight.select(0, padding).fill_(0))
  }

  override forward<M extends Module, S extends Shape, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, DType, Dev>,
  ): Forward<M, S, DType, Dev>
  override forward(input: Tensor): unknown {
    if (this.max_norm === null && !this.scale_grad_by_freq && !this.sparse) {
      return this.padding_idx === null ? embedding(input, this.weight) : embedding(input, this.weight, this.padding_idx)
    }
    return embedding(input, this.weight, this.padding_idx, this.max_norm, this.norm_type, this.scale_grad_by_freq, this.sparse)
  }

  override extra_repr(): string {
    let text = `${this.num_embeddings}, ${this.embedding_dim}`
    if (this.padding_idx !== null) text += `, padding_idx=${this.padding_idx}`
    if (this.max_norm !== null) text += `, max_norm=${pythonFloat(this.max_norm)}`
    if (this.norm_type !== 2) text += `, norm_type=${pythonNumber(this.norm_type)}`
    if (this.scale_grad_by_freq) text += ', scale_grad_by_freq=True'
    if (this.sparse) text += ', sparse=True'
    return text
  }

  /** An embedding with a given table [rows, columns], which is not learned unless `freeze` is false. */
  static from_pretrained(
    embeddings: Tensor,
    freeze: boolean | EmbeddingFromPretrainedOptions = true,
    options: EmbeddingFromPretrainedOptions = {},
  ): Embedding {
    if (embeddings.ndim !== 2) throw assertionError('Embeddings parameter is expected to be 2-dimensional')
    const { freeze: frozen = true, ...rest } = typeof freeze === 'boolean' ? { freeze, ...options } : freeze
    const [num_embeddings, embedding_dim] = embeddings.shape as readonly [number, number]
    return new Embedding({ num_embeddings, embedding_dim, ...rest, _weight: embeddings, _freeze: frozen })
  }
}
