// Convolutions in 1, 2 and 3 dimensions.

import type { DeviceInput } from '../device.js'
import type { Tensor } from '../tensor.js'
import type { DeviceType, DType } from '../types/dtype.js'
import type { ConvRule, ConvTransposeRule, Forward } from '../types/modules.js'
import type { Shape } from '../types/shapes.js'
import { valueError } from './errors.js'
import { calculate_fan_in_and_fan_out, kaiming_uniform_, uniform_ } from './init.js'
import { newParameter, type FactoryOptions } from './linear.js'
import { Module } from './module.js'
import { operator, type Operator } from './operators.js'
import { readArguments, repeated, type Arguments, type Size1, type Size2, type Size3 } from './options.js'
import type { Parameter } from './parameter.js'
import { pythonRepr } from './text.js'

export type PaddingMode = 'zeros' | 'reflect' | 'replicate' | 'circular'

/** Options of Conv1d, Conv2d and Conv3d; `Size` is one number or one a dimension. */
/** Those options of Conv modules that have defaults. */
export interface ConvExtraOptions<Stride = Size2, Padding = Size2 | 'same' | 'valid', Dilation = Size2> extends FactoryOptions {
  /** Default: 1. */
  stride?: Stride
  /** Zeros (or what padding_mode says) around the input; 'same' keeps the size. Default: 0. */
  padding?: Padding
  /** Steps between the kernel's elements. Default: 1. */
  dilation?: Dilation
  /** Channels fall into this many groups that do not see each other. Default: 1. */
  groups?: number
  /** Default: true. */
  bias?: boolean
  /** Default: 'zeros'. */
  padding_mode?: PaddingMode
}
export interface ConvOptions<
  Size = Size2,
  In extends number = number,
  Out extends number = number,
  Stride = Size,
  Padding = Size | 'same' | 'valid',
  Dilation = Size,
> extends ConvExtraOptions<Stride, Padding, Dilation> {
  in_channels: In
  out_channels: Out
  kernel_size: Size
}

type ConvArguments<Size, In extends number, Out extends number, Stride, Padding, Dilation> = Arguments<
  [in_channels: In, out_channels: Out, kernel_size: Size],
  [
    stride: Stride,
    padding: Padding,
    dilation: Dilation,
    groups: number,
    bias: boolean,
    padding_mode: PaddingMode,
    device: DeviceInput | null,
    dtype: DType | null,
  ],
  ConvOptions<Size, In, Out, Stride, Padding, Dilation>,
  ConvExtraOptions<Stride, Padding, Dilation>
>

const ORDER = [
  'in_channels',
  'out_channels',
  'kernel_size',
  'stride',
  'padding',
  'dilation',
  'groups',
  'bias',
  'padding_mode',
  'device',
  'dtype',
] as const

// A NotImplementedError says so where this build has none; only padding that the convolution itself cannot do comes here.
const pad = operator('pad')

abstract class ConvNd extends Module {
  readonly in_channels: number
  readonly out_channels: number
  readonly kernel_size: readonly number[]
  readonly stride: readonly number[]
  readonly padding: readonly number[] | 'same' | 'valid'
  readonly dilation: readonly number[]
  readonly groups: number
  readonly padding_mode: PaddingMode
  /** [out_channels, in_channels / groups, ...kernel_size] */
  declare weight: Parameter
  /** [out_channels] */
  declare bias: Parameter | null
  /** What the operator itself pads, one number a dimension. */
  readonly #operatorPadding: readonly number[]
  /** What is padded before it, as nn.functional.pad wants it: last dimension first. */
  readonly #padBefore: readonly number[] | null
  readonly #convolve: Operator

