/* ops/grid.c: affine_grid and grid_sample. Sampling is a composition: places and weights are tensors computed from the grid, the elements are
 * gathered; so that derivatives of every order, also by the grid, follow from those of the parts. */
#include "impl.h"
#include "ops.h"
#include "ops/arithmetic.h"
#include "ops/copy.h"

#include <stdio.h>

#define RUNTIME(condition, ...) TJ__CHECK(condition, TJ_ERROR_RUNTIME, __VA_ARGS__)
#define VALUE(condition, ...) TJ__CHECK(condition, TJ_ERROR_VALUE, __VA_ARGS__)
#define LL(x) ((long long)(x))

static tj_tensor *plus(tj_tensor *t, double v) { return tj_add(t, tj__number(v), tj_int(1)); }
static tj_tensor *times(tj_tensor *t, double v) { return tj_mul(t, tj__number(v)); }

/* ---- affine_grid ---------------------------------------------------------------------------------------------------- */

/* n places in [-1, 1]: of the elements' middles, or with align_corners from end to end. */
static tj_tensor *places(int64_t n, bool align, const tj_tensor *like) {
  if (n <= 1) return tj_zeros(TJ_INTS(n), (tj_dtype)like->dtype, like->storage->device, false);
  tj_tensor *t = tj_linspace(tj_int(-1), tj_int(1), n, (tj_dtype)like->dtype, like->storage->device, false);
  return align ? t : times(t, (double)(n - 1) / (double)n);
}

tj_tensor *tj__impl_affine_grid_generator(tj_tensor *theta, tj_ints size, bool align_corners) {
  RUNTIME(size.n == 4 || size.n == 5, "AffineGridGenerator needs 4d (spatial) or 5d (volumetric) inputs.");
  const int dims = (int)size.n - 2;
  int64_t grid[4], total = 1;
  for (int i = 0; i < dims; i++) grid[i] = size.data[2 + i], total *= grid[i];
  grid[dims] = 1;
  tj_tensor *parts[4];
  for (int i = 0; i < dims; i++) { /* x first: it runs along the last dimension */
    int64_t shape[4] = {1, 1, 1, 1};
    shape[dims - 1 - i] = grid[dims - 1 - i];
    parts[i] = tj_expand(tj_reshape(places(shape[dims - 1 - i], align_corners, theta), (tj_ints){shape, dims + 1}),
                         (tj_ints){grid, dims + 1}, false);
  }
  parts[dims] = tj_ones((tj_ints){grid, dims + 1}, (tj_dtype)theta->dtype, theta->storage->device, false);
  tj_tensor *base = tj_cat((tj_tensors){parts, dims + 1}, dims);
  base = tj_expand(tj_reshape(base, TJ_INTS(1, total, dims + 1)), TJ_INTS(size.data[0], total, dims + 1), false);
  tj_tensor *result = tj_bmm(base, tj_transpose(theta, 1, 2));
  int64_t sizes[5] = {size.data[0]};
  memcpy(sizes + 1, grid, (size_t)dims * sizeof *sizes);
  sizes[dims + 1] = dims;
  return tj_reshape(result, (tj_ints){sizes, dims + 2});
}

static const char *tuple_text(tj_ints v, char *buffer, size_t bytes) {
  size_t at = (size_t)snprintf(buffer, bytes, "(");
  for (int64_t i = 0; i < v.n && at < bytes; i++) at += (size_t)snprintf(buffer + at, bytes - at, i ? ", %lld" : "%lld", LL(v.data[i]));
  if (at < bytes) snprintf(buffer + at, bytes - at, v.n == 1 ? ",)" : ")");
  return buffer;
}

