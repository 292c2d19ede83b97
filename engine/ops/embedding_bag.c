/* ops/embedding_bag.c: rows of a table, summed, averaged or maximised over bags of indices. */
#include "impl.h"
#include "iter/convert.h"
#include "ops.h"
#include "ops/arithmetic.h"

#include <math.h>

#define RUNTIME(condition, ...) TJ__CHECK(condition, TJ_ERROR_RUNTIME, __VA_ARGS__)
#define VALUE(condition, ...) TJ__CHECK(condition, TJ_ERROR_VALUE, __VA_ARGS__)
#define LL(x) ((long long)(x))

static tj_tensor *cast(tj_tensor *t, tj_dtype dtype) { return t ? tj_to_dtype(t, dtype, false, false, NULL) : NULL; }

/* The number of the bag of each of n indices; those behind the last offset of include_last_offset are in bag number `bags`. */
static tj_tensor *bag_numbers(tj_tensor *offsets, int64_t n) {
  tj_tensor *marks = tj_zeros(TJ_INTS(n + 1), TJ_INT64, offsets->storage->device, false);
  tj_tensor *ones = tj_ones(TJ_INTS(offsets->numel), TJ_INT64, offsets->storage->device, false);
  marks = tj_index_add(marks, 0, offsets, ones, tj_int(1));
  return tj_narrow(tj_sub(tj_cumsum(marks, 0, TJ_DTYPE_NONE), tj__integer(1), tj_int(1)), 0, 0, n);
}

/* Everything about a call that modes share. */
typedef struct bags {
  tj_tensor *indices, *number; /* int64 [n]: of rows, of bags */
  tj_tensor *ignored;          /* bool [n], or NULL */
  int64_t n, count, width;
} bags;

/* rows [n, width] in the dtype of the sum. */
static tj_tensor *summed(const bags *b, tj_tensor *rows) {
  if (b->ignored) rows = tj_masked_fill(rows, tj_unsqueeze(b->ignored, 1), tj_int(0));
  if (!rows) return NULL;
  tj_tensor *zeros = tj_zeros(TJ_INTS(b->count + 1, b->width), (tj_dtype)rows->dtype, rows->storage->device, false);
  return tj_narrow(tj_index_add(zeros, 0, b->number, rows, tj_int(1)), 0, 0, b->count);
}

static tj_tensor *averaged(const bags *b, tj_tensor *rows) {
  tj_tensor *sums = summed(b, rows);
  if (!sums) return NULL;
  tj_tensor *ones = tj_ones(TJ_INTS(b->n), (tj_dtype)sums->dtype, sums->storage->device, false);
  if (b->ignored) ones = tj_masked_fill(ones, b->ignored, tj_int(0));
  tj_tensor *counts = tj_zeros(TJ_INTS(b->count + 1), (tj_dtype)sums->dtype, sums->storage->device, false);
  counts = tj_narrow(tj_index_add(counts, 0, b->number, ones, tj_int(1)), 0, 0, b->count);
  return tj_div(sums, tj_unsqueeze(tj_clamp_min(counts, tj_int(1)), 1));
}

/* The first largest element of each bag and column; its place is found below autograd and gathered above it. Empty bags are 0. */
static tj_tensor *largest(const bags *b, tj_tensor *rows) {
  const bool before = tj_set_grad_enabled(false);
  tj_tensor *fixed = tj_detach(rows), *places = NULL;
  if (fixed && b->ignored) fixed = tj_masked_fill(fixed, tj_unsqueeze(b->ignored, 1), tj_float(-INFINITY));
  if (fixed) {
    const tj_device device = rows->storage->device;
    const tj_ints sizes = TJ_INTS(b->n, b->width), all = TJ_INTS(b->count + 1, b->width);
    tj_tensor *bag = tj_expand(tj_unsqueeze(b->number, 1), sizes, false);
    tj_tensor *top = tj_full(all, tj_float(-INFINITY), (tj_dtype)rows->dtype, device, false);
    top = tj_scatter_reduce(top, 0, bag, fixed, "amax", true);
    tj_tensor *is_top = top ? tj_eq(fixed, tj_gather(top, 0, bag, false)) : NULL;
    if (is_top && b->ignored) is_top = tj_masked_fill(is_top, tj_unsqueeze(b->ignored, 1), tj_bool(false));
    tj_tensor *own = tj_unsqueeze(tj_arange(tj_int(b->n), TJ_INT64, device, false), 1);
    own = is_top ? tj_where(is_top, own, tj__integer(b->n)) : NULL;
    tj_tensor *none = tj_full(all, tj_int(b->n), TJ_INT64, device, false);
    places = own ? tj_scatter_reduce(none, 0, bag, own, "amin", true) : NULL;
  }
  tj_set_grad_enabled(before);
  if (!places) return NULL;
  tj_tensor *zero = tj_zeros(TJ_INTS(1, b->width), (tj_dtype)rows->dtype, rows->storage->device, false);
  tj_tensor *extended = zero ? tj_cat(TJ_TENSORS(rows, zero), 0) : NULL;
  return extended ? tj_gather(extended, 0, tj_narrow(places, 0, 0, b->count), false) : NULL;
}

