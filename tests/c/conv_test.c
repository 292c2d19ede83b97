/* conv_test.c: convolution and its gradients against plain loops over every shape of stride, padding, dilation and groups; one thread and
 * two give the same bits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "kernels/conv.h"
#include "torchjs.h"

static uint32_t state = 1;
static double noise(void) {
  state = state * 1664525u + 1013904223u;
  return (double)(state >> 8) / (1 << 24) - 0.5;
}

static int64_t volume(const int64_t *x) { return x[0] * x[1] * x[2]; }

static float *random_numbers(int64_t n) {
  float *p = aligned_alloc(64, ((size_t)n * sizeof *p + 64) / 64 * 64); /* as the engine's memory is */
  for (int64_t i = 0; i < n; i++) p[i] = (float)noise();
  return p;
}

/* Calls visit(context, input index, weight index, output index) for every product that a convolution sums. */
typedef void (*visitor)(void *context, int64_t in, int64_t weight, int64_t out);
static void visit_all(const tj__conv_shape *s, visitor visit, void *context) {
  for (int64_t b = 0; b < s->batch; b++)
    for (int64_t g = 0; g < s->groups; g++)
      for (int64_t o = 0; o < s->out_channels; o++)
        for (int64_t c = 0; c < s->in_channels; c++)
          for (int64_t p = 0; p < volume(s->out); p++)
            for (int64_t t = 0; t < volume(s->kernel); t++) {
              int64_t at[3] = {p / (s->out[1] * s->out[2]), p / s->out[2] % s->out[1], p % s->out[2]};
              int64_t tap[3] = {t / (s->kernel[1] * s->kernel[2]), t / s->kernel[2] % s->kernel[1], t % s->kernel[2]}, x[3];
              bool inside = true;
              for (int i = 0; i < 3; i++) {
                x[i] = at[i] * s->stride[i] - s->padding[i] + tap[i] * s->dilation[i];
                inside = inside && x[i] >= 0 && x[i] < s->in[i];
              }
              if (!inside) continue;
              int64_t channel = g * s->out_channels + o;
              visit(context, ((b * s->groups + g) * s->in_channels + c) * volume(s->in) + (x[0] * s->in[1] + x[1]) * s->in[2] + x[2],
                    (channel * s->in_channels + c) * volume(s->kernel) + t,
                    (b * s->groups * s->out_channels + channel) * volume(s->out) + p);
            }
}

typedef struct sums {
  const float *x, *w, *g;
  double *out, *grad_x, *grad_w;
} sums;
static void add_products(void *context, int64_t in, int64_t weight, int64_t out) {
  sums *s = context;
  s->out[out] += (double)s->x[in] * (double)s->w[weight];
  s->grad_x[in] += (double)s->g[out] * (double)s->w[weight];
  s->grad_w[weight] += (double)s->g[out] * (double)s->x[in];
}

static void compare(const char *what, const float *one, const float *two, const double *expected, int64_t n) {
  if (memcmp(one, two, (size_t)n * sizeof *one)) fail_msg("%s: not the same on one thread and two", what);
  for (int64_t i = 0; i < n; i++)
    if (isfinite(expected[i]) ? !(fabs(one[i] - expected[i]) <= 1e-4 * (1 + fabs(expected[i])))
                              : !(isnan(expected[i]) ? isnan(one[i]) : (double)one[i] == expected[i]))
      fail_msg("%s[%d]: %.9g, not %.9g", what, (int)i, one[i], expected[i]);
}

