/* sweep_test.c: no memory, at every place where memory is asked for: in each call that JavaScript can make, forward and backward, and in
 * what is no operator. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
/* cmocka needs the four above */
#include <cmocka.h>

#include "../fuzz/generate.h"
#include "optim.h"
#include "autograd.h"
#include "expression.h"
#include "sweep.h"

/* ---- every generated call --------------------------------------------------------------------------------------- */

enum { BYTES = 192, TRIES = 20000 };

typedef struct sample {
  int form;
  bool backward; /* only calls with a gradient will do */
  uint8_t bytes[BYTES];
  bool good; /* of the last run */
  bool recorded;
} sample;

static double buffer[SLOTS];

static void run_sample(void *context) {
  sample *p = context;
  p->good = p->recorded = false;
  tj__host *h = tj__host_new();
  if (!h) return;
  tj__host_set_buffer(h, buffer, SLOTS);
  static call c;
  results r;
  source s = {.data = p->bytes, .size = BYTES};
  make_call(&c, h, &s, p->form);
  c.backward = c.backward && p->backward;
  if (!c.failed && c.k > 0 && (c.backward || !p->backward)) {
    p->good = run_call(&c, h, &r);
    for (int i = 0; i < c.count; i++) p->recorded = p->recorded || tj_grad(c.tensors[i]);
    p->recorded = p->recorded || (c.form->result == 'I' && c.count && tj_requires_grad(c.tensors[0]));
    if (tj_error_code() == TJ_OK) drop_results(&r, h);
  }
  drop_call(&c, h);
  tj__host_free(h);
}

/* Bytes that make a call which passes; the same ones on every machine. */
static bool find_sample(sample *p) {
  uint64_t state = (uint64_t)p->form * 2 + p->backward + 1;
  for (int i = 0; i < TRIES; i++) {
    for (int k = 0; k < BYTES; k++) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      p->bytes[k] = (uint8_t)(state >> 56);
    }
    tj_scope_begin();
    run_sample(p);
    tj_scope_end();
    tj_error_clear();
    if (p->good && (!p->backward || p->recorded)) return true;
  }
  return false;
}

/* Made of parts that have derivatives, but with results that have none; or an end of the graph by nature. */
static bool has_no_gradient(const char *name) {
  if (!strncmp(name, "fft_", 4) && strstr(name, "fftfreq")) return true; /* of numbers alone */
  return is_name(name, " isclose to_int to_long to_short to_char to_byte to_bool detach_ detach_copy linalg_ldl_factor linalg_matrix_rank "
                       "linalg_matrix_rank_tol ");
}

/* Whose arguments have to fit one another so closely that bytes hardly make them: `bodies` calls them. */
static bool is_by_hand(const char *name) {
  size_t n = strlen(name);
  char base[64];
  snprintf(base, sizeof base, "%.*s", (int)(n > 4 && !strcmp(name + n - 4, "_out") ? n - 4 : n), name);
  return is_name(base, " affine_grid grid_sampler_3d linalg_norm_str linear_cross_entropy ctc_loss ctc_loss_IntList lstm gru rnn_tanh "
                       "rnn_relu repeat_interleave_self_Tensor einops_rearrange einops_reduce einops_repeat einops_pack einops_unpack ");
}

static void calls(void **state) {
  (void)state;
  int swept = 0, bad = 0, failures = 0;
  for (int i = 0; i < tj__form_count; i++)
    for (int backward = 0; backward <= tj__forms[i].differentiable; backward++) {
      sample p = {.form = i, .backward = backward};
      if (is_by_hand(tj__forms[i].name) || (backward && has_no_gradient(tj__forms[i].name))) continue;
      if (getenv("SWEEP_ONLY") && strcmp(getenv("SWEEP_ONLY"), tj__forms[i].name)) continue;
      if (!find_sample(&p)) {
        print_error("%s: no call of it that passes%s was found\n", tj__forms[i].name, backward ? " and has a gradient" : "");
        bad++;
        continue;
      }
      int n = 0;
      const char *what = sweep(run_sample, &p, &n);
      if (what) {
        print_error("%s%s: %s\n", tj__forms[i].name, backward ? " and its gradient" : "", what);
        bad++;
      }
      swept++;
      failures += n;
    }
  print_message("%d calls, %d allocations made to fail\n", swept, failures);
  if (bad) fail_msg("%d calls", bad);
}

/* ---- what is no operator ---------------------------------------------------------------------------------------- */

static const float numbers[] = {1, -2.5f, 3e8f, 4, 0, 6, 7, 8};

