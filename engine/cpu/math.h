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
/* ---- float64 ------------------------------------------------------------------------------------------------------ */

TJ__INLINE double tj__f64_of(uint64_t u) {
  double f;
  memcpy(&f, &u, 8);
  return f;
}
TJ__INLINE uint64_t tj__u64_of(double f) {
  uint64_t u;
  memcpy(&u, &f, 8);
  return u;
}
#define TJ__ROUND_F64 6755399441055744.0

/* (exp(r) - 1 - r) / r^2 for |r| <= log(2) / 2 */
TJ__INLINE double tj__exp_tail_f64(double r) {
  double p = 0x1.1f7340dbc337ep-29;
  p = p * r + 0x1.af4e554377204p-26;
  p = p * r + 0x1.27e4db46cddd1p-22;
  p = p * r + 0x1.71de01fdbf9cap-19;
  p = p * r + 0x1.a01a01a6e1e2ap-16;
  p = p * r + 0x1.a01a01abf85abp-13;
  p = p * r + 0x1.6c16c16c162c3p-10;
  p = p * r + 0x1.11111111100bep-7;
  p = p * r + 0x1.5555555555556p-5;
  p = p * r + 0x1.5555555555557p-3;
  p = p * r + 0x1.0000000000000p-1;
  return p;
}

TJ__INLINE double exp_f64(double x) {
  x = x > 710.0 ? 710.0 : x;
  x = x < -746.0 ? -746.0 : x; /* a NaN passes both */
  double t = x * 1.4426950408889634 + TJ__ROUND_F64, n = t - TJ__ROUND_F64;
  double r = (x - n * 6.93147180369123816490e-01) - n * 1.90821492927058770002e-10;
  double p = 1.0 + (r + r * r * tj__exp_tail_f64(r));
  int32_t k = (int32_t)(uint32_t)tj__u64_of(t), half = k >> 1; /* two factors: one alone could not reach the subnormals, nor 2^1024 */
  return p * tj__f64_of((uint64_t)(int64_t)(half + 1023) << 52) * tj__f64_of((uint64_t)(int64_t)(k - half + 1023) << 52);
}

TJ__INLINE double expm1_f64(double x) {
  double y = x > 710.0 ? 710.0 : x;
  y = y < -50.0 ? -50.0 : y;
  double t = y * 1.4426950408889634 + TJ__ROUND_F64, n = t - TJ__ROUND_F64;
  double r = (y - n * 6.93147180369123816490e-01) - n * 1.90821492927058770002e-10;
  double p = r + r * r * tj__exp_tail_f64(r);
  double top = n > 1022.0 ? 1.0 : 0.0; /* 2^1024 is out of range: double at the end instead */
  int32_t k = (int32_t)(uint32_t)tj__u64_of(t - top);
  double s = tj__f64_of((uint64_t)(int64_t)(k + 1023) << 52);
  double v = s * p + (s - (n > 1022.0 ? 0.5 : 1.0));
  v = n > 1022.0 ? v + v : v;
  return x == 0.0 ? x : v;
}

/* 2^(x + low) for a small low. The sum 1 + r is kept in two parts: errors are hardly above half an ulp. */
TJ__INLINE double tj__exp2_sum_f64(double x, double low) {
  x = x > 1100.0 ? 1100.0 : x;
  x = x < -1100.0 ? -1100.0 : x; /* a NaN passes both */
  double t = x + TJ__ROUND_F64, n = t - TJ__ROUND_F64, f = x - n;
  double r = f * 0x1.62e42fefa39efp-1;
#ifdef __FMA__
  double rest = __builtin_fma(f, 0x1.62e42fefa39efp-1, -r) + (f * 0x1.abc9e3b39803fp-56 + low * 0x1.62e42fefa39efp-1);
#else
  double rest = f * 0x1.abc9e3b39803fp-56 + low * 0x1.62e42fefa39efp-1;
#endif
  double s = 1.0 + r, tail = r * r * tj__exp_tail_f64(r), p = s + (((1.0 - s) + r) + (tail + rest * (s + tail)));
  int32_t k = (int32_t)(uint32_t)tj__u64_of(t), half = k >> 1; /* two factors: one alone could not reach the subnormals, nor 2^1024 */
  return p * tj__f64_of((uint64_t)(int64_t)(half + 1023) << 52) * tj__f64_of((uint64_t)(int64_t)(k - half + 1023) << 52);
}

