/* gemm_narrow.c: products of int8 into int32, and of bfloat16 into float32, where processors have instructions for them; those are asked for when the
 * program runs, since no level of instruction sets that files are compiled for has them. */
#include "gemm_narrow.h"

#include "tile.h"

#if defined(__x86_64__) && defined(__SSE2__)
#include <immintrin.h>
#endif

#define PLAIN(x) (x)

/* Pairs of int16: every instruction set multiplies them and adds the two products. */
#define SUFFIX pairs
#define NUMBER int8_t
#define PER 2
#define GROUP_PART uint16_t
#define GROUP_SIGNED int16_t
#define SUM int32_t
#define PACK_A PLAIN
#define SHIFT 0
#define TARGET
#if defined(__AVX512BW__)
#define DOT(sum, a, b) (sum) = (sums_pairs)_mm512_add_epi32((__m512i)(sum), _mm512_madd_epi16(_mm512_set1_epi32(a), (__m512i)(b)))
#elif defined(__AVX2__)
#define DOT(sum, a, b) (sum) = (sums_pairs)_mm256_add_epi32((__m256i)(sum), _mm256_madd_epi16(_mm256_set1_epi32(a), (__m256i)(b)))
#elif defined(__x86_64__) && defined(__SSE2__)
#define DOT(sum, a, b) (sum) = (sums_pairs)_mm_add_epi32((__m128i)(sum), _mm_madd_epi16(_mm_set1_epi32(a), (__m128i)(b)))
#else
#define DOT(sum, a, b) (sum) += (int32_t)(int16_t)(a) * (((b) << 16) >> 16) + ((a) >> 16) * ((b) >> 16)
#endif
#include "gemm_dot.inc"

#if defined(__AVX512BW__)
/* Four unsigned times four signed bytes: 128 is added to A's, and taken back through the sums of B's columns. */
#define SUFFIX bytes
#define NUMBER int8_t
#define PER 4
#define GROUP_PART uint8_t
#define GROUP_SIGNED int8_t
#define SUM int32_t
#define PACK_A(x) ((int8_t)((x) ^ -128))
#define SHIFT 128
#define TARGET __attribute__((target("avx512vnni")))
#define DOT(sum, a, b) (sum) = (sums_bytes)_mm512_dpbusd_epi32((__m512i)(sum), _mm512_set1_epi32(a), (__m512i)(b))
#include "gemm_dot.inc"

#define SUFFIX brain
#define NUMBER uint16_t
#define PER 2
#define GROUP_PART uint16_t
#define GROUP_SIGNED int16_t
#define SUM float
#define PACK_A PLAIN
#define SHIFT 0
#define TARGET __attribute__((target("avx512bf16")))
#define DOT(sum, a, b) (sum) = (sums_brain)_mm512_dpbf16_ps((__m512)(sum), (__m512bh)_mm512_set1_epi32(a), (__m512bh)(b))
#include "gemm_dot.inc"

static bool has_bytes(void) { return __builtin_cpu_supports("avx512vnni"); }
bool TJ__ISA(tj__has_bfloat16_dots)(void) { return __builtin_cpu_supports("avx512bf16"); }
#else
bool TJ__ISA(tj__has_bfloat16_dots)(void) { return false; }
#endif

bool TJ__ISA(tj__gemm_int8)(int64_t m, int64_t n, int64_t k, const int8_t *a, int64_t a_row, int64_t a_col, const int8_t *b, int64_t b_row,
                            int64_t b_col, int32_t *c) {
#if defined(__AVX512BW__)
  if (has_bytes()) return dot_gemm_bytes(m, n, k, a, a_row, a_col, b, b_row, b_col, c);
#endif
  return dot_gemm_pairs(m, n, k, a, a_row, a_col, b, b_row, b_col, c);
}

bool TJ__ISA(tj__gemm_bfloat16)(int64_t m, int64_t n, int64_t k, const uint16_t *a, int64_t a_row, int64_t a_col, const uint16_t *b,
                                int64_t b_row, int64_t b_col, float *c) {
#if defined(__AVX512BW__)
  return dot_gemm_brain(m, n, k, a, a_row, a_col, b, b_row, b_col, c);
#else
  (void)m, (void)n, (void)k, (void)a, (void)a_row, (void)a_col, (void)b, (void)b_row, (void)b_col, (void)c;
  return tj__fail(TJ_ERROR_INTERNAL, "gemm: no instruction for bfloat16") != NULL;
#endif
}
