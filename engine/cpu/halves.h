/* halves.h: rows of float16 (halves) and bfloat16 (brains) to float32 and back, by the processor's own instructions where it has them. */
#ifndef TJ__HALVES_H
#define TJ__HALVES_H

#if defined(__F16C__)
#include <immintrin.h>
#endif

#include "core/core.h"

static inline void tj__floats_of_halves(float *restrict to, const uint16_t *restrict from, int64_t n) {
  int64_t i = 0;
#if defined(__AVX512F__)
  for (; i + 16 <= n; i += 16) _mm512_storeu_ps(to + i, _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)(from + i))));
#endif
#if defined(__F16C__)
  for (; i + 8 <= n; i += 8) _mm256_storeu_ps(to + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)(from + i))));
#endif
  for (; i < n; i++) to[i] = tj__half_to_float(from[i]);
}

static inline void tj__halves_of_floats(uint16_t *restrict to, const float *restrict from, int64_t n) {
  int64_t i = 0;
#if defined(__AVX512F__)
  for (; i + 16 <= n; i += 16)
    _mm256_storeu_si256((__m256i *)(void *)(to + i),
                        _mm512_cvtps_ph(_mm512_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
#endif
#if defined(__F16C__)
  for (; i + 8 <= n; i += 8)
    _mm_storeu_si128((__m128i *)(void *)(to + i),
                     _mm256_cvtps_ph(_mm256_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
#endif
  for (; i < n; i++) to[i] = tj__float_to_half(from[i]);
}

static inline void tj__floats_of_brains(float *restrict to, const uint16_t *restrict from, int64_t n) {
  for (int64_t i = 0; i < n; i++) to[i] = tj__bfloat16_to_float(from[i]);
}

static inline void tj__brains_of_floats(uint16_t *restrict to, const float *restrict from, int64_t n) {
  for (int64_t i = 0; i < n; i++) to[i] = tj__float_to_bfloat16(from[i]);
}

#endif
