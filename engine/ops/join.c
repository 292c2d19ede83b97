/* join.c: joining, repeating and reordering. No loops over elements: copies into the result. */
#include "autograd/node.h"
#include "core/core.h"
#include "arithmetic.h"
#include "impl.h"
#include "kernels/backend.h"
#include "kernels/copy.h"
#include "ops/resample.h"
#include "ops/copy.h"
#include "ops/view.h"

/* ---- cat ------------------------------------------------------------------------------------------------------- */

/* Old code joins an empty vector to anything. */
static bool is_passed_over(const tj_tensor *t) { return t->ndim == 1 && t->sizes[0] == 0; }

tj_tensor *tj__impl_cat(tj_tensors tensors, int64_t dim) {
  TJ__CHECK(tensors.n > 0, TJ_ERROR_RUNTIME, "torch.cat(): expected a non-empty list of Tensors");
  const tj_tensor *first = NULL;
  for (int64_t i = 0; i < tensors.n; i++) {
    TJ__CHECK(tensors.data[i]->ndim > 0, TJ_ERROR_RUNTIME, TJ__TEXT_cat_error_ranks_do_not_match_2, (long long)i);
    if (!first && !is_passed_over(tensors.data[i])) first = tensors.data[i];
  }
  int d = first ? tj__wrap_dim(dim, first->ndim) : 0;
  if (d < 0) return NULL;
  tj_tensor *lengths = tj__empty(TJ_INTS(tensors.n), TJ_INT64, TJ_CPU);
  if (!lengths) return NULL;
  int64_t *length = tj__write(lengths);
  for (int64_t i = 0; i < tensors.n; i++) {
    const tj_tensor *t = tensors.data[i];
    length[i] = is_passed_over(t) ? -1 : t->sizes[d];
    if (t == first || is_passed_over(t)) continue;
    TJ__CHECK(t->ndim == first->ndim, TJ_ERROR_RUNTIME, "Tensors must have same number of dimensions: got %d and %d", first->ndim, t->ndim);
    for (int k = 0; k < t->ndim; k++)
      TJ__CHECK(
          k == d || t->sizes[k] == first->sizes[k], TJ_ERROR_RUNTIME,
          "Sizes of tensors must match except in dimension %d. Expected size %lld but got size %lld for tensor number %lld in the list.", d,
          (long long)first->sizes[k], (long long)t->sizes[k], (long long)i);
  }
  return tj_cat_list(tensors, d, (tj_ints){length, tensors.n});
}

/* Contiguous with the channels as the fastest dimension (4 or 5 dimensions), and not row-major as well. */
static bool is_channels_last(const tj_tensor *t) {
  if (t->ndim != 4 && t->ndim != 5) return false;
  int64_t stride = 1;
  bool row_major = tj__is_contiguous(t);
  for (int i = 0; i < t->ndim; i++) {
    const int d = i == 0 ? 1 : i == t->ndim - 1 ? 0 : t->ndim - i;
    if (t->sizes[d] != 1 && t->strides[d] != stride) return false;
    stride *= t->sizes[d];
  }
  return !row_major;
}

enum { SHORT_PIECE = 32 }; /* bytes */
/* What each tensor gives a line of the result: `elements` of them, in the order of memory in both. */
typedef struct piece {
  const char *from;
  int64_t start, elements; /* `start` in the line */
} piece;
typedef struct pieces {
  const piece *pieces; /* ordered; none is empty */
  int64_t n, line, size;
  char *to;
  tj__loop copy;
} pieces;

static void join_body(int64_t begin, int64_t end, void *context) {
  const pieces *j = context;
  const int64_t strides[2] = {j->size, j->size};
  int64_t row = begin / j->line, at = begin - row * j->line, low = 0;
  for (int64_t high = j->n; high - low > 1;) { /* the piece that `at` lies in */
    const int64_t middle = (low + high) / 2;
    if (j->pieces[middle].start <= at) low = middle;
    else high = middle;
  }
  for (const piece *p = j->pieces + low; begin < end;) {
    const int64_t skipped = at - p->start, n = TJ__MIN(p->elements - skipped, end - begin);
    char *data[2] = {j->to + begin * j->size, (char *)(uintptr_t)p->from + (row * p->elements + skipped) * j->size};
    j->copy(data, strides, n, NULL);
    begin += n, at += n;
    if (++p == j->pieces + j->n) p = j->pieces, at = 0, row++;
  }
}

