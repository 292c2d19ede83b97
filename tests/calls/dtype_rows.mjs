// Calls for dtypes.mjs of operators that have no gradcheck row and none that could be made up from the signature. A row is the list of the
// arguments, or { call, args } where the operator is reached by another name or takes a tensor of one dtype alone.
import torch from 'torch.js'
import { I, R, V } from '../ts/samples/specs.mjs'

const index = I([
  [0, 1],
  [1, 2],
  [2, 0],
])
const symmetric = V([
  [2, 1],
  [1, 3],
])
const edges = V([-2, 0, 2])

export default {
  empty_permuted: [[[2, 3], [1, 0], {}]],
  scatter_src_reduce: ['add', 'multiply'].map((reduce) => [R(3, 3), 1, index, R(3, 2), { reduce }]),
  scatter_value_reduce: ['add', 'multiply'].map((reduce) => [R(3, 3), 1, index, 2, { reduce }]),
  linalg_ldl_factor: [[symmetric]],
  linalg_ldl_factor_ex: [[symmetric]],
  linalg_ldl_solve: [{ call: (LD, pivots, B) => torch.linalg.ldl_solve(LD, pivots.to('int32'), B), args: [symmetric, I([1, 2]), R(2, 1)] }],
  int_mm: [{ call: torch._int_mm, args: [R(2, 3), R(3, 2)] }],
  randint_low: [[0, 1, [2], {}]],
  randint_like_low: [[R(2), 0, 1]],
  histogramdd: [[R(5, 2), [2, 2]]],
  histogramdd_TensorList_bins: [[R(5, 2), [edges, edges]]],
  slice: [{ call: (x) => x.at([0, 3, 2]), args: [R(4, 2)] }],
}
