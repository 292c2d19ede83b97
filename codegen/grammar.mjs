// The grammar of the expression language and the functions that expressions may call: tables for the engine and types for the compiler.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { none } from './derivative.mjs'
import { HEADER } from './text.mjs'
import { variadicArg } from './typescript.mjs'
import { functionShapes } from './typescript-expression.mjs'

const TS_HEADER = '// Made from schema/ by codegen/. Changes belong there.'

/** schema/grammar/expression.yaml, with a number for each level: the conditional is 1, binary operators from 2 on. */
export function readGrammar(root) {
  const grammar = parse(readFileSync(join(root, 'schema/grammar/expression.yaml'), 'utf8'))
  const binary = grammar.binary.flatMap((level, i) =>
    Object.entries(level.operators).map(([text, name]) => ({ text, name, level: 2 + i, associates: level.associates })),
  )
  // Prefix operators stand between the level marked `prefix` and the one below it: half a step.
  const at = grammar.binary.findIndex((level) => level.prefix)
  const prefix = Object.entries(grammar.prefix).map(([text, name]) => ({ text, name, level: 1.5 + at }))
  return { ...grammar, binary, prefix }
}

// Levels as whole numbers, for C and for the compiler.
const whole = (level) => String(level * 2)

function grammarHeader(grammar, functions) {
  const byLength = [...grammar.binary].sort((a, b) => b.text.length - a.text.length)
  const constant = (v) => (v === null ? 'TJ__VALUE_NONE' : typeof v === 'boolean' ? 'TJ__VALUE_BOOL' : 'TJ__VALUE_FLOAT')
  return `${HEADER}
/* X(text, function, level, associates) of binary operators, the longer texts first; associates: 'l', 'r', or 'n' for not at all. */
#define TJ__BINARY_OPERATORS(X) ${byLength.map((o) => `X("${o.text}", ${o.name}, ${whole(o.level)}, '${o.associates[0]}')`).join(' ')}
/* X(text, function, level) of operators in front of their operand. */
#define TJ__PREFIX_OPERATORS(X) ${grammar.prefix.map((o) => `X("${o.text}", ${o.name}, ${whole(o.level)})`).join(' ')}
#define TJ__CONDITIONAL_LEVEL 2
/* X(word, kind, number) */
#define TJ__CONSTANTS(X) ${Object.entries(grammar.constants)
    .map(
      ([word, v]) =>
        `X("${word}", ${constant(v)}, ${v === null ? 0 : typeof v === 'boolean' ? Number(v) : v === 'inf' ? 'INFINITY' : 'NAN'})`,
    )
    .join(' ')}
#define TJ__FUNCTION_COUNT ${functions.length}
`
}

// ---- functions -----------------------------------------------------------------------------------------------------

/** All functions by full name, overloads in the order of the schema: [{ name, rank, op }], sorted by the last part, then by namespace. */
export function expressionFunctions(ops, grammar) {
  const rank = (namespace) => grammar.namespaces.indexOf(namespace)
  const list = []
  for (const op of ops) {
    if (rank(op.namespace) < 0 || op.selfInplace || op.returns.kind === 'void' || op.name.startsWith('_')) continue
    const own = [op.javascript ?? op.jsName, ...op.aliases.filter((a) => !a.includes('.') && !a.endsWith('_'))]
    for (const name of own) list.push({ name, rank: rank(op.namespace), op })
    for (const alias of op.aliases.filter((a) => a.includes('.'))) {
      const dot = alias.lastIndexOf('.')
      if (rank(alias.slice(0, dot)) >= 0) list.push({ name: alias.slice(dot + 1), rank: rank(alias.slice(0, dot)), op })
    }
  }
  return list.map((f, i) => ({ ...f, i })).sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.rank - b.rank || a.i - b.i))
}

const CODES = { Tensor: 'T', Scalar: 'S', int: 'i', float: 'f', bool: 'b', str: 's', ScalarType: 't', Device: 'd', Generator: 'g' }
const member = (t) =>
  t.list
    ? ({ Tensor: 'tensors', float: 'floats' }[t.base] ?? 'ints')
    : t.base === 'float' && t.optional
      ? 'scalar'
      : {
          Tensor: 'tensor',
          Scalar: 'scalar',
          int: 'i',
          float: 'f',
          bool: 'b',
          str: 's',
          ScalarType: 'dtype',
          Device: 'device',
          Generator: 'generator',
        }[t.base]

