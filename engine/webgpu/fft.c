/* fft.c: discrete Fourier transforms. The length is a product of radices of up to 1024, each a pass: a workgroup takes a few neighbouring transforms of
 * that length from memory, does them in its own memory by Stockham's algorithm with the radix's prime factors (and 4), multiplies by the roots
 * that join the passes and writes them where Stockham's algorithm would, on that larger scale. Lengths with a prime factor above 13 go by way of
 * a convolution of a power of two (Bluestein 1970), whose factors are multiplied with in the first and last of the passes. */
#include "../kernels/fft.h"

#include <math.h>

#include "../iter/convert.h"
#include "families.h"
#include "kernel.h"

#define ROOM 1024 /* numbers in a workgroup's memory, twice */
#define RADIX 256 /* of passes, where more than one is needed: neighbours in memory are then read together */
#define PASSES 16

/* One side of a pass in memory: [outer, size, inner], of which the first `bound` are there. */
typedef struct end {
  const void *address;
  tj_dtype dtype;
  int64_t size, bound;
  const void *factors; /* of the numbers by index; NULL: none */
} end;

typedef struct pass {
  int radix, together;    /* transforms of a workgroup */
  bool inverse, joined;   /* joined: another pass follows */
  bool half;              /* input is the first half of numbers whose others are conjugates */
  bool real_in, real_out; /* float32 */
  bool multiplied_in, multiplied_out;
  bool lines_in, lines_out; /* neighbours in memory are of one transform */
} pass;

/* Literal of cos and sin of 2 pi k / n, forward: exp(-2 pi i k / n). */
static void put_root(tj__text *t, int k, int n, bool inverse) {
  const double angle = (inverse ? 2 : -2) * 3.14159265358979323846 * k / n;
  tj__put(t, "vec2<f32>(%.9ef, %.9ef)", cos(angle), sin(angle));
}

/* y0, y1, ...: the transform of x0, x1, ... */
static void put_butterfly(tj__text *t, int radix, bool inverse) {
  const char *turn = inverse ? "turn_c" : "back_c";
  if (radix == 2) tj__put(t, "    let y0 = x0 + x1;\n    let y1 = x0 - x1;\n");
  else if (radix == 4)
    tj__put(t,
            "    let s0 = x0 + x2;\n    let s1 = x0 - x2;\n    let s2 = x1 + x3;\n    let s3 = %s(x1 - x3);\n"
            "    let y0 = s0 + s2;\n    let y1 = s1 + s3;\n    let y2 = s0 - s2;\n    let y3 = s1 - s3;\n",
            turn);
  else
    for (int j = 0; j < radix; j++) {
      tj__put(t, "    let y%d = x0", j);
      for (int k = 1; k < radix; k++) {
        if (j == 0) {
          tj__put(t, " + x%d", k);
          continue;
        }
        tj__put(t, " + mul_c(x%d, ", k);
        put_root(t, j * k % radix, radix, inverse);
        tj__put(t, ")");
      }
      tj__put(t, ";\n");
    }
}

/* Stockham's passes within the workgroup: from ta to tb and back. The name of the array with the result. */
static const char *put_stages(tj__text *t, const pass *p) {
  static const int primes[] = {4, 2, 3, 5, 7, 11, 13};
  const char *from = "ta", *to = "tb";
  int n = p->radix, s = p->together;
  for (size_t f = 0; f < sizeof primes / sizeof *primes; f++) {
    const int q = primes[f];
    for (; n % q == 0; n /= q, s *= q) {
      const int m = n / q;
      tj__put(t, "  for (var t = li; t < %du; t += 256u) {\n    let p = t / %du;\n    let at = p * %du + t %% %du;\n", m * s, s, q * s, s);
      for (int k = 0; k < q; k++) tj__put(t, "    let x%d = %s[t + %du];\n", k, from, k * m * s);
      put_butterfly(t, q, p->inverse);
      tj__put(t, "    %s[at] = y0;\n", to);
      for (int k = 1; k < q; k++) {
        if (m == 1) tj__put(t, "    %s[at + %du] = y%d;\n", to, k * s, k);
        else {
          if (k == 1) tj__put(t, "    let w1 = root(p, %du);\n", n);
          else tj__put(t, "    let w%d = mul_c(w%d, w%d);\n", k, k / 2, k - k / 2);
          tj__put(t, "    %s[at + %du] = mul_c(y%d, w%d);\n", to, k * s, k, k);
        }
      }
      tj__put(t, "  }\n  workgroupBarrier();\n");
      const char *other = from;
      from = to, to = other;
    }
  }
  return from;
}

