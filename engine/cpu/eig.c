/* eig.c: eigenvalues and eigenvectors of general matrices: balancing, Hessenberg form, the QR iteration with the shifts of LAPACK's dlahqr (real,
 * two shifts at once) and zlahqr (complex), back substitution. All in double precision, whatever the dtype; compiled for the baseline alone. */
#include "../kernels/eigen.h"

#include <math.h>

#include "../kernels/gemm.h"
#include "elements.h"

#if TJ__BASELINE

static const double ULP = 2.220446049250313e-16, SMALL = 1e-300;
enum { EXCEPTIONAL = 10, SWEEPS = 300 };

/* ---- complex ------------------------------------------------------------------------------------------------------ */

#define T tj__c128
#define R double
#define SUFFIX c128
#define DTYPE TJ_COMPLEX128
#define COMPLEX 1
#include "scalar.inc"

#include "reflector.inc"

#include "eig_schur.inc"

static inline double size1(tj__c128 x) { return fabs(RE(x)) + fabs(IM(x)); }
static inline double modulus(tj__c128 x) { return hypot(RE(x), IM(x)); }

#define H(i, j) h[(i) + (j)*n]
#define Z(i, j) z[(i) + (j)*n]
static void scale_row(int64_t n, tj__c128 *h, int64_t i, int64_t from, int64_t to, tj__c128 f) {
  for (int64_t j = from; j <= to; j++) H(i, j) = MUL(H(i, j), f);
}
static void scale_column(int64_t n, tj__c128 *h, int64_t j, int64_t from, int64_t to, tj__c128 f) {
  for (int64_t i = from; i <= to; i++) H(i, j) = MUL(H(i, j), f);
}

