/* fft.c: discrete Fourier transforms: arguments, norms, derivatives. */
#include "kernels/fft.h"

#include <math.h>

#include "creation.h"
#include "impl.h"
#include "ops.h"
#include "ops/copy.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"

#define RUNTIME(condition, ...) TJ__CHECK(condition, TJ_ERROR_RUNTIME, __VA_ARGS__)
#define LL(x) ((long long)(x))

/* ---- one dimension ------------------------------------------------------------------------------------------------ */

static tj_tensor *transform(tj__fft_kind kind, tj_tensor *self, int64_t n, int64_t out_n, int64_t dim, double scale, bool inverse) {
  const tj__backend *backend = tj__backend_for(&self, 1);
  tj__lines lines;
  tj_tensor *in = backend ? tj__lines_of(self, dim, &lines) : NULL;
  if (!in) return NULL;
  const tj_dtype real = tj__real_of(in->dtype);
  int64_t sizes[TJ_MAX_DIMS];
  memcpy(sizes, in->sizes, (size_t)in->ndim * sizeof *sizes);
  sizes[lines.dim] = out_n;
  tj_tensor *out = tj__empty((tj_ints){sizes, in->ndim}, kind == TJ__FFT_C2R ? real : tj__complex_of(real), in->storage->device);
  if (!out) return NULL;
  const tj__fft_args g = {.kind = kind,
                          .dtype = real,
                          .n = n,
                          .outer = lines.outer,
                          .inner = lines.inner,
                          .in_n = lines.n,
                          .out_n = out_n,
                          .inverse = inverse,
                          .scale = scale,
                          .in = tj__read(in),
                          .out = tj__write(out)};
  return backend->fft->transform(&g) ? out : NULL;
}

tj_tensor *tj__impl_fft_c2c(tj_tensor *self, int64_t n, int64_t out_n, int64_t dim, double scale, bool forward) {
  return transform(TJ__FFT_C2C, self, n, out_n, dim, scale, !forward);
}
tj_tensor *tj__impl_fft_r2c(tj_tensor *self, int64_t n, int64_t dim, double scale, bool forward) {
  return transform(TJ__FFT_R2C, self, n, n / 2 + 1, dim, scale, !forward);
}
tj_tensor *tj__impl_fft_c2r(tj_tensor *self, int64_t n, int64_t dim, double scale, bool forward) {
  return transform(TJ__FFT_C2R, self, n, n, dim, scale, !forward);
}

tj_tensor *tj__impl_fft_c2c_backward(tj_tensor *grad, tj_ints sizes, int64_t n, int64_t dim, double scale, bool forward) {
  return tj_fft_c2c(grad, n, sizes.data[tj__wrap_dim(dim, sizes.n)], dim, scale, !forward);
}
tj_tensor *tj__impl_fft_r2c_backward(tj_tensor *grad, tj_ints sizes, int64_t n, int64_t dim, double scale, bool forward) {
  return tj_real(tj_fft_c2c(grad, n, sizes.data[tj__wrap_dim(dim, sizes.n)], dim, scale, !forward));
}
/* Coefficients stand for themselves and for their conjugates, but for the first and that in the middle. */
tj_tensor *tj__impl_fft_c2r_backward(tj_tensor *grad, tj_ints sizes, int64_t n, int64_t dim, double scale, bool forward) {
  const int d = tj__wrap_dim(dim, sizes.n);
  const int64_t half = n / 2 + 1, twice = n - half, given = sizes.data[d], used = TJ__MIN(given, half);
  tj_tensor *g = tj_fft_r2c(grad, n, d, scale, !forward);
  if (!g) return NULL;
  tj_tensor *middle = tj_mul(tj_narrow(g, d, 1, twice), tj__number(2));
  tj_tensor *last = tj_narrow(g, d, 1 + twice, half - 1 - twice);
  g = tj_cat(TJ_TENSORS(tj_narrow(g, d, 0, 1), middle, last), d);
  g = tj_narrow(g, d, 0, used);
  if (!g || given == used) return g;
  int64_t rest[TJ_MAX_DIMS];
  memcpy(rest, sizes.data, (size_t)sizes.n * sizeof *rest);
  rest[d] = given - used;
  return tj_cat(TJ_TENSORS(g, tj_zeros((tj_ints){rest, sizes.n}, g->dtype, g->storage->device, false)), d);
}

