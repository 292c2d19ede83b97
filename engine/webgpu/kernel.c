/* kernel.c: from a kernel's text to a pipeline, and its launch. */
#include "kernel.h"

#include "fusion.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- text ------------------------------------------------------------------------------------------------------- */

static bool make_room(tj__text *t, size_t more) {
  if (t->n + more < t->room) return true;
  const size_t room = 2 * t->room + more + 2048;
  char *text = tj__grow(t->text, room);
  if (!text) return t->failed = true, false;
  t->text = text;
  t->room = room;
  return true;
}

void tj__put(tj__text *t, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  va_list again;
  va_copy(again, arguments);
  const int n = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  if (n > 0 && make_room(t, (size_t)n + 1)) {
    vsnprintf(t->text + t->n, (size_t)n + 1, format, again);
    t->n += (size_t)n;
  }
  va_end(again);
}

void tj__put_code(tj__text *t, const char *code) { tj__put(t, "%s", code); }

/* In two steps of few barriers: some invocations join every so manyth value, then each joins what these have. */
void tj__gpu_put_total(tj__text *t, const char *acc, const char *join, int group) {
  const int few = group > 64 ? 16 : 8;
  tj__put(t, "  shared_[li] = %s;\n  workgroupBarrier();\n", acc);
  tj__put(t, "  if (li < %du) {\n    var a = shared_[li];\n", few);
  for (int i = few; i < group; i += few) tj__put(t, "    { let b = shared_[li + %du]; a = %s; }\n", i, join);
  tj__put(t, "    shared_[li] = a;\n  }\n  workgroupBarrier();\n  {\n    var a = shared_[0];\n");
  for (int i = 1; i < few; i++) tj__put(t, "    { let b = shared_[%d]; a = %s; }\n", i, join);
  tj__put(t, "    %s = a;\n  }\n  workgroupBarrier();\n", acc);
}

/* ---- functions of math.wgsl --------------------------------------------------------------------------------------- */

static bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

/* Marks the functions that the text calls, and those that they call. */
static void find_functions(const char *text, size_t n, bool *used) {
  for (size_t i = 0; i < n;) {
    if (!is_word(text[i])) {
      i++;
      continue;
    }
    const size_t from = i;
    while (i < n && is_word(text[i])) i++;
    if (i >= n || text[i] != '(') continue;
    for (int f = 0; f < tj__wgsl_function_count; f++) {
      const char *name = tj__wgsl_functions[f].name;
      if (used[f] || strlen(name) != i - from || memcmp(name, text + from, i - from) != 0) continue;
      used[f] = true;
      find_functions(tj__wgsl_functions[f].code, strlen(tj__wgsl_functions[f].code), used);
      break;
    }
  }
}

/* ---- pipelines ----------------------------------------------------------------------------------------------------- */

typedef struct pipeline {
  uint64_t hash;
  char *key;
} pipeline;

static _Thread_local pipeline *table; /* open addressing; key NULL: free. The number of a pipeline is its slot's `number` */
static _Thread_local uint32_t *numbers;
static _Thread_local int64_t slots, made;

void tj__gpu_forget_pipelines(void) {
  for (int64_t i = 0; i < slots; i++) free(table[i].key);
  free(table);
  free(numbers);
  table = NULL;
  numbers = NULL;
  slots = made = 0;
}

static int64_t slot_of(const char *key, uint64_t hash) {
  int64_t at = (int64_t)(hash & (uint64_t)(slots - 1));
  while (table[at].key && (table[at].hash != hash || strcmp(table[at].key, key) != 0)) at = (at + 1) & (slots - 1);
  return at;
}

