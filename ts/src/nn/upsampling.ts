// Upsampling, shuffles of pixels and channels, sliding blocks.

import type { DeviceType, DType } from '../types/dtype.js'
import type { FoldRule, Forward, PixelShuffleRule, PixelUnshuffleRule, SameRule, UnfoldRule, UpsampleRule } from '../types/modules.js'
import type { Shape } from '../types/shapes.js'
import type { Tensor } from '../tensor.js'
import { Module } from './module.js'
import { operator } from './operators.js'
import { readArguments, type Arguments } from './options.js'
import { pythonFloat, pythonRepr, pythonString, pythonTuple } from './text.js'

const interpolate = operator('interpolate')
const pixel_shuffle = operator('pixel_shuffle')
const pixel_unshuffle = operator('pixel_unshuffle')
const channel_shuffle = operator('channel_shuffle')
const fold = operator('fold')
const unfold = operator('unfold')

type Sizes = number | readonly number[]

/** How values between elements are found. */
export type UpsampleMode = 'nearest' | 'linear' | 'bilinear' | 'bicubic' | 'trilinear' | 'area' | 'nearest-exact'

/** Options of Upsample: either size or scale_factor. */
export interface UpsampleOptions<Size = Sizes | null, Factor = Sizes | null> {
  /** The size of the result, one number or one a dimension. */
  size?: Size
  /** How much larger the result is, one number or one a dimension. */
  scale_factor?: Factor
  /** Default: 'nearest'. */
  mode?: UpsampleMode
  /** The corner elements keep their places. Default: false. */
  align_corners?: boolean | null
  /** Take the factor from the sizes, not from scale_factor. */
  recompute_scale_factor?: boolean | null
}

/** An input [N, C, ...] of 1 to 3 more dimensions, resampled to a size or by a factor. */
export class Upsample<const Size extends Sizes | null = null, const Factor extends Sizes | null = null> extends Module {
  /** @internal */
  declare readonly shape_rule?: UpsampleRule<Size, Factor>
  readonly size: Sizes | null
  readonly scale_factor: Sizes | null
  readonly mode: UpsampleMode
  readonly align_corners: boolean | null
  readonly recompute_scale_factor: boolean | null

  constructor(options: UpsampleOptions<Size, Factor>)
  constructor(
    ...args: Arguments<
      [],
      [size: Size, scale_factor: Factor, mode: UpsampleMode, align_corners: boolean | null, recompute_scale_factor: boolean | null],
      UpsampleOptions<Size, Factor>
    >
  )
  constructor(...args: readonly unknown[]) {
    super()
    const o = readArguments<UpsampleOptions>('Upsample', args, ['size', 'scale_factor', 'mode', 'align_corners', 'recompute_scale_factor'])
    this.size = o.size ?? null
    this.scale_factor = o.scale_factor ?? null
    this.mode = o.mode ?? 'nearest'
    this.align_corners = o.align_corners ?? null
    this.recompute_scale_factor = o.recompute_scale_factor ?? null
  }

  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    return interpolate(input, this.size, this.scale_factor, this.mode, this.align_corners, this.recompute_scale_factor)
  }

  override extra_repr(): string {
    const factor = this.scale_factor
    const what =
      factor === null
        ? `size=${pythonRepr(this.size)}`
        : `scale_factor=${typeof factor === 'number' ? pythonFloat(factor) : pythonTuple(factor.map(pythonFloat))}`
    return `${what}, mode=${pythonString(this.mode)}`
  }
}

/** Options of UpsamplingNearest2d and UpsamplingBilinear2d: either size or scale_factor. */
export type Upsampling2dOptions<Size = Sizes | null, Factor = Sizes | null> = Pick<UpsampleOptions<Size, Factor>, 'size' | 'scale_factor'>
type Upsampling2dArguments<Size, Factor> = Arguments<[], [size: Size, scale_factor: Factor], Upsampling2dOptions<Size, Factor>>

/** Images resampled by the nearest element. */
export class UpsamplingNearest2d<const Size extends Sizes | null = null, const Factor extends Sizes | null = null> extends Upsample<
  Size,
  Factor
> {
  constructor(options: Upsampling2dOptions<Size, Factor>)
  constructor(...args: Upsampling2dArguments<Size, Factor>)
  constructor(...args: readonly unknown[]) {
    super({ ...readArguments<Upsampling2dOptions<Size, Factor>>('UpsamplingNearest2d', args, ['size', 'scale_factor']), mode: 'nearest' })
  }
}
/** Images resampled linearly, with the corners in their places. */
export class UpsamplingBilinear2d<const Size extends Sizes | null = null, const Factor extends Sizes | null = null> extends Upsample<
  Size,
  Factor
> {
  constructor(options: Upsampling2dOptions<Size, Factor>)
  constructor(...args: Upsampling2dArguments<Size, Factor>)
  constructor(...args: readonly unknown[]) {
    super({
      ...readArguments<Upsampling2dOptions<Size, Factor>>('UpsamplingBilinear2d', args, ['size', 'scale_factor']),
      mode: 'bilinear',
      align_corners: true,
    })
  }
}

export interface PixelShuffleOptions<R extends number = number> {
  upscale_factor: R
}
/** [..., C · r², H, W] rearranged to [..., C, H · r, W · r]. */
export class PixelShuffle<const R extends number = number> extends Module {
  /** @internal */
  declare readonly shape_rule?: PixelShuffleRule<R>
  readonly upscale_factor: number

