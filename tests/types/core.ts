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

// Devices: a tensor without dimensions may come from the CPU.
declare const there: Tensor<readonly [2, 3], 'float32', 'webgpu'>
declare const scalar: Tensor<readonly [], 'float32', 'cpu'>
const mixed = there.add(a)
is<Equal<typeof mixed, torch.device_error_mismatch<'webgpu', 'cpu'>>>()
const joined = there.add(scalar)
is<Equal<typeof joined, Tensor<readonly [2, 3], 'float32', 'webgpu'>>>()

// Sizes that are not known, named, or a function's own.
declare const n: number
const some = torch.zeros(n, 3).matmul(torch.zeros(3, 4))
is<Equal<typeof some.shape, readonly [number, 4]>>()
declare const unknown: Tensor
const after = unknown.matmul(a).add(1).sum(0)
is<Equal<typeof after.shape, torch.DynamicShape>>()
declare const batch: torch.Dim<'batch'>
const rows = torch.zeros(batch, 784).matmul(torch.zeros(784, 10)).softmax(-1)
is<Equal<typeof rows.shape, readonly [torch.Dim<'batch'>, 10]>>()
const both = rows.add(torch.zeros(batch, 1))
is<Equal<typeof both.shape, readonly [torch.Dim<'batch'>, 10]>>()
function classify<B extends number>(x: Tensor<readonly [B, 784], 'float32', 'cpu'>) {
  const h = x.matmul(torch.zeros(784, 10)).relu().add(torch.zeros(10))
  return h.softmax(-1).sum(-1, true)
}
const classified = classify(torch.zeros(32, 784))
is<Equal<typeof classified, Tensor<readonly [32, 1], 'float32', 'cpu'>>>()
// @ts-expect-error 100 features are not 784
classify(torch.zeros(32, 100))

// Modules: called, chained, and as parts of one's own.
const net = new torch.nn.Sequential(
  new torch.nn.Conv2d(1, 8, 3, { padding: 1 }),
  new torch.nn.ReLU(),
  new torch.nn.MaxPool2d(2),
  new torch.nn.Flatten(),
  new torch.nn.Linear(1568, 10),
)
const scores = net.forward(torch.zeros(32, 1, 28, 28))
is<Equal<typeof scores, Tensor<readonly [32, 10], 'float32', 'cpu'>>>()
const refused = net.forward(torch.zeros(32, 3, 28, 28))
// @ts-expect-error three channels are not one
refused.sum()
export const anySequential: torch.nn.Sequential = net
export const anyLinear: torch.nn.Linear = new torch.nn.Linear(784, 10)
class Head extends torch.nn.Module {
  fc = new torch.nn.Linear(10, 2)
  override forward<B extends number>(x: Tensor<readonly [B, 10], 'float32', 'cpu'>) {
    return this.fc.forward(x)
  }
}
const logits = new Head().forward(scores)
is<Equal<typeof logits.shape, readonly [32, 2]>>()

// Errors as types.
type Wrong = torch.MatmulShape<readonly [2, 3], readonly [5, 4]>
is<Equal<Wrong, torch.matmul_error_inner_dimensions_do_not_match<3, 5, [2, 3], [5, 4]>>>()
is<Equal<torch.IsShapeError<Wrong>, true>>()
is<Equal<torch.ShapeErrorMessage<Wrong>, 'SHAPE_ERROR: matmul_error_inner_dimensions_do_not_match<3, 5, [2, 3], [5, 4]>'>>()
// @ts-expect-error it is an error
export type Asserted = torch.AssertNoShapeError<Wrong>
