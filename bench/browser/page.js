// The cases, in each library. Every case is a function that makes its inputs and returns one that computes once, and waits until it is computed.
import * as tf from '@tensorflow/tfjs'
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import * as jax from '@jax-js/jax'
import { convnet } from '../../build/examples/digits/classifier.js'
import { numbers, size } from '../numbers.mjs'

const { numpy: np, nn: jnn, lax } = jax

// `f`, of one result, on inputs of these shapes.
const libraries = {
  torch: {
    async load(threads) {
      const begin = performance.now()
      const { default: torch } = await import(/* webpackIgnore: true */ globalThis.TORCH_URL)
      torch.ones(2).add(1)
      this.seconds = (performance.now() - begin) / 1e3
      torch.set_num_threads(threads)
      this.torch = torch
      return torch.backend
    },
    simple(f, shapes) {
      const { torch } = this
      const inputs = shapes.map((s) => torch.tensor(numbers(size(s))).view(...s))
      return () => torch.scope(() => void f(torch, ...inputs))
    },
  },
  tfjs: {
    async load(threads) {
      setWasmPaths('/tfjs/')
      setThreadsCount(threads)
      const begin = performance.now()
      await tf.setBackend('wasm')
      await tf.ready()
      tf.add(tf.ones([2]), 1).dispose()
      this.seconds = (performance.now() - begin) / 1e3
      return tf.getBackend()
    },
    simple(f, shapes) {
      const inputs = shapes.map((s) => tf.tensor(numbers(size(s)), s))
      return () => void tf.tidy(() => f(...inputs))
    },
  },
  jax: {
    async load() {
      const begin = performance.now()
      await jax.init('wasm')
      jax.defaultDevice('wasm')
      await np.ones([2]).add(1).data()
      this.seconds = (performance.now() - begin) / 1e3
      return 'wasm'
    },
    simple(f, shapes) {
      const inputs = shapes.map((s) => np.array(numbers(size(s))).reshape(s))
      const compiled = jax.jit(f)
      return async () => {
        const y = compiled(...inputs.map((x) => x.ref))
        await y.blockUntilReady()
        y.dispose()
      }
    },
  },
}

const cases = new Map()
function simple(name, shapes, torch, tfjs, jax) {
  cases.set(name, {
    torch: () => libraries.torch.simple(torch, shapes),
    tfjs: () => libraries.tfjs.simple(tfjs, shapes),
    jax: () => libraries.jax.simple(jax, shapes),
  })
}
for (const n of [256, 512, 1024]) {
  simple(
    `matmul ${n}`,
    [
      [n, n],
      [n, n],
    ],
    (_, a, b) => a.matmul(b),
    (a, b) => tf.matMul(a, b),
    (a, b) => np.matmul(a, b),
  )
}
// TensorFlow.js has channels last, and its filters too: the same sizes in its order.
function conv(name, [batch, channels, side], [out, kernel], { stride = 1, padding = 0, groups = 1 } = {}) {
  const torchShapes = [
    [batch, channels, side, side],
    [out, channels / groups, kernel, kernel],
  ]
  const tfjsShapes = [[batch, side, side, channels], groups > 1 ? [kernel, kernel, channels, 1] : [kernel, kernel, channels, out]]
  const pads = [
    [padding, padding],
    [padding, padding],
  ]
  cases.set(name, {
    torch: () => libraries.torch.simple((torch, x, w) => torch.nn.functional.conv2d(x, w, { stride, padding, groups }), torchShapes),
    tfjs: () => libraries.tfjs.simple((x, w) => (groups > 1 ? tf.depthwiseConv2d : tf.conv2d)(x, w, stride, padding), tfjsShapes),
    jax: () =>
      libraries.jax.simple((x, w) => lax.convGeneralDilated(x, w, [stride, stride], pads, { featureGroupCount: groups }), torchShapes),
  })
}
// Of bench/cases.mjs, and one picture each.
for (const batch of [1, 8]) conv(`conv2d 3x3, ${batch}x64x56x56`, [batch, 64, 56], [64, 3], { padding: 1 })
for (const batch of [1, 8]) conv(`conv2d 1x1, ${batch}x256x28x28`, [batch, 256, 28], [128, 1])
for (const batch of [1, 4]) conv(`conv2d 7x7 stride 2, ${batch}x3x224x224`, [batch, 3, 224], [64, 7], { stride: 2, padding: 3 })
conv('conv2d 3x3 depthwise, 8x96x56x56', [8, 96, 56], [96, 3], { padding: 1, groups: 96 })
simple(
  'softmax 1024x1024',
  [[1024, 1024]],
  (_, x) => x.softmax(1),
  (x) => tf.softmax(x, 1),
  (x) => jnn.softmax(x, 1),
)
simple(
  'layer norm 1024x1024',
  [[1024, 1024]],
  (torch, x) => torch.nn.functional.layer_norm(x, [1024]),
  (x) => {
    const { mean, variance } = tf.moments(x, 1, true)
    return tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-5)))
  },
  (x) => jnn.standardize(x, 1),
)
simple(
  'exp 1M',
  [[1 << 20]],
  (_, x) => x.exp(),
  (x) => tf.exp(x),
  (x) => np.exp(x),
)
simple(
  'sum 1M',
  [[1 << 20]],
  (_, x) => x.sum(),
  (x) => tf.sum(x),
  (x) => np.sum(x),
)

