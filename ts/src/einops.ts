// einops: dimensions by name. The engine reads the patterns and does the work (engine/ops/einops.c); here are JavaScript's forms of the calls.
import { $einops_pack, $einops_rearrange, $einops_reduce, $einops_repeat, $einops_unpack, $stack } from './generated/functions.js'
import { isOptions, typeName } from './runtime/arguments.js'
import { TorchError } from './runtime/errors.js'
import { Tensor } from './tensor.js'
import type { DeviceType, DType, SameFloat } from './types/dtype.js'
import type {
  AxesRecord,
  PackedShapes,
  PackShape,
  ReduceOperation,
  UnpackShape,
  ValidatedRearrangeShape,
  ValidatedReduceShape,
  ValidatedRepeatShape,
} from './types/einops.js'
import type { Checked } from './types/results.js'
import type { Shape, ShapesOf } from './types/shapes.js'

/** Sizes of axes, as an option: `{ axes: { h: 3 } }` is what `{ h: 3 }` is. */
export interface RearrangeOptions {
  readonly axes?: AxesRecord
}
/** The sizes, however they are given. */
type AxesOf<Given> = Given extends { readonly axes: infer A extends AxesRecord } ? A : Given
type Given = AxesRecord | RearrangeOptions

/** Several tensors of one shape count as one with a dimension more in front. */
function joined(name: string, input: unknown): Tensor {
  if (input instanceof Tensor) return input
  if (Array.isArray(input) && input.length > 0 && input.every((t) => t instanceof Tensor)) return $stack(0, input) as Tensor
  throw new TorchError(
    `${name}(): argument 'tensor' (position 1) must be Tensor or a list of Tensors, not ${Array.isArray(input) ? 'list' : typeName(input)}`,
    'TypeError',
  )
}

/** The names of the axes as one text, and their sizes. */
function axesOf(name: string, args: readonly unknown[]): [names: string, sizes: number[]] {
  const record: Record<string, unknown> = {}
  for (const arg of args) {
    if (arg === undefined || arg === null) continue
    if (!isOptions(arg))
      throw new TorchError(`${name}(): the sizes of axes must be an object { name: size }, not ${typeName(arg)}`, 'TypeError')
    const nested = arg['axes']
    if (isOptions(nested)) {
      const other = Object.keys(arg).find((key) => key !== 'axes')
      if (other !== undefined) throw new TorchError(`${name}() got an unexpected keyword argument '${other}' (known: axes)`, 'TypeError')
      Object.assign(record, nested)
    } else {
      Object.assign(record, arg)
    }
  }
  const names = Object.keys(record)
  const sizes = names.map((key) => {
    const size = record[key]
    if (key === '' || /\s/.test(key)) throw new TorchError(`Invalid name for an axis: '${key}'`)
    if (!Number.isSafeInteger(size)) {
      throw new TorchError(
        `${name}(): the size of axis '${key}' must be an integer, not ${typeof size === 'number' ? size : typeName(size)}`,
        'TypeError',
      )
    }
    return size as number
  })
  return [names.join(' '), sizes]
}

function text(name: string, argument: string, position: number, value: unknown): string {
  if (typeof value !== 'string')
    throw new TorchError(`${name}(): argument '${argument}' (position ${position}) must be str, not ${typeName(value)}`, 'TypeError')
  if (value.includes('\0')) throw new TorchError(`${name}(): argument '${argument}' has a null character`, 'ValueError')
  return value
}

/**
 * Dimensions split, reordered and joined by name. A view where the strides allow it.
 *
 *     torch.rearrange(images, 'b (h p) (w q) c -> b (h w) (p q c)', { p: 16, q: 16 }) // patches
 *     torch.rearrange(x, '... h w -> ... w h')
 *     torch.rearrange([a, b, c], 'n h w -> h (n w)') // several tensors: the first dimension counts them
 */
export function rearrange<S extends Shape, D extends DType, Dev extends DeviceType, const P extends string, const A extends Given = object>(
  tensor: Tensor<S, D, Dev>,
  pattern: P,
  axes?: A,
  options?: RearrangeOptions,
): Checked<ValidatedRearrangeShape<P, S, AxesOf<A>>, D, Dev>
export function rearrange<S extends Shape, D extends DType, Dev extends DeviceType, const P extends string, const A extends Given = object>(
  tensors: readonly Tensor<S, D, Dev>[],
  pattern: P,
  axes?: A,
  options?: RearrangeOptions,
): Checked<ValidatedRearrangeShape<P, readonly [number, ...S], AxesOf<A>>, D, Dev>
export function rearrange(tensor: unknown, pattern: unknown, ...rest: unknown[]): unknown {
  const [names, sizes] = axesOf('rearrange', rest)
  return $einops_rearrange(0, joined('rearrange', tensor), text('rearrange', 'pattern', 2, pattern), names, sizes)
}

/** The dtype of a reduction. */
type ReducedDType<D extends DType, R> = R extends 'any' | 'all' ? 'bool' : R extends 'min' | 'max' | 'mean' ? D : SameFloat<D>

/**
 * Axes that are missing on the right reduced with `'min'`, `'max'`, `'sum'`, `'mean'`, `'prod'`, `'any'` or `'all'`.
 *
 *     torch.reduce(images, 'b c h w -> b c', 'mean')
 *     torch.reduce(images, 'b c (h 2) (w 2) -> b c h w', 'max') // pooling
 */
export function reduce<
  S extends Shape,
  D extends DType,
  Dev extends DeviceType,
  const P extends string,
  const R extends ReduceOperation,
  const A extends Given = object,
