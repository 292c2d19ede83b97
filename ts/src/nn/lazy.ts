// Lazy modules: they learn the size of their input from the first one, and become the plain module of their kind.

import { empty, ones, tensor as makeTensor, zeros } from '../creation.js'
import { no_grad } from '../autograd/modes.js'
import type { DeviceInput } from '../device.js'
import type { Tensor } from '../tensor.js'
import type { DeviceType, DType } from '../types/dtype.js'
import type { Forward } from '../types/modules.js'
import type { Shape } from '../types/shapes.js'
import {
  Conv1d,
  Conv2d,
  Conv3d,
  ConvTranspose1d,
  ConvTranspose2d,
  ConvTranspose3d,
  type ConvOptions,
  type ConvTransposeOptions,
  type PaddingMode,
} from './conv.js'
import { runtimeError } from './errors.js'
import { Linear, type FactoryOptions, type LinearOptions } from './linear.js'
import { Module } from './module.js'
import {
  BatchNorm1d,
  BatchNorm2d,
  BatchNorm3d,
  InstanceNorm1d,
  InstanceNorm2d,
  InstanceNorm3d,
  type BatchNormOptions,
} from './normalization.js'
import { readArguments, type Arguments, type Size1, type Size2, type Size3 } from './options.js'
import { Parameter } from './parameter.js'

const NO_SHAPE =
  "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in `load_state_dict` when trying to load an " +
  'uninitialized parameter into an initialized one. Call `forward` to initialize the parameters before accessing their attributes.'

/**
 * A parameter whose shape is not known yet. `materialize(shape)` gives it one; it is then a Parameter, the same object. Asking for its shape
 * before is a RuntimeError.
 */
export class UninitializedParameter extends Parameter {
  constructor({ device, dtype, requires_grad = true }: FactoryOptions & { requires_grad?: boolean } = {}) {
    super(empty([0], { ...(device ? { device } : {}), ...(dtype ? { dtype } : {}) }), requires_grad)
  }
  override get shape(): Shape {
    throw runtimeError(NO_SHAPE)
  }
  override toString(): string {
    return '<UninitializedParameter>'
  }
  /** Memory for `shape`, without values; the parameter is a plain one from then on. */
  materialize(shape: readonly number[]): Parameter {
    const { dtype, device } = this
    no_grad(() => this.set_data(empty([...shape], { dtype, device })))
    Object.setPrototypeOf(this, Parameter.prototype)
    return this
  }
}

/** Whether a parameter waits for its shape. */
export function is_lazy(parameter: unknown): boolean {
  return parameter instanceof UninitializedParameter
}

interface Plain {
  readonly prototype: Module
}
type Fields = Record<string, unknown>

/** The first call: sizes are read from the input, parameters made and drawn, and the module becomes one of `plain`. */
function initialize(module: Module, plain: Plain, sizes: Fields, shapes: Readonly<Record<string, readonly number[]>>): void {
  const fields = module as unknown as Fields
  for (const [name, value] of Object.entries(sizes)) fields[name] = value
  for (const [name, shape] of Object.entries(shapes)) {
    const parameter = fields[name]
    if (parameter instanceof UninitializedParameter) parameter.materialize(shape)
  }
  Object.setPrototypeOf(module, plain.prototype)
  ;(module as Module & { reset_parameters(): void }).reset_parameters()
}

/** The rest of the first call: hooks are already around it. */
function first(plain: Plain, module: Module, ...args: unknown[]): Tensor {
  return Module.plain_forward(plain.prototype).apply(module, args) as Tensor
}

/** Puts uninitialised parameters where the constructor of the plain module put empty ones. */
function wait(module: Module, names: Readonly<Record<string, boolean>>, o: FactoryOptions): void {
  for (const [name, there] of Object.entries(names)) (module as unknown as Fields)[name] = there ? new UninitializedParameter(o) : null
}

/** The channels of an input that may lack the batch. */
function channels(name: string, input: Tensor, n: number): number {
  if (input.ndim !== n + 1 && input.ndim !== n + 2) {
    throw runtimeError(
      `Expected ${n + 1}D (unbatched) or ${n + 2}D (batched) input to ${name}, but got input of size: [${(input.shape as readonly number[]).join(', ')}]`,
    )
  }
  return (input.shape as readonly number[])[input.ndim - n - 1] as number
}

