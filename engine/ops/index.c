/* index.c: advanced indexing, and the operators that take one vector of indices along a dimension. */
#include "autograd/node.h"
#include "index.h"

#include <stdio.h>

#include "impl.h"
#include "iter/convert.h"

tj_tensor *tj__zeros(tj_ints sizes, const tj_tensor *like) {
  tj_tensor *t = tj__empty(sizes, (tj_dtype)like->dtype, like->storage->device);
  return t && tj__fill(t, tj_int(0)) ? t : NULL;
}

tj_tensor *tj__int64_index(tj_tensor *index) {
  index = tj__to_dtype(index, TJ_INT64);
  return index ? tj__contiguous(index) : NULL;
}

tj_tensor *tj__own_copy(tj_tensor *self) {
  tj_tensor *copy = tj__empty(tj__sizes(self), (tj_dtype)self->dtype, self->storage->device);
  return copy ? tj__copy_into(copy, self) : NULL;
}

/* A mask as the kernels take it, and how many of its elements are true (negative on failure). */
static int64_t count_true(tj_tensor **mask) {
  const tj__backend *backend = tj__backend_for(mask, 1);
  if (!backend || !tj__must_look(*mask) || !(*mask = tj__to_dtype(*mask, TJ_BOOL)) || !(*mask = tj__contiguous(*mask))) return -1;
  return (*mask)->numel ? backend->index->count_true(*mask) : 0;
}

tj_tensor *tj__true_places(tj_tensor *mask) {
  const int64_t n = count_true(&mask);
  tj_tensor *flat = n < 0 ? NULL : tj__empty(TJ_INTS(n), TJ_INT64, mask->storage->device);
  return flat && (n == 0 || tj__backend_of(mask->storage->device)->index->true_places(tj__write(flat), mask)) ? flat : NULL;
}

tj_tensor *tj__select_true(tj_tensor *self, tj_tensor *mask) {
  const int64_t n = count_true(&mask);
  tj_tensor *out = n < 0 || !(self = tj__contiguous(self)) ? NULL : tj__empty(TJ_INTS(n), (tj_dtype)self->dtype, self->storage->device);
  return out && (n == 0 || tj__backend_of(mask->storage->device)->index->select_true(out, self, mask)) ? out : NULL;
}

int tj__index_places(tj_tensor *index, int64_t size, bool wrap, const int64_t **places, int64_t *bad) {
  const tj__backend *backend = tj__backend_of(index->storage->device);
  if (!backend) return -1;
  if (backend->index->within && backend->index->within(tj__read(index), index->numel, size)) return *places = tj__read(index), 1;
  tj_tensor *offsets = tj__empty(TJ_INTS(index->numel), TJ_INT64, index->storage->device);
  if (!offsets || !tj__fill(offsets, tj_int(0))) return -1;
  *places = tj__read(offsets);
  return index->numel == 0 || backend->index->offsets(tj__write(offsets), tj__read(index), index->numel, size, 1, wrap, bad);
}

/* ---- index, index_put ------------------------------------------------------------------------------------------- */

/* What a list of indices means: self with the indexed dimensions next to each other, and the places in them. */
typedef struct selection {
  tj_tensor *self;        /* a view with dimensions [outer..., indexed..., inner...] */
  int order[TJ_MAX_DIMS]; /* its dimensions in the given tensor */
  tj__places places;
  int64_t sizes[TJ_MAX_DIMS]; /* of the result */
  int ndim;
} selection;

/* Does the mask stand for dimensions of self from n on? */
static bool mask_fits(const tj_tensor *self, const tj_tensor *mask, int n) {
  if (n + mask->ndim > self->ndim) return tj__fail(TJ_ERROR_INDEX, "too many indices for tensor of dimension %d", self->ndim) != NULL;
  for (int d = 0; d < mask->ndim; d++)
    if (mask->sizes[d] != self->sizes[n + d])
      return tj__fail(TJ_ERROR_INDEX, "The shape of the mask %s at index %d does not match the shape of the indexed tensor %s at index %d",
                      tj__sizes_text(mask), d, tj__sizes_text(self), n + d) != NULL;
  return true;
}

