// Holds one descriptor per folder entered, and the text that is still to be walked.
#include "walk_beneath.h"

#include <cstring>
#include <unistd.h>
#include <utility>

namespace uwas::native {

namespace {

constexpr std::size_t max_depth = 256;
constexpr int max_links = 40; // MAXSYMLINKS of Linux, path_resolution(7)

class Walk {
public:
  explicit Walk(int root) : root_(root) {}

  Result<UniqueFd> run(std::string_view path);

private:
  [[nodiscard]] int current() const { return depth_ == 0 ? root_ : folders_[depth_ - 1].get(); }
  [[nodiscard]] Failure prepend(std::string_view text);
  [[nodiscard]] std::string_view next_name();
  [[nodiscard]] Failure leave();
  [[nodiscard]] Failure enter(UniqueFd folder);
  [[nodiscard]] Failure follow(const char *name, int why);
  [[nodiscard]] Result<UniqueFd> reopen_current() const;
  [[nodiscard]] Result<UniqueFd> step(std::string_view name);

  int root_;
  int links_ = 0;
  std::size_t depth_ = 0;
  std::array<UniqueFd, max_depth> folders_{};
  /// What is left to walk, between at_ and end_.
  std::array<char, PATH_MAX> pending_{};
  std::size_t at_ = 0;
  std::size_t end_ = 0;
};

Result<UniqueFd> Walk::run(std::string_view path) {
  if (path.empty())
    return {.failure = failure_of(ENOENT)};
  if (const Failure failure = prepend(path); failure.error != Error::none)
    return {.failure = failure};
  for (;;) {
    const std::string_view name = next_name();
    // The path ended in "/", "/." or "/..": what it names is the folder where the walk stands.
    if (name.empty())
      return reopen_current();
    Result<UniqueFd> reached = step(name);
    if (!reached.ok() || reached.value.valid())
      return reached;
  }
}

/// Puts `text` (the path, or a link's text) before what is left to walk.
Failure Walk::prepend(std::string_view text) {
  if (text.starts_with('/'))
    return failure_of(EXDEV);
  const std::size_t left = end_ - at_;
  if (text.size() + left > pending_.size())
    return failure_of(ENAMETOOLONG);
  std::memmove(pending_.data() + text.size(), pending_.data() + at_, left);
  std::memcpy(pending_.data(), text.data(), text.size());
  at_ = 0;
  end_ = text.size() + left;
  return {};
}

/// Takes the next name; the slash after it stays, and tells that a folder is expected.
std::string_view Walk::next_name() {
  while (at_ < end_ && pending_[at_] == '/')
    at_++;
  const std::size_t start = at_;
  while (at_ < end_ && pending_[at_] != '/')
    at_++;
  return {pending_.data() + start, at_ - start};
}

/// One name further. A valid descriptor is the end of the walk, an invalid one means "go on".
Result<UniqueFd> Walk::step(std::string_view name) {
  if (name == ".")
    return {};
  if (name == "..")
    return {.failure = leave()};
  std::array<char, NAME_MAX + 1> bytes{};
  if (name.size() > NAME_MAX)
    return {.failure = failure_of(ENAMETOOLONG)};
  std::memcpy(bytes.data(), name.data(), name.size());
  const bool last = at_ == end_;
  const int flags = (last ? read_flags : folder_flags) | O_NOFOLLOW;
  UniqueFd fd(open_retrying([&] { return openat(current(), bytes.data(), flags); }));
  if (!fd.valid())
    return {.failure = follow(bytes.data(), errno)};
  if (last)
    return {.value = std::move(fd)};
  return {.failure = enter(std::move(fd))};
}

Failure Walk::leave() {
  if (depth_ == 0)
    return failure_of(EXDEV);
  folders_[--depth_].reset();
  return {};
}

Failure Walk::enter(UniqueFd folder) {
  if (depth_ == max_depth)
    return failure_of(ENAMETOOLONG);
  folders_[depth_++] = std::move(folder);
  return {};
}

/// Goes on with the text of the link `name`; fails with `why` when it is not a link.
Failure Walk::follow(const char *name, int why) {
  // O_NOFOLLOW on a link: ELOOP, EMLINK on FreeBSD, ENOTDIR together with O_DIRECTORY.
  if (why != ELOOP && why != EMLINK && why != ENOTDIR)
    return failure_of(why);
  std::array<char, PATH_MAX> text{};
  const ssize_t length = readlinkat(current(), name, text.data(), text.size());
  if (length < 0)
    return failure_of(errno == EINVAL ? why : errno);
  if (++links_ > max_links)
    return failure_of(ELOOP);
  return prepend({text.data(), static_cast<std::size_t>(length)});
}

Result<UniqueFd> Walk::reopen_current() const {
  UniqueFd fd(open_retrying([&] { return openat(current(), ".", read_flags | O_DIRECTORY); }));
  if (!fd.valid())
    return {.failure = failure_of(errno)};
  return {.value = std::move(fd)};
}

} // namespace

Result<UniqueFd> walk_beneath(int root, std::string_view path) { return Walk(root).run(path); }

} // namespace uwas::native
