/* iterate.c: pointwise operators, conversion, filling and selection: one kernel over the iterator's dimensions and strides. */
#include "iterate.h"

#include <stdio.h>

#include "../kernels/pointwise.h"
#include "fusion.h"
#include "kernel.h"

enum { MODE_PLAIN = 'c', MODE_STILL = 'z', MODE_STRIDED = 's', MODE_NUMBER = 'u' };

typedef struct iteration {
  tj__gpu_loop kind;
  int op;
  tj_dtype compute;
  int n;    /* operands, the output first */
  int ndim; /* of strided ones; 0: all are plain */
  char mode[TJ__ITER_OPERANDS + 1];
  tj_dtype dtype[TJ__ITER_OPERANDS];
  int operand[TJ__ITER_OPERANDS]; /* its number in the kernel; -1: a number */
  int stride[TJ__ITER_OPERANDS];  /* its first parameter of strides, or of its value */
  int shape, scalars;             /* first parameters */
} iteration;

/* let xK = element of operand k (1 is the first input) */
static void put_load(tj__text *t, const iteration *f, int k) {
  if (f->mode[k] == MODE_NUMBER) {
    tj__put(t, "  let x%d = $%c%d;\n", k - 1, tj__gpu_is_float(f->dtype[k]) ? 'f' : 'i', f->stride[k]);
    return;
  }
  tj__put(t, "  let x%d = ld%d(", k - 1, f->operand[k]);
  if (f->mode[k] == MODE_PLAIN) tj__put(t, "i");
  else if (f->mode[k] == MODE_STILL) tj__put(t, "0u");
  else
    for (int d = 0; d < f->ndim; d++) tj__put(t, "%sc%d * $%d", d ? " + " : "", d, f->stride[k] + d);
  tj__put(t, ");\n");
}

static const char *cast(char type, tj_dtype to) { /* around a value of this type */
  const bool real = tj__gpu_is_float(to);
  if (type == 'b') return real ? "select(0.0, 1.0, (%s))" : "select(0, 1, (%s))";
  return type == 'f' ? real ? "%s" : "i32(%s)" : real ? "f32(%s)" : "%s";
}

static void body(tj__text *t, const void *context) {
  const iteration *f = context;
  tj__put_code(t, TJ__FLAT);
  for (int d = 0; d < f->ndim; d++) {
    const bool last = d == f->ndim - 1;
    char from[16] = "i";
    if (d) snprintf(from, sizeof from, "q%d", d - 1);
    if (last) tj__put(t, "  let c%d = %s;\n", d, from);
    else tj__put(t, "  let c%d = %s %% $%d;\n  let q%d = %s / $%d;\n", d, from, f->shape + d, d, from, f->shape + d);
  }
  for (int k = 1; k < f->n; k++) put_load(t, f, k);
  char value[1024] = "";
  const tj_dtype to = f->dtype[0];
  switch (f->kind) {
    case TJ__GPU_POINTWISE: {
      const tj__wgsl_op *op = &tj__wgsl_ops[f->op];
      const tj__wgsl_expression *e = &op->expressions[tj__class_of(f->compute)];
      for (int p = 0; p < op->params; p++) tj__put(t, "  let s%d = $%c%d;\n", p, tj__gpu_is_float(f->compute) ? 'f' : 'i', f->scalars + p);
      tj__put(t, "  let value = %s;\n", e->code);
      snprintf(value, sizeof value, cast(e->type, to), "value");
      break;
    }
    case TJ__GPU_CONVERT:
      if (to == TJ_BOOL && tj__gpu_is_float(f->dtype[1])) snprintf(value, sizeof value, "select(0, 1, ne_f(x0, 0.0))");
      else snprintf(value, sizeof value, cast(tj__gpu_is_float(f->dtype[1]) ? 'f' : 'i', to), "x0");
      break;
    case TJ__GPU_FILL: snprintf(value, sizeof value, "$%c%d", tj__gpu_is_float(to) ? 'f' : 'i', f->scalars); break;
    case TJ__GPU_WHERE: snprintf(value, sizeof value, "select(x2, x1, x0 != 0)"); break;
  }
  tj__put(t, "  st%d(", f->operand[0]);
  if (f->mode[0] == MODE_PLAIN) tj__put(t, "i");
  else if (f->mode[0] == MODE_STILL) tj__put(t, "0u");
  else
    for (int d = 0; d < f->ndim; d++) tj__put(t, "%sc%d * $%d", d ? " + " : "", d, f->stride[0] + d);
  tj__put(t, ", %s);\n}\n", value);
}

static char mode_of(const tj__iter *it, int k, int64_t itemsize) {
  const tj__operand *op = &it->operands[k];
  if (!tj__is_device_address(op->data)) return MODE_NUMBER;
  bool still = true;
  for (int d = 0; d < it->ndim; d++) still &= op->strides[d] == 0;
  if (still) return MODE_STILL;
  return it->ndim == 1 && op->strides[0] == itemsize ? MODE_PLAIN : MODE_STRIDED;
}

/* A number of the dtype, as a parameter. */
static int number_param(tj__gpu_kernel *k, tj_dtype dtype, const tj__param *p) {
  if (tj__gpu_is_float(dtype)) return tj__gpu_param_float(k, p->f);
  return tj__gpu_param(k, dtype == TJ_BOOL ? (p->i != 0 || p->f != 0) : p->i);
}

