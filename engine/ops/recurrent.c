/* recurrent.c: recurrent networks. The input's share of the gates is one product for the whole sequence; the steps are one operator a layer and
 * direction, with a derivative of its own. */
#include "kernels/recurrent.h"

#include "impl.h"
#include "ops.h"
#include "ops/arithmetic.h"
#include "ops/copy.h"
#include "ops/reduce.h"

#define RUNTIME_STATUS(condition, ...) TJ__CHECK_STATUS(condition, TJ_ERROR_RUNTIME, __VA_ARGS__)
#define LL(x) ((long long)(x))

static tj__recurrent_mode mode_of(const char *mode) {
  return *mode == 'l' ? TJ__LSTM : *mode == 'g' ? TJ__GRU : *mode == 'r' ? TJ__RNN_RELU : TJ__RNN_TANH;
}

/* One step in operators. gates: the input's share [B, G H]. *c is read and written (LSTM). */
static tj_tensor *step(tj__recurrent_mode mode, tj_tensor *gates, tj_tensor *h, tj_tensor **c, tj_tensor *w_hh, tj_tensor *b_hh,
                       tj_tensor *w_hr) {
  tj_tensor *hidden = tj_linear(h, w_hh, b_hh);
  if (!hidden || !gates) return NULL;
  const int64_t n = w_hh->sizes[0] / (mode == TJ__LSTM ? 4 : mode == TJ__GRU ? 3 : 1);
  if (mode == TJ__GRU) {
    tj_tensor *r = tj_sigmoid(tj__plus(tj_narrow(gates, -1, 0, n), tj_narrow(hidden, -1, 0, n)));
    tj_tensor *z = tj_sigmoid(tj__plus(tj_narrow(gates, -1, n, n), tj_narrow(hidden, -1, n, n)));
    tj_tensor *u = tj_tanh(tj__plus(tj_narrow(gates, -1, 2 * n, n), tj_mul(r, tj_narrow(hidden, -1, 2 * n, n))));
    return tj__plus(tj_mul(tj_sub(h, u, TJ__ONE), z), u);
  }
  gates = tj__plus(gates, hidden);
  if (mode != TJ__LSTM) return mode == TJ__RNN_TANH ? tj_tanh(gates) : tj_relu(gates);
  tj_tensor *i = tj_sigmoid(tj_narrow(gates, -1, 0, n)), *f = tj_sigmoid(tj_narrow(gates, -1, n, n));
  tj_tensor *u = tj_tanh(tj_narrow(gates, -1, 2 * n, n)), *o = tj_sigmoid(tj_narrow(gates, -1, 3 * n, n));
  *c = tj__plus(tj_mul(f, *c), tj_mul(i, u));
  tj_tensor *out = tj_mul(o, tj_tanh(*c));
  return w_hr ? tj_linear(out, w_hr, NULL) : out;
}

typedef struct parts {
  tj__recurrent_mode mode;
  tj_tensor *x, *h0, *w_hh, *c0, *b_hh, *w_hr;
} parts;
static parts parts_of(tj_tensors t, const char *mode) {
  parts p = {.mode = mode_of(mode), .x = t.data[0], .h0 = t.data[1], .w_hh = t.data[2]};
  if (p.mode == TJ__LSTM) {
    p.c0 = t.data[3];
    if (t.n > 4) p.w_hr = t.data[4];
  } else if (t.n > 3) p.b_hh = t.data[3];
  return p;
}

/* The whole sequence in operators. */
static bool steps(const parts *p, bool reverse, tj_tensor **output, tj_tensor **cells) {
  const int64_t n = p->x->sizes[0];
  tj_list *xs = tj_unbind(p->x, 0), *hs = tj__list_new(n), *cs = tj__list_new(n);
  tj_tensor *h = p->h0, *c = p->c0;
  if (!xs || !hs || !cs) return false;
  for (int64_t s = 0; s < n; s++) {
    const int64_t t = reverse ? n - 1 - s : s;
    h = step(p->mode, xs->items[t], h, &c, p->w_hh, p->b_hh, p->w_hr);
    if (!h) return false;
    tj__list_set(hs, t, h);
    if (c) tj__list_set(cs, t, c);
  }
  *output = tj_stack((tj_tensors){hs->items, n}, 0);
  *cells = c ? tj_stack((tj_tensors){cs->items, n}, 0) : tj__empty(TJ_INTS(0), p->x->dtype, p->x->storage->device);
  return *output && *cells;
}

