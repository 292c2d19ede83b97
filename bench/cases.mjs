// The benchmark cases, under the names of the PyTorch side. A case is a function that makes its inputs and returns one iteration.
import torch from 'torch.js'
import { convnet } from '../build/examples/digits/classifier.js'

const { nn } = torch
const F = nn.functional
const cases = new Map()
const M = 1 << 20

// f over fixed random inputs of these shapes, without a graph; or with backward of the sum.
const simple = (name, f, ...shapes) =>
  cases.set(name, () => {
    const xs = shapes.map((s) => torch.randn(s))
    return () => torch.no_grad(() => f(...xs))
  })
const backward = (name, f, ...shapes) =>
  cases.set(name, () => {
    const xs = shapes.map((s) => torch.randn(s, { requires_grad: true }))
    return () => {
      for (const x of xs) x.grad = null
      f(...xs)
        .sum()
        .backward()
    }
  })

simple('overhead/add_16', (a, b) => a.add(b), [16], [16])
simple('overhead/chain8_16', (a, b) => a.add(b).mul(a).sub(b).mul(b).add(a).mul(b).sub(a).relu(), [16], [16])
backward('overhead/add_mul_sum_backward_16', (a, b) => a.mul(b).add(a), [16], [16])

simple('pointwise/add_1m', (a, b) => a.add(b), [M], [M])
simple('pointwise/add_16m', (a, b) => a.add(b), [16 * M], [16 * M])
simple('pointwise/mul_bias_1024', (a, b) => a.mul(b), [1024, 1024], [1024])
simple('pointwise/add_transposed_1024', (a, b) => a.add(b.t()), [1024, 1024], [1024, 1024])
for (const f of ['exp', 'tanh', 'sigmoid', 'erf', 'sin']) simple(`pointwise/${f}_1m`, (a) => torch[f](a), [M])
simple('pointwise/gelu_1m', (a) => F.gelu(a), [M])
simple('pointwise/pow_1m', (a) => a.abs().pow(1.7), [M])
simple('pointwise/chain6_1m', (a, b) => a.mul(b).add(a).tanh().mul(0.5).add(b).relu(), [M], [M])
simple('pointwise/where_1m', (a, b) => torch.where(a.gt(0), a, b), [M], [M])
simple('pointwise/to_float64_1m', (a) => a.to('float64'), [M])
backward('pointwise/gelu_backward_1m', (a) => F.gelu(a), [M])

simple('reduce/sum_all_1m', (a) => a.sum(), [M])
simple('reduce/sum_dim0_1024', (a) => a.sum(0), [1024, 1024])
simple('reduce/sum_dim1_1024', (a) => a.sum(1), [1024, 1024])
simple('reduce/max_dim1_1024', (a) => a.max(1).values, [1024, 1024])
simple('reduce/argmax_dim1_1024', (a) => a.argmax(1), [1024, 1024])
simple('reduce/var_dim1_1024', (a) => a.var(1), [1024, 1024])
simple('reduce/cumsum_dim1_1024', (a) => a.cumsum(1), [1024, 1024])
simple('reduce/softmax_1024', (a) => F.softmax(a, -1), [1024, 1024])
backward('reduce/log_softmax_backward_1024', (a) => F.log_softmax(a, -1), [1024, 1024])
simple('norm/layer_norm_2048x768', (a, w, b) => F.layer_norm(a, [768], w, b), [2048, 768], [768], [768])
backward('norm/layer_norm_backward_2048x768', (a, w, b) => F.layer_norm(a, [768], w, b), [2048, 768], [768], [768])
simple('norm/batch_norm_train_32x64x28x28', (a, w, b) => F.batch_norm(a, null, null, w, b, true), [32, 64, 28, 28], [64], [64])
simple('norm/group_norm_16x64x28x28', (a, w, b) => F.group_norm(a, 8, w, b), [16, 64, 28, 28], [64], [64])

for (const n of [64, 256, 1024, 2048]) simple(`gemm/matmul_${n}`, (a, b) => torch.matmul(a, b), [n, n], [n, n])
simple('gemm/matmul_nt_1024', (a, b) => a.matmul(b.t()), [1024, 1024], [1024, 1024])
simple('gemm/matvec_2048', (a, b) => a.matmul(b), [2048, 2048], [2048])
simple('gemm/bmm_96x128x64', (a, b) => torch.bmm(a, b), [96, 128, 64], [96, 64, 128])
simple('gemm/linear_128x784x512', (x, w, b) => F.linear(x, w, b), [128, 784], [512, 784], [512])
backward('gemm/linear_backward_128x784x512', (x, w, b) => F.linear(x, w, b), [128, 784], [512, 784], [512])
simple('linalg/cholesky_256', (a) => torch.linalg.cholesky(a.matmul(a.t()).add(torch.eye(256).mul(256))), [256, 256])
simple('linalg/solve_256', (a, b) => torch.linalg.solve(a, b), [256, 256], [256, 16])
simple('linalg/svd_128', (a) => torch.linalg.svd(a)[1], [128, 128])
simple('linalg/eigh_128', (a) => torch.linalg.eigh(a.add(a.t()))[0], [128, 128])
simple('fft/rfft_64x4096', (a) => torch.fft.rfft(a), [64, 4096])