/* Where number e of the workgroup's is: transform `b` of it, element j. */
static void put_number(tj__text *t, const pass *p, bool lines) {
  if (lines) tj__put(t, "    let b = e / %du;\n    let j = e %% %du;\n", p->radix, p->radix);
  else tj__put(t, "    let b = e %% %du;\n    let j = e / %du;\n", p->together, p->together);
  tj__put(t, "    let number = row * %du + b;\n    let i = number %% $2;\n    let u = number / $2 %% $3;\n    let o = number / $2 / $3;\n",
          p->together);
}

/* Parameters: 0 workgroups, 1 transforms, 2 inner, 3 transforms of a line, 4 s (in the place of 1 within them), 5 n of what is half, 6 size of in,
 * 7 bound of in, 8 size of out, 9 bound of out, 10 scale, 11 what the joining roots are of. Operands: out, in, then factors of in, of out. */
static void body(tj__text *t, const void *context) {
  const pass *p = context;
  const int all = p->radix * p->together;
  tj__put(t,
          "fn root(k: u32, n: u32) -> vec2<f32> {\n" /* within an eighth of the circle, where sine and cosine are exact */
          "  let quarter = (8u * k / n + 1u) / 2u;\n"
          "  let r = f32(i32(4u * k - quarter * n)) / f32(n) * 1.57079632679;\n"
          "  let c = cos_reduced(r);\n  let s = %ssin_reduced(r);\n"
          "  var w = vec2<f32>(c, s);\n  if ((quarter & 1u) != 0u) { w = %s(w); }\n  return select(w, -w, (quarter & 2u) != 0u);\n}\n",
          p->inverse ? "" : "-", p->inverse ? "turn_c" : "back_c");
  tj__put(t, "var<workgroup> ta: array<vec2<f32>, %d>;\nvar<workgroup> tb: array<vec2<f32>, %d>;\n", all, all);
  tj__put(t,
          "fn take(o: u32, k: u32, i: u32) -> vec2<f32> {\n  if (k >= $7) { return vec2<f32>(); }\n  let x = ld1((o * $6 + k) * $2 + i);\n"
          "  return %s;\n}\n",
          p->real_in ? "vec2<f32>(x, 0.0)" : "x");
  tj__put_code(t, TJ__GROUPS(256));
  tj__put(t, "  for (var e = li; e < %du; e += 256u) {\n", all);
  put_number(t, p, p->lines_in);
  tj__put(t, "    var v = vec2<f32>();\n    if (number < $1) {\n      let k = j * $3 + u;\n");
  if (p->half) tj__put(t, "      if (k <= $5 / 2u) { v = take(o, k, i); } else if (k < $5) { v = conj_c(take(o, $5 - k, i)); }\n");
  else tj__put(t, "      v = take(o, k, i);\n");
  if (p->multiplied_in) tj__put(t, "      if (k < $%d) { v = mul_c(v, ld2(k)); }\n", p->half ? 5 : 7);
  tj__put(t, "    }\n    ta[j * %du + b] = v;\n  }\n  workgroupBarrier();\n", p->together);
  const char *result = put_stages(t, p);
  tj__put(t, "  for (var e = li; e < %du; e += 256u) {\n", all);
  put_number(t, p, p->lines_out);
  tj__put(t,
          "    let p = u / $4;\n    let k = (p * %du + j) * $4 + u %% $4;\n    if (number >= $1 || k >= $9) { continue; }\n"
          "    var v = %s[j * %du + b];\n",
          p->radix, result, p->together);
  if (p->joined) tj__put(t, "    v = mul_c(v, root(p * j, $11));\n");
  if (p->multiplied_out) tj__put(t, "    v = mul_c(v, ld%d(k));\n", 2 + p->multiplied_in);
  tj__put(t, "    st0((o * $8 + k) * $2 + i, (v * $f10)%s);\n  }\n}\n", p->real_out ? ".x" : "");
}

/* A transform of all lines of length n, which has small prime factors only. half: the length that the input is the first half of; 0: it is all. */
typedef struct transform {
  int64_t n, outer, inner, half;
  bool inverse;
  double scale;
  end in, out;
} transform;

