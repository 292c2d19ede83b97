// Programs made up at random: straight lines of tensor operations, each of which the compiler and the engine have to judge alike. A program is
// written step by step and run as it is written, so that only its last step may fail.
import torch from '../../dist/index.js'

/** A small generator of random numbers: the same programs every time. */
export function random(seed) {
  let s = seed >>> 0
  const next = () => {
    s = (Math.imul(s ^ (s >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0
    return ((Math.imul(s ^ (s >>> 13), 0x297a2d39) >>> 0) % 1e6) / 1e6
  }
  const int = (low, high) => low + Math.floor(next() * (high - low + 1))
  const pick = (list) => list[int(0, list.length - 1)]
  return { next, int, pick, chance: (p) => next() < p }
}

const SIZES = [1, 1, 2, 3, 4, 5, 6, 8, 12]
const shapeText = (s) => s.join(', ')
const zeros = (s, options = '') => `torch.zeros([${shapeText(s)}]${options})`

export function operations(r) {
  const size = () => r.pick(SIZES)
  const shape = (low = 0, high = 4) => Array.from({ length: r.int(low, high) }, size)
  // A dimension, now and then one that is not there.
  const dim = (s) => (r.chance(0.06) ? r.pick([s.length, -s.length - 1, 7]) : s.length ? r.int(-s.length, s.length - 1) : r.pick([0, -1]))
  const dims = (s) => {
    const all = s.map((_, i) => i).filter(() => r.chance(0.5))
    const list = all.map((d) => (r.chance(0.3) ? d - s.length : d))
    if (r.chance(0.05)) list.push(r.pick([0, s.length]))
    return `[${list.join(', ')}]`
  }
  const keep = () => r.pick(['', ', true', ', false', ', { keepdim: true }'])
  // A shape that broadcasts with s, now and then one that does not.
  const partner = (s) => {
    const t = s.map((n) => (r.chance(0.3) ? 1 : n)).slice(r.int(0, Math.min(2, s.length)))
    if (r.chance(0.15)) t.unshift(...shape(1, 1))
    if (r.chance(0.12) && t.length) t[r.int(0, t.length - 1)] = size()
    return t
  }
  const maybe = (n) => (r.chance(0.12) ? size() : n)
  const reshaped = (s) => {
    const n = s.reduce((a, b) => a * b, 1)
    const out = []
    let left = n
    while (left > 1 && out.length < 3) {
      const d = r.pick([2, 3, 4, 5, 6, left].filter((k) => left % k === 0))
      out.push(d)
      left /= d
    }
    if (left > 1 || r.chance(0.1)) out.push(left)
    if (r.chance(0.3) && out.length) out[r.int(0, out.length - 1)] = -1
    if (r.chance(0.08)) out.push(r.pick([2, -1]))
    return out
  }
  const unary = [
    'relu',
    'exp',
    'neg',
    'sqrt',
    'tanh',
    'abs',
    'sigmoid',
    'clone',
    'contiguous',
    'detach',
    'isnan',
    'logical_not',
    'cos',
    'floor',
  ]
  const binary = ['add', 'mul', 'sub', 'div', 'maximum', 'pow', 'gt', 'eq', 'logical_and', 'atan2']
  const reduce = ['sum', 'mean', 'amax', 'amin', 'logsumexp', 'var', 'std', 'nansum', 'all', 'any']
  const one = ['argmax', 'argmin', 'prod']
  const F = 'torch.nn.functional'
  const conv = (n) => {
    const cin = r.pick([1, 2, 3])
    const cout = r.pick([1, 2, 4])
    const k = Array.from({ length: n }, () => r.int(1, 4))
    const input = [...(r.chance(0.8) ? [r.int(1, 3)] : []), maybe(cin), ...Array.from({ length: n }, () => r.int(3, 9))]
    if (r.chance(0.05)) input.pop()
    const options = [
      r.chance(0.5) && `stride: ${r.int(1, 3)}`,
      r.chance(0.5) && `padding: ${r.chance(0.5) || n !== 2 ? r.int(0, 2) : '[1, 2]'}`,
      r.chance(0.3) && `dilation: ${r.int(1, 2)}`,
    ].filter(Boolean)
    return [input, `${F}.conv${n}d(${zeros(input)}, ${zeros([cout, cin, ...k])}, null, { ${options.join(', ')} })`]
  }
  return {
    unary: (x) => `${x}.${r.pick(unary)}()`,
    binary: (x, s) =>
      r.chance(0.15)
        ? `${x}.${r.pick(['add', 'mul', 'gt'])}(${r.pick([2, 1.5])})`
        : `${x}.${r.pick(binary)}(${zeros(partner(s), r.pick(['', '', `, { dtype: 'int64' }`, `, { dtype: 'float64' }`]))})`,
    inplace: (x, s) => `${x}.clone().add_(${zeros(partner(s))})`,
    reduceAll: (x) => `${x}.${r.pick(['sum', 'mean', 'amax', 'std', 'any'])}()`,
    reduceDims: (x, s) => `${x}.${r.pick(reduce)}(${r.chance(0.5) ? dim(s) : dims(s)}${keep()})`,
    reduceOne: (x, s) => `${x}.${r.pick(one)}(${dim(s)}${keep()})`,
    extreme: (x, s) => `${x}.${r.pick(['max', 'min', 'median', 'mode'])}(${dim(s)}${keep()}).${r.pick(['values', 'indices'])}`,
    scan: (x, s) => `${x}.${r.pick(['cumsum', 'cumprod', 'softmax', 'log_softmax', 'argsort'])}(${dim(s)})`,
    matmul: (x, s) => {
      const k = s.at(-1) ?? 3
      const other =
        s.length >= 2 && r.chance(0.4)
          ? [...s.slice(0, -2).map((n) => maybe(r.chance(0.3) ? 1 : n)), maybe(k), size()]
          : r.chance(0.3)
            ? [maybe(k)]
            : [maybe(k), size()]
      return `${x}.matmul(${zeros(other)})`
    },
    mm: (x, s) => `${x}.mm(${zeros([maybe(s.at(-1) ?? 2), size()])})`,
    bmm: (x, s) => `${x}.bmm(${zeros([maybe(s[0] ?? 2), maybe(s.at(-1) ?? 2), size()])})`,
    linear: (x, s) => `${F}.linear(${x}.float(), ${zeros([size(), maybe(s.at(-1) ?? 2)])})`,
    reshape: (x, s) =>
      `${x}.${r.pick(['reshape', 'contiguous().view'])}(${r.chance(0.5) ? shapeText(reshaped(s)) || '[]' : `[${shapeText(reshaped(s))}]`})`,
    flatten: (x, s) => `${x}.flatten(${r.pick(['', '1', `${dim(s)}`, `0, ${dim(s)}`, '{ start_dim: 1 }'])})`,
    squeeze: (x, s) => `${x}.squeeze(${r.pick(['', `${dim(s)}`, dims(s)])})`,
    unsqueeze: (x, s) => `${x}.unsqueeze(${r.int(-s.length - 1, s.length + (r.chance(0.1) ? 1 : 0))})`,
    transpose: (x, s) => `${x}.transpose(${dim(s)}, ${dim(s)})`,
    t: (x) => `${x}.t()`,
    permute: (x, s) => {
      const p = s.map((_, i) => i)
      for (let i = p.length - 1; i > 0; i--) {
        const j = r.int(0, i)
        ;[p[i], p[j]] = [p[j], p[i]]
      }
      if (r.chance(0.08)) p.push(0)
      return `${x}.permute([${p.map((d) => (r.chance(0.2) ? d - s.length : d)).join(', ')}])`
    },
    movedim: (x, s) => `${x}.movedim(${dim(s)}, ${dim(s)})`,
    expand: (x, s) => `${x}.expand([${[...shape(0, 1), ...s.map((n) => (n === 1 ? size() : r.chance(0.3) ? -1 : maybe(n)))].join(', ')}])`,
    select: (x, s) => `${x}.select(${dim(s)}, ${r.int(-2, 2)})`,
    narrow: (x, s) => `${x}.narrow(${dim(s)}, ${r.int(0, 2)}, ${r.int(0, 3)})`,
    chunk: (x, s) => `${x}.chunk(${r.int(1, 4)}, ${dim(s)})[0]`,
    split: (x, s) => `${x}.split(${r.int(1, 4)}, ${dim(s)})[0]`,
    unbind: (x, s) => `${x}.unbind(${dim(s)})[0]`,
    flip: (x, s) => `${x}.flip(${dims(s)})`,
    roll: (x, s) => `${x}.roll(1, ${dim(s)})`,
    cat: (x, s) => {
      const d = dim(s)
      const at = d < 0 ? d + s.length : d
      return `torch.cat([${x}, ${zeros(s.map((n, i) => (i === at ? size() : maybe(n))))}], ${d})`
    },
    stack: (x, s) => `torch.stack([${x}, ${zeros(s.map(maybe))}], ${r.int(-s.length - 1, s.length)})`,
    repeat: (x, s) =>
      `${x}.repeat([${s
        .map(() => r.int(1, 3))
        .concat(r.chance(0.2) ? [2] : [])
        .slice(r.chance(0.05) ? 1 : 0)
        .join(', ')}])`,
    tile: (x) => `${x}.tile([${r.int(1, 3)}, ${r.int(1, 2)}])`,
    gather: (x, s) =>
      `${x}.gather(${dim(s)}, ${zeros(s.map((n) => (r.chance(0.5) ? n : Math.max(1, n - 1))).concat(r.chance(0.05) ? [1] : []), `, { dtype: 'int64' }`)})`,
    indexSelect: (x, s) => `${x}.index_select(${dim(s)}, ${zeros([r.int(1, 4)], `, { dtype: 'int64' }`)})`,
    topk: (x, s) => `${x}.topk(${r.int(1, 4)}, ${dim(s)}).values`,
    sort: (x, s) => `${x}.sort(${dim(s)}).indices`,
    diag: (x) => `${x}.diag(${r.int(-1, 1)})`,
    diagonal: (x) => `${x}.diagonal(${r.int(-1, 1)})`,
    tril: (x) => `${x}.${r.pick(['tril', 'triu'])}()`,
    unflatten: (x, s) => `${x}.unflatten(${dim(s)}, [${r.pick(['2, -1', '-1, 2', '1, -1', '3, 2'])}])`,
    unfold: (x, s) => `${x}.unfold(${dim(s)}, ${r.int(1, 3)}, ${r.int(1, 2)})`,
    at: (x, s) =>
      `${x}.at(${s
        .slice(0, r.int(0, s.length) + (r.chance(0.05) ? 1 : 0))
        .map((n) =>
          r.pick([
            `${r.int(-n, n - 1)}`,
            'null',
            `[0, ${r.int(0, n)}]`,
            `[${r.int(-n, 0)}, null]`,
            '[null, null, 2]',
            r.chance(0.1) ? `${n}` : '0',
          ]),
        )
        .concat(r.chance(0.2) ? [`'newaxis'`] : [])
        .join(', ')})`,
    where: (x, s) => `torch.where(${x}.gt(0), ${x}, ${r.chance(0.5) ? '0' : zeros(partner(s))})`,
    clamp: (x) => `${x}.clamp(${r.pick(['0', '0, 1', '{ min: 0 }', 'null, 1'])})`,
    maskedFill: (x, s) => `${x}.masked_fill(${zeros(partner(s), `, { dtype: 'bool' }`)}, 1)`,
    to: (x) => `${x}.${r.pick([`to('float64')`, 'long()', 'double()', 'bool()', `to('int32')`])}`,
    layerNorm: (x, s) =>
      `${F}.layer_norm(${x}.float(), [${s
        .slice(r.int(0, Math.max(0, s.length - 1)))
        .map(maybe)
        .join(', ')}])`,
    crossEntropy: () => {
      const n = r.int(1, 4)
      return `${F}.cross_entropy(${zeros([n, 5])}, ${zeros([maybe(n)], `, { dtype: 'int64' }`)}${r.pick(['', `, { reduction: 'none' }`, `, { reduction: 'sum' }`])})`
    },
    mse: (x, s) => `${F}.mse_loss(${x}.float(), ${zeros(s)}, { reduction: ${r.pick([`'none'`, `'mean'`])} })`,
    embedding: (_x, s) => `${F}.embedding(${zeros(s, `, { dtype: 'int64' }`)}, ${zeros([10, size()])})`,
    conv1d: () => conv(1)[1],
    conv2d: () => conv(2)[1],
    pool: () => {
      const n = r.pick([1, 2])
      const input = [r.int(1, 2), r.int(1, 3), ...Array.from({ length: n }, () => r.int(2, 9))]
      return r.pick([
        `${F}.max_pool${n}d(${zeros(input)}, ${r.int(1, 4)})`,
        `${F}.max_pool${n}d(${zeros(input)}, ${r.int(2, 3)}, { stride: ${r.int(1, 3)}, padding: 1, ceil_mode: ${r.chance(0.5)} })`,
        `${F}.avg_pool${n}d(${zeros(input)}, ${r.int(1, 4)}, ${r.int(1, 3)})`,
        `${F}.adaptive_avg_pool${n}d(${zeros(input)}, ${r.int(1, 4)})`,
      ])
    },
    pad: (x) => `${F}.pad(${x}, [${r.int(0, 2)}, ${r.int(0, 2)}])`,
    inverse: (x) => `${r.pick(['torch.linalg.det', 'torch.linalg.svdvals', 'torch.linalg.matrix_exp', 'torch.linalg.pinv'])}(${x})`,
    linearModule: (x, s) => `new torch.nn.Linear(${maybe(s.at(-1) ?? 2)}, ${size()}).forward(${x}.float())`,
    sequential: (x, s) =>
      `new torch.nn.Sequential(new torch.nn.Linear(${s.at(-1) ?? 2}, 4), new torch.nn.ReLU(), new torch.nn.Linear(${maybe(4)}, 3)).forward(${x}.float())`,
    normModule: (x, s) => `new torch.nn.LayerNorm(${maybe(s.at(-1) ?? 2)}).forward(${x}.float())`,
    item: (x) => `torch.tensor(${x}.float().item())`,
    creation: () =>
      r.pick([
        'torch.arange(7)',
        'torch.eye(3)',
        'torch.eye(2, 3)',
        'torch.linspace(0, 1, 5)',
        'torch.randn(2, 3)',
        'torch.full([2, 2], 1.5)',
        'torch.tensor([[1, 2, 3], [4, 5, 6]])',
        'torch.rand([3])',
        'torch.randperm(4)',
        'torch.ones(2, 1)',
      ]),
    start: () => zeros(shape(), r.pick(['', '', '', `, { dtype: 'int64' }`, `, { dtype: 'float64' }`])),
  }
}

const run = (expression, names, values) => new Function('torch', ...names, `return ${expression}`)(torch, ...values)

/** The programs: { lines: [{ name, text, shape, dtype, error }] }; an error is the message of the last line. */
export function programs(count, seed) {
  const r = random(seed)
  const ops = operations(r)
  const kinds = Object.keys(ops).filter((k) => k !== 'start')
  const out = []
  for (let i = 0; i < count; i++) {
    const lines = []
    const names = []
    const values = []
    const steps = r.int(1, 4)
    for (let k = 0; k <= steps; k++) {
      const x = names.at(-1)
      const kind = k === 0 ? 'start' : r.pick(kinds)
      const shape = k === 0 ? [] : [...values.at(-1).shape]
      if (k > 0 && (values.at(-1).numel() > 5000 || values.at(-1).numel() === 0)) break
      const text = ops[kind](x, shape)
      const name = `p${i}_${k}`
      let value = null
      let error = null
      try {
        value = run(text, names, values)
      } catch (e) {
        if (e.name !== 'Error' && !('code' in e)) throw e
        error = e.message
      }
      lines.push({ name, kind, text, error, shape: value && [...value.shape], dtype: value?.dtype })
      if (error) break
      names.push(name)
      values.push(value)
    }
    out.push(lines)
  }
  return out
}
