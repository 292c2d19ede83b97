/* index.c: reading and writing at places given by tensors. Writes to one place are made in the order of the sources: a chain links those that meet,
 * and its first element's invocation follows it. Indices out of range leave an error for the next read (kernel.h), and count as 0. */
#include "../kernels/index.h"

#include "families.h"
#include "index_chain.h"
#include "kernel.h"

/* ---- places -------------------------------------------------------------------------------------------------------- */

/* Parameters: 0 n, 1 size, 2 stride. */
static void offsets_body(tj__text *t, const void *context) {
  tj__put_code(t, TJ__FLAT);
  tj__put(t, "  let raw = ld1(i);\n  var v = raw;\n");
  if (*(const bool *)context) tj__put(t, "  if (v < 0) { v = v + $i1; }\n");
  tj__put(t, "  if (v < 0 || v >= $i1) { leave_error(%du, bitcast<u32>(raw), $1); v = 0; }\n  st0(i, ld0(i) + v * $i2);\n}\n",
          TJ__GPU_INDEX);
}
static bool offsets(int64_t *to, const int64_t *index, int64_t n, int64_t size, int64_t stride, bool wrap, int64_t *bad) {
  tj__gpu_kernel k;
  *bad = 0;
  tj__gpu_kernel_begin(&k, offsets_body, &wrap, "offsets %d", wrap);
  k.errors = true;
  tj__gpu_param(&k, n), tj__gpu_param(&k, size), tj__gpu_param(&k, stride);
  tj__gpu_operand_add(&k, to, TJ_INT64, true);
  tj__gpu_operand_add(&k, index, TJ_INT64, false);
  tj__gpu_launch_flat(&k, n);
  return true; /* a failure is the thread's error, and no bad index */
}

/* Parameters: 0 elements, 1 n, 2 inner, 3 size. */
static void get_body(tj__text *t, const void *context) {
  (void)context;
  tj__put_code(t, TJ__FLAT);
  tj__put(t, "  let b = i %% $2;\n  let j = i / $2 %% $1;\n  let a = i / $2 / $1;\n"
             "  st0(i, ld1((a * $3 + u32(ld2(j))) * $2 + b));\n}\n");
}
static void get(tj_tensor *out, const tj_tensor *self, const tj__places *p) {
  const int64_t all = p->outer * p->n * p->inner;
  if (all == 0 || self->numel == 0) return;
  tj__gpu_kernel k;
  tj__gpu_kernel_begin(&k, get_body, NULL, "get");
  k.complex = true;
  tj__gpu_param(&k, all), tj__gpu_param(&k, p->n), tj__gpu_param(&k, p->inner), tj__gpu_param(&k, p->size);
  tj__gpu_operand_add(&k, tj__write(out), (tj_dtype)out->dtype, true);
  tj__gpu_operand_add(&k, tj__read(self), (tj_dtype)self->dtype, false);
  tj__gpu_operand_add(&k, p->offsets, TJ_INT64, false);
  tj__gpu_launch_flat(&k, all);
}

/* ---- writing ------------------------------------------------------------------------------------------------------- */

static const char *joined(tj__scatter_kind kind, tj_dtype dtype) {
  const bool real = tj__gpu_is_float(dtype), wide = dtype == TJ_INT64;
  if (wide && kind == TJ__SCATTER_ADD) return "add_l(acc, x)";
  if (wide && kind == TJ__SCATTER_MULTIPLY) return "mul_l(acc, x)";
  switch (kind) {
    case TJ__SCATTER_ADD: return "acc + x";
    case TJ__SCATTER_MULTIPLY: return dtype == TJ_COMPLEX64 ? "mul_c(acc, x)" : "acc * x";
    case TJ__SCATTER_MAX: return real ? "max_f(acc, x)" : "max(acc, x)";
    case TJ__SCATTER_MIN: return real ? "min_f(acc, x)" : "min(acc, x)";
    default: return "x";
  }
}

