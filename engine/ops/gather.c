/* gather.c: gather and scatter, and the operators on flat places: masks, take, put, nonzero. */
#include <math.h>

#include "arithmetic.h"
#include "impl.h"
#include "index.h"
#include "iter/convert.h"

/* ---- gather, scatter -------------------------------------------------------------------------------------------- */

/* A 0-dimensional tensor as one of 1 dimension. */
static tj_tensor *at_least_1d(tj_tensor *t) { return t->ndim ? t : tj__alias(t, TJ_INTS(1), TJ_INTS(1), t->offset); }

static void *out_of_bounds(int64_t bad, int dim, const tj_tensor *self) {
  return tj__fail(TJ_ERROR_RUNTIME, "index %lld is out of bounds for dimension %d with size %lld", (long long)bad, dim,
                  (long long)(self->ndim ? self->sizes[dim] : 1));
}

tj_tensor *tj__impl_gather(tj_tensor *self, int64_t dim, tj_tensor *index, bool sparse_grad) {
  (void)sparse_grad;
  const tj__backend *backend = tj__backend_for((tj_tensor *[]){self, index}, 2);
  int d = tj__wrap_dim(dim, self->ndim);
  if (!backend || d < 0) return NULL;
  TJ__CHECK(index->numel == 0 || index->dtype == TJ_INT64 || index->dtype == TJ_INT32, TJ_ERROR_RUNTIME,
            "gather(): Expected dtype int32/int64 for index");
  if (index->numel == 0) return tj__empty(tj__sizes(index), (tj_dtype)self->dtype, self->storage->device);
  TJ__CHECK(TJ__MAX(self->ndim, 1) == TJ__MAX(index->ndim, 1), TJ_ERROR_RUNTIME, TJ__TEXT_gather_error_sizes_do_not_match_2);
  for (int k = 0; self->ndim && index->ndim && k < self->ndim; k++)
    TJ__CHECK(k == d || index->sizes[k] <= self->sizes[k], TJ_ERROR_RUNTIME,
              "Size does not match at dimension %d expected index %s to be no larger than self %s apart from dimension %d", k,
              tj__sizes_text(index), tj__sizes_text(self), d);
  int64_t bad = 0;
  tj_tensor *out = tj__empty(tj__sizes(index), (tj_dtype)self->dtype, self->storage->device);
  if (!out || !(self = tj__contiguous(self)) || !(index = tj__int64_index(index)) || !(self = at_least_1d(self)) ||
      !(index = at_least_1d(index)))
    return NULL;
  return backend->index->gather(out, self, d, index, &bad) ? out : out_of_bounds(bad, d, self);
}

static tj_tensor *scatter_into(tj__scatter_kind kind, tj_tensor *out, int64_t dim, tj_tensor *index, tj_tensor *src) {
  const tj__backend *backend = tj__backend_for((tj_tensor *[]){out, index, src}, 3);
  int d = tj__wrap_dim(dim, out->ndim);
  if (!backend || d < 0) return NULL;
  TJ__CHECK(index->numel == 0 || index->dtype == TJ_INT64 || index->dtype == TJ_INT32, TJ_ERROR_RUNTIME,
            "scatter(): Expected dtype int32/int64 for index");
  TJ__CHECK(src->dtype == out->dtype, TJ_ERROR_RUNTIME, "scatter(): Expected self.dtype to be equal to src.dtype");
  if (index->numel == 0) return out;
  TJ__CHECK(TJ__MAX(out->ndim, 1) == TJ__MAX(index->ndim, 1), TJ_ERROR_RUNTIME,
            "Index tensor must have the same number of dimensions as self tensor");
  TJ__CHECK(TJ__MAX(src->ndim, 1) == TJ__MAX(index->ndim, 1), TJ_ERROR_RUNTIME,
            "Index tensor must have the same number of dimensions as src tensor");
  tj_tensor *self1 = at_least_1d(out), *index1 = at_least_1d(index), *src1 = at_least_1d(src);
  if (!self1 || !index1 || !src1) return NULL;
  for (int k = 0; k < self1->ndim; k++)
    TJ__CHECK((k == d || index1->sizes[k] <= self1->sizes[k]) && index1->sizes[k] <= src1->sizes[k], TJ_ERROR_RUNTIME,
              "Expected index %s to be no larger than self %s apart from dimension %d and to be no larger size than src %s",
              tj__sizes_text(index), tj__sizes_text(out), d, tj__sizes_text(src));
  int64_t bad = 0;
  if (!(index1 = tj__int64_index(index1)) || !(src1 = tj__contiguous(src1))) return NULL;
  bool done = backend->index->scatter(kind, self1, d, index1, src1, &bad);
  return done ? out : tj_error_code() ? NULL : out_of_bounds(bad, d, out);
}