  constructor(...args: Arguments<[upscale_factor: R], [], PixelShuffleOptions<R>>) {
    super()
    this.upscale_factor = readArguments<PixelShuffleOptions>('PixelShuffle', args, ['upscale_factor'], 1).upscale_factor
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    return pixel_shuffle(input, this.upscale_factor)
  }
  override extra_repr(): string {
    return `upscale_factor=${this.upscale_factor}`
  }
}

export interface PixelUnshuffleOptions<R extends number = number> {
  downscale_factor: R
}
/** [..., C, H · r, W · r] rearranged to [..., C · r², H, W]. */
export class PixelUnshuffle<const R extends number = number> extends Module {
  /** @internal */
  declare readonly shape_rule?: PixelUnshuffleRule<R>
  readonly downscale_factor: number

  constructor(...args: Arguments<[downscale_factor: R], [], PixelUnshuffleOptions<R>>) {
    super()
    this.downscale_factor = readArguments<PixelUnshuffleOptions>('PixelUnshuffle', args, ['downscale_factor'], 1).downscale_factor
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    return pixel_unshuffle(input, this.downscale_factor)
  }
  override extra_repr(): string {
    return `downscale_factor=${this.downscale_factor}`
  }
}

export interface ChannelShuffleOptions {
  groups: number
}
/** The channels of the groups in turn. Input [N, C, ...]. */
export class ChannelShuffle extends Module {
  /** @internal */
  declare readonly shape_rule?: SameRule
  readonly groups: number

  constructor(...args: Arguments<[groups: number], [], ChannelShuffleOptions>) {
    super()
    this.groups = readArguments<ChannelShuffleOptions>('ChannelShuffle', args, ['groups'], 1).groups
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    return channel_shuffle(input, this.groups)
  }
  override extra_repr(): string {
    return `groups=${this.groups}`
  }
}

/** Options of Unfold. */
export interface UnfoldExtraOptions<Dilation = Sizes, P = Sizes, Stride = Sizes> {
  /** Default: 1. */
  dilation?: Dilation
  /** Default: 0. */
  padding?: P
  /** Default: 1. */
  stride?: Stride
}
export interface UnfoldOptions<K = Sizes, Dilation = Sizes, P = Sizes, Stride = Sizes> extends UnfoldExtraOptions<Dilation, P, Stride> {
  kernel_size: K
}
/** Options of Fold. */
export interface FoldOptions<Size = Sizes, K = Sizes> extends UnfoldOptions<K> {
  output_size: Size
}

/** Sliding blocks of [N, C, H, W] as columns [N, C · kernel elements, blocks]. */
export class Unfold<
  const K extends Sizes = Sizes,
  const Dilation extends Sizes = 1,
  const P extends Sizes = 0,
  const Stride extends Sizes = 1,
> extends Module {
  /** @internal */
  declare readonly shape_rule?: UnfoldRule<K, Dilation, P, Stride>
  readonly kernel_size: Sizes
  readonly dilation: Sizes
  readonly padding: Sizes
  readonly stride: Sizes

  constructor(kernel_size: K, options: UnfoldExtraOptions<Dilation, P, Stride>)
  constructor(
    ...args: Arguments<
      [kernel_size: K],
      [dilation: Dilation, padding: P, stride: Stride],
      UnfoldOptions<K, Dilation, P, Stride>,
      UnfoldExtraOptions<Dilation, P, Stride>
    >
  )
  constructor(...args: readonly unknown[]) {
    super()
    const o = readArguments<UnfoldOptions>('Unfold', args, ['kernel_size', 'dilation', 'padding', 'stride'], 1)
    this.kernel_size = o.kernel_size
    this.dilation = o.dilation ?? 1
    this.padding = o.padding ?? 0
    this.stride = o.stride ?? 1
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    return unfold(input, this.kernel_size, this.dilation, this.padding, this.stride)
  }
  override extra_repr(): string {
    return blocksText(this)
  }
}

/** The sum of overlapping blocks that are columns [N, C · kernel elements, blocks], an image of output_size. */
export class Fold<const Size extends Sizes = Sizes, const K extends Sizes = Sizes> extends Module {
  /** @internal */
  declare readonly shape_rule?: FoldRule<Size, K>
  readonly output_size: Sizes
  readonly kernel_size: Sizes
  readonly dilation: Sizes
  readonly padding: Sizes
  readonly stride: Sizes

  constructor(
    ...args: Arguments<[output_size: Size, kernel_size: K], [dilation: Sizes, padding: Sizes, stride: Sizes], FoldOptions<Size, K>>
  ) {
    super()
    const o = readArguments<FoldOptions>('Fold', args, ['output_size', 'kernel_size', 'dilation', 'padding', 'stride'], 2)
    this.output_size = o.output_size
    this.kernel_size = o.kernel_size
    this.dilation = o.dilation ?? 1
    this.padding = o.padding ?? 0
    this.stride = o.stride ?? 1
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    return fold(input, this.output_size, this.kernel_size, this.dilation, this.padding, this.stride)
  }
  override extra_repr(): string {
    return `output_size=${pythonRepr(this.output_size)}, ${blocksText(this)}`
  }
}

function blocksText(m: Required<UnfoldOptions>): string {
  const [kernel, dilation, padding, stride] = [m.kernel_size, m.dilation, m.padding, m.stride].map((v) => pythonRepr(v))
  return `kernel_size=${kernel}, dilation=${dilation}, padding=${padding}, stride=${stride}`
}