// A step of stochastic gradient descent: forward, backward, update. `shapes`: weights and biases as jax-js has them; `tfjsShapes` where channels are last.
function training(name, { batch, input, model, shapes, tfjsInput = input, tfjsShapes = shapes, tfjs, jax: forward }) {
  const labels = Array.from({ length: batch }, (_, i) => i % 10)
  cases.set(name, {
    torch() {
      const { torch } = libraries.torch
      const net = model(torch)
      const optimizer = new torch.optim.SGD(net.parameters(), { lr: 0.01 })
      const x = torch.tensor(numbers(batch * size(input))).view(batch, ...input),
        y = torch.tensor(labels, { dtype: 'int64' })
      return () =>
        torch.scope(() => {
          optimizer.zero_grad()
          const loss = torch.nn.functional.cross_entropy(net.forward(x), y)
          loss.backward()
          optimizer.step()
          return loss.item()
        })
    },
    tfjs() {
      const weights = tfjsShapes.map((s) => tf.variable(tf.tensor(numbers(size(s)), s).mul(0.1)))
      const optimizer = tf.train.sgd(0.01)
      const x = tf.tensor(numbers(batch * size(input)), [batch, ...tfjsInput]),
        y = tf.oneHot(tf.tensor1d(labels, 'int32'), 10)
      return () => {
        const loss = optimizer.minimize(() => tf.losses.softmaxCrossEntropy(y, tfjs(x, weights)), true, weights)
        loss.dataSync()
        loss.dispose()
      }
    },
    jax() {
      let weights = shapes.map((s) =>
        np
          .array(numbers(size(s)))
          .reshape(s)
          .mul(0.1),
      )
      const x = np.array(numbers(batch * size(input))).reshape([batch, ...input]),
        y = jnn.oneHot(np.array(labels, { dtype: np.int32 }), 10)
      const loss = (weights, x, y) =>
        jnn
          .logSoftmax(forward(x, weights), -1)
          .mul(y)
          .sum()
          .mul(-1 / batch)
      const step = jax.jit((weights, x, y) => {
        const [value, grads] = jax.valueAndGrad(loss)(
          weights.map((w) => w.ref),
          x,
          y,
        )
        return [value, weights.map((w, i) => w.sub(grads[i].mul(0.01)))]
      })
      return async () => {
        const [value, next] = step(weights, x.ref, y.ref)
        weights = next
        await value.data()
      }
    },
  })
}
const layers = (sizes) => sizes.slice(1).flatMap((n, i) => [[sizes[i], n], [n]])
for (const sizes of [
  [784, 256, 10],
  [784, 512, 512, 10],
])
  training(`train step, mlp ${sizes.join('-')}, batch 64`, {
    batch: 64,
    input: [784],
    model: ({ nn }) =>
      new nn.Sequential(
        ...sizes.slice(1).flatMap((n, i) => [new nn.Linear(sizes[i], n), ...(i < sizes.length - 2 ? [new nn.ReLU()] : [])]),
      ),
    shapes: layers(sizes),
    tfjs(x, weights) {
      for (let i = 0; i < weights.length; i += 2) x = tf.add(tf.matMul(i ? tf.relu(x) : x, weights[i]), weights[i + 1])
      return x
    },
    jax(x, weights) {
      for (let i = 0; i < weights.length; i += 2) x = np.matmul(i ? jnn.relu(x) : x, weights[i]).add(weights[i + 1])
      return x
    },
  })
