/* linalg_norm.c: norms, ranks, powers and products, made of other operators. */
#include "linalg.h"

#include <math.h>
#include <stdio.h>

static bool floating(const tj_tensor *t, const char *name) {
  if (tj__class_of(t->dtype) >= TJ__CLASS_FLOAT) return true;
  return tj__fail(TJ_ERROR_RUNTIME, "%s: Expected a floating point or complex tensor as input. Got %s", name, tj__dtype_legacy(t->dtype)) !=
         NULL;
}

/* ---- norms -------------------------------------------------------------------------------------------------------- */

/* PyTorch's checks of the two dimensions, which are wrapped into d. */
static bool two_dims(const tj_tensor *A, tj_ints dim, int *d) {
  if (!tj__is_matrix(A, "linalg.matrix_norm", "A") || !floating(A, "linalg.matrix_norm")) return false;
  if (dim.n != 2)
    return tj__fail(TJ_ERROR_RUNTIME, "linalg.matrix_norm: dim must be a 2-tuple. Got %s", tj__ints_text(dim.data, dim.n)) != NULL;
  d[0] = tj__wrap_dim(dim.data[0], A->ndim), d[1] = tj__wrap_dim(dim.data[1], A->ndim);
  if (d[0] < 0 || d[1] < 0) return false;
  if (d[0] == d[1])
    return tj__fail(TJ_ERROR_RUNTIME, "linalg.matrix_norm: dims must be different. Got (%lld, %lld)", LL(dim.data[0]), LL(dim.data[1])) !=
           NULL;
  return true;
}
static tj_tensor *converted(tj_tensor *t, tj_dtype dtype) { return dtype == TJ_DTYPE_NONE ? t : tj_to_dtype(t, dtype, false, false, NULL); }
/* The singular values of the matrices in dimensions d, last. */
static tj_tensor *singular_values(tj_tensor *A, const int *d) {
  return tj_linalg_svdvals(tj_movedim(A, TJ_INTS(d[0], d[1]), TJ_INTS(-2, -1)), NULL);
}
/* The last dimension of t is reduced already; the dimensions d come back as ones. */
static tj_tensor *kept(tj_tensor *t, const int *d, bool keepdim) {
  if (!keepdim) return t;
  const int low = TJ__MIN(d[0], d[1]), high = TJ__MAX(d[0], d[1]);
  return tj_unsqueeze(tj_unsqueeze(t, low), high);
}

tj_tensor *tj__impl_linalg_matrix_norm(tj_tensor *self, tj_scalar ord, tj_ints dim, bool keepdim, tj_dtype dtype) {
  int d[2];
  if (!two_dims(self, dim, d)) return NULL;
  const double p = tj__scalar_to_double(ord), size = fabs(p);
  if (size != 1 && size != 2 && size != INFINITY) {
    char order[32];
    snprintf(order, sizeof order, "%g", p);
    return tj__fail(TJ_ERROR_RUNTIME, "linalg.matrix_norm: Order %s not supported.", order);
  }
  tj_tensor *a = converted(self, dtype);
  if (size == 2) {
    tj_tensor *s = singular_values(a, d);
    return kept(p > 0 ? tj_amax(s, TJ_INTS(-1), false) : tj_amin(s, TJ_INTS(-1), false), d, keepdim);
  }
  int sum = d[size == 1 ? 0 : 1], most = d[size == 1 ? 1 : 0];
  tj_tensor *sums = tj_sum_dim(tj_abs(a), TJ_INTS(sum), keepdim, TJ_DTYPE_NONE);
  if (!keepdim && most > sum) most--;
  return p > 0 ? tj_amax(sums, TJ_INTS(most), keepdim) : tj_amin(sums, TJ_INTS(most), keepdim);
}

