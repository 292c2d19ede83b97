// Parser of operator signatures in PyTorch's schema language:
//   name[.overload](Type[?] name[=default], ..., *, Type name=default) -> Type | (Type name, ...) | ()
// Errors are thrown as SignatureError with the column in the text.

export class SignatureError extends Error {
  constructor(message, column) {
    super(message)
    this.column = column
  }
}

const BASES = ['Tensor', 'Scalar', 'ScalarType', 'Device', 'Generator', 'int', 'float', 'bool', 'str']

// A type is { base, optional, list, itemOptional, size }: `int[2]?` is { base: 'int', list: true, size: 2, optional: true }.
function parseType(s) {
  const start = s.at
  const base = s.word()
  if (!BASES.includes(base)) throw new SignatureError(`unknown type '${base}' (known: ${BASES.join(', ')})`, start)
  const type = { base, optional: false, list: false, itemOptional: false, size: null }
  if (s.take('?')) type.optional = true
  if (s.take('[')) {
    type.list = true
    type.itemOptional = type.optional
    type.optional = false
    const digits = s.match(/\d+/y)
    if (digits) type.size = Number(digits)
    s.expect(']')
    if (s.take('?')) type.optional = true
  }
  return type
}

function parseDefault(s, type) {
  const start = s.at
  const text = s.match(/'[^']*'|"[^"]*"|\[[^\]]*\]|[^,)\s]+/y)
  if (!text) throw new SignatureError('a default value is missing after =', start)
  const bad = () => new SignatureError(`'${text}' is no default for ${typeText(type)}`, start)
  if (text === 'None') {
    if (!type.optional) throw bad()
    return null
  }
  const item = (t) => {
    if (t === 'True' || t === 'False') return t === 'True'
    if (/^['"]/.test(t)) return t.slice(1, -1)
    if (t === 'inf') return Infinity
    const n = Number(t)
    if (t === '' || Number.isNaN(n)) throw bad()
    return n
  }
  if (text.startsWith('[')) {
    const inner = text.slice(1, -1).trim()
    return inner === '' ? [] : inner.split(',').map((t) => item(t.trim()))
  }
  const value = item(text)
  const kinds = { int: 'number', float: 'number', bool: 'boolean', str: 'string', Scalar: 'number' }
  if (kinds[type.base] !== undefined && typeof value !== kinds[type.base] && !(type.base === 'Scalar' && typeof value === 'boolean'))
    throw bad()
  if (type.base === 'int' && !Number.isInteger(value)) throw bad()
  return type.list ? (type.size ? Array(type.size).fill(value) : [value]) : value
}

class Scanner {
  constructor(text) {
    this.text = text
    this.at = 0
  }
  space() {
    while (/\s/.test(this.text[this.at] ?? '')) this.at++
  }
  match(regexp) {
    this.space()
    regexp.lastIndex = this.at
    const m = regexp.exec(this.text)
    if (!m) return ''
    this.at = regexp.lastIndex
    return m[0]
  }
  word() {
    return this.match(/[A-Za-z_]\w*/y)
  }
  take(token) {
    this.space()
    if (!this.text.startsWith(token, this.at)) return false
    this.at += token.length
    return true
  }
  expect(token) {
    if (!this.take(token)) throw new SignatureError(`expected '${token}'`, this.at)
  }
}

export function typeText(type) {
  return type.base + (type.itemOptional ? '?' : '') + (type.list ? `[${type.size ?? ''}]` : '') + (type.optional ? '?' : '')
}

// -> { name, overload, args: [{ name, type, default?, hasDefault, kwonly }], returns: { kind, items: [{ name, type }] } }
// kind: 'tensor' | 'tuple' | 'list' | 'scalar' | 'void'
export function parseSignature(text) {
  const s = new Scanner(text)
  const name = s.word()
  if (!name) throw new SignatureError('an operator name is missing', s.at)
  const overload = s.take('.') ? s.word() : ''
  s.expect('(')
  const args = []
  let kwonly = false
  while (!s.take(')')) {
    if (args.length > 0 || kwonly) s.expect(',')
    if (s.take('*')) {
      if (kwonly) throw new SignatureError('a second *', s.at)
      kwonly = true
      if (args.length === 0) continue
      continue
    }
    const type = parseType(s)
    const start = s.at
    const argName = s.word()
    if (!argName) throw new SignatureError('an argument has no name', start)
    if (args.some((a) => a.name === argName)) throw new SignatureError(`argument '${argName}' appears twice`, start)
    const arg = { name: argName, type, kwonly, hasDefault: false, default: undefined }
    if (s.take('=')) {
      arg.hasDefault = true
      arg.default = parseDefault(s, type)
    } else if (!kwonly && args.some((a) => a.hasDefault)) {
      throw new SignatureError(`argument '${argName}' without a default follows one with a default`, start)
    }
    args.push(arg)
  }
  s.expect('->')
  let returns
  if (s.take('(')) {
    const items = []
    while (!s.take(')')) {
      if (items.length > 0) s.expect(',')
      const type = parseType(s)
      items.push({ type, name: s.word() || `result${items.length}` })
    }
    if (items.some((i) => i.type.base !== 'Tensor' || i.type.list)) throw new SignatureError('several results have to be Tensors', s.at)
    returns = items.length === 0 ? { kind: 'void', items } : { kind: 'tuple', items }
  } else {
    const type = parseType(s)
    const kind = type.base === 'Tensor' ? (type.list ? 'list' : 'tensor') : 'scalar'
    returns = { kind, items: [{ name: 'result', type }] }
  }
  s.space()
  if (s.at !== text.length) throw new SignatureError(`'${text.slice(s.at)}' follows the signature`, s.at)
  return { name, overload, args, returns }
}
