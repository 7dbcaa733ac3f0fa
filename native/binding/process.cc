// endWithParent, pinToCore and notify: numbers and strings in, numbers out.
#include "../core/process.h"

#include "functions.h"

namespace uwas::native {

Napi::Value end_with_parent_binding(const Napi::CallbackInfo &info) {
  const auto parent = static_cast<pid_t>(info[0].ToNumber().Int32Value());
  const unsigned seconds = info[1].ToNumber().Uint32Value();
  return Napi::Boolean::New(info.Env(), end_with_parent(parent, seconds));
}

Napi::Value pin_to_core_binding(const Napi::CallbackInfo &info) {
  return Napi::Number::New(info.Env(), pin_to_core(info[0].ToNumber().Uint32Value()));
}

Napi::Value notify_binding(const Napi::CallbackInfo &info) {
  const std::string path = info[0].ToString().Utf8Value();
  const std::string state = info[1].ToString().Utf8Value();
  return Napi::Number::New(info.Env(), notify(path, state));
}

} // namespace uwas::native
