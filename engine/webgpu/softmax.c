/* softmax.c: softmax, log_softmax and their derivatives: a workgroup a line, or an invocation where lines are short. */
#include "../kernels/softmax.h"

#include "families.h"
#include "kernel.h"

#define SHORT 32

typedef struct softmax {
  bool log, backward, grouped;
  int group; /* lines of neighbours in memory, by a workgroup of this size that keeps them in registers: */
  int fours; /* so many times four an invocation; 0: the line is read again in each pass */
} softmax;

/* A line in registers: x0, x1, ... are read once, where in the line they are: j0, j1, ... */
static void registers_body(tj__text *t, const softmax *s) {
  tj__put(t, "var<workgroup> shared_: array<f32, %d>;\n", s->group);
  tj__put(t,
          "fn exp4(x: vec4<f32>) -> vec4<f32> { return vec4<f32>(exp_f(x.x), exp_f(x.y), exp_f(x.z), exp_f(x.w)); }\n"
          "fn div4(x: vec4<f32>, y: f32) -> vec4<f32> { return vec4<f32>(div_f(x.x, y), div_f(x.y, y), div_f(x.z, y), div_f(x.w, y)); }\n"
          "fn most4(x: vec4<f32>) -> f32 { return max_f(max_f(x.x, x.y), max_f(x.z, x.w)); }\n"
          "fn sum4(x: vec4<f32>) -> f32 { return (x.x + x.y) + (x.z + x.w); }\n");
  if (s->group == 256) tj__put_code(t, TJ__GROUPS(256));
  else tj__put_code(t, TJ__GROUPS(64));
  tj__put(t, "  let base = row * $1;\n  var acc = %s;\n", s->backward ? "0.0" : "-inf()");
  for (int q = 0; q < s->fours; q++) {
    tj__put(t, "  let j%d = li * 4u + %du;\n  var x%d = vec4<f32>();\n", q, q * s->group * 4, q);
    if (s->backward) tj__put(t, "  var y%d = vec4<f32>();\n", q);
    tj__put(t, "  if (j%d < $1) {\n    x%d = ldv1(base + j%d);\n", q, q, q);
    if (s->backward) {
      tj__put(t, "    y%d = ldv2(base + j%d);\n    acc += sum4(x%d", q, q, q);
      if (!s->log) tj__put(t, " * y%d", q);
      tj__put(t, ");\n  }\n");
    } else tj__put(t, "    acc = max_f(acc, most4(x%d));\n  }\n", q);
  }
  if (s->backward) {
    tj__gpu_put_total(t, "acc", "a + b", s->group);
    for (int q = 0; q < s->fours; q++)
      tj__put(t,
              s->log ? "  if (j%d < $1) { stv0(base + j%d, x%d - exp4(y%d) * acc); }\n"
                     : "  if (j%d < $1) { stv0(base + j%d, (x%d - acc) * y%d); }\n",
              q, q, q, q);
    tj__put(t, "}\n");
    return;
  }
  tj__gpu_put_total(t, "acc", "max_f(a, b)", s->group);
  tj__put(t, "  let most = acc;\n  acc = 0.0;\n");
  for (int q = 0; q < s->fours; q++) {
    if (s->log) tj__put(t, "  if (j%d < $1) { acc += sum4(exp4(x%d - most)); }\n", q, q);
    else tj__put(t, "  if (j%d < $1) { x%d = exp4(x%d - most); acc += sum4(x%d); }\n", q, q, q, q);
  }
  tj__gpu_put_total(t, "acc", "a + b", s->group);
  if (s->log) tj__put(t, "  let logs = log_f(acc);\n");
  for (int q = 0; q < s->fours; q++)
    tj__put(
        t,
        s->log ? "  if (j%d < $1) { stv0(base + j%d, (x%d - most) - logs); }\n" : "  if (j%d < $1) { stv0(base + j%d, div4(x%d, acc)); }\n",
        q, q, q);
  tj__put(t, "}\n");
}