/* Schur form of a Hessenberg matrix. z: NULL for the eigenvalues alone. Returns 0, or 1 + the index that did not converge. */
static int32_t schur_c128(int64_t n, int64_t lo, int64_t hi, tj__c128 *h, tj__c128 *z) {
  for (int64_t i = lo + 1; i <= hi; i++)
    if (IM(H(i, i - 1)) != 0) {
      const double r = modulus(H(i, i - 1));
      const tj__c128 f = MAKE(RE(H(i, i - 1)) / r, -IM(H(i, i - 1)) / r);
      H(i, i - 1) = r;
      scale_row(n, h, i, i, n - 1, f);
      scale_column(n, h, i, 0, TJ__MIN(hi, i + 1), CONJ(f));
      if (z) scale_column(n, z, i, 0, n - 1, CONJ(f));
    }
  int64_t since = 0;
  for (int64_t i = hi; i >= lo;) {
    int64_t l = lo;
    bool done = false;
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
      int64_t k = i;
      for (; k > l; k--) {
        if (size1(H(k, k - 1)) <= SMALL) break;
        double near = size1(H(k - 1, k - 1)) + size1(H(k, k));
        if (near == 0) {
          if (k - 2 >= lo) near += fabs(RE(H(k - 1, k - 2)));
          if (k + 1 <= hi) near += fabs(RE(H(k + 1, k)));
        }
        if (fabs(RE(H(k, k - 1))) <= ULP * near) {
          const double x = size1(H(k, k - 1)), y = size1(H(k - 1, k)), ab = fmax(x, y), ba = fmin(x, y);
          const double p = size1(H(k, k)), q = size1(H(k - 1, k - 1) - H(k, k)), aa = fmax(p, q), bb = fmin(p, q), s = aa + ab;
          if (ba * (ab / s) <= fmax(SMALL, ULP * (bb * (aa / s)))) break;
        }
      }
      l = k;
      if (l > lo) H(l, l - 1) = 0;
      if (l >= i) {
        done = true;
        break;
      }
      since++;
      const int64_t first = z ? 0 : l, last = z ? n - 1 : i;
      tj__c128 t;
      if (since % (2 * EXCEPTIONAL) == 0) t = 0.75 * fabs(RE(H(i, i - 1))) + H(i, i);
      else if (since % EXCEPTIONAL == 0) t = 0.75 * fabs(RE(H(l + 1, l))) + H(l, l);
      else {
        t = H(i, i);
        const tj__c128 u = MUL(csqrt(H(i - 1, i)), csqrt(H(i, i - 1)));
        double s = size1(u);
        if (s != 0) {
          const tj__c128 x = 0.5 * (H(i - 1, i - 1) - t);
          const double sx = size1(x);
          s = fmax(s, sx);
          tj__c128 y = s * csqrt(MUL(x / s, x / s) + MUL(u / s, u / s));
          if (sx > 0 && RE(x / sx) * RE(y) + IM(x / sx) * IM(y) < 0) y = -y;
          t = t - MUL(u, DIV(u, x + y));
        }
      }
      int64_t m = i - 1;
      tj__c128 v[2];
      for (;; m--) {
        const tj__c128 a = H(m, m), b = H(m + 1, m + 1);
        tj__c128 as = a - t;
        double c = RE(H(m + 1, m)), s = size1(as) + fabs(c);
        as /= s, c /= s;
        v[0] = as, v[1] = c;
        if (m == l || fabs(RE(H(m, m - 1))) * fabs(c) <= ULP * (size1(as) * (size1(a) + size1(b)))) break;
      }
      for (k = m; k < i; k++) {
        if (k > m) v[0] = H(k, k - 1), v[1] = H(k + 1, k - 1);
        const tj__c128 t1 = reflect_c128(2, v), w = v[1];
        if (k > m) H(k, k - 1) = v[0], H(k + 1, k - 1) = 0;
        const double t2 = RE(MUL(t1, w));
        for (int64_t j = k; j <= last; j++) {
          const tj__c128 sum = MUL(CONJ(t1), H(k, j)) + t2 * H(k + 1, j);
          H(k, j) -= sum;
          H(k + 1, j) -= MUL(sum, w);
        }
        for (int64_t j = first; j <= TJ__MIN(k + 2, i); j++) {
          const tj__c128 sum = MUL(t1, H(j, k)) + t2 * H(j, k + 1);
          H(j, k) -= sum;
          H(j, k + 1) -= MUL(sum, CONJ(w));
        }
        for (int64_t j = 0; z && j < n; j++) {
          const tj__c128 sum = MUL(t1, Z(j, k)) + t2 * Z(j, k + 1);
          Z(j, k) -= sum;
          Z(j, k + 1) -= MUL(sum, CONJ(w));
        }
        if (k == m && m > l) {
          tj__c128 f = 1 - t1;
          f /= modulus(f);
          H(m + 1, m) = MUL(H(m + 1, m), CONJ(f));
          if (m + 2 <= i) H(m + 2, m + 1) = MUL(H(m + 2, m + 1), f);
          for (int64_t j = m; j <= i; j++) {
            if (j == m + 1) continue;
            scale_row(n, h, j, j + 1, last, f);
            scale_column(n, h, j, first, j - 1, CONJ(f));
            if (z) scale_column(n, z, j, 0, n - 1, CONJ(f));
          }
        }
      }
      tj__c128 f = H(i, i - 1);
      if (IM(f) != 0) {
        const double r = modulus(f);
        H(i, i - 1) = r;
        f /= r;
        scale_row(n, h, i, i + 1, last, CONJ(f));
        scale_column(n, h, i, first, i - 1, f);
        if (z) scale_column(n, z, i, 0, n - 1, f);
      }
    }
    if (!done) return (int32_t)(i + 1);
    since = 0;
    i = l - 1;
  }
  return 0;
}
#undef H
#undef Z

/* v = z x for the eigenvectors x of the triangular matrix t; x: n n of workspace. */
static bool vectors_of(int64_t n, const tj__c128 *t, const tj__c128 *z, tj__c128 *x, tj__c128 *v) {
  memset(x, 0, (size_t)(n * n) * sizeof *x);
  double norm = 0;
  for (int64_t i = 0; i < n * n; i++) norm = fmax(norm, size1(t[i]));
  for (int64_t k = 0; k < n; k++) {
    tj__c128 *y = x + k * n;
    const double least = fmax(ULP * size1(t[k + k * n]), fmax(SMALL, norm * SMALL));
    y[k] = 1;
    for (int64_t i = 0; i < k; i++) y[i] = -t[i + k * n];
    for (int64_t i = k - 1; i >= 0; i--) {
      tj__c128 d = t[i + i * n] - t[k + k * n];
      if (size1(d) < least) d = least;
      y[i] = DIV(y[i], d);
      if (size1(y[i]) > 1e120)
        for (int64_t j = 0; j <= k; j++) y[j] *= 1e-120;
      for (int64_t j = 0; j < i; j++) y[j] -= MUL(y[i], t[j + i * n]);
    }
  }
  return product_c128(n, n, n, z, 1, n, x, 1, n, v, 1, n, 1, 0);
}