tj_tensor *tj__impl_affine_grid(tj_tensor *theta, tj_ints size, int align_corners) {
  char text[128];
  tuple_text(size, text, sizeof text);
  VALUE(tj_dtype_is_floating((tj_dtype)theta->dtype), "Expected theta to have floating point type, but got torch.%s",
        tj_dtype_name((tj_dtype)theta->dtype));
  const int dims = (int)size.n - 2;
  TJ__CHECK(dims == 2 || dims == 3, TJ_ERROR_NOT_IMPLEMENTED,
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. Got size %s.", text);
  VALUE(theta->ndim == 3 && theta->sizes[1] == dims && theta->sizes[2] == dims + 1,
        "Expected a batch of %dD affine matrices of shape Nx%dx%d for size %s. Got torch.Size(%s).", dims, dims, dims + 1, text,
        tj__sizes_text(theta));
  for (int64_t i = 0; i < size.n; i++) VALUE(size.data[i] > 0, "Expected non-zero, positive output size. Got %s", text);
  return tj_affine_grid_generator(theta, size, align_corners == 1);
}

/* ---- grid_sample ---------------------------------------------------------------------------------------------------- */

enum { BILINEAR, NEAREST, BICUBIC };
enum { ZEROS, BORDER, REFLECTION };

/* From [-1, 1] to the elements of a dimension of n. float16 and bfloat16 round every step, as PyTorch's places do. */
static tj_tensor *unnormalized(tj_tensor *at, int64_t n, bool align) {
  return align ? times(plus(at, 1), (double)(n - 1) / 2) : plus(times(plus(at, 1), (double)n / 2), -0.5);
}

/* Limited to the elements; no derivative at or beyond the ends. */
static tj_tensor *limited(tj_tensor *at, int64_t n) { return tj_hardtanh(at, tj_float(0), tj_float((double)(n - 1))); }

/* Mirrored at the ends (at their middles with align_corners, else half an element further) as often as it takes. */
static tj_tensor *reflected(tj_tensor *at, int64_t n, bool align) {
  const double low = align ? 0 : -0.5, span = align ? (double)(n - 1) : (double)n;
  if (span <= 0) return times(at, 0);
  tj_tensor *distance = tj_abs(plus(at, -low));
  tj_tensor *flips = distance ? tj_floor(tj_div(tj_detach(distance), tj__number(span))) : NULL;
  tj_tensor *rest = flips ? tj__minus(distance, times(flips, span)) : NULL;
  if (!rest) return NULL;
  tj_tensor *odd = tj_ne(tj_remainder(flips, tj__number(2)), tj__number(0));
  return plus(tj_where(odd, plus(tj_neg(rest), span), rest), low);
}

/* What is no number, or too large for an index, lies outside whatever the padding. */
static tj_tensor *sane(tj_tensor *at) {
  tj_tensor *fine = at ? tj_lt(tj_abs(tj_detach(at)), tj__number(2147483647.0)) : NULL;
  return fine ? tj_where(fine, at, tj__number(-100)) : NULL;
}

static tj_tensor *padded(tj_tensor *at, int64_t n, int padding, bool align) {
  if (padding == REFLECTION) at = reflected(at, n, align);
  if (padding != ZEROS && at) at = limited(at, n);
  return sane(at);
}

/* Where an index is inside [0, n). */
static tj_tensor *inside(tj_tensor *index, int64_t n) {
  return tj_logical_and(tj_ge(index, tj__number(0)), tj_lt(index, tj__number((double)n)));
}

typedef struct sampler {
  tj_tensor *input; /* [N, C, elements] */
  int dims;
  int64_t sizes[3], batch, channels, points;
} sampler;

/* The elements at whole numbers index[d] (each [N, points], without a derivative) times the weight; zero outside. */
static tj_tensor *elements_at(const sampler *s, tj_tensor *const index[3], tj_tensor *weight) {
  tj_tensor *flat = NULL, *mask = NULL;
  for (int d = 0; d < s->dims; d++) {
    tj_tensor *in = inside(index[d], s->sizes[d]);
    tj_tensor *i = in ? tj_to_dtype(tj_where(in, index[d], tj__number(0)), TJ_INT64, false, false, NULL) : NULL;
    if (!i) return NULL;
    flat = flat ? tj_add(tj_mul(flat, tj_scalar_tensor(tj_int(s->sizes[d]))), i, tj_int(1)) : i;
    mask = mask ? tj_logical_and(mask, in) : in;
  }
  tj_tensor *every = tj_expand(tj_unsqueeze(flat, 1), TJ_INTS(s->batch, s->channels, s->points), false);
  tj_tensor *values = every ? tj_gather(s->input, 2, every, false) : NULL;
  if (!values) return NULL;
  values = tj_where(tj_unsqueeze(mask, 1), values, tj__number(0));
  return tj_mul(values, tj_unsqueeze(weight, 1));
}

/* at[d]: places in elements, [N, points]. */
static tj_tensor *sample_linear(const sampler *s, tj_tensor *const at[3]) {
  tj_tensor *low[3], *weights[3][2], *total = NULL;
  for (int d = 0; d < s->dims; d++) {
    if (!at[d]) return NULL;
    low[d] = tj_floor(tj_detach(at[d]));
    weights[d][1] = tj__minus(at[d], low[d]);
    weights[d][0] = tj_sub(tj__number(1), weights[d][1], tj_int(1));
    if (!weights[d][0]) return NULL;
  }
  for (int corner = 0; corner < 1 << s->dims; corner++) {
    tj_tensor *index[3], *weight = NULL;
    for (int d = 0; d < s->dims; d++) {
      int up = corner >> (s->dims - 1 - d) & 1;
      index[d] = up ? plus(low[d], 1) : low[d];
      weight = weight ? tj_mul(weight, weights[d][up]) : weights[d][up];
    }
    if (!weight || !(total = tj__total(total, elements_at(s, index, weight)))) return NULL;
  }
  return total;
}

static tj_tensor *sample_nearest(const sampler *s, tj_tensor *const at[3]) {
  tj_tensor *index[3], *weight = NULL;
  for (int d = 0; d < s->dims; d++) {
    tj_tensor *rounded = tj_round(at[d]); /* its derivative is zero: the grid gets zeros, not nothing */
    if (!rounded) return NULL;
    index[d] = tj_detach(rounded);
    weight = tj__total(weight, times(rounded, 0));
  }
  return weight ? elements_at(s, index, plus(weight, 1)) : NULL;
}

/* The four weights of Keys' convolution (a = -0.75) at distance t behind the second element. */
static bool cubic_weights(tj_tensor *t, tj_tensor *out[4]) {
  const double a = -0.75;
  tj_tensor *rest = tj_sub(tj__number(1), t, tj_int(1));
  tj_tensor *near[2] = {t, rest}, *far[2] = {plus(t, 1), plus(rest, 1)};
  for (int i = 0; i < 2; i++) {
    /* ((a + 2) x - (a + 3)) x x + 1 and ((a x - 5 a) x + 8 a) x - 4 a */
    tj_tensor *x = near[i], *y = far[i];
    out[i ? 2 : 1] = plus(tj_mul(tj_mul(plus(times(x, a + 2), -(a + 3)), x), x), 1);
    out[i ? 3 : 0] = plus(tj_mul(plus(tj_mul(plus(times(y, a), -5 * a), y), 8 * a), y), -4 * a);
  }
  return out[0] && out[1] && out[2] && out[3];
}

static tj_tensor *sample_cubic(const sampler *s, tj_tensor *const at[3], int padding, bool align) {
  tj_tensor *weights[2][4], *index[2][4], *total = NULL;
  for (int d = 0; d < 2; d++) {
    tj_tensor *x = sane(at[d]), *low = x ? tj_floor(tj_detach(x)) : NULL;
    if (!low || !cubic_weights(tj__minus(x, low), weights[d])) return NULL;
    for (int k = 0; k < 4; k++)
      if (!(index[d][k] = padded(plus(low, k - 1), s->sizes[d], padding, align))) return NULL;
  }
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++) {
      tj_tensor *part = elements_at(s, (tj_tensor *[3]){index[0][i], index[1][j], NULL}, tj_mul(weights[0][i], weights[1][j]));
      if (!part || !(total = tj__total(total, part))) return NULL;
    }
  return total;
}

