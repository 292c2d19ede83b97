// torch.autograd
export { backward, grad, type BackwardOptions, type GradOptions } from './backward.js'
export { Function, FunctionCtx, once_differentiable, type FunctionClass } from './function.js'
export { gradcheck, gradgradcheck, type GradcheckOptions, type GradgradcheckOptions } from './gradcheck.js'
export {
  detect_anomaly,
  enable_grad,
  inference_mode,
  is_anomaly_enabled as is_anomaly_detection_enabled,
  is_grad_enabled,
  is_inference_mode_enabled,
  no_grad,
  set_detect_anomaly,
  set_grad_enabled,
  type AnomalyOptions,
  type ModeGuard,
} from './modes.js'
export type { Node } from '../tensor.js'