/* `special`: what an element in the middle of a plane of the input and of the result's gradient is, unless it is 0 */
static void check_with(tj__conv_shape s, float special) {
  const tj__conv_kernels *conv = tj__backend_of(TJ_CPU)->conv;
  s.dtype = TJ_FLOAT32;
  for (int i = 0; i < 3; i++) s.out[i] = (s.in[i] + 2 * s.padding[i] - s.dilation[i] * (s.kernel[i] - 1) - 1) / s.stride[i] + 1;
  int64_t channels = s.groups * s.out_channels;
  int64_t n_in = s.batch * s.groups * s.in_channels * volume(s.in), n_w = channels * s.in_channels * volume(s.kernel),
          n_out = s.batch * channels * volume(s.out);
  float *x = random_numbers(n_in), *w = random_numbers(n_w), *g = random_numbers(n_out), *bias = random_numbers(channels);
  if (special != 0) {
    x[volume(s.in) + s.in[1] / 2 * s.in[2] + s.in[2] / 2] = special;
    g[volume(s.out) + s.out[1] / 2 * s.out[2] + s.out[2] / 2] = special;
  }
  sums expected = {x, w, g, calloc((size_t)n_out + 1, 8), calloc((size_t)n_in + 1, 8), calloc((size_t)n_w + 1, 8)};
  visit_all(&s, add_products, &expected);
  for (int64_t i = 0; i < n_out; i++) expected.out[i] += (double)bias[i / volume(s.out) % channels];
  float *out[2], *grad_x[2], *grad_w[2];
  int threads = tj_get_num_threads();
  for (int k = 0; k < 2; k++) {
    out[k] = random_numbers(n_out), grad_x[k] = random_numbers(n_in), grad_w[k] = random_numbers(n_w);
    tj_set_num_threads(k + 1);
    assert_true(conv->forward(&s, x, w, bias, out[k]));
    assert_true(conv->grad_input(&s, g, w, grad_x[k]));
    assert_true(conv->grad_weight(&s, g, x, grad_w[k]));
  }
  tj_set_num_threads(threads);
  compare("out", out[0], out[1], expected.out, n_out);
  compare("grad_input", grad_x[0], grad_x[1], expected.grad_x, n_in);
  compare("grad_weight", grad_w[0], grad_w[1], expected.grad_w, n_w);
  for (int k = 0; k < 2; k++) free(out[k]), free(grad_x[k]), free(grad_w[k]);
  free(x), free(w), free(g), free(bias), free(expected.out), free(expected.grad_x), free(expected.grad_w);
}

static void check(tj__conv_shape s) { check_with(s, 0); }

/* two spatial dimensions with the same stride, padding and dilation */
static tj__conv_shape plane(int64_t batch, int64_t groups, int64_t in, int64_t out, int64_t height, int64_t width, int64_t kh, int64_t kw,
                            int64_t stride, int64_t padding, int64_t dilation) {
  return (tj__conv_shape){.batch = batch,
                          .groups = groups,
                          .in_channels = in,
                          .out_channels = out,
                          .in = {1, height, width},
                          .kernel = {1, kh, kw},
                          .stride = {1, stride, stride},
                          .padding = {0, padding, padding},
                          .dilation = {1, dilation, dilation}};
}

static void test_planes(void **unused) {
  (void)unused;
  for (int64_t stride = 1; stride <= 3; stride++)
    for (int64_t padding = 0; padding <= 2; padding++)
      for (int64_t dilation = 1; dilation <= 2; dilation++) {
        check(plane(2, 1, 5, 7, 9, 11, 3, 3, stride, padding, dilation));
        check(plane(2, 2, 4, 6, 8, 7, 2, 3, stride, padding, dilation));
        check(plane(3, 1, 1, 16, 8, 8, 3, 3, stride, padding, dilation));
      }
}

/* few channels a group take the direct loops; 1 x 1 kernels; outputs wider than a tile */
static void test_kinds(void **unused) {
  (void)unused;
  check(plane(2, 8, 1, 1, 9, 9, 3, 3, 1, 1, 1));
  check(plane(2, 8, 1, 2, 9, 9, 3, 3, 2, 1, 1));
  check(plane(2, 1, 16, 20, 7, 7, 1, 1, 1, 0, 1));
  check(plane(2, 1, 16, 20, 7, 7, 1, 1, 2, 0, 1));
  check(plane(1, 1, 6, 13, 40, 70, 3, 3, 1, 1, 1));
  check(plane(16, 1, 16, 32, 4, 4, 3, 3, 1, 1, 1));
  check(plane(1, 1, 64, 64, 12, 12, 3, 3, 1, 1, 1));
  check(plane(2, 1, 4, 5, 3, 3, 3, 3, 1, 2, 1));
}

