/* ops/interpolate.c: interpolate and its older names: sizes, modes and the taps of each mode, as in Keys' cubic convolution and
 * Pillow's filters for antialias. Separable: one table a dimension, the last dimension first. */
#include "impl.h"
#include "ops.h"
#include "ops/copy.h"
#include "ops/resample.h"

#include <math.h>
#include <stdio.h>

#define RUNTIME(condition, ...) TJ__CHECK(condition, TJ_ERROR_RUNTIME, __VA_ARGS__)
#define VALUE(condition, ...) TJ__CHECK(condition, TJ_ERROR_VALUE, __VA_ARGS__)
#define LL(x) ((long long)(x))

typedef enum mode { NEAREST, NEAREST_EXACT, LINEAR, CUBIC } mode;

typedef struct spec {
  mode mode;
  bool align, antialias;
  bool narrow; /* positions are computed in float32, as PyTorch does for every dtype but float64 */
} spec;

static double narrowed(const spec *s, double v) { return s->narrow ? (double)(float)v : v; }

/* Input elements an output element. given: the user's scale factor, or 0. */
static double scale_of(const spec *s, int64_t in, int64_t out, double given) {
  if (s->mode >= LINEAR && s->align) return out > 1 ? narrowed(s, (double)(in - 1) / (double)(out - 1)) : 0;
  return narrowed(s, given > 0 ? 1 / given : (double)in / (double)out);
}

static double near_one(double x, double a) { return ((a + 2) * x - (a + 3)) * x * x + 1; }
static double near_two(double x, double a) { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a; }

static double filter(mode m, double x) {
  x = fabs(x);
  if (m == LINEAR) return x < 1 ? 1 - x : 0;
  return x < 1 ? near_one(x, -0.5) : x < 2 ? near_two(x, -0.5) : 0;
}

/* Position in the input of the middle of output element o. */
static double position(const spec *s, double scale, int64_t o) {
  if (s->align) return narrowed(s, scale * (double)o);
  double at = narrowed(s, narrowed(s, scale * narrowed(s, (double)o + 0.5)) - 0.5);
  return s->mode == LINEAR && at < 0 ? 0 : at;
}

static void tap(tj__table *t, int64_t index, double weight) {
  t->index[t->n_taps] = TJ__MIN(TJ__MAX(index, 0), t->n_in - 1);
  if (t->weight) t->weight[t->n_taps] = weight;
  t->n_taps++;
}

/* uint8 is computed with weights of 16 bits, as many of them behind the point as the largest weight lets fit. */
static void quantize(tj__table *t) {
  double largest = 0;
  int bits = 0;
  for (int64_t k = 0; k < t->n_taps; k++) largest = fmax(largest, t->weight[k]);
  while (bits < 22 && 0.5 + largest * (double)(1 << (bits + 1)) < 1 << 15) bits++;
  const double one = (double)(1 << bits);
  for (int64_t k = 0; k < t->n_taps; k++) t->weight[k] = trunc(t->weight[k] * one + (t->weight[k] < 0 ? -0.5 : 0.5)) / one;
}

/* out * most; -1 and an error when no memory could hold so many taps. */
static int64_t count_taps(int64_t out, int64_t most) {
  if (out <= ((int64_t)1 << 43) / most) return out * most;
  tj__fail(TJ_ERROR_MEMORY, "DefaultCPUAllocator: can't allocate memory: you tried to allocate %.0f bytes.",
           (double)out * (double)most * sizeof(int64_t));
  return -1;
}

