// listen and listenPath: a descriptor of core/ becomes { fd, port } or a number; JavaScript closes
// it. peerOf and socketKind tell of descriptors, boundUnsent sets an option of one.
#include "../core/listen.h"
#include "../core/listen_path.h"

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

Napi::Value listen_path_binding(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  if (!check_strings(info, 1))
    return env.Undefined();
  ListenPathOptions options;
  options.path = info[0].As<Napi::String>().Utf8Value();
  options.mode = info[1].ToNumber().Uint32Value();
  options.backlog = info[2].ToNumber().Int32Value();
  Result<UniqueFd> result = listen_at_path(options);
  if (!result.ok()) {
    throw_failure(env, result.failure);
    return env.Undefined();
  }
  return Napi::Number::New(env, result.value.release());
}

Napi::Value socket_kind_binding(const Napi::CallbackInfo &info) {
  const char *name = "none";
  switch (socket_kind(info[0].ToNumber().Int32Value())) {
  case SocketKind::tcp:
    name = "tcp";
    break;
  case SocketKind::unix_path:
    name = "unix";
    break;
  case SocketKind::deaf:
    name = "deaf";
    break;
  case SocketKind::none:
    break;
  }
  return Napi::String::New(info.Env(), name);
}

Napi::Value peer_of_binding(const Napi::CallbackInfo &info) {
  return Napi::String::New(info.Env(), peer_of(info[0].ToNumber().Int32Value()));
}

Napi::Value bound_unsent_binding(const Napi::CallbackInfo &info) {
  bound_unsent(info[0].ToNumber().Int32Value());
  return info.Env().Undefined();
}

} // namespace uwas::native
