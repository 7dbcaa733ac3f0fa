// map_file: whole files, empty ones, replaced ones, and everything that is not a file.
#include "../core/map_file.h"

#include "test.h"

#include <cerrno>
#include <cstdio>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace uwas::native {

namespace {

using test::Folder;

constexpr std::size_t no_limit = std::size_t{1} << 40;

std::string_view text_of(const MappedFile &mapped) {
  return {static_cast<const char *>(mapped.data()), mapped.size()};
}

} // namespace

TEST("a file of one byte, of a page and of a page and one byte is mapped whole") {
  const Folder folder;
  for (const std::size_t size : {1UL, 4096UL, 4097UL, 5UL << 20}) {
    const std::string text(size, 'x');
    folder.write("file", text);
    const Result<MappedFile> result = map_file(folder / "file", no_limit);
    EXPECT_ERROR(result.failure, Error::none);
    EXPECT(text_of(result.value) == text);
  }
}

TEST("an empty file is no mapping and no error") {
  const Folder folder;
  folder.write("empty", "");
  const Result<MappedFile> result = map_file(folder / "empty", no_limit);
  EXPECT_ERROR(result.failure, Error::none);
  EXPECT(result.value.size() == 0);
  EXPECT(result.value.data() == nullptr);
}

TEST("mapped bytes stay as they were when the file is replaced or unlinked") {
  const Folder folder;
  folder.write("file", "old");
  folder.write("new", "new and longer");
  const Result<MappedFile> result = map_file(folder / "file", no_limit);
  EXPECT(std::rename((folder / "new").c_str(), (folder / "file").c_str()) == 0);
  EXPECT(text_of(result.value) == "old");
  EXPECT(unlink((folder / "file").c_str()) == 0);
  EXPECT(text_of(result.value) == "old");
}

TEST("a mapping that was moved away is unmapped once, by its new owner") {
  const Folder folder;
  folder.write("file", "bytes");
  Result<MappedFile> result = map_file(folder / "file", no_limit);
  Result<MappedFile> replaced = map_file(folder / "file", no_limit);
  replaced.value = std::move(result.value);
  EXPECT(text_of(replaced.value) == "bytes");
}

TEST("a file larger than the limit is refused, one as large is taken") {
  const Folder folder;
  folder.write("file", "12345");
  EXPECT_ERROR(map_file(folder / "file", 4).failure, Error::too_large);
  EXPECT_ERROR(map_file(folder / "file", 5).failure, Error::none);
}

TEST("what is not a regular file is not mapped, and a FIFO does not hang") {
  const Folder folder;
  EXPECT(mkfifo((folder / "fifo").c_str(), 0600) == 0);
  EXPECT_ERROR(map_file(folder / "fifo", no_limit).failure, Error::not_regular);
  EXPECT_ERROR(map_file(folder / ".", no_limit).failure, Error::not_regular);
  EXPECT_ERROR(map_file("/dev/null", no_limit).failure, Error::not_regular);
}

TEST("a path to nothing says so") {
  const Folder folder;
  folder.write("file", "x");
  folder.make_link("loop", "loop");
  EXPECT_ERROR(map_file(folder / "missing", no_limit).failure, Error::not_found);
  EXPECT_ERROR(map_file(folder / "file/x", no_limit).failure, Error::not_found);
  EXPECT_ERROR(map_file("", no_limit).failure, Error::not_found);
  EXPECT_ERROR(map_file(folder / "loop", no_limit).failure, Error::link_loop);
  EXPECT_ERROR(map_file(folder / std::string(300, 'n'), no_limit).failure, Error::bad_path);
  EXPECT_ERROR(map_file(std::string_view("a\0b", 3), no_limit).failure, Error::bad_path);
  EXPECT(map_file(folder / "missing", no_limit).failure.system == ENOENT);
}

} // namespace uwas::native