static bool make_table(const spec *s, int64_t in, int64_t out, double given, bool bytes, tj__table *t) {
  const double scale = scale_of(s, in, out, given);
  if (count_taps(out, 1) < 0) return false;
  if (s->mode <= NEAREST_EXACT) {
    if (!tj__table_init(t, in, out, out, false)) return false;
    for (int64_t o = 0; o < out; o++) {
      double at = narrowed(s, narrowed(s, (double)o + (s->mode == NEAREST ? 0 : 0.5)) * scale);
      tap(t, tj__whole64(floor(at)), 1);
      t->first[o + 1] = t->n_taps;
    }
    return true;
  }
  const double half = s->mode == LINEAR ? 1 : 2; /* half the filter's width */
  /* bytes go through the filter too; with align_corners their centers are half an element elsewhere */
  const bool filtered = s->antialias || bytes;
  const double shift = bytes && s->align && !s->antialias ? 0.5 : 0;
  const bool wide = scale >= 1 && s->antialias;
  const double support = wide ? half * scale : half;
  const int64_t most = filtered ? 2 * (int64_t)ceil(fmin(support, (double)in + 1)) + 1 : (int64_t)(2 * half);
  const int64_t taps = count_taps(out, most);
  if (taps < 0 || !tj__table_init(t, in, out, taps, true)) return false;
  for (int64_t o = 0; o < out; o++) {
    if (s->antialias || (filtered && s->mode == LINEAR)) {
      const double center = scale * ((double)o + 0.5 - shift), inverse = wide ? 1 / scale : 1;
      int64_t from = TJ__MAX(tj__whole64(center - support + 0.5 + shift), 0), to = TJ__MIN(tj__whole64(center + support + 0.5 + shift), in);
      double total = 0;
      to = TJ__MIN(TJ__MAX(to, from), from + most);
      for (int64_t j = from; j < to; j++) {
        double w = filter(s->mode, ((double)j - center + 0.5 - shift) * inverse);
        tap(t, j, w);
        total += w;
      }
      for (int64_t k = t->first[o]; k < t->n_taps && total != 0; k++) t->weight[k] /= total;
    } else {
      const double at = position(s, scale, o);
      const int64_t i = tj__whole64(floor(at));
      const double x =
          s->mode == LINEAR ? TJ__MIN(TJ__MAX(narrowed(s, at - (double)TJ__MIN(i, in - 1)), 0), 1) : narrowed(s, at - (double)i);
      if (s->mode == LINEAR) tap(t, i, 1 - x), tap(t, i + 1, x);
      else {
        const double a = -0.75;
        tap(t, i - 1, near_two(x + 1, a)), tap(t, i, near_one(x, a)), tap(t, i + 1, near_one(1 - x, a)), tap(t, i + 2, near_two(2 - x, a));
      }
    }
    t->first[o + 1] = t->n_taps;
  }
  if (bytes) quantize(t);
  return true;
}

static mode mode_of(const char *name) {
  if (!strcmp(name, "nearest")) return NEAREST;
  if (!strcmp(name, "nearest-exact")) return NEAREST_EXACT;
  return !strcmp(name, "bicubic") ? CUBIC : LINEAR;
}

/* sizes: all of the input's; output: of the last dimensions. */
static tj_tensor *resample(tj_tensor *t, tj_ints sizes, tj_ints output, const char *name, bool align, bool antialias,
                           const tj_scalar scales[3], bool transposed) {
  const tj_dtype dtype = (tj_dtype)t->dtype;
  const int dims = (int)output.n, lead = t->ndim - dims;
  const spec s = {mode_of(name), align, antialias, dtype != TJ_FLOAT64};
  const char *format = tj__suggested_format(t);
  const bool half = dtype == TJ_FLOAT16 || dtype == TJ_BFLOAT16;
  tj_tensor *x = half && (transposed || s.mode >= LINEAR) ? tj__to_dtype(t, TJ_FLOAT32) : t;
  x = x ? tj__contiguous(x) : NULL;
  for (int i = dims - 1; x && i >= 0; i--) {
    tj__table table, turned;
    tj_scalar given = scales[3 - dims + i];
    if (!make_table(&s, sizes.data[lead + i], output.data[i], given.kind == TJ_SCALAR_NONE ? 0 : tj__scalar_to_double(given),
                    dtype == TJ_UINT8, &table))
      return NULL;
    if (!transposed) x = tj__table_apply(x, lead + i, &table);
    else {
      x = tj__table_transpose(&table, &turned) ? tj__table_apply(x, lead + i, &turned) : NULL;
      tj__table_drop(&turned);
    }
    tj__table_drop(&table);
  }
  if (!x || !(x = tj__to_dtype(x, dtype))) return NULL;
  return format ? tj__clone_as(x, dtype, format) : x;
}

