/** Cases of where a request ends: Content-Length, Transfer-Encoding, chunks. */
import { type Case, SMUGGLED } from './case.ts'

const LENGTH = SMUGGLED.length
const post = (fields: string, body = SMUGGLED): string =>
  `POST / HTTP/1.1\r\nHost: x\r\n${fields}\r\n\r\n${body}`
const get = (fields: string, body = SMUGGLED): string =>
  `GET / HTTP/1.1\r\nHost: x\r\n${fields}\r\n\r\n${body}`
const chunked = (body: string): string => post('Transfer-Encoding: chunked', body)
const HEX = LENGTH.toString(16)

const REFUSED = '400 closed'
const CHUNKS_EXCEPTION =
  'The engine’s chunk parser is not safe: a later request with Transfer-Encoding on an engine’s connection is refused'

function lengths(): Case[] {
  const bad: [name: string, fields: string][] = [
    ['empty', 'Content-Length:'],
    ['of blanks', 'Content-Length:   '],
    ['with a sign', `Content-Length: +${LENGTH}`],
    ['below zero', 'Content-Length: -1'],
    ['hexadecimal', `Content-Length: 0x${HEX}`],
    ['with a fraction', `Content-Length: ${LENGTH}.0`],
    ['with an exponent', 'Content-Length: 1e1'],
    ['as a list', `Content-Length: ${LENGTH}, ${LENGTH}`],
    ['of two numbers', `Content-Length: ${LENGTH} ${LENGTH}`],
    ['beyond 64 bits', 'Content-Length: 99999999999999999999999'],
    ['with a letter behind', `Content-Length: ${LENGTH}a`],
    ['twice, differing', `Content-Length: 0\r\nContent-Length: ${LENGTH}`],
    ['twice, alike', `Content-Length: ${LENGTH}\r\nContent-Length: ${LENGTH}`],
    ['twice, first empty', `Content-Length:\r\nContent-Length: ${LENGTH}`],
    ['twice, second empty', `Content-Length: ${LENGTH}\r\nContent-Length:`],
  ]
  return bad.flatMap(([name, fields]): Case[] => [
    {
      clause: '9112 §6.3',
      name: `POST with Content-Length ${name}`,
      request: post(fields),
      first: REFUSED,
    },
    {
      clause: '9112 §6.3',
      name: `GET with Content-Length ${name}`,
      request: get(fields),
      first: REFUSED,
    },
  ])
}

function codings(): Case[] {
  const both = `Transfer-Encoding: chunked\r\nContent-Length: ${LENGTH}`
  const swapped = `Content-Length: ${LENGTH}\r\nTransfer-Encoding: chunked`
  const bad: [clause: string, name: string, fields: string, first: string][] = [
    ['9112 §6.1', 'Transfer-Encoding before Content-Length', both, REFUSED],
    ['9112 §6.1', 'Content-Length before Transfer-Encoding', swapped, REFUSED],
    ['9112 §6.1', 'an unknown coding', 'Transfer-Encoding: xchunked', '501 closed'],
    ['9112 §6.1', 'the coding identity', 'Transfer-Encoding: identity', '501 closed'],
    ['9112 §6.1', 'an empty Transfer-Encoding', 'Transfer-Encoding:', REFUSED],
    ['9112 §6.1', 'chunked twice in a list', 'Transfer-Encoding: chunked, chunked', REFUSED],
    [
      '9112 §6.1',
      'chunked in two fields',
      'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
      REFUSED,
    ],
    [
      '9112 §6.1',
      'an empty Transfer-Encoding before chunked',
      'Transfer-Encoding:\r\nTransfer-Encoding: chunked',
      REFUSED,
    ],
    ['9112 §6.1', 'gzip before chunked', 'Transfer-Encoding: gzip, chunked', '501 closed'],
    ['9112 §6.1', 'chunked before gzip', 'Transfer-Encoding: chunked, gzip', REFUSED],
    ['9112 §6.1', 'a vertical tab before chunked', 'Transfer-Encoding: \x0bchunked', REFUSED],
    ['9112 §6.1', 'chunked in quotes', 'Transfer-Encoding: "chunked"', '501 closed'],
    ['9112 §6.1', 'a parameter behind chunked', 'Transfer-Encoding: chunked;q=1', '501 closed'],
  ]
  return bad.map(([clause, name, fields, first]) => {
    return { clause, name, request: post(fields, `0\r\n\r\n${SMUGGLED}`), first }
  })
}

