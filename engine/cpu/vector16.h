/* vector16.h: float32 functions on vectors of 16, with instructions that loops over scalar functions do not get from a compiler: scaling by a
 * power of two, tables that live in registers. The generated loops use them where an expression is made of nothing else. */
#ifndef TJ__VECTOR16_H
#define TJ__VECTOR16_H

#ifdef __AVX512F__
#include <immintrin.h>

#include "math.h"

/* e^x for -104 <= x <= 89 or NaN, within 0.8 ulp: 2^(n/16) from a table of floats and what they lack, times e^r with |r| <= log(2) / 32; scalef
 * takes the whole part of n/16, rounds to subnormals once, and overflows as it should. */
TJ__INLINE __m512 tj__exp_near_v16(__m512 x) {
  static const float table[2][16] = {
      {0x1.0p+0f, 0x1.0b5586p+0f, 0x1.172b84p+0f, 0x1.2387a6p+0f, 0x1.306fep+0f, 0x1.3dea64p+0f, 0x1.4bfdaep+0f, 0x1.5ab07ep+0f,
       0x1.6a09e6p+0f, 0x1.7a1148p+0f, 0x1.8ace54p+0f, 0x1.9c4918p+0f, 0x1.ae89fap+0f, 0x1.c199bep+0f, 0x1.d5818ep+0f, 0x1.ea4afap+0f},
      {0x0.0p+0f, 0x1.9f3122p-25f, -0x1.c15742p-27f, 0x1.ceac48p-25f, 0x1.4636e2p-25f, 0x1.824684p-25f, -0x1.593abcp-25f, -0x1.5bd5ecp-27f,
       0x1.9fcef4p-26f, -0x1.829fdp-25f, 0x1.15506ep-27f, 0x1.51f848p-27f, -0x1.a94b14p-26f, -0x1.3d56b2p-27f, -0x1.822dbcp-27f,
       0x1.52486cp-27f}};
  const __m512 round =
      _mm512_set1_ps(0x1.8p19f); /* to sixteenths, whose number is then in the low bits: permutations look at four of them */
  const __m512 t = x * 1.44269504f + round, k = t - round;
  const __m512 r = (x - k * 0.693359375f) - k * -2.12194440e-4f;
  const __m512 q = ((r * 0x1.555556p-3f + 0.5f) * r) * r + r;
  const __m512i i = _mm512_castps_si512(t);
  const __m512 high = _mm512_permutexvar_ps(i, _mm512_loadu_ps(table[0])), low = _mm512_permutexvar_ps(i, _mm512_loadu_ps(table[1]));
  return _mm512_scalef_ps(high + (high * q + low), k);
}

TJ__INLINE __m512 exp_v16(__m512 x) {
  /* a NaN is the second operand, which these pass on */
  return tj__exp_near_v16(_mm512_max_ps(_mm512_set1_ps(-104.0f), _mm512_min_ps(_mm512_set1_ps(89.0f), x)));
}

/* One of 16 polynomials of r, by the lanes' low four bits of i; row k of the table has the factors of r^k. */
TJ__INLINE __m512 tj__piece_v16(const float table[6][16], __m512i i, __m512 r) {
  __m512 p = _mm512_permutexvar_ps(i, _mm512_loadu_ps(table[5]));
  for (int k = 4; k >= 0; k--) p = p * r + _mm512_permutexvar_ps(i, _mm512_loadu_ps(table[k]));
  return p;
}
/* f(x) of f(-|x|), where f(-x) is 1 - f(x). */
TJ__INLINE __m512 tj__of_below_v16(__m512 x, __m512 below) {
  return _mm512_mask_sub_ps(below, _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_NLT_UQ), _mm512_set1_ps(1.0f), below);
}

/* From e = e^-|x|, which does not overflow: 1 / (1 + e), or e / (1 + e) as what e^2 takes from e, whose roundings count less. */
static __attribute__((noinline, unused)) __m512 tj__sigmoid_far_v16(__m512 x) {
  const __m512 down = _mm512_castsi512_ps(_mm512_or_si512(_mm512_castps_si512(x), _mm512_set1_epi32(INT32_MIN)));
  const __m512 e = tj__exp_near_v16(_mm512_max_ps(_mm512_set1_ps(-104.0f), down)), z = 1.0f / (1.0f + e);
  return _mm512_mask_mov_ps(z, _mm512_movepi32_mask(_mm512_castps_si512(x)), e - e * (e * z));
}

