/* linalg.c: dense factorisations: a workgroup a matrix, whose invocations share the work of every step; what goes column by column (triangular
 * systems, reflectors) has an invocation a column. Matrices lie by columns, but for LU (kernels/linalg.h). Only float32: float64 and complex
 * numbers have no factorisations here. */
#include "../kernels/linalg.h"

#include "families.h"
#include "kernel.h"

#define FLOAT_ONLY(name) \
  if (dtype != TJ_FLOAT32) return tj__gpu_missing(name " of complex numbers")

#define SYNC "fn sync_() { storageBarrier(); workgroupBarrier(); }\n"

static void zero_body(tj__text *t, const void *context) {
  (void)context;
  tj__put_code(t, TJ__FLAT "  st0(i, 0);\n}\n");
}
bool tj__gpu_no_failures(int32_t *info, int64_t n) {
  tj__gpu_kernel k;
  if (n == 0) return true;
  tj__gpu_kernel_begin(&k, zero_body, NULL, "no failures");
  tj__gpu_param(&k, n);
  tj__gpu_operand_add(&k, info, TJ_INT32, true);
  return tj__gpu_launch_flat(&k, n);
}

/* ---- Cholesky --------------------------------------------------------------------------------------------------- */

/* Parameters: 0 matrices, 1 n. Operands: a, info. */
static void cholesky_body(tj__text *t, const void *context) {
  (void)context;
  tj__put_code(t, SYNC "var<workgroup> bad: i32;\n" TJ__GROUPS(64));
  tj__put_code(t, "  let n = $1;\n  let base = row * n * n;\n  if (li == 0u) { bad = 0; }\n"
                  "  for (var k = 0u; k < n; k += 1u) {\n    sync_();\n    let at = base + k * n;\n"
                  "    if (li == 0u) {\n      let d = ld0(at + k);\n"
                  "      if (!isnan_f(d) && d > 0.0) { st0(at + k, sqrt_f(d)); } else { bad = i32(k) + 1; }\n    }\n    sync_();\n"
                  "    if (workgroupUniformLoad(&bad) != 0) { break; }\n    let s = ld0(at + k);\n"
                  "    for (var i = k + 1u + li; i < n; i += 64u) { st0(at + i, div_f(ld0(at + i), s)); }\n    sync_();\n"
                  "    let m = n - k - 1u;\n    for (var q = li; q < m * m; q += 64u) {\n      let i = k + 1u + q % m;\n"
                  "      let j = k + 1u + q / m;\n"
                  "      if (i >= j) { st0(base + j * n + i, fma(-ld0(at + i), ld0(at + j), ld0(base + j * n + i))); }\n    }\n  }\n"
                  "  sync_();\n  for (var q = li; q < n * n; q += 64u) { if (q % n < q / n) { st0(base + q, 0.0); } }\n"
                  "  if (li == 0u) { st1(row, bad); }\n}\n");
}
static bool cholesky(tj_dtype dtype, int64_t batches, int64_t n, void *a, int32_t *info) {
  FLOAT_ONLY("cholesky");
  if (n == 0) return tj__gpu_no_failures(info, batches);
  tj__gpu_kernel k;
  tj__gpu_kernel_begin(&k, cholesky_body, NULL, "cholesky");
  tj__gpu_param(&k, batches), tj__gpu_param(&k, n);
  tj__gpu_operand_add(&k, a, dtype, true);
  tj__gpu_operand_add(&k, info, TJ_INT32, true);
  return tj__gpu_launch_groups(&k, batches);
}

/* ---- LU --------------------------------------------------------------------------------------------------------- */

