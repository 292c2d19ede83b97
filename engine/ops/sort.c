/* sort.c: sorting, ranks, unique values, search. */
#include "kernels/histogram.h"
#include "kernels/sort.h"

#include <math.h>

#include "impl.h"
#include "index.h"
#include "iter/convert.h"

static bool sortable(const tj_tensor *self, const char *kernel, bool bools) {
  tj_dtype d = (tj_dtype)self->dtype;
  return !(tj_dtype_is_complex(d) || (d == TJ_BOOL && !bools)) ||
         tj__fail(TJ_ERROR_RUNTIME, "\"%s\" not implemented for '%s'", kernel, tj__dtype_legacy(d)) != NULL;
}

/* The first k along dim in order. */
static bool first_sorted(tj_tensor *self, int64_t k, int64_t dim, bool descending, tj_tensor **values, tj_tensor **indices) {
  const tj__backend *backend = tj__backend_for(&self, 1);
  tj__lines lines;
  int64_t sizes[TJ_MAX_DIMS];
  tj_tensor *in = backend ? tj__lines_of(self, dim, &lines) : NULL;
  if (!in) return false;
  memcpy(sizes, self->sizes, (size_t)self->ndim * sizeof *sizes);
  if (self->ndim) sizes[lines.dim] = k;
  if (values && !(*values = tj__empty((tj_ints){sizes, self->ndim}, (tj_dtype)self->dtype, self->storage->device))) return false;
  if (!(*indices = tj__empty((tj_ints){sizes, self->ndim}, TJ_INT64, self->storage->device))) return false;
  return backend->sort->sort(descending, self->ndim ? k : 1, values ? *values : NULL, *indices, in, lines.outer, lines.n, lines.inner);
}

static int64_t size_along(const tj_tensor *self, int64_t dim) {
  int d = tj__wrap_dim(dim, self->ndim);
  return d < 0 ? -1 : self->ndim ? self->sizes[d] : 1;
}

tj_status tj__impl_sort(tj_tensor *self, int64_t dim, bool descending, tj_tensor **values, tj_tensor **indices) {
  int64_t n = size_along(self, dim);
  if (n < 0 || !sortable(self, "sorting_kernel_method_name", true)) return tj_error_code();
  return first_sorted(self, n, dim, descending, values, indices) ? TJ_OK : tj_error_code();
}

tj_status tj__impl_sort_stable(tj_tensor *self, int stable, int64_t dim, bool descending, tj_tensor **values, tj_tensor **indices) {
  (void)stable;
  return tj_sort(self, dim, descending, values, indices);
}

tj_tensor *tj__impl_argsort(tj_tensor *self, int64_t dim, bool descending, bool stable) {
  (void)stable;
  tj_tensor *indices = NULL;
  int64_t n = size_along(self, dim);
  if (n < 0 || !sortable(self, "sorting_kernel_method_name", true)) return NULL;
  return first_sorted(self, n, dim, descending, NULL, &indices) ? indices : NULL;
}

tj_tensor *tj__impl_msort(tj_tensor *self) {
  tj_tensor *values = NULL, *indices = NULL;
  return tj_sort(self, 0, false, &values, &indices) == TJ_OK ? values : NULL;
}

tj_status tj__impl_topk(tj_tensor *self, int64_t k, int64_t dim, bool largest, bool sorted, tj_tensor **values, tj_tensor **indices) {
  (void)sorted;
  int64_t n = size_along(self, dim);
  if (n < 0) return tj_error_code();
  TJ__CHECK_STATUS(k >= 0 && k <= n, TJ_ERROR_RUNTIME, TJ__TEXT_topk_error_k_out_of_range_1);
  if (!sortable(self, "topk_cpu", false)) return tj_error_code();
  return first_sorted(self, k, dim, largest, values, indices) ? TJ_OK : tj_error_code();
}

/* ---- one element a line ----------------------------------------------------------------------------------------- */