/* Where all lie in memory as the result does: one loop over it, whatever the number of tensors. 1: done; 0: they do not; negative: out of memory. */
static int join_lines(tj_tensor *out, tj_tensors tensors, int64_t dim, tj_ints lengths) {
  if (out->numel == 0) return 1;
  if (out->storage->device != TJ_CPU) return 0;
  int64_t inner = 1, n = 0;
  for (int d = (int)dim + 1; d < out->ndim; d++) inner *= out->sizes[d];
  for (int64_t i = 0; i < tensors.n; i++) {
    const tj_tensor *t = tensors.data[i];
    if (lengths.data[i] <= 0) continue;
    if (t->dtype != out->dtype || t->storage->device != TJ_CPU || !tj__is_contiguous(t)) return 0;
    n++;
  }
  pieces j = {.n = n, .line = out->sizes[dim] * inner, .size = (int64_t)tj__itemsize(out)};
  if (out->numel > j.line && j.line * j.size < n * SHORT_PIECE) return 0; /* many short copies: better by strides */
  const size_t bytes = (size_t)n * sizeof(piece);
  piece *list = tj__alloc(bytes);
  if (!list) return -1;
  int64_t start = 0;
  n = 0;
  for (int64_t i = 0; i < tensors.n; i++) {
    if (lengths.data[i] <= 0) continue;
    list[n++] = (piece){tj__read(tensors.data[i]), start, lengths.data[i] * inner};
    start += lengths.data[i] * inner;
  }
  j.pieces = list, j.to = tj__write(out), j.copy = tj__backend_of(TJ_CPU)->copy->convert[out->dtype][out->dtype];
  tj__parallel_for(out->numel, 2 * TJ__GRAIN, join_body, &j);
  tj__free(list, bytes);
  return 1;
}

tj_tensor *tj__impl_cat_list(tj_tensors tensors, int64_t dim, tj_ints lengths) {
  tj__promotion promotion = TJ__PROMOTION_START;
  const tj_tensor *first = NULL;
  int64_t total = 0, sizes[TJ_MAX_DIMS], strides[TJ_MAX_DIMS];
  bool channels_last = true;
  for (int64_t i = 0; i < tensors.n; i++) {
    const tj_tensor *t = tensors.data[i];
    if (!tj__promotion_add(&promotion, t)) return NULL;
    if (lengths.data[i] < 0) continue;
    if (!first) first = t;
    channels_last &= is_channels_last(t);
    TJ__CHECK(!__builtin_add_overflow(total, lengths.data[i], &total), TJ_ERROR_RUNTIME, "the sizes along dimension %lld overflow",
              (long long)dim);
  }
  const tj_dtype dtype = tj__promotion_result(&promotion);
  const tj_device device = tensors.data[0]->storage->device;
  if (!first) return tj__empty(TJ_INTS(0), dtype, device);
  const int n = first->ndim;
  memcpy(sizes, first->sizes, (size_t)n * sizeof *sizes);
  sizes[dim] = total;
  tj_tensor *out;
  if (channels_last) {
    int64_t stride = 1;
    for (int i = 0; i < n; i++) {
      const int d = i == 0 ? 1 : i == n - 1 ? 0 : n - i;
      strides[d] = stride;
      stride *= sizes[d];
    }
    out = tj__empty_strided((tj_ints){sizes, n}, (tj_ints){strides, n}, dtype, device);
  } else {
    out = tj__empty((tj_ints){sizes, n}, dtype, device);
    const int joined = out ? join_lines(out, tensors, dim, lengths) : -1;
    if (joined) return joined > 0 ? out : NULL;
  }
  int64_t start = 0;
  for (int64_t i = 0; out && i < tensors.n; i++) {
    if (lengths.data[i] <= 0) continue;
    tj__scope scope;
    tj__scope_push(&scope);
    sizes[dim] = lengths.data[i];
    tj_tensor *part = tj__alias(out, (tj_ints){sizes, n}, tj__strides(out), out->offset + start * out->strides[dim]);
    bool ok = part && tj__copy_into(part, tensors.data[i]);
    tj__scope_pop(&scope);
    if (!ok) return NULL;
    start += lengths.data[i];
  }
  return out;
}

