/* expr.h: expressions inside the engine: the tree, and what it is evaluated to. */
#ifndef TJ__EXPR_H
#define TJ__EXPR_H

#include <math.h>

#include "../../include/torchjs/expression.h"
#include "expression_grammar.h"
#include "functions.h"

typedef enum tj__value_kind {
  TJ__VALUE_NONE,
  TJ__VALUE_BOOL,
  TJ__VALUE_INT,
  TJ__VALUE_FLOAT,
  TJ__VALUE_COMPLEX, /* of variables alone */
  TJ__VALUE_TENSOR,
  TJ__VALUE_STRING,  /* the node's name */
  TJ__VALUE_LIST,    /* the node's children */
  TJ__VALUE_RESULTS, /* several results of a function */
  TJ__VALUE_TENSORS  /* a list of tensors that a function returned */
} tj__value_kind;

typedef enum tj__operation {
#define TJ__X(text, function, level, associates) TJ__OP_##function,
  TJ__BINARY_OPERATORS(TJ__X)
#undef TJ__X
#define TJ__X(text, function, level) TJ__OP_##function,
      TJ__PREFIX_OPERATORS(TJ__X)
#undef TJ__X
} tj__operation;

typedef enum tj__expr_kind {
  TJ__EXPR_CONSTANT,
  TJ__EXPR_STRING,
  TJ__EXPR_VARIABLE,
  TJ__EXPR_BINARY,
  TJ__EXPR_PREFIX,
  TJ__EXPR_CONDITIONAL,
  TJ__EXPR_CALL,
  TJ__EXPR_NAMED, /* an argument by name, in a call */
  TJ__EXPR_LIST,
  TJ__EXPR_FIELD,
  TJ__EXPR_INDEX /* children: what is indexed, the index */
} tj__expr_kind;

/* Nodes stand behind their children, so that one pass in order evaluates them all. */
typedef struct tj__expr_node {
  uint8_t kind;      /* tj__expr_kind */
  uint8_t operation; /* tj__operation */
  uint8_t constant;  /* tj__value_kind of a constant */
  int at;            /* where it is in the text, for messages */
  int name, length;  /* of a name or string, in the text */
  int first, n;      /* children: the first one, the others by `next` */
  int next;
  int variable; /* its number */
  tj_scalar number;
} tj__expr_node;

struct tj_expression {
  char *text;
  tj__expr_node *nodes;
  int n, capacity;
  char **variables;
  int n_variables, variable_capacity;
};

/* Sets an error that tells where in the text. Returns NULL. */
void *tj__expr_fail(const tj_expression *e, int at, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A value of a node while an expression is evaluated. */
typedef struct tj__value {
  uint8_t kind;  /* tj__value_kind */
  bool borrowed; /* a tensor that something else keeps alive: a variable, a list, several results */
  union {
    tj_scalar number;
    tj_tensor *tensor;
    struct {
      tj_tensor *tensors[TJ__MOST_RESULTS];
      int n;
      const char *const *fields;
    } results;
    tj_list *list;
  };
} tj__value;

static inline bool tj__value_is_number(const tj__value *v) { return v->kind >= TJ__VALUE_BOOL && v->kind <= TJ__VALUE_COMPLEX; }
/* The tensor that a value is, or a number becomes; NULL for anything else. */
tj_tensor *tj__value_tensor(const tj__value *v);
tj__value tj__value_of_number(tj_scalar number);
const char *tj__value_name(const tj__value *v); /* "Tensor", "int", "str", as messages call it */

/* operators.c: false and an error on failure */
bool tj__expr_binary(const tj_expression *e, const tj__expr_node *node, const tj__value *a, const tj__value *b, tj__value *out);
bool tj__expr_prefix(const tj_expression *e, const tj__expr_node *node, const tj__value *a, tj__value *out);
/* call.c: a call with the values of all nodes */
bool tj__expr_call(const tj_expression *e, const tj__expr_node *node, const tj__value *values, tj__value *out);

#endif
