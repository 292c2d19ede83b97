#!/usr/bin/env node
// torch.js beside TensorFlow.js and jax-js, all on WebGPU, in one process on the same GPU, in turn.
//   node bench/webgpu/peers.mjs [--libraries FILE] [--only REGEX] [--quick] [--json FILE]
//     --libraries   the bundle of the others (make bench-webgpu-peers), build/bench/webgpu_peers.mjs
// A time is the median of repetitions: `inner` calls, and the wait for the GPU's end; before each the same once more, untimed, so that it does not matter
// what the library before it left the GPU at. The last line is the geometric mean of how many times as long the
// faster of the two takes.
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { create, globals } from 'webgpu'
import { numbers, size } from '../numbers.mjs'

const { values: options } = parseArgs({
  options: {
    libraries: { type: 'string', default: 'build/bench/webgpu_peers.mjs' },
    only: { type: 'string', default: '' },
    quick: { type: 'boolean' },
    json: { type: 'string' },
  },
})
const quick = options.quick
// A browser, as far as these libraries look.
Object.assign(globalThis, globals)
const gpu = create([])
Object.defineProperty(globalThis, 'navigator', {
  value: { gpu, userAgent: 'Node', hardwareConcurrency: 4, language: 'en' },
  configurable: true,
  writable: true,
})
const { default: torch } = await import('torch.js')
const { nn } = torch
const F = nn.functional
globalThis.window = globalThis
globalThis.document = { createElement: () => ({ getContext: () => null }) }
const { tf, jax } = await import(pathToFileURL(resolve(options.libraries)).href)
const { numpy: np, nn: jnn, lax } = jax

// Of each library: what starts it, and what makes of a function on inputs of these shapes one that is called and one that waits.
const libraries = {
  torch: {
    async load() {
      await torch.webgpu.init({ gpu, powerPreference: 'high-performance' })
    },
    simple(f, shapes) {
      const inputs = shapes.map((s) =>
        torch
          .tensor(numbers(size(s)))
          .view(...s)
          .to('webgpu'),
      )
      const kept = []
      return {
        call: () => kept.push(torch.scope(() => f(...inputs))), // what nobody keeps need not be computed
        async wait() {
          await torch.webgpu.sync_device()
          for (const t of kept.splice(0)) t.dispose()
        },
      }
    },
  },
  tfjs: {
    async load() {
      if (!(await tf.setBackend('webgpu'))) throw new Error('its backend webgpu does not start here')
      await tf.ready()
    },
    async wait() {
      tf.backend().endComputePassEncoder()
      tf.backend().submitQueue()
      await tf.backend().device.queue.onSubmittedWorkDone()
    },
    simple(f, shapes) {
      const inputs = shapes.map((s) => tf.tensor(numbers(size(s)), s))
      const kept = []
      return {
        call: () => kept.push(tf.tidy(() => f(...inputs))),
        async wait() {
          await libraries.tfjs.wait()
          for (const t of kept.splice(0)) t.dispose()
        },
      }
    },
  },
  jax: {
    async load() {
      const has = await jax.init('webgpu')
      if (!has.includes('webgpu')) throw new Error('its backend webgpu does not start here')
      jax.defaultDevice('webgpu')
    },
    simple(f, shapes) {
      const inputs = shapes.map((s) => np.array(numbers(size(s))).reshape(s))
      const compiled = jax.jit(f)
      const kept = []
      return {
        call: () => kept.push(compiled(...inputs.map((x) => x.ref))),
        async wait() {
          const results = kept.splice(0)
          for (const y of results) await y.blockUntilReady()
          for (const y of results) y.dispose()
        },
      }
    },
  },
}

