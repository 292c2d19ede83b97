// Elements between typed arrays and tensors.
import type { TypedArray } from './types/arrays.js'
import type { Complex, DType } from './types/dtype.js'
import { elementSize } from './dtype.js'
import { builtinInt, fail } from './runtime/call.js'
import { BUILTIN } from './generated/calls.js'
import { host } from './runtime/host.js'
import type { Tensor } from './tensor.js'

type ArrayConstructor = new (length: number) => TypedArray
const ARRAYS: Readonly<Record<DType, ArrayConstructor>> = {
  bool: Uint8Array,
  uint8: Uint8Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  float32: Float32Array,
  float64: Float64Array,
  complex64: Float32Array,
  complex128: Float64Array,
}

/** A typed array that holds `count` elements as the engine stores them. */
export function newArray(dtype: DType, count: number): TypedArray {
  const array = ARRAYS[dtype]
  return new array((count * elementSize(dtype)) / (array as unknown as { BYTES_PER_ELEMENT: number }).BYTES_PER_ELEMENT)
}

function halfToFloat(h: number): number {
  const sign = h & 0x8000 ? -1 : 1
  const exponent = (h >> 10) & 31
  const mantissa = h & 1023
  if (exponent === 0) return sign * mantissa * 2 ** -24
  if (exponent === 31) return mantissa ? NaN : sign * Infinity
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15)
}

/** All elements, row-major. float16 and bfloat16 become float32. */
export function readData(t: Tensor, dtype: DType): TypedArray {
  const raw = newArray(dtype, builtinInt(BUILTIN.numel, t.handle))
  if (host.readBytes(t.handle, raw) <= 0) fail()
  if (dtype === 'float16') return Float32Array.from(raw as Uint16Array, halfToFloat)
  if (dtype === 'bfloat16') return new Float32Array(Uint32Array.from(raw as Uint16Array, (h) => h << 16).buffer)
  return raw
}

export type Element = number | bigint | boolean | Complex

/** Elements as `item()` gives them. */
export function decode(data: TypedArray, dtype: DType): Element[] {
  switch (dtype) {
    case 'bool':
      return Array.from(data as Uint8Array, (v) => v !== 0)
    case 'int64':
    case 'uint64':
      return Array.from(data as BigInt64Array, (v) => (v > -9007199254740992n && v < 9007199254740992n ? Number(v) : v))
    case 'complex64':
    case 'complex128': {
      const d = data as Float64Array
      return Array.from({ length: d.length / 2 }, (_, i) => ({ re: d[2 * i]!, im: d[2 * i + 1]! }))
    }
    default:
      return Array.from(data as Float32Array)
  }
}

/** A flat list as nested arrays. */
export function nest(flat: readonly unknown[], shape: readonly number[]): unknown {
  let at = 0
  const level = (dim: number): unknown => {
    if (dim === shape.length) return flat[at++]
    const n = shape[dim]!
    if (dim === shape.length - 1) return flat.slice(at, (at += n))
    return Array.from({ length: n }, () => level(dim + 1))
  }
  return level(0)
}
