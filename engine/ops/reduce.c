/* reduce.c: sums, means, products, moments, norms. */
#include "reduce.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../iter/convert.h"
#include "impl.h"

/* ---- dimensions ------------------------------------------------------------------------------------------------- */

bool tj__reduce_flags(tj_ints dims, int64_t ndim, bool *flags) {
  int64_t n = TJ__MAX(ndim, 1);
  memset(flags, dims.n <= 0, (size_t)n);
  for (int64_t i = 0; i < dims.n; i++) {
    int dim = tj__wrap_dim(dims.data[i], ndim);
    if (dim < 0) return false;
    if (flags[dim]) return tj__fail(TJ_ERROR_RUNTIME, "dim %d appears multiple times in the list of dims", dim) != NULL;
    flags[dim] = true;
  }
  return true;
}

int tj__reduce_sizes(const tj_tensor *self, const bool *flags, bool keepdim, int64_t *out) {
  int n = 0;
  for (int d = 0; d < self->ndim; d++) {
    if (!flags[d]) out[n++] = self->sizes[d];
    else if (keepdim) out[n++] = 1;
  }
  return n;
}

bool tj__reduce_nonempty(const tj_tensor *self, const bool *flags, const char *name) {
  for (int d = 0; d < self->ndim; d++)
    if (flags[d] && self->sizes[d] == 0)
      return tj__fail(TJ_ERROR_INDEX, "%s: Expected reduction dim %d to have non-zero size.", name, d) != NULL;
  return true;
}

/* Merges neighbours that are one run in memory. */
static int merge(int n, int64_t *sizes, int64_t *strides) {
  int m = 0;
  for (int d = 0; d < n; d++) {
    if (m > 0 && strides[m - 1] == sizes[d] * strides[d]) {
      sizes[m - 1] *= sizes[d];
      strides[m - 1] = strides[d];
    } else {
      sizes[m] = sizes[d];
      strides[m++] = strides[d];
    }
  }
  return m;
}

void tj__reduce_geometry_of(const tj_tensor *self, const bool *flags, tj__reduce_geometry *g) {
  g->n_kept = g->n_reduced = 0;
  g->n_out = g->n_in = 1;
  for (int d = 0; d < self->ndim; d++) {
    int64_t size = self->sizes[d], stride = self->strides[d];
    *(flags[d] ? &g->n_in : &g->n_out) *= size;
    if (size == 1) continue;
    if (!flags[d]) {
      g->kept[g->n_kept] = size;
      g->kept_strides[g->n_kept++] = stride;
      continue;
    }
    /* Reduced dimensions may be taken in any order: from the largest stride to the smallest. */
    int at = g->n_reduced++;
    for (; at > 0 && llabs((long long)g->reduced_strides[at - 1]) < llabs((long long)stride); at--) {
      g->reduced[at] = g->reduced[at - 1];
      g->reduced_strides[at] = g->reduced_strides[at - 1];
    }
    g->reduced[at] = size;
    g->reduced_strides[at] = stride;
  }
  g->n_kept = merge(g->n_kept, g->kept, g->kept_strides);
  g->n_reduced = merge(g->n_reduced, g->reduced, g->reduced_strides);
}

tj_tensor *tj__reduce(tj__reduce_kind kind, tj_tensor *self, const bool *flags, bool keepdim, tj_dtype result,
                      const tj__reduce_params *params) {
  const tj__backend *backend = tj__backend_for(&self, 1);
  int64_t sizes[TJ_MAX_DIMS];
  int ndim = tj__reduce_sizes(self, flags, keepdim, sizes);
  tj_tensor *out = backend ? tj__empty((tj_ints){sizes, ndim}, result, self->storage->device) : NULL;
  tj__reduce_geometry g;
  if (!out) return NULL;
  tj__reduce_geometry_of(self, flags, &g);
  return backend->reduce->reduce(kind, out, self, &g, params) ? out : NULL;
}

