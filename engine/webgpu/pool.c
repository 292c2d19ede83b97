/* pool.c: pooling: an invocation an output; gradients are gathered from the windows that an element is in. */
#include "../kernels/pool.h"

#include "families.h"
#include "index_chain.h"
#include "kernel.h"

typedef struct pooling {
  enum { LARGEST, AVERAGE, AVERAGE_BACKWARD } what;
  bool real, divisor;
  bool regular; /* LARGEST: windows follow from kernel, stride and padding, and there are no tables */
} pooling;

/* Parameters: 0 n, 1-3 in, 4-6 out, 7-9 step, 10 the divisor; tables: start, end (extent) of each dimension at 11 + 3 * kind + d. Regular windows:
 * 11-13 kernel, 14-16 stride, 17-19 padding. */
static void put_regular(tj__text *t) {
  static const char *const of[] = {"d", "h", "w"};
  for (int d = 0; d < 3; d++) {
    const char x = "zyx"[d];
    tj__put(t, "  let from_%c = i32(%s) * $i%d - $i%d;\n  let %c1 = min(from_%c + ($i%d - 1) * $i%d + 1, $i%d);\n", x, of[d], 14 + d,
            17 + d, x, x, 11 + d, 7 + d, 1 + d);
    tj__put(t, "  let %c0 = select(from_%c, from_%c + ($i%d - 1 - from_%c) / $i%d * $i%d, from_%c < 0);\n", x, x, x, 7 + d, x, 7 + d, 7 + d,
            x);
  }
}

static void body(tj__text *t, const void *context) {
  const pooling *p = context;
  const char *T = p->real ? "f32" : "i32";
  const int table = p->what == LARGEST ? 3 : 2;
  tj__put_code(t, TJ__FLAT);
  if (p->what ==
      AVERAGE_BACKWARD) { /* operands: grad_in, grad, table: first and last window of each element, then starts, ends and extents */
    tj__put(t,
            "  let x = i %% $3;\n  let y = i / $3 %% $2;\n  let z = i / $3 / $2 %% $1;\n  let plane = i / $3 / $2 / $1;\n  var total: %s = "
            "%s;\n",
            T, p->real ? "0.0" : "0");
    tj__put(t, "  for (var d = ld2($20 + z); d < ld2($23 + z); d += 1) {\n    for (var h = ld2($21 + y); h < ld2($24 + y); h += 1) {\n"
               "      for (var w = ld2($22 + x); w < ld2($25 + x); w += 1) {\n");
    if (p->divisor) tj__put(t, "        let by = $i10;\n");
    else tj__put(t, "        let by = ld2($17 + u32(d)) * ld2($18 + u32(h)) * ld2($19 + u32(w));\n");
    tj__put(t,
            "        let g = ld1(((plane * $4 + u32(d)) * $5 + u32(h)) * $6 + u32(w));\n        total += %s;\n      }\n    }\n  }\n  "
            "st0(i, total);\n}\n",
            p->real ? "div_f(g, f32(by))" : "g / by");
    return;
  }
  tj__put(t, "  let w = i %% $6;\n  let h = i / $6 %% $5;\n  let d = i / $6 / $5 %% $4;\n  let plane = i / $6 / $5 / $4;\n");
  if (p->regular) put_regular(t);
  else
    tj__put(t,
            "  let z0 = ld%d($11 + d);\n  let y0 = ld%d($12 + h);\n  let x0 = ld%d($13 + w);\n"
            "  let z1 = ld%d($14 + d);\n  let y1 = ld%d($15 + h);\n  let x1 = ld%d($16 + w);\n",
            table, table, table, table, table, table);
  if (p->what == LARGEST) tj__put(t, "  var best = (z0 * $i2 + y0) * $i3 + x0;\n  var top = ld2(plane * $1 * $2 * $3 + u32(best));\n");
  else tj__put(t, "  var total: %s = %s;\n", T, p->real ? "0.0" : "0");
  tj__put(t,
          "  for (var z = z0; z < z1; z += $i7) {\n    for (var y = y0; y < y1; y += $i8) {\n      for (var x = x0; x < x1; x += $i9) {\n"
          "        let at = (z * $i2 + y) * $i3 + x;\n        let v = ld%d(plane * $1 * $2 * $3 + u32(at));\n",
          p->what == LARGEST ? 2 : 1);
  if (p->what == LARGEST) tj__put(t, "        if (v > top%s) { top = v; best = at; }\n", p->real ? " || isnan_f(v)" : "");
  else tj__put(t, "        total += v;\n");
  tj__put(t, "      }\n    }\n  }\n");
  if (p->what == LARGEST) {
    tj__put(t, "  st0(i, top);\n  st1(i, best);\n}\n");
    return;
  }
  if (p->divisor) tj__put(t, "  let by = $i10;\n");
  else tj__put(t, "  let by = ld2($17 + d) * ld2($18 + h) * ld2($19 + w);\n");
  tj__put(t, "  let empty = z0 >= z1 || y0 >= y1 || x0 >= x1;\n  st0(i, select(%s, %s, empty));\n}\n",
          p->real ? "div_f(total, f32(by))" : "total / by", p->real ? "0.0" : "0");
}

