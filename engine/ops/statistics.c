/* statistics.c: quantiles, covariances, the trapezoidal rule and slopes: compositions. */
#include <math.h>

#include "impl.h"
#include "ops/arithmetic.h"
#include "iter/convert.h"
#include "reduce.h"

/* ---- quantiles -------------------------------------------------------------------------------------------------- */

static bool check_quantile(const tj_tensor *self, const tj_tensor *q, const char *interpolation) {
  static const char *const names[] = {"linear", "lower", "higher", "midpoint", "nearest"};
  bool known = false;
  for (int i = 0; i < 5; i++) known = known || strcmp(interpolation, names[i]) == 0;
#define REQUIRE(condition, ...) \
  if (!(condition)) return tj__fail(TJ_ERROR_RUNTIME, "quantile() " __VA_ARGS__) != NULL
  REQUIRE(self->numel > 0, "input tensor must be non-empty");
  REQUIRE(q->ndim <= 1, "q must be a scalar or 1D tensor");
  REQUIRE(self->dtype == TJ_FLOAT32 || self->dtype == TJ_FLOAT64, "input tensor must be either float or double dtype");
  REQUIRE(self->dtype == q->dtype, "q tensor must be same dtype as the input tensor");
  REQUIRE(known, "interpolation must be one of linear, lower, higher, midpoint or nearest, but got %s", interpolation);
#undef REQUIRE
  return true;
}

/* Sorted elements as [kept..., n] and ranks [kept..., m] of the quantiles among them, as numbers with a fraction. */
static tj_tensor *quantile(tj_tensor *self, tj_tensor *q, int64_t dim, bool keepdim, const char *interpolation, bool skip_nan) {
  if (!check_quantile(self, q, interpolation)) return NULL;
  const bool vector = q->ndim == 1, all = dim == TJ_NO_INT;
  int d = all ? 0 : tj__wrap_dim(dim, self->ndim), n_kept = 0;
  if (d < 0) return NULL;
  int64_t shape[TJ_MAX_DIMS + 1];
  for (int k = 0; k < self->ndim; k++) {
    if (k != d && !all) shape[n_kept++] = self->sizes[k];
    else if (keepdim) shape[n_kept++] = 1;
  }
  TJ__CHECK(n_kept < TJ_MAX_DIMS, TJ_ERROR_RUNTIME, "quantile(): too many dimensions");
  tj_tensor *sorted = NULL, *order = NULL, *in = self;
  if (all) in = tj_flatten(self, 0, -1);
  else if (d != self->ndim - 1 && self->ndim) in = tj_transpose(tj_unsqueeze(self, -1), d, -1);
  if (!in || tj_sort(in, -1, false, &sorted, &order) != TJ_OK) return NULL;
  const int64_t n = sorted->ndim ? sorted->sizes[sorted->ndim - 1] : 1;
  shape[n_kept] = n;
  if (!(sorted = tj_reshape(sorted, (tj_ints){shape, n_kept + 1}))) return NULL;
  if (!vector) q = tj_unsqueeze(q, 0);

  tj_tensor *ranks, *nan = tj_isnan(tj_detach(sorted));
  if (skip_nan) { /* NaN is last in order; of lines that are all NaN it is the answer */
    tj_tensor *counts = tj_sum_dim(tj_logical_not(nan), TJ_INTS(-1), true, TJ_DTYPE_NONE);
    ranks = tj_mul(q, tj_sub(counts, tj_scalar_tensor(tj_int(1)), TJ__ONE));
    ranks = tj_masked_fill(ranks, tj_lt(tj_detach(ranks), tj__number(0)), tj_int(0));
  } else {
    ranks = tj_masked_fill(tj_mul(q, tj__number((double)(n - 1))), tj_any_dim(nan, TJ_INTS(-1), true), tj_int(n - 1));
  }
  if (strcmp(interpolation, "lower") == 0) ranks = tj_floor(ranks);
  else if (strcmp(interpolation, "higher") == 0) ranks = tj_ceil(ranks);
  else if (strcmp(interpolation, "nearest") == 0) ranks = tj_round(ranks);
  tj_tensor *below = tj_to_long(tj_detach(ranks), NULL), *values = tj_gather(sorted, -1, below, false);
  if (strcmp(interpolation, "linear") == 0 || strcmp(interpolation, "midpoint") == 0) {
    tj_tensor *above = tj_gather(sorted, -1, tj_to_long(tj_ceil(tj_detach(ranks)), NULL), false);
    values = strcmp(interpolation, "linear") == 0 ? tj_lerp_Tensor(values, above, tj_sub(ranks, below, TJ__ONE))
                                                  : tj_lerp_Scalar(values, above, tj_float(0.5));
  }
  if (!vector) return tj_squeeze_dim(values, -1);
  return tj_squeeze_dim(tj_transpose(tj_unsqueeze(values, 0), 0, -1), -1);
}

