// From the schema's derivative expressions to C: what a node has to save, and the function that runs in backward.
import { walk } from './expression.mjs'
import { SchemaBug, title } from './text.mjs'

const PROPERTIES = { sizes: 'ints', strides: 'ints', dtype: 'dtype', ndim: 'int', numel: 'int' }
const PROPERTY_C = {
  sizes: (t) => `tj__sizes(${t})`,
  strides: (t) => `tj__strides(${t})`,
  dtype: (t) => `(tj_dtype)${t}->dtype`,
  ndim: (t) => `${t}->ndim`,
  numel: (t) => `${t}->numel`,
}
const INFIX = {
  '+': (a, b) => `tj_add(${a}, ${b}, tj_int(1))`,
  '-': (a, b) => `tj_sub(${a}, ${b}, tj_int(1))`,
  '*': (a, b) => `tj_mul(${a}, ${b})`,
  '/': (a, b) => `tj_div(${a}, ${b})`,
}

const LITERALS = new Set(['None', 'true', 'false', 'True', 'False'])
const MASK = 'grad_input_mask' // for each of the inputs whose derivative an expression is: is it wanted

const argKind = (type) =>
  type.base === 'Tensor'
    ? type.list
      ? 'tensors'
      : 'tensor'
    : type.list
      ? type.base === 'float'
        ? 'floats'
        : 'ints'
      : {
          Scalar: 'scalar',
          int: 'int',
          float: type.optional ? 'scalar' : 'float',
          bool: 'bool',
          str: 'str',
          ScalarType: 'dtype',
          Device: 'device',
          Generator: 'generator',
        }[type.base]

// Plan of an operator: inputs that get a gradient, tensors and values that a node keeps, and for which inputs it keeps them.
export function derivativePlan(op) {
  if (!op.backward || op.backward === 'none') return null
  const inputs = op.args.filter((a) => a.type.base === 'Tensor' && op.backward[a.name] !== undefined)
  // A result that is named like an argument: the name means the argument.
  const outputs = (op.returns.kind === 'list' ? ['result'] : op.returns.items.map((i) => i.name)).map((n) =>
    op.args.some((a) => a.name === n) ? `${n}_` : n,
  )
  const grads = new Map(op.returns.kind === 'tuple' ? outputs.map((n, k) => [`grad_${n}`, k]) : [['grad', 0]])
  if (op.returns.kind === 'tuple') grads.set('grad', 0)
  const used = new Set() // the results whose gradients are read
  for (const input of inputs) walk(op.backward[input.name], (n) => n.kind === 'name' && grads.has(n.name) && used.add(grads.get(n.name)))
  const saved = [],
    values = []
  const keep = (list, key, make, input) => {
    let s = list.find((x) => x.key === key)
    if (!s) list.push((s = { key, index: list.length, inputs: new Set(), ...make() }))
    s.inputs.add(input)
    return s
  }
  for (const [k, input] of inputs.entries()) {
    walk(op.backward[input.name], (n, parent) => {
      if (n.kind === 'property' && n.object.kind === 'name' && !grads.has(n.object.name)) {
        if (!PROPERTIES[n.name]) throw new SchemaBug(op, `unknown property '.${n.name}' (known: ${Object.keys(PROPERTIES).join(', ')})`)
        keep(values, `${n.object.name}.${n.name}`, () => ({ kind: PROPERTIES[n.name], of: n.object.name, property: n.name }), k)
        return
      }
      if (n.kind !== 'name' || (parent?.kind === 'property' && !grads.has(n.name))) return
      if (grads.has(n.name) || LITERALS.has(n.name) || n.name === MASK) return
      if (outputs.includes(n.name) && op.returns.kind !== 'list')
        return void keep(saved, n.name, () => ({ output: outputs.indexOf(n.name) }), k)
      const arg = op.args.find((a) => a.name === n.name)
      if (!arg) throw new SchemaBug(op, `the derivative of ${input.name} names '${n.name}', which is neither an argument nor a result`)
      const kind = argKind(arg.type)
      if (kind === 'tensor' || kind === 'tensors') keep(saved, n.name, () => ({ arg, list: kind === 'tensors' }), k)
      else if (['generator', 'device', 'floats'].includes(kind))
        throw new SchemaBug(op, `a ${arg.type.base} argument cannot be kept for the derivative`)
      else keep(values, n.name, () => ({ kind, arg }), k)
    })
  }
  return { inputs, outputs, grads, used, saved, values }
}

