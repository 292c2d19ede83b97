// What modules do to the shape of their input. A generic method cannot be called by the type system, so each module carries its rule as an
// interface: `output` is computed from `input`, which whoever applies the rule fills in.
import type { Checked } from './results.js'
import type { DType } from './dtype.js'
import type {
  AdaptivePoolShape,
  BilinearShape,
  ChannelsShape,
  ConvModuleShape,
  ConvTransposeModuleShape,
  DynamicShape,
  EmbeddingShape,
  FlattenShape,
  FoldShape,
  GluShape,
  InterpolateShape,
  LayerNormShape,
  LinearShape,
  PadShape,
  PixelShuffleShape,
  PixelUnshuffleShape,
  PoolShape,
  SameRank,
  Shape,
  SoftmaxShape,
  UnflattenShape,
  UnfoldShape,
} from './shapes.js'

/**
 * A function from shapes to shapes. A module of one's own tells its shapes by a declared property:
 *
 *     interface DoubleRule extends ShapeRule { readonly output: CatShape<[this['input'], this['input']], -1> }
 *     class Double extends nn.Module { declare readonly shape_rule?: DoubleRule }
 */
export interface ShapeRule {
  readonly input: unknown
  readonly output: unknown
}
/** The result of a rule for a shape: `ApplyRule<LinearRule<784, 10>, readonly [32, 784]>` is `readonly [32, 10]`. */
export type ApplyRule<Rule, S> = Rule extends ShapeRule ? (Rule & { readonly input: S })['output'] : DynamicShape

type ResultShape<R> = R extends { readonly shape: infer S } ? S : DynamicShape
/** The shape that a module makes of one: by its rule, else by the type that its forward returns. */
export type ForwardShape<M, S> = M extends { readonly shape_rule?: infer Rule }
  ? unknown extends Rule
    ? ByForward<M>
    : ApplyRule<Exclude<Rule, undefined>, S>
  : ByForward<M>
type ByForward<M> = M extends { forward(...args: never[]): infer R } ? ResultShape<R> : DynamicShape

/** The dtype of a module's result: that of its input, unless its rule or its forward tells another. */
export type ForwardDType<M, D> = M extends { readonly shape_rule?: infer Rule }
  ? unknown extends Rule
    ? M extends { forward(...args: never[]): { readonly dtype: infer R } }
      ? R
      : DType
    : Exclude<Rule, undefined> extends { readonly modules: infer Modules extends readonly unknown[] }
      ? ThroughDTypes<Modules, D>
      : Exclude<Rule, undefined> extends { readonly dtype: infer R }
        ? R
        : D
  : DType
type ThroughDTypes<Modules extends readonly unknown[], D> = number extends Modules['length']
  ? DType
  : Modules extends readonly [infer M, ...infer Rest]
    ? ThroughDTypes<Rest, ForwardDType<M, D>>
    : D

/** What a module's forward returns for a tensor. */
export type Forward<M, S, D, Dev> = Checked<ForwardShape<M, S>, ForwardDType<M, D>, Dev>

/** What `call` returns: the forward's result for these arguments. */
export type CallResult<M, Args> = M extends { forward(...args: never[]): infer R }
  ? Args extends readonly [{ readonly shape: infer S; readonly dtype: infer D; readonly device: infer Dev }, ...unknown[]]
    ? M extends { readonly shape_rule?: infer Rule }
      ? unknown extends Rule
        ? R
        : Forward<M, S, D, Dev>
      : R
    : R
  : never

/** The shape after several modules, one after the other: `ChainShapes<[nn.Linear<4, 8>, nn.ReLU], readonly [2, 4]>`. */
export type ThroughModules<Modules extends readonly unknown[], S> = number extends Modules['length']
  ? S extends Shape
    ? DynamicShape
    : S
  : Modules extends readonly [infer M, ...infer Rest]
    ? ThroughModules<Rest, ForwardShape<M, S>>
    : S

