// The table of README.md that says what is there: operators from the schema, classes from the names that pass recorded cases of PyTorch
// (tests/golden/passed.txt), and what these still miss by name (tests/golden/missing.txt).
import { SchemaError } from './schema.mjs'

const BEGIN = '<!-- made by node codegen/main.mjs --readme -->'
const END = '<!-- end -->'
// Operators, by namespace and the beginning of their recorded names. Those that are no operators of the schema are counted as recorded.
const SPACES = [
  ['torch', 'operators of `torch` and `Tensor`', ''],
  ['nn.functional', 'operators of `torch.nn.functional`', 'nn.functional.'],
  ['linalg', 'operators of `torch.linalg`', 'linalg.'],
  ['fft', 'operators of `torch.fft`', 'fft.'],
  ['special', 'operators of `torch.special`', 'special.'],
  ['signal', 'functions of `torch.signal`', 'signal.'],
  ['masked', 'functions of `torch.masked`', 'masked.'],
]
const CLASSES = [
  ['module', 'modules of `torch.nn`', 'nn.'],
  ['optim', 'optimizers of `torch.optim`', 'optim.'],
  ['sched', 'schedulers of `torch.optim.lr_scheduler`', 'lr_scheduler.'],
]
// Groups of cases that stand for a part as a whole.
const PARTS = { dist: 'distributions', serialization: 'checkpoints (`save`, `load`)' }

const byGroup = (text) => {
  const groups = {}
  for (const line of text.split('\n').filter(Boolean)) {
    const [group, name] = line.split(' ')
    ;(groups[group] ??= []).push(name)
  }
  return groups
}
const listed = (names) => names.map((n) => `\`${n}\``).join(' ')

function table(ops, passed, missing) {
  const rows = []
  const named = (groups, group, prefix) =>
    (groups[group] ?? [])
      .filter((n) => (prefix ? n.startsWith(prefix) : !SPACES.some(([, , p]) => p && n.startsWith(p))))
      .map((n) => n.slice(prefix.length))
  for (const [space, title, prefix] of SPACES) {
    const names = new Set(ops.filter((o) => o.namespace === space).map((o) => o.name))
    // `special.expit` is an alias in another namespace.
    for (const o of ops)
      for (const a of o.aliases) {
        const dot = a.lastIndexOf('.')
        if ((dot < 0 ? o.namespace : a.slice(0, dot)) === space) names.add(a.slice(dot + 1))
      }
    rows.push([title, names.size || named(passed, 'op', prefix).length, listed(named(missing, 'op', prefix))])
  }
  for (const [group, title, prefix] of CLASSES)
    rows.push([title, named(passed, group, prefix).length, listed(named(missing, group, prefix))])
  for (const [group, title] of Object.entries(PARTS)) if (missing[group]) rows.push([title, '', 'all of it'])
  return `| | there | of the recorded names, missing |\n| --- | --- | --- |\n${rows.map((r) => `| ${r.join(' | ')} |`.replace(/ {2,}/g, ' ')).join('\n')}`
}

/** README.md with its table made anew. */
export function readmeText(readme, ops, passed, missing) {
  const from = readme.indexOf(BEGIN),
    to = readme.indexOf(END)
  if (from < 0 || to < from) throw new SchemaError(`README.md: the table belongs between '${BEGIN}' and '${END}'`)
  return `${readme.slice(0, from)}${BEGIN}\n\n${table(ops, byGroup(passed), byGroup(missing))}\n\n${readme.slice(to)}`
}
