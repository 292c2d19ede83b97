/* creation.c: operators that make tensors: uninitialised, filled, or with a sequence in them. */
#include <math.h>

#include "../kernels/backend.h"
#include "../kernels/creation.h"
#include "arithmetic.h"
#include "copy.h"
#include "creation.h"
#include "impl.h"

/* ---- what all factories share ---------------------------------------------------------------------------------- */

tj_tensor *tj__with_requires_grad(tj_tensor *t, bool requires_grad) {
  if (tj__device_failed() || (t && requires_grad && tj_set_requires_grad(t, true))) return NULL;
  return t;
}

tj_tensor *tj__empty_like_as(tj_tensor *t, tj_dtype dtype, tj_device device, const char *memory_format) {
  if (dtype == TJ_DTYPE_NONE) dtype = (tj_dtype)t->dtype;
  if (device == TJ_DEVICE_NONE) device = t->storage->device;
  if (device != t->storage->device) return tj__empty(tj__sizes(t), dtype, device);
  if (!memory_format || !strcmp(memory_format, "preserve_format")) return tj__empty_like(t, dtype);
  if (!strcmp(memory_format, "contiguous_format")) return tj__empty(tj__sizes(t), dtype, device);
  return tj__clone_as(t, dtype, memory_format); /* rare: the copy is made for its layout only */
}

static tj_dtype or_default(tj_dtype dtype) { return dtype == TJ_DTYPE_NONE ? tj_get_default_dtype() : dtype; }

static tj_tensor *filled(tj_tensor *t, tj_scalar value, bool requires_grad) {
  return t ? tj__with_requires_grad(tj__fill(t, value), requires_grad) : NULL;
}

static const tj__creation_kernels *kernels(const tj_tensor *t) {
  const tj__backend *backend = tj__backend_of(t->storage->device);
  return backend ? backend->creation : NULL;
}

/* ---- empty, zeros, ones, full ---------------------------------------------------------------------------------- */

static tj_tensor *laid_out(tj_tensor *t, const char *memory_format) {
  if (!t || !memory_format || !strcmp(memory_format, "contiguous_format")) return t;
  TJ__CHECK(strcmp(memory_format, "preserve_format"), TJ_ERROR_RUNTIME,
            "memory format option is only supported by strided tensors: 'preserve_format' needs a tensor to preserve");
  return tj__clone_as(t, (tj_dtype)t->dtype, memory_format);
}

tj_tensor *tj__impl_empty(tj_ints size, tj_dtype dtype, tj_device device, bool requires_grad, const char *memory_format) {
  return tj__with_requires_grad(laid_out(tj__empty(size, or_default(dtype), device), memory_format), requires_grad);
}
tj_tensor *tj__impl_zeros(tj_ints size, tj_dtype dtype, tj_device device, bool requires_grad) {
  return filled(tj__empty(size, or_default(dtype), device), tj_int(0), requires_grad);
}
tj_tensor *tj__impl_ones(tj_ints size, tj_dtype dtype, tj_device device, bool requires_grad) {
  return filled(tj__empty(size, or_default(dtype), device), tj_int(1), requires_grad);
}
tj_tensor *tj__impl_full(tj_ints size, tj_scalar fill_value, tj_dtype dtype, tj_device device, bool requires_grad) {
  if (dtype == TJ_DTYPE_NONE) {
    dtype = tj_get_default_dtype();
    if (fill_value.kind == TJ_SCALAR_BOOL) dtype = TJ_BOOL;
    else if (fill_value.kind == TJ_SCALAR_INT) dtype = TJ_INT64;
    else if (fill_value.kind == TJ_SCALAR_COMPLEX) dtype = tj__complex_of(dtype);
  }
  return filled(tj__empty(size, dtype, device), fill_value, requires_grad);
}
tj_tensor *tj__impl_empty_strided(tj_ints size, tj_ints stride, tj_dtype dtype, tj_device device, bool requires_grad) {
  return tj__with_requires_grad(tj__empty_strided(size, stride, or_default(dtype), device), requires_grad);
}

