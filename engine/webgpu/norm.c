/* norm.c: normalisation: a workgroup for a group's statistics, an invocation for an element; or, where a group is one run of memory (layers, groups of
 * channels), everything in one launch: a workgroup a group, which it keeps in registers. */
#include "../kernels/norm.h"

#include "families.h"
#include "kernel.h"

#define BUSY 256 /* workgroups */

typedef struct norm {
  enum { STATISTICS, APPLY, SUMS, GRAD_INPUT, GRAD_WEIGHT, RUN, RUN_GRAD, COLUMNS } what;
  bool weight, bias, training, variance;
  bool along;       /* the weights lie as the elements of a group do */
  int group, fours; /* RUN, RUN_GRAD: of invocations, and how often four elements each of them keeps */
} norm;

/* Parameters: 0 what the launch counts, 1 outer, 2 groups, 3 inner, 4 weight_groups, 5 weight_step, 6 weight_run, 7 elements of a group, 8 eps or
 * how many elements go into a weight. */
static void put_params(tj__gpu_kernel *k, const tj__norm_shape *s, int64_t n, double eps, int64_t each) {
  tj__gpu_param(k, n), tj__gpu_param(k, s->outer), tj__gpu_param(k, s->groups), tj__gpu_param(k, s->inner);
  tj__gpu_param(k, s->weight_groups), tj__gpu_param(k, s->weight_step), tj__gpu_param(k, s->weight_run);
  tj__gpu_param(k, s->outer * s->inner);
  if (each >= 0) tj__gpu_param(k, each);
  else tj__gpu_param_float(k, eps);
}

#define WEIGHT_AT "  let w = (c % $4) * $5 + b / $6;\n"

static void put_total(tj__text *t, const char *name) { tj__gpu_put_total(t, name, "a + b", 64); }

/* Operands of RUN: out, x, mean, rstd, [weight], [bias]; of RUN_GRAD: out, grad, x, mean, rstd, [weight]. */
static void run_body(tj__text *t, const norm *n) {
  const bool back = n->what == RUN_GRAD;
  const int x = back ? 2 : 1;
  tj__put(t, "var<workgroup> shared_: array<f32, %d>;\nfn sum4(x: vec4<f32>) -> f32 { return (x.x + x.y) + (x.z + x.w); }\n", n->group);
  if (n->group == 256) tj__put_code(t, TJ__GROUPS(256));
  else tj__put_code(t, TJ__GROUPS(64));
  tj__put(t, "  let base = row * $3;\n  let count = f32($3);\n  var total = 0.0;\n");
  if (back) tj__put(t, "  let mean = ld3(row);\n  let rstd = ld4(row);\n  var along = 0.0;\n");
  for (int q = 0; q < n->fours; q++) {
    tj__put(t, "  let j%d = li * 4u + %du;\n  let has%d = j%d < $3;\n  var x%d = vec4<f32>();\n", q, q * n->group * 4, q, q, q);
    if (n->weight || n->bias) {
      if (n->along) tj__put(t, "  let w%d = j%d;\n", q, q);
      else tj__put(t, "  let w%d = (row %% $4) * $5 + j%d / $6;\n", q, q);
    }
    if (!back) {
      tj__put(t, "  if (has%d) { x%d = ldv1(base + j%d); total += sum4(x%d); }\n", q, q, q, q);
      continue;
    }
    tj__put(t, "  var g%d = vec4<f32>();\n  if (has%d) {\n    x%d = (ldv%d(base + j%d) - mean) * rstd;\n    g%d = ldv1(base + j%d)", q, q,
            q, x, q, q, q);
    if (n->weight) tj__put(t, n->along ? " * ldv5(w%d)" : " * ld5(w%d)", q);
    tj__put(t, ";\n    total += sum4(g%d);\n    along += sum4(g%d * x%d);\n  }\n", q, q, q);
  }
  tj__gpu_put_total(t, "total", "a + b", n->group);
  if (back) {
    tj__gpu_put_total(t, "along", "a + b", n->group);
    tj__put(t, "  total = total / count;\n  along = along / count;\n");
    for (int q = 0; q < n->fours; q++) tj__put(t, "  if (has%d) { stv0(base + j%d, (g%d - total - x%d * along) * rstd); }\n", q, q, q, q);
    tj__put(t, "}\n");
    return;
  }
  tj__put(t, "  let mean = total / count;\n  var square = 0.0;\n");
  for (int q = 0; q < n->fours; q++) tj__put(t, "  if (has%d) { x%d = x%d - mean; square += sum4(x%d * x%d); }\n", q, q, q, q, q);
  tj__gpu_put_total(t, "square", "a + b", n->group);
  tj__put(t, "  let rstd = rsqrt_f(square / count + $f8);\n  if (li == 0u) { st2(row, mean); st3(row, rstd); }\n");
  for (int q = 0; q < n->fours; q++) {
    tj__put(t, "  if (has%d) {\n    var v = x%d * rstd;\n", q, q);
    if (n->weight) tj__put(t, n->along ? "    v = v * ldv4(w%d);\n" : "    v = v * ld4(w%d);\n", q);
    if (n->bias) tj__put(t, n->along ? "    v = v + ldv%d(w%d);\n" : "    v = v + ld%d(w%d);\n", n->weight ? 5 : 4, q);
    tj__put(t, "    stv0(base + j%d, v);\n  }\n", q);
  }
  tj__put(t, "}\n");
}

