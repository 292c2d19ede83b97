// nn.Module: registration, walking, state, hooks, text.
import assert from 'node:assert/strict'
import test from 'node:test'
import torch from 'torch.js'

const { nn } = torch

const code = (name, message) => (error) => {
  assert.ok(error instanceof torch.TorchError, String(error))
  assert.equal(error.code, name, error.message)
  if (typeof message === 'string') assert.equal(error.message, message)
  else if (message) assert.match(error.message, message)
  return true
}

class Net extends nn.Module {
  fc1 = new nn.Linear(4, 3)
  scale = new nn.Parameter(torch.ones(3))
  mean = new nn.Buffer(torch.zeros(3))
  scratch = new nn.Buffer(torch.zeros(1), false)
  fc2 = new nn.Linear(3, 2)
  forward(x) {
    return this.fc2.forward(this.fc1.forward(x).mul(this.scale).sub(this.mean))
  }
}

test('fields are members in order of definition', () => {
  const net = new Net()
  assert.deepEqual(
    net.named_parameters().map(([name]) => name),
    ['scale', 'fc1.weight', 'fc1.bias', 'fc2.weight', 'fc2.bias'],
  )
  assert.deepEqual(
    net.named_buffers().map(([name]) => name),
    ['mean', 'scratch'],
  )
  assert.deepEqual(
    net.named_children().map(([name]) => name),
    ['fc1', 'fc2'],
  )
  assert.deepEqual(
    net.named_modules().map(([name]) => name),
    ['', 'fc1', 'fc2'],
  )
  assert.deepEqual(Object.keys(net.state_dict()), ['scale', 'mean', 'fc1.weight', 'fc1.bias', 'fc2.weight', 'fc2.bias'])
  assert.deepEqual(Object.keys(net.state_dict({ prefix: 'net.' })).slice(0, 2), ['net.scale', 'net.mean'])
  assert.equal(net.num_parameters(), 3 + 15 + 8)
  assert.equal(net.parameters({ recurse: false }).length, 1)
  net.fc1.requires_grad_(false)
  assert.equal(net.num_parameters({ trainable_only: true }), 3 + 8)
})

test('replaced members count, each tensor once', () => {
  const net = new Net()
  net.fc2 = new nn.Linear(3, 5, false)
  assert.deepEqual([...net.forward(torch.ones(1, 4)).shape], [1, 5])
  assert.deepEqual(
    net.named_parameters().map(([name]) => name),
    ['scale', 'fc1.weight', 'fc1.bias', 'fc2.weight'],
  )
  net.tied = net.fc1
  assert.equal(net.parameters().length, 4)
  assert.equal(net.named_parameters({ remove_duplicate: false }).length, 6)
  net.fc1.weight = new nn.Parameter(torch.zeros(3, 4))
  assert.equal(net.get_parameter('fc1.weight').sum().item(), 0)
  net.fc1.bias = null
  assert.equal(net.fc1.parameters().length, 1)
  assert.throws(
    () => (net.fc1.weight = torch.ones(3, 4)),
    code('TypeError', "cannot assign 'torch.FloatTensor' as parameter 'weight' (torch.nn.Parameter or None expected)"),
  )
})

