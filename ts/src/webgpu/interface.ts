// What the driver uses of WebGPU, so that the package needs no types from elsewhere. Any standard implementation fits.

export interface GpuBuffer {
  readonly size: number
  mapAsync(mode: number): Promise<void>
  getMappedRange(): ArrayBuffer
  unmap(): void
  destroy(): void
}
export interface GpuQuerySet {
  destroy(): void
}
export type GpuPipeline = object
export type GpuBindGroup = object
export type GpuLayout = object

export interface GpuPass {
  setPipeline(pipeline: GpuPipeline): void
  setBindGroup(index: number, group: GpuBindGroup, offsets?: readonly number[]): void
  dispatchWorkgroups(x: number, y?: number, z?: number): void
  end(): void
}
export interface GpuEncoder {
  beginComputePass(descriptor?: object): GpuPass
  copyBufferToBuffer(source: GpuBuffer, sourceOffset: number, target: GpuBuffer, targetOffset: number, size: number): void
  resolveQuerySet(set: GpuQuerySet, first: number, count: number, target: GpuBuffer, offset: number): void
  clearBuffer(buffer: GpuBuffer, offset?: number, size?: number): void
  finish(): object
}
export interface GpuQueue {
  submit(commands: readonly object[]): void
  writeBuffer(buffer: GpuBuffer, offset: number, data: ArrayBuffer | ArrayBufferView, dataOffset?: number, size?: number): void
  onSubmittedWorkDone(): Promise<void>
}
export interface GpuDevice {
  readonly queue: GpuQueue
  readonly lost: Promise<{ readonly reason?: string; readonly message: string }>
  readonly limits: Readonly<Record<string, number>>
  readonly features: { has(name: string): boolean }
  onuncapturederror: ((event: { readonly error: { readonly message: string } }) => void) | null
  createBuffer(descriptor: { size: number; usage: number; mappedAtCreation?: boolean; label?: string }): GpuBuffer
  pushErrorScope(filter: 'validation' | 'out-of-memory' | 'internal'): void
  popErrorScope(): Promise<{ readonly message: string } | null>
  createShaderModule(descriptor: { code: string; label?: string }): object
  createBindGroupLayout(descriptor: object): GpuLayout
  createPipelineLayout(descriptor: object): object
  createComputePipeline(descriptor: object): GpuPipeline
  createBindGroup(descriptor: object): GpuBindGroup
  createCommandEncoder(): GpuEncoder
  createQuerySet(descriptor: { type: string; count: number }): GpuQuerySet
  destroy(): void
}
export interface GpuAdapter {
  readonly features: Iterable<string> & { has(name: string): boolean }
  readonly limits: Readonly<Record<string, number>>
  readonly info?: {
    readonly vendor?: string
    readonly architecture?: string
    readonly device?: string
    readonly description?: string
    readonly isFallbackAdapter?: boolean
    readonly subgroupMinSize?: number
    readonly subgroupMaxSize?: number
  }
  requestDevice(descriptor?: object): Promise<GpuDevice>
}
export interface Gpu {
  requestAdapter(options?: object): Promise<GpuAdapter | null>
}

export const USAGE = { MAP_READ: 1, COPY_SRC: 4, COPY_DST: 8, UNIFORM: 64, STORAGE: 128, QUERY_RESOLVE: 512 } as const
