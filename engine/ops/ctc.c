/* ops/ctc.c: linear_cross_entropy and ctc_loss. The forward recursion of CTC (Graves et al. 2006) runs over time, one set of operators a step
 * for all sequences at once, and is differentiated through them. */
#include "../kernels/backend.h"
#include "impl.h"
#include "ops.h"
#include "ops/arithmetic.h"
#include "ops/copy.h"
#include "ops/loss.h"

#include <math.h>
#include <stdio.h>

#define RUNTIME(condition, ...) TJ__CHECK(condition, TJ_ERROR_RUNTIME, __VA_ARGS__)
#define LL(x) ((long long)(x))

/* ---- linear_cross_entropy --------------------------------------------------------------------------------------------- */

static const char *tuple_text(const tj_tensor *t, int ndim, char *buffer, size_t bytes) {
  size_t at = (size_t)snprintf(buffer, bytes, "(");
  for (int i = 0; i < ndim && at < bytes; i++) at += (size_t)snprintf(buffer + at, bytes - at, i ? ", %lld" : "%lld", LL(t->sizes[i]));
  if (at < bytes) snprintf(buffer + at, bytes - at, ndim == 1 ? ",)" : ")");
  return buffer;
}

tj_tensor *tj__impl_linear_cross_entropy(tj_tensor *input, tj_tensor *linear_weight, tj_tensor *target, tj_tensor *linear_bias,
                                         tj_tensor *weight, const char *reduction, int64_t ignore_index, double label_smoothing) {
  const int d = linear_weight->ndim;
  char one[160], two[160];
  RUNTIME(input->ndim == 1 || input->ndim == 2, "expected input with dimensionality 1 or 2, got %d", (int)input->ndim);
  RUNTIME(d >= 2, "expected linear_weight with dimensionality at least 2, got %d", d);
  const int64_t in = linear_weight->sizes[d - 1];
  RUNTIME(input->sizes[input->ndim - 1] == in,
          "expected equal input and linear_weight last dimensions (in_features), got %lld and %lld, respectively",
          LL(input->sizes[input->ndim - 1]), LL(in));
  RUNTIME(d == 2 || input->ndim == 2,
          "K-dimensional loss defined by linear_weight shape %s requires batched input, (N, %lld), got unbatched input with shape %s",
          tuple_text(linear_weight, d, one, sizeof one), LL(in), tuple_text(input, input->ndim, two, sizeof two));
  RUNTIME(ignore_index == TJ_NO_INT || !tj_dtype_is_floating((tj_dtype)target->dtype),
          "ignore_index cannot be specified when target contains probabilities");
  if (linear_bias) {
    bool same = linear_bias->ndim == d - 1;
    for (int i = 0; same && i < d - 1; i++) same = linear_bias->sizes[i] == linear_weight->sizes[i];
    RUNTIME(same, "expected linear_bias shape %s, got %s", tuple_text(linear_weight, d - 1, one, sizeof one),
            tuple_text(linear_bias, linear_bias->ndim, two, sizeof two));
    linear_bias = tj_reshape(linear_bias, TJ_INTS(-1));
  }
  tj_tensor *logits = tj_linear(input, tj_reshape(linear_weight, TJ_INTS(linear_weight->numel / TJ__MAX(in, 1), in)), linear_bias);
  if (logits && d > 2) {
    int64_t sizes[TJ_MAX_DIMS] = {input->sizes[0]};
    memcpy(sizes + 1, linear_weight->sizes, (size_t)(d - 1) * sizeof *sizes);
    logits = tj_reshape(logits, (tj_ints){sizes, d});
  }
  return tj_cross_entropy(logits, target, weight, TJ_NO_BOOL, ignore_index == TJ_NO_INT ? -100 : ignore_index, TJ_NO_BOOL, reduction,
                          label_smoothing);
}

/* ---- ctc_loss ---------------------------------------------------------------------------------------------------------- */

/* The logarithm of no probability: so small that it never counts, yet finite, so that derivatives stay numbers. */
#define NEVER (-1e30)

typedef struct ctc {
  tj_tensor *log_probs; /* [T, N, C] */
  tj_tensor *labels;    /* int64 [N, states]: blank, label, blank, ..., blank */
  tj_tensor *skips;     /* bool [N, states]: a state that may follow the label two states before it */
  int64_t time, n, states;
  tj_ints input_lengths, target_lengths;
} ctc;

