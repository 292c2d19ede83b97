// For each operator of the schema a program that is right, with its type, and one that is wrong: operators.tsv.
//   node tests/types/operators.mjs            prints the operators without a row, and rows that are not true any more
//   node tests/types/operators.mjs --update   makes rows for those
// A row is made of the calls of tests/calls: the right one is the first whose type is known best, the wrong one the first change to it that
// compiler and engine both refuse. A shape that does not fit is looked for before a dtype, and this before an argument or an option.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import torch, { Tensor, TorchError } from 'torch.js'
import { loadSchema } from '../../codegen/schema.mjs'
import { functionName } from '../../codegen/typescript.mjs'
import { callsOf } from '../calls/dtypes.mjs'
import { compile, describe, ROOT } from './compiler.mjs'

export const FILE = join(ROOT, 'tests/types/operators.tsv')
const HEAD = 'operator\tright\tits type\twrong\trefused as'

/** The operators that users call. */
export const operators = () => loadSchema(join(ROOT, 'schema/ops')).filter((op) => op.namespace !== 'internal')
export function rows() {
  if (!existsSync(FILE)) return new Map()
  const [, ...lines] = readFileSync(FILE, 'utf8').trimEnd().split('\n')
  return new Map(
    lines.map((l) => {
      const [name, right, type, wrong, error] = l.split('\t')
      return [name, { right, type, wrong, error }]
    }),
  )
}

// ---- texts of calls ------------------------------------------------------------------------------------------------

const FLOATS = ['float16', 'bfloat16', 'float32', 'float64']
const list = (v) => `[${v.join(', ')}]`
/** Ways to write a tensor of this shape and dtype: its elements matter to some operators. */
function tensorTexts(t) {
  const { shape, dtype } = t
  const sizes = list(shape)
  if (dtype === 'bool') return [`torch.ones(${sizes}, { dtype: 'bool' })`]
  if (!FLOATS.includes(dtype) && !dtype.startsWith('complex'))
    return (dtype === 'int32' ? ['ones', 'zeros'] : ['zeros', 'ones']).map((f) => `torch.${f}(${sizes}, { dtype: '${dtype}' })`)
  const option = dtype === 'float32' || dtype === 'float64' ? '' : `, { dtype: '${dtype}' }`
  const square = shape.length === 2 && shape[0] === shape[1] && !option
  return [
    `torch.ones(${sizes}${option})`,
    ...(square ? [`torch.eye(${shape[0]})`] : []),
    `torch.full(${sizes}, 0.5${option})`,
    `torch.rand(${sizes}${option})`,
  ]
}
const plain = (v) => v !== null && typeof v === 'object' && Object.getPrototypeOf(v) === Object.prototype
function text(v, way) {
  if (v instanceof Tensor) {
    const all = tensorTexts(v)
    return all[Math.min(way, all.length - 1)]
  }
  if (Array.isArray(v)) return list(v.map((x) => text(x, way)))
  if (plain(v) && Object.keys(v).length === 0) return '{}'
  if (plain(v))
    return `{ ${Object.entries(v)
      .map(([k, x]) => `${k}: ${text(x, way)}`)
      .join(', ')} }`
  if (typeof v === 'string') return `'${v}'`
  if (typeof v === 'bigint') return `${v}n`
  return v === undefined ? 'undefined' : String(v)
}
const space = (op) => (op.namespace === 'torch' ? 'torch' : `torch.${op.namespace}`)
/** The call of an operator with these texts as arguments. */
function callText(op, args) {
  if (op.javascript) return `torch.${op.javascript}(${args.join(', ')})`
  if (op.function) return `${space(op)}.${functionName(op.jsName)}(${args.join(', ')})`
  const at = Math.max(
    0,
    op.args.findIndex((a) => a.name === 'self'),
  )
  return `${args[at]}.${op.jsName}(${args.filter((_, i) => i !== at).join(', ')})`
}

export function run(source) {
  try {
    return { value: torch.scope(() => keepAll(new Function('torch', `return ${source}`)(torch))) }
  } catch (e) {
    if (e instanceof TorchError) return { message: e.message }
    return { broken: e.message }
  }
}
/** What a result is made of, as plain data. */
function keepAll(v) {
  if (v instanceof Tensor) return { shape: [...v.shape], dtype: v.dtype }
  if (v !== null && typeof v === 'object' && typeof v !== 'function') return Symbol.iterator in v ? [...v].map(keepAll) : v
  return v
}

// ---- changes to a call ---------------------------------------------------------------------------------------------

