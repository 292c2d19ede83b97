// Forms of calls that the schema language does not express: tensors as arguments of their own, lists of lists, results that depend on the
// value of an argument.
import * as generated from './generated/functions.js'
import { isOptions, typeName } from './runtime/arguments.js'
import { named, type Results } from './runtime/call.js'
import { TorchError } from './runtime/errors.js'
import { Tensor } from './tensor.js'
import type { DType, DeviceType, SameFloat } from './types/dtype.js'
import type { Checked, CheckedList, DeviceOfAll, PromoteAll, SameDevice } from './types/results.js'
import type {
  Atleast1DShape,
  Atleast2DShape,
  Atleast3DShape,
  BlockDiagShape,
  BroadcastTensorsShapes,
  CartesianShape,
  CdistShape,
  DynamicShape,
  MeshgridShapes,
  NonzeroShape,
  Shape,
  ShapesOf,
  TensordotShape,
} from './types/shapes.js'

type AnyCall = (...args: unknown[]) => unknown

/** Several tensors as arguments of their own, or one array of them; options may follow. */
type Tensors = readonly [Tensor, ...Tensor[]]
function gathered(call: unknown, args: readonly unknown[]): unknown {
  let n = 0
  while (args[n] instanceof Tensor) n++
  return n > 0 ? (call as AnyCall)(args.slice(0, n), ...args.slice(n)) : (call as AnyCall)(...args)
}

/** How many dimensions are summed over (the last of the first tensor, the first of the other), or which ones of each. */
export type TensordotDims = number | readonly [readonly number[], readonly number[]]

type DimsIn<Given> = Given extends { readonly dims: infer Dims } ? Dims : Given extends TensordotDims ? Given : 2

/**
 * Sums of products over pairs of dimensions.
 *
 * `tensordot(a, b, dims=2)`
 */
export function tensordot<
  S extends Shape,
  D extends DType,
  Dev extends DeviceType,
  OtherS extends Shape,
  OtherDev extends DeviceType,
  const Dims extends TensordotDims | { readonly dims?: TensordotDims; readonly out?: Tensor } = 2,
>(
  a: Tensor<S, D, Dev>,
  b: Tensor<OtherS, DType, OtherDev>,
  dims?: Dims,
  options?: { readonly out?: Tensor },
): Checked<TensordotShape<S, OtherS, DimsIn<Dims>>, SameFloat<D>, SameDevice<Dev, OtherDev>>
export function tensordot(...args: unknown[]): unknown {
  const call = generated.tensordot as AnyCall
  const [a, b, third, ...rest] = args
  const options = isOptions(third) ? third : undefined
  const dims = options ? options['dims'] : third
  if (!Array.isArray(dims)) return call(...args)
  if (options) {
    const others = Object.fromEntries(Object.entries(options).filter(([key]) => key !== 'dims'))
    if (Object.keys(others).length > 0) rest.unshift(others)
  }
  const list = (d: unknown): unknown => (typeof d === 'number' ? [d] : d)
  return call(a, b, list(dims[0]), list(dims[1]), ...rest)
}

/** Views of all tensors at the sizes that they broadcast to together. */
export function broadcast_tensors<const T extends readonly Tensor[]>(
  tensors: T,
): CheckedList<BroadcastTensorsShapes<ShapesOf<T>>, PromoteAll<T>, DeviceOfAll<T>>
export function broadcast_tensors<const T extends Tensors>(
  ...tensors: T
): CheckedList<BroadcastTensorsShapes<ShapesOf<T>>, PromoteAll<T>, DeviceOfAll<T>>
export function broadcast_tensors(...args: unknown[]): unknown {
  return gathered(generated.broadcast_tensors, args)
}

/** A matrix with the given matrices along its diagonal and zeros elsewhere. */
export function block_diag<const T extends readonly Tensor[]>(
  tensors: T,
): Checked<BlockDiagShape<ShapesOf<T>>, PromoteAll<T>, DeviceOfAll<T>>
export function block_diag<const T extends Tensors>(...tensors: T): Checked<BlockDiagShape<ShapesOf<T>>, PromoteAll<T>, DeviceOfAll<T>>
export function block_diag(...args: unknown[]): unknown {
  return gathered(generated.block_diag, args)
}