  constructor(name: string, n: number, convolve: Operator, args: readonly unknown[]) {
    super()
    const o = readArguments<ConvOptions<number | readonly number[]>>(name, args, ORDER, 3)
    const groups = o.groups ?? 1
    const padding = o.padding ?? 0
    const mode = o.padding_mode ?? 'zeros'
    if (groups <= 0) throw valueError('groups must be a positive integer')
    if (o.in_channels % groups !== 0) throw valueError('in_channels must be divisible by groups')
    if (o.out_channels % groups !== 0) throw valueError('out_channels must be divisible by groups')
    this.in_channels = o.in_channels
    this.out_channels = o.out_channels
    this.kernel_size = repeated(o.kernel_size, n)
    this.stride = repeated(o.stride ?? 1, n)
    this.dilation = repeated(o.dilation ?? 1, n)
    if (typeof padding === 'string') {
      if (padding !== 'same' && padding !== 'valid') {
        throw valueError(`Invalid padding string '${String(padding)}', should be one of {'same', 'valid'}`)
      }
      if (padding === 'same' && this.stride.some((s) => s !== 1))
        throw valueError("padding='same' is not supported for strided convolutions")
    }
    if (!['zeros', 'reflect', 'replicate', 'circular'].includes(mode)) {
      throw valueError(`padding_mode must be one of {'zeros', 'reflect', 'replicate', 'circular'}, but got padding_mode='${String(mode)}'`)
    }
    this.padding = typeof padding === 'string' ? padding : repeated(padding, n)
    this.groups = groups
    this.padding_mode = mode

    // Left and right of each dimension; 'same' may need one more on the right.
    const sides = this.kernel_size.map((k, i): readonly [number, number] => {
      if (this.padding === 'valid') return [0, 0]
      if (this.padding !== 'same') return [this.padding[i] as number, this.padding[i] as number]
      const total = (this.dilation[i] as number) * (k - 1)
      const left = Math.floor(total / 2)
      return [left, total - left]
    })
    const zeros = new Array<number>(n).fill(0)
    if (mode === 'zeros' && sides.every(([left, right]) => left === right)) {
      this.#operatorPadding = sides.map(([left]) => left)
      this.#padBefore = null
    } else {
      this.#operatorPadding = zeros
      this.#padBefore = [...sides].reverse().flat()
    }
    this.#convolve = convolve
    this.register_parameter('weight', newParameter([o.out_channels, o.in_channels / groups, ...this.kernel_size], o))
    this.register_parameter('bias', (o.bias ?? true) ? newParameter([o.out_channels], o) : null)
    this.reset_parameters()
  }

  /** Draws the initial values anew: uniform in ±1/√(in_channels / groups · kernel elements). */
  reset_parameters(): void {
    kaiming_uniform_(this.weight, Math.sqrt(5))
    if (this.bias) {
      const [fanIn] = calculate_fan_in_and_fan_out(this.weight)
      if (fanIn !== 0) uniform_(this.bias, -1 / Math.sqrt(fanIn), 1 / Math.sqrt(fanIn))
    }
  }

  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    let x = input
    if (this.#padBefore) x = pad(input, this.#padBefore, this.padding_mode === 'zeros' ? 'constant' : this.padding_mode)
    return this.#convolve(x, this.weight, this.bias, this.stride, this.#operatorPadding, this.dilation, this.groups)
  }

  override extra_repr(): string {
    const { padding, dilation } = this
    let text = `${this.in_channels}, ${this.out_channels}, kernel_size=${pythonRepr(this.kernel_size)}, stride=${pythonRepr(this.stride)}`
    if (typeof padding === 'string') text += `, padding=${padding}`
    else if (padding.some((p) => p !== 0)) text += `, padding=${pythonRepr(padding)}`
    if (dilation.some((d) => d !== 1)) text += `, dilation=${pythonRepr(dilation)}`
    if (this.groups !== 1) text += `, groups=${this.groups}`
    if (!this.bias) text += ', bias=False'
    if (this.padding_mode !== 'zeros') text += `, padding_mode=${this.padding_mode}`
    return text
  }
}

const conv1d = operator('conv1d')
const conv2d = operator('conv2d')
const conv3d = operator('conv3d')

/** Cross-correlation along one dimension. Input [N, C, L] or [C, L], result [N, out_channels, L'] or [out_channels, L']. */
export class Conv1d<
  const In extends number = number,
  const Out extends number = number,
  const Kernel extends Size1 = Size1,
  const Stride extends Size1 = 1,
  const Padding extends Size1 | 'same' | 'valid' = 0,
  const Dilation extends Size1 = 1,
> extends ConvNd {
  /** @internal */
  declare readonly shape_rule?: ConvRule<1, In, Out, Kernel, Stride, Padding, Dilation>
  constructor(in_channels: In, out_channels: Out, kernel_size: Kernel, options: ConvExtraOptions<Stride, Padding, Dilation>)
  constructor(in_channels: In, out_channels: Out, kernel_size: Kernel, stride: Stride, options: ConvExtraOptions<Stride, Padding, Dilation>)
  constructor(...args: ConvArguments<Kernel, In, Out, Stride, Padding, Dilation>)
  constructor(...args: readonly unknown[]) {
    super('Conv1d', 1, conv1d, args)
  }
}