test('explicit registration and its errors', () => {
  const m = new nn.Module()
  m.register_parameter('w', new nn.Parameter(torch.ones(2)))
  m.register_parameter('none', null)
  m.register_buffer('b', torch.zeros(2))
  m.register_buffer('temporary', torch.zeros(2), false)
  m.add_module('child', new nn.Identity())
  m.register_module('0', new nn.ReLU())
  assert.deepEqual(Object.keys(m.state_dict()), ['w', 'b'])
  assert.deepEqual(
    m.named_children().map(([name]) => name),
    ['child', '0'],
  )
  assert.ok(m.w instanceof nn.Parameter && m.get_submodule('0') instanceof nn.ReLU)
  m.none = new nn.Parameter(torch.ones(1))
  assert.equal(m.parameters().length, 2)
  m.b = torch.ones(2)
  assert.equal(m.get_buffer('b').sum().item(), 2)
  assert.throws(
    () => m.register_parameter('a', torch.ones(2)),
    code('TypeError', "cannot assign 'torch.FloatTensor' object to parameter 'a' (torch.nn.Parameter or None required)"),
  )
  assert.throws(() => m.register_parameter('a.b', null), code('KeyError', `parameter name can't contain "."`))
  assert.throws(() => m.register_parameter('', null), code('KeyError', `parameter name can't be empty string ""`))
  assert.throws(() => m.register_parameter('forward', null), code('KeyError', "attribute 'forward' already exists"))
  assert.throws(() => m.register_buffer('w', torch.ones(1)), code('KeyError', "attribute 'w' already exists"))
  assert.throws(
    () => m.register_buffer('f', 3),
    code('TypeError', "cannot assign 'int' object to buffer 'f' (torch Tensor or None required)"),
  )
  assert.throws(() => m.add_module('x', 3), code('TypeError', 'int is not a Module subclass'))
  assert.throws(() => m.add_module('x.y', new nn.ReLU()), code('KeyError', `module name can't contain ".", got: x.y`))
  assert.throws(() => m.get_submodule('nosuch'), code('AttributeError', 'Module has no attribute `nosuch`'))
  assert.throws(() => m.get_submodule('w'), code('AttributeError', '`w` is not an nn.Module'))
  assert.throws(() => m.get_parameter('child'), code('AttributeError', '`child` is not an nn.Parameter'))
  assert.throws(() => m.get_buffer('q'), code('AttributeError', 'Module has no attribute `q`'))
  assert.throws(() => m.forward(1), code('NotImplementedError', 'Module [Module] is missing the required "forward" function'))
  assert.throws(() => m.train(3), code('ValueError', 'training mode is expected to be boolean'))
})

test('load_state_dict says what does not fit', () => {
  const net = new nn.Linear(2, 2)
  const source = { weight: torch.full([2, 2], 3), bias: torch.zeros(2) }
  assert.equal(String(net.load_state_dict(source)), '<All keys matched successfully>')
  assert.equal(net.weight.sum().item(), 12)
  assert.ok(net.weight.requires_grad && net.weight instanceof nn.Parameter)
  source.weight.zero_()
  assert.equal(net.weight.sum().item(), 12, 'a copy')
  assert.throws(
    () => net.load_state_dict({ weight: torch.ones(3, 2), bias: torch.ones(2) }),
    code(
      'RuntimeError',
      'Error(s) in loading state_dict for Linear:\n\tsize mismatch for weight: copying a param with shape torch.Size([3, 2]) from checkpoint, the shape in current model is torch.Size([2, 2]).',
    ),
  )
  assert.throws(
    () => net.load_state_dict({}),
    code('RuntimeError', 'Error(s) in loading state_dict for Linear:\n\tMissing key(s) in state_dict: "weight", "bias". '),
  )
  assert.throws(
    () => net.load_state_dict({ weight: torch.ones(2, 2), q: torch.ones(2) }),
    code(
      'RuntimeError',
      'Error(s) in loading state_dict for Linear:\n\tMissing key(s) in state_dict: "bias". \n\tUnexpected key(s) in state_dict: "q". ',
    ),
  )
  const loose = net.load_state_dict({ weight: torch.ones(2, 2), q: torch.ones(2) }, false)
  assert.deepEqual([loose.missing_keys, loose.unexpected_keys], [['bias'], ['q']])
  assert.throws(() => net.load_state_dict([1]), code('TypeError', "Expected state_dict to be dict-like, got <class 'list'>."))
  assert.throws(
    () =>
      new nn.Sequential(net, new nn.Sequential(new nn.Linear(1, 1))).load_state_dict({
        '0.weight': torch.ones(1, 2),
        '1.0.x': torch.ones(1),
        z: torch.ones(2),
      }),
    code(
      'RuntimeError',
      'Error(s) in loading state_dict for Sequential:\n\tMissing key(s) in state_dict: "0.bias", "1.0.weight", "1.0.bias". ' +
        '\n\tUnexpected key(s) in state_dict: "z", "1.0.x". \n\tsize mismatch for 0.weight: copying a param with shape torch.Size([1, 2]) from checkpoint, the shape in current model is torch.Size([2, 2]).',
    ),
  )
  const given = torch.full([2, 2], 7.5)
  net.load_state_dict({ weight: given, bias: torch.zeros(2) }, { assign: true })
  given.fill_(8)
  assert.equal(net.weight.sum().item(), 32, 'assigned, not copied')
})

