/* step.c: optimizer steps over all parameters of a group: checks, memory layouts, the split over threads. */
#include <math.h>

#include "../core/profile.h"
#include "../iter/convert.h"
#include "../../include/torchjs/autograd.h"
#include "../kernels/optim.h"
#include "ops.h"

#define TENSORS 5 /* of one parameter at most: itself, its gradient, three of state */

/* One item of work with the tensors behind it. */
typedef struct entry {
  tj_tensor *given[TENSORS]; /* param, grad, state...; NULL where there is none */
  tj_tensor *used[TENSORS];  /* the same or, where layouts differ, contiguous copies */
  int64_t start;             /* pieces of the entries before it, in each share */
} entry;

typedef struct job {
  const char *name;
  tj__optim_item *items;
  entry *entries;
  int64_t n;
  int64_t shares, pieces; /* into which every item is cut; pieces of a share, of all items */
  const tj__optim_kernels *kernels;
  const tj_sgd_options *sgd;
  const tj_adam_options *adam;
} job;

/* ---- layouts ------------------------------------------------------------------------------------------------- */

static bool same_layout(const tj_tensor *a, const tj_tensor *b) {
  for (int d = 0; d < a->ndim; d++)
    if (a->strides[d] != b->strides[d] && a->sizes[d] != 1) return false;
  return true;
}

static tj_tensor *contiguous_copy(tj_tensor *t) {
  if (!tj__can_look(t)) return tj__contiguous(t);
  tj_tensor *copy = tj__empty(tj__sizes(t), (tj_dtype)t->dtype, t->storage->device);
  if (!copy) return NULL;
  return tj_to_data(t, tj__write(copy), (size_t)t->numel * tj__itemsize(t)) < 0 ? NULL : copy;
}

/* Elements at the same place of the memory of all tensors belong together: they are contiguous, or all dense with the same strides. */
static bool bring_together(entry *e) {
  bool together = tj__is_dense(e->given[0]);
  for (int k = 1; k < TENSORS; k++)
    if (e->given[k] && !same_layout(e->given[0], e->given[k])) together = false;
  for (int k = 0; k < TENSORS; k++) {
    tj_tensor *t = e->given[k];
    e->used[k] = !t || together || tj__is_contiguous(t) ? t : contiguous_copy(t);
    if (t && !e->used[k]) return false;
  }
  return true;
}

static bool write_back(const entry *e) {
  for (int k = 0; k < TENSORS; k++) {
    if (k == 1 || !e->given[k]) continue;
    if (e->used[k] == e->given[k]) tj__bump_version(e->given[k]);
    else if (!tj_copy_(e->given[k], e->used[k], false)) return false;
  }
  return true;
}

/* ---- checks -------------------------------------------------------------------------------------------------- */

static bool check(const char *name, int64_t i, const char *what, const tj_tensor *param, const tj_tensor *t) {
  if (t->dtype != param->dtype) {
    tj__fail(TJ_ERROR_RUNTIME, "%s: %s %lld has dtype %s but its parameter %s", name, what, (long long)i, tj_dtype_name((tj_dtype)t->dtype),
             tj_dtype_name((tj_dtype)param->dtype));
    return false;
  }
  if (!tj__same_sizes(t, param)) {
    tj__fail(TJ_ERROR_RUNTIME, "%s: %s %lld has sizes %s but its parameter %s", name, what, (long long)i, tj__sizes_text(t),
             tj__sizes_text(param));
    return false;
  }
  return true;
}

/* Adds parameter i to the job. state: NULL items are not there. */
static bool add(job *j, int64_t i, tj_tensor *param, tj_tensor *grad, tj_tensor *const state[3]) {
  static const char *const names[TENSORS] = {"parameter", "gradient", "state", "state", "state"};
  if (!tj_dtype_is_floating((tj_dtype)param->dtype) && !tj_dtype_is_complex((tj_dtype)param->dtype)) {
    tj__fail(TJ_ERROR_RUNTIME, "%s: parameter %lld has dtype %s, which is neither floating nor complex", j->name, (long long)i,
             tj_dtype_name((tj_dtype)param->dtype));
    return false;
  }
  entry *e = &j->entries[j->n];
  *e = (entry){.given = {param, grad, state[0], state[1], state[2]}};
  const tj__backend *backend = tj__backend_for(e->given, TENSORS);
  if (!backend) return false;
  for (int k = 1; k < TENSORS; k++)
    if (e->given[k] && !check(j->name, i, names[k], param, e->given[k])) return false;
  if (!bring_together(e)) return false;
  j->kernels = backend->optim;
  j->items[j->n] = (tj__optim_item){
      .n = param->numel * (tj_dtype_is_complex((tj_dtype)param->dtype) ? 2 : 1),
      .dtype = tj__real_of((tj_dtype)param->dtype),
      .param = tj__write(e->used[0]),
      .grad = tj__read(e->used[1]),
      .state = {e->used[2] ? tj__write(e->used[2]) : NULL, e->used[3] ? tj__write(e->used[3]) : NULL,
                e->used[4] ? tj__write(e->used[4]) : NULL},
  };
  j->n++;
  return true;
}

