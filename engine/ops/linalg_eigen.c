/* linalg_eigen.c: eigenvalues, singular values, and what is computed through them: pseudoinverse, least squares; the matrix exponential. */
#include "linalg.h"

#include <math.h>
#include <stdio.h>

static const tj__backend *backend_of(tj_tensor *t) { return t ? tj__backend_for(&t, 1) : NULL; }

static tj_status not_converged(tj_tensor *info, tj_tensor *input, const char *name, const char *what) {
  static const char non_finite[] = "\1The algorithm failed to converge because the input matrix contained non-finite values.";
  if (!tj__can_look(info)) return tj__check_info(info, name, non_finite); /* its kernels know no other failure */
  bool failed = false;
  const int32_t *x = tj__read(info);
  for (int64_t i = 0; i < info->numel; i++) failed |= x[i] != 0;
  if (!failed) return TJ_OK;
  if (tj__scalar_is_zero(tj_item(tj_all(tj_isfinite(input))))) return tj__check_info(info, name, non_finite);
  char text[200];
  snprintf(text, sizeof text,
           "\1The algorithm failed to converge because the input matrix is ill-conditioned or has too many repeated %s (error code: \2).",
           what);
  return tj__check_info(info, name, text);
}

/* ---- hermitian -------------------------------------------------------------------------------------------------- */

tj_status tj__impl_linalg_eigh_parts(tj_tensor *A, const char *UPLO, bool vectors, tj_tensor **values, tj_tensor **columns) {
  const tj__backend *backend = backend_of(A);
  const bool upper = *UPLO == 'U' || *UPLO == 'u';
  *columns = tj__by_columns(upper ? tj__mH(A) : A);
  *values = tj__empty_vectors(tj__batch_of(A), tj__rows(A), tj__real_of(A->dtype), A->storage->device);
  tj_tensor *info = tj__empty(tj__batch_of(A), TJ_INT32, A->storage->device);
  if (!backend || !*columns || !*values || !info) return tj_error_code();
  if (!backend->eigen->eigh(A->dtype, tj__matrices(A), tj__rows(A), tj__write(*columns), tj__write(*values), vectors, tj__write(info)))
    return tj_error_code();
  if (!vectors && !(*columns = tj__empty(TJ_INTS(0), A->dtype, A->storage->device))) return tj_error_code();
  return not_converged(info, A, "linalg.eigh", "eigenvalues");
}

static bool hermitian(tj_tensor *A, const char *UPLO, const char *name) {
  if (!tj__is_square(A, name, "A") || !tj__is_factorable(A, name)) return false;
  if (strlen(UPLO) == 1 && strchr("ULul", *UPLO)) return true;
  return tj__fail(TJ_ERROR_RUNTIME, "Expected UPLO argument to be 'L' or 'U', but got %s", UPLO) != NULL;
}
tj_status tj__impl_linalg_eigh(tj_tensor *self, const char *UPLO, tj_tensor **values, tj_tensor **columns) {
  if (!hermitian(self, UPLO, "linalg.eigh")) return tj_error_code();
  return tj_linalg_eigh_parts(self, UPLO, true, values, columns);
}
/* Whether the derivative may be asked for: it needs the vectors. */
static bool differentiable(tj_tensor *t) { return tj_is_grad_enabled() && tj_requires_grad(t); }

tj_tensor *tj__impl_linalg_eigvalsh(tj_tensor *self, const char *UPLO) {
  if (!hermitian(self, UPLO, "linalg.eigh")) return NULL;
  tj_tensor *values, *columns;
  return tj_linalg_eigh_parts(self, UPLO, differentiable(self), &values, &columns) == TJ_OK ? values : NULL;
}

/* ---- general ---------------------------------------------------------------------------------------------------- */