static void *check_grid(const tj_tensor *input, const tj_tensor *grid) {
  const char *in = tj__sizes_text(input), *at = tj__sizes_text(grid);
  RUNTIME(
      input->ndim >= 2 && grid->ndim >= 1,
      "grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, but got input with sizes %s and grid with sizes %s",
      in, at);
  RUNTIME(input->sizes[0] == grid->sizes[0],
          "grid_sampler(): expected grid and input to have same batch size, but got input with sizes %s and grid with sizes %s", in, at);
  RUNTIME(grid->sizes[grid->ndim - 1] == input->ndim - 2,
          "grid_sampler(): expected grid to have size %d in last dimension, but got grid with sizes %s", (int)input->ndim - 2, at);
  for (int d = 2; d < input->ndim; d++)
    RUNTIME(input->sizes[d] > 0,
            "grid_sampler(): expected input to have non-empty spatial dimensions, but input has sizes %s with dimension %d being empty", in,
            d);
  return (void *)input;
}

static tj_tensor *grid_sampler(tj_tensor *input, tj_tensor *grid, int mode, int padding, bool align, int dims) {
  if (!check_grid(input, grid)) return NULL;
  const char *in_text = tj__sizes_text(input);
  RUNTIME(input->ndim == dims + 2 && grid->ndim == input->ndim,
          "grid_sampler(): expected %dD input and grid with same number of dimensions, but got input with sizes %s and grid with sizes %s",
          dims + 2, in_text, tj__sizes_text(grid));
  RUNTIME(dims == 2 || mode != BICUBIC, "grid_sampler(): bicubic interpolation only supports 4D input");
  const tj_dtype dtype = (tj_dtype)input->dtype;
  TJ__CHECK(tj_dtype_is_floating(dtype), TJ_ERROR_NOT_IMPLEMENTED, "\"%s\" not implemented for '%s'",
            dims == 2 ? "grid_sampler_2d_cpu_kernel_impl" : "grid_sampler3d_cpu", tj__dtype_legacy(dtype));
  RUNTIME(grid->dtype == dtype, "expected scalar type %s but found %s", tj__dtype_legacy(dtype), tj__dtype_legacy((tj_dtype)grid->dtype));
  sampler s = {.dims = dims, .batch = input->sizes[0], .channels = input->sizes[1], .points = 1};
  int64_t sizes[5] = {s.batch, s.channels}, elements = 1;
  for (int d = 0; d < dims; d++) {
    s.sizes[d] = input->sizes[2 + d], elements *= s.sizes[d];
    sizes[2 + d] = grid->sizes[1 + d], s.points *= grid->sizes[1 + d];
  }
  s.input = tj_reshape(input, TJ_INTS(s.batch, s.channels, elements));
  tj_tensor *at[3] = {NULL};
  for (int d = 0; d < dims; d++) { /* the grid's x is the last dimension's */
    tj_tensor *place = tj_reshape(tj_select(grid, -1, dims - 1 - d), TJ_INTS(s.batch, s.points));
    at[d] = unnormalized(place, s.sizes[d], align);
    if (mode != BICUBIC && at[d]) at[d] = padded(at[d], s.sizes[d], padding, align);
    if (!at[d]) return NULL;
  }
  tj_tensor *result = mode == BILINEAR  ? sample_linear(&s, at)
                      : mode == NEAREST ? sample_nearest(&s, at)
                                        : sample_cubic(&s, at, padding, align);
  return tj_reshape(result, (tj_ints){sizes, dims + 2});
}

