// From the scalar expressions of pointwise operators to WGSL, for engine/webgpu: one expression for each class of dtype (bool, int, float, complex), of
// tensors x0, x1, ... and numbers s0, s1, ... bool is computed in i32. What calls a function that engine/webgpu/math.wgsl does not have is
// left out: the operator is then missing on the device, and says so.
import { readFileSync } from 'node:fs'
import { walk } from './expression.mjs'
import { pointwiseInputs, pointwiseParameters } from './pointwise.mjs'
import { HEADER, SchemaBug } from './text.mjs'

// long: int64, which the device keeps in 32 bits. Its arithmetic is that of int with functions that leave an error where a result does not fit.
const CLASSES = ['bool', 'int', 'float', 'complex', 'long']
const CHECKED = { '+': 'add_l', '-': 'sub_l', '*': 'mul_l', '/': 'trunc_divide_l' }
const CONSTANTS = {
  PI: Math.PI,
  true: 1,
  false: 0,
  M_PI: Math.PI,
  M_E: Math.E,
  M_LN2: Math.LN2,
  M_LN10: Math.LN10,
  M_SQRT2: Math.SQRT2,
  M_SQRT1_2: Math.SQRT1_2,
  M_2_SQRTPI: 2 / Math.sqrt(Math.PI),
  M_LOG2E: Math.LOG2E,
  M_LOG10E: Math.LOG10E,
  M_1_PI: 1 / Math.PI,
  M_2_PI: 2 / Math.PI,
  M_PI_2: Math.PI / 2,
}
// Of complex numbers with real results.
const REAL = new Set(['abs', 'angle'])
const COMPLEX = { '*': 'mul_c', '/': 'div_c', '==': 'eq_c', '!=': 'ne_c' }
const PREDICATES = new Set(['isnan', 'isinf', 'isfinite', 'signbit'])

// A hexadecimal literal has to be a float32 to the bit; coefficients are written with a digit or two more.
function rounded(code) {
  return code.replace(/0x([\da-f]+)\.([\da-f]*)p([-+]?\d+)f|0x([\da-f]+)p([-+]?\d+)f/g, (_, whole, fraction, e1, alone, e2) => {
    const value =
      alone !== undefined ? parseInt(alone, 16) * 2 ** Number(e2) : parseInt(whole + fraction, 16) * 2 ** (Number(e1) - 4 * fraction.length)
    return `${Math.fround(value)}f`
  })
}

// math.wgsl -> [{ name, code }]
export function wgslFunctions(file) {
  const code = rounded(readFileSync(file, 'utf8')).replace(/^\s*\/\/.*\n/gm, '')
  return code
    .split(/^(?=fn )/m)
    .filter((f) => f.startsWith('fn '))
    .map((f) => ({ name: /^fn (\w+)/.exec(f)[1], code: shortened(f) }))
}

// Without comments and the spaces that separate nothing; around - they do.
const shortened = (code) =>
  code
    .replace(/\s*\/\/.*$/gm, '')
    .replace(/\n\s*/g, '\n')
    .replace(/ *([,;:{}()+*=]) */g, '$1')

const numberText = (v, t) => {
  if (t === 'i') return String(v)
  const s = String(v)
  const real = /[.e]/.test(s) ? s : `${s}.0`
  return t === 'c' ? `vec2<f32>(${real}, 0.0)` : real
}

