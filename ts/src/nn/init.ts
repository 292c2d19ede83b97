// nn.init: initial values, drawn in PyTorch's order from PyTorch's generator. All of them work in place, outside of autograd, and return
// their tensor.

import { no_grad } from '../autograd/modes.js'
import { randperm } from '../generated/functions.js'
import type { Generator } from '../random.js'
import type { Tensor } from '../tensor.js'
import { runtimeError, valueError, warn } from './errors.js'
import { operator } from './operators.js'
import { isPlainObject } from './text.js'

/** The functions that a gain is known for. */
export type Nonlinearity =
  | 'linear'
  | 'conv1d'
  | 'conv2d'
  | 'conv3d'
  | 'conv_transpose1d'
  | 'conv_transpose2d'
  | 'conv_transpose3d'
  | 'sigmoid'
  | 'tanh'
  | 'relu'
  | 'leaky_relu'
  | 'selu'
export type FanMode = 'fan_in' | 'fan_out'

export interface UniformInitOptions {
  a?: number
  b?: number
  generator?: Generator | null
}
export interface NormalInitOptions {
  mean?: number
  std?: number
  generator?: Generator | null
}
export interface TruncNormalInitOptions extends NormalInitOptions {
  a?: number
  b?: number
}
export interface XavierInitOptions {
  gain?: number
  generator?: Generator | null
}
export interface KaimingInitOptions {
  a?: number
  mode?: FanMode
  nonlinearity?: Nonlinearity
  generator?: Generator | null
}
export interface DiracInitOptions {
  groups?: number
}

/** Positional arguments in order, a trailing options object over them. */
function options<T extends object>(name: string, order: readonly (keyof T & string)[], args: readonly unknown[]): T {
  const result: Record<string, unknown> = {}
  args.forEach((value, i) => {
    if (value === undefined) return
    if (!isPlainObject(value)) {
      result[order[i] as string] = value
      return
    }
    for (const [key, item] of Object.entries(value)) {
      if (!(order as readonly string[]).includes(key)) {
        throw runtimeError(`${name}() got an unexpected keyword argument '${key}'; known are: ${order.join(', ')}`)
      }
      if (item !== undefined) result[key] = item
    }
  })
  return result as T
}

const drawn = (generator: Generator | null | undefined): { generator: Generator } | undefined => (generator ? { generator } : undefined)

// By name, because an interface that the generator writes has them only once the schema does.
const uniform = operator('uniform_')
const normal = operator('normal_')

function fillUniform(tensor: Tensor, low: number, high: number, generator?: Generator | null): Tensor {
  no_grad(() => callInPlace(tensor, 'uniform_', uniform, low, high, drawn(generator)))
  return tensor
}
function fillNormal(tensor: Tensor, mean: number, std: number, generator?: Generator | null): Tensor {
  no_grad(() => callInPlace(tensor, 'normal_', normal, mean, std, drawn(generator)))
  return tensor
}

/** In-place operators are methods; those that are functions as well may be either. */
function callInPlace(tensor: Tensor, name: string, fallback: (...args: unknown[]) => unknown, ...args: unknown[]): void {
  const method = (tensor as unknown as Record<string, unknown>)[name]
  if (typeof method === 'function') (method as (...args: unknown[]) => unknown).apply(tensor, args)
  else fallback(tensor, ...args)
}

/** Uniform in [a, b). */
export function uniform_<T extends Tensor>(
  tensor: T,
  a?: number | UniformInitOptions,
  b?: number | UniformInitOptions,
  generator?: Generator | null | UniformInitOptions,
): T {
  const o = options<UniformInitOptions>('uniform_', ['a', 'b', 'generator'], [a, b, generator])
  fillUniform(tensor, o.a ?? 0, o.b ?? 1, o.generator)
  return tensor
}

/** Normal with this mean and standard deviation. */
export function normal_<T extends Tensor>(
  tensor: T,
  mean?: number | NormalInitOptions,
  std?: number | NormalInitOptions,
  generator?: Generator | null | NormalInitOptions,
): T {
  const o = options<NormalInitOptions>('normal_', ['mean', 'std', 'generator'], [mean, std, generator])
  fillNormal(tensor, o.mean ?? 0, o.std ?? 1, o.generator)
  return tensor
}

/** `val` everywhere. */
export function constant_<T extends Tensor>(tensor: T, val: number): T {
  no_grad(() => tensor.fill_(val))
  return tensor
}

/** 1 everywhere. */
export function ones_<T extends Tensor>(tensor: T): T {
  return constant_(tensor, 1)
}

/** 0 everywhere. */
export function zeros_<T extends Tensor>(tensor: T): T {
  no_grad(() => tensor.zero_())
  return tensor
}

