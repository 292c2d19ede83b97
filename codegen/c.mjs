// From the schema to C: the public header ops.h, the prototypes of implementations impl.h, the wrappers around them (scope, autograd,
// in-place and out forms).
import { defaultC, derivativeC, derivativePlan, nodeNames, recordC } from './derivative.mjs'
import { dtypesText } from './dtypes.mjs'
import { pointwiseInputs, pointwiseParameters } from './pointwise.mjs'
import { typeText } from './signature.mjs'
import { comment, HEADER } from './text.mjs'

export function cType(type) {
  if (type.list) return { Tensor: 'tj_tensors', float: 'tj_floats' }[type.base] ?? 'tj_ints'
  return {
    Tensor: 'tj_tensor *',
    Scalar: 'tj_scalar ',
    int: 'int64_t ',
    float: type.optional ? 'tj_scalar ' : 'double ',
    bool: type.optional ? 'int ' : 'bool ',
    str: 'const char *',
    ScalarType: 'tj_dtype ',
    Device: 'tj_device ',
    Generator: 'tj_generator *',
  }[type.base]
}
const declare = (type, name) => {
  const t = cType(type)
  return `${t}${/[ *]$/.test(t) ? '' : ' '}${name}`
}
const outParams = (op) => (op.returns.kind === 'tuple' ? op.returns.items.map((i) => `tj_tensor **${i.name}`) : [])
// The names of the tensors that the out form writes to.
export const outArguments = (op) => (op.returns.kind === 'tuple' ? op.returns.items.map((i) => `out_${i.name}`) : ['out'])
const resultType = (op) =>
  ({ tensor: 'tj_tensor *', tuple: 'tj_status ', list: 'tj_list *', scalar: 'tj_scalar ', void: 'tj_status ' })[op.returns.kind]
const params = (op) => op.args.map((a) => declare(a.type, a.name))
const list = (items) => (items.length ? items.join(', ') : 'void')
const names = (op) => op.args.map((a) => a.name)

// The forms in which an operator can be called: [{ op, form: 'functional' | 'inplace' | 'out', cname }]
export function forms(op) {
  const f = [{ op, form: 'functional', cname: op.cname }]
  if (op.inplace) f.push({ op, form: 'inplace', cname: `${op.cname}_` })
  if (op.out !== 'none') f.push({ op, form: 'out', cname: `${op.cname}_out` })
  return f
}

export function opsHeader(ops, dtypes) {
  const lines = [
    HEADER,
    `/* torchjs/ops.h: every operator. Names, arguments, defaults and results are PyTorch's; each comment begins with the signature in
 * PyTorch's schema language. Results follow tensor.h's rules of ownership. NAME_ works in place: it changes self and returns it, without a
 * new reference. NAME_out writes its result to \`out\`, which is resized if need be, and returns it, without a new reference; of several results
 * each goes to its own, and a status is returned.
 * An operator with several results stores them through its last arguments and returns 0 or a negative tj_status. */
#ifndef TORCHJS_OPS_H
#define TORCHJS_OPS_H

#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif
`,
  ]
  let family = ''
  for (const op of ops) {
    if (op.family !== family) lines.push(`/* ---- ${(family = op.family)} ${'-'.repeat(Math.max(4, 108 - op.family.length))} */\n`)
    const known = dtypes.get(op.cname)
    const facts = [
      op.dtype && `dtype: ${op.dtype}`,
      op.shape && `shape: ${op.shape}`,
      known && `takes: ${dtypesText(known.forward)}`,
      known && `differentiates: ${dtypesText(known.derivative)}`,
      op.namespace === 'internal' && 'internal: used by derivatives',
    ]
      .filter(Boolean)
      .join('; ')
    lines.push(
      `/* ${op.name}${op.overload && `.${op.overload}`}${op.args.length ? '' : ''}: ${signatureText(op)}\n${comment(op.doc + (facts ? ` [${facts}]` : '') + (op.errors ? ` Errors: ${op.errors}` : '') + (op.source ? ` Source: ${op.source}` : ''))} */`,
    )
    for (const f of forms(op)) {
      const p = f.form === 'out' ? [...outArguments(op).map((n) => `tj_tensor *${n}`), ...params(op)] : [...params(op), ...outParams(op)]
      lines.push(`TJ_API ${resultType(op)}tj_${f.cname}(${list(p)});`)
    }
    lines.push('')
  }
  lines.push('#ifdef __cplusplus\n}\n#endif\n#endif\n')
  return lines.join('\n')
}

