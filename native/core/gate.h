// A listening socket comes in; accepted connections come out, each with the verdict on its first
// request, of which no byte has been read. One epoll set holds everything, so that
// binding/accept.cc has a single descriptor to watch. Linux only.
#pragma once

#include "connection_counts.h"
#include "file.h"
#include "head.h"

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace uwas::native {

/// Where a connection goes: the caller closes `fd` when it is done.
struct Arrival {
  int fd = -1;
  /// `odd` for whatever could not be judged in time, too.
  Verdict verdict = Verdict::odd;
  /// Of `pipelined` requests: see `paths_of_pipeline`.
  std::string paths;
};

struct GateOptions {
  /// A head that is longer is odd. The engine's own limit.
  std::size_t max_head_bytes = 4096;
  /// A connection without a byte is closed after this time.
  int silent_ms = 10'000;
  /// A head that is not complete this long after its first byte is odd.
  int partial_ms = 1'000;
  /// Whether there is room for a connection; outlives the gate. Null: there always is.
  ConnectionCounts *counts = nullptr;
};

class Gate {
public:
  Gate() = default;
  Gate(const Gate &) = delete;
  Gate &operator=(const Gate &) = delete;
  /// Closes all that has not been handed over.
  ~Gate();

  /// Starts to watch `listening`, which stays the caller's.
  [[nodiscard]] Failure open(int listening, const GateOptions &options);

  /// Readable whenever `step` has something to do.
  [[nodiscard]] int fd() const { return poll_.get(); }

  /// Accepts, looks, sorts out; what is ready is appended to `arrivals`. Never waits.
  void step(std::vector<Arrival> &arrivals);

  /// Takes what the kernel has already accepted, and then nothing more; what waits goes on.
  void stop_listening(std::vector<Arrival> &arrivals);

  /// Connections whose first request has not come whole.
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

  /// Hands over every connection that has sent something, and closes the silent ones.
  void drain(std::vector<Arrival> &arrivals);

private:
  struct Waiting {
    std::int64_t until_ms = 0;
    std::uint8_t looks = 0;
    bool spoke = false;
  };

  /// Whether more may wait.
  bool accept_some(std::vector<Arrival> &arrivals);
  [[nodiscard]] bool has_room(int fd, const sockaddr_storage &peer) const;
  void refuse(int fd);
  void look(int fd, bool is_last, std::vector<Arrival> &arrivals);
  bool wait(int fd, bool spoke);
  void release(int fd, Verdict verdict, std::string paths, std::vector<Arrival> &arrivals);
  void discard(int fd);
  void on_timer(std::vector<Arrival> &arrivals);
  void set_timer();

  UniqueFd poll_;
  UniqueFd timer_;
  int listening_ = -1;
  bool accepts_ = false;
  bool timer_runs_ = false;
  GateOptions options_;
  std::vector<char> bytes_;
  std::unordered_map<int, Waiting> waiting_;
};

} // namespace uwas::native