/* ---- arguments ---------------------------------------------------------------------------------------------------- */

static bool scale_of(const char *norm, int64_t n, bool forward, double *scale) {
  *scale = 1;
  if (norm && !strcmp(norm, "ortho")) *scale = 1 / sqrt((double)n);
  else if (norm && !strcmp(norm, "forward")) *scale = forward ? 1 / (double)n : 1;
  else if (!norm || !strcmp(norm, "backward")) *scale = forward ? 1 : 1 / (double)n;
  else return tj__fail(TJ_ERROR_RUNTIME, "Invalid normalization mode: \"%s\"", norm) != NULL;
  return true;
}

/* Input in a dtype that is transformed; complex if need be. */
static tj_tensor *promoted(tj_tensor *self, bool complex) {
  tj_dtype dtype = tj__floating_of(self->dtype);
  RUNTIME(dtype != TJ_FLOAT16 && dtype != TJ_BFLOAT16, "Unsupported dtype %s", tj__dtype_legacy(dtype));
  return tj_to_dtype(self, complex ? tj__complex_of(dtype) : dtype, false, false, NULL);
}

static bool wrap(int64_t dim, const tj_tensor *self, int *d) {
  if (self->ndim == 0) return tj__fail(TJ_ERROR_INDEX, "Dimension specified as %lld but tensor has no dimensions", LL(dim)) != NULL;
  return (*d = tj__wrap_dim(dim, self->ndim)) >= 0;
}

static bool points(int64_t n) {
  if (n >= 1) return true;
  return tj__fail(TJ_ERROR_RUNTIME, "Invalid number of data points (%lld) specified", LL(n)) != NULL;
}

typedef enum kind { C2C, R2C, C2R } kind;
static tj_tensor *one(tj_tensor *x, kind k, int64_t n, int d, const char *norm, bool forward) {
  double scale;
  if (!x || !points(n) || !scale_of(norm, n, forward, &scale)) return NULL;
  switch (k) {
    case C2C: return tj_fft_c2c(x, n, n, d, scale, forward);
    case R2C: return tj_fft_r2c(x, n, d, scale, forward);
    default: return tj_fft_c2r(x, n, d, scale, forward);
  }
}

static tj_tensor *along(tj_tensor *self, kind k, int64_t n, int64_t dim, const char *norm, bool forward, const char *name) {
  int d = 0;
  RUNTIME(k != R2C || !tj_dtype_is_complex(self->dtype), "%s expects a real input tensor, but got %s", name, tj__dtype_legacy(self->dtype));
  tj_tensor *x = promoted(self, k != R2C);
  if (!x || !wrap(dim, x, &d)) return NULL;
  if (n == TJ_NO_INT) n = k == C2R ? 2 * (x->sizes[d] - 1) : x->sizes[d];
  return one(x, k, n, d, norm, forward);
}

tj_tensor *tj__impl_fft_fft(tj_tensor *self, int64_t n, int64_t dim, const char *norm) {
  return along(self, C2C, n, dim, norm, true, "fft");
}
tj_tensor *tj__impl_fft_ifft(tj_tensor *self, int64_t n, int64_t dim, const char *norm) {
  return along(self, C2C, n, dim, norm, false, "ifft");
}
tj_tensor *tj__impl_fft_rfft(tj_tensor *self, int64_t n, int64_t dim, const char *norm) {
  return along(self, R2C, n, dim, norm, true, "rfft");
}
tj_tensor *tj__impl_fft_irfft(tj_tensor *self, int64_t n, int64_t dim, const char *norm) {
  return along(self, C2R, n, dim, norm, false, "irfft");
}
tj_tensor *tj__impl_fft_hfft(tj_tensor *self, int64_t n, int64_t dim, const char *norm) {
  return along(self, C2R, n, dim, norm, true, "hfft");
}
tj_tensor *tj__impl_fft_ihfft(tj_tensor *self, int64_t n, int64_t dim, const char *norm) {
  return along(self, R2C, n, dim, norm, false, "ihfft");
}

