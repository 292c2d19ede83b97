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
  bool tiled; /* a workgroup for ROWS rows (columns) of a head, whose invocations share what they go along */
} heads;

/* ---- tiles: everything in vectors of four, the other side's rows in the workgroup's memory --------------------------- */

#define ROWS 64
#define WIDEST_TILED 64
static int tile_of(const heads *h) { return h->what == KEY_VALUE ? 16 : 32; } /* at the widest: 16 KiB for both */

/* var name0, name1, ...: the n vectors of operand o from `at` on, zero where `has` does not hold. */
static void put_row(tj__text *t, const char *name, int n, int o, const char *has, const char *at) {
  for (int e = 0; e < n; e++) tj__put(t, "  var %s%d = vec4<f32>();\n", name, e);
  if (o < 0) return;
  tj__put(t, "  if (%s) {\n", has);
  for (int e = 0; e < n; e++) tj__put(t, "    %s%d = ldv%d(%s + %du);\n", name, e, o, at, 4 * e);
  tj__put(t, "  }\n");
}
/* let name = the product of vectors a0, a1, ... with those of a tile from `at` on. */
static void put_dot(tj__text *t, const char *name, const char *a, const char *tile, const char *at, int n) {
  tj__put(t, "      var %s4 = %s0 * %s[%s];\n", name, a, tile, at);
  for (int e = 1; e < n; e++) tj__put(t, "      %s4 = fma(%s%d, %s[%s + %du], %s4);\n", name, a, e, tile, at, e, name);
  tj__put(t, "      let %s = (%s4.x + %s4.y) + (%s4.z + %s4.w);\n", name, name, name, name, name);
}
/* a0, a1, ... += factor times the tile's vectors. */
static void put_along(tj__text *t, const char *a, const char *factor, const char *tile, const char *at, int n) {
  for (int e = 0; e < n; e++) tj__put(t, "      %s%d = fma(vec4<f32>(%s), %s[%s + %du], %s%d);\n", a, e, factor, tile, at, e, a, e);
}
/* Rows `first` to first + size of operand o, n vectors each, into a tile; base: of row 0. */
static void put_tile(tj__text *t, const char *tile, int o, const char *base, const char *first, const char *limit, int size, int n) {
  tj__put(t,
          "    for (var q = li; q < %du; q += %du) {\n      var v = vec4<f32>();\n      if (%s + q / %du < %s) { v = ldv%d((%s + %s + q / "
          "%du) * "
          "%du + q %% %du * 4u); }\n      %s[q] = v;\n    }\n",
          size * n, ROWS, first, n, limit, o, base, first, n, 4 * n, n, tile);
}
static void put_rows_out(tj__text *t, const char *a, int n, int o, const char *at) {
  for (int e = 0; e < n; e++) tj__put(t, "    stv%d(%s + %du, %s%d);\n", o, at, 4 * e, a, e);
}

