// Unix sockets in a folder of their own: whose place they take, and whose not.
#include "../core/gate.h"
#include "../core/listen.h"
#include "../core/listen_path.h"
#include "test.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace uwas::native {

namespace {

/// Invalid where nobody listens.
UniqueFd dial(const std::string &path) {
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  path.copy(to.sun_path, sizeof to.sun_path - 1);
  if (connect(fd.get(), reinterpret_cast<const sockaddr *>(&to), sizeof to) != 0)
    return {};
  return fd;
}

bool answers(const std::string &path) { return dial(path).valid(); }

} // namespace

TEST("a unix socket listens, with the permissions that it was asked for") {
  const test::Folder folder;
  const Result<UniqueFd> result = listen_at_path({.path = folder / "s", .mode = 0600});
  EXPECT(result.ok());
  EXPECT(answers(folder / "s"));
  struct stat found {};
  EXPECT(lstat((folder / "s").c_str(), &found) == 0);
  EXPECT((found.st_mode & 07777) == 0600);
  EXPECT(socket_kind(result.value.get()) == SocketKind::unix_path);
}

TEST("it takes the place of one that nobody listens on, and not of one that somebody does") {
  const test::Folder folder;
  Result<UniqueFd> first = listen_at_path({.path = folder / "s"});
  const Result<UniqueFd> second = listen_at_path({.path = folder / "s"});
  EXPECT_ERROR(second.failure, Error::listen);
  EXPECT(second.failure.system == EADDRINUSE);
  first.value = UniqueFd();
  EXPECT(!answers(folder / "s"));
  const Result<UniqueFd> third = listen_at_path({.path = folder / "s"});
  EXPECT(third.ok());
  EXPECT(answers(folder / "s"));
}

TEST("a file that is no socket stays, and so does a link") {
  const test::Folder folder;
  const UniqueFd file(open((folder / "s").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  const Result<UniqueFd> over_file = listen_at_path({.path = folder / "s"});
  EXPECT(over_file.failure.system == EEXIST);
  unlink((folder / "s").c_str());
  EXPECT(symlink("/nowhere", (folder / "s").c_str()) == 0);
  EXPECT(listen_at_path({.path = folder / "s"}).failure.system == EEXIST);
}

TEST("a path that is too long, or in no folder, is said so") {
  EXPECT(listen_at_path({.path = "/tmp/" + std::string(120, 'x')}).failure.system == ENAMETOOLONG);
  EXPECT(listen_at_path({.path = ""}).failure.system == ENAMETOOLONG);
  EXPECT(listen_at_path({.path = "/nowhere/s"}).failure.system == ENOENT);
}

TEST("who has connected and says nothing keeps nobody from being taken at the stop") {
  const test::Folder folder;
  const Result<UniqueFd> listening = listen_at_path({.path = folder / "s"});
  std::vector<UniqueFd> clients;
  clients.reserve(201);
  // More than one batch of them stands before the one that has spoken.
  for (int i = 0; i < 200; i++)
    clients.push_back(dial(folder / "s"));
  const std::string_view request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  clients.push_back(dial(folder / "s"));
  EXPECT(send(clients.back().get(), request.data(), request.size(), MSG_NOSIGNAL) > 0);
  Gate gate;
  EXPECT_ERROR(gate.open(listening.value.get(), {}), Error::none);
  std::vector<Arrival> arrivals;
  gate.stop_listening(arrivals);
  EXPECT(arrivals.size() == 1 && arrivals[0].verdict == Verdict::ordinary);
  for (const Arrival &arrival : arrivals)
    close(arrival.fd);
}

TEST("descriptors are told apart") {
  const Result<UniqueFd> tcp = listen_on({.host = "127.0.0.1"});
  EXPECT(socket_kind(tcp.value.get()) == SocketKind::tcp);
  const UniqueFd bound(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT(socket_kind(bound.get()) == SocketKind::deaf);
  const UniqueFd datagrams(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  EXPECT(socket_kind(datagrams.get()) == SocketKind::none);
  const UniqueFd file(open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT(socket_kind(file.get()) == SocketKind::none);
  EXPECT(socket_kind(-1) == SocketKind::none);
}

} // namespace uwas::native
