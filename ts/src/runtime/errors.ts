// The error of every failing call.

/** PyTorch's exception names, and those of what only exists here. */
export type TorchErrorCode =
  | 'RuntimeError'
  | 'IndexError'
  | 'TypeError'
  | 'ValueError'
  | 'KeyError'
  | 'AttributeError'
  | 'AssertionError'
  | 'NotImplementedError'
  | 'OutOfMemoryError'
  | 'DisposedError'
  | 'DeviceError'
  | 'InternalError'

/**
 * An error with PyTorch's message. `code` is the exception that PyTorch raises (`'RuntimeError'`), to be told apart in a `catch`:
 *
 *     try { a.matmul(b) } catch (e) { if (e instanceof torch.TorchError && e.code === 'RuntimeError') ... }
 */
export class TorchError extends Error {
  readonly code: TorchErrorCode | (string & {})

  constructor(message: string, code: TorchErrorCode | (string & {}) = 'RuntimeError', options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

// On the prototype, as built-in errors have it, so that it does not show as a field of each error.
Object.defineProperty(TorchError.prototype, 'name', { value: 'TorchError', configurable: true, writable: true })
