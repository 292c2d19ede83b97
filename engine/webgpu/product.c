/* product.c: tiles in the workgroup's memory, a block of results an invocation. Every result sums its products in an order that depends on the
 * sizes alone.
 *
 * A tile of C belongs to a workgroup. The pieces of A and B that it needs, DEPTH deep, lie in the workgroup's memory by k, four rows (columns) a
 * vector; while they are multiplied, the next ones are on their way into registers. Operands whose neighbours can be read four at a time are
 * loaded in blocks of 4 x 4, turned in registers where neighbours lie along k; others number by number. */
#include "product.h"

#include <stdio.h>

#define DEPTH 16
#define MOST_SPLITS 64

/* Rows and columns of a workgroup and of an invocation, and the part of the best speed that the shape gets where there is enough work. */
typedef struct tile {
  const char *name;
  int rows, columns, each_row, each_column;
  double speed;
  bool
      subgroups; /* an invocation has columns of its own, and all rows: A goes round in subgroups, nothing through the workgroup's memory */
} tile;
static const tile tiles[] = {
    {"128x128", 128, 128, 8, 8, 1, false},  {"128x64", 128, 64, 8, 8, 0.88, false}, {"64x128", 64, 128, 8, 8, 0.9, false},
    {"64x64", 64, 64, 8, 4, 0.82, false},   {"64x64s", 64, 64, 8, 8, 1.05, false},  {"32x32", 32, 32, 4, 4, 0.6, false},
    {"16x256g", 16, 256, 16, 4, 0.6, true}, {"16x16", 16, 16, 1, 1, 0.12, false},
};
enum { TILES = sizeof tiles / sizeof *tiles, SMALLEST = TILES - 1 };
static _Thread_local int forced = -1;

static int invocations(const tile *s) { return s->rows / s->each_row * (s->columns / s->each_column); }
static int64_t count(int64_t n, int64_t size) { return (n + size - 1) / size; }

/* Has the adapter what the tile needs? */
static bool usable(const tile *s) {
  const int64_t size = tj__gpu_limits_of()->subgroup;
  return !s->subgroups || (size >= 4 && size <= invocations(s) && invocations(s) % size == 0);
}

bool tj__product_force(const char *name) {
  forced = -1;
  if (!name || !*name) return true;
  for (int i = 0; i < TILES; i++)
    if (strcmp(tiles[i].name, name) == 0 && usable(&tiles[i])) forced = i;
  return forced >= 0;
}

/* A guess of how long a plan takes, in multiplications of one of CORES cores: each needs WARPS groups of 32 invocations to be busy, and no step of
 * k is faster than memory answers; a second launch and its bytes are paid for by the pieces of k. */
#define CORES 128.0
#define WARPS 4.0
#define ANSWER 4800.0
#define SECOND_LAUNCH 1.6e6
#define FEW 1e6
#define SHORT 1024
static double cost(const tj__product *p, const tile *s, int64_t splits) {
  const int64_t most = tj__gpu_limits_of()->groups;
  if (count(p->m, s->rows) > most || count(p->n, s->columns) > most || (splits > 1 && p->depth * splits > most)) return 1e300;
  const double groups = (double)(count(p->m, s->rows) * count(p->n, s->columns) * p->depth * splits);
  const double each = (double)s->rows * s->columns / s->speed;
  const double waves = groups <= 4 * CORES ? (double)count((int64_t)groups, (int64_t)CORES) : groups / CORES;
  const double busy = TJ__MAX(waves * each, each * WARPS * 32 / invocations(s));
  const double time = (double)count(p->k, splits) * TJ__MAX(busy, ANSWER);
  return splits == 1 ? time : time + SECOND_LAUNCH + (double)(splits * p->m * p->n * p->depth) * 0.4;
}

