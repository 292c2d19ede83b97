// Groups print, error and rng: small Python programs, run as they stand.
import { judgeError } from './ops.mjs'
import { Python } from './python.mjs'
import { differs, Inexpressible, Missing } from './values.mjs'

// Settings that a program may have changed.
function reset(torch) {
  torch.set_printoptions({ profile: 'default' })
  torch.set_default_dtype('float32')
}

export function runPrint(torch, c) {
  const python = new Python(torch)
  try {
    if (c.setup) python.run(c.setup)
    return compareText(c, python.run(c.code))
  } finally {
    reset(torch)
  }
}

function compareText(c, value) {
  if (typeof value === 'string' || typeof value === 'number' || Array.isArray(value))
    throw new Inexpressible('a plain JavaScript value has no text of PyTorch')
  const text = String(value)
  return text === c.str ? [] : [`${JSON.stringify(text)}, expected ${JSON.stringify(c.str)}`]
}

export function runError(torch, c) {
  let raised = null
  try {
    new Python(torch).run(c.code)
  } catch (e) {
    if (e instanceof Missing || e instanceof Inexpressible) throw e
    raised = e
  } finally {
    reset(torch)
  }
  return judgeError(torch, raised, c)
}

// Integers, permutations and uniforms exactly; what passed through log or cos to 2e-6.
export function runRng(torch, c, blob) {
  torch.manual_seed(c.seed >= 0 && !Number.isSafeInteger(c.seed) ? BigInt(c.seed) : c.seed)
  const value = new Python(torch).run(c.code)
  const exact =
    /torch\.rand\(|randint|randperm|bernoulli|random_|uniform_|dropout\(|rand_like|get_rng_state/.test(c.code) &&
    !/normal|randn/.test(c.code)
  const r = differs(torch, value, c.out, blob, { tolerance: exact ? [0, 0] : [2e-6, 2e-6] })
  return r ? [r] : []
}
