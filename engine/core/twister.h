/* twister.h: a step of mt19937's state, and what makes draws of its words. In a header, so that the kernels have it for their instruction set:
 * every loop here works on as many words at once as a vector holds. */
#ifndef TJ__TWISTER_H
#define TJ__TWISTER_H

#include "core.h"

enum { TJ__TWISTER_WORDS = 624, TJ__TWISTER_SHIFT = 397 };

static inline uint32_t tj__twist(uint32_t u, uint32_t v) {
  return (((u & 0x80000000u) | (v & 0x7fffffffu)) >> 1) ^ ((0u - (v & 1u)) & 0x9908b0dfu);
}

static inline uint32_t tj__temper(uint32_t y) {
  y ^= y >> 11;
  y ^= y << 7 & 0x9d2c5680u;
  y ^= y << 15 & 0xefc60000u;
  return y ^ y >> 18;
}

/* All words anew; none is drawn yet. */
static inline void tj__twister_step(tj_generator *g) {
  enum { N = TJ__TWISTER_WORDS, M = TJ__TWISTER_SHIFT };
  uint32_t *s = g->state;
  for (int i = 0; i < N - M; i++) s[i] = s[i + M] ^ tj__twist(s[i], s[i + 1]);
  for (int i = N - M; i < N - 1; i++) s[i] = s[i + M - N] ^ tj__twist(s[i], s[i + 1]);
  s[N - 1] = s[M - 1] ^ tj__twist(s[N - 1], s[0]);
  g->left = N;
  g->next = 0;
}

/* The next n words of the stream, which tj__temper makes draws of. */
static inline void tj__twister_words(tj_generator *g, uint32_t *out, int64_t n) {
  while (n > 0) {
    if (g->left == 1) { /* used up: the first draw of the new state leaves left at N */
      tj__twister_step(g);
      g->left++;
    }
    const int64_t count = TJ__MIN((int64_t)(g->left - 1), n);
    memcpy(out, g->state + g->next, (size_t)count * sizeof *out);
    g->left -= (int32_t)count;
    g->next += (int32_t)count;
    out += count;
    n -= count;
  }
}

#endif