/** A module that keeps the shape. */
export interface SameRule extends ShapeRule {
  readonly output: this['input']
}
/** A module of which only the number of dimensions is known. */
export interface SameRankRule extends ShapeRule {
  readonly output: this['input'] extends Shape ? SameRank<this['input']> : this['input']
}
export interface LinearRule<In extends number, Out extends number> extends ShapeRule {
  readonly output: LinearShape<this['input'], readonly [Out, In]>
}
/** Of the first of two inputs, the second having the same batch. */
export interface BilinearRule<In1 extends number, In2 extends number, Out extends number> extends ShapeRule {
  readonly output: this['input'] extends Shape ? BilinearShape<this['input'], DynamicShape, readonly [Out, In1, In2]> : this['input']
}
export interface ConvRule<N extends number, In extends number, Out extends number, Kernel, Stride, Padding, Dilation> extends ShapeRule {
  readonly output: ConvModuleShape<N, this['input'], In, Out, Kernel, Stride, Padding, Dilation>
}
export interface ConvTransposeRule<
  N extends number,
  In extends number,
  Out extends number,
  Kernel,
  Stride,
  Padding,
  OutputPadding,
  Dilation,
> extends ShapeRule {
  readonly output: ConvTransposeModuleShape<N, this['input'], In, Out, Kernel, Stride, Padding, OutputPadding, Dilation>
}
export interface PoolRule<N extends number, Kernel, Stride, Padding, Dilation, Ceil> extends ShapeRule {
  readonly output: PoolShape<N, this['input'], Kernel, Stride, Padding, Dilation, Ceil>
}
export interface AdaptivePoolRule<N extends number, Size> extends ShapeRule {
  readonly output: AdaptivePoolShape<N, this['input'], Size>
}
export interface FlattenRule<Start extends number, End extends number> extends ShapeRule {
  readonly output: FlattenShape<this['input'], Start, End>
}
export interface UnflattenRule<Dim extends number, Sizes> extends ShapeRule {
  readonly output: UnflattenShape<this['input'], Dim, Sizes>
}
export interface SoftmaxRule<Dim> extends ShapeRule {
  readonly output: SoftmaxShape<this['input'], Dim>
}
export interface GluRule<Dim extends number> extends ShapeRule {
  readonly output: GluShape<this['input'], Dim>
}
export interface LayerNormRule<Normalized> extends ShapeRule {
  readonly output: LayerNormShape<this['input'], Normalized>
}
export interface ChannelsRule<Features extends number, Ranks extends number> extends ShapeRule {
  readonly output: ChannelsShape<this['input'], Features, Ranks>
}
export interface EmbeddingRule<Rows extends number, Width extends number> extends ShapeRule {
  readonly dtype: DType
  readonly output: EmbeddingShape<this['input'], readonly [Rows, Width]>
}
export interface PadRule<N extends 1 | 2 | 3, Padding> extends ShapeRule {
  readonly output: PadShape<this['input'], Pairs<N, Padding>>
}
type Pairs<N extends 1 | 2 | 3, P> = P extends number
  ? { 1: readonly [P, P]; 2: readonly [P, P, P, P]; 3: readonly [P, P, P, P, P, P] }[N]
  : P
export interface UpsampleRule<Size, Factor> extends ShapeRule {
  readonly output: InterpolateShape<this['input'], Size, Factor>
}
export interface PixelShuffleRule<R extends number> extends ShapeRule {
  readonly output: PixelShuffleShape<this['input'], R>
}
export interface PixelUnshuffleRule<R extends number> extends ShapeRule {
  readonly output: PixelUnshuffleShape<this['input'], R>
}
export interface UnfoldRule<Kernel, Dilation, Padding, Stride> extends ShapeRule {
  readonly output: UnfoldShape<this['input'], Kernel, Dilation, Padding, Stride>
}
export interface FoldRule<Size, Kernel> extends ShapeRule {
  readonly output: FoldShape<this['input'], Size, Kernel>
}
/** Modules one after the other. They are a property, so that a Sequential of certain modules is a Sequential. */
export interface SequentialRule extends ShapeRule {
  readonly modules: unknown
  readonly output: this['modules'] extends readonly unknown[] ? ThroughModules<this['modules'], this['input']> : unknown
}
