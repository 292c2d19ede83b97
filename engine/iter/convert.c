/* convert.c: copies between tensors, through the iterator and the copy kernels of the tensors' device. */
#include "convert.h"

#include <math.h>

#include "../kernels/backend.h"
#include "../kernels/copy.h"
#include "iter.h"

static const tj__copy_kernels *kernels_of(const tj_tensor *t) {
  const tj__backend *backend = tj__backend_of(t->storage->device);
  return backend ? backend->copy : NULL;
}

/* ---- transposed copies ---------------------------------------------------------------------------------------- */

/* A copy whose fastest dimensions differ between the two sides walks one of them with large steps. Square tiles keep both in cache. */
typedef struct transposition {
  const tj__iter *it;
  const tj__copy_kernels *kernels;
  tj__loop convert; /* NULL: same dtype, moved by `transpose` */
  int log2_size;
  int source_dim; /* the iteration dimension along which the source is adjacent; 0 is the destination's */
  int64_t tiles_per_plane, tile_rows;
} transposition;

#define TILE 32

static void transpose_tiles(int64_t begin, int64_t end, void *context) {
  const transposition *tr = context;
  const tj__iter *it = tr->it;
  const tj__operand *to = &it->operands[0], *from = &it->operands[1];
  int b = tr->source_dim;
  int64_t m = it->shape[0], n = it->shape[b];
  for (int64_t i = begin; i < end; i++) {
    int64_t plane = i / tr->tiles_per_plane, tile = i % tr->tiles_per_plane;
    char *dst = to->data;
    const char *src = from->data;
    for (int d = 1; d < it->ndim; d++) {
      if (d == b) continue;
      int64_t at = plane % it->shape[d];
      plane /= it->shape[d];
      dst += at * to->strides[d];
      src += at * from->strides[d];
    }
    int64_t row = tile / tr->tile_rows * TILE, column = tile % tr->tile_rows * TILE; /* row: along b; column: along dimension 0 */
    int64_t rows = TJ__MIN(TILE, n - row), columns = TJ__MIN(TILE, m - column);
    dst += row * to->strides[b] + column * to->strides[0];
    src += row * from->strides[b] + column * from->strides[0];
    if (!tr->convert) {
      tr->kernels->transpose[tr->log2_size](dst, to->strides[b], src, from->strides[0], columns, rows);
      continue;
    }
    int64_t strides[2] = {to->strides[0], from->strides[0]};
    for (int64_t r = 0; r < rows; r++) {
      char *data[2] = {dst + r * to->strides[b], (char *)(uintptr_t)src + r * from->strides[b]};
      tr->convert(data, strides, columns, NULL);
    }
  }
}

/* true if the copy was a transposition and is done. */
static bool copy_transposed(const tj__iter *it, const tj__copy_kernels *kernels, tj_dtype to, tj_dtype from) {
  int64_t to_size = tj__dtype_sizes[to], from_size = tj__dtype_sizes[from];
  if (it->ndim < 2 || it->shape[0] < 8 || it->operands[0].strides[0] != to_size || it->operands[1].strides[0] == from_size) return false;
  int b = 0;
  for (int d = 1; d < it->ndim && !b; d++)
    if (it->operands[1].strides[d] == from_size && it->shape[d] >= 8) b = d;
  if (!b || it->operands[1].strides[0] == 0) return false;
  transposition tr = {.it = it, .kernels = kernels, .source_dim = b};
  if (to != from) tr.convert = kernels->convert[to][from];
  tr.log2_size = __builtin_ctz((unsigned)to_size);
  tr.tile_rows = (it->shape[0] + TILE - 1) / TILE;
  tr.tiles_per_plane = tr.tile_rows * ((it->shape[b] + TILE - 1) / TILE);
  int64_t planes = it->numel / (it->shape[0] * it->shape[b]);
  tj__parallel_for(planes * tr.tiles_per_plane, TJ__GRAIN / (TILE * TILE), transpose_tiles, &tr);
  return true;
}

/* ---- copies --------------------------------------------------------------------------------------------------- */