/* Parameters: 0 lines, 1 elements of one, 2 inner. Operands: out, in or grad, result. */
static void body(tj__text *t, const void *context) {
  const softmax *s = context;
  if (s->fours) {
    registers_body(t, s);
    return;
  }
  if (s->grouped) {
    tj__put(t, "var<workgroup> shared_: array<f32, 64>;\n");
    tj__put_code(t, TJ__GROUPS(64));
  } else {
    tj__put_code(t, TJ__FLAT);
    tj__put(t, "  let row = i;\n");
  }
  tj__put(t, "  let base = row / $2 * $1 * $2 + row %% $2;\n");
  const char *each = s->grouped ? "  for (var j = li; j < $1; j += 64u) {\n    let at = base + j * $2;\n"
                                : "  for (var j = 0u; j < $1; j += 1u) {\n    let at = base + j * $2;\n";
  if (s->backward) {
    tj__put(t, "  var acc = 0.0;\n%s    acc += ld1(at)%s;\n  }\n", each, s->log ? "" : " * ld2(at)");
    if (s->grouped) tj__gpu_put_total(t, "acc", "a + b", 64);
    tj__put(t, "%s    st0(at, %s);\n  }\n}\n", each, s->log ? "ld1(at) - exp_f(ld2(at)) * acc" : "ld2(at) * (ld1(at) - acc)");
    return;
  }
  tj__put(t, "  var acc = -inf();\n%s    acc = max_f(acc, ld1(at));\n  }\n", each);
  if (s->grouped) tj__gpu_put_total(t, "acc", "max_f(a, b)", 64);
  tj__put(t, "  let most = acc;\n  acc = 0.0;\n%s    acc += exp_f(ld1(at) - most);\n  }\n", each);
  if (s->grouped) tj__gpu_put_total(t, "acc", "a + b", 64);
  if (s->log) tj__put(t, "  let logs = log_f(acc);\n%s    st0(at, (ld1(at) - most) - logs);\n  }\n}\n", each);
  else tj__put(t, "%s    st0(at, div_f(exp_f(ld1(at) - most), acc));\n  }\n}\n", each);
}

static bool run(softmax s, tj_tensor *out, const tj_tensor *in, const tj_tensor *result, int64_t outer, int64_t n, int64_t inner) {
  s.grouped = n > SHORT;
  if (outer * inner * n == 0) return true;
  if (s.grouped && inner == 1 && n % 4 == 0 && n <= 8192 && tj__gpu_aligned(tj__write(out), (tj_dtype)out->dtype) &&
      tj__gpu_aligned(tj__read(in), (tj_dtype)in->dtype) && (!result || tj__gpu_aligned(tj__read(result), (tj_dtype)result->dtype))) {
    s.group = n > 1024 ? 256 : 64;
    for (s.fours = 1; s.fours * s.group * 4 < n; s.fours *= 2) {}
  }
  tj__gpu_kernel k;
  tj__gpu_kernel_begin(&k, body, &s, "softmax %d%d%d.%d.%d", s.log, s.backward, s.grouped, s.group, s.fours);
  tj__gpu_param(&k, outer * inner);
  tj__gpu_param(&k, n);
  tj__gpu_param(&k, inner);
  tj__gpu_operand_add(&k, tj__write(out), (tj_dtype)out->dtype, true);
  tj__gpu_operand_add(&k, tj__read(in), (tj_dtype)in->dtype, false);
  if (result) tj__gpu_operand_add(&k, tj__read(result), (tj_dtype)result->dtype, false);
  for (int o = 0; o < k.n; o++) k.operands[o].vector = s.fours > 0;
  return s.grouped ? tj__gpu_launch_groups(&k, outer * inner) : tj__gpu_launch_flat(&k, outer * inner);
}

static bool forward(bool log, tj_tensor *out, const tj_tensor *in, int64_t outer, int64_t n, int64_t inner) {
  return run((softmax){.log = log}, out, in, NULL, outer, n, inner);
}
static bool backward(bool log, tj_tensor *out, const tj_tensor *grad, const tj_tensor *result, int64_t outer, int64_t n, int64_t inner) {
  return run((softmax){.log = log, .backward = true}, out, grad, result, outer, n, inner);
}

const tj__softmax_kernels tj__webgpu_softmax = {.softmax = forward, .backward = backward};
