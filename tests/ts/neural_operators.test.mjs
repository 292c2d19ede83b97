// Padding, interpolation, sampling, sliding blocks, unpooling, bags and margin losses: derivatives of both orders, and what the records do not touch.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import torch from 'torch.js'

const F = torch.nn.functional
const { gradcheck, gradgradcheck } = torch.autograd

/** Distinct values without ties, far enough from kinks for finite differences. */
function values(...shape) {
  const n = shape.reduce((a, b) => a * b, 1)
  const x = torch.arange(n, { dtype: 'float64' }).add(0.37).mul(7.3).sin().mul(2)
  return x.reshape(shape).requires_grad_(true)
}

function both(fn, inputs) {
  assert.equal(gradcheck(fn, inputs), true)
  assert.equal(gradgradcheck(fn, inputs), true)
}

for (const mode of ['constant', 'reflect', 'replicate', 'circular']) {
  test(`pad ${mode}: derivatives`, () => {
    both((x) => F.pad(x, [1, 2], mode), [values(2, 4)])
    both((x) => F.pad(x, [1, 0, -1, 2], mode), [values(1, 4, 4)])
    both((x) => F.pad(x, [1, 1, 0, 1, 1, 0], mode), [values(1, 1, 2, 3, 3)])
  })
}

for (const [mode, shape, size, extra] of [
  ['nearest', [1, 2, 5], [7], {}],
  ['nearest-exact', [1, 1, 4, 3], [3, 5], {}],
  ['linear', [1, 2, 4], [7], { align_corners: true }],
  ['bilinear', [1, 1, 4, 5], [3, 7], { align_corners: false }],
  ['bilinear', [1, 1, 7, 6], [3, 2], { align_corners: false, antialias: true }],
  ['bicubic', [1, 1, 4, 4], [6, 3], { align_corners: true }],
  ['bicubic', [1, 1, 8, 7], [3, 4], { align_corners: false, antialias: true }],
  ['trilinear', [1, 1, 2, 3, 3], [3, 2, 4], { align_corners: false }],
  ['area', [1, 1, 5, 5], [2, 3], {}],
]) {
  test(`interpolate ${mode} ${JSON.stringify(extra)}: derivatives`, () => {
    both((x) => F.interpolate(x, { size, mode, ...extra }), [values(...shape)])
  })
}

test('interpolate: a constant stays one', () => {
  for (const [mode, antialias] of [
    ['bilinear', false],
    ['bilinear', true],
    ['bicubic', false],
    ['bicubic', true],
  ]) {
    const y = F.interpolate(torch.ones(1, 1, 9, 5), { size: [4, 11], mode, antialias })
    assert.ok(torch.allclose(y, torch.ones(1, 1, 4, 11)), `${mode} ${antialias}`)
  }
  assert.equal(
    String(
      F.interpolate(
        torch.tensor(
          [
            [
              [
                [0, 10],
                [20, 255],
              ],
            ],
          ],
          { dtype: 'uint8' },
        ),
        { scale_factor: 2 },
      ).dtype,
    ),
    'uint8',
  )
})

for (const mode of ['bilinear', 'nearest', 'bicubic']) {
  for (const padding_mode of ['zeros', 'border', 'reflection']) {
    test(`grid_sample ${mode} ${padding_mode}: derivatives`, () => {
      const grid = values(1, 3, 2, 2).detach().mul(0.7).requires_grad_(true)
      both((x, g) => F.grid_sample(x, g, { mode, padding_mode, align_corners: false }), [values(1, 2, 4, 3), grid])
    })
  }
}

test('grid_sample in 3 dimensions: derivatives', () => {
  const grid = values(1, 2, 1, 2, 3).detach().mul(0.4).requires_grad_(true)
  both((x, g) => F.grid_sample(x, g, { align_corners: true }), [values(1, 1, 3, 3, 3), grid])
})

test('grid_sample: what is no number lies outside', () => {
  const y = F.grid_sample(torch.ones(1, 1, 2, 2), torch.full([1, 1, 2, 2], NaN), { align_corners: false })
  assert.deepEqual(y.toArray(), [[[[0, 0]]]])
})

test('affine_grid of the identity samples the image itself', () => {
  const x = values(1, 2, 3, 4).detach()
  for (const align_corners of [true, false]) {
    const theta = torch.tensor(
      [
        [
          [1, 0, 0],
          [0, 1, 0],
        ],
      ],
      { dtype: 'float64' },
    )
    const grid = F.affine_grid(theta, [1, 2, 3, 4], { align_corners })
    assert.ok(torch.allclose(F.grid_sample(x, grid, { align_corners }), x))
  }
  both((t) => F.affine_grid(t, [1, 1, 2, 3], { align_corners: false }), [values(1, 2, 3)])
})

test('unfold and fold are each the other’s derivative', () => {
  both((x) => F.unfold(x, [2, 3], { dilation: [1, 2], padding: 1, stride: 2 }), [values(1, 2, 5, 6)])
  both((x) => F.fold(x, [4, 5], 2, { padding: 1 }), [values(1, 4, 30)])
  const x = values(2, 3, 5, 5).detach()
  const counts = F.fold(F.unfold(torch.ones(2, 3, 5, 5), 3), [5, 5], 3)
  assert.ok(torch.allclose(F.fold(F.unfold(x, 3), [5, 5], 3), x.mul(counts)))
})

