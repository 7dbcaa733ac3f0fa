// How a mapping of core/ becomes an ArrayBuffer: without a copy, unmapped when that is collected.
#pragma once

#include "../core/map_file.h"

#include "errors.h"

#include <cerrno>
#include <napi.h>
#include <new>
#include <utility>

namespace uwas::native {

/// The bytes of `mapped`, which must not be empty. Where the runtime has no external buffers ("Some
/// runtimes other than Node.js have dropped support for external buffers", Node-API,
/// napi_create_external_arraybuffer), `otherwise` gets the mapping, which ends afterwards.
template <class Otherwise>
Napi::Value expose_mapping(Napi::Env env, MappedFile &mapped, Otherwise otherwise) {
  const auto finalize = [](napi_env, void *, void *hint) {
    delete static_cast<MappedFile *>(hint);
  };
  auto *owner = new (std::nothrow) MappedFile(std::move(mapped));
  if (owner == nullptr) {
    throw_failure(env, {Error::limit, ENOMEM});
    return env.Undefined();
  }
  napi_value buffer = nullptr;
  const napi_status status =
      napi_create_external_arraybuffer(env, owner->data(), owner->size(), finalize, owner, &buffer);
  if (status == napi_no_external_buffers_allowed) {
    const Napi::Value copied = otherwise(env, *owner);
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