static bool grow_table(void) {
  if (slots && made * 2 < slots) return true;
  const int64_t old_slots = slots;
  pipeline *old = table;
  uint32_t *old_numbers = numbers;
  const int64_t wanted = slots ? slots * 2 : 256;
  pipeline *more = tj__grow(NULL, (size_t)wanted * sizeof *more);
  uint32_t *more_numbers = tj__grow(NULL, (size_t)wanted * sizeof *more_numbers);
  if (!more || !more_numbers) {
    free(more);
    free(more_numbers);
    return tj__fail(TJ_ERROR_MEMORY, "webgpu: there is no memory for more pipelines") != NULL;
  }
  memset(more, 0, (size_t)wanted * sizeof *more);
  table = more;
  numbers = more_numbers;
  slots = wanted;
  for (int64_t i = 0; i < old_slots; i++) {
    if (!old[i].key) continue;
    const int64_t at = slot_of(old[i].key, old[i].hash);
    table[at] = old[i];
    numbers[at] = old_numbers[i];
  }
  free(old);
  free(old_numbers);
  return true;
}

/* ---- text of a kernel ----------------------------------------------------------------------------------------------- */

/* Which binding an operand has, and what the bindings are. */
typedef struct bindings {
  int n, of[TJ__GPU_OPERANDS];
  uint32_t buffer[TJ__GPU_OPERANDS + 1], element[TJ__GPU_OPERANDS]; /* element: by operand */
  bool write[TJ__GPU_OPERANDS + 1], atomic[TJ__GPU_OPERANDS + 1], vector[TJ__GPU_OPERANDS + 1];
  bool pairs[TJ__GPU_OPERANDS + 1]; /* bound as pairs of words: all of its operands are complex */
} bindings;

static bool find_bindings(const tj__gpu_kernel *k, bindings *b) {
  b->n = 0;
  for (int o = 0; o < k->n; o++) {
    const tj__gpu_operand *op = &k->operands[o];
    uint32_t buffer;
    if (!tj__gpu_locate(op->address, op->dtype, &buffer, &b->element[o])) return false;
    int at = 0;
    while (at < b->n && b->buffer[at] != buffer) at++;
    if (at == b->n) {
      b->buffer[at] = buffer;
      b->write[at] = b->atomic[at] = b->vector[at] = false;
      b->pairs[at] = true;
      b->n++;
    }
    b->of[o] = at;
    b->write[at] |= op->write;
    b->atomic[at] |= op->atomic;
    b->vector[at] |= op->vector;
    b->pairs[at] &= op->dtype == TJ_COMPLEX64;
  }
  if (k->errors) { /* the driver's own buffer */
    b->buffer[b->n] = 0;
    b->write[b->n] = b->atomic[b->n] = true;
    b->vector[b->n] = b->pairs[b->n] = false;
    b->n++;
  }
  TJ__CHECK(b->n <= tj__gpu_limits_of()->bindings, TJ_ERROR_RUNTIME,
            "webgpu: the kernel '%s' of '%s' needs %d buffers, and the adapter binds at most %lld (maxStorageBuffersPerShaderStage)",
            k->name, tj__gpu_operator_name(tj__gpu_fuse_operator()), b->n, (long long)tj__gpu_limits_of()->bindings);
  return true;
}

char tj__gpu_letter(tj_dtype dtype) { return tj__gpu_is_float(dtype) ? 'f' : dtype == TJ_COMPLEX64 ? 'c' : 'i'; }
const char *tj__gpu_type(tj_dtype dtype) { return tj__gpu_is_float(dtype) ? "f32" : dtype == TJ_COMPLEX64 ? "vec2<f32>" : "i32"; }

const char *tj__gpu_cast(char type, tj_dtype to) {
  static const char *const casts[4][4] = {
      /* from:       b                                         i                            f                  c */
      {"select(0, 1, (%s))", "select(0, 1, (%s) != 0)", "select(0, 1, ne_f(%s, 0.0))", "select(0, 1, ne_c(%s, vec2<f32>()))"},
      {"select(0, 1, (%s))", "%s", "whole_i(%s)", "whole_i((%s).x)"},
      {"select(0.0, 1.0, (%s))", "f32(%s)", "%s", "(%s).x"},
      {"vec2<f32>(select(0.0, 1.0, (%s)), 0.0)", "vec2<f32>(f32(%s), 0.0)", "vec2<f32>(%s, 0.0)", "%s"},
  };
  if (to == TJ_INT64 && type == 'f') return "whole_l(%s)";
  if (to == TJ_INT64 && type == 'c') return "whole_l((%s).x)";
  return casts[tj__class_of(to)][type == 'b' ? 0 : type == 'i' ? 1 : type == 'f' ? 2 : 3];
}

