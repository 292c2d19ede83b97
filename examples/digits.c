/* digits.c: trains a small convolutional network on handwritten digits, the same as examples/digits/train.ts, to the last bit.
 *
 *     cc digits.c $(pkg-config --cflags --libs torchjs) -lm -o digits && ./digits [--epochs N] [--losses] [digits.csv]
 *
 * Prints the mean loss and the test accuracy of each epoch; with --losses the loss of each step. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <torchjs.h>

enum { ROWS = 1797, PIXELS = 64, BATCH = 32, PARAMETERS = 8 };

typedef struct digits {
  tj_tensor *images; /* [n, 1, 8, 8] float32, 0 to 1 */
  tj_tensor *labels; /* [n] int64 */
} digits;

static int die(const char *what) {
  fprintf(stderr, "%s: %s\n", what, *tj_error_message() ? tj_error_message() : "failed");
  return 1;
}

/* Row i is a test row when i % 5 == 4. 0, or -1 when the file is not what it should be. */
static int load(const char *path, digits *train, digits *test) {
  static float pixels[2][ROWS][PIXELS];
  static int64_t labels[2][ROWS];
  int64_t n[2] = {0, 0};
  char line[1024];
  FILE *file = fopen(path, "r");
  if (!file || !fgets(line, sizeof line, file)) {
    if (file) fclose(file);
    return -1;
  }
  int row = 0;
  for (; row < ROWS && fgets(line, sizeof line, file); row++) {
    const int part = row % 5 == 4;
    char *at = line;
    for (int i = 0; i < PIXELS; i++, at++) pixels[part][n[part]][i] = strtof(at, &at) / 16;
    labels[part][n[part]++] = strtol(at, NULL, 10);
  }
  fclose(file);
  digits *parts[2] = {train, test};
  for (int p = 0; p < 2; p++) {
    parts[p]->images = tj_from_data(pixels[p], TJ_FLOAT32, TJ_INTS(n[p], 1, 8, 8));
    parts[p]->labels = tj_from_data(labels[p], TJ_INT64, TJ_INTS(n[p]));
  }
  return row == ROWS && train->images && train->labels && test->images && test->labels ? 0 : -1;
}

/* PyTorch's default initial values of linear and convolution layers: uniform in +-1/sqrt(fan_in), weight first. */
static int make_layer(tj_tensor **parameters, tj_ints weight_sizes, int64_t outputs, int64_t fan_in) {
  const double gain = sqrt(2.0 / (1 + 5.0)), weight_bound = sqrt(3.0) * (gain / sqrt((double)fan_in)),
               bias_bound = 1 / sqrt((double)fan_in);
  parameters[0] = tj_uniform_(tj_zeros(weight_sizes, TJ_DTYPE_NONE, TJ_DEVICE_NONE, false), -weight_bound, weight_bound, NULL);
  parameters[1] = tj_uniform_(tj_zeros(TJ_INTS(outputs), TJ_DTYPE_NONE, TJ_DEVICE_NONE, false), -bias_bound, bias_bound, NULL);
  return tj_set_requires_grad(parameters[0], true) || tj_set_requires_grad(parameters[1], true) ? -1 : 0;
}

static tj_tensor *block(tj_tensor *x, tj_tensor *weight, tj_tensor *bias) {
  tj_tensor *y = tj_conv2d(x, weight, bias, TJ_INTS(1, 1), TJ_INTS(1, 1), TJ_INTS(1, 1), 1);
  return tj_max_pool2d(tj_relu(y), TJ_INTS(2, 2), TJ_INTS(2, 2), TJ_INTS(0, 0), TJ_INTS(1, 1), false);
}

static tj_tensor *forward(tj_tensor *const *p, tj_tensor *x) {
  x = block(block(x, p[0], p[1]), p[2], p[3]);
  x = tj_relu(tj_linear(tj_flatten(x, 1, -1), p[4], p[5]));
  return tj_linear(x, p[6], p[7]);
}

/* The share of test digits whose largest output is the right one; negative on failure. */
static double accuracy(tj_tensor *const *p, const digits *test) {
  if (tj_scope_begin()) return -1;
  const bool before = tj_set_grad_enabled(false);
  tj_tensor *right = tj_eq(tj_argmax(forward(p, test->images), 1, false), test->labels);
  const tj_scalar count = tj_item(tj_sum(right, TJ_DTYPE_NONE));
  tj_set_grad_enabled(before);
  tj_scope_end();
  return count.kind == TJ_SCALAR_NONE ? -1 : (double)count.i / (double)tj_size(test->labels, 0);
}

