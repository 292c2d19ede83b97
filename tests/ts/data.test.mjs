// torch.utils.data: data sets, samplers, loaders, and the random order of PyTorch.
import assert from 'node:assert/strict'
import test from 'node:test'
import torch from 'torch.js'

const {
  BatchSampler,
  ConcatDataset,
  DataLoader,
  Dataset,
  IterableDataset,
  RandomSampler,
  SequentialSampler,
  StackDataset,
  Subset,
  SubsetRandomSampler,
  TensorDataset,
  WeightedRandomSampler,
  default_collate,
  default_convert,
  random_split,
} = torch.utils.data
const range = (n) => Array.from({ length: n }, (_, i) => i)
const error = (code, message) => ({ code, message })
const arrays = (v) => (v instanceof torch.Tensor ? v.toArray() : Array.isArray(v) ? v.map(arrays) : v)

test('random orders are those of PyTorch for the same seed', () => {
  // Recorded with PyTorch 2.6, in this order.
  torch.manual_seed(3)
  assert.deepEqual(
    [...new RandomSampler(range(5), { replacement: true, num_samples: 40 })],
    [2, 3, 0, 1, 3, 1, 2, 2, 3, 4, 3, 1, 2, 0, 0, 4, 2, 0, 3, 4, 1, 3, 0, 1, 3, 1, 2, 4, 2, 1, 1, 0, 3, 3, 2, 4, 3, 1, 0, 4],
  )
  assert.deepEqual([...new RandomSampler(range(5), false, 13)], [1, 4, 3, 0, 2, 2, 3, 4, 1, 0, 2, 4, 0])
  assert.ok(Math.abs(torch.rand(1).item() - 0.4716) < 1e-4)
  assert.deepEqual(
    [...new DataLoader(range(5), { shuffle: true })].map((b) => b.item()),
    [1, 4, 3, 2, 0],
  )
  assert.deepEqual([...new SubsetRandomSampler([4, 5, 6])], [5, 4, 6])
  assert.deepEqual([...new WeightedRandomSampler([4, 5, 6], 2, false)], [1, 0])
  assert.ok(Math.abs(torch.rand(1).item() - 0.9492) < 1e-4)
  const parts = random_split(range(10), [0.35, 0.35, 0.3], { generator: new torch.Generator().manual_seed(1) })
  assert.deepEqual(
    parts.map((part) => [...part]),
    [
      [5, 6, 1, 2],
      [0, 8, 9],
      [3, 7, 4],
    ],
  )
})

test('TensorDataset, Subset, ConcatDataset, StackDataset', () => {
  const x = torch.arange(6).reshape(3, 2)
  const y = torch.tensor([7, 8, 9])
  const rows = new TensorDataset(x, y)
  assert.equal(rows.length, 3)
  assert.deepEqual(arrays(rows.get(1)), [[2, 3], 8])
  assert.deepEqual([...rows].length, 3)
  assert.throws(() => new TensorDataset(torch.ones(2), torch.ones(3)), error('AssertionError', 'Size mismatch between tensors'))
  const some = new Subset(rows, [2, 0])
  assert.deepEqual(arrays(some.get(0)), [[4, 5], 9])
  assert.throws(() => some.get(5), error('IndexError', 'list index out of range'))
  const both = new ConcatDataset([[1], [2, 3]])
  assert.deepEqual(both.cumulative_sizes, [1, 3])
  assert.deepEqual([both.get(0), both.get(2), both.get(-1)], [1, 3, 3])
  assert.throws(() => both.get(5), error('IndexError', 'list index out of range'))
  assert.throws(() => both.get(-5), error('ValueError', 'absolute value of index should not exceed dataset length'))
  assert.throws(() => new ConcatDataset([]), error('AssertionError', 'datasets should not be an empty iterable'))
  assert.equal(rows.concat(rows).length, 6)
  assert.deepEqual(new StackDataset([1, 2], [3, 4]).get(1), [2, 4])
  assert.deepEqual(new StackDataset({ a: [1, 2], b: [3, 4] }).get(0), { a: 1, b: 3 })
})

test('random_split divides everything once', () => {
  const parts = random_split(range(11), [0.35, 0.35, 0.3])
  assert.deepEqual(
    parts.map((part) => part.length),
    [4, 4, 3],
  )
  assert.deepEqual(
    parts.flatMap((part) => [...part]).sort((a, b) => a - b),
    range(11),
  )
  const message = 'Sum of input lengths does not equal the length of the input dataset!'
  for (const lengths of [
    [1, 1],
    [0.5, 0.6],
    [0.5, 0.4],
    [-0.5, 0.5],
  ])
    assert.throws(() => random_split([1, 2, 3], lengths), error('ValueError', message))
})

