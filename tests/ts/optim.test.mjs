// Optimizers and learning rate schedulers.
import assert from 'node:assert/strict'
import test from 'node:test'
import torch from 'torch.js'

const { nn, optim } = torch
const { lr_scheduler } = optim
const parameter = () => [new nn.Parameter(torch.ones(1))]
const error = (code, message) => ({ code, message })

/** The first steps of minimising (p - 3)^2 from 1. */
function descend(make, steps = 3) {
  const p = new nn.Parameter(torch.tensor([1], { dtype: 'float64' }))
  const optimizer = make([p])
  const path = []
  for (let i = 0; i < steps; i++) {
    optimizer.zero_grad()
    p.sub(3).pow(2).sum().backward()
    optimizer.step()
    path.push(p.item())
  }
  return path
}

const near = (actual, expected, tolerance = 1e-12) => {
  assert.equal(actual.length, expected.length)
  actual.forEach((value, i) => assert.ok(Math.abs(value - expected[i]) <= tolerance, `${i}: ${value} is not ${expected[i]}`))
}

test('steps by the formulas', () => {
  near(
    descend((p) => new optim.SGD(p, 0.1)),
    [1.4, 1.72, 1.976],
  )
  // v = 0.9 v + g
  near(
    descend((p) => new optim.SGD(p, { lr: 0.1, momentum: 0.9 })),
    [1.4, 2.08, 2.876],
  )
  near(
    descend((p) => new optim.SGD(p, { lr: 0.1, maximize: true }), 1),
    [0.6],
  )
  near(
    descend((p) => new optim.SGD(p, { lr: 0.1, weight_decay: 0.5 }), 1),
    [1.35],
  )
  near(
    descend((p) => new optim.Adam(p, { lr: 0.1 }), 1),
    [1.1],
    1e-9,
  )
  near(
    descend((p) => new optim.AdamW(p, { lr: 0.1, weight_decay: 0.1 }), 1),
    [1.09],
    1e-9,
  )
  near(
    descend((p) => new optim.Adam(p, { lr: 0.1, amsgrad: true }), 1),
    [1.1],
    1e-9,
  )
})

test('groups have options of their own', () => {
  const a = new nn.Parameter(torch.ones(1))
  const b = new nn.Parameter(torch.ones(1))
  const optimizer = new optim.SGD([{ params: [a] }, { params: b, lr: 1 }], { lr: 0.5 })
  a.grad = torch.ones(1)
  b.grad = torch.ones(1)
  optimizer.step()
  assert.deepEqual([a.item(), b.item()], [0.5, 0])
  optimizer.param_groups[0].lr = 0.25
  optimizer.step()
  assert.equal(a.item(), 0.25)
  optimizer.add_param_group({ params: [new nn.Parameter(torch.ones(1))], momentum: 0.9 })
  assert.equal(optimizer.param_groups[2].momentum, 0.9)
  assert.equal(optimizer.param_groups[2].lr, 0.5)
})

test('a parameter without a gradient is left alone', () => {
  const [a] = parameter()
  const [b] = parameter()
  const optimizer = new optim.Adam([a, b])
  a.grad = torch.ones(1)
  optimizer.step()
  assert.equal(b.item(), 1)
  assert.equal(optimizer.state.size, 1)
  optimizer.zero_grad({ set_to_none: false })
  assert.equal(a.grad.item(), 0)
  optimizer.zero_grad()
  assert.equal(a.grad, null)
})

test('the state outlives a scope around the step', () => {
  for (const make of [(p) => new optim.Adam(p), (p) => new optim.SGD(p, { lr: 0.1, momentum: 0.9 })]) {
    const [p] = parameter()
    const optimizer = make([p])
    for (let i = 0; i < 3; i++) {
      torch.scope(() => {
        optimizer.zero_grad()
        p.mul(2).sum().backward()
        optimizer.step()
      })
    }
    assert.ok(p.item() < 1)
    assert.ok(String(Object.values(optimizer.state_dict().state[0])))
  }
})

test('closures', async () => {
  const [p] = parameter()
  const optimizer = new optim.SGD([p], { lr: 0.1 })
  const loss = torch.no_grad(() =>
    optimizer.step(() => {
      optimizer.zero_grad()
      const l = p.mul(2).sum()
      l.backward()
      return l
    }),
  )
  assert.equal(loss.item(), 2)
  assert.ok(Math.abs(p.item() - 0.8) < 1e-6)
  assert.equal(await optimizer.step(async () => 7), 7)
})

