// Memory that processes have together: one makes it and hands its descriptor on, each maps the
// parts that it wants. Called by binding/shared_memory.cc. Linux.
#pragma once

#include "error.h"
#include "file.h"
#include "map_file.h"

#include <cstddef>
#include <cstdint>

namespace uwas::native {

/// `bytes` of zeros, of which the system gives only those pages that somebody writes to
/// (memfd_create(2)). Its size is sealed, so that a mapping can never raise SIGBUS. Fails with
/// limit, io.
Result<UniqueFd> create_shared(std::size_t bytes);

/// A part of what `create_shared` has made, to read and to write. `offset` is a multiple of the
/// page size. The descriptor is not inherited by child processes from here on. Fails with
/// not_regular where the part does not lie inside, with limit, io.
Result<MappedFile> map_shared(int fd, std::uint64_t offset, std::size_t bytes);

} // namespace uwas::native
