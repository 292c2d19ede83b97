// Runs the engine's commands on a GPUDevice: one submit for each batch. The commands are those of engine/webgpu/device.h. Nothing here knows the
// host: it runs in pages, workers and Node alike.
import { TorchError } from '../runtime/errors.js'
import {
  USAGE,
  type GpuBindGroup,
  type GpuBuffer,
  type GpuDevice,
  type GpuEncoder,
  type GpuLayout,
  type GpuPass,
  type GpuPipeline,
  type GpuQuerySet,
} from './interface.js'

const CREATE = 1
const FREE = 2
const WRITE = 3
const COPY = 4
const CLEAR = 5
const PIPELINE = 6
const DISPATCH = 7
const READ = 8

/** Uniforms of a launch begin at a multiple of this: what every adapter takes. */
const UNIFORM_STEP = 256
/** Words of buffer 0, where kernels leave errors: code, two numbers, operator. */
const ERROR_BYTES = 16
const BIND_GROUPS = 4096

interface Pipeline {
  readonly pipeline: GpuPipeline
  readonly layout: GpuLayout
  readonly label: string
  launches: number
  /** Of its first launch: see `tj__gpu_operator`. */
  operator: number
}

interface Buffer {
  readonly gpu: GpuBuffer
  /** Tells buffers apart in the keys of bind groups. */
  readonly serial: number
}

/** A launch that was timed, in microseconds of the device's clock; end 0 where the adapter has no timestamps. */
export interface TimedLaunch {
  readonly label: string
  readonly begin: number
  readonly end: number
}

/** Launches of one query set, whose times are still to come. */
interface TimedBatch {
  readonly labels: string[]
  readonly queries: GpuQuerySet | null
  times: Promise<BigUint64Array> | null
}
/** Launches of one query set: it has two queries for each, and 4096 at most. */
const TIMED = 2048

interface PendingRead {
  resolve(words: ArrayBuffer): void
  reject(error: Error): void
}

export interface DriverCounters {
  /** Batches given to the GPU, launches in them, pipelines and buffers made, bind groups made, results read. */
  submits: number
  dispatches: number
  pipelines: number
  buffers: number
  bind_groups: number
  reads: number
  /** Bytes of buffers that wait to be used again, and of those in use. */
  pooled_bytes: number
  used_bytes: number
}

/** Four sizes to an octave, at least 256 bytes. */
export function sizeClass(bytes: number): number {
  if (bytes <= 256) return 256
  const step = 2 ** Math.max(6, Math.floor(Math.log2(bytes - 1)) - 2)
  return Math.ceil(bytes / step) * step
}

const AGAIN = 'What is on the device is lost: call torch.webgpu.init() again and load your state from the cpu'

/** Names in a message: all of a batch would be many. */
const NAMED = 8

const FILTERS = ['internal', 'out-of-memory', 'validation'] as const
const MEMORY = ['out-of-memory'] as const
const COMPILING = ['internal', 'validation'] as const

interface GpuError {
  readonly message: string
}

/** What the GPU refused, as an error of this library: a kernel of this name (null: any command), for one of these operators. */
function failureOf(error: GpuError, kernel: string | null, operators: readonly string[], filter?: string): TorchError {
  const names = operators.slice(0, NAMED).map((name) => `'${name}'`)
  if (operators.length > NAMED) names.push(`${operators.length - NAMED} more`)
  const of = names.length === 0 ? '' : `${names.length > 1 ? ' of one of these:' : ' of'} ${names.join(', ')}`
  if (filter === 'out-of-memory' || error.constructor.name === 'GPUOutOfMemoryError')
    return new TorchError(
      `webgpu: out of memory${of && `, for a command${of}`}. ${AGAIN}; dispose of tensors earlier, or give unused buffers back with torch.webgpu.empty_cache() (${error.message})`,
      'OutOfMemoryError',
    )
  kernel ??= /Pipeline "([^"]+)"/.exec(error.message)?.[1] ?? null
  const failed = filter === 'internal' || error.constructor.name === 'GPUInternalError' ? 'failed in' : 'refused'
  return new TorchError(
    `webgpu: the GPU ${failed} ${kernel ? `the kernel '${kernel}'` : 'a command'}${of}. ${AGAIN} (${error.message})`,
    'RuntimeError',
  )
}

