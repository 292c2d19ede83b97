// Lifetimes and memory. Nothing has to be freed by hand; scopes and dispose() free earlier.
import { BUILTIN } from './generated/calls.js'
import { builtin, builtinVoid, freeHandles, innermost, readInts, Scope, setScope } from './runtime/call.js'
import { callbackCount } from './runtime/callbacks.js'
import { host } from './runtime/host.js'
import { Tensor } from './tensor.js'
import * as webgpu from './webgpu/index.js'

/** Every tensor inside a result: in arrays, plain objects, maps and sets. */
function tensorsIn(value: unknown, found: Set<unknown>, seen: Set<unknown>): void {
  if (value === null || typeof value !== 'object' || seen.has(value)) return
  seen.add(value)
  if (value instanceof Tensor) {
    found.add(value)
    return
  }
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return
  if (value instanceof Map) {
    for (const [k, v] of value) {
      tensorsIn(k, found, seen)
      tensorsIn(v, found, seen)
    }
    return
  }
  if (value instanceof Set || Array.isArray(value)) {
    for (const v of value) tensorsIn(v, found, seen)
    return
  }
  for (const v of Object.values(value)) tensorsIn(v, found, seen)
}

/**
 * Runs `fn` and frees every tensor that was made inside and is not in what it returns (a tensor, or arrays, objects, maps and sets of them).
 * Tensors that the engine itself still needs, like gradients and what a graph saved, live on. A promise ends the scope when it settles; what other
 * code makes meanwhile belongs to the scope as well.
 */
export function scope<T>(fn: () => T): T {
  const own = new Scope(innermost)
  setScope(own)
  let result: T
  try {
    result = fn()
  } catch (error) {
    close(own, undefined)
    throw error
  }
  if (result instanceof Promise) {
    own.wait()
    return result.then(
      (value: unknown) => {
        close(own, value)
        return value
      },
      (error: unknown) => {
        close(own, undefined)
        throw error
      },
    ) as T
  }
  close(own, result)
  return result
}

function close(own: Scope, result: unknown): void {
  setScope(own.outer)
  let { tensors } = own
  if (result !== null && typeof result === 'object') {
    const kept = new Set<unknown>()
    tensorsIn(result, kept, new Set())
    tensors = []
    for (const t of own.tensors) {
      if (kept.has(t)) own.release(t)
      else tensors.push(t)
    }
  }
  freeHandles(tensors)
}

/** Takes tensors out of all open scopes: they live until they are collected or disposed. */
export function keep<T>(value: T): T {
  const kept = new Set<unknown>()
  tensorsIn(value, kept, new Set())
  for (let scope = innermost; scope; scope = scope.outer) {
    const { tensors } = scope
    for (let i = tensors.length - 1; i >= 0; i--) {
      const t = tensors[i]!
      if (!kept.has(t)) continue
      tensors.splice(i, 1)
      if (!scope.waiting) host.track(t, t.handle)
    }
  }
  return value
}

/** Frees tensors now. */
export function dispose(...tensors: readonly (Tensor | readonly Tensor[])[]): void {
  freeHandles(tensors.flat() as Tensor[])
}

export interface MemoryStats {
  /** Bytes that tensors hold now, and held at most since the last reset. */
  readonly live_bytes: number
  readonly peak_bytes: number
  /** Bytes taken from the system: live and cached. */
  readonly reserved_bytes: number
  /** Calls of the engine's allocator. */
  readonly allocations: number
  readonly frees: number
  /** Of those, calls that reached the system. */
  readonly system_allocations: number
  readonly system_frees: number
  readonly live_tensors: number
  readonly live_nodes: number
  /** Tensors and generators that JavaScript holds. */
  readonly live_handles: number
  /** Hooks and custom functions that the engine holds. */
  readonly live_callbacks: number
}

/** Of webgpu: bytes of tensors there, and of buffers taken from the GPU (`torch.webgpu.stats()` says more). */
export interface DeviceMemoryStats {
  readonly live_bytes: number
  readonly peak_bytes: number
  readonly reserved_bytes: number
  readonly live_storages: number
}

export function memory_stats(device: 'webgpu'): DeviceMemoryStats
export function memory_stats(device?: 'cpu'): MemoryStats
export function memory_stats(device: 'cpu' | 'webgpu' = 'cpu'): MemoryStats | DeviceMemoryStats {
  if (device === 'webgpu') {
    const s = webgpu.stats()
    return { live_bytes: s.live_bytes, peak_bytes: s.peak_bytes, reserved_bytes: s.pooled_bytes + s.used_bytes, live_storages: s.storages }
  }
  const v = readInts(builtin(BUILTIN.memory_stats))
  return {
    live_bytes: v[0]!,
    peak_bytes: v[1]!,
    reserved_bytes: v[2]!,
    allocations: v[3]!,
    frees: v[4]!,
    system_allocations: v[5]!,
    system_frees: v[6]!,
    live_tensors: v[7]!,
    live_nodes: v[8]!,
    live_handles: v[9]!,
    live_callbacks: callbackCount(),
  }
}

function bytes(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let i = 0
  let v = n
  while (v >= 1024 && i < units.length - 1) {
    v /= 1024
    i++
  }
  return `${i === 0 ? v : v.toFixed(1)} ${units[i]}`
}

/** The statistics as a small table. */
export function memory_summary(device: 'cpu' | 'webgpu' = 'cpu'): string {
  if (device === 'webgpu') {
    const s = memory_stats('webgpu')
    return [
      'torch.js memory of webgpu',
      `  live      ${bytes(s.live_bytes)}`,
      `  peak      ${bytes(s.peak_bytes)}`,
      `  reserved  ${bytes(s.reserved_bytes)}`,
      `  storages  ${s.live_storages}`,
    ].join('\n')
  }
  const s = memory_stats()
  const rows: [string, string][] = [
    ['live', bytes(s.live_bytes)],
    ['peak', bytes(s.peak_bytes)],
    ['reserved', bytes(s.reserved_bytes)],
    ['tensors', String(s.live_tensors)],
    ['graph nodes', String(s.live_nodes)],
    ['handles', String(s.live_handles)],
    ['allocations', `${s.allocations} (${s.system_allocations} from the system)`],
    ['frees', `${s.frees} (${s.system_frees} to the system)`],
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  return ['torch.js memory', ...rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`)].join('\n')
}

/** Gives cached memory of the device back to the system. */
export function empty_cache(device: 'cpu' | 'webgpu' = 'cpu'): void {
  if (device === 'webgpu') webgpu.empty_cache()
  else builtinVoid(BUILTIN.empty_cache)
}

export function reset_peak_memory_stats(device: 'cpu' | 'webgpu' = 'cpu'): void {
  if (device === 'webgpu') webgpu.reset_peak_memory_stats()
  else builtinVoid(BUILTIN.reset_peak_memory_stats)
}
