/* halves.c: pointwise loops of float16 and bfloat16. They compute in float32 and round once, so the float32 loop does the work, on blocks
 * that stay in the first cache; what is left here is the way there and back. A loop of its own for each operator was a third of the
 * library, and no faster. */
#include "cpu/halves.h"

#include "cpu/loop.h"

#define BLOCK 512 /* elements; a buffer is 2 KiB */

static void load_bfloat16(float *restrict to, const char *from, int64_t stride, int64_t n) {
  if (stride == 2) tj__floats_of_brains(to, (const uint16_t *)from, n);
  else
    for (int64_t i = 0; i < n; i++) to[i] = tj__bfloat16_to_float(*(const uint16_t *)(from + i * stride));
}

static void store_bfloat16(char *to, const float *restrict from, int64_t stride, int64_t n) {
  if (stride == 2) tj__brains_of_floats((uint16_t *)to, from, n);
  else
    for (int64_t i = 0; i < n; i++) *(uint16_t *)(to + i * stride) = tj__float_to_bfloat16(from[i]);
}

static void load_float16(float *restrict to, const char *from, int64_t stride, int64_t n) {
  if (stride == 2) tj__floats_of_halves(to, (const uint16_t *)from, n);
  else
    for (int64_t i = 0; i < n; i++) to[i] = tj__half_to_float(*(const uint16_t *)(from + i * stride));
}

static void store_float16(char *to, const float *restrict from, int64_t stride, int64_t n) {
  if (stride == 2) tj__halves_of_floats((uint16_t *)to, from, n);
  else
    for (int64_t i = 0; i < n; i++) *(uint16_t *)(to + i * stride) = tj__float_to_half(from[i]);
}

void TJ__ISA(tj__through_float32)(char *const *data, const int64_t *strides, int64_t n, const tj__params *params, tj__half_loop how) {
  _Alignas(64) float buffers[1 + TJ__HALF_INPUTS][BLOCK];
  const bool brain = how.dtype == TJ_BFLOAT16;
  char *operands[1 + TJ__HALF_INPUTS];
  int64_t steps[1 + TJ__HALF_INPUTS];
  for (int k = 0; k <= how.inputs; k++) {
    operands[k] = (char *)buffers[k];
    steps[k] = sizeof(float);
    if (k > 0 && strides[k] == 0) { /* stands still: converted once, and the float32 loop sees that it does */
      steps[k] = 0;
      (brain ? load_bfloat16 : load_float16)(buffers[k], data[k], 0, 1);
    }
  }
  if (!how.half_result) steps[0] = strides[0];
  for (int64_t at = 0; at < n; at += BLOCK) {
    const int64_t count = TJ__MIN(n - at, (int64_t)BLOCK);
    for (int k = 1; k <= how.inputs; k++)
      if (steps[k]) (brain ? load_bfloat16 : load_float16)(buffers[k], data[k] + at * strides[k], strides[k], count);
    char *to = data[0] + at * strides[0];
    if (!how.half_result) operands[0] = to;
    how.loop(operands, steps, count, params);
    if (how.half_result) (brain ? store_bfloat16 : store_float16)(to, buffers[0], strides[0], count);
  }
}