/** All combinations of one element of each 1-dimensional tensor, a row each. */
export function cartesian_prod<const T extends readonly Tensor[]>(
  tensors: T,
): Checked<CartesianShape<ShapesOf<T>>, PromoteAll<T>, DeviceOfAll<T>>
export function cartesian_prod<const T extends Tensors>(...tensors: T): Checked<CartesianShape<ShapesOf<T>>, PromoteAll<T>, DeviceOfAll<T>>
export function cartesian_prod(...args: unknown[]): unknown {
  return gathered(generated.cartesian_prod, args)
}

export interface MeshgridOptions {
  /** 'ij' (default): dimensions in the order of the tensors; 'xy': the first two change places. */
  readonly indexing?: 'ij' | 'xy'
}
type Grids<T extends readonly Tensor[], O> = CheckedList<
  MeshgridShapes<ShapesOf<T>, O extends { readonly indexing: infer I } ? I : 'ij'>,
  PromoteAll<T>,
  DeviceOfAll<T>
>
/** Grids of coordinates from 0- or 1-dimensional tensors. */
export function meshgrid<const T extends readonly Tensor[], const O extends MeshgridOptions = object>(tensors: T, options?: O): Grids<T, O>
export function meshgrid<const T extends Tensors>(...args: T): Grids<T, object>
export function meshgrid<const T extends Tensors, const O extends MeshgridOptions>(...args: [...tensors: T, options: O]): Grids<T, O>
export function meshgrid(...args: unknown[]): unknown {
  return gathered(generated.meshgrid, args)
}

const atLeast = (call: unknown, args: readonly unknown[]): unknown =>
  args.length > 1 && args[1] instanceof Tensor ? gathered(call, args) : (call as AnyCall)(...args)
type Raised<S, N extends 1 | 2 | 3> = { 1: Atleast1DShape<S>; 2: Atleast2DShape<S>; 3: Atleast3DShape<S> }[N]
type RaisedAll<T extends readonly Tensor[], N extends 1 | 2 | 3> = {
  -readonly [K in keyof T]: T[K] extends Tensor<infer S, infer D, infer Dev> ? Checked<Raised<S, N>, D, Dev> : Tensor
}
interface AtLeast<N extends 1 | 2 | 3> {
  <S extends Shape, D extends DType, Dev extends DeviceType>(tensor: Tensor<S, D, Dev>): Checked<Raised<S, N>, D, Dev>
  <const T extends readonly Tensor[]>(tensors: T): RaisedAll<T, N>
  <const T extends readonly [Tensor, Tensor, ...Tensor[]]>(...tensors: T): RaisedAll<T, N>
}
/** 0-dimensional tensors become 1-dimensional. */
export const atleast_1d = ((...args: unknown[]) => atLeast(generated.atleast_1d, args)) as AtLeast<1>
/** Tensors of fewer dimensions become 2-dimensional. */
export const atleast_2d = ((...args: unknown[]) => atLeast(generated.atleast_2d, args)) as AtLeast<2>
/** Tensors of fewer dimensions become 3-dimensional. */
export const atleast_3d = ((...args: unknown[]) => atLeast(generated.atleast_3d, args)) as AtLeast<3>

/** Intervals for each coordinate: one number for all, a number each, or their edges. */
export type HistogramddBins = number | readonly number[] | readonly Tensor[]
export interface HistogramddOptions {
  /** The lowest and the highest edge of each coordinate, one pair after the other; by default those of the points. */
  readonly range?: readonly number[] | null
  /** What each point counts, in the shape of the input without its last dimension. */
  readonly weight?: Tensor | null
  /** Divide by the total and by the volume of the boxes. */
  readonly density?: boolean
}
/**
 * How many points, whose coordinates are in the last dimension of the input, are in each of the boxes that the intervals make.
 *
 * `histogramdd(input, bins, *, range=None, weight=None, density=False)`
 */
