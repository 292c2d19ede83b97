// Activations.

import type { DeviceInput } from '../device.js'
import type { Tensor } from '../tensor.js'
import type { DeviceType, DType } from '../types/dtype.js'
import type { Forward, GluRule, SameRule, SoftmaxRule } from '../types/modules.js'
import type { Shape } from '../types/shapes.js'
import { assertionError, typeError } from './errors.js'
import { constant_ } from './init.js'
import { newParameter, type FactoryOptions } from './linear.js'
import { Module } from './module.js'
import { operator, type Operator } from './operators.js'
import { readArguments, type Arguments } from './options.js'
import type { Parameter } from './parameter.js'
import { pythonFloat, pythonNumber, pythonRepr, typeName } from './text.js'

/** The in-place form of an operator where there is one; else its result is written back, which comes to the same. */
function inPlace(name: string, plain: Operator): Operator {
  return (input: unknown, ...args: unknown[]) => {
    const tensor = input as Tensor
    const method = (tensor as unknown as Record<string, unknown>)[`${name}_`]
    if (typeof method === 'function') return (method as Operator).apply(tensor, args)
    return tensor.copy_(plain(tensor, ...args))
  }
}

function pair(name: string): readonly [Operator, Operator] {
  const plain = operator(name)
  return [plain, inPlace(name, plain)]
}

const relu = pair('relu')
const relu6 = pair('relu6')
const elu = pair('elu')
const selu = pair('selu')
const celu = pair('celu')
const silu = pair('silu')
const mish = pair('mish')
const hardtanh = pair('hardtanh')
const hardsigmoid = pair('hardsigmoid')
const hardswish = pair('hardswish')
const leaky_relu = pair('leaky_relu')
const threshold = pair('threshold')
const gelu = operator('gelu')
const sigmoid = operator('sigmoid')
const tanh = operator('tanh')
const logsigmoid = operator('logsigmoid')
const softplus = operator('softplus')
const softsign = operator('softsign')
const softshrink = operator('softshrink')
const hardshrink = operator('hardshrink')
const tanhshrink = operator('tanhshrink')
const prelu = operator('prelu')
const softmax = operator('softmax')
const log_softmax = operator('log_softmax')
const softmin = operator('softmin')

/** Options of the activations that can work in place. */
export interface ActivationOptions {
  /** Overwrite the input. Default: false. */
  inplace?: boolean
}
export type ReLUOptions = ActivationOptions
export type ReLU6Options = ActivationOptions
export type SiLUOptions = ActivationOptions
export type SELUOptions = ActivationOptions
export type MishOptions = ActivationOptions
export type HardsigmoidOptions = ActivationOptions
export type HardswishOptions = ActivationOptions

type InplaceArguments = Arguments<[], [inplace: boolean], ActivationOptions>

abstract class Activation extends Module {
  /** @internal */
  declare readonly shape_rule?: SameRule
  readonly inplace: boolean
  readonly #operators: readonly [Operator, Operator]

  constructor(name: string, operators: readonly [Operator, Operator], args: readonly unknown[]) {
    super()
    this.inplace = readArguments<ActivationOptions>(name, args, ['inplace']).inplace ?? false
    this.#operators = operators
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    return this.#operators[this.inplace ? 1 : 0](input)
  }
  override extra_repr(): string {
    return this.inplace ? 'inplace=True' : ''
  }
}

