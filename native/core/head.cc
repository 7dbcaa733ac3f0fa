// One pass over the bytes, without memory of its own. A part that is not there yet is `incomplete`.
#include "head.h"

#include <algorithm>
#include <array>

namespace uwas::native {

namespace {

constexpr std::size_t max_method = 16;
/// Longer targets are answered 414 in the strict lane.
constexpr std::size_t max_target = 8000;
constexpr std::size_t max_name = 128;
/// The engine takes 99; browsers send about 20.
constexpr int max_fields = 64;
/// Digits of a Content-Length that every reader of it holds exactly.
constexpr std::size_t max_digits = 15;

constexpr std::string_view version_end = "HTTP/1.1\r\n";

/// Clients that send requests before they have the replies, by the product names of their
/// User-Agent: apt ("Debian APT-HTTP/1.3 (2.6.1)", with " non-interactive" behind it when a timer
/// runs it, "Ubuntu APT-HTTP/1.3 (…)" of old), its cache in a network ("Debian
/// Apt-Cacher-NG/3.7.4"), and Subversion's library ("SVN/1.14.2 (…) serf/1.3.9").
constexpr std::array<std::string_view, 3> pipelining_clients = {"APT-HTTP/", "Apt-Cacher-NG/",
                                                                "serf/"};

constexpr bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr char to_lower(char c) { return is_upper(c) ? static_cast<char>(c | 0x20) : c; }
constexpr bool is_alnum(char c) { return is_digit(c) || is_upper(c) || (c >= 'a' && c <= 'z'); }

constexpr std::array<bool, 256> chars(std::string_view others) {
  std::array<bool, 256> table{};
  for (int c = 0; c < 128; c++)
    table[static_cast<std::size_t>(c)] = is_alnum(static_cast<char>(c));
  for (const char c : others)
    table[static_cast<unsigned char>(c)] = true;
  return table;
}

constexpr std::array<bool, 256> token_chars = chars("!#$%&'*+-.^_`|~");
/// Of a name, an IPv4 or a bracketed IPv6 address, with a port. More can be a host; that is odd.
constexpr std::array<bool, 256> host_chars = chars("-._:[]");

constexpr bool is_in(const std::array<bool, 256> &table, char c) {
  return table[static_cast<unsigned char>(c)];
}
constexpr bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }
/// Bytes beyond ASCII belong encoded, but people type them: the engine reads them as UTF-8.
constexpr bool is_target(char c) { return !is_ascii(c) || (c > ' ' && c != '\x7f' && c != '#'); }
constexpr bool is_value(char c) { return (c >= ' ' && c < '\x7f') || c == '\t'; }
constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }

bool equals(std::string_view name, std::string_view lower) {
  if (name.size() != lower.size())
    return false;
  for (std::size_t i = 0; i < name.size(); i++)
    if (to_lower(name[i]) != lower[i])
      return false;
  return true;
}

std::string_view trim(std::string_view value) {
  while (!value.empty() && is_blank(value.front()))
    value.remove_prefix(1);
  while (!value.empty() && is_blank(value.back()))
    value.remove_suffix(1);
  return value;
}

/// The second byte's range depends on the first (Unicode, table 3-7).
bool continues(unsigned char lead, std::size_t at, unsigned char c) {
  unsigned char low = 0x80;
  unsigned char high = 0xbf;
  if (at == 1) {
    low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : low;
    high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : high;
  }
  return c >= low && c <= high;
}

std::size_t length_of(unsigned char lead) {
  if (lead < 0x80)
    return 1;
  if (lead >= 0xc2 && lead <= 0xdf)
    return 2;
  if (lead >= 0xe0 && lead <= 0xef)
    return 3;
  return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto lead = static_cast<unsigned char>(text.front());
    const std::size_t length = length_of(lead);
    if (length == 0 || length > text.size())
      return false;
    for (std::size_t at = 1; at < length; at++)
      if (!continues(lead, at, static_cast<unsigned char>(text[at])))
        return false;
    text.remove_prefix(length);
  }
  return true;
}

bool pipelines(std::string_view user_agent) {
  return std::any_of(pipelining_clients.begin(), pipelining_clients.end(), [&](auto product) {
    return user_agent.find(product) != std::string_view::npos;
  });
}

bool is_all_ascii(std::string_view text) { return std::all_of(text.begin(), text.end(), is_ascii); }

class Reader {
public:
  explicit Reader(std::string_view bytes) : left_(bytes), size_(bytes.size()) {}

