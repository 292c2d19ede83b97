// Tensors from JavaScript's data: torch.tensor, as_tensor, from_array, frombuffer.
import type { CPUTensorData, Nested, TensorData, TypedArray } from './types/arrays.js'
import type { Complex, DeviceType, DType } from './types/dtype.js'
import type { DeviceOfOptions, DTypeOfOptions } from './types/results.js'
import type { DynamicShape, Shape } from './types/shapes.js'
import { newArray, type Element } from './data_access.js'
import { chosenDevice, deviceCode, type Device, type DeviceInput } from './device.js'
import { dtypeIndex, dtypeName, elementSize, isComplexDType, isFloating } from './dtype.js'
import { get_default_dtype } from './promotion.js'
import { isComplex, isOptions, typeName } from './runtime/arguments.js'
import { Arguments, wrap } from './runtime/call.js'
import { TorchError } from './runtime/errors.js'
import { host } from './runtime/host.js'
import { Tensor } from './tensor.js'

/**
 * What a function that makes tensors may be told.
 *
 *     const options: torch.TensorOptions = { dtype: 'float64', requires_grad: true }
 *     const x = torch.zeros([2, 3], options)
 */
export interface TensorOptions {
  /** Default: float32 (the default dtype) of numbers, bool of booleans, int64 of bigints, and a typed array's own. */
  readonly dtype?: DType | null
  readonly device?: DeviceInput | string | null
  readonly requires_grad?: boolean
}

const ARRAY_DTYPES: readonly (readonly [new (n: number) => TypedArray, DType])[] = [
  [Float32Array, 'float32'],
  [Float64Array, 'float64'],
  [Int8Array, 'int8'],
  [Int16Array, 'int16'],
  [Int32Array, 'int32'],
  [Uint8Array, 'uint8'],
  [Uint8ClampedArray, 'uint8'],
  [Uint16Array, 'uint16'],
  [Uint32Array, 'uint32'],
  [BigInt64Array, 'int64'],
  [BigUint64Array, 'uint64'],
]
const isTypedArray = (v: unknown): v is TypedArray => ArrayBuffer.isView(v) && !(v instanceof DataView)
const isSequence = (v: unknown): v is ArrayLike<unknown> => Array.isArray(v) || isTypedArray(v)

function dtypeOfArray(v: TypedArray): DType {
  const row = ARRAY_DTYPES.find(([array]) => v instanceof array)
  if (!row) throw new TorchError(`can't convert ${v.constructor.name} to a tensor`, 'TypeError')
  return row[1]
}

// ---- shapes of literals, for types ---------------------------------------------------------------------------------

/** The shape of nested array literals. */
export type ShapeOfData<T> = TensorData extends T ? DynamicShape : ShapeOfKnown<T>
type ShapeOfKnown<T> = T extends readonly unknown[]
  ? number extends T['length']
    ? DynamicShape
    : T extends readonly [infer First, ...unknown[]]
      ? First extends readonly unknown[]
        ? ShapeOfData<First> extends infer Rest extends Shape
          ? number extends Rest['length']
            ? DynamicShape
            : readonly [T['length'], ...Rest]
          : DynamicShape
        : First extends TypedArray
          ? DynamicShape
          : readonly [T['length']]
      : readonly [0]
  : T extends TypedArray
    ? readonly [number]
    : T extends CPUTensorData<infer S>
      ? S
      : T extends number | bigint | boolean | Complex
        ? readonly []
        : DynamicShape

type Leaf<T> = T extends readonly (infer Item)[] ? (TensorData extends Item ? unknown : Leaf<Item>) : T
/** The dtype that data gets without an explicit one. */
export type DTypeOfData<T> = TensorData extends T ? DType : DTypeOfKnown<T>
type DTypeOfKnown<T> = [Leaf<T>] extends [never]
  ? DType
  : [T] extends [CPUTensorData<Shape, infer D>]
    ? D
    : [Leaf<T>] extends [boolean]
      ? 'bool'
      : [Leaf<T>] extends [bigint]
        ? 'int64'
        : [Leaf<T>] extends [number]
          ? 'float32'
          : DType

// ---- reading nested arrays -----------------------------------------------------------------------------------------

function shapeOf(data: unknown): number[] {
  const shape: number[] = []
  let v = data
  while (isSequence(v) || (v instanceof Tensor && v.ndim > 0)) {
    if (v instanceof Tensor) {
      shape.push(...v.shape)
      return shape
    }
    shape.push(v.length)
    if (v.length === 0) break
    v = v[0]
  }
  return shape
}