void tj__product_plan(tj__product *p, bool may_split) {
  double best = -1;
  p->tile = SMALLEST;
  p->splits = 1;
  if (p->wide) return; /* number by number: each is looked at */
  if (forced < 0 && (double)p->m * (double)p->n * (double)p->k * (double)p->depth < FEW && (p->k <= SHORT || !may_split))
    return; /* whatever it is, it is the launch that takes time */
  for (int i = 0; i < TILES; i++) {
    const tile *s = &tiles[i];
    if (!usable(s) || (s->subgroups && p->b_by_k && forced < 0)) continue; /* its columns are read where they lie */
    if (forced >= 0 && i != forced && p->m >= tiles[forced].rows && p->n >= tiles[forced].columns) continue;
    for (int64_t splits = 1; splits == 1 || (may_split && splits <= MOST_SPLITS && p->k / splits >= 256); splits *= 2) {
      const double time = cost(p, s, splits);
      if (best >= 0 && time >= best) continue;
      best = time;
      p->tile = i;
      p->splits = splits;
    }
  }
  const tile *s = &tiles[p->tile];
  p->whole = !s->subgroups && p->m % s->rows == 0 && p->n % s->columns == 0 && p->k % DEPTH == 0 && p->k > 0;
}

bool tj__product_blocks(const tj__product *p) { return p->tile != SMALLEST; }
bool tj__product_by_lanes(const tj__product *p) { return tiles[p->tile].subgroups; }

void tj__product_params(tj__gpu_kernel *k, const tj__product *p) {
  const int64_t piece = p->splits > 1 ? count(count(p->k, p->splits), DEPTH) * DEPTH : p->k; /* vectors of four do not cross its end */
  const int64_t numbers[] = {p->m, p->n, p->k, p->depth, piece, 0};
  for (int i = 0; i < 6; i++) tj__gpu_param(k, numbers[i]);
}

/* More tiles in a direction than workgroups can be: they are counted in one row, which is folded. */
static bool folded(const tj__product *p) {
  const tile *s = &tiles[p->tile];
  return TJ__MAX(count(p->n, s->columns), count(p->m, s->rows)) > tj__gpu_limits_of()->groups;
}

/* Does it load without looking? Few invocations that turn both sides keep so much that loads all at once slow them down (measured). */
static bool loads_whole(const tj__product *p) {
  const tile *s = &tiles[p->tile];
  const bool turns = p->a_vector && !p->a_by_row && p->b_vector && p->b_by_k;
  return p->whole && !(turns && invocations(s) == 64 && s->each_column == 8);
}

int tj__product_key(const tj__product *p) {
  return p->real + 2 * p->a_by_row + 4 * p->b_by_k + 8 * (p->splits > 1) + 16 * p->a_vector + 32 * p->b_vector + 64 * p->out_vector +
         128 * p->b_places + 256 * p->tile + 4096 * p->wide + 8192 * p->b_quads + 16384 * loads_whole(p) + 32768 * folded(p);
}

/* ---- one result an invocation --------------------------------------------------------------------------------------- */

/* wg: the tile's column, row, and z. */
static void put_tile(tj__text *t, const tj__product *p, const tile *s) {
  if (!folded(p)) {
    tj__put(t, "  let wg = group;\n");
    return;
  }
  tj__put(t,
          "  let columns = ($1 + %du) / %du;\n  let number = group.x + group.y * nw.x;\n"
          "  let wg = vec3<u32>(number %% columns, number / columns, group.z);\n  if (wg.y * %du >= $0) { return; }\n",
          s->columns - 1, s->columns, s->rows);
}

static void put_start(tj__text *t, const tj__product *p, const tile *s) {
  tj__put(t,
          "@compute @workgroup_size(%d, %d)\n"
          "fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) nw: vec3<u32>, "
          "@builtin(local_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) li: u32) {\n",
          s->columns / s->each_column, s->rows / s->each_row);
  put_tile(t, p, s);
  tj__put(t,
          "  let row0 = wg.y * %du;\n  let col0 = wg.x * %du;\n  let z = wg.z %% $3;\n  let piece = wg.z / $3;\n"
          "  let k_begin = piece * $4;\n  let k_end = min(k_begin + $4, $2);\n",
          s->rows, s->columns);
}

