// Where the WebAssembly modules come from.
import { TorchError } from './errors.js'

export type ModuleName = 'simd' | 'simd-threads' | 'relaxed' | 'relaxed-threads'

/** Written out, so that bundlers find the files. */
const URLS: Record<ModuleName, () => URL> = {
  simd: () => new URL('../wasm/torchjs-simd.wasm', import.meta.url),
  'simd-threads': () => new URL('../wasm/torchjs-simd-threads.wasm', import.meta.url),
  relaxed: () => new URL('../wasm/torchjs-relaxed.wasm', import.meta.url),
  'relaxed-threads': () => new URL('../wasm/torchjs-relaxed-threads.wasm', import.meta.url),
}

export async function compile(name: ModuleName): Promise<WebAssembly.Module> {
  const url = URLS[name]()
  if (url.protocol === 'file:' && typeof process === 'object' && typeof process.getBuiltinModule === 'function') {
    const fs = process.getBuiltinModule('node:fs')
    try {
      return new WebAssembly.Module(fs.readFileSync(url))
    } catch (cause) {
      throw new TorchError(
        `torch.js: the WebAssembly engine ${url.pathname} could not be loaded: ${(cause as Error).message}. \`make wasm\` builds it.`,
        'RuntimeError',
        { cause },
      )
    }
  }
  const response = await fetch(url)
  if (!response.ok) throw new TorchError(`torch.js: the WebAssembly engine could not be fetched from ${url.href}: ${response.status}`, 'RuntimeError')
  return response.headers.get('content-type')?.startsWith('application/wasm')
    ? await WebAssembly.compileStreaming(response)
    : await WebAssembly.compile(await response.arrayBuffer())
}
