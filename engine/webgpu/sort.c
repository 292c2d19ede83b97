/* sort.c: sorting by rank: the place of an element is the number of those that come before it. Stable, one launch, and as parallel as there are
 * elements; its work grows with the square of a line's length. */
#include "../kernels/sort.h"

#include "families.h"
#include "kernel.h"

typedef struct ranking {
  bool descending, values, indices, real;
  int what; /* -1: sort; else tj__rank_kind */
} ranking;

/* Parameters: 0 elements, 1 n, 2 inner, 3 k. Operands: in, values, indices. */
static void body(tj__text *t, const void *context) {
  const ranking *r = context;
  const char *T = r->real ? "f32" : "i32";
  /* does (b, j) come before (a, i)? NaN is larger than any number */
  tj__put(t, "fn before(a: %s, i: u32, b: %s, j: u32) -> bool {\n", T, T);
  if (r->real)
    tj__put(t,
            "  let na = isnan_f(a);\n  let nb = isnan_f(b);\n  if (na || nb) {\n    if (na && nb) { return j < i; }\n    return %s;\n  }\n",
            r->descending ? "nb" : "na");
  tj__put(t, "  return b %s a || (b == a && j < i);\n}\n", r->descending ? ">" : "<");
  tj__put_code(t, TJ__FLAT);
  tj__put(
      t,
      "  let b = i %% $2;\n  let j = i / $2 %% $1;\n  let a = i / $2 / $1;\n  let base = a * $1 * $2 + b;\n  let x = ld0(base + j * $2);\n"
      "  var rank = 0u;\n  var nans = 0u;\n  for (var q = 0u; q < $1; q += 1u) {\n    let y = ld0(base + q * $2);\n"
      "    rank += select(0u, 1u, q != j && before(x, j, y, q));\n");
  if (r->real) tj__put(t, "    nans += select(0u, 1u, isnan_f(y));\n");
  tj__put(t, "  }\n");
  if (r->what < 0) tj__put(t, "  if (rank >= $3) { return; }\n  let at = (a * $3 + rank) * $2 + b;\n");
  else {
    const char *wanted = "$3";
    if (r->what == TJ__RANK_MEDIAN) wanted = "select(($1 - 1u) / 2u, $1 - nans, nans != 0u)"; /* the first NaN, where there is one */
    if (r->what == TJ__RANK_NANMEDIAN) wanted = "select(0u, ($1 - nans - 1u) / 2u, nans < $1)";
    tj__put(t, "  if (rank != %s) { return; }\n  let at = a * $2 + b;\n", wanted);
  }
  int o = 1;
  if (r->values) tj__put(t, "  st%d(at, x);\n", o++);
  if (r->indices) tj__put(t, "  st%d(at, i32(j));\n", o);
  tj__put(t, "}\n");
}

static bool run(ranking r, int64_t k_wanted, tj_tensor *values, tj_tensor *indices, const tj_tensor *in, int64_t outer, int64_t n,
                int64_t inner) {
  const int64_t all = outer * n * inner;
  if (all == 0) return true;
  r.values = values, r.indices = indices, r.real = tj__gpu_is_float((tj_dtype)in->dtype);
  tj__gpu_kernel k;
  tj__gpu_kernel_begin(&k, body, &r, "sort %d%d%d.%d", r.descending, r.values, r.indices, r.what);
  tj__gpu_param(&k, all), tj__gpu_param(&k, n), tj__gpu_param(&k, inner), tj__gpu_param(&k, k_wanted);
  tj__gpu_operand_add(&k, tj__read(in), (tj_dtype)in->dtype, false);
  if (values) tj__gpu_operand_add(&k, tj__write(values), (tj_dtype)values->dtype, true);
  if (indices) tj__gpu_operand_add(&k, tj__write(indices), (tj_dtype)indices->dtype, true);
  return tj__gpu_launch_flat(&k, all);
}

static bool sort(bool descending, int64_t k, tj_tensor *values, tj_tensor *indices, const tj_tensor *in, int64_t outer, int64_t n,
                 int64_t inner) {
  return run((ranking){.descending = descending, .what = -1}, k, values, indices, in, outer, n, inner);
}
static bool rank(tj__rank_kind kind, int64_t k, tj_tensor *values, tj_tensor *indices, const tj_tensor *in, int64_t outer, int64_t n,
                 int64_t inner) {
  if (kind == TJ__RANK_MODE) return tj__gpu_missing("mode");
  return run((ranking){.what = (int)kind}, k, values, indices, in, outer, n, inner);
}

typedef struct searching {
  bool right, one_line, sorter, real;
} searching;

/* Parameters: 0 elements, 1 n, 2 m. Operands: out, sorted, values, sorter. */
static void search_body(tj__text *t, const void *context) {
  const searching *s = context;
  tj__put_code(t, TJ__FLAT);
  tj__put(t,
          "  let base = %s;\n  let v = ld2(i);\n  var low = 0u;\n  var high = $1;\n  while (low < high) {\n    let middle = (low + high) / "
          "2u;\n",
          s->one_line ? "0u" : "i / $2 * $1");
  if (s->sorter) tj__put(t, "    let x = ld1(base + u32(ld3(base + middle)));\n");
  else tj__put(t, "    let x = ld1(base + middle);\n");
  /* is x before the place of v? NaN is larger than any number */
  if (s->right) tj__put(t, s->real ? "    let goes = isnan_f(v) || x <= v;\n" : "    let goes = x <= v;\n");
  else tj__put(t, s->real ? "    let goes = select(x < v, !isnan_f(x), isnan_f(v));\n" : "    let goes = x < v;\n");
  tj__put(t, "    if (goes) { low = middle + 1u; } else { high = middle; }\n  }\n  st0(i, i32(low));\n}\n");
}
static void search(bool right, tj_tensor *out, const tj_tensor *sorted, const tj_tensor *sorter, const tj_tensor *values, int64_t lines,
                   int64_t n, int64_t m, bool one_line) {
  if (lines * m == 0) return;
  const searching s = {right, one_line, sorter != NULL, tj__gpu_is_float((tj_dtype)sorted->dtype)};
  tj__gpu_kernel k;
  tj__gpu_kernel_begin(&k, search_body, &s, "search %d%d%d", right, one_line, s.sorter);
  tj__gpu_param(&k, lines * m), tj__gpu_param(&k, n), tj__gpu_param(&k, m);
  tj__gpu_operand_add(&k, tj__write(out), (tj_dtype)out->dtype, true);
  tj__gpu_operand_add(&k, n ? tj__read(sorted) : tj__read(values), (tj_dtype)sorted->dtype, false);
  tj__gpu_operand_add(&k, tj__read(values), (tj_dtype)values->dtype, false);
  if (sorter) tj__gpu_operand_add(&k, tj__read(sorter), (tj_dtype)sorter->dtype, false);
  tj__gpu_launch_flat(&k, lines * m);
}

static bool order_rows(int64_t *order, const tj_tensor *in, int64_t n, int64_t m) {
  (void)order, (void)in, (void)n, (void)m;
  return tj__gpu_missing("the order of rows");
}

const tj__sort_kernels tj__webgpu_sort = {.sort = sort, .rank = rank, .search = search, .order_rows = order_rows};
