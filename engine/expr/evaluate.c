/* evaluate.c: the value of an expression: one pass over its nodes, which stand behind their children. */
#include <stdio.h>
#include <stdlib.h>

#include "expr.h"

#include "../text/word.h"
#include "ops.h"
#include "ops/copy.h"
#include "ops/wrapper.h"

/* Adds where it happened to the error of an operator, unless the error is from here. */
static bool locate(const tj_expression *e, const tj__expr_node *node) {
  const tj_status code = tj_error_code();
  char message[2048];
  if (code == TJ_OK || strstr(tj_error_message(), " of the expression \"")) return false;
  snprintf(message, sizeof message, "%s", tj_error_message());
  tj_error_clear();
  return tj__fail(code, TJ__TEXT_expression_frame, message, (long long)node->at, e->text) != NULL;
}

static bool is_variable(const tj_tensor *t, tj_tensors given) {
  for (int64_t i = 0; i < given.n; i++)
    if (given.data[i] == t) return true;
  return false;
}

static bool is_result(const tj_tensor *t, const tj__value *out) {
  if (out->kind == TJ__VALUE_TENSOR) return out->tensor == t;
  if (out->kind != TJ__VALUE_RESULTS) return false;
  for (int i = 0; i < out->results.n; i++)
    if (out->results.tensors[i] == t) return true;
  return false;
}

/* A tensor that was an operand is not needed any more: its memory goes at once, and not with the scope. */
static void release(const tj_expression *e, int node, tj__value *values, const tj__value *out, tj_tensors given) {
  tj__value *v = &values[node];
  const tj__expr_node *n = &e->nodes[node];
  if (n->kind == TJ__EXPR_LIST || n->kind == TJ__EXPR_NAMED) {
    for (int c = n->first, k = 0; k < n->n; k++, c = e->nodes[c].next) release(e, c, values, out, given);
  } else if (v->kind == TJ__VALUE_TENSOR && !v->borrowed && !is_result(v->tensor, out) && !is_variable(v->tensor, given)) {
    tj_free(v->tensor);
    v->tensor = NULL;
  }
}

static bool field(const tj_expression *e, const tj__expr_node *node, const tj__value *of, tj__value *out) {
  const char *name = e->text + node->name;
  if (of->kind != TJ__VALUE_RESULTS)
    return tj__expr_fail(e, node->at, TJ__TEXT_expression_error_operand_6, tj__word_of(name, node->length).text, tj__value_name(of)) !=
           NULL;
  for (int i = 0; i < of->results.n; i++)
    if (!strncmp(of->results.fields[i], name, (size_t)node->length) && !of->results.fields[i][node->length]) {
      *out = (tj__value){.kind = TJ__VALUE_TENSOR, .borrowed = true, .tensor = of->results.tensors[i]};
      return out->tensor || tj__expr_fail(e, node->at, "there is no result \"%.*s\" in this case", node->length, name);
    }
  return tj__expr_fail(e, node->at, TJ__TEXT_expression_error_operand_7, tj__word_of(name, node->length).text, of->results.fields[0]) !=
         NULL;
}

static bool item(const tj_expression *e, const tj__expr_node *node, const tj__value *values, tj__value *out) {
  const tj__value *of = &values[node->first], *index = &values[e->nodes[node->first].next];
  if (index->kind != TJ__VALUE_INT) return tj__expr_fail(e, node->at, TJ__TEXT_expression_error_operand_5, tj__value_name(index)) != NULL;
  if (of->kind == TJ__VALUE_TENSOR) {
    *out = (tj__value){.kind = TJ__VALUE_TENSOR, .tensor = tj_select(of->tensor, 0, index->number.i)};
    return out->tensor != NULL;
  }
  const int64_t n = of->kind == TJ__VALUE_TENSORS   ? tj_list_size(of->list)
                    : of->kind == TJ__VALUE_RESULTS ? of->results.n
                    : of->kind == TJ__VALUE_LIST    ? e->nodes[node->first].n
                                                    : -1;
  if (n < 0) return tj__expr_fail(e, node->at, TJ__TEXT_expression_error_operand_4, tj__value_name(of)) != NULL;
  const int64_t i = index->number.i + (index->number.i < 0 ? n : 0);
  if (i < 0 || i >= n)
    return tj__expr_fail(e, node->at, "index %lld is out of range for %lld items", (long long)index->number.i, (long long)n) != NULL;
  if (of->kind == TJ__VALUE_LIST) {
    int c = e->nodes[node->first].first;
    for (int64_t k = 0; k < i; k++) c = e->nodes[c].next;
    *out = values[c];
    if (out->kind == TJ__VALUE_LIST || out->kind == TJ__VALUE_STRING)
      return tj__expr_fail(e, node->at, "a list of %s cannot be indexed here", tj__value_name(out)) != NULL;
    out->borrowed = true;
    return true;
  }
  *out = (tj__value){.kind = TJ__VALUE_TENSOR, .borrowed = true};
  out->tensor = of->kind == TJ__VALUE_RESULTS ? of->results.tensors[i] : tj_list_at(of->list, i);
  return out->tensor || tj__expr_fail(e, node->at, "there is no result %lld in this case", (long long)i);
}