static bool launch(const transform *f, int64_t radix, int64_t rest, int64_t s, const end *in, const end *out, bool last) {
  const int64_t lines = f->outer * f->inner, each = f->n / radix, transforms = lines * each;
  pass p = {.radix = (int)radix, .together = 1, .inverse = f->inverse, .joined = !last, .half = f->half && s == 1};
  while (p.together * 2 * p.radix <= ROOM && p.together < transforms) p.together *= 2;
  p.real_in = in->dtype != TJ_COMPLEX64, p.real_out = out->dtype != TJ_COMPLEX64;
  p.multiplied_in = in->factors != NULL, p.multiplied_out = out->factors != NULL;
  p.lines_in = f->inner == 1 && each == 1;
  p.lines_out = f->inner == 1 && s == 1;
  tj__gpu_kernel k;
  tj__gpu_kernel_begin(&k, body, &p, "fft %d.%d %d%d%d%d%d%d", p.radix, p.together, p.inverse, p.joined, p.half, p.real_in + 2 * p.real_out,
                       p.multiplied_in + 2 * p.multiplied_out, p.lines_in + 2 * p.lines_out);
  k.complex = true;
  const int64_t groups = (transforms + p.together - 1) / p.together;
  const int64_t before[] = {groups, transforms, f->inner, each, s, f->half, in->size, in->bound, out->size, out->bound};
  for (int i = 0; i < 10; i++) tj__gpu_param(&k, before[i]);
  tj__gpu_param_float(&k, last ? f->scale : 1);
  tj__gpu_param(&k, radix * rest);
  tj__gpu_operand_add(&k, out->address, out->dtype, true);
  tj__gpu_operand_add(&k, in->address, in->dtype, false);
  if (in->factors) tj__gpu_operand_add(&k, in->factors, TJ_COMPLEX64, false);
  if (out->factors) tj__gpu_operand_add(&k, out->factors, TJ_COMPLEX64, false);
  return tj__gpu_launch_groups(&k, groups);
}

/* The prime factors, largest first; how many, or 0 where one is too large (or there are none). */
static int factors_of(int64_t n, int *factors) {
  static const int primes[] = {13, 11, 7, 5, 3, 2};
  int count = 0;
  for (size_t i = 0; i < sizeof primes / sizeof *primes; i++)
    for (; n % primes[i] == 0; n /= primes[i]) factors[count++] = primes[i];
  return n == 1 ? count : 0;
}

/* Radices whose product is n, as equal as they get: how many. */
static int radices_of(int64_t n, int64_t *radices) {
  int factors[64];
  const int count = factors_of(n, factors);
  for (int passes = 1; passes <= PASSES; passes++) {
    const int64_t most = passes == 1 ? ROOM : RADIX;
    int64_t largest = 1;
    for (int i = 0; i < passes; i++) radices[i] = 1;
    for (int f = 0; f < count; f++) {
      int least = 0;
      for (int i = 1; i < passes; i++)
        if (radices[i] < radices[least]) least = i;
      radices[least] *= factors[f];
      largest = TJ__MAX(largest, radices[least]);
    }
    if (largest <= most) return passes;
  }
  return 0;
}

static bool run(const transform *f) {
  int64_t radices[PASSES], rest = f->n, s = 1;
  const int passes = radices_of(f->n, radices);
  tj_tensor *between[2] = {NULL, NULL};
  for (int i = 0; i < 2 && i < passes - 1; i++)
    if (!(between[i] = tj__empty(TJ_INTS(f->outer * f->n * f->inner), TJ_COMPLEX64, TJ_WEBGPU(0)))) return false;
  end in = f->in;
  for (int i = 0; i < passes; i++) {
    const bool last = i == passes - 1;
    const end out = last ? f->out : (end){.address = tj__write(between[i & 1]), .dtype = TJ_COMPLEX64, .size = f->n, .bound = f->n};
    rest /= radices[i];
    if (!launch(f, radices[i], rest, s, &in, &out, last)) return false;
    s *= radices[i];
    in = out, in.factors = NULL;
  }
  return passes > 0;
}

/* ---- any length ---------------------------------------------------------------------------------------------------- */

/* n pairs of the host as complex64 of the device. */
static const void *table(tj_tensor *pairs) {
  tj_tensor *host = tj__to_dtype(pairs, TJ_COMPLEX64), *there = host ? tj__empty(tj__sizes(pairs), TJ_COMPLEX64, TJ_WEBGPU(0)) : NULL;
  return there && tj__gpu_upload(there, host) ? tj__read(there) : NULL;
}

