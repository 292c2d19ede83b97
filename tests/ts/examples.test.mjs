// The examples run and say what is true: probabilities sum to 1, nothing overflows, and the digit classifier learns the same in both languages.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import torch, { nn } from 'torch.js'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..')
const BUILT = join(ROOT, 'build/examples')
const dir = mkdtempSync(join(tmpdir(), 'torchjs-examples-'))
after(() => rmSync(dir, { recursive: true }))

const run = async (command, args) => {
  const { stdout, stderr } = await promisify(execFile)(command, args, { cwd: ROOT, maxBuffer: 1 << 26 })
  assert.equal(stderr, '')
  return stdout
}
const example = (name, ...args) => run(process.execPath, [join(BUILT, name), ...args])

describe('the programs', () => {
  it('language-model: every row of 50000 probabilities sums to 1', async () => {
    const out = await example('language-model.js')
    const [, shape, furthest] = /^probabilities \[([\d, ]+)\], row sums within ([\d.e+-]+) of 1$/m.exec(out) ?? assert.fail(out)
    assert.equal(shape, '32, 128, 50000')
    assert.ok(Number(furthest) <= 1e-6, `within ${furthest}`)
    assert.match(out, /^likeliest next token of the first sequence: \d+$/m)
  })
  it('resnet-head: the three likeliest of 1000 classes for each image', async () => {
    const out = await example('resnet-head.js')
    assert.match(out, /^probabilities \[4, 1000\], row sums tensor\(\[(?:1\.(?:0000)?(?:, )?){4}\]\)$/m)
    const [, classes] = /three likeliest classes of each image tensor\(([\s\S]*?)\) with/.exec(out) ?? assert.fail(out)
    const rows = JSON.parse(classes)
    assert.equal(rows.length, 4)
    for (const row of rows) {
      assert.equal(new Set(row).size, 3)
      assert.ok(row.every((c) => c >= 0 && c < 1000))
    }
  })
  it('patch-embedding: an image to tokens and back', async () => {
    assert.equal(
      await example('patch-embedding.js'),
      `images [4, 3, 224, 224]
patches [4, 196, 768]
sequence [4, 197, 192]
heads [4, 3, 197, 64]
summary [4, 3]
first [4, 192]
grid [4, 192, 14, 14]
restored [4, 3, 224, 224]
the image comes back: true
`,
    )
  })
  it('transformer-block and resnet-block: shapes are those that their types say', async () => {
    assert.equal(await example('transformer-block.js'), 'one block [ 2, 10, 64 ] two [ 2, 10, 64 ]\n')
    assert.equal(await example('resnet-block.js'), 'halved [ 8, 32, 16, 16 ] scores [ 8, 10 ]\n')
  })
  it("temperature: PyTorch's numbers for this seed", async () => {
    assert.equal(
      await example('temperature.js'),
      `temperature 0.5: mean confidence 0.676, mean entropy 0.802 nats
temperature 1: mean confidence 0.499, mean entropy 1.232 nats
temperature 2: mean confidence 0.353, mean entropy 1.490 nats
`,
    )
  })
})

describe('softmax', () => {
  const softmax = new nn.Softmax(-1)
  const log_softmax = new nn.LogSoftmax(-1)
  const close = (got, wanted, tolerance) =>
    got.flat(9).forEach((v, i) => {
      const w = wanted.flat(9)[i]
      assert.ok(
        Object.is(v, w) || v === w || Math.abs(v - w) <= tolerance * Math.max(1, Math.abs(w)),
        `[${got.flat(9)}], expected [${wanted.flat(9)}]`,
      )
    })

  for (const [dtype, tolerance] of [
    ['float32', 1e-6],
    ['float64', 1e-12],
    ['float16', 2e-3],
    ['bfloat16', 1e-2],
  ]) {
    it(`rows of ${dtype} sum to 1, on every way through memory`, () => {
      torch.manual_seed(1)
      for (const sizes of [
        [64, 1000],
        [3, 5, 7],
        [2, 1],
        [1, 4097],
        [4, 33, 6],
      ])
        for (const dim of sizes.keys()) {
          const x = torch.randn(sizes).mul(20).to(dtype)
          const p = nn.functional.softmax(x, dim).to('float64')
          assert.ok(p.sum(dim).sub(1).abs().max().item() <= tolerance, `${sizes} over ${dim}`)
          assert.ok(p.min().item() >= 0 && p.max().item() <= 1 + tolerance)
          // What is not contiguous gives the same.
          const t = nn.functional
            .softmax(x.transpose(0, 1), dim === 0 ? 1 : dim === 1 ? 0 : dim)
            .transpose(0, 1)
            .to('float64')
          assert.ok(t.sub(p).abs().max().item() <= tolerance)
        }
    })
    it(`logits of 1e4 do not overflow in ${dtype}`, () => {
      const x = torch.tensor(
        [
          [1e4, 0, -1e4],
          [1e4, 1e4, -1e4],
          [-1e4, -1e4, -1e4],
        ],
        { dtype },
      )
      close(
        softmax.forward(x).toArray(),
        [
          [1, 0, 0],
          [0.5, 0.5, 0],
          [1 / 3, 1 / 3, 1 / 3],
        ],
        tolerance,
      )
      const ln = Math.log
      close(
        log_softmax.forward(x).toArray(),
        [
          [0, -1e4, -2e4],
          [-ln(2), -ln(2), -2e4 - ln(2)],
          [-ln(3), -ln(3), -ln(3)],
        ],
        tolerance,
      )
    })
    it(`rows of infinities and NaN in ${dtype} are PyTorch's, and touch no other row`, () => {
      const inf = Infinity
      const rows = [
        [-inf, -inf],
        [NaN, 0],
        [inf, 0],
        [-inf, 0],
        [inf, inf],
        [0, 0],
      ]
      const nan = [NaN, NaN]
      const x = torch.tensor(rows, { dtype })
      close(softmax.forward(x).toArray(), [nan, nan, nan, [0, 1], nan, [0.5, 0.5]], tolerance)
      const half = -Math.log(2)
      close(log_softmax.forward(x).toArray(), [nan, nan, nan, [-inf, 0], nan, [half, half]], tolerance)
      close(nn.functional.softmax(x.t(), 0).t().toArray(), [nan, nan, nan, [0, 1], nan, [0.5, 0.5]], tolerance)
    })
  }
})

describe('the digit classifier', () => {
  it('learns, and C gives the losses of TypeScript to the last bit', async () => {
    const epochs = '3'
    const [, c] = await Promise.all([
      example('digits/train.js', '--epochs', epochs, '--out', dir),
      run(join(BUILT, 'digits-c'), ['--epochs', epochs, '--losses']),
    ])
    const report = JSON.parse(readFileSync(join(dir, 'report.json'), 'utf8'))
    const losses = c
      .split('\n')
      .filter((l) => /^[\d.e+-]+$/.test(l))
      .map((l) => Math.fround(Number(l)))
    assert.equal(report.losses.length, 3 * 45)
    assert.deepEqual(losses, report.losses)
    const accuracy = /epoch 3\/3 {2}loss [\d.]+ {2}test accuracy ([\d.]+)/.exec(c)?.[1]
    assert.equal(accuracy, report.test_accuracy.toFixed(4))
    assert.ok(report.test_accuracy > 0.8, `test accuracy ${report.test_accuracy}`)
    const html = readFileSync(join(dir, 'report.html'), 'utf8')
    assert.ok(
      (html.match(/<svg/g) ?? []).length >= 3 && !/https?:\/\/(?!www\.w3\.org)/.test(html),
      'drawings inside, nothing from elsewhere',
    )
  })
})