static bool select_places(tj_tensor *self, tj_tensors indices, selection *s) {
  const tj__backend *backend = tj__backend_for(&self, 1);
  tj_tensor *at[TJ_MAX_DIMS] = {NULL};
  int n = 0;
  if (!backend) return false;
  /* Masks become one vector of coordinates a dimension. */
  for (int64_t i = 0; i < indices.n; i++) {
    tj_tensor *t = indices.data[i];
    if (!t) {
      if (n >= self->ndim) goto too_many;
      n++;
      continue;
    }
    const tj_device device = self->storage->device;
    if (t->storage->device != device && t->storage->device != TJ_CPU)
      return tj__fail(TJ_ERROR_RUNTIME, "indices should be either on cpu or on the same device as the indexed tensor (%s)",
                      tj__device_name(device)) != NULL;
    if (t->dtype == TJ_BOOL || t->dtype == TJ_UINT8) {
      if (!mask_fits(self, t, n)) return false;
      tj_tensor *flat = tj__true_places(t);
      if (!flat) return false;
      if (t->ndim == 0) { /* a mask of no dimension adds one of size 0 or 1 */
        int64_t sizes[TJ_MAX_DIMS], strides[TJ_MAX_DIMS];
        if (self->ndim + 1 > TJ_MAX_DIMS) goto too_many;
        for (int d = 0; d <= self->ndim; d++) {
          sizes[d] = d < n ? self->sizes[d] : d == n ? 1 : self->sizes[d - 1];
          strides[d] = d < n ? self->strides[d] : d == n ? 0 : self->strides[d - 1];
        }
        if (!(self = tj__alias(self, (tj_ints){sizes, self->ndim + 1}, (tj_ints){strides, self->ndim + 1}, self->offset))) return false;
        if (!(at[n++] = tj__on_device(flat, device))) return false;
        continue;
      }
      tj_tensor *rows = tj__empty(TJ_INTS(t->ndim, flat->numel), TJ_INT64, t->storage->device);
      if (!rows) return false;
      if (rows->numel)
        tj__backend_of(t->storage->device)->index->unravel(tj__write(rows), tj__read(flat), flat->numel, t->sizes, t->ndim, true);
      if (!(rows = tj__on_device(rows, device))) return false;
      for (int d = 0; d < t->ndim; d++)
        if (!(at[n++] = tj__alias(rows, TJ_INTS(flat->numel), TJ_INTS(1), rows->offset + d * flat->numel))) return false;
      continue;
    }
    if (t->dtype != TJ_INT64 && t->dtype != TJ_INT32)
      return tj__fail(TJ_ERROR_INDEX, "tensors used as indices must be long, int, byte or bool tensors") != NULL;
    if (n >= self->ndim) goto too_many;
    if (!(at[n++] = tj__to_dtype(tj__on_device(t, device), TJ_INT64))) return false;
  }
  int64_t shape[TJ_MAX_DIMS], n_shape = -1;
  int first = -1, last = -1, count = 0;
  for (int d = 0; d < n; d++) {
    if (!at[d]) continue;
    if (first < 0) first = d;
    last = d;
    count++;
    tj_ints sizes = tj__sizes(at[d]);
    if (n_shape < 0) memcpy(shape, sizes.data, (size_t)sizes.n * sizeof *shape), n_shape = sizes.n;
    else {
      int64_t both[TJ_MAX_DIMS];
      bool fits = true;
      for (int64_t k = 1; k <= TJ__MIN(n_shape, sizes.n); k++) {
        int64_t a = shape[n_shape - k], b = sizes.data[sizes.n - k];
        fits = fits && (a == b || a == 1 || b == 1);
      }
      if (!fits) {
        char text[512] = "";
        for (int e = 0; e < n; e++)
          if (at[e]) {
            size_t used = strlen(text);
            snprintf(text + used, sizeof text - used, "%s%s", used ? ", " : "", tj__sizes_text(at[e]));
          }
        return tj__fail(TJ_ERROR_INDEX, "shape mismatch: indexing tensors could not be broadcast together with shapes %s", text) != NULL;
      }
      n_shape = tj__broadcast_sizes((tj_ints){shape, n_shape}, sizes, both);
      if (n_shape < 0) return false;
      memcpy(shape, both, (size_t)n_shape * sizeof *shape);
    }
  }
  if (count == 0) return tj__fail(TJ_ERROR_INDEX, "at least one index has to be given") != NULL;
  bool together = last - first + 1 == count;
  int outer = together ? first : 0, m = 0;
  for (int d = 0; d < outer; d++) s->order[m++] = d;
  for (int d = 0; d < n; d++)
    if (at[d]) s->order[m++] = d;
  for (int d = outer; d < self->ndim; d++)
    if (d >= n || !at[d]) s->order[m++] = d;
  int64_t sizes[TJ_MAX_DIMS], strides[TJ_MAX_DIMS];
  s->places = (tj__places){1, 1, 1, 1, NULL};
  s->ndim = 0;
  for (int k = 0; k < self->ndim; k++) {
    sizes[k] = self->sizes[s->order[k]];
    strides[k] = self->strides[s->order[k]];
    int64_t *product = k < outer ? &s->places.outer : k < outer + count ? &s->places.size : &s->places.inner;
    *product *= sizes[k];
  }
  if (self->ndim - count + n_shape > TJ_MAX_DIMS)
    return tj__fail(TJ_ERROR_RUNTIME, "the result of indexing has too many dimensions") != NULL;
  for (int k = 0; k < outer; k++) s->sizes[s->ndim++] = sizes[k];
  for (int64_t k = 0; k < n_shape; k++) s->sizes[s->ndim++] = shape[k], s->places.n *= shape[k];
  for (int k = outer + count; k < self->ndim; k++) s->sizes[s->ndim++] = sizes[k];
  if (!(s->self = tj__alias(self, (tj_ints){sizes, self->ndim}, (tj_ints){strides, self->ndim}, self->offset))) return false;
  tj_tensor *offsets = count == 1 ? NULL : tj__empty(TJ_INTS(s->places.n), TJ_INT64, self->storage->device);
  if (count > 1 && (!offsets || !tj__fill(offsets, tj_int(0)))) return false;
  int64_t stride = s->places.size;
  for (int k = outer; k < outer + count; k++) {
    int64_t bad, size = sizes[k];
    stride = size ? stride / size : 0;
    tj_tensor *index = tj_expand(at[s->order[k]], (tj_ints){shape, n_shape}, false);
    if (!index || !(index = tj__contiguous(index))) return false;
    const int fits = count == 1 ? tj__index_places(index, size, true, &s->places.offsets, &bad)
                                : s->places.n == 0 ||
                                      backend->index->offsets(tj__write(offsets), tj__read(index), s->places.n, size, stride, true, &bad);
    if (fits < 0) return false;
    if (!fits)
      return tj__fail(TJ_ERROR_INDEX, "index %lld is out of bounds for dimension %d with size %lld", (long long)bad, s->order[k],
                      (long long)size) != NULL;
  }
  if (offsets) s->places.offsets = tj__read(offsets);
  return true;
too_many:
  return tj__fail(TJ_ERROR_INDEX, "too many indices for tensor of dimension %d", self->ndim) != NULL;
}

