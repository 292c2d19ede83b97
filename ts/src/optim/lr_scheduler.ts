// torch.optim.lr_scheduler

export { LRScheduler } from './schedulers/base.js'
export type { SchedulerStateDict } from './schedulers/base.js'
export * from './schedulers/factors.js'
export * from './schedulers/cycles.js'
export * from './schedulers/compound.js'