static tj_tensor *vector_quantile(tj_tensor *self, tj_tensor *q, int64_t dim, bool keepdim, const char *interpolation, bool skip_nan) {
  if (!check_quantile(self, q, interpolation)) return NULL;
  if (!tj__can_look(q)) return quantile(self, q, dim, keepdim, interpolation, skip_nan);
  tj_tensor *inside = tj_all(tj_logical_and(tj_ge(q, tj__number(0)), tj_le(q, tj__number(1))));
  tj_scalar good = tj_item(inside);
  if (good.kind == TJ_SCALAR_NONE) return NULL;
  TJ__CHECK(good.i, TJ_ERROR_RUNTIME, "quantile() q values must be in the range [0, 1]");
  return quantile(self, q, dim, keepdim, interpolation, skip_nan);
}
static tj_tensor *number_quantile(tj_tensor *self, double q, int64_t dim, bool keepdim, const char *interpolation, bool skip_nan) {
  TJ__CHECK(q >= 0 && q <= 1, TJ_ERROR_RUNTIME, "quantile() q must be in the range [0, 1] but got %g", q);
  tj_tensor *t = tj__empty(TJ_NO_DIMS, (tj_dtype)self->dtype, self->storage->device);
  return t && tj__fill(t, tj_float(q)) ? quantile(self, t, dim, keepdim, interpolation, skip_nan) : NULL;
}

tj_tensor *tj__impl_quantile(tj_tensor *self, tj_tensor *q, int64_t dim, bool keepdim, const char *interpolation) {
  return vector_quantile(self, q, dim, keepdim, interpolation, false);
}
tj_tensor *tj__impl_quantile_scalar(tj_tensor *self, double q, int64_t dim, bool keepdim, const char *interpolation) {
  return number_quantile(self, q, dim, keepdim, interpolation, false);
}
tj_tensor *tj__impl_nanquantile(tj_tensor *self, tj_tensor *q, int64_t dim, bool keepdim, const char *interpolation) {
  return vector_quantile(self, q, dim, keepdim, interpolation, true);
}
tj_tensor *tj__impl_nanquantile_scalar(tj_tensor *self, double q, int64_t dim, bool keepdim, const char *interpolation) {
  return number_quantile(self, q, dim, keepdim, interpolation, true);
}

/* ---- covariance ------------------------------------------------------------------------------------------------- */

static bool check_weights(const char *name, tj_tensor *w, int64_t observations, tj__dtype_class class) {
  if (!w) return true;
  if (w->ndim > 1)
    return tj__fail(TJ_ERROR_RUNTIME, "cov(): expected %s to have one or fewer dimensions but got %s with %d dimensions", name, name,
                    w->ndim) != NULL;
  if (tj__class_of((tj_dtype)w->dtype) != class)
    return tj__fail(TJ_ERROR_RUNTIME, "cov(): expected %s to have %s dtype but got %s with %s dtype", name,
                    class == TJ__CLASS_INT ? "integral" : "floating point", name, tj__dtype_legacy((tj_dtype)w->dtype)) != NULL;
  if (w->numel != observations)
    return tj__fail(TJ_ERROR_RUNTIME,
                    "cov(): expected %s to have the same numel as there are observations in the input but got %lld != %lld", name,
                    (long long)w->numel, (long long)observations) != NULL;
  if (observations == 0 || !tj__can_look(w)) return true;
  tj_scalar least = tj_item(tj_min(tj_detach(w)));
  if (least.kind == TJ_SCALAR_NONE) return false;
  return tj__scalar_to_double(least) >= 0 || tj__fail(TJ_ERROR_RUNTIME, "cov(): %s cannot be negative", name) != NULL;
}

