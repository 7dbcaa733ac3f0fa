/*
 * server FOLDER PORT FIELDS: answers GET for exact paths below FOLDER on 127.0.0.1:PORT, one thread.
 * Files are read at the start, heads are built then; FIELDS is a file with field lines for every
 * answer. One recv and one sendmsg serve all requests that came together; above 64 KiB the body goes
 * by sendfile. If-None-Match (one tag), Accept-Encoding: gzip (a .gz sibling) and Connection: close
 * are understood, nothing else: this is a measure, not a server to use.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum {
  SENDFILE_BYTES = 64 * 1024,
  BUCKETS = 1 << 16,
  IN_BYTES = 16 * 1024,
  PARTS = 96, /* 32 answers of three parts */
  DATES = 64,
  PREFIX = 96
};

struct answer {
  char *head; /* fields after Date, with the empty line; the body follows when it is small */
  size_t head_bytes;
  char *body;
  size_t body_bytes;
  int fd; /* of a body that goes by sendfile, otherwise -1 */
};

struct file {
  char *path;
  size_t path_bytes;
  char etag[48];
  struct answer whole, gzip, unchanged;
  int has_gzip;
  struct file *next;
};

struct connection {
  int fd, closing, wants_out;
  struct iovec out[PARTS];
  int out_at, out_end;
  int file;
  off_t file_at;
  size_t file_left;
  size_t in_bytes;
  char in[IN_BYTES];
};

static struct file *buckets[BUCKETS];
static char *fields, *fields_304;
static const char *folder;
static char dates[DATES][2][PREFIX]; /* by second: prefix of a 200, of a 304 */
static size_t prefix_bytes[2];
static time_t now;
static int poller;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static unsigned hash(const char *text, size_t bytes) {
  unsigned sum = 2166136261u;
  while (bytes--) sum = (sum ^ (unsigned char)*text++) * 16777619u;
  return (sum ^ sum >> 16) & (BUCKETS - 1);
}

static struct file *find(const char *path, size_t bytes) {
  struct file *file = buckets[hash(path, bytes)];
  while (file && (file->path_bytes != bytes || memcmp(file->path, path, bytes))) file = file->next;
  return file;
}

static char *read_all(const char *path, size_t *bytes) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  struct stat stat;
  if (fd < 0 || fstat(fd, &stat)) fail(path);
  char *content = malloc(stat.st_size + 1);
  *bytes = 0;
  while (*bytes < (size_t)stat.st_size) {
    ssize_t got = read(fd, content + *bytes, stat.st_size - *bytes);
    if (got <= 0) fail(path);
    *bytes += got;
  }
  content[*bytes] = 0;
  close(fd);
  return content;
}

/* Field lines without those that describe a body. */
static char *without_content(const char *lines) {
  char *left = calloc(1, strlen(lines) + 1), *to = left;
  while (*lines) {
    size_t bytes = strcspn(lines, "\n") + 1;
    if (strncasecmp(lines, "Content-Type:", 13)) to = mempcpy(to, lines, bytes);
    lines += bytes;
  }
  return left;
}

static void make_answer(struct answer *answer, const struct file *file, const char *on_disk,
                        const char *modified, const char *coding) {
  char head[8192];
  size_t bytes;
  char *body = read_all(on_disk, &bytes);
  int length = snprintf(head, sizeof head,
                        "%sETag: %s\r\nLast-Modified: %s\r\nAccept-Ranges: bytes\r\n%s"
                        "Content-Length: %zu\r\n",
                        fields, file->etag, modified, coding, bytes);
  answer->fd = -1;
  answer->body_bytes = bytes;
  answer->head_bytes = length;
  if (bytes > SENDFILE_BYTES) {
    free(body);
    answer->head = strdup(head);
    answer->fd = open(on_disk, O_RDONLY | O_CLOEXEC);
    if (answer->fd < 0) fail(on_disk);
    return;
  }
  /* The empty line stands before the body, so that a head without it can take Connection: close. */
  answer->head = malloc(length + 2 + bytes);
  memcpy(answer->head, head, length);
  answer->body = mempcpy(answer->head + length, "\r\n", 2);
  memcpy(answer->body, body, bytes);
  free(body);
}

