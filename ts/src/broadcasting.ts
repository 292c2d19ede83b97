// Shapes that broadcast together, without tensors.
import { typeName } from './runtime/arguments.js'
import { TorchError } from './runtime/errors.js'
import type { Shape } from './types/shapes.js'

function sizes(v: number | readonly number[]): readonly number[] {
  const list = typeof v === 'number' ? [v] : v
  if (!Array.isArray(list) || !list.every((n) => Number.isInteger(n)))
    throw new TorchError(`Input shapes should be of type ints, a tuple of ints, or a list of ints, got ${typeName(v)}`, 'RuntimeError')
  const bad = list.find((n: number) => n < 0)
  if (bad !== undefined) throw new TorchError(`Trying to create tensor with negative dimension (${bad}): (${bad})`, 'RuntimeError')
  return list as readonly number[]
}

/** PyTorch's way of writing a tuple. */
const tuple = (v: readonly number[]): string => (v.length === 1 ? `(${v[0]},)` : `(${v.join(', ')})`)

/**
 * The shape that all of the shapes broadcast to. A number is a shape of one dimension.
 *
 *     broadcast_shapes([2, 1], [3]) // [2, 3]
 */
export function broadcast_shapes(...shapes: (number | readonly number[])[]): number[] {
  const lists = shapes.map((s) => sizes(s))
  const result: number[] = new Array<number>(Math.max(0, ...lists.map((s) => s.length))).fill(1)
  lists.forEach((shape, index) => {
    for (let k = 1; k <= shape.length; k++) {
      const n = shape[shape.length - k]!
      const at = result.length - k
      if (n === 1 || n === result[at]) continue
      if (result[at] !== 1)
        throw new TorchError(
          `Attempting to broadcast a dimension of length ${n} at ${-k}! Mismatching argument at index ${index} had ${tuple(shape)}; but expected shape should be broadcastable to [${result.join(', ')}]`,
          'RuntimeError',
        )
      result[at] = n
    }
  })
  return result
}

/** `broadcast_shapes` of two shapes. */
export function broadcastShapes(a: Shape, b: Shape): number[] {
  return broadcast_shapes(a, b)
}

/** Whether a tensor of shape `from` can be expanded to shape `to`. */
export function canBroadcastTo(from: Shape, to: Shape): boolean {
  const [a, b] = [sizes(from), sizes(to)]
  return a.length <= b.length && a.every((n, k) => n === 1 || n === b[k + b.length - a.length])
}

/** Whether an operator on two tensors of these shapes has to broadcast one of them. */
export function needsBroadcast(a: Shape, b: Shape): boolean {
  const [x, y] = [sizes(a), sizes(b)]
  return x.length !== y.length || x.some((n, k) => n !== y[k])
}
