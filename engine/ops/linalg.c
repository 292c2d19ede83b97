/* linalg.c: factorisations and what is solved with them: checks, layouts, the kernels. Derivatives are in linalg_grad.c. */
#include "index.h"
#include "linalg.h"

#include <math.h>
#include <stdio.h>

/* ---- helpers ---------------------------------------------------------------------------------------------------- */

bool tj__is_matrix(const tj_tensor *t, const char *name, const char *argument) {
  if (t->ndim >= 2) return true;
  return tj__fail(TJ_ERROR_RUNTIME, TJ__TEXT_linalg_error_requires_at_least_2d_1, name, argument) != NULL;
}
bool tj__is_square(const tj_tensor *t, const char *name, const char *argument) {
  if (!tj__is_matrix(t, name, argument)) return false;
  if (tj__rows(t) == tj__columns(t)) return true;
  return tj__fail(TJ_ERROR_RUNTIME, TJ__TEXT_linalg_error_not_square_matrix_1, name, argument, LL(tj__rows(t)), LL(tj__columns(t))) != NULL;
}
bool tj__is_factorable(const tj_tensor *t, const char *name) {
  if (tj__class_of(t->dtype) < TJ__CLASS_FLOAT)
    return tj__fail(TJ_ERROR_RUNTIME, "%s: Expected a floating point or complex tensor as input. Got %s", name,
                    tj__dtype_legacy(t->dtype)) != NULL;
  if (t->dtype == TJ_FLOAT16 || t->dtype == TJ_BFLOAT16)
    return tj__fail(TJ_ERROR_RUNTIME, "%s: Low precision dtypes not supported. Got %s", name, tj__dtype_legacy(t->dtype)) != NULL;
  return true;
}

tj_tensor *tj__empty_matrices(tj_ints batch, int64_t m, int64_t n, tj_dtype dtype, tj_device device) {
  int64_t sizes[TJ_MAX_DIMS], strides[TJ_MAX_DIMS], step = TJ__MAX(m, 1) * TJ__MAX(n, 1);
  const int64_t d = batch.n;
  for (int64_t i = d - 1; i >= 0; i--) {
    sizes[i] = batch.data[i];
    strides[i] = step;
    step *= TJ__MAX(sizes[i], 1);
  }
  sizes[d] = m, sizes[d + 1] = n;
  strides[d] = 1, strides[d + 1] = TJ__MAX(m, 1);
  return tj__empty_strided((tj_ints){sizes, d + 2}, (tj_ints){strides, d + 2}, dtype, device);
}
tj_tensor *tj__empty_vectors(tj_ints batch, int64_t n, tj_dtype dtype, tj_device device) {
  int64_t sizes[TJ_MAX_DIMS];
  for (int64_t i = 0; i < batch.n; i++) sizes[i] = batch.data[i];
  sizes[batch.n] = n;
  return tj__empty((tj_ints){sizes, batch.n + (n >= 0)}, dtype, device);
}
tj_tensor *tj__by_columns(tj_tensor *t) {
  if (!t) return NULL;
  tj_tensor *copy = tj__empty_matrices(tj__batch_of(t), tj__rows(t), tj__columns(t), t->dtype, t->storage->device);
  return copy ? tj__copy_into(copy, t) : NULL;
}
tj_tensor *tj__read_by_columns(tj_tensor *t) {
  if (!t) return NULL;
  int64_t step = tj__rows(t) * tj__columns(t);
  bool fits = t->strides[t->ndim - 2] == 1 && t->strides[t->ndim - 1] == tj__rows(t);
  for (int i = t->ndim - 3; i >= 0 && fits; i--) {
    fits = t->sizes[i] == 1 || t->strides[i] == step;
    step *= t->sizes[i];
  }
  return fits ? t : tj__by_columns(t);
}
bool tj__broadcast_batches(tj_tensor **a, tj_tensor **b) {
  if (!*a || !*b) return false;
  int64_t sizes[TJ_MAX_DIMS];
  const int n = tj__broadcast_sizes(tj__batch_of(*a), tj__batch_of(*b), sizes);
  if (n < 0) return false;
  for (int k = 0; k < 2; k++) {
    tj_tensor **t = k ? b : a;
    sizes[n] = tj__rows(*t), sizes[n + 1] = tj__columns(*t);
    if (n + 2 == (*t)->ndim && memcmp(sizes, (*t)->sizes, (size_t)(n + 2) * sizeof *sizes) == 0) continue;
    if (!(*t = tj_expand(*t, (tj_ints){sizes, n + 2}, false))) return false;
  }
  return true;
}
tj_tensor *tj__identities(const tj_tensor *like, int64_t n) {
  return like ? tj_eye(n, tj_dtype_of((tj_tensor *)like), like->storage->device, false) : NULL;
}

tj_status tj__check_info(tj_tensor *info, const char *name, const char *text) {
  char message[400];
  if (!info) return tj_error_code();
  size_t n = name ? (size_t)snprintf(message, sizeof message, "%s: ", name) : 0;
  for (; *text && n < sizeof message - 1; text++)
    if (*text != 1 || info->ndim) message[n++] = *text;
  message[n] = 0;
  if (!tj__can_look(info)) {
    const tj__backend *backend = tj__backend_for(&info, 1);
    return backend && backend->linalg->check(info, message) ? TJ_OK : tj_error_code();
  }
  const int32_t *x = tj__read(info);
  for (int64_t i = 0; i < info->numel; i++)
    if (x[i]) return tj__fail_filled(TJ_ERROR_RUNTIME, message, i, x[i]), tj_error_code();
  return TJ_OK;
}

