/* attention.c: attention on the CPU in blocks of rows and columns (Dao and others, "FlashAttention: fast and memory-efficient exact attention with
 * IO-awareness", 2022): the scores of a block live in the cache, and a running maximum and sum make the softmax of a row right in the end. */
#include "../kernels/attention.h"

#include <math.h>

#include "math.h"
#include "tile.h"
#include "vector16.h"

#define ROWS_AT_ONCE (GEMM_VECTOR_BYTES == 64 ? 8 : 4)
enum { ROWS = 32, COLUMNS = 128, TASKS = 16 }; /* of a block; pieces that work is cut into, each with its own room to work in */

typedef struct job {
  const tj__attention *a;
  const void *grad, *out_of, *logs_of;
  void *out, *logs, *query, *key, *value;
  /* packed, padded with zeros: key' and value' for each of their batches, value and key with rows of whole vectors */
  void *key_t, *value_t, *values, *keys;
  int64_t columns, width, value_width; /* padded */
  int64_t blocks, chunk;
  char *room;
  size_t room_size;
} job;

static int64_t round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

#define T float
#define SUFFIX f32
#define EXP exp_f32
#include "tile_transpose.inc"
#include "attention_loops.inc"
#undef T
#undef SUFFIX
#undef EXP

#define T double
#define SUFFIX f64
#define EXP exp_f64
#include "tile_transpose.inc"
#include "attention_loops.inc"
#undef T
#undef SUFFIX
#undef EXP

/* Packs key and value, and runs body over n tasks with `elements` of room each. backward: packs what that needs. */
static bool run(job *j, bool backward, int64_t n, int64_t elements, tj__range_body pack, tj__range_body body) {
  const tj__attention *a = j->a;
  const size_t size = tj__dtype_sizes[a->dtype];
  const int64_t keys = a->batches / a->group, pairs = 2 * GEMM_VECTOR_BYTES / (int64_t)size;
  j->columns = round_up(a->columns, COLUMNS);
  j->width = round_up(a->width, pairs);
  j->value_width = round_up(a->value_width, pairs);
  j->chunk = (n + TASKS - 1) / TASKS;
  j->room_size = (size_t)round_up(elements + (ROWS + (backward ? j->columns : 0)) * (j->width + j->value_width), 64) * size;
  const size_t transposed = (size_t)(keys * a->width * j->columns) * size,
               transposed2 = (size_t)(keys * a->value_width * j->columns) * size;
  const size_t rows = (size_t)(keys * a->columns * j->value_width) * size, rows2 = (size_t)(keys * a->columns * j->width) * size;
  const size_t total = transposed + (backward ? transposed2 + rows2 : rows) + TASKS * j->room_size;
  char *memory = tj__alloc(total), *p = memory;
  if (!memory) return false;
  j->room = p, p += TASKS * j->room_size;
  j->key_t = p, p += transposed;
  if (backward) j->value_t = p, j->keys = p + transposed2;
  else j->values = p;
  tj__parallel_for(keys, TJ__MAX(1, TJ__GRAIN / TJ__MAX(1, a->columns * a->width)), pack, j);
  tj__parallel_chunks(n, j->chunk, body, j);
  tj__free(memory, total);
  return true;
}

static bool forward(const tj__attention *a, void *out, void *logs) {
  job j = {.a = a, .out = out, .logs = logs, .blocks = (a->rows + ROWS - 1) / ROWS};
  const bool single = a->dtype == TJ_FLOAT32;
  return run(&j, false, a->batches * j.blocks, ROWS * COLUMNS, single ? pack_f32 : pack_f64, single ? forward_f32 : forward_f64);
}

static bool backward(const tj__attention *a, const void *grad, const void *out, const void *logs, void *query, void *key, void *value) {
  job j = {.a = a,
           .grad = grad,
           .out_of = out,
           .logs_of = logs,
           .query = query,
           .key = key,
           .value = value,
           .blocks = (a->rows + ROWS - 1) / ROWS};
  const bool single = a->dtype == TJ_FLOAT32;
  return run(&j, true, a->batches / a->group, 2 * ROWS * COLUMNS + ROWS * round_up(a->width, 2 * GEMM_VECTOR_BYTES),
             single ? pack_f32 : pack_f64, single ? backward_f32 : backward_f64);
}

const tj__attention_kernels TJ__ISA(tj__cpu_attention) = {.forward = forward, .backward = backward};
