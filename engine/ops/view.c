/* view.c: views: new geometry over the same storage. No loops over elements. */
#include "autograd/node.h"
#include "core/core.h"
#include "impl.h"
#include "ops/view.h"

/* ---- sizes ----------------------------------------------------------------------------------------------------- */

/* The sizes asked for with -1 replaced; false and PyTorch's error if they do not have numel elements. */
static bool infer_sizes(tj_ints shape, int64_t numel, int64_t *sizes) {
  int64_t product = 1, unknown = -1;
  if (!tj__check_ndim(shape.n)) return false;
  bool overflow = false;
  for (int64_t i = 0; i < shape.n; i++) {
    int64_t size = sizes[i] = shape.data[i];
    if (size == -1) {
      if (unknown >= 0) return tj__fail(TJ_ERROR_RUNTIME, TJ__TEXT_reshape_error_several_inferred_1) != NULL;
      unknown = i;
    } else if (size < 0) {
      return tj__fail(TJ_ERROR_RUNTIME, "invalid shape dimension %lld", (long long)size) != NULL;
    } else {
      overflow |= __builtin_mul_overflow(product, size, &product);
    }
  }
  if (!overflow && unknown >= 0 && product > 0 && numel % product == 0) {
    sizes[unknown] = numel / product;
    return true;
  }
  if (!overflow && unknown >= 0 && product == 0 && numel == 0)
    return tj__fail(TJ_ERROR_RUNTIME,
                    "cannot reshape tensor of 0 elements into shape %s because the unspecified dimension size -1 can be any value and is "
                    "ambiguous",
                    tj__ints_text(shape.data, shape.n)) != NULL;
  if (!overflow && unknown < 0 && product == numel) return true;
  return tj__fail(TJ_ERROR_RUNTIME, TJ__TEXT_reshape_error_incompatible_1, tj__ints_text(shape.data, shape.n), (long long)numel) != NULL;
}

/* Strides that give t's elements in row-major order these sizes, if such strides exist. The dimensions of t fall into runs that lie in memory
 * like one long dimension; the new sizes have to divide each run. */
static bool view_strides(const tj_tensor *t, tj_ints sizes, int64_t *strides) {
  if (t->numel == 0) {
    if (tj__same_sizes(t, &(tj_tensor){.ndim = (int32_t)sizes.n, .sizes = (int64_t *)sizes.data}))
      memcpy(strides, t->strides, (size_t)sizes.n * sizeof *strides);
    else tj__contiguous_strides(sizes, strides);
    return true;
  }
  int64_t at = sizes.n - 1, run = 1, base = t->ndim ? t->strides[t->ndim - 1] : 1;
  for (int i = t->ndim - 1; i >= 0; i--) {
    run *= t->sizes[i];
    bool ends = i == 0 || (t->sizes[i - 1] != 1 && t->strides[i - 1] != run * base);
    if (!ends) continue;
    int64_t covered = 1;
    for (; at >= 0 && (covered < run || sizes.data[at] == 1); at--) {
      strides[at] = covered * base;
      covered *= sizes.data[at];
    }
    if (covered != run) return false;
    run = 1;
    if (i > 0) base = t->strides[i - 1];
  }
  if (t->ndim == 0)
    for (; at >= 0; at--) strides[at] = 1;
  return at < 0;
}

static bool wrap_dims(tj_ints dims, int64_t ndim, bool *seen) {
  memset(seen, 0, TJ_MAX_DIMS * sizeof *seen);
  for (int64_t i = 0; i < dims.n; i++) {
    int d = tj__wrap_dim(dims.data[i], ndim);
    if (d < 0) return false;
    if (seen[d]) return tj__fail(TJ_ERROR_RUNTIME, "dim %d appears multiple times in the list of dims", d) != NULL;
    seen[d] = true;
  }
  return true;
}

bool tj__dim_mask(tj_ints dims, int64_t ndim, bool *seen) { return wrap_dims(dims, ndim, seen); }

/* ---- view and reshape ------------------------------------------------------------------------------------------ */

