/* onednn.c: float32 products of square matrices, ours beside oneDNN's (dnnl_sgemm and the matmul primitive, whichever is faster), in turn, the
 * shortest of many. Prints GFLOP/s. Needs oneDNN (libdnnl-dev); the library itself does not.
 *   make bench-onednn; or build/bench/onednn [THREADS]... */
#include <math.h>
#include <oneapi/dnnl/dnnl.h>
#include <omp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <torchjs.h>

#define TRY(call)                                                         \
  do {                                                                    \
    if ((call) != dnnl_success) return fprintf(stderr, "%s\n", #call), 1; \
  } while (0)

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct product {
  int64_t n;
  tj_tensor *a, *b, *c; /* c: the last result */
  float *x, *y, *z, *w; /* the same numbers; results of the two */
  dnnl_primitive_t matmul;
  dnnl_stream_t stream;
  dnnl_exec_arg_t args[3];
} product;

static int ours(product *p) {
  tj_free(p->c);
  return (p->c = tj_mm(p->a, p->b)) ? 0 : 1;
}
static int sgemm(product *p) { return dnnl_sgemm('N', 'N', p->n, p->n, p->n, 1, p->x, p->n, p->y, p->n, 0, p->z, p->n) != dnnl_success; }
static int matmul(product *p) {
  return dnnl_primitive_execute(p->matmul, p->stream, 3, p->args) != dnnl_success || dnnl_stream_wait(p->stream) != dnnl_success;
}

/* The shortest time of one product over about 50 ms. */
static int time_of(int (*run)(product *), product *p, double *best) {
  const double end = seconds() + 0.05;
  for (int i = 0; i < 3 || seconds() < end; i++) {
    const double start = seconds();
    if (run(p)) return fprintf(stderr, "a product failed: %s\n", tj_error_message()), 1;
    *best = fmin(*best, seconds() - start);
  }
  return 0;
}

static int measure(dnnl_engine_t engine, dnnl_stream_t stream, int threads, int64_t n) {
  product p = {.n = n, .stream = stream};
  p.a = tj_randn(TJ_INTS(n, n), NULL, TJ_FLOAT32, TJ_DEVICE_NONE, false),
  p.b = tj_randn(TJ_INTS(n, n), NULL, TJ_FLOAT32, TJ_DEVICE_NONE, false);
  if (!p.a || !p.b) return fprintf(stderr, "%s\n", tj_error_message()), 1;
  const size_t bytes = (size_t)(n * n) * sizeof(float);
  p.x = aligned_alloc(64, bytes), p.y = aligned_alloc(64, bytes), p.z = aligned_alloc(64, bytes), p.w = aligned_alloc(64, bytes);
  if (!p.x || !p.y || !p.z || !p.w) return fprintf(stderr, "no memory\n"), 1;
  memcpy(p.x, tj_data(p.a), bytes), memcpy(p.y, tj_data(p.b), bytes), memset(p.z, 0, bytes), memset(p.w, 0, bytes);

  dnnl_dims_t dims = {n, n};
  dnnl_memory_desc_t desc;
  dnnl_matmul_desc_t matmul_desc;
  dnnl_primitive_desc_t primitive_desc;
  TRY(dnnl_memory_desc_init_by_tag(&desc, 2, dims, dnnl_f32, dnnl_ab));
  TRY(dnnl_matmul_desc_init(&matmul_desc, &desc, &desc, NULL, &desc));
  TRY(dnnl_primitive_desc_create(&primitive_desc, &matmul_desc, NULL, engine, NULL));
  TRY(dnnl_primitive_create(&p.matmul, primitive_desc));
  const int roles[] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST};
  float *data[] = {p.x, p.y, p.w};
  for (int i = 0; i < 3; i++) {
    p.args[i].arg = roles[i];
    TRY(dnnl_memory_create(&p.args[i].memory, &desc, engine, data[i]));
  }

  double best[3] = {1e9, 1e9, 1e9};
  for (int round = 0; round < 8; round++)
    if (time_of(ours, &p, &best[0]) || time_of(sgemm, &p, &best[1]) || time_of(matmul, &p, &best[2])) return 1;
  double error = 0;
  for (int64_t i = 0; i < n * n; i++) error = fmax(error, fabs((double)((float *)tj_data(p.c))[i] - p.w[i]));
  const double flops = 2e-9 * (double)n * (double)n * (double)n, theirs = fmin(best[1], best[2]);
  printf("%7d %6lld %9.1f %9.1f %9.1f %7.2f\n", threads, (long long)n, flops / best[0], flops / best[1], flops / best[2], theirs / best[0]);
  if (error > 1e-3 * sqrt((double)n)) return fprintf(stderr, "the results differ by %g\n", error), 1;
  for (int i = 0; i < 3; i++) dnnl_memory_destroy(p.args[i].memory);
  dnnl_primitive_destroy(p.matmul), dnnl_primitive_desc_destroy(primitive_desc);
  free(p.x), free(p.y), free(p.z), free(p.w);
  tj_free(p.a), tj_free(p.b), tj_free(p.c);
  return 0;
}

int main(int argc, char **argv) {
  dnnl_engine_t engine;
  dnnl_stream_t stream;
  TRY(dnnl_engine_create(&engine, dnnl_cpu, 0));
  TRY(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags));
  printf("threads      n      ours     sgemm    matmul   ratio\n");
  static const int64_t sizes[] = {128, 192, 256, 384, 512, 768, 1024, 1536, 2048};
  for (int k = 1; k < (argc > 1 ? argc : 3); k++) {
    const int threads = argc > 1 ? atoi(argv[k]) : k;
    if (threads < 1 || tj_set_num_threads(threads)) return fprintf(stderr, "onednn [THREADS]...\n"), 2;
    omp_set_num_threads(threads);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
      if (measure(engine, stream, threads, sizes[i])) return 1;
  }
  dnnl_stream_destroy(stream), dnnl_engine_destroy(engine);
  return 0;
}
