/* call.c: calls of functions by name: finds the overload that the arguments fit, as PyTorch's parser does, and calls it. */
#include <stdarg.h>
#include <stdio.h>

#include "expr.h"
#include "shape_errors.h"

enum { POOL = 4 * TJ_MAX_DIMS, TEXT = 2048 };

/* What the arguments of a call point to while it runs. */
typedef struct pool {
  int64_t ints[POOL];
  double floats[POOL];
  tj_tensor *tensors[POOL];
  char text[TEXT]; /* strings, each with its end */
  int n_ints, n_floats, n_tensors, n_text;
  const char *failed; /* not that an argument does not fit, but that the call cannot be made */
} pool;

/* ---- finding the function ------------------------------------------------------------------------------------ */

static const char *const namespaces[] = {"torch", "nn.functional", "special", "linalg", "fft"};

static int compare(const char *name, const tj__expr_node *node, const char *text) {
  const int order = strncmp(name, text, (size_t)node->length);
  return order ? order : name[node->length] != 0;
}

/* The first of the functions of this name (the last part of a path), or NULL. */
static const tj__function *find(const char *text, int length, int *count) {
  const tj__expr_node node = {.length = length};
  int low = 0, high = tj__function_count;
  while (low < high) {
    const int middle = (low + high) / 2;
    if (compare(tj__functions[middle].name, &node, text) < 0) low = middle + 1;
    else high = middle;
  }
  *count = 0;
  while (low + *count < tj__function_count && !compare(tj__functions[low + *count].name, &node, text)) ++*count;
  return *count ? &tj__functions[low] : NULL;
}

/* The overloads that a call by this path may mean: all of one namespace. */
static const tj__function *overloads(const tj_expression *e, const tj__expr_node *node, int *count) {
  const char *path = e->text + node->name;
  int last = 0;
  for (int i = 0; i < node->length; i++)
    if (path[i] == '.') last = i + 1;
  int all, rank = -1;
  const tj__function *f = find(path + last, node->length - last, &all);
  int from = 0;
  if (f && last) {
    int skip = !strncmp(path, "torch.", 6) && last > 6 ? 6 : 0;
    for (int r = 0; r < (int)(sizeof namespaces / sizeof *namespaces); r++)
      if ((int)strlen(namespaces[r]) == last - 1 - skip && !strncmp(path + skip, namespaces[r], (size_t)(last - 1 - skip))) rank = r;
    while (from < all && f[from].rank != rank) from++;
  }
  if (!f || from == all) {
    char name[101];
    snprintf(name, sizeof name, "%.*s", node->length, path);
    tj__expr_fail(e, node->at, TJ__TEXT_expression_error_unknown_function_1, name);
    return NULL;
  }
  rank = f[from].rank;
  *count = 0;
  while (from + *count < all && f[from + *count].rank == rank) ++*count;
  return f + from;
}

/* ---- binding arguments --------------------------------------------------------------------------------------- */

static const char *keep_text(pool *p, const char *text, int length) {
  if (p->n_text + length + 2 > TEXT) return p->failed = "the texts of a call are too long", "";
  char *copy = p->text + p->n_text;
  memcpy(copy, text, (size_t)length);
  copy[length] = 0;
  p->n_text += length + 1;
  return copy;
}

static bool is_int(const tj__value *v) { return v->kind == TJ__VALUE_INT; }
static bool is_real(const tj__value *v) { return v->kind == TJ__VALUE_INT || v->kind == TJ__VALUE_FLOAT; }

/* Values of a list: of a LIST node, of the list that a function returned, or one value that stands for several. */
typedef struct items {
  const tj_expression *e;
  const tj__value *values;
  int child, n;
} items;