static void put_accessors(tj__text *t, const tj__gpu_kernel *k, const bindings *b, int o) {
  const tj_dtype dtype = k->operands[o].dtype;
  const int offset = k->n_params + o, at = b->of[o];
  char place[120];
  if (dtype == TJ_COMPLEX64) { /* written ones share no buffer with vectors */
    if (b->pairs[at]) snprintf(place, sizeof place, "b%d[i + $%d]", at, offset);
    else if (b->vector[at])
      snprintf(place, sizeof place, "select(b%d[(i + $%d) >> 1u].xy, b%d[(i + $%d) >> 1u].zw, ((i + $%d) & 1u) != 0u)", at, offset, at,
               offset, offset);
    else snprintf(place, sizeof place, "vec2<u32>(b%d[(i + $%d) * 2u], b%d[(i + $%d) * 2u + 1u])", at, offset, at, offset);
    tj__put(t, "fn ld%d(i: u32) -> vec2<f32> { return bitcast<vec2<f32>>(%s); }\n", o, place);
    if (!k->operands[o].write) return;
    tj__put(t, "fn st%d(i: u32, v: vec2<f32>) { let w = bitcast<vec2<u32>>(v); ", o);
    if (b->pairs[at]) tj__put(t, "%s = w; }\n", place);
    else tj__put(t, "b%d[(i + $%d) * 2u] = w.x; b%d[(i + $%d) * 2u + 1u] = w.y; }\n", at, offset, at, offset);
    return;
  }
  if (b->vector[at]) snprintf(place, sizeof place, "b%d[(i + $%d) >> 2u][(i + $%d) & 3u]", at, offset, offset);
  else snprintf(place, sizeof place, "b%d[i + $%d]", at, offset);
  if (b->atomic[at]) {
    tj__put(t, "fn ld%d(i: u32) -> %s { return bitcast<%s>(atomicLoad(&%s)); }\n", o, tj__gpu_type(dtype), tj__gpu_type(dtype), place);
    tj__put(t, "fn st%d(i: u32, v: %s) { atomicStore(&%s, bitcast<u32>(v)); }\n", o, tj__gpu_type(dtype), place);
    tj__put(t, "fn cas%d(i: u32, old: u32, new_: u32) -> bool { return atomicCompareExchangeWeak(&%s, old, new_).exchanged; }\n", o, place);
    tj__put(t, "fn word%d(i: u32) -> u32 { return atomicLoad(&%s); }\n", o, place);
    tj__put(t, "fn addi%d(i: u32, v: i32) { atomicAdd(&%s, bitcast<u32>(v)); }\n", o, place);
    return;
  }
  if (tj__gpu_is_float(dtype)) tj__put(t, "fn ld%d(i: u32) -> f32 { return bitcast<f32>(%s); }\n", o, place);
  else tj__put(t, "fn ld%d(i: u32) -> i32 { return bitcast<i32>(%s); }\n", o, place);
  const bool vector = k->operands[o].vector;
  const char *T = tj__gpu_type(dtype);
  if (vector) tj__put(t, "fn ldv%d(i: u32) -> vec4<%s> { return bitcast<vec4<%s>>(b%d[(i + $%d) >> 2u]); }\n", o, T, T, at, offset);
  if (!k->operands[o].write) return;
  const char *value = "bitcast<u32>(v)";
  switch (dtype) {
    case TJ_FLOAT16: value = "round_half(v)"; break;
    case TJ_BFLOAT16: value = "round_bfloat(v)"; break;
    case TJ_BOOL: value = "select(0u, 1u, v != 0)"; break;
    case TJ_UINT8: value = "bitcast<u32>(v) & 0xffu"; break;
    case TJ_UINT16: value = "bitcast<u32>(v) & 0xffffu"; break;
    case TJ_INT8: value = "bitcast<u32>((v << 24u) >> 24u)"; break;
    case TJ_INT16: value = "bitcast<u32>((v << 16u) >> 16u)"; break;
    default: break;
  }
  tj__put(t, "fn st%d(i: u32, v: %s) { %s = %s; }\n", o, T, place, value);
  if (!vector) return;
  tj__put(t, "fn word%d(v: %s) -> u32 { return %s; }\nfn stv%d(i: u32, v: vec4<%s>) { b%d[(i + $%d) >> 2u] = ", o, T, value, o, T, at,
          offset);
  if (dtype == TJ_FLOAT32 || dtype == TJ_INT32 || dtype == TJ_INT64) tj__put(t, "bitcast<vec4<u32>>(v); }\n");
  else tj__put(t, "vec4<u32>(word%d(v.x), word%d(v.y), word%d(v.z), word%d(v.w)); }\n", o, o, o, o);
}

