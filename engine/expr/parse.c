/* parse.c: from a text to the tree of an expression, by precedence climbing over the tables of schema/grammar/expression.yaml. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "../text/word.h"
#include "expr.h"

enum { MOST_BYTES = 1 << 16, MOST_NODES = 2000, DEEPEST = 100 };

void *tj__expr_fail(const tj_expression *e, int at, const char *format, ...) {
  char detail[1024];
  va_list arguments;
  va_start(arguments, format);
  if (vsnprintf(detail, sizeof detail, format, arguments) < 0) detail[0] = 0;
  va_end(arguments);
  return tj__fail(TJ_ERROR_RUNTIME, TJ__TEXT_expression_frame, detail, (long long)at, e->text);
}

/* ---- tokens -------------------------------------------------------------------------------------------------- */

typedef enum token_kind { END, NUMBER, STRING, NAME, FIELD, OPERATOR, OTHER } token_kind;

typedef struct token {
  token_kind kind;
  int at, length;
  char other; /* of OTHER: ( ) [ ] , ? : = or what begins nothing */
} token;

typedef struct parser {
  tj_expression *e;
  token now;
  int depth;
} parser;

static const struct binary {
  const char *text;
  uint8_t operation, level;
  char associates;
} binaries[] = {
#define TJ__X(text, function, level, associates) {text, TJ__OP_##function, level, associates},
    TJ__BINARY_OPERATORS(TJ__X)
#undef TJ__X
};
static const struct prefix {
  const char *text;
  uint8_t operation, level;
} prefixes[] = {
#define TJ__X(text, function, level) {text, TJ__OP_##function, level},
    TJ__PREFIX_OPERATORS(TJ__X)
#undef TJ__X
};
static const struct constant {
  const char *word;
  uint8_t kind;
  double number;
} constants[] = {
#define TJ__X(word, kind, number) {word, kind, number},
    TJ__CONSTANTS(TJ__X)
#undef TJ__X
};
#define COUNT(list) (int)(sizeof(list) / sizeof *(list))

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool starts_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}
static bool in_name(char c) { return starts_name(c) || is_digit(c); }
static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/* Digits with a point and an exponent: how long; what follows may not go on as a word. */
static int number_length(const char *s) {
  int n = 0;
  while (is_digit(s[n])) n++;
  if (s[n] == '.') n++;
  while (is_digit(s[n])) n++;
  if (s[n] == 'e' || s[n] == 'E') {
    const int sign = s[n + 1] == '+' || s[n + 1] == '-';
    if (is_digit(s[n + 1 + sign])) {
      n += 1 + sign;
      while (is_digit(s[n])) n++;
    }
  }
  return n;
}

/* A name, or several with points between them. */
static int path_length(const char *s) {
  int n = 0;
  for (;;) {
    while (in_name(s[n])) n++;
    if (s[n] != '.' || !starts_name(s[n + 1])) return n;
    n++;
  }
}

static bool next_token(parser *p) {
  const char *text = p->e->text;
  int at = p->now.at + p->now.length;
  while (is_space(text[at])) at++;
  const char *s = text + at;
  token t = {.at = at, .length = 1, .kind = OTHER, .other = *s};
  if (!*s) {
    t = (token){.at = at, .kind = END};
  } else if (is_digit(*s) || (*s == '.' && is_digit(s[1]))) {
    t.kind = NUMBER;
    t.length = number_length(s);
    if (in_name(s[t.length]) || s[t.length] == '.')
      return tj__expr_fail(p->e, at, TJ__TEXT_expression_number, tj__word_of(s, t.length + 1).text) != NULL;
  } else if (*s == '.' && starts_name(s[1])) {
    t.kind = FIELD;
    t.length = 1;
    while (in_name(s[t.length])) t.length++;
  } else if (starts_name(*s)) {
    t.kind = NAME;
    t.length = path_length(s);
  } else if (*s == '\'' || *s == '"') {
    const char *end = strchr(s + 1, *s);
    if (!end) return tj__expr_fail(p->e, at, TJ__TEXT_expression_text, tj__word_of(s, 1).text) != NULL;
    t.kind = STRING;
    t.length = (int)(end - s) + 1;
  } else {
    for (int i = 0; i < COUNT(binaries) && t.kind == OTHER; i++)
      if (!strncmp(s, binaries[i].text, strlen(binaries[i].text))) t.kind = OPERATOR, t.length = (int)strlen(binaries[i].text);
    for (int i = 0; i < COUNT(prefixes) && t.kind == OTHER; i++)
      if (!strncmp(s, prefixes[i].text, strlen(prefixes[i].text))) t.kind = OPERATOR, t.length = (int)strlen(prefixes[i].text);
  }
  p->now = t;
  return true;
}