/* The gradients of weights and biases that lie as the elements of a group do: 32 of them a workgroup, which goes through a piece of the groups.
 * Operands: [weights [pieces, elements]], [biases, as well], grad, and for weights x, mean, rstd; parameter 8: groups of a piece. */
static void columns_body(tj__text *t, const norm *n) {
  const int grad = n->weight + n->bias;
  const char *const sums[] = {"weight_", "bias_"};
  const bool wanted[] = {n->weight, n->bias};
  for (int q = 0; q < 2; q++)
    if (wanted[q]) tj__put(t, "var<workgroup> %s: array<vec4<f32>, 256>;\n", sums[q]);
  tj__put_code(t, TJ__GROUPS(256));
  tj__put(t,
          "  let across = ($3 + 31u) / 32u;\n  let piece = row / across;\n  let w = row %% across * 32u + li %% 8u * 4u;\n"
          "  let end_ = min((piece + 1u) * $8, $2);\n  var along = vec4<f32>();\n  var total = vec4<f32>();\n  if (w < $3) {\n"
          "    for (var c = piece * $8 + li / 8u; c < end_; c += 32u) {\n      let at = c * $3 + w;\n      let g = ldv%d(at);\n      total "
          "+= g;\n",
          grad);
  if (n->weight) tj__put(t, "      along += g * ((ldv%d(at) - ld%d(c)) * ld%d(c));\n", grad + 1, grad + 2, grad + 3);
  tj__put(t, "    }\n  }\n");
  if (n->weight) tj__put(t, "  weight_[li] = along;\n");
  if (n->bias) tj__put(t, "  bias_[li] = total;\n");
  tj__put(t, "  workgroupBarrier();\n");
  for (int half = 128; half >= 8; half /= 2) {
    tj__put(t, "  if (li < %du) {\n", half);
    for (int q = 0; q < 2; q++)
      if (wanted[q]) tj__put(t, "    %s[li] = %s[li] + %s[li + %du];\n", sums[q], sums[q], sums[q], half);
    tj__put(t, "  }\n  workgroupBarrier();\n");
  }
  tj__put(t, "  if (li < 8u && w < $3) {\n");
  for (int q = 0, operand = 0; q < 2; q++)
    if (wanted[q]) tj__put(t, "    stv%d(piece * $3 + w, %s[li]);\n", operand++, sums[q]);
  tj__put(t, "  }\n}\n");
}

