// What the compiler knows of dtypes and devices of one's own. Checked by `tsc -p tests/types`; never run.
import torch, { type Tensor } from 'torch.js'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
declare function is<T extends true>(): T

const quaternion = torch.register_dtype({
  name: 'quaternion',
  components: 4,
  componentType: 'float32',
  zero: [0, 0, 0, 0],
  component_names: ['w', 'x', 'y', 'z'],
  promotes_from: ['float32'],
  promotes_to: 'float64',
})
const q = quaternion.zeros(2, 3)
is<Equal<typeof q.w, Tensor<readonly [2, 3], 'float32', 'cpu'>>>()
is<Equal<typeof q.dtype, 'quaternion'>>()
// @ts-expect-error there is no component v
q.v
const sum = q.add(quaternion.full([3], [1, 0, 0, 0]))
is<Equal<typeof sum.z, Tensor<readonly [2, 3], 'float32', 'cpu'>>>()
const mixed = q.add(torch.ones(3))
is<Equal<typeof mixed.shape, readonly [2, 3]>>()
const apart = q.add(quaternion.zeros(4))
is<Equal<typeof apart, torch.broadcast_error_incompatible_dimensions<3, 4>>>()
// @ts-expect-error an element has four components
quaternion.full([3], [1, 0, 0])
// @ts-expect-error four tensors make one
quaternion.from_components(torch.zeros(2))
torch.register_dtype({
  name: 'pair',
  components: 2,
  componentType: 'float32',
  // @ts-expect-error zero has as many numbers as there are components
  zero: [0],
})

declare const device: torch.RegisteredDevice<'metal'>
const there = device.from(torch.zeros(2, 3)).matmul(device.from(torch.zeros(3, 4)))
is<Equal<typeof there, torch.DeviceTensor<readonly [2, 4], 'float32', 'metal'>>>()
const wrong = there.matmul(there)
is<Equal<typeof wrong, torch.matmul_error_inner_dimensions_do_not_match<4, 2, [2, 4], [2, 4]>>>()
declare const other: torch.RegisteredDevice<'webgl'>
// @ts-expect-error they are on two devices
there.add(other.from(torch.zeros(4)))
// @ts-expect-error a tensor of the device is none of the cpu
torch.zeros(2, 4).add(there)
const back = there.unary('relu').cpu()
is<Equal<typeof back, Promise<Tensor<readonly [2, 4], 'float32', 'cpu'>>>>()
