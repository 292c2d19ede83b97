/* tree.c: the tree of an expression as JSON. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "expr.h"

typedef struct text {
  char *bytes;
  size_t used, capacity;
  bool failed;
} text;

static bool room(text *t, size_t more) {
  if (t->failed) return false;
  if (t->used + more < t->capacity) return true;
  const size_t capacity = 2 * (t->capacity + more) + 64;
  char *bytes = tj__grow(t->bytes, capacity);
  if (!bytes) {
    t->failed = true;
    return tj__fail(TJ_ERROR_MEMORY, "not enough memory: could not allocate %llu bytes", (unsigned long long)capacity) != NULL;
  }
  t->bytes = bytes;
  t->capacity = capacity;
  return true;
}

static void put(text *t, const char *s, size_t n) {
  if (!room(t, n)) return;
  memcpy(t->bytes + t->used, s, n);
  t->used += n;
}
static void puts_(text *t, const char *s) { put(t, s, strlen(s)); }

static void quoted(text *t, const char *s, int length) {
  puts_(t, "\"");
  for (int i = 0; i < length; i++) {
    const unsigned char c = (unsigned char)s[i];
    char escaped[8];
    if (c == '"' || c == '\\') put(t, (const char[]){'\\', s[i]}, 2);
    else if (c < 0x20) put(t, escaped, (size_t)snprintf(escaped, sizeof escaped, "\\u%04x", c));
    else put(t, &s[i], 1);
  }
  puts_(t, "\"");
}

static void constant(text *t, const tj__expr_node *node) {
  char digits[40];
  if (node->constant == TJ__VALUE_NONE) return puts_(t, "null");
  if (node->constant == TJ__VALUE_BOOL) return puts_(t, node->number.i ? "true" : "false");
  if (node->constant == TJ__VALUE_FLOAT && !isfinite(node->number.f)) return puts_(t, isnan(node->number.f) ? "\"nan\"" : "\"inf\"");
  if (node->constant == TJ__VALUE_INT) snprintf(digits, sizeof digits, "%lld", (long long)node->number.i);
  else snprintf(digits, sizeof digits, "%.17g", node->number.f);
  puts_(t, digits);
}

static const char *operator_text(const tj__expr_node *node) {
  switch (node->operation) {
#define TJ__X(text, function, level, associates) \
  case TJ__OP_##function: return text;
    TJ__BINARY_OPERATORS(TJ__X)
#undef TJ__X
    case TJ__OP_neg: return "neg";
    default: return "~";
  }
}

static void put_node(text *t, const tj_expression *e, int at);

/* The children that are named, or those that are not, with commas between them. */
static int put_children(text *t, const tj_expression *e, const tj__expr_node *node, bool named) {
  int count = 0;
  for (int c = node->first, k = 0; k < node->n; k++, c = e->nodes[c].next) {
    const tj__expr_node *child = &e->nodes[c];
    if ((child->kind == TJ__EXPR_NAMED) != named) continue;
    if (count++) puts_(t, ",");
    if (named) {
      quoted(t, e->text + child->name, child->length);
      puts_(t, ":");
    }
    put_node(t, e, named ? child->first : c);
  }
  return count;
}

static void put_node(text *t, const tj_expression *e, int at) {
  const tj__expr_node *node = &e->nodes[at];
  const char *name = e->text + node->name;
  int second;
  switch ((tj__expr_kind)node->kind) {
    case TJ__EXPR_CONSTANT:
      puts_(t, "{\"literal\":");
      constant(t, node);
      break;
    case TJ__EXPR_STRING:
      puts_(t, "{\"string\":");
      quoted(t, name, node->length);
      break;
    case TJ__EXPR_VARIABLE:
      puts_(t, "{\"var\":");
      quoted(t, name, node->length);
      break;
    case TJ__EXPR_PREFIX:
    case TJ__EXPR_BINARY:
      puts_(t, "{\"op\":\"");
      puts_(t, operator_text(node));
      puts_(t, node->n == 1 ? "\",\"arg\":" : "\",\"left\":");
      put_node(t, e, node->first);
      if (node->n == 1) break;
      puts_(t, ",\"right\":");
      put_node(t, e, e->nodes[node->first].next);
      break;
    case TJ__EXPR_CONDITIONAL:
      second = e->nodes[node->first].next;
      puts_(t, "{\"op\":\"?:\",\"cond\":");
      put_node(t, e, node->first);
      puts_(t, ",\"then\":");
      put_node(t, e, second);
      puts_(t, ",\"else\":");
      put_node(t, e, e->nodes[second].next);
      break;
    case TJ__EXPR_CALL: {
      puts_(t, "{\"fn\":");
      quoted(t, name, node->length);
      puts_(t, ",\"args\":[");
      const int count = put_children(t, e, node, false);
      puts_(t, "]");
      if (count == node->n) break;
      puts_(t, ",\"named\":{");
      put_children(t, e, node, true);
      puts_(t, "}");
      break;
    }
    case TJ__EXPR_NAMED: return; /* written with its call */
    case TJ__EXPR_LIST:
      puts_(t, "{\"list\":[");
      put_children(t, e, node, false);
      puts_(t, "]");
      break;
    case TJ__EXPR_FIELD:
      puts_(t, "{\"field\":");
      quoted(t, name, node->length);
      puts_(t, ",\"arg\":");
      put_node(t, e, node->first);
      break;
    case TJ__EXPR_INDEX:
      puts_(t, "{\"index\":");
      put_node(t, e, e->nodes[node->first].next);
      puts_(t, ",\"arg\":");
      put_node(t, e, node->first);
      break;
  }
  puts_(t, "}");
}

char *tj_expression_tree(const tj_expression *e) {
  if (!e) return tj__fail(TJ_ERROR_TYPE, "expression: argument 'e' must be an expression, not None");
  text t = {0};
  put_node(&t, e, e->n - 1);
  put(&t, "", 1);
  if (!t.failed) return t.bytes;
  free(t.bytes);
  return NULL;
}
