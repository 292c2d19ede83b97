/* fusion.c: the chain of pointwise operators that wait to become one kernel. */
#include "fusion.h"

#include <stdio.h>

#include "../core/profile.h"

#define STEPS 16

typedef struct place {
  uint32_t buffer, element;
  tj_dtype dtype;
} place;

typedef struct source {
  enum { LOADED, COMPUTED, NUMBER } kind;
  int index; /* of the load, of the step; unused for a number */
} source;

typedef struct waiting {
  tj__gpu_step step;
  source from[TJ__GPU_INPUTS];
  place to;
  bool stored; /* somebody may still look at what it wrote */
} waiting;

typedef struct load {
  const void *address;
  place at;
  bool still;
} load;

typedef struct chain {
  int n, n_loads, n_params;
  int64_t elements;
  waiting steps[STEPS];
  load loads[TJ__GPU_OPERANDS];
  /* while it is written: the kernel's operand of each load and step (-1: none), and parameters */
  int operand_of_load[TJ__GPU_OPERANDS], operand_of_step[STEPS], param_of_input[STEPS][TJ__GPU_INPUTS], param_of_scalar[STEPS];
  bool vector; /* an invocation does four elements */
} chain;

static _Thread_local chain pending;
static _Thread_local bool writing;
static bool fusing = true;

void tj__gpu_set_fusion(bool on) { fusing = on; }
int64_t tj__gpu_fuse_event(void) { return writing ? pending.steps[pending.n - 1].step.event : tj__profile_current(); }
uint32_t tj__gpu_fuse_operator(void) {
  if (!writing) return tj__gpu_operator();
  uint32_t numbers[STEPS];
  for (int k = 0; k < pending.n; k++) numbers[k] = pending.steps[k].step.operator_;
  return tj__gpu_operators(numbers, pending.n);
}
bool tj__gpu_fuse_waits(void) { return pending.n > 0; }
void tj__gpu_fuse_drop(void) { pending.n = 0; }

/* ---- the kernel ------------------------------------------------------------------------------------------------- */

void tj__gpu_put_cast(tj__text *t, char type, tj_dtype to, const char *value) {
  char v[96];
  snprintf(v, sizeof v, tj__gpu_cast(type, to), value);
  switch (to) {
    case TJ_FLOAT16: tj__put(t, "bitcast<f32>(round_half(%s))", v); break;
    case TJ_BFLOAT16: tj__put(t, "bitcast<f32>(round_bfloat(%s))", v); break;
    case TJ_UINT8: tj__put(t, "(%s) & 0xff", v); break;
    case TJ_UINT16: tj__put(t, "(%s) & 0xffff", v); break;
    case TJ_INT8: tj__put(t, "((%s) << 24u) >> 24u", v); break;
    case TJ_INT16: tj__put(t, "((%s) << 16u) >> 16u", v); break;
    default: tj__put_code(t, v);
  }
}

static void put_number(tj__text *t, const char *name, int k, tj_dtype dtype, int param) {
  tj__put(t, "    let %s%d = $%c%d;\n", name, k, tj__gpu_letter(dtype), param);
}

/* let r0, r1, ...: the steps' values of one element, from l0, l1, ... */
static void put_steps(tj__text *t, const chain *c) {
  for (int k = 0; k < c->n; k++) {
    const waiting *w = &c->steps[k];
    const tj__gpu_step *s = &w->step;
    tj__put(t, "  var r%d: %s;\n  {\n", k, tj__gpu_type(s->out_dtype));
    for (int i = 0; i < s->n_inputs; i++) {
      if (w->from[i].kind == NUMBER) put_number(t, "x", i, s->inputs[i].dtype, c->param_of_input[k][i]);
      else tj__put(t, "    let x%d = %c%d;\n", i, w->from[i].kind == LOADED ? 'l' : 'r', w->from[i].index);
    }
    for (int p = 0; p < s->n_scalars; p++) put_number(t, "s", p, s->compute, c->param_of_scalar[k] + p * tj__gpu_words(s->compute));
    tj__put(t, "    let value = %s;\n    r%d = ", s->code, k);
    tj__gpu_put_cast(t, s->type, s->out_dtype, "value");
    tj__put(t, ";\n  }\n");
  }
}

static const char *type_of_load(const chain *c, int l) { return tj__gpu_type(c->loads[l].at.dtype); }