test('samplers', () => {
  assert.deepEqual([...new SequentialSampler(range(3))], [0, 1, 2])
  assert.deepEqual([...new BatchSampler(range(5), 2, false)], [[0, 1], [2, 3], [4]])
  assert.deepEqual(
    [...new BatchSampler(range(5), 2, true)],
    [
      [0, 1],
      [2, 3],
    ],
  )
  assert.equal(new BatchSampler(range(5), 2, false).length, 3)
  assert.equal(new BatchSampler(range(5), 2, true).length, 2)
  const cases = [
    [() => new RandomSampler([]), 'ValueError', 'num_samples should be a positive integer value, but got num_samples=0'],
    [() => new RandomSampler([1], 3), 'TypeError', 'replacement should be a boolean value, but got replacement=3'],
    [
      () => new RandomSampler([1], { num_samples: 1.5 }),
      'ValueError',
      'num_samples should be a positive integer value, but got num_samples=1.5',
    ],
    [() => new BatchSampler([1], 0, false), 'ValueError', 'batch_size should be a positive integer value, but got batch_size=0'],
    [() => new BatchSampler([1], 1, 3), 'ValueError', 'drop_last should be a boolean value, but got drop_last=3'],
    [() => new WeightedRandomSampler([1], 0), 'ValueError', 'num_samples should be a positive integer value, but got num_samples=0'],
    [() => new WeightedRandomSampler([[1]], 1), 'ValueError', 'weights should be a 1d sequence but given weights have shape (1, 1)'],
  ]
  for (const [run, code, message] of cases) assert.throws(run, error(code, message))
})

test('default_collate', () => {
  assert.deepEqual(arrays(default_collate([torch.ones(2), torch.zeros(2)])), [
    [1, 1],
    [0, 0],
  ])
  assert.deepEqual(
    [default_collate([1, 2]).dtype, default_collate([1n, 2n]).dtype, default_collate([true]).dtype],
    ['float32', 'int64', 'bool'],
  )
  assert.deepEqual(default_collate(['a', 'b']), ['a', 'b'])
  assert.deepEqual(
    arrays(
      default_collate([
        [1, 'a'],
        [2, 'b'],
      ]),
    ),
    [
      [1, 2],
      ['a', 'b'],
    ],
  )
  const batch = default_collate([
    { x: 1, y: torch.ones(2) },
    { x: 2, y: torch.ones(2) },
  ])
  assert.deepEqual(
    [batch.x.toArray(), [...batch.y.shape]],
    [
      [1, 2],
      [2, 2],
    ],
  )
  assert.deepEqual(arrays(default_collate([new Float32Array([1, 2]), new Float32Array([3, 4])])), [
    [1, 2],
    [3, 4],
  ])
  assert.throws(() => default_collate([[1, 2], [3]]), error('RuntimeError', 'each element in list of batch should be of equal size'))
  assert.throws(
    () => default_collate([new Map()]),
    error('TypeError', /^default_collate: batch must contain tensors, .*; found <class 'Map'>$/),
  )
  assert.throws(
    () => default_collate([torch.ones(1), torch.ones(2)]),
    error('RuntimeError', 'stack expects each tensor to be equal size, but got [1] at entry 0 and [2] at entry 1'),
  )
  assert.ok(default_convert(new Float32Array(2)) instanceof torch.Tensor)
})

