// mT, H and mH of tensors. They are properties of `this`: a property that is an error for some shapes would take from Tensor<S> that it is a Tensor.
import { matrix_transpose_error_rank, matrix_transpose_error_rank_2 } from './generated/error_texts.js'
import type { matrix_transpose_error_rank as RankError } from './generated/shape_errors.js'
import { TorchError } from './runtime/errors.js'
import { Tensor } from './tensor.js'
import type { DeviceType, DType } from './types/dtype.js'
import type { DynamicShape, MatrixTransposeShape, Shape } from './types/shapes.js'

interface Known<S, D, Dev> {
  readonly shape: S
  readonly dtype: D
  readonly device: Dev
}
/** Bad: ranks that have no such transpose. */
type Transposed<This, Name, Bad extends number> =
  This extends Known<infer S extends Shape, infer D extends DType, infer Dev extends DeviceType>
    ? number extends S['length']
      ? Tensor<DynamicShape, D, Dev>
      : S['length'] extends Bad
        ? RankError<Name, S['length']>
        : Tensor<MatrixTransposeShape<S>, D, Dev>
    : never
type OfMatrix<This, Name> =
  This extends Known<infer S extends Shape, infer D extends DType, infer Dev extends DeviceType>
    ? number extends S['length']
      ? Tensor<DynamicShape, D, Dev>
      : S['length'] extends 0 | 2
        ? Tensor<MatrixTransposeShape<S>, D, Dev>
        : RankError<Name, S['length']>
    : never

export interface TensorTransposes {
  /** The last two dimensions exchanged. */
  readonly mT: Transposed<this, 'mT', 0 | 1>
  /** The conjugate of a matrix, transposed. */
  readonly H: OfMatrix<this, 'H'>
  /** The conjugates of matrices, their last two dimensions exchanged. */
  readonly mH: Transposed<this, 'mH', 1>
}

const property = (name: string, get: (this: Tensor) => Tensor): void => {
  Object.defineProperty(Tensor.prototype, name, { get, configurable: true, enumerable: false })
}
property('mT', function () {
  if (this.ndim < 2) throw new TorchError(matrix_transpose_error_rank('mT', String(this.ndim)), 'RuntimeError')
  return this.transpose(-2, -1) as Tensor
})
property('H', function () {
  const n = this.ndim
  if (n !== 0 && n !== 2) {
    const more = n > 2 ? ' For batches of matrices, consider using tensor.mH' : ''
    throw new TorchError(matrix_transpose_error_rank_2('H', String(n), more), 'RuntimeError')
  }
  return (n === 0 ? this.conj() : this.adjoint()) as Tensor
})
property('mH', function () {
  if (this.ndim === 1) throw new TorchError(matrix_transpose_error_rank('mH', '1'), 'RuntimeError')
  return this.adjoint() as Tensor
})