/* alpha [N, states] moved `by` states on, nothing behind. */
static tj_tensor *moved(const ctc *c, tj_tensor *alpha, int64_t by) {
  if (!alpha) return NULL;
  tj_tensor *nothing =
      tj_full(TJ_INTS(c->n, TJ__MIN(by, c->states)), tj_float(NEVER), (tj_dtype)alpha->dtype, alpha->storage->device, false);
  if (by >= c->states) return nothing;
  tj_tensor *rest = tj_narrow(alpha, 1, 0, c->states - by);
  return nothing && rest ? tj_cat(TJ_TENSORS(nothing, rest), 1) : NULL;
}

static tj_tensor *log_sum(tj_tensor *a, tj_tensor *b, tj_tensor *c) {
  tj_tensor *all = a && b && c ? tj_stack(TJ_TENSORS(a, b, c), 0) : NULL;
  return all ? tj_logsumexp(all, TJ_INTS(0), false) : NULL;
}

static tj_tensor *numbers(tj_ints list, tj_ints sizes, tj_device device) {
  tj_tensor *t = tj_from_data(list.data, TJ_INT64, sizes);
  return t ? tj__on_device(t, device) : NULL;
}

/* Negative log likelihoods [N]; infinite where no path fits. */
static tj_tensor *likelihoods(const ctc *c) {
  const tj_dtype dtype = (tj_dtype)c->log_probs->dtype;
  const tj_device device = c->log_probs->storage->device;
  tj_tensor *never = tj_full(TJ_INTS(c->n, c->states), tj_float(NEVER), dtype, device, false);
  tj_tensor *index = tj_expand(tj_unsqueeze(c->labels, 0), TJ_INTS(c->time, c->n, c->states), false);
  tj_tensor *of_labels = tj_gather(c->log_probs, 2, index, false); /* [T, N, states] */
  tj_tensor *lengths = numbers(c->input_lengths, TJ_INTS(c->n, 1), device), *ends = numbers(c->target_lengths, TJ_INTS(c->n, 1), device);
  if (!never || !of_labels || !lengths || !ends) return NULL;
  /* before the first step the walk stands in front of state 0, which is as if state 0 had been reached with probability 1 */
  tj_tensor *alpha = tj_clone(never, NULL);
  if (!alpha || !tj_fill_(tj_select(alpha, 1, 0), tj_int(0))) return NULL;
  for (int64_t t = 0; t < c->time; t++) {
    tj_tensor *two = t ? tj_where(c->skips, moved(c, alpha, 2), never) : never;
    tj_tensor *next = tj__plus(log_sum(alpha, moved(c, alpha, 1), two), tj_select(of_labels, 0, t));
    if (!next) return NULL;
    alpha = tj_where(tj_gt(lengths, tj__integer(t)), tj_clamp_min(next, tj_float(NEVER)), alpha);
  }
  /* a path ends in the last label or in the blank behind it */
  tj_tensor *last = tj_mul(ends, tj__integer(2)), *label = tj__minus(last, tj__integer(1));
  tj_tensor *blank_end = tj_gather(alpha, 1, last, false);
  tj_tensor *label_end =
      tj_where(tj_ge(label, tj__integer(0)), tj_gather(alpha, 1, tj_clamp_min(label, tj_int(0)), false), tj__number(NEVER));
  tj_tensor *ended =
      blank_end && label_end ? tj_squeeze_dim(tj_logsumexp(tj_stack(TJ_TENSORS(blank_end, label_end), 0), TJ_INTS(0), false), 1) : NULL;
  tj_tensor *impossible = tj_lt(ended, tj__number(NEVER / 1e6));
  return impossible ? tj_where(impossible, tj__number(INFINITY), tj_neg(ended)) : NULL;
}

