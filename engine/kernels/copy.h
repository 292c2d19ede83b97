/* copy.h: the kernels that move elements: conversion between dtypes, filling, transposing. */
#ifndef TJ__KERNELS_COPY_H
#define TJ__KERNELS_COPY_H

#include "../iter/iter.h"

typedef struct tj__copy_kernels {
  tj__loop convert[TJ_DTYPE_COUNT][TJ_DTYPE_COUNT]; /* [to][from]; operands: to, from */
  tj__loop fill[TJ_DTYPE_COUNT];                    /* parameter 0: the value */
  /* to[r][c] = from[c][r] for elements of 1 << index bytes, adjacent within the rows of both; strides between rows in bytes. */
  void (*transpose[5])(char *to, int64_t to_row, const char *from, int64_t from_row, int64_t columns, int64_t rows);
  tj__loop where[5]; /* for elements of 1 << index bytes; operands: out, condition (bool), yes, no */
} tj__copy_kernels;

#endif
