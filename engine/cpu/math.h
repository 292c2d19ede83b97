/* math.h: scalar functions for the bodies of CPU loops. NAME_f32, NAME_f64 for real numbers, NAME_c64, NAME_c128 for complex ones, NAME_i for
 * integers of any type. The float32 functions that networks run on are branch-free, so that loops over them vectorise; their errors are at most
 * about 2 units in the last place. Coefficients are minimax fits made for the intervals named. The rest leans on the C library. */
#ifndef TJ__MATH_H
#define TJ__MATH_H

#include <complex.h>
#undef I
#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__clang__) /* loops over library functions are asked to vectorise like all others, and cannot */
#pragma clang diagnostic ignored "-Wpass-failed"
#endif

/* In a file of hundreds of loops the compiler would stop inlining at some point, and a loop with a call in it does not vectorise. */
#define TJ__INLINE static inline __attribute__((always_inline))

typedef float _Complex tj__complex64;
typedef double _Complex tj__complex128;

TJ__INLINE float tj__f32_of(uint32_t u) {
  float f;
  memcpy(&f, &u, 4);
  return f;
}
TJ__INLINE uint32_t tj__u32_of(float f) {
  uint32_t u;
  memcpy(&u, &f, 4);
  return u;
}

/* c ? x : y with both computed: the compiler may not turn it into a branch, around which loops do not vectorise. */
TJ__INLINE float tj__pick_f32(int c, float x, float y) {
  uint32_t mask = 0u - (uint32_t)(c != 0);
  return tj__f32_of((tj__u32_of(x) & mask) | (tj__u32_of(y) & ~mask));
}
TJ__INLINE double tj__pick_f64(int c, double x, double y) { return c ? x : y; }

/* ---- float32: exponentials ------------------------------------------------------------------------------------ */

/* Adding this to a float of moderate size rounds it to an integer, which is then in the low bits of the sum. */
#define TJ__ROUND_F32 12582912.0f

/* exp(r) for |r| <= log(2) / 2, less 1 */
TJ__INLINE float tj__expm1_reduced_f32(float r) {
  float p = 0x1.a03282p-13f;
  p = p * r + 0x1.6d78d8p-10f;
  p = p * r + 0x1.11118ep-7f;
  p = p * r + 0x1.5554aap-5f;
  p = p * r + 0x1.555554p-3f;
  p = p * r + 0.5f;
  return (p * r) * r + r;
}

/* p 2^n in two factors: one alone could not reach the subnormals, nor 2^128 */
TJ__INLINE float tj__scale_f32(float p, int32_t n) {
  int32_t half = n >> 1;
  return (p * tj__f32_of((uint32_t)(half + 127) << 23)) * tj__f32_of((uint32_t)(n - half + 127) << 23);
}

/* exp(x) 2^shift */
TJ__INLINE float tj__exp_shifted_f32(float x, int32_t shift) {
  x = x > 90.0f ? 90.0f : x;
  x = x < -104.0f ? -104.0f : x; /* a NaN passes both */
  float t = x * 1.44269504f + TJ__ROUND_F32;
  int32_t n = (int32_t)(tj__u32_of(t) - 0x4b400000u) + shift;
  float k = t - TJ__ROUND_F32;
  float r = (x - k * 0.693359375f) - k * -2.12194440e-4f;
  return tj__scale_f32(1.0f + tj__expm1_reduced_f32(r), n);
}
TJ__INLINE float exp_f32(float x) { return tj__exp_shifted_f32(x, 0); }

