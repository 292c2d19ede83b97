/* futex.c: locks and conditions for WebAssembly (libc/pthread.h), after Drepper, "Futexes are tricky". The main thread of a page may not
 * sleep: it spins, which is short, since the engine holds its locks for moments and waits for pieces of loops only. */
#include <pthread.h>
#include <stdbool.h>

static _Thread_local bool may_sleep;

/* From now on the calling thread sleeps where it has to wait. */
void tj__wasm_may_sleep(bool yes) { may_sleep = yes; }

static void wait(_Atomic int32_t *at, int32_t while_it_is) {
  if (may_sleep) __builtin_wasm_memory_atomic_wait32((int32_t *)at, while_it_is, -1);
}
static void wake(_Atomic int32_t *at, unsigned n) { __builtin_wasm_memory_atomic_notify((int32_t *)at, n); }

int pthread_mutex_trylock(pthread_mutex_t *m) {
  int32_t free = 0;
  return atomic_compare_exchange_strong_explicit(&m->state, &free, 1, memory_order_acquire, memory_order_relaxed) ? 0 : 10; /* EBUSY */
}

int pthread_mutex_lock(pthread_mutex_t *m) {
  for (int spins = 0; spins < 100; spins++)
    if (!pthread_mutex_trylock(m)) return 0;
  while (atomic_exchange_explicit(&m->state, 2, memory_order_acquire)) wait(&m->state, 2);
  return 0;
}

int pthread_mutex_unlock(pthread_mutex_t *m) {
  if (atomic_exchange_explicit(&m->state, 0, memory_order_release) == 2) wake(&m->state, 1);
  return 0;
}

int pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m) {
  int32_t sequence = atomic_load_explicit(&c->sequence, memory_order_relaxed);
  pthread_mutex_unlock(m);
  wait(&c->sequence, sequence);
  return pthread_mutex_lock(m);
}

static int signal(pthread_cond_t *c, unsigned n) {
  atomic_fetch_add_explicit(&c->sequence, 1, memory_order_relaxed);
  wake(&c->sequence, n);
  return 0;
}
int pthread_cond_signal(pthread_cond_t *c) { return signal(c, 1); }
int pthread_cond_broadcast(pthread_cond_t *c) { return signal(c, UINT32_MAX); }

int pthread_once(pthread_once_t *once, void (*f)(void)) {
  if (atomic_load_explicit(&once->done, memory_order_acquire)) return 0;
  pthread_mutex_lock(&once->lock);
  if (!atomic_load_explicit(&once->done, memory_order_relaxed)) {
    f();
    atomic_store_explicit(&once->done, 1, memory_order_release);
  }
  return pthread_mutex_unlock(&once->lock);
}

int sched_yield(void) { return 0; }
