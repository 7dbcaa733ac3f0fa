// Every way in which the native core can fail, and how a failure travels: as a value beside the
// result, never as an exception. Read by all of core/ and by the one table of binding/errors.cc.
#pragma once

#include <cstdint>

namespace uwas::native {

/// What went wrong, seen from the caller's side. `describe` has one line for each.
enum class Error : std::uint8_t {
  none,
  not_found,
  denied,
  outside,
  not_regular,
  link_loop,
  bad_path,
  bad_root,
  too_large,
  changed,
  limit,
  listen,
  io,
};

/// The meaning of `error` in one line, in static storage.
const char *describe(Error error);

/// A failure: the kind, and the `errno` behind it (0 where the core itself refused).
struct Failure {
  Error error = Error::none;
  int system = 0;
};

/// The failure that an `errno` value of open(2), openat2(2), fstat(2) or mmap(2) stands for.
Failure failure_of(int system);

/// A value, or why there is none. `value` is usable only when `ok()`.
template <class Value> struct Result {
  Value value{};
  Failure failure{};

  [[nodiscard]] bool ok() const { return failure.error == Error::none; }
};

} // namespace uwas::native
