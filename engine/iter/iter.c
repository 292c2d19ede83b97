/* iter.c: setting an iterator up. The order of the steps and the rules for the order of dimensions are PyTorch's (TensorIterator), because
 * the strides of results follow from them. */
#include "iter.h"

#include <limits.h>

#include "convert.h"

tj__param tj__param_of(tj_scalar s) {
  tj__param p = {0, 0, 0};
  switch (s.kind) {
    case TJ_SCALAR_BOOL:
    case TJ_SCALAR_INT: p.f = (double)s.i, p.i = s.i; break;
    case TJ_SCALAR_FLOAT: p.f = s.f; break;
    case TJ_SCALAR_COMPLEX: p.f = s.c.re, p.im = s.c.im; break;
    case TJ_SCALAR_NONE: return p;
  }
  if (s.kind == TJ_SCALAR_FLOAT || s.kind == TJ_SCALAR_COMPLEX) {
    /* the integer form of a number that has none (infinite, NaN, too large) is never read by a loop that makes sense of it */
    p.i = p.f > -0x1p63 && p.f < 0x1p63 ? (int64_t)p.f : 0;
  }
  return p;
}

/* ---- memory overlap ------------------------------------------------------------------------------------------ */

/* true when some elements of both, but not all in the same order, lie in the same memory. Only dense tensors can be told cheaply. */
static bool overlaps_partly(const tj_tensor *a, const tj_tensor *b) {
  if (a == b || a->storage != b->storage || a->numel == 0 || b->numel == 0) return false;
  if (!tj__is_dense(a) || !tj__is_dense(b)) return false;
  int64_t a_begin = a->offset * (int64_t)tj__itemsize(a), a_end = a_begin + a->numel * (int64_t)tj__itemsize(a);
  int64_t b_begin = b->offset * (int64_t)tj__itemsize(b), b_end = b_begin + b->numel * (int64_t)tj__itemsize(b);
  if (a_begin == b_begin && a_end == b_end)
    return a->ndim != b->ndim || (a->ndim > 0 && memcmp(a->strides, b->strides, (size_t)a->ndim * sizeof(int64_t)) != 0);
  return a_begin < b_end && b_begin < a_end;
}

static tj_status check_overlaps(const tj__iter_spec *spec) {
  for (int k = 0; k < spec->n_outputs; k++) {
    const tj_tensor *out = spec->outputs[k];
    if (!out) continue;
    TJ__CHECK_STATUS(!tj__has_internal_overlap(out), TJ_ERROR_RUNTIME,
                     "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
                     "Please clone() the tensor before performing the operation.");
    for (int i = 0; i < spec->n_inputs; i++)
      TJ__CHECK_STATUS(!overlaps_partly(out, spec->inputs[i]), TJ_ERROR_RUNTIME,
                       "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory "
                       "location. Please clone() the tensor before performing the operation.");
  }
  return TJ_OK;
}

/* ---- shape --------------------------------------------------------------------------------------------------- */

typedef struct setup {
  int64_t shape[TJ_MAX_DIMS]; /* in the tensors' order of dimensions */
  int ndim;
  bool same_shape; /* every operand has exactly this shape */
  bool will_resize[3];
} setup;

static bool sizes_are(const tj_tensor *t, const int64_t *sizes, int ndim) {
  if (t->ndim != ndim) return false;
  for (int d = 0; d < ndim; d++) /* too few for the call of memcmp */
    if (t->sizes[d] != sizes[d]) return false;
  return true;
}

static tj_status widen(setup *s, const tj_tensor *t, bool *first) {
  if (*first) {
    s->ndim = t->ndim;
    for (int d = 0; d < t->ndim; d++) s->shape[d] = t->sizes[d];
    *first = false;
    return TJ_OK;
  }
  if (sizes_are(t, s->shape, s->ndim)) return TJ_OK;
  s->same_shape = false;
  if (t->ndim == 0) return TJ_OK;
  int64_t wide[TJ_MAX_DIMS];
  int ndim = tj__broadcast_sizes((tj_ints){s->shape, s->ndim}, tj__sizes(t), wide);
  if (ndim < 0) return tj_error_code();
  s->ndim = ndim;
  memcpy(s->shape, wide, (size_t)ndim * sizeof(int64_t));
  return TJ_OK;
}