static bool is(const parser *p, char other) { return p->now.kind == OTHER && p->now.other == other; }

static bool unexpected(const parser *p, const char *wanted) {
  const token *t = &p->now;
  if (t->kind == END) return tj__expr_fail(p->e, t->at, TJ__TEXT_expression_ends, wanted) != NULL;
  return tj__expr_fail(p->e, t->at, TJ__TEXT_expression_got, wanted, tj__word_of(p->e->text + t->at, t->length).text) != NULL;
}

static bool take(parser *p, char other) {
  if (is(p, other)) return next_token(p);
  const char wanted[] = {'"', other, '"', 0};
  return unexpected(p, wanted);
}

/* ---- the tree ------------------------------------------------------------------------------------------------ */

static void *no_memory(size_t bytes) {
  return tj__fail(TJ_ERROR_MEMORY, "not enough memory: could not allocate %llu bytes", (unsigned long long)bytes);
}

/* A node behind all others; its number, or -1 and an error. */
static int add(parser *p, tj__expr_node node) {
  tj_expression *e = p->e;
  if (e->n == MOST_NODES) return tj__expr_fail(e, p->now.at, "the expression has more than %d parts", MOST_NODES), -1;
  if (e->n == e->capacity) {
    const int capacity = e->capacity ? 2 * e->capacity : 16;
    tj__expr_node *nodes = tj__grow(e->nodes, (size_t)capacity * sizeof *nodes);
    if (!nodes) return no_memory((size_t)capacity * sizeof *nodes), -1;
    e->nodes = nodes;
    e->capacity = capacity;
  }
  node.next = -1;
  e->nodes[e->n] = node;
  return e->n++;
}

/* Of the name in the text; -1 and an error without memory. */
static int variable(parser *p, int name, int length) {
  tj_expression *e = p->e;
  for (int i = 0; i < e->n_variables; i++)
    if (!strncmp(e->variables[i], e->text + name, (size_t)length) && !e->variables[i][length]) return i;
  if (e->n_variables == e->variable_capacity) {
    const int capacity = e->variable_capacity ? 2 * e->variable_capacity : 8;
    char **variables = tj__grow(e->variables, (size_t)capacity * sizeof *variables);
    if (!variables) return no_memory((size_t)capacity * sizeof *variables), -1;
    e->variables = variables;
    e->variable_capacity = capacity;
  }
  char *copy = tj__grow(NULL, (size_t)length + 1);
  if (!copy) return no_memory((size_t)length + 1), -1;
  memcpy(copy, e->text + name, (size_t)length);
  copy[length] = 0;
  e->variables[e->n_variables] = copy;
  return e->n_variables++;
}

/* ---- the grammar --------------------------------------------------------------------------------------------- */

/* Each returns the number of a node, or -1 and an error. */
static int conditional(parser *p);
static int binary(parser *p, int level);

/* Expressions with commas between them up to `close`, as children of `node`; with names where it is a call. */
static int children(parser *p, tj__expr_node node, char close) {
  int last = -1;
  bool named = false;
  while (!is(p, close)) {
    if (node.n && !take(p, ',')) return -1;
    int child;
    const token name = p->now;
    const char *rest = p->e->text + name.at + name.length;
    while (is_space(*rest)) rest++;
    if (node.kind == TJ__EXPR_CALL && name.kind == NAME && rest[0] == '=' && rest[1] != '=') {
      if (memchr(p->e->text + name.at, '.', (size_t)name.length)) return unexpected(p, "the name of an argument"), -1;
      for (int c = node.first; node.n && c >= 0; c = p->e->nodes[c].next) {
        const tj__expr_node *other = &p->e->nodes[c];
        if (other->kind == TJ__EXPR_NAMED && other->length == name.length &&
            !memcmp(p->e->text + other->name, p->e->text + name.at, (size_t)name.length))
          return tj__expr_fail(p->e, name.at, TJ__TEXT_expression_argument_twice, tj__word_of(p->e->text + name.at, name.length).text), -1;
      }
      if (!next_token(p) || !take(p, '=')) return -1;
      const int value = conditional(p);
      if (value < 0) return -1;
      child =
          add(p, (tj__expr_node){.kind = TJ__EXPR_NAMED, .at = name.at, .name = name.at, .length = name.length, .first = value, .n = 1});
      named = true;
    } else {
      if (named) return tj__expr_fail(p->e, name.at, TJ__TEXT_expression_argument_order), -1;
      child = conditional(p);
    }
    if (child < 0) return -1;
    if (last < 0) node.first = child;
    else p->e->nodes[last].next = child;
    last = child;
    node.n++;
  }
  return next_token(p) ? add(p, node) : -1;
}

