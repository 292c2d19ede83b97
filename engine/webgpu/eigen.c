/* eigen.c: eigenvalues of symmetric matrices by Jacobi's rotations from both sides, singular values by rotations of columns (Hestenes): a workgroup a
 * matrix, and n / 2 rotations at a time, of pairs as in a tournament (Brent and Luk 1985). Only float32; eigenvalues of other matrices are complex. */
#include "../kernels/eigen.h"

#include "families.h"
#include "kernel.h"

#define SYNC "fn sync_() { storageBarrier(); workgroupBarrier(); }\n"
/* Pair p of round `step` among n columns; .y is n where one of an odd number has no partner. */
#define TOURNAMENT                                                                                                             \
  "fn pair_of(p: u32, step: u32, n: u32) -> vec2<u32> {\n  let ring = (n + 1u) / 2u * 2u - 1u;\n"                              \
  "  let a = select((step + p) % ring, ring, p == 0u);\n  let b = select((step + ring - p) % ring, step, p == 0u);\n"          \
  "  return vec2<u32>(min(a, b), max(a, b));\n}\n"                                                                             \
  "fn turn_of(p: f32, q: f32, between: f32) -> vec2<f32> {\n  let z = (q - p) / (2.0 * between);\n  var t = 0.5 / z;\n"        \
  "  if (abs(z) < 1e9) { t = copysign_f(1.0 / (abs(z) + sqrt(fma(z, z, 1.0))), z); }\n  let c = 1.0 / sqrt(fma(t, t, 1.0));\n" \
  "  return vec2<f32>(c, t * c);\n}\n"
/* most: the largest |x| of the workgroup; infinity where one is not finite. */
#define LARGEST                                                                                                            \
  "var<workgroup> part: array<f32, 64>;\nfn largest(x: f32, li: u32) -> f32 {\n  workgroupBarrier();\n  part[li] = x;\n"   \
  "  workgroupBarrier();\n  var most = 0.0;\n"                                                                             \
  "  for (var q = 0u; q < 64u; q += 1u) { if (isnan_f(part[q])) { most = inf(); } else { most = max(most, part[q]); } }\n" \
  "  return most;\n}\n"

static void *scratch(int64_t n) {
  tj_tensor *t = tj__empty(TJ_INTS(TJ__MAX(n, 1)), TJ_FLOAT32, TJ_WEBGPU(0));
  return t ? tj__write(t) : NULL;
}

/* ---- symmetric --------------------------------------------------------------------------------------------------- */

