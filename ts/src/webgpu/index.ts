// torch.webgpu: the device 'webgpu', its start, its batches, and what it says of itself.
import { BUILTIN } from '../generated/calls.js'
import { Arguments, builtin, builtinVoid, fail, readInts, readScalar } from '../runtime/call.js'
import { TorchError } from '../runtime/errors.js'
import { Driver, type DriverCounters } from './driver.js'
import type { Gpu, GpuAdapter } from './interface.js'
import { atExit, provideGpu, unavailable } from './provider.js'
import { Tensor } from '../tensor.js'
import { isOnDevice, markUsed, readTensor } from './reading.js'
import { current, flush, kernelError, needed, operatorName, settings, start, stop } from './state.js'

export interface InitOptions {
  readonly powerPreference?: 'low-power' | 'high-performance'
  /** An adapter that the caller has chosen. */
  readonly adapter?: GpuAdapter
  /** A GPU object in the place of `navigator.gpu` or the npm package `webgpu`. */
  readonly gpu?: Gpu
}

const FEATURES = ['shader-f16', 'subgroups', 'timestamp-query']
const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
]

async function chooseAdapter(options: InitOptions): Promise<{ adapter: GpuAdapter | null; why: string }> {
  if (options.adapter) return { adapter: options.adapter, why: '' }
  const { gpu, why } = options.gpu ? { gpu: options.gpu, why: '' } : await provideGpu()
  if (!gpu) return { adapter: null, why }
  const adapter = await gpu.requestAdapter(options.powerPreference ? { powerPreference: options.powerPreference } : undefined)
  if (!adapter) return { adapter: null, why: 'no adapter was found' }
  if (isNull(adapter)) return { adapter: null, why: 'the only adapter is one that computes nothing (the null backend)' }
  return { adapter, why: '' }
}

const isNull = (adapter: GpuAdapter): boolean => /null backend/i.test(`${adapter.info?.device ?? ''} ${adapter.info?.description ?? ''}`)

let starting: Promise<void> | null = null

/**
 * Starts the device. Tensors can be made on 'webgpu' from then on. Nothing happens while it runs already; after it was lost, a new one begins, and
 * what was on the old one is gone. Throws a DeviceError that says why where there is no adapter.
 */
export async function init(options: InitOptions = {}): Promise<void> {
  if (current() && !options.adapter && !options.gpu) return
  starting ??= begin(options).finally(() => {
    starting = null
  })
  return starting
}

async function begin(options: InitOptions): Promise<void> {
  const { adapter, why } = await chooseAdapter(options)
  if (!adapter) throw unavailable(why)
  const features = FEATURES.filter((f) => adapter.features.has(f))
  const requiredLimits: Record<string, number> = {}
  for (const name of LIMITS) {
    const value = adapter.limits[name]
    if (value !== undefined) requiredLimits[name] = value
  }
  const device = await adapter.requestDevice({ label: 'torch.js', requiredFeatures: features, requiredLimits })
  const driver: Driver = new Driver(device, { kernelError, operatorName, ended: (reason) => stop(reason, driver) })
  start({ driver, adapter, device, features })
  markUsed()
  atExit(() => {
    if (current()?.device === device) destroy()
  })
}

/** Whether there is an adapter to compute on. */
export async function is_available(): Promise<boolean> {
  if (current()) return true
  try {
    return (await chooseAdapter({})).adapter !== null
  } catch {
    return false
  }
}

/** Starts the device if it does not run; throws a DeviceError that says why where it cannot. */
export const requireWebGPU = (): Promise<void> => init()

/** Whether the device runs. */
export const is_initialized = (): boolean => current() !== null

export interface WebGPUInfo {
  readonly vendor: string
  readonly architecture: string
  readonly description: string
  /** The adapter computes on the processor. */
  readonly software: boolean
  readonly features: readonly string[]
  readonly limits: Readonly<Record<string, number>>
  toString(): string
}