tj_tensor *tj__lines_of(tj_tensor *self, int64_t dim, tj__lines *lines) {
  int d = tj__wrap_dim(dim, self->ndim);
  if (d < 0) return NULL;
  *lines = (tj__lines){1, self->ndim ? self->sizes[d] : 1, 1, d};
  for (int k = 0; k < self->ndim; k++) {
    if (k < d) lines->outer *= self->sizes[k];
    if (k > d) lines->inner *= self->sizes[k];
  }
  return tj__contiguous(self);
}

tj_tensor *tj__unsqueeze_dims(tj_tensor *t, tj_ints dims, int64_t ndim, bool keepdim) {
  bool flags[TJ_MAX_DIMS];
  if (keepdim || ndim == 0) return t;
  if (!tj__reduce_flags(dims, ndim, flags)) return NULL;
  for (int64_t d = 0; d < ndim && t; d++)
    if (flags[d]) t = tj_unsqueeze(t, d);
  return t;
}

/* ---- sum, mean, prod -------------------------------------------------------------------------------------------- */

static bool is_floating(int dtype) { return tj__class_of((tj_dtype)dtype) >= TJ__CLASS_FLOAT; }

/* Converts for a sum or product in `dtype`, then reduces. Integers are added up in int64 and cut to the dtype afterwards. */
static tj_tensor *add_up(tj__reduce_kind kind, tj_tensor *self, tj_ints dims, bool keepdim, tj_dtype dtype) {
  bool flags[TJ_MAX_DIMS];
  if (!tj__reduce_flags(dims, self->ndim, flags)) return NULL;
  tj_dtype result = dtype != TJ_DTYPE_NONE ? dtype : is_floating(self->dtype) ? (tj_dtype)self->dtype : TJ_INT64;
  tj_dtype work = is_floating(result) ? result : TJ_INT64;
  const bool bytes = self->dtype == TJ_BOOL || (self->dtype == TJ_UINT8 && tj__can_look(self));
  if (!(bytes && kind == TJ__REDUCE_SUM && work == TJ_INT64) && !(self = tj__to_dtype(self, work))) return NULL;
  tj_tensor *out = tj__reduce(kind, self, flags, keepdim, work, NULL);
  return out ? tj__to_dtype(out, result) : NULL;
}

tj_tensor *tj__impl_sum(tj_tensor *self, tj_dtype dtype) { return add_up(TJ__REDUCE_SUM, self, TJ_NO_INTS, false, dtype); }
tj_tensor *tj__impl_sum_dim(tj_tensor *self, tj_ints dim, bool keepdim, tj_dtype dtype) {
  return add_up(TJ__REDUCE_SUM, self, dim, keepdim, dtype);
}

tj_tensor *tj__impl_nansum(tj_tensor *self, tj_ints dim, bool keepdim, tj_dtype dtype) {
  TJ__CHECK(tj__class_of((tj_dtype)self->dtype) != TJ__CLASS_COMPLEX, TJ_ERROR_RUNTIME, "nansum does not support complex inputs");
  if (!is_floating(self->dtype)) return add_up(TJ__REDUCE_SUM, self, dim, keepdim, dtype);
  return add_up(TJ__REDUCE_NANSUM, self, dim, keepdim, dtype);
}

tj_tensor *tj__impl_prod(tj_tensor *self, tj_dtype dtype) { return add_up(TJ__REDUCE_PROD, self, TJ_NO_INTS, false, dtype); }
tj_tensor *tj__impl_prod_dim(tj_tensor *self, int64_t dim, bool keepdim, tj_dtype dtype) {
  return add_up(TJ__REDUCE_PROD, self, TJ_INTS(dim), keepdim, dtype);
}

/* Elements that go into one output. */
static int64_t count_of(const tj_tensor *self, const bool *flags) {
  int64_t n = 1;
  for (int d = 0; d < self->ndim; d++) n *= flags[d] ? self->sizes[d] : 1;
  return n;
}