tj_tensor *tj__impl_empty_permuted(tj_ints size, tj_ints physical_layout, tj_dtype dtype, tj_device device, bool requires_grad) {
  int64_t strides[TJ_MAX_DIMS], n = size.n, next = 1;
  bool seen[TJ_MAX_DIMS] = {false};
  TJ__CHECK(physical_layout.n == n, TJ_ERROR_RUNTIME,
            "Number of dimensions in size does not match the length of the physical_layout; i.e. len(size) = %lld is not equal to "
            "len(physical_layout) = %lld",
            (long long)n, (long long)physical_layout.n);
  if (!tj__check_ndim(n)) return NULL;
  if (tj__numel_of(size) < 0) return NULL;
  for (int64_t i = n - 1; i >= 0; i--) {
    int64_t d = physical_layout.data[i];
    TJ__CHECK(d >= 0 && d < n, TJ_ERROR_RUNTIME,
              "Dimension out of range (expected to be between 0 and %lld, but got %lld at index %lld).  NB: negative dims not currently "
              "supported; file an issue if you want it.",
              (long long)(n - 1), (long long)d, (long long)i);
    TJ__CHECK(!seen[d], TJ_ERROR_RUNTIME, "Duplicate dim not allowed");
    seen[d] = true;
    strides[d] = next;
    next *= TJ__MAX(size.data[d], 1);
  }
  return tj__with_requires_grad(tj__empty_strided(size, (tj_ints){strides, n}, or_default(dtype), device), requires_grad);
}

tj_tensor *tj__impl_empty_like(tj_tensor *self, tj_dtype dtype, tj_device device, bool requires_grad, const char *memory_format) {
  return tj__with_requires_grad(tj__empty_like_as(self, dtype, device, memory_format), requires_grad);
}
tj_tensor *tj__impl_zeros_like(tj_tensor *self, tj_dtype dtype, tj_device device, bool requires_grad, const char *memory_format) {
  return filled(tj__empty_like_as(self, dtype, device, memory_format), tj_int(0), requires_grad);
}
tj_tensor *tj__impl_ones_like(tj_tensor *self, tj_dtype dtype, tj_device device, bool requires_grad, const char *memory_format) {
  return filled(tj__empty_like_as(self, dtype, device, memory_format), tj_int(1), requires_grad);
}
tj_tensor *tj__impl_full_like(tj_tensor *self, tj_scalar fill_value, tj_dtype dtype, tj_device device, bool requires_grad,
                              const char *memory_format) {
  return filled(tj__empty_like_as(self, dtype, device, memory_format), fill_value, requires_grad);
}

#define OF(self) (dtype == TJ_DTYPE_NONE ? (tj_dtype)(self)->dtype : dtype), (device == TJ_DEVICE_NONE ? (self)->storage->device : device)
tj_tensor *tj__impl_new_empty(tj_tensor *self, tj_ints size, tj_dtype dtype, tj_device device, bool requires_grad) {
  return tj__with_requires_grad(tj__empty(size, OF(self)), requires_grad);
}
tj_tensor *tj__impl_new_zeros(tj_tensor *self, tj_ints size, tj_dtype dtype, tj_device device, bool requires_grad) {
  return filled(tj__empty(size, OF(self)), tj_int(0), requires_grad);
}
tj_tensor *tj__impl_new_ones(tj_tensor *self, tj_ints size, tj_dtype dtype, tj_device device, bool requires_grad) {
  return filled(tj__empty(size, OF(self)), tj_int(1), requires_grad);
}
tj_tensor *tj__impl_new_full(tj_tensor *self, tj_ints size, tj_scalar fill_value, tj_dtype dtype, tj_device device, bool requires_grad) {
  return filled(tj__empty(size, OF(self)), fill_value, requires_grad);
}
tj_tensor *tj__impl_new_empty_strided(tj_tensor *self, tj_ints size, tj_ints stride, tj_dtype dtype, tj_device device, bool requires_grad) {
  return tj__with_requires_grad(tj__empty_strided(size, stride, OF(self)), requires_grad);
}