TJ__INLINE double exp2_f64(double x) { return tj__exp2_sum_f64(x, 0.0); }

/* x = 2^e m with m in [sqrt(1/2), sqrt(2)): log(m), by an odd series in (m - 1) / (m + 1). For positive finite x. */
TJ__INLINE double tj__log_parts_f64(double x, double *e) {
  double subnormal = x < 0x1p-1022 ? 52.0 : 0.0;
  x = x < 0x1p-1022 ? x * 0x1p52 : x;
  uint64_t u = tj__u64_of(x) - 0x3fe6a09e667f3bcdu;
  *e = (double)((int32_t)(u >> 32) >> 20) - subnormal;
  double f = tj__f64_of((u & 0xfffffffffffffu) + 0x3fe6a09e667f3bcdu) - 1.0;
  double s = f / (2.0 + f), z = s * s, half = 0.5 * f * f;
  double p = 0x1.0c06cf14c641bp-3;
  p = p * z + 0x1.0fbe478772696p-3;
  p = p * z + 0x1.3b1c38474d3eep-3;
  p = p * z + 0x1.745cf8f6c9119p-3;
  p = p * z + 0x1.c71c72017a15cp-3;
  p = p * z + 0x1.2492492476ba1p-2;
  p = p * z + 0x1.9999999999a38p-2;
  p = p * z + 0x1.5555555555555p-1;
  return f - (half - s * (half + z * p));
}

/* The special values of a logarithm of x, else y. */
TJ__INLINE double tj__log_edges_f64(double x, double y) {
  y = x == 0.0 ? -INFINITY : y;
  y = x < 0.0 ? NAN : y;
  return x < INFINITY ? y : x;
}

TJ__INLINE double tj__log_positive_f64(double x, double c) {
  double e, y = tj__log_parts_f64(x, &e);
  return e * 6.93147180369123816490e-01 + (y + (e * 1.90821492927058770002e-10 + c));
}
TJ__INLINE double log_f64(double x) { return tj__log_edges_f64(x, tj__log_positive_f64(x, 0.0)); }
TJ__INLINE double log2_f64(double x) {
  double e, y = tj__log_parts_f64(x, &e);
  return tj__log_edges_f64(x, e + y * 1.4426950408889634);
}
TJ__INLINE double log10_f64(double x) {
  double e, y = tj__log_parts_f64(x, &e);
  return tj__log_edges_f64(x, e * 3.01029995663611771306e-01 + (e * 3.69423907715893078616e-13 + y * 0.43429448190325182765));
}
TJ__INLINE double log1p_f64(double x) {
  double u = 1.0 + x, c = (x - (u - 1.0)) / u; /* what rounding lost in 1 + x */
  c = u > 0.0 ? c : 0.0;
  double y = tj__log_positive_f64(u, c);
  y = x == -1.0 ? -INFINITY : y;
  y = x < -1.0 ? NAN : y;
  y = fabs(x) < 0x1p-54 ? x : y;
  return x < INFINITY ? y : x;
}

TJ__INLINE double tanh_f64(double x) {
  double a = fabs(x);
  a = a > 20.0 ? 20.0 : a;
  double e = expm1_f64(a + a);
  return copysign(e / (e + 2.0), x);
}

TJ__INLINE double sigmoid_f64(double x) {
  double e = exp_f64(-fabs(x)); /* does not overflow */
  return (x < 0.0 ? e : 1.0) / (1.0 + e);
}

