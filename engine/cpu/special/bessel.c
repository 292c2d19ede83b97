/* bessel.c: Bessel functions and Airy's Ai. Series where terms have one sign, asymptotic expansions where they reach the last bit (DLMF
 * 10.25, 10.31, 10.40, 9.2, 9.7), and between the two integrals over the whole line, for which the trapezoidal rule converges
 * exponentially. */
#include "special.h"

#include <complex.h>
#undef I
#ifndef CMPLX /* clang with glibc */
#define CMPLX(re, im) __builtin_complex((double)(re), (double)(im))
#endif

static const double EULER_GAMMA = 0.57721566490153286061;

/* ---- I ---------------------------------------------------------------------------------------------------------- */

/* exp(-x) I_n(x), n 0 or 1, x >= 0 */
static double scaled_i(int n, double x) {
  if (x != x) return x;
  if (isinf(x)) return 0.0;
  if (x <= 20.0) { /* terms are positive: nothing cancels */
    const double q = 0.25 * x * x;
    double term = n ? 0.5 * x : 1.0, sum = term;
    for (int k = 1; term > 1e-17 * sum; k++) {
      term *= q / ((double)k * (k + n));
      sum += term;
    }
    return exp(-x) * sum;
  }
  double term = 1.0, sum = 1.0;
  for (int k = 1; k < 40; k++) {
    const double odd = 2 * k - 1, next = term * -(4.0 * n * n - odd * odd) / (8.0 * k * x);
    if (fabs(next) >= fabs(term)) break;
    term = next;
    sum += term;
    if (fabs(term) < 1e-17) break;
  }
  return sum / sqrt(2.0 * M_PI * x);
}

double tj__sf_i0e(double x) { return scaled_i(0, fabs(x)); }
double tj__sf_i1e(double x) { return x == 0.0 ? x : copysign(1.0, x) * scaled_i(1, fabs(x)); }

/* The factor is of the dtype: where it overflows so does the result, and at infinity the product is NaN, as in PyTorch. */
double i0_f64(double x) { return tj__sf_i0e(x) * exp(fabs(x)); }
float i0_f32(float x) { return (float)(tj__sf_i0e(x) * (double)expf(fabsf(x))); }
double i1_f64(double x) { return x == 0.0 ? x : tj__sf_i1e(x) * exp(fabs(x)); }
float i1_f32(float x) { return x == 0.0f ? x : (float)(tj__sf_i1e(x) * (double)expf(fabsf(x))); }

/* ---- K ---------------------------------------------------------------------------------------------------------- */

/* exp(x) K_v(x) = integral over t >= 0 of exp(-x (cosh t - 1)) cosh(v t), for x >= 1. Steps shrink with the width of the integrand. */
static double scaled_k_integral(double v, double x) {
  enum { POINTS = 40 };
  const double most = acosh(1.0 + 40.0 / x), step = most / POINTS;
  double sum = 0.5;
  for (int k = 1; k <= POINTS; k++) {
    const double t = k * step, s = sinh(0.5 * t);
    sum += exp(-2.0 * x * s * s) * cosh(v * t);
  }
  return sum * step;
}

/* K_0 and K_1 for 0 < x < 2 */
static double k0_series(double x) {
  const double q = 0.25 * x * x;
  double term = 1.0, harmonic = 0.0, sum = 0.0, i0 = 1.0;
  for (int k = 1; term > 1e-18; k++) {
    term *= q / ((double)k * k);
    harmonic += 1.0 / k;
    sum += term * harmonic;
    i0 += term;
  }
  return sum - (log(0.5 * x) + EULER_GAMMA) * i0;
}
static double k1_series(double x) {
  const double q = 0.25 * x * x;
  double term = 1.0, psi = 1.0 - 2.0 * EULER_GAMMA, sum = psi, i1 = 1.0; /* psi(k + 1) + psi(k + 2) */
  for (int k = 1; term > 1e-18; k++) {
    term *= q / ((double)k * (k + 1));
    psi += 1.0 / k + 1.0 / (k + 1);
    sum += term * psi;
    i1 += term;
  }
  return 1.0 / x + 0.5 * x * (log(0.5 * x) * i1 - 0.5 * sum);
}

static double scaled_k(int n, double x, int scaled) {
  if (x != x) return x;
  if (x == 0.0) return INFINITY;
  if (x < 0.0) return NAN;
  if (isinf(x)) return 0.0;
  if (x < 1.0) return (n ? k1_series(x) : k0_series(x)) * (scaled ? exp(x) : 1.0);
  const double half = scaled ? 1.0 : exp(-0.5 * x);
  return scaled_k_integral(n, x) * half * half;
}
double tj__sf_k0(double x) { return scaled_k(0, x, 0); }
double tj__sf_k1(double x) { return scaled_k(1, x, 0); }
double tj__sf_k0e(double x) { return scaled_k(0, x, 1); }
double tj__sf_k1e(double x) { return scaled_k(1, x, 1); }

/* ---- J, Y ------------------------------------------------------------------------------------------------------- */

/* Hankel's expansion for x > 25. phase: x - (n / 2 + 1 / 4) pi in the arithmetic of the dtype, whose rounding shows where x is large. */
static double hankel(int n, double x, double phase, int second) {
  double term = 1.0, p = 1.0, q = 0.0;
  for (int k = 1; k < 50 && fabs(term) > 1e-18; k++) {
    term *= (4.0 * n * n - (2.0 * k - 1) * (2.0 * k - 1)) / (8.0 * k * x);
    if (k & 1) q += (k & 2) ? -term : term;
    else p += (k & 2) ? -term : term;
  }
  const double value = second ? p * sin(phase) + q * cos(phase) : p * cos(phase) - q * sin(phase);
  return value * sqrt(2.0 * M_1_PI / x);
}

