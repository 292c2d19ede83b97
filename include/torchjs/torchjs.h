/* torchjs.h: tensors, automatic differentiation and neural networks for C, with PyTorch's names, rules and numbers.
 *
 *     #include <torchjs.h>                    cc prog.c $(pkg-config --cflags --libs torchjs)
 *
 *     tj_manual_seed(0);
 *     tj_tensor *x = tj_randn(TJ_INTS(3, 4), NULL, TJ_DTYPE_NONE, TJ_DEVICE_NONE, false);
 *     tj_tensor *y = tj_softmax(x, -1, TJ_DTYPE_NONE);
 *     char *text = tj_to_string(y);
 *     puts(text ? text : tj_error_message());
 *     tj_string_free(text); tj_free(y); tj_free(x);
 *
 * types.h has dtypes, scalars, lists and errors; tensor.h tensors, scopes and memory; autograd.h gradients; optim.h optimizer steps;
 * expression.h formulas as texts;
 * ops.h every operator, with shapes, dtypes and errors at each (made from the schema). */
#ifndef TORCHJS_H
#define TORCHJS_H

#include "autograd.h"
#include "expression.h"
#include "ops.h"
#include "optim.h"
#include "tensor.h"
#include "types.h"

#endif