TJ__INLINE double tj__erf_near_f64(double x) {
  double z = x * x;
  double p = 0x1.05ffd737fb32ep-34;
  p = p * z + -0x1.389d4f2641625p-30;
  p = p * z + 0x1.f7b4bf3b13964p-27;
  p = p * z + -0x1.5f1ecb6f0764cp-23;
  p = p * z + 0x1.b9df224ca4b97p-20;
  p = p * z + -0x1.f4d1e3183f7aep-17;
  p = p * z + 0x1.f9a321d5b8e1ep-14;
  p = p * z + -0x1.c02db3dac435fp-11;
  p = p * z + 0x1.565bcd0dbaa38p-8;
  p = p * z + -0x1.b82ce31284e00p-6;
  p = p * z + 0x1.ce2f21a042b30p-4;
  p = p * z + -0x1.812746b0379e6p-2;
  p = p * z + 0x1.06eba8214db69p-3;
  return p * x + x;
}
/* erfc(b) exp(b^2) for b in [1, 6], from 1 / (1 + b / 2) */
TJ__INLINE double tj__erfc_scaled_f64(double b) {
  double u = 1.0 / (1.0 + 0.5 * b);
  double p = 0x1.de7cb807e82e6p-8;
  p = p * u + 0x1.afb3bcb16a707p-7;
  p = p * u + -0x1.32498fc656b5fp-2;
  p = p * u + 0x1.2bd462cd89e61p+0;
  p = p * u + -0x1.2e1fd3f23448bp+1;
  p = p * u + 0x1.6f387ddb3772fp+1;
  p = p * u + -0x1.1ba988f1f1dbap+1;
  p = p * u + 0x1.33678e62f5ce3p+0;
  p = p * u + -0x1.2d40356ceb601p-1;
  p = p * u + 0x1.54cac236830c2p-3;
  p = p * u + 0x1.596c1d526242dp-5;
  p = p * u + 0x1.78938b0a918dap-3;
  p = p * u + 0x1.f777e42b23089p-3;
  p = p * u + 0x1.20f52bee7875ap-2;
  p = p * u + 0x1.20dc2355baaccp-2;
  p = p * u + 0x1.16707764daa10p-23;
  return p;
}
TJ__INLINE double erf_f64(double x) {
  double a = fabs(x), b = a > 6.0 ? 6.0 : a; /* erf is 1 from here on */
  double far = copysign(1.0 - exp_f64(-b * b) * tj__erfc_scaled_f64(b), x), near = tj__erf_near_f64(x);
  return a >= 1.0 ? far : near; /* a NaN is near, and stays one */
}

#define TJ__NEAR_F64 1048576.0
TJ__INLINE int tj__near_angle_f64(double x) { return fabs(x) <= TJ__NEAR_F64; }

/* x less the nearest multiple of pi/2, in two parts, and which multiple: pi/2 in parts of 33 bits, so that products are exact. */
TJ__INLINE double tj__reduce_f64(double x, int32_t *quadrant, double *low) {
  double t = x * 0.63661977236758134 + TJ__ROUND_F64, n = t - TJ__ROUND_F64;
  *quadrant = (int32_t)(uint32_t)tj__u64_of(t);
  double a = x - n * 1.57079632673412561417e+00, b = a - n * 6.07710050630396597660e-11;
  double w = n * 2.02226624879595063154e-21 - ((a - b) - n * 6.07710050630396597660e-11), r = b - w;
  *low = (b - r) - w;
  return r;
}
TJ__INLINE double tj__sin_reduced_f64(double r, double low) {
  double z = r * r;
  double p = -0x1.ab161757f0c63p-41;
  p = p * z + 0x1.61217c1864fa1p-33;
  p = p * z + -0x1.ae64540f0ba18p-26;
  p = p * z + 0x1.71de3a545e700p-19;
  p = p * z + -0x1.a01a01a019926p-13;
  p = p * z + 0x1.1111111111110p-7;
  p = p * z + -0x1.5555555555555p-3;
  return r + (p * (z * r) + low * (1.0 - 0.5 * z));
}
TJ__INLINE double tj__cos_reduced_f64(double r, double low) {
  double z = r * r, half = 0.5 * z, w = 1.0 - half;
  double p = 0x1.ab76cf6e9b365p-45;
  p = p * z + -0x1.9394b76d1f265p-37;
  p = p * z + 0x1.1eed8de9ef73ep-29;
  p = p * z + -0x1.27e4fb7711e1dp-22;
  p = p * z + 0x1.a01a01a019d02p-16;
  p = p * z + -0x1.6c16c16c16c16p-10;
  p = p * z + 0x1.5555555555555p-5;
  return w + (((1.0 - w) - half) + (z * z * p - r * low));
}
TJ__INLINE double sin_near_f64(double x) {
  int32_t q;
  double low, r = tj__reduce_f64(x, &q, &low), s = tj__sin_reduced_f64(r, low), c = tj__cos_reduced_f64(r, low);
  double y = tj__f64_of(tj__u64_of((q & 1) ? c : s) ^ ((uint64_t)(uint32_t)(q & 2) << 62));
  return x == 0.0 ? x : y; /* keeps the sign of zero */
}
TJ__INLINE double cos_near_f64(double x) {
  int32_t q;
  double low, r = tj__reduce_f64(x, &q, &low), s = tj__sin_reduced_f64(r, low), c = tj__cos_reduced_f64(r, low);
  return tj__f64_of(tj__u64_of((q & 1) ? s : c) ^ ((uint64_t)(uint32_t)((q + 1) & 2) << 62));
}
static inline double sin_f64(double x) { return fabs(x) <= TJ__NEAR_F64 ? sin_near_f64(x) : sin(x); }
static inline double cos_f64(double x) { return fabs(x) <= TJ__NEAR_F64 ? cos_near_f64(x) : cos(x); }
#ifdef __FMA__
/* log2 of a positive finite number to 2^-66 of itself, in two parts: log(m) is an odd series in s = (m - 1) / (m + 1), of which the terms up to s^3 are
 * kept in two parts as well. */