TJ__INLINE float exp2_f32(float x) {
  float y = x > 129.0f ? 129.0f : x;
  y = y < -151.0f ? -151.0f : y;
  float t = y + TJ__ROUND_F32, r = y - (t - TJ__ROUND_F32);
  int32_t n = (int32_t)(tj__u32_of(t) - 0x4b400000u);
  float p = 0x1.00f154p-16f;
  p = p * r + 0x1.445e6ap-13f;
  p = p * r + 0x1.5d8724p-10f;
  p = p * r + 0x1.3b29f0p-7f;
  p = p * r + 0x1.c6b08ep-5f;
  p = p * r + 0x1.ebfbe0p-3f;
  p = p * r + 0x1.62e430p-1f;
  return tj__scale_f32(1.0f + p * r, n);
}

TJ__INLINE float expm1_f32(float x) {
  float y = x > 89.0f ? 89.0f : x;
  y = y < -30.0f ? -30.0f : y;
  float t = y * 1.44269504f + TJ__ROUND_F32;
  int32_t n = (int32_t)(tj__u32_of(t) - 0x4b400000u);
  float k = t - TJ__ROUND_F32;
  float r = (y - k * 0.693359375f) - k * -2.12194440e-4f;
  float p = tj__expm1_reduced_f32(r);
  int32_t m = n > 126 ? n - 1 : n; /* 2^128 is out of range: double at the end instead */
  float s = tj__f32_of((uint32_t)(m + 127) << 23);
  float v = s * p + (s - (n > 126 ? 0.5f : 1.0f));
  v = n > 126 ? v + v : v;
  return x == 0.0f ? x : v;
}

/* ---- float32: logarithms -------------------------------------------------------------------------------------- */

/* log(1 + f) = f - f^2/2 + f^3 * (this) for 1 + f in [sqrt(1/2), sqrt(2)] */
TJ__INLINE float tj__log_tail_f32(float f) {
  float p = 0x1.1457a8p-4f;
  p = p * f + -0x1.de3c16p-4f;
  p = p * f + 0x1.e6f06ap-4f;
  p = p * f + -0x1.fc2208p-4f;
  p = p * f + 0x1.233768p-3f;
  p = p * f + -0x1.555c4ep-3f;
  p = p * f + 0x1.99a4b6p-3f;
  p = p * f + -0x1.000006p-2f;
  return p * f + 0x1.555548p-2f;
}

/* log(x) for positive finite x, plus c */
TJ__INLINE float tj__log_positive_f32(float x, float c) {
  float subnormal = x < 0x1p-126f ? 1.0f : 0.0f;
  x = x < 0x1p-126f ? x * 0x1p23f : x;
  uint32_t u = tj__u32_of(x) - 0x3f3504f3u; /* sqrt(1/2) */
  float e = (float)((int32_t)u >> 23) - 23.0f * subnormal;
  float f = tj__f32_of((u & 0x7fffffu) + 0x3f3504f3u) - 1.0f;
  float f2 = f * f;
  float y = f2 * f * tj__log_tail_f32(f) + (e * -2.12194440e-4f + c);
  y = y - 0.5f * f2;
  return (f + y) + e * 0.693359375f;
}

TJ__INLINE float log_f32(float x) {
  float y = tj__log_positive_f32(x, 0.0f);
  y = x == 0.0f ? -INFINITY : y;
  y = x < 0.0f ? NAN : y;
  return x < INFINITY ? y : x; /* infinity and NaN are their own logarithms */
}

TJ__INLINE float log1p_f32(float x) {
  float u = 1.0f + x;
  float c = (x - (u - 1.0f)) / u; /* what rounding lost in 1 + x */
  c = u > 0.0f ? c : 0.0f;
  float y = tj__log_positive_f32(u, c);
  y = x == -1.0f ? -INFINITY : y;
  y = x < -1.0f ? NAN : y;
  y = x == 0.0f ? x : y;
  return x < INFINITY ? y : x;
}

/* ---- float32: hyperbolic, logistic, error function ------------------------------------------------------------ */

