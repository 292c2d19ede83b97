// Trains the network, beside the page (main.js), and classifies what is drawn there. Each thing that happens is one value of the program.
import { convnet, readDigits } from './classifier.js'
import { workerMain } from './torch.js/worker.js'

workerMain(async function* ({ device, backend, threads, epochs }, inbox) {
  globalThis.TORCHJS_BACKEND = backend // before it is loaded
  const { default: torch } = await import('./torch.js/page/torch.js')
  const { nn, optim } = torch
  torch.set_num_threads(threads)
  let adapter = null
  if (device === 'webgpu') {
    await torch.webgpu.init()
    torch.webgpu.set_random_stream('cpu') // the numbers of the cpu, so that both devices have the same losses
    const { vendor, architecture, description } = torch.webgpu.info()
    adapter = description || `${vendor} ${architecture}`.trim() || 'an adapter without a name'
  }
  const { train, test } = readDigits(torch, await (await fetch('digits.csv')).text())
  yield {
    kind: 'ready',
    backend: torch.backend,
    threads: torch.backend.endsWith('threads') ? torch.get_num_threads() : 1,
    version: torch.__version__,
    adapter,
  }

  torch.manual_seed(0)
  const model = convnet(torch).to(device)
  for (const part of [train, test]) for (const name of ['images', 'labels']) part[name] = part[name].to(device)
  const optimizer = new optim.AdamW(model.parameters(), { lr: 2e-3 })
  const criterion = new nn.CrossEntropyLoss()
  const batch = 32,
    count = train.labels.shape[0]
  // Reading is a promise on webgpu, and a value on the cpu: `await` takes both.
  const accuracy = () => torch.scope(() => torch.no_grad(() => model.forward(test.images).argmax(1).eq(test.labels).float().mean().item()))
  /** Probabilities of the ten classes for 64 pixels from 0 to 1. */
  const classify = async (pixels) => ({
    kind: 'classes',
    classes: await torch.scope(() =>
      torch.no_grad(() =>
        model
          .forward(torch.tensor(pixels, { device }).view(1, 1, 8, 8))
          .softmax(1)
          .view(10)
          .toArray(),
      ),
    ),
  })
  let stopped = false
  async function* answer() {
    for (let message; (message = inbox.take());)
      if (message.kind === 'stop') stopped = true
      else yield await classify(message.pixels)
  }

  const begin = performance.now()
  let step = 0
  for (let epoch = 0; epoch < epochs && !stopped; epoch++) {
    const order = torch.randperm(count)
    for (let first = 0; first < count && !stopped; first += batch) {
      const loss = await torch.scope(() => {
        const rows = order.at([first, Math.min(first + batch, count)])
        optimizer.zero_grad()
        const loss = criterion.forward(model.forward(train.images.at(rows)), train.labels.at(rows))
        loss.backward()
        optimizer.step()
        return loss.item()
      })
      step++
      yield { kind: 'step', step, loss, stepsPerSecond: (1e3 * step) / (performance.now() - begin) }
      yield* answer()
    }
    order.dispose()
    yield { kind: 'epoch', epoch: epoch + 1, accuracy: await accuracy() }
  }
  yield { kind: 'trained', stopped }
  for await (const message of inbox) if (message.kind === 'classify') yield await classify(message.pixels)
})