/** All leaves of `data` in order, checked to be as `shape` says. */
function flatten(data: unknown, shape: readonly number[], dim: number, out: Element[]): void {
  if (data instanceof Tensor) {
    const own: Shape = data.shape
    if (own.length !== shape.length - dim) throw new TorchError('only one element tensors can be converted to Python scalars', 'ValueError')
    own.forEach((n, i) => {
      if (n !== shape[dim + i]) throw ragged(shape[dim + i]!, dim + i, n)
    })
    const values: unknown = data.toArray()
    out.push(...(Array.isArray(values) ? (values.flat(Infinity) as Element[]) : [values as Element]))
    return
  }
  if (dim === shape.length) {
    if (isSequence(data)) throw new TorchError("'list' object cannot be interpreted as a number", 'TypeError')
    if (typeof data === 'string')
      throw new TorchError(
        dim === 0 ? "new(): invalid data type 'str'" : `too many dimensions 'str'`,
        dim === 0 ? 'TypeError' : 'ValueError',
      )
    if (typeof data !== 'number' && typeof data !== 'bigint' && typeof data !== 'boolean' && !isComplex(data)) {
      throw new TorchError(`Could not infer dtype of ${typeName(data)}`, 'RuntimeError')
    }
    out.push(data)
    return
  }
  if (!isSequence(data)) throw new TorchError('not a sequence', 'TypeError')
  if (data.length !== shape[dim]) throw ragged(shape[dim]!, dim, data.length)
  for (let i = 0; i < data.length; i++) flatten(data[i], shape, dim + 1, out)
}

const ragged = (expected: number, dim: number, got: number): TorchError =>
  new TorchError(`expected sequence of length ${expected} at dim ${dim} (got ${got})`, 'ValueError')

function inferDType(flat: readonly Element[], data: unknown): DType {
  let v = data
  while (Array.isArray(v) && v.length > 0) v = v[0]
  if (isTypedArray(v)) return dtypeOfArray(v)
  if (v instanceof Tensor) return v.dtype
  if (flat.length === 0) return get_default_dtype()
  let floats = false
  let ints = false
  let bools = false
  for (const x of flat) {
    if (typeof x === 'number') floats = true
    else if (typeof x === 'bigint') ints = true
    else if (typeof x === 'boolean') bools = true
    else return get_default_dtype() === 'float64' ? 'complex128' : 'complex64'
  }
  void bools
  return floats ? get_default_dtype() : ints ? 'int64' : 'bool'
}

// ---- writing typed arrays ------------------------------------------------------------------------------------------

function overflow(dtype: DType): TorchError {
  return new TorchError(`value cannot be converted to type ${dtype} without overflow`, 'RuntimeError')
}

/** The elements as the engine stores them. float16 and bfloat16 are written as float32: the engine rounds them. */
function pack(flat: readonly Element[], dtype: DType): TypedArray {
  if (dtype === 'bool') return Uint8Array.from(flat, (v) => (typeof v === 'object' ? (v.re !== 0 || v.im !== 0 ? 1 : 0) : v ? 1 : 0))
  if (isComplexDType(dtype)) {
    const out = newArray(dtype, flat.length) as Float64Array
    flat.forEach((v, i) => {
      out[2 * i] = typeof v === 'object' ? v.re : Number(v)
      out[2 * i + 1] = typeof v === 'object' ? v.im : 0
    })
    return out
  }
  const complex = flat.some((v) => typeof v === 'object')
  if (complex) throw new TorchError('must be real number, not complex', 'TypeError')
  if (isFloating(dtype)) return dtype === 'float64' ? Float64Array.from(flat, Number) : Float32Array.from(flat, Number)
  const bits = BigInt(elementSize(dtype) * 8)
  const signed = !dtype.startsWith('u')
  // As in PyTorch, a negative number may go to an unsigned dtype when its magnitude fits.
  const max = (1n << (signed ? bits - 1n : bits)) - 1n
  const min = signed ? -(1n << (bits - 1n)) : -max
  const out = newArray(dtype, flat.length)
  if (bits === 64n) {
    const wide = out as BigInt64Array
    flat.forEach((v, i) => {
      if (typeof v === 'number' && !Number.isFinite(v)) throw overflow(dtype)
      const b = typeof v === 'bigint' ? v : BigInt(Math.trunc(Number(v)))
      if (b > max || b < min) throw overflow(dtype)
      wide[i] = signed ? b : BigInt.asUintN(64, b)
    })
    return out
  }
  const narrow = out as Int32Array
  const low = Number(min)
  const high = Number(max)
  flat.forEach((v, i) => {
    const n = Math.trunc(Number(v))
    if (!(n >= low && n <= high)) throw overflow(dtype)
    narrow[i] = n
  })
  return out
}

