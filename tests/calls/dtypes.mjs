// Which dtypes each operator takes, and which of them it differentiates: found by calling it, and written to schema/dtypes.tsv.
//   node tests/calls/dtypes.mjs            prints what has changed
//   node tests/calls/dtypes.mjs --update   writes the file
// The calls are those of the gradcheck rows (tests/ts/samples); where there is none, of dtype_rows.mjs, or made up from the signature. What a
// row computes before it calls the operator does not count: the arguments that reach the operator are kept, converted to each dtype, and the
// operator alone is called again with them.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { fileURLToPath } from 'node:url'
import torch, { Tensor } from 'torch.js'
import { loadSchema } from '../../codegen/schema.mjs'
import { isSpec, tensor } from '../ts/samples/specs.mjs'
import byHand from './dtype_rows.mjs'

const INTEGER = ['uint8', 'int8', 'uint16', 'int16', 'uint32', 'int32', 'uint64', 'int64']
const INEXACT = ['float16', 'bfloat16', 'float32', 'float64', 'complex64', 'complex128']
const DTYPES = ['bool', ...INTEGER, ...INEXACT]
const inexact = (t) => INEXACT.includes(t.dtype)
const root = new URL('../../', import.meta.url)
export const FILE = fileURLToPath(new URL('schema/dtypes.tsv', root))

const space = (op) => op.namespace.split('.').reduce((o, k) => (k === 'torch' ? o : o[k]), torch)
const method =
  (f) =>
  (self, ...rest) =>
    Reflect.apply(f, self, rest)
// The operator as a function of its arguments, self among them.
function caller(op) {
  if (op.javascript) return torch[op.javascript]
  const f = op.function ? (space(op)[op.name] ?? space(op)[`${op.name}_`]) : undefined
  return f ?? method(Tensor.prototype[op.name])
}
const outputs = (r) =>
  r instanceof Tensor ? [r] : r !== null && typeof r === 'object' && Symbol.iterator in r ? [...r].flatMap(outputs) : []

// ---- which calls -----------------------------------------------------------------------------------------------------

// The calls of `op`, { call, args }, that happen while `run` runs: functions through the torch that it is given, methods through their prototype.
function captured(op, run) {
  const names = new Set([op.javascript ?? op.name, `${op.name}_`, ...op.aliases.map((a) => a.split('.').at(-1))])
  const calls = []
  let depth = 0
  const watch = (f) =>
    function (...args) {
      if (depth++ === 0) calls.push(this instanceof Tensor ? { call: method(f), args: [this, ...args] } : { call: f, args })
      try {
        return Reflect.apply(f, this, args)
      } finally {
        depth--
      }
    }
  const seen = new Map()
  const watched = (object) =>
    new Proxy(
      {},
      {
        get(_, key) {
          const value = object[key]
          if (typeof value === 'function' && names.has(key)) return watch(value)
          if (value === null || typeof value !== 'object' || value instanceof Tensor) return value
          if (!seen.has(value)) seen.set(value, watched(value))
          return seen.get(value)
        },
      },
    )
  const methods = [...names].filter((n) => typeof Object.getOwnPropertyDescriptor(Tensor.prototype, n)?.value === 'function')
  const before = methods.map((n) => [n, Object.getOwnPropertyDescriptor(Tensor.prototype, n)])
  for (const [n, d] of before) Object.defineProperty(Tensor.prototype, n, { ...d, value: watch(d.value) })
  try {
    run(watched(torch))
  } finally {
    for (const [n, d] of before) Object.defineProperty(Tensor.prototype, n, d)
  }
  return calls
}

function callsOfRow(op, row) {
  let at = 0
  const make = (spec) => tensor(torch, spec, ++at).detach()
  const fill = (v) => {
    if (isSpec(v)) return make(v)
    if (Array.isArray(v)) return v.map(fill)
    if (v !== null && typeof v === 'object' && Object.getPrototypeOf(v) === Object.prototype)
      return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, fill(x)]))
    return v
  }
  if (Array.isArray(row)) return [{ call: caller(op), args: row.map(fill) }]
  if (row.call) return [{ call: row.call, args: row.args.map(fill) }]
  const inputs = row.inputs.map(make)
  return captured(op, (t) => row.run(t, ...inputs))
}

// Calls made up from the types of the arguments that have no default.
function* madeUp(op) {
  const value = { Scalar: 1, ScalarType: 'float32', Device: 'cpu', Generator: null, int: 1, float: 0.5, bool: true, str: 'none' }
  const needed = op.args.filter((a) => !a.hasDefault && !a.kwonly)
  const named = op.args.filter((a) => !a.hasDefault && a.kwonly)
  for (const shape of [[2, 3], [3, 3], [2, 3, 8], [2, 3, 8, 8], [1, 2, 4, 4, 4], [4], []]) {
    for (const kinds of [['float64'], ['int64'], ['float64', 'int64'], ['bool'], ['float64', 'bool'], ['complex128']]) {
      let k = 0
      const one = (type) => {
        const t = () => torch.ones(shape, { dtype: kinds[Math.min(k++, kinds.length - 1)] })
        if (type.base === 'Tensor') return type.list ? [t(), t()] : t()
        return type.list ? Array(type.size ?? 1).fill(value[type.base]) : value[type.base]
      }
      const options = Object.fromEntries(named.map((a) => [a.name, one(a.type)]))
      yield [...needed.map((a) => one(a.type)), ...(named.length ? [options] : [])]
    }
  }
}