/* Where all are in (-7.75, 7.75): of -|x| by polynomials of |x| about the multiples of 1/2, fitted for the smallest relative errors. */
TJ__INLINE __m512 sigmoid_v16(__m512 x) {
  static const float table[6][16] = {
      {0x1.0p-1f, 0x1.829a06p-2f, 0x1.136562p-2f, 0x1.759b84p-3f, 0x1.e84152p-4f, 0x1.36b712p-4f, 0x1.848344p-5f, 0x1.e04068p-6f,
       0x1.26afa2p-6f, 0x1.680528p-7f, 0x1.b69f68p-8f, 0x1.0abd94p-8f, 0x1.441778p-9f, 0x1.8986a2p-10f, 0x1.dda738p-11f, 0x1.21d0b2p-11f},
      {-0x1.0p-2f, -0x1.e149ap-3f, -0x1.92a948p-3f, -0x1.3173b4p-3f, -0x1.ae0dc2p-4f, -0x1.1f2516p-4f, -0x1.721654p-5f, -0x1.d22ca2p-6f,
       -0x1.2162c2p-6f, -0x1.64108ap-7f, -0x1.b3afe2p-8f, -0x1.09a7a4p-8f, -0x1.434a52p-9f, -0x1.88ef64p-10f, -0x1.dd37cep-11f,
       -0x1.21a7aep-11f},
      {0x1.5ece34p-36f, 0x1.d77b18p-6f, 0x1.742464p-5f, 0x1.84032p-5f, 0x1.4787a6p-5f, 0x1.e72912p-6f, 0x1.4efc22p-6f, 0x1.b6d8a2p-7f,
       0x1.16f9cp-7f, 0x1.5c3d38p-8f, 0x1.adda8p-9f, 0x1.077ep-9f, 0x1.41b04cp-10f, 0x1.87c15cp-11f, 0x1.dc5904p-12f, 0x1.215508p-12f},
      {0x1.555388p-6f, 0x1.071cep-6f, 0x1.81e3e8p-8f, -0x1.565cf6p-9f, -0x1.a85914p-8f, -0x1.bb98f6p-8f, -0x1.67af58p-8f, -0x1.01b9f6p-8f,
       -0x1.58f5b6p-9f, -0x1.bbcdep-10f, -0x1.16df6cp-10f, -0x1.599b0ap-11f, -0x1.a8ab9p-12f, -0x1.039cd6p-12f, -0x1.3c6bdp-13f,
       -0x1.80ed56p-14f},
      {-0x1.a4bfb4p-32f, -0x1.1a7cd8p-8f, -0x1.4e6c18p-8f, -0x1.97f148p-9f, -0x1.cdef84p-11f, 0x1.946868p-12f, 0x1.96a82ep-11f,
       0x1.809512p-11f, 0x1.253a88p-11f, 0x1.947334p-12f, 0x1.084098p-12f, 0x1.4edacep-13f, 0x1.a19f36p-14f, 0x1.010128p-14f,
       0x1.3ad552p-15f, 0x1.809344p-16f},
      {-0x1.0e7ddap-9f, -0x1.260ee8p-10f, 0x1.ae5b98p-12f, 0x1.016864p-10f, 0x1.7972b4p-11f, 0x1.32d34ap-12f, 0x1.5421cap-15f,
       -0x1.e0af7p-15f, -0x1.37a232p-14f, -0x1.048c4p-14f, -0x1.764a9cp-15f, -0x1.edb896p-16f, -0x1.40d486p-16f, -0x1.8c19a4p-17f,
       -0x1.ea7d68p-18f, -0x1.303712p-18f},
  };
  const __m512 a = _mm512_abs_ps(x);
  if (__builtin_expect(_mm512_cmp_ps_mask(a, _mm512_set1_ps(7.75f), _CMP_NLT_UQ) != 0, 0)) return tj__sigmoid_far_v16(x);
  const __m512 round = _mm512_set1_ps(0x1.8p23f), t = a * 2.0f + round, r = a - (t - round) * 0.5f;
  return tj__of_below_v16(x, tj__piece_v16(table, _mm512_castps_si512(t), r));
}

