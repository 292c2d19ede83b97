/* gemm.c: matrix products over any strides. */
#include "../kernels/gemm.h"

#include "../kernels/reduce.h"
#include "families.h"
#include "product.h"

typedef struct matrices {
  tj__product p;
  bool scaled, adds, starts;          /* alpha is not 1; beta is not 0, and of what else than C */
  bool start_vector;                  /* four numbers of it can be read at once */
  enum { NO_LINE, ROW, COLUMN } line; /* C is one: every number of the matrix is read once, as it lies in memory */
} matrices;

/* The matrix of a line: la4 or lb4; its other size, and where its neighbours lie. */
static const char *other_size(const matrices *m) { return m->line == ROW ? "$1" : "$0"; }
static bool along_k(const matrices *m) { return m->line == ROW ? m->p.b_by_k : !m->p.a_by_row; }

/* Neighbours along k: a workgroup a result, four products at a time. Else: 32 results a workgroup, whose invocations share k. */
static void line_body(tj__text *t, const matrices *m) {
  const bool row = m->line == ROW;
  const char *four = row ? "lb4(z, k, j)" : "la4(z, j, k)", *n = other_size(m);
  const char *at[] = {"k", "k + 1u", "k + 2u", "k + 3u"};
  const int group = along_k(m) ? 64 : 256;
  tj__put(t, "var<workgroup> shared_: array<%s, %d>;\n", along_k(m) ? "f32" : "vec4<f32>", group);
  tj__put(
      t,
      "@compute @workgroup_size(%d)\n"
      "fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) nw: vec3<u32>, @builtin(local_invocation_index) li: u32) {\n"
      "  let each = (%s + %du) / %du;\n  let index = wg.x + wg.y * nw.x;\n  if (index >= each * $3) { return; }\n  let z = index / each;\n"
      "  var acc4 = vec4<f32>();\n",
      group, n, along_k(m) ? 0 : 31, along_k(m) ? 1 : 32);
  if (along_k(m)) {
    tj__put(t, "  let j = index %% each;\n  for (var k = li * 4u; k < $2; k += 256u) {\n    acc4 = fma(%s, vec4<f32>(", four);
    for (int i = 0; i < 4; i++) {
      if (i) tj__put(t, ", ");
      tj__put(t, row ? "la(z, 0u, %s)" : "lb(z, %s, 0u)", at[i]);
    }
    tj__put(t, "), acc4);\n  }\n  var acc = (acc4.x + acc4.y) + (acc4.z + acc4.w);\n");
    tj__gpu_put_total(t, "acc", "a + b", 64);
    tj__put(t, "  if (li == 0u) { out(z, %s, acc); }\n}\n", row ? "0u, j" : "j, 0u");
    return;
  }
  tj__put(t,
          "  let j = index %% each * 32u + li %% 8u * 4u;\n  if (j < %s) {\n    for (var k = li / 8u; k < $2; k += 32u) { acc4 = fma(%s, "
          "vec4<f32>(%s), acc4); }\n  }\n",
          n, four, row ? "la(z, 0u, k)" : "lb(z, k, 0u)");
  tj__put(t, "  shared_[li] = acc4;\n  workgroupBarrier();\n");
  for (int half = 128; half >= 8; half /= 2)
    tj__put(t, "  if (li < %du) { shared_[li] = shared_[li] + shared_[li + %du]; }\n  workgroupBarrier();\n", half, half);
  tj__put(t, "  if (li >= 8u || j >= %s) { return; }\n  acc4 = shared_[li];\n", n);
  for (int i = 0; i < 4; i++) tj__put(t, row ? "  out(z, 0u, j + %du, acc4.%c);\n" : "  out(z, j + %du, 0u, acc4.%c);\n", i, "xyzw"[i]);
  tj__put(t, "}\n");
}