/* ---- several dimensions ------------------------------------------------------------------------------------------- */

/* PyTorch's canonicalize_fft_shape_and_dim_args: the number of dimensions, or -1 and the error. */
static int dimensions(const tj_tensor *x, tj_ints s, tj_ints dim, kind k, int *dims, int64_t *sizes) {
  const bool has_dim = dim.n >= 0, has_s = s.n >= 0;
  if (has_dim) {
    bool seen[TJ_MAX_DIMS] = {0};
    for (int64_t i = 0; i < dim.n; i++) {
      if (!wrap(dim.data[i], x, &dims[i])) return -1;
      if (seen[dims[i]]) return tj__fail(TJ_ERROR_RUNTIME, "FFT dims must be unique"), -1;
      seen[dims[i]] = true;
    }
    if (has_s && s.n != dim.n) return tj__fail(TJ_ERROR_RUNTIME, "When given, dim and shape arguments must have the same length"), -1;
  }
  const int n = (int)(has_dim ? dim.n : has_s ? s.n : x->ndim);
  if (!has_dim && has_s && s.n > x->ndim)
    return tj__fail(TJ_ERROR_RUNTIME, "Got shape with %lld values but input tensor only has %d dimensions.", LL(s.n), x->ndim), -1;
  for (int i = 0; i < n; i++) {
    if (!has_dim) dims[i] = x->ndim - n + i;
    sizes[i] = has_s && s.data[i] != -1 ? s.data[i] : x->sizes[dims[i]];
  }
  if (k == C2R && n && (!has_s || s.data[n - 1] == -1)) sizes[n - 1] = 2 * (x->sizes[dims[n - 1]] - 1);
  for (int i = 0; i < n; i++)
    if (!points(sizes[i])) return -1;
  return n;
}

static tj_tensor *over(tj_tensor *self, kind k, tj_ints s, tj_ints dim, const char *norm, bool forward, const char *name) {
  RUNTIME(k != R2C || !tj_dtype_is_complex(self->dtype), "%s expects a real-valued input tensor, but got %s", name,
          tj__dtype_legacy(self->dtype));
  tj_tensor *x = promoted(self, k != R2C);
  int dims[TJ_MAX_DIMS];
  int64_t sizes[TJ_MAX_DIMS];
  const int n = x ? dimensions(x, s, dim, k, dims, sizes) : -1;
  if (n < 0) return NULL;
  RUNTIME(n > 0 || k == C2C, "%s must transform at least one axis", name);
  if (k == R2C) x = one(x, R2C, sizes[n - 1], dims[n - 1], norm, forward);
  for (int i = k == C2C ? n - 1 : n - 2; i >= 0 && x; i--) x = one(x, C2C, sizes[i], dims[i], norm, forward);
  if (k == C2R) x = one(x, C2R, sizes[n - 1], dims[n - 1], norm, forward);
  return x == self ? tj_clone(x, NULL) : x;
}
tj_tensor *tj__impl_fft_fft2(tj_tensor *self, tj_ints s, tj_ints dim, const char *norm) {
  return over(self, C2C, s, dim, norm, true, "fftn");
}
tj_tensor *tj__impl_fft_fftn(tj_tensor *self, tj_ints s, tj_ints dim, const char *norm) {
  return over(self, C2C, s, dim, norm, true, "fftn");
}
tj_tensor *tj__impl_fft_ifft2(tj_tensor *self, tj_ints s, tj_ints dim, const char *norm) {
  return over(self, C2C, s, dim, norm, false, "ifftn");
}
tj_tensor *tj__impl_fft_ifftn(tj_tensor *self, tj_ints s, tj_ints dim, const char *norm) {
  return over(self, C2C, s, dim, norm, false, "ifftn");
}
tj_tensor *tj__impl_fft_rfft2(tj_tensor *self, tj_ints s, tj_ints dim, const char *norm) {
  return over(self, R2C, s, dim, norm, true, "rfftn");
}
tj_tensor *tj__impl_fft_rfftn(tj_tensor *self, tj_ints s, tj_ints dim, const char *norm) {
  return over(self, R2C, s, dim, norm, true, "rfftn");
}
tj_tensor *tj__impl_fft_irfft2(tj_tensor *self, tj_ints s, tj_ints dim, const char *norm) {
  return over(self, C2R, s, dim, norm, false, "irfftn");
}
tj_tensor *tj__impl_fft_irfftn(tj_tensor *self, tj_ints s, tj_ints dim, const char *norm) {
  return over(self, C2R, s, dim, norm, false, "irfftn");
}
tj_tensor *tj__impl_fft_hfft2(tj_tensor *self, tj_ints s, tj_ints dim, const char *norm) {
  return over(self, C2R, s, dim, norm, true, "hfftn");
}
tj_tensor *tj__impl_fft_hfftn(tj_tensor *self, tj_ints s, tj_ints dim, const char *norm) {
  return over(self, C2R, s, dim, norm, true, "hfftn");
}
tj_tensor *tj__impl_fft_ihfft2(tj_tensor *self, tj_ints s, tj_ints dim, const char *norm) {
  return over(self, R2C, s, dim, norm, false, "ihfftn");
}
tj_tensor *tj__impl_fft_ihfftn(tj_tensor *self, tj_ints s, tj_ints dim, const char *norm) {
  return over(self, R2C, s, dim, norm, false, "ihfftn");
}

