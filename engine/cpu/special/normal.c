/* normal.c: the scaled complementary error function and the normal distribution. */
#include "special.h"

double tj__sf_erfcx(double x) {
  if (x != x) return x;
  if (x < -26.7) return INFINITY;
  if (x > 12.0) { /* DLMF 7.12.1; the terms grow again only after x^2 of them */
    const double q = -0.5 / x / x;
    double term = 1.0, sum = 1.0;
    for (int k = 1; k < 30 && fabs(term) > 1e-18; k++) sum += term *= (2 * k - 1) * q;
    return sum / (x * sqrt(M_PI));
  }
  const double square = x * x, rest = fma(x, x, -square); /* exp(x^2) with all of x^2 */
  return exp(square) * (1.0 + rest) * erfc(x);
}

double tj__sf_ndtr(double x) { return 0.5 * erfc(-x * M_SQRT1_2); }

double tj__sf_log_ndtr(double x) {
  const double t = x * M_SQRT1_2;
  return x < -1.0 ? log(0.5 * tj__sf_erfcx(-t)) - t * t : log1p(-0.5 * erfc(t));
}

double tj__sf_ndtri(double p) {
  if (p == 0.0) return -INFINITY;
  if (p == 1.0) return INFINITY;
  if (!(p > 0.0 && p < 1.0)) return NAN;
  const int upper = p > 0.5;
  const double q = upper ? 1.0 - p : p, target = log(q);
  if (p == 0.5) return 0.0;
  /* Newton's steps on the logarithm, which is concave: from below they rise to the root and stay there. */
  double x = -sqrt(-2.0 * target);
  for (int k = 0; k < 40; k++) {
    const double value = tj__sf_log_ndtr(x);
    const double slope = exp(-0.5 * x * x - value) / sqrt(2.0 * M_PI);
    const double step = (target - value) / slope;
    x += step;
    if (fabs(step) <= 1e-15 * fabs(x)) break;
  }
  return upper ? -x : x;
}
