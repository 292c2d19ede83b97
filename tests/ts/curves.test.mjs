// Training curves recorded from PyTorch: the same seed gives the same initial values, the same order of rows and the same losses.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import torch, { nn } from 'torch.js'
import { readDigits } from '../../build/examples/digits/classifier.js'
import { RUNS } from './curves.mjs'

const CASES = process.env.TORCHJS_CASES ?? '../shared/golden'
const { curves } = JSON.parse(gunzipSync(readFileSync(join(CASES, 'reference/curves.json.gz'))))
const { train } = readDigits(torch, readFileSync('examples/data/digits.csv', 'utf8'))
const rows = train.labels.shape[0]

const flat = (t) => Array.from(t.detach().contiguous().data(), Number)

for (const curve of curves) {
  test(`${curve.name}: initial values, first permutation and 100 losses are PyTorch's`, () => {
    const run = RUNS[curve.name]
    assert.ok(run, `the curve ${curve.name} has no program here`)
    torch.manual_seed(curve.seed)
    const model = run.model()
    // Newer PyTorch than the one that recorded the curves prints one more field of batch norm.
    assert.equal(String(model).replace('affine=True, bias=True', 'affine=True'), curve.module)
    const optimizer = run.optimizer(model.parameters())
    const state = model.state_dict()
    assert.deepEqual(Object.keys(state), Object.keys(curve.init))
    for (const [name, value] of Object.entries(curve.init)) assert.deepEqual(flat(state[name]), [value.data].flat(Infinity), name)

    const losses = []
    for (let epoch = 0; losses.length < 100; epoch++) {
      const order = torch.randperm(rows)
      if (epoch === 0) assert.deepEqual(flat(order), curve.first_permutation)
      for (let first = 0; first < rows && losses.length < 100; first += curve.batch) {
        const batch = order.at([first, Math.min(first + curve.batch, rows)])
        optimizer.zero_grad()
        const loss = nn.functional.cross_entropy(model.forward(run.input(train.images.at(batch))), train.labels.at(batch))
        loss.backward()
        optimizer.step()
        losses.push(loss.item())
        const after = curve.after_step[losses.length]
        if (!after) continue
        const now = model.state_dict()
        for (const [name, value] of Object.entries(after)) {
          if (run.noise?.includes(name)) continue
          const got = flat(now[name]),
            want = [value.data].flat(Infinity)
          const scale = Math.max(...want.map(Math.abs), 1e-6)
          got.forEach((x, i) =>
            assert.ok(Math.abs(x - want[i]) <= 1e-3 * scale, `after step ${losses.length}, ${name}[${i}]: ${x}, PyTorch ${want[i]}`),
          )
        }
      }
    }
    const worst = Math.max(...losses.map((l, i) => Math.abs(l - curve.losses[i]) / Math.abs(curve.losses[i])))
    assert.ok(worst <= 1e-5, `the largest relative difference of a loss is ${worst}`)
  })
}
