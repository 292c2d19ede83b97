/* fusion.h: consecutive pointwise operators over the same number of adjacent elements become one kernel. Steps wait until something else is recorded,
 * or the commands are taken; what a step writes and nobody can see any more (its buffer was freed meanwhile) is never stored. */
#ifndef TJ__WEBGPU_FUSION_H
#define TJ__WEBGPU_FUSION_H

#include "iterate.h"
#include "kernel.h"

#define TJ__GPU_INPUTS 5

/* One operator: its code is an expression of x0, x1, ... (inputs) and s0, s1, ... (numbers). */
typedef struct tj__gpu_step {
  const char *name; /* of the operator */
  const char *code;
  char type;        /* of the expression: f, i, c, b */
  tj_dtype compute; /* what s0, ... are numbers of */
  int n_inputs, n_scalars;
  struct {
    const void *address; /* NULL: a number */
    tj_dtype dtype;
    bool still; /* one element for all */
    tj__param number;
  } inputs[TJ__GPU_INPUTS];
  tj__param scalars[8];
  void *out;
  tj_dtype out_dtype;
  int64_t n;
  int64_t event;      /* of the profiler */
  uint32_t operator_; /* tj__gpu_operator */
} tj__gpu_step;

/* Takes the step on: true; false when it failed, with the error set. */
bool tj__gpu_fuse(const tj__gpu_step *step);
/* Records what waits. Called before anything is recorded that could see the difference. */
void tj__gpu_fuse_flush(void);
/* A buffer goes. */
void tj__gpu_fuse_freed(uint32_t buffer);
/* The profiler's event that a launch which is being recorded belongs to: of a chain, that of its last operator. */
int64_t tj__gpu_fuse_event(void);
/* The number of the operator that it belongs to: of a chain, that of all its operators. */
uint32_t tj__gpu_fuse_operator(void);
/* Forgets what waits. */
void tj__gpu_fuse_drop(void);
bool tj__gpu_fuse_waits(void);
/* How many steps may wait; 1: none are joined. */
void tj__gpu_set_fusion(bool on);

/* Around a value of this type: what is stored in the dtype, as tj__gpu_type says. */
void tj__gpu_put_cast(tj__text *t, char type, tj_dtype to, const char *value);

#endif
