/* random.c: random numbers of the device: Philox4x32-10 (J. Salmon and others, "Parallel random numbers: as easy as 1, 2, 3", 2011). Every call takes
 * 64 bits from the CPU's generator as its key, and element i is word i % 4 of the block with the counter (i / 4, 0, 0, 0): what a call gives depends
 * on manual_seed, set_rng_state and the calls before alone. Where the caller asks for the CPU's stream, or gives a generator, the host draws
 * (creation.c). */
#include "../kernels/random.h"

#include <math.h>

#include "../kernels/sort.h"
#include "families.h"
#include "kernel.h"

static _Thread_local bool from_host; /* the CPU's stream */
void tj__gpu_set_host_random(bool on) { from_host = on; }

/* Does the host draw? */
static bool on_host(const tj_generator *g) { return from_host || g != tj__generator(NULL); }

typedef struct drawing {
  const char *value; /* of r (32 bits), and of b and i: the block and the number of the element */
  bool whole;        /* the value is an i32 that is wanted as one */
  int words;         /* that an element takes: 1, or 2 of a block of which it is half */
} drawing;

/* Parameters: 0 blocks, 1 elements, 2 and 3 the key, then those of the value. Operands: out, then those of the value. */
static void body(tj__text *t, const void *context) {
  const drawing *d = context;
  tj__put(t, "fn value(r: u32, s: u32, i: u32) -> %s { %s }\n", d->whole ? "i32" : "f32", d->value);
  tj__put_code(t, TJ__FLAT "  let b = philox(vec2<u32>($2, $3), vec4<u32>(i, 0u, 0u, 0u));\n");
  const int each = 4 / d->words;
  for (int k = 0; k < each; k++)
    tj__put(t, "  if (i * %du + %du < $1) { st0(i * %du + %du, value(b.%c, b.%c, i * %du + %du)); }\n", each, k, each, k,
            "xyzw"[k * d->words], "xyzw"[k * d->words + d->words - 1], each, k);
  tj__put(t, "}\n");
}

static void begin(tj__gpu_kernel *k, const drawing *d, const char *name, void *out, tj_dtype dtype, int64_t n, tj_generator *g) {
  const uint64_t key = tj__random64(g);
  const int each = 4 / d->words;
  tj__gpu_kernel_begin(k, body, d, "random %s", name);
  tj__gpu_param(k, (n + each - 1) / each), tj__gpu_param(k, n);
  tj__gpu_param(k, (int64_t)(key & 0xffffffffu)), tj__gpu_param(k, (int64_t)(key >> 32));
  tj__gpu_operand_add(k, out, dtype, true);
}
static void launch(tj__gpu_kernel *k) { tj__gpu_launch_flat(k, k->params[0]); }

/* ---- uniform and what is made of it -------------------------------------------------------------------------------- */

/* As many bits as the dtype holds exactly, so that no number is rounded up to the end. */
#define UNIT "f32(r >> 8u) * 5.9604644775390625e-8"
#define OPEN_UNIT "(f32(r >> 9u) + 0.5) * 1.1920928955078125e-7" /* neither 0 nor 1 */

static void uniform(void *out, tj_dtype dtype, int64_t n, double from, double to, tj_generator *g) {
  if (on_host(g)) return tj__gpu_host_random.uniform(out, dtype, n, from, to, g);
  const int bits = dtype == TJ_FLOAT16 ? 11 : dtype == TJ_BFLOAT16 ? 8 : 24;
  const drawing d = {bits == 24   ? "let x = " UNIT " * ($f5 - $f4) + $f4; return select(x, $f4, x >= $f5);"
                     : bits == 11 ? "return f32(r >> 21u) * 4.8828125e-4 * ($f5 - $f4) + $f4;"
                                  : "return f32(r >> 24u) * 3.90625e-3 * ($f5 - $f4) + $f4;",
                     false, 1};
  tj__gpu_kernel k;
  begin(&k, &d, "uniform", out, dtype, n, g);
  tj__gpu_param_float(&k, from), tj__gpu_param_float(&k, to);
  launch(&k);
}

