/* optim.c: optimizer steps: one launch a parameter, the arithmetic of engine/cpu/optim.c. */
#include "../kernels/optim.h"

#include "families.h"
#include "kernel.h"

typedef struct sgd_kind {
  bool buffer, first, nesterov, decays;
} sgd_kind;

/* Parameters: 0 n, 1 sign, 2 momentum, 3 weight decay, 4 1 - dampening, 5 -lr. Operands: param, grad, buffer. */
static void sgd_body(tj__text *t, const void *context) {
  const sgd_kind *s = context;
  tj__put_code(t, TJ__FLAT);
  tj__put(t, "  let p = ld0(i);\n  var g = $f1 * ld1(i);\n");
  if (s->decays) tj__put(t, "  g = fma($f3, p, g);\n");
  if (s->buffer) {
    if (s->first) tj__put(t, "  let b = g;\n");
    else tj__put(t, "  let b = fma($f4, g, ld2(i) * $f2);\n");
    tj__put(t, "  st2(i, b);\n  g = %s;\n", s->nesterov ? "fma($f2, b, g)" : "b");
  }
  tj__put(t, "  st0(i, fma($f5, g, p));\n}\n");
}

static void sgd(const tj__optim_item *item, int64_t begin, int64_t end, const tj_sgd_options *o) {
  const sgd_kind s = {item->state[0], item->first, o->nesterov, o->weight_decay != 0};
  const int64_t n = end - begin, size = (int64_t)tj__dtype_sizes[item->dtype];
  tj__gpu_kernel k;
  tj__gpu_kernel_begin(&k, sgd_body, &s, "sgd %d%d%d%d", s.buffer, s.first, s.nesterov, s.decays);
  tj__gpu_param(&k, n);
  const double numbers[] = {o->maximize ? -1 : 1, o->momentum, o->weight_decay, 1 - o->dampening, -o->lr};
  for (int i = 0; i < 5; i++) tj__gpu_param_float(&k, numbers[i]);
  tj__gpu_operand_add(&k, (char *)item->param + begin * size, item->dtype, true);
  tj__gpu_operand_add(&k, (const char *)item->grad + begin * size, item->dtype, false);
  if (s.buffer) tj__gpu_operand_add(&k, (char *)item->state[0] + begin * size, item->dtype, true);
  tj__gpu_launch_flat(&k, n);
}

typedef struct adam_kind {
  bool amsgrad, decoupled, coupled, near; /* near: lerp from the average's end */
} adam_kind;

/* Parameters: 0 n, 1 sign, 2 1 - lr decay, 3 decay, 4 coefficient of the average, 5 beta2, 6 1 - beta2, 7 eps, 8 correction, 9 -step size.
 * Operands: param, grad, avg, sq, most. */
static void adam_body(tj__text *t, const void *context) {
  const adam_kind *a = context;
  tj__put_code(t, TJ__FLAT);
  tj__put(t, "  var p = ld0(i);\n  var g = $f1 * ld1(i);\n");
  if (a->decoupled) tj__put(t, "  p = p * $f2;\n");
  if (a->coupled) tj__put(t, "  g = fma($f3, p, g);\n");
  tj__put(t, "  let before = ld2(i);\n  let m = fma($f4, g - before, %s);\n", a->near ? "before" : "g");
  tj__put(t, "  var v = fma($f6 * g, g, ld3(i) * $f5);\n  st2(i, m);\n  st3(i, v);\n");
  if (a->amsgrad) tj__put(t, "  v = max_f(ld4(i), v);\n  st4(i, v);\n");
  tj__put(t, "  st0(i, p + div_f($f9 * m, div_f(sqrt_f(v), $f8) + $f7));\n}\n");
}

static void adam(const tj__optim_item *item, int64_t begin, int64_t end, const tj_adam_options *o) {
  const double weight = 1 - o->beta1;
  const bool decoupled = o->decoupled_weight_decay && o->weight_decay != 0;
  const adam_kind a = {item->state[2], decoupled, !decoupled && o->weight_decay != 0, weight < 0.5};
  const int64_t n = end - begin, size = (int64_t)tj__dtype_sizes[item->dtype];
  tj__gpu_kernel k;
  tj__gpu_kernel_begin(&k, adam_body, &a, "adam %d%d%d%d", a.amsgrad, a.decoupled, a.coupled, a.near);
  tj__gpu_param(&k, n);
  const double numbers[] = {o->maximize ? -1 : 1, 1 - o->lr * o->weight_decay, o->weight_decay, a.near ? weight : weight - 1, o->beta2,
                            1 - o->beta2,         o->eps,                      item->bias_correction2_sqrt, -item->step_size};
  for (int i = 0; i < 9; i++) tj__gpu_param_float(&k, numbers[i]);
  tj__gpu_operand_add(&k, (char *)item->param + begin * size, item->dtype, true);
  tj__gpu_operand_add(&k, (const char *)item->grad + begin * size, item->dtype, false);
  for (int i = 0; i < 2 + a.amsgrad; i++) tj__gpu_operand_add(&k, (char *)item->state[i] + begin * size, item->dtype, true);
  tj__gpu_launch_flat(&k, n);
}

const tj__optim_kernels tj__webgpu_optim = {.sgd = sgd, .adam = adam};
