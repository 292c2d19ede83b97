// Conversions, what overwrites its argument, random numbers.
import { K, P, R, U } from './specs.mjs'

const F = (names, make) => Object.fromEntries(names.split(' ').map((n) => [n, make]))
const over = (f, ...more) => [{ random: true, run: (t, x, ...rest) => f(x.clone(), ...rest), inputs: [R(2, 2), ...more] }]

export default {
  copy_: [
    { run: (t, x, y) => x.clone().copy_(y), inputs: [R(2, 3), R(3)] },
    { run: (t, x, y) => x.clone().copy_(y), inputs: [R(2), R()] },
  ],
  zero_: over((x) => x.zero_()),
  fill_: over((x) => x.fill_(2)),
  fill: [[R(2, 3), 2]],
  fill_Tensor: [[R(2, 3), R()]],
  fill__Tensor: over((x, v) => x.fill_(v), R()),
  to_dtype: [
    { run: (t, x) => x.to('complex128'), inputs: [R(2, 3)] },
    { run: (t, x) => x.to('float64', { copy: true }), inputs: [R(2)] },
  ],
  to_device: [
    { run: (t, x) => x.to({ device: 'cpu', copy: true }), inputs: [R(2)] },
    { run: (t, x) => x.to('cpu'), inputs: [R(2)] },
  ],
  to_other: [{ run: (t, x, y) => x.to(y), inputs: [R(2), K(R(1))] }],
  type_as: [[R(2), K(R(1))]],
  to_double: [{ run: (t, x) => x.double(), inputs: [R(2)] }],
  to_cdouble: [{ run: (t, x) => x.cdouble(), inputs: [R(2)] }],
  // Rounded on the way: no differences to take. Their gradient is a conversion back; see the facts in gradcheck.test.mjs.
  ...F('to_float to_half to_bfloat16 to_cfloat', []),
  // Integers have no gradient.
  ...F('to_int to_long to_short to_char to_byte to_bool', []),

  uniform_: over((x) => x.uniform_()),
  normal_: over((x) => x.normal_()),
  exponential_: over((x) => x.exponential_()),
  geometric_: over((x) => x.geometric_(0.5)),
  cauchy_: over((x) => x.cauchy_()),
  log_normal_: over((x) => x.log_normal_()),
  random_: over((x) => x.random_()),
  random_to_: over((x) => x.random_(10)),
  random_from_: over((x) => x.random_(2, 10)),
  bernoulli_: over((x) => x.bernoulli_(0.5)),
  bernoulli_tensor_: over((x, p) => x.bernoulli_(p), K(U(2, 2))),
  // PyTorch gives zeros.
  ...F('bernoulli', [{ zero: true, random: true, run: (t, x) => t.bernoulli(x), inputs: [U(3)] }]),
  bernoulli_p: [{ zero: true, random: true, run: (t, x) => t.bernoulli(x, 0.5), inputs: [U(3)] }],
  poisson: [{ zero: true, random: true, run: (t, x) => t.poisson(x), inputs: [P(3)] }],
  normal: [{ zero: true, random: true, run: (t, m, s) => t.normal(m, s), inputs: [R(3), P(3)] }],
  normal_Tensor_float: [{ zero: true, random: true, run: (t, m) => t.normal(m, 2), inputs: [R(3)] }],
  normal_float_Tensor: [{ zero: true, random: true, run: (t, s) => t.normal(1, s), inputs: [P(3)] }],
}