tj_tensor *tj__impl_scalar_tensor_of(tj_scalar s, tj_dtype dtype, tj_device device, bool requires_grad) {
  return filled(tj__empty(TJ_NO_DIMS, or_default(dtype), device), s, requires_grad);
}

/* ---- arange, range --------------------------------------------------------------------------------------------- */

static bool is_integer(tj_scalar s) { return s.kind == TJ_SCALAR_BOOL || s.kind == TJ_SCALAR_INT; }

static void *not_implemented(const char *kernel, tj_dtype dtype) {
  return tj__fail(TJ_ERROR_RUNTIME, "\"%s\" not implemented for '%s'", kernel, tj__dtype_legacy(dtype));
}

static tj_tensor *sequence(const char *kernel, tj_scalar start, tj_scalar end, tj_scalar step, bool inclusive, tj_dtype dtype,
                           tj_device device, bool requires_grad) {
  bool integers = is_integer(start) && is_integer(end) && is_integer(step);
  if (dtype == TJ_DTYPE_NONE) dtype = integers && !inclusive ? TJ_INT64 : tj_get_default_dtype();
  if (tj__class_of(dtype) != TJ__CLASS_INT && tj__class_of(dtype) != TJ__CLASS_FLOAT) return not_implemented(kernel, dtype);
  double from = tj__scalar_to_double(start), to = tj__scalar_to_double(end), by = tj__scalar_to_double(step), size;
  TJ__CHECK(by > 0 || by < 0, TJ_ERROR_RUNTIME, "step must be nonzero");
  TJ__CHECK(isfinite(from) && isfinite(to), TJ_ERROR_RUNTIME, "unsupported range: %g -> %g", from, to);
  TJ__CHECK((by > 0 && to >= from) || (by < 0 && to <= from), TJ_ERROR_RUNTIME, "upper bound and %s bound inconsistent with step sign",
            inclusive ? "lower" : "larger");
  if (integers && !inclusive) {
    uint64_t span = by > 0 ? (uint64_t)end.i - (uint64_t)start.i : (uint64_t)start.i - (uint64_t)end.i;
    uint64_t stride = by > 0 ? (uint64_t)step.i : 0 - (uint64_t)step.i;
    uint64_t whole = span / stride + (span % stride != 0);
    TJ__CHECK(whole <= INT64_MAX, TJ_ERROR_RUNTIME, "invalid size, possible overflow?");
    tj_tensor *t = tj__empty((tj_ints){(const int64_t[]){(int64_t)whole}, 1}, dtype, device);
    const tj__creation_kernels *k = t ? kernels(t) : NULL;
    if (!k) return NULL;
    k->arange(tj__write(t), dtype, t->numel, start, step);
    return tj__with_requires_grad(t, requires_grad);
  }
  size = inclusive ? floor((to - from) / by) + 1 : ceil((to - from) / by);
  TJ__CHECK(size >= 0 && size < 0x1p63, TJ_ERROR_RUNTIME, "invalid size, possible overflow?");
  tj_tensor *t = tj__empty((tj_ints){(const int64_t[]){(int64_t)size}, 1}, dtype, device);
  const tj__creation_kernels *k = t ? kernels(t) : NULL;
  if (!k) return NULL;
  k->arange(tj__write(t), dtype, t->numel, start, step);
  return tj__with_requires_grad(t, requires_grad);
}

tj_tensor *tj__impl_arange(tj_scalar end, tj_dtype dtype, tj_device device, bool requires_grad) {
  return sequence("arange_cpu", tj_int(0), end, tj_int(1), false, dtype, device, requires_grad);
}
tj_tensor *tj__impl_arange_start(tj_scalar start, tj_scalar end, tj_dtype dtype, tj_device device, bool requires_grad) {
  return sequence("arange_cpu", start, end, tj_int(1), false, dtype, device, requires_grad);
}
tj_tensor *tj__impl_arange_start_step(tj_scalar start, tj_scalar end, tj_scalar step, tj_dtype dtype, tj_device device,
                                      bool requires_grad) {
  return sequence("arange_cpu", start, end, step, false, dtype, device, requires_grad);
}
tj_tensor *tj__impl_range(tj_scalar start, tj_scalar end, tj_scalar step, tj_dtype dtype, tj_device device, bool requires_grad) {
  return sequence("range_cpu", start, end, step, true, dtype, device, requires_grad);
}

