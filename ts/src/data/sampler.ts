// Samplers: the order in which samples are visited. They draw from the generator as PyTorch's do, so that the same seed gives the same order.

import { empty, tensor as makeTensor } from '../creation.js'
import { multinomial, randint } from '../generated/functions.js'
import { typeError, valueError } from '../nn/errors.js'
import { readArguments, type Arguments } from '../nn/options.js'
import { pythonRepr } from '../nn/text.js'
import { Generator } from '../random.js'
import type { Tensor } from '../tensor.js'
import { numbers, permutation } from './dataset.js'

/** Anything with a length. */
export interface Sized {
  readonly length: number
}

/** @internal One int64 from a generator, as PyTorch draws its seeds. */
export function drawSeed(generator?: Generator | null): number | bigint {
  const drawn = (empty([], { dtype: 'int64', device: 'cpu' }) as Tensor).random_(generator ? { generator } : {})
  return (drawn as Tensor).item() as number | bigint
}

/** An order of samples. Subclasses define `[Symbol.iterator]` and `length`. */
export abstract class Sampler<T = number> implements Iterable<T> {
  abstract [Symbol.iterator](): Iterator<T>
  /** How many there are. */
  abstract get length(): number
}

/** 0, 1, 2, ... */
export class SequentialSampler extends Sampler {
  constructor(readonly data_source: Sized) {
    super()
  }
  *[Symbol.iterator](): Iterator<number> {
    for (let i = 0; i < this.length; i++) yield i
  }
  get length(): number {
    return this.data_source.length
  }
}

export interface RandomSamplerOptions {
  data_source: Sized
  /** Draw each sample independently of the others. Default: false. */
  replacement?: boolean
  /** Default: the data's length. */
  num_samples?: number | null
  /** Default: a new one for each pass, seeded from the generator of `torch.manual_seed`. */
  generator?: Generator | null
}

/** Random order. Throws a ValueError for a number of samples that is not positive. */
export class RandomSampler extends Sampler {
  readonly data_source: Sized
  readonly replacement: boolean
  readonly generator: Generator | null
  readonly #count: number | null

  constructor(
    ...args: Arguments<
      [data_source: Sized],
      [replacement: boolean, num_samples: number | null, generator: Generator | null],
      RandomSamplerOptions
    >
  ) {
    super()
    const o = readArguments<RandomSamplerOptions>('RandomSampler', args, ['data_source', 'replacement', 'num_samples', 'generator'], 1)
    this.data_source = o.data_source
    this.replacement = o.replacement ?? false
    this.generator = o.generator ?? null
    this.#count = o.num_samples ?? null
    if (typeof this.replacement !== 'boolean')
      throw typeError(`replacement should be a boolean value, but got replacement=${pythonRepr(this.replacement)}`)
    checkCount(this.num_samples)
  }

  get num_samples(): number {
    return this.#count ?? this.data_source.length
  }

  *[Symbol.iterator](): Iterator<number> {
    const n = this.data_source.length
    const generator = this.generator ?? new Generator().manual_seed(drawSeed())
    const count = this.num_samples
    if (this.replacement) {
      // In pieces of 32, as PyTorch draws them.
      for (let left = count; left >= 32; left -= 32) yield* numbers(randint(n, [32], { dtype: 'int64', device: 'cpu', generator }))
      yield* numbers(randint(n, [count % 32], { dtype: 'int64', device: 'cpu', generator }))
    } else {
      for (let left = count; left >= n; left -= n) yield* permutation(n, generator)
      // Drawn even when nothing of it is used: that, too, moves the generator on.
      yield* permutation(n, generator).slice(0, count % n)
    }
  }

  get length(): number {
    return this.num_samples
  }
}

function checkCount(num_samples: number): void {
  if (!Number.isInteger(num_samples) || num_samples <= 0) {
    throw valueError(`num_samples should be a positive integer value, but got num_samples=${pythonRepr(num_samples)}`)
  }
}

