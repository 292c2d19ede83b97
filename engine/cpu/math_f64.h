/* math_f64.h: the float64 functions of math.h, which includes this: branch-free too, so that loops over them vectorise; what the C library does is named
 * there. */
#ifndef TJ__MATH_F64_H
#define TJ__MATH_F64_H

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

#endif