/* Parameters: 0 matrices, 1 n, 2 pairs. Operands: a, vectors, turns (then the eigenvalues), info. */
static void jacobi_body(tj__text *t, const void *context) {
  (void)context;
  tj__put_code(t, SYNC TOURNAMENT LARGEST "var<workgroup> more: atomic<u32>;\nvar<workgroup> again: u32;\n" TJ__GROUPS(64));
  tj__put_code(
      t, "  let n = $1;\n  let base = row * n * n;\n  let turns = row * $2 * 2u;\n  var m = 0.0;\n"
         "  for (var q = li; q < n * n; q += 64u) {\n    let i = q % n;\n    let j = q / n;\n    let x = ld0(base + select(q, i * n + j, i "
         "< j));\n"
         "    if (i < j) { st0(base + q, x); }\n    st1(base + q, select(0.0, 1.0, i == j));\n    m = max_f(m, abs_f(x));\n  }\n"
         "  let scale = largest(m, li);\n  if (li == 0u) { st3(row, select(0, 1, isinf_f(scale))); again = 1u; }\n"
         "  for (var sweep = 0u; sweep < 40u; sweep += 1u) {\n    if (workgroupUniformLoad(&again) == 0u) { break; }\n"
         "    if (li == 0u) { atomicStore(&more, 0u); }\n    for (var step = 0u; step < $2 * 2u - 1u; step += 1u) {\n      sync_();\n"
         "      for (var p = li; p < $2; p += 64u) {\n        let e = pair_of(p, step, n);\n        var cs = vec2<f32>(1.0, 0.0);\n"
         "        if (e.y < n) {\n          let x = ld0(base + e.x * n + e.y);\n"
         "          if (abs_f(x) > 1e-12 * scale) { cs = turn_of(ld0(base + e.x * n + e.x), ld0(base + e.y * n + e.y), x); }\n"
         "          if (abs_f(x) > 1e-6 * scale) { atomicStore(&more, 1u); }\n        }\n"
         "        st2(turns + 2u * p, cs.x);\n        st2(turns + 2u * p + 1u, cs.y);\n      }\n      sync_();\n"
         "      for (var q = li; q < $2 * n; q += 64u) {\n        let e = pair_of(q / n, step, n);\n        let r = base + q % n;\n"
         "        let c = ld2(turns + q / n * 2u);\n        let s = ld2(turns + q / n * 2u + 1u);\n        if (e.y < n && s != 0.0) {\n"
         "          let x = ld0(r + e.x * n);\n          let y = ld0(r + e.y * n);\n          st0(r + e.x * n, c * x - s * y);\n"
         "          st0(r + e.y * n, s * x + c * y);\n          let u = ld1(r + e.x * n);\n          let v = ld1(r + e.y * n);\n"
         "          st1(r + e.x * n, c * u - s * v);\n          st1(r + e.y * n, s * u + c * v);\n        }\n      }\n      sync_();\n"
         "      for (var q = li; q < $2 * n; q += 64u) {\n        let e = pair_of(q / n, step, n);\n        let r = base + q % n * n;\n"
         "        let c = ld2(turns + q / n * 2u);\n        let s = ld2(turns + q / n * 2u + 1u);\n        if (e.y < n && s != 0.0) {\n"
         "          let x = ld0(r + e.x);\n          let y = ld0(r + e.y);\n          st0(r + e.x, c * x - s * y);\n"
         "          st0(r + e.y, s * x + c * y);\n        }\n      }\n    }\n    sync_();\n"
         "    if (li == 0u) { again = atomicLoad(&more); }\n  }\n  sync_();\n"
         "  for (var q = li; q < n; q += 64u) { st2(turns + q, ld0(base + q * n + q)); }\n}\n");
}
/* Parameters: 0 columns of all, 1 n, 2 from matrix to matrix of the values. Operands: sorted vectors, sorted values, values, vectors. */
static void order_body(tj__text *t, const void *context) {
  (void)context;
  tj__put_code(t,
               TJ__FLAT "  let n = $1;\n  let b = i / n;\n  let c = i % n;\n  let at = b * $2;\n  let x = ld2(at + c);\n  var rank = 0u;\n"
                        "  for (var j = 0u; j < n; j += 1u) {\n    let y = ld2(at + j);\n"
                        "    if (y < x || (!(x < y) && j < c)) { rank += 1u; }\n  }\n  st1(b * n + rank, x);\n"
                        "  for (var r = 0u; r < n; r += 1u) { st0((b * n + rank) * n + r, ld3((b * n + c) * n + r)); }\n}\n");
}
static bool eigh(tj_dtype dtype, int64_t batches, int64_t n, void *a, void *w, bool vectors, int32_t *info) {
  (void)vectors;
  if (dtype != TJ_FLOAT32) return tj__gpu_missing("eigh of complex numbers");
  if (n == 0) return tj__gpu_no_failures(info, batches);
  const int64_t pairs = (n + 1) / 2;
  void *v = scratch(batches * n * n), *turns = scratch(batches * pairs * 2);
  if (!v || !turns) return false;
  tj__gpu_kernel k;
  tj__gpu_kernel_begin(&k, jacobi_body, NULL, "jacobi");
  tj__gpu_param(&k, batches), tj__gpu_param(&k, n), tj__gpu_param(&k, pairs);
  tj__gpu_operand_add(&k, a, dtype, true);
  tj__gpu_operand_add(&k, v, dtype, true);
  tj__gpu_operand_add(&k, turns, dtype, true);
  tj__gpu_operand_add(&k, info, TJ_INT32, true);
  if (!tj__gpu_launch_groups(&k, batches)) return false;
  tj__gpu_kernel_begin(&k, order_body, NULL, "order of eigenvalues");
  tj__gpu_param(&k, batches * n), tj__gpu_param(&k, n), tj__gpu_param(&k, pairs * 2);
  tj__gpu_operand_add(&k, a, dtype, true);
  tj__gpu_operand_add(&k, w, dtype, true);
  tj__gpu_operand_add(&k, turns, dtype, false);
  tj__gpu_operand_add(&k, v, dtype, false);
  return tj__gpu_launch_flat(&k, batches * n);
}

/* ---- singular values ---------------------------------------------------------------------------------------------- */

