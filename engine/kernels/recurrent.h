/* recurrent.h: one layer and direction of a recurrent network over a whole sequence, and its derivative. float32 and float64, contiguous. Results do not
 * depend on the number of threads. Functions return false and an error when there is no memory. */
#ifndef TJ__KERNELS_RECURRENT_H
#define TJ__KERNELS_RECURRENT_H

#include "backend.h"

typedef enum tj__recurrent_mode { TJ__RNN_TANH, TJ__RNN_RELU, TJ__LSTM, TJ__GRU } tj__recurrent_mode;

/* T steps of B sequences; H hidden values, P outputs (not H only where an LSTM projects them); G = 1, 4 (i, f, g, o) or 3 (r, z, n) gates. */
typedef struct tj__recurrent {
  tj_dtype dtype;
  tj__recurrent_mode mode;
  bool reverse;
  int64_t steps, batch, hidden, size, gate_count;
  const void *x;    /* [T, B, G H]: the input's share of the gates; forward alone reads it */
  void *gates;      /* [T, B, G H]: the gates' values */
  const void *w_hh; /* [G H, P] */
  const void *b_hh; /* [G H] or NULL */
  const void *w_hr; /* [P, H] or NULL */
  const void *h0;   /* [B, P] */
  const void *c0;   /* [B, H] */
  void *output;     /* [T, B, P] */
  void *cells;      /* LSTM: [T, B, H] */
  void *extra;      /* [T, B, H]. GRU: the hidden share of n; LSTM with a projection: what is projected */
} tj__recurrent;

typedef struct tj__recurrent_grad {
  const void *output, *cells; /* gradients of the results; cells may be NULL */
  void *gates;                /* [T, B, G H] */
  void *h0, *c0, *w_hh;
  void *b_hh, *w_hr; /* NULL where there are none */
} tj__recurrent_grad;

typedef struct tj__recurrent_kernels {
  bool (*forward)(const tj__recurrent *r);
  bool (*backward)(const tj__recurrent *r, const tj__recurrent_grad *g);
} tj__recurrent_kernels;

#endif