static bool is_half(const tj_tensor *t) { return t->dtype == TJ_FLOAT16 || t->dtype == TJ_BFLOAT16; }

static tj_tensor *scattered(tj__scatter_kind kind, tj_tensor *self, int64_t dim, tj_tensor *index, tj_tensor *src) {
  tj_dtype dtype = (tj_dtype)self->dtype;
  bool wide = kind != TJ__SCATTER_SET && is_half(self) && src->dtype == self->dtype; /* halves add up in float and are rounded once */
  if (wide && (!(self = tj__to_dtype(self, TJ_FLOAT32)) || !(src = tj__to_dtype(src, TJ_FLOAT32)))) return NULL;
  tj_tensor *out = tj__own_copy(self);
  if (!out || !(out = scatter_into(kind, out, dim, index, src))) return NULL;
  return wide ? tj__to_dtype(out, dtype) : out;
}

static tj_tensor *filled_like(tj_tensor *self, tj_tensor *shape, tj_scalar value) {
  tj_tensor *src = tj__empty(tj__sizes(shape), (tj_dtype)self->dtype, self->storage->device);
  return src ? tj__fill(src, value) : NULL;
}

static bool reduction_of(const char *reduce, tj__scatter_kind *kind) {
  bool add = strcmp(reduce, "add") == 0;
  *kind = add ? TJ__SCATTER_ADD : TJ__SCATTER_MULTIPLY;
  return add || strcmp(reduce, "multiply") == 0 || tj__fail(TJ_ERROR_RUNTIME, "reduce argument must be either add or multiply.") != NULL;
}

tj_tensor *tj__impl_scatter(tj_tensor *self, int64_t dim, tj_tensor *index, tj_tensor *src) {
  return scattered(TJ__SCATTER_SET, self, dim, index, src);
}
tj_tensor *tj__impl_scatter_add(tj_tensor *self, int64_t dim, tj_tensor *index, tj_tensor *src) {
  return scattered(TJ__SCATTER_ADD, self, dim, index, src);
}

tj_tensor *tj__impl_scatter_value(tj_tensor *self, int64_t dim, tj_tensor *index, tj_scalar value) {
  tj_tensor *src = filled_like(self, index, value);
  return src ? scattered(TJ__SCATTER_SET, self, dim, index, src) : NULL;
}
tj_tensor *tj__impl_scatter_src_reduce(tj_tensor *self, int64_t dim, tj_tensor *index, tj_tensor *src, const char *reduce) {
  tj__scatter_kind kind;
  return reduction_of(reduce, &kind) ? scattered(kind, self, dim, index, src) : NULL;
}
tj_tensor *tj__impl_scatter_value_reduce(tj_tensor *self, int64_t dim, tj_tensor *index, tj_scalar value, const char *reduce) {
  tj__scatter_kind kind;
  tj_tensor *src = reduction_of(reduce, &kind) ? filled_like(self, index, value) : NULL;
  return src ? scattered(kind, self, dim, index, src) : NULL;
}