/* Adjacent elements, single ones and numbers: a step of a chain. */
static bool join(const tj__iter *it, const iteration *f, const tj__params *params) {
  const tj_dtype to = f->dtype[0];
  tj__gpu_step s = {.compute = f->compute, .n_inputs = f->n - 1, .out = it->operands[0].data, .out_dtype = to, .n = it->numel};
  switch (f->kind) {
    case TJ__GPU_POINTWISE: {
      const tj__wgsl_op *op = &tj__wgsl_ops[f->op];
      const tj__wgsl_expression *e = &op->expressions[tj__class_of(f->compute)];
      s.name = op->name, s.code = e->code, s.type = e->type, s.n_scalars = op->params;
      break;
    }
    case TJ__GPU_CONVERT: s.name = "copy", s.code = "x0", s.type = tj__gpu_is_float(f->dtype[1]) ? 'f' : 'i'; break;
    case TJ__GPU_FILL:
      s.name = "fill", s.code = "s0", s.type = tj__gpu_is_float(to) ? 'f' : 'i';
      s.n_scalars = 1, s.compute = to;
      break;
    case TJ__GPU_WHERE: s.name = "where", s.code = "select(x2, x1, x0 != 0)", s.type = tj__gpu_is_float(to) ? 'f' : 'i'; break;
  }
  for (int k = 1; k < f->n; k++) {
    const tj__operand *op = &it->operands[k];
    s.inputs[k - 1].dtype = f->dtype[k];
    if (f->mode[k] == MODE_NUMBER) s.inputs[k - 1].number = tj__param_of(tj__load_scalar(op->data, f->dtype[k]));
    else s.inputs[k - 1].address = op->data, s.inputs[k - 1].still = f->mode[k] == MODE_STILL;
  }
  for (int p = 0; p < s.n_scalars; p++) s.scalars[p] = params->p[p];
  return tj__gpu_fuse(&s);
}

bool tj__gpu_iterate(const tj__iter *it, const void *loop, const tj__params *params) {
  const uintptr_t token = (uintptr_t)loop - 1;
  iteration f = {.kind = (tj__gpu_loop)(token & 3), .compute = (tj_dtype)(token >> 2 & 15), .op = (int)(token >> 6), .n = it->n_operands};
  TJ__CHECK(it->n_outputs == 1, TJ_ERROR_NOT_IMPLEMENTED, "there is no kernel with %d results on webgpu", it->n_outputs);
  bool strided = false;
  for (int k = 0; k < f.n; k++) {
    const tj__operand *op = &it->operands[k];
    const bool number = !tj__is_device_address(op->data);
    const bool converted = number && k > 0 && op->data == it->numbers[k - 1];
    f.dtype[k] = converted ? it->compute : (tj_dtype)op->tensor->dtype;
    f.mode[k] = mode_of(it, k, tj__dtype_sizes[f.dtype[k]]);
    strided |= f.mode[k] == MODE_STRIDED;
  }
  TJ__CHECK(f.mode[0] != MODE_NUMBER, TJ_ERROR_RUNTIME,
            "Expected all tensors to be on the same device, but found at least two devices, webgpu:0 and cpu!");
  if (!strided) return join(it, &f, params);
  f.ndim = it->ndim;
  /* beside strided operands everything that moves has strides */
  for (int k = 0; k < f.n; k++)
    if (f.mode[k] == MODE_PLAIN) f.mode[k] = MODE_STRIDED;
  int words = 1 + f.ndim + 8;
  for (int k = 0; k < f.n; k++) words += f.mode[k] == MODE_STRIDED ? f.ndim : 1;
  TJ__CHECK(words < TJ__GPU_PARAMS - TJ__GPU_OPERANDS, TJ_ERROR_RUNTIME,
            "webgpu: an operator over %d dimensions that do not join is not possible on the device; call contiguous() first", f.ndim);
  tj__gpu_kernel k;
  const char *name = f.kind == TJ__GPU_POINTWISE ? tj__wgsl_ops[f.op].name
                     : f.kind == TJ__GPU_CONVERT ? "copy"
                     : f.kind == TJ__GPU_FILL    ? "fill"
                                                 : "where";
  tj__gpu_kernel_begin(&k, body, &f, "%s %d.%d.%d n%d %s", name, (int)f.kind, f.op, (int)f.compute, f.ndim, f.mode);
  tj__gpu_param(&k, it->numel);
  f.shape = k.n_params;
  for (int d = 0; d < f.ndim; d++) tj__gpu_param(&k, it->shape[d]);
  for (int o = 0; o < f.n; o++) {
    const tj__operand *op = &it->operands[o];
    f.operand[o] = -1;
    if (f.mode[o] == MODE_NUMBER) {
      const tj__param p = tj__param_of(tj__load_scalar(op->data, f.dtype[o]));
      f.stride[o] = number_param(&k, f.dtype[o], &p);
      continue;
    }
    f.operand[o] = tj__gpu_operand_add(&k, op->data, f.dtype[o], o == 0);
    f.stride[o] = k.n_params;
    for (int d = 0; d < f.ndim && f.mode[o] == MODE_STRIDED; d++) tj__gpu_param(&k, op->strides[d] / (int64_t)tj__dtype_sizes[f.dtype[o]]);
  }
  f.scalars = k.n_params;
  const int scalars = f.kind == TJ__GPU_POINTWISE ? tj__wgsl_ops[f.op].params : f.kind == TJ__GPU_FILL;
  for (int p = 0; p < scalars; p++) number_param(&k, f.kind == TJ__GPU_FILL ? f.dtype[0] : f.compute, &params->p[p]);
  return tj__gpu_launch_flat(&k, it->numel);
}