test('forward and call run each hook once, for subclasses of subclasses too', () => {
  const seen = []
  class Base extends nn.Module {
    forward(x) {
      seen.push('base')
      return x + 1
    }
  }
  class Derived extends Base {
    forward(x) {
      seen.push('derived')
      return super.forward(x) * 10
    }
  }
  const m = new Derived()
  const pre = m.register_forward_pre_hook((module, args) => {
    assert.equal(module, m)
    seen.push('pre')
    return args[0] + 1
  })
  const post = m.register_forward_hook((module, args, output) => {
    seen.push('post')
    return output + args[0]
  })
  assert.equal(m.forward(1), 30 + 2)
  assert.deepEqual(seen.splice(0), ['pre', 'derived', 'base', 'post'])
  assert.equal(m.call(1), 32)
  assert.deepEqual(seen.splice(0), ['pre', 'derived', 'base', 'post'])
  m.register_forward_hook(() => void seen.push('first'), { prepend: true })
  pre.remove()
  m.forward(1)
  assert.deepEqual(seen.splice(0), ['derived', 'base', 'first', 'post'])
  post.remove()
  const all = nn.register_module_forward_hook(() => void seen.push('global'))
  m.call(1)
  assert.deepEqual(seen.splice(0), ['derived', 'base', 'global', 'first'])
  all.remove()
  const arrow = new (class extends nn.Module {
    forward = (x) => x
  })()
  arrow.register_forward_hook(() => 5)
  assert.equal(arrow.forward(1), 5)
  assert.equal(arrow.call(1), 5)
})

test('hooks that always run, hooks with options apart', () => {
  const calls = []
  class Failing extends nn.Module {
    forward(_x, options) {
      if (options?.fail) throw new Error('no')
      return 1
    }
  }
  const m = new Failing()
  m.register_forward_hook(() => void calls.push('always'), { always_call: true })
  m.register_forward_hook(() => void calls.push('sometimes'))
  assert.throws(() => m.forward(1, { fail: true }), /no/)
  assert.deepEqual(calls.splice(0), ['always'])
  m.register_forward_pre_hook((_m, args, kwargs) => [args, { ...kwargs, fail: false }], { with_kwargs: true })
  assert.equal(m.forward(1, { fail: true }), 1)
})

test('full backward hooks see and replace gradients', () => {
  const m = new nn.Linear(2, 2, false)
  m.weight.copy_ &&
    torch.no_grad(() =>
      m.weight.copy_(
        torch.tensor([
          [1, 2],
          [3, 4],
        ]),
      ),
    )
  const log = []
  m.register_full_backward_pre_hook((_m, grad_output) => {
    log.push(['pre', grad_output[0].toArray()])
  })
  const hook = m.register_full_backward_hook((_m, grad_input, grad_output) => {
    log.push(['full', grad_input[0].toArray(), grad_output[0].toArray()])
    return [grad_input[0].mul(10)]
  })
  const x = torch.ones(1, 2, { requires_grad: true })
  m.forward(x).sum().backward()
  assert.deepEqual(log, [
    ['pre', [[1, 1]]],
    ['full', [[4, 6]], [[1, 1]]],
  ])
  assert.deepEqual(x.grad.toArray(), [[40, 60]])
  hook.remove()
  m.forward(torch.ones(1, 2)).sum().backward()
  assert.equal(log.length, 3)
})

