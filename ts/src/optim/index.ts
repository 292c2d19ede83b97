// torch.optim

export { Optimizer } from './optimizer.js'
export type { Closure, OptimizerStateDict, ParamGroup, Params, ParamState } from './optimizer.js'
export { SGD } from './sgd.js'
export type { SGDOptions } from './sgd.js'
export { Adam, AdamW } from './adam.js'
export type { AdamOptions, AdamWOptions } from './adam.js'
export * as lr_scheduler from './lr_scheduler.js'
