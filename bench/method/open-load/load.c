/*
 * Load at a fixed rate: load PORT RATE SECONDS CONNECTIONS REQUESTS [EXPECTED]
 *
 * Request number i is due at i / RATE, whatever became of those before it, and its latency counts from then on, not from
 * when it was sent: an answer that is late makes the following ones late as well, as it does for people (no "coordinated
 * omission"). Whoever is due takes a free connection, or the first that becomes free. REQUESTS is a file of requests, each
 * of which ends with an empty line. One thread; it spins shortly before something is due. Prints one line of JSON.
 *
 * With EXPECTED it watches: each line there is of one request, BYTES STATUS LENGTH RETRY: its bytes in REQUESTS (so that it
 * may have a body), what its answer has to be (LENGTH -1: any), and whether it may be sent again (1) where a connection
 * that has answered before closes without a byte of an answer. Whatever goes wrong is told at once in a line of its own; an answer
 * has ten seconds; connections come from many addresses; it does not spin; SIGTERM ends it before its time.
 */
#define _GNU_SOURCE
#include "answer.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { READ_BYTES = 1 << 18, EVENTS = 256, SOURCES = 250 };
static const int64_t SECOND = 1000000000, MS = 1000000, SPIN = 2000000, MOST = 10 * SECOND;

struct connection {
  /* -1 while it is closed: the next request opens it. */
  int fd, busy, connecting, refused, retried;
  int64_t due, sent_at, opened_at, free_since, request, answers;
  struct sockaddr_in from;
  struct connection *next_free;
  struct answer answer;
};

struct expectation {
  int status, retry;
  int64_t length;
};

static struct sockaddr_in server;
static int poll_fd;
static int64_t opened;
static volatile sig_atomic_t ends;
/* The longest free first, so that all connections are used. */
static struct connection *free_list, *free_last;
static char *requests;
static size_t *starts, request_count;
/* NULL unless it watches. */
static struct expectation *expected;
static int64_t answered, failed, refused, retried, total;
/* Microseconds: latencies, and how late this program itself was though a connection was free. A fixed rate that it cannot
 * keep is its own limit, and so is a time without a pause. */
static uint32_t *latencies, *lags;
static int64_t sent;

static int64_t at(clockid_t clock) {
  struct timespec moment;
  clock_gettime(clock, &moment);
  return moment.tv_sec * SECOND + moment.tv_nsec;
}

static int64_t now(void) { return at(CLOCK_MONOTONIC); }

static void fail(const char *what) {
  perror(what);
  exit(1);
}

/* Milliseconds of the wall's clock at a moment of `now`. */
static long long wall_ms(int64_t moment) {
  return (at(CLOCK_REALTIME) - now() + moment) / MS;
}

static void tell(const struct connection *one, const char *kind) {
  if (expected == NULL) return;
  char from[INET_ADDRSTRLEN] = "";
  inet_ntop(AF_INET, &one->from.sin_addr, from, sizeof from);
  printf("{\"kind\":\"%s\",\"at\":%lld,\"from\":\"%s:%d\",\"opened\":%lld,\"sent\":%lld,\"request\":%lld,"
         "\"status\":%d,\"bytes\":%lld}\n",
         kind, wall_ms(now()), from, ntohs(one->from.sin_port), wall_ms(one->opened_at),
         wall_ms(one->sent_at), one->busy ? (long long)one->request : -1LL, one->answer.status,
         (long long)one->answer.body_bytes);
  fflush(stdout);
}

static void start_connection(struct connection *one) {
  one->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (one->fd < 0) fail("socket");
  int on = 1;
  setsockopt(one->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (expected != NULL) {
    setsockopt(one->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    uint32_t source = (INADDR_LOOPBACK & 0xffffff00) + 0x100 + 1 + (uint32_t)(opened % SOURCES);
    one->from = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(source)};
    if (bind(one->fd, (struct sockaddr *)&one->from, sizeof one->from) != 0) fail("bind");
  }
  opened++;
  one->answers = 0;
  one->connecting = 1;
  one->opened_at = now();
  /* On the same machine a refusal may come at once; its event follows all the same. */
  one->refused =
      connect(one->fd, (struct sockaddr *)&server, sizeof server) != 0 && errno != EINPROGRESS;
  socklen_t size = sizeof one->from;
  getsockname(one->fd, (struct sockaddr *)&one->from, &size);
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = one};
  if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, one->fd, &event) != 0) fail("epoll_ctl");
  answer_begin(&one->answer);
}

static void close_connection(struct connection *one) {
  close(one->fd);
  one->fd = -1;
}

