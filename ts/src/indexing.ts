// Indexing: x.at(...) reads, x.at_put(...) writes. One argument a dimension, with the rules of PyTorch's x[...].
import type { DeviceType, DType, Scalar } from './types/dtype.js'
import type { Checked } from './types/results.js'
import type { AtShape, RangeSpec, Shape } from './types/shapes.js'
import { $index, $index_put_, $select, $slice, $unsqueeze } from './generated/functions.js'
import { tensor } from './creation.js'
import { isScalar, typeName } from './runtime/arguments.js'
import { TorchError } from './runtime/errors.js'
import { share, Tensor } from './tensor.js'

/**
 * What one argument of `at` may be: a number (the dimension goes), a range, null (the whole dimension), `'...'` (all dimensions in between),
 * `'newaxis'` (a new dimension of size 1), or a tensor: of booleans a mask, of integers the positions to take.
 *
 *     const specs: torch.IndexSpec[] = [0, [1, 3], null, '...']
 *     const x = torch.zeros(2, 5, 3).at(...specs)
 */
export type IndexSpec = number | bigint | RangeSpec | null | '...' | 'newaxis' | Tensor

/**
 * A mask: a boolean tensor in `at`.
 *
 *     const mask: torch.MaskSpec = torch.tensor([true, false, true])
 *     const x = torch.zeros(3, 4).at(mask)
 */
export type MaskSpec = Tensor<Shape, 'bool'>
/**
 * Positions: an integer tensor in `at`.
 *
 *     const where: torch.IndicesSpec = torch.tensor([2, 0], { dtype: 'int64' })
 *     const x = torch.zeros(3, 4).at(where)
 */
export type IndicesSpec = Tensor<Shape, 'int64' | 'int32' | 'int16' | 'int8' | 'uint8'>
/**
 * What `x.at(...specs)` gives for a tensor of shape S.
 *
 *     At<readonly [4, 5], readonly [0], 'float32', 'cpu'> // Tensor<readonly [5], 'float32', 'cpu'>
 */
export type At<S extends Shape, Specs extends readonly IndexSpec[], D extends DType = DType, Dev extends DeviceType = DeviceType> = Checked<
  AtShape<S, Specs>,
  D,
  Dev
>

const INTEGERS: ReadonlySet<DType> = new Set<DType>(['int8', 'int16', 'int32', 'int64', 'uint8'])

function isRange(v: unknown): v is readonly (number | null)[] {
  return Array.isArray(v) && (v.length === 2 || v.length === 3) && v.every((x) => x === null || x === undefined || typeof x === 'number')
}

/** How many dimensions of the tensor an argument speaks of. */
function dimensions(spec: unknown): number {
  if (spec === '...' || spec === 'newaxis') return 0
  if (spec instanceof Tensor && spec.dtype === 'bool') return spec.ndim
  return 1
}

interface Indexed {
  /** The view of the numbers, ranges and new dimensions; ranges of negative step in ascending order. */
  view: Tensor
  /** Dimensions of the view that are to be reversed. */
  reversed: number[]
  /** Index tensors by dimension, where there are any. */
  indices: (Tensor | null)[]
}

