// What the compiler knows of x.at(...). Checked by `tsc -p tests/types`; never run.
import torch, { type Tensor } from 'torch.js'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
declare function is<T extends true>(): T

const x = torch.zeros(4, 5, 6)
const row = x.at(0)
is<Equal<typeof row, Tensor<readonly [5, 6], 'float32', 'cpu'>>>()
const last = x.at('...', -1)
is<Equal<typeof last.shape, readonly [4, 5]>>()
const middle = x.at(1, '...', [0, 3])
is<Equal<typeof middle.shape, readonly [5, 3]>>()
const all = x.at(0, 1, 2)
is<Equal<typeof all.shape, readonly []>>()
const added = x.at(null, 'newaxis', [1, null])
is<Equal<typeof added.shape, readonly [4, 1, 4, 6]>>()

// Ranges are Python's slices.
const ten = torch.zeros(10)
const sizes = [
  ten.at([2, 5]),
  ten.at([-3, null]),
  ten.at([null, null, 3]),
  ten.at([8, 100]),
  ten.at([5, 2]),
  ten.at([null, null, -1]),
  ten.at([9, 2, -2]),
  ten.at([-100, -8]),
  ten.at([null, -11, -4]),
  ten.at([100, 0, -1]),
] as const
type ShapesOf<T extends readonly unknown[]> = { [K in keyof T]: T[K] extends Tensor<infer S> ? S : never }
type Sizes = ShapesOf<typeof sizes>
is<
  Equal<
    Sizes,
    readonly [
      readonly [3],
      readonly [3],
      readonly [4],
      readonly [2],
      readonly [0],
      readonly [10],
      readonly [4],
      readonly [2],
      readonly [3],
      readonly [9],
    ]
  >
>()

// Tensors: a mask gives a number of elements that is found at run time, positions their own shape.
const masked = x.at(torch.ones([4, 5], { dtype: 'bool' }))
is<Equal<typeof masked.shape, readonly [number, 6]>>()
const taken = x.at(null, torch.zeros([2, 7], { dtype: 'int64' }))
is<Equal<typeof taken.shape, readonly [4, 2, 7, 6]>>()
const both = x.at(torch.zeros([2], { dtype: 'int64' }), torch.zeros([2], { dtype: 'int64' }))
is<Equal<typeof both.shape, readonly number[]>>()

// What is not known passes.
declare const n: number
declare const anything: Tensor
const some = x.at(n, [0, n])
is<Equal<typeof some.shape, readonly [number, 6]>>()
const unknown = anything.at(0)
is<Equal<typeof unknown.shape, readonly number[]>>()
const loose = torch.zeros(n, 3).at(7, [1, 2])
is<Equal<typeof loose.shape, readonly [1]>>()

// Refused, with the numbers.
const outside = x.at(null, 5)
is<Equal<typeof outside, torch.at_error_index_out_of_bounds<5, 1, 5>>>()
// @ts-expect-error there is no row 5
outside.sum()
const before = x.at('...', -7)
is<Equal<typeof before, torch.at_error_index_out_of_bounds<-7, 2, 6>>>()
const many = ten.at(0, 1)
is<Equal<typeof many, torch.at_error_too_many_indices<2, [10]>>>()
// @ts-expect-error a text is no index
x.at('first')