/* Parameters from 17: start_row, start_col, start_batch. From 6: a_row, a_col, a_batch, b_row, b_col, b_batch, c_row, c_col, c_batch, alpha, beta. */
static void body(tj__text *t, const void *context) {
  const matrices *m = context;
  const char *T = m->p.real ? "f32" : "i32";
  const char kind = m->p.real ? 'f' : 'i';
  if (m->p.a_vector)
    tj__put(t, "fn la4(z: u32, r: u32, k: u32) -> vec4<%s> { return ldv1(z * $8 + %s); }\n", T,
            m->p.a_by_row ? "k * $7 + r" : "r * $6 + k");
  else tj__put(t, "fn la(z: u32, r: u32, k: u32) -> %s { return ld1(z * $8 + r * $6 + k * $7); }\n", T);
  if (m->p.b_vector)
    tj__put(t, "fn lb4(z: u32, k: u32, c: u32) -> vec4<%s> { return ldv2(z * $11 + %s); }\n", T,
            m->p.b_by_k ? "c * $10 + k" : "k * $9 + c");
  else tj__put(t, "fn lb(z: u32, k: u32, c: u32) -> %s { return ld2(z * $11 + k * $9 + c * $10); }\n", T);
  if (m->p.out_vector) {
    tj__put(t, "fn out4(z: u32, r: u32, c: u32, v: vec4<%s>) {\n  let at = z * $14 + r * $12 + c;\n  var w = v;\n", T);
    if (m->scaled) tj__put(t, "  w = w * $%c15;\n", kind);
    if (m->starts) {
      tj__put(t, "  let start = z * $19 + r * $17 + c * $18;\n");
      if (m->start_vector) tj__put(t, "  w = w + ldv3(start) * $%c16;\n", kind);
      else tj__put(t, "  w = w + vec4<%s>(ld3(start), ld3(start + $18), ld3(start + 2u * $18), ld3(start + 3u * $18)) * $%c16;\n", T, kind);
    } else if (m->adds) tj__put(t, "  w = w + ldv0(at) * $%c16;\n", kind);
    tj__put(t, "  stv0(at, w);\n}\n");
  } else {
    tj__put(t, "fn out(z: u32, r: u32, c: u32, v: %s) {\n  let at = z * $14 + r * $12 + c * $13;\n  var w = v;\n", T);
    const bool wide = m->p.wide;
    if (m->scaled) tj__put(t, wide ? "  w = mul_l(w, $%c15);\n" : "  w = w * $%c15;\n", kind);
    if (m->starts)
      tj__put(t,
              wide ? "  w = add_l(w, mul_l(ld3(z * $19 + r * $17 + c * $18), $%c16));\n"
                   : "  w = w + ld3(z * $19 + r * $17 + c * $18) * $%c16;\n",
              kind);
    else if (m->adds) tj__put(t, wide ? "  w = add_l(w, mul_l(ld0(at), $%c16));\n" : "  w = w + ld0(at) * $%c16;\n", kind);
    tj__put(t, "  st0(at, w);\n}\n");
  }
  if (m->line) line_body(t, m);
  else tj__product_body(t, &m->p);
}

static int operand(tj__gpu_kernel *k, const void *address, tj_dtype dtype, bool write, bool vector) {
  return vector ? tj__gpu_operand_vector(k, address, dtype, write) : tj__gpu_operand_add(k, address, dtype, write);
}

/* May rows (or columns) of a matrix be read four numbers at a time? along: the stride and size of the direction whose neighbours are meant. */
static bool by_four(const void *address, tj_dtype dtype, int64_t along, int64_t size, int64_t across, int64_t other, int64_t batch,
                    int64_t batches) {
  return along == 1 && size % 4 == 0 && (across % 4 == 0 || other == 1) && (batch % 4 == 0 || batches == 1) &&
         tj__gpu_aligned(address, dtype);
}