TJ__INLINE float tanh_f32(float x) {
  float a = fabsf(x), z = x * x;
  float p = 0x1.12f3dap-9f;
  p = p * z + -0x1.0a5f00p-7f;
  p = p * z + 0x1.633b68p-6f;
  p = p * z + -0x1.b9e782p-5f;
  p = p * z + 0x1.111044p-3f;
  p = p * z + -0x1.555554p-2f;
  float near = copysignf((p * z) * x + x, x);
  float far = copysignf(1.0f - 2.0f / (exp_f32(a + a) + 1.0f), x);
  return tj__pick_f32(a < 0.625f, near, far);
}

/* exp(|x|) / 2 does not overflow before its sum with its inverse does. */
TJ__INLINE float sinh_f32(float x) {
  float a = fabsf(x), z = x * x, half = tj__exp_shifted_f32(a, -1);
  float p = 0x1.7a15b8p-19f;
  p = p * z + 0x1.9ffe92p-13f;
  p = p * z + 0x1.111134p-7f;
  p = p * z + 0x1.555556p-3f;
  return tj__pick_f32(a < 1.0f, (p * z) * x + x, copysignf(half - 0.25f / half, x));
}
TJ__INLINE float cosh_f32(float x) {
  float half = tj__exp_shifted_f32(fabsf(x), -1);
  return half + 0.25f / half;
}

TJ__INLINE float sigmoid_f32(float x) {
  float y = -fabsf(x); /* e^y does not overflow */
  y = y < -104.0f ? -104.0f : y;
  float t = y * 1.44269504f + TJ__ROUND_F32, k = t - TJ__ROUND_F32;
  float r = (y - k * 0.693359375f) - k * -2.12194440e-4f;
  float s = tj__f32_of((tj__u32_of(t) << 23) + ((127u + 24u) << 23)); /* 2^24 times too much: that is never subnormal */
  float e = (s * tj__expm1_reduced_f32(r) + s) * 0x1p-24f;
  float z = 1.0f / (1.0f + e);
  return x < 0.0f ? e - e * (e * z) : z; /* e / (1 + e), with fewer roundings that count */
}

TJ__INLINE float erf_f32(float x) {
  float a = fabsf(x), z = x * x;
  float p = -0x1.44cfa6p-17f;
  p = p * z + 0x1.d8b882p-14f;
  p = p * z + -0x1.bcd7dcp-11f;
  p = p * z + 0x1.562b1ap-8f;
  p = p * z + -0x1.b829d8p-6f;
  p = p * z + 0x1.ce2f0ap-4f;
  p = p * z + -0x1.812746p-2f;
  p = p * z + 0x1.06eba8p-3f;
  float near = p * x + x;
  float b = a > 4.0f ? 4.0f : a; /* erf is 1 from here on */
  float q = -0x1.68a4cep-16f;    /* log(erfc(b)) for b in [0.95, 4] */
  q = q * b + 0x1.cc6f82p-12f;
  q = q * b + -0x1.12d50ep-8f;
  q = q * b + 0x1.9c8836p-6f;
  q = q * b + -0x1.bbe4c4p-4f;
  q = q * b + -0x1.443b00p-1f;
  q = q * b + -0x1.212aa2p+0f;
  q = q * b + 0x1.80b538p-13f;
  float far = copysignf(1.0f - exp_f32(q), x);
  return tj__pick_f32(a >= 1.0f, far, near); /* a NaN is near, and stays one */
}

/* ---- float32: sine and cosine --------------------------------------------------------------------------------- */

/* NAME_near is right for moderate arguments, which tj__near_KIND tells; loops look at their arguments first, in blocks. sin, cos and tan: */
#define TJ__NEAR_BLOCK 256
#define TJ__NEAR_F32 131072.0f
TJ__INLINE int tj__near_angle_f32(float x) { return fabsf(x) <= TJ__NEAR_F32; }

