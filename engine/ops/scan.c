/* scan.c: running sums, products and extremes, and their derivatives. */
#include "kernels/scan.h"

#include "impl.h"
#include "iter/convert.h"
#include "reduce.h"

static tj_tensor *scan(tj__scan_kind kind, tj_tensor *self, int64_t dim) {
  const tj__backend *backend = tj__backend_for(&self, 1);
  tj__lines lines;
  tj_tensor *in = backend ? tj__lines_of(self, dim, &lines) : NULL;
  tj_tensor *out = in ? tj__empty(tj__sizes(in), (tj_dtype)in->dtype, in->storage->device) : NULL;
  return out && backend->scan->scan(kind, out, in, lines.outer, lines.n, lines.inner) ? out : NULL;
}

static tj_tensor *running(tj__scan_kind kind, tj_tensor *self, int64_t dim, tj_dtype dtype) {
  bool floating = tj__class_of((tj_dtype)self->dtype) >= TJ__CLASS_FLOAT;
  tj_dtype result = dtype != TJ_DTYPE_NONE ? dtype : floating ? (tj_dtype)self->dtype : TJ_INT64;
  tj_dtype work = tj__class_of(result) >= TJ__CLASS_FLOAT ? result : TJ_INT64;
  if (tj__wrap_dim(dim, self->ndim) < 0) return NULL;
  if (result != work && !(self = tj__to_dtype(self, result))) return NULL;
  if (!(self = tj__to_dtype(self, work))) return NULL;
  tj_tensor *out = scan(kind, self, dim);
  return out ? tj__to_dtype(out, result) : NULL;
}

tj_tensor *tj__impl_cumsum(tj_tensor *self, int64_t dim, tj_dtype dtype) { return running(TJ__SCAN_SUM, self, dim, dtype); }
tj_tensor *tj__impl_cumprod(tj_tensor *self, int64_t dim, tj_dtype dtype) { return running(TJ__SCAN_PROD, self, dim, dtype); }

tj_tensor *tj__impl_logcumsumexp(tj_tensor *self, int64_t dim) {
  TJ__CHECK(tj__class_of((tj_dtype)self->dtype) >= TJ__CLASS_FLOAT, TJ_ERROR_RUNTIME, "\"logcumsumexp_out_cpu\" not implemented for '%s'",
            tj__dtype_legacy((tj_dtype)self->dtype));
  return scan(TJ__SCAN_LOGSUMEXP, self, dim);
}

static tj_status extremes(bool largest, tj_tensor *self, int64_t dim, tj_tensor **values, tj_tensor **indices) {
  tj_dtype d = (tj_dtype)self->dtype;
  TJ__CHECK_STATUS(!tj_dtype_is_complex(d) && d != TJ_UINT16 && d != TJ_UINT32 && d != TJ_UINT64, TJ_ERROR_RUNTIME,
                   "\"%s\" not implemented for '%s'", largest ? "cummax_cpu" : "cummin_cpu", tj__dtype_legacy(d));
  const tj__backend *backend = tj__backend_for(&self, 1);
  tj__lines lines;
  tj_tensor *in = backend ? tj__lines_of(self, dim, &lines) : NULL;
  if (!in || !(*values = tj__empty(tj__sizes(in), d, in->storage->device)) ||
      !(*indices = tj__empty(tj__sizes(in), TJ_INT64, in->storage->device)))
    return tj_error_code();
  return backend->scan->extremes(largest, *values, *indices, in, lines.outer, lines.n, lines.inner) ? TJ_OK : tj_error_code();
}

tj_status tj__impl_cummax(tj_tensor *self, int64_t dim, tj_tensor **values, tj_tensor **indices) {
  return extremes(true, self, dim, values, indices);
}
tj_status tj__impl_cummin(tj_tensor *self, int64_t dim, tj_tensor **values, tj_tensor **indices) {
  return extremes(false, self, dim, values, indices);
}