/** max(0, x) */
export class ReLU extends Activation {
  constructor(...args: InplaceArguments) {
    super('ReLU', relu, args)
  }
}
/** min(max(0, x), 6) */
export class ReLU6 extends Activation {
  constructor(...args: InplaceArguments) {
    super('ReLU6', relu6, args)
  }
}
/** x · sigmoid(x) */
export class SiLU extends Activation {
  constructor(...args: InplaceArguments) {
    super('SiLU', silu, args)
  }
}
/** scale · (max(0, x) + min(0, α (eˣ − 1))) with fixed scale and α */
export class SELU extends Activation {
  constructor(...args: InplaceArguments) {
    super('SELU', selu, args)
  }
}
/** x · tanh(softplus(x)) */
export class Mish extends Activation {
  constructor(...args: InplaceArguments) {
    super('Mish', mish, args)
  }
}
/** 0 below −3, 1 above 3, x / 6 + 1/2 between */
export class Hardsigmoid extends Activation {
  constructor(...args: InplaceArguments) {
    super('Hardsigmoid', hardsigmoid, args)
  }
  override extra_repr(): string {
    return ''
  }
}
/** x · hardsigmoid(x) */
export class Hardswish extends Activation {
  constructor(...args: InplaceArguments) {
    super('Hardswish', hardswish, args)
  }
  override extra_repr(): string {
    return ''
  }
}

export interface ELUOptions extends ActivationOptions {
  /** Default: 1. */
  alpha?: number
}
export type CELUOptions = ELUOptions

/** x above 0, alpha (eˣ − 1) below */
export class ELU extends Module {
  /** @internal */
  declare readonly shape_rule?: SameRule
  readonly alpha: number
  readonly inplace: boolean

  constructor(...args: Arguments<[], [alpha: number, inplace: boolean], ELUOptions>) {
    super()
    const o = readArguments<ELUOptions>('ELU', args, ['alpha', 'inplace'])
    this.alpha = o.alpha ?? 1
    this.inplace = o.inplace ?? false
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    return elu[this.inplace ? 1 : 0](input, this.alpha)
  }
  override extra_repr(): string {
    return `alpha=${pythonFloat(this.alpha)}${this.inplace ? ', inplace=True' : ''}`
  }
}

/** max(0, x) + min(0, alpha (e^(x/alpha) − 1)) */
export class CELU extends Module {
  /** @internal */
  declare readonly shape_rule?: SameRule
  readonly alpha: number
  readonly inplace: boolean

  constructor(...args: Arguments<[], [alpha: number, inplace: boolean], CELUOptions>) {
    super()
    const o = readArguments<CELUOptions>('CELU', args, ['alpha', 'inplace'])
    this.alpha = o.alpha ?? 1
    this.inplace = o.inplace ?? false
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    return celu[this.inplace ? 1 : 0](input, this.alpha)
  }
  override extra_repr(): string {
    return `alpha=${pythonFloat(this.alpha)}${this.inplace ? ', inplace=True' : ''}`
  }
}

export interface LeakyReLUOptions extends ActivationOptions {
  /** Default: 0.01. */
  negative_slope?: number
}

/** x above 0, negative_slope · x below */
export class LeakyReLU extends Module {
  /** @internal */
  declare readonly shape_rule?: SameRule
  readonly negative_slope: number
  readonly inplace: boolean

  constructor(...args: Arguments<[], [negative_slope: number, inplace: boolean], LeakyReLUOptions>) {
    super()
    const o = readArguments<LeakyReLUOptions>('LeakyReLU', args, ['negative_slope', 'inplace'])
    this.negative_slope = o.negative_slope ?? 0.01
    this.inplace = o.inplace ?? false
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    return leaky_relu[this.inplace ? 1 : 0](input, this.negative_slope)
  }
  override extra_repr(): string {
    return `negative_slope=${pythonFloat(this.negative_slope)}${this.inplace ? ', inplace=True' : ''}`
  }
}

export interface HardtanhOptions extends ActivationOptions {
  /** Default: −1. */
  min_val?: number
  /** Default: 1. */
  max_val?: number
}

/** x, kept between min_val and max_val */
export class Hardtanh extends Module {
  /** @internal */
  declare readonly shape_rule?: SameRule
  readonly min_val: number
  readonly max_val: number
  readonly inplace: boolean