tj_tensor *tj__impl_resample(tj_tensor *self, tj_ints output_size, const char *mode, bool align_corners, bool antialias, tj_scalar scale_d,
                             tj_scalar scale_h, tj_scalar scale_w) {
  return resample(self, tj__sizes(self), output_size, mode, align_corners, antialias, (tj_scalar[3]){scale_d, scale_h, scale_w}, false);
}

tj_tensor *tj__impl_resample_backward(tj_tensor *grad, tj_ints sizes, tj_ints output_size, const char *mode, bool align_corners,
                                      bool antialias, tj_scalar scale_d, tj_scalar scale_h, tj_scalar scale_w) {
  return resample(grad, sizes, output_size, mode, align_corners, antialias, (tj_scalar[3]){scale_d, scale_h, scale_w}, true);
}

/* ---- checks -------------------------------------------------------------------------------------------------------- */

/* Kernel names in messages, by mode and dimensions. */
static const char *kernel_name(mode m, int dims, bool antialias) {
  if (antialias) return "compute_index_ranges_weights";
  if (m <= NEAREST_EXACT) return dims == 2 ? "upsample_nearest2d_channels_last" : "compute_indices_weights_nearest";
  if (m == CUBIC) return "compute_indices_weights_cubic";
  return dims == 2 ? "upsample_bilinear2d_channels_last" : "compute_indices_weights_linear";
}

/* input [N, C, ...] of 1 to 3 further dimensions. */
static tj_tensor *checked_resample(tj_tensor *input, tj_ints output, const char *name, bool align, bool antialias,
                                   const tj_scalar scales[3]) {
  const int dims = input->ndim - 2;
  const mode m = mode_of(name);
  const int64_t *in = input->sizes + 2, *out = output.data;
  bool positive = true, empty = false;
  for (int i = 0; i < dims; i++) positive = positive && in[i] > 0 && out[i] > 0;
  for (int i = 1; i < input->ndim; i++) empty = empty || !input->sizes[i];
  if (!positive && dims == 1)
    return tj__fail(TJ_ERROR_RUNTIME, "Input and output sizes should be greater than 0, but got input (W: %lld) and output (W: %lld)",
                    LL(in[0]), LL(out[0]));
  if (!positive && dims == 2)
    return tj__fail(TJ_ERROR_RUNTIME,
                    "Input and output sizes should be greater than 0, but got input (H: %lld, W: %lld) output (H: %lld, W: %lld)",
                    LL(in[0]), LL(in[1]), LL(out[0]), LL(out[1]));
  RUNTIME(positive,
          "Input and output sizes should be greater than 0, but got input (D: %lld, H: %lld, W: %lld) output (D: %lld, H: %lld, W: %lld)",
          LL(in[0]), LL(in[1]), LL(in[2]), LL(out[0]), LL(out[1]), LL(out[2]));
  RUNTIME(!empty, "Non-empty %dD data tensor expected but got a tensor with sizes %s", dims + 2, tj__sizes_text(input));
  const tj_dtype dtype = (tj_dtype)input->dtype;
  TJ__CHECK(tj_dtype_is_floating(dtype) || (dtype == TJ_UINT8 && (m <= NEAREST_EXACT || dims == 2)), TJ_ERROR_NOT_IMPLEMENTED,
            "\"%s\" not implemented for '%s'", kernel_name(m, dims, antialias), tj__dtype_legacy(dtype));
  return tj_resample(input, output, name, align, antialias, scales[0], scales[1], scales[2]);
}

