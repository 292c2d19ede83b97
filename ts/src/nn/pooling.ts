// Pooling in 1, 2 and 3 dimensions.

import type { DeviceType, DType } from '../types/dtype.js'
import type { AdaptivePoolRule, Forward, PoolRule } from '../types/modules.js'
import type { Shape } from '../types/shapes.js'
import type { Tensor } from '../tensor.js'
import { Module } from './module.js'
import { operator, type Operator } from './operators.js'
import { readArguments, repeated, type Arguments, type Size1, type Size2, type Size3 } from './options.js'
import { pythonRepr } from './text.js'

/** Options of MaxPool1d, MaxPool2d and MaxPool3d. */
/** Those options of MaxPool modules that have defaults. */
export interface MaxPoolExtraOptions<Stride = Size2 | null, Padding = Size2, Dilation = Size2, Ceil = boolean> {
  /** Default: the kernel's size. */
  stride?: Stride
  /** Default: 0. */
  padding?: Padding
  /** Default: 1. */
  dilation?: Dilation
  /** Also return where each maximum was. Default: false. */
  return_indices?: boolean
  /** Round the result's size up. Default: false. */
  ceil_mode?: Ceil
}
export interface MaxPoolOptions<
  Size = Size2,
  Stride = Size | null,
  Padding = Size,
  Dilation = Size,
  Ceil = boolean,
> extends MaxPoolExtraOptions<Stride, Padding, Dilation, Ceil> {
  kernel_size: Size
}
export type MaxPool1dOptions = MaxPoolOptions<Size1>
export type MaxPool2dOptions = MaxPoolOptions<Size2>
export type MaxPool3dOptions = MaxPoolOptions<Size3>

type MaxPoolArguments<Size, Stride, Padding, Dilation, Ceil> = Arguments<
  [kernel_size: Size],
  [stride: Stride, padding: Padding, dilation: Dilation, return_indices: boolean, ceil_mode: Ceil],
  MaxPoolOptions<Size, Stride, Padding, Dilation, Ceil>,
  MaxPoolExtraOptions<Stride, Padding, Dilation, Ceil>
>

abstract class MaxPoolNd extends Module {
  readonly kernel_size: number | readonly number[]
  readonly stride: number | readonly number[]
  readonly padding: number | readonly number[]
  readonly dilation: number | readonly number[]
  readonly return_indices: boolean
  readonly ceil_mode: boolean
  readonly #pool: Operator<Tensor | [Tensor, Tensor]>
  readonly #sizes: readonly (readonly number[])[]

  constructor(name: string, n: 1 | 2 | 3, args: readonly unknown[]) {
    super()
    const o = readArguments<MaxPoolOptions<number | readonly number[]>>(
      name,
      args,
      ['kernel_size', 'stride', 'padding', 'dilation', 'return_indices', 'ceil_mode'],
      1,
    )
    this.kernel_size = o.kernel_size
    this.stride = o.stride ?? o.kernel_size
    this.padding = o.padding ?? 0
    this.dilation = o.dilation ?? 1
    this.return_indices = o.return_indices ?? false
    this.ceil_mode = o.ceil_mode ?? false
    this.#pool = MAX_POOLS[n][this.return_indices ? 1 : 0]
    this.#sizes = [this.kernel_size, this.stride, this.padding, this.dilation].map((size) => repeated(size, n))
  }

  /** The maxima; with `return_indices` a pair of them and where they were. */
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    const [kernel, stride, padding, dilation] = this.#sizes
    return this.#pool(input, kernel, stride, padding, dilation, this.ceil_mode) as Tensor
  }

  override extra_repr(): string {
    return (
      `kernel_size=${pythonRepr(this.kernel_size)}, stride=${pythonRepr(this.stride)}, padding=${pythonRepr(this.padding)}, ` +
      `dilation=${pythonRepr(this.dilation)}, ceil_mode=${pythonRepr(this.ceil_mode)}`
    )
  }
}

