// Tensors of the device, read: promises. What they give is made of words of 32 bits, one an element and two for complex64 (see engine/webgpu/device.h).
import { BUILTIN } from '../generated/calls.js'
import type { DType } from '../types/dtype.js'
import { dtypeIndex } from '../dtype.js'
import { Arguments, builtin, builtinInt, fail, readInts, readScalar, wrap } from '../runtime/call.js'
import { host } from '../runtime/host.js'
import type { Tensor } from '../tensor.js'
import { current, flushSoon, needed } from './state.js'

/** Is there a device at all? Then tensors have to be asked where they are. */
export const maybeOnDevice = (): boolean => current() !== null || used

let used = false
export function markUsed(): void {
  used = true
}

/** Not on the cpu. */
export const isOnDevice = (t: Tensor): boolean => maybeOnDevice() && builtinInt(BUILTIN.device, t.handle) !== 0

const FLOATS: ReadonlySet<DType> = new Set(['float16', 'bfloat16', 'float32'])

function fromWords(words: ArrayBuffer, dtype: DType): Tensor {
  const complex = dtype === 'complex64'
  const floats = complex || FLOATS.has(dtype)
  const array = floats ? new Float32Array(words) : new Int32Array(words)
  new Arguments().numbers([complex ? array.length / 2 : array.length])
  return wrap(host.fromBytes(dtypeIndex(complex ? dtype : floats ? 'float32' : 'int32'), array))
}

/** A copy on the cpu, with the strides of a dense tensor. Not tracked by autograd. */
export async function readTensor(t: Tensor): Promise<Tensor> {
  const { driver } = needed()
  const sizes = readInts(builtin(BUILTIN.sizes, t.handle))
  const strides = readInts(builtin(BUILTIN.strides, t.handle))
  const dtype = t.dtype as DType
  const { ticket, words } = driver.expectRead()
  words.catch(() => undefined)
  const kind = builtin(BUILTIN.webgpu_request, t.handle, ticket)
  if (kind <= 0) {
    driver.dropRead(ticket)
    fail()
  }
  const dense = readScalar(kind) as boolean
  flushSoon()
  const flat = fromWords(await words, dtype)
  const same = dtype === 'float32' || dtype === 'int32' || dtype === 'complex64'
  const own = same ? flat : (flat.to(dtype) as Tensor)
  if (own !== flat) flat.dispose()
  if (!dense) return own.reshape(sizes) as Tensor
  return own.as_strided(sizes, strides) as Tensor
}
