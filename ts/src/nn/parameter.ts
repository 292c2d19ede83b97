// Tensors that modules own: learned ones and others.

import { Tensor } from '../tensor.js'
import { BUILTIN } from '../generated/calls.js'
import { builtin, fail } from '../runtime/call.js'
import { empty } from '../creation.js'
import { runtimeError } from './errors.js'
import { isPlainObject } from './text.js'

/** The options of `new Parameter(data, options)`. */
export interface ParameterOptions {
  /** The values; the parameter shares their memory. Default: an empty tensor. */
  data?: Tensor
  /** Whether gradients are computed for it. Default: true. */
  requires_grad?: boolean
}

/** The options of `new Buffer(data, options)`. */
export interface BufferOptions {
  /** The values; the buffer shares their memory. Default: an empty tensor. */
  data?: Tensor
  /** Whether it is part of the state_dict. Default: true. */
  persistent?: boolean
}

/** A handle of a tensor that shares memory with `data` but has no history. */
function detachedHandle(data: Tensor | null | undefined): number {
  const detached = data ? data.detach() : empty([0])
  const handle = builtin(BUILTIN.retain, detached.handle)
  detached.dispose()
  if (handle <= 0) fail()
  return handle
}

/**
 * A tensor that a module learns: as a field of a module it is among `parameters()`. It shares the memory of `data`, has its shape and dtype,
 * is a leaf and requires a gradient unless told otherwise. Throws a RuntimeError when a gradient is asked for integers.
 */
export class Parameter extends Tensor {
  constructor(data?: Tensor | ParameterOptions | null, requires_grad: boolean | ParameterOptions = true) {
    const options: ParameterOptions = {
      ...(isPlainObject(data) ? (data as ParameterOptions) : { data: (data as Tensor | null | undefined) ?? undefined }),
      ...(typeof requires_grad === 'boolean' ? { requires_grad } : requires_grad),
      ...(isPlainObject(data) && (data as ParameterOptions).requires_grad !== undefined
        ? { requires_grad: (data as ParameterOptions).requires_grad }
        : {}),
    } as ParameterOptions
    const learned = options.requires_grad ?? true
    if (learned && options.data && !options.data.is_floating_point() && !options.data.is_complex()) {
      throw runtimeError('Only Tensors of floating point and complex dtype can require gradients')
    }
    super(detachedHandle(options.data))
    if (learned) this.requires_grad_(true)
  }

  override toString(): string {
    return `Parameter containing:\n${super.toString()}`
  }
}

/** A tensor that belongs to a module's state but is not learned. As a field of a module it is among `buffers()`. */
export class Buffer extends Tensor {
  /** Whether it is part of the state_dict. */
  readonly persistent: boolean

  constructor(data?: Tensor | BufferOptions | null, persistent: boolean | BufferOptions = true) {
    const options: BufferOptions = {
      ...(typeof persistent === 'boolean' ? { persistent } : persistent),
      ...(isPlainObject(data) ? (data as BufferOptions) : data ? { data: data as Tensor } : {}),
    }
    super(detachedHandle(options.data))
    this.persistent = options.persistent ?? true
  }
}
