// The calls that both bindings share: one thunk a form of an operator, which reads its arguments from the buffer (bindings/common/calls.h), calls
// the operator and writes the result.
import { forms, outArguments } from './c.mjs'
import { HEADER } from './text.mjs'

// The forms that JavaScript can call, in the order of their indices.
export const callTable = (ops) => ops.filter((o) => o.namespace !== 'internal').flatMap(forms)

function read(arg) {
  const t = arg.type,
    n = arg.name
  if (t.list) {
    if (t.base === 'Tensor') return `tj_tensors ${n} = tj__read_${t.itemOptional ? 'optional_' : ''}tensors(h);`
    return t.base === 'float' ? `tj_floats ${n} = tj__read_floats(h);` : `tj_ints ${n} = tj__read_ints(h);`
  }
  return {
    Tensor: `tj_tensor *${n} = tj__read_${t.optional ? 'optional_' : ''}tensor(h);`,
    Scalar: `tj_scalar ${n} = tj__read_scalar(h);`,
    int: `int64_t ${n} = tj__read_int(h);`,
    float: t.optional ? `tj_scalar ${n} = tj__read_scalar(h);` : `double ${n} = tj__read_float(h);`,
    bool: t.optional ? `int ${n} = tj__read_optional_bool(h);` : `bool ${n} = tj__read_bool(h);`,
    str: `const char *${n} = tj__read_string(h);`,
    ScalarType: `tj_dtype ${n} = tj__read_dtype(h);`,
    Device: `tj_device ${n} = tj__read_device(h);`,
    Generator: `tj_generator *${n} = tj__read_generator(h);`,
  }[t.base]
}

function thunk({ op, form, cname }) {
  const lines = [`static double call_${cname}(tj__host *h) {`]
  if (form === 'out') lines.push(...outArguments(op).map((n) => `  tj_tensor *${n} = tj__read_tensor(h);`))
  for (const a of op.args) lines.push(`  ${read(a)}`)
  lines.push(`  if (h->failed) return ${op.returns.kind === 'list' ? -1 : 0};`)
  const args = op.args.map((a) => a.name)
  const self = form === 'inplace' || op.selfInplace
  const kind = op.returns.kind
  if (form === 'out' && kind === 'tuple')
    lines.push(`  return tj__return_status(h, tj_${cname}(${[...outArguments(op), ...args].join(', ')}));`)
  else if (form === 'out') lines.push(`  return tj__return_status(h, tj_${cname}(${['out', ...args].join(', ')}) ? TJ_OK : -1);`)
  else if (self) lines.push(`  return tj__return_status(h, tj_${cname}(${args.join(', ')}) ? TJ_OK : -1);`)
  else if (kind === 'tuple') {
    const items = op.returns.items
    lines.push(
      `  tj_tensor *results[${items.length}] = {NULL};`,
      `  tj_status status = tj_${cname}(${[...args, ...items.map((_, i) => `&results[${i}]`)].join(', ')});`,
      `  return tj__return_tuple(h, status, results, ${items.length});`,
    )
  } else
    lines.push(
      `  return tj__return_${{ tensor: 'tensor', list: 'list', scalar: 'scalar', void: 'status' }[kind]}(h, tj_${cname}(${args.join(', ')}));`,
    )
  lines.push('}')
  return lines.join('\n')
}

const argument = (a) =>
  `{"${a.name}", '${{ Tensor: 'T', Scalar: 'S', int: 'i', float: 'f', bool: 'b', str: 's', ScalarType: 't', Device: 'd', Generator: 'g' }[a.type.base]}', ` +
  `${Number(a.type.list)}, ${Number(a.type.optional)}, ${Number(a.type.itemOptional)}, ${a.type.size ?? 0}, ${Number(a.hasDefault)}, ${typeof a.default === 'string' ? `"${a.default}"` : 'NULL'}, ${Number([a.default].flat()[0]) || 0}}`

// What tests know of a call besides its index.
function form({ op, form, cname }) {
  const args = [
    ...(form === 'out'
      ? outArguments(op).map((name) => ({
          name,
          type: { base: 'Tensor', list: false, optional: false, itemOptional: false },
          hasDefault: false,
        }))
      : []),
    ...op.args,
  ]
  const result = form === 'functional' && !op.selfInplace ? op.returns.kind : 'self'
  const differentiable = (op.composite || (op.backward && op.backward !== 'none')) && form !== 'out' ? 1 : 0
  return `  {"${cname}", "${op.family}", ${args.length}, (const tj__argument[]){${args.map(argument).join(', ') || '{0}'}}, '${{ tensor: 'T', tuple: 'M', list: 'L', scalar: 'S', void: 'V', self: 'I' }[result]}', ${result === 'tuple' ? op.returns.items.length : 1}, ${differentiable}},`
}

export function callFiles(ops) {
  const table = callTable(ops)
  return {
    'forms.c': `${HEADER}
#include "tests/fuzz/forms.h"

const tj__form tj__forms[] = {
${table.map(form).join('\n')}
};
const int tj__form_count = ${table.length};
`,
    'calls.c': `${HEADER}
#include "bindings/common/calls.h"
#include "ops.h"

${table.map(thunk).join('\n\n')}

const tj__call tj__generated_calls[] = {
${table.map((f) => `  call_${f.cname},`).join('\n')}
};
const int tj__generated_call_count = ${table.length};
`,
  }
}
