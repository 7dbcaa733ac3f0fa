// countConnections and its functions: limits in, counts out, which a gate and Node's sockets share.
#include "connection_counts.h"

#include "errors.h"
#include "functions.h"

#include <string>
#include <sys/socket.h>
#include <utility>
#include <vector>

namespace uwas::native {

namespace {

/// [address, bits, address, bits, …], as src/native/connection-counts.ts has checked them.
std::vector<Network> networks_of(const Napi::Value &value) {
  std::vector<Network> networks;
  const auto list = value.As<Napi::Array>();
  for (std::uint32_t i = 0; i + 1 < list.Length(); i += 2) {
    Network network;
    network.bits = list.Get(i + 1).ToNumber().Int32Value();
    if (read_address(list.Get(i).ToString().Utf8Value(), network.prefix))
      networks.push_back(network);
  }
  return networks;
}

ConnectionLimits limits_of(const Napi::Object &options) {
  ConnectionLimits limits;
  limits.total = options.Get("total").ToNumber().Uint32Value();
  limits.per_address = options.Get("perAddress").ToNumber().Uint32Value();
  limits.exempt = networks_of(options.Get("exempt"));
  limits.shared = networks_of(options.Get("shared"));
  limits.exempts_unix = options.Get("exemptsUnix").ToBoolean();
  const auto seed = options.Get("seed").As<Napi::BigUint64Array>();
  bool is_lossless = true;
  for (std::size_t i = 0; i < limits.seed.size() && i < seed.ElementLength(); i++)
    limits.seed[i] =
        seed.Get(static_cast<std::uint32_t>(i)).As<Napi::BigInt>().Uint64Value(&is_lossless);
  return limits;
}

Napi::Value number_of(Napi::Env env, Admission admission) {
  return Napi::Number::New(env, static_cast<double>(admission));
}

} // namespace

SharedCounts counts_of(const Napi::Value &value) {
  return *value.As<Napi::External<SharedCounts>>().Data();
}

Napi::Value count_connections_binding(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  const auto options = info[3].As<Napi::Object>();
  auto counts = std::make_shared<ConnectionCounts>();
  const auto refusal = options.Get("refusal").As<Napi::Uint8Array>();
  counts->refusal.assign(reinterpret_cast<const char *>(refusal.Data()), refusal.ByteLength());
  const Failure failure = counts->open(info[0].ToNumber().Int32Value(),
                                       static_cast<std::uint64_t>(info[1].ToNumber().Int64Value()),
                                       info[2].ToNumber().Int32Value(), limits_of(options));
  if (failure.error != Error::none) {
    throw_failure(env, failure);
    return env.Undefined();
  }
  return Napi::External<SharedCounts>::New(env, new SharedCounts(std::move(counts)),
                                           [](Napi::Env, SharedCounts *held) { delete held; });
}

Napi::Value clear_connections_binding(const Napi::CallbackInfo &info) {
  const Failure failure = ConnectionCounts::clear(
      info[0].ToNumber().Int32Value(), static_cast<std::uint64_t>(info[1].ToNumber().Int64Value()),
      info[2].ToNumber().Int32Value());
  if (failure.error != Error::none)
    throw_failure(info.Env(), failure);
  return info.Env().Undefined();
}

Napi::Value admit_connection_binding(const Napi::CallbackInfo &info) {
  const int fd = info[1].ToNumber().Int32Value();
  sockaddr_storage peer{};
  socklen_t length = sizeof peer;
  // It has gone: there is nothing to count.
  if (getpeername(fd, reinterpret_cast<sockaddr *>(&peer), &length) != 0)
    return number_of(info.Env(), Admission::taken);
  return number_of(info.Env(), counts_of(info[0])->admit(fd, address_of(peer)));
}

Napi::Value move_connection_binding(const Napi::CallbackInfo &info) {
  Address client{};
  const bool is_known = read_address(info[2].ToString().Utf8Value(), client);
  const int fd = info[1].ToNumber().Int32Value();
  const Admission admission = is_known ? counts_of(info[0])->move(fd, client) : Admission::taken;
  return number_of(info.Env(), admission);
}

Napi::Value sweep_connections_binding(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  const SharedCounts counts = counts_of(info[0]);
  counts->sweep();
  const Napi::Array stats = Napi::Array::New(env, 4);
  stats.Set(0U, Napi::Number::New(env, static_cast<double>(counts->open_count())));
  stats.Set(1U, Napi::Number::New(env, static_cast<double>(counts->refused_total())));
  stats.Set(2U, Napi::Number::New(env, static_cast<double>(counts->refused_address())));
  stats.Set(3U, Napi::String::New(env, counts->last_refused()));
  return stats;
}

} // namespace uwas::native
