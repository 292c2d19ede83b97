/* view_parts.c: views of parts of a tensor, their gradients, and the operators that write a part anew. */
#include "autograd/node.h"
#include "core/core.h"
#include "impl.h"
#include "ops/copy.h"
#include "ops/view.h"

/* ---- one entry, a range ---------------------------------------------------------------------------------------- */

tj_tensor *tj__impl_select(tj_tensor *self, int64_t dim, int64_t index) {
  TJ__CHECK(self->ndim > 0, TJ_ERROR_INDEX, "select() cannot be applied to a 0-dim tensor.");
  int d = tj__wrap_dim(dim, self->ndim);
  if (d < 0) return NULL;
  const int64_t size = self->sizes[d];
  TJ__CHECK(index >= -size && index < size, TJ_ERROR_INDEX, "select(): index %lld out of range for tensor of size %s at dimension %d",
            (long long)index, tj__sizes_text(self), d);
  if (index < 0) index += size;
  int64_t sizes[TJ_MAX_DIMS], strides[TJ_MAX_DIMS], n = 0;
  for (int i = 0; i < self->ndim; i++) {
    if (i == d) continue;
    sizes[n] = self->sizes[i];
    strides[n++] = self->strides[i];
  }
  return tj__alias(self, (tj_ints){sizes, n}, (tj_ints){strides, n}, self->offset + index * self->strides[d]);
}

/* Entries from `start` on along d, `length` of them, `step` apart. */
static tj_tensor *range_of(const tj_tensor *self, int d, int64_t start, int64_t length, int64_t step) {
  tj_tensor *view = tj__shallow(self);
  if (!view) return NULL;
  int64_t sizes[TJ_MAX_DIMS], strides[TJ_MAX_DIMS];
  memcpy(sizes, self->sizes, (size_t)self->ndim * sizeof *sizes);
  memcpy(strides, self->strides, (size_t)self->ndim * sizeof *strides);
  sizes[d] = length;
  strides[d] *= step;
  tj_ints s = {sizes, self->ndim}, t = {strides, self->ndim};
  return tj__set_geometry(view, s, t, self->offset + start * self->strides[d]) ? view : NULL;
}

tj_tensor *tj__impl_slice(tj_tensor *self, int64_t dim, int64_t start, int64_t end, int64_t step) {
  TJ__CHECK(self->ndim > 0, TJ_ERROR_RUNTIME, "slice() cannot be applied to a 0-dim tensor.");
  int d = tj__wrap_dim(dim, self->ndim);
  if (d < 0) return NULL;
  TJ__CHECK(step > 0, TJ_ERROR_RUNTIME, TJ__TEXT_slice_error_out_of_bounds_1);
  const int64_t size = self->sizes[d];
  if (start == TJ_NO_INT) start = 0;
  if (end == TJ_NO_INT) end = size;
  if (start < 0) start += size;
  if (end < 0) end += size;
  start = TJ__MIN(TJ__MAX(start, 0), size);
  end = TJ__MIN(TJ__MAX(end, start), size);
  const int64_t length = (end - start) / step + ((end - start) % step != 0);
  return range_of(self, d, start, length, length > 1 ? step : TJ__MIN(step, TJ__MAX(size, 1)));
}

tj_tensor *tj__impl_narrow(tj_tensor *self, int64_t dim, int64_t start, int64_t length) {
  TJ__CHECK(self->ndim > 0, TJ_ERROR_RUNTIME, "narrow() cannot be applied to a 0-dim tensor.");
  TJ__CHECK(length >= 0, TJ_ERROR_RUNTIME, TJ__TEXT_narrow_error_length_exceeds_bounds_2);
  int d = tj__wrap_dim(dim, self->ndim);
  if (d < 0) return NULL;
  const int64_t size = self->sizes[d];
  TJ__CHECK(start >= -size && start <= size, TJ_ERROR_INDEX, TJ__TEXT_narrow_error_start_out_of_bounds_1, (long long)-size, (long long)size,
            (long long)start);
  if (start < 0) start += size;
  TJ__CHECK(start <= size - length, TJ_ERROR_RUNTIME, TJ__TEXT_narrow_error_length_exceeds_bounds_1, (long long)start, (long long)length,
            (long long)size);
  return tj_slice(self, d, start, start + length, 1);
}

