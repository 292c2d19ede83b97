// scaled_dot_product_attention against its definition: values, gradients and gradients of gradients, over shapes that are no multiple of a block.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import torch from 'torch.js'

const F = torch.nn.functional

function definition(q, k, v, mask, causal, scale) {
  let scores = torch.matmul(q, k.transpose(-2, -1)).mul(scale ?? 1 / Math.sqrt(q.shape[q.ndim - 1]))
  if (causal) mask = torch.ones([q.shape[q.ndim - 2], k.shape[k.ndim - 2]], { dtype: torch.bool }).tril()
  if (mask && mask.dtype === torch.bool) scores = scores.masked_fill(mask.logical_not(), -Infinity)
  else if (mask) scores = scores.add(mask)
  return torch.matmul(scores.softmax(-1), v)
}

const close = (a, b, tolerance, what) => {
  const difference = a.sub(b).abs().max().item()
  assert.ok(difference <= tolerance, `${what}: ${difference}`)
}

const cases = [
  { name: 'plain', q: [2, 3, 70, 20], k: [2, 3, 150, 20], v: [2, 3, 150, 24] },
  { name: 'causal', q: [2, 2, 161, 33], k: [2, 2, 161, 33], v: [2, 2, 161, 7], causal: true },
  { name: 'two dimensions, scale', q: [5, 4], k: [9, 4], v: [9, 3], scale: -0.3 },
  { name: 'bool mask', q: [2, 2, 33, 8], k: [2, 2, 140, 8], v: [2, 2, 140, 8], mask: 'bool' },
  { name: 'float mask', q: [2, 2, 33, 8], k: [2, 2, 140, 8], v: [2, 2, 140, 8], mask: 'float' },
]
for (const dtype of ['float32', 'float64'])
  for (const c of cases)
    test(`attention: ${c.name}, ${dtype}`, () => {
      torch.manual_seed(3)
      const options = { dtype: torch[dtype] },
        tolerance = dtype === 'float32' ? 2e-4 : 1e-10
      const make = (shape) => torch.randn(shape, options).requires_grad_()
      const inputs = [make(c.q), make(c.k), make(c.v)]
      const sizes = [1, c.q[1], c.q.at(-2), c.k.at(-2)]
      const mask =
        c.mask === 'bool'
          ? torch
              .rand(sizes)
              .gt(0.3)
              .logical_or(torch.zeros(sizes).cumsum(-1).eq(0).logical_and(torch.ones(sizes).cumsum(-1).eq(1)))
          : c.mask === 'float'
            ? torch.randn([c.q.at(-2), c.k.at(-2)], options)
            : undefined
      const run = (f) => {
        const out = f(...inputs)
        torch.manual_seed(4)
        const weight = torch.randn(out.shape, options),
          second = inputs.map((x) => torch.randn(x.shape, options))
        const first = torch.autograd.grad([out.mul(weight).sum()], inputs, { create_graph: true })
        const sum = first.map((g, i) => g.mul(second[i]).sum()).reduce((a, b) => a.add(b))
        return [out, ...first, ...torch.autograd.grad([sum], inputs)]
      }
      const ours = run((q, k, v) => F.scaled_dot_product_attention(q, k, v, { attn_mask: mask, is_causal: !!c.causal, scale: c.scale }))
      const theirs = run((q, k, v) => definition(q, k, v, mask, c.causal, c.scale))
      for (const [i, name] of ['result', 'query', 'key', 'value', 'query twice', 'key twice', 'value twice'].entries())
        close(ours[i], theirs[i], tolerance * Math.max(1, theirs[i].abs().max().item()), name)
      const without = torch.no_grad(() =>
        F.scaled_dot_product_attention(...inputs, { attn_mask: mask, is_causal: !!c.causal, scale: c.scale }),
      )
      close(without, ours[0], 0, 'without a graph')
    })

test('attention: shared heads, threads', () => {
  torch.manual_seed(5)
  const q = torch.randn([2, 6, 50, 16]).requires_grad_(),
    k = torch.randn([2, 2, 60, 16]).requires_grad_(),
    v = torch.randn([2, 2, 60, 16]).requires_grad_()
  const wide = (t) => t.unsqueeze(2).expand([2, 2, 3, 60, 16]).reshape([2, 6, 60, 16])
  const run = (f) => {
    const out = f()
    return [out, ...torch.autograd.grad([out.square().sum()], [q, k, v])]
  }
  const shared = () => run(() => F.scaled_dot_product_attention(q, k, v, { enable_gqa: true }))
  const ours = shared(),
    theirs = run(() => definition(q, wide(k), wide(v)))
  for (let i = 0; i < 4; i++) close(ours[i], theirs[i], 2e-5, `${i}`)
  const threads = torch.get_num_threads()
  torch.set_num_threads(3)
  const again = shared()
  torch.set_num_threads(threads)
  for (let i = 0; i < 4; i++) close(ours[i], again[i], 0, 'threads')
})

test('attention: rows that see nothing, NaN', () => {
  const q = torch.ones([1, 3, 4]),
    k = torch.ones([1, 5, 4]),
    mask = torch.ones([3, 5], { dtype: torch.bool })
  mask.select(0, 1).fill_(false)
  const y = F.scaled_dot_product_attention(q, k, k, { attn_mask: mask })
  assert.deepEqual(y.select(1, 1).abs().sum().item(), 0)
  q.fill_(NaN)
  assert.ok(Number.isNaN(F.scaled_dot_product_attention(q, k, k).sum().item()))
})