test('state_dict has the structure of PyTorch and goes there and back', () => {
  const make = () => {
    torch.manual_seed(0)
    return new nn.Linear(2, 2)
  }
  const train = (net, optimizer, steps) => {
    for (let i = 0; i < steps; i++) {
      optimizer.zero_grad()
      net.forward(torch.ones(1, 2)).pow(2).sum().backward()
      optimizer.step()
    }
    return net.weight.toArray()
  }
  for (const options of [{ lr: 0.1 }, { lr: 0.1, amsgrad: true }]) {
    const one = make()
    const first = new optim.Adam(one.parameters(), options)
    train(one, first, 2)
    const state = first.state_dict()
    assert.deepEqual(Object.keys(state.state), ['0', '1'])
    assert.deepEqual(Object.keys(state.state[0]), ['step', 'exp_avg', 'exp_avg_sq', ...(options.amsgrad ? ['max_exp_avg_sq'] : [])])
    assert.equal(state.state[0].step.item(), 2)
    assert.deepEqual(state.param_groups[0].params, [0, 1])
    const copied = structuredStates(state)
    const two = make()
    two.load_state_dict(one.state_dict())
    const second = new optim.Adam(two.parameters(), { lr: 5 })
    second.load_state_dict(copied)
    assert.equal(second.param_groups[0].lr, 0.1)
    assert.deepEqual(train(two, second, 2), train(one, first, 2))
  }
  const sgd = new optim.SGD(parameter(), { momentum: 0.9 })
  sgd.param_groups[0].params[0].grad = torch.ones(1)
  sgd.step()
  assert.deepEqual(Object.keys(sgd.state_dict().state[0]), ['momentum_buffer'])
  assert.throws(
    () => sgd.load_state_dict({ state: {}, param_groups: [] }),
    error('ValueError', 'loaded state dict has a different number of parameter groups'),
  )
  assert.throws(
    () => sgd.load_state_dict({ state: {}, param_groups: [{ params: [] }] }),
    error('ValueError', "loaded state dict contains a parameter group that doesn't match the size of optimizer's group"),
  )
})

function structuredStates(state) {
  const clone = (v) => (v instanceof torch.Tensor ? v.clone() : v)
  return {
    state: Object.fromEntries(
      Object.entries(state.state).map(([id, entry]) => [id, Object.fromEntries(Object.entries(entry).map(([k, v]) => [k, clone(v)]))]),
    ),
    param_groups: state.param_groups.map((group) => ({ ...group })),
  }
}

test('texts', () => {
  assert.equal(
    String(new optim.SGD(parameter())),
    'SGD (\nParameter Group 0\n    dampening: 0\n    differentiable: False\n    foreach: None\n    fused: None\n    lr: 0.001\n    maximize: False\n    momentum: 0\n    nesterov: False\n    weight_decay: 0\n)',
  )
  assert.equal(
    String(new optim.Adam(parameter())),
    'Adam (\nParameter Group 0\n    amsgrad: False\n    betas: (0.9, 0.999)\n    capturable: False\n    decoupled_weight_decay: False\n    differentiable: False\n    eps: 1e-08\n    foreach: None\n    fused: None\n    lr: 0.001\n    maximize: False\n    weight_decay: 0\n)',
  )
  assert.match(String(new optim.SGD([{ params: parameter(), lr: 3 }, { params: parameter() }])), /weight_decay: 0\n\nParameter Group 1\n/)
  assert.match(String(new optim.SGD([['w', parameter()[0]]])), /param_names: \['w'\]/)
})

