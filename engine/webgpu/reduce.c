/* reduce.c: reductions. Long ones go in two stages, whose pieces depend on the sizes alone: results are the same every time. */
#include "../kernels/reduce.h"

#include <stdio.h>

#include "../iter/convert.h"
#include "families.h"
#include "kernel.h"

#define SERIAL 64          /* elements that one invocation adds up by itself */
#define CHUNK 8192         /* elements of a workgroup in the first of two stages */
#define COLUMN_GROUPS 1024 /* workgroups that keep a GPU busy */
#define COLUMN_ROWS 4096   /* rows of columns that one workgroup goes through */

typedef struct reduction {
  tj__reduce_kind kind;
  bool pre, post;    /* the elements are still to be transformed; the result is to be finished */
  bool real;         /* computed in f32 */
  bool complex;      /* in vec2<f32>; else in i32 */
  bool wide;         /* int64: what does not fit is an error */
  int kept, reduced; /* dimensions */
  int kept_at, reduced_at;
  bool columns; /* a workgroup for a piece of neighbouring outputs, whose elements are neighbours too: reductions over rows */
  bool grouped; /* a workgroup for an output, else an invocation */
  bool vector;  /* four neighbours at a time: elements of an output, or outputs where there are columns */
  int group;
} reduction;

static const char *type_of(const reduction *r) { return r->real ? "f32" : r->complex ? "vec2<f32>" : "i32"; }

static const char *identity(const reduction *r) {
  if (r->complex) return r->kind == TJ__REDUCE_PROD ? "vec2<f32>(1.0, 0.0)" : "vec2<f32>()";
  switch (r->kind) {
    case TJ__REDUCE_PROD: return r->real ? "1.0" : "1";
    case TJ__REDUCE_MAX: return r->real ? "-inf()" : "(-2147483647 - 1)";
    case TJ__REDUCE_MIN: return r->real ? "inf()" : "2147483647";
    case TJ__REDUCE_NORMNEGINF: return "inf()";
    default: return r->real ? "0.0" : "0";
  }
}

static const char *combine(const reduction *r) {
  switch (r->kind) {
    case TJ__REDUCE_PROD: return r->wide ? "mul_l(a, b)" : r->complex ? "mul_c(a, b)" : "a * b";
    case TJ__REDUCE_MAX: return r->real ? "max_f(a, b)" : "max(a, b)";
    case TJ__REDUCE_MIN: return r->real ? "min_f(a, b)" : "min(a, b)";
    case TJ__REDUCE_NORMINF: return "max_f(a, b)";
    case TJ__REDUCE_NORMNEGINF: return "min_f(a, b)";
    default: return r->wide ? "add_l(a, b)" : "a + b";
  }
}

static const char *transform(const reduction *r) {
  if (!r->pre) return "x";
  switch (r->kind) {
    case TJ__REDUCE_NANSUM: return r->real ? "select(x, 0.0, isnan_f(x))" : "x";
    case TJ__REDUCE_NORM1:
    case TJ__REDUCE_NORMINF:
    case TJ__REDUCE_NORMNEGINF: return "abs_f(x)";
    case TJ__REDUCE_NORM2: return "x * x";
    case TJ__REDUCE_SQDEV64: return "(x - ld2(out)) * (x - ld2(out))";
    case TJ__REDUCE_NORMP: return "pow_f(abs_f(x), $f2)";
    default: return "x";
  }
}

static const char *finish(const reduction *r) {
  if (!r->post) return "acc";
  if (r->kind == TJ__REDUCE_NORM2) return "sqrt_f(acc)";
  if (r->kind == TJ__REDUCE_NORMP) return "pow_f(acc, 1.0 / $f2)";
  return "acc";
}

/* The place of number `index` among dimensions of sizes and strides in parameters. */
static void put_place(tj__text *t, const char *name, const char *index, int n, int at) {
  tj__put(t, "  var %s = 0u;\n  {\n    var rest = %s;\n", name, index);
  for (int d = n - 1; d >= 0; d--) {
    if (d) tj__put(t, "    %s += (rest %% $%d) * $%d;\n    rest = rest / $%d;\n", name, at + d, at + n + d, at + d);
    else tj__put(t, "    %s += rest * $%d;\n", name, at + n);
  }
  tj__put(t, "  }\n");
}