  constructor(...args: Arguments<[], [min_val: number, max_val: number, inplace: boolean], HardtanhOptions>) {
    super()
    const o = readArguments<HardtanhOptions>('Hardtanh', args, ['min_val', 'max_val', 'inplace'])
    this.min_val = o.min_val ?? -1
    this.max_val = o.max_val ?? 1
    this.inplace = o.inplace ?? false
    if (this.max_val <= this.min_val)
      throw assertionError(`max_val must be larger than min_val, but got min_val=${this.min_val} and max_val=${this.max_val}`)
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    return hardtanh[this.inplace ? 1 : 0](input, this.min_val, this.max_val)
  }
  override extra_repr(): string {
    return `min_val=${pythonFloat(this.min_val)}, max_val=${pythonFloat(this.max_val)}${this.inplace ? ', inplace=True' : ''}`
  }
}

export interface ThresholdOptions extends ActivationOptions {
  threshold: number
  value: number
}

/** x above the threshold, value elsewhere */
export class Threshold extends Module {
  /** @internal */
  declare readonly shape_rule?: SameRule
  readonly threshold: number
  readonly value: number
  readonly inplace: boolean

  constructor(...args: Arguments<[threshold: number, value: number], [inplace: boolean], ThresholdOptions>) {
    super()
    const o = readArguments<ThresholdOptions>('Threshold', args, ['threshold', 'value', 'inplace'], 2)
    this.threshold = o.threshold
    this.value = o.value
    this.inplace = o.inplace ?? false
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    return threshold[this.inplace ? 1 : 0](input, this.threshold, this.value)
  }
  override extra_repr(): string {
    return `threshold=${pythonFloat(this.threshold)}, value=${pythonFloat(this.value)}${this.inplace ? ', inplace=True' : ''}`
  }
}

export interface GELUOptions {
  /** 'tanh': the approximation with tanh. Default: 'none'. */
  approximate?: 'none' | 'tanh'
}

/** x · Φ(x), with Φ the distribution function of the normal distribution */
export class GELU extends Module {
  /** @internal */
  declare readonly shape_rule?: SameRule
  readonly approximate: 'none' | 'tanh'
  readonly #options: { approximate: 'none' | 'tanh' } | undefined

  constructor(...args: Arguments<[], [approximate: 'none' | 'tanh'], GELUOptions>) {
    super()
    this.approximate = readArguments<GELUOptions>('GELU', args, ['approximate']).approximate ?? 'none'
    this.#options = this.approximate === 'none' ? undefined : { approximate: this.approximate }
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    return this.#options ? gelu(input, this.#options) : gelu(input)
  }
  override extra_repr(): string {
    return `approximate=${pythonRepr(this.approximate)}`
  }
}

abstract class PlainActivation extends Module {
  /** @internal */
  declare readonly shape_rule?: SameRule
  readonly #operator: Operator

  constructor(name: string, f: Operator, args: readonly unknown[]) {
    super()
    readArguments<object>(name, args, [])
    this.#operator = f
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    return this.#operator(input)
  }
}

/** 1 / (1 + e⁻ˣ) */
export class Sigmoid extends PlainActivation {
  constructor(...args: []) {
    super('Sigmoid', sigmoid, args)
  }
}
/** The hyperbolic tangent. */
export class Tanh extends PlainActivation {
  constructor(...args: []) {
    super('Tanh', tanh, args)
  }
}
/** log(sigmoid(x)) */
export class LogSigmoid extends PlainActivation {
  constructor(...args: []) {
    super('LogSigmoid', logsigmoid, args)
  }
}
/** x / (1 + |x|) */
export class Softsign extends PlainActivation {
  constructor(...args: []) {
    super('Softsign', softsign, args)
  }
}
/** x − tanh(x) */
export class Tanhshrink extends PlainActivation {
  constructor(...args: []) {
    super('Tanhshrink', tanhshrink, args)
  }
}

export interface SoftplusOptions {
  /** Default: 1. */
  beta?: number
  /** Where beta · x is above it the result is x. Default: 20. */
  threshold?: number
}

