// Reads schema/ops/*.yaml into a list of operators, checked. Every complaint says file and line.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LineCounter, parseDocument } from 'yaml'
import { parseExpression } from './expression.mjs'
import { checkRule, parseRule, ruleTypes } from './shape_rules.mjs'
import { parseSignature } from './signature.mjs'

const RULE_TYPES = ruleTypes(join(dirname(fileURLToPath(import.meta.url)), '..'))

const KEYS = [
  'op',
  'c',
  'doc',
  'errors',
  'namespace',
  'method',
  'function',
  'inplace',
  'out',
  'out_check',
  'out_apart',
  'out_dtype',
  'view',
  'composite',
  'numbers',
  'aliases',
  'javascript',
  'result_type',
  'dtype',
  'shape',
  'pointwise',
  'dtypes',
  'rare',
  'impl',
  'kernel',
  'backward',
  'source',
]
const NAMESPACES = ['torch', 'nn.functional', 'special', 'linalg', 'fft', 'internal']
const CLASSES = ['bool', 'int', 'float', 'complex']
export const RULES = ['promote', 'float', 'bool', 'real', 'same']

export class SchemaError extends Error {}

// The shape rule of an operator: one, or one for each of several results: { named: { values: rule, ... } }.
function readShape(op, fail) {
  if (op.shape === undefined || op.shape === null) return null
  const names = op.args.map((a) => a.name)
  const read = (text, list) => {
    let rule
    try {
      rule = parseRule(String(text))
    } catch (e) {
      fail('shape', e.message)
    }
    const bad = checkRule(rule, names, RULE_TYPES, list)
    if (bad) fail('shape', bad)
    return rule
  }
  if (typeof op.shape !== 'object') return read(op.shape, op.returns.kind === 'list')
  const named = {}
  for (const [key, text] of Object.entries(op.shape)) {
    if (!op.returns.items.some((r) => r.name === key)) fail('shape', `'${key}' is no result`)
    named[key] = read(text, false)
  }
  return { named }
}

