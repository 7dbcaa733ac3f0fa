// openBeneath: a descriptor of core/ becomes a number that JavaScript closes.
#include "../core/open_beneath.h"

#include "errors.h"
#include "functions.h"

#include <string>

namespace uwas::native {

Napi::Value open_beneath_binding(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  if (!check_strings(info, 2))
    return env.Undefined();
  const std::string root = info[0].As<Napi::String>().Utf8Value();
  const std::string path = info[1].As<Napi::String>().Utf8Value();
  Result<UniqueFd> result = open_beneath(root, path);
  if (!result.ok()) {
    throw_failure(env, result.failure);
    return env.Undefined();
  }
  return Napi::Number::New(env, result.value.release());
}

} // namespace uwas::native