tj_tensor *tj__impl_narrow_Tensor(tj_tensor *self, int64_t dim, tj_tensor *start, int64_t length) {
  const tj__dtype_class class = tj__class_of((tj_dtype)start->dtype);
  TJ__CHECK(start->ndim == 0 && class == TJ__CLASS_INT, TJ_ERROR_RUNTIME, "start must be an 0-dim integral Tensor.");
  tj_scalar s = tj_item(start);
  return s.kind == TJ_SCALAR_NONE ? NULL : tj_narrow(self, dim, tj__scalar_to_int(s), length);
}

tj_tensor *tj__impl_narrow_copy(tj_tensor *self, int64_t dim, int64_t start, int64_t length) {
  return tj_clone(tj_narrow(self, dim, start, length), "contiguous_format");
}

/* ---- any geometry ---------------------------------------------------------------------------------------------- */

/* How many elements from the first to the last one; 0 for none. */
static int64_t reach_of(tj_ints sizes, tj_ints strides) {
  int64_t last = 0, part;
  for (int64_t i = 0; i < sizes.n; i++)
    if (sizes.data[i] == 0) return 0;
  for (int64_t i = 0; i < sizes.n; i++)
    if (__builtin_mul_overflow(sizes.data[i] - 1, strides.data[i], &part) || __builtin_add_overflow(last, part, &last))
      return INT64_MAX / 2;
  return last == INT64_MAX ? last : last + 1;
}

tj_tensor *tj__impl_as_strided(tj_tensor *self, tj_ints size, tj_ints stride, int64_t storage_offset) {
  const int64_t offset = storage_offset == TJ_NO_INT ? self->offset : storage_offset;
  TJ__CHECK(size.n == stride.n, TJ_ERROR_RUNTIME, "mismatch in length of strides and shape");
  for (int64_t i = 0; i < stride.n; i++)
    TJ__CHECK(stride.data[i] >= 0, TJ_ERROR_RUNTIME, "as_strided: Negative strides are not supported at the moment, got strides: %s",
              tj__ints_text(stride.data, stride.n));
  TJ__CHECK(offset >= 0, TJ_ERROR_RUNTIME, "Tensor: invalid storage offset %lld", (long long)offset);
  if (tj__numel_of(size) < 0) return NULL;
  const int64_t reach = reach_of(size, stride), item = (int64_t)tj__itemsize(self);
  const int64_t room = (int64_t)self->storage->bytes / item;
  TJ__CHECK(reach == 0 || (reach <= room && offset <= room - reach), TJ_ERROR_RUNTIME,
            "setStorage: sizes %s, strides %s, storage offset %lld, and itemsize %lld requiring a storage size of %lld are out of bounds "
            "for storage "
            "of size %lld",
            tj__ints_text(size.data, size.n), tj__ints_text(stride.data, stride.n), (long long)offset, (long long)item,
            (long long)((reach + offset) * item), (long long)self->storage->bytes);
  return tj_as_strided_relative(self, size, stride, offset - self->offset);
}

/* Only called with a geometry that was checked. */
tj_tensor *tj__impl_as_strided_relative(tj_tensor *self, tj_ints size, tj_ints stride, int64_t offset) {
  return tj__alias(self, size, stride, self->offset + offset);
}

/* Whether two elements may share an address: dimensions in order of their strides, each beyond what the smaller ones reach. */
static bool may_overlap(tj_ints sizes, tj_ints strides) {
  int order[TJ_MAX_DIMS], n = 0;
  for (int i = 0; i < sizes.n; i++) {
    if (sizes.data[i] == 0) return false;
    if (sizes.data[i] == 1) continue;
    int at = n++;
    for (; at > 0 && strides.data[order[at - 1]] > strides.data[i]; at--) order[at] = order[at - 1];
    order[at] = i;
  }
  int64_t reach = 0;
  for (int i = 0; i < n; i++) {
    if (strides.data[order[i]] <= reach) return true;
    reach += strides.data[order[i]] * (sizes.data[order[i]] - 1);
  }
  return false;
}

/* For each element of this geometry its place in a flat buffer. */
static tj_tensor *places(tj_ints sizes, tj_ints strides, int64_t offset, int64_t buffer, tj_device device) {
  tj_tensor *all = tj_arange(tj_int(buffer), TJ_INT64, device, false);
  return tj_reshape(tj_as_strided(all, sizes, strides, offset), TJ_INTS(-1));
}

/* The gradient goes to a buffer as large as what both geometries reach, where it is added up; the input's geometry is then read from it. Where
 * several elements of the input share an address each gets its part. */
