// Long loops beside the page: a program that runs in a Worker, and the page's end of it. Nothing here loads the engine, so that a page that only
// shows what a Worker computes can have it alone: `import { inWorker } from 'torch.js/worker'`.
//
//     // train.js                                           // the page
//     import torch, { workerMain } from 'torch.js'          const worker = new Worker(new URL('train.js', import.meta.url), { type: 'module' })
//     workerMain(async function* ({ steps }) {              const run = inWorker(worker, { steps: 1000 })
//       for (let step = 0; step < steps; step++) {          for await (const { step, loss } of run) show(step, loss)
//         ...                                               console.log(await run.result)
//         yield { step, loss: loss.item() }
//       }
//       return accuracy
//     })
import { TorchError } from './runtime/errors.js'

/** Progress waits in the Worker for as long, at most: a frame. */
const FRAME = 16

/** What the page has sent by `Run.send`. */
export interface Inbox<Message = unknown> extends AsyncIterable<Message> {
  /** The next message that is here already; undefined: there is none. Messages arrive while the program waits, or yields. */
  take(): Message | undefined
}

/**
 * What a Worker does: a generator. It may yield as often as it likes: what it yields reaches the page once a frame, and then messages come in, memory
 * of collected tensors goes, and `Run.stop` ends it at a `yield`, `finally` blocks included. Values are copied as by postMessage: numbers, texts, arrays,
 * not tensors.
 */
export type WorkerProgram<Input, Progress, Result, Message = unknown> = (
  input: Input,
  inbox: Inbox<Message>,
) => AsyncGenerator<Progress, Result, void> | Generator<Progress, Result, void>

type ToWorker = { kind: 'hello' } | { kind: 'start'; input: unknown } | { kind: 'message'; value: unknown } | { kind: 'stop' }
type ToPage =
  | { kind: 'ready' }
  | { kind: 'progress'; values: unknown[] }
  | { kind: 'result'; value: unknown; stopped: boolean }
  | { kind: 'error'; error: { name: string; message: string; stack: string | undefined; code: unknown } }
/** `run`: which one, of those that the same Worker does one after another. Other messages of the Worker are left alone. */
interface Envelope<T> {
  readonly torchjs: T
  readonly run: number
}

/** Values that come in time. */
class Queue<T> implements AsyncIterable<T> {
  readonly #values: T[] = []
  #waiting: (() => void) | null = null
  #ended = false
  #error: { error: unknown } | null = null

