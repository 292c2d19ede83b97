/* histogram.c: histograms of numbers and of points. */
#include "kernels/histogram.h"

#include <math.h>

#include "arithmetic.h"
#include "impl.h"
#include "iter/convert.h"
#include "reduce.h"

static const char *lower_name(const tj_tensor *t) {
  switch (t->dtype) {
    case TJ_FLOAT32: return "float";
    case TJ_FLOAT64: return "double";
    default: return tj_dtype_name((tj_dtype)t->dtype);
  }
}

/* Where neither points nor edges can be looked at: each point's box, and one sum over them, in the order of the points. */
static tj_tensor *count_on_device(tj__bins_kind kind, tj_tensor *points, tj_tensor *const *edges, tj_tensor *weight) {
  int64_t sizes[TJ_MAX_DIMS], all = 1;
  const int d = (int)points->sizes[1];
  tj_tensor *box = NULL, *outside = NULL;
  for (int k = 0; k < d; k++) {
    const int64_t bins = sizes[k] = edges[k]->numel - 1;
    all *= bins;
    tj_tensor *x = tj__contiguous(tj_select(points, 1, k)), *low = tj_select(edges[k], 0, 0), *high = tj_select(edges[k], 0, -1), *bin;
    if (!x || !low || !high) return NULL;
    if (kind == TJ__BINS_WIDTH)
      bin = tj_to_dtype(tj_div(tj_mul(tj_sub(x, low, TJ__ONE), tj__number((double)bins)), tj_sub(high, low, TJ__ONE)), TJ_INT64, false,
                        false, NULL);
    else bin = tj_sub(tj_searchsorted(tj__contiguous(edges[k]), x, false, true, NULL, NULL), tj__integer(1), TJ__ONE);
    bin = tj_clamp(bin, tj_int(0), tj_int(TJ__MAX(bins - 1, 0)));
    tj_tensor *out = tj_logical_not(tj_logical_and(tj_ge(x, low), tj_le(x, high)));
    box = box ? tj_add(tj_mul(box, tj__integer(bins)), bin, TJ__ONE) : bin;
    outside = outside ? tj_logical_or(outside, out) : out;
    if (!box || !outside) return NULL;
  }
  const tj_dtype dtype = (tj_dtype)points->dtype;
  tj_tensor *hist = tj_zeros(TJ_INTS(all + 1), dtype, points->storage->device, false);
  if (points->sizes[0]) {
    if (!weight) weight = tj_ones(TJ_INTS(points->sizes[0]), dtype, points->storage->device, false);
    hist = tj_index_add(hist, 0, tj_masked_fill(box, outside, tj_int(all)), weight, TJ__ONE);
  }
  return tj_reshape(tj_narrow(hist, 0, 0, all), (tj_ints){sizes, d});
}

/* The edges between the least and the largest element, which nobody knows; equal ones are moved apart by `apart`. */
static tj_tensor *edges_on_device(tj_tensor *x, int64_t bins, double apart, const char *text) {
  tj_tensor *low = tj_min(x), *high = tj_max(x);
  if (!low || !high || !tj__refuse(tj_logical_not(tj_isfinite(tj_sub(high, low, TJ__ONE))), text)) return NULL;
  tj_tensor *equal = tj_eq(low, high);
  low = tj_where(equal, tj_sub(low, tj__number(apart), TJ__ONE), low),
  high = tj_where(equal, tj_add(high, tj__number(apart), TJ__ONE), high);
  tj_tensor *step = tj_div(tj_sub(high, low, TJ__ONE), tj__number((double)bins));
  tj_tensor *i = tj_arange(tj_int(bins + 1), (tj_dtype)x->dtype, x->storage->device, false);
  tj_tensor *up = tj_add(tj_mul(i, step), low, TJ__ONE), *down = tj_sub(high, tj_mul(tj_flip(i, TJ_INTS(0)), step), TJ__ONE);
  return tj_where(tj_lt(i, tj__number((double)((bins + 1) / 2))), up, down);
}

