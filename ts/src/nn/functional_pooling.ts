// Poolings of nn.functional whose result depends on an argument's value, or that take null as a size: max_pool and the adaptive ones.
import * as generated from '../generated/functional.js'
import type { AdaptiveMaxPool2DFunctionalOptions, MaxPool2DFunctionalOptions } from '../generated/options.js'
import { isOptions } from '../runtime/arguments.js'
import type { Results } from '../runtime/call.js'
import { Tensor } from '../tensor.js'
import type { DType, DeviceType } from '../types/dtype.js'
import type { Checked, Given } from '../types/results.js'
import type { AdaptivePoolShape, DynamicShape, Guard, PoolShape, Shape } from '../types/shapes.js'

type Sizes = number | readonly number[]
/** Sizes of which some may be null: those stay as they are in the input. */
type SizesToKeep = number | null | readonly (number | null)[]
type Pooled<D extends DType, Dev extends DeviceType> = Tensor<DynamicShape, D, Dev>
type PooledWithIndices<D extends DType, Dev extends DeviceType> = Results<{
  output: Pooled<D, Dev>
  indices: Tensor<DynamicShape, 'int64', Dev>
}>
/** A pooled tensor and where its elements were, or the shape's error. */
type WithIndices<S, D extends DType, Dev extends DeviceType> = Guard<
  S,
  Results<{ output: Checked<S, D, Dev>; indices: Checked<S, 'int64', Dev> }>
>

/** max_pool1d, 2d and 3d: the largest elements of windows; with `return_indices` also where they are. */
export interface MaxPool<N extends number> {
  <
    S extends Shape,
    D extends DType,
    Dev extends DeviceType,
    const Kernel extends Sizes,
    const Stride extends Sizes | null = null,
    const Padding extends Sizes = 0,
    const Dilation extends Sizes = 1,
    const CeilMode extends boolean = false,
  >(
    input: Tensor<S, D, Dev>,
    kernel_size: Kernel,
    options: MaxPool2DFunctionalOptions<Stride, Padding, Dilation, CeilMode> & { readonly return_indices: true },
  ): WithIndices<PoolShape<N, S, Kernel, Stride, Padding, Dilation, CeilMode>, D, Dev>
  <
    S extends Shape,
    D extends DType,
    Dev extends DeviceType,
    const Kernel extends Sizes,
    const Stride extends Sizes | null,
    const Padding extends Sizes,
    const Dilation extends Sizes,
    const CeilMode extends boolean,
  >(
    input: Tensor<S, D, Dev>,
    kernel_size: Kernel,
    stride: Stride,
    padding: Padding,
    dilation: Dilation,
    ceil_mode: CeilMode,
    return_indices: true,
  ): WithIndices<PoolShape<N, S, Kernel, Stride, Padding, Dilation, CeilMode>, D, Dev>
  <
    S extends Shape,
    D extends DType,
    Dev extends DeviceType,
    const Kernel extends Sizes,
    const Stride extends Sizes | null | MaxPool2DFunctionalOptions = null,
    const Padding extends Sizes | MaxPool2DFunctionalOptions = 0,
    const Dilation extends Sizes | MaxPool2DFunctionalOptions = 1,
    const CeilMode extends boolean | MaxPool2DFunctionalOptions = false,
  >(
    input: Tensor<S, D, Dev>,
    kernel_size: Kernel,
    stride?: Stride | MaxPoolOptions<Stride, Padding, Dilation, CeilMode>,
    padding?: Padding | MaxPoolOptions<Stride, Padding, Dilation, CeilMode>,
    dilation?: Dilation | MaxPoolOptions<Stride, Padding, Dilation, CeilMode>,
    ceil_mode?: CeilMode | MaxPoolOptions<Stride, Padding, Dilation, CeilMode>,
    return_indices?: false | MaxPoolOptions<Stride, Padding, Dilation, CeilMode>,
    options?: MaxPoolOptions<Stride, Padding, Dilation, CeilMode>,
  ): Checked<PoolShape<N, S, Kernel, Given<Stride, null>, Given<Padding, 0>, Given<Dilation, 1>, Given<CeilMode, false>>, D, Dev>
}
type MaxPoolOptions<Stride, Padding, Dilation, CeilMode> = MaxPool2DFunctionalOptions<Stride, Padding, Dilation, CeilMode> & {
  readonly return_indices?: false
}