tj_status tj__impl_linalg_eig_parts(tj_tensor *self, bool vectors, tj_tensor **values, tj_tensor **columns) {
  const tj__backend *backend = backend_of(self);
  const tj_dtype dtype = tj__complex_of(self->dtype);
  const int64_t n = tj__rows(self);
  tj_tensor *a = tj__read_by_columns(self), *info = tj__empty(tj__batch_of(self), TJ_INT32, self->storage->device);
  *values = tj__empty_vectors(tj__batch_of(self), n, dtype, self->storage->device);
  *columns = vectors ? tj__empty_matrices(tj__batch_of(self), n, n, dtype, self->storage->device)
                     : tj__empty(TJ_INTS(0), dtype, self->storage->device);
  if (!backend || !a || !info || !*values || !*columns) return tj_error_code();
  tj_scalar finite = tj_item(tj_all(tj_isfinite(self)));
  RUNTIME_STATUS(!tj__scalar_is_zero(finite), "torch.linalg.eig: input tensor should not contain infs or NaNs.");
  if (!backend->eigen->eig(self->dtype, tj__matrices(self), n, tj__read(a), tj__write(*values), vectors ? tj__write(*columns) : NULL,
                           tj__write(info)))
    return tj_error_code();
  return not_converged(info, self, "linalg.eig", "eigenvalues");
}
tj_status tj__impl_linalg_eig(tj_tensor *self, tj_tensor **values, tj_tensor **columns) {
  if (!tj__is_square(self, "linalg.eig", "A") || !tj__is_factorable(self, "linalg.eig")) return tj_error_code();
  return tj_linalg_eig_parts(self, true, values, columns);
}
tj_tensor *tj__impl_linalg_eigvals(tj_tensor *self) {
  if (!tj__is_square(self, "linalg.eigvals", "A") || !tj__is_factorable(self, "linalg.eigvals")) return NULL;
  tj_tensor *values, *columns;
  return tj_linalg_eig_parts(self, differentiable(self), &values, &columns) == TJ_OK ? values : NULL;
}

/* ---- singular values -------------------------------------------------------------------------------------------- */

tj_status tj__impl_linalg_svd_parts(tj_tensor *A, bool full_matrices, bool vectors, tj_tensor **U, tj_tensor **S, tj_tensor **Vh) {
  const tj__backend *backend = backend_of(A);
  const int64_t m = tj__rows(A), n = tj__columns(A), k = TJ__MIN(m, n);
  const tj_ints batch = tj__batch_of(A);
  const tj_device device = A->storage->device;
  tj_tensor *a = tj__by_columns(A), *info = tj__empty(batch, TJ_INT32, device);
  *S = tj__empty_vectors(batch, k, tj__real_of(A->dtype), device);
  *U = vectors ? tj__empty_matrices(batch, m, full_matrices ? m : k, A->dtype, device) : tj__empty(TJ_INTS(0), A->dtype, device);
  *Vh = vectors ? tj__empty_matrices(batch, full_matrices ? n : k, n, A->dtype, device) : tj__empty(TJ_INTS(0), A->dtype, device);
  if (!backend || !a || !info || !*S || !*U || !*Vh) return tj_error_code();
  void *u = vectors ? tj__write(*U) : NULL, *vh = vectors ? tj__write(*Vh) : NULL;
  if (!backend->eigen->svd(A->dtype, tj__matrices(A), m, n, tj__write(a), u, tj__write(*S), vh, full_matrices, tj__write(info)))
    return tj_error_code();
  return not_converged(info, A, "linalg.svd", "singular values");
}