static bool is_half(const tj_tensor *t) { return t->dtype == TJ_FLOAT16 || t->dtype == TJ_BFLOAT16; }

static bool any_index(tj_tensors indices) {
  for (int64_t i = 0; i < indices.n; i++)
    if (indices.data[i]) return true;
  return false;
}

tj_tensor *tj__impl_index(tj_tensor *self, tj_tensors indices) {
  const tj__backend *backend = tj__backend_for(&self, 1);
  selection s;
  if (!any_index(indices)) return tj__clone(self);
  if (!backend || !select_places(self, indices, &s)) return NULL;
  tj_tensor *in = tj__contiguous(s.self);
  tj_tensor *out = in ? tj__empty((tj_ints){s.sizes, s.ndim}, (tj_dtype)self->dtype, self->storage->device) : NULL;
  if (out) backend->index->get(out, in, &s.places);
  return out;
}

/* A mask on a device, whose number of places nobody here can tell: values that are the same for each of them do not ask for it. NULL without an
 * error: it is not such a case. */
static tj_tensor *put_by_mask(tj_tensor *self, tj_tensors indices, tj_tensor *values, bool accumulate) {
  tj_tensor *mask = NULL;
  int outer = 0;
  for (int64_t i = 0; i < indices.n; i++) {
    if (indices.data[i] && mask) return NULL;
    if (indices.data[i]) mask = indices.data[i];
    else if (!mask) outer++;
  }
  if (!mask || (mask->dtype != TJ_BOOL && mask->dtype != TJ_UINT8) || tj__can_look(mask) || !mask_fits(self, mask, outer)) return NULL;
  const int inner = self->ndim - outer - mask->ndim, place = values->ndim - 1 - inner;
  int64_t sizes[TJ_MAX_DIMS];
  int n = 0;
  for (int d = 0; d < mask->ndim; d++) sizes[n++] = mask->sizes[d];
  for (int d = 0; d < inner; d++) sizes[n++] = 1;
  mask = tj_ne(tj_reshape(mask, (tj_ints){sizes, n}), tj_scalar_tensor(tj_int(0)));
  if (!mask) return NULL;
  if (place >= 0) { /* its one place becomes those of the mask's dimensions */
    if (values->sizes[place] != 1 || values->ndim - 1 + n - inner > TJ_MAX_DIMS) return NULL;
    int m = 0;
    for (int d = 0; d < place; d++) sizes[m++] = values->sizes[d];
    for (int d = 0; d < n - inner; d++) sizes[m++] = 1;
    for (int d = place + 1; d < values->ndim; d++) sizes[m++] = values->sizes[d];
    if (!(values = tj_reshape(values, (tj_ints){sizes, m}))) return NULL;
  }
  TJ__CHECK(tj__can_expand(tj__sizes(values), tj__sizes(self)), TJ_ERROR_RUNTIME,
            "shape mismatch: value tensor of shape %s cannot be broadcast to indexing result of shape %s", tj__sizes_text(values),
            tj__sizes_text(self));
  return tj_where(mask, accumulate ? tj_add(self, values, TJ__ONE) : values, self);
}