/* An odd polynomial near 0, beyond it 1 - 2 e / (1 + e) with e = e^(-2 |x|). */
TJ__INLINE __m512 tanh_v16(__m512 x) {
  const __m512 a = _mm512_abs_ps(x), s = a * a;
  __m512 p = s * 0x1.12f3dap-9f + -0x1.0a5f00p-7f;
  p = p * s + 0x1.633b68p-6f;
  p = p * s + -0x1.b9e782p-5f;
  p = p * s + 0x1.111044p-3f;
  p = p * s + -0x1.555554p-2f;
  const __m512 e = tj__exp_near_v16(_mm512_max_ps(_mm512_set1_ps(-104.0f), a * -2.0f)), far = 1.0f - (e + e) * (1.0f / (1.0f + e));
  const __mmask16 near = _mm512_cmp_ps_mask(a, _mm512_set1_ps(0.625f), _CMP_LT_OQ);
  const __m512i r = _mm512_castps_si512(_mm512_mask_mov_ps(far, near, (p * s) * a + a));
  return _mm512_castsi512_ps(_mm512_or_si512(r, _mm512_and_si512(_mm512_castps_si512(x), _mm512_set1_epi32(INT32_MIN))));
}

/* Row k of a table of 32 columns, at the lanes' low five bits of i. */
#define TJ__PICK16(table, k, i) _mm512_permutex2var_ps(_mm512_loadu_ps(table[k]), i, _mm512_loadu_ps(table[k] + 16))

