// EmbeddingBag: rows of a table, reduced over bags of numbers.

import type { DeviceInput } from '../device.js'
import { no_grad } from '../autograd/modes.js'
import type { Tensor } from '../tensor.js'
import type { DType } from '../types/dtype.js'
import { assertionError } from './errors.js'
import { normal_ } from './init.js'
import { newParameter, type FactoryOptions } from './linear.js'
import { Module } from './module.js'
import { operator } from './operators.js'
import { readArguments, type Arguments } from './options.js'
import { Parameter } from './parameter.js'
import { pythonFloat, pythonNumber, pythonString } from './text.js'

const embedding_bag = operator('embedding_bag')

export type EmbeddingBagMode = 'sum' | 'mean' | 'max'

/** Options of EmbeddingBag.from_pretrained. */
export interface EmbeddingBagFromPretrainedOptions {
  /** The table is not learned. Default: true. */
  freeze?: boolean
  /** Rows with a larger norm are scaled down to it when they are looked up. */
  max_norm?: number | null
  /** The norm of max_norm. Default: 2. */
  norm_type?: number
  /** Divide gradients by how often the number occurs. Default: false. */
  scale_grad_by_freq?: boolean
  /** What becomes of the rows of a bag. Default: 'mean'. */
  mode?: EmbeddingBagMode
  /** Sparse gradients. Default: false. */
  sparse?: boolean
  /** The last offset is the end of the last bag. Default: false. */
  include_last_offset?: boolean
  /** This number does not count, and its row gets no gradient. */
  padding_idx?: number | null
}
export interface EmbeddingBagOptions extends FactoryOptions, Omit<EmbeddingBagFromPretrainedOptions, 'freeze'> {
  num_embeddings: number
  embedding_dim: number
  /** The table, [num_embeddings, embedding_dim]. */
  _weight?: Tensor | null
}

/**
 * Rows of a table, summed, averaged or maximised over bags. Input [B, N] (bags are rows), or [N] with the offsets [B] where bags begin; result
 * [B, embedding_dim]. Throws an AssertionError for a padding_idx that is out of range.
 */
export class EmbeddingBag extends Module {
  readonly num_embeddings: number
  readonly embedding_dim: number
  readonly max_norm: number | null
  readonly norm_type: number
  readonly scale_grad_by_freq: boolean
  readonly mode: EmbeddingBagMode
  readonly sparse: boolean
  readonly include_last_offset: boolean
  readonly padding_idx: number | null
  declare weight: Parameter

  constructor(
    ...args: Arguments<
      [num_embeddings: number, embedding_dim: number],
      [
        max_norm: number | null,
        norm_type: number,
        scale_grad_by_freq: boolean,
        mode: EmbeddingBagMode,
        sparse: boolean,
        _weight: Tensor | null,
        include_last_offset: boolean,
        padding_idx: number | null,
        device: DeviceInput | null,
        dtype: DType | null,
      ],
      EmbeddingBagOptions
    >
  ) {
    super()
    const o = readArguments<EmbeddingBagOptions>(
      'EmbeddingBag',
      args,
      [
        'num_embeddings',
        'embedding_dim',
        'max_norm',
        'norm_type',
        'scale_grad_by_freq',
        'mode',
        'sparse',
        '_weight',
        'include_last_offset',
        'padding_idx',
        'device',
        'dtype',
      ],
      2,
    )
    const n = o.num_embeddings
    let padding = o.padding_idx ?? null
    if (padding !== null) {
      if (padding >= n || padding < -n) throw assertionError('padding_idx must be within num_embeddings')
      if (padding < 0) padding += n
    }
    this.num_embeddings = n
    this.embedding_dim = o.embedding_dim
    this.max_norm = o.max_norm ?? null
    this.norm_type = o.norm_type ?? 2
    this.scale_grad_by_freq = o.scale_grad_by_freq ?? false
    this.mode = o.mode ?? 'mean'
    this.sparse = o.sparse ?? false
    this.include_last_offset = o.include_last_offset ?? false
    this.padding_idx = padding
    if (o._weight) {
      const [rows, columns] = o._weight.shape as readonly number[]
      if (rows !== n || columns !== o.embedding_dim) throw assertionError('Shape of weight does not match num_embeddings and embedding_dim')
      this.register_parameter('weight', new Parameter(o._weight))
    } else {
      this.register_parameter('weight', newParameter([n, o.embedding_dim], o))
      this.reset_parameters()
    }
  }

  /** Draws the table anew. */
  reset_parameters(): void {
    normal_(this.weight)
    const padding = this.padding_idx
    if (padding !== null) no_grad(() => this.weight.select(0, padding).fill_(0))
  }

  /** `per_sample_weights`, of the input's shape, are factors of the rows (mode 'sum' only). */
  override forward(input: Tensor, offsets: Tensor | null = null, per_sample_weights: Tensor | null = null): Tensor {
    return embedding_bag(
      input,
      this.weight,
      offsets,
      this.max_norm,
      this.norm_type,
      this.scale_grad_by_freq,
      this.mode,
      this.sparse,
      per_sample_weights,
      this.include_last_offset,
      this.padding_idx,
    )
  }

  override extra_repr(): string {
    let text = `${this.num_embeddings}, ${this.embedding_dim}`
    if (this.max_norm !== null) text += `, max_norm=${pythonFloat(this.max_norm)}`
    if (this.norm_type !== 2) text += `, norm_type=${pythonNumber(this.norm_type)}`
    if (this.scale_grad_by_freq) text += ', scale_grad_by_freq=True'
    text += `, mode=${pythonString(this.mode)}`
    if (this.padding_idx !== null) text += `, padding_idx=${this.padding_idx}`
    return text
  }

  /** An embedding with a given table [rows, columns], which is not learned unless `freeze` is false. */
  static from_pretrained(
    embeddings: Tensor,
    freeze: boolean | EmbeddingBagFromPretrainedOptions = true,
    options: EmbeddingBagFromPretrainedOptions = {},
  ): EmbeddingBag {
    if (embeddings.ndim !== 2) throw assertionError('Embeddings parameter is expected to be 2-dimensional')
    const { freeze: frozen = true, ...rest } = typeof freeze === 'boolean' ? { freeze, ...options } : freeze
    const [num_embeddings, embedding_dim] = embeddings.shape as readonly [number, number]
    const module = new EmbeddingBag({ num_embeddings, embedding_dim, ...rest, _weight: embeddings })
    module.weight.requires_grad_(!frozen)
    return module
  }
}