bool tj__refuse(tj_tensor *bad, const char *text) {
  tj_tensor *info = bad ? tj__contiguous(tj__to_dtype(bad, TJ_INT32)) : NULL;
  return info && tj__check_info(info, NULL, text) == TJ_OK;
}

static const tj__backend *backend_of(tj_tensor *t) { return t ? tj__backend_for(&t, 1) : NULL; }
static tj_tensor *infos(tj_ints batch, tj_device device) { return tj__empty(batch, TJ_INT32, device); }

/* ---- Cholesky --------------------------------------------------------------------------------------------------- */

static tj_status cholesky_failed(tj_tensor *info, const char *name) {
  return tj__check_info(
      info, name,
      "\1The factorization could not be completed because the input is not positive-definite (the leading minor of order \2 "
      "is not positive-definite).");
}

tj_status tj__impl_linalg_cholesky_ex(tj_tensor *self, bool upper, bool check_errors, tj_tensor **L, tj_tensor **info) {
  if (!tj__is_square(self, "linalg.cholesky", "A") || !tj__is_factorable(self, "linalg.cholesky")) return tj_error_code();
  const tj__backend *backend = backend_of(self);
  tj_tensor *a = tj__by_columns(upper ? tj__mH(self) : self);
  *info = a ? infos(tj__batch_of(self), self->storage->device) : NULL;
  if (!backend || !*info || !backend->linalg->cholesky(self->dtype, tj__matrices(a), tj__rows(a), tj__write(a), tj__write(*info)))
    return tj_error_code();
  *L = upper ? tj__by_columns(tj__mH(a)) : a;
  if (!*L) return tj_error_code();
  return check_errors ? cholesky_failed(*info, "linalg.cholesky_ex") : TJ_OK;
}

tj_tensor *tj__impl_linalg_cholesky(tj_tensor *self, bool upper) {
  tj_tensor *l, *info;
  if (tj_linalg_cholesky_ex(self, upper, false, &l, &info) != TJ_OK || cholesky_failed(info, "linalg.cholesky") != TJ_OK) return NULL;
  return l;
}

tj_tensor *tj__impl_torch_cholesky(tj_tensor *self, bool upper) {
  RUNTIME(self->ndim >= 2, "cholesky: The input tensor A must have at least 2 dimensions.");
  if (!tj__is_square(self, "cholesky", "A")) return NULL;
  tj_tensor *l, *info;
  if (tj_linalg_cholesky_ex(self, upper, false, &l, &info) != TJ_OK || cholesky_failed(info, "cholesky") != TJ_OK) return NULL;
  return l;
}

tj_tensor *tj__impl_cholesky_solve(tj_tensor *self, tj_tensor *input2, bool upper) {
  RUNTIME(self->ndim >= 2, "b should have at least 2 dimensions, but has %d dimensions instead", self->ndim);
  RUNTIME(input2->ndim >= 2, "u should have at least 2 dimensions, but has %d dimensions instead", input2->ndim);
  RUNTIME(self->dtype == input2->dtype, "Expected b and A to have the same dtype, but found b of type %s and A of type %s instead",
          tj__dtype_legacy(self->dtype), tj__dtype_legacy(input2->dtype));
  RUNTIME(tj__rows(input2) == tj__columns(input2), "A must be batches of square matrices, but they are %lld by %lld matrices",
          LL(tj__columns(input2)), LL(tj__rows(input2)));
  RUNTIME(tj__rows(self) == tj__rows(input2),
          "Incompatible matrix sizes for cholesky_solve: each A matrix is %lld by %lld but each b matrix is %lld by %lld",
          LL(tj__rows(input2)), LL(tj__rows(input2)), LL(tj__rows(self)), LL(tj__columns(self)));
  tj_tensor *adjoint = tj__mH(input2);
  tj_tensor *y = tj_linalg_solve_triangular(upper ? adjoint : input2, self, false, true, false);
  return tj_linalg_solve_triangular(upper ? input2 : adjoint, y, true, true, false);
}

tj_tensor *tj__impl_cholesky_inverse(tj_tensor *self, bool upper) {
  if (!tj__is_square(self, "cholesky_inverse", "A")) return NULL;
  tj_tensor *one = tj__identities(self, tj__rows(self));
  tj_tensor *half = tj_linalg_solve_triangular(self, one, upper, true, false); /* L^-1, or U^-1 */
  return upper ? tj_matmul(half, tj__mH(half)) : tj_linalg_solve_triangular(tj__mH(self), half, true, true, false);
}

/* ---- LU --------------------------------------------------------------------------------------------------------- */

/* LU by rows. */
static tj_status factor(tj_tensor *A, bool pivot, tj_tensor **LU, tj_tensor **pivots, tj_tensor **info) {
  const tj__backend *backend = backend_of(A);
  tj_tensor *a = backend && A ? tj__own_copy(A) : NULL;
  if (!a) return tj_error_code();
  const int64_t m = tj__rows(a), n = tj__columns(a);
  *LU = a;
  *pivots = tj__empty_vectors(tj__batch_of(A), TJ__MIN(m, n), TJ_INT32, A->storage->device);
  *info = infos(tj__batch_of(A), A->storage->device);
  if (!*pivots || !*info) return tj_error_code();
  return backend->linalg->lu(A->dtype, tj__matrices(a), m, n, tj__write(a), tj__write(*pivots), tj__write(*info), pivot) ? TJ_OK
                                                                                                                         : tj_error_code();
}