export type LazyLinearOptions<Out extends number = number> = Omit<LinearOptions<number, Out>, 'in_features'>

/** Linear whose in_features is the last size of its first input. */
export class LazyLinear<const Out extends number = number> extends Linear<number, Out> {
  constructor(
    ...args: Arguments<[out_features: Out], [bias: boolean, device: DeviceInput | null, dtype: DType | null], LazyLinearOptions<Out>>
  ) {
    const o = readArguments<LazyLinearOptions<Out>>('LazyLinear', args, ['out_features', 'bias', 'device', 'dtype'], 1)
    super({ ...o, in_features: 0, out_features: 0 as Out, bias: false })
    ;(this as unknown as Fields)['out_features'] = o.out_features
    wait(this, { weight: true, bias: o.bias ?? true }, o)
  }
  override reset_parameters(): void {
    // nothing to draw yet
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    const in_features = (input.shape as readonly number[]).at(-1) ?? 0
    initialize(this, Linear, { in_features }, { weight: [this.out_features, in_features], bias: [this.out_features] })
    return first(Linear, this, input)
  }
  override extra_repr(): string {
    return `in_features=${this.in_features}, out_features=${this.out_features}, bias=${this.bias ? 'True' : 'False'}`
  }
}

export type LazyConvOptions<Size = Size2> = Omit<ConvOptions<Size>, 'in_channels'>
export type LazyConvTransposeOptions<Size = Size2> = Omit<ConvTransposeOptions<Size>, 'in_channels'>

type LazyConvArguments<Size> = Arguments<
  [out_channels: number, kernel_size: Size],
  [
    stride: Size,
    padding: Size | 'same' | 'valid',
    dilation: Size,
    groups: number,
    bias: boolean,
    padding_mode: PaddingMode,
    device: DeviceInput | null,
    dtype: DType | null,
  ],
  LazyConvOptions<Size>
>
type LazyConvTransposeArguments<Size> = Arguments<
  [out_channels: number, kernel_size: Size],
  [
    stride: Size,
    padding: Size,
    output_padding: Size,
    groups: number,
    bias: boolean,
    dilation: Size,
    padding_mode: 'zeros',
    device: DeviceInput | null,
    dtype: DType | null,
  ],
  LazyConvTransposeOptions<Size>
>

const CONV = ['out_channels', 'kernel_size', 'stride', 'padding', 'dilation', 'groups', 'bias', 'padding_mode', 'device', 'dtype'] as const
const CONV_TRANSPOSE = [
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
] as const

/** Options of a plain convolution without channels: nothing is drawn for it. */
function blankConv<Size>(name: string, args: readonly unknown[]): ConvOptions<Size> {
  return { ...readArguments<LazyConvOptions<Size>>(name, args, CONV, 2), in_channels: 0 }
}
function blankConvTranspose<Size>(name: string, args: readonly unknown[]): ConvTransposeOptions<Size> {
  return { ...readArguments<LazyConvTransposeOptions<Size>>(name, args, CONV_TRANSPOSE, 2), in_channels: 0 }
}
interface AnyConv {
  readonly out_channels: number
  readonly groups: number
  readonly kernel_size: readonly number[]
}
function convShapes(m: AnyConv, in_channels: number, transposed: boolean): Record<string, readonly number[]> {
  const [first, second] = transposed ? [in_channels, m.out_channels / m.groups] : [m.out_channels, in_channels / m.groups]
  return { weight: [first, second, ...m.kernel_size], bias: [m.out_channels] }
}
/** The first call of a convolution of n dimensions. */
function firstConv(module: Module & AnyConv, plain: Plain, input: Tensor, n: number, transposed: boolean): void {
  const in_channels = channels(module.constructor.name, input, n)
  initialize(module, plain, { in_channels }, convShapes(module, in_channels, transposed))
}

