// Padding in 1, 2 and 3 dimensions.

import type { DeviceType, DType } from '../types/dtype.js'
import type { Forward, PadRule } from '../types/modules.js'
import type { Shape } from '../types/shapes.js'
import type { Tensor } from '../tensor.js'
import { valueError } from './errors.js'
import { Module } from './module.js'
import { operator } from './operators.js'
import { readArguments, repeated, type Arguments } from './options.js'
import { pythonNumber, pythonRepr } from './text.js'

const pad = operator('pad')

/** One number for all sides, or two a dimension (before, after), the last dimension's first. Negative ones cut. */
export type Padding = number | readonly number[]

/** Options of the padding modules. */
export interface PaddingOptions<P = Padding> {
  padding: P
}
export interface ConstantPaddingOptions<P = Padding> extends PaddingOptions<P> {
  /** What is put around the input. */
  value: number
}

type PaddingArguments<P> = Arguments<[padding: P], [], PaddingOptions<P>>
type ConstantPaddingArguments<P> = Arguments<[padding: P, value: number], [], ConstantPaddingOptions<P>>

abstract class PadNd extends Module {
  readonly padding: readonly number[]
  readonly #mode: string

  constructor(name: string, n: number, mode: string, args: readonly unknown[]) {
    super()
    this.padding = repeated(readArguments<PaddingOptions>(name, args, ['padding'], 1).padding, 2 * n)
    this.#mode = mode
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    return pad(input, this.padding, this.#mode)
  }
  override extra_repr(): string {
    return pythonRepr(this.padding)
  }
}

abstract class ConstantPadNd extends Module {
  readonly padding: readonly number[]
  readonly value: number

  constructor(name: string, n: number, args: readonly unknown[]) {
    super()
    const o = readArguments<ConstantPaddingOptions>(name, args, ['padding', 'value'], 2)
    this.padding = repeated(o.padding, 2 * n)
    this.value = o.value
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    return pad(input, this.padding, 'constant', this.value)
  }
  override extra_repr(): string {
    return `padding=${pythonRepr(this.padding)}, value=${pythonNumber(this.value)}`
  }
}

abstract class CircularPadNd extends PadNd {
  readonly #n: number

