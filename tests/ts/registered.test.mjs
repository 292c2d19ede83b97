// dtypes and devices of one's own, on the cpu.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import torch from '../../dist/index.js'

const hamilton = ([a, b, c, d], [e, f, g, h]) => [
  a.mul(e).sub(b.mul(f)).sub(c.mul(g)).sub(d.mul(h)),
  a.mul(f).add(b.mul(e)).add(c.mul(h)).sub(d.mul(g)),
  a.mul(g).sub(b.mul(h)).add(c.mul(e)).add(d.mul(f)),
  a.mul(h).add(b.mul(g)).sub(c.mul(f)).add(d.mul(e)),
]
const quaternion = (name, more = {}) =>
  torch.register_dtype({
    name,
    components: 4,
    componentType: 'float32',
    zero: [0, 0, 0, 0],
    component_names: ['w', 'x', 'y', 'z'],
    promotes_from: ['float32', 'int64'],
    promotes_to: 'float64',
    multiply: hamilton,
    ...more,
  })

for (const layout of ['interleaved', 'planar'])
  test(`a dtype of four components, ${layout}`, () => {
    const q = quaternion(`quaternion_${layout}`, { layout })
    const i = q.tensor([[0, 1, 0, 0]])
    const j = q.tensor([[0, 0, 1, 0]])
    assert.deepEqual([...i.shape], [1])
    assert.equal(i.dtype, `quaternion_${layout}`)
    assert.deepEqual(i.mul(j).toArray(), [[0, 0, 0, 1]]) // ij = k
    assert.deepEqual(j.mul(i).toArray(), [[0, 0, 0, -1]])
    assert.deepEqual(i.mul(i).toArray(), [[-1, 0, 0, 0]])
    assert.deepEqual(i.add(j).sub(i).toArray(), j.toArray())
    assert.deepEqual(i.mul(3).neg().toArray(), [[-0, -3, -0, -0]])
    assert.deepEqual(i.eq(q.full([2, 1], [0, 1, 0, 0])).toArray(), [[true], [true]])
    const z = q.zeros(2, 3)
    assert.deepEqual([...z.w.shape], [2, 3])
    assert.equal(z.numel(), 6)
    z.x.add_(2) // a view
    assert.equal(z.x.sum().item(), 12)
    assert.equal(z.components.sum().item(), 12)
    // Promotion: a real tensor is the first component.
    assert.deepEqual(i.add(torch.tensor([5])).toArray(), [[5, 1, 0, 0]])
    assert.deepEqual(i.add(torch.tensor([5n])).w.item(), 5)
    assert.throws(() => i.add(torch.tensor([true])), /does not go with one of 'bool'/)
    assert.equal(i.to('float64').dtype, 'float64')
    assert.throws(() => i.to('int32'), /becomes 'float64', not 'int32'/)
    assert.equal(String(i), `tensor([(0, 1, 0, 0)], dtype=quaternion_${layout})`)
    // Gradients flow through components.
    const w = torch.tensor([2], { requires_grad: true })
    const zero = torch.zeros(1)
    q.from_components(w, zero, zero, zero)
      .mul(q.from_components(w, zero, zero, zero))
      .w.sum()
      .backward()
    assert.deepEqual(w.grad.toArray(), [4])
  })

test('what cannot be registered', () => {
  const base = { components: 2, componentType: 'float32', zero: [0, 0] }
  assert.throws(() => torch.register_dtype({ ...base, name: 'float32' }), /there is a dtype 'float32' already/)
  torch.register_dtype({ ...base, name: 'dual', component_names: ['re', 'eps'], allow_component_view: false })
  assert.throws(() => torch.register_dtype({ ...base, name: 'dual' }), /already/)
  assert.throws(() => torch.register_dtype({ ...base, name: 'other', zero: [0] }), /zero must have 2 numbers/)
  assert.throws(() => torch.register_dtype({ ...base, name: 'other', component_names: ['a', 'add'] }), /'add' cannot be the name/)
  assert.throws(() => torch.register_dtype({ ...base, name: 'other', componentType: 'nothing' }), /no dtype 'nothing'/)
  const d = torch.registered_dtype('dual').zeros(2)
  d.re.add_(1) // a copy
  assert.equal(d.re.sum().item(), 0)
  assert.throws(() => d.mul(d), /registered without multiply/)
})

