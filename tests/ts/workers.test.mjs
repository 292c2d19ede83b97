// Worker threads: each has an engine environment of its own, several train at once beside the main thread, and any of them can be stopped at
// any moment without a crash and without a leak.
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import torch, { nn } from 'torch.js'

// The training that everybody runs, as text for workers and as a function here. Data and initial values depend on the seed alone.
const TRAIN = `(torch, seed, steps, each) => {
  const { nn } = torch
  torch.manual_seed(seed)
  const model = new nn.Sequential(new nn.Linear(16, 32), new nn.Tanh(), new nn.Dropout(0.1), new nn.Linear(32, 4))
  const optimizer = new torch.optim.AdamW(model.parameters(), { lr: 0.01 })
  const x = torch.randn(64, 16)
  const y = torch.randint(0, 4, [64])
  const losses = []
  for (let i = 0; i < steps; i++) {
    optimizer.zero_grad()
    const logits = model.forward(x)
    logits.register_hook((g) => g.mul(1))
    const loss = nn.functional.cross_entropy(logits, y)
    loss.backward()
    optimizer.step()
    losses.push(loss.item())
    if (each) each(i)
  }
  return losses
}`
const train = new Function(`return ${TRAIN}`)()
const URL_ = JSON.stringify(import.meta.resolve('torch.js'))
const worker = (body) =>
  new Worker(
    `const { parentPort, workerData } = require('node:worker_threads')
const train = ${TRAIN}
import(${URL_}).then(async ({ default: torch }) => { ${body} })`,
    { eval: true },
  )
const message = (w) =>
  new Promise((resolve, reject) => {
    w.once('message', resolve)
    w.once('error', reject)
    w.once('exit', (code) => reject(new Error(`the worker ended with ${code}`)))
  })
const exit = (w) => new Promise((resolve) => w.once('exit', resolve))

describe('workers', () => {
  const STEPS = 40
  const seeds = [1, 2, 3, 4]
  const alone = seeds.map((seed) => train(torch, seed, STEPS))
  after(() => torch.manual_seed(0))

  it('train at once with the numbers that each has alone, while the main thread trains too', async () => {
    const workers = seeds.map((seed) => worker(`parentPort.postMessage(train(torch, ${seed}, ${STEPS}))`))
    const results = Promise.all(workers.map(message))
    const ends = Promise.all(workers.map(exit))
    // The main thread has a generator and tensors of its own, which nobody else touches.
    const here = train(torch, 1, STEPS)
    assert.deepEqual(here, alone[0])
    assert.deepEqual(await results, alone)
    assert.deepEqual(
      await ends,
      seeds.map(() => 0),
    )
  })

  it('have generators of their own', async () => {
    torch.manual_seed(7)
    const expected = torch.rand(5).toArray()
    torch.manual_seed(7)
    const first = torch.rand(2).toArray()
    const w = worker('torch.manual_seed(99); torch.rand(1000); parentPort.postMessage(torch.initial_seed())')
    assert.equal(Number(await message(w)), 99)
    assert.deepEqual([...first, ...torch.rand(3).toArray()], expected)
    assert.equal(Number(torch.initial_seed()), 7)
  })

  it("do not know each other's handles and modes", async () => {
    const mine = torch.full([3], 42)
    const w = worker(`
      let foreign = 'none'
      try { const x = torch.ones(1); foreign = torch.Tensor.prototype.item.call({ __proto__: torch.Tensor.prototype, handle: ${mine.handle} }) }
      catch (e) { foreign = e.code }
      parentPort.postMessage({ foreign, grad: torch.is_grad_enabled(), dtype: torch.get_default_dtype() })`)
    const reply = await torch.no_grad(() => message(w))
    assert.notEqual(reply.foreign, 42)
    assert.equal(reply.grad, true)
    assert.deepEqual(mine.toArray(), [42, 42, 42])
  })

  it('can be terminated at any step, many times, while others work', async () => {
    // Warm: what the first workers take from the system stays with the process.
    const round = async (n) => {
      const busy = Array.from({ length: n }, (_, k) =>
        worker(`train(torch, ${k}, 1e9, (i) => { if (i === ${k % 3}) parentPort.postMessage(i) })`),
      )
      await Promise.all(busy.map(message))
      const here = train(torch, 2, 5)
      assert.deepEqual(here, alone[1].slice(0, 5))
      await setTimeout(Math.floor(7 * n) % 5)
      assert.deepEqual(
        await Promise.all(busy.map((w) => w.terminate())),
        busy.map(() => 1),
      )
    }
    const settle = async () => {
      for (let i = 0; i < 3; i++) {
        globalThis.gc?.()
        await setTimeout(5)
      }
      torch.ones(1).dispose()
    }
    for (let i = 0; i < 3; i++) await round(3)
    await settle()
    const before = { rss: process.memoryUsage.rss(), ...torch.memory_stats() }
    for (let i = 0; i < 12; i++) await round(3)
    await settle()
    const now = { rss: process.memoryUsage.rss(), ...torch.memory_stats() }
    // Of 36 stopped trainings nothing is left in the engine, and the process has not grown by what they held.
    assert.ok(now.live_bytes <= before.live_bytes + 65536, `${now.live_bytes} bytes are alive, ${before.live_bytes} before`)
    assert.ok(now.live_tensors <= before.live_tensors + 16, `${now.live_tensors} tensors are alive, ${before.live_tensors} before`)
    assert.ok(now.live_nodes <= before.live_nodes, `${now.live_nodes} nodes are alive, ${before.live_nodes} before`)
    assert.ok(now.rss < before.rss + 100e6, `the process has ${now.rss} bytes, ${before.rss} before`)
  })

  it('may end by themselves, by an error, and by process.exit, in the middle of everything', async () => {
    const ways = {
      'process.exit(3)': 3,
      'throw new Error("mine")': 1,
      'parentPort.close(); return': 0,
    }
    for (const [how, code] of Object.entries(ways)) {
      const w = worker(`
        const x = torch.ones(4).requires_grad_()
        const kept = [x.mul(2)]
        kept[0].register_hook(() => { ${how.startsWith('parentPort') ? '' : how} })
        kept[0].sum().backward()
        ${how}`)
      const errors = []
      w.on('error', (e) => errors.push(e.message))
      assert.equal(await exit(w), code, how)
      assert.deepEqual(errors, how.startsWith('throw') ? ['mine'] : [])
    }
  })

  it('leave the main thread as it was', () => {
    assert.deepEqual(train(torch, 3, STEPS), alone[2])
    assert.ok(nn)
  })
})
