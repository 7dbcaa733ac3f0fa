// Memory of two processes: what one writes the other reads, and nothing outside of it is mapped.
#include "../core/shared_memory.h"
#include "test.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace uwas::native {

namespace {

constexpr std::size_t page = 4096;

TEST("what a process writes into shared memory another one reads") {
  Result<UniqueFd> made = create_shared(4 * page);
  EXPECT(made.ok());
  const int fd = made.value.get();
  EXPECT((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
  Result<MappedFile> mine = map_shared(fd, page, page);
  EXPECT(mine.ok());
  auto *words = static_cast<int *>(mine.value.data());
  EXPECT(words[0] == 0);
  const pid_t child = fork();
  if (child == 0) {
    Result<MappedFile> theirs = map_shared(fd, page, page);
    if (theirs.ok())
      static_cast<int *>(theirs.value.data())[0] = 42;
    _exit(theirs.ok() ? 0 : 1);
  }
  int status = 0;
  EXPECT(waitpid(child, &status, 0) == child && status == 0);
  EXPECT(words[0] == 42);
}

TEST("shared memory cannot be cut short, and nothing beside it is mapped") {
  Result<UniqueFd> made = create_shared(2 * page);
  EXPECT(made.ok());
  const int fd = made.value.get();
  EXPECT(ftruncate(fd, page) != 0);
  EXPECT_ERROR(map_shared(fd, page, 2 * page).failure, Error::not_regular);
  EXPECT_ERROR(map_shared(fd, 3 * page, page).failure, Error::not_regular);
  EXPECT_ERROR(map_shared(fd, 0, 0).failure, Error::not_regular);
  EXPECT(!map_shared(fd, 100, page).ok());
  EXPECT(!map_shared(-1, 0, page).ok());
  EXPECT_ERROR(map_shared(STDIN_FILENO, ~std::uint64_t{0}, page).failure, Error::not_regular);
}

} // namespace

} // namespace uwas::native