static bool launch(matrices *m, const tj__gemm_args *g, const void *a, const void *b, void *c, tj_dtype c_dtype, const int64_t *c_strides) {
  tj__gpu_kernel k;
  m->p.out_vector = !m->line && tj__product_blocks(&m->p) &&
                    by_four(c, c_dtype, c_strides[1], g->n, c_strides[0], g->m, c_strides[2], m->p.depth * m->p.splits);
  m->start_vector = m->p.out_vector && m->starts && g->start_col == 1 && g->start_row % 4 == 0 && g->start_batch % 4 == 0 &&
                    tj__gpu_aligned(g->start, g->dtype);
  tj__gpu_kernel_begin(&k, body, m, "gemm%s %d.%d%d%d%d",
                       m->line == ROW ? " row"
                       : m->line      ? " column"
                                      : "",
                       tj__product_key(&m->p), m->scaled, m->adds, m->starts, m->start_vector);
  k.errors = m->p.wide;
  tj__product_params(&k, &m->p);
  const int64_t numbers[] = {g->a_row, g->a_col, g->a_batch, g->b_row, g->b_col, g->b_batch, c_strides[0], c_strides[1], c_strides[2]};
  for (int i = 0; i < 9; i++) tj__gpu_param(&k, numbers[i]);
  if (m->p.real) tj__gpu_param_float(&k, tj__scalar_to_double(g->alpha)), tj__gpu_param_float(&k, tj__scalar_to_double(g->beta));
  else tj__gpu_param(&k, tj__scalar_to_int(g->alpha)), tj__gpu_param(&k, tj__scalar_to_int(g->beta));
  operand(&k, c, c_dtype, true, m->p.out_vector);
  operand(&k, a, g->dtype, false, m->p.a_vector);
  operand(&k, b, g->dtype, false, m->p.b_vector);
  if (m->starts) {
    tj__gpu_param(&k, g->start_row), tj__gpu_param(&k, g->start_col), tj__gpu_param(&k, g->start_batch);
    operand(&k, g->start, g->dtype, false, m->start_vector);
  }
  if (!m->line) return tj__product_launch(&k, &m->p);
  const int64_t size = m->line == ROW ? g->n : g->m;
  return tj__gpu_launch_groups(&k, (along_k(m) ? size : (size + 31) / 32) * m->p.depth);
}

/* Product kernels whose C shares its buffer with A or B (parts of one tensor) write number by number, and then read so too. */
static bool apart(const tj__gemm_args *g) {
  uint32_t c, other, element;
  if (g->k == 0) return false;
  if (!tj__gpu_locate(g->c, g->dtype, &c, &element)) return false;
  const void *const list[] = {g->a, g->b};
  for (int i = 0; i < 2; i++)
    if (!tj__gpu_locate(list[i], g->dtype, &other, &element) || other == c) return false;
  return true;
}

/* ---- complex numbers ------------------------------------------------------------------------------------------------ */

/* They are products of real ones: C [m, 2 n] and A [m, 2 k] with the parts as neighbours, and a B of [2 k, 2 n] in which x + i y is the block of
 * rows (x, y) and (-y, x). Parameters from 6: strides as above, of A and C in float32; 15: alpha, 17: start_row,
 * start_col, start_batch, 20: beta. */
typedef struct complex_matrices {
  tj__product p;
  bool conj, scaled, adds, starts; /* conj: of A's conjugate */
} complex_matrices;

/* The part of complex number w that column c is of. */
#define PART "  return select(w.x, w.y, (c & 1u) != 0u);\n}\n"

static void complex_body(tj__text *t, const void *context) {
  const complex_matrices *m = context;
  if (m->p.a_vector)
    tj__put(t, "fn la4(z: u32, r: u32, k: u32) -> vec4<f32> { return ldv1(z * $8 + r * $6 + k)%s; }\n",
            m->conj ? " * vec4<f32>(1.0, -1.0, 1.0, -1.0)" : "");
  else
    tj__put(t, "fn la(z: u32, r: u32, k: u32) -> f32 { return ld1(z * $8 + r * $6 + (k >> 1u) * $7 + (k & 1u))%s; }\n",
            m->conj ? " * select(1.0, -1.0, (k & 1u) != 0u)" : "");
  tj__put(t, "fn lb(z: u32, k: u32, c: u32) -> f32 {\n  var w = ld2(z * $11 + (k >> 1u) * $9 + (c >> 1u) * $10);\n");
  if (m->scaled) tj__put(t, "  w = mul_c(w, $c15);\n");
  tj__put(t, "  if ((k & 1u) != 0u) { w = turn_c(w); }\n" PART);
  if (m->starts)
    tj__put(t, "fn start(z: u32, r: u32, c: u32) -> f32 {\n  let w = mul_c(ld3(z * $19 + r * $17 + (c >> 1u) * $18), $c20);\n" PART);
  tj__put(t, "fn out(z: u32, r: u32, c: u32, v: f32) {\n  let at = z * $14 + r * $12 + (c >> 1u) * $13 + (c & 1u);\n  st0(at, v%s);\n}\n",
          m->starts ? " + start(z, r, c)"
          : m->adds ? " + ld0(at) * $f20"
                    : "");
  tj__product_body(t, &m->p);
}