/* The lists of the windows one after another on the device, and where each begins. */
static const void *tables(const tj__pool_shape *s, bool extents, bool inverse, int64_t *at) {
  int64_t n = 0;
  for (int d = 0; d < 3; d++) n += s->out[d] * (extents ? 3 : 2) + (inverse ? 2 * s->in[d] : 0);
  int64_t *all = tj__alloc((size_t)n * sizeof *all), m = 0;
  if (!all) return NULL;
  for (int kind = 0; kind < 3; kind++)
    for (int d = 0; d < 3; d++) {
      const int64_t *list = kind == 0 ? s->start[d] : kind == 1 ? s->end[d] : s->extent[d];
      at[3 * kind + d] = m;
      if (kind == 2 && !extents) continue;
      memcpy(all + m, list, (size_t)s->out[d] * sizeof *all);
      m += s->out[d];
    }
  /* of element i: the windows from the first that ends behind it to the last that begins at or before it; both lists rise */
  for (int kind = 0; kind < 2 && inverse; kind++)
    for (int d = 0; d < 3; d++) {
      at[9 + 3 * kind + d] = m;
      int64_t o = 0;
      for (int64_t i = 0; i < s->in[d]; i++) {
        while (o < s->out[d] && (kind == 0 ? s->end[d][o] <= i : s->start[d][o] <= i)) o++;
        all[m++] = o;
      }
    }
  const void *table = tj__gpu_table(all, m);
  tj__free(all, (size_t)n * sizeof *all);
  return table;
}

static void run(pooling p, const tj__pool_shape *s, const void *in, void *out, int64_t *indices) {
  const bool back = p.what == AVERAGE_BACKWARD;
  const int64_t n = s->planes * (back ? s->in[0] * s->in[1] * s->in[2] : s->out[0] * s->out[1] * s->out[2]);
  int64_t at[15] = {0};
  if (n == 0) return;
  p.real = tj__gpu_is_float(s->dtype);
  p.divisor = p.what != LARGEST && s->divisor != 0;
  p.regular = p.what == LARGEST && s->stride[0] > 0;
  const void *table = NULL;
  if (p.regular) {
    for (int d = 0; d < 3; d++) at[d] = s->kernel[d], at[3 + d] = s->stride[d], at[6 + d] = s->padding[d];
  } else if (!(table = tables(s, p.what != LARGEST && !p.divisor, back, at))) return;
  tj__gpu_kernel k;
  tj__gpu_kernel_begin(&k, body, &p, "pool %d%d%d", (int)p.what, p.divisor, p.regular);
  tj__gpu_param(&k, n);
  for (int d = 0; d < 3; d++) tj__gpu_param(&k, s->in[d]);
  for (int d = 0; d < 3; d++) tj__gpu_param(&k, s->out[d]);
  for (int d = 0; d < 3; d++) tj__gpu_param(&k, p.what == LARGEST ? s->step[d] : 1);
  tj__gpu_param(&k, s->divisor);
  for (int i = 0; i < 15; i++) tj__gpu_param(&k, at[i]);
  tj__gpu_operand_add(&k, out, s->dtype, true);
  if (indices) tj__gpu_operand_add(&k, indices, TJ_INT64, true);
  tj__gpu_operand_add(&k, in, s->dtype, false);
  if (table) tj__gpu_operand_add(&k, table, TJ_INT32, false);
  tj__gpu_launch_flat(&k, n);
}