tj_tensor *tj__impl_index_put(tj_tensor *self, tj_tensors indices, tj_tensor *values, bool accumulate) {
  selection s;
  TJ__CHECK(values->dtype == self->dtype || values->wrapped_number, TJ_ERROR_RUNTIME,
            "Index put requires the source and destination dtypes match, got %s for the destination and %s for the source.",
            tj__dtype_legacy((tj_dtype)self->dtype), tj__dtype_legacy((tj_dtype)values->dtype));
  if (!(values = tj__to_dtype(values, (tj_dtype)self->dtype))) return NULL;
  if (values->ndim == 0 && !(values = tj__on_device(values, self->storage->device))) return NULL;
  const tj__backend *backend = tj__backend_for((tj_tensor *[]){self, values}, 2);
  if (!backend) return NULL;
  if (accumulate && is_half(self)) { /* adds up in float and is rounded once */
    tj_tensor *wide_self = tj__to_dtype(self, TJ_FLOAT32), *wide_values = tj__to_dtype(values, TJ_FLOAT32);
    tj_tensor *wide = wide_self && wide_values ? tj_index_put(wide_self, indices, wide_values, true) : NULL;
    return wide ? tj__to_dtype(wide, (tj_dtype)self->dtype) : NULL;
  }
  tj_tensor *masked = put_by_mask(self, indices, values, accumulate);
  if (masked || tj_error_code()) return masked;
  tj_tensor *out = tj__own_copy(self);
  if (!out) return NULL;
  if (!any_index(indices)) return tj__copy_into(out, accumulate ? tj_add(self, values, TJ__ONE) : values);
  if (!select_places(out, indices, &s)) return NULL;
  tj_ints sizes = {s.sizes, s.ndim};
  /* leading dimensions of size 1 may be given too many */
  while (values->ndim > s.ndim && values->sizes[0] == 1)
    if (!(values = tj__alias(values, (tj_ints){values->sizes + 1, values->ndim - 1}, (tj_ints){values->strides + 1, values->ndim - 1},
                             values->offset)))
      return NULL;
  TJ__CHECK(tj__can_expand(tj__sizes(values), sizes), TJ_ERROR_RUNTIME,
            "shape mismatch: value tensor of shape %s cannot be broadcast to indexing result of shape %s", tj__sizes_text(values),
            tj__ints_text(sizes.data, sizes.n));
  tj_tensor *wide = tj_expand(values, sizes, false);
  tj_tensor *place = tj__contiguous(s.self);
  if (!wide || !(wide = tj__contiguous(wide)) || !place) return NULL;
  if (!backend->index->put(accumulate ? TJ__SCATTER_ADD : TJ__SCATTER_SET, place, wide, &s.places)) return NULL;
  if (place != s.self && !tj__copy_into(s.self, place)) return NULL;
  return out;
}