// Compiles one expression, the derivative of the inputs `members`; saved tensors are C variables of their names.
function compile(op, plan, e, byName, members) {
  const value = (key) => {
    const v = plan.values.find((x) => x.key === key)
    const get = { int: 'int', bool: 'int', dtype: 'int', float: 'float', scalar: 'scalar', ints: 'ints', str: 'ints' }[v.kind]
    const c = `tj__node_${get}(node, ${v.index})`
    return {
      kind: v.kind,
      c:
        v.kind === 'dtype'
          ? `(tj_dtype)${c}`
          : v.kind === 'str'
            ? `tj__ints_to_str(${c})`
            : v.kind === 'bool' && !v.arg?.type.optional
              ? `(${c} != 0)`
              : c,
    }
  }
  const name = (n) => {
    if (plan.grads.has(n))
      return {
        kind: op.returns.kind === 'list' ? 'tensors' : 'tensor',
        c: op.returns.kind === 'list' ? '((tj_tensors){grads, tj__node_output_count(node)})' : `grads[${plan.grads.get(n)}]`,
      }
    if (n === MASK) return { kind: 'list', items: members.map((k) => ({ kind: 'bool', c: `tj__node_needs(node, ${k})` })) }
    const s = plan.saved.find((x) => x.key === n)
    if (s) return { kind: s.list ? 'tensors' : 'tensor', c: n }
    return value(n)
  }
  const asTensor = (v) =>
    v.kind === 'tensor'
      ? v.c
      : v.kind === 'scalar'
        ? `tj_scalar_tensor(${v.c})`
        : v.kind === 'int'
          ? `tj_scalar_tensor(tj_int(${v.c}))`
          : v.kind === 'float'
            ? `tj_scalar_tensor(tj_float(${v.c}))`
            : v.kind === 'none'
              ? 'NULL'
              : bad(`a ${v.kind} stands where a tensor is needed`)
  const bad = (m) => {
    throw new SchemaBug(op, m)
  }
  const convert = (v, arg) => {
    const kind = argKind(arg.type)
    if (v.kind === 'none') return none(arg)
    if (kind === 'tensor') return asTensor(v)
    if (v.kind === 'list' && (kind === 'ints' || kind === 'floats'))
      return v.items.length === 0
        ? '(tj_ints){NULL, 0}'
        : `TJ_${kind === 'ints' ? 'INTS' : 'FLOATS'}(${v.items.map((i) => i.c).join(', ')})`
    if (v.kind === 'list' && kind === 'tensors') return `TJ_TENSORS(${v.items.map(asTensor).join(', ')})`
    if (kind === 'scalar')
      return v.kind === 'scalar'
        ? v.c
        : v.kind === 'int'
          ? `tj_int(${v.c})`
          : v.kind === 'bool'
            ? `tj_bool(${v.c})`
            : v.kind === 'float'
              ? `tj_float(${v.c})`
              : bad(`${arg.name} cannot be a ${v.kind}`)
    if (kind === 'float' && ['int', 'float'].includes(v.kind)) return v.c
    if (kind === 'float' && v.kind === 'scalar') return `tj__scalar_to_double(${v.c})`
    if (kind === 'bool' && ['bool', 'int'].includes(v.kind)) return v.c
    if (kind === 'ints' && v.kind === 'int') return `TJ_INTS(${v.c})`
    if (kind === 'dtype' && v.kind === 'dtype') return v.c
    if (kind === v.kind) return v.c
    return bad(`${arg.name} wants a ${kind}, not a ${v.kind}`)
  }
  const go = (n) => {
    switch (n.kind) {
      case 'number':
        return Number.isInteger(n.value) && !/[.eE]/.test(n.text) ? { kind: 'int', c: n.text } : { kind: 'float', c: n.text }
      case 'string':
        return { kind: 'str', c: JSON.stringify(n.value) }
      case 'list':
        return { kind: 'list', items: n.items.map(go) }
      case 'name':
        if (n.name === 'None') return { kind: 'none' }
        if (n.name === 'true' || n.name === 'True') return { kind: 'bool', c: 'true' }
        if (n.name === 'false' || n.name === 'False') return { kind: 'bool', c: 'false' }
        return name(n.name)
      case 'property': {
        if (n.object.kind === 'name' && !plan.grads.has(n.object.name)) return value(`${n.object.name}.${n.name}`)
        const o = go(n.object)
        if (o.kind !== 'tensor' || !PROPERTIES[n.name]) bad(`.${n.name} of a ${o.kind}`)
        return {
          kind: PROPERTIES[n.name],
          c:
            n.object.kind === 'name'
              ? PROPERTY_C[n.name](o.c)
              : { sizes: `tj_sizes(${o.c})`, dtype: `tj_dtype_of(${o.c})`, ndim: `tj_ndim(${o.c})`, numel: `tj_numel(${o.c})` }[n.name],
        }
      }
      case 'unary': {
        const v = go(n.arg)
        if (n.op === '-')
          return v.kind === 'tensor'
            ? { kind: 'tensor', c: `tj_neg(${v.c})` }
            : v.kind === 'scalar'
              ? { kind: 'tensor', c: `tj_neg(${asTensor(v)})` }
              : { kind: v.kind, c: `(-${v.c})` }
        if (n.op === '!') return { kind: 'bool', c: `(!${v.c})` }
        return bad(`unary ${n.op}`)
      }
      case 'binary': {
        const l = go(n.left),
          r = go(n.right)
        const number = (v) => ['int', 'float', 'bool', 'dtype'].includes(v.kind)
        if (l.kind === 'none' || r.kind === 'none') return bad('None in an expression')
        if (number(l) && number(r))
          return {
            kind: /[=<>!&|]/.test(n.op) ? 'bool' : l.kind === 'float' || r.kind === 'float' ? 'float' : 'int',
            c: `(${l.c} ${n.op} ${r.c})`,
          }
        if (l.kind === 'str' && r.kind === 'str') return { kind: 'bool', c: `(strcmp(${l.c}, ${r.c}) ${n.op} 0)` }
        if (!INFIX[n.op]) bad(`'${n.op}' between tensors: call the operator by name`)
        return { kind: 'tensor', c: INFIX[n.op](asTensor(l), asTensor(r)) }
      }
      case 'select': {
        const c = go(n.cond),
          t = go(n.then),
          f = go(n.else)
        return t.kind === f.kind
          ? { kind: t.kind, c: `(${c.c} ? ${t.c} : ${f.c})` }
          : { kind: 'tensor', c: `(${c.c} ? ${asTensor(t)} : ${asTensor(f)})` }
      }
      case 'call': {
        const inplace = n.name.endsWith('_') && !byName.has(n.name)
        const target = byName.get(n.name) ?? (inplace ? byName.get(n.name.slice(0, -1)) : undefined)
        if (!target) return bad(`the derivative calls '${n.name}', which is no operator`)
        const given = n.args.map(go)
        const out = target.args.map((a, i) => {
          const v = i < given.length ? given[i] : n.keywords[a.name] !== undefined ? go(n.keywords[a.name]) : undefined
          if (v !== undefined) return convert(v, a)
          if (!a.hasDefault) return bad(`the call of '${n.name}' lacks ${a.name}`)
          return defaultC(a)
        })
        for (const k of Object.keys(n.keywords)) if (!target.args.some((a) => a.name === k)) bad(`'${n.name}' has no argument '${k}'`)
        if (given.length > target.args.length) bad(`'${n.name}' takes ${target.args.length} arguments`)
        const call = (results) => `tj_${target.cname}${inplace ? '_' : ''}(${[...out, ...results].join(', ')})`
        if (target.returns.kind === 'tuple') return { kind: 'tuple', n: target.returns.items.length, call }
        return { kind: { tensor: 'tensor', list: 'list_object', scalar: 'scalar' }[target.returns.kind], c: call([]) }
      }
      default:
        return bad(n.kind)
    }
  }
  return { result: go(e), asTensor }
}