// -> { code, type: 'f' | 'i' | 'c' | 'b' }, or null
function translate(op, cls, functions) {
  const T = { float: 'f', complex: 'c' }[cls] ?? 'i'
  const wide = cls === 'long'
  const inputs = pointwiseInputs(op).map((a) => a.name)
  const params = pointwiseParameters(op).map((a) => a.name)
  let known = true
  const number = (e) => {
    if (T === 'c' && e.type !== 'c') return `vec2<f32>(${e.type === 'b' ? `select(0.0, 1.0, ${e.code})` : e.code}, 0.0)`
    return e.type === 'b' ? (T === 'f' ? `select(0.0, 1.0, ${e.code})` : `select(0, 1, ${e.code})`) : e.code
  }
  const truth = (e) =>
    e.type === 'b' ? e.code : T === 'c' ? `ne_c(${number(e)}, vec2<f32>())` : T === 'f' ? `ne_f(${e.code}, 0.0)` : `(${e.code} != 0)`
  const go = (n) => {
    switch (n.kind) {
      case 'number':
        if (T === 'i' && !Number.isInteger(n.value)) known = false
        return { code: numberText(n.value, T), type: T }
      case 'name':
        if (inputs.includes(n.name)) return { code: `x${inputs.indexOf(n.name)}`, type: T }
        if (params.includes(n.name)) return { code: `s${params.indexOf(n.name)}`, type: T }
        if (n.name === 'INF' || n.name === 'NAN') return { code: `${n.name.toLowerCase()}()`, type: 'f' }
        if (CONSTANTS[n.name] === undefined) throw new SchemaBug(op, `the expression names '${n.name}', which is no argument`)
        return { code: numberText(CONSTANTS[n.name], T), type: T }
      case 'unary': {
        const a = go(n.arg)
        if (n.op === '!') return { code: `(!${truth(a)})`, type: 'b' }
        if (wide && n.op === '-') return { code: `sub_l(0, ${number(a)})`, type: T }
        return { code: `(${n.op}${number(a)})`, type: T }
      }
      case 'binary': {
        const a = go(n.left)
        const b = go(n.right)
        if (n.op === '&&' || n.op === '||') return { code: `(${truth(a)} ${n.op} ${truth(b)})`, type: 'b' }
        if (['==', '!='].includes(n.op) && a.type === 'b' && b.type === 'b') return { code: `(${a.code} ${n.op} ${b.code})`, type: 'b' }
        if (T === 'c' && COMPLEX[n.op]) return { code: `${COMPLEX[n.op]}(${number(a)}, ${number(b)})`, type: /=/.test(n.op) ? 'b' : T }
        if (n.op === '!=' && T === 'f') return { code: `ne_f(${number(a)}, ${number(b)})`, type: 'b' }
        if (['==', '!=', '<', '<=', '>', '>='].includes(n.op)) return { code: `(${number(a)} ${n.op} ${number(b)})`, type: 'b' }
        // Compilers take x * 0 for 0, whatever x is.
        if (n.op === '*' && T === 'f' && n.right.kind === 'number' && n.right.value === 0)
          return { code: `zero_times_f(${number(a)})`, type: T }
        if (wide && CHECKED[n.op]) return { code: `${CHECKED[n.op]}(${number(a)}, ${number(b)})`, type: T }
        if (n.op === '/' && T === 'f') return { code: `div_f(${number(a)}, ${number(b)})`, type: T }
        return { code: `(${number(a)} ${n.op} ${number(b)})`, type: T }
      }
      case 'select': {
        const c = truth(go(n.cond))
        const a = go(n.then)
        const b = go(n.else)
        if (a.type === 'b' && b.type === 'b') return { code: `select(${b.code}, ${a.code}, ${c})`, type: 'b' }
        return { code: `select(${number(b)}, ${number(a)}, ${c})`, type: T }
      }
      case 'call': {
        const name = wide && functions.has(`${n.name}_l`) ? `${n.name}_l` : `${n.name}_${T}`
        if (!functions.has(name)) known = false
        return {
          code: `${name}(${n.args.map((a) => number(go(a))).join(', ')})`,
          type: PREDICATES.has(n.name) ? 'b' : T === 'c' && REAL.has(n.name) ? 'f' : T,
        }
      }
      default:
        throw new SchemaBug(op, `a pointwise expression cannot hold a ${n.kind}`)
    }
  }
  const e = go(op.pointwise[wide ? 'int' : cls])
  return known ? e : null
}

// The expression of op for a class of dtypes in WGSL, or null.
function wgslOf(op, cls, names) {
  const expression = op.pointwise[cls === 'long' ? 'int' : cls]
  if (expression === undefined) return null
  let list = false
  walk(expression, (n) => (list ||= n.kind === 'list'))
  return list ? null : translate(op, cls, names)
}

const REFUSED = ['float64', 'complex128', 'uint32', 'uint64']
const classOf = (dtype) => (dtype === 'bool' ? 'bool' : (/float|complex/.exec(dtype)?.[0] ?? 'int'))
const namesOf = (functions) => new Set(functions.map((f) => f.name))
/** The functions that a WGSL file defines, by name. */
export const wgslNames = (file) => namesOf(wgslFunctions(file))
// Of the dtypes that the cpu computes op in those that webgpu does: none where it has no kernel.
export function webgpuDtypes(op, dtypes, names) {
  const held = dtypes.filter((d) => !REFUSED.includes(d))
  if (!op.pointwise) return op.view ? held : op.webgpu === undefined ? [] : held.filter((d) => d !== 'complex64' || op.webgpuComplex)
  // Integers and bool are computed as floats where there is no expression of their own.
  return held.filter((d) => wgslOf(op, op.pointwise[classOf(d)] === undefined ? 'float' : classOf(d), names))
}

// -> { path: text }
export function wgslFiles(ops, file) {
  const functions = wgslFunctions(file)
  const names = namesOf(functions)
  const text = (s) => JSON.stringify(s)
  const rows = ops
    .filter((o) => o.pointwise)
    .map((o) => {
      const cells = CLASSES.map((cls, k) => {
        const e = wgslOf(o, cls, names)
        if (cls === 'long' && !/_l\(/.test(e?.code ?? '')) return null
        return e && `[${k}] = {${text(e.code)}, '${e.type}'}`
      }).filter(Boolean)
      const head = `.name = ${text(o.name)}, .inputs = ${pointwiseInputs(o).length}, .params = ${pointwiseParameters(o).length}, .rule = '${o.rule === 'bool' ? 'b' : 's'}'`
      return `  [TJ__PW_${o.cname}] = {${head}${cells.length ? `, .expressions = {${cells.join(', ')}}` : ''}},`
    })
  return {
    'webgpu.c': `${HEADER}
#include "webgpu/kernel.h"
#include "pointwise_ids.h"
const tj__wgsl_op tj__wgsl_ops[TJ__PW_COUNT] = {
${rows.join('\n')}
};
const tj__wgsl_function tj__wgsl_functions[] = {
${functions
  .map(
    (f) =>
      `  {${text(f.name)}, ${f.code
        .split('\n')
        .filter(Boolean)
        .map((l) => text(l + '\n'))
        .join('\n    ')}},`,
  )
  .join('\n')}
  {NULL, NULL},
};
const int tj__wgsl_function_count = ${functions.length};
`,
  }
}
