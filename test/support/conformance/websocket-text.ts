/** UTF-8 in text messages: section 6. What is no UTF-8 fails the connection with 1007 (RFC 6455 section 8.1). */
import { frame, TEXT } from '../sockets.ts'
import { END, type SocketCase, WELL } from './websocket-case.ts'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')
/** A word of five letters, two bytes each. */
const WORD = Buffer.from('κόσμε')
const SURROGATE = hex('eda080')

const GOOD: readonly (readonly [section: string, name: string, content: Buffer])[] = [
  [
    '6.2',
    'letters of one, two, three and four bytes',
    Buffer.from('Hello-µ@ßöäüàá-UTF-8!! 안녕 😀'),
  ],
  ['6.5', 'a word of Greek', WORD],
  ['6.7', 'the first letters of each length', hex('00 c280 e0a080 f0908080')],
  ['6.9', 'the last letters of each length', hex('7f dfbf efbfbf f48fbfbf')],
  ['6.11', 'U+D7FF, U+E000, U+FFFD', hex('ed9fbf ee8080 efbfbd')],
  ['6.22', 'noncharacters', hex('efbfbe efbfbf f09fbfbe f48fbfbe efb790 efb7af')],
  ['6.23', 'U+FEFF and U+FFF9', hex('efbbbf efbfb9')],
]

const BAD: readonly (readonly [section: string, name: string, content: Buffer])[] = [
  ['6.3', 'a surrogate within text', Buffer.concat([WORD, SURROGATE, Buffer.from('edited')])],
  ...[1, 3, 5, 7, 9].map(
    (end) => ['6.6', `a word that ends after ${end} bytes`, WORD.subarray(0, end)] as const,
  ),
  ['6.8', 'five bytes', hex('f888808080')],
  ['6.8', 'six bytes', hex('fc8480808080')],
  ['6.10', 'the last of four bytes, U+1FFFFF', hex('f7bfbfbf')],
  ['6.10', 'the last of five bytes', hex('fbbfbfbfbf')],
  ['6.10', 'the last of six bytes', hex('fdbfbfbfbfbf')],
  ['6.11', 'U+110000', hex('f4908080')],
  ...['80', 'bf', '80bf', '80bf80bf80'].map(
    (bytes) => ['6.12', `continuation bytes alone: ${bytes}`, hex(bytes)] as const,
  ),
  ...['c020c120', 'e020e120', 'f020f120', 'f820', 'fc20'].map(
    (bytes) => ['6.13', `first bytes alone: ${bytes}`, hex(bytes)] as const,
  ),
  ...['c0', 'e080', 'f08080', 'df', 'efbf', 'f7bfbf'].map(
    (bytes) => ['6.14', `the last byte is missing: ${bytes}`, hex(bytes)] as const,
  ),
  ['6.15', 'several of those', hex('c0e080f08080f8808080fc80808080df')],
  ...['fe', 'ff', 'fefeffff'].map(
    (bytes) => ['6.16', `no byte of UTF-8: ${bytes}`, hex(bytes)] as const,
  ),
  ...['c0af', 'e080af', 'f08080af', 'f8808080af', 'fc80808080af'].map(
    (bytes) => ['6.17', `an overlong slash: ${bytes}`, hex(bytes)] as const,
  ),
  ...['c1bf', 'e09fbf', 'f08fbfbf'].map(
    (bytes) => ['6.18', `the longest overlong: ${bytes}`, hex(bytes)] as const,
  ),
  ...['c080', 'e08080', 'f0808080'].map(
    (bytes) => ['6.19', `an overlong NUL: ${bytes}`, hex(bytes)] as const,
  ),
  ...['eda080', 'edadbf', 'edae80', 'edafbf', 'edb080', 'edbfbf'].map(
    (bytes) => ['6.20', `a surrogate: ${bytes}`, hex(bytes)] as const,
  ),
  ...['eda080edb080', 'edafbfedbfbf'].map(
    (bytes) => ['6.21', `two surrogates: ${bytes}`, hex(bytes)] as const,
  ),
]

/** Each byte in a frame of its own. */
function byByte(content: Buffer): Buffer[] {
  return [...content].map((byte, i) =>
    frame(i === 0 ? TEXT : 0, Buffer.from([byte]), { fin: i === content.length - 1 }),
  )
}

const numbered = new Map<string, number>()
function next(section: string): string {
  const number = (numbered.get(section) ?? 0) + 1
  numbered.set(section, number)
  return `${section}.${number}`
}

const REFUSED = 'close 1007, end'

const one = (section: string, name: string, send: Buffer[], asked: string): SocketCase => ({
  section: next(section),
  clause: '6455 §8.1',
  name,
  send: asked === REFUSED ? [...send, END] : send,
  asked,
})

export const TEXT_CASES: readonly SocketCase[] = [
  one(
    '6.1',
    'three empty fragments',
    [frame(TEXT, '', { fin: false }), frame(0, '', { fin: false }), frame(0), END],
    `text 0, ${WELL}`,
  ),
  one(
    '6.1',
    'a middle fragment alone has content',
    [frame(TEXT, '', { fin: false }), frame(0, 'middle', { fin: false }), frame(0), END],
    `text 6, ${WELL}`,
  ),
  ...GOOD.flatMap(([section, name, content]) => [
    one(section, name, [frame(TEXT, content), END], `text ${content.length}, ${WELL}`),
    one(
      section,
      `${name}, a byte a frame`,
      [...byByte(content), END],
      `text ${content.length}, ${WELL}`,
    ),
  ]),
  ...BAD.flatMap(([section, name, content]) => [
    one(section, name, [frame(TEXT, content)], REFUSED),
    ...(content.length > 1
      ? [one(section, `${name}, a byte a frame`, byByte(content), REFUSED)]
      : []),
  ]),
  // What follows would be answered by whoever waits for the end of the message.
  one(
    '6.4',
    'a fragment is refused before the message has ended',
    [frame(TEXT, Buffer.concat([WORD, hex('f4908080')]), { fin: false }), frame(0, 'x'), END],
    REFUSED,
  ),
]
