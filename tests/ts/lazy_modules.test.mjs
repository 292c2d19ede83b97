// Lazy modules: what they are before their first input, and what it makes of them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import torch from 'torch.js'

const { nn } = torch

test('LazyLinear becomes the Linear that the input asks for, with its numbers', () => {
  const lazy = new nn.LazyLinear(3)
  assert.equal(String(lazy), 'LazyLinear(in_features=0, out_features=3, bias=True)')
  assert.equal(nn.is_lazy(lazy.weight), true)
  assert.throws(() => lazy.weight.shape, { message: /^Can't access the shape of an uninitialized parameter/ })
  const weight = lazy.weight
  torch.manual_seed(5)
  lazy.forward(torch.ones(2, 4))
  torch.manual_seed(5)
  const plain = new nn.Linear(4, 3)
  assert.equal(lazy.weight, weight, 'an optimizer that holds the parameter keeps it')
  assert.equal(nn.is_lazy(weight), false)
  assert.equal(String(lazy), String(plain))
  assert.ok(lazy.weight.eq(plain.weight).all().item() && lazy.bias.eq(plain.bias).all().item())
  assert.ok(lazy instanceof nn.Linear && !(lazy instanceof nn.LazyLinear))
})

test('hooks run once a call, the first one included', () => {
  const lazy = new nn.LazyConv2d(2, 3, { padding: 1 })
  let calls = 0
  lazy.register_forward_hook(() => void calls++)
  lazy.forward(torch.ones(1, 5, 4, 4))
  assert.equal(calls, 1)
  assert.deepEqual(lazy.forward(torch.ones(1, 5, 4, 4)).shape, [1, 2, 4, 4])
  assert.equal(calls, 2)
})

test('lazy normalisation has statistics after its first input', () => {
  const lazy = new nn.LazyBatchNorm1d()
  const x = torch.arange(6, { dtype: 'float32' }).reshape(2, 3)
  lazy.forward(x)
  assert.deepEqual(lazy.running_mean.shape, [3])
  assert.equal(lazy.num_batches_tracked.item(), 1)
  assert.throws(() => new nn.LazyBatchNorm2d().forward(torch.ones(1, 2, 3)), { message: 'expected 4D input (got 3D input)' })
})

test('a network of lazy modules learns', () => {
  const net = new nn.Sequential(new nn.LazyLinear(8), new nn.ReLU(), new nn.LazyLinear(1))
  net.forward(torch.ones(1, 3))
  const optimizer = new torch.optim.SGD(net.parameters(), { lr: 0.05 })
  const x = torch.randn(16, 3)
  const loss = () => net.forward(x).sub(x.sum(1, true)).pow(2).mean()
  const before = loss().item()
  for (let i = 0; i < 50; i++) {
    optimizer.zero_grad()
    loss().backward()
    optimizer.step()
  }
  assert.ok(loss().item() < before / 2)
})
