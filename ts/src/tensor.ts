// class Tensor: a handle of the engine's tensor and what JavaScript adds to it. Operators are methods too; those come from the schema
// (generated/methods.ts puts them on the prototype).
import type { TensorMethods } from './generated/methods.js'
import type { TensorTransposes } from './transposes.js'
import type { ArrayOf } from './types/arrays.js'
import type { DataOf, DeviceType, DType, ItemOf } from './types/dtype.js'
import type { ItemResult } from './types/results.js'
import type { Mirrored, Shape } from './types/shapes.js'
import { collect, runBackward, type BackwardOptions } from './autograd/backward.js'
import { decode, nest, readData } from './data_access.js'
import { deviceName } from './device.js'
import { dtypeName, elementSize, isComplexDType, isFloating } from './dtype.js'
import { BUILTIN } from './generated/calls.js'
import { printOptions } from './printing.js'
import { isOptions, typeName } from './runtime/arguments.js'
import { Arguments, builtin, builtinBool, builtinInt, builtinVoid, fail, innermost, readInts, readScalar, wrap } from './runtime/call.js'
import { addCallback, dropCallback } from './runtime/callbacks.js'
import { TorchError } from './runtime/errors.js'
import { host } from './runtime/host.js'
import { isOnDevice, readTensor } from './webgpu/reading.js'

/** What reading gives: the value, or on webgpu a promise of it. */
export type Read<On extends DeviceType, Value> = [On] extends ['webgpu'] ? Promise<Value> : Value

async function later<Value>(t: Tensor, read: (t: Tensor) => Value): Promise<Value> {
  const copy = await readTensor(t)
  const value = read(copy)
  copy.dispose()
  return value
}

// Node 20 has no Symbol.dispose yet; compiled `using` looks for this one.
const symbols = Symbol as { dispose?: symbol; asyncDispose?: symbol }
symbols.dispose ??= Symbol.for('Symbol.dispose')
symbols.asyncDispose ??= Symbol.for('Symbol.asyncDispose')

/** Undoes a registration. */
export interface RemovableHandle {
  remove(): void
}

/** A node of the graph that gradients flow through. */
export interface Node {
  readonly name: string
}

/**
 * What made a tensor, as `grad_fn` tells it; gradients flow back through it.
 *
 *     const made: torch.GradFn | null = torch.zeros(2, { requires_grad: true }).exp().grad_fn
 *     console.log(made?.name) // ExpBackward0
 */
export interface GradFn extends Node {
  /** The operator's name and `Backward0`, as PyTorch writes it. */
  readonly name: string
}

/** What a hook makes of a gradient: another one, or nothing. */
export type GradHook = (grad: Tensor) => Tensor | null | undefined | void

/** How the elements lie in memory. */
export type MemoryFormat = 'contiguous_format' | 'preserve_format' | 'channels_last' | 'channels_last_3d'

/**
 * A multi-dimensional array of numbers of one dtype. Types tell its shape, dtype and device where they are known: `Tensor<readonly [2, 3]>`.
 * Nothing has to be freed by hand; `dispose()`, `using` and `torch.scope` free earlier.
 */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging
export interface Tensor<out S extends Shape = Shape, out D extends DType = DType, out Dev extends DeviceType = DeviceType>
  extends TensorMethods, TensorTransposes {}

export class Tensor<out S extends Shape = Shape, out D extends DType = DType, out Dev extends DeviceType = DeviceType> {
  /** The engine's number of this tensor. @internal */
  readonly handle: number
  #grad: Tensor | null = null

  /** Tensors are made by functions (`torch.tensor`, `torch.zeros`); this takes a handle of the engine. @internal */
  constructor(handle: number) {
    if (typeof handle !== 'number') throw new TorchError('use torch.tensor(data) to make a tensor of data', 'TypeError')
    this.handle = handle
    const scope = innermost
    if (scope === null || scope.waiting) host.track(this, handle)
    if (scope !== null) scope.tensors.push(this as Tensor)
  }

  // ---- what it is ----

  /** The sizes. */
  get shape(): S {
    return readInts(builtin(BUILTIN.sizes, this.handle)) as readonly number[] as S
  }

  get dtype(): D {
    return dtypeName(builtinInt(BUILTIN.dtype, this.handle)) as D
  }

  get device(): Dev {
    return deviceName(builtinInt(BUILTIN.device, this.handle)) as Dev
  }

  /** How many dimensions there are. */
  get ndim(): number {
    return builtinInt(BUILTIN.ndim, this.handle)
  }

  dim(): number {
    return this.ndim
  }

  /** How many elements there are. */
  numel(): number {
    return builtinInt(BUILTIN.numel, this.handle)
  }