/* Parameters: 0 matrices, 1 m, 2 n, 3 whether rows are exchanged. Operands: a, pivots, info. */
static void lu_body(tj__text *t, const void *context) {
  (void)context;
  tj__put_code(t, SYNC "var<workgroup> best: array<f32, 64>;\nvar<workgroup> place: array<u32, 64>;\n" TJ__GROUPS(64));
  tj__put_code(
      t, "  let m = $1;\n  let n = $2;\n  let least = min(m, n);\n  let base = row * m * n;\n  var bad = 0;\n"
         "  for (var k = 0u; k < least; k += 1u) {\n    sync_();\n    let at = base + k;\n    var most = -1.0;\n    var p = k;\n"
         "    for (var i = k + li; i < m; i += 64u) {\n      let v = abs_f(ld0(at + i * n));\n"
         "      if (v > most) { most = v; p = i; }\n    }\n"
         "    best[li] = most;\n    place[li] = p;\n    workgroupBarrier();\n"
         "    for (var half_ = 32u; half_ > 0u; half_ /= 2u) {\n      if (li < half_) {\n        let o = li + half_;\n"
         "        if (best[o] > best[li] || (best[o] == best[li] && place[o] < place[li])) {\n"
         "          best[li] = best[o];\n          place[li] = place[o];\n        }\n      }\n      workgroupBarrier();\n    }\n"
         "    var r = workgroupUniformLoad(&place[0]);\n    if ($3 == 0u) { r = k; }\n    if (li == 0u) { st1(row * least + k, "
         "i32(r) + 1); }\n"
         "    if (r != k) {\n      for (var j = li; j < n; j += 64u) {\n        let x = ld0(base + k * n + j);\n"
         "        st0(base + k * n + j, ld0(base + r * n + j));\n        st0(base + r * n + j, x);\n      }\n    }\n    sync_();\n"
         "    let d = ld0(at + k * n);\n    if (d == 0.0) { if (bad == 0) { bad = i32(k) + 1; } }\n"
         "    else { for (var i = k + 1u + li; i < m; i += 64u) { st0(at + i * n, div_f(ld0(at + i * n), d)); } }\n    sync_();\n"
         "    let right = n - k - 1u;\n    let all = right * (m - k - 1u);\n    for (var q = li; q < all; q += 64u) {\n"
         "      let i = base + (k + 1u + q / right) * n;\n      let j = k + 1u + q % right;\n"
         "      st0(i + j, fma(-ld0(i + k), ld0(base + k * n + j), ld0(i + j)));\n    }\n  }\n  if (li == 0u) { st2(row, bad); }\n}\n");
}
static bool lu(tj_dtype dtype, int64_t batches, int64_t m, int64_t n, void *a, int32_t *pivots, int32_t *info, bool pivot) {
  FLOAT_ONLY("lu");
  if (m == 0 || n == 0) return tj__gpu_no_failures(info, batches);
  tj__gpu_kernel k;
  tj__gpu_kernel_begin(&k, lu_body, NULL, "lu");
  tj__gpu_param(&k, batches), tj__gpu_param(&k, m), tj__gpu_param(&k, n), tj__gpu_param(&k, pivot);
  tj__gpu_operand_add(&k, a, dtype, true);
  tj__gpu_operand_add(&k, pivots, TJ_INT32, true);
  tj__gpu_operand_add(&k, info, TJ_INT32, true);
  return tj__gpu_launch_groups(&k, batches);
}

/* Parameters: 0 columns of all matrices, 1 n, 2 columns of one, 3 pivots, 4 whether backwards. Operands: b, pivots. */
static void swap_body(tj__text *t, const void *context) {
  (void)context;
  tj__put_code(t, TJ__FLAT);
  tj__put(t,
          "  let at = i * $1;\n  let first = i / $2 * $3;\n  for (var q = 0u; q < $3; q += 1u) {\n    let r = select(q, $3 - 1u - q, $4 != "
          "0u);\n"
          "    let p = ld1(first + r) - 1;\n    if (p < 0 || p >= $i1) { leave_error(%du, bitcast<u32>(p + 1), $1); return; }\n"
          "    let x = ld0(at + r);\n    st0(at + r, ld0(at + u32(p)));\n    st0(at + u32(p), x);\n  }\n}\n",
          TJ__GPU_PIVOT);
}
static bool swap_rows(tj_dtype dtype, int64_t batches, int64_t n, int64_t columns, void *b, const int32_t *pivots, int64_t n_pivots,
                      bool backwards) {
  if (batches * n * columns == 0 || n_pivots == 0) return true;
  tj__gpu_kernel k;
  tj__gpu_kernel_begin(&k, swap_body, NULL, "swap rows");
  k.errors = true;
  tj__gpu_param(&k, batches * columns), tj__gpu_param(&k, n), tj__gpu_param(&k, columns);
  tj__gpu_param(&k, n_pivots), tj__gpu_param(&k, backwards);
  tj__gpu_operand_add(&k, b, dtype, true);
  tj__gpu_operand_add(&k, pivots, TJ_INT32, false);
  return tj__gpu_launch_flat(&k, batches * columns);
}

/* ---- triangular systems ----------------------------------------------------------------------------------------- */

