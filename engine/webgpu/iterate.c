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
  int operand[TJ__ITER_OPERANDS];    /* its number in the kernel; -1: a number */
  int stride[TJ__ITER_OPERANDS];     /* its first parameter of strides, or of its value */
  int shape, scalars, tiles;         /* first parameters */
  bool vector;                       /* an invocation does four elements along dimension 0, and reads four of what lies across */
  char inner[TJ__ITER_OPERANDS + 1]; /* then, or beside a dimension across: how a strided operand goes along it: 1, 0 or other steps */
  int across;                        /* the dimension along which inputs lie whose inner is t (turned); 0: there are none */
} iteration;

/* let xK = element of operand k (1 is the first input) */
static void put_load(tj__text *t, const iteration *f, int k) {
  if (f->mode[k] == MODE_NUMBER) {
    tj__put(t, "  let x%d = $%c%d;\n", k - 1, tj__gpu_letter(f->dtype[k]), f->stride[k]);
    return;
  }
  tj__put(t, "  let x%d = ld%d(", k - 1, f->operand[k]);
  if (f->mode[k] == MODE_PLAIN) tj__put(t, "i");
  else if (f->mode[k] == MODE_STILL) tj__put(t, "0u");
  else
    for (int d = 0; d < f->ndim; d++) tj__put(t, "%sc%d * $%d", d ? " + " : "", d, f->stride[k] + d);
  tj__put(t, ");\n");
}

/* `value` from x0, x1, ...; gives the expression of what is stored. */
static void put_value(tj__text *t, const iteration *f, char *value, size_t room) {
  const tj_dtype to = f->dtype[0];
  switch (f->kind) {
    case TJ__GPU_POINTWISE: {
      const tj__wgsl_op *op = &tj__wgsl_ops[f->op];
      const tj__wgsl_expression *e = tj__wgsl_expression_of(op, f->compute);
      for (int p = 0; p < op->params; p++)
        tj__put(t, "  let s%d = $%c%d;\n", p, tj__gpu_letter(f->compute), f->scalars + p * tj__gpu_words(f->compute));
      tj__put(t, "  let value = %s;\n", e->code);
      snprintf(value, room, tj__gpu_cast(e->type, to), "value");
      break;
    }
    case TJ__GPU_CONVERT: snprintf(value, room, tj__gpu_cast(tj__gpu_letter(f->dtype[1]), to), "x0"); break;
    case TJ__GPU_FILL: snprintf(value, room, "$%c%d", tj__gpu_letter(to), f->scalars); break;
    case TJ__GPU_WHERE: snprintf(value, room, "select(x2, x1, x0 != 0)"); break;
  }
}

/* c0, c1, ...: where number `from` is. */
static void put_coordinates(tj__text *t, const iteration *f) {
  for (int d = 0; d < f->ndim; d++) {
    const bool last = d == f->ndim - 1;
    char from[16] = "i";
    if (d) snprintf(from, sizeof from, "q%d", d - 1);
    if (last) tj__put(t, "  let c%d = %s;\n", d, from);
    else tj__put(t, "  let c%d = %s %% $%d;\n  let q%d = %s / $%d;\n", d, from, f->shape + d, d, from, f->shape + d);
  }
}