tj_list *tj__impl_cat_backward(tj_tensor *grad, int64_t dim, tj_ints lengths) {
  tj_list *list = tj__list_new(lengths.n);
  int64_t start = 0;
  for (int64_t i = 0; list && i < lengths.n; i++) {
    const int64_t length = lengths.data[i];
    tj_tensor *part = length < 0 ? tj__zero_grad(TJ_INTS(0), grad) : tj_slice(grad, dim, start, start + length, 1);
    if (!part) return NULL;
    tj__list_set(list, i, part);
    start += TJ__MAX(length, 0);
  }
  return list;
}

/* ---- stacks ---------------------------------------------------------------------------------------------------- */

tj_tensor *tj__impl_stack(tj_tensors tensors, int64_t dim) {
  TJ__CHECK(tensors.n > 0, TJ_ERROR_RUNTIME, "stack expects a non-empty TensorList");
  const tj_tensor *first = tensors.data[0];
  int d = tj__wrap_dim(dim, first->ndim + 1);
  if (d < 0) return NULL;
  tj_list *list = tj__list_new(tensors.n);
  for (int64_t i = 0; list && i < tensors.n; i++) {
    TJ__CHECK(tj__same_sizes(first, tensors.data[i]), TJ_ERROR_RUNTIME,
              "stack expects each tensor to be equal size, but got %s at entry 0 and %s at entry %lld", tj__sizes_text(first),
              tj__sizes_text(tensors.data[i]), (long long)i);
    tj_tensor *t = tj__impl_unsqueeze(tensors.data[i], d);
    if (!t) return NULL;
    tj__list_set(list, i, t);
  }
  return list ? tj__impl_cat((tj_tensors){list->items, list->n}, d) : NULL;
}

/* cat of the tensors, each changed first. */
static tj_tensor *joined(tj_tensors tensors, const char *name, tj_tensor *(*change)(tj_tensor *), int64_t dim) {
  TJ__CHECK(tensors.n > 0, TJ_ERROR_RUNTIME, "%s expects a non-empty TensorList", name);
  tj_list *list = tj__list_new(tensors.n);
  for (int64_t i = 0; list && i < tensors.n; i++) {
    tj_tensor *t = change(tensors.data[i]);
    if (!t) return NULL;
    tj__list_set(list, i, t);
  }
  if (!list) return NULL;
  if (dim < 0) dim = list->items[0]->ndim == 1 ? 0 : 1; /* hstack */
  return tj_cat((tj_tensors){list->items, list->n}, dim);
}

static tj_tensor *as_column(tj_tensor *t) { return t->ndim <= 1 ? tj_reshape(t, TJ_INTS(t->numel, 1)) : t; }

tj_tensor *tj__impl_hstack(tj_tensors tensors) { return joined(tensors, "hstack", tj_atleast_1d, -1); }
tj_tensor *tj__impl_vstack(tj_tensors tensors) { return joined(tensors, "vstack", tj_atleast_2d, 0); }
tj_tensor *tj__impl_dstack(tj_tensors tensors) { return joined(tensors, "dstack", tj_atleast_3d, 2); }
tj_tensor *tj__impl_column_stack(tj_tensors tensors) { return joined(tensors, "column_stack", as_column, 1); }

/* ---- repeat ---------------------------------------------------------------------------------------------------- */

