// Every derivative against small differences, and the derivative of the derivative: one row an operator in samples/*.mjs.
// An operator that has a derivative and no row fails by name.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import torch from '../../dist/index.js'
import { loadSchema } from '../../codegen/schema.mjs'
import { isFloat, isSpec, numbers, tensor } from './samples/specs.mjs'

const families = ['pointwise', 'views', 'reductions', 'products', 'indexing', 'nn', 'rest']
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
