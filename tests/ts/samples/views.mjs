// Views, their copies, joins and splits: in and out of the same elements.
import { I, K, R } from './specs.mjs'

const F = (names, make) => Object.fromEntries(names.split(' ').map((n) => [n, make]))
const after = (name, ...args) => ({ run: (t, x) => x.clone()[name](...args), inputs: [R(2, 1, 3)] })
// NAME_copy takes what NAME takes.
const both = (rows) =>
  Object.fromEntries(
    Object.entries(rows).flatMap(([n, s]) => [
      [n, s],
      [n.includes('_dim') ? n.replace('_dim', '_copy_dim') : `${n}_copy`, s],
    ]),
  )

export default {
  einops_rearrange: [
    { run: (t, x) => t.rearrange(x, 'a (b c) -> (c a) b', { b: 2 }), inputs: [R(2, 6)] },
    { run: (t, x) => t.rearrange(x, '... a -> a ...'), inputs: [R(2, 1, 3)] },
    { run: (t, x) => t.rearrange(x, '-> 1'), inputs: [R()] },
  ],
  einops_reduce: ['sum', 'mean', 'max', 'prod'].map((how) => ({ run: (t, x) => t.reduce(x, '(a 2) b -> a 1', how), inputs: [R(4, 3)] })),
  einops_repeat: [
    { run: (t, x) => t.repeat(x, 'a b -> (b 2) c a', { c: 2 }), inputs: [R(2, 3)] },
    { run: (t, x) => t.repeat(x, '... -> 3 ...'), inputs: [R()] },
  ],
  einops_pack: [{ run: (t, x, y) => t.pack([x, y], 'a *')[0], inputs: [R(2, 3), R(2, 1, 2)] }],
  einops_unpack: [{ run: (t, x) => t.unpack(x, [[], [-1, 2]], '* a'), inputs: [R(5, 2)] }],
  ...both({
    view: [
      { run: (t, x) => x.contiguous().view([3, 2]), inputs: [R(2, 3)] },
      { run: (t, x) => x.view([1]), inputs: [R()] },
    ],
    expand: [
      [R(2, 1), [3, 2, 4]],
      [R(), [2]],
      [R(1, 0), [2, 0]],
    ],
    permute: [
      [R(2, 3, 1), [2, 0, 1]],
      [R(), []],
      [R(0, 2), [1, 0]],
    ],
    t: [[R(2, 3)], [R(3)], [R()]],
    transpose: [
      [R(2, 3, 1), 0, -1],
      [R(), 0, 0],
    ],
    squeeze: [[R(2, 1, 3, 1)], [R()], [R(0, 1)]],
    squeeze_dim: [
      [R(2, 1, 3), 1],
      [R(2, 1), 0],
      [R(), 0],
    ],
    squeeze_dims: [[R(2, 1, 3, 1), [1, -1]]],
    unsqueeze: [
      [R(2, 3), 1],
      [R(), 0],
      [R(0), -1],
    ],
    select: [
      [R(2, 3), 1, -1],
      [R(3), 0, 1],
    ],
    diagonal: [[R(3, 3)], [R(2, 3), 1], [R(2, 3, 2), -1, 0, 2], [R(2, 3), 7]],
    unfold: [
      [R(5), 0, 3, 1],
      [R(2, 5), 1, 2, 2],
      [R(3), 0, 0, 1],
      [R(), 0, 1, 1],
    ],
    as_strided: [
      [R(6), [2, 2], [3, 1], 1],
      [R(2, 3), [3, 2], [1, 1]],
      [R(3), [2, 3], [0, 1]],
      { run: (t, x) => x.t().as_strided([2, 2], [2, 1], 1), inputs: [R(2, 3)] },
    ],
    view_as_real: [{ run: (t, x) => t.view_as_real(t.complex(x, x.mul(2))), inputs: [R(2)] }],
    view_as_complex: [{ run: (t, x) => t.view_as_complex(x.contiguous()), inputs: [R(3, 2)] }],
    unbind: [[R(2, 3)], [R(2, 3), 1], [R(2, 0), 0]],
    split: [
      [R(5), 2],
      [R(2, 3), 2, 1],
      [R(0), 2],
    ],
    split_with_sizes: [
      [R(5), [2, 0, 3]],
      [R(2, 3), [1, 2], 1],
    ],
  }),
  view_as_real_copy: [{ run: (t, x) => t.view_as_real_copy(t.complex(x, x.mul(2))), inputs: [R(2)] }],
  view_as_complex_copy: [{ run: (t, x) => t.view_as_complex_copy(x.contiguous()), inputs: [R(3, 2)] }],
  view_copy: [{ run: (t, x) => t.view_copy(x.contiguous(), [3, 2]), inputs: [R(2, 3)] }, [R(), [1]]],
  as_strided_copy: [
    [R(6), [2, 2], [3, 1], 1],
    [R(2, 3), [3, 2], [1, 1]],
  ],
  slice: [
    { run: (t, x) => x.at([1, 4]), inputs: [R(5)] },
    { run: (t, x) => x.at(null, [0, null, 2]), inputs: [R(2, 3)] },
    { run: (t, x) => x.at([3, 1]), inputs: [R(5)] },
  ],
  slice_copy: [
    [R(5), 0, 1, 4],
    [R(2, 3), 1, null, null, 2],
    [R(5), 0, 4, 1],
  ],
  detach_copy: [],
  detach_: [],
  alias_copy: [[R(2, 3)]],
  view_as: [{ run: (t, x, y) => x.contiguous().view_as(y), inputs: [R(2, 3), R(3, 2)] }],
  reshape: [
    [R(2, 3), [3, -1]],
    [R(0, 3), [3, 0]],
    [R(), [1, 1]],
  ],
  reshape_as: [[R(2, 3), R(3, 2)]],
  flatten: [[R(2, 3, 2)], [R(2, 3, 2), 1], [R()]],
  unflatten: [[R(2, 6), 1, [2, -1]]],
  ravel: [[R(2, 3)], [R()]],
  squeeze_: [after('squeeze_')],
  squeeze__dim: [after('squeeze_', 1)],
  squeeze__dims: [after('squeeze_', [1])],
  unsqueeze_: [after('unsqueeze_', 1)],
  transpose_: [after('transpose_', 0, 2)],
  t_: [{ run: (t, x) => x.clone().t_(), inputs: [R(2, 3)] }],
  movedim_int: [[R(2, 3, 1), 0, 2]],
  movedim: [[R(2, 3, 1), [0, 1], [2, 0]]],
  adjoint: [[R(2, 3)], [R(2, 3, 1)]],
  expand_as: [[R(2, 1), R(2, 3)]],
  broadcast_to: [[R(2, 1), [2, 3]]],
  broadcast_tensors: [{ run: (t, ...x) => t.broadcast_tensors(x), inputs: [R(2, 1), R(3)] }],
  sum_to_size: [
    [R(2, 3), [1, 3]],
    [R(2, 3), [3]],
    [R(2, 3), []],
  ],
  narrow: [
    [R(5), 0, 1, 3],
    [R(2, 3), -1, 0, 0],
  ],
  narrow_Tensor: [[R(5), 0, I(1), 3]],
  narrow_copy: [[R(5), 0, 1, 3]],
  split_sizes: [[R(5), [2, 3]]],
  ...F('chunk tensor_split unsafe_chunk', [
    [R(5), 2],
    [R(2, 3), 2, 1],
  ]),
  tensor_split_indices: [
    [R(5), [1, 3]],
    [R(2, 3), [2], 1],
  ],
  tensor_split_tensor_indices_or_sections: [
    [R(5), I(2)],
    [R(5), I([1, 3])],
  ],
  hsplit: [
    [R(2, 4), 2],
    [R(4), 2],
  ],
  hsplit_indices: [[R(2, 4), [1, 2]]],
  vsplit: [[R(4, 2), 2]],
  vsplit_indices: [[R(4, 2), [1]]],
  dsplit: [[R(1, 2, 4), 2]],
  dsplit_indices: [[R(1, 2, 4), [1]]],
  unsafe_split: [[R(5), 2]],
  unsafe_split_with_sizes: [[R(5), [2, 3]]],
  real: [{ run: (t, x) => t.real(t.complex(x, x.mul(2))), inputs: [R(2)] }],
  imag: [{ run: (t, x) => t.imag(t.complex(x, x.mul(2))), inputs: [R(2)] }],
  ...F('atleast_1d atleast_2d atleast_3d', [[R()], [R(2)], [R(2, 3)], [R(1, 2, 2)]]),
  ...Object.fromEntries(
    [1, 2, 3].map((n) => [`atleast_${n}d_Sequence`, [{ run: (t, ...x) => t[`atleast_${n}d`](x), inputs: [R(), R(2)] }]]),
  ),
  select_scatter: [[R(2, 3), R(2), 1, -1]],
  slice_scatter: [
    [R(5), R(2), 0, 1, 5, 2],
    [R(2, 3), R(2, 3), 1],
  ],
  diagonal_scatter: [
    [R(3, 3), R(3)],
    [R(2, 3), R(2), 1],
  ],
  // PyTorch's derivative by self is not the true one; see the facts in gradcheck.test.mjs.
  as_strided_scatter: [[K(R(6)), R(2, 2), [2, 2], [3, 1], 1]],

  cat: [
    { run: (t, ...x) => t.cat(x, 1), inputs: [R(2, 1), R(2, 0), R(2, 2)] },
    { run: (t, x) => t.cat([x, x]), inputs: [R(2)] },
  ],
  stack: [
    { run: (t, ...x) => t.stack(x, -1), inputs: [R(2, 2), R(2, 2)] },
    { run: (t, ...x) => t.stack(x), inputs: [R(), R()] },
  ],
  ...Object.fromEntries(
    ['hstack', 'vstack', 'dstack', 'column_stack'].map((n) => [
      n,
      [
        { run: (t, ...x) => t[n](x), inputs: [R(2, 2), R(2, 2)] },
        { run: (t, ...x) => t[n](x), inputs: [R(2), R(2)] },
      ],
    ]),
  ),
  repeat: [
    [R(2, 1), [2, 3]],
    [R(2), [2, 1, 2]],
    [R(2), [0]],
    [R(), [2]],
  ],
  tile: [
    [R(2, 1), [2, 3]],
    [R(2), []],
  ],
  flip: [
    [R(2, 3), [0, 1]],
    [R(), []],
    [R(0, 2), [0]],
  ],
  fliplr: [[R(2, 3)]],
  flipud: [[R(2, 3)]],
  roll: [
    [R(2, 3), [1], [1]],
    [R(2, 3), [2]],
    [R(2, 3), [1, -1], [0, 1]],
    [R(0), [1], [0]],
  ],
  rot90: [
    [R(2, 3), 1, [0, 1]],
    [R(2, 3), 2, [0, 1]],
    [R(2, 3), -1, [0, 1]],
  ],
  block_diag: [{ run: (t, ...x) => t.block_diag(x), inputs: [R(2, 1), R(2), R()] }],
  meshgrid: [
    { run: (t, ...x) => t.meshgrid(x, { indexing: 'ij' }), inputs: [R(2), R(3)] },
    { run: (t, ...x) => t.meshgrid(x, { indexing: 'xy' }), inputs: [R(2), R(3)] },
  ],
  cartesian_prod: [
    { run: (t, ...x) => t.cartesian_prod(x), inputs: [R(2), R(3)] },
    { run: (t, x) => t.cartesian_prod([x]), inputs: [R(2)] },
  ],
  combinations: [[R(3)], [R(3), 2, true], [R(3), 3]],
}