/* Parameters: 0 elements, 1 rows of out, 2 columns of out. Matrices by columns, transposed. */
static void transpose_body(tj__text *t, const void *context) {
  (void)context;
  tj__put_code(t, TJ__FLAT "  let r = i % $1;\n  let c = i / $1 % $2;\n  st0(i, ld1(i / ($1 * $2) * $1 * $2 + r * $2 + c));\n}\n");
}
static bool transpose(int64_t batches, int64_t rows, int64_t columns, void *out, const void *in) {
  tj__gpu_kernel k;
  tj__gpu_kernel_begin(&k, transpose_body, NULL, "transpose");
  tj__gpu_param(&k, batches * rows * columns), tj__gpu_param(&k, rows), tj__gpu_param(&k, columns);
  tj__gpu_operand_add(&k, out, TJ_FLOAT32, true);
  tj__gpu_operand_add(&k, in, TJ_FLOAT32, false);
  return tj__gpu_launch_flat(&k, batches * rows * columns);
}

/* Parameters: 0 matrices, 1 rows, 2 columns (not more), 3 pairs. Operands: w, v, values, info. In the end w has columns of length 1, or zeros
 * where a value counts as none. */
static void columns_body(tj__text *t, const void *context) {
  (void)context;
  tj__put_code(t, SYNC TOURNAMENT LARGEST "var<workgroup> more: atomic<u32>;\nvar<workgroup> again: u32;\n" TJ__GROUPS(64));
  tj__put_code(
      t, "  let m = $1;\n  let n = $2;\n  let w = row * m * n;\n  let v = row * n * n;\n  var x = 0.0;\n"
         "  for (var q = li; q < n * n; q += 64u) { st1(v + q, select(0.0, 1.0, q % n == q / n)); }\n"
         "  for (var q = li; q < m * n; q += 64u) { x = max_f(x, abs_f(ld0(w + q))); }\n  let scale = largest(x, li);\n"
         "  if (li == 0u) { st3(row, select(0, 1, isinf_f(scale))); again = 1u; }\n  let by = select(scale, 1.0, scale == 0.0);\n"
         "  for (var q = li; q < m * n; q += 64u) { st0(w + q, div_f(ld0(w + q), by)); }\n  sync_();\n  x = 0.0;\n"
         "  for (var c = li; c < n; c += 64u) {\n    var total = 0.0;\n"
         "    for (var r = 0u; r < m; r += 1u) { let e = ld0(w + c * m + r); total = fma(e, e, total); }\n    x = max(x, total);\n  }\n"
         "  let tiny = largest(x, li) * 1.6e-13;\n  for (var sweep = 0u; sweep < 40u; sweep += 1u) {\n"
         "    if (workgroupUniformLoad(&again) == 0u) { break; }\n    if (li == 0u) { atomicStore(&more, 0u); }\n"
         "    for (var step = 0u; step < $3 * 2u - 1u; step += 1u) {\n      sync_();\n      for (var p = li; p < $3; p += 64u) {\n"
         "        let e = pair_of(p, step, n);\n        if (e.y >= n) { continue; }\n        let a = w + e.x * m;\n        let b = w + e.y "
         "* m;\n"
         "        var aa = 0.0;\n        var bb = 0.0;\n        var ab = 0.0;\n        for (var r = 0u; r < m; r += 1u) {\n"
         "          let s = ld0(a + r);\n          let t = ld0(b + r);\n          aa = fma(s, s, aa);\n          bb = fma(t, t, bb);\n"
         "          ab = fma(s, t, ab);\n        }\n        let size = sqrt(aa) * sqrt(bb);\n        if (!(abs_f(ab) > 1e-8 * size)) { "
         "continue; }\n"
         "        if (abs_f(ab) > 1e-6 * size && min(aa, bb) > tiny) { atomicStore(&more, 1u); }\n        let cs = turn_of(aa, bb, ab);\n"
         "        for (var r = 0u; r < m; r += 1u) {\n          let s = ld0(a + r);\n          let t = ld0(b + r);\n"
         "          st0(a + r, cs.x * s - cs.y * t);\n          st0(b + r, cs.y * s + cs.x * t);\n        }\n"
         "        let d = v + e.x * n;\n        let f = v + e.y * n;\n        for (var r = 0u; r < n; r += 1u) {\n          let s = ld1(d "
         "+ r);\n"
         "          let t = ld1(f + r);\n          st1(d + r, cs.x * s - cs.y * t);\n          st1(f + r, cs.y * s + cs.x * t);\n        "
         "}\n      }\n    }\n"
         "    sync_();\n    if (li == 0u) { again = atomicLoad(&more); }\n  }\n  sync_();\n  for (var c = li; c < n; c += 64u) {\n"
         "    var total = 0.0;\n    for (var r = 0u; r < m; r += 1u) { let e = ld0(w + c * m + r); total = fma(e, e, total); }\n"
         "    let norm = sqrt_f(total);\n    st2(row * n + c, norm * scale);\n    for (var r = 0u; r < m; r += 1u) {\n"
         "      if (total <= tiny) { st0(w + c * m + r, 0.0); } else { st0(w + c * m + r, div_f(ld0(w + c * m + r), norm)); }\n    }\n  "
         "}\n}\n");
}
/* Parameters: 0 columns of all, 1 rows, 2 columns, 3 columns of left, 4 whether there are vectors. Operands: s, values, left, w, right, v. right is
 * by rows: right[c] is the vector of value c. */