tj_tensor *tj__impl_as_strided_backward(tj_tensor *grad, tj_ints input_sizes, tj_ints input_strides, tj_ints size, tj_ints stride,
                                        int64_t offset) {
  const tj_dtype dtype = (tj_dtype)grad->dtype;
  const tj_device device = grad->storage->device;
  const int64_t input_offset = offset < 0 ? -offset : 0, view_offset = offset < 0 ? 0 : offset;
  const int64_t input_reach = reach_of(input_sizes, input_strides), view_reach = reach_of(size, stride);
  const int64_t buffer_size = TJ__MAX(TJ__MAX(input_reach + input_offset, view_reach + view_offset), 1);
  tj_tensor *buffer = tj__zero_grad(TJ_INTS(buffer_size), grad);
  if (!buffer) return NULL;
  if (may_overlap(size, stride)) {
    tj_tensor *where = places(size, stride, view_offset, buffer_size, device);
    buffer = tj_index_add(buffer, 0, where, tj_reshape(grad, TJ_INTS(-1)), tj_int(1));
  } else if (!tj_copy_(tj_as_strided(buffer, size, stride, view_offset), grad, false)) {
    return NULL;
  }
  if (may_overlap(input_sizes, input_strides)) {
    tj_tensor *where = places(input_sizes, input_strides, input_offset, buffer_size, device);
    tj_tensor *ones = where ? tj__empty(tj__sizes(where), dtype, device) : NULL;
    if (!ones || !tj__fill(ones, tj_int(1))) return NULL;
    tj_tensor *count = tj_index_add(tj__zero_grad(TJ_INTS(buffer_size), grad), 0, where, ones, tj_int(1));
    buffer = tj_div(buffer, count);
  }
  return tj_as_strided(buffer, input_sizes, input_strides, input_offset);
}

tj_tensor *tj__impl_diagonal(tj_tensor *self, int64_t offset, int64_t dim1, int64_t dim2) {
  int a = tj__wrap_dim(dim1, self->ndim), b = tj__wrap_dim(dim2, self->ndim);
  if (a < 0 || b < 0) return NULL;
  TJ__CHECK(a != b, TJ_ERROR_RUNTIME, "diagonal dimensions cannot be identical %lld, %lld", (long long)dim1, (long long)dim2);
  const int64_t rows = self->sizes[a], columns = self->sizes[b];
  int64_t length =
      offset >= 0 ? TJ__MIN(rows, columns > offset ? columns - offset : 0) : TJ__MIN(offset > -rows ? rows + offset : 0, columns);
  length = TJ__MAX(length, 0);
  int64_t at = self->offset;
  if (length) at += offset >= 0 ? offset * self->strides[b] : -offset * self->strides[a];
  int64_t sizes[TJ_MAX_DIMS], strides[TJ_MAX_DIMS], n = 0;
  for (int i = 0; i < self->ndim; i++) {
    if (i == a || i == b) continue;
    sizes[n] = self->sizes[i];
    strides[n++] = self->strides[i];
  }
  sizes[n] = length;
  strides[n++] = self->strides[a] + self->strides[b];
  return tj__alias(self, (tj_ints){sizes, n}, (tj_ints){strides, n}, at);
}

tj_tensor *tj__impl_unfold(tj_tensor *self, int64_t dimension, int64_t size, int64_t step) {
  int d = tj__wrap_dim(dimension, self->ndim);
  if (d < 0) return NULL;
  const int64_t have = self->ndim ? self->sizes[d] : 1;
  TJ__CHECK(size >= 0, TJ_ERROR_RUNTIME, "size is %lld but must be >= 0", (long long)size);
  TJ__CHECK(size <= have, TJ_ERROR_RUNTIME, "maximum size for tensor at dimension %d is %lld but size is %lld", d, (long long)have,
            (long long)size);
  TJ__CHECK(step > 0, TJ_ERROR_RUNTIME, "step is %lld but must be > 0", (long long)step);
  TJ__CHECK(self->ndim < TJ_MAX_DIMS, TJ_ERROR_RUNTIME, "only tensors with up to %d dims are supported", TJ_MAX_DIMS);
  int64_t sizes[TJ_MAX_DIMS], strides[TJ_MAX_DIMS];
  const int n = self->ndim;
  memcpy(sizes, self->sizes, (size_t)n * sizeof *sizes);
  memcpy(strides, self->strides, (size_t)n * sizeof *strides);
  sizes[n] = size;
  strides[n] = n ? self->strides[d] : 1;
  if (n) {
    sizes[d] = (have - size) / step + 1;
    strides[d] = TJ__MIN(step, TJ__MAX(have, 1)) * self->strides[d];
  }
  return tj__alias(self, (tj_ints){sizes, n + 1}, (tj_ints){strides, n + 1}, self->offset);
}