static bool complex_launch(complex_matrices *m, const tj__gemm_args *g, int64_t first, void *c, const int64_t *c_strides) {
  const char *a = (const char *)g->a + first * g->a_batch * 8, *b = (const char *)g->b + first * g->b_batch * 8;
  tj__gpu_kernel k;
  tj__gpu_kernel_begin(&k, complex_body, m, "gemm complex %d.%d%d%d%d", tj__product_key(&m->p), m->conj, m->scaled, m->adds, m->starts);
  k.complex = true;
  tj__product_params(&k, &m->p);
  const int64_t numbers[] = {2 * g->a_row, 2 * g->a_col, 2 * g->a_batch, g->b_row,    g->b_col,
                             g->b_batch,   c_strides[0], c_strides[1],   c_strides[2]};
  for (int i = 0; i < 9; i++) tj__gpu_param(&k, numbers[i]);
  const tj__param alpha = tj__param_of(g->alpha), beta = tj__param_of(g->beta);
  tj__gpu_param_number(&k, TJ_COMPLEX64, &alpha);
  tj__gpu_param(&k, g->start_row), tj__gpu_param(&k, g->start_col), tj__gpu_param(&k, g->start_batch);
  tj__gpu_param_number(&k, TJ_COMPLEX64, &beta);
  tj__gpu_operand_add(&k, c, TJ_FLOAT32, true);
  operand(&k, a, TJ_FLOAT32, false, m->p.a_vector);
  tj__gpu_operand_add(&k, b, TJ_COMPLEX64, false);
  if (m->starts) tj__gpu_operand_add(&k, (const char *)g->start + first * g->start_batch * 8, TJ_COMPLEX64, false);
  return tj__product_launch(&k, &m->p);
}

static bool complex_product(const tj__gemm_args *g, bool conj) {
  const tj__gemm_args all = *g;
  complex_matrices m = {.p = {.real = true, .m = g->m, .n = 2 * g->n, .k = 2 * g->k, .depth = g->batches}, .conj = conj};
  m.scaled = !tj__scalar_equals(g->alpha, 1);
  m.adds = !tj__scalar_is_zero(g->beta);
  m.starts = m.adds && g->start;
  if (m.adds && !m.starts && g->beta.kind == TJ_SCALAR_COMPLEX && g->beta.c.im != 0) return tj__gpu_missing("product, added in place");
  const bool dense = g->c_col == 1 && g->c_row == g->n && (g->batches == 1 || g->c_batch == g->m * g->n);
  m.p.a_by_row = g->a_row == 1 && g->a_col != 1;
  m.p.b_by_k = g->b_row == 1 && (g->b_col != 1 || g->n == 1);
  tj__product_plan(&m.p, !m.adds && dense);
  tj__gemm_args from = all;
  if (g->k == 0) from.a = from.b = g->c; /* not read */
  m.p.a_vector = g->k && g->a_col == 1 && tj__product_blocks(&m.p) &&
                 by_four(g->a, TJ_FLOAT32, 1, 2 * g->k, 2 * g->a_row, g->m, 2 * g->a_batch, g->batches);
  if (m.p.splits > 1) {
    const int64_t numbers = g->batches * g->m * 2 * g->n, parts[] = {2 * g->n, 2, g->m * 2 * g->n};
    tj_tensor *sums = tj__empty(TJ_INTS(m.p.splits, numbers), TJ_FLOAT32, TJ_WEBGPU(0));
    return sums && complex_launch(&m, &from, 0, tj__write(sums), parts) &&
           tj__gpu_add_up(tj__read(sums), m.p.splits, numbers, g->c, TJ_FLOAT32);
  }
  const int64_t strides[] = {2 * g->c_row, 2 * g->c_col, 2 * g->c_batch}, most = tj__gpu_limits_of()->groups;
  for (int64_t first = 0; first < g->batches; first += most) {
    m.p.depth = TJ__MIN(g->batches - first, most);
    if (!complex_launch(&m, &from, first, (char *)g->c + first * g->c_batch * 8, strides)) return false;
  }
  return true;
}

/* --------------------------------------------------------------------------------------------------------------------- */