tj_tensor *tj__impl_view(tj_tensor *self, tj_ints size) {
  int64_t sizes[TJ_MAX_DIMS], strides[TJ_MAX_DIMS];
  if (!infer_sizes(size, self->numel, sizes)) return NULL;
  tj_ints new_sizes = {sizes, size.n};
  TJ__CHECK(
      view_strides(self, new_sizes, strides), TJ_ERROR_RUNTIME,
      "view size is not compatible with input tensor's size and stride (at least one dimension spans across two contiguous subspaces). "
      "Use .reshape(...) instead.");
  return tj__alias(self, new_sizes, (tj_ints){strides, size.n}, self->offset);
}

tj_tensor *tj__impl_reshape(tj_tensor *self, tj_ints shape) {
  int64_t sizes[TJ_MAX_DIMS], strides[TJ_MAX_DIMS];
  if (!infer_sizes(shape, self->numel, sizes)) return NULL;
  tj_ints new_sizes = {sizes, shape.n};
  if (view_strides(self, new_sizes, strides)) return tj_view(self, new_sizes);
  return tj_view(tj_clone(self, "contiguous_format"), new_sizes);
}

tj_tensor *tj__impl_view_dtype(tj_tensor *self, tj_dtype dtype) {
  int64_t sizes[TJ_MAX_DIMS], strides[TJ_MAX_DIMS], offset = self->offset;
  const int64_t from = (int64_t)tj__itemsize(self);
  TJ__CHECK(dtype >= 0 && dtype < TJ_DTYPE_COUNT, TJ_ERROR_TYPE, "view(): a dtype is needed");
  const int64_t to = (int64_t)tj__dtype_sizes[dtype];
  const int n = self->ndim;
  memcpy(sizes, self->sizes, (size_t)n * sizeof *sizes);
  memcpy(strides, self->strides, (size_t)n * sizeof *strides);
  if (from != to) {
    const char *a = tj__dtype_legacy((tj_dtype)self->dtype), *b = tj__dtype_legacy(dtype);
    TJ__CHECK(n > 0, TJ_ERROR_RUNTIME, "self.dim() cannot be 0 to view %s as %s (different element sizes)", a, b);
    TJ__CHECK(strides[n - 1] == 1, TJ_ERROR_RUNTIME, "self.stride(-1) must be 1 to view %s as %s (different element sizes), but got %lld",
              a, b, (long long)strides[n - 1]);
    if (from > to) {
      const int64_t ratio = from / to;
      for (int i = 0; i < n - 1; i++) strides[i] *= ratio;
      sizes[n - 1] *= ratio;
      offset *= ratio;
    } else {
      const int64_t ratio = to / from;
      TJ__CHECK(sizes[n - 1] % ratio == 0, TJ_ERROR_RUNTIME,
                "self.size(-1) must be divisible by %lld to view %s as %s (different element sizes), but got %lld", (long long)ratio, a, b,
                (long long)sizes[n - 1]);
      TJ__CHECK(offset % ratio == 0, TJ_ERROR_RUNTIME,
                "self.storage_offset() must be divisible by %lld to view %s as %s (different element sizes), but got %lld",
                (long long)ratio, a, b, (long long)offset);
      for (int i = 0; i < n - 1; i++) {
        TJ__CHECK(strides[i] % ratio == 0, TJ_ERROR_RUNTIME,
                  "self.stride(%d) must be divisible by %lld to view %s as %s (different element sizes), but got %lld", i, (long long)ratio,
                  a, b, (long long)strides[i]);
        strides[i] /= ratio;
      }
      sizes[n - 1] /= ratio;
      offset /= ratio;
    }
  }
  return tj__alias_dtype(self, dtype, (tj_ints){sizes, n}, (tj_ints){strides, n}, offset);
}

