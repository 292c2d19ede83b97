/* profile.h: what the profiler records: operators, derivatives of nodes and ranges that the user names, with their times, and the launches of a device
 * with the operator that asked for them. And the names of the operators that run, for a device whose errors come later. While no thread wants either,
 * an operator pays one look at a number on its way in and one on its way out. */
#ifndef TJ__PROFILE_H
#define TJ__PROFILE_H

#include "core.h"

typedef enum tj__profile_kind { TJ__PROFILE_OPERATOR, TJ__PROFILE_NODE, TJ__PROFILE_RANGE } tj__profile_kind;

/* How many threads record or keep names; each sees only what it does itself. */
extern _Atomic int32_t tj__watchers;
static inline bool tj__watched(void) { return TJ__UNLIKELY(atomic_load_explicit(&tj__watchers, memory_order_relaxed) != 0); }

/* Forgets what was recorded and begins. */
void tj__profile_start(void);
/* Ends. What was recorded, of which text comes until the next start: a line an event, "kind parent begin end name" with tabs between them: nanoseconds
 * since the start, parent by number of the line (from 0) or -1; then a line "L event" for each launch. Allocated; tj_string_free. NULL: no memory. */
char *tj__profile_stop(void);

/* Begins an event that ends with the scope (NULL: by tj__profile_leave); its number, -1 where it is not recorded. The name of a range is copied. */
int64_t tj__profile_begin(const tj__scope *scope, tj__profile_kind kind, const char *name);
void tj__profile_end_scope(const tj__scope *scope);
void tj__profile_leave(int64_t event);

/* The innermost open event, -1 outside of all: for work that a device does later. */
int64_t tj__profile_current(void);
/* A launch for that event. */
void tj__profile_launch(int64_t event);

/* From now on this thread keeps the names of the operators and nodes that it is in. */
void tj__profile_keep_names(void);
/* The one that was called first, and the one inside of it that runs; NULL where none does, or no names are kept. */
const char *tj__profile_outermost(void);
const char *tj__profile_innermost(void);

/* At the beginning of an operator. */
#define TJ__PROFILE(scope, kind, name)                       \
  do {                                                       \
    if (tj__watched()) tj__profile_begin(scope, kind, name); \
  } while (0)

#endif