static tj_tensor *mean(tj_tensor *self, tj_ints dims, bool keepdim, tj_dtype dtype) {
  tj_dtype result = dtype != TJ_DTYPE_NONE ? dtype : (tj_dtype)self->dtype;
  TJ__CHECK(is_floating(result), TJ_ERROR_RUNTIME,
            "mean(): could not infer output dtype. %s dtype must be either a floating point or complex dtype. Got: %s",
            dtype != TJ_DTYPE_NONE ? "Optional" : "Input", tj__dtype_legacy(result));
  bool flags[TJ_MAX_DIMS];
  if (!tj__reduce_flags(dims, self->ndim, flags)) return NULL;
  double n = (double)count_of(self, flags);
  if (result == TJ_FLOAT16 || result == TJ_BFLOAT16) { /* the sum of halves may be beyond their range: round once, after the division */
    tj_tensor *sum =
        (self = tj__to_dtype(self, result)) ? tj__reduce(TJ__REDUCE_SUM64, self, flags, keepdim, tj__wide_dtype(self), NULL) : NULL;
    tj_tensor *quotient = sum ? tj_div(sum, tj__number(n)) : NULL;
    return quotient ? tj__to_dtype(quotient, result) : NULL;
  }
  return tj_div(add_up(TJ__REDUCE_SUM, self, dims, keepdim, dtype), tj__number(n));
}

tj_tensor *tj__impl_mean(tj_tensor *self, tj_dtype dtype) { return mean(self, TJ_NO_INTS, false, dtype); }
tj_tensor *tj__impl_mean_dim(tj_tensor *self, tj_ints dim, bool keepdim, tj_dtype dtype) { return mean(self, dim, keepdim, dtype); }

tj_tensor *tj__impl_nanmean(tj_tensor *self, tj_ints dim, bool keepdim, tj_dtype dtype) {
  TJ__CHECK(is_floating(self->dtype), TJ_ERROR_RUNTIME, "nanmean(): expected input to have floating point or complex dtype but got %s",
            tj__dtype_legacy((tj_dtype)self->dtype));
  tj_tensor *count = tj_sum_dim(tj_logical_not(tj_isnan(tj_detach(self))), dim, keepdim, TJ_DTYPE_NONE);
  return tj_div(tj_nansum(self, dim, keepdim, dtype), count);
}

/* ---- any, all, count_nonzero ------------------------------------------------------------------------------------ */

static tj_tensor *quantify(bool all, tj_tensor *self, tj_ints dims, bool keepdim) {
  bool flags[TJ_MAX_DIMS];
  if (!tj__reduce_flags(dims, self->ndim, flags)) return NULL;
  tj_dtype result = self->dtype == TJ_UINT8 ? TJ_UINT8 : TJ_BOOL; /* PyTorch keeps uint8 */
  tj_tensor *out, *bools = tj__to_dtype(self, TJ_BOOL);
  if (dims.n == 0) return bools ? (bools == self ? tj__clone(self) : tj__to_dtype(bools, result)) : NULL;
  int64_t n = count_of(self, flags);
  tj_tensor *counts = bools ? tj__reduce(TJ__REDUCE_SUM, bools, flags, keepdim, TJ_INT64, NULL) : NULL;
  if (!counts) return NULL;
  out = all ? tj_eq(counts, tj_scalar_tensor(tj_int(n))) : tj_ne(counts, tj_scalar_tensor(tj_int(0)));
  return out ? tj__to_dtype(out, result) : NULL;
}

tj_tensor *tj__impl_any(tj_tensor *self) { return quantify(false, self, TJ_NO_INTS, false); }
tj_tensor *tj__impl_any_dim(tj_tensor *self, tj_ints dim, bool keepdim) { return quantify(false, self, dim, keepdim); }
tj_tensor *tj__impl_all(tj_tensor *self) { return quantify(true, self, TJ_NO_INTS, false); }
tj_tensor *tj__impl_all_dim(tj_tensor *self, tj_ints dim, bool keepdim) { return quantify(true, self, dim, keepdim); }

tj_tensor *tj__impl_count_nonzero(tj_tensor *self, tj_ints dim) {
  bool flags[TJ_MAX_DIMS];
  if (!tj__reduce_flags(dim, self->ndim, flags)) return NULL;
  tj_tensor *bools = tj__to_dtype(self, TJ_BOOL);
  return bools ? tj__reduce(TJ__REDUCE_SUM, bools, flags, false, TJ_INT64, NULL) : NULL;
}