static void tiled_body(tj__text *t, const heads *h) {
  const int W = h->width / 4, V = h->value_width / 4, size = tile_of(h), mask = h->what == FORWARD ? 5 : 8;
  const bool columns = h->what == KEY_VALUE;
  tj__put(t, "var<workgroup> ta: array<vec4<f32>, %d>;\nvar<workgroup> tb: array<vec4<f32>, %d>;\n", size * W, size * V);
  if (columns) tj__put(t, "var<workgroup> tl: array<f32, %d>;\nvar<workgroup> td: array<f32, %d>;\n", size, size);
  tj__put_code(t, TJ__GROUPS(64));
  tj__put(t,
          "  let tiles = (%s + %du) / %du;\n  let own = row %% tiles * %du;\n  let b = row / tiles;\n  let r = own + li;\n  let has = r < "
          "%s;\n",
          columns ? "$3" : "$2", ROWS - 1, ROWS, ROWS, columns ? "$3" : "$2");
  if (columns) { /* r is the column */
    tj__put(t, "  let at_k = (b * $3 + r) * %du;\n  let at_v = (b * $3 + r) * %du;\n", 4 * W, 4 * V);
    put_row(t, "k", W, 1, "has", "at_k");
    put_row(t, "v", V, 2, "has", "at_v");
    put_row(t, "dk", W, -1, "", "");
    put_row(t, "dv", V, -1, "", "");
    tj__put(
        t, "  for (var g = 0u; g < $1; g += 1u) {\n    let qb = (b * $1 + g) * $2;\n    for (var first = %s; first < $2; first += %du) {\n",
        h->causal ? "own / 16u * 16u" : "0u", size);
    put_tile(t, "ta", 0, "qb", "first", "$2", size, W);
    put_tile(t, "tb", 4, "qb", "first", "$2", size, V);
    tj__put(
        t,
        "    if (li < %du && first + li < $2) { tl[li] = ld3(qb + first + li); td[li] = ld5(qb + first + li); }\n    workgroupBarrier();\n",
        size);
    tj__put(t,
            "    for (var j = 0u; j < min(%du, $2 - first); j += 1u) {\n      let logs = tl[j];\n      if (!has || (isinf_f(logs) && logs "
            "< 0.0)%s) { continue; }\n",
            size, h->causal ? " || r > first + j" : "");
    tj__put(t, "      let at_a = j * %du;\n      let at_b = j * %du;\n", W, V);
    put_dot(t, "s", "k", "ta", "at_a", W);
    tj__put(t, "      let p = exp_f(s * $f4");
    if (h->mask) tj__put(t, " + ld%d(u32(ld%d(b * $1 + g)) + (first + j) * $5 + r * $6)", mask, mask + 1);
    tj__put(t, " - logs);\n");
    put_dot(t, "dp", "v", "tb", "at_b", V);
    tj__put(t, "      let ds = p * (dp - td[j]) * $f4;\n");
    put_along(t, "dv", "p", "tb", "at_b", V);
    put_along(t, "dk", "ds", "ta", "at_a", W);
    tj__put(t, "    }\n    workgroupBarrier();\n    }\n  }\n  if (has) {\n");
    put_rows_out(t, "dk", W, 6, "at_k");
    put_rows_out(t, "dv", V, 7, "at_v");
    tj__put(t, "  }\n}\n");
    return;
  }
  const bool back = h->what == QUERY;
  tj__put(t, "  let at = b * $2 + r;\n  let at_w = at * %du;\n  let at_v = at * %du;\n  let kb = b / $1 * $3;\n", 4 * W, 4 * V);
  put_row(t, "q", W, 0, "has", "at_w");
  if (back) {
    put_row(t, "g", V, 4, "has", "at_v");
    put_row(t, "o", V, 5, "has", "at_v");
    put_row(t, "dq", W, -1, "", "");
    tj__put(t, "  var delta4 = g0 * o0;\n");
    for (int e = 1; e < V; e++) tj__put(t, "  delta4 = fma(g%d, o%d, delta4);\n", e, e);
    tj__put(t, "  let delta = (delta4.x + delta4.y) + (delta4.z + delta4.w);\n  var logs = 0.0;\n"
               "  if (has) { logs = ld3(at); st7(at, delta); }\n  let sees = has && !(isinf_f(logs) && logs < 0.0);\n");
  } else {
    put_row(t, "acc", V, -1, "", "");
    tj__put(t, "  let sees = has;\n  var most = -inf();\n  var sum = 0.0;\n");
  }
  tj__put(t, "  for (var first = 0u; first < %s; first += %du) {\n", h->causal ? "min($3, own + 64u)" : "$3", size);
  put_tile(t, "ta", 1, "kb", "first", "$3", size, W);
  put_tile(t, "tb", 2, "kb", "first", "$3", size, V);
  tj__put(t,
          "    workgroupBarrier();\n    for (var j = 0u; j < min(%du, $3 - first); j += 1u) {\n      if (!sees%s) { continue; }\n"
          "      let at_a = j * %du;\n      let at_b = j * %du;\n",
          size, h->causal ? " || first + j > r" : "", W, V);
  put_dot(t, "d", "q", "ta", "at_a", W);
  tj__put(t, "      let s = d * $f4");
  if (h->mask) tj__put(t, " + ld%d(u32(ld%d(b)) + r * $5 + (first + j) * $6)", mask, mask + 1);
  tj__put(t, ";\n");
  if (back) {
    tj__put(t, "      let p = exp_f(s - logs);\n");
    put_dot(t, "dp", "g", "tb", "at_b", V);
    tj__put(t, "      let ds = p * (dp - delta) * $f4;\n");
    put_along(t, "dq", "ds", "ta", "at_a", W);
    tj__put(t, "    }\n    workgroupBarrier();\n  }\n  if (has) {\n");
    put_rows_out(t, "dq", W, 6, "at_w");
    tj__put(t, "  }\n}\n");
    return;
  }
  tj__put(t, "      if (isinf_f(s) && s < 0.0) { continue; }\n      if (s > most || isnan_f(s)) {\n        let shrink = exp_f(most - s);\n "
             "       sum = sum * shrink;\n");
  for (int e = 0; e < V; e++) tj__put(t, "        acc%d = acc%d * shrink;\n", e, e);
  tj__put(t, "        most = s;\n      }\n      let p = exp_f(s - most);\n      sum = sum + p;\n");
  put_along(t, "acc", "p", "tb", "at_b", V);
  tj__put(t, "    }\n    workgroupBarrier();\n  }\n  if (has) {\n    let none = sum == 0.0;\n");
  for (int e = 0; e < V; e++) tj__put(t, "    acc%d = select(acc%d / sum, vec4<f32>(), none);\n", e, e);
  put_rows_out(t, "acc", V, 3, "at_v");
  tj__put(t, "    st4(at, select(most + log_f(sum), -inf(), none));\n  }\n}\n");
}

/* Parameters: 0 launches, 1 group, 2 rows, 3 columns, 4 scale, 5 mask_row, 6 mask_column. Operands 0 query, 1 key, 2 value, then by kernel, the mask
 * and its offsets last: FORWARD: out, logs. QUERY: logs, grad, out, grad of query, deltas. KEY_VALUE: logs, grad, deltas, grads of key and value. */
