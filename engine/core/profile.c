/* profile.c: the recorder of the profiler. */
#include "profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

_Atomic int32_t tj__watchers;

typedef struct event {
  const char *name;
  char *own; /* a copied name */
  const tj__scope *scope;
  int64_t parent, begin, end; /* end: -1 while it is open */
  tj__profile_kind kind;
} event;

static _Thread_local struct {
  bool on, failed; /* failed: no memory for more; what is there stays */
  event *events;
  int64_t n, room;
  int64_t open; /* the innermost open event */
  int64_t *launches;
  int64_t n_launches, launch_room;
  int64_t zero;
} recorder = {.open = -1};

/* What runs, outermost first. Deeper ones than there is room for have no names. */
#define DEPTH 48
static _Thread_local struct {
  bool on;
  int n;
  struct {
    const tj__scope *scope;
    const char *name;
  } running[DEPTH];
} names;

static void watch(bool *on, bool wanted) {
  if (*on == wanted) return;
  *on = wanted;
  atomic_fetch_add_explicit(&tj__watchers, wanted ? 1 : -1, memory_order_relaxed);
}

void tj__profile_keep_names(void) { watch(&names.on, true); }
const char *tj__profile_outermost(void) { return names.n ? names.running[0].name : NULL; }
const char *tj__profile_innermost(void) { return names.n ? names.running[names.n - 1].name : NULL; }

static int64_t now(void) {
#ifdef __wasm__
  return (int64_t)tj__wasm_clock();
#else
  struct timespec t = {0};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
#endif
}

static void forget(void) {
  for (int64_t i = 0; i < recorder.n; i++) free(recorder.events[i].own);
  free(recorder.events);
  free(recorder.launches);
  recorder.events = NULL;
  recorder.launches = NULL;
  recorder.n = recorder.room = recorder.n_launches = recorder.launch_room = 0;
  recorder.open = -1;
  recorder.failed = false;
}

void tj__profile_start(void) {
  forget();
  recorder.zero = now();
  watch(&recorder.on, true);
}

int64_t tj__profile_begin(const tj__scope *scope, tj__profile_kind kind, const char *name) {
  if (names.on && scope && names.n < DEPTH) {
    names.running[names.n].scope = scope;
    names.running[names.n++].name = name;
  }
  if (!recorder.on || recorder.failed) return -1;
  if (recorder.n == recorder.room) {
    const int64_t room = TJ__MAX(2 * recorder.room, 1024);
    event *more = tj__grow(recorder.events, (size_t)room * sizeof *more);
    if (!more) return recorder.failed = true, -1;
    recorder.events = more;
    recorder.room = room;
  }
  char *own = NULL;
  if (kind == TJ__PROFILE_RANGE) {
    const size_t bytes = strlen(name) + 1;
    own = tj__grow(NULL, bytes);
    if (!own) return recorder.failed = true, -1;
    for (size_t i = 0; i < bytes; i++) own[i] = name[i] && (unsigned char)name[i] < ' ' ? ' ' : name[i];
  }
  recorder.events[recorder.n] =
      (event){.name = own ? own : name, .own = own, .scope = scope, .kind = kind, .parent = recorder.open, .begin = now(), .end = -1};
  recorder.open = recorder.n;
  return recorder.n++;
}

/* Ends an event, and what is open inside of it. */
static void end(int64_t number) {
  const int64_t time = now();
  int64_t at = recorder.open;
  while (at > number) at = recorder.events[at].parent;
  if (at != number) { /* it was closed with one around it, or others were opened meanwhile */
    if (recorder.events[number].end < 0) recorder.events[number].end = time;
    return;
  }
  for (int64_t i = recorder.open; i >= number; i = recorder.events[i].parent)
    if (recorder.events[i].end < 0) recorder.events[i].end = time;
  recorder.open = recorder.events[number].parent;
}

void tj__profile_end_scope(const tj__scope *scope) {
  if (names.n && names.running[names.n - 1].scope == scope) names.n--;
  if (recorder.on && recorder.open >= 0 && recorder.events[recorder.open].scope == scope) end(recorder.open);
}

void tj__profile_leave(int64_t number) {
  if (recorder.on && number >= 0 && number < recorder.n) end(number);
}

int64_t tj__profile_current(void) { return recorder.on ? recorder.open : -1; }

void tj__profile_launch(int64_t number) {
  if (!recorder.on || recorder.failed) return;
  if (recorder.n_launches == recorder.launch_room) {
    const int64_t room = TJ__MAX(2 * recorder.launch_room, 1024);
    int64_t *more = tj__grow(recorder.launches, (size_t)room * sizeof *more);
    if (!more) {
      recorder.failed = true;
      return;
    }
    recorder.launches = more;
    recorder.launch_room = room;
  }
  recorder.launches[recorder.n_launches++] = number;
}

char *tj__profile_stop(void) {
  const int64_t time = now();
  watch(&recorder.on, false);
  size_t bytes = 1;
  for (int64_t i = 0; i < recorder.n; i++) bytes += strlen(recorder.events[i].name) + 72;
  bytes += (size_t)recorder.n_launches * 24;
  char *text = tj__grow(NULL, bytes);
  if (!text) return tj__fail(TJ_ERROR_MEMORY, "profiler: there is no memory for the text of %lld events", (long long)recorder.n);
  size_t at = 0;
  text[0] = 0;
  for (int64_t i = 0; i < recorder.n; i++) {
    const event *e = &recorder.events[i];
    at += (size_t)snprintf(text + at, bytes - at, "%d\t%lld\t%lld\t%lld\t%s\n", (int)e->kind, (long long)e->parent,
                           (long long)(e->begin - recorder.zero), (long long)((e->end < 0 ? time : e->end) - recorder.zero), e->name);
  }
  for (int64_t i = 0; i < recorder.n_launches; i++)
    at += (size_t)snprintf(text + at, bytes - at, "L\t%lld\n", (long long)recorder.launches[i]);
  forget();
  return text;
}
