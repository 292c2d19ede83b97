// The TypeScript side of signatures: parameter types, result types (shape, dtype, device) and options interfaces.
import { argType, takesNumber, variadicArg } from './typescript.mjs'
import { title } from './text.mjs'

// The type parameter that stands for an argument.
const typeParameter = (a) => (a.name === 'shape' ? 'Size' : title(a.name))
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

function valueType(arg, tensor = 'Tensor') {
  const none = arg.type.optional ? ' | null' : ''
  const size = arg.type.size
  const base = {
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

const isOption = (op, a, i) =>
  a.hasDefault || a.kwonly || (op.overload && i > 0 && !isTensor(a)) || (op.overload && i > selfIndex(op) && op.overload !== '')

export function optionsTypes(groups) {
  const families = new Map()
  for (const g of groups) {
    const name = optionsName(g)
    if (!families.has(name)) families.set(name, { name, jsName: baseName(g), keys: new Map() })
    const { keys } = families.get(name)
    for (const e of g.overloads) {
      e.op.args.forEach((a, i) => {
        if (i === selfIndex(e.op) || !isOption(e.op, a, i)) return
        if (!keys.has(a.name)) keys.set(a.name, new Set())
        keys.get(a.name).add(takesNumber(e, a) ? valueType(a, 'Tensor | Scalar') : valueType(a))
      })
      if (e.out >= 0)
        keys.set('out', new Set([...(keys.get('out') ?? []), e.op.returns.kind === 'tuple' ? 'readonly Tensor[] | null' : 'Tensor | null']))
    }
  }
  const lines = []
  for (const f of families.values()) {
    if (f.keys.size === 0) continue
    lines.push(`/** Options of ${f.jsName}. */`, `export interface ${f.name} {`)
    for (const [key, types] of f.keys)
      lines.push(`  readonly ${key}?: ${[...new Set([...types].flatMap((t) => t.split(/ \| (?![^(]*\))/)))].join(' | ')}`)
    lines.push('}', '')
  }
  return lines.join('\n')
}

// ---- results -------------------------------------------------------------------------------------------------------

// The shape type of an operator and the arguments that it speaks of: { text, args }, or null where it is not known.
function shapeOf(op, shapes) {
  if (!op.types) return null
  const self = selfIndex(op)
  const names = new Map()
  op.args.forEach((a, i) => {
    if (isTensor(a)) names.set(i === self ? 'S' : `${title(a.name)}S`, a)
    else if (a.type.base === 'int' || a.type.base === 'bool') names.set(typeParameter(a), a)
  })
  const args = new Map()
  for (const [word] of op.types.matchAll(/[A-Za-z_$][\w$]*/g)) {
    if (shapes.has(word) || word === 'DynamicShape' || word === 'readonly' || word === 'number') continue
    const a = names.get(word)
    if (!a) return null
    args.set(word, a)
  }
  return { text: op.types, args }
}

const DTYPES = new Set(
  'bool uint8 int8 int16 int32 int64 uint16 uint32 uint64 float16 bfloat16 float32 float64 complex64 complex128'.split(' '),
)
const CASTS = {
  float: 'float32',
  double: 'float64',
  half: 'float16',
  bfloat16: 'bfloat16',
  int: 'int32',
  long: 'int64',
  short: 'int16',
  bool: 'bool',
  cfloat: 'complex64',
  cdouble: 'complex128',
}
// Operators that give another dtype than they take, where no rule tells.
const OTHER_DTYPE =
  /complex|polar|view_as|^real$|^imag$|angle|^abs$|^to$|type|bincount|hist|bucketize|searchsorted|arg|count|unique|multinomial|one_hot/

// The type of the result's dtype. typed: type parameters of Tensor arguments by name ('number': a number stands there); v: see signature().
function dtypeOf(op, typed, v) {
  const dtypeArg = op.args.find((a) => a.type.base === 'ScalarType')
  if (!dtypeArg) return ruleOf(op, typed)
  if (v.dtypeParameter) return dtypeArg.type.optional ? `(DT extends DType ? DT : ${ruleOf(op, typed)})` : 'DT'
  const base = ruleOf(op, typed)
  return v.optionsType ? `DTypeOfOptions<${v.optionsType}, ${base}>` : base
}

function ruleOf(op, typed) {
  const rule = (op.dtype ?? '').replace(/\s/g, '')
  const self = selfIndex(op)
  const d = self >= 0 && typed ? typed.get(op.args[self].name) : undefined
  if (CASTS[op.name]) return `'${CASTS[op.name]}'`
  if (DTYPES.has(rule)) return `'${rule}'`
  if (/^bool\(/.test(rule)) return `'bool'`
  const otherwise = /^arg\(dtype,(\w+)\)$/.exec(rule)?.[1]
  if (otherwise && DTYPES.has(otherwise)) return `'${otherwise}'`
  if (otherwise === 'self' && d && d !== 'number') return d
  if (rule === 'arg(dtype)' && self < 0) return `'float32'`
  if (rule === '') {
    if (!d || d === 'number' || OTHER_DTYPE.test(op.name) || op.overload === 'dtype') return 'DType'
    if (op.view) return d
    return typeof op.backward === 'object' || op.composite ? `SameFloat<${d}>` : 'DType'
  }
  const m = /^(same|promote|float|real)\(([\w,]*)\)$/.exec(rule)
  if (!m || !typed) return 'DType'
  const names = m[2].split(',').filter(Boolean)
  const types = names.map((n) => typed.get(n))
  if (types.some((t) => t === undefined)) return 'DType'
  const numbers = types.filter((t) => t === 'number').length
  const ds = types.filter((t) => t !== 'number')
  if (ds.length === 0) return 'DType'
  const joined = ds.slice(1).reduce((a, b) => `Promote<${a}, ${b}>`, ds[0])
  if (m[1] === 'same') return ds[0]
  if (m[1] === 'real') return `ToReal<${joined}>`
  return m[1] === 'float' || numbers ? `ToFloat<${joined}>` : joined
}

// ---- signatures ----------------------------------------------------------------------------------------------------

// One signature. v: which arguments are numbers; typed: whether optional arguments that the shape speaks of are positional here.
function signature(entry, shapes, kind, group, options, v) {
  const { op, inplace } = entry
  const self = selfIndex(op)
  const generics = []
  const add = (text) => generics.includes(text) || generics.push(text)
  const shape = v.dynamic ? null : shapeOf(op, shapes)
  const method = kind === 'method'
  const rest = variadicArg(op)
  const dtypes = new Map()
  if (self >= 0) dtypes.set(op.args[self].name, v.numbers.has(op.args[self]) ? 'number' : 'D')

  const tensorType = (a, i) => {
    if (v.numbers.has(a)) {
      dtypes.set(a.name, 'number')
      return 'Scalar'
    }
    if (i === self) {
      add('S extends Shape')
      add('D extends DType')
      add('Dev extends DeviceType')
      return 'Tensor<S, D, Dev>'
    }
    const s = `${title(a.name)}S`
    const d = `${title(a.name)}D`
    const used = shape?.args.has(s)
    const inRule = new RegExp(`\\b${a.name}\\b`).test(op.dtype ?? '') && !v.dynamic
    if (takesNumber(entry, a) && !used && !inRule) return 'Tensor | Scalar'
    if (!used && !inRule) return 'Tensor'
    add(`${s} extends Shape`)
    if (inRule) {
      add(`${d} extends DType`)
      dtypes.set(a.name, d)
    }
    return `Tensor<${s}, ${inRule ? d : 'DType'}>`
  }

  const params = []
  let self_ = null
  let optional = false
  op.args.forEach((a, i) => {
    if (method && i === self) {
      if (!inplace) self_ = `this: ${tensorType(a, i)}`
      return
    }
    if (a.kwonly || (v.upTo !== undefined && i > v.upTo && a.hasDefault) || v.optionsFrom <= i) return
    const word = typeParameter(a)
    let type
    if (isTensor(a)) type = tensorType(a, i) + (a.type.optional ? ' | null' : '')
    else if (shape?.args.has(word)) {
      const bound = a.type.list ? (a.type.size ? 'number | Shape' : 'Shape') : a.type.base === 'bool' ? 'boolean' : 'number'
      const fallback =
        a.hasDefault && a.default !== null
          ? ` = ${a.type.list ? `readonly ${JSON.stringify(a.default)}` : String(a.default)}`
          : a.hasDefault
            ? ' = never'
            : ''
      add(`const ${word} extends ${bound}${fallback}`)
      type = word
    } else if (v.size && a === v.size) {
      add('const Size extends Shape')
      type = 'Size'
    } else if (a.type.base === 'ScalarType' && a.name === 'dtype') {
      add(a.type.optional ? 'DT extends DType | null = null' : 'DT extends DType')
      type = a.type.optional ? 'DT | null' : 'DT'
      v = { ...v, dtypeParameter: true }
    } else type = valueType(a)
    if (a.hasDefault) optional = true
    params.push(
      `${parameter(a.name)}${optional ? '?' : ''}: ${type}${optional && options && v.upTo === undefined ? ` | ${v.optionsType ?? options}` : ''}`,
    )
  })
  if (options && v.upTo === undefined && !v.noOptions) {
    const required = v.requiredOptions
    if (v.optionsType) add(`const ${v.optionsType} extends ${options} = object`)
    params.push(
      required
        ? `options: ${options} & { ${required.map((a) => `readonly ${a.name}: ${valueType(a)}`).join('; ')} }`
        : `options?: ${v.optionsType ?? options}`,
    )
  }

  const selfTyped = self >= 0 && !v.numbers.has(op.args[self])
  if (!selfTyped && self >= 0) {
    // The device comes from whichever operand is a tensor.
  }
  const dev = selfTyped
    ? 'Dev'
    : v.optionsType && self < 0
      ? `DeviceOfOptions<${v.optionsType}>`
      : self >= 0
        ? 'DeviceType'
        : op.args.some((a) => a.type.base === 'Device')
          ? `'cpu'`
          : 'DeviceType'
  let shapeText = 'DynamicShape'
  if (shape) shapeText = numbersAsScalars(shape, v, op).replace(/^\[\]$/, 'readonly []')
  else if (v.size) shapeText = 'Size'
  const dtypeText = dtypeOf(op, dtypes, v)
  const checked = /Broadcast|Matmul|Shape</.test(shapeText) && shapeText !== 'S'
  const tensor = checked ? `Checked<${shapeText}, ${dtypeText}, ${dev}>` : `Tensor<${shapeText}, ${dtypeText}, ${dev}>`
  let result
  if (inplace) result = method ? 'this' : selfTyped ? 'Tensor<S, D, Dev>' : 'Tensor'
  else if (op.returns.kind === 'tensor') result = tensor
  else if (op.returns.kind === 'list') result = `Tensor<DynamicShape, ${dtypeOf(op, dtypes, v)}, ${dev}>[]`
  else if (op.returns.kind === 'void') result = 'void'
  else if (op.returns.kind === 'scalar')
    result =
      {
        bool: 'boolean',
        int: 'number',
        float: 'number',
        Scalar: 'number | bigint | boolean | Complex',
        ScalarType: 'DType',
        str: 'string',
      }[op.returns.items[0].type.base] ?? 'number'
  else {
    const items = op.returns.items.map((r) => [
      r.name,
      `Tensor<DynamicShape, ${/indices|counts|indexes/.test(r.name) ? 'DType' : dtypeText}, ${dev}>`,
    ])
    result = op.returns.items[0].name.startsWith('result')
      ? `[${items.map(([, t]) => t).join(', ')}]`
      : `Results<{ ${items.map(([n, t]) => `${n}: ${t}`).join('; ')} }>`
  }
  // The receiver as a parameter keeps the type arguments of Tensor out of the methods: any Tensor<...> is then a Tensor at once.
  if (self_) params.unshift(self_)
  const own = generics.filter(
    (g) => !['S extends Shape', 'D extends DType', 'Dev extends DeviceType'].includes(g) || needed(g, [...params, result]),
  )
  if (self_)
    params[0] = `this: Tensor${own.includes('S extends Shape') || own.includes('D extends DType') || own.includes('Dev extends DeviceType') ? `<${own.includes('S extends Shape') ? 'S' : 'Shape'}, ${own.includes('D extends DType') ? 'D' : 'DType'}, ${own.includes('Dev extends DeviceType') ? 'Dev' : 'DeviceType'}>` : ''}`
  return `${own.length ? `<${own.join(', ')}>` : ''}(${params.join(', ')}): ${result}`
}

// Whether a type parameter is used beside the receiver.
const needed = (generic, texts) =>
  texts.filter((t) => !t.startsWith('this: ')).some((t) => new RegExp(`\\b${generic.split(' ')[0]}\\b`).test(t))

// A number broadcasts as a tensor without dimensions.
function numbersAsScalars(shape, v, op) {
  let text = shape.text
  for (const [word, a] of shape.args) if (v.numbers.has(a)) text = text.replace(new RegExp(`\\b${word}\\b`, 'g'), 'readonly []')
  return text
}

function variadicSignatures(entry, shapes, kind, group, options) {
  const { op, inplace } = entry
  const rest = variadicArg(op)
  const self = selfIndex(op)
  const method = kind === 'method'
  const word = typeParameter(rest)
  const shape = shapeOf(op, shapes)
  const creation = self < 0
  const keys = options !== null
  const generics = creation || (method && inplace) ? [] : ['S extends Shape', 'D extends DType', 'Dev extends DeviceType']
  const uses = shape?.args.has(word) || creation
  const name = shape?.args.has(word) ? word : 'Size'
  const list = uses ? name : 'readonly number[]'
  const size = uses ? [`const ${name} extends Shape`] : []
  const first = creation || (method && inplace) ? '' : `${method ? 'this' : 'self'}: Tensor<S, D, Dev>, `
  const result = (o) => {
    if (inplace) return method ? 'this' : 'Tensor<S, D, Dev>'
    const d = creation ? dtypeOf(op, null, { optionsType: o ? 'O' : null }) : dtypeOf(op, new Map([[op.args[self].name, 'D']]), {})
    const dev = creation ? (o ? 'DeviceOfOptions<O>' : `'cpu'`) : 'Dev'
    const s = creation ? name : shape ? shape.text : 'DynamicShape'
    if (op.returns.kind !== 'tensor') return 'unknown'
    return /</.test(s) ? `Checked<${s}, ${d}, ${dev}>` : `Tensor<${s}, ${d}, ${dev}>`
  }
  const g = (extra = []) => {
    const all = [...generics, ...size, ...extra]
    return all.length ? `<${all.join(', ')}>` : ''
  }
  const p = parameter(rest.name)
  const o = creation && keys ? ['const O extends ' + options] : []
  const out = [
    `${g()}(${first}...${p}: ${list}): ${result(false)}`,
    keys
      ? `${g(creation ? [`const O extends ${options} = object`] : [])}(${first}${p}: ${list}, options?: ${creation ? 'O' : options}): ${result(creation)}`
      : `${g()}(${first}${p}: ${list}): ${result(false)}`,
  ]
  if (keys && creation)
    out.push(`${g(o)}(...args: readonly [...${p}: ${name}, options: O]): ${result(true).replace(name, `Readonly<${name}>`)}`)
  else if (keys) out.push(`${g()}(${first}...args: readonly [...${p}: ${uses ? name : 'number[]'}, options: ${options}]): ${result(false)}`)
  return out
}

export function allSignatures(group, shapes, kind) {
  const options = group.overloads.some((e) => e.op.args.some((a, i) => i !== selfIndex(e.op) && isOption(e.op, a, i)) || e.out >= 0)
    ? optionsName(group)
    : null
  const out = []
  for (const entry of group.overloads) {
    const { op } = entry
    const hasOptions = options && (op.args.some((a) => a.hasDefault || a.kwonly) || entry.out >= 0) ? options : null
    if (variadicArg(op)) {
      out.push(...variadicSignatures(entry, shapes, kind, group, hasOptions))
      continue
    }
    const self = selfIndex(op)
    const size = self < 0 ? op.args.find((a) => a.name === 'size' && a.type.base === 'int' && a.type.list) : null
    const optionsType = hasOptions && (size || op.args.some((a) => a.kwonly && a.name === 'dtype')) ? 'O' : null
    const shape = shapeOf(op, shapes)
    const relevant = op.args.filter((a, i) => takesNumber(entry, a) && !(kind === 'method' && i === self) && !a.kwonly)
    const spoken = relevant.filter(
      (a, i) =>
        (shape && [...shape.args.values()].includes(a)) ||
        new RegExp(`\\b${a.name}\\b`).test(op.dtype ?? '') ||
        op.args.indexOf(a) === self,
    )
    const combos = [new Set(), ...spoken.map((a) => new Set([a]))].filter((c) => op.args.filter(isTensor).length > c.size || c.size === 0)
    for (const numbers of combos) {
      const base = { numbers, size, optionsType }
      const optionalSpoken = shape ? [...shape.args.values()].filter((a) => a.hasDefault && !a.kwonly) : []
      if (shape && [...shape.args.values()].some((a) => a.kwonly && !isTensor(a))) {
        out.push(signature(entry, shapes, kind, group, hasOptions, { ...base, dynamic: true }))
        continue
      }
      if (optionalSpoken.length) {
        out.push(
          signature(entry, shapes, kind, group, hasOptions, { ...base, upTo: Math.max(...optionalSpoken.map((a) => op.args.indexOf(a))) }),
        )
        out.push(signature(entry, shapes, kind, group, hasOptions, { ...base, dynamic: true }))
      } else out.push(signature(entry, shapes, kind, group, hasOptions, base))
    }
    const required = op.args.filter((a, i) => i !== self && !a.hasDefault && !a.kwonly)
    if (options && op.overload && self >= 0 && required.length)
      out.push(
        signature(entry, shapes, kind, group, options, {
          numbers: new Set(),
          dynamic: true,
          optionsFrom: self + 1,
          requiredOptions: required,
        }),
      )
  }
  return [...new Set(out)]
}