/* planes: rows of outputs that cross tiles, several panels of channels, bands, phases of strides, inputs read in place, last tiles of a vector at
 * most */
static void test_direct(void **unused) {
  (void)unused;
  check(plane(2, 2, 33, 70, 17, 40, 3, 3, 1, 1, 1));
  check(plane(1, 2, 20, 64, 28, 28, 3, 3, 2, 1, 1));
  check(plane(2, 1, 3, 64, 40, 44, 7, 7, 2, 3, 1));
  check(plane(1, 2, 64, 12, 60, 60, 3, 3, 1, 1, 1));
  check(plane(2, 1, 24, 40, 20, 20, 1, 1, 1, 0, 1));
  check(plane(1, 1, 70, 33, 50, 30, 1, 1, 2, 0, 1));
  check(plane(1, 1, 300, 20, 28, 28, 1, 1, 1, 0, 1));
  check(plane(1, 1, 800, 14, 14, 14, 1, 1, 1, 0, 1));
  check(plane(2, 1, 8, 32, 30, 31, 5, 3, 1, 4, 2));
  check(plane(1, 1, 4, 32, 33, 35, 2, 2, 3, 0, 1));
  for (int64_t stride = 1; stride <= 2; stride++) check(plane(2, 9, 1, 1, 30, 70, 3, 3, stride, 1, 1));
}

/* taps so far apart that no memory would hold what lies between them */
static void test_far_taps(void **unused) {
  (void)unused;
  const int64_t far = (int64_t)1 << 40;
  check(plane(2, 1, 9, 8, 5, 6, 2, 2, 1, far / 2, far));
  check(plane(1, 1, 8, 40, 5, 6, 3, 3, 1, far, far));
  check(plane(2, 6, 1, 1, 5, 6, 3, 3, 1, far, far));
  check(plane(1, 1, 1, 2, 5, 40, 3, 3, 2, far, far));
}

/* 3 x 3 with stride 1, by tiles of 2 x 2: odd sizes, every padding, rows longer than a vector and shorter, blocks that hold several images; fewer
 * tiles than channels; the weight's gradient in one step and in several; one channel too few, one tile too few */
static void test_tiles(void **unused) {
  (void)unused;
  for (int64_t padding = 0; padding <= 2; padding++) {
    check(plane(2, 1, 9, 13, 9, 11, 3, 3, 1, padding, 1));
    check(plane(1, 1, 17, 8, 12, 75, 3, 3, 1, padding, 1));
    check(plane(5, 1, 12, 40, 7, 4, 3, 3, 1, padding, 1));
    check(plane(3, 1, 70, 90, 9, 8, 3, 3, 1, padding, 1));
    check(plane(1, 1, 9, 13, 65, 75, 3, 3, 1, padding, 1));
    check(plane(300, 1, 8, 17, 4, 3, 3, 3, 1, padding, 1));
  }
  check(plane(40, 1, 8, 9, 3, 3, 3, 3, 1, 0, 1));
  check(plane(40, 1, 33, 64, 2, 2, 3, 3, 1, 1, 1));
  check(plane(1, 1, 8, 8, 1, 70, 3, 3, 1, 1, 1));
  check(plane(1, 1, 8, 8, 70, 1, 3, 3, 1, 1, 1));
  check(plane(8, 1, 10, 130, 44, 40, 3, 3, 1, 1, 1));
  check(plane(2, 1, 7, 9, 9, 11, 3, 3, 1, 1, 1));
  check(plane(31, 1, 8, 8, 2, 2, 3, 3, 1, 1, 1));
}

/* an infinity or a NaN reaches the windows that hold it and no other */
static void test_special(void **unused) {
  (void)unused;
  const float specials[] = {INFINITY, -INFINITY, NAN};
  for (int i = 0; i < 3; i++) {
    check_with(plane(2, 1, 9, 13, 9, 11, 3, 3, 1, 1, 1), specials[i]);
    check_with(plane(4, 1, 66, 80, 8, 8, 3, 3, 1, 1, 1), specials[i]);
    check_with(plane(1, 1, 8, 9, 70, 66, 3, 3, 1, 1, 1), specials[i]);
    check_with(plane(2, 2, 33, 20, 17, 40, 3, 3, 1, 1, 1), specials[i]);
  }
}