/** What the driver asks of the engine. */
export interface DriverHost {
  /** The error that a kernel left. */
  kernelError(code: number, a: number, b: number, operator: number): Error
  /** What a number of an operator in the stream stands for; '' for none. */
  operatorName(number: number): string
  /** The device is no more. */
  ended(reason: string): void
}

export class Driver {
  readonly device: GpuDevice
  readonly counters: DriverCounters = {
    submits: 0,
    dispatches: 0,
    pipelines: 0,
    buffers: 0,
    bind_groups: 0,
    reads: 0,
    pooled_bytes: 0,
    used_bytes: 0,
  }
  /** Bytes that unused buffers may keep. */
  poolLimit = 2 ** 30
  #buffers: (Buffer | undefined)[] = []
  #serial = 1
  #pool = new Map<number, Buffer[]>()
  #readPool = new Map<number, GpuBuffer[]>()
  #pipelines: (Pipeline | undefined)[] = []
  #layouts = new Map<string, { group: GpuLayout; pipeline: object }>()
  #groups = new Map<string, GpuBindGroup>()
  #staging: Buffer | null = null
  #reads = new Map<number, PendingRead>()
  #copies = new Map<number, (buffer: GpuBuffer) => void>()
  #nextTicket = 1
  #lost: Error | null = null
  #maxBinding: number
  #timed: TimedBatch[] | null = null
  /** Whether the last batch was refused: told when these are done. */
  #judging: Promise<void>[] = []

  readonly #host: DriverHost

  constructor(device: GpuDevice, host: DriverHost) {
    this.device = device
    this.#host = host
    this.#maxBinding = device.limits['maxStorageBufferBindingSize'] ?? 2 ** 27
    this.#buffers[0] = this.#make(256, USAGE.STORAGE | USAGE.COPY_SRC | USAGE.COPY_DST)
    device.onuncapturederror = (event) => {
      // A batch that the GPU refuses is refused as a whole: what its commands were to write is not there, and nobody knows what lies there instead.
      this.end(failureOf(event.error, null, []))
    }
    void device.lost.then((info) => {
      const reason = `the webgpu device was lost (${info.message || info.reason || 'no reason given'}): call torch.webgpu.init() again and load your state from the cpu`
      this.end(new TorchError(reason, 'DeviceError'))
    })
  }