function resolve(self: Tensor, specs: readonly unknown[]): Indexed {
  const count = specs.reduce<number>((sum, s) => sum + dimensions(s), 0)
  const shape = self.shape
  if (shape.length === 0 && specs.some((s) => typeof s === 'number' || typeof s === 'bigint')) {
    throw new TorchError(
      'invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a 0-dim tensor to a number',
      'IndexError',
    )
  }
  if (count > shape.length) throw new TorchError(`too many indices for tensor of dimension ${shape.length}`, 'IndexError')
  if (specs.filter((s) => s === '...').length > 1) throw new TorchError("an index can only have a single ellipsis ('...')", 'IndexError')

  let view = self
  let dim = 0 // of the view
  let at = 0 // of the tensor, for messages
  const reversed: number[] = []
  const indices: (Tensor | null)[] = []
  let any = false
  const step = (next: Tensor): void => {
    view = next
  }
  for (const spec of specs) {
    if (spec === '...') {
      const skip = shape.length - count
      for (let i = 0; i < skip; i++) indices.push(null)
      dim += skip
      at += skip
    } else if (spec === 'newaxis') {
      step($unsqueeze(0, view, dim) as Tensor)
      indices.push(null)
      dim++
    } else if (spec === null || spec === undefined) {
      indices.push(null)
      dim++
      at++
    } else if (typeof spec === 'number' || typeof spec === 'bigint') {
      step(selectOne(view, dim, at, shape[at]!, Number(spec)))
      at++
    } else if (isRange(spec)) {
      const { start, end, step: by, backwards } = bounds(spec, shape[at]!)
      if (start !== 0 || end !== shape[at]! || by !== 1) step($slice(0, view, dim, start, end, by) as Tensor)
      if (backwards) reversed.push(dim)
      indices.push(null)
      dim++
      at++
    } else if (spec instanceof Tensor) {
      const dtype = spec.dtype
      if (spec.ndim === 0 && INTEGERS.has(dtype)) {
        step(selectOne(view, dim, at, shape[at]!, Number(spec.item())))
        at++
      } else if (dtype === 'bool') {
        const mask: Shape = spec.shape
        mask.forEach((n, i) => {
          if (n !== shape[at + i]) {
            throw new TorchError(
              `The shape of the mask [${mask.join(', ')}] at index ${i} does not match the shape of the indexed tensor [${shape.join(', ')}] at index ${at + i}`,
              'IndexError',
            )
          }
        })
        if (mask.length === 0) step($unsqueeze(0, view, dim) as Tensor)
        indices.push(mask.length === 0 ? (spec.reshape([1]) as Tensor) : spec)
        any = true
        dim += Math.max(mask.length, 1)
        at += mask.length
      } else {
        if (!INTEGERS.has(dtype)) throw new TorchError('tensors used as indices must be long, int, byte or bool tensors', 'IndexError')
        indices.push(spec)
        any = true
        dim++
        at++
      }
    } else {
      throw new TorchError(
        Array.isArray(spec)
          ? `an index array is a range [start, end] or [start, end, step], but got [${spec.map(String).join(', ')}]; use torch.tensor([...], { dtype: 'int64' }) for a list of positions`
          : `only integers, ranges [start, end, step], '...', 'newaxis', null and long or bool tensors are valid indices (got ${typeName(spec)})`,
        'IndexError',
      )
    }
  }
  return { view, reversed, indices: any ? indices : [] }
}

function selectOne(view: Tensor, dim: number, at: number, size: number, index: number): Tensor {
  if (!Number.isInteger(index)) throw new TorchError(`only integers can be used as an index, but got ${index}`, 'TypeError')
  if (index >= size || index < -size)
    throw new TorchError(`index ${index} is out of bounds for dimension ${at} with size ${size}`, 'IndexError')
  return $select(0, view, dim, index) as Tensor
}

/** A range as Python's slice; one with a negative step as the ascending range of the same positions. */
function bounds(
  spec: readonly (number | null | undefined)[],
  size: number,
): { start: number; end: number; step: number; backwards: boolean } {
  const step = spec[2] ?? 1
  for (const v of spec) {
    if (v !== null && v !== undefined && !Number.isInteger(v))
      throw new TorchError(`slice indices must be integers or null, but got ${v}`, 'TypeError')
  }
  if (step === 0) throw new TorchError('slice step cannot be zero', 'ValueError')
  const place = (v: number, low: number, high: number): number => Math.min(Math.max(v < 0 ? v + size : v, low), high)
  if (step > 0) {
    const start = spec[0] === null || spec[0] === undefined ? 0 : place(spec[0], 0, size)
    const end = spec[1] === null || spec[1] === undefined ? size : place(spec[1], 0, size)
    return { start, end: Math.max(start, end), step, backwards: false }
  }
  const start = spec[0] === null || spec[0] === undefined ? size - 1 : place(spec[0], -1, size - 1)
  const end = spec[1] === null || spec[1] === undefined ? -1 : place(spec[1], -1, size - 1)
  const count = Math.max(0, Math.ceil((start - end) / -step))
  if (count === 0) return { start: 0, end: 0, step: 1, backwards: false }
  return { start: start + (count - 1) * step, end: start + 1, step: -step, backwards: true }
}

