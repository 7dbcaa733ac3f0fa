// listen: a descriptor of core/ becomes { fd, port }; JavaScript closes it.
#include "../core/listen.h"

#include "errors.h"
#include "functions.h"

namespace uwas::native {

Napi::Value listen_binding(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  if (!check_strings(info, 1))
    return env.Undefined();
  ListenOptions options;
  options.host = info[0].As<Napi::String>().Utf8Value();
  options.port = static_cast<std::uint16_t>(info[1].ToNumber().Uint32Value());
  options.backlog = info[2].ToNumber().Int32Value();
  options.reuse_port = info[3].ToBoolean().Value();
  Result<UniqueFd> result = listen_on(options);
  if (!result.ok()) {
    throw_failure(env, result.failure);
    return env.Undefined();
  }
  const Napi::Object listening = Napi::Object::New(env);
  listening.Set("port", Napi::Number::New(env, local_port(result.value.get())));
  listening.Set("fd", Napi::Number::New(env, result.value.release()));
  return listening;
}

Napi::Value peer_of_binding(const Napi::CallbackInfo &info) {
  return Napi::String::New(info.Env(), peer_of(info[0].ToNumber().Int32Value()));
}

} // namespace uwas::native
