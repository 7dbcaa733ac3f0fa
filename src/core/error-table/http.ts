/** Errors of src/http/. Read by ../errors.ts. */
import type { ErrorEntry } from './entry.ts'

export const HTTP_ERRORS = {
  UWAS_ERR_HTTP_ERROR_STATUS: {
    message: 'status {status} of an HttpError is not a whole number from 400 to 599',
    status: 500,
    base: 'RangeError',
    when: 'request',
  },
  UWAS_ERR_HTTP_HEADER_NAME: {
    message: 'header name {name} is not a token (RFC 9110 section 5.6.2)',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_HTTP_HEADER_OWNED: {
    message: 'header {name} is written by the server itself; leave it out of the reply',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_HTTP_HEADER_TWICE: {
    message:
      'header {name} is there twice, and a reply has one (RFC 9110 section 5.3); header() replaces it, append() adds',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_HTTP_HEADER_VALUE: {
    message:
      'value of header {name} is no text, or contains a character that may not stand in a field value (RFC 9110 section 5.5)',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_HTTP_JSON: {
    message: 'json(): {problem}',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_HTTP_CORS: {
    message: 'the CORS policy of {prefix}: {problem}',
    status: 500,
    base: 'TypeError',
    when: 'start',
  },
  UWAS_ERR_HTTP_SECURITY_HEADER: {
    message: 'securityHeaders: {name}: {problem}',
    status: 500,
    base: 'TypeError',
    when: 'start',
  },
  UWAS_ERR_HTTP_STATUS: {
    message: 'status {status} is not a whole number from 200 to 599',
    status: 500,
    base: 'RangeError',
    when: 'request',
  },
  UWAS_ERR_HTTP_REDIRECT: {
    message: 'redirect to {location} refused: {problem}',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_HTTP_COOKIE: {
    message: 'cookie {name}: {problem}',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_HTTP_BODY_TOO_LARGE: {
    message: 'the request body is larger than {limit} bytes',
    status: 413,
    base: 'RangeError',
    when: 'request',
  },
  UWAS_ERR_HTTP_BODY_TYPE: {
    message: 'the request body is {type}; expected {expected}',
    status: 415,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_HTTP_BODY_KIND: {
    message:
      'the body of a reply is of type {kind}; it has to be a string, a Uint8Array, an async iterable or null',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_HTTP_BODY_MALFORMED: {
    message: 'the request body cannot be read as {type}: {problem}',
    status: 400,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_HTTP_SECRET: {
    message: 'secrets {problem}',
    status: 500,
    base: 'TypeError',
    when: 'start',
  },
  UWAS_ERR_HTTP_EVENT: {
    message:
      'the field {field} of an event is {value}; it has to be one line (retry: a whole number)',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_HTTP_EVENTS_SLOW: {
    message: 'the client is cut off: {limit} events wait for it already',
    status: 503,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_HTTP_TRUSTED_PROXY: {
    message:
      'trustedProxies: "{network}" is no network; write an address, a network like 10.0.0.0/8, "loopback", "private" or "unix"',
    status: 500,
    base: 'TypeError',
    when: 'start',
  },
  UWAS_ERR_HTTP_BODY_BOUND: {
    message: 'the request body has more than {limit} {what}',
    status: 413,
    base: 'RangeError',
    when: 'request',
  },
  UWAS_ERR_HTTP_BODY_USED: {
    message:
      'the request body is streamed and can be read once: keep what you need of it, or call bytes() alone',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_HTTP_BODY_ABORTED: {
    message:
      'the client went away before its request body had arrived, or the reply left before it was read',
    status: 400,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_HTTP_BODY_SLOW: {
    message:
      'the request body came more slowly than {bytesPerSecond} bytes a second (limits.minReceiveBytesPerSecond), or not at all',
    status: 408,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_HTTP_VALIDATOR: {
    message: 'condition(): {value}; give a tag with its quotes ("7" or W/"7"), or a valid date',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_HTTP_SOCKET: {
    message: 'socket.{call}: {problem}',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
} as const satisfies Record<`UWAS_ERR_HTTP_${string}`, ErrorEntry>