/* ---- variance --------------------------------------------------------------------------------------------------- */

static tj_tensor *resized(tj_tensor *t, const tj_tensor *self, const bool *flags, bool keepdim) {
  int64_t sizes[TJ_MAX_DIMS];
  int n = tj__reduce_sizes(self, flags, keepdim, sizes);
  return tj_reshape(t, (tj_ints){sizes, n});
}

/* Variance (or its root) and mean, both passes in double. Complex numbers: the variances of both parts add up. */
static tj_status moments(const char *name, tj_tensor *self, tj_ints dims, tj_scalar correction, bool keepdim, bool root, tj_tensor **var,
                         tj_tensor **mean_) {
  bool flags[TJ_MAX_DIMS];
  TJ__CHECK_STATUS(is_floating(self->dtype), TJ_ERROR_RUNTIME, "%s only support floating point and complex dtypes", name);
  if (!tj__reduce_flags(dims, self->ndim, flags)) return tj_error_code();
  tj_dtype dtype = (tj_dtype)self->dtype, real = tj__real_of(dtype);
  double n = (double)count_of(self, flags), c = correction.kind == TJ_SCALAR_NONE ? 1 : tj__scalar_to_double(correction);
  bool complex = real != dtype;
  tj_tensor *parts[2] = {self, NULL}, *sum = NULL, *means[2] = {NULL, NULL};
  if (complex) {
    int64_t sizes[TJ_MAX_DIMS + 1], strides[TJ_MAX_DIMS + 1];
    for (int d = 0; d < self->ndim; d++) sizes[d] = self->sizes[d], strides[d] = 2 * self->strides[d];
    for (int k = 0; k < 2; k++)
      if (!(parts[k] = tj__alias_dtype(self, real, (tj_ints){sizes, self->ndim}, (tj_ints){strides, self->ndim}, 2 * self->offset + k)))
        return tj_error_code();
  }
  for (int k = 0; k < 1 + complex; k++) {
    tj_tensor *total = tj__reduce(TJ__REDUCE_SUM64, parts[k], flags, false, tj__wide_dtype(self), NULL);
    means[k] = total ? tj_div(total, tj__number(n)) : NULL;
    if (!means[k] || !(means[k] = tj__contiguous(means[k]))) return tj_error_code();
    tj_tensor *squares =
        tj__reduce(TJ__REDUCE_SQDEV64, parts[k], flags, false, tj__wide_dtype(self), &(tj__reduce_params){.centers = tj__read(means[k])});
    sum = sum ? tj_add(sum, squares, TJ__ONE) : squares;
    if (!sum) return tj_error_code();
  }
  tj_tensor *result = tj_div(sum, tj__number(n - c > 0 ? n - c : 0));
  if (root) result = tj_sqrt(result);
  if (!result || !(result = tj__to_dtype(result, real)) || !(*var = resized(result, self, flags, keepdim))) return tj_error_code();
  if (!mean_) return TJ_OK;
  tj_tensor *m = complex ? tj_complex(means[0], means[1]) : means[0];
  if (!m || !(m = tj__to_dtype(m, dtype)) || !(*mean_ = resized(m, self, flags, keepdim))) return tj_error_code();
  return TJ_OK;
}