/** Conv1d whose in_channels comes from its first input. */
export class LazyConv1d extends Conv1d<number, number, Size1, Size1, Size1 | 'same' | 'valid', Size1> {
  constructor(...args: LazyConvArguments<Size1>) {
    const o = blankConv<Size1>('LazyConv1d', args)
    super(o)
    wait(this, { weight: true, bias: o.bias ?? true }, o)
  }
  override reset_parameters(): void {
    // nothing to draw yet
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    firstConv(this, Conv1d, input, 1, false)
    return first(Conv1d, this, input)
  }
}
/** Conv2d whose in_channels comes from its first input. */
export class LazyConv2d extends Conv2d<number, number, Size2, Size2, Size2 | 'same' | 'valid', Size2> {
  constructor(...args: LazyConvArguments<Size2>) {
    const o = blankConv<Size2>('LazyConv2d', args)
    super(o)
    wait(this, { weight: true, bias: o.bias ?? true }, o)
  }
  override reset_parameters(): void {
    // nothing to draw yet
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    firstConv(this, Conv2d, input, 2, false)
    return first(Conv2d, this, input)
  }
}
/** Conv3d whose in_channels comes from its first input. */
export class LazyConv3d extends Conv3d<number, number, Size3, Size3, Size3 | 'same' | 'valid', Size3> {
  constructor(...args: LazyConvArguments<Size3>) {
    const o = blankConv<Size3>('LazyConv3d', args)
    super(o)
    wait(this, { weight: true, bias: o.bias ?? true }, o)
  }
  override reset_parameters(): void {
    // nothing to draw yet
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    firstConv(this, Conv3d, input, 3, false)
    return first(Conv3d, this, input)
  }
}
/** ConvTranspose1d whose in_channels comes from its first input. */
export class LazyConvTranspose1d extends ConvTranspose1d<number, number, Size1, Size1, Size1, Size1, Size1> {
  constructor(...args: LazyConvTransposeArguments<Size1>) {
    const o = blankConvTranspose<Size1>('LazyConvTranspose1d', args)
    super(o)
    wait(this, { weight: true, bias: o.bias ?? true }, o)
  }
  override reset_parameters(): void {
    // nothing to draw yet
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
    output_size?: null,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor, output_size: readonly number[]): Tensor
  override forward(input: Tensor, output_size?: readonly number[] | null): unknown {
    firstConv(this, ConvTranspose1d, input, 1, true)
    return first(ConvTranspose1d, this, input, output_size)
  }
}
/** ConvTranspose2d whose in_channels comes from its first input. */
export class LazyConvTranspose2d extends ConvTranspose2d<number, number, Size2, Size2, Size2, Size2, Size2> {
  constructor(...args: LazyConvTransposeArguments<Size2>) {
    const o = blankConvTranspose<Size2>('LazyConvTranspose2d', args)
    super(o)
    wait(this, { weight: true, bias: o.bias ?? true }, o)
  }
  override reset_parameters(): void {
    // nothing to draw yet
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
    output_size?: null,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor, output_size: readonly number[]): Tensor
  override forward(input: Tensor, output_size?: readonly number[] | null): unknown {
    firstConv(this, ConvTranspose2d, input, 2, true)
    return first(ConvTranspose2d, this, input, output_size)
  }
}
/** ConvTranspose3d whose in_channels comes from its first input. */
export class LazyConvTranspose3d extends ConvTranspose3d<number, number, Size3, Size3, Size3, Size3, Size3> {
  constructor(...args: LazyConvTransposeArguments<Size3>) {
    const o = blankConvTranspose<Size3>('LazyConvTranspose3d', args)
    super(o)
    wait(this, { weight: true, bias: o.bias ?? true }, o)
  }
  override reset_parameters(): void {
    // nothing to draw yet
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
    output_size?: null,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor, output_size: readonly number[]): Tensor
  override forward(input: Tensor, output_size?: readonly number[] | null): unknown {
    firstConv(this, ConvTranspose3d, input, 3, true)
    return first(ConvTranspose3d, this, input, output_size)
  }
}

export type LazyBatchNormOptions = Omit<BatchNormOptions, 'num_features'>
export type LazyInstanceNormOptions = LazyBatchNormOptions
type LazyNormArguments = Arguments<
  [],
  [eps: number, momentum: number | null, affine: boolean, track_running_stats: boolean, device: DeviceInput | null, dtype: DType | null],
  LazyBatchNormOptions
>
const NORM = ['eps', 'momentum', 'affine', 'track_running_stats', 'device', 'dtype'] as const