static bool decomposable(tj_tensor *A, const char *driver, const char *name) {
  if (!tj__is_matrix(A, name, "A") || !tj__is_factorable(A, name)) return false;
  if (!driver) return true;
  return tj__fail(TJ_ERROR_RUNTIME, "%s: keyword argument `driver=` is only supported on CUDA inputs with cuSOLVER backend.", name) != NULL;
}
tj_status tj__impl_linalg_svd(tj_tensor *A, bool full_matrices, const char *driver, tj_tensor **U, tj_tensor **S, tj_tensor **Vh) {
  if (!decomposable(A, driver, "linalg.svd")) return tj_error_code();
  return tj_linalg_svd_parts(A, full_matrices, true, U, S, Vh);
}
tj_tensor *tj__impl_linalg_svdvals(tj_tensor *A, const char *driver) {
  if (!decomposable(A, driver, "linalg.svd")) return NULL;
  tj_tensor *u, *s, *vh;
  return tj_linalg_svd_parts(A, false, differentiable(A), &u, &s, &vh) == TJ_OK ? s : NULL;
}
tj_status tj__impl_torch_svd(tj_tensor *self, bool some, bool compute_uv, tj_tensor **U, tj_tensor **S, tj_tensor **V) {
  if (!tj__is_matrix(self, "linalg.svd", "A")) return tj_error_code();
  if (compute_uv) {
    tj_tensor *vh;
    if (tj_linalg_svd(self, !some, NULL, U, S, &vh) != TJ_OK) return tj_error_code();
    *V = tj__mH(vh);
  } else {
    int64_t sizes[TJ_MAX_DIMS];
    memcpy(sizes, self->sizes, (size_t)self->ndim * sizeof *sizes);
    const int d = self->ndim - 2;
    *S = tj_linalg_svdvals(self, NULL);
    sizes[d + 1] = sizes[d];
    *U = tj_new_zeros(self, (tj_ints){sizes, d + 2}, TJ_DTYPE_NONE, TJ_DEVICE_NONE, false);
    sizes[d] = sizes[d + 1] = tj__columns(self);
    *V = tj_new_zeros(self, (tj_ints){sizes, d + 2}, TJ_DTYPE_NONE, TJ_DEVICE_NONE, false);
  }
  return *U && *S && *V ? TJ_OK : tj_error_code();
}

/* ---- pseudoinverse, least squares --------------------------------------------------------------------------------- */

static double epsilon_of(tj_dtype dtype) { return tj__real_of(dtype) == TJ_FLOAT32 ? 1.1920928955078125e-07 : 2.220446049250313e-16; }

/* max(atol, rtol * top), with PyTorch's defaults; top: [batch, 1]. */
static tj_tensor *tolerance(const tj_tensor *A, tj_tensor *atol, tj_tensor *rtol, tj_tensor *top) {
  const double standard = epsilon_of(A->dtype) * (double)TJ__MAX(tj__rows(A), tj__columns(A));
  tj_tensor *a = atol ? tj__tolerances(atol) : tj__number(0);
  tj_tensor *r = rtol ? tj__tolerances(rtol) : tj__number(standard);
  if (atol && !rtol) r = tj_where(tj_gt(a, tj__number(0)), tj__number(0), r);
  return tj_maximum(a, tj_mul(r, top));
}

/* The pseudoinverse, without a derivative of its parts. */
static tj_tensor *pseudoinverse(tj_tensor *self, tj_tensor *atol, tj_tensor *rtol, bool hermitian_, tj_tensor **rank, tj_tensor **values) {
  if (tj__rows(self) == 0 || tj__columns(self) == 0) {
    int64_t sizes[TJ_MAX_DIMS];
    memcpy(sizes, self->sizes, (size_t)self->ndim * sizeof *sizes);
    sizes[self->ndim - 2] = tj__columns(self), sizes[self->ndim - 1] = tj__rows(self);
    if (rank) *rank = tj_zeros(tj__batch_of(self), TJ_INT64, self->storage->device, false);
    return tj_new_zeros(self, (tj_ints){sizes, self->ndim}, TJ_DTYPE_NONE, TJ_DEVICE_NONE, false);
  }
  tj_tensor *u, *s, *vh;
  if (hermitian_) {
    if (tj_linalg_eigh(self, "L", &s, &u) != TJ_OK) return NULL;
    tj_tensor *size = tj_abs(s), *limit = tolerance(self, atol, rtol, tj_amax(size, TJ_INTS(-1), true));
    tj_tensor *inverse = tj_where(tj_gt(size, limit), tj_reciprocal(s), tj__number(0));
    return tj_matmul(tj_mul(u, tj_unsqueeze(tj_to_dtype(inverse, tj__real_of(self->dtype), false, false, NULL), -2)), tj__mH(u));
  }
  if (tj_linalg_svd(self, false, NULL, &u, &s, &vh) != TJ_OK) return NULL;
  tj_tensor *limit = tolerance(self, atol, rtol, tj_narrow(s, -1, 0, 1)), *kept = tj_gt(s, limit);
  tj_tensor *inverse = tj_where(kept, tj_reciprocal(s), tj__number(0));
  if (rank) *rank = tj_sum_dim(kept, TJ_INTS(-1), false, TJ_INT64);
  if (values) *values = s;
  return tj_matmul(tj_mul(tj__mH(vh), tj_unsqueeze(tj_to_dtype(inverse, tj__real_of(self->dtype), false, false, NULL), -2)), tj__mH(u));
}