const MAX_POOLS = {
  1: [operator('max_pool1d'), operator<[Tensor, Tensor]>('max_pool1d_with_indices')],
  2: [operator('max_pool2d'), operator<[Tensor, Tensor]>('max_pool2d_with_indices')],
  3: [operator('max_pool3d'), operator<[Tensor, Tensor]>('max_pool3d_with_indices')],
} as const

/** The largest value under a window. Input [N, C, L] or [C, L]. */
export class MaxPool1d<
  const Kernel extends Size1 = Size1,
  const Stride extends Size1 | null = null,
  const Padding extends Size1 = 0,
  const Dilation extends Size1 = 1,
  const Ceil extends boolean = false,
> extends MaxPoolNd {
  /** @internal */
  declare readonly shape_rule?: PoolRule<1, Kernel, Stride, Padding, Dilation, Ceil>
  constructor(kernel_size: Kernel, options: MaxPoolExtraOptions<Stride, Padding, Dilation, Ceil>)
  constructor(kernel_size: Kernel, stride: Stride, options: MaxPoolExtraOptions<Stride, Padding, Dilation, Ceil>)
  constructor(...args: MaxPoolArguments<Kernel, Stride, Padding, Dilation, Ceil>)
  constructor(...args: readonly unknown[]) {
    super('MaxPool1d', 1, args)
  }
}
/** The largest value under a window. Input [N, C, H, W] or [C, H, W]. */
export class MaxPool2d<
  const Kernel extends Size2 = Size2,
  const Stride extends Size2 | null = null,
  const Padding extends Size2 = 0,
  const Dilation extends Size2 = 1,
  const Ceil extends boolean = false,
> extends MaxPoolNd {
  /** @internal */
  declare readonly shape_rule?: PoolRule<2, Kernel, Stride, Padding, Dilation, Ceil>
  constructor(kernel_size: Kernel, options: MaxPoolExtraOptions<Stride, Padding, Dilation, Ceil>)
  constructor(kernel_size: Kernel, stride: Stride, options: MaxPoolExtraOptions<Stride, Padding, Dilation, Ceil>)
  constructor(...args: MaxPoolArguments<Kernel, Stride, Padding, Dilation, Ceil>)
  constructor(...args: readonly unknown[]) {
    super('MaxPool2d', 2, args)
  }
}
/** The largest value under a window. Input [N, C, D, H, W] or [C, D, H, W]. */
export class MaxPool3d<
  const Kernel extends Size3 = Size3,
  const Stride extends Size3 | null = null,
  const Padding extends Size3 = 0,
  const Dilation extends Size3 = 1,
  const Ceil extends boolean = false,
> extends MaxPoolNd {
  /** @internal */
  declare readonly shape_rule?: PoolRule<3, Kernel, Stride, Padding, Dilation, Ceil>
  constructor(kernel_size: Kernel, options: MaxPoolExtraOptions<Stride, Padding, Dilation, Ceil>)
  constructor(kernel_size: Kernel, stride: Stride, options: MaxPoolExtraOptions<Stride, Padding, Dilation, Ceil>)
  constructor(...args: MaxPoolArguments<Kernel, Stride, Padding, Dilation, Ceil>)
  constructor(...args: readonly unknown[]) {
    super('MaxPool3d', 3, args)
  }
}

/** Options of AvgPool1d, AvgPool2d and AvgPool3d. */
/** Those options of AvgPool modules that have defaults. */
export interface AvgPoolExtraOptions<Stride = Size2 | null, Padding = Size2, Ceil = boolean> {
  /** Default: the kernel's size. */
  stride?: Stride
  /** Default: 0. */
  padding?: Padding
  /** Round the result's size up. Default: false. */
  ceil_mode?: Ceil
  /** Count the padding's zeros in the mean. Default: true. */
  count_include_pad?: boolean
  /** Divide by this instead of the window's size (not in 1 dimension). */
  divisor_override?: number | null
}
export interface AvgPoolOptions<Size = Size2, Stride = Size | null, Padding = Size, Ceil = boolean> extends AvgPoolExtraOptions<
  Stride,
  Padding,
  Ceil