tj_tensor *tj__impl_view_as(tj_tensor *self, tj_tensor *other) { return tj_view(self, tj__sizes(other)); }
tj_tensor *tj__impl_reshape_as(tj_tensor *self, tj_tensor *other) { return tj_reshape(self, tj__sizes(other)); }
tj_tensor *tj__impl_ravel(tj_tensor *self) { return tj_view(tj_contiguous(self, NULL), TJ_INTS(self->numel)); }

tj_tensor *tj__impl_flatten(tj_tensor *self, int64_t start_dim, int64_t end_dim) {
  int start = tj__wrap_dim(start_dim, self->ndim), end = tj__wrap_dim(end_dim, self->ndim);
  if (start < 0 || end < 0) return NULL;
  TJ__CHECK(start <= end, TJ_ERROR_RUNTIME, "flatten() has invalid args: start_dim cannot come after end_dim");
  if (self->ndim == 0) return tj_reshape(self, TJ_INTS(1));
  if (start == end) return self;
  int64_t sizes[TJ_MAX_DIMS], n = 0;
  for (int i = 0; i < start; i++) sizes[n++] = self->sizes[i];
  int64_t all = 1;
  for (int i = start; i <= end; i++) all *= self->sizes[i];
  sizes[n++] = all;
  for (int i = end + 1; i < self->ndim; i++) sizes[n++] = self->sizes[i];
  return tj_reshape(self, (tj_ints){sizes, n});
}

tj_tensor *tj__impl_unflatten(tj_tensor *self, int64_t dim, tj_ints sizes) {
  int d = tj__wrap_dim(dim, self->ndim);
  if (d < 0) return NULL;
  TJ__CHECK(sizes.n > 0, TJ_ERROR_RUNTIME, "unflatten: sizes must be non-empty");
  if (!tj__check_ndim(self->ndim - 1 + sizes.n)) return NULL;
  const int64_t size = self->ndim ? self->sizes[d] : 1;
  int64_t product = 1, unknown = 0, all[TJ_MAX_DIMS], n = 0;
  bool overflow = false;
  for (int64_t i = 0; i < sizes.n; i++) {
    if (sizes.data[i] == -1) unknown++;
    else overflow |= __builtin_mul_overflow(product, sizes.data[i], &product);
  }
  TJ__CHECK(unknown < 2, TJ_ERROR_RUNTIME, TJ__TEXT_reshape_error_several_inferred_1);
  TJ__CHECK(!overflow && (unknown ? product > 0 && size % product == 0 : product == size), TJ_ERROR_RUNTIME,
            "unflatten: Provided sizes %s don't multiply up to the size of dim %d (%lld) in the input tensor",
            tj__ints_text(sizes.data, sizes.n), d, (long long)size);
  for (int i = 0; i < d; i++) all[n++] = self->sizes[i];
  for (int64_t i = 0; i < sizes.n; i++) all[n++] = sizes.data[i] == -1 ? size / product : sizes.data[i];
  for (int i = d + 1; i < self->ndim; i++) all[n++] = self->sizes[i];
  return tj_view(self, (tj_ints){all, n});
}

/* ---- dimensions of size 1 -------------------------------------------------------------------------------------- */

static tj_tensor *squeeze(const tj_tensor *self, const bool *which) {
  int64_t sizes[TJ_MAX_DIMS], strides[TJ_MAX_DIMS];
  int n = 0;
  for (int i = 0; i < self->ndim; i++) {
    if (self->sizes[i] == 1 && (!which || which[i])) continue;
    sizes[n] = self->sizes[i];
    strides[n++] = self->strides[i];
  }
  return tj__alias(self, (tj_ints){sizes, n}, (tj_ints){strides, n}, self->offset);
}

tj_tensor *tj__impl_squeeze(tj_tensor *self) { return squeeze(self, NULL); }

tj_tensor *tj__impl_squeeze_dims(tj_tensor *self, tj_ints dim) {
  bool which[TJ_MAX_DIMS];
  return wrap_dims(dim, self->ndim, which) ? squeeze(self, which) : NULL;
}

tj_tensor *tj__impl_squeeze_dim(tj_tensor *self, int64_t dim) { return tj__impl_squeeze_dims(self, TJ_INTS(dim)); }