/* ---- several parts --------------------------------------------------------------------------------------------- */

tj_list *tj__impl_unbind(tj_tensor *self, int64_t dim) {
  TJ__CHECK(self->ndim > 0, TJ_ERROR_INDEX, "Dimension specified as %lld but tensor has no dimensions", (long long)dim);
  int d = tj__wrap_dim(dim, self->ndim);
  if (d < 0) return NULL;
  tj_list *list = tj__list_new(self->sizes[d]);
  for (int64_t i = 0; list && i < list->n; i++) {
    tj_tensor *part = tj__impl_select(self, d, i);
    if (!part) return NULL;
    tj__list_set(list, i, part);
  }
  return list;
}

tj_list *tj__impl_split_with_sizes(tj_tensor *self, tj_ints split_sizes, int64_t dim) {
  TJ__CHECK(self->ndim > 0, TJ_ERROR_RUNTIME, "split expects at least a 1-dimensional tensor");
  int d = tj__wrap_dim(dim, self->ndim);
  if (d < 0) return NULL;
  const int64_t size = self->sizes[d];
  int64_t total = 0;
  bool overflow = false;
  for (int64_t i = 0; i < split_sizes.n; i++) {
    TJ__CHECK(split_sizes.data[i] >= 0, TJ_ERROR_RUNTIME,
              "split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes=%s",
              tj__ints_text(split_sizes.data, split_sizes.n));
    overflow |= __builtin_add_overflow(total, split_sizes.data[i], &total);
  }
  TJ__CHECK(!overflow && total == size, TJ_ERROR_RUNTIME,
            "split_with_sizes expects split_sizes to sum exactly to %lld (input tensor's size at dimension %lld), but got split_sizes=%s",
            (long long)size, (long long)dim, tj__ints_text(split_sizes.data, split_sizes.n));
  tj_list *list = tj__list_new(split_sizes.n);
  int64_t start = 0;
  for (int64_t i = 0; list && i < split_sizes.n; start += split_sizes.data[i++]) {
    tj_tensor *part = range_of(self, d, start, split_sizes.data[i], 1);
    if (!part) return NULL;
    tj__list_set(list, i, part);
  }
  return list;
}

tj_list *tj__impl_split(tj_tensor *self, int64_t split_size, int64_t dim) {
  TJ__CHECK(self->ndim > 0, TJ_ERROR_RUNTIME, "split expects at least a 1-dimensional tensor");
  TJ__CHECK(split_size >= 0, TJ_ERROR_RUNTIME, "split expects split_size be non-negative, but got split_size=%lld", (long long)split_size);
  int d = tj__wrap_dim(dim, self->ndim);
  if (d < 0) return NULL;
  const int64_t size = self->sizes[d];
  TJ__CHECK(split_size > 0 || size == 0, TJ_ERROR_RUNTIME,
            "split_size can only be 0 if dimension size is 0, but got dimension size of %lld", (long long)size);
  const int64_t pieces = split_size ? TJ__MAX(size / split_size + (size % split_size != 0), 1) : 1;
  tj_list *list = tj__list_new(pieces);
  for (int64_t i = 0; list && i < pieces; i++) {
    tj_tensor *part = range_of(self, d, i * split_size, TJ__MIN(split_size, size - i * split_size), 1);
    if (!part) return NULL;
    tj__list_set(list, i, part);
  }
  return list;
}

tj_list *tj__impl_split_sizes(tj_tensor *self, tj_ints split_size, int64_t dim) { return tj_split_with_sizes(self, split_size, dim); }

tj_list *tj__impl_chunk(tj_tensor *self, int64_t chunks, int64_t dim) {
  TJ__CHECK(self->ndim > 0, TJ_ERROR_RUNTIME, "chunk expects at least a 1-dimensional tensor");
  TJ__CHECK(chunks > 0, TJ_ERROR_RUNTIME, "chunk expects `chunks` to be greater than 0, got: %lld", (long long)chunks);
  int d = tj__wrap_dim(dim, self->ndim);
  if (d < 0) return NULL;
  const int64_t size = self->sizes[d], piece = size / chunks + (size % chunks != 0);
  if (size) return tj_split(self, piece, d);
  /* Nothing to share out, but as many pieces as were asked for. */
  tj_tensor *none = tj__empty(TJ_INTS(chunks), TJ_INT64, TJ_CPU);
  return none && tj__fill(none, tj_int(0)) ? tj_split_with_sizes(self, (tj_ints){tj__read(none), chunks}, d) : NULL;
}