static tj_status ranked(tj__rank_kind kind, int64_t k, tj_tensor *self, int64_t dim, bool keepdim, tj_tensor **values,
                        tj_tensor **indices) {
  const tj__backend *backend = tj__backend_for(&self, 1);
  bool flags[TJ_MAX_DIMS];
  int64_t sizes[TJ_MAX_DIMS];
  tj__lines lines;
  if (!backend || !tj__reduce_flags(TJ_INTS(dim), self->ndim, flags)) return tj_error_code();
  int ndim = tj__reduce_sizes(self, flags, keepdim, sizes);
  tj_tensor *in = tj__lines_of(self, dim, &lines);
  if (!in || !(*values = tj__empty((tj_ints){sizes, ndim}, (tj_dtype)self->dtype, self->storage->device)) ||
      !(*indices = tj__empty((tj_ints){sizes, ndim}, TJ_INT64, self->storage->device)))
    return tj_error_code();
  return backend->sort->rank(kind, k, *values, *indices, in, lines.outer, lines.n, lines.inner) ? TJ_OK : tj_error_code();
}

static bool nonempty(const tj_tensor *self, int64_t dim, const char *name) {
  bool flags[TJ_MAX_DIMS];
  return tj__reduce_flags(TJ_INTS(dim), self->ndim, flags) && tj__reduce_nonempty(self, flags, name);
}

tj_status tj__impl_kthvalue(tj_tensor *self, int64_t k, int64_t dim, bool keepdim, tj_tensor **values, tj_tensor **indices) {
  int64_t n = size_along(self, dim);
  if (n < 0 || !nonempty(self, dim, "kthvalue()")) return tj_error_code();
  TJ__CHECK_STATUS(k >= 1 && k <= n, TJ_ERROR_RUNTIME, "kthvalue(): selected number k out of range for dimension %d",
                   tj__wrap_dim(dim, self->ndim));
  if (!sortable(self, "kthvalue_cpu", false)) return tj_error_code();
  return ranked(TJ__RANK_KTH, k - 1, self, dim, keepdim, values, indices);
}

static tj_tensor *median(bool skip_nan, tj_tensor *self) {
  if (!sortable(self, "median_cpu", false)) return NULL;
  if (self->numel == 0) {
    tj_tensor *none = tj__empty(TJ_NO_DIMS, (tj_dtype)self->dtype, self->storage->device);
    return none ? tj__fill(none, tj__class_of((tj_dtype)self->dtype) == TJ__CLASS_FLOAT ? tj_float(NAN)
                                                                                        : tj_int(self->dtype == TJ_INT64   ? INT64_MIN
                                                                                                 : self->dtype == TJ_INT32 ? INT32_MIN
                                                                                                                           : 0))
                : NULL;
  }
  tj_tensor *values = NULL, *indices = NULL, *flat = tj_reshape(self, TJ_INTS(-1));
  return flat && ranked(skip_nan ? TJ__RANK_NANMEDIAN : TJ__RANK_MEDIAN, 0, flat, 0, false, &values, &indices) == TJ_OK ? values : NULL;
}

static tj_status median_dim(bool skip_nan, tj_tensor *self, int64_t dim, bool keepdim, tj_tensor **values, tj_tensor **indices) {
  if (!nonempty(self, dim, skip_nan ? "nanmedian()" : "median()") || !sortable(self, "median_cpu", false)) return tj_error_code();
  return ranked(skip_nan ? TJ__RANK_NANMEDIAN : TJ__RANK_MEDIAN, 0, self, dim, keepdim, values, indices);
}

tj_tensor *tj__impl_median(tj_tensor *self) { return median(false, self); }
tj_tensor *tj__impl_nanmedian(tj_tensor *self) { return median(true, self); }
tj_status tj__impl_median_dim(tj_tensor *self, int64_t dim, bool keepdim, tj_tensor **values, tj_tensor **indices) {
  return median_dim(false, self, dim, keepdim, values, indices);
}
tj_status tj__impl_nanmedian_dim(tj_tensor *self, int64_t dim, bool keepdim, tj_tensor **values, tj_tensor **indices) {
  return median_dim(true, self, dim, keepdim, values, indices);
}

