/* conv.c: convolution and its gradients as matrix products whose operands are read from where they lie. */
#include "../kernels/conv.h"

#include "families.h"
#include "product.h"

typedef enum conv_kind { FORWARD, GRAD_INPUT, GRAD_WEIGHT } conv_kind;
typedef struct convolution {
  tj__product p;
  conv_kind kind;
  bool bias, steps; /* steps: strides that are not 1 */
  int dims;         /* 1 to 3: the trailing ones that matter */
} convolution;

/* Parameters from 6: 6 in_channels, 7 out_channels, 8 groups; 9-11 in, 12-14 kernel, 15-17 out, 18-20 stride, 21-23 padding, 24-26 dilation; 27 taps
 * of a kernel, 28 elements of in, 29 of out. */
enum { IN = 9, KERNEL = 12, OUT = 15, STRIDE = 18, PADDING = 21, DILATION = 24 };

/* `x` = number q split into the dimensions from parameter `at` on: x0, x1, x2 */
static void put_split(tj__text *t, const char *x, const char *q, int at, int dims) {
  tj__put(t, "  var %s_rest = %s;\n", x, q);
  for (int d = 2; d >= 3 - dims; d--) {
    if (d > 3 - dims) tj__put(t, "  let %s%d = %s_rest %% $%d;\n  %s_rest = %s_rest / $%d;\n", x, d, x, at + d, x, x, at + d);
    else tj__put(t, "  let %s%d = %s_rest;\n", x, d, x);
  }
}
static void put_join(tj__text *t, const char *x, int at, int dims) { /* the expression of the place of x0, x1, x2 */
  for (int d = 3 - dims; d < 2; d++) tj__put(t, "(");
  tj__put(t, "u32(%s%d)", x, 3 - dims);
  for (int d = 4 - dims; d < 3; d++) tj__put(t, " * $%d + u32(%s%d))", at + d, x, d);
}

/* The struct of a row's or column's part of a place: an offset, and coordinates. What is read is where the two join. */
static void put_places(tj__text *t, const convolution *c) {
  const int dims = c->dims, sides = c->kind == GRAD_INPUT ? OUT : IN;
  tj__put(t, "struct Place { base: u32");
  for (int d = 3 - dims; d < 3; d++) tj__put(t, ", y%d: i32", d);
  tj__put(t, " }\nfn at_places(row: Place, column: Place) -> f32 {\n");
  for (int d = 3 - dims; d < 3; d++) {
    if (c->kind != GRAD_INPUT) tj__put(t, "  let y%d = row.y%d + column.y%d;\n", d, d, d);
    else if (c->steps) tj__put(t, "  let p%d = column.y%d - row.y%d;\n  let y%d = p%d / i32($%d);\n", d, d, d, d, d, STRIDE + d);
    else tj__put(t, "  let y%d = column.y%d - row.y%d;\n", d, d, d);
  }
  tj__put(t, "  let inside = "); /* no branch: it would be one for each of the numbers that an invocation loads */
  for (int d = 3 - dims; d < 3; d++) {
    if (c->kind == GRAD_INPUT && c->steps)
      tj__put(t, "%s(p%d >= 0) & (y%d * i32($%d) == p%d)", d > 3 - dims ? " & " : "", d, d, STRIDE + d, d);
    else tj__put(t, "%s(y%d >= 0)", d > 3 - dims ? " & " : "", d);
    tj__put(t, " & (y%d < i32($%d))", d, sides + d);
  }
  tj__put(t, ";\n  let at = row.base + column.base + ");
  put_join(t, "y", sides, dims);
  tj__put(t, ";\n  return select(0.0, ld%d(select(0u, at, inside)), inside);\n}\n", c->kind == GRAD_WEIGHT ? 2 : 1);
  if (!c->p.b_quads) return;
  /* four neighbours along the last dimension: the others are looked at once. Steps are 1 */
  const char sign = c->kind == GRAD_INPUT ? '-' : '+';
  tj__put(t, "fn at_places4(row: Place, column: Place) -> vec4<f32> {\n  var inside = true;\n");
  for (int d = 3 - dims; d < 3; d++) {
    tj__put(t, c->kind == GRAD_INPUT ? "  let y%d = column.y%d %c row.y%d;\n" : "  let y%d = row.y%d %c column.y%d;\n", d, d, sign, d);
    if (d < 2) tj__put(t, "  inside = inside & (y%d >= 0) & (y%d < i32($%d));\n", d, d, sides + d);
  }
  tj__put(t, "  let at = row.base + column.base + ");
  put_join(t, "y", sides, dims);
  tj__put(t, ";\n");
  for (int j = 0; j < 4; j++)
    tj__put(t, "  let has%d = inside & (y2 >= %d) & (y2 < i32($%d) - %d);\n  let x%d = ld1(select(0u, at + %du, has%d));\n", j, -j,
            sides + 2, j, j, j, j);
  tj__put(t, "  return vec4<f32>(select(0.0, x0, has0), select(0.0, x1, has1), select(0.0, x2, has2), select(0.0, x3, has3));\n}\n");
}
/* fn name: a Place at `base`, with coordinates of number q: those of the dimensions from parameter `at` on, each as `format` of its number and d. */
static void put_place_of(tj__text *t, const convolution *c, const char *head, const char *q, int at, const char *base, int times, int plus,
                         int minus) {
  tj__put_code(t, head);
  put_split(t, "w", q, at, c->dims);
  tj__put(t, "  return Place(");
  tj__put_code(t, base);
  for (int d = 3 - c->dims; d < 3; d++) {
    tj__put(t, ", i32(w%d", d);
    if (times) tj__put(t, " * $%d", times + d);
    if (plus) tj__put(t, " + $%d", plus + d);
    tj__put(t, ")");
    if (minus) tj__put(t, " - i32($%d)", minus + d);
  }
  tj__put(t, ");\n}\n");
}
#define ROW "fn row_of(z: u32, k: u32) -> Place {\n"
#define COLUMN "fn column_of(z: u32, c: u32) -> Place {\n"