/** The given numbers in random order. */
export class SubsetRandomSampler extends Sampler {
  constructor(
    readonly indices: ArrayLike<number>,
    readonly generator: Generator | null = null,
  ) {
    super()
  }
  *[Symbol.iterator](): Iterator<number> {
    for (const i of permutation(this.indices.length, this.generator)) yield this.indices[i] as number
  }
  get length(): number {
    return this.indices.length
  }
}

export interface WeightedRandomSamplerOptions {
  weights: ArrayLike<number> | Tensor
  num_samples: number
  /** Draw each sample independently of the others. Default: true. */
  replacement?: boolean
  generator?: Generator | null
}

/** Numbers with these probabilities (weights need not add up to 1). Throws a ValueError for bad counts or weights of more dimensions. */
export class WeightedRandomSampler extends Sampler {
  readonly weights: Tensor
  readonly num_samples: number
  readonly replacement: boolean
  readonly generator: Generator | null

  constructor(
    ...args: Arguments<
      [weights: ArrayLike<number> | Tensor, num_samples: number],
      [replacement: boolean, generator: Generator | null],
      WeightedRandomSamplerOptions
    >
  ) {
    super()
    const o = readArguments<WeightedRandomSamplerOptions>(
      'WeightedRandomSampler',
      args,
      ['weights', 'num_samples', 'replacement', 'generator'],
      2,
    )
    checkCount(o.num_samples)
    this.replacement = o.replacement ?? true
    if (typeof this.replacement !== 'boolean')
      throw valueError(`replacement should be a boolean value, but got replacement=${pythonRepr(this.replacement)}`)
    this.weights = makeTensor((Array.isArray(o.weights) ? [...(o.weights as number[])] : o.weights) as number[], { dtype: 'float64' })
    if (this.weights.ndim !== 1) {
      throw valueError(
        `weights should be a 1d sequence but given weights have shape ${pythonRepr([...(this.weights.shape as readonly number[])])}`,
      )
    }
    this.num_samples = o.num_samples
    this.generator = o.generator ?? null
  }
  *[Symbol.iterator](): Iterator<number> {
    yield* numbers(multinomial(this.weights, this.num_samples, this.replacement, this.generator ? { generator: this.generator } : {}))
  }
  get length(): number {
    return this.num_samples
  }
}

export interface BatchSamplerOptions {
  sampler: Iterable<number>
  batch_size: number
  /** Leave out a last batch that is not full. */
  drop_last: boolean
}

/** What a sampler gives, in lists of batch_size. Throws a ValueError for a size that is not positive. */
export class BatchSampler extends Sampler<number[]> {
  readonly sampler: Iterable<number>
  readonly batch_size: number
  readonly drop_last: boolean

  constructor(...args: Arguments<[sampler: Iterable<number>, batch_size: number, drop_last: boolean], [], BatchSamplerOptions>) {
    super()
    const o = readArguments<BatchSamplerOptions>('BatchSampler', args, ['sampler', 'batch_size', 'drop_last'], 3)
    if (!Number.isInteger(o.batch_size) || o.batch_size <= 0) {
      throw valueError(`batch_size should be a positive integer value, but got batch_size=${pythonRepr(o.batch_size)}`)
    }
    if (typeof o.drop_last !== 'boolean')
      throw valueError(`drop_last should be a boolean value, but got drop_last=${pythonRepr(o.drop_last)}`)
    this.sampler = o.sampler
    this.batch_size = o.batch_size
    this.drop_last = o.drop_last
  }
  *[Symbol.iterator](): Iterator<number[]> {
    let batch: number[] = []
    for (const index of this.sampler) {
      batch.push(index)
      if (batch.length < this.batch_size) continue
      yield batch
      batch = []
    }
    if (batch.length > 0 && !this.drop_last) yield batch
  }
  get length(): number {
    const n = (this.sampler as Iterable<number> & Sized).length
    return this.drop_last ? Math.floor(n / this.batch_size) : Math.ceil(n / this.batch_size)
  }
}
