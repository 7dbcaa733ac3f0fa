// One case of native/core, as often as told: `counts CASE TIMES FILE`. callgrind counts its
// instructions for
// ../kinds/instructions.ts, which takes the difference of two counts, so that what surrounds the
// loop falls out.
#include "../../../native/core/head.h"
#include "../../../native/core/map_file.h"

#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

namespace {

constexpr std::string_view tool_head = "GET /file.txt HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n"
                                       "User-Agent: curl/8.5.0\r\nAccept: */*\r\n\r\n";

constexpr std::string_view browser_head =
    "GET /posts/17?page=2 HTTP/1.1\r\nHost: www.example.com\r\nConnection: keep-alive\r\n"
    "sec-ch-ua: \"Chromium\";v=\"131\", \"Not_A Brand\";v=\"24\"\r\nsec-ch-ua-mobile: ?0\r\n"
    "sec-ch-ua-platform: \"Linux\"\r\nUpgrade-Insecure-Requests: 1\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Safari/537.36\r\n"
    "Accept: "
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n"
    "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-User: ?1\r\n"
    "Sec-Fetch-Dest: document\r\nReferer: https://www.example.com/posts\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9\r\n"
    "Cookie: __Host-session=c2Vzc2lvbi1pZC1vZi0zMi1ieXRlcw; theme=dark\r\n\r\n";

constexpr std::string_view odd_head =
    "POST /write HTTP/1.1\r\nHost: www.example.com\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";

bool judges(std::string_view head, uwas::native::Verdict expected) {
  return uwas::native::judge_head(head).verdict == expected;
}

/// False when the case does not come out as it should, or there is none of this name.
bool run(std::string_view name, std::string_view file) {
  using uwas::native::Verdict;
  if (name == "head-of-a-tool")
    return judges(tool_head, Verdict::ordinary);
  if (name == "head-of-a-browser")
    return judges(browser_head, Verdict::ordinary);
  if (name == "odd-head")
    return judges(odd_head, Verdict::odd);
  if (name == "map-file")
    return uwas::native::map_file(file, 1 << 20).ok();
  return false;
}

} // namespace

int main(int count, char **arguments) {
  if (count != 4) {
    std::cerr << "counts CASE TIMES FILE\n";
    return 2;
  }
  const int times = std::atoi(arguments[2]);
  for (int i = 0; i < times; i++) {
    if (!run(arguments[1], arguments[3])) {
      std::cerr << arguments[1] << " does not come out as it should\n";
      return 1;
    }
  }
  return 0;
}