/* x less the nearest multiple of pi/2, and which multiple: pi/2 in three parts (Cody and Waite). */
TJ__INLINE float tj__reduce_f32(float x, int32_t *quadrant) {
  float t = x * 0.63661977236758134f + TJ__ROUND_F32, n = t - TJ__ROUND_F32;
  *quadrant = (int32_t)tj__u32_of(t);
#ifdef __FMA__
  float r = __builtin_fmaf(n, -0x1.921fb6p+0f, x);
  r = __builtin_fmaf(n, 0x1.777a5cp-25f, r);
  return __builtin_fmaf(n, 0x1.ee59dap-50f, r);
#else
  double m = (double)n;
  return (float)((((double)x - m * 1.5707963267341256) - m * 6.0771005063039660e-11) - m * 2.0222662487959506e-21);
#endif
}

TJ__INLINE float tj__sin_reduced_f32(float r) {
  float z = r * r;
  float p = 0x1.6cbecep-19f;
  p = p * z + -0x1.a00f32p-13f;
  p = p * z + 0x1.111108p-7f;
  p = p * z + -0x1.555556p-3f;
  return (p * z) * r + r;
}

TJ__INLINE float tj__cos_reduced_f32(float r) {
  float z = r * r;
  float p = -0x1.240b04p-22f;
  p = p * z + 0x1.a0107ep-16f;
  p = p * z + -0x1.6c16b8p-10f;
  p = p * z + 0x1.555556p-5f;
  return (p * z) * z + (1.0f - 0.5f * z);
}

TJ__INLINE float sin_near_f32(float x) {
  int32_t q;
  float r = tj__reduce_f32(x, &q);
  float s = tj__sin_reduced_f32(r), c = tj__cos_reduced_f32(r);
  float y = tj__f32_of(tj__u32_of(tj__pick_f32(q & 1, c, s)) ^ ((uint32_t)q << 30 & 0x80000000u));
  return x == 0.0f ? x : y; /* keeps the sign of zero */
}

TJ__INLINE float cos_near_f32(float x) {
  int32_t q;
  float r = tj__reduce_f32(x, &q);
  float s = tj__sin_reduced_f32(r), c = tj__cos_reduced_f32(r);
  return tj__f32_of(tj__u32_of(tj__pick_f32(q & 1, s, c)) ^ ((uint32_t)(q + 1) << 30 & 0x80000000u));
}

/* In double: the quotient adds up the errors of all three. */
TJ__INLINE float tan_near_f32(float x) {
  float t = x * 0.63661977236758134f + TJ__ROUND_F32;
  double n = (double)(t - TJ__ROUND_F32), r = ((double)x - n * 1.5707963267341256) - n * 6.0771005063039660e-11, z = r * r;
  double s = -0x1.994a4d82fd1d7p-13;
  s = s * z + 0x1.110753b9696afp-7;
  s = s * z + -0x1.5555457a91c7fp-3;
  s = (s * z) * r + r;
  double c = 0x1.992fb88d4e629p-16;
  c = c * z + -0x1.6c086c000fdbcp-10;
  c = c * z + 0x1.55553de2f42e8p-5;
  c = c * z + -0x1.ffffffd04b15ap-2;
  c = c * z + 1.0;
  int odd = (int)(tj__u32_of(t) & 1);
  float y = (float)(tj__pick_f64(odd, -c, s) / tj__pick_f64(odd, s, c));
  return x == 0.0f ? x : y;
}

static inline float sin_f32(float x) { return fabsf(x) <= TJ__NEAR_F32 ? sin_near_f32(x) : sinf(x); }
static inline float cos_f32(float x) { return fabsf(x) <= TJ__NEAR_F32 ? cos_near_f32(x) : cosf(x); }
static inline float tan_f32(float x) { return fabsf(x) <= TJ__NEAR_F32 ? tan_near_f32(x) : tanf(x); }

/* ---- float32: powers, in double ---------------------------------------------------------------------------------- */

