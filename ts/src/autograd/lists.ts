// Arguments of autograd's functions.
import { typeName } from '../runtime/arguments.js'
import { TorchError } from '../runtime/errors.js'
import { Tensor } from '../tensor.js'

export type Tensors = Tensor | readonly Tensor[]

/** One tensor or several, as a list. */
export function tensorList(v: Tensor | readonly (Tensor | null)[], name: string, argument: string, nulls?: false): Tensor[]
export function tensorList(v: Tensor | readonly (Tensor | null)[], name: string, argument: string, nulls: true): (Tensor | null)[]
export function tensorList(v: Tensor | readonly (Tensor | null)[], name: string, argument: string, nulls = false): (Tensor | null)[] {
  const list = v instanceof Tensor ? [v] : v
  if (!Array.isArray(list))
    throw new TorchError(`${name}(): argument '${argument}' must be Tensor or tuple of Tensors, not ${typeName(v)}`, 'TypeError')
  list.forEach((t: unknown, i) => {
    if (!(t instanceof Tensor) && !(nulls && (t === null || t === undefined))) {
      throw new TorchError(
        `${name}(): argument '${argument}' must be tuple of Tensors, but found element of type ${typeName(t)} at pos ${i}`,
        'TypeError',
      )
    }
  })
  return list as (Tensor | null)[]
}

/** Complains of keys that are not known. */
export function checkOptions(name: string, options: object, known: readonly string[]): void {
  for (const key of Object.keys(options)) {
    if (!known.includes(key))
      throw new TorchError(`${name}() got an unexpected keyword argument '${key}' (known: ${known.join(', ')})`, 'TypeError')
  }
}