function fromArray(array: TypedArray, stored: DType, shape: readonly number[]): Tensor {
  new Arguments().numbers(shape)
  return wrap(host.fromBytes(dtypeIndex(stored), array))
}

/** Makes the tensor and gives it the dtype, device and requires_grad asked for. */
function finishTensor(t: Tensor, name: string, dtype: DType | null, options: TensorOptions): Tensor {
  let result = t
  if (dtype !== null && result.dtype !== dtype) result = result.to(dtype) as Tensor
  const device = options.device ?? chosenDevice.device
  if (device !== null && deviceCode(device) !== 0) result = result.to(String(device)) as Tensor
  if (options.requires_grad) {
    if (!isFloating(result.dtype) && !isComplexDType(result.dtype)) {
      throw new TorchError('Only Tensors of floating point and complex dtype can require gradients', 'RuntimeError')
    }
    result.requires_grad = true
  }
  void name
  return result
}

function readOptions(
  name: string,
  options: TensorOptions | undefined,
  extra: readonly string[] = [],
): { dtype: DType | null; options: TensorOptions } {
  if (options !== undefined && options !== null && !isOptions(options)) {
    throw new TorchError(
      `${name}() takes 1 positional argument but 2 were given (options such as dtype go into an object: { dtype: 'int64' })`,
      'TypeError',
    )
  }
  const o = options ?? {}
  const known = ['dtype', 'device', 'requires_grad', ...extra]
  for (const key of Object.keys(o)) {
    if (!known.includes(key))
      throw new TorchError(`${name}() got an unexpected keyword argument '${key}' (known: ${known.join(', ')})`, 'TypeError')
  }
  if (o.dtype === undefined || o.dtype === null) return { dtype: null, options: o }
  if (typeof o.dtype !== 'string')
    throw new TorchError(`${name}(): argument 'dtype' must be torch.dtype, not ${typeName(o.dtype)}`, 'TypeError')
  return { dtype: dtypeName(dtypeIndex(o.dtype)), options: o }
}

/** Is it what `tensor_data` gave? */
const isRecord = (v: unknown): v is CPUTensorData =>
  isOptions(v) && isTypedArray(v['buffer']) && Array.isArray(v['shape']) && v['device'] === 'cpu' && typeof v['dtype'] === 'string'

function build(name: string, data: unknown, options?: TensorOptions, extra: readonly string[] = []): Tensor {
  const { dtype, options: o } = readOptions(name, options, extra)
  if (data instanceof Tensor) return finishTensor(data.detach().clone() as Tensor, name, dtype, o)
  if (isRecord(data)) {
    const t = from_array(data.buffer, data.shape, { dtype: data.dtype }) as Tensor
    return finishTensor(t, name, dtype, { requires_grad: data.requires_grad, ...o })
  }
  if (isTypedArray(data)) return finishTensor(fromArray(data, dtypeOfArray(data), [data.length]), name, dtype, o)
  const shape = shapeOf(data)
  const flat: Element[] = []
  flatten(data, shape, 0, flat)
  const wanted = dtype ?? inferDType(flat, data)
  const stored: DType = wanted === 'float16' || wanted === 'bfloat16' ? 'float32' : wanted
  return finishTensor(fromArray(pack(flat, stored), stored, shape), name, wanted, o)
}

/**
 * A tensor of numbers, booleans, bigints, complex numbers `{ re, im }`, typed arrays, or nested arrays of them. It is a copy.
 * Numbers become float32 (the default dtype), booleans bool, bigints int64; typed arrays keep their type.
 */
export function tensor<const T extends TensorData, const O extends TensorOptions = object>(
  data: T,
  options?: O,
): Tensor<ShapeOfData<T>, DTypeOfOptions<O, DTypeOfData<T>>, DeviceOfOptions<O>>
export function tensor<S extends Shape, D extends DType, Dev extends DeviceType>(
  data: Tensor<S, D, Dev>,
  options?: TensorOptions,
): Tensor<S, DType, DeviceType>
export function tensor(data: Nested<number | bigint | boolean | Complex | Tensor> | TypedArray, options?: TensorOptions): Tensor
export function tensor(data: unknown, options?: TensorOptions): Tensor {
  return build('tensor', data, options)
}