simple('conv/3x3_8x64x56x56', (x, w) => F.conv2d(x, w, { padding: 1 }), [8, 64, 56, 56], [64, 64, 3, 3])
simple('conv/1x1_8x256x28x28', (x, w) => F.conv2d(x, w), [8, 256, 28, 28], [128, 256, 1, 1])
simple('conv/7x7s2_4x3x224x224', (x, w) => F.conv2d(x, w, { stride: 2, padding: 3 }), [4, 3, 224, 224], [64, 3, 7, 7])
simple('conv/depthwise3x3_8x96x56x56', (x, w) => F.conv2d(x, w, { padding: 1, groups: 96 }), [8, 96, 56, 56], [96, 1, 3, 3])
backward('conv/3x3_backward_8x64x28x28', (x, w) => F.conv2d(x, w, { padding: 1 }), [8, 64, 28, 28], [64, 64, 3, 3])
simple('conv/1d_16x64x1024', (x, w) => F.conv1d(x, w, { padding: 2 }), [16, 64, 1024], [64, 64, 5])
simple('conv/transpose2d_8x64x28x28', (x, w) => F.conv_transpose2d(x, w, { stride: 2 }), [8, 64, 28, 28], [64, 32, 2, 2])
simple('pool/max2x2_8x64x56x56', (x) => F.max_pool2d(x, 2), [8, 64, 56, 56])
simple('pool/avg2x2_8x64x56x56', (x) => F.avg_pool2d(x, 2), [8, 64, 56, 56])

simple(
  'attention/sdpa_causal_4x8x256x64',
  (q, k, v) => F.scaled_dot_product_attention(q, k, v, { is_causal: true }),
  [4, 8, 256, 64],
  [4, 8, 256, 64],
  [4, 8, 256, 64],
)
cases.set('embedding/lookup_backward_32x64_v10000x256', () => {
  const w = torch.randn([10000, 256], { requires_grad: true }),
    i = torch.randint(0, 10000, [32, 64])
  return () => {
    w.grad = null
    F.embedding(i, w).sum().backward()
  }
})
cases.set('loss/cross_entropy_backward_512x10000', () => {
  const x = torch.randn([512, 10000], { requires_grad: true }),
    y = torch.randint(0, 10000, [512])
  return () => {
    x.grad = null
    F.cross_entropy(x, y).backward()
  }
})

simple('data/permute_contiguous_8x64x56x56', (a) => a.permute(0, 2, 3, 1).contiguous(), [8, 64, 56, 56])
simple('data/cat_4x1m', (a, b, c, d) => torch.cat([a, b, c, d]), [M], [M], [M], [M])
simple('data/sort_1m', (a) => a.sort().values, [M])
simple('data/topk_1024x1024_k16', (a) => a.topk(16).values, [1024, 1024])
cases.set('data/index_select_100k', () => {
  const a = torch.randn(10000, 64),
    i = torch.randint(0, 10000, [100000])
  return () => a.index_select(0, i)
})
cases.set('data/masked_select_1m', () => {
  const a = torch.randn(M),
    m = a.gt(0)
  return () => a.masked_select(m)
})
cases.set('random/randn_1m', () => () => torch.randn(M))
cases.set('random/dropout_1m', () => {
  const a = torch.randn(M)
  return () => F.dropout(a, 0.1, true)
})

// ---- whole training steps -------------------------------------------------------------------------------------------

function train(model, loss, x, y, lr = 1e-3) {
  const optimizer = new torch.optim.AdamW(model.parameters(), { lr })
  return () => {
    optimizer.zero_grad()
    loss(model.forward(x), y).backward()
    optimizer.step()
  }
}
const labels = (high, n) => torch.randint(0, high, [n])

cases.set('train/mlp_64x784x512x512x10_adamw', () => {
  const m = new nn.Sequential(new nn.Linear(784, 512), new nn.ReLU(), new nn.Linear(512, 512), new nn.ReLU(), new nn.Linear(512, 10))
  return train(m, F.cross_entropy, torch.randn(64, 784), labels(10, 64))
})
cases.set('train/tiny_mlp_16x8x16x1_adamw', () => {
  const m = new nn.Sequential(new nn.Linear(8, 16), new nn.Tanh(), new nn.Linear(16, 1))
  return train(m, F.mse_loss, torch.randn(16, 8), torch.randn(16, 1))
})
cases.set('train/convnet_32x1x28x28_adamw', () => {
  const m = convnet(torch, { side: 28, channels: 32, hidden: 128 })
  return train(m, F.cross_entropy, torch.randn(32, 1, 28, 28), labels(10, 32))
})

