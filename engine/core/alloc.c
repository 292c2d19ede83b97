/* alloc.c: the caching allocator. A thread keeps the blocks it frees in lists by size class, so that a loop that does the same again
 * asks the system for nothing. */
#include <pthread.h>
#include <stdlib.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

#include "core.h"

/* The address sanitizer is told which blocks are in use, and how much of each. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

#define ALIGNMENT 64
#define CACHE_LIMIT ((size_t)1 << 30) /* bytes that one thread keeps at most */
/* Classes: 64, 128, 192, 256, then four to an octave, so that at most a fifth of a block is wasted. The last one is 7 * 2^45. */
#define CLASSES (4 + 4 * 40)

typedef struct block {
  struct block *next;
} block;

/* Written by their thread only; others read them for the statistics. */
typedef struct counters {
  _Atomic int64_t allocations, frees, system_allocations, system_frees, reserved, tensors, nodes;
} counters;

typedef struct cache {
  block *lists[CLASSES];
  size_t bytes;
  counters count;
  /* Bytes in use that `live` does not know of yet, and the most of them since it last heard: see settle. */
  _Atomic int64_t unsettled, most_unsettled;
  bool registered;
  struct cache *next, **link; /* in the list of all threads' caches */
} cache;

static _Thread_local cache local;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool key_made;
static cache *caches;  /* under lock */
static counters ended; /* of the threads that are gone; written under lock */
static _Atomic int64_t live, peak;
static _Atomic int64_t fail_countdown;

static inline void count(_Atomic int64_t *counter, int64_t by) {
  atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + by, memory_order_relaxed);
}

#define COUNTERS(X) X(allocations) X(frees) X(system_allocations) X(system_frees) X(reserved) X(tensors) X(nodes)

/* Tells `live` and `peak` of this thread. Done once there is enough to tell, since atomic sums are what a small allocation would mostly
 * cost: the statistics are exact where one thread allocates, and otherwise to SETTLE bytes a thread. */
#define SETTLE ((int64_t)64 << 10)
static void settle(cache *c) {
  int64_t unsettled = atomic_load_explicit(&c->unsettled, memory_order_relaxed);
  int64_t before = atomic_fetch_add_explicit(&live, unsettled, memory_order_relaxed);
  int64_t now = before + atomic_load_explicit(&c->most_unsettled, memory_order_relaxed);
  int64_t most = atomic_load_explicit(&peak, memory_order_relaxed);
  while (now > most && !atomic_compare_exchange_weak_explicit(&peak, &most, now, memory_order_relaxed, memory_order_relaxed)) {}
  atomic_store_explicit(&c->unsettled, 0, memory_order_relaxed);
  atomic_store_explicit(&c->most_unsettled, 0, memory_order_relaxed);
}

static inline void count_live(cache *c, int64_t bytes) {
  int64_t now = atomic_load_explicit(&c->unsettled, memory_order_relaxed) + bytes;
  atomic_store_explicit(&c->unsettled, now, memory_order_relaxed);
  if (now > atomic_load_explicit(&c->most_unsettled, memory_order_relaxed))
    atomic_store_explicit(&c->most_unsettled, now, memory_order_relaxed);
  if (TJ__UNLIKELY(now > SETTLE || now < -SETTLE)) settle(c);
}

static inline int class_of(size_t bytes, size_t *size) {
  size_t units = bytes ? (bytes + ALIGNMENT - 1) / ALIGNMENT : 1;
  if (units <= 4) return *size = units * ALIGNMENT, (int)units - 1;
  /* units - 1 has its leading bit at `top`; two more bits pick the step inside the octave */
  int top = 63 - __builtin_clzll(units - 1);
  size_t step = (units - 1) >> (top - 2); /* 4 to 7 */
  *size = ((step + 1) << (top - 2)) * ALIGNMENT;
  return 4 + (top - 2) * 4 + (int)step - 4;
}

/* Large blocks lie on huge pages where the system has them: a page fault for 2 MiB instead of 512, and loops over large arrays, above all with
 * strides of a page or more, find their addresses. */
#define HUGE_PAGE ((size_t)2 << 20)
static void *system_alloc(size_t size) {
#ifdef MADV_HUGEPAGE
  void *p = NULL;
  if (size >= HUGE_PAGE && posix_memalign(&p, HUGE_PAGE, size) == 0) {
    madvise(p, size, MADV_HUGEPAGE); /* a hint: where it fails the pages are small */
    return p;
  }
#endif
  return aligned_alloc(ALIGNMENT, size);
}

static void system_free(cache *c, void *p, size_t size) {
  free(p);
  count(&c->count.system_frees, 1);
  count(&c->count.reserved, -(int64_t)size);
}

static void empty(cache *c) {
  for (int i = 0; i < CLASSES; i++) {
    size_t size = i < 4 ? (size_t)(i + 1) * ALIGNMENT : ((size_t)(5 + (i - 4) % 4) << ((i - 4) / 4)) * ALIGNMENT;
    while (c->lists[i]) {
      block *b = c->lists[i];
      ASAN_UNPOISON_MEMORY_REGION(b, size);
      c->lists[i] = b->next;
      system_free(c, b, size);
    }
  }
  c->bytes = 0;
}