/** The identity matrix, cut to the tensor's size. Throws a ValueError unless it has 2 dimensions. */
export function eye_<T extends Tensor>(tensor: T): T {
  if (tensor.ndim !== 2) throw valueError('Only tensors with 2 dimensions are supported')
  no_grad(() => {
    tensor.zero_()
    const n = Math.min(tensor.shape[0] as number, tensor.shape[1] as number)
    for (let i = 0; i < n; i++) element(tensor, i, i).fill_(1)
  })
  return tensor
}

/** A view of one element or of what is below an index. */
function element(tensor: Tensor, ...indices: readonly number[]): Tensor {
  let view: Tensor = tensor
  for (const index of indices) view = view.select(0, index)
  return view
}

/** The convolution that hands its channels through, by groups. Throws a ValueError unless the tensor has 3 to 5 dimensions. */
export function dirac_<T extends Tensor>(tensor: T, groups: number | DiracInitOptions = 1): T {
  const n = typeof groups === 'number' ? groups : (groups.groups ?? 1)
  const shape: readonly number[] = tensor.shape
  if (shape.length < 3 || shape.length > 5) throw valueError('Only tensors with 3, 4, or 5 dimensions are supported')
  if ((shape[0] as number) % n !== 0) throw valueError('dim 0 must be divisible by groups')
  const out = (shape[0] as number) / n
  const centre = shape.slice(2).map((size) => Math.floor(size / 2))
  no_grad(() => {
    tensor.zero_()
    for (let g = 0; g < n; g++) {
      for (let d = 0; d < Math.min(out, shape[1] as number); d++) element(tensor, g * out + d, d, ...centre).fill_(1)
    }
  })
  return tensor
}

/** fan_in and fan_out: how many inputs one output of these weights has, and the other way round. */
export function calculate_fan_in_and_fan_out(tensor: Tensor): [fan_in: number, fan_out: number] {
  const shape: readonly number[] = tensor.shape
  if (shape.length < 2) throw valueError('Fan in and fan out can not be computed for tensor with fewer than 2 dimensions')
  const field = shape.slice(2).reduce((product, size) => product * size, 1)
  return [(shape[1] as number) * field, (shape[0] as number) * field]
}

const PLAIN_GAINS: readonly string[] = [
  'linear',
  'conv1d',
  'conv2d',
  'conv3d',
  'conv_transpose1d',
  'conv_transpose2d',
  'conv_transpose3d',
  'sigmoid',
]

/** The factor that keeps the variance through a nonlinearity. `param`: the slope of leaky_relu. Throws a ValueError for an unknown one. */
export function calculate_gain(nonlinearity: Nonlinearity, param?: number | null): number {
  if (PLAIN_GAINS.includes(nonlinearity)) return 1
  switch (nonlinearity) {
    case 'tanh':
      return 5 / 3
    case 'relu':
      return Math.sqrt(2)
    case 'leaky_relu': {
      if (param !== undefined && param !== null && typeof param !== 'number')
        throw valueError(`negative_slope ${String(param)} not a valid number`)
      const slope = param ?? 0.01
      return Math.sqrt(2 / (1 + slope ** 2))
    }
    case 'selu':
      return 3 / 4
    default:
      throw valueError(`Unsupported nonlinearity ${String(nonlinearity)}`)
  }
}

/** Uniform with variance gain² · 2 / (fan_in + fan_out) (Glorot and Bengio, 2010). */
export function xavier_uniform_<T extends Tensor>(
  tensor: T,
  gain?: number | XavierInitOptions,
  generator?: Generator | null | XavierInitOptions,
): T {
  const o = options<XavierInitOptions>('xavier_uniform_', ['gain', 'generator'], [gain, generator])
  const [fanIn, fanOut] = calculate_fan_in_and_fan_out(tensor)
  const std = (o.gain ?? 1) * Math.sqrt(2 / (fanIn + fanOut))
  const bound = Math.sqrt(3) * std
  fillUniform(tensor, -bound, bound, o.generator)
  return tensor
}

/** Normal with variance gain² · 2 / (fan_in + fan_out) (Glorot and Bengio, 2010). */
export function xavier_normal_<T extends Tensor>(
  tensor: T,
  gain?: number | XavierInitOptions,
  generator?: Generator | null | XavierInitOptions,
): T {
  const o = options<XavierInitOptions>('xavier_normal_', ['gain', 'generator'], [gain, generator])
  const [fanIn, fanOut] = calculate_fan_in_and_fan_out(tensor)
  fillNormal(tensor, 0, (o.gain ?? 1) * Math.sqrt(2 / (fanIn + fanOut)), o.generator)
  return tensor
}

type KaimingArguments = [
  a?: number | KaimingInitOptions,
  mode?: FanMode | KaimingInitOptions,
  nonlinearity?: Nonlinearity | KaimingInitOptions,
  generator?: Generator | null | KaimingInitOptions,
]