tj_tensor *tj__impl_repeat(tj_tensor *self, tj_ints repeats) {
  TJ__CHECK(repeats.n >= self->ndim, TJ_ERROR_RUNTIME,
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor");
  TJ__CHECK(repeats.n <= TJ_MAX_DIMS, TJ_ERROR_RUNTIME, "only tensors with up to %d dims are supported, but got %lld repeats", TJ_MAX_DIMS,
            (long long)repeats.n);
  const int64_t n = repeats.n, leading = n - self->ndim;
  int64_t sizes[TJ_MAX_DIMS], strides[2 * TJ_MAX_DIMS], wide[2 * TJ_MAX_DIMS], from[2 * TJ_MAX_DIMS];
  bool overflow = false;
  for (int64_t i = 0; i < n; i++)
    overflow |= __builtin_mul_overflow(repeats.data[i], i < leading ? 1 : self->sizes[i - leading], &sizes[i]);
  TJ__CHECK(!overflow, TJ_ERROR_RUNTIME, "Storage size calculation overflowed with repeats=%s", tj__ints_text(repeats.data, n));
  tj_tensor *out = tj__empty((tj_ints){sizes, n}, (tj_dtype)self->dtype, self->storage->device);
  if (!out || out->numel == 0) return out;
  /* Each repeated dimension becomes two, (repeat, element); the source has stride 0 along the first. */
  int64_t k = 0;
  for (int64_t i = 0; i < n; i++) {
    const int64_t size = i < leading ? 1 : self->sizes[i - leading], stride = i < leading ? 0 : self->strides[i - leading];
    if (repeats.data[i] != 1) {
      wide[k] = repeats.data[i];
      strides[k] = out->strides[i] * size;
      from[k++] = 0;
    }
    if (size != 1) {
      wide[k] = size;
      strides[k] = out->strides[i];
      from[k++] = stride;
    }
  }
  TJ__CHECK(k <= TJ_MAX_DIMS, TJ_ERROR_RUNTIME, "repeat() of so many dimensions is not supported");
  tj_tensor *to = tj__alias(out, (tj_ints){wide, k}, (tj_ints){strides, k}, out->offset);
  tj_tensor *source = tj__alias(self, (tj_ints){wide, k}, (tj_ints){from, k}, self->offset);
  return to && source && tj__copy_into(to, source) ? out : NULL;
}

tj_tensor *tj__impl_repeat_backward(tj_tensor *grad, tj_ints repeats, tj_ints input_sizes) {
  if (grad->numel == 0) return tj__zero_grad(input_sizes, grad);
  const int64_t leading = repeats.n - input_sizes.n;
  int64_t wide[2 * TJ_MAX_DIMS], dims[TJ_MAX_DIMS], k = 0, n = 0;
  for (int64_t i = 0; i < repeats.n; i++) {
    if (repeats.data[i] != 1 || i < leading) {
      dims[n++] = k;
      wide[k++] = repeats.data[i];
    }
    if (i >= leading) wide[k++] = input_sizes.data[i - leading];
  }
  if (n == 0) return grad;
  return tj_sum_dim(tj_reshape(grad, (tj_ints){wide, k}), (tj_ints){dims, n}, false, TJ_DTYPE_NONE);
}

tj_tensor *tj__impl_tile(tj_tensor *self, tj_ints dims) {
  if (dims.n >= self->ndim) return tj_repeat(self, dims);
  int64_t repeats[TJ_MAX_DIMS];
  for (int i = 0; i < self->ndim; i++) repeats[i] = i < self->ndim - dims.n ? 1 : dims.data[i - (self->ndim - dims.n)];
  return tj_repeat(self, (tj_ints){repeats, self->ndim});
}

/* ---- order ----------------------------------------------------------------------------------------------------- */

tj_tensor *tj__impl_flip(tj_tensor *self, tj_ints dims) {
  bool flipped[TJ_MAX_DIMS];
  if (!tj__dim_mask(dims, self->ndim, flipped)) return NULL;
  tj_tensor *out = tj__empty_like(self, (tj_dtype)self->dtype);
  if (!out || self->numel == 0) return out;
  int64_t strides[TJ_MAX_DIMS], offset = self->offset;
  for (int i = 0; i < self->ndim; i++) {
    strides[i] = flipped[i] ? -self->strides[i] : self->strides[i];
    if (flipped[i]) offset += (self->sizes[i] - 1) * self->strides[i];
  }
  tj_tensor *reversed = tj__alias(self, tj__sizes(self), (tj_ints){strides, self->ndim}, offset);
  return reversed && tj__copy_into(out, reversed) ? out : NULL;
}

tj_tensor *tj__impl_fliplr(tj_tensor *self) {
  TJ__CHECK(self->ndim >= 2, TJ_ERROR_RUNTIME, "Input must be >= 2-d.");
  return tj_flip(self, TJ_INTS(1));
}

tj_tensor *tj__impl_flipud(tj_tensor *self) {
  TJ__CHECK(self->ndim >= 1, TJ_ERROR_RUNTIME, "Input must be >= 1-d.");
  return tj_flip(self, TJ_INTS(0));
}

/* Entries start to end of `from` along d to place `at` of `to`. */
static bool move(tj_tensor *to, int64_t at, tj_tensor *from, int64_t start, int64_t end, int d) {
  if (start == end) return true;
  tj_tensor *place = tj__impl_slice(to, d, at, at + end - start, 1), *part = tj__impl_slice(from, d, start, end, 1);
  return place && part && tj__copy_into(place, part);
}

/* Rows, each of which is rolled: by index, so that a row is written at once. */
static tj_tensor *rolled_rows(tj_tensor *self, int64_t shift, int64_t size) {
  tj__table table;
  if (!tj__table_init(&table, size, size, size, false)) return NULL;
  for (int64_t i = 0; i < size; i++) {
    table.index[i] = i < shift ? i + size - shift : i - shift;
    table.first[i + 1] = i + 1;
  }
  table.n_taps = size;
  tj_tensor *out = tj__table_apply(self, self->ndim - 1, &table);
  tj__table_drop(&table);
  return out;
}

static tj_tensor *roll(tj_tensor *self, int64_t shift, int d) {
  const int64_t size = self->sizes[d];
  if (self->numel > size && d == self->ndim - 1 && size > 1 && tj__can_look(self) && tj__is_contiguous(self))
    return rolled_rows(self, (shift % size + size) % size, size);
  tj_tensor *out = tj__empty_like(self, (tj_dtype)self->dtype);
  if (!out || self->numel == 0) return out;
  shift = (shift % size + size) % size;
  return move(out, shift, self, 0, size - shift, d) && move(out, 0, self, size - shift, size, d) ? out : NULL;
}

tj_tensor *tj__impl_roll(tj_tensor *self, tj_ints shifts, tj_ints dims) {
  TJ__CHECK(shifts.n > 0, TJ_ERROR_RUNTIME, "`shifts` required");
  if (dims.n <= 0 && shifts.n == 1) {
    tj_tensor *row_major = tj__contiguous(self), *flat = row_major ? tj__impl_view(row_major, TJ_INTS(self->numel)) : NULL;
    tj_tensor *rolled = flat ? roll(flat, shifts.data[0], 0) : NULL;
    return rolled ? tj__impl_view(rolled, tj__sizes(self)) : NULL;
  }
  TJ__CHECK(shifts.n == dims.n, TJ_ERROR_RUNTIME, "shifts and dimensions must align. shifts: %lld, dims:%lld", (long long)shifts.n,
            (long long)TJ__MAX(dims.n, 0));
  for (int64_t i = 0; self && i < dims.n; i++) {
    TJ__CHECK(self->ndim > 0, TJ_ERROR_INDEX, "Dimension specified as %lld but tensor has no dimensions", (long long)dims.data[i]);
    int d = tj__wrap_dim(dims.data[i], self->ndim);
    self = d < 0 ? NULL : roll(self, shifts.data[i], d);
  }
  return self;
}

tj_tensor *tj__impl_roll_backward(tj_tensor *grad, tj_ints shifts, tj_ints dims) {
  tj_tensor *negated = tj__empty(TJ_INTS(shifts.n), TJ_INT64, TJ_CPU);
  if (!negated) return NULL;
  int64_t *values = tj__write(negated);
  for (int64_t i = 0; i < shifts.n; i++) values[i] = -shifts.data[i];
  return tj_roll(grad, (tj_ints){values, shifts.n}, dims);
}

static tj_tensor *turned(tj_tensor *t, int64_t a, int64_t b) { return t ? tj__impl_transpose(t, a, b) : NULL; }

tj_tensor *tj__impl_rot90(tj_tensor *self, int64_t k, tj_ints dims) {
  TJ__CHECK(dims.n == 2, TJ_ERROR_RUNTIME, "expected total rotation dims == 2, but got dims = %lld", (long long)dims.n);
  TJ__CHECK(self->ndim >= 2, TJ_ERROR_RUNTIME, "expected total dims >= 2, but got total dims = %d", self->ndim);
  const int64_t n = self->ndim, a = dims.data[0], b = dims.data[1];
  TJ__CHECK(a != b && (a > b ? a - b : b - a) != n, TJ_ERROR_RUNTIME,
            "expected rotation dims to be different, but got dim0 = %lld and dim1 = %lld", (long long)a, (long long)b);
  TJ__CHECK(a < n && a >= -n, TJ_ERROR_RUNTIME, "Rotation dim0 out of range, dim0 = %lld", (long long)a);
  TJ__CHECK(b < n && b >= -n, TJ_ERROR_RUNTIME, "Rotation dim1 out of range, dim1 = %lld", (long long)b);
  switch ((k % 4 + 4) % 4) {
    case 1: return turned(tj__impl_flip(self, TJ_INTS(b)), a, b);
    case 2: return tj__impl_flip(self, dims);
    case 3: return turned(tj__impl_flip(self, TJ_INTS(a)), a, b);
    default: return tj__clone_as(self, (tj_dtype)self->dtype, "contiguous_format");
  }
}

/* ---- grids and combinations ------------------------------------------------------------------------------------ */

tj_tensor *tj__impl_block_diag(tj_tensors tensors) {
  tj__promotion promotion = TJ__PROMOTION_START;
  int64_t rows = 0, columns = 0;
  for (int64_t i = 0; i < tensors.n; i++) {
    const tj_tensor *t = tensors.data[i];
    TJ__CHECK(t->ndim <= 2, TJ_ERROR_RUNTIME,
              "torch.block_diag: Input tensors must have 2 or fewer dimensions. Input %lld has %d dimensions", (long long)i, t->ndim);
    TJ__CHECK(t->storage->device == tensors.data[0]->storage->device, TJ_ERROR_RUNTIME,
              "torch.block_diag: input tensors must all be on the same device. Input 0 is on device %s and input %lld is on device %s",
              tj__device_name(tensors.data[0]->storage->device), (long long)i, tj__device_name(t->storage->device));
    if (!tj__promotion_add(&promotion, t)) return NULL;
    rows += t->ndim == 2 ? t->sizes[0] : 1;
    columns += t->ndim == 0 ? 1 : t->sizes[t->ndim - 1];
  }
  if (tensors.n <= 0) return tj__empty(TJ_INTS(1, 0), tj_get_default_dtype(), TJ_CPU);
  tj_tensor *out = tj__empty(TJ_INTS(rows, columns), tj__promotion_result(&promotion), tensors.data[0]->storage->device);
  if (!out || !tj__fill(out, tj_int(0))) return NULL;
  int64_t row = 0, column = 0;
  for (int64_t i = 0; i < tensors.n; i++) {
    tj_tensor *t = tj_atleast_2d(tensors.data[i]);
    if (!t) return NULL;
    tj_tensor *place = tj_narrow(tj_narrow(out, 0, row, t->sizes[0]), 1, column, t->sizes[1]);
    if (!place || !tj_copy_(place, t, false)) return NULL;
    row += t->sizes[0];
    column += t->sizes[1];
  }
  return out;
}

tj_list *tj__impl_meshgrid(tj_tensors tensors, const char *indexing) {
  TJ__CHECK(tensors.n > 0, TJ_ERROR_RUNTIME, "meshgrid expects a non-empty TensorList");
  if (!tj__check_ndim(tensors.n)) return NULL;
  const bool xy = indexing && strcmp(indexing, "xy") == 0;
  TJ__CHECK(!indexing || xy || strcmp(indexing, "ij") == 0, TJ_ERROR_RUNTIME,
            "torch.meshgrid: indexing must be one of \"xy\" or \"ij\", but received: %s", indexing);
  const int n = (int)tensors.n;
  int64_t sizes[TJ_MAX_DIMS];
  for (int i = 0; i < n; i++) {
    const tj_tensor *t = tensors.data[i];
    if (t->ndim > 1) {
      char text[2048];
      tj__plain_text(t, text, sizeof text);
      return tj__fail(TJ_ERROR_RUNTIME, "torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: %s", text);
    }
    TJ__CHECK(t->dtype == tensors.data[0]->dtype, TJ_ERROR_RUNTIME, "torch.meshgrid expects all tensors to have the same dtype");
    sizes[i] = t->numel;
  }
  tj_list *list = tj__list_new(n);
  const bool swapped = xy && n >= 2; /* the grid of 'ij' with the first two places exchanged, in and out */
  if (swapped) {
    int64_t first = sizes[0];
    sizes[0] = sizes[1];
    sizes[1] = first;
  }
  for (int i = 0; list && i < n; i++) {
    int64_t shape[TJ_MAX_DIMS];
    const int at = swapped && i < 2 ? 1 - i : i;
    for (int d = 0; d < n; d++) shape[d] = d == at ? -1 : 1;
    if (tensors.data[i]->numel == 0) shape[at] = 0;
    tj_tensor *grid = tj_expand(tj_view(tensors.data[i], (tj_ints){shape, n}), (tj_ints){sizes, n}, false);
    if (!grid) return NULL;
    tj__list_set(list, i, grid);
  }
  return list;
}

tj_tensor *tj__impl_cartesian_prod(tj_tensors tensors) {
  for (int64_t i = 0; i < tensors.n; i++)
    TJ__CHECK(tensors.data[i]->ndim == 1, TJ_ERROR_RUNTIME, "Expect a 1D vector, but got shape %s", tj__sizes_text(tensors.data[i]));
  if (tensors.n == 1) return tensors.data[0];
  tj_list *grids = tj_meshgrid(tensors, NULL);
  tj_list *columns = grids ? tj__list_new(grids->n) : NULL;
  for (int64_t i = 0; columns && i < grids->n; i++) {
    tj_tensor *column = tj_flatten(grids->items[i], 0, -1);
    if (!column) return NULL;
    tj__list_set(columns, i, column);
  }
  return columns ? tj_stack((tj_tensors){columns->items, columns->n}, 1) : NULL;
}

tj_tensor *tj__impl_combinations(tj_tensor *self, int64_t r, bool with_replacement) {
  TJ__CHECK(self->ndim == 1, TJ_ERROR_RUNTIME, "Expect a 1D vector, but got shape %s", tj__sizes_text(self));
  TJ__CHECK(r >= 0, TJ_ERROR_RUNTIME, "Expect a non-negative number, but got %lld", (long long)r);
  const int64_t n = self->numel;
  if (r == 0) return tj__empty(TJ_INTS(0), (tj_dtype)self->dtype, self->storage->device);
  /* The number of rows: n (or n + r - 1) over r, multiplied up from the smaller side so that every step is exact, and soon done or too large. */
  int64_t top = n, rows = 1, numel;
  TJ__CHECK(!with_replacement || !__builtin_add_overflow(n, r - 1, &top), TJ_ERROR_RUNTIME, "combinations(): there are too many");
  if (n == 0 || top < r) rows = 0;
  const int64_t steps = TJ__MIN(r, top - r);
  for (int64_t i = 1; i <= steps && rows; i++)
    TJ__CHECK(!__builtin_mul_overflow(rows, top - steps + i, &rows) && (rows /= i, true), TJ_ERROR_RUNTIME,
              "combinations(): there are too many");
  TJ__CHECK(!__builtin_mul_overflow(rows, r, &numel), TJ_ERROR_RUNTIME, "combinations(): there are too many");
  tj_tensor *index = tj__empty(TJ_INTS(numel), TJ_INT64, TJ_CPU);
  if (!index) return NULL;
  int64_t *at = tj__write(index);
  for (int64_t k = 0; rows && k < r; k++) at[k] = with_replacement ? 0 : k;
  for (int64_t row = 1; row < rows; row++) {
    const int64_t *before = at + (row - 1) * r;
    int64_t *now = at + row * r, k = r - 1;
    while (before[k] == (with_replacement ? n - 1 : n - r + k)) k--;
    for (int64_t j = 0; j < r; j++) now[j] = j < k ? before[j] : before[k] + 1 + (with_replacement ? 0 : j - k);
  }
  if (!(index = tj__on_device(index, self->storage->device))) return NULL;
  return tj_view(tj_index_select(self, 0, index), TJ_INTS(rows, r));
}

/* ---- repeat_interleave ------------------------------------------------------------------------------------------ */

tj_tensor *tj__impl_repeat_interleave(tj_tensor *repeats, int64_t output_size) {
  TJ__CHECK(repeats->ndim == 1, TJ_ERROR_RUNTIME, "repeat_interleave only accept 1D vector as repeat");
  TJ__CHECK(repeats->dtype == TJ_INT64 || repeats->dtype == TJ_INT32, TJ_ERROR_NOT_IMPLEMENTED,
            "\"repeat_interleave_cpu\" not implemented for '%s'", tj__dtype_legacy((tj_dtype)repeats->dtype));
  tj_tensor *ends = repeats->numel ? tj_cumsum(repeats, 0, TJ_INT64) : NULL;
  int64_t total = 0;
  if (repeats->numel && !tj__can_look(repeats) && output_size != TJ_NO_INT) {
    total = output_size; /* it has to be right: the next read tells */
    if (!tj__refuse(tj_lt(repeats, tj__integer(0)), "repeats can not be negative") ||
        !tj__refuse(tj_ne(tj_select(ends, 0, -1), tj__integer(total)), "allocated size does not match required size"))
      return NULL;
  } else if (repeats->numel) {
    tj_scalar least = tj_item(tj_min(repeats)), last = tj_item(tj_select(ends, 0, -1));
    if (least.kind == TJ_SCALAR_NONE || last.kind == TJ_SCALAR_NONE) return NULL;
    TJ__CHECK(least.i >= 0, TJ_ERROR_RUNTIME, "repeats can not be negative");
    total = last.i;
  }
  TJ__CHECK(output_size == TJ_NO_INT || output_size == total, TJ_ERROR_RUNTIME, "allocated size does not match required size");
  if (total == 0) return tj__empty(TJ_INTS(0), (tj_dtype)repeats->dtype, repeats->storage->device);
  tj_tensor *places = tj_arange(tj_int(total), TJ_INT64, repeats->storage->device, false);
  tj_tensor *out = tj_searchsorted(ends, places, false, true, NULL, NULL);
  return out ? tj__to_dtype(out, (tj_dtype)repeats->dtype) : NULL;
}

tj_tensor *tj__impl_repeat_interleave_self_Tensor(tj_tensor *self, tj_tensor *repeats, int64_t dim, int64_t output_size) {
  tj_tensor *input = dim == TJ_NO_INT ? tj_flatten(self, 0, -1) : self;
  int d = input ? tj__wrap_dim(dim == TJ_NO_INT ? 0 : dim, input->ndim) : -1;
  if (d < 0) return NULL;
  const int64_t n = input->ndim ? input->sizes[d] : 1;
  TJ__CHECK(repeats->ndim <= 1, TJ_ERROR_RUNTIME, "repeats must be 0-dim or 1-dim tensor");
  TJ__CHECK(repeats->numel == 1 || repeats->numel == n, TJ_ERROR_RUNTIME,
            "repeats must have the same size as input along dim, but got repeats.size(0) = %lld and input.size(%d) = %lld",
            (long long)repeats->numel, d, (long long)n);
  if (repeats->numel != n || repeats->ndim == 0) repeats = tj_expand(tj_reshape(repeats, TJ_INTS(1)), TJ_INTS(n), false);
  return tj_index_select(input, d, tj_repeat_interleave(repeats, output_size));
}

tj_tensor *tj__impl_repeat_interleave_self_int(tj_tensor *self, int64_t repeats, int64_t dim, int64_t output_size) {
  tj_tensor *input = dim == TJ_NO_INT ? tj_flatten(self, 0, -1) : self;
  int d = input ? tj__wrap_dim(dim == TJ_NO_INT ? 0 : dim, input->ndim) : -1;
  if (d < 0) return NULL;
  TJ__CHECK(repeats >= 0, TJ_ERROR_RUNTIME, "Repeats must be non-negative");
  const int64_t n = input->ndim ? input->sizes[d] : 1;
  int64_t total;
  TJ__CHECK(!__builtin_mul_overflow(n, repeats, &total), TJ_ERROR_RUNTIME, "repeat_interleave: %lld repetitions are too many",
            (long long)repeats);
  TJ__CHECK(output_size == TJ_NO_INT || output_size == total, TJ_ERROR_RUNTIME,
            "repeat_interleave: Invalid output_size, expected %lld but got %lld", (long long)total, (long long)output_size);
  TJ__CHECK(input->ndim < TJ_MAX_DIMS, TJ_ERROR_RUNTIME, "repeat_interleave: too many dimensions");
  if (input->ndim == 0 && !(input = tj_unsqueeze(input, 0))) return NULL;
  int64_t sizes[TJ_MAX_DIMS];
  for (int k = 0; k <= input->ndim; k++) sizes[k] = k <= d ? input->sizes[k] : k == d + 1 ? repeats : input->sizes[k - 1];
  tj_tensor *wide = tj_expand(tj_unsqueeze(input, d + 1), (tj_ints){sizes, input->ndim + 1}, false);
  return tj_flatten(tj_clone(wide, "contiguous_format"), d, d + 1);
}