tj_tensor *tj__impl_linalg_matrix_norm_str(tj_tensor *self, const char *ord, tj_ints dim, bool keepdim, tj_dtype dtype) {
  int d[2];
  if (!two_dims(self, dim, d)) return NULL;
  const bool nuclear = !strcmp(ord, "nuc");
  RUNTIME(nuclear || !strcmp(ord, "fro"), "linalg.matrix_norm: Order %s not supported.", ord);
  if (!nuclear) return tj_linalg_vector_norm(self, tj_int(2), dim, keepdim, dtype);
  return kept(tj_sum_dim(singular_values(converted(self, dtype), d), TJ_INTS(-1), false, TJ_DTYPE_NONE), d, keepdim);
}

tj_tensor *tj__impl_linalg_norm(tj_tensor *self, tj_scalar ord, tj_ints dim, bool keepdim, tj_dtype dtype) {
  RUNTIME(dim.n <= 0 || dim.n <= 2 || ord.kind == TJ_SCALAR_NONE, "linalg.norm: If dim is specified, it must be of length 1 or 2. Got %s",
          tj__ints_text(dim.data, dim.n));
  RUNTIME(dim.n >= 0 || ord.kind == TJ_SCALAR_NONE || self->ndim == 1 || self->ndim == 2,
          "linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got %dD.", self->ndim);
  if (ord.kind != TJ_SCALAR_NONE && (dim.n == 2 || (dim.n < 0 && self->ndim == 2)))
    return tj_linalg_matrix_norm(self, ord, dim.n == 2 ? dim : TJ_INTS(0, 1), keepdim, dtype);
  return tj_linalg_vector_norm(self, ord.kind == TJ_SCALAR_NONE ? tj_int(2) : ord, dim, keepdim, dtype);
}
tj_tensor *tj__impl_linalg_norm_str(tj_tensor *self, const char *ord, tj_ints dim, bool keepdim, tj_dtype dtype) {
  RUNTIME(dim.n < 0 || dim.n <= 2, "linalg.norm: If dim is specified, it must be of length 1 or 2. Got %s", tj__ints_text(dim.data, dim.n));
  RUNTIME(dim.n >= 0 || self->ndim == 1 || self->ndim == 2,
          "linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got %dD.", self->ndim);
  return tj_linalg_matrix_norm_str(self, ord, dim.n < 0 ? TJ_INTS(0, 1) : dim, keepdim, dtype);
}

/* ---- condition, rank ---------------------------------------------------------------------------------------------- */

/* norm(A) norm(A^-1), infinite where A is singular. */
static tj_tensor *condition(tj_tensor *A, tj_scalar p, const char *name) {
  RUNTIME(tj__rows(A) == tj__columns(A), "linalg.cond: A must be batches of square matrices, but they are %lld by %lld matrices",
          LL(tj__rows(A)), LL(tj__columns(A)));
  if (A->numel == 0) return tj_zeros(tj__batch_of(A), tj__real_of(A->dtype), A->storage->device, false);
  tj_tensor *inverse, *info, *norms[2];
  if (tj_linalg_inv_ex(A, false, &inverse, &info) != TJ_OK) return NULL;
  tj_tensor *bad = tj_unsqueeze(tj_unsqueeze(tj_ne(info, tj__number(0)), -1), -1);
  inverse = tj_masked_fill(inverse, bad, tj_float(INFINITY));
  for (int k = 0; k < 2; k++) {
    tj_tensor *x = k ? inverse : A;
    norms[k] = name ? tj_linalg_matrix_norm_str(x, name, TJ_INTS(-2, -1), false, TJ_DTYPE_NONE)
                    : tj_linalg_matrix_norm(x, p, TJ_INTS(-2, -1), false, TJ_DTYPE_NONE);
    if (!norms[k]) return NULL;
  }
  return tj_mul(norms[0], norms[1]);
}
tj_tensor *tj__impl_linalg_cond(tj_tensor *self, tj_scalar p) {
  if (!tj__is_matrix(self, "linalg.cond", "A") || !floating(self, "linalg.cond")) return NULL;
  const double order = p.kind == TJ_SCALAR_NONE ? 2 : tj__scalar_to_double(p);
  if (fabs(order) != 2) return condition(self, p, NULL);
  if (self->numel == 0) return tj_zeros(tj__batch_of(self), tj__real_of(self->dtype), self->storage->device, false);
  tj_tensor *s = tj_linalg_svdvals(self, NULL);
  if (!s) return NULL;
  tj_tensor *most = tj_select(s, -1, 0), *least = tj_select(s, -1, -1);
  return order > 0 ? tj_div(most, least) : tj_div(least, most);
}
tj_tensor *tj__impl_linalg_cond_str(tj_tensor *self, const char *p) {
  if (!tj__is_matrix(self, "linalg.cond", "A") || !floating(self, "linalg.cond")) return NULL;
  if (strcmp(p, "nuc") || self->numel == 0 || tj__rows(self) != tj__columns(self)) return condition(self, TJ_NO_SCALAR, p);
  tj_tensor *inverse, *info; /* the nuclear norm takes singular values, which infinities have not */
  if (tj_linalg_inv_ex(self, false, &inverse, &info) != TJ_OK) return NULL;
  const bool look = tj__can_look(info);
  tj_scalar any_singular = look ? tj_item(tj_any(tj_ne(info, tj__number(0)))) : tj_int(1);
  if (any_singular.kind == TJ_SCALAR_NONE) return NULL;
  if (!tj__scalar_is_zero(any_singular)) {
    tj_tensor *s = tj_linalg_svdvals(self, NULL);
    return tj_mul(tj_sum_dim(s, TJ_INTS(-1), false, TJ_DTYPE_NONE), tj_sum_dim(tj_reciprocal(s), TJ_INTS(-1), false, TJ_DTYPE_NONE));
  }
  return condition(self, TJ_NO_SCALAR, p);
}

