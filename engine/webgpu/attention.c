/* attention.c: attention without the matrix of scores: an invocation a row, which keeps the largest score, the sum of exponentials and its result
 * while it goes along the columns; gradients of keys and values by an invocation a column. */
#include "../kernels/attention.h"

#include "families.h"
#include "kernel.h"

#define WIDEST 256 /* numbers that an invocation keeps */

typedef struct heads {
  enum { FORWARD, QUERY, KEY_VALUE } what;
  bool mask, causal;
  int width, value_width;
} heads;

/* Parameters: 0 launches, 1 group, 2 rows, 3 columns, 4 scale, 5 mask_row, 6 mask_column. Operands 0 query, 1 key, 2 value, then by kernel, the mask
 * and its offsets last: FORWARD: out, logs. QUERY: logs, grad, out, grad of query, deltas. KEY_VALUE: logs, grad, deltas, grads of key and value. */
static void body(tj__text *t, const void *context) {
  const heads *h = context;
  const int mask = h->what == FORWARD ? 5 : 8, W = h->width, V = h->value_width;
  /* the score of row r of batch b and column c */
  tj__put(t,
          "fn score(b: u32, r: u32, c: u32) -> f32 {\n  var s = 0.0;\n  let q = (b * $2 + r) * %du;\n  let k = (b / $1 * $3 + c) * %du;\n"
          "  for (var i = 0u; i < %du; i += 1u) { s = fma(ld0(q + i), ld1(k + i), s); }\n  s = s * $f4;\n",
          W, W, W);
  if (h->mask) tj__put(t, "  s = s + ld%d(u32(ld%d(b)) + r * $5 + c * $6);\n", mask, mask + 1);
  tj__put(t, "  return s;\n}\n");
  tj__put_code(t, TJ__FLAT);
  if (h->what == KEY_VALUE) {
    tj__put(t,
            "  let c = i %% $3;\n  let kb = i / $3;\n  var dk: array<f32, %d>;\n  var dv: array<f32, %d>;\n"
            "  for (var e = 0u; e < %du; e += 1u) { dk[e] = 0.0; }\n  for (var e = 0u; e < %du; e += 1u) { dv[e] = 0.0; }\n"
            "  for (var g = 0u; g < $1; g += 1u) {\n    let b = kb * $1 + g;\n    for (var r = %s; r < $2; r += 1u) {\n"
            "      let row = b * $2 + r;\n      let logs = ld3(row);\n      if (isinf_f(logs) && logs < 0.0) { continue; }\n"
            "      let p = exp_f(score(b, r, c) - logs);\n      var dp = 0.0;\n"
            "      for (var e = 0u; e < %du; e += 1u) { let g_ = ld4(row * %du + e); dv[e] = fma(p, g_, dv[e]); dp = fma(g_, ld2(i * %du + "
            "e), dp); }\n"
            "      let ds = p * (dp - ld5(row)) * $f4;\n"
            "      for (var e = 0u; e < %du; e += 1u) { dk[e] = fma(ds, ld0(row * %du + e), dk[e]); }\n    }\n  }\n"
            "  for (var e = 0u; e < %du; e += 1u) { st6(i * %du + e, dk[e]); }\n  for (var e = 0u; e < %du; e += 1u) { st7(i * %du + e, "
            "dv[e]); }\n}\n",
            W, V, W, V, h->causal ? "c" : "0u", V, V, V, W, W, W, W, V, V);
    return;
  }
  tj__put(t, "  let r = i %% $2;\n  let b = i / $2;\n  let columns = %s;\n", h->causal ? "min($3, r + 1u)" : "$3");
  if (h->what == QUERY) {
    tj__put(t,
            "  var delta = 0.0;\n  for (var e = 0u; e < %du; e += 1u) { delta = fma(ld4(i * %du + e), ld5(i * %du + e), delta); }\n  "
            "st7(i, delta);\n"
            "  var dq: array<f32, %d>;\n  for (var e = 0u; e < %du; e += 1u) { dq[e] = 0.0; }\n  let logs = ld3(i);\n"
            "  if (!(isinf_f(logs) && logs < 0.0)) {\n    for (var c = 0u; c < columns; c += 1u) {\n      let kc = b / $1 * $3 + c;\n"
            "      let p = exp_f(score(b, r, c) - logs);\n      var dp = 0.0;\n"
            "      for (var e = 0u; e < %du; e += 1u) { dp = fma(ld4(i * %du + e), ld2(kc * %du + e), dp); }\n"
            "      let ds = p * (dp - delta) * $f4;\n      for (var e = 0u; e < %du; e += 1u) { dq[e] = fma(ds, ld1(kc * %du + e), dq[e]); "
            "}\n    }\n  }\n"
            "  for (var e = 0u; e < %du; e += 1u) { st6(i * %du + e, dq[e]); }\n}\n",
            V, V, V, W, W, V, V, V, W, W, W, W);
    return;
  }
  tj__put(t,
          "  var acc: array<f32, %d>;\n  for (var e = 0u; e < %du; e += 1u) { acc[e] = 0.0; }\n  var most = -inf();\n  var sum = 0.0;\n"
          "  for (var c = 0u; c < columns; c += 1u) {\n    let s = score(b, r, c);\n    if (isinf_f(s) && s < 0.0) { continue; }\n"
          "    if (s > most || isnan_f(s)) {\n      let shrink = exp_f(most - s);\n      sum = sum * shrink;\n"
          "      for (var e = 0u; e < %du; e += 1u) { acc[e] = acc[e] * shrink; }\n      most = s;\n    }\n"
          "    let p = exp_f(s - most);\n    sum = sum + p;\n    let v = (b / $1 * $3 + c) * %du;\n"
          "    for (var e = 0u; e < %du; e += 1u) { acc[e] = fma(p, ld2(v + e), acc[e]); }\n  }\n"
          "  let none = sum == 0.0;\n  for (var e = 0u; e < %du; e += 1u) { st3(i * %du + e, select(acc[e] / sum, 0.0, none)); }\n"
          "  st4(i, select(most + log_f(sum), -inf(), none));\n}\n",
          V, V, V, V, V, V, V);
}