/** log(1 + e^(beta x)) / beta */
export class Softplus extends Module {
  /** @internal */
  declare readonly shape_rule?: SameRule
  readonly beta: number
  readonly threshold: number
  readonly #given: { beta: boolean; threshold: boolean }

  constructor(...args: Arguments<[], [beta: number, threshold: number], SoftplusOptions>) {
    super()
    const o = readArguments<SoftplusOptions>('Softplus', args, ['beta', 'threshold'])
    this.#given = { beta: o.beta !== undefined, threshold: o.threshold !== undefined }
    this.beta = o.beta ?? 1
    this.threshold = o.threshold ?? 20
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    return softplus(input, this.beta, this.threshold)
  }
  override extra_repr(): string {
    // PyTorch shows what was given; its defaults are floats.
    const text = (value: number, given: boolean): string => (given ? pythonNumber(value) : pythonFloat(value))
    return `beta=${text(this.beta, this.#given.beta)}, threshold=${text(this.threshold, this.#given.threshold)}`
  }
}

export interface SoftshrinkOptions {
  /** Default: 0.5. */
  lambd?: number
}
export type HardshrinkOptions = SoftshrinkOptions

/** x moved towards 0 by lambd, 0 within ±lambd */
export class Softshrink extends Module {
  /** @internal */
  declare readonly shape_rule?: SameRule
  readonly lambd: number
  constructor(...args: Arguments<[], [lambd: number], SoftshrinkOptions>) {
    super()
    this.lambd = readArguments<SoftshrinkOptions>('Softshrink', args, ['lambd']).lambd ?? 0.5
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    return softshrink(input, this.lambd)
  }
  override extra_repr(): string {
    return pythonNumber(this.lambd)
  }
}

/** x outside ±lambd, 0 within */
export class Hardshrink extends Module {
  /** @internal */
  declare readonly shape_rule?: SameRule
  readonly lambd: number
  constructor(...args: Arguments<[], [lambd: number], HardshrinkOptions>) {
    super()
    this.lambd = readArguments<HardshrinkOptions>('Hardshrink', args, ['lambd']).lambd ?? 0.5
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    return hardshrink(input, this.lambd)
  }
  override extra_repr(): string {
    return pythonFloat(this.lambd)
  }
}

export interface PReLUOptions extends FactoryOptions {
  /** 1, or one slope a channel. Default: 1. */
  num_parameters?: number
  /** The slopes at first. Default: 0.25. */
  init?: number
}

/** x above 0, weight · x below, with learned slopes [num_parameters] */
export class PReLU extends Module {
  /** @internal */
  declare readonly shape_rule?: SameRule
  readonly init: number
  declare weight: Parameter

  constructor(
    ...args: Arguments<[], [num_parameters: number, init: number, device: DeviceInput | null, dtype: DType | null], PReLUOptions>
  ) {
    super()
    const o = readArguments<PReLUOptions>('PReLU', args, ['num_parameters', 'init', 'device', 'dtype'])
    this.init = o.init ?? 0.25
    this.register_parameter('weight', newParameter([o.num_parameters ?? 1], o))
    this.reset_parameters()
  }
  reset_parameters(): void {
    constant_(this.weight, this.init)
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    return prelu(input, this.weight)
  }
  override extra_repr(): string {
    return `num_parameters=${this.weight.numel()}`
  }
}

export interface SoftmaxOptions<Dim extends number | null = number | null> {
  /** The dimension along which the results sum to 1; null: 0 for up to 1 and for 3 dimensions, else 1, as PyTorch has it. Default: −1. */
  dim?: Dim
}
export type LogSoftmaxOptions<Dim extends number | null = number | null> = SoftmaxOptions<Dim>
export type SoftminOptions<Dim extends number | null = number | null> = SoftmaxOptions<Dim>

abstract class AlongDim extends Module {
  readonly dim: number | null
  readonly #operator: Operator

