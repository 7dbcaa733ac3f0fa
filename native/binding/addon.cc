// Loaded by src/native/load.ts, once in every environment (main thread and workers). Nothing here
// or in core/ keeps state between calls, but for what core/process.h sets of the whole process, so
// environments cannot disturb one another; what a call makes belongs to the ArrayBuffer, descriptor
// or gate that it returns.
#include "functions.h"

namespace {

Napi::Object init(Napi::Env env, Napi::Object exports) {
  using namespace uwas::native;
  exports.Set("mapFile", Napi::Function::New<map_file_binding>(env, "mapFile"));
  exports.Set("openBeneath", Napi::Function::New<open_beneath_binding>(env, "openBeneath"));
#ifdef UWAS_GATE
  exports.Set("listen", Napi::Function::New<listen_binding>(env, "listen"));
  exports.Set("listenPath", Napi::Function::New<listen_path_binding>(env, "listenPath"));
  exports.Set("socketKind", Napi::Function::New<socket_kind_binding>(env, "socketKind"));
  exports.Set("peerOf", Napi::Function::New<peer_of_binding>(env, "peerOf"));
  exports.Set("boundUnsent", Napi::Function::New<bound_unsent_binding>(env, "boundUnsent"));
  exports.Set("endWithParent", Napi::Function::New<end_with_parent_binding>(env, "endWithParent"));
  exports.Set("pinToCore", Napi::Function::New<pin_to_core_binding>(env, "pinToCore"));
  exports.Set("judge", Napi::Function::New<judge_binding>(env, "judge"));
  exports.Set("notify", Napi::Function::New<notify_binding>(env, "notify"));
  exports.Set("createShared", Napi::Function::New<create_shared_binding>(env, "createShared"));
  exports.Set("mapShared", Napi::Function::New<map_shared_binding>(env, "mapShared"));
  exports.Set("countConnections", Napi::Function::New<count_connections_binding>(env));
  exports.Set("clearConnections", Napi::Function::New<clear_connections_binding>(env));
  exports.Set("admitConnection", Napi::Function::New<admit_connection_binding>(env));
  exports.Set("moveConnection", Napi::Function::New<move_connection_binding>(env));
  exports.Set("sweepConnections", Napi::Function::New<sweep_connections_binding>(env));
  exports.Set("accept", Napi::Function::New<accept_binding>(env, "accept"));
#endif
  return exports;
}

} // namespace

NODE_API_MODULE(uwas, init)