/* The neutral element of amax or amin in a dtype, of which a device may keep 32 bits. */
static tj_scalar lowest(tj_dtype dtype, bool highest, bool narrow) {
  switch (tj__class_of(dtype)) {
    case TJ__CLASS_BOOL: return tj_bool(highest);
    case TJ__CLASS_INT: {
      int bits = narrow ? TJ__MIN(32, 8 * (int)tj__dtype_sizes[dtype]) : 8 * (int)tj__dtype_sizes[dtype];
      if (tj_dtype_is_signed(dtype))
        return tj_int(highest ? (int64_t)(UINT64_MAX >> (65 - bits)) : -(int64_t)(UINT64_MAX >> (65 - bits)) - 1);
      return tj_int(highest ? (int64_t)(UINT64_MAX >> (64 - bits)) : 0);
    }
    default: return tj_float(highest ? INFINITY : -INFINITY);
  }
}

tj_tensor *tj__impl_scatter_reduce(tj_tensor *self, int64_t dim, tj_tensor *index, tj_tensor *src, const char *reduce, bool include_self) {
  static const struct {
    const char *name;
    tj__scatter_kind kind;
  } table[] = {{"sum", TJ__SCATTER_ADD},
               {"prod", TJ__SCATTER_MULTIPLY},
               {"mean", TJ__SCATTER_ADD},
               {"amax", TJ__SCATTER_MAX},
               {"amin", TJ__SCATTER_MIN}};
  int k = 0;
  while (k < 5 && strcmp(reduce, table[k].name) != 0) k++;
  TJ__CHECK(k < 5, TJ_ERROR_RUNTIME, "reduce argument must be either sum, prod, mean, amax or amin, got %s", reduce);
  tj_dtype dtype = (tj_dtype)self->dtype;
  if (is_half(self) && src->dtype == self->dtype) {
    if (!(self = tj__to_dtype(self, TJ_FLOAT32)) || !(src = tj__to_dtype(src, TJ_FLOAT32))) return NULL;
    tj_tensor *wide = tj_scatter_reduce(self, dim, index, src, reduce, include_self);
    return wide ? tj__to_dtype(wide, dtype) : NULL;
  }
  tj_tensor *out = tj__own_copy(self);
  if (!out) return NULL;
  if (!include_self) {
    tj_scalar neutral = k == 1   ? tj_int(1)
                        : k == 3 ? lowest(dtype, false, !tj__can_look(self))
                        : k == 4 ? lowest(dtype, true, !tj__can_look(self))
                                 : tj_int(0);
    tj_tensor *start = filled_like(self, index, neutral);
    if (!start || !scatter_into(TJ__SCATTER_SET, out, dim, index, start)) return NULL;
  }
  if (!scatter_into(table[k].kind, out, dim, index, src) || k != 2) return tj_error_code() ? NULL : out;
  tj_tensor *count = filled_like(self, self, tj_int(include_self)), *ones = filled_like(self, index, tj_int(1));
  if (!count || !ones || !scatter_into(TJ__SCATTER_ADD, count, dim, index, ones)) return NULL;
  count = tj_where(tj_eq(count, tj_scalar_tensor(tj_int(0))), tj_scalar_tensor(tj_int(1)), count);
  return tj__class_of(dtype) == TJ__CLASS_INT ? tj_floor_divide(out, count) : tj_div(out, count);
}

tj_tensor *tj__impl_gather_backward(tj_tensor *grad, tj_ints sizes, int64_t dim, tj_tensor *index) {
  tj_tensor *zeros = tj__zeros(sizes, grad);
  return zeros ? tj_scatter_add(zeros, dim, index, grad) : NULL;
}

static tj_tensor *ones_and_counts(tj_tensor *grad, int64_t dim, tj_tensor *index, bool include_self) {
  tj_tensor *count = filled_like(grad, grad, tj_int(include_self)), *ones = filled_like(grad, index, tj_int(1));
  count = tj_scatter_add(count, dim, index, ones);
  return tj_where(tj_eq(count, tj__number(0)), tj__number(1), count);
}