export function signatureText(op) {
  const parts = []
  let star = false
  for (const a of op.args) {
    if (a.kwonly && !star) (parts.push('*'), (star = true))
    const d =
      a.default === null
        ? 'None'
        : a.default === true
          ? 'True'
          : a.default === false
            ? 'False'
            : typeof a.default === 'string'
              ? `'${a.default}'`
              : Array.isArray(a.default)
                ? `[${a.default.join(', ')}]`
                : a.default === Infinity
                  ? 'inf'
                  : String(a.default)
    parts.push(`${typeText(a.type)} ${a.name}${a.hasDefault ? `=${d}` : ''}`)
  }
  const r = op.returns
  const ret = r.kind === 'tuple' || r.kind === 'void' ? `(${r.items.map((i) => `Tensor ${i.name}`).join(', ')})` : typeText(r.items[0].type)
  return `(${parts.join(', ')}) -> ${ret}`
}

const implTakesOut = (op) => op.out === 'kernel'
const implParams = (op) => [...(implTakesOut(op) ? ['tj_tensor *out'] : []), ...params(op), ...outParams(op)]

export function implHeader(ops) {
  return `${HEADER}
/* Prototypes of the implementations in engine/ops. out: where to write the result; NULL: allocate it. */
#ifndef TJ__IMPL_H
#define TJ__IMPL_H
#include "ops.h"
${ops.map((op) => `${resultType(op)}tj__impl_${op.cname}(${list(implParams(op))});`).join('\n')}
#endif
`
}

// Required tensors must not be NULL; for an optional one NULL is "not given", unless an error is pending.
function guards(op, failure) {
  const lines = []
  for (const a of op.args.filter((x) => x.type.base === 'Tensor' || (x.type.base === 'str' && !x.type.optional))) {
    if (a.type.list) lines.push(`  if (tj__bad_list(${a.name}, ${!!a.type.itemOptional}, "${op.name}", "${a.name}")) return ${failure};`)
    else if (a.type.optional) lines.push(`  if (!${a.name} && tj_error_code()) return ${failure};`)
    else
      lines.push(
        `  if (TJ__UNLIKELY(!${a.name})) return ${failure === 'NULL' ? '' : `(void)`}tj__null_argument("${op.name}", "${a.name}")${failure === 'NULL' ? '' : `, ${failure}`};`,
      )
  }
  return [...lines, ...deviceGuard(op, failure)]
}

// Tensors have to be on one device, and the operator has to have kernels there. What is made of other operators leaves that to them.
// Copies between devices are what they are for.
const CROSSING = /^(to_device|to_other|copy_)$/
function deviceGuard(op, failure) {
  const tensors = op.args.filter((a) => a.type.base === 'Tensor')
  if (op.composite || tensors.length === 0 || CROSSING.test(op.cname)) return []
  const on = !!op.pointwise || op.view || op.webgpu !== undefined
  const rest = `${on}, ${!!op.pointwise || op.webgpu === 'lone'})`
  const single = tensors.filter((a) => !a.type.list).map((a) => a.name)
  // Indices may be on the cpu, whatever the device of what they index.
  const checks = tensors
    .filter((a) => a.type.list && !/^index(_put)?$/.test(op.cname))
    .map((a) => `!tj__devices_agree("${op.name}", ${a.name}.data, ${a.name}.n, ${rest}`)
  if (single.length) checks.push(`!tj__devices_agree("${op.name}", (tj_tensor *[]){${single.join(', ')}}, ${single.length}, ${rest}`)
  return [`  if (TJ__UNLIKELY(tj__device_memory != NULL) && (${checks.join(' || ')})) return ${failure};`]
}
const FAILURE = { tensor: 'NULL', list: 'NULL', tuple: 'tj_error_code()', void: 'tj_error_code()', scalar: 'TJ_NO_SCALAR' }

