/* machine.c: what this machine can do at most, to judge the benchmark by: bytes a second that a loop adding two arrays moves, out of the caches
 * and out of memory, and float32 multiply-adds a second. Prints one JSON object.
 *   cc -O3 -march=native -pthread machine.c -o machine && ./machine [THREADS] */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef float vector __attribute__((vector_size(64)));

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct job {
  size_t n; /* floats of each of the three arrays */
  int rounds;
  float *a, *b, *c;
  pthread_barrier_t *start;
  double began, ended;
  float sink;
} job;

static void *add(void *p) {
  job *j = p;
  pthread_barrier_wait(j->start);
  j->began = seconds();
  for (int r = 0; r < j->rounds; r++) {
    for (size_t i = 0; i < j->n; i++) j->c[i] = j->a[i] + j->b[i];
    __asm__ volatile("" ::: "memory");
  }
  j->ended = seconds();
  return NULL;
}

#define CHAINS 12 /* independent sums: enough to hide the latency of a multiply-add on two pipes */

static void *multiply_add(void *p) {
  job *j = p;
  vector x = {0}, y = {0}, sums[CHAINS];
  for (int i = 0; i < 16; i++) x[i] = 1e-9f * (float)i, y[i] = 0.999999f;
  for (int k = 0; k < CHAINS; k++) sums[k] = x;
  pthread_barrier_wait(j->start);
  j->began = seconds();
  for (int r = 0; r < j->rounds; r++) {
#pragma GCC unroll 12
    for (int k = 0; k < CHAINS; k++) sums[k] = sums[k] * y + x;
    __asm__ volatile("");
  }
  j->ended = seconds();
  for (int k = 0; k < CHAINS; k++) j->sink += sums[k][k];
  return NULL;
}

/* The shortest time of all threads together, of several tries. */
static double best(void *(*body)(void *), job *jobs, int threads) {
  double shortest = 1e9;
  for (int attempt = 0; attempt < 7; attempt++) {
    pthread_t ids[64];
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, (unsigned)threads);
    for (int t = 0; t < threads; t++) {
      jobs[t].start = &start;
      if (pthread_create(&ids[t], NULL, body, &jobs[t])) exit(1);
    }
    double began = 1e18, ended = 0;
    for (int t = 0; t < threads; t++) {
      pthread_join(ids[t], NULL);
      if (jobs[t].began < began) began = jobs[t].began;
      if (jobs[t].ended > ended) ended = jobs[t].ended;
    }
    pthread_barrier_destroy(&start);
    if (ended - began < shortest) shortest = ended - began;
  }
  return shortest;
}

/* GB/s when the three arrays of all threads hold `bytes` together. */
static double bandwidth(size_t bytes, int threads) {
  job jobs[64];
  size_t n = bytes / 12 / (size_t)threads / 16 * 16;
  int rounds = (int)(((size_t)1 << 30) / bytes) + 1;
  for (int t = 0; t < threads; t++) {
    jobs[t] = (job){.n = n, .rounds = rounds};
    float **arrays[] = {&jobs[t].a, &jobs[t].b, &jobs[t].c};
    for (int k = 0; k < 3; k++) {
      if (!(*arrays[k] = aligned_alloc(64, n * 4))) exit(1);
      for (size_t i = 0; i < n; i++) (*arrays[k])[i] = 1;
    }
  }
  double s = best(add, jobs, threads);
  for (int t = 0; t < threads; t++) free(jobs[t].a), free(jobs[t].b), free(jobs[t].c);
  return 12e-9 * (double)n * threads * rounds / s;
}

int main(int argc, char **argv) {
  int threads = argc > 1 ? atoi(argv[1]) : 1;
  if (threads < 1 || threads > 64) return fprintf(stderr, "machine: 1 to 64 threads\n"), 2;
  job jobs[64];
  for (int t = 0; t < threads; t++) jobs[t] = (job){.rounds = 4000000};
  double flops = 2.0 * 16 * CHAINS * 4e6 * threads / best(multiply_add, jobs, threads);
  printf("{\"threads\": %d, \"cache_gb_s\": %.1f, \"memory_gb_s\": %.1f, \"gflop_s\": %.0f}\n", threads,
         bandwidth((size_t)12 << 20, threads), bandwidth((size_t)384 << 20, threads), flops * 1e-9);
  return 0;
}