/* Elsewhere than on the CPU the steps are operators. */
static bool has_kernel(const tj_tensor *x) { return tj__can_look(x) && (x->dtype == TJ_FLOAT32 || x->dtype == TJ_FLOAT64); }

static bool has_sizes(const tj_tensor *t, const char *what, tj_ints sizes, tj_dtype dtype) {
  if (t->dtype != dtype)
    return tj__fail(TJ_ERROR_RUNTIME, "expected %s of dtype %s, but got %s", what, tj__dtype_legacy(dtype), tj__dtype_legacy(t->dtype)) !=
           NULL;
  if (t->ndim == sizes.n && memcmp(t->sizes, sizes.data, (size_t)sizes.n * sizeof *sizes.data) == 0) return true;
  const char *expected = tj__ints_text(sizes.data, sizes.n);
  return tj__fail(TJ_ERROR_RUNTIME, "expected %s of size %s, but got %s", what, expected, tj__sizes_text(t)) != NULL;
}
/* What the kernels rely on. */
static bool consistent(const parts *p) {
  const int64_t count = p->mode == TJ__LSTM ? 4 : p->mode == TJ__GRU ? 3 : 1;
  if (p->x->ndim != 3 || p->w_hh->ndim != 2)
    return tj__fail(TJ_ERROR_RUNTIME, "expected gates of 3 dimensions and w_hh of 2, but got %d and %d", p->x->ndim, p->w_hh->ndim) != NULL;
  const tj_dtype dtype = p->x->dtype;
  const int64_t batch = p->x->sizes[1], rows = p->x->sizes[2], hidden = rows / count, size = p->w_hr ? p->w_hh->sizes[1] : hidden;
  if (rows % count)
    return tj__fail(TJ_ERROR_RUNTIME, "expected weights whose rows are a multiple of %lld, but got %lld", LL(count), LL(rows)) != NULL;
  return has_sizes(p->w_hh, "w_hh", TJ_INTS(rows, size), dtype) && has_sizes(p->h0, "h0", TJ_INTS(batch, size), dtype) &&
         (!p->c0 || has_sizes(p->c0, "c0", TJ_INTS(batch, hidden), dtype)) &&
         (!p->b_hh || has_sizes(p->b_hh, "b_hh", TJ_INTS(rows), dtype)) &&
         (!p->w_hr || has_sizes(p->w_hr, "w_hr", TJ_INTS(size, hidden), dtype));
}

static bool describe(parts *p, bool reverse, tj__recurrent *r) {
  tj_tensor **all[] = {&p->h0, &p->w_hh, &p->c0, &p->b_hh, &p->w_hr};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    if (*all[i] && !(*all[i] = tj__contiguous(*all[i]))) return false;
  const int64_t count = p->mode == TJ__LSTM ? 4 : p->mode == TJ__GRU ? 3 : 1;
  *r = (tj__recurrent){.dtype = p->x->dtype,
                       .mode = p->mode,
                       .reverse = reverse,
                       .steps = p->x->sizes[0],
                       .batch = p->x->sizes[1],
                       .hidden = p->w_hh->sizes[0] / count,
                       .size = p->w_hh->sizes[1],
                       .gate_count = count,
                       .w_hh = tj__read(p->w_hh),
                       .b_hh = p->b_hh ? tj__read(p->b_hh) : NULL,
                       .w_hr = p->w_hr ? tj__read(p->w_hr) : NULL,
                       .h0 = tj__read(p->h0),
                       .c0 = p->c0 ? tj__read(p->c0) : NULL};
  return true;
}