static void body(tj__text *t, const void *context) {
  const heads *h = context;
  if (h->tiled) {
    tiled_body(t, h);
    return;
  }
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
  tj__gpu_kernel_begin(k, body, h, "attention %d%d%d%d.%d.%d", (int)h->what, h->mask, h->causal, h->tiled, h->width, h->value_width);
  tj__gpu_param(k, n), tj__gpu_param(k, a->group), tj__gpu_param(k, a->rows), tj__gpu_param(k, a->columns);
  tj__gpu_param_float(k, a->scale);
  tj__gpu_param(k, a->mask ? a->mask_row : 0), tj__gpu_param(k, a->mask ? a->mask_column : 0);
  tj__gpu_operand_add(k, a->query, a->dtype, false);
  tj__gpu_operand_add(k, a->key, a->dtype, false);
  tj__gpu_operand_add(k, a->value, a->dtype, false);
  return true;
}

/* Can the other side be shared in tiles? list: everything that is read or written by four. */
static bool is_tiled(const tj__attention *a, int64_t own, const void *const *list, int n) {
  if (a->width % 4 != 0 || a->value_width % 4 != 0 || TJ__MAX(a->width, a->value_width) > WIDEST_TILED || own < 8) return false;
  for (int i = 0; i < n; i++)
    if (!tj__gpu_aligned(list[i], a->dtype)) return false;
  return true;
}

/* Operands by their numbers are read and written by four. */
static bool launch(tj__gpu_kernel *k, const heads *h, int64_t own, int64_t heads_, const int *vectors, int n) {
  if (!h->tiled) return tj__gpu_launch_flat(k, own * heads_);
  for (int i = 0; i < n; i++) k->operands[vectors[i]].vector = true;
  const int64_t groups = (own + ROWS - 1) / ROWS * heads_;
  k->params[0] = (uint32_t)groups;
  return tj__gpu_launch_groups(k, groups);
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
  const bool tiled = is_tiled(a, a->rows, (const void *const[]){a->query, a->key, a->value, out}, 4);
  const heads h = {FORWARD, a->mask != NULL, a->causal, (int)a->width, (int)a->value_width, tiled};
  tj__gpu_kernel k;
  if (!begin(&k, &h, a, n)) return false;
  tj__gpu_operand_add(&k, out, a->dtype, true);
  tj__gpu_operand_add(&k, logs, a->dtype, true);
  add_mask(&k, a, offsets);
  return launch(&k, &h, a->rows, a->batches, (const int[]){0, 1, 2, 3}, 4);
}

static bool backward(const tj__attention *a, const void *grad, const void *out, const void *logs, void *query, void *key, void *value) {
  const int64_t rows = a->batches * a->rows, columns = a->batches / a->group * a->columns;
  const void *offsets = a->mask ? tj__gpu_table(a->mask_offsets, a->batches) : NULL;
  tj_tensor *deltas = tj__empty(TJ_INTS(TJ__MAX(rows, 1)), TJ_FLOAT32, TJ_WEBGPU(0));
  if (!deltas || (a->mask && !offsets)) return false;
  const heads first = {
      QUERY,         a->mask != NULL,     a->causal,
      (int)a->width, (int)a->value_width, is_tiled(a, a->rows, (const void *const[]){a->query, a->key, a->value, grad, out, query}, 6)};
  heads second = first;
  second.what = KEY_VALUE;
  second.tiled = is_tiled(a, a->columns, (const void *const[]){a->query, a->key, a->value, grad, key, value}, 6);
  tj__gpu_kernel k;
  if (rows) {
    if (!begin(&k, &first, a, rows)) return false;
    tj__gpu_operand_add(&k, logs, a->dtype, false);
    tj__gpu_operand_add(&k, grad, a->dtype, false);
    tj__gpu_operand_add(&k, out, a->dtype, false);
    tj__gpu_operand_add(&k, query, a->dtype, true);
    tj__gpu_operand_add(&k, tj__write(deltas), TJ_FLOAT32, true);
    add_mask(&k, a, offsets);
    if (!launch(&k, &first, a->rows, a->batches, (const int[]){0, 1, 2, 4, 5, 6}, 6)) return false;
  }
  if (!columns) return true;
  if (!begin(&k, &second, a, columns)) return false;
  tj__gpu_operand_add(&k, logs, a->dtype, false);
  tj__gpu_operand_add(&k, grad, a->dtype, false);
  tj__gpu_operand_add(&k, tj__read(deltas), TJ_FLOAT32, false);
  tj__gpu_operand_add(&k, key, a->dtype, true);
  tj__gpu_operand_add(&k, value, a->dtype, true);
  add_mask(&k, a, offsets);
  return launch(&k, &second, a->columns, a->batches / a->group, (const int[]){0, 1, 2, 4, 6, 7}, 6);
}

const tj__attention_kernels tj__webgpu_attention = {.forward = forward, .backward = backward};
