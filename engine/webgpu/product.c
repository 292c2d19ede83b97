/* product.c: tiles in the workgroup's memory, a block of results an invocation. Every result sums its products in an order that depends on the
 * sizes alone. */
#include "product.h"

#define DEPTH 16
#define MOST_SPLITS 64

void tj__product_plan(tj__product *p) {
  p->block = p->m >= 48 && p->n >= 48 ? 4 : 1;
  const int64_t tile = 16 * p->block, tiles = (p->m + tile - 1) / tile * ((p->n + tile - 1) / tile) * p->depth;
  p->splits = 1;
  if (tiles < 64 && p->k >= 1024) p->splits = TJ__MIN(TJ__MIN(p->k / 256, (128 + tiles - 1) / tiles), MOST_SPLITS);
}

void tj__product_params(tj__gpu_kernel *k, const tj__product *p) {
  const int64_t piece = p->splits > 1 ? (p->k + p->splits - 1) / p->splits : p->k;
  const int64_t numbers[] = {p->m, p->n, p->k, p->depth, piece, 0};
  for (int i = 0; i < 6; i++) tj__gpu_param(k, numbers[i]);
}

int tj__product_key(const tj__product *p) { return p->real + 2 * p->a_by_row + 4 * p->b_by_k + 8 * (p->block == 4) + 16 * (p->splits > 1); }

void tj__product_body(tj__text *t, const tj__product *p) {
  const char *T = p->real ? "f32" : "i32", *zero = p->real ? "0.0" : "0";
  const int block = p->block, tile = 16 * block;
  tj__put(t, "var<workgroup> ta: array<%s, %d>;\nvar<workgroup> tb: array<%s, %d>;\n", T, DEPTH * tile, T, DEPTH * tile);
  tj__put(t,
          "@compute @workgroup_size(16, 16)\n"
          "fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) li: "
          "u32) {\n"
          "  let row0 = wg.y * %du;\n  let col0 = wg.x * %du;\n  let z = wg.z %% $3;\n  let piece = wg.z / $3;\n",
          tile, tile);
  tj__put(t, "  let k_begin = piece * $4;\n  let k_end = min(k_begin + $4, $2);\n");
  for (int q = 0; q < block * block; q++) tj__put(t, "  var acc%d = %s;\n", q, zero);
  tj__put(t, "  for (var k0 = k_begin; k0 < k_end; k0 += %du) {\n", DEPTH);
  tj__put(t, "    for (var q = li; q < %du; q += 256u) {\n", DEPTH * tile);
  if (p->a_by_row) tj__put(t, "      let r = q %% %du;\n      let kk = q / %du;\n", tile, tile);
  else tj__put(t, "      let kk = q %% %du;\n      let r = q / %du;\n", DEPTH, DEPTH);
  tj__put(t,
          "      var v = %s;\n      if (row0 + r < $0 && k0 + kk < k_end) { v = la(z, row0 + r, k0 + kk); }\n      ta[kk * %du + r] = v;\n "
          "   }\n",
          zero, tile);
  tj__put(t, "    for (var q = li; q < %du; q += 256u) {\n", DEPTH * tile);
  if (p->b_by_k) tj__put(t, "      let kk = q %% %du;\n      let c = q / %du;\n", DEPTH, DEPTH);
  else tj__put(t, "      let c = q %% %du;\n      let kk = q / %du;\n", tile, tile);
  tj__put(t,
          "      var v = %s;\n      if (col0 + c < $1 && k0 + kk < k_end) { v = lb(z, k0 + kk, col0 + c); }\n      tb[kk * %du + c] = v;\n "
          "   }\n",
          zero, tile);
  tj__put(t, "    workgroupBarrier();\n    for (var kk = 0u; kk < %du; kk += 1u) {\n", DEPTH);
  for (int i = 0; i < block; i++) tj__put(t, "      let a%d = ta[kk * %du + id.y + %du];\n", i, tile, 16 * i);
  for (int j = 0; j < block; j++) tj__put(t, "      let v%d = tb[kk * %du + id.x + %du];\n", j, tile, 16 * j);
  for (int i = 0; i < block; i++)
    for (int j = 0; j < block; j++)
      if (p->real) tj__put(t, "      acc%d = fma(a%d, v%d, acc%d);\n", i * block + j, i, j, i * block + j);
      else tj__put(t, "      acc%d += a%d * v%d;\n", i * block + j, i, j);
  tj__put(t, "    }\n    workgroupBarrier();\n  }\n");
  for (int i = 0; i < block; i++)
    for (int j = 0; j < block; j++)
      tj__put(t, "  if (row0 + id.y + %du < $0 && col0 + id.x + %du < $1) { out(wg.z, row0 + id.y + %du, col0 + id.x + %du, acc%d); }\n",
              16 * i, 16 * j, 16 * i, 16 * j, i * block + j);
  tj__put(t, "}\n");
}

bool tj__product_launch(tj__gpu_kernel *k, const tj__product *p) {
  const int64_t tile = 16 * p->block;
  return tj__gpu_launch(k, (p->n + tile - 1) / tile, (p->m + tile - 1) / tile, p->depth * p->splits);
}