static void printing(void *context) {
  (void)context;
  static const tj_dtype dtypes[] = {TJ_FLOAT32, TJ_BOOL, TJ_INT64, TJ_COMPLEX64, TJ_BFLOAT16};
  tj_tensor *t = tj_from_data(numbers, TJ_FLOAT32, TJ_INTS(2, 4));
  for (int i = 0; i < 5; i++) tj_string_free(tj_to_string(tj_to_dtype(t, dtypes[i], false, true, NULL)));
  tj_tensor *row = tj_from_data(numbers, TJ_FLOAT32, TJ_INTS(8, 1));
  tj_string_free(tj_to_string(row ? tj_expand(row, TJ_INTS(8, 400), false) : NULL));
}

static void generators(void *context) {
  (void)context;
  tj_generator *g = tj_generator_new();
  if (!g) return;
  tj_generator_manual_seed(g, 3);
  tj_tensor *state = tj_generator_get_state(g);
  if (state) tj_generator_set_state(g, state);
  tj_rand(TJ_INTS(3), g, TJ_DTYPE_NONE, TJ_DEVICE_NONE, false);
  tj_generator_free(g);
}

static void numbers_in_and_out(void *context) {
  (void)context;
  tj_tensor *t = tj_from_data(numbers, TJ_FLOAT32, TJ_INTS(1, 1, 2, 1, 1, 2, 2));
  float out[8];
  if (!t || tj_to_data(t, out, sizeof out)) return;
  tj_tensor *s = tj_scalar_tensor(tj_float(2));
  if (s) tj_item(s);
}

/* Both optimizers, two steps, with a parameter that is not contiguous. */
static void optimizers(void *context) {
  (void)context;
  tj_tensor *memory = tj_from_data(numbers, TJ_FLOAT32, TJ_INTS(2, 4)), *p = tj_t(memory);
  tj_tensor *g = tj_from_data(numbers, TJ_FLOAT32, TJ_INTS(4, 2)), *buffers[1] = {NULL};
  if (!p || !g) return;
  tj_sgd_options sgd = {.lr = 0.1, .momentum = 0.9, .weight_decay = 0.1, .nesterov = true};
  for (int i = 0; i < 2; i++)
    if (tj_sgd_step(TJ_TENSORS(p), TJ_TENSORS(g), buffers, &sgd)) return;
  tj_tensor *m = tj_zeros_like(g, TJ_DTYPE_NONE, TJ_DEVICE_NONE, false, NULL),
            *v = tj_zeros_like(g, TJ_DTYPE_NONE, TJ_DEVICE_NONE, false, NULL);
  tj_tensor *most = tj_zeros_like(p, TJ_DTYPE_NONE, TJ_DEVICE_NONE, false, NULL);
  if (!m || !v || !most) return;
  tj_adam_options adam = {.lr = 0.1, .beta1 = 0.9, .beta2 = 0.99, .eps = 1e-8, .weight_decay = 0.1, .amsgrad = true};
  for (int i = 1; i <= 2; i++)
    if (tj_adam_step(TJ_TENSORS(p), TJ_TENSORS(g), TJ_TENSORS(m), TJ_TENSORS(v), TJ_TENSORS(most), TJ_FLOATS(i), &adam)) return;
}

/* A small network: layers, a loss, second derivatives, accumulation in .grad twice, anomaly mode. */
static void training(void *context) {
  (void)context;
  bool anomaly = tj_set_anomaly_enabled(true, false);
  tj_tensor *x = tj_from_data(numbers, TJ_FLOAT32, TJ_INTS(2, 4)), *w = tj_from_data(numbers, TJ_FLOAT32, TJ_INTS(2, 4));
  tj_tensor *b = tj_from_data(numbers, TJ_FLOAT32, TJ_INTS(2));
  if (w && b && !tj_set_requires_grad(w, true) && !tj_set_requires_grad(b, true))
    for (int i = 0; i < 2; i++) {
      tj_tensor *y = tj_tanh(tj_linear(x, w, b));
      tj_tensor *loss = tj_mean(y ? tj_mul(y, y) : NULL, TJ_DTYPE_NONE), *grads[2];
      if (!loss || tj_grad_of(TJ_TENSORS(loss), TJ_TENSORS(w, b), (tj_tensors){0}, true, true, false, grads)) break;
      tj_tensor *both = tj_add(loss, tj_sum(grads[0], TJ_DTYPE_NONE), tj_int(1));
      if (!both || tj_backward(TJ_TENSORS(both), (tj_tensors){0}, false, false, (tj_tensors){0})) break;
    }
  tj_set_anomaly_enabled(anomaly, true);
}