tj_tensor *tj__impl_index_backward(tj_tensor *grad, tj_ints sizes, tj_tensors indices) {
  tj_tensor *zeros = tj__zeros(sizes, grad);
  return zeros ? tj_index_put(zeros, indices, grad, true) : NULL;
}

/* ---- a vector of indices along a dimension ---------------------------------------------------------------------- */

/* Checks index and fills places of self (contiguous sizes). Error texts differ by operator. */
typedef struct vector_rules {
  const char *name;
  bool wrap;
  tj_status code;
  const char *range;
} vector_rules;

static bool vector_places(const vector_rules *rules, tj_tensor *self, int64_t dim, tj_tensor *index, tj__places *p, int *d) {
  tj__lines lines;
  int64_t bad;
  if (!tj__backend_for((tj_tensor *[]){self, index}, 2) || (*d = tj__wrap_dim(dim, self->ndim)) < 0) return false;
  if (index->ndim > 1) return tj__fail(TJ_ERROR_INDEX, "%s(): Index is supposed to be a vector", rules->name) != NULL;
  if (index->dtype != TJ_INT64 && index->dtype != TJ_INT32)
    return tj__fail(TJ_ERROR_RUNTIME, "%s(): Expected dtype int32 or int64 for index", rules->name) != NULL;
  if (self->ndim == 0 && index->numel != 1 && strcmp(rules->name, "index_select") == 0)
    return tj__fail(TJ_ERROR_RUNTIME, "index_select(): Index to scalar can have only 1 value, got %lld value(s)",
                    (long long)index->numel) != NULL;
  if (!tj__lines_of(self, dim, &lines) || !(index = tj__int64_index(index))) return false;
  const int64_t *places = NULL;
  const int fits = tj__index_places(index, lines.n, rules->wrap, &places, &bad);
  if (fits < 0) return false;
  if (!fits) {
    if (rules->range) return tj__fail(rules->code, "%s", rules->range) != NULL;
    return tj__fail(rules->code, "%sindex %lld is out of bounds for dimension %d with size %lld",
                    strcmp(rules->name, "index_copy_") == 0 ? "index_copy_(): " : "", (long long)bad, *d, (long long)lines.n) != NULL;
  }
  *p = (tj__places){lines.outer, lines.n, lines.inner, index->numel, places};
  return true;
}

