// schema/shape_errors.yaml: errors of shapes, as types for the compiler and as texts for the engine.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { SchemaError } from './schema.mjs'

const FILE = 'schema/shape_errors.yaml'
const PLACE = /\{\{|\}\}|\{(\w+)(?::(int|text))?\}/g
const KEYS = ['error', 'parameters', 'frame', 'doc', 'wrong', 'right', 'javascript', 'texts', 'like', 'reasons']

/** -> { errors, frames: name -> text } */
export function loadShapeErrors(root) {
  const list = parse(readFileSync(join(root, FILE), 'utf8'))
  const byName = new Map()
  const frames = new Map()
  for (const e of list) {
    const fail = (message) => {
      throw new SchemaError(`${FILE}: ${e.error ?? JSON.stringify(e)}: ${message}`)
    }
    if (e.frame && !e.error) {
      if (!/\{message\}/.test(e.text ?? '')) fail(`the text of a frame holds {message}`)
      frames.set(e.frame, e.text)
      continue
    }
    for (const key of Object.keys(e)) if (!KEYS.includes(key)) fail(`unknown key '${key}'`)
    if (!/^\w+$/.test(e.error ?? '') || byName.has(e.error)) fail('a name is missing or appears twice')
    if (!e.doc || !Array.isArray(e.parameters)) fail("'doc' and 'parameters' are needed")
    if (!e.wrong || !e.right) fail("'wrong' and 'right', a call that is refused and one like it that is not, are needed")
    if (e.frame && !frames.has(e.frame)) fail(`there is no frame '${e.frame}' above it`)
    const like = e.like && byName.get(e.like)
    if (e.like && !like) fail(`'like' names no error above it`)
    const texts = e.texts ?? []
    if (!like && texts.length === 0) fail("'texts' or 'like' is needed")
    for (const text of texts)
      for (const [, name, kind] of text.matchAll(PLACE))
        if (name && !kind && !e.parameters.includes(name))
          fail(`{${name}} is no parameter; {${name}:int} or {${name}:text} is what the engine knows`)
    for (const text of Object.values(e.reasons ?? {}))
      for (const [, name, kind] of text.matchAll(PLACE)) if (name && !kind) fail(`{${name}} of a reason needs :int or :text`)
    byName.set(e.error, { ...e, texts, likeTexts: like ? like.texts : [] })
  }
  return { errors: [...byName.values()], frames }
}

// A text as a template type: parameters stand as they are, the rest is any number or text.
function templateType(text, parameters, frame) {
  const inner = (t) =>
    t.replace(/[`\\]/g, '\\$&').replace(PLACE, (m, name, kind) => {
      if (m === '{{' || m === '}}') return m[0]
      if (parameters.includes(name)) return `\${Written<${name}>}`
      return kind === 'text' ? '${string}' : '${number}'
    })
  const [before, after] = frame ? frame.split('{message}').map(inner) : ['', '']
  return `\`${before}${inner(text)}${after}\``.replaceAll('\n', '\\n')
}

export function shapeErrorTypes({ errors, frames }) {
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
      `  readonly message: ${texts.map((t) => templateType(t, e.parameters, frames.get(e.frame))).join(' | ')}`,
      '}',
      '',
    )
  }
  return out.join('\n')
}

/** The reasons of parsers as types: what a reason does not know when the program is compiled is any number or text. */
export function reasonTypes({ errors }) {
  const out = [
    '// Made from schema/shape_errors.yaml by codegen/. Changes belong there.',
    `import type { Written } from '../types/shape_error.js'`,
    '',
  ]
  for (const e of errors)
    for (const [name, text] of Object.entries(e.reasons ?? {})) {
      const parameters = [...new Set([...text.matchAll(PLACE)].map((m) => m[1]).filter((p) => p && /^[A-Z]/.test(p)))]
      out.push(`export type ${name}${parameters.length ? `<${parameters.join(', ')}>` : ''} = ${templateType(text, parameters)}`)
    }
  return `${out.join('\n')}\n`
}

/** The texts that the package itself throws: functions of what stands in them. */
export function errorTexts({ errors }) {
  const out = ['// Made from schema/shape_errors.yaml by codegen/. Changes belong there.']
  for (const e of errors.filter((x) => x.javascript)) {
    e.texts.forEach((text, i) => {
      const name = `${e.error}${i > 0 ? `_${i + 1}` : ''}`
      const places = [...new Set([...text.matchAll(PLACE)].map((m) => m[1]).filter(Boolean))]
      const body = text
        .replace(/[`\\]/g, '\\$&')
        .replace(PLACE, (m, name) => (name ? `\${${name[0].toLowerCase()}${name.slice(1)}}` : m[0]))
      const names = places.map((n) => n[0].toLowerCase() + n.slice(1))
      out.push('', `export const ${name} = (${names.map((n) => `${n}: string`).join(', ')}): string =>`, `  \`${body}\``)
    })
  }
  return `${out.join('\n')}\n`
}

// The texts as printf formats: int is %lld (a long long), text is %s.
export function shapeErrorHeader({ errors, frames }) {
  const format = (text, parameters) =>
    text
      .replace(/[\\"]/g, '\\$&')
      .replace(/%/g, '%%')
      .replace(PLACE, (m, name, kind) =>
        m === '{{' || m === '}}'
          ? m[0]
          : kind === 'text' || name === 'message' || (/^Device/.test(name) && parameters.includes(name))
            ? '%s'
            : '%lld',
      )
      .replaceAll('\n', '\\n')
  const lines = [
    ...[...frames].map(([name, text]) => `#define TJ__TEXT_${name}_frame "${format(text, [])}"`),
    ...errors.flatMap((e) => [
      ...e.texts
        .map((t, i) => [t, i])
        .filter(([t]) => !/^\{\w+:text\}$/.test(t))
        .map(([t, i]) => `#define TJ__TEXT_${e.error}_${i + 1} "${format(t, e.parameters)}"`),
      ...Object.entries(e.reasons ?? {}).map(([name, t]) => `#define TJ__TEXT_${name} "${format(t, [])}"`),
    ]),
  ]
  return `/* Made from schema/shape_errors.yaml by codegen/. Changes belong there. %lld takes a long long, %s a text. */\n#ifndef TJ__SHAPE_ERRORS_H\n#define TJ__SHAPE_ERRORS_H\n${lines.join('\n')}\n#endif\n`
}
