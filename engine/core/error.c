/* error.c: the thread's error, and the texts that messages are made of. */
#include <stdarg.h>
#include <stdio.h>

#include "core.h"

/* Long messages are cut: an error must not need memory. */
static _Thread_local struct {
  tj_status code;
  char message[4096];
} error;

static void set(tj_status code, const char *format, va_list arguments) {
  if (error.code != TJ_OK) return;
  error.code = code;
  if (vsnprintf(error.message, sizeof error.message, format, arguments) < 0) error.message[0] = 0;
}

void *tj__fail(tj_status code, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  set(code, format, arguments);
  va_end(arguments);
  return NULL;
}

void *tj__fail_filled(tj_status code, const char *text, int64_t element, int64_t number) {
  char filled[512];
  size_t n = 0;
  for (; *text && n < sizeof filled - 1; text++) {
    int more = 1;
    if (*text == 1) more = snprintf(filled + n, sizeof filled - n, "(Batch element %lld): ", (long long)element);
    else if (*text == 2) more = snprintf(filled + n, sizeof filled - n, "%lld", (long long)number);
    else filled[n] = *text;
    n = TJ__MIN(n + (size_t)more, sizeof filled - 1);
  }
  filled[n] = 0;
  return tj__fail(code, "%s", filled);
}

tj_status tj__fail_status(tj_status code, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  set(code, format, arguments);
  va_end(arguments);
  return code;
}

static const char *const names[] = {
#define TJ__X(CODE, name, text) #name,
    TJ_ERRORS(TJ__X)
#undef TJ__X
};
static const char *const texts[] = {
#define TJ__X(CODE, name, text) text,
    TJ_ERRORS(TJ__X)
#undef TJ__X
};

/* The place of a code in the list above; -1 for what is no code. */
static int place(tj_status code) {
  int i = (int)code - (int)TJ__STATUS_BASE - 1;
  return i >= 0 && i < (int)(sizeof names / sizeof *names) ? i : -1;
}

tj_status tj_error_code(void) { return error.code; }

const char *tj_error_name(void) {
  int i = place(error.code);
  return i < 0 ? "" : names[i];
}

const char *tj_error_message(void) { return error.code == TJ_OK ? "" : error.message; }

void tj_error_clear(void) {
  error.code = TJ_OK;
  error.message[0] = 0;
}

void tj_set_error(tj_status code, const char *message) {
  int i = place(code);
  if (i < 0) code = TJ_ERROR_INTERNAL, i = place(code);
  tj__fail(code, "%s", message && *message ? message : texts[i]);
}

#define TEXTS 8
#define TEXT_BYTES 256

const char *tj__ints_text(const int64_t *values, int64_t n) {
  static _Thread_local char buffers[TEXTS][TEXT_BYTES];
  static _Thread_local unsigned next;
  char *text = buffers[next++ % TEXTS];
  size_t used = 0;
  text[used++] = '[';
  for (int64_t i = 0; i < n; i++) {
    int wrote = snprintf(text + used, TEXT_BYTES - used, "%s%lld", i ? ", " : "", (long long)values[i]);
    if (wrote < 0 || (size_t)wrote + used > TEXT_BYTES - 8) { /* keep room for the end */
      memcpy(text + used, ", ...", 5);
      used += 5;
      break;
    }
    used += (size_t)wrote;
  }
  text[used++] = ']';
  text[used] = 0;
  return text;
}

const char *tj__sizes_text(const tj_tensor *t) { return tj__ints_text(t->sizes, t->ndim); }

const char *tj__dtype_cpp(tj_dtype dtype) {
  static const char *const names[TJ_DTYPE_COUNT] = {
      [TJ_BOOL] = "bool",
      [TJ_UINT8] = "unsigned char",
      [TJ_INT8] = "signed char",
      [TJ_INT16] = "short int",
      [TJ_INT32] = "int",
      [TJ_INT64] = "long int",
      [TJ_UINT16] = "short unsigned int",
      [TJ_UINT32] = "unsigned int",
      [TJ_UINT64] = "long unsigned int",
      [TJ_FLOAT16] = "c10::Half",
      [TJ_BFLOAT16] = "c10::BFloat16",
      [TJ_FLOAT32] = "float",
      [TJ_FLOAT64] = "double",
      [TJ_COMPLEX64] = "c10::complex<float>",
      [TJ_COMPLEX128] = "c10::complex<double>",
  };
  return names[dtype];
}

const char *tj__dtype_legacy(tj_dtype dtype) {
  static const char *const legacy[] = {
#define TJ__X(SUFFIX, name, bytes, legacy) #legacy,
      TJ_DTYPES(TJ__X)
#undef TJ__X
  };
  return dtype >= 0 && dtype < TJ_DTYPE_COUNT ? legacy[dtype] : "Undefined";
}