test('registration hooks', () => {
  const seen = []
  const handles = [
    nn.register_module_parameter_registration_hook((_m, name) => void seen.push(`parameter ${name}`)),
    nn.register_module_buffer_registration_hook((_m, name) => void seen.push(`buffer ${name}`)),
    nn.register_module_module_registration_hook((_m, name) => void seen.push(`module ${name}`)),
  ]
  const net = new Net()
  net.parameters()
  net.parameters()
  for (const handle of handles) handle.remove()
  assert.deepEqual(seen.sort(), [
    'buffer mean',
    'buffer scratch',
    'module fc1',
    'module fc2',
    'parameter bias',
    'parameter bias',
    'parameter scale',
    'parameter weight',
    'parameter weight',
  ])
})

test('train, eval, apply, requires_grad_, zero_grad', () => {
  const net = new nn.Sequential(new nn.Dropout(0.5), new nn.Linear(2, 2))
  net.eval()
  assert.ok(net.modules().every((m) => !m.training))
  assert.deepEqual(net.forward(torch.ones(1, 2)).shape, net.forward(torch.ones(1, 2)).shape)
  net.train()
  assert.ok(net.get(0).training)
  const names = []
  assert.equal(
    net.apply((m) => names.push(m.constructor.name)),
    net,
  )
  assert.deepEqual(names, ['Dropout', 'Linear', 'Sequential'])
  net.forward(torch.ones(1, 2)).sum().backward()
  net.zero_grad({ set_to_none: false })
  assert.equal(net.get(1).bias.grad.abs().sum().item(), 0)
  net.zero_grad()
  assert.equal(net.get(1).bias.grad, null)
})

test('to and its shorter names convert parameters in place', () => {
  const net = new Net()
  const weight = net.fc1.weight
  assert.equal(net.double(), net)
  assert.equal(net.fc1.weight, weight)
  assert.equal(weight.dtype, 'float64')
  assert.ok(weight.requires_grad && weight.is_leaf)
  assert.equal(net.mean.dtype, 'float64')
  assert.ok(net.mean instanceof nn.Buffer)
  assert.equal(net.to({ dtype: 'float16' }).scale.dtype, 'float16')
  assert.equal(net.to('cpu', 'float32').scale.dtype, 'float32')
  assert.throws(
    () => net.to('int64'),
    code('TypeError', 'nn.Module.to only accepts floating point or complex dtypes, but got desired dtype=torch.int64'),
  )
  const norm = new nn.BatchNorm1d(2).double()
  assert.equal(norm.num_batches_tracked.dtype, 'int64')
  assert.equal(norm.running_mean.dtype, 'float64')
})

