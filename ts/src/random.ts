// Random numbers: PyTorch's generator, bit for bit.
import { BUILTIN } from './generated/calls.js'
import { typeName } from './runtime/arguments.js'
import { Arguments, builtin, fail, readScalar, wrap } from './runtime/call.js'
import { TorchError } from './runtime/errors.js'
import { host } from './runtime/host.js'
import { Tensor } from './tensor.js'

const DEFAULT = 0
const MIN_SEED = -(1n << 63n)
const MAX_SEED = (1n << 64n) - 1n

function seedOf(seed: number | bigint): bigint {
  if (typeof seed !== 'bigint' && (typeof seed !== 'number' || !Number.isInteger(seed))) {
    throw new TorchError(`manual_seed expected an int, but got ${typeName(seed)}`, 'TypeError')
  }
  const s = BigInt(seed)
  if (s < MIN_SEED || s > MAX_SEED)
    throw new TorchError(`Overflow when unpacking long: seed ${s} is outside [${MIN_SEED}, ${MAX_SEED}]`, 'RuntimeError')
  return s
}

// Seeds are unsigned; the engine's ints are not.
const unsigned = (kind: number): number | bigint => {
  const v = BigInt.asUintN(64, BigInt(readScalar(kind) as number | bigint))
  return v <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(v) : v
}

function seedGenerator(handle: number, seed: number | bigint): void {
  if (
    new Arguments()
      .number(handle)
      .int(BigInt.asIntN(64, seedOf(seed)))
      .call(BUILTIN.generator_manual_seed) <= 0
  )
    fail()
}

/** A stream of random numbers of its own. */
export class Generator {
  /** @internal */
  readonly handle: number

  constructor(device: string = 'cpu', handle?: number) {
    if (String(device) !== 'cpu') throw new TorchError(`Generator is not available for device type '${device}'`, 'RuntimeError')
    if (handle === undefined) {
      this.handle = builtin(BUILTIN.generator_new)
      if (this.handle <= 0) fail()
      host.track(this, this.handle)
    } else this.handle = handle
  }

  get device(): 'cpu' {
    return 'cpu'
  }

  /** Starts the stream that belongs to the seed. */
  manual_seed(seed: number | bigint): this {
    seedGenerator(this.handle, seed)
    return this
  }

  /** A fresh seed from the system, which it returns. */
  seed(): number | bigint {
    return unsigned(builtin(BUILTIN.generator_seed, this.handle))
  }

  initial_seed(): number | bigint {
    return unsigned(builtin(BUILTIN.generator_initial_seed, this.handle))
  }

  /** The state as a uint8 tensor. */
  get_state(): Tensor {
    return wrap(builtin(BUILTIN.generator_get_state, this.handle))
  }

  set_state(state: Tensor): this {
    if (!(state instanceof Tensor)) throw new TorchError(`expected a torch.ByteTensor, but got ${typeName(state)}`, 'TypeError')
    if (builtin(BUILTIN.generator_set_state, this.handle, state.handle) <= 0) fail()
    return this
  }
}

/** The generator that is used where none is given. */
export const default_generator: Generator = /* @__PURE__ */ new Generator('cpu', DEFAULT)

/** Seeds the default generator and returns it. */
export function manual_seed(seed: number | bigint): Generator {
  return default_generator.manual_seed(seed)
}

export function seed(): number | bigint {
  return default_generator.seed()
}

export function initial_seed(): number | bigint {
  return default_generator.initial_seed()
}

export function get_rng_state(): Tensor {
  return default_generator.get_state()
}

export function set_rng_state(state: Tensor): void {
  default_generator.set_state(state)
}

/** Runs `fn` and sets the default generator back to where it was before. */
export function fork_rng<T>(fn: () => T): T {
  const state = get_rng_state()
  const restore = (): void => {
    set_rng_state(state)
    state.dispose()
  }
  let result: T
  try {
    result = fn()
  } catch (error) {
    restore()
    throw error
  }
  if (result instanceof Promise) return result.finally(restore) as T
  restore()
  return result
}