/* Parameters: 0 columns of all, 1 n, 2 columns of one, 3-5 row, column and batch of l, 6-8 of b. Steps may be negative: they wrap around. */
static void triangular_body(tj__text *t, const void *context) {
  tj__put_code(t, TJ__FLAT "  let l = i / $2 * $5;\n  let b = i / $2 * $8 + i % $2 * $7;\n  for (var r = 0u; r < $1; r += 1u) {\n"
                           "    var x = ld1(b + r * $6);\n"
                           "    for (var c = 0u; c < r; c += 1u) { x = fma(-ld0(l + r * $3 + c * $4), ld1(b + c * $6), x); }\n");
  tj__put(t, "    st1(b + r * $6, %s);\n  }\n}\n", *(const bool *)context ? "x" : "div_f(x, ld0(l + r * $3 + r * $4))");
}
static bool solve_triangular(const tj__triangular_args *g) {
  const tj_dtype dtype = g->dtype;
  FLOAT_ONLY("solve_triangular");
  tj__gpu_kernel k;
  const int64_t numbers[] = {g->batches * g->columns, g->n, g->columns, g->l_row, g->l_col, g->l_batch, g->b_row, g->b_col, g->b_batch};
  tj__gpu_kernel_begin(&k, triangular_body, &g->unit, "triangular %d", g->unit);
  for (int i = 0; i < 9; i++) tj__gpu_param(&k, numbers[i]);
  tj__gpu_operand_add(&k, g->l, dtype, false);
  tj__gpu_operand_add(&k, g->b, dtype, true);
  return tj__gpu_launch_flat(&k, numbers[0]);
}

/* ---- QR --------------------------------------------------------------------------------------------------------- */

/* Parameters: 0 matrices, 1 m, 2 n. Operands: a, tau. The norm below the diagonal is found with the largest element taken out. */
static void geqrf_body(tj__text *t, const void *context) {
  (void)context;
  tj__put_code(t, SYNC "var<workgroup> part: array<f32, 64>;\n" TJ__GROUPS(64));
  tj__put_code(
      t,
      "  let m = $1;\n  let n = $2;\n  let least = min(m, n);\n  let base = row * m * n;\n"
      "  for (var k = 0u; k < least; k += 1u) {\n    sync_();\n    let at = base + k * m;\n    var v = 0.0;\n"
      "    for (var i = k + 1u + li; i < m; i += 64u) { v = max_f(v, abs_f(ld0(at + i))); }\n    part[li] = v;\n    workgroupBarrier();\n"
      "    var most = 0.0;\n    for (var q = 0u; q < 64u; q += 1u) { most = max_f(most, part[q]); }\n    workgroupBarrier();\n    v = "
      "0.0;\n"
      "    for (var i = k + 1u + li; i < m; i += 64u) {\n      let x = ld0(at + i) / select(most, 1.0, most == 0.0);\n      v = fma(x, x, "
      "v);\n"
      "    }\n    part[li] = v;\n    workgroupBarrier();\n    var squares = 0.0;\n"
      "    for (var q = 0u; q < 64u; q += 1u) { squares += part[q]; }\n    let norm = most * sqrt_f(squares);\n    let alpha = ld0(at + "
      "k);\n"
      "    var tau = 0.0;\n    var beta = alpha;\n    if (norm != 0.0 || isnan_f(norm)) {\n"
      "      beta = -copysign_f(hypot_f(alpha, norm), alpha);\n      tau = div_f(beta - alpha, beta);\n    }\n    sync_();\n"
      "    if (tau != 0.0 || isnan_f(tau)) {\n      let by = alpha - beta;\n"
      "      for (var i = k + 1u + li; i < m; i += 64u) { st0(at + i, div_f(ld0(at + i), by)); }\n    }\n"
      "    if (li == 0u) { st0(at + k, beta); st1(row * least + k, tau); }\n    sync_();\n"
      "    for (var j = k + 1u + li; j < n; j += 64u) {\n      let c = base + j * m;\n      var w = ld0(c + k);\n"
      "      for (var i = k + 1u; i < m; i += 1u) { w = fma(ld0(at + i), ld0(c + i), w); }\n      w = w * tau;\n      st0(c + k, ld0(c + "
      "k) - w);\n"
      "      for (var i = k + 1u; i < m; i += 1u) { st0(c + i, fma(-w, ld0(at + i), ld0(c + i))); }\n    }\n  }\n}\n");
}
static bool geqrf(tj_dtype dtype, int64_t batches, int64_t m, int64_t n, void *a, void *tau) {
  FLOAT_ONLY("geqrf");
  if (m == 0 || n == 0) return true;
  tj__gpu_kernel k;
  tj__gpu_kernel_begin(&k, geqrf_body, NULL, "geqrf");
  tj__gpu_param(&k, batches), tj__gpu_param(&k, m), tj__gpu_param(&k, n);
  tj__gpu_operand_add(&k, a, dtype, true);
  tj__gpu_operand_add(&k, tau, dtype, true);
  return tj__gpu_launch_groups(&k, batches);
}