/* Four elements an invocation: a function of one, called four times. The last invocation may have less than four to write. */
static void vector_body(tj__text *t, const chain *c) {
  tj__put(t, "struct Results {\n");
  for (int k = 0; k < c->n; k++)
    if (c->operand_of_step[k] >= 0) tj__put(t, "  r%d: %s,\n", k, tj__gpu_type(c->steps[k].step.out_dtype));
  tj__put(t, "}\nfn element(");
  for (int l = 0, n = 0; l < c->n_loads; l++)
    if (c->operand_of_load[l] >= 0) tj__put(t, "%sl%d: %s", n++ ? ", " : "", l, type_of_load(c, l));
  tj__put(t, ") -> Results {\n");
  put_steps(t, c);
  tj__put(t, "  return Results(");
  for (int k = 0, n = 0; k < c->n; k++)
    if (c->operand_of_step[k] >= 0) tj__put(t, "%sr%d", n++ ? ", " : "", k);
  tj__put(t, ");\n}\n");
  tj__put_code(t, TJ__FLAT4);
  for (int l = 0; l < c->n_loads; l++)
    if (c->operand_of_load[l] >= 0)
      tj__put(t, c->loads[l].still ? "  let v%d = ld%d(0u);\n" : "  let v%d = ldv%d(i);\n", l, c->operand_of_load[l]);
  for (int e = 0; e < 4; e++) {
    tj__put(t, "  let e%d = element(", e);
    for (int l = 0, n = 0; l < c->n_loads; l++) {
      if (c->operand_of_load[l] < 0) continue;
      tj__put(t, "%sv%d", n++ ? ", " : "", l);
      if (!c->loads[l].still) tj__put(t, ".%c", "xyzw"[e]);
    }
    tj__put(t, ");\n");
  }
  tj__put(t, "  if (i + 3u < $0) {\n");
  for (int k = 0; k < c->n; k++)
    if (c->operand_of_step[k] >= 0)
      tj__put(t, "    stv%d(i, vec4<%s>(e0.r%d, e1.r%d, e2.r%d, e3.r%d));\n", c->operand_of_step[k],
              tj__gpu_type(c->steps[k].step.out_dtype), k, k, k, k);
  tj__put(t, "    return;\n  }\n");
  for (int e = 0; e < 3; e++) {
    tj__put(t, "  if (i + %du < $0) {\n", e);
    for (int k = 0; k < c->n; k++)
      if (c->operand_of_step[k] >= 0) tj__put(t, "    st%d(i + %du, e%d.r%d);\n", c->operand_of_step[k], e, e, k);
    tj__put(t, "  }\n");
  }
  tj__put(t, "}\n");
}

static void body(tj__text *t, const void *context) {
  const chain *c = context;
  if (c->vector) {
    vector_body(t, c);
    return;
  }
  tj__put_code(t, TJ__FLAT);
  for (int l = 0; l < c->n_loads; l++)
    if (c->operand_of_load[l] >= 0) tj__put(t, "  let l%d = ld%d(%s);\n", l, c->operand_of_load[l], c->loads[l].still ? "0u" : "i");
  put_steps(t, c);
  for (int k = 0; k < c->n; k++)
    if (c->operand_of_step[k] >= 0) tj__put(t, "  st%d(i, r%d);\n", c->operand_of_step[k], k);
  tj__put(t, "}\n");
}

static uint64_t mix(uint64_t h, uint64_t v) {
  h = (h ^ v) * 0x9e3779b97f4a7c15u;
  return h ^ (h >> 29);
}

/* What the text depends on beside the operands' dtypes. */
static uint64_t structure(const chain *c, uint64_t h) {
  for (int k = 0; k < c->n; k++) {
    const waiting *w = &c->steps[k];
    for (const char *p = w->step.code; *p; p++) h = mix(h, (unsigned char)*p);
    h = mix(
        h, (uint64_t)w->step.type << 24 | (uint64_t)w->step.out_dtype << 16 | (uint64_t)w->step.compute << 8 | (uint64_t)w->step.n_scalars);
    for (int i = 0; i < w->step.n_inputs; i++)
      h = mix(h, (uint64_t)w->from[i].kind << 16 | (uint64_t)w->step.inputs[i].dtype << 8 | (uint64_t)w->from[i].index);
    h = mix(h, c->operand_of_step[k] >= 0);
  }
  for (int l = 0; l < c->n_loads; l++) h = mix(h, c->loads[l].still);
  return h;
}

/* Does it look whether an int64 fits? */
static bool checks(const tj__gpu_step *s) {
  return (s->compute == TJ_INT64 && tj__wgsl_checks(s->code)) || (s->out_dtype == TJ_INT64 && (s->type == 'f' || s->type == 'c'));
}

/* Can an invocation do four elements? Few elements are better spread over more invocations. */
#define VECTOR_ELEMENTS 4096
static bool in_fours(const chain *c, const bool *read) {
  bool fits = c->elements >= VECTOR_ELEMENTS;
  for (int l = 0; l < c->n_loads && fits; l++)
    if (read[l]) fits = c->loads[l].at.dtype != TJ_COMPLEX64 && (c->loads[l].still || c->loads[l].at.element % 4 == 0);
  for (int k = 0; k < c->n && fits; k++)
    if (c->steps[k].stored) fits = c->steps[k].to.dtype != TJ_COMPLEX64 && c->steps[k].to.element % 4 == 0;
  return fits;
}

