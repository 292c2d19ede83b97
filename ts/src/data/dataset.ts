// Data sets: samples by number.

import { tensor as makeTensor } from '../creation.js'
import { randperm } from '../generated/functions.js'
import { assertionError, indexError, notImplementedError, valueError, warn } from '../nn/errors.js'
import { isPlainObject } from '../nn/text.js'
import type { Generator } from '../random.js'
import { Tensor } from '../tensor.js'

/** What can stand for a data set: a Dataset, an array, or a tensor, whose samples are its rows. */
export type DatasetLike<T> = Dataset<T> | ArrayLike<T> | Tensor

/** Samples by number. Subclasses define `get(index)` and `length`; `get` may return a promise, which `for await` waits for. */
export abstract class Dataset<T = unknown> {
  /** The sample of this number. Throws a NotImplementedError unless the subclass defines it. */
  get(_index: number): T {
    throw notImplementedError('Subclasses of Dataset should implement get.')
  }
  /** How many samples there are. */
  abstract get length(): number

  /** This data set and then another. */
  concat(other: DatasetLike<T>): ConcatDataset<T> {
    return new ConcatDataset([this, other])
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (let i = 0; i < this.length; i++) yield this.get(i)
  }
}

/** Samples in the order in which they come. Subclasses define `[Symbol.iterator]` or `[Symbol.asyncIterator]`. */
export abstract class IterableDataset<T = unknown> {
  [Symbol.iterator](): Iterator<T> {
    throw notImplementedError('Subclasses of IterableDataset should implement [Symbol.iterator] or [Symbol.asyncIterator].')
  }
  [Symbol.asyncIterator]?(): AsyncIterator<T>
  /** How many samples there are, where it is known. */
  readonly length?: number
}

/** @internal How many samples a data set has. */
export function lengthOf(dataset: DatasetLike<unknown>): number {
  return dataset.length
}

/** @internal The sample of this number. */
export function sampleOf<T>(dataset: DatasetLike<T>, index: number): T {
  if (dataset instanceof Tensor) return dataset.select(0, index) as T
  if (dataset instanceof Dataset || typeof (dataset as unknown as Dataset<T>).get === 'function') return (dataset as Dataset<T>).get(index)
  const list = dataset as ArrayLike<T>
  if (index < 0 || index >= list.length) throw indexError('list index out of range')
  return list[index] as T
}

/** Rows of tensors: sample i is `[a[i], b[i], ...]`. Throws an AssertionError unless all have the same first size. */
export class TensorDataset extends Dataset<Tensor[]> {
  readonly tensors: readonly Tensor[]

  constructor(...tensors: Tensor[]) {
    super()
    const [first] = tensors
    if (tensors.some((tensor) => tensor.length !== first?.length)) throw assertionError('Size mismatch between tensors')
    this.tensors = tensors
  }
  override get(index: number): Tensor[] {
    return this.tensors.map((tensor) => tensor.select(0, index))
  }
  /** @internal Several rows at once, what stacking them would give. */
  rows(indices: readonly number[]): Tensor[] {
    const numbers = makeTensor([...indices], { dtype: 'int64' })
    return this.tensors.map((tensor) => tensor.index_select(0, numbers))
  }
  get length(): number {
    return this.tensors[0]?.length ?? 0
  }
}

/** Several data sets side by side: sample i is `[a[i], b[i], ...]`, or an object of samples for an object of data sets. */
export class StackDataset<T = unknown> extends Dataset<T[] | Record<string, T>> {
  readonly datasets: readonly DatasetLike<T>[] | Readonly<Record<string, DatasetLike<T>>>
  readonly #length: number

