/*
 * One answer of HTTP/1.1 as its bytes come: status, how its body is framed, and where it ends. No I/O. Used by load.c.
 */
#ifndef ANSWER_H
#define ANSWER_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/types.h>

enum { HEAD_BYTES = 16384 };

/* What is still to come of it. */
enum answer_state { HEAD, BODY, CHUNK_SIZE, CHUNK, CHUNK_END, TRAILER, WHOLE };

struct answer {
  enum answer_state state;
  /* Its connection ends with it. */
  int status, closes;
  int64_t left, body_bytes;
  size_t used;
  char head[HEAD_BYTES];
};

static inline void answer_begin(struct answer *one) {
  one->state = HEAD;
  one->status = one->closes = 0;
  one->left = one->body_bytes = 0;
  one->used = 0;
}

static inline char *answer_field(char *head, const char *name) {
  for (char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line + 2, "\r\n")) {
    size_t length = strlen(name);
    if (strncasecmp(line + 2, name, length) == 0 && line[2 + length] == ':')
      return line + 3 + length + strspn(line + 3 + length, " \t");
  }
  return NULL;
}

/* From a whole head: what its body is framed by. 0 when the head is wrong. */
static inline int answer_read_head(struct answer *one) {
  if (sscanf(one->head, "HTTP/1.1 %3d", &one->status) != 1) return 0;
  char *connection = answer_field(one->head, "connection");
  one->closes = connection != NULL && strncasecmp(connection, "close", 5) == 0;
  char *coding = answer_field(one->head, "transfer-encoding");
  if (one->status == 204 || one->status == 304) {
    one->state = WHOLE;
  } else if (coding != NULL && strncasecmp(coding, "chunked", 7) == 0) {
    one->state = CHUNK_SIZE;
  } else {
    char *length = answer_field(one->head, "content-length");
    if (length == NULL) return 0;
    one->left = strtoll(length, NULL, 10);
    one->state = one->left == 0 ? WHOLE : BODY;
  }
  one->used = 0;
  return 1;
}

/* Adds bytes to the line or head that is read, up to `end`; the bytes taken, or -1 where it is too long. */
static inline ssize_t answer_gather(struct answer *one, const char *bytes, size_t count,
                                    const char *end, int *whole) {
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

/* A line of a chunked body is whole. */
static inline void answer_take_line(struct answer *one) {
  int is_empty = one->used == 2;
  one->used = 0;
  if (one->state == CHUNK_SIZE) {
    one->left = strtoll(one->head, NULL, 16);
    one->state = one->left == 0 ? TRAILER : CHUNK;
  } else if (one->state == CHUNK_END) {
    one->state = CHUNK_SIZE;
  } else if (is_empty) {
    one->state = WHOLE;
  }
}

/* Takes bytes until the answer is WHOLE; how many it took, or -1 when they are no answer. */
static inline ssize_t answer_take(struct answer *one, const char *bytes, size_t count) {
  size_t at = 0;
  while (at < count && one->state != WHOLE) {
    const char *rest = bytes + at;
    size_t length = count - at;
    ssize_t taken = 0;
    int whole = 0;
    if (one->state == BODY || one->state == CHUNK) {
      taken = one->left < (int64_t)length ? (ssize_t)one->left : (ssize_t)length;
      one->left -= taken;
      one->body_bytes += taken;
      if (one->left == 0) one->state = one->state == BODY ? WHOLE : CHUNK_END;
    } else {
      int is_head = one->state == HEAD;
      taken = answer_gather(one, rest, length, is_head ? "\r\n\r\n" : "\r\n", &whole);
      if (taken < 0 || (whole && is_head && !answer_read_head(one))) return -1;
      if (whole && !is_head) answer_take_line(one);
    }
    at += (size_t)taken;
  }
  return (ssize_t)at;
}

#endif
