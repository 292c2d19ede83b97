/* sort.c: sorting: blocks of a line in the workgroup's memory (bitonic, over pairs of key and place, which makes it stable), then runs are merged by
 * pairs: an element finds its place by counting those of the other run that come before it. Keys are words whose order is that of the numbers: NaN
 * is larger than any number, zeros are equal. */
#include "../kernels/sort.h"

#include "families.h"
#include "index_chain.h"
#include "kernel.h"

#define BLOCK 2048 /* elements of the largest block: 16 KiB */

/* Elements of a block for lines of n, and the invocations of its workgroup. */
static int block_of(int64_t n) { return n <= 128 ? 128 : n <= 512 ? 512 : BLOCK; }
static int group_of(int block) { return block == 128 ? 64 : 256; }

static void put_key(tj__text *t, bool real, bool descending) {
  if (real)
    tj__put(t,
            "fn key_of(x: f32) -> u32 {\n  if (isnan_f(x)) { return %s; }\n  var b = bitcast<u32>(x);\n  if ((b << 1u) == 0u) { b = 0u; }\n"
            "  b = select(b | 0x80000000u, ~b, (b >> 31u) != 0u);\n  return %s;\n}\n",
            descending ? "0u" : "0xffffffffu", descending ? "~b" : "b");
  else tj__put(t, "fn key_of(x: i32) -> u32 { return %s(bitcast<u32>(x) ^ 0x80000000u); }\n", descending ? "~" : "");
}

/* sk and si: keys and places of a block, sorted. `li` is there. */
static void put_block_sort(tj__text *t, int block, int group) {
  tj__put(t,
          "  for (var size = 2u; size <= %du; size = size << 1u) {\n    for (var step = size >> 1u; step > 0u; step = step >> 1u) {\n"
          "      for (var q = li; q < %du; q += %du) {\n        let i = 2u * q - (q & (step - 1u));\n        let j = i + step;\n"
          "        let ki = sk[i];\n        let kj = sk[j];\n        let pi = si[i];\n        let pj = si[j];\n"
          "        let after = ki > kj || (ki == kj && pi > pj);\n"
          "        if (after == ((i & size) == 0u)) { sk[i] = kj; sk[j] = ki; si[i] = pj; si[j] = pi; }\n      }\n"
          "      workgroupBarrier();\n    }\n  }\n",
          block, block / 2, group);
}

typedef struct sorting {
  bool descending, values, indices, real;
  bool whole; /* a block is a line: results are written at once */
  bool chain; /* and they are links (index_chain.h) */
  int block;
  int what; /* of the last step: -1: sort; else tj__rank_kind */
} sorting;

/* Parameters: 0 blocks of all lines, 1 n, 2 inner, 3 blocks of a line, 4 k. Operands: in, then keys and places; or values, indices; or links, first. */
static void block_body(tj__text *t, const void *context) {
  const sorting *s = context;
  const int group = group_of(s->block);
  put_key(t, s->real, s->descending);
  tj__put(t, "var<workgroup> sk: array<u32, %d>;\nvar<workgroup> si: array<u32, %d>;\n", s->block, s->block);
  if (group == 256) tj__put_code(t, TJ__GROUPS(256));
  else tj__put_code(t, TJ__GROUPS(64));
  tj__put(t,
          "  let line = row / $3;\n  let start = row %% $3 * %du;\n  let base = line / $2 * $1 * $2 + line %% $2;\n"
          "  for (var q = li; q < %du; q += %du) {\n    let j = start + q;\n    var k = 0xffffffffu;\n"
          "    if (j < $1) { k = key_of(ld0(base + j * $2)); }\n    sk[q] = k;\n    si[q] = j;\n  }\n  workgroupBarrier();\n",
          s->block, s->block, group);
  put_block_sort(t, s->block, group);
  tj__put(t, "  for (var q = li; q < %du; q += %du) {\n", s->block, group);
  if (s->chain) {
    tj__put(t, "    if (q >= $1) { continue; }\n    let at = base + si[q];\n    var link = -1;\n    var first = 1;\n"
               "    if (q + 1u < $1 && sk[q + 1u] == sk[q]) { link = i32(base + si[q + 1u]); }\n"
               "    if (q > 0u && sk[q - 1u] == sk[q]) { first = 0; }\n    st1(at, link);\n    st2(at, first);\n  }\n}\n");
    return;
  }
  if (!s->whole) {
    tj__put(
        t, "    let at = line * $1 + start + q;\n    if (start + q < $1) { st1(at, bitcast<i32>(sk[q])); st2(at, i32(si[q])); }\n  }\n}\n");
    return;
  }
  if (s->what < 0) tj__put(t, "    if (q >= min($1, $4)) { continue; }\n    let at = (line / $2 * $4 + q) * $2 + line %% $2;\n");
  else tj__put(t, "    if (q != $4) { continue; }\n    let at = line;\n");
  int o = 1;
  if (s->values) tj__put(t, "    st%d(at, ld0(base + si[q] * $2));\n", o++);
  if (s->indices) tj__put(t, "    st%d(at, i32(si[q]));\n", o);
  tj__put(t, "  }\n}\n");
}

