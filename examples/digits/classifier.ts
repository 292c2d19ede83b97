// The digit classifier: its data and its network, for the torch.js that it is given. The example, the page of site/, the benchmarks and tests share it.
import type torch from 'torch.js'

type Torch = typeof torch

export interface Digits {
  /** Pixels from 0 to 1, [n, 1, 8, 8], float32. */
  images: torch.Tensor
  /** Classes 0 to 9, [n], int64. */
  labels: torch.Tensor
}

/** The text of examples/data/digits.csv, which quotes nothing, as tensors; every fifth row is for testing. */
export function readDigits({ tensor }: Torch, text: string): { train: Digits; test: Digits } {
  const [, ...lines] = text.trim().split('\n')
  const rows = lines.map((line) => line.split(',').map(Number))
  const part = (wanted: (i: number) => boolean): Digits => {
    const chosen = rows.filter((_, i) => wanted(i))
    return {
      images: tensor(chosen.map((r) => r.slice(0, 64)))
        .div(16)
        .view(chosen.length, 1, 8, 8),
      labels: tensor(
        chosen.map((r) => r[64]!),
        { dtype: 'int64' },
      ),
    }
  }
  return { train: part((i) => i % 5 !== 4), test: part((i) => i % 5 === 4) }
}

/** Two convolutions and two layers, for pictures of `side` by `side` pixels; its sizes are the digits', but benchmarks have larger ones. */
export const convnet = ({ nn }: Torch, { side = 8, channels = 16, hidden = 64 } = {}) =>
  new nn.Sequential(
    new nn.Conv2d(1, channels, 3, { padding: 1 }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(channels, 2 * channels, 3, { padding: 1 }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(2 * channels * (side / 4) ** 2, hidden),
    new nn.ReLU(),
    new nn.Linear(hidden, 10),
  )