tj_tensor *tj__impl_var_correction(tj_tensor *self, tj_ints dim, tj_scalar correction, bool keepdim) {
  tj_tensor *out = NULL;
  return moments("std and var", self, dim, correction, keepdim, false, &out, NULL) == TJ_OK ? out : NULL;
}
tj_tensor *tj__impl_std_correction(tj_tensor *self, tj_ints dim, tj_scalar correction, bool keepdim) {
  tj_tensor *out = NULL;
  return moments("std and var", self, dim, correction, keepdim, true, &out, NULL) == TJ_OK ? out : NULL;
}
tj_status tj__impl_var_mean_correction(tj_tensor *self, tj_ints dim, tj_scalar correction, bool keepdim, tj_tensor **var,
                                       tj_tensor **mean) {
  return moments("var_mean", self, dim, correction, keepdim, false, var, mean);
}
tj_status tj__impl_std_mean_correction(tj_tensor *self, tj_ints dim, tj_scalar correction, bool keepdim, tj_tensor **std,
                                       tj_tensor **mean) {
  return moments("std_mean", self, dim, correction, keepdim, true, std, mean);
}
tj_tensor *tj__impl_var(tj_tensor *self, bool unbiased) { return tj_var_correction(self, TJ_NO_INTS, tj_int(unbiased), false); }
tj_tensor *tj__impl_std(tj_tensor *self, bool unbiased) { return tj_std_correction(self, TJ_NO_INTS, tj_int(unbiased), false); }
tj_tensor *tj__impl_var_dim(tj_tensor *self, tj_ints dim, bool unbiased, bool keepdim) {
  return tj_var_correction(self, dim, tj_int(unbiased), keepdim);
}
tj_tensor *tj__impl_std_dim(tj_tensor *self, tj_ints dim, bool unbiased, bool keepdim) {
  return tj_std_correction(self, dim, tj_int(unbiased), keepdim);
}
tj_status tj__impl_var_mean(tj_tensor *self, bool unbiased, tj_tensor **var, tj_tensor **mean) {
  return tj_var_mean_correction(self, TJ_NO_INTS, tj_int(unbiased), false, var, mean);
}
tj_status tj__impl_std_mean(tj_tensor *self, bool unbiased, tj_tensor **std, tj_tensor **mean) {
  return tj_std_mean_correction(self, TJ_NO_INTS, tj_int(unbiased), false, std, mean);
}
tj_status tj__impl_var_mean_dim(tj_tensor *self, tj_ints dim, bool unbiased, bool keepdim, tj_tensor **var, tj_tensor **mean) {
  return tj_var_mean_correction(self, dim, tj_int(unbiased), keepdim, var, mean);
}
tj_status tj__impl_std_mean_dim(tj_tensor *self, tj_ints dim, bool unbiased, bool keepdim, tj_tensor **std, tj_tensor **mean) {
  return tj_std_mean_correction(self, dim, tj_int(unbiased), keepdim, std, mean);
}

/* ---- norms ------------------------------------------------------------------------------------------------------ */

tj_tensor *tj__impl_linalg_vector_norm(tj_tensor *self, tj_scalar ord, tj_ints dim, bool keepdim, tj_dtype dtype) {
  const double p = tj__scalar_to_double(ord);
  tj_dtype in = (tj_dtype)self->dtype;
  TJ__CHECK(is_floating(in), TJ_ERROR_RUNTIME, "linalg.vector_norm: Expected a floating point or complex tensor as input. Got %s",
            tj__dtype_legacy(in));
  if (dtype != TJ_DTYPE_NONE) {
    TJ__CHECK(is_floating(dtype), TJ_ERROR_RUNTIME, "linalg.vector_norm: dtype should be floating point or complex, but got %s",
              tj__dtype_legacy(dtype));
    TJ__CHECK(tj_dtype_is_complex(dtype) == tj_dtype_is_complex(in), TJ_ERROR_RUNTIME,
              "linalg.vector_norm: dtype should be %s for %s inputs, but got %s", tj_dtype_is_complex(in) ? "complex" : "real",
              tj_dtype_is_complex(in) ? "complex" : "real", tj__dtype_legacy(dtype));
    TJ__CHECK(tj_promote_types(in, dtype) == dtype, TJ_ERROR_RUNTIME,
              "linalg.vector_norm: the dtype of the input (%s) should be convertible without narrowing to the specified dtype (%s)",
              tj__dtype_legacy(in), tj__dtype_legacy(dtype));
    if (!(self = tj__to_dtype(self, dtype))) return NULL;
  }
  bool flags[TJ_MAX_DIMS];
  if (!tj__reduce_flags(dim, self->ndim, flags)) return NULL;
  if (count_of(self, flags) == 0 && (p < 0 || p == INFINITY)) {
    char order[32];
    if (isinf(p)) snprintf(order, sizeof order, "%s", p > 0 ? "inf" : "-inf");
    else snprintf(order, sizeof order, "%g", p);
    TJ__CHECK(dim.n > 0, TJ_ERROR_RUNTIME,
              "linalg.vector_norm cannot compute the %s norm on an empty tensor because the operation does not have an identity", order);
    for (int d = 0; d < self->ndim; d++)
      TJ__CHECK(!flags[d] || self->sizes[d] != 0, TJ_ERROR_RUNTIME,
                "linalg.vector_norm cannot compute the %s norm on the dimension %dbecause this dimension is empty and the operation does "
                "not have an identity",
                order, d);
  }
  tj_dtype real = tj__real_of((tj_dtype)self->dtype);
  if (p == 0) {
    tj_tensor *bools = tj__to_dtype(self, TJ_BOOL);
    tj_tensor *n = bools ? tj__reduce(TJ__REDUCE_SUM, bools, flags, keepdim, TJ_INT64, NULL) : NULL;
    return n ? tj__to_dtype(n, real) : NULL;
  }
  if (real != (tj_dtype)self->dtype && !(self = tj_abs(self))) return NULL;
  tj__reduce_kind kind = p == 1           ? TJ__REDUCE_NORM1
                         : p == 2         ? TJ__REDUCE_NORM2
                         : p == INFINITY  ? TJ__REDUCE_NORMINF
                         : p == -INFINITY ? TJ__REDUCE_NORMNEGINF
                                          : TJ__REDUCE_NORMP;
  return tj__reduce(kind, self, flags, keepdim, real, &(tj__reduce_params){.p = p});
}

