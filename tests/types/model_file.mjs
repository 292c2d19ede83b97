// A file of models as users write them, long enough to see what the compiler needs for one.
export function modelFile(lines) {
  const out = [`import torch, { nn, type Tensor } from 'torch.js'`]
  for (let i = 0; out.length < lines; i++) {
    const c = 8 * (1 + (i % 4))
    out.push(
      `class Net${i} extends nn.Module {`,
      `  conv1 = new nn.Conv2d(3, ${c}, 3, { padding: 1 })`,
      `  norm1 = new nn.BatchNorm2d(${c})`,
      `  conv2 = new nn.Conv2d(${c}, ${2 * c}, 3, { stride: 2, padding: 1 })`,
      `  pool = new nn.MaxPool2d(2)`,
      `  head = new nn.Sequential(new nn.Flatten(), new nn.Linear(${2 * c * 64}, 100), new nn.ReLU(), new nn.Linear(100, ${10 + i}))`,
      `  override forward<B extends number>(x: Tensor<readonly [B, 3, 32, 32], 'float32', 'cpu'>) {`,
      `    const h = this.norm1.forward(this.conv1.forward(x)).relu()`,
      `    const d = this.pool.forward(this.conv2.forward(h).relu())`,
      `    return this.head.forward(d).softmax(-1)`,
      `  }`,
      `}`,
      `const x${i} = torch.randn(${4 + i}, 3, 32, 32)`,
      `const y${i}: Tensor<readonly [${4 + i}, ${10 + i}]> = new Net${i}().forward(x${i})`,
      `const t${i} = torch.zeros(${4 + i}, { dtype: 'int64' })`,
      `const l${i}: Tensor<readonly []> = nn.functional.cross_entropy(y${i}, t${i}).add(y${i}.pow(2).sum().mul(0.1))`,
      `const s${i}: Tensor<readonly [${4 + i}, 1]> = y${i}.sub(y${i}.mean(1, true)).div(y${i}.std(1, { keepdim: true })).amax(-1, true)`,
      `const z${i}: Tensor<readonly [${8 + 2 * i}, ${10 + i}]> = torch.cat([y${i}, y${i}], 0)`,
    )
  }
  out.push('export {}')
  return out.join('\n')
}