static int constant(parser *p, uint8_t kind, tj_scalar number) {
  const tj__expr_node node = {.kind = TJ__EXPR_CONSTANT, .at = p->now.at, .constant = kind, .number = number};
  return next_token(p) ? add(p, node) : -1;
}

static int number(parser *p) {
  char digits[512]; /* longer numbers have the same value but for the last bits of their double */
  const int length = TJ__MIN(p->now.length, (int)sizeof digits - 1);
  memcpy(digits, p->e->text + p->now.at, (size_t)length);
  digits[length] = 0;
  if (strspn(digits, "0123456789") == (size_t)length && length < 19) return constant(p, TJ__VALUE_INT, tj_int(strtoll(digits, NULL, 10)));
  return constant(p, TJ__VALUE_FLOAT, tj_float(strtod(digits, NULL)));
}

static int primary(parser *p) {
  const token t = p->now;
  const char *s = p->e->text + t.at;
  tj__expr_node node = {.at = t.at, .name = t.at, .length = t.length, .first = -1};
  switch (t.kind) {
    case NUMBER: return number(p);
    case STRING:
      node.kind = TJ__EXPR_STRING;
      node.name++;
      node.length -= 2;
      return next_token(p) ? add(p, node) : -1;
    case NAME:
      for (int i = 0; i < COUNT(constants); i++)
        if (!strncmp(s, constants[i].word, (size_t)t.length) && !constants[i].word[t.length]) {
          const uint8_t kind = constants[i].kind;
          return constant(p, kind, kind == TJ__VALUE_BOOL ? tj_bool(constants[i].number != 0) : tj_float(constants[i].number));
        }
      if (!next_token(p)) return -1;
      if (is(p, '(')) {
        node.kind = TJ__EXPR_CALL;
        return next_token(p) ? children(p, node, ')') : -1;
      }
      if (memchr(s, '.', (size_t)t.length)) return tj__expr_fail(p->e, t.at, TJ__TEXT_expression_points, tj__word_of(s, t.length).text), -1;
      node.kind = TJ__EXPR_VARIABLE;
      node.variable = variable(p, t.at, t.length);
      return node.variable < 0 ? -1 : add(p, node);
    case OTHER:
      if (t.other == '(') {
        if (!next_token(p)) return -1;
        const int inner = conditional(p);
        return inner < 0 || !take(p, ')') ? -1 : inner;
      }
      if (t.other == '[') {
        node.kind = TJ__EXPR_LIST;
        return next_token(p) ? children(p, node, ']') : -1;
      }
      break;
    default: break;
  }
  unexpected(p, "an operand");
  return -1;
}

static int postfix(parser *p) {
  int operand = primary(p);
  while (operand >= 0) {
    tj__expr_node node = {.at = p->now.at, .first = operand};
    if (p->now.kind == FIELD) {
      node.kind = TJ__EXPR_FIELD;
      node.name = p->now.at + 1;
      node.length = p->now.length - 1;
      node.n = 1;
      operand = next_token(p) ? add(p, node) : -1;
    } else if (is(p, '[')) {
      if (!next_token(p)) return -1;
      const int index = conditional(p);
      if (index < 0 || !take(p, ']')) return -1;
      node.kind = TJ__EXPR_INDEX;
      node.n = 2;
      p->e->nodes[operand].next = index;
      operand = add(p, node);
    } else {
      break;
    }
  }
  return operand;
}

