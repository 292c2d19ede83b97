// The shapes of functions in expressions, for the compiler: for each function and overload, which arguments it takes and what the result is.
import { namesIn, ruleType } from './shape_rules.mjs'
import { variadicArg } from './typescript.mjs'

const CODES = { Tensor: 'T', Scalar: 'S', int: 'i', float: 'f', bool: 'b', str: 's', ScalarType: 't', Device: 'd', Generator: 'g' }
const isTensor = (a) => a.type.base === 'Tensor' && !a.type.list
const literal = (v) => (Array.isArray(v) ? `readonly [${v.join(', ')}]` : typeof v === 'string' ? `'${v}'` : String(v))

// An argument of a bound call, B, as the shape rules want it.
const accessor = (a) =>
  isTensor(a)
    ? `ShapeIn<B, '${a.name}'>`
    : a.type.list
      ? `ListIn<B, '${a.name}'>`
      : `${a.type.base === 'bool' ? 'FlagIn' : 'NumberIn'}<B, '${a.name}', ${a.hasDefault && a.default !== null && Number.isFinite(Number(a.default)) ? literal(a.default) : 'never'}>`

// The type of a rule; the sizes of a list of tensors are found at run time.
function shapeText(op, rule) {
  if (!rule) return 'DynamicShape'
  const spoken = namesIn(rule).map((n) => op.args.find((a) => a.name === n))
  if (spoken.some((a) => a.type.base === 'Tensor' && a.type.list)) return 'DynamicShape'
  return ruleType(rule, (n) => accessor(op.args.find((a) => a.name === n)))
}
const oneRule = (op) => (op.shapeRule && !op.shapeRule.named ? op.shapeRule : null)

const DTYPES = 'bool uint8 int8 int16 int32 int64 uint16 uint32 uint64 float16 bfloat16 float32 float64 complex64 complex128'.split(' ')
function dtypeText(op) {
  const rule = (op.dtype ?? '').replace(/\s/g, '')
  if (DTYPES.includes(rule)) return `'${rule}'`
  if (rule.startsWith('bool(')) return `'bool'`
  const m = /^(?:same|promote|float)\(([\w,]+)\)$/.exec(rule)
  if (!m) return 'DType'
  return `DTypeIn<B, ${m[1]
    .split(',')
    .map((n) => `'${n}'`)
    .join(' | ')}>`
}

const parameters = (op) =>
  `[${op.args
    .map((a) => {
      const needed = !a.hasDefault && a.type.base !== 'Generator'
      const kind = `${CODES[a.type.base]}${a.type.list ? (a.type.size === null ? '[]' : '[n]') : ''}`
      const flags = `${a.type.optional ? '?' : ''}${op.numbers.includes(a.name) ? 'n' : ''}${a === variadicArg(op) ? 'v' : ''}`
      return `['${a.name}', '${kind}', '${flags}', ${needed ? 1 : 0}, ${a.kwonly ? 1 : 0}]`
    })
    .join(', ')}]`

function result(op) {
  switch (op.returns.kind) {
    case 'tuple':
      return `ResultsValue<{ ${op.returns.items.map((i) => `${i.name}: TensorOr<${shapeText(op, oneRule(op) ?? op.shapeRule?.named?.[i.name])}, DType>`).join('; ')} }>`
    case 'list':
      return 'ListValue'
    case 'scalar':
      return op.returns.items[0].type.base === 'bool' ? 'NumberValue<boolean>' : 'NumberValue<number>'
  }
  return `TensorOr<${shapeText(op, oneRule(op))}, ${dtypeText(op)}>`
}

export function functionShapes(functions, grammar, header) {
  const byName = new Map()
  const add = (name, op) => byName.set(name, [...(byName.get(name) ?? []), op])
  const first = new Map() // an unqualified name is that of the first namespace that has it
  for (const { name, rank } of functions) if (!first.has(name) || first.get(name) > rank) first.set(name, rank)
  for (const { name, rank, op } of functions) {
    if (first.get(name) === rank) add(name, op)
    if (rank > 0) add(`${grammar.namespaces[rank]}.${name}`, op)
  }
  const entries = [...byName].map(
    ([name, ops]) =>
      `  '${name}': ${ops.map((op) => `Bind<A, ${parameters(op)}> extends infer B extends Bound ? ${result(op)}`).join('\n    : ')}\n    : WrongArguments<'${name}'>`,
  )
  const text = entries.join('\n')
  const used = [...new Set(text.match(/\b(?:\w+Shapes?|SameRank|Count)\b/g))].sort()
  return `${header}
import type { DType } from '../types/dtype.js'
import type {
  Bind,
  Bound,
  CallArguments,
  DTypeIn,
  FlagIn,
  ListIn,
  ListValue,
  NumberIn,
  NumberValue,
  ResultsValue,
  ShapeIn,
  TensorOr,
  WrongArguments,
} from '../types/expression_values.js'
import type { ${used.join(', ')} } from '../types/shapes.js'

/** What each function gives for the arguments A of a call: by the last part of its name, and by its full name. */
export interface FunctionResults<A extends CallArguments> {
${text}
}
`
}
