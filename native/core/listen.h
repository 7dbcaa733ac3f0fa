// An address comes in, a listening TCP socket comes out. Called by binding/listen.cc.
#pragma once

#include "file.h"

#include <cstdint>
#include <string>

namespace uwas::native {

struct ListenOptions {
  /// Name or address; empty for all addresses of both IP versions.
  std::string host;
  /// 0 takes any free port.
  std::uint16_t port = 0;
  /// Connections that may wait in the kernel.
  int backlog = 512;
  /// Several sockets share the address, and the kernel spreads connections over them.
  bool reuse_port = false;
};

/// Non-blocking, not inherited by child processes unless they are told to. Errors: listen, limit.
Result<UniqueFd> listen_on(const ListenOptions &options);

/// The other end of a connection as "address port", IPv4 as IPv4; empty when there is none any
/// more.
std::string peer_of(int fd);

/// Bounds what the kernel takes of a reply and cannot send yet, for all connections that a TCP
/// socket accepts from now on. Of any other descriptor nothing changes.
void bound_unsent(int fd);

/// The port that a listening socket has been given; 0 when it is none.
std::uint16_t local_port(int fd);

} // namespace uwas::native
