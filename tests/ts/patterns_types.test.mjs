// The compiler and the engine read patterns alike: programs made up at random, whose shapes at compile time have to be those at run time, and
// which both have to refuse or both to take.
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import torch, { $ } from 'torch.js'
import { describe, pattern } from '../types/compiler.mjs'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..')
const PROGRAMS = Number(process.env['TORCHJS_PROGRAMS'] ?? 60) // of each kind

let seed = 11
const next = (n) => {
  seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
  return (seed >>> 8) % n
}
const pick = (list) => list[next(list.length)]
const shuffled = (list) => {
  const out = [...list]
  for (let i = out.length - 1; i > 0; i--) {
    const k = next(i + 1)
    ;[out[i], out[k]] = [out[k], out[i]]
  }
  return out
}
const zeros = (shape) => `torch.zeros([${shape.join(', ')}])`

// ---- programs: source text ---------------------------------------------------------------------------------------------

function grouped(list) {
  const groups = []
  for (let i = 0; i < list.length;) {
    const n = 1 + next(3)
    groups.push(list.slice(i, i + n))
    i += n
    if (next(6) === 0) groups.push([])
  }
  return groups
}
const patternText = (groups) =>
  groups.map((g) => (g.length === 1 && next(3) ? g[0] : g.length ? `(${g.join(' ')})` : pick(['1', '()']))).join(' ')
/** A fault in one of three programs: another character, a word too many or too few. */
function spoiled(text) {
  if (next(3)) return text
  const at = next(text.length + 1)
  return text.slice(0, at) + pick(['a', '(', ')', ' ... ', '2', '', '->', ' zz ', '_']) + text.slice(at + next(2))
}
function einops() {
  const axes = shuffled(['a', 'b', 'c', 'height', 'w_x']).slice(0, 1 + next(5))
  const sizes = Object.fromEntries(axes.map((a) => [a, 1 + next(5)]))
  const kind = pick(['rearrange', 'reduce', 'repeat'])
  const part = axes.slice(0, next(axes.length + 1))
  const left = grouped(kind === 'repeat' ? part : axes),
    right = grouped(shuffled(kind === 'reduce' ? part : axes))
  const shape = left.map((g) => g.reduce((n, a) => n * sizes[a], 1))
  const dots = next(4) === 0 ? [2, 3].slice(next(3)) : null
  const place = next(left.length + 1)
  const given = {}
  for (const g of left) g.slice(1).forEach((a) => (given[a] = sizes[a]))
  if (kind === 'repeat') for (const a of axes) if (!part.includes(a)) given[a] = sizes[a]
  if (next(8) === 0) given[pick(axes)] = 1 + next(6)
  if (next(8) === 0) delete given[pick(axes)]
  let l = patternText(left),
    r = patternText(right)
  if (dots) {
    l = [patternText(left.slice(0, place)), '...', patternText(left.slice(place))].filter(Boolean).join(' ')
    r = next(2) ? `${r} ...` : `(...) ${r}`
    shape.splice(place, 0, ...dots)
  }
  const pattern = spoiled(`${l} -> ${r}`)
  const reduction = kind === 'reduce' ? `'${pick(['sum', 'max', 'mean'])}', ` : ''
  return `torch.${kind}(${zeros(shape)}, '${pattern}', ${reduction}{ ${Object.entries(given)
    .map(([k, v]) => `${k}: ${v}`)
    .join(', ')} })`
}
function einsum() {
  const letters = shuffled([...'abCdz']).slice(0, 1 + next(5))
  const sizes = Object.fromEntries(letters.map((l) => [l, 1 + next(4)]))
  const operands = Array.from({ length: 1 + next(3) }, () => {
    const subs = Array.from({ length: next(4) }, () => pick(letters))
    const shape = subs.map((l) => (next(20) === 0 ? 1 + next(5) : sizes[l]))
    if (next(4) === 0) {
      const at = next(subs.length + 1)
      subs.splice(at, 0, '...')
      shape.splice(at, 0, ...[[], [1], [3], [2, 3]][next(4)])
    }
    return { text: subs.join(''), shape }
  })
  const used = shuffled([...new Set(operands.flatMap((o) => [...o.text.replace('...', '')]))])
  const output = next(3) ? `->${next(2) ? '...' : ''}${used.slice(0, next(used.length + 1)).join('')}` : ''
  const equation = spoiled(operands.map((o) => o.text).join(',') + output)
  return `torch.einsum('${equation}', ${operands.map((o) => zeros(o.shape)).join(', ')})`
}
function expression() {
  const shapes = { x: [2, 3], y: [3, 2], z: [1, 3], s: [] }
  const build = (depth) => {
    if (depth === 0) return next(5) ? pick(Object.keys(shapes)) : pick(['2', '0.5'])
    switch (next(8)) {
      case 0:
        return `relu(${build(depth - 1)})`
      case 1:
        return `transpose(${pick(['x', 'y', 'z'])}, 0, ${pick(['1', '-1'])})`
      case 2:
        return `-${build(depth - 1)}`
      case 3:
        return `(${build(depth - 1)} > ${pick(['x', 'y', 's'])} ? ${build(depth - 1)} : ${build(depth - 1)})`
      case 4:
        return `${build(depth - 1)}[${pick(['0', '-1', '1'])}]`
      default:
        return `(${build(depth - 1)} ${pick(['+', '-', '*', '@', '@'])} ${build(depth - 1)})`
    }
  }
  const text = build(1 + next(3))
  const variables = [...new Set(text.match(/\b[xyzs]\b/g) ?? [])]
  return `$('${text}')({ ${variables.map((v) => `${v}: ${zeros(shapes[v])}`).join(', ')} })`
}
function at() {
  const shape = Array.from({ length: 1 + next(3) }, () => 1 + next(5))
  const bound = () => pick(['null', String(next(13) - 6)])
  const spec = () =>
    pick([
      () => String(next(9) - 4),
      () => 'null',
      () => `[${bound()}, ${bound()}]`,
      () => `[${bound()}, ${bound()}, ${pick([1, 2, -1, -2])}]`,
      () => "'newaxis'",
    ])()
  const specs = Array.from({ length: 1 + next(shape.length) }, spec)
  if (next(3) === 0) specs.splice(next(specs.length + 1), 0, "'...'")
  return `${zeros(shape)}.at(${specs.join(', ')})`
}

