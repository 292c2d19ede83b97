/* copy.c: operators that copy, convert and fill. */
#include "copy.h"

#include "../kernels/backend.h"
#include "../kernels/copy.h"
#include "impl.h"
#include "pointwise.h"

/* ---- layouts -------------------------------------------------------------------------------------------------- */

/* Strides of a memory format for these sizes. 1: written; 0: keep the tensor's own layout; -1 and an error. */
static int format_strides(tj_ints sizes, const char *format, int64_t *strides) {
  if (!format || strcmp(format, "preserve_format") == 0) return 0;
  if (strcmp(format, "contiguous_format") == 0) {
    tj__contiguous_strides(sizes, strides);
    return 1;
  }
  int ndim = strcmp(format, "channels_last") == 0 ? 4 : strcmp(format, "channels_last_3d") == 0 ? 5 : 0;
  if (!ndim) {
    tj__fail(TJ_ERROR_TYPE, "'%s' is no memory format", format);
    return -1;
  }
  if (sizes.n != ndim) {
    tj__fail(TJ_ERROR_RUNTIME, "required rank %d tensor to use %s format", ndim, format);
    return -1;
  }
  int64_t next = 1;
  strides[1] = next;
  next *= TJ__MAX(sizes.data[1], 1);
  for (int d = ndim - 1; d >= 2; d--) {
    strides[d] = next;
    next *= TJ__MAX(sizes.data[d], 1);
  }
  strides[0] = next;
  return 1;
}

/* Has t these strides, where they matter? */
static bool has_strides(const tj_tensor *t, const int64_t *strides) {
  for (int d = 0; d < t->ndim; d++)
    if (t->sizes[d] != 1 && t->strides[d] != strides[d]) return false;
  return true;
}

const char *tj__suggested_format(const tj_tensor *t) {
  if (t->ndim != 4 && t->ndim != 5) return NULL;
  if (t->strides[1] == 0) return NULL;
  int64_t least = 0;
  for (int i = 0; i < t->ndim; i++) {
    int d = i == 0 ? 1 : i == t->ndim - 1 ? 0 : t->ndim - i; /* channels, the last to the first of the image's, batch */
    if (t->sizes[d] == 0 || t->strides[d] < least) return NULL;
    if (d == 0 && least == t->strides[1]) return NULL; /* ambiguous */
    least = t->strides[d] * TJ__MAX(t->sizes[d], 1);
  }
  return t->ndim == 4 ? "channels_last" : "channels_last_3d";
}

tj_tensor *tj__clone_as(tj_tensor *t, tj_dtype dtype, const char *memory_format) {
  if (!t) return NULL;
  int64_t strides[TJ_MAX_DIMS];
  int given = format_strides(tj__sizes(t), memory_format, strides);
  if (given < 0) return NULL;
  tj_tensor *copy =
      given ? tj__empty_strided(tj__sizes(t), (tj_ints){strides, t->ndim}, dtype, t->storage->device) : tj__empty_like(t, dtype);
  return tj__copy_into(copy, t);
}

tj_tensor *tj__impl_clone(tj_tensor *self, const char *memory_format) { return tj__clone_as(self, (tj_dtype)self->dtype, memory_format); }

tj_tensor *tj__impl_contiguous(tj_tensor *self, const char *memory_format) {
  TJ__CHECK(!memory_format || strcmp(memory_format, "preserve_format") != 0, TJ_ERROR_RUNTIME,
            "preserve memory format is unsupported by the contiguous operator");
  int64_t strides[TJ_MAX_DIMS];
  if (!memory_format || strcmp(memory_format, "contiguous_format") == 0) return tj__contiguous(self);
  if (format_strides(tj__sizes(self), memory_format, strides) < 0) return NULL;
  if (self->numel == 0 || has_strides(self, strides)) return self;
  return tj__clone_as(self, (tj_dtype)self->dtype, memory_format);
}

/* ---- conversion ----------------------------------------------------------------------------------------------- */