/** The part of `self` that the arguments mean: a view where they are numbers, ranges and null, else a copy. */
export function index(self: Tensor, specs: readonly unknown[]): Tensor {
  if (!(self instanceof Tensor))
    throw new TorchError(`at(): argument 'input' (position 1) must be Tensor, not ${typeName(self)}`, 'TypeError')
  if (!Array.isArray(specs)) throw new TorchError(`at(): argument 'specs' (position 2) must be a list, not ${typeName(specs)}`, 'TypeError')
  const { view, reversed, indices } = resolve(self, specs)
  let result = view
  if (reversed.length > 0) result = result.flip(reversed)
  if (indices.length > 0) return $index(0, result, indices) as Tensor
  // Python makes a new tensor object for x[...] as well.
  return result === self ? share(self) : result
}

/** Writes `value` (a tensor that broadcasts, or a number) to the part of `self` that the arguments mean. */
export function indexPut(self: Tensor, specs: readonly unknown[], value: unknown): void {
  if (!(value instanceof Tensor) && !isScalar(value)) {
    throw new TorchError(`at_put(): the value must be a Tensor or a number, not ${typeName(value)}`, 'TypeError')
  }
  const { view, reversed, indices } = resolve(self, specs)
  if (indices.length > 0) {
    if (reversed.length > 0) throw new TorchError('step must be greater than zero where index tensors are written through', 'ValueError')
    const values = value instanceof Tensor ? value : (tensor(value, { dtype: self.dtype, device: 'cpu' }) as Tensor)
    $index_put_(0, view, indices, values.dtype === self.dtype ? values : values.to(self.dtype))
    return
  }
  if (!(value instanceof Tensor)) {
    view.fill_(value)
    return
  }
  let source: Tensor = value
  // As in PyTorch, leading dimensions of size 1 of the value are no hindrance.
  const extra = source.ndim - view.ndim
  if (extra > 0 && source.shape.slice(0, extra).every((n) => n === 1)) source = source.reshape(source.shape.slice(extra)) as Tensor
  source = source.expand(view.shape) as Tensor
  if (reversed.length > 0) source = source.flip(reversed) as Tensor
  view.copy_(source)
}

declare module './tensor.js' {
  // The parameters have to be those of the class.
  // eslint-disable-next-line @typescript-eslint/no-unused-vars
  interface Tensor<out S extends Shape = Shape, out D extends DType = DType, out Dev extends DeviceType = DeviceType> {
    /**
     * Indexing, PyTorch's `x[...]`: one argument a dimension.
     *
     *     x.at(0)               // x[0]
     *     x.at(null, [1, 3])    // x[:, 1:3]
     *     x.at('...', -1)       // x[..., -1]
     *     x.at([null, null, 2]) // x[::2]
     *     x.at(mask)            // x[mask]
     */
    at<Size extends Shape, T extends DType, On extends DeviceType, const Specs extends readonly IndexSpec[]>(
      this: Tensor<Size, T, On>,
      ...specs: Specs
    ): Checked<AtShape<Size, Specs>, T, On>
    /** Writes to the part of the tensor that `at(...specs)` would read: `x.at_put(0, [1, 3], 5)` is PyTorch's `x[0, 1:3] = 5`. The value is last. */
    at_put(...specsAndValue: readonly [...specs: IndexSpec[], value: Tensor | Scalar]): this
  }
}

Object.defineProperties(Tensor.prototype, {
  at: {
    value: function (this: Tensor, ...specs: unknown[]): Tensor {
      return index(this, specs)
    },
    writable: true,
    configurable: true,
  },
  at_put: {
    value: function (this: Tensor, ...args: unknown[]): Tensor {
      if (args.length === 0) throw new TorchError('at_put() missing 1 required positional arguments: "value"', 'TypeError')
      indexPut(this, args.slice(0, -1), args.at(-1))
      return this
    },
    writable: true,
    configurable: true,
  },
})
