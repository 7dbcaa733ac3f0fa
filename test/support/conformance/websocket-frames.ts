/** Framing, pings, reserved bits, opcodes, fragments, closing: sections 1 to 5, 7, 9 and 10. */
import { BINARY, CLOSE, closing, type FrameOptions, frame, PING, PONG, TEXT } from '../sockets.ts'
import { END, type SocketCase, WELL } from './websocket-case.ts'

const part = (opcode: number, content: string | Uint8Array, more: FrameOptions = {}): Buffer =>
  frame(opcode, content, { fin: false, ...more })
const text = (content: string): Buffer => frame(TEXT, content)
const FAIL = 'close 1002, end'

const LENGTHS = [0, 125, 126, 127, 128, 65_535, 65_536]

function lengthCases(): SocketCase[] {
  return [TEXT, BINARY].flatMap((opcode, i) => {
    const word = opcode === TEXT ? 'text' : 'binary'
    const of = (length: number, at: string, pieces?: number): SocketCase => ({
      section: `1.${i + 1}.${at}`,
      clause: '6455 §5.2',
      name: `${word} of ${length} bytes${pieces === undefined ? '' : `, ${pieces} at a time`}`,
      send: [frame(opcode, Buffer.alloc(length, 42)), END],
      asked: `${word} ${length}, ${WELL}`,
      ...(pieces === undefined ? {} : { pieces }),
    })
    return [...LENGTHS.map((length, at) => of(length, String(at + 1))), of(65_536, '8', 997)]
  })
}

const many = (count: number, make: (i: number) => Buffer): Buffer[] =>
  Array.from({ length: count }, (_, i) => make(i))

const PINGS: SocketCase[] = [
  ['2.1', 'a ping without content', [frame(PING)], 'pong 0'],
  ['2.2', 'a ping of text', [frame(PING, 'hello')], 'pong 5'],
  ['2.3', 'a ping of bytes', [frame(PING, Buffer.from([0, 255, 254, 3]))], 'pong 4'],
  ['2.4', 'a ping of 125 bytes', [frame(PING, 'x'.repeat(125))], 'pong 125'],
  ['2.5', 'a ping of 126 bytes', [frame(PING, 'x'.repeat(126))], null],
  ['2.6', 'a ping of 125 bytes, one at a time', [frame(PING, 'x'.repeat(125))], 'pong 125', 1],
  ['2.7', 'a pong that nobody asked for', [frame(PONG)], ''],
  ['2.8', 'one with content', [frame(PONG, 'hello')], ''],
  ['2.9', 'one, then a ping', [frame(PONG, 'hello'), frame(PING, 'you')], 'pong 3'],
  ['2.10', 'ten pings', many(10, (i) => frame(PING, `ping ${i}`)), '10 × pong 6'],
  ['2.11', 'ten pings, a byte at a time', many(10, (i) => frame(PING, `${i}`)), '10 × pong 1', 1],
].map(([section, name, send, answer, pieces]) => ({
  section: section as string,
  clause: '6455 §5.5.2',
  name: name as string,
  send: [...(send as Buffer[]), END],
  asked: answer === null ? FAIL : [answer, WELL].filter(Boolean).join(', '),
  ...(pieces === undefined ? {} : { pieces: pieces as number }),
}))

type Row = readonly [section: string, name: string, send: readonly Buffer[], pieces?: number]

const failing = (clause: string, rows: readonly Row[]): SocketCase[] =>
  rows.map(([section, name, send, pieces]) => {
    const one = { section, clause, name, send: [...send, END], asked: FAIL }
    return pieces === undefined ? one : { ...one, pieces }
  })

const BITS = failing('6455 §5.2', [
  ['3.1', 'RSV3', [frame(TEXT, 'x', { rsv: 1 })]],
  ['3.2', 'RSV2 of a second message', [frame(TEXT, 'x', { rsv: 2 })]],
  ['3.3', 'RSV2 and RSV3', [frame(TEXT, 'x', { rsv: 3 })]],
  ['3.4', 'RSV1 without an extension, a byte at a time', [frame(TEXT, 'x', { rsv: 4 })], 1],
  ['3.5', 'RSV1 and RSV3 of bytes', [frame(BINARY, 'x', { rsv: 5 })]],
  ['3.6', 'RSV1 and RSV2 of a ping', [frame(PING, 'x', { rsv: 6 })]],
  ['3.7', 'all three of a Close', [frame(CLOSE, closing(1000), { rsv: 7 })]],
])

