// Default dtype and the rules of type promotion.
import type { DType, Scalar } from './types/dtype.js'
import { dtypeIndex, dtypeName } from './dtype.js'
import { BUILTIN } from './generated/calls.js'
import { isScalar, typeName } from './runtime/arguments.js'
import { Arguments, builtinBool, builtinInt, builtinVoid, readScalar } from './runtime/call.js'
import { host } from './runtime/host.js'
import { TorchError } from './runtime/errors.js'
import { Tensor } from './tensor.js'

/** The dtype of floating results without one of their own. */
export function get_default_dtype(): DType {
  return dtypeName(builtinInt(BUILTIN.get_default_dtype))
}

/** float16, bfloat16, float32 or float64. */
export function set_default_dtype(dtype: DType): void {
  builtinVoid(BUILTIN.set_default_dtype, index('set_default_dtype', 'd', 1, dtype))
}

function index(name: string, argument: string, position: number, dtype: unknown): number {
  if (typeof dtype !== 'string')
    throw new TorchError(
      `${name}(): argument '${argument}' (position ${position}) must be torch.dtype, not ${typeName(dtype)}`,
      'TypeError',
    )
  return dtypeIndex(dtype)
}

/** The smallest dtype that both convert to without losing their kind. */
export function promote_types(type1: DType, type2: DType): DType {
  return dtypeName(builtinInt(BUILTIN.promote_types, index('promote_types', 'type1', 1, type1), index('promote_types', 'type2', 2, type2)))
}

/** Whether PyTorch's rules of casting allow the conversion. */
export function can_cast(from: DType, to: DType): boolean {
  return builtinBool(BUILTIN.can_cast, index('can_cast', 'from_', 1, from), index('can_cast', 'to', 2, to))
}

/** The dtype of an operation on these operands; numbers weigh less than tensors. */
export function result_type(a: Tensor | Scalar, b: Tensor | Scalar): DType {
  const call = new Arguments()
  const operands: unknown[] = [a, b]
  operands.forEach((v, i) => {
    if (v instanceof Tensor || isScalar(v)) call.operand(v)
    else
      throw new TorchError(
        `result_type(): argument '${i === 0 ? 'tensor' : 'other'}' (position ${i + 1}) must be Tensor, not ${typeName(v)}`,
        'TypeError',
      )
  })
  return dtypeName(Number(readScalar(call.call(BUILTIN.result_type))))
}

/** Whether the value is a Tensor. */
export const is_tensor = (v: unknown): v is Tensor => v instanceof Tensor

export function get_num_threads(): number {
  return builtinInt(BUILTIN.get_num_threads)
}

/** How many threads an operator may use, in this process. */
export function set_num_threads(n: number): void {
  if (!Number.isInteger(n)) throw new TorchError(`set_num_threads expects an int, but got ${typeName(n)}`, 'TypeError')
  if (n < 1) throw new TorchError('set_num_threads expects a positive integer', 'RuntimeError')
  builtinVoid(BUILTIN.set_num_threads, n)
  host.startThreads()
}