static void largest(const tj__pool_shape *s, const void *in, void *out, int64_t *indices) {
  run((pooling){.what = LARGEST}, s, in, out, indices);
}
static void average(const tj__pool_shape *s, const void *in, void *out) { run((pooling){.what = AVERAGE}, s, in, out, NULL); }
static void average_backward(const tj__pool_shape *s, const void *grad, void *grad_in) {
  run((pooling){.what = AVERAGE_BACKWARD}, s, grad, grad_in, NULL);
}

/* Parameters: 0 n, 1-3 in, 4-6 out, 7-9 stride, 10-12 padding, 13-15 from a window's first element to its last. */
static void largest_backward_body(tj__text *t, const void *context) {
  tj__put_code(t, TJ__FLAT);
  tj__put(t,
          "  let x = i32(i %% $3);\n  let y = i32(i / $3 %% $2);\n  let z = i32(i / $3 / $2 %% $1);\n  let plane = i / $3 / $2 / $1;\n"
          "  let here = (z * $i2 + y) * $i3 + x;\n  var total = %s;\n",
          *(const bool *)context ? "0.0" : "0");
  for (int d = 0; d < 3; d++) { /* the first window that ends at or behind it, and behind the last that begins at or before it */
    const char x = "zyx"[d];
    tj__put(t, "  let %c0 = u32(max(%c + $i%d - $i%d + $i%d - 1, 0)) / $%d;\n  let %c1 = min(u32(%c + $i%d) / $%d + 1u, $%d);\n", x, x,
            10 + d, 13 + d, 7 + d, 7 + d, x, x, 10 + d, 7 + d, 4 + d);
  }
  tj__put(
      t, "  for (var d = z0; d < z1; d += 1u) {\n    for (var h = y0; h < y1; h += 1u) {\n      for (var w = x0; w < x1; w += 1u) {\n"
         "        let at = ((plane * $4 + d) * $5 + h) * $6 + w;\n        if (ld2(at) == here) { total += ld1(at); }\n      }\n    }\n  }\n"
         "  st0(i, total);\n}\n");
}
static void largest_backward(const tj__pool_shape *s, const void *grad, const int64_t *indices, void *grad_in) {
  const bool real = tj__gpu_is_float(s->dtype);
  const int64_t n = s->planes * s->in[0] * s->in[1] * s->in[2];
  tj__gpu_kernel k;
  if (n == 0) return;
  tj__gpu_kernel_begin(&k, largest_backward_body, &real, "pool largest backward %d", real);
  tj__gpu_param(&k, n);
  const int64_t *const lists[] = {s->in, s->out, s->stride, s->padding};
  for (int i = 0; i < 4; i++)
    for (int d = 0; d < 3; d++) tj__gpu_param(&k, lists[i][d]);
  for (int d = 0; d < 3; d++) tj__gpu_param(&k, (s->kernel[d] - 1) * s->step[d]);
  tj__gpu_operand_add(&k, grad_in, s->dtype, true);
  tj__gpu_operand_add(&k, grad, s->dtype, false);
  tj__gpu_operand_add(&k, indices, TJ_INT64, false);
  tj__gpu_launch_flat(&k, n);
}

