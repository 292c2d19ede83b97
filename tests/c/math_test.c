/* math_test.c: how far functions of one float are from the rounded truth, in units in the last place (ulp), through the public operators and so
 * with the loops of the instruction set that TORCHJS_ISA names. Sampled over all bit patterns; with --all every float32 number is tried, and rows of a table are
 * printed (make check-ulp). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka needs the four above */
#include <cmocka.h>

#include <math.h>

#include "core/core.h"
#include "ops.h"

enum { BLOCK = 1 << 16 };

typedef struct function {
  const char *name;
  tj_tensor *(*ours)(tj_tensor *);
  double (*wide)(double);
  long double (*wider)(long double);
  double bound, bound64; /* 0: float32 alone */
} function;

static double sigmoid(double x) { return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x)); }
static long double sigmoidl(long double x) { return x < 0 ? expl(x) / (1 + expl(x)) : 1 / (1 + expl(-x)); }

static const function functions[] = {
    {"exp", tj_exp, exp, expl, 2, 2},         {"exp2", tj_exp2, exp2, exp2l, 1.5, 2},   {"expm1", tj_expm1, expm1, expm1l, 2, 2.5},
    {"log", tj_log, log, logl, 2, 2},         {"log2", tj_log2, log2, log2l, 1, 2.5},   {"log10", tj_log10, log10, log10l, 1, 2.5},
    {"log1p", tj_log1p, log1p, log1pl, 2, 2}, {"tanh", tj_tanh, tanh, tanhl, 2, 2.5},   {"sigmoid", tj_sigmoid, sigmoid, sigmoidl, 2, 2.5},
    {"erf", tj_erf, erf, erfl, 2, 2},         {"sin", tj_sin, sin, sinl, 2, 2},         {"cos", tj_cos, cos, cosl, 2, 2},
    {"tan", tj_tan, tan, tanl, 2, 2},         {"atan", tj_atan, atan, atanl, 2, 2},     {"asin", tj_asin, asin, asinl, 2, 2},
    {"acos", tj_acos, acos, acosl, 2, 2},     {"sinh", tj_sinh, sinh, sinhl, 2, 2.5},   {"cosh", tj_cosh, cosh, coshl, 2, 2},
    {"asinh", tj_asinh, asinh, asinhl, 1, 2}, {"acosh", tj_acosh, acosh, acoshl, 1, 2}, {"atanh", tj_atanh, atanh, atanhl, 2, 2},
    {"erfc", tj_erfc, erfc, erfcl, 1, 5},
};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

/* Distance of y from the truth in ulp of a number with `bits` of significand and `lowest` as its least exponent. */
static double distance(double y, long double truth, int bits, int lowest, double largest) {
  if (isnan(truth)) return isnan(y) ? 0 : INFINITY;
  if (isinf(y) || fabsl(truth) > (long double)largest)
    return (y > 0) == (truth > 0) && (fabs(y) >= largest || isinf(y)) && fabsl(truth) >= (long double)largest * (1 - ldexp(4, -bits))
               ? 0
               : INFINITY;
  if (truth == 0) return y == 0 ? 0 : fabs(y) / ldexp(1, lowest - bits + 1);
  int exponent;
  frexpl(truth, &exponent);
  exponent = exponent - 1 < lowest ? lowest : exponent - 1;
  return (double)(fabsl((long double)y - truth) / ldexpl(1, exponent - bits + 1));
}

/* f of n numbers in a dtype, as float64. */
static void apply(const function *f, tj_dtype dtype, const double *in, double *out, int n) {
  tj_scope_begin();
  tj_tensor *y = f->ours(tj_to_dtype(tj_from_data(in, TJ_FLOAT64, TJ_INTS(n)), dtype, false, false, NULL));
  assert_non_null(y);
  assert_int_equal(tj_dtype_of(y), dtype);
  assert_int_equal(tj_to_data(tj_to_dtype(y, TJ_FLOAT64, false, false, NULL), out, (size_t)n * sizeof *out), TJ_OK);
  tj_scope_end();
}

