// Normalisation over batches, layers and groups.

import { ones, tensor as makeTensor, zeros } from '../creation.js'
import { no_grad } from '../autograd/modes.js'
import type { DeviceInput } from '../device.js'
import type { Tensor } from '../tensor.js'
import type { DeviceType, DType } from '../types/dtype.js'
import type { ChannelsRule, Forward, LayerNormRule, SameRule } from '../types/modules.js'
import type { Shape } from '../types/shapes.js'
import { valueError } from './errors.js'
import { ones_, zeros_ } from './init.js'
import { newParameter, type FactoryOptions } from './linear.js'
import { Module } from './module.js'
import { operator } from './operators.js'
import { readArguments, type Arguments } from './options.js'
import type { Parameter } from './parameter.js'
import { pythonFloat, pythonRepr } from './text.js'

const F = {
  batch_norm: operator('batch_norm'),
  instance_norm: operator('instance_norm'),
  layer_norm: operator('layer_norm'),
  group_norm: operator('group_norm'),
  rms_norm: operator('rms_norm'),
}
const bool = (value: unknown): string => (value ? 'True' : 'False')
const factory = ({ device, dtype }: FactoryOptions): { device?: DeviceInput; dtype?: DType } => ({
  ...(device ? { device } : {}),
  ...(dtype ? { dtype } : {}),
})

/** Options of BatchNorm1d, 2d, 3d and InstanceNorm1d, 2d, 3d. */
export interface BatchNormOptions<Features extends number = number> extends FactoryOptions {
  num_features: Features
  /** Added to the variance. Default: 1e-5. */
  eps?: number
  /** How much of each batch goes into the running statistics; null: their plain mean over all batches. Default: 0.1. */
  momentum?: number | null
  /** Learn a factor and an offset a channel. Default: true (instance norm: false). */
  affine?: boolean
  /** Keep running statistics and use them in evaluation. Default: true (instance norm: false). */
  track_running_stats?: boolean
  /** With affine: learn the offset. Default: true. */
  bias?: boolean
}
export type InstanceNormOptions<Features extends number = number> = BatchNormOptions<Features>

type BatchNormArguments<Features extends number> = Arguments<
  [num_features: Features],
  [eps: number, momentum: number | null, affine: boolean, track_running_stats: boolean, device: DeviceInput | null, dtype: DType | null],
  BatchNormOptions<Features>
>

abstract class NormWithStatistics extends Module {
  readonly num_features: number
  readonly eps: number
  readonly momentum: number | null
  readonly affine: boolean
  readonly track_running_stats: boolean
  /** [num_features], ones at first */
  declare weight: Parameter | null
  /** [num_features], zeros at first */
  declare bias: Parameter | null
  /** [num_features], zeros at first */
  declare running_mean: Tensor | null
  /** [num_features], ones at first */
  declare running_var: Tensor | null
  /** int64, how many batches the statistics are of */
  declare num_batches_tracked: Tensor | null
  readonly #ranks: readonly number[]

  constructor(name: string, ranks: readonly number[], args: readonly unknown[], on: boolean) {
    super()
    const o = readArguments<BatchNormOptions>(
      name,
      args,
      ['num_features', 'eps', 'momentum', 'affine', 'track_running_stats', 'device', 'dtype'],
      1,
      ['bias'],
    )
    this.num_features = o.num_features
    this.eps = o.eps ?? 1e-5
    this.momentum = o.momentum === undefined ? 0.1 : o.momentum
    this.affine = o.affine ?? on
    this.track_running_stats = o.track_running_stats ?? on
    this.#ranks = ranks
    const n = o.num_features
    this.register_parameter('weight', this.affine ? newParameter([n], o) : null)
    this.register_parameter('bias', this.affine && (o.bias ?? true) ? newParameter([n], o) : null)
    const tracked = this.track_running_stats
    this.register_buffer('running_mean', tracked ? zeros([n], factory(o)) : null)
    this.register_buffer('running_var', tracked ? ones([n], factory(o)) : null)
    this.register_buffer('num_batches_tracked', tracked ? makeTensor(0, { ...factory(o), dtype: 'int64' }) : null)
    this.reset_parameters()
  }

  /** Sets the statistics back to mean 0, variance 1, no batches. */
  reset_running_stats(): void {
    if (!this.track_running_stats) return
    zeros_(this.running_mean as Tensor)
    ones_(this.running_var as Tensor)
    zeros_(this.num_batches_tracked as Tensor)
  }