/** adaptive_avg_pool1d, 2d and 3d: averages of windows chosen so that output_size is left. */
export type AdaptiveAvgPool<N extends number> = <S extends Shape, D extends DType, Dev extends DeviceType, const Size extends SizesToKeep>(
  input: Tensor<S, D, Dev>,
  output_size: Size,
) => Checked<AdaptivePoolShape<N, S, Size>, D, Dev>

/** adaptive_max_pool1d, 2d and 3d: the largest elements of such windows; with `return_indices` also where they are. */
export interface AdaptiveMaxPool<N extends number> {
  <S extends Shape, D extends DType, Dev extends DeviceType, const Size extends SizesToKeep>(
    input: Tensor<S, D, Dev>,
    output_size: Size,
    return_indices: true | { readonly return_indices: true },
  ): WithIndices<AdaptivePoolShape<N, S, Size>, D, Dev>
  <S extends Shape, D extends DType, Dev extends DeviceType, const Size extends SizesToKeep>(
    input: Tensor<S, D, Dev>,
    output_size: Size,
    return_indices?: false | (AdaptiveMaxPool2DFunctionalOptions & { readonly return_indices?: false }),
  ): Checked<AdaptivePoolShape<N, S, Size>, D, Dev>
}

type AnyFunction = (...args: unknown[]) => unknown

/** The arguments without return_indices, which is at place `at` or in the options, and its value. */
function takeReturnIndices(args: readonly unknown[], at: number): [rest: unknown[], value: boolean] {
  const rest = [...args]
  let value = false
  if (typeof rest[at] === 'boolean') value = rest.splice(at, 1)[0] as boolean
  const last = rest.at(-1)
  if (isOptions(last) && typeof last['return_indices'] === 'boolean') {
    const { return_indices, ...others } = last
    value = return_indices as boolean
    rest.pop()
    if (Object.keys(others).length > 0) rest.push(others)
  }
  return [rest, value]
}

/** output_size, the argument after the input, with the input's own sizes in the place of nulls. */
function keepSizes(args: unknown[], n: number): unknown[] {
  const [input, size] = args
  if (!(input instanceof Tensor) || input.shape.length < n) return args
  const own = (input.shape as readonly number[]).slice(-n)
  if (size === null) args[1] = own
  else if (Array.isArray(size) && size.length === n && size.includes(null)) args[1] = size.map((v: unknown, i) => v ?? own[i])
  return args
}

function maxPool<N extends number>(plain: unknown, withIndices: unknown): MaxPool<N> {
  return ((...args: unknown[]) => {
    const [rest, indices] = takeReturnIndices(args, 6)
    return ((indices ? withIndices : plain) as AnyFunction)(...rest)
  }) as MaxPool<N>
}

function adaptiveMaxPool<N extends number>(n: N, plain: unknown, withIndices: unknown): AdaptiveMaxPool<N> {
  return ((...args: unknown[]) => {
    const [rest, indices] = takeReturnIndices(args, 2)
    return ((indices ? withIndices : plain) as AnyFunction)(...keepSizes(rest, n))
  }) as AdaptiveMaxPool<N>
}

function adaptiveAvgPool<N extends number>(n: N, plain: unknown): AdaptiveAvgPool<N> {
  return ((...args: unknown[]) => (plain as AnyFunction)(...keepSizes(args, n))) as AdaptiveAvgPool<N>
}

