/** Cases of how a head is written: line ends, fields, request line, versions, Host. */
import { type Case, SMUGGLED } from './case.ts'

const LENGTH = SMUGGLED.length
const REFUSED = '400 closed'
const WAITS =
  'On its connections the engine waits for the rest of a later head that has no end in its eyes'
const NAMELESS =
  'The engine reads no field of a later request behind a nameless one, not even Content-Length: the content is then read as a request. A proxy in front has to refuse or drop such a field, as nginx, Apache and HAProxy do'
const DELETE = 'The engine lets DEL through in the value of a later request'
const fields = (lines: string): string => `GET / HTTP/1.1\r\nHost: x\r\n${lines}\r\n\r\n`

function refused(clause: string, name: string, request: string, exception?: string): Case {
  const one = { clause, name, request, first: REFUSED }
  return exception === undefined ? one : { ...one, exception }
}

const LINES: readonly Case[] = [
  ['a bare LF behind the request line', 'GET / HTTP/1.1\nHost: x\r\n\r\n'],
  ['a bare LF behind a field', 'GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n'],
  ['bare LFs everywhere', 'GET / HTTP/1.1\nHost: x\n\n'],
  ['a bare LF at the end of the head', 'GET / HTTP/1.1\r\nHost: x\r\n\n'],
  ['a bare CR in a value', fields('A: b\rc'), WAITS],
  ['CR CR LF behind a field', 'GET / HTTP/1.1\r\nHost: x\r\r\nA: b\r\n\r\n', WAITS],
].map(([name = '', request = '', exception]) => refused('9112 §2.2', name, request, exception))

const FIELDS: readonly Case[] = [
  ['9112 §5.1', 'a blank before the colon', fields('A : b')],
  [
    '9112 §5.1',
    'a blank before the colon of Content-Length',
    `${fields(`Content-Length : ${LENGTH}`)}${SMUGGLED}`,
  ],
  ['9112 §5.2', 'a folded value', fields('A: b\r\n c')],
  ['9112 §2.2', 'a blank before the first field', 'GET / HTTP/1.1\r\n A: b\r\nHost: x\r\n\r\n'],
  ['9110 §5.1', 'a nameless field', fields(': b'), NAMELESS],
  [
    '9110 §5.1',
    'a nameless field before Content-Length',
    `${fields(`: b\r\nContent-Length: ${LENGTH}`)}${SMUGGLED}`,
    NAMELESS,
  ],
  ['9110 §5.1', 'a line without a colon', fields('A')],
  ['9110 §5.1', 'a blank in a name', fields('A b: c')],
  ['9110 §5.1', 'a parenthesis in a name', fields('A(b: c')],
  ['9110 §5.1', 'NUL in a name', fields('A\0: b')],
  ['9110 §5.1', 'a byte beyond ASCII in a name', fields('A\xe9: b')],
  ['9110 §5.5', 'NUL in a value', fields('A: b\0c')],
  ['9110 §5.5', 'a control character in a value', fields('A: b\x01c')],
  ['9110 §5.5', 'DEL in a value', fields('A: b\x7fc'), DELETE],
].map(([clause = '', name = '', request = '', exception]) =>
  refused(clause, name, request, exception),
)

const FINE: readonly Case[] = [
  ['9110 §5.5', 'bytes beyond ASCII in a value', fields('A: \xe9\xff')],
  ['9110 §5.6.3', 'tabs around a value', fields('A:\t b \t')],
  ['9110 §5.3', 'an empty value', fields('A:')],
].map(([clause = '', name = '', request = '']) => ({ clause, name, request, first: '200 200' }))

