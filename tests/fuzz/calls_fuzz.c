/* calls_fuzz.c: calls made up from the fuzzer's bytes, on the baseline's kernels and on every other instruction set of the machine. No crash,
 * no finding of a sanitizer, the same error, the same results within what the order of additions may change. */
#include <stdlib.h>

#include "engine/kernels/backend.h"
#include "generate.h"

/* One run, kept as plain numbers: results, arguments (in-place forms change them), gradients. */
typedef struct record {
  char error[256];
  int count;
  struct {
    tj_dtype dtype;
    int rank;
    int64_t sizes[16], numel;
    double *numbers; /* complex: pairs */
    int64_t *bits;   /* integers */
  } items[128];
  results scalars;
  double largest;
} record;

static void clear(record *r) {
  for (int i = 0; i < r->count; i++) {
    free(r->items[i].numbers);
    free(r->items[i].bits);
  }
  memset(r, 0, sizeof *r);
}

static void keep(record *r, tj_tensor *t) {
  if (!t || r->count == 128) return;
  int i = r->count++;
  r->items[i].dtype = tj_dtype_of(t);
  r->items[i].rank = tj_ndim(t);
  for (int d = 0; d < tj_ndim(t) && d < 16; d++) r->items[i].sizes[d] = tj_size(t, d);
  r->items[i].numel = tj_numel(t);
  r->items[i].numbers = NULL;
  r->items[i].bits = NULL;
  if (tj_numel(t) > 1 << 20) return;
  bool complex = tj_dtype_is_complex(tj_dtype_of(t)), floating = tj_dtype_is_floating(tj_dtype_of(t));
  size_t bytes = (size_t)tj_numel(t) * (complex ? 16 : 8);
  tj_scope_begin();
  tj_tensor *detached = tj_detach(t);
  tj_tensor *wide = tj_to_dtype(detached, complex ? TJ_COMPLEX128 : floating ? TJ_FLOAT64 : TJ_INT64, false, false, NULL);
  void *to = malloc(bytes + 8);
  tj_to_data(wide, to, bytes);
  if (complex || floating) r->items[i].numbers = to;
  else r->items[i].bits = to;
  tj_scope_end();
}

static tj__host *host;
static double buffer[SLOTS];

static void run_once(const uint8_t *data, size_t size, record *r, call *c) {
  source s = {.data = data, .size = size};
  results out = {0};
  tj_error_clear();
  make_call(c, host, &s, -1);
  if (getenv("FUZZ_VERBOSE")) {
    fprintf(stderr, "%s on %s:", c->form->name, tj__backend_of(TJ_CPU)->name);
    for (int i = 0; i < c->count; i++) {
      fprintf(stderr, " %s[", tj_dtype_name(tj_dtype_of(c->tensors[i])));
      for (int d = 0; d < tj_ndim(c->tensors[i]); d++)
        fprintf(stderr, "%s%lld:%lld", d ? "," : "", (long long)tj_size(c->tensors[i], d), (long long)tj_stride(c->tensors[i], d));
      fprintf(stderr, "]%s", tj_requires_grad(c->tensors[i]) ? "g" : "");
    }
    fprintf(stderr, " slots");
    for (int i = 0; i < c->n && i < 40; i++) fprintf(stderr, " %g", c->slots[i]);
    fprintf(stderr, "\n");
    if (strchr(getenv("FUZZ_VERBOSE"), 'v'))
      for (int i = 0; i < c->count; i++) {
        char *text = tj_to_string(c->tensors[i]);
        fprintf(stderr, "%s\n", text);
        tj_string_free(text);
      }
  }
  if (!c->failed) run_call(c, host, &out);
  snprintf(r->error, sizeof r->error, "%s", tj_error_code() == TJ_OK ? "" : tj_error_message());
  if (getenv("FUZZ_VERBOSE")) fprintf(stderr, "  -> %s\n", r->error[0] ? r->error : "good");
  tj_error_clear();
  r->scalars = out;
  for (int i = 0; i < out.count && out.done; i++) keep(r, out.handles[i] ? tj__handle_get(host, out.handles[i], TJ__HANDLE_TENSOR) : NULL);
  for (int i = 0; i < c->count && out.done; i++) {
    keep(r, c->tensors[i]);
    keep(r, tj_grad(c->tensors[i]));
  }
  drop_results(&out, host);
  drop_call(c, host);
  tj__host_settle(host);
  r->largest = c->largest;
}

