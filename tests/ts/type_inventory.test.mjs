// The types that users can name: each is exported, says what it is for, and has an example that compiles and is true.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import ts from 'typescript'
import { compile, compilerOptions, ROOT } from '../types/compiler.mjs'

const NAMES = readFileSync(join(ROOT, 'tests/types/exported_types.txt'), 'utf8').trim().split('\n')

const index = join(ROOT, 'dist/index.d.ts')
const program = ts.createProgram([index], compilerOptions(ts))
const checker = program.getTypeChecker()
const resolved = (s) => (s.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(s) : s)
const exported = new Map(
  checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(index))).map((s) => [s.name, resolved(s)]),
)
const isType = (s) => (s.flags & (ts.SymbolFlags.Interface | ts.SymbolFlags.TypeAlias | ts.SymbolFlags.Class)) !== 0
const docOf = (s) => ts.displayPartsToString(s.getDocumentationComment(checker))

test('every type of the list is exported', () => {
  assert.deepEqual(
    NAMES.filter((n) => !exported.has(n) || !isType(exported.get(n))),
    [],
  )
})

// ---- examples ------------------------------------------------------------------------------------------------------

/** A comment's examples: types and what they are, calls that are refused, and the other lines as a program. */
function examplesOf(doc) {
  const types = []
  const program = []
  const refused = []
  for (const line of doc.split('\n')) {
    const code = /^ {4}(.*)$/.exec(line)?.[1]
    const type = code && /^([A-Z]\w*<.*>)\s+\/\/ (.+)$/.exec(code)
    if (type) types.push([type[1], type[2]])
    else if (code?.endsWith('// refused')) refused.push(code.slice(0, -10).trim())
    else if (code) program.push(code)
    else
      for (const m of line.matchAll(/`([A-Z]\w*<[^`]*>)` is (?:`([^`]*)`|'([^']*)'|([\w-]+))/g))
        types.push([m[1], m[2] ?? (m[3] === undefined ? m[4] : `'${m[3]}'`)])
  }
  return { types, program, refused }
}
const qualified = (text) =>
  text.replace(/(?<![\w.'])([A-Za-z_]\w*)\b(?!')/g, (m, name) => (exported.has(name) && isType(exported.get(name)) ? `torch.${name}` : m))

test('every type has a purpose and an example that compiles and is true', () => {
  const lines = [
    `import torch from 'torch.js'`,
    `type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false`,
    `declare function is<T extends true>(): T`,
    `declare function fine<T>(value: T): T extends { readonly __isShapeError: true } ? never : 1`,
  ]
  const where = new Map()
  const put = (name, line) => {
    where.set(lines.length, name)
    lines.push(line)
  }
  const bare = []
  for (const name of NAMES) {
    const doc = docOf(exported.get(name))
    const { types, program, refused } = examplesOf(doc)
    if (!/^[^ ].{8,}/.test(doc) || types.length + program.length + refused.length === 0) bare.push(name)
    for (const [a, b] of types) put(name, `is<Equal<${qualified(a)}, ${qualified(b)}>>()`)
    // Errors: the refused call has this error as its type, the other none.
    for (const call of refused) put(name, `is<Equal<(typeof ${name})['error'], '${name}'>>(); const ${name} = ${call}`)
    if (refused.length > 0) for (const call of program) put(name, `{ const r: 1 = fine(${call}) }`)
    else if (program.length > 0) {
      put(name, `async function ${name}_example() {`)
      for (const line of program) put(name, line)
      put(name, '}')
    }
    const named = types.some(([a]) => a.startsWith(`${name}<`)) || refused.length > 0 || program.some((l) => l.includes(`torch.${name}`))
    if (!named) bare.push(`${name}: the example does not name it`)
  }
  assert.deepEqual(bare, [])
  const { errors } = compile(ts, { 'inventory_examples.ts': [...lines, 'export {}'].join('\n') })
  assert.deepEqual(
    [...errors].map(([at, messages]) => `${where.get(Number(at.split(':')[1]))}: ${lines[at.split(':')[1]]}\n  ${messages.join('\n  ')}`),
    [],
  )
})
