/* creation.c: sequences, and random numbers of the CPU's stream, that the host makes with the CPU's kernels and the device gets as they are: PyTorch's
 * numbers to the bit. Random numbers of the device itself are in random.c. */
#include "../kernels/creation.h"

#include "../kernels/backend.h"
#include "../kernels/random.h"
#include "families.h"
#include "kernel.h"

/* n elements on the host that go to the device's address when they are there. */
typedef struct host_part {
  tj_tensor *host;
  void *to;
  const tj__backend *cpu;
} host_part;

static bool begin(host_part *p, void *to, tj_dtype dtype, int64_t n) {
  p->to = to;
  p->cpu = tj__backend_of(TJ_CPU);
  p->host = tj__empty(TJ_INTS(n), dtype, TJ_CPU);
  return p->host != NULL;
}
static void finish(host_part *p) { tj__gpu_write(p->to, (tj_dtype)p->host->dtype, tj__read(p->host), p->host->numel); }

#define ON_HOST(family, kernel, dtype, n, ...)                       \
  do {                                                               \
    host_part p;                                                     \
    if (!begin(&p, out, dtype, n)) return;                           \
    p.cpu->family->kernel(tj__write(p.host), dtype, n, __VA_ARGS__); \
    finish(&p);                                                      \
  } while (0)

static void arange(void *out, tj_dtype dtype, int64_t n, tj_scalar start, tj_scalar step) {
  ON_HOST(creation, arange, dtype, n, start, step);
}
static void linspace(void *out, tj_dtype dtype, int64_t n, tj_scalar start, tj_scalar end) {
  ON_HOST(creation, linspace, dtype, n, start, end);
}
static void logspace(void *out, tj_dtype dtype, int64_t n, tj_scalar start, tj_scalar end, double base) {
  ON_HOST(creation, logspace, dtype, n, start, end, base);
}
static void triangle(void *out, tj_dtype dtype, int64_t n, int64_t rows, int64_t columns, int64_t offset, bool lower) {
  host_part p;
  if (!begin(&p, out, dtype, 2 * n)) return; /* a row and a column for each of n */
  p.cpu->creation->triangle(tj__write(p.host), dtype, n, rows, columns, offset, lower);
  finish(&p);
}

const tj__creation_kernels tj__webgpu_creation = {.arange = arange, .linspace = linspace, .logspace = logspace, .triangle = triangle};

/* ---- random numbers: the generator's stream, as on the CPU --------------------------------------------------------- */

static void uniform(void *out, tj_dtype dtype, int64_t n, double from, double to, tj_generator *g) {
  ON_HOST(random, uniform, dtype, n, from, to, g);
}
static void normal(void *out, tj_dtype dtype, int64_t n, double mean, double std, bool blocks, tj_generator *g) {
  ON_HOST(random, normal, dtype, n, mean, std, blocks, g);
}
static void distribution(void *out, tj_dtype dtype, int64_t n, tj__distribution kind, double a, double b, tj_generator *g) {
  ON_HOST(random, distribution, dtype, n, kind, a, b, g);
}
static void integers(void *out, tj_dtype dtype, int64_t n, uint64_t range, int64_t base, tj_generator *g) {
  ON_HOST(random, integers, dtype, n, range, base, g);
}
static void all_integers(void *out, tj_dtype dtype, int64_t n, tj_generator *g) { ON_HOST(random, all_integers, dtype, n, g); }
static void bernoulli(void *out, tj_dtype dtype, int64_t n, double p_, tj_generator *g) { ON_HOST(random, bernoulli, dtype, n, p_, g); }
static void permutation(void *out, tj_dtype dtype, int64_t n, tj_generator *g) { ON_HOST(random, permutation, dtype, n, g); }
/* Parameters: 0 n, 1 the error's code. Operands: out, numbers in [0, 1), probabilities. */
static void below_body(tj__text *t, const void *context) {
  tj__put_code(t, TJ__FLAT "  let p = ld2(i);\n  if (!(p >= 0.0 && p <= 1.0) || isnan_f(p)) { leave_error($1, i, 0u); }\n");
  tj__put(t, "  st0(i, %s);\n}\n", *(const bool *)context ? "select(0.0, 1.0, ld1(i) < p)" : "select(0, 1, ld1(i) < p)");
}
static bool bernoulli_each(void *out, tj_dtype dtype, int64_t n, const void *p, tj_dtype p_dtype, tj_generator *g) {
  host_part u;
  tj_tensor *draws = tj__empty(TJ_INTS(n), TJ_FLOAT32, TJ_WEBGPU(0));
  if (!draws || !begin(&u, tj__write(draws), TJ_FLOAT32, n)) return true; /* false would blame a probability: the thread's error tells */
  u.cpu->random->uniform(tj__write(u.host), TJ_FLOAT32, n, 0, 1, g);
  finish(&u);
  tj__gpu_kernel k;
  const bool real = tj__gpu_is_float(dtype);
  tj__gpu_kernel_begin(&k, below_body, &real, "below");
  k.errors = true;
  const int64_t code =
      tj__gpu_message("Expected p_in >= 0 && p_in <= 1 to be true, but got false.  (Could this error message be improved?  If so, "
                      "please report an enhancement request to PyTorch.)");
  if (!code) return true;
  tj__gpu_param(&k, n), tj__gpu_param(&k, code);
  tj__gpu_operand_add(&k, out, dtype, true);
  tj__gpu_operand_add(&k, tj__read(draws), TJ_FLOAT32, false);
  tj__gpu_operand_add(&k, p, p_dtype, false);
  tj__gpu_launch_flat(&k, n);
  return true;
}
/* Parameters: 0 n, 1 scale, and for dropout 2: the divisor. Operands: out, in, mask. */
static void masked_body(tj__text *t, const void *context) {
  tj__put_code(t, TJ__FLAT);
  tj__put(t, "  st0(i, select(0.0, %s, ld2(i) != 0));\n}\n", *(const bool *)context ? "div_f(ld1(i), $f1)" : "ld1(i) * $f1");
}
static void masked(void *out, const bool *mask, const void *in, tj_dtype dtype, int64_t n, double scale, bool divides) {
  tj__gpu_kernel k;
  tj__gpu_kernel_begin(&k, masked_body, &divides, "masked %d", divides);
  tj__gpu_param(&k, n), tj__gpu_param_float(&k, scale);
  tj__gpu_operand_add(&k, out, dtype, true);
  tj__gpu_operand_add(&k, in, dtype, false);
  tj__gpu_operand_add(&k, mask, TJ_BOOL, false);
  tj__gpu_launch_flat(&k, n);
}
static void dropout(void *out, bool *mask, const void *in, tj_dtype dtype, int64_t n, double stay, tj_generator *g) {
  host_part p;
  if (!begin(&p, mask, TJ_BOOL, n)) return;
  p.cpu->random->bernoulli(tj__write(p.host), TJ_BOOL, n, stay, g);
  finish(&p);
  masked(out, mask, in, dtype, n, stay, true);
}
static void scale_masked(void *out, const bool *mask, const void *in, tj_dtype dtype, int64_t n, double scale) {
  masked(out, mask, in, dtype, n, scale, false);
}
const tj__random_kernels tj__gpu_host_random = {.uniform = uniform,
                                                .normal = normal,
                                                .distribution = distribution,
                                                .integers = integers,
                                                .all_integers = all_integers,
                                                .bernoulli = bernoulli,
                                                .bernoulli_each = bernoulli_each,
                                                .permutation = permutation,
                                                .dropout = dropout,
                                                .scale_masked = scale_masked};
