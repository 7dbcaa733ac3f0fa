// createShared and mapShared: numbers in, a descriptor or an ArrayBuffer out.
#include "../core/shared_memory.h"

#include "functions.h"
#include "mapping.h"

#include <cerrno>

namespace uwas::native {

Napi::Value create_shared_binding(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  Result<UniqueFd> result =
      create_shared(static_cast<std::size_t>(info[0].ToNumber().Int64Value()));
  if (!result.ok()) {
    throw_failure(env, result.failure);
    return env.Undefined();
  }
  return Napi::Number::New(env, result.value.release());
}

Napi::Value map_shared_binding(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  const int fd = info[0].ToNumber().Int32Value();
  const auto offset = static_cast<std::uint64_t>(info[1].ToNumber().Int64Value());
  const auto bytes = static_cast<std::size_t>(info[2].ToNumber().Int64Value());
  Result<MappedFile> result = map_shared(fd, offset, bytes);
  if (!result.ok()) {
    throw_failure(env, result.failure);
    return env.Undefined();
  }
  // A copy would be shared with nobody.
  return expose_mapping(env, result.value, [](Napi::Env inner, const MappedFile &) -> Napi::Value {
    throw_failure(inner, {Error::limit, ENOTSUP});
    return inner.Undefined();
  });
}

} // namespace uwas::native
