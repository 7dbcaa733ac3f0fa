/** Cases of what a well-formed request asks for: target forms, methods, versions, connections, limits. */
import type { Case } from './case.ts'

const OK = '200 200'
const request = (line: string, fields = 'Host: x'): string => `${line}\r\n${fields}\r\n\r\n`
const ENGINE_FORMS =
  'The engine parses origin-form alone: on its connections other forms of a later request are refused'
const ENGINE_VERSION =
  'The engine parses HTTP/1.1 alone: on its connections a later request of HTTP/1.0 is refused'
const CLOSE_BEHIND =
  'The engine answers what stands in the same segment behind a later request that asks to close'
const PENDING =
  'On its connections the engine closes when a request comes before the reply to the one before it has left: that of a view that waits, a stream, or of a file the part that the kernel does not take at once. So it is for who pipelines later than in the first segment, unless the User-Agent tells it: those of apt, Apt-Cacher-NG and serf take the strict lane'
/** The view of the test answers it later. */
export const LATE = '/late'
const FIELDS_101 = Array.from({ length: 101 }, (_, i) => `A${i}: b`).join('\r\n')
const FIELDS_300 = Array.from({ length: 300 }, (_, i) => `A${i}: b`).join('\r\n')

export const FORM_CASES: readonly Case[] = [
  {
    clause: '9112 §3.2.1',
    name: 'origin-form',
    request: request('GET /a?b=c HTTP/1.1'),
    first: OK,
  },
  {
    clause: '9112 §3.2.2',
    name: 'absolute-form',
    request: request('GET http://x/a HTTP/1.1'),
    first: OK,
    exception: ENGINE_FORMS,
  },
  {
    clause: '9112 §3.2.2',
    name: 'absolute-form of another Host',
    request: request('GET http://y/ HTTP/1.1'),
    first: OK,
    exception: ENGINE_FORMS,
  },
  {
    clause: '9112 §3.2.2',
    name: 'absolute-form without a path',
    request: request('GET http://x?q HTTP/1.1'),
    first: OK,
    exception: ENGINE_FORMS,
  },
  {
    clause: '9112 §3.2',
    name: 'absolute-form without Host',
    request: request('GET http://x/ HTTP/1.1', 'A: b'),
    first: '400 closed',
  },
  {
    clause: '9110 §4.2.4',
    name: 'absolute-form with a user',
    request: request('GET http://a@x/ HTTP/1.1'),
    first: '400 closed',
  },
  {
    clause: '9110 §7.4',
    name: 'absolute-form of https',
    request: request('GET https://x/ HTTP/1.1'),
    first: '421 closed',
  },
  {
    clause: '9112 §3.2.2',
    name: 'absolute-form of another scheme',
    request: request('GET ftp://x/ HTTP/1.1'),
    first: '400 closed',
  },
  {
    clause: '9112 §3.2.4',
    name: 'OPTIONS *',
    request: request('OPTIONS * HTTP/1.1'),
    first: '204 200',
    exception: ENGINE_FORMS,
  },
  { clause: '9112 §3.2.4', name: 'GET *', request: request('GET * HTTP/1.1'), first: '400 closed' },
  {
    clause: '9112 §3.2.3',
    name: 'CONNECT',
    request: request('CONNECT x:1 HTTP/1.1', 'Host: x:1'),
    first: '501 closed',
  },
  {
    clause: '9110 §9.3.8',
    name: 'TRACE',
    request: request('TRACE / HTTP/1.1'),
    first: '501 closed',
  },
  {
    clause: '9110 §9.1',
    name: 'an unknown method',
    request: request('BREW / HTTP/1.1'),
    first: '501 closed',
  },
  {
    clause: '9110 §9.1',
    name: 'a method in lower case',
    request: request('get / HTTP/1.1'),
    first: '501 closed',
  },
  { clause: '9110 §9.3.2', name: 'HEAD', request: request('HEAD / HTTP/1.1'), first: OK },
  {
    clause: '9112 §2.2',
    name: 'a blank line before a request',
    request: request('\r\nGET / HTTP/1.1'),
    first: OK,
    exception:
      'The engine takes no blank line before a later request: it waits for its time-out and closes',
  },
  {
    clause: '9112 §9.3',
    name: 'HTTP/1.0',
    request: request('GET / HTTP/1.0'),
    first: '200 closed',
    exception: ENGINE_VERSION,
  },
  {
    clause: '9112 §3.2',
    name: 'HTTP/1.0 without Host',
    request: request('GET / HTTP/1.0', 'A: b'),
    first: '200 closed',
    exception: ENGINE_VERSION,
  },
  {
    clause: '9112 §9.3',
    name: 'HTTP/1.0 with keep-alive',
    request: request('GET / HTTP/1.0', 'Host: x\r\nConnection: keep-alive'),
    first: OK,
    exception: ENGINE_VERSION,
  },
  {
    clause: '9112 §9.6',
    name: 'Connection: close',
    request: request('GET / HTTP/1.1', 'Host: x\r\nConnection: close'),
    first: '200 closed',
    exception: CLOSE_BEHIND,
  },
  {
    clause: '9112 §9.6',
    name: 'close in a list',
    request: request('GET / HTTP/1.1', 'Host: x\r\nConnection: te, Close'),
    first: '200 closed',
    exception: CLOSE_BEHIND,
  },
  {
    clause: '9110 §10.1.1',
    name: 'Expect: 100-continue',
    request: `${request('POST / HTTP/1.1', 'Host: x\r\nExpect: 100-continue\r\nContent-Length: 5')}hello`,
    first: OK,
  },
  {
    clause: '9110 §10.1.1',
    name: 'another expectation',
    request: request('GET / HTTP/1.1', 'Host: x\r\nExpect: wonders'),
    first: '417 closed',
    exception:
      'The engine does not look at Expect: a later request with another expectation is served, which the clause leaves free',
  },
  {
    clause: '9112 §9.3.2',
    name: 'a request whose reply is pending when the next one comes',
    request: request(`GET ${LATE} HTTP/1.1`),
    first: OK,
    exception: PENDING,
  },
  {
    clause: '9110 §7.8',
    name: 'Upgrade to what is not spoken',
    request: request('GET / HTTP/1.1', 'Host: x\r\nConnection: Upgrade\r\nUpgrade: h2c'),
    first: '200 closed',
    exception:
      'llhttp reads nothing behind a request with Upgrade: the strict lane answers it and closes',
  },
  {
    clause: '6455 §4.2',
    name: 'a WebSocket handshake where none is opened',
    request: request(
      'GET / HTTP/1.1',
      'Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ),
    first: '200 closed',
    exception:
      'llhttp reads nothing behind a request with Upgrade: the strict lane answers it and closes',
  },
  {
    clause: '9110 §5.4',
    name: '101 fields',
    request: request('GET / HTTP/1.1', `Host: x\r\n${FIELDS_101}`),
    first: OK,
    exception: 'The engine takes 99 fields of a later request',
  },
  {
    clause: '6585 §5',
    name: '300 fields',
    request: request('GET / HTTP/1.1', `Host: x\r\n${FIELDS_300}`),
    first: '431 closed',
  },
  {
    clause: '6585 §5',
    name: 'a field above the limit of a head',
    request: request('GET / HTTP/1.1', `Host: x\r\nA: ${'b'.repeat(20_000)}`),
    first: '431 closed',
  },
  {
    clause: '9110 §15.5.15',
    name: 'a target above the limit of a head',
    request: request(`GET /${'a'.repeat(20_000)} HTTP/1.1`),
    first: '414 closed',
  },
  {
    clause: '9112 §3',
    name: 'a target of 9,000 characters',
    request: request(`GET /${'a'.repeat(9000)} HTTP/1.1`),
    first: '414 closed',
  },
]
