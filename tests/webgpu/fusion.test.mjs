// Chains of pointwise operators: one kernel, and the same numbers as without.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import torch from 'torch.js'

before(() => torch.webgpu.init())
const on = { device: 'webgpu' }
const settled = async () => {
  await torch.webgpu.sync_device()
  return torch.webgpu.stats().dispatches
}

test('a chain is one launch, and what nobody can see is not stored', async () => {
  const x = torch.tensor([1, 2, 3], on)
  const start = await settled()
  const y = torch.scope(() => x.mul(2).add(1).exp().log().sub(1).div(2))
  assert.deepEqual(await y.mul(100).round().toArray(), [100, 200, 300])
  assert.equal((await settled()) - start, 1)
  const names = Object.keys(torch.webgpu.launches()).find((n) => n.startsWith('mul+add+exp+log+sub+div'))
  assert.ok(names)
})

test('without fusion, a launch an operator', async () => {
  torch.webgpu.set_fusion(false)
  assert.equal(torch.webgpu.is_fusion_enabled(), false)
  const x = torch.tensor([1, 2, 3], on)
  const start = await settled()
  const y = torch.scope(() => x.mul(2).add(1).exp())
  await y.toArray()
  assert.equal((await settled()) - start, 3)
  torch.webgpu.set_fusion(true)
})

test('what is still visible is stored', async () => {
  const x = torch.tensor([1, 2, 3], on)
  const a = x.add(1)
  const b = a.mul(a)
  a.sub_(10)
  const c = b.add(a)
  assert.deepEqual(
    [await a.toArray(), await b.toArray(), await c.toArray()],
    [
      [-8, -7, -6],
      [4, 9, 16],
      [-4, 2, 10],
    ],
  )
})

test('rounding to narrow dtypes is that of separate operators', async () => {
  for (const dtype of ['float16', 'bfloat16', 'int8', 'uint8', 'bool']) {
    const values = [0.1, 3, 100.7, 250]
    const run = (device) => {
      const x = torch
        .tensor(values, { device })
        .clamp(-100, dtype === 'int8' ? 100 : 250)
        .to(dtype)
      return dtype === 'bool' ? x.logical_not().logical_not().mul(x).add(1) : x.add(x).mul(x).sub(x).to('float32').mul(0.5)
    }
    assert.deepEqual(await run('webgpu').toArray(), run('cpu').toArray(), dtype)
  }
})

// Programs made up at random: new tensors, writes in place, views, broadcasts, other operators and frees between them.
test('random programs give what the cpu gives', async () => {
  let seed = 1
  const random = (n) => {
    seed = (seed * 1103515245 + 12345) % 2147483648
    return Math.floor((seed / 2147483648) * n)
  }
  for (let program = 0; program < 60; program++) {
    const pairs = []
    const make = (values, shape) => {
      const cpu = torch.tensor(values).view(shape)
      pairs.push([cpu, cpu.to('webgpu')])
    }
    make([1, -2, 3, 0.5, 2, -1], [2, 3])
    make([0.25, 4, -3, 1, 1, 2], [2, 3])
    make([2], [1])
    make([1, 2, 3], [3])
    const binary = ['add', 'sub', 'mul', 'maximum', 'minimum', 'eq']
    const unary = ['neg', 'abs', 'relu', 'sign', 'floor']
    const log = []
    for (let step = 0; step < 25; step++) {
      const pick = () => pairs[random(pairs.length)]
      const [a, b] = [pick(), pick()]
      const what = random(8)
      log.push(what)
      const both = (f) => {
        const cpu = f(0)
        pairs.push([cpu, f(1)])
      }
      if (what < 3) {
        const f = binary[random(binary.length)]
        both((k) => a[k][f](b[k]).to('float32'))
      } else if (what === 3) {
        const f = unary[random(unary.length)]
        both((k) => a[k][f]())
      } else if (what === 4) {
        const f = ['add_', 'mul_', 'sub_'][random(3)]
        const t = pairs[random(2)]
        const small = pairs[random(4)]
        t.forEach((x, k) => x[f](small[k]))
      } else if (what === 5) {
        const row = random(2)
        const t = pairs[random(2)]
        t.forEach((x) => x.at(row).mul_(0.5).add_(1))
      } else if (what === 6) both((k) => a[k].sum().mul(0.25))
      else if (pairs.length > 6) {
        const [gone] = pairs.splice(4 + random(pairs.length - 4), 1)
        gone.forEach((t) => t.dispose())
      }
    }
    for (const [cpu, gpu] of pairs) {
      const want = [cpu.toArray()].flat(9)
      const got = [await gpu.toArray()].flat(9)
      got.forEach((v, i) =>
        assert.ok(Math.abs(v - want[i]) <= 1e-4 * Math.max(1, Math.abs(want[i])), `program ${program}: ${v}, expected ${want[i]} (${log})`),
      )
    }
  }
})