>(
  tensor: Tensor<S, D, Dev>,
  pattern: P,
  reduction: R,
  axes?: A,
  options?: RearrangeOptions,
): Checked<ValidatedReduceShape<P, S, AxesOf<A>>, ReducedDType<D, R>, Dev>
export function reduce<
  S extends Shape,
  D extends DType,
  Dev extends DeviceType,
  const P extends string,
  const R extends ReduceOperation,
  const A extends Given = object,
>(
  tensors: readonly Tensor<S, D, Dev>[],
  pattern: P,
  reduction: R,
  axes?: A,
  options?: RearrangeOptions,
): Checked<ValidatedReduceShape<P, readonly [number, ...S], AxesOf<A>>, ReducedDType<D, R>, Dev>
export function reduce(tensor: unknown, pattern: unknown, reduction: unknown, ...rest: unknown[]): unknown {
  const [names, sizes] = axesOf('reduce', rest)
  return $einops_reduce(
    0,
    joined('reduce', tensor),
    text('reduce', 'pattern', 2, pattern),
    text('reduce', 'reduction', 3, reduction),
    names,
    sizes,
  )
}

/**
 * Axes that are missing on the left are new: of a given size, or of the number that is written. A view where a new axis is a dimension of its own.
 *
 *     torch.repeat(image, 'h w -> h w c', { c: 3 })
 *     torch.repeat(image, 'h w -> (h 2) (w 2)')
 */
export function repeat<S extends Shape, D extends DType, Dev extends DeviceType, const P extends string, const A extends Given = object>(
  tensor: Tensor<S, D, Dev>,
  pattern: P,
  axes?: A,
  options?: RearrangeOptions,
): Checked<ValidatedRepeatShape<P, S, AxesOf<A>>, D, Dev>
export function repeat<S extends Shape, D extends DType, Dev extends DeviceType, const P extends string, const A extends Given = object>(
  tensors: readonly Tensor<S, D, Dev>[],
  pattern: P,
  axes?: A,
  options?: RearrangeOptions,
): Checked<ValidatedRepeatShape<P, readonly [number, ...S], AxesOf<A>>, D, Dev>
export function repeat(tensor: unknown, pattern: unknown, ...rest: unknown[]): unknown {
  const [names, sizes] = axesOf('repeat', rest)
  return $einops_repeat(0, joined('repeat', tensor), text('repeat', 'pattern', 2, pattern), names, sizes)
}

type DeviceOf<T extends readonly Tensor[]> = T[number] extends Tensor<Shape, DType, infer Dev> ? Dev : DeviceType

/**
 * Tensors joined along `*`, into which all the dimensions go that the pattern does not name. The second result is what `unpack` needs.
 *
 *     const [tokens, shapes] = torch.pack([cls, patches], 'b * c') // [2, 768] and [2, 14, 14, 768] become [2, 197, 768]
 */
export function pack<const T extends readonly Tensor[], const P extends string>(
  tensors: T,
  pattern: P,
): [packed: Checked<PackShape<ShapesOf<T>, P>, T[number]['dtype'], DeviceOf<T>>, shapes: PackedShapes<ShapesOf<T>, P>]
export function pack(tensors: unknown, pattern: unknown): unknown {
  if (!Array.isArray(tensors) || !tensors.every((t) => t instanceof Tensor))
    throw new TorchError(`pack(): argument 'tensors' (position 1) must be a list of Tensors, not ${typeName(tensors)}`, 'TypeError')
  const axes = text('pack', 'pattern', 2, pattern)
  const packed = $einops_pack(0, tensors, axes)
  const words = axes.split(' ').filter((w) => w !== '')
  const before = words.indexOf('*')
  const after = words.length - before - 1
  return [packed, (tensors as Tensor[]).map((t) => t.shape.slice(before, t.ndim - after))]
}

type Unpacked<Shapes, D extends DType, Dev extends DeviceType> = Shapes extends readonly Shape[]
  ? { -readonly [K in keyof Shapes]: Tensor<Extract<Shapes[K], Shape>, D, Dev> }
  : Shapes

/**
 * Undoes `pack`: views of the parts of dimension `*`, each with its packed sizes. One of the sizes may be -1.
 *
 *     const [cls, patches] = torch.unpack(tokens, [[], [14, 14]], 'b * c')
 */
export function unpack<
  S extends Shape,
  D extends DType,
  Dev extends DeviceType,
  const Packed extends readonly (readonly number[])[],
  const P extends string,
>(tensor: Tensor<S, D, Dev>, packed_shapes: Packed, pattern: P): Unpacked<UnpackShape<S, Packed, P>, D, Dev>
export function unpack(tensor: unknown, packed_shapes: unknown, pattern: unknown): unknown {
  if (!(tensor instanceof Tensor))
    throw new TorchError(`unpack(): argument 'tensor' (position 1) must be Tensor, not ${typeName(tensor)}`, 'TypeError')
  if (!Array.isArray(packed_shapes) || !packed_shapes.every((s) => Array.isArray(s) && s.every((n) => Number.isSafeInteger(n))))
    throw new TorchError(`unpack(): argument 'packed_shapes' (position 2) must be a list of lists of integers`, 'TypeError')
  const shapes = packed_shapes as number[][]
  return $einops_unpack(
    0,
    tensor,
    shapes.flat(),
    shapes.map((s) => s.length),
    text('unpack', 'pattern', 3, pattern),
  )
}