/* labels and skips from targets [N, S] or in a row. */
static bool read_targets(ctc *c, tj_tensor *targets, int64_t longest, int64_t blank, int64_t classes) {
  tj_tensor *all = tj_contiguous(tj_to_dtype(tj_detach(targets), TJ_INT64, false, false, NULL), NULL);
  c->states = 2 * longest + 1;
  c->labels = tj__empty(TJ_INTS(c->n, c->states), TJ_INT64, c->log_probs->storage->device);
  if (!all || !c->labels || !tj__fill(c->labels, tj_int(blank))) return false;
  int64_t from = 0;
  for (int64_t n = 0; n < c->n; n++) {
    const int64_t length = c->target_lengths.data[n];
    if (length > 0) {
      tj_tensor *row = targets->ndim == 1 ? tj_narrow(all, 0, from, length) : tj_narrow(tj_select(all, 0, n), 0, 0, length);
      tj_tensor *own = tj_select(c->labels, 0, n);
      tj_tensor *places = own ? tj__alias(own, TJ_INTS(length), TJ_INTS(2), own->offset + 1) : NULL;
      if (!row || !places || !tj__copy_into(places, row)) return false;
    }
    from += length;
  }
  if (tj__can_look(c->labels)) { /* else the kernel that gathers their probabilities finds it */
    tj_scalar low = tj_item(tj_min(c->labels)), high = tj_item(tj_max(c->labels));
    if (low.kind == TJ_SCALAR_NONE || high.kind == TJ_SCALAR_NONE) return false;
    if (low.i < 0 || high.i >= classes) {
      tj__fail(TJ_ERROR_RUNTIME, "ctc_loss: a target of %lld is no class; there are %lld", LL(low.i < 0 ? low.i : high.i), LL(classes));
      return false;
    }
  }
  tj_tensor *blanks = tj_full(TJ_INTS(c->n, TJ__MIN(2, c->states)), tj_int(blank), TJ_INT64, c->labels->storage->device, false);
  tj_tensor *before = c->states > 2 ? tj_cat(TJ_TENSORS(blanks, tj_narrow(c->labels, 1, 0, c->states - 2)), 1) : blanks;
  c->skips = before ? tj_logical_and(tj_ne(c->labels, tj__integer(blank)), tj_ne(c->labels, before)) : NULL;
  return c->skips != NULL;
}

