// NaN, infinities, zeros of both signs, division by zero and overflow: whatever a compiler of shaders is allowed to assume, the results are the cpu's.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import torch, { nn } from 'torch.js'

const F = nn.functional
before(() => torch.webgpu.init())

const S = [NaN, Infinity, -Infinity, 0, -0, 1, -1, 0.5, -2.5, 3.4028234663852886e38, -3.4028234663852886e38, 1e-18]
const pairs = S.flatMap((a) => S.map((b) => [a, b]))
const words = (text) => text.trim().split(/\s+/)

const listed = (x) =>
  x instanceof torch.Tensor ? [x] : x && typeof x === 'object' ? (Symbol.iterator in x ? [...x] : Object.values(x)).flatMap(listed) : []
const numbers = async (t) => (await t.detach().cpu()).to('float64').reshape(-1).toArray()
const agrees = (got, want, rtol, atol) =>
  got === want || (Number.isNaN(got) && Number.isNaN(want)) || Math.abs(got - want) <= rtol * Math.abs(want) + atol
const text = (v) => (Object.is(v, -0) ? '-0' : String(v))

test('pointwise operators, a few elements and many', async () => {
  const a = torch.tensor(pairs.map((p) => p[0])),
    b = torch.tensor(pairs.map((p) => p[1]))
  const functions = new Map()
  for (const f of words(`abs acos acosh asin asinh atan atanh ceil cos cosh deg2rad digamma erf erfc erfinv exp exp2 expm1 floor frac isfinite isinf isnan
    isneginf isposinf lgamma log log10 log1p log2 logical_not logit nan_to_num neg reciprocal round rsqrt sigmoid sign sgn signbit sin sinc sinh sqrt
    square tan tanh trunc i0`))
    functions.set(f, (x) => torch[f](x))
  for (const f of words(`relu relu6 elu celu selu gelu silu mish hardswish hardsigmoid hardtanh softplus softsign softshrink hardshrink tanhshrink
    logsigmoid leaky_relu`))
    functions.set(`functional.${f}`, (x) => F[f](x))
  for (const f of words(`add sub mul div fmod remainder floor_divide maximum minimum fmax fmin atan2 hypot copysign nextafter pow logaddexp logaddexp2 eq
    ne lt le gt ge logical_and logical_or logical_xor xlogy heaviside isclose`))
    functions.set(f, (x, y) => torch[f](x, y))
  for (const s of [0, NaN, Infinity, -1])
    for (const f of words('add sub mul div fmod remainder pow eq ne lt ge xlogy')) functions.set(`${f} ${s}`, (x) => torch[f](x, s))
  for (const dtype of words('bool int32 uint8 int8 int16 float16 bfloat16')) functions.set(`to ${dtype}`, (x) => x.to(dtype))
  const more = {
    clamp: (x) => x.clamp(-1, 1),
    'clamp to NaN': (x) => x.clamp(NaN, 1),
    'clamp, turned round': (x) => x.clamp(2, -1),
    'clamp by tensors': (x, y) => torch.clamp(x, { min: y }),
    'nan_to_num, three numbers': (x) => torch.nan_to_num(x, 1, 2, 3),
    where: (x, y) => torch.where(x.gt(y), x, y),
    lerp: (x, y) => torch.lerp(x, y, 0.5),
    addcmul: (x, y) => torch.addcmul(x, x, y),
    addcdiv: (x, y) => torch.addcdiv(x, x, y),
    'div floor': (x, y) => torch.div(x, y, { rounding_mode: 'floor' }),
    'div trunc': (x, y) => torch.div(x, y, { rounding_mode: 'trunc' }),
    threshold: (x) => F.threshold(x, 0.1, 7),
    mse_loss: (x, y) => F.mse_loss(x, y, { reduction: 'none' }),
    smooth_l1_loss: (x, y) => F.smooth_l1_loss(x, y, { reduction: 'none' }),
    // What algebra would simplify, and floats must not.
    '(x * y) / y': (x, y) => x.mul(y).div(y),
    '(x * x) / x': (x) => x.mul(x).div(x),
    '(x + y) - y': (x, y) => x.add(y).sub(y),
    'x - x': (x) => x.sub(x),
    'x / x': (x) => x.div(x),
    'x == x': (x) => x.eq(x),
    '0 * x': (x) => torch.zeros_like(x).mul(x),
    'x * y - x * y': (x, y) => x.mul(y).sub(x.mul(y)),
  }
  for (const [name, f] of Object.entries(more)) functions.set(name, f)
  const wrong = []
  for (const [name, f] of functions) {
    const want = await numbers(f(a, b))
    for (const times of [1, 30]) {
      const result = f(a.to('webgpu').repeat(times), b.to('webgpu').repeat(times))
      assert.equal(result.dtype, f(a, b).dtype, name)
      const got = await numbers(result)
      // Denormal results may be zero; these may be the little that is left of their arguments.
      const least = name.startsWith('logaddexp') ? 1e-6 : 1.2e-38
      const at = want.findIndex((w, i) => !agrees(got[i], w, 1e-5, least))
      if (at >= 0)
        wrong.push(`${name}(${pairs[at].map(text)}), ${times * pairs.length} elements: ${text(got[at])}, on the cpu ${text(want[at])}`)
    }
  }
  assert.deepEqual(wrong, [])
})