tj_tensor *tj__impl_diff(tj_tensor *self, int64_t n, int64_t dim, tj_tensor *prepend, tj_tensor *append) {
  TJ__CHECK(self->ndim > 0, TJ_ERROR_RUNTIME, "diff expects input to be at least one-dimensional");
  TJ__CHECK(n >= 0, TJ_ERROR_RUNTIME, "order must be non-negative but got %lld", (long long)n);
  int d = tj__wrap_dim(dim, self->ndim);
  if (d < 0) return NULL;
  TJ__CHECK((!prepend || prepend->ndim == self->ndim) && (!append || append->ndim == self->ndim), TJ_ERROR_RUNTIME,
            "diff expects prepend or append to be the same dimension as input");
  if (n == 0) {
    tj_tensor *same = tj_clone(self, NULL);
    return same;
  }
  tj_tensor *parts[3];
  int m = 0;
  if (prepend) parts[m++] = prepend;
  parts[m++] = self;
  if (append) parts[m++] = append;
  tj_tensor *x = m > 1 ? tj_cat((tj_tensors){parts, m}, d) : self;
  if (!x) return NULL;
  if (n >= x->sizes[d]) n = x->sizes[d]; /* nothing is left */
  for (int64_t i = 0; i < n && x; i++) {
    int64_t size = x->sizes[d], left = TJ__MAX(size - 1, 0);
    tj_tensor *late = tj_narrow(x, d, TJ__MIN(1, size), left), *early = tj_narrow(x, d, 0, left);
    x = x->dtype == TJ_BOOL ? tj_logical_xor(late, early) : tj_sub(late, early, TJ__ONE);
  }
  return x == self ? tj_clone(self, NULL) : x;
}

/* ---- derivatives ------------------------------------------------------------------------------------------------ */

static tj_tensor *flipped(tj_tensor *t, int64_t dim) { return t && t->ndim ? tj_flip(t, TJ_INTS(dim)) : t; }

tj_tensor *tj__impl_cumsum_backward(tj_tensor *grad, int64_t dim) {
  return flipped(tj_cumsum(flipped(grad, dim), dim, TJ_DTYPE_NONE), dim);
}

tj_tensor *tj__impl_shifted_along(tj_tensor *self, int64_t dim, bool up) {
  int d = tj__wrap_dim(dim, self->ndim);
  if (d < 0) return NULL;
  if (self->ndim == 0 || self->sizes[d] == 0) return tj_mul(self, tj__number(0));
  int64_t sizes[TJ_MAX_DIMS], n = self->sizes[d];
  memcpy(sizes, self->sizes, (size_t)self->ndim * sizeof *sizes);
  sizes[d] = 1;
  tj_tensor *gap = tj__empty((tj_ints){sizes, self->ndim}, (tj_dtype)self->dtype, self->storage->device);
  if (!gap || !tj__fill(gap, tj_int(0))) return NULL;
  tj_tensor *rest = tj_narrow(self, d, up ? 1 : 0, n - 1);
  return up ? tj_cat(TJ_TENSORS(rest, gap), d) : tj_cat(TJ_TENSORS(gap, rest), d);
}

tj_tensor *tj__impl_linear_recurrence(tj_tensor *a, tj_tensor *b, int64_t dim, bool reverse) {
  const tj__backend *backend = tj__backend_for((tj_tensor *[]){a, b}, 2);
  tj__lines lines;
  tj_dtype dtype = tj_promote_types((tj_dtype)a->dtype, (tj_dtype)b->dtype);
  if (!backend || dtype == TJ_DTYPE_NONE || !(a = tj__to_dtype(a, dtype)) || !(b = tj__to_dtype(b, dtype))) return NULL;
  if (!(a = tj__lines_of(a, dim, &lines)) || !(b = tj__contiguous(b))) return NULL;
  tj_tensor *out = tj__empty(tj__sizes(a), dtype, a->storage->device);
  return out && backend->scan->recurrence(reverse, out, a, b, lines.outer, lines.n, lines.inner) ? out : NULL;
}

