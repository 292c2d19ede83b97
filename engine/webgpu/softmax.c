/* softmax.c: softmax, log_softmax and their derivatives: a workgroup a line, or an invocation where lines are short. */
#include "../kernels/softmax.h"

#include "families.h"
#include "kernel.h"

#define SHORT 32

typedef struct softmax {
  bool log, backward, grouped;
} softmax;

static void put_sum(tj__text *t, const char *join) { /* of `acc` over the workgroup; every invocation has it then */
  tj__put(t, "  shared_[li] = acc;\n  workgroupBarrier();\n");
  for (int half = 32; half; half /= 2)
    tj__put(t, "  if (li < %du) { let a = shared_[li]; let b = shared_[li + %du]; shared_[li] = %s; }\n  workgroupBarrier();\n", half, half,
            join);
  tj__put(t, "  acc = shared_[0];\n  workgroupBarrier();\n");
}

/* Parameters: 0 lines, 1 elements of one, 2 inner. Operands: out, in or grad, result. */
static void body(tj__text *t, const void *context) {
  const softmax *s = context;
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
    if (s->grouped) put_sum(t, "a + b");
    tj__put(t, "%s    st0(at, %s);\n  }\n}\n", each, s->log ? "ld1(at) - exp_f(ld2(at)) * acc" : "ld2(at) * (ld1(at) - acc)");
    return;
  }
  tj__put(t, "  var acc = -inf();\n%s    acc = max_f(acc, ld1(at));\n  }\n", each);
  if (s->grouped) put_sum(t, "max_f(a, b)");
  tj__put(t, "  let most = acc;\n  acc = 0.0;\n%s    acc += exp_f(ld1(at) - most);\n  }\n", each);
  if (s->grouped) put_sum(t, "a + b");
  if (s->log) tj__put(t, "  let logs = log_f(acc);\n%s    st0(at, (ld1(at) - most) - logs);\n  }\n}\n", each);
  else tj__put(t, "%s    st0(at, div_f(exp_f(ld1(at) - most), acc));\n  }\n}\n", each);
}

static bool run(softmax s, tj_tensor *out, const tj_tensor *in, const tj_tensor *result, int64_t outer, int64_t n, int64_t inner) {
  s.grouped = n > SHORT;
  tj__gpu_kernel k;
  tj__gpu_kernel_begin(&k, body, &s, "softmax %d%d%d", s.log, s.backward, s.grouped);
  tj__gpu_param(&k, outer * inner);
  tj__gpu_param(&k, n);
  tj__gpu_param(&k, inner);
  if (outer * inner * n == 0) return true;
  tj__gpu_operand_add(&k, tj__write(out), (tj_dtype)out->dtype, true);
  tj__gpu_operand_add(&k, tj__read(in), (tj_dtype)in->dtype, false);
  if (result) tj__gpu_operand_add(&k, tj__read(result), (tj_dtype)result->dtype, false);
  return s.grouped ? tj__gpu_launch_groups(&k, outer * inner) : tj__gpu_launch_flat(&k, outer * inner);
}

static bool forward(bool log, tj_tensor *out, const tj_tensor *in, int64_t outer, int64_t n, int64_t inner) {
  return run((softmax){.log = log}, out, in, NULL, outer, n, inner);
}
static bool backward(bool log, tj_tensor *out, const tj_tensor *grad, const tj_tensor *result, int64_t outer, int64_t n, int64_t inner) {
  return run((softmax){.log = log, .backward = true}, out, grad, result, outer, n, inner);
}

const tj__softmax_kernels tj__webgpu_softmax = {.softmax = forward, .backward = backward};