tj_tensor *tj__impl_unsqueeze(tj_tensor *self, int64_t dim) {
  int64_t sizes[TJ_MAX_DIMS + 1], strides[TJ_MAX_DIMS + 1];
  int d = tj__wrap_dim(dim, self->ndim + 1);
  if (d < 0) return NULL;
  for (int i = 0; i <= self->ndim; i++) {
    int from = i > d ? i - 1 : i;
    sizes[i] = i == d ? 1 : self->sizes[from];
    /* The stride that keeps a dense tensor dense: that of the block which the new dimension holds. */
    strides[i] = i != d ? self->strides[from] : d < self->ndim ? self->sizes[d] * self->strides[d] : 1;
  }
  return tj__alias(self, (tj_ints){sizes, self->ndim + 1}, (tj_ints){strides, self->ndim + 1}, self->offset);
}

/* ---- order of dimensions --------------------------------------------------------------------------------------- */

tj_tensor *tj__impl_transpose(tj_tensor *self, int64_t dim0, int64_t dim1) {
  int a = tj__wrap_dim(dim0, self->ndim), b = tj__wrap_dim(dim1, self->ndim);
  if (a < 0 || b < 0) return NULL;
  tj_tensor *view = tj__shallow(self);
  if (!view || self->ndim == 0) return view;
  view->sizes[a] = self->sizes[b];
  view->sizes[b] = self->sizes[a];
  view->strides[a] = self->strides[b];
  view->strides[b] = self->strides[a];
  return view;
}

tj_tensor *tj__impl_t(tj_tensor *self) {
  TJ__CHECK(self->ndim <= 2, TJ_ERROR_RUNTIME, "t() expects a tensor with <= 2 dimensions, but self is %dD", self->ndim);
  return self->ndim == 2 ? tj__impl_transpose(self, 0, 1) : tj__shallow(self);
}

tj_tensor *tj__impl_permute(tj_tensor *self, tj_ints dims) {
  TJ__CHECK(
      dims.n == self->ndim, TJ_ERROR_RUNTIME,
      "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired ordering of dimensions i.e. "
      "input.dim() = %d is not equal to len(dims) = %lld",
      self->ndim, (long long)dims.n);
  int64_t sizes[TJ_MAX_DIMS], strides[TJ_MAX_DIMS];
  bool seen[TJ_MAX_DIMS] = {false};
  for (int i = 0; i < self->ndim; i++) {
    int d = tj__wrap_dim(dims.data[i], self->ndim);
    if (d < 0) return NULL;
    TJ__CHECK(!seen[d], TJ_ERROR_RUNTIME, TJ__TEXT_dimension_error_repeated_2);
    seen[d] = true;
    sizes[i] = self->sizes[d];
    strides[i] = self->strides[d];
  }
  return tj__alias(self, (tj_ints){sizes, self->ndim}, (tj_ints){strides, self->ndim}, self->offset);
}

tj_tensor *tj__impl_permute_backward(tj_tensor *grad, tj_ints dims) {
  int64_t inverse[TJ_MAX_DIMS];
  for (int64_t i = 0; i < dims.n; i++) inverse[tj__wrap_dim(dims.data[i], dims.n)] = i;
  return tj_permute(grad, (tj_ints){inverse, dims.n});
}