const OPCODES = failing(
  '6455 §5.2',
  [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode, i): Row => {
    const section = `4.${i < 5 ? 1 : 2}.${(i % 5) + 1}`
    return [section, `opcode ${opcode}`, [frame(opcode, i % 2 === 0 ? '' : 'x'), frame(PING)]]
  }),
)

const FRAGMENTS: SocketCase[] = [
  ...failing('6455 §5.4', [
    ['5.1', 'a ping in two fragments', [part(PING, 'a'), frame(0, 'b')]],
    ['5.2', 'a pong in two fragments', [part(PONG, 'a'), frame(0, 'b')]],
    ['5.9', 'a continuation of nothing', [frame(0, 'x'), text('y')]],
    ['5.10', 'one, a byte at a time', [frame(0, 'x')], 1],
    ['5.11', 'one that is not the last', [part(0, 'x'), text('y')]],
    ['5.12', 'one without content', [part(0, '')]],
    ['5.18', 'a message inside of another', [part(TEXT, 'a'), text('b')]],
  ]),
  ...(
    [
      ['5.3', 'text in two fragments', [part(TEXT, 'ab'), frame(0, 'cd')], 'text 4'],
      ['5.4', 'the same, a byte at a time', [part(TEXT, 'ab'), frame(0, 'cd')], 'text 4', 1],
      ['5.6', 'with a ping between them', [part(TEXT, 'a'), frame(PING, 'p'), frame(0, 'b')]],
      [
        '5.7',
        'the same, in pieces',
        [part(TEXT, 'a'), frame(PING, 'p'), frame(0, 'b')],
        undefined,
        3,
      ],
      ['5.8', 'with empty fragments', [part(TEXT, ''), part(0, ''), frame(0, '')], 'text 0'],
      [
        '5.19',
        'five fragments with pings between them',
        [
          ...many(4, (i) => Buffer.concat([part(i === 0 ? TEXT : 0, 'ab'), frame(PING, 'p')])),
          frame(0, 'c'),
        ],
        '4 × pong 1, text 9',
      ],
      [
        '5.20',
        'bytes in 200 fragments',
        [part(BINARY, 'a'), ...many(198, () => part(0, 'b')), frame(0, 'c')],
        'binary 200',
      ],
    ] as const
  ).map(([section, name, send, answer = 'pong 1, text 2', pieces]) => ({
    section,
    clause: '6455 §5.4',
    name,
    send: [...send, END],
    asked: `${answer}, ${WELL}`,
    ...(pieces === undefined ? {} : { pieces }),
  })),
]

const CLOSE_CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999]
const WRONG_CODES = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65_535]

const CLOSING: SocketCase[] = [
  ...(
    [
      ['7.1.1', 'a message, then a Close', [text('x'), END], `text 1, ${WELL}`],
      ['7.1.2', 'two Closes', [END, END], WELL],
      ['7.1.3', 'a ping behind a Close', [END, frame(PING)], WELL],
      ['7.1.4', 'a message behind a Close', [END, text('x')], WELL],
      ['7.1.5', 'a Close within a message', [part(TEXT, 'a'), END, frame(0, 'b')], WELL],
      [
        '7.1.6',
        '256 KiB, a Close, a ping',
        [frame(BINARY, Buffer.alloc(262_144)), END, frame(PING)],
        `binary 262144, ${WELL}`,
      ],
      ['7.3.1', 'a Close without content', [frame(CLOSE)], 'close, end'],
      ['7.3.2', 'a Close of one byte', [frame(CLOSE, 'a')], FAIL],
      ['7.3.4', 'a Close with a reason', [frame(CLOSE, closing(1000, 'bye'))], WELL],
      ['7.3.5', 'a reason of 123 bytes', [frame(CLOSE, closing(1000, 'x'.repeat(123)))], WELL],
      ['7.3.6', 'a reason of 124 bytes', [frame(CLOSE, closing(1000, 'x'.repeat(124)))], FAIL],
      [
        '7.5.1',
        'a reason that is not UTF-8',
        [frame(CLOSE, closing(1000, Buffer.from([0xce, 0xba, 0xff])))],
        'close 1007, end',
      ],
    ] as const
  ).map(([section, name, send, asked]) => ({ section, clause: '6455 §5.5.1', name, send, asked })),
  ...CLOSE_CODES.map((code, i) => ({
    section: `7.7.${i + 1}`,
    clause: '6455 §7.4',
    name: `a Close of ${code}`,
    send: [frame(CLOSE, closing(code))],
    asked: `close ${code}, end`,
  })),
  ...failing(
    '6455 §7.4',
    WRONG_CODES.map(
      (code, i): Row => [`7.9.${i + 1}`, `a Close of ${code}`, [frame(CLOSE, closing(code))]],
    ),
  ),
]

