/* polynomials.c: orthogonal polynomials by their recurrences (DLMF 18.9), the Chebyshev ones of higher degree inside (-1, 1) as
 * trigonometric functions of acos(x) (18.5). In the arithmetic of the dtype, so that they overflow where it does. Of a degree over HUGE_DEGREE,
 * where a recurrence would take for ever: hyperbolic functions outside [-1, 1], Hilb's formulas for Legendre and Laguerre (18.15). */
#include "special.h"

/* The degree as an integer: NaN and what is out of range count as negative. */
#define DEGREE(n) ((n) >= -9.2e18 && (n) <= 9.2e18 ? (int64_t)(n) : INT64_MIN)

/* p and q: degrees 0 and 1; NEXT: degree k + 1 from q (degree k) and p (k - 1). A NaN stays one: the rest would be for nothing. */
#define RECURRENCE(T, first, NEXT)                 \
  if (degree == 0) return (T)1;                    \
  T p = (T)1, q = (first);                         \
  for (int64_t k = 1; k < degree && q == q; k++) { \
    const T next = (NEXT);                         \
    p = q;                                         \
    q = next;                                      \
  }                                                \
  return q;

#define HUGE_DEGREE (1 << 20)
#define EVEN (degree % 2 == 0)
/* v for positive x, and its mirror image */
#define SIGNED(T, v) ((T)((x) < 0 && !EVEN ? -(v) : (v)))
#define HYPERBOLIC(f, n, d) (f((n)*acosh(fabs((double)x))) / f((d)*acosh(fabs((double)x))))
#define WAY(T, x, edge) (degree > (edge) && fabs((double)(x)) < 1.0)

