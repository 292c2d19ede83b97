// DataLoader: batches of a data set.

import { notImplementedError, typeError, valueError } from '../nn/errors.js'
import { readArguments, type Arguments } from '../nn/options.js'
import { pythonRepr } from '../nn/text.js'
import type { Generator } from '../random.js'
import { default_collate, default_convert, type Collated } from './collate.js'
import { IterableDataset, sampleOf, Subset, TensorDataset, type DatasetLike } from './dataset.js'
import { BatchSampler, drawSeed, RandomSampler, SequentialSampler, type Sampler, type Sized } from './sampler.js'

/** Options of DataLoader. */
export interface DataLoaderOptions<T = unknown, Batch = unknown> {
  dataset: DatasetLike<T> | IterableDataset<T>
  /** Samples a batch; null: no batches, one sample after another. Default: 1. */
  batch_size?: number | null
  /** A new random order for each pass. Default: false. */
  shuffle?: boolean | null
  /** The order of the samples, instead of shuffle. */
  sampler?: Sampler | Iterable<number> | null
  /** The batches as lists of sample numbers, instead of batch_size, shuffle, sampler and drop_last. */
  batch_sampler?: Sampler<number[]> | Iterable<readonly number[]> | null
  /** Only 0: samples are read in the loop itself. */
  num_workers?: number
  /** Makes a batch of samples. Default: default_collate. */
  collate_fn?: ((samples: T[]) => Batch) | null
  /** Accepted as PyTorch does; without effect. */
  pin_memory?: boolean
  /** Leave out a last batch that is not full. Default: false. */
  drop_last?: boolean
  /** What shuffle draws from. Default: the generator of `torch.manual_seed`. */
  generator?: Generator | null
}

/**
 * Batches of a data set, for `for (const batch of loader)`, or `for await` where samples are promises. Each pass draws from the generator as
 * PyTorch's does: the same seed gives the same batches.
 *
 * ```ts
 * const loader = new DataLoader(dataset, { batch_size: 32, shuffle: true })
 * for (const [x, y] of loader) { ... }
 * ```
 * Throws a ValueError for options that exclude each other.
 */
export class DataLoader<T = unknown, Batch = Collated<T>> {
  readonly dataset: DatasetLike<T> | IterableDataset<T>
  readonly batch_size: number | null
  readonly drop_last: boolean
  readonly sampler: Iterable<number> | null
  readonly batch_sampler: Iterable<readonly number[]> | null
  readonly generator: Generator | null
  readonly num_workers: number
  readonly collate_fn: (samples: T[]) => Batch
  /** Whether rows of tensors can be taken at once instead of being stacked one by one. */
  readonly #rows: ((indices: readonly number[]) => unknown) | null

  constructor(
    ...args: Arguments<
      [dataset: DatasetLike<T> | IterableDataset<T>],
      [batch_size: number | null, shuffle: boolean | null, sampler: Sampler | Iterable<number> | null],
      DataLoaderOptions<T, Batch>
    >
  ) {
    const o = readArguments<DataLoaderOptions<T, Batch>>(
      'DataLoader',
      args,
      ['dataset', 'batch_size', 'shuffle', 'sampler', 'batch_sampler', 'num_workers', 'collate_fn', 'pin_memory', 'drop_last'],
      1,
      ['generator'],
    )
    const { dataset, batch_size = 1, num_workers = 0, drop_last = false } = o
    const sampler = o.sampler ?? null
    const batch_sampler = o.batch_sampler ?? null
    if (num_workers < 0) throw valueError('num_workers option should be non-negative; use num_workers=0 to disable multiprocessing.')
    if (num_workers > 0) {
      throw notImplementedError(
        `num_workers=${num_workers} is not available: samples are read in the loop itself. Use num_workers=0, and promises with \`for await\` to read ahead.`,
      )
    }
    if (dataset instanceof IterableDataset) {
      const unspecified = (name: string, value: unknown): void => {
        if (value)
          throw valueError(
            `DataLoader with IterableDataset: expected unspecified ${name} option, but got ${name}=${pythonRepr(value, 'list')}`,
          )
      }
      unspecified('shuffle', o.shuffle)
      unspecified('sampler', sampler)
      unspecified('batch_sampler', batch_sampler)
    }
    const shuffle = o.shuffle ?? false
    if (sampler && shuffle) throw valueError('sampler option is mutually exclusive with shuffle')
    if (batch_sampler) {
      if (batch_size !== 1 || shuffle || sampler || drop_last) {
        throw valueError('batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last')
      }
    } else if (batch_size === null && drop_last) {
      throw valueError('batch_size=None option disables auto-batching and is mutually exclusive with drop_last')
    }
    this.dataset = dataset
    this.generator = o.generator ?? null
    this.num_workers = num_workers
    this.drop_last = drop_last
    this.batch_size = batch_sampler ? null : batch_size
    if (dataset instanceof IterableDataset) {
      if (batch_size !== null && (!Number.isInteger(batch_size) || batch_size <= 0)) {
        throw valueError(`batch_size should be a positive integer value, but got batch_size=${pythonRepr(batch_size)}`)
      }
      this.sampler = null
      this.batch_sampler = null
    } else {
      this.sampler =
        sampler ?? (shuffle ? new RandomSampler(dataset as Sized, { generator: this.generator }) : new SequentialSampler(dataset as Sized))
      this.batch_sampler = batch_sampler ?? (batch_size === null ? null : new BatchSampler(this.sampler, batch_size, drop_last))
    }
    const batched = this.batch_sampler !== null || (dataset instanceof IterableDataset && batch_size !== null)
    this.#rows = !o.collate_fn && batched ? rowReader(dataset) : null
    this.collate_fn = o.collate_fn ?? ((batched ? default_collate : default_convert) as unknown as (samples: T[]) => Batch)
  }