/* Four elements an invocation: a function of one, called four times. */
static void vector_body(tj__text *t, const iteration *f) {
  char value[1024] = "";
  tj__put(t, "fn element(");
  for (int k = 1; k < f->n; k++) tj__put(t, "%sx%d: %s", k > 1 ? ", " : "", k - 1, tj__gpu_type(f->dtype[k]));
  tj__put(t, ") -> %s {\n", tj__gpu_type(f->dtype[0]));
  put_value(t, f, value, sizeof value);
  tj__put(t, "  return %s;\n}\n", value);
  tj__put_code(t, TJ__FLAT4);
  put_coordinates(t, f);
  for (int k = 0; k < f->n; k++) {
    if (f->mode[k] == MODE_NUMBER) {
      tj__put(t, "  let x%d = $%c%d;\n", k - 1, tj__gpu_letter(f->dtype[k]), f->stride[k]);
      continue;
    }
    if (f->mode[k] == MODE_STILL) {
      tj__put(t, "  let x%d = ld%d(0u);\n", k - 1, f->operand[k]);
      continue;
    }
    tj__put(t, "  let at%d = c0 * $%d", k, f->stride[k]);
    for (int d = 1; d < f->ndim; d++) tj__put(t, " + c%d * $%d", d, f->stride[k] + d);
    tj__put(t, ";\n");
    if (k == 0) continue;
    const int o = f->operand[k], step = f->stride[k];
    if (f->inner[k] == '1') tj__put(t, "  let x%d = ldv%d(at%d);\n", k - 1, o, k);
    else if (f->inner[k] == '0') tj__put(t, "  let x%d = ld%d(at%d);\n", k - 1, o, k);
    else
      tj__put(t, "  let x%d = vec4<%s>(ld%d(at%d), ld%d(at%d + $%d), ld%d(at%d + 2u * $%d), ld%d(at%d + 3u * $%d));\n", k - 1,
              tj__gpu_type(f->dtype[k]), o, k, o, k, step, o, k, step, o, k, step);
  }
  tj__put(t, "  stv%d(at0, vec4<%s>(", f->operand[0], tj__gpu_type(f->dtype[0]));
  for (int e = 0; e < 4; e++) {
    tj__put(t, "%selement(", e ? ", " : "");
    for (int k = 1; k < f->n; k++) {
      tj__put(t, "%sx%d", k > 1 ? ", " : "", k - 1);
      if (f->mode[k] == MODE_STRIDED && f->inner[k] != '0') tj__put(t, ".%c", "xyzw"[e]);
    }
    tj__put(t, ")");
  }
  tj__put(t, "));\n}\n");
}

/* Inputs whose neighbours in memory lie along another dimension than the output's go through tiles of SIDE x SIDE in the workgroup's memory: everything
 * is read and written in the order of its memory. Parameters behind the scalars: tiles along 0 and along `across`. */
#define SIDE 32
/* Four elements an invocation, for which all of a tile's are there at once. */
static void turned_fours(tj__text *t, const iteration *f) {
  tj__put(t, "  let x = li %% %du * 4u;\n  let y = li / %du;\n", SIDE / 4, SIDE / 4);
  for (int k = 1; k < f->n; k++) {
    if (f->mode[k] == MODE_NUMBER) tj__put(t, "  let x%d = $%c%d;\n", k - 1, tj__gpu_letter(f->dtype[k]), f->stride[k]);
    if (f->mode[k] == MODE_STILL) tj__put(t, "  let x%d = ld%d(0u);\n", k - 1, f->operand[k]);
    if (f->inner[k] != 't') continue;
    tj__put(t, "  if (t0 + y < $%d && t1 + x < $%d) {\n    let v = ldv%d(base%d + (t0 + y) * $%d + t1 + x);\n    let to = y * %du + x;\n",
            f->shape, f->shape + f->across, f->operand[k], k, f->stride[k], SIDE + 1);
    for (int e = 0; e < 4; e++) tj__put(t, "    tile%d[to + %du] = v.%c;\n", k, e, "xyzw"[e]);
    tj__put(t, "  }\n");
  }
  tj__put(t, "  workgroupBarrier();\n  if (t0 + x >= $%d || t1 + y >= $%d) { return; }\n", f->shape, f->shape + f->across);
  for (int k = 1; k < f->n; k++) {
    if (f->mode[k] != MODE_STRIDED) continue;
    const char *T = tj__gpu_type(f->dtype[k]);
    const int o = f->operand[k], along = f->stride[k], across = f->stride[k] + f->across;
    if (f->inner[k] == 't') {
      tj__put(t, "  let from%d = x * %du + y;\n  let x%d = vec4<%s>(", k, SIDE + 1, k - 1, T);
      for (int e = 0; e < 4; e++) tj__put(t, "%stile%d[from%d + %du]", e ? ", " : "", k, k, e * (SIDE + 1));
      tj__put(t, ");\n");
      continue;
    }
    tj__put(t, "  let at%d = base%d + (t0 + x) * $%d + (t1 + y) * $%d;\n", k, k, along, across);
    if (f->inner[k] == '1') tj__put(t, "  let x%d = ldv%d(at%d);\n", k - 1, o, k);
    else if (f->inner[k] == '0') tj__put(t, "  let x%d = vec4<%s>(ld%d(at%d));\n", k - 1, T, o, k);
    else
      tj__put(t, "  let x%d = vec4<%s>(ld%d(at%d), ld%d(at%d + $%d), ld%d(at%d + 2u * $%d), ld%d(at%d + 3u * $%d));\n", k - 1, T, o, k, o,
              k, along, o, k, along, o, k, along);
  }
  tj__put(t, "  stv%d(base0 + t0 + x + (t1 + y) * $%d, vec4<%s>(", f->operand[0], f->stride[0] + f->across, tj__gpu_type(f->dtype[0]));
  for (int e = 0; e < 4; e++) {
    tj__put(t, "%selement(", e ? ", " : "");
    for (int k = 1; k < f->n; k++) {
      tj__put(t, "%sx%d", k > 1 ? ", " : "", k - 1);
      if (f->mode[k] == MODE_STRIDED) tj__put(t, ".%c", "xyzw"[e]);
    }
    tj__put(t, ")");
  }
  tj__put(t, "));\n}\n");
}

