/* recurrent.c: recurrent layers on the CPU: a thread takes rows of the batch through all steps. */
#include "../kernels/recurrent.h"

#include <math.h>

#include "../kernels/gemm.h"
#include "../kernels/pointwise.h"
#include "loop.h"
#include "math.h"
#include "tile.h"

extern const tj__gemm_kernels TJ__ISA(tj__cpu_gemm);
extern const tj__pointwise_kernels TJ__ISA(tj__cpu_pointwise);

#define T float
#define SUFFIX f32
#define DTYPE TJ_FLOAT32
#include "tile_transpose.inc"
#include "tile_rows.inc"
#include "recurrent_layer.inc"

#define T double
#define SUFFIX f64
#define DTYPE TJ_FLOAT64
#include "tile_transpose.inc"
#include "tile_rows.inc"
#include "recurrent_layer.inc"

static bool forward(const tj__recurrent *r) { return r->dtype == TJ_FLOAT64 ? forward_f64(r) : forward_f32(r); }
static bool backward(const tj__recurrent *r, const tj__recurrent_grad *g) {
  return r->dtype == TJ_FLOAT64 ? backward_f64(r, g) : backward_f32(r, g);
}

const tj__recurrent_kernels TJ__ISA(tj__cpu_recurrent) = {forward, backward};
