// What happens to calls that are wrong: a TorchError with PyTorch's message and the right numbers, inputs as they were, nothing left behind.
// First a table, where the messages were taken from PyTorch; then every function of the package with every kind of wrong argument.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import torch, { Tensor, TorchError } from 'torch.js'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..')
const F = torch.nn.functional
const o = (...sizes) => torch.ones(...sizes)
const i = (...values) => torch.tensor(values.map(BigInt))
const b = (...values) => torch.tensor(values)
const leaf = (...sizes) => torch.ones(...sizes).requires_grad_()
const gone = () => {
  const x = torch.ones(2)
  x.dispose()
  return x
}
const int64 = { dtype: 'int64' }
const DISPOSED = ['DisposedError', 'a tensor was used after its disposal']
const no_memory = (bytes) => ['OutOfMemoryError', `DefaultCPUAllocator: can't allocate memory: you tried to allocate ${bytes} bytes.`]
const range = (low, high, got) => ['IndexError', `Dimension out of range (expected to be in range of [${low}, ${high}], but got ${got})`]
const positional = (name, argument, wanted, got, position = 1) => [
  'TypeError',
  `${name}(): argument '${argument}' (position ${position}) must be ${wanted}, not ${got}`,
]

// what: [inputs, call, code, message]
const TABLE = {
  'sizes of new tensors': [
    [[], () => torch.zeros(2, -3), 'RuntimeError', 'Trying to create tensor with negative dimension -3: [2, -3]'],
    [[], () => torch.zeros(NaN), ...positional('zeros', 'size', 'tuple of ints', 'float')],
    [[], () => torch.zeros(Infinity), ...positional('zeros', 'size', 'tuple of ints', 'float')],
    [[], () => torch.zeros(1.5), ...positional('zeros', 'size', 'tuple of ints', 'float')],
    [[], () => torch.zeros('3'), ...positional('zeros', 'size', 'tuple of ints', 'str')],
    [[], () => torch.zeros(() => 3), ...positional('zeros', 'size', 'tuple of ints', 'function')],
    [
      [],
      () => torch.zeros([2, NaN]),
      'TypeError',
      "zeros(): argument 'size' (position 1) must be tuple of ints, but found element of type float at pos 1",
    ],
    [
      [],
      () => torch.zeros(new Array(2)),
      'TypeError',
      "zeros(): argument 'size' (position 1) must be tuple of ints, but found element of type undefined at pos 0",
    ],
    [[], () => torch.zeros(Array(65).fill(1)), 'RuntimeError', 'only tensors with up to 64 dims are supported, but got 65 sizes'],
    [[], () => torch.empty(2 ** 60), ...no_memory('4611686018427387904')],
    [[], () => torch.empty(2 ** 53 + 2), ...no_memory('36028797018963976')],
    [[], () => torch.zeros(2 ** 44, { dtype: 'bool' }), ...no_memory('17592186044416')],
    [[], () => torch.randn(2 ** 42), ...no_memory('17592186044416')],
    [[], () => torch.empty(2 ** 32, 2 ** 32), 'RuntimeError', 'Storage size calculation overflowed with sizes=[4294967296, 4294967296]'],
    [[], () => torch.empty(2 ** 61, 4), 'RuntimeError', 'Storage size calculation overflowed with sizes=[2305843009213693952, 4]'],
    [[], () => torch.empty(2n ** 70n), 'RuntimeError', 'Overflow when unpacking long'],
    [[], () => torch.eye(-1), 'RuntimeError', 'n must be greater or equal to 0, got -1'],
    [[], () => torch.randperm(-1), 'RuntimeError', 'Trying to create tensor with negative dimension -1: [-1]'],
    [[], () => torch.linspace(0, 1, -1), 'RuntimeError', 'number of steps must be non-negative'],
    [[], () => torch.arange(0, 10, 0), 'RuntimeError', 'step must be nonzero'],
    [[], () => torch.arange(0, 10, -1), 'RuntimeError', 'upper bound and larger bound inconsistent with step sign'],
    [[], () => torch.arange(0, Infinity), 'RuntimeError', 'unsupported range: 0 -> inf'],
    [() => [o(3)], (x) => x.repeat(-1), 'RuntimeError', 'Trying to create tensor with negative dimension -3: [-3]'],
    [() => [o(1)], (x) => x.expand(2 ** 60).clone(), ...no_memory('4611686018427387904')],
  ],
  'data of new tensors': [
    [[], () => torch.tensor([[1, 2], [3]]), 'ValueError', 'expected sequence of length 2 at dim 1 (got 1)'],
    [[], () => torch.tensor([[[1, 2], [3]], [[4]]]), 'ValueError', 'expected sequence of length 2 at dim 2 (got 1)'],
    [[], () => torch.tensor([[1, 2], 3]), 'TypeError', 'not a sequence'],
    [[], () => torch.tensor('abc'), 'TypeError', "new(): invalid data type 'str'"],
    [[], () => torch.tensor(['a']), 'ValueError', "too many dimensions 'str'"],
    [[], () => torch.tensor(null), 'RuntimeError', 'Could not infer dtype of NoneType'],
    [[], () => torch.tensor(undefined), 'RuntimeError', 'Could not infer dtype of undefined'],
    [[], () => torch.tensor({}), 'RuntimeError', 'Could not infer dtype of dict'],
    [[], () => torch.tensor(() => 1), 'RuntimeError', 'Could not infer dtype of function'],
    [[], () => torch.from_array(new Float32Array(3), [2, 2]), 'RuntimeError', "shape '[2, 2]' is invalid for input of size 3"],
    [[], () => torch.full([2], 300, { dtype: 'uint8' }), 'RuntimeError', 'value cannot be converted to type uint8_t without overflow'],
  ],
  'options, dtypes and devices': [
    [[], () => torch.zeros(2, { dtype: 'float33' }), 'TypeError', "zeros(): argument 'dtype' must be torch.dtype, not str 'float33'"],
    [[], () => torch.zeros(2, { dtype: 3 }), 'TypeError', "zeros(): argument 'dtype' must be torch.dtype, not int"],
    [
      [],
      () => torch.zeros(2, { device: 'cuda' }),
      'RuntimeError',
      'Expected one of cpu, webgpu device type at start of device string: cuda',
    ],
    [
      [],
      () => torch.zeros(2, { device: 'cuda:0' }),
      'RuntimeError',
      'Expected one of cpu, webgpu device type at start of device string: cuda',
    ],
    [[], () => torch.zeros(2, { device: 'no such device' }), 'RuntimeError', "Invalid device string: 'no such device'"],
    [[], () => torch.zeros(2, { device: 'cpu:1' }), 'RuntimeError', 'CPU device index must be -1 or zero, got 1'],
    [[], () => torch.zeros(2, { device: 7 }), 'TypeError', "zeros(): argument 'device' must be torch.device, not int"],
    [[], () => torch.zeros(2, { device: 'webgpu' }), 'DeviceError', /^the device webgpu:0 is not available/],
    [[], () => torch.tensor([1], { device: 'webgpu' }), 'DeviceError', /^the device webgpu:0 is not available/],
    [() => [o(2)], (x) => x.to('webgpu'), 'DeviceError', /^the device webgpu:0 is not available/],
    [() => [o(2)], (x) => x.to('cuda'), 'RuntimeError', 'Expected one of cpu, webgpu device type at start of device string: cuda'],
    [() => [o(2)], (x) => x.to('cuda:0'), 'RuntimeError', 'Expected one of cpu, webgpu device type at start of device string: cuda'],
    [[], () => torch.tensor([1], { dtype: 'float33' }), 'TypeError', /float33/],
    [
      [],
      () => torch.tensor([1], { requires: true }),
      'TypeError',
      "tensor() got an unexpected keyword argument 'requires' (known: dtype, device, requires_grad)",
    ],
    [() => [o(2)], (x) => x.sum({ dims: 1 }), 'TypeError', /^sum\(\) got an unexpected keyword argument 'dims'/],
    [() => [o(2)], (x) => F.gelu(x, { approximate: 'x' }), 'RuntimeError', 'approximate argument must be either none or tanh.'],
    [() => [o(2), o(2)], (x, y) => F.mse_loss(x, y, { reduction: 'avg' }), 'ValueError', 'avg is not a valid value for reduction'],
  ],
  'arguments of other types': [
    [() => [o(2)], (x) => x.add('1'), ...positional('add', 'other', 'Tensor', 'str')],
    [() => [o(2)], (x) => x.add(null), ...positional('add', 'other', 'Tensor', 'NoneType')],
    [() => [o(2)], (x) => x.add(() => 1), ...positional('add', 'other', 'Tensor', 'function')],
    [() => [o(2)], (x) => x.matmul([1, 2]), ...positional('matmul', 'other', 'Tensor', 'list')],
    [() => [o(2)], (x) => x.matmul(new Map()), ...positional('matmul', 'other', 'Tensor', 'Map')],
    [() => [o(2)], (x) => x.add(1, 2, 3), 'TypeError', 'add() takes 1 positional argument but 3 were given'],
    [[], () => torch.relu({ handle: 1, shape: [2] }), 'TypeError', /^relu\(\)/],
    [[], () => torch.relu(Object.create(Tensor.prototype)), ...DISPOSED],
    [[], () => torch.manual_seed('x'), 'TypeError', 'manual_seed expected an int, but got str'],
    [[], () => torch.manual_seed(NaN), 'TypeError', 'manual_seed expected an int, but got float'],
    [() => [o(2)], (x) => x.unsqueeze(NaN), ...positional('unsqueeze', 'dim', 'int', 'float')],
    [() => [o(2)], (x) => x.unsqueeze(0.5), ...positional('unsqueeze', 'dim', 'int', 'float')],
    [() => [o(2)], (x) => x.cumsum(2 ** 60), ...range(-1, 0, '1152921504606846976')],
    [() => [o(2)], (x) => x.cumsum(2n ** 70n), 'RuntimeError', 'Overflow when unpacking long'],
  ],
  'sizes that do not fit': [
    [
      () => [o(2, 3), o(4, 3)],
      (x, y) => x.add(y),
      'RuntimeError',
      'The size of tensor a (2) must match the size of tensor b (4) at non-singleton dimension 0',
    ],
    [() => [o(2), o(3, 2)], (x, y) => x.add_(y), 'RuntimeError', "output with shape [2] doesn't match the broadcast shape [3, 2]"],
    [
      () => [o(1)],
      (x) => x.expand(3).add_(1),
      'RuntimeError',
      'unsupported operation: more than one element of the written-to tensor refers to a single memory location. Please clone() the tensor before performing the operation.',
    ],
    [() => [o(2, 3), o(2, 3)], (x, y) => x.mm(y), 'RuntimeError', 'mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)'],
    [() => [o(2), o(2, 3)], (x, y) => x.mm(y), 'RuntimeError', 'self must be a matrix'],
    [() => [o(2, 3), o(2, 3)], (x, y) => x.bmm(y), 'RuntimeError', 'batch1 must be a 3D tensor'],
    [() => [o(2, 2), o(2)], (x, y) => x.dot(y), 'RuntimeError', '1D tensors expected, but got 2D and 1D tensors'],
    [
      () => [o(2), o(3)],
      (x, y) => x.dot(y),
      'RuntimeError',
      'inconsistent tensor size, expected tensor [2] and src [3] to have the same number of elements, but got 2 and 3 elements respectively',
    ],
    [() => [o(6)], (x) => x.reshape(4), 'RuntimeError', "shape '[4]' is invalid for input of size 6"],
    [() => [o(6)], (x) => x.reshape(-1, -1), 'RuntimeError', 'only one dimension can be inferred'],
    [() => [o(6)], (x) => x.reshape(-1, 4), 'RuntimeError', "shape '[-1, 4]' is invalid for input of size 6"],
    [
      () => [o(2, 3)],
      (x) => x.t().view(6),
      'RuntimeError',
      "view size is not compatible with input tensor's size and stride (at least one dimension spans across two contiguous subspaces). Use .reshape(...) instead.",
    ],
    [
      () => [o(3)],
      (x) => x.expand(2, 2),
      'RuntimeError',
      'The expanded size of the tensor (2) must match the existing size (3) at non-singleton dimension 1.  Target sizes: [2, 2].  Tensor sizes: [3]',
    ],
    [() => [o(2, 3)], (x) => x.permute(0, 0), 'RuntimeError', 'permute(): duplicate dims are not allowed.'],
    [() => [o(2, 3, 4)], (x) => x.t(), 'RuntimeError', 't() expects a tensor with <= 2 dimensions, but self is 3D'],
    [() => [o(2, 3)], (x) => x.transpose(0, 2), ...range(-2, 1, 2)],
    [() => [o(2, 3)], (x) => x.unsqueeze(4), ...range(-3, 2, 4)],
    [() => [o(2, 3)], (x) => x.sum(-3), ...range(-2, 1, -3)],
    [() => [o(2, 3)], (x) => x.sum([0, 0]), 'RuntimeError', 'dim 0 appears multiple times in the list of dims'],
    [() => [o(2)], (x) => x.softmax(1), ...range(-1, 0, 1)],
    [
      () => [o(3)],
      (x) => x.as_strided([4], [1]),
      'RuntimeError',
      'setStorage: sizes [4], strides [1], storage offset 0, and itemsize 4 requiring a storage size of 16 are out of bounds for storage of size 12',
    ],
    [
      () => [o(3)],
      (x) => x.as_strided([2], [-1]),
      'RuntimeError',
      'as_strided: Negative strides are not supported at the moment, got strides: [-1]',
    ],
    [() => [o(3)], (x) => x.as_strided([2 ** 40], [2 ** 40]), 'RuntimeError', /storage/i],
    [() => [o(3)], (x) => x.narrow(0, 2, 2), 'RuntimeError', 'start (2) + length (2) exceeds dimension size (3).'],
    [() => [o(3)], (x) => x.narrow(0, 0, -1), 'RuntimeError', 'narrow(): length must be non-negative.'],
    [() => [o(3)], (x) => x.split(0), 'RuntimeError', 'split_size can only be 0 if dimension size is 0, but got dimension size of 3'],
    [
      () => [o(3)],
      (x) => x.split([1, 1]),
      'RuntimeError',
      "split_with_sizes expects split_sizes to sum exactly to 3 (input tensor's size at dimension 0), but got split_sizes=[1, 1]",
    ],
    [() => [o(3)], (x) => x.chunk(0), 'RuntimeError', 'chunk expects `chunks` to be greater than 0, got: 0'],
    [() => [o(3)], (x) => x.unfold(0, 4, 1), 'RuntimeError', 'maximum size for tensor at dimension 0 is 3 but size is 4'],
    [() => [o(3, 3)], (x) => x.diagonal(0, 1, 1), 'RuntimeError', 'diagonal dimensions cannot be identical 1, 1'],
    [() => [o(2, 3)], (x) => x.roll([1, 2], [0]), 'RuntimeError', 'shifts and dimensions must align. shifts: 2, dims:1'],
    [[], () => torch.cat([]), 'RuntimeError', 'torch.cat(): expected a non-empty list of Tensors'],
    [
      () => [o(2, 3), o(3, 2)],
      (x, y) => torch.cat([x, y]),
      'RuntimeError',
      'Sizes of tensors must match except in dimension 0. Expected size 3 but got size 2 for tensor number 1 in the list.',
    ],
    [
      () => [o(2), o(3)],
      (x, y) => torch.stack([x, y]),
      'RuntimeError',
      'stack expects each tensor to be equal size, but got [2] at entry 0 and [3] at entry 1',
    ],
    [
      () => [o(0)],
      (x) => x.max(),
      'RuntimeError',
      "max(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument.",
    ],
    [() => [o(0)], (x) => x.argmax(), 'IndexError', 'argmax(): Expected reduction dim to be specified for input.numel() == 0.'],
    [() => [o(2, 0)], (x) => x.max(1), 'IndexError', 'max(): Expected reduction dim 1 to have non-zero size.'],
    [() => [o(2, 3)], (x) => x.topk(4), 'RuntimeError', 'selected index k out of range'],
    [() => [o(3)], (x) => x.kthvalue(0), 'RuntimeError', 'kthvalue(): selected number k out of range for dimension 0'],
    [() => [o(2)], (x) => x.item(), 'RuntimeError', 'a Tensor with 2 elements cannot be converted to Scalar'],
    [
      () => [o(1, 3, 4, 4), o(2, 4, 3, 3)],
      (x, w) => F.conv2d(x, w),
      'RuntimeError',
      'Given groups=1, weight of size [2, 4, 3, 3], expected input[1, 3, 4, 4] to have 4 channels, but got 3 channels instead',
    ],
    [
      () => [o(1, 3, 2, 2), o(2, 3, 3, 3)],
      (x, w) => F.conv2d(x, w),
      'RuntimeError',
      "Calculated padded input size per channel: (2 x 2). Kernel size: (3 x 3). Kernel size can't be greater than actual input size",
    ],
    [
      () => [o(3, 4), o(2, 3, 3, 3)],
      (x, w) => F.conv2d(x, w),
      'RuntimeError',
      'Expected 3D (unbatched) or 4D (batched) input to conv2d, but got input of size: [3, 4]',
    ],
    [() => [o(1, 3, 4, 4), o(2, 3, 3, 3)], (x, w) => F.conv2d(x, w, { stride: 0 }), 'RuntimeError', 'non-positive stride is not supported'],
    [
      () => [o(1, 1, 2, 2)],
      (x) => F.max_pool2d(x, 5),
      'RuntimeError',
      'Given input size: (1x2x2). Calculated output size: (1x0x0). Output size is too small',
    ],
    [() => [o(2, 3), o(4, 5)], (x, w) => F.linear(x, w), 'RuntimeError', 'mat1 and mat2 shapes cannot be multiplied (2x3 and 5x4)'],
    [
      () => [o(2, 3)],
      (x) => F.layer_norm(x, [4]),
      'RuntimeError',
      'Given normalized_shape=[4], expected input with shape [*, 4], but got input of size[2, 3]',
    ],
    [
      () => [o(2, 3, 4)],
      (x) => F.group_norm(x, 2),
      'RuntimeError',
      'Expected number of channels in input to be divisible by num_groups, but got input of shape [2, 3, 4] and num_groups=2',
    ],
    [
      () => [o(1, 3)],
      (x) => F.batch_norm(x, null, null, { training: true }),
      'ValueError',
      'Expected more than 1 value per channel when training, got input size torch.Size([1, 3])',
    ],
    [
      () => [o(2), o(3)],
      (x, y) => F.binary_cross_entropy(x, y),
      'ValueError',
      'Using a target size (torch.Size([3])) that is different to the input size (torch.Size([2])) is deprecated. Please ensure they have the same size.',
    ],
  ],
  'dtypes that do not fit': [
    [() => [i(1, 2), o(2)], (x, y) => x.add_(y), 'RuntimeError', "result type Float can't be cast to the desired output type Long"],
    [
      () => [torch.ones(2, 2, int64), o(2, 2)],
      (x, y) => x.mm(y),
      'RuntimeError',
      'expected m1 and m2 to have the same dtype, but got: long int != float',
    ],
    [
      () => [i(1, 2)],
      (x) => x.mean(),
      'RuntimeError',
      'mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: Long',
    ],
    [() => [i(1, 2)], (x) => x.softmax(0), 'RuntimeError', '"softmax_lastdim_kernel_impl" not implemented for \'Long\''],
    [
      () => [b(true)],
      (x) => x.neg(),
      'RuntimeError',
      'Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use the `~` or `logical_not()` operator instead.',
    ],
    [() => [o(2)], (x) => x.bitwise_and(x), 'NotImplementedError', '"bitwise_and_cpu" not implemented for \'Float\''],
    [
      () => [o(2), o(2)],
      (x, m) => x.masked_fill(m, 1),
      'RuntimeError',
      'masked_fill_ only supports boolean masks, but got mask with dtype float32',
    ],
    [
      () => [o(2), torch.ones(2, { dtype: 'float64' })],
      (x, y) => x.lerp(y, 0.5),
      'RuntimeError',
      'expected dtype float32 for `end` but got dtype float64',
    ],
    [() => [i(1)], (x) => x.requires_grad_(), 'RuntimeError', 'only Tensors of floating point dtype can require gradients'],
    [
      () => [o(2), o(2), i(1, 2)],
      (x, y, out) => torch.add(x, y, { out }),
      'RuntimeError',
      "result type Float can't be cast to the desired output type Long",
    ],
    [
      () => [o(3)],
      (x) => x.view('float64'),
      'RuntimeError',
      'self.size(-1) must be divisible by 2 to view Float as Double (different element sizes), but got 3',
    ],
  ],
  'values out of range': [
    [() => [o(3), i(7)], (x, k) => x.gather(0, k), 'RuntimeError', 'index 7 is out of bounds for dimension 0 with size 3'],
    [() => [o(3), o(1)], (x, k) => x.gather(0, k), 'RuntimeError', 'gather(): Expected dtype int32/int64 for index'],
    [() => [o(3, 3), i(3)], (x, k) => x.index_select(0, k), 'IndexError', 'index out of range in self'],
    [() => [o(4), i(5)], (x, k) => x.scatter(0, k, 1), 'RuntimeError', 'index 5 is out of bounds for dimension 0 with size 4'],
    [
      () => [o(2, 2), i(5), o(1, 2)],
      (x, k, y) => x.index_add(0, k, y),
      'RuntimeError',
      'index 5 is out of bounds for dimension 0 with size 2',
    ],
    [() => [o(2), i(5), o(1)], (x, k, y) => x.index_add(0, k, y), 'IndexError', 'index out of range in self'],
    [() => [i(9), o(3, 2)], (k, w) => F.embedding(k, w), 'IndexError', 'index out of range in self'],
    [() => [i(3)], (x) => F.one_hot(x, 2), 'RuntimeError', 'Class values must be smaller than num_classes.'],
    [() => [o(2, 3), i(0, 3)], (x, y) => F.cross_entropy(x, y), 'IndexError', 'Target 3 is out of bounds.'],
    [() => [o(2, 3), i(0)], (x, y) => F.cross_entropy(x, y), 'ValueError', 'Expected input batch_size (2) to match target batch_size (1).'],
    [() => [o(2, 2)], (x) => x.at(5), 'IndexError', 'index 5 is out of bounds for dimension 0 with size 2'],
    [() => [o(2, 2), i(5)], (x, k) => x.at(k), 'IndexError', 'index 5 is out of bounds for dimension 0 with size 2'],
    [() => [o(2, 2)], (x) => x.at(0, 0, 0), 'IndexError', 'too many indices for tensor of dimension 2'],
    [
      () => [o(3), b(true, false)],
      (x, m) => x.at(m),
      'IndexError',
      'The shape of the mask [2] at index 0 does not match the shape of the indexed tensor [3] at index 0',
    ],
    [() => [o(2)], (x) => F.dropout(x, 1.5), 'ValueError', 'dropout probability has to be between 0 and 1, but got 1.5'],
    [() => [o(2)], (x) => x.uniform_(1, 0), 'RuntimeError', 'uniform_ expects to return a [from, to) range, but found from=1 > to=0'],
    [[], () => torch.randint(5, 5, [2]), 'RuntimeError', "random_ expects 'from' to be less than 'to', but got from=5 >= to=5"],
    [[], () => torch.normal(0, -1, [2]), 'RuntimeError', 'normal expects std >= 0.0, but found std -1'],
    [
      () => [torch.tensor([-1, 2])],
      (p) => torch.multinomial(p, 1),
      'RuntimeError',
      'probability tensor contains either `inf`, `nan` or element < 0',
    ],
    [
      () => [torch.tensor([1, 2])],
      (p) => torch.multinomial(p, 3),
      'RuntimeError',
      'cannot sample n_sample > prob_dist.size(-1) samples without replacement',
    ],
    [
      () => [torch.tensor([1.5]), o(1)],
      (x, y) => F.binary_cross_entropy(x, y),
      'RuntimeError',
      'all elements of input should be between 0 and 1',
    ],
    [() => [o(2)], (x) => x.clamp(), 'RuntimeError', "torch.clamp: At least one of 'min' or 'max' must not be None"],
  ],
  gradients: [
    [() => [leaf(2)], (x) => x.add_(1), 'RuntimeError', 'a leaf Variable that requires grad is being used in an in-place operation.'],
    [() => [leaf(2)], (x) => x.mul(2).backward(), 'RuntimeError', 'grad can be implicitly created only for scalar outputs'],
    [() => [o(2)], (x) => x.sum().backward(), 'RuntimeError', 'element 0 of tensors does not require grad and does not have a grad_fn'],
    [
      () => [leaf(2), o(2)],
      (x, g) => x.sum().backward(g),
      'RuntimeError',
      'Mismatch in shape: grad_output[0] has a shape of torch.Size([2]) and output[0] has a shape of torch.Size([]).',
    ],
    [
      () => [leaf(2), leaf(2)],
      (x, y) => torch.autograd.grad(x.sum(), y),
      'RuntimeError',
      'One of the differentiated Tensors appears to not have been used in the graph. Set allow_unused=True if this is the desired behavior.',
    ],
    [
      () => [leaf(2)],
      (x) => {
        const y = x.exp().sum()
        torch.autograd.grad(y, x)
        y.backward()
      },
      'RuntimeError',
      /^Trying to backward through the graph a second time \(or directly access saved tensors after they have already been freed\)/,
    ],
    [
      () => [leaf(2, 3)],
      (x) => {
        const y = x.exp()
        const loss = y.mul(2).sum()
        y.mul_(2)
        loss.backward()
      },
      'RuntimeError',
      'one of the variables needed for gradient computation has been modified by an inplace operation: [torch.FloatTensor [2, 3]], which is output 0 of ExpBackward0, is at version 1; expected version 0 instead. Hint: enable anomaly detection to find the operation that failed to compute its gradient, with torch.autograd.set_detect_anomaly(True).',
    ],
  ],
  'disposed tensors': [
    ...[
      (x) => x.add(1),
      (x) => torch.add(1, x),
      (x) => torch.ones(2).add(x),
      (x) => x.add_(1),
      (x) => torch.ones(2).add_(x),
      (x) => torch.cat([x, x]),
      (x) => torch.add(1, 2, { out: x }),
      (x) => x.shape,
      (x) => x.dtype,
      (x) => x.device,
      (x) => x.numel(),
      (x) => x.stride(),
      (x) => x.item(),
      (x) => x.toArray(),
      (x) => x.data(),
      (x) => String(x),
      (x) => [...x],
      (x) => x.length,
      (x) => x.at(0),
      (x) => x.at_put(0, 1),
      (x) => torch.ones(2).at_put(0, x),
      (x) => x.T,
      (x) => x.grad,
      (x) => (x.grad = null),
      (x) => (torch.ones(2).grad = x),
      (x) => x.requires_grad,
      (x) => x.requires_grad_(),
      (x) => x.is_leaf,
      (x) => x.grad_fn,
      (x) => x.backward(),
      (x) => x.detach(),
      (x) => x.clone(),
      (x) => x.to('float64'),
      (x) => x.view(2),
      (x) => x.set_data(torch.ones(2)),
      (x) => torch.ones(2).set_data(x),
      (x) => x.register_hook((g) => g),
      (x) => torch.autograd.grad(x, x),
      (x) => torch.tensor(x),
      (x) => torch.tensor([x]),
      (x) => new torch.nn.Linear(2, 2).forward(x),
      (x) => new torch.nn.Parameter(x),
      (x) => torch.ones(2).is(x),
      (x) => x.unbind(),
      (x) => torch.zeros_like(x),
      (x) => F.cross_entropy(x, x),
    ].map((call) => [() => [gone()], call, ...DISPOSED]),
    [
      () => [],
      () => {
        // The number of a tensor that is gone does not reach the one that took its place.
        const old = torch.ones(2)
        old.dispose()
        const other = torch.zeros(2)
        try {
          return old.add_(1)
        } finally {
          assert.deepEqual(other.toArray(), [0, 0])
        }
      },
      ...DISPOSED,
    ],
  ],
}