tj_tensor *tj__impl_cov(tj_tensor *self, int64_t correction, tj_tensor *fweights, tj_tensor *aweights) {
  TJ__CHECK(self->ndim <= 2, TJ_ERROR_RUNTIME, "cov(): expected input to have two or fewer dimensions but got an input with %d dimensions",
            self->ndim);
  TJ__CHECK(self->dtype != TJ_BOOL, TJ_ERROR_RUNTIME, "cov(): bool dtype is not supported for input");
  tj_tensor *in = self->ndim < 2 ? tj_reshape(self, TJ_INTS(1, -1)) : self;
  if (!in) return NULL;
  const int64_t observations = in->sizes[1];
  if (!check_weights("fweights", fweights, observations, TJ__CLASS_INT)) return NULL;
  if (!check_weights("aweights", aweights, observations, TJ__CLASS_FLOAT)) return NULL;
  tj_tensor *w = fweights && aweights ? tj_mul(fweights, aweights) : fweights ? fweights : aweights;
  tj_tensor *total = w ? tj_sum(w, TJ_DTYPE_NONE) : tj_scalar_tensor(tj_int(observations));
  tj_tensor *average = tj_div(tj_sum_dim(w ? tj_mul(in, w) : in, TJ_INTS(1), false, TJ_DTYPE_NONE), total);
  /* Degrees of freedom; none left gives infinity or NaN, as in PyTorch. */
  tj_tensor *lost = tj_scalar_tensor(tj_int(correction));
  if (aweights && w) lost = tj_div(tj_mul(lost, tj_sum(tj_mul(w, aweights), TJ_DTYPE_NONE)), total);
  tj_tensor *freedom = correction == 0 ? total : tj_clamp_min(tj_sub(total, lost, TJ__ONE), tj_int(0));
  tj_tensor *centred = tj_sub(in, tj_unsqueeze(average, 1), TJ__ONE);
  tj_tensor *other = tj_conj(tj_transpose(w ? tj_mul(centred, w) : centred, 0, 1));
  return tj_squeeze(tj_div(tj_mm(centred, other), freedom));
}

tj_tensor *tj__impl_corrcoef(tj_tensor *self) {
  TJ__CHECK(self->ndim <= 2, TJ_ERROR_RUNTIME,
            "corrcoef(): expected input to have two or fewer dimensions but got an input with %d dimensions", self->ndim);
  tj_tensor *c = tj_cov(self, 1, NULL, NULL);
  if (!c || c->ndim == 0) return tj_div(c, c);
  const bool complex = tj_dtype_is_complex((tj_dtype)c->dtype);
  tj_tensor *variance = tj_diag(c, 0), *deviation = tj_sqrt(complex ? tj_real(variance) : variance);
  c = tj_div(tj_div(c, tj_unsqueeze(deviation, 1)), tj_unsqueeze(deviation, 0));
  const tj_scalar low = tj_int(-1), high = tj_int(1);
  if (!complex) return tj_clamp(c, low, high);
  return tj_complex(tj_clamp(tj_real(c), low, high), tj_clamp(tj_imag(c), low, high));
}

/* ---- the trapezoidal rule --------------------------------------------------------------------------------------- */

/* y from its first place to the last but one (late: from the second to the last) along d. */
static tj_tensor *side(tj_tensor *y, int d, bool late) { return y ? tj_narrow(y, d, late ? 1 : 0, y->sizes[d] - 1) : NULL; }

static tj_tensor *no_samples(tj_tensor *y, int d, bool cumulative) {
  int64_t sizes[TJ_MAX_DIMS];
  int n = 0;
  for (int k = 0; k < y->ndim; k++)
    if (cumulative || k != d) sizes[n++] = y->sizes[k];
  return tj_new_zeros(y, (tj_ints){sizes, n}, TJ_DTYPE_NONE, TJ_DEVICE_NONE, false);
}