/* How many elements each extreme is shared by; is_self and is_src (floating): where the extreme came from. */
static tj_tensor *shared(tj_tensor *grad, tj_tensor *self, int64_t dim, tj_tensor *index, tj_tensor *src, tj_tensor *result,
                         tj_tensor **is_self, tj_tensor **is_src) {
  self = tj_detach(self), src = tj_detach(src), result = tj_detach(result);
  if (!self || !src || !result) return NULL;
  *is_self = tj_eq(self, result);
  *is_src = tj_eq(src, tj_gather(result, dim, index, false));
  if (!*is_self || !*is_src || !(*is_self = tj__to_dtype(*is_self, (tj_dtype)grad->dtype)) ||
      !(*is_src = tj__to_dtype(*is_src, (tj_dtype)grad->dtype)))
    return NULL;
  return tj_scatter_add(*is_self, dim, index, *is_src);
}

tj_tensor *tj__impl_scatter_reduce_self_backward(tj_tensor *grad, tj_tensor *self, int64_t dim, tj_tensor *index, tj_tensor *src,
                                                 const char *reduce, bool include_self, tj_tensor *result) {
  tj_tensor *out = grad, *is_self, *is_src;
  if (strcmp(reduce, "prod") == 0) {
    tj_tensor *no_zero = tj_where(tj_eq(self, tj__number(0)), tj__number(1), self);
    tj_tensor *others = tj_div(tj_scatter_reduce(no_zero, dim, index, src, reduce, include_self), no_zero);
    out = tj_mul(grad, tj_conj(others));
  } else if (strcmp(reduce, "mean") == 0) {
    out = tj_div(grad, ones_and_counts(grad, dim, index, include_self));
  } else if (strcmp(reduce, "sum") != 0) {
    tj_tensor *n = shared(grad, self, dim, index, src, result, &is_self, &is_src);
    out = n ? tj_mul(is_self, tj_div(grad, n)) : NULL;
  }
  return include_self ? out : tj_scatter_value(out, dim, index, tj_int(0));
}

tj_tensor *tj__impl_scatter_reduce_src_backward(tj_tensor *grad, tj_tensor *self, int64_t dim, tj_tensor *index, tj_tensor *src,
                                                const char *reduce, bool include_self, tj_tensor *result) {
  tj_tensor *is_self, *is_src, *one = tj__number(1);
  if (strcmp(reduce, "sum") == 0) return tj_gather(grad, dim, index, false);
  if (strcmp(reduce, "mean") == 0)
    return tj_div(tj_gather(grad, dim, index, false), tj_gather(ones_and_counts(grad, dim, index, include_self), dim, index, false));
  if (strcmp(reduce, "prod") != 0) {
    tj_tensor *n = shared(grad, self, dim, index, src, result, &is_self, &is_src);
    return n ? tj_mul(is_src, tj_gather(tj_div(grad, n), dim, index, false)) : NULL;
  }
  /* A zero in src gets the product of the others, if it is the only one. */
  tj_tensor *zero = tj_eq(tj_detach(src), tj__number(0)), *start = tj__zeros(tj__sizes(self), grad);
  tj_tensor *zeros = zero ? tj__to_dtype(zero, (tj_dtype)grad->dtype) : NULL;
  if (!zeros || !start) return NULL;
  tj_tensor *single = tj_logical_and(zero, tj_eq(tj_gather(tj_scatter_add(start, dim, index, zeros), dim, index, false), one));
  tj_tensor *others = tj_scatter_reduce(self, dim, index, tj_where(single, one, src), reduce, include_self);
  return tj_where(single, tj_gather(tj_mul(grad, tj_conj(others)), dim, index, false),
                  tj_div(tj_gather(tj_mul(grad, tj_conj(result)), dim, index, false), tj_conj(tj_where(zero, one, src))));
}

