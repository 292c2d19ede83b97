// Kernels that choose their shape by the sizes of what they get: sizes on both sides of every choice, against the cpu.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import torch, { nn } from 'torch.js'

before(() => torch.webgpu.init())
const F = nn.functional
const launched = () => Object.keys(torch.webgpu.launches())

/** f of tensors on the cpu and on the device: results within `tolerance` of the largest number; 0: the same, NaN too. */
async function compare(name, f, inputs, tolerance = 0) {
  const list = (v) => (Array.isArray(v) ? v : [v])
  const want = list(f(...inputs.map((x) => x.clone())))
  const got = list(f(...inputs.map((x) => x.to('webgpu'))))
  for (let k = 0; k < want.length; k++) {
    const [a, b] = [want[k], await got[k].cpu()].map((t) => [t.shape.join(), t.to('float32').flatten().toArray()])
    assert.equal(b[0], a[0], name)
    const most = a[1].reduce((m, v) => Math.max(m, Math.abs(v)), 1e-9)
    a[1].forEach((v, i) =>
      assert.ok(Object.is(v, b[1][i]) || Math.abs(v - b[1][i]) <= tolerance * most, `${name}: ${b[1][i]} at ${i}, expected ${v}`),
    )
  }
}
const whole = (...shape) => torch.randint(-9, 9, shape).to('float32')

test('products: every layout, by blocks and by numbers, with edges', async () => {
  const sizes = [
    [64, 32, 64],
    [40, 20, 36],
    [33, 18, 50],
  ]
  const wide = [
    [20, 36, 260],
    [33, 45, 270],
  ]
  const subgroups = torch.webgpu.info().features.includes('subgroups')
  if (!subgroups) console.log('this adapter has no subgroups: their product is not tried')
  for (const tile of ['32x32', '16x16', ...(subgroups ? ['16x256g'] : [])]) {
    torch.webgpu.set_matmul_tile(tile)
    for (const [m, k, n] of tile === '16x256g' ? wide : sizes)
      for (const layout of tile === '16x256g' ? ['nn', 'tt'] : ['nn', 'nt', 'tn', 'tt']) {
        const matrix = (turned, r, c) => (turned ? whole(c, r) : whole(r, c))
        const [ta, tb] = [layout[0] === 't', layout[1] === 't']
        const f = (a, b, bias) => {
          const [x, y] = [ta ? a.t() : a, tb ? b.t() : b]
          return [x.matmul(y), torch.addmm(bias, x, y, { beta: 2, alpha: 0.5 })]
        }
        await compare(`${tile} ${m} ${k} ${n} ${layout}`, f, [matrix(ta, m, k), matrix(tb, k, n), whole(n)])
      }
  }
  torch.webgpu.set_matmul_tile(null)
  assert.throws(() => torch.webgpu.set_matmul_tile('3x3'), /there is no tile '3x3'/)
  await compare('in pieces of k', (a, b) => a.matmul(b), [whole(20, 5000), whole(5000, 24)])
  for (const [m, k, n] of [
    [1, 300, 100],
    [100, 128, 1],
    [1, 101, 66],
  ])
    for (const turned of [false, true]) {
      const f = (a, b, bias) => [a.matmul(turned ? b.t() : b), torch.addmm(bias, a, turned ? b.t() : b)]
      await compare(`a line ${m} ${k} ${n} ${turned}`, f, [whole(m, k), turned ? whole(n, k) : whole(k, n), whole(n)])
      await compare(`turned lines ${m} ${k} ${n}`, (a, b) => a.t().matmul(b), [whole(k, m), whole(k, n)])
    }
  assert.ok(launched().some((name) => name.startsWith('gemm row')) && launched().some((name) => name.startsWith('gemm column')))
  await compare('of integers', (a, b) => a.matmul(b), [whole(130, 100).to('int32'), whole(100, 132).to('int32')])
  assert.ok(launched().some((name) => name.startsWith('reduce 0-f')))
})