class BasicBlock extends nn.Module {
  constructor(i, o, s) {
    super()
    this.c1 = new nn.Conv2d(i, o, 3, { stride: s, padding: 1, bias: false })
    this.b1 = new nn.BatchNorm2d(o)
    this.c2 = new nn.Conv2d(o, o, 3, { stride: 1, padding: 1, bias: false })
    this.b2 = new nn.BatchNorm2d(o)
    this.d =
      s !== 1 || i !== o ? new nn.Sequential(new nn.Conv2d(i, o, 1, { stride: s, bias: false }), new nn.BatchNorm2d(o)) : new nn.Identity()
  }
  forward(x) {
    const y = this.b2.forward(this.c2.forward(F.relu(this.b1.forward(this.c1.forward(x)))))
    return F.relu(y.add(this.d.forward(x)))
  }
}
cases.set('train/resnet18_cifar_8x3x32x32_adamw', () => {
  const layers = [new nn.Conv2d(3, 64, 3, { stride: 1, padding: 1, bias: false }), new nn.BatchNorm2d(64), new nn.ReLU()]
  let i = 64
  for (const [o, s] of [
    [64, 1],
    [64, 1],
    [128, 2],
    [128, 1],
    [256, 2],
    [256, 1],
    [512, 2],
    [512, 1],
  ]) {
    layers.push(new BasicBlock(i, o, s))
    i = o
  }
  const m = new nn.Sequential(...layers, new nn.AdaptiveAvgPool2d(1), new nn.Flatten(), new nn.Linear(512, 10))
  return train(m, F.cross_entropy, torch.randn(8, 3, 32, 32), labels(10, 8))
})

class LSTMModel extends nn.Module {
  constructor() {
    super()
    this.e = new nn.Embedding(96, 128)
    this.r = new nn.LSTM(128, 256, 2, { batch_first: true })
    this.h = new nn.Linear(256, 96)
  }
  forward(x) {
    return this.h.forward(this.r.forward(this.e.forward(x))[0]).flatten(0, 1)
  }
}
cases.set('train/lstm_2x256_16x64_adamw', () =>
  train(new LSTMModel(), F.cross_entropy, torch.randint(0, 96, [16, 64]), labels(96, 16 * 64)),
)

class GPTBlock extends nn.Module {
  constructor(d, h) {
    super()
    this.heads = h
    this.n1 = new nn.LayerNorm(d)
    this.n2 = new nn.LayerNorm(d)
    this.qkv = new nn.Linear(d, 3 * d)
    this.o = new nn.Linear(d, d)
    this.f1 = new nn.Linear(d, 4 * d)
    this.f2 = new nn.Linear(4 * d, d)
  }
  forward(x) {
    const [b, t, d] = x.shape,
      h = this.heads
    const [q, k, v] = [...this.qkv.forward(this.n1.forward(x)).split(d, 2)].map((z) => z.view(b, t, h, d / h).transpose(1, 2))
    let a = q.matmul(k.transpose(-2, -1)).div(Math.sqrt(d / h))
    a = a.masked_fill(torch.ones([t, t], { dtype: 'bool' }).triu(1), -Infinity)
    x = x.add(this.o.forward(F.softmax(a, -1).matmul(v).transpose(1, 2).reshape(b, t, d)))
    return x.add(this.f2.forward(F.gelu(this.f1.forward(this.n2.forward(x)))))
  }
}
class GPT extends nn.Module {
  constructor(vocabulary, d, h, layers, context) {
    super()
    this.e = new nn.Embedding(vocabulary, d)
    this.p = new nn.Embedding(context, d)
    this.b = new nn.Sequential(...Array.from({ length: layers }, () => new GPTBlock(d, h)))
    this.n = new nn.LayerNorm(d)
    this.h = new nn.Linear(d, vocabulary, { bias: false })
  }
  forward(x) {
    const y = this.e.forward(x).add(this.p.forward(torch.arange(x.shape[1])))
    return this.h.forward(this.n.forward(this.b.forward(y))).flatten(0, 1)
  }
}
cases.set('train/gpt_4x128_12x64_adamw', () =>
  train(new GPT(96, 128, 4, 4, 64), F.cross_entropy, torch.randint(0, 96, [12, 64]), labels(96, 12 * 64)),
)
cases.set('infer/gpt_12x768_1x128', () => {
  const m = new GPT(8192, 768, 12, 12, 128).eval()
  const x = torch.randint(0, 8192, [1, 128])
  return () => torch.no_grad(() => m.forward(x))
})

export { cases }
