/* linalg_grad.c: derivatives of factorisations, written in operators, so that they have derivatives themselves. Formulas: Giles 2008; Boeddeker,
 * Hanebrink, Mueller and Haeb-Umbach 2017 for complex numbers; Seeger et al. 2017. */
#include "linalg.h"

static tj_tensor *halved(tj_tensor *t) { return tj_mul(t, tj__number(0.5)); }
static tj_tensor *solve_upper(tj_tensor *a, tj_tensor *b, bool left) { return tj_linalg_solve_triangular(a, b, true, left, false); }

tj_tensor *tj__impl_linalg_cholesky_backward(tj_tensor *grad, tj_tensor *L, bool upper) {
  tj_tensor *l = upper ? tj__mH(L) : L, *g = upper ? tj__mH(grad) : grad;
  tj_tensor *x = tj_matmul(tj__mH(l), g);
  tj_tensor *phi = halved(tj__plus(tj_tril(x, 0), tj__mH(tj_tril(x, -1))));
  tj_tensor *y = solve_upper(tj__mH(l), phi, true);
  return tj_linalg_solve_triangular(l, y, false, false, false);
}

/* Of A^-1 B by the factor of A, of which all elements are taken to vary. */
tj_tensor *tj__impl_cholesky_solve_backward(tj_tensor *grad, tj_tensor *input2, tj_tensor *result, bool upper) {
  tj_tensor *x = tj_matmul(tj_cholesky_solve(grad, input2, upper), tj__mH(result));
  x = tj_neg(tj__plus(x, tj__mH(x)));
  return upper ? tj_matmul(input2, x) : tj_matmul(x, input2);
}
tj_tensor *tj__impl_cholesky_inverse_backward(tj_tensor *grad, tj_tensor *self, tj_tensor *result, bool upper) {
  tj_tensor *x = tj_neg(tj_matmul(result, tj_matmul(tj__plus(grad, tj__mH(grad)), result)));
  return upper ? tj_matmul(self, x) : tj_matmul(x, self);
}

tj_tensor *tj__impl_linalg_lu_factor_backward(tj_tensor *grad, tj_tensor *LU, tj_tensor *pivots, bool pivot) {
  const int64_t m = tj__rows(LU), n = tj__columns(LU), k = TJ__MIN(m, n);
  tj_tensor *square = tj_narrow(tj_narrow(LU, -2, 0, k), -1, 0, k), *g = tj_narrow(tj_narrow(grad, -2, 0, k), -1, 0, k);
  tj_tensor *l = tj__plus(tj_tril(square, -1), tj__identities(square, k)), *u = tj_triu(square, 0);
  tj_tensor *gl = tj_matmul(tj__mH(l), tj_tril(g, -1)), *gu = tj_matmul(tj_triu(g, 0), tj__mH(u)), *rest = NULL;
  if (m < n) {
    tj_tensor *u2 = tj_narrow(LU, -1, k, n - k), *g2 = tj_narrow(grad, -1, k, n - k);
    gl = tj__minus(gl, tj_matmul(g2, tj__mH(u2)));
    rest = tj_linalg_solve_triangular(tj__mH(l), g2, true, true, true);
  } else if (m > n) {
    tj_tensor *l2 = tj_narrow(LU, -2, k, m - k), *g2 = tj_narrow(grad, -2, k, m - k);
    gu = tj__minus(gu, tj_matmul(tj__mH(l2), g2));
    rest = tj_linalg_solve_triangular(tj__mH(u), g2, false, false, false);
  }
  tj_tensor *x = tj__plus(tj_tril(gl, -1), tj_triu(gu, 0));
  x = tj_linalg_solve_triangular(tj__mH(l), x, true, true, true);
  x = tj_linalg_solve_triangular(tj__mH(u), x, false, false, false);
  if (rest) x = tj_cat(TJ_TENSORS(x, rest), m < n ? -1 : -2);
  return pivot ? tj_permuted_rows(x, pivots, true) : x;
}