static tj_tensor *convert(tj_tensor *self, tj_dtype dtype, bool copy, const char *memory_format) {
  if (dtype == TJ_DTYPE_NONE) dtype = (tj_dtype)self->dtype;
  if (!copy && self->dtype == dtype) {
    int64_t strides[TJ_MAX_DIMS];
    int given = format_strides(tj__sizes(self), memory_format, strides);
    if (given < 0) return NULL;
    if (!given || has_strides(self, strides)) return self;
  }
  return tj__clone_as(self, dtype, memory_format);
}

static tj_tensor *to_other_device(tj_tensor *self, tj_device device, tj_dtype dtype, const char *memory_format) {
  if (!tj__backend_of(device)) return NULL;
  if (device == TJ_CPU) return tj__fail_asynchronous(self);
  tj_tensor *like = convert(self, dtype, false, memory_format); /* narrower or wider before it crosses */
  if (like && !tj__is_dense(like)) like = tj__clone(like);
  return like ? tj__copy_into(tj__empty_strided(tj__sizes(like), tj__strides(like), (tj_dtype)like->dtype, device), like) : NULL;
}

tj_tensor *tj__impl_to_dtype(tj_tensor *self, tj_dtype dtype, bool non_blocking, bool copy, const char *memory_format) {
  (void)non_blocking;
  return convert(self, dtype, copy, memory_format);
}

tj_tensor *tj__impl_to_device(tj_tensor *self, tj_device device, tj_dtype dtype, bool non_blocking, bool copy, const char *memory_format) {
  (void)non_blocking;
  if (device == TJ_DEVICE_NONE || device == self->storage->device) return convert(self, dtype, copy, memory_format);
  return to_other_device(self, device, dtype, memory_format);
}

tj_tensor *tj__impl_to_other(tj_tensor *self, tj_tensor *other, bool non_blocking, bool copy, const char *memory_format) {
  (void)non_blocking;
  if (self->storage->device != other->storage->device)
    return to_other_device(self, other->storage->device, (tj_dtype)other->dtype, memory_format);
  return convert(self, (tj_dtype)other->dtype, copy, memory_format);
}

tj_tensor *tj__impl_type_as(tj_tensor *self, tj_tensor *other) { return convert(self, (tj_dtype)other->dtype, false, NULL); }

#define CONVERSION(name, DTYPE) \
  tj_tensor *tj__impl_to_##name(tj_tensor *self, const char *memory_format) { return convert(self, TJ_##DTYPE, false, memory_format); }
CONVERSION(float, FLOAT32)
CONVERSION(double, FLOAT64)
CONVERSION(half, FLOAT16)
CONVERSION(bfloat16, BFLOAT16)
CONVERSION(int, INT32)
CONVERSION(long, INT64)
CONVERSION(short, INT16)
CONVERSION(char, INT8)
CONVERSION(byte, UINT8)
CONVERSION(bool, BOOL)
CONVERSION(cfloat, COMPLEX64)
CONVERSION(cdouble, COMPLEX128)

/* ---- writing -------------------------------------------------------------------------------------------------- */

tj_tensor *tj__impl_copy_(tj_tensor *self, tj_tensor *src, bool non_blocking) {
  (void)non_blocking;
  return tj__copy_into(self, src);
}

tj_tensor *tj__impl_zero_(tj_tensor *self) {
  if (self->numel > 0 && tj__is_contiguous(self) && self->numel <= TJ__GRAIN && self->storage->device == TJ_CPU) {
    memset(tj__write(self), 0, (size_t)self->numel * tj__itemsize(self));
    return self;
  }
  return tj__fill(self, tj_int(0));
}

tj_tensor *tj__impl_fill(tj_tensor *self, tj_scalar value) { return tj__fill(tj__empty_like(self, (tj_dtype)self->dtype), value); }

tj_tensor *tj__impl_fill_Tensor(tj_tensor *self, tj_tensor *value) {
  tj_tensor *out = tj__empty_like(self, (tj_dtype)self->dtype);
  return out ? tj__impl_fill__Tensor(out, value) : NULL;
}

