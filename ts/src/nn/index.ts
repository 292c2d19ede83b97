// torch.nn

export { Module } from './module.js'
export type { ForwardArguments, ForwardResult, NamedOptions, ToArguments } from './module.js'
export { IncompatibleKeys } from './state_dict.js'
export type { StateDict } from './state_dict.js'
export { Buffer, Parameter } from './parameter.js'
export type { BufferOptions, ParameterOptions } from './parameter.js'
export {
  RemovableHandle,
  register_module_backward_hook,
  register_module_buffer_registration_hook,
  register_module_forward_hook,
  register_module_forward_pre_hook,
  register_module_full_backward_hook,
  register_module_full_backward_pre_hook,
  register_module_module_registration_hook,
  register_module_parameter_registration_hook,
} from './hooks.js'
export type {
  BackwardHook,
  BackwardPreHook,
  BufferRegistrationHook,
  ForwardHook,
  ForwardPreHook,
  HookOptions,
  ModuleRegistrationHook,
  ParameterRegistrationHook,
} from './hooks.js'
export type { Size1, Size2, Size3 } from './options.js'
export { ModuleDict, ModuleList, ParameterDict, ParameterList, Sequential } from './containers.js'
export type { ModuleEntries, ParameterValue } from './containers.js'
export * from './lazy.js'
export { Bilinear, Identity, Linear } from './linear.js'
export type { BilinearOptions, FactoryOptions, LinearOptions } from './linear.js'
export * from './activation.js'
export { Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d } from './conv.js'
export type { ConvOptions, ConvTransposeOptions, PaddingMode } from './conv.js'
export * from './distance.js'
export * from './dropout.js'
export { Embedding } from './embedding.js'
export { EmbeddingBag } from './embedding_bag.js'
export type { EmbeddingBagFromPretrainedOptions, EmbeddingBagMode, EmbeddingBagOptions } from './embedding_bag.js'
export type { EmbeddingFromPretrainedOptions, EmbeddingOptions } from './embedding.js'
export {
  BCELoss,
  BCEWithLogitsLoss,
  CosineEmbeddingLoss,
  CrossEntropyLoss,
  HingeEmbeddingLoss,
  HuberLoss,
  KLDivLoss,
  L1Loss,
  MSELoss,
  MarginRankingLoss,
  NLLLoss,
  PoissonNLLLoss,
  SmoothL1Loss,
  SoftMarginLoss,
} from './loss.js'
export type {
  BCELossOptions,
  BCEWithLogitsLossOptions,
  CrossEntropyLossOptions,
  HuberLossOptions,
  KLDivLossOptions,
  L1LossOptions,
  LossOptions,
  MSELossOptions,
  MarginLossOptions,
  NLLLossOptions,
  PoissonNLLLossOptions,
  Reduction,
  SmoothL1LossOptions,
  SoftMarginLossOptions,
  WeightedLossOptions,
} from './loss.js'
export * from './margin_loss.js'
export * from './normalization.js'
export * from './padding.js'
export * from './pooling.js'
export * from './rnn.js'
export * from './shape.js'
export * from './unpooling.js'
export * from './upsampling.js'
export * as functional from './functional.js'
export * as init from './init.js'
export * as utils from './utils.js'
