// Cosines and powers, rounded correctly. Math.cos and ** are off by a last bit for some arguments, and for others on other machines; schedules
// that build each rate from the one before would carry that along. Computed with numbers of twice the precision: pairs of doubles that stand
// for their sum.

type Pair = readonly [high: number, low: number]

function add(a: number, b: number): Pair {
  const sum = a + b
  const rest = sum - a
  return [sum, a - (sum - rest) + (b - rest)]
}

/** The two halves of a double's bits. */
function split(a: number): Pair {
  const c = 134217729 * a // 2^27 + 1
  const high = c - (c - a)
  return [high, a - high]
}

function multiply(a: number, b: number): Pair {
  const product = a * b
  const [ah, al] = split(a)
  const [bh, bl] = split(b)
  return [product, ah * bh - product + ah * bl + al * bh + al * bl]
}

function addPairs(a: Pair, b: Pair): Pair {
  const [sum, error] = add(a[0], b[0])
  return add(sum, error + a[1] + b[1])
}

function multiplyPairs(a: Pair, b: Pair): Pair {
  const [product, error] = multiply(a[0], b[0])
  return add(product, error + a[0] * b[1] + a[1] * b[0])
}

function divide(a: Pair, n: number): Pair {
  const quotient = a[0] / n
  const [product, error] = multiply(quotient, n)
  return add(quotient, (a[0] - product - error + a[1]) / n)
}

const HALF_PI = 1.5707963267948966
const HALF_PI_REST = 6.123233995736766e-17

/** 1 + z / ((k + 1)(k + 2)) + z² / ((k + 1) ... (k + 4)) + ..., with z = −r²: the series of the cosine for k = 0, of sin(r) / r for k = 1. */
function series(z: Pair, k: number): Pair {
  let term: Pair = [1, 0]
  let sum: Pair = term
  for (let n = k + 1; n < 30; n += 2) {
    term = divide(multiplyPairs(term, z), n * (n + 1))
    sum = addPairs(sum, term)
  }
  return sum
}

/** cos(x) for |x| up to about 2^20; further away Math.cos is good enough. */
export function cos(x: number): number {
  const quarters = Math.round(x / HALF_PI)
  if (!(Math.abs(quarters) < 2 ** 20)) return Math.cos(x)
  const whole = multiply(-quarters, HALF_PI)
  const r = addPairs(addPairs([x, 0], whole), multiply(-quarters, HALF_PI_REST))
  const [high, low] = multiplyPairs(r, r)
  const z: Pair = [-high, -low]
  switch (((quarters % 4) + 4) % 4) {
    case 0:
      return series(z, 0)[0]
    case 1:
      return -multiplyPairs(r, series(z, 1))[0]
    case 2:
      return -series(z, 0)[0]
    default:
      return multiplyPairs(r, series(z, 1))[0]
  }
}

/** base ** exponent. Exact for whole exponents up to 2^20; others go to Math.pow. */
export function pow(base: number, exponent: number): number {
  if (!Number.isInteger(exponent) || Math.abs(exponent) > 2 ** 20) return base ** exponent
  let result: Pair = [1, 0]
  let square: Pair = [base, 0]
  for (let n = Math.abs(exponent); n > 0; n = Math.floor(n / 2)) {
    if (n % 2 === 1) result = multiplyPairs(result, square)
    square = multiplyPairs(square, square)
  }
  const value = exponent < 0 ? reciprocal(result) : result[0]
  // Where the pieces of a product leave the range of doubles only the plain power knows the answer.
  return Number.isFinite(value) && Math.abs(value) > 1e-280 ? value : base ** exponent
}

/** 1 / a, rounded once. */
function reciprocal(a: Pair): number {
  const first = 1 / a[0]
  const [product, error] = multiply(first, a[0])
  return first + first * (1 - product - error - first * a[1])
}