/** What the adapter is and can; as text, a small table. */
export function info(): WebGPUInfo {
  const { adapter, device, features } = needed()
  const i = adapter.info ?? {}
  const limits: Record<string, number> = {}
  for (const name of LIMITS) if (device.limits[name] !== undefined) limits[name] = device.limits[name]!
  const text = `${i.vendor ?? ''} ${i.architecture ?? ''} ${i.device ?? ''} ${i.description ?? ''}`
  const software = i.isFallbackAdapter === true || /swiftshader|llvmpipe|lavapipe|basic render|software/i.test(text)
  const result = {
    vendor: i.vendor ?? '',
    architecture: i.architecture ?? '',
    description: i.description ?? '',
    software,
    features,
    limits,
  }
  const rows: [string, string][] = [
    ['adapter', [result.vendor, result.architecture, result.description].filter(Boolean).join(' ') || 'unnamed'],
    ['software', software ? 'yes' : 'no'],
    ['features', features.join(' ') || 'none'],
    ...Object.entries(limits).map(([k, v]): [string, string] => [k, String(v)]),
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  const printed = ['torch.js webgpu', ...rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`)].join('\n')
  return Object.defineProperty(result, 'toString', { value: () => printed }) as WebGPUInfo
}

// ---- batches -------------------------------------------------------------------------------------------------------

const whole = (name: string, v: unknown, least: number): number => {
  if (typeof v !== 'number' || !Number.isFinite(v) || v < least)
    throw new TorchError(`webgpu.${name}(): expected a number of at least ${least}, got ${String(v)}`, 'ValueError')
  return v
}

/** Commands that make a batch full; 64 at first. */
export function set_batch_threshold(n: number): void {
  settings.threshold = Math.trunc(whole('set_batch_threshold', n, 1))
}
/** Milliseconds that a batch waits at most; 16 at first, 0 turns the timer off. */
export function set_batch_delay(ms: number): void {
  settings.delay = whole('set_batch_delay', ms, 0)
}
/** Commands are given to the GPU in batches: the state at the start. */
export function enable_batching(): void {
  settings.batching = true
}
/** Every command is given to the GPU at once. */
export function disable_batching(): void {
  settings.batching = false
}
export const is_batching_enabled = (): boolean => settings.batching

let fusion = true

/** Whether consecutive pointwise operators become one kernel, where nobody else can see what is between them; they do at first. */
export function set_fusion(enabled: boolean): void {
  builtinVoid(BUILTIN.webgpu_fusion, enabled ? 1 : 0)
  fusion = enabled
}
export const is_fusion_enabled = (): boolean => fusion

/**
 * For measuring: matrix products of at least that size take this row of the engine's table of tiles ('128x128', rows by columns of a workgroup); null:
 * what the engine plans for their sizes. Rows whose names end in g are there where the adapter has subgroups, all of one size.
 */
export function set_matmul_tile(tile: string | null): void {
  const known = new Arguments().text(tile ?? '').call(BUILTIN.webgpu_tile)
  if (known <= 0) fail()
  if (!readScalar(known)) throw new TorchError(`webgpu.set_matmul_tile(): there is no tile '${tile}'`, 'ValueError')
}

let stream: 'philox' | 'cpu' = 'philox'

/**
 * Where random numbers on the device come from (`rand`, `randn`, `dropout`, ...).
 *
 * `'philox'`, the state at the start: the device draws them, with Philox4x32-10. Each call takes a key of 64 bits from the generator of the cpu, and
 * element i is word i of the key's stream; so `manual_seed`, `get_rng_state`, `set_rng_state` and `fork_rng` hold for the device as well. The numbers are
 * not those of the cpu.
 *
 * `'cpu'`: the numbers that the cpu would draw, to the bit, made there and sent over: PyTorch's for the same seed. A call with a `generator` always
 * draws these.
 */
export function set_random_stream(name: 'philox' | 'cpu'): void {
  if (name !== 'philox' && name !== 'cpu')
    throw new TorchError(`webgpu.set_random_stream(): expected 'philox' or 'cpu', got '${String(name)}'`, 'ValueError')
  builtinVoid(BUILTIN.webgpu_random, name === 'cpu' ? 1 : 0)
  stream = name
}
export const get_random_stream = (): 'philox' | 'cpu' => stream

/** Runs `fn` as one batch, if it is not larger than the threshold, and gives it to the GPU; returns what `fn` returns. */
export function batch<T>(fn: () => T): T {
  const before = settings.batching
  settings.batching = true
  try {
    return fn()
  } finally {
    settings.batching = before
    flush()
  }
}

/** Gives what waits to the GPU, and waits until it is done. */
export async function sync_device(): Promise<void> {
  const { driver } = needed()
  flush()
  await driver.done()
}

// ---- states --------------------------------------------------------------------------------------------------------

async function onCpu(value: unknown): Promise<unknown> {
  if (value instanceof Tensor) return isOnDevice(value) ? readTensor(value) : value
  if (Array.isArray(value)) return Promise.all(value.map(onCpu))
  if (value instanceof Map) return new Map(await Promise.all(Array.from(value, async ([k, v]) => [k, await onCpu(v)] as const)))
  if (value === null || typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(await Promise.all(Object.entries(value).map(async ([k, v]) => [k, await onCpu(v)] as const)))
}

/**
 * A copy of a `state_dict()`, of a module or an optimizer, whose tensors are on the cpu; of arrays, Maps and plain objects of tensors too. The module or
 * optimizer stays where it is, and takes the copy by `load_state_dict`: also after the device was lost.
 */
export async function to_cpu<T>(value: T): Promise<T> {
  return (await onCpu(value)) as T
}

// ---- counters and memory -------------------------------------------------------------------------------------------

export interface WebGPUStats extends Readonly<DriverCounters> {
  /** Bytes that tensors hold on the device, and held at most since the last reset; storages alive. */
  readonly live_bytes: number
  readonly peak_bytes: number
  readonly storages: number
  /** Commands recorded so far. */
  readonly commands: number
}

/** Counters since the device started. */
export function stats(): WebGPUStats {
  const { driver } = needed()
  const v = readInts(builtin(BUILTIN.webgpu_stats))
  return { ...driver.counters, live_bytes: v[0]!, peak_bytes: v[1]!, storages: v[2]!, commands: v[5]! }
}

/** How often each kernel was launched since the device started, by its name. */
export function launches(): Record<string, number> {
  flush()
  return needed().driver.launches()
}

export function reset_peak_memory_stats(): void {
  builtinVoid(BUILTIN.webgpu_reset_peak)
}

/** Destroys buffers that nobody uses. */
export function empty_cache(): void {
  const { driver } = needed()
  flush()
  driver.trim()
}

/** Ends the device: everything on it is gone. */
export function destroy(): void {
  const a = current()
  if (!a) return
  stop('the webgpu device was destroyed: call torch.webgpu.init() again', a.driver)
  a.device.destroy()
}
