// Where the WebAssembly modules come from: files beside the package's, and, where a bundler has not copied those, JavaScript modules that hold them.
import { TorchError } from './errors.js'

export type ModuleName = 'simd' | 'simd-threads' | 'relaxed' | 'relaxed-threads'

/** Written out, so that bundlers find the files. */
const URLS: Record<ModuleName, () => URL> = {
  simd: () => new URL('../wasm/torchjs-simd.wasm', import.meta.url),
  'simd-threads': () => new URL('../wasm/torchjs-simd-threads.wasm', import.meta.url),
  relaxed: () => new URL('../wasm/torchjs-relaxed.wasm', import.meta.url),
  'relaxed-threads': () => new URL('../wasm/torchjs-relaxed-threads.wasm', import.meta.url),
}

export interface Compiled {
  readonly name: ModuleName
  readonly module: WebAssembly.Module
}

/** The module in the file; null where it is no module: servers answer with pages, too. */
async function fetched(url: URL): Promise<WebAssembly.Module | null> {
  try {
    const response = await fetch(url)
    if (!response.ok) return null
    if (response.headers.get('content-type')?.startsWith('application/wasm')) return await WebAssembly.compileStreaming(response)
    const bytes = new Uint8Array(await response.arrayBuffer())
    return bytes[0] === 0 && bytes[1] === 0x61 && bytes[2] === 0x73 && bytes[3] === 0x6d ? await WebAssembly.compile(bytes) : null
  } catch {
    return null
  }
}

async function embedded(name: ModuleName): Promise<Compiled> {
  const threads = name.endsWith('threads')
  const { default: text } = threads ? await import('../wasm/torchjs-simd-threads.js') : await import('../wasm/torchjs-simd.js')
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0))
  const unpacked = new Response(bytes).body!.pipeThrough(new DecompressionStream('gzip'))
  return { name: threads ? 'simd-threads' : 'simd', module: await WebAssembly.compile(await new Response(unpacked).arrayBuffer()) }
}

export async function compile(name: ModuleName): Promise<Compiled> {
  const url = URLS[name]()
  if (url.protocol === 'file:' && typeof process === 'object' && typeof process.getBuiltinModule === 'function') {
    const fs = process.getBuiltinModule('node:fs')
    if (fs.existsSync(url)) return { name, module: new WebAssembly.Module(fs.readFileSync(url)) }
  } else {
    const module = await fetched(url)
    if (module) return { name, module }
  }
  try {
    return await embedded(name)
  } catch (cause) {
    throw new TorchError(
      `torch.js: the WebAssembly engine is neither at ${url.href} nor in the package: ${(cause as Error).message}. \`make wasm\` builds it.`,
      'RuntimeError',
      { cause },
    )
  }
}
