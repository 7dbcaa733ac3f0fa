// A root folder and a path below it come in, an open descriptor comes out, or a refusal when the
// path leads anywhere else. Called by binding/open_beneath.cc.
#pragma once

#include "error.h"
#include "file.h"

#include <string_view>

namespace uwas::native {

/// Opens, for reading, the regular file or folder that `path` names below the folder `root`.
///
/// Resolution never leaves `root`, not for a moment and not under a race: on Linux by openat2(2)
/// with RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS, elsewhere and where the kernel or a sandbox has no
/// openat2 by `walk_beneath`. Symbolic links are followed while they stay inside; an absolute path,
/// an absolute link (even one that points back inside) and a `..` above the root are refused.
/// `root` itself may be or contain links; hard links and mounts below it count as inside.
///
/// The descriptor is close-on-exec. A FIFO or device is opened without waiting, then refused.
/// Fails with outside, not_found, denied, not_regular, link_loop, bad_path, changed (renames kept
/// interfering), limit, io, and bad_root when it is the root that cannot be opened.
Result<UniqueFd> open_beneath(std::string_view root, std::string_view path);

} // namespace uwas::native