tj_status tj__impl_recurrent_scan(tj_tensors tensors, const char *mode, bool reverse, tj_tensor **output, tj_tensor **cells,
                                  tj_tensor **gates, tj_tensor **extra) {
  parts p = parts_of(tensors, mode);
  const tj__backend *backend = tj__backend_for(tensors.data, tensors.n);
  const tj_dtype dtype = p.x->dtype;
  const tj_device device = p.x->storage->device;
  if (!backend || !consistent(&p)) return tj_error_code();
  if (!has_kernel(p.x)) {
    *gates = tj__empty(TJ_INTS(0), dtype, device), *extra = tj__empty(TJ_INTS(0), dtype, device);
    return *gates && *extra && steps(&p, reverse, output, cells) ? TJ_OK : tj_error_code();
  }
  tj__recurrent r;
  tj_tensor *x = tj__contiguous(p.x);
  if (!x || !describe(&p, reverse, &r)) return tj_error_code();
  r.x = tj__read(x);
  const bool lstm = p.mode == TJ__LSTM, more = p.mode == TJ__GRU || p.w_hr;
  *gates = tj__empty(tj__sizes(p.x), dtype, device);
  *output = tj__empty(TJ_INTS(r.steps, r.batch, r.size), dtype, device);
  *cells = lstm ? tj__empty(TJ_INTS(r.steps, r.batch, r.hidden), dtype, device) : tj__empty(TJ_INTS(0), dtype, device);
  *extra = more ? tj__empty(TJ_INTS(r.steps, r.batch, r.hidden), dtype, device) : tj__empty(TJ_INTS(0), dtype, device);
  if (!*gates || !*output || !*cells || !*extra) return tj_error_code();
  r.gates = tj__write(*gates), r.output = tj__write(*output);
  r.cells = lstm ? tj__write(*cells) : NULL, r.extra = more ? tj__write(*extra) : NULL;
  return !((*output)->numel || (*gates)->numel) || backend->recurrent->forward(&r) ? TJ_OK : tj_error_code();
}

tj_list *tj__impl_recurrent_scan_backward(tj_tensor *grad_output, tj_tensor *grad_cells, tj_tensors tensors, tj_tensor *output,
                                          tj_tensor *cells, tj_tensor *gates, tj_tensor *extra, const char *mode, bool reverse) {
  parts p = parts_of(tensors, mode);
  const bool lstm = p.mode == TJ__LSTM;
  tj_list *list = tj__list_new(tensors.n);
  if (!list) return NULL;
  if (tj_is_grad_enabled() || !has_kernel(p.x)) {
    /* Again in operators, on tensors of its own, whose graph is this function's alone; the gradients are then functions of the originals. */
    const bool create = tj_is_grad_enabled(), before = tj_set_grad_enabled(true);
    tj_list *inputs = tj__list_new(tensors.n);
    bool ok = inputs != NULL;
    for (int64_t i = 0; ok && i < tensors.n; i++) {
      tj_tensor *t =
          create && tj_requires_grad(tensors.data[i]) ? tj_view_as(tensors.data[i], tensors.data[i]) : tj_detach(tensors.data[i]);
      if (t && !tj_requires_grad(t)) t = tj_set_requires_grad(t, true) < 0 ? NULL : t;
      if ((ok = t != NULL)) tj__list_set(inputs, i, t);
    }
    tj_tensor *out, *c, *found[8] = {NULL};
    parts q = ok ? parts_of((tj_tensors){inputs->items, tensors.n}, mode) : p;
    ok = ok && steps(&q, reverse, &out, &c) &&
         tj_grad_of(lstm ? TJ_TENSORS(out, c) : TJ_TENSORS(out), (tj_tensors){inputs->items, tensors.n},
                    lstm ? TJ_TENSORS(grad_output, grad_cells) : TJ_TENSORS(grad_output), create, create, false, found) == 0;
    tj_set_grad_enabled(before);
    for (int64_t i = 0; ok && i < tensors.n; i++) tj__list_set(list, i, found[i]);
    return ok ? list : NULL;
  }
  const tj__backend *backend = tj__backend_for(tensors.data, tensors.n);
  tj__recurrent r;
  if (!backend || !describe(&p, reverse, &r)) return NULL;
  grad_output = tj__contiguous(grad_output);
  if (lstm) grad_cells = tj__contiguous(grad_cells);
  if (!grad_output || !grad_cells) return NULL;
  r.gates = (void *)tj__read(gates), r.output = (void *)tj__read(output), r.cells = (void *)tj__read(cells),
  r.extra = (void *)tj__read(extra);
  for (int64_t i = 0; i < tensors.n; i++) {
    tj_tensor *t = tj__empty(tj__sizes(tensors.data[i]), p.x->dtype, p.x->storage->device);
    if (!t || (!output->numel && !gates->numel && !tj__fill(t, tj_int(0)))) return NULL;
    tj__list_set(list, i, t);
  }
  if (!output->numel && !gates->numel) return list;
  const parts g = parts_of((tj_tensors){list->items, tensors.n}, mode);
  const tj__recurrent_grad to = {.output = tj__read(grad_output),
                                 .cells = lstm ? tj__read(grad_cells) : NULL,
                                 .gates = tj__write(g.x),
                                 .h0 = tj__write(g.h0),
                                 .c0 = g.c0 ? tj__write(g.c0) : NULL,
                                 .w_hh = tj__write(g.w_hh),
                                 .b_hh = g.b_hh ? tj__write(g.b_hh) : NULL,
                                 .w_hr = g.w_hr ? tj__write(g.w_hr) : NULL};
  return backend->recurrent->backward(&r, &to) ? list : NULL;
}

