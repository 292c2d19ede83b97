// The one device of this environment, and its batches.
import { BUILTIN } from '../generated/calls.js'
import { Arguments, builtin, builtinVoid, fail } from '../runtime/call.js'
import { setGpuCallback } from '../runtime/callbacks.js'
import { TorchError } from '../runtime/errors.js'
import { host } from '../runtime/host.js'
import { Driver } from './driver.js'
import type { GpuAdapter, GpuDevice } from './interface.js'

export interface Active {
  readonly driver: Driver
  readonly adapter: GpuAdapter
  readonly device: GpuDevice
  readonly features: readonly string[]
}

let active: Active | null = null
let ended: string | null = null // why the last one is no more
let batching = true
let threshold = 64
let delay = 16
let timer: ReturnType<typeof setTimeout> | null = null

export const current = (): Active | null => active

/** The device, or the error that says what to do. */
export function needed(): Active {
  if (active) return active
  throw new TorchError(ended ?? 'the device webgpu:0 is not available: call `await torch.webgpu.init()` first', 'DeviceError')
}

/**
 * Gives what was recorded to the GPU. It may run in the middle of an engine call (a full batch), so it leaves the argument buffer alone: neither
 * call writes to it.
 */
export function flush(bytes = -1): void {
  if (timer !== null) {
    clearTimeout(timer)
    timer = null
  }
  if (!active) return
  const handle = host.call(BUILTIN.webgpu_take)
  if (handle <= 0) {
    const { message, name } = host.error()
    active.driver.end(new TorchError(`webgpu: what waits cannot be given to the GPU. ${message}`, name))
    return
  }
  const size = bytes >= 0 ? bytes : Number(sizeOf(handle))
  const stream = new Uint8Array(size)
  const read = size === 0 || host.readBytes(handle, stream) > 0
  host.free(handle)
  if (read && size > 0) active.driver.run(stream)
}

let soon = false

/** The same once the running code has ended, so that all that it asks for is one batch. */
export function flushSoon(): void {
  if (soon) return
  soon = true
  queueMicrotask(() => {
    soon = false
    flush()
  })
}

function sizeOf(handle: number): number {
  if (builtin(BUILTIN.numel, handle) <= 0) return 0
  return host.f64[0]!
}

function schedule(): void {
  if (timer !== null || delay <= 0) return
  timer = setTimeout(() => {
    timer = null
    flush()
  }, delay)
}

/** The engine's notice: `bytes` of commands wait. */
function notice(full: boolean, bytes: number): void {
  if (full) flush(bytes)
  else schedule()
}

/** Invocations of a subgroup, where all have as many; else 0. */
function subgroupSize({ adapter, features }: Active): number {
  const least = adapter.info?.subgroupMinSize ?? 0
  return features.includes('subgroups') && adapter.info?.subgroupMaxSize === least ? least : 0
}

export function start(next: Active): void {
  const l = next.device.limits
  const limit = (name: string, otherwise: number): number => l[name] ?? otherwise
  setGpuCallback(notice)
  const args = new Arguments()
    .int(Math.min(limit('maxStorageBufferBindingSize', 2 ** 27), 2 ** 32 - 4))
    .int(limit('maxBufferSize', 2 ** 28))
    .int(limit('maxComputeWorkgroupsPerDimension', 65535))
    .int(limit('maxStorageBuffersPerShaderStage', 8))
    .int(Math.min(limit('maxComputeInvocationsPerWorkgroup', 256), limit('maxComputeWorkgroupSizeX', 256)))
    .int(limit('maxComputeWorkgroupStorageSize', 16384))
    .int(subgroupSize(next))
  active = null // what an earlier device left is dropped, not run
  if (args.call(BUILTIN.webgpu_start) <= 0) fail()
  active = next
  applyBatch()
}

export function stop(reason: string, of: Driver): void {
  if (active?.driver !== of) return
  active = null
  ended = reason
  if (new Arguments().text(reason).call(BUILTIN.webgpu_stop) <= 0) host.error()
}

function applyBatch(): void {
  if (active) builtinVoid(BUILTIN.webgpu_batch, batching ? threshold : 1)
}

export const settings = {
  get batching(): boolean {
    return batching
  },
  set batching(value: boolean) {
    batching = value
    applyBatch()
    if (!value) flush()
  },
  get threshold(): number {
    return threshold
  },
  set threshold(n: number) {
    threshold = n
    applyBatch()
  },
  get delay(): number {
    return delay
  },
  set delay(ms: number) {
    delay = ms
    if (timer !== null) {
      clearTimeout(timer)
      timer = null
      schedule()
    }
  },
}

/** The operator that a number of the stream stands for; '' for none. */
export function operatorName(number: number): string {
  return builtin(BUILTIN.webgpu_operator, number) > 0 ? host.takeString() : ''
}

/** The engine's text of an error that a kernel left. */
export function kernelError(code: number, a: number, b: number, operator: number): Error {
  new Arguments().int(code).int(a).int(b).int(operator).call(BUILTIN.webgpu_error)
  const error = host.error()
  return new TorchError(error.message, error.name)
}