typedef struct reflecting {
  bool starts, first; /* from the identity; the first reflector is applied first */
} reflecting;

/* Parameters: 0 lines of all matrices, 1 their length, 2 lines of a matrix, 3 reflectors, 4 elements of c, 5 of a, 6 from element to element of a
 * line, 7 from line to line. Operands: c, a, tau. */
static void reflect_body(tj__text *t, const void *context) {
  const reflecting *r = context;
  tj__put_code(t, TJ__FLAT "  let b = i / $2;\n  let j = i % $2;\n  let at = b * $4 + j * $7;\n");
  if (r->starts) tj__put_code(t, "  for (var q = 0u; q < $1; q += 1u) { st0(at + q * $6, select(0.0, 1.0, q == j)); }\n");
  tj__put(t, "  for (var z = 0u; z < $3; z += 1u) {\n    let k = %s;\n", r->first ? "z" : "$3 - 1u - z");
  tj__put_code(t, "    let v = b * $5 + k * $1;\n    var w = ld0(at + k * $6);\n"
                  "    for (var q = k + 1u; q < $1; q += 1u) { w = fma(ld1(v + q), ld0(at + q * $6), w); }\n"
                  "    w = w * ld2(b * $3 + k);\n    st0(at + k * $6, ld0(at + k * $6) - w);\n"
                  "    for (var q = k + 1u; q < $1; q += 1u) { st0(at + q * $6, fma(-w, ld1(v + q), ld0(at + q * $6))); }\n  }\n}\n");
}
static bool reflect(reflecting r, int64_t batches, int64_t length, int64_t lines, int64_t reflectors, void *c, const void *a,
                    const void *tau, int64_t step, int64_t line) {
  tj__gpu_kernel k;
  if (length == 0 || lines == 0 || batches == 0) return true;
  tj__gpu_kernel_begin(&k, reflect_body, &r, "reflect %d%d", r.starts, r.first);
  const int64_t numbers[] = {batches * lines, length, lines, reflectors, length * lines, length * reflectors, step, line};
  for (int i = 0; i < 8; i++) tj__gpu_param(&k, numbers[i]);
  tj__gpu_operand_add(&k, c, TJ_FLOAT32, true);
  tj__gpu_operand_add(&k, reflectors ? a : c, TJ_FLOAT32, false);
  tj__gpu_operand_add(&k, reflectors ? tau : c, TJ_FLOAT32, false);
  return tj__gpu_launch_flat(&k, batches * lines);
}
static bool orgqr(tj_dtype dtype, int64_t batches, int64_t m, int64_t n, int64_t k, const void *a, const void *tau, void *q) {
  FLOAT_ONLY("orgqr");
  return reflect((reflecting){.starts = true}, batches, m, n, k, q, a, tau, 1, m);
}
static bool ormqr(tj_dtype dtype, int64_t batches, int64_t m, int64_t n, int64_t k, const void *a, const void *tau, void *c, bool left,
                  bool adjoint) {
  FLOAT_ONLY("ormqr");
  /* Q C takes the last reflector first; C Q is the transposition of Q^T C^T */
  const reflecting r = {.first = left == adjoint};
  return left ? reflect(r, batches, m, n, k, c, a, tau, 1, m) : reflect(r, batches, n, m, k, c, a, tau, m, 1);
}

/* ---- L D L^T ---------------------------------------------------------------------------------------------------- */

