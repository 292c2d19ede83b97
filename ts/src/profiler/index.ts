// torch.profiler: what operators cost, by name and in time.
import { BUILTIN } from '../generated/calls.js'
import { inMode, type ModeGuard } from '../autograd/modes.js'
import { Arguments, builtin, builtinVoid, fail, readScalar } from '../runtime/call.js'
import { TorchError } from '../runtime/errors.js'
import { host } from '../runtime/host.js'
import { current, flush } from '../webgpu/state.js'
import type { Driver } from '../webgpu/driver.js'
import { chromeTrace, EventList, FunctionEvent, type EventKind } from './events.js'

export { EventList, FunctionEvent, FunctionEventAvg, type EventKind, type SortKey, type TableOptions, type TimeRange } from './events.js'

/** What is recorded: operators as they are called, and kernels as the device webgpu runs them. */
export const ProfilerActivity = { CPU: 'CPU', WEBGPU: 'WEBGPU' } as const
export type ProfilerActivity = (typeof ProfilerActivity)[keyof typeof ProfilerActivity]

/** What a profiler does in a step. */
export const ProfilerAction = { NONE: 0, WARMUP: 1, RECORD: 2, RECORD_AND_SAVE: 3 } as const
export type ProfilerAction = (typeof ProfilerAction)[keyof typeof ProfilerAction]

/** The activities that are possible now. */
export function supported_activities(): Set<ProfilerActivity> {
  return new Set(current() ? [ProfilerActivity.CPU, ProfilerActivity.WEBGPU] : [ProfilerActivity.CPU])
}

/**
 * Which steps are recorded: after `skip_first` ones, cycles of `wait` steps that do nothing, `warmup` ones whose records are thrown away and `active`
 * ones that count; `repeat` such cycles, or without end for 0.
 */
export function schedule(options: {
  wait: number
  warmup: number
  active: number
  repeat?: number
  skip_first?: number
}): (step: number) => ProfilerAction {
  const { wait, warmup, active, repeat = 0, skip_first = 0 } = options
  if (wait < 0 || warmup < 0 || active <= 0 || repeat < 0 || skip_first < 0)
    throw new TorchError('Invalid profiler schedule arguments', 'AssertionError')
  const cycle = wait + warmup + active
  return (step) => {
    if (step < 0) throw new TorchError(`Invalid profiler step number: ${step}`, 'AssertionError')
    if (step < skip_first) return ProfilerAction.NONE
    const at = step - skip_first
    if (repeat > 0 && Math.floor(at / cycle) >= repeat) return ProfilerAction.NONE
    const place = at % cycle
    if (place < wait) return ProfilerAction.NONE
    if (place < wait + warmup) return ProfilerAction.WARMUP
    return place < cycle - 1 ? ProfilerAction.RECORD : ProfilerAction.RECORD_AND_SAVE
  }
}

/** A range with a name of your own: around a function, or until the guard ends. Costs next to nothing while no profiler records. */
export function record_function(name: string): ModeGuard
export function record_function<T>(name: string, fn: () => T): T
export function record_function<T>(name: string, fn?: () => T): T | ModeGuard {
  return inMode(() => {
    const kind = new Arguments().text(name).call(BUILTIN.profile_enter)
    if (kind <= 0) fail()
    const event = Number(readScalar(kind))
    return () => builtinVoid(BUILTIN.profile_leave, event)
  }, fn)
}

export interface ProfileOptions {
  /** All that are possible by default. */
  readonly activities?: Iterable<ProfilerActivity>
  /** Which steps are recorded (see schedule); every one by default. */
  readonly schedule?: (step: number) => ProfilerAction
  /** Called with the profiler whenever a cycle of its schedule is complete. */
  readonly on_trace_ready?: (prof: profile) => void
}

let running: profile | null = null

/**
 * Records what happens between `start()` and `stop()`, or during `run(fn)`:
 *
 *     const prof = new torch.profiler.profile()
 *     await prof.run(() => model.forward(x))
 *     console.log(prof.key_averages().table({ sort_by: 'cpu_time_total' }))
 *
 * Operators of the thread that starts it are recorded, those in other ones included; nodes of backward; and on webgpu every kernel, with its time
 * where the adapter has timestamp queries. A kernel is counted for the operator that asked for it, a chain that became one kernel for its last one.
 */
export class profile {
  readonly activities: readonly ProfilerActivity[]
  step_num = 0
  readonly #schedule: (step: number) => ProfilerAction
  readonly #scheduled: boolean
  readonly #onReady: ((prof: profile) => void) | null
  #action: ProfilerAction = ProfilerAction.NONE
  #events: FunctionEvent[] = []
  #driver: Driver | null = null
  #open = false
  #step: ModeGuard | null = null

  constructor(options: ProfileOptions = {}) {
    this.activities = [...(options.activities ?? supported_activities())]
    if (this.activities.length === 0) throw new TorchError('No valid profiler activities found', 'AssertionError')
    this.#scheduled = options.schedule !== undefined
    this.#schedule = options.schedule ?? (() => ProfilerAction.RECORD)
    this.#onReady = options.on_trace_ready ?? null
  }

