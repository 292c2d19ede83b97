// From the scalar expressions of pointwise operators to C loops, one a dtype. Hot dtypes are compiled once an instruction set, the others
// and rare operators for the baseline alone; the table that joins them is compiled once an instruction set too.
import { walk } from './expression.mjs'
import { HEADER, SchemaBug } from './text.mjs'

// storage: the C type in memory; compute: the type of the expression; suffix: of the functions in engine/cpu/math.h.
const real = (name, c, suffix, cls) => ({ name, storage: c, compute: c, suffix, cls, load: (x) => x, store: (x) => `(${c})(${x})` })
export const DTYPES = [
  {
    ...real('bool', 'uint8_t', 'i', 'bool'),
    store: (x) => `(uint8_t)((${x}) != 0)`,
    load: (x) => `(uint8_t)(${x} != 0)`,
    hot: true,
    byte: true,
  },
  { ...real('uint8', 'uint8_t', 'i', 'int'), byte: true },
  { ...real('int8', 'int8_t', 'i', 'int'), byte: true },
  real('int16', 'int16_t', 'i', 'int'),
  { ...real('int32', 'int32_t', 'i', 'int'), hot: true },
  { ...real('int64', 'int64_t', 'i', 'int'), hot: true },
  real('uint16', 'uint16_t', 'i', 'int'),
  real('uint32', 'uint32_t', 'i', 'int'),
  real('uint64', 'uint64_t', 'i', 'int'),
  {
    name: 'float16',
    storage: 'uint16_t',
    compute: 'float',
    suffix: 'f32',
    cls: 'float',
    hot: true,
    half: true,
  },
  {
    name: 'bfloat16',
    storage: 'uint16_t',
    compute: 'float',
    suffix: 'f32',
    cls: 'float',
    hot: true,
    half: true,
    load: (x) => `tj__bfloat16_to_float(${x})`,
    store: (x) => `tj__float_to_bfloat16(${x})`,
  },
  { ...real('float32', 'float', 'f32', 'float'), hot: true },
  { ...real('float64', 'double', 'f64', 'float'), hot: true },
  real('complex64', 'float _Complex', 'c64', 'complex'),
  real('complex128', 'double _Complex', 'c128', 'complex'),
]
const BOOL = DTYPES[0]
const REAL_OF = { complex64: 'float32', complex128: 'float64' }
const CONSTANTS = {
  PI: 'M_PI',
  INF: 'INFINITY',
  NAN: 'NAN',
  true: '1',
  false: '0',
  M_PI: 'M_PI',
  M_E: 'M_E',
  M_LN2: 'M_LN2',
  M_LN10: 'M_LN10',
  M_SQRT2: 'M_SQRT2',
  M_SQRT1_2: 'M_SQRT1_2',
  M_2_SQRTPI: 'M_2_SQRTPI',
  M_LOG2E: 'M_LOG2E',
  M_LOG10E: 'M_LOG10E',
  M_1_PI: 'M_1_PI',
  M_2_PI: 'M_2_PI',
  M_PI_2: 'M_PI_2',
}

// Functions that depend on the dtype in memory: for those of 16 bits they have that dtype's name in the place of the suffix.
const OF_STORAGE = new Set(['nextafter'])

const isParameter = (a) => ['Scalar', 'float', 'int', 'bool'].includes(a.type.base) && !a.type.list
// The loop has names of its own.
const local = (name) => (['data', 'i', 'n', 'params', 'strides'].includes(name) ? `${name}_` : name)
export const pointwiseInputs = (op) => op.args.filter((a) => a.type.base === 'Tensor')
export const pointwiseParameters = (op) => op.args.filter(isParameter)