/* A workgroup of 256 does 32 neighbouring outputs: invocations beside each other in memory, the rest of them in turn for the rows. */
static void columns_body(tj__text *t, const reduction *r) {
  const char *T = type_of(r);
  const int width = r->vector ? 4 : 1, lanes = 32 / width, rows = 256 / lanes;
  char type[16];
  snprintf(type, sizeof type, r->vector ? "vec4<%s>" : "%s", T);
  tj__put(t, "fn pre(out: u32, x: %s) -> %s { return %s; }\n", T, T, transform(r));
  tj__put(t, "fn post(acc: %s) -> %s { return %s; }\n", T, T, finish(r));
  if (r->vector) {
    tj__put(t,
            "fn joins(a: vec4<%s>, b: vec4<%s>) -> vec4<%s> { return vec4<%s>(join(a.x, b.x), join(a.y, b.y), join(a.z, b.z), join(a.w, "
            "b.w)); }\n",
            T, T, T, T);
    tj__put(t,
            "fn fetch(out: u32, at: u32) -> vec4<%s> { let x = ldv1(at); return vec4<%s>(pre(out, x.x), pre(out + 1u, x.y), pre(out + 2u, "
            "x.z), pre(out + 3u, x.w)); }\n",
            T, T);
  } else {
    tj__put(t, "fn joins(a: %s, b: %s) -> %s { return join(a, b); }\nfn fetch(out: u32, at: u32) -> %s { return pre(out, ld1(at)); }\n", T,
            T, T, T);
  }
  tj__put(t, "var<workgroup> shared_: array<%s, 256>;\n", type);
  tj__put_code(t, TJ__GROUPS(256));
  tj__put(t,
          "  let groups = ($5 + 31u) / 32u;\n  let out = row %% groups * 32u + li %% %du * %du;\n  let piece = row / groups;\n"
          "  let start = piece * $4;\n  let end_ = min(start + $4, $1);\n  var acc = %s(%s);\n  if (out < $5) {\n",
          lanes, width, type, identity(r));
  put_place(t, "base", "out", r->kept, r->kept_at);
  tj__put(t, "  var j = start + li / %du;\n  for (; j + %du < end_; j += %du) {\n", lanes, 3 * rows, 4 * rows);
  for (int q = 0; q < 4; q++) {
    char name[16], index[32];
    snprintf(name, sizeof name, "at%d", q), snprintf(index, sizeof index, "j + %du", q * rows);
    put_place(t, name, index, r->reduced, r->reduced_at);
  }
  for (int q = 0; q < 4; q++) tj__put(t, "    let x%d = fetch(out, base + at%d);\n", q, q);
  tj__put(t, "    acc = joins(joins(joins(joins(acc, x0), x1), x2), x3);\n  }\n  for (; j < end_; j += %du) {\n", rows);
  put_place(t, "at", "j", r->reduced, r->reduced_at);
  tj__put(t, "    acc = joins(acc, fetch(out, base + at));\n  }\n  }\n  shared_[li] = acc;\n  workgroupBarrier();\n");
  for (int half = rows / 2; half; half /= 2)
    tj__put(t, "  if (li < %du) { shared_[li] = joins(shared_[li], shared_[li + %du]); }\n  workgroupBarrier();\n", half * lanes,
            half * lanes);
  tj__put(t, "  if (li >= %du || out >= $5) { return; }\n  acc = shared_[li];\n", lanes);
  if (r->vector) tj__put(t, "  stv0(piece * $5 + out, vec4<%s>(post(acc.x), post(acc.y), post(acc.z), post(acc.w)));\n}\n", T);
  else tj__put(t, "  st0(piece * $5 + out, post(acc));\n}\n");
}