/* ---- networks ------------------------------------------------------------------------------------------------------ */

typedef struct options {
  bool biases, train, bidirectional, batch_first;
  int64_t layers;
  double dropout;
} options;

static tj_status network(const char *mode, tj_tensor *input, tj_tensor *hx, tj_tensor *cx, tj_tensors params, options o, tj_tensor **output,
                         tj_tensor **h_n, tj_tensor **c_n) {
  RUNTIME_STATUS(input->ndim == 3, "%s: Expected input to be 3D, got %dD instead", mode, input->ndim);
  const int64_t directions = o.bidirectional ? 2 : 1, cells = o.layers * directions;
  const bool lstm = mode_of(mode) == TJ__LSTM, gru = mode_of(mode) == TJ__GRU;
  RUNTIME_STATUS(o.layers > 0 && hx->ndim == 3 && hx->sizes[0] == cells && (!cx || (cx->ndim == 3 && cx->sizes[0] == cells)),
                 "%s: Expected hidden states of %lld layers and directions", mode, LL(cells));
  const bool projected = lstm && cx->sizes[2] != hx->sizes[2];
  const int64_t each = 2 + (o.biases ? 2 : 0) + projected;
  RUNTIME_STATUS(params.n == cells * each, "got an incorrect number of RNN parameters");
  tj_tensor *x = o.batch_first ? tj_transpose(input, 0, 1) : input;
  tj_list *hs = tj__list_new(cells), *cs = tj__list_new(cells);
  if (!x || !hs || !cs) return tj_error_code();
  RUNTIME_STATUS(x->sizes[0] > 0, "Expected sequence length to be larger than 0 in RNN");
  for (int64_t layer = 0; layer < o.layers; layer++) {
    tj_tensor *outs[2] = {NULL, NULL};
    for (int64_t d = 0; d < directions; d++) {
      const int64_t at = layer * directions + d;
      tj_tensor *const *w = params.data + at * each;
      tj_tensor *bias = o.biases ? gru ? w[2] : tj__plus(w[2], w[3]) : NULL, *parts_[5], *gates, *extra, *c = NULL;
      int64_t n = 0;
      parts_[n++] = tj_linear(x, w[0], bias);
      parts_[n++] = tj_select(hx, 0, at);
      parts_[n++] = w[1];
      if (lstm) parts_[n++] = tj_select(cx, 0, at);
      if (projected) parts_[n++] = w[each - 1];
      if (gru && o.biases) parts_[n++] = w[3];
      for (int64_t i = 0; i < n; i++)
        if (!parts_[i]) return tj_error_code();
      if (tj_recurrent_scan((tj_tensors){parts_, n}, mode, d == 1, &outs[d], &c, &gates, &extra) != TJ_OK) return tj_error_code();
      const int64_t last = d == 1 ? 0 : outs[d]->sizes[0] - 1;
      tj_tensor *h_last = tj_select(outs[d], 0, last), *c_last = lstm ? tj_select(c, 0, last) : h_last;
      if (!h_last || !c_last) return tj_error_code();
      tj__list_set(hs, at, h_last), tj__list_set(cs, at, c_last);
    }
    x = directions == 2 ? tj_cat(TJ_TENSORS(outs[0], outs[1]), -1) : outs[0];
    if (o.dropout > 0 && o.train && layer + 1 < o.layers) x = tj_dropout(x, o.dropout, true, false);
    if (!x) return tj_error_code();
  }
  *output = o.batch_first ? tj_transpose(x, 0, 1) : x;
  *h_n = tj_stack((tj_tensors){hs->items, cells}, 0);
  if (c_n) *c_n = tj_stack((tj_tensors){cs->items, cells}, 0);
  return *output && *h_n && (!c_n || *c_n) ? TJ_OK : tj_error_code();
}

