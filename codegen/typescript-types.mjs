// The TypeScript side of signatures: type parameters, parameter types, result types (shape, dtype, device) and options interfaces.
//
// An argument that the shape or dtype rule speaks of is a type parameter, whose default is the argument's default; where it may be given by
// position or in the options object, both infer the same parameter. So one signature serves all ways of calling an overload.
import { argType, takesNumber, variadicArg } from './typescript.mjs'
import { namesIn, parseRule, ruleType } from './shape_rules.mjs'
import { title } from './text.mjs'

const RESERVED_PARAMETERS = new Set(['default', 'in', 'function', 'new', 'var', 'with', 'this', 'arguments', 'eval', 'options'])
const parameter = (name) => (RESERVED_PARAMETERS.has(name) ? `${name}_` : name)
const SUFFIX = {
  torch: 'Options',
  'nn.functional': 'FunctionalOptions',
  special: 'SpecialOptions',
  linalg: 'LinalgOptions',
  fft: 'FftOptions',
}

const baseName = (group) => {
  const { op } = group.overloads[0]
  return op.jsName.replace(/(?<!_)_$/, '')
}
export const optionsName = (group) => title(baseName(group)) + SUFFIX[group.namespace]

const isTensor = (a) => a.type.base === 'Tensor' && !a.type.list
export const selfIndex = (op) => {
  const i = op.args.findIndex((a) => a.name === 'self' && isTensor(a))
  return i >= 0 ? i : op.args.findIndex(isTensor)
}

// Text arguments whose values are known: the editor completes them.
const WORDS = {
  reduction: ['none', 'mean', 'sum'],
  approximate: ['none', 'tanh'],
  interpolation: ['linear', 'lower', 'higher', 'midpoint', 'nearest'],
  rounding_mode: ['trunc', 'floor'],
  indexing: ['ij', 'xy'],
  UPLO: ['L', 'U'],
}

function valueType(arg, tensor = 'Tensor') {
  const none = arg.type.optional ? ' | null' : ''
  const size = arg.type.size
  const words = arg.type.base === 'str' && !arg.type.list && WORDS[arg.name]
  const base = words
    ? arg.name === 'reduction'
      ? `LossReduction`
      : `${words.map((w) => `'${w}'`).join(' | ')}`
    : {
        Tensor: tensor,
        Scalar: 'Scalar',
        ScalarType: 'DType',
        Device: 'DeviceInput | string',
        Generator: 'Generator',
        int: 'number',
        float: 'number',
        bool: 'boolean',
        str: 'string',
        'Tensor[]': 'readonly Tensor[]',
        'Tensor?[]': 'readonly (Tensor | null)[]',
        'int[]': size ? 'number | readonly number[]' : 'readonly number[]',
        'float[]': size ? 'number | readonly number[]' : 'readonly number[]',
        'bool[]': 'readonly boolean[]',
        'Scalar[]': 'readonly Scalar[]',
      }[argType(arg.type)]
  return base + none
}

const isOption = (op, a, i) => a.hasDefault || a.kwonly || (op.overload && i > 0 && !isTensor(a)) || (op.overload && i > selfIndex(op))

// ---- what the rules speak of ---------------------------------------------------------------------------------------

const rulesOf = (op) =>
  op.shapeRule === null
    ? []
    : op.shapeRule.call || op.shapeRule.name || op.shapeRule.literal
      ? [op.shapeRule]
      : Object.values(op.shapeRule.named)
function spoken(op) {
  op.spokenNames ??= {
    shape: new Set(rulesOf(op).flatMap(namesIn)),
    dtype: new Set(dtypeRule(op) ? namesIn(dtypeRule(op)) : []),
  }
  return op.spokenNames
}

