// The shape rules of operators: `shape: matmul(self, other)` in the schema is MatmulShape<S, OtherS> of ts/src/types/shapes.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { title } from './text.mjs'

/** -> { call, args } | { name } | { literal } */
export function parseRule(text) {
  let at = 0
  const fail = (message) => {
    throw new Error(`${message} at column ${at + 1} of '${text}'`)
  }
  const space = () => {
    while (text[at] === ' ') at++
  }
  const expression = () => {
    space()
    const literal = /^(?:-?\d+|'[^']*'|true\b|false\b|null\b)/.exec(text.slice(at))
    if (literal) {
      at += literal[0].length
      return { literal: literal[0] }
    }
    const word = /^[A-Za-z_]\w*/.exec(text.slice(at))
    if (!word) fail('expected a rule, an argument or a number')
    at += word[0].length
    if (text[at] !== '(') return { name: word[0] }
    at++
    const args = []
    space()
    while (text[at] !== ')') {
      if (args.length && text[at++] !== ',') fail("expected ','")
      args.push(expression())
      space()
      if (at >= text.length) fail("expected ')'")
    }
    at++
    return { call: word[0], args }
  }
  const result = expression()
  space()
  if (at !== text.length) fail(`'${text.slice(at)}' follows the rule`)
  return result
}

/** The names of arguments that a rule speaks of. */
export const namesIn = (rule) => (rule.call ? rule.args.flatMap(namesIn) : rule.name ? [rule.name] : [])

/** The exported types of ts/src/types/shapes whose names end in Shape or Shapes. */
export function ruleTypes(root) {
  const dir = join(root, 'ts/src/types/shapes')
  const names = readdirSync(dir).flatMap((file) =>
    [...readFileSync(join(dir, file), 'utf8').matchAll(/^export type (\w+Shapes?)\b/gm)].map((m) => m[1]),
  )
  return new Set([...names, 'SameRank'])
}

/** The type of a rule, given the types of its arguments; pairs of broadcast's arguments are nested. */
export function ruleType(rule, typeOf, list = false) {
  if (rule.literal) return rule.literal
  if (rule.name) return typeOf(rule.name)
  if (rule.call === 'same') return ruleType(rule.args[0], typeOf)
  if (rule.call === 'scalar') return 'readonly []'
  // Written out: the editor would show the rule's name in place of the sizes.
  if (rule.call === 'vector') return `readonly [Count<${ruleType(rule.args[0], typeOf)}>]`
  if (rule.call === 'matrix') return `readonly [${rule.args.map((a) => ruleType(a, typeOf)).join(', ')}]`
  if (rule.call === 'broadcast' && rule.args.length > 2)
    return ruleType({ call: 'broadcast', args: [{ call: 'broadcast', args: rule.args.slice(0, -1) }, rule.args.at(-1)] }, typeOf)
  const name = typeName(rule.call, list)
  return rule.args.length ? `${name}<${rule.args.map((a) => ruleType(a, typeOf)).join(', ')}>` : name
}
// Rules whose types have names of their own.
const NAMES = { mm: 'Matmul2D', svd: 'SVD', lu: 'LU' }
export const typeName = (call, list) => `${NAMES[call] ?? title(call)}${list ? 'Shapes' : 'Shape'}`

/** Complaints about a rule: unknown rules and arguments. */
export function checkRule(rule, argNames, types, list) {
  if (rule.literal) return null
  if (rule.name) return argNames.includes(rule.name) ? null : `'${rule.name}' is no argument`
  if (!['same', 'scalar', 'vector', 'matrix'].includes(rule.call) && !types.has(typeName(rule.call, list)))
    return `no rule '${rule.call}': ts/src/types/shapes has no ${typeName(rule.call, list)}`
  for (const a of rule.args) {
    const bad = checkRule(a, argNames, types, false)
    if (bad) return bad
  }
  return null
}