test('containers', () => {
  const seq = new nn.Sequential({ conv: new nn.Conv1d(1, 2, 3), act: new nn.ReLU({ inplace: true }) })
  assert.equal(String(seq), 'Sequential(\n  (conv): Conv1d(1, 2, kernel_size=(3,), stride=(1,))\n  (act): ReLU(inplace=True)\n)')
  assert.ok(seq.get(-1) instanceof nn.ReLU)
  seq.append(new nn.Tanh()).extend([new nn.Identity()])
  assert.deepEqual(
    seq.named_children().map(([name]) => name),
    ['conv', 'act', '2', '3'],
  )
  assert.throws(() => new nn.Sequential(new nn.Linear(1, 1)).get(3), code('IndexError', 'index 3 is out of range'))
  assert.throws(() => new nn.Sequential(3), code('TypeError', 'int is not a Module subclass'))
  assert.equal([...seq].length, seq.length)

  const list = new nn.ModuleList([new nn.Linear(1, 2), new nn.Linear(1, 2), new nn.Linear(1, 2), new nn.ReLU()])
  assert.equal(String(list), 'ModuleList(\n  (0-2): 3 x Linear(in_features=1, out_features=2, bias=True)\n  (3): ReLU()\n)')
  list.insert(0, new nn.Tanh())
  assert.equal(list.pop().constructor.name, 'ReLU')
  assert.deepEqual(Object.keys(list.state_dict())[0], '1.weight')
  assert.equal(String(new nn.ModuleList()), 'ModuleList()')

  const dict = new nn.ModuleDict({ a: new nn.Linear(1, 2), b: new nn.Tanh() })
  assert.equal(String(dict), 'ModuleDict(\n  (a): Linear(in_features=1, out_features=2, bias=True)\n  (b): Tanh()\n)')
  assert.ok(dict.has('a') && dict.size === 2)
  assert.equal(dict.pop('b').constructor.name, 'Tanh')
  assert.throws(() => dict.get('b'), code('KeyError', "'b'"))
  assert.deepEqual([...dict.keys()], ['a'])

  const parameters = new nn.ParameterList([torch.ones(1), new nn.Parameter(torch.ones(2, 3))])
  assert.equal(
    String(parameters),
    'ParameterList(\n    (0): Parameter containing: [torch.float32 of size 1]\n    (1): Parameter containing: [torch.float32 of size 2x3]\n)',
  )
  assert.equal(parameters.parameters().length, 2)
  const named = new nn.ParameterDict({ a: torch.ones(1), b: 3 })
  assert.deepEqual(Object.keys(named.state_dict()), ['a'])
  assert.equal(
    String(named),
    'ParameterDict(\n    (a): Parameter containing: [torch.FloatTensor of size 1]\n    (b): Object of type: int\n)',
  )
})

test('texts', () => {
  const cases = [
    [new nn.Linear(3, 4), 'Linear(in_features=3, out_features=4, bias=True)'],
    [new nn.Conv2d(3, 6, 5), 'Conv2d(3, 6, kernel_size=(5, 5), stride=(1, 1))'],
    [new nn.Conv2d(4, 5, 3, { padding: 'same', bias: false }), 'Conv2d(4, 5, kernel_size=(3, 3), stride=(1, 1), padding=same, bias=False)'],
    [new nn.BatchNorm2d(8), 'BatchNorm2d(8, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)'],
    [new nn.BatchNorm1d(10, 0.001, null), 'BatchNorm1d(10, eps=0.001, momentum=None, affine=True, bias=True, track_running_stats=True)'],
    [new nn.LayerNorm([4, 5]), 'LayerNorm((4, 5), eps=1e-05, elementwise_affine=True, bias=True)'],
    [new nn.GroupNorm(3, 6, 0.001), 'GroupNorm(3, 6, eps=0.001, affine=True, bias=True)'],
    [new nn.Dropout(0.3), 'Dropout(p=0.3, inplace=False)'],
    [new nn.Embedding(10, 3, { padding_idx: 0 }), 'Embedding(10, 3, padding_idx=0)'],
    [new nn.CrossEntropyLoss(), 'CrossEntropyLoss()'],
    [new nn.Flatten(), 'Flatten(start_dim=1, end_dim=-1)'],
    [new nn.Unflatten(1, [2, 3]), 'Unflatten(dim=1, unflattened_size=(2, 3))'],
    [new nn.ELU(2), 'ELU(alpha=2.0)'],
    [new nn.GELU(), "GELU(approximate='none')"],
    [new nn.Softplus(), 'Softplus(beta=1.0, threshold=20.0)'],
    [new nn.Softmax(0), 'Softmax(dim=0)'],
    [new nn.MaxPool2d(2), 'MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)'],
    [new nn.AvgPool1d(2, 2, 1), 'AvgPool1d(kernel_size=(2,), stride=(2,), padding=(1,))'],
    [new nn.AdaptiveAvgPool2d([null, 3]), 'AdaptiveAvgPool2d(output_size=(None, 3))'],
    [new nn.Identity(3, { a: 4 }), 'Identity()'],
    [new nn.Parameter(torch.ones(2)), 'Parameter containing:\ntensor([1., 1.], requires_grad=True)'],
    [new nn.Module(), 'Module()'],
  ]
  for (const [value, text] of cases) assert.equal(String(value), text)
})

