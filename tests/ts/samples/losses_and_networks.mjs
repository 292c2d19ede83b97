// Distances, statistics, gates, grids, patches, recurrent networks, and the further losses, poolings and matrix functions.
import { I, K, P, R, S, V } from './specs.mjs'

const F = (t) => t.nn.functional
const L = (t) => t.linalg
const one = (run, ...inputs) => [{ run, inputs }]
const reductions = (f, ...inputs) => ['mean', 'sum', 'none'].map((reduction) => ({ run: (t, ...x) => f(t, x, reduction), inputs }))
const spread = (t, x) => x.matmul(x.adjoint()).add(t.eye(x.shape.at(-1), { dtype: x.dtype }))
const pools = (d) => P(1, 1, ...Array(d).fill(4 - Number(d === 3)))
const recurrent = (name, gates, lstm) => [
  {
    run: (t, x, h, c, ...w) => t[name](x, lstm ? [h, c] : h, w, true, 1, 0, false, false, false),
    inputs: [R(2, 1, 2), R(1, 1, 2), lstm ? R(1, 1, 2) : K(R(1)), R(gates * 2, 2), R(gates * 2, 2), R(gates * 2), R(gates * 2)],
  },
]
const cell = (name, gates, lstm) => [
  {
    run: (t, x, h, c, ...w) => t[name](x, lstm ? [h, c] : h, ...w),
    inputs: [R(2, 2), R(2, 2), lstm ? R(2, 2) : K(R(1)), R(gates * 2, 2), R(gates * 2, 2), R(gates * 2), R(gates * 2)],
  },
]
const grids = (mode, padding, align) =>
  [2, 3].map((d) => ({
    run: (t, x, g) => F(t).grid_sample(x, g, { mode, padding_mode: padding, align_corners: align }),
    inputs: [R(1, 1, ...Array(d).fill(d === 3 ? 2 : 3)), S(1, ...Array(d - 1).fill(1), 2, d)],
  }))
const unpools = (d) =>
  one(
    (t, x) => {
      const [values, indices] = t.no_grad(() => F(t)[`max_pool${d}d_with_indices`](t.rand(1, 1, ...Array(d).fill(4)), 2))
      void values
      return F(t)[`max_unpool${d}d`](x, indices, 2)
    },
    R(1, 1, ...Array(d).fill(2)),
  ).map((s) => ({ ...s, random: true }))
const fractional = (name, d) => [
  {
    random: true,
    run: (t, x) =>
      [[F(t)[name](x, 2, { output_size: Array(d).fill(2), _random_samples: t.full([1, 1, d], 0.4, { dtype: x.dtype }) })].flat()[0]].map(
        (r) => (r instanceof t.Tensor ? r : [...r][0]),
      ),
    inputs: [R(1, 1, ...Array(d).fill(d === 3 ? 3 : 4))],
  },
]

