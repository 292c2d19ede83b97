/* threads.c: loops over several threads: a pool of our own, started at the first long loop. Idle workers spin for a moment, since one
 * loop often follows another, then offer their processor to others for about a millisecond, and then sleep: on a busy machine a pool that
 * spins for long (OpenMP's habit) starves everybody, itself included, and waking a sleeper takes as long as many a loop. */
#include "core.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#define MAX_THREADS 1024

static _Atomic int wanted; /* 0: not decided yet */

static int default_threads(void) {
#ifdef __wasm__
  return 1; /* the host knows: it starts the threads */
#else
  long n = sysconf(_SC_NPROCESSORS_ONLN);
  return n < 1 ? 1 : n > MAX_THREADS ? MAX_THREADS : (int)n;
#endif
}

int tj_get_num_threads(void) {
  int n = atomic_load_explicit(&wanted, memory_order_relaxed);
  if (TJ__LIKELY(n > 0)) return n;
  n = default_threads();
  atomic_store_explicit(&wanted, n, memory_order_relaxed);
  return n;
}

int tj_set_num_threads(int n) {
  TJ__CHECK_STATUS(n > 0, TJ_ERROR_VALUE, "Expected positive number of threads");
  TJ__CHECK_STATUS(n <= MAX_THREADS, TJ_ERROR_VALUE, "Expected at most %d threads, but got %d", MAX_THREADS, n);
  atomic_store_explicit(&wanted, n, memory_order_relaxed);
  return TJ_OK;
}

static _Thread_local bool inside; /* this thread runs a piece of a loop */
static _Thread_local int place;   /* of this thread among those of the loop */
int tj__parallel_thread(void) { return place; }

/* A loop's pieces lie in as many stretches as there are threads. A thread takes those of its own stretch first and then what is left of the others', so
 * that the same part of an array comes to the same thread from loop to loop. Each long loop goes the other way than the long one before: what that
 * one ended with is in the caches still, and going on at the other end would push it out unread. */
typedef struct stretch {
  _Alignas(64) _Atomic int64_t taken;
} stretch;

typedef struct job {
  tj__range_body body;
  void *context;
  int64_t n, chunk, pieces;
  int64_t step; /* elements of a piece that are one call */
  bool down;
  int threads;
  stretch *stretches; /* one a thread */
} job;

static void run_piece(const job *j, int64_t piece) {
  const int64_t begin = piece * j->chunk, end = TJ__MIN(begin + j->chunk, j->n), steps = (end - begin + j->step - 1) / j->step;
  for (int64_t i = 0; i < steps; i++) {
    const int64_t at = begin + (j->down ? steps - 1 - i : i) * j->step;
    j->body(at, TJ__MIN(at + j->step, end), j->context);
  }
}

/* Takes pieces until there are none left. */
static void work(const job *j, int thread) {
  const bool inside_before = inside;
  const int place_before = place;
  inside = true;
  place = thread;
  for (int i = 0; i < j->threads; i++) {
    const int at = (thread + i) % j->threads;
    const int64_t first = j->pieces * at / j->threads, count = j->pieces * (at + 1) / j->threads - first;
    for (;;) {
      const int64_t piece = atomic_fetch_add_explicit(&j->stretches[at].taken, 1, memory_order_relaxed);
      if (piece >= count) break;
      run_piece(j, first + (j->down ? count - 1 - piece : piece));
    }
  }
  inside = inside_before;
  place = place_before;
}

/* A loop starts and ends without a lock where nobody sleeps: a lock that the starter holds while the worker it has just called wants it
 * costs both a trip to the kernel. `gate` is one word, so that a worker can tell that a job is open and enter it in one step: the job,
 * which is on its starter's stack, cannot end before those inside have left. */
#define OPEN (1u << 31)      /* there is a job to enter */
#define WAITING (1u << 30)   /* its thread sleeps until everybody has left */
#define INSIDE (WAITING - 1) /* how many workers have entered */

static struct {
  pthread_mutex_t user; /* held by the thread whose job runs; others run theirs alone */
  pthread_mutex_t lock; /* for sleeping only */
  pthread_cond_t start, done;
  const job *job; /* while open */
  int wanted;     /* workers for it */
  _Atomic unsigned gate;
  _Atomic uint64_t round; /* how many jobs have been opened */
  _Atomic int sleepers;
  _Atomic int threads;
  stretch stretches[MAX_THREADS]; /* of the job */
} pool = {.user = PTHREAD_MUTEX_INITIALIZER,
          .lock = PTHREAD_MUTEX_INITIALIZER,
          .start = PTHREAD_COND_INITIALIZER,
          .done = PTHREAD_COND_INITIALIZER};

