// What the benchmark cases cannot do without: bytes that have to be read and written at least once (float32 inputs and results, gradients
// where a case computes them; nothing in between), and floating-point operations of products. A case's floor is the longer of the two times on
// a given machine (machine.c measures one). Cases of a few elements have none: they measure the way of a call.
const M = 1 << 20
const KIB = 1024
const floats = (n) => 4 * n
/** n elements through a function of `reads` inputs and `writes` results. */
const stream = (n, reads = 1, writes = 1) => ({ bytes: floats(n) * (reads + writes), flops: 0 })
const product = (m, k, n, batches = 1) => ({ bytes: floats(batches * (m * k + k * n + m * n)), flops: 2 * batches * m * n * k })
/** A product and both its gradients. */
const productBackward = (m, k, n) => ({ bytes: 3 * product(m, k, n).bytes, flops: 3 * product(m, k, n).flops })
/** 3 x 3 windows of stride 1 over many channels: by minimal filtering, 4 products a result instead of 9. */
const conv = (batch, inputs, outputs, spaceIn, spaceOut, window, groups = 1) => ({
  bytes: floats(batch * (inputs * spaceIn + outputs * spaceOut) + (outputs * inputs * window) / groups),
  flops: (2 * batch * outputs * inputs * (minimal(inputs, spaceIn, spaceOut, window, groups) ? 4 : window) * spaceOut) / groups,
})
const minimal = (inputs, spaceIn, spaceOut, window, groups) => window === 9 && spaceIn === spaceOut && groups === 1 && inputs >= 8
const times = ({ bytes, flops }, k) => ({ bytes: bytes * k, flops: flops * k })
const sum = (...parts) => parts.reduce((a, b) => ({ bytes: a.bytes + b.bytes, flops: a.flops + b.flops }))
/** A training step: products forward and backward, and AdamW, which reads four arrays and writes three. */
const step = (parameters, ...products) =>
  sum({ bytes: floats(7 * parameters), flops: 0 }, ...products.map((p) => ({ bytes: 3 * p.bytes, flops: 3 * p.flops })))

const attention = (heads, t, d, share = 1) => ({ bytes: floats(4 * heads * t * d), flops: 4 * heads * t * t * d * share })
const gptLayer = (tokens, d) => [product(tokens, d, 3 * d), product(tokens, d, d), product(tokens, d, 4 * d), product(tokens, 4 * d, d)]
const gptParameters = (vocabulary, d, layers, context) => 2 * vocabulary * d + context * d + layers * 12 * d * d
const basicBlock = (i, o, space, stride) => [
  conv(8, i, o, space * stride * stride, space, 9),
  conv(8, o, o, space, space, 9),
  ...(stride !== 1 || i !== o ? [conv(8, i, o, space * stride * stride, space, 1)] : []),
]