/* Parameters: 0 outputs and pieces of them, 1 elements of one, 2 p, 3 chunks, 4 elements of a chunk, 5 outputs. */
static void body(tj__text *t, const void *context) {
  const reduction *r = context;
  const char *T = type_of(r);
  tj__put(t, "fn join(a: %s, b: %s) -> %s { return %s; }\n", T, T, T, combine(r));
  if (r->columns) {
    columns_body(t, r);
    return;
  }
  tj__put(t, "fn pre(out: u32, x: %s) -> %s { return %s; }\n", T, T, transform(r));
  if (r->grouped) {
    tj__put(t, "var<workgroup> shared_: array<%s, %d>;\n", T, r->group);
    if (r->group == 256) tj__put_code(t, TJ__GROUPS(256));
    else tj__put_code(t, TJ__GROUPS(64));
    tj__put(t, "  let out = row / $3;\n  let start = (row %% $3) * $4;\n  let end_ = min(start + $4, $1);\n");
    put_place(t, "base", "out", r->kept, r->kept_at);
    tj__put(t, "  var acc = %s;\n", identity(r));
    if (r->vector) { /* neighbours lie along the last dimension */
      tj__put(t, "  var acc1 = acc;\n  var acc2 = acc;\n  var acc3 = acc;\n  for (var j = start + li * 4u; j < end_; j += %du) {\n",
              4 * r->group);
      put_place(t, "at", "j", r->reduced, r->reduced_at);
      tj__put(t, "    let x = ldv1(base + at);\n    acc = join(acc, pre(out, x.x));\n    acc1 = join(acc1, pre(out, x.y));\n"
                 "    acc2 = join(acc2, pre(out, x.z));\n    acc3 = join(acc3, pre(out, x.w));\n  }\n"
                 "  acc = join(join(acc, acc1), join(acc2, acc3));\n");
    } else {
      tj__put(t, "  for (var j = start + li; j < end_; j += %du) {\n", r->group);
    }
  } else {
    tj__put_code(t, TJ__FLAT);
    tj__put(t, "  let row = i;\n  let out = i %% $5;\n  let start = i / $5 * $4;\n  let end_ = min(start + $4, $1);\n");
    put_place(t, "base", "out", r->kept, r->kept_at);
    tj__put(t, "  var acc = %s;\n  var j = start;\n  for (; j + 3u < end_; j += 4u) {\n", identity(r));
    for (int q = 0; q < 4; q++) { /* four loads on their way */
      char name[16], index[16];
      snprintf(name, sizeof name, "at%d", q), snprintf(index, sizeof index, "j + %du", q);
      put_place(t, name, index, r->reduced, r->reduced_at);
    }
    for (int q = 0; q < 4; q++) tj__put(t, "    let x%d = ld1(base + at%d);\n", q, q);
    for (int q = 0; q < 4; q++) tj__put(t, "    acc = join(acc, pre(out, x%d));\n", q);
    tj__put(t, "  }\n  for (; j < end_; j += 1u) {\n");
  }
  if (!r->grouped || !r->vector) {
    put_place(t, "at", "j", r->reduced, r->reduced_at);
    tj__put(t, "    acc = join(acc, pre(out, ld1(base + at)));\n  }\n");
  }
  if (r->grouped) {
    tj__put(t, "  shared_[li] = acc;\n  workgroupBarrier();\n");
    for (int half = r->group / 2; half; half /= 2)
      tj__put(t, "  if (li < %du) { shared_[li] = join(shared_[li], shared_[li + %du]); }\n  workgroupBarrier();\n", half, half);
    tj__put(t, "  if (li != 0u) { return; }\n  acc = shared_[0];\n");
  }
  tj__put(t, "  st0(row, %s);\n}\n", finish(r));
}

/* Can four neighbours be read at once: are the strides of everything else, and the places where pieces begin, multiples of four? */
static bool by_fours(const reduction *r, const tj__reduce_geometry *g, const void *in, tj_dtype in_dtype, const void *out,
                     tj_dtype out_dtype, int64_t chunk) {
  const int run = r->columns ? g->n_kept - 1 : g->n_reduced - 1; /* the dimension of neighbours */
  if (!r->columns && !(r->grouped && g->reduced_strides[run] == 1 && g->reduced[run] % 4 == 0 && chunk % 4 == 0)) return false;
  if (r->columns && (g->kept_strides[run] != 1 || g->kept[run] % 4 != 0 || !tj__gpu_aligned(out, out_dtype))) return false;
  for (int d = 0; d < g->n_kept; d++)
    if (g->kept_strides[d] % 4 != 0 && !(r->columns && d == run)) return false;
  for (int d = 0; d < g->n_reduced; d++)
    if (g->reduced_strides[d] % 4 != 0 && !(!r->columns && d == run)) return false;
  return tj__gpu_aligned(in, in_dtype);
}

