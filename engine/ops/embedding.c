/* embedding.c: one_hot and embedding; triangles and diagonals. */
#include "impl.h"
#include "index.h"
#include "iter/convert.h"

/* ---- one_hot, embedding ----------------------------------------------------------------------------------------- */

tj_tensor *tj__impl_one_hot(tj_tensor *self, int64_t num_classes) {
  TJ__CHECK(self->dtype == TJ_INT64, TJ_ERROR_RUNTIME, "one_hot is only applicable to index tensor of type LongTensor.");
  int64_t sizes[TJ_MAX_DIMS + 1];
  if (self->numel == 0) {
    TJ__CHECK(num_classes > 0, TJ_ERROR_RUNTIME, "Can not infer total number of classes from empty tensor.");
  } else if (tj__can_look(self) || num_classes == -1) {
    tj_scalar low = tj_item(tj_min(self)), high = tj_item(tj_max(self));
    if (low.kind == TJ_SCALAR_NONE || high.kind == TJ_SCALAR_NONE) return NULL;
    TJ__CHECK(low.i >= 0, TJ_ERROR_RUNTIME, "Class values must be non-negative.");
    if (num_classes == -1) num_classes = high.i + 1;
    TJ__CHECK(num_classes >= 1, TJ_ERROR_RUNTIME, "num_classes should be positive");
    TJ__CHECK(high.i < num_classes, TJ_ERROR_RUNTIME, "Class values must be smaller than num_classes.");
  }
  TJ__CHECK(self->ndim < TJ_MAX_DIMS, TJ_ERROR_RUNTIME, "one_hot: too many dimensions");
  memcpy(sizes, self->sizes, (size_t)self->ndim * sizeof *sizes);
  sizes[self->ndim] = num_classes;
  tj_tensor *zeros = tj__zeros((tj_ints){sizes, self->ndim + 1}, self);
  return zeros && self->numel ? tj_scatter_value(zeros, -1, tj_unsqueeze(self, -1), tj_int(1)) : zeros;
}

tj_tensor *tj__impl_embedding_rows(tj_tensor *weight, tj_tensor *indices, int64_t padding_idx, bool scale_grad_by_freq) {
  (void)padding_idx, (void)scale_grad_by_freq; /* for the derivative */
  const tj__backend *backend = tj__backend_for((tj_tensor *[]){weight, indices}, 2);
  int64_t sizes[TJ_MAX_DIMS + 1], bad;
  if (!backend) return NULL;
  TJ__CHECK(weight->ndim == 2, TJ_ERROR_RUNTIME, "'weight' must be 2-D");
  TJ__CHECK(indices->dtype == TJ_INT64 || indices->dtype == TJ_INT32, TJ_ERROR_RUNTIME,
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got torch.%sTensor "
            "instead (while checking arguments for embedding)",
            tj__dtype_legacy((tj_dtype)indices->dtype));
  TJ__CHECK(indices->ndim < TJ_MAX_DIMS, TJ_ERROR_RUNTIME, "embedding: too many dimensions");
  memcpy(sizes, indices->sizes, (size_t)indices->ndim * sizeof *sizes);
  sizes[indices->ndim] = weight->sizes[1];
  tj_tensor *out = tj__empty((tj_ints){sizes, indices->ndim + 1}, (tj_dtype)weight->dtype, weight->storage->device);
  if (!out || !(indices = tj__int64_index(indices)) || !(weight = tj__contiguous(weight))) return NULL;
  const int64_t *places = NULL;
  const int fits = tj__index_places(indices, weight->sizes[0], false, &places, &bad);
  if (fits < 0) return NULL;
  TJ__CHECK(fits, TJ_ERROR_INDEX, "index out of range in self");
  tj__places p = {1, weight->sizes[0], weight->sizes[1], indices->numel, places};
  if (p.inner) backend->index->get(out, weight, &p);
  return out;
}

/* Rows at indices that are longer than max_norm are scaled to it, in weight itself. */
static bool renorm_rows(tj_tensor *weight, tj_tensor *indices, double max_norm, double norm_type) {
  bool before = tj_set_grad_enabled(false);
  tj_tensor *flat = tj_reshape(indices, TJ_INTS(-1));
  flat = flat ? tj__to_dtype(flat, TJ_INT64) : NULL;
  tj_tensor *rows = flat ? tj_index_select(tj_detach(weight), 0, flat) : NULL;
  tj_tensor *norms = tj_linalg_vector_norm(rows, tj_float(norm_type), TJ_INTS(1), true, TJ_DTYPE_NONE);
  tj_tensor *scale = tj_div(tj__number(max_norm), tj_add(norms, tj__number(1e-7), TJ__ONE));
  scale = tj_where(tj_gt(norms, tj__number(max_norm)), scale, tj__number(1));
  bool ok = rows && scale && tj_index_copy_(tj_detach(weight), 0, flat, tj_mul(rows, scale));
  tj_set_grad_enabled(before);
  return ok;
}