test('DataLoader', () => {
  const rows = new TensorDataset(torch.arange(10), torch.arange(10).mul(2))
  const loader = new DataLoader(rows, { batch_size: 4 })
  assert.equal(loader.length, 3)
  assert.deepEqual([...loader].map(arrays), [
    [
      [0, 1, 2, 3],
      [0, 2, 4, 6],
    ],
    [
      [4, 5, 6, 7],
      [8, 10, 12, 14],
    ],
    [
      [8, 9],
      [16, 18],
    ],
  ])
  assert.equal([...new DataLoader(rows, { batch_size: 4, drop_last: true })].length, 2)
  assert.deepEqual([...new DataLoader(torch.arange(3), 2)].map(arrays), [[0, 1], [2]])
  assert.deepEqual([...new DataLoader(new Subset(rows, [3, 1]), { batch_size: 2 })].map(arrays), [
    [
      [3, 1],
      [6, 2],
    ],
  ])
  assert.deepEqual([...new DataLoader([5, 6, 7], { batch_size: 2, collate_fn: (samples) => samples.join('+') })], ['5+6', '7'])
  assert.deepEqual([...new DataLoader([5, 6], { batch_size: null })], [5, 6])
  assert.deepEqual(
    [...new DataLoader([5, 6, 7], { sampler: [2, 0] })].map((b) => b.item()),
    [7, 5],
  )
  assert.deepEqual([...new DataLoader([5, 6, 7], { batch_sampler: [[2, 0], [1]] })].map(arrays), [[7, 5], [6]])
  const shuffled = new DataLoader(rows, { batch_size: 3, shuffle: true, generator: new torch.Generator().manual_seed(4) })
  const [first, second] = [0, 1].map(() => [...shuffled].flatMap(([x]) => x.toArray()))
  assert.notDeepEqual(first, second, 'a new order for each pass')
  assert.deepEqual(
    [...first].sort((a, b) => a - b),
    range(10),
  )
  const again = new DataLoader(rows, { batch_size: 3, shuffle: true, generator: new torch.Generator().manual_seed(4) })
  assert.deepEqual(
    [...again].flatMap(([x]) => x.toArray()),
    first,
  )
})

test('rows read at once are what stacking gives', () => {
  class Slow extends Dataset {
    constructor(inner) {
      super()
      this.inner = inner
    }
    get(i) {
      return this.inner.get(i)
    }
    get length() {
      return this.inner.length
    }
  }
  const rows = new TensorDataset(torch.randn(7, 2, 3), torch.arange(7))
  const order = (dataset) => {
    torch.manual_seed(1)
    return [...new DataLoader(dataset, { batch_size: 3, shuffle: true })].map(arrays)
  }
  assert.deepEqual(order(rows), order(new Slow(rows)))
})

test('for await waits for samples', async () => {
  class Later extends Dataset {
    async get(i) {
      await null
      return { x: torch.tensor(i), name: `s${i}` }
    }
    get length() {
      return 3
    }
  }
  const batches = []
  for await (const batch of new DataLoader(new Later(), { batch_size: 2 })) batches.push([batch.x.toArray(), batch.name])
  assert.deepEqual(batches, [
    [
      [0, 1],
      ['s0', 's1'],
    ],
    [[2], ['s2']],
  ])
  const plain = []
  for await (const batch of new DataLoader([1, 2, 3], { batch_size: 2 })) plain.push(batch.toArray())
  assert.deepEqual(plain, [[1, 2], [3]])
})

test('IterableDataset', async () => {
  class Stream extends IterableDataset {
    *[Symbol.iterator]() {
      yield* range(5)
    }
  }
  assert.deepEqual([...new DataLoader(new Stream(), { batch_size: 2 })].map(arrays), [[0, 1], [2, 3], [4]])
  assert.deepEqual([...new DataLoader(new Stream(), { batch_size: 2, drop_last: true })].map(arrays), [
    [0, 1],
    [2, 3],
  ])
  class AsyncStream extends IterableDataset {
    async *[Symbol.asyncIterator]() {
      yield* range(3)
    }
  }
  const got = []
  for await (const batch of new DataLoader(new AsyncStream(), { batch_size: 2 })) got.push(batch.toArray())
  assert.deepEqual(got, [[0, 1], [2]])
  assert.throws(
    () => new DataLoader(new Stream(), { shuffle: true }),
    error('ValueError', /expected unspecified shuffle option, but got shuffle=True$/),
  )
  assert.throws(() => new DataLoader(new Stream()).length, error('TypeError', "object of type 'Stream' has no len()"))
})

test('options that exclude each other', () => {
  const cases = [
    [{ batch_size: 0 }, 'ValueError', 'batch_size should be a positive integer value, but got batch_size=0'],
    [
      { batch_size: 2, batch_sampler: [[0]] },
      'ValueError',
      'batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last',
    ],
    [{ sampler: [0], shuffle: true }, 'ValueError', 'sampler option is mutually exclusive with shuffle'],
    [
      { batch_size: null, drop_last: true },
      'ValueError',
      'batch_size=None option disables auto-batching and is mutually exclusive with drop_last',
    ],
    [{ num_workers: -1 }, 'ValueError', 'num_workers option should be non-negative; use num_workers=0 to disable multiprocessing.'],
    [{ num_workers: 2 }, 'NotImplementedError', /^num_workers=2 is not available/],
    [{ nosuch: 2 }, 'TypeError', /unexpected keyword argument 'nosuch'/],
  ]
  for (const [options, code, message] of cases) assert.throws(() => new DataLoader([1, 2], options), error(code, message))
})
