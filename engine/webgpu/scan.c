/* scan.c: running sums and their like: a workgroup a line for sums and products, an invocation a line for what has to go step by step. */
#include "../kernels/scan.h"

#include "families.h"
#include "kernel.h"

typedef struct scan {
  tj__scan_kind kind;
  tj_dtype dtype; /* int64: what does not fit is an error */
} scan;

static const char *join(const scan *s) {
  if (s->dtype == TJ_INT64) return s->kind == TJ__SCAN_PROD ? "mul_l(a, b)" : "add_l(a, b)";
  if (s->dtype == TJ_COMPLEX64 && s->kind != TJ__SCAN_SUM) return s->kind == TJ__SCAN_PROD ? "mul_c(a, b)" : "logaddexp_c(a, b)";
  return s->kind == TJ__SCAN_PROD ? "a * b" : s->kind == TJ__SCAN_SUM ? "a + b" : "logaddexp_f(a, b)";
}

/* Parameters: 0 lines, 1 n, 2 inner. Every invocation takes a piece; the pieces before it are added up from the first on. */
static void scan_body(tj__text *t, const void *context) {
  const scan *s = context;
  const char *T = tj__gpu_type(s->dtype);
  const bool complex = s->dtype == TJ_COMPLEX64;
  const char *start = s->kind == TJ__SCAN_PROD  ? (complex                      ? "vec2<f32>(1.0, 0.0)"
                                                   : tj__gpu_is_float(s->dtype) ? "1.0"
                                                                                : "1")
                      : s->kind == TJ__SCAN_SUM ? (complex                      ? "vec2<f32>()"
                                                   : tj__gpu_is_float(s->dtype) ? "0.0"
                                                                                : "0")
                                                : (complex ? "vec2<f32>(-inf(), 0.0)" : "-inf()");
  tj__put(t, "fn join(a: %s, b: %s) -> %s { return %s; }\nvar<workgroup> shared_: array<%s, 64>;\n", T, T, T, join(s), T);
  tj__put_code(t, TJ__GROUPS(64));
  tj__put(t,
          "  let base = row / $2 * $1 * $2 + row %% $2;\n  let piece = ($1 + 63u) / 64u;\n  let begin = li * piece;\n"
          "  let end_ = min(begin + piece, $1);\n  var acc: %s = %s;\n"
          "  for (var j = begin; j < end_; j += 1u) { acc = join(acc, ld1(base + j * $2)); }\n"
          "  shared_[li] = acc;\n  workgroupBarrier();\n  acc = %s;\n"
          "  for (var j = 0u; j < li; j += 1u) { acc = join(acc, shared_[j]); }\n"
          "  for (var j = begin; j < end_; j += 1u) { acc = join(acc, ld1(base + j * $2)); st0(base + j * $2, acc); }\n}\n",
          T, start, start);
}

static void put_lines(tj__gpu_kernel *k, int64_t outer, int64_t n, int64_t inner) {
  tj__gpu_param(k, outer * inner), tj__gpu_param(k, n), tj__gpu_param(k, inner);
}

static bool run_scan(tj__scan_kind kind, tj_tensor *out, const tj_tensor *in, int64_t outer, int64_t n, int64_t inner) {
  const scan s = {kind, out->dtype == TJ_INT64 ? TJ_INT64 : (tj_dtype)in->dtype};
  if (outer * n * inner == 0) return true;
  tj__gpu_kernel k;
  tj__gpu_kernel_begin(&k, scan_body, &s, "scan %d%d", (int)kind, s.dtype == TJ_INT64);
  k.errors = s.dtype == TJ_INT64;
  k.complex = true;
  put_lines(&k, outer, n, inner);
  tj__gpu_operand_add(&k, tj__write(out), (tj_dtype)out->dtype, true);
  tj__gpu_operand_add(&k, tj__read(in), (tj_dtype)in->dtype, false);
  return tj__gpu_launch_groups(&k, outer * inner);
}

typedef struct step {
  bool largest, real, reverse;
} step;

static void extremes_body(tj__text *t, const void *context) {
  const step *s = context;
  tj__put_code(t, TJ__FLAT);
  tj__put(t,
          "  let base = i / $2 * $1 * $2 + i %% $2;\n  var best = ld2(base);\n  var at = 0;\n  for (var j = 0u; j < $1; j += 1u) {\n"
          "    let x = ld2(base + j * $2);\n    if (%sx %s best)) { best = x; at = i32(j); }\n"
          "    st0(base + j * $2, best);\n    st1(base + j * $2, at);\n  }\n}\n",
          s->real ? "isnan_f(x) || (!isnan_f(best) && " : "(", s->largest ? ">=" : "<=");
}
static bool extremes(bool largest, tj_tensor *values, tj_tensor *indices, const tj_tensor *in, int64_t outer, int64_t n, int64_t inner) {
  const step s = {.largest = largest, .real = tj__gpu_is_float((tj_dtype)in->dtype)};
  if (outer * n * inner == 0) return true;
  tj__gpu_kernel k;
  tj__gpu_kernel_begin(&k, extremes_body, &s, "running %d", largest);
  put_lines(&k, outer, n, inner);
  tj__gpu_operand_add(&k, tj__write(values), (tj_dtype)values->dtype, true);
  tj__gpu_operand_add(&k, tj__write(indices), (tj_dtype)indices->dtype, true);
  tj__gpu_operand_add(&k, tj__read(in), (tj_dtype)in->dtype, false);
  return tj__gpu_launch_flat(&k, outer * inner);
}

static void recurrence_body(tj__text *t, const void *context) {
  const step *s = context;
  tj__put_code(t, TJ__FLAT);
  tj__put(t,
          "  let base = i / $2 * $1 * $2 + i %% $2;\n  var y = %s;\n  for (var j = 0u; j < $1; j += 1u) {\n"
          "    let at = base + %s * $2;\n    y = %s;\n    st0(at, y);\n  }\n}\n",
          s->real ? "0.0" : "vec2<f32>()", s->reverse ? "($1 - 1u - j)" : "j",
          s->real ? "fma(ld2(at), y, ld1(at))" : "mul_c(ld2(at), y) + ld1(at)");
}
static bool recurrence(bool reverse, tj_tensor *out, const tj_tensor *a, const tj_tensor *b, int64_t outer, int64_t n, int64_t inner) {
  const step s = {.reverse = reverse, .real = out->dtype != TJ_COMPLEX64};
  if (outer * n * inner == 0) return true;
  tj__gpu_kernel k;
  tj__gpu_kernel_begin(&k, recurrence_body, &s, "recurrence %d", reverse);
  k.complex = true;
  put_lines(&k, outer, n, inner);
  tj__gpu_operand_add(&k, tj__write(out), (tj_dtype)out->dtype, true);
  tj__gpu_operand_add(&k, tj__read(a), (tj_dtype)a->dtype, false);
  tj__gpu_operand_add(&k, tj__read(b), (tj_dtype)b->dtype, false);
  return tj__gpu_launch_flat(&k, outer * inner);
}

const tj__scan_kernels tj__webgpu_scan = {.scan = run_scan, .extremes = extremes, .recurrence = recurrence};