  /** Sets the statistics, the factors and the offsets back. */
  reset_parameters(): void {
    this.reset_running_stats()
    if (this.weight) ones_(this.weight)
    if (this.bias) zeros_(this.bias)
  }

  protected checkInput(input: Tensor): void {
    if (this.#ranks.includes(input.ndim)) return
    const expected = this.#ranks.map((rank) => `${rank}D`).join(' or ')
    throw valueError(`expected ${expected} input (got ${input.ndim}D input)`)
  }

  override optional_state_keys(): readonly string[] {
    return ['num_batches_tracked']
  }

  override extra_repr(): string {
    const momentum = this.momentum === null ? 'None' : pythonFloat(this.momentum)
    return (
      `${this.num_features}, eps=${pythonFloat(this.eps)}, momentum=${momentum}, affine=${bool(this.affine)}, ` +
      `bias=${bool(this.bias)}, track_running_stats=${bool(this.track_running_stats)}`
    )
  }
}

abstract class BatchNorm extends NormWithStatistics {
  constructor(name: string, ranks: readonly number[], args: readonly unknown[]) {
    super(name, ranks, args, true)
  }

  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    this.checkInput(input)
    let average = this.momentum ?? 0
    if (this.training && this.num_batches_tracked) {
      const count = this.num_batches_tracked
      no_grad(() => addOne(count))
      if (this.momentum === null) average = 1 / Number(count.item())
    }
    // Without statistics of its own the batch's are used in evaluation as well.
    const useBatch = this.training || (this.running_mean === null && this.running_var === null)
    if (useBatch && this.eps <= 0) throw valueError(`batch_norm eps must be positive during training, but got ${pythonFloat(this.eps)}`)
    const statistics = !this.training || this.track_running_stats
    return F.batch_norm(
      input,
      statistics ? this.running_mean : null,
      statistics ? this.running_var : null,
      this.weight,
      this.bias,
      useBatch,
      average,
      this.eps,
    )
  }
}

function addOne(count: Tensor): void {
  ;(count as unknown as { add_(other: number): Tensor }).add_(1)
}

/** (x − mean) / √(var + eps) · weight + bias over the batch, for each channel. Input [N, C] or [N, C, L]. */
export class BatchNorm1d<const Features extends number = number> extends BatchNorm {
  /** @internal */
  declare readonly shape_rule?: ChannelsRule<Features, 2 | 3>
  constructor(...args: BatchNormArguments<Features>) {
    super('BatchNorm1d', [2, 3], args)
  }
}
/** (x − mean) / √(var + eps) · weight + bias over the batch, for each channel. Input [N, C, H, W]. */
export class BatchNorm2d<const Features extends number = number> extends BatchNorm {
  /** @internal */
  declare readonly shape_rule?: ChannelsRule<Features, 4>
  constructor(...args: BatchNormArguments<Features>) {
    super('BatchNorm2d', [4], args)
  }
}
/** (x − mean) / √(var + eps) · weight + bias over the batch, for each channel. Input [N, C, D, H, W]. */
export class BatchNorm3d<const Features extends number = number> extends BatchNorm {
  /** @internal */
  declare readonly shape_rule?: ChannelsRule<Features, 5>
  constructor(...args: BatchNormArguments<Features>) {
    super('BatchNorm3d', [5], args)
  }
}

abstract class InstanceNorm extends NormWithStatistics {
  /** The rank of an input without a batch. */
  readonly #single: number

  constructor(name: string, ranks: readonly number[], args: readonly unknown[]) {
    super(name, ranks, args, false)
    this.#single = ranks[0] as number
  }

  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    this.checkInput(input)
    const useInput = this.training || !this.track_running_stats
    const single = input.ndim === this.#single
    const batch = single ? input.unsqueeze(0) : input
    const result = F.instance_norm(
      batch,
      this.running_mean,
      this.running_var,
      this.weight,
      this.bias,
      useInput,
      this.momentum ?? 0,
      this.eps,
    )
    return single ? result.squeeze(0) : result
  }
}

