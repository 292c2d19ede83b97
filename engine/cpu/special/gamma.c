/* gamma.c: incomplete gamma functions (DLMF 8.7.1, 8.9.2, 8.12.3), Hurwitz' zeta function (25.11.5 with Bernoulli numbers), polygamma. */
#include "special.h"

/* log(1 + u) - u */
static double log1p_less(double u) {
  if (fabs(u) > 0.1) return log1p(u) - u;
  double power = u, sum = 0.0;
  for (int k = 2; k < 20; k++) {
    power *= -u;
    sum += power / k;
  }
  return sum;
}

/* Gamma's logarithm less Stirling's: a >= 10 */
static double stirling_error(double a) {
  const double q = 1.0 / (a * a);
  return (1.0 / 12 - q * (1.0 / 360 - q * (1.0 / 1260 - q * (1.0 / 1680 - q / 1188)))) / a;
}

/* x^a exp(-x) / gamma(a) */
static double prefactor(double a, double x) {
  if (a >= 10.0) return sqrt(a / (2.0 * M_PI)) * exp(a * log1p_less((x - a) / a) - stirling_error(a));
  return exp(a * log(x) - x - lgamma(a));
}

static double lower_series(double a, double x) {
  double term = 1.0 / a, sum = term;
  for (double k = 1; k < 1e6 && term > 1e-17 * sum; k++) {
    term *= x / (a + k);
    sum += term;
  }
  return prefactor(a, x) * sum;
}

/* The continued fraction, from its beginning (Lentz). */
static double upper_fraction(double a, double x) {
  const double tiny = 1e-300;
  double b = x + 1.0 - a, c = 1.0 / tiny, d = 1.0 / b, h = d;
  for (double k = 1; k < 1e6; k++) {
    const double an = -k * (k - a);
    b += 2.0;
    d = an * d + b;
    if (fabs(d) < tiny) d = tiny;
    c = b + an / c;
    if (fabs(c) < tiny) c = tiny;
    d = 1.0 / d;
    const double factor = d * c;
    h *= factor;
    if (fabs(factor - 1.0) < 1e-16) break;
  }
  return prefactor(a, x) * h;
}

/* For large a near x: the normal distribution and the first correction. */
static double uniform(double a, double x, int upper) {
  const double u = (x - a) / a, half_square = -log1p_less(u), eta = copysign(sqrt(2.0 * half_square), u);
  const double near = -1.0 / 3 + u / 12; /* of 1 / u - 1 / eta, where both are large */
  const double correction = fabs(u) < 1e-4 ? near : 1.0 / u - 1.0 / eta;
  const double rest = exp(-a * half_square) / sqrt(2.0 * M_PI * a) * correction;
  return upper ? 0.5 * erfc(eta * sqrt(0.5 * a)) + rest : 0.5 * erfc(-eta * sqrt(0.5 * a)) - rest;
}

static double incomplete(double a, double x, int upper) {
  /* The order of the questions is PyTorch's: it shows where one argument is NaN. */
  if (a < 0.0 || x < 0.0) return NAN;
  if (a == 0.0) return x > 0.0 ? !upper : NAN;
  if (x == 0.0) return upper;
  if (isinf(a)) return isinf(x) ? NAN : upper;
  if (isinf(x)) return !upper;
  if (a != a || x != x) return NAN;
  if (a > 1e5 && fabs(x - a) < 0.3 * a) return uniform(a, x, upper);
  if (x <= 1.1 || x <= a) {
    const double p = lower_series(a, x);
    if (!upper) return p;
    if (p < 0.9 || x > 1.1) return 1.0 - p;
    /* Q is small though x is: 1 - P as 1 - x^a / gamma(a + 1) and the rest of the series, with nothing lost */
    double term = 1.0, sum = 0.0;
    for (int k = 1; k < 200 && fabs(term) > 1e-18 * (fabs(sum) + 1e-300); k++) {
      term *= -x / k;
      sum += term / (a + k);
    }
    const double power = a * log(x), gamma = lgamma(a + 1.0);
    return -expm1(power - gamma) - exp(power - gamma) * a * sum;
  }
  const double q = upper_fraction(a, x);
  return upper ? q : 1.0 - q;
}
double tj__sf_gammainc(double a, double x) { return incomplete(a, x, 0); }
double tj__sf_gammaincc(double a, double x) { return incomplete(a, x, 1); }

double tj__sf_zeta(double x, double q) {
  /* Bernoulli numbers over factorials, B(2k) / (2k)! */
  static const double ratios[] = {1.0 / 12,
                                  -1.0 / 720,
                                  1.0 / 30240,
                                  -1.0 / 1209600,
                                  1.0 / 47900160,
                                  -691.0 / 1307674368000.0,
                                  1.0 / 74724249600.0,
                                  -3617.0 / 10670622842880000.0,
                                  43867.0 / 5109094217170944000.0};
  if (x == 1.0) return INFINITY;
  if (x < 1.0) return NAN;
  if (q <= 0.0) {
    if (q == floor(q)) return INFINITY;
    if (x != floor(x)) return NAN; /* a negative number to a power that is no integer */
  }
  if (x != x || q != q) return NAN;
  double sum = pow(q, -x), at = q, term = sum;
  for (int k = 0; k < 12 || at <= 12.0; k++) {
    if (k > 0 && fabs(term) < 1e-17 * fabs(sum)) return sum;
    at += 1.0;
    term = pow(at, -x);
    sum += term;
  }
  /* Euler and Maclaurin: what is left after the term at `at` */
  sum += term * at / (x - 1.0) - 0.5 * term;
  double factor = x, power = term / at;
  for (int k = 0; k < 9; k++) {
    const double more = ratios[k] * factor * power;
    sum += more;
    if (fabs(more) < 1e-17 * fabs(sum)) break;
    factor *= (x + 2 * k + 1) * (x + 2 * k + 2);
    power /= at * at;
  }
  return sum;
}

double tj__sf_polygamma(double n, double x) {
  const double sign = fmod(n, 2.0) != 0.0 ? 1.0 : -1.0;
  return sign * exp(lgamma(n + 1.0)) * tj__sf_zeta(n + 1.0, x);
}
