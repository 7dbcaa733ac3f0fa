// The parts of file.h that are not worth inlining.
#include "file.h"

#include <cstring>
#include <unistd.h>

namespace uwas::native {

UniqueFd &UniqueFd::operator=(UniqueFd &&other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

int UniqueFd::release() {
  const int fd = fd_;
  fd_ = -1;
  return fd;
}

void UniqueFd::reset() {
  // The result of close(2) says nothing about a descriptor that was only read from, and after EINTR
  // Linux has closed it all the same.
  if (fd_ >= 0)
    close(fd_);
  fd_ = -1;
}

Failure PathBuffer::set(std::string_view path) {
  if (path.size() >= bytes_.size())
    return {Error::bad_path, ENAMETOOLONG};
  if (path.find('\0') != std::string_view::npos)
    return {Error::bad_path, 0};
  std::memcpy(bytes_.data(), path.data(), path.size());
  bytes_[path.size()] = '\0';
  return {};
}

} // namespace uwas::native