static void small_body(tj__text *t, const tj__product *p, const tile *s) {
  const char *T = p->real ? "f32" : "i32", *zero = p->real ? "0.0" : "0";
  tj__put(t, "var<workgroup> ta: array<%s, 256>;\nvar<workgroup> tb: array<%s, 256>;\n", T, T);
  put_start(t, p, s);
  tj__put(t, "  var acc = %s;\n  for (var k0 = k_begin; k0 < k_end; k0 += 16u) {\n    {\n", zero);
  tj__put_code(t,
               p->a_by_row ? "      let r = li % 16u;\n      let kk = li / 16u;\n" : "      let kk = li % 16u;\n      let r = li / 16u;\n");
  tj__put(t, "      var v = %s;\n      if (row0 + r < $0 && k0 + kk < k_end) { v = la(z, row0 + r, k0 + kk); }\n", zero);
  tj__put(t, "      ta[kk * 16u + r] = v;\n    }\n    {\n");
  tj__put_code(t,
               p->b_by_k ? "      let kk = li % 16u;\n      let c = li / 16u;\n" : "      let c = li % 16u;\n      let kk = li / 16u;\n");
  tj__put(t, "      var v = %s;\n      if (col0 + c < $1 && k0 + kk < k_end) { v = lb(z, k0 + kk, col0 + c); }\n", zero);
  tj__put(t, "      tb[kk * 16u + c] = v;\n    }\n    workgroupBarrier();\n    for (var kk = 0u; kk < 16u; kk += 1u) {\n"
             "      let a = ta[kk * 16u + id.y];\n      let b = tb[kk * 16u + id.x];\n");
  tj__put_code(t, p->real ? "      acc = fma(a, b, acc);\n" : p->wide ? "      acc = add_l(acc, mul_l(a, b));\n" : "      acc += a * b;\n");
  tj__put(t, "    }\n    workgroupBarrier();\n  }\n"
             "  if (row0 + id.y < $0 && col0 + id.x < $1) { out(wg.z, row0 + id.y, col0 + id.x, acc); }\n}\n");
}

/* ---- blocks of results ------------------------------------------------------------------------------------------------ */

/* A or B. `width`: rows or columns of the tile. */
typedef struct side {
  char name; /* a, b */
  bool vector, by_k;
  int width, blocks; /* blocks of 4 x 4 */
} side;

/* What is added (bitwise) to a vector's place in a row of the workgroup's memory, so that invocations that write along k meet different banks. */
static const char *turned(const side *s, const char *by_block, const char *by_number) {
  return !s->by_k ? "0u" : s->vector ? by_block : by_number;
}

/* From memory into f0 to f3 (registers of the text, named by `to`): block q of the side, of the pieces from k on. */
static void put_fetch(tj__text *t, const side *s, const char *T, const char *to, const char *q, const char *k, bool whole) {
  const char *load = s->name == 'a' ? "la4(z, %s, %s)" : "lb4(z, %s, %s)";
  const char *first = s->name == 'a' ? "row0" : "col0", *limit = s->name == 'a' ? "$0" : "$1";
  for (int j = 0; !whole && j < 4; j++) tj__put(t, "      %s%d = vec4<%s>();\n", to, j, T);
  if (s->by_k)
    tj__put(t, "      let kk = %s + %s %% %du * 4u;\n      let at = %s + %s / %du * 4u;\n", k, q, DEPTH / 4, first, q, DEPTH / 4);
  else tj__put(t, "      let at = %s + %s %% %du * 4u;\n      let kk = %s + %s / %du * 4u;\n", first, q, s->width / 4, k, q, s->width / 4);
  for (int j = 0; j < 4; j++) {
    char along[24], across[24], call[64];
    snprintf(along, sizeof along, s->by_k ? "at + %du" : "at", j);
    snprintf(across, sizeof across, s->by_k ? "kk" : "kk + %du", j);
    if (s->name == 'a') snprintf(call, sizeof call, load, along, across);
    else snprintf(call, sizeof call, load, across, along);
    if (whole) tj__put(t, "      %s%d = %s;\n", to, j, call);
    else tj__put(t, "      if (%s < %s && %s < k_end) { %s%d = %s; }\n", along, limit, across, to, j, call);
  }
}