const cases = new Map()
function simple(name, inner, shapes, ours, tfjs, jaxjs) {
  cases.set(name, {
    inner,
    torch: () => libraries.torch.simple(ours, shapes),
    tfjs: () => libraries.tfjs.simple(tfjs, shapes),
    jax: () => libraries.jax.simple(jaxjs, shapes),
  })
}
for (const n of quick ? [64] : [512, 1024, 2048, 4096]) {
  const square = [n, n]
  simple(
    `matmul ${n}`,
    n > 2000 ? 2 : 8,
    [square, square],
    (a, b) => a.matmul(b),
    (a, b) => tf.matMul(a, b),
    (a, b) => np.matmul(a, b),
  )
}
const side = quick ? 64 : 4096
const matrix = [side, side]
const inner = 8
simple(
  `add ${side} x ${side}`,
  inner,
  [matrix, matrix],
  (x, y) => x.add(y),
  (x, y) => tf.add(x, y),
  (x, y) => x.add(y),
)
simple(
  `exp ${side} x ${side}`,
  inner,
  [matrix],
  (x) => x.exp(),
  (x) => tf.exp(x),
  (x) => np.exp(x),
)
simple(
  'chain of 6 pointwise operators',
  4,
  [matrix, matrix],
  (x, y) => x.mul(2).add(1).sigmoid().mul(x).sub(y).relu(),
  (x, y) => tf.relu(tf.sub(tf.mul(tf.sigmoid(tf.add(tf.mul(x, 2), 1)), x), y)),
  (x, y) => jnn.relu(jnn.sigmoid(x.ref.mul(2).add(1)).mul(x).sub(y)),
)
simple(
  `softmax ${side} x ${side}`,
  inner,
  [matrix],
  (x) => x.softmax(1),
  (x) => tf.softmax(x, 1),
  (x) => jnn.softmax(x, 1),
)
simple(
  `layer norm ${side} x ${side}`,
  inner,
  [matrix],
  (x) => F.layer_norm(x, [side]),
  (x) => {
    const { mean, variance } = tf.moments(x, 1, true)
    return tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-5)))
  },
  (x) => jnn.standardize(x, 1),
)
simple(
  `sum of all ${side} x ${side}`,
  inner,
  [matrix],
  (x) => x.sum(),
  (x) => tf.sum(x),
  (x) => np.sum(x),
)
simple(
  `sum of columns ${side} x ${side}`,
  inner,
  [matrix],
  (x) => x.sum(0),
  (x) => tf.sum(x, 0),
  (x) => np.sum(x, 0),
)
simple(
  `transposed sum ${side} x ${side}`,
  inner,
  [matrix, matrix],
  (x, y) => x.t().add(y),
  (x, y) => tf.add(tf.transpose(x), y),
  (x, y) => np.transpose(x).add(y),
)
// TensorFlow.js has channels last, and its filters too: the same sizes in its order.
{
  const [batch, channels, image, out] = quick ? [1, 4, 8, 4] : [16, 64, 56, 64]
  cases.set(`conv2d 3x3 ${batch}x${channels}x${image}x${image}`, {
    inner: 4,
    torch: () =>
      libraries.torch.simple(
        (x, w) => F.conv2d(x, w, { padding: 1 }),
        [
          [batch, channels, image, image],
          [out, channels, 3, 3],
        ],
      ),
    tfjs: () =>
      libraries.tfjs.simple(
        (x, w) => tf.conv2d(x, w, 1, 1),
        [
          [batch, image, image, channels],
          [3, 3, channels, out],
        ],
      ),
    jax: () =>
      libraries.jax.simple(
        (x, w) =>
          lax.convGeneralDilated(
            x,
            w,
            [1, 1],
            [
              [1, 1],
              [1, 1],
            ],
          ),
        [
          [batch, channels, image, image],
          [out, channels, 3, 3],
        ],
      ),
  })
}
// A step of stochastic gradient descent: forward, backward, update.
{
  const [batch, features, width, classes] = quick ? [8, 32, 16, 10] : [256, 784, 1024, 10]
  const shapes = [[features, width], [width], [width, width], [width], [width, classes], [classes]]
  const labels = Array.from({ length: batch }, (_, i) => i % classes)
  cases.set(`train step, mlp ${features}-${width}-${width}-${classes}, batch ${batch}`, {
    inner: 1,
    torch() {
      const model = new nn.Sequential(
        new nn.Linear(features, width),
        new nn.ReLU(),
        new nn.Linear(width, width),
        new nn.ReLU(),
        new nn.Linear(width, classes),
      )
      model.to('webgpu')
      const optimizer = new torch.optim.SGD(model.parameters(), { lr: 0.01 })
      const x = torch
        .tensor(numbers(batch * features))
        .view(batch, features)
        .to('webgpu')
      const y = torch.tensor(labels, { dtype: 'int64' }).to('webgpu')
      return {
        call: () =>
          torch.scope(() => {
            optimizer.zero_grad()
            F.cross_entropy(model.forward(x), y).backward()
            optimizer.step()
          }),
        wait: () => torch.webgpu.sync_device(),
      }
    },
    tfjs() {
      const weights = shapes.map((s) => tf.variable(tf.tensor(numbers(size(s)), s).mul(0.1)))
      const optimizer = tf.train.sgd(0.01)
      const x = tf.tensor(numbers(batch * features), [batch, features]),
        y = tf.oneHot(tf.tensor1d(labels, 'int32'), classes).toFloat()
      return {
        call() {
          const [w1, b1, w2, b2, w3, b3] = weights
          optimizer.minimize(
            () => {
              const h = tf.relu(tf.add(tf.matMul(tf.relu(tf.add(tf.matMul(x, w1), b1)), w2), b2))
              return tf.losses.softmaxCrossEntropy(y, tf.add(tf.matMul(h, w3), b3))
            },
            false,
            weights,
          )
        },
        wait: libraries.tfjs.wait,
      }
    },
    jax() {
      let weights = shapes.map((s) =>
        np
          .array(numbers(size(s)))
          .reshape(s)
          .mul(0.1),
      )
      const x = np.array(numbers(batch * features)).reshape([batch, features]),
        y = jnn.oneHot(np.array(labels, { dtype: np.int32 }), classes)
      const loss = ([w1, b1, w2, b2, w3, b3], x, y) => {
        const h = jnn.relu(np.matmul(jnn.relu(np.matmul(x, w1).add(b1)), w2).add(b2))
        return jnn
          .logSoftmax(np.matmul(h, w3).add(b3), -1)
          .mul(y)
          .sum()
          .mul(-1 / batch)
      }
      const step = jax.jit((weights, x, y) => {
        const [value, grads] = jax.valueAndGrad(loss)(
          weights.map((w) => w.ref),
          x,
          y,
        )
        return [value, weights.map((w, i) => w.sub(grads[i].mul(0.01)))]
      })
      let value
      return {
        call() {
          ;[value, weights] = step(weights, x.ref, y.ref)
        },
        async wait() {
          await value.blockUntilReady()
          for (const w of weights) await w.blockUntilReady()
        },
      }
    },
  })
}

