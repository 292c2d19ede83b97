// From shapes, dtypes and options to result types.
import type { Tensor } from '../tensor.js'
import type { Device } from '../device.js'
import type { DeviceType, DType } from './dtype.js'
import type { Shape } from './shapes.js'

/** A Tensor, or the shape error in its place. */
export type Checked<S, D extends DType, Dev extends DeviceType> = [S] extends [Shape] ? Tensor<S, D, Dev> : S

/** The dtype that an options object asks for. */
export type DTypeOfOptions<Options, Otherwise extends DType> = Options extends { readonly dtype: infer D }
  ? D extends DType
    ? D
    : Otherwise
  : Otherwise

/** The device that an options object asks for. */
export type DeviceOfOptions<Options> = Options extends { readonly device: infer Dev }
  ? Dev extends DeviceType
    ? Dev
    : Dev extends `${infer Name extends DeviceType}:${number}`
      ? Name
      : Dev extends Device
        ? DeviceType
        : 'cpu'
  : 'cpu'