tj_tensor *tj__impl_embedding(tj_tensor *input, tj_tensor *weight, int64_t padding_idx, tj_scalar max_norm, double norm_type,
                              bool scale_grad_by_freq, bool sparse) {
  (void)sparse; /* asks for a cheaper form of the same gradient */
  int64_t rows = weight->ndim ? weight->sizes[0] : 0;
  if (padding_idx == TJ_NO_INT) padding_idx = -1;
  else {
    TJ__CHECK(padding_idx < rows && padding_idx >= -rows, TJ_ERROR_ASSERTION, "Padding_idx must be within num_embeddings");
    if (padding_idx < 0) padding_idx += rows;
  }
  if (max_norm.kind != TJ_SCALAR_NONE && weight->ndim == 2 && input->numel &&
      !renorm_rows(weight, input, tj__scalar_to_double(max_norm), norm_type))
    return NULL;
  return tj_embedding_rows(weight, input, padding_idx, scale_grad_by_freq);
}

tj_tensor *tj__impl_embedding_dense_backward(tj_tensor *grad, tj_tensor *indices, tj_ints sizes, int64_t padding_idx,
                                             bool scale_grad_by_freq) {
  tj_tensor *flat = tj_reshape(indices, TJ_INTS(-1));
  if (!flat || !(flat = tj__to_dtype(flat, TJ_INT64))) return NULL;
  tj_tensor *rows = tj_reshape(grad, TJ_INTS(flat->numel, sizes.data[1]));
  if (padding_idx >= 0) rows = tj_mul(rows, tj_unsqueeze(tj_ne(flat, tj_scalar_tensor(tj_int(padding_idx))), 1));
  if (scale_grad_by_freq) {
    tj_tensor *counts = tj__zeros(TJ_INTS(sizes.data[0]), grad),
              *ones = tj__empty(TJ_INTS(flat->numel), (tj_dtype)grad->dtype, grad->storage->device);
    if (!counts || !ones || !tj__fill(ones, tj_int(1))) return NULL;
    counts = tj_index_add(counts, 0, flat, ones, tj_int(1));
    rows = tj_div(rows, tj_unsqueeze(tj_index_select(counts, 0, flat), 1));
  }
  return rows ? tj__add_to_zeros(sizes, 0, flat, rows) : NULL;
}

/* ---- triangles and diagonals ------------------------------------------------------------------------------------ */

static tj_tensor *triangle(tj_tensor *self, int64_t diagonal, bool upper) {
  const tj__backend *backend = tj__backend_for(&self, 1);
  if (!backend) return NULL;
  TJ__CHECK(self->ndim >= 2, TJ_ERROR_RUNTIME, TJ__TEXT_linalg_error_requires_at_least_2d_2, upper ? "triu" : "tril");
  tj_tensor *in = tj__contiguous(self), *out = in ? tj__empty(tj__sizes(in), (tj_dtype)in->dtype, in->storage->device) : NULL;
  if (out) backend->index->triangle(out, in, diagonal, upper);
  return out;
}

tj_tensor *tj__impl_tril(tj_tensor *self, int64_t diagonal) { return triangle(self, diagonal, false); }
tj_tensor *tj__impl_triu(tj_tensor *self, int64_t diagonal) { return triangle(self, diagonal, true); }

tj_tensor *tj__impl_trace(tj_tensor *self) {
  TJ__CHECK(self->ndim == 2, TJ_ERROR_RUNTIME, "trace: expected a matrix, but got tensor with dim %d", self->ndim);
  TJ__CHECK(self->dtype != TJ_BOOL, TJ_ERROR_RUNTIME, "\"trace\" not implemented for 'Bool'");
  return tj_sum(tj_diagonal(self, 0, 0, 1), TJ_DTYPE_NONE);
}

tj_tensor *tj__impl_diag(tj_tensor *self, int64_t diagonal) {
  TJ__CHECK(self->ndim == 1 || self->ndim == 2, TJ_ERROR_RUNTIME, "diag(): Supports 1D or 2D tensors. Got %dD", self->ndim);
  if (self->ndim == 1) return tj_diag_embed(self, diagonal, 0, 1);
  return tj_clone(tj_diagonal(self, diagonal, 0, 1), NULL);
}

tj_tensor *tj__impl_diagflat(tj_tensor *self, int64_t offset) { return tj_diag_embed(tj_reshape(self, TJ_INTS(-1)), offset, 0, 1); }

tj_tensor *tj__impl_diag_embed(tj_tensor *self, int64_t offset, int64_t dim1, int64_t dim2) {
  int ndim = self->ndim + 1;
  int64_t sizes[TJ_MAX_DIMS + 1];
  TJ__CHECK(self->ndim > 0 && ndim <= TJ_MAX_DIMS, TJ_ERROR_RUNTIME, "diag_embed: expected a tensor of 1 to %d dimensions",
            TJ_MAX_DIMS - 1);
  int a = tj__wrap_dim(dim1, ndim), b = a < 0 ? -1 : tj__wrap_dim(dim2, ndim);
  if (b < 0) return NULL;
  TJ__CHECK(a != b, TJ_ERROR_RUNTIME, "diagonal dimensions cannot be identical %lld, %lld", (long long)dim1, (long long)dim2);
  int64_t n = self->sizes[self->ndim - 1] + (offset < 0 ? -offset : offset);
  for (int d = 0, k = 0; d < ndim; d++) sizes[d] = d == a || d == b ? n : self->sizes[k++];
  tj_tensor *out = tj__zeros((tj_ints){sizes, ndim}, self);
  tj_tensor *place = out ? tj_diagonal(out, offset, a, b) : NULL;
  return place && tj__copy_into(place, self) ? out : NULL;
}