/* ---- systems ------------------------------------------------------------------------------------------------------ */

static bool is_vector(const tj_tensor *A, const tj_tensor *B) {
  return B->ndim == 1 || (A->ndim - 1 == B->ndim && memcmp(A->sizes, B->sizes, (size_t)B->ndim * sizeof *B->sizes) == 0);
}

tj_tensor *tj__impl_linalg_solve_adjoint(tj_tensor *grad, tj_tensor *A, tj_tensor *B, bool left) {
  const bool vector = is_vector(A, B);
  tj_tensor *x, *info;
  if (tj_linalg_solve_ex(tj__mH(A), vector ? tj_unsqueeze(grad, -1) : grad, left, false, &x, &info) != TJ_OK) return NULL;
  return vector ? tj_squeeze_dim(x, -1) : x;
}
tj_tensor *tj__impl_linalg_solve_backward_A(tj_tensor *grad, tj_tensor *A, tj_tensor *B, tj_tensor *result, bool left) {
  tj_tensor *g = tj_linalg_solve_adjoint(grad, A, B, left);
  if (is_vector(A, B)) g = tj_unsqueeze(g, -1), result = tj_unsqueeze(result, -1);
  return tj_neg(left ? tj_matmul(g, tj__mH(result)) : tj_matmul(tj__mH(result), g));
}

tj_tensor *tj__impl_linalg_solve_triangular_backward_A(tj_tensor *grad, tj_tensor *self, tj_tensor *result, bool upper, bool left,
                                                       bool unitriangular) {
  tj_tensor *g = tj_linalg_solve_triangular(tj__mH(self), grad, !upper, left, unitriangular);
  tj_tensor *x = tj_neg(left ? tj_matmul(g, tj__mH(result)) : tj_matmul(tj__mH(result), g));
  return upper ? tj_triu(x, unitriangular) : tj_tril(x, unitriangular ? -1 : 0);
}

/* ---- determinants ------------------------------------------------------------------------------------------------- */

tj_tensor *tj__impl_linalg_det_backward(tj_tensor *grad, tj_tensor *A, tj_tensor *result) {
  const int64_t n = tj__rows(A);
  if (A->numel == 0) return tj_zeros_like(A, TJ_DTYPE_NONE, TJ_DEVICE_NONE, false, NULL);
  tj_tensor *zero = tj_eq(tj_detach(result), tj__number(0));
  if (!zero) return NULL;
  /* where they cannot be looked at, the second way serves all matrices */
  if (tj__can_look(zero) && tj__scalar_is_zero(tj_item(tj_any(zero)))) {
    tj_tensor *d = tj_mul(tj_unsqueeze(tj_unsqueeze(tj_mul(grad, tj_conj(result)), -1), -1), tj__identities(A, n));
    return tj_linalg_solve(tj__mH(A), d, true);
  }
  /* With A = U S V^H: the products of the other singular values in the place of each. */
  tj_tensor *u, *s, *vh;
  if (tj_linalg_svd(A, true, NULL, &u, &s, &vh) != TJ_OK) return NULL;
  tj_tensor *phase = tj_mul(tj_conj(tj_mul(tj_linalg_det(u), tj_linalg_det(vh))), grad);
  tj_tensor *ones = tj_ones_like(tj_narrow(s, -1, 0, 1), TJ_DTYPE_NONE, TJ_DEVICE_NONE, false, NULL);
  tj_tensor *before = tj_cumprod(tj_cat(TJ_TENSORS(ones, tj_narrow(s, -1, 0, n - 1)), -1), -1, TJ_DTYPE_NONE);
  tj_tensor *after =
      tj_flip(tj_cumprod(tj_cat(TJ_TENSORS(ones, tj_flip(tj_narrow(s, -1, 1, n - 1), TJ_INTS(-1))), -1), -1, TJ_DTYPE_NONE), TJ_INTS(-1));
  tj_tensor *d = tj_mul(tj_unsqueeze(phase, -1), tj_mul(before, after));
  return tj_matmul(tj_mul(u, tj_unsqueeze(d, -2)), vh);
}

