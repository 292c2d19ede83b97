// The engine as WebAssembly, in Node: its memory, its threads, its lifetimes. Everything else about it is in the tests of the API, which
// `make test` runs on it as well.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'

globalThis.TORCHJS_BACKEND = 'wasm-simd-threads'
const { default: torch, nn } = await import('torch.js')
const { host } = await import('../../dist/runtime/host.js')

const URL_ = JSON.stringify(import.meta.resolve('torch.js'))
/** A Worker with an engine of its own. */
const worker = (body, backend = 'wasm-simd') =>
  new Worker(
    `globalThis.TORCHJS_BACKEND = '${backend}'
const { parentPort } = require('node:worker_threads')
import(${URL_}).then(async ({ default: torch }) => { ${body} })`,
    { eval: true },
  )
const message = (w) =>
  new Promise((resolve, reject) => {
    w.once('message', resolve)
    w.once('error', reject)
  })

const TRAIN = `(torch, seed, steps, each) => {
  const { nn } = torch
  torch.manual_seed(seed)
  const model = new nn.Sequential(new nn.Linear(16, 32), new nn.Tanh(), new nn.Linear(32, 4))
  const optimizer = new torch.optim.AdamW(model.parameters(), { lr: 0.01 })
  const x = torch.randn(64, 16), y = torch.randint(0, 4, [64])
  const losses = []
  for (let i = 0; i < steps; i++) {
    torch.scope(() => {
      optimizer.zero_grad()
      const loss = nn.functional.cross_entropy(model.forward(x), y)
      loss.backward()
      optimizer.step()
      losses.push(loss.item())
    })
    if (each) each(i)
  }
  return losses
}`
const train = new Function(`return ${TRAIN}`)()

describe('memory', () => {
  it('grows, and what JavaScript holds stays right', () => {
    const x = torch.arange(1000)
    const big = torch.zeros(1 << 26, { dtype: 'uint8' })
    assert.equal(x.sum().item(), 499500)
    assert.equal(big.at(-1).item(), 0)
    const y = torch.tensor(new Float32Array(1 << 22).fill(2))
    assert.equal(y.sum().item(), 2 ** 23)
    torch.dispose(x, big, y)
  })
  for (const backend of ['wasm-simd', 'wasm-simd-threads'])
    it(`holds a tensor of 3 GiB, then one of 2, and no more than there is (${backend})`, async () => {
      const w = worker(
        `const out = []
for (const n of [3 * 2 ** 30, 2 ** 31]) {
  torch.scope(() => {
    const x = torch.empty(n, { dtype: 'uint8' })
    x.at(-1).fill_(7)
    x.at(2 ** 30).fill_(5)
    out.push([x.at(-1).item(), x.at(2 ** 30).item(), x.at([n - 3, n]).sum().item() >= 7])
  })
  torch.empty_cache()
}
for (const n of [2 ** 32, 2 ** 33, 2 ** 40]) {
  try { torch.empty(n, { dtype: 'uint8' }) } catch (e) { out.push([e.code, e.message]) }
}
const kept = []
try { for (;;) kept.push(torch.ones(2 ** 26)) } catch (e) { out.push([e.code, kept.length > 8, kept.at(-1).at(-1).item()]) }
torch.dispose(kept)
out.push(torch.ones(2 ** 26).sum().item())
parentPort.postMessage(out)`,
        backend,
      )
      const refused = (bytes) => ['OutOfMemoryError', `DefaultCPUAllocator: can't allocate memory: you tried to allocate ${bytes} bytes.`]
      assert.deepEqual(await message(w), [
        [7, 5, true],
        [7, 5, true],
        refused(2 ** 32),
        refused(2 ** 33),
        refused(2 ** 40),
        ['OutOfMemoryError', true, 1],
        2 ** 26,
      ])
      await w.terminate()
    })
  it('is given back by tensors that are collected: in a later turn, and in a loop that has none', async () => {
    for (let i = 0; i < 300; i++) torch.ones(1 << 20) // 1.2 GB
    assert.ok(torch.memory_stats().live_bytes < 400e6, `${torch.memory_stats().live_bytes} bytes`)
    const before = torch.memory_stats().live_handles
    for (let i = 0; i < 1000; i++) torch.ones(3)
    globalThis.gc?.()
    for (let i = 0; i < 10 && torch.memory_stats().live_handles > before; i++) await setImmediate()
    if (globalThis.gc) assert.ok(torch.memory_stats().live_handles <= before)
  })
  it('stays the same over 10 000 steps', () => {
    train(torch, 0, 100)
    const a = torch.memory_stats()
    train(torch, 0, 10_000)
    const b = torch.memory_stats()
    assert.equal(b.live_nodes, a.live_nodes)
    assert.ok(b.live_bytes - a.live_bytes < 1e6 && b.reserved_bytes - a.reserved_bytes < 1e6, `${b.live_bytes - a.live_bytes} bytes`)
  })
})