const dense = layers([3136, 128, 10])
training('train step, convnet, batch 32, 1x28x28', {
  batch: 32,
  input: [1, 28, 28],
  model: (torch) => convnet(torch, { side: 28, channels: 32, hidden: 128 }),
  shapes: [[32, 1, 3, 3], [32], [64, 32, 3, 3], [64], ...dense],
  tfjsInput: [28, 28, 1],
  tfjsShapes: [[3, 3, 1, 32], [32], [3, 3, 32, 64], [64], ...dense],
  tfjs(x, [w1, b1, w2, b2, w3, b3, w4, b4]) {
    for (const [w, b] of [
      [w1, b1],
      [w2, b2],
    ])
      x = tf.maxPool(tf.relu(tf.add(tf.conv2d(x, w, 1, 1), b)), 2, 2, 0)
    return tf.add(tf.matMul(tf.relu(tf.add(tf.matMul(x.reshape([32, 3136]), w3), b3)), w4), b4)
  },
  jax(x, [w1, b1, w2, b2, w3, b3, w4, b4]) {
    const pads = [
      [1, 1],
      [1, 1],
    ]
    for (const [w, b, channels, side] of [
      [w1, b1, 32, 14],
      [w2, b2, 64, 7],
    ]) {
      x = jnn.relu(lax.convGeneralDilated(x, w, [1, 1], pads).add(b.reshape([1, channels, 1, 1])))
      x = np.max(x.reshape([32, channels, side, 2, side, 2]), [3, 5])
    }
    x = jnn.relu(np.matmul(x.reshape([32, 3136]), w3).add(b3))
    return np.matmul(x, w4).add(b4)
  },
})

const median = (list) => list.sort((a, b) => a - b)[list.length >> 1]

/** Medians in milliseconds of each case, the libraries in turn; a text where one cannot. */
globalThis.run = async ({ threads, seconds, only }) => {
  const out = { libraries: {}, cases: {} }
  for (const [name, library] of Object.entries(libraries)) {
    out.libraries[name] = { backend: await library.load(threads), load: library.seconds }
  }
  for (const [name, makers] of cases) {
    if (!new RegExp(only).test(name)) continue
    const row = (out.cases[name] = {})
    const runs = {}
    for (const [library, make] of Object.entries(makers)) {
      try {
        runs[library] = make()
        const begin = performance.now()
        for (let i = 0; i < 3 && performance.now() - begin < 500; i++) await runs[library]()
      } catch (e) {
        row[library] = String(e.message).slice(0, 100)
        delete runs[library]
      }
    }
    const times = Object.fromEntries(Object.keys(runs).map((l) => [l, []]))
    const end = performance.now() + 1e3 * seconds * Object.keys(runs).length
    do {
      for (const [library, once] of Object.entries(runs)) {
        const begin = performance.now()
        await once()
        times[library].push(performance.now() - begin)
      }
    } while (performance.now() < end)
    for (const [library, list] of Object.entries(times)) row[library] = median(list)
  }
  return out
}
