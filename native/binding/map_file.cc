// mapFile: a mapping of core/ becomes an external ArrayBuffer, unmapped by its finalizer.
#include "../core/map_file.h"

#include "errors.h"
#include "functions.h"

#include <cerrno>
#include <cstring>
#include <new>
#include <string>
#include <utility>

namespace uwas::native {

namespace {

/// Well below the largest ArrayBuffer of every Node; MAX_MAP_BYTES of src/native/skin.ts is the
/// same number.
constexpr std::size_t max_bytes = std::size_t{1} << 30;

void finalize(napi_env /*env*/, void * /*data*/, void *hint) {
  delete static_cast<MappedFile *>(hint);
}

Napi::Value copy(Napi::Env env, const MappedFile &mapped) {
  Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(env, mapped.size());
  if (!env.IsExceptionPending() && mapped.size() > 0)
    std::memcpy(buffer.Data(), mapped.data(), mapped.size());
  return buffer;
}

} // namespace

Napi::Value map_file_binding(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  if (!check_strings(info, 1))
    return env.Undefined();
  Result<MappedFile> result = map_file(info[0].As<Napi::String>().Utf8Value(), max_bytes);
  if (!result.ok()) {
    throw_failure(env, result.failure);
    return env.Undefined();
  }
  MappedFile &mapped = result.value;
  if (mapped.size() == 0)
    return Napi::ArrayBuffer::New(env, 0);
  napi_value buffer = nullptr;
  auto *owner = new (std::nothrow) MappedFile(std::move(mapped));
  if (owner == nullptr) {
    throw_failure(env, {Error::limit, ENOMEM});
    return env.Undefined();
  }
  const napi_status status =
      napi_create_external_arraybuffer(env, owner->data(), owner->size(), finalize, owner, &buffer);
  // "Some runtimes other than Node.js have dropped support for external buffers" (Node-API,
  // napi_create_external_arraybuffer): there the bytes are copied and the mapping ends here.
  if (status == napi_no_external_buffers_allowed) {
    const Napi::Value copied = copy(env, *owner);
    delete owner;
    return copied;
  }
  // Any other failure leaves the mapping to the finalizer: Node calls it then too, and unmapping
  // twice would be worse than never.
  if (status != napi_ok) {
    throw_failure(env, {Error::limit, ENOMEM});
    return env.Undefined();
  }
  return Napi::Value(env, buffer);
}

} // namespace uwas::native