static bool bind_list(const tj__function_argument *a, items list, const tj_list *tensors, tj__bound *out, pool *p) {
  const int n = tensors ? (int)TJ__MIN(tensors->n, INT32_MAX) : list.n;
  if (p->n_ints + n > POOL || p->n_floats + n > POOL || p->n_tensors + n > POOL)
    return p->failed = "the lists of a call are too long", false;
  int64_t *ints = p->ints + p->n_ints;
  double *floats = p->floats + p->n_floats;
  tj_tensor **t = p->tensors + p->n_tensors;
  for (int i = 0; i < n; i++) {
    const tj__value of_list = {.kind = TJ__VALUE_TENSOR, .tensor = tensors ? tensors->items[i] : NULL};
    const tj__value *v = tensors ? &of_list : &list.values[list.child];
    if (!tensors) list.child = list.e->nodes[list.child].next;
    switch (a->type) {
      case 'T':
        if (v->kind == TJ__VALUE_NONE && a->flags & TJ__ARG_HOLES) t[i] = NULL;
        else if (v->kind == TJ__VALUE_TENSOR) t[i] = v->tensor;
        else return false;
        break;
      case 'i':
        if (!is_int(v)) return false;
        ints[i] = v->number.i;
        break;
      case 'b':
        if (v->kind != TJ__VALUE_BOOL) return false;
        ints[i] = v->number.i;
        break;
      case 'f':
        if (!is_real(v)) return false;
        floats[i] = tj__scalar_to_double(v->number);
        break;
      default: return false;
    }
  }
  if (a->type == 'T') *out = (tj__bound){.tensors = {t, n}}, p->n_tensors += n;
  else if (a->type == 'f') *out = (tj__bound){.floats = {floats, n}}, p->n_floats += n;
  else *out = (tj__bound){.ints = {ints, n}}, p->n_ints += n;
  return true;
}

/* One argument; false where the value does not fit it. */
static bool bind(const tj_expression *e, const tj__function_argument *a, int node, const tj__value *values, tj__bound *out, pool *p) {
  const tj__value *v = &values[node];
  if (v->kind == TJ__VALUE_NONE && a->flags & TJ__ARG_OPTIONAL) {
    *out = (tj__bound){0};
    if (a->flags & TJ__ARG_LIST) *out = (tj__bound){.ints = {NULL, -1}};
    else if (a->type == 'i') out->i = TJ_NO_INT;
    else if (a->type == 'b') out->b = TJ_NO_BOOL;
    else if (a->type == 't') out->dtype = TJ_DTYPE_NONE;
    else if (a->type == 'd') out->device = TJ_DEVICE_NONE;
    else if (a->type == 'S' || a->type == 'f') out->scalar = TJ_NO_SCALAR;
    return true;
  }
  if (a->flags & TJ__ARG_LIST) {
    if (v->kind == TJ__VALUE_LIST) return bind_list(a, (items){e, values, e->nodes[node].first, e->nodes[node].n}, NULL, out, p);
    if (v->kind == TJ__VALUE_TENSORS && a->type == 'T') return bind_list(a, (items){0}, v->list, out, p);
    if (a->size <= 0 || !(a->type == 'i' ? is_int(v) : a->type == 'f' && is_real(v))) return false;
    if (p->n_ints + a->size > POOL || p->n_floats + a->size > POOL) return p->failed = "the lists of a call are too long", false;
    for (int i = 0; i < a->size; i++) {
      if (a->type == 'i') p->ints[p->n_ints + i] = v->number.i;
      else p->floats[p->n_floats + i] = tj__scalar_to_double(v->number);
    }
    if (a->type == 'i') *out = (tj__bound){.ints = {p->ints + p->n_ints, a->size}}, p->n_ints += a->size;
    else *out = (tj__bound){.floats = {p->floats + p->n_floats, a->size}}, p->n_floats += a->size;
    return true;
  }
  const tj__expr_node *text = &e->nodes[node];
  switch (a->type) {
    case 'T':
      if (v->kind != TJ__VALUE_TENSOR && !(tj__value_is_number(v) && a->flags & TJ__ARG_NUMBER)) return false;
      out->tensor = tj__value_tensor(v);
      if (!out->tensor) p->failed = "";
      return out->tensor != NULL;
    case 'S': out->scalar = v->number; return tj__value_is_number(v);
    case 'i': out->i = v->number.i; return is_int(v);
    case 'f':
      if (!is_real(v)) return false;
      if (a->flags & TJ__ARG_OPTIONAL) out->scalar = v->number; /* float? is a scalar in C */
      else out->f = tj__scalar_to_double(v->number);
      return true;
    case 'b':
      out->b = 0;
      if (v->kind != TJ__VALUE_BOOL) return false;
      out->b = (int)v->number.i;
      return true;
    case 's': return v->kind == TJ__VALUE_STRING && (out->s = keep_text(p, e->text + text->name, text->length)) != NULL;
    case 't': {
      if (v->kind != TJ__VALUE_STRING) return false;
      char name[32];
      snprintf(name, sizeof name, "%.*s", TJ__MIN(text->length, 31), e->text + text->name);
      return (out->dtype = tj_dtype_from_name(name)) != TJ_DTYPE_NONE;
    }
    case 'd': out->device = TJ_CPU; return v->kind == TJ__VALUE_STRING && text->length == 3 && !strncmp(e->text + text->name, "cpu", 3);
    default: return false;
  }
}