/* images of few positions: several at a time; weights that are read in place or packed over many panels; sums that live over several steps */
static void test_small(void **unused) {
  (void)unused;
  for (int64_t stride = 1; stride <= 2; stride++) {
    check(plane(8, 1, 50, 70, 4, 4, 3, 3, stride, 1, 1));
    check(plane(5, 2, 40, 64, 8, 8, 3, 3, stride, 1, 1));
    check(plane(9, 1, 64, 66, 7, 6, 3, 3, stride, 2, 2));
    check(plane(11, 1, 100, 40, 5, 5, 1, 1, stride, 0, 1));
    check(plane(3, 1, 30, 36, 9, 13, 2, 5, stride, 1, 1));
  }
  check(plane(7, 1, 37, 64, 2, 2, 3, 3, 1, 1, 1));
  check(plane(4, 1, 5, 256, 40, 40, 3, 3, 1, 1, 1));
  check(plane(2, 1, 256, 460, 4, 4, 3, 3, 1, 1, 1)); /* a weight's gradient that goes past the caches */
}

/* the input's gradient of strides with many channels, by columns: taps that overlap and gaps between them, lines of several vectors, several images at a
 * time and one in several blocks, sums in several steps, strides along one dimension only */
static void test_fold(void **unused) {
  (void)unused;
  check(plane(2, 1, 20, 130, 8, 8, 3, 3, 2, 1, 1));
  check(plane(5, 2, 13, 90, 7, 9, 3, 3, 2, 1, 1));
  check(plane(1, 1, 9, 600, 5, 6, 3, 3, 2, 1, 1));
  check(plane(1, 1, 4, 520, 9, 75, 3, 3, 2, 1, 1));
  check(plane(3, 1, 6, 100, 11, 13, 5, 5, 3, 2, 1));
  check(plane(2, 1, 6, 100, 11, 13, 3, 2, 2, 2, 2));
  check(plane(2, 1, 3, 64, 32, 32, 8, 8, 8, 0, 1));
  check(plane(2, 1, 7, 64, 23, 23, 3, 3, 5, 1, 1));
  for (int along = 0; along < 3; along++) {
    tj__conv_shape s = {.batch = 2,
                        .groups = 1,
                        .in_channels = 5,
                        .out_channels = 100,
                        .in = {5, 6, 7},
                        .kernel = {2, 3, 3},
                        .stride = {1, 1, 1},
                        .padding = {1, 0, 1},
                        .dilation = {1, 1, 1}};
    s.stride[along] = 2;
    check(s);
    for (int i = 0; i < 3; i++) s.stride[i] = 2;
    check(s);
  }
}

static void test_dimensions(void **unused) {
  (void)unused;
  check((tj__conv_shape){.batch = 2,
                         .groups = 1,
                         .in_channels = 5,
                         .out_channels = 6,
                         .in = {1, 1, 50},
                         .kernel = {1, 1, 5},
                         .stride = {1, 1, 2},
                         .padding = {0, 0, 3},
                         .dilation = {1, 1, 2}});
  check((tj__conv_shape){.batch = 2,
                         .groups = 2,
                         .in_channels = 4,
                         .out_channels = 5,
                         .in = {5, 6, 7},
                         .kernel = {2, 3, 2},
                         .stride = {2, 1, 3},
                         .padding = {1, 2, 0},
                         .dilation = {1, 2, 1}});
  check((tj__conv_shape){.batch = 1,
                         .groups = 1,
                         .in_channels = 4,
                         .out_channels = 4,
                         .in = {4, 4, 4},
                         .kernel = {3, 3, 3},
                         .stride = {1, 1, 1},
                         .padding = {1, 1, 1},
                         .dilation = {1, 1, 1}});
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_planes),   cmocka_unit_test(test_kinds), cmocka_unit_test(test_direct),
                                     cmocka_unit_test(test_far_taps), cmocka_unit_test(test_tiles), cmocka_unit_test(test_special),
                                     cmocka_unit_test(test_small),    cmocka_unit_test(test_fold),  cmocka_unit_test(test_dimensions)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
