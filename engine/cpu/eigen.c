/* eigen.c: eigenvalues of hermitian matrices and singular values on the CPU: the iterations on real tridiagonal and bidiagonal matrices, which
 * eigen_reduce.inc leads to, and the rotations that they give. eig.c has the eigenvalues of general matrices. */
#include "../kernels/eigen.h"

#include <math.h>

#include "../kernels/gemm.h"
#include "elements.h"
#include "loop.h"
#include "tile.h"

static inline double length(double x, double y) { return sqrt(x * x + y * y); }
/* r = the root of q, and one over it. quick: the quotient does not wait for the root; a unit in the last place less exact, for what becomes float. */
static inline double inverse_root(double q, double *r, bool quick) {
  *r = sqrt(q);
  return quick && q > 1e-290 ? *r * (1 / q) : 1 / *r;
}

/* ---- rotations -------------------------------------------------------------------------------------------------- */

/* Rotations of columns are collected and applied many at a time: to blocks of rows, which stay in the cache. */
typedef struct rotation {
  double c, s;
  int32_t i, k; /* column i becomes c z_i + s z_k, column k: c z_k - s z_i */
} rotation;
typedef struct rotations {
  int64_t rows, columns; /* of real numbers */
  void *z;               /* by columns */
  bool single;           /* float, not double */
  int64_t n, capacity;
  rotation *items;
} rotations;