tj_tensor *tj__impl_linalg_pinv(tj_tensor *self, tj_tensor *atol, tj_tensor *rtol, bool hermitian_) {
  RUNTIME(self->ndim >= 2, "linalg.pinv: The input tensor A must have at least 2 dimensions.");
  if (hermitian_ && !tj__is_square(self, "linalg.pinv", "A")) return NULL;
  if (!tj__is_factorable(self, "linalg.pinv")) return NULL;
  for (int k = 0; k < 2; k++) {
    const tj_tensor *t = k ? rtol : atol;
    RUNTIME(!t || !tj_dtype_is_complex(t->dtype), "linalg.pinv: %s tensor of complex type is not supported. Got %s", k ? "rtol" : "atol",
            tj__dtype_legacy(t->dtype));
  }
  tj_tensor *x = pseudoinverse(self, atol, rtol, hermitian_, NULL, NULL);
  return x ? tj_contiguous(x, NULL) : NULL;
}
tj_tensor *tj__impl_linalg_pinv_rcond(tj_tensor *self, tj_tensor *rcond, bool hermitian_) {
  return tj_linalg_pinv(self, NULL, rcond, hermitian_);
}
tj_tensor *tj__impl_pinverse(tj_tensor *self, double rcond) { return tj_linalg_pinv(self, NULL, tj__number(rcond), false); }