/* log2 of a positive finite number that is a float, to 2^-38 of itself: the exponent, and an odd series in (m - 1) / (m + 1). */
TJ__INLINE double tj__log2_float(double x) {
  uint64_t u;
  memcpy(&u, &x, 8);
  u -= 0x3fe6a09e667f3bcdu; /* sqrt(1/2) */
  double e = (double)((int32_t)(u >> 32) >> 20), m;
  u = (u & 0xfffffffffffffu) + 0x3fe6a09e667f3bcdu;
  memcpy(&m, &u, 8);
  double s = (m - 1.0) / (m + 1.0), z = s * s;
  double p = 0x1.21acc1681ba3fp-2;
  p = p * z + 0x1.4795a3c035b19p-2;
  p = p * z + 0x1.a61a2cd01696bp-2;
  p = p * z + 0x1.2776c295df514p-1;
  p = p * z + 0x1.ec709dc539f4ep-1;
  p = p * z + 0x1.71547652b8252p+1;
  return p * s + e;
}

/* 2^x for |x| <= 1000, to 2^-33 of itself */
TJ__INLINE double tj__exp2_float(double x) {
  double t = x + 6755399441055744.0, n = t - 6755399441055744.0, r = x - n, scale;
  uint64_t u;
  memcpy(&u, &t, 8);
  u = (u << 52) + 0x3ff0000000000000u;
  memcpy(&scale, &u, 8);
  double p = 0x1.63d136366db24p-20;
  p = p * r + 0x1.00dc4a532fb8ep-16;
  p = p * r + 0x1.4308ac85aa947p-13;
  p = p * r + 0x1.5d8745a728441p-10;
  p = p * r + 0x1.3b2ab7181b755p-7;
  p = p * r + 0x1.c6b08dd6fd234p-5;
  p = p * r + 0x1.ebfbdff823cedp-3;
  p = p * r + 0x1.62e42fef84cf0p-1;
  return (p * r + 1.0) * scale;
}

TJ__INLINE float pow_f32(float x, float y) {
  float a = fabsf(x);
  double log = tj__log2_float((double)a);
  log = a == 0.0f ? -(double)INFINITY : log;
  log = a < INFINITY ? log : (double)a;
  double z = (double)y * log;
  z = z > 200.0 ? 200.0 : z;
  z = z < -200.0 ? -200.0 : z; /* a NaN passes both */
  float result = (float)tj__exp2_float(z), half = y * 0.5f;
  int whole = floorf(y) == y, odd = whole & (floorf(half) != half);
  result = (odd & (tj__u32_of(x) >> 31 != 0)) ? -result : result;
  result = ((x < 0.0f) & (x > -INFINITY) & !whole & (fabsf(y) < INFINITY)) ? NAN : result;
  result = ((a == 1.0f) & (fabsf(y) == INFINITY)) ? 1.0f : result;
  return ((x == 1.0f) | (y == 0.0f)) ? 1.0f : result;
}

TJ__INLINE float log2_f32(float x) {
  float y = (float)tj__log2_float((double)x);
  y = x == 0.0f ? -INFINITY : y;
  y = x < 0.0f ? NAN : y;
  return x < INFINITY ? y : x;
}

TJ__INLINE float log10_f32(float x) {
  float y = (float)(tj__log2_float((double)x) * 0.30102999566398119521);
  y = x == 0.0f ? -INFINITY : y;
  y = x < 0.0f ? NAN : y;
  return x < INFINITY ? y : x;
}

#include "math_inverse.h"

/* ---- real functions from the C library ------------------------------------------------------------------------ */

#define TJ__REAL1(name, f32, f64)                            \
  static inline float name##_f32(float x) { return f32(x); } \
  static inline double name##_f64(double x) { return f64(x); }