tj_tensor *tj__impl_linalg_slogdet_backward(tj_tensor *grad_sign, tj_tensor *grad_logabsdet, tj_tensor *A, tj_tensor *sign) {
  tj_tensor *g = grad_logabsdet;
  if (tj_dtype_is_complex(A->dtype)) g = tj_complex(g, tj_neg(tj_imag(tj_mul(tj_conj(grad_sign), sign))));
  tj_tensor *d = tj_mul(tj_unsqueeze(tj_unsqueeze(g, -1), -1), tj__identities(A, tj__rows(A)));
  return tj_linalg_solve(tj__mH(A), d, true);
}

/* ---- QR ----------------------------------------------------------------------------------------------------------- */

/* X + X^H, its diagonal halved. */
static tj_tensor *symmetric(tj_tensor *x) {
  tj_tensor *y = tj__plus(x, tj__mH(x));
  return tj__minus(y, tj__diagonal_matrices(halved(tj__diagonals(y))));
}
static tj_tensor *qr_tall(tj_tensor *gq, tj_tensor *gr, tj_tensor *q, tj_tensor *r) {
  tj_tensor *x = tj__minus(tj_matmul(gr, tj__mH(r)), tj_matmul(tj__mH(q), gq));
  x = tj__plus(gq, tj_matmul(q, symmetric(tj_triu(x, 0))));
  return tj_linalg_solve_triangular(tj__mH(r), x, false, false, false);
}
tj_tensor *tj__impl_linalg_qr_backward(tj_tensor *grad_Q, tj_tensor *grad_R, tj_tensor *Q, tj_tensor *R, const char *mode) {
  RUNTIME(strcmp(mode, "r"),
          "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please use linalg.qr(A, mode='reduced') "
          "if you are going to require gradients.");
  const int64_t m = tj__rows(Q), n = tj__columns(R);
  RUNTIME(strcmp(mode, "complete") || m <= n, "The QR decomposition is not differentiable when mode='complete' and nrows > ncols.");
  if (m >= n) return qr_tall(grad_Q, grad_R, Q, R);
  /* A = [X, Y] with X = Q U, Y = Q V */
  tj_tensor *u = tj_narrow(R, -1, 0, m), *gu = tj_narrow(grad_R, -1, 0, m), *gv = tj_narrow(grad_R, -1, m, n - m),
            *v = tj_narrow(R, -1, m, n - m);
  tj_tensor *gq = tj__plus(grad_Q, tj_matmul(tj_matmul(Q, v), tj__mH(gv)));
  return tj_cat(TJ_TENSORS(qr_tall(gq, gu, Q, u), tj_matmul(Q, gv)), -1);
}

