// What holds the package and the engine together: lifetimes, memory of a loop that never waits, callbacks, workers.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Worker } from 'node:worker_threads'
import torch from 'torch.js'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc')
const handles = () => torch.memory_stats().live_handles
const callbacks = () => torch.memory_stats().live_callbacks
/** Collects, and lets the engine give back what that freed. */
function collect() {
  for (let i = 0; i < 3; i++) gc()
  torch.ones(1).dispose()
}

test('a synchronous loop without a dispose stays bounded', () => {
  torch.manual_seed(0)
  const x = torch.randn(64, 256)
  const w = torch.randn(256, 256).mul(0.01).requires_grad_()
  let reserved = 0
  for (let step = 1; step <= 2000; step++) {
    const loss = x.matmul(w).relu().pow(2).mean()
    loss.backward()
    torch.no_grad(() => w.sub_(w.grad.mul(0.01)))
    w.grad = null
    if (step === 200) reserved = torch.memory_stats().reserved_bytes
  }
  assert.ok(torch.memory_stats().reserved_bytes <= 1.5 * reserved, `${torch.memory_stats().reserved_bytes} bytes, ${reserved} at step 200`)
})

test('collected tensors give their memory back', () => {
  collect()
  const before = handles()
  const bytes = torch.memory_stats().live_bytes
  ;(() => {
    for (let i = 0; i < 5000; i++) torch.ones(16)
  })()
  collect()
  assert.ok(handles() <= before + 2, `${handles()} handles, ${before} before`)
  assert.ok(torch.memory_stats().live_bytes <= bytes + 1024)
})

test('a disposed tensor says so, and a second dispose is nothing', () => {
  const t = torch.ones(2)
  t.dispose()
  t.dispose()
  const other = torch.zeros(2) // may get the place in the table
  assert.throws(() => t.add(1), { code: 'DisposedError', message: 'a tensor was used after its disposal' })
  assert.deepEqual(other.toArray(), [0, 0])
})

test('an exception in a hook comes out of backward as it is', () => {
  const error = new RangeError('mine')
  const x = torch.ones(3).requires_grad_()
  const y = x.mul(2)
  y.register_hook(() => {
    throw error
  })
  assert.throws(
    () => y.sum().backward(),
    (e) => e === error,
  )
  x.mul(4).sum().backward()
  assert.deepEqual(x.grad.toArray(), [4, 4, 4])
})

test('a hook may dispose what backward is using, and run operators', () => {
  const x = torch.ones(3).requires_grad_()
  const loss = x.mul(2).sum()
  x.register_hook((grad) => {
    loss.dispose()
    return grad.mul(torch.full([3], 5))
  })
  loss.backward()
  assert.deepEqual(x.grad.toArray(), [10, 10, 10])
})

test('hooks and custom functions go with their tensors', () => {
  class Square extends torch.autograd.Function {
    static forward(ctx, t) {
      ctx.save_for_backward(t)
      return t.mul(t)
    }
    static backward(ctx, grad) {
      return ctx.saved_tensors[0].mul(2).mul(grad)
    }
  }
  collect()
  const before = callbacks()
  ;(() => {
    const x = torch.ones(3).requires_grad_()
    for (let i = 0; i < 200; i++) {
      const y = Square.apply(x)
      y.register_hook((grad) => grad)
      if (i % 2) y.sum().backward()
    }
    assert.equal(x.grad.toArray()[0], 200)
  })()
  collect()
  collect()
  assert.ok(callbacks() <= before + 2, `${callbacks()} callbacks, ${before} before`)
})

test('more results than the buffer holds', () => {
  const parts = torch.arange(6000).unbind()
  assert.equal(parts.length, 6000)
  assert.equal(parts[5999].item(), 5999)
})

const worker = (code) =>
  new Worker(`import(${JSON.stringify(import.meta.resolve('torch.js'))}).then(async ({ default: torch }) => { ${code} })`, { eval: true })

test('workers have engines of their own', async () => {
  const code = `
    const { parentPort } = await import('node:worker_threads')
    let sum = 0
    for (let i = 0; i < 500; i++) {
      const x = torch.ones(100).requires_grad_()
      const y = x.mul(2)
      y.register_hook((grad) => grad)
      y.sum().backward()
      sum += x.grad.sum().item()
    }
    parentPort.postMessage(sum)`
  const sums = await Promise.all(
    [0, 1].map(
      () =>
        new Promise((resolve, reject) => {
          const w = worker(code)
          w.once('message', resolve)
          w.once('error', reject)
        }),
    ),
  )
  assert.deepEqual(sums, [100000, 100000])
})

test('a worker can be stopped in the middle of a backward', async () => {
  const w = worker(`
    const { parentPort } = await import('node:worker_threads')
    const x = torch.ones(3).requires_grad_()
    for (let i = 0; ; i++) {
      const y = x.mul(2)
      y.register_hook((grad) => grad.mul(2))
      y.sum().backward()
      if (i === 100) parentPort.postMessage(i)
    }`)
  await new Promise((resolve) => w.once('message', resolve))
  await w.terminate()
})