/* The derivative by x[k] is P[k] S[k] with P[k] the product of the elements before k, and S[k] = g[k] + x[k + 1] S[k + 1]: no division. */
tj_tensor *tj__impl_cumprod_backward(tj_tensor *grad, tj_tensor *self, int64_t dim) {
  int d = tj__wrap_dim(dim, self->ndim);
  if (d < 0) return NULL;
  if (self->ndim == 0) return grad;
  if (self->numel == 0) return tj_mul(grad, self);
  if (tj__class_of((tj_dtype)self->dtype) < TJ__CLASS_FLOAT) self = tj__to_dtype(self, (tj_dtype)grad->dtype);
  if (!self) return NULL;
  int64_t sizes[TJ_MAX_DIMS];
  memcpy(sizes, self->sizes, (size_t)self->ndim * sizeof *sizes);
  sizes[d] = 1;
  tj_tensor *one = tj__empty((tj_ints){sizes, self->ndim}, (tj_dtype)self->dtype, self->storage->device);
  if (!one || !tj__fill(one, tj_int(1))) return NULL;
  tj_tensor *product = tj_cumprod(tj_cat(TJ_TENSORS(one, tj_narrow(self, d, 0, self->sizes[d] - 1)), d), d, TJ_DTYPE_NONE);
  tj_tensor *tail = tj_linear_recurrence(grad, tj_conj(tj_shifted_along(self, d, true)), d, true);
  return tj_mul(tj_conj(product), tail);
}

tj_tensor *tj__impl_cummaxmin_backward(tj_tensor *grad, tj_ints sizes, tj_tensor *indices, int64_t dim) {
  tj_tensor *zeros = tj__empty(sizes, (tj_dtype)grad->dtype, grad->storage->device);
  if (!zeros || !tj__fill(zeros, tj_int(0))) return NULL;
  return tj_scatter_add(zeros, dim, indices, grad);
}

/* exp(self) * sum of grad[j] exp(-result[j]) over j from here on, in logarithms; positive and negative gradients apart. */
tj_tensor *tj__impl_logcumsumexp_backward(tj_tensor *grad, tj_tensor *self, tj_tensor *result, int64_t dim) {
  if (grad->ndim == 0 || grad->numel == 0) return grad;
  /* In place of -inf, which would make NaN of the second derivative. */
  const double nothing = self->dtype == TJ_FLOAT16 ? -3e4 : self->dtype == TJ_FLOAT64 || self->dtype == TJ_COMPLEX128 ? -1e300 : -1e38;
  if (tj_dtype_is_complex((tj_dtype)grad->dtype)) {
    tj_tensor *none = tj_eq(tj_detach(grad), tj__number(0)); /* every other number has a logarithm here */
    tj_tensor *logs = tj_where(none, tj__number(nothing), tj_log(tj_where(none, tj__number(1), grad)));
    tj_tensor *sums = flipped(tj_logcumsumexp(flipped(tj_sub(logs, tj_conj(result), TJ__ONE), dim), dim), dim);
    return tj_exp(tj_add(sums, tj_conj(self), TJ__ONE));
  }
  tj_tensor *parts[2];
  for (int k = 0; k < 2; k++) {
    tj_tensor *g = k ? tj_neg(grad) : grad, *zero = tj__number(0);
    tj_tensor *positive = tj_gt(tj_detach(g), zero);
    tj_tensor *logs = tj_where(positive, tj_log(tj_where(positive, g, tj__number(1))), tj__number(nothing));
    tj_tensor *sums = flipped(tj_logcumsumexp(flipped(tj_sub(logs, result, TJ__ONE), dim), dim), dim);
    parts[k] = tj_exp(tj_add(sums, self, TJ__ONE));
  }
  return tj_sub(parts[0], parts[1], TJ__ONE);
}
