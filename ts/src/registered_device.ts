// Devices of one's own: memory and kernels that the user brings. What is here knows shapes and dtypes; the device gets buffers and the names of
// operators. Nothing falls back to the cpu: an operator that the device does not have is an error that names it.
import { readData } from './data_access.js'
import { from_array } from './creation.js'
import { elementSize } from './dtype.js'
import { typeName } from './runtime/arguments.js'
import { TorchError } from './runtime/errors.js'
import { Tensor } from './tensor.js'
import { tensor_data } from './tensor_data.js'
import type { TypedArray } from './types/arrays.js'
import type { DType } from './types/dtype.js'
import { broadcast_shapes } from './broadcasting.js'
import type { BroadcastShape, MatmulShape, Shape } from './types/shapes.js'

/** What a buffer is for. */
export type BufferUsage = 'storage' | 'upload' | 'download'

/** What `initialize` gives: anything that the device wants to keep. */
export interface DeviceContext {
  readonly description?: string
}

/** What a device can do. */
export interface DeviceCapabilities {
  readonly dtypes: readonly DType[]
  /** Names of operators, those of `torch`: 'add', 'relu', 'matmul'. */
  readonly operators: readonly string[]
  /** Bytes of a buffer at most. */
  readonly max_buffer_size?: number
}

/** An operand of a launch: a buffer, and how its elements are to be read (row-major). */
export interface DispatchOperand<Buffer = unknown> {
  readonly buffer: Buffer
  readonly shape: readonly number[]
  readonly dtype: DType
}
/** One launch: an operator, its inputs, and where the result goes. */
export interface DispatchConfig<Buffer = unknown> {
  readonly operator: string
  readonly inputs: readonly DispatchOperand<Buffer>[]
  readonly output: DispatchOperand<Buffer>
}

/**
 * A device of one's own.
 *
 *     const arrays: torch.DeviceConfig<'arrays', { bytes: Uint8Array }> = {
 *       name: 'arrays',
 *       initialize: async () => ({}),
 *       capabilities: { dtypes: ['float32'], operators: ['relu'] },
 *       createBuffer: (size) => ({ bytes: new Uint8Array(size) }),
 *       dispatch({ inputs, output }) {
 *         const x = new Float32Array(inputs[0]!.buffer.bytes.buffer)
 *         new Float32Array(output.buffer.bytes.buffer).set(x.map((v) => Math.max(v, 0)))
 *       },
 *       sync: async () => {},
 *       writeBuffer: (buffer, data) => buffer.bytes.set(new Uint8Array(data)),
 *       readBuffer: async (buffer) => buffer.bytes.slice().buffer,
 *     }
 *     const device = await torch.register_device(arrays)
 *     const y: torch.Tensor<readonly [2, 3], 'float32', 'cpu'> = await device.from(torch.randn(2, 3)).unary('relu').cpu()
 */
export interface DeviceConfig<Name extends string = string, Buffer = unknown> {
  readonly name: Name
  initialize(): Promise<DeviceContext>
  readonly capabilities: DeviceCapabilities
  createBuffer(size: number, usage: BufferUsage): Buffer
  /** Records or runs a launch; it may return before the result is there. */
  dispatch(config: DispatchConfig<Buffer>): void
  /** When everything dispatched so far is done. */
  sync(): Promise<void>
  writeBuffer?(buffer: Buffer, data: ArrayBuffer, offset?: number): void
  readBuffer?(buffer: Buffer, size: number, offset?: number): Promise<ArrayBuffer>
}

type OnDevice<R, D, Name extends string> = R extends Shape ? (D extends DType ? DeviceTensor<R, D, Name> : D) : R

const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)

/** A tensor on a registered device. */
export class DeviceTensor<out S extends Shape = Shape, out D extends DType = DType, out Name extends string = string> {
  readonly #config: DeviceConfig
  readonly #buffer: unknown
  readonly shape: S
  readonly dtype: D
  readonly device: Name

  /** @internal */
  constructor(config: DeviceConfig, buffer: unknown, shape: readonly number[], dtype: DType) {
    this.#config = config
    this.#buffer = buffer
    this.shape = shape as unknown as S
    this.dtype = dtype as D
    this.device = config.name as Name
  }

  get #operand(): DispatchOperand {
    return { buffer: this.#buffer, shape: this.shape, dtype: this.dtype }
  }
  #launch(operator: string, others: readonly DeviceTensor[], shape: readonly number[]): unknown {
    const { name, capabilities } = this.#config
    if (!capabilities.operators.includes(operator))
      throw new TorchError(
        `${operator}: the device '${name}' has no such operator (it has: ${capabilities.operators.join(', ') || 'none'})`,
        'NotImplementedError',
      )
    for (const t of others) {
      if (t.device !== name)
        throw new TorchError(
          `Expected all tensors to be on the same device, but found at least two devices, ${name} and ${t.device}!`,
          'RuntimeError',
        )
      if (t.dtype !== this.dtype) throw new TorchError(`${operator}: the dtypes ${this.dtype} and ${t.dtype} differ`, 'RuntimeError')
    }
    const output = newBuffer(this.#config, shape, this.dtype)
    this.#config.dispatch({
      operator,
      inputs: [this, ...others].map((t) => t.#operand),
      output: { buffer: output, shape, dtype: this.dtype },
    })
    return new DeviceTensor(this.#config, output, shape, this.dtype)
  }

