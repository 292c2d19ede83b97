/* gemm.c: matrix products over any strides. */
#include "../kernels/gemm.h"

#include "../kernels/reduce.h"
#include "families.h"
#include "product.h"

typedef struct matrices {
  tj__product p;
  bool scaled, adds, starts; /* alpha is not 1; beta is not 0, and of what else than C */
} matrices;

/* Parameters from 17: start_row, start_col, start_batch. From 6: a_row, a_col, a_batch, b_row, b_col, b_batch, c_row, c_col, c_batch, alpha, beta. */
static void body(tj__text *t, const void *context) {
  const matrices *m = context;
  const char *T = m->p.real ? "f32" : "i32";
  const char kind = m->p.real ? 'f' : 'i';
  tj__put(t, "fn la(z: u32, r: u32, k: u32) -> %s { return ld1(z * $8 + r * $6 + k * $7); }\n", T);
  tj__put(t, "fn lb(z: u32, k: u32, c: u32) -> %s { return ld2(z * $11 + k * $9 + c * $10); }\n", T);
  tj__put(t, "fn out(z: u32, r: u32, c: u32, v: %s) {\n  let at = z * $14 + r * $12 + c * $13;\n  var w = v;\n", T);
  if (m->scaled) tj__put(t, "  w = w * $%c15;\n", kind);
  if (m->starts) tj__put(t, "  w = w + ld3(z * $19 + r * $17 + c * $18) * $%c16;\n", kind);
  else if (m->adds) tj__put(t, "  w = w + ld0(at) * $%c16;\n", kind);
  tj__put(t, "  st0(at, w);\n}\n");
  tj__product_body(t, &m->p);
}

static bool launch(matrices *m, const tj__gemm_args *g, const void *a, const void *b, void *c, tj_dtype c_dtype, const int64_t *c_strides) {
  tj__gpu_kernel k;
  tj__gpu_kernel_begin(&k, body, m, "gemm %d.%d%d%d", tj__product_key(&m->p), m->scaled, m->adds, m->starts);
  tj__product_params(&k, &m->p);
  const int64_t numbers[] = {g->a_row, g->a_col, g->a_batch, g->b_row, g->b_col, g->b_batch, c_strides[0], c_strides[1], c_strides[2]};
  for (int i = 0; i < 9; i++) tj__gpu_param(&k, numbers[i]);
  if (m->p.real) tj__gpu_param_float(&k, tj__scalar_to_double(g->alpha)), tj__gpu_param_float(&k, tj__scalar_to_double(g->beta));
  else tj__gpu_param(&k, tj__scalar_to_int(g->alpha)), tj__gpu_param(&k, tj__scalar_to_int(g->beta));
  tj__gpu_operand_add(&k, c, c_dtype, true);
  tj__gpu_operand_add(&k, a, g->dtype, false);
  tj__gpu_operand_add(&k, b, g->dtype, false);
  if (m->starts) {
    tj__gpu_param(&k, g->start_row), tj__gpu_param(&k, g->start_col), tj__gpu_param(&k, g->start_batch);
    tj__gpu_operand_add(&k, g->start, g->dtype, false);
  }
  return tj__product_launch(&k, &m->p);
}

static bool gemm(const tj__gemm_args *g) {
  if (g->batches * g->m * g->n == 0) return true;
  matrices m = {.p = {.real = tj__gpu_is_float(g->dtype), .m = g->m, .n = g->n, .k = g->k, .depth = g->batches}};
  m.p.a_by_row = g->a_col != 1 && g->a_row == 1;
  m.p.b_by_k = g->b_row == 1 && g->b_col != 1;
  m.scaled = !tj__scalar_equals(g->alpha, 1);
  m.adds = !tj__scalar_is_zero(g->beta);
  m.starts = m.adds && g->start;
  tj__product_plan(&m.p);
  const bool nothing = g->k == 0; /* A and B have no elements: C stands in for them, and is not read */
  const char *a = nothing ? g->c : g->a, *b = nothing ? g->c : g->b;
  const int64_t c_strides[] = {g->c_row, g->c_col, g->c_batch}, size = (int64_t)tj__dtype_sizes[g->dtype];
  if (m.p.splits > 1 && m.p.real && !m.adds && !m.scaled && g->c_col == 1 && g->c_row == g->n &&
      (g->batches == 1 || g->c_batch == g->m * g->n)) {
    const int64_t all = g->batches * g->m * g->n, parts[] = {g->n, 1, g->m * g->n};
    tj_tensor *sums = tj__empty(TJ_INTS(m.p.splits, all), TJ_FLOAT32, TJ_WEBGPU(0));
    if (!sums) return false;
    /* z counts pieces and batches; A and B are asked for the batch alone, `out` for both */
    if (!launch(&m, g, a, b, tj__write(sums), TJ_FLOAT32, parts)) return false;
    return tj__gpu_add_up(tj__read(sums), m.p.splits, all, g->c, g->dtype);
  }
  m.p.splits = 1;
  const int64_t most = tj__gpu_limits_of()->groups;
  TJ__CHECK(g->batches <= most || !m.starts, TJ_ERROR_RUNTIME, "webgpu: a sum of %lld products with a tensor is too many at once",
            (long long)g->batches);
  for (int64_t first = 0; first < g->batches; first += most) {
    m.p.depth = TJ__MIN(g->batches - first, most);
    if (!launch(&m, g, a + first * g->a_batch * size, b + first * g->b_batch * size, (char *)g->c + first * g->c_batch * size, g->dtype,
                c_strides))
      return false;
  }
  return true;
}

static bool implicit(const tj__gemm_implicit *args) {
  (void)args;
  return tj__gpu_missing("implicit product");
}

/* A product of a row and a column; a failure stays as the thread's error. */
static void dot(tj_dtype dtype, int64_t n, const void *a, int64_t a_stride, const void *b, int64_t b_stride, bool conj, void *out) {
  (void)conj;
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
  gemm(&g);
}

const tj__gemm_kernels tj__webgpu_gemm = {.starts = true, .gemm = gemm, .implicit = implicit, .dot = dot};