tj_tensor *tj__impl_ctc_loss_IntList(tj_tensor *log_probs, tj_tensor *targets, tj_ints input_lengths, tj_ints target_lengths, int64_t blank,
                                     const char *reduction, bool zero_infinity) {
  const char *checking = "(while checking arguments for ctc_loss_allocate_outputs)";
  if (!(reduction = tj__loss_reduction(TJ_NO_BOOL, TJ_NO_BOOL, reduction))) return NULL;
  const tj_dtype dtype = (tj_dtype)log_probs->dtype;
  TJ__CHECK(dtype == TJ_FLOAT32 || dtype == TJ_FLOAT64, TJ_ERROR_NOT_IMPLEMENTED, "\"ctc_loss_cpu\" not implemented for '%s'",
            tj__dtype_legacy(dtype));
  if (!tj__backend_for((tj_tensor *[]){log_probs, targets}, 2)) return NULL; /* of two devices */
  const bool single = log_probs->ndim == 2;
  RUNTIME(single || log_probs->ndim == 3, "Expected 3-dimensional tensor, but got %d-dimensional tensor for argument #1 'log_probs' %s",
          (int)log_probs->ndim, checking);
  RUNTIME(targets->ndim == 1 || targets->ndim == 2,
          "Expected 1- or 2-dimensional tensor, but got %d-dimensional tensor for argument #2 'targets' %s", (int)targets->ndim, checking);
  /* logarithms grow with the number of steps: float32, all that webgpu has, leaves few digits of their differences */
  const tj_device device = log_probs->storage->device;
  tj_tensor *wide = device == TJ_CPU ? tj_to_dtype(log_probs, TJ_FLOAT64, false, false, NULL) : log_probs;
  ctc c = {.log_probs = single ? tj_unsqueeze(wide, 1) : wide, .input_lengths = input_lengths, .target_lengths = target_lengths};
  if (!c.log_probs) return NULL;
  c.time = c.log_probs->sizes[0], c.n = c.log_probs->sizes[1];
  const int64_t classes = c.log_probs->sizes[2];
  RUNTIME(blank >= 0 && blank < classes, "blank must be in label range");
  RUNTIME(input_lengths.n == c.n, "input_lengths must be of size batch_size");
  RUNTIME(target_lengths.n == c.n, "target_lengths must be of size batch_size");
  int64_t longest = 0, total = 0;
  for (int64_t n = 0; n < c.n; n++) {
    RUNTIME(target_lengths.data[n] >= 0, "Expected target_lengths to have value at least 0, but got value %lld %s",
            LL(target_lengths.data[n]), checking);
    RUNTIME(input_lengths.data[n] >= 0, "Expected input_lengths to have value at least 0, but got value %lld %s", LL(input_lengths.data[n]),
            checking);
    RUNTIME(input_lengths.data[n] <= c.time, "Expected input_lengths to have value at most %lld, but got value %lld %s", LL(c.time),
            LL(input_lengths.data[n]), checking);
    longest = TJ__MAX(longest, target_lengths.data[n]), total += target_lengths.data[n];
  }
  if (targets->ndim == 1)
    RUNTIME(targets->sizes[0] == total, "Expected tensor to have size %lld at dimension 0, but got size %lld for argument #2 'targets' %s",
            LL(total), LL(targets->sizes[0]), checking);
  else {
    RUNTIME(targets->sizes[0] == c.n, "Expected tensor to have size %lld at dimension 0, but got size %lld for argument #2 'targets' %s",
            LL(c.n), LL(targets->sizes[0]), checking);
    RUNTIME(targets->sizes[1] >= longest,
            "Expected tensor to have size at least %lld at dimension 1, but got size %lld for argument #2 'targets' %s", LL(longest),
            LL(targets->sizes[1]), checking);
  }
  if (!c.n) return tj__loss_reduce(tj_zeros(TJ_INTS(0), dtype, log_probs->storage->device, false), reduction);
  if (!read_targets(&c, targets, longest, blank, classes)) return NULL;
  tj_tensor *losses = likelihoods(&c);
  /* PyTorch's gradient is that of the softmax which made log_probs: the probabilities of the steps that count are added, here as a
   * difference that is zero */
  tj_tensor *lengths = numbers(input_lengths, TJ_INTS(1, c.n), device);
  tj_tensor *steps = tj_unsqueeze(tj_arange(tj_int(c.time), TJ_INT64, log_probs->storage->device, false), 1);
  tj_tensor *counts = lengths && steps ? tj_unsqueeze(tj_lt(steps, lengths), 2) : NULL;
  tj_tensor *mass = counts ? tj_sum_dim(tj_where(counts, tj_exp(c.log_probs), tj__number(0)), TJ_INTS(0, 2), false, TJ_DTYPE_NONE) : NULL;
  losses = losses && mass ? tj__plus(losses, tj__minus(mass, tj_detach(mass))) : NULL;
  if (!losses) return NULL;
  losses = tj_to_dtype(losses, dtype, false, false, NULL);
  if (losses && zero_infinity) losses = tj_where(tj_eq(tj_detach(losses), tj__number(INFINITY)), tj__number(0), losses);
  if (reduction[0] == 'm') {
    tj_tensor *ends = tj_clamp_min(numbers(target_lengths, TJ_INTS(c.n), device), tj_int(1));
    return ends ? tj_mean(tj_div(losses, tj_to_dtype(ends, dtype, false, false, NULL)), TJ_DTYPE_NONE) : NULL;
  }
  if (single) losses = tj_squeeze_dim(losses, 0);
  return tj__loss_reduce(losses, reduction);
}

/* The numbers of an integer tensor of lengths. */
static tj_tensor *lengths_of(tj_tensor *t, const char *name) {
  RUNTIME(!tj_dtype_is_floating((tj_dtype)t->dtype) && !tj_dtype_is_complex((tj_dtype)t->dtype) && t->dtype != TJ_BOOL,
          "%s must be integral", name);
  return tj_contiguous(tj_to_dtype(t, TJ_INT64, false, false, NULL), NULL);
}

tj_tensor *tj__impl_ctc_loss(tj_tensor *log_probs, tj_tensor *targets, tj_tensor *input_lengths, tj_tensor *target_lengths, int64_t blank,
                             const char *reduction, bool zero_infinity) {
  tj_tensor *in = lengths_of(input_lengths, "input_lengths"), *out = in ? lengths_of(target_lengths, "target_lengths") : NULL;
  if (!out || !tj__must_look(in) || !tj__must_look(out)) return NULL;
  return tj_ctc_loss_IntList(log_probs, targets, (tj_ints){tj__read(in), in->numel}, (tj_ints){tj__read(out), out->numel}, blank, reduction,
                             zero_infinity);
}