static int add_file(const char *path, const struct stat *stat, int type, struct FTW *level) {
  (void)level;
  if (type != FTW_F) return 0;
  struct file *file = calloc(1, sizeof *file);
  char modified[64], sibling[4096], head[8192];
  struct tm tm;
  strftime(modified, sizeof modified, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&stat->st_mtime, &tm));
  file->path = strdup(path + strlen(folder));
  file->path_bytes = strlen(file->path);
  snprintf(file->etag, sizeof file->etag, "\"%lx-%lx\"", (long)stat->st_mtime, (long)stat->st_size);
  make_answer(&file->whole, file, path, modified, "");
  snprintf(sibling, sizeof sibling, "%s.gz", path);
  file->has_gzip = access(sibling, R_OK) == 0;
  if (file->has_gzip) {
    make_answer(&file->gzip, file, sibling, modified, "Content-Encoding: gzip\r\n");
  }
  file->unchanged.head_bytes =
      snprintf(head, sizeof head, "%sETag: %s\r\nLast-Modified: %s\r\nAccept-Ranges: bytes\r\n",
               fields_304, file->etag, modified);
  file->unchanged.head = malloc(file->unchanged.head_bytes + 2);
  memcpy(file->unchanged.head, head, file->unchanged.head_bytes);
  memcpy(file->unchanged.head + file->unchanged.head_bytes, "\r\n", 2);
  file->unchanged.fd = -1;
  struct file **bucket = &buckets[hash(file->path, file->path_bytes)];
  file->next = *bucket;
  *bucket = file;
  return 0;
}

static void set_date(void) {
  time_t second = time(NULL);
  if (second == now) return;
  now = second;
  struct tm tm;
  char date[64];
  strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &tm));
  char(*to)[PREFIX] = dates[now % DATES];
  prefix_bytes[0] = snprintf(to[0], PREFIX, "HTTP/1.1 200 OK\r\nDate: %s\r\n", date);
  prefix_bytes[1] = snprintf(to[1], PREFIX, "HTTP/1.1 304 Not Modified\r\nDate: %s\r\n", date);
}

static void put(struct connection *c, const char *bytes, size_t count) {
  c->out[c->out_end++] = (struct iovec){(void *)bytes, count};
}

/* The value of a field of the head, or NULL; `name` is in small letters with the colon. */
static const char *value_of(const char *head, const char *end, const char *name, size_t *bytes) {
  size_t name_bytes = strlen(name);
  for (const char *line = memchr(head, '\n', end - head); line && line + 1 < end;
       line = memchr(line, '\n', end - line)) {
    line++;
    if ((size_t)(end - line) <= name_bytes || strncasecmp(line, name, name_bytes)) continue;
    const char *value = line + name_bytes, *stop = memchr(value, '\r', end - value);
    while (*value == ' ') value++;
    *bytes = (stop ? stop : end) - value;
    return value;
  }
  return NULL;
}

