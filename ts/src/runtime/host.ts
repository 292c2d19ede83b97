// The engine as this JavaScript environment reaches it: a buffer of arguments and results that both sides see, and a call by number. The protocol
// is written in bindings/common/calls.h.
import { BUILTIN } from '../generated/calls.js'
import { TorchError } from './errors.js'

/** Runs hooks and custom functions: see `tj__callback_kind` in bindings/common/calls.h. */
export type HostCallback = (kind: number, id: number, count: number) => number

export interface Host {
  /** `'native'`: the Node-API addon. */
  readonly kind: string
  /** Views of the argument buffer. `grow` replaces them: take them anew for every call. */
  f64: Float64Array
  i64: BigInt64Array
  u8: Uint8Array
  /** Runs call `op` on the arguments in the buffer. Results that did not fit the buffer have made it grow when this returns. */
  call(op: number): number
  /** Makes the buffer hold at least `slots` slots; what is in it stays. */
  grow(slots: number): void
  /** Takes the engine's error. */
  error(): { name: string; message: string }
  /** Releases `handle` when `object` is collected. */
  track(object: object, handle: number): void
  /** Releases `handle` now. Nothing happens if it has been released before. */
  free(handle: number): void
  /** A new tensor of the sizes that the buffer holds (int[] from slot 0) with these elements. A handle, or 0 and an error. */
  fromBytes(dtype: number, elements: ArrayBufferView): number
  /** All elements into a contiguous tensor, or out of any tensor, row-major. 1, or 0 and an error. */
  writeBytes(handle: number, elements: ArrayBufferView): number
  readBytes(handle: number, elements: ArrayBufferView): number
  /** The text that the last call returned. */
  takeString(): string
  /** Sets the function that runs hooks and custom functions. One that it lets escape is thrown by the call that led to it. */
  setCallback(callback: HostCallback): void
}

// ---- the Node-API addon --------------------------------------------------------------------------------------------

interface Addon {
  call(op: number): number
  setBuffer(buffer: ArrayBuffer): void
  error(): { name: string; message: string } | undefined
  track(object: object, handle: number): void
  free(handle: number): void
  fromBytes(dtype: number, elements: ArrayBufferView): number
  writeBytes(handle: number, elements: ArrayBufferView): number
  readBytes(handle: number, elements: ArrayBufferView): number
  takeString(): string
  setCallback(callback: HostCallback): void
  setCollector(gc: (options: { type: 'minor' | 'major' }) => void): void
  readonly generatedCalls: number
  readonly builtinCalls: number
}

/** A list never has as many items; every handle is larger. */
const HANDLES = 2 ** 24

class NativeHost implements Host {
  readonly kind = 'native'
  f64: Float64Array
  i64: BigInt64Array
  u8: Uint8Array
  readonly #addon: Addon

  constructor(addon: Addon) {
    const buffer = new ArrayBuffer(8 * 4096)
    addon.setBuffer(buffer)
    this.#addon = addon
    this.f64 = new Float64Array(buffer)
    this.i64 = new BigInt64Array(buffer)
    this.u8 = new Uint8Array(buffer)
  }

  call(op: number): number {
    const result = this.#addon.call(op)
    if (result > this.f64.length && result < HANDLES) this.grow(result)
    return result
  }

  grow(slots: number): void {
    if (slots <= this.f64.length) return
    const buffer = new ArrayBuffer(8 * Math.max(slots, 2 * this.f64.length))
    const u8 = new Uint8Array(buffer)
    u8.set(this.u8)
    this.#addon.setBuffer(buffer)
    this.f64 = new Float64Array(buffer)
    this.i64 = new BigInt64Array(buffer)
    this.u8 = u8
  }

  error(): { name: string; message: string } {
    return this.#addon.error() ?? { name: 'InternalError', message: 'a call failed without an error' }
  }

  track(object: object, handle: number): void {
    this.#addon.track(object, handle)
  }

  free(handle: number): void {
    this.#addon.free(handle)
  }

  fromBytes(dtype: number, elements: ArrayBufferView): number {
    return this.#addon.fromBytes(dtype, elements)
  }

  writeBytes(handle: number, elements: ArrayBufferView): number {
    return this.#addon.writeBytes(handle, elements)
  }

  readBytes(handle: number, elements: ArrayBufferView): number {
    return this.#addon.readBytes(handle, elements)
  }

  takeString(): string {
    return this.#addon.takeString()
  }

  setCallback(callback: HostCallback): void {
    this.#addon.setCallback(callback)
  }
}

type Gc = (options: { type: 'minor' | 'major' }) => void

/** V8's collector as a function. The flag that shows it to scripts is on only while it is fetched. */
function collector(): Gc | null {
  const exposed = (globalThis as { gc?: Gc }).gc
  if (exposed) return exposed
  try {
    const v8 = process.getBuiltinModule('node:v8')
    const vm = process.getBuiltinModule('node:vm')
    v8.setFlagsFromString('--expose-gc')
    try {
      return (vm.runInNewContext('gc') as Gc | undefined) ?? null
    } finally {
      v8.setFlagsFromString('--no-expose-gc')
    }
  } catch {
    return null // V8 is then told of the memory, and decides by itself
  }
}

const ADDON = '../../build/torchjs.node'

function nativeHost(): Host {
  const { createRequire } = process.getBuiltinModule('node:module')
  const { fileURLToPath } = process.getBuiltinModule('node:url')
  const path = process.env['TORCHJS_ADDON'] ?? fileURLToPath(new URL(ADDON, import.meta.url))
  let addon: Addon
  try {
    addon = createRequire(import.meta.url)(path) as Addon
  } catch (cause) {
    const missing = (cause as { code?: string }).code === 'MODULE_NOT_FOUND'
    const why = missing
      ? `there is no native engine at ${path}. Build it with \`make addon\` in the package's folder, or set TORCHJS_ADDON to the path of torchjs.node.`
      : `the native engine at ${path} could not be loaded: ${(cause as Error).message}`
    throw new TorchError(`torch.js: ${why}`, 'RuntimeError', { cause })
  }
  // Calls go by number: an addon of another schema would run the wrong ones.
  if (addon.generatedCalls !== BUILTIN.describe || addon.builtinCalls !== Object.keys(BUILTIN).length) {
    throw new TorchError(
      `torch.js: the native engine at ${path} is of another version than this package. Build it again with \`make addon\`.`,
      'RuntimeError',
    )
  }
  const gc = collector()
  if (gc) addon.setCollector(gc)
  return new NativeHost(addon)
}

function createHost(): Host {
  if (typeof process === 'object' && typeof process.getBuiltinModule === 'function') return nativeHost()
  throw new TorchError('torch.js: this JavaScript environment has no engine yet: Node.js 20.16 or later is needed', 'RuntimeError')
}

export const host: Host = createHost()