/* Parameters: 0 elements, 1 n, 2 elements of a run. Operands: keys, places, and where they go. */
static void merge_body(tj__text *t, const void *context) {
  (void)context;
  tj__put_code(t, TJ__FLAT);
  tj__put(t, "  let line = i / $1 * $1;\n  let p = i %% $1;\n  let key = bitcast<u32>(ld0(i));\n  let run = p / $2;\n  let odd = (run & "
             "1u) != 0u;\n"
             "  let other = (run ^ 1u) * $2;\n  var low = min(other, $1);\n  let begin = low;\n  var high = min(other + $2, $1);\n"
             "  while (low < high) {\n    let middle = (low + high) / 2u;\n    let k = bitcast<u32>(ld0(line + middle));\n"
             "    if (k < key || (odd && k == key)) { low = middle + 1u; } else { high = middle; }\n  }\n"
             "  let to = line + (run & ~1u) * $2 + (p - run * $2) + (low - begin);\n  st2(to, ld0(i));\n  st3(to, ld1(i));\n}\n");
}

/* What is wanted of sorted lines. Parameters: 0 results, 1 n, 2 inner, 3 k. Operands: in, keys, places, values, indices. */
static void results_body(tj__text *t, const void *context) {
  const sorting *s = context;
  tj__put_code(t, TJ__FLAT);
  if (s->what < 0) {
    tj__put(t, "  let b = i %% $2;\n  let place = i / $2 %% $3;\n  let a = i / $2 / $3;\n");
  } else {
    tj__put(t, "  let b = i %% $2;\n  let a = i / $2;\n");
    if (s->what == TJ__RANK_KTH) tj__put(t, "  let place = $3;\n");
    else {
      tj__put(t, "  let line = (a * $2 + b) * $1;\n  var low = 0u;\n  var high = $1;\n");
      if (s->real) /* NaN are the last ones */
        tj__put(
            t,
            "  while (low < high) {\n    let middle = (low + high) / 2u;\n    if (ld1(line + middle) != -1) { low = middle + 1u; } else { "
            "high = middle; }\n  }\n");
      else tj__put(t, "  low = $1;\n");
      if (s->what == TJ__RANK_MEDIAN) tj__put(t, "  let place = select(($1 - 1u) / 2u, low, low < $1);\n");
      else tj__put(t, "  let place = select(0u, (low - 1u) / 2u, low > 0u);\n");
    }
  }
  tj__put(t, "  let j = u32(ld2((a * $2 + b) * $1 + place));\n");
  int o = 3;
  if (s->values) tj__put(t, "  st%d(i, ld0((a * $1 + j) * $2 + b));\n", o++);
  if (s->indices) tj__put(t, "  st%d(i, i32(j));\n", o);
  tj__put(t, "}\n");
}

/* Links from sorted lines (index_chain.h). Parameters: 0 elements, 1 n. Operands: keys, places, links, first. */
static void links_body(tj__text *t, const void *context) {
  (void)context;
  tj__put_code(t, TJ__FLAT);
  tj__put(t, "  let line = i / $1 * $1;\n  let p = i %% $1;\n  let at = line + u32(ld1(i));\n  var link = -1;\n  var first = 1;\n"
             "  if (p + 1u < $1 && ld0(i + 1u) == ld0(i)) { link = i32(line) + ld1(i + 1u); }\n"
             "  if (p > 0u && ld0(i - 1u) == ld0(i)) { first = 0; }\n  st2(at, link);\n  st3(at, first);\n}\n");
}