tj_tensor *tj__impl_take_along_dim(tj_tensor *self, tj_tensor *indices, int64_t dim) {
  TJ__CHECK(indices->dtype == TJ_INT64, TJ_ERROR_RUNTIME, "torch.take_along_dim(): dtype of indices should be Long but got %s",
            tj__dtype_legacy((tj_dtype)indices->dtype));
  if (dim == TJ_NO_INT || self->ndim == indices->ndim) { /* negative indices count from the end */
    int64_t n = dim == TJ_NO_INT ? self->numel : 1;
    if (dim != TJ_NO_INT) {
      int d = tj__wrap_dim(dim, self->ndim);
      if (d < 0) return NULL;
      n = self->ndim ? self->sizes[d] : 1;
    }
    indices = tj_where(tj_lt(indices, tj_scalar_tensor(tj_int(0))), tj_add(indices, tj_scalar_tensor(tj_int(n)), TJ__ONE), indices);
    if (!indices) return NULL;
  }
  if (dim == TJ_NO_INT) return tj_gather(tj_reshape(self, TJ_INTS(-1)), 0, tj_reshape(indices, TJ_INTS(-1)), false);
  TJ__CHECK(self->ndim == indices->ndim, TJ_ERROR_RUNTIME,
            "torch.take_along_dim(): input and indices should have the same number of dimensions, but got %d dimensions for input, and %d "
            "dimensions for indices",
            self->ndim, indices->ndim);
  int d = tj__wrap_dim(dim, self->ndim);
  int64_t a[TJ_MAX_DIMS], b[TJ_MAX_DIMS], both[TJ_MAX_DIMS];
  if (d < 0) return NULL;
  memcpy(a, self->sizes, (size_t)self->ndim * sizeof *a);
  memcpy(b, indices->sizes, (size_t)self->ndim * sizeof *b);
  if (self->ndim) a[d] = b[d] = 1;
  if (tj__broadcast_sizes((tj_ints){a, self->ndim}, (tj_ints){b, self->ndim}, both) < 0) return NULL;
  memcpy(a, both, (size_t)self->ndim * sizeof *a);
  if (self->ndim) a[d] = self->sizes[d], both[d] = indices->sizes[d];
  return tj_gather(tj_expand(self, (tj_ints){a, self->ndim}, false), d, tj_expand(indices, (tj_ints){both, self->ndim}, false), false);
}

/* ---- flat places ------------------------------------------------------------------------------------------------ */

tj_tensor *tj__impl_masked_select(tj_tensor *self, tj_tensor *mask) {
  const tj__backend *backend = tj__backend_for((tj_tensor *[]){self, mask}, 2);
  int64_t sizes[TJ_MAX_DIMS];
  if (!backend) return NULL;
  TJ__CHECK(mask->dtype == TJ_BOOL, TJ_ERROR_RUNTIME, "masked_select: expected BoolTensor for mask");
  int n = tj__broadcast_sizes(tj__sizes(mask), tj__sizes(self), sizes);
  if (n < 0) return NULL;
  tj_tensor *wide = tj_expand(self, (tj_ints){sizes, n}, false), *wide_mask = tj_expand(mask, (tj_ints){sizes, n}, false);
  return wide && wide_mask ? tj__select_true(wide, wide_mask) : NULL;
}

/* How many of the elements of a flat mask up to each are true, itself included. */
static tj_tensor *counted(tj_tensor *mask) { return tj_cumsum(tj_reshape(mask, TJ_INTS(-1)), 0, TJ_INT64); }

/* Where nobody knows how many elements are true: all places get the element of source that theirs would be, and those that are true keep it. */
static tj_tensor *masked_scatter_on_device(tj_tensor *self, tj_tensor *mask, tj_tensor *source) {
  if (self->numel == 0) return self;
  tj_tensor *count = counted(mask), *all = tj_narrow(count, 0, mask->numel - 1, 1), *flat = tj_reshape(source, TJ_INTS(-1));
  if (!flat || !tj__refuse(tj_gt(all, tj__integer(source->numel)), "Number of elements of source < number of ones in mask")) return NULL;
  if (source->numel == 0) return tj__own_copy(self);
  tj_tensor *place = tj_clamp(tj_sub(count, tj__integer(1), TJ__ONE), tj_int(0), tj_int(source->numel - 1));
  tj_tensor *given = tj_reshape(tj_index_select(flat, 0, place), tj__sizes(mask));
  return tj__contiguous(tj_where(mask, given, self));
}