static tj_status find_shape(setup *s, const tj__iter_spec *spec) {
  bool first = true;
  s->ndim = 0;
  s->same_shape = true;
  for (int k = 0; k < spec->n_outputs; k++) {
    if (!spec->outputs[k] || spec->resize) continue;
    tj_status status = widen(s, spec->outputs[k], &first);
    if (status) return status;
  }
  for (int k = 0; k < spec->n_inputs; k++) {
    tj_status status = widen(s, spec->inputs[k], &first);
    if (status) return status;
  }
  for (int k = 0; k < spec->n_outputs; k++) {
    tj_tensor *out = spec->outputs[k];
    s->will_resize[k] = false;
    if (!out) continue;
    if (first) { /* nothing but out= outputs: they say the shape */
      tj_status status = widen(s, out, &first);
      if (status) return status;
    }
    if (sizes_are(out, s->shape, s->ndim)) continue;
    bool is_input = false;
    for (int i = 0; i < spec->n_inputs; i++) is_input |= spec->inputs[i] == out;
    TJ__CHECK_STATUS(spec->resize && !is_input, TJ_ERROR_RUNTIME, TJ__TEXT_inplace_error_shape_changes_1, tj__sizes_text(out),
                     tj__ints_text(s->shape, s->ndim));
    s->will_resize[k] = true;
  }
  return TJ_OK;
}

/* ---- dtypes and devices -------------------------------------------------------------------------------------- */

static tj_status find_device(tj__iter *it, const tj__iter_spec *spec) {
  const tj_tensor *all[8];
  int n = 0;
  for (int k = 0; k < spec->n_outputs; k++)
    if (spec->outputs[k]) all[n++] = spec->outputs[k];
  for (int k = 0; k < spec->n_inputs; k++) all[n++] = spec->inputs[k];
  it->device = TJ_CPU;
  for (int k = 0; k < n; k++)
    if (all[k]->storage->device != TJ_CPU) it->device = all[k]->storage->device;
  if (it->device == TJ_CPU) return TJ_OK;
  for (int k = 0; k < n; k++) { /* a number of the CPU may join tensors of any device */
    if (all[k]->storage->device == it->device || (all[k]->ndim == 0 && all[k]->storage->device == TJ_CPU)) continue;
    const tj_device first = all[0]->storage->device;
    tj__fail_devices(first, first != all[k]->storage->device ? all[k]->storage->device : it->device);
    return TJ_ERROR_RUNTIME;
  }
  return TJ_OK;
}

static tj_dtype output_dtype(const tj__iter_spec *spec, int k) { return spec->results[k] ? spec->results[k] : spec->result; }

/* Fills in what each operand is read from or written to; a NULL tensor is an output to be allocated. */
static tj_status find_operands(tj__iter *it, const tj__iter_spec *spec, const setup *s) {
  it->n_outputs = spec->n_outputs;
  it->n_operands = spec->n_outputs + spec->n_inputs;
  it->compute = spec->compute;
  it->result = spec->result;
  for (int k = 0; k < spec->n_outputs; k++) {
    tj__operand *op = &it->operands[k];
    tj_tensor *out = spec->outputs[k];
    tj_dtype want = output_dtype(spec, k);
    op->original = NULL;
    op->tensor = out;
    op->data = NULL;
    if (!out || want == TJ_DTYPE_NONE || out->dtype == want) continue;
    TJ__CHECK_STATUS(spec->no_cast_check || tj_can_cast(want, (tj_dtype)out->dtype), TJ_ERROR_RUNTIME,
                     "result type %s can't be cast to the desired output type %s", tj__dtype_legacy(want),
                     tj__dtype_legacy((tj_dtype)out->dtype));
    op->original = out;
    op->tensor = s->will_resize[k] ? NULL : tj__empty_like(out, want);
    if (!s->will_resize[k] && !op->tensor) return tj_error_code();
  }
  for (int k = 0; k < spec->n_inputs; k++) {
    tj__operand *op = &it->operands[spec->n_outputs + k];
    tj_tensor *t = spec->inputs[k];
    op->original = NULL;
    op->tensor = t;
    op->data = NULL;
    if (spec->compute == TJ_DTYPE_NONE || t->dtype == spec->compute) continue;
    if (t->ndim == 0 && t->storage->device == TJ_CPU) { /* a number: kept in the iterator, without a tensor of its own */
      tj_scalar value = tj__load_scalar(tj__read(t), (tj_dtype)t->dtype);
      op->data = it->numbers[k];
      tj__store_scalar(op->data, spec->compute, value);
      continue;
    }
    op->tensor = tj__to_dtype(t, spec->compute);
    if (!op->tensor) return tj_error_code();
  }
  return TJ_OK;
}