/**
 * Cross-correlation of images. Input [N, C, H, W] or [C, H, W], result [N, out_channels, H', W'] with
 * H' = (H + 2 padding − dilation (kernel_size − 1) − 1) / stride + 1.
 */
export class Conv2d<
  const In extends number = number,
  const Out extends number = number,
  const Kernel extends Size2 = Size2,
  const Stride extends Size2 = 1,
  const Padding extends Size2 | 'same' | 'valid' = 0,
  const Dilation extends Size2 = 1,
> extends ConvNd {
  /** @internal */
  declare readonly shape_rule?: ConvRule<2, In, Out, Kernel, Stride, Padding, Dilation>
  constructor(in_channels: In, out_channels: Out, kernel_size: Kernel, options: ConvExtraOptions<Stride, Padding, Dilation>)
  constructor(in_channels: In, out_channels: Out, kernel_size: Kernel, stride: Stride, options: ConvExtraOptions<Stride, Padding, Dilation>)
  constructor(...args: ConvArguments<Kernel, In, Out, Stride, Padding, Dilation>)
  constructor(...args: readonly unknown[]) {
    super('Conv2d', 2, conv2d, args)
  }
}

/** Cross-correlation of volumes. Input [N, C, D, H, W] or [C, D, H, W]. */
export class Conv3d<
  const In extends number = number,
  const Out extends number = number,
  const Kernel extends Size3 = Size3,
  const Stride extends Size3 = 1,
  const Padding extends Size3 | 'same' | 'valid' = 0,
  const Dilation extends Size3 = 1,
> extends ConvNd {
  /** @internal */
  declare readonly shape_rule?: ConvRule<3, In, Out, Kernel, Stride, Padding, Dilation>
  constructor(in_channels: In, out_channels: Out, kernel_size: Kernel, options: ConvExtraOptions<Stride, Padding, Dilation>)
  constructor(in_channels: In, out_channels: Out, kernel_size: Kernel, stride: Stride, options: ConvExtraOptions<Stride, Padding, Dilation>)
  constructor(...args: ConvArguments<Kernel, In, Out, Stride, Padding, Dilation>)
  constructor(...args: readonly unknown[]) {
    super('Conv3d', 3, conv3d, args)
  }
}

/** Options of ConvTranspose1d, ConvTranspose2d and ConvTranspose3d. */
/** Those options of ConvTranspose modules that have defaults. */
export interface ConvTransposeExtraOptions<
  Stride = Size2,
  Padding = Size2,
  OutputPadding = Size2,
  Dilation = Size2,
> extends FactoryOptions {
  /** Default: 1. */
  stride?: Stride
  /** What is cut from each side of the result. Default: 0. */
  padding?: Padding
  /** What is added to one side of the result. Default: 0. */
  output_padding?: OutputPadding
  /** Default: 1. */
  groups?: number
  /** Default: true. */
  bias?: boolean
  /** Default: 1. */
  dilation?: Dilation
  /** Only 'zeros'. */
  padding_mode?: 'zeros'
}
export interface ConvTransposeOptions<
  Size = Size2,
  In extends number = number,
  Out extends number = number,
  Stride = Size,
  Padding = Size,
  OutputPadding = Size,
  Dilation = Size,
> extends ConvTransposeExtraOptions<Stride, Padding, OutputPadding, Dilation> {
  in_channels: In
  out_channels: Out
  kernel_size: Size
}

type ConvTransposeArguments<Size, In extends number, Out extends number, Stride, Padding, OutputPadding, Dilation> = Arguments<
  [in_channels: In, out_channels: Out, kernel_size: Size],
  [
    stride: Stride,
    padding: Padding,
    output_padding: OutputPadding,
    groups: number,
    bias: boolean,
    dilation: Dilation,
    padding_mode: 'zeros',
    device: DeviceInput | null,
    dtype: DType | null,
  ],
  ConvTransposeOptions<Size, In, Out, Stride, Padding, OutputPadding, Dilation>,
  ConvTransposeExtraOptions<Stride, Padding, OutputPadding, Dilation>
>

