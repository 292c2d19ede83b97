// Modes that hold for the time of a function: torch.no_grad(() => ...), or for the rest of a block: using _ = torch.no_grad().
import { BUILTIN } from '../generated/calls.js'
import { builtinBool } from '../runtime/call.js'

/** What a mode gives when it gets no function: it ends when the block does. */
export interface ModeGuard {
  /** Ends the mode. */
  end(): void
  [Symbol.dispose](): void
}

/** Runs `fn` between `enter` and its undoing; a promise ends the mode when it settles. Without `fn`: a guard. */
export function inMode<T>(enter: () => () => void, fn: (() => T) | undefined): T | ModeGuard {
  const leave = enter()
  if (fn === undefined) {
    let open = true
    const end = (): void => {
      if (open) leave()
      open = false
    }
    return { end, [Symbol.dispose]: end }
  }
  let result: T
  try {
    result = fn()
  } catch (error) {
    leave()
    throw error
  }
  if (result instanceof Promise) return result.finally(leave) as T
  leave()
  return result
}

const gradMode = (enabled: boolean) => (): (() => void) => {
  const before = builtinBool(BUILTIN.set_grad_enabled, enabled ? 1 : 0)
  return () => void builtinBool(BUILTIN.set_grad_enabled, before ? 1 : 0)
}

/** No gradients are recorded. With a promise the mode holds until it settles, also for other code that runs meanwhile. */
export function no_grad(): ModeGuard
export function no_grad<T>(fn: () => T): T
export function no_grad<T>(fn?: () => T): T | ModeGuard {
  return inMode(gradMode(false), fn)
}

/** Gradients are recorded, inside no_grad too. */
export function enable_grad(): ModeGuard
export function enable_grad<T>(fn: () => T): T
export function enable_grad<T>(fn?: () => T): T | ModeGuard {
  return inMode(gradMode(true), fn)
}

/** Turns recording on or off at once; with a function only while it runs. The guard sets it back. */
export function set_grad_enabled(mode: boolean): ModeGuard
export function set_grad_enabled<T>(mode: boolean, fn: () => T): T
export function set_grad_enabled<T>(mode: boolean, fn?: () => T): T | ModeGuard {
  return inMode(gradMode(mode), fn)
}

/** Like no_grad, and what is made inside can never be recorded later. */
export function inference_mode(mode?: boolean): ModeGuard
export function inference_mode<T>(fn: () => T): T
export function inference_mode<T>(mode: boolean, fn: () => T): T
export function inference_mode<T>(mode: boolean | (() => T) = true, fn?: () => T): T | ModeGuard {
  const enabled = typeof mode === 'boolean' ? mode : true
  return inMode(
    () => {
      const grad = builtinBool(BUILTIN.is_grad_enabled)
      const before = builtinBool(BUILTIN.set_inference_mode, enabled ? 1 : 0)
      return () => {
        builtinBool(BUILTIN.set_inference_mode, before ? 1 : 0)
        builtinBool(BUILTIN.set_grad_enabled, grad ? 1 : 0)
      }
    },
    typeof mode === 'function' ? mode : fn,
  )
}

export function is_grad_enabled(): boolean {
  return builtinBool(BUILTIN.is_grad_enabled)
}

export function is_inference_mode_enabled(): boolean {
  return builtinBool(BUILTIN.is_inference_mode_enabled)
}

let checksNan = true
const anomalyMode = (mode: boolean, checkNan: boolean) => (): (() => void) => {
  const before = builtinBool(BUILTIN.set_anomaly_enabled, mode ? 1 : 0, checkNan ? 1 : 0)
  const checked = checksNan
  checksNan = checkNan
  return () => {
    builtinBool(BUILTIN.set_anomaly_enabled, before ? 1 : 0, checked ? 1 : 0)
    checksNan = checked
  }
}

export interface AnomalyOptions {
  /** Stop where a gradient is NaN. Default: true. */
  readonly check_nan?: boolean
}

/** Backward names the operator whose gradient is NaN. */
export function detect_anomaly(options?: AnomalyOptions): ModeGuard
export function detect_anomaly<T>(fn: () => T, options?: AnomalyOptions): T
export function detect_anomaly<T>(fn?: (() => T) | AnomalyOptions, options?: AnomalyOptions): T | ModeGuard {
  const o = typeof fn === 'function' ? options : fn
  return inMode(anomalyMode(true, o?.check_nan ?? true), typeof fn === 'function' ? fn : undefined)
}

export function set_detect_anomaly(mode: boolean, options?: AnomalyOptions): ModeGuard
export function set_detect_anomaly<T>(mode: boolean, fn: () => T, options?: AnomalyOptions): T
export function set_detect_anomaly<T>(mode: boolean, fn?: (() => T) | AnomalyOptions, options?: AnomalyOptions): T | ModeGuard {
  const o = typeof fn === 'function' ? options : fn
  return inMode(anomalyMode(mode, o?.check_nan ?? true), typeof fn === 'function' ? fn : undefined)
}

/** Whether anomaly detection looks for NaN in gradients. */
export function is_anomaly_check_nan_enabled(): boolean {
  return checksNan
}

export function is_anomaly_enabled(): boolean {
  return builtinBool(BUILTIN.is_anomaly_enabled)
}
