// The engine in pages of Chromium, beside what the recorded cases say there: memory over many steps and at its end, workers, several pages at once,
// `using`, and how much has to be loaded before the first operator.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { browse, serve } from '../browser/server.mjs'

const DIST = join(dirname(fileURLToPath(import.meta.url)), '../../dist')

/** Runs in the page and in its workers: `steps` steps of a small network, and the counters before and after them. */
const TRAIN = `
const { default: torch, nn } = await import('/torch/index.js')
function train(seed, steps) {
  torch.manual_seed(seed)
  const model = new nn.Sequential(new nn.Linear(16, 32), new nn.Tanh(), new nn.Linear(32, 4))
  const optimizer = new torch.optim.AdamW(model.parameters(), { lr: 0.01 })
  const x = torch.randn(64, 16), y = torch.randint(0, 4, [64])
  const losses = []
  const step = () => {
    optimizer.zero_grad()
    const loss = nn.functional.cross_entropy(model.forward(x), y)
    loss.backward()
    optimizer.step()
    losses.push(loss.item())
  }
  step() // makes gradients and the optimizer's state
  const before = torch.memory_stats()
  for (let i = 1; i < steps; i++) torch.scope(step)
  return { losses, before, after: torch.memory_stats() }
}
`
const WORKER = `
self.onmessage = ({ data }) => self.postMessage(run(data))
${TRAIN}
const run = ({ seed, steps }) => train(seed, steps).losses
self.postMessage('ready')
`
// What runs in a Worker by `workerMain`: a training loop of the torch.js helper.
const LOOP = `
import torch, { nn, workerMain } from '/torch/page/torch.js'
workerMain(async function* ({ steps }, inbox) {
  const model = new nn.Linear(4, 1), x = torch.randn(32, 4), y = x.sum(1, true)
  const optimizer = new torch.optim.SGD(model.parameters(), { lr: 0.1 })
  let step = 0
  try {
    for (; step < steps; step++) {
      optimizer.zero_grad()
      const loss = nn.functional.mse_loss(model.forward(x), y)
      loss.backward()
      optimizer.step()
      yield { step, loss: loss.item() }
      for (let message; (message = inbox.take()); ) yield { answer: message * 2 }
    }
    if (steps === 0) throw new RangeError('there is nothing to do')
    return 'all done'
  } finally {
    torch.scope(() => {}) // the engine is there to the end
  }
})
`
// Answers with the number of products so far, and never comes to an end.
const ENDLESS = `
const { default: torch } = await import('/torch/index.js')
torch.set_num_threads(3)
const a = torch.randn(256, 256)
for (let i = 0; ; i++) {
  torch.scope(() => void a.matmul(a))
  if (i % 10 === 0) self.postMessage(i)
}
`

