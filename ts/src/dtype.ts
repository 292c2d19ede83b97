// dtypes at run time: their names in the engine's order, constants, and finfo, iinfo.
import type { DType } from './types/dtype.js'
import { TorchError } from './runtime/errors.js'

/** In the order of the engine's indices. */
export const DTYPES: readonly DType[] = [
  'bool',
  'uint8',
  'int8',
  'int16',
  'int32',
  'int64',
  'uint16',
  'uint32',
  'uint64',
  'float16',
  'bfloat16',
  'float32',
  'float64',
  'complex64',
  'complex128',
]

const INSPECT = Symbol.for('nodejs.util.inspect.custom')

const ALIASES: Readonly<Record<string, DType>> = {
  half: 'float16',
  float: 'float32',
  double: 'float64',
  short: 'int16',
  int: 'int32',
  long: 'int64',
  cfloat: 'complex64',
  cdouble: 'complex128',
}
const INDEX = new Map<string, number>([
  ...DTYPES.map((name, i): [string, number] => [name, i]),
  ...Object.entries(ALIASES).map(([alias, name]): [string, number] => [alias, DTYPES.indexOf(name)]),
])

export const isDType = (name: unknown): name is DType => typeof name === 'string' && INDEX.has(name)

export function dtypeIndex(name: string): number {
  const index = INDEX.get(name)
  if (index === undefined)
    throw new TorchError(`there is no dtype '${typeof name === 'string' ? name : typeof name}' (dtypes: ${DTYPES.join(', ')})`, 'TypeError')
  return index
}

export const dtypeName = (index: number): DType => DTYPES[index]!

const SIZES: Readonly<Record<DType, number>> = {
  bool: 1,
  uint8: 1,
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  uint16: 2,
  uint32: 4,
  uint64: 8,
  float16: 2,
  bfloat16: 2,
  float32: 4,
  float64: 8,
  complex64: 8,
  complex128: 16,
}
/** Bytes of one element. */
export const elementSize = (dtype: DType): number => SIZES[dtype]

export const isFloating = (dtype: DType): boolean => dtype.startsWith('float') || dtype === 'bfloat16'
export const isComplexDType = (dtype: DType): boolean => dtype.startsWith('complex')

export const uint8 = 'uint8'
export const int8 = 'int8'
export const int16 = 'int16'
export const int32 = 'int32'
export const int64 = 'int64'
export const uint16 = 'uint16'
export const uint32 = 'uint32'
export const uint64 = 'uint64'
export const float16 = 'float16'
export const bfloat16 = 'bfloat16'
export const float32 = 'float32'
export const float64 = 'float64'
export const complex64 = 'complex64'
export const complex128 = 'complex128'
export const bool = 'bool'
export const half = 'float16'
export const float = 'float32'
export const double = 'float64'
export const short = 'int16'
export const int = 'int32'
export const long = 'int64'
export const cfloat = 'complex64'
export const cdouble = 'complex128'

/** Limits of a floating dtype, of a complex one those of its parts. */
export interface FInfo {
  readonly bits: number
  readonly dtype: DType
  readonly eps: number
  readonly max: number
  readonly min: number
  readonly tiny: number
  readonly smallest_normal: number
  readonly resolution: number
}

const F64 = { bits: 64, eps: 2 ** -52, max: Number.MAX_VALUE, tiny: 2 ** -1022, resolution: 1e-15 }
const F32 = { bits: 32, eps: 2 ** -23, max: (2 - 2 ** -23) * 2 ** 127, tiny: 2 ** -126, resolution: 1e-6 }
const LIMITS: Partial<Record<DType, typeof F64>> = {
  float64: F64,
  complex128: F64,
  float32: F32,
  complex64: F32,
  float16: { bits: 16, eps: 2 ** -10, max: 65504, tiny: 2 ** -14, resolution: 1e-3 },
  bfloat16: { bits: 16, eps: 2 ** -7, max: (2 - 2 ** -7) * 2 ** 127, tiny: 2 ** -126, resolution: 1e-2 },
}

/** A number with six digits, as C's %g writes it. */
function sixDigits(x: number | bigint): string {
  const v = Number(x)
  if (v === 0) return '0'
  const [digits, exponent] = v.toExponential(5).split('e') as [string, string]
  const e = Number(exponent)
  if (e >= -4 && e < 6) return String(Number(v.toPrecision(6)))
  return `${Number(digits)}e${e < 0 ? '-' : '+'}${String(Math.abs(e)).padStart(2, '0')}`
}

/** Fields that print as PyTorch's objects of that name do. */
function limits<Fields extends object>(name: string, shown: readonly (keyof Fields & string)[], fields: Fields): Fields {
  const text = (v: unknown): string => (typeof v === 'string' ? v : sixDigits(v as number | bigint))
  const toString = (): string => `${name}(${shown.map((key) => `${key}=${text(fields[key])}`).join(', ')})`
  return Object.defineProperties({ ...fields }, { toString: { value: toString }, [INSPECT]: { value: toString } })
}

/** PyTorch's torch.finfo; without an argument for float32. */
export function finfo(dtype: DType = 'float32'): FInfo {
  const name = dtypeName(dtypeIndex(dtype))
  const l = LIMITS[name]
  if (!l) throw new TorchError("torch.finfo() requires a floating point input type. Use torch.iinfo to handle 'torch.finfo'", 'TypeError')
  // The parts of a complex dtype are told by their own name.
  const dtype_ = l === F64 ? 'float64' : l === F32 ? 'float32' : name
  return limits<FInfo>('finfo', ['resolution', 'min', 'max', 'eps', 'smallest_normal', 'tiny', 'dtype'], {
    ...l,
    dtype: dtype_,
    min: -l.max,
    smallest_normal: l.tiny,
  })
}

/** Limits of an integer dtype; those of 64 bits are bigints, because a number cannot hold them. */
export interface IInfo {
  readonly bits: number
  readonly dtype: DType
  readonly max: number | bigint
  readonly min: number | bigint
}

/** PyTorch's torch.iinfo. */
export function iinfo(dtype: DType): IInfo {
  const name = dtypeName(dtypeIndex(dtype))
  const m = /^(u?)int(\d+)$/.exec(name)
  if (!m)
    throw new TorchError(
      name === 'bool'
        ? 'torch.bool is not supported by torch.iinfo'
        : "torch.iinfo() requires an integer input type. Use torch.finfo to handle 'torch.iinfo'",
      'TypeError',
    )
  const bits = Number(m[2])
  const signed = m[1] === ''
  const max = (1n << BigInt(signed ? bits - 1 : bits)) - 1n
  const min = signed ? -(1n << BigInt(bits - 1)) : 0n
  const fields: IInfo =
    bits === 64 ? { bits, dtype: name, max, min: signed ? min : 0 } : { bits, dtype: name, max: Number(max), min: Number(min) }
  return limits<IInfo>('iinfo', ['min', 'max', 'dtype'], fields)
}
