// Stochastic gradient descent.

import { BUILTIN } from '../generated/calls.js'
import { valueError } from '../nn/errors.js'
import { readArguments, type Arguments as ConstructorArguments } from '../nn/options.js'
import { pythonNumber } from '../nn/text.js'
import { Arguments, fail, freeHandles } from '../runtime/call.js'
import { host } from '../runtime/host.js'
import { Tensor } from '../tensor.js'
import { gradHandles } from './gradients.js'
import { checkFused, checkLr, checkNotNegative, Optimizer, optionNumber, type ParamGroup, type Params } from './optimizer.js'

/** Options of SGD, as an argument of the constructor and of a parameter group. */
export interface SGDOptions {
  /** Learning rate. Default: 1e-3. */
  lr?: number | Tensor
  /** How much of the last update stays in the next one. Default: 0. */
  momentum?: number
  /** How much of the gradient is kept out of the momentum. Default: 0. */
  dampening?: number
  /** L2 penalty. Default: 0. */
  weight_decay?: number | Tensor
  /** Nesterov's momentum; needs momentum and no dampening. Default: false. */
  nesterov?: boolean
  /** Ascend instead of descend. Default: false. */
  maximize?: boolean
  /** Accepted as PyTorch does; there is one way to compute the step. */
  foreach?: boolean | null
  /** Accepted as PyTorch does; steps are never recorded. */
  differentiable?: boolean
  /** Accepted as PyTorch does; every step is fused. */
  fused?: boolean | null
}

/**
 * Stochastic gradient descent: p ← p − lr · g, with momentum, Nesterov's momentum and weight decay. All parameters of a group are updated in
 * one call. Throws a ValueError for a negative learning rate, momentum or weight decay.
 */
export class SGD extends Optimizer {
  constructor(
    ...args: ConstructorArguments<
      [params: Params<SGDOptions>],
      [lr: number | Tensor, momentum: number, dampening: number, weight_decay: number | Tensor, nesterov: boolean],
      SGDOptions & { params: Params<SGDOptions> }
    >
  ) {
    const o = readArguments<SGDOptions & { params: Params }>(
      'SGD',
      args,
      ['params', 'lr', 'momentum', 'dampening', 'weight_decay', 'nesterov'],
      1,
      ['maximize', 'foreach', 'differentiable', 'fused'],
    )
    const { lr = 1e-3, momentum = 0, dampening = 0, weight_decay = 0, nesterov = false } = o
    checkLr(lr)
    if (momentum < 0) throw valueError(`Invalid momentum value: ${pythonNumber(momentum)}`)
    checkNotNegative('weight_decay', weight_decay)
    const { maximize = false, foreach = null, differentiable = false, fused = null } = o
    if (nesterov && (momentum <= 0 || dampening !== 0)) throw valueError('Nesterov momentum requires a momentum and zero dampening')
    super(o.params, { lr, momentum, dampening, weight_decay, nesterov, maximize, foreach, differentiable, fused })
    checkFused({ fused, foreach, differentiable })
  }

  protected override update(group: ParamGroup): void {
    const params = group.params
    const momentum = group['momentum'] as number
    // Before any argument is written: reading a tensor is a call too, and calls share the buffer.
    const lr = optionNumber(group.lr)
    const weightDecay = optionNumber(group['weight_decay'])
    const grads = gradHandles(params)
    try {
      const call = new Arguments().tensors(params).numbers(grads)
      if (momentum === 0) call.numbers([])
      else call.tensors(params.map((param) => (this.state.get(param)?.['momentum_buffer'] as Tensor | undefined) ?? null))
      call
        .number(lr)
        .number(momentum)
        .number(group['dampening'] as number)
      call
        .number(weightDecay)
        .bool(group['nesterov'] as boolean)
        .bool(group['maximize'] as boolean)
      if (call.call(BUILTIN.sgd_step) <= 0) fail()
      if (momentum === 0) return
      const made = Array.from(host.f64.subarray(0, params.length))
      made.forEach((handle, i) => {
        if (handle > 0) this.stateOf(params[i] as Tensor)['momentum_buffer'] = new Tensor(handle)
      })
    } finally {
      freeHandles(grads)
    }
  }
}
