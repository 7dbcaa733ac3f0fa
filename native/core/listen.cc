// Tries the addresses that a name has, in the resolver's order; the first that can be had is it.
#include "listen.h"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <utility>

namespace uwas::native {

namespace {

/// More costs nothing and gains nothing; less makes large files dearer.
constexpr int max_unsent_bytes = 256 * 1024;

Failure listen_failure(int system) {
  const Failure failure = failure_of(system);
  return failure.error == Error::limit ? failure : Failure{Error::listen, system};
}

void set_option(int fd, int level, int option, int value) {
  // None of the options is worth failing for; what matters shows at bind(2).
  (void)setsockopt(fd, level, option, &value, sizeof value);
}

Result<UniqueFd> listen_at(const sockaddr *address, socklen_t length, const ListenOptions &options,
                           bool both_versions) {
  UniqueFd fd(socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  if (!fd.valid())
    return {.failure = listen_failure(errno)};
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (options.reuse_port)
    set_option(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1);
  if (address->sa_family == AF_INET6)
    set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, both_versions ? 0 : 1);
  // Accepted sockets inherit it: replies leave at once.
  set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  // A connection shows up with its first bytes, or after a second without any: one look is enough.
  set_option(fd.get(), IPPROTO_TCP, TCP_DEFER_ACCEPT, 1);
  if (bind(fd.get(), address, length) != 0 || listen(fd.get(), options.backlog) != 0)
    return {.failure = listen_failure(errno)};
  return {.value = std::move(fd)};
}

Result<UniqueFd> listen_everywhere(const ListenOptions &options) {
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(options.port);
  Result<UniqueFd> both =
      listen_at(reinterpret_cast<const sockaddr *>(&six), sizeof six, options, true);
  if (both.ok() || both.failure.system != EAFNOSUPPORT)
    return both;
  sockaddr_in four{};
  four.sin_family = AF_INET;
  four.sin_port = htons(options.port);
  return listen_at(reinterpret_cast<const sockaddr *>(&four), sizeof four, options, false);
}

} // namespace

Result<UniqueFd> listen_on(const ListenOptions &options) {
  if (options.host.empty())
    return listen_everywhere(options);
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo *found = nullptr;
  const std::string port = std::to_string(options.port);
  if (getaddrinfo(options.host.c_str(), port.c_str(), &hints, &found) != 0 || found == nullptr)
    return {.failure = {Error::listen, EADDRNOTAVAIL}};
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  Result<UniqueFd> result{.failure = {Error::listen, EADDRNOTAVAIL}};
  for (const addrinfo *at = found; at != nullptr && !result.ok(); at = at->ai_next)
    result = listen_at(at->ai_addr, at->ai_addrlen, options, false);
  return result;
}

void bound_unsent(int fd) {
  // Else it takes up to 4 MiB (tcp_wmem) at once, and nobody can tell how fast a reader is. It
  // bounds nothing that is on its way: tcp(7) calls it TCP_NOTSENT_LOWAT.
  set_option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, max_unsent_bytes);
}

std::uint16_t local_port(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr *>(&address), &length) != 0)
    return 0;
  if (address.ss_family == AF_INET6)
    return ntohs(reinterpret_cast<const sockaddr_in6 &>(address).sin6_port);
  if (address.ss_family == AF_INET)
    return ntohs(reinterpret_cast<const sockaddr_in &>(address).sin_port);
  return 0;
}

std::string peer_of(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (getpeername(fd, reinterpret_cast<sockaddr *>(&address), &length) != 0)
    return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET) {
    const auto &four = reinterpret_cast<const sockaddr_in &>(address);
    inet_ntop(AF_INET, &four.sin_addr, text.data(), text.size());
    return std::string(text.data()) + ' ' + std::to_string(ntohs(four.sin_port));
  }
  if (address.ss_family != AF_INET6)
    return {};
  const auto &six = reinterpret_cast<const sockaddr_in6 &>(address);
  if (IN6_IS_ADDR_V4MAPPED(&six.sin6_addr))
    inet_ntop(AF_INET, &six.sin6_addr.s6_addr[12], text.data(), text.size());
  else
    inet_ntop(AF_INET6, &six.sin6_addr, text.data(), text.size());
  return std::string(text.data()) + ' ' + std::to_string(ntohs(six.sin6_port));
}

} // namespace uwas::native