static int sample_dim(const char *name, const tj_tensor *y, int64_t dim) {
  if (y->ndim == 0) return tj__fail(TJ_ERROR_INDEX, "Dimension specified as %lld but tensor has no dimensions", (long long)dim), -1;
  int d = tj__wrap_dim(dim, y->ndim);
  if (d >= 0 && y->dtype == TJ_BOOL)
    return tj__fail(TJ_ERROR_RUNTIME, "%s: received a bool input for `y`, but bool is not supported", name), -1;
  return d;
}

static tj_tensor *over_places(const char *name, tj_tensor *y, tj_tensor *x, int64_t dim, bool cumulative) {
  int d = sample_dim(name, y, dim);
  if (d < 0) return NULL;
  if (y->sizes[d] == 0) return no_samples(y, d, cumulative);
  TJ__CHECK(x->dtype != TJ_BOOL, TJ_ERROR_RUNTIME, "%s: received a bool input for `x` or `y`, but bool is not supported", name);
  if (x->ndim == 1) { TJ__CHECK(x->numel == y->sizes[d], TJ_ERROR_RUNTIME, "%s: There must be one `x` value for each sample point", name); }
  int64_t sizes[TJ_MAX_DIMS];
  if (x->ndim < y->ndim) { /* a vector lies along d, other places line up with the last dimensions */
    for (int k = 0; k < y->ndim; k++) sizes[k] = 1;
    if (x->ndim == 1) sizes[d] = x->numel;
    else
      for (int k = 0; k < x->ndim; k++) sizes[y->ndim - x->ndim + k] = x->sizes[k];
    if (!(x = tj_reshape(x, (tj_ints){sizes, y->ndim}))) return NULL;
  }
  int at = d + x->ndim - y->ndim;
  TJ__CHECK(x->sizes[at] > 0, TJ_ERROR_RUNTIME, "%s: There must be one `x` value for each sample point", name);
  tj_tensor *dx = tj_sub(side(x, at, true), side(x, at, false), TJ__ONE), *sum = tj_add(side(y, d, false), side(y, d, true), TJ__ONE);
  if (cumulative) return tj_cumsum(tj_mul(tj_div(dx, tj__number(2)), sum), dim, TJ_DTYPE_NONE);
  return tj_div(tj_sum_dim(tj_mul(sum, dx), TJ_INTS(dim), false, TJ_DTYPE_NONE), tj__number(2));
}

static tj_tensor *over_steps(const char *name, tj_tensor *y, tj_scalar dx, int64_t dim, bool cumulative) {
  int d = sample_dim(name, y, dim);
  if (d < 0) return NULL;
  TJ__CHECK(dx.kind == TJ_SCALAR_INT || dx.kind == TJ_SCALAR_FLOAT, TJ_ERROR_RUNTIME, "%s: Currently, we only support dx as a real number.",
            name);
  if (y->sizes[d] == 0) return no_samples(y, d, cumulative);
  if (cumulative) {
    tj_tensor *sum = tj_add(side(y, d, false), side(y, d, true), TJ__ONE);
    return tj_cumsum(tj_mul(sum, tj__number(tj__scalar_to_double(dx) / 2)), dim, TJ_DTYPE_NONE);
  }
  tj_tensor *ends = tj_mul(tj_add(tj_select(y, d, 0), tj_select(y, d, -1), TJ__ONE), tj__number(0.5));
  return tj_mul(tj_sub(tj_sum_dim(y, TJ_INTS(d), false, TJ_DTYPE_NONE), ends, TJ__ONE), tj_scalar_tensor(dx));
}

tj_tensor *tj__impl_trapezoid_x(tj_tensor *y, tj_tensor *x, int64_t dim) { return over_places("trapezoid", y, x, dim, false); }
tj_tensor *tj__impl_trapezoid_dx(tj_tensor *y, tj_scalar dx, int64_t dim) { return over_steps("trapezoid", y, dx, dim, false); }
tj_tensor *tj__impl_cumulative_trapezoid_x(tj_tensor *y, tj_tensor *x, int64_t dim) {
  return over_places("cumulative_trapezoid", y, x, dim, true);
}
tj_tensor *tj__impl_cumulative_trapezoid_dx(tj_tensor *y, tj_scalar dx, int64_t dim) {
  return over_steps("cumulative_trapezoid", y, dx, dim, true);
}