export default {
  cdist: [
    [R(2, 3), R(3, 3)],
    [R(1, 2, 2), R(2, 2), { p: 1 }],
    [R(2, 2), R(3, 2), { p: 3 }],
    [R(2, 2), R(3, 2), { p: Infinity }],
  ],
  pdist: [
    { run: (t, x) => F(t).pdist(x), inputs: [R(3, 2)] },
    { run: (t, x) => F(t).pdist(x, 3), inputs: [R(3, 2)] },
  ],
  dist: [
    [R(2, 3), R(3)],
    [R(3), R(3), 1],
    [R(3), R(3), 3],
  ],
  cross: [
    [R(2, 3), R(2, 3), 1],
    [R(3, 2), R(3, 1), 0],
  ],
  linalg_cross: [[R(2, 3), R(1, 3)]],
  renorm: [
    [R(2, 3), 2, 0, 1],
    [R(2, 3), 1, 1, 0.5],
  ],
  einsum: [
    ...one((t, x, y) => t.einsum('ij,jk->ik', x, y), R(2, 3), R(3, 2)),
    ...one((t, x) => t.einsum('ii->i', x), R(2, 2)),
    ...one((t, x, y) => t.einsum('...i,...i', x, y), R(2, 3), R(3)),
    ...one((t, x, y, z) => t.einsum('bi,oij,bj->bo', x, y, z), R(2, 2), R(1, 2, 2), R(2, 2)),
  ],
  embedding_bag: [
    ...['sum', 'mean', 'max'].flatMap((mode) =>
      one(
        (t, w, i) => F(t).embedding_bag(i, w, { mode }),
        R(4, 2),
        I([
          [0, 2],
          [3, 1],
        ]),
      ),
    ),
    ...one(
      (t, w, s, i) => F(t).embedding_bag(i, w, { mode: 'sum', per_sample_weights: s }),
      R(4, 2),
      R(2, 2),
      I([
        [0, 2],
        [3, 0],
      ]),
    ),
  ],
  glu: [[R(2, 4)], [R(4, 2), 0]],
  rrelu: [...one((t, x) => F(t).rrelu(x), R(2, 3)), { random: true, run: (t, x) => F(t).rrelu(x, 0.1, 0.3, true), inputs: [R(4)] }],
  rrelu_: [{ random: true, run: (t, x) => F(t).rrelu_(x.clone(), 0.1, 0.3, true), inputs: [R(4)] }],
  gumbel_softmax: [{ random: true, run: (t, x) => F(t).gumbel_softmax(x, 0.7), inputs: [R(2, 3)] }],
  local_response_norm: [
    [R(1, 3, 2), 2],
    [R(1, 3, 2), 3, { alpha: 0.5, beta: 0.6, k: 2 }],
  ],
  affine_grid_generator: one((t, x) => t.affine_grid_generator(x, [1, 1, 2, 2], false), R(1, 2, 3)),
  affine_grid: [
    ...one((t, x) => F(t).affine_grid(x, [1, 1, 2, 2], { align_corners: true }), R(1, 2, 3)),
    ...one((t, x) => F(t).affine_grid(x, [1, 1, 1, 2, 1], { align_corners: false }), R(1, 3, 4)),
  ],
  grid_sampler_2d: one((t, x, g) => t.grid_sampler_2d(x, g, 0, 0, false), R(1, 1, 3, 2), S(1, 1, 2, 2)),
  grid_sampler_3d: one((t, x, g) => t.grid_sampler_3d(x, g, 0, 0, false), R(1, 1, 2, 2, 2), S(1, 1, 1, 2, 3)),
  grid_sampler: one((t, x, g) => t.grid_sampler(x, g, 0, 1, true), R(1, 1, 3, 2), S(1, 1, 2, 2)),
  grid_sample: [
    ...['zeros', 'border', 'reflection'].flatMap((p) => [
      ...grids('bilinear', p, false),
      ...grids('bilinear', p, true),
      ...grids('bicubic', p, false).slice(0, 1),
    ]),
    ...grids('nearest', 'zeros', false),
  ],
  index_reduce: ['prod', 'mean', 'amax', 'amin'].flatMap((r) => [
    [R(3, 2), 0, I([2, 0, 2]), R(3, 2), r],
    [R(3, 2), 0, I([2, 0, 2]), R(3, 2), r, { include_self: false }],
  ]),
  repeat_interleave_self_Tensor: [[R(2, 3), I([2, 0, 1]), 1]],
  repeat_interleave_self_int: [
    [R(2, 3), 2],
    [R(2, 2), 2, 0],
  ],
  linalg_matrix_norm: [...[1, -1, 2, -2, Infinity, -Infinity].map((p) => [R(2, 3), p]), [R(2, 2, 2), 1, [0, 2], true]],
  linalg_matrix_norm_str: [[R(2, 3)], [R(2, 3), 'nuc']],
  linalg_norm: [[R(2, 3)], [R(2, 3), 1], [R(3), 3]],
  linalg_norm_str: [
    [R(2, 3), 'nuc'],
    [R(2, 3), 'fro'],
  ],
  linalg_cond: [[R(2, 2)], [R(2, 2), 1], [R(2, 2), -2]],
  linalg_cond_str: [
    [R(2, 2), 'fro'],
    [R(2, 2), 'nuc'],
  ],
  // A count.
  linalg_matrix_rank: [],
  linalg_matrix_rank_tol: [],
  ...Object.fromEntries(
    ['linalg_matrix_power', 'torch_matrix_power'].map((n) => [
      n,
      [
        [R(2, 2), 3],
        [R(2, 2), 0],
        [R(2, 2), -2],
        [R(2, 2), 1],
      ],
    ]),
  ),
  linalg_multi_dot: [
    ...one((t, ...x) => L(t).multi_dot(x), R(2, 3), R(3, 1), R(1, 2)),
    ...one((t, ...x) => L(t).multi_dot(x), R(3), R(3, 1), R(1, 2)),
  ],
  linalg_vander: [[R(3)], [R(2), { N: 4 }]],
  linalg_vecdot: [
    [R(2, 3), R(2, 3)],
    [R(2, 3), R(2, 1), { dim: 0 }],
  ],
  linalg_diagonal: [[R(2, 3)], [R(2, 3), { offset: 1 }]],
  linalg_tensorinv: one((t, x) => L(t).tensorinv(x), R(2, 2, 4)),
  linalg_tensorsolve: one((t, x, y) => L(t).tensorsolve(x, y), R(2, 2, 4), R(2, 2)),
  linalg_polar: one((t, x) => L(t).polar(x), R(2, 2)),
  linalg_matrix_sqrth: one((t, x) => L(t).matrix_sqrth(spread(t, x)), R(2, 2)),
  gaussian_nll_loss: reductions((t, [x, y, v], reduction) => F(t).gaussian_nll_loss(x, y, v, { reduction }), R(2, 3), R(2, 3), P(2, 3)),
  linear_cross_entropy: [
    ...reductions((t, [x, w, y], reduction) => F(t).linear_cross_entropy(x, w, y, { reduction }), R(2, 3), R(4, 3), I([3, 0])),
    ...one(
      (t, x, w, y, b) => F(t).linear_cross_entropy(x, w, y, { linear_bias: b, label_smoothing: 0.1 }),
      R(2, 3),
      R(4, 3),
      I([3, 0]),
      R(4),
    ),
  ],
  // The gradient is that of a softmax in front, so there has to be one.
  ctc_loss: reductions(
    (t, [x, y, i, l], reduction) => F(t).ctc_loss(x.log_softmax(-1), y, i, l, { reduction }),
    R(4, 2, 3),
    I([
      [1, 2],
      [1, 1],
    ]),
    I([4, 3]),
    I([2, 1]),
  ),
  ctc_loss_IntList: one((t, x, y) => F(t).ctc_loss(x.log_softmax(-1), y, [4], [2]), R(4, 3), I([1, 1])),
  triplet_margin_loss: [
    ...reductions((t, [a, p, n], reduction) => F(t).triplet_margin_loss(a, p, n, { reduction, margin: 3 }), R(2, 3), R(2, 3), R(2, 3)),
    ...one((t, a, p, n) => F(t).triplet_margin_loss(a, p, n, { swap: true, margin: 3 }), R(2, 3), R(2, 3), R(2, 3)),
  ],
  multi_margin_loss: [
    ...reductions((t, [x, y], reduction) => F(t).multi_margin_loss(x, y, { reduction }), R(2, 3), I([2, 0])),
    ...one((t, x, y) => F(t).multi_margin_loss(x, y, { p: 2 }), R(2, 3), I([2, 0])),
  ],
  multilabel_margin_loss: reductions(
    (t, [x, y], reduction) => F(t).multilabel_margin_loss(x, y, { reduction }),
    R(2, 3),
    I([
      [2, 0, -1],
      [1, -1, 0],
    ]),
  ),
  multilabel_soft_margin_loss: reductions(
    (t, [x, y], reduction) => F(t).multilabel_soft_margin_loss(x, y, { reduction }),
    R(2, 3),
    K(
      V([
        [1, 0, 1],
        [0, 0, 1],
      ]),
    ),
  ),
  im2col: [
    [R(1, 1, 3, 3), 2],
    [R(1, 2, 2, 3), [2, 1], { padding: 1, stride: 2 }],
  ],
  col2im: [[R(1, 4, 4), [3, 3], 2]],
  pixel_shuffle: [[R(1, 4, 1, 2), 2]],
  pixel_unshuffle: [[R(1, 1, 2, 4), 2]],
  channel_shuffle: [[R(1, 4, 2), 2]],
  lstm: recurrent('lstm', 4, true),
  gru: recurrent('gru', 3, false),
  rnn_tanh: recurrent('rnn_tanh', 1, false),
  rnn_relu: recurrent('rnn_relu', 1, false),
  lstm_cell: cell('lstm_cell', 4, true),
  gru_cell: cell('gru_cell', 3, false),
  rnn_tanh_cell: cell('rnn_tanh_cell', 1, false),
  rnn_relu_cell: cell('rnn_relu_cell', 1, false),
  ...Object.fromEntries(
    ['quantile', 'nanquantile'].flatMap((n) => [
      [n, one((t, x) => x[n](t.tensor([0.2, 0.7], { dtype: 'float64' }), 1), R(2, 3))],
      [
        `${n}_scalar`,
        [
          [R(2, 3), 0.3],
          [R(2, 3), 0.6, 0, true],
        ],
      ],
    ]),
  ),
  cov: [[R(2, 3)], [R(4)], [R(2, 3), { correction: 0 }]],
  corrcoef: [[R(2, 4)]],
  trapezoid_x: [[R(2, 3), R(3)]],
  trapezoid_dx: [[R(2, 3)], [R(2, 3), { dx: 0.5 }]],
  cumulative_trapezoid_x: [[R(2, 3), R(3)]],
  cumulative_trapezoid_dx: [[R(2, 3)]],
  gradient_scalar: [
    ...one((t, x) => t.gradient(x), R(2, 3)),
    ...one((t, x) => t.gradient(x, { spacing: 2, dim: 1, edge_order: 2 }), R(2, 3)),
  ],
  gradient_array: one((t, x) => t.gradient(x, { spacing: [1, 2] }), R(2, 3)),
  gradient_tensorarray: one(
    (t, x) => t.gradient(x, { spacing: [t.tensor([0, 1], { dtype: 'float64' }), t.tensor([0, 1, 3], { dtype: 'float64' })] }),
    R(2, 3),
  ),
  frexp: [[R(3)]],
  ...Object.fromEntries(
    [1, 2, 3].flatMap((d) => [
      [`max_unpool${d}d`, unpools(d)],
      [
        `lp_pool${d}d`,
        [
          [pools(d), 2, 2],
          [pools(d), 3, 2, 1],
        ],
      ],
    ]),
  ),
  ...Object.fromEntries(
    [2, 3].flatMap((d) => [
      [`fractional_max_pool${d}d`, fractional(`fractional_max_pool${d}d`, d)],
      [`fractional_max_pool${d}d_with_indices`, fractional(`fractional_max_pool${d}d_with_indices`, d)],
    ]),
  ),
}
