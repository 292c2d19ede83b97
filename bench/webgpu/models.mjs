// The training steps that run.mjs times and tests/webgpu/launches.test.mjs counts.
import torch, { nn } from 'torch.js'

/** A GPT of two layers: tokens [batch, time] and places [time] to scores [batch, time, vocabulary]. */
export function gpt({ batch, time, width, heads, vocabulary }) {
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
  return new (class Gpt extends nn.Module {
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
  })()
}

/** One step of AdamW on the device webgpu, to be called: the gradients of make(model). */
export function trainer(model, make) {
  model.to('webgpu')
  const optimizer = new torch.optim.AdamW(model.parameters(), { lr: 1e-3 })
  return () => {
    optimizer.zero_grad()
    make(model).backward()
    optimizer.step()
  }
}