// The array `inputs` of the tensors that a gradient may flow to. -> { lines, count }
function inputArray(args) {
  const listArg = args.find((a) => a.type.list)
  if (!listArg) return { lines: [`  tj_tensor *inputs[] = {${args.map((a) => a.name).join(', ')}};`], count: String(args.length) }
  const count = `n_inputs`
  const lines = [
    `  const int64_t n_inputs = ${args.length - 1} + TJ__MAX(${listArg.name}.n, 0);`,
    '  tj_list *input_list = tj__list_new(n_inputs);',
    '  if (!input_list) return tj__scope_pop(&scope), FAILURE;',
    '  tj_tensor **inputs = input_list->items;',
  ]
  let seen = false
  args.forEach((a, k) => {
    if (a.type.list)
      (lines.push(`  for (int64_t i = 0; i < ${a.name}.n; i++) tj__list_set(input_list, ${k} + i, ${a.name}.data[i]);`), (seen = true))
    else lines.push(`  tj__list_set(input_list, ${k}${seen ? ` - 1 + TJ__MAX(${listArg.name}.n, 0)` : ''}, ${a.name});`)
  })
  return { lines, count }
}

// As PyTorch's dispatcher says it: linalg_inv, fft_fft, special_erf.
const dispatched = (op) =>
  ['linalg', 'fft', 'special'].includes(op.namespace) && !op.name.startsWith(op.namespace) ? `${op.namespace}_${op.name}` : op.name
const profiled = (name) => `  TJ__PROFILE(&scope, TJ__PROFILE_OPERATOR, "${name}");`

