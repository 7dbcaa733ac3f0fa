// Sockets of this process and of children: what is counted, for whom, and when it is no more.
#include "../core/connection_counts.h"
#include "../core/shared_memory.h"
#include "test.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace uwas::native {

namespace {

Address at(std::string_view text) {
  Address address{};
  EXPECT(read_address(text, address));
  return address;
}

Network network(std::string_view text, int bits) { return {at(text), bits}; }

UniqueFd open_socket() { return UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

UniqueFd region() {
  Result<UniqueFd> made = create_shared(ConnectionCounts::region_bytes);
  EXPECT(made.ok());
  return std::move(made.value);
}

} // namespace

TEST("of one address so many are taken, of IPv6 of one /64, and others beside them") {
  ConnectionCounts counts;
  EXPECT_ERROR(counts.open(-1, 0, -1, {.per_address = 2}), Error::none);
  std::vector<UniqueFd> fds;
  const auto admit = [&](std::string_view peer) {
    fds.push_back(open_socket());
    return counts.admit(fds.back().get(), at(peer));
  };
  EXPECT(admit("192.0.2.1") == Admission::taken);
  EXPECT(admit("::ffff:192.0.2.1") == Admission::taken);
  EXPECT(admit("192.0.2.1") == Admission::address);
  EXPECT(admit("192.0.2.2") == Admission::taken);
  EXPECT(admit("2001:db8:1:2::1") == Admission::taken);
  EXPECT(admit("2001:db8:1:2:ffff::1") == Admission::taken);
  EXPECT(admit("2001:db8:1:2::3") == Admission::address);
  EXPECT(admit("2001:db8:1:3::1") == Admission::taken);
  EXPECT(counts.open_count() == 6);
  EXPECT(counts.refused_address() == 2 && counts.last_refused() == "2001:db8:1:2::3");
}

TEST("a connection that is closed counts no more, whether or not its number comes again") {
  ConnectionCounts counts;
  EXPECT_ERROR(counts.open(-1, 0, -1, {.total = 2, .per_address = 2}), Error::none);
  const Address peer = at("192.0.2.1");
  UniqueFd first = open_socket();
  UniqueFd second = open_socket();
  EXPECT(counts.admit(first.get(), peer) == Admission::taken);
  EXPECT(counts.admit(second.get(), peer) == Admission::taken);
  const int number = second.get();
  second.reset();
  UniqueFd again = open_socket();
  EXPECT(again.get() == number);
  EXPECT(counts.admit(again.get(), peer) == Admission::taken);
  first.reset();
  again.reset();
  counts.sweep();
  EXPECT(counts.open_count() == 0);
  const UniqueFd third = open_socket();
  const UniqueFd fourth = open_socket();
  const UniqueFd fifth = open_socket();
  EXPECT(counts.admit(third.get(), peer) == Admission::taken);
  EXPECT(counts.admit(fourth.get(), peer) == Admission::taken);
  EXPECT(counts.admit(fifth.get(), peer) == Admission::total);
  EXPECT(counts.open_count() == 2 && counts.refused_total() == 1);
}

TEST("a file that has the number of a closed connection is not taken for it") {
  ConnectionCounts counts;
  EXPECT_ERROR(counts.open(-1, 0, -1, {.total = 9}), Error::none);
  UniqueFd first = open_socket();
  EXPECT(counts.admit(first.get(), at("192.0.2.1")) == Admission::taken);
  const int number = first.get();
  first.reset();
  const UniqueFd other = open_socket();
  EXPECT(other.get() == number);
  counts.sweep();
  EXPECT(counts.open_count() == 0);
}

TEST("networks are exempt from both limits, or from that of an address alone") {
  ConnectionCounts counts;
  EXPECT_ERROR(counts.open(-1, 0, -1,
                           {.total = 3,
                            .per_address = 1,
                            .exempt = {network("10.0.0.0", 96 + 9)},
                            .shared = {network("fd00::", 8)}}),
               Error::none);
  std::vector<UniqueFd> fds;
  const auto admit = [&](const Address &peer) {
    fds.push_back(open_socket());
    return counts.admit(fds.back().get(), peer);
  };
  EXPECT(admit(at("fd12::1")) == Admission::taken);
  EXPECT(admit(at("fd12::1")) == Admission::taken);
  EXPECT(admit(at("10.200.0.1")) == Admission::taken);
  EXPECT(admit(at("10.200.0.1")) == Admission::total);
  EXPECT(admit(at("10.127.0.1")) == Admission::taken);
  EXPECT(admit(at("10.127.0.1")) == Admission::taken);
  EXPECT(admit(Address{}) == Admission::total);
}

TEST("the client behind a balancer is counted once it is known") {
  ConnectionCounts counts;
  const std::vector<Network> balancers{network("127.0.0.1", 128)};
  EXPECT_ERROR(counts.open(-1, 0, -1, {.per_address = 1, .shared = balancers}), Error::none);
  UniqueFd first = open_socket();
  const UniqueFd second = open_socket();
  EXPECT(counts.admit(first.get(), at("127.0.0.1")) == Admission::taken);
  EXPECT(counts.admit(second.get(), at("127.0.0.1")) == Admission::taken);
  EXPECT(counts.move(first.get(), at("192.0.2.1")) == Admission::taken);
  EXPECT(counts.move(first.get(), at("192.0.2.1")) == Admission::taken);
  EXPECT(counts.move(second.get(), at("192.0.2.1")) == Admission::address);
  EXPECT(counts.open_count() == 1);
  first.reset();
  const UniqueFd third = open_socket();
  EXPECT(counts.admit(third.get(), at("127.0.0.1")) == Admission::taken);
  EXPECT(counts.move(third.get(), at("192.0.2.1")) == Admission::taken);
}

TEST("behind a balancer that is exempt the limit of all holds for its clients") {
  ConnectionCounts counts;
  const std::vector<Network> balancers{network("127.0.0.1", 128)};
  EXPECT_ERROR(counts.open(-1, 0, -1, {.total = 1, .exempt = balancers, .shared = balancers}),
               Error::none);
  UniqueFd first = open_socket();
  const UniqueFd second = open_socket();
  EXPECT(counts.admit(first.get(), at("127.0.0.1")) == Admission::taken);
  EXPECT(counts.move(first.get(), at("192.0.2.1")) == Admission::taken);
  EXPECT(counts.admit(second.get(), at("127.0.0.1")) == Admission::taken);
  EXPECT(counts.move(second.get(), at("127.0.0.1")) == Admission::taken);
  EXPECT(counts.move(second.get(), at("192.0.2.2")) == Admission::total);
  EXPECT(counts.refused_total() == 1 && counts.open_count() == 1);
  first.reset();
  counts.sweep();
  // Who was refused is still there, and takes nobody's place.
  const UniqueFd third = open_socket();
  EXPECT(counts.admit(third.get(), at("127.0.0.1")) == Admission::taken);
  EXPECT(counts.move(third.get(), at("192.0.2.3")) == Admission::taken);
}

TEST("processes count together, and one that has ended is forgotten") {
  const UniqueFd memory = region();
  const Address peer = at("192.0.2.1");
  const ConnectionLimits limits{.total = 5, .per_address = 3};
  const pid_t child = fork();
  if (child == 0) {
    ConnectionCounts theirs;
    bool is_well = theirs.open(memory.get(), 0, 7, limits).error == Error::none;
    for (int i = 0; i < 2; i++)
      is_well = theirs.admit(open_socket().release(), peer) == Admission::taken && is_well;
    // As SIGKILL leaves it.
    _exit(is_well ? 0 : 1);
  }
  int status = 0;
  EXPECT(waitpid(child, &status, 0) == child && status == 0);
  ConnectionCounts mine;
  EXPECT_ERROR(mine.open(memory.get(), 0, 200, limits), Error::none);
  std::vector<UniqueFd> fds;
  const auto admit = [&](const Address &from) {
    fds.push_back(open_socket());
    return mine.admit(fds.back().get(), from);
  };
  EXPECT(admit(peer) == Admission::taken);
  EXPECT(admit(peer) == Admission::address);
  EXPECT(admit(at("192.0.2.2")) == Admission::taken);
  EXPECT(admit(at("192.0.2.3")) == Admission::taken);
  EXPECT(admit(at("192.0.2.4")) == Admission::total);
  EXPECT_ERROR(ConnectionCounts::clear(memory.get(), 0, 7), Error::none);
  EXPECT(admit(peer) == Admission::taken);
  EXPECT(admit(peer) == Admission::taken);
  EXPECT(admit(peer) == Admission::total);
}

TEST("where the memory is not large enough there are no counts") {
  Result<UniqueFd> small = create_shared(ConnectionCounts::page_bytes);
  ConnectionCounts counts;
  EXPECT_ERROR(counts.open(small.value.get(), 0, 0, {}), Error::not_regular);
  EXPECT_ERROR(ConnectionCounts::clear(-1, 0, 0), Error::io);
}

TEST("what is no address is none") {
  Address address{};
  EXPECT(!read_address("", address));
  EXPECT(!read_address("192.0.2", address));
  EXPECT(!read_address("fe80::1%eth0", address));
}

} // namespace uwas::native
