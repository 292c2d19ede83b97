// What each feature of the types costs: programs of one kind, and how many type instantiations the compiler may need for them, those of loading the
// package not counted. A number is about a quarter more than what it was.
import { compilerOptions, ROOT, virtualHost } from './compiler.mjs'
import { join } from 'node:path'

const each = (list) => list.map((text, i) => `const v${i} = ${text}`)
export const FEATURES = {
  creation: each([
    'torch.zeros(2, 3)',
    'torch.ones([2, 3], { dtype: "int64" })',
    'torch.tensor([[1, 2], [3, 4]])',
    'torch.arange(0, 10, 2)',
    'torch.eye(4)',
  ]),
  broadcasting: each([
    'torch.zeros(2, 3).add(torch.zeros(3))',
    'torch.zeros(7, 1, 5).mul(torch.zeros(6, 1))',
    'torch.zeros(2, 3).gt(0)',
    'torch.where(torch.zeros(2, 3).gt(0), torch.zeros(3), 1)',
    'torch.zeros(2, 3).pow(2).add(1).div(torch.zeros(2, 1))',
  ]),
  products: each([
    'torch.zeros(2, 3).matmul(torch.zeros(3, 4))',
    'torch.zeros(7, 2, 3).matmul(torch.zeros(3))',
    'torch.zeros(8, 12, 64, 32).matmul(torch.zeros(8, 12, 32, 64))',
    'torch.zeros(7, 2, 3).bmm(torch.zeros(7, 3, 4))',
    'torch.nn.functional.linear(torch.zeros(32, 784), torch.zeros(10, 784))',
  ]),
  reductions: each([
    'torch.zeros(2, 3, 4).sum()',
    'torch.zeros(2, 3, 4).mean([0, -1], true)',
    'torch.zeros(2, 3, 4).std(1, { keepdim: true })',
    'torch.zeros(2, 3, 4).max(1)',
    'torch.zeros(2, 3, 4).softmax(-1)',
  ]),
  views: each([
    'torch.zeros(32, 3, 28, 28).flatten(1)',
    'torch.zeros(4, 6).reshape(2, -1, 3)',
    'torch.zeros(2, 3, 4).permute(2, 0, 1)',
    'torch.zeros(2, 1, 4).squeeze(1).unsqueeze(0)',
    'torch.zeros(2, 12).unflatten(1, [3, -1]).transpose(0, 1)',
    'torch.zeros(2, 3, 4).T',
  ]),
  joining: each([
    'torch.cat([torch.zeros(2, 3), torch.zeros(4, 3)])',
    'torch.stack([torch.zeros(2), torch.zeros(2)])',
    'torch.zeros(7, 3).split(2)',
    'torch.zeros(8, 3).chunk(4)',
  ]),
  indexing: each([
    'torch.zeros(4, 5, 6).at(0, [1, 3])',
    'torch.zeros(10).at([null, null, 2])',
    'torch.zeros(3, 4).gather(1, torch.zeros(3, 2, { dtype: "int64" }))',
    'torch.zeros(5, 6).topk(3)',
  ]),
  convolution: each([
    'torch.nn.functional.conv2d(torch.zeros(8, 3, 32, 32), torch.zeros(16, 3, 3, 3), null, { stride: 2, padding: 1 })',
    'torch.nn.functional.max_pool2d(torch.zeros(8, 16, 32, 32), 2)',
    'torch.nn.functional.conv1d(torch.zeros(8, 3, 100), torch.zeros(16, 3, 5))',
    'torch.nn.functional.adaptive_avg_pool2d(torch.zeros(8, 16, 7, 7), 1)',
  ]),
  modules: each([
    'new torch.nn.Linear(784, 10).forward(torch.zeros(32, 784))',
    'new torch.nn.Conv2d(3, 8, 3, { padding: 1 }).forward(torch.zeros(4, 3, 32, 32))',
    'new torch.nn.Sequential(new torch.nn.Flatten(), new torch.nn.Linear(784, 100), new torch.nn.ReLU(), new torch.nn.Linear(100, 10)).forward(torch.zeros(32, 1, 28, 28))',
    'new torch.nn.LSTM(8, 16, { batch_first: true }).forward(torch.zeros(4, 7, 8))',
    'new torch.nn.CrossEntropyLoss().forward(torch.zeros(32, 10), torch.zeros(32, { dtype: "int64" }))',
  ]),
  einsum: each([
    "torch.einsum('bij,bjk->bik', torch.zeros(2, 3, 4), torch.zeros(2, 4, 5))",
    "torch.einsum('...ij->...ji', torch.zeros(2, 3, 4))",
    'torch.einsum(torch.zeros(2, 3), [0, 1], torch.zeros(3, 4), [1, 2], [0, 2])',
  ]),
  einops: each([
    "torch.rearrange(torch.zeros(2, 224, 224, 3), 'b (h p) (w q) c -> b (h w) (p q c)', { p: 16, q: 16 })",
    "torch.reduce(torch.zeros(2, 3, 8, 8), 'b c (h 2) (w 2) -> b c h w', 'max')",
    "torch.repeat(torch.zeros(2, 3), 'h w -> h w c', { c: 4 })",
  ]),
  formulas: each([
    "torch.$('relu(x @ w + b)')({ x: torch.zeros(2, 3), w: torch.zeros(3, 4), b: torch.zeros(4) })",
    "torch.$('mean(x ** 2, -1, keepdim=true)')({ x: torch.zeros(2, 3) })",
    "torch.$('x > 0 ? x : 0.1 * x')({ x: torch.zeros(2, 3) })",
  ]),
}

export const BUDGETS = {
  creation: 3000,
  broadcasting: 4300,
  products: 3700,
  reductions: 1500,
  views: 8800,
  joining: 6700,
  indexing: 6600,
  convolution: 8800,
  modules: 13000,
  einsum: 8200,
  einops: 17500,
  formulas: 22500,
}

/** -> { feature: instantiations } */
export function costs(ts) {
  const file = join(ROOT, 'tests/types/feature.ts')
  let old
  const cost = (lines) => {
    const files = new Map([[file, [`import torch from 'torch.js'`, ...lines, 'export { torch }'].join('\n')]])
    const program = ts.createProgram([file], compilerOptions(ts), virtualHost(ts, files), old)
    old = program
    const errors = program.getSemanticDiagnostics(program.getSourceFile(file))
    if (errors.length) throw new Error(ts.flattenDiagnosticMessageText(errors[0].messageText, '\n'))
    return program.getInstantiationCount()
  }
  const none = cost(['const v0 = torch.zeros'])
  return Object.fromEntries(Object.entries(FEATURES).map(([name, lines]) => [name, cost(lines) - none]))
}

if (process.argv[1]?.endsWith('features.mjs')) console.log(costs((await import('typescript')).default))