function expressionToC(e, d, op) {
  const known = new Set(op.args.map((a) => a.name))
  const T = d.compute
  const go = (n) => {
    switch (n.kind) {
      case 'number':
        return d.cls === 'int' || d.cls === 'bool' ? (Number.isInteger(n.value) ? `((${T})${n.text})` : n.text) : `((${T})${n.text})`
      case 'name':
        if (known.has(n.name)) return local(n.name)
        if (CONSTANTS[n.name]) return `((${T})${CONSTANTS[n.name]})`
        throw new SchemaBug(op, `the expression names '${n.name}', which is no argument`)
      case 'unary':
        return `(${n.op}${go(n.arg)})`
      case 'binary': {
        const l = go(n.left),
          r = go(n.right)
        if (d.cls === 'complex' && (n.op === '*' || n.op === '/')) return `${n.op === '*' ? 'mul' : 'div'}_${d.suffix}(${l}, ${r})`
        return d.cls === 'int' && ['+', '-', '*', '<<', '&', '|', '^'].includes(n.op)
          ? `((${T})(${l} ${n.op} ${r}))`
          : `(${l} ${n.op} ${r})`
      }
      case 'select':
        return `(${go(n.cond)} ? ${go(n.then)} : ${go(n.else)})`
      case 'call':
        return `${n.name}_${OF_STORAGE.has(n.name) && d.storage === 'uint16_t' && d.cls === 'float' ? d.name : d.suffix}(${n.args.map(go).join(', ')})`
      default:
        throw new SchemaBug(op, `a pointwise expression cannot hold a ${n.kind}`)
    }
  }
  return go(e)
}

function resultDtype(op, d) {
  if (op.rule === 'bool') return BOOL
  if (op.rule === 'real' && REAL_OF[d.name]) return DTYPES.find((x) => x.name === REAL_OF[d.name])
  return d
}

// Functions of vectors of 16 float32 numbers in engine/cpu/vector16.h. Expressions of these and of arithmetic get a loop over vectors.
const VECTOR16 = new Set(['exp', 'sigmoid', 'tanh', 'erf', 'normal_cdf'])
// Functions whose fast form NAME_near_SUFFIX is right for moderate arguments only, which tj__near_KIND_SUFFIX tells.
const NEAR = {
  sin: { kind: 'angle', of: ['f32', 'f64'] },
  cos: { kind: 'angle', of: ['f32', 'f64'] },
  tan: { kind: 'angle', of: ['f32'] },
  fmod: { kind: 'quotient', of: ['f32'] },
  remainder: { kind: 'quotient', of: ['f32'] },
  floor_divide: { kind: 'quotient', of: ['f32'] },
}

function vector16(op, d) {
  if (d.name !== 'float32') return null
  const inputs = new Set(pointwiseInputs(op).map((a) => a.name))
  let calls = 0,
    fits = true
  walk(op.pointwise.float, (n) => {
    if (n.kind === 'call') fits &&= VECTOR16.has(n.name) && !!++calls
    else if (n.kind === 'name') fits &&= inputs.has(n.name) || CONSTANTS[n.name] !== undefined
    else if (n.kind === 'binary') fits &&= ['+', '-', '*', '/'].includes(n.op)
    else fits &&= n.kind === 'number' || (n.kind === 'unary' && n.op === '-')
  })
  return fits && calls ? expressionToC(op.pointwise.float, { ...d, suffix: 'v16' }, op) : null
}

const loopName = (op, d) => `tj__pw_${op.cname}_${d.name}`

// float16 and bfloat16 take the way through float32's loop: see engine/cpu/halves.c. Plain arithmetic on contiguous bfloat16 has a loop of its
// own: conversion is a shift there, and the detour would cost a third.
const HALF_INPUTS = 4