test('pointwise operators by four and one by one', async () => {
  for (const n of [4096, 4099])
    for (const offset of [0, 1, 4])
      for (const dtype of ['float32', 'float16', 'int32', 'uint8'])
        await compare(
          `${n} ${offset} ${dtype}`,
          (x, y) => {
            const [a, b] = [x.narrow(0, offset, n), y.narrow(0, offset, n)]
            const z = a.add(b).mul(2).sub(a)
            b.copy_(z)
            return [z.gt(3), y]
          },
          [torch.randint(0, 9, [n + 8]).to(dtype), torch.randint(0, 9, [n + 8]).to(dtype)],
        )
  await compare('rows', (x, y) => x.add(y), [whole(64, 128), whole(128)])
  await compare('columns', (x, y) => x.mul(y), [whole(64, 128), whole(64, 1)])
  await compare('across', (x, y) => x.mul(y.t()), [whole(64, 128), whole(128, 64)])
  await compare('across, with edges', (x, y, z) => x.addcmul(y.t(), z.t(), { value: 2 }), [whole(70, 45), whole(45, 70), whole(45, 70)])
  await compare('across, by four', (x, y, z) => x.addcmul(y.t(), z, { value: 2 }), [whole(64, 48), whole(48, 64), whole(1, 48)])
  await compare('across in a batch', (x, y) => [x.sub(y.transpose(1, 2)), x.transpose(1, 2).add(y, { alpha: 3 })], [
    whole(3, 33, 20),
    whole(3, 20, 33),
  ])
  await compare('across, of numbers', (x, y) => torch.where(x.gt(0), y.t(), 7), [whole(40, 50), whole(50, 40)])
  await compare('a part in place', (x, y) => x.narrow(1, 4, 64).add_(y), [whole(100, 128), whole(64)])
})

test('copies between orders', async () => {
  await compare('turned', (x) => x.t().contiguous(), [whole(70, 33)])
  await compare('heads', (x) => x.permute(0, 2, 1, 3).contiguous(), [whole(2, 20, 16, 12)])
  await compare('channels last', (x) => x.permute(0, 3, 1, 2).contiguous(), [whole(2, 6, 6, 20)])
  await compare('turned, to int32', (x) => x.permute(2, 0, 1).to('int32'), [whole(20, 5, 36)])
  assert.ok(launched().some((name) => name.includes('turned')))
})

test('sums by rows and columns', async () => {
  for (const [a, b] of [
    [100, 70],
    [300, 36],
    [3, 1000],
    [5000, 20],
  ])
    for (const dim of [0, 1]) await compare(`${a} ${b} ${dim}`, (x) => [x.sum(dim), x.amax(dim), x.var(dim)], [whole(a, b)], 1e-5)
  await compare('of the middle', (x) => x.sum(1), [whole(4, 100, 36)])
  await compare('of all', (x) => x.sum(), [whole(70000)])
})

test('softmax and normalisation in registers and without', async () => {
  const withGradient =
    (f) =>
    (x, u, ...rest) => {
      const leaves = [x, ...rest].map((t) => t.detach().requires_grad_())
      const y = f(...leaves)
      y.mul(u).sum().backward()
      return [y.detach(), ...leaves.map((t) => t.grad)]
    }
  for (const n of [20, 36, 130, 1100]) {
    const [x, u] = [torch.randn(3, n), torch.randn(3, n)]
    await compare(
      `softmax ${n}`,
      withGradient((t) => t.softmax(1)),
      [x, u],
      1e-5,
    )
    await compare(
      `log_softmax ${n}`,
      withGradient((t) => F.log_softmax(t, 1)),
      [x, u],
      1e-5,
    )
    await compare(
      `layer_norm ${n}`,
      withGradient((t, w, b) => F.layer_norm(t, [n], w, b)),
      [x, u, torch.randn(n), torch.randn(n)],
      1e-5,
    )
  }
  for (const n of [36, 5])
    await compare(
      `group_norm ${n}`,
      withGradient((t, w, b) => F.group_norm(t, 2, w, b)),
      [torch.randn(3, 4, n), torch.randn(3, 4, n), torch.randn(4), torch.randn(4)],
      1e-5,
    )
})