/* ---- slopes ----------------------------------------------------------------------------------------------------- */

/* The dimensions that are meant, into out; their number, or -1 and PyTorch's error. n_spacing: how many spacings were given; -1: one for all. */
static int gradient_dims(const tj_tensor *self, int64_t n_spacing, tj_ints dim, int64_t edge_order, int *out) {
#define REFUSE(...) return tj__fail(TJ_ERROR_RUNTIME, "torch.gradient " __VA_ARGS__), -1
  if (self->dtype == TJ_UINT8) REFUSE("does not support uint8 input.");
  if (n_spacing >= 0 && dim.n < 0 && n_spacing != 1 && n_spacing != self->ndim)
    REFUSE("expected spacing to be unspecified, a scalar, or a list of length equal to 'self.dim() = %d', since dim argument was not "
           "given, but got a list of length %lld",
           self->ndim, (long long)n_spacing);
  if (n_spacing >= 0 && dim.n >= 0 && n_spacing != dim.n)
    REFUSE("expected spacing to be unspecified, a scalar or it's spacing and dim arguments to have the same length, but got a spacing "
           "argument of length %lld and a dim argument of length %lld.",
           (long long)n_spacing, (long long)dim.n);
  if (edge_order != 1 && edge_order != 2) REFUSE("only supports edge_order=1 and edge_order=2.");
  bool flags[TJ_MAX_DIMS];
  if (dim.n > 0 && !tj__reduce_flags(dim, self->ndim, flags)) return -1;
  int n = dim.n >= 0 ? (int)dim.n : self->ndim;
  for (int i = 0; i < n; i++) {
    out[i] = dim.n >= 0 ? tj__wrap_dim(dim.data[i], self->ndim) : i;
    if (out[i] < 0) return -1;
    if ((self->ndim ? self->sizes[out[i]] : 1) < edge_order + 1) REFUSE("expected each dimension size to be at least edge_order+1");
  }
#undef REFUSE
  return n;
}

static tj_tensor *at(tj_tensor *self, int d, int64_t i) { return self ? tj_narrow(self, d, i < 0 ? self->sizes[d] + i : i, 1) : NULL; }
static tj_tensor *times(double v, tj_tensor *a) { return tj_mul(a, tj__number(v)); }

static tj_tensor *slope_even(tj_tensor *self, int d, tj_tensor *step, int64_t edge_order) {
  const int64_t n = self->sizes[d];
  tj_tensor *first, *last, *middle = NULL;
  if (n > 2) middle = times(0.5, tj_div(tj__minus(tj_narrow(self, d, 2, n - 2), tj_narrow(self, d, 0, n - 2)), step));
  if (edge_order == 1) {
    first = tj__minus(at(self, d, 1), at(self, d, 0));
    last = tj__minus(at(self, d, -1), at(self, d, -2));
  } else {
    first = tj__minus(tj__plus(times(-1.5, at(self, d, 0)), times(2, at(self, d, 1))), times(0.5, at(self, d, 2)));
    last = tj__plus(tj__minus(times(1.5, at(self, d, -1)), times(2, at(self, d, -2))), times(0.5, at(self, d, -3)));
  }
  first = tj_div(first, step);
  last = tj_div(last, step);
  return middle ? tj_cat(TJ_TENSORS(first, middle, last), d) : n > 2 ? NULL : tj_cat(TJ_TENSORS(first, last), d);
}

/* The parabola through three neighbours, left and right of the middle one h and k apart. where: its slope at the first (-1), middle, last (1). */
static tj_tensor *parabola(tj_tensor *x, tj_tensor *y, tj_tensor *z, tj_tensor *h, tj_tensor *k, int where) {
  tj_tensor *both = tj__plus(h, k), *a = tj_mul(h, both), *b = tj_mul(h, k), *c = tj_mul(k, both);
  if (where < 0) a = tj_neg(tj_div(tj__plus(times(2, h), k), a)), b = tj_div(both, b), c = tj_neg(tj_div(h, c));
  else if (where == 0) a = tj_neg(tj_div(k, a)), b = tj_div(tj__minus(k, h), b), c = tj_div(h, c);
  else a = tj_div(k, a), b = tj_neg(tj_div(both, b)), c = tj_div(tj__plus(times(2, k), h), c);
  return tj__plus(tj__plus(tj_mul(a, x), tj_mul(b, y)), tj_mul(c, z));
}