/* The worst distance over the float32 bit patterns first, first + step, ..., and where. The operator's own float64 form, which is another
 * function, says roughly how far each is; what may be the worst so far, and what the two disagree about, is measured by the C library. */
static double worst_float32(const function *f, uint32_t step, float *at) {
  double worst = 0;
  static double in[BLOCK], out[BLOCK], guide[BLOCK];
  uint64_t next = 0;
  while (next < (uint64_t)1 << 32) {
    int n = 0;
    for (; n < BLOCK && next < (uint64_t)1 << 32; next += step) in[n++] = (double)tj__bits_float((uint32_t)next);
    apply(f, TJ_FLOAT32, in, out, n);
    apply(f, TJ_FLOAT64, in, guide, n);
    for (int i = 0; i < n; i++) {
      const double t = guide[i], error = fabs(out[i] - t);
      uint64_t bits;
      memcpy(&bits, &t, 8);
      int exponent = (int)(bits >> 52 & 0x7ff) - 1023;
      exponent = exponent < -126 ? -126 : exponent;
      bits = (uint64_t)(23 - exponent + 1023) << 52;
      double scale;
      memcpy(&scale, &bits, 8);
      if (error * scale < worst * 0.999 && fabs(t) < (double)0x1.fffffep127f) continue; /* not for NaN nor infinity */
      if (t != t && out[i] != out[i] && in[i] != in[i]) continue;
      const double d = distance(out[i], (long double)f->wide(in[i]), 24, -126, (double)0x1.fffffep127f);
      if (d > worst) worst = d, *at = (float)in[i];
    }
  }
  return worst;
}

static double worst_float64(const function *f, int blocks, double *at) {
  double worst = 0;
  static double in[BLOCK], out[BLOCK];
  uint64_t state = 88172645463325252u;
  for (int b = 0; b < blocks; b++) {
    for (int i = 0; i < BLOCK; i++) {
      state ^= state << 13, state ^= state >> 7, state ^= state << 17;
      uint64_t u = state;
      /* three of four between 2^-20 and 2^12, where functions are interesting */
      if (i & 3) u = (u & 0x800fffffffffffffu) | (uint64_t)(1003 + (u >> 52) % 32) << 52;
      memcpy(in + i, &u, 8);
    }
    tj_scope_begin();
    tj_tensor *y = f->ours(tj_from_data(in, TJ_FLOAT64, TJ_INTS(BLOCK)));
    assert_non_null(y);
    assert_int_equal(tj_to_data(y, out, sizeof out), TJ_OK);
    tj_scope_end();
    for (int i = 0; i < BLOCK; i++) {
      double d = distance(out[i], f->wider((long double)in[i]), 53, -1022, 0x1.fffffffffffffp1023);
      if (d > worst) worst = d, *at = in[i];
    }
  }
  return worst;
}

static void float32_functions(void **state) {
  (void)state;
  for (int k = 0; k < FUNCTIONS; k++) {
    float at = 0;
    double worst = worst_float32(&functions[k], 65537, &at);
    if (!(worst <= functions[k].bound)) fail_msg("%s is %.3g ulp away at %.9g (%a)", functions[k].name, worst, (double)at, (double)at);
  }
}

static void float64_functions(void **state) {
  (void)state;
  for (int k = 0; k < FUNCTIONS; k++) {
    double at = 0, worst = worst_float64(&functions[k], 2, &at);
    if (!(worst <= functions[k].bound64)) fail_msg("%s is %.3g ulp away at %.17g (%a)", functions[k].name, worst, at, at);
  }
}

