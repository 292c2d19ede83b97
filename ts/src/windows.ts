// torch.signal.windows, and the windows of torch under their own names.
import { abs, arange, cos, empty, exp, linspace, ones, sin, sqrt } from './generated/functions.js'
import * as functions from './generated/functions.js'
import * as special from './generated/special.js'
import type { DeviceInput } from './device.js'
import { tensor } from './creation.js'
import { notImplementedError, typeError, valueError } from './nn/errors.js'
import { get_default_dtype } from './promotion.js'
import type { Tensor } from './tensor.js'
import type { DType } from './types/dtype.js'

export interface WindowOptions {
  /** Symmetric, for the design of filters; false: periodic, for spectra. Default: true. */
  readonly sym?: boolean
  readonly dtype?: DType | null
  readonly device?: DeviceInput | null
  readonly requires_grad?: boolean
}

interface Made {
  dtype: DType
  rest: object
  sym: boolean
}
// PyTorch's checks, and the windows that need no formula.
function begin(name: string, M: number, o: WindowOptions): { made: Made; done: Tensor | null } {
  const dtype = (o.dtype ?? get_default_dtype()) as DType
  if (M < 0) throw valueError(`${name} requires non-negative window length, got M=${M}`)
  if (dtype !== 'float32' && dtype !== 'float64') throw valueError(`${name} expects float32 or float64 dtypes, got: torch.${dtype}`)
  const rest = { dtype, ...(o.device ? { device: o.device } : {}) }
  const done = M === 0 ? empty([0], rest as object) : M === 1 ? ones([1], rest as object) : null
  return { made: { dtype, rest, sym: o.sym ?? true }, done: done && finish(done as Tensor, o) }
}
const finish = (t: Tensor, o: WindowOptions): Tensor => (o.requires_grad ? t.requires_grad_() : t)
const span = (from: number, to: number, M: number, made: Made): Tensor => linspace(from, to, M, made.rest as object) as Tensor

export function bartlett(M: number, options: WindowOptions = {}): Tensor {
  const { made, done } = begin('bartlett', M, options)
  if (done) return done
  const step = 2 / (made.sym ? M - 1 : M)
  return finish(
    abs(span(-1, -1 + (M - 1) * step, M, made))
      .neg()
      .add(1),
    options,
  )
}

function cosines(name: string, M: number, a: readonly number[], options: WindowOptions): Tensor {
  const { made, done } = begin(name, M, options)
  if (done) return done
  if (!Array.isArray(a)) throw typeError('Coefficients must be a list/tuple')
  if (a.length === 0) throw valueError('Coefficients cannot be empty')
  const step = (2 * Math.PI) / (made.sym ? M - 1 : M)
  const k = span(0, (M - 1) * step, M, made)
  const factors = tensor(
    a.map((w: number, i: number) => (i % 2 ? -w : w)),
    made.rest as object,
  ) as Tensor
  const i = arange(a.length, made.rest as object) as Tensor
  return finish(
    factors
      .unsqueeze(-1)
      .mul(cos(i.unsqueeze(-1).mul(k)))
      .sum(0),
    options,
  )
}
export function general_cosine(M: number, options: WindowOptions & { readonly a: readonly number[] }): Tensor {
  return cosines('general_cosine', M, options.a, options)
}
export function general_hamming(M: number, options: WindowOptions & { readonly alpha?: number } = {}): Tensor {
  const alpha = options.alpha ?? 0.54
  return cosines('general_cosine', M, [alpha, 1 - alpha], options)
}
export function hamming(M: number, options: WindowOptions = {}): Tensor {
  return general_hamming(M, { ...options, alpha: 0.54 })
}
export function hann(M: number, options: WindowOptions = {}): Tensor {
  return general_hamming(M, { ...options, alpha: 0.5 })
}
export function blackman(M: number, options: WindowOptions = {}): Tensor {
  return cosines('blackman', M, [0.42, 0.5, 0.08], options)
}
export function nuttall(M: number, options: WindowOptions = {}): Tensor {
  return cosines('general_cosine', M, [0.3635819, 0.4891775, 0.1365995, 0.0106411], options)
}

export function cosine(M: number, options: WindowOptions = {}): Tensor {
  const { made, done } = begin('cosine', M, options)
  if (done) return done
  const step = Math.PI / (made.sym ? M : M + 1)
  return finish(sin(span(0.5 * step, (0.5 + (M - 1)) * step, M, made)), options)
}

export function exponential(M: number, options: WindowOptions & { readonly center?: number | null; readonly tau?: number } = {}): Tensor {
  const tau = options.tau ?? 1
  if (tau <= 0) throw valueError(`Tau must be positive, got: ${tau} instead.`)
  const given = options.center ?? null
  if ((options.sym ?? true) && given !== null) throw valueError('Center must be None for symmetric windows')
  const { made, done } = begin('exponential', M, options)
  if (done) return done
  const center = given ?? (made.sym ? M - 1 : M) / 2
  return finish(exp(abs(span(-center / tau, (-center + (M - 1)) / tau, M, made)).neg()), options)
}

export function gaussian(M: number, options: WindowOptions & { readonly std?: number } = {}): Tensor {
  const std = options.std ?? 1
  if (std <= 0) throw valueError(`Standard deviation must be positive, got: ${std} instead.`)
  const { made, done } = begin('gaussian', M, options)
  if (done) return done
  const start = -(made.sym ? M - 1 : M) / 2
  const step = 1 / (std * Math.SQRT2)
  const k = span(start * step, (start + (M - 1)) * step, M, made)
  return finish(exp(k.mul(k).neg()), options)
}

function bessel(x: Tensor): Tensor {
  const i0 = ((functions as Record<string, unknown>)['i0'] ?? (special as Record<string, unknown>)['i0']) as
    ((x: Tensor) => Tensor) | undefined
  if (!i0) throw notImplementedError('kaiser: torch.i0 is not available in this version')
  return i0(x)
}
export function kaiser(M: number, options: WindowOptions & { readonly beta?: number } = {}): Tensor {
  const beta = options.beta ?? 12
  if (beta < 0) throw valueError(`beta must be non-negative, got: ${beta} instead.`)
  const { made, done } = begin('kaiser', M, options)
  if (done) return done
  const step = (2 * beta) / (made.sym ? M - 1 : M)
  const k = span(-beta, Math.min(beta, -beta + (M - 1) * step), M, made)
  const b = tensor(beta, made.rest as object) as Tensor
  return finish(bessel(sqrt(b.mul(b).sub(k.mul(k)))).div(bessel(b)), options)
}
