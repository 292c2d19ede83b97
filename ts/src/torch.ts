// Everything that is in the namespace `torch`, beside nn, optim and utils: what index.ts exports and what its default export holds.
import './generated/methods.js'
import './indexing.js'
import './moving.js'
import './transposes.js'
import { host } from './runtime/host.js'

export * from './generated/public/functions.js'
export {
  atleast_1d,
  atleast_2d,
  atleast_3d,
  block_diag,
  broadcast_tensors,
  cartesian_prod,
  cdist,
  histogramdd,
  meshgrid,
  nonzero,
  tensordot,
  type CdistOptions,
  type HistogramddBins,
  type HistogramddOptions,
  type MeshgridOptions,
  type TensordotDims,
} from './call_forms.js'
export { einsum, Ellipsis, type EinsumOptions } from './einsum.js'
export { $, LazyExpression } from './expression.js'
export * as tx from './tx.js'
export { pack, rearrange, reduce, repeat, unpack, type RearrangeOptions } from './einops.js'
export { unique, unique_consecutive, type Unique, type UniqueConsecutiveOptions, type UniqueOptions } from './unique.js'
export { broadcast_shapes, broadcastShapes, canBroadcastTo, needsBroadcast } from './broadcasting.js'
export * as special from './generated/public/special.js'
export * as linalg from './generated/public/linalg.js'
export * as fft from './generated/public/fft.js'
export { lu, pca_lowrank, svd_lowrank, type LuOptions, type PcaLowrankOptions, type SvdLowrankOptions } from './linalg_forms.js'
export * as signal from './signal/index.js'
export * as webgpu from './webgpu/index.js'
export * as profiler from './profiler/index.js'
export { is_available as is_webgpu_available, requireWebGPU } from './webgpu/index.js'
export * as autograd from './autograd/index.js'

export { tensor_data, type WebGPUTensorData } from './tensor_data.js'
export {
  ComponentTensor,
  register_dtype,
  registered_dtype,
  type DTypeConfig,
  type RegisterDTypeOptions,
  type RegisteredDType,
  type RegisteredTensor,
} from './registered_dtype.js'
export {
  DeviceTensor,
  register_device,
  registered_device,
  type BufferUsage,
  type DeviceCapabilities,
  type DeviceConfig,
  type DeviceContext,
  type DispatchConfig,
  type DispatchOperand,
  type RegisteredDevice,
} from './registered_device.js'
export { createTorch, type Torch, type TensorCreator, type TorchDefaults } from './create_torch.js'
export { Tensor, type GradFn, type GradHook, type Node, type RemovableHandle } from './tensor.js'
export { index as at, type At, type IndexSpec, type IndicesSpec, type MaskSpec } from './indexing.js'
export {
  as_tensor,
  asarray,
  from_array,
  frombuffer,
  tensor,
  type DTypeOfData,
  type FrombufferOptions,
  type ShapeOfData,
  type TensorOptions,
} from './creation.js'
export { Device, type DeviceInput } from './device.js'
export {
  bfloat16,
  bool,
  cdouble,
  cfloat,
  complex128,
  complex64,
  double,
  finfo,
  float,
  float16,
  float32,
  float64,
  half,
  iinfo,
  int,
  int16,
  int32,
  int64,
  int8,
  long,
  short,
  uint16,
  uint32,
  uint64,
  uint8,
  type FInfo,
  type IInfo,
} from './dtype.js'
export {
  enable_grad,
  inference_mode,
  is_anomaly_check_nan_enabled,
  is_anomaly_enabled,
  is_grad_enabled,
  is_inference_mode_enabled,
  no_grad,
  set_grad_enabled,
  type ModeGuard,
} from './autograd/modes.js'
export { dispose, empty_cache, keep, memory_stats, memory_summary, reset_peak_memory_stats, scope, type MemoryStats } from './memory.js'
export {
  allclose_async,
  argwhere_async,
  bincount_async,
  equal_async,
  masked_select_async,
  multinomial_async,
  nonzero_async,
  repeat_interleave_async,
  unique_async,
  unique_consecutive_async,
} from './async.js'
export { get_printoptions, set_printoptions, type PrintOptions, type SetPrintOptions } from './printing.js'
export {
  can_cast,
  get_default_dtype,
  get_num_threads,
  is_tensor,
  promote_types,
  result_type,
  set_default_dtype,
  set_num_threads,
} from './promotion.js'
export { default_generator, fork_rng, Generator, get_rng_state, initial_seed, manual_seed, seed, set_rng_state } from './random.js'
export {
  is_complex,
  is_complex_dtype,
  is_floating_point,
  is_floating_point_dtype,
  is_nonzero,
  numel,
  sym_float,
  sym_int,
  sym_not,
  validateDevice,
  validateDType,
} from './queries.js'
export {
  are_deterministic_algorithms_enabled,
  get_default_device,
  get_deterministic_debug_mode,
  get_float32_matmul_precision,
  get_num_interop_threads,
  is_deterministic_algorithms_warn_only_enabled,
  is_warn_always_enabled,
  set_default_device,
  set_default_tensor_type,
  set_deterministic_debug_mode,
  set_float32_matmul_precision,
  set_warn_always,
  use_deterministic_algorithms,
  type Float32MatmulPrecision,
} from './settings.js'
// In PyTorch's namespace these are in nn.functional alone; here in both.
export { elu, gelu, hardsigmoid, hardswish, leaky_relu, silu, softplus, softsign } from './generated/functional.js'
export { TorchError, type TorchErrorCode } from './runtime/errors.js'
export { inWorker, workerMain, type Inbox, type WorkerLike, type WorkerProgram, type WorkerRun } from './worker.js'
export type { Results } from './runtime/call.js'
export type { ArrayOf, CPUTensorData, Nested, TensorData, TypedArray } from './types/arrays.js'
export type { Complex, DeviceType, DType, ItemOf, Promote, Scalar } from './types/dtype.js'
export type * from './types/shapes.js'
export type {
  EinsumOutputShape,
  Sublist,
  SublistEinsumShape,
  SublistElement,
  SubscriptIndex,
  ValidatedEinsumShape,
  ValidateEinsum,
  ValidateOperandCount,
  ValidateRanks,
} from './types/einsum.js'
export type {
  AxesRecord,
  EinopsReduceShape,
  PackedShapes,
  PackShape,
  RearrangeShape,
  ReduceOperation,
  RepeatShape,
  UnpackShape,
  ValidatedRearrangeShape,
  ValidatedReduceShape,
  ValidatedRepeatShape,
} from './types/einops.js'
export type * from './types/options.js'
export type * from './generated/options.js'
export type { CumExtremeResult, HistogramResult, ItemResult, ValidateScalar } from './types/results.js'
export type * from './types/shape_error.js'
export type * from './generated/shape_errors.js'

/** What computes: `'native'`, or `'wasm-simd-threads'` and the like. TORCHJS_BACKEND, as an environment or a global variable, chooses it. */
export const backend: string = host.kind
/** The version of the package. */
export const __version__ = '0.1.0'
export const inf = Infinity
export const nan = NaN
export const pi = Math.PI
export const e = Math.E
/** Memory layouts, for `memory_format`. */
export const contiguous_format = 'contiguous_format'
export const preserve_format = 'preserve_format'
export const channels_last = 'channels_last'
export const channels_last_3d = 'channels_last_3d'
