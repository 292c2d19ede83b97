// What samples are made of. A sample is the list of a call's arguments; a spec stands for a tensor, anything else is passed as it is.
//   R(2, 3)   float64, random between -2 and 2, no two elements alike; P: between 0.3 and 2.3; U: 0.05 to 0.95; S: -0.95 to 0.95; G: 1.1 to 3
//   V([..])   these numbers       K(spec)   the same without a gradient       I([..]) int64, B([..]) bool
// A sample that needs more than the call says so itself: { run: (torch, ...tensors) => outputs, inputs: [specs] }.
class Spec {
  constructor(kind, shape, values) {
    Object.assign(this, { kind, shape, values, grad: values === undefined })
  }
}
const sizes = (v) => (Array.isArray(v) ? [v.length, ...(v.length ? sizes(v[0]) : [])] : [])
const given = (kind, v, grad) => Object.assign(new Spec(kind, sizes(v), [v].flat(Infinity)), { grad })
export const R = (...shape) => new Spec('R', shape)
export const P = (...shape) => new Spec('P', shape)
export const U = (...shape) => new Spec('U', shape)
export const S = (...shape) => new Spec('S', shape)
export const G = (...shape) => new Spec('G', shape)
export const V = (v) => given('V', v, true)
export const I = (v) => given('I', v, false)
export const B = (v) => given('B', v, false)
export const K = (spec) => Object.assign(new Spec(spec.kind, spec.shape, spec.values), { grad: false })
export const isSpec = (x) => x instanceof Spec

const RANGES = { R: [-2, 2], P: [0.3, 2.3], U: [0.05, 0.95], S: [-0.95, 0.95], G: [1.1, 3] }
export const isFloat = (spec) => spec.kind in RANGES || spec.kind === 'V'

// Numbers of a spec; `seed` tells the tensors of one sample apart.
export function numbers(spec, seed) {
  const n = spec.shape.reduce((a, b) => a * b, 1)
  if (spec.values) return spec.values.map(Number)
  const [low, high] = RANGES[spec.kind]
  let state = (seed * 7919 + 17) >>> 0
  return Array.from({ length: n }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return low + (high - low) * (Math.floor(state / 4194304) / 1024) + (high - low) * 0.000437
  })
}

// The tensor: 'float64', 'float32' or 'complex128' where the spec is of real numbers. layout 'transposed': last dimension not the innermost.
export function tensor(torch, spec, seed, { dtype = 'float64', layout = 'contiguous', values } = {}) {
  if (spec.kind === 'I') return torch.tensor(spec.values.map(BigInt), { dtype: 'int64' }).reshape(spec.shape)
  if (spec.kind === 'B') return torch.tensor(spec.values.map(Boolean), { dtype: 'bool' }).reshape(spec.shape)
  const real = values ?? numbers(spec, seed)
  let t = torch.tensor(real, { dtype: dtype === 'float32' ? 'float32' : 'float64' }).reshape(spec.shape)
  if (dtype === 'complex128') {
    const other = numbers(spec.values ? new Spec('R', spec.shape) : spec, seed + 101)
    t = torch.complex(
      t,
      torch
        .tensor(
          other.map((v) => v * 0.6),
          { dtype: 'float64' },
        )
        .reshape(spec.shape),
    )
  }
  if (layout === 'transposed' && t.ndim > 1) t = t.transpose(0, -1).clone({ memory_format: 'contiguous_format' }).transpose(0, -1)
  return t.requires_grad_(spec.grad)
}
