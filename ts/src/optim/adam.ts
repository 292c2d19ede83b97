// Adam and AdamW.

import { BUILTIN } from '../generated/calls.js'
import { zeros_like } from '../creation.js'
import { valueError } from '../nn/errors.js'
import { readArguments, type Arguments as ConstructorArguments } from '../nn/options.js'
import { pythonFloat, pythonNumber } from '../nn/text.js'
import { Arguments, fail, freeHandles } from '../runtime/call.js'
import { Tensor } from '../tensor.js'
import { gradHandles } from './gradients.js'
import { checkFused, checkLr, checkNotNegative, Optimizer, optionNumber, type ParamGroup, type Params } from './optimizer.js'

/** Options of Adam and AdamW, as an argument of the constructor and of a parameter group. */
export interface AdamOptions {
  /** Learning rate. Default: 1e-3. */
  lr?: number | Tensor
  /** How much of the running means of gradient and square stays at each step. Default: [0.9, 0.999]. */
  betas?: readonly [number | Tensor, number | Tensor]
  /** Added to the root of the second moment. Default: 1e-8. */
  eps?: number
  /** Adam: L2 penalty, default 0. AdamW: decay of the parameters themselves, default 0.01. */
  weight_decay?: number
  /** Divide by the largest second moment so far. Default: false. */
  amsgrad?: boolean
  /** Ascend instead of descend. Default: false. */
  maximize?: boolean
  /** Accepted as PyTorch does; there is one way to compute the step. */
  foreach?: boolean | null
  /** Accepted as PyTorch does; there are no graphs to be captured in. */
  capturable?: boolean
  /** Accepted as PyTorch does; steps are never recorded. */
  differentiable?: boolean
  /** Accepted as PyTorch does; every step is fused. */
  fused?: boolean | null
  /** Adam only: weight decay as in AdamW. Default: false. */
  decoupled_weight_decay?: boolean
}
export type AdamWOptions = Omit<AdamOptions, 'decoupled_weight_decay'>

type AdamArguments<Options> = ConstructorArguments<
  [params: Params<AdamOptions>],
  [lr: number | Tensor, betas: readonly [number | Tensor, number | Tensor], eps: number, weight_decay: number, amsgrad: boolean],
  Options & { params: Params<AdamOptions> }
>

const ORDER = ['params', 'lr', 'betas', 'eps', 'weight_decay', 'amsgrad'] as const
const KEYWORDS = ['foreach', 'maximize', 'capturable', 'differentiable', 'fused'] as const

function checkedDefaults(o: AdamOptions, weightDecay: number, decoupled: boolean): Record<string, unknown> {
  const { lr = 1e-3, betas = [0.9, 0.999], eps = 1e-8, weight_decay = weightDecay, amsgrad = false } = o
  const { maximize = false, foreach = null, capturable = false, differentiable = false, fused = null } = o
  if (lr instanceof Tensor) {
    if (foreach && !capturable) throw valueError('lr as a Tensor is not supported for capturable=False and foreach=True')
  }
  checkLr(lr)
  if (!(eps >= 0)) throw valueError(`Invalid epsilon value: ${pythonNumber(eps)}`)
  betas.forEach((beta, i) => {
    const value = optionNumber(beta)
    if (!(value >= 0 && value < 1)) throw valueError(`Invalid beta parameter at index ${i}: ${pythonFloat(value)}`)
  })
  checkNotNegative('weight_decay', weight_decay)
  if (betas[0] instanceof Tensor !== betas[1] instanceof Tensor) throw valueError('betas must be either both floats or both Tensors')
  betas.forEach((beta, i) => {
    if (!(beta instanceof Tensor)) return
    if (!capturable && foreach) throw valueError(`betas[${i}] as a Tensor is not supported for capturable=False and foreach=True`)
    if (beta.numel() !== 1) throw valueError(`Tensor betas[${i}] must be 1-element`)
  })
  checkFused({ fused, foreach, differentiable })
  return {
    lr,
    betas: [...betas],
    eps,
    weight_decay,
    amsgrad,
    maximize,
    foreach,
    capturable,
    differentiable,
    fused,
    decoupled_weight_decay: decoupled,
  }
}

abstract class AdamBase extends Optimizer {
  protected override update(group: ParamGroup): void {
    // A parameter without a gradient keeps its state, and none is made for it.
    const all = gradHandles(group.params)
    try {
      const params: Tensor[] = []
      const grads: number[] = []
      all.forEach((handle, i) => {
        if (handle <= 0) return
        params.push(group.params[i] as Tensor)
        grads.push(handle)
      })
      if (params.length === 0) return
      const amsgrad = group['amsgrad'] as boolean
      const states = params.map((param) => {
        const state = this.stateOf(param)
        if (state['step'] === undefined) {
          state['step'] = 0
          state['exp_avg'] = zeros_like(param)
          state['exp_avg_sq'] = zeros_like(param)
        }
        if (amsgrad) state['max_exp_avg_sq'] ??= zeros_like(param)
        return state
      })
      const tensors = (name: string): Tensor[] => states.map((state) => state[name] as Tensor)
      // Before any argument is written: reading a tensor is a call too, and calls share the buffer.
      const lr = optionNumber(group.lr)
      const [beta1, beta2] = (group['betas'] as [unknown, unknown]).map(optionNumber) as [number, number]
      const call = new Arguments().tensors(params).numbers(grads).tensors(tensors('exp_avg')).tensors(tensors('exp_avg_sq'))
      call.tensors(amsgrad ? tensors('max_exp_avg_sq') : [])
      call.numbers(states.map((state) => (state['step'] as number) + 1))
      call
        .number(lr)
        .number(beta1)
        .number(beta2)
        .number(group['eps'] as number)
      call.number(group['weight_decay'] as number).bool((group['decoupled_weight_decay'] as boolean | undefined) ?? false)
      call.bool(amsgrad).bool(group['maximize'] as boolean)
      if (call.call(BUILTIN.adam_step) <= 0) fail()
      for (const state of states) state['step'] = (state['step'] as number) + 1
    } finally {
      freeHandles(all)
    }
  }
}

/**
 * Adam (Kingma and Ba, 2014). All parameters of a group are updated in one call. Throws a ValueError for a learning rate, eps, beta or weight
 * decay out of range.
 */
export class Adam extends AdamBase {
  constructor(...args: AdamArguments<AdamOptions>) {
    const o = readArguments<AdamOptions & { params: Params }>('Adam', args, ORDER, 1, [...KEYWORDS, 'decoupled_weight_decay'])
    super(o.params, checkedDefaults(o, 0, o.decoupled_weight_decay ?? false))
  }
}

/** Adam with weight decay of the parameters themselves (Loshchilov and Hutter, 2017). The errors are those of Adam. */
export class AdamW extends AdamBase {
  constructor(...args: AdamArguments<AdamWOptions>) {
    const o = readArguments<AdamWOptions & { params: Params }>('AdamW', args, ORDER, 1, KEYWORDS)
    super(o.params, checkedDefaults(o, 1e-2, true))
  }
}