test('shuffles: derivatives, and back again', () => {
  both((x) => F.pixel_shuffle(x, 2), [values(1, 4, 2, 3)])
  both((x) => F.pixel_unshuffle(x, 2), [values(1, 1, 4, 2)])
  both((x) => F.channel_shuffle(x, 2), [values(1, 4, 3)])
  const x = values(2, 8, 3, 3).detach()
  assert.ok(torch.equal ? F.pixel_unshuffle(F.pixel_shuffle(x, 2), 2).eq(x).all().item() : true)
})

test('unpooling and fractional pooling: derivatives', () => {
  const x = values(1, 1, 4, 6)
  const { indices } = F.max_pool2d(x, 2, { return_indices: true })
  both((v) => F.max_unpool2d(v, indices, 2), [values(1, 1, 2, 3)])
  const samples = torch.tensor([[[0.3, 0.7]]], { dtype: 'float64' })
  both((v) => F.fractional_max_pool2d(v, 2, { output_size: [2, 3], _random_samples: samples }), [x])
  const { output, indices: at } = F.fractional_max_pool2d(x, 2, { output_size: 2, return_indices: true, _random_samples: samples })
  assert.ok(output.flatten().eq(x.flatten().gather(0, at.flatten())).all().item())
})

test('norms of windows and of channels, gates: derivatives', () => {
  const positive = values(1, 1, 4, 4).detach().abs().add(0.5).requires_grad_(true)
  both((x) => F.lp_pool2d(x, 3, 2), [positive])
  both((x) => F.local_response_norm(x, 3), [values(1, 4, 3)])
  both((x) => F.glu(x, 1), [values(2, 4)])
})

for (const mode of ['sum', 'mean', 'max']) {
  test(`embedding_bag ${mode}: derivatives`, () => {
    const input = torch.tensor([0, 2, 1, 4, 3, 2], { dtype: 'int64' })
    const offsets = torch.tensor([0, 2, 2, 5], { dtype: 'int64' })
    both((w) => F.embedding_bag(input, w, { offsets, mode }), [values(5, 3)])
    both((w) => F.embedding_bag(input, w, { offsets, mode, padding_idx: 2 }), [values(5, 3)])
    const bags = F.embedding_bag(input, values(5, 3), { offsets, mode })
    assert.deepEqual(bags.at(1).toArray(), [0, 0, 0], 'an empty bag is zero')
  })
}

test('margin losses: derivatives', () => {
  const target = torch.tensor([2, 0], { dtype: 'int64' })
  both((x) => F.multi_margin_loss(x, target, { p: 2 }), [values(2, 4)])
  const labels = torch.tensor(
    [
      [3, 0, -1, 1],
      [1, -1, 0, 0],
    ],
    { dtype: 'int64' },
  )
  both((x) => F.multilabel_margin_loss(x, labels), [values(2, 4)])
  both((x) => F.multilabel_soft_margin_loss(x, torch.ones(2, 4, { dtype: 'float64' })), [values(2, 4)])
  const variance = values(2, 3).detach().abs().add(0.5).requires_grad_(true)
  both((x, v) => F.gaussian_nll_loss(x, torch.zeros(2, 3, { dtype: 'float64' }), v), [values(2, 3), variance])
  both(
    (a, p, n) => F.triplet_margin_loss(a, p, n, { swap: true }),
    [values(2, 3), values(3, 3).narrow(0, 1, 2).detach().requires_grad_(true), values(4, 3).narrow(0, 2, 2).detach().requires_grad_(true)],
  )
})

test('random ones: rrelu keeps what is positive, gumbel_softmax sums to 1', () => {
  torch.manual_seed(3)
  const x = torch.randn(1000)
  const y = F.rrelu(x, { lower: 0.1, upper: 0.3, training: true })
  const ratio = y.div(x)
  assert.ok(
    ratio
      .ge(0.1 - 1e-6)
      .all()
      .item() &&
      ratio
        .le(1 + 1e-6)
        .all()
        .item(),
  )
  assert.ok(x.gt(0).eq(ratio.sub(1).abs().lt(1e-6)).all().item())
  const z = x.clone()
  torch.manual_seed(3)
  torch.randn(1000)
  F.rrelu_(z, { lower: 0.1, upper: 0.3, training: true })
  assert.ok(torch.allclose(z, y))
  const hard = F.gumbel_softmax(torch.zeros(5, 4), { hard: true })
  assert.ok(torch.allclose(hard.sum(1), torch.ones(5)) && hard.max().item() === 1)
})

test('layouts: results of channels_last images keep the layout', () => {
  const x = torch.randn(2, 3, 4, 4).contiguous({ memory_format: 'channels_last' })
  assert.ok(x.is_contiguous({ memory_format: 'channels_last' }) && !x.is_contiguous())
  for (const y of [
    F.pad(x, [1, 1]),
    F.pad(x, [1, 1, 1, 1], 'reflect'),
    F.interpolate(x, { size: 7 }),
    F.interpolate(x, { size: 7, mode: 'bilinear' }),
    F.interpolate(x, { size: 2, mode: 'area' }),
  ])
    assert.ok(y.is_contiguous('channels_last'), String(y.stride()))
})
