// What a training step asks of the GPU, counted: a counter is better than a clock.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import torch, { nn } from 'torch.js'

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
function trainer(model, loss) {
  model.to(device)
  const optimizer = new torch.optim.AdamW(model.parameters(), { lr: 1e-3 })
  return () => {
    optimizer.zero_grad()
    loss(model).backward()
    optimizer.step()
  }
}

test('a step of the convolutional network: at most 60 launches, one submit, no buffer', async () => {
  const x = torch.randn(8, 1, 8, 8).to(device),
    y = torch.randint(0, 10, [8]).to(device)
  const net = new nn.Sequential(
    new nn.Conv2d(1, 16, 3, { padding: 1 }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(16, 32, 3, { padding: 1 }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(128, 64),
    new nn.ReLU(),
    new nn.Linear(64, 10),
  )
  const c = await count(trainer(net, (m) => nn.functional.cross_entropy(m.forward(x), y)))
  assert.ok(c.dispatches <= 60, `${c.dispatches} launches`)
  assert.deepEqual([c.submits, c.buffers], [1, 0])
})

test('a step of a GPT of two layers: at most 150 launches, no buffer', async () => {
  const [batch, time, width, heads, vocabulary] = [2, 8, 16, 2, 17]
  class Block extends nn.Module {
    norm1 = new nn.LayerNorm(width)
    attend = new nn.Linear(width, 3 * width)
    project = new nn.Linear(width, width)
    norm2 = new nn.LayerNorm(width)
    up = new nn.Linear(width, 4 * width)
    down = new nn.Linear(4 * width, width)
    forward(x) {
      const parts = this.attend.forward(this.norm1.forward(x)).chunk(3, -1)
      const [q, k, v] = parts.map((t) => t.view(batch, time, heads, width / heads).transpose(1, 2))
      const a = nn.functional.scaled_dot_product_attention(q, k, v, { is_causal: true })
      x = x.add(this.project.forward(a.transpose(1, 2).reshape(batch, time, width)))
      return x.add(this.down.forward(nn.functional.gelu(this.up.forward(this.norm2.forward(x)))))
    }
  }
  class Gpt extends nn.Module {
    tokens = new nn.Embedding(vocabulary, width)
    places = new nn.Embedding(time, width)
    blocks = new nn.ModuleList([new Block(), new Block()])
    norm = new nn.LayerNorm(width)
    head = new nn.Linear(width, vocabulary)
    forward(x, at) {
      let h = this.tokens.forward(x).add(this.places.forward(at))
      for (const block of this.blocks) h = block.forward(h)
      return this.head.forward(this.norm.forward(h))
    }
  }
  const x = torch.randint(0, vocabulary, [batch, time]).to(device),
    y = torch.randint(0, vocabulary, [batch * time]).to(device),
    at = torch.arange(time).to(device)
  const c = await count(trainer(new Gpt(), (m) => nn.functional.cross_entropy(m.forward(x, at).view(-1, vocabulary), y)))
  assert.ok(c.dispatches <= 150, `${c.dispatches} launches`)
  assert.equal(c.buffers, 0)
})