abstract class ConvTransposeNd extends Module {
  readonly in_channels: number
  readonly out_channels: number
  readonly kernel_size: readonly number[]
  readonly stride: readonly number[]
  readonly padding: readonly number[]
  readonly output_padding: readonly number[]
  readonly dilation: readonly number[]
  readonly groups: number
  /** [in_channels, out_channels / groups, ...kernel_size] */
  declare weight: Parameter
  /** [out_channels] */
  declare bias: Parameter | null
  readonly #convolve: Operator

  constructor(name: string, n: number, convolve: Operator, args: readonly unknown[]) {
    super()
    const o = readArguments<ConvTransposeOptions<number | readonly number[]>>(
      name,
      args,
      [
        'in_channels',
        'out_channels',
        'kernel_size',
        'stride',
        'padding',
        'output_padding',
        'groups',
        'bias',
        'dilation',
        'padding_mode',
        'device',
        'dtype',
      ],
      3,
    )
    const groups = o.groups ?? 1
    if ((o.padding_mode ?? 'zeros') !== 'zeros') throw valueError(`Only "zeros" padding mode is supported for ${name}`)
    if (groups <= 0) throw valueError('groups must be a positive integer')
    if (o.in_channels % groups !== 0) throw valueError('in_channels must be divisible by groups')
    if (o.out_channels % groups !== 0) throw valueError('out_channels must be divisible by groups')
    this.in_channels = o.in_channels
    this.out_channels = o.out_channels
    this.kernel_size = repeated(o.kernel_size, n)
    this.stride = repeated(o.stride ?? 1, n)
    this.padding = repeated(o.padding ?? 0, n)
    this.output_padding = repeated(o.output_padding ?? 0, n)
    this.dilation = repeated(o.dilation ?? 1, n)
    this.groups = groups
    this.#convolve = convolve
    this.register_parameter('weight', newParameter([o.in_channels, o.out_channels / groups, ...this.kernel_size], o))
    this.register_parameter('bias', (o.bias ?? true) ? newParameter([o.out_channels], o) : null)
    this.reset_parameters()
  }

  /** Draws the initial values anew. */
  reset_parameters(): void {
    kaiming_uniform_(this.weight, Math.sqrt(5))
    if (this.bias) {
      const [fanIn] = calculate_fan_in_and_fan_out(this.weight)
      if (fanIn !== 0) uniform_(this.bias, -1 / Math.sqrt(fanIn), 1 / Math.sqrt(fanIn))
    }
  }

  /** `output_size`: which of the sizes that strides make possible the result shall have. Throws a ValueError for an impossible one. */
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
    output_size?: null,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor, output_size: readonly number[]): Tensor
  override forward(input: Tensor, output_size?: readonly number[] | null): unknown {
    const extra = output_size ? this.#extra(input, output_size) : this.output_padding
    return this.#convolve(input, this.weight, this.bias, this.stride, this.padding, extra, this.groups, this.dilation)
  }

  #extra(input: Tensor, output_size: readonly number[]): number[] {
    const n = this.kernel_size.length
    const shape: readonly number[] = input.shape
    const wanted = output_size.slice(-n)
    const least = wanted.map(
      (_, i) =>
        ((shape[shape.length - n + i] as number) - 1) * (this.stride[i] as number) -
        2 * (this.padding[i] as number) +
        (this.dilation[i] as number) * ((this.kernel_size[i] as number) - 1) +
        1,
    )
    const most = least.map((size, i) => size + (this.stride[i] as number) - 1)
    if (wanted.length !== n || wanted.some((size, i) => size < (least[i] as number) || size > (most[i] as number))) {
      throw valueError(
        `requested an output size of [${wanted.join(', ')}], but valid sizes range from [${least.join(', ')}] to [${most.join(', ')}] (for an input of ` +
          `torch.Size([${shape.slice(-n).join(', ')}]))`,
      )
    }
    return wanted.map((size, i) => size - (least[i] as number))
  }

  override extra_repr(): string {
    let text = `${this.in_channels}, ${this.out_channels}, kernel_size=${pythonRepr(this.kernel_size)}, stride=${pythonRepr(this.stride)}`
    if (this.padding.some((p) => p !== 0)) text += `, padding=${pythonRepr(this.padding)}`
    if (this.dilation.some((d) => d !== 1)) text += `, dilation=${pythonRepr(this.dilation)}`
    if (this.output_padding.some((p) => p !== 0)) text += `, output_padding=${pythonRepr(this.output_padding)}`
    if (this.groups !== 1) text += `, groups=${this.groups}`
    if (!this.bias) text += ', bias=False'
    return text
  }
}

