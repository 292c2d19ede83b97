// Reference pages: one a family, from the schema and the dtypes that were found by calling each operator.
import { forms, signatureText } from './c.mjs'
import { dtypesText } from './dtypes.mjs'
import { webgpuDtypes } from './wgsl.mjs'

const code = (t) => `\`${t}\``

function callForms(op) {
  const names = [op.name, ...op.aliases.filter((a) => !a.includes('.'))]
  const elsewhere = op.aliases.filter((a) => a.includes('.')).map((a) => `torch.${a}`)
  const out = op.javascript ? [`torch.${op.javascript}`] : []
  const prefix = {
    torch: 'torch',
    'nn.functional': 'torch.nn.functional',
    special: 'torch.special',
    linalg: 'torch.linalg',
    fft: 'torch.fft',
  }[op.namespace]
  if (op.namespace !== 'internal' && op.function && !op.selfInplace) out.push(...names.map((n) => `${prefix}.${n === 'var' ? 'var_' : n}`))
  if (op.method || op.selfInplace) out.push(...names.map((n) => `Tensor.${n}`))
  out.push(...elsewhere)
  if (op.inplace) out.push(...names.map((n) => (op.method ? `Tensor.${n}_` : `${prefix}.${n}_`)))
  return out
}

// What runs where: one row a device.
function devices(op, known, wgsl) {
  if (!known) return ''
  const there = op.composite
    ? ['through its parts', 'through its parts']
    : [known.forward, known.derivative].map((d) => dtypesText(webgpuDtypes(op, d, wgsl)))
  return `\n| device | dtypes | dtypes with a derivative |\n| --- | --- | --- |\n| cpu | ${dtypesText(known.forward)} | ${dtypesText(known.derivative)} |\n| webgpu | ${there.join(' | ')} |\n`
}

function derivative(op) {
  if (op.composite) return 'through its parts'
  if (op.backward === 'none') return 'none: the result is not differentiable'
  if (!op.backward) return 'missing: asking for it is an error'
  return Object.keys(op.backward).map(code).join(', ')
}

function entry(op, dtypes, wgsl) {
  const title = op.overload ? `${op.name}.${op.overload}` : op.name
  const rows = [
    ['JavaScript', callForms(op).map(code).join(' ') || 'none: used by derivatives'],
    [
      'C',
      forms(op)
        .map((f) => code(`tj_${f.cname}`))
        .join(' '),
    ],
  ]
  if (op.dtype) rows.push(['dtype', code(op.dtype)])
  if (op.shape) rows.push(['shape', code(op.shape)])
  rows.push(['derivative', derivative(op)])
  if (op.errors) rows.push(['errors', op.errors])
  if (op.source) rows.push(['source', op.source])
  return `## ${title}\n\n${code(op.name + signatureText(op))}\n\n${op.doc}\n\n| | |\n| --- | --- |\n${rows.map(([k, v]) => `| ${k} | ${v.replaceAll('|', '\\|')} |`).join('\n')}\n${devices(op, dtypes.get(op.cname), wgsl)}`
}

// -> { path: text }
export function referenceFiles(ops, dtypes, wgsl) {
  const families = new Map()
  for (const op of ops) families.set(op.family, [...(families.get(op.family) ?? []), op])
  const files = {}
  const shown = (list) => list.filter((o) => o.namespace !== 'internal')
  for (const [family, list] of families)
    files[`${family}.md`] = `# ${family}\n\n${shown(list)
      .map((op) => entry(op, dtypes, wgsl))
      .join('\n')}`
  const rows = [...families].map(([family, list]) => {
    const open = shown(list),
      names = new Set(open.map((o) => o.name))
    const missing = open.filter((o) => !o.composite && o.backward === undefined && o.returns.kind === 'tensor').length
    return `| [${family}](${family}.md) | ${names.size} | ${open.length} | ${open.length - missing} |`
  })
  files['README.md'] = `# Operators

| family | names | overloads | of them differentiable, or said not to be |
| --- | --- | --- | --- |
${rows.join('\n')}

[Formulas as texts](expressions.md) call them by name.

All names: ${[...new Set(shown(ops).map((o) => o.name))].sort().map(code).join(' ')}
`
  return files
}