tj_tensor *tj__impl_linalg_matrix_rank(tj_tensor *input, tj_tensor *atol, tj_tensor *rtol, bool hermitian) {
  if (!tj__is_matrix(input, "linalg.matrix_rank", "A")) return NULL;
  for (int k = 0; k < 2; k++) {
    const tj_tensor *t = k ? rtol : atol;
    RUNTIME(!t || !tj_dtype_is_complex(t->dtype), "linalg.matrix_rank: %s tensor of complex type is not supported. Got %s",
            k ? "rtol" : "atol", tj__dtype_legacy(t->dtype));
  }
  if (input->numel == 0) return tj_zeros(tj__batch_of(input), TJ_INT64, input->storage->device, false);
  tj_tensor *s = hermitian ? tj_abs(tj_linalg_eigvalsh(input, "L")) : tj_linalg_svdvals(input, NULL);
  if (!s) return NULL;
  const double eps = s->dtype == TJ_FLOAT32 ? 1.1920928955078125e-07 : 2.220446049250313e-16;
  tj_tensor *a = atol ? tj__tolerances(atol) : tj__number(0);
  tj_tensor *r = rtol ? tj__tolerances(rtol) : tj__number(eps * (double)TJ__MAX(tj__rows(input), tj__columns(input)));
  if (atol && !rtol) r = tj_where(tj_gt(a, tj__number(0)), tj__number(0), r);
  tj_tensor *limit = tj_maximum(a, tj_mul(r, tj_amax(s, TJ_INTS(-1), true)));
  return tj_sum_dim(tj_gt(s, limit), TJ_INTS(-1), false, TJ_INT64);
}
tj_tensor *tj__impl_linalg_matrix_rank_tol(tj_tensor *input, tj_tensor *tol, bool hermitian) {
  return tj_linalg_matrix_rank(input, tol, tj__number(0), hermitian);
}

/* ---- powers and products ------------------------------------------------------------------------------------------ */