static void begin_blocks(tj__gpu_kernel *k, const sorting *s, int64_t lines, int64_t n, int64_t inner, int64_t wanted) {
  const int64_t blocks = (n + s->block - 1) / s->block;
  tj__gpu_kernel_begin(k, block_body, s, "sort %d.%d%d%d%d%d.%d", s->block, s->descending, s->values, s->indices, s->whole, s->chain,
                       s->what);
  tj__gpu_param(k, lines * blocks), tj__gpu_param(k, n), tj__gpu_param(k, inner), tj__gpu_param(k, blocks), tj__gpu_param(k, wanted);
}

/* Lines [lines, n] of keys and places, sorted; of the scope. false and an error on failure. */
static bool sorted(sorting s, const void *in, tj_dtype dtype, int64_t lines, int64_t n, int64_t inner, const void **keys,
                   const void **places) {
  tj_tensor *t[4] = {NULL};
  const bool merges = n > s.block;
  for (int i = 0; i < (merges ? 4 : 2); i++)
    if (!(t[i] = tj__empty(TJ_INTS(lines * n), TJ_INT32, TJ_WEBGPU(0)))) return false;
  tj__gpu_kernel k;
  s.whole = s.values = s.indices = false;
  s.what = -1;
  begin_blocks(&k, &s, lines, n, inner, 0);
  tj__gpu_operand_add(&k, in, dtype, false);
  tj__gpu_operand_add(&k, tj__write(t[0]), TJ_INT32, true);
  tj__gpu_operand_add(&k, tj__write(t[1]), TJ_INT32, true);
  if (!tj__gpu_launch_groups(&k, lines * ((n + s.block - 1) / s.block))) return false;
  int now = 0;
  for (int64_t run = s.block; run < n; run *= 2, now = 2 - now) {
    tj__gpu_kernel_begin(&k, merge_body, NULL, "sort merge");
    tj__gpu_param(&k, lines * n), tj__gpu_param(&k, n), tj__gpu_param(&k, run);
    for (int i = 0; i < 2; i++) tj__gpu_operand_add(&k, tj__read(t[now + i]), TJ_INT32, false);
    for (int i = 0; i < 2; i++) tj__gpu_operand_add(&k, tj__write(t[2 - now + i]), TJ_INT32, true);
    if (!tj__gpu_launch_flat(&k, lines * n)) return false;
  }
  *keys = tj__read(t[now]), *places = tj__read(t[now + 1]);
  return true;
}

static void add_results(tj__gpu_kernel *k, tj_tensor *values, tj_tensor *indices) {
  if (values) tj__gpu_operand_add(k, tj__write(values), (tj_dtype)values->dtype, true);
  if (indices) tj__gpu_operand_add(k, tj__write(indices), (tj_dtype)indices->dtype, true);
}

static bool run(sorting s, int64_t wanted, tj_tensor *values, tj_tensor *indices, const tj_tensor *in, int64_t outer, int64_t n,
                int64_t inner) {
  const int64_t lines = outer * inner;
  if (lines * n == 0) return true;
  s.values = values, s.indices = indices, s.real = tj__gpu_is_float((tj_dtype)in->dtype);
  s.block = block_of(n);
  s.whole = n <= s.block && (s.what < 0 || s.what == TJ__RANK_KTH);
  tj__gpu_kernel k;
  if (s.whole) {
    begin_blocks(&k, &s, lines, n, inner, wanted);
    tj__gpu_operand_add(&k, tj__read(in), (tj_dtype)in->dtype, false);
    add_results(&k, values, indices);
    return tj__gpu_launch_groups(&k, lines);
  }
  const void *keys, *places;
  const int64_t results = s.what < 0 ? lines * wanted : lines;
  if (!sorted(s, tj__read(in), (tj_dtype)in->dtype, lines, n, inner, &keys, &places)) return false;
  tj__gpu_kernel_begin(&k, results_body, &s, "sorted %d%d.%d", s.values, s.indices, s.what);
  tj__gpu_param(&k, results), tj__gpu_param(&k, n), tj__gpu_param(&k, inner), tj__gpu_param(&k, wanted);
  tj__gpu_operand_add(&k, tj__read(in), (tj_dtype)in->dtype, false);
  tj__gpu_operand_add(&k, keys, TJ_INT32, false);
  tj__gpu_operand_add(&k, places, TJ_INT32, false);
  add_results(&k, values, indices);
  return tj__gpu_launch_flat(&k, results);
}