/* Undoes the balancing, then unit length, the largest component real. */
static void finish_vector(int64_t n, int64_t lo, int64_t hi, const double *scale, tj__c128 *v) {
  for (int64_t i = lo; i <= hi; i++) v[i] *= scale[i];
  for (int64_t i = lo - 1; i >= 0; i--) {
    const int64_t p = (int64_t)scale[i];
    const tj__c128 x = v[i];
    v[i] = v[p], v[p] = x;
  }
  for (int64_t i = hi + 1; i < n; i++) {
    const int64_t p = (int64_t)scale[i];
    const tj__c128 x = v[i];
    v[i] = v[p], v[p] = x;
  }
  double most = 0, sum = 0;
  for (int64_t i = 0; i < n; i++) most = fmax(most, size1(v[i]));
  if (!(most > 0)) return;
  int64_t at = 0;
  for (int64_t i = 0; i < n; i++) v[i] /= most, sum += SQUARE(v[i]);
  for (int64_t i = 1; i < n; i++)
    if (SQUARE(v[i]) > SQUARE(v[at])) at = i;
  const double r = modulus(v[at]), length = sqrt(sum);
  const tj__c128 f = MAKE(RE(v[at]) / r / length, -IM(v[at]) / r / length);
  const double kept = r / length;
  for (int64_t i = 0; i < n; i++) v[i] = MUL(v[i], f);
  v[at] = kept;
}

static int32_t eig_complex(int64_t n, tj__c128 *a, tj__c128 *w, tj__c128 *v, tj__c128 *memory, double *scale, bool *ok) {
  int64_t lo, hi;
  tj__c128 *z = v ? memory + 2 * n : NULL;
  balance_c128(n, a, &lo, &hi, scale);
  hessenberg_c128(n, lo, hi, a, z, memory);
  const int32_t info = schur_c128(n, lo, hi, a, z);
  for (int64_t i = 0; i < n; i++) w[i] = a[i + i * n];
  if (!v || info) return info;
  *ok = vectors_of(n, a, z, z + n * n, v);
  for (int64_t k = 0; *ok && k < n; k++) finish_vector(n, lo, hi, scale, v + k * n);
  return 0;
}
#include "scalar_end.inc"

/* ---- real --------------------------------------------------------------------------------------------------------- */

#define T double
#define R double
#define SUFFIX f64
#define DTYPE TJ_FLOAT64
#define COMPLEX 0
#include "scalar.inc"

#include "reflector.inc"

#include "eig_schur.inc"

/* The 2 x 2 block [[a, b], [c, d]] to Schur form by a rotation: c = 0, or a = d and b c < 0 (LAPACK's dlanv2). */
static void standardise(double *a, double *b, double *c, double *d, double *cs, double *sn) {
  *cs = 1, *sn = 0;
  if (*c == 0) return;
  if (*b == 0) {
    *cs = 0, *sn = 1;
    const double t = *d;
    *d = *a, *a = t, *b = -*c, *c = 0;
    return;
  }
  if (*a - *d == 0 && (*b < 0) != (*c < 0)) return;
  double difference = *a - *d, p = difference / 2, most = fmax(fabs(*b), fabs(*c));
  const double least = fmin(fabs(*b), fabs(*c)) * copysign(1, *b) * copysign(1, *c), scale = fmax(fabs(p), most);
  double x = (p / scale) * p + (most / scale) * least;
  if (x >= 4 * ULP) {
    x = p + copysign(sqrt(scale) * sqrt(x), p);
    *a = *d + x;
    *d -= (most / x) * least;
    const double tau = hypot(*c, x);
    *cs = x / tau, *sn = *c / tau;
    *b -= *c, *c = 0;
    return;
  }
  const double sigma = *b + *c, tau = hypot(sigma, difference);
  *cs = sqrt((1 + fabs(sigma) / tau) / 2);
  *sn = -(p / (tau * *cs)) * copysign(1, sigma);
  const double aa = *a * *cs + *b * *sn, bb = *b * *cs - *a * *sn, cc = *c * *cs + *d * *sn, dd = *d * *cs - *c * *sn;
  *a = aa * *cs + cc * *sn, *b = bb * *cs + dd * *sn, *c = cc * *cs - aa * *sn, *d = dd * *cs - bb * *sn;
  const double middle = (*a + *d) / 2;
  *a = *d = middle;
  if (*c == 0) return;
  if (*b == 0) {
    *b = -*c, *c = 0;
    const double t = *cs;
    *cs = -*sn, *sn = t;
  } else if ((*b < 0) == (*c < 0)) {
    const double sb = sqrt(fabs(*b)), sc = sqrt(fabs(*c)), t = 1 / sqrt(fabs(*b + *c));
    p = copysign(sb * sc, *c);
    *a = middle + p, *d = middle - p;
    *b -= *c, *c = 0;
    const double c1 = sb * t, s1 = sc * t, old = *cs;
    *cs = old * c1 - *sn * s1;
    *sn = old * s1 + *sn * c1;
  }
}