/* Views that are written to, and read through. */
static void views(void *context) {
  (void)context;
  tj_tensor *x = tj_from_data(numbers, TJ_FLOAT32, TJ_INTS(2, 4));
  if (!x || tj_set_requires_grad(x, true)) return;
  tj_tensor *y = tj_clone(x, NULL);
  tj_list *parts = y ? tj_unbind(y, 0) : NULL; /* several outputs: may not be written to */
  (void)parts;
  tj_tensor *row = y ? tj_select(y, 0, 1) : NULL;
  tj_tensor *piece = row ? tj_slice(row, 0, 1, TJ_NO_INT, 2) : NULL;
  if (!piece || !tj_mul_(piece, tj_scalar_tensor(tj_int(2))) || !tj_zero_(tj_select(y, 1, 0))) return;
  tj_backward(TJ_TENSORS(tj_sum(y, TJ_DTYPE_NONE)), (tj_tensors){0}, false, false, (tj_tensors){0});
}

/* A tensor of these sizes that requires a gradient; NULL when out of memory. */
static tj_tensor *leaf(tj_ints sizes) {
  tj_tensor *t = tj_full(sizes, tj_float(0.5), TJ_FLOAT32, TJ_DEVICE_NONE, false);
  return t && !tj_set_requires_grad(t, true) ? t : NULL;
}
static void back_from(tj_tensor *result) {
  if (result) tj_backward(TJ_TENSORS(tj_sum(result, TJ_DTYPE_NONE)), (tj_tensors){0}, false, false, (tj_tensors){0});
}
static tj_tensor *whole(tj_ints values) { return tj_from_data(values.data, TJ_INT64, TJ_INTS(values.n)); }
/* A tensor to write to, of another size than the result's. */
static tj_tensor *target(void) { return tj_empty(TJ_INTS(3), TJ_FLOAT32, TJ_DEVICE_NONE, false, NULL); }

static void grids(void *context) {
  (void)context;
  tj_tensor *theta = leaf(TJ_INTS(1, 3, 4)), *image = leaf(TJ_INTS(1, 1, 2, 2, 2));
  tj_tensor *grid = tj_affine_grid(theta, TJ_INTS(1, 1, 2, 1, 2), 0);
  back_from(tj_grid_sampler_3d(image, grid, 0, 0, false));
  grid = grid ? tj_detach(grid) : NULL;
  tj_affine_grid_out(target(), theta ? tj_detach(theta) : NULL, TJ_INTS(1, 1, 2, 1, 2), 1);
  tj_grid_sampler_3d_out(target(), image ? tj_detach(image) : NULL, grid, 1, 2, true);
}

static void norms(void *context) {
  (void)context;
  tj_tensor *x = leaf(TJ_INTS(2, 3));
  back_from(tj_linalg_norm_str(x, "fro", TJ_NO_INTS, false, TJ_DTYPE_NONE));
  back_from(tj_linalg_norm_str(x, "nuc", TJ_NO_INTS, false, TJ_DTYPE_NONE));
  tj_linalg_norm_str_out(target(), x ? tj_detach(x) : NULL, "fro", TJ_INTS(0, 1), true, TJ_DTYPE_NONE);
}

static void losses(void *context) {
  (void)context;
  tj_tensor *x = leaf(TJ_INTS(2, 3)), *w = leaf(TJ_INTS(4, 3)), *y = whole(TJ_INTS(3, 0));
  back_from(tj_linear_cross_entropy(x, w, y, NULL, NULL, "mean", TJ_NO_INT, 0.1));
  tj_linear_cross_entropy_out(target(), x ? tj_detach(x) : NULL, w ? tj_detach(w) : NULL, y, NULL, NULL, "none", TJ_NO_INT, 0);
  tj_tensor *p = leaf(TJ_INTS(3, 1, 3)), *labels = whole(TJ_INTS(1, 2)), *times = whole(TJ_INTS(3)), *lengths = whole(TJ_INTS(2));
  back_from(tj_ctc_loss(p, labels, times, lengths, 0, "mean", false));
  back_from(tj_ctc_loss_IntList(p, labels, TJ_INTS(3), TJ_INTS(2), 0, "sum", true));
  tj_tensor *fixed = p ? tj_detach(p) : NULL;
  tj_ctc_loss_out(target(), fixed, labels, times, lengths, 0, "none", false);
  tj_ctc_loss_IntList_out(target(), fixed, labels, TJ_INTS(3), TJ_INTS(2), 0, "none", false);
}

