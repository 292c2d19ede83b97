// Factorisations and solvers. Where a result has a freedom (the sign of an eigenvector), a function without it is checked.
import { R } from './specs.mjs'

const one = (run, ...inputs) => [{ run, inputs: inputs.length ? inputs : [R(2, 2)] }]
const square = (run) => [...one(run), { run, inputs: [R(2, 3, 3)] }, { run, inputs: [R(1, 1)] }]
const positive = (t, x) => x.matmul(x.adjoint()).add(t.eye(x.shape.at(-1), { dtype: x.dtype }))
const hermitian = (x) => x.add(x.adjoint())

const first = (result) => [...result][0]
const L = (t) => t.linalg

export default {
  linalg_cholesky_ex: square((t, x) => first(L(t).cholesky_ex(positive(t, x)))),
  linalg_cholesky: [...square((t, x) => L(t).cholesky(positive(t, x))), ...one((t, x) => L(t).cholesky(positive(t, x), { upper: true }))],
  torch_cholesky: square((t, x) => t.cholesky(positive(t, x))),
  cholesky_solve: one((t, b, x) => b.cholesky_solve(L(t).cholesky(positive(t, x))), R(2, 1), R(2, 2)),
  cholesky_inverse: one((t, x) => t.cholesky_inverse(L(t).cholesky(positive(t, x)))),
  linalg_lu_factor_ex: square((t, x) => first(L(t).lu_factor_ex(x))),
  linalg_lu_factor: [
    ...square((t, x) => first(L(t).lu_factor(x))),
    ...one((t, x) => first(L(t).lu_factor(x)), R(2, 3)),
    ...one((t, x) => first(L(t).lu_factor(x)), R(3, 2)),
  ],
  linalg_lu: [...square((t, x) => L(t).lu(x)), ...one((t, x) => L(t).lu(x), R(3, 2)), ...one((t, x) => L(t).lu(x), R(2, 3))],
  lu_unpack: one((t, x) => t.lu_unpack(...L(t).lu_factor(x))),
  linalg_lu_solve: one((t, x, b) => L(t).lu_solve(...L(t).lu_factor(x), b), R(2, 2), R(2, 1)),
  torch_lu_solve: one((t, x, b) => b.lu_solve(...L(t).lu_factor(x)), R(2, 2), R(2, 1)),
  linalg_solve_ex: one((t, x, b) => first(L(t).solve_ex(x, b)), R(2, 2), R(2, 1)),
  linalg_solve: [
    ...one((t, x, b) => L(t).solve(x, b), R(2, 2), R(2, 1)),
    ...one((t, x, b) => L(t).solve(x, b), R(2, 2), R(2)),
    ...one((t, x, b) => L(t).solve(x, b, { left: false }), R(2, 2), R(1, 2)),
  ],
  linalg_solve_triangular: [
    ...one((t, x, b) => L(t).solve_triangular(x, b, { upper: true }), R(2, 2), R(2, 1)),
    ...one((t, x, b) => L(t).solve_triangular(x, b, { upper: false, left: false, unitriangular: true }), R(2, 2), R(1, 2)),
  ],
  triangular_solve: one((t, b, x) => first(b.triangular_solve(x)), R(2, 1), R(2, 2)),
  linalg_inv_ex: square((t, x) => first(L(t).inv_ex(x))),
  linalg_inv: square((t, x) => L(t).inv(x)),
  inverse: square((t, x) => x.inverse()),
  linalg_det: square((t, x) => L(t).det(x)),
  torch_det: square((t, x) => x.det()),
  linalg_slogdet: square((t, x) => L(t).slogdet(positive(t, x))),
  torch_slogdet: square((t, x) => positive(t, x).slogdet()),
  logdet: square((t, x) => positive(t, x).logdet()),
  linalg_qr: [...square((t, x) => L(t).qr(x)), ...one((t, x) => L(t).qr(x), R(3, 2)), ...one((t, x) => L(t).qr(x), R(2, 3))],
  torch_qr: one((t, x) => x.qr(), R(3, 2)),
  linalg_householder_product: one((t, x, tau) => L(t).householder_product(x, tau), R(3, 2), R(2)),
  orgqr: one((t, x, tau) => x.orgqr(tau), R(3, 2), R(2)),
  ormqr: one((t, x, tau, c) => x.ormqr(tau, c), R(3, 2), R(2), R(3, 2)),
  linalg_eigh: square((t, x) => {
    const [values, vectors] = L(t).eigh(hermitian(x))
    return [values, vectors.abs()]
  }),
  linalg_eigvalsh: square((t, x) => L(t).eigvalsh(hermitian(x))),
  linalg_eig: one((t, x) => {
    const [values, vectors] = L(t).eig(positive(t, x))
    return [values, vectors.abs()]
  }),
  linalg_eigvals: one((t, x) => L(t).eigvals(positive(t, x))),
  linalg_svd: [
    ...square((t, x) => {
      const [u, s, v] = L(t).svd(x)
      return [u.abs(), s, v.abs()]
    }),
    ...one(
      (t, x) => {
        const [u, s, v] = L(t).svd(x, { full_matrices: false })
        return [u.abs(), s, v.abs()]
      },
      R(3, 2),
    ),
  ],
  linalg_svdvals: [...square((t, x) => L(t).svdvals(x)), ...one((t, x) => L(t).svdvals(x), R(2, 3))],
  torch_svd: one(
    (t, x) => {
      const [u, s, v] = x.svd()
      return [u.abs(), s, v.abs()]
    },
    R(2, 3),
  ),
  linalg_pinv: [...square((t, x) => L(t).pinv(x)), ...one((t, x) => L(t).pinv(x), R(3, 2))],
  linalg_pinv_rcond: one((t, x) => L(t).pinv(x, 1e-12), R(3, 2)),
  pinverse: one((t, x) => x.pinverse(), R(2, 3)),
  linalg_lstsq: one((t, x, b) => first(L(t).lstsq(x, b)), R(3, 2), R(3, 1)),
  matrix_exp: square((t, x) => x.matrix_exp()),
  linalg_matrix_exp: square((t, x) => L(t).matrix_exp(x)),
  linalg_ldl_factor: [],
}