/* $12, $i12, $f12, $c12 -> the parameter */
static void put_expanded(tj__text *to, const char *from, size_t n) {
  for (size_t i = 0; i < n;) {
    if (from[i] != '$') {
      size_t end = i;
      while (end < n && from[end] != '$') end++;
      tj__put(to, "%.*s", (int)(end - i), from + i);
      i = end;
      continue;
    }
    i++;
    const char kind = i < n && (from[i] == 'i' || from[i] == 'f' || from[i] == 'c') ? from[i++] : 'u';
    int number = 0;
    while (i < n && from[i] >= '0' && from[i] <= '9') number = number * 10 + (from[i++] - '0');
    const char component = "xyzw"[number % 4];
    if (kind == 'u') tj__put(to, "params.v[%d].%c", number / 4, component);
    else if (kind == 'c')
      tj__put(to, "bitcast<vec2<f32>>(vec2<u32>(params.v[%d].%c, params.v[%d].%c))", number / 4, component, (number + 1) / 4,
              "xyzw"[(number + 1) % 4]);
    else tj__put(to, "bitcast<%s>(params.v[%d].%c)", kind == 'f' ? "f32" : "i32", number / 4, component);
  }
}

static bool make_pipeline(const tj__gpu_kernel *k, const bindings *b, uint32_t number) {
  tj__text body = {0}, text = {0};
  for (int o = 0; o < k->n; o++) put_accessors(&body, k, b, o);
  if (k->errors)
    tj__put(&body,
            "fn leave_error(code: u32, a: u32, b: u32) {\n"
            "  if (atomicCompareExchangeWeak(&b%d[0], 0u, code).exchanged) { atomicStore(&b%d[1], a); atomicStore(&b%d[2], b); "
            "atomicStore(&b%d[3], $%d); }\n}\n",
            b->n - 1, b->n - 1, b->n - 1, b->n - 1, k->n_params + k->n);
  k->body(&body, k->context);
  bool ok = false;
  if (!body.failed && body.text) {
    const int words = k->n_params + k->n + k->errors;
    if (k->subgroups) tj__put(&text, "enable subgroups;\n");
    tj__put(&text, "struct Params { v: array<vec4<u32>, %d> }\n@group(0) @binding(0) var<uniform> params: Params;\n", (words + 3) / 4);
    for (int i = 0; i < b->n; i++)
      tj__put(&text, "@group(0) @binding(%d) var<storage, %s> b%d: array<%s>;\n", i + 1, b->write[i] ? "read_write" : "read", i,
              b->atomic[i]   ? "atomic<u32>"
              : b->vector[i] ? "vec4<u32>"
              : b->pairs[i]  ? "vec2<u32>"
                             : "u32");
    bool *used = tj__grow(NULL, (size_t)tj__wgsl_function_count + 1);
    if (used) {
      memset(used, 0, (size_t)tj__wgsl_function_count + 1);
      find_functions(body.text, body.n, used);
      tj__put_code(&text, "var<private> inf_word: u32 = 0x7f800000u;\nvar<private> nan_word: u32 = 0x7fc00000u;\n");
      for (int f = 0; f < tj__wgsl_function_count; f++)
        if (used[f]) tj__put_code(&text, tj__wgsl_functions[f].code);
      put_expanded(&text, body.text, body.n);
      ok = !text.failed && text.text;
      free(used);
    }
  }
  const size_t label = strlen(k->name);
  uint32_t *w = NULL;
  if (ok) {
    const int64_t head = 6 + b->n, bytes = (int64_t)(label + text.n);
    w = tj__gpu_record(TJ__GPU_PIPELINE, head + (bytes + 3) / 4);
    if (w) {
      w[2] = number;
      w[3] = (uint32_t)b->n;
      w[4] = (uint32_t)label;
      w[5] = (uint32_t)text.n;
      for (int i = 0; i < b->n; i++) w[6 + i] = b->write[i];
      char *to = (char *)(w + head);
      memset(w + head, 0, (size_t)((bytes + 3) / 4) * 4);
      memcpy(to, k->name, label);
      memcpy(to + label, text.text, text.n); /* the launch that follows tells the driver */
    }
  } else {
    tj__fail(TJ_ERROR_MEMORY, "webgpu: there is no memory for the text of the kernel '%s'", k->name);
  }
  free(body.text);
  free(text.text);
  return w != NULL;
}

