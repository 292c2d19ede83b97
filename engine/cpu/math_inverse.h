/* math_inverse.h: float32 functions that undo others (inverse trigonometric, hyperbolic and error functions), and distance in a plane:
 * branch-free as those of math.h, which includes this. Those in double work there only with what float32 can hold. */
#ifndef TJ__MATH_INVERSE_H
#define TJ__MATH_INVERSE_H

/* ---- trigonometric -------------------------------------------------------------------------------------------- */

/* atan(t) for t in [0, 1] */
TJ__INLINE float tj__atan_reduced_f32(float t) {
  float z = t * t;
  float p = -0x1.d62fd8p-10f;
  p = p * z + 0x1.65a664p-7f;
  p = p * z + -0x1.fed180p-6f;
  p = p * z + 0x1.daca04p-5f;
  p = p * z + -0x1.5834a0p-4f;
  p = p * z + 0x1.c09a06p-4f;
  p = p * z + -0x1.2421b6p-3f;
  p = p * z + 0x1.9991fep-3f;
  p = p * z + -0x1.55553ep-2f;
  return (p * z) * t + t;
}

#define TJ__PI_2_HIGH 0x1.921fb6p+0f
#define TJ__PI_2_LOW -0x1.777a5cp-25f

TJ__INLINE float atan_f32(float x) {
  float a = fabsf(x);
  float r = tj__atan_reduced_f32(a > 1.0f ? 1.0f / a : a);
  return copysignf(a > 1.0f ? (TJ__PI_2_HIGH - r) + TJ__PI_2_LOW : r, x);
}

TJ__INLINE float atan2_f32(float y, float x) {
  float a = fabsf(x), b = fabsf(y), most = a > b ? a : b, least = a > b ? b : a;
  float t = least / most;
  t = most == 0.0f ? 0.0f : t;
  t = least == INFINITY ? 1.0f : t;
  float r = tj__atan_reduced_f32(t);
  r = b > a ? (TJ__PI_2_HIGH - r) + TJ__PI_2_LOW : r;
  r = tj__u32_of(x) >> 31 ? (2.0f * TJ__PI_2_HIGH - r) + 2.0f * TJ__PI_2_LOW : r;
  return x != x ? x : y != y ? y : copysignf(r, y);
}

/* asin(s) - s, over s^3, from z = s^2 <= 1/4 */
TJ__INLINE float tj__asin_tail_f32(float z) {
  float p = 0x1.596cb4p-5f;
  p = p * z + 0x1.8c28cep-6f;
  p = p * z + 0x1.747e3ap-5f;
  p = p * z + 0x1.3301e6p-4f;
  return p * z + 0x1.5555c8p-3f;
}

/* asin(a) for a up to 1/2; beyond it half of acos(a), which is asin(sqrt((1 - a) / 2)). */
TJ__INLINE float tj__asin_halved_f32(float a) {
  float z = a > 0.5f ? 0.5f - 0.5f * a : a * a;
  float s = a > 0.5f ? sqrtf(z) : a;
  return (tj__asin_tail_f32(z) * z) * s + s;
}

TJ__INLINE float asin_f32(float x) {
  float a = fabsf(x), r = tj__asin_halved_f32(a);
  return copysignf(a > 0.5f ? (TJ__PI_2_HIGH - 2.0f * r) + TJ__PI_2_LOW : r, x);
}
TJ__INLINE float acos_f32(float x) {
  float a = fabsf(x), r = tj__asin_halved_f32(a);
  float near = (TJ__PI_2_HIGH - copysignf(r, x)) + TJ__PI_2_LOW, beyond = 2.0f * r;
  beyond = x < 0.0f ? (2.0f * TJ__PI_2_HIGH - beyond) + 2.0f * TJ__PI_2_LOW : beyond;
  return a > 0.5f ? beyond : near;
}

/* ---- hyperbolic ------------------------------------------------------------------------------------------------- */

#define TJ__LN2 0.69314718055994530942