/** Batch normalisation of every sample by itself. Input [N, C, L] or [C, L]. */
export class InstanceNorm1d<const Features extends number = number> extends InstanceNorm {
  /** @internal */
  declare readonly shape_rule?: SameRule
  constructor(...args: BatchNormArguments<Features>) {
    super('InstanceNorm1d', [2, 3], args)
  }
}
/** Batch normalisation of every sample by itself. Input [N, C, H, W] or [C, H, W]. */
export class InstanceNorm2d<const Features extends number = number> extends InstanceNorm {
  /** @internal */
  declare readonly shape_rule?: SameRule
  constructor(...args: BatchNormArguments<Features>) {
    super('InstanceNorm2d', [3, 4], args)
  }
}
/** Batch normalisation of every sample by itself. Input [N, C, D, H, W] or [C, D, H, W]. */
export class InstanceNorm3d<const Features extends number = number> extends InstanceNorm {
  /** @internal */
  declare readonly shape_rule?: SameRule
  constructor(...args: BatchNormArguments<Features>) {
    super('InstanceNorm3d', [4, 5], args)
  }
}

export interface LayerNormOptions<Normalized = number | readonly number[]> extends FactoryOptions {
  /** The last dimensions' sizes, over which is normalised. */
  normalized_shape: Normalized
  /** Default: 1e-5. */
  eps?: number
  /** Learn a factor and an offset an element. Default: true. */
  elementwise_affine?: boolean
  /** With elementwise_affine: learn the offset. Default: true. */
  bias?: boolean
}

/** (x − mean) / √(var + eps) · weight + bias over the last dimensions. Input [..., *normalized_shape]. */
export class LayerNorm<const Normalized extends number | readonly number[] = number | readonly number[]> extends Module {
  /** @internal */
  declare readonly shape_rule?: LayerNormRule<Normalized>
  readonly normalized_shape: readonly number[]
  readonly eps: number
  readonly elementwise_affine: boolean
  declare weight: Parameter | null
  declare bias: Parameter | null

  constructor(
    ...args: Arguments<
      [normalized_shape: Normalized],
      [eps: number, elementwise_affine: boolean, bias: boolean, device: DeviceInput | null, dtype: DType | null],
      LayerNormOptions<Normalized>
    >
  ) {
    super()
    const o = readArguments<LayerNormOptions>(
      'LayerNorm',
      args,
      ['normalized_shape', 'eps', 'elementwise_affine', 'bias', 'device', 'dtype'],
      1,
    )
    this.normalized_shape = typeof o.normalized_shape === 'number' ? [o.normalized_shape] : [...o.normalized_shape]
    this.eps = o.eps ?? 1e-5
    this.elementwise_affine = o.elementwise_affine ?? true
    this.register_parameter('weight', this.elementwise_affine ? newParameter(this.normalized_shape, o) : null)
    this.register_parameter('bias', this.elementwise_affine && (o.bias ?? true) ? newParameter(this.normalized_shape, o) : null)
    this.reset_parameters()
  }

  reset_parameters(): void {
    if (this.weight) ones_(this.weight)
    if (this.bias) zeros_(this.bias)
  }

  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    return F.layer_norm(input, this.normalized_shape, this.weight, this.bias, this.eps)
  }

  override extra_repr(): string {
    return `${pythonRepr(this.normalized_shape)}, eps=${pythonFloat(this.eps)}, elementwise_affine=${bool(this.elementwise_affine)}, bias=${bool(this.bias)}`
  }
}

export interface RMSNormOptions<Normalized = number | readonly number[]> extends FactoryOptions {
  /** The last dimensions' sizes, over which is normalised. */
  normalized_shape: Normalized
  /** Default: null, the dtype's machine epsilon. */
  eps?: number | null
  /** Learn a factor an element. Default: true. */
  elementwise_affine?: boolean
}

/** x / √(mean(x²) + eps) · weight over the last dimensions. Input [..., *normalized_shape]. */
export class RMSNorm<const Normalized extends number | readonly number[] = number | readonly number[]> extends Module {
  /** @internal */
  declare readonly shape_rule?: LayerNormRule<Normalized>
  readonly normalized_shape: readonly number[]
  readonly eps: number | null
  readonly elementwise_affine: boolean
  declare weight: Parameter | null

  constructor(
    ...args: Arguments<
      [normalized_shape: Normalized],
      [eps: number | null, elementwise_affine: boolean, device: DeviceInput | null, dtype: DType | null],
      RMSNormOptions<Normalized>
    >
  ) {
    super()
    const o = readArguments<RMSNormOptions>('RMSNorm', args, ['normalized_shape', 'eps', 'elementwise_affine', 'device', 'dtype'], 1)
    this.normalized_shape = typeof o.normalized_shape === 'number' ? [o.normalized_shape] : [...o.normalized_shape]
    this.eps = o.eps ?? null
    this.elementwise_affine = o.elementwise_affine ?? true
    this.register_parameter('weight', this.elementwise_affine ? newParameter(this.normalized_shape, o) : null)
    this.reset_parameters()
  }

