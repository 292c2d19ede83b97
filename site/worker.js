// Trains the network, beside the page. Messages in: start, stop, classify; out: ready, progress, epoch, classes, done, failed.
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
  const text = await (await fetch('digits.csv')).text()
  const rows = text
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(',').map(Number))
  const part = (wanted) => {
    const chosen = rows.filter((_, i) => wanted(i))
    return {
      images: torch
        .tensor(chosen.map((r) => r.slice(0, 64)))
        .div(16)
        .view(chosen.length, 1, 8, 8),
      labels: torch.tensor(
        chosen.map((r) => r[64]),
        { dtype: 'int64' },
      ),
    }
  }
  test = part((i) => i % 5 === 4)
  return part((i) => i % 5 !== 4)
}

function network() {
  const { nn } = torch
  return new nn.Sequential(
    new nn.Conv2d(1, 16, 3, { padding: 1 }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(16, 32, 3, { padding: 1 }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(128, 64),
    new nn.ReLU(),
    new nn.Linear(64, 10),
  )
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
  model = network()
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
