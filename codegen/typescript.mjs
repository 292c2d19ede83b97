// From the schema to TypeScript: a function an operator and namespace, the methods of Tensor, options types and the numbers of calls.
//
// A generated function first tries its fast paths: all arguments positional and of the plain type. Then it writes them to the host's buffer
// itself and calls. Everything else goes through invoke() of ts/src/runtime/arguments.ts with the operator's table.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { callTable } from './calls.mjs'
import { signatureText } from './c.mjs'
import { errorTexts, loadShapeErrors, reasonTypes, shapeErrorTypes } from './shape_errors.mjs'
import { SchemaBug } from './text.mjs'
import { ruleTypes } from './shape_rules.mjs'
import { allSignatures, optionsName, optionsTypes, selfIndex, SHARED_OPTIONS } from './typescript-types.mjs'

const HEADER = '// Made from schema/ by codegen/. Changes belong there.'
const RESERVED = new Set(
  'break case catch class const continue debugger default delete do else enum export extends false finally for function if import in instanceof new null return super switch this throw true try typeof var void while with yield let static await'.split(
    ' ',
  ),
)
export const FILES = { torch: 'functions', 'nn.functional': 'functional', special: 'special', linalg: 'linalg', fft: 'fft' }

export const functionName = (name) => (RESERVED.has(name) ? `${name}_` : name)

// What messages and printed results call an operator: PyTorch's binding, which has no nested namespaces.
const spokenName = (namespace, jsName) => (['linalg', 'fft', 'special'].includes(namespace) ? `${namespace}_${jsName}` : jsName)

// One name that JavaScript sees: { jsName, namespace, overloads: [form], inplace }, a form being { op, form, cname, index, out }.
function groupForms(ops) {
  const table = callTable(ops)
  const outs = new Map(table.flatMap((f, index) => (f.form === 'out' ? [[f.op, index]] : [])))
  const groups = new Map()
  const add = (namespace, jsName, entry) => {
    const key = `${namespace}:${jsName}`
    if (!groups.has(key)) groups.set(key, { namespace, jsName, overloads: [] })
    groups.get(key).overloads.push(entry)
  }
  table.forEach((f, index) => {
    if (f.form === 'out') return
    const inplace = f.form === 'inplace' || f.op.selfInplace
    const entry = { ...f, index, inplace, out: f.form === 'inplace' ? -1 : (outs.get(f.op) ?? -1) }
    for (const name of [f.op.jsName, ...f.op.aliases.filter((a) => !a.includes('.'))])
      add(f.op.namespace, f.form === 'inplace' ? `${name}_` : name, entry)
  })
  return [...groups.values()]
}

// ---- tables for invoke() -------------------------------------------------------------------------------------------

export function argType(type) {
  if (!type.list) return type.base
  return type.base === 'Tensor' && type.itemOptional ? 'Tensor?[]' : `${type.base}[]`
}
// Of ArgType in arguments.ts.
const TYPE_LETTERS = {
  Tensor: 'T',
  Scalar: 'S',
  ScalarType: 'Y',
  Device: 'D',
  Generator: 'G',
  int: 'i',
  float: 'f',
  bool: 'b',
  str: 's',
  'Tensor[]': 'L',
  'Tensor?[]': 'O',
  'int[]': 'I',
  'float[]': 'F',
  'bool[]': 'B',
  'Scalar[]': 'C',
}
const FLAGS = { optional: 1, kwonly: 2, default: 4, number: 8, variadic: 16 }

// PyTorch's rule: a list of ints that is the only positional argument (beside self) may be given as several ints.
export function variadicArg(op) {
  const positional = op.args.filter((a) => !a.kwonly && !(a === op.args[0] && a.type.base === 'Tensor' && !a.type.list))
  const only = positional.length === 1 ? positional[0] : null
  return only && only.type.list && only.type.base === 'int' && only.type.size === null ? only : null
}

export const takesNumber = (entry, arg) => entry.op.numbers.includes(arg.name) && !(entry.inplace && arg === entry.op.args[0])