/** Options of a plain normalisation without channels. */
function blankNorm(name: string, args: readonly unknown[]): BatchNormOptions {
  return { ...readArguments<LazyBatchNormOptions>(name, args, NORM, 0, ['bias']), num_features: 0 }
}
interface AnyNorm {
  readonly affine: boolean
  readonly track_running_stats: boolean
  readonly running_mean: Tensor | null
}
function waitNorm(module: Module & AnyNorm, o: BatchNormOptions): void {
  wait(module, { weight: module.affine, bias: module.affine && (o.bias ?? true) }, o)
}
/** The first call of a normalisation; channels are dimension `at`. */
function firstNorm(module: Module & AnyNorm, plain: Plain, input: Tensor, at: number): void {
  const num_features = (input.shape as readonly number[]).at(at) ?? 0
  if (module.running_mean) {
    const { dtype, device } = module.running_mean
    const fields = module as unknown as Fields
    fields['running_mean'] = zeros([num_features], { dtype, device })
    fields['running_var'] = ones([num_features], { dtype, device })
    fields['num_batches_tracked'] = makeTensor(0, { dtype: 'int64', device })
  }
  initialize(module, plain, { num_features }, { weight: [num_features], bias: [num_features] })
}

/** BatchNorm1d whose num_features comes from its first input. */
export class LazyBatchNorm1d extends BatchNorm1d {
  constructor(...args: LazyNormArguments) {
    const o = blankNorm('LazyBatchNorm1d', args)
    super(o)
    waitNorm(this, o)
  }
  override reset_parameters(): void {
    // nothing to set yet
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    this.checkInput(input)
    firstNorm(this, BatchNorm1d, input, 1)
    return first(BatchNorm1d, this, input)
  }
}
/** BatchNorm2d whose num_features comes from its first input. */
export class LazyBatchNorm2d extends BatchNorm2d {
  constructor(...args: LazyNormArguments) {
    const o = blankNorm('LazyBatchNorm2d', args)
    super(o)
    waitNorm(this, o)
  }
  override reset_parameters(): void {
    // nothing to set yet
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    this.checkInput(input)
    firstNorm(this, BatchNorm2d, input, 1)
    return first(BatchNorm2d, this, input)
  }
}
/** BatchNorm3d whose num_features comes from its first input. */
export class LazyBatchNorm3d extends BatchNorm3d {
  constructor(...args: LazyNormArguments) {
    const o = blankNorm('LazyBatchNorm3d', args)
    super(o)
    waitNorm(this, o)
  }
  override reset_parameters(): void {
    // nothing to set yet
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    this.checkInput(input)
    firstNorm(this, BatchNorm3d, input, 1)
    return first(BatchNorm3d, this, input)
  }
}
/** InstanceNorm1d whose num_features comes from its first input. */
export class LazyInstanceNorm1d extends InstanceNorm1d {
  constructor(...args: LazyNormArguments) {
    const o = blankNorm('LazyInstanceNorm1d', args)
    super(o)
    waitNorm(this, o)
  }
  override reset_parameters(): void {
    // nothing to set yet
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    this.checkInput(input)
    firstNorm(this, InstanceNorm1d, input, -2)
    return first(InstanceNorm1d, this, input)
  }
}
/** InstanceNorm2d whose num_features comes from its first input. */
export class LazyInstanceNorm2d extends InstanceNorm2d {
  constructor(...args: LazyNormArguments) {
    const o = blankNorm('LazyInstanceNorm2d', args)
    super(o)
    waitNorm(this, o)
  }
  override reset_parameters(): void {
    // nothing to set yet
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    this.checkInput(input)
    firstNorm(this, InstanceNorm2d, input, -3)
    return first(InstanceNorm2d, this, input)
  }
}
/** InstanceNorm3d whose num_features comes from its first input. */
export class LazyInstanceNorm3d extends InstanceNorm3d {
  constructor(...args: LazyNormArguments) {
    const o = blankNorm('LazyInstanceNorm3d', args)
    super(o)
    waitNorm(this, o)
  }
  override reset_parameters(): void {
    // nothing to set yet
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
  ): Forward<M, S, D, Dev>
  override forward(input: Tensor): unknown {
    this.checkInput(input)
    firstNorm(this, InstanceNorm3d, input, -4)
    return first(InstanceNorm3d, this, input)
  }
}