> {
  kernel_size: Size
}
export type AvgPool1dOptions = Omit<AvgPoolOptions<Size1>, 'divisor_override'>
export type AvgPool2dOptions = AvgPoolOptions<Size2>
export type AvgPool3dOptions = AvgPoolOptions<Size3>

abstract class AvgPoolNd extends Module {
  readonly kernel_size: number | readonly number[]
  readonly stride: number | readonly number[]
  readonly padding: number | readonly number[]
  readonly ceil_mode: boolean
  readonly count_include_pad: boolean
  readonly divisor_override: number | null
  readonly #pool: Operator
  readonly #sizes: readonly (readonly number[])[]

  constructor(name: string, n: number, pool: Operator, args: readonly unknown[]) {
    super()
    const order = ['kernel_size', 'stride', 'padding', 'ceil_mode', 'count_include_pad', 'divisor_override'] as const
    const o = readArguments<AvgPoolOptions<number | readonly number[]>>(name, args, n === 1 ? order.slice(0, 5) : order, 1)
    // PyTorch keeps what was given, except in 1 dimension, where it makes tuples of it.
    const kept = (size: number | readonly number[]): number | readonly number[] => (n === 1 ? repeated(size, 1) : size)
    this.kernel_size = kept(o.kernel_size)
    this.stride = kept(o.stride ?? o.kernel_size)
    this.padding = kept(o.padding ?? 0)
    this.ceil_mode = o.ceil_mode ?? false
    this.count_include_pad = o.count_include_pad ?? true
    this.divisor_override = o.divisor_override ?? null
    this.#pool = pool
    this.#sizes = [this.kernel_size, this.stride, this.padding].map((size) => repeated(size, n))
  }

  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    const [kernel, stride, padding] = this.#sizes
    const args: unknown[] = [input, kernel, stride, padding, this.ceil_mode, this.count_include_pad]
    if (this.divisor_override !== null) args.push(this.divisor_override)
    return this.#pool(...args)
  }

  override extra_repr(): string {
    return `kernel_size=${pythonRepr(this.kernel_size)}, stride=${pythonRepr(this.stride)}, padding=${pythonRepr(this.padding)}`
  }
}

type AvgPoolArguments<Size, Stride, Padding, Ceil> = Arguments<
  [kernel_size: Size],
  [stride: Stride, padding: Padding, ceil_mode: Ceil, count_include_pad: boolean, divisor_override: number | null],
  AvgPoolOptions<Size, Stride, Padding, Ceil>,
  AvgPoolExtraOptions<Stride, Padding, Ceil>
>
const avg_pool1d = operator('avg_pool1d')
const avg_pool2d = operator('avg_pool2d')
const avg_pool3d = operator('avg_pool3d')

/** The mean under a window. Input [N, C, L] or [C, L]. */
export class AvgPool1d<
  const Kernel extends Size1 = Size1,
  const Stride extends Size1 | null = null,
  const Padding extends Size1 = 0,
  const Ceil extends boolean = false,
> extends AvgPoolNd {
  /** @internal */
  declare readonly shape_rule?: PoolRule<1, Kernel, Stride, Padding, 1, Ceil>
  constructor(kernel_size: Kernel, options: AvgPoolExtraOptions<Stride, Padding, Ceil>)
  constructor(kernel_size: Kernel, stride: Stride, options: AvgPoolExtraOptions<Stride, Padding, Ceil>)
  constructor(
    ...args: Arguments<
      [kernel_size: Kernel],
      [stride: Stride, padding: Padding, ceil_mode: Ceil, count_include_pad: boolean],
      Omit<AvgPoolOptions<Kernel, Stride, Padding, Ceil>, 'divisor_override'>,
      AvgPoolExtraOptions<Stride, Padding, Ceil>
    >
  )
  constructor(...args: readonly unknown[]) {
    super('AvgPool1d', 1, avg_pool1d, args)
  }
}
/** The mean under a window. Input [N, C, H, W] or [C, H, W]. */
export class AvgPool2d<
  const Kernel extends Size2 = Size2,
  const Stride extends Size2 | null = null,
  const Padding extends Size2 = 0,
  const Ceil extends boolean = false,