tj_tensor *tj__impl_index_select(tj_tensor *self, int64_t dim, tj_tensor *index) {
  static const vector_rules rules = {"index_select", false, TJ_ERROR_INDEX, "index out of range in self"};
  tj__places p;
  int d;
  int64_t sizes[TJ_MAX_DIMS];
  if (!vector_places(&rules, self, dim, index, &p, &d)) return NULL;
  memcpy(sizes, self->sizes, (size_t)self->ndim * sizeof *sizes);
  if (self->ndim) sizes[d] = p.n;
  tj_tensor *in = tj__contiguous(self);
  tj_tensor *out = in ? tj__empty((tj_ints){sizes, self->ndim}, (tj_dtype)self->dtype, self->storage->device) : NULL;
  if (out) tj__backend_of(self->storage->device)->index->get(out, in, &p);
  return out;
}

/* What places along dimension d get, contiguous: one slice where all are the same memory (an expanded gradient). */
static tj_tensor *values_of(tj_tensor *source, int d) {
  return tj__contiguous(source->ndim && source->strides[d] == 0 && source->sizes[d] > 1 ? tj_slice(source, d, 0, 1, 1) : source);
}

static tj_tensor *put_vector(tj__scatter_kind kind, const vector_rules *rules, tj_tensor *self, int64_t dim, tj_tensor *index,
                             tj_tensor *source) {
  tj__places p;
  int d;
  tj_dtype dtype = (tj_dtype)self->dtype;
  bool wide = kind == TJ__SCATTER_ADD && is_half(self); /* halves add up in float and are rounded once */
  if (!vector_places(rules, self, dim, index, &p, &d)) return NULL;
  if (wide && (!(self = tj__to_dtype(self, TJ_FLOAT32)) || !(source = tj__to_dtype(source, TJ_FLOAT32)))) return NULL;
  tj_tensor *out = tj__own_copy(self);
  if (!out || !(source = values_of(source, d))) return NULL;
  if (!tj__backend_of(self->storage->device)->index->put(kind, out, source, &p)) return NULL;
  return wide ? tj__to_dtype(out, dtype) : out;
}

/* Sizes of source: self's, with as many slices along dim as there are indices. */
static bool source_fits(const char *name, tj_status code, const tj_tensor *self, int64_t dim, const tj_tensor *index,
                        const tj_tensor *source, bool colon) {
  int d = tj__wrap_dim(dim, self->ndim);
  if (d < 0) return false;
  int64_t n = source->ndim ? (d < source->ndim ? source->sizes[d] : -1) : 1;
  if (index->numel != n) {
    return (colon ? tj__fail(code, "%s(): Number of indices (%lld) should be equal to source.size(dim): (%lld), for dim: %d", name,
                             (long long)index->numel, (long long)n, d)
                  : tj__fail(code, "%s(): Number of indices (%lld) should be equal to source.size(dim) (%lld)", name,
                             (long long)index->numel, (long long)n)) != NULL;
  }
  bool same = source->ndim == self->ndim || self->ndim == 0 || source->ndim == 0;
  for (int k = 0; same && self->ndim && source->ndim && k < self->ndim; k++) same = k == d || self->sizes[k] == source->sizes[k];
  if (!same || (source->ndim == 0 && self->numel != (self->ndim ? self->sizes[d] : 1)))
    return (colon ? tj__fail(TJ_ERROR_RUNTIME,
                             "source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape = %s "
                             "source.shape = %s",
                             tj__sizes_text(self), tj__sizes_text(source))
                  : tj__fail(TJ_ERROR_RUNTIME,
                             "%s(): Source/destination tensor must have same slice shapes. Destination slice shape: %s at dimension %d and "
                             "source slice shape: %s at dimension %d.",
                             name, tj__sizes_text(self), d, tj__sizes_text(source), d)) != NULL;
  return true;
}