// The default of an argument as an initializer that is constant.
function initializer(arg) {
  const t = arg.type
  const v = arg.default
  const m = member(t)
  const number = (x) => (x === Infinity ? 'INFINITY' : x === -Infinity ? '-INFINITY' : String(Number(x)))
  if (v === null || !arg.hasDefault) {
    if (t.list) return `.${m} = {NULL, -1}`
    return none(arg) === 'TJ_NO_SCALAR' ? `.scalar = {.kind = TJ_SCALAR_NONE}` : `.${m} = ${none(arg)}`
  }
  if (t.list)
    return v.length === 0
      ? `.${m} = {NULL, 0}`
      : `.${m} = {(const ${t.base === 'float' ? 'double' : 'int64_t'}[]){${v.map(number).join(', ')}}, ${v.length}}`
  if (m === 'scalar')
    return typeof v === 'boolean'
      ? `.scalar = {.kind = TJ_SCALAR_BOOL, .i = ${Number(v)}}`
      : Number.isInteger(v) && t.base === 'Scalar'
        ? `.scalar = {.kind = TJ_SCALAR_INT, .i = ${v}}`
        : `.scalar = {.kind = TJ_SCALAR_FLOAT, .f = ${number(v)}}`
  if (t.base === 'str') return `.s = ${JSON.stringify(v)}`
  return `.${m} = ${number(v)}`
}

function functionsC(functions) {
  const ops = [...new Set(functions.map((f) => f.op))]
  const thunks = ops.map((op) => {
    const args = op.args.map((a, i) => `a[${i}].${member(a.type)}`)
    const kind = op.returns.kind
    const unused = op.args.length ? '' : '  (void)a;\n'
    if (kind === 'tuple')
      return `static bool call_${op.cname}(const tj__bound *a, tj__returned *r) {
${unused}  r->n = ${op.returns.items.length};
  return tj_${op.cname}(${[...args, ...op.returns.items.map((_, i) => `&r->tensors[${i}]`)].join(', ')}) == TJ_OK;
}`
    if (kind === 'list')
      return `static bool call_${op.cname}(const tj__bound *a, tj__returned *r) {
${unused}  return (r->list = tj_${op.cname}(${args.join(', ')})) != NULL;
}`
    if (kind === 'scalar')
      return `static bool call_${op.cname}(const tj__bound *a, tj__returned *r) {
${unused}  return (r->scalar = tj_${op.cname}(${args.join(', ')})).kind != TJ_SCALAR_NONE;
}`
    return `static bool call_${op.cname}(const tj__bound *a, tj__returned *r) {
${unused}  return (r->tensors[0] = tj_${op.cname}(${args.join(', ')})) != NULL;
}`
  })
  const tables = ops.map((op) => {
    const rest = variadicArg(op)
    const args = op.args.map((a) => {
      const flags = [
        a.type.list && 'TJ__ARG_LIST',
        a.type.optional && 'TJ__ARG_OPTIONAL',
        a.type.itemOptional && 'TJ__ARG_HOLES',
        a.hasDefault && 'TJ__ARG_DEFAULT',
        a.kwonly && 'TJ__ARG_KEYWORD',
        op.numbers.includes(a.name) && 'TJ__ARG_NUMBER',
        a === rest && 'TJ__ARG_VARIADIC',
      ].filter(Boolean)
      return `{"${a.name}", '${CODES[a.type.base]}', ${flags.join(' | ') || '0'}, ${a.type.list ? (a.type.size ?? 0) : 0}, {${initializer(a)}}}`
    })
    const fields = op.returns.kind === 'tuple' ? op.returns.items.map((i) => `"${i.name}"`).join(', ') : ''
    return `static const tj__function_argument args_${op.cname}[] = {${args.join(', ') || '{0}'}};${
      fields ? `\nstatic const char *const fields_${op.cname}[] = {${fields}};` : ''
    }`
  })
  const kinds = { tensor: 'T', tuple: 'M', list: 'L', scalar: 'S' }
  const rows = functions.map(
    ({ name, rank, op }) =>
      `  {"${name}", ${rank}, ${op.args.length}, args_${op.cname}, '${kinds[op.returns.kind]}', ${op.returns.kind === 'tuple' ? `fields_${op.cname}` : 'NULL'}, call_${op.cname}},`,
  )
  return `${HEADER}
#include <math.h>

#include "expr/functions.h"
#include "expression_grammar.h"
#include "ops.h"

${thunks.join('\n')}

${tables.join('\n')}

const tj__function tj__functions[] = {
${rows.join('\n')}
};
const int tj__function_count = TJ__FUNCTION_COUNT;
`
}

/** build/gen files. */
export function grammarFiles(ops, root) {
  const grammar = readGrammar(root)
  const functions = expressionFunctions(ops, grammar)
  return {
    'expression_grammar.h': grammarHeader(grammar, functions),
    'ops/expression_functions.c': functionsC(functions),
  }
}