/* Counts points [n, d] in the boxes between edges; the result has points' dtype. */
static tj_tensor *count(tj__bins_kind kind, tj_tensor *points, tj_tensor *const *edges, tj_tensor *weight) {
  if (!tj__can_look(points)) return count_on_device(kind, points, edges, weight);
  const tj__backend *backend = tj__backend_for(&points, 1);
  int64_t sizes[TJ_MAX_DIMS];
  const int d = (int)points->sizes[1];
  for (int k = 0; k < d; k++) sizes[k] = edges[k]->numel - 1;
  tj_tensor *hist = backend ? tj__empty((tj_ints){sizes, d}, TJ_FLOAT64, points->storage->device) : NULL;
  if (!hist || !tj__fill(hist, tj_int(0)) || !(points = tj__contiguous(points)) || (weight && !(weight = tj__contiguous(weight))))
    return NULL;
  if (!backend->histogram->count(kind, hist, points, edges, weight)) return NULL;
  return tj__to_dtype(hist, (tj_dtype)points->dtype);
}

tj_tensor *tj__impl_histc(tj_tensor *self, int64_t bins, tj_scalar min, tj_scalar max) {
  tj_dtype dtype = (tj_dtype)self->dtype;
  TJ__CHECK(tj__class_of(dtype) == TJ__CLASS_FLOAT, TJ_ERROR_NOT_IMPLEMENTED, "\"histogram_cpu\" not implemented for '%s'",
            tj__dtype_legacy(dtype));
  TJ__CHECK(bins > 0, TJ_ERROR_RUNTIME, "torch.histogram(): bins must be > 0, but got %lld for dimension 0", (long long)bins);
  const bool half = dtype == TJ_FLOAT16 || dtype == TJ_BFLOAT16;
  tj_dtype work = half ? TJ_FLOAT32 : dtype;
  double low = tj__scalar_to_double(min), high = tj__scalar_to_double(max);
  tj_tensor *edges = NULL;
  if (low == high && self->numel && !tj__can_look(self)) {
    TJ__CHECK(!half, TJ_ERROR_NOT_IMPLEMENTED, "histc of %s without a range is not implemented for the device webgpu: give min and max",
              tj_dtype_name(dtype));
    if (!(edges = edges_on_device(self, bins, 1, "torch.histc: the range is not finite"))) return NULL;
  } else if (low == high && self->numel) {
    tj_scalar least = tj_item(tj_min(self)), most = tj_item(tj_max(self));
    if (least.kind == TJ_SCALAR_NONE || most.kind == TJ_SCALAR_NONE) return NULL;
    low = tj__scalar_to_double(least), high = tj__scalar_to_double(most);
  }
  if (low == high) low -= 1, high += 1;
  TJ__CHECK(isfinite(low) && isfinite(high), TJ_ERROR_RUNTIME, "torch.histc: range of [%g, %g] is not finite", low, high);
  TJ__CHECK(low < high, TJ_ERROR_RUNTIME, "torch.histc: max must be larger than min");
  if (half && self->numel) { /* the interval is found in the dtype's own arithmetic, rounded at each step */
    tj_tensor *inside = tj_logical_and(tj_ge(self, tj__number(low)), tj_le(self, tj__number(high)));
    tj_tensor *first = tj__fill(tj__empty(TJ_NO_DIMS, dtype, self->storage->device), tj_float(low));
    tj_tensor *last = tj__fill(tj__empty(TJ_NO_DIMS, dtype, self->storage->device), tj_float(high));
    tj_tensor *at = tj_div(tj_mul(tj_sub(self, first, TJ__ONE), tj__number((double)bins)), tj_sub(last, first, TJ__ONE));
    self = tj_where(inside, tj_clamp_max(tj_trunc(at), tj_int(bins - 1)), tj__number(NAN));
    if (!self) return NULL;
    low = 0, high = (double)bins;
  }
  if (!edges) edges = tj_linspace(tj_float(low), tj_float(high), bins + 1, work, self->storage->device, false);
  tj_tensor *points = tj_reshape(tj__to_dtype(self, work), TJ_INTS(-1, 1));
  if (self->numel == 0) points = tj__empty(TJ_INTS(0, 1), work, self->storage->device);
  tj_tensor *hist = edges && points ? count(TJ__BINS_WIDTH, points, &edges, NULL) : NULL;
  return hist ? tj__to_dtype(hist, dtype) : NULL;
}