tj_tensor *tj__impl_grid_sampler_2d(tj_tensor *input, tj_tensor *grid, int64_t interpolation_mode, int64_t padding_mode,
                                    bool align_corners) {
  return grid_sampler(input, grid, (int)interpolation_mode, (int)padding_mode, align_corners, 2);
}
tj_tensor *tj__impl_grid_sampler_3d(tj_tensor *input, tj_tensor *grid, int64_t interpolation_mode, int64_t padding_mode,
                                    bool align_corners) {
  return grid_sampler(input, grid, (int)interpolation_mode, (int)padding_mode, align_corners, 3);
}
tj_tensor *tj__impl_grid_sampler(tj_tensor *input, tj_tensor *grid, int64_t interpolation_mode, int64_t padding_mode, bool align_corners) {
  if (!check_grid(input, grid)) return NULL;
  return grid_sampler(input, grid, (int)interpolation_mode, (int)padding_mode, align_corners, input->ndim == 5 ? 3 : 2);
}

tj_tensor *tj__impl_grid_sample(tj_tensor *input, tj_tensor *grid, const char *mode, const char *padding_mode, int align_corners) {
  static const char *const modes[] = {"bilinear", "nearest", "bicubic"}, *const paddings[] = {"zeros", "border", "reflection"};
  int m = 0, p = 0;
  while (m < 3 && strcmp(mode, modes[m])) m++;
  while (p < 3 && strcmp(padding_mode, paddings[p])) p++;
  VALUE(m < 3, "nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '%s'", mode);
  VALUE(p < 3, "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', but got: '%s'", padding_mode);
  return tj_grid_sampler(input, grid, m, p, align_corners == 1);
}