tj_status tj__impl_linalg_lstsq(tj_tensor *self, tj_tensor *b, tj_scalar rcond, const char *driver, tj_tensor **solution,
                                tj_tensor **residuals, tj_tensor **rank, tj_tensor **singular_values) {
  RUNTIME_STATUS(self->ndim >= 2, "torch.linalg.lstsq: input must have at least 2 dimensions.");
  RUNTIME_STATUS(b->ndim >= 1, "torch.linalg.lstsq: other must have at least 1 dimension.");
  RUNTIME_STATUS(self->dtype == b->dtype,
                 "torch.linalg.lstsq: Expected input and other to have the same dtype, but got input's dtype %s and other's dtype %s",
                 tj__dtype_legacy(self->dtype), tj__dtype_legacy(b->dtype));
  const int difference = self->ndim - b->ndim;
  RUNTIME_STATUS(difference >= 0 && difference <= 1,
                 "torch.linalg.lstsq: input.dim() must be greater or equal to other.dim() and (input.dim() - other.dim()) <= 1");
  const bool vector = difference == 1;
  RUNTIME_STATUS(b->sizes[b->ndim - (vector ? 1 : 2)] == tj__rows(self), "torch.linalg.lstsq: input.size(-2) should match other.size(-%d)",
                 vector ? 1 : 2);
  if (!tj__is_factorable(self, "torch.linalg.lstsq")) return tj_error_code();
  const bool look =
      tj__can_look(self); /* elsewhere the default is, as on GPUs in PyTorch, the driver whose results' sizes are known before */
  const char *how = driver ? driver : look ? "gelsy" : "gels";
  RUNTIME_STATUS(!strcmp(how, "gels") || !strcmp(how, "gelsy") || !strcmp(how, "gelsd") || !strcmp(how, "gelss"),
                 "torch.linalg.lstsq: parameter `driver` should be one of (gels, gelsy, gelsd, gelss)");
  const int64_t m = tj__rows(self), n = tj__columns(self);
  const bool full_rank = !strcmp(how, "gels"), values = !strcmp(how, "gelsd") || !strcmp(how, "gelss");
  tj_tensor *a = self, *y = vector ? tj_unsqueeze(b, -1) : b, *s = NULL, *found = NULL;
  if (!tj__broadcast_batches(&a, &y)) return tj_error_code();
  if (full_rank && m && n) {
    /* R^-1 Q^H b; of a wide matrix A^H = Q R: the least norm has Q R^-H b */
    tj_tensor *q, *r;
    if (tj_linalg_qr(m >= n ? a : tj__mH(a), "reduced", &q, &r) != TJ_OK) return tj_error_code();
    *solution = m >= n ? tj_linalg_solve_triangular(r, tj_matmul(tj__mH(q), y), true, true, false)
                       : tj_matmul(q, tj_linalg_solve_triangular(tj__mH(r), y, false, true, false));
  } else {
    tj_tensor *tolerance_ = rcond.kind == TJ_SCALAR_NONE ? NULL : tj_scalar_tensor(rcond);
    tj_tensor *inverse = pseudoinverse(a, NULL, tolerance_, false, &found, &s);
    *solution = tj_matmul(inverse, y);
  }
  if (*solution) *solution = tj__by_columns(*solution);
  const tj_dtype real = tj__real_of(self->dtype);
  const tj_device device = self->storage->device;
  bool whole = m > n && !full_rank && found && found->numel;
  if (whole && !look) return tj__fail_asynchronous(self), tj_error_code(); /* whether there are residuals */
  if (whole) whole = tj__scalar_to_int(tj_item(tj_amin(found, TJ_NO_DIMS, false))) == n;
  if (m > n && (full_rank || whole)) {
    tj_tensor *rest = tj_abs(tj__minus(tj_matmul(a, *solution), y));
    *residuals = tj_sum_dim(tj_mul(rest, rest), TJ_INTS(-2), false, TJ_DTYPE_NONE);
  } else *residuals = tj__empty(TJ_INTS(0), real, device);
  if (*solution && vector) *solution = tj_squeeze_dim(*solution, -1);
  if (full_rank) {
    *rank = tj__empty(TJ_INTS(0), TJ_INT64, device);
  } else *rank = found;
  *singular_values = values && s ? s : tj__empty(TJ_INTS(0), real, device);
  return *solution && *residuals && *rank && *singular_values ? TJ_OK : tj_error_code();
}

/* ---- matrix exponential ------------------------------------------------------------------------------------------- */

/* The Pade approximant of degree 13. */
static tj_tensor *pade(tj_tensor *a, tj_tensor *one) {
  static const double b[] = {64764752532480000.,
                             32382376266240000.,
                             7771770303897600.,
                             1187353796428800.,
                             129060195264000.,
                             10559470521600.,
                             670442572800.,
                             33522128640.,
                             1323241920.,
                             40840800.,
                             960960.,
                             16380.,
                             182.,
                             1.};
  tj_tensor *a2 = tj_matmul(a, a), *a4 = tj_matmul(a2, a2), *a6 = tj_matmul(a4, a2);
#define TERM(k, x) tj_mul(x, tj__number(b[k]))
#define SUM(p, q) tj__plus(p, q)
  tj_tensor *u = tj_matmul(a6, SUM(SUM(TERM(13, a6), TERM(11, a4)), TERM(9, a2)));
  u = tj_matmul(a, SUM(u, SUM(SUM(TERM(7, a6), TERM(5, a4)), SUM(TERM(3, a2), TERM(1, one)))));
  tj_tensor *v = tj_matmul(a6, SUM(SUM(TERM(12, a6), TERM(10, a4)), TERM(8, a2)));
  v = SUM(v, SUM(SUM(TERM(6, a6), TERM(4, a4)), SUM(TERM(2, a2), TERM(0, one))));
#undef TERM
#undef SUM
  tj_tensor *x, *info;
  return tj_linalg_solve_ex(tj__minus(v, u), tj__plus(v, u), true, false, &x, &info) == TJ_OK ? x : NULL;
}