tj_tensor *tj__impl_masked_scatter(tj_tensor *self, tj_tensor *mask, tj_tensor *source) {
  const tj__backend *backend = tj__backend_for((tj_tensor *[]){self, mask, source}, 3);
  int64_t sizes[TJ_MAX_DIMS];
  if (!backend) return NULL;
  TJ__CHECK(self->dtype == source->dtype, TJ_ERROR_RUNTIME,
            "masked_scatter_: expected self and source to have same dtypes but got %s and %s", tj__dtype_legacy((tj_dtype)self->dtype),
            tj__dtype_legacy((tj_dtype)source->dtype));
  TJ__CHECK(mask->dtype == TJ_BOOL, TJ_ERROR_RUNTIME, "masked_scatter_ only supports boolean masks, but got mask with dtype %s",
            tj__dtype_legacy((tj_dtype)mask->dtype));
  int n = tj__broadcast_sizes(tj__sizes(self), tj__sizes(mask), sizes);
  if (n < 0) return NULL;
  tj_tensor *wide = tj_expand(self, (tj_ints){sizes, n}, false), *wide_mask = tj_expand(mask, (tj_ints){sizes, n}, false);
  if (wide && wide_mask && !tj__can_look(wide_mask)) return masked_scatter_on_device(wide, wide_mask, source);
  tj_tensor *flat = wide_mask ? tj__true_places(wide_mask) : NULL, *out = wide ? tj__own_copy(wide) : NULL;
  if (!flat || !out || !(source = tj__contiguous(source))) return NULL;
  TJ__CHECK(source->numel >= flat->numel, TJ_ERROR_RUNTIME, "Number of elements of source < number of ones in mask");
  tj__places p = {1, out->numel, 1, flat->numel, tj__read(flat)};
  return backend->index->put(TJ__SCATTER_SET, out, source, &p) ? out : NULL;
}

tj_tensor *tj__impl_masked_select_backward(tj_tensor *grad, tj_ints sizes, tj_tensor *mask) {
  int64_t both[TJ_MAX_DIMS];
  int n = tj__broadcast_sizes(sizes, tj__sizes(mask), both);
  tj_tensor *zeros = n < 0 ? NULL : tj__zeros((tj_ints){both, n}, grad);
  return zeros ? tj_masked_scatter(zeros, mask, grad) : NULL;
}

tj_tensor *tj__impl_masked_scatter_backward(tj_tensor *grad, tj_tensor *mask, tj_ints sizes) {
  int64_t numel = tj__numel_of(sizes);
  if (!tj__can_look(mask)) {
    if (!numel || !grad->numel) return tj__zeros(sizes, grad);
    mask = tj_expand(mask, tj__sizes(grad), false);
    tj_tensor *count = mask ? counted(mask) : NULL,
              *wanted = tj_arange_start(tj_int(1), tj_int(numel + 1), TJ_INT64, grad->storage->device, false);
    tj_tensor *place = tj_searchsorted(count, wanted, false, false, NULL, NULL), *there = tj_lt(place, tj__integer(grad->numel));
    tj_tensor *taken = tj_index_select(tj_reshape(grad, TJ_INTS(-1)), 0, tj_clamp_max(place, tj_int(grad->numel - 1)));
    return tj_reshape(tj_where(there, taken, tj_to_dtype(tj__number(0), (tj_dtype)grad->dtype, false, false, NULL)), sizes);
  }
  tj_tensor *selected = tj_masked_select(grad, mask);
  if (!selected) return NULL;
  tj_tensor *rest = tj__zeros(TJ_INTS(numel - selected->numel), grad);
  return rest ? tj_reshape(tj_cat(TJ_TENSORS(selected, rest), 0), sizes) : NULL;
}

