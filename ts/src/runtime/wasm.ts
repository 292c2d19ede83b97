// The engine as WebAssembly (bindings/wasm): in pages, workers, and wherever there is no addon.
import { BUILTIN } from '../generated/calls.js'
import { TorchError } from './errors.js'
import type { Host, HostCallback } from './host.js'
import { collector } from './native.js'
import { isPage, moduleFor, node, type WasmBackend } from './wasm_choice.js'
import { compile, type ModuleName } from './wasm_files.js'
import { takeStarted } from './wasm_start.js'
import { THREAD_SOURCE, type ThreadData } from './wasm_thread.js'

interface Exports {
  readonly memory?: WebAssembly.Memory
  readonly __tls_size?: WebAssembly.Global
  _initialize(): void
  start(maySleep: number): number
  buffer(slots: number): number
  call(op: number): number
  generated_calls(): number
  builtin_calls(): number
  error_name(): number
  error_message(): number
  error_clear(): void
  text(): number
  text_free(): void
  free(handle: number): void
  fresh_bytes(reset: number): number
  live_bytes(): number
  new_tensor(dtype: number, bytes: number): number
  write(handle: number, bytes: number): number
  read(handle: number, bytes: number): number
  thread_new(stack: number, locals: number): number
  threads(): number
  set_threads(n: number): void
  get_threads(): number
}

// ---- the collector -------------------------------------------------------------------------------------------------

interface Registry {
  register(object: object, handle: number): void
  /** Runs what is due now. */
  cleanupSome?(): void
}

/**
 * Calls `free` with the handles of collected objects: in a later turn of the event loop, and with the V8 of Node 20 also when it is asked to, so that a
 * loop that never awaits is bounded there.
 */
function registry(free: (handle: number) => void): Registry {
  if (node?.versions.v8?.startsWith('11.')) {
    const v8 = node.getBuiltinModule('node:v8')
    const flag = 'harmony-weak-refs-with-cleanup-some'
    v8.setFlagsFromString(`--${flag}`)
    const Constructor = node.getBuiltinModule('node:vm').runInNewContext('FinalizationRegistry') as FinalizationRegistryConstructor
    v8.setFlagsFromString(`--no-${flag}`)
    return new Constructor(free)
  }
  return new FinalizationRegistry(free)
}

function processors(): number {
  if (node) return node.getBuiltinModule('node:os').availableParallelism()
  return (globalThis as { navigator?: { hardwareConcurrency?: number } }).navigator?.hardwareConcurrency ?? 1
}

// ---- the host ----------------------------------------------------------------------------------------------------------

/** A list never has as many items; every handle is larger. */
const HANDLES = 2 ** 24
const SLOTS = 4096
/** Bytes of new tensors between hints to the collector, at least. */
const BUDGET = 2 ** 26
const STACK = 2 ** 20
const MOST_THREADS = 64

const decoder = new TextDecoder()

class WasmHost implements Host {
  readonly kind: string
  f64!: Float64Array
  i64!: BigInt64Array
  u8!: Uint8Array
  readonly #module: WebAssembly.Module
  readonly #memory: WebAssembly.Memory
  readonly #exports: Exports
  readonly #shared: boolean
  readonly #collect = collector()
  readonly #registry = registry((handle) => this.#exports.free(handle))
  #address = 0
  #slots = 0
  #callback: HostCallback | null = null
  #thrown: { error: unknown } | null = null
  #budget = BUDGET
  #workers = 0