typedef struct writing {
  tj__scatter_kind kind;
  tj_dtype dtype;
} writing;
/* Does it look whether an int64 fits? */
static bool checks(tj__scatter_kind kind, tj_dtype dtype) { return dtype == TJ_INT64 && kind != TJ__SCATTER_SET; }

/* Parameters: 0 elements, 1 n, 2 inner, 3 size, 4 values of an outer index. Operands: self, values, places, links, first. */
static void put_body(tj__text *t, const void *context) {
  const writing *w = context;
  tj__put_code(t, TJ__FLAT);
  tj__put(t,
          "  let b = i %% $2;\n  let j = i / $2 %% $1;\n  let a = i / $2 / $1;\n"
          "  if (ld4(j) == 0 || ld2(j) < 0) { return; }\n  let at = (a * $3 + u32(ld2(j))) * $2 + b;\n  var acc = ld0(at);\n"
          "  var k = i32(j);\n  loop {\n    let x = ld1((a * $4 + min(u32(k), $4 - 1u)) * $2 + b);\n    acc = %s;\n    k = ld3(u32(k));\n"
          "    if (k < 0) { break; }\n  }\n  st0(at, acc);\n}\n",
          joined(w->kind, w->dtype));
}
static bool put(tj__scatter_kind kind, tj_tensor *self, const tj_tensor *values, const tj__places *p) {
  const int64_t all = p->outer * p->n * p->inner;
  if (all == 0 || self->numel == 0) return true;
  const void *links, *first;
  if (!tj__gpu_chain(p->offsets, p->n, p->n, &links, &first)) return false;
  const writing w = {kind, (tj_dtype)self->dtype};
  tj__gpu_kernel k;
  tj__gpu_kernel_begin(&k, put_body, &w, "put %d%d", (int)kind, w.dtype == TJ_INT64);
  k.errors = checks(kind, w.dtype);
  k.complex = true;
  tj__gpu_param(&k, all), tj__gpu_param(&k, p->n), tj__gpu_param(&k, p->inner), tj__gpu_param(&k, p->size);
  tj__gpu_param(&k, values->numel / (p->outer * p->inner));
  tj__gpu_operand_add(&k, tj__write(self), (tj_dtype)self->dtype, true);
  tj__gpu_operand_add(&k, tj__read(values), (tj_dtype)values->dtype, false);
  tj__gpu_operand_add(&k, p->offsets, TJ_INT64, false);
  tj__gpu_operand_add(&k, links, TJ_INT32, false);
  tj__gpu_operand_add(&k, first, TJ_INT32, false);
  return tj__gpu_launch_flat(&k, all);
}

/* ---- gather, scatter ------------------------------------------------------------------------------------------------ */

typedef struct lines {
  int ndim, dim, sizes, self, source; /* first parameters */
  bool scatter;
  tj_dtype dtype;
  bool chained; /* an invocation for an element of index, which follows those that go to the same place */
  tj__scatter_kind kind;
} lines;

/* Parameters: 0 elements of index (gather) or its lines (scatter), 1 size of self along dim, 2 of index, then sizes of index, strides of self
 * and of the other tensor (index for gather, src for scatter). */