/* Flat places of index in self, checked; they may be index's own elements. */
static bool flat_places(const char *name, tj_tensor *self, tj_tensor *index, tj__places *p) {
  int64_t bad;
  if (!tj__backend_for((tj_tensor *[]){self, index}, 2)) return false;
  if (index->dtype != TJ_INT64)
    return tj__fail(TJ_ERROR_RUNTIME, "%s(): Expected a long tensor for index, but got %s", name,
                    tj__dtype_legacy((tj_dtype)index->dtype)) != NULL;
  if (self->numel == 0 && index->numel) return tj__fail(TJ_ERROR_INDEX, "%s(): tried to take from an empty tensor", name) != NULL;
  *p = (tj__places){1, self->numel, 1, index->numel, NULL};
  if (!(index = tj__contiguous(index))) return false;
  const int fits = tj__index_places(index, self->numel, true, &p->offsets, &bad);
  if (!fits)
    tj__fail(TJ_ERROR_INDEX, "out of range: tried to access index %lld on a tensor of %lld elements.", (long long)bad,
             (long long)self->numel);
  return fits > 0;
}

tj_tensor *tj__impl_take(tj_tensor *self, tj_tensor *index) {
  tj__places p;
  tj_tensor *in = flat_places("take", self, index, &p) ? tj__contiguous(self) : NULL;
  tj_tensor *out = in ? tj__empty(tj__sizes(index), (tj_dtype)self->dtype, self->storage->device) : NULL;
  if (out) tj__backend_of(self->storage->device)->index->get(out, in, &p);
  return out;
}

tj_tensor *tj__impl_put(tj_tensor *self, tj_tensor *index, tj_tensor *source, bool accumulate) {
  TJ__CHECK(self->dtype == source->dtype, TJ_ERROR_RUNTIME,
            "put_(): self and source expected to have the same dtype, but got self.dtype = %s and source.dtype = %s",
            tj__dtype_legacy((tj_dtype)self->dtype), tj__dtype_legacy((tj_dtype)source->dtype));
  TJ__CHECK(index->numel == source->numel, TJ_ERROR_INDEX,
            "put_(): Expected source and index to have the same number of elements, but got source.numel() = %lld, index.numel() = %lld",
            (long long)source->numel, (long long)index->numel);
  tj__places p;
  tj_tensor *out = flat_places("put_", self, index, &p) ? tj__own_copy(self) : NULL;
  if (!out || !(source = tj__contiguous(source))) return NULL;
  return tj__backend_of(self->storage->device)->index->put(accumulate ? TJ__SCATTER_ADD : TJ__SCATTER_SET, out, source, &p) ? out : NULL;
}

tj_tensor *tj__impl_put_zeros(tj_tensor *self, tj_tensor *index) {
  tj_tensor *zeros = tj__zeros(tj__sizes(index), self);
  return zeros ? tj__impl_put(self, index, zeros, false) : NULL;
}

tj_tensor *tj__impl_take_backward(tj_tensor *grad, tj_ints sizes, tj_tensor *index) {
  tj_tensor *zeros = tj__zeros(sizes, grad);
  return zeros ? tj_put(zeros, index, grad, true) : NULL;
}

/* Coordinates as [ndim, n]. */
static tj_tensor *coordinates(tj_tensor *self) {
  const tj__backend *backend = tj__backend_for(&self, 1);
  tj_tensor *flat = backend ? tj__true_places(self) : NULL;
  tj_tensor *out = flat ? tj__empty(TJ_INTS(self->ndim, flat->numel), TJ_INT64, self->storage->device) : NULL;
  if (out && out->numel) backend->index->unravel(tj__write(out), tj__read(flat), flat->numel, self->sizes, self->ndim, true);
  return out;
}

/* PyTorch's layout: one row a coordinate in memory, given as one column each. */
tj_tensor *tj__impl_nonzero(tj_tensor *self) {
  tj_tensor *rows = coordinates(self);
  return rows ? tj__alias(rows, TJ_INTS(rows->sizes[1], rows->sizes[0]), TJ_INTS(1, rows->sizes[1]), rows->offset) : NULL;
}
tj_tensor *tj__impl_argwhere(tj_tensor *self) { return tj__impl_nonzero(self); }