/* From those registers into the workgroup's memory. */
static void put_keep(tj__text *t, const side *s, const char *T, const char *from, const char *q) {
  if (!s->by_k) {
    tj__put(t, "      let to = %s / %du * %du + %s %% %du;\n", q, s->width / 4, s->width, q, s->width / 4);
    for (int j = 0; j < 4; j++) tj__put(t, "      t%c[to + %du] = %s%d;\n", s->name, j * s->width / 4, from, j);
    return;
  }
  tj__put(t, "      let kb = %s %% %du;\n      let to = kb * %du + ((%s / %du) ^ (kb * 2u));\n", q, DEPTH / 4, s->width, q, DEPTH / 4);
  for (int j = 0; j < 4; j++)
    tj__put(t, "      t%c[to + %du] = vec4<%s>(%s0.%c, %s1.%c, %s2.%c, %s3.%c);\n", s->name, j * s->width / 4, T, from, "xyzw"[j], from,
            "xyzw"[j], from, "xyzw"[j], from, "xyzw"[j]);
}

/* Number by number, straight into the workgroup's memory. */
static void put_numbers(tj__text *t, const side *s, const char *T, int group) {
  const int vectors = DEPTH * s->width / 4;
  const bool a = s->name == 'a';
  tj__put(t, "    for (var q = li; q < %du; q += %du) {\n", vectors, group);
  if (s->by_k) tj__put(t, "      let kk = q %% %du;\n      let block = q / %du;\n", DEPTH, DEPTH);
  else tj__put(t, "      let block = q %% %du;\n      let kk = q / %du;\n", s->width / 4, s->width / 4);
  tj__put(t, "      var v = vec4<%s>();\n      let at = %s + block * 4u;\n      let k = k0 + kk;\n      if (k < k_end) {\n", T,
          a ? "row0" : "col0");
  for (int j = 0; j < 4; j++)
    tj__put(
        t,
        a ? "        if (at + %du < $0) { v.%c = la(z, at + %du, k); }\n" : "        if (at + %du < $1) { v.%c = lb(z, k, at + %du); }\n",
        j, "xyzw"[j], j);
  tj__put(t, "      }\n      t%c[kk * %du + (block ^ %s)] = v;\n    }\n", s->name, s->width / 4, turned(s, "0u", "(kk & 7u)"));
}

/* B by places: columns are found once, rows once a step of k. Neighbouring columns are four of one place where B has quads. `columns`: before the loop. */
static void put_places(tj__text *t, const side *s, const char *T, int group, bool quads, bool columns) {
  const int vectors = DEPTH * s->width / 4, slots = (vectors + group - 1) / group;
  const bool same_row = s->by_k && group % DEPTH == 0;
  if (!columns) tj__put(t, "    {\n");
  if (!columns && same_row) tj__put(t, "      let kk = li %% %du;\n      let row = row_of(z, min(k0 + kk, $2 - 1u));\n", DEPTH);
  for (int n = 0; n < slots; n++) {
    char q[32], block[64];
    snprintf(q, sizeof q, "(li + %du)", n * group);
    if (s->by_k) snprintf(block, sizeof block, "%s / %du", q, DEPTH);
    else snprintf(block, sizeof block, "%s %% %du", q, s->width / 4);
    if (columns) {
      for (int j = 0; j < (quads ? 1 : 4); j++)
        tj__put(t, "  let column%d_%d = column_of(z, min(col0 + %s * 4u + %du, $1 - %du));\n", n, j, block, j, quads ? 4 : 1);
      continue;
    }
    if (vectors % group && n == slots - 1) tj__put(t, "      if (li < %du) {\n", vectors - n * group);
    else tj__put(t, "      {\n");
    if (!same_row) {
      tj__put(t, s->by_k ? "      let kk = %s %% %du;\n" : "      let kk = %s / %du;\n", q, s->by_k ? DEPTH : s->width / 4);
      tj__put(t, "      let row = row_of(z, min(k0 + kk, $2 - 1u));\n");
    }
    tj__put(t, "      var v = vec4<%s>();\n      if (k0 + kk < k_end) { v = ", T);
    if (quads) tj__put(t, "at_places4(row, column%d_0", n);
    else tj__put(t, "vec4<%s>(", T);
    for (int j = 0; !quads && j < 4; j++) tj__put(t, "%sat_places(row, column%d_%d)", j ? ", " : "", n, j);
    tj__put(t, "); }\n      tb[kk * %du + ((%s) ^ %s)] = v;\n      }\n", s->width / 4, block, turned(s, "0u", "(kk & 7u)"));
  }
  if (!columns) tj__put(t, "    }\n");
}

