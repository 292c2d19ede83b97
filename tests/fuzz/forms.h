/* forms.h: what the schema says of each generated call, for tests that make up arguments (build/gen/forms.c). */
#ifndef TJ__FORMS_H
#define TJ__FORMS_H

#include <stddef.h>

typedef struct tj__argument {
  const char *name;
  char base; /* Tensor Scalar int float bool str ScalarType(t) Device Generator: the first letter */
  char list, optional, item_optional, size, has_default;
  const char *text; /* the default of a str */
  double number;    /* the default of a number, of a bool, of every item of a list */
} tj__argument;

typedef struct tj__form {
  const char *name; /* conv2d, add_, add_out */
  const char *family;
  int count;
  const tj__argument *arguments;
  char result; /* Tensor, Many (tuple), List, Scalar, Void, In place or out */
  char results;
  char differentiable;
} tj__form;

/* In the order of tj__generated_calls. */
extern const tj__form tj__forms[];
extern const int tj__form_count;

#endif
