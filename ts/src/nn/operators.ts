// How modules reach the operators: by name, once, when the package loads. A name that this build has no operator for fails when it is called,
// and says which one it was.

import * as functional from '../generated/functional.js'
import * as functions from '../generated/functions.js'
import type { Tensor } from '../tensor.js'
import { notImplementedError } from './errors.js'

/** An operator with its arguments in PyTorch's order. */
export type Operator<Result = Tensor> = (...args: unknown[]) => Result

/** nn.functional.NAME, or else torch.NAME. */
export function operator<Result = Tensor>(name: string): Operator<Result> {
  const found = findOperator(name)
  if (found) return found as Operator<Result>
  return () => {
    throw notImplementedError(`nn.functional.${name} is not available in this version`)
  }
}

/** The same, or null where there is none. */
export function findOperator(name: string): Operator<unknown> | null {
  const value = (functional as Record<string, unknown>)[name] ?? (functions as Record<string, unknown>)[name]
  return typeof value === 'function' ? (value as Operator<unknown>) : null
}