tj_status tj__impl_lstm(tj_tensor *input, tj_tensors hx, tj_tensors params, bool has_biases, int64_t num_layers, double dropout, bool train,
                        bool bidirectional, bool batch_first, tj_tensor **output, tj_tensor **h_n, tj_tensor **c_n) {
  RUNTIME_STATUS(hx.n == 2, "lstm expects two hidden states");
  return network("lstm", input, hx.data[0], hx.data[1], params,
                 (options){has_biases, train, bidirectional, batch_first, num_layers, dropout}, output, h_n, c_n);
}
#define NETWORK(name, mode)                                                                                                              \
  tj_status tj__impl_##name(tj_tensor *input, tj_tensor *hx, tj_tensors params, bool has_biases, int64_t num_layers, double dropout,     \
                            bool train, bool bidirectional, bool batch_first, tj_tensor **output, tj_tensor **h_n) {                     \
    return network(mode, input, hx, NULL, params, (options){has_biases, train, bidirectional, batch_first, num_layers, dropout}, output, \
                   h_n, NULL);                                                                                                           \
  }
NETWORK(gru, "gru")
NETWORK(rnn_tanh, "tanh")
NETWORK(rnn_relu, "relu")

/* ---- cells --------------------------------------------------------------------------------------------------------- */

static tj_tensor *cell(const char *mode, tj_tensor *input, tj_tensor *h, tj_tensor **c, tj_tensor *w_ih, tj_tensor *w_hh, tj_tensor *b_ih,
                       tj_tensor *b_hh) {
  return step(mode_of(mode), tj_linear(input, w_ih, b_ih), h, c, w_hh, b_hh, NULL);
}
tj_status tj__impl_lstm_cell(tj_tensor *input, tj_tensors hx, tj_tensor *w_ih, tj_tensor *w_hh, tj_tensor *b_ih, tj_tensor *b_hh,
                             tj_tensor **h, tj_tensor **c) {
  RUNTIME_STATUS(hx.n == 2, "lstm_cell expects two hidden states");
  *c = hx.data[1];
  *h = cell("lstm", input, hx.data[0], c, w_ih, w_hh, b_ih, b_hh);
  return *h && *c ? TJ_OK : tj_error_code();
}
#define CELL(name, mode)                                                                                                            \
  tj_tensor *tj__impl_##name(tj_tensor *input, tj_tensor *hx, tj_tensor *w_ih, tj_tensor *w_hh, tj_tensor *b_ih, tj_tensor *b_hh) { \
    tj_tensor *none = NULL;                                                                                                         \
    return cell(mode, input, hx, &none, w_ih, w_hh, b_ih, b_hh);                                                                    \
  }
CELL(gru_cell, "gru")
CELL(rnn_tanh_cell, "tanh")
CELL(rnn_relu_cell, "relu")