/** Like `tensor`, but a tensor that has the dtype and device already is returned as it is. */
export function as_tensor(data: unknown, options?: TensorOptions): Tensor {
  if (!(data instanceof Tensor)) return build('as_tensor', data, options)
  const { dtype, options: o } = readOptions('as_tensor', options)
  return finishTensor(data, 'as_tensor', dtype, o)
}
export { as_tensor as asarray }

/** A tensor of a flat (typed) array with a shape. */
export function from_array<const S extends Shape>(array: TypedArray | readonly number[], shape?: S, options?: TensorOptions): Tensor<S> {
  const { dtype, options: o } = readOptions('from_array', options)
  if (
    !isTypedArray(array) &&
    !(Array.isArray(array) && Array.from(array as unknown[]).every((v) => typeof v === 'number' || typeof v === 'bigint'))
  )
    throw new TorchError(
      `from_array(): argument 'array' (position 1) must be a typed array or a list of numbers, not ${typeName(array)}`,
      'TypeError',
    )
  if (shape !== undefined && !(Array.isArray(shape) && shape.every((n) => Number.isSafeInteger(n))))
    throw new TorchError(`from_array(): argument 'shape' (position 2) must be tuple of ints, not ${typeName(shape)}`, 'TypeError')
  const sizes = shape ?? [array.length]
  const count = sizes.reduce((a, b) => a * b, 1)
  if (isTypedArray(array)) {
    const stored = dtype !== null && isComplexDType(dtype) ? dtype : dtypeOfArray(array)
    const have = array.byteLength / elementSize(stored)
    if (have !== count) throw shapeMismatch(sizes, have)
    return finishTensor(fromArray(array, stored, sizes), 'from_array', dtype, o) as unknown as Tensor<S>
  }
  if (array.length !== count) throw shapeMismatch(sizes, array.length)
  const wanted = dtype ?? get_default_dtype()
  const stored: DType = wanted === 'float16' || wanted === 'bfloat16' ? 'float32' : wanted
  return finishTensor(fromArray(pack(array, stored), stored, sizes), 'from_array', wanted, o) as unknown as Tensor<S>
}

const shapeMismatch = (shape: readonly number[], numel: number): TorchError =>
  new TorchError(`shape '[${shape.join(', ')}]' is invalid for input of size ${numel}`, 'RuntimeError')

export interface FrombufferOptions extends TensorOptions {
  readonly dtype: DType
  /** How many elements; -1: all. */
  readonly count?: number
  /** Bytes to skip. */
  readonly offset?: number
}

/** A one-dimensional tensor of raw bytes. The bytes are copied. */
export function frombuffer(buffer: ArrayBufferLike | ArrayBufferView, options: FrombufferOptions): Tensor<readonly [number]> {
  const { dtype, options: o } = readOptions('frombuffer', options, ['count', 'offset'])
  if (dtype === null) throw new TorchError('frombuffer() missing 1 required positional arguments: "dtype"', 'TypeError')
  const bytes = ArrayBuffer.isView(buffer) ? new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength) : new Uint8Array(buffer)
  const size = elementSize(dtype)
  const { count = -1, offset = 0 } = options
  if (bytes.length === 0 || count === 0)
    throw new TorchError(`both buffer length (${bytes.length}) and count (${count}) must not be 0`, 'ValueError')
  if (offset < 0 || offset >= bytes.length) {
    throw new TorchError(
      `offset (${offset} bytes) must be non-negative and no greater than buffer length (${bytes.length} bytes) minus 1`,
      'ValueError',
    )
  }
  if (count < 0 && (bytes.length - offset) % size !== 0) {
    throw new TorchError(
      `buffer length (${bytes.length} bytes) after offset (${offset} bytes) must be a multiple of element size (${size})`,
      'ValueError',
    )
  }
  const n = count > 0 ? count : (bytes.length - offset) / size
  if (offset + n * size > bytes.length) {
    throw new TorchError(
      `requested buffer length (${n} * ${size} bytes) after offset (${offset} bytes) must not be greater than actual buffer length (${bytes.length} bytes)`,
      'ValueError',
    )
  }
  return finishTensor(fromArray(bytes.slice(offset, offset + n * size), dtype, [n]), 'frombuffer', null, o) as unknown as Tensor<
    readonly [number]
  >
}

export type { Device }

export {
  arange,
  empty,
  empty_like,
  eye,
  full,
  full_like,
  linspace,
  logspace,
  ones,
  ones_like,
  zeros,
  zeros_like,
} from './generated/functions.js'