static void lines_body(tj__text *t, const void *context) {
  const lines *l = context;
  tj__put_code(t, TJ__FLAT);
  if (l->chained) tj__put(t, "  if (ld4(i) == 0) { return; }\n");
  tj__put(t, "  var rest = i%s;\n  var self_at = 0u;\n  var at = 0u;\n  var source = 0u;\n  var step = 1u;\n", l->chained ? " / $2" : "");
  for (int d = l->ndim - 1; d >= 0; d--) {
    if (d == l->dim) {
      if (l->scatter) tj__put(t, "  let along = step;\n  step = step * $%d;\n", l->sizes + d);
      else tj__put(t, "  rest = rest / $%d;\n", l->sizes + d);
      continue;
    }
    tj__put(t, "  let c%d = rest %% $%d;\n  rest = rest / $%d;\n  self_at += c%d * $%d;\n", d, l->sizes + d, l->sizes + d, d, l->self + d);
    if (l->scatter) tj__put(t, "  at += c%d * step;\n  step = step * $%d;\n  source += c%d * $%d;\n", d, l->sizes + d, d, l->source + d);
  }
  if (!l->scatter) {
    tj__put(t,
            "  var v = ld2(i);\n  if (v < 0 || v >= $i1) { leave_error(%du, bitcast<u32>(v), $1); v = 0; }\n"
            "  st0(i, ld1(self_at + u32(v) * $%d));\n}\n",
            TJ__GPU_INDEX, l->self + l->dim);
    return;
  }
  if (l->chained) { /* operand 3: links, 4: first; the dimension is index's last one that is longer than 1 */
    tj__put(t,
            "  let v = ld2(i);\n  if (v < 0 || v >= $i1) { leave_error(%du, bitcast<u32>(v), $1); return; }\n"
            "  let to = self_at + u32(v) * $%d;\n  var acc = ld0(to);\n  var k = i32(i);\n"
            "  while (k >= 0) {\n    let x = ld1(source + u32(k) %% $2 * $%d);\n    acc = %s;\n    k = ld3(u32(k));\n  }\n"
            "  st0(to, acc);\n}\n",
            TJ__GPU_INDEX, l->self + l->dim, l->source + l->dim, joined(l->kind, l->dtype));
    return;
  }
  tj__put(t,
          "  for (var j = 0u; j < $2; j += 1u) {\n    var v = ld2(at + j * along);\n"
          "    if (v < 0 || v >= $i1) { leave_error(%du, bitcast<u32>(v), $1); continue; }\n"
          "    let to = self_at + u32(v) * $%d;\n    let acc = ld0(to);\n    let x = ld1(source + j * $%d);\n    st0(to, %s);\n  }\n}\n",
          TJ__GPU_INDEX, l->self + l->dim, l->source + l->dim, joined(l->kind, l->dtype));
}

static bool along_lines(lines *l, tj_tensor *to, const tj_tensor *self, int dim, const tj_tensor *index, const tj_tensor *source) {
  TJ__CHECK(index->ndim <= 12, TJ_ERROR_RUNTIME, "webgpu: gather and scatter take up to 12 dimensions, got %d", index->ndim);
  l->ndim = index->ndim, l->dim = dim;
  l->dtype = (tj_dtype)self->dtype;
  tj__gpu_kernel k;
  const int64_t size = TJ__MAX(index->sizes[dim], 1), all = index->numel / size;
  const void *links = NULL, *first = NULL;
  int64_t inner = 1;
  for (int d = dim + 1; d < l->ndim; d++) inner *= index->sizes[d];
  /* few long lines: their elements are found by place instead of one after another */
  l->chained = l->scatter && inner == 1 && size > 64 && all < 4096;
  if (l->chained && !tj__gpu_chain(tj__read(index), index->numel, size, &links, &first)) return false;
  const int64_t n = l->scatter && !l->chained ? all : index->numel;
  tj__gpu_kernel_begin(&k, lines_body, l, "%s%s %d.%d.%d.%d", l->scatter ? "scatter" : "gather", l->chained ? " chained" : "",
                       l->dtype == TJ_INT64, (int)l->kind, l->ndim, dim);
  k.errors = k.complex = true;
  tj__gpu_param(&k, n), tj__gpu_param(&k, self->sizes[dim]), tj__gpu_param(&k, index->sizes[dim]);
  l->sizes = k.n_params;
  for (int d = 0; d < l->ndim; d++) tj__gpu_param(&k, index->sizes[d]);
  l->self = k.n_params;
  for (int d = 0; d < l->ndim; d++) tj__gpu_param(&k, self->strides[d]);
  l->source = k.n_params;
  for (int d = 0; d < l->ndim && source; d++) tj__gpu_param(&k, source->strides[d]);
  tj__gpu_operand_add(&k, tj__write(to), (tj_dtype)to->dtype, true);
  tj__gpu_operand_add(&k, tj__read(l->scatter ? source : self), (tj_dtype)self->dtype, false);
  tj__gpu_operand_add(&k, tj__read(index), TJ_INT64, false);
  if (l->chained) tj__gpu_operand_add(&k, links, TJ_INT32, false), tj__gpu_operand_add(&k, first, TJ_INT32, false);
  return tj__gpu_launch_flat(&k, n);
}