/* ---- linspace, logspace ---------------------------------------------------------------------------------------- */

static tj_tensor *space(bool logarithmic, tj_scalar start, tj_scalar end, int64_t steps, double base, tj_dtype dtype, tj_device device,
                        bool requires_grad) {
  TJ__CHECK(steps >= 0, TJ_ERROR_RUNTIME, "number of steps must be non-negative");
  bool complex_numbers = start.kind == TJ_SCALAR_COMPLEX || end.kind == TJ_SCALAR_COMPLEX;
  if (dtype == TJ_DTYPE_NONE) dtype = complex_numbers ? tj__complex_of(tj_get_default_dtype()) : tj_get_default_dtype();
  TJ__CHECK(!complex_numbers || tj_dtype_is_complex(dtype), TJ_ERROR_RUNTIME,
            "%s(): inferred dtype %s can't be safely cast to passed dtype %s", logarithmic ? "torch.logspace" : "torch.linspace",
            tj__dtype_legacy(tj__complex_of(tj_get_default_dtype())), tj__dtype_legacy(dtype));
  if (dtype == TJ_BOOL && steps > 1) return not_implemented(logarithmic ? "logspace_cpu" : "linspace_cpu", dtype);
  tj_tensor *t = tj__empty(TJ_INTS(steps), dtype, device);
  const tj__creation_kernels *k = t ? kernels(t) : NULL;
  if (!k) return NULL;
  if (logarithmic) k->logspace(tj__write(t), dtype, steps, start, end, base);
  else k->linspace(tj__write(t), dtype, steps, start, end);
  return tj__with_requires_grad(t, requires_grad);
}

/* A bound as a number or as a 0-dimensional tensor. */
typedef struct bound {
  tj_tensor *tensor;
  tj_scalar number;
} bound;

/* An element that stays on its device, as the dtype holds it, in float32; else the number. */
static tj_tensor *bound_there(const bound *b, tj_dtype dtype, tj_device device) {
  tj_tensor *t = b->tensor ? tj__on_device(b->tensor, device) : tj__empty(TJ_INTS(), dtype, device);
  if (t && !b->tensor && !tj__fill(t, b->number)) return NULL;
  return t ? tj__to_dtype(tj__to_dtype(t, dtype), TJ_FLOAT32) : NULL;
}

/* Where a bound cannot be looked at: the sequence is computed beside it, from both ends towards the middle as on the cpu. */
static tj_tensor *space_there(bool logarithmic, const bound *start, const bound *end, int64_t steps, double base, tj_dtype dtype,
                              tj_device device, bool requires_grad) {
  TJ__CHECK(steps >= 0, TJ_ERROR_RUNTIME, "number of steps must be non-negative");
  if (dtype == TJ_DTYPE_NONE) dtype = tj_get_default_dtype();
  if (dtype == TJ_BOOL && steps > 1) return not_implemented(logarithmic ? "logspace_cpu" : "linspace_cpu", dtype);
  tj_tensor *from = bound_there(start, dtype, device), *to = bound_there(end, dtype, device);
  tj_tensor *at = tj_arange(tj_int(steps), TJ_FLOAT32, device, false);
  if (!from || !to || !at) return NULL;
  tj_tensor *step = tj_div(tj_sub(to, from, TJ__ONE), tj__number((double)TJ__MAX(steps - 1, 1)));
  tj_tensor *rising = tj_add(from, tj_mul(at, step), TJ__ONE);
  tj_tensor *falling = tj_sub(to, tj_mul(tj_rsub(at, tj__number((double)(steps - 1)), TJ__ONE), step), TJ__ONE);
  tj_tensor *t = steps == 1 ? rising : tj_where(tj_lt(at, tj__number((double)(steps / 2))), rising, falling);
  if (t && logarithmic) t = tj_pow(tj__number(base), t);
  return t ? tj__with_requires_grad(tj__to_dtype(t, dtype), requires_grad) : NULL;
}