const DTYPES = new Set(
  'bool uint8 int8 int16 int32 int64 uint16 uint32 uint64 float16 bfloat16 float32 float64 complex64 complex128'.split(' '),
)
function dtypeRule(op) {
  const text = (op.dtype ?? '').replace(/\s/g, '')
  if (!text || DTYPES.has(text)) return null
  if (!/^(same|promote|float|floating|real|bool|complex|sum|truth|double|arg)\(/.test(text)) return null
  return parseRule(text)
}

// The type parameters that stand for an argument: { name, constraint, fallback } by what of it is meant.
const argParameter = (a) => {
  if (a.name === 's') return 'Sizes' // S is self's shape
  return a.name === 'shape' && a.type.list && a.type.base === 'int' ? 'Size' : title(a.name)
}
function literalType(v) {
  if (Array.isArray(v)) return `readonly [${v.map(literalType).join(', ')}]`
  if (typeof v === 'string') return `'${v}'`
  return String(v)
}

// A parameter of an options type: an argument that some overload's rules speak of.
function optionParameter(op, a) {
  const { shape, dtype } = spoken(op)
  if (a.type.base === 'ScalarType' && a.name === 'dtype') return { name: 'DT', constraint: 'DType | null' }
  if (a.type.base === 'Device' && a.name === 'device') return { name: 'On', constraint: 'DeviceInput | string | null' }
  if (isTensor(a)) return shape.has(a.name) && a.type.optional ? { name: `${title(a.name)}S`, constraint: 'Shape', tensor: true } : null
  if (a.type.base === 'Tensor') return null
  if (shape.has(a.name) || (dtype.has(a.name) && a.type.base === 'Scalar')) return { name: argParameter(a), constraint: valueType(a) }
  return null
}

const splitUnion = (t) => t.split(/ \| (?![^(]*\))/)
const union = (texts) => [...new Set([...texts].flatMap(splitUnion))].join(' | ')

// The options type of a group of overloads: { name, params: [{ name, constraint, keys }], keys: Map(key -> types) }.
const optionTypes = new Map()
function optionsOf(groups) {
  const families = new Map()
  for (const g of groups) {
    const name = optionsName(g)
    if (!families.has(name)) families.set(name, { name, jsName: baseName(g), ops: [], keys: new Map(), params: new Map() })
    const family = families.get(name)
    optionTypes.set(name, family)
    for (const e of g.overloads) {
      family.ops.push(e.op)
      e.op.args.forEach((a, i) => {
        if (i === selfIndex(e.op) || !isOption(e.op, a, i)) return
        if (!family.keys.has(a.name)) family.keys.set(a.name, new Set())
        const types = family.keys.get(a.name)
        const p = optionParameter(e.op, a)
        if (p) {
          if (!family.params.has(p.name)) family.params.set(p.name, new Set())
          family.params.get(p.name).add(p.constraint)
          types.add(p.tensor ? `Tensor<${p.name}> | null` : p.name)
        } else types.add(takesNumber(e, a) ? valueType(a, 'Tensor | Scalar') : valueType(a))
      })
      if (e.out >= 0)
        family.keys.set(
          'out',
          new Set([...(family.keys.get('out') ?? []), e.op.returns.kind === 'tuple' ? 'readonly Tensor[] | null' : 'Tensor | null']),
        )
    }
  }
  return [...families.values()]
}

// What many operators take alike (ts/src/types/options.ts): the keys, and which operators are meant.
const OUT = 'Tensor | null'
const tensorsOf = (op) => op.args.filter(isTensor).length
const calls = (op, ...names) => names.includes(op.shapeRule?.call)
const SHARED = [
  {
    name: 'StdVarOptions',
    keys: { dim: 'Dim', keepdim: 'Keepdim', unbiased: 'boolean', correction: 'Scalar | null' },
    params: ['Dim', 'Keepdim'],
  },
  { name: 'ReductionOptions', keys: { dim: 'Dim', keepdim: 'Keepdim' }, params: ['Dim', 'Keepdim'] },
  { name: 'CumulativeOptions', keys: { dtype: 'DT', out: OUT }, params: ['DT'], of: (op) => calls(op, 'cum') },
  { name: 'BinaryOptions', keys: { out: OUT }, params: [], of: (op) => tensorsOf(op) === 2 && calls(op, 'broadcast') },
  { name: 'UnaryOptions', keys: { out: OUT }, params: [], of: (op) => tensorsOf(op) === 1 && calls(op, 'same') },
]
const sharedOptions = (f) =>
  SHARED.find(
    (s) =>
      Object.entries(s.keys).every(([key, type]) => f.keys.has(key) && union(f.keys.get(key)) === type) && (!s.of || f.ops.every(s.of)),
  )

// The options with their defaults; a value of the type where there is none.
function optionsExample(f) {
  const value = (v) => (v === Infinity || v === -Infinity ? String(v) : JSON.stringify(v).replaceAll('"', "'"))
  const written = [...f.keys].map(([key]) => {
    const a = f.ops.flatMap((op) => op.args).find((x) => x.name === key && x.hasDefault && x.default !== null)
    return a && a.type.base !== 'Tensor' ? `${key}: ${value(a.default)}` : null
  })
  const given = written.filter((w) => w)
  const text = given.length ? given : [[...f.keys].some(([k]) => k === 'out') ? 'out: null' : '']
  return `const options: torch.${f.name} = { ${text.join(', ')} }`
}

export function optionsTypes(groups) {
  const lines = []
  for (const f of optionsOf(groups)) {
    if (f.keys.size === 0) continue
    const params = [...f.params].map(
      ([name, constraints]) =>
        `${name}${name.endsWith('S') && union(constraints) === 'Shape' ? ' extends Shape' : ''} = ${union(constraints)}`,
    )
    const shared = sharedOptions(f)
    const base = shared ? ` extends ${shared.name}${shared.params.length ? `<${shared.params.join(', ')}>` : ''}` : ''
    lines.push(
      '/**',
      ` * Options of ${f.jsName}.`,
      ' *',
      ` *     ${optionsExample(f)}`,
      ' */',
      `export interface ${f.name}${params.length ? `<${params.join(', ')}>` : ''}${base} {`,
    )
    for (const [key, types] of f.keys) if (!shared || !(key in shared.keys)) lines.push(`  readonly ${key}?: ${union(types)}`)
    lines.push('}', '')
  }
  return lines.join('\n')
}
export const SHARED_OPTIONS = SHARED.map((s) => s.name)

// ---- one signature -------------------------------------------------------------------------------------------------

const CASTS = {
  float: 'float32',
  double: 'float64',
  half: 'float16',
  bfloat16: 'bfloat16',
  int: 'int32',
  long: 'int64',
  short: 'int16',
  char: 'int8',
  byte: 'uint8',
  bool: 'bool',
  cfloat: 'complex64',
  cdouble: 'complex128',
}
// Operators that give another dtype than they take, where no rule tells.
export const OTHER_DTYPE =
  /complex|polar|view_as|^real$|^imag$|angle|^abs$|^to$|type|bincount|hist|bucketize|searchsorted|arg|count|unique|multinomial|one_hot/

// Arguments that are dimensions of self: the editor offers those that there are.
const DIMS = new Set(['dim', 'dim0', 'dim1', 'start_dim', 'end_dim', 'source', 'destination'])
const offered = (constraint) => constraint.replace(/^number\b/, 'DimOf<S>')

class Signature {
  constructor(entry, kind, group, options, numbers) {
    Object.assign(this, { entry, op: entry.op, kind, group, options, numbers })
    this.method = kind === 'method'
    this.self = selfIndex(this.op)
    this.generics = new Map() // name -> declaration
    this.tensors = new Map() // argument name -> { s, d, dev } or { number }
    this.dtypeGiven = null
    this.deviceGiven = null
    this.given = new Map() // argument name -> the type of what was given
  }

  add(name, declaration) {
    if (!this.generics.has(name)) this.generics.set(name, declaration)
    return name
  }

  // The type parameters of a Tensor argument.
  tensor(a, i) {
    const { op } = this
    if (this.numbers.has(a)) {
      const inRule = spoken(op).dtype.has(a.name)
      if (inRule) this.add(`${title(a.name)}N`, `const ${title(a.name)}N extends Scalar`)
      this.tensors.set(a.name, { number: inRule ? `${title(a.name)}N` : null })
      return inRule ? `${title(a.name)}N` : 'Scalar'
    }
    const t = i === this.self ? '' : title(a.name)
    const shape = i === this.self || spoken(op).shape.has(a.name)
    const dtype = i === this.self || spoken(op).dtype.has(a.name)
    if (!shape && !dtype) return takesNumber(this.entry, a) ? 'Tensor | Scalar' : 'Tensor'
    const names = { s: `${t}S`, d: dtype ? `${t}D` : null, dev: `${t}Dev` }
    // An optional tensor that is not given broadcasts as a number.
    const none = a.type.optional ? ' = readonly []' : ''
    this.add(names.s, `${names.s} extends Shape${none}`)
    if (dtype) this.add(names.d, `${names.d} extends DType${a.type.optional ? ` = ${this.selfParts().d}` : ''}`)
    this.add(names.dev, `${names.dev} extends DeviceType${a.type.optional ? ` = ${this.selfParts().dev}` : ''}`)
    this.tensors.set(a.name, names)
    return `Tensor<${names.s}, ${names.d ?? 'DType'}, ${names.dev}>`
  }

  // The receiver's dtype and device.
  selfParts() {
    return this.inplaceSelf ? { d: `This['dtype']`, dev: `This['device']` } : { d: 'D', dev: 'Dev' }
  }

  // The type of a parameter without what comes from options.
  value(a, i) {
    const { op } = this
    const { shape, dtype } = spoken(op)
    if (isTensor(a)) return this.tensor(a, i) + (a.type.optional ? ' | null' : '')
    if (a.type.base === 'Tensor' && a.type.list && (shape.has(a.name) || dtype.has(a.name))) {
      const name = title(a.name)
      this.add(name, `const ${name} extends readonly Tensor[]`)
      return name
    }
    const p = optionParameter(op, a)
    if (!p || p.tensor) return valueType(a)
    // An options object in its place is a candidate for the parameter as well; what it then says is that the argument is not given.
    const loose = this.options && a.hasDefault && !a.kwonly && !this.spread
    const preset = a.hasDefault ? literalType(a.default) : ''
    // The editor offers what is in a parameter's default: all words, and undefined as a sign that none was given.
    const words = preset && a.type.base === 'str' && WORDS[a.name]
    const fallback = words ? `${p.constraint} | undefined` : preset
    const given = loose || words ? `Given<${p.name}, ${preset}>` : p.name
    // Not from where the result goes: torch.cat([torch.zeros(2)]) wants any Tensor, which says nothing of the dtype.
    if (p.name === 'DT') this.dtypeGiven = loose ? given.replace('<DT,', '<NoInfer<DT>,') : `NoInfer<DT>`
    if (p.name === 'On') this.deviceGiven = loose ? given.replace('<On,', '<NoInfer<On>,') : `NoInfer<On>`
    this.given.set(a.name, given)
    const constant = p.name === 'DT' || p.name === 'On' ? '' : 'const '
    const own =
      p.name === 'DT' && !a.type.optional ? 'DType' : DIMS.has(a.name) && this.generics.has('S') ? offered(p.constraint) : p.constraint
    const constraint = own + (loose ? ` | ${optionsName(this.group)}` : '')
    this.add(p.name, `${constant}${p.name} extends ${constraint}${words ? ' | undefined' : ''}${fallback && ` = ${fallback}`}`)
    return p.name
  }

  // The options type with this signature's parameters in it; what another overload speaks of may not be given.
  optionsType() {
    const family = optionTypes.get(optionsName(this.group))
    if (!family.params.size) return family.name
    const own = new Map(this.op.args.map((a) => [optionParameter(this.op, a)?.name, a]))
    const args = [...family.params].map(([name, constraints]) => {
      const a = own.get(name)
      if (!a || !isOption(this.op, a, this.op.args.indexOf(a))) return 'never'
      const p = optionParameter(this.op, a)
      if (p.tensor) {
        this.add(name, `${name} extends Shape = readonly []`)
        return name
      }
      this.value(a, this.op.args.indexOf(a))
      return this.generics.has(name) ? name : union(constraints)
    })
    return `${family.name}<${args.join(', ')}>`
  }

  // ---- results ----

  typeOfName = (name) => {
    const a = this.op.args.find((x) => x.name === name)
    const t = this.tensors.get(name)
    if (t) return t.s ?? 'readonly []'
    if (a.type.base === 'Tensor' && a.type.list) return `ShapesOf<${title(a.name)}>`
    return this.given.get(name) ?? argParameter(a)
  }

  shape(rule, list = false) {
    return rule ? ruleType(rule, this.typeOfName, list) : list ? 'DynamicShape[]' : 'DynamicShape'
  }

  dtype() {
    const base = this.dtypeBase()
    const given = this.op.args.find((a) => a.type.base === 'ScalarType' && a.name === 'dtype')
    if (!given || !this.dtypeGiven) return base
    return given.type.optional ? (base === 'DType' ? `DTypeOr<${this.dtypeGiven}, DType>` : `DTypeOr<${this.dtypeGiven}, ${base}>`) : 'DT'
  }

  dtypeBase() {
    const { op } = this
    const text = (op.dtype ?? '').replace(/\s/g, '')
    const self = this.self >= 0 ? this.tensors.get(op.args[this.self].name) : undefined
    const d = self?.d
    if (CASTS[op.name] && op.family === 'copy') return `'${CASTS[op.name]}'`
    if (DTYPES.has(text)) return `'${text}'`
    const rule = dtypeRule(op)
    if (!rule) {
      if (!d || text || OTHER_DTYPE.test(op.name) || op.overload === 'dtype') return 'DType'
      if (op.view) return d
      return typeof op.backward === 'object' || op.composite ? `SameFloat<${d}>` : 'DType'
    }
    return this.dtypeOfRule(rule) ?? 'DType'
  }

  // Two operands as one: { d, s } with the dtype's text.
  join(list) {
    const tensors = list.filter((t) => t.d)
    const numbers = list.filter((t) => t.number)
    if (!tensors.length)
      return numbers.length === list.length && numbers.length ? `NumbersDType<${numbers.map((t) => t.number).join(' | ')}>` : null
    let { d } = tensors[0]
    for (const t of tensors.slice(1)) d = `PromoteTensors<${d}, ${tensors[0].s}, ${t.d}, ${t.s}>`
    for (const t of list) if (t.number) d = `PromoteScalar<${d}, ${t.number}>`
    return list.some((t) => !t.d && !t.number) ? 'DType' : d
  }

  dtypeOfRule(rule) {
    if (rule.name) {
      if (DTYPES.has(rule.name)) return `'${rule.name}'`
      const a = this.op.args.find((x) => x.name === rule.name)
      const t = this.tensors.get(rule.name)
      if (t) return t.d ?? null
      if (a?.type.list && a.type.base === 'Tensor') return this.generics.has(title(a.name)) ? `PromoteAll<${title(a.name)}>` : null
      if (a?.type.base === 'Scalar' && this.generics.has(argParameter(a))) return `NumbersDType<${this.given.get(a.name)}>`
      return null
    }
    if (rule.call === 'bool') return `'bool'`
    if (rule.call === 'arg') {
      const rest = rule.args.slice(1)
      if (!rest.length) return this.self < 0 ? `'float32'` : null
      const numbers = rest.map((r) => this.op.args.find((a) => a.name === r.name)).filter((a) => a?.type.base === 'Scalar')
      if (numbers.length === rest.length && numbers.every((a) => this.generics.has(argParameter(a))))
        return `NumbersDType<${numbers.map((a) => this.given.get(a.name)).join(' | ')}>`
      const parts = rest.map((r) => this.dtypeOfRule(r))
      return parts.some((p) => !p) ? 'DType' : parts.reduce((a, b) => `Promote<${a}, ${b}>`)
    }
    let inner
    if (rule.call === 'same' && rule.args.length > 1) {
      const parts = rule.args.map((r) => this.dtypeOfRule(r))
      return parts.some((p) => !p) ? null : parts.reduce((a, b) => `SameDType<${a}, ${b}>`)
    }
    if (rule.args.some((a) => a.call)) inner = this.dtypeOfRule(rule.args[0])
    else {
      const operands = rule.args.map((r) => {
        const t = this.tensors.get(r.name)
        if (t) return t
        const a = this.op.args.find((x) => x.name === r.name)
        if (a?.type.base === 'Tensor' && a.type.list) return { d: this.dtypeOfRule(r), s: 'Shape' }
        const p = a && optionParameter(this.op, a)
        return a?.type.base === 'Scalar' && p && this.generics.has(p.name) ? { number: this.given.get(a.name) ?? p.name } : {}
      })
      inner = this.join(operands)
    }
    if (!inner) return null
    return {
      same: inner,
      promote: inner,
      float: `ToFloat<${inner}>`,
      floating: `FloatingOnly<${inner}>`,
      truth: `ToTruth<${inner}>`,
      real: `ToReal<${inner}>`,
      complex: `ToComplex<${inner}>`,
      sum: `ToSum<${inner}>`,
      double: `ToDouble<${inner}>`,
    }[rule.call]
  }

  device() {
    const { op } = this
    const own = op.args.map((a) => this.tensors.get(a.name)).filter((t) => t?.dev)
    const first = this.self >= 0 ? this.tensors.get(op.args[this.self].name) : undefined
    const list = op.args.find((a) => a.type.base === 'Tensor' && a.type.list && this.generics.has(title(a.name)))
    let dev = own.length
      ? (first?.dev ?? own[0].dev)
      : list
        ? `DeviceOfAll<${title(list.name)}>`
        : op.args.some((a) => a.type.base === 'Device')
          ? `'cpu'`
          : 'DeviceType'
    let s = first?.s ?? own[0]?.s
    for (const t of own) {
      if (t.dev === dev || t === first) continue
      dev = `JoinDevice<${dev}, ${s}, ${t.dev}, ${t.s}>`
      s = 'Shape'
    }
    return this.deviceGiven ? `DeviceOr<${this.deviceGiven}, ${dev}>` : dev
  }

  // How results may fail: texts that can be errors go through Checked.
  tensorType(s, d, dev) {
    const plain = (t) => /^(\w+|'\w+'|readonly \[\])$/.test(t)
    const dtypeMayFail = /Promote|SameDType|FloatingOnly/.test(d)
    if (plain(s) && !dtypeMayFail && !/JoinDevice|DeviceOfAll/.test(dev)) return `Tensor<${s}, ${d}, ${dev}>`
    return `Checked<${s}, ${d}, ${dev}>`
  }

  result() {
    const { op, entry } = this
    const rule = op.shapeRule
    const one = rule && (rule.call || rule.name || rule.literal) ? rule : null
    const sameAsSelf = one?.call === 'same' || !one
    if (entry.inplace && !(op.selfInplace && !sameAsSelf)) {
      if (!this.method) return this.self >= 0 && this.tensors.get(op.args[this.self].name)?.s ? 'Tensor<S, D, Dev>' : 'Tensor'
      if (sameAsSelf || !this.inplaceSelf) return 'this'
      return `InPlace<This, ${this.shape(one)}, ${this.dtypeBase()}>`
    }
    const d = this.dtype()
    const dev = this.device()
    if (op.returns.kind === 'tensor') return this.tensorType(this.shape(one), d, dev)
    if (op.returns.kind === 'list')
      return one ? `CheckedList<${this.shape(one, true)}, ${d}, ${dev}>` : `Tensor<DynamicShape, ${d}, ${dev}>[]`
    if (op.returns.kind === 'void') return 'void'
    if (op.returns.kind === 'scalar')
      return (
        {
          bool: 'boolean',
          int: 'number',
          float: 'number',
          Scalar: 'number | bigint | boolean | Complex',
          ScalarType: 'DType',
          str: 'string',
        }[op.returns.items[0].type.base] ?? 'number'
      )
    const items = op.returns.items.map((r) => {
      const own = one ?? rule?.named?.[r.name] ?? null
      const dtype = /^(indices|counts|indexes)$/.test(r.name)
        ? `'int64'`
        : r.name === 'mask'
          ? `'bool'`
          : /^(info|pivots|exponent)$/.test(r.name)
            ? `'int32'`
            : d
      return [
        r.name,
        own || /FloatingOnly/.test(dtype) ? `Checked<${this.shape(own)}, ${dtype}, ${dev}>` : `Tensor<DynamicShape, ${dtype}, ${dev}>`,
      ]
    })
    // A type of its own for what these operators give: of the distinct shapes, the dtype and the device.
    if (op.resultType) {
      const shapes = one ? [this.shape(one)] : op.returns.items.map((r) => this.shape(rule?.named?.[r.name] ?? null))
      const body = `${op.resultType}<${[...shapes, d, dev].join(', ')}>`
      return one ? `Guard<${shapes[0]}, ${body}>` : body
    }
    const body = op.returns.items[0].name.startsWith('result')
      ? `[${items.map(([, t]) => t).join(', ')}]`
      : `Results<{ ${items.map(([n, t]) => `${n}: ${t}`).join('; ')} }>`
    const main = one ?? Object.values(rule?.named ?? {})[0]
    return main && !main.literal && main.call !== 'same' && main.call !== 'scalar' ? `Guard<${this.shape(main)}, ${body}>` : body
  }

  // ---- the text ----

  // optionsAt: the place at which an options object takes over, with the arguments from there on that are required in it.
  text({ requiredOptions = null } = {}) {
    const { op, entry, method, self, options } = this
    const params = []
    let receiver = null
    let optional = false
    const single = requiredOptions === null && op.overload && options && this.requiredAfterSelf().length === 1
    op.args.forEach((a, i) => {
      if (method && i === self) {
        receiver = this.receiver(a, i)
        return
      }
      if (a.kwonly) {
        if (isTensor(a)) return
        this.value(a, i)
        return
      }
      if (requiredOptions && i > self && !isTensor(a)) {
        this.value(a, i)
        return
      }
      const value = this.value(a, i)
      if (a.hasDefault) optional = true
      let type = value
      if (optional && options) type += ` | ${this.optionsType()}`
      else if (single && this.requiredAfterSelf()[0] === a && !isTensor(a))
        type += ` | (${this.optionsType()} & { readonly ${a.name}: ${value} })`
      params.push(`${parameter(a.name)}${optional ? '?' : ''}: ${type}`)
    })
    if (options) {
      const needed = requiredOptions ?? []
      const type = this.optionsType()
      params.push(
        needed.length
          ? `options: ${type} & { ${needed.map((a) => `readonly ${a.name}: ${this.value(a, op.args.indexOf(a))}`).join('; ')} }`
          : `options?: ${type}`,
      )
    }
    return this.close(receiver, params, this.result())
  }

  requiredAfterSelf() {
    return this.op.args.filter((a, i) => i !== this.self && !a.hasDefault && !a.kwonly)
  }

  // The receiver as a parameter keeps the type arguments of Tensor out of the methods: any Tensor<...> is then a Tensor at once.
  receiver(a, i) {
    const { op, entry } = this
    if (!entry.inplace) return `this: ${this.tensor(a, i)}`
    const one = op.shapeRule?.call ? op.shapeRule : null
    if (op.selfInplace && one && one.call !== 'same') {
      if (one.call !== 'in_place') return `this: ${this.tensor(a, i)}`
    }
    if (!one || one.call === 'same') return null
    this.inplaceSelf = true
    this.add('This', 'This extends Tensor')
    this.tensors.set(a.name, { s: `This['shape']`, d: `This['dtype']`, dev: `This['device']` })
    return 'this: This'
  }

  close(receiver, params, result) {
    // Type parameters that stand in no other place than the receiver are written out.
    const used = (name) => [...params, result].some((t) => new RegExp(`(?<![\\w'])${name}(?![\\w'])`).test(t))
    const defaults = [...this.generics.values()]
    const kept = [...this.generics].filter(
      ([name]) => used(name) || defaults.some((t) => t.endsWith(` = ${name}`) && used(t.replace(/^const /, '').split(' ')[0])),
    )
    const names = new Set(kept.map(([name]) => name))
    // With defaults last.
    const text = [...kept.filter(([, t]) => !/ = /.test(t)), ...kept.filter(([, t]) => / = /.test(t))].map(([, t]) => t)
    const widen = (t) =>
      t.replace(/Tensor<(\w+), (\w+), (\w+)>/g, (m, s, d, dev) => {
        const out = [
          names.has(s) || !this.generics.has(s) ? s : 'Shape',
          names.has(d) || !this.generics.has(d) ? d : 'DType',
          names.has(dev) || !this.generics.has(dev) ? dev : 'DeviceType',
        ]
        return out.join() === 'Shape,DType,DeviceType' ? 'Tensor' : `Tensor<${out.join(', ')}>`
      })
    const all = [...(receiver ? [widen(receiver)] : []), ...params.map(widen)]
    return `${text.length ? `<${text.join(', ')}>` : ''}(${all.join(', ')}): ${result}`
  }
}

// view(x, [2, 3]), zeros([2, 3]), x.view(2, 3), zeros(2, 3): self where there is one, and the sizes as one array or as the rest.
function variadicSignatures(entry, kind, group, options) {
  const make = () => new Signature(entry, kind, group, options, new Set())
  const { op } = entry
  const rest = variadicArg(op)
  const at = op.args.indexOf(rest)
  const p = parameter(rest.name)
  const build = (form) => {
    const s = make()
    s.spread = true
    let receiver = null
    const params = []
    op.args.forEach((a, i) => {
      if (i === s.self) {
        if (s.method) receiver = s.receiver(a, i)
        else params.push(`${parameter(a.name)}: ${s.tensor(a, i)}`)
      } else if (a !== rest && (form !== 'spread' || a.kwonly)) {
        if (form !== 'spread') s.value(a, i)
      }
    })
    const value = s.value(rest, at)
    const list = s.generics.has(argParameter(rest)) ? value : 'readonly number[]'
    if (form === 'spread') params.push(`...${p}: ${list}`)
    else if (form === 'list') params.push(`${p}: ${list}`, ...(options ? [`options?: ${s.optionsType()}`] : []))
    else params.push(`...args: readonly [...${p}: ${list === 'readonly number[]' ? 'number[]' : list}, options: ${s.optionsType()}]`)
    if (form === 'spread') {
      s.dtypeGiven = null
      s.deviceGiven = null
    }
    return s.close(receiver, params, s.result())
  }
  return [build('spread'), build('list'), ...(options ? [build('spread-options')] : [])]
}

export function allSignatures(group, kind) {
  const options = group.overloads.some((e) => e.op.args.some((a, i) => i !== selfIndex(e.op) && isOption(e.op, a, i)) || e.out >= 0)
  const out = []
  for (const entry of group.overloads) {
    const { op } = entry
    const hasOptions = options && (op.args.some((a) => a.hasDefault || a.kwonly) || entry.out >= 0)
    if (variadicArg(op)) {
      out.push(...variadicSignatures(entry, kind, group, hasOptions))
      continue
    }
    const self = selfIndex(op)
    const names = spoken(op)
    const numeric = op.args.filter(
      (a, i) =>
        takesNumber(entry, a) &&
        !(kind === 'method' && i === self) &&
        !a.kwonly &&
        (names.shape.has(a.name) || names.dtype.has(a.name) || i === self),
    )
    const combos = [new Set(), ...numeric.map((a) => new Set([a]))].filter((c) => c.size === 0 || op.args.filter(isTensor).length > c.size)
    for (const numbers of combos) out.push(new Signature(entry, kind, group, hasOptions, numbers).text())
    const required = op.args.filter((a, i) => i !== self && !a.hasDefault && !a.kwonly && !isTensor(a))
    if (options && op.overload && self >= 0 && required.length > 1)
      out.push(new Signature(entry, kind, group, true, new Set()).text({ requiredOptions: required }))
  }
  return [...new Set(out)]
}