/* One step of AdamW on a batch; the loss, or NaN on failure. */
static double step(tj_tensor **p, tj_tensor **averages, tj_tensor **squares, double t, tj_tensor *images, tj_tensor *labels) {
  for (int i = 0; i < PARAMETERS; i++) tj_set_grad(p[i], NULL);
  tj_tensor *loss = tj_cross_entropy(forward(p, images), labels, NULL, TJ_NO_BOOL, -100, TJ_NO_BOOL, "mean", 0.0);
  if (!loss || tj_backward((tj_tensors){&loss, 1}, (tj_tensors){0}, false, false, (tj_tensors){0})) return NAN;
  tj_tensor *grads[PARAMETERS];
  double steps[PARAMETERS];
  for (int i = 0; i < PARAMETERS; i++) grads[i] = tj_grad(p[i]), steps[i] = t;
  const tj_adam_options options = {
      .lr = 2e-3, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .weight_decay = 1e-2, .decoupled_weight_decay = true};
  if (tj_adam_step((tj_tensors){p, PARAMETERS}, (tj_tensors){grads, PARAMETERS}, (tj_tensors){averages, PARAMETERS},
                   (tj_tensors){squares, PARAMETERS}, (tj_tensors){0}, (tj_floats){steps, PARAMETERS}, &options))
    return NAN;
  return tj_item(loss).f;
}

int main(int argc, char **argv) {
  const char *path = "examples/data/digits.csv";
  int epochs = 25;
  bool print_losses = false;
  for (int i = 1; i < argc; i++) {
    if (!strcmp(argv[i], "--epochs") && i + 1 < argc) epochs = atoi(argv[++i]);
    else if (!strcmp(argv[i], "--losses")) print_losses = true;
    else path = argv[i];
  }
  digits train, test;
  if (load(path, &train, &test)) return die(path);

  tj_manual_seed(0);
  tj_tensor *p[PARAMETERS], *averages[PARAMETERS], *squares[PARAMETERS];
  if (make_layer(p, TJ_INTS(16, 1, 3, 3), 16, 9) || make_layer(p + 2, TJ_INTS(32, 16, 3, 3), 32, 144) ||
      make_layer(p + 4, TJ_INTS(64, 128), 64, 128) || make_layer(p + 6, TJ_INTS(10, 64), 10, 64))
    return die("initial values");
  for (int i = 0; i < PARAMETERS; i++) {
    averages[i] = tj_zeros(tj_sizes(p[i]), TJ_DTYPE_NONE, TJ_DEVICE_NONE, false);
    squares[i] = tj_zeros(tj_sizes(p[i]), TJ_DTYPE_NONE, TJ_DEVICE_NONE, false);
    if (!averages[i] || !squares[i]) return die("optimizer state");
  }

  const int64_t n = tj_size(train.labels, 0);
  int steps = 0, status = 0;
  for (int epoch = 1; epoch <= epochs && !status; epoch++) {
    double sum = 0;
    int batches = 0;
    tj_tensor *order = tj_randperm(n, NULL, TJ_INT64, TJ_DEVICE_NONE, false);
    for (int64_t first = 0; first < n && !status; first += BATCH, batches++) {
      if (tj_scope_begin()) return die("scope");
      tj_tensor *rows = tj_narrow(order, 0, first, first + BATCH < n ? BATCH : n - first);
      const double loss =
          step(p, averages, squares, ++steps, tj_index_select(train.images, 0, rows), tj_index_select(train.labels, 0, rows));
      tj_scope_end();
      if (isnan(loss)) status = die("step");
      if (print_losses) printf("%.9g\n", loss);
      sum += loss;
    }
    tj_free(order);
    const double right = accuracy(p, &test);
    if (!status && right < 0) status = die("accuracy");
    if (!status) printf("epoch %d/%d  loss %.4f  test accuracy %.4f\n", epoch, epochs, sum / batches, right);
  }
  for (int i = 0; i < PARAMETERS; i++) tj_free(p[i]), tj_free(averages[i]), tj_free(squares[i]);
  tj_free(train.images), tj_free(train.labels), tj_free(test.images), tj_free(test.labels);
  return status;
}