static void turned_body(tj__text *t, const iteration *f) {
  const int tiles = f->tiles, rows = 256 / SIDE;
  const char *const inside = "t0 + %s < $%d && t1 + %s < $%d";
  char value[1024] = "", guard[96];
  for (int k = 1; k < f->n; k++)
    if (f->inner[k] == 't') tj__put(t, "var<workgroup> tile%d: array<%s, %d>;\n", k, tj__gpu_type(f->dtype[k]), SIDE * (SIDE + 1));
  tj__put(t, "fn element(");
  for (int k = 1; k < f->n; k++) tj__put(t, "%sx%d: %s", k > 1 ? ", " : "", k - 1, tj__gpu_type(f->dtype[k]));
  tj__put(t, ") -> %s {\n", tj__gpu_type(f->dtype[0]));
  put_value(t, f, value, sizeof value);
  tj__put(t, "  return %s;\n}\n", value);
  tj__put_code(t, TJ__GROUPS(256));
  tj__put(t, "  let t0 = row %% $%d * %du;\n  let t1 = row / $%d %% $%d * %du;\n  var rest = row / $%d / $%d;\n", tiles, SIDE, tiles,
          tiles + 1, SIDE, tiles, tiles + 1);
  for (int k = 0; k < f->n; k++)
    if (f->mode[k] == MODE_STRIDED) tj__put(t, "  var base%d = 0u;\n", k);
  for (int d = 1; d < f->ndim; d++) {
    if (d == f->across) continue;
    tj__put(t, "  let c%d = rest %% $%d;\n  rest = rest / $%d;\n", d, f->shape + d, f->shape + d);
    for (int k = 0; k < f->n; k++)
      if (f->mode[k] == MODE_STRIDED) tj__put(t, "  base%d += c%d * $%d;\n", k, d, f->stride[k] + d);
  }
  if (f->vector) {
    turned_fours(t, f);
    return;
  }
  tj__put(t, "  let x = li %% %du;\n  let y = li / %du;\n", SIDE, SIDE);
  for (int k = 1; k < f->n; k++) { /* all loads are on their way before the first is stored */
    if (f->inner[k] != 't') continue;
    for (int q = 0; q < SIDE; q += rows) {
      char down[24];
      snprintf(down, sizeof down, "y + %du", q);
      snprintf(guard, sizeof guard, inside, down, f->shape, "x", f->shape + f->across);
      tj__put(t, "  var v%d_%d: %s;\n  if (%s) { v%d_%d = ld%d(base%d + (t0 + y + %du) * $%d + (t1 + x) * $%d); }\n", k, q,
              tj__gpu_type(f->dtype[k]), guard, k, q, f->operand[k], k, q, f->stride[k], f->stride[k] + f->across);
    }
  }
  for (int k = 1; k < f->n; k++)
    for (int q = 0; f->inner[k] == 't' && q < SIDE; q += rows)
      tj__put(t, "  tile%d[(y + %du) * %du + x] = v%d_%d;\n", k, q, SIDE + 1, k, q);
  for (int k = 1; k < f->n; k++) {
    if (f->mode[k] == MODE_NUMBER) tj__put(t, "  let x%d = $%c%d;\n", k - 1, tj__gpu_letter(f->dtype[k]), f->stride[k]);
    if (f->mode[k] == MODE_STILL) tj__put(t, "  let x%d = ld%d(0u);\n", k - 1, f->operand[k]);
  }
  tj__put(t, "  workgroupBarrier();\n");
  for (int q = 0; q < SIDE; q += rows) {
    char down[24];
    snprintf(down, sizeof down, "y + %du", q);
    snprintf(guard, sizeof guard, inside, "x", f->shape, down, f->shape + f->across);
    tj__put(t, "  if (%s) { st%d(base0 + (t0 + x) * $%d + (t1 + y + %du) * $%d, element(", guard, f->operand[0], f->stride[0], q,
            f->stride[0] + f->across);
    for (int k = 1; k < f->n; k++) {
      if (k > 1) tj__put(t, ", ");
      if (f->mode[k] != MODE_STRIDED) tj__put(t, "x%d", k - 1);
      else if (f->inner[k] == 't') tj__put(t, "tile%d[x * %du + y + %du]", k, SIDE + 1, q);
      else tj__put(t, "ld%d(base%d + (t0 + x) * $%d + (t1 + y + %du) * $%d)", f->operand[k], k, f->stride[k], q, f->stride[k] + f->across);
    }
    tj__put(t, ")); }\n");
  }
  tj__put(t, "}\n");
}

