/* word.h: a piece of a text as a text of its own, for messages. */
#ifndef TJ__TEXT_WORD_H
#define TJ__TEXT_WORD_H

#include <stdio.h>

typedef struct tj__word {
  char text[201];
} tj__word;

/* The first `length` bytes of `text`, 200 of them at most. */
static inline tj__word tj__word_of(const char *text, int length) {
  tj__word w;
  snprintf(w.text, sizeof w.text, "%.*s", length, text);
  return w;
}

#endif
