// Recorded values to arguments of the public API, and the comparison of results with recorded ones.

// dtype -> [typed array over the bytes, numbers per element]
const ARRAYS = {
  bool: [Uint8Array, 1],
  uint8: [Uint8Array, 1],
  int8: [Int8Array, 1],
  int16: [Int16Array, 1],
  uint16: [Uint16Array, 1],
  int32: [Int32Array, 1],
  uint32: [Uint32Array, 1],
  int64: [BigInt64Array, 1],
  uint64: [BigUint64Array, 1],
  float16: [Uint16Array, 1],
  bfloat16: [Uint16Array, 1],
  float32: [Float32Array, 1],
  float64: [Float64Array, 1],
  complex64: [Float32Array, 2],
  complex128: [Float64Array, 2],
}
export const SUPPORTED_DTYPES = Object.keys(ARRAYS)
const BYTES = {
  bool: 1,
  uint8: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  float16: 2,
  bfloat16: 2,
  int32: 4,
  uint32: 4,
  float32: 4,
  int64: 8,
  uint64: 8,
  float64: 8,
  complex64: 8,
  complex128: 16,
}

// A case that needs something which is not there; counted as missing, by name.
export class Missing extends Error {
  constructor(name) {
    super(`missing: ${name}`)
    this.missing = name
  }
}
// A case that JavaScript's one number type cannot say (2.0 where PyTorch tells it from 2); counted apart.
export class Inexpressible extends Error {}

const wider = (dtype) => (/float/.test(dtype) ? 'float64' : /complex/.test(dtype) ? 'complex128' : dtype)

const number = (x) => (typeof x === 'number' ? x : { nan: NaN, inf: Infinity, '-inf': -Infinity }[x])

// Makes arguments of one case; tensors that share storage or identity do so again.
export class Builder {
  // wide: floating and complex numbers in 64 bits a part, to compute what is exact beside narrower dtypes
  constructor(torch, blob, wide = false) {
    this.wide = wide
    this.torch = torch
    this.blob = blob
    this.byId = new Map()
    this.storages = new Map()
    this.floatIntegers = 0
  }

  storage(flat) {
    return flat
  }

  tensor(d) {
    const { torch } = this
    if (!BYTES[d.dtype]) throw new Missing(`dtype ${d.dtype}`)
    if (d.id !== undefined && this.byId.has(d.id)) return this.byId.get(d.id)
    if (d.nodata) return { nodata: true, ...d }
    const key = d.shares !== undefined ? d.shares : d.id
    let flat = key !== undefined ? this.storages.get(key) : undefined
    if (!flat) {
      const [offset, length] = d.data
      const bytes = Uint8Array.from(this.blob.subarray(offset, offset + length))
      flat = this.storage(length === 0 ? torch.empty([0], { dtype: d.dtype }) : torch.frombuffer(bytes.buffer, { dtype: d.dtype }))
      if (key !== undefined) this.storages.set(key, flat)
    }
    let t = torch.as_strided(flat, d.shape, d.strides, d.offset).detach()
    if (this.wide) t = t.to(wider(d.dtype))
    if (d.param && d.shares !== undefined && this.byId.get(d.shares) instanceof torch.nn.Parameter) t = this.byId.get(d.shares)
    else if (d.param) t = new torch.nn.Parameter(t, { requires_grad: !!d.rg })
    else if (d.rg) t.requires_grad_(true)
    if (d.id !== undefined) this.byId.set(d.id, t)
    return t
  }

  value(v) {
    if (v === null || typeof v === 'boolean' || typeof v === 'string') return v
    if (typeof v === 'number') return v
    if (Array.isArray(v)) return v.map((x) => this.value(x))
    if ('tensor' in v) return this.tensor(v.tensor)
    if ('float' in v) {
      const x = number(v.float)
      if (Number.isInteger(x)) this.floatIntegers++
      return x
    }
    if ('int' in v) return BigInt(v.int)
    if ('complex' in v) return { re: number(v.complex[0]), im: number(v.complex[1]) }
    if ('tuple' in v) return v.tuple.map((x) => this.value(x))
    if ('size' in v) return v.size
    if ('dict' in v) return Object.fromEntries(v.dict.map(([k, x]) => [typeof k === 'string' ? k : JSON.stringify(k), this.value(x)]))
    if ('slice' in v) return { slice: v.slice.map((x) => this.value(x)) }
    if ('ellipsis' in v) return '...'
    if ('dtype' in v) {
      if (!BYTES[v.dtype]) throw new Missing(`dtype ${v.dtype}`)
      return this.wide ? wider(v.dtype) : v.dtype
    }
    if ('device' in v) return v.device
    if ('generator' in v) return new this.torch.Generator()
    if ('module' in v) return this.module(v)
    if ('memory_format' in v) {
      return v.memory_format
    }
    if ('layout' in v) {
      if (v.layout === 'strided') return undefined
      throw new Missing(`layout ${v.layout}`)
    }
    if ('function' in v) return lookup(this.torch, v.function)
    throw new Missing(Object.keys(v).join())
  }