static void body(tj__text *t, const void *context) {
  const norm *n = context;
  if (n->what == RUN || n->what == RUN_GRAD) {
    run_body(t, n);
    return;
  }
  if (n->what == COLUMNS) {
    columns_body(t, n);
    return;
  }
  const bool grouped = n->what == STATISTICS || n->what == SUMS || n->what == GRAD_WEIGHT;
  if (grouped) {
    tj__put(t, "var<workgroup> shared_: array<f32, 64>;\n");
    tj__put_code(t, TJ__GROUPS(64));
  } else {
    tj__put_code(t, TJ__FLAT);
    tj__put(t, "  let b = i %% $3;\n  let c = i / $3 %% $2;\n");
  }
  const char *each = "  for (var j = li; j < $7; j += 64u) {\n    let b = j % $3;\n    let at = (j / $3 * $2 + row) * $3 + b;\n";
  switch (n->what) {
    case STATISTICS: /* operands: x, mean, rstd, variance */
      tj__put(t, "  let count = f32($7);\n  var total = 0.0;\n%s    total += ld0(at);\n  }\n", each);
      put_total(t, "total");
      tj__put(t, "  let mean = total / count;\n  var square = 0.0;\n%s    let d = ld0(at) - mean;\n    square += d * d;\n  }\n", each);
      put_total(t, "square");
      tj__put(t, "  if (li != 0u) { return; }\n  st1(row, mean);\n  st2(row, rsqrt_f(square / count + $f8));\n");
      if (n->variance) tj__put(t, "  st3(row, square / count);\n");
      tj__put(t, "}\n");
      break;
    case APPLY: /* out, x, mean, rstd, weight, bias */
      if (n->weight || n->bias) tj__put_code(t, WEIGHT_AT);
      tj__put(t, "  var v = (ld1(i) - ld2(c)) * ld3(c);\n");
      if (n->weight) tj__put(t, "  v = v * ld4(w);\n");
      if (n->bias) tj__put(t, "  v = v + ld%d(w);\n", n->weight ? 5 : 4);
      tj__put(t, "  st0(i, v);\n}\n");
      break;
    case SUMS: /* sums [groups, 2], grad, x, mean, rstd, weight: means of g and of g xhat */
      tj__put(t, "  let c = row;\n  let mean = ld3(row);\n  let rstd = ld4(row);\n  var total = 0.0;\n  var along = 0.0;\n%s", each);
      if (n->weight) tj__put(t, "  %s    let g = ld1(at) * ld5(w);\n", WEIGHT_AT);
      else tj__put(t, "    let g = ld1(at);\n");
      tj__put(t, "    total += g;\n    along += g * ((ld2(at) - mean) * rstd);\n  }\n");
      put_total(t, "total");
      put_total(t, "along");
      tj__put(t, "  if (li != 0u) { return; }\n  st0(row * 2u, total / f32($7));\n  st0(row * 2u + 1u, along / f32($7));\n}\n");
      break;
    case GRAD_INPUT: /* out, grad, x, mean, rstd, [sums], [weight] */
      tj__put(t, "  let rstd = ld4(c);\n  var g = ld1(i);\n");
      if (n->weight) tj__put(t, "%s  g = g * ld%d(w);\n", WEIGHT_AT, n->training ? 6 : 5);
      if (n->training) tj__put(t, "  let xhat = (ld2(i) - ld3(c)) * rstd;\n  g = g - ld5(c * 2u) - xhat * ld5(c * 2u + 1u);\n");
      tj__put(t, "  st0(i, g * rstd);\n}\n");
      break;
    case GRAD_WEIGHT: { /* [weights], [biases], grad, and for weights x, mean, rstd. A weight's elements: outer x groups that share it x run */
      const int grad = n->weight + n->bias;
      tj__put(t,
              "  var cw = 0u;\n  var bw = row;\n  var run = 1u;\n"
              "  if ($5 != 0u) { cw = row / $5; bw = row %% $5 * $6; run = min($6, $3 - bw); }\n"
              "  let shares = $2 / $4;\n  let count = $1 * shares * run;\n  var total = 0.0;\n  var along = 0.0;\n"
              "  for (var j = li; j < count; j += 64u) {\n    let b = bw + j %% run;\n    let c = cw + j / run %% shares * $4;\n"
              "    let a = j / run / shares;\n    let at = (a * $2 + c) * $3 + b;\n    let g = ld%d(at);\n    total += g;\n",
              grad);
      if (n->weight) tj__put(t, "    along += g * ((ld%d(at) - ld%d(c)) * ld%d(c));\n", grad + 1, grad + 2, grad + 3);
      tj__put(t, "  }\n");
      if (n->weight) put_total(t, "along");
      if (n->bias) put_total(t, "total");
      tj__put(t, "  if (li != 0u) { return; }\n");
      if (n->weight) tj__put(t, "  st0(row, along);\n");
      if (n->bias) tj__put(t, "  st%d(row, total);\n", (int)n->weight);
      tj__put(t, "}\n");
      break;
    }
    default: break; /* above */
  }
}

static void begin(tj__gpu_kernel *k, const norm *n, const tj__norm_shape *s, int64_t count, double eps, int64_t each) {
  tj__gpu_kernel_begin(k, body, n, "norm %d.%d%d%d%d.%d.%d.%d", (int)n->what, n->weight, n->bias, n->training, n->variance, n->along,
                       n->group, n->fours);
  put_params(k, s, count, eps, each);
}