tj_tensor *tj__impl_movedim(tj_tensor *self, tj_ints source, tj_ints destination) {
  TJ__CHECK(source.n == destination.n, TJ_ERROR_RUNTIME,
            "movedim: Invalid source or destination dims: source (%s dims) should contain the same number of dims as destination (%s dims)",
            tj__ints_text(source.data, source.n), tj__ints_text(destination.data, destination.n));
  TJ__CHECK(source.n <= TJ_MAX_DIMS, TJ_ERROR_RUNTIME, "movedim: too many dims");
  int64_t from[TJ_MAX_DIMS], to[TJ_MAX_DIMS], order[TJ_MAX_DIMS];
  bool from_seen[TJ_MAX_DIMS] = {false}, to_seen[TJ_MAX_DIMS] = {false};
  for (int64_t i = 0; i < source.n; i++) {
    if ((from[i] = tj__wrap_dim(source.data[i], self->ndim)) < 0 || (to[i] = tj__wrap_dim(destination.data[i], self->ndim)) < 0)
      return NULL;
  }
  for (int64_t i = 0; i < source.n; i++) {
    TJ__CHECK(!from_seen[from[i]], TJ_ERROR_RUNTIME, "movedim: repeated dim in `source` (%s)", tj__ints_text(source.data, source.n));
    from_seen[from[i]] = true;
  }
  for (int64_t i = 0; i < source.n; i++) {
    TJ__CHECK(!to_seen[to[i]], TJ_ERROR_RUNTIME, "movedim: repeated dim in `destination` (%s)",
              tj__ints_text(destination.data, destination.n));
    to_seen[to[i]] = true;
    order[to[i]] = from[i];
  }
  if (self->ndim == 0) return tj_alias(self);
  for (int i = 0, next = 0; i < self->ndim; i++) {
    if (to_seen[i]) continue;
    while (from_seen[next]) next++;
    order[i] = next++;
  }
  return tj_permute(self, (tj_ints){order, self->ndim});
}

tj_tensor *tj__impl_movedim_int(tj_tensor *self, int64_t source, int64_t destination) {
  return tj_movedim(self, TJ_INTS(source), TJ_INTS(destination));
}

tj_tensor *tj__impl_adjoint(tj_tensor *self) {
  TJ__CHECK(self->ndim != 1, TJ_ERROR_RUNTIME, "tensor.adjoint() is only supported on matrices or batches of matrices. Got 1-D tensor.");
  tj_tensor *view = self->ndim == 0 ? tj_alias(self) : tj_transpose(self, -2, -1);
  return tj_dtype_is_complex((tj_dtype)self->dtype) ? tj_conj(view) : view;
}

/* ---- in place: self becomes a view of itself ------------------------------------------------------------------- */

/* Implementations run below autograd, but here the view is to be recorded. */
#define BECOME(self, expression)                      \
  do {                                                \
    const bool before = tj__below_autograd();         \
    tj__above_autograd(false);                        \
    tj_tensor *view = expression;                     \
    tj__above_autograd(before);                       \
    return tj__become_view(self, view) ? self : NULL; \
  } while (0)

tj_tensor *tj__impl_squeeze_(tj_tensor *self) { BECOME(self, tj_squeeze(self)); }
tj_tensor *tj__impl_squeeze__dim(tj_tensor *self, int64_t dim) { BECOME(self, tj_squeeze_dim(self, dim)); }
tj_tensor *tj__impl_squeeze__dims(tj_tensor *self, tj_ints dim) { BECOME(self, tj_squeeze_dims(self, dim)); }
tj_tensor *tj__impl_unsqueeze_(tj_tensor *self, int64_t dim) { BECOME(self, tj_unsqueeze(self, dim)); }
tj_tensor *tj__impl_transpose_(tj_tensor *self, int64_t dim0, int64_t dim1) { BECOME(self, tj_transpose(self, dim0, dim1)); }
tj_tensor *tj__impl_t_(tj_tensor *self) { BECOME(self, tj_t(self)); }

tj_tensor *tj__impl_detach(tj_tensor *self) { return tj__shallow(self); }
tj_tensor *tj__impl_detach_(tj_tensor *self) { return tj__forget_history(self) ? self : NULL; }
tj_tensor *tj__impl_alias(tj_tensor *self) { return tj__shallow(self); }

/* ---- broadcasting ---------------------------------------------------------------------------------------------- */