static tj_list *split_at(tj_tensor *self, tj_ints indices, int d) {
  tj_list *list = tj__list_new(indices.n + 1);
  int64_t start = 0;
  for (int64_t i = 0; list && i <= indices.n; i++) {
    const int64_t end = i < indices.n ? indices.data[i] : self->sizes[d];
    tj_tensor *part = tj_slice(self, d, start, end, 1);
    if (!part) return NULL;
    tj__list_set(list, i, part);
    start = end;
  }
  return list;
}

tj_list *tj__impl_tensor_split_indices(tj_tensor *self, tj_ints indices, int64_t dim) {
  TJ__CHECK(self->ndim > 0, TJ_ERROR_RUNTIME, "tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims");
  int d = tj__wrap_dim(dim, self->ndim);
  return d < 0 ? NULL : split_at(self, indices, d);
}

tj_list *tj__impl_tensor_split(tj_tensor *self, int64_t sections, int64_t dim) {
  TJ__CHECK(self->ndim > 0, TJ_ERROR_RUNTIME, "tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims");
  int d = tj__wrap_dim(dim, self->ndim);
  if (d < 0) return NULL;
  TJ__CHECK(sections > 0, TJ_ERROR_RUNTIME, "number of sections must be larger than 0, got %lld", (long long)sections);
  const int64_t size = self->sizes[d], least = size / sections, larger = size % sections;
  tj_list *list = tj__list_new(sections);
  int64_t start = 0;
  for (int64_t i = 0; list && i < sections; i++) {
    const int64_t end = start + least + (i < larger);
    tj_tensor *part = tj_slice(self, d, start, end, 1);
    if (!part) return NULL;
    tj__list_set(list, i, part);
    start = end;
  }
  return list;
}

tj_list *tj__impl_tensor_split_tensor_indices_or_sections(tj_tensor *self, tj_tensor *split, int64_t dim) {
  TJ__CHECK(split->dtype == TJ_INT64, TJ_ERROR_RUNTIME,
            "tensor_split expected tensor_indices_or_sections to have dtype of long, but got %s", tj__dtype_legacy((tj_dtype)split->dtype));
  TJ__CHECK(
      split->ndim <= 1, TJ_ERROR_RUNTIME,
      "tensor_split expected tensor_indices_or_sections to be a zero-dimensional or one-dimensional tensor, but got a tensor with %d dims",
      split->ndim);
  tj_tensor *numbers = tj__contiguous(split);
  if (!numbers || !tj__must_look(numbers)) return NULL;
  const int64_t *values = tj__read(numbers);
  return split->ndim == 0 ? tj_tensor_split(self, values[0], dim) : tj_tensor_split_indices(self, (tj_ints){values, split->numel}, dim);
}

/* hsplit, vsplit, dsplit: along d, for tensors of at least `least` dimensions. */
static bool split_fits(const tj_tensor *self, const char *name, int least, int d, int64_t sections) {
  if (self->ndim < least)
    return tj__fail(TJ_ERROR_RUNTIME, "torch.%s requires a tensor with at least %d dimension%s, but got a tensor with %d dimensions!", name,
                    least, least > 1 ? "s" : "", self->ndim) != NULL;
  if (sections == TJ_NO_INT || (sections > 0 && self->sizes[d] % sections == 0)) return true;
  return tj__fail(
             TJ_ERROR_RUNTIME,
             "torch.%s attempted to split along dimension %d, but the size of the dimension %lld is not divisible by the split_size %lld!",
             name, d, (long long)self->sizes[d], (long long)sections) != NULL;
}

tj_list *tj__impl_hsplit(tj_tensor *self, int64_t sections) {
  const int d = self->ndim > 1;
  return split_fits(self, "hsplit", 1, d, sections) ? tj_tensor_split(self, sections, d) : NULL;
}
tj_list *tj__impl_vsplit(tj_tensor *self, int64_t sections) {
  return split_fits(self, "vsplit", 2, 0, sections) ? tj_tensor_split(self, sections, 0) : NULL;
}
tj_list *tj__impl_dsplit(tj_tensor *self, int64_t sections) {
  return split_fits(self, "dsplit", 3, 2, sections) ? tj_tensor_split(self, sections, 2) : NULL;
}
tj_list *tj__impl_hsplit_indices(tj_tensor *self, tj_ints indices) {
  return split_fits(self, "hsplit", 1, 0, TJ_NO_INT) ? tj_tensor_split_indices(self, indices, self->ndim > 1) : NULL;
}
tj_list *tj__impl_vsplit_indices(tj_tensor *self, tj_ints indices) {
  return split_fits(self, "vsplit", 2, 0, TJ_NO_INT) ? tj_tensor_split_indices(self, indices, 0) : NULL;
}
tj_list *tj__impl_dsplit_indices(tj_tensor *self, tj_ints indices) {
  return split_fits(self, "dsplit", 3, 2, TJ_NO_INT) ? tj_tensor_split_indices(self, indices, 2) : NULL;
}

