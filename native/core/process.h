// What a worker asks of the kernel for itself. Called by binding/process.cc. Linux.
#pragma once

#include <string>
#include <sys/types.h>

namespace uwas::native {

/// From now on the end of `parent`, which must be the parent, ends this process after `seconds`
/// (0: at once), whatever it is doing: prctl(2), PR_SET_PDEATHSIG. A later call changes the time.
/// False where the parent has ended already, or the kernel does not do it.
bool end_with_parent(pid_t parent, unsigned seconds);

/// Keeps all threads of this process on one core: of those that it may use the one at `index`,
/// counted around. Returns the core, or -1 where the kernel refuses: sched_setaffinity(2).
int pin_to_core(unsigned index);

/// Sends one datagram to the unix socket at `path`, where a leading `@` stands for the abstract
/// namespace: sd_notify(3). Returns 0 or the `errno` of sendto(2).
int notify(const std::string &path, const std::string &state);

} // namespace uwas::native