static int find_argument(const tj__function *f, const char *name, int length) {
  for (int i = 0; i < f->n; i++)
    if (!strncmp(f->args[i].name, name, (size_t)length) && !f->args[i].name[length]) return i;
  return -1;
}

/* Sizes of axes by name, for the functions of einops: rearrange(x, '(h w) -> h w', h=2). */
static bool bind_axis(const tj_expression *e, const tj__function *f, const tj__expr_node *named, const tj__value *v, tj__bound *bound,
                      pool *p) {
  const int axes = find_argument(f, "axes", 4), sizes = find_argument(f, "sizes", 5);
  if (axes < 0 || sizes < 0 || !is_int(v)) return false;
  if (bound[sizes].ints.n == 0) bound[sizes].ints.data = p->ints + p->n_ints, bound[axes].s = p->text + p->n_text;
  if (p->n_ints == POOL || p->n_text + named->length + 2 > TEXT) return p->failed = "a call has too many axes", false;
  p->ints[p->n_ints++] = v->number.i;
  bound[sizes].ints.n++;
  p->n_text += snprintf(p->text + p->n_text, TEXT - (size_t)p->n_text, " %.*s", named->length, e->text + named->name);
  return true;
}

/* All arguments of an overload. */
static bool fits(const tj_expression *e, const tj__expr_node *node, const tj__function *f, const tj__value *values, tj__bound *bound,
                 pool *p) {
  bool given[TJ__MOST_ARGUMENTS] = {false};
  *p = (pool){0};
  for (int i = 0; i < f->n; i++) bound[i] = f->args[i].otherwise;
  int at = 0;
  bool axes = false;
  for (int c = node->first, k = 0; k < node->n; k++, c = e->nodes[c].next) {
    const tj__expr_node *child = &e->nodes[c];
    if (child->kind == TJ__EXPR_NAMED) {
      const int i = axes ? -1 : find_argument(f, e->text + child->name, child->length);
      if (i < 0) {
        if (!bind_axis(e, f, child, &values[child->first], bound, p)) return false;
        axes = true;
        continue;
      }
      if (given[i] || !bind(e, &f->args[i], child->first, values, &bound[i], p)) return false;
      given[i] = true;
      continue;
    }
    if (at >= f->n || f->args[at].flags & TJ__ARG_KEYWORD) return false;
    const tj__function_argument *a = &f->args[at];
    if (a->flags & TJ__ARG_VARIADIC && is_int(&values[c])) { /* all that are left */
      int n = 0;
      for (int r = c; k + n < node->n && e->nodes[r].kind != TJ__EXPR_NAMED; r = e->nodes[r].next) n++;
      if (!bind_list(a, (items){e, values, c, n}, NULL, &bound[at], p)) return false;
      for (int skip = 1; skip < n; skip++) c = e->nodes[c].next;
      k += n - 1;
    } else if (!bind(e, a, c, values, &bound[at], p)) {
      return false;
    }
    given[at++] = true;
  }
  for (int i = 0; i < f->n; i++)
    if (!given[i] && !(f->args[i].flags & TJ__ARG_DEFAULT) && f->args[i].type != 'g') return false;
  return true;
}

