// Functions that ask a tensor for what its methods tell too.
import { typeName } from './runtime/arguments.js'
import { TorchError } from './runtime/errors.js'
import { Tensor } from './tensor.js'

function check(name: string, v: unknown): asserts v is Tensor {
  if (!(v instanceof Tensor))
    throw new TorchError(`${name}(): argument 'input' (position 1) must be Tensor, not ${typeName(v)}`, 'TypeError')
}

export function numel(input: Tensor): number {
  check('numel', input)
  return input.numel()
}

export function is_floating_point(input: Tensor): boolean {
  check('is_floating_point', input)
  return input.is_floating_point()
}

export function is_complex(input: Tensor): boolean {
  check('is_complex', input)
  return input.is_complex()
}
