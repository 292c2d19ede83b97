/* distance.c: distances between rows: an invocation a pair; their derivative: an invocation an element. */
#include "../kernels/distance.h"

#include "families.h"
#include "kernel.h"

typedef enum norm { NORM0, NORM1, NORM2, NORM_P, NORM_INF } norm;
static norm norm_of(double p) { return p == 0 ? NORM0 : p == 1 ? NORM1 : p == 2 ? NORM2 : __builtin_isinf(p) ? NORM_INF : NORM_P; }

/* Parameters: 0 elements, 1 n, 2 m, 3 width, 4 p. Operands: out, a, b. */
static void distances_body(tj__text *t, const void *context) {
  static const char *const steps[] = {"total + select(0.0, 1.0, ne_f(d, 0.0))", "total + abs_f(d)", "fma(d, d, total)",
                                      "total + pow_f(abs_f(d), $f4)", "max_f(total, abs_f(d))"};
  const norm which = *(const norm *)context;
  tj__put_code(t, TJ__FLAT);
  tj__put(t,
          "  let c = i %% $2;\n  let r = i / $2;\n  let left = r * $3;\n  let right = (r / $1 * $2 + c) * $3;\n  var total = 0.0;\n"
          "  for (var k = 0u; k < $3; k += 1u) {\n    let d = ld1(left + k) - ld2(right + k);\n    total = %s;\n  }\n  st0(i, %s);\n}\n",
          steps[which],
          which == NORM2    ? "sqrt_f(total)"
          : which == NORM_P ? "pow_f(total, 1.0 / $f4)"
                            : "total");
}

/* Operands: out, grad, distances, a, b. */
static void gradient_body(tj__text *t, const void *context) {
  static const char *const steps[] = {"0.0", "g * sign_f(d)", "select(div_f(g, r) * d, 0.0, r == 0.0)",
                                      "select(g * sign_f(d) * pow_f(abs_f(d) / r, $f4 - 1.0), 0.0, r == 0.0 || d == 0.0)",
                                      "select(0.0, g * sign_f(d), abs_f(d) == r && r != 0.0)"};
  tj__put_code(t, TJ__FLAT);
  tj__put(t,
          "  let k = i %% $3;\n  let row = i / $3;\n  let x = ld3(i);\n  var total = 0.0;\n  for (var j = 0u; j < $2; j += 1u) {\n"
          "    let d = x - ld4((row / $1 * $2 + j) * $3 + k);\n    let g = ld1(row * $2 + j);\n    let r = ld2(row * $2 + j);\n"
          "    total += %s;\n  }\n  st0(i, total);\n}\n",
          steps[*(const norm *)context]);
}

static void begin(tj__gpu_kernel *k, void (*body)(tj__text *, const void *), const norm *which, const char *name, int64_t all, int64_t n,
                  int64_t m, int64_t width, double p) {
  tj__gpu_kernel_begin(k, body, which, "%s %d", name, (int)*which);
  tj__gpu_param(k, all), tj__gpu_param(k, n), tj__gpu_param(k, m), tj__gpu_param(k, width);
  tj__gpu_param_float(k, p);
}

static void distances(double p, tj_tensor *out, const tj_tensor *a, const tj_tensor *b, int64_t batch, int64_t n, int64_t m,
                      int64_t width) {
  (void)batch;
  if (!out->numel) return;
  const norm which = norm_of(p);
  tj__gpu_kernel k;
  begin(&k, distances_body, &which, "distances", out->numel, n, m, width, p);
  tj__gpu_operand_add(&k, tj__write(out), (tj_dtype)out->dtype, true);
  tj__gpu_operand_add(&k, width ? tj__read(a) : tj__read(out), (tj_dtype)a->dtype, false);
  tj__gpu_operand_add(&k, width ? tj__read(b) : tj__read(out), (tj_dtype)b->dtype, false);
  tj__gpu_launch_flat(&k, out->numel);
}

static void gradient(double p, tj_tensor *out, const tj_tensor *grad, const tj_tensor *dist, const tj_tensor *a, const tj_tensor *b,
                     int64_t batch, int64_t n, int64_t m, int64_t width) {
  (void)batch;
  if (!out->numel) return;
  const norm which = norm_of(p);
  tj__gpu_kernel k;
  begin(&k, gradient_body, &which, "distances backward", out->numel, n, m, width, p);
  const tj_tensor *const tensors[] = {grad, dist, a, b};
  tj__gpu_operand_add(&k, tj__write(out), (tj_dtype)out->dtype, true);
  for (int i = 0; i < 4; i++) tj__gpu_operand_add(&k, m ? tj__read(tensors[i]) : tj__read(out), (tj_dtype)tensors[i]->dtype, false);
  tj__gpu_launch_flat(&k, out->numel);
}

const tj__distance_kernels tj__webgpu_distance = {distances, gradient};
