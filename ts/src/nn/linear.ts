// Identity, Linear, Bilinear.

import { empty } from '../creation.js'
import type { DeviceInput } from '../device.js'
import type { Tensor } from '../tensor.js'
import type { DeviceType, DType } from '../types/dtype.js'
import type { Forward, LinearRule, SameRule } from '../types/modules.js'
import type { Shape } from '../types/shapes.js'
import { valueError } from './errors.js'
import { calculate_fan_in_and_fan_out, kaiming_uniform_, uniform_ } from './init.js'
import { Module } from './module.js'
import { operator } from './operators.js'
import { readArguments, type Arguments } from './options.js'
import { Parameter } from './parameter.js'

const F = { linear: operator('linear'), bilinear: operator('bilinear') }

/** Where and as what a module's parameters are made. */
export interface FactoryOptions {
  device?: DeviceInput | null
  dtype?: DType | null
}

/** @internal An uninitialised parameter. */
export function newParameter(shape: readonly number[], { device, dtype }: FactoryOptions): Parameter {
  const options = { ...(device ? { device } : {}), ...(dtype ? { dtype } : {}) }
  return new Parameter(empty([...shape], options))
}

export interface LinearOptions<In extends number = number, Out extends number = number> extends FactoryOptions {
  in_features: In
  out_features: Out
  /** Default: true. */
  bias?: boolean
}

/** Gives back what it gets. Any arguments of its constructor are ignored. */
export class Identity extends Module {
  constructor(..._args: unknown[]) {
    super()
  }
  /** @internal */
  declare readonly shape_rule?: SameRule
  override forward<T>(input: T): T {
    return input
  }
}

/**
 * y = x Wᵀ + b. Input [..., in_features], result [..., out_features]; weight [out_features, in_features], bias [out_features], both
 * uniform in ±1/√in_features at first.
 */
export class Linear<const In extends number = number, const Out extends number = number> extends Module {
  /** @internal */
  declare readonly shape_rule?: LinearRule<In, Out>
  readonly in_features: In
  readonly out_features: Out
  declare weight: Parameter
  declare bias: Parameter | null

  constructor(
    ...args: Arguments<
      [in_features: In, out_features: Out],
      [bias: boolean, device: DeviceInput | null, dtype: DType | null],
      LinearOptions<In, Out>
    >
  ) {
    super()
    const o = readArguments<LinearOptions<In, Out>>('Linear', args, ['in_features', 'out_features', 'bias', 'device', 'dtype'], 2)
    this.in_features = o.in_features
    this.out_features = o.out_features
    this.register_parameter('weight', newParameter([o.out_features, o.in_features], o))
    this.register_parameter('bias', (o.bias ?? true) ? newParameter([o.out_features], o) : null)
    this.reset_parameters()
  }

  /** Draws the initial values anew. */
  reset_parameters(): void {
    kaiming_uniform_(this.weight, Math.sqrt(5))
    if (this.bias) {
      const [fanIn] = calculate_fan_in_and_fan_out(this.weight)
      const bound = fanIn > 0 ? 1 / Math.sqrt(fanIn) : 0
      uniform_(this.bias, -bound, bound)
    }
  }

  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    return F.linear(input, this.weight, this.bias)
  }

  override extra_repr(): string {
    return `in_features=${this.in_features}, out_features=${this.out_features}, bias=${this.bias ? 'True' : 'False'}`
  }
}

export interface BilinearOptions extends FactoryOptions {
  in1_features: number
  in2_features: number
  out_features: number
  /** Default: true. */
  bias?: boolean
}

/** y[k] = x1 W[k] x2 + b[k]. Inputs [..., in1_features] and [..., in2_features], result [..., out_features]. */
export class Bilinear extends Module {
  readonly in1_features: number
  readonly in2_features: number
  readonly out_features: number
  declare weight: Parameter
  declare bias: Parameter | null

  constructor(
    ...args: Arguments<
      [in1_features: number, in2_features: number, out_features: number],
      [bias: boolean, device: DeviceInput | null, dtype: DType | null],
      BilinearOptions
    >
  ) {
    super()
    const o = readArguments<BilinearOptions>(
      'Bilinear',
      args,
      ['in1_features', 'in2_features', 'out_features', 'bias', 'device', 'dtype'],
      3,
    )
    if (o.in1_features <= 0) throw valueError(`in1_features must be > 0, but got ${o.in1_features}`)
    this.in1_features = o.in1_features
    this.in2_features = o.in2_features
    this.out_features = o.out_features
    this.register_parameter('weight', newParameter([o.out_features, o.in1_features, o.in2_features], o))
    this.register_parameter('bias', (o.bias ?? true) ? newParameter([o.out_features], o) : null)
    this.reset_parameters()
  }

  /** Draws the initial values anew. */
  reset_parameters(): void {
    const bound = 1 / Math.sqrt(this.in1_features)
    uniform_(this.weight, -bound, bound)
    if (this.bias) uniform_(this.bias, -bound, bound)
  }

  override forward(input1: Tensor, input2: Tensor): Tensor {
    return F.bilinear(input1, input2, this.weight, this.bias)
  }

  override extra_repr(): string {
    return `in1_features=${this.in1_features}, in2_features=${this.in2_features}, out_features=${this.out_features}, bias=${this.bias ? 'True' : 'False'}`
  }
}