/* Errors of indices come later: a failure here is another one, which the thread's error tells. */
static bool gather(tj_tensor *out, const tj_tensor *self, int dim, const tj_tensor *index, int64_t *bad) {
  lines l = {0};
  *bad = 0;
  return along_lines(&l, out, self, dim, index, NULL);
}
static bool scatter(tj__scatter_kind kind, tj_tensor *self, int dim, const tj_tensor *index, const tj_tensor *src, int64_t *bad) {
  lines l = {.scatter = true, .kind = kind};
  *bad = 0;
  return along_lines(&l, self, self, dim, index, src);
}

/* ---- the rest ------------------------------------------------------------------------------------------------------- */

static int64_t count_true(const tj_tensor *mask) { return tj__fail_asynchronous(mask), -1; }
static bool true_places(int64_t *out, const tj_tensor *mask) { return (void)out, tj__fail_asynchronous(mask), false; }
static bool select_true(tj_tensor *out, const tj_tensor *self, const tj_tensor *mask) {
  return (void)out, (void)self, tj__fail_asynchronous(mask), false;
}
static void unravel(int64_t *out, const int64_t *flat, int64_t n, const int64_t *sizes, int64_t ndim, bool columns) {
  (void)out, (void)flat, (void)n, (void)sizes, (void)ndim, (void)columns;
  tj__gpu_missing("unravel");
}

/* Parameters: 0 elements, 1 rows, 2 columns, 3 diagonal. */
typedef struct corner {
  bool upper;
  const char *type;
} corner;
static void triangle_body(tj__text *t, const void *context) {
  const corner *c = context;
  tj__put_code(t, TJ__FLAT);
  tj__put(t, "  let c = i32(i %% $2);\n  let r = i32(i / $2 %% $1);\n  st0(i, select(%s(), ld1(i), c - r %s $i3));\n}\n", c->type,
          c->upper ? ">=" : "<=");
}
static void triangle(tj_tensor *out, const tj_tensor *in, int64_t diagonal, bool upper) {
  if (in->numel == 0) return;
  tj__gpu_kernel k;
  const corner c = {upper, tj__gpu_type((tj_dtype)in->dtype)};
  tj__gpu_kernel_begin(&k, triangle_body, &c, "triangle %d", upper);
  k.complex = true;
  tj__gpu_param(&k, in->numel), tj__gpu_param(&k, in->sizes[in->ndim - 2]), tj__gpu_param(&k, in->sizes[in->ndim - 1]);
  tj__gpu_param(&k, TJ__MAX(TJ__MIN(diagonal, INT32_MAX), INT32_MIN));
  tj__gpu_operand_add(&k, tj__write(out), (tj_dtype)out->dtype, true);
  tj__gpu_operand_add(&k, tj__read(in), (tj_dtype)in->dtype, false);
  tj__gpu_launch_flat(&k, in->numel);
}

/* ---- nll_loss ------------------------------------------------------------------------------------------------------- */

typedef struct nll_kind {
  bool weight, total, each;
} nll_kind;

