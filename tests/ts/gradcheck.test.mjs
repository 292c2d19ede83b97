// Every derivative against small differences, and the derivative of the derivative: one row an operator in samples/*.mjs.
// An operator that has a derivative and no row fails by name.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import torch from '../../dist/index.js'
import { loadSchema } from '../../codegen/schema.mjs'
import { isFloat, isSpec, numbers, tensor } from './samples/specs.mjs'

const families = [
  'pointwise',
  'special',
  'views',
  'reductions',
  'products',
  'linalg',
  'indexing',
  'nn',
  'resample',
  'fft',
  'losses_and_networks',
  'copies_and_random',
]
const rows = Object.assign({}, ...(await Promise.all(families.map(async (f) => (await import(`./samples/${f}.mjs`)).default))))
const operators = loadSchema(new URL('../../schema/ops', import.meta.url).pathname)
const differentiable = operators.filter((op) => op.namespace !== 'internal' && (op.composite || (op.backward && op.backward !== 'none')))

test('every operator with a derivative has a row', () => {
  assert.deepEqual(
    differentiable.map((op) => op.cname).filter((n) => !rows[n]),
    [],
  )
  assert.deepEqual(
    Object.keys(rows).filter((n) => !operators.some((op) => op.cname === n)),
    [],
  )
})

// The helpers of derivatives are operators too, which no user calls: they have a derivative, and the rows reach it by way of second ones.
test('every helper of a derivative has a derivative or says why not', () => {
  const missing = operators.filter((op) => op.namespace === 'internal' && !op.composite && !op.backward)
  assert.deepEqual(
    missing.map((op) => op.cname),
    [],
  )
})

const { autograd } = torch

function caller(op) {
  const name = op.selfInplace || op.method ? op.name : op.jsName
  if (op.method) return (t, self, ...rest) => self[name](...rest)
  const space = op.namespace.split('.').reduce((o, k) => (k === 'torch' ? o : o[k]), torch)
  const f = space[name] ?? space[`${name}_`]
  return (t, ...args) => f(...args)
}

// A sample as a function of its tensors, the specs of these, and how an in-place form would be called.
function prepared(op, sample) {
  if (!Array.isArray(sample)) {
    const run = (...x) => {
      if (sample.random) torch.manual_seed(0)
      return sample.run(torch, ...x)
    }
    return { run, specs: sample.inputs, zero: sample.zero }
  }
  const options = sample.at(-1)
  const named =
    options !== null && typeof options === 'object' && !Array.isArray(options) && !isSpec(options)
      ? Object.keys(options).filter((k) => isSpec(options[k]))
      : []
  const specs = [...sample.filter(isSpec), ...named.map((k) => options[k])]
  const call = caller(op)
  const fill = (x) => {
    let at = 0
    const args = sample.map((a) => (isSpec(a) ? x[at++] : a))
    if (named.length) args[args.length - 1] = { ...options, ...Object.fromEntries(named.map((k) => [k, x[at++]])) }
    return args
  }
  const inplace =
    op.inplace && op.method && isSpec(sample[0])
      ? (...x) => {
          const [self, ...rest] = fill(x)
          return self.clone()[`${op.name}_`](...rest)
        }
      : null
  return { run: (...x) => call(torch, ...fill(x)), specs, inplace }
}

const outputs = (result) => (result instanceof torch.Tensor ? [result] : [...result])
const wanted = (t) => /^(float|bfloat|complex)/.test(t.dtype)

function check(run, inputs, where) {
  try {
    if (!inputs.some((t) => t.requires_grad)) return
    if (!torch.no_grad(() => outputs(run(...inputs)).some(wanted))) return
    autograd.gradcheck(run, inputs, { nondet_tol: 0 })
    const results = outputs(run(...inputs)).filter(wanted)
    if (results.some((t) => t.requires_grad)) autograd.gradgradcheck(run, inputs, { atol: 1e-4 })
  } catch (error) {
    error.message = `${where}: ${error.message}`
    throw error
  }
}

let complexRows = 0
for (const op of differentiable) {
  const samples = rows[op.cname] ?? []
  if (samples.length === 0) continue
  test(`${op.cname}: derivatives`, () => {
    torch.scope(() => {
      samples.forEach((sample, number) => {
        const { run, specs, zero, inplace } = prepared(op, sample)
        const make = (options) => specs.map((s, i) => tensor(torch, s, i + 1, options))
        if (zero) {
          const inputs = make()
          const results = outputs(run(...inputs)).filter((t) => t.requires_grad)
          const grads = autograd.grad(
            results,
            inputs.filter((t) => t.requires_grad),
            { grad_outputs: results.map((r) => torch.ones_like(r)) },
          )
          for (const g of grads) assert.ok([g.toArray()].flat(9).every((v) => v === 0))
          return
        }
        check(run, make(), `sample ${number}`)
        if (specs.some((s) => s.shape.length > 1)) check(run, make({ layout: 'transposed' }), `sample ${number}, transposed`)
        if (inplace) {
          const plain = torch.no_grad(() => run(...make()))
          const inputs = make()
          // The in-place form cannot make its argument larger.
          if (plain.dtype === inputs[0].dtype && plain.is_same_size(inputs[0])) check(inplace, inputs, `sample ${number}, in place`)
        }
        // Complex numbers, where the operator takes them at all.
        if (specs.some((s) => isFloat(s))) {
          const inputs = make({ dtype: 'complex128' })
          let takes = true
          try {
            torch.no_grad(() => run(...inputs.map((t) => t.detach())))
          } catch {
            takes = false
          }
          if (takes) {
            complexRows++
            check(run, inputs, `sample ${number}, complex`)
          }
        }
      })
    })
  })
}

