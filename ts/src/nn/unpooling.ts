// Poolings with windows of their own: fractional, by a norm, and the way back from maxima.

import type { Tensor } from '../tensor.js'
import { valueError } from './errors.js'
import { Module } from './module.js'
import { operator, type Operator } from './operators.js'
import { readArguments, repeated, type Arguments, type Size1, type Size2, type Size3 } from './options.js'
import { pythonNumber, pythonRepr } from './text.js'

type Sizes = number | readonly number[]

/** Options of MaxUnpool1d, 2d and 3d. */
export interface MaxUnpoolOptions<Size = Sizes> {
  kernel_size: Size
  /** Default: the kernel's size. */
  stride?: Size | null
  /** Default: 0. */
  padding?: Size
}
type MaxUnpoolArguments<Size> = Arguments<[kernel_size: Size], [stride: Size | null, padding: Size], MaxUnpoolOptions<Size>>

abstract class MaxUnpoolNd extends Module {
  readonly kernel_size: readonly number[]
  readonly stride: readonly number[]
  readonly padding: readonly number[]
  readonly #unpool: Operator

  constructor(name: string, n: number, unpool: Operator, args: readonly unknown[]) {
    super()
    const o = readArguments<MaxUnpoolOptions>(name, args, ['kernel_size', 'stride', 'padding'], 1)
    this.kernel_size = repeated(o.kernel_size, n)
    this.stride = repeated(o.stride ?? o.kernel_size, n)
    this.padding = repeated(o.padding ?? 0, n)
    this.#unpool = unpool
  }

  /** `output_size`: which of the sizes that the pooling may have had. */
  override forward(input: Tensor, indices: Tensor, output_size: readonly number[] | null = null): Tensor {
    return this.#unpool(input, indices, this.kernel_size, this.stride, this.padding, output_size)
  }

  override extra_repr(): string {
    return `kernel_size=${pythonRepr(this.kernel_size)}, stride=${pythonRepr(this.stride)}, padding=${pythonRepr(this.padding)}`
  }
}

const max_unpool1d = operator('max_unpool1d')
const max_unpool2d = operator('max_unpool2d')
const max_unpool3d = operator('max_unpool3d')

/** Elements put back where MaxPool1d found them. Input [N, C, L] or [C, L]. */
export class MaxUnpool1d extends MaxUnpoolNd {
  constructor(...args: MaxUnpoolArguments<Size1>) {
    super('MaxUnpool1d', 1, max_unpool1d, args)
  }
}
/** Elements put back where MaxPool2d found them. Input [N, C, H, W] or [C, H, W]. */
export class MaxUnpool2d extends MaxUnpoolNd {
  constructor(...args: MaxUnpoolArguments<Size2>) {
    super('MaxUnpool2d', 2, max_unpool2d, args)
  }
}
/** Elements put back where MaxPool3d found them. Input [N, C, D, H, W] or [C, D, H, W]. */
export class MaxUnpool3d extends MaxUnpoolNd {
  constructor(...args: MaxUnpoolArguments<Size3>) {
    super('MaxUnpool3d', 3, max_unpool3d, args)
  }
}

/** Options of LPPool1d, 2d and 3d. */
export interface LPPoolOptions<Size = Sizes> {
  /** The p of the norm. */
  norm_type: number
  kernel_size: Size
  /** Default: the kernel's size. */
  stride?: Size | null
  /** Round the result's size up. Default: false. */
  ceil_mode?: boolean
}
type LPPoolArguments<Size> = Arguments<
  [norm_type: number, kernel_size: Size],
  [stride: Size | null, ceil_mode: boolean],
  LPPoolOptions<Size>
>

abstract class LPPoolNd extends Module {
  readonly norm_type: number
  readonly kernel_size: Sizes
  readonly stride: Sizes | null
  readonly ceil_mode: boolean
  readonly #pool: Operator
  readonly #sizes: readonly [kernel: readonly number[], stride: readonly number[]]

  constructor(name: string, n: number, pool: Operator, args: readonly unknown[]) {
    super()
    const o = readArguments<LPPoolOptions>(name, args, ['norm_type', 'kernel_size', 'stride', 'ceil_mode'], 2)
    this.norm_type = o.norm_type
    this.kernel_size = o.kernel_size
    this.stride = o.stride ?? null
    this.ceil_mode = o.ceil_mode ?? false
    this.#pool = pool
    this.#sizes = [repeated(o.kernel_size, n), repeated(o.stride ?? o.kernel_size, n)]
  }
  override forward(input: Tensor): Tensor {
    return this.#pool(input, this.norm_type, ...this.#sizes, this.ceil_mode)
  }
  override extra_repr(): string {
    return (
      `norm_type=${pythonNumber(this.norm_type)}, kernel_size=${pythonRepr(this.kernel_size)}, stride=${pythonRepr(this.stride)}, ` +
      `ceil_mode=${pythonRepr(this.ceil_mode)}`
    )
  }
}

