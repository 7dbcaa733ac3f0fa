// memfd_create, ftruncate, seals; fstat, mmap.
#include "shared_memory.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace uwas::native {

Result<UniqueFd> create_shared(std::size_t bytes) {
  UniqueFd fd(memfd_create("uwas", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd.valid() || ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0 ||
      fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    return {.failure = failure_of(errno)};
  return {.value = std::move(fd)};
}

Result<MappedFile> map_shared(int fd, std::uint64_t offset, std::size_t bytes) {
  struct stat status {};
  if (fstat(fd, &status) != 0)
    return {.failure = failure_of(errno)};
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (!S_ISREG(status.st_mode) || bytes == 0 || bytes > size || offset > size - bytes)
    return {.failure = {Error::not_regular, EINVAL}};
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  void *data =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, static_cast<off_t>(offset));
  if (data == MAP_FAILED)
    return {.failure = failure_of(errno)};
  return {.value = MappedFile(data, bytes)};
}

} // namespace uwas::native