export const max_pool1d: MaxPool<1> = /* @__PURE__ */ maxPool(generated.max_pool1d, generated.max_pool1d_with_indices)
export const max_pool2d: MaxPool<2> = /* @__PURE__ */ maxPool(generated.max_pool2d, generated.max_pool2d_with_indices)
export const max_pool3d: MaxPool<3> = /* @__PURE__ */ maxPool(generated.max_pool3d, generated.max_pool3d_with_indices)
export const adaptive_avg_pool1d: AdaptiveAvgPool<1> = /* @__PURE__ */ adaptiveAvgPool(1, generated.adaptive_avg_pool1d)
export const adaptive_avg_pool2d: AdaptiveAvgPool<2> = /* @__PURE__ */ adaptiveAvgPool(2, generated.adaptive_avg_pool2d)
export const adaptive_avg_pool3d: AdaptiveAvgPool<3> = /* @__PURE__ */ adaptiveAvgPool(3, generated.adaptive_avg_pool3d)
export const adaptive_max_pool1d: AdaptiveMaxPool<1> = /* @__PURE__ */ adaptiveMaxPool(
  1,
  generated.adaptive_max_pool1d,
  generated.adaptive_max_pool1d_with_indices,
)
export const adaptive_max_pool2d: AdaptiveMaxPool<2> = /* @__PURE__ */ adaptiveMaxPool(
  2,
  generated.adaptive_max_pool2d,
  generated.adaptive_max_pool2d_with_indices,
)
export const adaptive_max_pool3d: AdaptiveMaxPool<3> = /* @__PURE__ */ adaptiveMaxPool(
  3,
  generated.adaptive_max_pool3d,
  generated.adaptive_max_pool3d_with_indices,
)

/** fractional_max_pool2d and 3d: the largest elements of windows whose places are drawn; with `return_indices` also where they are. */
export interface FractionalMaxPool {
  <S extends Shape, D extends DType, Dev extends DeviceType>(
    input: Tensor<S, D, Dev>,
    kernel_size: Sizes,
    options: FractionalMaxPoolOptions & { readonly return_indices: true },
  ): PooledWithIndices<D, Dev>
  <S extends Shape, D extends DType, Dev extends DeviceType>(
    input: Tensor<S, D, Dev>,
    kernel_size: Sizes,
    output_size: Sizes | null,
    output_ratio: Sizes | null,
    return_indices: true,
    _random_samples?: Tensor | null,
  ): PooledWithIndices<D, Dev>
  <S extends Shape, D extends DType, Dev extends DeviceType>(
    input: Tensor<S, D, Dev>,
    kernel_size: Sizes,
    output_size?: Sizes | null | FractionalMaxPoolOptions,
    output_ratio?: Sizes | null | FractionalMaxPoolOptions,
    return_indices?: false | FractionalMaxPoolOptions,
    _random_samples?: Tensor | null | FractionalMaxPoolOptions,
  ): Pooled<D, Dev>
}
interface FractionalMaxPoolOptions {
  readonly output_size?: Sizes | null
  readonly output_ratio?: Sizes | null
  readonly return_indices?: boolean
  readonly _random_samples?: Tensor | null
}

function fractionalMaxPool(plain: unknown, withIndices: unknown): FractionalMaxPool {
  return ((...args: unknown[]) => {
    const last = args.at(-1)
    const indices = args[4] === true || (isOptions(last) && last['return_indices'] === true)
    return ((indices ? withIndices : plain) as AnyFunction)(...args)
  }) as FractionalMaxPool
}

export const fractional_max_pool2d: FractionalMaxPool = /* @__PURE__ */ fractionalMaxPool(
  generated.fractional_max_pool2d,
  generated.fractional_max_pool2d_with_indices,
)
export const fractional_max_pool3d: FractionalMaxPool = /* @__PURE__ */ fractionalMaxPool(
  generated.fractional_max_pool3d,
  generated.fractional_max_pool3d_with_indices,
)