/* ---- running ------------------------------------------------------------------------------------------------- */

/* Each thread has the same share of every item, since it is mostly the one that has written this part of the gradient and will read it of the parameter:
 * where threads share no cache, what another has written is far. A share of an item is cut into pieces, of whole vectors but for the item's last one. */
#define PIECE (TJ__GRAIN / 2)

static int64_t cut(int64_t n, int64_t part, int64_t parts) { return part == parts ? n : TJ__MIN(n, (n / parts * part + 63) / 64 * 64); }

static int64_t pieces_of(const job *j, int64_t i) { return (j->items[i].n + j->shares * PIECE - 1) / (j->shares * PIECE); }

static void body(int64_t begin, int64_t end, void *context) {
  const job *j = context;
  for (int64_t piece = begin; piece < end; piece++) {
    const int64_t share = piece / j->pieces, at = piece % j->pieces;
    int64_t low = 0, high = j->n - 1;
    while (low < high) { /* the last entry that starts at or before `at` */
      int64_t middle = low + (high - low + 1) / 2;
      if (j->entries[middle].start <= at) low = middle;
      else high = middle - 1;
    }
    const tj__optim_item *item = &j->items[low];
    const int64_t first = cut(item->n, share, j->shares), n = cut(item->n, share + 1, j->shares) - first, pieces = pieces_of(j, low);
    const int64_t from = first + cut(n, at - j->entries[low].start, pieces), to = first + cut(n, at - j->entries[low].start + 1, pieces);
    if (from >= to) continue;
    if (j->sgd) j->kernels->sgd(item, from, to, j->sgd);
    else j->kernels->adam(item, from, to, j->adam);
  }
}

static void run_pieces(job *j) {
  int64_t all = 0;
  for (int64_t i = 0; i < j->n; i++) all += j->items[i].n;
  j->shares = all >= 2 * PIECE ? tj_get_num_threads() : 1;
  j->pieces = 0;
  for (int64_t i = 0; i < j->n; i++) {
    j->entries[i].start = j->pieces;
    j->pieces += pieces_of(j, i);
  }
  tj__parallel_chunks(j->shares * j->pieces, j->shares == 1 ? j->pieces : 1, body, j);
}

static bool run(job *j) {
  if (j->n == 0) return true;
  if (tj__can_look(j->entries[0].given[0])) run_pieces(j);
  else if (j->sgd) j->kernels->sgd_many(j->items, j->n, j->sgd);
  else j->kernels->adam_many(j->items, j->n, j->adam);
  bool done = tj_error_code() == TJ_OK;
  for (int64_t i = 0; i < j->n; i++) done = write_back(&j->entries[i]) && done;
  return done;
}

static bool make_room(job *j, int64_t n) {
  if (n <= 0) return true;
  j->items = tj__alloc((size_t)n * sizeof *j->items);
  j->entries = tj__alloc((size_t)n * sizeof *j->entries);
  return j->items && j->entries;
}

static void give_room_back(job *j, int64_t n) {
  tj__free(j->items, (size_t)TJ__MAX(n, 0) * sizeof *j->items);
  tj__free(j->entries, (size_t)TJ__MAX(n, 0) * sizeof *j->entries);
}

static bool count_is(const char *name, const char *what, int64_t n, int64_t params) {
  if (n == params) return true;
  tj__fail(TJ_ERROR_VALUE, "%s: %lld parameters but %lld %s", name, (long long)params, (long long)n, what);
  return false;
}

/* ---- SGD ----------------------------------------------------------------------------------------------------- */

static bool sgd_step(job *j, tj_tensors params, tj_tensors grads, tj_tensor **buffers, tj_tensor **made) {
  if (!count_is(j->name, "gradients", grads.n, params.n)) return false;
  for (int64_t i = 0; i < params.n; i++) {
    if (!params.data[i]) return false;
    if (!grads.data[i]) continue;
    bool first = buffers && !buffers[i];
    if (first && !(made[i] = tj__empty_like(params.data[i], (tj_dtype)params.data[i]->dtype))) return false;
    tj_tensor *state[3] = {first ? made[i] : buffers ? buffers[i] : NULL};
    if (!add(j, i, params.data[i], grads.data[i], state)) return false;
    j->items[j->n - 1].first = first;
  }
  return run(j);
}