static const char ZERO_PIVOT[] =
    "\1U[\2,\2] is zero and using it on lu_solve would result in a division by zero. If you still want to perform "
    "the factorization, consider calling linalg.lu(A, pivot) or linalg.lu_factor_ex(A, pivot)";

tj_status tj__impl_linalg_lu_factor_ex(tj_tensor *A, bool pivot, bool check_errors, tj_tensor **LU, tj_tensor **pivots, tj_tensor **info) {
  RUNTIME_STATUS(A->ndim >= 2, "torch.lu_factor: Expected tensor with 2 or more dimensions. Got size: %s instead", tj__sizes_text(A));
  if (!tj__is_factorable(A, "torch.linalg.lu_factor")) return tj_error_code();
  if (factor(A, pivot, LU, pivots, info) != TJ_OK || !(*LU = tj__by_columns(*LU))) return tj_error_code();
  return check_errors ? tj__check_info(*info, "torch.linalg.lu_factor_ex", ZERO_PIVOT) : TJ_OK;
}

tj_status tj__impl_linalg_lu_factor(tj_tensor *A, bool pivot, tj_tensor **LU, tj_tensor **pivots) {
  tj_tensor *info;
  if (tj_linalg_lu_factor_ex(A, pivot, false, LU, pivots, &info) != TJ_OK) return tj_error_code();
  return tj__check_info(info, "torch.linalg.lu_factor", ZERO_PIVOT);
}

tj_tensor *tj__impl_lu_permutation(tj_tensor *pivots, int64_t n, tj_dtype dtype) {
  int64_t sizes[TJ_MAX_DIMS];
  const int d = pivots->ndim - 1;
  for (int i = 0; i < d; i++) sizes[i] = pivots->sizes[i];
  sizes[d] = sizes[d + 1] = n;
  tj_tensor *one = tj_eye(n, dtype, pivots->storage->device, false);
  return tj_contiguous(tj_permuted_rows(tj_expand(one, (tj_ints){sizes, d + 2}, false), pivots, true), NULL);
}

tj_tensor *tj__impl_permuted_rows(tj_tensor *self, tj_tensor *pivots, bool backwards) {
  const tj__backend *backend = backend_of(self);
  tj_tensor *b = tj__by_columns(self), *p = tj__contiguous(pivots);
  if (!backend || !b || !p) return NULL;
  return backend->linalg->swap_rows(b->dtype, tj__matrices(b), tj__rows(b), tj__columns(b), tj__write(b), tj__read(p),
                                    p->sizes[p->ndim - 1], backwards)
             ? b
             : NULL;
}

tj_status tj__impl_lu_unpack(tj_tensor *LU_data, tj_tensor *LU_pivots, bool unpack_data, bool unpack_pivots, tj_tensor **P, tj_tensor **L,
                             tj_tensor **U) {
  RUNTIME_STATUS(LU_data->ndim >= 2, "torch.lu_unpack: Expected tensor with 2 or more dimensions. Got size: %s instead",
                 tj__sizes_text(LU_data));
  RUNTIME_STATUS(!unpack_pivots || LU_pivots->dtype == TJ_INT32,
                 "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 dtype.\n"
                 "Note: this function is intended to be used with the output produced by torch.linalg.lu_factor");
  if (!tj__backend_for((tj_tensor *[]){LU_data, LU_pivots}, 2)) return tj_error_code();
  const int64_t m = tj__rows(LU_data), n = tj__columns(LU_data), k = TJ__MIN(m, n);
  if (unpack_data) {
    *L = tj__plus(tj_tril(tj_narrow(LU_data, -1, 0, k), -1), tj_eye_m(m, k, LU_data->dtype, LU_data->storage->device, false));
    *U = tj_triu(tj_narrow(LU_data, -2, 0, k), 0);
  } else {
    *L = tj__empty(TJ_INTS(0), LU_data->dtype, LU_data->storage->device);
    *U = tj__empty(TJ_INTS(0), LU_data->dtype, LU_data->storage->device);
  }
  RUNTIME_STATUS(!unpack_pivots || LU_pivots->ndim >= 1, "torch.lu_unpack: Expected pivots with 1 or more dimensions");
  /* Rows are exchanged in the dtypes of the factorisations only. */
  const tj_dtype dtype = tj__dtype_sizes[LU_data->dtype] >= 4 ? (tj_dtype)LU_data->dtype : TJ_FLOAT32;
  *P = unpack_pivots ? tj_to_dtype(tj_lu_permutation(LU_pivots, m, dtype), (tj_dtype)LU_data->dtype, false, false, NULL)
                     : tj__empty(TJ_INTS(0), LU_data->dtype, LU_data->storage->device);
  return *L && *U && *P ? TJ_OK : tj_error_code();
}

tj_status tj__impl_linalg_lu(tj_tensor *A, bool pivot, tj_tensor **P, tj_tensor **L, tj_tensor **U) {
  RUNTIME_STATUS(A->ndim >= 2, "linalg.lu: Expected tensor with 2 or more dimensions. Got size: %s instead", tj__sizes_text(A));
  tj_tensor *lu, *pivots, *info;
  if (tj_linalg_lu_factor_ex(A, pivot, false, &lu, &pivots, &info) != TJ_OK) return tj_error_code();
  return tj_lu_unpack(lu, pivots, true, pivot, P, L, U);
}

