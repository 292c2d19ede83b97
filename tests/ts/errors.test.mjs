// Errors are TorchErrors with PyTorch's exception as code and PyTorch's message.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import torch, { TorchError } from 'torch.js'

const cases = [
  [() => torch.add(1, 2, 3, 4), 'TypeError', 'add() takes 2 positional arguments but 4 were given'],
  [() => torch.ones(3).repeat(), 'TypeError', 'repeat() missing 1 required positional arguments: "repeats"'],
  [() => torch.ones(2).matmul(3), 'TypeError', "matmul(): argument 'other' (position 1) must be Tensor, not int"],
  [() => torch.relu(3), 'TypeError', "relu(): argument 'input' (position 1) must be Tensor, not int"],
  [() => torch.linalg.slogdet(3), 'TypeError', "linalg_slogdet(): argument 'A' (position 1) must be Tensor, not int"],
  [() => torch.fft.fft(3), 'TypeError', "fft_fft(): argument 'input' (position 1) must be Tensor, not int"],
  [() => torch.zeros(2.5), 'TypeError', "zeros(): argument 'size' (position 1) must be tuple of ints, not float"],
  [
    () => torch.zeros([2, 'a']),
    'TypeError',
    "zeros(): argument 'size' (position 1) must be tuple of ints, but found element of type str at pos 1",
  ],
  [() => torch.zeros(2, { dtype: 'float33' }), 'TypeError', "zeros(): argument 'dtype' must be torch.dtype, not str 'float33'"],
  [
    () => torch.zeros(2, { device: 'nosuchdevice' }),
    'RuntimeError',
    'Expected one of cpu, webgpu device type at start of device string: nosuchdevice',
  ],
  [() => torch.mm(torch.ones(2, 3), torch.ones(2, 3)), 'RuntimeError', 'mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)'],
  [
    () => torch.ones(2, 3).add(torch.ones(2, 4)),
    'RuntimeError',
    'The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 1',
  ],
  [() => torch.ones(2, 3).view(4), 'RuntimeError', "shape '[4]' is invalid for input of size 6"],
  [() => torch.ones(2, 3).sum(2), 'IndexError', 'Dimension out of range (expected to be in range of [-2, 1], but got 2)'],
  [() => torch.ones(2).size(3), 'IndexError', 'Dimension out of range (expected to be in range of [-1, 0], but got 3)'],
  [() => torch.ones(2, 2).item(), 'RuntimeError', 'a Tensor with 4 elements cannot be converted to Scalar'],
  [() => torch.tensor([[1, 2], [3]]), 'ValueError', 'expected sequence of length 2 at dim 1 (got 1)'],
  [() => torch.tensor([[[1]], [[2, 3]]]), 'ValueError', 'expected sequence of length 1 at dim 2 (got 2)'],
  [() => torch.tensor([[1, 2], 3]), 'TypeError', 'not a sequence'],
  [() => torch.tensor([null]), 'RuntimeError', 'Could not infer dtype of NoneType'],
  [() => torch.tensor([300], { dtype: 'uint8' }), 'RuntimeError', 'value cannot be converted to type uint8 without overflow'],
  [() => torch.tensor([NaN], { dtype: 'int32' }), 'RuntimeError', 'value cannot be converted to type int32 without overflow'],
  [
    () => torch.tensor([1n], { requires_grad: true }),
    'RuntimeError',
    'Only Tensors of floating point and complex dtype can require gradients',
  ],
  [() => [...torch.tensor(1)], 'TypeError', 'iteration over a 0-d tensor'],
  [() => torch.promote_types('float32', 3), 'TypeError', "promote_types(): argument 'type2' (position 2) must be torch.dtype, not int"],
  [
    () => (torch.ones(2, { requires_grad: true }).grad = 3),
    'TypeError',
    'assigned grad expected to be a Tensor or None but got grad of type int',
  ],
  [
    () => torch.frombuffer(new ArrayBuffer(4), { dtype: 'float64' }),
    'ValueError',
    'buffer length (4 bytes) after offset (0 bytes) must be a multiple of element size (8)',
  ],
]

describe('messages', () => {
  for (const [fn, code, message] of cases) {
    it(`${fn.toString().slice(6)}`, () => {
      assert.throws(fn, (e) => {
        assert.ok(e instanceof TorchError && e instanceof Error, `${e?.stack}`)
        assert.equal(e.message, message)
        assert.equal(e.code, code)
        assert.equal(e.name, 'TorchError')
        return true
      })
    })
  }
  it('of several signatures list them all', () => {
    assert.throws(
      () => torch.ones(2).max('a'),
      (e) =>
        e.message.startsWith('max() received an invalid combination of arguments - got (str), but expected one of:\n * ') &&
        e.code === 'TypeError',
    )
  })
  it('of a failing call leave nothing behind for the next one', () => {
    assert.throws(() => torch.ones(2, 3).view(4))
    assert.equal(torch.ones(2).sum().item(), 2)
  })
})
