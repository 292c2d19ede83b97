/* iter.h: the iterator. It owns broadcasting, the conversion of operands, strides, collapsing of dimensions, overlap checks and the split over
 * threads, so that a pointwise kernel is an inner loop over raw pointers and byte strides. It knows no kernel.
 *
 *     tj__iter it;
 *     tj__iter_spec spec = {.n_outputs = 1, .n_inputs = 2, .outputs = {out}, .inputs = {a, b}, .compute = dtype, .result = dtype};
 *     if (tj__iter_init(&it, &spec)) return NULL;
 *     tj__iter_run(&it, loop, &params);
 *     return tj__iter_finish(&it, 0);
 */
#ifndef TJ__ITER_H
#define TJ__ITER_H

#include "../core/core.h"

#define TJ__ITER_OPERANDS 8

/* Numbers that a loop needs beside its operands, each in every form. */
typedef struct tj__param {
  double f;
  double im;
  int64_t i;
} tj__param;
typedef struct tj__params {
  tj__param p[8];
} tj__params;
tj__param tj__param_of(tj_scalar s);

/* n elements; data[k] and strides[k] (bytes) for operand k: outputs first. strides may be zero or negative. */
typedef void (*tj__loop)(char *const *data, const int64_t *strides, int64_t n, const tj__params *params);

typedef struct tj__iter_spec {
  int n_outputs, n_inputs;
  tj_tensor *outputs[3]; /* NULL: to be allocated. Given: must have the broadcast sizes (in-place), or is resized to them when `resize` */
  tj_tensor *inputs[5];
  tj_dtype compute;    /* inputs are converted to it; TJ_DTYPE_NONE: each keeps its own dtype */
  tj_dtype result;     /* outputs are computed in it; a given output of another dtype is written through a temporary */
  tj_dtype results[3]; /* of each output on its own where it is not 0 (bool is then given through `result`) */
  bool resize;         /* outputs are out= arguments */
  bool no_cast_check;  /* skip the "result type Float can't be cast to the desired output type Long" check */
} tj__iter_spec;

typedef struct tj__operand {
  tj_tensor *tensor;   /* what the loop reads or writes */
  tj_tensor *original; /* of an output: what the caller gave, when `tensor` is a temporary for it */
  char *data;
  int64_t strides[TJ_MAX_DIMS]; /* bytes, by iteration dimension; 0 is the fastest */
} tj__operand;

typedef struct tj__iter {
  int n_operands, n_outputs;
  int ndim;                   /* after collapsing; 0 for one element */
  int64_t shape[TJ_MAX_DIMS]; /* by iteration dimension; 0 is the fastest */
  int64_t numel;
  tj_device device;
  tj_dtype compute, result;
  tj__operand operands[TJ__ITER_OPERANDS];
  _Alignas(16) char numbers[5][16]; /* converted 0-dimensional inputs; operands point here, so an iterator must not be moved */
} tj__iter;

/* Broadcasts, converts, allocates, orders the dimensions as PyTorch's iterator does (outputs take the layout of the inputs), collapses.
 * PyTorch's errors: sizes that do not broadcast, "output with shape [..] doesn't match the broadcast shape [..]", devices that
 * differ, outputs that overlap with themselves or partly with an input. A negative tj_status on failure. */
tj_status tj__iter_init(tj__iter *it, const tj__iter_spec *spec);
/* Runs the loop over all elements, in parallel for many. */
void tj__iter_run(const tj__iter *it, tj__loop loop, const tj__params *params);
/* The same with the number of elements that is worth a thread. */
void tj__iter_run_grain(const tj__iter *it, tj__loop loop, const tj__params *params, int64_t grain);
/* On the calling thread and in the iteration's order, fastest dimension first: what kernels that draw random numbers need. */
void tj__iter_run_serial(const tj__iter *it, tj__loop loop, const tj__params *params);
/* Output k: written back where it had been computed in a temporary. NULL on failure. */
tj_tensor *tj__iter_finish(tj__iter *it, int k);

#endif
