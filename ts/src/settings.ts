// Settings of PyTorch that are of the whole process.
import { chosenDevice, Device, deviceCode, type DeviceInput } from './device.js'
import { BUILTIN } from './generated/calls.js'
import { typeName } from './runtime/arguments.js'
import { builtinVoid } from './runtime/call.js'
import { TorchError } from './runtime/errors.js'
import { set_default_dtype } from './promotion.js'
import type { DType } from './types/dtype.js'

function flag(name: string, argument: string, v: unknown): boolean {
  if (typeof v !== 'boolean')
    throw new TorchError(`${name}(): argument '${argument}' (position 1) must be bool, not ${typeName(v)}`, 'TypeError')
  return v
}

// ---- the default device --------------------------------------------------------------------------------------------

/** The device of new tensors. */
export function get_default_device(): Device {
  return chosenDevice.device ?? new Device('cpu')
}

/** Sets the device of tensors that are made without one; null: the CPU. A device on which none can be made is an error. */
export function set_default_device(device: DeviceInput | null): void {
  const chosen = device instanceof Device ? device : new Device(device ?? 'cpu')
  builtinVoid(BUILTIN.set_default_device, deviceCode(chosen))
  chosenDevice.device = deviceCode(chosen) === 0 ? null : chosen
}

const TENSOR_TYPES: Readonly<Record<string, DType>> = {
  'torch.HalfTensor': 'float16',
  'torch.BFloat16Tensor': 'bfloat16',
  'torch.FloatTensor': 'float32',
  'torch.DoubleTensor': 'float64',
}
/** PyTorch's older name of `set_default_dtype`: takes `'torch.FloatTensor'` or `'torch.DoubleTensor'`. */
export function set_default_tensor_type(type: string): void {
  const dtype = typeof type === 'string' ? TENSOR_TYPES[type] : undefined
  if (!dtype) throw new TorchError(`invalid type object: only floating-point types are supported as the default type`, 'TypeError')
  set_default_dtype(dtype)
}

// ---- determinism ---------------------------------------------------------------------------------------------------

let deterministic: 0 | 1 | 2 = 0

/** Every operator here gives the same result in every run and for every number of threads: this only remembers the wish. */
export function use_deterministic_algorithms(mode: boolean, options: { readonly warn_only?: boolean } = {}): void {
  const on = flag('use_deterministic_algorithms', 'mode', mode)
  deterministic = !on ? 0 : options.warn_only ? 1 : 2
}
export const are_deterministic_algorithms_enabled = (): boolean => deterministic !== 0
export const is_deterministic_algorithms_warn_only_enabled = (): boolean => deterministic === 1

/** 0 or 'default', 1 or 'warn', 2 or 'error'. */
export function set_deterministic_debug_mode(debug_mode: number | 'default' | 'warn' | 'error'): void {
  const words = ['default', 'warn', 'error']
  const mode = typeof debug_mode === 'string' ? words.indexOf(debug_mode) : debug_mode
  if (typeof debug_mode === 'string' && mode < 0)
    throw new TorchError(
      `invalid value of debug_mode, expected one of \`default\`, \`warn\`, \`error\`, but got ${debug_mode}`,
      'RuntimeError',
    )
  if (mode !== 0 && mode !== 1 && mode !== 2)
    throw new TorchError(
      `invalid value of debug_mode, expected 0, 1, or 2, but got ${typeof debug_mode === 'number' ? debug_mode : typeName(debug_mode)}`,
      'RuntimeError',
    )
  deterministic = mode
}
export const get_deterministic_debug_mode = (): 0 | 1 | 2 => deterministic

// ---- others --------------------------------------------------------------------------------------------------------

export type Float32MatmulPrecision = 'highest' | 'high' | 'medium'
let precision: Float32MatmulPrecision = 'highest'

/** How exact float32 matrix products have to be at least. Those of the CPU are always of the highest precision. */
export function set_float32_matmul_precision(value: Float32MatmulPrecision): void {
  if (typeof value !== 'string')
    throw new TorchError(
      `set_float32_matmul_precision(): argument 'precision' (position 1) must be str, not ${typeName(value)}`,
      'TypeError',
    )
  if (!['highest', 'high', 'medium'].includes(value)) {
    console.warn(`${String(value)} is not one of 'highest', 'high', or 'medium'; the current setFloat32MatmulPrecision call has no effect.`)
    return
  }
  precision = value
}
export const get_float32_matmul_precision = (): Float32MatmulPrecision => precision

let warnAlways = false
/** Whether warnings are given each time, and not once only. */
export function set_warn_always(value: boolean): void {
  warnAlways = flag('set_warn_always', 'b', value)
}
export const is_warn_always_enabled = (): boolean => warnAlways

/** How many operators can run side by side: one, because calls are made one after the other. */
export const get_num_interop_threads = (): number => 1