tj_tensor *tj__impl_index_add(tj_tensor *self, int64_t dim, tj_tensor *index, tj_tensor *source, tj_scalar alpha) {
  /* PyTorch has a way of its own for vectors, with another error */
  static const vector_rules of_vectors = {"index_add_", false, TJ_ERROR_INDEX, "index out of range in self"};
  static const vector_rules of_others = {"index_add_", false, TJ_ERROR_RUNTIME, NULL};
  TJ__CHECK(self->dtype == source->dtype, TJ_ERROR_RUNTIME, "index_add_(): self (%s) and source (%s) must have the same scalar type",
            tj__dtype_legacy((tj_dtype)self->dtype), tj__dtype_legacy((tj_dtype)source->dtype));
  if (!source_fits("index_add_", TJ_ERROR_RUNTIME, self, dim, index, source, true)) return NULL;
  if (!tj__scalar_equals(alpha, 1)) {
    source = tj_mul(source, tj_scalar_tensor(alpha));
    if (!source || !(source = tj__to_dtype(source, (tj_dtype)self->dtype))) return NULL;
  }
  return put_vector(TJ__SCATTER_ADD, self->ndim > 1 ? &of_others : &of_vectors, self, dim, index, source);
}

/* Places repeat over the other dimensions: scatter_reduce with index widened to the sizes of source. */
tj_tensor *tj__impl_index_reduce(tj_tensor *self, int64_t dim, tj_tensor *index, tj_tensor *source, const char *reduce, bool include_self) {
  static const vector_rules rules = {"index_reduce_", false, TJ_ERROR_INDEX, "index out of range in self"};
  const bool known =
      strcmp(reduce, "prod") == 0 || strcmp(reduce, "mean") == 0 || strcmp(reduce, "amax") == 0 || strcmp(reduce, "amin") == 0;
  TJ__CHECK(known, TJ_ERROR_RUNTIME, "index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got %s.", reduce);
  TJ__CHECK(self->dtype == source->dtype, TJ_ERROR_RUNTIME, "index_reduce_(): self (%s) and source (%s) must have the same scalar type",
            tj__dtype_legacy((tj_dtype)self->dtype), tj__dtype_legacy((tj_dtype)source->dtype));
  TJ__CHECK(index->ndim <= 1, TJ_ERROR_INDEX,
            "index_reduce_(): Index is supposed to be a vector, but got dim: %d with type: %s and size: %s", index->ndim,
            tj__dtype_legacy((tj_dtype)index->dtype), tj__sizes_text(index));
  TJ__CHECK(index->dtype == TJ_INT64 || index->dtype == TJ_INT32, TJ_ERROR_RUNTIME,
            "index_reduce_(): Expected dtype int32/int64 for index but got: %s", tj__dtype_legacy((tj_dtype)index->dtype));
  TJ__CHECK(!tj_dtype_is_complex((tj_dtype)self->dtype) && self->dtype != TJ_BOOL, TJ_ERROR_NOT_IMPLEMENTED,
            "\"index_func_\" not implemented for '%s'", tj__dtype_legacy((tj_dtype)self->dtype));
  tj__places places;
  int d;
  if (!source_fits("index_reduce_", TJ_ERROR_RUNTIME, self, dim, index, source, true) ||
      !vector_places(&rules, self, dim, index, &places, &d))
    return NULL;
  int64_t sizes[TJ_MAX_DIMS];
  for (int k = 0; k < source->ndim; k++) sizes[k] = k == d ? index->numel : 1;
  tj_tensor *wide = tj_reshape(index, (tj_ints){sizes, source->ndim});
  return tj_scatter_reduce(self, dim, tj_expand_as(wide, source), source, reduce, include_self);
}