/* Both sides from memory (fetch) or into the workgroup's (keep). Where there are enough invocations, one part of them does A and another B. */
static void put_both(tj__text *t, const side *sides, const char *T, int group, bool fetch, const char *k, bool whole) {
  int offset = 0;
  const bool share = sides[0].vector && sides[1].vector && sides[0].blocks + sides[1].blocks <= group;
  for (int i = 0; i < 2; i++) {
    const side *s = &sides[i];
    if (!s->vector) continue;
    for (int first = 0, n = 0; first < s->blocks; first += group, n++) {
      char q[32], name[8];
      snprintf(q, sizeof q, "(li %c %du)", first < offset ? '-' : '+', first < offset ? offset : first);
      if (share) snprintf(name, sizeof name, "f");
      else snprintf(name, sizeof name, "%c%d_", s->name == 'a' ? 'p' : 'q', n);
      if (offset) tj__put(t, "    if (li >= %du && li < %du) {\n", offset, offset + s->blocks);
      else if (s->blocks - first < group) tj__put(t, "    if (li < %du) {\n", s->blocks - first);
      else tj__put(t, "    {\n");
      if (fetch) put_fetch(t, s, T, name, q, k, whole);
      else put_keep(t, s, T, name, q);
      tj__put(t, "    }\n");
    }
    if (share) offset = s->blocks;
  }
}

static void put_registers(tj__text *t, const side *sides, const char *T, int group) {
  const bool share = sides[0].vector && sides[1].vector && sides[0].blocks + sides[1].blocks <= group;
  for (int i = 0; i < (share ? 1 : 2); i++)
    for (int n = 0; sides[i].vector && n < (share ? 1 : (sides[i].blocks + group - 1) / group); n++)
      for (int j = 0; j < 4; j++) {
        if (share) tj__put(t, "  var f%d: vec4<%s>;\n", j, T);
        else tj__put(t, "  var %c%d_%d: vec4<%s>;\n", i ? 'q' : 'p', n, j, T);
      }
}

/* out4 by out. */
static void put_out(tj__text *t, const char *T) {
  tj__put(t, "fn out4(z: u32, r: u32, c: u32, v: vec4<%s>) {\n  out(z, r, c, v.x);\n", T);
  for (int j = 1; j < 4; j++) tj__put(t, "  if (c + %du < $1) { out(z, r, c + %du, v.%c); }\n", j, j, "xyzw"[j]);
  tj__put(t, "}\n");
}

