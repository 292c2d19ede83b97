/* generator.c: the Mersenne Twister mt19937 (Matsumoto and Nishimura, "Mersenne Twister: a 623-dimensionally equidistributed uniform
 * pseudo-random number generator", 1998) with the seeding, the state bytes and the cached normal numbers of PyTorch's CPU generator. */
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "core.h"
#include "twister.h"

#define N TJ__TWISTER_WORDS
#define DEFAULT_SEED 67280421310721u

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static tj_generator default_generator;
static _Thread_local tj_generator *of_thread; /* the default one for this thread where it is not the process's */

static void seed_engine(tj_generator *g, uint64_t seed) {
  g->seed = seed;
  g->state[0] = (uint32_t)seed;
  for (uint32_t j = 1; j < N; j++) g->state[j] = 1812433253u * (g->state[j - 1] ^ (g->state[j - 1] >> 30)) + j;
  g->left = 1;
  g->next = 0;
  g->seeded = true;
  g->has_float_normal = g->has_double_normal = false;
  g->float_normal = 0;
  g->double_normal = 0;
}

/* 53 bits, so that a seed is exact as a floating number too. */
#ifdef __wasm__
static uint64_t seed_of_system(void) { return tj__wasm_entropy(); }
#else
static uint64_t seed_of_system(void) {
  uint64_t seed = 0;
  FILE *f = fopen("/dev/urandom", "rb");
  size_t got = f ? fread(&seed, sizeof seed, 1, f) : 0;
  if (f) fclose(f);
  if (got != 1) {
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    seed = (uint64_t)now.tv_nsec * 0x9e3779b97f4a7c15u ^ (uint64_t)now.tv_sec << 20 ^ (uint64_t)(uintptr_t)&seed;
  }
  return seed & 0x1fffffffffffffu;
}
#endif

static void make_default(void) {
  atomic_init(&default_generator.refs, 1);
  seed_engine(&default_generator, seed_of_system());
}

tj_generator *tj__generator(tj_generator *g) {
  if (g) return g;
  if (of_thread) return of_thread;
  pthread_once(&once, make_default);
  return &default_generator;
}

void tj__generator_of_thread(tj_generator *g) { of_thread = g; }

void tj__generator_lock(void) { pthread_mutex_lock(&lock); }
void tj__generator_unlock(void) { pthread_mutex_unlock(&lock); }

/* ---- the engine ------------------------------------------------------------------------------------------------ */

uint32_t tj__random32(tj_generator *g) {
  if (--g->left == 0) tj__twister_step(g);
  return tj__temper(g->state[g->next++]);
}

uint64_t tj__random64(tj_generator *g) {
  uint64_t high = tj__random32(g);
  return high << 32 | tj__random32(g);
}

void tj__random_fill32(tj_generator *g, uint32_t *out, int64_t n) {
  tj__twister_words(g, out, n);
  for (int64_t i = 0; i < n; i++) out[i] = tj__temper(out[i]);
}

/* ---- public ---------------------------------------------------------------------------------------------------- */

tj_generator *tj_generator_new(void) {
  tj_generator *g = tj__alloc(sizeof *g);
  if (!g) return NULL;
  atomic_init(&g->refs, 1);
  seed_engine(g, DEFAULT_SEED);
  return g;
}

void tj_generator_free(tj_generator *g) {
  if (g && atomic_fetch_sub_explicit(&g->refs, 1, memory_order_acq_rel) == 1) tj__free(g, sizeof *g);
}

void tj_generator_manual_seed(tj_generator *g, uint64_t seed) {
  g = tj__generator(g);
  tj__generator_lock();
  seed_engine(g, seed);
  tj__generator_unlock();
}

uint64_t tj_generator_initial_seed(const tj_generator *g) { return g ? g->seed : tj__generator(NULL)->seed; }

uint64_t tj_generator_seed(tj_generator *g) {
  uint64_t seed = seed_of_system();
  tj_generator_manual_seed(g, seed);
  return seed;
}

/* The bytes of PyTorch's get_state: the layout that its Lua ancestor had, with the float32 normal behind it. */
typedef struct state_bytes {
  uint64_t seed;
  int32_t left, seeded;
  uint64_t next;
  uint64_t state[N];
  double normal_x, normal_y, normal_rho;
  int32_t normal_is_valid;
  int32_t padding;
} state_bytes;
typedef struct full_state_bytes {
  state_bytes old;
  float float_normal;
  uint8_t float_normal_is_valid;
  uint8_t padding[3];
} full_state_bytes;
_Static_assert(sizeof(state_bytes) == 5048 && sizeof(full_state_bytes) == 5056, "the layout of PyTorch's generator state");

tj_tensor *tj_generator_get_state(tj_generator *g) {
  tj_tensor *t = tj__empty(TJ_INTS(sizeof(full_state_bytes)), TJ_UINT8, TJ_CPU);
  if (!t) return NULL;
  full_state_bytes s;
  memset(&s, 0, sizeof s);
  g = tj__generator(g);
  tj__generator_lock();
  s.old.seed = g->seed;
  s.old.left = g->left;
  s.old.seeded = g->seeded;
  s.old.next = (uint64_t)g->next;
  for (int i = 0; i < N; i++) s.old.state[i] = g->state[i];
  if (g->has_double_normal) {
    s.old.normal_is_valid = 1;
    s.old.normal_y = g->double_normal;
  }
  if (g->has_float_normal) {
    s.float_normal_is_valid = 1;
    s.float_normal = g->float_normal;
  }
  tj__generator_unlock();
  memcpy(tj__write(t), &s, sizeof s);
  return t;
}

int tj_generator_set_state(tj_generator *g, tj_tensor *state) {
  if (!state) return tj_error_code() ? tj_error_code() : tj__fail_status(TJ_ERROR_TYPE, "RNG state must be a torch.ByteTensor");
  TJ__CHECK_STATUS(state->dtype == TJ_UINT8 && state->storage->device == TJ_CPU, TJ_ERROR_TYPE, "RNG state must be a torch.ByteTensor");
  TJ__CHECK_STATUS(tj__is_contiguous(state), TJ_ERROR_RUNTIME, "RNG state must be contiguous");
  full_state_bytes s;
  memset(&s, 0, sizeof s);
  bool full = state->numel == (int64_t)sizeof s;
  TJ__CHECK_STATUS(full || state->numel == (int64_t)sizeof s.old, TJ_ERROR_RUNTIME,
                   "Expected either a CPUGeneratorImplStateLegacy of size %zu or a CPUGeneratorImplState of size %zu but found the input "
                   "RNG state size to be %lld",
                   sizeof s.old, sizeof s, (long long)state->numel);
  memcpy(&s, tj__read(state), (size_t)state->numel);
  TJ__CHECK_STATUS(s.old.seeded && s.old.left > 0 && s.old.left <= N && s.old.next <= N, TJ_ERROR_RUNTIME, "Invalid mt19937 state");
  g = tj__generator(g);
  tj__generator_lock();
  g->seed = s.old.seed;
  g->left = s.old.left;
  g->next = (int32_t)s.old.next;
  g->seeded = true;
  for (int i = 0; i < N; i++) g->state[i] = (uint32_t)s.old.state[i];
  g->has_double_normal = s.old.normal_is_valid != 0;
  g->double_normal = g->has_double_normal ? s.old.normal_y : 0;
  g->has_float_normal = full && s.float_normal_is_valid;
  g->float_normal = g->has_float_normal ? s.float_normal : 0;
  tj__generator_unlock();
  return TJ_OK;
}