  /** An operator on each element. */
  unary(operator: string): DeviceTensor<S, D, Name> {
    return this.#launch(operator, [], this.shape) as DeviceTensor<S, D, Name>
  }
  /** An operator on the elements of two tensors, broadcast. */
  binary<Other extends Shape>(operator: string, other: DeviceTensor<Other, DType, Name>): OnDevice<BroadcastShape<S, Other>, D, Name>
  binary(operator: string, other: DeviceTensor): unknown {
    return this.#launch(operator, [other], broadcast_shapes(this.shape, other.shape))
  }
  add<Other extends Shape>(other: DeviceTensor<Other, DType, Name>): OnDevice<BroadcastShape<S, Other>, D, Name>
  add(other: DeviceTensor): unknown {
    return this.binary('add', other as DeviceTensor<Shape, DType, Name>)
  }
  mul<Other extends Shape>(other: DeviceTensor<Other, DType, Name>): OnDevice<BroadcastShape<S, Other>, D, Name>
  mul(other: DeviceTensor): unknown {
    return this.binary('mul', other as DeviceTensor<Shape, DType, Name>)
  }
  /** The product of two matrices. */
  matmul<Other extends Shape>(other: DeviceTensor<Other, DType, Name>): OnDevice<MatmulShape<S, Other>, D, Name>
  matmul(other: DeviceTensor): unknown {
    const a: readonly number[] = this.shape
    const b = other.shape
    if (a.length !== 2 || b.length !== 2)
      throw new TorchError(
        `matmul: the device '${this.device}' multiplies matrices, got ${a.length}-D and ${b.length}-D tensors`,
        'RuntimeError',
      )
    if (a[1] !== b[0])
      throw new TorchError(`mat1 and mat2 shapes cannot be multiplied (${a[0]}x${a[1]} and ${b[0]}x${b[1]})`, 'RuntimeError')
    return this.#launch('matmul', [other], [a[0]!, b[1]!])
  }

  /** A promise of the tensor on the cpu, once everything dispatched so far is done. */
  async cpu(): Promise<Tensor<S, D, 'cpu'>> {
    const { name, readBuffer } = this.#config
    if (!readBuffer) throw new TorchError(`cpu(): the device '${name}' was registered without readBuffer`, 'NotImplementedError')
    await this.#config.sync()
    const bytes = await readBuffer.call(this.#config, this.#buffer, count(this.shape) * elementSize(this.dtype))
    const like = readData(from_array([], [0], { dtype: this.dtype }) as unknown as Tensor, this.dtype)
    const array = new (like.constructor as new (buffer: ArrayBuffer) => TypedArray)(bytes)
    return from_array(array, this.shape, { dtype: this.dtype }) as unknown as Tensor<S, D, 'cpu'>
  }
}

function newBuffer(config: DeviceConfig, shape: readonly number[], dtype: DType): unknown {
  if (typeof config !== 'object' || config === null)
    throw new TorchError(`register_device(): the configuration must be an object, not ${typeName(config)}`, 'TypeError')
  const { name, capabilities } = config
  if (!capabilities.dtypes.includes(dtype))
    throw new TorchError(
      `the device '${name}' has no tensors of the dtype '${dtype}' (it has: ${capabilities.dtypes.join(', ')})`,
      'TypeError',
    )
  const size = count(shape) * elementSize(dtype)
  if (size > (capabilities.max_buffer_size ?? Infinity))
    throw new TorchError(`the device '${name}' has no buffers of ${size} bytes (at most ${capabilities.max_buffer_size})`, 'MemoryError')
  return config.createBuffer(size, 'storage')
}

/** What `register_device` gives. */
export interface RegisteredDevice<Name extends string> {
  readonly name: Name
  readonly capabilities: DeviceCapabilities
  readonly context: DeviceContext
  /** A copy of a tensor of the cpu on the device. */
  from<S extends Shape, D extends DType>(tensor: Tensor<S, D, 'cpu'>): DeviceTensor<S, D, Name>
  sync(): Promise<void>
}

const registry = new Map<string, RegisteredDevice<string>>()
/** The registered device of this name. */
export const registered_device = (name: string): RegisteredDevice<string> | null => registry.get(name) ?? null

/** Starts a device of one's own and makes it known. A name can be registered once; 'cpu' and 'webgpu' are the package's. */
export async function register_device<Name extends string, Buffer>(config: DeviceConfig<Name, Buffer>): Promise<RegisteredDevice<Name>> {
  const { name, capabilities } = config
  const fail = (message: string): never => {
    throw new TorchError(`register_device(): ${message}`, 'ValueError')
  }
  if (typeof name !== 'string' || !/^[a-z]\w*$/.test(name)) fail(`'${String(name)}' is no name for a device`)
  if (name === 'cpu' || name === 'webgpu' || registry.has(name)) fail(`there is a device '${name}' already`)
  const wide = capabilities.dtypes.find((d) => d === 'float16' || d === 'bfloat16')
  if (wide) fail(`${wide} has no typed array in JavaScript, so that it cannot be sent to a device`)
  const context = await config.initialize()
  const own = config as unknown as DeviceConfig
  const device: RegisteredDevice<Name> = {
    name,
    capabilities,
    context,
    from<S extends Shape, D extends DType>(tensor: Tensor<S, D, 'cpu'>): DeviceTensor<S, D, Name> {
      if (!own.writeBuffer) throw new TorchError(`from(): the device '${name}' was registered without writeBuffer`, 'NotImplementedError')
      const { buffer, shape, dtype } = tensor_data(tensor as unknown as Tensor<Shape, DType, 'cpu'>)
      const target = newBuffer(own, shape, dtype)
      own.writeBuffer(target, buffer.buffer as ArrayBuffer)
      return new DeviceTensor(own, target, shape, dtype) as DeviceTensor<S, D, Name>
    },
    sync: () => config.sync(),
  }
  registry.set(name, device)
  return device
}
