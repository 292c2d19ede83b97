// gradcheck, gradgradcheck: derivatives against small differences, with PyTorch's defaults.
import { isComplexDType, isFloating } from '../dtype.js'
import { from_array } from '../creation.js'
import { TorchError } from '../runtime/errors.js'
import { Tensor } from '../tensor.js'
import { grad } from './backward.js'
import { enable_grad, no_grad } from './modes.js'
import { checkOptions, tensorList, type Tensors } from './lists.js'

export interface GradcheckOptions {
  /** Step of the differences. */
  readonly eps?: number
  readonly atol?: number
  readonly rtol?: number
  /** Throw (true) or return false. */
  readonly raise_exception?: boolean
  /** How much two runs of backward may differ. */
  readonly nondet_tol?: number
  /** Check that gradients of zero (not there) are taken. */
  readonly check_undefined_grad?: boolean
}
export interface GradgradcheckOptions extends GradcheckOptions {
  readonly gen_non_contig_grad_outputs?: boolean
  readonly grad_outputs?: Tensors | null
}

const KNOWN = ['eps', 'atol', 'rtol', 'raise_exception', 'nondet_tol', 'check_undefined_grad']

class Failed extends Error {}

const differentiable = (t: Tensor): boolean => isFloating(t.dtype) || isComplexDType(t.dtype)

type Fn = (...inputs: Tensor[]) => Tensors | readonly unknown[]

/** A tensor as flat numbers; a complex one as pairs. */
function flat(t: Tensor): Float64Array {
  return no_grad(() => {
    const wide = t.detach().to(isComplexDType(t.dtype) ? 'complex128' : 'float64')
    return (wide as Tensor).data() as Float64Array
  })
}

function outputsOf(fn: Fn, inputs: readonly Tensor[]): Tensor[] {
  const result = fn(...inputs)
  const list = result instanceof Tensor ? [result] : [...(result as Iterable<unknown>)]
  return list.filter((t): t is Tensor => t instanceof Tensor && differentiable(t))
}

/** Jacobian of real numbers: one row an input number, one column an output number (of all outputs). */
function numerical(fn: Fn, inputs: readonly Tensor[], which: number, eps: number): Float64Array[] {
  const input = inputs[which]!
  const complex = isComplexDType(input.dtype)
  const base = flat(input)
  const evaluate = (values: Float64Array): number[] =>
    no_grad(() => {
      const numbers = from_array(values, input.shape, { dtype: complex ? 'complex128' : 'float64' })
      const changed = input.detach().clone().copy_(numbers) as Tensor // with the strides of the input
      const args = inputs.map((t, i) => (i === which ? changed : t.detach()))
      return outputsOf(fn, args).flatMap((t) => Array.from(flat(t)))
    })
  return Array.from(base, (v, i) => {
    const up = Float64Array.from(base)
    const down = Float64Array.from(base)
    up[i] = v + eps
    down[i] = v - eps
    const a = evaluate(up)
    const b = evaluate(down)
    return Float64Array.from(a, (x, k) => (x - b[k]!) / (2 * eps))
  })
}

/** The same Jacobian by backward: the gradient of output number k is column k. A complex gradient is (d/dre, d/dim) of a real output. */
function analytical(fn: Fn, inputs: readonly Tensor[], which: number): { rows: Float64Array[]; outputs: Tensor[] } {
  const outputs = outputsOf(fn, inputs)
  const input = inputs[which]!
  const n = flat(input).length
  const columns: Float64Array[] = []
  for (const out of outputs) {
    const count = flat(out).length
    const complex = isComplexDType(out.dtype)
    for (let k = 0; k < count; k++) {
      if (!out.requires_grad) {
        columns.push(new Float64Array(n))
        continue
      }
      const seed = new Float64Array(count)
      seed[k] = 1
      const start = from_array(seed, out.shape, { dtype: complex ? 'complex128' : 'float64' }).to(out.dtype) as Tensor
      const [g] = grad([out], [input], { grad_outputs: [start], retain_graph: true, allow_unused: true }) as [Tensor | null]
      if (g && !g.is_same_size(input)) {
        throw new Failed(`Analytical gradient has incorrect size: expected [${input.shape.join(', ')}], but got [${g.shape.join(', ')}]`)
      }
      if (g && g.dtype !== input.dtype)
        throw new Failed(`Analytical gradient has incorrect dtype: expected ${input.dtype}, but got ${g.dtype}`)
      columns.push(g ? flat(g) : new Float64Array(n))
    }
  }
  const rows = Array.from({ length: n }, (_, i) => Float64Array.from(columns, (c) => c[i]!))
  return { rows, outputs }
}

const text = (rows: readonly Float64Array[]): string =>
  `[${rows.map((r) => `[${Array.from(r, (x) => x.toPrecision(6)).join(', ')}]`).join(',\n        ')}]`