static void descending_body(tj__text *t, const void *context) {
  tj__put_code(t, TJ__FLAT "  let m = $1;\n  let n = $2;\n  let b = i / n;\n  let c = i % n;\n  let x = ld1(i);\n  var rank = 0u;\n"
                           "  for (var j = 0u; j < n; j += 1u) {\n    let y = ld1(b * n + j);\n"
                           "    if (y > x || (!(x > y) && j < c)) { rank += 1u; }\n  }\n  st0(b * n + rank, x);\n");
  if (*(const bool *)context)
    tj__put_code(t, "  for (var r = 0u; r < m; r += 1u) { st2((b * $3 + rank) * m + r, ld3(i * m + r)); }\n"
                    "  for (var r = 0u; r < n; r += 1u) { st4(b * n * n + rank + r * n, ld5(i * n + r)); }\n");
  tj__put_code(t, "}\n");
}
/* Parameters: 0 matrices, 1 rows, 2 columns that are there, 3 all columns. Operands: left, dots. Zero columns become orthogonal to all others: the unit
 * vector that is farthest from them, less its shadow. */
static void complete_body(tj__text *t, const void *context) {
  (void)context;
  tj__put_code(
      t, SYNC "var<workgroup> best: array<f32, 64>;\nvar<workgroup> place: array<u32, 64>;\nvar<workgroup> empty_: u32;\n" TJ__GROUPS(64));
  tj__put_code(
      t,
      "  let m = $1;\n  let n = $3;\n  let base = row * m * n;\n  for (var q = $2 * m + li; q < n * m; q += 64u) { st0(base + q, 0.0); }\n"
      "  for (var c = 0u; c < n; c += 1u) {\n    sync_();\n    let at = base + c * m;\n    if (li == 0u) {\n      var total = 0.0;\n"
      "      for (var r = 0u; r < m; r += 1u) { total += abs(ld0(at + r)); }\n      empty_ = select(0u, 1u, total == 0.0);\n    }\n"
      "    if (workgroupUniformLoad(&empty_) == 0u) { continue; }\n    var far = -1.0;\n    var which = 0u;\n"
      "    for (var r = li; r < m; r += 64u) {\n      var rest = 1.0;\n"
      "      for (var j = 0u; j < n; j += 1u) { let x = ld0(base + j * m + r); rest -= x * x; }\n"
      "      if (rest > far) { far = rest; which = r; }\n    }\n    best[li] = far;\n    place[li] = which;\n    workgroupBarrier();\n"
      "    far = -1.0;\n    which = 0u;\n    for (var q = 0u; q < 64u; q += 1u) { if (best[q] > far) { far = best[q]; which = place[q]; } "
      "}\n"
      "    sync_();\n    if (li == 0u) { st0(at + which, 1.0); }\n    for (var turn = 0u; turn < 3u; turn += 1u) {\n      sync_();\n"
      "      for (var j = li; j < n; j += 64u) {\n        var dot_ = 0.0;\n        if (j != c) {\n"
      "          for (var r = 0u; r < m; r += 1u) { dot_ = fma(ld0(base + j * m + r), ld0(at + r), dot_); }\n        }\n"
      "        st1(row * n + j, dot_);\n      }\n      sync_();\n      for (var r = li; r < m; r += 64u) {\n        var x = ld0(at + r);\n"
      "        for (var j = 0u; j < n; j += 1u) { if (j != c) { x = fma(-ld1(row * n + j), ld0(base + j * m + r), x); } }\n"
      "        st0(at + r, x);\n      }\n      sync_();\n      var total = 0.0;\n"
      "      for (var r = 0u; r < m; r += 1u) { let x = ld0(at + r); total = fma(x, x, total); }\n      sync_();\n      let norm = "
      "sqrt_f(total);\n"
      "      for (var r = li; r < m; r += 64u) { st0(at + r, div_f(ld0(at + r), norm)); }\n    }\n  }\n}\n");
}