/* Between devices: from the CPU. The other way is asynchronous, and no business of a copy. */
static tj_tensor *copy_across(tj_tensor *dst, tj_tensor *src) {
  if (dst->storage->device == TJ_CPU) return tj__fail_asynchronous(src);
  if (!tj__can_expand(tj__sizes(src), tj__sizes(dst)))
    return tj__fail(TJ_ERROR_RUNTIME, "The expanded size of the tensor %s must match the existing size %s", tj__sizes_text(dst),
                    tj__sizes_text(src));
  if (dst->numel == 0) return dst;
  /* dst's order of memory where it is dense: then one transfer is enough */
  tj_tensor *staged = tj__is_dense(dst) ? tj__empty_strided(tj__sizes(dst), tj__strides(dst), (tj_dtype)dst->dtype, TJ_CPU)
                                        : tj__empty(tj__sizes(dst), (tj_dtype)dst->dtype, TJ_CPU);
  if (!tj__copy_into(staged, src)) return NULL;
  tj_ints all = TJ_INTS(dst->numel), one = TJ_INTS(1);
  tj_tensor *from = tj__alias(staged, all, one, 0);
  tj_tensor *to =
      tj__is_dense(dst) ? tj__alias(dst, all, one, dst->offset) : tj__empty(tj__sizes(dst), (tj_dtype)dst->dtype, dst->storage->device);
  if (!from || !to || !tj__device_memory->upload(to, from)) return NULL;
  return tj__is_dense(dst) ? dst : tj__copy_into(dst, to);
}

tj_tensor *tj__copy_into(tj_tensor *dst, tj_tensor *src) {
  if (!dst || !src) return NULL;
  if (dst == src) return dst;
  if (TJ__UNLIKELY(dst->storage->device != src->storage->device)) return copy_across(dst, src);
  const tj__copy_kernels *kernels = kernels_of(dst);
  if (!kernels) return NULL;
  tj__iter it;
  tj__iter_spec spec = {
      .n_outputs = 1, .n_inputs = 1, .outputs = {dst}, .inputs = {src}, .compute = TJ_DTYPE_NONE, .result = TJ_DTYPE_NONE};
  if (tj__iter_init(&it, &spec)) return NULL;
  if (it.numel == 0 || (it.operands[0].data == it.operands[1].data && dst->dtype == src->dtype && tj__same_sizes(dst, src) &&
                        memcmp(dst->strides, src->strides, (size_t)dst->ndim * sizeof(int64_t)) == 0))
    return dst;
  if (it.device != TJ_CPU || !copy_transposed(&it, kernels, (tj_dtype)dst->dtype, (tj_dtype)src->dtype))
    tj__iter_run(&it, kernels->convert[dst->dtype][src->dtype], NULL);
  return tj__iter_finish(&it, 0) ? dst : NULL;
}

tj_tensor *tj__to_dtype(tj_tensor *t, tj_dtype dtype) {
  if (!t || t->dtype == dtype) return t;
  return tj__copy_into(tj__empty_like(t, dtype), t);
}

tj_tensor *tj__contiguous(tj_tensor *t) {
  if (!t || tj__is_contiguous(t)) return t;
  return tj__copy_into(tj__empty(tj__sizes(t), (tj_dtype)t->dtype, t->storage->device), t);
}

tj_tensor *tj__on_device(tj_tensor *t, tj_device device) {
  if (!t || t->storage->device == device) return t;
  return tj__copy_into(tj__empty(tj__sizes(t), (tj_dtype)t->dtype, device), t);
}

tj_tensor *tj__clone(tj_tensor *t) {
  if (!t) return NULL;
  return tj__copy_into(tj__empty_like(t, (tj_dtype)t->dtype), t);
}

/* ---- filling -------------------------------------------------------------------------------------------------- */