export function histogramdd<D extends DType, Dev extends DeviceType>(
  input: Tensor<Shape, D, Dev>,
  bins: HistogramddBins,
  options?: HistogramddOptions,
): Results<{ hist: Tensor<DynamicShape, D, Dev>; bin_edges: Tensor<readonly [number], D, Dev>[] }>
export function histogramdd(input: Tensor, bins: HistogramddBins, options: HistogramddOptions = {}): unknown {
  const edges = Array.isArray(bins) && bins[0] instanceof Tensor
  const counts = typeof bins === 'number' ? new Array<number>(input.shape.at(-1) ?? 0).fill(bins) : bins
  const { range, ...rest } = options
  const given = edges || range === undefined || range === null ? rest : options
  const [hist, ...bin_edges] = (generated._histogramdd as AnyCall)(input, counts, given) as Tensor[]
  return named('histogramdd', ['hist', 'bin_edges'], [hist, bin_edges])
}

const CDIST_MODES = ['use_mm_for_euclid_dist_if_necessary', 'use_mm_for_euclid_dist', 'donot_use_mm_for_euclid_dist'] as const
export interface CdistOptions {
  readonly p?: number
  /** Whether a matrix product gives Euclidean distances: faster, and less exact where rows are near to each other. */
  readonly compute_mode?: (typeof CDIST_MODES)[number] | null
}
/**
 * The p-norm distance of each row of x1 to each row of x2; batch dimensions broadcast.
 *
 * `cdist(x1, x2, p=2.0, compute_mode='use_mm_for_euclid_dist_if_necessary')`
 */
export function cdist<S1 extends Shape, S2 extends Shape, D extends DType, Dev extends DeviceType, OtherDev extends DeviceType>(
  x1: Tensor<S1, D, Dev>,
  x2: Tensor<S2, DType, OtherDev>,
  p?: number | CdistOptions,
  compute_mode?: (typeof CDIST_MODES)[number] | null | CdistOptions,
): Checked<CdistShape<S1, S2>, SameFloat<D>, SameDevice<Dev, OtherDev>>
export function cdist(...args: unknown[]): unknown {
  const mode = (v: unknown): unknown => {
    if (v === null || v === undefined) return v
    const k = CDIST_MODES.indexOf(v as (typeof CDIST_MODES)[number])
    if (k < 0) throw new TorchError(`${typeof v === 'string' ? v : typeName(v)} is not a valid value for compute_mode`, 'ValueError')
    return k
  }
  const given = args.map((a, i) =>
    isOptions(a) && 'compute_mode' in a ? { ...a, compute_mode: mode(a['compute_mode']) } : i === 3 && !isOptions(a) ? mode(a) : a,
  )
  return (generated.cdist as AnyCall)(...given)
}

/** The indices of the elements that are not zero: a row each, or with `as_tuple` a tensor a dimension. */
export function nonzero<Dev extends DeviceType>(
  input: Tensor<Shape, DType, Dev>,
  options: { readonly as_tuple: true },
): Tensor<readonly [number], 'int64', Dev>[]
export function nonzero<S extends Shape, Dev extends DeviceType>(
  input: Tensor<S, DType, Dev>,
  options?: { readonly as_tuple?: false; readonly out?: Tensor },
): Checked<NonzeroShape<S>, 'int64', Dev>
export function nonzero(input: Tensor, options?: { readonly as_tuple?: boolean; readonly out?: Tensor }): unknown {
  if (!options || !('as_tuple' in options)) return (generated.nonzero as AnyCall)(input, ...(options ? [options] : []))
  const { as_tuple, ...rest } = options
  if (!as_tuple) return (generated.nonzero as AnyCall)(input, ...(Object.keys(rest).length ? [rest] : []))
  return [...generated.unbind(generated.nonzero(input.ndim === 0 ? generated.unsqueeze(input, 0) : input), 1)]
}

Object.defineProperty(Tensor.prototype, 'nonzero', {
  value(this: Tensor, options?: { readonly as_tuple?: false }): unknown {
    return nonzero(this, options)
  },
  writable: true,
  configurable: true,
})
