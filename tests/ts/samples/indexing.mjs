// Gathering, scattering and filling by index and by mask.
import { B, I, R } from './specs.mjs'

const index = I([
  [0, 1],
  [1, 0],
  [1, 1],
])
const unique = I([
  [0, 1],
  [1, 2],
  [2, 0],
])
const F = (names, make) => Object.fromEntries(names.split(' ').map((n) => [n, make]))

export default {
  gather: [
    [R(3, 2), 1, index],
    [
      R(2, 2),
      0,
      I([
        [0, 0],
        [1, 0],
      ]),
    ],
    [R(), 0, I(0)],
    [R(2), 0, I([])],
  ],
  take_along_dim: [
    [R(3, 2), index, 1],
    [R(3, 2), I([0, 5, 0])],
  ],
  scatter: [[R(3, 3), 1, unique, R(3, 2)]],
  scatter_value: [[R(3, 3), 1, unique, 2]],
  scatter_add: [
    [R(3, 2), 1, index, R(3, 2)],
    [R(), 0, I(0), R()],
  ],
  scatter_reduce: [
    ...['sum', 'mean', 'amax', 'amin'].flatMap((r) => [
      [R(3, 2), 1, index, R(3, 2), r],
      [R(3, 2), 1, index, R(3, 2), r, { include_self: false }],
    ]),
    [R(3, 2), 1, index, R(3, 2), 'prod'],
    [R(3, 2), 1, index, R(3, 2), 'prod', { include_self: false }],
  ],
  index_select: [
    [R(3, 2), 0, I([2, 0, 2])],
    [R(3, 2), 1, I([])],
    [R(), 0, I([0])],
  ],
  index_add: [
    [R(3, 2), 0, I([2, 0, 2]), R(3, 2)],
    [R(3), 0, I([1]), R(1), { alpha: 0.5 }],
  ],
  index_copy: [[R(3, 2), 0, I([2, 0]), R(2, 2)]],
  index_fill: [[R(3, 2), 0, I([2, 0]), 1.5]],
  index_fill_Tensor: [[R(3, 2), 0, I([2, 0]), R()]],
  index: [
    { run: (t, x, i) => x.at(i), inputs: [R(3, 2), I([2, 0, 2])] },
    { run: (t, x, i, j) => x.at(i, j), inputs: [R(3, 2), I([2, 0]), I([[1], [0]])] },
    { run: (t, x, m) => x.at(m), inputs: [R(3, 2), B([true, false, true])] },
    { run: (t, x, i) => x.at(null, i), inputs: [R(2, 3), I([2, 2])] },
  ],
  index_put: [
    { run: (t, x, v, i) => x.index_put([i], v), inputs: [R(3, 2), R(2, 2), I([2, 0])] },
    { run: (t, x, v, i) => x.index_put([i], v, true), inputs: [R(3, 2), R(2), I([2, 2])] },
  ],
  masked_select: [
    [R(2, 3), B([true, false, true])],
    [R(2), B([false, false])],
  ],
  masked_scatter: [
    [
      R(2, 3),
      B([
        [true, false, true],
        [false, true, false],
      ]),
      R(4),
    ],
  ],
  take: [
    [
      R(2, 3),
      I([
        [5, 0],
        [0, 2],
      ]),
    ],
    [R(), I([0])],
  ],
  put: [
    [R(2, 3), I([5, 0]), R(2)],
    [R(2, 3), I([5, 5]), R(2), true],
  ],
  embedding: [
    {
      run: (t, w, i) => t.nn.functional.embedding(i, w),
      inputs: [
        R(3, 2),
        I([
          [2, 0],
          [0, 1],
        ]),
      ],
    },
    { run: (t, w, i) => t.nn.functional.embedding(i, w, { padding_idx: 0 }), inputs: [R(3, 2), I([2, 1, 2])] },
  ],
  ...F('tril triu', [[R(3, 3)], [R(2, 3), 1], [R(2, 2, 3), -1]]),
  trace: [[R(3, 2)], [R(2, 2)]],
  diag: [[R(3)], [R(2), 1], [R(3, 3), -1]],
  diagflat: [[R(2, 2)], [R(2), 1]],
  diag_embed: [[R(2, 2)], [R(2), 1], [R(2, 2), -1, 0, 2]],
}