function functional(op, plan) {
  const kind = op.returns.kind,
    failure = FAILURE[kind]
  const out = [`${resultType(op)}tj_${op.cname}(${list([...params(op), ...outParams(op)])}) {`]
  if (kind === 'tuple') out.push(`  ${op.returns.items.map((i) => `*${i.name} = NULL;`).join(' ')}`)
  out.push(...guards(op, failure))
  const call = `tj__impl_${op.cname}(${[...(implTakesOut(op) ? ['NULL'] : []), ...names(op), ...op.returns.items.filter(() => kind === 'tuple').map((i) => i.name)].join(', ')})`
  out.push('  tj__scope scope;', '  tj__scope_push(&scope);', profiled(dispatched(op)))
  const tensors = op.args.filter((a) => a.type.base === 'Tensor')
  const graph = !op.composite && op.backward !== 'none' && tensors.length > 0 && kind !== 'scalar' && kind !== 'void'
  const diff = plan ? plan.inputs : tensors
  if (graph) {
    const { lines, count } = inputArray(diff)
    out.push(...lines.map((l) => l.replace('FAILURE', failure)), `  const bool graph = tj__needs_grad(inputs, ${count});`)
    op.inputCount = count
  }
  const below = !op.composite && tensors.length > 0
  if (below) out.push('  const bool before = tj__below_autograd();')
  const outputs = kind === 'tuple' ? op.returns.items.map((i) => `*${i.name}`) : ['returned']
  if (kind === 'tensor') out.push(`  tj_tensor *returned = ${call};`)
  else if (kind === 'list') out.push(`  tj_list *returned = ${call};`)
  else if (kind === 'tuple' || kind === 'void') out.push(`  tj_status status = ${call};`)
  else out.push(`  tj_scalar returned = ${call};`)
  // Launches on a device do not tell their caller that they failed.
  if (below) {
    if (kind === 'tensor' || kind === 'list') out.push('  if (tj__device_failed()) returned = NULL;')
    else if (kind !== 'scalar') out.push('  if (tj__device_failed()) status = tj_error_code();')
  }
  if (below) out.push('  tj__above_autograd(before);')
  const good = kind === 'tuple' ? 'status == TJ_OK' : 'returned'
  if (op.view && !op.composite) {
    if (kind === 'tensor')
      out.push(`  if (returned && tj__is_fresh(&scope, returned) && !tj__view_of(${tensors[0].name}, returned, false)) returned = NULL;`)
    else if (kind === 'list')
      out.push(
        `  for (int64_t i = 0; returned && i < returned->n; i++)`,
        `    if (!tj__view_of(${tensors[0].name}, returned->items[i], true)) returned = NULL;`,
      )
  }
  if (graph) {
    // A result whose gradient the derivative does not read has none, and does not require one.
    const tracked = outputs.map((o, k) => (kind === 'tuple' && plan && !plan.used.has(k) ? 'NULL' : o))
    const array = kind === 'list' ? ['returned->items', 'returned->n'] : [`(tj_tensor *[]){${tracked.join(', ')}}`, String(outputs.length)]
    const fail = kind === 'tuple' ? 'status = tj_error_code()' : 'returned = NULL'
    const fresh = kind === 'tensor' ? ' && tj__takes_history(&scope, returned)' : ''
    if (!plan) {
      out.push(
        `  if (graph && ${good}${fresh} && !tj__node_attach_missing("${op.name}", inputs, ${op.inputCount}, ${array.join(', ')})) ${fail};`,
      )
    } else {
      const r = recordC(plan, '      ', null, (n) =>
        kind === 'tuple' ? `(*${op.returns.items[plan.outputs.indexOf(n)].name})` : 'returned',
      )
      out.push(
        `  if (graph && ${good}${fresh}) {`,
        `    tj__node *node = tj__node_new(&${op.cname}_node, inputs, ${op.inputCount}, ${plan.saved.length}, ${plan.values.length});`,
        '    bool ok = node != NULL;',
        '    if (ok) {',
        ...r.before,
        '      if (!ok) tj__node_release(node);',
        `      else ok = tj__node_attach(node, ${array.join(', ')});`,
        ...r.outputs.map(
          (s) =>
            `      if (ok${s.needs ? ' && (' + s.needs.slice(4, -2) + ')' : ''}) ok = tj__node_save(node, ${s.index}, ${outputs[s.output]}, ${tracked[s.output] !== 'NULL'});`,
        ),
        '    }',
        `    if (!ok) ${fail};`,
        '  }',
      )
    }
  }
  if (kind === 'tensor' || kind === 'list') out.push('  return tj__scope_return(&scope, returned);')
  else if (kind === 'tuple') {
    out.push(
      `  return tj__scope_return_all(&scope, status, (tj_tensor **[]){${op.returns.items.map((i) => i.name).join(', ')}}, ${op.returns.items.length});`,
    )
  } else out.push('  tj__scope_pop(&scope);', `  return ${kind === 'void' ? 'status' : 'returned'};`)
  out.push('}')
  return out.join('\n')
}