static bool sort(bool descending, int64_t k, tj_tensor *values, tj_tensor *indices, const tj_tensor *in, int64_t outer, int64_t n,
                 int64_t inner) {
  return run((sorting){.descending = descending, .what = -1}, k, values, indices, in, outer, n, inner);
}
static bool rank(tj__rank_kind kind, int64_t k, tj_tensor *values, tj_tensor *indices, const tj_tensor *in, int64_t outer, int64_t n,
                 int64_t inner) {
  if (kind == TJ__RANK_MODE) return tj__gpu_mode(values, indices, in, outer, n, inner);
  return run((sorting){.what = (int)kind}, k, values, indices, in, outer, n, inner);
}

/* Short segments: an invocation an element, which looks at the others. Parameters: 0 elements, 1 n. Operands: links, first, places. */
#define SHORT 256
static void short_links_body(tj__text *t, const void *context) {
  (void)context;
  tj__put_code(t, TJ__FLAT);
  tj__put(t, "  let begin = i / $1 * $1;\n  let end_ = min(begin + $1, $0);\n  let place = ld2(i);\n"
             "  var link = -1;\n  for (var j = i + 1u; j < end_; j += 1u) { if (ld2(j) == place) { link = i32(j); break; } }\n"
             "  var first = 1;\n  for (var j = i; j > begin; j -= 1u) { if (ld2(j - 1u) == place) { first = 0; break; } }\n"
             "  st0(i, link);\n  st1(i, first);\n}\n");
}

bool tj__gpu_chain(const int64_t *places, int64_t n, int64_t segment, const void **links, const void **first) {
  tj_tensor *a = tj__empty(TJ_INTS(n), TJ_INT32, TJ_WEBGPU(0)), *b = tj__empty(TJ_INTS(n), TJ_INT32, TJ_WEBGPU(0));
  if (!a || !b) return false;
  *links = tj__write(a), *first = tj__write(b);
  sorting s = {.block = block_of(segment), .what = -1};
  const int64_t lines = n / TJ__MAX(segment, 1);
  tj__gpu_kernel k;
  if (n == 0) return true;
  if (segment <= SHORT) {
    tj__gpu_kernel_begin(&k, short_links_body, NULL, "short links");
    tj__gpu_param(&k, n), tj__gpu_param(&k, segment);
    tj__gpu_operand_add(&k, *links, TJ_INT32, true);
    tj__gpu_operand_add(&k, *first, TJ_INT32, true);
    tj__gpu_operand_add(&k, places, TJ_INT64, false);
    return tj__gpu_launch_flat(&k, n);
  }
  if (segment <= s.block) {
    s.chain = s.whole = true;
    begin_blocks(&k, &s, lines, segment, 1, 0);
    tj__gpu_operand_add(&k, places, TJ_INT64, false);
    tj__gpu_operand_add(&k, *links, TJ_INT32, true);
    tj__gpu_operand_add(&k, *first, TJ_INT32, true);
    return tj__gpu_launch_groups(&k, lines);
  }
  const void *keys, *order;
  if (!sorted(s, places, TJ_INT64, lines, segment, 1, &keys, &order)) return false;
  tj__gpu_kernel_begin(&k, links_body, NULL, "links");
  tj__gpu_param(&k, n), tj__gpu_param(&k, segment);
  tj__gpu_operand_add(&k, keys, TJ_INT32, false);
  tj__gpu_operand_add(&k, order, TJ_INT32, false);
  tj__gpu_operand_add(&k, *links, TJ_INT32, true);
  tj__gpu_operand_add(&k, *first, TJ_INT32, true);
  return tj__gpu_launch_flat(&k, n);
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
  /* is x before the place of v? As PyTorch has it: everything is where one of them is NaN */
  tj__put(t, "    let goes = x %s v%s;\n", s->right ? "<=" : "<", s->real ? " || isnan_f(x) || isnan_f(v)" : "");
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
