// What the compiler knows of shapes, dtypes and devices. Checked by `tsc -p tests/types`; never run.
import torch, { type Tensor } from 'torch.js'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
declare function is<T extends true>(): T

// Creation: sizes are literal without `as const`.
const a = torch.zeros(2, 3)
is<Equal<typeof a, Tensor<readonly [2, 3], 'float32', 'cpu'>>>()
const integers = torch.zeros([2, 3], { dtype: 'int64' })
is<Equal<typeof integers, Tensor<readonly [2, 3], 'int64', 'cpu'>>>()
const spread = torch.zeros(2, 3, { dtype: 'int64', requires_grad: false })
is<Equal<typeof spread, Tensor<readonly [2, 3], 'int64', 'cpu'>>>()
const literal = torch.tensor([
  [1, 2],
  [3, 4],
])
is<Equal<typeof literal.shape, readonly [2, 2]>>()
const flag: boolean = torch.tensor(true).item()

// Any tensor is a Tensor.
export const anyTensor: Tensor = a
export const named: torch.Tensor<readonly [2, 3]> = a

// Products.
const product = a.matmul(torch.randn(3, 4))
is<Equal<typeof product.shape, readonly [2, 4]>>()
const wrong = torch.matmul(a, a)
// @ts-expect-error the inner dimensions do not match
wrong.sum()

// Elementwise: broadcasting and dtypes.
const sum = a.add(torch.ones(3))
is<Equal<typeof sum, Tensor<readonly [2, 3], 'float32', 'cpu'>>>()
const scaled = a.mul(2)
is<Equal<typeof scaled, Tensor<readonly [2, 3], 'float32', 'cpu'>>>()
const compared = a.gt(0)
is<Equal<typeof compared.dtype, 'bool'>>()
const apart = a.add(torch.ones(4))
// @ts-expect-error 3 and 4 do not broadcast
apart.sum()
const loss: number = a.pow(2).sum().item()

// Views.
const viewed = a.view(3, 2)
is<Equal<typeof viewed.shape, readonly [3, 2]>>()
const transposed = a.transpose(0, -1)
is<Equal<typeof transposed.shape, readonly [3, 2]>>()
const permuted = a.permute(1, 0)
is<Equal<typeof permuted.shape, readonly [3, 2]>>()
const more = a.unsqueeze(0)
is<Equal<typeof more.shape, readonly [1, 2, 3]>>()
const fewer = more.squeeze(0)
is<Equal<typeof fewer.shape, readonly [2, 3]>>()
const flat = torch.zeros(2, 3, 4).flatten(1)
is<Equal<typeof flat.shape, readonly [2, 12]>>()
const row = a.at(0)
is<Equal<typeof row.shape, readonly [3]>>()
const wide = a.to('float64')
is<Equal<typeof wide.dtype, 'float64'>>()

// Options.
a.sum(1, { keepdim: true })
a.sum({ dim: 1 })
// @ts-expect-error there is no option dims
a.sum({ dims: 1 })
const { values, indices } = a.max(1)
const [first] = a.max({ dim: 1 })
torch.add(1, a, { alpha: 2 })
export const chained: Tensor = a.clone().add_(1).mul_(a).relu().softmax(-1)
export { flag, loss, values, indices, first }