  push(...values: T[]): void {
    this.#values.push(...values)
    this.#wake()
  }
  end(error?: { error: unknown }): void {
    this.#ended = true
    this.#error = error ?? null
    this.#wake()
  }
  #wake(): void {
    this.#waiting?.()
    this.#waiting = null
  }
  take(): T | undefined {
    return this.#values.shift()
  }
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    for (;;) {
      while (this.#values.length > 0) yield this.#values.shift()!
      if (this.#error) throw this.#error.error
      if (this.#ended) return
      await new Promise<void>((resolve) => {
        this.#waiting = resolve
      })
    }
  }
}

// ---- in the Worker ---------------------------------------------------------------------------------------------------

interface Port {
  postMessage(message: Envelope<ToPage>): void
  onMessage(listener: (message: unknown) => void): void
}

/** This thread's way to whom it was started by; Node's Workers have another. */
function parent(): Port {
  const node =
    typeof process === 'object' && typeof process.getBuiltinModule === 'function' ? process.getBuiltinModule('node:worker_threads') : null
  const port = node?.parentPort
  if (port) return { postMessage: (m) => port.postMessage(m), onMessage: (f) => void port.on('message', f) }
  const scope = globalThis as unknown as {
    postMessage(m: unknown): void
    addEventListener(type: 'message', f: (e: { data: unknown }) => void): void
  }
  if (typeof document === 'object' || typeof scope.postMessage !== 'function')
    throw new TorchError('workerMain() has to be called in a Worker', 'RuntimeError')
  return { postMessage: (m) => scope.postMessage(m), onMessage: (f) => scope.addEventListener('message', (e) => f(e.data)) }
}

/** Runs `program` when the page asks for it (by `inWorker`), in a Worker whose module this call is in. */
export function workerMain<Input, Progress, Result, Message = unknown>(program: WorkerProgram<Input, Progress, Result, Message>): void {
  if (typeof program !== 'function') throw new TorchError("workerMain(): argument 'program' must be a function", 'TypeError')
  const port = parent()
  let inbox = new Queue<Message>()
  let current = 0
  let stopped = false
  const tell = (run: number, message: ToPage): void => port.postMessage({ torchjs: message, run })
  port.onMessage((data) => {
    const { torchjs: message, run: id } = (data ?? {}) as Partial<Envelope<ToWorker>>
    if (message?.kind === 'hello') tell(id!, { kind: 'ready' })
    else if (message?.kind === 'start') {
      current = id!
      stopped = false
      inbox = new Queue()
      void run(current, message.input as Input)
    } else if (message && id === current) {
      if (message.kind === 'message') inbox.push(message.value as Message)
      else {
        stopped = true
        inbox.end()
      }
    }
  })
  const turns = new MessageChannel()
  let awaited: (() => void) | null = null
  turns.port1.onmessage = () => awaited?.()
  ;(turns.port1 as { unref?: () => void }).unref?.()
  const turn = (): Promise<void> =>
    new Promise((resolve) => {
      awaited = resolve
      turns.port2.postMessage(null)
    })

  async function run(id: number, input: Input): Promise<void> {
    try {
      const generator = program(input, inbox)
      let values: Progress[] = []
      let told = performance.now()
      const flush = (): void => {
        if (values.length > 0) tell(id, { kind: 'progress', values })
        values = []
        told = performance.now()
      }
      for (;;) {
        // A program that waits for something else does not keep back what it has yielded.
        const timer = setTimeout(flush, FRAME)
        const next = await (stopped ? generator.return(undefined as Result) : generator.next())
        clearTimeout(timer)
        if (next.done) {
          flush()
          tell(id, { kind: 'result', value: next.value, stopped })
          return
        }
        values.push(next.value)
        if (performance.now() - told >= FRAME) {
          flush()
          await turn()
        }
      }
    } catch (e) {
      const { name, message, stack, code } =
        e instanceof Error ? (e as Error & { code?: unknown }) : { ...new Error(String(e)), message: String(e) }
      tell(id, { kind: 'error', error: { name: name ?? 'Error', message, stack, code } })
    }
  }
  tell(0, { kind: 'ready' })
}

// ---- in the page -----------------------------------------------------------------------------------------------------

/** A Worker of a page, or of Node's worker_threads. */
export interface WorkerLike {
  postMessage(message: unknown): void
  terminate(): unknown
}
/** How it is listened to: a page's, or Node's. */
interface Listened {
  addEventListener?(type: string, listener: (event: { data?: unknown; message?: string }) => void): void
  on?(type: string, listener: (value: unknown) => void): unknown
}

/** A program that runs in a Worker; iterating gives what it yields. */
export interface WorkerRun<Progress, Result> extends AsyncIterable<Progress> {
  /** What it returned; undefined if it was stopped. It rejects with the program's error. */
  readonly result: Promise<Result | undefined>
  /** A message to the program's inbox. */
  send(message: unknown): void
  /** Ends the program at its next `yield`. The Worker stays. */
  stop(): void
  /** Ends the Worker now, in the middle of whatever it does. */
  terminate(): void
}

let runs = 0

/**
 * Starts the program of a Worker (its `workerMain`) as soon as its modules are loaded. The page's own thread computes nothing. The Worker has an
 * engine of its own, and does one thing at a time.
 */
export function inWorker<Progress = unknown, Result = unknown>(worker: WorkerLike, input?: unknown): WorkerRun<Progress, Result> {
  const listened = Object(worker) as Listened & Partial<WorkerLike>
  if (typeof listened.postMessage !== 'function' || typeof (listened.on ?? listened.addEventListener) !== 'function')
    throw new TorchError("inWorker(): argument 'worker' must be a Worker", 'TypeError')
  const id = ++runs
  const progress = new Queue<Progress>()
  const waiting: ToWorker[] = []
  let ready = false
  const tell = (message: ToWorker): void => {
    if (ready) worker.postMessage({ torchjs: message, run: id } satisfies Envelope<ToWorker>)
    else waiting.push(message)
  }
  let settle: { resolve: (value: Result | undefined) => void; reject: (error: unknown) => void }
  const result = new Promise<Result | undefined>((resolve, reject) => {
    settle = { resolve, reject }
  })
  result.catch(() => {}) // who iterates gets it there
  const fail = (error: unknown): void => {
    settle.reject(error)
    progress.end({ error })
  }
  const receive = (data: unknown): void => {
    const { torchjs: message, run } = (data ?? {}) as Partial<Envelope<ToPage>>
    if (run !== id && message?.kind !== 'ready') return
    switch (message?.kind) {
      case 'ready':
        if (ready) break
        ready = true
        for (const m of waiting.splice(0)) tell(m)
        break
      case 'progress':
        progress.push(...(message.values as Progress[]))
        break
      case 'result':
        settle.resolve(message.stopped ? undefined : (message.value as Result))
        progress.end()
        break
      case 'error': {
        const { name, message: text, stack, code } = message.error
        fail(Object.assign(new Error(text), { name, stack, ...(code !== undefined && { code }) }))
      }
    }
  }
  if (listened.on) {
    listened.on('message', receive)
    listened.on('error', fail)
  } else {
    listened.addEventListener?.('message', (e) => receive(e.data))
    listened.addEventListener?.('error', (e) => fail(new Error(e.message ?? 'the Worker could not be loaded')))
  }
  tell({ kind: 'start', input })
  // What is sent to a Worker that is still loading is lost; it says 'ready' when it is not, and answers this when it has been for long.
  worker.postMessage({ torchjs: { kind: 'hello' }, run: id } satisfies Envelope<ToWorker>)
  return {
    result,
    send: (value) => tell({ kind: 'message', value }),
    stop: () => tell({ kind: 'stop' }),
    terminate() {
      void worker.terminate()
      fail(new Error('the Worker was terminated'))
    },
    [Symbol.asyncIterator]: () => progress[Symbol.asyncIterator](),
  }
}
