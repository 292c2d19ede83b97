/* optim.c: optimizer steps: a launch for as many parameters as a kernel can bind, the arithmetic of engine/cpu/optim.c. */
#include "../kernels/optim.h"

#include "families.h"
#include "kernel.h"

#define MOST 6 /* parameters of one launch */

typedef struct step {
  int n;                                     /* parameters */
  bool sgd, first, nesterov, decays, buffer; /* first: of the momentum buffers */
  bool amsgrad, decoupled, coupled, near;    /* near: lerp from the average's end */
} step;

static int tensors_of(const step *s) { return s->sgd ? 2 + s->buffer : 4 + s->amsgrad; }

/* Parameters: 0 elements of all; 1 to 9 the options' numbers; then of each parameter: where it begins, and for Adam two numbers more. */
enum { SIGN = 1, MOMENTUM, DECAY, KEEP, RATE, SHRINK = 2, COEFFICIENT = 4, BETA2, REST2, EPS, ITEMS = 8 };

static void put_sgd(tj__text *t, const step *s, int o) {
  tj__put(t, "  let p = ld%d(i);\n  var g = $f%d * ld%d(i);\n", o, SIGN, o + 1);
  if (s->decays) tj__put(t, "  g = fma($f%d, p, g);\n", DECAY);
  if (s->buffer) {
    if (s->first) tj__put(t, "  let b = g;\n");
    else tj__put(t, "  let b = fma($f%d, g, ld%d(i) * $f%d);\n", KEEP, o + 2, MOMENTUM);
    tj__put(t, "  st%d(i, b);\n", o + 2);
    if (s->nesterov) tj__put(t, "  g = fma($f%d, b, g);\n", MOMENTUM);
    else tj__put(t, "  g = b;\n");
  }
  tj__put(t, "  st%d(i, fma($f%d, g, p));\n", o, RATE);
}

static void put_adam(tj__text *t, const step *s, int o, int item) {
  tj__put(t, "  var p = ld%d(i);\n  var g = $f%d * ld%d(i);\n", o, SIGN, o + 1);
  if (s->decoupled) tj__put(t, "  p = p * $f%d;\n", SHRINK);
  if (s->coupled) tj__put(t, "  g = fma($f%d, p, g);\n", DECAY);
  tj__put(t, "  let before = ld%d(i);\n  let m = fma($f%d, g - before, %s);\n", o + 2, COEFFICIENT, s->near ? "before" : "g");
  tj__put(t, "  var v = fma($f%d * g, g, ld%d(i) * $f%d);\n  st%d(i, m);\n  st%d(i, v);\n", REST2, o + 3, BETA2, o + 2, o + 3);
  if (s->amsgrad) tj__put(t, "  v = max_f(ld%d(i), v);\n  st%d(i, v);\n", o + 4, o + 4);
  tj__put(t, "  st%d(i, p + div_f($f%d * m, div_f(sqrt_f(v), $f%d) + $f%d));\n", o, item + 2, item + 1, EPS);
}

static void body(tj__text *t, const void *context) {
  const step *s = context;
  const int each = s->sgd ? 1 : 3;
  for (int q = 0; q < s->n; q++) {
    tj__put(t, "fn step%d(i: u32) {\n", q);
    if (s->sgd) put_sgd(t, s, q * tensors_of(s));
    else put_adam(t, s, q * tensors_of(s), ITEMS + q * each);
    tj__put(t, "}\n");
  }
  tj__put_code(t, TJ__FLAT);
  for (int q = s->n - 1; q > 0; q--) tj__put(t, "  if (i >= $%d) { step%d(i - $%d); return; }\n", ITEMS + q * each, q, ITEMS + q * each);
  tj__put(t, "  step0(i);\n}\n");
}

/* Items that can go with the first: how many. */
static int64_t together(const tj__optim_item *items, int64_t n, int most) {
  int64_t m = 1;
  while (m < n && m < most && items[m].dtype == items[0].dtype && items[m].first == items[0].first) m++;
  return m;
}

static void launch(step *s, const tj__optim_item *items, const double *numbers) {
  tj__gpu_kernel k;
  int64_t all = 0;
  for (int q = 0; q < s->n; q++) all += items[q].n;
  tj__gpu_kernel_begin(&k, body, s, "%s %d.%d%d%d%d.%d%d%d%d", s->sgd ? "sgd" : "adam", s->n, s->first, s->nesterov, s->decays, s->buffer,
                       s->amsgrad, s->decoupled, s->coupled, s->near);
  tj__gpu_param(&k, all);
  for (int i = 0; i < ITEMS - 1; i++) tj__gpu_param_float(&k, numbers[i]);
  int64_t start = 0;
  for (int q = 0; q < s->n; q++) {
    tj__gpu_param(&k, start);
    start += items[q].n;
    if (!s->sgd) tj__gpu_param_float(&k, items[q].bias_correction2_sqrt), tj__gpu_param_float(&k, -items[q].step_size);
  }
  for (int q = 0; q < s->n; q++) {
    tj__gpu_operand_add(&k, items[q].param, items[q].dtype, true);
    tj__gpu_operand_add(&k, items[q].grad, items[q].dtype, false);
    for (int i = 0; i < tensors_of(s) - 2; i++) tj__gpu_operand_add(&k, items[q].state[i], items[q].dtype, true);
  }
  tj__gpu_launch_flat(&k, all);
}

static int most_of(const step *s) {
  const int64_t bindings = TJ__MIN(tj__gpu_limits_of()->bindings, TJ__GPU_OPERANDS);
  return (int)TJ__MAX(1, TJ__MIN(bindings / tensors_of(s), MOST));
}

static void sgd_many(const tj__optim_item *items, int64_t n, const tj_sgd_options *o) {
  const double numbers[] = {o->maximize ? -1 : 1, o->momentum, o->weight_decay, 1 - o->dampening, -o->lr, 0, 0};
  for (int64_t i = 0, m; i < n; i += m) {
    step s = {
        .sgd = true, .first = items[i].first, .nesterov = o->nesterov, .decays = o->weight_decay != 0, .buffer = items[i].state[0] != NULL};
    s.n = (int)(m = together(items + i, n - i, most_of(&s)));
    launch(&s, items + i, numbers);
  }
}

static void adam_many(const tj__optim_item *items, int64_t n, const tj_adam_options *o) {
  const double weight = 1 - o->beta1;
  const bool near = weight < 0.5, decoupled = o->decoupled_weight_decay && o->weight_decay != 0;
  const double numbers[] = {
      o->maximize ? -1 : 1, 1 - o->lr * o->weight_decay, o->weight_decay, near ? weight : weight - 1, o->beta2, 1 - o->beta2, o->eps};
  for (int64_t i = 0, m; i < n; i += m) {
    step s = {.amsgrad = items[i].state[2] != NULL, .decoupled = decoupled, .coupled = !decoupled && o->weight_decay != 0, .near = near};
    s.n = (int)(m = together(items + i, n - i, most_of(&s)));
    launch(&s, items + i, numbers);
  }
}

const tj__optim_kernels tj__webgpu_optim = {.sgd_many = sgd_many, .adam_many = adam_many};