> extends AvgPoolNd {
  /** @internal */
  declare readonly shape_rule?: PoolRule<2, Kernel, Stride, Padding, 1, Ceil>
  constructor(kernel_size: Kernel, options: AvgPoolExtraOptions<Stride, Padding, Ceil>)
  constructor(kernel_size: Kernel, stride: Stride, options: AvgPoolExtraOptions<Stride, Padding, Ceil>)
  constructor(...args: AvgPoolArguments<Kernel, Stride, Padding, Ceil>)
  constructor(...args: readonly unknown[]) {
    super('AvgPool2d', 2, avg_pool2d, args)
  }
}
/** The mean under a window. Input [N, C, D, H, W] or [C, D, H, W]. */
export class AvgPool3d<
  const Kernel extends Size3 = Size3,
  const Stride extends Size3 | null = null,
  const Padding extends Size3 = 0,
  const Ceil extends boolean = false,
> extends AvgPoolNd {
  /** @internal */
  declare readonly shape_rule?: PoolRule<3, Kernel, Stride, Padding, 1, Ceil>
  constructor(kernel_size: Kernel, options: AvgPoolExtraOptions<Stride, Padding, Ceil>)
  constructor(kernel_size: Kernel, stride: Stride, options: AvgPoolExtraOptions<Stride, Padding, Ceil>)
  constructor(...args: AvgPoolArguments<Kernel, Stride, Padding, Ceil>)
  constructor(...args: readonly unknown[]) {
    super('AvgPool3d', 3, avg_pool3d, args)
  }
}

/** Options of AdaptiveAvgPool1d, 2d and 3d. */
export interface AdaptiveAvgPoolOptions {
  /** The result's size: one number for all dimensions or one each; null keeps the input's. */
  output_size: number | null | readonly (number | null)[]
}
export interface AdaptiveMaxPoolOptions extends AdaptiveAvgPoolOptions {
  /** Also return where each maximum was. Default: false. */
  return_indices?: boolean
}

abstract class AdaptivePoolNd extends Module {
  readonly output_size: number | null | readonly (number | null)[]
  readonly return_indices: boolean
  readonly #pool: Operator<Tensor | [Tensor, Tensor]>
  readonly #n: number

  constructor(name: string, n: number, pool: Operator, args: readonly unknown[], poolWithIndices?: Operator<[Tensor, Tensor]>) {
    super()
    const o = readArguments<AdaptiveMaxPoolOptions>(name, args, poolWithIndices ? ['output_size', 'return_indices'] : ['output_size'], 1)
    this.output_size = o.output_size
    this.return_indices = o.return_indices ?? false
    this.#pool = this.return_indices && poolWithIndices ? poolWithIndices : pool
    this.#n = n
  }

  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    const given = this.output_size
    const sizes = Array.isArray(given)
      ? (given as readonly (number | null)[])
      : new Array<number | null>(this.#n).fill(given as number | null)
    const last = (input.shape as readonly number[]).slice(-sizes.length)
    return this.#pool(
      input,
      sizes.map((size, i) => size ?? last[i]),
    ) as Tensor
  }

  override extra_repr(): string {
    return `output_size=${pythonRepr(this.output_size)}`
  }
}

type AdaptiveArguments<Size> = Arguments<[output_size: Size], [], AdaptiveAvgPoolOptions & { output_size: Size }>
type AdaptiveMaxArguments<Size> = Arguments<[output_size: Size], [return_indices: boolean], AdaptiveMaxPoolOptions & { output_size: Size }>
const adaptive_avg_pool1d = operator('adaptive_avg_pool1d')
const adaptive_avg_pool2d = operator('adaptive_avg_pool2d')
const adaptive_avg_pool3d = operator('adaptive_avg_pool3d')
const adaptive_max_pool1d = operator('adaptive_max_pool1d')
const adaptive_max_pool2d = operator('adaptive_max_pool2d')
const adaptive_max_pool3d = operator('adaptive_max_pool3d')

