/* product.h: the frame of every kernel that is a matrix product: C[z][r][c] = sum over k of A(z, r, k) B(z, k, c), where A, B and the writing of C
 * are functions of the kernel: fn la(z: u32, r: u32, k: u32) -> T, fn lb(z: u32, k: u32, c: u32) -> T, fn out(z: u32, r: u32, c: u32, v: T).
 * Where four numbers can be had or written at once, the kernel has la4, lb4 and out4 with vec4<T> in their place. A B whose places are costly to find
 * is split: struct Place, fn row_of(z: u32, k: u32) -> Place, fn column_of(z: u32, c: u32) -> Place, fn at_places(row: Place, column: Place) -> T;
 * at_places4 gives four columns from that one on as vec4<T>. */
#ifndef TJ__WEBGPU_PRODUCT_H
#define TJ__WEBGPU_PRODUCT_H

#include "kernel.h"

/* Parameters 0 to 5 of the kernel. */
typedef struct tj__product {
  bool real;     /* f32, else i32 */
  bool wide;     /* int64: what does not fit is an error, and the kernel has `errors` */
  bool a_by_row; /* neighbours in memory along r, else along k */
  bool b_by_k;   /* along k, else along c */
  bool a_vector; /* la4(z, r, k): four neighbours; their direction's size is a multiple of 4 */
  bool b_vector;
  bool b_places;   /* B is split into rows and columns; lb is there too */
  bool b_quads;    /* then: columns c to c + 3, c a multiple of 4, are neighbours, and there is at_places4; n is a multiple of 4 */
  bool out_vector; /* out4(z, r, c, v): four neighbours along c; n is a multiple of 4 */
  int tile;        /* in the table of product.c */
  bool whole;      /* no tile goes over an edge */
  int64_t m, n, k;
  int64_t depth;  /* batches: z runs over depth * splits */
  int64_t splits; /* k is cut into pieces, whose sums are added up afterwards: z = piece * depth + batch */
} tj__product;

/* Chooses tile and splits from the sizes. */
void tj__product_plan(tj__product *p, bool may_split);
/* Are results computed in blocks? Only then there are la4, lb4 and out4. */
bool tj__product_blocks(const tj__product *p);
/* Is A read number by number, whatever its neighbours are? */
bool tj__product_by_lanes(const tj__product *p);
/* For measuring: every product of at least its size takes this row of the table ("128x128"), NULL: as planned. false: there is none. */
bool tj__product_force(const char *tile);
/* Adds the parameters; the first ones of the kernel. */
void tj__product_params(tj__gpu_kernel *k, const tj__product *p);
/* The text after the kernel's functions. In them `batch(z)` and, with splits, the place for piece z / depth are up to `out`. */
void tj__product_body(tj__text *t, const tj__product *p);
/* For the kernel's name. */
int tj__product_key(const tj__product *p);
bool tj__product_launch(tj__gpu_kernel *k, const tj__product *p);

#endif