/** After little work a GPU's kernels were seen to be several times slower. */
async function warm() {
  if (quick) return
  const square = torch.randn(2048, 2048).to('webgpu'),
    begin = performance.now()
  do {
    for (let i = 0; i < 10; i++) torch.scope(() => void square.matmul(square))
    await torch.webgpu.sync_device()
  } while (performance.now() - begin < 200)
  square.dispose()
}

const median = (list) => list.sort((a, b) => a - b)[list.length >> 1]
const out = { libraries: {}, cases: {} }
for (const [name, library] of Object.entries(libraries)) {
  try {
    await library.load()
    out.libraries[name] = 'webgpu'
  } catch (e) {
    out.libraries[name] = String(e.message).slice(0, 200)
  }
}
console.log(String(torch.webgpu.info()))
console.log(out.libraries)
const ratios = []
for (const [name, c] of cases) {
  if (!new RegExp(options.only).test(name)) continue
  const row = (out.cases[name] = {})
  const runs = {}
  for (const library of Object.keys(libraries)) {
    if (out.libraries[library] !== 'webgpu') continue
    try {
      const run = c[library]()
      runs[library] = async () => {
        const begin = performance.now()
        for (let i = 0; i < c.inner; i++) run.call()
        await run.wait()
        return (performance.now() - begin) / c.inner
      }
      for (let i = 0; i < 3; i++) await runs[library]()
    } catch (e) {
      row[library] = String(e.message).slice(0, 200)
      delete runs[library]
    }
  }
  await warm()
  const times = Object.fromEntries(Object.keys(runs).map((l) => [l, []]))
  for (let i = 0; i < (quick ? 3 : 15); i++)
    for (const [library, once] of Object.entries(runs)) {
      await once()
      times[library].push(await once())
    }
  for (const [library, list] of Object.entries(times)) row[library] = median(list)
  const others = [row.tfjs, row.jax].filter((t) => typeof t === 'number')
  if (others.length) ratios.push((row.ratio = Math.min(...others) / row.torch))
  const show = (v) => (typeof v === 'number' ? v.toFixed(3) : (v ?? '-'))
  console.log(`${name.padEnd(44)} torch.js ${show(row.torch)}  tfjs ${show(row.tfjs)}  jax-js ${show(row.jax)}  ratio ${show(row.ratio)}`)
}
out.mean = Math.exp(ratios.reduce((a, r) => a + Math.log(r), 0) / ratios.length)
console.log(`geometric mean of the faster of the others over torch.js: ${out.mean.toFixed(2)}`)
if (options.json) writeFileSync(options.json, JSON.stringify(out, null, 1))
process.exit(0)