tj_status tj__impl_mode(tj_tensor *self, int64_t dim, bool keepdim, tj_tensor **values, tj_tensor **indices) {
  if (!nonempty(self, dim, "mode()") || !sortable(self, "mode_cpu", true)) return tj_error_code();
  return ranked(TJ__RANK_MODE, 0, self, dim, keepdim, values, indices);
}

/* ---- unique, bincount ------------------------------------------------------------------------------------------- */

/* The parts of x along its first dimension (elements or rows) without repetitions of neighbours. order: where they came from (NULL: as they
 * are); shape: that of the places. */
static tj_status deduplicate(tj_tensor *x, tj_tensor *order, tj_ints shape, bool inverse, bool counts, tj_tensor **output,
                             tj_tensor **places, tj_tensor **count) {
  const int64_t n = x->sizes[0];
  tj_tensor *starts = tj__empty(TJ_INTS(n), TJ_BOOL, x->storage->device);
  if (!starts || !tj__fill(starts, tj_bool(true))) return tj_error_code();
  if (n > 1) {
    tj_tensor *differs = tj_ne(tj_narrow(x, 0, 1, n - 1), tj_narrow(x, 0, 0, n - 1)), *rest = tj_narrow(starts, 0, 1, n - 1);
    if (x->ndim == 2) differs = tj_any_dim(differs, TJ_INTS(1), false);
    if (!differs || !rest || !tj__copy_into(rest, differs)) return tj_error_code();
  }
  tj_tensor *at = tj__true_places(starts);
  if (!at || !(*output = tj_index_select(x, 0, at))) return tj_error_code();
  *places = tj__empty(TJ_INTS(0), TJ_INT64, x->storage->device);
  *count = tj__empty(TJ_INTS(0), TJ_INT64, x->storage->device);
  if (inverse) {
    tj_tensor *group = tj_sub(tj_cumsum(starts, 0, TJ_DTYPE_NONE), tj_scalar_tensor(tj_int(1)), TJ__ONE);
    *places = tj_reshape(order && n ? tj_scatter(group, 0, order, group) : group, shape);
  }
  if (counts && n) {
    tj_tensor *end = tj__empty(TJ_INTS(1), TJ_INT64, x->storage->device);
    if (!end || !tj__fill(end, tj_int(n))) return tj_error_code();
    *count = tj_sub(tj_cat(TJ_TENSORS(tj_narrow(at, 0, 1, at->numel - 1), end), 0), at, TJ__ONE);
  }
  return *output && *places && *count ? TJ_OK : tj_error_code();
}

tj_status tj__impl_unique2(tj_tensor *self, bool sorted, bool return_inverse, bool return_counts, tj_tensor **output,
                           tj_tensor **inverse_indices, tj_tensor **counts) {
  (void)sorted;
  tj_tensor *values = NULL, *order = NULL, *flat = tj_reshape(self, TJ_INTS(-1));
  if (!flat || !sortable(self, "unique", true) || !first_sorted(flat, flat->numel, 0, false, &values, &order)) return tj_error_code();
  return deduplicate(values, order, tj__sizes(self), return_inverse, return_counts, output, inverse_indices, counts);
}

