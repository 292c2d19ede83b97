// The shapes and dtypes of functions in expressions, for the compiler: for each function and overload, which arguments it takes and what the result is.
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseRule, ruleType, ruleTypes } from './shape_rules.mjs'
import { variadicArg } from './typescript.mjs'
import { OTHER_DTYPE } from './typescript-types.mjs'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const CODES = { Tensor: 'T', Scalar: 'S', int: 'i', float: 'f', bool: 'b', str: 's', ScalarType: 't', Device: 'd', Generator: 'g' }
const isTensor = (a) => a.type.base === 'Tensor' && !a.type.list
const literal = (v) =>
  Array.isArray(v)
    ? `readonly [${v.map(literal).join(', ')}]`
    : typeof v === 'string'
      ? `'${v}'`
      : v === Infinity || v === -Infinity
        ? 'number'
        : String(v)

// An argument of a bound call, B, as the shape rules want it.
function accessor(a) {
  const { base, list, optional } = a.type
  if (isTensor(a)) return `ShapeIn<B, '${a.name}'${optional ? ', null' : ''}>`
  const otherwise = a.hasDefault ? literal(a.default) : 'never'
  if (list || optional || base === 'str') return `ArgumentIn<B, '${a.name}', ${otherwise}>`
  return `${base === 'bool' ? 'FlagIn' : 'NumberIn'}<B, '${a.name}', ${otherwise}>`
}
function shapeText(op, rule, list = false) {
  if (!rule) return 'DynamicShape'
  return ruleType(rule, (name) => accessor(op.args.find((a) => a.name === name)), list)
}

const DTYPES = 'bool uint8 int8 int16 int32 int64 uint16 uint32 uint64 float16 bfloat16 float32 float64 complex64 complex128'.split(' ')
const WRAPPED = { double: 'ToDouble', float: 'ToFloat', real: 'ToReal', complex: 'ToComplex', sum: 'ToSum' }
function ruleDType(rule) {
  if (rule.name) return DTYPES.includes(rule.name) ? `'${rule.name}'` : `DTypeIn<B, readonly ['${rule.name}']>`
  if (rule.call === 'bool') return `'bool'`
  if (rule.call === 'arg') return rule.args.length > 1 ? ruleDType(rule.args[1]) : `'float32'`
  if (rule.args.some((a) => a.call || a.literal))
    return WRAPPED[rule.call] && rule.args[0].call ? `${WRAPPED[rule.call]}<${ruleDType(rule.args[0])}>` : 'DType'
  const joined = `DTypeIn<B, readonly [${rule.args.map((a) => `'${a.name}'`).join(', ')}]>`
  return WRAPPED[rule.call] ? `${WRAPPED[rule.call]}<${joined}>` : joined
}
function dtypeText(op) {
  const text = (op.dtype ?? '').replace(/\s/g, '')
  const self = op.args.find(isTensor)
  const base = DTYPES.includes(text)
    ? `'${text}'`
    : /^(same|promote|float|real|bool|complex|sum|double|arg)\(/.test(text)
      ? ruleDType(parseRule(text))
      : op.view && self && !op.args.some((a) => a.type.base === 'ScalarType')
        ? `DTypeIn<B, readonly ['${self.name}']>`
        : self && !text && !OTHER_DTYPE.test(op.name) && (op.composite || typeof op.backward === 'object')
          ? `SameFloat<DTypeIn<B, readonly ['${self.name}']>>`
          : 'DType'
  return op.args.some((a) => a.type.base === 'ScalarType' && a.name === 'dtype') ? `DTypeArgument<B, ${base}>` : base
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
  const rule = op.shapeRule
  const one = rule && (rule.call || rule.name || rule.literal) ? rule : null
  const d = dtypeText(op)
  switch (op.returns.kind) {
    case 'tuple': {
      const items = op.returns.items.map((r) => {
        const dtype = /^(indices|counts|indexes)$/.test(r.name) ? `'int64'` : /^(info|pivots|exponent)$/.test(r.name) ? `'int32'` : d
        return `${r.name}: TensorOr<${shapeText(op, one ?? rule?.named?.[r.name])}, ${dtype}>`
      })
      return `ResultsValue<{ ${items.join('; ')} }>`
    }
    case 'list':
      return `ListOr<${one ? shapeText(op, one, true) : 'readonly DynamicShape[]'}, ${d}>`
    case 'scalar':
      return op.returns.items[0].type.base === 'bool' ? 'NumberValue<boolean>' : 'NumberValue<number>'
  }
  return `TensorOr<${shapeText(op, one)}, ${d}>`
}

const HELPERS = {
  '../types/dtype.js': ['DType', 'SameFloat', 'ToComplex', 'ToDouble', 'ToFloat', 'ToReal', 'ToSum'],
  '../types/expression_values.js': [
    'ArgumentIn',
    'Bind',
    'Bound',
    'CallArguments',
    'DTypeArgument',
    'DTypeIn',
    'FlagIn',
    'ListOr',
    'NumberIn',
    'NumberValue',
    'ResultsValue',
    'ShapeIn',
    'TensorOr',
    'WrongArguments',
  ],
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
  const used = (list) => [...list].filter((s) => new RegExp(`\\b${s}\\b`).test(text))
  const imports = [
    ...Object.entries(HELPERS).map(
      ([file, names]) =>
        `import type { ${[...new Set([...used(names), ...names.filter((n) => n === 'CallArguments')])].join(', ')} } from '${file}'`,
    ),
    `import type { ${used(new Set([...ruleTypes(ROOT), 'Count', 'DynamicShape'])).join(', ')} } from '../types/shapes.js'`,
  ]
  return `${header}
${imports.join('\n')}

/** What each function gives for the arguments A of a call: by the last part of its name, and by its full name. */
export interface FunctionResults<A extends CallArguments> {
${text}
}
`
}