static bool gemm(const tj__gemm_args *asked) {
  tj__gemm_args args = *asked;
  const tj__gemm_args *g = &args;
  if (tj__scalar_is_zero(g->alpha)) args.k = 0, args.alpha = tj_int(1); /* nothing of A and B, NaN neither */
  if (g->batches * g->m * g->n == 0) return true;
  if (g->dtype == TJ_COMPLEX64) return complex_product(g, false);
  matrices m = {
      .p = {.real = tj__gpu_is_float(g->dtype), .wide = g->dtype == TJ_INT64, .m = g->m, .n = g->n, .k = g->k, .depth = g->batches}};
  m.p.a_by_row = g->a_row == 1 && (g->a_col != 1 || g->k == 1);
  m.p.b_by_k = g->b_row == 1 && (g->b_col != 1 || g->n == 1);
  m.scaled = !tj__scalar_equals(g->alpha, 1);
  m.adds = !tj__scalar_is_zero(g->beta);
  m.starts = m.adds && g->start;
  const int64_t c_strides[] = {g->c_row, g->c_col, g->c_batch}, size = (int64_t)tj__dtype_sizes[g->dtype];
  tj__product_plan(&m.p,
                   m.p.real && !m.adds && !m.scaled && g->c_col == 1 && g->c_row == g->n && (g->batches == 1 || g->c_batch == g->m * g->n));
  const bool row = g->m == 1 && g->n >= 64, column = g->n == 1 && g->m >= 64;
  const bool line = m.p.real && (row || column) && g->k >= 64, four = (line || tj__product_blocks(&m.p)) && apart(g);
  if (four && !(line && row) && (line || !tj__product_by_lanes(&m.p))) /* a row has the other matrix alone read by four */
    m.p.a_vector = m.p.a_by_row ? by_four(g->a, g->dtype, g->a_row, g->m, g->a_col, g->k, g->a_batch, g->batches)
                                : by_four(g->a, g->dtype, g->a_col, g->k, g->a_row, g->m, g->a_batch, g->batches);
  if (four && !(line && column))
    m.p.b_vector = m.p.b_by_k ? by_four(g->b, g->dtype, g->b_row, g->k, g->b_col, g->n, g->b_batch, g->batches)
                              : by_four(g->b, g->dtype, g->b_col, g->n, g->b_row, g->k, g->b_batch, g->batches);
  if (line && (row ? m.p.b_vector : m.p.a_vector)) {
    m.line = row ? ROW : COLUMN;
    m.p.splits = 1;
  } else if (line && !tj__product_blocks(&m.p)) m.p.a_vector = m.p.b_vector = false;
  const bool nothing = g->k == 0; /* A and B have no elements: C stands in for them, and is not read */
  const char *a = nothing ? g->c : g->a, *b = nothing ? g->c : g->b;
  if (m.p.splits > 1) {
    const int64_t all = g->batches * g->m * g->n, parts[] = {g->n, 1, g->m * g->n};
    tj_tensor *sums = tj__empty(TJ_INTS(m.p.splits, all), TJ_FLOAT32, TJ_WEBGPU(0));
    if (!sums) return false;
    /* z counts pieces and batches; A and B are asked for the batch alone, `out` for both */
    if (!launch(&m, g, a, b, tj__write(sums), TJ_FLOAT32, parts)) return false;
    return tj__gpu_add_up(tj__read(sums), m.p.splits, all, g->c, g->dtype);
  }
  const int64_t most = tj__gpu_limits_of()->groups;
  for (int64_t first = 0; first < g->batches; first += most) {
    m.p.depth = TJ__MIN(g->batches - first, most);
    if (!launch(&m, g, a + first * g->a_batch * size, b + first * g->b_batch * size, (char *)g->c + first * g->c_batch * size, g->dtype,
                c_strides))
      return false;
    if (m.starts) args.start = (const char *)args.start + most * args.start_batch * size;
  }
  return true;
}

static bool implicit(const tj__gemm_implicit *args) {
  (void)args;
  return tj__gpu_missing("implicit product");
}

/* A product of a row and a column; a failure stays as the thread's error. */
static void dot(tj_dtype dtype, int64_t n, const void *a, int64_t a_stride, const void *b, int64_t b_stride, bool conj, void *out) {
  const tj__gemm_args g = {.dtype = dtype,
                           .batches = 1,
                           .m = 1,
                           .n = 1,
                           .k = n,
                           .a = a,
                           .a_row = 1,
                           .a_col = a_stride,
                           .b = b,
                           .b_row = b_stride,
                           .b_col = 1,
                           .c = out,
                           .c_row = 1,
                           .c_col = 1,
                           .alpha = tj_int(1),
                           .beta = tj_int(0)};
  if (dtype == TJ_COMPLEX64) complex_product(&g, conj);
  else gemm(&g);
}

const tj__gemm_kernels tj__webgpu_gemm = {.starts = ~0u, .gemm = gemm, .implicit = implicit, .dot = dot};