int tj_sgd_step(tj_tensors params, tj_tensors grads, tj_tensor **momentum_buffers, const tj_sgd_options *options) {
  job j = {.name = "sgd_step", .sgd = options};
  tj__scope scope;
  if (options->momentum != 0 && !momentum_buffers) return tj__fail_status(TJ_ERROR_VALUE, "sgd_step: momentum needs momentum buffers");
  if (options->nesterov && (options->momentum <= 0 || options->dampening != 0))
    return tj__fail_status(TJ_ERROR_VALUE, "Nesterov momentum requires a momentum and zero dampening");
  tj_tensor **buffers = options->momentum != 0 ? momentum_buffers : NULL;
  size_t bytes = buffers && params.n > 0 ? (size_t)params.n * sizeof(tj_tensor *) : 0;
  tj_tensor **made = bytes ? tj__alloc_zeroed(bytes) : NULL;
  if (bytes && !made) return TJ_ERROR_MEMORY;
  tj__scope_push(&scope);
  TJ__PROFILE(&scope, TJ__PROFILE_OPERATOR, j.name);
  bool mode = tj_set_grad_enabled(false);
  bool done = make_room(&j, params.n) && sgd_step(&j, params, grads, buffers, made);
  tj_set_grad_enabled(mode);
  for (int64_t i = 0; done && made && i < params.n; i++) {
    if (!made[i]) continue;
    buffers[i] = tj__scope_keep(&scope, made[i]);
    done = buffers[i] != NULL;
  }
  tj__scope_pop(&scope);
  give_room_back(&j, params.n);
  tj__free(made, bytes);
  return done ? TJ_OK : tj_error_code() != TJ_OK ? tj_error_code() : TJ_ERROR_INTERNAL;
}

/* ---- Adam ---------------------------------------------------------------------------------------------------- */

static bool adam_step(job *j, tj_tensors params, tj_tensors grads, tj_tensors exp_avgs, tj_tensors exp_avg_sqs, tj_tensors max_exp_avg_sqs,
                      tj_floats steps) {
  const tj_adam_options *o = j->adam;
  if (!count_is(j->name, "gradients", grads.n, params.n) || !count_is(j->name, "exp_avgs", exp_avgs.n, params.n) ||
      !count_is(j->name, "exp_avg_sqs", exp_avg_sqs.n, params.n) || !count_is(j->name, "steps", steps.n, params.n) ||
      (o->amsgrad && !count_is(j->name, "max_exp_avg_sqs", max_exp_avg_sqs.n, params.n)))
    return false;
  for (int64_t i = 0; i < params.n; i++) {
    if (!params.data[i]) return false;
    if (!grads.data[i]) continue;
    tj_tensor *state[3] = {exp_avgs.data[i], exp_avg_sqs.data[i], o->amsgrad ? max_exp_avg_sqs.data[i] : NULL};
    if (!state[0] || !state[1] || (o->amsgrad && !state[2])) return false;
    if (!(steps.data[i] >= 1)) {
      tj__fail(TJ_ERROR_VALUE, "%s: the step of parameter %lld is %g, expected at least 1", j->name, (long long)i, steps.data[i]);
      return false;
    }
    if (!add(j, i, params.data[i], grads.data[i], state)) return false;
    tj__optim_item *item = &j->items[j->n - 1];
    item->step_size = o->lr / (1 - pow(o->beta1, steps.data[i]));
    item->bias_correction2_sqrt = sqrt(1 - pow(o->beta2, steps.data[i]));
  }
  return run(j);
}

int tj_adam_step(tj_tensors params, tj_tensors grads, tj_tensors exp_avgs, tj_tensors exp_avg_sqs, tj_tensors max_exp_avg_sqs,
                 tj_floats steps, const tj_adam_options *options) {
  job j = {.name = "adam_step", .adam = options};
  tj__scope scope;
  tj__scope_push(&scope);
  TJ__PROFILE(&scope, TJ__PROFILE_OPERATOR, j.name);
  bool mode = tj_set_grad_enabled(false);
  bool done = make_room(&j, params.n) && adam_step(&j, params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs, steps);
  tj_set_grad_enabled(mode);
  tj__scope_pop(&scope);
  give_room_back(&j, params.n);
  return done ? TJ_OK : tj_error_code() != TJ_OK ? tj_error_code() : TJ_ERROR_INTERNAL;
}