tj_tensor *tj__impl_expand(tj_tensor *self, tj_ints size, bool implicit) {
  (void)implicit;
  TJ__CHECK(size.n >= self->ndim, TJ_ERROR_RUNTIME,
            "expand(torch.%sTensor{%s}, size=%s): the number of sizes provided (%lld) must be greater or equal to the number of dimensions "
            "in the "
            "tensor (%d)",
            tj__dtype_legacy((tj_dtype)self->dtype), tj__sizes_text(self), tj__ints_text(size.data, size.n), (long long)size.n, self->ndim);
  if (!tj__check_ndim(size.n)) return NULL;
  int64_t sizes[TJ_MAX_DIMS], strides[TJ_MAX_DIMS];
  for (int64_t i = size.n - 1; i >= 0; i--) {
    int64_t from = i - (size.n - self->ndim), want = size.data[i];
    int64_t have = from >= 0 ? self->sizes[from] : 1;
    int64_t stride = from >= 0 ? self->strides[from] : i + 1 < size.n ? sizes[i + 1] * strides[i + 1] : 1;
    if (want == -1) {
      TJ__CHECK(from >= 0, TJ_ERROR_RUNTIME, "The expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension %lld",
                (long long)i);
      want = have;
    }
    TJ__CHECK(
        want == have || have == 1, TJ_ERROR_RUNTIME,
        "The expanded size of the tensor (%lld) must match the existing size (%lld) at non-singleton dimension %lld.  Target sizes: %s.  "
        "Tensor sizes: %s",
        (long long)want, (long long)have, (long long)i, tj__ints_text(size.data, size.n), tj__sizes_text(self));
    sizes[i] = want;
    strides[i] = want == have ? stride : 0;
  }
  return tj__alias(self, (tj_ints){sizes, size.n}, (tj_ints){strides, size.n}, self->offset);
}

tj_tensor *tj__impl_expand_as(tj_tensor *self, tj_tensor *other) { return tj_expand(self, tj__sizes(other), false); }
tj_tensor *tj__impl_broadcast_to(tj_tensor *self, tj_ints size) { return tj_expand(self, size, false); }

tj_list *tj__impl_broadcast_tensors(tj_tensors tensors) {
  int64_t sizes[TJ_MAX_DIMS], n = 0;
  for (int64_t i = 0; i < tensors.n; i++)
    if ((n = tj__broadcast_sizes((tj_ints){sizes, n}, tj__sizes(tensors.data[i]), sizes)) < 0) return NULL;
  tj_list *list = tj__list_new(tensors.n);
  for (int64_t i = 0; list && i < tensors.n; i++) {
    tj_tensor *view = tj_expand(tensors.data[i], (tj_ints){sizes, n}, false);
    if (!view) return NULL;
    tj__list_set(list, i, view);
  }
  return list;
}

tj_tensor *tj__impl_sum_to_size(tj_tensor *self, tj_ints size) {
  TJ__CHECK(tj__can_expand(size, tj__sizes(self)), TJ_ERROR_RUNTIME, "size {%s} is not expandable to size {%s}.",
            tj__ints_text(size.data, size.n), tj__sizes_text(self));
  int64_t dims[TJ_MAX_DIMS], n = 0, leading = self->ndim - size.n;
  for (int64_t i = 0; i < self->ndim; i++)
    if (i < leading || (size.data[i - leading] == 1 && self->sizes[i] != 1)) dims[n++] = i;
  tj_tensor *sum = n ? tj_sum_dim(self, (tj_ints){dims, n}, true, TJ_DTYPE_NONE) : self;
  return leading ? tj_view(sum, size) : sum;
}

tj_tensor *tj__impl_atleast_1d(tj_tensor *self) { return self->ndim ? self : tj_reshape(self, TJ_INTS(1)); }
tj_tensor *tj__impl_atleast_2d(tj_tensor *self) {
  return self->ndim >= 2 ? self : self->ndim == 1 ? tj_unsqueeze(self, 0) : tj_reshape(self, TJ_INTS(1, 1));
}
tj_tensor *tj__impl_atleast_3d(tj_tensor *self) {
  switch (self->ndim) {
    case 0: return tj_reshape(self, TJ_INTS(1, 1, 1));
    case 1: return tj_unsqueeze(tj_unsqueeze(self, 0), -1);
    case 2: return tj_unsqueeze(self, -1);
    default: return self;
  }
}

