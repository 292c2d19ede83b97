// class Tensor, torch.tensor and its relatives, dtypes, printing.
import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { describe, it } from 'node:test'
import torch from 'torch.js'

describe('torch.tensor', () => {
  it('infers dtype and shape', () => {
    assert.equal(torch.tensor([1, 2]).dtype, 'float32')
    assert.equal(torch.tensor([true, false]).dtype, 'bool')
    assert.equal(torch.tensor([1n, 2n]).dtype, 'int64')
    assert.equal(torch.tensor([1n, 2.5]).dtype, 'float32')
    assert.equal(torch.tensor([{ re: 1, im: 2 }, 3]).dtype, 'complex64')
    assert.equal(torch.tensor(new Int16Array([1])).dtype, 'int16')
    assert.equal(torch.tensor([new Float64Array([1]), new Float64Array([2])]).dtype, 'float64')
    assert.deepEqual(torch.tensor(3).shape, [])
    assert.deepEqual(
      torch.tensor([
        [1, 2, 3],
        [4, 5, 6],
      ]).shape,
      [2, 3],
    )
    assert.deepEqual(torch.tensor([[], []]).shape, [2, 0])
    assert.deepEqual(torch.tensor([torch.tensor([1, 2]), torch.tensor([3, 4])]).toArray(), [
      [1, 2],
      [3, 4],
    ])
  })
  it('keeps values of every dtype', () => {
    const values = {
      bool: [true, false],
      uint8: [0, 255],
      int8: [-128, 127],
      int16: [-32768, 5],
      int32: [-5, 2 ** 31 - 1],
      int64: [-5, 7],
      uint16: [65535, 0],
      uint32: [2 ** 32 - 1, 0],
      uint64: [5, 0],
      float16: [1.5, -0.25],
      bfloat16: [1.5, 256],
      float32: [0.5, -3],
      float64: [0.1, 1e300],
    }
    for (const [dtype, list] of Object.entries(values)) {
      const t = torch.tensor(list, { dtype })
      assert.equal(t.dtype, dtype)
      assert.deepEqual(t.toArray(), list, dtype)
      assert.equal(t.itemsize, torch.empty(1, { dtype }).nbytes)
    }
    assert.deepEqual(torch.tensor([{ re: 1, im: -2 }], { dtype: 'complex128' }).toArray(), [{ re: 1, im: -2 }])
  })
  it('reads wide integers as bigint', () => {
    assert.equal(torch.tensor([2n ** 60n]).item(), 2n ** 60n)
    assert.equal(torch.tensor([-(2n ** 63n)]).item(), -(2n ** 63n))
    assert.equal(torch.tensor([5n]).item(), 5)
    assert.equal(torch.tensor([2n ** 64n - 1n], { dtype: 'uint64' }).toArray()[0], 2n ** 64n - 1n)
    assert.equal(torch.full([1], 2n ** 60n + 1n, { dtype: 'int64' }).item(), 2n ** 60n + 1n)
  })
  it('copies', () => {
    const source = new Float32Array([1, 2])
    const t = torch.tensor(source)
    source[0] = 9
    assert.deepEqual(t.toArray(), [1, 2])
    const u = torch.tensor(t)
    u.add_(1)
    assert.deepEqual(t.toArray(), [1, 2])
    assert.equal(torch.as_tensor(t), t)
    assert.equal(torch.as_tensor(t, { dtype: 'float64' }).dtype, 'float64')
  })
  it('has relatives for raw data', () => {
    assert.deepEqual(torch.from_array(new Float32Array([1, 2, 3, 4]), [2, 2]).toArray(), [
      [1, 2],
      [3, 4],
    ])
    assert.deepEqual(torch.from_array([1, 2], [2], { dtype: 'int32' }).toArray(), [1, 2])
    const bytes = new Uint8Array(new Float32Array([1, 2, 3]).buffer)
    assert.deepEqual(torch.frombuffer(bytes, { dtype: 'float32', offset: 4 }).toArray(), [2, 3])
    assert.deepEqual(torch.frombuffer(bytes.buffer, { dtype: 'float32', count: 1 }).toArray(), [1])
  })
})