#define SPINS 2000  /* some 30 microseconds */
#define OFFERS 2000 /* about a millisecond where nobody else wants the processor */
static inline void pause_briefly(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

static void wait_for_round_after(uint64_t seen) {
  for (int i = 0; i < SPINS && atomic_load_explicit(&pool.round, memory_order_relaxed) == seen; i++) pause_briefly();
  for (int i = 0; i < OFFERS && atomic_load_explicit(&pool.round, memory_order_relaxed) == seen; i++) sched_yield();
  if (atomic_load_explicit(&pool.round, memory_order_relaxed) != seen) return;
  pthread_mutex_lock(&pool.lock);
  atomic_fetch_add(&pool.sleepers, 1); /* before the look at the round, as the starter looks at the sleepers after it has changed that */
  while (atomic_load(&pool.round) == seen) pthread_cond_wait(&pool.start, &pool.lock);
  atomic_fetch_sub(&pool.sleepers, 1);
  pthread_mutex_unlock(&pool.lock);
}

static bool enter(void) {
  unsigned gate = atomic_load_explicit(&pool.gate, memory_order_relaxed);
  while (gate & OPEN)
    if (atomic_compare_exchange_weak_explicit(&pool.gate, &gate, gate + 1, memory_order_acquire, memory_order_relaxed)) return true;
  return false;
}

static void leave(void) {
  unsigned before = atomic_fetch_sub_explicit(&pool.gate, 1, memory_order_release);
  if (!(before & WAITING) || (before & INSIDE) != 1) return;
  pthread_mutex_lock(&pool.lock);
  pthread_cond_signal(&pool.done);
  pthread_mutex_unlock(&pool.lock);
}

static _Noreturn void *worker(void *argument) {
  const int number = (int)(intptr_t)argument;
  uint64_t seen = 0;
  for (;;) {
    wait_for_round_after(seen);
    seen = atomic_load_explicit(&pool.round, memory_order_acquire);
    if (!enter()) continue; /* it is over already */
    if (number < pool.wanted) work(pool.job, number + 1);
    leave();
  }
}

#ifdef __wasm__
void tj__pool_join(void) {
  pthread_mutex_lock(&pool.lock);
  int number = pool.threads++;
  pthread_mutex_unlock(&pool.lock);
  worker((void *)(intptr_t)number);
}

int tj__pool_threads(void) {
  pthread_mutex_lock(&pool.lock);
  int n = pool.threads;
  pthread_mutex_unlock(&pool.lock);
  return n;
}
#endif

static void start_threads(int n) {
  pthread_mutex_lock(&pool.lock);
  while (pool.threads < n) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, worker, (void *)(intptr_t)pool.threads)) break; /* fewer threads do the same work */
    pthread_detach(thread);
    pool.threads++;
  }
  pthread_mutex_unlock(&pool.lock);
}

static void run(job *j, int threads) {
  if (pthread_mutex_trylock(&pool.user)) {
    work(j, 0);
    return;
  }
  j->threads = threads;
  j->stretches = pool.stretches;
  for (int i = 0; i < threads; i++) atomic_store_explicit(&pool.stretches[i].taken, 0, memory_order_relaxed);
  if (TJ__UNLIKELY(atomic_load_explicit(&pool.threads, memory_order_relaxed) < threads - 1)) start_threads(threads - 1);
  pool.job = j;
  pool.wanted = threads - 1;
  atomic_fetch_or_explicit(&pool.gate, OPEN, memory_order_release);
  atomic_fetch_add(&pool.round, 1); /* after the gate: who sees the round finds it open, or closed again */
  if (atomic_load(&pool.sleepers)) {
    pthread_mutex_lock(&pool.lock);
    pthread_cond_broadcast(&pool.start);
    pthread_mutex_unlock(&pool.lock);
  }
  work(j, 0);
  unsigned gate = atomic_fetch_and_explicit(&pool.gate, ~OPEN, memory_order_acquire) & ~OPEN;
  for (int i = 0; i < SPINS && gate; i++) {
    pause_briefly();
    gate = atomic_load_explicit(&pool.gate, memory_order_acquire);
  }
  if (gate) {
    pthread_mutex_lock(&pool.lock);
    gate = atomic_fetch_or_explicit(&pool.gate, WAITING, memory_order_acquire);
    while (gate & INSIDE) {
      pthread_cond_wait(&pool.done, &pool.lock);
      gate = atomic_load_explicit(&pool.gate, memory_order_acquire);
    }
    atomic_fetch_and_explicit(&pool.gate, ~WAITING, memory_order_relaxed);
    pthread_mutex_unlock(&pool.lock);
  }
  pthread_mutex_unlock(&pool.user);
}

/* Pieces a thread: a worker that comes late still finds some. */
#define PIECES 4

/* Loops of so many grains turn round, a grain a call: shorter ones leave room in the second cache, and of longer ones, beyond the third, little is left;
 * those are slower downwards. */
#define TURNS_FROM 8
#define TURNS_TO 64

static void run_pieces(int64_t n, int64_t chunk, int64_t grain, tj__range_body body, void *context) {
  static _Thread_local bool down; /* which way the last long loop went */
  const bool turns = !inside && n >= TURNS_FROM * grain && n <= TURNS_TO * grain;
  stretch whole = {0};
  job j = {.body = body,
           .context = context,
           .n = n,
           .chunk = chunk,
           .pieces = (n + chunk - 1) / chunk,
           .step = turns ? TJ__MIN(grain, chunk) : chunk,
           .threads = 1,
           .stretches = &whole};
  const int threads = inside ? 1 : (int)TJ__MIN(j.pieces, tj_get_num_threads());
  if (turns) j.down = down = !down;
  if (threads <= 1) work(&j, 0);
  else run(&j, threads);
}

void tj__parallel_for(int64_t n, int64_t grain, tj__range_body body, void *context) {
  if (n <= 0) return;
  const int64_t grains = grain > 0 ? n / grain : n;
  if (inside || grains <= 1) {
    body(0, n, context);
    return;
  }
  const int64_t threads = tj_get_num_threads(), pieces = threads == 1 ? 1 : TJ__MIN(grains, threads * PIECES);
  int64_t chunk = (n + pieces - 1) / pieces;
  grain = TJ__MAX(grain, 1);
  /* Long pieces end at a multiple of every vector length, and so do their steps, so that a loop's scalar rest is at the same elements for any thread count. */
  if (chunk >= 256) chunk = (chunk + 63) / 64 * 64, grain = (grain + 63) / 64 * 64;
  run_pieces(n, chunk, grain, body, context);
}

void tj__parallel_chunks(int64_t n, int64_t chunk, tj__range_body body, void *context) {
  chunk = TJ__MAX(chunk, 1);
  if (n > 0) run_pieces(n, chunk, chunk, body, context);
}