/* "[3, 4]" or "(3, 4)" of numbers as Python writes them. */
static const char *numbers_text(tj_floats v, char *buffer, size_t bytes) {
  size_t at = (size_t)snprintf(buffer, bytes, "[");
  for (int64_t i = 0; i < v.n && at < bytes; i++)
    at += (size_t)snprintf(buffer + at, bytes - at, v.data[i] == floor(v.data[i]) ? "%s%.1f" : "%s%.12g", i ? ", " : "", v.data[i]);
  if (at < bytes) snprintf(buffer + at, bytes - at, "]");
  return buffer;
}

tj_tensor *tj__impl_interpolate(tj_tensor *input, tj_ints size, tj_floats scale_factor, const char *name, int align_corners,
                                int recompute_scale_factor, bool antialias) {
  static const char *const linear[] = {"linear", "bilinear", "trilinear"};
  const bool area = !strcmp(name, "area"), nearest = !strcmp(name, "nearest") || !strcmp(name, "nearest-exact");
  const int dims = input->ndim - 2;
  VALUE(!(area || nearest) || align_corners == TJ_NO_BOOL,
        "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear");
  VALUE(size.n < 0 || scale_factor.n < 0, "only one of size or scale_factor should be defined");
  VALUE(size.n >= 0 || scale_factor.n >= 0, "either size or scale_factor should be defined");
  const char *spatial = tj__ints_text(input->sizes + TJ__MIN(2, input->ndim), TJ__MAX(dims, 0));
  VALUE(size.n < 0 || size.n == 1 || size.n == dims,
        "Input and output must have the same number of spatial dimensions, but got input with spatial dimensions of %s and output size of "
        "%s. Please provide input tensor in (N, C, d1, d2, ...,dK) format and output size in (o1, o2, ...,oK) format.",
        spatial, tj__ints_text(size.data, TJ__MAX(size.n, 0)));
  char text[256];
  VALUE(
      scale_factor.n < 0 || scale_factor.n == 1 || scale_factor.n == dims,
      "Input and scale_factor must have the same number of spatial dimensions, but got input with spatial dimensions of %s and "
      "scale_factor of shape %s. Please provide input tensor in (N, C, d1, d2, ...,dK) format and scale_factor in (s1, s2, ...,sK) format.",
      spatial, numbers_text(scale_factor, text, sizeof text));
  VALUE(!(recompute_scale_factor == 1 && size.n >= 0), "recompute_scale_factor is not meaningful with an explicit size.");
  int64_t out[3] = {0};
  tj_scalar scales[3] = {TJ_NO_SCALAR, TJ_NO_SCALAR, TJ_NO_SCALAR};
  const bool known = dims >= 1 && dims <= 3;
  for (int i = 0; known && i < dims; i++) {
    if (size.n >= 0) out[i] = size.data[size.n == 1 ? 0 : i];
    else {
      const double factor = scale_factor.data[scale_factor.n == 1 ? 0 : i];
      out[i] = tj__whole64(floor((double)input->sizes[2 + i] * factor));
      if (recompute_scale_factor != 1 && !area) scales[3 - dims + i] = tj_float(factor);
    }
  }
  VALUE(!antialias || (dims == 2 && (!strcmp(name, "bilinear") || !strcmp(name, "bicubic"))),
        "Anti-alias option is restricted to bilinear and bicubic modes and requires a 4-D tensor as input");
  if (known && area) {
    tj_ints o = {out, dims};
    return dims == 1 ? tj_adaptive_avg_pool1d(input, o) : dims == 2 ? tj_adaptive_avg_pool2d(input, o) : tj_adaptive_avg_pool3d(input, o);
  }
  const bool cubic = !strcmp(name, "bicubic");
  int needs = cubic ? 2 : 0;
  for (int i = 0; i < 3; i++)
    if (!strcmp(name, linear[i])) needs = i + 1;
  if (known && (nearest || needs == dims))
    return checked_resample(input, (tj_ints){out, dims}, name, align_corners == 1, antialias, scales);
  TJ__CHECK(!known || !needs || cubic, TJ_ERROR_NOT_IMPLEMENTED, "Got %dD input, but %s mode needs %dD input", dims + 2, name, needs + 2);
  return tj__fail(
      TJ_ERROR_NOT_IMPLEMENTED,
      "Input Error: Only 3D, 4D and 5D input Tensors supported (got %dD) for the modes: nearest | linear | bilinear | bicubic | "
      "trilinear | area | nearest-exact (got %s)",
      dims + 2, name);
}