/* ---- messages ------------------------------------------------------------------------------------------------ */

typedef struct text {
  char bytes[900];
  size_t used;
} text;
__attribute__((format(printf, 2, 3))) static void append(text *t, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int wrote = vsnprintf(t->bytes + t->used, sizeof t->bytes - t->used, format, arguments);
  va_end(arguments);
  t->used = TJ__MIN(t->used + (size_t)TJ__MAX(wrote, 0), sizeof t->bytes - 1);
}

static const char *type_name(char type) {
  switch (type) {
    case 'T': return "Tensor";
    case 'S': return "Number";
    case 'i': return "int";
    case 'f': return "float";
    case 'b': return "bool";
    case 's': return "str";
    case 't': return "torch.dtype";
    case 'd': return "torch.device";
    default: return "Generator";
  }
}

static bool no_overload(const tj_expression *e, const tj__expr_node *node, const tj__function *f, int count, const tj__value *values) {
  text got = {.used = 0}, expected = {.used = 0};
  for (int c = node->first, k = 0; k < node->n; k++, c = e->nodes[c].next) {
    const tj__expr_node *child = &e->nodes[c];
    if (k) append(&got, ", ");
    if (child->kind == TJ__EXPR_NAMED) append(&got, "%.*s=", child->length, e->text + child->name);
    append(&got, "%s", tj__value_name(child->kind == TJ__EXPR_NAMED ? &values[child->first] : &values[c]));
  }
  if (count > 1) append(&expected, "one of: ");
  for (int i = 0; i < count; i++) {
    append(&expected, "%s(", i ? ", " : "");
    for (int k = 0; k < f[i].n; k++) {
      const tj__function_argument *a = &f[i].args[k];
      append(&expected, "%s%s%s%s %s", k ? ", " : "", a->flags & TJ__ARG_KEYWORD && (!k || !(a[-1].flags & TJ__ARG_KEYWORD)) ? "*, " : "",
             type_name(a->type), a->flags & TJ__ARG_LIST ? "[]" : "", a->name);
    }
    append(&expected, ")");
  }
  return tj__expr_fail(e, node->at, TJ__TEXT_expression_error_wrong_arguments_1, f->name, got.bytes, expected.bytes) != NULL;
}

/* ---- the call ------------------------------------------------------------------------------------------------ */

bool tj__expr_call(const tj_expression *e, const tj__expr_node *node, const tj__value *values, tj__value *out) {
  int count;
  const tj__function *f = overloads(e, node, &count);
  if (!f) return false;
  tj__bound bound[TJ__MOST_ARGUMENTS];
  pool p;
  int which = 0;
  while (which < count && !fits(e, node, &f[which], values, bound, &p)) {
    if (p.failed) return *p.failed ? tj__expr_fail(e, node->at, "%s", p.failed) != NULL : false;
    which++;
  }
  if (which == count) return no_overload(e, node, f, count, values);
  if (p.failed) return tj__expr_fail(e, node->at, "%s", p.failed) != NULL;
  tj__returned r = {.n = 0};
  f += which;
  if (!f->call(bound, &r)) return false;
  switch (f->returns) {
    case 'T': *out = (tj__value){.kind = TJ__VALUE_TENSOR, .tensor = r.tensors[0]}; break;
    case 'L': *out = (tj__value){.kind = TJ__VALUE_TENSORS, .list = r.list}; break;
    case 'S': *out = tj__value_of_number(r.scalar); break;
    default:
      *out = (tj__value){.kind = TJ__VALUE_RESULTS};
      memcpy(out->results.tensors, r.tensors, sizeof r.tensors);
      out->results.n = r.n;
      out->results.fields = f->fields;
  }
  return true;
}
