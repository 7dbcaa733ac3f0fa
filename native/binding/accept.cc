// accept: libuv watches the gate's one descriptor; whenever connections are ready, JavaScript is
// called once with all of them. The gate lives until `close`, or until its environment ends.
#include "../core/gate.h"

#include "connection_counts.h"
#include "errors.h"
#include "event_loop.h"
#include "functions.h"

#include <cerrno>
#include <new>
#include <string_view>
#include <unistd.h>
#include <utility>
#include <vector>

namespace uwas::native {

namespace {

/// The lanes of src/native/skin.ts, by their numbers.
int lane_of(Verdict verdict) {
  switch (verdict) {
  case Verdict::ordinary:
    return 0;
  case Verdict::pipelined:
    return 1;
  case Verdict::odd:
  case Verdict::incomplete:
    break;
  }
  return 2;
}

class Watcher {
public:
  Watcher(const Napi::Env env, const Napi::Function callback)
      : env_(env), callback_(Napi::Persistent(callback)), context_(env, "uwas:accept") {}
  Watcher(const Watcher &) = delete;
  Watcher &operator=(const Watcher &) = delete;
  ~Watcher() { operator delete(handle_); }

  /// After a failure the watcher is gone.
  static Failure start(Watcher *watcher, int listening, GateOptions options, SharedCounts counts) {
    options.counts = counts.get();
    watcher->counts_ = std::move(counts);
    Failure failure = watcher->gate_.open(listening, options);
    if (failure.error == Error::none)
      failure = watcher->watch();
    if (failure.error != Error::none)
      delete watcher;
    return failure;
  }

  void stop_listening() {
    std::vector<Arrival> arrivals;
    gate_.stop_listening(arrivals);
    deliver(arrivals);
  }

  [[nodiscard]] std::size_t waiting() const { return gate_.waiting(); }

  /// Hands over what has begun to speak, and ends the watcher, which must not be used any more.
  void close() {
    std::vector<Arrival> arrivals;
    gate_.drain(arrivals);
    deliver(arrivals);
    if (hook_ != nullptr)
      napi_remove_async_cleanup_hook(hook_);
    hook_ = nullptr;
    close_handle();
  }

private:
  Failure watch() {
    uv_loop_s *loop = nullptr;
    handle_ = static_cast<uv_poll_s *>(operator new(uv_handle_size(uv_type_poll), std::nothrow));
    if (handle_ == nullptr || napi_get_uv_event_loop(env_, &loop) != napi_ok)
      return {Error::limit, ENOMEM};
    if (const int status = uv_poll_init(loop, handle_, gate_.fd()); status != 0)
      return failure_of(-status);
    uv_handle_set_data(handle(), this);
    uv_poll_start(handle_, uv_readable, on_readable);
    napi_add_async_cleanup_hook(env_, on_environment_end, this, &hook_);
    return {};
  }

  uv_handle_s *handle() { return reinterpret_cast<uv_handle_s *>(handle_); }

  static void on_readable(uv_poll_s *handle, int /*status*/, int /*events*/) {
    auto *watcher =
        static_cast<Watcher *>(uv_handle_get_data(reinterpret_cast<uv_handle_s *>(handle)));
    watcher->arrivals_.clear();
    watcher->gate_.step(watcher->arrivals_);
    watcher->deliver(watcher->arrivals_);
  }

  static void on_environment_end(napi_async_cleanup_hook_handle hook, void *data) {
    auto *watcher = static_cast<Watcher *>(data);
    watcher->hook_ = hook;
    watcher->close_handle();
  }

  void close_handle() {
    uv_poll_stop(handle_);
    uv_close(handle(), [](uv_handle_s *handle) {
      auto *watcher = static_cast<Watcher *>(uv_handle_get_data(handle));
      const napi_async_cleanup_hook_handle hook = watcher->hook_;
      delete watcher;
      if (hook != nullptr)
        napi_remove_async_cleanup_hook(hook);
    });
  }

