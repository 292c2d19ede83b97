/* run.c: running a loop over an iterator's elements: rows of the fastest dimension, split over threads by element counts. */
#include "../kernels/backend.h"
#include "../kernels/copy.h"
#include "iter.h"

typedef struct job {
  const tj__iter *it;
  tj__loop loop;
  const tj__params *params;
  int first, second; /* the iteration dimensions that make a row, and the rows' next */
} job;

static void run_range(int64_t begin, int64_t end, void *context) {
  const job *j = context;
  const tj__iter *it = j->it;
  int n_operands = it->n_operands, ndim = it->ndim;
  char *data[TJ__ITER_OPERANDS];
  int64_t strides[TJ__ITER_OPERANDS];
  if (ndim <= 1) {
    for (int k = 0; k < n_operands; k++) {
      strides[k] = it->operands[k].strides[0];
      data[k] = it->operands[k].data + begin * strides[k];
    }
    j->loop(data, strides, end - begin, j->params);
    return;
  }
  /* dims[i]: the iteration dimension that runs i-th fastest here */
  int dims[TJ_MAX_DIMS];
  dims[0] = j->first;
  dims[1] = j->second;
  for (int d = 2; d < ndim; d++) dims[d] = d;
  int64_t at[TJ_MAX_DIMS], rest = begin;
  for (int k = 0; k < n_operands; k++) {
    strides[k] = it->operands[k].strides[dims[0]];
    data[k] = it->operands[k].data;
  }
  for (int i = 0; i < ndim; i++) {
    at[i] = rest % it->shape[dims[i]];
    rest /= it->shape[dims[i]];
    for (int k = 0; k < n_operands; k++) data[k] += at[i] * it->operands[k].strides[dims[i]];
  }
  int64_t row = it->shape[dims[0]];
  for (;;) {
    int64_t n = TJ__MIN(row - at[0], end - begin);
    j->loop(data, strides, n, j->params);
    begin += n;
    if (begin >= end) return;
    for (int k = 0; k < n_operands; k++) data[k] -= at[0] * strides[k];
    at[0] = 0;
    for (int i = 1; i < ndim; i++) {
      int d = dims[i];
      for (int k = 0; k < n_operands; k++) data[k] += it->operands[k].strides[d];
      if (++at[i] < it->shape[d]) break;
      for (int k = 0; k < n_operands; k++) data[k] -= it->shape[d] * it->operands[k].strides[d];
      at[i] = 0;
    }
  }
}

/* Tiles of a plane of dimensions 0 and 1, for operands of which one is adjacent along the other dimension than the rest: walking a whole row
 * would touch a line of memory an element, and come back to it long after it has left the cache. */
enum { TILE_ROWS = 32, TILE_BYTES = 16384, TILE_INPUTS = 2, SHORT_ROWS = 256 };

/* An input whose elements are adjacent down the columns is turned first, a tile of it, so that the loop finds adjacent elements everywhere. */
typedef struct tiles {
  job job;
  int64_t columns; /* of a tile */
  int turned[TILE_INPUTS], n_turned;
  int64_t sizes[TILE_INPUTS];
  const tj__copy_kernels *kernels;
} tiles;

static bool crosses(const tj__iter *it, tiles *t) {
  t->columns = 64;
  t->n_turned = 0;
  if (it->shape[0] < 64 || it->shape[1] < 8) return false;
  bool found = false;
  for (int k = 0; k < it->n_operands; k++) {
    int64_t along = it->operands[k].strides[0], across = it->operands[k].strides[1];
    int64_t far = along < 0 ? -along : along, near = across < 0 ? -across : across;
    if (near == 0 || near > 16 || far < 64) continue;
    found = true;
    if (k < it->n_outputs || !it->operands[k].tensor || t->n_turned == TILE_INPUTS) continue;
    const int64_t size = tj__dtype_sizes[it->operands[k].tensor->dtype];
    if (across != size) continue;
    t->sizes[t->n_turned] = size;
    t->turned[t->n_turned++] = k;
  }
  for (int i = 0; i < t->n_turned; i++) t->columns = TJ__MIN(i ? t->columns : 256, TILE_BYTES / TILE_ROWS / t->sizes[i]);
  return found;
}

