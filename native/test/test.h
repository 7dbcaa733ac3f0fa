// A very small test kit: cases register themselves, main.cc runs them and counts.
#pragma once

#include "../core/error.h"

#include <string>
#include <string_view>

namespace uwas::native::test {

using Body = void (*)();

/// Registers a case; `title` is the behaviour as a sentence. Made by TEST.
struct Case {
  Case(const char *title, Body body);
};

/// Notes a failed expectation of the running case and goes on.
void fail(const char *file, int line, std::string_view what);

/// A temporary folder with a few files to work on; gone, with all in it, at the end of its life.
class Folder {
public:
  Folder();
  Folder(const Folder &) = delete;
  Folder &operator=(const Folder &) = delete;
  ~Folder();

  [[nodiscard]] std::string operator/(std::string_view name) const;
  void make_folder(std::string_view name) const;
  void make_link(std::string_view name, std::string_view target) const;
  void write(std::string_view name, std::string_view text) const;

private:
  std::string path_;
};

/// All bytes that can be read from `fd`.
std::string read_all(int fd);

/// How many descriptors the process has open: the same before and after means that none leaked.
int count_open_files();

} // namespace uwas::native::test

#define TEST_JOIN_(a, b) a##b
#define TEST_NAME_(a, b) TEST_JOIN_(a, b)
#define TEST(title)                                                                                \
  static void TEST_NAME_(body_, __LINE__)();                                                       \
  static const ::uwas::native::test::Case TEST_NAME_(case_, __LINE__)(                             \
      title, TEST_NAME_(body_, __LINE__));                                                         \
  static void TEST_NAME_(body_, __LINE__)()

#define EXPECT(condition)                                                                          \
  do {                                                                                             \
    if (!(condition))                                                                              \
      ::uwas::native::test::fail(__FILE__, __LINE__, #condition);                                  \
  } while (false)

/// Fails with the meaning of what came instead.
#define EXPECT_ERROR(failure, expected)                                                            \
  do {                                                                                             \
    const auto got_ = (failure).error;                                                             \
    if (got_ != (expected))                                                                        \
      ::uwas::native::test::fail(__FILE__, __LINE__,                                               \
                                 std::string(#failure ": ") + ::uwas::native::describe(got_));     \
  } while (false)