static bool stage(reduction *r, const void *out, tj_dtype out_dtype, const void *in, tj_dtype in_dtype, const tj__reduce_geometry *g,
                  double p, int64_t chunks, int64_t chunk, const void *centers) {
  tj__gpu_kernel k;
  r->kept = g->n_kept, r->reduced = g->n_reduced;
  r->group = g->n_in > 512 ? 256 : 64;
  r->grouped = g->n_in > SERIAL && (g->n_out < 16384 || g->n_in > 4096);
  if (chunks > 1) r->grouped = true;
  if (r->columns) r->grouped = false;
  if (r->kept + r->reduced > 12)
    return tj__fail(TJ_ERROR_RUNTIME, "webgpu: a reduction over %d dimensions that do not join; call contiguous() first",
                    r->kept + r->reduced) != NULL;
  r->vector = !r->wide && !r->complex && by_fours(r, g, in, in_dtype, out, out_dtype, chunk);
  const int64_t groups = r->columns ? (g->n_out + 31) / 32 * chunks : g->n_out * chunks;
  tj__gpu_kernel_begin(&k, body, r, "reduce %d%c%c%c%c%d.%d.%d", (int)r->kind,
                       r->wide  ? 'w'
                       : r->pre ? 'p'
                                : '-',
                       r->post ? 'f' : '-',
                       r->columns   ? 'c'
                       : r->grouped ? 'g'
                                    : '-',
                       r->vector ? 'v' : '-', r->grouped ? r->group : 0, r->kept, r->reduced);
  k.errors = r->wide;
  k.complex = r->kind == TJ__REDUCE_SUM || r->kind == TJ__REDUCE_PROD;
  tj__gpu_param(&k, groups);
  tj__gpu_param(&k, g->n_in);
  tj__gpu_param_float(&k, p);
  tj__gpu_param(&k, chunks);
  tj__gpu_param(&k, chunk);
  tj__gpu_param(&k, g->n_out);
  r->kept_at = k.n_params;
  for (int d = 0; d < r->kept; d++) tj__gpu_param(&k, g->kept[d]);
  for (int d = 0; d < r->kept; d++) tj__gpu_param(&k, g->kept_strides[d]);
  r->reduced_at = k.n_params;
  for (int d = 0; d < r->reduced; d++) tj__gpu_param(&k, g->reduced[d]);
  for (int d = 0; d < r->reduced; d++) tj__gpu_param(&k, g->reduced_strides[d]);
  tj__gpu_operand_add(&k, out, out_dtype, true);
  k.operands[0].vector = r->vector && r->columns;
  tj__gpu_operand_add(&k, in, in_dtype, false);
  k.operands[1].vector = r->vector;
  if (r->kind == TJ__REDUCE_SQDEV64 && r->pre) tj__gpu_operand_add(&k, centers, TJ_FLOAT32, false);
  return r->grouped || r->columns ? tj__gpu_launch_groups(&k, groups) : tj__gpu_launch_flat(&k, groups);
}

static tj_scalar neutral(tj__reduce_kind kind) {
  switch (kind) {
    case TJ__REDUCE_PROD: return tj_int(1);
    case TJ__REDUCE_MAX: return tj_float(-__builtin_inf());
    case TJ__REDUCE_MIN:
    case TJ__REDUCE_NORMNEGINF: return tj_float(__builtin_inf());
    default: return tj_int(0);
  }
}

static bool reduce(tj__reduce_kind kind, tj_tensor *out, const tj_tensor *in, const tj__reduce_geometry *g,
                   const tj__reduce_params *params) {
  if (g->n_out == 0) return true;
  if (g->n_in == 0) return tj__fill(out, neutral(kind)) != NULL;
  const bool real = tj__gpu_is_float((tj_dtype)in->dtype);
  reduction r = {.kind = kind, .pre = true, .post = true, .real = real, .complex = in->dtype == TJ_COMPLEX64};
  r.wide = out->dtype == TJ_INT64 && !real && kind != TJ__REDUCE_MAX && kind != TJ__REDUCE_MIN;
  const double p = params ? params->p : 0;
  const void *centers = params ? params->centers : NULL;
  const void *from = tj__read(in), *to = tj__write(out);
  r.columns = g->n_kept > 0 && g->kept_strides[g->n_kept - 1] == 1 && g->kept[g->n_kept - 1] >= 16 && g->n_in > SERIAL &&
              g->reduced_strides[g->n_reduced - 1] != 1;
  int64_t chunk, chunks;
  if (r.columns) {
    const int64_t groups = (g->n_out + 31) / 32; /* of one piece; pieces have at least 512 rows, and there are no more than are of use */
    chunks = g->n_in <= COLUMN_ROWS && groups < 64 ? 1 : TJ__MAX(1, TJ__MIN(COLUMN_GROUPS / groups, g->n_in / 512));
    chunk = (g->n_in + chunks - 1) / chunks;
  } else {
    chunk = g->n_in <= 2 * CHUNK || g->n_out >= 1024 ? g->n_in : TJ__MAX((int64_t)CHUNK, (g->n_in + 4095) / 4096 * 4);
  }
  chunks = (g->n_in + chunk - 1) / chunk;
  if (chunks == 1) return stage(&r, to, (tj_dtype)out->dtype, from, (tj_dtype)in->dtype, g, p, 1, g->n_in, centers);
  const tj_dtype work = real ? TJ_FLOAT32 : r.complex ? TJ_COMPLEX64 : TJ_INT32;
  tj_tensor *parts = tj__empty(TJ_INTS(g->n_out * chunks), work, in->storage->device);
  if (!parts) return false;
  r.post = false;
  if (!stage(&r, tj__write(parts), work, from, (tj_dtype)in->dtype, g, p, chunks, chunk, centers)) return false;
  const bool columns = r.columns; /* then a piece's results lie together, else an output's */
  r.pre = false;
  r.columns = columns && chunks > SERIAL / 2;
  r.post = true;
  const tj__reduce_geometry second = {.n_kept = 1,
                                      .n_reduced = 1,
                                      .kept = {g->n_out},
                                      .kept_strides = {columns ? 1 : chunks},
                                      .reduced = {chunks},
                                      .reduced_strides = {columns ? g->n_out : 1},
                                      .n_out = g->n_out,
                                      .n_in = chunks};
  return stage(&r, to, (tj_dtype)out->dtype, tj__read(parts), work, &second, p, 1, chunks, NULL);
}