/* ---- launches ---------------------------------------------------------------------------------------------------------- */

void tj__gpu_kernel_begin(tj__gpu_kernel *k, void (*body)(tj__text *, const void *), const void *context, const char *name, ...) {
  k->body = body;
  k->context = context;
  k->n = k->n_params = 0;
  k->errors = k->subgroups = k->complex = false;
  va_list arguments;
  va_start(arguments, name);
  vsnprintf(k->name, sizeof k->name, name, arguments);
  va_end(arguments);
}

int tj__gpu_operand_add(tj__gpu_kernel *k, const void *address, tj_dtype dtype, bool write) {
  k->operands[k->n] = (tj__gpu_operand){.address = address, .dtype = dtype, .write = write};
  return k->n++;
}

bool tj__gpu_aligned(const void *address, tj_dtype dtype) {
  uint32_t buffer, element;
  return tj__gpu_locate(address, dtype, &buffer, &element) && element % 4 == 0;
}

int tj__gpu_operand_vector(tj__gpu_kernel *k, const void *address, tj_dtype dtype, bool write) {
  const int number = tj__gpu_operand_add(k, address, dtype, write);
  k->operands[number].vector = true;
  return number;
}

int tj__gpu_param(tj__gpu_kernel *k, int64_t value) {
  if (k->n_params >= TJ__GPU_PARAMS - TJ__GPU_OPERANDS || value < INT32_MIN || value > (int64_t)UINT32_MAX)
    tj__fail(TJ_ERROR_RUNTIME, "webgpu: the number %lld does not fit into the 32 bits of the device ('%s')", (long long)value, k->name);
  else k->params[k->n_params] = (uint32_t)value;
  return k->n_params++;
}

int64_t tj__gpu_integer(int64_t value, tj_dtype dtype) {
  if (dtype == TJ_INT64 && value != (int32_t)value)
    return tj__fail(TJ_ERROR_RUNTIME, "webgpu keeps int64 in 32 bits: the value %lld does not fit into the 32 bits of the device",
                    (long long)value) != NULL;
  return (int32_t)value;
}

int tj__gpu_param_float(tj__gpu_kernel *k, double value) {
  k->params[k->n_params] = tj__float_bits((float)value);
  return k->n_params++;
}

int tj__gpu_param_number(tj__gpu_kernel *k, tj_dtype dtype, const tj__param *value) {
  if (dtype == TJ_COMPLEX64) {
    const int number = tj__gpu_param_float(k, value->f);
    tj__gpu_param_float(k, value->im);
    return number;
  }
  if (tj__gpu_is_float(dtype)) return tj__gpu_param_float(k, value->f);
  return tj__gpu_param(k, dtype == TJ_BOOL ? (value->i != 0 || value->f != 0) : tj__gpu_integer(value->i, dtype));
}

