/* extremes.c: largest and smallest elements, and where they are. */
#include "impl.h"
#include "iter/convert.h"
#include "reduce.h"

static bool ordered(const tj_tensor *self, const char *kernel, bool bools) {
  tj_dtype d = (tj_dtype)self->dtype;
  bool bad = tj_dtype_is_complex(d) || d == TJ_UINT16 || d == TJ_UINT32 || d == TJ_UINT64 || (d == TJ_BOOL && !bools);
  return !bad || tj__fail(TJ_ERROR_RUNTIME, "\"%s\" not implemented for '%s'", kernel, tj__dtype_legacy(d)) != NULL;
}

static tj_tensor *extreme(bool largest, const char *name, tj_tensor *self) {
  bool flags[TJ_MAX_DIMS];
  TJ__CHECK(self->numel > 0, TJ_ERROR_RUNTIME,
            "%s(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument.",
            name);
  if (!ordered(self, largest ? "max_all" : "min_all", true) || !tj__reduce_flags(TJ_NO_INTS, self->ndim, flags)) return NULL;
  return tj__reduce(largest ? TJ__REDUCE_MAX : TJ__REDUCE_MIN, self, flags, false, (tj_dtype)self->dtype, NULL);
}

tj_tensor *tj__impl_max(tj_tensor *self) { return extreme(true, "max", self); }
tj_tensor *tj__impl_min(tj_tensor *self) { return extreme(false, "min", self); }
tj_tensor *tj__impl_max_other(tj_tensor *self, tj_tensor *other) { return tj_maximum(self, other); }
tj_tensor *tj__impl_min_other(tj_tensor *self, tj_tensor *other) { return tj_minimum(self, other); }

static tj_tensor *amax(bool largest, tj_tensor *self, tj_ints dim, bool keepdim) {
  bool flags[TJ_MAX_DIMS];
  const char *name = largest ? "amax()" : "amin()";
  TJ__CHECK(self->numel > 0 || dim.n > 0, TJ_ERROR_RUNTIME,
            "%s: Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument.", name);
  if (!tj__reduce_flags(dim, self->ndim, flags)) return NULL;
  for (int64_t i = 0; self->ndim && i < dim.n; i++)
    TJ__CHECK(self->sizes[tj__wrap_dim(dim.data[i], self->ndim)] != 0, TJ_ERROR_INDEX,
              "%s: Expected reduction dim %lld to have non-zero size.", name, (long long)dim.data[i]);
  if (!ordered(self, largest ? "max_values_cpu" : "min_values_cpu", true)) return NULL;
  return tj__reduce(largest ? TJ__REDUCE_MAX : TJ__REDUCE_MIN, self, flags, keepdim, (tj_dtype)self->dtype, NULL);
}

tj_tensor *tj__impl_amax(tj_tensor *self, tj_ints dim, bool keepdim) { return amax(true, self, dim, keepdim); }
tj_tensor *tj__impl_amin(tj_tensor *self, tj_ints dim, bool keepdim) { return amax(false, self, dim, keepdim); }

tj_status tj__impl_aminmax(tj_tensor *self, int64_t dim, bool keepdim, tj_tensor **min, tj_tensor **max) {
  tj_ints dims = dim == TJ_NO_INT ? (tj_ints){NULL, 0} : TJ_INTS(dim);
  bool flags[TJ_MAX_DIMS];
  if (dim == TJ_NO_INT) {
    TJ__CHECK_STATUS(self->numel > 0, TJ_ERROR_RUNTIME,
                     "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity.");
  } else if (!tj__reduce_flags(dims, self->ndim, flags) || !tj__reduce_nonempty(self, flags, "aminmax")) {
    return tj_error_code();
  }
  if (!ordered(self, "aminmax_cpu", true)) return tj_error_code();
  *min = tj_amin(self, dims, keepdim);
  *max = tj_amax(self, dims, keepdim);
  return *min && *max ? TJ_OK : tj_error_code();
}

/* values or indices along a dimension; dim TJ_NO_INT: over all elements in row-major order. */
static bool along(bool largest, tj_tensor *self, int64_t dim, bool keepdim, tj_tensor **values, tj_tensor **indices) {
  const tj__backend *backend = tj__backend_for(&self, 1);
  bool flags[TJ_MAX_DIMS];
  int64_t sizes[TJ_MAX_DIMS];
  tj__lines lines = {1, self->numel, 1, 0};
  if (!backend || !tj__reduce_flags(dim == TJ_NO_INT ? TJ_NO_INTS : TJ_INTS(dim), self->ndim, flags)) return false;
  int ndim = tj__reduce_sizes(self, flags, keepdim, sizes);
  tj_tensor *in = dim == TJ_NO_INT ? tj__contiguous(self) : tj__lines_of(self, dim, &lines);
  if (!in) return false;
  if (values && !(*values = tj__empty((tj_ints){sizes, ndim}, (tj_dtype)self->dtype, self->storage->device))) return false;
  if (indices && !(*indices = tj__empty((tj_ints){sizes, ndim}, TJ_INT64, self->storage->device))) return false;
  return backend->reduce->extremes(largest, values ? *values : NULL, indices ? *indices : NULL, in, lines.outer, lines.n, lines.inner);
}

static tj_status dim_form(bool largest, tj_tensor *self, int64_t dim, bool keepdim, tj_tensor **values, tj_tensor **indices) {
  bool flags[TJ_MAX_DIMS];
  const char *name = largest ? "max()" : "min()";
  TJ__CHECK_STATUS(!tj_dtype_is_complex((tj_dtype)self->dtype), TJ_ERROR_RUNTIME, "%s: does not support complex input", name);
  if (!tj__reduce_flags(TJ_INTS(dim), self->ndim, flags) || !tj__reduce_nonempty(self, flags, name)) return tj_error_code();
  if (!ordered(self, largest ? "max_cpu" : "min_cpu", true)) return tj_error_code();
  return along(largest, self, dim, keepdim, values, indices) ? TJ_OK : tj_error_code();
}

tj_status tj__impl_max_dim(tj_tensor *self, int64_t dim, bool keepdim, tj_tensor **values, tj_tensor **indices) {
  return dim_form(true, self, dim, keepdim, values, indices);
}
tj_status tj__impl_min_dim(tj_tensor *self, int64_t dim, bool keepdim, tj_tensor **values, tj_tensor **indices) {
  return dim_form(false, self, dim, keepdim, values, indices);
}

static tj_tensor *arg_form(bool largest, tj_tensor *self, int64_t dim, bool keepdim) {
  bool flags[TJ_MAX_DIMS];
  const char *name = largest ? "argmax()" : "argmin()";
  tj_tensor *indices = NULL;
  if (dim == TJ_NO_INT) {
    TJ__CHECK(self->numel > 0, TJ_ERROR_INDEX, "%s: Expected reduction dim to be specified for input.numel() == 0.", name);
  } else if (!tj__reduce_flags(TJ_INTS(dim), self->ndim, flags) || !tj__reduce_nonempty(self, flags, name)) {
    return NULL;
  }
  if (!ordered(self, largest ? "argmax_cpu" : "argmin_cpu", false)) return NULL;
  return along(largest, self, dim, keepdim, NULL, &indices) ? indices : NULL;
}

tj_tensor *tj__impl_argmax(tj_tensor *self, int64_t dim, bool keepdim) { return arg_form(true, self, dim, keepdim); }
tj_tensor *tj__impl_argmin(tj_tensor *self, int64_t dim, bool keepdim) { return arg_form(false, self, dim, keepdim); }