/* Parameters: 0 matrices, 1 n. Operands: a, pivots, info. An invocation a matrix: the algorithm of the CPU, step by step. */
static void ldl_body(tj__text *t, const void *context) {
  (void)context;
  tj__put_code(t, "var<private> base: u32;\nfn A(i: u32, j: u32) -> f32 { return ld0(base + i + j * $1); }\n"
                  "fn put(i: u32, j: u32, v: f32) { st0(base + i + j * $1, v); }\n"
                  "fn swap_(i: u32, j: u32, p: u32, q: u32) { let x = A(i, j); put(i, j, A(p, q)); put(p, q, x); }\n");
  tj__put_code(t,
               TJ__FLAT "  let n = $1;\n  base = i * n * n;\n  var bad = 0;\n  var k = 0u;\n  while (k < n) {\n"
                        "    var step = 1u;\n    var kp = k;\n    let diagonal = abs_f(A(k, k));\n    var imax = k;\n    var most = 0.0;\n"
                        "    for (var q = k + 1u; q < n; q += 1u) {\n      let v = abs_f(A(q, k));\n"
                        "      if (q == k + 1u || v > most) { most = v; imax = q; }\n    }\n"
                        "    if (!(diagonal > 0.0 || most > 0.0)) {\n      if (bad == 0) { bad = i32(k) + 1; }\n    } else {\n"
                        "      if (diagonal < 0.6403882032022076 * most) {\n        var across = 0.0;\n"
                        "        for (var j = k; j < imax; j += 1u) { across = max(across, abs_f(A(imax, j))); }\n"
                        "        for (var q = imax + 1u; q < n; q += 1u) { across = max(across, abs_f(A(q, imax))); }\n"
                        "        if (diagonal >= 0.6403882032022076 * most * (most / across)) { kp = k; }\n"
                        "        else { kp = imax; if (abs_f(A(imax, imax)) < 0.6403882032022076 * across) { step = 2u; } }\n      }\n"
                        "      let kk = k + step - 1u;\n      if (kp != kk) {\n"
                        "        for (var q = kp + 1u; q < n; q += 1u) { swap_(q, kk, q, kp); }\n"
                        "        for (var j = kk + 1u; j < kp; j += 1u) { swap_(j, kk, kp, j); }\n        swap_(kk, kk, kp, kp);\n"
                        "        if (step == 2u) { swap_(k + 1u, k, kp, k); }\n      }\n");
  tj__put_code(
      t, "      if (step == 1u) {\n        let r = div_f(1.0, A(k, k));\n        for (var j = k + 1u; j < n; j += 1u) {\n"
         "          let f = r * A(j, k);\n          for (var q = j; q < n; q += 1u) { put(q, j, fma(-A(q, k), f, A(q, j))); }\n        }\n"
         "        for (var q = k + 1u; q < n; q += 1u) { put(q, k, A(q, k) * r); }\n      } else {\n"
         "        let p = A(k, k);\n        let q = A(k + 1u, k);\n        let s = A(k + 1u, k + 1u);\n        let det = p * s - q * q;\n"
         "        for (var j = k + 2u; j < n; j += 1u) {\n          let x = A(j, k);\n          let y = A(j, k + 1u);\n"
         "          let u = div_f(x * s - y * q, det);\n          let w = div_f(y * p - x * q, det);\n"
         "          for (var z = j; z < n; z += 1u) { put(z, j, A(z, j) - A(z, k) * u - A(z, k + 1u) * w); }\n"
         "          put(j, k, u);\n          put(j, k + 1u, w);\n        }\n      }\n    }\n"
         "    if (step == 1u) { st1(i * n + k, i32(kp) + 1); }\n"
         "    else { st1(i * n + k, -i32(kp) - 1); st1(i * n + k + 1u, -i32(kp) - 1); }\n    k += step;\n  }\n  st2(i, bad);\n}\n");
}
static bool ldl(tj_dtype dtype, int64_t batches, int64_t n, void *a, int32_t *pivots, int32_t *info, bool hermitian) {
  (void)hermitian;
  FLOAT_ONLY("ldl_factor");
  if (n == 0) return tj__gpu_no_failures(info, batches);
  tj__gpu_kernel k;
  tj__gpu_kernel_begin(&k, ldl_body, NULL, "ldl");
  tj__gpu_param(&k, batches), tj__gpu_param(&k, n);
  tj__gpu_operand_add(&k, a, dtype, true);
  tj__gpu_operand_add(&k, pivots, TJ_INT32, true);
  tj__gpu_operand_add(&k, info, TJ_INT32, true);
  return tj__gpu_launch_flat(&k, batches);
}