const KIB = 1024
const SIZES = [64 * KIB, 256 * KIB, 1024 * KIB]

const LARGE: SocketCase[] = [
  ...SIZES.flatMap((size, i) =>
    [TEXT, BINARY].map((opcode, j) => ({
      section: `9.${j + 1}.${i + 1}`,
      clause: '6455 §5.2',
      name: `${opcode === TEXT ? 'text' : 'bytes'} of ${size / KIB} KiB`,
      send: [frame(opcode, Buffer.alloc(size, 42)), END],
      asked: `${opcode === TEXT ? 'text' : 'binary'} ${size}, ${WELL}`,
    })),
  ),
  ...[64, 1024, 16_384].flatMap((size, i) =>
    [TEXT, BINARY].map((opcode, j) => ({
      section: `9.${j + 3}.${i + 1}`,
      clause: '6455 §5.4',
      name: `256 KiB of ${opcode === TEXT ? 'text' : 'bytes'} in fragments of ${size}`,
      send: [
        ...many((256 * KIB) / size, (at) => part(at === 0 ? opcode : 0, Buffer.alloc(size, 42))),
        frame(0, ''),
        END,
      ],
      asked: `${opcode === TEXT ? 'text' : 'binary'} ${256 * KIB}, ${WELL}`,
    })),
  ),
  ...[997, 8192].map((pieces, i) => ({
    section: `9.5.${i + 1}`,
    clause: '6455 §5.2',
    name: `256 KiB, ${pieces} bytes at a time`,
    send: [frame(BINARY, Buffer.alloc(256 * KIB)), END],
    asked: `binary ${256 * KIB}, ${WELL}`,
    pieces,
  })),
  ...[0, 125, 1024].map((size, i) => ({
    section: `9.7.${i + 1}`,
    clause: '6455 §5.2',
    name: `500 messages of ${size} bytes`,
    send: [...many(500, () => frame(TEXT, 'x'.repeat(size))), END],
    asked: `500 × text ${size}, ${WELL}`,
  })),
  {
    section: '9.9.1',
    clause: '6455 §7.4.1',
    name: 'a message beyond the limit of the site',
    send: [frame(BINARY, Buffer.alloc(1024 * KIB + 1))],
    asked: 'close 1009, end',
  },
  {
    section: '9.9.2',
    clause: '6455 §7.4.1',
    name: 'a length far beyond it',
    send: [frame(BINARY, '', { length: 2 ** 40 })],
    asked: 'close 1009, end',
  },
  {
    section: '10.1.1',
    clause: '6455 §5.4',
    name: '65,536 bytes in fragments of 1,300',
    send: [
      ...many(51, (i) =>
        frame(i === 0 ? TEXT : 0, 'x'.repeat(i < 50 ? 1300 : 536), { fin: i === 50 }),
      ),
      END,
    ],
    asked: `text 65536, ${WELL}`,
  },
]

export const FRAME_CASES: readonly SocketCase[] = [
  ...lengthCases(),
  ...PINGS,
  ...BITS,
  ...OPCODES,
  ...FRAGMENTS,
  ...CLOSING,
  ...LARGE,
]