// Plain arithmetic on contiguous float16: converted on the way, 16 at a time, where there are instructions for that.
function halfVectors(op, d) {
  const inputs = pointwiseInputs(op),
    params = pointwiseParameters(op),
    names = new Set()
  let fits = d.name === 'float16' && resultDtype(op, d) === d
  walk(op.pointwise.float, (n) => {
    if (n.kind === 'name') names.add(n.name)
    else if (n.kind === 'binary') fits &&= ['+', '-', '*', '/'].includes(n.op)
    else fits &&= n.kind === 'number' || (n.kind === 'unary' && n.op === '-')
  })
  const read = inputs.filter((x) => names.has(x.name))
  if (!fits || !read.length) return ''
  const step = (masked) => {
    const at = (k) => `(uint16_t *)data[${k}] + i`
    const load = (k) =>
      masked ? `_mm256_maskz_loadu_epi16(mask, ${at(k)})` : `_mm256_loadu_si256((const __m256i *)(const void *)(${at(k)}))`
    const loads = read.map((x) => `const __m512 ${local(x.name)} = _mm512_cvtph_ps(${load(inputs.indexOf(x) + 1)});`).join(' ')
    const value = `_mm512_cvtps_ph(${expressionToC(op.pointwise.float, d, op)}, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)`
    return `${loads} ${masked ? `_mm256_mask_storeu_epi16(${at(0)}, mask, ${value})` : `_mm256_storeu_si256((__m256i *)(void *)(${at(0)}), ${value})`};`
  }
  return `
#ifdef __AVX512F__
  if (${[0, ...inputs.map((_, i) => i + 1)].map((k) => `strides[${k}] == 2`).join(' && ')}) {
${params
  .filter((p) => names.has(p.name))
  .map((p) => `    const float ${local(p.name)} = TJ__PARAM_F32(${params.indexOf(p)});\n`)
  .join('')}    int64_t i = 0;
    for (; i + 16 <= n; i += 16) { ${step(false)} }
    if (i < n) { const __mmask16 mask = (__mmask16)((1u << (n - i)) - 1); ${step(true)} }
    return;
  }
#endif
 `
}

function halfLoop(op, d) {
  const inputs = pointwiseInputs(op).length
  if (inputs > HALF_INPUTS) throw new SchemaBug(op, `a pointwise operator takes at most ${HALF_INPUTS} tensors (TJ__HALF_INPUTS)`)
  const how = `.loop = TJ__ISA(${loopName(
    op,
    DTYPES.find((x) => x.name === 'float32'),
  )}), .dtype = TJ_${d.name.toUpperCase()}, .inputs = ${inputs}, .half_result = ${resultDtype(op, d) === d}`
  const detour = `TJ__ISA(tj__through_float32)(data, strides, n, params, (tj__half_loop){${how}});`
  let plain = d.load !== undefined
  walk(op.pointwise[d.cls], (e) => (plain &&= e.kind !== 'call' && e.kind !== 'select'))
  return plain ? loop(op, d, detour) : `TJ__LOOP(${loopName(op, d)}) {${halfVectors(op, d)} ${detour} }`
}