static void run_tiles(int64_t begin, int64_t end, void *context) {
  const tiles *t = context;
  const tj__iter *it = t->job.it;
  char buffers[TILE_INPUTS][TILE_BYTES] __attribute__((aligned(64)));
  const int first = t->job.first, second = t->job.second;
  int64_t width = (it->shape[first] + t->columns - 1) / t->columns, height = (it->shape[second] + TILE_ROWS - 1) / TILE_ROWS;
  for (int64_t tile = begin; tile < end; tile++) {
    int64_t plane = tile / (width * height), row = tile / width % height * TILE_ROWS, column = tile % width * t->columns;
    int64_t rows = TJ__MIN(TILE_ROWS, it->shape[second] - row), columns = TJ__MIN(t->columns, it->shape[first] - column);
    char *data[TJ__ITER_OPERANDS];
    int64_t strides[TJ__ITER_OPERANDS], down[TJ__ITER_OPERANDS];
    for (int k = 0; k < it->n_operands; k++) {
      const tj__operand *op = &it->operands[k];
      strides[k] = op->strides[first];
      down[k] = op->strides[second];
      data[k] = op->data + column * op->strides[first] + row * op->strides[second];
    }
    for (int d = 2; d < it->ndim; d++) {
      int64_t at = plane % it->shape[d];
      plane /= it->shape[d];
      for (int k = 0; k < it->n_operands; k++) data[k] += at * it->operands[k].strides[d];
    }
    for (int i = 0; i < t->n_turned; i++) {
      const int k = t->turned[i];
      const int64_t size = t->sizes[i];
      /* columns of a tile lie a power of two apart often enough: a few of them at a time stay in the first cache */
      for (int64_t c = 0; c < columns; c += 8)
        t->kernels->transpose[__builtin_ctz((unsigned)size)](buffers[i] + c * size, t->columns * size, data[k] + c * strides[k], strides[k],
                                                             TJ__MIN(8, columns - c), rows);
      data[k] = buffers[i];
      strides[k] = size;
      down[k] = t->columns * size;
    }
    for (int64_t r = 0; r < rows; r++) {
      t->job.loop(data, strides, columns, t->job.params);
      for (int k = 0; k < it->n_operands; k++) data[k] += down[k];
    }
  }
}

/* A failure stays as the thread's error, where tj__iter_finish finds it. */
static void run_on_device(const tj__iter *it, tj__loop loop, const tj__params *params) {
  const tj__backend *backend = tj__backend_of(it->device);
  if (!backend) return;
  if (!loop) tj__fail(TJ_ERROR_NOT_IMPLEMENTED, "there is no kernel for this dtype on %s", tj__device_name(it->device));
  else backend->iterate(it, (const void *)(uintptr_t)loop, params);
}

/* Short rows of which an operand is the same in each (a bias): several copies of it side by side make rows that are long enough. */
enum { REPEATED_BYTES = 8192, REPEATED_OPERANDS = 2 };
typedef struct repeated {
  job job;
  int64_t row, block;              /* elements of a row; of the rows that a call takes */
  char *copies[TJ__ITER_OPERANDS]; /* or NULL: the operand goes on from row to row */
} repeated;

/* Whether the copies pay; how many rows a block has. */
static int64_t rows_repeated(const tj__iter *it, bool *repeats) {
  if (it->ndim != 2 || it->shape[0] < 8 || it->shape[1] < 8) return 0;
  int64_t rows = it->shape[1];
  int found = 0;
  for (int k = 0; k < it->n_operands; k++) {
    const int64_t along = it->operands[k].strides[0], across = it->operands[k].strides[1];
    repeats[k] = across == 0 && along != 0;
    if (!repeats[k] && across != along * it->shape[0]) return 0;
    if (!repeats[k]) continue;
    if (k < it->n_outputs || !it->operands[k].tensor) return 0;
    const int64_t size = tj__dtype_sizes[it->operands[k].tensor->dtype];
    if (along != size || ++found > REPEATED_OPERANDS) return 0;
    rows = TJ__MIN(rows, REPEATED_BYTES / (size * it->shape[0]));
  }
  return found ? rows : 0;
}