static tj_tensor *space_between(bool logarithmic, bound start, bound end, int64_t steps, double base, tj_dtype dtype, tj_device device,
                                bool requires_grad) {
  const char *op = logarithmic ? "logspace" : "linspace";
  const bool ok = (!start.tensor || start.tensor->ndim == 0) && (!end.tensor || end.tensor->ndim == 0);
  TJ__CHECK(ok || !start.tensor || !end.tensor, TJ_ERROR_RUNTIME,
            "%s only supports 0-dimensional start and end tensors, but got start with %d dimension(s) and end with %d dimension(s).", op,
            start.tensor->ndim, end.tensor->ndim);
  TJ__CHECK(ok, TJ_ERROR_RUNTIME, "%s only supports 0-dimensional start and end tensors, but got %s with %d dimension(s).", op,
            start.tensor ? "start" : "end", start.tensor ? start.tensor->ndim : end.tensor->ndim);
  const tj_tensor *hidden = start.tensor && !tj__can_look(start.tensor) ? start.tensor : NULL;
  if (!hidden && end.tensor && !tj__can_look(end.tensor)) hidden = end.tensor;
  if (hidden && (device == TJ_DEVICE_NONE || device == hidden->storage->device))
    return space_there(logarithmic, &start, &end, steps, base, dtype, hidden->storage->device, requires_grad);
  if (start.tensor) start.number = tj_item(start.tensor);
  if (end.tensor) end.number = tj_item(end.tensor);
  if (start.number.kind == TJ_SCALAR_NONE || end.number.kind == TJ_SCALAR_NONE) return NULL;
  return space(logarithmic, start.number, end.number, steps, base, dtype, device, requires_grad);
}
static bound tensor_bound(tj_tensor *t) { return (bound){.tensor = t}; }
static bound number_bound(tj_scalar s) { return (bound){.number = s}; }

tj_tensor *tj__impl_linspace(tj_scalar start, tj_scalar end, int64_t steps, tj_dtype dtype, tj_device device, bool requires_grad) {
  return space(false, start, end, steps, 0, dtype, device, requires_grad);
}
tj_tensor *tj__impl_linspace_Tensor_Tensor(tj_tensor *start, tj_tensor *end, int64_t steps, tj_dtype dtype, tj_device device,
                                           bool requires_grad) {
  return space_between(false, tensor_bound(start), tensor_bound(end), steps, 0, dtype, device, requires_grad);
}
tj_tensor *tj__impl_linspace_Tensor_Scalar(tj_tensor *start, tj_scalar end, int64_t steps, tj_dtype dtype, tj_device device,
                                           bool requires_grad) {
  return space_between(false, tensor_bound(start), number_bound(end), steps, 0, dtype, device, requires_grad);
}
tj_tensor *tj__impl_linspace_Scalar_Tensor(tj_scalar start, tj_tensor *end, int64_t steps, tj_dtype dtype, tj_device device,
                                           bool requires_grad) {
  return space_between(false, number_bound(start), tensor_bound(end), steps, 0, dtype, device, requires_grad);
}
tj_tensor *tj__impl_logspace(tj_scalar start, tj_scalar end, int64_t steps, double base, tj_dtype dtype, tj_device device,
                             bool requires_grad) {
  return space(true, start, end, steps, base, dtype, device, requires_grad);
}
tj_tensor *tj__impl_logspace_Tensor_Tensor(tj_tensor *start, tj_tensor *end, int64_t steps, double base, tj_dtype dtype, tj_device device,
                                           bool requires_grad) {
  return space_between(true, tensor_bound(start), tensor_bound(end), steps, base, dtype, device, requires_grad);
}
tj_tensor *tj__impl_logspace_Tensor_Scalar(tj_tensor *start, tj_scalar end, int64_t steps, double base, tj_dtype dtype, tj_device device,
                                           bool requires_grad) {
  return space_between(true, tensor_bound(start), number_bound(end), steps, base, dtype, device, requires_grad);
}
tj_tensor *tj__impl_logspace_Scalar_Tensor(tj_scalar start, tj_tensor *end, int64_t steps, double base, tj_dtype dtype, tj_device device,
                                           bool requires_grad) {
  return space_between(true, number_bound(start), tensor_bound(end), steps, base, dtype, device, requires_grad);
}