static tj_list *each(tj_tensors tensors, tj_tensor *(*change)(tj_tensor *)) {
  tj_list *list = tj__list_new(tensors.n);
  for (int64_t i = 0; list && i < tensors.n; i++) {
    tj_tensor *t = change(tensors.data[i]);
    if (!t) return NULL;
    tj__list_set(list, i, t);
  }
  return list;
}
tj_list *tj__impl_atleast_1d_Sequence(tj_tensors tensors) { return each(tensors, tj_atleast_1d); }
tj_list *tj__impl_atleast_2d_Sequence(tj_tensors tensors) { return each(tensors, tj_atleast_2d); }
tj_list *tj__impl_atleast_3d_Sequence(tj_tensors tensors) { return each(tensors, tj_atleast_3d); }

/* ---- complex --------------------------------------------------------------------------------------------------- */

tj_tensor *tj__impl_view_as_real(tj_tensor *self) {
  TJ__CHECK(tj_dtype_is_complex((tj_dtype)self->dtype), TJ_ERROR_RUNTIME, "view_as_real is only supported for complex tensors");
  TJ__CHECK(self->ndim < TJ_MAX_DIMS, TJ_ERROR_RUNTIME, "only tensors with up to %d dims are supported", TJ_MAX_DIMS);
  int64_t sizes[TJ_MAX_DIMS], strides[TJ_MAX_DIMS];
  for (int i = 0; i < self->ndim; i++) {
    sizes[i] = self->sizes[i];
    strides[i] = self->strides[i] * 2;
  }
  sizes[self->ndim] = 2;
  strides[self->ndim] = 1;
  return tj__alias_dtype(self, tj__real_of((tj_dtype)self->dtype), (tj_ints){sizes, self->ndim + 1}, (tj_ints){strides, self->ndim + 1},
                         self->offset * 2);
}

tj_tensor *tj__impl_view_as_complex(tj_tensor *self) {
  TJ__CHECK(self->dtype == TJ_FLOAT32 || self->dtype == TJ_FLOAT64, TJ_ERROR_RUNTIME,
            "view_as_complex is only supported for half, float and double tensors, but got a tensor of scalar type: %s",
            tj__dtype_legacy((tj_dtype)self->dtype));
  const int n = self->ndim - 1;
  TJ__CHECK(n >= 0, TJ_ERROR_RUNTIME, "Input tensor must have one or more dimensions");
  TJ__CHECK(self->sizes[n] == 2, TJ_ERROR_RUNTIME, TJ__TEXT_complex_error_last_dimension_1);
  TJ__CHECK(self->strides[n] == 1, TJ_ERROR_RUNTIME, "Tensor must have a last dimension with stride 1");
  int64_t strides[TJ_MAX_DIMS];
  for (int i = 0; i < n; i++) {
    TJ__CHECK(self->strides[i] % 2 == 0, TJ_ERROR_RUNTIME, "Tensor must have a stride divisible by 2 for all but last dimension");
    strides[i] = self->strides[i] / 2;
  }
  TJ__CHECK(self->offset % 2 == 0, TJ_ERROR_RUNTIME, "Tensor must have a storage_offset divisible by 2");
  return tj__alias_dtype(self, tj__complex_of((tj_dtype)self->dtype), (tj_ints){self->sizes, n}, (tj_ints){strides, n}, self->offset / 2);
}

tj_tensor *tj__impl_real(tj_tensor *self) {
  return tj_dtype_is_complex((tj_dtype)self->dtype) ? tj_select(tj_view_as_real(self), -1, 0) : self;
}

tj_tensor *tj__impl_imag(tj_tensor *self) {
  TJ__CHECK(tj_dtype_is_complex((tj_dtype)self->dtype), TJ_ERROR_RUNTIME, "imag is not implemented for tensors with non-complex dtypes.");
  return tj_select(tj_view_as_real(self), -1, 1);
}