static inline double tan_f64(double x) { return tan(x); }
static inline double sinh_f64(double x) { return sinh(x); }
static inline double cosh_f64(double x) { return cosh(x); }
static inline double asin_f64(double x) { return asin(x); }
static inline double acos_f64(double x) { return acos(x); }
static inline double atan_f64(double x) { return atan(x); }
static inline double asinh_f64(double x) { return asinh(x); }
static inline double acosh_f64(double x) { return acosh(x); }
static inline double atanh_f64(double x) { return atanh(x); }
static inline double erfc_f64(double x) { return erfc(x); }
TJ__REAL1(sqrt, sqrtf, sqrt)
TJ__REAL1(floor, floorf, floor)
TJ__REAL1(ceil, ceilf, ceil)
TJ__REAL1(trunc, truncf, trunc)
TJ__REAL1(round, nearbyintf, nearbyint)
TJ__REAL1(abs, fabsf, fabs)
TJ__REAL1(lgamma, lgammaf, lgamma)
#include "math_f64.h"

/* ---- real functions of two numbers ------------------------------------------------------------------------------ */

#define TJ__REAL2(name, f32, f64)                                        \
  static inline float name##_f32(float x, float y) { return f32(x, y); } \
  static inline double name##_f64(double x, double y) { return f64(x, y); }
TJ__REAL2(fmod, fmodf, fmod)
/* Where the quotient is exact in float, double holds its product and the difference exactly. */
TJ__INLINE int tj__near_quotient_f32(float x, float y) { return (fabsf(x) < 0x1p23f * fabsf(y)) & (fabsf(y) < INFINITY); }
TJ__INLINE float fmod_near_f32(float x, float y) {
  double q = trunc((double)x / (double)y);
  return copysignf((float)((double)x - q * (double)y), x);
}
TJ__INLINE float remainder_near_f32(float x, float y) {
  float m = fmod_near_f32(x, y);
  return tj__pick_f32((m != 0) & ((y < 0) != (m < 0)), m + y, m);
}
TJ__INLINE float floor_divide_near_f32(float x, float y) {
  double u = (double)x, v = (double)y, q = trunc(u / v), m = u - q * v;
  q -= ((m != 0) & ((y < 0) != (m < 0))) ? 1.0 : 0.0;
  return q == 0 ? copysignf(0.0f, x / y) : (float)q;
}
static inline double atan2_f64(double x, double y) { return atan2(x, y); }
static inline double hypot_f64(double x, double y) { return hypot(x, y); }
TJ__REAL2(copysign, copysignf, copysign)
TJ__REAL2(nextafter, nextafterf, nextafter)

/* ---- real functions of both widths ---------------------------------------------------------------------------- */

/* The digamma function: up by the recurrence to where the asymptotic series is good; negative numbers by reflection. */
static inline double digamma_f64(double x) {
  if (x == 0.0) return copysign(INFINITY, -x);
  double result = 0.0;
  if (x < 0.0) {
    double whole = trunc(x);
    if (whole == x) return NAN;
    double fraction = x - whole;
    result = -M_PI / tan(M_PI * fraction);
    x = 1.0 - x;
  }
  while (x < 10.0) {
    result -= 1.0 / x;
    x += 1.0;
  }
  if (x == 10.0) return result + 2.25175258906672110764;
  double z = x < 1e17 ? 1.0 / (x * x) : 0.0;
  double series = z * (1.0 / 12 - z * (1.0 / 120 - z * (1.0 / 252 - z * (1.0 / 240 - z * (1.0 / 132 - z * (691.0 / 32760 - z / 12))))));
  return result + log(x) - 0.5 / x - series;
}
static inline float digamma_f32(float x) { return (float)digamma_f64(x); }

