// Options that many operators have alike. The generated `<Op>Options` extend these.
import type { Tensor } from '../tensor.js'
import type { DType, Scalar } from './dtype.js'

/**
 * Options of operators on the elements of one tensor.
 *
 *     const options: torch.UnaryOptions = { out: torch.empty(2, 3) }
 *     torch.exp(torch.zeros(2, 3), options)
 */
export interface UnaryOptions {
  /** A tensor that the result is written to. */
  readonly out?: Tensor | null
}

/**
 * Options of operators on the elements of two tensors.
 *
 *     const options: torch.BinaryOptions = { out: torch.empty(2, 3) }
 *     torch.maximum(torch.zeros(2, 3), torch.ones(3), options)
 */
export interface BinaryOptions {
  /** A tensor that the result is written to. */
  readonly out?: Tensor | null
}

/**
 * Options of operators that take dimensions out.
 *
 *     const sums: torch.Tensor<readonly [2, 1]> = torch.zeros(2, 3).sum({ dim: 1, keepdim: true } satisfies torch.ReductionOptions<1, true>)
 */
export interface ReductionOptions<Dim = number | readonly number[] | null, Keepdim = boolean> {
  /** The dimensions that go; all of them where none is named. */
  readonly dim?: Dim
  /** Whether they stay with size 1. */
  readonly keepdim?: Keepdim
}

/**
 * Options of `std`, `var` and their pairs with the mean.
 *
 *     const spread: torch.Tensor<readonly [3]> = torch.zeros(2, 3).std({ dim: 0, correction: 0 } satisfies torch.StdVarOptions<0>)
 */
export interface StdVarOptions<Dim = number | readonly number[] | null, Keepdim = boolean> extends ReductionOptions<Dim, Keepdim> {
  /** Whether the sum of squares is divided by one less than their number. */
  readonly unbiased?: boolean
  /** What is taken from their number instead. */
  readonly correction?: Scalar | null
}

/**
 * Options of operators that add up, or multiply, along a dimension.
 *
 *     const options: torch.CumulativeOptions<'float64'> = { dtype: 'float64' }
 *     const sums: torch.Tensor<readonly [2, 3], 'float64'> = torch.zeros(2, 3).cumsum(1, options)
 */
export interface CumulativeOptions<DT = DType | null> {
  /** The dtype that is computed in. */
  readonly dtype?: DT
  /** A tensor that the result is written to. */
  readonly out?: Tensor | null
}
