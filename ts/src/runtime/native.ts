// The engine as a Node-API addon.
import { BUILTIN } from '../generated/calls.js'
import { TorchError } from './errors.js'
import type { Host, HostCallback } from './host.js'

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

  startThreads(): void {}

  setCallback(callback: HostCallback): void {
    this.#addon.setCallback(callback)
  }
}

export type Gc = (options?: { type: 'minor' | 'major' }) => void

/** V8's collector as a function. The flag that shows it to scripts is on only while it is fetched. */
export function collector(): Gc | null {
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

/** Where the addon is: built here, or installed as a package of its own for this platform. */
const BUILT = '../../build/torchjs.node'

const isMissing = (error: unknown): boolean =>
  ['MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND'].includes((error as { code?: string } | null)?.code ?? '')

/** The native engine; null where there is none (and none `required`). One that is there and does not work is an error. */
export function nativeHost(required: boolean): Host | null {
  if (typeof process !== 'object' || typeof process.getBuiltinModule !== 'function') {
    if (!required) return null
    throw new TorchError('torch.js: the native engine needs Node.js 20.16 or later', 'RuntimeError')
  }
  const { createRequire } = process.getBuiltinModule('node:module')
  const { fileURLToPath } = process.getBuiltinModule('node:url')
  const named = process.env['TORCHJS_ADDON']
  const built = fileURLToPath(new URL(/* @vite-ignore */ /* webpackIgnore: true */ BUILT, import.meta.url))
  const installed = `torch.js-${process.platform}-${process.arch}`
  const require = createRequire(import.meta.url)
  let addon: Addon | null = null
  let path = ''
  for (path of named ? [named] : [built, installed]) {
    try {
      addon = require(path) as Addon
      break
    } catch (cause) {
      if (isMissing(cause) && named === undefined) continue
      throw new TorchError(`torch.js: the native engine at ${path} could not be loaded: ${(cause as Error).message}`, 'RuntimeError', {
        cause,
      })
    }
  }
  if (!addon) {
    if (!required) return null
    throw new TorchError(
      `torch.js: there is no native engine: neither the package ${installed} nor ${built}. Install the package, build the engine with \`make addon\`, or set TORCHJS_ADDON to the path of torchjs.node.`,
      'RuntimeError',
    )
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