static void run_repeated(int64_t begin, int64_t end, void *context) {
  const repeated *r = context;
  const tj__iter *it = r->job.it;
  int64_t strides[TJ__ITER_OPERANDS];
  for (int k = 0; k < it->n_operands; k++) strides[k] = it->operands[k].strides[0];
  for (int64_t block = begin; block < end; block++) {
    char *data[TJ__ITER_OPERANDS];
    for (int k = 0; k < it->n_operands; k++)
      data[k] = r->copies[k] ? r->copies[k] : it->operands[k].data + block * r->block * it->operands[k].strides[0];
    r->job.loop(data, strides, TJ__MIN(r->block, it->numel - block * r->block), r->job.params);
  }
}

static bool try_repeated(const job *j, int64_t grain) {
  const tj__iter *it = j->it;
  bool repeats[TJ__ITER_OPERANDS];
  const int64_t rows = rows_repeated(it, repeats);
  if (rows < 2) return false;
  char buffers[REPEATED_OPERANDS][REPEATED_BYTES] __attribute__((aligned(64)));
  repeated r = {*j, it->shape[0], it->shape[0] * rows, {NULL}};
  for (int k = 0, used = 0; k < it->n_operands; k++) {
    if (!repeats[k]) continue;
    const int64_t bytes = it->shape[0] * it->operands[k].strides[0];
    r.copies[k] = buffers[used++];
    for (int64_t i = 0; i < rows; i++) memcpy(r.copies[k] + i * bytes, it->operands[k].data, (size_t)bytes);
  }
  tj__parallel_for((it->numel + r.block - 1) / r.block, TJ__MAX(1, grain / r.block), run_repeated, &r);
  return true;
}

/* Rows of two dimensions and more: chooses which of them make a row, and runs what is better not taken row by row. */
static __attribute__((noinline)) bool try_planes(job *j, int64_t grain) {
  const tj__iter *it = j->it;
  /* Very short rows cost a call each: the next dimension makes better ones, even with strides. They are taken a piece at a time, so that lines
   * of memory that a piece touches are still near when the next one needs them. */
  const bool across = it->shape[0] < 8 && it->shape[1] >= 4 * it->shape[0];
  if (across) j->first = 1, j->second = 0;
  tiles t = {.job = *j, .columns = SHORT_ROWS};
  if ((across && it->shape[1] > SHORT_ROWS) || crosses(it, &t)) {
    t.kernels = tj__backend_of(TJ_CPU)->copy;
    int64_t n = (it->shape[j->first] + t.columns - 1) / t.columns * ((it->shape[j->second] + TILE_ROWS - 1) / TILE_ROWS);
    tj__parallel_for(it->numel / (it->shape[0] * it->shape[1]) * n, TJ__MAX(1, grain / (t.columns * TILE_ROWS)), run_tiles, &t);
    return true;
  }
  return try_repeated(j, grain);
}

void tj__iter_run_grain(const tj__iter *it, tj__loop loop, const tj__params *params, int64_t grain) {
  if (it->numel == 0) return;
  if (TJ__UNLIKELY(it->device != TJ_CPU)) {
    run_on_device(it, loop, params);
    return;
  }
  job j = {it, loop, params, 0, 1};
  if (it->ndim > 1 && try_planes(&j, grain)) return;
  if (it->numel <= grain) run_range(0, it->numel, &j);
  else tj__parallel_for(it->numel, grain, run_range, &j);
}

void tj__iter_run(const tj__iter *it, tj__loop loop, const tj__params *params) { tj__iter_run_grain(it, loop, params, TJ__GRAIN); }

void tj__iter_run_serial(const tj__iter *it, tj__loop loop, const tj__params *params) {
  if (it->numel == 0) return;
  if (TJ__UNLIKELY(it->device != TJ_CPU)) {
    run_on_device(it, loop, params);
    return;
  }
  job j = {it, loop, params, 0, 1};
  run_range(0, it->numel, &j);
}
