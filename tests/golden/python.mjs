// A reader of the small Python programs that the records are made of (expressions, assignments, with, def, class), run against torch.js.
// What has no counterpart in JavaScript is Missing by name; numbers keep Python's difference between 2 and 2.0 until they reach the API.
import { Inexpressible, lookup, Missing } from './values.mjs'

class PyFloat {
  constructor(value) {
    this.value = value
  }
  valueOf() {
    return this.value
  }
}
class PyRaise extends Error {}
const isFloat = (v) => v instanceof PyFloat || (typeof v === 'number' && !Number.isInteger(v))

// ---- reading -------------------------------------------------------------------------------------------------------

const TOKEN =
  /\s*(?:(#[^\n]*)|((?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?j?)|([rbf]?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"))|([A-Za-z_]\w*)|(\*\*|\/\/|==|!=|<=|>=|<<|>>|->|\+=|-=|\*=|\/=|\.\.\.|[-+*/%@&|^~<>=().,:;[\]{}]))/y

function tokens(text) {
  const out = []
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const at = TOKEN.lastIndex,
      m = TOKEN.exec(text)
    if (!m) throw new Missing(`python '${text.slice(at).trim().slice(0, 20)}'`)
    if (m[2]) out.push({ t: 'number', v: m[2] })
    else if (m[3]) out.push({ t: 'string', v: m[3] })
    else if (m[4]) out.push({ t: 'name', v: m[4] })
    else if (m[5]) out.push({ t: 'op', v: m[5] })
  }
  return out
}

// Logical lines with their indentation; brackets join lines.
function logicalLines(source) {
  const lines = []
  let open = 0
  for (const raw of source.split('\n')) {
    if (open > 0) lines.at(-1).text += '\n' + raw
    else if (raw.trim()) lines.push({ indent: raw.length - raw.trimStart().length, text: raw.trim() })
    for (const t of tokens(raw)) if (t.t === 'op') open += '([{'.includes(t.v) ? 1 : ')]}'.includes(t.v) ? -1 : 0
  }
  return lines
}

const LEVELS = [['|'], ['^'], ['&'], ['<<', '>>'], ['+', '-'], ['*', '/', '//', '%', '@']]
const COMPARE = ['==', '!=', '<', '<=', '>', '>=']

function parseLine(text) {
  const ts = tokens(text)
  let at = 0
  const is = (v) => ts[at]?.v === v && ts[at].t !== 'string'
  const take = (v) => is(v) && ++at > 0
  const expect = (v) => {
    if (!take(v)) throw new Missing(`python '${text.slice(0, 60)}'`)
  }
  const list = (close, item) => {
    const items = []
    while (!take(close)) {
      items.push(item())
      if (!is(close)) expect(',')
    }
    return items
  }
  const slice = () => {
    const part = () => (is(':') || is(',') || is(']') ? null : expression())
    const start = part()
    if (!take(':')) return start
    const stop = part()
    return { k: 'slice', start, stop, step: take(':') ? part() : null }
  }
  function argument() {
    if (take('*')) return { star: expression() }
    if (take('**')) return { stars: expression() }
    if (ts[at]?.t === 'name' && ts[at + 1]?.v === '=' && ts[at + 1].t === 'op') {
      const key = ts[at].v
      at += 2
      return { key, value: expression() }
    }
    const value = expression()
    if (is('for')) throw new Missing('python comprehension')
    return { value }
  }
  function atom() {
    const t = ts[at++]
    if (!t) throw new Missing(`python '${text.slice(0, 60)}'`)
    if (t.t === 'number') return { k: 'number', v: t.v }
    if (t.t === 'string') {
      let v = t.v.slice(1, -1).replace(/\\n/g, '\n').replace(/\\t/g, '\t').replace(/\\(.)/g, '$1')
      while (ts[at]?.t === 'string') v += ts[at++].v.slice(1, -1)
      return { k: 'string', v }
    }
    if (t.t === 'name') {
      if (t.v === 'lambda') {
        const params = []
        while (!take(':')) {
          params.push(ts[at++].v)
          take(',')
        }
        return { k: 'lambda', params, body: expression() }
      }
      return { k: 'name', v: t.v }
    }
    if (t.v === '(') {
      if (take(')')) return { k: 'tuple', items: [] }
      const first = expression()
      if (is('for')) throw new Missing('python comprehension')
      if (take(')')) return first
      expect(',')
      return { k: 'tuple', items: [first, ...list(')', expression)] }
    }
    if (t.v === '[') {
      if (take(']')) return { k: 'list', items: [] }
      const first = expression()
      if (take('for')) {
        const name = ts[at++].v
        expect('in')
        const source = expression()
        expect(']')
        return { k: 'comprehension', item: first, name, source }
      }
      if (take(']')) return { k: 'list', items: [first] }
      expect(',')
      return { k: 'list', items: [first, ...list(']', expression)] }
    }
    if (t.v === '{') {
      return {
        k: 'dict',
        items: list('}', () => {
          const key = expression()
          if (!take(':')) throw new Missing('python set')
          return [key, expression()]
        }),
      }
    }
    if (t.v === '...') return { k: 'ellipsis' }
    throw new Missing(`python '${text.slice(0, 60)}'`)
  }
  function postfix() {
    let e = atom()
    for (;;) {
      if (take('.')) e = { k: 'attribute', of: e, name: ts[at++].v }
      else if (take('(')) e = { k: 'call', f: e, args: list(')', argument) }
      else if (take('[')) {
        const items = [slice()]
        let tuple = false
        while (take(',')) {
          tuple = true
          if (is(']')) break
          items.push(slice())
        }
        expect(']')
        e = { k: 'subscript', of: e, index: tuple ? items : items[0] }
      } else return e
    }
  }
  function power() {
    const base = postfix()
    return take('**') ? { k: 'binary', op: '**', a: base, b: unary() } : base
  }
  function unary() {
    for (const op of ['-', '+', '~']) if (take(op)) return { k: 'unary', op, a: unary() }
    return power()
  }
  function level(n) {
    if (n === LEVELS.length) return unary()
    let a = level(n + 1)
    for (;;) {
      const op = LEVELS[n].find((o) => is(o))
      if (!op) return a
      at++
      a = { k: 'binary', op, a, b: level(n + 1) }
    }
  }
  function comparison() {
    let a = level(0)
    for (;;) {
      const op = COMPARE.find((o) => is(o))
      if (op) {
        at++
        a = { k: 'binary', op, a, b: level(0) }
      } else if (take('is')) {
        const not = take('not')
        a = { k: 'is', not, a, b: level(0) }
      } else if (take('in')) a = { k: 'in', a, b: level(0) }
      else return a
    }
  }
  const negation = () => (take('not') ? { k: 'not', a: negation() } : comparison())
  const conjunction = () => {
    let a = negation()
    while (take('and')) a = { k: 'and', a, b: negation() }
    return a
  }
  function disjunction() {
    let a = conjunction()
    while (take('or')) a = { k: 'or', a, b: conjunction() }
    return a
  }
  function expression() {
    const a = disjunction()
    if (!take('if')) return a
    const cond = disjunction()
    expect('else')
    return { k: 'select', cond, a, b: expression() }
  }
  const tuple = () => {
    const first = expression()
    if (!is(',')) return first
    const items = [first]
    while (take(',')) if (at < ts.length && !is('=')) items.push(expression())
    return { k: 'tuple', items }
  }
  const statement = () => {
    if (take('import')) return { k: 'import' }
    if (take('from')) return ((at = ts.length), { k: 'import' })
    if (take('pass')) return { k: 'import' }
    if (take('return')) return { k: 'return', value: at < ts.length ? tuple() : null }
    if (take('with')) {
      const value = expression()
      const as = take('as') ? ts[at++].v : null
      expect(':')
      return { k: 'with', value, as, block: true, rest: at < ts.length ? statement() : null }
    }
    if (take('for')) {
      const name = ts[at++].v
      expect('in')
      const source = expression()
      expect(':')
      return { k: 'for', name, source, block: true, rest: at < ts.length ? statement() : null }
    }
    if (take('def')) {
      const name = ts[at++].v
      expect('(')
      const params = list(')', () => {
        take('*')
        const p = ts[at++].v
        if (take('=')) expression()
        return p
      })
      expect(':')
      return { k: 'def', name, params, block: true, rest: at < ts.length ? statement() : null }
    }
    if (take('class')) {
      const name = ts[at++].v
      const bases = take('(') ? list(')', expression) : []
      expect(':')
      return { k: 'class', name, bases, block: true }
    }
    if (take('@')) return { k: 'decorator', value: expression() }
    const target = tuple()
    for (const op of ['+=', '-=', '*=', '/=']) if (take(op)) return { k: 'augmented', target, op: op[0], value: tuple() }
    if (!take('=')) return { k: 'expression', value: target }
    const targets = [target]
    let value = tuple()
    while (take('=')) (targets.push(value), (value = tuple()))
    return { k: 'assign', targets, value }
  }
  const out = [statement()]
  while (take(';')) if (at < ts.length) out.push(statement())
  if (at !== ts.length) throw new Missing(`python '${text.slice(0, 60)}'`)
  return out
}

function parseBlock(lines, start, indent) {
  const body = []
  let i = start
  while (i < lines.length && lines[i].indent >= indent) {
    const statements = parseLine(lines[i].text)
    const last = statements.at(-1)
    i++
    if (last.block) {
      if (last.rest) last.body = [last.rest]
      else [last.body, i] = parseBlock(lines, i, lines[i].indent)
    }
    body.push(...statements)
  }
  return [body, i]
}

// ---- running -------------------------------------------------------------------------------------------------------

const plain = (v) => (v instanceof PyFloat ? v.value : v)
const DTYPE_ALIASES = {
  float: 'float32',
  double: 'float64',
  half: 'float16',
  long: 'int64',
  int: 'int32',
  short: 'int16',
  cfloat: 'complex64',
  cdouble: 'complex128',
}
const RENAMED = { device: 'Device', numel: 'numel' }

export class Python {
  constructor(torch) {
    this.torch = torch
    this.scope = {
      torch,
      nn: torch?.nn,
      F: torch?.nn.functional,
      D: torch?.distributions,
      OrderedDict: (pairs) => Object.fromEntries(pairs),
      math: Math,
    }
  }

  // The value of the last expression statement (or undefined).
  run(source) {
    const lines = logicalLines(source)
    const [body] = parseBlock(lines, 0, 0)
    let last
    for (const s of body) last = this.statement(s, this.scope) ?? (s.k === 'expression' ? null : undefined)
    return last
  }

  block(body, scope) {
    for (const s of body) {
      const r = this.statement(s, scope)
      if (s.k === 'return') return { value: r }
      if (r && r.returned) return r
    }
    return undefined
  }

  statement(s, scope) {
    switch (s.k) {
      case 'import':
        return undefined
      case 'expression':
        return this.eval(s.value, scope)
      case 'return':
        return s.value ? this.eval(s.value, scope) : null
      case 'assign': {
        const v = this.eval(s.value, scope)
        for (const t of s.targets) this.assign(t, v, scope)
        return undefined
      }
      case 'augmented': {
        const old = this.eval(s.target, scope),
          v = this.eval(s.value, scope)
        const name = { '+': 'add_', '-': 'sub_', '*': 'mul_', '/': 'div_' }[s.op]
        if (old instanceof this.torch.Tensor) old[name](plain(v))
        else this.assign(s.target, this.binary(s.op, old, v), scope)
        return undefined
      }
      case 'with':
        return this.within(s, scope)
      case 'for': {
        for (const x of this.eval(s.source, scope)) {
          scope[s.name] = x
          this.block(s.body, scope)
        }
        return undefined
      }
      case 'def': {
        scope[s.name] = this.fn(s.params, scope, s.body)
        return undefined
      }
      case 'decorator':
        return undefined
      case 'class':
        return this.define(s, scope)
      default:
        throw new Missing(`python ${s.k}`)
    }
  }

  fn(params, scope, body, expression = false) {
    const names = params
    return (...args) => {
      const local = Object.create(scope)
      names.forEach((p, i) => (local[p] = args[i]))
      return expression ? this.eval(body, local) : this.block(body, local)?.value
    }
  }

  define(s, scope) {
    const base = this.eval(s.bases[0], scope)
    if (base !== this.torch.autograd.Function) throw new Missing('python class')
    const local = Object.create(scope)
    for (const d of s.body) if (d.k === 'def') this.statement(d, local)
    const Class = class extends base {}
    Object.defineProperty(Class, 'name', { value: s.name })
    for (const name of ['forward', 'backward']) Class[name] = local[name]
    scope[s.name] = Class
    return undefined
  }

  within(s, scope) {
    const path = s.value.k === 'call' ? this.path(s.value.f) : null
    const { torch } = this
    const args = s.value.k === 'call' ? s.value.args.map((a) => this.eval(a.value, scope)) : []
    const run = () => this.block(s.body, scope)
    if (/(^|\.)no_grad$/.test(path)) return torch.no_grad(run)
    if (/(^|\.)enable_grad$/.test(path)) return torch.enable_grad(run)
    if (/(^|\.)inference_mode$/.test(path)) return torch.inference_mode(run)
    if (/(^|\.)set_grad_enabled$/.test(path)) return args[0] ? torch.enable_grad(run) : torch.no_grad(run)
    if (/detect_anomaly$/.test(path)) return torch.autograd.detect_anomaly(run)
    throw new Missing(`python with ${path}`)
  }

  path(e) {
    return e.k === 'name' ? e.v : e.k === 'attribute' ? `${this.path(e.of)}.${e.name}` : '?'
  }

  assign(t, v, scope) {
    if (t.k === 'name') scope[t.v] = v
    else if (t.k === 'tuple' || t.k === 'list') {
      const items = [...v]
      t.items.forEach((x, i) => this.assign(x, items[i], scope))
    } else if (t.k === 'attribute') this.eval(t.of, scope)[t.name] = plain(v)
    else if (t.k === 'subscript') {
      const x = this.eval(t.of, scope)
      if (!(x instanceof this.torch.Tensor)) throw new Missing('python item assignment')
      x.at_put(...this.index(t.index, scope), plain(v))
    } else throw new Missing('python assignment')
  }

  index(i, scope) {
    const one = (x) => {
      if (x === null) return 'newaxis'
      if (x.k === 'slice') {
        const [a, b, c] = [x.start, x.stop, x.step].map((y) => (y === null ? null : plain(this.eval(y, scope))))
        if (c < 0) throw new Inexpressible('a negative step is refused by Python, and is how ranges go backwards here')
        return a === null && b === null && c === null ? null : c === null ? [a, b] : [a, b, c]
      }
      if (x.k === 'ellipsis') return '...'
      const v = this.eval(x, scope)
      if (v === null) return 'newaxis'
      if (Array.isArray(v)) return this.torch.tensor(v, typeof v[0] === 'boolean' ? undefined : { dtype: 'int64' })
      return plain(v)
    }
    return Array.isArray(i) ? i.map(one) : i.k === 'tuple' ? i.items.map(one) : [one(i)]
  }

  eval(e, scope) {
    const { torch } = this
    switch (e.k) {
      case 'number': {
        if (e.v.endsWith('j')) return { re: 0, im: Number(e.v.slice(0, -1)) }
        if (/[.eE]/.test(e.v)) return new PyFloat(Number(e.v))
        const n = Number(e.v)
        return Number.isSafeInteger(n) ? n : BigInt(e.v)
      }
      case 'string':
        return e.v
      case 'name':
        return this.name(e.v, scope)
      case 'tuple':
      case 'list':
        return e.items.map((x) => this.eval(x, scope))
      case 'dict':
        return Object.fromEntries(e.items.map(([k, v]) => [this.eval(k, scope), this.eval(v, scope)]))
      case 'ellipsis':
        return '...'
      case 'lambda':
        return this.fn(e.params, scope, e.body, true)
      case 'comprehension':
        return [...this.eval(e.source, scope)].map((x) => this.eval(e.item, Object.assign(Object.create(scope), { [e.name]: x })))
      case 'select':
        return this.truth(this.eval(e.cond, scope)) ? this.eval(e.a, scope) : this.eval(e.b, scope)
      case 'not':
        return !this.truth(this.eval(e.a, scope))
      case 'and': {
        const a = this.eval(e.a, scope)
        return this.truth(a) ? this.eval(e.b, scope) : a
      }
      case 'or': {
        const a = this.eval(e.a, scope)
        return this.truth(a) ? a : this.eval(e.b, scope)
      }
      case 'is':
        return ((this.eval(e.a, scope) ?? null) === (this.eval(e.b, scope) ?? null)) !== e.not
      case 'unary': {
        const a = this.eval(e.a, scope)
        if (torch && a instanceof torch.Tensor) return e.op === '-' ? torch.neg(a) : e.op === '~' ? this.invert(a) : a
        if (a instanceof PyFloat) return new PyFloat(e.op === '-' ? -a.value : a.value)
        if (a && typeof a === 'object' && 're' in a) return e.op === '-' ? { re: -a.re, im: -a.im } : a
        return e.op === '-' ? (a === 0 ? 0 : -a) : e.op === '~' ? ~a : a
      }
      case 'binary':
        return this.binary(e.op, this.eval(e.a, scope), this.eval(e.b, scope))
      case 'attribute':
        return this.attribute(e, scope)
      case 'subscript': {
        const x = this.eval(e.of, scope)
        if (x instanceof torch.Tensor) return x.at(...this.index(e.index, scope))
        if (torch.nn.Sequential && x instanceof torch.nn.Sequential) return x.get(plain(this.eval(e.index, scope)))
        if (Array.isArray(x) || (x && typeof x === 'object')) {
          const i = plain(this.eval(e.index, scope))
          const items = typeof i === 'number' && typeof x[Symbol.iterator] === 'function' ? [...x] : x
          return typeof i === 'number' && i < 0 ? items.at(i) : items[i]
        }
        throw new Missing('python subscript')
      }
      case 'call':
        return this.call(e, scope)
      default:
        throw new Missing(`python ${e.k}`)
    }
  }

  truth(v) {
    if (v instanceof this.torch.Tensor && v.numel() !== 1) throw new Inexpressible('the truth of a tensor')
    return v instanceof this.torch.Tensor ? Boolean(v.item()) : Boolean(plain(v))
  }

  name(n, scope) {
    if (n === 'None') return null
    if (n === 'True') return true
    if (n === 'False') return false
    if (n in scope) return scope[n]
    const builtins = {
      float: (v) => new PyFloat({ inf: Infinity, '-inf': -Infinity, nan: NaN }[v] ?? Number(v?.item ? v.item() : v)),
      int: (v) => Math.trunc(Number(v?.item ? v.item() : v)),
      complex: (re, im = 0) => ({ re: Number(re), im: Number(im) }),
      list: (x) => [...x],
      tuple: (x) => [...x],
      dict: (x = {}) => ({ ...x }),
      range: (a, b, c = 1) => {
        const r = []
        for (let i = b === undefined ? 0 : a; i < (b ?? a); i += c) r.push(i)
        return r
      },
      len: (x) => x.length ?? x.size ?? [...x].length,
      str: (x) => String(x),
      bool: (x) => this.truth(x),
      slice: () => {
        throw new Missing('python slice')
      },
      iter: (x) => {
        const it = x[Symbol.iterator]()
        return it
      },
      next: (x) => x.next().value,
      sum: (x) => [...x].reduce((a, b) => this.binary('+', a, b)),
    }
    if (n in builtins) return builtins[n]
    throw new Missing(`python ${n}`)
  }

  attribute(e, scope) {
    const { torch } = this
    const of = this.eval(e.of, scope),
      n = e.name
    if (of === torch) {
      if (DTYPE_ALIASES[n]) return DTYPE_ALIASES[n]
      if (n === 'size' || n === 'Size') return (x) => x
      const found = torch[RENAMED[n] ?? n] ?? torch[`${n}_`]
      if (found === undefined) throw new Missing(n)
      return found
    }
    if (of === null || of === undefined) throw new Missing(`python .${n} of None`)
    if (of && typeof of === 'object' && 're' in of && !(of instanceof torch.Tensor)) return n === 'real' ? of.re : of.im
    const v = of[n]
    if (v === undefined && !(n in Object(of)))
      throw new Missing(`${this.path(e.of).replace(/^torch$/, '')}.${n}`.replace(/^[a-z]\w?\./, 'Tensor.'))
    return typeof v === 'function' && !/^class\b/.test(Function.prototype.toString.call(v)) ? v.bind(of) : v
  }

  call(e, scope) {
    const { torch } = this
    const path = this.path(e.f)
    const f = this.eval(e.f, scope)
    const args = [],
      kwargs = {}
    let floats = false
    for (const a of e.args) {
      if (a.star) args.push(...this.eval(a.star, scope))
      else if (a.stars) Object.assign(kwargs, this.eval(a.stars, scope))
      else {
        const v = this.eval(a.value, scope)
        if (isFloat(v)) floats = true
        if (a.key) kwargs[a.key] = v
        else args.push(v)
      }
    }
    if (path === 'torch.tensor' || path === 'torch.as_tensor') {
      // Python's integers make int64 tensors, JavaScript's numbers the default dtype.
      const leaves = [args[0]].flat(Infinity)
      if (kwargs.dtype === undefined && leaves.length && leaves.every((x) => typeof x === 'number' && Number.isInteger(x)))
        kwargs.dtype = 'int64'
    }
    if (/^torch\.(arange|full|range)$/.test(path) && floats && kwargs.dtype === undefined) kwargs.dtype = torch.get_default_dtype()
    for (const k of Object.keys(kwargs)) kwargs[k] = this.strip(kwargs[k])
    const given = args.map((a) => this.strip(a))
    if (Object.keys(kwargs).length) given.push(kwargs)
    if (typeof f !== 'function') {
      if (f && typeof f.forward === 'function') return f.forward(...given)
      throw new Missing(`python call of ${path}`)
    }
    return /^class\b/.test(Function.prototype.toString.call(f)) ? new f(...given) : f(...given)
  }

  strip(v) {
    if (v instanceof PyFloat) return v.value
    if (Array.isArray(v)) return v.map((x) => this.strip(x))
    if (v && Object.getPrototypeOf(v) === Object.prototype && !('re' in v))
      return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, this.strip(x)]))
    return v
  }

  invert(a) {
    if (/float|complex/.test(a.dtype)) throw new Inexpressible('the operator ~')
    return this.torch.bitwise_not(a)
  }

  binary(op, a, b) {
    const { torch } = this
    if (torch && (a instanceof torch.Tensor || b instanceof torch.Tensor)) {
      const name = {
        '+': 'add',
        '-': 'sub',
        '*': 'mul',
        '/': 'div',
        '//': 'floor_divide',
        '%': 'remainder',
        '**': 'pow',
        '@': 'matmul',
        '&': 'bitwise_and',
        '|': 'bitwise_or',
        '^': 'bitwise_xor',
        '==': 'eq',
        '!=': 'ne',
        '<': 'lt',
        '<=': 'le',
        '>': 'gt',
        '>=': 'ge',
        '<<': 'bitwise_left_shift',
        '>>': 'bitwise_right_shift',
      }[op]
      return lookup(torch, name)(this.strip(a), this.strip(b))
    }
    const complex = (v) => (v && typeof v === 'object' && 're' in v ? v : { re: Number(v), im: 0 })
    if ((a && typeof a === 'object' && 're' in a) || (b && typeof b === 'object' && 're' in b)) {
      const x = complex(a),
        y = complex(b)
      if (op === '+') return { re: x.re + y.re, im: x.im + y.im }
      if (op === '-') return { re: x.re - y.re, im: y.im === 0 ? x.im : x.im - y.im }
      if (op === '*') return { re: x.re * y.re - x.im * y.im, im: x.re * y.im + x.im * y.re }
      throw new Missing('python complex arithmetic')
    }
    if (Array.isArray(a) && op === '*') return Array.from({ length: b }, () => a).flat()
    if (Array.isArray(a) && op === '+') return [...a, ...b]
    if (typeof a === 'string' && op === '+') return a + b
    const x = plain(a),
      y = plain(b)
    if (typeof x === 'bigint' || typeof y === 'bigint' || op === '**') {
      if (!isFloat(a) && !isFloat(b) && (op !== '**' || y >= 0)) {
        const r = {
          '+': () => BigInt(x) + BigInt(y),
          '-': () => BigInt(x) - BigInt(y),
          '*': () => BigInt(x) * BigInt(y),
          '**': () => BigInt(x) ** BigInt(y),
        }[op]?.()
        if (r !== undefined) return r >= -9007199254740991n && r <= 9007199254740991n ? Number(r) : r
      }
    }
    const r = {
      '+': () => x + y,
      '-': () => x - y,
      '*': () => x * y,
      '/': () => x / y,
      '//': () => Math.floor(x / y),
      '%': () => x - Math.floor(x / y) * y,
      '**': () => x ** y,
      '==': () => x === y,
      '!=': () => x !== y,
      '<': () => x < y,
      '<=': () => x <= y,
      '>': () => x > y,
      '>=': () => x >= y,
      '|': () => x | y,
      '&': () => x & y,
      '^': () => x ^ y,
      '<<': () => x << y,
      '>>': () => x >> y,
    }[op]?.()
    if (r === undefined) throw new Missing(`python ${op}`)
    return typeof r === 'number' && (isFloat(a) || isFloat(b) || op === '/') ? new PyFloat(r) : r
  }
}

export { PyFloat, PyRaise }
