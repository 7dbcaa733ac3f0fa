// A number in a table is a mark of the client in its upper half and a count in its lower one. Of a
// client one more is counted before the others are summed up, so that two processes that admit at
// the same time never admit too many together.
#include "connection_counts.h"

#include "shared_memory.h"

#include <algorithm>
#include <arpa/inet.h>
#include <atomic>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <sys/stat.h>
#include <utility>

namespace uwas::native {

namespace {

/// Slots in which a client may stand: two lines of the processor's cache.
constexpr std::size_t ways = 16;
constexpr std::size_t buckets = ConnectionCounts::slots / ways;
/// Between two looks for closed connections that are made because there is no room: so long at
/// least, and so many times as long as one takes.
constexpr std::int64_t sweep_ms = 50;
constexpr std::int64_t sweep_share = 20;
constexpr std::uint64_t count_mask = 0xffff'ffff;
/// ::ffff:0:0/96.
constexpr int mapped_bytes = 12;
/// What belongs to one client of IPv6 (RFC 6177).
constexpr std::size_t client_bytes = 8;

std::int64_t now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

std::uint64_t load(std::uint64_t &number) { return std::atomic_ref(number).load(); }

void store(std::uint64_t &number, std::uint64_t value) { std::atomic_ref(number).store(value); }

bool is_mapped(const Address &address) {
  return IN6_IS_ADDR_V4MAPPED(reinterpret_cast<const in6_addr *>(address.data()));
}

bool lies_in(const Address &address, const Network &network) {
  const auto whole = static_cast<std::size_t>(network.bits / 8);
  if (memcmp(address.data(), network.prefix.data(), whole) != 0)
    return false;
  const int rest = network.bits % 8;
  return rest == 0 || ((address[whole] ^ network.prefix[whole]) >> (8 - rest)) == 0;
}

bool lies_in(const Address &address, const std::vector<Network> &networks) {
  for (const Network &network : networks)
    if (lies_in(address, network))
      return true;
  return false;
}

/// The finalizer of MurmurHash3 (public domain): every bit of the input changes half of the output.
std::uint64_t mix(std::uint64_t value) {
  value = (value ^ (value >> 33)) * 0xff51'afd7'ed55'8ccd;
  value = (value ^ (value >> 33)) * 0xc4ce'b9fe'1a85'ec53;
  return value ^ (value >> 33);
}

} // namespace

bool read_address(std::string_view text, Address &address) {
  const std::string whole(text);
  address = {};
  if (inet_pton(AF_INET6, whole.c_str(), address.data()) == 1)
    return true;
  address = {};
  address[10] = address[11] = 0xff;
  return inet_pton(AF_INET, whole.c_str(), &address[mapped_bytes]) == 1;
}

Address address_of(const sockaddr_storage &peer) {
  Address address{};
  if (peer.ss_family == AF_INET6) {
    const auto &six = reinterpret_cast<const sockaddr_in6 &>(peer);
    memcpy(address.data(), &six.sin6_addr, sizeof address);
  } else if (peer.ss_family == AF_INET) {
    const auto &four = reinterpret_cast<const sockaddr_in &>(peer);
    address[10] = address[11] = 0xff;
    memcpy(&address[mapped_bytes], &four.sin_addr, sizeof four.sin_addr);
  }
  return address;
}

Failure ConnectionCounts::open(int memory, std::uint64_t offset, int row, ConnectionLimits limits) {
  limits_ = std::move(limits);
  UniqueFd own_memory;
  const bool is_alone = memory < 0 || row < 0 || row >= static_cast<int>(rows);
  row_count_ = is_alone ? 1 : rows;
  own_ = is_alone ? 0 : static_cast<std::size_t>(row);
  const std::size_t bytes = page_bytes + row_count_ * row_bytes;
  if (is_alone) {
    Result<UniqueFd> made = create_shared(bytes);
    if (!made.ok())
      return made.failure;
    own_memory = std::move(made.value);
    memory = own_memory.get();
    offset = 0;
  }
  Result<MappedFile> mapped = map_shared(memory, offset, bytes);
  if (!mapped.ok())
    return mapped.failure;
  memory_ = std::move(mapped.value);
  sums_ = static_cast<std::uint64_t *>(memory_.data());
  return {};
}

Failure ConnectionCounts::clear(int memory, std::uint64_t offset, int row) {
  Result<MappedFile> mapped = map_shared(memory, offset, page_bytes);
  if (!mapped.ok())
    return mapped.failure;
  const auto index = static_cast<std::size_t>(row);
  store(static_cast<std::uint64_t *>(mapped.value.data())[index], 0);
  const std::uint64_t start = offset + page_bytes + index * row_bytes;
  const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
  if (fallocate(memory, mode, static_cast<off_t>(start), row_bytes) != 0)
    return failure_of(errno);
  return {};
}

Admission ConnectionCounts::admit(int fd, const Address &peer) {
  // The kernel gives a number again when its file has been closed.
  if (const auto before = held_.find(fd); before != held_.end())
    forget(before);
  const Standing standing = standing_of(peer);
  set_sum(1);
  Held held;
  held.is_limited = standing != Standing::exempt;
  if (held.is_limited && !fits_total()) {
    set_sum(-1);
    return Admission::total;
  }
  if (standing == Standing::counted && !count(peer, held.slot)) {
    set_sum(-1);
    return Admission::address;
  }
  struct stat status {};
  fstat(fd, &status);
  held.device = status.st_dev;
  held.inode = status.st_ino;
  held_.emplace(fd, held);
  return Admission::taken;
}

Admission ConnectionCounts::move(int fd, const Address &client) {
  const auto found = held_.find(fd);
  // Whoever is looked for below must not go with the closed ones.
  if (found == held_.end() || found->second.slot != slots || !is_open(fd, found->second))
    return Admission::taken;
  Held &held = found->second;
  const Standing standing = standing_of(client);
  if (!held.is_limited && standing != Standing::exempt) {
    if (!fits_total()) {
      forget(found);
      return Admission::total;
    }
    held.is_limited = true;
  }
  if (standing != Standing::counted)
    return Admission::taken;
  if (count(client, held.slot))
    return Admission::taken;
  forget(found);
  return Admission::address;
}

void ConnectionCounts::sweep() {
  swept_ms_ = now_ms();
  for (auto at = held_.begin(); at != held_.end();) {
    const bool is_there = is_open(at->first, at->second);
    if (!is_there)
      release(at->second);
    at = is_there ? std::next(at) : held_.erase(at);
  }
  pause_ms_ = std::max(sweep_ms, (now_ms() - swept_ms_) * sweep_share);
}

bool ConnectionCounts::is_open(int fd, const Held &held) {
  struct stat status {};
  return fstat(fd, &status) == 0 && status.st_ino == held.inode && status.st_dev == held.device;
}

/// Who is refused all the time must not make all of them be looked at all the time.
void ConnectionCounts::sweep_at_times() {
  if (now_ms() - swept_ms_ >= pause_ms_)
    sweep();
}

ConnectionCounts::Standing ConnectionCounts::standing_of(const Address &peer) const {
  if (peer == Address{})
    return limits_.exempts_unix ? Standing::exempt : Standing::shared;
  if (lies_in(peer, limits_.exempt))
    return Standing::exempt;
  const bool is_shared = limits_.per_address == 0 || lies_in(peer, limits_.shared);
  return is_shared ? Standing::shared : Standing::counted;
}

std::uint64_t ConnectionCounts::total() const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < row_count_; i++)
    sum += load(sums_[i]);
  return sum;
}

