// The kernel's own guarded resolution where it has one, the walk by hand where it has not.
#include "open_beneath.h"

#include "walk_beneath.h"

#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#if defined(__linux__) && __has_include(<linux/openat2.h>)
#include <linux/openat2.h>
#include <sys/syscall.h>
#endif

namespace uwas::native {

namespace {

#ifdef SYS_openat2

/// Enough for a tree in which folders are being renamed; a tree under attack ends with `changed`.
constexpr int max_attempts = 32;

int openat2_beneath(int root, const char *path) {
  open_how how{};
  how.flags = read_flags;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  int fd = -1;
  // openat2(2): EAGAIN means that a rename raced with a ".."; "the caller may choose to retry".
  for (int attempt = 0; attempt < max_attempts; attempt++) {
    fd = open_retrying(
        [&] { return static_cast<int>(syscall(SYS_openat2, root, path, &how, sizeof how)); });
    if (fd >= 0 || errno != EAGAIN)
      break;
  }
  return fd;
}

Result<UniqueFd> resolve(int root, const char *path) {
  UniqueFd fd(openat2_beneath(root, path));
  if (fd.valid())
    return {.value = std::move(fd)};
  // ENOSYS: Linux before 5.6. EPERM: sandboxes that answer so to system calls they do not know.
  if (errno == ENOSYS || errno == EPERM)
    return walk_beneath(root, path);
  return {.failure = failure_of(errno)};
}

#else

Result<UniqueFd> resolve(int root, const char *path) { return walk_beneath(root, path); }

#endif

/// Running out of descriptors says nothing about the root; anything else is its fault.
Failure root_failure(int system) {
  const Failure failure = failure_of(system);
  return failure.error == Error::limit ? failure : Failure{Error::bad_root, system};
}

/// Only regular files and folders go on; anything else is closed again.
Result<UniqueFd> checked(UniqueFd fd) {
  struct stat status {};
  if (fstat(fd.get(), &status) != 0)
    return {.failure = failure_of(errno)};
  if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
    return {.failure = {Error::not_regular, 0}};
  return {.value = std::move(fd)};
}

} // namespace

Result<UniqueFd> open_beneath(std::string_view root, std::string_view path) {
  PathBuffer root_name;
  if (const Failure failure = root_name.set(root); failure.error != Error::none)
    return {.failure = {Error::bad_root, failure.system}};
  PathBuffer name;
  if (const Failure failure = name.set(path); failure.error != Error::none)
    return {.failure = failure};
  const UniqueFd root_fd(open_retrying([&] { return open(root_name.c_str(), folder_flags); }));
  if (!root_fd.valid())
    return {.failure = root_failure(errno)};
  Result<UniqueFd> opened = resolve(root_fd.get(), name.c_str());
  return opened.ok() ? checked(std::move(opened.value)) : std::move(opened);
}

} // namespace uwas::native