static void *check_indices(tj_tensor *indices, tj_tensor *offsets, int64_t rows, bool include_last) {
  if (!tj__can_look(indices)) { /* indices of rows are checked where they are used */
    RUNTIME(!include_last || offsets->numel >= 1, "include_last_offset: number of offset should be at least 1");
    if (!offsets->numel) return indices;
    tj_tensor *outside = tj_logical_or(tj_lt(offsets, tj__integer(0)), tj_gt(offsets, tj__integer(indices->numel)));
    return tj__refuse(tj_ne(tj_select(offsets, 0, 0), tj__integer(0)),
                      "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0.") &&
                   tj__refuse(outside, "embedding_bag: an offset lies outside of the input's length")
               ? indices
               : NULL;
  }
  if (offsets->numel) {
    tj_scalar first = tj_item(tj_select(offsets, 0, 0)), last = tj_item(tj_select(offsets, 0, -1));
    tj_scalar low = tj_item(tj_min(offsets)), high = tj_item(tj_max(offsets));
    if (first.kind == TJ_SCALAR_NONE || last.kind == TJ_SCALAR_NONE || low.kind == TJ_SCALAR_NONE || high.kind == TJ_SCALAR_NONE)
      return NULL;
    RUNTIME(first.i == 0,
            "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. However, got %lld",
            LL(first.i));
    RUNTIME(last.i <= indices->numel, "offsets[-1] can not be greater than input's length %lld but got offsets[-1] of %lld",
            LL(indices->numel), LL(last.i));
    RUNTIME(low.i >= 0 && high.i <= indices->numel, "embedding_bag: an offset lies outside of the input's length %lld", LL(indices->numel));
  }
  RUNTIME(!include_last || offsets->numel >= 1, "include_last_offset: number of offset should be at least 1");
  if (!indices->numel) return indices;
  tj_scalar low = tj_item(tj_min(indices)), high = tj_item(tj_max(indices));
  if (low.kind == TJ_SCALAR_NONE || high.kind == TJ_SCALAR_NONE) return NULL;
  RUNTIME(low.i >= 0 && high.i < rows, "embedding_bag: Expected idx >= 0 && idx < num_embeddings but found idx to be %lld",
          LL(low.i < 0 ? low.i : high.i));
  return indices;
}

static bool whole(const tj_tensor *t, const char *name) {
  if (t->dtype == TJ_INT64 || t->dtype == TJ_INT32) return true;
  tj__fail(TJ_ERROR_RUNTIME,
           "Expected tensor for argument #1 '%s' to have one of the following scalar types: Long, Int; but got torch.%sTensor instead "
           "(while checking arguments for embedding_bag)",
           name, tj__dtype_legacy((tj_dtype)t->dtype));
  return false;
}