/* Its derivative. s: sin(pi x) as the dtype has it, which says how large the value at a pole is. */
static inline double tj__trigamma(double x, double s) {
  double sign = 1.0, result = 0.0;
  if (x < 0.5) {
    sign = -1.0;
    result = -(M_PI * M_PI) / (s * s);
    x = 1.0 - x;
  }
  while (x < 12.0) {
    result += 1.0 / (x * x);
    x += 1.0;
  }
  double z = 1.0 / (x * x);
  result += (1.0 + 1.0 / (2.0 * x) + z * (1.0 / 6 - z * (1.0 / 30 - z * (1.0 / 42 - z * (1.0 / 30 - z * 5.0 / 66))))) / x;
  return sign * result;
}
static inline double trigamma_f64(double x) { return tj__trigamma(x, sin(M_PI * x)); }
static inline float trigamma_f32(float x) { return (float)tj__trigamma(x, sinf((float)M_PI * x)); }

/* The inverse of erf: a rational start, then Newton's steps. */
static inline double erfinv_f64(double y) {
  double a = fabs(y);
  if (!(a <= 1.0)) return NAN;
  if (a == 1.0) return copysign(INFINITY, y);
  double w = -log((1.0 - a) * (1.0 + a)), l = 4.3307467508 + 0.5 * -w; /* Winitzki's approximation, 2 / (pi * 0.147) */
  double x = copysign(sqrt(fmax(sqrt(l * l + w / 0.147) - l, 0.0)), y);
  x = a < 1e-8 ? y * 0.88622692545275801 : x;
  for (int step = 0; step < 4 && a >= 1e-8; step++) {
    double error = a > 0.9 ? copysign(1.0 - a, y) - copysign(erfc(fabs(x)), y) : y - erf(x); /* near 1 erf has lost the digits */
    double f = (a > 0.9 ? -error : error) * 0.88622692545275801 * exp(x * x);
    x += f / (1.0 - x * f); /* Halley: the second derivative is -2x times the first */
  }
  return x;
}

/* Mantissa and exponent; the exponent of what is not finite is 0. */
static inline double frexp_mantissa_f64(double x) {
  int e;
  return frexp(x, &e);
}
static inline double frexp_exponent_f64(double x) {
  int e = 0;
  if (isfinite(x)) frexp(x, &e);
  return e;
}
static inline float frexp_mantissa_f32(float x) { return (float)frexp_mantissa_f64(x); }
static inline float frexp_exponent_f32(float x) { return (float)frexp_exponent_f64(x); }