/* Q = H_1 ... H_k E. With P_i = H_{i+1} ... H_k E and G_i the gradient of P_i, each reflector's part follows from P_i and G_{i-1}. */
tj_tensor *tj__impl_linalg_householder_backward(tj_tensor *grad, tj_tensor *input, tj_tensor *tau, bool by_tau) {
  if (!grad) return NULL;
  const int64_t m = tj__rows(input), n = tj__columns(grad), columns = tj__columns(input), k = tau->sizes[tau->ndim - 1];
  tj_tensor *ones = tj_eye_m(m, columns, input->dtype, input->storage->device, false);
  tj_tensor *v = tj__plus(tj_tril(input, -1), ones), *p = tj_eye_m(m, n, input->dtype, input->storage->device, false);
  tj_list *later = tj__list_new(k + 1), *found = tj__list_new(TJ__MAX(k, 1));
  if (!later || !found) return NULL;
  int64_t sizes[TJ_MAX_DIMS];
  memcpy(sizes, grad->sizes, (size_t)grad->ndim * sizeof *sizes);
  sizes[grad->ndim - 2] = m, sizes[grad->ndim - 1] = n;
  p = tj_expand(p, (tj_ints){sizes, grad->ndim}, false);
  for (int64_t i = k; p && i > 0; i--) {
    tj__list_set(later, i, p);
    tj_tensor *x = tj_narrow(v, -1, i - 1, 1), *t = tj_unsqueeze(tj_narrow(tau, -1, i - 1, 1), -1);
    p = tj__minus(p, tj_matmul(tj_mul(t, x), tj_matmul(tj__mH(x), p)));
  }
  if (!p) return NULL;
  tj_tensor *g = grad;
  for (int64_t i = 1; i <= k; i++) {
    tj_tensor *x = tj_narrow(v, -1, i - 1, 1), *t = tj_unsqueeze(tj_narrow(tau, -1, i - 1, 1), -1);
    tj_tensor *row = tj_matmul(tj__mH(x), later->items[i]), *gx = tj_matmul(tj__mH(x), g); /* v^H P, v^H G */
    tj_tensor *part =
        by_tau ? tj_neg(tj_squeeze_dim(tj_matmul(gx, tj__mH(row)), -1))
               : tj_neg(tj__plus(tj_mul(tj_conj(t), tj_matmul(g, tj__mH(row))), tj_mul(t, tj_matmul(later->items[i], tj__mH(gx)))));
    if (!part) return NULL;
    tj__list_set(found, i - 1, part);
    g = tj__minus(g, tj_matmul(tj_mul(tj_conj(t), x), gx));
  }
  if (k == 0) return tj_zeros_like(by_tau ? tau : input, TJ_DTYPE_NONE, TJ_DEVICE_NONE, false, NULL);
  tj_tensor *all = tj_cat((tj_tensors){found->items, k}, -1);
  if (by_tau) return all;
  if (k < columns) {
    tj_tensor *rest = tj_zeros_like(tj_narrow(input, -1, k, columns - k), TJ_DTYPE_NONE, TJ_DEVICE_NONE, false, NULL);
    all = tj_cat(TJ_TENSORS(all, rest), -1);
  }
  return tj_tril(all, -1);
}

tj_tensor *tj__impl_linalg_ormqr_backward_q(tj_tensor *grad, tj_tensor *other, bool left, bool transpose) {
  if (left) return transpose ? tj_matmul(other, tj__mH(grad)) : tj_matmul(grad, tj__mH(other));
  return transpose ? tj_matmul(tj__mH(grad), other) : tj_matmul(tj__mH(other), grad);
}

/* ---- eigenvalues, singular values --------------------------------------------------------------------------------- */

static tj_tensor *ones_on_diagonal(tj_tensor *e, const tj_tensor *like) { return tj__plus(e, tj__identities(like, tj__columns(like))); }

/* a / b, and 0 for 0 / 0: equal eigenvalues do not matter to a gradient that does not ask for their vectors. */
static tj_tensor *quotient(tj_tensor *a, tj_tensor *b) {
  tj_tensor *zero = tj__number(0), *both = tj_logical_and(tj_eq(a, zero), tj_eq(b, zero));
  return tj_div(a, tj_masked_fill(b, both, tj_int(1)));
}

/* The gradient must not see the phase of a complex eigenvector. */
static bool sees_phase(tj_tensor *x, const char *name, const char *what) {
  if (!x || !tj_dtype_is_complex(x->dtype)) return false;
  tj_tensor *imaginary = tj_imag(tj_detach(tj__diagonals(x)));
  tj_scalar close = tj_allclose(imaginary, tj_zeros_like(imaginary, TJ_DTYPE_NONE, TJ_DEVICE_NONE, false, NULL), 1e-2, 1e-2, false);
  if (!tj__scalar_is_zero(close)) return false;
  tj__fail(TJ_ERROR_RUNTIME,
           "%s: The %s in the complex case are specified up to multiplication by e^{i phi}. The specified loss function depends on this "
           "quantity, "
           "so it is ill-defined.",
           name, what);
  return true;
}