/* Slices along dim, in the order of their first different elements or as they are. */
static tj_status unique_slices(tj_tensor *self, int64_t dim, bool consecutive, bool inverse, bool counts, tj_tensor **output,
                               tj_tensor **places, tj_tensor **count) {
  const tj__backend *backend = tj__backend_for(&self, 1);
  TJ__CHECK_STATUS(self->ndim > 0, TJ_ERROR_INDEX, "Dimension specified as %lld but tensor has no dimensions", (long long)dim);
  int d = tj__wrap_dim(dim, self->ndim), empty = 0;
  if (!backend || d < 0 || !sortable(self, "unique_dim", true)) return tj_error_code();
  for (int k = 0; k < self->ndim; k++) empty += self->sizes[k] == 0;
  if (self->numel == 0) {
    TJ__CHECK_STATUS(empty == 1 && self->sizes[d] == 0, TJ_ERROR_RUNTIME,
                     "There are 0 sized dimensions, and they aren't selected, so unique cannot be applied");
    *output = tj__empty(tj__sizes(self), (tj_dtype)self->dtype, self->storage->device);
    *places = tj__empty(TJ_INTS(0), TJ_INT64, self->storage->device);
    *count = tj__empty(TJ_INTS(0), TJ_INT64, self->storage->device);
    return *output && *places && *count ? TJ_OK : tj_error_code();
  }
  const int64_t n = self->sizes[d];
  tj_tensor *moved = tj_movedim_int(self, d, 0), *rows = moved ? tj__contiguous(moved) : NULL, *order = NULL;
  if (!rows || !(rows = tj_reshape(rows, TJ_INTS(n, self->numel / n)))) return tj_error_code();
  if (!consecutive) {
    order = tj__empty(TJ_INTS(n), TJ_INT64, self->storage->device);
    if (!order || !backend->sort->order_rows(tj__write(order), rows, n, self->numel / n) || !(rows = tj_index_select(rows, 0, order)))
      return tj_error_code();
  }
  if (deduplicate(rows, order, TJ_INTS(n), inverse, counts, output, places, count) != TJ_OK) return tj_error_code();
  int64_t sizes[TJ_MAX_DIMS];
  memcpy(sizes, moved->sizes, (size_t)moved->ndim * sizeof *sizes);
  sizes[0] = (*output)->sizes[0];
  *output = tj_movedim_int(tj_reshape(*output, (tj_ints){sizes, moved->ndim}), 0, d);
  return *output ? TJ_OK : tj_error_code();
}

tj_status tj__impl_unique_dim(tj_tensor *self, int64_t dim, bool sorted, bool return_inverse, bool return_counts, tj_tensor **output,
                              tj_tensor **inverse_indices, tj_tensor **counts) {
  (void)sorted;
  return unique_slices(self, dim, false, return_inverse, return_counts, output, inverse_indices, counts);
}

tj_status tj__impl_unique_consecutive(tj_tensor *self, bool return_inverse, bool return_counts, int64_t dim, tj_tensor **output,
                                      tj_tensor **inverse_indices, tj_tensor **counts) {
  if (!sortable(self, "unique", true)) return tj_error_code();
  if (dim != TJ_NO_INT) return unique_slices(self, dim, true, return_inverse, return_counts, output, inverse_indices, counts);
  tj_tensor *flat = tj_reshape(self, TJ_INTS(-1));
  if (!flat) return tj_error_code();
  return deduplicate(flat, NULL, tj__sizes(self), return_inverse, return_counts, output, inverse_indices, counts);
}