  constructor(...datasets: DatasetLike<T>[] | [Readonly<Record<string, DatasetLike<T>>>]) {
    super()
    const [first] = datasets
    this.datasets = isPlainObject(first) ? (first as Readonly<Record<string, DatasetLike<T>>>) : (datasets as DatasetLike<T>[])
    const all = Object.values(this.datasets) as DatasetLike<T>[]
    if (all.length === 0) throw valueError('At least one dataset should be passed')
    this.#length = lengthOf(all[0] as DatasetLike<T>)
    if (all.some((dataset) => lengthOf(dataset) !== this.#length)) throw valueError('Size mismatch between datasets')
  }
  override get(index: number): T[] | Record<string, T> {
    if (Array.isArray(this.datasets)) return (this.datasets as DatasetLike<T>[]).map((dataset) => sampleOf(dataset, index))
    return Object.fromEntries(Object.entries(this.datasets).map(([name, dataset]) => [name, sampleOf(dataset as DatasetLike<T>, index)]))
  }
  get length(): number {
    return this.#length
  }
}

/** Data sets one after another. Throws an AssertionError for none, and for an IterableDataset. */
export class ConcatDataset<T = unknown> extends Dataset<T> {
  readonly datasets: readonly DatasetLike<T>[]
  /** How many samples there are up to the end of each data set. */
  readonly cumulative_sizes: readonly number[]

  constructor(datasets: Iterable<DatasetLike<T>>) {
    super()
    this.datasets = [...datasets]
    if (this.datasets.length === 0) throw assertionError('datasets should not be an empty iterable')
    if (this.datasets.some((dataset: unknown) => dataset instanceof IterableDataset))
      throw assertionError('ConcatDataset does not support IterableDataset')
    let total = 0
    this.cumulative_sizes = this.datasets.map((dataset) => (total += lengthOf(dataset)))
  }
  override get(index: number): T {
    let at = index
    if (at < 0) {
      if (-at > this.length) throw valueError('absolute value of index should not exceed dataset length')
      at += this.length
    }
    const which = this.cumulative_sizes.findIndex((end) => at < end)
    if (which < 0) throw indexError('list index out of range')
    return sampleOf(this.datasets[which] as DatasetLike<T>, which === 0 ? at : at - (this.cumulative_sizes[which - 1] as number))
  }
  get length(): number {
    return this.cumulative_sizes[this.cumulative_sizes.length - 1] as number
  }
}

/** Some samples of a data set. */
export class Subset<T = unknown> extends Dataset<T> {
  constructor(
    readonly dataset: DatasetLike<T>,
    readonly indices: ArrayLike<number>,
  ) {
    super()
  }
  override get(index: number): T {
    const at = this.indices[index]
    if (at === undefined) throw indexError('list index out of range')
    return sampleOf(this.dataset, at)
  }
  get length(): number {
    return this.indices.length
  }
}

/** Options of random_split. */
export interface RandomSplitOptions {
  /** Default: the generator of `torch.manual_seed`. */
  generator?: Generator | null
}

/**
 * Divides a data set at random into subsets of these lengths, or of these fractions when they add up to 1. Throws a ValueError when the
 * lengths do not add up to the data set's.
 */
export function random_split<T>(
  dataset: DatasetLike<T>,
  lengths: readonly number[],
  generator?: Generator | RandomSplitOptions | null,
): Subset<T>[] {
  const chosen = isPlainObject(generator) ? (generator as RandomSplitOptions).generator : (generator as Generator | null | undefined)
  const n = lengthOf(dataset)
  const total = sum(lengths)
  let sizes = [...lengths]
  if (Math.abs(total - 1) <= 1e-9 * Math.max(total, 1) && total <= 1) {
    sizes = lengths.map((fraction, i) => {
      if (fraction < 0 || fraction > 1) throw valueError(`Fraction at index ${i} is not between 0 and 1`)
      return Math.floor(n * fraction)
    })
    const rest = n - sum(sizes)
    for (let i = 0; i < rest; i++) sizes[i % sizes.length] = (sizes[i % sizes.length] as number) + 1
    sizes.forEach((size, i) => {
      if (size === 0) warn(`Length of split at index ${i} is 0. This might result in an empty dataset.`)
    })
  }
  if (sum(sizes) !== n) throw valueError('Sum of input lengths does not equal the length of the input dataset!')
  const order = permutation(n, chosen)
  let at = 0
  return sizes.map((size) => new Subset(dataset, order.slice(at, (at += size))))
}

function sum(list: readonly number[]): number {
  return list.reduce((a, b) => a + b, 0)
}

/** @internal The numbers below n in random order. */
export function permutation(n: number, generator?: Generator | null): number[] {
  return numbers(randperm(n, { device: 'cpu', ...(generator ? { generator } : {}) }))
}

/** @internal The elements of an int64 tensor. */
export function numbers(tensor: Tensor): number[] {
  return Array.from(tensor.data() as BigInt64Array, Number)
}