  reset_parameters(): void {
    if (this.weight) ones_(this.weight)
  }

  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    return F.rms_norm(input, this.normalized_shape, this.weight, this.eps)
  }

  override extra_repr(): string {
    const eps = this.eps === null ? 'None' : pythonFloat(this.eps)
    return `${pythonRepr(this.normalized_shape)}, eps=${eps}, elementwise_affine=${bool(this.elementwise_affine)}`
  }
}

export interface GroupNormOptions<Channels extends number = number> extends FactoryOptions {
  num_groups: number
  num_channels: Channels
  /** Default: 1e-5. */
  eps?: number
  /** Learn a factor and an offset a channel. Default: true. */
  affine?: boolean
  /** With affine: learn the offset. Default: true. */
  bias?: boolean
}

/** Normalises groups of channels of every sample. Input [N, num_channels, ...]. Throws a ValueError unless the groups divide the channels. */
export class GroupNorm<const Channels extends number = number> extends Module {
  /** @internal */
  declare readonly shape_rule?: ChannelsRule<Channels, number>
  readonly num_groups: number
  readonly num_channels: number
  readonly eps: number
  readonly affine: boolean
  declare weight: Parameter | null
  declare bias: Parameter | null

  constructor(
    ...args: Arguments<
      [num_groups: number, num_channels: Channels],
      [eps: number, affine: boolean, device: DeviceInput | null, dtype: DType | null],
      GroupNormOptions<Channels>
    >
  ) {
    super()
    const o = readArguments<GroupNormOptions>('GroupNorm', args, ['num_groups', 'num_channels', 'eps', 'affine', 'device', 'dtype'], 2, [
      'bias',
    ])
    if (o.num_channels % o.num_groups !== 0)
      throw valueError(`num_channels (${o.num_channels}) must be divisible by num_groups (${o.num_groups})`)
    this.num_groups = o.num_groups
    this.num_channels = o.num_channels
    this.eps = o.eps ?? 1e-5
    this.affine = o.affine ?? true
    this.register_parameter('weight', this.affine ? newParameter([o.num_channels], o) : null)
    this.register_parameter('bias', this.affine && (o.bias ?? true) ? newParameter([o.num_channels], o) : null)
    this.reset_parameters()
  }

  reset_parameters(): void {
    if (this.weight) ones_(this.weight)
    if (this.bias) zeros_(this.bias)
  }

  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    return F.group_norm(input, this.num_groups, this.weight, this.bias, this.eps)
  }

  override extra_repr(): string {
    return `${this.num_groups}, ${this.num_channels}, eps=${pythonFloat(this.eps)}, affine=${bool(this.affine)}, bias=${bool(this.bias)}`
  }
}

export interface LocalResponseNormOptions {
  /** How many channels count. */
  size: number
  /** Default: 1e-4. */
  alpha?: number
  /** Default: 0.75. */
  beta?: number
  /** Default: 1. */
  k?: number
}
const local_response_norm = operator('local_response_norm')

/** The input divided by (k + alpha · mean square of neighbouring channels)^beta. Input [N, C, ...]. */
export class LocalResponseNorm extends Module {
  /** @internal */
  declare readonly shape_rule?: SameRule
  readonly size: number
  readonly alpha: number
  readonly beta: number
  readonly k: number

  constructor(...args: Arguments<[size: number], [alpha: number, beta: number, k: number], LocalResponseNormOptions>) {
    super()
    const o = readArguments<LocalResponseNormOptions>('LocalResponseNorm', args, ['size', 'alpha', 'beta', 'k'], 1)
    this.size = o.size
    this.alpha = o.alpha ?? 1e-4
    this.beta = o.beta ?? 0.75
    this.k = o.k ?? 1
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    return local_response_norm(input, this.size, this.alpha, this.beta, this.k)
  }
  override extra_repr(): string {
    return `${this.size}, alpha=${pythonFloat(this.alpha)}, beta=${pythonFloat(this.beta)}, k=${pythonFloat(this.k)}`
  }
}
