/*
 * Load at a fixed rate: load PORT RATE SECONDS CONNECTIONS REQUESTS
 *
 * Request number i is due at i / RATE, whatever became of those before it, and its latency counts from then on, not from
 * when it was sent: an answer that is late makes the following ones late as well, as it does for people (no "coordinated
 * omission"). Whoever is due takes a free connection, or the first that becomes free. REQUESTS is a file of requests, each
 * of which ends with an empty line. One thread; it spins shortly before something is due. Prints one line of JSON.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_BYTES = 16384, READ_BYTES = 1 << 18, EVENTS = 256 };
static const int64_t SECOND = 1000000000, SPIN = 2000000, DRAIN = 10 * SECOND;

/* What is still to come of an answer. */
enum { HEAD, BODY, CHUNK_SIZE, CHUNK, CHUNK_END, TRAILER };

struct connection {
  int fd, state, busy, closes;
  int64_t due, free_since, left;
  size_t used;
  struct connection *next_free;
  char head[HEAD_BYTES];
};

static struct sockaddr_in server;
static int poll_fd;
/* The longest free first, so that all connections are used. */
static struct connection *free_list, *free_last;
static char *requests;
static size_t *starts, request_count;
static int64_t answered, failed, refused, total;
/* Microseconds: latencies, and how late this program itself was though a connection was free. A fixed rate that it cannot
 * keep is its own limit, and so is a time without a pause. */
static uint32_t *latencies, *lags;
static int64_t sent;

static int64_t now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec * SECOND + at.tv_nsec;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void open_connection(struct connection *one) {
  one->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (one->fd < 0) fail("socket");
  if (connect(one->fd, (struct sockaddr *)&server, sizeof server) != 0) fail("connect");
  int on = 1;
  setsockopt(one->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fcntl(one->fd, F_SETFL, O_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = one};
  if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, one->fd, &event) != 0) fail("epoll_ctl");
  one->state = HEAD;
  one->used = 0;
  one->closes = 0;
}

static void release(struct connection *one) {
  one->busy = 0;
  one->free_since = now();
  one->next_free = NULL;
  if (free_list == NULL) free_list = one;
  else free_last->next_free = one;
  free_last = one;
}

/* The answer did not come whole. */
static void broken(struct connection *one) {
  int was_busy = one->busy;
  failed += was_busy;
  close(one->fd);
  open_connection(one);
  if (was_busy) release(one);
}

static void finish(struct connection *one) {
  int64_t taken = (now() - one->due) / 1000;
  latencies[answered++] = taken > UINT32_MAX ? UINT32_MAX : (uint32_t)taken;
  if (one->closes) {
    close(one->fd);
    open_connection(one);
  }
  one->state = HEAD;
  one->used = 0;
  release(one);
}

static void send_due(struct connection *one, int64_t number, int64_t due) {
  size_t which = (size_t)number % request_count;
  const char *bytes = requests + starts[which];
  size_t length = starts[which + 1] - starts[which];
  int64_t at = now();
  int64_t could = one->free_since > due ? one->free_since : due;
  lags[sent++] = (uint32_t)((at - could) / 1000);
  one->due = due;
  one->busy = 1;
  /* A request is far smaller than a socket's buffer, and the one before it has been answered. */
  if (send(one->fd, bytes, length, MSG_NOSIGNAL) != (ssize_t)length) broken(one);
}

static char *field(char *head, const char *name) {
  for (char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line + 2, "\r\n")) {
    size_t length = strlen(name);
    if (strncasecmp(line + 2, name, length) == 0 && line[2 + length] == ':')
      return line + 3 + length + strspn(line + 3 + length, " \t");
  }
  return NULL;
}

/* From a whole head: what its body is framed by. 0 when the head is wrong. */
static int read_head(struct connection *one) {
  int status = 0;
  if (sscanf(one->head, "HTTP/1.1 %3d", &status) != 1) return 0;
  if (status < 200 || status > 399) refused++;
  char *connection = field(one->head, "connection");
  one->closes = connection != NULL && strncasecmp(connection, "close", 5) == 0;
  char *coding = field(one->head, "transfer-encoding");
  if (status == 204 || status == 304) {
    one->left = 0;
    one->state = BODY;
  } else if (coding != NULL && strncasecmp(coding, "chunked", 7) == 0) {
    one->state = CHUNK_SIZE;
    one->left = 0;
  } else {
    char *length = field(one->head, "content-length");
    if (length == NULL) return 0;
    one->left = strtoll(length, NULL, 10);
    one->state = BODY;
  }
  one->used = 0;
  return 1;
}

/* Adds bytes to the line or head that is read, up to `end`; the bytes taken, or -1 where it is too long. */
static ssize_t gather(struct connection *one, const char *bytes, size_t count, const char *end,
                      int *whole) {
  size_t wanted = strlen(end);
  for (size_t i = 0; i < count; i++) {
    if (one->used + 1 >= HEAD_BYTES) return -1;
    one->head[one->used++] = bytes[i];
    if (one->used >= wanted && memcmp(one->head + one->used - wanted, end, wanted) == 0) {
      one->head[one->used] = 0;
      *whole = 1;
      return (ssize_t)i + 1;
    }
  }
  return (ssize_t)count;
}

