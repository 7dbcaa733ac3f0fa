// Real sockets on the loopback: what the gate hands over, when, and that nothing has been read of
// it.
#include "../core/gate.h"
#include "../core/listen.h"
#include "test.h"

#include <array>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace uwas::native {

namespace {

const std::string plain = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

UniqueFd dial(std::uint16_t port) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT(connect(fd.get(), reinterpret_cast<const sockaddr *>(&to), sizeof to) == 0);
  return fd;
}

void say(const UniqueFd &fd, std::string_view text) {
  EXPECT(send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(text.size()));
}

struct Fixture {
  UniqueFd listening;
  std::uint16_t port = 0;
  Gate gate;
  std::vector<Arrival> arrivals;

  explicit Fixture(GateOptions options = {}) {
    Result<UniqueFd> result = listen_on({.host = "127.0.0.1"});
    EXPECT(result.ok());
    listening = std::move(result.value);
    port = local_port(listening.get());
    EXPECT_ERROR(gate.open(listening.get(), options), Error::none);
  }
  Fixture(const Fixture &) = delete;
  Fixture &operator=(const Fixture &) = delete;
  ~Fixture() {
    for (const Arrival &arrival : arrivals)
      close(arrival.fd);
  }

  /// Steps until so many have arrived, for at most `ms`.
  void step_until(std::size_t count, int ms = 5000) {
    while (arrivals.size() < count && ms > 0) {
      pollfd waits{gate.fd(), POLLIN, 0};
      poll(&waits, 1, 50);
      ms -= 50;
      gate.step(arrivals);
    }
  }
};

} // namespace

TEST("connections take over what bounds the bytes that are not sent yet") {
  Fixture fixture;
  bound_unsent(fixture.listening.get());
  const UniqueFd client = dial(fixture.port);
  say(client, plain);
  fixture.step_until(1);
  EXPECT(fixture.arrivals.size() == 1);
  int bytes = 0;
  socklen_t length = sizeof bytes;
  EXPECT(getsockopt(fixture.arrivals[0].fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &bytes, &length) == 0);
  EXPECT(bytes == 256 * 1024);
  bound_unsent(-1);
}

TEST("an ordinary connection is handed over with all of its bytes") {
  Fixture fixture;
  const UniqueFd client = dial(fixture.port);
  say(client, plain);
  fixture.step_until(1);
  EXPECT(fixture.arrivals.size() == 1);
  EXPECT(fixture.arrivals[0].verdict == Verdict::ordinary);
  std::array<char, 100> bytes{};
  const ssize_t count = recv(fixture.arrivals[0].fd, bytes.data(), bytes.size(), 0);
  EXPECT(std::string_view(bytes.data(), static_cast<std::size_t>(count)) == plain);
}

TEST("a pipeline comes with its paths, and without any where it is not of whole reads") {
  Fixture fixture;
  const UniqueFd whole = dial(fixture.port);
  say(whole, plain + "HEAD /b HTTP/1.1\r\nHost: x\r\n\r\n");
  fixture.step_until(1);
  const UniqueFd cut = dial(fixture.port);
  say(cut, plain + "GET /b");
  fixture.step_until(2);
  EXPECT(fixture.arrivals.size() == 2);
  for (const Arrival &arrival : fixture.arrivals)
    EXPECT(arrival.verdict == Verdict::pipelined);
  EXPECT(fixture.arrivals[0].paths == "/ /b");
  EXPECT(fixture.arrivals[1].paths.empty());
}

TEST("a head that comes byte by byte is odd after a number of looks, and whole before that") {
  Fixture fixture;
  const UniqueFd slow = dial(fixture.port);
  const UniqueFd halved = dial(fixture.port);
  say(halved, plain.substr(0, 10));
  for (std::size_t i = 0; i < plain.size() && fixture.arrivals.empty(); i++) {
    say(slow, plain.substr(i, 1));
    fixture.step_until(1, 100);
  }
  EXPECT(fixture.arrivals.size() == 1 && fixture.arrivals[0].verdict == Verdict::odd);
  say(halved, plain.substr(10));
  fixture.step_until(2);
  EXPECT(fixture.arrivals.size() == 2 && fixture.arrivals[1].verdict == Verdict::ordinary);
}

TEST("a head that does not end in time, or ends the connection, is odd") {
  Fixture fixture({.partial_ms = 1});
  const UniqueFd late = dial(fixture.port);
  say(late, "GET");
  fixture.step_until(1);
  EXPECT(fixture.arrivals.size() == 1 && fixture.arrivals[0].verdict == Verdict::odd);
  const UniqueFd halfway = dial(fixture.port);
  say(halfway, "GET");
  shutdown(halfway.get(), SHUT_WR);
  fixture.step_until(2);
  EXPECT(fixture.arrivals.size() == 2 && fixture.arrivals[1].verdict == Verdict::odd);
}

TEST("a head larger than the limit is odd") {
  Fixture fixture({.max_head_bytes = 64});
  const UniqueFd client = dial(fixture.port);
  say(client, "GET /" + std::string(100, 'a'));
  fixture.step_until(1);
  EXPECT(fixture.arrivals.size() == 1 && fixture.arrivals[0].verdict == Verdict::odd);
}

TEST("a silent connection is closed, one that leaves is forgotten") {
  Fixture fixture({.silent_ms = 1});
  const UniqueFd silent = dial(fixture.port);
  { const UniqueFd gone = dial(fixture.port); }
  // The kernel shows a connection without a byte after a second.
  fixture.step_until(1, 4000);
  EXPECT(fixture.arrivals.empty());
  EXPECT(fixture.gate.waiting() == 0);
  char byte = 0;
  EXPECT(recv(silent.get(), &byte, 1, MSG_DONTWAIT) == 0);
}

TEST("once it has stopped, what the kernel had accepted is still taken, and drained") {
  Fixture fixture;
  const UniqueFd whole = dial(fixture.port);
  const UniqueFd part = dial(fixture.port);
  say(whole, plain);
  say(part, "GET");
  usleep(20'000);
  fixture.gate.stop_listening(fixture.arrivals);
  EXPECT(fixture.arrivals.size() == 1);
  EXPECT(fixture.gate.waiting() == 1);
  fixture.gate.drain(fixture.arrivals);
  EXPECT(fixture.arrivals.size() == 2 && fixture.arrivals[1].verdict == Verdict::odd);
  EXPECT(fixture.gate.waiting() == 0);
}

TEST("an address that is taken, or is not of this machine, is said so") {
  const Result<UniqueFd> first = listen_on({.host = "127.0.0.1"});
  const Result<UniqueFd> second =
      listen_on({.host = "127.0.0.1", .port = local_port(first.value.get())});
  EXPECT_ERROR(second.failure, Error::listen);
  EXPECT(second.failure.system == EADDRINUSE);
  EXPECT_ERROR(listen_on({.host = "192.0.2.1"}).failure, Error::listen);
}

TEST("sockets share a port when they are asked to, and listen everywhere without a host") {
  const Result<UniqueFd> first = listen_on({.host = "", .reuse_port = true});
  EXPECT(first.ok());
  const std::uint16_t port = local_port(first.value.get());
  EXPECT(port != 0);
  EXPECT(listen_on({.host = "", .port = port, .reuse_port = true}).ok());
  const UniqueFd client = dial(port);
  EXPECT(client.valid());
}

} // namespace uwas::native