#define H(i, j) h[(i) + (j)*n]
#define Z(i, j) z[(i) + (j)*n]
/* Real Schur form: 2 x 2 blocks for complex pairs. */
static int32_t schur_f64(int64_t n, int64_t lo, int64_t hi, double *h, double *z) {
  int64_t since = 0;
  for (int64_t i = hi; i >= lo;) {
    int64_t l = lo;
    bool done = false;
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
      int64_t k = i;
      for (; k > l; k--) {
        const double sub = fabs(H(k, k - 1));
        if (sub <= SMALL) break;
        double near = fabs(H(k - 1, k - 1)) + fabs(H(k, k));
        if (near == 0) {
          if (k - 2 >= lo) near += fabs(H(k - 1, k - 2));
          if (k + 1 <= hi) near += fabs(H(k + 1, k));
        }
        if (sub <= ULP * near) {
          const double y = fabs(H(k - 1, k)), ab = fmax(sub, y), ba = fmin(sub, y);
          const double p = fabs(H(k, k)), q = fabs(H(k - 1, k - 1) - H(k, k)), aa = fmax(p, q), bb = fmin(p, q), s = aa + ab;
          if (ba * (ab / s) <= fmax(SMALL, ULP * (bb * (aa / s)))) break;
        }
      }
      l = k;
      if (l > lo) H(l, l - 1) = 0;
      if (l >= i - 1) {
        done = true;
        break;
      }
      since++;
      const int64_t first = z ? 0 : l, last = z ? n - 1 : i;
      double h11, h21, h12, h22;
      if (since % (2 * EXCEPTIONAL) == 0) {
        const double s = fabs(H(i, i - 1)) + fabs(H(i - 1, i - 2));
        h11 = h22 = 0.75 * s + H(i, i), h12 = -0.4375 * s, h21 = s;
      } else if (since % EXCEPTIONAL == 0) {
        const double s = fabs(H(l + 1, l)) + fabs(H(l + 2, l + 1));
        h11 = h22 = 0.75 * s + H(l, l), h12 = -0.4375 * s, h21 = s;
      } else h11 = H(i - 1, i - 1), h21 = H(i, i - 1), h12 = H(i - 1, i), h22 = H(i, i);
      const double s = fabs(h11) + fabs(h12) + fabs(h21) + fabs(h22);
      double r1 = 0, r2 = 0, i1 = 0, i2 = 0;
      if (s != 0) {
        h11 /= s, h21 /= s, h12 /= s, h22 /= s;
        const double half = (h11 + h22) / 2, det = (h11 - half) * (h22 - half) - h12 * h21, root = sqrt(fabs(det));
        if (det >= 0) r1 = r2 = half * s, i1 = root * s, i2 = -i1;
        else {
          r1 = half + root, r2 = half - root;
          r1 = r2 = (fabs(r1 - h22) <= fabs(r2 - h22) ? r1 : r2) * s;
        }
      }
      double v[3];
      int64_t m = i - 2;
      for (;; m--) {
        const double size = fabs(H(m, m) - r2) + fabs(i2) + fabs(H(m + 1, m)), sub = H(m + 1, m) / size;
        v[0] = sub * H(m, m + 1) + (H(m, m) - r1) * ((H(m, m) - r2) / size) - i1 * (i2 / size);
        v[1] = sub * (H(m, m) + H(m + 1, m + 1) - r1 - r2);
        v[2] = sub * H(m + 2, m + 1);
        const double sum = fabs(v[0]) + fabs(v[1]) + fabs(v[2]);
        v[0] /= sum, v[1] /= sum, v[2] /= sum;
        if (m == l || fabs(H(m, m - 1)) * (fabs(v[1]) + fabs(v[2])) <=
                          ULP * fabs(v[0]) * (fabs(H(m - 1, m - 1)) + fabs(H(m, m)) + fabs(H(m + 1, m + 1))))
          break;
      }
      for (k = m; k < i; k++) {
        const int nr = i - k + 1 < 3 ? 2 : 3;
        if (k > m)
          for (int q = 0; q < nr; q++) v[q] = H(k + q, k - 1);
        const double t1 = reflect_f64(nr, v), v2 = v[1], v3 = nr == 3 ? v[2] : 0, t2 = t1 * v2, t3 = t1 * v3;
        if (k > m) {
          H(k, k - 1) = v[0], H(k + 1, k - 1) = 0;
          if (k < i - 1) H(k + 2, k - 1) = 0;
        } else if (m > l) H(k, k - 1) *= 1 - t1;
        for (int64_t j = k; j <= last; j++) {
          const double sum = H(k, j) + v2 * H(k + 1, j) + (nr == 3 ? v3 * H(k + 2, j) : 0);
          H(k, j) -= sum * t1;
          H(k + 1, j) -= sum * t2;
          if (nr == 3) H(k + 2, j) -= sum * t3;
        }
        for (int pass = 0; pass < (z ? 2 : 1); pass++) {
          double *x = (pass ? z : h) + k * n, *y = x + n, *u = nr == 3 ? y + n : y;
          const int64_t from = pass ? 0 : first, to = pass ? n - 1 : TJ__MIN(k + 3, i);
          for (int64_t j = from; j <= to; j++) {
            const double sum = x[j] + v2 * y[j] + (nr == 3 ? v3 * u[j] : 0);
            x[j] -= sum * t1;
            y[j] -= sum * t2;
            if (nr == 3) u[j] -= sum * t3;
          }
        }
      }
    }
    if (!done) return (int32_t)(i + 1);
    if (l == i - 1) {
      double cs, sn;
      standardise(&H(i - 1, i - 1), &H(i - 1, i), &H(i, i - 1), &H(i, i), &cs, &sn);
      if (z) {
        for (int64_t j = i + 1; j < n; j++) {
          const double x = H(i - 1, j), y = H(i, j);
          H(i - 1, j) = cs * x + sn * y, H(i, j) = cs * y - sn * x;
        }
        for (int pass = 0; pass < 2; pass++) {
          double *x = (pass ? z : h) + (i - 1) * n, *y = x + n;
          for (int64_t j = 0; j < (pass ? n : i - 1); j++) {
            const double p = x[j], q = y[j];
            x[j] = cs * p + sn * q, y[j] = cs * q - sn * p;
          }
        }
      }
    }
    since = 0;
    i = l - 1;
  }
  return 0;
}