/** Means over windows chosen such that the result has `output_size`. Input [N, C, L] or [C, L]. */
export class AdaptiveAvgPool1d<
  const Size extends AdaptiveAvgPoolOptions['output_size'] = AdaptiveAvgPoolOptions['output_size'],
> extends AdaptivePoolNd {
  /** @internal */
  declare readonly shape_rule?: AdaptivePoolRule<1, Size>
  constructor(...args: AdaptiveArguments<Size>) {
    super('AdaptiveAvgPool1d', 1, adaptive_avg_pool1d, args)
  }
}
/** Means over windows chosen such that the result has `output_size`. Input [N, C, H, W] or [C, H, W]. */
export class AdaptiveAvgPool2d<
  const Size extends AdaptiveAvgPoolOptions['output_size'] = AdaptiveAvgPoolOptions['output_size'],
> extends AdaptivePoolNd {
  /** @internal */
  declare readonly shape_rule?: AdaptivePoolRule<2, Size>
  constructor(...args: AdaptiveArguments<Size>) {
    super('AdaptiveAvgPool2d', 2, adaptive_avg_pool2d, args)
  }
}
/** Means over windows chosen such that the result has `output_size`. Input [N, C, D, H, W] or [C, D, H, W]. */
export class AdaptiveAvgPool3d<
  const Size extends AdaptiveAvgPoolOptions['output_size'] = AdaptiveAvgPoolOptions['output_size'],
> extends AdaptivePoolNd {
  /** @internal */
  declare readonly shape_rule?: AdaptivePoolRule<3, Size>
  constructor(...args: AdaptiveArguments<Size>) {
    super('AdaptiveAvgPool3d', 3, adaptive_avg_pool3d, args)
  }
}
/** Maxima over windows chosen such that the result has `output_size`. Input [N, C, L] or [C, L]. */
export class AdaptiveMaxPool1d<
  const Size extends AdaptiveAvgPoolOptions['output_size'] = AdaptiveAvgPoolOptions['output_size'],
> extends AdaptivePoolNd {
  /** @internal */
  declare readonly shape_rule?: AdaptivePoolRule<1, Size>
  constructor(...args: AdaptiveMaxArguments<Size>) {
    super('AdaptiveMaxPool1d', 1, adaptive_max_pool1d, args, operator<[Tensor, Tensor]>('adaptive_max_pool1d_with_indices'))
  }
}
/** Maxima over windows chosen such that the result has `output_size`. Input [N, C, H, W] or [C, H, W]. */
export class AdaptiveMaxPool2d<
  const Size extends AdaptiveAvgPoolOptions['output_size'] = AdaptiveAvgPoolOptions['output_size'],
> extends AdaptivePoolNd {
  /** @internal */
  declare readonly shape_rule?: AdaptivePoolRule<2, Size>
  constructor(...args: AdaptiveMaxArguments<Size>) {
    super('AdaptiveMaxPool2d', 2, adaptive_max_pool2d, args, operator<[Tensor, Tensor]>('adaptive_max_pool2d_with_indices'))
  }
}
/** Maxima over windows chosen such that the result has `output_size`. Input [N, C, D, H, W] or [C, D, H, W]. */
export class AdaptiveMaxPool3d<
  const Size extends AdaptiveAvgPoolOptions['output_size'] = AdaptiveAvgPoolOptions['output_size'],
> extends AdaptivePoolNd {
  /** @internal */
  declare readonly shape_rule?: AdaptivePoolRule<3, Size>
  constructor(...args: AdaptiveMaxArguments<Size>) {
    super('AdaptiveMaxPool3d', 3, adaptive_max_pool3d, args, operator<[Tensor, Tensor]>('adaptive_max_pool3d_with_indices'))
  }
}