tj_tensor *tj__impl_bincount(tj_tensor *self, tj_tensor *weights, int64_t minlength) {
  TJ__CHECK(tj__class_of((tj_dtype)self->dtype) == TJ__CLASS_INT, TJ_ERROR_RUNTIME, "\"bincount_cpu\" not implemented for '%s'",
            tj__dtype_legacy((tj_dtype)self->dtype));
  TJ__CHECK(minlength >= 0, TJ_ERROR_RUNTIME, "minlength should be >= 0");
  tj_scalar low = tj_int(0), high = tj_int(-1);
  if (self->ndim == 1 && self->numel) low = tj_item(tj_min(self)), high = tj_item(tj_max(self));
  if (low.kind == TJ_SCALAR_NONE || high.kind == TJ_SCALAR_NONE) return NULL;
  TJ__CHECK(self->ndim == 1 && low.i >= 0, TJ_ERROR_RUNTIME, "bincount only supports 1-d non-negative integral inputs.");
  TJ__CHECK(!weights || (weights->ndim == 1 && weights->numel == self->numel), TJ_ERROR_RUNTIME,
            "weights should be 1-d and have the same length as input");
  int64_t n = TJ__MAX(high.i + 1, minlength);
  tj_dtype dtype = !weights || self->numel == 0 ? TJ_INT64 : weights->dtype == TJ_FLOAT32 ? TJ_FLOAT32 : TJ_FLOAT64;
  tj_tensor *zeros = tj__empty(TJ_INTS(n), dtype, self->storage->device), *source = weights;
  if (!zeros || !tj__fill(zeros, tj_int(0))) return NULL;
  if (self->numel == 0) return zeros;
  if (!weights && tj__can_look(self)) {
    if (!(self = tj__to_dtype(self, TJ_INT64)) || !(self = tj__contiguous(self))) return NULL;
    return tj__backend_of(TJ_CPU)->histogram->numbers(tj__write(zeros), n, tj__read(self), self->numel) ? zeros : NULL;
  }
  if (!weights) {
    source = tj__empty(TJ_INTS(self->numel), TJ_INT64, self->storage->device);
    if (source && !tj__fill(source, tj_int(1))) return NULL;
  }
  if (!source || !(source = tj__to_dtype(source, dtype)) || !(self = tj__to_dtype(self, TJ_INT64))) return NULL;
  return tj_index_add(zeros, 0, self, source, tj_int(1));
}

/* ---- search ----------------------------------------------------------------------------------------------------- */

tj_tensor *tj__impl_searchsorted(tj_tensor *sorted, tj_tensor *self, bool out_int32, bool right, const char *side, tj_tensor *sorter) {
  if (self->ndim == 0 && !(self = tj__on_device(self, sorted->storage->device))) return NULL; /* a number of the CPU */
  const tj__backend *backend = tj__backend_for((tj_tensor *[]){sorted, self, sorter}, 3);
  if (!backend) return NULL;
  if (side) {
    TJ__CHECK(strcmp(side, "left") == 0 || strcmp(side, "right") == 0, TJ_ERROR_RUNTIME,
              "torch.searchsorted(): side can only be 'left' or 'right' but got %s", side);
    TJ__CHECK(!right || strcmp(side, "right") == 0, TJ_ERROR_RUNTIME,
              "torch.searchsorted(): side and right can't be set to opposites, got side of left while right was True");
    right = strcmp(side, "right") == 0;
  }
  TJ__CHECK(sorted->ndim > 0, TJ_ERROR_RUNTIME,
            "torch.searchsorted(): boundaries tensor should have positive dimension, but got 0 dimension");
  bool one_line = sorted->ndim == 1, fits = one_line || (sorted->ndim == self->ndim);
  for (int d = 0; !one_line && fits && d < sorted->ndim - 1; d++) fits = sorted->sizes[d] == self->sizes[d];
  TJ__CHECK(fits, TJ_ERROR_RUNTIME,
            "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor and input "
            "value tensor must match, but we got boundaries tensor %s and input value tensor %s",
            tj__sizes_text(sorted), tj__sizes_text(self));
  if (sorter) {
    TJ__CHECK(sorter->dtype == TJ_INT64, TJ_ERROR_RUNTIME, "torch.searchsorted(): sorter must be a tensor of long dtype but got dtype %s",
              tj__dtype_legacy((tj_dtype)sorter->dtype));
    TJ__CHECK(tj__same_sizes(sorter, sorted), TJ_ERROR_RUNTIME,
              "torch.searchsorted(): boundary and sorter must have the same size, but got boundary tensor %s and got sorter tensor %s",
              tj__sizes_text(sorted), tj__sizes_text(sorter));
    if (sorter->numel && tj__can_look(sorter)) {
      tj_scalar low = tj_item(tj_min(sorter)), high = tj_item(tj_max(sorter));
      TJ__CHECK(low.i >= 0 && high.i < sorted->sizes[sorted->ndim - 1], TJ_ERROR_INDEX, "torch.searchsorted(): sorter index out of range");
    }
    if (!(sorter = tj__contiguous(sorter))) return NULL;
  }
  TJ__CHECK(!tj_dtype_is_complex((tj_dtype)sorted->dtype) && !tj_dtype_is_complex((tj_dtype)self->dtype), TJ_ERROR_RUNTIME,
            "torch.searchsorted(): complex tensors have no order");
  tj_dtype dtype = self->wrapped_number && tj__class_of((tj_dtype)self->dtype) <= tj__class_of((tj_dtype)sorted->dtype)
                       ? (tj_dtype)sorted->dtype
                       : tj_promote_types((tj_dtype)sorted->dtype, (tj_dtype)self->dtype);
  if (dtype == TJ_DTYPE_NONE || !(sorted = tj__to_dtype(sorted, dtype)) || !(sorted = tj__contiguous(sorted))) return NULL;
  tj_tensor *values = tj__to_dtype(self, dtype), *out = tj__empty(tj__sizes(self), TJ_INT64, self->storage->device);
  if (!out || !values || !(values = tj__contiguous(values))) return NULL;
  TJ__CHECK(dtype != TJ_BOOL, TJ_ERROR_RUNTIME, "\"searchsorted_out_cpu\" not implemented for 'Bool'");
  int64_t n = sorted->sizes[sorted->ndim - 1], m = one_line ? self->numel : self->sizes[self->ndim - 1];
  backend->sort->search(right, out, sorted, sorter, values, m ? self->numel / m : 0, n, m, one_line);
  return out_int32 ? tj__to_dtype(out, TJ_INT32) : out;
}