test('sorting in blocks and by merging, stable, with NaN', async () => {
  for (const [shape, dim] of [
    [[3, 100], 1],
    [[2, 300, 2], 1],
    [[5000], 0],
  ])
    for (const kind of ['numbers', 'nan', 'int32']) {
      let x = torch.randint(-20, 20, shape)
      x = kind === 'int32' ? x.to('int32') : x.to('float32')
      if (kind === 'nan') x = x.masked_fill(torch.rand(...shape).lt(0.1), NaN)
      const parts = (r) => [r[0] ?? r.values, r[1] ?? r.indices]
      for (const descending of [false, true])
        await compare(`${shape} ${kind}`, (t) => parts(torch.sort(t, { dim, descending, stable: true })), [x])
      await compare(`${shape} ${kind} ranks`, (t) => [...parts(t.median(dim)), ...parts(t.nanmedian(dim)), parts(t.kthvalue(3, dim))[0]], [
        x,
      ])
      await compare(`${shape} ${kind} topk`, (t) => parts(t.topk(4, dim))[0], [x])
    }
  assert.ok(launched().includes('sort merge'))
})

test('many writes to one place are made in their order', async () => {
  for (const [n, places] of [
    [100, 7],
    [1000, 30],
    [3000, 3000],
  ]) {
    const index = torch.randint(0, places, [n]),
      values = whole(n)
    await compare(`scatter_add ${n}`, (x, i, v) => x.scatter_add(0, i, v), [whole(places), index, values])
    await compare(`scatter_reduce ${n}`, (x, i, v) => x.scatter_reduce(0, i, v, 'amax'), [whole(places), index, values])
    await compare(`scatter ${n}`, (x, i, v) => x.scatter(0, i, v), [whole(places), index, values])
    await compare(`index_add ${n}`, (x, i, v) => x.index_add(0, i, v), [whole(places), index, values])
    await compare(`index_add ${n} of one`, (x, i, v) => x.index_add(1, i, v.expand(3, n)), [whole(3, places), index, whole(3, 1)])
  }
  await compare(
    'largest of overlapping windows, backward',
    (x) => {
      const leaf = x.detach().requires_grad_()
      F.max_pool2d(leaf, 3, 1, 1).square().sum().backward()
      return leaf.grad
    },
    [whole(2, 2, 20, 20)],
  )
})

test('attention in tiles', async () => {
  for (const [rows, columns, width, valueWidth] of [
    [70, 70, 8, 8],
    [20, 40, 12, 8],
    [5, 9, 8, 8],
  ])
    for (const mode of ['', 'causal', 'mask']) {
      if (mode === 'causal' && rows !== columns) continue
      const inputs = [torch.randn(2, rows, width), torch.randn(2, columns, width), torch.randn(2, columns, valueWidth)]
      await compare(
        `${rows} ${columns} ${mode}`,
        (q, k, v, mask, u) => {
          const leaves = [q, k, v].map((t) => t.unsqueeze(0).detach().requires_grad_())
          const y = F.scaled_dot_product_attention(...leaves, { is_causal: mode === 'causal', attn_mask: mode === 'mask' ? mask : null })
          y.mul(u).sum().backward()
          return [y.detach(), ...leaves.map((t) => t.grad)]
        },
        [...inputs, torch.randn(rows, columns), torch.randn(rows, valueWidth)],
        2e-5,
      )
    }
})

test('convolution by blocks', async () => {
  const tiles = ['32x32', ...(torch.webgpu.info().features.includes('subgroups') ? ['16x256g'] : [])]
  for (const tile of tiles)
    for (const [x, w, options] of [
      [[2, 8, 8, 8], [32, 8, 3, 3], { padding: 1 }],
      [[2, 4, 9, 9], [32, 2, 3, 2], { padding: 1, stride: 2, groups: 2 }],
      [[3, 32, 10, 10], [16, 32, 3, 3], {}],
      [[2, 12, 40], [32, 12, 5], { padding: 4, dilation: 2 }],
      [[2, 4, 6, 7, 8], [32, 4, 3, 2, 3], { padding: [1, 0, 1], stride: [2, 1, 1] }],
      [[40, 1, 8, 8], [16, 1, 3, 3], { padding: 1 }],
    ]) {
      torch.webgpu.set_matmul_tile(tile)
      await compare(
        `${tile} ${x} ${w}`,
        (input, weight) => {
          const leaves = [input, weight].map((t) => t.detach().requires_grad_())
          const y = [F.conv1d, F.conv2d, F.conv3d][x.length - 3](...leaves, options)
          y.square().sum().backward()
          return [y.detach(), ...leaves.map((t) => t.grad)]
        },
        [torch.randn(...x), torch.randn(...w)],
        1e-5,
      )
    }
  torch.webgpu.set_matmul_tile(null)
})