/* Box and Muller: two words a number. */
#define NORMAL "sqrt_f(-2.0 * log_f(" OPEN_UNIT ")) * cos_f(6.28318530718 * (f32(s >> 8u) * 5.9604644775390625e-8))"
static void normal(void *out, tj_dtype dtype, int64_t n, double mean, double std, bool blocks, tj_generator *g) {
  if (on_host(g)) return tj__gpu_host_random.normal(out, dtype, n, mean, std, blocks, g);
  const drawing d = {"return " NORMAL " * $f5 + $f4;", false, 2};
  tj__gpu_kernel k;
  begin(&k, &d, "normal", out, dtype, n, g);
  tj__gpu_param_float(&k, mean), tj__gpu_param_float(&k, std);
  launch(&k);
}

static void distribution(void *out, tj_dtype dtype, int64_t n, tj__distribution kind, double a, double b, tj_generator *g) {
  if (on_host(g)) return tj__gpu_host_random.distribution(out, dtype, n, kind, a, b, g);
  static const char *const values[] = {"return -log_f(" OPEN_UNIT ") / $f4;", "return max(ceil(log_f(" OPEN_UNIT ") / $f4), 1.0);",
                                       "return $f4 + $f5 * tan_f(3.14159265359 * (" OPEN_UNIT " - 0.5));",
                                       "return exp_f(" NORMAL " * $f5 + $f4);"};
  static const char *const whole = "return i32(clamp(ceil(log_f(" OPEN_UNIT ") / $f4), 1.0, 2147483520.0));";
  static const char *const names[] = {"exponential", "geometric", "cauchy", "log normal"};
  const bool integer = !tj__gpu_is_float(dtype);
  const drawing d = {integer ? whole : values[kind], integer, kind == TJ__LOG_NORMAL ? 2 : 1};
  tj__gpu_kernel k;
  begin(&k, &d, names[kind], out, dtype, n, g);
  tj__gpu_param_float(&k, kind == TJ__GEOMETRIC ? log1p(-a) : a), tj__gpu_param_float(&k, b);
  launch(&k);
}

/* ---- integers ------------------------------------------------------------------------------------------------------ */

/* base + (0 to range - 1), range up to 2^32: the upper half of the product with a word of 32 bits. */
static void range_of(void *out, tj_dtype dtype, int64_t n, uint64_t range, int64_t base, tj_generator *g) {
  const bool real = tj__gpu_is_float(dtype), all = range == (uint64_t)1 << 32;
  const drawing d = {all    ? real ? "return f32(r) + $f5;" : "return bitcast<i32>(r + $6);"
                     : real ? "return f32(mul_high(r, $4)) + $f5;"
                            : "return bitcast<i32>(mul_high(r, $4) + $6);",
                     !real, 1};
  tj__gpu_kernel k;
  begin(&k, &d, all ? "words" : "integers", out, dtype, n, g);
  tj__gpu_param(&k, all ? 0 : (int64_t)range), tj__gpu_param_float(&k, (double)base), tj__gpu_param(&k, real ? 0 : base);
  launch(&k);
}
static void integers(void *out, tj_dtype dtype, int64_t n, uint64_t range, int64_t base, tj_generator *g) {
  if (on_host(g)) return tj__gpu_host_random.integers(out, dtype, n, range, base, g);
  const bool real = tj__gpu_is_float(dtype);
  if (range == 0 || range > (uint64_t)1 << 32 || (!real && (base < INT32_MIN || base + (int64_t)range - 1 > INT32_MAX))) {
    tj__fail(TJ_ERROR_RUNTIME, "webgpu keeps int64 in 32 bits: random integers from %lld on, %llu of them, do not fit", (long long)base,
             (unsigned long long)range);
    return;
  }
  range_of(out, dtype, n, range, base, g);
}
/* random_() without bounds: all that are not negative; of int64 those that the device holds. */
static void all_integers(void *out, tj_dtype dtype, int64_t n, tj_generator *g) {
  if (on_host(g)) return tj__gpu_host_random.all_integers(out, dtype, n, g);
  uint64_t count = (uint64_t)1 << 31;
  switch (dtype) {
    case TJ_BOOL: count = 2; break;
    case TJ_UINT8: count = 1 << 8; break;
    case TJ_INT8: count = 1 << 7; break;
    case TJ_INT16: count = 1 << 15; break;
    case TJ_UINT16: count = 1 << 16; break;
    case TJ_FLOAT16: count = (1 << 11) + 1; break;
    case TJ_BFLOAT16: count = (1 << 8) + 1; break;
    case TJ_FLOAT32: count = (1 << 24) + 1; break;
    default: break;
  }
  range_of(out, dtype, n, count, 0, g);
}