/* erf(a) / a - 1 on [0, 1), erf(a) on [1, 4) by polynomials about the middles of 32 intervals, whose coefficients are picked by permutations. */
TJ__INLINE __m512 erf_v16(__m512 x) {
  static const float table[5][32] = {
      {0x1.03ea4p-3f,  0x1.d83edp-4f,  0x1.7bb29ap-4f, 0x1.ee4b36p-5f, 0x1.457acap-6f, -0x1.b6dc66p-6f, -0x1.3dc766p-4f, -0x1.0b61b2p-3f,
       0x1.bbef1p-1f,  0x1.d0580cp-1f, 0x1.df85eap-1f, 0x1.ea773p-1f,  0x1.f21cap-1f,  0x1.f74a6ep-1f,  0x1.fab0dep-1f,  0x1.fcdaccp-1f,
       0x1.fe308p-1f,  0x1.fefccep-1f, 0x1.ff7338p-1f, 0x1.ffb5bep-1f, 0x1.ffd9f8p-1f, 0x1.ffed16p-1f,  0x1.fff6dep-1f,  0x1.fffbb8p-1f,
       0x1.fffe0ep-1f, 0x1.ffff24p-1f, 0x1.ffffa2p-1f, 0x1.ffffd8p-1f, 0x1.fffffp-1f,  0x1.fffffap-1f,  0x1.fffffep-1f,  0x1.0p+0f},
      {-0x1.804068p-5f, -0x1.1ad8ecp-3f, -0x1.c630fcp-3f, -0x1.2cd334p-2f, -0x1.679e46p-2f, -0x1.91ec1p-2f, -0x1.aba09ep-2f,
       -0x1.b5e32cp-2f, 0x1.75a93p-2f,   0x1.1a0dd6p-2f,  0x1.9cb5d6p-3f,  0x1.24a7c6p-3f,  0x1.924714p-4f, 0x1.0bf97cp-4f,
       0x1.5a08dp-5f,   0x1.b115cap-6f,  0x1.06add2p-6f,  0x1.34d764p-7f,  0x1.5ff1b2p-8f,  0x1.84b908p-9f, 0x1.a02294p-10f,
       0x1.afc62cp-11f, 0x1.b2378cp-12f, 0x1.a73dp-13f,   0x1.8fd828p-14f, 0x1.6e1f04p-15f, 0x1.44ed7p-16f, 0x1.177f04p-17f,
       0x1.d20a2cp-19f, 0x1.7896ccp-20f, 0x1.26f1cp-21f,  0x1.bfc914p-23f},
      {-0x1.7e7394p-2f,  -0x1.6948aep-2f,  -0x1.414006p-2f,  -0x1.0a9336p-2f,  -0x1.95787cp-3f,  -0x1.0f454ap-3f,  -0x1.1b303ap-4f,
       -0x1.96b644p-7f,  -0x1.8d03bp-2f,   -0x1.4ef06p-2f,   -0x1.0ed74cp-2f,  -0x1.a4b126p-3f,  -0x1.3a478cp-3f,  -0x1.c43514p-4f,
       -0x1.39981ap-4f,  -0x1.a38d5ep-5f,  -0x1.0ee382p-5f,  -0x1.51cc0cp-6f,  -0x1.96f038p-7f,  -0x1.d9c2aep-8f,  -0x1.0a96fep-8f,
       -0x1.221a5p-9f,   -0x1.315096p-10f, -0x1.36d2b6p-11f, -0x1.3223c6p-12f, -0x1.23c352p-13f, -0x1.0d177ep-14f, -0x1.e06858p-16f,
       -0x1.9f172ap-17f, -0x1.5b30f6p-18f, -0x1.1923fcp-19f, -0x1.b8d3f8p-21f},
      {0x1.cb3d6ap-6f,  0x1.4bd69ap-4f,  0x1.00968ap-3f,  0x1.40c1fcp-3f,  0x1.61e4fp-3f,   0x1.63f3c2p-3f,  0x1.4ae1dp-3f,
       0x1.1d7a22p-3f,  0x1.38aaeap-3f,  0x1.55bc82p-3f,  0x1.50030cp-3f,  0x1.3162eep-3f,  0x1.043f58p-3f,  0x1.a3767cp-4f,
       0x1.417178p-4f,  0x1.d63e9cp-5f,  0x1.49363cp-5f,  0x1.ba14b8p-6f,  0x1.1d1d7ap-6f,  0x1.61b0cap-7f,  0x1.a6628cp-8f,
       0x1.e5fc4cp-9f,  0x1.0d8abap-9f,  0x1.206a5ep-10f, 0x1.29d594p-11f, 0x1.28f0bcp-12f, 0x1.1decf6p-13f, 0x1.09fc2ap-14f,
       0x1.de37dap-16f, 0x1.9f874cp-17f, 0x1.5d0f7ep-18f, 0x1.1b88bep-19f},
      {0x1.c73bc6p-4f,   0x1.9588cap-4f,   0x1.3a5318p-4f,   0x1.885988p-5f,   0x1.13b1fcp-6f,  -0x1.8f4ae2p-7f,  -0x1.249a42p-5f,
       -0x1.a77db8p-5f,  0x1.894e2ap-5f,   0x1.440814p-7f,   -0x1.3fd7a4p-6f,  -0x1.3cddbcp-5f, -0x1.89ce1cp-5f,  -0x1.95d018p-5f,
       -0x1.74f3fap-5f,  -0x1.3b202ep-5f,  -0x1.f166eep-6f,  -0x1.721adp-6f,   -0x1.053522p-6f, -0x1.5f2cacp-7f,  -0x1.c307d8p-8f,
       -0x1.155152p-8f,  -0x1.47132ep-9f,  -0x1.727da4p-10f, -0x1.93806ap-11f, -0x1.a6e78p-12f, -0x1.aade1ep-13f, -0x1.9f36f2p-14f,
       -0x1.856a76p-15f, -0x1.604da6p-16f, -0x1.33940ap-17f, -0x1.033a6cp-18f},
  };
  /* 1 from 3.925 on; a NaN passes */
  __m512 y = _mm512_max_ps(_mm512_set1_ps(-3.925f), _mm512_min_ps(_mm512_set1_ps(3.925f), x)), a = _mm512_abs_ps(y);
  __m512i i = _mm512_cvttps_epi32(a * 8.0f);
  __m512 t = a - (_mm512_cvtepi32_ps(i) * 0.125f + 0.0625f);
  __m512 p = TJ__PICK16(table, 4, i) * t + TJ__PICK16(table, 3, i);
  p = p * t + TJ__PICK16(table, 2, i);
  p = p * t + TJ__PICK16(table, 1, i);
  p = p * t + TJ__PICK16(table, 0, i);
  const __mmask16 near = _mm512_cmp_ps_mask(a, _mm512_set1_ps(1.0f), _CMP_NGE_UQ);
  const __m512i sign = _mm512_and_si512(_mm512_castps_si512(y), _mm512_set1_epi32(INT32_MIN));
  const __m512 one = _mm512_castsi512_ps(_mm512_or_si512(_mm512_castps_si512(_mm512_set1_ps(1.0f)), sign));
  return p * _mm512_mask_mov_ps(one, near, y) + _mm512_maskz_mov_ps(near, y);
}