const lp_pool1d = operator('lp_pool1d')
const lp_pool2d = operator('lp_pool2d')
const lp_pool3d = operator('lp_pool3d')

/** The p-norm of a window. Input [N, C, L] or [C, L]. */
export class LPPool1d extends LPPoolNd {
  constructor(...args: LPPoolArguments<Size1>) {
    super('LPPool1d', 1, lp_pool1d, args)
  }
}
/** The p-norm of a window. Input [N, C, H, W] or [C, H, W]. */
export class LPPool2d extends LPPoolNd {
  constructor(...args: LPPoolArguments<Size2>) {
    super('LPPool2d', 2, lp_pool2d, args)
  }
}
/** The p-norm of a window. Input [N, C, D, H, W] or [C, D, H, W]. */
export class LPPool3d extends LPPoolNd {
  constructor(...args: LPPoolArguments<Size3>) {
    super('LPPool3d', 3, lp_pool3d, args)
  }
}

/** Options of FractionalMaxPool2d and 3d: either output_size or output_ratio. */
export interface FractionalMaxPoolOptions<Size = Sizes> {
  kernel_size: Size
  output_size?: Size | null
  /** How much smaller the result is, between 0 and 1. */
  output_ratio?: Size | null
  /** Also return where each maximum was. Default: false. */
  return_indices?: boolean
  /** The numbers that the windows' places come from, [N, C, dimensions]. Default: drawn. */
  _random_samples?: Tensor | null
}
type FractionalArguments<Size> = Arguments<
  [kernel_size: Size],
  [output_size: Size | null, output_ratio: Size | null, return_indices: boolean, _random_samples: Tensor | null],
  FractionalMaxPoolOptions<Size>
>

abstract class FractionalMaxPoolNd extends Module {
  readonly kernel_size: readonly number[]
  readonly output_size: readonly number[] | null
  readonly output_ratio: readonly number[] | null
  readonly return_indices: boolean
  declare _random_samples: Tensor | null
  readonly #pool: Operator<Tensor | [Tensor, Tensor]>

  constructor(name: string, n: number, pools: readonly [Operator, Operator<[Tensor, Tensor]>], args: readonly unknown[]) {
    super()
    const o = readArguments<FractionalMaxPoolOptions>(
      name,
      args,
      ['kernel_size', 'output_size', 'output_ratio', 'return_indices', '_random_samples'],
      1,
    )
    this.kernel_size = repeated(o.kernel_size, n)
    this.return_indices = o.return_indices ?? false
    this.register_buffer('_random_samples', o._random_samples ?? null)
    const size = o.output_size ?? null
    const ratio = o.output_ratio ?? null
    if (size === null && ratio === null) throw valueError(`${name} requires specifying either an output size, or a pooling ratio`)
    if (size !== null && ratio !== null) throw valueError('only one of output_size and output_ratio may be specified')
    this.output_size = size === null ? null : repeated(size, n)
    this.output_ratio = ratio === null ? null : repeated(ratio, n)
    if (this.output_ratio?.some((r) => !(0 < r && r < 1)))
      throw valueError(`output_ratio must be between 0 and 1 (got ${pythonRepr(ratio)})`)
    this.#pool = pools[this.return_indices ? 1 : 0]
  }

  /** The maxima; with `return_indices` a pair of them and where they were. */
  override forward(input: Tensor): Tensor {
    return this.#pool(input, this.kernel_size, this.output_size, this.output_ratio, this.return_indices, this._random_samples) as Tensor
  }
}

const FRACTIONAL = {
  2: [operator('fractional_max_pool2d'), operator<[Tensor, Tensor]>('fractional_max_pool2d_with_indices')],
  3: [operator('fractional_max_pool3d'), operator<[Tensor, Tensor]>('fractional_max_pool3d_with_indices')],
} as const

/** The largest values of windows whose places are drawn. Input [N, C, H, W] or [C, H, W]. */
export class FractionalMaxPool2d extends FractionalMaxPoolNd {
  constructor(...args: FractionalArguments<Size2>) {
    super('FractionalMaxPool2d', 2, FRACTIONAL[2], args)
  }
}
/** The largest values of windows whose places are drawn. Input [N, C, D, H, W] or [C, D, H, W]. */
export class FractionalMaxPool3d extends FractionalMaxPoolNd {
  constructor(...args: FractionalArguments<Size3>) {
    super('FractionalMaxPool3d', 3, FRACTIONAL[3], args)
  }
}