/* float16 and bfloat16 are computed in float32 and rounded once: all numbers of both. */
static void halves(void **state) {
  (void)state;
  static double in[BLOCK], out[BLOCK];
  for (int brain = 0; brain < 2; brain++) {
    for (int i = 0; i < BLOCK; i++) in[i] = (double)(brain ? tj__bfloat16_to_float((uint16_t)i) : tj__half_to_float((uint16_t)i));
    for (int k = 0; k < FUNCTIONS; k++) {
      apply(&functions[k], brain ? TJ_BFLOAT16 : TJ_FLOAT16, in, out, BLOCK);
      for (int i = 0; i < BLOCK; i++) {
        double d = distance(out[i], (long double)functions[k].wide(in[i]), brain ? 8 : 11, brain ? -126 : -14, brain ? 0x1.fep127 : 65504);
        if (!(d <= 0.502))
          fail_msg("%s of %a is %a in %s, %.3g ulp away", functions[k].name, in[i], out[i], brain ? "bfloat16" : "float16", d);
      }
    }
  }
}

/* x times the normal distribution's probability of less than x. Where that is 1 + erf of a negative number it is as good as the sum. */
static void gelu(void **state) {
  (void)state;
  enum { N = 1 << 21 };
  float *x = malloc(2 * N * sizeof *x), *y = x + N;
  assert_non_null(x);
  for (int i = 0; i < N; i++) x[i] = i % 2 ? (float)(i - N / 2) * (16.0f / N) : tj__bits_float((uint32_t)i * 2047u);
  tj_scope_begin();
  tj_tensor *t = tj_gelu(tj_from_data(x, TJ_FLOAT32, TJ_INTS(N)), "none");
  assert_non_null(t);
  assert_int_equal(tj_to_data(t, y, N * sizeof *y), TJ_OK);
  tj_scope_end();
  for (int i = 0; i < N; i++) {
    if (x[i] == -INFINITY) {
      assert_true(isnan(y[i]));
      continue;
    }
    const long double truth = (long double)x[i] * 0.5L * erfcl((long double)x[i] * -0.70710678118654752440L);
    const double off = fabs((double)((long double)y[i] - truth));
    if (!(distance((double)y[i], truth, 24, -126, (double)0x1.fffffep127f) <= 2 || off <= -0x1p-24 * (double)x[i]))
      fail_msg("gelu(%.9g) is %.9g, %.3g away", (double)x[i], (double)y[i], off);
  }
  free(x);
}

static void powers(void **state) {
  (void)state;
  static const float bases[] = {0.0f,       -0.0f,      1,      -1,      2,     -2,     0.5f,     -0.5f,     3,   -3,   1.5f,
                                0.9999999f, 1.0000001f, 1e-40f, -1e-40f, 1e38f, -1e38f, INFINITY, -INFINITY, NAN, 0.1f, 7.25f};
  static const float exponents[] = {0.0f,  -0.0f, 1,    -1,   2,        -2,        3,        -3,        0.5f, -0.5f, 1.7f,
                                    -1.7f, 127,   -149, 1e9f, 16777215, -16777215, INFINITY, -INFINITY, NAN,  1e-3f};
  enum { N = sizeof bases / sizeof *bases, M = sizeof exponents / sizeof *exponents };
  float x[N * M], y[N * M], z[N * M];
  for (int i = 0; i < N * M; i++) x[i] = bases[i / M], y[i] = exponents[i % M];
  tj_scope_begin();
  tj_tensor *t = tj_pow(tj_from_data(x, TJ_FLOAT32, TJ_INTS(N * M)), tj_from_data(y, TJ_FLOAT32, TJ_INTS(N * M)));
  assert_non_null(t);
  assert_int_equal(tj_to_data(t, z, sizeof z), TJ_OK);
  tj_scope_end();
  for (int i = 0; i < N * M; i++) {
    double d = distance((double)z[i], powl((long double)x[i], (long double)y[i]), 24, -126, (double)0x1.fffffep127f);
    if (!(d <= 1) || (z[i] == 0 && signbit(z[i]) != signbit(powf(x[i], y[i]))))
      fail_msg("pow(%g, %g) is %.9g", (double)x[i], (double)y[i], (double)z[i]);
  }
}

