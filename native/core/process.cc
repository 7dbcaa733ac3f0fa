#include "process.h"

#include "file.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <dirent.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace uwas::native {

namespace {

std::atomic<unsigned> seconds_left{0};

/// In a signal's handler only calls of signal-safety(7). The default action of SIGALRM needs nobody
/// in this process to look at anything, so a loop without end does not keep it.
void on_parent_end(int /*signal*/) {
  const int before = errno;
  const unsigned seconds = seconds_left.load();
  if (seconds == 0)
    (void)kill(getpid(), SIGKILL);
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  (void)sigaction(SIGALRM, &standard, nullptr);
  (void)alarm(seconds);
  errno = before;
}

/// One that neither Node nor its users have a use for.
int parent_signal() { return SIGRTMAX - 1; }

} // namespace

bool end_with_parent(pid_t parent, unsigned seconds) {
  seconds_left.store(seconds);
  struct sigaction action {};
  action.sa_handler = on_parent_end;
  action.sa_flags = SA_RESTART | SA_ONSTACK;
  const int signal = parent_signal();
  if (sigaction(signal, &action, nullptr) != 0)
    return false;
  if (prctl(PR_SET_PDEATHSIG, static_cast<unsigned long>(signal), 0UL, 0UL, 0UL) != 0)
    return false;
  // It may have ended before the kernel was told.
  return getppid() == parent;
}

int pin_to_core(unsigned index) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
    return -1;
  const int count = CPU_COUNT(&allowed);
  if (count == 0)
    return -1;
  int nth = static_cast<int>(index % static_cast<unsigned>(count));
  int core = 0;
  while (!CPU_ISSET(core, &allowed) || nth-- > 0)
    core++;
  cpu_set_t chosen;
  CPU_ZERO(&chosen);
  CPU_SET(core, &chosen);
  // Threads that are made later have the core of the one that makes them.
  DIR *threads = opendir("/proc/self/task");
  if (threads == nullptr)
    return sched_setaffinity(0, sizeof chosen, &chosen) == 0 ? core : -1;
  bool pinned = true;
  while (const dirent *entry = readdir(threads)) {
    const pid_t thread = static_cast<pid_t>(std::strtol(entry->d_name, nullptr, 10));
    // One that has just ended needs none.
    if (thread > 0 && sched_setaffinity(thread, sizeof chosen, &chosen) != 0 && errno != ESRCH)
      pinned = false;
  }
  (void)closedir(threads);
  return pinned ? core : -1;
}

int notify(const std::string &path, const std::string &state) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path)
    return ENAMETOOLONG;
  path.copy(address.sun_path, path.size());
  if (path.front() == '@')
    address.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  const UniqueFd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.valid())
    return errno;
  const auto *to = reinterpret_cast<const sockaddr *>(&address);
  const ssize_t sent =
      sendto(fd.get(), state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT, to, length);
  return sent < 0 ? errno : 0;
}

} // namespace uwas::native
