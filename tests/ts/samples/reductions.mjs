// Sums and their kin, scans, softmax, sorting. No two elements alike, so that no choice hangs on a small difference.
import { R, V } from './specs.mjs'

const F = (names, make) => Object.fromEntries(names.split(' ').map((n) => [n, make]))
const whole = [[R(2, 3)], [R()], [R(1)]]
const dims = [
  [R(2, 3), 1],
  [R(2, 3), [0, 1]],
  [R(2, 3), [-1], true],
  [R(), []],
  [R(2, 3), null],
  [R(2, 1), 1],
]
const one = [
  [R(2, 3), 1],
  [R(2, 3), 0, true],
  [R(), 0],
  [R(1), -1],
]
const scan = [
  [R(2, 3), 1],
  [R(2, 3), 0],
  [R(), 0],
  [R(1), 0],
  [R(0, 2), 1],
]

export default {
  ...F('sum mean', [...whole, [R(0)]]),
  ...F('sum_dim mean_dim', dims),
  sum_dim: [...dims, [R(0, 2), 0]],
  nansum: [...whole, ...dims],
  nanmean: [...whole, ...dims],
  prod: [
    ...whole,
    [V([2, 0, 3])],
    [V([0, 0, 3])],
    [
      V([
        [1, 2],
        [0, 4],
      ]),
    ],
    [R(0)],
  ],
  prod_dim: [
    ...one,
    [
      V([
        [1, 2, 0],
        [0, 0, 3],
        [1, 2, 3],
      ]),
      1,
    ],
    [R(0, 2), 0],
  ],
  ...F('var std', [[R(2, 3)], [R(4), false]]),
  ...F('var_dim std_dim', [
    [R(2, 3), 1],
    [R(2, 3), [0, 1], false],
    [R(3, 2), 0, true, true],
  ]),
  ...F('var_correction std_correction', [
    [R(2, 3), { dim: 1, correction: 0 }],
    [R(2, 3), { correction: 2 }],
    [R(3, 2), { dim: [0], correction: 1, keepdim: true }],
  ]),
  ...F('var_mean std_mean', [[R(2, 3)], [R(4), false]]),
  ...F('var_mean_dim std_mean_dim', [
    [R(2, 3), 1],
    [R(2, 3), [0, 1], false],
  ]),
  ...F('var_mean_correction std_mean_correction', [
    [R(2, 3), { dim: 1, correction: 0 }],
    [R(3, 2), { dim: [0], correction: 1, keepdim: true }],
  ]),
  logsumexp: [
    [R(2, 3), 1],
    [R(2, 3), [0, 1]],
    [R(2, 3), [0], true],
    [R(), 0],
  ],
  linalg_vector_norm: [
    [R(2, 3)],
    ...[1, 3, 0.5, Infinity, -Infinity, -1, 0].map((p) => [R(2, 3), p]),
    [R(2, 3), 2, [1], true],
    [R(2, 3), 3, 0],
    [R(), 2],
  ],
  norm: [[R(2, 3)], ...[1, 3, 0.5, Infinity, -Infinity].map((p) => [R(2, 3), p]), [R(2, 3), 2, [1], true], [R(2, 3), 1, 0]],
  norm_str: [
    [R(2, 3), 'fro'],
    [R(2, 3), 'fro', [1]],
  ],
  ...F('max min', whole),
  ...F('max_dim min_dim', one),
  ...F('amax amin', [[R(2, 3)], [R(2, 3), 1], [R(2, 3), [0, 1], true], [R()]]),
  aminmax: [[R(2, 3)], [R(2, 3), { dim: 1 }], [R(2, 3), { dim: 0, keepdim: true }]],

  cumsum: scan,
  cumprod: [
    ...scan,
    [
      V([
        [1, 2, 0, 3],
        [0, 0, 3, 1],
      ]),
      1,
    ],
    [V([0, 2, 3]), 0],
  ],
  ...F('cummax cummin logcumsumexp', scan),
  diff: [[R(4)], [R(2, 3), 1, 0], [R(2, 4), 2], [R(3), 1, -1, R(1), R(2)]],

  ...F('softmax log_softmax', [
    [R(2, 3), 1],
    [R(2, 3), 0],
    [R(), 0],
    [R(2, 1), 1],
    [R(0, 2), 1],
  ]),
  ...F('functional_softmax functional_log_softmax softmin', [
    [R(2, 3), 1],
    [R(2, 3), { dim: 0 }],
  ]),

  sort: [[R(2, 3)], [R(2, 3), 0, true], [R()]],
  sort_stable: [{ run: (t, x) => x.sort({ stable: true, dim: 0 }), inputs: [R(3, 2)] }],
  msort: [[R(3, 2)]],
  topk: [
    [R(2, 4), 2],
    [R(3, 2), 2, 0, false],
    [R(3), 0],
  ],
  kthvalue: [
    [R(2, 4), 2],
    [R(3, 2), 1, 0, true],
    [R(), 1],
  ],
  ...F('median nanmedian', whole),
  ...F('median_dim nanmedian_dim', one),
  mode: [[R(2, 3)], [R(3, 2), 0, true]],
}