tj_tensor *tj__impl_linalg_lu_solve(tj_tensor *LU, tj_tensor *pivots, tj_tensor *B, bool left, bool adjoint) {
  if (!tj__is_factorable(LU, "torch.linalg.lu_solve")) return NULL;
  RUNTIME(LU->dtype == B->dtype,
          "linalg.lu_solve: Expected LU and B to have the same dtype, but found LU of type %s and B of type %s instead",
          tj__dtype_legacy(LU->dtype), tj__dtype_legacy(B->dtype));
  RUNTIME(pivots->dtype == TJ_INT32, "linalg.lu_solve: pivots should be a Tensor of scalar type torch.int32");
  if (!tj__is_square(LU, "torch.linalg.lu_solve", "LU")) return NULL;
  if (!tj__is_matrix(B, "torch.linalg.lu_solve", "B")) return NULL;
  const int64_t n = tj__rows(LU);
  RUNTIME((left ? tj__rows(B) : tj__columns(B)) == n,
          "linalg.lu_solve: Incompatible shapes of A and B for the equation %s (%lldx%lld and %lldx%lld)", left ? "AX = B" : "XA = B",
          LL(n), LL(n), LL(tj__rows(B)), LL(tj__columns(B)));
  RUNTIME(pivots->ndim >= 1 && pivots->sizes[pivots->ndim - 1] == n,
          "linalg.lu_solve: Number of pivots per batch should be same as the dimension of the matrix");
  /* X A = B is A^H X^H = B^H. The exchanges are those of LU's matrices, broadcast with B's. */
  tj_tensor *b = left ? B : tj__mH(B), *p = tj_unsqueeze(pivots, -1);
  if (!p || !tj__broadcast_batches(&LU, &b) || !tj__broadcast_batches(&p, &b)) return NULL;
  p = tj_squeeze_dim(p, -1);
  if (left == adjoint) {
    b = tj_linalg_solve_triangular(tj__mH(LU), b, false, true, false);
    b = tj_linalg_solve_triangular(tj__mH(LU), b, true, true, true);
    b = tj_permuted_rows(b, p, true);
  } else {
    b = tj_permuted_rows(b, p, false);
    b = tj_linalg_solve_triangular(LU, b, false, true, true);
    b = tj_linalg_solve_triangular(LU, b, true, true, false);
  }
  return left ? b : tj__mH(b);
}

tj_tensor *tj__impl_torch_lu_solve(tj_tensor *self, tj_tensor *LU_data, tj_tensor *LU_pivots) {
  return tj_linalg_lu_solve(LU_data, LU_pivots, self, true, false);
}

/* ---- triangular systems ----------------------------------------------------------------------------------------- */

/* L X = B in place of b (by columns), with L the lower or upper triangle of a, both [batch, n, n]. */
static bool triangular(const tj__backend *backend, const tj_tensor *a, bool upper, bool unit, bool transpose, bool conj, tj_tensor *b) {
  const int64_t n = tj__rows(a), size = (int64_t)tj__itemsize(a);
  if (!b->numel) return true;
  int64_t row = a->strides[a->ndim - 2], col = a->strides[a->ndim - 1];
  if (transpose) {
    const int64_t x = row;
    row = col, col = x, upper = !upper;
  }
  tj__triangular_args g = {.dtype = a->dtype,
                           .batches = tj__matrices(b),
                           .n = n,
                           .columns = tj__columns(b),
                           .l = tj__read(a),
                           .l_row = row,
                           .l_col = col,
                           .l_batch = n * n,
                           .b = tj__write(b),
                           .b_row = b->strides[b->ndim - 2],
                           .b_col = b->strides[b->ndim - 1],
                           .b_batch = n * tj__columns(b),
                           .unit = unit,
                           .conj = conj};
  if (upper) { /* seen from the end, it is a lower one */
    g.l = (const char *)g.l + (n - 1) * (row + col) * size;
    g.b = (char *)g.b + (n - 1) * g.b_row * size;
    g.l_row = -row, g.l_col = -col, g.b_row = -g.b_row;
  }
  return backend->linalg->solve_triangular(&g);
}

tj_tensor *tj__impl_linalg_solve_triangular(tj_tensor *self, tj_tensor *B, bool upper, bool left, bool unitriangular) {
  RUNTIME(self->dtype == B->dtype,
          "linalg.solve_triangular: Expected A and B to have the same dtype, but found A of type %s and B of type %s instead",
          tj__dtype_legacy(self->dtype), tj__dtype_legacy(B->dtype));
  if (!tj__is_square(self, "linalg.solve_triangular", "A") || !tj__is_matrix(B, "linalg.solve_triangular", "B")) return NULL;
  RUNTIME((left ? tj__rows(B) : tj__columns(B)) == tj__rows(self),
          "linalg.solve_triangular: Incompatible shapes of A and B for the equation %s (%lldx%lld and %lldx%lld)",
          left ? "AX = B" : "XA = B", LL(tj__rows(self)), LL(tj__columns(self)), LL(tj__rows(B)), LL(tj__columns(B)));
  if (!tj__is_factorable(self, "linalg.solve_triangular")) return NULL;
  const tj__backend *backend = tj__backend_for((tj_tensor *[]){self, B}, 2);
  if (!backend || !tj__broadcast_batches(&self, &B)) return NULL;
  bool transposed = self->strides[self->ndim - 1] == 1 && self->strides[self->ndim - 2] != 1;
  tj_tensor *a = tj__read_by_columns(transposed ? tj__mT(self) : self);
  tj_tensor *b = tj__by_columns(left ? B : tj__mT(B));
  if (!a || !b || !triangular(backend, a, upper != transposed, unitriangular, left == transposed, false, b)) return NULL;
  return left ? b : tj__mT(b);
}

