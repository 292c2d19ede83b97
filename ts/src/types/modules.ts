// What modules do to the shape of their input. A generic method cannot be called by the type system, so each module carries its rule as an
// interface: `output` is computed from `input`, which whoever applies the rule fills in.
import type { Tensor } from '../tensor.js'
import type { dimension_error_rank, recurrent_error_features_do_not_match } from '../generated/shape_errors.js'
import type { Multiply } from './decimal.js'
import type { Checked } from './results.js'
import type { DeviceType, DType } from './dtype.js'
import type { ShapeError } from './shape_error.js'
import type {
  AdaptivePoolShape,
  AnyShape,
  BilinearShape,
  BroadcastShape,
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
  LossShape,
  MayEqual,
  NllShape,
  PadShape,
  PixelShuffleShape,
  PixelUnshuffleShape,
  PoolShape,
  RowsShape,
  Same,
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

// ---- losses --------------------------------------------------------------------------------------------------------

/** What a loss does with its tensors: which terms there are, and what becomes of them. Old: PyTorch's older words for the reduction. */
export interface LossRule<Kind, Reduction, Old = null> {
  readonly kind: Kind
  readonly reduction: Reduction
  readonly old: Old
}
/** The terms of a loss of three tensors at most, by kind. */
interface Terms<A, B, C> {
  classes: NllShape<A, B>
  pair: BroadcastShape<A, B>
  three: BroadcastShape<BroadcastShape<A, B>, C>
  input: A
  second: B
  third: C
  rows: RowsShape<A>
  rows_of_three: RowsShape<BroadcastShape<BroadcastShape<A, B>, C>>
  lengths: C
}
/** What a loss's forward returns for tensors of these shapes, D and TD being the dtypes of the first two. */
export type LossForward<M, Shapes extends readonly unknown[], D, TD, Dev> = M extends { readonly loss_rule?: infer Rule }
  ? Exclude<Rule, undefined> extends LossRule<infer Kind, infer Reduction, infer Old>
    ? Checked<
        LossShape<[Old] extends [null] ? Reduction : string, Terms<Shapes[0], Shapes[1], Shapes[2]>[Kind & keyof Terms<1, 1, 1>]>,
        Kind extends 'classes' | 'rows' | 'second' | 'lengths' ? D : Same<D, TD> extends true ? D : DType,
        Dev
      >
    : Tensor
  : Tensor

// ---- recurrent networks ---------------------------------------------------------------------------------------------

/** The sizes of a recurrent network. First: its input is [batch, time, features]; Both: it has two directions; Projected: 0 for none. */
export interface RecurrentRule<In, Hidden, Layers, First, Both, Projected> {
  readonly in: In
  readonly hidden: Hidden
  readonly layers: Layers
  readonly first: First
  readonly both: Both
  readonly projected: Projected
}
/** The sizes of one step of it. */
export interface CellRule<In, Hidden> {
  readonly in: In
  readonly hidden: Hidden
}
type Doubled<N extends number, Both> = Both extends true ? Multiply<2, N> : Both extends false ? N : number
/** The shapes of the output and of the last states h and c. */
interface RecurrentShapes<Output, H, C> {
  readonly output: Output
  readonly h: H
  readonly c: C
}
type WithFeatures<F extends number, In extends number, Result> =
  MayEqual<F, In> extends true ? Result : recurrent_error_features_do_not_match<F, In>
type ShapesOfRecurrent<Rule, S> =
  Rule extends RecurrentRule<
    infer In extends number,
    infer Hidden extends number,
    infer Layers extends number,
    infer First,
    infer Both,
    infer Projected extends number
  >
    ? Through<S, In, Doubled<Layers, Both>, Doubled<Out<Hidden, Projected>, Both>, Out<Hidden, Projected>, Hidden, First>
    : RecurrentShapes<DynamicShape, DynamicShape, DynamicShape>
type Out<Hidden extends number, Projected extends number> = Projected extends 0 ? Hidden : Projected
type Through<
  S,
  In extends number,
  Layers extends number,
  Width extends number,
  H extends number,
  C extends number,
  First,
> = S extends AnyShape
  ? number extends S['length']
    ? RecurrentShapes<DynamicShape, DynamicShape, DynamicShape>
    : S extends readonly [infer A extends number, infer B extends number, infer F extends number]
      ? WithFeatures<
          F,
          In,
          RecurrentShapes<
            readonly [A, B, Width],
            readonly [Layers, First extends true ? A : First extends false ? B : number, H],
            readonly [Layers, First extends true ? A : First extends false ? B : number, C]
          >
        >
      : S extends readonly [infer T extends number, infer F extends number]
        ? WithFeatures<F, In, RecurrentShapes<readonly [T, Width], readonly [Layers, H], readonly [Layers, C]>>
        : dimension_error_rank<'2 or 3', [...S]>
  : S
type RuleOf<M> = M extends { readonly recurrent_rule?: infer Rule } ? Exclude<Rule, undefined> : unknown

/** What forward of RNN and GRU returns. */
export type RecurrentForward<M, S, D extends DType, Dev extends DeviceType> =
  ShapesOfRecurrent<RuleOf<M>, S> extends infer R
    ? R extends RecurrentShapes<infer Output extends Shape, infer H extends Shape, unknown>
      ? [output: Tensor<Output, D, Dev>, h_n: Tensor<H, D, Dev>]
      : Extract<R, ShapeError>
    : never
/** What forward of LSTM returns. */
export type LSTMForward<M, S, D extends DType, Dev extends DeviceType> =
  ShapesOfRecurrent<RuleOf<M>, S> extends infer R
    ? R extends RecurrentShapes<infer Output extends Shape, infer H extends Shape, infer C extends Shape>
      ? [output: Tensor<Output, D, Dev>, states: [h_n: Tensor<H, D, Dev>, c_n: Tensor<C, D, Dev>]]
      : Extract<R, ShapeError>
    : never
type ShapeOfCell<Rule, S> =
  Rule extends CellRule<infer In extends number, infer Hidden extends number>
    ? S extends AnyShape
      ? number extends S['length']
        ? DynamicShape
        : S extends readonly [infer B extends number, infer F extends number]
          ? WithFeatures<F, In, readonly [B, Hidden]>
          : S extends readonly [infer F extends number]
            ? WithFeatures<F, In, readonly [Hidden]>
            : dimension_error_rank<'1 or 2', [...S]>
      : S
    : DynamicShape
/** What forward of RNNCell and GRUCell returns. */
export type CellForward<M, S, D, Dev> = Checked<ShapeOfCell<RuleOf<M>, S>, D, Dev>
/** What forward of LSTMCell returns. */
export type LSTMCellForward<M, S, D extends DType, Dev extends DeviceType> =
  ShapeOfCell<RuleOf<M>, S> extends infer R
    ? R extends Shape
      ? [h: Tensor<R, D, Dev>, c: Tensor<R, D, Dev>]
      : Extract<R, ShapeError>
    : never