static int32_t eig_real(int64_t n, double *a, tj__c128 *w, tj__c128 *v, tj__c128 *memory, double *scale, bool *ok) {
  int64_t lo, hi;
  double *h = a, *work = (double *)memory, *z = v ? work + 2 * n : NULL;
  balance_f64(n, a, &lo, &hi, scale);
  hessenberg_f64(n, lo, hi, a, z, work);
  const int32_t info = schur_f64(n, lo, hi, a, z);
  for (int64_t i = 0; i < n; i++) {
    w[i] = H(i, i);
    if (i + 1 < n && H(i + 1, i) != 0) {
      const double im = sqrt(fabs(H(i, i + 1))) * sqrt(fabs(H(i + 1, i)));
      w[i] = __builtin_complex(H(i, i), im), w[i + 1] = __builtin_complex(H(i + 1, i + 1), -im);
      i++;
    }
  }
  if (!v || info) return info;
  /* The complex Schur form: a unitary 2 x 2 matrix a block. */
  tj__c128 *t = memory + 2 * n + n * n, *u = t + n * n;
  for (int64_t i = 0; i < n * n; i++) t[i] = a[i], u[i] = z[i];
  for (int64_t i = 0; i + 1 < n; i++) {
    if (H(i + 1, i) == 0) continue;
    tj__c128 x = H(i, i + 1), y = w[i] - H(i, i);
    const double r = sqrt(__real__ x * __real__ x + __imag__ y * __imag__ y + __real__ y * __real__ y);
    x /= r, y /= r;
    const tj__c128 xc = conj(x), yc = conj(y);
    for (int pass = 0; pass < 2; pass++) {
      tj__c128 *p = (pass ? u : t) + i * n, *q = p + n;
      for (int64_t j = 0; j < n; j++) {
        const tj__c128 f = p[j], g = q[j];
        p[j] = f * x + g * y, q[j] = g * xc - f * yc;
      }
    }
    for (int64_t j = 0; j < n; j++) {
      const tj__c128 f = t[i + j * n], g = t[i + 1 + j * n];
      t[i + j * n] = f * xc + g * yc, t[i + 1 + j * n] = g * x - f * y;
    }
    t[i + 1 + i * n] = 0;
    t[i + i * n] = w[i], t[i + 1 + (i + 1) * n] = w[i + 1];
    i++;
  }
  *ok = vectors_of(n, t, u, u + n * n, v);
  for (int64_t k = 0; *ok && k < n; k++) {
    if (__imag__ w[k] == 0)
      for (int64_t i = 0; i < n; i++) v[i + k * n] = __real__ v[i + k * n];
    finish_vector(n, lo, hi, scale, v + k * n);
    if (__imag__ w[k] != 0) {
      for (int64_t i = 0; i < n; i++) v[i + (k + 1) * n] = conj(v[i + k * n]);
      k++;
    }
  }
  return 0;
}
#include "scalar_end.inc"