/* The points as [n, d], checked against weight, which becomes a vector. */
static tj_tensor *points_of(tj_tensor *self, tj_tensor **weight) {
  TJ__CHECK(self->ndim >= 2, TJ_ERROR_RUNTIME, "torch.histogramdd: input tensor should have at least 2 dimensions");
  const tj_tensor *w = *weight;
  if (w) {
    TJ__CHECK(w->dtype == self->dtype, TJ_ERROR_RUNTIME,
              "torch.histogramdd: if weight tensor is provided, input tensor and weight tensor should have the same dtype, but got "
              "input(%s), and weight(%s)",
              lower_name(self), lower_name(w));
    bool fits = w->ndim == self->ndim - 1;
    for (int k = 0; fits && k < w->ndim; k++) fits = w->sizes[k] == self->sizes[k];
    TJ__CHECK(fits, TJ_ERROR_RUNTIME,
              "torch.histogramdd: if weight tensor is provided it should have the same shape as the input tensor excluding its innermost "
              "dimension, but got input with shape %s and weight with shape %s",
              tj__sizes_text(self), tj__sizes_text(w));
    if (!(*weight = tj_reshape(*weight, TJ_INTS(w->numel)))) return NULL;
  }
  TJ__CHECK(self->dtype == TJ_FLOAT32 || self->dtype == TJ_FLOAT64, TJ_ERROR_NOT_IMPLEMENTED, "\"histogramdd\" not implemented for '%s'",
            tj__dtype_legacy((tj_dtype)self->dtype));
  const int64_t d = self->sizes[self->ndim - 1];
  TJ__CHECK(d > 0 && d < TJ_MAX_DIMS, TJ_ERROR_RUNTIME, "torch.histogramdd: points of %lld dimensions", (long long)d);
  return tj_reshape(self, TJ_INTS(self->numel / d, d));
}

/* Edges of equal width along each coordinate. */
static bool even_edges(tj_tensor *points, tj_ints bins, tj_floats range, tj_tensor **edges) {
  const int64_t d = points->sizes[1];
#define REFUSE(...) return tj__fail(TJ_ERROR_RUNTIME, __VA_ARGS__) != NULL
  for (int64_t k = 0; k < d; k++)
    if (bins.data[k] <= 0)
      REFUSE("torch.histogram(): bins must be > 0, but got %lld for dimension %lld", (long long)bins.data[k], (long long)k);
  if (range.n >= 0 && range.n != 2 * d)
    REFUSE("torch.histogramdd: for a %lld-dimensional histogram range should have %lld elements, but got %lld", (long long)d,
           (long long)(2 * d), (long long)range.n);
  for (int64_t k = 0; k < d; k++) {
    double low = 0, high = 1;
    if (range.n >= 0) low = range.data[2 * k], high = range.data[2 * k + 1];
    else if (points->numel) {
      tj_tensor *column = tj_select(points, 1, k);
      if (column && !tj__can_look(column)) {
        if (!(edges[k] = edges_on_device(column, bins.data[k], 0.5, "torch.histogramdd: a dimension's range is not finite"))) return false;
        continue;
      }
      tj_scalar least = tj_item(tj_min(column)), most = tj_item(tj_max(column));
      if (least.kind == TJ_SCALAR_NONE || most.kind == TJ_SCALAR_NONE) return false;
      low = tj__scalar_to_double(least), high = tj__scalar_to_double(most);
    }
    if (!isfinite(low) || !isfinite(high))
      REFUSE("torch.histogramdd: dimension %lld's range [%g, %g] is not finite", (long long)k, low, high);
    if (low > high)
      REFUSE("torch.histogramdd: min should not exceed max, but got min %g max %g for dimension %lld", low, high, (long long)k);
    if (low == high) low -= 0.5, high += 0.5;
    edges[k] = tj_linspace(tj_float(low), tj_float(high), bins.data[k] + 1, (tj_dtype)points->dtype, points->storage->device, false);
    if (!edges[k]) return false;
  }
  return true;
}

static bool given_edges(tj_tensor *points, tj_tensors bins, tj_tensor **edges) {
  for (int64_t k = 0; k < bins.n; k++) {
    const tj_tensor *e = bins.data[k];
    if (e->dtype != points->dtype)
      REFUSE("torch.histogramdd: input tensor and bins tensors should have the same dtype, but got input with dtype %s and bins for "
             "dimension %lld with dtype %s",
             lower_name(points), (long long)k, lower_name(e));
    if (e->ndim != 1)
      REFUSE("torch.histogramdd: bins tensor should have one dimension, but got %d dimensions in the bins tensor for dimension %lld",
             e->ndim, (long long)k);
    if (e->numel == 0)
      REFUSE("torch.histogramdd: bins tensor should have at least 1 element, but got 0 elements in the bins tensor for dimension %lld",
             (long long)k);
    if (!(edges[k] = tj__contiguous(bins.data[k]))) return false;
  }
  return true;
}
#undef REFUSE

