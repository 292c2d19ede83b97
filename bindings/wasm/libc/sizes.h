/* sizes.h: included before everything else in the WebAssembly build. Pointers have 32 bits there, but the numbers of bytes that the
 * engine computes (elements times their size, workspace of an operator) may pass 4 GiB, and have to fail in the allocator rather than wrap
 * around: the engine computes them in 64 bits, as everywhere else. The C library's own declarations keep their size_t. */
#ifndef TJ__WASM_SIZES_H
#define TJ__WASM_SIZES_H

#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void *tj__wide_malloc(uint64_t bytes);
void *tj__wide_calloc(uint64_t n, uint64_t bytes);
void *tj__wide_realloc(void *p, uint64_t bytes);
void *tj__wide_aligned_alloc(uint64_t alignment, uint64_t bytes);

#ifndef TJ__WASM_NARROW
#define size_t uint64_t
#define malloc tj__wide_malloc
#define calloc tj__wide_calloc
#define realloc tj__wide_realloc
#define aligned_alloc tj__wide_aligned_alloc
#endif

#endif
