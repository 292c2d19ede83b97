// What was recorded, sums of it by name, and the table of those.
import type { ProfilerActivity } from './index.js'

export type EventKind = 'operator' | 'backward' | 'range' | 'kernel'

export interface TimeRange {
  /** Microseconds since the profiler began. */
  readonly start: number
  readonly end: number
  elapsed_us(): number
}

/** One event: an operator, a node of backward, a range of record_function, or a kernel of the device. Times are in microseconds. */
export class FunctionEvent {
  readonly cpu_children: FunctionEvent[] = []
  readonly kernels: FunctionEvent[] = []
  constructor(
    readonly id: number,
    readonly name: string,
    readonly kind: EventKind,
    readonly time_range: TimeRange,
    readonly cpu_parent: FunctionEvent | null,
  ) {}
  get key(): string {
    return this.name
  }
  get count(): number {
    return 1
  }
  get cpu_time_total(): number {
    return this.kind === 'kernel' ? 0 : this.time_range.elapsed_us()
  }
  get self_cpu_time_total(): number {
    return this.cpu_time_total - this.cpu_children.reduce((sum, c) => sum + c.cpu_time_total, 0)
  }
  /** Time on the device of the kernels that this event launched itself, or of the kernel that it is. */
  get self_device_time_total(): number {
    if (this.kind === 'kernel') return this.time_range.elapsed_us()
    return this.kernels.reduce((sum, k) => sum + k.time_range.elapsed_us(), 0)
  }
  get device_time_total(): number {
    return this.self_device_time_total + this.cpu_children.reduce((sum, c) => sum + c.device_time_total, 0)
  }
}

/** The events of one name. */
export class FunctionEventAvg {
  count = 0
  cpu_time_total = 0
  self_cpu_time_total = 0
  device_time_total = 0
  self_device_time_total = 0
  constructor(
    readonly key: string,
    readonly kind: EventKind,
  ) {}
  add(e: FunctionEvent): void {
    this.count++
    // An operator inside one of its own name is in that one's time already.
    let outer = e.cpu_parent
    while (outer && outer.name !== e.name) outer = outer.cpu_parent
    if (!outer) {
      this.cpu_time_total += e.cpu_time_total
      this.device_time_total += e.device_time_total
    }
    this.self_cpu_time_total += e.self_cpu_time_total
    this.self_device_time_total += e.self_device_time_total
  }
  get cpu_time(): number {
    return this.count ? this.cpu_time_total / this.count : 0
  }
  get device_time(): number {
    return this.count ? this.device_time_total / this.count : 0
  }
  toString(): string {
    return (
      `<FunctionEventAvg key=${this.key} self_cpu_time=${time(this.self_cpu_time_total)} cpu_time=${time(this.cpu_time)} ` +
      ` self_device_time=${time(this.self_device_time_total)} device_time=${time(this.device_time)}>`
    )
  }
}

export interface TableOptions {
  /** Rows with the largest first: cpu_time_total, self_cpu_time_total, cpu_time, device_time_total, self_device_time_total, device_time, count. */
  readonly sort_by?: SortKey | null
  readonly row_limit?: number
  readonly max_name_column_width?: number
  readonly header?: string | null
  /** Only events that are in no other one. */
  readonly top_level_events_only?: boolean
}
const KEYS = [
  'cpu_time_total',
  'self_cpu_time_total',
  'cpu_time',
  'device_time_total',
  'self_device_time_total',
  'device_time',
  'count',
] as const
export type SortKey = (typeof KEYS)[number]

/** 1234.5 -> '1.234ms': as PyTorch writes microseconds. */
function time(us: number): string {
  if (us >= 1e6) return `${(us / 1e6).toFixed(3)}s`
  if (us >= 1e3) return `${(us / 1e3).toFixed(3)}ms`
  return `${us.toFixed(3)}us`
}
const share = (part: number, whole: number): string => (whole === 0 ? 'NaN' : `${((part * 100) / whole).toFixed(2)}%`)

/** A list of events, or of their sums by name. */
export class EventList extends Array<FunctionEvent | FunctionEventAvg> {
  /** Whether there are columns for the device. */
  device = false
  static override get [Symbol.species](): ArrayConstructor {
    return Array
  }
  static of_events(events: readonly (FunctionEvent | FunctionEventAvg)[], device: boolean): EventList {
    const list = new EventList()
    for (const e of events) list.push(e)
    list.device = device
    return list
  }

  get self_cpu_time_total(): number {
    return this.reduce((sum, e) => sum + e.self_cpu_time_total, 0)
  }

  /** Sums by name, in the order in which the names first came. */
  key_averages(): EventList {
    const sums = new Map<string, FunctionEventAvg>()
    for (const e of this) {
      if (!(e instanceof FunctionEvent)) continue
      const key = `${e.kind === 'kernel'} ${e.key}`
      let sum = sums.get(key)
      if (!sum) sums.set(key, (sum = new FunctionEventAvg(e.key, e.kind)))
      sum.add(e)
    }
    return EventList.of_events([...sums.values()], this.device)
  }

