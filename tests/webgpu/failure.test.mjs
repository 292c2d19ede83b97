// What can go wrong with a GPU: each has one clear error, and what can be gone on with is gone on with. A GPU object between the library and the real one
// makes the failures that no adapter can be asked for.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import torch, { nn } from 'torch.js'

const on = { device: 'webgpu' }

// The real device with some of its methods and properties exchanged.
const changed = (target, changes) =>
  new Proxy(target, {
    get(t, key) {
      if (key in changes) return changes[key]
      const v = t[key]
      return typeof v === 'function' ? v.bind(t) : v
    },
    set(t, key, v) {
      t[key] = v
      return true
    },
  })

async function realGpu() {
  await torch.webgpu.init()
  return globalThis.navigator?.gpu ?? globalThis.__torchjs_gpu
}
let gpu
before(async () => {
  gpu = await realGpu()
})

/** Starts the library anew on a device with changes. */
async function startWith(changes) {
  torch.webgpu.destroy()
  const kept = {}
  await torch.webgpu.init({
    gpu: {
      async requestAdapter(options) {
        const adapter = await gpu.requestAdapter(options)
        return changed(adapter, {
          async requestDevice(descriptor) {
            kept.device = await adapter.requestDevice(descriptor)
            return changed(kept.device, changes(kept.device))
          },
        })
      },
    },
  })
  return kept
}
const startReal = async () => {
  torch.webgpu.destroy()
  await torch.webgpu.init()
}

test('a kernel that the GPU refuses: the error names it, and nothing that it left behind is taken for a result', async () => {
  await startWith((device) => ({
    createShaderModule: ({ code, label }) =>
      device.createShaderModule({ label, code: /^softmax/.test(label) ? code.replace('fn main', 'fn main(;') : code }),
  }))
  const x = torch.ones(3, 4, on)
  const refused = { code: 'RuntimeError', message: /webgpu: the GPU refused the kernel 'softmax [^]*torch\.webgpu\.init\(\)/ }
  await assert.rejects(async () => void (await x.softmax(1).toArray()), refused)
  assert.throws(() => x.add(1), /softmax/)
  await assert.rejects(async () => void (await x.toArray()), /softmax/)
  await torch.webgpu.init()
  assert.deepEqual(await torch.ones(3, on).add(1).toArray(), [2, 2, 2])
  await startReal()
})

test('out of memory on the GPU is an OutOfMemoryError', async () => {
  class GPUOutOfMemoryError extends Error {}
  const { device } = await startWith(() => ({}))
  const x = torch.ones(3, on)
  const read = x.add(1).toArray()
  device.onuncapturederror({ error: new GPUOutOfMemoryError('Out of memory') })
  await assert.rejects(read, { code: 'OutOfMemoryError', message: /out of memory[^]*empty_cache/ })
  assert.throws(() => x.add(1), /out of memory/)
  await startReal()
})

test('a tensor over maxStorageBufferBindingSize or maxBufferSize is refused with the number of bytes', async () => {
  for (const name of ['maxStorageBufferBindingSize', 'maxBufferSize']) {
    await startWith((device) => {
      const limits = {}
      for (const key in device.limits) limits[key] = device.limits[key]
      return { limits: { ...limits, [name]: 2 ** 20 } }
    })
    assert.throws(() => torch.ones(2 ** 19, on), {
      code: 'OutOfMemoryError',
      message: new RegExp(`takes 2097152 bytes on the device, and the adapter binds at most 1048576 \\(${name}\\)`),
    })
    const a = torch.ones(2 ** 18, on)
    assert.throws(() => torch.cat([a, a]), { code: 'OutOfMemoryError' })
    assert.equal(await a.sum().item(), 2 ** 18)
  }
  await startReal()
})

test('more workgroups than one dimension has, in kernels of every form', async () => {
  await startWith((device) => {
    const limits = {}
    for (const key in device.limits) limits[key] = device.limits[key]
    return { limits: { ...limits, maxComputeWorkgroupsPerDimension: 16 } }
  })
  const n = 64 * 16 * 3 + 5
  const x = torch.arange(n, on)
  const want = torch.arange(n)
  assert.deepEqual(await x.add(1).toArray(), want.add(1).toArray())
  assert.deepEqual(await x.view(-1, 1).expand(n, 2).sum(1).toArray(), want.mul(2).toArray())
  assert.deepEqual(await x.flip(0).toArray(), want.flip(0).toArray())
  const rows = torch.ones(100, 70, on)
  assert.deepEqual(await rows.softmax(1).sum(1).round().toArray(), Array(100).fill(1))
  assert.deepEqual(await rows.cumsum(1).select(1, 69).toArray(), Array(100).fill(70))
  assert.deepEqual(
    await rows
      .index_select(0, torch.arange(99, -1, -1, on))
      .sum(1)
      .toArray(),
    Array(100).fill(70),
  )
  await startReal()
})

test('a device lost in mid-training: pending reads reject, a state on the cpu lets it go on', async () => {
  const x = torch.randn(16, 4, { generator: new torch.Generator().manual_seed(1) })
  const y = x.sum(1, true)
  const make = () => {
    torch.manual_seed(5)
    return new nn.Sequential(new nn.Linear(4, 8), new nn.Tanh(), new nn.Linear(8, 1))
  }
  const options = { lr: 0.05, momentum: 0.9 }
  const step = async (model, optimizer) => {
    optimizer.zero_grad()
    const loss = nn.functional.mse_loss(model.forward(x.to('webgpu')), y.to('webgpu'))
    loss.backward()
    optimizer.step()
    return loss.item()
  }
  const straight = make().to('webgpu')
  const optimizer = new torch.optim.SGD(straight.parameters(), options)
  const curve = []
  for (let i = 0; i < 8; i++) curve.push(await step(straight, optimizer))

  let model = make().to('webgpu')
  let second = new torch.optim.SGD(model.parameters(), options)
  const again = []
  for (let i = 0; i < 4; i++) again.push(await step(model, second))
  await model.cpu_async()
  const saved = model.state_dict()
  const momentum = []
  for (const p of second.param_groups[0].params) momentum.push(await second.state.get(p).momentum_buffer.cpu())
  model.to('webgpu')

  const pending = [
    step(model, new torch.optim.SGD(model.parameters(), options)),
    torch.ones(3, on).mul(2).toArray(),
    torch.ones(1, on).item(),
  ]
  torch.webgpu.destroy()
  for (const p of pending) await assert.rejects(p, { code: 'DeviceError', message: /lost[^]*torch\.webgpu\.init\(\)/ })
  assert.throws(() => model.state_dict()['0.weight'].add(1), { code: 'DeviceError' })

  await torch.webgpu.init()
  model = make()
  model.load_state_dict(saved)
  model.to('webgpu')
  second = new torch.optim.SGD(model.parameters(), options)
  second.param_groups[0].params.forEach((p, i) => second.state.set(p, { momentum_buffer: momentum[i].to('webgpu') }))
  for (let i = 4; i < 8; i++) again.push(await step(model, second))
  again.forEach((v, i) => assert.ok(Math.abs(v - curve[i]) < 1e-5 * Math.max(1, curve[i]), `step ${i}: ${v}, ${curve[i]}`))
})

test('use after disposal', async () => {
  const x = torch.ones(3, on)
  const y = x.add(1)
  x.dispose()
  assert.throws(() => x.mul(2), { code: 'DisposedError' })
  assert.throws(() => torch.add(y, x), { code: 'DisposedError' })
  await assert.rejects(async () => void (await x.toArray()), { code: 'DisposedError' })
  assert.deepEqual(await y.toArray(), [2, 2, 2])
})
