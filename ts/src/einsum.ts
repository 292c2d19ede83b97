// einsum: sums of products in Einstein's notation. The engine reads the equation (engine/ops/einsum.c); here are the forms of the call.
import { einsum_error_index_out_of_range, einsum_error_invalid_sublist_element } from './generated/error_texts.js'
import { $einsum } from './generated/functions.js'
import { isOptions, typeName } from './runtime/arguments.js'
import { TorchError } from './runtime/errors.js'
import { Tensor } from './tensor.js'
import type { DeviceType, DType, SameFloat } from './types/dtype.js'
import type { SublistEinsumShape, ValidatedEinsumShape } from './types/einsum.js'
import type { Checked } from './types/results.js'
import type { Shape, ShapesOf } from './types/shapes.js'

/** `...` in a sublist of `einsum`. */
export const Ellipsis: unique symbol = Symbol('torch.Ellipsis')
export type Ellipsis = typeof Ellipsis

export interface EinsumOptions {
  /**
   * The order of contraction: pairs of places in the list of operands; both leave it and their product goes to its end. By default the engine
   * chooses: the best order for up to 8 operands, a greedy one for more.
   */
  readonly path?: readonly number[] | null
}

type DeviceOf<T extends readonly Tensor[]> = T[number] extends Tensor<Shape, DType, infer Dev> ? Dev : DeviceType
type TensorsIn<Args extends readonly unknown[]> = Extract<Args[number], Tensor>
type Result<S, T> = Checked<
  S,
  T extends { readonly dtype: infer D } ? SameFloat<D> : DType,
  T extends { readonly device: infer Dev } ? Dev : DeviceType
>

function letter(index: unknown): string {
  if (index === Ellipsis) return '...'
  if (typeof index !== 'number' || !Number.isInteger(index))
    throw new TorchError(einsum_error_invalid_sublist_element(typeof index === 'number' ? String(index) : typeName(index)), 'TypeError')
  if (index < 0 || index >= 52) throw new TorchError(einsum_error_index_out_of_range(), 'ValueError')
  return String.fromCharCode(index < 26 ? 65 + index : 71 + index)
}
function subscripts(list: unknown): string {
  if (!Array.isArray(list)) throw new TorchError(`einsum(): a subscript list must be a list, not ${typeName(list)}`, 'TypeError')
  return list.map(letter).join('')
}

/**
 * Sums of products of elements in Einstein's notation. Operands are arguments of their own or one array; or operands and lists of numbers take
 * turns, the output's list last.
 *
 *     torch.einsum('bij,bjk->bik', a, b)
 *     torch.einsum('...ij->...ji', x)
 *     torch.einsum(a, [0, 1], b, [1, 2], [0, 2])
 *
 * `einsum(equation, *operands)`
 */
export function einsum<const E extends string, const T extends readonly Tensor[]>(
  equation: E,
  operands: T,
  options?: EinsumOptions,
): Checked<ValidatedEinsumShape<E, ShapesOf<T>>, SameFloat<T[number]['dtype']>, DeviceOf<T>>
export function einsum<const E extends string, T extends readonly [Tensor, ...Tensor[]]>(
  equation: E,
  ...operands: T
): Checked<ValidatedEinsumShape<E, ShapesOf<T>>, SameFloat<T[number]['dtype']>, DeviceOf<T>>
export function einsum<const Args extends readonly [Tensor, readonly unknown[], ...(Tensor | readonly unknown[])[]]>(
  ...operandsAndSublists: Args
): Result<SublistEinsumShape<Args>, TensorsIn<Args>>
export function einsum(...args: unknown[]): unknown {
  const options = args.length > 1 && isOptions(args.at(-1)) ? [args.at(-1)] : []
  const given = options.length > 0 ? args.slice(0, -1) : args
  if (given.length < 2)
    throw new TorchError(
      'einsum(): must specify the equation string and at least one operand, or at least one operand and its subscripts list',
      'ValueError',
    )
  let equation = given[0]
  let operands: readonly unknown[] = given.slice(1)
  if (equation instanceof Tensor) {
    const lists = given.filter((_, i) => i % 2 === 1)
    equation = lists.map(subscripts).join(',')
    operands = given.filter((_, i) => i % 2 === 0)
    if (given.length % 2 === 1) {
      equation = `${equation as string}->${subscripts(given.at(-1))}`
      operands = operands.slice(0, -1)
    }
  } else if (operands.length === 1 && Array.isArray(operands[0])) {
    operands = operands[0] as unknown[]
  }
  return $einsum(0, equation, operands, ...options)
}