  /** The sum of all. */
  total_average(): FunctionEventAvg {
    const total = new FunctionEventAvg('Total', 'range')
    for (const e of this) {
      total.count += e.count
      total.self_cpu_time_total += e.self_cpu_time_total
      if (e.kind === 'kernel') total.self_device_time_total += e.self_device_time_total
    }
    total.cpu_time_total = total.self_cpu_time_total
    total.device_time_total = total.self_device_time_total
    return total
  }

  /** As text: a row a name (or an event), with shares of the whole, as PyTorch prints it. */
  table(options: TableOptions = {}): string {
    const { sort_by = null, row_limit = 100, max_name_column_width = 55, header = null, top_level_events_only = false } = options
    if (this.length === 0) return ''
    let events: (FunctionEvent | FunctionEventAvg)[] = [...this]
    if (sort_by !== null) {
      if (!KEYS.includes(sort_by)) throw new RangeError(`table(): sort_by has to be one of ${KEYS.join(', ')}, got '${String(sort_by)}'`)
      events.sort((a, b) => number(b, sort_by) - number(a, sort_by))
    }
    if (top_level_events_only) events = events.filter((e) => !(e instanceof FunctionEvent) || !e.cpu_parent)
    const cpu = this.self_cpu_time_total
    const kernels = this.filter((e) => e.kind === 'kernel')
    const onDevice = kernels.reduce((sum, e) => sum + e.self_device_time_total, 0)
    const longest = Math.max(...events.map((e) => e.key.length)) + 4
    const nameWidth = max_name_column_width > 0 ? Math.min(longest, max_name_column_width) : longest
    const headers = ['Name', 'Self CPU %', 'Self CPU', 'CPU total %', 'CPU total', 'CPU time avg']
    if (this.device) headers.push('Self WebGPU', 'Self WebGPU %', 'WebGPU total', 'WebGPU time avg')
    headers.push('# of Calls')
    const widths = headers.map((h, i) => (i === 0 ? nameWidth : Math.max(12, h.length)))
    const row = (cells: readonly string[]): string => cells.map((c, i) => `${c.padStart(widths[i]!)}  `).join('')
    const rule = `${widths.map((w) => '-'.repeat(w)).join('  ')}  `
    const lines: string[] = []
    if (header !== null) lines.push('='.repeat(rule.length), header)
    lines.push(rule, row(headers), rule)
    for (const e of events.slice(0, row_limit < 0 ? undefined : row_limit)) {
      const name =
        max_name_column_width > 0 && e.key.length >= max_name_column_width - 3 ? `${e.key.slice(0, max_name_column_width - 3)}...` : e.key
      const cells = [
        name,
        share(e.self_cpu_time_total, cpu),
        time(e.self_cpu_time_total),
        share(e.cpu_time_total, cpu),
        time(e.cpu_time_total),
        time(number(e, 'cpu_time')),
      ]
      if (this.device)
        cells.push(
          time(e.self_device_time_total),
          share(e.self_device_time_total, onDevice),
          time(e.device_time_total),
          time(number(e, 'device_time')),
        )
      lines.push(row([...cells, String(e.count)]))
    }
    lines.push(rule, `Self CPU time total: ${time(cpu)}`)
    if (this.device) lines.push(`Self WebGPU time total: ${time(onDevice)}`)
    return `${lines.join('\n')}\n`
  }

  override toString(): string {
    return this.table()
  }
}

function number(e: FunctionEvent | FunctionEventAvg, key: SortKey): number {
  if (key === 'cpu_time') return e.cpu_time_total / e.count
  if (key === 'device_time') return e.device_time_total / e.count
  return e[key]
}

const CATEGORIES = { operator: 'cpu_op', backward: 'cpu_op', range: 'user_annotation', kernel: 'kernel' } as const

/** The events as a trace that chrome://tracing and Perfetto show: JSON. */
export function chromeTrace(events: readonly FunctionEvent[], activities: readonly ProfilerActivity[]): string {
  const trace: object[] = [
    { ph: 'M', name: 'process_name', pid: 0, tid: 0, args: { name: 'torch.js' } },
    { ph: 'M', name: 'thread_name', pid: 0, tid: 0, args: { name: 'cpu' } },
    ...(activities.includes('WEBGPU') ? [{ ph: 'M', name: 'thread_name', pid: 0, tid: 1, args: { name: 'webgpu' } }] : []),
  ]
  for (const e of events) {
    const { start } = e.time_range
    const kernel = e.kind === 'kernel'
    trace.push({
      ph: 'X',
      cat: CATEGORIES[e.kind],
      name: e.name,
      pid: 0,
      tid: kernel ? 1 : 0,
      ts: start,
      dur: e.time_range.elapsed_us(),
      args: { 'External id': kernel ? (e.cpu_parent?.id ?? -1) : e.id },
    })
  }
  return JSON.stringify({ schemaVersion: 1, displayTimeUnit: 'ms', traceEvents: trace }, null, 1)
}