/* 0 when the bytes are no answer. */
static int take(struct connection *one, const char *bytes, size_t count) {
  while (count > 0 || (one->state == BODY && one->left == 0 && one->busy)) {
    if (!one->busy) return 0;
    ssize_t taken = 0;
    int whole = 0;
    switch (one->state) {
    case HEAD:
      taken = gather(one, bytes, count, "\r\n\r\n", &whole);
      if (taken < 0 || (whole && !read_head(one))) return 0;
      break;
    case BODY:
      taken = one->left < (int64_t)count ? (ssize_t)one->left : (ssize_t)count;
      one->left -= taken;
      if (one->left == 0) finish(one);
      break;
    case CHUNK_SIZE:
      taken = gather(one, bytes, count, "\r\n", &whole);
      if (taken < 0) return 0;
      if (whole) {
        one->left = strtoll(one->head, NULL, 16);
        one->state = one->left == 0 ? TRAILER : CHUNK;
        one->used = 0;
      }
      break;
    case CHUNK:
      taken = one->left < (int64_t)count ? (ssize_t)one->left : (ssize_t)count;
      one->left -= taken;
      if (one->left == 0) one->state = CHUNK_END;
      break;
    case CHUNK_END:
    case TRAILER: {
      int is_last = one->state == TRAILER;
      taken = gather(one, bytes, count, "\r\n", &whole);
      if (taken < 0) return 0;
      if (whole) {
        int is_empty = one->used == 2;
        one->used = 0;
        if (is_last && is_empty) finish(one);
        else if (!is_last) one->state = CHUNK_SIZE;
      }
      break;
    }
    }
    bytes += taken;
    count -= (size_t)taken;
  }
  return 1;
}

static void read_some(struct connection *one) {
  static char bytes[READ_BYTES];
  ssize_t count = recv(one->fd, bytes, sizeof bytes, 0);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0 || !take(one, bytes, (size_t)count)) broken(one);
}

static void load_requests(const char *name) {
  int file = open(name, O_RDONLY);
  struct stat about;
  if (file < 0 || fstat(file, &about) != 0) fail(name);
  size_t size = (size_t)about.st_size;
  requests = malloc(size + 1);
  starts = malloc((size / 4 + 2) * sizeof *starts);
  for (size_t at = 0; at < size;) {
    ssize_t count = read(file, requests + at, size - at);
    if (count <= 0) fail(name);
    at += (size_t)count;
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

static int ascending(const void *a, const void *b) {
  uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;
  return one < other ? -1 : one > other;
}

static double part_ms(const uint32_t *sorted, int64_t count, double part) {
  if (count == 0) return 0;
  int64_t at = (int64_t)(part * (double)count);
  return sorted[at < count ? at : count - 1] / 1000.0;
}

int main(int count, char **arguments) {
  if (count != 6) {
    fprintf(stderr, "load PORT RATE SECONDS CONNECTIONS REQUESTS\n");
    return 2;
  }
  double rate = atof(arguments[2]);
  total = (int64_t)(rate * atof(arguments[3]));
  int connections = atoi(arguments[4]);
  load_requests(arguments[5]);
  latencies = calloc((size_t)total + (size_t)connections + 1, sizeof *latencies);
  lags = calloc((size_t)total + 1, sizeof *lags);
  server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(arguments[1]))};
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  poll_fd = epoll_create1(EPOLL_CLOEXEC);
  struct connection *all = calloc((size_t)connections, sizeof *all);
  for (int i = 0; i < connections; i++) {
    open_connection(&all[i]);
    release(&all[i]);
  }
  int64_t begun = now(), next = 0, last = begun, idle = 0;
  int64_t until = begun + (int64_t)((double)total / rate * (double)SECOND) + DRAIN;
  int was_idle = 0;
  while (answered + failed < total && last < until) {
    int64_t before = last;
    last = now();
    if (was_idle) idle += last - before;
    was_idle = 1;
    for (; next < total && free_list != NULL; next++) {
      int64_t due = begun + (int64_t)((double)next / rate * (double)SECOND);
      if (due > now()) break;
      struct connection *one = free_list;
      free_list = one->next_free;
      send_due(one, next, due);
      was_idle = 0;
    }
    int64_t ahead = begun + (int64_t)((double)next / rate * (double)SECOND) - now();
    int wait = next < total && free_list != NULL && ahead < SPIN ? 0 : 1;
    struct epoll_event events[EVENTS];
    int ready = epoll_wait(poll_fd, events, EVENTS, wait);
    if (ready > 0) was_idle = 0;
    for (int i = 0; i < ready; i++) read_some(events[i].data.ptr);
  }
  int64_t ended = now();
  int64_t missing = total - answered;
  qsort(latencies, (size_t)answered, sizeof *latencies, ascending);
  qsort(lags, (size_t)sent, sizeof *lags, ascending);
  printf("{\"requests\":%lld,\"errors\":%lld,\"seconds\":%.6f,\"p50\":%.3f,\"p99\":%.3f,\"p999\":%.3f,"
         "\"most\":%.3f,\"lag99\":%.3f,\"busy\":%.3f}\n",
         (long long)answered, (long long)(refused + missing), (double)(ended - begun) / (double)SECOND,
         part_ms(latencies, answered, 0.5), part_ms(latencies, answered, 0.99),
         part_ms(latencies, answered, 0.999), part_ms(latencies, answered, 1),
         part_ms(lags, sent, 0.99), 1 - (double)idle / (double)(ended - begun));
  return 0;
}
