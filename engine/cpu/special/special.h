/* special.h: the special functions of mathematics, in double and (the polynomials, whose overflow shows) in float. They are called, not
 * inlined: each is a loop or a series, compiled once for the baseline. NAME_f32 and NAME_f64 are what pointwise expressions call. */
#ifndef TJ__SPECIAL_H
#define TJ__SPECIAL_H

#include <math.h>
#include <stdint.h>

/* bessel.c. Of the first kind J, of the second kind Y, modified I and K; e: times exp(-|x|) (I) or exp(x) (K). */
double tj__sf_i0e(double x);
double tj__sf_i1e(double x);
double tj__sf_k0(double x);
double tj__sf_k1(double x);
double tj__sf_k0e(double x);
double tj__sf_k1e(double x);
double tj__sf_spherical_j0(double x);
#define TJ__SF_OF_DTYPE(X) X(i0) X(i1) X(bessel_j0) X(bessel_j1) X(bessel_y0) X(bessel_y1) X(airy_ai)
#define TJ__X(name)          \
  float name##_f32(float x); \
  double name##_f64(double x);
TJ__SF_OF_DTYPE(TJ__X)
#undef TJ__X

/* gamma.c: the regularised incomplete gamma functions P(a, x) and Q(a, x); Hurwitz' zeta function; derivatives of digamma (n >= 1). */
double tj__sf_gammainc(double a, double x);
double tj__sf_gammaincc(double a, double x);
double tj__sf_zeta(double x, double q);
double tj__sf_polygamma(double n, double x);

/* normal.c: exp(x^2) erfc(x); the normal distribution function, its inverse and its logarithm. */
double tj__sf_erfcx(double x);
double tj__sf_ndtr(double x);
double tj__sf_ndtri(double p);
double tj__sf_log_ndtr(double x);

#define TJ__SF1(name, function)                                              \
  static inline double name##_f64(double x) { return tj__sf_##function(x); } \
  static inline float name##_f32(float x) { return (float)tj__sf_##function(x); }
#define TJ__SF2(name, function)                                                           \
  static inline double name##_f64(double x, double y) { return tj__sf_##function(x, y); } \
  static inline float name##_f32(float x, float y) { return (float)tj__sf_##function(x, y); }
TJ__SF1(i0e, i0e)
TJ__SF1(i1e, i1e)
TJ__SF1(k0, k0)
TJ__SF1(k1, k1)
TJ__SF1(k0e, k0e)
TJ__SF1(k1e, k1e)
TJ__SF1(spherical_j0, spherical_j0)
TJ__SF2(gammainc, gammainc)
TJ__SF2(gammaincc, gammaincc)
TJ__SF2(zeta, zeta)
TJ__SF2(polygamma, polygamma)
TJ__SF1(erfcx, erfcx)
TJ__SF1(ndtr, ndtr)
TJ__SF1(ndtri, ndtri)
TJ__SF1(log_ndtr, log_ndtr)

/* polynomials.c: orthogonal polynomials of degree n (cut to an integer) at x; 0 for a negative degree. */
#define TJ__POLYNOMIALS(X) \
  X(chebyshev_t)           \
  X(chebyshev_u)           \
  X(chebyshev_v)           \
  X(chebyshev_w)           \
  X(shifted_chebyshev_t)   \
  X(shifted_chebyshev_u) X(shifted_chebyshev_v) X(shifted_chebyshev_w) X(hermite_h) X(hermite_he) X(laguerre_l) X(legendre_p)
#define TJ__X(name)                   \
  float name##_f32(float x, float n); \
  double name##_f64(double x, double n);
TJ__POLYNOMIALS(TJ__X)
#undef TJ__X

#endif