bool ConnectionCounts::fits_total() {
  if (limits_.total == 0 || total() <= limits_.total)
    return true;
  sweep_at_times();
  if (total() <= limits_.total)
    return true;
  refused_total_++;
  return false;
}

bool ConnectionCounts::count(const Address &client, std::size_t &slot) {
  const std::uint64_t hash = hash_of(client);
  const std::size_t bucket = (hash >> 32) % buckets * ways;
  const std::uint32_t mark = static_cast<std::uint32_t>(hash) | 1;
  const auto find = [&] {
    std::size_t free = slots;
    for (std::size_t i = bucket; i < bucket + ways; i++) {
      const std::uint64_t number = load(row(own_)[i]);
      if (number >> 32 == mark)
        return i;
      if (number == 0 && free == slots)
        free = i;
    }
    return free;
  };
  for (bool has_swept = false;; has_swept = true) {
    slot = find();
    if (slot == slots)
      return true;
    std::uint64_t &number = row(own_)[slot];
    const std::uint64_t own = (load(number) & count_mask) + 1;
    store(number, std::uint64_t{mark} << 32 | own);
    if (own + elsewhere(bucket, mark) <= limits_.per_address)
      return true;
    store(number, own == 1 ? 0 : std::uint64_t{mark} << 32 | (own - 1));
    slot = slots;
    if (has_swept)
      break;
    sweep_at_times();
  }
  refused_address_++;
  last_refused_ = client;
  return false;
}

std::uint64_t ConnectionCounts::elsewhere(std::size_t bucket, std::uint32_t mark) const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < row_count_; i++) {
    if (i == own_ || load(sums_[i]) == 0)
      continue;
    for (std::size_t slot = bucket; slot < bucket + ways; slot++)
      if (const std::uint64_t number = load(row(i)[slot]); number >> 32 == mark)
        sum += number & count_mask;
  }
  return sum;
}

void ConnectionCounts::forget(std::unordered_map<int, Held>::iterator held) {
  release(held->second);
  held_.erase(held);
}

void ConnectionCounts::release(const Held &held) {
  set_sum(-1);
  if (held.slot == slots)
    return;
  std::uint64_t &number = row(own_)[held.slot];
  const std::uint64_t before = load(number);
  store(number, (before & count_mask) <= 1 ? 0 : before - 1);
}

void ConnectionCounts::set_sum(std::int64_t change) {
  std::uint64_t &sum = sums_[own_];
  store(sum, load(sum) + static_cast<std::uint64_t>(change));
}

std::uint64_t ConnectionCounts::hash_of(const Address &client) const {
  std::array<std::uint64_t, 2> words{};
  const std::size_t bytes = is_mapped(client) ? sizeof client : client_bytes;
  memcpy(words.data(), client.data(), bytes);
  return mix(mix(words[0] ^ limits_.seed[0]) + (words[1] ^ limits_.seed[1]));
}

std::uint64_t *ConnectionCounts::row(std::size_t index) const {
  return sums_ + (page_bytes + index * row_bytes) / sizeof(std::uint64_t);
}

std::string ConnectionCounts::last_refused() const {
  if (last_refused_ == Address{})
    return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (is_mapped(last_refused_))
    inet_ntop(AF_INET, &last_refused_[mapped_bytes], text.data(), text.size());
  else
    inet_ntop(AF_INET6, last_refused_.data(), text.data(), text.size());
  return text.data();
}

} // namespace uwas::native