function chunks(): Case[] {
  const cases: [clause: string, name: string, body: string, isGood: boolean][] = [
    ['9112 §7.1', 'chunks', `${HEX}\r\n${SMUGGLED}\r\n0\r\n\r\n`, true],
    [
      '9112 §7.1',
      'a size in capitals, with zeros before it',
      '00A\r\n0123456789\r\n0\r\n\r\n',
      true,
    ],
    [
      '9112 §7.1.1',
      'chunk extensions, one of them quoted',
      '5;a=b;c="d;e"\r\nhello\r\n0;f\r\n\r\n',
      true,
    ],
    ['9112 §7.1.2', 'trailers', `0\r\nX-Trailer: ${LENGTH}\r\nX-Other: 1\r\n\r\n`, true],
    ['9112 §7.1', 'a chunk size of letters', `zz\r\n${SMUGGLED}`, false],
    ['9112 §7.1', 'an empty chunk size', `\r\n${SMUGGLED}`, false],
    ['9112 §7.1', 'a chunk size with 0x', `0x5\r\nhello\r\n0\r\n\r\n`, false],
    ['9112 §7.1', 'a chunk size with a sign', `-5\r\nhello\r\n0\r\n\r\n`, false],
    ['9112 §7.1', 'a chunk size with a blank before it', ` 5\r\nhello\r\n0\r\n\r\n`, false],
    ['9112 §7.1', 'a chunk size beyond 64 bits', `fffffffffffffffff5\r\nhello\r\n0\r\n\r\n`, false],
    ['9112 §7.1', 'a chunk longer than its size', `5\r\nhelloXX\r\n0\r\n\r\n`, false],
    ['9112 §7.1', 'a bare LF behind the chunk size', `5\nhello\r\n0\r\n\r\n`, false],
    ['9112 §7.1', 'a bare LF behind the chunk', `5\r\nhello\n0\r\n\r\n`, false],
    ['9112 §7.1', 'bare LFs behind the last chunk', `0\n\n`, false],
    ['9112 §7.1.1', 'a bare LF in a chunk extension', `5;a\nhello\r\n0\r\n\r\n`, false],
    ['9112 §7.1.1', 'a bare CR in a chunk extension', `5;a\rb\r\nhello\r\n0\r\n\r\n`, false],
    ['9112 §7.1.1', 'NUL in a chunk extension', `5;a\0\r\nhello\r\n0\r\n\r\n`, false],
    ['9112 §7.1.2', 'a nameless trailer', `0\r\n: y\r\n\r\n`, false],
    ['9112 §7.1.2', 'a bare LF behind a trailer', `0\r\nX: y\n\r\n`, false],
    [
      '9110 §6.5.1',
      'Content-Length as a trailer',
      `0\r\nContent-Length: ${LENGTH}\r\n\r\n${SMUGGLED}`,
      false,
    ],
  ]
  return cases.map(([clause, name, body, isGood]) => ({
    clause,
    name,
    request: chunked(body),
    first: isGood ? '200 200' : REFUSED,
    ...(isGood ? { exception: CHUNKS_EXCEPTION } : {}),
  }))
}

export const FRAMING_CASES: readonly Case[] = [
  {
    clause: '9112 §6.2',
    name: 'content of a POST',
    request: post(`Content-Length: ${LENGTH}`),
    first: '200 200',
  },
  {
    clause: '9110 §9.3.1',
    name: 'content of a GET',
    request: get(`Content-Length: ${LENGTH}`),
    first: '200 200',
  },
  {
    clause: '9112 §6.3',
    name: 'POST without a length',
    request: post('A: b', ''),
    first: '200 200',
  },
  ...lengths(),
  ...codings(),
  {
    clause: '9112 §6.1',
    name: 'chunked from a client of HTTP/1.0',
    request: `POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    first: REFUSED,
  },
  ...chunks(),
]
