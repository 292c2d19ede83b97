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

/** A device that refuses what `refuses` says: { buffer, pipeline, pass }: functions of a descriptor or a label that give the kind of error, if any. */
const refusing = (refuses) => (device) => {
  const scopes = [] // as the device keeps them; an error goes to the innermost of its kind
  const raise = (filter, what) => {
    const scope = filter && scopes.findLast((s) => s.filter === filter)
    if (scope) scope.error ??= { message: `refused: ${what}` }
  }
  return {
    pushErrorScope(filter) {
      scopes.push({ filter, error: null })
      device.pushErrorScope(filter)
    },
    async popErrorScope() {
      const { error } = scopes.pop()
      return (await device.popErrorScope()) ?? error
    },
    createBuffer(descriptor) {
      raise(refuses.buffer?.(descriptor), 'a buffer')
      return device.createBuffer(descriptor)
    },
    createComputePipeline(descriptor) {
      raise(refuses.pipeline?.(descriptor.label), 'a pipeline')
      return device.createComputePipeline(descriptor)
    },
    createCommandEncoder() {
      const encoder = device.createCommandEncoder()
      return changed(encoder, {
        beginComputePass(descriptor) {
          const pass = encoder.beginComputePass(descriptor)
          return changed(pass, {
            dispatchWorkgroups: (x, y, z) => pass.dispatchWorkgroups(refuses.dispatch ? 2 ** 20 : x, y, z),
          })
        },
      })
    },
  }
}

test('what the GPU refuses says which operator asked for it', async () => {
  const F = nn.functional
  const layer = () => torch.ones(2, 3, 4, 4, on)
  const weight = () => torch.ones(5, 3, 3, 3, on)
  for (const [refuses, run, code, message] of [
    [
      { pipeline: (l) => /^softmax/.test(l) && 'validation' },
      () => torch.ones(2, 3, on).softmax(1),
      'RuntimeError',
      /refused the kernel 'softmax [^']*' of 'softmax'\./,
    ],
    [
      { pipeline: (l) => /^softmax/.test(l) && 'internal' },
      () => F.cross_entropy(torch.ones(2, 3, on), torch.tensor([1n, 2n], on)),
      'RuntimeError',
      /failed in the kernel 'softmax [^']*' of 'log_softmax in cross_entropy'\./,
    ],
    [
      { pipeline: (l) => /^conv/.test(l) && 'validation' },
      () => F.conv2d(layer(), weight()),
      'RuntimeError',
      /refused the kernel 'conv[^']*' of 'convolution in conv2d'\./,
    ],
    [
      { pipeline: (l) => /exp\+log1p/.test(l) && 'validation' },
      () => torch.ones(3, on).exp().log1p().exp().sin(),
      'RuntimeError',
      /refused the kernel '[^']*exp\+log1p[^']*' of '[^']*exp, log1p, sin'\./,
    ],
    [
      { buffer: (d) => d.size > 2 ** 20 && 'out-of-memory' },
      () => torch.cat([torch.ones(2 ** 18, on), torch.ones(9, on)]),
      'OutOfMemoryError',
      /out of memory, for a command of 'cat'\./,
    ],
    [{ dispatch: true }, () => torch.ones(3, on).cumsum(0), 'RuntimeError', /refused a command of [^]*'cumsum'/],
  ]) {
    await startWith(refusing(refuses))
    await assert.rejects(async () => void (await run().toArray()), { code, message })
    assert.throws(() => torch.ones(1, on), message)
  }
  // Of a derivative: its kernels are made after those of the convolution.
  let backward = false
  await startWith(refusing({ pipeline: () => backward && 'validation' }))
  const w = weight().requires_grad_()
  const y = F.conv2d(layer(), w)
  await y.toArray()
  backward = true
  y.backward(torch.ones_like(y))
  await assert.rejects(async () => void (await w.grad.toArray()), /refused the kernel '[^']*' of '[^']*in ConvolutionBackward0/)
  await startReal()
})

test('what only elements tell says which operator found it', async () => {
  const at = torch.tensor([1n, 9n], on)
  const x = torch.ones(4, 3, on)
  for (const [run, name, code] of [
    [() => x.at(at), 'index', 'IndexError'],
    [() => x.index_select(0, at), 'index_select', 'IndexError'],
    [() => x.gather(0, at.view(1, 2)), 'gather', 'IndexError'],
    [() => nn.functional.embedding(at, x), 'embedding', 'IndexError'],
    [() => nn.functional.cross_entropy(x.narrow(0, 0, 2), at), 'nll_loss_forward in cross_entropy', 'IndexError'],
    [() => torch.linalg.inv(torch.zeros(2, 2, on)), 'linalg_inv', 'RuntimeError'],
    [() => torch.bernoulli(x.mul(3)), 'bernoulli', 'RuntimeError'],
    [() => torch.tensor([2000000000n], on).mul(3).add(1), 'mul, add', 'RuntimeError'],
  ])
    await assert.rejects(async () => void (await run().toArray()), { code, message: new RegExp(`found on the device webgpu by '${name}'`) })
  assert.deepEqual(await x.sum().item(), 12)
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
      message: new RegExp(`takes 2097152 bytes on the device, and the adapter binds at most 1048576 \\(${name}\\)[^]*asked for by 'ones'`),
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
  const wide = torch.arange(2 * 3000, { ...on, dtype: 'float32' }).view(2, 3000)
  assert.deepEqual(await torch.ones(3, 2, on).mm(wide).select(0, 2).toArray(), (await wide.cpu()).sum(0).toArray())
  const image = torch.ones(1, 1, 50, 50, on)
  assert.equal(
    await nn.functional
      .conv2d(image, torch.ones(2, 1, 3, 3, on))
      .sum()
      .item(),
    2 * 9 * 48 * 48,
  )
  const start = torch.arange(40, { ...on, dtype: 'float32' }).view(40, 1, 1)
  assert.deepEqual(
    await torch
      .baddbmm(start, torch.ones(40, 1, 2, on), torch.ones(40, 2, 1, on))
      .reshape(-1)
      .toArray(),
    Array.from({ length: 40 }, (_, i) => i + 2),
  )
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

test('what waits and cannot be given to the GPU rejects reads', async () => {
  await startWith((device) => {
    const limits = {}
    for (const key in device.limits) limits[key] = device.limits[key]
    return { limits: { ...limits, maxComputeWorkgroupsPerDimension: 1 } }
  })
  const message = /needs 1 x 2 x 1 workgroups, and the adapter takes 1 in each dimension/
  const x = torch.ones(100, on)
  await assert.rejects(async () => void (await x.add(1).toArray()), message)
  x.exp()
  await assert.rejects(async () => void (await torch.webgpu.sync_device()), message)
  assert.throws(() => torch.ones(1, on), message)
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
