// Products of matrices and vectors, convolutions.
import { R } from './specs.mjs'

const F = (names, make) => Object.fromEntries(names.split(' ').map((n) => [n, make]))
const conv = (d) => {
  const x = (c, n = 3) => R(1, c, ...Array(d).fill(d === 3 ? 2 : n))
  const w = (o, i, k = 2) => R(o, i, ...Array(d).fill(k))
  const l = (v) => Array(d).fill(v)
  return { x, w, l }
}
const convs = (d) => {
  const { x, w, l } = conv(d)
  return [
    [x(1), w(2, 1), R(2)],
    [x(2), w(2, 1), null, l(2), l(1), l(1), 2],
    ...(d < 3
      ? [
          [x(1, 4), w(1, 1), null, l(1), l(0), l(2)],
          [R(1, ...Array(d).fill(3)), w(1, 1), R(1)],
        ]
      : []),
  ]
}
const transposed = (d) => {
  const { x, w, l } = conv(d)
  return [
    [x(1, 2), w(1, 2), R(2)],
    [x(2, 2), w(2, 1), null, l(2), l(1), l(1), 2],
  ]
}
const padded = (d) => {
  const { x, w, l } = conv(d)
  return [
    [x(1), w(1, 1), R(1), l(1), 'same'],
    [x(1), w(1, 1), null, l(1), 'valid'],
  ]
}
const scaled = (...args) => [args, [...args, { beta: 0.5, alpha: 2 }]]

export default {
  mm: [
    [R(2, 3), R(3, 2)],
    [R(0, 3), R(3, 2)],
    [R(2, 0), R(0, 2)],
    [R(1, 1), R(1, 1)],
  ],
  bmm: [
    [R(2, 2, 3), R(2, 3, 1)],
    [R(0, 2, 3), R(0, 3, 1)],
  ],
  mv: [[R(2, 3), R(3)]],
  dot: [
    [R(3), R(3)],
    [R(0), R(0)],
  ],
  vdot: [[R(3), R(3)]],
  outer: [[R(2), R(3)]],
  inner: [
    [R(2, 3), R(2, 3)],
    [R(3), R(3)],
    [R(), R(2)],
  ],
  matmul: [
    [R(3), R(3)],
    [R(2, 3), R(3)],
    [R(3), R(3, 2)],
    [R(2, 1, 2, 3), R(2, 3, 2)],
    [R(2, 2, 3), R(3)],
    [R(3), R(2, 3, 1)],
    [R(2, 2, 3), R(3, 2)],
  ],
  addmm: [...scaled(R(2, 2), R(2, 3), R(3, 2)), [R(2), R(2, 3), R(3, 2)], [R(2, 2), R(2, 3), R(3, 2), { beta: 0 }]],
  addmv: [...scaled(R(2), R(2, 3), R(3)), [R(1), R(2, 3), R(3)]],
  addr: [...scaled(R(2, 3), R(2), R(3)), [R(3), R(2), R(3)]],
  baddbmm: [...scaled(R(2, 2, 1), R(2, 2, 3), R(2, 3, 1)), [R(1), R(2, 2, 3), R(2, 3, 1)]],
  addbmm: [...scaled(R(2, 1), R(2, 2, 3), R(2, 3, 1))],
  chain_matmul: [{ run: (t, ...m) => t.chain_matmul(m), inputs: [R(2, 3), R(3, 1), R(1, 2)] }],
  tensordot: [
    [R(2, 3), R(3, 2), [[1], [0]]],
    [
      R(2, 3),
      R(3, 2),
      [
        [0, 1],
        [1, 0],
      ],
    ],
  ],
  tensordot_int: [
    [R(2, 3), R(3, 2), 1],
    [R(2), R(3), 0],
    [R(2, 3), R(2, 3), 2],
  ],
  kron: [
    [R(2, 2), R(1, 3)],
    [R(2), R(2, 2)],
  ],
  linear: [
    [R(2, 3), R(2, 3), R(2)],
    [R(3), R(2, 3)],
    [R(2, 2, 3), R(1, 3), R(1)],
  ],
  bilinear: [
    [R(2, 2), R(2, 3), R(2, 2, 3), R(2)],
    [R(2, 2), R(2, 3), R(1, 2, 3)],
  ],

  convolution: [
    [R(1, 1, 3), R(2, 1, 2), R(2), [1], [0], [1], false, [0], 1],
    [R(1, 2, 2), R(2, 1, 2), null, [2], [1], [1], true, [1], 2],
  ],
  conv1d: convs(1),
  conv2d: convs(2),
  conv3d: convs(3),
  conv_transpose1d: transposed(1),
  conv_transpose2d: transposed(2),
  conv_transpose3d: transposed(3).slice(0, 1),
  ...F('conv1d_padding', padded(1)),
  ...F('conv2d_padding', padded(2)),
  ...F('conv3d_padding', padded(3).slice(0, 1)),
}
