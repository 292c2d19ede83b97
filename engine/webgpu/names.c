/* names.c: the operators of the stream, by number. A name is kept from its first launch on, and outlives the device: errors come late. */
#include <stdio.h>
#include <stdlib.h>

#include "../core/profile.h"
#include "device.h"

#define MOST 65536 /* beyond these, launches have no names */

typedef struct entry {
  uint64_t key;
  uint32_t number; /* 0: free */
} entry;

static _Thread_local entry *table; /* open addressing */
static _Thread_local char **texts; /* by number */
static _Thread_local uint32_t slots, count, room;

static entry *find(uint64_t key) {
  uint32_t at = (uint32_t)key & (slots - 1);
  while (table[at].number && table[at].key != key) at = (at + 1) & (slots - 1);
  return &table[at];
}

static bool make_room(void) {
  if (count + 1 >= room) {
    const uint32_t wanted = TJ__MAX(2 * room, 64);
    char **more = tj__grow(texts, wanted * sizeof *more);
    if (!more) return false;
    if (!texts) more[0] = NULL;
    texts = more;
    room = wanted;
  }
  if (slots && count * 2 < slots) return true;
  const uint32_t old_slots = slots;
  entry *old = table, *more = calloc(slots ? 2 * slots : 128, sizeof *more);
  if (!more) return false;
  table = more;
  slots = slots ? 2 * slots : 128;
  for (uint32_t i = 0; i < old_slots; i++)
    if (old[i].number) *find(old[i].key) = old[i];
  free(old);
  return true;
}

/* The number for a key, if there is one; 0 and the text is wanted. */
static uint32_t known(uint64_t key) { return slots ? find(key)->number : 0; }

static uint32_t add(uint64_t key, const char *text) {
  const size_t bytes = strlen(text) + 1;
  char *copy = count < MOST && make_room() ? malloc(bytes) : NULL;
  if (!copy) return 0; /* an error without a name is better than another error */
  memcpy(copy, text, bytes);
  texts[++count] = copy;
  *find(key) = (entry){key, count};
  return count;
}

uint32_t tj__gpu_operator(void) {
  const char *inner = tj__profile_innermost(), *outer = tj__profile_outermost();
  if (!inner) return 0;
  uint64_t key = tj__gpu_hash(TJ__GPU_HASH, inner, strlen(inner) + 1);
  const bool same = inner == outer || !strcmp(inner, outer);
  if (!same) key = tj__gpu_hash(key, outer, strlen(outer) + 1);
  const uint32_t number = known(key);
  if (number) return number;
  char text[TJ__GPU_NAME];
  snprintf(text, sizeof text, same ? "%s" : "%s in %s", inner, outer);
  return add(key, text);
}

uint32_t tj__gpu_operators(const uint32_t *numbers, int n) {
  if (n == 1) return numbers[0];
  const uint64_t key = tj__gpu_hash(TJ__GPU_HASH, numbers, (size_t)n * sizeof *numbers);
  const uint32_t number = known(key);
  if (number) return number;
  char text[TJ__GPU_NAME] = "";
  for (int i = 0, used = 0; i < n && used < (int)sizeof text; i++) {
    bool again = numbers[i] == 0;
    for (int j = 0; j < i && !again; j++) again = numbers[j] == numbers[i];
    if (!again) used += snprintf(text + used, sizeof text - (size_t)used, "%s%s", used ? ", " : "", tj__gpu_operator_name(numbers[i]));
  }
  return *text ? add(key, text) : 0;
}

const char *tj__gpu_operator_name(uint32_t number) { return number && number <= count ? texts[number] : ""; }