tj_tensor *tj__add_to_zeros(tj_ints sizes, int64_t dim, tj_tensor *index, tj_tensor *source) {
  static const vector_rules rules = {"index_add_", false, TJ_ERROR_RUNTIME, NULL};
  tj_tensor *zeros = tj__zeros(sizes, source);
  if (!zeros || tj__needs_grad(&source, 1) || is_half(source)) return zeros ? tj_index_add(zeros, dim, index, source, tj_int(1)) : NULL;
  tj__places p;
  int d;
  if (!source_fits("index_add_", TJ_ERROR_RUNTIME, zeros, dim, index, source, true) || !vector_places(&rules, zeros, dim, index, &p, &d) ||
      !(source = values_of(source, d)))
    return NULL;
  return tj__backend_of(zeros->storage->device)->index->put(TJ__SCATTER_ADD, zeros, source, &p) ? zeros : NULL;
}

tj_tensor *tj__impl_index_copy(tj_tensor *self, int64_t dim, tj_tensor *index, tj_tensor *source) {
  static const vector_rules rules = {"index_copy_", false, TJ_ERROR_INDEX, NULL};
  TJ__CHECK(self->dtype == source->dtype, TJ_ERROR_RUNTIME,
            "index_copy_(): self and source expected to have the same dtype, but got (self) %s and (source) %s",
            tj__dtype_legacy((tj_dtype)self->dtype), tj__dtype_legacy((tj_dtype)source->dtype));
  if (!source_fits("index_copy_", TJ_ERROR_INDEX, self, dim, index, source, false)) return NULL;
  return put_vector(TJ__SCATTER_SET, &rules, self, dim, index, source);
}

tj_tensor *tj__impl_index_fill(tj_tensor *self, int64_t dim, tj_tensor *index, tj_scalar value) {
  static const vector_rules rules = {"index_fill_", true, TJ_ERROR_INDEX, NULL};
  int d = tj__wrap_dim(dim, self->ndim);
  int64_t sizes[TJ_MAX_DIMS];
  if (d < 0) return NULL;
  memcpy(sizes, self->sizes, (size_t)self->ndim * sizeof *sizes);
  sizes[d] = index->numel; /* one value an index, also for a number, which is a vector of one here */
  TJ__CHECK(index->numel <= INT32_MAX, TJ_ERROR_RUNTIME, "index_fill_(): too many indices");
  tj_tensor *source = tj__empty((tj_ints){sizes, TJ__MAX(self->ndim, 1)}, (tj_dtype)self->dtype, self->storage->device);
  return source && tj__fill(source, value) ? put_vector(TJ__SCATTER_SET, &rules, self, dim, index, source) : NULL;
}

tj_tensor *tj__impl_index_fill_Tensor(tj_tensor *self, int64_t dim, tj_tensor *index, tj_tensor *value) {
  TJ__CHECK(value->ndim == 0, TJ_ERROR_RUNTIME,
            "index_fill_ only supports a 0-dimensional value tensor, but got tensor with %d dimension(s).", value->ndim);
  if (!tj__can_look(value)) { /* the value in the place of every source */
    const int d = tj__wrap_dim(dim, self->ndim);
    int64_t sizes[TJ_MAX_DIMS];
    if (d < 0) return NULL;
    for (int k = 0; k < self->ndim; k++) sizes[k] = k == d ? index->numel : self->sizes[k];
    return tj_index_copy(self, dim, index, tj_expand(tj__to_dtype(value, (tj_dtype)self->dtype), (tj_ints){sizes, self->ndim}, false));
  }
  tj_scalar s = tj_item(value);
  return s.kind == TJ_SCALAR_NONE ? NULL : tj__impl_index_fill(self, dim, index, s);
}

tj_tensor *tj__impl_index_select_backward(tj_tensor *grad, tj_ints sizes, int64_t dim, tj_tensor *index) {
  return tj__add_to_zeros(sizes, dim, index, grad);
}