tj_tensor *tj__impl_norm(tj_tensor *self, tj_scalar p, tj_ints dim, bool keepdim, tj_dtype dtype) {
  return tj_linalg_vector_norm(self, p.kind == TJ_SCALAR_NONE ? tj_int(2) : p, dim, keepdim, dtype);
}

tj_tensor *tj__impl_norm_str(tj_tensor *self, const char *p, tj_ints dim, bool keepdim, tj_dtype dtype) {
  if (strcmp(p, "nuc") == 0) return tj_linalg_matrix_norm_str(self, p, dim.n < 0 ? TJ_INTS(0, 1) : dim, keepdim, dtype);
  TJ__CHECK(strcmp(p, "fro") == 0, TJ_ERROR_RUNTIME, "linalg.matrix_norm: Order %s not supported.", p);
  return tj_linalg_vector_norm(self, tj_int(2), dim, keepdim, dtype);
}

/* ---- logsumexp -------------------------------------------------------------------------------------------------- */

tj_tensor *tj__impl_logsumexp(tj_tensor *self, tj_ints dim, bool keepdim) {
  bool flags[TJ_MAX_DIMS];
  if (!tj__reduce_flags(dim, self->ndim, flags)) return NULL;
  if (!is_floating(self->dtype) && !(self = tj__to_dtype(self, tj_get_default_dtype()))) return NULL;
  if (self->numel == 0) return tj_log(tj_sum_dim(tj_exp(self), dim, keepdim, TJ_DTYPE_NONE));
  tj_dtype dtype = (tj_dtype)self->dtype;
  bool half = dtype == TJ_FLOAT16 || dtype == TJ_BFLOAT16;
  if (half && !(self = tj__to_dtype(self, TJ_FLOAT32))) return NULL; /* one rounding at the end */
  tj_tensor *top = tj_dtype_is_complex(dtype) ? tj_real(self) : self;
  top = top ? tj__reduce(TJ__REDUCE_MAX, top, flags, true, tj__real_of((tj_dtype)self->dtype), NULL) : NULL;
  /* A maximum of infinite size must not be subtracted: inf - inf is NaN. */
  top = top ? tj_where(tj_eq(tj_abs(top), tj__number(INFINITY)), tj__number(0), top) : NULL;
  tj_tensor *sum = tj_sum_dim(tj_exp(tj_sub(self, top, TJ__ONE)), dim, true, TJ_DTYPE_NONE);
  tj_tensor *out = tj_add(tj_log(sum), top, TJ__ONE);
  if (!out || (half && !(out = tj__to_dtype(out, dtype)))) return NULL;
  return resized(out, self, flags, keepdim);
}