/* ---- matrices -------------------------------------------------------------------------------------------------- */

tj_tensor *tj__impl_eye_m(int64_t n, int64_t m, tj_dtype dtype, tj_device device, bool requires_grad) {
  TJ__CHECK(n >= 0, TJ_ERROR_RUNTIME, "n must be greater or equal to 0, got %lld", (long long)n);
  TJ__CHECK(m >= 0, TJ_ERROR_RUNTIME, "m must be greater or equal to 0, got %lld", (long long)m);
  tj_tensor *t = filled(tj__empty(TJ_INTS(n, m), or_default(dtype), device), tj_int(0), false);
  tj_tensor *diagonal = t ? tj__alias(t, TJ_INTS(TJ__MIN(n, m)), TJ_INTS(m + 1), 0) : NULL;
  return diagonal && tj__fill(diagonal, tj_int(1)) ? tj__with_requires_grad(t, requires_grad) : NULL;
}
tj_tensor *tj__impl_eye(int64_t n, tj_dtype dtype, tj_device device, bool requires_grad) {
  return tj__impl_eye_m(n, n, dtype, device, requires_grad);
}

static int64_t clamp(int64_t v, int64_t low, int64_t high) { return TJ__MIN(TJ__MAX(v, low), high); }

/* Elements of the first `rows` rows of the lower triangle, whose row i holds i + offset + 1 of them, but at least none and at most all. */
static int64_t lower_count(int64_t rows, int64_t columns, int64_t offset) {
  int64_t first = clamp(-offset, 0, rows), full = clamp(columns - offset - 1, first, rows);
  int64_t growing = full - first, ends = first + full + 2 * offset + 1; /* one of the two is even */
  return (growing % 2 ? growing * (ends / 2) : growing / 2 * ends) + (rows - full) * columns;
}

static tj_tensor *triangle(int64_t row, int64_t col, int64_t offset, bool lower, tj_dtype dtype, tj_device device, bool requires_grad) {
  if (dtype == TJ_DTYPE_NONE) dtype = TJ_INT64;
  TJ__CHECK(row >= 0, TJ_ERROR_RUNTIME, "row must be non-negative, got%lld", (long long)row);
  TJ__CHECK(col >= 0, TJ_ERROR_RUNTIME, "col must be non-negative, got%lld", (long long)col);
  if (dtype != TJ_INT64 && dtype != TJ_INT32) return not_implemented(lower ? "tril_indices" : "triu_indices", dtype);
  int64_t size;
  TJ__CHECK(!__builtin_mul_overflow(row, col, &size), TJ_ERROR_RUNTIME, "Storage size calculation overflowed with sizes=[2, %lld, %lld]",
            (long long)row, (long long)col);
  /* offsets beyond the matrix are the same as its edges */
  offset = TJ__MAX(TJ__MIN(offset, col), -row);
  int64_t n = lower ? lower_count(row, col, offset) : size - lower_count(row, col, offset - 1);
  tj_tensor *t = tj__empty(TJ_INTS(2, n), dtype, device);
  const tj__creation_kernels *k = t ? kernels(t) : NULL;
  if (!k) return NULL;
  if (n) k->triangle(tj__write(t), dtype, n, row, col, offset, lower);
  return tj__with_requires_grad(t, requires_grad);
}
tj_tensor *tj__impl_tril_indices(int64_t row, int64_t col, int64_t offset, tj_dtype dtype, tj_device device, bool requires_grad) {
  return triangle(row, col, offset, true, dtype, device, requires_grad);
}
tj_tensor *tj__impl_triu_indices(int64_t row, int64_t col, int64_t offset, tj_dtype dtype, tj_device device, bool requires_grad) {
  return triangle(row, col, offset, false, dtype, device, requires_grad);
}