function inplace(op, plan) {
  const self = op.args.find((a) => a.type.base === 'Tensor').name
  const out = [
    `tj_tensor *tj_${op.cname}${op.selfInplace ? '' : '_'}(${list(params(op))}) {`,
    ...guards(op, 'NULL'),
    '  tj__scope scope;',
    '  tj__scope_push(&scope);',
    profiled(op.selfInplace ? op.name : `${dispatched(op)}_`),
  ]
  const tensors = op.args.filter((a) => a.type.base === 'Tensor')
  const diff = plan ? plan.inputs : tensors
  const { lines, count } = inputArray(diff.length ? diff : tensors)
  const differentiable = op.backward !== 'none' && !(op.composite && op.selfInplace)
  out.push(
    ...lines.map((l) => l.replace('FAILURE', 'NULL')),
    `  const bool graph = ${differentiable || plan ? `tj__needs_grad(inputs, ${count})` : `tj__needs_grad(&${self}, 1)`};`,
  )
  if (!differentiable && !plan) out.push('  (void)inputs;')
  out.push(`  bool ok = tj__inplace_check(${self}, graph);`)
  if (plan) out.push('  tj__node *node = NULL;')
  const original = plan && plan.saved.some((s) => s.key === self)
  if (op.composite && !op.selfInplace) {
    // The parts record themselves; the result is then copied, which records the copy. What they keep of self has to outlive the write.
    const args = names(op).map((n) => (n === self ? 'original' : n))
    out.push(
      `  tj_tensor *original = graph ? tj_clone(${self}, NULL) : ${self};`,
      `  ok = ok && original && tj_copy_(${self}, tj__impl_${op.cname}(${args.join(', ')}), false) != NULL;`,
      `  tj__scope_pop(&scope);`,
      `  return ok ? ${self} : NULL;`,
      '}',
    )
    return out.join('\n')
  }
  if (plan) {
    const r = recordC(plan, '      ', original ? { name: self, c: 'original' } : null, () => self)
    out.push('  if (ok && graph) {')
    out.push(
      `    node = tj__node_new(&${op.cname}_node, inputs, ${count}, ${plan.saved.length}, ${plan.values.length});`,
      '    ok = node != NULL;',
      '    if (ok) {',
    )
    if (original) {
      /* The values from before the write are kept as a copy, where the derivative needs them. */
      const cond = r.before.find((l) => l.includes('original'))?.match(/if \((.*)\) ok = ok/)?.[1]
      out.push(
        cond
          ? `      tj_tensor *original = ${cond} ? tj_clone(${self}, NULL) : NULL;`
          : `      tj_tensor *original = tj_clone(${self}, NULL);`,
        `      ok = ${cond ? `!(${cond}) || ` : ''}original != NULL;`,
      )
    }
    out.push(...r.before, '    }', '  }')
    op.recordOutputs = r.outputs
  }
  const call = op.selfInplace
    ? `tj__impl_${op.cname}(${names(op).join(', ')})`
    : implTakesOut(op)
      ? `tj__impl_${op.cname}(${[self, ...names(op)].join(', ')})`
      : `tj__copy_result(${self}, tj__impl_${op.cname}(${names(op).join(', ')}))`
  out.push(
    '  if (ok) {',
    '    const bool before = tj__below_autograd();',
    `    ok = ${call} != NULL && !tj__device_failed();`,
    '    tj__above_autograd(before);',
    '  }',
  )
  if (plan) {
    out.push(`  if (!ok) tj__node_release(node);`, `  else ok = tj__inplace_written(${self}, node);`)
    for (const s of op.recordOutputs)
      out.push(
        `  if (ok && node${s.needs ? ' && (' + s.needs.slice(4, -2) + ')' : ''}) ok = tj__node_save(node, ${s.index}, ${self}, true);`,
      )
  } else {
    out.push(
      `  ok = ok && tj__inplace_written(${self}, ${differentiable && !op.composite ? `graph ? tj__node_missing("${op.name}_", inputs, ${count}) : NULL` : 'NULL'});`,
    )
  }
  out.push('  tj__scope_pop(&scope);', `  return ok ? ${self} : NULL;`, '}')
  return out.join('\n')
}