// Of several faults the compiler may name another one than the engine: it reads both sides of the arrow first, without spaces, and a word as a whole.
const several = (source) => /einsum.*(->[^']*(->|,)|\. [.\w]|\w \.)/.test(source) || /\b(true|false|null|pi|e|inf|nan)[\d.]/.test(source)

// ---- both sides ----------------------------------------------------------------------------------------------------------

const run = (source) => {
  try {
    return { shape: new Function('torch', '$', `return ${source}`)(torch, $).shape }
  } catch (e) {
    // What is no function here was no expression.
    if (e instanceof torch.TorchError || e instanceof TypeError) return { message: e.message }
    throw e
  }
}
const typeOf = (v) =>
  Array.isArray(v)
    ? `readonly [${v.map(typeOf).join(', ')}]`
    : v !== null && typeof v === 'object'
      ? `{ ${Object.entries(v)
          .map(([k, x]) => `readonly ${JSON.stringify(k)}: ${typeOf(x)}`)
          .join('; ')} }`
      : JSON.stringify(v)

test('shapes and refusals of random programs are those of the engine, and so are trees', () => {
  const lines = [
    `import torch, { $, type tx } from 'torch.js'`,
    `type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false`,
    `type Refused<T> = T extends { readonly __isShapeError: true } ? true : [T] extends [never] ? false : 'taken, where the engine refuses'`,
    `declare function is<T extends true>(): T`,
  ]
  const checks = new Map() // line -> what it says
  const messages = new Map() // name -> what the engine says, and of what
  const counts = { taken: 0, refused: 0 }
  for (const make of [einops, einsum, expression, at])
    for (let k = 0; k < PROGRAMS; k++) {
      const source = make()
      const { shape, message } = run(source)
      counts[shape ? 'taken' : 'refused']++
      const name = `r${lines.length}`
      const of = shape ? `Equal<(typeof ${name})['shape'], readonly [${shape.join(', ')}]>` : `Refused<typeof ${name}>`
      if (message) messages.set(name, { message, source })
      checks.set(lines.length, `${source}: ${shape ? `[${shape.join(', ')}]` : 'refused'} by the engine`)
      // A call of what is no function is a mistake at that place.
      lines.push(`const ${name} = ${source}; is<${of}>()`)
    }
  const words = [
    'a',
    'b',
    '1',
    '2.5',
    '(',
    ')',
    '[',
    ']',
    ',',
    '?',
    ':',
    '+',
    '-',
    '*',
    '**',
    '//',
    '@',
    '<',
    '==',
    '&',
    '~',
    'f(',
    'f(a,k=',
    '.v',
    "'t'",
    ' ',
  ]
  const operands = ['a', '1', '-', '~', '(', 'f(x)', '[a]', 'c ?', 'f(k=1, j=a)', 'true']
  const operators = ['+', '*', '**', '//', '@', '<', '&', '|', '^', ')', ':', '[0]', '.v', ',']
  for (let k = 0; k < 3 * PROGRAMS; k++) {
    const text = Array.from({ length: 1 + next(9) }, (_, i) =>
      next(12) === 0 ? pick(words) : i % 2 ? pick(operators) : pick(operands),
    ).join(pick(['', ' ']))
    let tree = null
    const name = `t${lines.length}`
    try {
      tree = $.parse(text)
    } catch (e) {
      assert.ok(e instanceof torch.TorchError)
      messages.set(name, { message: e.message, source: text })
    }
    counts[tree ? 'taken' : 'refused']++
    const type = `tx.ParseExprPattern<${JSON.stringify(text)}>`
    checks.set(lines.length, `the tree of ${text}: ${tree ? JSON.stringify(tree) : 'refused'} by the engine`)
    lines.push(`const ${name} = null! as ${type}; is<${tree ? `Equal<${type}, ${typeOf(tree)}>` : `Refused<${type}>`}>()`)
  }
  assert.ok(counts.taken > PROGRAMS && counts.refused > PROGRAMS / 2, JSON.stringify(counts))

  const dir = join(ROOT, 'build/patterns')
  mkdirSync(dir, { recursive: true })
  const file = join(dir, 'programs.ts')
  writeFileSync(file, lines.join('\n'))
  const config = ts.getParsedCommandLineOfConfigFile(
    join(ROOT, 'tests/types/tsconfig.json'),
    {},
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => {} },
  )
  const program = ts.createProgram([file], { ...config.options, noUnusedLocals: false })
  const found = program
    .getSemanticDiagnostics(program.getSourceFile(file))
    .concat(program.getSyntacticDiagnostics(program.getSourceFile(file)))
  const faults = new Set()
  for (const d of found) {
    const { line } = d.file.getLineAndCharacterOfPosition(d.start)
    const says = ts.flattenDiagnosticMessageText(d.messageText, ' ')
    // `$('x @')({ x })`: the error is no function, and that is what the compiler says.
    if (/not callable/.test(says) && /refused/.test(checks.get(line) ?? '')) continue
    faults.add(`${checks.get(line)}\n    ${lines[line]}\n    ${says}`)
  }
  assert.deepEqual([...faults], [])

  // What both refuse they refuse in the same words, which may go on in the engine's: it knows positions and tensors.
  const checker = program.getTypeChecker()
  const other = []
  const visit = (node) => {
    const said = ts.isVariableDeclaration(node) && messages.get(node.name.text)
    const told = said && describe(ts, checker, checker.getTypeAtLocation(node.name))
    if (told?.error && !several(said.source)) {
      counts.worded = (counts.worded ?? 0) + 1
      if (!told.message.some((m) => m === 'string' || pattern(m, true).test(said.message)))
        other.push(`${said.source}\n    engine: ${said.message}\n    compiler: ${told.error}: ${told.message.join(' | ')}`)
    }
    ts.forEachChild(node, visit)
  }
  visit(program.getSourceFile(file))
  assert.ok(counts.worded > PROGRAMS / 2, JSON.stringify(counts))
  assert.deepEqual(other, [])
})