  kwargs(k) {
    const out = {}
    for (const [name, v] of Object.entries(k)) {
      const x = this.value(v)
      if (name === 'pin_memory' && x === false) continue
      if (x !== undefined) out[name] = x
    }
    return out
  }

  module(v) {
    const Class = lookup(this.torch, v.module)
    return construct(
      Class,
      v.args.map((x) => this.value(x)),
      this.kwargs(v.kwargs),
    )
  }
}

export const construct = (Class, args, kwargs) => (Object.keys(kwargs).length ? new Class(...args, kwargs) : new Class(...args))
export const call = (f, args, kwargs) => (Object.keys(kwargs).length ? f(...args, kwargs) : f(...args))

// 'torch.nn.functional.relu' -> the function (bound to what holds it). Missing if any step of the path is not there.
export function lookup(torch, path) {
  const steps = path.replace(/^(torch\.)+/, '').split('.')
  let at = torch,
    holder = torch
  for (const s of steps) {
    holder = at
    at = at?.[s] ?? (at === torch || typeof at === 'object' ? at?.[`${s}_`] : undefined)
    if (at === undefined || at === null) throw new Missing(path.replace(/^torch\./, ''))
  }
  return typeof at === 'function' && !/^class\b/.test(Function.prototype.toString.call(at)) ? at.bind(holder) : at
}

// ---- comparison ----------------------------------------------------------------------------------------------------

export const TOLERANCE = {
  float64: [1e-7, 1e-9],
  float32: [1e-4, 1e-5],
  float16: [2e-2, 2e-3],
  bfloat16: [5e-2, 1e-2],
  complex64: [1e-4, 1e-5],
  complex128: [1e-7, 1e-9],
}

const half = (h) => {
  const s = h & 0x8000 ? -1 : 1,
    e = (h >> 10) & 31,
    m = h & 1023
  return e === 0 ? s * m * 2 ** -24 : e === 31 ? (m ? NaN : s * Infinity) : s * (1 + m / 1024) * 2 ** (e - 15)
}
const f32 = new Float32Array(1),
  u32 = new Uint32Array(f32.buffer)
const bfloat16 = (h) => ((u32[0] = h << 16), f32[0])

// Row-major numbers of a recorded tensor (complex: re, im alternating; integers as they are).
export function recordedNumbers(d, blob) {
  const [offset, length] = d.data
  const [Type, per] = ARRAYS[d.dtype]
  const bytes = Uint8Array.from(blob.subarray(offset, offset + length))
  const data = new Type(bytes.buffer)
  const n = d.shape.reduce((a, b) => a * b, 1),
    nd = d.shape.length,
    index = new Array(nd).fill(0),
    out = new Array(n * per)
  const get = d.dtype === 'float16' ? (i) => half(data[i]) : d.dtype === 'bfloat16' ? (i) => bfloat16(data[i]) : (i) => data[i]
  let p = d.offset
  for (let i = 0; i < n; i++) {
    for (let c = 0; c < per; c++) out[i * per + c] = get(p * per + c)
    for (let k = nd - 1; k >= 0; k--) {
      p += d.strides[k]
      if (++index[k] < d.shape[k]) break
      p -= d.strides[k] * d.shape[k]
      index[k] = 0
    }
  }
  return out
}

// Row-major numbers of a tensor of ours in the same form.
export function tensorNumbers(t) {
  const flat = t.detach().contiguous().data()
  const out = new Array(flat.length)
  const decode =
    t.dtype === 'float16' && flat instanceof Uint16Array
      ? half
      : t.dtype === 'bfloat16' && flat instanceof Uint16Array
        ? bfloat16
        : (x) => x
  for (let i = 0; i < out.length; i++) out[i] = decode(flat[i])
  return out
}

const near = (x, y, rtol, atol) =>
  x === y || (typeof y === 'number' && ((Number.isNaN(x) && Number.isNaN(y)) || Math.abs(x - y) <= atol + rtol * Math.abs(y)))

