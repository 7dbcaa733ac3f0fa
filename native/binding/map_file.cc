// mapFile: a mapping of core/ becomes an external ArrayBuffer, unmapped by its finalizer.
#include "../core/map_file.h"

#include "errors.h"
#include "functions.h"
#include "mapping.h"

#include <cstring>
#include <string>

namespace uwas::native {

namespace {

/// Well below the largest ArrayBuffer of every Node; MAX_MAP_BYTES of src/native/skin.ts is the
/// same number.
constexpr std::size_t max_bytes = std::size_t{1} << 30;

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
  return expose_mapping(env, mapped, copy);
}

} // namespace uwas::native
