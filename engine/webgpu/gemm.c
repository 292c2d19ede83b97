/* gemm.c: matrix products: tiles in the workgroup's memory, a block of 4 x 4 results an invocation; small ones with one result each. */
#include "../kernels/gemm.h"

#include "families.h"
#include "kernel.h"

typedef struct product {
  bool real, scaled, adds; /* alpha is not 1; beta is not 0 */
  int tile, block;         /* results of a workgroup along one side; of an invocation */
} product;

#define DEPTH 16

/* Parameters: 0 m, 1 n, 2 k, 3 a_row, 4 a_col, 5 a_batch, 6 b_row, 7 b_col, 8 b_batch, 9 c_row, 10 c_col, 11 c_batch, 12 alpha, 13 beta. */
static void body(tj__text *t, const void *context) {
  const product *p = context;
  const char *T = p->real ? "f32" : "i32", *zero = p->real ? "0.0" : "0";
  const int tile = p->tile, block = p->block;
  tj__put(t, "var<workgroup> ta: array<%s, %d>;\nvar<workgroup> tb: array<%s, %d>;\n", T, DEPTH * tile, T, DEPTH * tile);
  tj__put(t,
          "@compute @workgroup_size(16, 16)\n"
          "fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) li: u32) {\n"
          "  let row0 = wg.y * %du;\n  let col0 = wg.x * %du;\n  let abase = wg.z * $5;\n  let bbase = wg.z * $8;\n"
          "  var acc: array<%s, %d>;\n  for (var q = 0u; q < %du; q += 1u) { acc[q] = %s; }\n"
          "  for (var k0 = 0u; k0 < $2; k0 += %du) {\n",
          tile, tile, T, block * block, block * block, zero, DEPTH);
  /* neighbours in memory are loaded by neighbours: along k or along the side, whichever has the smaller stride */
  tj__put(t,
          "    for (var q = li; q < %du; q += 256u) {\n"
          "      var kk = q %% %du;\n      var r = q / %du;\n"
          "      if ($4 != 1u) { r = q %% %du; kk = q / %du; }\n"
          "      let row = row0 + r;\n      var v = %s;\n"
          "      if (row < $0 && k0 + kk < $2) { v = ld1(abase + row * $3 + (k0 + kk) * $4); }\n"
          "      ta[kk * %du + r] = v;\n    }\n",
          DEPTH * tile, DEPTH, DEPTH, tile, tile, zero, tile);
  tj__put(t,
          "    for (var q = li; q < %du; q += 256u) {\n"
          "      var c = q %% %du;\n      var kk = q / %du;\n"
          "      if ($6 == 1u && $7 != 1u) { kk = q %% %du; c = q / %du; }\n"
          "      let col = col0 + c;\n      var v = %s;\n"
          "      if (col < $1 && k0 + kk < $2) { v = ld2(bbase + (k0 + kk) * $6 + col * $7); }\n"
          "      tb[kk * %du + c] = v;\n    }\n    workgroupBarrier();\n",
          DEPTH * tile, tile, tile, DEPTH, DEPTH, zero, tile);
  tj__put(t, "    for (var kk = 0u; kk < %du; kk += 1u) {\n", DEPTH);
  for (int i = 0; i < block; i++) tj__put(t, "      let a%d = ta[kk * %du + id.y + %du];\n", i, tile, 16 * i);
  for (int j = 0; j < block; j++) tj__put(t, "      let b%d = tb[kk * %du + id.x + %du];\n", j, tile, 16 * j);
  for (int i = 0; i < block; i++)
    for (int j = 0; j < block; j++)
      if (p->real) tj__put(t, "      acc[%d] = fma(a%d, b%d, acc[%d]);\n", i * block + j, i, j, i * block + j);
      else tj__put(t, "      acc[%d] += a%d * b%d;\n", i * block + j, i, j);
  tj__put(t, "    }\n    workgroupBarrier();\n  }\n");
  for (int i = 0; i < block; i++)
    for (int j = 0; j < block; j++) {
      const char kind = p->real ? 'f' : 'i';
      tj__put(t, "  { let row = row0 + id.y + %du; let col = col0 + id.x + %du;\n    if (row < $0 && col < $1) {\n", 16 * i, 16 * j);
      tj__put(t, "      let at = wg.z * $11 + row * $9 + col * $10;\n      var v = acc[%d];\n", i * block + j);
      if (p->scaled) tj__put(t, "      v = v * $%c12;\n", kind);
      if (p->adds) tj__put(t, "      v = v + ld0(at) * $%c13;\n", kind);
      tj__put(t, "      st0(at, v);\n    } }\n");
    }
  tj__put(t, "}\n");
}

static bool gemm(const tj__gemm_args *g) {
  if (g->batches * g->m * g->n == 0) return true;
  product p = {.real = tj__gpu_is_float(g->dtype), .scaled = !tj__scalar_equals(g->alpha, 1), .adds = !tj__scalar_is_zero(g->beta)};
  const bool large = g->m >= 48 && g->n >= 48;
  p.block = large ? 4 : 1;
  p.tile = 16 * p.block;
  tj__gpu_kernel k;
  const int64_t z_most = tj__gpu_limits_of()->groups;
  for (int64_t first = 0; first < g->batches; first += z_most) {
    const int64_t batches = TJ__MIN(g->batches - first, z_most), size = (int64_t)tj__dtype_sizes[g->dtype];
    tj__gpu_kernel_begin(&k, body, &p, "gemm %d%d%d.%d", p.real, p.scaled, p.adds, p.block);
    const int64_t numbers[] = {g->m,       g->n,       g->k,     g->a_row, g->a_col, g->a_batch,
                               g->b_row,   g->b_col,   g->b_batch, g->c_row, g->c_col, g->c_batch};
    for (int i = 0; i < 12; i++) tj__gpu_param(&k, numbers[i]);
    if (p.real) tj__gpu_param_float(&k, tj__scalar_to_double(g->alpha)), tj__gpu_param_float(&k, tj__scalar_to_double(g->beta));
    else tj__gpu_param(&k, tj__scalar_to_int(g->alpha)), tj__gpu_param(&k, tj__scalar_to_int(g->beta));
    tj__gpu_operand_add(&k, (char *)g->c + first * g->c_batch * size, g->dtype, true);
    const bool nothing = g->k == 0; /* A and B have no elements: C stands in for them, and is not read */
    tj__gpu_operand_add(&k, nothing ? g->c : (const char *)g->a + first * g->a_batch * size, g->dtype, false);
    tj__gpu_operand_add(&k, nothing ? g->c : (const char *)g->b + first * g->b_batch * size, g->dtype, false);
    if (!tj__gpu_launch(&k, (g->n + p.tile - 1) / p.tile, (g->m + p.tile - 1) / p.tile, batches)) return false;
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
  const tj__gemm_args g = {.dtype = dtype, .batches = 1, .m = 1, .n = 1, .k = n, .a = a, .a_row = 1, .a_col = a_stride, .b = b,
                           .b_row = b_stride, .b_col = 1, .c = out, .c_row = 1, .c_col = 1, .alpha = tj_int(1), .beta = tj_int(0)};
  gemm(&g);
}

const tj__gemm_kernels tj__webgpu_gemm = {.gemm = gemm, .implicit = implicit, .dot = dot};