test('what is refused', () => {
  const [p] = parameter()
  const cases = [
    [() => new optim.SGD([], { lr: 0.1 }), 'ValueError', 'optimizer got an empty parameter list'],
    [() => new optim.SGD([torch.ones(2)], { lr: -1 }), 'ValueError', 'Invalid learning rate: -1'],
    [() => new optim.SGD([torch.ones(2)], { lr: NaN }), 'ValueError', 'Invalid learning rate: nan'],
    [
      () => new optim.SGD(torch.ones(2)),
      'TypeError',
      'params argument given to the optimizer should be an iterable of Tensors or dicts, but got torch.FloatTensor',
    ],
    [() => new optim.SGD([3]), 'TypeError', 'optimizer can only optimize Tensors, but one of the params is int'],
    [() => new optim.SGD([p.mul(2)]), 'ValueError', "can't optimize a non-leaf Tensor"],
    [() => new optim.SGD([{ params: new Set([p]) }]), 'TypeError', /need to be organized in ordered collections/],
    [() => new optim.SGD([{ params: p }, { params: p }]), 'ValueError', 'some parameters appear in more than one parameter group'],
    [() => new optim.SGD([p], { momentum: -1 }), 'ValueError', 'Invalid momentum value: -1'],
    [() => new optim.SGD([p], { weight_decay: -1 }), 'ValueError', 'Invalid weight_decay value: -1'],
    [() => new optim.SGD([p], { nesterov: true }), 'ValueError', 'Nesterov momentum requires a momentum and zero dampening'],
    [() => new optim.SGD([p], { lr: torch.ones(2) }), 'ValueError', 'Tensor lr must be 1-element'],
    [() => new optim.SGD([p], { fused: true, foreach: true }), 'RuntimeError', '`fused` and `foreach` cannot be `True` together.'],
    [() => new optim.SGD([p], { nosuch: 1 }), 'TypeError', /unexpected keyword argument 'nosuch'; known are: params, lr/],
    [
      () => new optim.SGD([['a', p], torch.ones(1)]),
      'ValueError',
      'all optimizer params should be with/without names. Some param names are missing',
    ],
    [
      () => new optim.SGD([{ params: [p] }, { params: [['a', parameter()[0]]] }]),
      'ValueError',
      'all optimizer param groups should be with/without names. cannot add param group with names to the optimizer',
    ],
    [() => new optim.SGD([p]).add_param_group(3), 'TypeError', "param_group must be a dict, but got <class 'int'>"],
    [() => new optim.Adam([p], { betas: [1, 0.9] }), 'ValueError', 'Invalid beta parameter at index 0: 1.0'],
    [() => new optim.Adam([p], { betas: [0.9, 1] }), 'ValueError', 'Invalid beta parameter at index 1: 1.0'],
    [() => new optim.Adam([p], { eps: -1 }), 'ValueError', 'Invalid epsilon value: -1'],
    [
      () => new optim.Adam([p], { lr: torch.tensor(0.1), foreach: true }),
      'ValueError',
      'lr as a Tensor is not supported for capturable=False and foreach=True',
    ],
    [() => new lr_scheduler.StepLR(3, 3), 'TypeError', 'int is not an Optimizer'],
    [
      () => new lr_scheduler.OneCycleLR(new optim.SGD([p]), { max_lr: 1 }),
      'ValueError',
      'You must define either total_steps OR (epochs AND steps_per_epoch)',
    ],
    [() => new lr_scheduler.LambdaLR(new optim.SGD([p]), [() => 1, () => 1]), 'ValueError', 'Expected 1 lr_lambdas, but got 2'],
    [
      () => new lr_scheduler.ConstantLR(new optim.SGD([p]), 2),
      'ValueError',
      'Constant multiplicative factor expected to be between 0 and 1.',
    ],
    [() => new lr_scheduler.ReduceLROnPlateau(new optim.SGD([p]), { mode: 'foo' }), 'ValueError', 'mode foo is unknown!'],
  ]
  for (const [run, code, message] of cases) assert.throws(run, error(code, message))
})

test('a learning rate may be a tensor', () => {
  const [p] = parameter()
  const lr = torch.tensor(0.5)
  const optimizer = new optim.SGD([p], { lr })
  const scheduler = new lr_scheduler.ExponentialLR(optimizer, 0.5)
  p.grad = torch.ones(1)
  optimizer.step()
  assert.equal(p.item(), 0.5)
  scheduler.step()
  assert.equal(lr.item(), 0.25)
})

test('a scheduler goes on where its state was saved', () => {
  const make = () => {
    const optimizer = new optim.SGD(parameter(), { lr: 0.1 })
    return [optimizer, new lr_scheduler.CosineAnnealingLR(optimizer, 10)]
  }
  const [a, first] = make()
  for (let i = 0; i < 4; i++) {
    a.step()
    first.step()
  }
  const [b, second] = make()
  b.load_state_dict(a.state_dict())
  second.load_state_dict(first.state_dict())
  for (let i = 0; i < 3; i++) {
    a.step()
    b.step()
    first.step()
    second.step()
  }
  assert.deepEqual(second.get_last_lr(), first.get_last_lr())
})