static const char *disagreement(const record *a, const record *b, const call *c, char *text, size_t size) {
  static const double units[TJ_DTYPE_COUNT] = {[TJ_FLOAT16] = 0x1p-10,   [TJ_BFLOAT16] = 0x1p-7, [TJ_FLOAT32] = 0x1p-23,
                                               [TJ_COMPLEX64] = 0x1p-23, [TJ_FLOAT64] = 0x1p-52, [TJ_COMPLEX128] = 0x1p-52};
  if (strcmp(a->error, b->error)) {
    snprintf(text, size, "one says '%s', the other '%s'", a->error, b->error);
    return text;
  }
  if (a->count != b->count || a->scalars.scalar != b->scalars.scalar) return "they give different numbers of results";
  if (strstr(c->form->name, "empty") || strstr(c->form->name, "resize")) return NULL; /* whose elements are what was there */
  for (int i = 0; i < a->count; i++) {
    if (a->items[i].dtype != b->items[i].dtype || a->items[i].rank != b->items[i].rank || a->items[i].numel != b->items[i].numel ||
        memcmp(a->items[i].sizes, b->items[i].sizes, sizeof a->items[i].sizes)) {
      snprintf(text, size, "result %d has another dtype or size", i);
      return text;
    }
    if (c->wild || strstr(c->form->family, "linalg")) continue; /* of a singular matrix there is more than one factorisation, or none */
    int64_t n = a->items[i].numel;
    if (a->items[i].bits)
      for (int64_t k = 0; k < n; k++)
        if (a->items[i].bits[k] != b->items[i].bits[k]) {
          snprintf(text, size, "result %d, element %lld: %lld and %lld", i, (long long)k, (long long)a->items[i].bits[k],
                   (long long)b->items[i].bits[k]);
          return text;
        }
    if (!a->items[i].numbers) continue;
    if (tj_dtype_is_complex(a->items[i].dtype)) n *= 2;
    /* Of the narrowest dtype that may have been in between. */
    double unit = units[a->items[i].dtype];
    if (!strcmp(c->form->family, "random")) unit = TJ__MAX(unit, units[TJ_FLOAT32]); /* drawn in the default dtype */
    for (int j = 0; j < a->count; j++) unit = TJ__MAX(unit, units[a->items[j].dtype]);
    double scale = TJ__MAX(1, a->largest);
    for (int64_t k = 0; k < n; k++)
      if (isfinite(a->items[i].numbers[k])) scale = TJ__MAX(scale, fabs(a->items[i].numbers[k]));
    for (int64_t k = 0; k < n; k++) {
      double x = a->items[i].numbers[k], y = b->items[i].numbers[k];
      if (x == y || (isnan(x) && isnan(y))) continue;
      if (unit > 1e-4 && (!isfinite(x) || !isfinite(y)) && fabs(isfinite(x) ? x : y) > 3e4) continue; /* at the end of float16 */
      if (fabs(x - y) <= (unit > 1e-4 ? 4 : 64) * unit * scale) continue;
      snprintf(text, size, "result %d, element %lld: %.17g and %.17g", i, (long long)k, x, y);
      return text;
    }
  }
  for (int i = 0; a->scalars.scalar && i < 2; i++) {
    double x = a->scalars.values[i], y = b->scalars.values[i];
    if (i == 1 && a->scalars.kind != TJ_SCALAR_COMPLEX) break;
    if (!c->wild && x != y && !(isnan(x) && isnan(y)) && fabs(x - y) > 1e-4 * TJ__MAX(1, fabs(x))) {
      snprintf(text, size, "%g and %g", x, y);
      return text;
    }
  }
  return NULL;
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc, (void)argv;
  host = tj__host_new();
  tj__host_set_buffer(host, buffer, SLOTS);
  const char *threads = getenv("FUZZ_THREADS"); /* with 1 the same seed makes the same calls again */
  tj_set_num_threads(threads ? atoi(threads) : 2);
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static record base, other;
  static call c;
  char text[640];
  if (size < 8) return 0;
  const char *name = tj__backend_use(0);
  if (!name) abort();
  tj_memory_stats_t before = tj_memory_stats();
  run_once(data, size, &base, &c);
  for (int level = 1; (name = tj__backend_use(level)); level++) {
    run_once(data, size, &other, &c);
    const char *what = disagreement(&base, &other, &c, text, sizeof text);
    if (what) {
      fprintf(stderr, "%s: the baseline and %s disagree: %s\n", c.form->name, name, what);
      abort();
    }
    clear(&other);
  }
  clear(&base);
  tj_memory_stats_t after = tj_memory_stats();
  if (after.live_bytes != before.live_bytes || after.live_tensors != before.live_tensors || after.live_nodes != before.live_nodes) {
    fprintf(stderr, "%s: %lld bytes, %lld tensors, %lld nodes stay\n", c.form->name, (long long)(after.live_bytes - before.live_bytes),
            (long long)(after.live_tensors - before.live_tensors), (long long)(after.live_nodes - before.live_nodes));
    abort();
  }
  return 0;
}
