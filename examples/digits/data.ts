// The handwritten digits of examples/data/digits.csv as tensors.
import { readFileSync } from 'node:fs'
import { parse } from 'csv-parse/sync'
import torch from 'torch.js'

export interface Digits {
  /** Pixels from 0 to 1, [n, 1, 8, 8], float32. */
  images: torch.Tensor
  /** Classes 0 to 9, [n], int64. */
  labels: torch.Tensor
}

/** Reads the file; every fifth row is for testing. */
export function loadDigits(path: string | URL): { train: Digits; test: Digits } {
  const rows = parse(readFileSync(path), { from_line: 2, cast: Number }) as unknown as number[][]
  const part = (wanted: (i: number) => boolean): Digits => {
    const chosen = rows.filter((_, i) => wanted(i))
    return {
      images: torch
        .tensor(chosen.map((r) => r.slice(0, 64)))
        .div(16)
        .view(chosen.length, 1, 8, 8),
      labels: torch.tensor(
        chosen.map((r) => r[64]!),
        { dtype: 'int64' },
      ),
    }
  }
  return { train: part((i) => i % 5 !== 4), test: part((i) => i % 5 === 4) }
}
