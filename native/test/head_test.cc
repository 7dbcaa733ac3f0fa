// Ordinary heads are told from everything else, at whatever length they are looked at.
#include "../core/head.h"
#include "test.h"

#include <string>
#include <vector>

namespace uwas::native {

namespace {

Verdict verdict_of(std::string_view bytes) { return judge_head(bytes).verdict; }

const std::string plain = "GET /a?b HTTP/1.1\r\nHost: x\r\n\r\n";

std::string with(std::string_view fields) {
  return "POST / HTTP/1.1\r\nHost: x\r\n" + std::string(fields) + "\r\n\r\n";
}

} // namespace

TEST("a plain request is incomplete until its last byte, then ordinary") {
  for (std::size_t length = 0; length < plain.size(); length++)
    EXPECT(verdict_of(plain.substr(0, length)) == Verdict::incomplete);
  EXPECT(verdict_of(plain) == Verdict::ordinary);
  EXPECT(judge_head(plain).path == "/a");
}

TEST("a judgement names the line that decided") {
  EXPECT(judge_head("get / HTTP/1.1\r\n").line == 0);
  EXPECT(judge_head("GET / HTTP/1.1\r\nA: b\r\nExpect: x\r\n").line == 22);
  EXPECT(judge_head("GET / HTTP/1.1\r\nA: b\r\n\r\n").line == 22);
  EXPECT(judge_head(plain).line == plain.size() - 2);
}

TEST("what does not end within the longest head is odd") {
  EXPECT(judge_whole(plain, plain.size()).verdict == Verdict::ordinary);
  EXPECT(judge_whole(plain, plain.size() - 1).verdict == Verdict::odd);
  EXPECT(judge_whole(plain.substr(0, 9), 4096).verdict == Verdict::odd);
  EXPECT(judge_whole("", 4096).verdict == Verdict::odd);
}

TEST("bytes behind a request's content make it pipelined") {
  EXPECT(verdict_of(plain + "G") == Verdict::pipelined);
  EXPECT(verdict_of(with("Content-Length: 2") + "ab") == Verdict::ordinary);
  EXPECT(verdict_of(with("Content-Length: 2") + "a") == Verdict::ordinary);
  EXPECT(verdict_of(with("Content-Length: 2") + "abG") == Verdict::pipelined);
}

TEST("a pipeline of reads is told by its paths") {
  const std::string head = "HEAD /c?d=/e HTTP/1.1\r\nHost: x\r\n\r\n";
  EXPECT(paths_of_pipeline(plain + head + plain) == "/a /c /a");
  EXPECT(paths_of_pipeline(plain) == "/a");
  // Not whole, not ordinary, not a read, or with content.
  EXPECT(paths_of_pipeline(plain + head.substr(0, head.size() - 1)).empty());
  EXPECT(paths_of_pipeline(plain + "GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n").empty());
  EXPECT(paths_of_pipeline(plain + with("A: b")).empty());
  EXPECT(paths_of_pipeline(with("Content-Length: 1") + "a" + plain).empty());
  EXPECT(
      paths_of_pipeline("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na" + plain).empty());
}

TEST("clients that are known to pipeline are odd, by their User-Agent") {
  for (const std::string agent :
       {"Debian APT-HTTP/1.3 (2.6.1)", "Debian APT-HTTP/1.3 (2.6.1) non-interactive",
        "Ubuntu APT-HTTP/1.3 (0.8.16)", "Debian Apt-Cacher-NG/3.7.4",
        "SVN/1.14.2 (x86_64-pc-linux-gnu) serf/1.3.9"}) {
    EXPECT(verdict_of(with("User-Agent: " + agent)) == Verdict::odd);
    EXPECT(verdict_of(with("user-agent:" + agent)) == Verdict::odd);
    EXPECT(verdict_of(with("X-User-Agent: " + agent)) == Verdict::ordinary);
  }
  for (const std::string agent : {"curl/7.88.1", "Wget/1.21.3", "git/2.39.5", "surf/1.0", ""})
    EXPECT(verdict_of(with("User-Agent: " + agent)) == Verdict::ordinary);
}

TEST("the handshake of a WebSocket is a request like any other") {
  const std::string handshake =
      "GET /chat HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  EXPECT(verdict_of(handshake) == Verdict::ordinary);
  // A client has to wait for the answer before it sends frames (RFC 6455 section 4.1).
  EXPECT(verdict_of(handshake + "\x81") == Verdict::pipelined);
}

TEST("what could be read in another way is odd as soon as it is seen") {
  const std::vector<std::string> heads = {
      "\r\n",
      "\x16\x03\x01",
      "get",
      "GET\t",
      "GET  /",
      "GET a",
      "GET *",
      "GET http://x/",
      "GET /#",
      "GET / HTTP/1.0",
      "GET / HTTP/1.1\n",
      "GET / HTTP/1.1 ",
      "GET / HTTP/1.1\r\n ",
      "GET / HTTP/1.1\r\n:",
      "GET / HTTP/1.1\r\nA :",
      "GET / HTTP/1.1\r\nA: b\n",
      "GET / HTTP/1.1\r\nA: b\rc",
      "GET / HTTP/1.1\r\nA: b\r\n c",
      "GET / HTTP/1.1\r\nA: \xe9",
      "GET / HTTP/1.1\r\nTransfer-Encoding:\r\n",
      "GET / HTTP/1.1\r\nexpect: x\r\n",
      "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n",
      "GET / HTTP/1.1\r\nHost:\r\n",
      "GET / HTTP/1.1\r\nHost: a@b\r\n",
      "GET / HTTP/1.1\r\nContent-Length:\r\n",
      "GET / HTTP/1.1\r\nContent-Length: 1a\r\n",
      "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n",
      "GET / HTTP/1.1\r\nContent-Length: 1234567890123456\r\n",
      "GET / HTTP/1.1\r\nA: b\r\n\r\n",
      "GET /\xff HTTP/1.1\r\n",
      "GET /\xed\xa0\x80 ",
      "GET /\xc0\xaf ",
  };
  for (const std::string &head : heads) {
    EXPECT(verdict_of(head) == Verdict::odd);
    EXPECT(verdict_of(head + plain) == Verdict::odd);
    EXPECT(verdict_of(head.substr(0, head.size() - 1)) != Verdict::ordinary);
  }
}

TEST("NUL is odd wherever it stands") {
  for (std::size_t at = 0; at < plain.size(); at++) {
    std::string head = plain;
    head[at] = '\0';
    EXPECT(verdict_of(head) == Verdict::odd);
  }
}

TEST("a target of UTF-8 is ordinary, whatever stands behind") {
  const std::string typed = "GET /\xea\xb8\x80 HTTP/1.1\r\nHost: x\r\n\r\n";
  EXPECT(verdict_of(typed) == Verdict::ordinary);
  EXPECT(verdict_of(typed + plain) == Verdict::ordinary);
}

TEST("too much of anything is odd") {
  EXPECT(verdict_of(std::string(17, 'A')) == Verdict::odd);
  EXPECT(verdict_of("GET /" + std::string(8000, 'a')) == Verdict::odd);
  EXPECT(verdict_of("GET /" + std::string(7999, 'a')) == Verdict::incomplete);
  std::string fields = "A: b";
  for (int i = 0; i < 62; i++)
    fields += "\r\nA: b";
  EXPECT(verdict_of(with(fields)) == Verdict::ordinary);
  EXPECT(verdict_of(with(fields + "\r\nA: b")) == Verdict::odd);
  // After the last field that may be there, the end may still come.
  const std::string full = with(fields);
  for (std::size_t length = 0; length < full.size(); length++)
    EXPECT(verdict_of(full.substr(0, length)) == Verdict::incomplete);
}

} // namespace uwas::native