static bool begin(tj__gpu_kernel *k, const heads *h, const tj__attention *a, int64_t n) {
  if (TJ__MAX(a->width, a->value_width) > WIDEST) return tj__gpu_missing("attention over heads wider than 256");
  tj__gpu_kernel_begin(k, body, h, "attention %d%d%d.%d.%d", (int)h->what, h->mask, h->causal, h->width, h->value_width);
  tj__gpu_param(k, n), tj__gpu_param(k, a->group), tj__gpu_param(k, a->rows), tj__gpu_param(k, a->columns);
  tj__gpu_param_float(k, a->scale);
  tj__gpu_param(k, a->mask ? a->mask_row : 0), tj__gpu_param(k, a->mask ? a->mask_column : 0);
  tj__gpu_operand_add(k, a->query, a->dtype, false);
  tj__gpu_operand_add(k, a->key, a->dtype, false);
  tj__gpu_operand_add(k, a->value, a->dtype, false);
  return true;
}

static void add_mask(tj__gpu_kernel *k, const tj__attention *a, const void *offsets) {
  if (!a->mask) return;
  tj__gpu_operand_add(k, a->mask, a->dtype, false);
  tj__gpu_operand_add(k, offsets, TJ_INT32, false);
}

static bool forward(const tj__attention *a, void *out, void *logs) {
  const int64_t n = a->batches * a->rows;
  if (n == 0) return true;
  const void *offsets = a->mask ? tj__gpu_table(a->mask_offsets, a->batches) : NULL;
  if (a->mask && !offsets) return false;
  const heads h = {FORWARD, a->mask != NULL, a->causal, (int)a->width, (int)a->value_width};
  tj__gpu_kernel k;
  if (!begin(&k, &h, a, n)) return false;
  tj__gpu_operand_add(&k, out, a->dtype, true);
  tj__gpu_operand_add(&k, logs, a->dtype, true);
  add_mask(&k, a, offsets);
  return tj__gpu_launch_flat(&k, n);
}

static bool backward(const tj__attention *a, const void *grad, const void *out, const void *logs, void *query, void *key, void *value) {
  const int64_t rows = a->batches * a->rows, columns = a->batches / a->group * a->columns;
  const void *offsets = a->mask ? tj__gpu_table(a->mask_offsets, a->batches) : NULL;
  tj_tensor *deltas = tj__empty(TJ_INTS(TJ__MAX(rows, 1)), TJ_FLOAT32, TJ_WEBGPU(0));
  if (!deltas || (a->mask && !offsets)) return false;
  const heads first = {QUERY, a->mask != NULL, a->causal, (int)a->width, (int)a->value_width};
  heads second = first;
  second.what = KEY_VALUE;
  tj__gpu_kernel k;
  if (rows) {
    if (!begin(&k, &first, a, rows)) return false;
    tj__gpu_operand_add(&k, logs, a->dtype, false);
    tj__gpu_operand_add(&k, grad, a->dtype, false);
    tj__gpu_operand_add(&k, out, a->dtype, false);
    tj__gpu_operand_add(&k, query, a->dtype, true);
    tj__gpu_operand_add(&k, tj__write(deltas), TJ_FLOAT32, true);
    add_mask(&k, a, offsets);
    if (!tj__gpu_launch_flat(&k, rows)) return false;
  }
  if (!columns) return true;
  if (!begin(&k, &second, a, columns)) return false;
  tj__gpu_operand_add(&k, logs, a->dtype, false);
  tj__gpu_operand_add(&k, grad, a->dtype, false);
  tj__gpu_operand_add(&k, tj__read(deltas), TJ_FLOAT32, false);
  tj__gpu_operand_add(&k, key, a->dtype, true);
  tj__gpu_operand_add(&k, value, a->dtype, true);
  add_mask(&k, a, offsets);
  return tj__gpu_launch_flat(&k, columns);
}

const tj__attention_kernels tj__webgpu_attention = {.forward = forward, .backward = backward};