// ---- what they take ---------------------------------------------------------------------------------------------------

const mapTensors = (v, f) => {
  if (v instanceof Tensor) return f(v)
  if (Array.isArray(v)) return v.map((x) => mapTensors(x, f))
  if (v !== null && typeof v === 'object' && Object.getPrototypeOf(v) === Object.prototype)
    return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, mapTensors(x, f)]))
  return v
}
const tensorsOf = (args) => {
  const found = []
  mapTensors(args, (t) => (found.push(t), t))
  return found
}

// Which tensors stand for "the dtype": the inexact ones, or where there are none all, or the first.
function choices(args) {
  const all = tensorsOf(args)
  if (all.some(inexact)) return [new Set(all.filter(inexact))]
  return all.length > 1 ? [new Set(all), new Set([all[0]])] : [new Set(all)]
}
function attempt(f) {
  try {
    return torch.scope(() => f() !== false)
  } catch {
    return false
  }
}
const unsigned = (dtype) => dtype === 'bool' || dtype.startsWith('uint')
const converted = (t, dtype) => (unsigned(dtype) && inexact(t) ? t.abs() : t).to(dtype, { copy: true })

function takes(op, call, args, dtype) {
  const sets = choices(args)
  if (sets[0].size === 0) {
    // Nothing but numbers: the dtype is an option.
    const last = args.at(-1)
    const options = last !== null && typeof last === 'object' && !Array.isArray(last) ? args.pop() : {}
    return op.args.some((a) => a.name === 'dtype') && attempt(() => void call(...args, { ...options, dtype }))
  }
  return sets.some((set) =>
    attempt(() => void torch.no_grad(() => call(...mapTensors(args, (t) => (set.has(t) ? converted(t, dtype) : t.clone()))))),
  )
}
function differentiates(call, args, dtype) {
  return choices(args).some((set) =>
    attempt(() => {
      const leaves = []
      const given = mapTensors(args, (t) => {
        if (!set.has(t)) return t.clone()
        leaves.push(converted(t, dtype).requires_grad_())
        return leaves.at(-1).clone()
      })
      const results = outputs(call(...given)).filter((r) => r.requires_grad)
      if (results.length === 0) return false
      torch.autograd.grad(results, leaves, { grad_outputs: results.map((r) => torch.ones_like(r)), allow_unused: true })
    }),
  )
}

const samples = new URL('tests/ts/samples/', root)
let sampleRows
async function rowsOf(op) {
  sampleRows ??= (async () => {
    const files = readdirSync(samples).filter((f) => f !== 'specs.mjs')
    return Object.assign({}, ...(await Promise.all(files.map(async (f) => (await import(new URL(f, samples))).default))))
  })()
  return [...((await sampleRows)[op.cname] ?? []), ...(byHand[op.cname] ?? [])]
}

/** The arguments of calls of an operator, all of which succeed in one dtype or another. */
export async function callsOf(op) {
  const found = []
  for (const row of await rowsOf(op)) for (const { args } of torch.no_grad(() => callsOfRow(op, row))) found.push(args)
  if (found.length < 2) {
    const call = caller(op)
    for (const args of madeUp(op)) {
      if (attempt(() => void torch.no_grad(() => call(...args)))) found.push(args)
      if (found.length > 6) break
    }
  }
  return found
}

/** -> Map: C name of an operator -> [forward dtypes, dtypes with a derivative]; `missing`: operators that no call is known for. */
export async function measure() {
  const found = new Map()
  const missing = []
  for (const op of loadSchema(fileURLToPath(new URL('schema/ops', root)))) {
    if (op.namespace === 'internal') continue
    torch.manual_seed(0)
    const known = await rowsOf(op)
    const forward = new Set()
    const backward = new Set()
    const wants = op.composite || (op.backward && op.backward !== 'none')
    const use = ({ call, args }) => {
      for (const d of DTYPES) {
        if (!forward.has(d) && takes(op, call, [...args], d)) forward.add(d)
        if (wants && forward.has(d) && INEXACT.includes(d) && !backward.has(d) && differentiates(call, args, d)) backward.add(d)
      }
    }
    const full = () => forward.size === DTYPES.length && (!wants || backward.size === INEXACT.length)
    torch.scope(() => {
      for (const row of known) {
        if (full()) break
        torch.no_grad(() => callsOfRow(op, row)).forEach(use)
      }
      if (forward.size > 0) return
      const call = caller(op)
      for (const args of madeUp(op)) {
        if (attempt(() => void torch.no_grad(() => call(...args)))) use({ call, args })
        if (full()) break
      }
    })
    const sorted = (set) => DTYPES.filter((d) => set.has(d))
    if (forward.size === 0) missing.push(op.cname)
    else found.set(op.cname, [sorted(forward), sorted(backward)])
  }
  return { found, missing }
}

export const text = (found) =>
  'operator\tforward\tderivative\n' +
  [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, [f, b]]) => `${name}\t${f.join(' ')}\t${b.join(' ')}\n`)
    .join('')

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { update: { type: 'boolean' } } })
  const { found, missing } = await measure()
  const now = text(found)
  if (missing.length) console.error(`no call known (add rows to tests/calls/dtype_rows.mjs): ${missing.join(' ')}`)
  const before = new Set((existsSync(FILE) ? readFileSync(FILE, 'utf8') : '').split('\n'))
  for (const line of now.split('\n')) if (!before.has(line)) console.log(line)
  if (values.update) writeFileSync(FILE, now)
  process.exitCode = missing.length ? 1 : 0
}