  /** From now on everything fails with this error. */
  end(error: TorchError): void {
    if (this.#lost) return
    this.#lost = error
    for (const read of this.#reads.values()) read.reject(error)
    this.#reads.clear()
    this.#host.ended(error.message)
  }

  #watch(filters: readonly (typeof FILTERS)[number][]): void {
    for (const filter of filters) this.device.pushErrorScope(filter)
  }

  /** Of what was done since `#watch`: the first error ends the device, with the names of these operators. */
  #judge(filters: readonly (typeof FILTERS)[number][], kernel: string | null, operators: () => Iterable<number>): void {
    for (let i = filters.length; i-- > 0;)
      this.#judging.push(
        this.device.popErrorScope().then(
          (error) => {
            if (!error || this.#lost) return
            const names = Array.from(operators(), (o) => this.#host.operatorName(o)).filter((name) => name !== '')
            this.end(failureOf(error, kernel, [...new Set(names)], filters[i]))
          },
          () => undefined, // the device is gone, and its loss is told elsewhere
        ),
      )
  }

  get lost(): boolean {
    return this.#lost !== null
  }

  /** What went wrong in a batch so far (a kernel that the GPU refuses), once. */
  takeFailure(): Error | null {
    return this.#lost
  }

  /** A number for a read, and a promise of what it will give. */
  expectRead(): { ticket: number; words: Promise<ArrayBuffer> } {
    const ticket = this.#nextTicket++
    const words = new Promise<ArrayBuffer>((resolve, reject) => {
      if (this.#lost) reject(this.#lost)
      else this.#reads.set(ticket, { resolve, reject })
    })
    return { ticket, words }
  }

  /** A number for a read, and a promise of a buffer of its own with what would be read. */
  expectCopy(): { ticket: number; buffer: Promise<GpuBuffer> } {
    const ticket = this.#nextTicket++
    const buffer = new Promise<GpuBuffer>((resolve, reject) => {
      if (this.#lost) reject(this.#lost)
      else this.#copies.set(ticket, resolve)
    })
    return { ticket, buffer }
  }

  dropRead(ticket: number): void {
    this.#reads.delete(ticket)
    this.#copies.delete(ticket)
  }

  /** When everything submitted so far is done. */
  async done(): Promise<void> {
    await this.device.queue.onSubmittedWorkDone()
    await Promise.all(this.#judging)
    const failure = this.takeFailure()
    if (failure) throw failure
  }

  /** How often each kernel was launched. */
  launches(): Record<string, number> {
    const counts: Record<string, number> = {}
    for (const p of this.#pipelines) if (p && p.launches > 0) counts[p.label] = (counts[p.label] ?? 0) + p.launches
    return counts
  }

  // ---- timing ----

  /** From now on every launch is timed: it is a pass of its own, which costs something. */
  startTiming(): void {
    this.#timed = []
  }

  /** The launches since then, in order. */
  async stopTiming(): Promise<TimedLaunch[]> {
    const batches = this.#timed ?? []
    this.#timed = null
    const launches: TimedLaunch[] = []
    for (const b of batches) {
      const times = await b.times
      b.labels.forEach((label, i) => {
        const begin = times ? Number(times[2 * i]!) / 1e3 : 0,
          end = times ? Number(times[2 * i + 1]!) / 1e3 : 0
        launches.push({ label, begin, end: Math.max(begin, end) })
      })
    }
    return launches
  }

  /** The place of the next launch: a batch, and what its pass is begun with. */
  #timePass(label: string): object | undefined {
    let batch = this.#timed!.at(-1)
    if (!batch || batch.times || batch.labels.length === TIMED) {
      const has = this.device.features.has('timestamp-query')
      batch = { labels: [], queries: has ? this.device.createQuerySet({ type: 'timestamp', count: 2 * TIMED }) : null, times: null }
      this.#timed!.push(batch)
    }
    const at = 2 * batch.labels.push(label) - 2
    if (!batch.queries) return undefined
    return { timestampWrites: { querySet: batch.queries, beginningOfPassWriteIndex: at, endOfPassWriteIndex: at + 1 } }
  }

  /** At the end of a stream: the times go to buffers that can be read. Gives what is to be done after the submit. */
  #resolveTimes(encoder: GpuEncoder): () => void {
    const after: (() => void)[] = []
    for (const batch of this.#timed ?? []) {
      const { queries } = batch
      if (!queries || batch.times || batch.labels.length === 0) continue
      const size = 16 * batch.labels.length
      const resolved = this.device.createBuffer({ size, usage: USAGE.QUERY_RESOLVE | USAGE.COPY_SRC })
      const read = this.device.createBuffer({ size, usage: USAGE.MAP_READ | USAGE.COPY_DST })
      encoder.resolveQuerySet(queries, 0, 2 * batch.labels.length, resolved, 0)
      encoder.copyBufferToBuffer(resolved, 0, read, 0, size)
      let start!: () => void
      const submitted = new Promise<void>((resolve) => (start = resolve))
      batch.times = submitted
        .then(() => read.mapAsync(1))
        .then(() => {
          const times = new BigUint64Array(read.getMappedRange().slice(0))
          for (const used of [read, resolved, queries]) used.destroy()
          return times
        })
      batch.times.catch(() => undefined)
      after.push(start)
    }
    return () => after.forEach((f) => f())
  }

  // ---- buffers ----

  #make(size: number, usage: number): Buffer {
    this.counters.buffers++
    return { gpu: this.device.createBuffer({ size, usage }), serial: this.#serial++ }
  }

  #take(bytes: number, operator: number): Buffer {
    const size = sizeClass(bytes)
    const list = this.#pool.get(size)
    this.counters.used_bytes += size
    const known = list?.pop()
    if (known) {
      this.counters.pooled_bytes -= size
      return known
    }
    this.#watch(MEMORY)
    const made = this.#make(size, USAGE.STORAGE | USAGE.COPY_SRC | USAGE.COPY_DST)
    this.#judge(MEMORY, null, () => [operator])
    return made
  }

  #giveBack(buffer: Buffer): void {
    const { size } = buffer.gpu
    this.counters.used_bytes -= size
    let list = this.#pool.get(size)
    if (!list) this.#pool.set(size, (list = []))
    list.push(buffer)
    this.counters.pooled_bytes += size
  }

  /** Destroys what nobody uses. Not while commands wait: they may still name those buffers. */
  trim(limit = 0): void {
    if (this.counters.pooled_bytes <= limit) return
    for (const list of this.#pool.values()) for (const b of list) b.gpu.destroy()
    this.#pool.clear()
    this.#groups.clear()
    for (const list of this.#readPool.values()) for (const b of list) b.destroy()
    this.#readPool.clear()
    this.counters.pooled_bytes = 0
  }

  // ---- pipelines ----

  #layout(writes: readonly boolean[]): { group: GpuLayout; pipeline: object } {
    const key = writes.map((w) => (w ? 'w' : 'r')).join('')
    let layout = this.#layouts.get(key)
    if (!layout) {
      const COMPUTE = 4
      const group = this.device.createBindGroupLayout({
        entries: [
          { binding: 0, visibility: COMPUTE, buffer: { type: 'uniform', hasDynamicOffset: true } },
          ...writes.map((w, i) => ({ binding: i + 1, visibility: COMPUTE, buffer: { type: w ? 'storage' : 'read-only-storage' } })),
        ],
      })
      layout = { group, pipeline: this.device.createPipelineLayout({ bindGroupLayouts: [group] }) }
      this.#layouts.set(key, layout)
    }
    return layout
  }

  #addPipeline(number: number, writes: readonly boolean[], label: string, code: string): void {
    const layout = this.#layout(writes)
    this.#watch(COMPILING)
    const module = this.device.createShaderModule({ code, label })
    const pipeline = this.device.createComputePipeline({ label, layout: layout.pipeline, compute: { module, entryPoint: 'main' } })
    const p: Pipeline = { pipeline, layout: layout.group, label, launches: 0, operator: 0 }
    this.#judge(COMPILING, label, () => [p.operator])
    this.#pipelines[number] = p
    this.counters.pipelines++
  }

  #group(number: number, p: Pipeline, buffers: Uint32Array, uniformBytes: number): GpuBindGroup {
    let key = String(number)
    for (let i = 0; i < buffers.length; i++) key += `,${this.#buffers[buffers[i]!]!.serial}`
    let group = this.#groups.get(key)
    if (group) return group
    if (this.#groups.size >= BIND_GROUPS) this.#groups.clear()
    group = this.device.createBindGroup({
      layout: p.layout,
      entries: [
        { binding: 0, resource: { buffer: this.#staging!.gpu, offset: 0, size: uniformBytes } },
        ...Array.from(buffers, (b, i) => {
          const { gpu } = this.#buffers[b]!
          return { binding: i + 1, resource: { buffer: gpu, offset: 0, size: Math.min(gpu.size, this.#maxBinding) } }
        }),
      ],
    })
    this.counters.bind_groups++
    this.#groups.set(key, group)
    return group
  }

  // ---- batches ----

  /** Uniforms and uploads of a batch go to the GPU as one write, before its commands. */
  #stage(words: Uint32Array): void {
    let bytes = 0
    for (let at = 0; at < words.length; at += words[at + 1]!) {
      if (words[at] === DISPATCH) bytes += Math.ceil((words[at + 6]! * 4) / UNIFORM_STEP) * UNIFORM_STEP
      else if (words[at] === WRITE) bytes += Math.ceil(words[at + 4]! / UNIFORM_STEP) * UNIFORM_STEP
    }
    if (bytes === 0) return
    if (!this.#staging || this.#staging.gpu.size < bytes) {
      this.#staging?.gpu.destroy()
      this.#groups.clear()
      this.#staging = this.#make(sizeClass(Math.max(bytes, 64 * UNIFORM_STEP)), USAGE.UNIFORM | USAGE.COPY_SRC | USAGE.COPY_DST)
    }
    const data = new Uint32Array(bytes / 4)
    let to = 0
    for (let at = 0; at < words.length; at += words[at + 1]!) {
      const command = words[at]
      if (command === DISPATCH) {
        const n = words[at + 6]!
        data.set(words.subarray(at + 8, at + 8 + n), to)
        to += Math.ceil((n * 4) / UNIFORM_STEP) * (UNIFORM_STEP / 4)
      } else if (command === WRITE) {
        const bytesOf = words[at + 4]!
        data.set(words.subarray(at + 5, at + 5 + bytesOf / 4), to)
        to += Math.ceil(bytesOf / UNIFORM_STEP) * (UNIFORM_STEP / 4)
      }
    }
    this.device.queue.writeBuffer(this.#staging.gpu, 0, data)
  }

  /** Runs a stream of commands. */
  run(stream: Uint8Array): void {
    const words = new Uint32Array(stream.buffer, stream.byteOffset, stream.byteLength >> 2)
    if (words.length === 0) return
    if (this.#lost) return
    const operators = new Set<number>()
    this.#judging = []
    this.#watch(FILTERS)
    this.#stage(words)
    let encoder: GpuEncoder | null = null
    let pass: GpuPass | null = null
    let staged = 0
    const reads: { buffer: GpuBuffer; bytes: number; ticket: number }[] = []
    const outside = (): GpuEncoder => {
      pass?.end()
      pass = null
      return (encoder ??= this.device.createCommandEncoder())
    }
    for (let at = 0; at < words.length; at += words[at + 1]!) {
      switch (words[at]) {
        case CREATE:
          this.#buffers[words[at + 2]!] = this.#take(words[at + 3]!, words[at + 4]!)
          break
        case FREE: {
          const number = words[at + 2]!
          const buffer = this.#buffers[number]
          this.#buffers[number] = undefined
          if (buffer) this.#giveBack(buffer)
          break
        }
        case WRITE: {
          const bytes = words[at + 4]!
          if (bytes) outside().copyBufferToBuffer(this.#staging!.gpu, staged, this.#buffers[words[at + 2]!]!.gpu, words[at + 3]!, bytes)
          staged += Math.ceil(bytes / UNIFORM_STEP) * UNIFORM_STEP
          break
        }
        case COPY:
          outside().copyBufferToBuffer(
            this.#buffers[words[at + 2]!]!.gpu,
            words[at + 3]!,
            this.#buffers[words[at + 4]!]!.gpu,
            words[at + 5]!,
            words[at + 6]!,
          )
          break
        case CLEAR:
          outside().clearBuffer(this.#buffers[words[at + 2]!]!.gpu, words[at + 3]!, words[at + 4]!)
          break
        case PIPELINE: {
          const n = words[at + 3]!
          const text = new TextDecoder()
          const from = (at + 6 + n) * 4
          const label = text.decode(stream.subarray(from, from + words[at + 4]!))
          const code = text.decode(stream.subarray(from + words[at + 4]!, from + words[at + 4]! + words[at + 5]!))
          const writes = Array.from({ length: n }, (_, i) => words[at + 6 + i] !== 0)
          this.#addPipeline(words[at + 2]!, writes, label, code)
          break
        }
        case DISPATCH: {
          const number = words[at + 2]!
          const p = this.#pipelines[number]!
          const n = words[at + 6]!
          const from = at + 8 + n
          const group = this.#group(number, p, words.subarray(from, from + words[at + 7]!), n * 4)
          encoder ??= this.device.createCommandEncoder()
          if (this.#timed) outside()
          pass ??= encoder.beginComputePass(this.#timed ? this.#timePass(p.label) : undefined)
          pass.setPipeline(p.pipeline)
          pass.setBindGroup(0, group, [staged])
          pass.dispatchWorkgroups(words[at + 3]!, words[at + 4]!, words[at + 5]!)
          staged += Math.ceil((n * 4) / UNIFORM_STEP) * UNIFORM_STEP
          this.counters.dispatches++
          p.launches++
          p.operator ||= words[from + words[at + 7]!]!
          operators.add(words[from + words[at + 7]!]!)
          break
        }
        case READ: {
          const bytes = words[at + 4]!
          const wanted = this.#copies.get(words[at + 5]!)
          if (wanted) {
            this.#copies.delete(words[at + 5]!)
            const own = this.#make(Math.max(bytes, 4), USAGE.STORAGE | USAGE.COPY_SRC | USAGE.COPY_DST).gpu
            if (bytes) outside().copyBufferToBuffer(this.#buffers[words[at + 2]!]!.gpu, words[at + 3]!, own, 0, bytes)
            wanted(own)
            break
          }
          const size = sizeClass(bytes + ERROR_BYTES)
          const buffer = this.#readPool.get(size)?.pop() ?? this.#make(size, USAGE.MAP_READ | USAGE.COPY_DST).gpu
          const e = outside()
          if (bytes) e.copyBufferToBuffer(this.#buffers[words[at + 2]!]!.gpu, words[at + 3]!, buffer, 0, bytes)
          e.copyBufferToBuffer(this.#buffers[0]!.gpu, 0, buffer, bytes, ERROR_BYTES)
          reads.push({ buffer, bytes, ticket: words[at + 5]! })
          break
        }
        default:
          throw new TorchError(`webgpu: there is no command ${words[at]}`, 'InternalError')
      }
    }
    if (encoder) {
      const e = outside()
      const timed = this.#timed ? this.#resolveTimes(e) : null
      this.device.queue.submit([e.finish()])
      this.counters.submits++
      timed?.()
    }
    this.#judge(FILTERS, null, () => operators)
    for (const r of reads) void this.#finishRead(r.buffer, r.bytes, r.ticket, this.#judging)
    this.trim(this.poolLimit)
  }

  async #finishRead(buffer: GpuBuffer, bytes: number, ticket: number, judging: readonly Promise<void>[]): Promise<void> {
    this.counters.reads++
    let words: ArrayBuffer
    try {
      await buffer.mapAsync(1)
      await Promise.all(judging)
      words = buffer.getMappedRange().slice(0, bytes + ERROR_BYTES)
      buffer.unmap()
    } catch (cause) {
      const read = this.#reads.get(ticket)
      this.#reads.delete(ticket)
      read?.reject(this.takeFailure() ?? new TorchError(`webgpu: the result could not be read: ${(cause as Error).message}`, 'DeviceError'))
      return
    }
    let list = this.#readPool.get(buffer.size)
    if (!list) this.#readPool.set(buffer.size, (list = []))
    list.push(buffer)
    const read = this.#reads.get(ticket)
    this.#reads.delete(ticket)
    if (!read) return
    const failure = this.takeFailure()
    const [code, a, b, operator] = new Int32Array(words, bytes, 4)
    if (failure) read.reject(failure)
    else if (code) {
      this.device.queue.writeBuffer(this.#buffers[0]!.gpu, 0, new Uint8Array(ERROR_BYTES))
      read.reject(this.#host.kernelError(code, a!, b!, operator!))
    } else read.resolve(words.slice(0, bytes))
  }
}