tj_tensor *tj__impl_linalg_eigh_backward(tj_tensor *grad_values, tj_tensor *grad_vectors, tj_tensor *values, tj_tensor *vectors) {
  tj_tensor *vh = tj__mH(vectors), *x = tj_matmul(vh, grad_vectors);
  if (sees_phase(x, "linalg_eigh_backward", "eigenvectors")) return NULL;
  tj_tensor *e = tj__minus(tj_unsqueeze(values, -2), tj_unsqueeze(values, -1));
  if (!e) return NULL;
  x = quotient(halved(tj__minus(x, tj__mH(x))), ones_on_diagonal(e, e)); /* what keeps the eigenvectors unitary is skew */
  x = tj__plus(tj__minus(x, tj__diagonal_matrices(tj__diagonals(x))), tj__diagonal_matrices(grad_values));
  return tj_matmul(vectors, tj_matmul(x, vh));
}

tj_tensor *tj__impl_linalg_eig_backward(tj_tensor *grad_values, tj_tensor *grad_vectors, tj_tensor *values, tj_tensor *vectors,
                                        tj_dtype dtype) {
  tj_tensor *vh = tj__mH(vectors), *x = tj_matmul(vh, grad_vectors);
  if (sees_phase(x, "linalg_eig_backward", "eigenvectors")) return NULL;
  x = tj__minus(x, tj_mul(tj_matmul(vh, vectors), tj_unsqueeze(tj_real(tj__diagonals(x)), -2)));
  tj_tensor *e = tj_conj(tj__minus(tj_unsqueeze(values, -2), tj_unsqueeze(values, -1)));
  if (!e) return NULL;
  x = quotient(x, ones_on_diagonal(e, e));
  x = tj__plus(tj__minus(x, tj__diagonal_matrices(tj__diagonals(x))), tj__diagonal_matrices(grad_values));
  x = tj_linalg_solve(vh, tj_matmul(x, vh), true);
  return tj_dtype_is_complex(dtype) ? x : tj_real(x);
}

tj_tensor *tj__impl_linalg_svd_backward(tj_tensor *grad_U, tj_tensor *grad_S, tj_tensor *grad_Vh, tj_tensor *U, tj_tensor *S,
                                        tj_tensor *Vh) {
  const int64_t m = tj__rows(U), n = tj__columns(Vh), k = S->sizes[S->ndim - 1];
  if (tj__columns(U) > k) U = tj_narrow(U, -1, 0, k), grad_U = tj_narrow(grad_U, -1, 0, k);
  if (tj__rows(Vh) > k) Vh = tj_narrow(Vh, -2, 0, k), grad_Vh = tj_narrow(grad_Vh, -2, 0, k);
  if (!U || !Vh) return NULL;
  if (!k) return tj_matmul(U, Vh);
  tj_tensor *Uh = tj__mH(U), *V = tj__mH(Vh);
  tj_tensor *a = tj_matmul(Uh, grad_U), *b = tj_matmul(Vh, tj__mH(grad_Vh));
  tj_tensor *both = tj__plus(a, b);
  if (sees_phase(both, "svd_backward", "singular vectors")) return NULL;
  tj_tensor *skew_a = tj__minus(a, tj__mH(a)), *skew_b = tj__minus(b, tj__mH(b));
  tj_tensor *s2 = tj_mul(S, S), *e = tj__minus(tj_unsqueeze(s2, -2), tj_unsqueeze(s2, -1));
  if (!e) return NULL;
  e = ones_on_diagonal(e, e);
  tj_tensor *x = tj__plus(tj_mul(quotient(skew_a, e), tj_unsqueeze(S, -2)), tj_mul(tj_unsqueeze(S, -1), quotient(skew_b, e)));
  if (!x) return NULL;
  if (tj_dtype_is_complex(x->dtype)) { /* the diagonal of the skew part, once */
    tj_tensor *d = quotient(tj__diagonals(skew_a), tj_mul(S, tj__number(2)));
    x = tj__plus(tj__minus(x, tj__diagonal_matrices(tj__diagonals(x))), tj__diagonal_matrices(tj__plus(d, grad_S)));
  } else x = tj__plus(x, tj__diagonal_matrices(grad_S));
  if (m > k) { /* the part of grad_U outside the span of U */
    tj_tensor *g = quotient(grad_U, tj_expand_as(tj_unsqueeze(S, -2), grad_U));
    x = tj__plus(tj_matmul(U, x), tj__minus(g, tj_matmul(U, tj_matmul(Uh, g))));
    return tj_matmul(x, Vh);
  }
  x = tj_matmul(x, Vh);
  if (n > k) {
    tj_tensor *g = quotient(grad_Vh, tj_expand_as(tj_unsqueeze(S, -1), grad_Vh));
    x = tj__plus(x, tj__minus(g, tj_matmul(tj_matmul(g, V), Vh)));
  }
  return tj_matmul(U, x);
}