  start(): void {
    if (this.#open) throw new TorchError('the profiler runs already', 'RuntimeError')
    if (running) throw new TorchError('Profiler is already enabled on this thread', 'RuntimeError')
    this.#open = true
    this.step_num = 0
    this.#action = this.#schedule(0)
    if (this.#action !== ProfilerAction.NONE) this.#begin()
  }

  /** Ends the recording. What the cpu did is there at once, what webgpu did when the promise resolves. */
  stop(): Promise<void> {
    if (!this.#open) return Promise.resolve()
    this.#open = false
    const counts = this.#action === ProfilerAction.RECORD || this.#action === ProfilerAction.RECORD_AND_SAVE
    this.#action = ProfilerAction.NONE
    if (running !== this) return Promise.resolve()
    return this.#end(counts)
  }

  /** Tells that the next step begins; await it where webgpu is recorded. */
  step(): Promise<void> {
    if (!this.#open) throw new TorchError('profile.step(): call start() first', 'RuntimeError')
    this.step_num++
    const before = this.#action
    const next = this.#schedule(this.step_num)
    this.#action = next
    this.#closeStep()
    if (before === ProfilerAction.RECORD_AND_SAVE || (running === this && next === ProfilerAction.NONE)) {
      const ended = this.#end(before !== ProfilerAction.WARMUP)
      if (next !== ProfilerAction.NONE) this.#begin()
      return ended
    }
    if (next !== ProfilerAction.NONE && running !== this) this.#begin()
    else if (before === ProfilerAction.WARMUP && next !== ProfilerAction.WARMUP) {
      void this.#end(false)
      this.#begin()
    } else this.#openStep()
    return Promise.resolve()
  }

  /** Records while `fn` runs, and until its promise settles; resolves to its result when everything is there. */
  async run<T>(fn: (prof: this) => T): Promise<Awaited<T>> {
    this.start()
    try {
      return await fn(this)
    } finally {
      await this.stop()
    }
  }

  [Symbol.dispose](): void {
    void this.stop()
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  /** What was recorded, in order. */
  events(): EventList {
    return EventList.of_events(this.#events, this.activities.includes('WEBGPU'))
  }

  /** Sums by name. */
  key_averages(): EventList {
    return this.events().key_averages()
  }

  /** The recording as JSON that chrome://tracing and Perfetto show. */
  chrome_trace(): string {
    return chromeTrace(this.#events, this.activities)
  }

  /** Writes it to a file; in a browser, which has none, take chrome_trace(). */
  export_chrome_trace(path: string): void {
    const node = (globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } }).process
    const fs = node?.getBuiltinModule?.('node:fs') as { writeFileSync(path: string, text: string): void } | undefined
    if (!fs) throw new TorchError('export_chrome_trace(): there are no files here; chrome_trace() gives the text', 'RuntimeError')
    fs.writeFileSync(path, this.chrome_trace())
  }

  #openStep(): void {
    if (this.#scheduled && running === this) this.#step = record_function(`ProfilerStep#${this.step_num}`)
  }
  #closeStep(): void {
    this.#step?.end()
    this.#step = null
  }

  #begin(): void {
    if (running) throw new TorchError('Profiler is already enabled on this thread', 'RuntimeError')
    running = this
    const active = this.activities.includes('WEBGPU') ? current() : null
    this.#driver = active?.driver ?? null
    if (active) {
      flush() // what was asked for before is not of this
      active.driver.startTiming()
    }
    builtinVoid(BUILTIN.profile_start)
    this.#openStep()
  }

  #end(counts: boolean): Promise<void> {
    this.#closeStep()
    if (this.#driver) flush()
    running = null
    const driver = this.#driver
    this.#driver = null
    const kernels = driver?.stopTiming()
    if (builtin(BUILTIN.profile_stop) <= 0) fail()
    if (!counts) return Promise.resolve()
    const { events, launches } = read(host.takeString())
    this.#events = events
    const ready = (): void => this.#onReady?.(this)
    if (!kernels) {
      ready()
      return Promise.resolve()
    }
    return kernels.then((list) => {
      // The device has a clock of its own: the first kernel is put where its operator was called.
      const first = list.find((k) => k.end > 0)
      const shift = first ? (events[launches[list.indexOf(first)]!]?.time_range.start ?? 0) - first.begin : 0
      list.forEach((k, i) => {
        const parent = events[launches[i]!] ?? null
        const begin = k.end > 0 ? k.begin + shift : (parent?.time_range.start ?? 0)
        const e = new FunctionEvent(this.#events.length, k.label, 'kernel', range(begin, k.end > 0 ? k.end + shift : begin), parent)
        parent?.kernels.push(e)
        this.#events.push(e)
      })
      ready()
    })
  }
}

const range = (start: number, end: number): { start: number; end: number; elapsed_us(): number } => ({
  start,
  end,
  elapsed_us: () => end - start,
})
const KINDS: readonly EventKind[] = ['operator', 'backward', 'range']
const PREFIX = ['aten::', 'autograd::engine::evaluate_function: ', '']

/** The engine's text (engine/core/profile.h). */
function read(text: string): { events: FunctionEvent[]; launches: number[] } {
  const events: FunctionEvent[] = [],
    launches: number[] = []
  for (const line of text.split('\n')) {
    if (line === '') continue
    const [kind, parent, begin, end, name] = line.split('\t')
    if (kind === 'L') {
      launches.push(Number(parent))
      continue
    }
    const k = Number(kind)
    const outer = events[Number(parent)] ?? null
    const e = new FunctionEvent(events.length, PREFIX[k]! + name!, KINDS[k]!, range(Number(begin) / 1e3, Number(end) / 1e3), outer)
    outer?.cpu_children.push(e)
    events.push(e)
  }
  return { events, launches }
}
