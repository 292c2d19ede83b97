// Scopes, dispose, statistics, and that nothing leaks.
import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import { describe, it } from 'node:test'
import torch from 'torch.js'

// What earlier tests left to the collector goes first, or it would go in the middle of a count.
const handles = () => {
  globalThis.gc()
  torch.ones(1).dispose()
  return torch.memory_stats().live_handles
}

describe('dispose', () => {
  it('makes later use an error', () => {
    const x = torch.ones(2)
    x.dispose()
    assert.throws(
      () => x.add(1),
      (e) => e.code === 'DisposedError',
    )
    assert.throws(
      () => x.shape,
      (e) => e.code === 'DisposedError',
    )
    assert.throws(
      () => String(x),
      (e) => e.code === 'DisposedError',
    )
    x.dispose()
  })
  it('leaves views of the storage alone', () => {
    const x = torch.ones(4)
    const y = x.view(2, 2)
    x.dispose()
    assert.deepEqual(y.toArray(), [
      [1, 1],
      [1, 1],
    ])
  })
  it('works as Symbol.dispose and on several', () => {
    const before = handles()
    const x = torch.ones(1)
    x[Symbol.dispose]()
    torch.dispose(torch.ones(1), [torch.ones(1), torch.ones(1)])
    assert.equal(handles(), before)
  })
})

describe('scope', () => {
  it('frees what is not returned', () => {
    const before = handles()
    const kept = torch.scope(() => {
      const a = torch.ones(3)
      const b = a.add(1)
      return { list: [b.mul(2)], map: new Map([['x', b]]) }
    })
    assert.equal(handles(), before + 2)
    assert.deepEqual(kept.list[0].toArray(), [4, 4, 4])
    assert.deepEqual(kept.map.get('x').toArray(), [2, 2, 2])
    torch.dispose(kept.list[0], kept.map.get('x'))
  })
  it('nests', () => {
    const before = handles()
    torch.scope(() => {
      const inner = torch.scope(() => torch.ones(2).add(1))
      assert.deepEqual(inner.toArray(), [2, 2])
      assert.equal(handles(), before + 1)
    })
    assert.equal(handles(), before)
  })
  it('ends with an exception and with a promise', async () => {
    const before = handles()
    assert.throws(() =>
      torch.scope(() => {
        torch.ones(2)
        throw new Error('x')
      }),
    )
    assert.equal(handles(), before)
    let inner
    const t = await torch.scope(async () => {
      inner = torch.ones(2)
      await setTimeout(1)
      return inner.add(1)
    })
    // Counts of handles would not do here: the collector may have run meanwhile.
    assert.throws(
      () => inner.shape,
      (e) => e.code === 'DisposedError',
    )
    assert.deepEqual(t.toArray(), [2, 2])
  })
  it('keeps gradients and what keep() names', () => {
    const x = torch.ones(2, { requires_grad: true })
    let other
    torch.scope(() => {
      other = torch.keep(torch.ones(3))
      x.mul(2).sum().backward()
    })
    assert.deepEqual(x.grad.toArray(), [2, 2])
    assert.deepEqual(other.shape, [3])
  })
  it('hands what leaves it to the collector', () => {
    globalThis.gc()
    torch.ones(1).dispose()
    const before = handles()
    for (let i = 0; i < 50; i++) {
      torch.scope(() => torch.ones(3))
      torch.scope(() => torch.scope(() => torch.ones(3)))
      torch.scope(() => void torch.keep(torch.ones(3)))
      torch.scope(() => {
        const outer = torch.ones(3)
        torch.scope(() => void torch.keep(outer))
      })
    }
    assert.equal(torch.memory_stats().live_handles, before + 200)
    globalThis.gc()
    torch.ones(1).dispose()
    assert.ok(handles() <= before + 1, `${handles()} handles, ${before} before`)
  })
  it('settles a training loop', () => {
    const w = torch.ones(10, 10, { requires_grad: true })
    const x = torch.ones(4, 10)
    const step = () =>
      torch.scope(() => {
        w.grad = null
        x.matmul(w).pow(2).mean().backward()
        torch.no_grad(() => w.sub_(w.grad.mul(0.01)))
      })
    for (let i = 0; i < 5; i++) step()
    const a = torch.memory_stats()
    for (let i = 0; i < 20; i++) step()
    const b = torch.memory_stats()
    assert.equal(b.live_tensors, a.live_tensors)
    assert.equal(b.live_nodes, a.live_nodes)
    assert.equal(b.live_bytes, a.live_bytes)
    assert.equal(b.system_allocations, a.system_allocations)
  })
})

describe('statistics', () => {
  it('count bytes', () => {
    const before = torch.memory_stats().live_bytes
    const x = torch.zeros(1000)
    assert.ok(torch.memory_stats().live_bytes - before >= 4000)
    x.dispose()
    assert.equal(torch.memory_stats().live_bytes, before)
    torch.reset_peak_memory_stats()
    const s = torch.memory_stats()
    assert.equal(s.peak_bytes, s.live_bytes)
    torch.empty_cache()
    assert.match(torch.memory_summary(), /live .*\n.*peak /)
  })
})

describe('custom functions and hooks', () => {
  it('are dropped with their graph', () => {
    class Id extends torch.autograd.Function {
      static forward(ctx, x) {
        ctx.save_for_backward(x)
        return x.mul(1)
      }
      static backward(ctx, g) {
        return g
      }
    }
    const x = torch.ones(2, { requires_grad: true })
    const before = torch.memory_stats()
    torch.scope(() => {
      for (let i = 0; i < 10; i++) {
        const y = Id.apply(x)
        y.register_hook((g) => g)
        y.sum().backward()
      }
      x.grad = null
    })
    const after = torch.memory_stats()
    assert.equal(after.live_callbacks, before.live_callbacks)
    assert.equal(after.live_nodes, before.live_nodes)
  })
})