tj_tensor *tj__impl_linalg_mH(tj_tensor *self) { return tj__mH(self); }

tj_status tj__impl_triangular_solve(tj_tensor *self, tj_tensor *A, bool upper, bool transpose, bool unitriangular, tj_tensor **solution,
                                    tj_tensor **cloned_coefficient) {
  RUNTIME_STATUS(self->ndim >= 2, "torch.triangular_solve: Expected b to have at least 2 dimensions, but it has %d dimensions instead",
                 self->ndim);
  RUNTIME_STATUS(A->ndim >= 2, "torch.triangular_solve: Expected A to have at least 2 dimensions, but it has %d dimensions instead",
                 A->ndim);
  RUNTIME_STATUS(tj__rows(A) == tj__columns(A), "A must be batches of square matrices, but they are %lld by %lld matrices",
                 LL(tj__columns(A)), LL(tj__rows(A)));
  RUNTIME_STATUS(tj__rows(self) == tj__rows(A),
                 "Incompatible matrix sizes for triangular_solve: each A matrix is %lld by %lld but each b matrix is %lld by %lld",
                 LL(tj__rows(A)), LL(tj__rows(A)), LL(tj__rows(self)), LL(tj__columns(self)));
  tj_tensor *b = self, *a = A;
  if (!tj__broadcast_batches(&a, &b)) return tj_error_code();
  *solution = tj_linalg_solve_triangular(transpose ? tj__mT(a) : a, b, upper != transpose, true, unitriangular);
  tj_tensor *copy = *solution ? tj__empty_matrices(tj__batch_of(a), tj__rows(a), tj__columns(a), a->dtype, a->storage->device) : NULL;
  *cloned_coefficient = copy ? tj_copy_(copy, a, false) : NULL;
  return *cloned_coefficient ? TJ_OK : tj_error_code();
}

/* ---- general systems -------------------------------------------------------------------------------------------- */

/* B is a batch of vectors: PyTorch's rule. */
static bool is_vector(const tj_tensor *A, const tj_tensor *B) {
  if (B->ndim == 1) return true;
  return A->ndim - 1 == B->ndim && memcmp(A->sizes, B->sizes, (size_t)B->ndim * sizeof *B->sizes) == 0;
}

static tj_status singular(tj_tensor *info, const char *name) {
  return tj__check_info(info, name, "\1The solver failed because the input matrix is singular.");
}

tj_status tj__impl_linalg_solve_ex(tj_tensor *A, tj_tensor *B, bool left, bool check_errors, tj_tensor **result, tj_tensor **info) {
  if (!tj__is_factorable(A, "linalg.solve")) return tj_error_code();
  RUNTIME_STATUS(A->dtype == B->dtype,
                 "linalg.solve: Expected A and B to have the same dtype, but found A of type %s and B of type %s instead",
                 tj__dtype_legacy(A->dtype), tj__dtype_legacy(B->dtype));
  if (!tj__is_square(A, "linalg.solve", "A")) return tj_error_code();
  const bool vector = is_vector(A, B);
  RUNTIME_STATUS(left || !vector,
                 "linalg.solve: Vector broadcasting of the left hand side is not supported for left=False. In this case linalg.solve is "
                 "equivalent to B / A.squeeze(-1)");
  tj_tensor *b = vector ? tj_unsqueeze(B, -1) : left ? B : tj__mT(B);
  if (!b || !tj__is_matrix(b, "linalg.solve", "B")) return tj_error_code();
  const int64_t n = tj__rows(A);
  RUNTIME_STATUS(tj__rows(b) == n, "linalg.solve: Incompatible shapes of A and B for the equation %s (%lldx%lld and %lldx%lld)",
                 left ? "AX = B" : "XA = B", LL(n), LL(n), LL(left ? tj__rows(b) : tj__columns(b)),
                 LL(left ? tj__columns(b) : tj__rows(b)));
  const tj__backend *backend = tj__backend_for((tj_tensor *[]){A, B}, 2);
  tj_tensor *lu, *pivots;
  if (!backend || factor(left ? A : tj__mT(A), true, &lu, &pivots, info) != TJ_OK) return tj_error_code();
  tj_tensor *p = tj_unsqueeze(pivots, -1);
  if (!tj__broadcast_batches(&lu, &b) || !tj__broadcast_batches(&p, &b)) return tj_error_code();
  lu = tj__contiguous(lu), b = tj__by_columns(b), p = tj__contiguous(p);
  if (!lu || !b || !p) return tj_error_code();
  if (b->numel) {
    if (!backend->linalg->swap_rows(b->dtype, tj__matrices(b), n, tj__columns(b), tj__write(b), tj__read(p), n, false))
      return tj_error_code();
    if (!triangular(backend, lu, false, true, false, false, b) || !triangular(backend, lu, true, false, false, false, b))
      return tj_error_code();
  }
  *result = vector ? tj_squeeze_dim(b, -1) : left ? b : tj__mT(b);
  if (vector && *result && (*result)->ndim >= 2) *result = tj__by_columns(*result); /* PyTorch lays out batches of vectors so too */
  if (!*result) return tj_error_code();
  return check_errors ? singular(*info, "torch.linalg.solve_ex") : TJ_OK;
}

tj_tensor *tj__impl_linalg_solve(tj_tensor *A, tj_tensor *B, bool left) {
  tj_tensor *x, *info;
  if (tj_linalg_solve_ex(A, B, left, false, &x, &info) != TJ_OK || singular(info, "torch.linalg.solve") != TJ_OK) return NULL;
  return x;
}