/* Bytes of an element as the loop sees it. */
static int64_t element_size(const tj__iter *it, const tj__iter_spec *spec, int k) {
  if (k < it->n_outputs) {
    tj_dtype want = output_dtype(spec, k);
    return tj__dtype_sizes[want != TJ_DTYPE_NONE ? want : (tj_dtype)it->operands[k].tensor->dtype];
  }
  if (it->operands[k].data == it->numbers[k - it->n_outputs]) return tj__dtype_sizes[it->compute];
  return tj__dtype_sizes[it->operands[k].tensor->dtype];
}

/* ---- outputs ------------------------------------------------------------------------------------------------- */

/* Makes or resizes output k with these strides (in elements; NULL: contiguous). */
static tj_status make_output(tj__iter *it, const tj__iter_spec *spec, const setup *s, int k, const int64_t *strides) {
  tj__operand *op = &it->operands[k];
  tj_ints shape = {s->shape, s->ndim};
  tj_tensor *given = spec->outputs[k];
  if (given && s->will_resize[k]) {
    if (!(strides ? tj__resize_strided(given, shape, (tj_ints){strides, s->ndim}) : tj__resize(given, shape))) return tj_error_code();
    if (!op->original) {
      op->tensor = given;
      return TJ_OK;
    }
  }
  tj_dtype dtype = output_dtype(spec, k);
  op->tensor = strides ? tj__empty_strided(shape, (tj_ints){strides, s->ndim}, dtype, it->device) : tj__empty(shape, dtype, it->device);
  return op->tensor ? TJ_OK : tj_error_code();
}

static bool must_be_made(const tj__iter *it, const setup *s, int k) { return !it->operands[k].tensor || s->will_resize[k]; }

/* ---- the fast way: everything lies in memory alike ------------------------------------------------------------ */

static bool has_contiguous_strides(const tj_tensor *t) {
  int64_t expected = 1;
  for (int d = t->ndim - 1; d >= 0; d--) {
    if (t->strides[d] != expected) return false;
    expected *= t->sizes[d];
  }
  return true;
}

/* channels_last for 4 dimensions, as PyTorch's fast path knows it. */
static bool is_channels_last(const tj_tensor *t) {
  if (t->ndim != 4) return false;
  static const int order[4] = {1, 3, 2, 0};
  int64_t expected = 1;
  for (int i = 0; i < 4; i++) {
    int d = order[i];
    if (t->sizes[d] == 1) continue;
    if (t->strides[d] != expected) return false;
    expected *= t->sizes[d];
  }
  return true;
}

static void set_flat(tj__iter *it, const tj__iter_spec *spec, const setup *s) {
  (void)s;
  it->ndim = it->numel == 1 ? 0 : 1;
  it->shape[0] = it->numel;
  for (int k = 0; k < it->n_operands; k++) {
    tj__operand *op = &it->operands[k];
    if (k < it->n_outputs) op->data = tj__write(op->tensor);
    else if (!op->data) op->data = (char *)(uintptr_t)tj__read(op->tensor);
    bool one = op->tensor->ndim == 0;
    op->strides[0] = one ? 0 : element_size(it, spec, k);
  }
}