/* ---- complex numbers from parts -------------------------------------------------------------------------------- */

/* The real or imaginary parts of a complex tensor, as a view of it. */
static tj_tensor *part(tj_tensor *t, bool imaginary) {
  int64_t strides[TJ_MAX_DIMS];
  for (int i = 0; i < t->ndim; i++) strides[i] = 2 * t->strides[i];
  return tj__alias_dtype(t, tj__real_of((tj_dtype)t->dtype), tj__sizes(t), (tj_ints){strides, t->ndim}, 2 * t->offset + imaginary);
}

tj_tensor *tj__impl_complex(tj_tensor *real, tj_tensor *imag) {
  tj_dtype dtype = (tj_dtype)real->dtype, other = (tj_dtype)imag->dtype;
  bool ok =
      dtype != TJ_BFLOAT16 && other != TJ_BFLOAT16 && tj__class_of(dtype) == TJ__CLASS_FLOAT && tj__class_of(other) == TJ__CLASS_FLOAT;
  TJ__CHECK(ok, TJ_ERROR_RUNTIME, "Expected both inputs to be Half, Float or Double tensors but got %s and %s", tj__dtype_legacy(dtype),
            tj__dtype_legacy(other));
  TJ__CHECK(dtype == other, TJ_ERROR_RUNTIME, "Expected object of scalar type %s but got scalar type %s for second argument",
            tj__dtype_legacy(dtype), tj__dtype_legacy(other));
  int64_t sizes[TJ_MAX_DIMS];
  int ndim = tj__broadcast_sizes(tj__sizes(real), tj__sizes(imag), sizes);
  if (ndim < 0) return NULL;
  /* laid out as its first part is, where that has all its sizes */
  tj_tensor *t = tj__same_sizes(real, imag) ? tj__empty_like(real, tj__complex_of(dtype))
                                            : tj__empty((tj_ints){sizes, ndim}, tj__complex_of(dtype), real->storage->device);
  if (!t || !tj__copy_into(part(t, false), real) || !tj__copy_into(part(t, true), imag)) return NULL;
  return t;
}

tj_tensor *tj__impl_complex_part(tj_tensor *self, bool imaginary) {
  if (tj_dtype_is_complex((tj_dtype)self->dtype)) return tj__clone(part(self, imaginary));
  return imaginary ? filled(tj__empty_like(self, (tj_dtype)self->dtype), tj_int(0), false) : tj__clone(self);
}

tj_tensor *tj__impl_complex_of_part(tj_tensor *self, bool imaginary) {
  tj_tensor *t = tj__empty_like(self, tj__complex_of((tj_dtype)self->dtype));
  if (!t || !tj__fill(t, tj_int(0)) || !tj__copy_into(part(t, imaginary), self)) return NULL;
  return t;
}

tj_tensor *tj__impl_polar(tj_tensor *abs, tj_tensor *angle) {
  tj_dtype dtype = (tj_dtype)abs->dtype, other = (tj_dtype)angle->dtype;
  bool ok =
      tj__class_of(dtype) == TJ__CLASS_FLOAT && tj__class_of(other) == TJ__CLASS_FLOAT && dtype != TJ_BFLOAT16 && other != TJ_BFLOAT16;
  TJ__CHECK(ok, TJ_ERROR_RUNTIME, "Expected both inputs to be Half, Float or Double tensors but got %s and %s", tj__dtype_legacy(dtype),
            tj__dtype_legacy(other));
  TJ__CHECK(dtype == other, TJ_ERROR_RUNTIME, "Expected object of scalar type %s but got scalar type %s for second argument",
            tj__dtype_legacy(dtype), tj__dtype_legacy(other));
  return tj_complex(tj_mul(abs, tj_cos(angle)), tj_mul(abs, tj_sin(angle)));
}
