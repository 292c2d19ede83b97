// Moving to the cpu: what is on webgpu comes back as a promise. The generated method does the rest.
import { deviceCode, Device } from './device.js'
import { isOptions } from './runtime/arguments.js'
import { Tensor } from './tensor.js'
import { isOnDevice, readTensor } from './webgpu/reading.js'

/** Is the device that the arguments of `to` name, if they name one, the cpu? */
function goesToCpu(args: readonly unknown[]): boolean {
  for (const a of args) {
    if (a instanceof Tensor) return !isOnDevice(a)
    if (a instanceof Device) return a.type === 'cpu'
    if (typeof a === 'string' && /^(cpu|webgpu)(:\d+)?$/.test(a)) return deviceCode(a) === 0
    if (isOptions(a)) {
      const { device, other } = a as { device?: string | Device | null; other?: Tensor }
      if (other instanceof Tensor) return !isOnDevice(other)
      if (device !== undefined && device !== null) return deviceCode(device) === 0
    }
  }
  return false
}

const elsewhere = (a: unknown): boolean => a instanceof Tensor || a instanceof Device || (typeof a === 'string' && a.startsWith('cpu'))

const generated = Tensor.prototype.to as (this: Tensor, ...args: unknown[]) => unknown

Object.defineProperty(Tensor.prototype, 'to', {
  value(this: Tensor, ...args: unknown[]): unknown {
    if (!isOnDevice(this) || !goesToCpu(args)) return generated.apply(this, args)
    return readTensor(this).then((t) => {
      // the rest of the arguments is about the dtype
      const like = args.find((a): a is Tensor => a instanceof Tensor)
      const rest = like ? [like.dtype] : args.filter((a) => !elsewhere(a))
      return rest.length > 0 ? generated.apply(t, rest) : t
    })
  },
  writable: true,
  configurable: true,
})
