// The compilation of the engine, begun before the package itself is there: in pages the two are loaded at the same time (scripts/page.mjs).
import { isWasmBackend, moduleFor, wanted } from './wasm_choice.js'
import { compile, type Compiled } from './wasm_files.js'

interface Started {
  readonly backend: string
  readonly compiled: Promise<Compiled | null>
}
/** What begins and what takes are in different files of different bundles. */
const KEY = Symbol.for('torch.js/started')
const place = globalThis as { [KEY]?: Started }

export function start(): void {
  const backend = wanted() || 'wasm'
  if (!isWasmBackend(backend)) return
  // What fails here fails once more, and is reported, where it is needed.
  const begin = async (): Promise<Compiled> => await compile(moduleFor(backend))
  place[KEY] = { backend, compiled: begin().catch(() => null) }
}

/** The module that was begun for this backend; null: none was, or it failed. */
export async function takeStarted(backend: string): Promise<Compiled | null> {
  const started = place[KEY]
  delete place[KEY]
  return started?.backend === backend ? await started.compiled : null
}