describe('Tensor', () => {
  const x = torch.arange(6).view(2, 3)
  it('tells what it is', () => {
    assert.equal(x.dtype, 'int64')
    assert.equal(x.device, 'cpu')
    assert.equal(x.ndim, 2)
    assert.equal(x.dim(), 2)
    assert.equal(x.numel(), 6)
    assert.deepEqual(x.size(), [2, 3])
    assert.equal(x.size(-1), 3)
    assert.deepEqual(x.T.stride(), [1, 3])
    assert.equal(x.T.is_contiguous(), false)
    assert.equal(x.itemsize, 8)
    assert.equal(x.nbytes, 48)
    assert.equal(x.is(x), true)
    assert.equal(x.is(x.clone()), false)
    assert.equal(x.length, 2)
    assert.equal(torch.is_tensor(x), true)
    assert.equal(torch.is_tensor([1]), false)
    assert.equal(x.is_floating_point(), false)
  })
  it('gives its elements', () => {
    assert.deepEqual(x.toArray(), [
      [0, 1, 2],
      [3, 4, 5],
    ])
    assert.deepEqual(x.T.toArray(), [
      [0, 3],
      [1, 4],
      [2, 5],
    ])
    assert.deepEqual(x.to('float32').data(), new Float32Array([0, 1, 2, 3, 4, 5]))
    assert.deepEqual(x.data(), new BigInt64Array([0n, 1n, 2n, 3n, 4n, 5n]))
    assert.deepEqual(x.to('float32').T.data(), new Float32Array([0, 3, 1, 4, 2, 5]))
    assert.deepEqual(torch.tensor([1.5, -2], { dtype: 'float16' }).data(), new Float32Array([1.5, -2]))
    assert.equal(torch.tensor(true).item(), true)
    assert.deepEqual(torch.tensor({ re: 1, im: 2 }).item(), { re: 1, im: 2 })
    assert.deepEqual(
      [...x].map((row) => row.toArray()),
      [
        [0, 1, 2],
        [3, 4, 5],
      ],
    )
    assert.deepEqual(torch.zeros(2, 0).toArray(), [[], []])
  })
  it('prints as PyTorch does', () => {
    assert.equal(String(torch.tensor([1, 2])), 'tensor([1., 2.])')
    assert.equal(`${x}`, 'tensor([[0, 1, 2],\n        [3, 4, 5]])')
    assert.equal(inspect(torch.ones(2, { requires_grad: true })), 'tensor([1., 1.], requires_grad=True)')
    torch.set_printoptions({ precision: 2 })
    assert.equal(String(torch.tensor([1 / 3])), 'tensor([0.33])')
    assert.equal(torch.get_printoptions().precision, 2)
    torch.set_printoptions({ profile: 'default' })
    assert.equal(String(torch.tensor([1 / 3])), 'tensor([0.3333])')
    assert.throws(() => torch.set_printoptions({ digits: 2 }), /unexpected keyword argument 'digits'/)
  })
  it('shows other memory after set_data', () => {
    const t = torch.ones(2)
    t.set_data(torch.zeros(3))
    assert.deepEqual(t.toArray(), [0, 0, 0])
  })
})

describe('dtypes', () => {
  it('promote as in PyTorch', () => {
    assert.equal(torch.promote_types('int32', 'float16'), 'float16')
    assert.equal(torch.promote_types('uint8', 'int8'), 'int16')
    assert.equal(torch.can_cast('float32', 'int32'), false)
    assert.equal(torch.result_type(torch.ones(1, { dtype: 'int32' }), 2.5), 'float32')
    assert.equal(torch.result_type(torch.ones(1, { dtype: 'int32' }), 2), 'int32')
    assert.equal(torch.result_type(1, 2n), 'int64')
  })
  it('have limits', () => {
    assert.equal(torch.finfo('float32').eps, 2 ** -23)
    assert.equal(torch.finfo('bfloat16').max, 3.3895313892515355e38)
    assert.equal(torch.finfo('float16').min, -65504)
    assert.equal(torch.iinfo('int8').min, -128)
    assert.equal(torch.iinfo('int64').max, 2n ** 63n - 1n)
    assert.throws(() => torch.finfo('int8'), /torch.finfo\(\) requires a floating point/)
  })
  it('have a default', () => {
    assert.equal(torch.get_default_dtype(), 'float32')
    torch.set_default_dtype('float64')
    try {
      assert.equal(torch.tensor([1]).dtype, 'float64')
      assert.equal(torch.zeros(1).dtype, 'float64')
    } finally {
      torch.set_default_dtype('float32')
    }
    assert.throws(() => torch.set_default_dtype('int32'), /only floating-point types are supported as the default type/)
  })
})

describe('random numbers', () => {
  it('repeat after a seed', () => {
    torch.manual_seed(0)
    const a = torch.randn(3).toArray()
    assert.deepEqual(
      a.map((v) => v.toFixed(4)),
      ['1.5410', '-0.2934', '-2.1788'],
    )
    torch.manual_seed(0)
    assert.deepEqual(torch.randn(3).toArray(), a)
    assert.equal(torch.initial_seed(), 0)
  })
  it('come from a generator of their own', () => {
    const g = new torch.Generator().manual_seed(7)
    const a = torch.rand(2, { generator: g }).toArray()
    assert.deepEqual(torch.rand(2, { generator: new torch.Generator().manual_seed(7) }).toArray(), a)
    assert.equal(g.initial_seed(), 7)
    const state = g.get_state()
    const b = torch.rand(2, { generator: g }).toArray()
    g.set_state(state)
    assert.deepEqual(torch.rand(2, { generator: g }).toArray(), b)
  })
  it('take seeds of 64 bits', () => {
    const g = new torch.Generator()
    g.manual_seed(2n ** 63n + 5n)
    assert.equal(g.initial_seed(), 2n ** 63n + 5n)
    g.manual_seed(-1)
    assert.equal(g.initial_seed(), 2n ** 64n - 1n)
    assert.throws(() => torch.manual_seed(1.5), /expected an int/)
  })
  it('are left alone by fork_rng', () => {
    torch.manual_seed(3)
    const state = torch.get_rng_state()
    torch.fork_rng(() => torch.rand(10))
    assert.deepEqual(torch.get_rng_state().toArray(), state.toArray())
  })
})