static void release(struct connection *one) {
  one->busy = 0;
  one->free_since = now();
  one->next_free = NULL;
  if (free_list == NULL) free_list = one;
  else free_last->next_free = one;
  free_last = one;
}

static void give_up(struct connection *one, const char *kind) {
  tell(one, kind);
  close_connection(one);
  failed++;
  release(one);
}

/* The connection has ended, or what came is no answer. */
static void broken(struct connection *one, const char *kind) {
  if (!one->busy) {
    tell(one, "idle-closed");
    close_connection(one);
    return;
  }
  size_t which = (size_t)one->request % request_count;
  int untouched = one->answers > 0 && one->answer.state == HEAD && one->answer.used == 0;
  if (expected == NULL || !untouched || one->retried || !expected[which].retry) {
    give_up(one, kind);
    return;
  }
  tell(one, "retried");
  retried++;
  close_connection(one);
  one->retried = 1;
  start_connection(one);
}

static void finish(struct connection *one) {
  const struct answer *answer = &one->answer;
  int64_t taken = (now() - one->due) / 1000;
  latencies[answered++] = taken > UINT32_MAX ? UINT32_MAX : (uint32_t)taken;
  one->answers++;
  if (expected == NULL) {
    refused += answer->status < 200 || answer->status > 399;
  } else {
    const struct expectation *wanted = &expected[(size_t)one->request % request_count];
    int is_other = answer->status != wanted->status;
    int is_short = wanted->length >= 0 && answer->body_bytes != wanted->length;
    if (is_other || is_short) tell(one, is_other ? "status" : "length");
    refused += is_other || is_short;
  }
  if (answer->closes) close_connection(one);
  answer_begin(&one->answer);
  release(one);
}

static void send_request(struct connection *one) {
  size_t which = (size_t)one->request % request_count;
  size_t length = starts[which + 1] - starts[which];
  one->sent_at = now();
  /* A request is far smaller than a socket's buffer, and the one before it has been answered. */
  if (send(one->fd, requests + starts[which], length, MSG_NOSIGNAL) != (ssize_t)length)
    broken(one, "reset");
}

static void send_due(struct connection *one, int64_t number, int64_t due) {
  int64_t could = one->free_since > due ? one->free_since : due;
  one->sent_at = now();
  lags[sent++] = (uint32_t)((one->sent_at - could) / 1000);
  one->due = due;
  one->request = number;
  one->busy = 1;
  one->retried = 0;
  if (one->fd < 0) start_connection(one);
  if (!one->connecting) send_request(one);
}

/* 0 when it is refused. */
static int connected(struct connection *one) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(one->fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0 || one->refused) return 0;
  one->connecting = 0;
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = one};
  epoll_ctl(poll_fd, EPOLL_CTL_MOD, one->fd, &event);
  return 1;
}

static void read_some(struct connection *one) {
  static char bytes[READ_BYTES];
  ssize_t count = recv(one->fd, bytes, sizeof bytes, 0);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) {
    broken(one, count == 0 ? "closed" : "reset");
    return;
  }
  ssize_t taken = one->busy ? answer_take(&one->answer, bytes, (size_t)count) : -1;
  /* Nothing was asked for behind it. */
  if (taken != count) broken(one, "malformed");
  else if (one->answer.state == WHOLE) finish(one);
}

static void heed(struct connection *one) {
  if (one->fd < 0) return;
  if (one->connecting) {
    if (!connected(one)) {
      if (one->busy) give_up(one, "refused");
      else close_connection(one);
    } else if (one->busy) send_request(one);
    return;
  }
  read_some(one);
}

static void time_out(struct connection *all, int connections) {
  for (int i = 0; i < connections; i++)
    if (all[i].busy && now() - all[i].sent_at > MOST)
      give_up(&all[i], all[i].connecting ? "no-connection" : "timeout");
}

static void load_requests(const char *name) {
  int file = open(name, O_RDONLY);
  struct stat about;
  if (file < 0 || fstat(file, &about) != 0) fail(name);
  size_t size = (size_t)about.st_size;
  requests = malloc(size + 1);
  starts = malloc((size / 4 + 2) * sizeof *starts);
  for (size_t place = 0; place < size;) {
    ssize_t count = read(file, requests + place, size - place);
    if (count <= 0) fail(name);
    place += (size_t)count;
  }
  requests[size] = 0;
  close(file);
  starts[0] = 0;
  for (char *end = requests; (end = strstr(end, "\r\n\r\n")) != NULL; end += 4)
    starts[++request_count] = (size_t)(end - requests) + 4;
  if (request_count == 0) {
    fprintf(stderr, "%s has no request\n", name);
    exit(1);
  }
}