/* Do the elements of a group lie in a run that a workgroup can keep, four by four? Sets how. */
static bool is_run(const tj__norm_shape *s, norm *n, const void *const *list, int count) {
  if (s->outer != 1 || s->inner % 4 != 0 || s->inner > 8192 || s->groups == 0 || s->inner == 0) return false;
  n->along = s->weight_groups == 1 && s->weight_step == 0 && s->weight_run == 1;
  if ((n->weight || n->bias) && !n->along && s->weight_run % 4 != 0) return false;
  for (int i = 0; i < count; i++)
    if (list[i] && !tj__gpu_aligned(list[i], s->dtype)) return false;
  n->group = s->inner > 1024 ? 256 : 64;
  for (n->fours = 1; n->fours * n->group * 4 < s->inner; n->fours *= 2) {}
  return true;
}

static void operand(tj__gpu_kernel *k, const void *address, tj_dtype dtype, bool write, bool vector) {
  if (vector) tj__gpu_operand_vector(k, address, dtype, write);
  else tj__gpu_operand_add(k, address, dtype, write);
}

static void statistics(const tj__norm_shape *s, const void *x, double eps, void *mean, void *rstd, void *variance) {
  if (s->groups == 0) return;
  const norm n = {.what = STATISTICS, .variance = variance != NULL};
  tj__gpu_kernel k;
  begin(&k, &n, s, s->groups, eps, -1);
  tj__gpu_operand_add(&k, x ? x : mean, s->dtype, false);
  tj__gpu_operand_add(&k, mean, s->dtype, true);
  tj__gpu_operand_add(&k, rstd, s->dtype, true);
  if (variance) tj__gpu_operand_add(&k, variance, TJ_FLOAT32, true);
  tj__gpu_launch_groups(&k, s->groups);
}

static void apply(const tj__norm_shape *s, const void *x, const void *mean, const void *rstd, const void *weight, const void *bias,
                  void *out) {
  const int64_t all = s->outer * s->groups * s->inner;
  if (all == 0) return;
  const norm n = {.what = APPLY, .weight = weight, .bias = bias};
  tj__gpu_kernel k;
  begin(&k, &n, s, all, 0, -1);
  tj__gpu_operand_add(&k, out, s->dtype, true);
  tj__gpu_operand_add(&k, x, s->dtype, false);
  tj__gpu_operand_add(&k, mean, s->dtype, false);
  tj__gpu_operand_add(&k, rstd, s->dtype, false);
  if (weight) tj__gpu_operand_add(&k, weight, s->dtype, false);
  if (bias) tj__gpu_operand_add(&k, bias, s->dtype, false);
  tj__gpu_launch_flat(&k, all);
}

static bool normalise(const tj__norm_shape *s, const void *x, double eps, const void *weight, const void *bias, void *mean, void *rstd,
                      void *variance, void *out) {
  norm n = {.what = RUN, .weight = weight, .bias = bias};
  if (!variance && is_run(s, &n, (const void *const[]){x, out, weight, bias}, 4)) {
    tj__gpu_kernel k;
    begin(&k, &n, s, s->groups, eps, -1);
    operand(&k, out, s->dtype, true, true);
    operand(&k, x, s->dtype, false, true);
    operand(&k, mean, s->dtype, true, false);
    operand(&k, rstd, s->dtype, true, false);
    if (weight) operand(&k, weight, s->dtype, false, n.along);
    if (bias) operand(&k, bias, s->dtype, false, n.along);
    return tj__gpu_launch_groups(&k, s->groups);
  }
  statistics(s, x, eps, mean, rstd, variance);
  apply(s, x, mean, rstd, weight, bias, out);
  return tj_error_code() == TJ_OK;
}

static void grad_input(const tj__norm_shape *s, const void *grad, const void *x, const void *mean, const void *rstd, const void *weight,
                       bool training, void *out) {
  const void *sums = NULL;
  const int64_t all = s->outer * s->groups * s->inner;
  tj__gpu_kernel k;
  norm run = {.what = RUN_GRAD, .weight = weight};
  if (training && is_run(s, &run, (const void *const[]){x, out, weight, grad}, 4)) {
    begin(&k, &run, s, s->groups, 0, -1);
    operand(&k, out, s->dtype, true, true);
    operand(&k, grad, s->dtype, false, true);
    operand(&k, x, s->dtype, false, true);
    operand(&k, mean, s->dtype, false, false);
    operand(&k, rstd, s->dtype, false, false);
    if (weight) operand(&k, weight, s->dtype, false, run.along);
    tj__gpu_launch_groups(&k, s->groups);
    return;
  }
  if (training) {
    tj_tensor *t = tj__empty(TJ_INTS(s->groups, 2), TJ_FLOAT32, TJ_WEBGPU(0));
    if (!t) return;
    sums = tj__write(t);
    const norm n = {.what = SUMS, .weight = weight};
    begin(&k, &n, s, s->groups, 0, -1);
    tj__gpu_operand_add(&k, sums, TJ_FLOAT32, true);
    tj__gpu_operand_add(&k, grad, s->dtype, false);
    tj__gpu_operand_add(&k, x, s->dtype, false);
    tj__gpu_operand_add(&k, mean, s->dtype, false);
    tj__gpu_operand_add(&k, rstd, s->dtype, false);
    if (weight) tj__gpu_operand_add(&k, weight, s->dtype, false);
    if (!tj__gpu_launch_groups(&k, s->groups)) return;
  }
  const norm n = {.what = GRAD_INPUT, .weight = weight, .training = training};
  begin(&k, &n, s, all, 0, -1);
  tj__gpu_operand_add(&k, out, s->dtype, true);
  tj__gpu_operand_add(&k, grad, s->dtype, false);
  tj__gpu_operand_add(&k, x, s->dtype, false);
  tj__gpu_operand_add(&k, mean, s->dtype, false);
  tj__gpu_operand_add(&k, rstd, s->dtype, false);
  if (sums) tj__gpu_operand_add(&k, sums, TJ_FLOAT32, false);
  if (weight) tj__gpu_operand_add(&k, weight, s->dtype, false);
  tj__gpu_launch_flat(&k, all);
}

