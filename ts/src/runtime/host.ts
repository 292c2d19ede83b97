// The engine as this JavaScript environment reaches it: a buffer of arguments and results that both sides see, and a call by number. The protocol
// is written in bindings/common/calls.h.
import { TorchError } from './errors.js'
import { nativeHost } from './native.js'
import { wasmHost } from './wasm.js'
import { isWasmBackend, wanted } from './wasm_choice.js'

/** Runs hooks and custom functions: see `tj__callback_kind` in bindings/common/calls.h. */
export type HostCallback = (kind: number, id: number, count: number) => number

export interface Host {
  /** `'native'`: the Node-API addon; `'wasm-simd-threads'` and the like: WebAssembly. */
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
  /** Starts threads, where JavaScript has to, after the engine's number of them has changed. */
  startThreads(): void
  /** Sets the function that runs hooks and custom functions. One that it lets escape is thrown by the call that led to it. */
  setCallback(callback: HostCallback): void
}

async function createHost(): Promise<Host> {
  const backend = wanted()
  if (backend === 'native') return nativeHost(true)!
  if (isWasmBackend(backend)) return await wasmHost(backend)
  if (backend !== '') {
    throw new TorchError(
      `torch.js: there is no backend '${backend}' (TORCHJS_BACKEND): native, wasm, wasm-simd, wasm-simd-threads, wasm-relaxed, wasm-relaxed-threads`,
      'ValueError',
    )
  }
  return nativeHost(false) ?? (await wasmHost('wasm'))
}

export const host: Host = await createHost()