static tj_tensor *slope_at_places(tj_tensor *self, int d, tj_tensor *places, int64_t edge_order) {
  int64_t sizes[TJ_MAX_DIMS];
  for (int k = 0; k < self->ndim; k++) sizes[k] = k == d ? -1 : 1;
  tj_tensor *steps = tj_reshape(tj_diff(places, 1, 0, NULL, NULL), (tj_ints){sizes, self->ndim});
  if (!steps) return NULL;
  const int64_t n = self->sizes[d], m = steps->sizes[d];
  tj_tensor *first, *last, *middle = NULL;
  if (n > 2)
    middle = parabola(tj_narrow(self, d, 0, n - 2), tj_narrow(self, d, 1, n - 2), tj_narrow(self, d, 2, n - 2),
                      tj_narrow(steps, d, 0, m - 1), tj_narrow(steps, d, 1, m - 1), 0);
  if (edge_order == 1) {
    first = tj_div(tj__minus(at(self, d, 1), at(self, d, 0)), at(steps, d, 0));
    last = tj_div(tj__minus(at(self, d, -1), at(self, d, -2)), at(steps, d, -1));
  } else {
    first = parabola(at(self, d, 0), at(self, d, 1), at(self, d, 2), at(steps, d, 0), at(steps, d, 1), -1);
    last = parabola(at(self, d, -3), at(self, d, -2), at(self, d, -1), at(steps, d, -2), at(steps, d, -1), 1);
  }
  return middle ? tj_cat(TJ_TENSORS(first, middle, last), d) : n > 2 ? NULL : tj_cat(TJ_TENSORS(first, last), d);
}

static tj_list *gradient(tj_tensor *self, const tj_scalar *one, tj_floats steps, tj_tensors places, tj_ints dim, int64_t edge_order) {
  int dims[TJ_MAX_DIMS];
  TJ__CHECK(dim.n <= TJ_MAX_DIMS, TJ_ERROR_RUNTIME, "torch.gradient: too many dimensions");
  for (int64_t i = 0; i < places.n; i++)
    TJ__CHECK(places.data[i]->ndim == 1, TJ_ERROR_RUNTIME,
              "torch.gradient expected each element of spacing to have one dimension, but got an element with %d dimensions!",
              places.data[i]->ndim);
  int n = gradient_dims(self, one ? -1 : places.n > 0 ? places.n : steps.n, dim, edge_order, dims);
  if (n < 0) return NULL;
  tj_list *list = tj__list_new(n);
  for (int i = 0; list && i < n; i++) {
    tj_tensor *slope;
    if (places.n > 0) slope = slope_at_places(self, dims[i], places.data[places.n == 1 ? 0 : i], edge_order);
    else slope = slope_even(self, dims[i], one ? tj_scalar_tensor(*one) : tj__number(steps.data[steps.n == 1 ? 0 : i]), edge_order);
    if (!slope) return NULL;
    tj__list_set(list, i, slope);
  }
  return list;
}

tj_list *tj__impl_gradient_scalar(tj_tensor *self, tj_scalar spacing, tj_ints dim, int64_t edge_order) {
  const tj_scalar one = spacing.kind == TJ_SCALAR_NONE ? tj_int(1) : spacing;
  return gradient(self, &one, (tj_floats){NULL, 0}, (tj_tensors){NULL, 0}, dim, edge_order);
}
tj_list *tj__impl_gradient_array(tj_tensor *self, tj_floats spacing, tj_ints dim, int64_t edge_order) {
  return gradient(self, NULL, spacing, (tj_tensors){NULL, 0}, dim, edge_order);
}
tj_list *tj__impl_gradient_tensorarray(tj_tensor *self, tj_tensors spacing, tj_ints dim, int64_t edge_order) {
  return gradient(self, NULL, (tj_floats){NULL, 0}, spacing, dim, edge_order);
}
