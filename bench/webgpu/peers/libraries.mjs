// What bench/webgpu/peers.mjs needs of the other libraries, as one file (make bench-webgpu-peers): a machine with a GPU may have no network.
export * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-webgpu'
import '@tensorflow/tfjs-core/dist/register_all_gradients.js'
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js'
export * as jax from '@jax-js/jax'