/* Operands of COLUMNS and GRAD_WEIGHT. to: those of weights and of biases, NULL: not wanted. vector: four by four. */
static void parameter_operands(tj__gpu_kernel *k, void *const *to, tj_dtype to_dtype, tj_dtype dtype, const void *grad, const void *x,
                               const void *mean, const void *rstd, bool vector) {
  for (int q = 0; q < 2; q++)
    if (to[q]) operand(k, to[q], to_dtype, true, vector);
  operand(k, grad, dtype, false, vector);
  if (!to[0]) return;
  operand(k, x, dtype, false, vector);
  operand(k, mean, dtype, false, false);
  operand(k, rstd, dtype, false, false);
}

/* The gradients of weight and bias; NULL: not wanted. */
static void grad_parameters(const tj__norm_shape *s, const void *grad, const void *x, const void *mean, const void *rstd, void *weight,
                            void *bias) {
  norm n = {.what = COLUMNS, .weight = weight, .bias = bias};
  void *const outs[] = {weight, bias};
  tj__gpu_kernel k;
  if (is_run(s, &n, (const void *const[]){x, grad, weight, bias}, 4) && n.along) {
    n.group = n.fours = 0;
    const int64_t across = (s->inner + 31) / 32; /* pieces so many that a GPU is busy, of at least 64 groups */
    const int64_t wanted = across < BUSY ? TJ__MIN(BUSY / across, s->groups / 64) : 1;
    const int64_t each = wanted > 1 ? (s->groups + wanted - 1) / wanted : s->groups, pieces = (s->groups + each - 1) / each;
    tj_tensor *parts[2] = {NULL};
    void *to[] = {weight, bias};
    for (int q = 0; pieces > 1 && q < 2; q++) {
      if (!outs[q]) continue;
      if (!(parts[q] = tj__empty(TJ_INTS(pieces, s->inner), TJ_FLOAT32, TJ_WEBGPU(0)))) return;
      to[q] = tj__write(parts[q]);
    }
    begin(&k, &n, s, across * pieces, 0, each);
    parameter_operands(&k, to, pieces > 1 ? TJ_FLOAT32 : s->dtype, s->dtype, grad, x, mean, rstd, true);
    if (!tj__gpu_launch_groups(&k, across * pieces)) return;
    for (int q = 0; q < 2; q++)
      if (parts[q]) tj__gpu_add_up(tj__read(parts[q]), pieces, s->inner, outs[q], s->dtype);
    return;
  }
  n = (norm){.what = GRAD_WEIGHT, .weight = weight, .bias = bias};
  begin(&k, &n, s, s->n_weights, 0, -1);
  parameter_operands(&k, outs, s->dtype, s->dtype, grad, x, mean, rstd, false);
  tj__gpu_launch_groups(&k, s->n_weights);
}

static bool backward(const tj__norm_shape *s, const void *grad, const void *x, const void *mean, const void *rstd, const void *weight,
                     bool training, void *input, void *in_weight, void *in_bias) {
  if (input) grad_input(s, grad, x, mean, rstd, weight, training, input);
  if (in_weight || in_bias) grad_parameters(s, grad, x, mean, rstd, in_weight, in_bias);
  return tj_error_code() == TJ_OK;
}

const tj__norm_kernels tj__webgpu_norm = {.apply = apply, .normalise = normalise, .backward = backward};