  constructor(name: string, n: number, args: readonly unknown[]) {
    super(name, n, 'circular', args)
    this.#n = n
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    const n = this.#n
    if (input.ndim !== n + 1 && input.ndim !== n + 2) throw valueError(`expected ${n + 1}D or ${n + 2}D input (got ${input.ndim}D input)`)
    return super.forward(input)
  }
}

/** A constant around a signal [N, C, L] or [C, L]. */
export class ConstantPad1d<const P extends Padding = Padding> extends ConstantPadNd {
  /** @internal */
  declare readonly shape_rule?: PadRule<1, P>
  constructor(...args: ConstantPaddingArguments<P>) {
    super('ConstantPad1d', 1, args)
  }
}
/** A constant around an image [N, C, H, W] or [C, H, W]. */
export class ConstantPad2d<const P extends Padding = Padding> extends ConstantPadNd {
  /** @internal */
  declare readonly shape_rule?: PadRule<2, P>
  constructor(...args: ConstantPaddingArguments<P>) {
    super('ConstantPad2d', 2, args)
  }
}
/** A constant around a volume [N, C, D, H, W] or [C, D, H, W]. */
export class ConstantPad3d<const P extends Padding = Padding> extends ConstantPadNd {
  /** @internal */
  declare readonly shape_rule?: PadRule<3, P>
  constructor(...args: ConstantPaddingArguments<P>) {
    super('ConstantPad3d', 3, args)
  }
}

/** Zeros around a signal [N, C, L] or [C, L]. */
export class ZeroPad1d<const P extends Padding = Padding> extends PadNd {
  /** @internal */
  declare readonly shape_rule?: PadRule<1, P>
  constructor(...args: PaddingArguments<P>) {
    super('ZeroPad1d', 1, 'constant', args)
  }
}
/** Zeros around an image [N, C, H, W] or [C, H, W]. */
export class ZeroPad2d<const P extends Padding = Padding> extends PadNd {
  /** @internal */
  declare readonly shape_rule?: PadRule<2, P>
  constructor(...args: PaddingArguments<P>) {
    super('ZeroPad2d', 2, 'constant', args)
  }
}
/** Zeros around a volume [N, C, D, H, W] or [C, D, H, W]. */
export class ZeroPad3d<const P extends Padding = Padding> extends PadNd {
  /** @internal */
  declare readonly shape_rule?: PadRule<3, P>
  constructor(...args: PaddingArguments<P>) {
    super('ZeroPad3d', 3, 'constant', args)
  }
}

/** A signal [N, C, L] or [C, L] mirrored at its ends. */
export class ReflectionPad1d<const P extends Padding = Padding> extends PadNd {
  /** @internal */
  declare readonly shape_rule?: PadRule<1, P>
  constructor(...args: PaddingArguments<P>) {
    super('ReflectionPad1d', 1, 'reflect', args)
  }
}
/** An image [N, C, H, W] or [C, H, W] mirrored at its borders. */
export class ReflectionPad2d<const P extends Padding = Padding> extends PadNd {
  /** @internal */
  declare readonly shape_rule?: PadRule<2, P>
  constructor(...args: PaddingArguments<P>) {
    super('ReflectionPad2d', 2, 'reflect', args)
  }
}
/** A volume [N, C, D, H, W] or [C, D, H, W] mirrored at its faces. */
export class ReflectionPad3d<const P extends Padding = Padding> extends PadNd {
  /** @internal */
  declare readonly shape_rule?: PadRule<3, P>
  constructor(...args: PaddingArguments<P>) {
    super('ReflectionPad3d', 3, 'reflect', args)
  }
}

/** A signal [N, C, L] or [C, L] whose ends go on. */
export class ReplicationPad1d<const P extends Padding = Padding> extends PadNd {
  /** @internal */
  declare readonly shape_rule?: PadRule<1, P>
  constructor(...args: PaddingArguments<P>) {
    super('ReplicationPad1d', 1, 'replicate', args)
  }
}
/** An image [N, C, H, W] or [C, H, W] whose borders go on. */
export class ReplicationPad2d<const P extends Padding = Padding> extends PadNd {
  /** @internal */
  declare readonly shape_rule?: PadRule<2, P>
  constructor(...args: PaddingArguments<P>) {
    super('ReplicationPad2d', 2, 'replicate', args)
  }
}
/** A volume [N, C, D, H, W] or [C, D, H, W] whose faces go on. */
export class ReplicationPad3d<const P extends Padding = Padding> extends PadNd {
  /** @internal */
  declare readonly shape_rule?: PadRule<3, P>
  constructor(...args: PaddingArguments<P>) {
    super('ReplicationPad3d', 3, 'replicate', args)
  }
}

/** A signal [N, C, L] or [C, L] that begins anew at its end. */
export class CircularPad1d<const P extends Padding = Padding> extends CircularPadNd {
  /** @internal */
  declare readonly shape_rule?: PadRule<1, P>
  constructor(...args: PaddingArguments<P>) {
    super('CircularPad1d', 1, args)
  }
}
/** An image [N, C, H, W] or [C, H, W] that begins anew at its borders. */
export class CircularPad2d<const P extends Padding = Padding> extends CircularPadNd {
  /** @internal */
  declare readonly shape_rule?: PadRule<2, P>
  constructor(...args: PaddingArguments<P>) {
    super('CircularPad2d', 2, args)
  }
}
/** A volume [N, C, D, H, W] or [C, D, H, W] that begins anew at its faces. */
export class CircularPad3d<const P extends Padding = Padding> extends CircularPadNd {
  /** @internal */
  declare readonly shape_rule?: PadRule<3, P>
  constructor(...args: PaddingArguments<P>) {
    super('CircularPad3d', 3, args)
  }
}