tj_tensor *tj__impl_bucketize(tj_tensor *self, tj_tensor *boundaries, bool out_int32, bool right) {
  TJ__CHECK(boundaries->ndim == 1, TJ_ERROR_RUNTIME, "boundaries tensor must be 1 dimension, but got dim(%d)", boundaries->ndim);
  return tj_searchsorted(boundaries, self, out_int32, right, NULL, NULL);
}

tj_tensor *tj__impl_isin(tj_tensor *elements, tj_tensor *test_elements, bool assume_unique, bool invert) {
  (void)assume_unique;
  tj_tensor *values = NULL, *order = NULL, *found;
  tj_dtype dtype = tj_promote_types((tj_dtype)elements->dtype, (tj_dtype)test_elements->dtype);
  TJ__CHECK(dtype == TJ_DTYPE_NONE || !tj_dtype_is_complex(dtype), TJ_ERROR_RUNTIME, "Unsupported input type encountered for isin(): %s",
            tj__dtype_legacy(dtype));
  const tj_device device = elements->ndim ? elements->storage->device : test_elements->storage->device;
  if (!(elements = tj__on_device(elements, device)) || !(test_elements = tj__on_device(test_elements, device))) return NULL;
  if (dtype == TJ_DTYPE_NONE || !(elements = tj__to_dtype(elements, dtype)) || !(test_elements = tj__to_dtype(test_elements, dtype)))
    return NULL;
  tj_tensor *flat = tj_reshape(test_elements, TJ_INTS(-1));
  if (!flat || !first_sorted(flat, flat->numel, 0, false, &values, &order)) return NULL;
  if (flat->numel == 0) {
    found = tj__empty(tj__sizes(elements), TJ_BOOL, elements->storage->device);
    return found ? tj__fill(found, tj_bool(invert)) : NULL;
  }
  tj_tensor *at = tj_searchsorted(values, elements, false, false, NULL, NULL), *last = tj_scalar_tensor(tj_int(flat->numel - 1));
  found = tj_eq(tj_take(values, tj_minimum(at, last)), elements);
  return invert ? tj_logical_not(found) : found;
}
