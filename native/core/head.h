// The first bytes of a connection come in; which lane it belongs to comes out. Pure: called by
// gate.cc for every new connection, by tests and by the fuzz target.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace uwas::native {

enum class Verdict : std::uint8_t {
  /// Nothing odd so far, and the head has not ended.
  incomplete,
  /// One plainly ordinary HTTP/1.1 request, and nothing behind its content.
  ordinary,
  /// The same, with bytes of a further request behind it.
  pipelined,
  /// Anything that somebody could read in another way: see `judge_head`.
  odd,
};

struct Judgement {
  Verdict verdict = Verdict::incomplete;
  /// The path of the target as sent, without its query; only of `ordinary` and `pipelined`.
  std::string_view path;
  /// Where the line begins that decided: of `odd` what is odd, else the end of the head.
  std::size_t line = 0;
  /// Of `ordinary` and `pipelined`: GET or HEAD without content.
  bool is_read = false;
};

/// Judges the request at the start of `bytes` by the strictest reading of RFC 9112: method, target
/// in origin-form, version 1.1, CRLF at every end, fields by their grammar in visible ASCII,
/// exactly one Host, at most one Content-Length, and neither Transfer-Encoding nor Expect, of a
/// client that is not known to pipeline. What is not that is odd, which says nothing against it.
/// More bytes never turn `odd` into anything else, and never turn `ordinary` into `odd`.
Judgement judge_head(std::string_view bytes);

/// The paths of a pipeline, in order, with a blank between two, which no path has in it. Empty
/// unless `bytes` are whole requests, each of them ordinary, by GET or HEAD and without content.
std::string paths_of_pipeline(std::string_view bytes);

/// What the gate makes of a connection that sends `bytes` and then waits: of the first
/// `max_head_bytes`, and odd where no head has ended in them.
Judgement judge_whole(std::string_view bytes, std::size_t max_head_bytes);

} // namespace uwas::native
