// Trains a small convolutional network on handwritten digits and writes a report.
//   node build/examples/digits/train.js [--epochs N] [--out DIR]
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import cliProgress from 'cli-progress'
import torch, { nn } from 'torch.js'
import { convnet, readDigits } from './classifier.js'
import { report } from './report.js'

const { values } = parseArgs({ options: { epochs: { type: 'string', default: '25' }, out: { type: 'string', default: 'out/digits' } } })
const epochs = Number(values.epochs)
if (!Number.isInteger(epochs) || epochs < 1) throw new Error(`--epochs has to be a positive integer, not '${values.epochs}'`)
const batchSize = 32
const { train, test } = readDigits(torch, readFileSync('examples/data/digits.csv', 'utf8'))
const count = train.labels.shape[0]!
const batches = Math.ceil(count / batchSize)

torch.manual_seed(0)
const model = convnet(torch)
const optimizer = new torch.optim.AdamW(model.parameters(), { lr: 2e-3 })
const criterion = new nn.CrossEntropyLoss()

/** Class of each test image. */
const predict = (): number[] => torch.no_grad(() => model.forward(test.images).argmax(1).toArray() as number[])
const truth = test.labels.toArray() as number[]
const accuracyOf = (predicted: number[]): number => predicted.filter((p, i) => p === truth[i]).length / truth.length

// A bar on a terminal, a plain line an epoch elsewhere.
const bar = process.stdout.isTTY
  ? new cliProgress.SingleBar(
      { format: 'epoch {epoch}/{epochs} {bar} {value}/{total} loss {loss} | {rate} steps/s | {eta_formatted} left' },
      cliProgress.Presets.shades_classic,
    )
  : null
bar?.start(epochs * batches, 0, { epoch: 1, epochs, loss: '-', rate: '-' })

const losses: number[] = []
const accuracies: number[] = []
const start = performance.now()
for (let epoch = 1; epoch <= epochs; epoch++) {
  const order = torch.randperm(count)
  for (let first = 0; first < count; first += batchSize) {
    const rows = order.at([first, Math.min(first + batchSize, count)])
    optimizer.zero_grad()
    const loss = criterion.forward(model.forward(train.images.at(rows)), train.labels.at(rows))
    loss.backward()
    optimizer.step()
    losses.push(loss.item() as number)
    const rate = (losses.length / ((performance.now() - start) / 1e3)).toFixed(0)
    bar?.update(losses.length, { epoch, epochs, loss: losses.at(-1)!.toFixed(4), rate })
  }
  accuracies.push(accuracyOf(predict()))
  if (!bar) {
    const rate = losses.length / ((performance.now() - start) / 1e3)
    const mean = losses.slice(-batches).reduce((a, b) => a + b) / batches
    console.log(
      `epoch ${epoch}/${epochs}  loss ${mean.toFixed(4)}  test accuracy ${accuracies.at(-1)!.toFixed(4)}  ${rate.toFixed(0)} steps/s`,
    )
  }
}
bar?.stop()
const seconds = (performance.now() - start) / 1e3

const predicted = predict()
const accuracy = accuracyOf(predicted)
mkdirSync(values.out, { recursive: true })
writeFileSync(
  join(values.out, 'report.json'),
  JSON.stringify({ test_accuracy: accuracy, losses, seconds, version: torch.__version__ }, null, 1) + '\n',
)
writeFileSync(
  join(values.out, 'report.html'),
  await report({
    losses,
    accuracies,
    batches,
    truth,
    predicted,
    images: test.images.flatten(1).toArray() as number[][],
    seconds,
    version: torch.__version__,
  }),
)
console.log(`test accuracy ${accuracy.toFixed(4)} after ${epochs} epochs, ${losses.length} steps in ${seconds.toFixed(2)} s`)
console.log(`report: ${join(values.out, 'report.html')}`)