static tj_tensor *counted(tj__bins_kind kind, tj_tensor *points, tj_tensor *const *edges, tj_tensor *weight, bool density) {
  tj_tensor *hist = count(kind, points, edges, weight);
  if (!hist || !density) return hist;
  hist = tj_div(hist, tj_sum(hist, TJ_DTYPE_NONE));
  int64_t sizes[TJ_MAX_DIMS];
  for (int k = 0; hist && k < hist->ndim; k++) {
    for (int j = 0; j < hist->ndim; j++) sizes[j] = j == k ? -1 : 1;
    hist = tj_div(hist, tj_reshape(tj_diff(edges[k], 1, 0, NULL, NULL), (tj_ints){sizes, hist->ndim}));
  }
  return hist;
}

/* A vector of numbers as points of one coordinate. */
static tj_tensor *numbers(tj_tensor *self, tj_tensor **weight) {
  if (*weight && !(*weight = tj_reshape(*weight, TJ_INTS((*weight)->numel)))) return NULL;
  tj_tensor *column = tj_reshape(self, TJ_INTS(self->numel, 1));
  return column ? points_of(column, weight) : NULL;
}

tj_status tj__impl_histogram_bin_ct(tj_tensor *self, int64_t bins, tj_floats range, tj_tensor *weight, bool density, tj_tensor **hist,
                                    tj_tensor **bin_edges) {
  tj_tensor *points = numbers(self, &weight);
  if (!points || !even_edges(points, TJ_INTS(bins), range, bin_edges)) return tj_error_code();
  return (*hist = counted(TJ__BINS_NEAR, points, bin_edges, weight, density)) ? TJ_OK : tj_error_code();
}

tj_status tj__impl_histogram_bins_tensor(tj_tensor *self, tj_tensor *bins, tj_tensor *weight, bool density, tj_tensor **hist,
                                         tj_tensor **bin_edges) {
  tj_tensor *points = numbers(self, &weight);
  if (!points || !given_edges(points, TJ_TENSORS(bins), bin_edges)) return tj_error_code();
  return (*hist = counted(TJ__BINS_SEARCH, points, bin_edges, weight, density)) ? TJ_OK : tj_error_code();
}

static tj_list *listed(tj__bins_kind kind, tj_tensor *points, tj_tensor **edges, tj_tensor *weight, bool density) {
  tj_tensor *hist = counted(kind, points, edges, weight, density);
  const int64_t d = points->sizes[1];
  tj_list *list = hist ? tj__list_new(d + 1) : NULL;
  if (!list) return NULL;
  tj__list_set(list, 0, hist);
  for (int64_t k = 0; k < d; k++) tj__list_set(list, k + 1, edges[k]);
  return list;
}

static const char *const DIFFERENT = "histogramdd: The size of bins must be equal to the innermost dimension of the input.";

tj_list *tj__impl_histogramdd(tj_tensor *self, tj_ints bins, tj_floats range, tj_tensor *weight, bool density) {
  tj_tensor *edges[TJ_MAX_DIMS], *points = points_of(self, &weight);
  if (!points) return NULL;
  TJ__CHECK(points->sizes[1] == bins.n, TJ_ERROR_RUNTIME, "%s", DIFFERENT);
  return even_edges(points, bins, range, edges) ? listed(TJ__BINS_NEAR, points, edges, weight, density) : NULL;
}

tj_list *tj__impl_histogramdd_TensorList_bins(tj_tensor *self, tj_tensors bins, tj_tensor *weight, bool density) {
  tj_tensor *edges[TJ_MAX_DIMS], *points = points_of(self, &weight);
  if (!points) return NULL;
  TJ__CHECK(points->sizes[1] == bins.n, TJ_ERROR_RUNTIME, "%s", DIFFERENT);
  return given_edges(points, bins, edges) ? listed(TJ__BINS_SEARCH, points, edges, weight, density) : NULL;
}