  constructor(name: string, f: Operator, args: readonly unknown[]) {
    super()
    const { dim } = readArguments<SoftmaxOptions>(name, args, ['dim'])
    this.dim = dim === undefined ? -1 : dim
    if (this.dim !== null && !Number.isInteger(this.dim)) throw typeError(`dim must be an int or None, got <class '${typeName(dim)}'>`)
    this.#operator = f
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    return this.#operator(input, this.dim)
  }
  override extra_repr(): string {
    return `dim=${pythonRepr(this.dim)}`
  }
}

/** Exponentials along dim divided by their sum. Throws a TypeError for a dim that is no integer. */
export class Softmax<const Dim extends number | null = -1> extends AlongDim {
  /** @internal */
  declare readonly shape_rule?: SoftmaxRule<Dim>
  constructor(options: SoftmaxOptions<Dim>)
  constructor(dim?: Dim)
  constructor(...args: readonly unknown[]) {
    super('Softmax', softmax, args)
  }
}
/** log(softmax(x)) */
export class LogSoftmax<const Dim extends number | null = -1> extends AlongDim {
  /** @internal */
  declare readonly shape_rule?: SoftmaxRule<Dim>
  constructor(options: SoftmaxOptions<Dim>)
  constructor(dim?: Dim)
  constructor(...args: readonly unknown[]) {
    super('LogSoftmax', log_softmax, args)
  }
}
/** softmax(−x) */
export class Softmin<const Dim extends number | null = -1> extends AlongDim {
  /** @internal */
  declare readonly shape_rule?: SoftmaxRule<Dim>
  constructor(options: SoftmaxOptions<Dim>)
  constructor(dim?: Dim)
  constructor(...args: readonly unknown[]) {
    super('Softmin', softmin, args)
  }
}

/** Softmax over the channels of [N, C, H, W] or [C, H, W]. */
export class Softmax2d extends Module {
  /** @internal */
  declare readonly shape_rule?: SameRule
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    if (input.ndim !== 3 && input.ndim !== 4)
      throw assertionError('Softmax2d: expected input to be 3D or 4D, got ' + `${input.ndim}D instead`)
    return softmax(input, -3)
  }
}

const glu = operator('glu')
const rrelu = operator('rrelu')

export interface GLUOptions<Dim extends number = number> {
  /** The dimension that is split. Default: −1. */
  dim?: Dim
}
/** The first half of the input along dim times the sigmoid of the second. */
export class GLU<const Dim extends number = -1> extends Module {
  /** @internal */
  declare readonly shape_rule?: GluRule<Dim>
  readonly dim: number

  constructor(options: GLUOptions<Dim>)
  constructor(dim?: Dim)
  constructor(...args: readonly unknown[]) {
    super()
    this.dim = readArguments<GLUOptions>('GLU', args, ['dim']).dim ?? -1
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    return glu(input, this.dim)
  }
  override extra_repr(): string {
    return `dim=${this.dim}`
  }
}

export interface RReLUOptions extends ActivationOptions {
  /** The least slope. Default: 1/8. */
  lower?: number
  /** The largest slope. Default: 1/3. */
  upper?: number
}
/** x above 0, a slope drawn between lower and upper times x below while training; their mean otherwise. */
export class RReLU extends Module {
  readonly lower: number
  readonly upper: number
  readonly inplace: boolean

  constructor(...args: Arguments<[], [lower: number, upper: number, inplace: boolean], RReLUOptions>) {
    super()
    const o = readArguments<RReLUOptions>('RReLU', args, ['lower', 'upper', 'inplace'])
    this.lower = o.lower ?? 1 / 8
    this.upper = o.upper ?? 1 / 3
    this.inplace = o.inplace ?? false
  }
  override forward(input: Tensor): Tensor {
    return rrelu(input, this.lower, this.upper, this.training, this.inplace)
  }
  override extra_repr(): string {
    return `lower=${pythonNumber(this.lower)}, upper=${pythonNumber(this.upper)}${this.inplace ? ', inplace=True' : ''}`
  }
}
