// Errors have distinct meanings; owners of resources cannot be copied.
#include "../core/error.h"
#include "../core/file.h"
#include "../core/map_file.h"
#include "test.h"

#include <cerrno>
#include <set>
#include <string>
#include <type_traits>
#include <utility>

namespace uwas::native {

static_assert(!std::is_copy_constructible_v<UniqueFd>, "a second owner would close it twice");
static_assert(!std::is_copy_assignable_v<UniqueFd>);
static_assert(!std::is_copy_constructible_v<MappedFile>, "a second owner would unmap it twice");
static_assert(!std::is_copy_assignable_v<MappedFile>);
static_assert(!std::is_convertible_v<int, UniqueFd>, "owning a descriptor is said, not implied");

TEST("every error has a meaning of its own") {
  std::set<std::string> meanings;
  const int count = static_cast<int>(Error::io) + 1;
  for (int i = 0; i < count; i++)
    meanings.insert(describe(static_cast<Error>(i)));
  EXPECT(meanings.size() == static_cast<std::size_t>(count));
  EXPECT(!meanings.contains("unknown error"));
}

TEST("errno values become the errors that callers tell apart") {
  EXPECT_ERROR(failure_of(ENOENT), Error::not_found);
  EXPECT_ERROR(failure_of(ENOTDIR), Error::not_found);
  EXPECT_ERROR(failure_of(EACCES), Error::denied);
  EXPECT_ERROR(failure_of(EXDEV), Error::outside);
  EXPECT_ERROR(failure_of(EAGAIN), Error::changed);
  EXPECT_ERROR(failure_of(EMFILE), Error::limit);
  EXPECT_ERROR(failure_of(EIO), Error::io);
  EXPECT(failure_of(EIO).system == EIO);
}

TEST("a path buffer refuses NUL inside and takes PATH_MAX less one") {
  PathBuffer buffer;
  EXPECT_ERROR(buffer.set(std::string_view("a\0b", 3)), Error::bad_path);
  EXPECT_ERROR(buffer.set(std::string(PATH_MAX, 'a')), Error::bad_path);
  EXPECT_ERROR(buffer.set(std::string(PATH_MAX - 1, 'a')), Error::none);
  EXPECT_ERROR(buffer.set("short"), Error::none);
  EXPECT(std::string("short") == buffer.c_str());
}

TEST("a descriptor that was moved away is closed once, by its new owner") {
  UniqueFd first(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const int number = first.get();
  UniqueFd second(open("/dev/null", O_RDONLY | O_CLOEXEC));
  second = std::move(first);
  EXPECT(second.get() == number);
  EXPECT(fcntl(number, F_GETFD) >= 0);
  second.reset();
  EXPECT(fcntl(number, F_GETFD) < 0);
}

} // namespace uwas::native