/* Four vectors of rows at a time. A column that the next rotation begins with stays in registers. */
#define ROTATE(tag, T)                                                                                                   \
  typedef T vector_##tag __attribute__((vector_size(GEMM_VECTOR_BYTES), aligned(sizeof(T)), may_alias));                 \
  enum { SPAN_##tag = GEMM_VECTOR_BYTES / sizeof(T), ROWS_##tag = 4 * SPAN_##tag };                                      \
  static void rotate_##tag(int64_t begin, int64_t end, void *context) {                                                  \
    const rotations *r = context;                                                                                        \
    T block[128 * ROWS_##tag];                                                                                           \
    for (int64_t b = begin; b < end; b++) {                                                                              \
      T *z = (T *)r->z + b * ROWS_##tag;                                                                                 \
      const int64_t w = TJ__MIN(ROWS_##tag, r->rows - b * ROWS_##tag);                                                   \
      const bool packed = r->columns <= 128;                                                                             \
      if (packed)                                                                                                        \
        for (int64_t c = 0; c < r->columns; c++) memcpy(block + c * ROWS_##tag, z + c * r->rows, (size_t)w * sizeof(T)); \
      T *from = packed ? block : z;                                                                                      \
      const int64_t ld = packed ? ROWS_##tag : r->rows;                                                                  \
      vector_##tag p[4] = {0};                                                                                           \
      for (int64_t n = 0, held = -1; n < r->n; n++) {                                                                    \
        const rotation *o = r->items + n;                                                                                \
        const T c = (T)o->c, s = (T)o->s;                                                                                \
        T *x = from + o->i * ld, *y = from + o->k * ld;                                                                  \
        if (!packed && w < ROWS_##tag) {                                                                                 \
          TJ__SEPARATE for (int64_t q = 0; q < w; q++) {                                                                 \
            const T e = x[q], t = y[q];                                                                                  \
            x[q] = c * e + s * t;                                                                                        \
            y[q] = c * t - s * e;                                                                                        \
          }                                                                                                              \
          continue;                                                                                                      \
        }                                                                                                                \
        if (o->i != held) {                                                                                              \
          GEMM_UNROLL                                                                                                    \
          for (int q = 0; q < 4; q++) p[q] = *(vector_##tag *)(x + q * SPAN_##tag);                                      \
        }                                                                                                                \
        GEMM_UNROLL                                                                                                      \
        for (int q = 0; q < 4; q++) {                                                                                    \
          const vector_##tag t = *(vector_##tag *)(y + q * SPAN_##tag);                                                  \
          *(vector_##tag *)(x + q * SPAN_##tag) = c * p[q] + s * t;                                                      \
          p[q] = c * t - s * p[q];                                                                                       \
        }                                                                                                                \
        held = o->k;                                                                                                     \
        if (n + 1 == r->n || o[1].i != held) {                                                                           \
          GEMM_UNROLL                                                                                                    \
          for (int q = 0; q < 4; q++) *(vector_##tag *)(y + q * SPAN_##tag) = p[q];                                      \
          held = -1;                                                                                                     \
        }                                                                                                                \
      }                                                                                                                  \
      if (packed)                                                                                                        \
        for (int64_t c = 0; c < r->columns; c++) memcpy(z + c * r->rows, block + c * ROWS_##tag, (size_t)w * sizeof(T)); \
    }                                                                                                                    \
  }
ROTATE(f32, float)
ROTATE(f64, double)

static void rotations_apply(rotations *r) {
  if (!r->n) return;
  const int64_t width = r->single ? ROWS_f32 : ROWS_f64;
  tj__parallel_for((r->rows + width - 1) / width, TJ__MAX(1, TJ__GRAIN / (r->n * width)), r->single ? rotate_f32 : rotate_f64, r);
  r->n = 0;
}
static bool rotations_start(rotations *r, int64_t n) {
  r->capacity = TJ__MAX(64, 32 * n);
  r->items = tj__alloc((size_t)r->capacity * sizeof(rotation));
  return r->items != NULL;
}
static void rotations_end(rotations *r) {
  rotations_apply(r);
  tj__free(r->items, (size_t)r->capacity * sizeof(rotation));
}
static inline void rotations_add(rotations *r, int64_t i, int64_t k, double c, double s) {
  if (r->n == r->capacity) rotations_apply(r);
  r->items[r->n++] = (rotation){c, s, (int32_t)i, (int32_t)k};
}

/* ---- iterations ------------------------------------------------------------------------------------------------- */

/* order becomes the permutation that sorts d; stable. By insertion: the values come out of the iteration nearly in order. */
static void sort_by(const double *d, int32_t *order, int64_t n, bool descending) {
  for (int64_t i = 1; i < n; i++) {
    const int32_t o = order[i];
    int64_t k = i;
    for (; k > 0 && (descending ? d[order[k - 1]] < d[o] : d[order[k - 1]] > d[o]); k--) order[k] = order[k - 1];
    order[k] = o;
  }
}

/* Eigenvalues of the tridiagonal matrix d, e by implicit QL with Wilkinson's shifts (Golub and Van Loan, 8.3). Returns 0, or how many of e did not
 * vanish. */
static int32_t tridiagonal_values(int64_t n, double *d, double *e, double eps, rotations *z) {
  double scale = 0;
  for (int64_t i = 0; i < n; i++) scale = fmax(scale, fmax(fabs(d[i]), i + 1 < n ? fabs(e[i]) : 0));
  if (!(scale > 0) || scale > 1e300) {
    bool finite = scale == 0;
    for (int64_t i = 0; i < n; i++) finite = finite && isfinite(d[i]);
    return finite ? 0 : (int32_t)n;
  }
  const double factor = scale < 1e-140 || scale > 1e140 ? 1 / scale : 1;
  for (int64_t i = 0; i < n; i++) d[i] *= factor, e[i] *= factor;
  e[n - 1] = 0;
  const bool quick = eps > 1e-12;
  int32_t failed = 0;
  for (int64_t l = 0; l < n; l++) {
    for (int iterations = 0;; iterations++) {
      int64_t m = l;
      while (m < n - 1 && !(fabs(e[m]) <= eps * (fabs(d[m]) + fabs(d[m + 1])))) m++;
      if (m == l) break;
      if (iterations == 80) {
        failed++;
        break;
      }
      double g = (d[l + 1] - d[l]) / (2 * e[l]), r = length(g, 1);
      g = d[m] - d[l] + e[l] / (g + copysign(r, g));
      double s = 1, c = 1, p = 0;
      int64_t i = m - 1;
      for (; i >= l; i--) {
        const double f = s * e[i], b = c * e[i];
        const double inverse = inverse_root(f * f + g * g, &r, quick);
        e[i + 1] = r;
        if (r == 0) {
          d[i + 1] -= p;
          e[m] = 0;
          break;
        }
        s = f * inverse;
        c = g * inverse;
        g = d[i + 1] - p;
        r = (d[i] - g) * s + 2 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
        if (z) rotations_add(z, i + 1, i, c, s); /* each begins with the column that the one before ended with */
      }
      if (r == 0 && i >= l) continue;
      d[l] -= p;
      e[l] = g;
      e[m] = 0;
    }
  }
  for (int64_t i = 0; i < n; i++) d[i] /= factor;
  return failed;
}

static inline void turn(double f, double g, double *r, double *c, double *s, bool quick) {
  const double inverse = inverse_root(f * f + g * g, r, quick);
  if (*r == 0) *c = 1, *s = 0;
  else *c = f * inverse, *s = g * inverse;
}

/* Singular values of the upper bidiagonal matrix s, e, up to sign and order, by Golub and Kahan's iteration (Golub and Van Loan, 8.6). */
static int32_t bidiagonal_values(int64_t n, double *s, double *e, double eps, rotations *u, rotations *v) {
  double scale = 0;
  for (int64_t i = 0; i < n; i++) {
    scale = fmax(scale, fmax(fabs(s[i]), i + 1 < n ? fabs(e[i]) : 0));
    if (!isfinite(s[i]) || (i + 1 < n && !isfinite(e[i]))) return (int32_t)n;
  }
  if (scale == 0) return 0;
  const double factor = scale < 1e-140 || scale > 1e140 ? 1 / scale : 1, tiny = scale * factor * 1e-3 * eps * eps;
  for (int64_t i = 0; i < n; i++) s[i] *= factor, e[i] *= factor;
  const bool quick = eps > 1e-12;
  int64_t p = n;
  int32_t failed = 0;
  for (int iterations = 0; p > 0;) {
    int64_t k = p - 2;
    for (; k >= 0; k--)
      if (fabs(e[k]) <= tiny + eps * (fabs(s[k]) + fabs(s[k + 1]))) {
        e[k] = 0;
        break;
      }
    if (k == p - 2) {
      p--;
      iterations = 0;
      continue;
    }
    if (++iterations > 100) {
      failed++;
      p--;
      iterations = 0;
      continue;
    }
    int64_t at = p - 1;
    for (; at > k; at--) {
      const double near = (at < p - 1 ? fabs(e[at]) : 0) + (at > k + 1 ? fabs(e[at - 1]) : 0);
      if (fabs(s[at]) <= tiny + eps * eps * near) {
        s[at] = 0;
        break;
      }
    }
    double c, sn, r;
    if (at == p - 1 && at > k) { /* the last one is zero: its column is turned away */
      double f = e[p - 2];
      e[p - 2] = 0;
      for (int64_t j = p - 2; j > k; j--) {
        turn(s[j], f, &r, &c, &sn, quick);
        s[j] = r;
        if (j > k + 1) {
          f = -sn * e[j - 1];
          e[j - 1] = c * e[j - 1];
        }
        if (v) rotations_add(v, j, p - 1, c, sn);
      }
      continue;
    }
    if (at > k) { /* one in the middle is zero: its row is turned away */
      double f = e[at];
      e[at] = 0;
      for (int64_t j = at + 1; j < p; j++) {
        turn(s[j], f, &r, &c, &sn, quick);
        s[j] = r;
        if (j < p - 1) {
          f = -sn * e[j];
          e[j] = c * e[j];
        }
        if (u) rotations_add(u, j, at, c, sn);
      }
      continue;
    }
    k++;
    const double top = fmax(fmax(fmax(fabs(s[p - 1]), fabs(s[p - 2])), fmax(fabs(e[p - 2]), fabs(s[k]))), fabs(e[k]));
    const double sp = s[p - 1] / top, sq = s[p - 2] / top, eq = e[p - 2] / top, sk = s[k] / top, ek = e[k] / top;
    const double b = ((sq + sp) * (sq - sp) + eq * eq) / 2, h = (sp * eq) * (sp * eq);
    double shift = 0;
    if (b != 0 || h != 0) shift = h / (b + copysign(sqrt(b * b + h), b));
    double f = (sk + sp) * (sk - sp) + shift, g = sk * ek;
    for (int64_t j = k; j < p - 1; j++) {
      turn(f, g, &r, &c, &sn, quick);
      if (j != k) e[j - 1] = r;
      f = c * s[j] + sn * e[j];
      e[j] = c * e[j] - sn * s[j];
      g = sn * s[j + 1];
      s[j + 1] = c * s[j + 1];
      if (v) rotations_add(v, j, j + 1, c, sn);
      turn(f, g, &r, &c, &sn, quick);
      s[j] = r;
      f = c * e[j] + sn * s[j + 1];
      s[j + 1] = c * s[j + 1] - sn * e[j];
      if (j < p - 2) {
        g = sn * e[j + 1];
        e[j + 1] = c * e[j + 1];
      }
      if (u) rotations_add(u, j, j + 1, c, sn);
    }
    e[p - 2] = f;
  }
  for (int64_t i = 0; i < n; i++) s[i] /= factor;
  return failed;
}

#define EACH_SCALAR "eigen_reduce.inc"
#include "each_scalar.inc"

#if !TJ__BASELINE
extern const tj__eigen_kernels tj__cpu_eigen_base;
#endif

static bool unknown(tj_dtype dtype) { return tj__fail(TJ_ERROR_INTERNAL, "eigen: no eigenvalues of %s", tj_dtype_name(dtype)) != NULL; }

static bool eigh(tj_dtype dtype, int64_t batches, int64_t n, void *a, void *w, bool vectors, int32_t *info) {
  switch (dtype) {
    case TJ_FLOAT32: return eigh_all_f32(batches, n, a, w, vectors, info);
    case TJ_FLOAT64: return eigh_all_f64(batches, n, a, w, vectors, info);
#if TJ__BASELINE
    case TJ_COMPLEX64: return eigh_all_c64(batches, n, a, w, vectors, info);
    case TJ_COMPLEX128: return eigh_all_c128(batches, n, a, w, vectors, info);
#else
    case TJ_COMPLEX64:
    case TJ_COMPLEX128: return tj__cpu_eigen_base.eigh(dtype, batches, n, a, w, vectors, info);
#endif
    default: return unknown(dtype);
  }
}

static bool svd(tj_dtype dtype, int64_t batches, int64_t m, int64_t n, void *a, void *u, void *s, void *vh, bool full, int32_t *info) {
  switch (dtype) {
    case TJ_FLOAT32: return svd_all_f32(batches, m, n, a, u, s, vh, full, info);
    case TJ_FLOAT64: return svd_all_f64(batches, m, n, a, u, s, vh, full, info);
#if TJ__BASELINE
    case TJ_COMPLEX64: return svd_all_c64(batches, m, n, a, u, s, vh, full, info);
    case TJ_COMPLEX128: return svd_all_c128(batches, m, n, a, u, s, vh, full, info);
#else
    case TJ_COMPLEX64:
    case TJ_COMPLEX128: return tj__cpu_eigen_base.svd(dtype, batches, m, n, a, u, s, vh, full, info);
#endif
    default: return unknown(dtype);
  }
}

#if !TJ__BASELINE
static bool eig(tj_dtype dtype, int64_t batches, int64_t n, const void *a, void *w, void *v, int32_t *info) {
  return tj__cpu_eigen_base.eig(dtype, batches, n, a, w, v, info);
}
#else
bool tj__cpu_eig(tj_dtype dtype, int64_t batches, int64_t n, const void *a, void *w, void *v, int32_t *info); /* eig.c */
#define eig tj__cpu_eig
#endif

const tj__eigen_kernels TJ__ISA(tj__cpu_eigen) = {eigh, svd, eig};
