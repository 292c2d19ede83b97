/* math_integer.h: functions of integers of any type (NAME_i), for the bodies of CPU loops. Part of math.h. */
#ifndef TJ__MATH_INTEGER_H
#define TJ__MATH_INTEGER_H

/* Arithmetic wraps around (the library is compiled with -fwrapv). Arguments are of any integer type; values of types narrower than int are
 * computed in int and cut when they are stored. "x > 0 || x == 0" is a test for x >= 0 that unsigned types do not make trivial. */
#define TJ__NEGATIVE(x) (!((x) > 0 || (x) == 0))

static inline int64_t tj__pow_int(int64_t base, int64_t exponent) {
  if (exponent < 0) return base == 1 ? 1 : base == -1 ? ((exponent & 1) ? -1 : 1) : 0;
  uint64_t result = 1, square = (uint64_t)base;
  for (; exponent; exponent >>= 1) {
    if (exponent & 1) result *= square;
    square *= square;
  }
  return (int64_t)result;
}
static inline uint64_t tj__gcd(int64_t x, int64_t y) {
  uint64_t a = x < 0 ? 0 - (uint64_t)x : (uint64_t)x, b = y < 0 ? 0 - (uint64_t)y : (uint64_t)y;
  while (b) {
    uint64_t r = a % b;
    a = b;
    b = r;
  }
  return a;
}
static inline int64_t tj__lcm(int64_t x, int64_t y) {
  uint64_t g = tj__gcd(x, y);
  if (!g) return 0;
  int64_t v = x / (int64_t)g * y;
  return v < 0 ? -v : v;
}

#define pow_i(x, y) tj__pow_int((int64_t)(x), (int64_t)(y))
#define gcd_i(x, y) ((int64_t)tj__gcd((int64_t)(x), (int64_t)(y)))
#define lcm_i(x, y) tj__lcm((int64_t)(x), (int64_t)(y))
#define abs_i(x)                       \
  ({                                   \
    __auto_type tj_x = (x) + 0;        \
    TJ__NEGATIVE(tj_x) ? -tj_x : tj_x; \
  })
#define sign_i(x)                    \
  ({                                 \
    __auto_type tj_x = (x) + 0;      \
    (tj_x > 0) - TJ__NEGATIVE(tj_x); \
  })
#define signbit_i(x)            \
  ({                            \
    __auto_type tj_x = (x) + 0; \
    TJ__NEGATIVE(tj_x);         \
  })
#define max_i(x, y)             \
  ({                            \
    __auto_type tj_x = (x) + 0; \
    __auto_type tj_y = (y) + 0; \
    tj_x > tj_y ? tj_x : tj_y;  \
  })
#define min_i(x, y)             \
  ({                            \
    __auto_type tj_x = (x) + 0; \
    __auto_type tj_y = (y) + 0; \
    tj_x < tj_y ? tj_x : tj_y;  \
  })
#define isnan_i(x) ((void)(x), 0)
#define isinf_i(x) ((void)(x), 0)
#define isfinite_i(x) ((void)(x), 1)
/* Division by zero has been refused before a loop runs; -1 is set apart because the machine traps on the lowest number divided by it. */
#define floor_divide_i(x, y)                                                                           \
  ({                                                                                                   \
    __auto_type tj_x = (x) + 0;                                                                        \
    __auto_type tj_y = (y) + 0;                                                                        \
    __typeof__(tj_x) tj_q = tj_y == 0 ? 0 : TJ__NEGATIVE(tj_y) && tj_y + 1 == 0 ? -tj_x : tj_x / tj_y; \
    tj_y != 0 && tj_q *tj_y != tj_x &&TJ__NEGATIVE(tj_x) != TJ__NEGATIVE(tj_y) ? tj_q - 1 : tj_q;      \
  })
#define trunc_divide_i(x, y)                                                   \
  ({                                                                           \
    __auto_type tj_x = (x) + 0;                                                \
    __auto_type tj_y = (y) + 0;                                                \
    tj_y == 0 ? 0 : TJ__NEGATIVE(tj_y) && tj_y + 1 == 0 ? -tj_x : tj_x / tj_y; \
  })
#define fmod_i(x, y)                                                      \
  ({                                                                      \
    __auto_type tj_x = (x) + 0;                                           \
    __auto_type tj_y = (y) + 0;                                           \
    tj_y == 0 || (TJ__NEGATIVE(tj_y) && tj_y + 1 == 0) ? 0 : tj_x % tj_y; \
  })
#define remainder_i(x, y)                                                       \
  ({                                                                            \
    __auto_type tj_m = fmod_i(x, y);                                            \
    __auto_type tj_n = (y) + 0;                                                 \
    tj_m != 0 && TJ__NEGATIVE(tj_m) != TJ__NEGATIVE(tj_n) ? tj_m + tj_n : tj_m; \
  })
/* Shifts by a negative count or by the width and more give 0, or the sign. */
#define lshift_i(x, y)                                                                                \
  ({                                                                                                  \
    __auto_type tj_x = (x);                                                                           \
    int64_t tj_y = (int64_t)(y);                                                                      \
    tj_y < 0 || tj_y >= (int64_t)(8 * sizeof(tj_x)) ? 0 : (__typeof__(tj_x))((uint64_t)tj_x << tj_y); \
  })
#define rshift_i(x, y)                                                      \
  ({                                                                        \
    __auto_type tj_x = (x);                                                 \
    int64_t tj_y = (int64_t)(y), tj_most = (int64_t)(8 * sizeof(tj_x)) - 1; \
    tj_y<0 || tj_y> tj_most ? (TJ__NEGATIVE(tj_x) ? -1 : 0) : tj_x >> tj_y; \
  })

#endif
