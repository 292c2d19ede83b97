// schema/shape_errors.yaml: errors of shapes, as types for the compiler and as texts for the engine.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { SchemaError } from './schema.mjs'

const FILE = 'schema/shape_errors.yaml'
const PLACE = /\{\{|\}\}|\{(\w+)(?::(int|text))?\}/g

export function loadShapeErrors(root) {
  const list = parse(readFileSync(join(root, FILE), 'utf8'))
  const byName = new Map()
  for (const e of list) {
    const fail = (message) => {
      throw new SchemaError(`${FILE}: ${e.error ?? JSON.stringify(e)}: ${message}`)
    }
    for (const key of Object.keys(e)) if (!['error', 'parameters', 'doc', 'wrong', 'right', 'texts', 'like'].includes(key)) fail(`unknown key '${key}'`)
    if (!/^\w+$/.test(e.error ?? '') || byName.has(e.error)) fail('a name is missing or appears twice')
    if (!e.doc || !Array.isArray(e.parameters)) fail("'doc' and 'parameters' are needed")
    if (!e.wrong || !e.right) fail("'wrong' and 'right', a call that is refused and one like it that is not, are needed")
    const like = e.like && byName.get(e.like)
    if (e.like && !like) fail(`'like' names no error above it`)
    const texts = e.texts ?? []
    if (!like && texts.length === 0) fail("'texts' or 'like' is needed")
    for (const text of texts)
      for (const [, name, kind] of text.matchAll(PLACE))
        if (name && !kind && !e.parameters.includes(name))
          fail(`{${name}} is no parameter; {${name}:int} or {${name}:text} is what the engine knows`)
    byName.set(e.error, { ...e, texts, likeTexts: like ? like.texts : [] })
  }
  return [...byName.values()]
}

// A text as a template type: parameters stand as they are, the rest is any number or text.
function templateType(text, parameters) {
  const body = text.replace(/[`\\]/g, '\\$&').replace(PLACE, (m, name, kind) => {
    if (m === '{{' || m === '}}') return m[0]
    if (parameters.includes(name)) return `\${Written<${name}>}`
    return kind === 'text' ? '${string}' : '${number}'
  })
  return `\`${body}\``
}

export function shapeErrorTypes(errors) {
  const out = [
    '// Made from schema/shape_errors.yaml by codegen/. Changes belong there.',
    `import type { ShapeError, Written } from '../types/shape_error.js'`,
    '',
  ]
  for (const e of errors) {
    const texts = [...e.texts, ...e.likeTexts]
    const generics = e.parameters.length ? `<${e.parameters.join(', ')}>` : ''
    out.push(
      `/**`,
      ` * ${e.doc}`,
      ' *',
      ` *     ${e.wrong} // refused`,
      ` *     ${e.right}`,
      ' */',
      `export interface ${e.error}${generics} extends ShapeError {`,
      `  readonly error: '${e.error}'`,
      `  readonly parameters: readonly [${e.parameters.join(', ')}]`,
      `  readonly message: ${texts.map((t) => templateType(t, e.parameters)).join(' | ')}`,
      '}',
      '',
    )
  }
  return out.join('\n')
}

// The texts as printf formats: int is %lld (a long long), text is %s.
export function shapeErrorHeader(errors) {
  const format = (text, parameters) =>
    text
      .replace(/[\\"]/g, '\\$&')
      .replace(/%/g, '%%')
      .replace(PLACE, (m, name, kind) =>
        m === '{{' || m === '}}' ? m[0] : kind === 'text' || (/^Device/.test(name) && parameters.includes(name)) ? '%s' : '%lld',
      )
  const lines = errors.flatMap((e) =>
    e.texts.filter((t) => t !== '{text:text}').map((t, i) => `#define TJ__TEXT_${e.error}_${i + 1} "${format(t, e.parameters)}"`),
  )
  return `/* Made from schema/shape_errors.yaml by codegen/. Changes belong there. %lld takes a long long, %s a text. */\n#ifndef TJ__SHAPE_ERRORS_H\n#define TJ__SHAPE_ERRORS_H\n${lines.join('\n')}\n#endif\n`
}