tj_tensor *tj__impl_linalg_matrix_power(tj_tensor *self, int64_t n) {
  if (!tj__is_square(self, "linalg.matrix_power", "A")) return NULL;
  if (n == 0) {
    tj_tensor *copy = tj_clone(self, "contiguous_format"); /* a function of self, though a constant one */
    return copy ? tj_copy_(copy, tj__identities(self, tj__rows(self)), false) : NULL;
  }
  if (n < 0) {
    RUNTIME(n != INT64_MIN, "linalg.matrix_power: the power is too large");
    self = tj_linalg_inv(self), n = -n;
  }
  if (n == 1) return tj_clone(self, NULL);
  if (n == 3) return tj_matmul(tj_matmul(self, self), self);
  tj_tensor *result = NULL;
  for (;; self = tj_matmul(self, self)) {
    if (n & 1) result = result ? tj_matmul(result, self) : self;
    if (!self || (n & 1 && !result)) return NULL; /* a product has failed */
    if (!(n >>= 1)) return result;
  }
}
tj_tensor *tj__impl_torch_matrix_power(tj_tensor *self, int64_t n) { return tj_linalg_matrix_power(self, n); }

tj_tensor *tj__impl_linalg_multi_dot(tj_tensors tensors) {
  const int64_t n = tensors.n;
  RUNTIME(n >= 2, "multi_dot(): expected at least 2 tensors but got %lld", LL(n));
  tj_list *list = tj__list_new(n);
  if (!list) return NULL;
  int64_t sizes[2];
  int kept_dims = 0;
  for (int64_t i = 0; i < n; i++) {
    tj_tensor *t = tensors.data[i];
    const bool end = i == 0 || i == n - 1;
    RUNTIME(t->ndim == 2 || (end && t->ndim == 1), "multi_dot(): %s must be %s but got %dD",
            i == 0       ? "the first tensor"
            : i == n - 1 ? "the last tensor"
                         : "tensor",
            end ? "1D or 2D" : "2D", t->ndim);
    RUNTIME(t->dtype == tensors.data[0]->dtype, "multi_dot(): all tensors must have be the same dtype but got %s and %s",
            tj__dtype_legacy(tensors.data[0]->dtype), tj__dtype_legacy(t->dtype));
    if (t->ndim == 2 && end) sizes[kept_dims++] = t->sizes[i == 0 ? 0 : 1];
    if (t->ndim == 1) t = tj_unsqueeze(t, i == 0 ? 0 : 1);
    if (!t) return NULL;
    tj__list_set(list, i, t);
    if (i)
      RUNTIME(list->items[i - 1]->sizes[1] == t->sizes[0], "multi_dot(): tensors %lld and %lld with shapes %s and %s cannot be multiplied",
              LL(i - 1), LL(i), tj__sizes_text(list->items[i - 1]), tj__sizes_text(t));
  }
  return tj_reshape(tj_chain_matmul((tj_tensors){list->items, n}), (tj_ints){sizes, kept_dims});
}

tj_tensor *tj__impl_linalg_vander(tj_tensor *x, int64_t N) {
  RUNTIME(N == TJ_NO_INT || N > 1, "N must be greater than 1.");
  RUNTIME(x->ndim > 0, "linalg.vander: x must have at least one dimension");
  int64_t sizes[TJ_MAX_DIMS];
  memcpy(sizes, x->sizes, (size_t)x->ndim * sizeof *sizes);
  const int64_t n = N == TJ_NO_INT ? x->sizes[x->ndim - 1] : N;
  sizes[x->ndim] = n - 1;
  tj_tensor *powers = tj_cumprod(tj_expand(tj_unsqueeze(x, -1), (tj_ints){sizes, x->ndim + 1}, false), -1, TJ_DTYPE_NONE);
  sizes[x->ndim] = 1;
  tj_tensor *ones = powers ? tj_ones((tj_ints){sizes, x->ndim + 1}, powers->dtype, x->storage->device, false) : NULL;
  return tj_cat(TJ_TENSORS(ones, powers), -1);
}

tj_tensor *tj__impl_linalg_vecdot(tj_tensor *x, tj_tensor *y, int64_t dim) {
  if (!floating(x, "linalg.vecdot")) return NULL;
  RUNTIME(x->dtype == y->dtype, "linalg.vecdot: Expected x and y to have the same dtype, but found x of type %s and y of type %s instead",
          tj__dtype_legacy(x->dtype), tj__dtype_legacy(y->dtype));
  if (x->ndim == 1 && y->ndim == 1) {
    if (tj__wrap_dim(dim, 1) < 0) return NULL;
    return tj_dtype_is_complex(x->dtype) ? tj_vdot(x, y) : tj_dot(x, y);
  }
  return tj_sum_dim(tj_mul(tj_conj(x), y), TJ_INTS(dim), false, TJ_DTYPE_NONE);
}