#define POLYNOMIALS(T, S, ACOS, COS, SIN, MOST_HERMITE)                                                                            \
  static T t_##S(T x, int64_t degree, int64_t edge) {                                                                              \
    if (WAY(T, x, edge)) return COS((T)degree * ACOS(x));                                                                          \
    if (degree > HUGE_DEGREE) return SIGNED(T, cosh((double)degree * acosh(fabs((double)x))));                                     \
    RECURRENCE(T, x, (x + x) * q - p)                                                                                              \
  }                                                                                                                                \
  static T u_##S(T x, int64_t degree, int64_t edge) {                                                                              \
    if (WAY(T, x, edge)) {                                                                                                         \
      const T angle = ACOS(x), s = SIN(angle);                                                                                     \
      return s != 0 ? SIN((T)(degree + 1) * angle) / s : (T)(degree + 1) * COS((T)(degree + 1) * angle) / x;                       \
    }                                                                                                                              \
    if (degree > HUGE_DEGREE) return SIGNED(T, HYPERBOLIC(sinh, (double)degree + 1, 1));                                           \
    RECURRENCE(T, x + x, (x + x) * q - p)                                                                                          \
  }                                                                                                                                \
  static T v_##S(T x, int64_t degree, int64_t edge) {                                                                              \
    if (WAY(T, x, edge)) {                                                                                                         \
      const T angle = ACOS(x);                                                                                                     \
      if (SIN(angle / 2) != 1) return COS(((T)degree + (T)0.5) * angle) / COS(angle / 2);                                          \
      return EVEN ? (T)(degree + degree + 1) : -(T)(degree + degree + 1);                                                          \
    }                                                                                                                              \
    if (degree > HUGE_DEGREE)                                                                                                      \
      return SIGNED(T, x > 0 ? HYPERBOLIC(cosh, (double)degree + 0.5, 0.5) : HYPERBOLIC(sinh, (double)degree + 0.5, 0.5));         \
    RECURRENCE(T, x + x - 1, (x + x) * q - p)                                                                                      \
  }                                                                                                                                \
  static T w_##S(T x, int64_t degree, int64_t edge) {                                                                              \
    if (WAY(T, x, edge)) {                                                                                                         \
      const T angle = ACOS(x);                                                                                                     \
      if (COS(angle / 2) != 1) return SIN(((T)degree + (T)0.5) * angle) / SIN(angle / 2);                                          \
      return x > 0 ? (T)(degree + degree + 1) : EVEN ? (T)1 : (T)-1;                                                               \
    }                                                                                                                              \
    if (degree > HUGE_DEGREE)                                                                                                      \
      return SIGNED(T, x > 0 ? HYPERBOLIC(sinh, (double)degree + 0.5, 0.5) : HYPERBOLIC(cosh, (double)degree + 0.5, 0.5));         \
    RECURRENCE(T, x + x + 1, (x + x) * q - p)                                                                                      \
  }                                                                                                                                \
  /* high, low: the ends of the interval, where the values are whole numbers */                                                    \
  static T t_ends_##S(T x, T low, T high, T y, int64_t degree, int64_t edge) {                                                     \
    if (degree < 0) return 0;                                                                                                      \
    if (x == high) return 1;                                                                                                       \
    if (x == low) return EVEN ? (T)1 : (T)-1;                                                                                      \
    return t_##S(y, degree, edge);                                                                                                 \
  }                                                                                                                                \
  static T u_ends_##S(T x, T low, T high, T y, int64_t degree, int64_t edge) {                                                     \
    if (degree < 0) return 0;                                                                                                      \
    if (x == high) return (T)(degree + 1);                                                                                         \
    if (x == low) return EVEN ? (T)(degree + 1) : -(T)(degree + 1);                                                                \
    return u_##S(y, degree, edge);                                                                                                 \
  }                                                                                                                                \
  static T v_ends_##S(T x, T low, T high, T y, int64_t degree, int64_t edge) {                                                     \
    if (degree < 0) return 0;                                                                                                      \
    if (x == high) return 1;                                                                                                       \
    if (x == low) return EVEN ? (T)(degree + degree + 1) : -(T)(degree + degree + 1);                                              \
    return v_##S(y, degree, edge);                                                                                                 \
  }                                                                                                                                \
  static T w_ends_##S(T x, T low, T high, T y, int64_t degree, int64_t edge) {                                                     \
    if (degree < 0) return 0;                                                                                                      \
    if (x == high) return (T)(degree + degree + 1);                                                                                \
    if (x == low) return EVEN ? (T)1 : (T)-1;                                                                                      \
    return w_##S(y, degree, edge);                                                                                                 \
  }                                                                                                                                \
  T chebyshev_t_##S(T x, T n) { return t_ends_##S(x, -1, 1, x, DEGREE(n), 6); }                                                    \
  T chebyshev_u_##S(T x, T n) { return u_ends_##S(x, -1, 1, x, DEGREE(n), 8); }                                                    \
  T chebyshev_v_##S(T x, T n) { return v_ends_##S(x, -1, 1, x, DEGREE(n), 8); }                                                    \
  T chebyshev_w_##S(T x, T n) { return w_ends_##S(x, -1, 1, x, DEGREE(n), 8); }                                                    \
  T shifted_chebyshev_t_##S(T x, T n) { return t_ends_##S(x, 0, 1, x + x - 1, DEGREE(n), 6); }                                     \
  T shifted_chebyshev_u_##S(T x, T n) { return u_ends_##S(x, 0, 1, x + x - 1, DEGREE(n), 6); }                                     \
  T shifted_chebyshev_v_##S(T x, T n) { return v_ends_##S(x, 0, 1, x + x - 1, DEGREE(n), 6); }                                     \
  T shifted_chebyshev_w_##S(T x, T n) { return w_ends_##S(x, 0, 1, x + x - 1, DEGREE(n), 4); }                                     \
  T hermite_h_##S(T x, T n) {                                                                                                      \
    const int64_t degree = DEGREE(n);                                                                                              \
    if (degree < 0) return 0;                                                                                                      \
    if (degree > MOST_HERMITE) return (T)NAN;                                                                                      \
    RECURRENCE(T, x + x, (x + x) * q - (T)(k + k) * p)                                                                             \
  }                                                                                                                                \
  T hermite_he_##S(T x, T n) {                                                                                                     \
    const int64_t degree = DEGREE(n);                                                                                              \
    if (degree < 0) return 0;                                                                                                      \
    if (degree > MOST_HERMITE) return (T)NAN;                                                                                      \
    RECURRENCE(T, x, x *q - (T)k * p)                                                                                              \
  }                                                                                                                                \
  T laguerre_l_##S(T x, T n) {                                                                                                     \
    const int64_t degree = DEGREE(n);                                                                                              \
    if (degree < 0) return 0;                                                                                                      \
    if (x == 0) return 1;                                                                                                          \
    if (degree > HUGE_DEGREE && x > 0) return (T)(exp((double)x / 2) * bessel_j0_f64(sqrt((4 * (double)degree + 2) * (double)x))); \
    RECURRENCE(T, (T)1 - x, (((T)(k + k) + ((T)1 - x)) * q - (T)k * p) / (T)(k + 1))                                               \
  }                                                                                                                                \
  T legendre_p_##S(T x, T n) {                                                                                                     \
    const int64_t degree = DEGREE(n);                                                                                              \
    if (degree < 0) return 0;                                                                                                      \
    if (x == 1 || x == -1) return x > 0 || EVEN ? (T)1 : (T)-1;                                                                    \
    if (degree > HUGE_DEGREE && fabs((double)x) < 1) {                                                                             \
      const double angle = acos((double)x); /* from the nearer end, where the formula is best */                                   \
      const double near = x < 0 ? M_PI - angle : angle;                                                                            \
      return SIGNED(T, sqrt(near / sin(near)) * bessel_j0_f64(((double)degree + 0.5) * near));                                     \
    }                                                                                                                              \
    RECURRENCE(T, x, ((T)(k + k + 1) * x * q - (T)k * p) / (T)(k + 1))                                                             \
  }
POLYNOMIALS(float, f32, acosf, cosf, sinf, 128)
POLYNOMIALS(double, f64, acos, cos, sin, 512)