/* ---- gradients: zeros with the gradient in the view's place ---------------------------------------------------- */

static tj_tensor *filled(tj_tensor *whole, tj_tensor *part, tj_tensor *values) {
  return whole && part && tj__copy_into(part, values) ? whole : NULL;
}

tj_tensor *tj__impl_select_backward(tj_tensor *grad, tj_ints input_sizes, int64_t dim, int64_t index) {
  tj_tensor *whole = tj__zero_grad(input_sizes, grad);
  return filled(whole, whole ? tj__impl_select(whole, dim, index) : NULL, grad);
}

tj_tensor *tj__impl_slice_backward(tj_tensor *grad, tj_ints input_sizes, int64_t dim, int64_t start, int64_t end, int64_t step) {
  tj_tensor *whole = tj__zero_grad(input_sizes, grad);
  return filled(whole, whole ? tj__impl_slice(whole, dim, start, end, step) : NULL, grad);
}

tj_tensor *tj__impl_diagonal_backward(tj_tensor *grad, tj_ints input_sizes, int64_t offset, int64_t dim1, int64_t dim2) {
  tj_tensor *whole = tj__zero_grad(input_sizes, grad);
  return filled(whole, whole ? tj__impl_diagonal(whole, offset, dim1, dim2) : NULL, grad);
}

/* The k-th elements of all windows do not overlap (step > 0), so the windows are added up one element at a time. */
tj_tensor *tj__impl_unfold_backward(tj_tensor *grad, tj_ints input_sizes, int64_t dim, int64_t size, int64_t step) {
  tj_tensor *whole = tj__zero_grad(input_sizes, grad);
  if (!whole) return NULL;
  int d = tj__wrap_dim(dim, input_sizes.n);
  if (d < 0) return NULL;
  if (input_sizes.n == 0) return size ? tj__copy_into(whole, tj__impl_select(grad, -1, 0)) : whole;
  if (size <= step) return filled(whole, tj__impl_unfold(whole, dim, size, step), grad);
  const int64_t windows = grad->sizes[d];
  for (int64_t k = 0; k < size; k++) {
    tj__scope scope;
    tj__scope_push(&scope);
    tj_tensor *place = range_of(whole, d, k, windows, step), *part = tj__impl_select(grad, -1, k);
    bool ok = place && part && tj_add_(place, part, tj_int(1));
    tj__scope_pop(&scope);
    if (!ok) return NULL;
  }
  return whole;
}

/* ---- a part written anew --------------------------------------------------------------------------------------- */

static tj_tensor *scattered(tj_tensor *whole, tj_tensor *part, tj_tensor *src) {
  if (!whole || !part) return NULL;
  TJ__CHECK(tj__same_sizes(part, src), TJ_ERROR_RUNTIME,
            "expected src to have a size equal to the slice of self. src size = %s, slice size = %s", tj__sizes_text(src),
            tj__sizes_text(part));
  return filled(whole, part, src);
}

tj_tensor *tj__impl_select_scatter(tj_tensor *self, tj_tensor *src, int64_t dim, int64_t index) {
  tj_tensor *whole = tj__clone(self);
  return scattered(whole, whole ? tj__impl_select(whole, dim, index) : NULL, src);
}

tj_tensor *tj__impl_slice_scatter(tj_tensor *self, tj_tensor *src, int64_t dim, int64_t start, int64_t end, int64_t step) {
  tj_tensor *whole = tj__clone(self);
  return scattered(whole, whole ? tj__impl_slice(whole, dim, start, end, step) : NULL, src);
}

tj_tensor *tj__impl_diagonal_scatter(tj_tensor *self, tj_tensor *src, int64_t offset, int64_t dim1, int64_t dim2) {
  tj_tensor *whole = tj__clone(self);
  return scattered(whole, whole ? tj__impl_diagonal(whole, offset, dim1, dim2) : NULL, src);
}
