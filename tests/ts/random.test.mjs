// Random streams recorded from PyTorch, generator by generator: integers and uniforms exactly, what passes through log or cos to 2e-6.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import torch from 'torch.js'
import { Python } from '../golden/python.mjs'
import { Inexpressible, Missing, tensorNumbers } from '../golden/values.mjs'

const CASES = process.env.TORCHJS_CASES ?? '../shared/golden'
const { streams } = JSON.parse(gunzipSync(readFileSync(join(CASES, 'reference/random.json.gz'))))
// Needs operators that are not there yet; a name that comes into being has to leave this list.
const MISSING = /MultiheadAttention|Transformer|_standard_gamma|orthogonal_|sparse_/
const NOT_EXACT = /randn|normal|exponential|cauchy|geometric|poisson|multinomial|alpha_dropout|gumbel/

const number = (x) => (typeof x === 'string' ? { nan: NaN, inf: Infinity, '-inf': -Infinity }[x] : x)

for (const s of streams) {
  test(`seed ${s.seed}: ${s.code}`, (t) => {
    torch.manual_seed(s.seed)
    let value
    try {
      value = new Python(torch).run(s.code)
    } catch (e) {
      if ((e instanceof Missing || e instanceof Inexpressible || /not available|not a constructor/.test(e.message)) && MISSING.test(s.code))
        return t.diagnostic(`missing: ${e.message}`)
      throw e
    }
    const got = value instanceof torch.Tensor ? [value] : [...value]
    assert.equal(got.length, s.results.length)
    s.results.forEach((want, k) => {
      assert.equal(got[k].dtype, want.dtype)
      assert.deepEqual([...got[k].shape], want.shape)
      const a = tensorNumbers(got[k]).map(Number),
        b = [want.data].flat(Infinity).map(number).map(Number)
      const tolerance = NOT_EXACT.test(s.code) && !want.dtype.startsWith('int') ? 2e-6 : 0
      b.forEach((y, i) =>
        assert.ok(a[i] === y || Math.abs(a[i] - y) <= tolerance * (1 + Math.abs(y)), `result ${k}, element ${i}: ${a[i]}, PyTorch ${y}`),
      )
    })
  })
}
