// Values as Python prints them, for PyTorch's texts (repr, error messages).

import { Tensor } from '../tensor.js'

/** A float as Python's repr writes it: 0.1, 1e-05, 2.0, inf. */
export function pythonFloat(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0'
  const [mantissa = '', power = '0'] = value.toExponential().split('e')
  const exponent = Number(power)
  if (exponent < -4 || exponent >= 16) {
    const digits = String(Math.abs(exponent)).padStart(2, '0')
    return `${mantissa}e${exponent < 0 ? '-' : '+'}${digits}`
  }
  // Within this range every digit is written out; JavaScript does so from 1e-6 up to 1e21.
  const text = String(value)
  return text.includes('.') ? text : text + '.0'
}

/** A number that may be an int or a float in Python: integers without a point. */
export function pythonNumber(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e16 ? String(value) : pythonFloat(value)
}

/** A string as Python's repr quotes it. */
export function pythonString(value: string): string {
  const quote = value.includes("'") && !value.includes('"') ? '"' : "'"
  return (
    quote +
    value
      .replaceAll('\\', '\\\\')
      .replaceAll(quote, '\\' + quote)
      .replaceAll('\n', '\\n') +
    quote
  )
}

/** (1, 2), (1,), () of items already in Python's form. */
export function pythonTuple(items: readonly string[]): string {
  return items.length === 1 ? `(${items[0]},)` : `(${items.join(', ')})`
}

/** True, None, 3, 'text', (1, 2), [1, 2], {'a': 1}: whatever JavaScript holds, as Python's repr would show it. Arrays are tuples. */
export function pythonRepr(value: unknown, array: 'tuple' | 'list' = 'tuple'): string {
  if (value === null || value === undefined) return 'None'
  switch (typeof value) {
    case 'boolean':
      return value ? 'True' : 'False'
    case 'number':
      return pythonNumber(value)
    case 'bigint':
      return String(value)
    case 'string':
      return pythonString(value)
    case 'object': {
      if (Array.isArray(value)) {
        const items = value.map((item) => pythonRepr(item, array))
        return array === 'tuple' ? pythonTuple(items) : `[${items.join(', ')}]`
      }
      if (isPlainObject(value))
        return `{${Object.entries(value)
          .map(([key, item]) => `${pythonString(key)}: ${pythonRepr(item, array)}`)
          .join(', ')}}`
    }
  }
  return String(value)
}

/** torch.Size([2, 3]) */
export function sizeText(shape: readonly number[]): string {
  return `torch.Size([${shape.join(', ')}])`
}

const TENSOR_TYPE_NAMES: Readonly<Record<string, string>> = {
  float32: 'FloatTensor',
  float64: 'DoubleTensor',
  float16: 'HalfTensor',
  bfloat16: 'BFloat16Tensor',
  uint8: 'ByteTensor',
  int8: 'CharTensor',
  int16: 'ShortTensor',
  int32: 'IntTensor',
  int64: 'LongTensor',
  uint16: 'UInt16Tensor',
  uint32: 'UInt32Tensor',
  uint64: 'UInt64Tensor',
  bool: 'BoolTensor',
  complex64: 'ComplexFloatTensor',
  complex128: 'ComplexDoubleTensor',
}

/** torch.typename: 'torch.FloatTensor', 'int', 'str', 'list', or the name of the class. */
export function typeName(value: unknown): string {
  if (value === null || value === undefined) return 'NoneType'
  if (value instanceof Tensor) return `torch.${TENSOR_TYPE_NAMES[value.dtype] ?? 'Tensor'}`
  switch (typeof value) {
    case 'number':
      return Number.isInteger(value) ? 'int' : 'float'
    case 'bigint':
      return 'int'
    case 'string':
      return 'str'
    case 'boolean':
      return 'bool'
    case 'function':
      return 'function'
    case 'object':
      if (Array.isArray(value)) return 'list'
      if (isPlainObject(value)) return 'dict'
      return value.constructor?.name ?? 'object'
  }
  return typeof value
}

/** Whether the value was written as { ... }: an options object, not an instance of a class. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Every line but the first indented by `spaces`. */
export function indent(text: string, spaces: number): string {
  return text.replaceAll('\n', '\n' + ' '.repeat(spaces))
}