// A device whose memory is typed arrays and whose kernels run in the next turn of the event loop, as a GPU's would.
function arrays(name) {
  const queue = []
  const f32 = (operand) => new Float32Array(operand.buffer.bytes)
  const kernels = {
    relu: ([x], out) => out.set(x.map((v) => Math.max(v, 0))),
    add: ([a, b], out, shapes) => out.set(torch.from_array(a, shapes[0]).add(torch.from_array(b, shapes[1])).data()),
    matmul: ([a, b], out, [[n, k], [, m]]) => {
      for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) for (let l = 0; l < k; l++) out[i * m + j] += a[i * k + l] * b[l * m + j]
    },
  }
  return {
    name,
    launches: 0,
    initialize: async () => ({ description: 'typed arrays' }),
    capabilities: { dtypes: ['float32'], operators: Object.keys(kernels), max_buffer_size: 1024 },
    createBuffer: (size) => ({ bytes: new ArrayBuffer(size) }),
    dispatch({ operator, inputs, output }) {
      this.launches++
      queue.push(() =>
        kernels[operator](
          inputs.map(f32),
          f32(output),
          inputs.map((x) => x.shape),
        ),
      )
    },
    async sync() {
      await null
      for (const run of queue.splice(0)) run()
    },
    writeBuffer: (buffer, data) => new Uint8Array(buffer.bytes).set(new Uint8Array(data)),
    readBuffer: async (buffer) => buffer.bytes.slice(0),
  }
}

test('a device of one’s own computes what the cpu does', async () => {
  const config = arrays('arrays')
  const device = await torch.register_device(config)
  assert.equal(device.context.description, 'typed arrays')
  const x = torch.randn(4, 3)
  const w = torch.randn(3, 5)
  const b = torch.randn(5)
  const there = device.from(x).matmul(device.from(w)).add(device.from(b)).unary('relu')
  assert.equal(there.device, 'arrays')
  assert.deepEqual([...there.shape], [4, 5])
  const back = await there.cpu()
  assert.equal(back.device, 'cpu')
  assert.ok(torch.allclose(back, x.matmul(w).add(b).relu(), { atol: 1e-5 }))
  assert.equal(config.launches, 3)
  assert.throws(() => there.unary('exp'), /exp: the device 'arrays' has no such operator \(it has: relu, add, matmul\)/)
  assert.throws(() => there.matmul(there), /mat1 and mat2 shapes cannot be multiplied \(4x5 and 4x5\)/)
  assert.throws(() => device.from(torch.zeros(2, { dtype: 'int64' })), /no tensors of the dtype 'int64'/)
  assert.throws(() => device.from(torch.zeros(1000)), /no buffers of 4000 bytes/)
  assert.equal(config.launches, 3)
  const other = await torch.register_device(arrays('more_arrays'))
  assert.throws(() => there.add(other.from(b)), /found at least two devices, arrays and more_arrays/)
  await assert.rejects(torch.register_device(config), /there is a device 'arrays' already/)
  await assert.rejects(torch.register_device(arrays('webgpu')), /already/)
  assert.equal(torch.registered_device('arrays'), device)
})

test('records of tensors, and a namespace with defaults of its own', () => {
  const x = torch.tensor(
    [
      [1, 2],
      [3, 4],
    ],
    { dtype: 'float64', requires_grad: true },
  )
  const data = torch.tensor_data(x.mul(2))
  assert.deepEqual([...data.buffer], [2, 4, 6, 8])
  assert.deepEqual(
    [data.shape, data.dtype, data.device, data.requires_grad, data.grad_fn.name],
    [[2, 2], 'float64', 'cpu', true, 'MulBackward0'],
  )
  const back = torch.tensor(data)
  assert.deepEqual(
    [back.toArray(), back.dtype],
    [
      [
        [2, 4],
        [6, 8],
      ],
      'float64',
    ],
  )
  const double = torch.createTorch({ dtype: 'float64' })
  assert.equal(double.zeros(2, 3).dtype, 'float64')
  assert.equal(double.rand([2], { dtype: 'float32' }).dtype, 'float32')
  assert.equal(double.ones([2], { requires_grad: true }).dtype, 'float64')
  assert.equal(double.tensor([1]).dtype, 'float32')
  assert.throws(() => torch.createTorch({ dtype: 'nothing' }), /no dtype 'nothing'/)
  assert.throws(() => torch.createTorch({ seed: 1 }), /unexpected keyword argument 'seed'/)
})
