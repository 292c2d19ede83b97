// dtypes of one's own: elements of several components of one of the engine's dtypes. The engine computes on the components, so gradients flow
// through them as through anything else.
import { isDType } from './dtype.js'
import { empty, full, ones_like, stack, zeros } from './generated/functions.js'
import { typeName } from './runtime/arguments.js'
import { TorchError } from './runtime/errors.js'
import { Tensor } from './tensor.js'
import { tensor } from './creation.js'
import type { DType } from './types/dtype.js'
import type { broadcast_error_incompatible_dimensions } from './generated/shape_errors.js'
import type { BroadcastShape, Shape } from './types/shapes.js'

type Tuple<N extends number, T, Out extends readonly T[] = readonly []> = number extends N
  ? readonly T[]
  : Out['length'] extends N
    ? Out
    : Tuple<N, T, readonly [...Out, T]>

/** How a registered dtype lies in memory and mixes with others. */
export interface RegisterDTypeOptions {
  /** 'interleaved' (default): the components of an element lie together, as a last dimension; 'planar': each component is a tensor, as a first one. */
  readonly layout?: 'interleaved' | 'planar'
  /** Tensors of these dtypes may stand in operations: they are the first component, the others are zero's. */
  readonly promotes_from?: readonly DType[]
  /** What `to` gives: the first component in this dtype. */
  readonly promotes_to?: DType
  /** Names of the components: properties of its tensors. */
  readonly component_names?: readonly string[]
  /** Components are views, so that writing to them writes to the tensor; otherwise copies. Default: true. */
  readonly allow_component_view?: boolean
}

/**
 * A dtype of one's own: `components` numbers of `componentType` an element.
 *
 *     const quaternion = torch.register_dtype({
 *       name: 'quaternion', components: 4, componentType: 'float32', zero: [0, 0, 0, 0], component_names: ['w', 'x', 'y', 'z'],
 *     })
 *     const q = quaternion.zeros(2, 3)
 *     const w: torch.Tensor<readonly [2, 3], 'float32', 'cpu'> = q.w
 */
export interface DTypeConfig<
  Name extends string = string,
  Components extends number = number,
  ComponentType extends DType = DType,
> extends RegisterDTypeOptions {
  readonly name: Name
  readonly components: Components
  readonly componentType: ComponentType
  readonly zero: Tuple<Components, number>
  /** The product of two elements, by component; without it there is only the product with a number. */
  readonly multiply?: (a: readonly Tensor[], b: readonly Tensor[]) => readonly Tensor[]
  /** How an element is printed. */
  readonly display?: (components: readonly number[]) => string
}

type Named<S extends Shape, C extends DType, Names> = Names extends readonly string[]
  ? { readonly [K in Names[number]]: Tensor<S, C, 'cpu'> }
  : unknown
type NamesOf<Config> = Config extends { readonly component_names: infer Names } ? Names : unknown
/** A tensor of a registered dtype, with its components as properties. */
export type RegisteredTensor<S extends Shape, Config extends DTypeConfig> = ComponentTensor<S, Config> &
  Named<S, Config['componentType'], NamesOf<Config>>

type Together<A, B, Config extends DTypeConfig> =
  BroadcastShape<A, B> extends infer R
    ? R extends Shape
      ? RegisteredTensor<R, Config>
      : Extract<R, broadcast_error_incompatible_dimensions<number, number>>
    : never

/** A tensor whose elements have several components. */
export class ComponentTensor<out S extends Shape = Shape, out Config extends DTypeConfig = DTypeConfig> {
  readonly #config: DTypeConfig
  /** All components as one tensor: in the last dimension, or with the layout 'planar' in the first. */
  readonly components: Tensor

  /** Made by what `register_dtype` returns. @internal */
  constructor(config: DTypeConfig, components: Tensor) {
    this.#config = config
    this.components = components
    config.component_names?.forEach((name, i) => {
      Object.defineProperty(this, name, { get: () => this.component(i), enumerable: false })
    })
  }