const SHAPE = /torch\.(?:ones|zeros|full|rand)\(\[([\d, ]*)\]/g
/** Programs that are wrong in one way each, those of shapes first. */
function* changes(op, args) {
  const whole = callText(op, args)
  const sizes = [...whole.matchAll(SHAPE)]
  const other = [
    (s) => [...s.slice(0, -1), 7],
    (s) => s.slice(0, -1),
    (s) => [7, ...s.slice(1)],
    (s) => [...s.slice(0, -2), 7, ...s.slice(-1)],
    () => [],
    (s) => [2, ...s],
    (s) => [...s, 2],
    () => [2, 3, 4, 5, 6, 7, 8],
    () => [0],
    () => [1],
    () => [5],
    () => [2, 3],
  ]
  for (const m of sizes)
    for (const change of other) {
      const s = change(m[1] === '' ? [] : m[1].split(', ').map(Number))
      yield `${whole.slice(0, m.index)}${m[0].replace(/\[.*\]/, list(s))}${whole.slice(m.index + m[0].length)}`
    }
  for (const m of whole.matchAll(/torch\.eye\((\d+)\)/g)) {
    yield `${whole.slice(0, m.index)}torch.ones([2, 3])${whole.slice(m.index + m[0].length)}`
    yield `${whole.slice(0, m.index)}torch.ones([3])${whole.slice(m.index + m[0].length)}`
  }
  // Numbers: dimensions, sizes.
  for (const [i, a] of args.entries()) {
    const put = (x) =>
      callText(
        op,
        args.map((b, k) => (k === i ? x : b)),
      )
    if (/^-?\d+$/.test(a)) {
      yield put('9')
      yield put('-9')
    }
    if (/^\[[-\d, ]*\]$/.test(a)) {
      yield put('[9]')
      yield put('[0, 0]')
      yield put('[7, 9]')
    }
  }
  const dim = op.args.find((a) => /^dims?$/.test(a.name))
  if (dim) {
    yield callText(op, [...args, '{ dim: 9 }'])
    yield callText(op, [...args, `{ ${dim.name}: 9 }`])
  }
  // dtypes.
  for (const m of sizes)
    for (const dtype of ['int64', 'complex64', 'bool', 'uint16']) {
      const close = whole.indexOf(')', m.index)
      const inside = whole.slice(m.index, close)
      if (!inside.includes('dtype')) yield `${whole.slice(0, close)}, { dtype: '${dtype}' }${whole.slice(close)}`
      else yield whole.slice(0, m.index) + inside.replace(/dtype: '\w+'/, `dtype: '${dtype}'`) + whole.slice(close)
    }
  // Arguments and options that do not exist.
  yield callText(op, [...args, '{ no_such_option: 1 }'])
  if (args.at(-1)?.startsWith('{')) yield callText(op, [...args.slice(0, -1), args.at(-1).replace(/ }$/, ', no_such_option: 1 }')])
  for (const i of args.keys())
    yield callText(
      op,
      args.map((b, k) => (k === i ? "'text'" : b)),
    )
  yield callText(op, [...args, "'text'"])
  for (const i of args.keys())
    yield callText(
      op,
      args.map((b, k) => (k === i ? '{}' : b)),
    )
}

// Operators whose calls need more than the signature tells: a right program and a wrong one.
const BY_HAND = {
  int_mm: [
    "torch._int_mm(torch.ones([32, 16], { dtype: 'int8' }), torch.ones([16, 8], { dtype: 'int8' }))",
    "torch._int_mm(torch.ones([32, 16], { dtype: 'int8' }), torch.ones([8, 8], { dtype: 'int8' }))",
  ],
  slice: ['torch.ones([5]).at([1, 4, 2])', 'torch.ones([5]).at([1, 4, 0])'],
  stft: ['torch.stft(torch.ones([8]), 4, { return_complex: true })', "torch.stft(torch.ones([8]), 'text')"],
  istft: [
    "torch.istft(torch.ones([3, 5], { dtype: 'complex64' }), 4, { window: torch.ones([4]) })",
    "torch.istft(torch.ones([3, 5]), 'text')",
  ],
  linalg_ldl_solve: [
    "torch.linalg.ldl_solve(torch.eye(2), torch.ones([2], { dtype: 'int32' }), torch.ones([2, 1]))",
    "torch.linalg.ldl_solve(torch.ones([2, 3]), torch.ones([2], { dtype: 'int32' }), torch.ones([2, 1]))",
  ],
}

// ---- making rows ---------------------------------------------------------------------------------------------------

/** The types and complaints of many texts: text -> { type, told, complaints }. */
export function judge(texts) {
  const lines = [`import torch from 'torch.js'`]
  const names = new Map()
  for (const t of texts) {
    if (names.has(t)) continue
    names.set(t, [`v${lines.length}`, lines.length])
    lines.push(`const v${lines.length} = ${t}`)
  }
  const { checker, types, errors } = compile(ts, { 'operators.ts': [...lines, 'export {}'].join('\n') })
  return new Map(
    [...names].map(([t, [name, line]]) => {
      const type = types.get(name)
      return [
        t,
        {
          type: checker.typeToString(type, undefined, ts.TypeFormatFlags.NoTruncation),
          told: describe(ts, checker, type),
          complaints: errors.get(`operators.ts:${line}`),
        },
      ]
    }),
  )
}
export const refusedAs = ({ told, complaints }) => (complaints ? 'argument' : told?.error)

