// open_beneath: one list of cases, run with the kernel's openat2 and once more without it.
#include "../core/open_beneath.h"

#include "test.h"

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <initializer_list>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

namespace uwas::native {

namespace {

using test::Folder;
using test::read_all;

Error error_of(const Folder &folder, std::string_view path) {
  return open_beneath(folder / "root", path).failure.error;
}

/// The text of the file that `path` leads to; the error's meaning when it leads nowhere.
std::string text_of(const Folder &folder, std::string_view path) {
  const Result<UniqueFd> result = open_beneath(folder / "root", path);
  return result.ok() ? read_all(result.value.get()) : describe(result.failure.error);
}

bool is_folder(const Folder &folder, std::string_view path) {
  const Result<UniqueFd> result = open_beneath(folder / "root", path);
  struct stat status {};
  return result.ok() && fstat(result.value.get(), &status) == 0 && S_ISDIR(status.st_mode);
}

void make_tree(const Folder &folder) {
  folder.make_folder("root/a/b");
  folder.make_folder("root-2");
  folder.write("secret", "secret");
  folder.write("root-2/secret", "secret");
  folder.write("root/top.txt", "top");
  folder.write("root/a/b/deep.txt", "deep");
}

void opens_what_is_inside() {
  const Folder folder;
  make_tree(folder);
  EXPECT(text_of(folder, "top.txt") == "top");
  EXPECT(text_of(folder, "a/b/deep.txt") == "deep");
  EXPECT(text_of(folder, "./a//b/./deep.txt") == "deep");
  EXPECT(text_of(folder, "a/b/../../top.txt") == "top");
  for (const char *path : {".", "./", "a", "a/", "a/b/..", "a/."})
    EXPECT(is_folder(folder, path));
}

void follows_links_inside() {
  const Folder folder;
  make_tree(folder);
  folder.make_link("root/link", "a/b/deep.txt");
  folder.make_link("root/a/b/up", "../../top.txt");
  folder.make_link("root/folder", "a/b/");
  folder.make_link("root/twice", "folder/up");
  EXPECT(text_of(folder, "link") == "deep");
  EXPECT(text_of(folder, "a/b/up") == "top");
  EXPECT(text_of(folder, "folder/deep.txt") == "deep");
  EXPECT(text_of(folder, "twice") == "top");
  EXPECT(is_folder(folder, "folder"));
  EXPECT(is_folder(folder, "folder/"));
}

void refuses_what_leads_out() {
  const Folder folder;
  make_tree(folder);
  folder.make_link("root/out", "../secret");
  folder.make_link("root/out-folder", "..");
  folder.make_link("root/sibling", "../root-2/secret");
  folder.make_link("root/there-and-back", "../root/top.txt");
  folder.make_link("root/absolute", folder / "root/top.txt");
  folder.make_link("root/a/far", "../../../../../../etc/passwd");
  const std::string absolute = folder / "root/top.txt";
  for (const char *path :
       {"..", "../secret", "../root/top.txt", "a/../../secret", "/etc/passwd", "/", "out",
        "out-folder", "out-folder/secret", "sibling", "there-and-back", "absolute", "a/far"})
    EXPECT(error_of(folder, path) == Error::outside);
  EXPECT(error_of(folder, absolute) == Error::outside);
}

void says_why_nothing_is_there() {
  const Folder folder;
  make_tree(folder);
  folder.make_link("root/loop", "loop");
  folder.make_link("root/dangling", "nowhere");
  for (const char *path : {"", "missing", "missing/..", "top.txt/", "top.txt/.", "top.txt/..",
                           "top.txt/x", "dangling", "a/missing/deep.txt"})
    EXPECT(error_of(folder, path) == Error::not_found);
  EXPECT(error_of(folder, "loop") == Error::link_loop);
  EXPECT(error_of(folder, "loop/x") == Error::link_loop);
  EXPECT(error_of(folder, std::string(300, 'n')) == Error::bad_path);
  EXPECT(error_of(folder, std::string(PATH_MAX, 'n')) == Error::bad_path);
  EXPECT(error_of(folder, std::string_view("a\0b", 3)) == Error::bad_path);
}

void takes_only_files_and_folders() {
  const Folder folder;
  make_tree(folder);
  EXPECT(mkfifo((folder / "root/fifo").c_str(), 0600) == 0);
  EXPECT(error_of(folder, "fifo") == Error::not_regular);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "%s", (folder / "root/sock").c_str());
  EXPECT(bind(fd, reinterpret_cast<sockaddr *>(&address), sizeof address) == 0);
  EXPECT(error_of(folder, "sock") == Error::not_regular);
  close(fd);
}

void tells_a_bad_root_from_a_bad_path() {
  const Folder folder;
  make_tree(folder);
  folder.make_link("root-link", "root");
  EXPECT_ERROR(open_beneath(folder / "nowhere", "top.txt").failure, Error::bad_root);
  EXPECT_ERROR(open_beneath(folder / "secret", "top.txt").failure, Error::bad_root);
  EXPECT_ERROR(open_beneath("", "top.txt").failure, Error::bad_root);
  EXPECT_ERROR(open_beneath(std::string_view("a\0b", 3), "x").failure, Error::bad_root);
  EXPECT_ERROR(open_beneath(folder / "root-link", "top.txt").failure, Error::none);
}

void reports_running_out_of_descriptors() {
  const Folder folder;
  make_tree(folder);
  rlimit before{};
  EXPECT(getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit none = before;
  none.rlim_cur = 0;
  EXPECT(setrlimit(RLIMIT_NOFILE, &none) == 0);
  const Error error = error_of(folder, "top.txt");
  EXPECT(setrlimit(RLIMIT_NOFILE, &before) == 0);
  EXPECT(error == Error::limit);
}

struct Swapper {
  std::string link;
  std::string inside;
  std::string outside;
  std::atomic<bool> stop = false;
};

/// Swaps root/swap between a folder and a link that leads out, as an attacker would.
void *swap_until_stopped(void *argument) {
  auto *swapper = static_cast<Swapper *>(argument);
  while (!swapper->stop) {
    std::rename(swapper->link.c_str(), swapper->inside.c_str());
    std::rename(swapper->outside.c_str(), swapper->link.c_str());
    std::rename(swapper->link.c_str(), swapper->outside.c_str());
    std::rename(swapper->inside.c_str(), swapper->link.c_str());
  }
  return nullptr;
}

void is_not_deceived_by_a_race() {
  const Folder folder;
  make_tree(folder);
  folder.make_folder("root/swap");
  folder.write("root/swap/secret", "harmless");
  folder.make_link("out", "../root-2");
  Swapper swapper{folder / "root/swap", folder / "in", folder / "out"};
  pthread_t thread{};
  EXPECT(pthread_create(&thread, nullptr, swap_until_stopped, &swapper) == 0);
  int opened = 0;
  int refused = 0;
  for (int i = 0; i < 200'000 && (opened < 500 || refused < 500); i++) {
    const Result<UniqueFd> result = open_beneath(folder / "root", "swap/secret");
    (result.ok() ? opened : refused)++;
    if (result.ok())
      EXPECT(read_all(result.value.get()) == "harmless");
  }
  swapper.stop = true;
  EXPECT(pthread_join(thread, nullptr) == 0);
  EXPECT(opened > 0);
  EXPECT(refused > 0);
}

void run_list() {
  opens_what_is_inside();
  follows_links_inside();
  refuses_what_leads_out();
  says_why_nothing_is_there();
  takes_only_files_and_folders();
  tells_a_bad_root_from_a_bad_path();
  reports_running_out_of_descriptors();
  is_not_deceived_by_a_race();
}

#ifdef SYS_openat2

/// From here on openat2 answers ENOSYS to this process, as a kernel before 5.6 would.
bool take_openat2_away() {
  sock_filter rules[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  sock_fprog program{.len = sizeof rules / sizeof rules[0], .filter = rules};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 &&
         syscall(SYS_openat2, -1, "", nullptr, 0) == -1 && errno == ENOSYS;
}

#endif

} // namespace

TEST("files and folders inside are opened") { opens_what_is_inside(); }
TEST("links that stay inside are followed") { follows_links_inside(); }
TEST("whatever leads out is refused") { refuses_what_leads_out(); }
TEST("a path to nothing says why") { says_why_nothing_is_there(); }
TEST("FIFOs and sockets are refused without waiting") { takes_only_files_and_folders(); }
TEST("a bad root is told from a bad path") { tells_a_bad_root_from_a_bad_path(); }
TEST("no free descriptor is its own error") { reports_running_out_of_descriptors(); }
TEST("a folder swapped for a link that leads out never gives the outside") {
  is_not_deceived_by_a_race();
}

TEST("a descriptor is not inherited by child processes") {
  const Folder folder;
  make_tree(folder);
  const Result<UniqueFd> result = open_beneath(folder / "root", "top.txt");
  EXPECT((fcntl(result.value.get(), F_GETFD) & FD_CLOEXEC) != 0);
}

#ifdef SYS_openat2
// Last: it cannot be undone.
TEST("all of it holds without openat2, by the walk") {
  EXPECT(take_openat2_away());
  run_list();
  const Folder folder;
  std::string deep = "root";
  for (int i = 0; i < 300; i++)
    deep += "/d";
  folder.make_folder(deep);
  EXPECT(error_of(folder, std::string_view(deep).substr(5)) == Error::bad_path);
  EXPECT(is_folder(folder, std::string_view(deep).substr(5, 512)));
}
#endif

} // namespace uwas::native
