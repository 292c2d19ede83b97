// What one warm training step of the digit classifier costs, counted: calls into the engine, allocations, and what is left afterwards.
import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import torch, { nn } from 'torch.js'
import { convnet } from '../../build/examples/digits/classifier.js'
import { host } from '../../dist/runtime/host.js'

// Pinned. Fewer is good news, to be written down here; more wants a reason.
const CALLS = 52
const ALLOCATIONS = 290

let calls = 0
let step
describe('a warm training step of the digit convnet', () => {
  before(() => {
    for (const name of ['call', 'free', 'track']) {
      const original = host[name]
      host[name] = function (...given) {
        calls++
        return original.apply(this, given)
      }
    }
    torch.manual_seed(0)
    const model = convnet(torch)
    const optimizer = new torch.optim.AdamW(model.parameters(), { lr: 2e-3 })
    const criterion = new nn.CrossEntropyLoss()
    const images = torch.rand(160, 1, 8, 8)
    const labels = torch.arange(160).remainder(10)
    const order = torch.randperm(160)
    // The body of the loop in examples/digits/train.ts.
    step = (k) =>
      torch.scope(() => {
        const rows = order.at([32 * k, 32 * k + 32])
        optimizer.zero_grad()
        const loss = criterion.forward(model.forward(images.at(rows)), labels.at(rows))
        loss.backward()
        optimizer.step()
        return loss.item()
      })
    for (let i = 0; i < 20; i++) step(i % 5)
    globalThis.gc() // what making the data left behind would go at some later time
    step(0)
  })

  it('counts what it says it counts', () => {
    calls = 0
    const a = torch.memory_stats().allocations
    calls = 0
    const x = torch.ones(3)
    assert.equal(calls, 2) // ones; and the collector is told of its handle
    assert.ok(torch.memory_stats().allocations > a)
    x.dispose()
  })

  it(`makes at most ${CALLS} calls and ${ALLOCATIONS} engine allocations, and none of the system`, () => {
    for (let i = 0; i < 10; i++) {
      const a = torch.memory_stats()
      calls = 0
      step(i % 5)
      const made = calls
      const b = torch.memory_stats()
      assert.ok(made > 20 && made <= CALLS, `${made} calls`)
      const allocations = b.allocations - a.allocations
      assert.ok(allocations > 50 && allocations <= ALLOCATIONS, `${allocations} allocations`)
      assert.equal(b.system_allocations - a.system_allocations, 0)
      assert.equal(b.system_frees - a.system_frees, 0)
    }
  })

  it('leaves nothing behind', () => {
    const a = torch.memory_stats()
    for (let i = 0; i < 10; i++) {
      step(i % 5)
      const b = torch.memory_stats()
      for (const key of ['live_bytes', 'live_tensors', 'live_nodes', 'live_handles', 'live_callbacks', 'reserved_bytes'])
        assert.equal(b[key], a[key], `${key} after step ${i}`)
      assert.equal(b.live_nodes, 0)
    }
  })

  it('holds the same memory after 1000 more', () => {
    const a = torch.memory_stats()
    const first = step(0)
    let last
    for (let i = 0; i < 1000; i++) last = step(i % 5)
    const b = torch.memory_stats()
    assert.equal(b.live_bytes, a.live_bytes)
    assert.equal(b.live_tensors, a.live_tensors)
    assert.equal(b.reserved_bytes, a.reserved_bytes)
    assert.equal(b.system_allocations, a.system_allocations)
    assert.ok(last < first, `the loss went from ${first} to ${last}`)
  })
})
