// An accepted connection comes in, and whether there is room for it leaves: in all, and for its
// client. What counts as open is what the kernel says: nobody has to tell that a connection has
// ended. Held by the gate and by binding/connection_counts.cc. Linux only.
//
// The region in shared memory: one page with the sum of each row, then the rows, each a table from
// a client to the number of its connections. A row has one process that writes to it; all read.
#pragma once

#include "error.h"
#include "file.h"
#include "map_file.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <unordered_map>
#include <vector>

namespace uwas::native {

/// The other end: IPv6, or IPv4 inside of it; all zeros for a unix socket.
using Address = std::array<std::uint8_t, 16>;

/// False for what is no address.
bool read_address(std::string_view text, Address &address);

/// Of an accepted connection, as accept(2) tells it.
Address address_of(const sockaddr_storage &peer);

/// A network; `bits` of IPv6, so 96 more than those of an IPv4 one.
struct Network {
  Address prefix{};
  int bits = 0;
};

struct ConnectionLimits {
  /// 0 is no limit, here and below.
  std::uint32_t total = 0;
  std::uint32_t per_address = 0;
  /// Neither limit holds for them.
  std::vector<Network> exempt{};
  /// Who hands on the connections of many clients: only `total` holds.
  std::vector<Network> shared{};
  /// Whether unix sockets are exempt.
  bool exempts_unix = false;
  /// Makes hashes that nobody outside can foretell; the same in all processes.
  std::array<std::uint64_t, 2> seed{};
};

/// Whether a connection was counted, or which limit there is no room under.
enum class Admission : std::uint8_t { taken, address, total };

class ConnectionCounts {
public:
  /// Of a region: so many processes count in it. One page of `sums`.
  static constexpr std::size_t rows = 256;
  static constexpr std::size_t slots = 32'768;
  static constexpr std::size_t page_bytes = 4096;
  static constexpr std::size_t row_bytes = slots * sizeof(std::uint64_t);
  static constexpr std::size_t region_bytes = page_bytes + rows * row_bytes;

  ConnectionCounts() = default;
  ConnectionCounts(const ConnectionCounts &) = delete;
  ConnectionCounts &operator=(const ConnectionCounts &) = delete;

  /// Counts in the row of a region that begins at `offset` of `memory`; in memory of its own where
  /// `memory` or `row` is negative. A row is empty, and nobody else's. Fails with not_regular,
  /// limit, io.
  [[nodiscard]] Failure open(int memory, std::uint64_t offset, int row, ConnectionLimits limits);

  /// Empties the row of a process that has ended. Fails as `open`.
  static Failure clear(int memory, std::uint64_t offset, int row);

  /// Counts the connection `fd` of `peer` where there is room.
  Admission admit(int fd, const Address &peer);

  /// The client behind a counted connection is another one than its peer: both limits hold for it
  /// now, whatever its balancer is exempt from. Where there is no room it is counted no more: who
  /// asks closes it.
  Admission move(int fd, const Address &client);

  /// Lets go of connections that have been closed.
  void sweep();

  /// Of this process.
  [[nodiscard]] std::size_t open_count() const { return held_.size(); }
  [[nodiscard]] std::uint64_t refused_total() const { return refused_total_; }
  [[nodiscard]] std::uint64_t refused_address() const { return refused_address_; }
  /// Who was refused last for having too many; empty before.
  [[nodiscard]] std::string last_refused() const;

  /// What is said to a client in clear that has asked something; by default nothing.
  std::string refusal;

private:
  struct Held {
    dev_t device = 0;
    ino_t inode = 0;
    /// Of its client; `slots` for none.
    std::size_t slot = slots;
    /// Whether the limit of all has been asked.
    bool is_limited = false;
  };
  enum class Standing : std::uint8_t { counted, shared, exempt };

  static bool is_open(int fd, const Held &held);
  [[nodiscard]] Standing standing_of(const Address &peer) const;
  /// The sum of all processes.
  [[nodiscard]] std::uint64_t total() const;
  /// Whether there is room for all that are counted by now.
  bool fits_total();
  /// One more for the client, in a slot; false where there is no room. No slot where the table is
  /// full.
  bool count(const Address &client, std::size_t &slot);
  /// Connections of other processes by the same mark.
  [[nodiscard]] std::uint64_t elsewhere(std::size_t bucket, std::uint32_t mark) const;
  void release(const Held &held);
  void forget(std::unordered_map<int, Held>::iterator held);
  void set_sum(std::int64_t change);
  void sweep_at_times();
  [[nodiscard]] std::uint64_t hash_of(const Address &client) const;
  [[nodiscard]] std::uint64_t *row(std::size_t index) const;

  MappedFile memory_;
  std::uint64_t *sums_ = nullptr;
  std::size_t row_count_ = 0;
  std::size_t own_ = 0;
  ConnectionLimits limits_;
  std::unordered_map<int, Held> held_;
  std::int64_t swept_ms_ = 0;
  std::int64_t pause_ms_ = 0;
  std::uint64_t refused_total_ = 0;
  std::uint64_t refused_address_ = 0;
  Address last_refused_{};
};

} // namespace uwas::native
