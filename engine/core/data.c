/* data.c: bytes in and out of tensors, and what a tensor says about itself. */
#include <stdlib.h>

#include "core.h"

const char *tj_version(void) { return "0.1.0"; }

const void *tj__read(const tj_tensor *t) {
  return t->storage->data ? (const char *)t->storage->data + t->offset * (int64_t)tj__itemsize(t) : NULL;
}

void *tj__write(tj_tensor *t) { return t->storage->data ? (char *)t->storage->data + t->offset * (int64_t)tj__itemsize(t) : NULL; }

void *tj__fail_asynchronous(const tj_tensor *t) {
  return tj__fail(
      TJ_ERROR_NOT_IMPLEMENTED,
      "the elements of a tensor on %s cannot be read at once: reading is asynchronous there (`await x.cpu()`, `await x.item()`)",
      tj__device_name(t->storage->device));
}

bool tj__must_look(const tj_tensor *t) { return tj__can_look(t) || tj__fail_asynchronous(t); }

/* ---- copies ---------------------------------------------------------------------------------------------------- */

tj_tensor *tj_from_data(const void *data, tj_dtype dtype, tj_ints sizes) {
  TJ__CHECK(tj_dtype_name(dtype), TJ_ERROR_TYPE, "from_data: %d is no dtype", (int)dtype);
  tj_tensor *t = tj__empty(sizes, dtype, TJ_CPU);
  if (!t) return NULL;
  if (t->numel && !data) {
    tj_free(t);
    return tj__fail(TJ_ERROR_VALUE, "from_data: there is no data for a tensor of %lld elements", (long long)tj__numel_of(sizes));
  }
  if (t->numel) memcpy(tj__write(t), data, (size_t)t->numel * tj__itemsize(t));
  return t;
}

static inline void copy_one(char *to, const char *from, size_t item) {
  switch (item) { /* sizes that the compiler knows become moves */
    case 1: *to = *from; break;
    case 2: memcpy(to, from, 2); break;
    case 4: memcpy(to, from, 4); break;
    case 8: memcpy(to, from, 8); break;
    default: memcpy(to, from, 16); break;
  }
}

/* Row-major over any strides: the last dimension in a loop, the others as a counter. */
static void copy_strided(const tj_tensor *t, char *to) {
  int64_t index[TJ_MAX_DIMS] = {0}, item = (int64_t)tj__itemsize(t);
  int last = t->ndim - 1;
  int64_t n = t->sizes[last], step = t->strides[last] * item;
  const char *row = tj__read(t);
  for (int64_t rows = t->numel / n; rows > 0; rows--) {
    if (step == item) {
      memcpy(to, row, (size_t)(n * item));
      to += n * item;
    } else {
      for (int64_t i = 0; i < n; i++, to += item) copy_one(to, row + i * step, (size_t)item);
    }
    for (int d = last - 1; d >= 0; d--) {
      row += t->strides[d] * item;
      if (++index[d] < t->sizes[d]) break;
      row -= t->strides[d] * item * t->sizes[d];
      index[d] = 0;
    }
  }
}

int tj_to_data(tj_tensor *t, void *data, size_t bytes) {
  if (!t) return tj_error_code() ? tj_error_code() : tj__fail_status(TJ_ERROR_VALUE, "to_data: there is no tensor");
  if (TJ__UNLIKELY(t->storage->device != TJ_CPU)) return tj__fail_asynchronous(t), tj_error_code();
  size_t needed = (size_t)t->numel * tj__itemsize(t);
  TJ__CHECK_STATUS(bytes == needed, TJ_ERROR_VALUE, "to_data: the tensor has %lld bytes, but there is room for %lld", (long long)needed,
                   (long long)bytes);
  if (!needed) return TJ_OK;
  if (tj__is_contiguous(t)) memcpy(data, tj__read(t), needed);
  else copy_strided(t, data);
  return TJ_OK;
}

tj_scalar tj_item(tj_tensor *t) {
  if (!t) return TJ_NO_SCALAR;
  if (t->numel != 1) {
    tj__fail(TJ_ERROR_RUNTIME, TJ__TEXT_item_error_not_scalar_1, (long long)t->numel);
    return TJ_NO_SCALAR;
  }
  if (TJ__UNLIKELY(t->storage->device != TJ_CPU)) return tj__fail_asynchronous(t), TJ_NO_SCALAR;
  return tj__load_scalar(tj__read(t), (tj_dtype)t->dtype);
}

tj_tensor *tj_scalar_tensor(tj_scalar value) {
  static const tj_dtype dtypes[] = {TJ_DTYPE_NONE, TJ_BOOL, TJ_INT64, TJ_FLOAT64, TJ_COMPLEX128};
  TJ__CHECK(value.kind >= TJ_SCALAR_BOOL && value.kind <= TJ_SCALAR_COMPLEX, TJ_ERROR_TYPE, "scalar_tensor: there is no number");
  tj_tensor *t = tj__empty(TJ_NO_DIMS, dtypes[value.kind], TJ_CPU);
  if (!t) return NULL;
  tj__store_scalar(tj__write(t), dtypes[value.kind], value);
  t->wrapped_number = true;
  return t;
}

void tj_string_free(char *string) { free(string); }

/* ---- what a tensor is ------------------------------------------------------------------------------------------ */

int tj_ndim(const tj_tensor *t) { return t ? t->ndim : 0; }

int64_t tj_size(const tj_tensor *t, int64_t dim) {
  if (!t) return -1;
  if (t->ndim == 0) {
    tj__fail(TJ_ERROR_INDEX, "Dimension specified as %lld but tensor has no dimensions", (long long)dim);
    return -1;
  }
  int d = tj__wrap_dim(dim, t->ndim);
  return d < 0 ? -1 : t->sizes[d];
}

int64_t tj_stride(const tj_tensor *t, int64_t dim) {
  if (!t) return -1;
  if (t->ndim == 0) {
    tj__fail(TJ_ERROR_INDEX, "Dimension specified as %lld but tensor has no dimensions", (long long)dim);
    return -1;
  }
  int d = tj__wrap_dim(dim, t->ndim);
  return d < 0 ? -1 : t->strides[d];
}

tj_ints tj_sizes(const tj_tensor *t) { return t ? tj__sizes(t) : TJ_NO_INTS; }
tj_ints tj_strides(const tj_tensor *t) { return t ? tj__strides(t) : TJ_NO_INTS; }
int64_t tj_numel(const tj_tensor *t) { return t ? t->numel : 0; }
int64_t tj_storage_offset(const tj_tensor *t) { return t ? t->offset : 0; }
tj_dtype tj_dtype_of(const tj_tensor *t) { return t ? (tj_dtype)t->dtype : TJ_DTYPE_NONE; }
tj_device tj_device_of(const tj_tensor *t) { return t ? t->storage->device : TJ_DEVICE_NONE; }
bool tj_is_contiguous(const tj_tensor *t) { return t && tj__is_contiguous(t); }

const void *tj_data(const tj_tensor *t) { return t && t->numel && t->storage->device == TJ_CPU ? tj__read(t) : NULL; }

void *tj_mutable_data(tj_tensor *t) {
  if (!t) return NULL;
  tj__bump_version(t);
  return t->numel && t->storage->device == TJ_CPU ? tj__write(t) : NULL;
}

uint32_t tj_version_of(const tj_tensor *t) { return t ? tj__version(t) : 0; }
