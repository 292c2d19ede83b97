/* mode.c: the most frequent element of a line, the smallest of those: a workgroup a line, an invocation a candidate at a time. */
#include "families.h"
#include "kernel.h"

/* Parameters: 0 lines, 1 n, 2 inner. Operands: values, indices, in. NaN equals NaN, and is larger than any number. */
static void body(tj__text *t, const void *context) {
  const bool real = *(const bool *)context;
  const char *T = real ? "f32" : "i32";
  tj__put(t, "fn same(a: %s, b: %s) -> bool { return %s; }\n", T, T,
          real ? "select(a == b, isnan_f(a) && isnan_f(b), isnan_f(a) || isnan_f(b))" : "a == b");
  tj__put(t, "fn less(a: %s, b: %s) -> bool { return %s; }\n", T, T, real ? "select(a < b, !isnan_f(a), isnan_f(b))" : "a < b");
  tj__put(t, "var<workgroup> counts: array<u32, 64>;\nvar<workgroup> places: array<u32, 64>;\n");
  tj__put_code(t, TJ__GROUPS(64));
  tj__put_code(t,
               "  let base = row / $2 * $1 * $2 + row % $2;\n  var most = 0u;\n  var at = 0u;\n"
               "  for (var j = li; j < $1; j += 64u) {\n    let x = ld2(base + j * $2);\n    var count = 0u;\n    var last = j;\n"
               "    for (var q = 0u; q < $1; q += 1u) { if (same(x, ld2(base + q * $2))) { count += 1u; last = q; } }\n"
               "    if (count > most || (count == most && less(x, ld2(base + at * $2)))) { most = count; at = last; }\n  }\n"
               "  counts[li] = most;\n  places[li] = at;\n  workgroupBarrier();\n  if (li != 0u) { return; }\n"
               "  for (var q = 1u; q < min(64u, $1); q += 1u) {\n"
               "    if (counts[q] > most || (counts[q] == most && less(ld2(base + places[q] * $2), ld2(base + at * $2)))) {\n"
               "      most = counts[q];\n      at = places[q];\n    }\n  }\n  st0(row, ld2(base + at * $2));\n  st1(row, i32(at));\n}\n");
}
bool tj__gpu_mode(tj_tensor *values, tj_tensor *indices, const tj_tensor *in, int64_t outer, int64_t n, int64_t inner) {
  const bool real = tj__gpu_is_float((tj_dtype)in->dtype);
  if (outer * n * inner == 0) return true;
  tj__gpu_kernel k;
  tj__gpu_kernel_begin(&k, body, &real, "mode");
  tj__gpu_param(&k, outer * inner), tj__gpu_param(&k, n), tj__gpu_param(&k, inner);
  tj__gpu_operand_add(&k, tj__write(values), (tj_dtype)values->dtype, true);
  tj__gpu_operand_add(&k, tj__write(indices), (tj_dtype)indices->dtype, true);
  tj__gpu_operand_add(&k, tj__read(in), (tj_dtype)in->dtype, false);
  return tj__gpu_launch_groups(&k, outer * inner);
}
