// The same resolution as openat2(2) with RESOLVE_BENEATH, one name at a time, for systems without
// it. Called by open_beneath.cc.
#pragma once

#include "error.h"
#include "file.h"

#include <string_view>

namespace uwas::native {

/// Opens what `path` names below the open folder `root`, for reading.
///
/// Every name is opened relative to the descriptor of the folder before it, without following
/// links (openat(2), O_NOFOLLOW); links are read and their text is walked in the same way, so there
/// is no moment at which another process could swap a checked name. `..` goes back to a descriptor
/// that is already held. At most 40 links, as in the kernel, and 256 folders deep.
/// `path` holds no NUL and is shorter than PATH_MAX. The kind of file is not looked at.
Result<UniqueFd> walk_beneath(int root, std::string_view path);

} // namespace uwas::native
