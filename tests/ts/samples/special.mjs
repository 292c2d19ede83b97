// Special functions.
import { K, P, R, S, U, V } from './specs.mjs'

const shapes = [[2, 3], [], [0, 3]]
const each = (make, ...rest) => shapes.map((s) => [make(...s), ...rest])
const F = (names, make) => Object.fromEntries(names.split(' ').map((n) => [n, make]))

export default {
  ...F('i0 i0e i1 i1e erfcx ndtr log_ndtr', each(R)),
  i1: [...each(R), [V([0, 0.5])]],
  i1e: [...each(R), [V([-0.25, 0.5])]],
  entr: each(P),
  ndtri: each(U),
  // PyTorch differentiates these by one argument only.
  igamma: [
    [K(P(3)), P(3)],
    [K(P(2, 1)), P(3)],
  ],
  igammac: [[K(P(3)), P(3)]],
  zeta: [{ run: (t, q) => t.special.zeta(t.full_like(q.detach(), 2.5), q), inputs: [P(3)] }],
  polygamma: [0, 1, 2].map((n) => ({ run: (t, x) => t.polygamma(n, x), inputs: [P(3)] })),
  mvlgamma: [{ run: (t, x) => x.add(2).mvlgamma(2), inputs: [P(3)] }],
  xlog1py: [
    [R(2, 3), P(3)],
    [R(3), S(3)],
  ],
}