/* Parameters: 0 targets, 1 classes, 2 inner, 3 ignored target. Operands: losses, weights, self, target, weight. */
static void nll_body(tj__text *t, const void *context) {
  const nll_kind *k = context;
  tj__put_code(t, TJ__FLAT);
  tj__put(t,
          "  var v = ld3(i);\n  if (v == $i3) { st0(i, 0.0); st1(i, 0.0); return; }\n"
          "  if (v < 0 || v >= $i1) { leave_error(%du, bitcast<u32>(v), $1); v = 0; }\n  let w = %s;\n"
          "  st0(i, -w * ld2((i / $2 * $1 + u32(v)) * $2 + i %% $2));\n  st1(i, w);\n}\n",
          TJ__GPU_INDEX, k->weight ? "ld4(u32(v))" : "1.0");
}
static void nll(tj_tensor *losses, tj_tensor *weights, const tj_tensor *self, const tj_tensor *target, const tj_tensor *weight,
                int64_t ignore_index, int64_t classes, int64_t inner) {
  const nll_kind kind = {.weight = weight != NULL};
  if (target->numel == 0) return;
  tj__gpu_kernel k;
  tj__gpu_kernel_begin(&k, nll_body, &kind, "nll");
  k.errors = true;
  tj__gpu_param(&k, target->numel), tj__gpu_param(&k, classes), tj__gpu_param(&k, inner), tj__gpu_param(&k, ignore_index);
  tj__gpu_operand_add(&k, tj__write(losses), (tj_dtype)losses->dtype, true);
  tj__gpu_operand_add(&k, tj__write(weights), (tj_dtype)weights->dtype, true);
  tj__gpu_operand_add(&k, tj__read(self), (tj_dtype)self->dtype, false);
  tj__gpu_operand_add(&k, tj__read(target), TJ_INT64, false);
  if (weight) tj__gpu_operand_add(&k, tj__read(weight), (tj_dtype)weight->dtype, false);
  tj__gpu_launch_flat(&k, target->numel);
}

/* Parameters: 0 elements of out, 1 classes, 2 inner, 3 ignored target. Operands: out, grad, target, total, weight. */
static void nll_backward_body(tj__text *t, const void *context) {
  const nll_kind *k = context;
  tj__put_code(t, TJ__FLAT);
  tj__put(t,
          "  let b = i %% $2;\n  let c = i32(i / $2 %% $1);\n  let at = i / $2 / $1 * $2 + b;\n  let v = ld2(at);\n"
          "  if (v != c || v == $i3) { st0(i, 0.0); return; }\n  var g = -ld1(%s);\n",
          k->each ? "at" : "0u");
  if (k->total) tj__put(t, "  g = div_f(g, ld3(0u));\n");
  if (k->weight) tj__put(t, "  g = g * ld%d(u32(v));\n", k->total ? 4 : 3);
  tj__put(t, "  st0(i, g);\n}\n");
}
static void nll_backward(tj_tensor *out, const tj_tensor *grad, const tj_tensor *total, const tj_tensor *target, const tj_tensor *weight,
                         int64_t ignore_index, int64_t classes, int64_t inner) {
  const nll_kind kind = {weight != NULL, total != NULL, grad->numel != 1};
  if (out->numel == 0) return;
  tj__gpu_kernel k;
  tj__gpu_kernel_begin(&k, nll_backward_body, &kind, "nll backward %d%d%d", kind.weight, kind.total, kind.each);
  tj__gpu_param(&k, out->numel), tj__gpu_param(&k, classes), tj__gpu_param(&k, inner), tj__gpu_param(&k, ignore_index);
  tj__gpu_operand_add(&k, tj__write(out), (tj_dtype)out->dtype, true);
  tj__gpu_operand_add(&k, tj__read(grad), (tj_dtype)grad->dtype, false);
  tj__gpu_operand_add(&k, tj__read(target), TJ_INT64, false);
  if (total) tj__gpu_operand_add(&k, tj__read(total), (tj_dtype)total->dtype, false);
  if (weight) tj__gpu_operand_add(&k, tj__read(weight), (tj_dtype)weight->dtype, false);
  tj__gpu_launch_flat(&k, out->numel);
}

const tj__index_kernels tj__webgpu_index = {.nll = nll,
                                            .nll_backward = nll_backward,
                                            .offsets = offsets,
                                            .get = get,
                                            .put = put,
                                            .gather = gather,
                                            .scatter = scatter,
                                            .count_true = count_true,
                                            .true_places = true_places,
                                            .select_true = select_true,
                                            .unravel = unravel,
                                            .triangle = triangle};