/** How much a type knows: unknown ranks and sizes, dtypes, `any`. */
const unknowns = (type) => (type.match(/\bnumber\b|DynamicShape|DType\b|\bany\b|\bShape\b|DeviceType/g) ?? []).length

async function make(ops) {
  const rights = new Map()
  for (const op of ops) {
    const found = []
    for (const args of await callsOf(op)) {
      for (let way = 0; way < 4; way++) {
        const texts = args.map((a) => text(a, way))
        const source = callText(op, texts)
        if (found.some((f) => f.source === source)) continue
        const { value } = run(source)
        if (value !== undefined) {
          found.push({ source, texts })
          break
        }
      }
      if (found.length >= 4) break
    }
    rights.set(op, found)
  }
  const known = judge([...rights.values()].flat().map((f) => f.source))
  const chosen = new Map()
  for (const [op, found] of rights) {
    const good = found
      .map((f) => ({ ...f, ...known.get(f.source) }))
      .filter((f) => !refusedAs(f))
      .sort((a, b) => unknowns(a.type) - unknowns(b.type))
    if (good.length) chosen.set(op, good[0])
  }
  const wrongs = new Map()
  const some = (all) => (all.length > 40 ? [...all.slice(0, 25), ...all.slice(-15)] : all)
  for (const [op, f] of chosen) wrongs.set(op, some([...new Set(changes(op, f.texts))].filter((s) => run(s).message !== undefined)))
  const judged = judge([...wrongs.values()].flat())
  const out = new Map()
  for (const [op, f] of chosen) {
    const refused = wrongs
      .get(op)
      .map((s) => [s, refusedAs(judged.get(s))])
      .filter(([, e]) => e)
    const rank = (e) => (e === 'argument' ? 2 : e.startsWith('dtype') ? 1 : 0)
    refused.sort((a, b) => rank(a[1]) - rank(b[1]))
    if (refused.length) out.set(op.cname, { right: f.source, type: f.type, wrong: refused[0][0], error: refused[0][1] })
  }
  const hands = ops.filter((op) => op.cname in BY_HAND)
  const seen = judge(hands.flatMap((op) => BY_HAND[op.cname]))
  for (const op of hands) {
    const [right, wrong] = BY_HAND[op.cname]
    const error = refusedAs(seen.get(wrong))
    if (error && !refusedAs(seen.get(right))) out.set(op.cname, { right, type: seen.get(right).type, wrong, error })
    else console.log(op.cname, seen.get(right), seen.get(wrong))
  }
  return out
}

/** Rows that are not true: [name, what is wrong]. */
export function untrue(table) {
  const judged = judge([...table.values()].flatMap((r) => [r.right, r.wrong]))
  const out = []
  for (const [name, r] of table) {
    const right = judged.get(r.right)
    const wrong = judged.get(r.wrong)
    if (refusedAs(right)) out.push([name, `${r.right} is refused: ${right.complaints ?? right.type}`])
    else if (right.type !== r.type) out.push([name, `${r.right} has the type ${right.type}, not ${r.type}`])
    if (refusedAs(wrong) !== r.error) out.push([name, `${r.wrong} is refused as ${refusedAs(wrong)} (${wrong.type}), not as ${r.error}`])
    const { value, message, broken } = run(r.right)
    if (message ?? broken) out.push([name, `${r.right} fails: ${message ?? broken}`])
    else if (right.told?.shape && value?.shape)
      if (
        value.shape.length !== right.told.shape.length ||
        value.shape.some((n, i) => right.told.shape[i] !== null && right.told.shape[i] !== n)
      )
        out.push([name, `${r.right} has the shape [${value.shape}]`])
    if (right.told?.dtype && value?.dtype && right.told.dtype !== value.dtype) out.push([name, `${r.right} has the dtype ${value.dtype}`])
    if (run(r.wrong).message === undefined) out.push([name, `${r.wrong} runs`])
  }
  return out
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const ops = operators()
  const table = rows()
  const bad = new Set(untrue(table).map(([name, what]) => (console.log(`${name}: ${what}`), name)))
  const wanted = ops.filter((op) => !table.has(op.cname) || bad.has(op.cname))
  if (process.argv.includes('--update')) {
    const made = await make(wanted)
    for (const [name, row] of made) table.set(name, row)
    const lines = ops
      .filter((op) => table.has(op.cname))
      .map((op) => {
        const { right, type, wrong, error } = table.get(op.cname)
        return [op.cname, right, type, wrong, error].join('\t')
      })
    writeFileSync(FILE, [HEAD, ...lines, ''].join('\n'))
    for (const op of wanted) if (!made.has(op.cname)) console.log(`${op.cname}: no row could be made`)
  } else for (const op of wanted) if (!table.has(op.cname)) console.log(`${op.cname}: no row`)
}
