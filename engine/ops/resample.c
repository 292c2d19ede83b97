/* ops/resample.c: tables of taps: made, transposed, applied to a dimension. */
#include "ops/resample.h"
#include "iter/convert.h"
#include "kernels/resample.h"

static size_t bytes_of(const tj__table *t) {
  return ((size_t)t->n_out + 1 + (size_t)t->capacity) * sizeof(int64_t) + (t->weight ? (size_t)t->capacity * sizeof(double) : 0);
}

bool tj__table_init(tj__table *t, int64_t n_in, int64_t n_out, int64_t capacity, bool weighted) {
  *t = (tj__table){.n_in = n_in, .n_out = n_out, .capacity = capacity};
  const size_t whole = ((size_t)n_out + 1 + (size_t)capacity) * sizeof(int64_t);
  t->first = tj__alloc(whole + (weighted ? (size_t)capacity * sizeof(double) : 0));
  if (!t->first) return false;
  t->index = t->first + n_out + 1;
  if (weighted) t->weight = (double *)(void *)(t->index + capacity);
  t->first[0] = 0;
  return true;
}

void tj__table_drop(tj__table *t) {
  if (t->first) tj__free(t->first, bytes_of(t));
  t->first = NULL;
}

bool tj__table_transpose(const tj__table *t, tj__table *out) {
  if (!tj__table_init(out, t->n_out, t->n_in, t->n_taps, t->weight != NULL)) return false;
  memset(out->first, 0, ((size_t)out->n_out + 1) * sizeof(int64_t));
  for (int64_t k = 0; k < t->n_taps; k++) out->first[t->index[k] + 1]++;
  for (int64_t o = 0; o < out->n_out; o++) out->first[o + 1] += out->first[o];
  /* first[o] walks to first[o + 1] while the taps of o are placed; afterwards everything is moved back by one */
  for (int64_t o = 0; o < t->n_out; o++)
    for (int64_t k = t->first[o]; k < t->first[o + 1]; k++) {
      int64_t at = out->first[t->index[k]]++;
      out->index[at] = o;
      if (out->weight) out->weight[at] = t->weight[k];
    }
  for (int64_t o = out->n_out; o > 0; o--) out->first[o] = out->first[o - 1];
  out->first[0] = 0;
  out->n_taps = t->n_taps;
  return true;
}

tj_tensor *tj__table_apply(tj_tensor *t, int dim, const tj__table *table) {
  const tj__backend *backend = tj__backend_for(&t, 1);
  if (!backend) return NULL;
  int64_t sizes[TJ_MAX_DIMS], outer = 1, inner = 1;
  memcpy(sizes, t->sizes, (size_t)t->ndim * sizeof *sizes);
  for (int d = 0; d < t->ndim; d++)
    if (d < dim) outer *= sizes[d];
    else if (d > dim) inner *= sizes[d];
  sizes[dim] = table->n_out;
  tj_tensor *out = tj__empty((tj_ints){sizes, t->ndim}, (tj_dtype)t->dtype, t->storage->device);
  tj__taps taps = {outer, table->n_in, table->n_out, inner, table->first, table->index, table->weight};
  if (out && out->numel) backend->resample->combine(&taps, (tj_dtype)t->dtype, tj__read(t), tj__write(out));
  return out;
}