describe('in a page', () => {
  const dir = mkdtempSync(join(tmpdir(), 'torchjs-pages-'))
  const printed = []
  let server, browser
  before(async () => {
    writeFileSync(join(dir, 'index.html'), '<!doctype html><meta charset="utf-8"><title>torch.js</title><link rel="icon" href="data:,">')
    writeFileSync(join(dir, 'train.js'), WORKER)
    writeFileSync(join(dir, 'endless.js'), ENDLESS)
    writeFileSync(join(dir, 'loop.js'), LOOP)
    writeFileSync(
      join(dir, 'classic.js'),
      "import('/torch/page/torch.js').then(({ default: t }) => postMessage([t.backend, t.tensor([1, 2, 3]).sum().item()]))",
    )
    server = await serve({ '/torch/': DIST, '/': dir }, { cached: true })
    browser = await browse({ log: (text) => printed.push(text) })
  })
  after(async () => {
    await browser?.close()
    server?.close()
    rmSync(dir, { recursive: true, force: true })
  })

  /** What a module's code `code` returns, in a page of its own. */
  async function inPage(code, { keep = false } = {}) {
    const page = await browser.page()
    try {
      await page.goto(server.origin)
      return await page.evaluate(`(async () => { ${code} })()`)
    } finally {
      if (!keep) await page.close()
    }
  }
  const worker = (name) => `
const worker = (message) => new Promise((resolve, reject) => {
  const w = new Worker('/${name}.js', { type: 'module' })
  w.onerror = (e) => reject(new Error(e.message))
  w.onmessage = ({ data }) => data === 'ready' ? w.postMessage(message) : resolve([w, data])
})`

  it('memory stays the same over 10 000 steps', async () => {
    const { losses, before, after } = await inPage(`${TRAIN} return train(0, 10_000)`)
    assert.equal(losses.length, 10_000)
    assert.ok(losses.at(-1) < losses[0])
    for (const counter of ['live_handles', 'live_tensors', 'live_nodes', 'live_bytes'])
      assert.equal(after[counter], before[counter], `${counter}: ${before[counter]} before, ${after[counter]} after`)
    assert.ok(after.reserved_bytes - before.reserved_bytes < 1e6, `${after.reserved_bytes - before.reserved_bytes} bytes more are reserved`)
  })

  for (const backend of ['wasm-simd', 'wasm-relaxed-threads'])
    it(`holds a tensor of 2 GiB, and says when there is no more (${backend})`, async () => {
      const result = await inPage(`
globalThis.TORCHJS_BACKEND = '${backend}'
const { default: torch } = await import('/torch/index.js')
const out = []
torch.scope(() => {
  const x = torch.empty(2 ** 31, { dtype: 'uint8' })
  x.at(-1).fill_(7)
  x.at(2 ** 30).fill_(5)
  out.push(x.at(-1).item(), x.at(2 ** 30).item())
})
torch.empty_cache()
for (const n of [2 ** 32, 2 ** 40])
  try { torch.empty(n, { dtype: 'uint8' }) } catch (e) { out.push([e.code, e.message]) }
const kept = []
try { for (;;) kept.push(torch.empty(2 ** 28, { dtype: 'uint8' })) } catch (e) { out.push([e.code, kept.length > 8]) }
torch.dispose(kept)
out.push(torch.ones(2 ** 20).sum().item())
return out`)
      const refused = (bytes) => ['OutOfMemoryError', `DefaultCPUAllocator: can't allocate memory: you tried to allocate ${bytes} bytes.`]
      assert.deepEqual(result, [7, 5, refused(2 ** 32), refused(2 ** 40), ['OutOfMemoryError', true], 2 ** 20])
    })

  it('two engines in two workers compute as one in the page does', async () => {
    const [one, two, here] = await inPage(`${worker('train')}
const both = Promise.all([worker({ seed: 1, steps: 40 }), worker({ seed: 2, steps: 40 })])
${TRAIN}
const here = [1, 2].map((seed) => train(seed, 40).losses)
const [[a, one], [b, two]] = await both
a.terminate(), b.terminate()
return [one, two, here]`)
    assert.deepEqual([one, two], here)
    assert.notDeepEqual(one, two)
  })

  it('a worker and its threads end in the middle of a step, and others do not notice', async () => {
    const [reached, sum] = await inPage(`${worker('endless')}
const reached = []
for (let i = 0; i < 3; i++) {
  const [w, n] = await worker()
  await new Promise((resolve) => { w.onmessage = ({ data }) => data > n && resolve() })
  reached.push(n)
  w.terminate()
}
const { default: torch } = await import('/torch/index.js')
return [reached, torch.ones(3).sum().item()]`)
    assert.equal(reached.length, 3)
    assert.equal(sum, 3)
  })

  it('several pages train at once', async () => {
    const code = (seed) => `${worker('train')}
const [w, losses] = await worker({ seed: ${seed}, steps: 60 })
w.terminate()
return losses`
    const [a, b, c] = await Promise.all([1, 2, 1].map((seed) => inPage(code(seed))))
    assert.deepEqual(a, c)
    assert.notDeepEqual(a, b)
    assert.equal(a.length, 60)
  })

  it('inWorker: a loop beside the page, its progress in order, answers, the end, stopping, errors; the page keeps its frames', async () => {
    const r = await inPage(`
const { inWorker } = await import('/torch/worker.js') // no engine in the page
const worker = new Worker('/loop.js', { type: 'module' })
const frames = []
let going = true
requestAnimationFrame(function next(t) { frames.push(t); if (going) requestAnimationFrame(next) })
const out = { steps: [], answers: [] }
const run = inWorker(worker, { steps: 2000 })
run.send(21)
for await (const value of run) value.answer ? out.answers.push(value.answer) : out.steps.push(value.step)
out.result = await run.result
going = false
const gaps = frames.slice(1).map((t, i) => t - frames[i]).sort((a, b) => a - b)
out.frame = gaps[gaps.length >> 1]
// Once more in the same Worker, which has been ready for long, and stopped.
const endless = inWorker(worker, { steps: Infinity })
let seen = 0
for await (const value of endless) if (++seen === 100) endless.stop()
out.stopped = [seen >= 100, await endless.result]
const wrong = inWorker(worker, { steps: 0 })
out.error = await wrong.result.catch((e) => [e.name, e.message])
const cut = inWorker(worker, { steps: Infinity })
for await (const value of cut) break
cut.terminate()
out.cut = await cut.result.catch((e) => e.message)
return out`)
    assert.deepEqual(
      r.steps,
      Array.from({ length: 2000 }, (_, i) => i),
    )
    assert.deepEqual([r.answers, r.result, r.stopped], [[42], 'all done', [true, undefined]])
    assert.deepEqual([r.error, r.cut], [['RangeError', 'there is nothing to do'], 'the Worker was terminated'])
    assert.ok(r.frame < 100, `a frame took ${r.frame} ms, the median`)
  })

  it('computes in a Worker that is no module, too', async () => {
    const sum = await inPage(`
return new Promise((resolve, reject) => {
  const w = new Worker('/classic.js')
  w.onerror = (e) => reject(new Error(e.message))
  w.onmessage = (e) => resolve(e.data)
})`)
    assert.deepEqual(sum, ['wasm-relaxed-threads', 6])
  })

  it('frees by `using`, as JavaScript itself has it', async () => {
    const [native, inside, outside] = await inPage(`
const native = Object.hasOwn(Symbol, 'dispose')
const { default: torch } = await import('/torch/index.js')
const before = torch.memory_stats().live_bytes
let inside
{
  using x = torch.ones(1000)
  using _ = torch.no_grad()
  inside = [torch.memory_stats().live_bytes - before >= 4000, torch.is_grad_enabled(), x.sum().item()]
}
return [native, inside, [torch.memory_stats().live_bytes - before < 4000, torch.is_grad_enabled()]]`)
    assert.deepEqual([native, inside, outside], [true, [true, false, 1000], [true, true]])
  })

  // What the time from navigation to the first operator is made of. Nothing waits for anything that it does not need.
  it('loads three files, and the engine at the same time as the rest', async () => {
    const files = await inPage(`
const { default: torch, nn, add } = await import('/torch/page/torch.js')
const x = add(torch.ones(2), 1)
if (!(x instanceof torch.Tensor) || nn !== torch.nn || x.sum().item() !== 4) throw new Error('it does not work')
return performance.getEntriesByType('resource').filter((r) => /^http.*torch/.test(r.name)).map((r) => [new URL(r.name).pathname, r.startTime])`)
    const begins = Object.fromEntries(files)
    const module = '/torch/wasm/torchjs-relaxed-threads.wasm'
    assert.deepEqual(Object.keys(begins).sort(), ['/torch/page/all.js', '/torch/page/torch.js', module])
    assert.ok(begins[module] <= begins['/torch/page/all.js'], 'the module is asked for first')
  })

  it('printed no complaint', () => assert.deepEqual(printed, []))
})