const LINE: readonly Case[] = [
  ['9112 §3', 'a tab behind the method', 'GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['9112 §3', 'a blank before the method', ' GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['9112 §3', 'a blank behind the version', 'GET / HTTP/1.1 \r\nHost: x\r\n\r\n'],
  ['9112 §3', 'the version in lower case', 'GET / http/1.1\r\nHost: x\r\n\r\n'],
  ['9112 §3.2', 'a blank in the target', 'GET /a b HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['9112 §3.2', 'NUL in the target', 'GET /a\0b HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['9112 §3.2', 'bytes that are not UTF-8 in the target', 'GET /\xe9 HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['9112 §3.2', 'a fragment in the target', 'GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['9112 §3.2', 'a target without its slash', 'GET a HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['9112 §3.2', 'percent-encoding of no byte', 'GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n'],
].map(([clause = '', name = '', request = '', exception]) =>
  refused(clause, name, request, exception),
)

const HOSTS: readonly Case[] = [
  ['no Host', 'GET / HTTP/1.1\r\nA: b\r\n\r\n'],
  ['an empty Host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n'],
  ['two Hosts', 'GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n'],
  ['two Hosts alike', 'GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n'],
  ['a path in Host', 'GET / HTTP/1.1\r\nHost: x/y\r\n\r\n'],
  ['a user in Host', 'GET / HTTP/1.1\r\nHost: a@x\r\n\r\n'],
  ['a list in Host', 'GET / HTTP/1.1\r\nHost: x y\r\n\r\n'],
  ['a port of letters in Host', 'GET / HTTP/1.1\r\nHost: x:http\r\n\r\n'],
  ['brackets around dots in Host', 'GET / HTTP/1.1\r\nHost: [....]\r\n\r\n'],
  ['half an IPv6 address in Host', 'GET / HTTP/1.1\r\nHost: [1:2]\r\n\r\n'],
  ['an address of IPvFuture in Host', 'GET / HTTP/1.1\r\nHost: [v7.a]\r\n\r\n'],
].map(([name = '', request = '']) => refused('9112 §3.2', name, request))

const VERSIONS: readonly Case[] = [
  {
    clause: '9112 §2.3',
    name: 'HTTP/0.9, a line without a version',
    request: 'GET /\r\n\r\n',
    first: REFUSED,
  },
  {
    clause: '9112 §2.3',
    name: 'HTTP/0.9, named',
    request: 'GET / HTTP/0.9\r\n\r\n',
    first: REFUSED,
  },
  {
    clause: '9113 §3.4',
    name: 'the preface of HTTP/2',
    request: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    first: '505 closed',
  },
  {
    clause: '9110 §15.6.6',
    name: 'HTTP/2.0 in a request line',
    request: 'GET / HTTP/2.0\r\nHost: x\r\n\r\n',
    first: '505 closed',
  },
  {
    clause: '9110 §15.6.6',
    name: 'HTTP/3.0',
    request: 'GET / HTTP/3.0\r\nHost: x\r\n\r\n',
    first: '505 closed',
  },
  {
    clause: '9110 §2.5',
    name: 'a higher minor version',
    request: 'GET / HTTP/1.2\r\nHost: x\r\n\r\n',
    first: '505 closed',
    exception:
      'Both parsers know HTTP/1.0 and HTTP/1.1 alone; section 2.5 would have 1.2 served as 1.1',
  },
  {
    clause: '9112 §2.3',
    name: 'a version of two digits',
    request: 'GET / HTTP/1.10\r\nHost: x\r\n\r\n',
    first: REFUSED,
  },
  {
    clause: '9110 §15.5.1',
    name: 'the ClientHello of TLS',
    request: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    first: REFUSED,
  },
]

const TYPED: Case = {
  clause: '9112 §3.2',
  name: 'UTF-8 in the target, not encoded',
  request: 'GET /\xea\xb8\x80 HTTP/1.1\r\nHost: x\r\n\r\n',
  first: '200 200',
  strict: REFUSED,
  exception:
    'Bytes of UTF-8 in a target are taken for what people mean, as other servers do; section 3.2 would rather have them refused',
}

export const SYNTAX_CASES: readonly Case[] = [
  ...LINES,
  ...FIELDS,
  ...FINE,
  ...LINE,
  TYPED,
  ...HOSTS,
  ...VERSIONS,
]