/* 1: done; 0: the general way is needed; negative: failed. */
static int set_up_fast(tj__iter *it, const tj__iter_spec *spec, const setup *s) {
  bool contiguous = true, channels_last = true, dense = true, numbers = !s->same_shape;
  const tj_tensor *model = NULL;
  for (int k = 0; k < it->n_operands; k++) {
    const tj_tensor *t = it->operands[k].tensor;
    if (!t || (k < it->n_outputs && s->will_resize[k])) continue;
    if (numbers) {
      /* Numbers beside tensors of one shape: the same answer as the general way, provided that strides are contiguous to the letter */
      if (k >= it->n_outputs && t->ndim == 0) continue;
      if (!sizes_are(t, s->shape, s->ndim) || !has_contiguous_strides(t)) return 0;
      model = t;
      continue;
    }
    if (contiguous && !tj__is_contiguous(t)) contiguous = false;
    if (contiguous) continue;
    if (channels_last && !is_channels_last(t)) channels_last = false;
    if (dense && !tj__is_dense(t)) dense = false;
    if (!channels_last && !dense) return 0;
  }
  if (numbers && !model) return 0;
  int64_t channels_last_strides[4];
  const int64_t *strides = NULL;
  if (!numbers && !contiguous) {
    /* an operand before the first that is not contiguous has not been asked about the other layouts */
    for (int k = 0; k < it->n_operands; k++) {
      const tj_tensor *t = it->operands[k].tensor;
      if (!t || (k < it->n_outputs && s->will_resize[k])) continue;
      if (channels_last && !is_channels_last(t)) channels_last = false;
      if (!tj__is_dense(t)) return 0;
      if (!model) model = t;
      else if (dense && memcmp(model->strides, t->strides, (size_t)s->ndim * sizeof(int64_t)) != 0) dense = false;
    }
    if (channels_last) {
      channels_last_strides[1] = 1;
      channels_last_strides[3] = s->shape[1];
      channels_last_strides[2] = channels_last_strides[3] * s->shape[3];
      channels_last_strides[0] = channels_last_strides[2] * s->shape[2];
      strides = channels_last_strides;
    } else if (dense) {
      strides = model->strides;
    } else {
      return 0;
    }
  }
  for (int k = 0; k < it->n_outputs; k++) {
    if (!must_be_made(it, s, k)) continue;
    tj_status status = make_output(it, spec, s, k, strides);
    if (status) return status;
  }
  set_flat(it, spec, s);
  return 1;
}

/* ---- the general way ----------------------------------------------------------------------------------------- */

/* Strides in bytes by dimension of the tensors' order, 0 where an operand is broadcast. */
static void find_strides(tj__iter *it, const tj__iter_spec *spec, const setup *s) {
  for (int k = 0; k < it->n_operands; k++) {
    tj__operand *op = &it->operands[k];
    if (k < it->n_outputs && must_be_made(it, s, k)) continue;
    const tj_tensor *t = op->tensor;
    int64_t size = element_size(it, spec, k);
    int missing = s->ndim - t->ndim;
    for (int d = 0; d < missing; d++) op->strides[d] = 0;
    for (int d = 0; d < t->ndim; d++) op->strides[missing + d] = t->sizes[d] == 1 && s->shape[missing + d] != 1 ? 0 : t->strides[d] * size;
  }
}

/* Should dimension a go behind b? 1 yes, -1 no, 0 nothing tells. The first operand with an opinion decides. */
static int compare_dims(const tj__iter *it, const setup *s, int a, int b) {
  for (int k = 0; k < it->n_operands; k++) {
    if (k < it->n_outputs && must_be_made(it, s, k)) continue;
    int64_t stride_a = it->operands[k].strides[a], stride_b = it->operands[k].strides[b];
    if (stride_a == 0 || stride_b == 0) continue;
    if (stride_a < stride_b) return -1;
    if (stride_a > stride_b) return 1;
    if (s->shape[a] > s->shape[b]) return 1;
  }
  return 0;
}

static void find_order(const tj__iter *it, const setup *s, int *order) {
  for (int i = 0; i < s->ndim; i++) order[i] = s->ndim - 1 - i;
  for (int i = 1; i < s->ndim; i++) { /* an insertion sort that steps over pairs that nothing tells apart */
    int at = i;
    for (int j = i - 1; j >= 0; j--) {
      int comparison = compare_dims(it, s, order[j], order[at]);
      if (comparison > 0) {
        int swap = order[j];
        order[j] = order[at];
        order[at] = swap;
        at = j;
      } else if (comparison < 0) {
        break;
      }
    }
  }
}

