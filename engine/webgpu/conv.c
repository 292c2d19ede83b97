/* conv.c: convolution and its gradients as matrix products whose operands are read from where they lie. */
#include "../kernels/conv.h"

#include "families.h"
#include "product.h"

typedef enum conv_kind { FORWARD, GRAD_INPUT, GRAD_WEIGHT } conv_kind;
typedef struct convolution {
  tj__product p;
  conv_kind kind;
  bool bias;
  int dims; /* 1 to 3: the trailing ones that matter */
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

/* y = the input's coordinates for output o and tap w; returns 0 outside */
static void put_input_at(tj__text *t, const convolution *c) {
  for (int d = 3 - c->dims; d < 3; d++) {
    tj__put(t, "  let y%d = i32(o%d * $%d + w%d * $%d) - i32($%d);\n", d, d, STRIDE + d, d, DILATION + d, PADDING + d);
    tj__put(t, "  if (y%d < 0 || y%d >= i32($%d)) { return 0.0; }\n", d, d, IN + d);
  }
}

static void body(tj__text *t, const void *context) {
  const convolution *c = context;
  const int dims = c->dims;
  const char *la = "fn la(z: u32, r: u32, k: u32) -> f32 {\n", *lb = "fn lb(z: u32, k: u32, c: u32) -> f32 {\n";
  switch (c->kind) {
    case FORWARD: /* [out_channels] x [batch, out] over [in_channels, kernel]; z: the group */
      tj__put(t, "%s  return ld2(((z * $7 + r) * $6) * $27 + k);\n}\n%s", la, lb);
      put_split(t, "w", "k % $27", KERNEL, dims);
      put_split(t, "o", "c % $29", OUT, dims);
      put_input_at(t, c);
      tj__put(t, "  return ld1(((c / $29) * ($8 * $6) + z * $6 + k / $27) * $28 + ");
      put_join(t, "y", IN, dims);
      tj__put(t, ");\n}\nfn out(z: u32, r: u32, c: u32, v: f32) {\n  let channel = z * $7 + r;\n");
      tj__put(t, "  st0(((c / $29) * ($8 * $7) + channel) * $29 + c %% $29, v%s);\n}\n", c->bias ? " + ld3(channel)" : "");
      break;
    case GRAD_INPUT: /* [in_channels] x [batch, in] over [out_channels, kernel] */
      tj__put(t, "%s  return ld2(((z * $7 + k / $27) * $6 + r) * $27 + k %% $27);\n}\n%s", la, lb);
      put_split(t, "w", "k % $27", KERNEL, dims);
      put_split(t, "y", "c % $28", IN, dims);
      for (int d = 3 - dims; d < 3; d++) {
        tj__put(t, "  let p%d = i32(y%d + $%d) - i32(w%d * $%d);\n", d, d, PADDING + d, d, DILATION + d);
        tj__put(t, "  if (p%d < 0 || p%d %% i32($%d) != 0) { return 0.0; }\n  let o%d = p%d / i32($%d);\n", d, d, STRIDE + d, d, d,
                STRIDE + d);
        tj__put(t, "  if (o%d >= i32($%d)) { return 0.0; }\n", d, OUT + d);
      }
      tj__put(t, "  return ld1(((c / $28) * ($8 * $7) + z * $7 + k / $27) * $29 + ");
      put_join(t, "o", OUT, dims);
      tj__put(t, ");\n}\nfn out(z: u32, r: u32, c: u32, v: f32) {\n");
      tj__put(t, "  st0(((c / $28) * ($8 * $6) + z * $6 + r) * $28 + c %% $28, v);\n}\n");
      break;
    case GRAD_WEIGHT: /* [out_channels] x [in_channels, kernel] over [batch, out]; the pieces of k follow each other in the result */
      tj__put(t, "%s  return ld1(((k / $29) * ($8 * $7) + z * $7 + r) * $29 + k %% $29);\n}\n%s", la, lb);
      put_split(t, "w", "c % $27", KERNEL, dims);
      put_split(t, "o", "k % $29", OUT, dims);
      put_input_at(t, c);
      tj__put(t, "  return ld2(((k / $29) * ($8 * $6) + z * $6 + c / $27) * $28 + ");
      put_join(t, "y", IN, dims);
      tj__put(t, ");\n}\nfn out(z: u32, r: u32, c: u32, v: f32) {\n  st0((z * $7 + r) * $1 + c, v);\n}\n");
      break;
  }
  tj__product_body(t, &c->p);
}

static bool run(convolution *c, const tj__conv_shape *s, const void *first, const void *second, const void *bias, void *out) {
  int64_t taps = 1, n_in = 1, n_out = 1;
  for (int d = 0; d < 3; d++) taps *= s->kernel[d], n_in *= s->in[d], n_out *= s->out[d];
  if (!tj__gpu_is_float(s->dtype)) return tj__gpu_missing("convolution of integers");
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
  tj__gpu_kernel_begin(&k, body, c, "conv %d.%d.%d%d", tj__product_key(&c->p), (int)c->kind, c->bias, c->dims);
  tj__product_params(&k, &c->p);
  tj__gpu_param(&k, s->in_channels), tj__gpu_param(&k, s->out_channels), tj__gpu_param(&k, s->groups);
  const int64_t *const lists[] = {s->in, s->kernel, s->out, s->stride, s->padding, s->dilation};
  for (int i = 0; i < 6; i++)
    for (int d = 0; d < 3; d++) tj__gpu_param(&k, lists[i][d]);
  tj__gpu_param(&k, taps), tj__gpu_param(&k, n_in), tj__gpu_param(&k, n_out);
  const bool nothing = c->p.k == 0;
  tj__gpu_operand_add(&k, sums ? tj__write(sums) : out, sums ? TJ_FLOAT32 : s->dtype, true);
  tj__gpu_operand_add(&k, nothing ? out : first, s->dtype, false);
  tj__gpu_operand_add(&k, nothing ? out : second, s->dtype, false);
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