test('sines of numbers of every size', async () => {
  const x = torch.tensor(Array.from({ length: 400 }, (_, i) => (i % 2 ? -1 : 1) * 1.37 ** i * 1e-10).filter((v) => Math.abs(v) < 3e38))
  for (const f of ['sin', 'cos', 'tan']) {
    const want = x.to('float64')[f]().toArray()
    const got = await x.to('webgpu')[f]().toArray()
    want.forEach((w, i) => assert.ok(agrees(got[i], w, 2e-6, 1e-12), `${f}(${x.at(i).item()}): ${got[i]}, expected ${w}`))
  }
})

const rows = [
  [NaN, Infinity, -Infinity, 0, -0, 1, 2, -3],
  [1, 2, NaN, 4, 5, -1, NaN, 0],
  [Infinity, 1, 1, 1, 2, 3, 4, 5],
  [-Infinity, 1, 1, 1, 2, 3, 4, 5],
  [Infinity, -Infinity, 1, 2, 3, 4, 5, 6],
  Array(8).fill(-Infinity),
  [1, 2, 3, 4, 5, 6, 7, 8],
  [0, -0, 0, -0, 0, -0, 0, 0],
]

test('reductions, orders, products, losses and layers, and their gradients', async () => {
  const ones = (t, ...sizes) => torch.ones(...sizes, { device: t.device })
  const from = (t, v) => torch.tensor(v, { device: t.device })
  const classes = (t) => from(t, [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n])
  const chosen = (t) => t.isnan().to('int64')
  const functions = {}
  for (const f of words(`sum mean prod amax amin max min argmax argmin median nanmedian mode std var logsumexp nansum any all count_nonzero softmax
    log_softmax cumsum cumprod cummax cummin logcumsumexp sort argsort`))
    functions[f] = (t) => t[f](1)
  for (const f of words('sum prod max min argmax argmin median nanmedian std nansum nanmean')) functions[`${f} of all`] = (t) => t[f]()
  for (const p of [0, 1, 3, Infinity, -Infinity]) functions[`vector_norm ${p}`] = (t) => torch.linalg.vector_norm(t, p, 1)
  Object.assign(functions, {
    topk: (t) => t.topk(3, 1),
    'topk, smallest': (t) => t.topk(3, 1, false),
    'sort, descending': (t) => t.sort(1, true),
    quantile: (t) => t.quantile(0.5, 1),
    searchsorted: (t) => torch.searchsorted(from(t, [1, 2, 3, NaN]), t),
    bucketize: (t) => torch.bucketize(t, from(t, [0, 1, 2])),
    mm: (t) => t.mm(t),
    'mm with zeros': (t) => t.mm(torch.zeros(8, 8, { device: t.device })),
    'addmm, beta 0': (t) => torch.addmm(t, ones(t, 8, 8), ones(t, 8, 8), { beta: 0 }),
    'addmm, alpha 0': (t) => torch.addmm(ones(t, 8, 8), t, t, { alpha: 0 }),
    cdist: (t) => torch.cdist(t, t),
    conv1d: (t) => F.conv1d(t.unsqueeze(0), ones(t, 2, 8, 3)),
    max_pool1d: (t) => F.max_pool1d(t.unsqueeze(0), 2),
    avg_pool1d: (t) => F.avg_pool1d(t.unsqueeze(0), 2),
    layer_norm: (t) => F.layer_norm(t, [8]),
    cross_entropy: (t) => F.cross_entropy(t, classes(t), { reduction: 'none' }),
    kl_div: (t) => F.kl_div(t, t, { reduction: 'none' }),
    binary_cross_entropy_with_logits: (t) => F.binary_cross_entropy_with_logits(t, t.flip(0), { reduction: 'none' }),
    attention: (t) => F.scaled_dot_product_attention(t.view(1, 1, 8, 8), t.view(1, 1, 8, 8), t.view(1, 1, 8, 8)),
    'attention to nothing': (t) =>
      F.scaled_dot_product_attention(ones(t, 1, 1, 8, 8), ones(t, 1, 1, 8, 8), ones(t, 1, 1, 8, 8), {
        attn_mask: torch.full([8, 8], -Infinity, { device: t.device }),
      }),
    scatter_add: (t) => torch.zeros(8, 8, { device: t.device }).scatter_add(1, chosen(t), t),
    'scatter_reduce amax': (t) => ones(t, 8, 8).scatter_reduce(1, chosen(t), t, 'amax'),
    logaddexp: (t) => torch.logaddexp(t, t.flip(0)),
    interpolate: (t) => F.interpolate(t.view(1, 1, 8, 8), { scale_factor: 2, mode: 'bilinear' }),
    masked_fill: (t) => t.masked_fill(t.isnan(), 0),
    dist: (t) => torch.dist(t, t),
  })
  const wrong = []
  for (const [name, f] of Object.entries(functions))
    for (const backward of [false, true]) {
      const results = []
      for (const device of ['cpu', 'webgpu']) {
        const x = torch.tensor(rows, { device, requires_grad: backward })
        let outputs = listed(f(x))
        if (backward) {
          outputs = outputs.filter((t) => t.requires_grad)
          if (outputs.length) outputs = torch.autograd.grad(outputs, [x], { grad_outputs: outputs.map((t) => torch.ones_like(t)) })
        }
        results.push((await Promise.all(outputs.map(numbers))).flat())
      }
      const [want, got] = results
      const at = want.findIndex((w, i) => !agrees(got[i], w, 1e-4, 1e-5))
      if (at >= 0 || got.length !== want.length)
        wrong.push(
          `${name}${backward ? ', its gradient' : ''}: element ${at} of ${got.length} is ${text(got[at])}, on the cpu ${text(want[at])}`,
        )
    }
  assert.deepEqual(wrong, [])
})

test('integers: division by zero is 0, and what wraps, wraps', async () => {
  const x = torch.tensor([5, -5, 2147483647, -2147483648], { dtype: 'int32', device: 'webgpu' })
  const zero = torch.zeros(4, { dtype: 'int32', device: 'webgpu' })
  assert.deepEqual(await torch.div(x, zero, { rounding_mode: 'floor' }).toArray(), [0, 0, 0, 0])
  assert.deepEqual(await x.div(zero).toArray(), [Infinity, -Infinity, Infinity, -Infinity])
  assert.deepEqual(await x.add(1).toArray(), [6, -4, -2147483648, -2147483647])
  assert.deepEqual(await x.mul(2).toArray(), [10, -10, -2, 0])
})
