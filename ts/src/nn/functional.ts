// nn.functional: the operators that networks are made of. Some of them are in `torch` as well, and only there in the schema.

export * from '../generated/public/functional.js'
export {
  celu,
  celu_,
  channel_shuffle,
  hardshrink,
  pixel_shuffle,
  pixel_unshuffle,
  prelu,
  relu,
  relu_,
  selu,
  selu_,
  sigmoid,
  tanh,
} from '../generated/functions.js'
export { triplet_margin_with_distance_loss } from './functional_loss.js'
export type { TripletMarginWithDistanceLossFunctionalOptions } from './functional_loss.js'
export {
  adaptive_avg_pool1d,
  adaptive_avg_pool2d,
  adaptive_avg_pool3d,
  adaptive_max_pool1d,
  adaptive_max_pool2d,
  adaptive_max_pool3d,
  fractional_max_pool2d,
  fractional_max_pool3d,
  max_pool1d,
  max_pool2d,
  max_pool3d,
} from './functional_pooling.js'