bool tj__cpu_eig(tj_dtype dtype, int64_t batches, int64_t n, const void *a, void *w, void *v, int32_t *info);
bool tj__cpu_eig(tj_dtype dtype, int64_t batches, int64_t n, const void *a, void *w, void *v, int32_t *info) {
  if (!n) {
    for (int64_t b = 0; b < batches; b++) info[b] = 0;
    return true;
  }
  const int64_t nn = n * n, sum = nn + 2 * n + (v ? 5 * nn : 0);
  const size_t bytes = (size_t)sum * sizeof(tj__c128) + (size_t)n * sizeof(tj__c128) + (size_t)n * sizeof(double);
  tj__c128 *copy = tj__alloc(bytes);
  if (!copy) return false;
  tj__c128 *vectors = v ? copy + nn : NULL, *memory = copy + nn + (v ? nn : 0), *values = copy + sum;
  double *scale = (double *)(values + n);
  const bool real = !tj_dtype_is_complex(dtype), single = dtype == TJ_FLOAT32 || dtype == TJ_COMPLEX64;
  bool ok = true;
  for (int64_t b = 0; ok && b < batches; b++) {
    const int64_t at = b * nn;
    for (int64_t i = 0; i < nn; i++)
      if (real) ((double *)copy)[i] = single ? ((const float *)a)[at + i] : ((const double *)a)[at + i];
      else copy[i] = single ? (tj__c128)((const tj__c64 *)a)[at + i] : ((const tj__c128 *)a)[at + i];
    info[b] =
        real ? eig_real(n, (double *)copy, values, vectors, memory, scale, &ok) : eig_complex(n, copy, values, vectors, memory, scale, &ok);
    for (int64_t i = 0; i < n; i++)
      if (single) ((tj__c64 *)w)[b * n + i] = (tj__c64)values[i];
      else ((tj__c128 *)w)[b * n + i] = values[i];
    for (int64_t i = 0; vectors && i < nn; i++)
      if (single) ((tj__c64 *)v)[at + i] = (tj__c64)vectors[i];
      else ((tj__c128 *)v)[at + i] = vectors[i];
  }
  tj__free(copy, bytes);
  return ok;
}
#endif