static tj_status not_invertible(tj_tensor *info, const char *name) {
  return tj__check_info(info, name,
                        "\1The diagonal element \2 is zero, the inversion could not be completed because the input matrix is singular.");
}

tj_status tj__impl_linalg_inv_ex(tj_tensor *A, bool check_errors, tj_tensor **inverse, tj_tensor **info) {
  if (!tj__is_square(A, "linalg.inv", "A") || !tj__is_factorable(A, "linalg.inv")) return tj_error_code();
  /* as many identities as matrices: one alone might pass for a batch of vectors */
  tj_tensor *one = tj_expand_as(tj__identities(A, tj__rows(A)), A);
  if (tj_linalg_solve_ex(A, one, true, false, inverse, info) != TJ_OK) return tj_error_code();
  return check_errors ? not_invertible(*info, "linalg.inv_ex") : TJ_OK;
}

tj_tensor *tj__impl_linalg_inv(tj_tensor *A) {
  tj_tensor *x, *info;
  if (tj_linalg_inv_ex(A, false, &x, &info) != TJ_OK || not_invertible(info, "linalg.inv") != TJ_OK) return NULL;
  return x;
}
tj_tensor *tj__impl_inverse(tj_tensor *self) { return tj_linalg_inv(self); }

/* ---- determinants ----------------------------------------------------------------------------------------------- */

/* 1, or -1 for an odd number of exchanges. */
static tj_tensor *parity(tj_tensor *pivots, tj_dtype dtype) {
  const int64_t n = pivots->sizes[pivots->ndim - 1];
  tj_tensor *in_place = tj_arange_start(tj_int(1), tj_int(n + 1), TJ_INT32, pivots->storage->device, false);
  tj_tensor *count = tj_sum_dim(tj_ne(pivots, in_place), TJ_INTS(-1), false, TJ_INT64);
  tj_tensor *odd = tj_remainder(count, tj_scalar_tensor(tj_int(2)));
  return tj_to_dtype(tj_sub(tj_scalar_tensor(tj_int(1)), odd, tj_int(2)), dtype, false, false, NULL);
}

tj_tensor *tj__impl_linalg_det(tj_tensor *A) {
  if (!tj__is_square(A, "linalg.det", "A") || !tj__is_factorable(A, "linalg.det")) return NULL;
  tj_tensor *lu, *pivots, *info;
  if (factor(A, true, &lu, &pivots, &info) != TJ_OK) return NULL;
  return tj_mul(tj_prod_dim(tj__diagonals(lu), -1, false, TJ_DTYPE_NONE), parity(pivots, lu->dtype));
}
tj_tensor *tj__impl_torch_det(tj_tensor *self) { return tj_linalg_det(self); }

tj_status tj__impl_linalg_slogdet(tj_tensor *A, tj_tensor **sign, tj_tensor **logabsdet) {
  if (!tj__is_square(A, "linalg.slogdet", "A") || !tj__is_factorable(A, "linalg.slogdet")) return tj_error_code();
  tj_tensor *lu, *pivots, *info;
  if (factor(A, true, &lu, &pivots, &info) != TJ_OK) return tj_error_code();
  tj_tensor *diagonal = tj__diagonals(lu);
  *sign = tj_mul(tj_prod_dim(tj_sgn(diagonal), -1, false, TJ_DTYPE_NONE), parity(pivots, lu->dtype));
  *logabsdet = tj_sum_dim(tj_log(tj_abs(diagonal)), TJ_INTS(-1), false, TJ_DTYPE_NONE);
  return *sign && *logabsdet ? TJ_OK : tj_error_code();
}
tj_status tj__impl_torch_slogdet(tj_tensor *self, tj_tensor **sign, tj_tensor **logabsdet) {
  return tj_linalg_slogdet(self, sign, logabsdet);
}

tj_tensor *tj__impl_logdet(tj_tensor *self) {
  if (!tj__is_square(self, "logdet", "A") || !tj__is_factorable(self, "logdet")) return NULL;
  tj_tensor *sign, *logs;
  if (tj_linalg_slogdet(self, &sign, &logs) != TJ_OK) return NULL;
  if (tj_dtype_is_complex(self->dtype)) return tj__plus(tj_log(sign), logs);
  return tj_where(tj_eq(sign, tj__number(-1)), tj__number(NAN), logs);
}

/* ---- QR --------------------------------------------------------------------------------------------------------- */

tj_status tj__impl_geqrf(tj_tensor *self, tj_tensor **a, tj_tensor **tau) {
  RUNTIME_STATUS(self->ndim >= 2, "torch.geqrf: input must have at least 2 dimensions.");
  if (!tj__is_factorable(self, "torch.geqrf")) return tj_error_code();
  const tj__backend *backend = backend_of(self);
  const int64_t m = tj__rows(self), n = tj__columns(self);
  *a = tj__by_columns(self);
  *tau = tj__empty_vectors(tj__batch_of(self), TJ__MIN(m, n), self->dtype, self->storage->device);
  if (!backend || !*a || !*tau) return tj_error_code();
  return !(*tau)->numel || backend->linalg->geqrf(self->dtype, tj__matrices(self), m, n, tj__write(*a), tj__write(*tau)) ? TJ_OK
                                                                                                                         : tj_error_code();
}