// ---- NaN, infinities, zeros: no differences can be taken there ----------------------------------------------------

const SPECIAL = [NaN, Infinity, -Infinity, 0, -0, 1, -1, 0.5]
const pattern = (t) =>
  [t.to(/complex/.test(t.dtype) ? 'complex128' : 'float64').data()].map((d) =>
    Array.from(d, (v) => (Number.isNaN(v) ? 'nan' : v === Infinity ? '+' : v === -Infinity ? '-' : '.')).join(''),
  )[0]
// Where float32 has ends that float64 has not, or an integer is made of NaN.
const APART = new Set(['cauchy_', 'geometric_', 'log_normal_'])

test('gradients of NaN, infinities and zeros are those of float32', () => {
  const wrong = []
  torch.scope(() => {
    for (const op of differentiable) {
      for (const [number, sample] of (rows[op.cname] ?? []).entries()) {
        if (APART.has(op.cname) || op.family === 'linalg') continue
        const { run, specs } = prepared(op, sample)
        const at = (dtype) => {
          const inputs = specs.map((s, i) =>
            tensor(torch, s, i + 1, {
              dtype,
              values: isFloat(s) && !s.values ? numbers(s, 1).map((_, k) => SPECIAL[(k + i * 3) % 8]) : undefined,
            }),
          )
          try {
            const results = outputs(run(...inputs)).filter((t) => wanted(t) && t.requires_grad)
            const leaves = inputs.filter((t) => t.requires_grad)
            const grads =
              results.length && leaves.length
                ? autograd.grad(results, leaves, { grad_outputs: results.map((r) => torch.ones_like(r)), allow_unused: true })
                : []
            return [...results, ...grads].map((g) => (g ? pattern(g) : 'none')).join(' ')
          } catch (error) {
            return error.message
          }
        }
        const [wide, narrow] = [at('float64'), at('float32')]
        if (wide !== narrow && !/Double|complex|dtype/.test(`${wide}${narrow}`)) wrong.push(`${op.cname} ${number}: ${wide} | ${narrow}`)
      }
    }
  })
  assert.deepEqual(wrong, [])
})

// ---- facts: what PyTorch decides where there is no derivative ----------------------------------------------------

const gradient = (f, ...values) => {
  const inputs = values.map((v) => torch.tensor(v, { dtype: 'float64', requires_grad: true }))
  f(...inputs)
    .sum()
    .backward()
  return inputs.map((t) => t.grad?.toArray() ?? null)
}
const facts = {
  'abs, relu and their kin at 0': [(x) => x.abs().add(x.relu()).add(x.sign()), [[0]], [0]],
  'ties share the gradient of max and amax': [(x) => x.max().add(x.amax()), [[3, 3, 1]], [1, 1, 0]],
  'max along a dimension takes the first': [(x) => x.max(0).values, [[3, 3, 1]], [1, 0, 0]],
  'ties of maximum are shared': [(x) => torch.maximum(x, x.detach().clone()), [[2]], [0.5]],
  'clamp at its bounds': [(x) => x.clamp(0, 1), [[0, 1, -1, 2]], [1, 1, 0, 0]],
  'hardtanh at its bounds': [(x) => torch.nn.functional.hardtanh(x), [[1, -1, 0]], [0, 0, 1]],
  'norm of zeros': [(x) => x.norm(), [[0, 0]], [0, 0]],
  'prod with one zero and with two': [
    (x) => x.prod(1),
    [
      [
        [0, 2, 3],
        [0, 0, 3],
      ],
    ],
    [
      [6, 0, 0],
      [0, 0, 0],
    ],
  ],
  'sinc at 0': [(x) => torch.sinc(x), [[0]], [0]],
  'sorting ties keeps their order': [
    (x) => x.sort({ stable: true }).values.mul(torch.tensor([1, 2, 3], { dtype: 'float64' })),
    [[2, 2, 1]],
    [2, 3, 1],
  ],
  'x ** 0 at 0': [(x) => x.pow(0), [[0]], [0]],
  'embedding: padding has none, frequent rows less': [
    (w) => torch.nn.functional.embedding(torch.tensor([2n, 0n, 2n]), w, { padding_idx: 0, scale_grad_by_freq: true }),
    [[[1], [2], [3]]],
    [[0], [0], [1]],
  ],
  'to float32 and back': [(x) => x.float().double(), [[1 / 3]], [1]],
  // PyTorch's derivative by self lets through what was overwritten and drops the rest.
  'as_strided_scatter by self, as PyTorch has it': [
    (x) => torch.as_strided_scatter(x, torch.zeros(2, 2, { dtype: 'float64' }), [2, 2], [3, 1], 1),
    [[1, 1, 1, 1, 1, 1]],
    [0, 1, 1, 0, 1, 1],
  ],
}
for (const [name, [f, values, expected]] of Object.entries(facts)) test(name, () => assert.deepEqual(gradient(f, ...values)[0], expected))
