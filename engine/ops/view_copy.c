/* view_copy.c: copies of views, and splits whose parts are not tracked as views. */
#include "autograd/node.h"
#include "core/core.h"
#include "impl.h"
#include "iter/convert.h"

static tj_tensor *copy(tj_tensor *view) { return view ? tj_clone(view, "contiguous_format") : NULL; }

static tj_list *copies(tj_list *views) {
  tj_list *list = views ? tj__list_new(views->n) : NULL;
  for (int64_t i = 0; list && i < views->n; i++) {
    tj_tensor *t = copy(views->items[i]);
    if (!t) return NULL;
    tj__list_set(list, i, t);
  }
  return list;
}

tj_tensor *tj__impl_alias_copy(tj_tensor *self) { return copy(self); }
tj_tensor *tj__impl_view_copy(tj_tensor *self, tj_ints size) { return copy(tj_view(self, size)); }
tj_tensor *tj__impl_expand_copy(tj_tensor *self, tj_ints size, bool implicit) { return copy(tj_expand(self, size, implicit)); }
tj_tensor *tj__impl_permute_copy(tj_tensor *self, tj_ints dims) { return copy(tj_permute(self, dims)); }
tj_tensor *tj__impl_t_copy(tj_tensor *self) { return copy(tj_t(self)); }
tj_tensor *tj__impl_transpose_copy(tj_tensor *self, int64_t dim0, int64_t dim1) { return copy(tj_transpose(self, dim0, dim1)); }
tj_tensor *tj__impl_squeeze_copy(tj_tensor *self) { return copy(tj_squeeze(self)); }
tj_tensor *tj__impl_squeeze_copy_dim(tj_tensor *self, int64_t dim) { return copy(tj_squeeze_dim(self, dim)); }
tj_tensor *tj__impl_squeeze_copy_dims(tj_tensor *self, tj_ints dim) { return copy(tj_squeeze_dims(self, dim)); }
tj_tensor *tj__impl_unsqueeze_copy(tj_tensor *self, int64_t dim) { return copy(tj_unsqueeze(self, dim)); }
tj_tensor *tj__impl_select_copy(tj_tensor *self, int64_t dim, int64_t index) { return copy(tj_select(self, dim, index)); }
tj_tensor *tj__impl_slice_copy(tj_tensor *self, int64_t dim, int64_t start, int64_t end, int64_t step) {
  return copy(tj_slice(self, dim, start, end, step));
}
tj_tensor *tj__impl_diagonal_copy(tj_tensor *self, int64_t offset, int64_t dim1, int64_t dim2) {
  return copy(tj_diagonal(self, offset, dim1, dim2));
}
tj_tensor *tj__impl_unfold_copy(tj_tensor *self, int64_t dimension, int64_t size, int64_t step) {
  return copy(tj_unfold(self, dimension, size, step));
}
tj_tensor *tj__impl_as_strided_copy(tj_tensor *self, tj_ints size, tj_ints stride, int64_t storage_offset) {
  return copy(tj_as_strided(self, size, stride, storage_offset));
}
tj_tensor *tj__impl_view_as_real_copy(tj_tensor *self) { return copy(tj_view_as_real(self)); }
tj_tensor *tj__impl_view_as_complex_copy(tj_tensor *self) { return copy(tj_view_as_complex(self)); }
tj_tensor *tj__impl_detach_copy(tj_tensor *self) { return copy(tj_detach(self)); }

tj_list *tj__impl_unbind_copy(tj_tensor *self, int64_t dim) { return copies(tj_unbind(self, dim)); }
tj_list *tj__impl_split_copy(tj_tensor *self, int64_t split_size, int64_t dim) { return copies(tj_split(self, split_size, dim)); }
tj_list *tj__impl_split_with_sizes_copy(tj_tensor *self, tj_ints split_sizes, int64_t dim) {
  return copies(tj_split_with_sizes(self, split_sizes, dim));
}

tj_list *tj__impl_unsafe_split(tj_tensor *self, int64_t split_size, int64_t dim) { return tj__impl_split(self, split_size, dim); }
tj_list *tj__impl_unsafe_split_with_sizes(tj_tensor *self, tj_ints split_sizes, int64_t dim) {
  return tj__impl_split_with_sizes(self, split_sizes, dim);
}
tj_list *tj__impl_unsafe_chunk(tj_tensor *self, int64_t chunks, int64_t dim) {
  TJ__CHECK(self->ndim > 0, TJ_ERROR_RUNTIME, "chunk expects at least a 1-dimensional tensor");
  TJ__CHECK(chunks > 0, TJ_ERROR_RUNTIME, "chunk expects `chunks` to be greater than 0, got: %lld", (long long)chunks);
  int d = tj__wrap_dim(dim, self->ndim);
  if (d < 0) return NULL;
  const int64_t size = self->sizes[d];
  return size ? tj_unsafe_split(self, size / chunks + (size % chunks != 0), d) : tj_chunk(self, chunks, d);
}

/* The whole storage is copied, so that the copy can have self's geometry whatever that is. */
tj_tensor *tj__impl_as_strided_scatter(tj_tensor *self, tj_tensor *src, tj_ints size, tj_ints stride, int64_t storage_offset) {
  const int64_t elements = (int64_t)(self->storage->bytes / tj__itemsize(self)), one = 1;
  tj_tensor *all = tj__alias(self, (tj_ints){&elements, 1}, (tj_ints){&one, 1}, 0), *whole = all ? tj__clone(all) : NULL;
  const int64_t offset = storage_offset == TJ_NO_INT ? self->offset : storage_offset;
  tj_tensor *part = whole ? tj__impl_as_strided(whole, size, stride, offset) : NULL;
  if (!part) return NULL;
  TJ__CHECK(tj__same_sizes(part, src), TJ_ERROR_RUNTIME,
            "expected src to have a size equal to the slice of self. src size = %s, slice size = %s", tj__sizes_text(src),
            tj__sizes_text(part));
  return tj__copy_into(part, src) ? tj__alias(whole, tj__sizes(self), tj__strides(self), self->offset) : NULL;
}
