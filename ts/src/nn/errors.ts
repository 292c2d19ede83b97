// Errors under the names that PyTorch raises them by.

import { TorchError } from '../runtime/errors.js'

export const typeError = (message: string): TorchError => new TorchError(message, 'TypeError')
export const valueError = (message: string): TorchError => new TorchError(message, 'ValueError')
export const keyError = (message: string): TorchError => new TorchError(message, 'KeyError')
export const indexError = (message: string): TorchError => new TorchError(message, 'IndexError')
export const runtimeError = (message: string): TorchError => new TorchError(message, 'RuntimeError')
export const assertionError = (message: string): TorchError => new TorchError(message, 'AssertionError')
export const attributeError = (message: string): TorchError => new TorchError(message, 'AttributeError')
export const notImplementedError = (message: string): TorchError => new TorchError(message, 'NotImplementedError')

/** Tells the user something that is no error. */
export function warn(message: string): void {
  console.warn(`UserWarning: ${message}`)
}