/* An order: that of random words; among equal ones, which are rare, the elements' own. */
static void permutation(void *out, tj_dtype dtype, int64_t n, tj_generator *g) {
  if (on_host(g)) return tj__gpu_host_random.permutation(out, dtype, n, g);
  if (n == 0) return;
  tj_tensor *keys = tj__empty(TJ_INTS(n), TJ_INT32, TJ_WEBGPU(0)), *order = tj__empty(TJ_INTS(n), TJ_INT64, TJ_WEBGPU(0));
  if (!keys || !order) return;
  range_of(tj__write(keys), TJ_INT32, n, (uint64_t)1 << 32, 0, g);
  if (!tj__webgpu_sort.sort(false, n, NULL, order, keys, 1, n, 1)) return;
  static const char *const copies[] = {"ld1(i)", "f32(ld1(i))"};
  tj__gpu_kernel k;
  tj__gpu_kernel_begin(&k, tj__gpu_value_body, copies[tj__gpu_is_float(dtype)], "permutation");
  tj__gpu_param(&k, n);
  tj__gpu_operand_add(&k, out, dtype, true);
  tj__gpu_operand_add(&k, tj__read(order), TJ_INT64, false);
  tj__gpu_launch_flat(&k, n);
}

/* ---- yes or no ----------------------------------------------------------------------------------------------------- */

/* A word is below this with probability p. */
static int64_t limit_of(double p) { return (int64_t)TJ__MIN(floor(p * 0x1p32), 0xffffffffp0); }

static void bernoulli(void *out, tj_dtype dtype, int64_t n, double p, tj_generator *g) {
  if (on_host(g)) return tj__gpu_host_random.bernoulli(out, dtype, n, p, g);
  const bool real = tj__gpu_is_float(dtype);
  const drawing d = {real ? "return select(0.0, 1.0, r < $4 || $5 != 0u);" : "return select(0, 1, r < $4 || $5 != 0u);", !real, 1};
  tj__gpu_kernel k;
  begin(&k, &d, "bernoulli", out, dtype, n, g);
  tj__gpu_param(&k, limit_of(p)), tj__gpu_param(&k, p >= 1);
  launch(&k);
}

static bool bernoulli_each(void *out, tj_dtype dtype, int64_t n, const void *p, tj_dtype p_dtype, tj_generator *g) {
  if (on_host(g)) return tj__gpu_host_random.bernoulli_each(out, dtype, n, p, p_dtype, g);
  const bool real = tj__gpu_is_float(dtype);
  const drawing d = {
      real ? "let p = ld1(i); if (!(p >= 0.0 && p <= 1.0) || isnan_f(p)) { leave_error($4, i, 0u); } return select(0.0, 1.0, " UNIT " < p);"
           : "let p = ld1(i); if (!(p >= 0.0 && p <= 1.0) || isnan_f(p)) { leave_error($4, i, 0u); } return select(0, 1, " UNIT " < p);",
      !real, 1};
  const int64_t code =
      tj__gpu_message("Expected p_in >= 0 && p_in <= 1 to be true, but got false.  (Could this error message be improved?  If so, "
                      "please report an enhancement request to PyTorch.)");
  tj__gpu_kernel k;
  if (!code) return true; /* false would blame a probability: the thread's error tells */
  begin(&k, &d, "bernoulli of each", out, dtype, n, g);
  k.errors = true;
  tj__gpu_param(&k, code);
  tj__gpu_operand_add(&k, p, p_dtype, false);
  launch(&k);
  return true;
}

