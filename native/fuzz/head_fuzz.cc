// libFuzzer target of judge_head: any bytes, judged at every length. What a verdict promises has to
// hold: more bytes never change `odd`, never turn an ordinary request odd, and an ordinary head is
// what a second, much simpler reading calls one. Built by run.mjs with clang.
#include "../core/head.h"

#include <cstdlib>
#include <string>
#include <vector>

using uwas::native::judge_head;
using uwas::native::Judgement;
using uwas::native::paths_of_pipeline;
using uwas::native::Verdict;

namespace {

void require(bool holds) {
  if (!holds)
    std::abort();
}

bool is_ready(Verdict verdict) {
  return verdict == Verdict::ordinary || verdict == Verdict::pipelined;
}

/// Lines of a head, or nothing when it has a bare CR or LF or does not end.
std::vector<std::string> lines_of(std::string_view bytes) {
  std::vector<std::string> lines;
  for (std::size_t end = bytes.find("\r\n"); end != std::string_view::npos;
       end = bytes.find("\r\n")) {
    lines.emplace_back(bytes.substr(0, end));
    bytes.remove_prefix(end + 2);
    if (lines.back().find_first_of("\r\n") != std::string::npos)
      return {};
    if (lines.back().empty())
      return lines;
  }
  return {};
}

std::string lower(std::string text) {
  for (char &c : text)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c + 32);
  return text;
}

/// Another reading of the same rules, line by line, of what has been called ordinary.
void check_ordinary(std::string_view bytes, std::string_view path) {
  const std::vector<std::string> lines = lines_of(bytes);
  require(lines.size() >= 3);
  const std::string &first = lines.front();
  require(first.ends_with(" HTTP/1.1") && first.find('\t') == std::string::npos);
  const std::size_t target = first.find(" /");
  require(target != std::string::npos && first.substr(target + 1).starts_with(path));
  require(path.starts_with('/') && path.find_first_of("?# ") == std::string_view::npos);
  int hosts = 0;
  int lengths = 0;
  for (std::size_t i = 1; i + 1 < lines.size(); i++) {
    const std::size_t colon = lines[i].find(':');
    require(colon != std::string::npos && colon > 0 && lines[i].find('\0') == std::string::npos);
    const std::string name = lower(lines[i].substr(0, colon));
    require(name.find_first_of(" \t") == std::string::npos);
    require(name != "transfer-encoding" && name != "expect");
    hosts += name == "host" ? 1 : 0;
    lengths += name == "content-length" ? 1 : 0;
  }
  require(hosts == 1 && lengths <= 1);
}

} // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char *data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char *>(data), size);
  Verdict before = Verdict::incomplete;
  for (std::size_t length = 0; length <= size; length++) {
    const Judgement judgement = judge_head(bytes.substr(0, length));
    const Verdict now = judgement.verdict;
    if (before == Verdict::odd)
      require(now == Verdict::odd);
    if (before == Verdict::pipelined)
      require(now == Verdict::pipelined);
    if (before == Verdict::ordinary)
      require(is_ready(now));
    if (is_ready(now) && !is_ready(before))
      check_ordinary(bytes.substr(0, length), judgement.path);
    before = now;
  }
  const std::string paths = paths_of_pipeline(bytes);
  require(paths.empty() || paths.starts_with(judge_head(bytes).path));
  return 0;
}
