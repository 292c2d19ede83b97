/* ops/pad.c: padding of every mode. Constants are a copy into a larger tensor; the other modes are an index map a dimension. */
#include "impl.h"
#include "ops.h"
#include "ops/copy.h"
#include "ops/resample.h"

#define RUNTIME(condition, ...) TJ__CHECK(condition, TJ_ERROR_RUNTIME, __VA_ARGS__)
#define LL(x) ((long long)(x))

/* pad counts from the last dimension: before and after the d-th. */
static int64_t before(tj_ints pad, const tj_tensor *t, int d) {
  int64_t at = 2 * (int64_t)(t->ndim - 1 - d);
  return at < pad.n ? pad.data[at] : 0;
}
static int64_t after(tj_ints pad, const tj_tensor *t, int d) {
  int64_t at = 2 * (int64_t)(t->ndim - 1 - d) + 1;
  return at < pad.n ? pad.data[at] : 0;
}

/* ---- constants --------------------------------------------------------------------------------------------------- */

tj_tensor *tj__impl_constant_pad_nd(tj_tensor *self, tj_ints pad, tj_scalar value) {
  RUNTIME(pad.n % 2 == 0, "Length of pad must be even but instead it equals %lld", LL(pad.n));
  RUNTIME(pad.n <= 2 * (int64_t)self->ndim,
          "Length of pad should be no more than twice the number of dimensions of the input. Pad length is %lldwhile the input has "
          "%ddimensions.",
          LL(pad.n), (int)self->ndim);
  int64_t sizes[TJ_MAX_DIMS], inside[TJ_MAX_DIMS], from = self->offset, to = 0;
  for (int d = 0; d < self->ndim; d++) {
    int64_t l = before(pad, self, d), r = after(pad, self, d);
    sizes[d] = self->sizes[d] + l + r;
    /* what of the input is seen */
    inside[d] = self->sizes[d] + TJ__MIN(l, 0) + TJ__MIN(r, 0);
    RUNTIME(inside[d] >= 0, TJ__TEXT_narrow_error_length_exceeds_bounds_2);
  }
  tj_dtype dtype = (tj_dtype)self->dtype;
  RUNTIME(value.kind != TJ_SCALAR_COMPLEX || tj_dtype_is_complex(dtype), "value cannot be converted to type %s without overflow",
          tj_dtype_name(dtype));
  tj_tensor *out = tj__empty((tj_ints){sizes, self->ndim}, dtype, self->storage->device);
  const char *format = tj__suggested_format(self);
  if (out && format) out = tj__clone_as(out, dtype, format);
  if (!out || !tj__fill(out, value)) return NULL;
  for (int d = 0; d < self->ndim; d++) {
    int64_t l = before(pad, self, d);
    if (l < 0) from -= l * self->strides[d];
    else to += l * out->strides[d];
    if (!inside[d]) return out;
  }
  tj_tensor *source = tj__alias(self, (tj_ints){inside, self->ndim}, tj__strides(self), from);
  tj_tensor *target = source ? tj__alias(out, (tj_ints){inside, self->ndim}, tj__strides(out), to) : NULL;
  return target && tj__copy_into(target, source) ? out : NULL;
}

tj_tensor *tj__impl_constant_pad_backward(tj_tensor *grad, tj_ints pad) {
  int64_t negative[2 * TJ_MAX_DIMS];
  RUNTIME(pad.n <= 2 * TJ_MAX_DIMS, "constant_pad_backward: %lld paddings", LL(pad.n));
  for (int64_t i = 0; i < pad.n; i++) negative[i] = -pad.data[i];
  return tj_constant_pad_nd(grad, (tj_ints){negative, pad.n}, tj_int(0));
}

/* ---- by index ---------------------------------------------------------------------------------------------------- */