  constructor(name: ModuleName, module: WebAssembly.Module, memory: WebAssembly.Memory | null, instantiate: WasmHostInstance) {
    this.kind = `wasm-${name}`
    this.#module = module
    this.#shared = memory !== null
    this.#exports = instantiate((kind, id, count) => this.#run(kind, id, count))
    this.#memory = memory ?? this.#exports.memory!
    this.#exports._initialize()
    if (this.#exports.generated_calls() !== BUILTIN.describe || this.#exports.builtin_calls() !== Object.keys(BUILTIN).length) {
      throw new TorchError(`torch.js: the WebAssembly module ${name} is of another version than this package`, 'RuntimeError')
    }
    if (!this.#exports.start(isPage ? 0 : 1)) throw new TorchError('torch.js: not enough memory', 'OutOfMemoryError')
    this.grow(SLOTS)
    if (this.#shared) {
      this.#exports.set_threads(Math.min(processors(), MOST_THREADS))
      this.startThreads()
    }
  }

  /** Memory that grows gets another ArrayBuffer, and views of the one before are empty. */
  #view(): void {
    const { buffer } = this.#memory
    this.f64 = new Float64Array(buffer, this.#address, this.#slots)
    this.i64 = new BigInt64Array(buffer, this.#address, this.#slots)
    this.u8 = new Uint8Array(buffer, this.#address, this.#slots * 8)
  }

  call(op: number): number {
    const result = this.#exports.call(op)
    if (this.f64.length === 0) this.#view()
    if (this.#thrown) {
      const { error } = this.#thrown
      this.#thrown = null
      throw error
    }
    if (result > this.#slots && result < HANDLES) this.grow(result)
    return result
  }

  #run(kind: number, id: number, count: number): number {
    if (this.f64.length === 0) this.#view()
    try {
      return this.#callback?.(kind, id, count) ?? -1
    } catch (error) {
      this.#thrown = { error }
      return -1
    }
  }

  grow(slots: number): void {
    if (slots <= this.#slots) return
    const wanted = Math.max(slots, 2 * this.#slots)
    const address = this.#exports.buffer(wanted)
    if (address === 0) {
      throw new TorchError(`torch.js: not enough memory: could not allocate ${8 * wanted} bytes`, 'OutOfMemoryError')
    }
    this.#address = address >>> 0
    this.#slots = wanted
    this.#view()
  }

  #text(address: number): string {
    const bytes = new Uint8Array(this.#memory.buffer, address >>> 0)
    const text = bytes.slice(0, bytes.indexOf(0)) // a copy: shared memory cannot be decoded
    return decoder.decode(text)
  }

  error(): { name: string; message: string } {
    const name = this.#exports.error_name()
    if (name === 0) return { name: 'InternalError', message: 'a call failed without an error' }
    const error = { name: this.#text(name), message: this.#text(this.#exports.error_message()) }
    this.#exports.error_clear()
    return error
  }

  track(object: object, handle: number): void {
    this.#registry.register(object, handle)
    if (this.#exports.fresh_bytes(0) > this.#budget) this.#relieve()
  }

  /**
   * To the collector a tensor is an object of a hundred bytes. Node's is told to run; others are made to by an ArrayBuffer of the size of the
   * tensors, which nothing holds and nothing touches.
   */
  #relieve(): void {
    const bytes = this.#exports.fresh_bytes(1)
    if (this.#collect) {
      this.#collect()
      this.#registry.cleanupSome?.()
    } else {
      try {
        new ArrayBuffer(Math.min(bytes, 2 ** 28))
      } catch {
        // Then there is little memory, and the collector has run.
      }
    }
    this.#budget = Math.max(BUDGET, this.#exports.live_bytes() / 2)
  }

  free(handle: number): void {
    this.#exports.free(handle)
  }

  fromBytes(dtype: number, elements: ArrayBufferView): number {
    const handle = this.#exports.new_tensor(dtype, elements.byteLength)
    if (this.f64.length === 0) this.#view()
    if (handle > 0) this.writeBytes(handle, elements)
    return handle
  }

  writeBytes(handle: number, elements: ArrayBufferView): number {
    const n = elements.byteLength
    const address = this.#exports.write(handle, n) >>> 0
    if (address === 0) return 0
    if (n > 0) new Uint8Array(this.#memory.buffer, address, n).set(new Uint8Array(elements.buffer, elements.byteOffset, n))
    return 1
  }

  readBytes(handle: number, elements: ArrayBufferView): number {
    const n = elements.byteLength
    const address = this.#exports.read(handle, n) >>> 0
    if (this.f64.length === 0) this.#view()
    if (address === 0) return 0
    if (n > 0) new Uint8Array(elements.buffer, elements.byteOffset, n).set(new Uint8Array(this.#memory.buffer, address, n))
    return 1
  }

  takeString(): string {
    const text = this.#text(this.#exports.text())
    this.#exports.text_free()
    return text
  }

  setCallback(callback: HostCallback): void {
    this.#callback = callback
  }

  startThreads(): void {
    if (!this.#shared) return
    const locals = (this.#exports.__tls_size?.value as number | undefined) ?? 0
    const wanted = Math.min(this.#exports.get_threads(), MOST_THREADS) - 1
    for (; this.#workers < wanted; this.#workers++) {
      const stack = this.#exports.thread_new(STACK, locals)
      if (this.f64.length === 0) this.#view()
      if (stack === 0) return // fewer threads do the same work
      const top = (stack >>> 0) + STACK
      startThread({ module: this.#module, memory: this.#memory, stack: top, locals: top })
    }
  }
}

type WasmHostInstance = (callback: (kind: number, id: number, count: number) => number) => Exports

function startThread(data: ThreadData): void {
  if (node) {
    const { Worker } = node.getBuiltinModule('node:worker_threads')
    new Worker(THREAD_SOURCE, { eval: true, workerData: data }).unref()
    return
  }
  const url = URL.createObjectURL(new Blob([THREAD_SOURCE], { type: 'text/javascript' }))
  const worker = new Worker(url, { name: 'torch.js' })
  worker.onerror = (e) => {
    console.warn(`torch.js: a thread could not be started: ${e.message}`)
  }
  worker.postMessage(data)
}

/** Memory for several threads reserves its addresses at once: as many as there are. */
function sharedMemory(): WebAssembly.Memory {
  for (let maximum = 65536; ; maximum /= 2) {
    try {
      return new WebAssembly.Memory({ initial: 256, maximum, shared: true })
    } catch (cause) {
      if (maximum > 4096) continue
      throw new TorchError('torch.js: not enough memory for the WebAssembly engine', 'OutOfMemoryError', { cause })
    }
  }
}

export async function wasmHost(backend: WasmBackend): Promise<Host> {
  const { name, module } = (await takeStarted(backend)) ?? (await compile(moduleFor(backend)))
  const memory = name.endsWith('threads') ? sharedMemory() : null
  let run: (kind: number, id: number, count: number) => number = () => -1
  const random = new Uint32Array(2)
  const nothing = (): number => 8 // EBADF: there are no files
  const instance = await WebAssembly.instantiate(module, {
    env: memory ? { memory } : {},
    torchjs: {
      callback: (kind: number, id: number, count: number) => run(kind, id, count),
      entropy: () => {
        crypto.getRandomValues(random)
        return random[0]! * 2 ** 21 + (random[1]! >>> 11)
      },
      clock: () => performance.now() * 1e6,
    },
    wasi_snapshot_preview1: { fd_close: nothing, fd_seek: nothing, fd_write: nothing },
  })
  return new WasmHost(name, module, memory, (callback) => {
    run = callback
    return instance.exports as unknown as Exports
  })
}