/* ---- pseudoinverse, least squares, exponential -------------------------------------------------------------------- */

tj_tensor *tj__impl_linalg_pinv_backward(tj_tensor *grad, tj_tensor *result, tj_tensor *self) {
  tj_tensor *ph = tj__mH(result), *gh = tj__mH(grad);
  if (tj__rows(self) <= tj__columns(self)) {
    tj_tensor *k = tj_matmul(gh, result), *kph = tj_matmul(k, ph);
    tj_tensor *x = tj__minus(kph, tj__mH(tj_matmul(result, k)));
    x = tj__minus(x, tj_matmul(tj_matmul(self, result), kph));
    return tj__plus(x, tj_matmul(tj_matmul(ph, result), tj__minus(gh, tj_matmul(k, self))));
  }
  tj_tensor *k = tj_matmul(result, gh), *phk = tj_matmul(ph, k);
  tj_tensor *x = tj__minus(tj_matmul(tj__minus(gh, tj_matmul(self, k)), tj_matmul(result, ph)), tj__mH(tj_matmul(k, result)));
  return tj__minus(tj__plus(x, phk), tj_matmul(tj_matmul(phk, result), self));
}

tj_tensor *tj__impl_linalg_lstsq_backward(tj_tensor *grad_solution, tj_tensor *grad_residuals, tj_tensor *self, tj_tensor *b,
                                          tj_tensor *solution, tj_tensor *residuals, bool by_self) {
  const bool vector = self->ndim - b->ndim == 1;
  if (vector) b = tj_unsqueeze(b, -1), solution = tj_unsqueeze(solution, -1), grad_solution = tj_unsqueeze(grad_solution, -1);
  tj_tensor *inverse = tj_linalg_pinv(self, NULL, NULL, false);
  tj_tensor *x =
      by_self ? tj_linalg_pinv_backward(tj_matmul(grad_solution, tj__mH(b)), inverse, self) : tj_matmul(tj__mH(inverse), grad_solution);
  if (residuals && residuals->numel) { /* |A X - B|^2 by columns; the gradient through X is zero at the minimum */
    tj_tensor *r = tj_mul(tj__minus(tj_matmul(self, solution), b), tj_mul(tj_unsqueeze(grad_residuals, -2), tj__number(2)));
    x = by_self ? tj__plus(x, tj_matmul(r, tj__mH(solution))) : tj__minus(x, r);
  }
  return vector && !by_self ? tj_squeeze_dim(x, -1) : x;
}

tj_tensor *tj__impl_linalg_matrix_exp_backward(tj_tensor *grad, tj_tensor *self) {
  const int64_t n = tj__rows(self);
  if (self->numel == 0) return tj_zeros_like(self, TJ_DTYPE_NONE, TJ_DEVICE_NONE, false, NULL);
  tj_tensor *a = tj__mH(self), *zero = tj_zeros_like(a, TJ_DTYPE_NONE, TJ_DEVICE_NONE, false, NULL);
  tj_tensor *x = tj_cat(TJ_TENSORS(tj_cat(TJ_TENSORS(a, grad), -1), tj_cat(TJ_TENSORS(zero, a), -1)), -2);
  return tj_narrow(tj_narrow(tj_matrix_exp(x), -2, 0, n), -1, n, n);
}