/* Is the step's value read by one that counts? Steps that nobody needs go. */
static void drop_unneeded(chain *c) {
  bool needed[STEPS];
  for (int k = c->n - 1; k >= 0; k--) {
    needed[k] = c->steps[k].stored;
    for (int j = k + 1; j < c->n && !needed[k]; j++)
      for (int i = 0; i < c->steps[j].step.n_inputs && needed[j]; i++)
        needed[k] |= c->steps[j].from[i].kind == COMPUTED && c->steps[j].from[i].index == k;
  }
  int moved[STEPS], m = 0;
  for (int k = 0; k < c->n; k++) {
    moved[k] = m;
    if (!needed[k]) continue;
    if (m != k) c->steps[m] = c->steps[k];
    for (int i = 0; i < c->steps[m].step.n_inputs; i++)
      if (c->steps[m].from[i].kind == COMPUTED) c->steps[m].from[i].index = moved[c->steps[m].from[i].index];
    m++;
  }
  c->n = m;
}

void tj__gpu_fuse_flush(void) {
  chain *c = &pending;
  if (!c->n || writing) return;
  drop_unneeded(c);
  if (!c->n) return;
  writing = true;
  tj__gpu_kernel k;
  char names[40] = "";
  for (int i = 0; i < c->n; i++) {
    const size_t used = strlen(names);
    snprintf(names + used, sizeof names - used, "%s%s", i ? "+" : "", c->steps[i].step.name);
  }
  bool read[TJ__GPU_OPERANDS] = {false};
  for (int i = 0; i < c->n; i++)
    for (int q = 0; q < c->steps[i].step.n_inputs; q++)
      if (c->steps[i].from[q].kind == LOADED) read[c->steps[i].from[q].index] = true;
  tj__gpu_kernel_begin(&k, body, c, "%s", names);
  k.complex = true;
  c->vector = in_fours(c, read);
  for (int l = 0; l < c->n_loads; l++) {
    c->operand_of_load[l] = -1;
    if (!read[l]) continue;
    c->operand_of_load[l] = tj__gpu_operand_add(&k, c->loads[l].address, c->loads[l].at.dtype, false);
    k.operands[c->operand_of_load[l]].vector = c->vector && !c->loads[l].still;
  }
  for (int i = 0; i < c->n; i++) {
    c->operand_of_step[i] = -1;
    if (!c->steps[i].stored) continue;
    c->operand_of_step[i] = tj__gpu_operand_add(&k, c->steps[i].step.out, c->steps[i].step.out_dtype, true);
    k.operands[c->operand_of_step[i]].vector = c->vector;
  }
  snprintf(k.name, sizeof k.name, "%s #%016llx%08llx", names, (unsigned long long)structure(c, 14695981039346656037u),
           (unsigned long long)(structure(c, 1099511628211u) & 0xffffffffu));
  for (int i = 0; i < c->n; i++) k.errors |= checks(&c->steps[i].step);
  tj__gpu_param(&k, c->elements);
  for (int i = 0; i < c->n; i++) {
    const tj__gpu_step *s = &c->steps[i].step;
    for (int q = 0; q < s->n_inputs; q++) {
      c->param_of_input[i][q] = k.n_params;
      if (c->steps[i].from[q].kind == NUMBER) tj__gpu_param_number(&k, s->inputs[q].dtype, &s->inputs[q].number);
    }
    c->param_of_scalar[i] = k.n_params;
    for (int p = 0; p < s->n_scalars; p++) tj__gpu_param_number(&k, s->compute, &s->scalars[p]);
  }
  const int64_t elements = c->elements;
  tj__gpu_launch_flat(&k, c->vector ? (elements + 3) / 4 : elements);
  c->n = 0;
  writing = false;
}

void tj__gpu_fuse_freed(uint32_t buffer) {
  chain *c = &pending;
  for (int l = 0; l < c->n_loads && c->n; l++)
    if (c->loads[l].at.buffer == buffer) {
      tj__gpu_fuse_flush(); /* it is still to be read */
      return;
    }
  for (int k = 0; k < c->n; k++)
    if (c->steps[k].to.buffer == buffer) c->steps[k].stored = false;
}

/* ---- joining ---------------------------------------------------------------------------------------------------- */

static bool same(const place *a, const place *b) { return a->buffer == b->buffer && a->element == b->element && a->dtype == b->dtype; }

