// A file's path comes in, its bytes come out as a read-only mapping. Called by binding/map_file.cc.
#pragma once

#include "error.h"

#include <cstddef>
#include <string_view>

namespace uwas::native {

/// The bytes of one file, mapped read-only; unmapped when it goes away. Movable, not copyable.
class MappedFile {
public:
  MappedFile() = default;
  MappedFile(void *data, std::size_t size) : data_(data), size_(size) {}
  MappedFile(MappedFile &&other) noexcept;
  MappedFile &operator=(MappedFile &&other) noexcept;
  MappedFile(const MappedFile &) = delete;
  MappedFile &operator=(const MappedFile &) = delete;
  ~MappedFile();

  /// Null for an empty file, which has nothing to map.
  [[nodiscard]] void *data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }

private:
  void unmap();

  void *data_ = nullptr;
  std::size_t size_ = 0;
};

/// Maps the regular file at `path`, whole, read-only and shared with the page cache (mmap(2)).
///
/// Only for files that nobody truncates or writes in place: touching a page beyond the end of a
/// file that has shrunk raises SIGBUS, and bytes written in place show through. Unlinking the file
/// or renaming another over it is harmless: the mapping keeps the old one alive.
/// The size is that of the opened descriptor, so a file replaced meanwhile is never mixed in.
///
/// Fails with not_found, denied, link_loop, not_regular (a folder, FIFO, socket or device),
/// too_large (more than `max_bytes`), bad_path, limit, io.
Result<MappedFile> map_file(std::string_view path, std::size_t max_bytes);

} // namespace uwas::native