static bool identity(void *to, int64_t batches, int64_t n);

static bool svd(tj_dtype dtype, int64_t batches, int64_t m, int64_t n, void *a, void *u, void *s, void *vh, bool full, int32_t *info) {
  if (dtype != TJ_FLOAT32) return tj__gpu_missing("svd of complex numbers");
  const bool wide = m < n;
  const int64_t rows = TJ__MAX(m, n), columns = TJ__MIN(m, n), all = full ? rows : columns, pairs = (columns + 1) / 2;
  if (columns == 0) return tj__gpu_no_failures(info, batches) && (!u || !all || identity(wide ? vh : u, batches, all));
  void *w = wide ? scratch(batches * rows * columns) : a, *v = scratch(batches * columns * columns), *values = scratch(batches * columns);
  /* of the taller of the matrix and its transposition: left is u or vh^T, right is vh or u^T */
  void *left = !u ? w : wide ? scratch(batches * rows * all) : u, *right = !u ? v : wide ? scratch(batches * columns * columns) : vh;
  void *dots = scratch(batches * all);
  if (!w || !v || !values || !left || !right || !dots || (wide && !transpose(batches, rows, columns, w, a))) return false;
  tj__gpu_kernel k;
  tj__gpu_kernel_begin(&k, columns_body, NULL, "singular values");
  tj__gpu_param(&k, batches), tj__gpu_param(&k, rows), tj__gpu_param(&k, columns), tj__gpu_param(&k, pairs);
  tj__gpu_operand_add(&k, w, dtype, true);
  tj__gpu_operand_add(&k, v, dtype, true);
  tj__gpu_operand_add(&k, values, dtype, true);
  tj__gpu_operand_add(&k, info, TJ_INT32, true);
  if (!tj__gpu_launch_groups(&k, batches)) return false;
  const bool vectors = u != NULL;
  tj__gpu_kernel_begin(&k, descending_body, &vectors, "order of singular values %d", vectors);
  tj__gpu_param(&k, batches * columns), tj__gpu_param(&k, rows), tj__gpu_param(&k, columns), tj__gpu_param(&k, all);
  tj__gpu_operand_add(&k, s, dtype, true);
  tj__gpu_operand_add(&k, values, dtype, false);
  if (vectors) {
    tj__gpu_operand_add(&k, left, dtype, true);
    tj__gpu_operand_add(&k, w, dtype, false);
    tj__gpu_operand_add(&k, right, dtype, true);
    tj__gpu_operand_add(&k, v, dtype, false);
  }
  if (!tj__gpu_launch_flat(&k, batches * columns) || !vectors) return vectors ? false : tj_error_code() == TJ_OK;
  tj__gpu_kernel_begin(&k, complete_body, NULL, "complete basis");
  tj__gpu_param(&k, batches), tj__gpu_param(&k, rows), tj__gpu_param(&k, columns), tj__gpu_param(&k, all);
  tj__gpu_operand_add(&k, left, dtype, true);
  tj__gpu_operand_add(&k, dots, dtype, true);
  if (!tj__gpu_launch_groups(&k, batches)) return false;
  return !wide || (transpose(batches, all, rows, vh, left) && transpose(batches, columns, columns, u, right));
}

/* Parameters: 0 elements, 1 n. */
static void identity_body(tj__text *t, const void *context) {
  (void)context;
  tj__put_code(t, TJ__FLAT "  let q = i % ($1 * $1);\n  st0(i, select(0.0, 1.0, q % $1 == q / $1));\n}\n");
}
static bool identity(void *to, int64_t batches, int64_t n) {
  tj__gpu_kernel k;
  tj__gpu_kernel_begin(&k, identity_body, NULL, "identity");
  tj__gpu_param(&k, batches * n * n), tj__gpu_param(&k, n);
  tj__gpu_operand_add(&k, to, TJ_FLOAT32, true);
  return tj__gpu_launch_flat(&k, batches * n * n);
}

static bool eig(tj_dtype dtype, int64_t batches, int64_t n, const void *a, void *w, void *v, int32_t *info) {
  (void)dtype, (void)batches, (void)n, (void)a, (void)w, (void)v, (void)info;
  return tj__gpu_missing("eig");
}

const tj__eigen_kernels tj__webgpu_eigen = {eigh, svd, eig};
