// Runs every case, names those that fail, ends with the counts. Started by run.mjs.
#include "test.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <dirent.h>
#include <fcntl.h>
#include <filesystem>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace uwas::native::test {

namespace {

struct Entry {
  const char *title;
  Body body;
};

std::vector<Entry> &entries() {
  static std::vector<Entry> all;
  return all;
}

int expectations_failed = 0;

} // namespace

Case::Case(const char *title, Body body) { entries().push_back({title, body}); }

void fail(const char *file, int line, std::string_view what) {
  expectations_failed++;
  std::printf("  %s:%d: expected %.*s\n", file, line, static_cast<int>(what.size()), what.data());
}

Folder::Folder() {
  std::string path = std::filesystem::temp_directory_path() / "uwas-core-XXXXXX";
  if (mkdtemp(path.data()) == nullptr) {
    std::perror("mkdtemp");
    std::exit(2);
  }
  path_ = path;
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string Folder::operator/(std::string_view name) const {
  return path_ + "/" + std::string(name);
}

void Folder::make_folder(std::string_view name) const {
  std::error_code error;
  std::filesystem::create_directories(*this / name, error);
  EXPECT(!error);
}

void Folder::make_link(std::string_view name, std::string_view target) const {
  EXPECT(symlink(std::string(target).c_str(), (*this / name).c_str()) == 0);
}

void Folder::write(std::string_view name, std::string_view text) const {
  const std::string path = *this / name;
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  EXPECT(fd >= 0);
  EXPECT(::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  close(fd);
}

std::string read_all(int fd) {
  std::string text;
  std::array<char, 4096> part{};
  for (ssize_t count = read(fd, part.data(), part.size()); count > 0;
       count = read(fd, part.data(), part.size()))
    text.append(part.data(), static_cast<std::size_t>(count));
  return text;
}

int count_open_files() {
  int count = 0;
  for (int fd = 0; fd < 1024; fd++)
    count += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
  return count;
}

int run_all() {
  int passed = 0;
  int failed = 0;
  for (const Entry &entry : entries()) {
    expectations_failed = 0;
    const int open_before = count_open_files();
    entry.body();
    if (count_open_files() != open_before)
      fail(__FILE__, __LINE__, "as many open files after the case as before");
    std::printf("%s %s\n", expectations_failed == 0 ? "ok    " : "FAILED", entry.title);
    (expectations_failed == 0 ? passed : failed)++;
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}

} // namespace uwas::native::test

int main() { return uwas::native::test::run_all(); }
