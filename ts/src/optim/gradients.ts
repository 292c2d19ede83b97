// Gradients as handles: a step reads them without making objects of them.

import { BUILTIN } from '../generated/calls.js'
import { builtin, fail, freeHandles } from '../runtime/call.js'
import type { Tensor } from '../tensor.js'

/** A handle for each parameter's gradient, 0 where there is none. They are to be given to freeHandles. */
export function gradHandles(params: readonly Tensor[]): number[] {
  const handles: number[] = []
  for (const param of params) {
    const handle = builtin(BUILTIN.grad, param.handle)
    if (handle < 0) {
      freeHandles(handles)
      fail()
    }
    handles.push(handle)
  }
  return handles
}