static void recurrent(void *context) {
  (void)context;
  tj_tensor *x = leaf(TJ_INTS(2, 1, 3)), *h = leaf(TJ_INTS(1, 1, 2)), *c = leaf(TJ_INTS(1, 1, 2)), *out, *last, *cell;
  for (int gates = 1; gates <= 4; gates++) { /* of each kind of network: 1 twice, 3 and 4 */
    const int rows = gates < 3 ? 2 : 2 * gates;
    tj_tensor *params[] = {leaf(TJ_INTS(rows, 3)), leaf(TJ_INTS(rows, 2)), leaf(TJ_INTS(rows)), leaf(TJ_INTS(rows))};
    for (int i = 0; i < 4; i++)
      if (!params[i]) return;
    const tj_tensors all = {params, 4};
    tj_status status = gates == 4   ? tj_lstm(x, TJ_TENSORS(h, c), all, true, 1, 0, true, false, false, &out, &last, &cell)
                       : gates == 3 ? tj_gru(x, h, all, true, 1, 0, true, false, false, &out, &last)
                       : gates == 2 ? tj_rnn_tanh(x, h, all, true, 1, 0, true, false, false, &out, &last)
                                    : tj_rnn_relu(x, h, all, true, 1, 0, true, false, false, &out, &last);
    if (status) return;
    back_from(out);
  }
}

static void repeats(void *context) {
  (void)context;
  back_from(tj_repeat_interleave_self_Tensor(leaf(TJ_INTS(2, 2)), whole(TJ_INTS(1, 2)), 0, TJ_NO_INT));
}

static void patterns(void *context) {
  (void)context;
  tj_tensor *x = tj_einops_rearrange(leaf(TJ_INTS(2, 6)), "a (b c) -> (c a) b", "b", TJ_INTS(2));
  x = tj_einops_repeat(x, "a b -> (a 2) c b", "c", TJ_INTS(2));
  back_from(tj_einops_reduce(x, "a c (b d) -> d a", "mean", "b", TJ_INTS(2)));
  tj_tensor *packed = tj_einops_pack(TJ_TENSORS(leaf(TJ_INTS(2, 3)), leaf(TJ_INTS(2, 2, 2))), "a *");
  if (!packed) return;
  tj_list *parts = tj_einops_unpack(packed, TJ_INTS(3, 2, -1), TJ_INTS(1, 2), "a *");
  if (!parts) return;
  back_from(tj_list_at(parts, 1));
  tj_list_free(parts);
  if (tj_error_code() == TJ_OK && !tj_einops_rearrange(leaf(TJ_INTS(2, 6)), "a (b c -> a", "", TJ_NO_DIMS) &&
      tj_error_code() == TJ_ERROR_RUNTIME)
    tj_error_clear();
}

static void expressions(void *context) {
  (void)context;
  tj_expression *e =
      tj_expression_parse("sum(max(x @ y + 1, 1, keepdim=true).values * -x ** 2) ? cat([x, split(x, 1)[0]]) : 0.5 * zeros([3, 2])");
  if (!e) return;
  char *tree = tj_expression_tree(e);
  tj_string_free(tree);
  tj_tensor *x = leaf(TJ_INTS(2, 2)), *y = leaf(TJ_INTS(2, 2));
  tj_tensor *result = x && y && tree ? tj_expression_evaluate(e, TJ_TENSORS(x, y)) : NULL;
  if (!result && tj_error_code() == TJ_ERROR_RUNTIME) tj_error_clear(); /* the condition is no bool: the message needs no memory */
  tj_expression_free(e);
  e = tj_expression_parse("rearrange(relu(x), '(a b) c -> a (b c)', a=1) + n");
  tj_tensor *n = e ? tj_scalar_tensor(tj_int(2)) : NULL;
  if (n && x) back_from(tj_expression_evaluate(e, TJ_TENSORS(x, n)));
  tj_expression_free(e);
}

static void errors(void *context) { /* an error's own text needs no memory, and an error is no memory error by itself */
  (void)context;
  tj_tensor *t = tj_from_data(numbers, TJ_FLOAT32, TJ_INTS(2, 4));
  if (!t) return;
  tj_reshape(t, TJ_INTS(3, 3));
  if (tj_error_code() == TJ_ERROR_RUNTIME) tj_error_clear();
}

static const struct {
  const char *name;
  tj__sweep_body body;
} bodies[] = {
    {"printing", printing},
    {"generators", generators},
    {"numbers in and out", numbers_in_and_out},
    {"optimizers", optimizers},
    {"training", training},
    {"views", views},
    {"errors", errors},
    {"grids", grids},
    {"norms", norms},
    {"losses", losses},
    {"recurrent", recurrent},
    {"repeats", repeats},
    {"patterns", patterns},
    {"expressions", expressions},
};

static void the_rest(void **state) {
  (void)state;
  int bad = 0;
  for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
    const char *what = sweep(bodies[i].body, NULL, NULL);
    if (!what) continue;
    print_error("%s: %s\n", bodies[i].name, what);
    bad++;
  }
  if (bad) fail_msg("%d bodies", bad);
}

int main(void) {
  tj_set_num_threads(1);
  modest = true;
  const struct CMUnitTest tests[] = {cmocka_unit_test(the_rest), cmocka_unit_test(calls)};
  return cmocka_run_group_tests_name("sweep", tests, NULL, NULL);
}
