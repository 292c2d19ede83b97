// Parser of the schema's expressions: pointwise formulas (over numbers) and derivatives (over operators). One grammar, C's precedence:
//   ?:   ||   &&   |   ^   &   == !=   < <= > >=   << >>   + -   * / %   unary - ! ~   call(a, name=b)   name.property   (x)
// AST: { kind: 'number', value, text } | { kind: 'string', value } | { kind: 'list', items } | { kind: 'name', name } | { kind: 'property', object, name }
//    | { kind: 'call', name, args, keywords } | { kind: 'unary', op, arg } | { kind: 'binary', op, left, right } | { kind: 'select', cond, then, else }

export class ExpressionError extends Error {}

const LEVELS = [['||'], ['&&'], ['|'], ['^'], ['&'], ['==', '!='], ['<', '<=', '>', '>='], ['<<', '>>'], ['+', '-'], ['*', '/', '%']]
const TOKEN =
  /\s*(?:(\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|0x[\da-fA-F]+)|([A-Za-z_]\w*)|('[^']*')|(\|\||&&|==|!=|<=|>=|<<|>>|[-+*/%!~&|^<>?:(),.=[\]]))/y

function tokenize(text) {
  const tokens = []
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const at = TOKEN.lastIndex
    const m = TOKEN.exec(text)
    if (!m) throw new ExpressionError(`cannot read '${text.slice(at).trim()}'`)
    if (m[1] !== undefined) tokens.push({ type: 'number', text: m[1] })
    else if (m[2] !== undefined) tokens.push({ type: 'name', text: m[2] })
    else if (m[3] !== undefined) tokens.push({ type: 'string', text: m[3] })
    else tokens.push({ type: 'op', text: m[4] })
  }
  return tokens
}

export function parseExpression(text) {
  const tokens = tokenize(String(text))
  let at = 0
  const is = (op) => tokens[at]?.type === 'op' && tokens[at].text === op
  const take = (op) => is(op) && ++at > 0
  const expect = (op) => {
    if (!take(op)) throw new ExpressionError(`expected '${op}' before '${tokens[at]?.text ?? 'the end'}' in '${text}'`)
  }
  const primary = () => {
    const t = tokens[at++]
    if (!t) throw new ExpressionError(`'${text}' ends too early`)
    if (t.type === 'number') return { kind: 'number', value: Number(t.text), text: t.text }
    if (t.type === 'string') return { kind: 'string', value: t.text.slice(1, -1) }
    if (t.type === 'op' && t.text === '(') {
      const e = ternary()
      expect(')')
      return e
    }
    if (t.type === 'op' && t.text === '[') {
      const items = []
      while (!take(']')) {
        if (items.length) expect(',')
        items.push(ternary())
      }
      return { kind: 'list', items }
    }
    if (t.type !== 'name') throw new ExpressionError(`'${t.text}' is out of place in '${text}'`)
    if (!take('(')) return { kind: 'name', name: t.text }
    const call = { kind: 'call', name: t.text, args: [], keywords: {} }
    let first = true
    while (!take(')')) {
      if (!first) expect(',')
      first = false
      if (tokens[at]?.type === 'name' && tokens[at + 1]?.text === '=') {
        const key = tokens[at].text
        at += 2
        call.keywords[key] = ternary()
      } else call.args.push(ternary())
    }
    return call
  }
  const postfix = () => {
    let e = primary()
    while (is('.')) {
      at++
      const t = tokens[at++]
      if (t?.type !== 'name') throw new ExpressionError(`a property is missing after '.' in '${text}'`)
      e = { kind: 'property', object: e, name: t.text }
    }
    return e
  }
  const unary = () => {
    for (const op of ['-', '!', '~', '+']) if (take(op)) return op === '+' ? unary() : { kind: 'unary', op, arg: unary() }
    return postfix()
  }
  const level = (n) => {
    if (n === LEVELS.length) return unary()
    let left = level(n + 1)
    for (;;) {
      const op = LEVELS[n].find((o) => is(o))
      if (!op) return left
      at++
      left = { kind: 'binary', op, left, right: level(n + 1) }
    }
  }
  function ternary() {
    const cond = level(0)
    if (!take('?')) return cond
    const then = ternary()
    expect(':')
    return { kind: 'select', cond, then, else: ternary() }
  }
  const e = ternary()
  if (at !== tokens.length) throw new ExpressionError(`'${tokens[at].text}' follows the expression '${text}'`)
  return e
}

// Calls visit(node, parent) for every node, parents first.
export function walk(e, visit, parent = null) {
  visit(e, parent)
  const children = { unary: ['arg'], binary: ['left', 'right'], select: ['cond', 'then', 'else'], property: ['object'] }[e.kind] ?? []
  for (const c of children) walk(e[c], visit, e)
  if (e.kind === 'call') for (const a of [...e.args, ...Object.values(e.keywords)]) walk(a, visit, e)
  if (e.kind === 'list') for (const a of e.items) walk(a, visit, e)
}
