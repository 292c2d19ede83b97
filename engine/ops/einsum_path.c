/* einsum_path.c: in which order einsum contracts. The cost of a pair is the product of the sizes of all dimensions that it has, which is what
 * a matrix product multiplies. */
#include <math.h>

#include "ops/einsum.h"

/* Below so many multiplications an order is not worth looking for; from left to right, results are laid out as PyTorch's. */
#define CHEAP 65536.0

static double volume(uint64_t dims, const int64_t *sizes) {
  double v = 1;
  for (; dims; dims &= dims - 1) v *= (double)sizes[__builtin_ctzll(dims)];
  return v;
}

/* What is left of `dims` when only the others and the result still ask for some. */
static uint64_t asked(uint64_t dims, const uint64_t *list, int n, int i, int j, uint64_t needed) {
  for (int o = 0; o < n; o++)
    if (o != i && o != j) needed |= list[o];
  return dims & needed;
}

/* Takes operands i and j out of the list and puts their product at its end. Returns what it costs. */
static double step(uint64_t *list, int *n, const int64_t *sizes, uint64_t needed, int i, int j) {
  const uint64_t a = asked(list[i], list, *n, i, -1, needed), b = asked(list[j], list, *n, j, -1, needed);
  const uint64_t product = asked(a | b, list, *n, i, j, needed);
  int k = 0;
  for (int o = 0; o < *n; o++)
    if (o != i && o != j) list[k++] = list[o];
  list[k++] = product;
  *n = k;
  return volume(a | b, sizes);
}

double tj__einsum_cost(const uint64_t *bits, int n, const int64_t *sizes, uint64_t needed, const int64_t *path) {
  uint64_t list[TJ__EINSUM_MOST];
  memcpy(list, bits, (size_t)n * sizeof *list);
  double cost = 0;
  for (int64_t s = 0; n > 1; s++) /* from left to right, the product is at the end of the list after the first step */
    cost += path ? step(list, &n, sizes, needed, (int)path[2 * s], (int)path[2 * s + 1]) : step(list, &n, sizes, needed, 0, s ? n - 1 : 1);
  return cost;
}

/* The pair whose product takes the least room beyond what its factors took, again and again. */
static void greedy(const uint64_t *bits, int n, const int64_t *sizes, uint64_t needed, int64_t *path) {
  uint64_t list[TJ__EINSUM_MOST];
  memcpy(list, bits, (size_t)n * sizeof *list);
  while (n > 1) {
    int first = 0, second = 1;
    double least = INFINITY, cheapest = INFINITY;
    for (int i = 0; i < n; i++)
      for (int j = i + 1; j < n; j++) {
        const uint64_t both = list[i] | list[j];
        const double grown = volume(asked(both, list, n, i, j, needed), sizes) - volume(list[i], sizes) - volume(list[j], sizes);
        const double cost = volume(both, sizes);
        if (grown > least || (grown == least && cost >= cheapest)) continue;
        least = grown;
        cheapest = cost;
        first = i;
        second = j;
      }
    *path++ = first;
    *path++ = second;
    step(list, &n, sizes, needed, first, second);
  }
}

/* The best tree of pairs of up to TJ__EINSUM_OPTIMAL operands, by the best trees of all smaller sets. */
typedef struct best {
  int half[1 << TJ__EINSUM_OPTIMAL]; /* the subset on one side of the last pair */
  double cost[1 << TJ__EINSUM_OPTIMAL];
  uint64_t dims[1 << TJ__EINSUM_OPTIMAL];
  int places[TJ__EINSUM_OPTIMAL], n; /* subsets in the list, in its order */
} best;

/* Writes the steps that make `set` of its operands. */
static int64_t *write_steps(best *b, int set, int64_t *path) {
  if (!(set & (set - 1))) return path;
  const int halves[2] = {b->half[set], set ^ b->half[set]};
  for (int h = 0; h < 2; h++) path = write_steps(b, halves[h], path);
  int k = 0;
  for (int i = 0; i < b->n; i++) {
    for (int h = 0; h < 2; h++)
      if (b->places[i] == halves[h]) path[h] = i;
    if (b->places[i] != halves[0] && b->places[i] != halves[1]) b->places[k++] = b->places[i];
  }
  b->places[k++] = set;
  b->n = k;
  return path + 2;
}

static void optimal(const uint64_t *bits, int n, const int64_t *sizes, uint64_t needed, int64_t *path) {
  best b;
  const int full = (1 << n) - 1;
  for (int set = 1; set <= full; set++) {
    uint64_t inside = 0, outside = needed;
    for (int i = 0; i < n; i++)
      if (set >> i & 1) inside |= bits[i];
      else outside |= bits[i];
    b.dims[set] = inside & outside;
    b.cost[set] = set & (set - 1) ? INFINITY : 0;
    /* each pair of halves once, the last operand in the second one; first the pair that goes from left to right */
    const int last = 1 << (31 - __builtin_clz((unsigned)set));
    for (int half = set ^ last; half > 0; half = (half - 1) & (set ^ last)) {
      const double cost = b.cost[half] + b.cost[set ^ half] + volume(b.dims[half] | b.dims[set ^ half], sizes);
      if (cost >= b.cost[set]) continue;
      b.cost[set] = cost;
      b.half[set] = half;
    }
  }
  b.n = n;
  for (int i = 0; i < n; i++) b.places[i] = 1 << i;
  write_steps(&b, full, path);
}

bool tj__einsum_path(const uint64_t *bits, int n, const int64_t *sizes, uint64_t needed, int64_t *path) {
  if (n <= 2) return false;
  const double plain = tj__einsum_cost(bits, n, sizes, needed, NULL);
  if (plain <= CHEAP) return false;
  (n <= TJ__EINSUM_OPTIMAL ? optimal : greedy)(bits, n, sizes, needed, path);
  return tj__einsum_cost(bits, n, sizes, needed, path) < plain;
}