/* The CPU's two ways (engine/cpu/random.c), with blocks of its own for each element: the counter's second word counts them. */
static void poisson_body(tj__text *t, const void *context) {
  (void)context;
  tj__put_code(
      t,
      "var<private> at: u32;\nvar<private> drawn: u32;\n"
      "fn unit() -> f32 {\n  let b = philox(vec2<u32>($1, $2), vec4<u32>(at, drawn, 0u, 0u));\n  drawn += 1u;\n"
      "  return (f32(b.x >> 9u) + 0.5) * 1.1920928955078125e-7;\n}\n" TJ__FLAT "  at = i;\n  let rate = ld1(i);\n"
      "  if (!(rate >= 0.0) || isnan_f(rate)) { leave_error($3, i, 0u); st0(i, 0.0); return; }\n"
      "  if (rate == 0.0) { st0(i, 0.0); return; }\n  if (rate < 10.0) {\n    let limit = exp_f(-rate);\n    var product = 1.0;\n    var k "
      "= 0.0;\n"
      "    for (; k < 1000.0; k += 1.0) { product = product * unit(); if (product <= limit) { break; } }\n    st0(i, k);\n    return;\n  "
      "}\n"
      "  let b = 0.931 + 2.53 * sqrt_f(rate);\n  let a = -0.059 + 0.02483 * b;\n  let alpha = 1.1239 + 1.1328 / (b - 3.4);\n"
      "  let vr = 0.9277 - 3.6224 / (b - 2.0);\n  var k = floor(rate);\n  for (var turn = 0; turn < 1000; turn++) {\n"
      "    let u = unit() - 0.5;\n    let v = unit();\n    let us = 0.5 - abs(u);\n    k = floor((2.0 * a / us + b) * u + rate + 0.43);\n"
      "    if (us >= 0.07 && v <= vr) { break; }\n    if (k < 0.0 || (us < 0.013 && v > us)) { continue; }\n"
      "    if (log_f(v) + log_f(alpha) - log_f(a / (us * us) + b) <= -rate + k * log_f(rate) - lgamma_f(k + 1.0)) { break; }\n  }\n"
      "  st0(i, k);\n}\n");
}
static bool poisson(void *out, const void *rates, tj_dtype dtype, int64_t n, tj_generator *g) {
  const uint64_t key = tj__random64(g);
  const int64_t code = tj__gpu_message("invalid Poisson rate, expected rate to be non-negative");
  tj__gpu_kernel k;
  if (!code) return true;
  tj__gpu_kernel_begin(&k, poisson_body, NULL, "random poisson");
  k.errors = true;
  tj__gpu_param(&k, n), tj__gpu_param(&k, (int64_t)(key & 0xffffffffu)), tj__gpu_param(&k, (int64_t)(key >> 32)), tj__gpu_param(&k, code);
  tj__gpu_operand_add(&k, out, dtype, true);
  tj__gpu_operand_add(&k, rates, dtype, false);
  tj__gpu_launch_flat(&k, n);
  return true;
}

/* The mask and what it leaves in one launch. */
static void dropout(void *out, bool *mask, const void *in, tj_dtype dtype, int64_t n, double stay, tj_generator *g) {
  if (on_host(g)) return tj__gpu_host_random.dropout(out, mask, in, dtype, n, stay, g);
  const drawing d = {"let keep = r < $4 || $5 != 0u; st1(i, select(0, 1, keep)); return select(0.0, ld2(i) * $f6, keep);", false, 1};
  tj__gpu_kernel k;
  begin(&k, &d, "dropout", out, dtype, n, g);
  tj__gpu_param(&k, limit_of(stay)), tj__gpu_param(&k, stay >= 1), tj__gpu_param_float(&k, 1 / stay);
  tj__gpu_operand_add(&k, mask, TJ_BOOL, true);
  tj__gpu_operand_add(&k, in, dtype, false);
  launch(&k);
}

static void scale_masked(void *out, const bool *mask, const void *in, tj_dtype dtype, int64_t n, double scale) {
  tj__gpu_host_random.scale_masked(out, mask, in, dtype, n, scale);
}
/* Choices are made of other operators, in engine/ops/random.c. */
static const char *choose(int64_t *out, const void *p, tj_dtype dtype, int64_t rows, int64_t n, int64_t samples, double *cumulative,
                          tj_generator *g) {
  (void)out, (void)p, (void)dtype, (void)rows, (void)n, (void)samples, (void)cumulative, (void)g;
  tj__gpu_missing("multinomial");
  return NULL;
}
static void largest(int64_t *out, const void *q, tj_dtype dtype, int64_t rows, int64_t n, int64_t samples, int64_t *heap) {
  (void)out, (void)q, (void)dtype, (void)rows, (void)n, (void)samples, (void)heap;
  tj__gpu_missing("multinomial");
}

const tj__random_kernels tj__webgpu_random = {.uniform = uniform,
                                              .normal = normal,
                                              .distribution = distribution,
                                              .integers = integers,
                                              .all_integers = all_integers,
                                              .bernoulli = bernoulli,
                                              .bernoulli_each = bernoulli_each,
                                              .permutation = permutation,
                                              .poisson = poisson,
                                              .dropout = dropout,
                                              .scale_masked = scale_masked,
                                              .choose = choose,
                                              .largest = largest};
