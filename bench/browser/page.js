// The cases, in each library. Every case is a function that makes its inputs and returns one that computes once, and waits until it is computed.
import * as tf from '@tensorflow/tfjs'
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import * as jax from '@jax-js/jax'

const { numpy: np, nn: jnn, lax } = jax

/** The same numbers for all: a few bits of a linear congruential generator. */
function numbers(n) {
  const out = new Float32Array(n)
  let x = 1
  for (let i = 0; i < n; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0
    out[i] = x / 2 ** 32 - 0.5
  }
  return out
}
const size = (shape) => shape.reduce((a, b) => a * b, 1)

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
function conv(name, [batch, channels, side], [out, kernel], stride, padding) {
  const torchShapes = [
    [batch, channels, side, side],
    [out, channels, kernel, kernel],
  ]
  cases.set(name, {
    torch: () => libraries.torch.simple((torch, x, w) => torch.nn.functional.conv2d(x, w, { stride, padding }), torchShapes),
    tfjs: () =>
      libraries.tfjs.simple(
        (x, w) => tf.conv2d(x, w, stride, padding),
        [
          [batch, side, side, channels],
          [kernel, kernel, channels, out],
        ],
      ),
    jax: () =>
      libraries.jax.simple(
        (x, w) =>
          lax.convGeneralDilated(
            x,
            w,
            [stride, stride],
            [
              [padding, padding],
              [padding, padding],
            ],
          ),
        torchShapes,
      ),
  })
}
conv('conv2d 3x3, 1x64x56x56', [1, 64, 56], [64, 3], 1, 1)
conv('conv2d 1x1, 1x256x28x28', [1, 256, 28], [128, 1], 1, 0)
conv('conv2d 7x7 stride 2, 1x3x224x224', [1, 3, 224], [64, 7], 2, 3)
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

// A step of stochastic gradient descent: forward, backward, update.
const MLP = [784, 256, 10],
  BATCH = 64
const labels = Array.from({ length: BATCH }, (_, i) => i % 10)
cases.set('train step, mlp 784-256-10, batch 64', {
  torch() {
    const { torch } = libraries.torch,
      { nn } = torch
    const model = new nn.Sequential(new nn.Linear(MLP[0], MLP[1]), new nn.ReLU(), new nn.Linear(MLP[1], MLP[2]))
    const optimizer = new torch.optim.SGD(model.parameters(), { lr: 0.01 })
    const x = torch.tensor(numbers(BATCH * MLP[0])).view(BATCH, MLP[0]),
      y = torch.tensor(labels, { dtype: 'int64' })
    return () =>
      torch.scope(() => {
        optimizer.zero_grad()
        const loss = nn.functional.cross_entropy(model.forward(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()
      })
  },
  tfjs() {
    const weights = [[MLP[0], MLP[1]], [MLP[1]], [MLP[1], MLP[2]], [MLP[2]]].map((s) =>
      tf.variable(tf.tensor(numbers(size(s)), s).mul(0.1)),
    )
    const optimizer = tf.train.sgd(0.01)
    const x = tf.tensor(numbers(BATCH * MLP[0]), [BATCH, MLP[0]]),
      y = tf.oneHot(tf.tensor1d(labels, 'int32'), 10)
    return () => {
      const [w1, b1, w2, b2] = weights
      const loss = optimizer.minimize(
        () => tf.losses.softmaxCrossEntropy(y, tf.add(tf.matMul(tf.relu(tf.add(tf.matMul(x, w1), b1)), w2), b2)),
        true,
        weights,
      )
      loss.dataSync()
      loss.dispose()
    }
  },
  jax() {
    let weights = [[MLP[0], MLP[1]], [MLP[1]], [MLP[1], MLP[2]], [MLP[2]]].map((s) =>
      np
        .array(numbers(size(s)))
        .reshape(s)
        .mul(0.1),
    )
    const x = np.array(numbers(BATCH * MLP[0])).reshape([BATCH, MLP[0]]),
      y = jnn.oneHot(np.array(labels, { dtype: np.int32 }), 10)
    const loss = ([w1, b1, w2, b2], x, y) =>
      jnn
        .logSoftmax(np.matmul(jnn.relu(np.matmul(x, w1).add(b1)), w2).add(b2), -1)
        .mul(y)
        .sum()
        .mul(-1 / BATCH)
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