static bool number_fits(tj_scalar value, tj_dtype dtype) {
  static const struct {
    double low, high;
  } limits[TJ_DTYPE_COUNT] = {[TJ_UINT8] = {-255, 255},
                              [TJ_INT8] = {-128, 127},
                              [TJ_INT16] = {-32768, 32767},
                              [TJ_INT32] = {-0x1p31, 0x1p31 - 1},
                              [TJ_UINT16] = {-65535, 65535},
                              [TJ_UINT32] = {-(0x1p32 - 1), 0x1p32 - 1},
                              [TJ_FLOAT16] = {-65504, 65504},
                              [TJ_BFLOAT16] = {-0x1.fep127, 0x1.fep127},
                              [TJ_FLOAT32] = {-0x1.fffffep127, 0x1.fffffep127},
                              [TJ_COMPLEX64] = {-0x1.fffffep127, 0x1.fffffep127}};
  tj__dtype_class class = tj__class_of(dtype);
  bool is_int = value.kind == TJ_SCALAR_BOOL || value.kind == TJ_SCALAR_INT;
  if (class == TJ__CLASS_BOOL || value.kind == TJ_SCALAR_NONE) return true;
  if (value.kind == TJ_SCALAR_COMPLEX && class != TJ__CLASS_COMPLEX) {
    if (value.c.im != 0) return false;
    value = tj_float(value.c.re);
  }
  if (dtype == TJ_FLOAT64 || dtype == TJ_COMPLEX128) return true;
  if (dtype == TJ_INT64 || dtype == TJ_UINT64) /* unsigned integers take negative numbers modulo 2^64 */
    return is_int || (value.f >= -0x1p63 && value.f < (dtype == TJ_UINT64 ? 0x1p64 : 0x1p63));
  double low = limits[dtype].low, high = limits[dtype].high;
  if (class == TJ__CLASS_INT) {
    double v = is_int ? (double)value.i : value.f;
    return v >= low && v <= high; /* false for NaN */
  }
  double re = value.kind == TJ_SCALAR_COMPLEX ? value.c.re : is_int ? (double)value.i : value.f;
  double im = value.kind == TJ_SCALAR_COMPLEX ? value.c.im : 0;
  return !(isfinite(re) && (re < low || re > high)) && !(isfinite(im) && (im < low || im > high));
}

bool tj__check_scalar_fits(tj_scalar value, tj_dtype dtype) {
  static const char *const names[TJ_DTYPE_COUNT] = {[TJ_BOOL] = "bool",
                                                    [TJ_UINT8] = "uint8_t",
                                                    [TJ_INT8] = "int8_t",
                                                    [TJ_INT16] = "int16_t",
                                                    [TJ_INT32] = "int",
                                                    [TJ_INT64] = "int64_t",
                                                    [TJ_UINT16] = "uint16_t",
                                                    [TJ_UINT32] = "uint32_t",
                                                    [TJ_UINT64] = "uint64_t",
                                                    [TJ_FLOAT16] = "at::Half",
                                                    [TJ_BFLOAT16] = "at::BFloat16",
                                                    [TJ_FLOAT32] = "float",
                                                    [TJ_FLOAT64] = "double",
                                                    [TJ_COMPLEX64] = "c10::complex<float>",
                                                    [TJ_COMPLEX128] = "c10::complex<double>"};
  if (number_fits(value, dtype)) return true;
  tj__fail(TJ_ERROR_RUNTIME, "value cannot be converted to type %s without overflow", names[dtype]);
  return false;
}

tj_tensor *tj__fill(tj_tensor *t, tj_scalar value) {
  if (!t || !tj__check_scalar_fits(value, (tj_dtype)t->dtype)) return NULL;
  const tj__copy_kernels *kernels = kernels_of(t);
  if (!kernels) return NULL;
  tj__iter it;
  tj__iter_spec spec = {.n_outputs = 1, .outputs = {t}, .compute = TJ_DTYPE_NONE, .result = TJ_DTYPE_NONE};
  if (tj__iter_init(&it, &spec)) return NULL;
  tj__params params = {.p = {tj__param_of(value)}};
  if (t->dtype == TJ_BOOL) params.p[0].i = !tj__scalar_is_zero(value);
  tj__iter_run(&it, kernels->fill[t->dtype], &params);
  return tj__iter_finish(&it, 0) ? t : NULL;
}
