/** Compression by permessage-deflate: sections 12 and 13. RFC 7692. */
import { randomBytes } from 'node:crypto'
import { BINARY, CLOSE, closing, frame, PING, TEXT } from '../sockets.ts'
import { compress, deflated, END, type SocketCase, WELL } from './websocket-case.ts'

const OFFER = 'permessage-deflate'
/** The server keeps no window between messages, and asks the client for none either. */
export const AGREED = '[permessage-deflate; client_no_context_takeover; server_no_context_takeover]'

const SIZES = [16, 64, 256, 1024, 4096, 8192, 16_384, 32_768, 65_536, 131_072]
const WORDS = '{"name":"value","list":[1,2,3]} '

function sizeCases(): SocketCase[] {
  const kinds = [
    ['text that repeats itself', (size: number) => WORDS.repeat(size).slice(0, size)],
    ['bytes that do not', (size: number) => randomBytes(size)],
  ] as const
  return kinds.flatMap(([name, make], i) =>
    SIZES.map((size, j) => {
      const word = `${i === 0 ? 'text' : 'binary'} ${size}`
      return {
        section: `12.${i + 1}.${j + 1}`,
        clause: '7692 §7.2',
        name: `20 messages of ${size} bytes: ${name}`,
        fields: { 'Sec-WebSocket-Extensions': OFFER },
        send: [...Array.from({ length: 20 }, () => deflated(make(size))), END],
        // Short messages leave as they are.
        asked: `${AGREED}, 20 × ${size < 1024 ? word : `deflated ${word}`}, ${WELL}`,
      }
    }),
  )
}

const OFFERS: readonly (readonly [offer: string, agreed: string])[] = [
  ['permessage-deflate', AGREED],
  ['permessage-deflate; client_no_context_takeover', AGREED],
  ['permessage-deflate; server_no_context_takeover', AGREED],
  ['permessage-deflate; client_max_window_bits', AGREED],
  ['permessage-deflate; client_max_window_bits=9', AGREED],
  ['permessage-deflate; client_max_window_bits=15; client_no_context_takeover', AGREED],
  ['permessage-deflate; client_max_window_bits="12"', AGREED],
  // Each of them would bind the server, or is none: a server may decline it.
  ['permessage-deflate; server_max_window_bits=15', ''],
  ['permessage-deflate; server_max_window_bits=9', ''],
  ['permessage-deflate; client_max_window_bits=16', ''],
  ['permessage-deflate; client_no_context_takeover=1', ''],
  ['permessage-deflate; client_max_window_bits; client_max_window_bits', ''],
  ['permessage-deflate; unknown_parameter', ''],
  ['permessage-deflate; server_max_window_bits=9, permessage-deflate', AGREED],
  ['permessage-deflate; unknown_parameter, permessage-deflate', AGREED],
  ['x-other-extension', ''],
]

function offerCases(): SocketCase[] {
  return OFFERS.map(([offer, agreed], i) => {
    const content = WORDS.repeat(100)
    const isAgreed = agreed !== ''
    const answer = `${isAgreed ? 'deflated ' : ''}text ${content.length}`
    return {
      section: `13.${i + 1}.1`,
      clause: '7692 §7.1',
      name: `the offer ${offer}`,
      fields: { 'Sec-WebSocket-Extensions': offer },
      send: [isAgreed ? deflated(content) : frame(TEXT, content), END],
      asked: [agreed, answer, WELL].filter(Boolean).join(', '),
    }
  })
}

const small = compress('Hello')
const odd: readonly (readonly [section: string, name: string, send: Buffer[], asked: string])[] = [
  ['12.3.1', 'a message that is not compressed', [frame(TEXT, 'Hello'), END], `text 5, ${WELL}`],
  [
    '12.3.2',
    'one in fragments, RSV1 in the first alone',
    [frame(TEXT, small.subarray(0, 3), { rsv: 4, fin: false }), frame(0, small.subarray(3)), END],
    `text 5, ${WELL}`,
  ],
  [
    '12.3.3',
    'a ping between its fragments',
    [
      frame(TEXT, small.subarray(0, 3), { rsv: 4, fin: false }),
      frame(PING, 'p'),
      frame(0, small.subarray(3)),
      END,
    ],
    `pong 1, text 5, ${WELL}`,
  ],
  [
    '12.3.4',
    'an empty message',
    [frame(TEXT, Buffer.from([0]), { rsv: 4 }), END],
    `text 0, ${WELL}`,
  ],
  [
    '12.3.5',
    'a block that is not compressed',
    [frame(TEXT, Buffer.from('000500faff48656c6c6f00', 'hex'), { rsv: 4 }), END],
    `text 5, ${WELL}`,
  ],
  [
    '12.3.6',
    'a block with BFINAL',
    [frame(TEXT, Buffer.from('f348cdc9c9070000', 'hex'), { rsv: 4 }), END],
    `text 5, ${WELL}`,
  ],
  ['12.4.1', 'RSV1 of a ping', [frame(PING, 'x', { rsv: 4 })], 'close 1002, end'],
  ['12.4.2', 'RSV1 of a Close', [frame(CLOSE, closing(1000), { rsv: 4 })], 'close 1002, end'],
  [
    '12.4.3',
    'RSV1 of a continuation',
    [frame(TEXT, 'a', { fin: false }), frame(0, 'b', { rsv: 4 })],
    'close 1002, end',
  ],
  [
    '12.4.4',
    'what no decompressor reads',
    [frame(BINARY, Buffer.alloc(9, 0xff), { rsv: 4 })],
    'close 1007, end',
  ],
  [
    '12.4.5',
    'text that is not UTF-8',
    [deflated(Buffer.from([0xc0, 0xaf]), TEXT)],
    'close 1007, end',
  ],
  [
    '12.4.6',
    'one byte more than the limit',
    [deflated(Buffer.alloc(1024 * 1024 + 1))],
    'close 1009, end',
  ],
  ['12.4.7', '64 MiB of zeros', [deflated(Buffer.alloc(64 * 1024 * 1024))], 'close 1009, end'],
]

export const DEFLATE_CASES: readonly SocketCase[] = [
  ...sizeCases(),
  ...odd.map(([section, name, send, asked]) => ({
    section,
    clause: '7692 §6',
    name,
    send: asked.endsWith(WELL) ? send : [...send, END],
    asked: `${AGREED}, ${asked}`,
    fields: { 'Sec-WebSocket-Extensions': OFFER },
  })),
  ...offerCases(),
]