  get shape(): S {
    const all = this.components.shape
    return (this.#planar ? all.slice(1) : all.slice(0, -1)) as unknown as S
  }
  get dtype(): Config['name'] {
    return this.#config.name
  }
  get device(): 'cpu' {
    return 'cpu'
  }
  get ndim(): number {
    return this.components.ndim - 1
  }
  numel(): number {
    return this.components.numel() / this.#config.components
  }

  get #planar(): boolean {
    return this.#config.layout === 'planar'
  }
  get #dim(): number {
    return this.#planar ? 0 : -1
  }
  #list(): Tensor[] {
    return [...this.components.unbind(this.#dim)] as Tensor[]
  }
  #like(parts: readonly Tensor[]): unknown {
    return new ComponentTensor(this.#config, stack(parts, this.#dim) as Tensor)
  }

  /** A component by its number. */
  component(index: number): Tensor<S, Config['componentType'], 'cpu'> {
    const view = this.components.select(this.#dim, index) as Tensor
    return ((this.#config.allow_component_view ?? true) ? view : view.clone()) as unknown as Tensor<S, Config['componentType'], 'cpu'>
  }

  // The other operand's components, of a plain tensor that may be promoted as well.
  #partsOf(other: unknown, operation: string): Tensor[] {
    const { name, promotes_from = [], zero, componentType } = this.#config
    if (other instanceof ComponentTensor && other.dtype === name) return other.#list()
    if (other instanceof Tensor && promotes_from.includes(other.dtype)) {
      const first = other.to(componentType) as Tensor
      return zero.map((z, i) => (i === 0 ? first : (ones_like(first).mul(z) as Tensor)))
    }
    const kind = other instanceof Tensor || other instanceof ComponentTensor ? other.dtype : typeof other
    throw new TorchError(
      `${operation}(): a tensor of the dtype '${name}' does not go with one of '${kind}'${promotes_from.length ? ` (promotes from: ${promotes_from.join(', ')})` : ''}`,
      'TypeError',
    )
  }

  add<Other extends Shape>(other: ComponentTensor<Other, Config> | Tensor<Other>): Together<S, Other, Config>
  add(other: unknown): unknown {
    const b = this.#partsOf(other, 'add')
    return this.#like(this.#list().map((a, i) => a.add(b[i]!) as Tensor))
  }
  sub<Other extends Shape>(other: ComponentTensor<Other, Config> | Tensor<Other>): Together<S, Other, Config>
  sub(other: unknown): unknown {
    const b = this.#partsOf(other, 'sub')
    return this.#like(this.#list().map((a, i) => a.sub(b[i]!) as Tensor))
  }
  /** The product with a number, or the dtype's own `multiply`. */
  mul(other: number): RegisteredTensor<S, Config>
  mul<Other extends Shape>(other: ComponentTensor<Other, Config> | Tensor<Other>): Together<S, Other, Config>
  mul(other: unknown): unknown {
    if (typeof other === 'number') return new ComponentTensor(this.#config, this.components.mul(other) as Tensor)
    const { multiply, name, components } = this.#config
    if (!multiply) throw new TorchError(`mul(): the dtype '${name}' was registered without multiply`, 'NotImplementedError')
    const parts = multiply(this.#list(), this.#partsOf(other, 'mul'))
    if (parts.length !== components)
      throw new TorchError(`mul(): multiply of the dtype '${name}' gave ${parts.length} components, expected ${components}`, 'ValueError')
    return this.#like(parts)
  }
  neg(): RegisteredTensor<S, Config> {
    return new ComponentTensor(this.#config, this.components.neg() as Tensor) as unknown as RegisteredTensor<S, Config>
  }
  /** Where all components are equal. */
  eq<Other extends Shape>(
    other: ComponentTensor<Other, Config>,
  ): BroadcastShape<S, Other> extends infer R extends Shape ? Tensor<R, 'bool', 'cpu'> : BroadcastShape<S, Other>
  eq(other: ComponentTensor): unknown {
    const b = this.#partsOf(other, 'eq')
    return this.#list()
      .map((a, i) => a.eq(b[i]!) as Tensor)
      .reduce((a, c) => a.logical_and(c) as Tensor)
  }
  /** The first component in the dtype that the dtype promotes to. */
  to<To extends DType>(dtype: To): Tensor<S, To, 'cpu'> {
    const { promotes_to, name } = this.#config
    if (dtype !== promotes_to)
      throw new TorchError(
        `to(): the dtype '${name}' ${promotes_to ? `becomes '${promotes_to}', not` : 'does not become'} '${dtype}'`,
        'TypeError',
      )
    return (this.component(0) as unknown as Tensor).to(dtype) as unknown as Tensor<S, To, 'cpu'>
  }
  clone(): RegisteredTensor<S, Config> {
    return new ComponentTensor(this.#config, this.components.clone() as Tensor) as unknown as RegisteredTensor<S, Config>
  }

  /** The elements, each a list of its components, in nested arrays. */
  toArray(): unknown {
    return (this.#planar ? this.components.movedim(0, -1) : this.components).toArray()
  }
  toString(): string {
    const show = this.#config.display ?? ((c: readonly number[]): string => `(${c.join(', ')})`)
    const text = (v: unknown, depth: number): string =>
      depth === 0 ? show(v as number[]) : `[${(v as unknown[]).map((x) => text(x, depth - 1)).join(', ')}]`
    return `tensor(${text(this.toArray(), this.ndim)}, dtype=${this.#config.name})`
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }
}

/** What `register_dtype` returns: the functions that make tensors of the dtype. */
export interface RegisteredDType<Config extends DTypeConfig> {
  readonly name: Config['name']
  readonly config: Config
  zeros<const Size extends readonly number[]>(...size: Size): RegisteredTensor<Readonly<Size>, Config>
  empty<const Size extends readonly number[]>(...size: Size): RegisteredTensor<Readonly<Size>, Config>
  /** Every element the same. */
  full<const Size extends readonly number[]>(
    size: Size,
    value: Tuple<Config['components'], number>,
  ): RegisteredTensor<Readonly<Size>, Config>
  /** One-dimensional, of a list of elements. */
  tensor<const Elements extends readonly Tuple<Config['components'], number>[]>(
    elements: Elements,
  ): RegisteredTensor<number extends Elements['length'] ? readonly [number] : readonly [Elements['length']], Config>
  /** Of one tensor for each component. */
  from_components<S extends Shape>(...parts: Tuple<Config['components'], Tensor<S>>): RegisteredTensor<S, Config>
}

const registry = new Map<string, RegisteredDType<DTypeConfig>>()
/** The registered dtype of this name. */
export const registered_dtype = (name: string): RegisteredDType<DTypeConfig> | null => registry.get(name) ?? null

function check(config: DTypeConfig): void {
  if (typeof config !== 'object' || config === null)
    throw new TorchError(`register_dtype(): the configuration must be an object, not ${typeName(config)}`, 'TypeError')
  const { name, components, componentType, zero, component_names: names } = config
  const fail = (message: string): never => {
    throw new TorchError(`register_dtype(): ${message}`, 'ValueError')
  }
  if (typeof name !== 'string' || !/^[A-Za-z_]\w*$/.test(name)) fail(`'${String(name)}' is no name for a dtype`)
  if (isDType(name) || registry.has(name)) fail(`there is a dtype '${name}' already`)
  if (!Number.isSafeInteger(components) || components < 1) fail(`components must be a positive integer, got ${String(components)}`)
  if (!isDType(componentType)) fail(`there is no dtype '${String(componentType)}' for the components`)
  if (!Array.isArray(zero) || zero.length !== components) fail(`zero must have ${components} numbers`)
  if (!names) return
  if (names.length !== components) fail(`${components} components have ${names.length} names`)
  const taken = names.find((n, i) => names.indexOf(n) !== i || n in ComponentTensor.prototype || n === 'components')
  if (taken !== undefined) fail(`'${taken}' cannot be the name of a component`)
}

/** Makes a dtype of one's own known, and returns the functions that make tensors of it. A name can be registered once. */
export function register_dtype<const Config extends DTypeConfig>(
  config: Config & { readonly zero: Tuple<Config['components'], number> },
): RegisteredDType<Config>
export function register_dtype(config: DTypeConfig): unknown {
  check(config)
  const { name, components, componentType, zero, layout } = config
  const planar = layout === 'planar'
  const sizes = (size: readonly number[]): number[] => (planar ? [components, ...size] : [...size, components])
  const make = (t: Tensor): ComponentTensor => new ComponentTensor(config, t)
  const options = { dtype: componentType } as const
  const fill = (size: readonly number[], value: readonly number[]): ComponentTensor =>
    make(
      stack(
        value.map((v) => full(size, v, options) as Tensor),
        planar ? 0 : -1,
      ) as Tensor,
    )
  const dtype = {
    name,
    config,
    zeros: (...size: number[]) => (zero.every((z) => z === 0) ? make(zeros(sizes(size), options) as Tensor) : fill(size, zero)),
    empty: (...size: number[]) => make(empty(sizes(size), options) as Tensor),
    full: (size: readonly number[], value: readonly number[]) => fill(size, value),
    tensor: (elements: readonly (readonly number[])[]) => {
      const bad = elements.find((e) => e.length !== components)
      if (bad) throw new TorchError(`${name}: an element has ${components} components, got ${bad.length}`, 'ValueError')
      const t = tensor(elements as unknown as number[][], options) as Tensor
      return make(planar ? (t.t().contiguous() as Tensor) : t)
    },
    from_components: (...parts: Tensor[]) => {
      if (parts.length !== components) throw new TorchError(`${name}: expected ${components} components, got ${parts.length}`, 'ValueError')
      return make(
        stack(
          parts.map((p) => p.to(componentType) as Tensor),
          planar ? 0 : -1,
        ) as Tensor,
      )
    },
  }
  registry.set(name, dtype as unknown as RegisteredDType<DTypeConfig>)
  return dtype
}
