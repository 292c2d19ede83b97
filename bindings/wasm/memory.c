/* memory.c: malloc for WebAssembly. The C library's knows no threads, and takes no request of 2 GiB.
 *
 * Memory is a row of blocks, each with a header of 16 bytes before it: its size, the size of the block before it, whether it is free. Free
 * blocks are in lists by size, four to an octave; a request takes the first that fits from its own list on, and splits it. Neighbours that
 * are free become one at once. What is at the end of memory grows it. The engine caches small blocks itself (engine/core/alloc.c), so what comes
 * here is seldom or large. */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define ALIGN 64u /* of every block: what aligned_alloc is asked for */
#define HEADER 16u
#define PAGE 65536u
/* Blocks begin at a multiple of ALIGN, HEADER behind their header; sizes count the header and are multiples of ALIGN. */
typedef struct header {
  uint32_t size, before; /* of this block and of the one before it; 0: there is none */
  uint32_t free, magic;
} header;
typedef struct links {
  struct links *next, *last;
} links;

#define LISTS (32 * 4)
static links *lists[LISTS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static header *end; /* a header of size 0 behind the last block */

extern char __heap_base;

/* The last page would end at address 2^32, which is 0. */
static uint64_t most_pages = 65535;
_Atomic uintptr_t tj__last_address = UINTPTR_MAX; /* see engine/core/core.h */

bool tj__reserve_device_addresses(void) {
  pthread_mutex_lock(&lock);
  bool is_free = __builtin_wasm_memory_size(0) <= 32768;
  if (is_free) {
    most_pages = 32768;
    atomic_store_explicit(&tj__last_address, INT32_MAX, memory_order_relaxed);
  }
  pthread_mutex_unlock(&lock);
  return is_free;
}

static inline void *block_of(header *h) { return (char *)h + HEADER; }
static inline header *header_of(void *p) { return (header *)((char *)p - HEADER); }
static inline header *next_of(header *h) { return (header *)((char *)h + h->size); }
static inline header *before_of(header *h) { return (header *)((char *)h - h->before); }

static int list_of(uint32_t size) {
  int top = 31 - __builtin_clz(size);
  return top * 4 + (int)(size >> (top - 2) & 3);
}

static void put(header *h) {
  links *l = block_of(h), **list = &lists[list_of(h->size)];
  h->free = 1;
  l->last = NULL;
  l->next = *list;
  if (*list) (*list)->last = l;
  *list = l;
}
static void take(header *h) {
  links *l = block_of(h);
  h->free = 0;
  if (l->next) l->next->last = l->last;
  if (l->last) l->last->next = l->next;
  else lists[list_of(h->size)] = l->next;
}

static void set_size(header *h, uint32_t size) {
  h->size = size;
  next_of(h)->before = size;
}

/* A free block at the end of memory, not in a list, of at least `size` bytes; NULL when memory cannot grow. */
static header *extend(uint32_t size) {
  if (!end) {
    uintptr_t first = ((uintptr_t)&__heap_base + HEADER + ALIGN - 1) / ALIGN * ALIGN - HEADER;
    if (first + HEADER > (uint64_t)__builtin_wasm_memory_size(0) * PAGE && __builtin_wasm_memory_grow(0, 1) == (size_t)-1) return NULL;
    end = (header *)first;
    *end = (header){0};
  }
  header *last = end->before && before_of(end)->free ? before_of(end) : NULL;
  uint64_t start = (uintptr_t)(last ? last : end), wanted = start + size + HEADER;
  uint64_t pages = (wanted + PAGE - 1) / PAGE, now = __builtin_wasm_memory_size(0);
  if (pages > most_pages) return NULL;
  if (pages > now) {
    /* A sixteenth more than asked for: growing is not free. */
    uint64_t generous = pages + pages / 16 < most_pages ? pages + pages / 16 : most_pages;
    if (__builtin_wasm_memory_grow(0, generous - now) != (size_t)-1) now = generous;
    else if (__builtin_wasm_memory_grow(0, pages - now) != (size_t)-1) now = pages;
    else return NULL;
  }
  uint32_t before = last ? last->before : end->before;
  uint32_t all = (uint32_t)((now * PAGE - HEADER - start) / ALIGN * ALIGN);
  if (last) take(last);
  header *h = (header *)(uintptr_t)start;
  *h = (header){.before = before, .size = all};
  end = next_of(h);
  *end = (header){.before = all};
  return h;
}

static void *allocate(uint64_t bytes) {
  if (bytes > UINT32_MAX - 2 * PAGE) return NULL;
  uint32_t size = (uint32_t)((bytes + HEADER + ALIGN - 1) / ALIGN * ALIGN);
  if (size < 2 * ALIGN) size = 2 * ALIGN;
  pthread_mutex_lock(&lock);
  header *found = NULL;
  for (int i = list_of(size); i < LISTS && !found; i++)
    for (links *l = lists[i]; l && !found; l = l->next)
      if (header_of(l)->size >= size) found = header_of(l);
  if (found) take(found);
  else found = extend(size);
  if (found) {
    if (found->size - size >= 2 * ALIGN) {
      header *rest = (header *)((char *)found + size);
      uint32_t left = found->size - size;
      *rest = (header){.before = size};
      found->size = size;
      set_size(rest, left);
      put(rest);
    }
    found->free = 0;
  }
  pthread_mutex_unlock(&lock);
  return found ? block_of(found) : NULL;
}

void free(void *p) {
  if (!p) return;
  header *h = header_of(p);
  pthread_mutex_lock(&lock);
  header *next = next_of(h);
  if (next->free) {
    take(next);
    set_size(h, h->size + next->size);
  }
  if (h->before && before_of(h)->free) {
    header *before = before_of(h);
    take(before);
    set_size(before, before->size + h->size);
    h = before;
  }
  put(h);
  pthread_mutex_unlock(&lock);
}

void *tj__wide_malloc(uint64_t bytes) { return allocate(bytes); }
void *tj__wide_aligned_alloc(uint64_t alignment, uint64_t bytes) { return alignment <= ALIGN ? allocate(bytes) : NULL; }
void *tj__wide_calloc(uint64_t n, uint64_t bytes) {
  uint64_t all;
  if (__builtin_mul_overflow(n, bytes, &all)) return NULL;
  void *p = allocate(all);
  return p ? memset(p, 0, (size_t)all) : NULL;
}
void *tj__wide_realloc(void *p, uint64_t bytes) {
  if (!p) return allocate(bytes);
  uint64_t held = header_of(p)->size - HEADER;
  if (bytes <= held && bytes >= held / 2) return p;
  void *q = allocate(bytes);
  if (!q) return NULL;
  memcpy(q, p, (size_t)(held < bytes ? held : bytes));
  free(p);
  return q;
}

/* The C library's own calls, whose sizes have 32 bits. */
void *malloc(size_t bytes) { return allocate(bytes); }
void *calloc(size_t n, size_t bytes) { return tj__wide_calloc(n, bytes); }
void *realloc(void *p, size_t bytes) { return tj__wide_realloc(p, bytes); }
void *aligned_alloc(size_t alignment, size_t bytes) { return tj__wide_aligned_alloc(alignment, bytes); }
void *__libc_malloc(size_t bytes) { return allocate(bytes); }
void *__libc_calloc(size_t n, size_t bytes) { return tj__wide_calloc(n, bytes); }
void __libc_free(void *p) { free(p); }