bool tj__gpu_launch(tj__gpu_kernel *k, int64_t x, int64_t y, int64_t z) {
  if (tj_error_code()) return false;
  for (int o = 0; o < k->n && !k->complex; o++)
    TJ__CHECK(
        k->operands[o].dtype != TJ_COMPLEX64, TJ_ERROR_NOT_IMPLEMENTED,
        "There is no kernel '%.*s' of complex numbers on the device webgpu. Compute it on the cpu: `await x.cpu()` brings a tensor there.",
        (int)strcspn(k->name, " "), k->name);
  tj__gpu_fuse_flush(); /* what was asked for before */
  if (x <= 0 || y <= 0 || z <= 0) return true;
  const tj__gpu_limits *limits = tj__gpu_limits_of();
  TJ__CHECK(x <= limits->groups && y <= limits->groups && z <= limits->groups, TJ_ERROR_RUNTIME,
            "webgpu: the kernel '%s' of '%s' needs %lld x %lld x %lld workgroups, and the adapter takes %lld in each dimension", k->name,
            tj__gpu_operator_name(tj__gpu_fuse_operator()), (long long)x, (long long)y, (long long)z, (long long)limits->groups);
  bindings b;
  if (!find_bindings(k, &b)) return false;
  for (int o = 0; o < k->n; o++) k->params[k->n_params + o] = b.element[o];
  char key[96 + 16 + 8 * TJ__GPU_OPERANDS];
  int at = snprintf(key, sizeof key, "%s|%d", k->name, k->n_params);
  for (int o = 0; o < k->n && at < (int)sizeof key - 8; o++)
    at += snprintf(key + at, sizeof key - (size_t)at, ",%x%c%d", k->operands[o].dtype,
                   "rwvxa"[k->operands[o].atomic ? 4 : k->operands[o].write + 2 * k->operands[o].vector], b.of[o]);
  if (!grow_table()) return false;
  const uint64_t hash = tj__gpu_hash(TJ__GPU_HASH, key, strlen(key));
  const int64_t slot = slot_of(key, hash);
  if (!table[slot].key) {
    const size_t n = strlen(key) + 1;
    char *copy = tj__grow(NULL, n);
    TJ__CHECK(copy, TJ_ERROR_MEMORY, "webgpu: there is no memory for more pipelines");
    memcpy(copy, key, n);
    if (!make_pipeline(k, &b, (uint32_t)made)) {
      free(copy);
      return false;
    }
    table[slot] = (pipeline){hash, copy};
    numbers[slot] = (uint32_t)made++;
  }
  const int n_words = k->n_params + k->n + k->errors, words = (n_words + 3) / 4 * 4;
  const uint32_t operator_ = tj__gpu_fuse_operator();
  if (k->errors) k->params[n_words - 1] = operator_;
  uint32_t *w = tj__gpu_record(TJ__GPU_DISPATCH, 9 + words + b.n);
  if (!w) return false;
  w[2] = numbers[slot];
  w[3] = (uint32_t)x, w[4] = (uint32_t)y, w[5] = (uint32_t)z;
  w[6] = (uint32_t)words;
  w[7] = (uint32_t)b.n;
  memset(w + 8, 0, (size_t)words * 4);
  memcpy(w + 8, k->params, (size_t)n_words * 4);
  memcpy(w + 8 + words, b.buffer, (size_t)b.n * 4);
  w[8 + words + b.n] = operator_;
  tj__gpu_recorded();
  return true;
}

void tj__gpu_value_body(tj__text *t, const void *context) {
  tj__put_code(t, TJ__FLAT);
  tj__put(t, "  st0(i, %s);\n}\n", (const char *)context);
}

bool tj__gpu_launch_groups(tj__gpu_kernel *k, int64_t n) {
  const int64_t most = tj__gpu_limits_of()->groups;
  if (n <= most) return tj__gpu_launch(k, n, 1, 1);
  const int64_t x = TJ__MIN(most, 32768);
  return tj__gpu_launch(k, x, (n + x - 1) / x, 1);
}

bool tj__gpu_launch_flat(tj__gpu_kernel *k, int64_t n) { return tj__gpu_launch_groups(k, (n + TJ__GPU_GROUP - 1) / TJ__GPU_GROUP); }