/* Where element j of a dimension of size n with l in front (and r behind) comes from. */
static int64_t source_of(char mode, int64_t j, int64_t n, int64_t l, int64_t r) {
  int64_t at = j - l;
  if (mode == 'c') { /* around what negative padding leaves */
    int64_t low = TJ__MAX(0, -l), m = n - low - TJ__MAX(0, -r);
    at = (at - low) % m;
    return low + (at < 0 ? at + m : at);
  }
  if (mode == 'r') return at < 0 ? -at : at >= n ? 2 * (n - 1) - at : at;
  return TJ__MIN(TJ__MAX(at, 0), n - 1);
}

/* mode as reflect ('r'), replicate ('e': the edge) or circular ('c'). */
static char letter(const char *mode) { return !strcmp(mode, "reflect") ? 'r' : mode[0] == 'c' ? 'c' : 'e'; }

/* sizes: of the unpadded tensor. The gradient (transposed) of float16 and bfloat16 is summed in float32. */
static tj_tensor *by_index(tj_tensor *t, tj_ints sizes, tj_ints pad, const char *mode, bool transposed) {
  const tj_dtype dtype = (tj_dtype)t->dtype;
  const char *format = mode[0] == 'c' ? NULL : tj__suggested_format(t); /* PyTorch composes circular padding of copies */
  if (transposed && (dtype == TJ_FLOAT16 || dtype == TJ_BFLOAT16)) t = tj__to_dtype(t, TJ_FLOAT32);
  tj_tensor *x = t ? tj__contiguous(t) : NULL;
  for (int d = (int)sizes.n - 1; x && d >= 0; d--) {
    int64_t at = 2 * (sizes.n - 1 - d), l = at < pad.n ? pad.data[at] : 0, r = at < pad.n ? pad.data[at + 1] : 0;
    if (l == 0 && r == 0) continue;
    tj__table table, turned;
    int64_t n = sizes.data[d], out = n + l + r;
    if (!tj__table_init(&table, n, out, out, false)) return NULL;
    for (int64_t j = 0; j < out; j++) table.index[j] = source_of(letter(mode), j, n, l, r), table.first[j + 1] = j + 1;
    table.n_taps = out;
    if (!transposed) x = tj__table_apply(x, d, &table);
    else {
      x = tj__table_transpose(&table, &turned) ? tj__table_apply(x, d, &turned) : NULL;
      tj__table_drop(&turned);
    }
    tj__table_drop(&table);
  }
  if (!x || (x = tj__to_dtype(x, dtype)) == NULL) return NULL;
  return format ? tj__clone_as(x, dtype, format) : x == t ? tj__clone(x) : x;
}

tj_tensor *tj__impl_pad_by_index(tj_tensor *self, tj_ints pad, const char *mode) {
  return by_index(self, tj__sizes(self), pad, mode, false);
}
tj_tensor *tj__impl_pad_by_index_backward(tj_tensor *grad, tj_ints sizes, tj_ints pad, const char *mode) {
  return by_index(grad, sizes, pad, mode, true);
}