static int unary(parser *p) {
  if (p->now.kind == OPERATOR)
    for (int i = 0; i < COUNT(prefixes); i++) {
      if (strncmp(prefixes[i].text, p->e->text + p->now.at, (size_t)p->now.length) || prefixes[i].text[p->now.length]) continue;
      tj__expr_node node = {.kind = TJ__EXPR_PREFIX, .operation = prefixes[i].operation, .at = p->now.at, .n = 1};
      if (!next_token(p)) return -1;
      if (++p->depth > DEEPEST) return tj__expr_fail(p->e, p->now.at, "the expression is nested more than %d deep", DEEPEST), -1;
      node.first = binary(p, prefixes[i].level);
      p->depth--;
      return node.first < 0 ? -1 : add(p, node);
    }
  return postfix(p);
}

static const struct binary *binary_operator(const parser *p) {
  if (p->now.kind == OPERATOR)
    for (int i = 0; i < COUNT(binaries); i++)
      if (!strncmp(binaries[i].text, p->e->text + p->now.at, (size_t)p->now.length) && !binaries[i].text[p->now.length])
        return &binaries[i];
  return NULL;
}

static int binary(parser *p, int level) {
  int left = unary(p);
  int single = 0; /* a level whose operators may not follow one another, once one was there */
  while (left >= 0) {
    const struct binary *b = binary_operator(p);
    if (!b || b->level < level) return left;
    if (b->level == single) return tj__expr_fail(p->e, p->now.at, TJ__TEXT_expression_chained), -1;
    single = b->associates == 'n' ? b->level : 0;
    tj__expr_node node = {.kind = TJ__EXPR_BINARY, .operation = b->operation, .at = p->now.at, .first = left, .n = 2};
    if (!next_token(p)) return -1;
    if (++p->depth > DEEPEST) return tj__expr_fail(p->e, p->now.at, "the expression is nested more than %d deep", DEEPEST), -1;
    const int right = binary(p, b->associates == 'r' ? b->level : b->level + 1);
    p->depth--;
    if (right < 0) return -1;
    p->e->nodes[left].next = right;
    left = add(p, node);
  }
  return left;
}

static int conditional(parser *p) {
  if (++p->depth > DEEPEST) return tj__expr_fail(p->e, p->now.at, "the expression is nested more than %d deep", DEEPEST), -1;
  int result = binary(p, TJ__CONDITIONAL_LEVEL + 1);
  if (result >= 0 && is(p, '?')) {
    tj__expr_node node = {.kind = TJ__EXPR_CONDITIONAL, .at = p->now.at, .first = result, .n = 3};
    const int yes = next_token(p) ? conditional(p) : -1;
    const int no = yes >= 0 && take(p, ':') ? conditional(p) : -1;
    if (no < 0) return -1;
    p->e->nodes[result].next = yes;
    p->e->nodes[yes].next = no;
    result = add(p, node);
  }
  p->depth--;
  return result;
}

/* ---- public -------------------------------------------------------------------------------------------------- */

tj_expression *tj_expression_parse(const char *text) {
  if (!text) return tj__fail(TJ_ERROR_TYPE, "expression: argument 'text' must be str, not None");
  const size_t length = strlen(text);
  if (length > MOST_BYTES)
    return tj__fail(TJ_ERROR_VALUE, "an expression of %llu bytes is too long: at most %d", (unsigned long long)length, MOST_BYTES);
  tj_expression *e = tj__grow(NULL, sizeof *e);
  if (!e) return no_memory(sizeof *e);
  *e = (tj_expression){.text = tj__grow(NULL, length + 1)};
  parser p = {.e = e};
  if (!e->text) {
    no_memory(length + 1);
  } else {
    memcpy(e->text, text, length + 1);
    if (next_token(&p) && conditional(&p) >= 0 && (p.now.kind == END || unexpected(&p, "an operator or the end"))) return e;
  }
  tj_expression_free(e);
  return NULL;
}

void tj_expression_free(tj_expression *e) {
  if (!e) return;
  for (int i = 0; i < e->n_variables; i++) free(e->variables[i]);
  free(e->variables);
  free(e->nodes);
  free(e->text);
  free(e);
}

int64_t tj_expression_variable_count(const tj_expression *e) { return e ? e->n_variables : 0; }

const char *tj_expression_variable(const tj_expression *e, int64_t i) { return e && i >= 0 && i < e->n_variables ? e->variables[i] : NULL; }
