/* math_complex.h: functions of complex numbers (NAME_c64, NAME_c128), for the bodies of CPU loops. Part of math.h. */
#ifndef TJ__MATH_COMPLEX_H
#define TJ__MATH_COMPLEX_H

/* Products by the schoolbook rule, quotients by Smith's, as PyTorch's complex numbers do; C's own operators also repair infinities. */
#define TJ__COMPLEX(T, C, S, R, MAKE, re, im, f)                                                                                   \
  static inline C mul_##S(C x, C y) {                                                                                              \
    T a = re(x), b = im(x), c = re(y), d = im(y);                                                                                  \
    return MAKE(a * c - b * d, a * d + b * c);                                                                                     \
  }                                                                                                                                \
  static inline C div_##S(C x, C y) {                                                                                              \
    T a = re(x), b = im(x), c = re(y), d = im(y), abs_c = abs_##R(c), abs_d = abs_##R(d);                                          \
    if (abs_c >= abs_d) {                                                                                                          \
      if (abs_c == 0 && abs_d == 0) return MAKE(a / abs_c, b / abs_d);                                                             \
      T ratio = d / c, scale = (T)1 / (c + d * ratio);                                                                             \
      return MAKE((a + b * ratio) * scale, (b - a * ratio) * scale);                                                               \
    }                                                                                                                              \
    T ratio = c / d, scale = (T)1 / (c * ratio + d);                                                                               \
    return MAKE((a * ratio + b) * scale, (b * ratio - a) * scale);                                                                 \
  }                                                                                                                                \
  static inline T abs_##S(C x) { return hypot##f(re(x), im(x)); }                                                                  \
  static inline T angle_##S(C x) { return atan2##f(im(x), re(x)); }                                                                \
  static inline C conj_##S(C x) { return MAKE(re(x), -im(x)); }                                                                    \
  static inline C sgn_##S(C x) {                                                                                                   \
    T r = abs_##S(x);                                                                                                              \
    return r == 0 ? MAKE(0, 0) : MAKE(re(x) / r, im(x) / r);                                                                       \
  }                                                                                                                                \
  static inline C square_##S(C x) { return mul_##S(x, x); }                                                                        \
  static inline C exp_##S(C x) { return cexp##f(x); }                                                                              \
  static inline C exp2_##S(C x) { return cexp##f(MAKE(re(x) * (T)M_LN2, im(x) * (T)M_LN2)); }                                      \
  static inline C expm1_##S(C x) {                                                                                                 \
    T a = re(x), b = im(x), s = sin_##R(b * (T)0.5), e = exp_##R(a);                                                               \
    return MAKE(expm1_##R(a) * cos_##R(b) - 2 * s * s, e * sin_##R(b));                                                            \
  }                                                                                                                                \
  static inline C log_##S(C x) { return clog##f(x); }                                                                              \
  static inline C log1p_##S(C x) {                                                                                                 \
    T a = re(x), b = im(x), theta = atan2##f(b, a + 1);                                                                            \
    T r = abs_##R(a) < (T)0.5 && abs_##R(b) < (T)0.5 ? (T)0.5 * log1p_##R(a * (2 + a) + b * b) : log_##R(hypot##f(a + 1, b));      \
    return MAKE(r, theta);                                                                                                         \
  }                                                                                                                                \
  static inline C exp_inf_##S(C x) { /* exp where the real part is +inf: no 0 * inf where a sine or a cosine vanishes */           \
    T s = sin_##R(im(x)), c = cos_##R(im(x));                                                                                      \
    if (!isfinite_##R(im(x))) return MAKE(INFINITY, NAN);                                                                          \
    return MAKE(c == 0 ? (T)0 : (T)INFINITY * c, s == 0 ? (T)0 : (T)INFINITY * s);                                                 \
  }                                                                                                                                \
  static inline C logaddexp_##S(C x, C y) {                                                                                        \
    if (re(x) != re(x) || im(x) != im(x) || re(y) != re(y) || im(y) != im(y)) return MAKE(NAN, NAN);                               \
    C low = re(x) < re(y) ? x : y, high = re(x) >= re(y) ? x : y;                                                                  \
    if (re(low) == re(high) && !isfinite_##R(re(low))) return re(low) < 0 ? low : log1p_##S(exp_inf_##S(low) + exp_inf_##S(high)); \
    return high + log1p_##S(cexp##f(low - high));                                                                                  \
  }                                                                                                                                \
  static inline C log2_##S(C x) {                                                                                                  \
    C y = clog##f(x);                                                                                                              \
    return MAKE(re(y) * (T)M_LOG2E, im(y) * (T)M_LOG2E);                                                                           \
  }                                                                                                                                \
  static inline C log10_##S(C x) {                                                                                                 \
    C y = clog##f(x);                                                                                                              \
    return MAKE(re(y) * (T)M_LOG10E, im(y) * (T)M_LOG10E);                                                                         \
  }                                                                                                                                \
  static inline C sqrt_##S(C x) { return csqrt##f(x); }                                                                            \
  static inline C rsqrt_##S(C x) { return div_##S(MAKE(1, 0), csqrt##f(x)); }                                                      \
  static inline C reciprocal_##S(C x) { return div_##S(MAKE(1, 0), x); }                                                           \
  static inline C sin_##S(C x) { return csin##f(x); }                                                                              \
  static inline C cos_##S(C x) { return ccos##f(x); }                                                                              \
  static inline C tan_##S(C x) { return ctan##f(x); }                                                                              \
  static inline C sinh_##S(C x) { return csinh##f(x); }                                                                            \
  static inline C cosh_##S(C x) { return ccosh##f(x); }                                                                            \
  static inline C tanh_##S(C x) { return ctanh##f(x); }                                                                            \
  static inline C asin_##S(C x) { return casin##f(x); }                                                                            \
  static inline C acos_##S(C x) { return cacos##f(x); }                                                                            \
  static inline C atan_##S(C x) { return catan##f(x); }                                                                            \
  static inline C asinh_##S(C x) { return casinh##f(x); }                                                                          \
  static inline C acosh_##S(C x) { return cacosh##f(x); }                                                                          \
  static inline C atanh_##S(C x) { return catanh##f(x); }                                                                          \
  static inline C sigmoid_##S(C x) {                                                                                               \
    C e = cexp##f(MAKE(-re(x), -im(x)));                                                                                           \
    return div_##S(MAKE(1, 0), MAKE(1 + re(e), im(e)));                                                                            \
  }                                                                                                                                \
  static inline C sinc_##S(C x) {                                                                                                  \
    C y = MAKE((T)M_PI * re(x), (T)M_PI * im(x));                                                                                  \
    return re(x) == 0 && im(x) == 0 ? MAKE(1, 0) : div_##S(csin##f(y), y);                                                         \
  }                                                                                                                                \
  static inline C xlogy_##S(C x, C y) {                                                                                            \
    return re(x) == 0 && im(x) == 0 && re(y) == re(y) && im(y) == im(y) ? MAKE(0, 0) : mul_##S(x, clog##f(y));                     \
  }                                                                                                                                \
  static inline C pow_##S(C x, C y) {                                                                                              \
    if (re(y) == 0 && im(y) == 0) return MAKE(1, 0);                                                                               \
    if (re(x) == 0 && im(x) == 0) return re(y) > 0 ? MAKE(0, 0) : cpow##f(x, y);                                                   \
    return cpow##f(x, y);                                                                                                          \
  }                                                                                                                                \
  static inline C lerp_##S(C x, C y, C w) {                                                                                        \
    C d = y - x;                                                                                                                   \
    return abs_##S(w) < (T)0.5 ? x + mul_##S(w, d) : y - mul_##S(d, 1 - w);                                                        \
  }                                                                                                                                \
  static inline int isnan_##S(C x) { return (re(x) != re(x)) | (im(x) != im(x)); }                                                 \
  static inline int isinf_##S(C x) { return isinf_##R(re(x)) | isinf_##R(im(x)); }                                                 \
  static inline int isfinite_##S(C x) { return isfinite_##R(re(x)) & isfinite_##R(im(x)); }

#ifndef CMPLX /* C11's; clang's headers may lack it */
#define CMPLX(x, y) __builtin_complex((double)(x), (double)(y))
#define CMPLXF(x, y) __builtin_complex((float)(x), (float)(y))
#endif
#define TJ__MAKE_C64(x, y) CMPLXF((float)(x), (float)(y))
#define TJ__MAKE_C128(x, y) CMPLX((double)(x), (double)(y))
TJ__COMPLEX(float, tj__complex64, c64, f32, TJ__MAKE_C64, crealf, cimagf, f)
TJ__COMPLEX(double, tj__complex128, c128, f64, TJ__MAKE_C128, creal, cimag, )

#endif
