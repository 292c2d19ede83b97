// Losses, normalisation and attention.
import type {
  dimension_error_out_of_range,
  batch_norm_error_features_do_not_match,
  dimension_error_rank,
  layer_norm_error_shape_does_not_match,
  loss_error_batch_does_not_match,
} from '../../generated/shape_errors.js'
import type { Divide } from '../decimal.js'
import type { BroadcastShape } from './broadcast.js'
import type { AnyShape, DynamicShape, MayEqual, NormalDim, ReplaceAt, SameRank, Shape, SizeOf } from './core.js'
import type { MatmulShape } from './matmul.js'

/** A loss: each element's with 'none', else one number; errors of the elements' shape stay. */
export type LossShape<Reduction, Each> = Each extends AnyShape
  ? [Reduction] extends ['mean' | 'sum' | 'batchmean']
    ? readonly []
    : [Reduction] extends ['none']
      ? Each
      : DynamicShape
  : Each

/** nll_loss and cross_entropy: classes in dimension 1 (0 of one sample): `NllShape<readonly [32, 10], readonly [32]>` is `readonly [32]`. */
export type NllShape<S, Target> = S extends AnyShape
  ? Target extends AnyShape
    ? number extends S['length'] | Target['length']
      ? DynamicShape
      : S extends readonly [unknown]
        ? readonly []
        : S extends readonly [infer N extends number, unknown, ...infer Rest extends Shape]
          ? Target extends readonly [infer M extends number, ...AnyShape]
            ? MayEqual<N, M> extends true
              ? readonly [N, ...Rest]
              : loss_error_batch_does_not_match<N, M>
            : dimension_error_rank<'at least 1', []>
          : dimension_error_rank<'at least 1', []>
    : Target
  : S
/** Losses over the last dimension (classes or coordinates): the batch is left. */
export type RowsShape<S> = S extends AnyShape
  ? number extends S['length']
    ? DynamicShape
    : S extends readonly [...infer B extends Shape, unknown]
      ? readonly [...B]
      : S
  : S

/** layer_norm and rms_norm: the last sizes are those that are normalised. */
export type LayerNormShape<S, Normalized> = S extends AnyShape
  ? Normalized extends AnyShape
    ? number extends S['length'] | Normalized['length']
      ? S
      : Normalized extends readonly []
        ? layer_norm_error_shape_does_not_match<[], [...S]>
        : EndsWith<S, Normalized> extends true
          ? S
          : layer_norm_error_shape_does_not_match<[...Normalized], [...S]>
    : Normalized extends number
      ? LayerNormShape<S, readonly [Normalized]>
      : S
  : S
type EndsWith<S extends Shape, E extends Shape> = E extends readonly [...infer IE extends Shape, infer B extends number]
  ? S extends readonly [...infer IS extends Shape, infer A extends number]
    ? MayEqual<A, B> extends true
      ? EndsWith<IS, IE>
      : false
    : false
  : true

/** Channels in dimension 1 that have to be as many as a module was made for. Rank: the dimensions that the input may have. */
export type ChannelsShape<S, Features extends number, Ranks extends number = number> = S extends AnyShape
  ? number extends S['length']
    ? S
    : S['length'] extends Ranks
      ? S extends readonly [unknown, infer C extends number, ...AnyShape]
        ? MayEqual<C, Features> extends true
          ? S
          : batch_norm_error_features_do_not_match<C, Features>
        : dimension_error_rank<Ranks, [...S]>
      : dimension_error_rank<Ranks, [...S]>
  : S

/** scaled_dot_product_attention: the rows of the query, the width of the value. */
export type AttentionShape<Q, K, V> = Q extends AnyShape
  ? K extends AnyShape
    ? V extends AnyShape
      ? number extends Q['length'] | K['length'] | V['length']
        ? DynamicShape
        : K extends readonly [...infer BK extends Shape, infer M extends number, infer E extends number]
          ? MatmulShape<Q, readonly [...BK, E, M]> extends infer Scores
            ? Scores extends AnyShape
              ? MatmulShape<Scores, V>
              : Scores
            : never
          : dimension_error_rank<'at least 2', [...K]>
      : V
    : K
  : Q

/** cosine_similarity and pairwise_distance: a dimension of what both broadcast to goes. */
export type SimilarityShape<A, B, Dim extends number, Keep = false> =
  BroadcastShape<A, B> extends infer R
    ? R extends AnyShape
      ? number extends R['length']
        ? DynamicShape
        : [NormalDim<R, Dim>] extends [never]
          ? dimension_error_out_of_range<Dim, [...R]>
          : number extends NormalDim<R, Dim>
            ? DynamicShape
            : Without<R, NormalDim<R, Dim>, Keep>
      : R
    : never
type Without<S extends Shape, At extends number, Keep> = Keep extends true
  ? ReplaceAt<S, At, 1>
  : Keep extends false
    ? import('./core.js').RemoveAt<S, At>
    : DynamicShape

/** glu: half of a dimension. */
export type GluShape<S, Dim extends number> = S extends AnyShape
  ? number extends S['length']
    ? DynamicShape
    : [NormalDim<S, Dim>] extends [never]
      ? dimension_error_out_of_range<Dim, [...S]>
      : number extends NormalDim<S, Dim>
        ? SameRank<S>
        : Divide<SizeOf<S, Dim>, 2> extends { quotient: infer Q extends number; remainder: infer R }
          ? R extends 1
            ? dimension_error_rank<'Halving dimension must be even', [...S]>
            : ReplaceAt<S, NormalDim<S, Dim>, Q>
          : never
  : S