export const floors = {
  'pointwise/add_1m': stream(M, 2),
  'pointwise/add_16m': stream(16 * M, 2),
  'pointwise/mul_bias_1024': stream(M),
  'pointwise/add_transposed_1024': stream(M, 2),
  'pointwise/exp_1m': stream(M),
  'pointwise/tanh_1m': stream(M),
  'pointwise/sigmoid_1m': stream(M),
  'pointwise/erf_1m': stream(M),
  'pointwise/sin_1m': stream(M),
  'pointwise/gelu_1m': stream(M),
  'pointwise/pow_1m': stream(M),
  'pointwise/chain6_1m': stream(M, 2),
  'pointwise/where_1m': stream(M, 2),
  'pointwise/to_float64_1m': stream(M, 1, 2),
  'pointwise/gelu_backward_1m': stream(M, 2, 2),
  'reduce/sum_all_1m': stream(M, 1, 0),
  'reduce/sum_dim0_1024': stream(M, 1, 0),
  'reduce/sum_dim1_1024': stream(M, 1, 0),
  'reduce/max_dim1_1024': stream(M, 1, 0),
  'reduce/argmax_dim1_1024': stream(M, 1, 0),
  'reduce/var_dim1_1024': stream(M, 1, 0),
  'reduce/cumsum_dim1_1024': stream(M),
  'reduce/softmax_1024': stream(M),
  'reduce/log_softmax_backward_1024': stream(M, 2, 2),
  'norm/layer_norm_2048x768': stream(2048 * 768),
  'norm/layer_norm_backward_2048x768': stream(2048 * 768, 2, 2),
  'norm/batch_norm_train_32x64x28x28': stream(32 * 64 * 28 * 28),
  'norm/group_norm_16x64x28x28': stream(16 * 64 * 28 * 28),
  'gemm/matmul_64': product(64, 64, 64),
  'gemm/matmul_256': product(256, 256, 256),
  'gemm/matmul_1024': product(1024, 1024, 1024),
  'gemm/matmul_2048': product(2048, 2048, 2048),
  'gemm/matmul_nt_1024': product(1024, 1024, 1024),
  'gemm/matvec_2048': product(2048, 2048, 1),
  'gemm/bmm_96x128x64': product(128, 64, 128, 96),
  'gemm/linear_128x784x512': product(128, 784, 512),
  'gemm/linear_backward_128x784x512': productBackward(128, 784, 512),
  'linalg/cholesky_256': sum(product(256, 256, 256), { bytes: floats(2 * 256 * 256), flops: 256 ** 3 / 3 }),
  'linalg/solve_256': { bytes: floats(256 * 256 + 2 * 256 * 16), flops: (2 / 3) * 256 ** 3 + 2 * 256 * 256 * 16 },
  'linalg/svd_128': { bytes: floats(3 * 128 * 128), flops: 21 * 128 ** 3 },
  'linalg/eigh_128': { bytes: floats(2 * 128 * 128), flops: 9 * 128 ** 3 },
  'fft/rfft_64x4096': { bytes: floats(2 * 64 * 4096), flops: 2.5 * 64 * 4096 * 12 },
  'conv/3x3_8x64x56x56': conv(8, 64, 64, 56 * 56, 56 * 56, 9),
  'conv/1x1_8x256x28x28': conv(8, 256, 128, 28 * 28, 28 * 28, 1),
  'conv/7x7s2_4x3x224x224': conv(4, 3, 64, 224 * 224, 112 * 112, 49),
  'conv/depthwise3x3_8x96x56x56': conv(8, 96, 96, 56 * 56, 56 * 56, 9, 96),
  'conv/3x3_backward_8x64x28x28': times(conv(8, 64, 64, 28 * 28, 28 * 28, 9), 3),
  'conv/1d_16x64x1024': conv(16, 64, 64, 1024, 1024, 5),
  'conv/transpose2d_8x64x28x28': conv(8, 64, 32, 28 * 28, 56 * 56, 1),
  'pool/max2x2_8x64x56x56': { bytes: floats(1.25 * 8 * 64 * 56 * 56), flops: 0 },
  'pool/avg2x2_8x64x56x56': { bytes: floats(1.25 * 8 * 64 * 56 * 56), flops: 0 },
  'attention/sdpa_causal_4x8x256x64': attention(32, 256, 64, 0.5),
  'embedding/lookup_backward_32x64_v10000x256': { bytes: floats(10000 * 256 + 4 * 2048 * 256), flops: 0 },
  'loss/cross_entropy_backward_512x10000': stream(512 * 10000, 1, 1),
  'data/permute_contiguous_8x64x56x56': stream(8 * 64 * 56 * 56),
  'data/cat_4x1m': stream(4 * M),
  'data/sort_1m': stream(M, 1, 3),
  'data/topk_1024x1024_k16': stream(M, 1, 0),
  'data/index_select_100k': stream(100000 * 64, 0, 1),
  'data/masked_select_1m': { bytes: floats(1.5 * M) + M, flops: 0 },
  'random/randn_1m': stream(M, 0, 1),
  'random/dropout_1m': stream(M),
  'train/mlp_64x784x512x512x10_adamw': step(
    784 * 512 + 512 * 512 + 5120,
    product(64, 784, 512),
    product(64, 512, 512),
    product(64, 512, 10),
  ),
  'train/convnet_32x1x28x28_adamw': step(
    421642,
    conv(32, 1, 32, 784, 784, 9),
    conv(32, 32, 64, 196, 196, 9),
    product(32, 3136, 128),
    product(32, 128, 10),
  ),
  'train/resnet18_cifar_8x3x32x32_adamw': step(
    11173962,
    conv(8, 3, 64, KIB, KIB, 9),
    ...basicBlock(64, 64, KIB, 1),
    ...basicBlock(64, 64, KIB, 1),
    ...basicBlock(64, 128, 256, 2),
    ...basicBlock(128, 128, 256, 1),
    ...basicBlock(128, 256, 64, 2),
    ...basicBlock(256, 256, 64, 1),
    ...basicBlock(256, 512, 16, 2),
    ...basicBlock(512, 512, 16, 1),
  ),
  'train/lstm_2x256_16x64_adamw': step(
    983136,
    product(1024, 128, 1024),
    product(1024, 256, 1024),
    times(product(16, 256, 1024), 2 * 64),
    product(1024, 256, 96),
  ),
  'train/gpt_4x128_12x64_adamw': step(
    gptParameters(96, 128, 4, 64),
    ...Array.from({ length: 4 }, () => [...gptLayer(768, 128), attention(48, 64, 32)]).flat(),
    product(768, 128, 96),
  ),
  'infer/gpt_12x768_1x128': sum(
    ...Array.from({ length: 12 }, () => [...gptLayer(128, 768), attention(12, 128, 64)]).flat(),
    product(128, 768, 8192),
  ),
}

/** Below this many bytes a case works in the caches. */
const CACHED = 24 * M

/** The floor of a case in microseconds on a machine as machine.c describes it; null for a case without one. */
export function floorOf(name, machine) {
  const f = floors[name]
  if (!f) return null
  const bandwidth = f.bytes < CACHED ? machine.cache_gb_s : machine.memory_gb_s
  return Math.max(f.bytes / bandwidth, f.flops / machine.gflop_s) / 1e3
}