static const char NOT_FOUND[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";

/* Puts the answer to the request [head, end) out. */
static void respond(struct connection *c, const char *head, const char *end) {
  static const char closes[] = "Connection: close\r\n\r\n";
  const char *path = head + 4, *stop = end - head > 4 ? memchr(path, ' ', end - path) : NULL;
  struct file *file = stop ? find(path, stop - path) : NULL;
  if (!file || memcmp(head, "GET ", 4)) {
    put(c, NOT_FOUND, sizeof NOT_FOUND - 1);
    return;
  }
  size_t bytes;
  const char *value = value_of(head, end, "connection:", &bytes);
  c->closing = value && bytes == 5 && !strncasecmp(value, "close", 5);
  struct answer *answer = &file->whole;
  value = value_of(head, end, "if-none-match:", &bytes);
  int unchanged = value && bytes == strlen(file->etag) && !memcmp(value, file->etag, bytes);
  if (unchanged) {
    answer = &file->unchanged;
  } else if (file->has_gzip && (value = value_of(head, end, "accept-encoding:", &bytes)) &&
             memmem(value, bytes, "gzip", 4)) {
    answer = &file->gzip;
  }
  put(c, dates[now % DATES][unchanged], prefix_bytes[unchanged]);
  if (c->closing || answer->fd >= 0) {
    put(c, answer->head, answer->head_bytes);
    if (c->closing) put(c, closes, sizeof closes - 1);
    else put(c, "\r\n", 2);
    if (answer->fd < 0 && answer->body_bytes) put(c, answer->body, answer->body_bytes);
  } else {
    put(c, answer->head, answer->head_bytes + 2 + answer->body_bytes);
  }
  if (answer->fd >= 0) {
    c->file = answer->fd;
    c->file_at = 0;
    c->file_left = answer->body_bytes;
  }
}

/* 1: all is sent; 0: the socket is full; -1: broken. */
static int flush(struct connection *c) {
  while (c->out_at < c->out_end) {
    struct msghdr message = {.msg_iov = c->out + c->out_at, .msg_iovlen = c->out_end - c->out_at};
    ssize_t sent = sendmsg(c->fd, &message, MSG_NOSIGNAL | (c->file_left ? MSG_MORE : 0));
    if (sent < 0) return errno == EAGAIN ? 0 : -1;
    while (c->out_at < c->out_end && (size_t)sent >= c->out[c->out_at].iov_len) {
      sent -= c->out[c->out_at++].iov_len;
    }
    if (sent) {
      c->out[c->out_at].iov_base = (char *)c->out[c->out_at].iov_base + sent;
      c->out[c->out_at].iov_len -= sent;
    }
  }
  c->out_at = c->out_end = 0;
  while (c->file_left) {
    ssize_t sent = sendfile(c->fd, c->file, &c->file_at, c->file_left);
    if (sent < 0) return errno == EAGAIN ? 0 : -1;
    if (sent == 0) return -1; /* the file has become shorter */
    c->file_left -= sent;
  }
  return 1;
}

static void drop(struct connection *c) {
  close(c->fd);
  free(c);
}

static void wait_for(struct connection *c, int out) {
  if (c->wants_out == out) return;
  c->wants_out = out;
  struct epoll_event event = {.events = out ? EPOLLOUT : EPOLLIN, .data.ptr = c};
  epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &event);
}

/* Answers whole requests that are in, until the socket is full. 0: the connection is gone. */
static int serve(struct connection *c) {
  char *at = c->in, *stop = c->in + c->in_bytes, *end;
  for (;;) {
    while (!c->closing && !c->file_left && c->out_end + 6 <= PARTS &&
           (end = memmem(at, stop - at, "\r\n\r\n", 4))) {
      respond(c, at, end + 2);
      at = end + 4;
    }
    if (!c->out_end && !c->file_left) break;
    int sent = flush(c);
    if (sent < 0 || (sent && c->closing)) {
      drop(c);
      return 0;
    }
    if (!sent) {
      wait_for(c, 1);
      break;
    }
  }
  c->in_bytes = stop - at;
  memmove(c->in, at, c->in_bytes);
  return 1;
}

static void on_event(struct connection *c, unsigned events) {
  if (c->wants_out) {
    if (events & (EPOLLERR | EPOLLHUP)) {
      drop(c);
      return;
    }
    int sent = flush(c);
    if (sent < 0 || (sent && c->closing)) {
      drop(c);
      return;
    }
    if (!sent) return;
    wait_for(c, 0);
    serve(c);
    return;
  }
  ssize_t got = recv(c->fd, c->in + c->in_bytes, IN_BYTES - c->in_bytes, 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {
    drop(c);
    return;
  }
  c->in_bytes += got;
  serve(c);
}

static void accept_all(int listener) {
  int fd, on = 1;
  while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct connection *c = malloc(sizeof *c);
    c->fd = fd;
    c->closing = c->wants_out = c->out_at = c->out_end = 0;
    c->file_left = c->in_bytes = 0;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
  }
}

int main(int argc, char **argv) {
  if (argc != 4) {
    fputs("server FOLDER PORT FIELDS\n", stderr);
    return 2;
  }
  size_t bytes;
  int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons(atoi(argv[2])),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  signal(SIGPIPE, SIG_IGN); /* sendfile has no MSG_NOSIGNAL */
  folder = argv[1];
  fields = read_all(argv[3], &bytes);
  fields_304 = without_content(fields);
  if (nftw(folder, add_file, 16, FTW_PHYS)) fail(folder);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) {
    fail("listen");
  }
  poller = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[256];
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    int count = epoll_wait(poller, events, 256, -1);
    set_date();
    for (int i = 0; i < count; i++) {
      if (events[i].data.ptr) on_event(events[i].data.ptr, events[i].events);
      else accept_all(listener);
    }
  }
}
