/* pthread.h: what the engine needs of POSIX threads, for WebAssembly, whose C library has none: locks and conditions on the futex
 * instructions. Threads are started by the host (see bindings/wasm/shell.c), never by pthread_create, and never end by themselves. */
#ifndef TJ__WASM_PTHREAD_H
#define TJ__WASM_PTHREAD_H

#include <stdatomic.h>
#include <stdint.h>

typedef struct pthread_mutex_t {
  _Atomic int32_t state; /* 0: free, 1: held, 2: held, and somebody may sleep */
} pthread_mutex_t;
typedef struct pthread_cond_t {
  _Atomic int32_t sequence; /* changes with every signal */
} pthread_cond_t;
typedef struct pthread_once_t {
  _Atomic int32_t done;
  pthread_mutex_t lock;
} pthread_once_t;
typedef unsigned pthread_t, pthread_key_t;

#define PTHREAD_MUTEX_INITIALIZER \
  { 0 }
#define PTHREAD_COND_INITIALIZER \
  { 0 }
#define PTHREAD_ONCE_INIT \
  {                       \
    0, { 0 }              \
  }

int pthread_mutex_lock(pthread_mutex_t *m);
int pthread_mutex_trylock(pthread_mutex_t *m);
int pthread_mutex_unlock(pthread_mutex_t *m);
int pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m);
int pthread_cond_signal(pthread_cond_t *c);
int pthread_cond_broadcast(pthread_cond_t *c);
int pthread_once(pthread_once_t *once, void (*f)(void));

/* Not here: the callers do without. */
static inline int pthread_create(pthread_t *thread, const void *attributes, void *(*f)(void *), void *argument) {
  (void)thread, (void)attributes, (void)f, (void)argument;
  return 6; /* EAGAIN */
}
static inline int pthread_detach(pthread_t thread) { return (void)thread, 0; }
static inline int pthread_key_create(pthread_key_t *key, void (*f)(void *)) { return (void)key, (void)f, 6; }
static inline int pthread_key_delete(pthread_key_t key) { return (void)key, 0; }
static inline int pthread_setspecific(pthread_key_t key, const void *value) { return (void)key, (void)value, 0; }

#endif
