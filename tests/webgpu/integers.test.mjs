// int64 on the device webgpu: 32 bits, and nothing is lost in silence. What does not fit is refused where it enters, and rejects the next read where it
// is computed.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import torch from 'torch.js'

const on = { device: 'webgpu' }
const long = (v) => torch.tensor(v, { ...on, dtype: 'int64' })
const tooLarge = { code: 'RuntimeError', message: /webgpu keeps int64 in 32 bits: a result does not fit/ }
before(() => torch.webgpu.init())

const big = () => long([2147483647, 1])
const least = () => long([-2147483648, 1])
for (const [name, f] of [
  ['add', () => big().add(1)],
  ['add of tensors', () => big().add(big())],
  ['add with alpha', () => torch.add(long([1]), long([2147483647]), { alpha: 2 })],
  ['add, strided', () => torch.stack([big(), big()]).t().add(1)],
  ['sub', () => least().sub(1)],
  ['rsub', () => torch.rsub(least(), 5)],
  ['mul', () => big().mul(2)],
  ['mul by -1', () => least().mul(-1)],
  ['neg', () => least().neg()],
  ['abs', () => least().abs()],
  ['square', () => long([65536]).square()],
  ['pow', () => long([3]).pow(21)],
  ['shift', () => torch.bitwise_left_shift(long([3]), 31)],
  ['floor_divide', () => torch.floor_divide(least(), -1)],
  ['in place', () => big().add_(1)],
  ['sum', () => big().sum()],
  ['sum of int32', () => torch.full([4], 2 ** 30, { ...on, dtype: 'int32' }).sum()],
  ['sum, in two stages', () => torch.full([40000], 60000, { ...on, dtype: 'int64' }).sum()],
  ['prod', () => torch.full([8], 20, { ...on, dtype: 'int64' }).prod()],
  ['cumsum', () => big().cumsum(0)],
  ['cumprod', () => torch.full([8], 20, { ...on, dtype: 'int64' }).cumprod(0)],
  ['matmul', () => torch.full([3, 3], 40000, { ...on, dtype: 'int64' }).matmul(torch.full([3, 3], 40000, { ...on, dtype: 'int64' }))],
  ['index_add', () => big().index_add(0, long([0]), long([1]))],
  ['scatter_add', () => big().scatter_add(0, long([0]), long([1]))],
  ['of a float', () => torch.tensor([3e9], on).to('int64')],
  ['of NaN', () => torch.tensor([NaN], on).long()],
]) {
  test(`${name}: an overflow rejects the next read, once`, async () => {
    const x = f()
    await assert.rejects(async () => void (await x.toArray()), tooLarge)
    assert.deepEqual(await long([5]).add(1).toArray(), [6])
  })
}

test('what fits is exact, up to both ends', async () => {
  assert.deepEqual(
    await long([2147483646, -2147483648])
      .add(long([1, 0]))
      .toArray(),
    [2147483647, -2147483648],
  )
  assert.deepEqual(await long([-2147483647]).sub(1).toArray(), [-2147483648])
  assert.deepEqual(await long([46340]).mul(46340).toArray(), [46340 * 46340])
  assert.deepEqual(await long([-46341]).mul(46340).toArray(), [-46341 * 46340])
  assert.deepEqual(
    await long([2, -2, 3])
      .pow(30)
      .toArray()
      .catch((e) => e.message.slice(0, 6)),
    'webgpu',
  )
  assert.deepEqual(await long([2, -2]).pow(30).toArray(), [2 ** 30, 2 ** 30])
  assert.equal(await long([2147483647, -2147483648, 1]).sum().item(), 0)
  assert.deepEqual(await torch.tensor([2147483520, -2147483648], on).to('int64').toArray(), [2147483520, -2147483648])
})

test('numbers that do not fit are refused where they enter', () => {
  assert.throws(() => torch.tensor([2n ** 31n]).to('webgpu'), /keeps int64 in 32 bits: the value 2147483648 does not fit/)
  assert.throws(() => torch.full([2], 2 ** 40, { ...on, dtype: 'int64' }), /does not fit into the 32 bits/)
  assert.throws(() => long([1]).add(2 ** 40), /does not fit into the 32 bits/)
  assert.throws(() => torch.arange(2 ** 31, 2 ** 31 + 2, { ...on, dtype: 'int64' }), /keeps int64 in 32 bits/)
})

test('int32 wraps, as everywhere', async () => {
  assert.deepEqual(
    await torch
      .tensor([2147483647], { ...on, dtype: 'int32' })
      .add(1)
      .toArray(),
    [-2147483648],
  )
})