  nelement(): number {
    return this.numel()
  }

  /** The sizes, or the size of one dimension (negative ones count from the end). */
  size(): S
  size(dim: number): number
  size(dim?: number): S | number {
    return dim === undefined ? this.shape : at(this.shape, dim)
  }

  /** The strides in elements, or that of one dimension. */
  stride(): readonly number[]
  stride(dim: number): number
  stride(dim?: number): readonly number[] | number {
    const strides = readInts(builtin(BUILTIN.strides, this.handle))
    return dim === undefined ? strides : at(strides, dim)
  }

  /** Elements before the first one in the storage. */
  storage_offset(): number {
    return builtinInt(BUILTIN.storage_offset, this.handle)
  }

  /** Whether the elements lie row-major without gaps; or, for 'channels_last' and 'channels_last_3d', with the channels closest. */
  is_contiguous(memory_format: MemoryFormat | { readonly memory_format?: MemoryFormat } = 'contiguous_format'): boolean {
    const format = typeof memory_format === 'string' ? memory_format : (memory_format.memory_format ?? 'contiguous_format')
    if (format === 'contiguous_format') return builtinBool(BUILTIN.is_contiguous, this.handle)
    if (format !== 'channels_last' && format !== 'channels_last_3d')
      throw new TorchError(`is_contiguous: unsupported memory format '${String(format)}'`, 'RuntimeError')
    const n = format === 'channels_last' ? 4 : 5
    const sizes: readonly number[] = this.shape
    const strides = this.stride()
    if (sizes.length !== n) return false
    let expected = 1
    for (const d of [1, ...Array.from({ length: n - 2 }, (_, i) => n - 1 - i), 0]) {
      if (sizes[d] === 1) continue
      if (strides[d] !== expected) return false
      expected *= sizes[d] as number
    }
    return true
  }

  /** The address of the first element: equal for tensors that begin at the same memory. */
  data_ptr(): number {
    return builtinInt(BUILTIN.data_ptr, this.handle)
  }

  /** Bytes of one element. */
  get itemsize(): number {
    return elementSize(this.dtype)
  }

  element_size(): number {
    return this.itemsize
  }

  /** Bytes of all elements. */
  get nbytes(): number {
    return this.itemsize * this.numel()
  }

  is_floating_point(): boolean {
    return isFloating(this.dtype)
  }

  is_complex(): boolean {
    return isComplexDType(this.dtype)
  }

  is_signed(): boolean {
    return !this.dtype.startsWith('uint') && this.dtype !== 'bool'
  }

  /** Whether both are the same tensor of the engine (Python's `is`). */
  is(other: unknown): boolean {
    return other === this || (other instanceof Tensor && builtinBool(BUILTIN.same, this.handle, other.handle))
  }

  is_same_size(other: Tensor): boolean {
    needTensor('is_same_size', other)
    const a = this.shape
    const b = other.shape
    return a.length === b.length && a.every((n, i) => n === b[i])
  }

  /** How often the storage has been written in place. */
  get _version(): number {
    return builtinInt(BUILTIN.version, this.handle)
  }

  /** The tensor that this is a view of. */
  get _base(): Tensor | null {
    const handle = builtin(BUILTIN.base, this.handle)
    if (handle < 0) fail()
    return handle > 0 ? new Tensor(handle) : null
  }

  _is_view(): boolean {
    return builtinBool(BUILTIN.is_view, this.handle)
  }

  is_inference(): boolean {
    return builtinBool(BUILTIN.is_inference, this.handle)
  }

  // ---- the elements ----

  /** The only element: a number; a boolean, `{ re, im }` or (int64 outside ±(2^53 - 1)) a bigint by dtype. On webgpu a promise of it. */
  item<Size extends Shape, T extends DType, On extends DeviceType>(this: Tensor<Size, T, On>): Read<On, ItemResult<Size, T>> {
    if (isOnDevice(this)) {
      const n = this.numel()
      if (n !== 1) throw new TorchError(`a Tensor with ${n} elements cannot be converted to Scalar`, 'RuntimeError')
      return later(this, (t) => t.item()) as Read<On, ItemResult<Size, T>>
    }
    return readScalar(builtin(BUILTIN.item, this.handle)) as Read<On, ItemResult<Size, T>>
  }

  /** All elements as nested arrays; of a tensor without dimensions the element itself. On webgpu a promise of them. */
  toArray<Size extends Shape, T extends DType, On extends DeviceType>(this: Tensor<Size, T, On>): Read<On, ArrayOf<Size, ItemOf<T>>> {
    if (isOnDevice(this)) return later(this, (t) => t.toArray()) as Read<On, ArrayOf<Size, ItemOf<T>>>
    const dtype = this.dtype as DType
    return nest(decode(readData(this, dtype), dtype), this.shape) as Read<On, ArrayOf<Size, ItemOf<T>>>
  }