/* The normal distribution's probability of less than x: of -|x| by polynomials of |x| about the multiples of 3/8, fitted for the smallest relative
 * errors, and 0 from 5.8 on. Within 1.5 ulp from -1.3 on; below, where 1 + erf(x / sqrt(2)) loses its digits, within 1e-6 of itself to -3.5 and
 * within 5e-5 to -5.8. */
TJ__INLINE __m512 normal_cdf_v16(__m512 x) {
  static const float table[6][16] = {
      {0x1.0p-1f, 0x1.6a527ap-2f, 0x1.d02202p-3f, 0x1.0ad7dap-3f, 0x1.11a46ep-4f, 0x1.f20394p-6f, 0x1.90924cp-7f, 0x1.1bee6ap-8f,
       0x1.61de22p-10f, 0x1.8301ccp-12f, 0x1.72d97ap-14f, 0x1.36fefp-16f, 0x1.c807d6p-19f, 0x1.241552p-21f, 0x1.46a2acp-24f,
       0x1.3eb508p-27f},
      {-0x1.988454p-2f, -0x1.7cc798p-2f, -0x1.345d5cp-2f, -0x1.b1ec64p-3f, -0x1.094086p-3f, -0x1.19bfa8p-4f, -0x1.0402e8p-5f,
       -0x1.a0f232p-7f, -0x1.22720cp-8f, -0x1.5f90aap-10f, -0x1.71b85p-12f, -0x1.51cdeep-14f, -0x1.0c270ap-16f, -0x1.71df26p-19f,
       -0x1.bb3e12p-22f, -0x1.cd7a3ep-25f},
      {0x1.3f92fp-35f, 0x1.1d93cap-4f, 0x1.ce898p-4f, 0x1.e82904p-4f, 0x1.8de11ep-4f, 0x1.08248ep-4f, 0x1.24849cp-5f, 0x1.119fd4p-6f,
       0x1.b3a9f4p-8f, 0x1.289e42p-9f, 0x1.5a92b6p-11f, 0x1.5c4a26p-13f, 0x1.2d92dcp-15f, 0x1.c2910cp-18f, 0x1.22afb2p-20f, 0x1.4431ap-23f},
      {0x1.1056dep-4f, 0x1.b45164p-5f, 0x1.67b6dep-6f, -0x1.335ac2p-7f, -0x1.ba0f9p-6f, -0x1.d879cap-6f, -0x1.601232p-6f, -0x1.995552p-7f,
       -0x1.834872p-8f, -0x1.307c2p-9f, -0x1.92a69ep-11f, -0x1.c33af4p-13f, -0x1.aebedp-15f, -0x1.5f8f36p-17f, -0x1.ebfc2ap-20f,
       -0x1.27c0eep-22f},
      {-0x1.1beb98p-30f, -0x1.0df79cp-6f, -0x1.752ebcp-6f, -0x1.191766p-6f, -0x1.90169ep-8f, 0x1.61b66ap-9f, 0x1.8ed86ap-8f, 0x1.61cf36p-8f,
       0x1.b46612p-9f, 0x1.a1652cp-10f, 0x1.4308e6p-11f, 0x1.9d6506p-13f, 0x1.baf21p-15f, 0x1.90a174p-17f, 0x1.3398ccp-19f,
       0x1.929456p-22f},
      {-0x1.446cbep-7f, -0x1.b413c4p-8f, 0x1.9c1efap-13f, 0x1.594224p-8f, 0x1.7ce7f2p-8f, 0x1.a77188p-9f, 0x1.c62552p-12f, -0x1.fc9eep-11f,
       -0x1.1f69cap-10f, -0x1.73291ap-11f, -0x1.5eda62p-12f, -0x1.04f406p-13f, -0x1.3b7d64p-15f, -0x1.3b94c2p-17f, -0x1.08167cp-19f,
       -0x1.748762p-22f},
  };
  const __m512 round = _mm512_set1_ps(0x1.8p23f);
  const __m512 end = _mm512_set1_ps(5.8f), a = _mm512_min_ps(end, _mm512_abs_ps(x)); /* a NaN passes */
  const __m512 t = a * (1.0f / 0.375f) + round, r = a - (t - round) * 0.375f;
  const __m512 below = tj__piece_v16(table, _mm512_castps_si512(t), r);
  return tj__of_below_v16(x, _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(a, end, _CMP_NEQ_UQ), below));
}

#endif
#endif
