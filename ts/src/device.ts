// Devices: strings 'cpu', 'webgpu', 'webgpu:1', or Device objects.
import type { DeviceType } from './types/dtype.js'
import { TorchError } from './runtime/errors.js'

/** A device by type and index. It compares as its text: `String(device) === 'webgpu:0'`. */
export class Device {
  readonly type: DeviceType
  readonly index: number | null

  constructor(type: string, index: number | null = null) {
    if (typeof type !== 'string')
      throw new TorchError(`Device(): argument 'type' (position 1) must be str, not ${typeof type}`, 'TypeError')
    const m = /^([a-z]+)(?::(\d+))?$/.exec(type)
    if (!m || (m[1] !== 'cpu' && m[1] !== 'webgpu')) {
      const word = m ? m[1] : type
      throw new TorchError(
        m ? `Expected one of cpu, webgpu device type at start of device string: ${word}` : `Invalid device string: '${type}'`,
        'RuntimeError',
      )
    }
    if (m[2] !== undefined && index !== null)
      throw new TorchError(`type (string) must not include an index because index was passed explicitly: ${type}`, 'RuntimeError')
    this.type = m[1]
    this.index = m[2] !== undefined ? Number(m[2]) : index
    if (this.index !== null && (!Number.isInteger(this.index) || this.index < 0 || this.index > 255)) {
      throw new TorchError(`Device index must not be negative or above 255, but got ${this.index}`, 'RuntimeError')
    }
  }

  toString(): string {
    return this.index === null ? this.type : `${this.type}:${this.index}`
  }
}

/**
 * A device, as options take it: a name, a name with a number, or a Device.
 *
 *     const devices: torch.DeviceInput[] = ['cpu', 'webgpu:0', new torch.Device('cpu')]
 *     const x = torch.zeros([2, 3], { device: devices[0] })
 */
export type DeviceInput = DeviceType | `${DeviceType}:${number}` | Device

/** The device that set_default_device chose, for functions that make tensors of JavaScript's data; null: the CPU. */
export const chosenDevice: { device: Device | null } = { device: null }

const WEBGPU = 0x100

/** The engine's number of a device. */
export function deviceCode(device: string | Device): number {
  if (device === 'cpu') return 0
  const d = typeof device === 'string' ? new Device(device) : device
  if (d.type === 'cpu' && (d.index ?? 0) > 0) throw new TorchError(`CPU device index must be -1 or zero, got ${d.index}`, 'RuntimeError')
  return d.type === 'cpu' ? 0 : WEBGPU + (d.index ?? 0)
}

export function deviceName(code: number): string {
  return code < WEBGPU ? 'cpu' : code === WEBGPU ? 'webgpu' : `webgpu:${code - WEBGPU}`
}
