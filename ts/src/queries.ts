// Functions that ask a tensor, a dtype or a device what it is.
import { Device, deviceCode, deviceName, type DeviceInput } from './device.js'
import { dtypeIndex, dtypeName, isComplexDType, isFloating } from './dtype.js'
import { typeName } from './runtime/arguments.js'
import { TorchError } from './runtime/errors.js'
import { Tensor } from './tensor.js'
import type { DeviceType, DType } from './types/dtype.js'

function check(name: string, v: unknown): asserts v is Tensor {
  if (!(v instanceof Tensor))
    throw new TorchError(`${name}(): argument 'input' (position 1) must be Tensor, not ${typeName(v)}`, 'TypeError')
}

export function numel(input: Tensor): number {
  check('numel', input)
  return input.numel()
}

export function is_floating_point(input: Tensor): boolean {
  check('is_floating_point', input)
  return input.is_floating_point()
}

export function is_complex(input: Tensor): boolean {
  check('is_complex', input)
  return input.is_complex()
}

/** Whether the only element of a tensor is not zero. */
export function is_nonzero(input: Tensor): boolean {
  check('is_nonzero', input)
  const n = input.numel()
  if (n !== 1)
    throw new TorchError(`Boolean value of Tensor with ${n === 0 ? 'no values' : 'more than one value'} is ambiguous`, 'RuntimeError')
  const value: unknown = input.item()
  if (typeof value === 'object' && value !== null) {
    const z = value as { readonly re: number; readonly im: number }
    return z.re !== 0 || z.im !== 0
  }
  return Boolean(value) || Number.isNaN(value)
}

const dtypeOf = (name: string, dtype: unknown): DType => {
  if (typeof dtype !== 'string')
    throw new TorchError(`${name}(): argument 'dtype' (position 1) must be torch.dtype, not ${typeName(dtype)}`, 'TypeError')
  return dtypeName(dtypeIndex(dtype))
}

export function is_floating_point_dtype(dtype: DType): boolean {
  return isFloating(dtypeOf('is_floating_point_dtype', dtype))
}

export function is_complex_dtype(dtype: DType): boolean {
  return isComplexDType(dtypeOf('is_complex_dtype', dtype))
}

/** The dtype itself, by its first name; an error that lists all of them for what is none. */
export function validateDType(dtype: unknown): DType {
  return dtypeOf('validateDType', dtype)
}

/** The device's text; an error for what is none. */
export function validateDevice(device: DeviceInput): DeviceType | `${DeviceType}:${number}` {
  if (typeof device !== 'string' && !(device instanceof Device))
    throw new TorchError(`validateDevice(): argument 'device' (position 1) must be torch.device, not ${typeName(device)}`, 'TypeError')
  return deviceName(deviceCode(device)) as DeviceType
}

function numberOf(name: string, v: unknown): number {
  if (typeof v === 'number' || typeof v === 'bigint' || typeof v === 'boolean') return Number(v)
  throw new TorchError(`${name}(): argument 'a' (position 1) must be a number, not ${typeName(v)}`, 'TypeError')
}
/** The number, as PyTorch's symbolic numbers would give it. */
export const sym_float = (v: number): number => numberOf('sym_float', v)
/** The number without its fraction. */
export const sym_int = (v: number): number => Math.trunc(numberOf('sym_int', v))
export const sym_not = (v: boolean): boolean => !v