// `otherwise`: what to do with operands that are not contiguous, if not a loop over any strides.
function loop(op, d, otherwise = null) {
  const inputs = pointwiseInputs(op),
    params = pointwiseParameters(op),
    r = resultDtype(op, d)
  const names = new Set()
  walk(op.pointwise[d.cls], (n) => n.kind === 'name' && names.add(n.name))
  const expr = expressionToC(op.pointwise[d.cls], d, op)
  const used = params.filter((p) => names.has(p.name))
  const lines = [`TJ__LOOP(${loopName(op, d)}) {`]
  for (const p of used)
    lines.push(
      `  const ${d.compute} ${local(p.name)} = TJ__PARAM_${d.suffix === 'i' ? (d.cls === 'bool' ? 'BOOL' : 'INT') : d.suffix.toUpperCase()}(${params.indexOf(p)});`,
    )
  if (used.length === 0) lines.push('  (void)params;')
  // Of their own: a store of a byte could change what `data` points to, and the compiler would read that again for each element.
  lines.push(`  char *const at[] = {${[0, ...inputs.map((_, i) => i + 1)].map((k) => `data[${k}]`).join(', ')}};`)
  // Three ways through memory: all contiguous; contiguous beside operands that stand still (numbers, broadcast rows); any strides.
  const body = (index) => {
    const b = inputs
      .filter((a) => names.has(a.name))
      .map((a) => `const ${d.compute} ${local(a.name)} = ${d.load(index(inputs.indexOf(a) + 1, `const ${d.storage}`))};`)
    b.push(`${index(0, r.storage)} = ${r.store(expr)};`)
    return b.join(' ')
  }
  const size = (k) => `sizeof(${k === 0 ? r.storage : d.storage})`
  const contiguous = (k) => `strides[${k}] == (int64_t)${size(k)}`
  const strided = `for (int64_t i = 0; i < n; i++) { ${body((k, type) => `*(${type} *)(at[${k}] + i * strides[${k}])`)} }`
  // A rare operator is a call of a long function an element: the way through memory does not matter.
  if (op.rare) return [...lines, `  ${strided}`, '}'].join('\n')
  const all = [0, ...inputs.map((_, i) => i + 1)]
  lines.push(`  if (${all.map(contiguous).join(' && ')}) {`)
  const vector = vector16(op, d),
    near =
      d.cls === 'float' &&
      op.pointwise.float.kind === 'call' &&
      NEAR[op.pointwise.float.name]?.of.includes(d.suffix) &&
      NEAR[op.pointwise.float.name]
  // still: the operand that is one number
  const vectorLoop = (still) => {
    const loads = (masked) =>
      inputs
        .filter((x) => names.has(x.name))
        .map((x) => {
          const k = inputs.indexOf(x) + 1,
            at = `(const float *)at[${k}] + i`
          const load =
            k === still
              ? `_mm512_set1_ps(*(const float *)at[${k}])`
              : masked
                ? `_mm512_maskz_loadu_ps(mask, ${at})`
                : `_mm512_loadu_ps(${at})`
          return `const __m512 ${local(x.name)} = ${load};`
        })
        .join(' ')
    return [
      '#ifdef __AVX512F__',
      '    int64_t i = 0;',
      `    for (; i + 16 <= n; i += 16) { ${loads(false)} _mm512_storeu_ps((float *)at[0] + i, ${vector}); }`,
      `    if (i < n) { const __mmask16 mask = (__mmask16)((1u << (n - i)) - 1); ${loads(true)} _mm512_mask_storeu_ps((float *)at[0] + i, mask, ${vector}); }`,
      '#else',
    ]
  }
  if (vector) lines.push(...vectorLoop(0))
  // loads: the operands of element i
  const elements = (loads, result) => {
    const all = (from, to, text) => `for (int64_t i = ${from}; i < ${to}; i++) { ${loads} ${text} }`
    // Bytes from bytes: whole vectors, then one by one. Loops that find out more about n are several times as long, and there are very many.
    if (d.byte)
      return [
        '    int64_t from = 0;',
        `    for (; from + TJ__BYTES <= n; from += TJ__BYTES) { TJ__INDEPENDENT for (int64_t k = 0; k < TJ__BYTES; k++) { const int64_t i = from + k; ${loads} ${result} = ${r.store(expr)}; } }`,
        `    ${all('from', 'n', `TJ__ONE_BY_ONE; ${result} = ${r.store(expr)};`)}`,
      ]
    if (!near) return ['    TJ__INDEPENDENT', `    ${all('0', 'n', `${result} = ${r.store(expr)};`)}`]
    // Blocks in which an argument is large take the slow function.
    const { name, args } = op.pointwise.float
    const names = args.map((a) => local(a.name)).join(', ')
    return [
      '    for (int64_t from = 0; from < n; from += TJ__NEAR_BLOCK) {',
      '      const int64_t to = from + TJ__NEAR_BLOCK < n ? from + TJ__NEAR_BLOCK : n;',
      '      int far = 0;',
      `      ${all('from', 'to', `far |= !tj__near_${near.kind}_${d.suffix}(${names});`)}`,
      '      if (far) {',
      `        ${all('from', 'to', `${result} = ${r.store(expr)};`)}`,
      '        continue;',
      '      }',
      '      TJ__INDEPENDENT',
      `      ${all('from', 'to', `${result} = ${r.store(`${name}_near_${d.suffix}(${names})`)};`)}`,
      '    }',
    ]
  }
  const loads = (some) =>
    some
      .filter((x) => names.has(x.name))
      .map((x) => `const ${d.compute} ${local(x.name)} = ${d.load(`((const ${d.storage} *)at[${inputs.indexOf(x) + 1}])[i]`)};`)
      .join(' ')
  const result = `((${r.storage} *)at[0])[i]`
  if (d.byte && used.some((p) => p.name === 'alpha')) {
    const one = [`    const ${d.compute} alpha = 1;`, ...elements(loads(inputs), result)]
    lines.push('    if (alpha == 1) {', ...one, '    return; }')
  }
  lines.push(...elements(loads(inputs), result))
  if (vector) lines.push('#endif')
  // A loss beside one number is rare, and what it computes long.
  if (inputs.length === 2 && op.family !== 'loss') {
    for (const s of [1, 2]) {
      const o = 3 - s,
        a = inputs[s - 1].name
      if (!names.has(a)) continue
      const hoisted = `const ${d.compute} ${local(a)} = ${d.load(`*(const ${d.storage} *)at[${s}]`)};`
      lines.push(`  } else if (strides[${s}] == 0 && ${contiguous(0)} && ${contiguous(o)}) {`)
      if (vector) lines.push(...vectorLoop(s))
      lines.push(`    ${hoisted}`, ...elements(loads(inputs.filter((x) => x.name !== a)), result))
      if (vector) lines.push('#endif')
    }
  }
  lines.push('  } else {', `    ${otherwise ?? strided}`, '  }', '}')
  return lines.join('\n')
}