/* ---- older names ---------------------------------------------------------------------------------------------------- */

tj_tensor *tj__impl_upsample(tj_tensor *input, tj_ints size, tj_floats scale_factor, const char *mode, int align_corners) {
  return tj_interpolate(input, size, scale_factor, mode, align_corners, TJ_NO_BOOL, false);
}
tj_tensor *tj__impl_upsample_nearest(tj_tensor *input, tj_ints size, tj_floats scale_factor) {
  return tj_interpolate(input, size, scale_factor, "nearest", TJ_NO_BOOL, TJ_NO_BOOL, false);
}
tj_tensor *tj__impl_upsample_bilinear(tj_tensor *input, tj_ints size, tj_floats scale_factor) {
  return tj_interpolate(input, size, scale_factor, "bilinear", 1, TJ_NO_BOOL, false);
}

static tj_tensor *antialiased(tj_tensor *self, tj_ints output_size, const char *mode, bool align_corners, tj_scalar h, tj_scalar w) {
  RUNTIME(output_size.n == 2, "It is expected output_size equals to 2, but got size %lld", LL(output_size.n));
  RUNTIME(self->ndim == 4, "It is expected input_size equals to 4, but got size %d", (int)self->ndim);
  return checked_resample(self, output_size, mode, align_corners, true, (tj_scalar[3]){TJ_NO_SCALAR, h, w});
}

static tj_tensor *antialiased_by_factor(tj_tensor *input, tj_ints output_size, const char *mode, bool align_corners, tj_floats factors) {
  RUNTIME(input->ndim == 4, "It is expected input_size equals to 4, but got size %d", (int)input->ndim);
  RUNTIME((output_size.n >= 0) != (factors.n >= 0), "Must specify exactly one of output_size and scale_factors");
  const tj_scalar none = TJ_NO_SCALAR;
  if (output_size.n >= 0) return antialiased(input, output_size, mode, align_corners, none, none);
  RUNTIME(factors.n == 2, "It is expected scale_factors to have 2 elements, but got %lld", LL(factors.n));
  int64_t out[2];
  for (int i = 0; i < 2; i++) out[i] = tj__whole64(floor((double)input->sizes[2 + i] * factors.data[i]));
  return antialiased(input, (tj_ints){out, 2}, mode, align_corners, tj_float(factors.data[0]), tj_float(factors.data[1]));
}

#define ANTIALIASED(name, mode)                                                                                                     \
  tj_tensor *tj__impl_upsample_##name##2d_aa(tj_tensor * self, tj_ints output_size, bool align_corners, tj_scalar h, tj_scalar w) { \
    return antialiased(self, output_size, mode, align_corners, h, w);                                                               \
  }                                                                                                                                 \
  tj_tensor *tj__impl_upsample_##name##2d_aa_vec(tj_tensor * input, tj_ints output_size, bool align_corners, tj_floats factors) {   \
    return antialiased_by_factor(input, output_size, mode, align_corners, factors);                                                 \
  }
ANTIALIASED(bilinear, "bilinear")
ANTIALIASED(bicubic, "bicubic")
