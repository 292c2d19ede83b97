// What the comparisons with other libraries share.

/** The same numbers for all: a few bits of a linear congruential generator. */
export function numbers(n) {
  const out = new Float32Array(n)
  let x = 1
  for (let i = 0; i < n; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0
    out[i] = x / 2 ** 32 - 0.5
  }
  return out
}
export const size = (shape) => shape.reduce((a, b) => a * b, 1)
