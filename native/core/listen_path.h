// A path comes in, a listening unix socket comes out. Called by binding/listen.cc.
#pragma once

#include "file.h"

#include <cstdint>
#include <string>

namespace uwas::native {

struct ListenPathOptions {
  std::string path;
  /// Permissions of the socket: who may write may connect.
  std::uint32_t mode = 0666;
  int backlog = 512;
};

/// Takes the place of a socket that nobody listens on any more, and of nothing else; it is there
/// with its permissions and listens from the first moment. Errors: listen, limit.
Result<UniqueFd> listen_at_path(const ListenPathOptions &options);

/// What kind of socket a descriptor is.
enum class SocketKind : std::uint8_t { none, tcp, unix_path, deaf };

/// `deaf`: a stream socket that does not listen; `none`: anything else.
SocketKind socket_kind(int fd);

} // namespace uwas::native