export function none(arg) {
  const t = arg.type
  if (t.list) return t.base === 'float' ? 'TJ_NO_FLOATS' : t.base === 'Tensor' ? '(tj_tensors){NULL, -1}' : 'TJ_NO_INTS'
  return {
    Tensor: 'NULL',
    Scalar: 'TJ_NO_SCALAR',
    int: 'TJ_NO_INT',
    float: 'TJ_NO_SCALAR',
    bool: 'TJ_NO_BOOL',
    str: 'NULL',
    ScalarType: 'TJ_DTYPE_NONE',
    Device: 'TJ_DEVICE_NONE',
    Generator: 'NULL',
  }[t.base]
}

export function defaultC(arg) {
  const v = arg.default,
    t = arg.type
  if (v === null) return none(arg)
  const number = (x) => (x === Infinity ? 'INFINITY' : String(x))
  if (t.list)
    return v.length === 0
      ? `(tj_${t.base === 'float' ? 'floats' : 'ints'}){NULL, 0}`
      : `TJ_${t.base === 'float' ? 'FLOATS' : 'INTS'}(${v.map(number).join(', ')})`
  if (t.base === 'Scalar' || (t.base === 'float' && t.optional))
    return typeof v === 'boolean' ? `tj_bool(${v})` : Number.isInteger(v) && t.base === 'Scalar' ? `tj_int(${v})` : `tj_float(${number(v)})`
  if (t.base === 'str') return JSON.stringify(v)
  return String(number(v))
}

