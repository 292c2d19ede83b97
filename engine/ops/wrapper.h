/* wrapper.h: what the generated wrappers call around an implementation. */
#ifndef TJ__WRAPPER_H
#define TJ__WRAPPER_H

#include "autograd/node.h"
#include "core/core.h"
#include "core/profile.h"
#include "ops/pointwise.h"

/* A required argument is NULL: NULL in, NULL out; an error of its own only if none is pending. */
void *tj__null_argument(const char *op, const char *argument);
/* A list with a NULL where none is allowed; sets the error. */
bool tj__bad_list(tj_tensors list, bool optional_items, const char *op, const char *argument);

/* result was made inside scope (and is not an argument that the implementation handed back as it is). */
static inline bool tj__is_fresh(const tj__scope *scope, const tj_tensor *result) { return result->object.scope == scope; }
/* Such a result, of a dtype that has gradients (`dtype: torch.int64` asks for one that has none). */
bool tj__takes_history(const tj__scope *scope, const tj_tensor *result);
/* Ends the scope; result (a tensor or a list, NULL is fine) lives on, owned by the scope around it or by the caller. */
void *tj__scope_return(tj__scope *scope, void *result);
/* The same for several results; on a failure they become NULL. Returns the status. */
tj_status tj__scope_return_all(tj__scope *scope, tj_status status, tj_tensor ***results, int n);

/* Writes a computed result into self, whose sizes it has to have (in place), or into out, once it suits. NULL on failure. */
tj_tensor *tj__copy_result(tj_tensor *self, tj_tensor *result);
tj_tensor *tj__copy_out(tj_tensor *out, tj_tensor *result);

/* Before that: out takes result's sizes; it does not overlap itself, has a dtype that result can be cast to, or result's own where `message` says what to tell
 * otherwise ({Result}, {Out}: PyTorch's names of the dtypes; {result}, {out}: those of C++), and shares no memory with `apart`. Sets the error. */
bool tj__out_suits(tj_tensor *out, const tj_tensor *result, const char *message, tj_tensor *const *apart, int64_t n_apart);

/* Text in a node's arguments. */
bool tj__node_set_str(tj__node *node, int arg, const char *text);
static inline const char *tj__ints_to_str(tj_ints packed) { return packed.n < 0 ? NULL : (const char *)packed.data; }

/* A node of an in-place operator without a derivative: it says so when it is run. */
tj__node *tj__node_missing(const char *op, tj_tensor *const *inputs, int64_t n_inputs);
int64_t tj__node_output_count(const tj__node *node);

#include "ops.h"
#endif
