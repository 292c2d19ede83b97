// A transformer block whose types are its documentation: hover over any name to see its shape. A wrong size does not compile.
//   node build/examples/transformer-block.js
import torch, { nn, type Tensor } from 'torch.js'

const WIDTH = 64
const HEADS = 4
const HEAD = 16 // WIDTH / HEADS
const HIDDEN = 256

class Attention extends nn.Module {
  readonly query = new nn.Linear(WIDTH, WIDTH)
  readonly key = new nn.Linear(WIDTH, WIDTH)
  readonly value = new nn.Linear(WIDTH, WIDTH)
  readonly out = new nn.Linear(WIDTH, WIDTH)

  override forward<Batch extends number, Length extends number>(x: Tensor<readonly [Batch, Length, 64], 'float32', 'cpu'>) {
    const q = this.query.forward(x).unflatten(-1, [HEADS, HEAD]).transpose(1, 2) // [Batch, 4, Length, 16]
    const k = this.key.forward(x).unflatten(-1, [HEADS, HEAD]).transpose(1, 2)
    const v = this.value.forward(x).unflatten(-1, [HEADS, HEAD]).transpose(1, 2)
    const scores = q.matmul(k.transpose(-2, -1)).div(Math.sqrt(HEAD)) // [Batch, 4, Length, Length]
    const attended = scores.softmax(-1).matmul(v) // [Batch, 4, Length, 16]
    const joined = attended.transpose(1, 2).flatten(-2) // [Batch, Length, 64]
    return this.out.forward(joined)
  }
}

class Block extends nn.Module {
  readonly norm1 = new nn.LayerNorm(WIDTH)
  readonly attention = new Attention()
  readonly norm2 = new nn.LayerNorm(WIDTH)
  readonly mlp = new nn.Sequential(new nn.Linear(WIDTH, HIDDEN), new nn.GELU(), new nn.Linear(HIDDEN, WIDTH))

  override forward<Batch extends number, Length extends number>(x: Tensor<readonly [Batch, Length, 64], 'float32', 'cpu'>) {
    const attended = x.add(this.attention.forward(this.norm1.forward(x))) // [Batch, Length, 64]
    return attended.add(this.mlp.forward(this.norm2.forward(attended))) // [Batch, Length, 64]
  }
}

torch.manual_seed(0)
const tokens = torch.randn(2, 10, WIDTH)
const block = new Block()
const first: Tensor<readonly [2, 10, 64]> = block.forward(tokens)
const second: Tensor<readonly [2, 10, 64]> = block.forward(block.forward(tokens))
console.log('one block', first.shape, 'two', second.shape)
