// Where WebGPU comes from: the page's or worker's navigator, or the npm package `webgpu` in Node.
import { TorchError } from '../runtime/errors.js'
import type { Gpu } from './interface.js'

// The package's object has to live as long as the process: what it made dies with it.
const kept = globalThis as { __torchjs_gpu?: Gpu }

/** The GPU object of this environment; null and why where there is none. */
export async function provideGpu(): Promise<{ gpu: Gpu | null; why: string }> {
  const own = (globalThis as { navigator?: { gpu?: Gpu } }).navigator?.gpu
  if (own) return { gpu: own, why: '' }
  if (kept.__torchjs_gpu) return { gpu: kept.__torchjs_gpu, why: '' }
  if (typeof process !== 'object' || !process.versions?.node) return { gpu: null, why: 'this browser has no WebGPU (navigator.gpu)' }
  const name = 'webgpu'
  try {
    const module = (await import(name)) as { create(flags: string[]): Gpu }
    kept.__torchjs_gpu = module.create(['disable-dawn-features=timestamp_quantization']) // the profiler's times would be of 0.1 ms
    return { gpu: kept.__torchjs_gpu, why: '' }
  } catch (cause) {
    return {
      gpu: null,
      why: `the npm package 'webgpu' could not be loaded (npm install webgpu): ${(cause as Error).message.split('\n')[0]}`,
    }
  }
}

export function unavailable(why: string): TorchError {
  return new TorchError(
    `WebGPU is not available: ${why}. Use device 'cpu', or make a GPU known to this environment (in Node: npm install webgpu, and a Vulkan, Metal or Direct3D 12 driver).`,
    'DeviceError',
  )
}

/** In Node the device has to be let go of before the process ends: Dawn does not survive being torn down under it. */
export function atExit(end: () => void): void {
  if (typeof process === 'object' && typeof process.once === 'function') process.once('exit', end)
}
