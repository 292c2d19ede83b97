// What has to know elements before it can say its result, as promises: on the device webgpu reading takes a wait. Everything but that one number (how
// many results there are) is computed where the tensors are, and the results are there too. On the cpu these do what their namesakes do.
import type { Tensor as AnyTensor } from './tensor.js'
import * as generated from './generated/functions.js'
import { scope } from './memory.js'
import type { Generator } from './random.js'
import { named } from './runtime/call.js'
import { TorchError } from './runtime/errors.js'
import { unique, unique_consecutive, type UniqueConsecutiveOptions, type UniqueOptions } from './unique.js'
import { isOnDevice } from './webgpu/reading.js'

type Tensor = AnyTensor

async function numberOf(t: Tensor): Promise<number> {
  return Number(await (t.item() as unknown as Promise<number | bigint>))
}

/** Refuses what the function itself would refuse, whatever the elements are. */
function refuse(check: (empty: (t: Tensor) => Tensor) => unknown): void {
  scope(() => {
    check(
      (t) =>
        generated.empty(
          Array.from(t.shape as readonly number[], () => 0),
          { dtype: t.dtype, device: 'cpu' },
        ) as unknown as Tensor,
    )
  })
}

/** `masked_select` as a promise: on every device the size of its result is known only when it has been computed. */
export async function masked_select_async(input: Tensor, mask: Tensor): Promise<Tensor> {
  if (!isOnDevice(input)) return generated.masked_select(input, mask) as Tensor
  refuse((empty) => generated.masked_select(empty(input).reshape(-1) as Tensor, empty(mask).reshape(-1) as Tensor))
  const [x, m] = generated.broadcast_tensors([input, mask]) as unknown as [Tensor, Tensor]
  const flat = m.reshape(-1) as Tensor
  const size = await numberOf(flat.sum() as Tensor)
  const places = (generated.nonzero_static(flat, { size }) as Tensor).reshape(-1) as Tensor
  return (x.reshape(-1) as Tensor).index_select(0, places) as Tensor
}

/** `nonzero` as a promise: one row of coordinates for each element that is not zero; with `as_tuple` one vector for each dimension. */
export async function nonzero_async(input: Tensor): Promise<Tensor>
export async function nonzero_async(input: Tensor, options: { readonly as_tuple: true }): Promise<Tensor[]>
export async function nonzero_async(input: Tensor, options: { readonly as_tuple?: boolean } = {}): Promise<Tensor | Tensor[]> {
  const x = options.as_tuple && input.ndim === 0 ? (input.reshape(1) as Tensor) : input
  // One coordinate after another in memory, as the cpu lays them out.
  const rows = isOnDevice(x)
    ? (generated
        .nonzero_static(x, { size: await numberOf(generated.count_nonzero(x) as Tensor) })
        .t()
        .contiguous()
        .t() as Tensor)
    : (generated.nonzero(x) as Tensor)
  return options.as_tuple ? ([...(rows.unbind(1) as unknown as Iterable<Tensor>)] as Tensor[]) : rows
}

/** `argwhere` as a promise. */
export async function argwhere_async(input: Tensor): Promise<Tensor> {
  return isOnDevice(input) ? nonzero_async(input) : (generated.argwhere(input) as Tensor)
}

/** `equal` as a promise. */
export async function equal_async(input: Tensor, other: Tensor): Promise<boolean> {
  if (!isOnDevice(input)) return generated.equal(input, other)
  if (input.shape.length !== other.shape.length || input.shape.some((n, d) => n !== other.shape[d])) return false
  return (await (input.eq(other).all().item() as unknown as Promise<boolean>)) === true
}

/** `allclose` as a promise. */
export async function allclose_async(
  input: Tensor,
  other: Tensor,
  options: { readonly rtol?: number; readonly atol?: number; readonly equal_nan?: boolean } = {},
): Promise<boolean> {
  if (!isOnDevice(input)) return generated.allclose(input, other, options)
  const close = generated.isclose(input, other, options) as Tensor
  return (await (close.all().item() as unknown as Promise<boolean>)) === true
}

/** `multinomial` as a promise. */
export async function multinomial_async(
  input: Tensor,
  num_samples: number,
  replacement: boolean = false,
  options?: { readonly generator?: Generator },
): Promise<Tensor> {
  return generated.multinomial(input, num_samples, replacement, options) as Tensor
}

/** `bincount` as a promise. */
export async function bincount_async(
  input: Tensor,
  options: { readonly weights?: Tensor | null; readonly minlength?: number } = {},
): Promise<Tensor> {
  const { weights = null, minlength = 0 } = options
  if (!isOnDevice(input)) return generated.bincount(input, weights, minlength) as Tensor
  refuse((empty) => generated.bincount(empty(input), weights ? empty(weights) : null, minlength))
  const n = input.numel()
  const weighted = weights !== null && n > 0
  const dtype = weighted ? (weights.dtype === 'float32' ? 'float32' : 'float64') : 'int64'
  let size = minlength
  if (n > 0) {
    const [least, most] = await Promise.all([numberOf(input.min() as Tensor), numberOf(input.max() as Tensor)])
    if (input.ndim !== 1 || least < 0) throw new TorchError('bincount only supports 1-d non-negative integral inputs.', 'RuntimeError')
    size = Math.max(size, most + 1)
  }
  const zeros = generated.zeros([size], { dtype, device: input.device } as object) as unknown as Tensor
  if (n === 0) return zeros
  const source = weighted
    ? (weights.to(dtype) as Tensor)
    : (generated.ones([n], { dtype, device: input.device } as object) as unknown as Tensor)
  return zeros.index_add(0, input.to('int64') as Tensor, source) as Tensor
}