/* The k-th true element is the first with a count of k. */
static tj_tensor *nonzero_static_on_device(tj_tensor *self, int64_t size, int64_t fill_value) {
  const tj_device device = self->storage->device;
  if (!self->numel || !size || !self->ndim) return tj_full(TJ_INTS(size, self->ndim), tj_int(fill_value), TJ_INT64, device, false);
  tj_tensor *count = counted(tj_to_dtype(self, TJ_BOOL, false, false, NULL));
  tj_tensor *wanted = tj_arange_start(tj_int(1), tj_int(size + 1), TJ_INT64, device, false);
  tj_tensor *place = tj_searchsorted(count, wanted, false, false, NULL, NULL), *columns[TJ_MAX_DIMS];
  if (!place) return NULL;
  tj_tensor *missing = tj_eq(place, tj__integer(self->numel));
  int64_t step = 1;
  for (int d = self->ndim - 1; d >= 0; d--) {
    columns[d] = tj_remainder(tj_floor_divide(place, tj__integer(step)), tj__integer(self->sizes[d]));
    if (!(columns[d] = tj_masked_fill(columns[d], missing, tj_int(fill_value)))) return NULL;
    step *= self->sizes[d];
  }
  return tj_stack((tj_tensors){columns, self->ndim}, 1);
}

tj_tensor *tj__impl_nonzero_static(tj_tensor *self, int64_t size, int64_t fill_value) {
  TJ__CHECK(size >= 0, TJ_ERROR_RUNTIME, "nonzero_static: 'size' must be an non-negative integer");
  if (!tj__can_look(self)) return nonzero_static_on_device(self, size, fill_value);
  tj_tensor *rows = tj__impl_nonzero(self), *out = rows ? tj__empty(TJ_INTS(size, self->ndim), TJ_INT64, self->storage->device) : NULL;
  if (!out || !tj__fill(out, tj_int(fill_value))) return NULL;
  const int64_t n = TJ__MIN(size, rows->sizes[0]);
  tj_tensor *to = tj_narrow(out, 0, 0, n), *from = tj_narrow(rows, 0, 0, n);
  return to && from && tj__copy_into(to, from) ? out : NULL;
}

tj_list *tj__impl_unravel_index(tj_tensor *indices, tj_ints shape) {
  TJ__CHECK(tj__class_of((tj_dtype)indices->dtype) == TJ__CLASS_INT, TJ_ERROR_TYPE,
            "expected 'indices' to be integer dtype, but got torch.%s", tj_dtype_name((tj_dtype)indices->dtype));
  for (int64_t k = 0; k < shape.n; k++)
    TJ__CHECK(shape.data[k] >= 0, TJ_ERROR_VALUE, "'shape' cannot have negative values, but got %s", tj__ints_text(shape.data, shape.n));
  TJ__CHECK(shape.n < TJ_MAX_DIMS, TJ_ERROR_RUNTIME, "unravel_index: too many dimensions");
  tj_tensor *parts[TJ_MAX_DIMS], *flat = tj__to_dtype(indices, TJ_INT64);
  int64_t step = 1;
  if (!flat || shape.n == 0) return flat ? tj__list_new(0) : NULL;
  for (int64_t k = shape.n - 1; k >= 0; k--) {
    tj_tensor *whole = tj_floor_divide(flat, tj_scalar_tensor(tj_int(step)));
    if (!(parts[k] = tj_remainder(whole, tj_scalar_tensor(tj_int(shape.data[k]))))) return NULL;
    step *= shape.data[k];
  }
  return tj_unbind(tj_stack((tj_tensors){parts, shape.n}, -1), -1);
}

tj_list *tj__impl_nonzero_numpy(tj_tensor *self) {
  if (self->ndim == 0 && !(self = at_least_1d(self))) return NULL;
  tj_tensor *rows = coordinates(self);
  tj_list *list = rows ? tj__list_new(self->ndim) : NULL;
  for (int d = 0; list && d < self->ndim; d++) {
    tj_tensor *row = tj__alias(rows, TJ_INTS(rows->sizes[1]), TJ_INTS(1), rows->offset + d * rows->sizes[1]);
    if (!row) return NULL;
    tj__list_set(list, d, row);
  }
  return list;
}