function check(fn: Fn, inputs: readonly Tensor[], o: Required<GradcheckOptions>): void {
  const wanted = inputs.flatMap((t, i) => (t.requires_grad ? [i] : []))
  if (wanted.length === 0) {
    throw new TorchError(
      'gradcheck expects at least one input tensor to require gradient, but none of the them have requires_grad=True.',
      'ValueError',
    )
  }
  for (const i of wanted) {
    const t = inputs[i]!
    if (t.dtype !== 'float64' && t.dtype !== 'complex128') {
      console.warn(
        `Input #${i} requires gradient and is of dtype ${t.dtype}, which is fewer digits than the check needs: use float64 (or complex128) inputs.`,
      )
    }
    if (t.stride().some((s, d) => s === 0 && t.shape[d]! > 1)) {
      throw new TorchError(
        `The ${i}th input has a dimension with stride 0. gradcheck only supports inputs that are non-overlapping to be able to compute the numerical gradients correctly. You should call .contiguous on the input before passing it to gradcheck.`,
        'RuntimeError',
      )
    }
  }
  const outputs = outputsOf(fn, inputs)
  if (outputs.length === 0)
    throw new TorchError('gradcheck: the function has no output of a floating point or complex dtype', 'RuntimeError')
  const sizes = outputs.map((t) => flat(t).length)
  for (const i of wanted) {
    const expected = numerical(fn, inputs, i, o.eps)
    const { rows } = analytical(fn, inputs, i)
    const again = analytical(fn, inputs, i).rows
    let first = 0
    for (let k = 0; k < outputs.length; k++) {
      const cut = (list: readonly Float64Array[]): Float64Array[] => list.map((r) => r.subarray(first, first + sizes[k]!))
      const a = cut(rows)
      const n = cut(expected)
      const b = cut(again)
      a.forEach((row, r) =>
        row.forEach((x, c) => {
          if (Math.abs(x - b[r]![c]!) > o.nondet_tol) {
            throw new Failed(
              `Backward is not reentrant, i.e., running backward with same input and grad_output multiple times gives different values, although analytical gradient matches numerical gradient.The tolerance for nondeterminism was ${o.nondet_tol}.`,
            )
          }
          const y = n[r]![c]!
          const close = x === y || (Number.isNaN(x) && Number.isNaN(y)) || Math.abs(x - y) <= o.atol + o.rtol * Math.abs(y)
          if (!close) {
            throw new Failed(
              `Jacobian mismatch for output ${k} with respect to input ${i},\nnumerical:${text(n)}\nanalytical:${text(a)}\n` +
                `The largest difference that was met first is at input number ${r}, output number ${c}: ${y} numerically, ${x} by backward.`,
            )
          }
        }),
      )
      first += sizes[k]!
    }
    if (o.check_undefined_grad) checkUndefined(fn, inputs, i)
  }
}

/** Backward has to take zeros where no gradient reached an output. */
function checkUndefined(fn: Fn, inputs: readonly Tensor[], which: number): void {
  const outputs = outputsOf(fn, inputs).filter((t) => t.requires_grad)
  if (outputs.length === 0) return
  const zeros = outputs.map((t) => no_grad(() => t.detach().mul(0) as Tensor))
  const [g] = grad(outputs, [inputs[which]!], { grad_outputs: zeros, retain_graph: true, allow_unused: true }) as [Tensor | null]
  if (g && flat(g).some((x) => x !== 0 && !Number.isNaN(x))) {
    throw new Failed(
      'Expected backward function to handle undefined output grads. Please look at "Notes about undefined output gradients" in "tools/autograd/derivatives.yaml"',
    )
  }
}

/**
 * Compares the gradients of `fn` with small differences. Inputs should be float64 or complex128 and require gradients.
 * Throws a TorchError that shows both Jacobians (or returns false with `raise_exception: false`).
 */
export function gradcheck(fn: Fn, inputs: Tensors, options: GradcheckOptions = {}): boolean {
  checkOptions('gradcheck', options, KNOWN)
  const o = { eps: 1e-6, atol: 1e-5, rtol: 1e-3, raise_exception: true, nondet_tol: 0, check_undefined_grad: true, ...options }
  try {
    check(fn, tensorList(inputs, 'gradcheck', 'inputs'), o)
    return true
  } catch (error) {
    if (!(error instanceof Failed)) throw error
    if (!o.raise_exception) return false
    throw new TorchError(error.message, 'GradcheckError')
  }
}

/** gradcheck of the gradients themselves: second derivatives, with respect to the inputs and to the gradients of the outputs. */
export function gradgradcheck(fn: Fn, inputs: Tensors, options: GradgradcheckOptions = {}): boolean {
  checkOptions('gradgradcheck', options, [...KNOWN, 'grad_outputs', 'gen_non_contig_grad_outputs'])
  const { grad_outputs, gen_non_contig_grad_outputs: _unused, ...rest } = options
  const list = tensorList(inputs, 'gradgradcheck', 'inputs')
  const outputs = outputsOf(fn, list)
  const starts = grad_outputs ? tensorList(grad_outputs, 'gradgradcheck', 'grad_outputs') : outputs.map((t, k) => startOf(t, k))
  const second: Fn = (...args) => {
    const own = args.slice(0, list.length)
    const from = args.slice(list.length)
    const results = outputsOf(fn, own)
    const wanted = own.filter((t, i) => list[i]!.requires_grad)
    const used = results.flatMap((t, i) => (t.requires_grad ? [i] : []))
    const grads = grad(
      used.map((i) => results[i]!),
      wanted,
      { grad_outputs: used.map((i) => from[i]!), create_graph: true, allow_unused: true },
    ) as (Tensor | null)[]
    return grads.filter((g): g is Tensor => g !== null)
  }
  // Differences are taken of inputs without gradients; the gradient inside needs them.
  const recorded: Fn = (...args) =>
    second(...args.map((t, i) => (t.requires_grad || i >= list.length || !list[i]!.requires_grad ? t : t.requires_grad_())))
  const wrapped: Fn = (...args) => enable_grad(() => recorded(...args))
  return gradcheck(wrapped, [...list, ...starts], { check_undefined_grad: false, ...rest })
}

/** Fixed numbers of no special form, so that a failure is the same every time. */
function startOf(t: Tensor, k: number): Tensor {
  const complex = isComplexDType(t.dtype)
  const n = t.numel() * (complex ? 2 : 1)
  const values = Float64Array.from({ length: n }, (_, i) => 0.5 + Math.cos(1.7 * i + k))
  return (from_array(values, t.shape, { dtype: complex ? 'complex128' : 'float64' }).to(t.dtype) as Tensor).requires_grad_()
}