TJ__INLINE double tj__log2_parts_f64(double x, double *low) {
  double subnormal = x < 0x1p-1022 ? 52.0 : 0.0;
  x = x < 0x1p-1022 ? x * 0x1p52 : x;
  uint64_t u = tj__u64_of(x) - 0x3fe6a09e667f3bcdu; /* sqrt(1/2) */
  double e = (double)((int32_t)(u >> 32) >> 20) - subnormal;
  double m = tj__f64_of((u & 0xfffffffffffffu) + 0x3fe6a09e667f3bcdu), f = m - 1.0, d = m + 1.0, d_low = m - (d - 1.0);
  double s = f / d, s_low = (__builtin_fma(-s, d, f) - s * d_low) / d;
  double z = s * s, z_low = __builtin_fma(s, s, -z) + 2.0 * s * s_low;
  double p = 0x1.47ae147ae147bp-5; /* 1/25, 1/23, ..., 1/5 */
  p = p * z + 0x1.642c8590b2164p-5;
  p = p * z + 0x1.8618618618618p-5;
  p = p * z + 0x1.af286bca1af28p-5;
  p = p * z + 0x1.e1e1e1e1e1e1ep-5;
  p = p * z + 0x1.1111111111111p-4;
  p = p * z + 0x1.3b13b13b13b14p-4;
  p = p * z + 0x1.745d1745d1746p-4;
  p = p * z + 0x1.c71c71c71c71cp-4;
  p = p * z + 0x1.2492492492492p-3;
  p = p * z + 0x1.999999999999ap-3;
  double third = z * 0x1.5555555555555p-2;
  double third_low = __builtin_fma(z, 0x1.5555555555555p-2, -third) + (z * 0x1.5555555555555p-56 + z_low * 0x1.5555555555555p-2);
  double q = z * z * p, w = third + q, w_low = ((third - w) + q) + third_low;
  double a = s + s, a_low = s_low + s_low, b = a * w, b_low = __builtin_fma(a, w, -b) + (a * w_low + a_low * w);
  double l = a + b, l_low = ((a - l) + b) + (a_low + b_low);
  double g = l * 0x1.71547652b82fep+0;
  double g_low = __builtin_fma(l, 0x1.71547652b82fep+0, -g) + (l * 0x1.777d0ffda0d24p-56 + l_low * 0x1.71547652b82fep+0);
  double h = e + g;
  *low = ((e - h) + g) + g_low;
  return h;
}

TJ__INLINE double pow_f64(double x, double y) {
  double a = fabs(x), low, log = tj__log2_parts_f64(a, &low);
  low = ((a > 0.0) & (a < INFINITY)) ? low : 0.0;
  log = a == 0.0 ? -INFINITY : log;
  log = a < INFINITY ? log : a;
  double z = y * log, z_low = __builtin_fma(y, log, -z) + y * low;
  z_low = fabs(z) < 1100.0 ? z_low : 0.0; /* what overflows has no low part */
  double result = tj__exp2_sum_f64(z, z_low), half = y * 0.5;
  int whole = floor(y) == y, odd = whole & (floor(half) != half);
  result = (odd & (int)(tj__u64_of(x) >> 63)) ? -result : result;
  result = ((x < 0.0) & (x > -INFINITY) & !whole & (fabs(y) < INFINITY)) ? NAN : result;
  result = ((a == 1.0) & (fabs(y) == INFINITY)) ? 1.0 : result;
  return ((x == 1.0) | (y == 0.0)) ? 1.0 : result;
}
#else /* two parts of a product are dear without it */
static inline double pow_f64(double x, double y) { return pow(x, y); }
#endif

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
