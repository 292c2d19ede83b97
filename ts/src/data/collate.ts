// From samples to batches.

import { tensor as makeTensor } from '../creation.js'
import { stack } from '../generated/functions.js'
import { runtimeError, typeError } from '../nn/errors.js'
import { isPlainObject, typeName } from '../nn/text.js'
import { Tensor } from '../tensor.js'

/** The type of a batch of samples that default_collate puts together. */
export type Collated<T> = unknown extends T
  ? unknown
  : T extends Tensor | number | bigint | boolean | ArrayBufferView
    ? Tensor
    : T extends string
      ? readonly string[]
      : T extends Promise<infer Later>
        ? Collated<Later>
        : T extends readonly unknown[]
          ? { -readonly [K in keyof T]: Collated<T[K]> }
          : T extends object
            ? { [K in keyof T]: Collated<T[K]> }
            : unknown

/**
 * Puts samples together: tensors are stacked, numbers, bigints and booleans become one tensor, strings stay a list; arrays and objects are put
 * together item by item. Throws a RuntimeError for arrays of different lengths, a TypeError for anything else.
 */
export function default_collate<T>(batch: readonly T[]): Collated<T>
export function default_collate(batch: readonly unknown[]): unknown {
  const [first] = batch
  if (first instanceof Tensor) return stack(batch as Tensor[])
  switch (typeof first) {
    case 'number':
      return makeTensor(batch as number[])
    case 'bigint':
      return makeTensor(batch as bigint[])
    case 'boolean':
      return makeTensor(batch as boolean[])
    case 'string':
      return batch
  }
  if (ArrayBuffer.isView(first)) return stack(batch.map((item) => makeTensor(item as Float32Array)))
  if (Array.isArray(first)) {
    const lists = batch as readonly (readonly unknown[])[]
    if (lists.some((list) => list.length !== first.length)) throw runtimeError('each element in list of batch should be of equal size')
    return first.map((_, i) => default_collate(lists.map((list) => list[i])))
  }
  if (isPlainObject(first)) {
    const objects = batch as readonly Record<string, unknown>[]
    return Object.fromEntries(Object.keys(first).map((key) => [key, default_collate(objects.map((object) => object[key]))]))
  }
  throw typeError(`default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found <class '${typeName(first)}'>`)
}

/** Typed arrays within a sample become tensors; everything else stays. */
export function default_convert(sample: unknown): unknown {
  if (ArrayBuffer.isView(sample)) return makeTensor(sample as Float32Array)
  if (Array.isArray(sample)) return sample.map(default_convert)
  if (isPlainObject(sample)) return Object.fromEntries(Object.entries(sample).map(([key, item]) => [key, default_convert(item)]))
  return sample
}