TJ__INLINE float asinh_f32(float x) {
  double a = fabs((double)x);
  float near = x - x * (x * x) * (1.0f / 6.0f), far = copysignf((float)(tj__log2_float(a + sqrt(a * a + 1.0)) * TJ__LN2), x);
  return fabsf(x) < INFINITY ? tj__pick_f32(fabsf(x) < 0x1p-11f, near, far) : x;
}
TJ__INLINE float acosh_f32(float x) {
  double a = (double)x;
  float y = (float)(tj__log2_float(a + sqrt((a - 1.0) * (a + 1.0))) * TJ__LN2);
  y = x < 1.0f ? NAN : y;
  return x < INFINITY ? y : x;
}
TJ__INLINE float atanh_f32(float x) {
  float a = fabsf(x), z = x * x;
  float p = 0x1.69dd3ep-3f;
  p = p * z + 0x1.a4b988p-5f;
  p = p * z + 0x1.e44cdep-4f;
  p = p * z + 0x1.23483cp-3f;
  p = p * z + 0x1.99a6cep-3f;
  p = p * z + 0x1.555540p-2f;
  float far = 0.5f * tj__log_positive_f32((1.0f + a) / (1.0f - a), 0.0f);
  far = a == 1.0f ? INFINITY : far;
  far = a > 1.0f ? NAN : far;
  return tj__pick_f32(a >= 0.5f, copysignf(far, x), (p * z) * x + x); /* a NaN is near, and stays one */
}

/* ---- error function ----------------------------------------------------------------------------------------------- */

TJ__INLINE float erfc_f32(float x) {
  double a = fabs((double)x);
  a = a > 10.2 ? 10.2 : a; /* from here on it is nothing */
  double u = 1.0 / (1.0 + 0.5 * a);
  double p = 0x1.25006fc2ad0ecp-5;
  p = p * u + -0x1.873b919f34105p-3;
  p = p * u + 0x1.86919dd1ef77bp-2;
  p = p * u + -0x1.2888e02012eb0p-2;
  p = p * u + -0x1.67e9cd3cb1607p-6;
  p = p * u + 0x1.221512e324a2bp-5;
  p = p * u + 0x1.c18b589c21bbap-5;
  p = p * u + 0x1.7c197a901580ap-3;
  p = p * u + 0x1.f62072102d31dp-3;
  p = p * u + 0x1.2106c64a7e321p-2;
  p = p * u + 0x1.20dbd02ab312fp-2;
  double y = tj__exp2_float(a * a * -1.4426950408889634) * (p * u);
  y = x < 0.0f ? 2.0 - y : y;
  return x == x ? (float)y : x;
}

/* y times a function of w = -log(1 - y^2), beyond 5 of its root. */
TJ__INLINE float erfinv_f32(float y) {
  double x = (double)y, w = tj__log2_float((1.0 - x) * (1.0 + x)) * -TJ__LN2, s = sqrt(w);
  double p = -0x1.2e0e6d1d027a8p-27;
  p = p * w + 0x1.daa8914c2e67fp-23;
  p = p * w + -0x1.09468e5c02104p-19;
  p = p * w + 0x1.0b4f2df91b4d2p-18;
  p = p * w + 0x1.75d72f6751d30p-15;
  p = p * w + -0x1.0b593bd55ba2dp-13;
  p = p * w + -0x1.31f5fae8d1c24p-9;
  p = p * w + 0x1.7a6d215925c4ep-7;
  p = p * w + 0x1.db2a0f8598645p-3;
  p = p * w + 0x1.c5bf88f0b90f8p-1;
  double q = 0x1.dca20f804be67p-14;
  q = q * s + -0x1.ba7ef1c24a2e8p-9;
  q = q * s + 0x1.69af1df5fdf75p-5;
  q = q * s + -0x1.54a7c6576f2f5p-2;
  q = q * s + 0x1.95aba4ec3a3a8p+0;
  q = q * s + -0x1.3a78d69da8517p+2;
  q = q * s + 0x1.3965122b953fcp+3;
  q = q * s + -0x1.797585d1ba988p+3;
  q = q * s + 0x1.0a675ce640248p+3;
  q = q * s + -0x1.9a54d86deb639p+0;
  float r = (float)(x * (w > 5.0 ? q : p));
  r = fabsf(y) == 1.0f ? copysignf(INFINITY, y) : r;
  return fabsf(y) <= 1.0f ? r : NAN;
}

/* ---- length ------------------------------------------------------------------------------------------------------- */

TJ__INLINE float hypot_f32(float x, float y) {
  float r = (float)sqrt((double)x * (double)x + (double)y * (double)y);
  return ((fabsf(x) == INFINITY) | (fabsf(y) == INFINITY)) ? INFINITY : r;
}

#endif