static void block_body(tj__text *t, const tj__product *p, const tile *s) {
  const char *T = p->real ? "f32" : "i32";
  const bool whole = loads_whole(p);
  const int group = invocations(s), across = s->columns / s->each_column, down = s->rows / s->each_row;
  const side sides[2] = {{'a', p->a_vector, !p->a_by_row, s->rows, s->rows * DEPTH / 16},
                         {'b', p->b_vector, p->b_by_k, s->columns, s->columns * DEPTH / 16}};
  if (!p->out_vector) put_out(t, T);
  for (int i = 0; i < 2; i++) tj__put(t, "var<workgroup> t%c: array<vec4<%s>, %d>;\n", sides[i].name, T, DEPTH * sides[i].width / 4);
  put_start(t, p, s);
  for (int i = 0; i < s->each_row; i++)
    for (int j = 0; j < s->each_column / 4; j++) tj__put(t, "  var acc%d_%d = vec4<%s>();\n", i, j, T);
  put_registers(t, sides, T, group);
  if (p->b_places) put_places(t, &sides[1], T, group, p->b_quads, true);
  put_both(t, sides, T, group, true, "k_begin", whole);
  tj__put(t, "  for (var k0 = k_begin; k0 < k_end; k0 += %du) {\n", DEPTH);
  put_both(t, sides, T, group, false, NULL, whole);
  for (int i = 0; i < 2; i++)
    if (i == 1 && p->b_places) put_places(t, &sides[i], T, group, p->b_quads, false);
    else if (!sides[i].vector) put_numbers(t, &sides[i], T, group);
  tj__put(t, "    workgroupBarrier();\n    let next = k0 + %du;\n", DEPTH);
  if (whole) tj__put(t, "    if (next < k_end) {\n");
  put_both(t, sides, T, group, true, "next", whole);
  if (whole) tj__put(t, "    }\n");
  tj__put(t, "    for (var kb = 0u; kb < %du; kb += 1u) {\n", DEPTH / 4);
  for (int j = 0; j < 4; j++) {
    char number[40];
    snprintf(number, sizeof number, "((kb & 1u) * 4u + %du)", j);
    tj__put(t, "      {\n");
    for (int i = 0; i < s->each_row / 4; i++)
      tj__put(t, "        let a%d = ta[kb * %du + %du + ((id.y + %du) ^ %s)];\n", i, s->rows, j * s->rows / 4, i * down,
              turned(&sides[0], "(kb * 2u)", number));
    for (int i = 0; i < s->each_column / 4; i++)
      tj__put(t, "        let b%d = tb[kb * %du + %du + ((id.x + %du) ^ %s)];\n", i, s->columns, j * s->columns / 4, i * across,
              turned(&sides[1], "(kb * 2u)", number));
    for (int i = 0; i < s->each_row; i++)
      for (int c = 0; c < s->each_column / 4; c++) {
        if (p->real) tj__put(t, "        acc%d_%d = fma(vec4<f32>(a%d.%c), b%d, acc%d_%d);\n", i, c, i / 4, "xyzw"[i % 4], c, i, c);
        else tj__put(t, "        acc%d_%d += a%d.%c * b%d;\n", i, c, i / 4, "xyzw"[i % 4], c);
      }
    tj__put(t, "      }\n");
  }
  tj__put(t, "    }\n    workgroupBarrier();\n  }\n");
  for (int i = 0; i < s->each_row; i++)
    for (int c = 0; c < s->each_column / 4; c++) {
      const int row = i / 4 * 4 * down + i % 4, column = c * 4 * across;
      if (!whole) tj__put(t, "  if (row0 + id.y * 4u + %du < $0 && col0 + id.x * 4u + %du < $1)", row, column);
      tj__put(t, "  { out4(wg.z, row0 + id.y * 4u + %du, col0 + id.x * 4u + %du, acc%d_%d); }\n", row, column, i, c);
    }
  tj__put(t, "}\n");
}

/* ---- subgroups ---------------------------------------------------------------------------------------------------------- */

/* Steps of k as long as a subgroup: an invocation has one number of each row of A, and gets the others from its neighbours. B's are used by the one
 * that loads them. Which invocations are a subgroup's does not matter: they only need the same rows. */