const PROLOGUE = `${HEADER}
#include "cpu/math.h"
#include "cpu/vector16.h"
#include "cpu/loop.h"
#include "cpu/special/special.h"
`

export const covered = (op, d) => op.pointwise[d.cls] !== undefined && (!op.dtypes || op.dtypes.includes(d.name))
// Bytes are hot where they are arithmetic: that is what images are made with.
function isHot(op, d) {
  let plain = !op.rare
  if (plain && d.byte && !d.hot)
    walk(op.pointwise[d.cls], (e) => {
      if (e.kind === 'call') plain &&= ['max', 'min', 'abs'].includes(e.name)
      if (e.kind === 'binary') plain &&= e.op !== '/' && e.op !== '%'
    })
  return plain && (!!d.hot || !!d.byte)
}
const byFamily = (ops) => [
  ...(Map.groupBy?.(ops, (o) => o.family) ?? ops.reduce((m, o) => m.set(o.family, [...(m.get(o.family) ?? []), o]), new Map())),
]

// -> { path: text }
export function pointwiseFiles(ops) {
  const pw = ops.filter((o) => o.pointwise)
  const files = {}
  files['pointwise_ids.h'] = `${HEADER}
#ifndef TJ__POINTWISE_IDS_H
#define TJ__POINTWISE_IDS_H
enum tj__pw {
${pw.map((o) => `  TJ__PW_${o.cname},\n`).join('')}  TJ__PW_COUNT
};
#endif
`
  for (const [family, list] of byFamily(pw)) {
    for (const hot of [true, false]) {
      const loops = list.flatMap((o) => {
        const of = DTYPES.filter((d) => covered(o, d) && isHot(o, d) === hot)
        return [...of.filter((d) => !d.half).map((d) => loop(o, d)), ...of.filter((d) => d.half).map((d) => halfLoop(o, d))]
      })
      files[`cpu/pointwise_${family}${hot ? '' : '_cold'}.c`] = `${PROLOGUE}\n${loops.join('\n\n')}\n`
    }
  }
  const entry = (o, d) => `[TJ_${d.name.toUpperCase()}] = ${isHot(o, d) ? `TJ__ISA(${loopName(o, d)})` : `${loopName(o, d)}_base`}`
  files['cpu/pointwise_table.c'] = `${HEADER}
#include "kernels/pointwise.h"
#include "kernels/backend.h"
#define F(name) void name(char *const *, const int64_t *, int64_t, const tj__params *);
${pw.flatMap((o) => DTYPES.filter((d) => covered(o, d)).map((d) => `F(${isHot(o, d) ? `TJ__ISA(${loopName(o, d)})` : `${loopName(o, d)}_base`})`)).join('\n')}
extern const tj__pointwise_kernels TJ__ISA(tj__cpu_pointwise);
const tj__pointwise_kernels TJ__ISA(tj__cpu_pointwise) = {.loops = {
${pw
  .map(
    (o) =>
      `  [TJ__PW_${o.cname}] = {${DTYPES.filter((d) => covered(o, d))
        .map((d) => entry(o, d))
        .join(', ')}},`,
  )
  .join('\n')}
}};
`
  return files
}
