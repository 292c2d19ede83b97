// Element by element: one, two and three tensors.
import { B, G, I, K, P, R, S, U, V } from './specs.mjs'

const shapes = [[2, 3], [], [1], [0, 3]]
const each = (make, ...rest) => shapes.map((s) => [make(...s), ...rest])
const pairs = (a, b = a, ...rest) => [
  [a(2, 3), b(2, 3), ...rest],
  [a(2, 1), b(3), ...rest],
  [a(), b(2), ...rest],
  [a(0, 3), b(1, 3), ...rest],
]
const F = (names, make) => Object.fromEntries(names.split(' ').map((n) => [n, make]))

export default {
  ...F(
    'relu relu6 selu silu mish logsigmoid hardsigmoid hardswish softsign tanhshrink gelu hardtanh leaky_relu elu celu softplus softshrink hardshrink',
    each(R),
  ),
  threshold: each(R, 0.1, 20),
  hardtanh: [...each(R), [R(4), -0.5, 0.7]],
  leaky_relu: [...each(R), [R(4), 0.3]],
  elu: [...each(R), [R(4), 1.5, 0.5, 2]],
  celu: [...each(R), [R(4), 1.7]],
  gelu: [...each(R), [R(4), { approximate: 'tanh' }]],
  softplus: [...each(R), [R(6), 2, 0.5]],
  softshrink: [...each(R), [R(4), 0.2]],
  hardshrink: [...each(R), [R(4), 0.2]],
  prelu: [
    [R(2, 3), R(1)],
    [R(2, 3), R(3)],
    [R(2, 3, 2), R(3)],
    [R(), R()],
  ],

  ...F(
    'abs neg positive sgn square exp exp2 expm1 sin cos tan atan sinh cosh tanh asinh erf erfc sigmoid sinc sign floor ceil trunc round frac angle deg2rad rad2deg nan_to_num conj_physical conj resolve_conj resolve_neg',
    each(R),
  ),
  ...F('sqrt rsqrt reciprocal log log2 log10 log1p lgamma digamma', each(P)),
  ...F('asin acos atanh erfinv', each(S)),
  acosh: each(G),
  lgamma: [...each(P), [V([-0.3, -1.6, 2.5])]],
  digamma: [...each(P), [V([-0.3, -1.6, 2.5])]],
  sinc: [...each(R), [V([0.5, -1])]],
  square: [...each(R), [V([0, 1, -1])]],
  round_decimals: [{ run: (t, x) => x.round({ decimals: 1 }), inputs: [R(3)] }],
  logit: [...each(U), [U(4), 0.1], [R(4), 0.2]],
  clone: [...each(R), [R(1, 2, 2, 2), { memory_format: 'channels_last' }]],
  contiguous: each(R),
  nan_to_num: [...each(R), [R(3), 1, 2, 3]],

  add: [...pairs(R), [R(3), R(3), { alpha: 2.5 }], [R(3), 2]],
  sub: [...pairs(R), [R(3), R(3), { alpha: 2.5 }], [R(3), 2]],
  rsub: [...pairs(R), [R(3), R(3), { alpha: 2.5 }]],
  mul: [...pairs(R), [R(3), 2], [V([0, 0, 1]), V([0, 1, 0])]],
  div: [...pairs(R, P), [R(3), 2]],
  div_Tensor_mode: [
    ...pairs(R, P, { rounding_mode: 'floor' }),
    ...pairs(R, P, { rounding_mode: 'trunc' }),
    ...pairs(R, P, { rounding_mode: null }),
  ],
  remainder: [...pairs(R, P), [R(3), 0.7]],
  fmod: [...pairs(R, P), [R(3), 0.7]],
  pow: [
    ...pairs(P, R),
    [R(3), 2],
    [R(3), 3],
    [P(3), 0.5],
    [P(3), -1.5],
    [R(3), 0],
    { run: (t, x) => t.pow(2, x), inputs: [R(3)] },
    [V([0, 0, 2]), 2],
  ],
  float_power: [...pairs(P, R), [R(3), 2]],
  atan2: pairs(R),
  hypot: pairs(R),
  copysign: pairs(R),
  nextafter: pairs(R),
  logaddexp: pairs(R),
  logaddexp2: pairs(R),
  xlogy: [...pairs(R, P), [V([0, 0, 2]), P(3)], [R(3), 2]],
  ...F('maximum minimum fmax fmin max_other min_other', pairs(R)),
  ldexp: [
    [R(3), K(R(3))],
    [R(2, 3), R(3)],
    [R(3), I([1, 2, 0])],
  ],
  complex: pairs(R),
  polar: pairs(P, R),
  isclose: [],

  where: [
    { run: (t, c, x, y) => t.where(c, x, y), inputs: [B([[true, false, true]]), R(2, 3), R(2, 1)] },
    { run: (t, c, x, y) => t.where(c, x, y), inputs: [B(true), R(), R(3)] },
  ],
  masked_fill: [
    [R(2, 3), B([true, false, true]), 2],
    [R(), B(true), 1],
  ],
  masked_fill_Tensor: [[R(2, 3), B([true, false, true]), R()]],
  clamp: [
    [R(2, 3), -0.5, 0.7],
    [R(3), null, 0.3],
    [R(3), { min: 0.2 }],
    [R(3), 1, -1],
    [R(0), 0, 1],
  ],
  clamp_Tensor: [
    [R(2, 3), R(3), R(2, 3)],
    [R(3), R(3), null],
    [R(3), null, R(1)],
  ],
  clamp_min: [[R(2, 3), 0.1]],
  clamp_min_Tensor: [[R(2, 3), R(3)]],
  clamp_max: [[R(2, 3), 0.1]],
  clamp_max_Tensor: [[R(2, 3), R(3)]],
  lerp_Scalar: [
    [R(2, 3), R(3), 0.3],
    [R(), R(2), 0.7],
  ],
  lerp_Tensor: [
    [R(2, 3), R(3), U(2, 1)],
    [R(2), R(2), R()],
  ],
  addcmul: [
    [R(2, 3), R(3), R(2, 1)],
    [R(3), R(3), R(3), { value: 0.5 }],
  ],
  addcdiv: [
    [R(2, 3), R(3), P(2, 1)],
    [R(3), R(3), P(3), { value: 0.5 }],
  ],
}
