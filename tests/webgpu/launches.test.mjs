// What a training step asks of the GPU, counted: a counter is better than a clock.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import torch, { nn } from 'torch.js'
import { gpt, trainer } from '../../bench/webgpu/models.mjs'
import { convnet } from '../../build/examples/digits/classifier.js'

before(() => torch.webgpu.init())
const device = 'webgpu'

/** Launches, submits and new buffers of a step, once it has settled. */
async function count(step) {
  for (let i = 0; i < 3; i++) {
    torch.scope(step)
    await torch.webgpu.sync_device()
  }
  const before = torch.webgpu.stats()
  torch.scope(step)
  await torch.webgpu.sync_device()
  const after = torch.webgpu.stats()
  return {
    dispatches: after.dispatches - before.dispatches,
    submits: after.submits - before.submits,
    buffers: after.buffers - before.buffers,
  }
}

test('a step of the convolutional network: at most 60 launches, one submit, no buffer', async () => {
  const x = torch.randn(8, 1, 8, 8).to(device),
    y = torch.randint(0, 10, [8]).to(device)
  const net = convnet(torch)
  const c = await count(trainer(net, (m) => nn.functional.cross_entropy(m.forward(x), y)))
  assert.ok(c.dispatches <= 60, `${c.dispatches} launches`)
  assert.deepEqual([c.submits, c.buffers], [1, 0])
})

test('a step of a GPT of two layers: at most 150 launches, no buffer', async () => {
  const [batch, time, width, heads, vocabulary] = [2, 8, 16, 2, 17]
  const x = torch.randint(0, vocabulary, [batch, time]).to(device),
    y = torch.randint(0, vocabulary, [batch * time]).to(device),
    at = torch.arange(time).to(device)
  const c = await count(
    trainer(gpt({ batch, time, width, heads, vocabulary }), (m) => nn.functional.cross_entropy(m.forward(x, at).view(-1, vocabulary), y)),
  )
  assert.ok(c.dispatches <= 150, `${c.dispatches} launches`)
  assert.equal(c.buffers, 0)
})
