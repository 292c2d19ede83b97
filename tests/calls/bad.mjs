// Calls every operator of the schema, and every other function and method of the package, with arguments that are wrong in all the ways that
// a caller can be wrong. A call has to return or to throw a TorchError, must not change its inputs when it throws, and must leave nothing behind.
//   node --expose-gc tests/calls/bad.mjs [--from N] [--shard K/N] [--only REGEX] [--trace]
// Before a target its number and name are written, and a line for each fault: whoever started this knows what was running when it crashed.
import { writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import torch, { Tensor, TorchError } from 'torch.js'
import { loadSchema } from '../../codegen/schema.mjs'

const { values: options } = parseArgs({
  options: {
    from: { type: 'string', default: '0' },
    shard: { type: 'string', default: '0/1' },
    only: { type: 'string' },
    trace: { type: 'boolean' },
  },
})
const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..')
const say = (line) => writeSync(1, line + '\n')

// ---- values ----------------------------------------------------------------------------------------------------------

// Tensors are made anew for every call: `make` says how.
const t =
  (shape, dtype = 'float32') =>
  () =>
    dtype.includes('float') || dtype.includes('complex') ? torch.rand(shape).to(dtype) : torch.ones(shape, { dtype })
const disposed = () => {
  const x = torch.ones(2, 3)
  x.dispose()
  return x
}
const is = (v) => () => v

const TENSORS = [
  t([2, 3]),
  t([]),
  t([0]),
  t([0, 3]),
  t([5, 7]),
  t([3, 3]),
  t([2, 3, 4, 5]),
  t([1, 1, 1, 1, 1, 1]),
  t([2, 3], 'int64'),
  t([2, 3], 'bool'),
  t([2, 3], 'uint8'),
  t([2, 3], 'float16'),
  t([2, 3], 'complex64'),
  t([], 'int64'),
  () => torch.rand(3, 2).t(),
  () => torch.rand(1, 3).expand(2, 3),
  () => torch.full([2, 3], NaN),
  () => torch.full([2, 3], -7, { dtype: 'int64' }),
  () => torch.full([2, 3], 2 ** 40, { dtype: 'int64' }),
  () => torch.rand(2, 3).requires_grad_(),
  () => torch.ones(Array(64).fill(1)),
  disposed,
  is(Object.create(Tensor.prototype)),
  is({ handle: 1, shape: [2, 3] }),
]
const PLAIN = [
  undefined,
  null,
  {},
  [],
  '',
  'abc',
  'float32',
  'webgpu',
  'cuda:0',
  'float33',
  NaN,
  Infinity,
  0,
  -1,
  0.5,
  3,
  100,
  2 ** 40, // more than any machine has, and 0 in 32 bits
  -(2 ** 40) - 1,
  2 ** 45,
  2 ** 53 + 2,
  2 ** 60,
  -(2 ** 63),
  2 ** 63,
  1e300,
  5n,
  2n ** 63n,
  -(2n ** 63n),
  2n ** 70n,
  true,
  { re: 1, im: 2 },
  { re: 'a', im: 2 },
  { unknown_option: 1 },
  { dim: 7, dtype: 'nothing', out: 3 },
  () => 1,
  Symbol('s'),
  new Date(0),
  new Map(),
  new Float32Array(3),
  [0],
  [-1],
  [0, 0],
  [1, 2],
  [NaN],
  ['a'],
  [null],
  [undefined],
  [0.5],
  [[1], [2, 3]],
  [2 ** 60],
  [2 ** 31, 2 ** 31, 2 ** 31],
  [2 ** 62, 2 ** 62],
  [0, 2 ** 62, 2 ** 62],
  [2n ** 70n],
  [-(2n ** 63n)],
  [-5, 3],
  new Array(65).fill(1),
  new Array(4096).fill(1),
  new Array(3),
  [() => 1],
  [Symbol('s')],
].map(is)
const LISTS = [
  () => [torch.rand(2, 3)],
  () => [torch.rand(2, 3), torch.rand(4, 5)],
  () => [torch.rand(2, 3), null],
  () => [torch.rand(2), disposed()],
  () => [torch.rand(2), torch.ones(2, { dtype: 'int64' }), torch.ones(2, { dtype: 'complex64' })],
]
const BAD = [...PLAIN, ...TENSORS, ...LISTS]

// A caller who knows what he does, by type of the argument; the first combination that works is what gets spoiled.
function good(type, attempt) {
  const shapes = [[2, 3], [3, 3], [2, 3, 8], [2, 3, 8, 8], [1, 3, 6, 6, 6], [4], [2, 2, 2]]
  const shape = shapes[attempt % shapes.length]
  const dtype = attempt >= shapes.length ? (attempt >= 2 * shapes.length ? 'bool' : 'int64') : 'float32'
  if (type.list) {
    if (type.base === 'Tensor') return () => [t(shape, dtype)(), t(shape, dtype)()]
    return is(new Array(type.size ?? 1).fill({ int: 1, float: 0.5, bool: true, Scalar: 1 }[type.base]))
  }
  if (type.base === 'Tensor') return t(shape, dtype)
  return is({ Scalar: 0.5, ScalarType: 'float32', Device: 'cpu', Generator: null, int: 1, float: 0.5, bool: true, str: 'none' }[type.base])
}

// ---- targets ---------------------------------------------------------------------------------------------------------

// { name, call(args), types: of the arguments, or null }
function targets() {
  const ops = loadSchema(join(ROOT, 'schema/ops'))
  const rooms = { torch, 'nn.functional': torch.nn.functional, special: torch.special, linalg: torch.linalg, fft: torch.fft }
  const list = new Map()
  const add = (name, call, types) => {
    if (!list.has(name)) list.set(name, { name, call, types: [] })
    if (types) list.get(name).types.push(types)
  }
  const typesOf = new Map()
  for (const op of ops) {
    if (op.namespace === 'internal') continue
    for (const name of [op.name, ...op.aliases]) {
      const types = op.args.map((a) => ({ ...a.type, name: a.name, required: a.default === undefined && !a.kwonly, kwonly: a.kwonly }))
      for (const form of [name, `${name}_`]) {
        const key = `${op.namespace} ${form}`
        typesOf.set(key, [...(typesOf.get(key) ?? []), types])
        typesOf.set(`method ${form}`, [...(typesOf.get(`method ${form}`) ?? []), types])
      }
    }
  }
  for (const [room, object] of Object.entries(rooms))
    for (const [name, f] of Object.entries(object))
      if (typeof f === 'function' && !/^[A-Z]/.test(name) && !EXCLUDED.has(name)) {
        const types = typesOf.get(`${room} ${name.replace(/^(var)_$/, '$1')}`)
        if (types) for (const one of types) add(`${room}.${name}`, (args) => f(...args), one)
        else add(`${room}.${name}`, (args) => f(...args), null)
      }
  for (const name of Object.getOwnPropertyNames(Tensor.prototype)) {
    const d = Object.getOwnPropertyDescriptor(Tensor.prototype, name)
    if (name === 'constructor' || name === 'dispose') continue
    // Without a tensor there is no method to call.
    const on = (f) => (args) => (args[0] instanceof Tensor ? f(args) : undefined)
    if (d.get)
      add(
        `get Tensor.${name}`,
        on(([self]) => Reflect.get(Tensor.prototype, name, self)),
        [{ base: 'Tensor', required: true }],
      )
    if (d.set)
      add(
        `set Tensor.${name}`,
        on(([self, v]) => Reflect.set(Tensor.prototype, name, v, self)),
        [
          { base: 'Tensor', required: true },
          { base: 'Tensor', required: true },
        ],
      )
    if (typeof d.value !== 'function') continue
    const call = on(([self, ...rest]) => Reflect.apply(d.value, self, rest))
    const types = typesOf.get(`method ${name}`)
    if (types) for (const one of types) add(`Tensor.${name}`, call, one)
    else add(`Tensor.${name}`, call, [{ base: 'Tensor', required: true }])
  }
  return [...list.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}
// They take functions to run, or change how everything else works; each has tests of its own.
const EXCLUDED = new Set(['dispose', 'keep', 'scope', 'no_grad', 'enable_grad', 'inference_mode', 'set_grad_enabled', 'fork_rng'])

// ---- one call --------------------------------------------------------------------------------------------------------

const counters = () => {
  const { live_tensors, live_bytes, live_nodes, live_handles } = torch.memory_stats()
  return `${live_tensors} tensors, ${live_bytes} bytes, ${live_nodes} nodes, ${live_handles} handles`
}
function tensorsIn(v, found = new Set(), depth = 0) {
  if (v instanceof Tensor) found.add(v)
  else if (v !== null && typeof v === 'object' && depth < 4 && !ArrayBuffer.isView(v))
    for (const x of Array.isArray(v) ? v.slice(0, 5000) : Object.values(v)) tensorsIn(x, found, depth + 1)
  return found
}
const alive = (x) => {
  try {
    return x.ndim >= 0
  } catch {
    return false
  }
}
const snapshot = (x) => {
  if (!alive(x)) return 'disposed'
  return `${x._version} ${x.shape} ${x.dtype} ${x.requires_grad} ${x.numel() <= 4096 ? x.detach_values : ''}`
}
Object.defineProperty(Tensor.prototype, 'detach_values', {
  get() {
    return torch.scope(() => Buffer.from(this.detach().data().buffer).toString('base64'))
  },
})

let faults = 0
const describe = (v) => {
  if (v instanceof Tensor) return alive(v) ? `Tensor<${v.dtype} [${v.shape}]>` : 'Tensor<disposed>'
  if (Array.isArray(v)) return v.length > 6 ? `[${v.length} items]` : `[${Array.from(v, describe).join(', ')}]`
  if (typeof v === 'bigint') return `${v}n`
  if (typeof v === 'string') return `'${v}'`
  if (v !== null && typeof v === 'object')
    return Object.getPrototypeOf(v) === Object.prototype ? `{${Object.keys(v)}}` : v.constructor?.name
  return String(v)
}
function fault(target, args, what) {
  faults++
  say(`FAULT\t${target.name}(${args})\t${what.replaceAll('\n', ' / ')}`)
}

/** Whether the call came back without an error. */
async function attempt(target, makers) {
  const before = counters()
  const args = torch.scope(() => makers.map((make) => make()))
  const text = args.map(describe).join(', ')
  if (options.trace) say(`CALL\t${target.name}(${text})`)
  const inputs = tensorsIn(args)
  const seen = [...inputs].map(snapshot)
  let result
  let error = null
  try {
    result = target.call(args)
    if (result instanceof Promise) result.catch(() => {}) // what it rejects with is what the call without a promise throws
  } catch (e) {
    error = e ?? new Error('threw nothing')
  }
  if (error && !(error instanceof TorchError))
    fault(target, text, `threw ${error.stack?.split('\n').slice(0, 4).join(' / ') ?? String(error)}`)
  if (error && error.code === 'InternalError') fault(target, text, `internal error: ${error.message}`)
  if (error)
    [...inputs].forEach((x, i) => {
      const now = snapshot(x)
      if (now !== seen[i])
        fault(target, text, `failed (${error.message}), but changed argument ${i}: ${seen[i].slice(0, 60)} -> ${now.slice(0, 60)}`)
    })
  for (const x of [...tensorsIn(result), ...inputs]) {
    if (!Object.hasOwn(x, 'handle')) continue
    if (alive(x)) x.grad = null
    x.dispose()
  }
  result = undefined
  if (counters() !== before) {
    await collect()
    if (counters() !== before)
      fault(target, text, `left behind: ${counters()}; before: ${before}${error ? `; error: ${error.message}` : ''}`)
  }
  return error === null
}
async function collect() {
  for (let i = 0; i < 3; i++) {
    globalThis.gc()
    await setImmediate()
  }
  torch.ones(1).dispose()
}

// ---- all of them -----------------------------------------------------------------------------------------------------

async function abuse(target) {
  const wrong = async (makers) => attempt(target, makers)
  await wrong([])
  for (const bad of BAD) await wrong([bad])
  for (const types of target.types) {
    // What works: with the required arguments alone, else with all positional ones.
    let base = null
    const required = types.filter((a) => a.required)
    for (let i = 0; i < 21 && !base; i++) {
      const makers = required.map((a) => good(a, i))
      if (await wrong(makers)) base = makers
    }
    const positional = types.filter((a) => !a.kwonly)
    base ??= required.map((a) => good(a, 0))
    for (let i = base.length; i < positional.length; i++) base.push(good(positional[i], 0))
    for (let k = 0; k < base.length; k++) {
      // What stands before the spoilt argument is given; what is optional behind it is left out, then given.
      for (const bad of BAD) {
        await wrong([...base.slice(0, k), bad, ...base.slice(k + 1, Math.max(required.length, k + 1))])
        if (k + 1 < base.length && base.length > required.length) await wrong([...base.slice(0, k), bad, ...base.slice(k + 1)])
      }
    }
    // The same by name, which is how keyword-only arguments are reached.
    for (const a of types.slice(1)) for (const bad of BAD) await wrong([...base.slice(0, required.length), () => ({ [a.name]: bad() })])
    for (const out of TENSORS) await wrong([...base.slice(0, required.length), () => ({ out: out() })])
    // One too many.
    await wrong([...base, ...base, ...base])
  }
}

const [shard, shards] = options.shard.split('/').map(Number)
const all = targets()
torch.manual_seed(0)
for (let i = Number(options.from); i < all.length; i++) {
  if (i % shards !== shard) continue
  if (options.only && !new RegExp(options.only).test(all[i].name)) continue
  say(`TARGET\t${i}\t${all[i].name}`)
  await abuse(all[i])
  torch.manual_seed(0)
  torch.set_default_dtype('float32')
}
say(`END\t${all.length}\t${faults}`)
