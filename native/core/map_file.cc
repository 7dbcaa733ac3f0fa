// open, fstat, mmap, close: the descriptor is not needed once the mapping exists.
#include "map_file.h"

#include "file.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <utility>

namespace uwas::native {

MappedFile::MappedFile(MappedFile &&other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile &MappedFile::operator=(MappedFile &&other) noexcept {
  if (this != &other) {
    unmap();
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

MappedFile::~MappedFile() { unmap(); }

void MappedFile::unmap() {
  if (data_ != nullptr)
    munmap(data_, size_);
}

Result<MappedFile> map_file(std::string_view path, std::size_t max_bytes) {
  PathBuffer name;
  if (const Failure failure = name.set(path); failure.error != Error::none)
    return {.failure = failure};
  const UniqueFd fd(open_retrying([&] { return open(name.c_str(), read_flags); }));
  if (!fd.valid())
    return {.failure = failure_of(errno)};
  struct stat status {};
  if (fstat(fd.get(), &status) != 0)
    return {.failure = failure_of(errno)};
  if (!S_ISREG(status.st_mode))
    return {.failure = {Error::not_regular, S_ISDIR(status.st_mode) ? EISDIR : 0}};
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size > max_bytes)
    return {.failure = {Error::too_large, EFBIG}};
  if (size == 0) // mmap(2) refuses a length of 0
    return {};
  void *data = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (data == MAP_FAILED)
    return {.failure = failure_of(errno)};
  return {.value = MappedFile(data, size)};
}

} // namespace uwas::native