/* j k = (j^2 + k^2 - (j - k)^2) / 2: factors exp(-pi i k^2 / n) around a convolution of length m. */
static bool bluestein(transform *f) {
  const int64_t n = f->n;
  int64_t m = 1;
  while (m < 2 * n - 1) m *= 2;
  tj_tensor *chirp = tj__empty(TJ_INTS(n), TJ_COMPLEX128, TJ_CPU);
  tj_tensor *line = tj__fill(tj__empty(TJ_INTS(m), TJ_COMPLEX128, TJ_CPU), tj_int(0));
  tj_tensor *spectrum = tj__empty(TJ_INTS(m), TJ_COMPLEX128, TJ_CPU);
  tj_tensor *work = tj__empty(TJ_INTS(f->outer * m * f->inner), TJ_COMPLEX64, TJ_WEBGPU(0));
  if (!chirp || !line || !spectrum || !work) return false;
  double *c = tj__write(chirp), *l = tj__write(line);
  uint64_t square = 0; /* k^2 modulo 2 n */
  for (int64_t k = 0; k < n; k++) {
    const double angle = (f->inverse ? 1 : -1) * 3.14159265358979323846 * (double)square / (double)n;
    const int64_t other = k ? m - k : 0;
    c[2 * k] = l[2 * k] = l[2 * other] = cos(angle);
    c[2 * k + 1] = sin(angle);
    l[2 * k + 1] = l[2 * other + 1] = -c[2 * k + 1];
    square = (square + 2 * (uint64_t)k + 1) % (2 * (uint64_t)n);
  }
  const tj__fft_args g = {.kind = TJ__FFT_C2C,
                          .dtype = TJ_FLOAT64,
                          .n = m,
                          .outer = 1,
                          .inner = 1,
                          .in_n = m,
                          .out_n = m,
                          .scale = 1 / (double)m,
                          .in = tj__read(line),
                          .out = tj__write(spectrum)};
  if (!tj__backend_of(TJ_CPU)->fft->transform(&g)) return false;
  const void *factors = table(chirp), *middle = table(spectrum);
  if (!factors || !middle) return false;
  const end inside = {.address = tj__write(work), .dtype = TJ_COMPLEX64, .size = m, .bound = m};
  transform there = {.n = m, .outer = f->outer, .inner = f->inner, .half = f->half, .scale = 1, .in = f->in, .out = inside};
  transform back = {.n = m, .outer = f->outer, .inner = f->inner, .scale = f->scale, .inverse = true, .in = inside, .out = f->out};
  there.in.factors = back.out.factors = factors;
  back.in.factors = middle;
  return run(&there) && run(&back);
}

static bool transform_lines(const tj__fft_args *g) {
  if (g->outer * g->inner * g->out_n == 0) return true;
  const bool real_out = g->kind == TJ__FFT_C2R;
  const int64_t lines = g->outer * g->inner, known = real_out ? g->n / 2 + 1 : g->n;
  transform f = {.n = g->n, .outer = g->outer, .inner = g->inner, .inverse = g->inverse, .half = real_out ? g->n : 0, .scale = g->scale};
  f.in = (end){
      .address = g->in, .dtype = g->kind == TJ__FFT_R2C ? TJ_FLOAT32 : TJ_COMPLEX64, .size = g->in_n, .bound = TJ__MIN(g->in_n, known)};
  f.out = (end){.address = g->out, .dtype = real_out ? TJ_FLOAT32 : TJ_COMPLEX64, .size = g->out_n, .bound = TJ__MIN(g->out_n, g->n)};
  if (f.out.bound < g->out_n) {
    tj__gpu_kernel k;
    tj__gpu_kernel_begin(&k, tj__gpu_value_body, real_out ? "0.0" : "vec2<f32>()", "zeros");
    k.complex = true;
    tj__gpu_param(&k, lines * g->out_n);
    tj__gpu_operand_add(&k, g->out, f.out.dtype, true);
    if (!tj__gpu_launch_flat(&k, lines * g->out_n)) return false;
  }
  int factors[64];
  return f.n == 1 || factors_of(f.n, factors) ? run(&f) : bluestein(&f);
}

const tj__fft_kernels tj__webgpu_fft = {transform_lines};