bool tj__gpu_add_up(const void *parts, int64_t n, int64_t each, void *out, tj_dtype dtype) {
  reduction r = {.kind = TJ__REDUCE_SUM, .post = true, .real = true, .columns = n > SERIAL / 2 && each >= 16};
  const tj__reduce_geometry g = {.n_kept = 1,
                                 .n_reduced = 1,
                                 .kept = {each},
                                 .kept_strides = {1},
                                 .reduced = {n},
                                 .reduced_strides = {each},
                                 .n_out = each,
                                 .n_in = n};
  return stage(&r, out, dtype, parts, TJ_FLOAT32, &g, 0, 1, n, NULL);
}

/* ---- the largest element and where it is -------------------------------------------------------------------------- */

typedef struct search {
  bool largest, values, indices, real;
} search;

static void extremes_body(tj__text *t, const void *context) {
  const search *s = context;
  const char *T = s->real ? "f32" : "i32";
  /* does (b, at j) come before (a, at i)? */
  tj__put(t, "fn better(a: %s, i: u32, b: %s, j: u32) -> bool {\n", T, T);
  if (s->real) tj__put(t, "  if (isnan_f(a) || isnan_f(b)) { return isnan_f(b) && (!isnan_f(a) || j < i); }\n");
  tj__put(t, "  return b %s a || (b == a && j < i);\n}\n", s->largest ? ">" : "<");
  tj__put(t, "var<workgroup> sv: array<%s, 64>;\nvar<workgroup> si: array<u32, 64>;\n", T);
  tj__put_code(t, TJ__GROUPS(64));
  tj__put(t, "  let base = row / $2 * $1 * $2 + row %% $2;\n"
             "  var at = min(li, $1 - 1u);\n"
             "  var best = ld0(base + at * $2);\n"
             "  for (var j = li + 64u; j < $1; j += 64u) {\n"
             "    let x = ld0(base + j * $2);\n"
             "    if (better(best, at, x, j)) { best = x; at = j; }\n"
             "  }\n"
             "  sv[li] = best;\n  si[li] = at;\n  workgroupBarrier();\n"
             "  for (var half_ = 32u; half_ > 0u; half_ = half_ >> 1u) {\n"
             "    if (li < half_ && better(sv[li], si[li], sv[li + half_], si[li + half_])) { sv[li] = sv[li + half_]; si[li] = si[li + "
             "half_]; }\n"
             "    workgroupBarrier();\n"
             "  }\n"
             "  if (li != 0u) { return; }\n");
  int o = 1;
  if (s->values) tj__put(t, "  st%d(row, sv[0]);\n", o++);
  if (s->indices) tj__put(t, "  st%d(row, i32(si[0]));\n", o);
  tj__put(t, "}\n");
}

static bool extremes(bool largest, tj_tensor *values, tj_tensor *indices, const tj_tensor *in, int64_t outer, int64_t n, int64_t inner) {
  const search s = {largest, values, indices, tj__gpu_is_float((tj_dtype)in->dtype)};
  tj__gpu_kernel k;
  tj__gpu_kernel_begin(&k, extremes_body, &s, "extremes %d%d%d", largest, s.values, s.indices);
  tj__gpu_param(&k, outer * inner);
  tj__gpu_param(&k, n);
  tj__gpu_param(&k, inner);
  tj__gpu_operand_add(&k, tj__read(in), (tj_dtype)in->dtype, false);
  if (values) tj__gpu_operand_add(&k, tj__write(values), (tj_dtype)values->dtype, true);
  if (indices) tj__gpu_operand_add(&k, tj__write(indices), (tj_dtype)indices->dtype, true);
  return tj__gpu_launch_groups(&k, outer * inner);
}

const tj__reduce_kernels tj__webgpu_reduce = {.reduce = reduce, .extremes = extremes};
