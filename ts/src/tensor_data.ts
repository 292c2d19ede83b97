// Tensors as plain records: for other libraries, workers, files of one's own, and kernels of one's own on the GPU.
import { readData } from './data_access.js'
import { BUILTIN } from './generated/calls.js'
import { typeName } from './runtime/arguments.js'
import { builtin, fail } from './runtime/call.js'
import { TorchError } from './runtime/errors.js'
import { Tensor, type GradFn, type Read } from './tensor.js'
import type { CPUTensorData } from './types/arrays.js'
import type { DeviceType, DType } from './types/dtype.js'
import type { Shape } from './types/shapes.js'
import type { GpuBuffer } from './webgpu/interface.js'
import { isOnDevice } from './webgpu/reading.js'
import { flushSoon, needed } from './webgpu/state.js'

/**
 * A tensor on webgpu as a record. Each element takes 32 bits: a float of any width is a `f32`, an integer or boolean an `i32`, row-major.
 *
 *     const x = torch.zeros(2, 3, { device: 'webgpu' })
 *     const data: torch.WebGPUTensorData<readonly [2, 3], 'float32'> = await torch.tensor_data(x)
 *     data.buffer.size // for a bind group of one's own on torch.webgpu's device
 */
export interface WebGPUTensorData<S extends Shape = Shape, D extends DType = DType> {
  readonly buffer: GpuBuffer
  readonly shape: S
  readonly dtype: D
  readonly device: 'webgpu'
  readonly requires_grad: boolean
  /** What made the tensor; missing for a leaf. */
  readonly grad_fn?: GradFn
  /** Whether the buffer is this record's own, to be destroyed by whoever has it. */
  readonly ownsBuffer?: boolean
}

function recordOf<Buffer, Device>(t: Tensor, buffer: Buffer, device: Device) {
  const { shape, dtype, requires_grad, grad_fn } = t
  return { buffer, shape, dtype, device, requires_grad, ...(grad_fn && { grad_fn }), ownsBuffer: true }
}

async function onDevice(t: Tensor): Promise<WebGPUTensorData> {
  const { driver } = needed()
  const dense = t.detach().contiguous() as Tensor
  const { ticket, buffer } = driver.expectCopy()
  if (builtin(BUILTIN.webgpu_request, dense.handle, ticket) <= 0) {
    driver.dropRead(ticket)
    fail()
  }
  flushSoon()
  return recordOf(t, await buffer, 'webgpu' as const)
}

/**
 * The tensor as a record with a copy of its elements: on the cpu a typed array, as `data()` gives it; on webgpu a promise of a buffer. `torch.tensor`
 * makes a tensor of the first again.
 */
export function tensor_data<S extends Shape, D extends DType, Dev extends DeviceType>(
  tensor: Tensor<S, D, Dev>,
): [Dev] extends ['cpu'] ? CPUTensorData<S, D> : Read<Dev, Dev extends 'webgpu' ? WebGPUTensorData<S, D> : CPUTensorData<S, D>>
export function tensor_data(tensor: unknown): unknown {
  if (!(tensor instanceof Tensor))
    throw new TorchError(`tensor_data(): argument 'tensor' (position 1) must be Tensor, not ${typeName(tensor)}`, 'TypeError')
  return isOnDevice(tensor) ? onDevice(tensor) : recordOf(tensor, readData(tensor, tensor.dtype), 'cpu' as const)
}