/* At infinity NaN, as PyTorch has it. */
#define BESSEL(T, S, QUARTER)                                                                         \
  T bessel_j0_##S(T x) {                                                                              \
    x = x < 0 ? -x : x;                                                                               \
    return isinf(x) ? (T)NAN : x > 25 ? (T)hankel(0, x, (T)(x - QUARTER), 0) : (T)j0(x);              \
  }                                                                                                   \
  T bessel_j1_##S(T x) {                                                                              \
    const T a = x < 0 ? -x : x;                                                                       \
    const T value = isinf(x) ? (T)NAN : a > 25 ? (T)hankel(1, a, (T)(a - 3 * QUARTER), 0) : (T)j1(a); \
    return x < 0 ? -value : value;                                                                    \
  }                                                                                                   \
  T bessel_y0_##S(T x) {                                                                              \
    if (x <= 0) return x == 0 ? -(T)INFINITY : (T)NAN;                                                \
    return isinf(x) ? (T)NAN : x > 25 ? (T)hankel(0, x, (T)(x - QUARTER), 1) : (T)y0(x);              \
  }                                                                                                   \
  T bessel_y1_##S(T x) {                                                                              \
    if (x <= 0) return x == 0 ? -(T)INFINITY : (T)NAN;                                                \
    return isinf(x) ? (T)NAN : x > 25 ? (T)hankel(1, x, (T)(x - 3 * QUARTER), 1) : (T)y1(x);          \
  }
BESSEL(float, f32, 0.785398163397448309616f)
BESSEL(double, f64, 0.785398163397448309616)

double tj__sf_spherical_j0(double x) {
  if (isinf(x)) return 0.0;
  if (fabs(x) < 0.5) {
    const double q = x * x;
    return 1.0 + q * (-1.0 / 6 + q * (1.0 / 120 + q * (-1.0 / 5040 + q * (1.0 / 362880 + q * (-1.0 / 39916800 + q / 6227020800.0)))));
  }
  return sin(x) / x;
}

/* ---- Ai --------------------------------------------------------------------------------------------------------- */

/* exp(i zeta) K_v(i zeta) along the path t - i tanh(t), which is that of steepest descent at 0. */
static double complex k_on_imaginary_axis(double v, double zeta) {
  enum { POINTS = 60 };
  const double most = asinh(50.0 / zeta) + 0.3, step = most / POINTS;
  const double complex turn = CMPLX(0.0, -zeta);
  double complex sum = 0.0;
  for (int k = -POINTS; k <= POINTS; k++) {
    const double u = k * step, th = tanh(u);
    const double complex t = CMPLX(u, -th), s = csinh(0.5 * t);
    sum += cexp(2.0 * turn * s * s + v * t) * CMPLX(1.0, -(1.0 - th * th));
  }
  return 0.5 * step * sum;
}

/* single: the phase of the oscillation is rounded to float, as a float's would be */
static double airy_ai(double x, int single) {
  if (x != x || isinf(x)) return NAN;
  if (x > 103.892) return 0.0; /* below the smallest float, where the reference ends too */
  if (x > -1.5 && x < 1.5) {   /* Maclaurin's series of the two solutions f and g */
    double f = 1.0, g = x, term_f = 1.0, term_g = x;
    const double cube = x * x * x;
    for (int k = 1; k < 20; k++) {
      term_f *= cube / ((3 * k) * (3 * k - 1));
      term_g *= cube / ((3 * k) * (3 * k + 1));
      f += term_f;
      g += term_g;
    }
    return 0.35502805388781723926 * f - 0.25881940379280679841 * g;
  }
  const double root = sqrt(fabs(x)), zeta = single ? 2.0f * (float)fabs(x) * sqrtf((float)fabs(x)) / 3.0f : 2.0 * fabs(x) * root / 3.0;
  if (x > 0.0) return M_1_PI * sqrt(x / 3.0) * exp(-zeta) * scaled_k_integral(1.0 / 3.0, zeta);
  if (zeta > 40.0) {
    /* Ai(-x) = (cos(zeta - pi/4) P + sin(zeta - pi/4) Q) / (sqrt(pi) x^(1/4)) */
    double term = 1.0, p = 1.0, q = 0.0;
    for (int k = 1; k < 40 && fabs(term) > 1e-18; k++) {
      term *= (6.0 * k - 5) * (6.0 * k - 3) * (6.0 * k - 1) / (216.0 * k * (2.0 * k - 1) * zeta);
      if (k & 1) q += (k & 2) ? -term : term;
      else p += (k & 2) ? -term : term;
    }
    const double angle = single ? (float)zeta + (float)(0.25 * M_PI) : zeta + 0.25 * M_PI;
    return (sin(angle) * p - cos(angle) * q) / (sqrt(M_PI * root));
  }
  /* Ai(-x) = 2 Re(exp(i pi / 3) Ai(x exp(i pi / 3))), which is K on the imaginary axis */
  const double complex k = k_on_imaginary_axis(1.0 / 3.0, zeta) * cexp(CMPLX(0.0, 0.5 * M_PI - zeta));
  return 2.0 * M_1_PI * sqrt(-x / 3.0) * creal(k);
}
double airy_ai_f64(double x) { return airy_ai(x, 0); }
float airy_ai_f32(float x) { return (float)airy_ai(x, 1); }
