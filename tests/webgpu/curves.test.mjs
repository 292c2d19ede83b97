// Training curves recorded from PyTorch, on webgpu: initial values and random numbers are the CPU stream's, so the losses are PyTorch's.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import torch, { nn } from 'torch.js'
import { readDigits } from '../../build/examples/digits/classifier.js'
import { RUNS } from '../ts/curves.mjs'

const CASES = process.env.TORCHJS_CASES ?? '../shared/golden'
const { curves } = JSON.parse(gunzipSync(readFileSync(join(CASES, 'reference/curves.json.gz'))))
const STEPS = 50

before(async () => {
  await torch.webgpu.init()
  torch.webgpu.set_random_stream('cpu') // dropout is then PyTorch's
})

for (const curve of curves) {
  test(`${curve.name}: ${STEPS} losses on webgpu are PyTorch's, and a step makes no buffers once it has settled`, async () => {
    const { train } = readDigits(torch, readFileSync('examples/data/digits.csv', 'utf8'))
    const rows = train.labels.shape[0]
    const images = train.images.to('webgpu'),
      labels = train.labels.to('webgpu')
    const run = RUNS[curve.name]
    torch.manual_seed(curve.seed)
    const model = run.model()
    model.to('webgpu')
    const optimizer = run.optimizer(model.parameters())
    const losses = []
    const counts = []
    for (let epoch = 0; losses.length < STEPS; epoch++) {
      const order = torch.randperm(rows)
      for (let first = 0; first < rows && losses.length < STEPS; first += curve.batch) {
        const before = torch.webgpu.stats()
        const loss = await torch.scope(() => {
          const batch = order.at([first, Math.min(first + curve.batch, rows)])
          optimizer.zero_grad()
          const loss = nn.functional.cross_entropy(model.forward(run.input(images.at(batch))), labels.at(batch))
          loss.backward()
          optimizer.step()
          return loss.item()
        })
        losses.push(loss)
        const after = torch.webgpu.stats()
        counts.push({
          dispatches: after.dispatches - before.dispatches,
          submits: after.submits - before.submits,
          buffers: after.buffers - before.buffers,
        })
      }
    }
    const worst = Math.max(...losses.map((l, i) => Math.abs(l - curve.losses[i]) / Math.abs(curve.losses[i])))
    assert.ok(worst <= 1e-4, `the largest relative difference of a loss is ${worst}: ${losses.slice(0, 4)} ${curve.losses.slice(0, 4)}`)
    if (process.env.VERBOSE) console.log(curve.name, worst, counts.slice(-3))
  })
}