const counters = () => {
  const { live_tensors, live_bytes, live_nodes } = torch.memory_stats()
  return { live_tensors, live_bytes, live_nodes }
}
const alive = (x) => {
  try {
    return x.ndim >= 0
  } catch {
    return false
  }
}
const state = (x) =>
  alive(x) && {
    version: x._version,
    values: torch.scope(() => x.detach().toArray()),
    shape: x.shape,
    dtype: x.dtype,
    requires_grad: x.requires_grad,
    grad: x.grad === null,
  }

for (const [group, rows] of Object.entries(TABLE)) {
  describe(group, () => {
    for (const [make, call, code, message] of rows) {
      it(
        call
          .toString()
          .replace(/^\(.*?\) => /, '')
          .replace(/\s+/g, ' ')
          .slice(0, 100),
        () => {
          torch.scope(() => {
            const inputs = typeof make === 'function' ? make() : []
            const states = inputs.map(state)
            const start = counters()
            let error = null
            torch.scope(() => {
              try {
                call(...inputs)
              } catch (e) {
                error = e
              }
            })
            assert.ok(error instanceof TorchError && error instanceof Error, `threw ${error?.stack}`)
            if (message instanceof RegExp) assert.match(error.message, message)
            else assert.equal(error.message, message)
            assert.equal(error.code, code)
            assert.deepEqual(inputs.map(state), states, 'the inputs changed')
            assert.deepEqual(counters(), start, 'something was left behind')
          })
        },
      )
    }
  })
}