/* ---- frequencies -------------------------------------------------------------------------------------------------- */

static tj_tensor *frequencies(tj_tensor *t, int64_t n, double d, bool requires_grad) {
  return tj__with_requires_grad(tj_mul(t, tj__number(1 / ((double)n * d))), requires_grad);
}
tj_tensor *tj__impl_fft_fftfreq(int64_t n, double d, tj_dtype dtype, tj_device device, bool requires_grad) {
  if (dtype == TJ_DTYPE_NONE) dtype = tj_get_default_dtype();
  tj_tensor *low = tj_arange_start(tj_int(0), tj_int((n + 1) / 2), dtype, device, false);
  tj_tensor *high = tj_arange_start(tj_int(-(n / 2)), tj_int(0), dtype, device, false);
  return frequencies(tj_cat(TJ_TENSORS(low, high), 0), n, d, requires_grad);
}
tj_tensor *tj__impl_fft_rfftfreq(int64_t n, double d, tj_dtype dtype, tj_device device, bool requires_grad) {
  if (dtype == TJ_DTYPE_NONE) dtype = tj_get_default_dtype();
  return frequencies(tj_arange_start(tj_int(0), tj_int(n / 2 + 1), dtype, device, false), n, d, requires_grad);
}

static tj_tensor *shifted(tj_tensor *self, tj_ints dim, bool back) {
  int64_t dims[TJ_MAX_DIMS], shifts[TJ_MAX_DIMS];
  const int64_t n = dim.n >= 0 ? dim.n : self->ndim;
  RUNTIME(n <= TJ_MAX_DIMS, "too many dimensions");
  for (int64_t i = 0; i < n; i++) {
    const int d = tj__wrap_dim(dim.n >= 0 ? dim.data[i] : i, self->ndim);
    if (d < 0) return NULL;
    dims[i] = d;
    const int64_t size = self->ndim ? self->sizes[d] : 1;
    shifts[i] = back ? (size + 1) / 2 : size / 2;
  }
  return n ? tj_roll(self, (tj_ints){shifts, n}, (tj_ints){dims, n}) : tj_clone(self, NULL);
}
tj_tensor *tj__impl_fft_fftshift(tj_tensor *self, tj_ints dim) { return shifted(self, dim, false); }
tj_tensor *tj__impl_fft_ifftshift(tj_tensor *self, tj_ints dim) { return shifted(self, dim, true); }
