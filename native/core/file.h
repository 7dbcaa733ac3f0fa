// Small parts that map_file and open_beneath share: a descriptor that closes itself, a path that
// ends in NUL, and the flags with which every file is opened.
#pragma once

#include "error.h"

#include <array>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <fcntl.h>
#include <string_view>

namespace uwas::native {

/// Read only; not inherited by child processes; a FIFO or a device cannot make the open wait, and
/// a terminal does not become the controlling one.
constexpr int read_flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

/// Flags that open a folder only to look names up in it, without the right to list it where the
/// system can tell the two apart.
#ifdef O_PATH
constexpr int folder_flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
#else
constexpr int folder_flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
#endif

/// Owns a file descriptor; closes it when it goes away. Movable, not copyable.
class UniqueFd {
public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd &&other) noexcept : fd_(other.release()) {}
  UniqueFd &operator=(UniqueFd &&other) noexcept;
  UniqueFd(const UniqueFd &) = delete;
  UniqueFd &operator=(const UniqueFd &) = delete;
  ~UniqueFd() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  /// Hands the descriptor over to the caller, who closes it.
  [[nodiscard]] int release();
  void reset();

private:
  int fd_ = -1;
};

/// A copy of a path that ends in NUL, on the stack. Refuses NUL inside and more than PATH_MAX.
class PathBuffer {
public:
  [[nodiscard]] Failure set(std::string_view path);
  [[nodiscard]] const char *c_str() const { return bytes_.data(); }

private:
  std::array<char, PATH_MAX> bytes_{};
};

/// Calls `open` again while a signal interrupts it (slow file systems do that); its last result.
template <class Open> int open_retrying(Open open) {
  int fd = open();
  while (fd < 0 && errno == EINTR)
    fd = open();
  return fd;
}

} // namespace uwas::native