/** `repeat_interleave` as a promise; without `input` the places themselves. */
export async function repeat_interleave_async(
  input: Tensor,
  repeats: Tensor | number,
  options: { readonly dim?: number | null } = {},
): Promise<Tensor> {
  if (typeof repeats === 'number' || !isOnDevice(repeats)) return generated.repeat_interleave(input, repeats as Tensor, options) as Tensor
  const lines =
    options.dim === undefined || options.dim === null
      ? input.numel()
      : input.shape[options.dim < 0 ? options.dim + input.ndim : options.dim]!
  const total = await numberOf(repeats.sum() as Tensor)
  return generated.repeat_interleave(input, repeats, {
    ...options,
    output_size: repeats.numel() === 1 && lines !== 1 ? total * lines : total,
  }) as Tensor
}

// ---- unique --------------------------------------------------------------------------------------------------------

interface Found {
  readonly output: Tensor
  readonly inverse_indices: Tensor | null
  readonly counts: Tensor | null
}

/** The rows (or elements) of x without repetitions of neighbours. order: where they came from; shape: that of the places. */
async function deduplicate(x: Tensor, order: Tensor | null, shape: readonly number[], o: UniqueConsecutiveOptions): Promise<Found> {
  const n = x.shape[0]!
  const on = { device: x.device } as object
  const whole = { ...on, dtype: 'int64' } as object
  if (n === 0) {
    const none = (): Tensor => generated.empty([0], whole) as unknown as Tensor
    return {
      output: x,
      inverse_indices: o.return_inverse ? (none().reshape([...shape]) as Tensor) : null,
      counts: o.return_counts ? none() : null,
    }
  }
  let differs = x.narrow(0, 1, n - 1).ne(x.narrow(0, 0, n - 1) as Tensor) as Tensor
  if (x.ndim === 2) differs = differs.any(1) as Tensor
  const starts = generated.cat([generated.ones([1], { ...on, dtype: 'bool' } as object) as unknown as Tensor, differs]) as unknown as Tensor
  const group = starts.cumsum(0, { dtype: 'int64' }) as Tensor
  const size = await numberOf(group.select(0, n - 1) as Tensor)
  const at = (generated.nonzero_static(starts, { size }) as Tensor).reshape(-1) as Tensor
  const places = o.return_inverse ? (group.sub(1) as Tensor) : null
  const end = generated.full([1], n, whole) as unknown as Tensor
  return {
    output: x.index_select(0, at) as Tensor,
    inverse_indices: places && ((order ? places.scatter(0, order, places) : places).reshape([...shape]) as Tensor),
    counts: o.return_counts ? ((generated.cat([at.narrow(0, 1, size - 1) as Tensor, end]) as unknown as Tensor).sub(at) as Tensor) : null,
  }
}

function results({ output, inverse_indices, counts }: Found): unknown {
  const parts = { output, ...(inverse_indices ? { inverse_indices } : {}), ...(counts ? { counts } : {}) }
  return Object.keys(parts).length === 1 ? output : named('unique', Object.keys(parts), Object.values(parts))
}

async function uniqueSlices(input: Tensor, dim: number, consecutive: boolean, o: UniqueConsecutiveOptions): Promise<unknown> {
  refuse((empty) =>
    generated.unique_dim(
      (generated.empty([...input.shape] as number[], { dtype: input.dtype, device: 'cpu' }) as unknown as Tensor) ?? empty(input),
      dim,
    ),
  )
  const moved = generated.movedim(input, dim, 0) as Tensor
  const n = moved.shape[0]!
  const width = n === 0 ? 0 : input.numel() / n
  let rows = moved.reshape([n, width]) as Tensor
  let order: Tensor | null = null
  if (!consecutive && n > 0) {
    order = generated.arange(n, { dtype: 'int64', device: input.device } as object) as unknown as Tensor
    // By the last column first: sorting is stable.
    for (let c = width - 1; c >= 0; c--) {
      const key = (rows.select(1, c) as Tensor).index_select(0, order) as Tensor
      order = order.index_select(0, key.argsort({ stable: true } as object) as unknown as Tensor) as Tensor
    }
    rows = rows.index_select(0, order) as Tensor
  }
  const found = await deduplicate(rows, order, [n], o)
  const output = generated.movedim(found.output.reshape([found.output.shape[0]!, ...moved.shape.slice(1)]) as Tensor, 0, dim) as Tensor
  return results({ ...found, output })
}

/** `unique` as a promise: the different elements, or slices along `dim`, in order. */
export async function unique_async(input: Tensor, options: UniqueOptions = {}): Promise<unknown> {
  if (!isOnDevice(input)) return unique(input, options)
  if (options.dim !== undefined && options.dim !== null) return uniqueSlices(input, options.dim, false, options)
  const { values, indices } = generated.sort(input.reshape(-1) as Tensor, { stable: true, dim: 0 } as object) as unknown as {
    values: Tensor
    indices: Tensor
  }
  return results(await deduplicate(values, indices, input.shape, options))
}

/** `unique_consecutive` as a promise: without repetitions of neighbours. */
export async function unique_consecutive_async(input: Tensor, options: UniqueConsecutiveOptions = {}): Promise<unknown> {
  if (!isOnDevice(input)) return unique_consecutive(input, options)
  if (options.dim !== undefined && options.dim !== null) return uniqueSlices(input, options.dim, true, options)
  return results(await deduplicate(input.reshape(-1) as Tensor, null, input.shape, options))
}