  /** PyTorch's name of `toArray`. */
  tolist<Size extends Shape, T extends DType, On extends DeviceType>(this: Tensor<Size, T, On>): Read<On, ArrayOf<Size, ItemOf<T>>> {
    return this.toArray()
  }

  /** All elements, row-major, copied to a typed array. float16 and bfloat16 as float32; complex numbers as pairs; bool as bytes 0 and 1. On webgpu
   * a promise of it. */
  data<T extends DType, On extends DeviceType>(this: Tensor<Shape, T, On>): Read<On, DataOf<T>> {
    if (isOnDevice(this)) return later(this, (t) => t.data()) as Read<On, DataOf<T>>
    return readData(this, this.dtype as DType) as Read<On, DataOf<T>>
  }

  /** This tensor on the cpu: itself if it is there; of a tensor on webgpu a promise of a copy, which autograd does not track. */
  cpu<Size extends Shape, T extends DType, On extends DeviceType>(this: Tensor<Size, T, On>): Read<On, Tensor<Size, T, 'cpu'>> {
    return (isOnDevice(this) ? readTensor(this as Tensor) : this) as Read<On, Tensor<Size, T, 'cpu'>>
  }

  /** Shows the memory of `source` from now on, and keeps its identity, hooks and gradient (PyTorch's `x.data = source`). */
  set_data(source: Tensor): this {
    needTensor('set_data', source, 'source')
    builtinVoid(BUILTIN.set_data, this.handle, source.handle)
    return this
  }

  // ---- transposes (mT, H and mH: transposes.ts) ----

  /** All dimensions in reverse order: of `Tensor<readonly [2, 3, 4]>` a `Tensor<readonly [4, 3, 2]>`. */
  get T(): Tensor<Mirrored<S>, D, Dev> {
    const n = this.ndim
    return (this as Tensor).permute(Array.from({ length: n }, (_, i) => n - 1 - i)) as unknown as Tensor<Mirrored<S>, D, Dev>
  }

  // ---- gradients ----

  /** The gradient that `backward()` has added up, or null. */
  get grad(): Tensor<S, D, Dev> | null {
    const handle = builtin(BUILTIN.grad, this.handle)
    if (handle <= 0) {
      if (handle < 0) fail()
      this.#grad = null
      return null
    }
    // The same gradient is the same object, as in PyTorch.
    const known = this.#grad
    if (known && isAlive(known) && builtinBool(BUILTIN.same, known.handle, handle)) host.free(handle)
    else this.#grad = new Tensor(handle)
    return this.#grad as Tensor<S, D, Dev> | null
  }

  set grad(grad: Tensor | null) {
    if (grad !== null && grad !== undefined && !(grad instanceof Tensor)) {
      throw new TorchError(`assigned grad expected to be a Tensor or None but got grad of type ${typeName(grad)}`, 'TypeError')
    }
    builtinVoid(BUILTIN.set_grad, this.handle, grad ? grad.handle : 0)
    this.#grad = grad ?? null
  }

  get requires_grad(): boolean {
    return builtinBool(BUILTIN.requires_grad, this.handle)
  }

  set requires_grad(value: boolean) {
    builtinVoid(BUILTIN.set_requires_grad, this.handle, value ? 1 : 0)
  }

  /** Sets whether gradients are recorded. */
  requires_grad_(requires_grad: boolean = true): this {
    if (requires_grad && !this.is_floating_point() && !this.is_complex()) {
      // The property of the same name says it in other words, in PyTorch too.
      throw new TorchError('only Tensors of floating point dtype can require gradients', 'RuntimeError')
    }
    this.requires_grad = requires_grad
    return this
  }

  /** Made by the user, not by an operator that gradients flow through. */
  get is_leaf(): boolean {
    return builtinBool(BUILTIN.is_leaf, this.handle)
  }

  /** What made it, for gradients; null for a leaf. */
  get grad_fn(): GradFn | null {
    const kind = builtin(BUILTIN.grad_fn, this.handle)
    if (kind < 0) fail()
    return kind > 0 ? { name: host.takeString() } : null
  }

  get retains_grad(): boolean {
    return builtinBool(BUILTIN.retains_grad, this.handle)
  }

  /** Keeps `grad` also on a tensor that is no leaf. */
  retain_grad(): void {
    builtinVoid(BUILTIN.retain_grad, this.handle)
  }