  Judgement judge() {
    std::string_view target;
    std::size_t line = 0;
    Verdict verdict = read_request_line(target);
    while (verdict == Verdict::ordinary && !ended_) {
      line = size_ - left_.size();
      verdict = read_field();
    }
    if (verdict != Verdict::ordinary)
      return {verdict, {}, line};
    if (hosts_ != 1)
      return {Verdict::odd, {}, line};
    // The strict lane's parser refuses a target beyond ASCII: it must not depend on what stands
    // behind.
    if (left_.size() > length_ && is_all_ascii(target))
      verdict = Verdict::pipelined;
    return {verdict, target.substr(0, target.find('?')), line, is_read_ && length_ == 0};
  }

private:
  /// `ordinary` says: go on.
  Verdict read_request_line(std::string_view &target) {
    std::string_view method;
    if (const Verdict verdict = take(is_upper, ' ', max_method, method);
        verdict != Verdict::ordinary)
      return verdict;
    if (method.empty())
      return Verdict::odd;
    is_read_ = method == "GET" || method == "HEAD";
    if (left_.empty())
      return Verdict::incomplete;
    if (left_.front() != '/')
      return Verdict::odd;
    if (const Verdict verdict = take(is_target, ' ', max_target, target);
        verdict != Verdict::ordinary)
      return verdict;
    return is_utf8(target) ? expect(version_end) : Verdict::odd;
  }

  Verdict read_field() {
    if (left_.starts_with('\r')) {
      ended_ = true;
      return expect("\r\n");
    }
    // What comes next may be the end as well as a field too many.
    if (left_.empty())
      return Verdict::incomplete;
    if (++fields_ > max_fields)
      return Verdict::odd;
    std::string_view name;
    if (const Verdict verdict =
            take([](char c) { return is_in(token_chars, c); }, ':', max_name, name);
        verdict != Verdict::ordinary)
      return verdict;
    if (name.empty())
      return Verdict::odd;
    std::string_view value;
    if (const Verdict verdict = take(is_value, '\r', left_.size(), value);
        verdict != Verdict::ordinary)
      return verdict;
    if (const Verdict verdict = expect("\n"); verdict != Verdict::ordinary)
      return verdict;
    return judge_field(name, trim(value));
  }

  Verdict judge_field(std::string_view name, std::string_view value) {
    bool good = true;
    if (equals(name, "host")) {
      good = ++hosts_ == 1 && !value.empty();
      for (const char c : value)
        good = good && is_in(host_chars, c);
    } else if (equals(name, "content-length")) {
      good = ++lengths_ == 1 && !value.empty() && value.size() <= max_digits;
      for (const char c : value) {
        good = good && is_digit(c);
        length_ = length_ * 10 + static_cast<std::uint64_t>(good ? c - '0' : 0);
      }
    } else if (equals(name, "user-agent")) {
      good = !pipelines(value);
    } else {
      good = !equals(name, "transfer-encoding") && !equals(name, "expect");
    }
    return good ? Verdict::ordinary : Verdict::odd;
  }

  /// Takes bytes that `fits` up to `end`, which is dropped.
  template <class Fits>
  Verdict take(Fits fits, char end, std::size_t max, std::string_view &taken) {
    std::size_t i = 0;
    while (i < left_.size() && i <= max && fits(left_[i]))
      i++;
    if (i > max)
      return Verdict::odd;
    if (i == left_.size())
      return Verdict::incomplete;
    if (left_[i] != end)
      return Verdict::odd;
    taken = left_.substr(0, i);
    left_.remove_prefix(i + 1);
    return Verdict::ordinary;
  }

  Verdict expect(std::string_view text) {
    const std::string_view here = left_.substr(0, text.size());
    if (here != text.substr(0, here.size()))
      return Verdict::odd;
    if (here.size() < text.size())
      return Verdict::incomplete;
    left_.remove_prefix(text.size());
    return Verdict::ordinary;
  }

  std::string_view left_;
  std::size_t size_;
  bool ended_ = false;
  bool is_read_ = false;
  int fields_ = 0;
  int hosts_ = 0;
  int lengths_ = 0;
  std::uint64_t length_ = 0;
};

} // namespace

Judgement judge_head(std::string_view bytes) { return Reader(bytes).judge(); }

std::string paths_of_pipeline(std::string_view bytes) {
  std::string paths;
  while (!bytes.empty()) {
    const Judgement judgement = judge_head(bytes);
    const bool is_whole =
        judgement.verdict == Verdict::ordinary || judgement.verdict == Verdict::pipelined;
    if (!is_whole || !judgement.is_read)
      return {};
    if (!paths.empty())
      paths += ' ';
    paths += judgement.path;
    // Its last line is the empty one.
    bytes.remove_prefix(judgement.line + 2);
  }
  return paths;
}

Judgement judge_whole(std::string_view bytes, std::size_t max_head_bytes) {
  Judgement judgement = judge_head(bytes.substr(0, max_head_bytes));
  if (judgement.verdict == Verdict::incomplete)
    judgement.verdict = Verdict::odd;
  return judgement;
}

} // namespace uwas::native