// The node's type and its backward function.
export function derivativeC(op, plan, nodeName, byName) {
  const lines = [`static bool ${op.cname}_backward(tj__node *node, tj_tensor *const *grads, tj_tensor **inputs) {`]
  const uses = new Set()
  for (const i of plan.inputs) walk(op.backward[i.name], (n) => n.kind === 'name' && uses.add(n.name))
  if (![...plan.grads.keys()].some((g) => uses.has(g))) lines.push('  (void)grads;')
  const listAt = plan.inputs.findIndex((a) => a.type.list)
  const at = (k) => (listAt < 0 || k < listAt ? String(k) : `tj__node_input_count(node) - ${plan.inputs.length - k}`)
  plan.inputs.forEach((input, k) => {
    // The inputs of a common expression, whose results are their gradients in turn.
    const members = plan.inputs.flatMap((i, q) => (op.backward[i.name] === op.backward[input.name] ? [q] : []))
    if (members[0] !== k) return
    const several = members.length > 1
    if (several && listAt >= 0) throw new SchemaBug(op, 'a derivative of several arguments beside a list of tensors')
    const { result, asTensor } = compile(op, plan, op.backward[input.name], byName, members)
    if (several && result.n !== members.length)
      throw new SchemaBug(
        op,
        `the derivative of ${members.map((q) => plan.inputs[q].name).join(', ')} has to be a call with ${members.length} results`,
      )
    const listLength = `tj__node_input_count(node) - ${plan.inputs.length - 1}`
    const wanted = members.map((q) => `tj__node_needs(node, ${at(q)})`).join(' || ')
    lines.push(input.type.list ? `  if (tj__node_needs_any(node, ${k}, ${listLength})) {` : `  if (${wanted}) {`)
    for (const s of plan.saved.filter((x) => x.inputs.has(k))) {
      if (s.list) {
        lines.push(`    tj_tensors ${s.key};`, `    if (!tj__node_saved_list(node, ${s.index}, &${s.key})) return false;`)
      } else if (s.arg?.type.optional) {
        lines.push(
          `    tj_tensor *${s.key} = tj__node_saved_is_none(node, ${s.index}) ? NULL : tj__node_saved(node, ${s.index});`,
          `    if (!${s.key} && !tj__node_saved_is_none(node, ${s.index})) return false;`,
        )
      } else lines.push(`    tj_tensor *${s.key} = tj__node_saved(node, ${s.index});`, `    if (!${s.key}) return false;`)
    }
    if (several) {
      lines.push(`    if (${result.call(members.map((q) => `&inputs[${q}]`))}) return false;`, '  }')
    } else if (input.type.list) {
      if (result.kind !== 'list_object') throw new SchemaBug(op, `the derivative of ${input.name} has to be a list of tensors`)
      lines.push(
        `    tj_list *list = ${result.c};`,
        '    if (!list) return false;',
        `    for (int64_t i = 0; i < list->n; i++) inputs[${k} + i] = list->items[i];`,
        '  }',
      )
    } else {
      lines.push(`    inputs[${at(k)}] = ${asTensor(result)};`, `    if (!inputs[${at(k)}]) return false;`, '  }')
    }
  })
  lines.push('  return true;', '}')
  // Gradients that did not arrive are zeros, but for results that may be missing themselves.
  const zeros = op.returns.kind !== 'tensor' && !op.returns.items.every((i) => i.type.optional)
  lines.push(`static const tj__node_type ${op.cname}_node = {"${nodeName}", ${op.cname}_backward, ${zeros}, NULL};`)
  return lines.join('\n')
}