tj_tensor *tj__impl_fill_(tj_tensor *self, tj_scalar value) { return tj__fill(self, value); }

tj_tensor *tj__impl_fill__Tensor(tj_tensor *self, tj_tensor *value) {
  TJ__CHECK(value->ndim == 0, TJ_ERROR_RUNTIME, "fill_ only supports 0-dimension value tensor but got tensor with %d dimensions.",
            (int)value->ndim);
  if (value->storage == self->storage) value = tj__clone(value); /* else the iterator sees an overlap */
  return tj__copy_into(self, value);
}

tj_tensor *tj__impl_resize_(tj_tensor *self, tj_ints size, const char *memory_format) {
  for (int64_t i = 0; i < size.n; i++)
    TJ__CHECK(size.data[i] >= 0, TJ_ERROR_RUNTIME, "Trying to create tensor with negative dimension %lld: %s", (long long)size.data[i],
              tj__ints_text(size.data, size.n));
  int64_t strides[TJ_MAX_DIMS];
  int given = size.n <= TJ_MAX_DIMS ? format_strides(size, memory_format, strides) : 0; /* too many dimensions are refused below */
  if (given < 0) return NULL;
  return (given ? tj__resize_strided(self, size, (tj_ints){strides, size.n}) : tj__resize(self, size)) ? self : NULL;
}

tj_tensor *tj__impl_resize_as_(tj_tensor *self, tj_tensor *the_template, const char *memory_format) {
  TJ__CHECK(!tj_requires_grad(self), TJ_ERROR_RUNTIME, "cannot resize variables that require grad");
  if (memory_format && strcmp(memory_format, "preserve_format") == 0) {
    memory_format = tj__suggested_format(the_template);
    if (!memory_format) memory_format = "contiguous_format";
  }
  return tj__impl_resize_(self, tj__sizes(the_template), memory_format);
}

/* ---- complex conjugates ---------------------------------------------------------------------------------------- */

/* Conjugates are computed at once: tensors carry no lazy conjugation. Of a real tensor it is the tensor itself. */
tj_tensor *tj__impl_conj_physical(tj_tensor *out, tj_tensor *self) {
  if (!tj_dtype_is_complex((tj_dtype)self->dtype)) {
    if (!out) return self;
    if (tj__resizing_out && !tj__same_sizes(out, self) && !tj__resize(out, tj__sizes(self))) return NULL;
    return tj__copy_into(out, self);
  }
  return tj__pointwise(TJ__PW_conj_physical, out, &self, 1, NULL, TJ__RULE_PROMOTE, "conj_cpu");
}
tj_tensor *tj__impl_conj(tj_tensor *self) { return tj__impl_conj_physical(NULL, self); }
tj_tensor *tj__impl_resolve_conj(tj_tensor *self) { return self; }
tj_tensor *tj__impl_resolve_neg(tj_tensor *self) { return self; }

/* ---- selection ------------------------------------------------------------------------------------------------- */

tj_tensor *tj__where(tj_tensor *out, tj_tensor *condition, tj_tensor *yes, tj_tensor *no) {
  if (!condition || !yes || !no) return NULL;
  tj_dtype dtype = (tj_dtype)yes->dtype;
  tj__iter_spec spec = {.n_outputs = 1,
                        .n_inputs = 3,
                        .outputs = {out},
                        .inputs = {condition, yes, no},
                        .compute = TJ_DTYPE_NONE,
                        .result = dtype,
                        .resize = tj__resizing_out};
  tj__iter it;
  if (tj__iter_init(&it, &spec)) return NULL;
  const tj__backend *backend = tj__backend_of(it.device);
  if (!backend) return NULL;
  tj__iter_run(&it, backend->copy->where[__builtin_ctz((unsigned)tj__dtype_sizes[dtype])], NULL);
  return tj__iter_finish(&it, 0);
}