static void body(tj__text *t, const void *context) {
  const iteration *f = context;
  if (f->across) {
    turned_body(t, f);
    return;
  }
  if (f->vector) {
    vector_body(t, f);
    return;
  }
  char value[1024] = "";
  tj__put_code(t, TJ__FLAT);
  put_coordinates(t, f);
  for (int k = 1; k < f->n; k++) put_load(t, f, k);
  put_value(t, f, value, sizeof value);
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

static int64_t step_of(const tj__iter *it, const iteration *f, int k, int d) {
  return it->operands[k].strides[d] / (int64_t)tj__dtype_sizes[f->dtype[k]];
}

/* Can operand k be read or written four elements at a time, along dimension `run`? */
static bool by_fours(const tj__iter *it, const iteration *f, int k, int run) {
  if (step_of(it, f, k, run) != 1 || it->shape[run] % 4 != 0 || !tj__gpu_aligned(it->operands[k].data, f->dtype[k])) return false;
  for (int d = 0; d < it->ndim; d++)
    if (d != run && step_of(it, f, k, d) % 4 != 0) return false;
  return true;
}

/* Can four elements be done at once: are those of the output neighbours, and where are the inputs'? */
static void find_vector(const tj__iter *it, iteration *f) {
  f->vector = f->mode[0] == MODE_STRIDED && by_fours(it, f, 0, 0) && (f->across || it->numel >= 4096);
  for (int k = 1; k < f->n && f->across; k++)
    if (f->inner[k] == 't') f->vector &= by_fours(it, f, k, f->across);
  for (int k = 0; k < f->n; k++) f->vector &= f->dtype[k] != TJ_COMPLEX64;
  for (int k = 0; k < f->n && f->vector; k++)
    if (f->mode[k] == MODE_STRIDED && f->inner[k] != 't') f->inner[k] = by_fours(it, f, k, 0) ? '1' : step_of(it, f, k, 0) == 0 ? '0' : 's';
}

/* The dimension that is an input's fastest, where it is not the output's, and both are long. */
static void find_across(const tj__iter *it, iteration *f) {
  if (f->mode[0] != MODE_STRIDED || it->shape[0] < SIDE / 2 || step_of(it, f, 0, 0) != 1) return;
  int room = 16384 / 4 / (SIDE * (SIDE + 1)); /* words of an element that there are tiles for */
  for (int k = 1; k < f->n; k++) {
    f->inner[k] = '-';
    if (f->mode[k] != MODE_STRIDED || step_of(it, f, k, 0) == 1 || step_of(it, f, k, 0) == 0) continue;
    for (int d = 1; d < it->ndim && !f->across; d++)
      if (step_of(it, f, k, d) == 1 && it->shape[d] >= SIDE / 2) f->across = d;
    if (!f->across || step_of(it, f, k, f->across) != 1 || room < tj__gpu_words(f->dtype[k])) continue;
    room -= tj__gpu_words(f->dtype[k]);
    f->inner[k] = 't';
  }
  f->inner[0] = '-';
}

/* Adjacent elements, single ones and numbers: a step of a chain. */
static bool join(const tj__iter *it, const iteration *f, const tj__params *params) {
  const tj_dtype to = f->dtype[0];
  tj__gpu_step s = {.compute = f->compute, .n_inputs = f->n - 1, .out = it->operands[0].data, .out_dtype = to, .n = it->numel};
  switch (f->kind) {
    case TJ__GPU_POINTWISE: {
      const tj__wgsl_op *op = &tj__wgsl_ops[f->op];
      const tj__wgsl_expression *e = tj__wgsl_expression_of(op, f->compute);
      s.name = op->name, s.code = e->code, s.type = e->type, s.n_scalars = op->params;
      break;
    }
    case TJ__GPU_CONVERT: s.name = "copy", s.code = "x0", s.type = tj__gpu_letter(f->dtype[1]); break;
    case TJ__GPU_FILL:
      s.name = "fill", s.code = "s0", s.type = tj__gpu_letter(to);
      s.n_scalars = 1, s.compute = to;
      break;
    case TJ__GPU_WHERE: s.name = "where", s.code = "select(x2, x1, x0 != 0)", s.type = tj__gpu_letter(to); break;
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
  int words = 1 + f.ndim + 8 * tj__gpu_words(f.compute) + 2;
  for (int k = 0; k < f.n; k++) words += f.mode[k] == MODE_STRIDED ? f.ndim : tj__gpu_words(f.dtype[k]);
  TJ__CHECK(words < TJ__GPU_PARAMS - TJ__GPU_OPERANDS, TJ_ERROR_RUNTIME,
            "webgpu: an operator over %d dimensions that do not join is not possible on the device; call contiguous() first", f.ndim);
  tj__gpu_kernel k;
  const char *name = f.kind == TJ__GPU_POINTWISE ? tj__wgsl_ops[f.op].name
                     : f.kind == TJ__GPU_CONVERT ? "copy"
                     : f.kind == TJ__GPU_FILL    ? "fill"
                                                 : "where";
  find_across(it, &f);
  find_vector(it, &f);
  tj__gpu_kernel_begin(&k, body, &f, "%s %d.%d.%d n%d %s", name, (int)f.kind, f.op, (int)f.compute, f.ndim, f.mode);
  int64_t groups = 1;
  if (f.across) {
    for (int d = 0; d < f.ndim; d++) groups *= d == 0 || d == f.across ? (it->shape[d] + SIDE - 1) / SIDE : it->shape[d];
    snprintf(k.name + strlen(k.name), sizeof k.name - strlen(k.name), " turned%s %d %s", f.vector ? "4" : "", f.across, f.inner);
  } else if (f.vector) {
    size_t used = strlen(k.name);
    k.name[used++] = ' ';
    for (int o = 0; o < f.n && used < sizeof k.name - 1; o++) k.name[used++] = f.mode[o] == MODE_STRIDED ? f.inner[o] : '-';
    k.name[used] = 0;
  }
  if (f.kind == TJ__GPU_POINTWISE) k.errors = tj__wgsl_checks(tj__wgsl_expression_of(&tj__wgsl_ops[f.op], f.compute)->code);
  for (int o = 1; o < f.n; o++) k.errors |= f.dtype[0] == TJ_INT64 && tj__gpu_letter(f.dtype[o]) != 'i'; /* a number becomes an integer */
  k.errors |= f.dtype[0] == TJ_INT64 && f.kind == TJ__GPU_POINTWISE && tj__gpu_letter(f.compute) != 'i';
  k.complex = true;
  tj__gpu_param(&k, f.across ? groups : it->numel);
  f.shape = k.n_params;
  for (int d = 0; d < f.ndim; d++) tj__gpu_param(&k, it->shape[d]);
  for (int o = 0; o < f.n; o++) {
    const tj__operand *op = &it->operands[o];
    f.operand[o] = -1;
    if (f.mode[o] == MODE_NUMBER) {
      const tj__param p = tj__param_of(tj__load_scalar(op->data, f.dtype[o]));
      f.stride[o] = tj__gpu_param_number(&k, f.dtype[o], &p);
      continue;
    }
    f.operand[o] = tj__gpu_operand_add(&k, op->data, f.dtype[o], o == 0);
    k.operands[f.operand[o]].vector = f.vector && f.mode[o] == MODE_STRIDED && (f.inner[o] == '1' || f.inner[o] == 't');
    f.stride[o] = k.n_params;
    for (int d = 0; d < f.ndim && f.mode[o] == MODE_STRIDED; d++) tj__gpu_param(&k, op->strides[d] / (int64_t)tj__dtype_sizes[f.dtype[o]]);
  }
  f.scalars = k.n_params;
  const int scalars = f.kind == TJ__GPU_POINTWISE ? tj__wgsl_ops[f.op].params : f.kind == TJ__GPU_FILL;
  for (int p = 0; p < scalars; p++) tj__gpu_param_number(&k, f.kind == TJ__GPU_FILL ? f.dtype[0] : f.compute, &params->p[p]);
  if (f.across) {
    f.tiles = k.n_params;
    tj__gpu_param(&k, (it->shape[0] + SIDE - 1) / SIDE), tj__gpu_param(&k, (it->shape[f.across] + SIDE - 1) / SIDE);
    return tj__gpu_launch_groups(&k, groups);
  }
  return tj__gpu_launch_flat(&k, f.vector ? it->numel / 4 : it->numel);
}