const conv_transpose1d = operator('conv_transpose1d')
const conv_transpose2d = operator('conv_transpose2d')
const conv_transpose3d = operator('conv_transpose3d')

/** The derivative of Conv1d with respect to its input, as a layer. Input [N, C, L] or [C, L]. */
export class ConvTranspose1d<
  const In extends number = number,
  const Out extends number = number,
  const Kernel extends Size1 = Size1,
  const Stride extends Size1 = 1,
  const Padding extends Size1 = 0,
  const OutputPadding extends Size1 = 0,
  const Dilation extends Size1 = 1,
> extends ConvTransposeNd {
  /** @internal */
  declare readonly shape_rule?: ConvTransposeRule<1, In, Out, Kernel, Stride, Padding, OutputPadding, Dilation>
  constructor(
    in_channels: In,
    out_channels: Out,
    kernel_size: Kernel,
    options: ConvTransposeExtraOptions<Stride, Padding, OutputPadding, Dilation>,
  )
  constructor(
    in_channels: In,
    out_channels: Out,
    kernel_size: Kernel,
    stride: Stride,
    options: ConvTransposeExtraOptions<Stride, Padding, OutputPadding, Dilation>,
  )
  constructor(...args: ConvTransposeArguments<Kernel, In, Out, Stride, Padding, OutputPadding, Dilation>)
  constructor(...args: readonly unknown[]) {
    super('ConvTranspose1d', 1, conv_transpose1d, args)
  }
}
/** The derivative of Conv2d with respect to its input, as a layer. Input [N, C, H, W] or [C, H, W]. */
export class ConvTranspose2d<
  const In extends number = number,
  const Out extends number = number,
  const Kernel extends Size2 = Size2,
  const Stride extends Size2 = 1,
  const Padding extends Size2 = 0,
  const OutputPadding extends Size2 = 0,
  const Dilation extends Size2 = 1,
> extends ConvTransposeNd {
  /** @internal */
  declare readonly shape_rule?: ConvTransposeRule<2, In, Out, Kernel, Stride, Padding, OutputPadding, Dilation>
  constructor(
    in_channels: In,
    out_channels: Out,
    kernel_size: Kernel,
    options: ConvTransposeExtraOptions<Stride, Padding, OutputPadding, Dilation>,
  )
  constructor(
    in_channels: In,
    out_channels: Out,
    kernel_size: Kernel,
    stride: Stride,
    options: ConvTransposeExtraOptions<Stride, Padding, OutputPadding, Dilation>,
  )
  constructor(...args: ConvTransposeArguments<Kernel, In, Out, Stride, Padding, OutputPadding, Dilation>)
  constructor(...args: readonly unknown[]) {
    super('ConvTranspose2d', 2, conv_transpose2d, args)
  }
}
/** The derivative of Conv3d with respect to its input, as a layer. Input [N, C, D, H, W] or [C, D, H, W]. */
export class ConvTranspose3d<
  const In extends number = number,
  const Out extends number = number,
  const Kernel extends Size3 = Size3,
  const Stride extends Size3 = 1,
  const Padding extends Size3 = 0,
  const OutputPadding extends Size3 = 0,
  const Dilation extends Size3 = 1,
> extends ConvTransposeNd {
  /** @internal */
  declare readonly shape_rule?: ConvTransposeRule<3, In, Out, Kernel, Stride, Padding, OutputPadding, Dilation>
  constructor(
    in_channels: In,
    out_channels: Out,
    kernel_size: Kernel,
    options: ConvTransposeExtraOptions<Stride, Padding, OutputPadding, Dilation>,
  )
  constructor(
    in_channels: In,
    out_channels: Out,
    kernel_size: Kernel,
    stride: Stride,
    options: ConvTransposeExtraOptions<Stride, Padding, OutputPadding, Dilation>,
  )
  constructor(...args: ConvTransposeArguments<Kernel, In, Out, Stride, Padding, OutputPadding, Dilation>)
  constructor(...args: readonly unknown[]) {
    super('ConvTranspose3d', 3, conv_transpose3d, args)
  }
}