tj_tensor *tj__impl_embedding_bag(tj_tensor *input, tj_tensor *weight, tj_tensor *offsets, tj_scalar max_norm, double norm_type,
                                  bool scale_grad_by_freq, const char *mode, bool sparse, tj_tensor *per_sample_weights,
                                  bool include_last_offset, int64_t padding_idx) {
  const bool max = !strcmp(mode, "max"), sum = !strcmp(mode, "sum"), mean = !strcmp(mode, "mean");
  if (per_sample_weights && !tj__same_sizes(input, per_sample_weights)) {
    const char *text = tj__sizes_text(per_sample_weights);
    return tj__fail(TJ_ERROR_VALUE,
                    "embedding_bag: If per_sample_weights (torch.Size(%s)) is not None, then it must have the same shape as the input "
                    "(torch.Size(%s))",
                    text, tj__sizes_text(input));
  }
  VALUE(weight->ndim == 2, "weight has to be a 2D Tensor, but got Tensor of dimension %d", (int)weight->ndim);
  VALUE(input->ndim == 1 || input->ndim == 2, "input has to be 1D or 2D Tensor, but got Tensor of dimension %d", (int)input->ndim);
  if (input->ndim == 2) {
    VALUE(!offsets, "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length sequences. However, "
                    "found offsets of type <class 'torch.Tensor'>");
    const int64_t length = input->sizes[1];
    offsets = length ? tj_arange_start_step(tj_int(0), tj_int(input->numel), tj_int(length), TJ_INT64, input->storage->device, false)
                     : tj_zeros(TJ_INTS(input->sizes[0]), TJ_INT64, input->storage->device, false);
    input = tj_reshape(input, TJ_INTS(-1));
    if (per_sample_weights) per_sample_weights = tj_reshape(per_sample_weights, TJ_INTS(-1));
    if (!input || !offsets) return NULL;
  } else {
    VALUE(offsets, "offsets has to be a 1D Tensor but got None");
    VALUE(offsets->ndim == 1, "offsets has to be a 1D Tensor");
  }
  VALUE(sum || mean || max, "mode has to be one of sum, mean or max");
  VALUE(!max || !scale_grad_by_freq, "max mode does not support scaling the gradient by the frequency");
  VALUE(!max || !sparse, "max mode does not support sparse weights");
  TJ__CHECK(!per_sample_weights || sum, TJ_ERROR_NOT_IMPLEMENTED,
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' (got mode='%s'). Please "
            "open a feature request on GitHub.",
            mode);
  if (!whole(input, "indices") || !whole(offsets, "offsets")) return NULL;
  RUNTIME(tj_dtype_is_floating((tj_dtype)weight->dtype),
          "Expected tensor for argument #1 'weight' to have one of the following scalar types: Half, BFloat16, Float, Double; but got "
          "torch.%sTensor instead (while checking arguments for embedding_bag)",
          tj__dtype_legacy((tj_dtype)weight->dtype));
  RUNTIME(!per_sample_weights || per_sample_weights->dtype == weight->dtype,
          "Expected tensor for argument #1 'weight' to have the same type as tensor for argument #1 'per_sample_weights'; but type "
          "torch.%sTensor does not equal torch.%sTensor (while checking arguments for embedding_bag)",
          tj__dtype_legacy((tj_dtype)weight->dtype), tj__dtype_legacy((tj_dtype)per_sample_weights->dtype));
  const int64_t rows_of_weight = weight->sizes[0];
  if (padding_idx == TJ_NO_INT) padding_idx = -1;
  else {
    RUNTIME(padding_idx >= -rows_of_weight && padding_idx < rows_of_weight,
            "padding_idx must be within the number of embeddings, -%lld through %lld, but got %lld", LL(rows_of_weight),
            LL(rows_of_weight - 1), LL(padding_idx));
    if (padding_idx < 0) padding_idx += rows_of_weight;
  }
  bags b = {.indices = cast(input, TJ_INT64), .n = input->numel, .width = weight->sizes[1]};
  offsets = cast(offsets, TJ_INT64);
  if (!b.indices || !offsets || !check_indices(b.indices, offsets, rows_of_weight, include_last_offset)) return NULL;
  b.count = offsets->numel - include_last_offset;
  b.number = bag_numbers(offsets, b.n);
  if (padding_idx >= 0) b.ignored = tj_eq(b.indices, tj__integer(padding_idx));
  /* the rows, with the gradient of embedding */
  tj_tensor *rows =
      tj_embedding(b.indices, weight, padding_idx >= 0 ? padding_idx : TJ_NO_INT, max_norm, norm_type, scale_grad_by_freq, false);
  if (!rows || !b.number) return NULL;
  const tj_dtype dtype = (tj_dtype)weight->dtype;
  if (max) return largest(&b, rows);
  if (dtype == TJ_FLOAT16 || dtype == TJ_BFLOAT16) rows = cast(rows, TJ_FLOAT32);
  if (per_sample_weights) rows = tj_mul(rows, tj_unsqueeze(cast(per_sample_weights, (tj_dtype)rows->dtype), 1));
  return cast(sum ? summed(&b, rows) : averaged(&b, rows), dtype);
}