  /** How many batches (without batches: samples) a pass has. Throws a TypeError when the data set's length is not known. */
  get length(): number {
    if (this.dataset instanceof IterableDataset) {
      const n = this.dataset.length
      if (n === undefined) throw typeError(`object of type '${this.dataset.constructor.name}' has no len()`)
      if (this.batch_size === null) return n
      return this.drop_last ? Math.floor(n / this.batch_size) : Math.ceil(n / this.batch_size)
    }
    return (this.batch_sampler as (Iterable<unknown> & Sized) | null)?.length ?? (this.sampler as Iterable<unknown> & Sized).length
  }

  /** One pass. */
  [Symbol.iterator](): IterableIterator<Batch> {
    this.#begin()
    return this.#pass()
  }

  /** One pass that waits for samples that are promises. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Awaited<Batch>> {
    this.#begin()
    return this.#asyncPass()
  }

  /** PyTorch draws a seed for its workers at the beginning of each pass, even when there are none. */
  #begin(): void {
    drawSeed(this.generator)
  }

  *#pass(): IterableIterator<Batch> {
    const { dataset } = this
    if (dataset instanceof IterableDataset) {
      if (this.batch_size === null) {
        for (const sample of dataset) yield this.collate_fn(sample as unknown as T[])
        return
      }
      let samples: T[] = []
      for (const sample of dataset) {
        samples.push(sample)
        if (samples.length < this.batch_size) continue
        yield this.collate_fn(samples)
        samples = []
      }
      if (samples.length > 0 && !this.drop_last) yield this.collate_fn(samples)
    } else if (this.batch_sampler) {
      for (const indices of this.batch_sampler) {
        if (this.#rows) yield this.#rows(indices) as Batch
        else yield this.collate_fn(indices.map((index) => sampleOf(dataset, index)))
      }
    } else {
      for (const index of this.sampler as Iterable<number>) yield this.collate_fn(sampleOf(dataset, index) as unknown as T[])
    }
  }

  async *#asyncPass(): AsyncIterableIterator<Awaited<Batch>> {
    const { dataset } = this
    if (dataset instanceof IterableDataset) {
      let samples: T[] = []
      for await (const sample of dataset[Symbol.asyncIterator] ? (dataset as AsyncIterable<T>) : dataset) {
        if (this.batch_size === null) {
          yield await this.collate_fn(sample as unknown as T[])
          continue
        }
        samples.push(sample)
        if (samples.length < this.batch_size) continue
        yield await this.collate_fn(samples)
        samples = []
      }
      if (samples.length > 0 && !this.drop_last) yield await this.collate_fn(samples)
    } else if (this.batch_sampler) {
      for (const indices of this.batch_sampler) {
        if (this.#rows) yield this.#rows(indices) as Awaited<Batch>
        else yield await this.collate_fn((await Promise.all(indices.map((index) => sampleOf(dataset, index)))) as T[])
      }
    } else {
      for (const index of this.sampler as Iterable<number>) yield await this.collate_fn((await sampleOf(dataset, index)) as unknown as T[])
    }
  }
}

/** Reads several rows at once from tensors, through subsets too. */
function rowReader(dataset: unknown): ((indices: readonly number[]) => unknown) | null {
  if (dataset instanceof TensorDataset) return (indices) => dataset.rows(indices)
  if (dataset instanceof Subset) {
    const inner = rowReader(dataset.dataset)
    return inner && ((indices) => inner(indices.map((index) => dataset.indices[index] as number)))
  }
  return null
}
