// Trains the network, beside the page. Messages in: start, stop, classify; out: ready, progress, epoch, classes, done, failed.
import { convnet, readDigits } from './classifier.js'

let torch, model, test

const next = new MessageChannel()
/** A turn of the event loop: messages come in, and memory of collected tensors goes. */
const turn = () =>
  new Promise((resolve) => {
    next.port1.onmessage = resolve
    next.port2.postMessage(null)
  })

async function load(backend, threads) {
  globalThis.TORCHJS_BACKEND = backend
  ;({ default: torch } = await import('./torch.js/page/torch.js'))
  torch.set_num_threads(threads)
  const digits = readDigits(torch, await (await fetch('digits.csv')).text())
  test = digits.test
  return digits.train
}

const accuracy = () => torch.scope(() => torch.no_grad(() => model.forward(test.images).argmax(1).eq(test.labels).float().mean().item()))

/** Probabilities of the ten classes for 64 pixels from 0 to 1. */
const classify = (pixels) =>
  torch.scope(() =>
    torch.no_grad(() =>
      model
        .forward(torch.tensor(pixels).view(1, 1, 8, 8))
        .softmax(1)
        .view(10)
        .toArray(),
    ),
  )

let stopped = false
async function train(data, epochs) {
  const { nn, optim } = torch
  const batch = 32,
    count = data.labels.shape[0]
  torch.manual_seed(0)
  model = convnet(torch)
  const optimizer = new optim.AdamW(model.parameters(), { lr: 2e-3 })
  const criterion = new nn.CrossEntropyLoss()
  const begin = performance.now()
  let step = 0,
    losses = [],
    told = begin
  const tell = () => {
    postMessage({ kind: 'progress', step, losses, stepsPerSecond: (1e3 * step) / (performance.now() - begin) })
    losses = []
    told = performance.now()
  }
  for (let epoch = 0; epoch < epochs && !stopped; epoch++) {
    const order = torch.randperm(count)
    for (let first = 0; first < count && !stopped; first += batch) {
      losses.push(
        torch.scope(() => {
          const rows = order.at([first, Math.min(first + batch, count)])
          optimizer.zero_grad()
          const loss = criterion.forward(model.forward(data.images.at(rows)), data.labels.at(rows))
          loss.backward()
          optimizer.step()
          return loss.item()
        }),
      )
      step++
      if (performance.now() - told > 50) {
        tell()
        await turn()
      }
    }
    order.dispose()
    tell()
    postMessage({ kind: 'epoch', epoch: epoch + 1, accuracy: accuracy() })
    await turn()
  }
  postMessage({ kind: 'done', stopped })
}

self.onmessage = async ({ data }) => {
  try {
    if (data.kind === 'start') {
      const digits = await load(data.backend, data.threads)
      postMessage({
        kind: 'ready',
        backend: torch.backend,
        threads: torch.backend.endsWith('threads') ? torch.get_num_threads() : 1,
        version: torch.__version__,
      })
      await train(digits, data.epochs)
    } else if (data.kind === 'stop') stopped = true
    else if (data.kind === 'classify' && model) postMessage({ kind: 'classes', classes: classify(data.pixels) })
  } catch (e) {
    postMessage({ kind: 'failed', message: e.message })
  }
}