/* Each matrix is scaled by its own power of two, of which nobody knows how large it is: 24 are enough for float32, and the surplus changes nothing. */
static tj_tensor *exponential_on_device(tj_tensor *self) {
  const tj_dtype dtype = (tj_dtype)self->dtype;
  tj_tensor *a = tj__to_dtype(self, tj_dtype_is_complex(dtype) ? TJ_COMPLEX64 : TJ_FLOAT32), *one = tj__identities(a, tj__rows(self));
  tj_tensor *norm = tj_amax(tj_sum_dim(tj_abs(a), TJ_INTS(-2), false, TJ_DTYPE_NONE), TJ_INTS(-1), true);
  tj_tensor *times = tj_ceil(tj_log2(tj_clamp_min(tj_mul(norm, tj__number(1 / 3.9)), tj_float(1))));
  times = tj_unsqueeze(tj_clamp_max(times, tj_float(24)), -1);
  tj_tensor *x = pade(tj_mul(a, tj_exp2(tj_neg(times))), one);
  for (int i = 0; i < 24 && x; i++) x = tj_where(tj_gt(times, tj__number(i)), tj_matmul(x, x), x);
  x = x ? tj__contiguous(x) : NULL;
  return x ? tj__to_dtype(x, dtype) : NULL;
}

/* The approximant after scaling so that the 1-norm is below its radius. */
tj_tensor *tj__impl_matrix_exp(tj_tensor *self) {
  if (!tj__is_matrix(self, "linalg.matrix_exp", "A") || !tj__is_square(self, "linalg.matrix_exp", "A")) return NULL;
  const tj_dtype dtype = self->dtype;
  RUNTIME(tj__class_of(dtype) >= TJ__CLASS_FLOAT, "linalg.matrix_exp: Expected a floating point or complex tensor as input. Got %s",
          tj__dtype_legacy(dtype));
  if (self->numel == 0) return tj__clone(self);
  if (!tj__can_look(self)) return exponential_on_device(self);
  const tj_dtype work = tj_dtype_is_complex(dtype) ? TJ_COMPLEX128 : TJ_FLOAT64;
  const int64_t n = tj__rows(self);
  tj_tensor *a = tj__to_dtype(self, work), *one = tj__identities(a, n);
  tj_tensor *norms = tj_amax(tj_sum_dim(tj_abs(a), TJ_INTS(-2), false, TJ_DTYPE_NONE), TJ_NO_DIMS, false);
  const double norm = tj__scalar_to_double(tj_item(norms));
  if (!norms) return NULL;
  int squarings = 0;
  for (double x = norm; x > 5.37 && squarings < 1100; x /= 2) squarings++;
  /* each matrix by its own power of two would give the same; one for all keeps the batch together */
  a = tj_mul(a, tj__number(1 / (double)(squarings < 1023 ? ((squarings < 62) ? (double)(1LL << squarings) : __builtin_ldexp(1.0, squarings))
                                                         : INFINITY)));
  tj_tensor *x = pade(a, one);
  for (int i = 0; i < squarings && x; i++) x = tj_matmul(x, x);
  x = x ? tj__contiguous(x) : NULL;
  return x ? tj__to_dtype(x, dtype) : NULL;
}
tj_tensor *tj__impl_linalg_matrix_exp(tj_tensor *self) { return tj_matrix_exp(self); }