/* The last `dims` dimensions are padded: PyTorch's checks of reflect and replicate. */
static void *check_edges(const tj_tensor *t, tj_ints pad, int dims, bool reflect) {
  bool batch = t->ndim == dims + 2, valid = true;
  for (int d = batch; d < t->ndim; d++) valid = valid && t->sizes[d] != 0;
  RUNTIME(valid, "Expected %dD or %dD (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, but got: %s",
          dims + 1, dims + 2, tj__sizes_text(t));
  int64_t in[3], out[3];
  bool small = true;
  for (int i = 0; i < dims; i++) { /* i counts from the last dimension */
    int d = t->ndim - 1 - i;
    int64_t l = pad.data[2 * i], r = pad.data[2 * i + 1];
    in[i] = t->sizes[d], out[i] = in[i] + l + r;
    small = small && out[i] < 1;
    RUNTIME(!reflect || (l < in[i] && r < in[i]),
            "Argument #%d: Padding size should be less than the corresponding input dimension, but got: padding (%lld, %lld) at dimension "
            "%d of input %s",
            4 + 2 * i, LL(l), LL(r), d, tj__sizes_text(t));
  }
  if (!small) {
    for (int i = 0; i < dims; i++)
      RUNTIME(out[i] >= 0, "Trying to create tensor with negative dimension %lld: %s", LL(out[i]), tj__ints_text(out, dims));
    return in[0] ? (void *)t : NULL;
  }
  if (dims == 1) return tj__fail(TJ_ERROR_RUNTIME, "input (W: %lld) is too small. Calculated output W: %lld", LL(in[0]), LL(out[0]));
  if (dims == 2)
    return tj__fail(TJ_ERROR_RUNTIME, "input (H: %lld, W: %lld%s) is too small. Calculated output H: %lld W: %lld", LL(in[1]), LL(in[0]),
                    reflect ? "" : " ", LL(out[1]), LL(out[0]));
  return tj__fail(TJ_ERROR_RUNTIME, "input (D: %lld H: %lld, W: %lld) is too small. Calculated output D: %lld H: %lld W: %lld", LL(in[2]),
                  LL(in[1]), LL(in[0]), LL(out[2]), LL(out[1]), LL(out[0]));
}

static void *check_circular(const tj_tensor *t, tj_ints pad, int dims) {
  for (int i = 0; i < dims; i++) {
    int64_t n = t->sizes[t->ndim - 1 - i], l = pad.data[2 * i], r = pad.data[2 * i + 1];
    RUNTIME(l <= n && r <= n, "Padding value causes wrapping around more than once.");
    RUNTIME(n + l + r >= 0 && (n + TJ__MIN(l, 0) + TJ__MIN(r, 0) > 0 || n + l + r == 0),
            "Negative padding value is resulting in an empty dimension");
  }
  return (void *)t;
}

tj_tensor *tj__impl_pad(tj_tensor *input, tj_ints pad, const char *mode, tj_scalar value) {
  const bool reflect = !strcmp(mode, "reflect"), replicate = !strcmp(mode, "replicate"), circular = !strcmp(mode, "circular");
  TJ__CHECK(reflect || replicate || circular || !strcmp(mode, "constant"), TJ_ERROR_NOT_IMPLEMENTED, "Unrecognised padding mode %s", mode);
  RUNTIME(pad.n % 2 == 0, "Padding length must be divisible by 2");
  RUNTIME(pad.n <= 2 * (int64_t)input->ndim,
          "Padding length should be less than or equal to two times the input dimension but got padding length %lld and input of dimension "
          "%d",
          LL(pad.n), (int)input->ndim);
  if (!strcmp(mode, "constant")) return tj_constant_pad_nd(input, pad, value.kind == TJ_SCALAR_NONE ? tj_float(0) : value);
  RUNTIME(value.kind == TJ_SCALAR_NONE || tj__scalar_is_zero(value), "Padding mode \"%s\" doesn't take in value argument", mode);
  const int dims = (int)(pad.n / 2);
  TJ__CHECK(dims >= 1 && dims <= 3 && (input->ndim == dims + 1 || input->ndim == dims + 2), TJ_ERROR_NOT_IMPLEMENTED,
            "Only 2D, 3D, 4D, 5D padding with non-constant padding are supported for now");
  if (circular ? !check_circular(input, pad, dims) : !check_edges(input, pad, dims, reflect)) return NULL;
  TJ__CHECK(circular || (input->dtype != TJ_BOOL && input->dtype != TJ_UINT16 && input->dtype != TJ_UINT32 && input->dtype != TJ_UINT64),
            TJ_ERROR_NOT_IMPLEMENTED, "\"%s_pad%dd\" not implemented for '%s'", reflect ? "reflection" : "replication", dims,
            tj__dtype_legacy((tj_dtype)input->dtype));
  return tj_pad_by_index(input, pad, mode);
}
