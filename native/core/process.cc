#include "process.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <dirent.h>
#include <sched.h>
#include <sys/prctl.h>
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

} // namespace uwas::native