static void body(tj__text *t, const void *context) {
  const convolution *c = context;
  const char *T4 = c->p.out_vector ? "4" : "", *T = c->p.out_vector ? "vec4<f32>" : "f32", *store = c->p.out_vector ? "stv0" : "st0";
  put_places(t, c);
  switch (c->kind) {
    case FORWARD: /* [out_channels] x [batch, out] over [in_channels, kernel]; z: the group */
      if (c->p.a_vector) tj__put(t, "fn la4(z: u32, r: u32, k: u32) -> vec4<f32> { return ldv2((z * $7 + r) * $2 + k); }\n");
      else tj__put(t, "fn la(z: u32, r: u32, k: u32) -> f32 { return ld2((z * $7 + r) * $2 + k); }\n");
      put_place_of(t, c, ROW, "k % $27", KERNEL, "k / $27 * $28", DILATION, 0, 0);
      put_place_of(t, c, COLUMN, "c % $29", OUT, "(c / $29 * $8 + z) * $6 * $28", STRIDE, 0, PADDING);
      tj__put(t, "fn out%s(z: u32, r: u32, c: u32, v: %s) {\n  let channel = z * $7 + r;\n", T4, T);
      tj__put(t, "  %s(((c / $29) * ($8 * $7) + channel) * $29 + c %% $29, v%s);\n}\n", store, c->bias ? " + ld3(channel)" : "");
      break;
    case GRAD_INPUT: /* [in_channels] x [batch, in] over [out_channels, kernel] */
      tj__put(t, "fn la(z: u32, r: u32, k: u32) -> f32 { return ld2(((z * $7 + k / $27) * $6 + r) * $27 + k %% $27); }\n");
      put_place_of(t, c, ROW, "k % $27", KERNEL, "k / $27 * $29", DILATION, 0, 0);
      put_place_of(t, c, COLUMN, "c % $28", IN, "(c / $28 * $8 + z) * $7 * $29", 0, PADDING, 0);
      tj__put(t, "fn out%s(z: u32, r: u32, c: u32, v: %s) {\n", T4, T);
      tj__put(t, "  %s(((c / $28) * ($8 * $6) + z * $6 + r) * $28 + c %% $28, v);\n}\n", store);
      break;
    case GRAD_WEIGHT: /* [out_channels] x [in_channels, kernel] over [batch, out]; the pieces of k follow each other in the result */
      tj__put(t, "fn la%s(z: u32, r: u32, k: u32) -> %s { return %s(((k / $29) * ($8 * $7) + z * $7 + r) * $29 + k %% $29); }\n",
              c->p.a_vector ? "4" : "", c->p.a_vector ? "vec4<f32>" : "f32", c->p.a_vector ? "ldv1" : "ld1");
      put_place_of(t, c, ROW, "k % $29", OUT, "(k / $29 * $8 + z) * $6 * $28", STRIDE, 0, 0);
      put_place_of(t, c, COLUMN, "c % $27", KERNEL, "c / $27 * $28", DILATION, 0, PADDING);
      tj__put(t, "fn out%s(z: u32, r: u32, c: u32, v: %s) {\n  %s((z * $7 + r) * $1 + c, v);\n}\n", T4, T, store);
      break;
  }
  if (!tj__product_blocks(&c->p)) tj__put(t, "fn lb(z: u32, k: u32, c: u32) -> f32 { return at_places(row_of(z, k), column_of(z, c)); }\n");
  tj__product_body(t, &c->p);
}