/* Finds where the inputs come from. false: the step has to wait for what is there already. */
static bool joins(chain *c, const tj__gpu_step *s, const place *inputs, const place *out, waiting *w, int *n_loads, load *loads) {
  if (c->n == STEPS || (c->n && c->elements != s->n)) return false;
  for (int i = 0; i < s->n_inputs; i++) {
    if (!s->inputs[i].address) {
      w->from[i] = (source){NUMBER, 0};
      continue;
    }
    const bool still = s->inputs[i].still && s->n > 1;
    int from = -1;
    for (int k = c->n - 1; k >= 0; k--) {
      if (c->steps[k].to.buffer != inputs[i].buffer) continue;
      if (still || !same(&c->steps[k].to, &inputs[i])) return false; /* another part of what is being written */
      from = k;
      break;
    }
    if (from >= 0) {
      w->from[i] = (source){COMPUTED, from};
      continue;
    }
    int l = 0;
    while (l < *n_loads && !(same(&loads[l].at, &inputs[i]) && loads[l].still == still)) l++;
    if (l == *n_loads) {
      if (l == TJ__GPU_OPERANDS) return false;
      loads[(*n_loads)++] = (load){s->inputs[i].address, inputs[i], still};
    }
    w->from[i] = (source){LOADED, l};
  }
  for (int l = 0; l < *n_loads; l++) /* what is read has to be read before it is written, element by element */
    if (loads[l].at.buffer == out->buffer &&
        (loads[l].still || loads[l].at.element != out->element || tj__gpu_words(loads[l].at.dtype) != tj__gpu_words(out->dtype)))
      return false;
  for (int k = 0; k < c->n; k++)
    if (c->steps[k].to.buffer == out->buffer && !same(&c->steps[k].to, out)) return false;
  int outs = 1 + checks(s), params = 1;
  for (int k = 0; k < c->n && outs == 1; k++) outs += checks(&c->steps[k].step); /* the buffer of errors */
  for (int k = 0; k < c->n; k++) {
    outs += c->steps[k].stored;
    params += c->steps[k].step.n_scalars * tj__gpu_words(c->steps[k].step.compute);
    for (int i = 0; i < c->steps[k].step.n_inputs; i++)
      if (c->steps[k].from[i].kind == NUMBER) params += tj__gpu_words(c->steps[k].step.inputs[i].dtype);
  }
  for (int i = 0; i < s->n_inputs; i++)
    if (w->from[i].kind == NUMBER) params += tj__gpu_words(s->inputs[i].dtype);
  return *n_loads + outs <= TJ__MIN(tj__gpu_limits_of()->bindings, TJ__GPU_OPERANDS) &&
         params + s->n_scalars * tj__gpu_words(s->compute) + TJ__GPU_OPERANDS < TJ__GPU_PARAMS - TJ__GPU_OPERANDS;
}

bool tj__gpu_fuse(const tj__gpu_step *s) {
  chain *c = &pending;
  place inputs[TJ__GPU_INPUTS], out;
  if (tj_error_code()) return false;
  for (int p = 0; p < s->n_scalars; p++)
    if (tj__gpu_letter(s->compute) == 'i') tj__gpu_integer(s->scalars[p].i, s->compute); /* now, not when the chain is written */
  for (int i = 0; i < s->n_inputs; i++)
    if (!s->inputs[i].address && tj__gpu_letter(s->inputs[i].dtype) == 'i') tj__gpu_integer(s->inputs[i].number.i, s->inputs[i].dtype);
  if (tj_error_code()) return false;
  for (int i = 0; i < s->n_inputs; i++) {
    inputs[i].dtype = s->inputs[i].dtype;
    if (s->inputs[i].address && !tj__gpu_locate(s->inputs[i].address, s->inputs[i].dtype, &inputs[i].buffer, &inputs[i].element))
      return false;
  }
  out.dtype = s->out_dtype;
  if (!tj__gpu_locate(s->out, s->out_dtype, &out.buffer, &out.element)) return false;
  waiting w = {.step = *s, .to = out, .stored = true};
  load loads[TJ__GPU_OPERANDS];
  int n_loads = c->n ? c->n_loads : 0;
  memcpy(loads, c->loads, sizeof loads);
  if (!joins(c, s, inputs, &out, &w, &n_loads, loads)) {
    tj__gpu_fuse_flush();
    n_loads = 0;
    if (!joins(c, s, inputs, &out, &w, &n_loads, loads))
      return tj__fail(TJ_ERROR_RUNTIME, "webgpu: the operator '%s' needs more buffers than the adapter binds", s->name) != NULL;
  }
  for (int k = 0; k < c->n; k++) /* written over */
    if (c->steps[k].to.buffer == out.buffer) c->steps[k].stored = false;
  memcpy(c->loads, loads, sizeof loads);
  c->n_loads = n_loads;
  c->elements = s->n;
  w.step.event = tj__profile_current();
  w.step.operator_ = tj__gpu_operator();
  c->steps[c->n++] = w;
  if (!fusing) tj__gpu_fuse_flush();
  else tj__gpu_waiting();
  return tj_error_code() == TJ_OK;
}