/* Parameters: 0 columns of all, 1 n, 2 columns of one. Operands: b, a, pivots. */
static void ldl_solve_body(tj__text *t, const void *context) {
  (void)context;
  tj__put_code(t, "var<private> base: u32;\nvar<private> at: u32;\nfn A(i: u32, j: u32) -> f32 { return ld1(base + i + j * $1); }\n"
                  "fn swap_(p: u32, q: u32) { let x = ld0(at + p); st0(at + p, ld0(at + q)); st0(at + q, x); }\n");
  tj__put_code(t, TJ__FLAT "  let n = $1;\n  let matrix = i / $2;\n  base = matrix * n * n;\n  at = i * n;\n");
  tj__put(t,
          "  for (var q = 0u; q < n; q += 1u) {\n    let p = ld2(matrix * n + q);\n"
          "    if (p == 0 || abs(p) > $i1 || (p < 0 && q + 1u == n && ld2(matrix * n + max(q, 1u) - 1u) != p)) {\n"
          "      leave_error(%du, bitcast<u32>(p), $1);\n      return;\n    }\n  }\n",
          TJ__GPU_LDL_PIVOT);
  tj__put_code(
      t,
      "  var k = 0u;\n  while (k < n) {\n    let pivot = ld2(matrix * n + k);\n    let step = select(2u, 1u, pivot > 0 || k + 1u == n);\n"
      "    let kp = u32(abs(pivot)) - 1u;\n    if (kp != k + step - 1u) { swap_(k + step - 1u, kp); }\n"
      "    for (var s = k; s < k + step; s += 1u) {\n"
      "      for (var q = k + step; q < n; q += 1u) { st0(at + q, fma(-A(q, s), ld0(at + s), ld0(at + q))); }\n    }\n"
      "    if (step == 1u) { st0(at + k, div_f(ld0(at + k), A(k, k))); }\n    else {\n"
      "      let p = A(k, k);\n      let q = A(k + 1u, k);\n      let s = A(k + 1u, k + 1u);\n      let det = p * s - q * q;\n"
      "      let x = ld0(at + k);\n      let y = ld0(at + k + 1u);\n      st0(at + k, div_f(s * x - q * y, det));\n"
      "      st0(at + k + 1u, div_f(p * y - q * x, det));\n    }\n    k += step;\n  }\n"
      "  while (k > 0u) {\n    let last = k - 1u;\n    let pivot = ld2(matrix * n + last);\n"
      "    let first = select(max(last, 1u) - 1u, last, pivot > 0);\n    let kp = u32(abs(pivot)) - 1u;\n"
      "    for (var s = first; s <= last; s += 1u) {\n"
      "      for (var q = last + 1u; q < n; q += 1u) { st0(at + s, fma(-A(q, s), ld0(at + q), ld0(at + s))); }\n    }\n"
      "    if (kp != last) { swap_(last, kp); }\n    k = first;\n  }\n}\n");
}
static bool ldl_solve(tj_dtype dtype, int64_t batches, int64_t n, int64_t columns, const void *a, const int32_t *pivots, void *b,
                      bool hermitian) {
  (void)hermitian;
  FLOAT_ONLY("ldl_solve");
  tj__gpu_kernel k;
  tj__gpu_kernel_begin(&k, ldl_solve_body, NULL, "ldl solve");
  k.errors = true;
  tj__gpu_param(&k, batches * columns), tj__gpu_param(&k, n), tj__gpu_param(&k, columns);
  tj__gpu_operand_add(&k, b, dtype, true);
  tj__gpu_operand_add(&k, a, dtype, false);
  tj__gpu_operand_add(&k, pivots, TJ_INT32, false);
  return tj__gpu_launch_flat(&k, batches * columns);
}

/* ---- failures --------------------------------------------------------------------------------------------------- */

/* Parameters: 0 one, 1 elements, 2 the code. The first failure: a single invocation looks. */
static void check_body(tj__text *t, const void *context) {
  (void)context;
  tj__put_code(t, TJ__FLAT "  for (var q = 0u; q < $1; q += 1u) {\n"
                           "    let v = ld0(q);\n    if (v != 0) { leave_error($2, q, bitcast<u32>(v)); break; }\n  }\n}\n");
}
static bool check(const tj_tensor *info, const char *message) {
  const int64_t code = tj__gpu_message(message);
  if (!code || info->numel == 0) return code != 0;
  tj__gpu_kernel k;
  tj__gpu_kernel_begin(&k, check_body, NULL, "check");
  k.errors = true;
  tj__gpu_param(&k, 1), tj__gpu_param(&k, info->numel), tj__gpu_param(&k, code);
  tj__gpu_operand_add(&k, tj__read(info), TJ_INT32, false);
  return tj__gpu_launch_flat(&k, 1);
}

const tj__linalg_kernels tj__webgpu_linalg = {cholesky, lu, swap_rows, solve_triangular, geqrf, orgqr, ormqr, ldl, ldl_solve, check};