static bool run(convolution *c, const tj__conv_shape *s, const void *first, const void *second, const void *bias, void *out) {
  int64_t taps = 1, n_in = 1, n_out = 1;
  for (int d = 0; d < 3; d++) taps *= s->kernel[d], n_in *= s->in[d], n_out *= s->out[d];
  if (!tj__gpu_is_float(s->dtype))
    return tj__gpu_missing(s->dtype == TJ_COMPLEX64 ? "convolution of complex numbers" : "convolution of integers");
  c->dims = 3;
  while (c->dims > 1 && s->in[3 - c->dims] == 1 && s->kernel[3 - c->dims] == 1 && s->out[3 - c->dims] == 1 && s->padding[3 - c->dims] == 0)
    c->dims--;
  c->p.real = true;
  c->p.depth = s->groups;
  c->bias = bias != NULL;
  switch (c->kind) {
    case FORWARD: c->p.m = s->out_channels, c->p.n = s->batch * n_out, c->p.k = s->in_channels * taps; break;
    case GRAD_INPUT: c->p.m = s->in_channels, c->p.n = s->batch * n_in, c->p.k = s->out_channels * taps, c->p.a_by_row = false; break;
    case GRAD_WEIGHT: c->p.m = s->out_channels, c->p.n = s->in_channels * taps, c->p.k = s->batch * n_out, c->p.b_by_k = true; break;
  }
  tj__product_plan(&c->p, c->kind == GRAD_WEIGHT);
  if (c->p.m * c->p.n * c->p.depth == 0) return true;
  const int64_t all = c->p.m * c->p.n * c->p.depth;
  tj_tensor *sums = NULL;
  if (c->p.splits > 1 && !(sums = tj__empty(TJ_INTS(c->p.splits, all), TJ_FLOAT32, TJ_WEBGPU(0)))) return false;
  tj__gpu_kernel k;
  const void *to = sums ? tj__write(sums) : out;
  const tj_dtype to_dtype = sums ? TJ_FLOAT32 : s->dtype;
  for (int d = 0; d < 3; d++) c->steps |= s->stride[d] != 1;
  if (tj__product_blocks(&c->p) && c->p.k > 0) {
    const int64_t run = c->kind == FORWARD ? n_out : c->kind == GRAD_INPUT ? n_in : c->p.n; /* of neighbouring results */
    c->p.b_places = true;
    c->p.b_quads = c->kind != GRAD_WEIGHT && s->stride[2] == 1 && !(c->kind == GRAD_INPUT && c->steps) &&
                   (c->kind == FORWARD ? s->out : s->in)[2] % 4 == 0;
    c->p.out_vector = run % 4 == 0 && tj__gpu_aligned(to, to_dtype);
    const bool fours = !tj__product_by_lanes(&c->p);
    if (c->kind == FORWARD) c->p.a_vector = fours && c->p.k % 4 == 0 && tj__gpu_aligned(second, s->dtype);
    if (c->kind == GRAD_WEIGHT) c->p.a_vector = fours && n_out % 4 == 0 && tj__gpu_aligned(first, s->dtype);
  }
  tj__gpu_kernel_begin(&k, body, c, "conv %d.%d.%d%d%d", tj__product_key(&c->p), (int)c->kind, c->bias, c->dims, c->steps);
  tj__product_params(&k, &c->p);
  tj__gpu_param(&k, s->in_channels), tj__gpu_param(&k, s->out_channels), tj__gpu_param(&k, s->groups);
  const int64_t *const lists[] = {s->in, s->kernel, s->out, s->stride, s->padding, s->dilation};
  for (int i = 0; i < 6; i++)
    for (int d = 0; d < 3; d++) tj__gpu_param(&k, lists[i][d]);
  tj__gpu_param(&k, taps), tj__gpu_param(&k, n_in), tj__gpu_param(&k, n_out);
  const bool nothing = c->p.k == 0;
  tj__gpu_operand_add(&k, to, to_dtype, true);
  tj__gpu_operand_add(&k, nothing ? out : first, s->dtype, false);
  tj__gpu_operand_add(&k, nothing ? out : second, s->dtype, false);
  k.operands[0].vector = c->p.out_vector;
  k.operands[c->kind == GRAD_WEIGHT ? 1 : 2].vector = c->p.a_vector;
  if (bias) tj__gpu_operand_add(&k, bias, s->dtype, false);
  if (!tj__product_launch(&k, &c->p)) return false;
  return !sums || tj__gpu_add_up(tj__read(sums), c->p.splits, all, out, s->dtype);
}

static bool forward(const tj__conv_shape *s, const void *input, const void *weight, const void *bias, void *output) {
  convolution c = {.kind = FORWARD};
  return run(&c, s, input, weight, bias, output);
}
static bool grad_input(const tj__conv_shape *s, const void *grad, const void *weight, void *out) {
  convolution c = {.kind = GRAD_INPUT};
  return run(&c, s, grad, weight, NULL, out);
}
static bool grad_weight(const tj__conv_shape *s, const void *grad, const void *input, void *out) {
  convolution c = {.kind = GRAD_WEIGHT};
  return run(&c, s, grad, input, NULL, out);
}

const tj__conv_kernels tj__webgpu_conv = {.forward = forward, .grad_input = grad_input, .grad_weight = grad_weight};