// '' when `got` is what was recorded, else what differs. options.exact: the same computed in float64, and the largest number of the call. Where
// rounding alone carries an element out of the tolerance, ours has to be as close to the exact value as PyTorch's result is at its worst element,
// and that one within the tolerance of the largest number.
export function differs(torch, got, expected, blob, options = {}) {
  const go = (g, e, path, x) => {
    if (e !== null && typeof e === 'object' && 'tensor' in e) {
      const d = e.tensor
      if (!BYTES[d.dtype]) throw new Missing(`dtype ${d.dtype}`)
      if (!(g instanceof torch.Tensor)) return `${path}: expected a tensor, got ${typeof g}`
      if (g.dtype !== d.dtype) return `${path}: dtype ${g.dtype}, expected ${d.dtype}`
      if (JSON.stringify([...g.shape]) !== JSON.stringify(d.shape)) return `${path}: shape [${g.shape}], expected [${d.shape}]`
      // Strides say something only where a dimension has more than one element and none is empty.
      if (options.strides && !d.shape.includes(0)) {
        const s = g.stride()
        if (d.shape.some((n, k) => n > 1 && s[k] !== d.strides[k])) return `${path}: strides [${s}], expected [${d.strides}]`
      }
      if (d.nodata) return ''
      const [rtol, atol] = options.tolerance ?? TOLERANCE[d.dtype] ?? [0, 0] // of integers and bools: exactly
      const a = tensorNumbers(g),
        b = recordedNumbers(d, blob)
      const exact = x instanceof torch.Tensor && x.numel() === g.numel() && TOLERANCE[x.dtype] ? tensorNumbers(x) : null
      const rounded = exact ? tensorNumbers(x.to(d.dtype)) : null
      const noise = exact ? Math.max(0, ...b.map((v, i) => (Number.isNaN(v) ? 0 : Math.abs(v - exact[i])))) : NaN
      // A recorded NaN that exact numbers do not have is rounding too: a difference of equal numbers that came out unequal.
      const closer = (i) =>
        Number.isNaN(b[i])
          ? near(a[i], rounded[i], rtol, atol)
          : noise <= atol + rtol * options.exact.largest && Math.abs(a[i] - exact[i]) <= noise
      for (let i = 0; i < b.length; i++) {
        if (!near(a[i], b[i], rtol, atol) && !(exact && closer(i))) return `${path}: element ${i} is ${a[i]}, expected ${b[i]}`
      }
      return ''
    }
    if (e === null) return g === null || g === undefined ? '' : `${path}: expected None`
    if (typeof e === 'boolean' || typeof e === 'string') return g === e ? '' : `${path}: ${String(g)}, expected ${e}`
    const list = Array.isArray(e) ? e : (e.tuple ?? e.size)
    if (list) {
      const items = g && typeof g[Symbol.iterator] === 'function' && !(g instanceof torch.Tensor) ? [...g] : null
      if (!items || items.length !== list.length)
        return `${path}: ${items ? `${items.length} items` : typeof g}, expected ${list.length} items`
      const exact = x && typeof x[Symbol.iterator] === 'function' && !(x instanceof torch.Tensor) ? [...x] : []
      for (const [i, v] of list.entries()) {
        const r = go(items[i], v, `${path}[${i}]`, exact[i])
        if (r) return r
      }
      return ''
    }
    if (typeof e === 'number') return Number(g) === e ? '' : `${path}: ${String(g)}, expected ${e}`
    if ('float' in e) return near(Number(g), number(e.float), 1e-5, 1e-7) ? '' : `${path}: ${String(g)}, expected ${e.float}`
    if ('int' in e) return BigInt(g) === BigInt(e.int) ? '' : `${path}: ${String(g)}, expected ${e.int}`
    if ('complex' in e)
      return near(g?.re, number(e.complex[0]), 1e-5, 1e-7) && near(g?.im, number(e.complex[1]), 1e-5, 1e-7)
        ? ''
        : `${path}: a complex number differs`
    if ('dtype' in e) return g === e.dtype ? '' : `${path}: ${String(g)}, expected ${e.dtype}`
    if ('dict' in e) {
      for (const [k, v] of e.dict) {
        const r = go(g?.[k], v, `${path}.${k}`, x?.[k])
        if (r) return r
      }
      return ''
    }
    throw new Missing(`value ${Object.keys(e).join()}`)
  }
  return go(got, expected, 'out', options.exact?.value)
}

// All tensors in a result, depth first.
export function tensorsIn(torch, v, out = []) {
  if (v instanceof torch.Tensor) out.push(v)
  else if (v && typeof v === 'object' && typeof v[Symbol.iterator] === 'function') for (const x of v) tensorsIn(torch, x, out)
  else if (v && typeof v === 'object') for (const x of Object.values(v)) tensorsIn(torch, x, out)
  return out
}

// The cotangent that the gradients were recorded with: cos(i + k), complex cos(i + k) + 1j*sin(i + k).
export function cotangent(torch, t, k) {
  const n = t.numel(),
    complex = t.dtype.startsWith('complex')
  const flat = new Float64Array(complex ? 2 * n : n)
  for (let i = 0; i < n; i++) {
    if (complex) ((flat[2 * i] = Math.cos(i + k)), (flat[2 * i + 1] = Math.sin(i + k)))
    else flat[i] = Math.cos(i + k)
  }
  if (n === 0) return torch.zeros([...t.shape], { dtype: t.dtype })
  return torch
    .frombuffer(flat.buffer, { dtype: complex ? 'complex128' : 'float64' })
    .reshape([...t.shape])
    .to(t.dtype)
}
