// Padding in 1, 2 and 3 dimensions.

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
export interface PaddingOptions {
  padding: Padding
}
export interface ConstantPaddingOptions extends PaddingOptions {
  /** What is put around the input. */
  value: number
}

type PaddingArguments = Arguments<[padding: Padding], [], PaddingOptions>
type ConstantPaddingArguments = Arguments<[padding: Padding, value: number], [], ConstantPaddingOptions>

abstract class PadNd extends Module {
  readonly padding: readonly number[]
  readonly #mode: string

  constructor(name: string, n: number, mode: string, args: readonly unknown[]) {
    super()
    this.padding = repeated(readArguments<PaddingOptions>(name, args, ['padding'], 1).padding, 2 * n)
    this.#mode = mode
  }
  override forward(input: Tensor): Tensor {
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
  override forward(input: Tensor): Tensor {
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
  override forward(input: Tensor): Tensor {
    const n = this.#n
    if (input.ndim !== n + 1 && input.ndim !== n + 2) throw valueError(`expected ${n + 1}D or ${n + 2}D input (got ${input.ndim}D input)`)
    return super.forward(input)
  }
}

/** A constant around a signal [N, C, L] or [C, L]. */
export class ConstantPad1d extends ConstantPadNd {
  constructor(...args: ConstantPaddingArguments) {
    super('ConstantPad1d', 1, args)
  }
}
/** A constant around an image [N, C, H, W] or [C, H, W]. */
export class ConstantPad2d extends ConstantPadNd {
  constructor(...args: ConstantPaddingArguments) {
    super('ConstantPad2d', 2, args)
  }
}
/** A constant around a volume [N, C, D, H, W] or [C, D, H, W]. */
export class ConstantPad3d extends ConstantPadNd {
  constructor(...args: ConstantPaddingArguments) {
    super('ConstantPad3d', 3, args)
  }
}

/** Zeros around a signal [N, C, L] or [C, L]. */
export class ZeroPad1d extends PadNd {
  constructor(...args: PaddingArguments) {
    super('ZeroPad1d', 1, 'constant', args)
  }
}
/** Zeros around an image [N, C, H, W] or [C, H, W]. */
export class ZeroPad2d extends PadNd {
  constructor(...args: PaddingArguments) {
    super('ZeroPad2d', 2, 'constant', args)
  }
}
/** Zeros around a volume [N, C, D, H, W] or [C, D, H, W]. */
export class ZeroPad3d extends PadNd {
  constructor(...args: PaddingArguments) {
    super('ZeroPad3d', 3, 'constant', args)
  }
}

/** A signal [N, C, L] or [C, L] mirrored at its ends. */
export class ReflectionPad1d extends PadNd {
  constructor(...args: PaddingArguments) {
    super('ReflectionPad1d', 1, 'reflect', args)
  }
}
/** An image [N, C, H, W] or [C, H, W] mirrored at its borders. */
export class ReflectionPad2d extends PadNd {
  constructor(...args: PaddingArguments) {
    super('ReflectionPad2d', 2, 'reflect', args)
  }
}
/** A volume [N, C, D, H, W] or [C, D, H, W] mirrored at its faces. */
export class ReflectionPad3d extends PadNd {
  constructor(...args: PaddingArguments) {
    super('ReflectionPad3d', 3, 'reflect', args)
  }
}

/** A signal [N, C, L] or [C, L] whose ends go on. */
export class ReplicationPad1d extends PadNd {
  constructor(...args: PaddingArguments) {
    super('ReplicationPad1d', 1, 'replicate', args)
  }
}
/** An image [N, C, H, W] or [C, H, W] whose borders go on. */
export class ReplicationPad2d extends PadNd {
  constructor(...args: PaddingArguments) {
    super('ReplicationPad2d', 2, 'replicate', args)
  }
}
/** A volume [N, C, D, H, W] or [C, D, H, W] whose faces go on. */
export class ReplicationPad3d extends PadNd {
  constructor(...args: PaddingArguments) {
    super('ReplicationPad3d', 3, 'replicate', args)
  }
}

/** A signal [N, C, L] or [C, L] that begins anew at its end. */
export class CircularPad1d extends CircularPadNd {
  constructor(...args: PaddingArguments) {
    super('CircularPad1d', 1, args)
  }
}
/** An image [N, C, H, W] or [C, H, W] that begins anew at its borders. */
export class CircularPad2d extends CircularPadNd {
  constructor(...args: PaddingArguments) {
    super('CircularPad2d', 2, args)
  }
}
/** A volume [N, C, D, H, W] or [C, D, H, W] that begins anew at its faces. */
export class CircularPad3d extends CircularPadNd {
  constructor(...args: PaddingArguments) {
    super('CircularPad3d', 3, args)
  }
}