// An overload as a text, which invoke() reads when it first needs it: ts/src/runtime/arguments.ts says how it is written.
function overloadText(entry) {
  const { op } = entry
  const returns = entry.inplace ? 'self' : op.returns.kind
  const fields = op.returns.kind === 'tuple' ? op.returns.items.map((i) => i.name) : []
  const rest = variadicArg(op)
  const args = op.args.map((a) => {
    let flags = 0
    if (a.type.optional) flags |= FLAGS.optional
    if (a.kwonly) flags |= FLAGS.kwonly
    if (a.hasDefault) flags |= FLAGS.default
    if (takesNumber(entry, a)) flags |= FLAGS.number
    if (a === rest) flags |= FLAGS.variadic
    const size = a.type.list && a.type.size ? `*${a.type.size}` : ''
    const text = `${a.name}:${TYPE_LETTERS[argType(a.type)]}${flags || ''}${size}${a.hasDefault ? `=${literal(a.default)}` : ''}`
    if (/[\s;']/.test(text)) throw new SchemaBug(`${op.name}: the default of ${a.name} cannot be written in a table`)
    return text
  })
  return [entry.index, entry.out, returns, fields.join(','), ...args].join(' ')
}

const literal = (v) => (v === Infinity ? 'Infinity' : v === -Infinity ? '-Infinity' : JSON.stringify(v))

// ---- fast paths ----------------------------------------------------------------------------------------------------

// A default in the form in which slots hold it, as a list of number expressions; null: it cannot be written so.
function defaultSlots(arg) {
  const t = arg.type
  const v = arg.hasDefault ? arg.default : null
  const none = v === null || v === undefined
  if (none && !t.optional) return null
  if (t.list) return none ? ['-1'] : [String(v.length), ...v.map((x) => literal(typeof x === 'boolean' ? Number(x) : x))]
  switch (t.base) {
    case 'Tensor':
    case 'Generator':
      return none ? ['0'] : null
    case 'int':
      return none ? ['NaN', '-0'] : [String(v)]
    case 'float':
      return t.optional ? (none ? ['0'] : ['3', literal(v)]) : [literal(v)]
    case 'Scalar':
      return none ? ['0'] : typeof v === 'boolean' ? ['1', v ? '1' : '0'] : [Number.isInteger(v) ? '2' : '3', literal(v)]
    case 'bool':
      return none ? ['-1'] : [v ? '1' : '0']
    case 'ScalarType':
    case 'Device':
      return none ? ['-1'] : null
    case 'str': {
      if (none) return ['-1']
      const bytes = new TextEncoder().encode(v)
      const padded = new Uint8Array(Math.ceil(bytes.length / 8) * 8)
      padded.set(bytes)
      return [String(bytes.length), ...new Float64Array(padded.buffer)].map(String)
    }
  }
  return null
}

// How a positional argument of plain type is recognised and written. Each gives { test, write(at) } or null (always through invoke()).
// `write` is a list of slot expressions, or a function of the cursor for lists.
function plain(entry, arg, x) {
  const t = arg.type
  if (t.list) {
    if (t.base === 'int' && t.size > 0)
      return { test: `(Array.isArray(${x}) || Number.isSafeInteger(${x}))`, list: 'writeInts', more: `, ${t.size}` }
    if (t.base === 'int') return { test: `Array.isArray(${x})`, list: 'writeInts' }
    if (t.base === 'Tensor' && !t.itemOptional) return { test: `Array.isArray(${x})`, list: 'writeTensors' }
    return null
  }
  switch (t.base) {
    case 'Tensor':
      return { test: `${x} instanceof Tensor`, slots: [`${x}.handle`] }
    case 'int':
      return { test: `Number.isSafeInteger(${x})`, slots: [`${x} as number`] }
    case 'float':
      return { test: `typeof ${x} === 'number'`, slots: t.optional ? ['3', x] : [x] }
    case 'bool':
      return { test: `typeof ${x} === 'boolean'`, slots: [`${x} ? 1 : 0`] }
    case 'Scalar':
      return { test: `typeof ${x} === 'number'`, slots: [`Number.isSafeInteger(${x}) ? 2 : 3`, x] }
  }
  return null
}

// The fast path of one overload, or null: every positional argument is of the plain type, or is not given where it has a default.
function fastPath(entry, names) {
  const { op } = entry
  const positional = op.args.filter((a) => !a.kwonly)
  const count = positional.length
  if (op.args.slice(0, count).some((a) => a.kwonly)) return null
  const tests = []
  const body = []
  let at = 0 // the next slot, or 'p' when it is only known at run time
  let lifted = null
  const slot = () => (typeof at === 'number' ? String(at++) : 'p++')
  const put = (expression) => body.push(`f[${slot()}] = ${expression}`)
  const list = (how, x) => [`p = ${how.list}(${at === 'p' ? 'p' : at}, ${x}${how.more ?? ''})`, 'if (p < 0) break fast', 'f = host.f64']
  for (let i = 0; i < op.args.length; i++) {
    const arg = op.args[i]
    const x = names[i]
    const slots = defaultSlots(arg)
    const how = i < count && !(takesNumber(entry, arg) && arg.hasDefault) ? plain(entry, arg, x) : null
    if (!how) {
      if (!slots) return null
      slots.forEach(put)
      if (i < count) tests.push(`${x} === undefined`)
    } else if (!arg.hasDefault) {
      if (how.list) {
        tests.push(how.test)
        const [first, ...then] = list(how, x)
        body.push(at === 'p' ? first : `let ${first}`, ...then)
        at = 'p'
      } else if (takesNumber(entry, arg) && i > 0 && !lifted && at !== 'p') {
        lifted = { x, slot: slot() }
        tests.push(`(${x} instanceof Tensor || typeof ${x} === 'number')`)
      } else {
        tests.push(how.test)
        how.slots.forEach(put)
      }
    } else {
      if (!slots) return null
      // null is the default of what may be None and is so when it is not given
      const none = arg.type.optional && (arg.default === null || arg.default === undefined) ? `${x} == null` : `${x} === undefined`
      tests.push(`(${none} || ${how.test})`)
      if (!how.list && slots.length === how.slots.length)
        how.slots.forEach((s, k) => put(s === slots[k] ? s : `${none} ? ${slots[k]} : ${s}`))
      else {
        if (at !== 'p') body.push(`let p = ${at}`)
        at = 'p'
        body.push(
          `if (${none}) {`,
          ...slots.map((s) => `  f[p++] = ${s}`),
          '} else {',
          ...(how.list ? list(how, x) : how.slots.map((s) => `f[p++] = ${s}`)).map((l) => `  ${l}`),
          '}',
        )
      }
    }
  }
  for (let i = count; i < names.length; i++) tests.push(`${names[i]} === undefined`)
  const lines = []
  const returns = entry.inplace ? 'self' : op.returns.kind
  if (!['tensor', 'self', 'list', 'tuple', 'scalar'].includes(returns)) return null
  const breaks = body.some((l) => l.includes('break fast'))
  lines.push(`${breaks ? 'fast: ' : ''}if (${tests.join(' && ') || 'true'}) {`)
  if (lifted) body.push(`f[${lifted.slot}] = ${lifted.x} instanceof Tensor ? ${lifted.x}.handle : writeNumber(${at}, ${lifted.x})`)
  lines.push(`  ${body.some((l) => l.trim().startsWith('f = ')) ? 'let' : 'const'} f = host.f64`)
  for (const l of body) lines.push(`  ${l}`)
  lines.push(`  const r = host.call(${entry.index})`)
  const fields = op.returns.kind === 'tuple' ? JSON.stringify(op.returns.items.map((i) => i.name)) : '[]'
  if (returns === 'tensor') lines.push('  return wrap(r)')
  else if (returns === 'self') lines.push('  if (r <= 0) fail()', `  return ${names[selfIndex(op)]}`)
  else lines.push(`  return finish(r, '${returns}', ${fields}, undefined, '${spokenName(op.namespace, op.jsName)}')`)
  lines.push('}')
  return lines
}

// ---- functions -----------------------------------------------------------------------------------------------------

const isVariadic = (group) => group.overloads.some((e) => variadicArg(e.op))
const arity = (group) => Math.max(...group.overloads.map((e) => e.op.args.filter((a) => !a.kwonly).length)) + 1

function docOf(group, indent) {
  const seen = new Set()
  const lines = []
  for (const { op } of group.overloads) {
    const text = `${op.doc}${op.errors ? ` Errors: ${op.errors}` : ''}`
    if (!seen.has(text)) lines.push(text)
    seen.add(text)
  }
  lines.push('', ...group.overloads.map(({ op, inplace }) => `\`${op.name}${inplace && !op.selfInplace ? '_' : ''}${signatureText(op)}\``))
  const clean = lines.join('\n').replaceAll('*/', '*\\/').split('\n')
  return clean.length === 1
    ? `${indent}/** ${clean[0]} */`
    : [`${indent}/**`, ...clean.map((l) => `${indent} *${l ? ` ${l}` : ''}`), `${indent} */`].join('\n')
}

// The function behind the exported one and the method: $name(skip, a0, a1, ...), or $name(skip, args) where ints can be spread.
const innerName = (group) => `$${group.jsName}`

function innerFunction(group) {
  const table = `export const O_${group.jsName} = /* @__PURE__ */ operator('${spokenName(group.namespace, group.jsName)}', '${group.overloads.map(overloadText).join(';')}')`
  if (isVariadic(group)) {
    return `${table}\nexport function ${innerName(group)}(skip: 0 | 1, args: readonly unknown[]): unknown {\n${variadicFast(group)}  return invoke(O_${group.jsName}, skip, args)\n}`
  }
  const names = Array.from({ length: arity(group) }, (_, i) => `a${i}`)
  const paths = group.overloads.map((e) => fastPath(e, names)).filter(Boolean)
  return `${table}\nexport function ${innerName(group)}(skip: 0 | 1, ${names.map((n) => `${n}?: unknown`).join(', ')}): unknown {\n${paths.map((p) => p.map((l) => `  ${l}`).join('\n')).join('\n')}${paths.length ? '\n' : ''}  return invoke(O_${group.jsName}, skip, [${names.join(', ')}])\n}`
}

// view(x, [2, 3]), zeros([2, 3]), x.view(2, 3), zeros(2, 3): self where there is one, and the sizes as one array or as the rest.
function variadicFast(group) {
  const lines = []
  for (const entry of group.overloads) {
    const { op } = entry
    const rest = variadicArg(op)
    if (!rest) continue
    const before = op.args.indexOf(rest)
    const tail = op.args.slice(before + 1).map(defaultSlots)
    if (
      before > 1 ||
      tail.includes(null) ||
      (before === 1 && op.args[0].type.base !== 'Tensor') ||
      (op.returns.kind !== 'tensor' && !entry.inplace)
    )
      continue
    const first = before === 1
    lines.push(`  fast: if (args.length > ${before - (first ? 0 : 0)}${first ? ' && args[0] instanceof Tensor' : ''}) {`)
    lines.push(
      `    const list = args.length === ${before + 1} && Array.isArray(args[${before}]) ? (args[${before}] as unknown[]) : ${first ? 'args.slice(1)' : 'args'}`,
    )
    lines.push(`    let p = writeInts(${before}, list)`, '    if (p < 0) break fast', '    const f = host.f64')
    if (first) lines.push('    f[0] = args[0].handle')
    for (const s of tail.flat()) lines.push(`    f[p++] = ${s}`)
    if (tail.length === 0) lines.push('    void f, p')
    lines.push(`    const r = host.call(${entry.index})`)
    if (entry.inplace) lines.push('    if (r <= 0) fail()', '    return args[0]')
    else lines.push('    return wrap(r)')
    lines.push('  }')
    break
  }
  return lines.length ? `${lines.join('\n')}\n` : ''
}

function exportedFunction(group, shapes) {
  const name = functionName(group.jsName)
  const doc = docOf(group, '')
  const signatures = allSignatures(group, 'function').map((s) => `export function ${name}${s}`)
  const n = arity(group)
  const names = Array.from({ length: n }, (_, i) => `a${i}`)
  const body = isVariadic(group)
    ? `export function ${name}(...args: unknown[]): unknown {\n  return ${innerName(group)}(0, args)\n}`
    : `export function ${name}(${names.map((x) => `${x}?: unknown`).join(', ')}): unknown {\n  if (arguments.length > ${n}) return invoke(O_${group.jsName}, 0, arguments)\n  return ${innerName(group)}(0, ${names.join(', ')})\n}`
  return `${doc}\n${signatures.join('\n')}\n${body}`
}

const importsOf = (text, candidates) => candidates.filter((c) => new RegExp(`(?<![\\w$.])${c.replace('$', '\\$')}(?![\\w$])`).test(text))

const DTYPE_TYPES = [
  'Complex',
  'DType',
  'DTypeOr',
  'FloatingOnly',
  'SameDType',
  'DeviceType',
  'NumbersDType',
  'Promote',
  'PromoteScalar',
  'PromoteTensors',
  'SameFloat',
  'Scalar',
  'ToComplex',
  'ToDouble',
  'ToFloat',
  'ToReal',
  'ToSum',
  'ToTruth',
]
function typeImports(text, from, shapeNames) {
  const lines = []
  const dtypes = importsOf(text, DTYPE_TYPES)
  if (dtypes.length) lines.push(`import type { ${dtypes.join(', ')} } from '${from}/types/dtype.js'`)
  const shapes = importsOf(
    text,
    ['DimOf', 'DynamicShape', 'Count', 'Shape', 'Guard', 'ShapesOf', ...shapeNames].filter((v, i, a) => a.indexOf(v) === i),
  )
  if (shapes.length) lines.push(`import type { ${shapes.join(', ')} } from '${from}/types/shapes.js'`)
  const results = importsOf(text, [
    'Checked',
    'CheckedList',
    'CumExtremeResult',
    'DeviceOfAll',
    'DeviceOr',
    'Given',
    'HistogramResult',
    'InPlace',
    'JoinDevice',
    'LossReduction',
    'PromoteAll',
  ])
  if (results.length) lines.push(`import type { ${results.join(', ')} } from '${from}/types/results.js'`)
  if (importsOf(text, ['DeviceInput']).length) lines.push(`import type { DeviceInput } from '${from}/device.js'`)
  if (importsOf(text, ['Generator']).length) lines.push(`import type { Generator } from '${from}/random.js'`)
  return lines
}

// Names of this namespace for functions of another one: an alias `special.expit` of torch's sigmoid.
function borrowedFunctions(ops, namespace) {
  const lines = new Set()
  for (const op of ops)
    for (const alias of op.aliases) {
      const dot = alias.lastIndexOf('.')
      if (dot < 0 || alias.slice(0, dot) !== namespace) continue
      const name = functionName(op.jsName)
      const as = alias.slice(dot + 1)
      lines.add(`export { ${name === as ? name : `${name} as ${as}`} } from './${FILES[op.namespace]}.js'`)
    }
  return [...lines]
}

function functionsFile(groups, namespace, shapes, borrowed) {
  const own = groups.filter((g) => g.namespace === namespace)
  const inner = own.map(innerFunction)
  const outer = own
    .filter((g) => g.overloads.some((e) => e.op.function))
    .map((g) => exportedFunction({ ...g, overloads: g.overloads.filter((e) => e.op.function) }, shapes))
  const text = own.length ? [...inner, ...outer].join('\n\n') : borrowed.length ? '' : 'export {}'
  const calls = importsOf(text, ['fail', 'finish', 'wrap', 'writeInts', 'writeNumber', 'writeTensors'])
  if (importsOf(text, ['Results']).length) calls.push('type Results')
  const options = [...new Set(own.map((g) => optionsName(g)))].filter((o) => importsOf(text, [o]).length)
  const lines = [HEADER]
  if (own.length) {
    lines.push(`import { Tensor } from '../tensor.js'`)
    lines.push(`import { invoke, operator } from '../runtime/arguments.js'`)
    if (calls.length) lines.push(`import { ${calls.join(', ')} } from '../runtime/call.js'`)
    if (/\bhost\b/.test(text)) lines.push(`import { host } from '../runtime/host.js'`)
    lines.push(...typeImports(text, '..', [...shapes]))
    if (options.length) lines.push(`import type { ${options.join(', ')} } from './options.js'`)
  }
  lines.push(...borrowed)
  return `${lines.join('\n')}\n\n${text}\n`
}

// What users see of a file of functions: what it exports without what methods and the runtime use beside it.
function publicFile(file, text) {
  const names = [...text.matchAll(/^export (?:function (\w+)|\{ (?:\w+ as )?(\w+) \})/gm)].map((m) => m[1] ?? m[2])
  const list = [...new Set(names)].map((n) => `  ${n},\n`).join('')
  return `${HEADER}\n${list ? `export {\n${list}} from '../${file}.js'` : 'export {}'}\n`
}

// ---- methods -------------------------------------------------------------------------------------------------------

function methodsFile(groups, shapes) {
  const methods = new Map() // a name may come from two namespaces; the first one wins
  for (const g of groups) {
    const overloads = g.overloads.filter((e) => e.op.method)
    if (overloads.length && !methods.has(g.jsName)) methods.set(g.jsName, { ...g, overloads })
  }
  const list = [...methods.values()]
  const members = list.map(
    (g) =>
      `${docOf(g, '  ')}\n${allSignatures(g, 'method')
        .map((s) => `  ${g.jsName}${s}`)
        .join('\n')}`,
  )
  const text = members.join('\n')
  const options = [...new Set(list.map((g) => optionsName(g)))].filter((o) => importsOf(text, [o]).length)
  const lines = [HEADER, `import { Tensor } from '../tensor.js'`]
  lines.push(`import { invoke, tooMany, withSelf } from '../runtime/arguments.js'`)
  if (importsOf(text, ['Results']).length) lines.push(`import type { Results } from '../runtime/call.js'`)
  lines.push(...typeImports(text, '..', [...shapes]).map((l) => l))
  if (options.length) lines.push(`import type { ${options.join(', ')} } from './options.js'`)
  for (const [namespace, file] of Object.entries(FILES)) {
    const inner = list.filter((g) => g.namespace === namespace && selfIndex(g.overloads[0].op) === 0).map(innerName)
    const tables = list.filter((g) => g.namespace === namespace && selfIndex(g.overloads[0].op) > 0).map((g) => `O_${g.jsName}`)
    if (inner.length) lines.push(`import { ${[...inner, ...tables].join(', ')} } from './${file}.js'`)
  }
  const installs = list.map((g) => {
    const at = selfIndex(g.overloads[0].op)
    if (at > 0)
      return `method('${g.jsName}', function (this: Tensor, ...args: unknown[]): unknown {\n  return invoke(O_${g.jsName}, 0, withSelf(args, ${at}, this))\n})`
    if (isVariadic(g))
      return `method('${g.jsName}', function (this: Tensor, ...args: unknown[]): unknown {\n  return ${innerName(g)}(1, [this, ...args])\n})`
    const n = arity(g) - 1
    const names = Array.from({ length: n }, (_, i) => `a${i + 1}`)
    const head = names.map((x) => `${x}?: unknown`).join(', ')
    return `method('${g.jsName}', function (this: Tensor${head ? `, ${head}` : ''}): unknown {\n  if (arguments.length > ${n}) tooMany('${g.jsName}', ${n - 1}, arguments.length)\n  return ${innerName(g)}(${['1', 'this', ...names].join(', ')})\n})`
  })
  return `${lines.join('\n')}

/** The methods of Tensor that are operators. */
export interface TensorMethods {
${members.join('\n')}
}

const method = (name: string, value: (this: Tensor, ...args: never[]) => unknown): void => {
  Object.defineProperty(Tensor.prototype, name, { value, writable: true, configurable: true, enumerable: false })
}

${installs.join('\n')}
`
}

// ---- all files -----------------------------------------------------------------------------------------------------

function builtins(root) {
  const text = readFileSync(join(root, 'bindings/common/builtins.def'), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '')
  return [...text.matchAll(/^\s*X\((\w+)\)/gm)].map((m) => m[1])
}

export function typescriptFiles(ops, root) {
  const groups = groupForms(ops)
  const shapes = ruleTypes(root)
  const options = optionsTypes(groups)
  const first = callTable(ops).length
  const files = {}
  for (const [namespace, file] of Object.entries(FILES))
    files[`${file}.ts`] = functionsFile(groups, namespace, shapes, borrowedFunctions(ops, namespace))
  for (const file of Object.values(FILES)) files[`public/${file}.ts`] = publicFile(file, files[`${file}.ts`])
  files['methods.ts'] = methodsFile(groups, shapes)
  files['options.ts'] = `${HEADER}\nimport type { Tensor } from '../tensor.js'\n${typeImports(options, '..', [])
    .concat(
      `import type { DeviceInput } from '../device.js'`,
      `import type { ${SHARED_OPTIONS.toSorted().join(', ')} } from '../types/options.js'`,
    )
    .filter((l, i, a) => a.indexOf(l) === i)
    .join('\n')}\n\n${options}\n`
  files['calls.ts'] = `${HEADER}\n\n/** Numbers of the calls that are no operators. */\nexport const BUILTIN = {\n${builtins(root)
    .map((b, i) => `  ${b}: ${first + i},`)
    .join('\n')}\n} as const\n\n/** How many operator calls there are. */\nexport const OPERATOR_CALLS = ${first}\n`
  const errors = loadShapeErrors(root)
  files['shape_errors.ts'] = shapeErrorTypes(errors)
  files['reasons.ts'] = reasonTypes(errors)
  files['error_texts.ts'] = errorTexts(errors)
  return files
}