static tj_tensor *product_of(tj_tensor *a, tj_tensor *tau, int64_t n) {
  const tj__backend *backend = backend_of(a);
  a = tj__read_by_columns(a), tau = tj__contiguous(tau);
  tj_tensor *q = a && tau ? tj__empty_matrices(tj__batch_of(a), tj__rows(a), n, a->dtype, a->storage->device) : NULL;
  if (!backend || !q) return NULL;
  const int64_t k = tau->sizes[tau->ndim - 1];
  if (k != tj__columns(a) && !(a = tj__by_columns(tj_narrow(a, -1, 0, k)))) return NULL;
  if (q->numel && !backend->linalg->orgqr(a->dtype, tj__matrices(a), tj__rows(a), n, k, tj__read(a), tj__read(tau), tj__write(q)))
    return NULL;
  return q;
}

tj_tensor *tj__impl_linalg_householder_product(tj_tensor *input, tj_tensor *tau) {
  RUNTIME(input->ndim >= 2, "torch.linalg.householder_product: input must have at least 2 dimensions.");
  RUNTIME(tj__rows(input) >= tj__columns(input),
          "torch.linalg.householder_product: input.shape[-2] must be greater than or equal to input.shape[-1]");
  RUNTIME(tau->ndim >= 1 && tj__columns(input) >= tau->sizes[tau->ndim - 1],
          "torch.linalg.householder_product: input.shape[-1] must be greater than or equal to tau.shape[-1]");
  RUNTIME(
      input->ndim - tau->ndim == 1,
      "torch.linalg.householder_product: Expected tau to have one dimension less than input, but got tau.ndim equal to %d and input.ndim "
      "is equal to %d",
      tau->ndim, input->ndim);
  RUNTIME(memcmp(input->sizes, tau->sizes, (size_t)(tau->ndim - 1) * sizeof *tau->sizes) == 0,
          "torch.linalg.householder_product: Expected batch dimensions of tau to be equal to input.shape[:-2], but got %s",
          tj__sizes_text(tau));
  RUNTIME(tau->dtype == input->dtype, "torch.linalg.householder_product: tau dtype %s does not match input dtype %s",
          tj__dtype_legacy(tau->dtype), tj__dtype_legacy(input->dtype));
  if (!tj__is_factorable(input, "torch.linalg.householder_product")) return NULL;
  return product_of(input, tau, tj__columns(input));
}
tj_tensor *tj__impl_orgqr(tj_tensor *self, tj_tensor *input2) { return tj_linalg_householder_product(self, input2); }

tj_status tj__impl_linalg_qr(tj_tensor *A, const char *mode, tj_tensor **Q, tj_tensor **R) {
  RUNTIME_STATUS(A->ndim >= 2, "linalg.qr: The input tensor A must have at least 2 dimensions.");
  if (!tj__is_factorable(A, "linalg.qr")) return tj_error_code();
  const bool complete = !strcmp(mode, "complete"), r = !strcmp(mode, "r");
  RUNTIME_STATUS(complete || r || !strcmp(mode, "reduced"),
                 "qr received unrecognized mode '%s' but expected one of 'reduced' (default), 'r', or 'complete'", mode);
  tj_tensor *a, *tau;
  if (tj_geqrf(A, &a, &tau) != TJ_OK) return tj_error_code();
  const int64_t m = tj__rows(A), n = tj__columns(A), k = TJ__MIN(m, n), wide = complete ? m : k;
  *R = tj_triu(complete ? a : tj_narrow(a, -2, 0, k), 0);
  *R = tj__by_columns(*R);
  *Q = r ? tj__empty(TJ_INTS(0), A->dtype, A->storage->device) : product_of(a, tau, wide);
  return *Q && *R ? TJ_OK : tj_error_code();
}
tj_status tj__impl_torch_qr(tj_tensor *self, bool some, tj_tensor **Q, tj_tensor **R) {
  return tj_linalg_qr(self, some ? "reduced" : "complete", Q, R);
}

tj_tensor *tj__impl_ormqr(tj_tensor *self, tj_tensor *input2, tj_tensor *input3, bool left, bool transpose) {
  tj_tensor *a = self, *tau = input2, *c = input3;
  RUNTIME(a->ndim >= 2, "torch.ormqr: input must have at least 2 dimensions.");
  RUNTIME(c->ndim >= 2, "torch.ormqr: other must have at least 2 dimensions.");
  const int64_t size = left ? tj__rows(c) : tj__columns(c);
  RUNTIME(tau->ndim >= 1 && size >= tau->sizes[tau->ndim - 1],
          "torch.ormqr: other.shape[%d] must be greater than or equal to tau.shape[-1]", left ? -2 : -1);
  RUNTIME(size == tj__rows(a), "torch.ormqr: other.shape[%d] must be equal to input.shape[-2]", left ? -2 : -1);
  RUNTIME(tau->sizes[tau->ndim - 1] == TJ__MIN(size, tj__columns(a)),
          "torch.ormqr: tau.shape[-1] must be equal to min(other.shape[%d], input.shape[-1])", left ? -2 : -1);
  RUNTIME(a->ndim - tau->ndim == 1,
          "torch.ormqr: Expected tau to have one dimension less than input, but got tau.ndim equal to %d and input.ndim is equal to %d",
          tau->ndim, a->ndim);
  RUNTIME(a->ndim == c->ndim,
          "torch.ormqr: Expected other to have the same number of dimensions as input, but got other.ndim equal to %d and input.ndim is "
          "equal to "
          "%d",
          c->ndim, a->ndim);
  for (int i = 0; i < a->ndim - 2; i++) {
    RUNTIME(a->sizes[i] == tau->sizes[i], "torch.ormqr: Expected batch dimensions of tau to be equal to input.shape[:-2], but got %s",
            tj__ints_text(tau->sizes, tau->ndim - 1));
    RUNTIME(a->sizes[i] == c->sizes[i], "torch.ormqr: Expected batch dimensions of other to be equal to input.shape[:-2], but got %s",
            tj__ints_text(c->sizes, c->ndim - 2));
  }
  RUNTIME(tau->dtype == a->dtype, "torch.ormqr: Expected input and tau to have the same dtype, but input has dtype %s and tau has dtype %s",
          tj__dtype_legacy(a->dtype), tj__dtype_legacy(tau->dtype));
  RUNTIME(c->dtype == a->dtype,
          "torch.ormqr: Expected input and other to have the same dtype, but input has dtype %s and other has dtype %s",
          tj__dtype_legacy(a->dtype), tj__dtype_legacy(c->dtype));
  if (!tj__is_factorable(a, "torch.ormqr")) return NULL;
  const tj__backend *backend = backend_of(a);
  const int64_t k = tau->sizes[tau->ndim - 1];
  if (k != tj__columns(a)) a = tj_narrow(a, -1, 0, k);
  a = tj__read_by_columns(a);
  tau = tj__contiguous(tau);
  c = tj__by_columns(c);
  if (!backend || !a || !tau || !c) return NULL;
  if (c->numel && !backend->linalg->ormqr(a->dtype, tj__matrices(c), tj__rows(c), tj__columns(c), k, tj__read(a), tj__read(tau),
                                          tj__write(c), left, transpose))
    return NULL;
  return c;
}

