// The socket is made beside its path and renamed to it, so that a server that starts over another
// one's leavings never leaves the path without a listener.
#include "listen_path.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace uwas::native {

namespace {

Failure failed(int system) {
  const Failure failure = failure_of(system);
  return failure.error == Error::limit ? failure : Failure{Error::listen, system};
}

bool address_of(const std::string &path, sockaddr_un &address) {
  address = {};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path)
    return false;
  std::copy(path.begin(), path.end(), std::begin(address.sun_path));
  return true;
}

/// 0 where the path is free, or has a socket that nobody listens on; else why it is not.
int taken(const std::string &path, const sockaddr_un &address) {
  struct stat found {};
  if (lstat(path.c_str(), &found) != 0)
    return errno == ENOENT ? 0 : errno;
  if (!S_ISSOCK(found.st_mode))
    return EEXIST;
  const UniqueFd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!probe.valid())
    return errno;
  if (connect(probe.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address) == 0)
    return EADDRINUSE;
  // EAGAIN: it listens, and so many wait that it takes no more.
  if (errno == EAGAIN)
    return EADDRINUSE;
  return errno == ECONNREFUSED || errno == ENOENT ? 0 : errno;
}

} // namespace

Result<UniqueFd> listen_at_path(const ListenPathOptions &options) {
  sockaddr_un address{};
  sockaddr_un beside{};
  const std::string made = options.path + "." + std::to_string(getpid());
  if (!address_of(options.path, address) || !address_of(made, beside))
    return {.failure = failed(ENAMETOOLONG)};
  if (const int why = taken(options.path, address); why != 0)
    return {.failure = failed(why)};
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid())
    return {.failure = failed(errno)};
  (void)unlink(made.c_str());
  if (bind(fd.get(), reinterpret_cast<const sockaddr *>(&beside), sizeof beside) != 0)
    return {.failure = failed(errno)};
  if (chmod(made.c_str(), options.mode) != 0 || listen(fd.get(), options.backlog) != 0 ||
      std::rename(made.c_str(), options.path.c_str()) != 0) {
    const int why = errno;
    (void)unlink(made.c_str());
    return {.failure = failed(why)};
  }
  return {.value = std::move(fd)};
}

SocketKind socket_kind(int fd) {
  int type = 0;
  int domain = 0;
  int listens = 0;
  socklen_t length = sizeof type;
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) != 0 || type != SOCK_STREAM)
    return SocketKind::none;
  length = sizeof domain;
  if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) != 0)
    return SocketKind::none;
  if (domain != AF_UNIX && domain != AF_INET && domain != AF_INET6)
    return SocketKind::none;
  length = sizeof listens;
  if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) != 0 || listens == 0)
    return SocketKind::deaf;
  return domain == AF_UNIX ? SocketKind::unix_path : SocketKind::tcp;
}

} // namespace uwas::native