/* ---- by indices ---------------------------------------------------------------------------------------------------- */

/* Parameters: 0 n, 1 n_in, 2 n_out. */
static void gather_body(tj__text *t, const void *context) {
  (void)context;
  tj__put_code(t, TJ__FLAT);
  tj__put(t,
          "  var v = ld2(i);\n  if (v < 0 || v >= $i1) { leave_error(%du, bitcast<u32>(v), $1); v = 0; }\n"
          "  st0(i, ld1(i / $2 * $1 + u32(v)));\n}\n",
          TJ__GPU_INDEX);
}
static bool gather(tj_dtype dtype, int64_t planes, int64_t n_in, int64_t n_out, const void *in, const int64_t *indices, void *out) {
  tj__gpu_kernel k;
  tj__gpu_kernel_begin(&k, gather_body, NULL, "pool gather");
  k.errors = true;
  tj__gpu_param(&k, planes * n_out), tj__gpu_param(&k, n_in), tj__gpu_param(&k, n_out);
  tj__gpu_operand_add(&k, out, dtype, true);
  tj__gpu_operand_add(&k, in, dtype, false);
  tj__gpu_operand_add(&k, indices, TJ_INT64, false);
  return tj__gpu_launch_flat(&k, planes * n_out) || true; /* false would blame an index; a failure is the thread's error */
}

static void zero_body(tj__text *t, const void *context) {
  (void)context;
  tj__put_code(t, TJ__FLAT);
  tj__put(t, "  st0(i, %s);\n}\n", *(const bool *)context ? "0.0" : "0");
}
static void scatter_body(tj__text *t, const void *context) {
  (void)context;
  tj__put_code(t, TJ__FLAT);
  tj__put(t,
          "  let v = ld2(i);\n  if (v < 0 || v >= $i1) { leave_error(%du, bitcast<u32>(v), $1); return; }\n"
          "  if (ld4(i) == 0) { return; }\n  var total = ld1(i);\n  var k = ld3(i);\n"
          "  while (k >= 0) { total += ld1(u32(k)); k = ld3(u32(k)); }\n  st0(i / $2 * $1 + u32(v), total);\n}\n",
          TJ__GPU_INDEX);
}
static bool scatter(tj_dtype dtype, int64_t planes, int64_t n_in, int64_t n_out, const void *grad, const int64_t *indices, void *grad_in) {
  const bool real = tj__gpu_is_float(dtype);
  const void *links, *first;
  tj__gpu_kernel k;
  tj__gpu_kernel_begin(&k, zero_body, &real, "zero %d", real);
  tj__gpu_param(&k, planes * n_in);
  tj__gpu_operand_add(&k, grad_in, dtype, true);
  if (planes * n_in == 0 || !tj__gpu_launch_flat(&k, planes * n_in) || planes * n_out == 0) return true;
  if (!tj__gpu_chain(indices, planes * n_out, n_out, &links, &first)) return true;
  tj__gpu_kernel_begin(&k, scatter_body, NULL, "pool scatter");
  k.errors = true;
  tj__gpu_param(&k, planes * n_out), tj__gpu_param(&k, n_in), tj__gpu_param(&k, n_out);
  tj__gpu_operand_add(&k, grad_in, dtype, true);
  tj__gpu_operand_add(&k, grad, dtype, false);
  tj__gpu_operand_add(&k, indices, TJ_INT64, false);
  tj__gpu_operand_add(&k, links, TJ_INT32, false);
  tj__gpu_operand_add(&k, first, TJ_INT32, false);
  tj__gpu_launch_flat(&k, planes * n_out);
  return true;
}

const tj__pool_kernels tj__webgpu_pool = {.largest = largest,
                                          .largest_backward = largest_backward,
                                          .average = average,
                                          .average_backward = average_backward,
                                          .scatter = scatter,
                                          .gather = gather};