static bool choose(const tj_expression *e, const tj__expr_node *node, const tj__value *values, tj__value *out) {
  const int yes = e->nodes[node->first].next, no = e->nodes[yes].next;
  const tj__value *c = &values[node->first], *a = &values[yes], *b = &values[no];
  if (tj__value_is_number(c)) { /* known: one of the two as it is */
    *out = tj__scalar_is_zero(c->number) ? *b : *a;
    if (out->kind == TJ__VALUE_LIST || out->kind == TJ__VALUE_STRING)
      return tj__expr_fail(e, node->at, "a conditional cannot choose a value of type '%s'", tj__value_name(out)) != NULL;
    return true;
  }
  const bool good = c->kind == TJ__VALUE_TENSOR && (a->kind == TJ__VALUE_TENSOR || tj__value_is_number(a)) &&
                    (b->kind == TJ__VALUE_TENSOR || tj__value_is_number(b));
  if (!good)
    return tj__expr_fail(e, node->at, TJ__TEXT_expression_error_operand_2, "?:", tj__value_name(c), tj__value_name(a), tj__value_name(b)) !=
           NULL;
  tj_tensor *x = tj__value_tensor(a), *y = tj__value_tensor(b);
  *out = (tj__value){.kind = TJ__VALUE_TENSOR, .tensor = x && y ? tj_where(c->tensor, x, y) : NULL};
  return out->tensor != NULL;
}

static bool evaluate(const tj_expression *e, int at, tj__value *values, tj_tensors given) {
  const tj__expr_node *node = &e->nodes[at];
  tj__value *out = &values[at];
  switch ((tj__expr_kind)node->kind) {
    case TJ__EXPR_CONSTANT: *out = (tj__value){.kind = node->constant, .number = node->number}; return true;
    case TJ__EXPR_STRING: *out = (tj__value){.kind = TJ__VALUE_STRING}; return true;
    case TJ__EXPR_LIST: *out = (tj__value){.kind = TJ__VALUE_LIST}; return true;
    case TJ__EXPR_NAMED: *out = (tj__value){.kind = TJ__VALUE_NONE}; return true;
    case TJ__EXPR_VARIABLE: {
      tj_tensor *t = given.data[node->variable];
      if (t->wrapped_number && t->ndim == 0 && !tj_requires_grad(t)) {
        *out = tj__value_of_number(tj_item(t));
        return out->kind != TJ__VALUE_NONE && tj_error_code() == TJ_OK;
      }
      *out = (tj__value){.kind = TJ__VALUE_TENSOR, .borrowed = true, .tensor = t};
      return true;
    }
    case TJ__EXPR_BINARY: return tj__expr_binary(e, node, &values[node->first], &values[e->nodes[node->first].next], out);
    case TJ__EXPR_PREFIX: return tj__expr_prefix(e, node, &values[node->first], out);
    case TJ__EXPR_CONDITIONAL: return choose(e, node, values, out);
    case TJ__EXPR_CALL: return tj__expr_call(e, node, values, out);
    case TJ__EXPR_FIELD: return field(e, node, &values[node->first], out);
    case TJ__EXPR_INDEX: return item(e, node, values, out);
  }
  return tj__fail(TJ_ERROR_INTERNAL, "there is no node of kind %d", node->kind) != NULL;
}

/* The value of the whole: a tensor; a number becomes one, of the dtype that torch.tensor gives it. */
static tj_tensor *whole(const tj_expression *e, const tj__value *v) {
  const tj__expr_node *root = &e->nodes[e->n - 1];
  if (v->kind == TJ__VALUE_TENSOR) return v->tensor;
  if (tj__value_is_number(v)) {
    tj_tensor *t = tj_scalar_tensor(v->number);
    if (!t) return NULL;
    t->wrapped_number = false;
    const tj_dtype wanted = tj_get_default_dtype();
    if (v->kind == TJ__VALUE_FLOAT) return tj__to_dtype(t, wanted);
    return v->kind == TJ__VALUE_COMPLEX ? tj__to_dtype(t, tj__complex_of(wanted)) : t;
  }
  if (v->kind == TJ__VALUE_RESULTS)
    return tj__expr_fail(e, root->at, TJ__TEXT_expression_error_operand_9, (long long)v->results.n, v->results.fields[0]);
  if (v->kind == TJ__VALUE_TENSORS) return tj__expr_fail(e, root->at, TJ__TEXT_expression_error_operand_10);
  return tj__expr_fail(e, root->at, TJ__TEXT_expression_error_operand_8, tj__value_name(v));
}

tj_tensor *tj_expression_evaluate(const tj_expression *e, tj_tensors values) {
  if (!e) return tj__fail(TJ_ERROR_TYPE, "expression: argument 'e' must be an expression, not None");
  TJ__CHECK(values.n == e->n_variables, TJ_ERROR_VALUE, "the expression \"%s\" has %d variables, but %lld values are given", e->text,
            e->n_variables, (long long)values.n);
  for (int64_t i = 0; i < values.n; i++)
    TJ__CHECK(values.data[i] || tj_error_code(), TJ_ERROR_TYPE, "the variable '%s' of the expression \"%s\" must be Tensor, not None",
              e->variables[i], e->text);
  if (tj_error_code()) return NULL;
  const size_t bytes = (size_t)e->n * sizeof(tj__value);
  tj__value *v = tj__grow(NULL, bytes);
  if (!v) return tj__fail(TJ_ERROR_MEMORY, "not enough memory: could not allocate %llu bytes", (unsigned long long)bytes);
  tj__scope scope;
  tj__scope_push(&scope);
  bool good = true;
  for (int i = 0; i < e->n && good; i++) {
    const tj__expr_node *node = &e->nodes[i];
    good = evaluate(e, i, v, values);
    if (!good) {
      locate(e, node);
      break;
    }
    if (node->kind != TJ__EXPR_BINARY && node->kind != TJ__EXPR_PREFIX && node->kind != TJ__EXPR_CALL) continue;
    for (int c = node->first, k = 0; k < node->n; k++, c = e->nodes[c].next) release(e, c, v, &v[i], values);
  }
  tj_tensor *result = good ? whole(e, &v[e->n - 1]) : NULL;
  result = tj__scope_return(&scope, result);
  free(v);
  return result;
}