/* ---- L D L^T ---------------------------------------------------------------------------------------------------- */

tj_status tj__impl_linalg_ldl_factor_ex(tj_tensor *self, bool hermitian, bool check_errors, tj_tensor **LD, tj_tensor **pivots,
                                        tj_tensor **info) {
  if (!tj__is_square(self, "torch.linalg.ldl_factor_ex", "A") || !tj__is_factorable(self, "torch.linalg.ldl_factor_ex"))
    return tj_error_code();
  const tj__backend *backend = backend_of(self);
  *LD = tj__by_columns(tj_tril(self, 0));
  *pivots = tj__empty_vectors(tj__batch_of(self), tj__rows(self), TJ_INT32, self->storage->device);
  *info = infos(tj__batch_of(self), self->storage->device);
  if (!backend || !*LD || !*pivots || !*info ||
      !backend->linalg->ldl(self->dtype, tj__matrices(self), tj__rows(self), tj__write(*LD), tj__write(*pivots), tj__write(*info),
                            hermitian))
    return tj_error_code();
  return check_errors
             ? tj__check_info(*info, "torch.linalg.ldl_factor_ex",
                              "\1The factorization could not be completed because D[\2,\2] is zero: a division by zero would follow")
             : TJ_OK;
}
tj_status tj__impl_linalg_ldl_factor(tj_tensor *self, bool hermitian, tj_tensor **LD, tj_tensor **pivots) {
  tj_tensor *info;
  return tj_linalg_ldl_factor_ex(self, hermitian, true, LD, pivots, &info);
}
tj_tensor *tj__impl_linalg_ldl_solve(tj_tensor *LD, tj_tensor *pivots, tj_tensor *B, bool hermitian) {
  RUNTIME(LD->ndim >= 2, "torch.linalg.ldl_solve: Expected LD to have at least 2 dimensions, but it has %d dimensions instead", LD->ndim);
  RUNTIME(B->ndim >= 2, "torch.linalg.ldl_solve: Expected B to have at least 2 dimensions, but it has %d dimensions instead", B->ndim);
  if (!tj__is_square(LD, "torch.linalg.ldl_solve", "LD") || !tj__is_factorable(LD, "torch.linalg.ldl_solve")) return NULL;
  RUNTIME(tj__rows(LD) == tj__rows(B),
          "torch.linalg.ldl_solve: Incompatible matrix sizes: each LD matrix is %lld by %lld but each B matrix is %lld by %lld",
          LL(tj__rows(LD)), LL(tj__rows(LD)), LL(tj__rows(B)), LL(tj__columns(B)));
  RUNTIME(pivots->ndim == LD->ndim - 1 && memcmp(pivots->sizes, LD->sizes, (size_t)pivots->ndim * sizeof *LD->sizes) == 0,
          "torch.linalg.ldl_solve: Expected LD.shape[:-1] and pivots.shape to be the same, but got pivots with shape %s instead",
          tj__sizes_text(pivots));
  RUNTIME(LD->dtype == B->dtype, "torch.linalg.ldl_solve: LD dtype %s does not match b dtype %s", tj__dtype_legacy(LD->dtype),
          tj__dtype_legacy(B->dtype));
  RUNTIME(pivots->dtype == TJ_INT32, "torch.linalg.ldl_solve: Expected pivots to be integers. Got %s", tj__dtype_legacy(pivots->dtype));
  const tj__backend *backend = backend_of(LD);
  tj_tensor *p = tj_unsqueeze(pivots, -1);
  if (!backend || !p || !tj__broadcast_batches(&LD, &B) || !tj__broadcast_batches(&p, &B)) return NULL;
  LD = tj__read_by_columns(LD), p = tj__contiguous(p);
  tj_tensor *b = tj__by_columns(B);
  if (!LD || !p || !b) return NULL;
  if (b->numel && !backend->linalg->ldl_solve(b->dtype, tj__matrices(b), tj__rows(b), tj__columns(b), tj__read(LD), tj__read(p),
                                              tj__write(b), hermitian))
    return NULL;
  return b;
}