// ---- everything ------------------------------------------------------------------------------------------------------

const SHARDS = 2
describe('every function with every kind of wrong argument', () => {
  const found = { faults: [], targets: 0, ended: 0 }
  /** Runs targets from..to in a process of its own; one that crashes or hangs is a fault of the target that was running, and the next one goes on. */
  async function run(shard, from = 0) {
    // With bounded memory, so that an absurd size is refused instead of filling the machine.
    const child = spawn(
      'sh',
      [
        '-c',
        'ulimit -v 8000000; exec "$@"',
        'sh',
        process.execPath,
        '--expose-gc',
        join(ROOT, 'tests/calls/bad.mjs'),
        '--from',
        String(from),
        '--shard',
        `${shard}/${SHARDS}`,
      ],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    let last = { index: -1, name: 'nothing yet' }
    let ended = false
    let stderr = ''
    let timer = null
    const watch = () => {
      clearTimeout(timer)
      timer = setTimeout(() => child.kill('SIGKILL'), 120_000)
    }
    watch()
    child.stderr.on('data', (d) => (stderr = (stderr + d).slice(-2000)))
    const closed = new Promise((resolve) => child.once('close', (status, signal) => resolve(signal ?? `status ${status}`)))
    for await (const line of createInterface({ input: child.stdout })) {
      watch()
      const [kind, ...rest] = line.split('\t')
      if (kind === 'TARGET') {
        last = { index: Number(rest[0]), name: rest[1] }
        found.targets++
      } else if (kind === 'FAULT') found.faults.push(rest.join(': '))
      else if (kind === 'END') ended = true
    }
    const how = await closed
    clearTimeout(timer)
    if (ended) return void found.ended++
    found.faults.push(`${last.name}: the process ended with ${how}: ${stderr}`)
    if (last.index >= 0) await run(shard, last.index + 1)
  }
  before(() => Promise.all(Array.from({ length: SHARDS }, (_, k) => run(k))))
  after(() => torch.manual_seed(0))

  it('reaches all of them', () => {
    assert.equal(found.ended, SHARDS)
    assert.ok(found.targets > 800, `${found.targets} functions and methods`)
  })
  it('throws TorchErrors only, changes nothing and leaves nothing behind', () => assert.deepEqual(found.faults.slice(0, 100), []))
})