function outForm(op) {
  const tensors = op.args.filter((a) => a.type.base === 'Tensor')
  const outs = outArguments(op)
  const tuple = op.returns.kind === 'tuple'
  const failure = tuple ? 'tj_error_code()' : 'NULL'
  const o = [
    `${tuple ? 'tj_status ' : 'tj_tensor *'}tj_${op.cname}_out(${list([...outs.map((n) => `tj_tensor *${n}`), ...params(op)])}) {`,
    ...outs.map((n) =>
      tuple
        ? `  if (TJ__UNLIKELY(!${n})) return tj__null_argument("${op.name}", "out"), tj_error_code();`
        : `  if (TJ__UNLIKELY(!${n})) return tj__null_argument("${op.name}", "out");`,
    ),
    ...guards(op, failure),
    '  tj__scope scope;',
    '  tj__scope_push(&scope);',
    profiled(dispatched(op)),
  ]
  const { lines, count } = tensors.length ? inputArray(tensors) : { lines: [], count: '0' }
  o.push(...lines.map((l) => l.replace('FAILURE', failure)))
  const inputs = tensors.length ? 'inputs' : 'NULL'
  o.push(
    `  tj_tensor *outs[] = {${outs.join(', ')}};`,
    `  bool ok = tj__out_check("${op.name}", ${inputs}, ${count}, outs, ${outs.length});`,
    '  if (ok) {',
    '    const bool before = tj__below_autograd();',
  )
  if (implTakesOut(op))
    o.push(
      '    tj__resizing_out = true;',
      `    ok = tj__impl_${op.cname}(${['out', ...names(op)].join(', ')}) != NULL && !tj__device_failed();`,
      '    tj__resizing_out = false;',
    )
  else {
    const n = outs.length
    if (op.outDtype) o.push('    if (dtype == TJ_DTYPE_NONE) dtype = (tj_dtype)out->dtype;')
    if (tuple)
      o.push(
        `    tj_tensor *results[${n}] = {NULL};`,
        `    ok = tj__impl_${op.cname}(${[...names(op), ...outs.map((_, k) => `&results[${k}]`)].join(', ')}) == TJ_OK;`,
      )
    else o.push(`    tj_tensor *results[] = {tj__impl_${op.cname}(${names(op).join(', ')})};`, '    ok = results[0] != NULL;')
    for (let k = 0; k < n; k++)
      o.push(
        `    ok = ok && tj__out_suits(outs[${k}], results[${k}], ${op.outCheck[k] ? JSON.stringify(op.outCheck[k]) : 'NULL'}, ${op.outApart ? `${inputs}, ${count}` : 'NULL, 0'});`,
      )
    for (let k = 0; k < n; k++) o.push(`    ok = ok && tj__copy_out(outs[${k}], results[${k}]) != NULL;`)
  }
  o.push(
    '    ok = ok && !tj__device_failed();',
    '    tj__above_autograd(before);',
    ...outs.map((n) => `    if (ok) tj__bump_version(${n});`),
    '  }',
    '  tj__scope_pop(&scope);',
    tuple ? '  return ok ? TJ_OK : tj_error_code();' : '  return ok ? out : NULL;',
    '}',
  )
  return o.join('\n')
}

function pointwiseImpl(op) {
  const inputs = pointwiseInputs(op),
    ps = pointwiseParameters(op)
  const param = (a) =>
    a.type.base === 'Scalar'
      ? `tj__param_of(${a.name})`
      : a.type.base === 'float'
        ? `tj__param_of(tj_float(${a.name}))`
        : a.type.base === 'bool'
          ? `tj__param_of(tj_bool(${a.name}))`
          : `tj__param_of(tj_int(${a.name}))`
  return [
    `tj_tensor *tj__impl_${op.cname}(${list(implParams(op))}) {`,
    `  tj_tensor *inputs[] = {${inputs.map((a) => a.name).join(', ')}};`,
    `  const tj__params params = {.p = {${ps.length ? ps.map(param).join(', ') : '{0}'}}};`,
    `  return tj__pointwise(TJ__PW_${op.cname}, out, inputs, ${inputs.length}, &params, TJ__RULE_${op.rule.toUpperCase()}, "${op.kernel}");`,
    '}',
  ].join('\n')
}

// -> { path: text }
export function cFiles(ops, dtypes = new Map()) {
  const byName = new Map(ops.map((o) => [o.cname, o]))
  const nodes = nodeNames(ops)
  const files = { 'ops.h': opsHeader(ops, dtypes), 'impl.h': implHeader(ops) }
  const families = new Map()
  for (const op of ops) families.set(op.family, [...(families.get(op.family) ?? []), op])
  for (const [family, members] of families) {
    const body = []
    for (const op of members) {
      const plan = derivativePlan(op)
      if (op.pointwise && op.impl === 'generated') body.push(pointwiseImpl(op))
      if (plan) body.push(derivativeC(op, plan, nodes.get(op), byName))
      if (op.selfInplace) body.push(inplace(op, plan))
      else {
        body.push(functional(op, plan))
        if (op.inplace) body.push(inplace(op, plan))
      }
      if (op.out !== 'none') body.push(outForm(op))
    }
    files[`ops/${family}.c`] = `${HEADER}\n#include "ops/wrapper.h"\n#include "impl.h"\n\n${body.join('\n\n')}\n`
  }
  return files
}

export { defaultC, declare }