test('arguments: positional, options, both; errors name them', () => {
  assert.equal(String(new nn.Linear({ in_features: 2, out_features: 3 })), String(new nn.Linear(2, 3)))
  assert.equal(String(new nn.Conv2d({ in_channels: 1, out_channels: 2, kernel_size: 3, padding: 1 })), String(new nn.Conv2d(1, 2, 3, 1, 1)))
  assert.throws(
    () => new nn.Linear(),
    code('TypeError', "Linear.__init__() missing 2 required positional arguments: 'in_features' and 'out_features'"),
  )
  assert.throws(() => new nn.Linear(1), code('TypeError', "Linear.__init__() missing 1 required positional argument: 'out_features'"))
  assert.throws(
    () => new nn.Linear(1, 2, true, 'cpu', 'float32', 6),
    code('TypeError', 'Linear.__init__() takes from 3 to 6 positional arguments but 7 were given'),
  )
  assert.throws(
    () => new nn.Linear(1, 2, { foo: 3 }),
    code('TypeError', /unexpected keyword argument 'foo'; known are: in_features, out_features, bias, device, dtype/),
  )
  assert.throws(
    () => new nn.Linear(1, 2, { in_features: 3 }),
    code('TypeError', "Linear.__init__() got multiple values for argument 'in_features'"),
  )
  assert.throws(() => new nn.Conv2d(3, 4, 3, { groups: 2 }), code('ValueError', 'in_channels must be divisible by groups'))
  assert.throws(
    () => new nn.Conv2d(3, 4, 3, { padding: 'same', stride: 2 }),
    code('ValueError', "padding='same' is not supported for strided convolutions"),
  )
  assert.throws(() => new nn.Dropout(1.5), code('ValueError', 'dropout probability has to be between 0 and 1, but got 1.5'))
  assert.throws(() => new nn.Embedding(3, 4, 5), code('AssertionError', 'Padding_idx must be within num_embeddings'))
  assert.throws(() => new nn.GroupNorm(5, 13), code('ValueError', 'num_channels (13) must be divisible by num_groups (5)'))
  assert.throws(() => new nn.Softmax({ dim: true }), code('TypeError', "dim must be an int or None, got <class 'bool'>"))
  assert.throws(() => new nn.BatchNorm2d(3).forward(torch.ones(2, 3)), code('ValueError', 'expected 4D input (got 2D input)'))
  assert.throws(
    () => new nn.Parameter(torch.arange(3)),
    code('RuntimeError', 'Only Tensors of floating point and complex dtype can require gradients'),
  )
})

test('a parameter shares memory, is a leaf, and a tensor', () => {
  const data = torch.ones(2)
  const p = new nn.Parameter(data)
  data.fill_(3)
  assert.deepEqual(p.toArray(), [3, 3])
  assert.ok(p instanceof torch.Tensor && p.is_leaf && p.requires_grad)
  assert.ok(!new nn.Parameter(data, false).requires_grad)
  assert.ok(!new nn.Parameter(data, { requires_grad: false }).requires_grad)
  assert.deepEqual([...new nn.Parameter().shape], [0])
  assert.ok(!(p.add(1) instanceof nn.Parameter))
})

test('BatchNorm keeps statistics', () => {
  const m = new nn.BatchNorm1d(2)
  const x = torch.tensor([
    [1, 2],
    [3, 6],
  ])
  m.forward(x)
  assert.equal(Number(m.num_batches_tracked.item()), 1)
  assert.ok(torch.allclose(m.running_mean, torch.tensor([0.2, 0.4])))
  assert.ok(torch.allclose(m.running_var, torch.tensor([1.1, 1.7])))
  m.eval()
  m.forward(x)
  assert.equal(Number(m.num_batches_tracked.item()), 1)
  m.reset_running_stats()
  assert.equal(m.running_mean.sum().item(), 0)
  const plain = Object.fromEntries(Object.entries(m.state_dict()).filter(([name]) => name !== 'num_batches_tracked'))
  m.load_state_dict(plain)
})