  /**
   * Adds the gradients of this tensor to the `grad` of the leaves it was computed from. `gradient`: what to start from; needed where there is
   * more than one element.
   */
  backward(
    gradient?: Tensor | null | BackwardOptions,
    retain_graph?: boolean | null | BackwardOptions,
    create_graph?: boolean | BackwardOptions,
    inputs?: Tensor | readonly Tensor[] | null | BackwardOptions,
  ): void {
    const options = collect(
      [gradient, retain_graph, create_graph, inputs],
      ['gradient', 'retain_graph', 'create_graph', 'inputs'],
    ) as BackwardOptions
    runBackward('backward', [this as Tensor], options.gradient ? [options.gradient] : [], options, true)
  }

  /** Calls `hook` with the gradient of this tensor whenever one is computed; what it returns takes the gradient's place. */
  register_hook(hook: GradHook): RemovableHandle {
    if (!this.requires_grad) throw new TorchError("cannot register a hook on a tensor that doesn't require gradient", 'RuntimeError')
    return this.#hook(([grad]) => {
      const result = hook(new Tensor(grad!))
      if (result === undefined || result === null) return [0]
      if (!(result instanceof Tensor))
        throw new TorchError(`hook returned a value of type ${typeName(result)}, but a Tensor or None was expected`, 'TypeError')
      return [result.handle]
    }, false)
  }

  /** Calls `hook` with this tensor whenever its `grad` has been added to. */
  register_post_accumulate_grad_hook(hook: (tensor: Tensor) => void): RemovableHandle {
    if (!this.is_leaf) throw new TorchError('post accumulate grad hooks cannot be registered on non-leaf tensors', 'RuntimeError')
    // The engine keeps the hook with the tensor: a strong reference here would keep both for ever.
    const self = new WeakRef(this)
    return this.#hook(() => {
      const tensor = self.deref()
      if (tensor) hook(tensor as unknown as Tensor)
      return [0]
    }, true)
  }

  #hook(callback: (handles: readonly number[]) => readonly number[], after: boolean): RemovableHandle {
    const id = addCallback(callback)
    const kind = builtin(BUILTIN.register_hook, this.handle, id, after ? 1 : 0)
    if (kind <= 0) {
      dropCallback(id)
      fail()
    }
    const hook = readScalar(kind) as number
    const handle = this.handle
    return {
      remove: () => {
        if (new Arguments().number(handle).number(hook).call(BUILTIN.remove_hook) <= 0) host.error()
      },
    }
  }

  // ---- lifetime ----

  /** Frees this tensor now; its use is an error from then on. Other views of the same storage stay. */
  dispose(): void {
    host.free(this.handle)
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  // ---- as JavaScript sees it ----

  /** PyTorch's text: `tensor([1., 2.])`; of a device whose elements have to be waited for: `tensor(..., device='webgpu:0', size=(2,))`. */
  toString(): string {
    const o = printOptions()
    const written = new Arguments()
      .number(this.handle)
      .number(o.precision)
      .number(o.threshold === Infinity ? Number.MAX_SAFE_INTEGER : o.threshold)
    written
      .number(o.edgeitems)
      .number(o.linewidth)
      .number(o.sci_mode === null ? -1 : o.sci_mode ? 1 : 0)
    if (written.call(BUILTIN.to_string) <= 0) fail()
    return host.takeString()
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }

  get [Symbol.toStringTag](): string {
    return 'Tensor'
  }

  /** The parts along the first dimension. */
  [Symbol.iterator](): IterableIterator<Tensor> {
    if (this.ndim === 0) throw new TorchError('iteration over a 0-d tensor', 'TypeError')
    return (this as Tensor).unbind(0)[Symbol.iterator]()
  }

  /** How many parts iteration gives: the size of the first dimension. */
  get length(): number {
    if (this.ndim === 0) throw new TorchError('len() of a 0-d tensor', 'TypeError')
    return this.shape[0]!
  }
}

function needTensor(name: string, other: unknown, argument = 'other'): void {
  if (!(other instanceof Tensor))
    throw new TorchError(`${name}(): argument '${argument}' (position 1) must be Tensor, not ${typeName(other)}`, 'TypeError')
}

function at(list: readonly number[], dim: number): number {
  const n = list.length
  const value = list[dim < 0 ? dim + n : dim]
  if (value !== undefined) return value
  if (n === 0) throw new TorchError('Dimension specified as ' + dim + ' but tensor has no dimensions', 'IndexError')
  throw new TorchError(`Dimension out of range (expected to be in range of [${-n}, ${n - 1}], but got ${dim})`, 'IndexError')
}

function isAlive(t: Tensor): boolean {
  if (builtin(BUILTIN.ndim, t.handle) > 0) return true
  host.error()
  return false
}

/** Another object for the same tensor of the engine. */
export function share(t: Tensor): Tensor {
  return wrap(builtin(BUILTIN.retain, t.handle))
}