static void subgroup_body(tj__text *t, const tj__product *p, const tile *s) {
  const char *T = p->real ? "f32" : "i32";
  const int size = (int)tj__gpu_limits_of()->subgroup, columns = s->each_column / 4;
  if (!p->a_vector) tj__put(t, "fn one_a(z: u32, r: u32, k: u32) -> %s { return la(z, r, k); }\n", T);
  else if (p->a_by_row) tj__put(t, "fn one_a(z: u32, r: u32, k: u32) -> %s { return la4(z, r & ~3u, k)[r & 3u]; }\n", T);
  else tj__put(t, "fn one_a(z: u32, r: u32, k: u32) -> %s { return la4(z, r, k & ~3u)[k & 3u]; }\n", T);
  if (!p->out_vector) put_out(t, T);
  tj__put(t,
          "@compute @workgroup_size(%d)\n"
          "fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) nw: vec3<u32>, "
          "@builtin(local_invocation_index) li: u32, @builtin(subgroup_invocation_id) lane: u32) {\n",
          invocations(s));
  put_tile(t, p, s);
  tj__put(t,
          "  let row0 = wg.y * %du;\n  let z = wg.z %% $3;\n  let piece = wg.z / $3;\n"
          "  let k_begin = piece * $4;\n  let k_end = min(k_begin + $4, $2);\n",
          s->rows);
  for (int c = 0; c < columns; c++) {
    tj__put(t, "  let col%d = wg.x * %du + %du + li * 4u;\n  let at%d = min(col%d, ($1 - 1u) & ~3u);\n", c, s->columns,
            c * 4 * invocations(s), c, c);
    for (int j = 0; p->b_places && j < 4; j++) tj__put(t, "  let place%d_%d = column_of(z, min(at%d + %du, $1 - 1u));\n", c, j, c, j);
    for (int i = 0; i < s->rows; i++) tj__put(t, "  var acc%d_%d = vec4<%s>();\n", i, c, T);
  }
  tj__put(t, "  for (var k0 = k_begin; k0 < k_end; k0 += %du) {\n    let ka = min(k0 + lane, k_end - 1u);\n", size);
  for (int i = 0; i < s->rows; i++) tj__put(t, "    let a%d = one_a(z, min(row0 + %du, $0 - 1u), ka);\n", i, i);
  tj__put(t, "    for (var kk = 0u; kk < %du; kk += 4u) {\n", size);
  for (int j = 0; j < 4; j++) /* behind the end: zeros */
    for (int c = 0; c < columns; c++) {
      tj__put(t, "      var b%d_%d = vec4<%s>();\n      if (k0 + kk + %du < k_end) { ", j, c, T, j);
      if (p->b_places) tj__put(t, "let row = row_of(z, k0 + kk + %du); ", j);
      tj__put(t, "b%d_%d = ", j, c);
      if (p->b_vector && !p->b_by_k) tj__put(t, "lb4(z, k0 + kk + %du, at%d)", j, c);
      else {
        tj__put(t, "vec4<%s>(", T);
        for (int e = 0; e < 4; e++) {
          if (e) tj__put(t, ", ");
          if (p->b_places) tj__put(t, "at_places(row, place%d_%d)", c, e);
          else if (p->b_vector) tj__put(t, "lb4(z, k0 + kk, min(at%d + %du, $1 - 1u))[%d]", c, e, j);
          else tj__put(t, "lb(z, k0 + kk + %du, min(at%d + %du, $1 - 1u))", j, c, e);
        }
        tj__put(t, ")");
      }
      tj__put(t, "; }\n");
    }
  for (int j = 0; j < 4; j++)
    for (int i = 0; i < s->rows; i++) {
      tj__put(t, "      { let a = subgroupShuffle(a%d, kk + %du);", i, j);
      for (int c = 0; c < columns; c++)
        tj__put(t, p->real ? " acc%d_%d = fma(vec4<f32>(a), b%d_%d, acc%d_%d);" : " acc%d_%d = a * b%d_%d + acc%d_%d;", i, c, j, c, i, c);
      tj__put(t, " }\n");
    }
  tj__put(t, "    }\n  }\n");
  for (int i = 0; i < s->rows; i++)
    for (int c = 0; c < columns; c++)
      tj__put(t, "  if (row0 + %du < $0 && col%d < $1) { out4(wg.z, row0 + %du, col%d, acc%d_%d); }\n", i, c, i, c, i, c);
  tj__put(t, "}\n");
}

void tj__product_body(tj__text *t, const tj__product *p) {
  const tile *s = &tiles[p->tile];
  if (s->each_row == 1) small_body(t, p, s);
  else if (s->subgroups) subgroup_body(t, p, s);
  else block_body(t, p, s);
}

bool tj__product_launch(tj__gpu_kernel *k, const tj__product *p) {
  const tile *s = &tiles[p->tile];
  k->subgroups = s->subgroups;
  const int64_t columns = count(p->n, s->columns), rows = count(p->m, s->rows), deep = p->depth * p->splits;
  if (!folded(p)) return tj__gpu_launch(k, columns, rows, deep);
  const int64_t row = TJ__MIN(tj__gpu_limits_of()->groups, 32768);
  return tj__gpu_launch(k, TJ__MIN(row, columns * rows), count(columns * rows, row), deep);
}