/** ts/src/generated files. */
export function grammarTypes(ops, root) {
  const grammar = readGrammar(root)
  const union = (list) => list.map((t) => `'${t}'`).join(' | ')
  const record = (entries) => `{\n${entries.map(([k, v]) => `  ${/^\d+$/.test(k) ? k : `'${k}'`}: ${v}`).join('\n')}\n}`
  const texts = [...grammar.binary, ...grammar.prefix].map((o) => o.text)
  const lower = (level) => grammar.binary.filter((o) => whole(o.level) > level)
  const levels = [...new Set([...grammar.binary, ...grammar.prefix].map((o) => Number(whole(o.level))))].sort((a, b) => a - b)
  return {
    'grammar.ts': `${TS_HEADER}
// The tables of the expression language, as types.

/** Operators of two characters, and everything of one that is no part of a word. */
export type LongOperator = ${union([...new Set(texts.filter((t) => t.length === 2))])}
export type ShortToken = ${union([...new Set([...texts.filter((t) => t.length === 1), '(', ')', '[', ']', ',', '?', ':', '='])])}
/** The level of each binary operator: the higher, the tighter. */
export interface BinaryLevel ${record(grammar.binary.map((o) => [o.text, whole(o.level)]))}
/** Operators that do not follow one another on their level, and those that associate to the right. */
export type SingleOperator = ${union(grammar.binary.filter((o) => o.associates === 'none').map((o) => o.text))}
export type RightOperator = ${union(grammar.binary.filter((o) => o.associates === 'right').map((o) => o.text))}
export type Prefix = ${union(grammar.prefix.map((o) => o.text))}
/** The functions behind operators. */
export interface BinaryFunction ${record(grammar.binary.map((o) => [o.text, `'${o.name}'`]))}
export interface PrefixFunction ${record(grammar.prefix.map((o) => [o.text, `'${o.name}'`]))}
/** For each level: the operators that bind tighter, prefix operators as 'prefix' and their text. */
export interface Tighter ${record(
      levels.map((level) => [
        String(level),
        union([
          ...lower(level).map((o) => o.text),
          ...grammar.prefix.filter((o) => Number(whole(o.level)) > level).map((o) => `prefix${o.text}`),
        ]).replace(/^$/, 'never'),
      ]),
    )}
/** Words that are no variables. */
export interface Constant ${record(Object.entries(grammar.constants).map(([k, v]) => [k, typeof v === 'string' ? `'${v}'` : String(v)]))}
`,
    'expression_functions.ts': functionShapes(expressionFunctions(ops, grammar), grammar, TS_HEADER),
  }
}

/** site/reference/expressions.md */
export function grammarReference(ops, root) {
  const grammar = readGrammar(root)
  const code = (t) => `\`${t}\``
  const cell = (t) => code(t).replaceAll('|', '\\|')
  const rows = [
    ['`c ? a : b`', '`where`', 'right'],
    ...grammar.binary
      .reduce((out, o) => {
        const row = out.find((r) => r.level === o.level)
        if (row) row.ops.push(o)
        else out.push({ level: o.level, ops: [o], associates: o.associates })
        return out
      }, [])
      .sort((a, b) => a.level - b.level)
      .flatMap((r) => [
        ...(grammar.binary.find((o) => o.level === r.level && o.associates === 'right')
          ? [[grammar.prefix.map((o) => cell(`${o.text}x`)).join(' '), grammar.prefix.map((o) => code(o.name)).join(' '), 'in front']]
          : []),
        [
          r.ops.map((o) => cell(o.text)).join(' '),
          r.ops.map((o) => code(o.name)).join(' '),
          { none: 'not in chains' }[r.associates] ?? r.associates,
        ],
      ]),
    ['`f(x, dim=0)` `x[0]` `.values`', 'functions, items, results by name', 'behind'],
  ]
  const names = new Map()
  for (const { name, rank } of expressionFunctions(ops, grammar)) {
    const space = grammar.namespaces[rank]
    names.set(space, (names.get(space) ?? new Set()).add(name))
  }
  return {
    'expressions.md': `# Expressions

\`torch.$\` (in C: \`tj_expression_parse\`, \`tj_expression_evaluate\`) evaluates formulas that are written as texts. Shapes, dtypes and mistakes are known at compile time.

\`\`\`ts
const layer = $('relu(x @ w + b)') // parsed once
const y = layer({ x, w, b }) // Tensor<[32, 10]>
const z = $\`\${x} @ \${w} * 2\` // evaluated at once; its shape is found at run time
const lazy = $.lazy('x @ w').with({ x }) // values one after another
lazy.execute({ w })
\`\`\`

Operators, the loosest first:

| operators | calls | associates |
| --- | --- | --- |
${rows.map((r) => `| ${r.join(' | ')} |`).join('\n')}

Constants: ${Object.keys(grammar.constants).map(code).join(' ')}. Texts in quotes are for options, lists in brackets for sizes and tensors. Numbers count among themselves as
Python's do. Arguments stand by place or by name; functions with several results are followed by the name of one, \`max(x, 1).values\`, lists of tensors by a
number, \`split(x, 2)[0]\`. The functions of einops take sizes of axes by name: \`rearrange(x, '(h w) c -> h w c', h=2)\`. Every other name is a variable. The value of an
expression is a tensor, with its gradients. An error has the position in the text.

## Functions

${[...names]
  .sort()
  .map(([space, list]) => `### ${space}\n\n${[...list].map((n) => code(space === 'torch' ? n : `${space}.${n}`)).join(' ')}\n`)
  .join('\n')}`,
  }
}
