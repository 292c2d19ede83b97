// What the compiler knows of devices: reading a tensor of webgpu gives promises, one of the cpu values. Checked by `tsc -p tests/types`; never run.
import torch, { type Tensor } from 'torch.js'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
declare function is<T extends true>(): T

const here = torch.zeros(2, 3)
const there = torch.zeros(2, 3, { device: 'webgpu' })
is<Equal<typeof there, Tensor<readonly [2, 3], 'float32', 'webgpu'>>>()

const number = here.sum().item()
is<Equal<typeof number, number>>()
const promised = there.sum().item()
is<Equal<typeof promised, Promise<number>>>()
// @ts-expect-error a promise is no number
promised.toFixed()

const array = there.toArray()
const values = here.toArray()
is<Equal<typeof array, Promise<typeof values>>>()
const data = there.data()
is<Equal<typeof data, Promise<Float32Array>>>()

const back = there.cpu()
is<Equal<typeof back, Promise<Tensor<readonly [2, 3], 'float32', 'cpu'>>>>()
const same = here.cpu()
is<Equal<typeof same, Tensor<readonly [2, 3], 'float32', 'cpu'>>>()

const stats = torch.memory_stats('webgpu')
is<Equal<typeof stats.live_storages, number>>()