static void collapse(tj__iter *it) {
  int last = 0;
  for (int d = 1; d < it->ndim; d++) {
    bool joins = it->shape[last] == 1 || it->shape[d] == 1;
    if (!joins) {
      joins = true;
      for (int k = 0; k < it->n_operands && joins; k++)
        joins = it->shape[last] * it->operands[k].strides[last] == it->operands[k].strides[d];
    }
    if (joins) {
      if (it->shape[last] == 1)
        for (int k = 0; k < it->n_operands; k++) it->operands[k].strides[last] = it->operands[k].strides[d];
      it->shape[last] *= it->shape[d];
    } else {
      last++;
      if (last == d) continue;
      for (int k = 0; k < it->n_operands; k++) it->operands[k].strides[last] = it->operands[k].strides[d];
      it->shape[last] = it->shape[d];
    }
  }
  it->ndim = it->ndim ? last + 1 : 0;
}

static tj_status set_up_general(tj__iter *it, const tj__iter_spec *spec, const setup *s) {
  int order[TJ_MAX_DIMS];
  find_strides(it, spec, s);
  find_order(it, s, order);
  bool inverted = true;
  for (int i = 0; i < s->ndim; i++) inverted &= order[i] == s->ndim - 1 - i;
  int64_t made[TJ_MAX_DIMS], next = 1; /* strides of an output that is dense in the order found */
  for (int i = 0; i < s->ndim; i++) {
    made[order[i]] = next;
    next *= s->shape[order[i]];
  }
  for (int k = 0; k < it->n_outputs; k++) {
    if (!must_be_made(it, s, k)) continue;
    tj_status status = make_output(it, spec, s, k, inverted ? NULL : made);
    if (status) return status;
    int64_t size = element_size(it, spec, k);
    for (int d = 0; d < s->ndim; d++) it->operands[k].strides[d] = made[d] * size;
  }
  it->ndim = s->ndim;
  for (int i = 0; i < s->ndim; i++) it->shape[i] = s->shape[order[i]];
  for (int k = 0; k < it->n_operands; k++) {
    tj__operand *op = &it->operands[k];
    if (!inverted || s->ndim > 1) {
      int64_t by_dim[TJ_MAX_DIMS];
      memcpy(by_dim, op->strides, (size_t)s->ndim * sizeof(int64_t));
      for (int i = 0; i < s->ndim; i++) op->strides[i] = by_dim[order[i]];
    }
    if (k < it->n_outputs) op->data = tj__write(op->tensor);
    else if (!op->data) op->data = (char *)(uintptr_t)tj__read(op->tensor);
  }
  collapse(it);
  if (it->ndim == 0 || it->numel == 1) {
    it->ndim = 0;
    it->shape[0] = it->numel;
    for (int k = 0; k < it->n_operands; k++) it->operands[k].strides[0] = 0;
  }
  return TJ_OK;
}

tj_status tj__iter_init(tj__iter *it, const tj__iter_spec *spec) {
  for (int k = 0; k < spec->n_inputs; k++)
    TJ__CHECK_STATUS(spec->inputs[k], TJ_ERROR_TYPE, "expected Tensor as argument %d, but got nothing", k);
  setup s;
  tj_status status = check_overlaps(spec);
  if (!status) status = find_shape(&s, spec);
  if (!status) status = find_device(it, spec);
  if (!status) status = find_operands(it, spec, &s);
  if (status) return status;
  it->numel = 1;
  bool empty = false;
  for (int d = 0; d < s.ndim; d++) empty |= s.shape[d] == 0;
  for (int d = 0; d < s.ndim && !empty; d++)
    TJ__CHECK_STATUS(!__builtin_mul_overflow(it->numel, s.shape[d], &it->numel), TJ_ERROR_RUNTIME,
                     "numel: integer multiplication overflow");
  if (empty) it->numel = 0;
  int fast = set_up_fast(it, spec, &s);
  if (fast) return fast < 0 ? (tj_status)fast : TJ_OK;
  return set_up_general(it, spec, &s);
}

tj_tensor *tj__iter_finish(tj__iter *it, int k) {
  tj__operand *op = &it->operands[k];
  if (TJ__UNLIKELY(it->device != TJ_CPU) && tj_error_code()) return NULL;
  if (!op->original) return op->tensor;
  if (!tj__copy_into(op->original, op->tensor)) return NULL;
  return op->original;
}