// One operator: see the table in schema/README.md. `line` is where its entry begins.
function readEntry(entry, where, fail) {
  const has = (k) => Object.hasOwn(entry, k)
  for (const k of Object.keys(entry)) if (!KEYS.includes(k)) fail(k, `unknown key '${k}' (known: ${KEYS.join(', ')})`)
  if (typeof entry.op !== 'string') fail(null, "an entry needs 'op: name(...) -> ...'")
  let signature
  try {
    signature = parseSignature(entry.op)
  } catch (e) {
    fail('op', `${e.message}${e.column === undefined ? '' : ` at column ${e.column + 1}`} of '${entry.op}'`)
  }
  const { name, overload, args, returns } = signature
  const boolean = (k, otherwise) => {
    if (!has(k)) return otherwise
    if (typeof entry[k] !== 'boolean') fail(k, `'${k}' has to be true or false`)
    return entry[k]
  }
  const text = (k) => {
    if (has(k) && typeof entry[k] !== 'string') fail(k, `'${k}' has to be a text`)
    return entry[k]
  }
  const selfInplace = name.endsWith('_') && !name.endsWith('__')
  const tensors = args.filter((a) => a.type.base === 'Tensor')
  const op = {
    ...where,
    name,
    overload,
    args,
    returns,
    selfInplace,
    cname: text('c') ?? (overload ? `${name}_${overload}` : name).replace(/^_/, ''),
    jsName: name,
    namespace: text('namespace') ?? 'torch',
    method: boolean('method', false),
    function: boolean('function', true),
    inplace: boolean('inplace', false),
    view: boolean('view', false),
    rare: boolean('rare', false),
    dtypes: entry.dtypes ?? null,
    composite: boolean('composite', false),
    numbers: entry.numbers ?? [],
    aliases: entry.aliases ?? [],
    javascript: text('javascript') ?? null,
    resultType: text('result_type') ?? null,
    doc: text('doc'),
    errors: text('errors'),
    source: text('source'),
    shape: typeof entry.shape === 'object' ? entry.shape : text('shape'),
    dtype: text('dtype'),
    kernel: text('kernel') ?? `${name}_cpu`,
    impl: text('impl') ?? (has('pointwise') ? 'generated' : 'custom'),
  }
  op.shapeRule = readShape(op, fail)
  if (op.shape && typeof op.shape === 'object')
    op.shape = Object.entries(op.shape)
      .map(([key, rule]) => `${key} ${rule}`)
      .join(', ')
  if (!op.doc) fail(null, `${name}: 'doc' is missing`)
  if (!NAMESPACES.includes(op.namespace)) fail('namespace', `unknown namespace '${op.namespace}' (known: ${NAMESPACES.join(', ')})`)
  if (op.method && tensors.length === 0) fail('method', 'a method needs a Tensor argument')
  for (const k of ['numbers', 'aliases']) if (!Array.isArray(op[k])) fail(k, `'${k}' has to be a list`)
  if (op.dtypes && !Array.isArray(op.dtypes)) fail('dtypes', "'dtypes' has to be a list")
  for (const k of ['rare', 'dtypes']) if (has(k) && !has('pointwise')) fail(k, `'${k}' is for pointwise operators`)
  for (const n of op.numbers) if (!tensors.some((t) => t.name === n)) fail('numbers', `'${n}' is no Tensor argument of ${name}`)
  if (selfInplace && (args[0]?.type.base !== 'Tensor' || returns.kind !== 'tensor'))
    fail('op', 'an in-place operator takes and returns a Tensor')

  const fresh = returns.kind === 'tensor' && !op.view && !selfInplace && op.namespace !== 'internal'
  op.out = text('out') ?? (has('pointwise') ? 'kernel' : fresh && !op.composite ? 'copy' : fresh ? 'copy' : 'none')
  if (!['kernel', 'copy', 'none'].includes(op.out)) fail('out', `'out' has to be kernel, copy or none`)
  const checks =
    entry.out_check === undefined ? [] : Array.isArray(entry.out_check) ? entry.out_check : returns.items.map(() => entry.out_check)
  if (checks.some((c) => typeof c !== 'string') || (checks.length && checks.length !== returns.items.length))
    fail('out_check', `'out_check' is a text, or a list of one for each result`)
  op.outCheck = checks.map((c) => (c === 'exact' ? 'Expected out tensor to have dtype {result}, but got {out} instead' : c))
  op.outApart = boolean('out_apart', false)
  op.outDtype = boolean('out_dtype', false)
  if (op.outDtype && !op.args.some((a) => a.name === 'dtype' && a.type.optional))
    fail('out_dtype', `'out_dtype' is for an operator with an argument 'ScalarType? dtype'`)
  if (op.out !== 'copy' && (checks.length || op.outApart || op.outDtype))
    fail('out', `'out_check', 'out_apart' and 'out_dtype' are for results that are copied to out`)
  if (op.inplace && (returns.kind !== 'tensor' || !tensors.length || tensors[0].type.list))
    fail('inplace', 'an in-place form needs a Tensor to write to and one Tensor result')
  if (op.composite && op.out === 'kernel') fail('out', 'a composite has no kernel that writes out')

  if (has('pointwise')) {
    const p = entry.pointwise
    if (p === null || typeof p !== 'object') fail('pointwise', "'pointwise' maps bool, int, float, complex to expressions")
    op.pointwise = {}
    for (const [k, v] of Object.entries(p)) {
      if (!CLASSES.includes(k)) fail('pointwise', `unknown dtype class '${k}' (known: ${CLASSES.join(', ')})`)
      try {
        op.pointwise[k] = parseExpression(v)
      } catch (e) {
        fail('pointwise', `${k}: ${e.message}`)
      }
    }
    const m = /^(\w+)\(/.exec(op.dtype ?? '')
    if (!m || !RULES.includes(m[1])) fail('dtype', `a pointwise operator needs a dtype rule: ${RULES.map((r) => `${r}(...)`).join(', ')}`)
    op.rule = m[1]
    if (returns.kind !== 'tensor') fail('op', 'a pointwise operator returns one Tensor')
  }

  if (has('backward')) {
    if (entry.backward === 'none') op.backward = 'none'
    else if (entry.backward === null || typeof entry.backward !== 'object')
      fail('backward', "'backward' maps arguments to expressions, or is none")
    else {
      op.backward = {}
      for (const [k, v] of Object.entries(entry.backward)) {
        let expression
        try {
          expression = parseExpression(v)
        } catch (e) {
          fail('backward', `${k}: ${e.message}`)
        }
        for (const argument of k.split(/\s*,\s*/)) {
          if (!tensors.some((t) => t.name === argument)) fail('backward', `'${argument}' is no Tensor argument of ${name}`)
          if (op.backward[argument]) fail('backward', `${argument} has two derivatives`)
          op.backward[argument] = expression
        }
      }
    }
    if (op.composite) fail('backward', 'a composite is differentiated through its parts')
  }
  return op
}

export function loadSchemaText(source, file) {
  const lines = new LineCounter()
  const doc = parseDocument(source, { lineCounter: lines })
  const complain = (line, message) => {
    throw new SchemaError(`${file}:${line}: ${message}`)
  }
  for (const e of doc.errors) complain(e.linePos?.[0].line ?? 1, e.message.split('\n')[0])
  if (doc.contents === null) return []
  if (!Array.isArray(doc.contents.items)) complain(1, 'a schema file is a list of operators')
  return doc.contents.items.map((node) => {
    const lineOf = (n) => lines.linePos(n?.range?.[0] ?? 0).line
    const line = lineOf(node)
    if (!Array.isArray(node.items)) complain(line, 'an entry is a mapping that begins with op:')
    const fail = (key, message) => {
      const pair = key && node.items.find((p) => p.key.value === key)
      complain(pair ? lineOf(pair.key) : line, message)
    }
    return readEntry(node.toJS(doc), { file, line, family: basename(file).replace(/\.yaml$/, '') }, fail)
  })
}

// All operators, files in alphabetical order, entries in the order of the file.
export function loadSchema(dir) {
  const ops = readdirSync(dir)
    .filter((f) => f.endsWith('.yaml'))
    .sort()
    .flatMap((f) => loadSchemaText(readFileSync(join(dir, f), 'utf8'), join(dir, f)))
  const names = new Map()
  const claim = (cname, op) => {
    const other = names.get(cname)
    if (other) throw new SchemaError(`${op.file}:${op.line}: tj_${cname} is already defined at ${other.file}:${other.line}`)
    names.set(cname, op)
  }
  for (const op of ops) {
    claim(op.cname, op)
    if (op.inplace) claim(`${op.cname}_`, op)
    if (op.out !== 'none') claim(`${op.cname}_out`, op)
  }
  readDeviceList(join(dir, '../webgpu.txt'), new Map(ops.map((o) => [o.cname, o])))
  return ops
}

// The operators that webgpu has kernels of: op.webgpu is 'lone' where a number of the cpu may stand beside its tensors, else 'own';
// op.webgpuComplex: of complex64 too.
function readDeviceList(file, byName) {
  if (!existsSync(file)) return
  const words = readFileSync(file, 'utf8').replace(/^#.*$/gm, '').split(/\s+/).filter(Boolean)
  for (const word of words) {
    const op = byName.get(word.replace(/[*+]/g, ''))
    if (!op) throw new SchemaError(`${file}: there is no operator '${word}'`)
    op.webgpu = word.includes('*') ? 'lone' : 'own'
    op.webgpuComplex = word.includes('+')
  }
}