// How the wrapper fills a node made from `plan`. original: what stands for the first argument (its clone, in place);
// outputVariable(name): the C variable of a result.
export function recordC(plan, indent, original, outputVariable) {
  const lines = []
  const listAt = plan.inputs.findIndex((a) => a.type.list)
  const needs = (s) => {
    if (s.inputs.size === plan.inputs.length) return ''
    return `if (${[...s.inputs].map((k) => (plan.inputs[k].type.list ? `tj__node_needs_any(node, ${k}, ${plan.inputs[k].name}.n)` : `tj__node_needs(node, ${listAt >= 0 && k > listAt ? `${k} - 1 + ${plan.inputs[listAt].name}.n` : k})`)).join(' || ')}) `
  }
  for (const s of plan.saved.filter((x) => x.arg)) {
    const t = original && s.key === original.name ? original.c : s.key
    lines.push(`${indent}${needs(s)}ok = ok && tj__node_save${s.list ? '_list' : ''}(node, ${s.index}, ${t}${s.list ? '' : ', false'});`)
  }
  const set = (v) => {
    const source = v.property ? PROPERTY_C[v.property](plan.outputs.includes(v.of) ? outputVariable(v.of) : v.of) : v.arg.name
    const k = v.index
    if (v.kind === 'ints') return `ok = ok && tj__node_set_ints(node, ${k}, ${source});`
    if (v.kind === 'str') return `ok = ok && tj__node_set_str(node, ${k}, ${source});`
    if (v.kind === 'float') return `tj__node_set_float(node, ${k}, ${source});`
    if (v.kind === 'scalar') return `tj__node_set_scalar(node, ${k}, ${source});`
    return `tj__node_set_int(node, ${k}, ${source});`
  }
  return {
    before: [...lines, ...plan.values.map((v) => indent + set(v))],
    outputs: plan.saved.filter((x) => !x.arg).map((s) => ({ ...s, needs: needs(s) })),
  }
}

export const nodeNames = (ops) => {
  const counts = new Map(),
    names = new Map()
  for (const op of ops) {
    const base = op.selfInplace ? op.name.slice(0, -1) : op.name
    const n = counts.get(base) ?? 0
    counts.set(base, n + 1)
    names.set(op, `${title(base.replace(/^_+/, ''))}Backward${n}`)
  }
  return names
}