static void load_expected(const char *name) {
  FILE *file = fopen(name, "r");
  if (file == NULL) fail(name);
  size_t bytes = 0, size = starts[request_count];
  expected = calloc(size / 4 + 2, sizeof *expected);
  request_count = 0;
  struct expectation one;
  while (fscanf(file, "%zu %d %ld %d", &bytes, &one.status, &one.length, &one.retry) == 4) {
    expected[request_count] = one;
    starts[request_count + 1] = starts[request_count] + bytes;
    request_count++;
  }
  fclose(file);
}

static int ascending(const void *a, const void *b) {
  uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;
  return one < other ? -1 : one > other;
}

static double part_ms(const uint32_t *sorted, int64_t count, double part) {
  if (count == 0) return 0;
  int64_t place = (int64_t)(part * (double)count);
  return sorted[place < count ? place : count - 1] / 1000.0;
}

static void end(int signal) {
  (void)signal;
  ends = 1;
}

static void report(double seconds, double busy) {
  int64_t missing = (expected == NULL ? total : sent) - answered;
  qsort(latencies, (size_t)answered, sizeof *latencies, ascending);
  qsort(lags, (size_t)sent, sizeof *lags, ascending);
  printf("{\"requests\":%lld,\"errors\":%lld,\"seconds\":%.6f,\"p50\":%.3f,\"p99\":%.3f,\"p999\":%.3f,"
         "\"most\":%.3f,\"lag99\":%.3f,\"busy\":%.3f,\"sent\":%lld,\"retried\":%lld,\"opened\":%lld}\n",
         (long long)answered, (long long)(refused + missing), seconds,
         part_ms(latencies, answered, 0.5), part_ms(latencies, answered, 0.99),
         part_ms(latencies, answered, 0.999), part_ms(latencies, answered, 1),
         part_ms(lags, sent, 0.99), busy, (long long)sent, (long long)retried, (long long)opened);
}

int main(int count, char **arguments) {
  if (count != 6 && count != 7) {
    fprintf(stderr, "load PORT RATE SECONDS CONNECTIONS REQUESTS [EXPECTED]\n");
    return 2;
  }
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  signal(SIGTERM, end);
  /* Nobody is left to hear what it finds. */
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  double rate = atof(arguments[2]);
  total = (int64_t)(rate * atof(arguments[3]));
  int connections = atoi(arguments[4]);
  load_requests(arguments[5]);
  if (count == 7) load_expected(arguments[6]);
  latencies = calloc((size_t)total + (size_t)connections + 1, sizeof *latencies);
  lags = calloc((size_t)total + 1, sizeof *lags);
  server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(arguments[1]))};
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  poll_fd = epoll_create1(EPOLL_CLOEXEC);
  struct connection *all = calloc((size_t)connections, sizeof *all);
  for (int i = 0; i < connections; i++) {
    if (expected == NULL) start_connection(&all[i]);
    else all[i].fd = -1;
    release(&all[i]);
  }
  int64_t begun = now(), next = 0, last = begun, idle = 0, looked = begun;
  int64_t until = begun + (int64_t)((double)total / rate * (double)SECOND) + MOST + SECOND;
  int was_idle = 0;
  while (answered + failed < total && last < until) {
    int64_t before = last;
    last = now();
    if (was_idle) idle += last - before;
    was_idle = 1;
    if (ends && answered + failed >= sent) break;
    for (; !ends && next < total && free_list != NULL; next++) {
      int64_t due = begun + (int64_t)((double)next / rate * (double)SECOND);
      if (due > now()) break;
      struct connection *one = free_list;
      free_list = one->next_free;
      send_due(one, next, due);
      was_idle = 0;
    }
    int64_t ahead = begun + (int64_t)((double)next / rate * (double)SECOND) - now();
    int spins = expected == NULL && next < total && free_list != NULL && ahead < SPIN;
    struct epoll_event events[EVENTS];
    int ready = epoll_wait(poll_fd, events, EVENTS, spins ? 0 : 1);
    if (ready > 0) was_idle = 0;
    for (int i = 0; i < ready; i++) heed(events[i].data.ptr);
    if (expected != NULL && last - looked > SECOND / 4) {
      looked = last;
      time_out(all, connections);
    }
  }
  report((double)(now() - begun) / (double)SECOND, 1 - (double)idle / (double)(now() - begun));
  return 0;
}
