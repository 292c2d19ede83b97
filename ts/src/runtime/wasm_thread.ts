// A thread of the WebAssembly engine: a Worker that instantiates the module on the shared memory and gives itself to the engine's pool. Its program is
// a text, so that it needs no file that a bundler would have to know of.

export interface ThreadData {
  readonly module: WebAssembly.Module
  readonly memory: WebAssembly.Memory
  /** The end of its stack, which grows down, and the address of its thread-local variables. */
  readonly stack: number
  readonly locals: number
}

export const THREAD_SOURCE = `
'use strict'
const run = ({ module, memory, stack, locals }) => {
  const nothing = () => 8
  const never = () => { throw new Error('not on this thread') }
  const { exports } = new WebAssembly.Instance(module, {
    env: { memory },
    torchjs: { callback: never, entropy: never, clock: never },
    wasi_snapshot_preview1: { fd_close: nothing, fd_seek: nothing, fd_write: nothing },
  })
  exports.__stack_pointer.value = stack
  exports.__wasm_init_tls(locals)
  exports.thread_run()
}
if (typeof process === 'object' && process.getBuiltinModule) run(process.getBuiltinModule('node:worker_threads').workerData)
else self.onmessage = (e) => run(e.data)
`