static void powers_float64(void **state) {
  (void)state;
  static const double bases[] = {0.0,
                                 -0.0,
                                 1,
                                 -1,
                                 2,
                                 -2,
                                 0.5,
                                 -0.5,
                                 3,
                                 -3,
                                 1.5,
                                 0x1.fffffffffffffp-1,
                                 1e-310,
                                 -1e-310,
                                 1e308,
                                 -1e308,
                                 INFINITY,
                                 -INFINITY,
                                 0x1.0000000000001p+0,
                                 NAN,
                                 0.1,
                                 7.25};
  static const double exponents[] = {0.0,
                                     -0.0,
                                     1,
                                     -1,
                                     2,
                                     -2,
                                     3,
                                     -3,
                                     0.5,
                                     -0.5,
                                     1.7,
                                     -1.7,
                                     127,
                                     -149,
                                     1023,
                                     -1074,
                                     1e300,
                                     9007199254740991.0,
                                     -9007199254740991.0,
                                     9007199254740992.0,
                                     INFINITY,
                                     -INFINITY,
                                     NAN,
                                     1e-3,
                                     1e-320};
  enum { N = sizeof bases / sizeof *bases, M = sizeof exponents / sizeof *exponents, RANDOM = 1 << 16, ALL = N * M + RANDOM };
  static double x[ALL], y[ALL], z[ALL];
  uint64_t random = 88172645463325252u;
  for (int i = 0; i < ALL; i++) {
    if (i < N * M) {
      x[i] = bases[i / M], y[i] = exponents[i % M];
      continue;
    }
    /* results of all sizes: bases of all sizes and exponents to match, every other base near 1 */
    random ^= random << 13, random ^= random >> 7, random ^= random << 17;
    uint64_t u = i & 1 ? random >> 1 : (random >> 12) | (uint64_t)1022 << 52;
    memcpy(x + i, &u, 8);
    if (!isfinite(x[i]) || x[i] == 1) x[i] = 1.25;
    random ^= random << 13, random ^= random >> 7, random ^= random << 17;
    y[i] = ((double)(random >> 11) * 0x1p-53 * 2150 - 1076) / log2(x[i]);
  }
  tj_scope_begin();
  tj_tensor *t = tj_pow(tj_from_data(x, TJ_FLOAT64, TJ_INTS(ALL)), tj_from_data(y, TJ_FLOAT64, TJ_INTS(ALL)));
  assert_non_null(t);
  assert_int_equal(tj_to_data(t, z, sizeof z), TJ_OK);
  tj_scope_end();
  for (int i = 0; i < ALL; i++) {
    double d = distance(z[i], powl((long double)x[i], (long double)y[i]), 53, -1022, 0x1.fffffffffffffp1023);
    if (!(d <= 1.5) || (z[i] == 0 && signbit(z[i]) != signbit(pow(x[i], y[i]))))
      fail_msg("pow(%.17g, %.17g) is %.17g, %.3g ulp away", x[i], y[i], z[i], d);
  }
}

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "--all") == 0) {
    const uint32_t step = argc > 2 ? (uint32_t)atoi(argv[2]) : 1;
    printf("\n| function | float32, ulp | at | float64, ulp | at |\n| --- | ---: | ---: | ---: | ---: |\n");
    bool ok = true;
    tj_set_num_threads(1);
    for (int k = 0; k < FUNCTIONS; k++) {
      if (argc > 3 && strcmp(argv[3], functions[k].name) != 0) continue;
      float at = 0;
      double at64 = 0, worst = worst_float32(&functions[k], step, &at), worst64 = worst_float64(&functions[k], 64, &at64);
      ok &= worst <= functions[k].bound && worst64 <= functions[k].bound64;
      printf("| %s | %.3f | %.9g | %.3f | %.17g |\n", functions[k].name, worst, (double)at, worst64, at64);
      fflush(stdout);
    }
    return !ok;
  }
  const struct CMUnitTest tests[] = {cmocka_unit_test(float32_functions),
                                     cmocka_unit_test(float64_functions),
                                     cmocka_unit_test(halves),
                                     cmocka_unit_test(gelu),
                                     cmocka_unit_test(powers),
                                     cmocka_unit_test(powers_float64)};
  return cmocka_run_group_tests_name("math", tests, NULL, NULL);
}