describe('threads', () => {
  it('join, and give the numbers of one', async () => {
    const a = torch.randn(300, 200),
      b = torch.randn(200, 250)
    const run = () => [a.matmul(b), a.exp(), a.sum(1), a.softmax(1)].map((t) => t.toArray())
    torch.set_num_threads(1)
    const alone = run()
    torch.set_num_threads(4)
    assert.equal(torch.get_num_threads(), 4)
    await setTimeout(300)
    for (let i = 0; i < 20; i++) assert.deepEqual(run(), alone)
  })
  it('end with the Worker that has them, in the middle of a step', async () => {
    for (let i = 0; i < 4; i++) {
      const w = worker(
        `torch.set_num_threads(3)
const a = torch.randn(256, 256)
parentPort.postMessage('up')
for (;;) a.matmul(a).dispose()`,
        'wasm-simd-threads',
      )
      await message(w)
      await setTimeout(20 * i)
      await w.terminate()
    }
    assert.equal(torch.ones(3).sum().item(), 3)
  })
})

it('several engines in several workers do not meddle with each other', async () => {
  const workers = [1, 2].map((seed) => worker(`parentPort.postMessage((${TRAIN})(torch, ${seed}, 40))`))
  const results = Promise.all(workers.map(message))
  const here = train(torch, 1, 40)
  const [one, two] = await results
  assert.deepEqual(one, here)
  assert.deepEqual(two, train(torch, 2, 40))
  await Promise.all(workers.map((w) => w.terminate()))
})

it('inWorker runs a program of a Worker of Node, too', async () => {
  const { inWorker } = torch
  const w = worker(`torch.workerMain(function* ({ n }, inbox) {
  for (let i = 0; i < n; i++) yield torch.ones(i + 1).sum().item()
  if (n === 0) throw new torch.TorchError('none', 'ValueError')
  return torch.backend
})`)
  const run = inWorker(w, { n: 5 })
  const sums = []
  for await (const sum of run) sums.push(sum)
  assert.deepEqual(sums, [1, 2, 3, 4, 5])
  assert.equal(await run.result, 'wasm-simd')
  await assert.rejects(inWorker(w, { n: 0 }).result, { name: 'TorchError', message: 'none', code: 'ValueError' })
  const endless = inWorker(w, { n: Infinity })
  for await (const sum of endless) if (sum > 10) endless.stop()
  assert.equal(await endless.result, undefined)
  await w.terminate()
})

it('exceptions of hooks pass through the engine', () => {
  const x = torch.ones(2, { requires_grad: true })
  const y = x.mul(2)
  y.register_hook(() => {
    throw new RangeError('mine')
  })
  assert.throws(() => y.sum().backward(), new RangeError('mine'))
  x.mul(3).sum().backward()
  assert.deepEqual(x.grad.toArray(), [3, 3])
})

it('a call that fails leaves the engine as it was', () => {
  const a = torch.ones(2, 3)
  assert.throws(() => a.matmul(a), /mat1 and mat2 shapes cannot be multiplied \(2x3 and 2x3\)/)
  assert.equal(a.sum().item(), 6)
  assert.equal(host.kind, 'wasm-simd-threads')
  assert.equal(new nn.Linear(3, 2).forward(a).shape[1], 2)
})
