/* resample.c: interpolation, padding by index and their gradients: the table of taps goes to the device. */
#include "../kernels/resample.h"

#include "families.h"
#include "kernel.h"

typedef struct taps_kind {
  bool weights, real, rounds;
  const char *type;
} taps_kind;

/* Parameters: 0 elements, 1 n_in, 2 n_out, 3 inner, 4 where the indices begin. Operands: out, in, table, weights. */
static void body(tj__text *t, const void *context) {
  const taps_kind *k = context;
  tj__put_code(t, TJ__FLAT);
  tj__put(t,
          "  let b = i %% $3;\n  let o = i / $3 %% $2;\n  let a = i / $3 / $2;\n  var total = %s();\n"
          "  for (var j = ld2(o); j < ld2(o + 1u); j += 1) {\n    let x = ld1((a * $1 + u32(ld2($4 + u32(j)))) * $3 + b);\n    total += "
          "%s;\n  }\n",
          k->weights && !k->real ? "f32" : k->type, k->weights ? (k->real ? "x * ld3(u32(j))" : "f32(x) * ld3(u32(j))") : "x");
  tj__put(t, "  st0(i, %s);\n}\n", k->rounds ? "i32(clamp(round(total), 0.0, 255.0))" : "total");
}

static void combine(const tj__taps *taps, tj_dtype dtype, const void *in, void *out) {
  const int64_t all = taps->outer * taps->n_out * taps->inner, n = taps->first[taps->n_out];
  if (all == 0) return;
  int64_t *table = tj__alloc((size_t)(taps->n_out + 1 + n) * sizeof *table);
  if (!table) return;
  memcpy(table, taps->first, (size_t)(taps->n_out + 1) * sizeof *table);
  memcpy(table + taps->n_out + 1, taps->index, (size_t)n * sizeof *table);
  const void *on_device = tj__gpu_table(table, taps->n_out + 1 + n), *weights = NULL;
  tj__free(table, (size_t)(taps->n_out + 1 + n) * sizeof *table);
  if (!on_device || (taps->weight && n && !(weights = tj__gpu_weights(taps->weight, n)))) return;
  const bool real = tj__gpu_letter(dtype) != 'i';
  const taps_kind kind = {weights != NULL, real, weights && !real, tj__gpu_type(dtype)};
  tj__gpu_kernel k;
  tj__gpu_kernel_begin(&k, body, &kind, "resample %d", kind.weights);
  k.complex = true;
  tj__gpu_param(&k, all), tj__gpu_param(&k, taps->n_in), tj__gpu_param(&k, taps->n_out), tj__gpu_param(&k, taps->inner);
  tj__gpu_param(&k, taps->n_out + 1);
  tj__gpu_operand_add(&k, out, dtype, true);
  tj__gpu_operand_add(&k, in ? in : out, dtype, false);
  tj__gpu_operand_add(&k, on_device, TJ_INT32, false);
  if (weights) tj__gpu_operand_add(&k, weights, TJ_FLOAT32, false);
  tj__gpu_launch_flat(&k, all);
}

const tj__resample_kernels tj__webgpu_resample = {.combine = combine};
