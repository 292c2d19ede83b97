/* kernel.h: how a family of webgpu writes its kernels. A kernel is WGSL text around accessors of its operands: ld0(i) and st0(i, v) read and write
 * element i of operand 0, counted from its address, as f32, i32 or vec2<f32> (complex64); they know the dtype in memory, the offset and which
 * operands share a buffer (which WebGPU wants to be bound once). Numbers that change from call to call are parameters: $3 in the text is number 3 as
 * u32, $i3 as i32, $f3 as f32, $c3 as vec2<f32> of numbers 3 and 4. A pipeline is made once for a name and the dtypes of the operands; the text is
 * written only then. */
#ifndef TJ__WEBGPU_KERNEL_H
#define TJ__WEBGPU_KERNEL_H

#include "../iter/iter.h"
#include "device.h"

typedef struct tj__text {
  char *text;
  size_t n, room;
  bool failed;
} tj__text;
void tj__put(tj__text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Code in which %s would be in the way: as it is. */
void tj__put_code(tj__text *t, const char *code);

#define TJ__GPU_OPERANDS 16
#define TJ__GPU_PARAMS 96
#define TJ__GPU_GROUP 64 /* invocations of a workgroup of a flat kernel */

typedef struct tj__gpu_operand {
  const void *address;
  tj_dtype dtype;
  bool write;
  bool atomic; /* words of atomic<u32>; the kernel uses at0(i), the place of element i, in the place of ld0 and st0 */
  bool vector; /* four elements at a time, see tj__gpu_operand_vector */
} tj__gpu_operand;

typedef struct tj__gpu_kernel {
  char name[96];
  void (*body)(tj__text *t, const void *context);
  const void *context;
  int n;
  tj__gpu_operand operands[TJ__GPU_OPERANDS];
  bool errors;    /* the text calls leave_error(code, a, b), see tj__gpu_error */
  bool subgroups; /* the text calls functions of subgroups, which the adapter has */
  bool complex;   /* the text is right for elements of complex64 too; elsewhere the launch fails on them */
  int n_params;
  uint32_t params[TJ__GPU_PARAMS + 1];
  int64_t groups[3];
} tj__gpu_kernel;

/* Begins a kernel. The name and the operands' dtypes have to say everything that the text depends on. */
void tj__gpu_kernel_begin(tj__gpu_kernel *k, void (*body)(tj__text *, const void *), const void *context, const char *name, ...)
    __attribute__((format(printf, 4, 5)));
/* The number of the operand. */
int tj__gpu_operand_add(tj__gpu_kernel *k, const void *address, tj_dtype dtype, bool write);
/* Whether four elements at once can be reached at the address and at every multiple of four behind it. */
bool tj__gpu_aligned(const void *address, tj_dtype dtype);
/* As tj__gpu_operand_add, of an address that is aligned so: the text also has ldv0(i), the elements i to i + 3 as vec4, and stv0(i, v) for written
 * ones, where i is a multiple of 4. st0 is for places whose neighbours (of four) no other invocation writes. Every written operand that shares
 * the buffer has to be one of these. */
int tj__gpu_operand_vector(tj__gpu_kernel *k, const void *address, tj_dtype dtype, bool write);
/* The number of the parameter. Integers that 32 bits do not hold make the launch fail. */
int tj__gpu_param(tj__gpu_kernel *k, int64_t value);
int tj__gpu_param_float(tj__gpu_kernel *k, double value);
/* A number as the dtype's elements are computed in: as many parameters as tj__gpu_words says, of which the text reads $f, $i or $c
 * (tj__gpu_letter). */
int tj__gpu_param_number(tj__gpu_kernel *k, tj_dtype dtype, const tj__param *value);
/* A number of an integer dtype as the device holds it; an int64 that 32 bits do not hold is an error and 0. */
int64_t tj__gpu_integer(int64_t value, tj_dtype dtype);
/* Records the launch over groups x, y, z. */
bool tj__gpu_launch(tj__gpu_kernel *k, int64_t x, int64_t y, int64_t z);
/* Over n invocations of workgroups of TJ__GPU_GROUP. The text begins with TJ__FLAT, which gives `i`; parameter 0 has to be n. */
bool tj__gpu_launch_flat(tj__gpu_kernel *k, int64_t n);
#define TJ__FLAT                                                                                                                        \
  "@compute @workgroup_size(64)\n"                                                                                                      \
  "fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) nw: vec3<u32>, @builtin(local_invocation_index) li: u32) {\n" \
  "  let i = (wg.x + wg.y * nw.x) * 64u + li;\n"                                                                                        \
  "  if (i >= $0) { return; }\n"
/* The same where an invocation does elements i to i + 3: parameter 0 is how many elements there are, the launch over a fourth of them. */
#define TJ__FLAT4                                                                                                                       \
  "@compute @workgroup_size(64)\n"                                                                                                      \
  "fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) nw: vec3<u32>, @builtin(local_invocation_index) li: u32) {\n" \
  "  let i = ((wg.x + wg.y * nw.x) * 64u + li) * 4u;\n"                                                                                 \
  "  if (i >= $0) { return; }\n"
/* Over n workgroups, any number; the text begins with TJ__GROUPS, which gives `row` and `li`; parameter 0 has to be n. */
bool tj__gpu_launch_groups(tj__gpu_kernel *k, int64_t n);
#define TJ__GROUPS(size)                                                                                                                \
  "@compute @workgroup_size(" #size ")\n"                                                                                               \
  "fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) nw: vec3<u32>, @builtin(local_invocation_index) li: u32) {\n" \
  "  let row = wg.x + wg.y * nw.x;\n"                                                                                                   \
  "  if (row >= $0) { return; }\n"

/* The variable `acc` becomes the combination (`join`, of a and b) of those of all invocations, in a text that has var<workgroup> shared_ of as many
 * elements. */
void tj__gpu_put_total(tj__text *t, const char *acc, const char *join, int group);

/* The body of a flat kernel that stores a value: the context is its text. */
void tj__gpu_value_body(tj__text *t, const void *context);

/* f32, i32 or vec2<f32>: what ld gives for this dtype; and f, i or c. */
const char *tj__gpu_type(tj_dtype dtype);
char tj__gpu_letter(tj_dtype dtype);
static inline bool tj__gpu_is_float(tj_dtype dtype) { return tj__class_of(dtype) == TJ__CLASS_FLOAT; }
/* The format of a value of a type (f, i, c, b) as what st takes for the dtype. Its one %s is the value. */
const char *tj__gpu_cast(char type, tj_dtype to);

/* ---- made from the schema and from math.wgsl: build/gen/webgpu_pointwise.c ----------------------------------------- */

typedef struct tj__wgsl_expression {
  const char *code; /* of x0, x1, ... (tensors) and s0, s1, ... (numbers); NULL: there is none */
  char type;        /* of the value: f, i, c (complex), b (bool) */
} tj__wgsl_expression;
typedef struct tj__wgsl_op {
  const char *name;
  uint8_t inputs, params, rule;       /* rule 'b': the result is bool; 's': of the dtype computed in */
  tj__wgsl_expression expressions[5]; /* by class of dtype; and of int64, where it has to look whether a result fits */
} tj__wgsl_op;
extern const tj__wgsl_op tj__wgsl_ops[];
/* The expression in which an operator computes in the dtype. */
static inline const tj__wgsl_expression *tj__wgsl_expression_of(const tj__wgsl_op *op, tj_dtype dtype) {
  return dtype == TJ_INT64 && op->expressions[4].code ? &op->expressions[4] : &op->expressions[tj__class_of(dtype)];
}
/* Does the text call functions that leave an error where an int64 does not fit? A kernel with such a text has `errors`. */
static inline bool tj__wgsl_checks(const char *code) { return strstr(code, "_l(") != NULL; }
typedef struct tj__wgsl_function {
  const char *name, *code;
} tj__wgsl_function;
extern const tj__wgsl_function tj__wgsl_functions[]; /* ends with a NULL name */
extern const int tj__wgsl_function_count;

#endif