static void leave(void *p) {
  cache *c = p;
  if (!c->registered) return;
  empty(c);
  settle(c);
  pthread_mutex_lock(&lock);
#define X(name)                      \
  count(&ended.name, c->count.name); \
  atomic_store_explicit(&c->count.name, 0, memory_order_relaxed);
  COUNTERS(X)
#undef X
  *c->link = c->next;
  if (c->next) c->next->link = c->link;
  c->registered = false; /* a later use in another destructor of the thread registers it again */
  pthread_mutex_unlock(&lock);
}

static void make_key(void) { key_made = pthread_key_create(&key, leave) == 0; }

/* When the library is unloaded before its threads end, the key must not lead into code that is gone. */
__attribute__((destructor)) static void unload(void) {
  if (key_made) pthread_key_delete(key);
  leave(&local);
}

/* The thread's cache. Its address is found once: compilers take it for a constant and would look for it again at each use, by a call in a shared
 * library. */
static cache *enter(void) {
  cache *c = &local;
  __asm__("" : "+r"(c));
  if (TJ__LIKELY(c->registered)) return c;
  pthread_once(&once, make_key);
  if (key_made) pthread_setspecific(key, c);
  pthread_mutex_lock(&lock);
  c->next = caches;
  c->link = &caches;
  if (caches) caches->link = &c->next;
  caches = c;
  c->registered = true;
  pthread_mutex_unlock(&lock);
  return c;
}

static bool must_fail(void) {
  if (TJ__LIKELY(atomic_load_explicit(&fail_countdown, memory_order_relaxed) <= 0)) return false;
  return atomic_fetch_sub_explicit(&fail_countdown, 1, memory_order_relaxed) == 1;
}

void *tj__alloc(size_t bytes) {
  cache *c = enter();
  size_t size;
  count(&c->count.allocations, 1);
  if (TJ__UNLIKELY(bytes > (size_t)1 << 46)) goto fail;
  int class = class_of(bytes, &size);
  if (TJ__UNLIKELY(must_fail())) goto fail;
  block *b = c->lists[class];
  if (TJ__LIKELY(b != NULL)) {
    ASAN_UNPOISON_MEMORY_REGION(b, size);
    c->lists[class] = b->next;
    c->bytes -= size;
  } else {
    b = system_alloc(size);
    if (!b && c->bytes) { /* blocks of other sizes may be what is missing */
      empty(c);
      b = system_alloc(size);
    }
    if (!b) goto fail;
    count(&c->count.system_allocations, 1);
    count(&c->count.reserved, (int64_t)size);
  }
  ASAN_POISON_MEMORY_REGION((char *)b + bytes, size - bytes);
  count_live(c, (int64_t)size);
  return b;
fail:
  count(&c->count.allocations, -1);
  return tj__fail(TJ_ERROR_MEMORY, "DefaultCPUAllocator: can't allocate memory: you tried to allocate %llu bytes.",
                  (unsigned long long)bytes);
}

void *tj__alloc_zeroed(size_t bytes) {
  void *p = tj__alloc(bytes);
  if (p) memset(p, 0, bytes);
  return p;
}

void tj__free(void *p, size_t bytes) {
  if (!p) return;
  cache *c = enter();
  size_t size;
  int class = class_of(bytes, &size);
  count(&c->count.frees, 1);
  count_live(c, -(int64_t)size);
  if (TJ__UNLIKELY(c->bytes + size > CACHE_LIMIT)) {
    ASAN_UNPOISON_MEMORY_REGION(p, size);
    system_free(c, p, size);
    return;
  }
  block *b = p;
  ASAN_UNPOISON_MEMORY_REGION(b, sizeof *b); /* fewer bytes than the link may have been asked for */
  b->next = c->lists[class];
  c->lists[class] = b;
  c->bytes += size;
  ASAN_POISON_MEMORY_REGION(p, size);
}

void *tj__grow(void *p, size_t bytes) { return TJ__UNLIKELY(must_fail()) ? NULL : realloc(p, bytes); }

void tj__count_tensor(int delta) { count(&enter()->count.tensors, delta); }
void tj__count_node(int delta) { count(&enter()->count.nodes, delta); }

tj_memory_stats_t tj_memory_stats(void) {
  counters sum = {0};
  settle(enter());
  pthread_mutex_lock(&lock);
  int64_t now = atomic_load_explicit(&live, memory_order_relaxed), most = atomic_load_explicit(&peak, memory_order_relaxed);
#define X(name) count(&sum.name, atomic_load_explicit(&ended.name, memory_order_relaxed));
  COUNTERS(X)
#undef X
  for (cache *c = caches; c; c = c->next) {
#define X(name) count(&sum.name, atomic_load_explicit(&c->count.name, memory_order_relaxed));
    COUNTERS(X)
#undef X
    now += atomic_load_explicit(&c->unsettled, memory_order_relaxed);
  }
  pthread_mutex_unlock(&lock);
  return (tj_memory_stats_t){
      .live_bytes = now,
      .peak_bytes = TJ__MAX(now, most),
      .reserved_bytes = sum.reserved,
      .allocations = sum.allocations,
      .frees = sum.frees,
      .system_allocations = sum.system_allocations,
      .system_frees = sum.system_frees,
      .live_tensors = sum.tensors,
      .live_nodes = sum.nodes,
  };
}

void tj_reset_peak_memory_stats(void) {
  settle(enter());
  atomic_store_explicit(&peak, atomic_load_explicit(&live, memory_order_relaxed), memory_order_relaxed);
}

void tj_empty_cache(void) { empty(enter()); }

int64_t tj_fail_allocation(int64_t n) { return atomic_exchange_explicit(&fail_countdown, n > 0 ? n : 0, memory_order_relaxed); }
