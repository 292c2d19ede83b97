// Normalisation, pooling, losses, attention, dropout.
import { B, I, K, P, R, U, V } from './specs.mjs'

const F = (names, make) => Object.fromEntries(names.split(' ').map((n) => [n, make]))
const reductions = (...args) => ['mean', 'sum', 'none'].map((reduction) => [...args, { reduction }])
const cube = (d, c, n) => R(1, c, ...Array(d).fill(n))
const dims = [1, 2, 3]
const at = (make) => Object.assign({}, ...dims.map(make))
const list = (d, v) => Array(d).fill(v)

export default {
  // PyTorch gives no gradient through the second and third result.
  native_layer_norm: [
    { run: (t, x, w, b) => [t.native_layer_norm(x, [3], w, b, 1e-5)[Symbol.iterator]().next().value], inputs: [R(2, 3), R(3), R(3)] },
  ],
  layer_norm: [
    [R(2, 3), [3], R(3), R(3)],
    [R(2, 3), [3]],
  ],
  native_group_norm: [
    {
      run: (t, x, w, b) => [t.native_group_norm(x, w, b, 2, 2, 2, 1, 1e-5)[Symbol.iterator]().next().value],
      inputs: [R(2, 2, 2), R(2), R(2)],
    },
  ],
  group_norm: [
    [R(2, 4, 1), 2, R(4), R(4)],
    [R(2, 2, 2), 1],
  ],
  batch_norm: [
    { run: (t, x, w, b) => t.nn.functional.batch_norm(x, null, null, w, b, true), inputs: [R(3, 2), R(2), R(2)] },
    { run: (t, x, w, b, m, v) => t.nn.functional.batch_norm(x, m, v, w, b, false), inputs: [R(2, 2, 2), R(2), R(2), K(R(2)), K(P(2))] },
  ],
  instance_norm: [{ run: (t, x, w, b) => t.nn.functional.instance_norm(x, null, null, w, b), inputs: [R(2, 2, 3), R(2), R(2)] }],
  rms_norm: [
    [R(2, 3), [3], R(3)],
    [R(2, 3), [2, 3]],
  ],

  ...at((d) => ({
    [`max_pool${d}d_with_indices`]: [
      [cube(d, 1, 3), 2, 1],
      [cube(d, 1, 2), 2, 2, 1],
    ],
    [`max_pool${d}d`]: [
      [cube(d, 1, 3), 2, 1],
      [cube(d, 1, 3), 2, { ceil_mode: true }],
    ],
    [`avg_pool${d}d`]: [
      [cube(d, 1, 3), 2, 1],
      [cube(d, 1, 3), 2, 2, 1, true, false],
    ],
    [`adaptive_avg_pool${d}d`]: [
      [cube(d, 1, 3), list(d, 2)],
      [cube(d, 1, 2), list(d, 1)],
    ],
    [`adaptive_max_pool${d}d_with_indices`]: [[cube(d, 1, 3), list(d, 2)]],
    [`adaptive_max_pool${d}d`]: [[cube(d, 1, 3), list(d, 2)]],
  })),

  nll_loss: [
    ...reductions(R(2, 3), I([2, 0])),
    { run: (t, x, w, y) => t.nn.functional.nll_loss(x, y, w, { ignore_index: 1 }), inputs: [R(3, 3), K(P(3)), I([2, 1, 0])] },
    [
      R(2, 3, 2),
      I([
        [2, 0],
        [1, 1],
      ]),
    ],
  ],
  cross_entropy: [
    ...reductions(R(2, 3), I([2, 0])),
    [R(2, 3), I([2, 0]), { label_smoothing: 0.2 }],
    [R(2, 3), R(2, 3)],
    [R(2, 3), I([2, 0]), K(P(3)), { label_smoothing: 0.1 }],
    [R(3), I(1)],
  ],
  ...F('mse_loss l1_loss smooth_l1_loss huber_loss', reductions(R(2, 3), R(2, 3))),
  smooth_l1_loss: [...reductions(R(2, 3), R(2, 3)), [R(4), R(4), { beta: 0.3 }]],
  huber_loss: [...reductions(R(2, 3), R(2, 3)), [R(4), R(4), { delta: 0.3 }]],
  binary_cross_entropy: [...reductions(U(2, 3), U(2, 3)), [U(3), K(U(3)), K(P(3))]],
  binary_cross_entropy_with_logits: [...reductions(R(2, 3), U(2, 3)), [R(3), K(U(3)), K(P(3)), { pos_weight: K(P(3)) }]],
  kl_div: [...reductions(R(2, 3), P(2, 3)), [R(2, 3), R(2, 3), { log_target: true }], [R(2, 3), P(2, 3), { reduction: 'batchmean' }]],
  hinge_embedding_loss: reductions(R(4), K(V([1, -1, 1, -1]))),
  margin_ranking_loss: [...reductions(R(4), R(4), K(V([1, -1, 1, -1]))), [R(4), R(4), K(V([1, -1, 1, -1])), { margin: 0.5 }]],
  soft_margin_loss: reductions(R(4), K(V([1, -1, 1, -1]))),
  poisson_nll_loss: [
    ...reductions(R(3), P(3)),
    [P(3), P(3), { log_input: false, full: true }],
    [R(3), K(V([2.5, 3, 0.5])), { full: true }],
  ],
  cosine_embedding_loss: [
    [R(2, 3), R(2, 3), K(V([1, -1]))],
    [R(2, 3), R(2, 3), K(V([1, -1])), { margin: 0.3, reduction: 'sum' }],
  ],
  scaled_dot_product_attention: [
    [R(1, 2, 2), R(1, 3, 2), R(1, 3, 2)],
    [R(2, 2), R(2, 2), R(2, 2), { is_causal: true }],
    [R(1, 2, 2), R(1, 2, 2), R(1, 2, 1), R(2, 2), { scale: 0.3 }],
    [
      R(1, 2, 2),
      R(1, 2, 2),
      R(1, 2, 1),
      B([
        [true, false],
        [true, true],
      ]),
    ],
  ],
  cosine_similarity: [
    [R(2, 3), R(2, 3)],
    [R(2, 3), R(1, 3), 0],
  ],
  pairwise_distance: [
    [R(2, 3), R(2, 3)],
    [R(2, 3), R(3), { p: 1, keepdim: true }],
    [R(2, 3), R(2, 3), { p: 3 }],
  ],
  normalize: [[R(2, 3)], [R(2, 3), { p: 1, dim: 0 }]],

  native_dropout: [{ random: true, run: (t, x) => t.native_dropout(x, 0.5, true), inputs: [R(6)] }],
  ...Object.fromEntries(
    ['dropout', 'alpha_dropout', 'feature_alpha_dropout', 'dropout1d', 'dropout2d', 'dropout3d'].map((n) => {
      const shape = { dropout1d: [2, 2, 2], dropout2d: [2, 2, 1, 2], dropout3d: [2, 2, 1, 2, 1], feature_alpha_dropout: [2, 2, 2] }[n] ?? [
        2, 3,
      ]
      return [
        n,
        [
          { random: true, run: (t, x) => t.nn.functional[n](x, 0.5, true), inputs: [R(...shape)] },
          { run: (t, x) => t.nn.functional[n](x, 0.5, false), inputs: [R(...shape)] },
        ],
      ]
    }),
  ),
}
