// Which of the WebAssembly modules: what the user wants, and what this JavaScript can do.
import { TorchError } from './errors.js'
import type { ModuleName } from './wasm_files.js'

const BACKENDS = ['wasm', 'wasm-simd', 'wasm-simd-threads', 'wasm-relaxed', 'wasm-relaxed-threads'] as const
export type WasmBackend = (typeof BACKENDS)[number]
export const isWasmBackend = (name: string): name is WasmBackend => (BACKENDS as readonly string[]).includes(name)

// ---- what this JavaScript can do -------------------------------------------------------------------------------------

/** A function of one instruction: it validates where the instruction is known. */
const probe = (...code: number[]): boolean =>
  WebAssembly.validate(
    // prettier-ignore
    new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 4 + code.length, 1, 2 + code.length, 0, ...code, 11]),
  )
// i32.const 0, i8x16.splat; for relaxed SIMD twice, and i8x16.relaxed_swizzle
const hasSimd = (): boolean => probe(65, 0, 253, 15)
const hasRelaxedSimd = (): boolean => probe(65, 0, 253, 15, 65, 0, 253, 15, 253, 128, 2)

export const isPage = typeof document === 'object'
/** Node's modules, where there are some. */
export const node = typeof process === 'object' && typeof process.getBuiltinModule === 'function' ? process : null

/** What the user wants to run on: `globalThis.TORCHJS_BACKEND` or the environment variable; '' where nothing is said. */
export function wanted(): string {
  const chosen = (globalThis as { TORCHJS_BACKEND?: unknown }).TORCHJS_BACKEND
  if (typeof chosen === 'string') return chosen
  return (typeof process === 'object' && process.env?.['TORCHJS_BACKEND']) || ''
}

/** Why there are no threads; null where there are. */
function noThreads(): string | null {
  if (typeof SharedArrayBuffer !== 'function' || (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated === false) {
    return 'the page is not cross-origin isolated. Serve it with the headers "Cross-Origin-Opener-Policy: same-origin" and "Cross-Origin-Embedder-Policy: require-corp"'
  }
  return typeof Worker !== 'function' && !node ? 'there are no workers here' : null
}

/** The module for a backend; of several the best, and a word where that computes on one thread only. */
export function moduleFor(backend: WasmBackend): ModuleName {
  if (!hasSimd()) {
    throw new TorchError('torch.js: this JavaScript engine has no WebAssembly SIMD, which torch.js needs', 'RuntimeError')
  }
  const reason = noThreads()
  if (backend !== 'wasm') {
    if (backend.endsWith('threads') && reason) throw new TorchError(`torch.js: no threads: ${reason}.`, 'RuntimeError')
    return backend.slice('wasm-'.length) as ModuleName
  }
  if (reason) console.info(`torch.js computes on one thread: ${reason}.`)
  return `${hasRelaxedSimd() ? 'relaxed' : 'simd'}${reason ? '' : '-threads'}`
}