/** Standard deviation and generator of the two below; null for a tensor without elements. */
function kaiming(name: string, tensor: Tensor, args: KaimingArguments): { std: number; generator?: Generator | null } | null {
  const o = options<KaimingInitOptions>(name, ['a', 'mode', 'nonlinearity', 'generator'], args)
  if (tensor.numel() === 0) {
    warn('Initializing zero-element tensors is a no-op')
    return null
  }
  const mode = String(o.mode ?? 'fan_in').toLowerCase()
  if (mode !== 'fan_in' && mode !== 'fan_out') throw valueError(`Mode ${mode} not supported, please use one of ['fan_in', 'fan_out']`)
  const fan = calculate_fan_in_and_fan_out(tensor)[mode === 'fan_in' ? 0 : 1]
  const std = calculate_gain(o.nonlinearity ?? 'leaky_relu', o.a ?? 0) / Math.sqrt(fan)
  return { std, ...(o.generator ? { generator: o.generator } : {}) }
}

/** Uniform with variance gain² / fan (He et al., 2015). `a`: the slope of leaky_relu behind it. */
export function kaiming_uniform_<T extends Tensor>(tensor: T, ...args: KaimingArguments): T {
  const found = kaiming('kaiming_uniform_', tensor, args)
  if (found) {
    const bound = Math.sqrt(3) * found.std
    fillUniform(tensor, -bound, bound, found.generator)
  }
  return tensor
}

/** Normal with variance gain² / fan (He et al., 2015). `a`: the slope of leaky_relu behind it. */
export function kaiming_normal_<T extends Tensor>(tensor: T, ...args: KaimingArguments): T {
  const found = kaiming('kaiming_normal_', tensor, args)
  if (found) fillNormal(tensor, 0, found.std, found.generator)
  return tensor
}

/** Options of sparse_. */
export interface SparseInitOptions {
  std?: number
  generator?: Generator | null
}

/** Normal with this standard deviation, and that part of each column, chosen at random, 0. Throws a ValueError unless there are 2 dimensions. */
export function sparse_<T extends Tensor>(
  tensor: T,
  sparsity: number,
  std?: number | SparseInitOptions,
  generator?: Generator | null | SparseInitOptions,
): T {
  if (tensor.ndim !== 2) throw valueError('Only tensors with 2 dimensions are supported')
  const o = options<SparseInitOptions>('sparse_', ['std', 'generator'], [std, generator])
  const [rows, columns] = tensor.shape as readonly [number, number]
  const zeros = Math.ceil(sparsity * rows)
  fillNormal(tensor, 0, o.std ?? 0.01, o.generator)
  no_grad(() => {
    for (let column = 0; column < columns; column++) {
      // PyTorch draws the rows from the default generator, whatever generator the values come from.
      for (const row of Array.from(randperm(rows, { device: 'cpu' }).data() as BigInt64Array, Number).slice(0, zeros))
        element(tensor, row, column).fill_(0)
    }
  })
  return tensor
}

/** Normal with this mean and standard deviation, values outside [a, b] drawn anew. */
export function trunc_normal_<T extends Tensor>(
  tensor: T,
  mean?: number | TruncNormalInitOptions,
  std?: number | TruncNormalInitOptions,
  a?: number | TruncNormalInitOptions,
  b?: number | TruncNormalInitOptions,
  generator?: Generator | null | TruncNormalInitOptions,
): T {
  const o = options<TruncNormalInitOptions>('trunc_normal_', ['mean', 'std', 'a', 'b', 'generator'], [mean, std, a, b, generator])
  const { mean: m = 0, std: s = 1, a: low = -2, b: high = 2 } = o
  if (m < low - 2 * s || m > high + 2 * s) {
    warn('mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of values may be incorrect.')
  }
  no_grad(() => {
    // The inverse of the distribution function of uniform numbers between its values at the bounds.
    const cdf = (x: number): number => (1 + erf(x / Math.SQRT2)) / 2
    const l = cdf((low - m) / s)
    const u = cdf((high - m) / s)
    fillUniform(tensor, 2 * l - 1, 2 * u - 1, o.generator)
    callInPlace(tensor, 'erfinv_', operator('erfinv_'))
    tensor.mul_(s * Math.SQRT2)
    callInPlace(tensor, 'add_', operator('add_'), m)
    callInPlace(tensor, 'clamp_', operator('clamp_'), low, high)
  })
  return tensor
}

/** The error function in double precision: its series near 0, a continued fraction of erfc beyond. */
function erf(x: number): number {
  const z = Math.abs(x)
  if (z > 6) return Math.sign(x)
  if (z < 2.5) {
    let term = z
    let sum = z
    for (let n = 1; Math.abs(term) > 1e-17 * sum; n++) {
      term *= (-z * z) / n
      sum += term / (2 * n + 1)
    }
    return Math.sign(x) * (2 / Math.sqrt(Math.PI)) * sum
  }
  let fraction = 0
  for (let n = 60; n > 0; n--) fraction = n / 2 / (z + fraction)
  return Math.sign(x) * (1 - Math.exp(-z * z) / (Math.sqrt(Math.PI) * (z + fraction)))
}