tj_tensor *tj__impl_linalg_diagonal(tj_tensor *A, int64_t offset, int64_t dim1, int64_t dim2) { return tj_diagonal(A, offset, dim1, dim2); }

static int64_t product(const int64_t *sizes, int64_t n) {
  int64_t p = 1;
  for (int64_t i = 0; i < n; i++) p *= sizes[i];
  return p;
}

tj_tensor *tj__impl_linalg_tensorinv(tj_tensor *self, int64_t ind) {
  RUNTIME(ind > 0, "Expected a strictly positive integer for 'ind', but got %lld", LL(ind));
  const int64_t split = TJ__MIN(ind, self->ndim), ends = self->ndim - split;
  const int64_t n = product(self->sizes, split), m = product(self->sizes + split, ends);
  RUNTIME(n == m, "Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind]), but got %lld != %lld", LL(m),
          LL(n));
  int64_t sizes[TJ_MAX_DIMS];
  memcpy(sizes, self->sizes + split, (size_t)ends * sizeof *sizes);
  memcpy(sizes + ends, self->sizes, (size_t)split * sizeof *sizes);
  tj_tensor *inverse, *info;
  if (tj_linalg_inv_ex(tj_reshape(self, TJ_INTS(n, n)), false, &inverse, &info) != TJ_OK) return NULL;
  if (tj__check_info(info, NULL, "Failed to invert the input tensor, because it is singular.") != TJ_OK) return NULL;
  return tj_reshape(inverse, (tj_ints){sizes, self->ndim});
}

tj_tensor *tj__impl_linalg_tensorsolve(tj_tensor *self, tj_tensor *other, tj_ints dims) {
  tj_tensor *a = self;
  if (dims.n > 0) {
    int64_t to[TJ_MAX_DIMS];
    for (int64_t i = 0; i < dims.n && i < TJ_MAX_DIMS; i++) to[i] = i - dims.n;
    a = tj_movedim(self, dims, (tj_ints){to, dims.n});
  }
  if (!a) return NULL;
  const int64_t split = TJ__MIN(other->ndim, a->ndim), ends = a->ndim - split;
  const int64_t n = product(a->sizes, split), m = product(a->sizes + split, ends);
  RUNTIME(n == m,
          "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == prod(self.shape[:other.ndim]), but got %lld != %lld",
          LL(m), LL(n));
  int64_t sizes[TJ_MAX_DIMS];
  memcpy(sizes, a->sizes + split, (size_t)ends * sizeof *sizes);
  tj_tensor *x = tj_linalg_solve(tj_reshape(a, TJ_INTS(n, n)), tj_reshape(other, TJ_INTS(-1)), true);
  return tj_reshape(x, (tj_ints){sizes, ends});
}

tj_status tj__impl_linalg_polar(tj_tensor *A, tj_tensor **U, tj_tensor **P) {
  RUNTIME_STATUS(A->ndim >= 2, "linalg.polar: The input tensor A must have at least 2 dimensions.");
  tj_tensor *u, *s, *vh;
  if (tj_linalg_svd(A, false, NULL, &u, &s, &vh) != TJ_OK) return tj_error_code();
  *U = tj_matmul(u, vh);
  *P = tj_matmul(tj_mul(tj__mH(vh), tj_unsqueeze(s, -2)), vh);
  return *U && *P ? TJ_OK : tj_error_code();
}

tj_tensor *tj__impl_linalg_matrix_sqrth(tj_tensor *A) {
  tj_tensor *values, *vectors;
  if (tj_linalg_eigh(A, "L", &values, &vectors) != TJ_OK) return NULL;
  return tj_matmul(tj_mul(vectors, tj_unsqueeze(tj_sqrt(values), -2)), tj__mH(vectors));
}