#define TJ__BOTH(T, S)                                                                                           \
  TJ__INLINE T rsqrt_##S(T x) { return (T)1 / sqrt_##S(x); }                                                     \
  TJ__INLINE T sign_##S(T x) { return (T)((x > 0) - (x < 0)); }                                                  \
  TJ__INLINE T frac_##S(T x) { return x - trunc_##S(x); }                                                        \
  TJ__INLINE T square_##S(T x) { return x * x; }                                                                 \
  TJ__INLINE int isnan_##S(T x) { return x != x; }                                                               \
  TJ__INLINE int isinf_##S(T x) { return abs_##S(x) == (T)INFINITY; }                                            \
  TJ__INLINE int isfinite_##S(T x) { return abs_##S(x) < (T)INFINITY; }                                          \
  TJ__INLINE int signbit_##S(T x) { return copysign_##S((T)1, x) < 0; }                                          \
  /* a NaN wins */                                                                                               \
  TJ__INLINE T max_##S(T x, T y) { return y != y ? y : x <= y ? y : x; }                                         \
  TJ__INLINE T min_##S(T x, T y) { return y != y ? y : x >= y ? y : x; }                                         \
  /* a NaN loses */                                                                                              \
  TJ__INLINE T fmax_##S(T x, T y) { return x != x ? y : x < y ? y : x; }                                         \
  TJ__INLINE T fmin_##S(T x, T y) { return x != x ? y : x > y ? y : x; }                                         \
  TJ__INLINE T fma_##S(T x, T y, T z) { return x * y + z; }                                                      \
  /* Python's modulo and floor division */                                                                       \
  TJ__INLINE T remainder_##S(T x, T y) {                                                                         \
    T m = fmod_##S(x, y);                                                                                        \
    return m != 0 && (y < 0) != (m < 0) ? m + y : m;                                                             \
  }                                                                                                              \
  TJ__INLINE T floor_divide_##S(T x, T y) {                                                                      \
    if (y == 0) return x / y;                                                                                    \
    T m = fmod_##S(x, y), q = (x - m) / y;                                                                       \
    if (m != 0 && (y < 0) != (m < 0)) q -= 1;                                                                    \
    if (q == 0) return copysign_##S((T)0, x / y);                                                                \
    T f = floor_##S(q);                                                                                          \
    return q - f > (T)0.5 ? f + 1 : f;                                                                           \
  }                                                                                                              \
  TJ__INLINE T logaddexp_##S(T x, T y) {                                                                         \
    T m = max_##S(x, y), d = abs_##S(x - y);                                                                     \
    return ((x == y) & (abs_##S(x) == (T)INFINITY)) ? x : m + log1p_##S(exp_##S(-d));                            \
  }                                                                                                              \
  TJ__INLINE T logaddexp2_##S(T x, T y) {                                                                        \
    T m = max_##S(x, y), d = abs_##S(x - y);                                                                     \
    return ((x == y) & (abs_##S(x) == (T)INFINITY)) ? x : m + log1p_##S(exp2_##S(-d)) * (T)M_LOG2E;              \
  }                                                                                                              \
  TJ__INLINE T xlogy_##S(T x, T y) { return y != y ? y : x == 0 ? (T)0 : x * log_##S(y); }                       \
  TJ__INLINE T xlog1py_##S(T x, T y) { return y != y ? y : x == 0 ? (T)0 : x * log1p_##S(y); }                   \
  TJ__INLINE T sinc_##S(T x) { return x == 0 ? (T)1 : sin_##S((T)M_PI * x) / ((T)M_PI * x); }                    \
  TJ__INLINE T angle_##S(T x) { return x != x ? x : x < 0 ? (T)M_PI : (T)0; }                                    \
  TJ__INLINE T logsigmoid_##S(T x) { return min_##S(x, (T)0) - log1p_##S(exp_##S(-abs_##S(x))); }                \
  TJ__INLINE T lerp_##S(T x, T y, T w) { return abs_##S(w) < (T)0.5 ? x + w * (y - x) : y - (y - x) * (1 - w); } \
  TJ__INLINE T normal_cdf_##S(T x) { return (T)0.5 * (1 + erf_##S(x * (T)M_SQRT1_2)); }                          \
  /* derivatives of gelu (with tanh) and mish */                                                                 \
  TJ__INLINE T gelu_tanh_derivative_##S(T x) {                                                                   \
    const T beta = (T)(M_SQRT2 * M_2_SQRTPI * 0.5), kappa = (T)0.044715;                                         \
    T z = x * x, t = tanh_##S(beta * (x + kappa * x * z));                                                       \
    return (T)0.5 * (1 + t) + (T)0.5 * x * (1 - t * t) * (beta * (1 + 3 * kappa * z));                           \
  }                                                                                                              \
  TJ__INLINE T mish_derivative_##S(T x) {                                                                        \
    T s = sigmoid_##S(x), t = tanh_##S(log1p_##S(exp_##S(x)));                                                   \
    return t + x * s * (1 - t * t);                                                                              \
  }                                                                                                              \
  TJ__INLINE T softplus_##S(T x, T beta, T threshold) {                                                          \
    T z = x * beta;                                                                                              \
    return tj__pick_##S(z > threshold, x, log1p_##S(exp_##S(z)) / beta);                                         \
  }                                                                                                              \
  TJ__INLINE T entr_##S(T x) { return x != x ? x : x > 0 ? -x * log_##S(x) : x == 0 ? (T)0 : -(T)INFINITY; }

TJ__BOTH(float, f32)
TJ__BOTH(double, f64)

#include "math_complex.h"
#include "math_integer.h"

#endif
