/* mode.c: the thread's modes: recording, inference, anomaly checks. */
#include "graph.h"

_Thread_local tj__modes tj__mode = {.check_nan = true};

bool tj_is_grad_enabled(void) { return !tj__mode.no_grad && !tj__mode.inference; }

bool tj_set_grad_enabled(bool enabled) {
  bool before = !tj__mode.no_grad;
  tj__mode.no_grad = !enabled;
  return before;
}

bool tj_is_inference_mode_enabled(void) { return tj__mode.inference; }

bool tj_set_inference_mode(bool enabled) {
  bool before = tj__mode.inference;
  tj__mode.inference = enabled;
  return before;
}

bool tj_is_anomaly_enabled(void) { return tj__mode.anomaly; }

bool tj_set_anomaly_enabled(bool enabled, bool check_nan) {
  bool before = tj__mode.anomaly;
  tj__mode.anomaly = enabled;
  tj__mode.check_nan = check_nan;
  return before;
}

bool tj__below_autograd(void) {
  bool before = tj__mode.below;
  tj__mode.below = true;
  return before;
}

void tj__above_autograd(bool before) { tj__mode.below = before; }
