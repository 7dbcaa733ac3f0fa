// Most connections bring their first request with them and are judged by one look. The others wait
// in the epoll set, edge by edge, for more bytes, for their end or for the timer.
#include "gate.h"

#include <array>
#include <cerrno>
#include <ctime>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <utility>

namespace uwas::native {

namespace {

/// Between two looks at what waits; also how long accepting rests when descriptors have run out.
constexpr long tick_ms = 250;
constexpr int max_events = 128;
/// Connections accepted in one step, so that those that are served get their turn.
constexpr int max_accepts = 64;
/// More than a queue holds, where its owner has not asked the kernel for a longer one.
constexpr int max_last_batches = 64;
/// Looks at a head that comes in pieces; after that it is odd.
constexpr int max_looks = 16;

std::int64_t now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

bool watch(int poll, int fd, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  return epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event) == 0;
}

bool ran_out(int system) {
  return system == EMFILE || system == ENFILE || system == ENOBUFS || system == ENOMEM;
}

} // namespace

Gate::~Gate() {
  for (const auto &[fd, waiting] : waiting_)
    close(fd);
}

Failure Gate::open(int listening, const GateOptions &options) {
  options_ = options;
  bytes_.resize(options.max_head_bytes);
  poll_ = UniqueFd(epoll_create1(EPOLL_CLOEXEC));
  if (!poll_.valid())
    return failure_of(errno);
  timer_ = UniqueFd(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  if (!timer_.valid() || !watch(poll_.get(), timer_.get(), EPOLLIN))
    return failure_of(errno);
  // EPOLLEXCLUSIVE: of several processes on one socket the kernel wakes one.
  if (!watch(poll_.get(), listening, EPOLLIN | EPOLLEXCLUSIVE))
    return failure_of(errno);
  listening_ = listening;
  accepts_ = true;
  return {};
}

void Gate::step(std::vector<Arrival> &arrivals) {
  std::array<epoll_event, max_events> events{};
  const int count = epoll_wait(poll_.get(), events.data(), max_events, 0);
  for (int i = 0; i < count; i++) {
    const epoll_event &event = events[static_cast<std::size_t>(i)];
    const int fd = event.data.fd;
    if (fd == listening_)
      accept_some(arrivals);
    else if (fd == timer_.get())
      on_timer(arrivals);
    else if (waiting_.contains(fd))
      look(fd, (event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0, arrivals);
  }
}

bool Gate::accept_some(std::vector<Arrival> &arrivals) {
  for (int i = 0; i < max_accepts && accepts_; i++) {
    sockaddr_storage peer{};
    socklen_t length = sizeof peer;
    const int fd = accept4(listening_, reinterpret_cast<sockaddr *>(&peer), &length,
                           SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      if (has_room(fd, peer))
        look(fd, false, arrivals);
      else
        refuse(fd);
    } else if (ran_out(errno)) {
      epoll_ctl(poll_.get(), EPOLL_CTL_DEL, listening_, nullptr);
      accepts_ = false;
      set_timer();
    } else if (errno == EAGAIN) {
      return false;
    }
    // Other errors are of the connection that would have come (accept(2)): the next may be fine.
  }
  return accepts_;
}

bool Gate::has_room(int fd, const sockaddr_storage &peer) const {
  return options_.counts == nullptr ||
         options_.counts->admit(fd, address_of(peer)) == Admission::taken;
}

/// With its bytes read, so that closing does not reset it before the client has seen the answer.
void Gate::refuse(int fd) {
  const std::string &words = options_.counts->refusal;
  if (recv(fd, bytes_.data(), bytes_.size(), MSG_DONTWAIT) > 0 && !words.empty())
    (void)!send(fd, words.data(), words.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  close(fd);
}

void Gate::look(int fd, bool is_last, std::vector<Arrival> &arrivals) {
  const ssize_t count = recv(fd, bytes_.data(), bytes_.size(), MSG_PEEK | MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
    if (is_last || !wait(fd, false))
      discard(fd);
    return;
  }
  if (count <= 0)
    return discard(fd);
  const auto size = static_cast<std::size_t>(count);
  const std::string_view bytes(bytes_.data(), size);
  const Verdict verdict = judge_head(bytes).verdict;
  if (verdict == Verdict::pipelined)
    return release(fd, verdict, paths_of_pipeline(bytes), arrivals);
  if (verdict != Verdict::incomplete)
    return release(fd, verdict, {}, arrivals);
  if (is_last || size == bytes_.size() || !wait(fd, true))
    release(fd, Verdict::odd, {}, arrivals);
}

/// False when it has waited long enough.
bool Gate::wait(int fd, bool spoke) {
  const auto [at, is_new] = waiting_.try_emplace(fd);
  Waiting &waiting = at->second;
  if (is_new || (spoke && !waiting.spoke))
    waiting.until_ms = now_ms() + (spoke ? options_.partial_ms : options_.silent_ms);
  waiting.spoke = waiting.spoke || spoke;
  if (spoke && ++waiting.looks > max_looks)
    return false;
  // Added last: bytes that have come since the look are an edge of their own.
  if (is_new && !watch(poll_.get(), fd, EPOLLIN | EPOLLRDHUP | EPOLLET))
    return false;
  set_timer();
  return true;
}

void Gate::release(int fd, Verdict verdict, std::string paths, std::vector<Arrival> &arrivals) {
  if (waiting_.erase(fd) > 0)
    epoll_ctl(poll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  arrivals.push_back({fd, verdict, std::move(paths)});
}

void Gate::discard(int fd) {
  waiting_.erase(fd);
  close(fd);
}

void Gate::on_timer(std::vector<Arrival> &arrivals) {
  std::uint64_t ticks = 0;
  (void)!read(timer_.get(), &ticks, sizeof ticks);
  timer_runs_ = false;
  if (!accepts_ && listening_ >= 0)
    accepts_ = watch(poll_.get(), listening_, EPOLLIN | EPOLLEXCLUSIVE);
  const std::int64_t now = now_ms();
  std::vector<int> late;
  for (const auto &[fd, waiting] : waiting_)
    if (waiting.until_ms <= now)
      late.push_back(fd);
  for (const int fd : late) {
    if (waiting_[fd].spoke)
      release(fd, Verdict::odd, {}, arrivals);
    else
      discard(fd);
  }
  if (!waiting_.empty() || (!accepts_ && listening_ >= 0))
    set_timer();
}

void Gate::set_timer() {
  if (timer_runs_)
    return;
  itimerspec once{};
  once.it_value.tv_nsec = tick_ms * 1'000'000;
  timer_runs_ = timerfd_settime(timer_.get(), 0, &once, nullptr) == 0;
}

void Gate::stop_listening(std::vector<Arrival> &arrivals) {
  // Closed with connections in its queue, a socket resets them. Who goes on connecting does not
  // hold it up.
  for (int left = max_last_batches; left > 0 && accepts_ && accept_some(arrivals); left--) {
  }
  if (accepts_)
    epoll_ctl(poll_.get(), EPOLL_CTL_DEL, listening_, nullptr);
  accepts_ = false;
  listening_ = -1;
}

void Gate::drain(std::vector<Arrival> &arrivals) {
  std::vector<int> all;
  for (const auto &[fd, waiting] : waiting_)
    all.push_back(fd);
  for (const int fd : all) {
    if (waiting_[fd].spoke)
      release(fd, Verdict::odd, {}, arrivals);
    else
      discard(fd);
  }
}

} // namespace uwas::native