  /// [fd, lane, paths, fd, lane, paths, …]
  void deliver(const std::vector<Arrival> &arrivals) {
    if (arrivals.empty())
      return;
    const Napi::HandleScope scope(env_);
    const Napi::Array batch = Napi::Array::New(env_, arrivals.size() * 3);
    std::uint32_t at = 0;
    for (const Arrival &arrival : arrivals) {
      batch.Set(at++, Napi::Number::New(env_, arrival.fd));
      batch.Set(at++, Napi::Number::New(env_, lane_of(arrival.verdict)));
      batch.Set(at++, Napi::String::New(env_, arrival.paths));
    }
    callback_.MakeCallback(env_.Global(), {batch}, context_);
    if (env_.IsExceptionPending())
      napi_fatal_exception(env_, env_.GetAndClearPendingException().Value());
  }

  Napi::Env env_;
  Napi::FunctionReference callback_;
  Napi::AsyncContext context_;
  /// The gate asks them.
  SharedCounts counts_;
  Gate gate_;
  uv_poll_s *handle_ = nullptr;
  napi_async_cleanup_hook_handle hook_ = nullptr;
  std::vector<Arrival> arrivals_;
};

Napi::Object controls(Napi::Env env, Watcher *watcher) {
  // Shared by the three functions; null once the gate is closed.
  auto *slot = new Watcher *(watcher);
  const Napi::Object object = Napi::Object::New(env);
  object.AddFinalizer([](Napi::Env, Watcher **held) { delete held; }, slot);
  object.Set("stop", Napi::Function::New(env, [slot](const Napi::CallbackInfo &) {
               if (*slot != nullptr)
                 (*slot)->stop_listening();
             }));
  object.Set("waiting", Napi::Function::New(env, [slot](const Napi::CallbackInfo &info) {
               const double count = *slot == nullptr ? 0 : static_cast<double>((*slot)->waiting());
               return Napi::Number::New(info.Env(), count);
             }));
  object.Set("close", Napi::Function::New(env, [slot](const Napi::CallbackInfo &) {
               Watcher *open = *slot;
               *slot = nullptr;
               if (open != nullptr)
                 open->close();
             }));
  return object;
}

} // namespace

Napi::Value judge_binding(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  if (info.Length() < 2 || !info[0].IsTypedArray() || !info[1].IsNumber()) {
    Napi::TypeError::New(env, "expected bytes and a number of bytes").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  const auto bytes = info[0].As<Napi::Uint8Array>();
  const std::string_view view(reinterpret_cast<const char *>(bytes.Data()), bytes.ByteLength());
  const Judgement judgement = judge_whole(view, info[1].As<Napi::Number>().Uint32Value());
  const Napi::Array result = Napi::Array::New(env, 2);
  result.Set(0U, Napi::Number::New(env, lane_of(judgement.verdict)));
  result.Set(1U, Napi::Number::New(env, static_cast<double>(judgement.line)));
  return result;
}

Napi::Value accept_binding(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  if (info.Length() < 3 || !info[0].IsNumber() || !info[1].IsNumber() || !info[2].IsFunction()) {
    Napi::TypeError::New(env, "expected a descriptor, a number of bytes and a function")
        .ThrowAsJavaScriptException();
    return env.Undefined();
  }
  GateOptions options;
  options.max_head_bytes = info[1].As<Napi::Number>().Uint32Value();
  const int listening = info[0].As<Napi::Number>().Int32Value();
  SharedCounts counts = info[3].IsExternal() ? counts_of(info[3]) : nullptr;
  auto *watcher = new (std::nothrow) Watcher(env, info[2].As<Napi::Function>());
  const Failure failure = watcher == nullptr
                              ? Failure{Error::limit, ENOMEM}
                              : Watcher::start(watcher, listening, options, std::move(counts));
  if (failure.error != Error::none) {
    throw_failure(env, failure);
    return env.Undefined();
  }
  return controls(env, watcher);
}

} // namespace uwas::native
