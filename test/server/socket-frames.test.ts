/**
 * RFC 6455 on the wire, in the manner of the Autobahn suite. Where the engine fails a connection it sends no
 * Close frame (section 7.1.7 asks for one where it can be sent): the client sees the end of the connection,
 * the site a code of the reason.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { socket } from '../../src/route/socket.ts'
import {
  BINARY,
  CLOSE,
  closing,
  type FrameOptions,
  frame,
  openRaw,
  PING,
  PONG,
  serveSockets,
  TEXT,
} from '../support/sockets.ts'

interface Echo {
  readonly port: number
  /** Messages and ends, as the site got them. */
  readonly events: unknown[]
}

async function serveEcho(t: Test): Promise<Echo> {
  const events: unknown[] = []
  const server = await serveSockets(t, [
    socket(
      '/',
      {
        message(socket, message) {
          events.push(message)
          socket.send(message)
        },
        close: (_socket, code, reason) => void events.push([code, reason]),
      },
      { maxMessageBytes: 100_000 },
    ),
  ])
  return { port: server.port, events }
}

/** Bytes of `frames` in pieces of `size`, each in a segment of its own. */
async function sendInPieces(
  send: (...frames: Buffer[]) => void,
  bytes: Buffer,
  size: number,
): Promise<void> {
  for (let at = 0; at < bytes.length; at += size) {
    send(bytes.subarray(at, at + size))
    await sleep(1)
  }
}

t.test('every form of a length comes back whole', async (t) => {
  const { port } = await serveEcho(t)
  const { send, until, frames, socket: connection } = await openRaw(port, '/')
  const lengths = [0, 1, 125, 126, 127, 128, 65_535, 65_536, 100_000]
  for (const length of lengths)
    send(frame(TEXT, '*'.repeat(length)), frame(BINARY, Buffer.alloc(length, 254)))
  await until(2 * lengths.length)
  t.strictSame(
    frames().map(({ opcode, content }) => [opcode, content.length]),
    lengths.flatMap((length) => [
      [TEXT, length],
      [BINARY, length],
    ]),
  )
  connection.destroy()
})

t.test('a message in fragments is one, also with control frames between them', async (t) => {
  const { port, events } = await serveEcho(t)
  const { send, until, socket: connection } = await openRaw(port, '/')
  send(
    frame(TEXT, '안', { fin: false }),
    frame(PING, 'one'),
    frame(0, Buffer.from('녕').subarray(0, 1), { fin: false }),
    frame(PONG, 'nobody asked'),
    frame(0, Buffer.from('녕').subarray(1), { fin: false }),
    frame(PING, ''),
    frame(0, '', { fin: true }),
  )
  const [first, second, third] = await until(3)
  t.strictSame([first?.opcode, first?.content.toString()], [PONG, 'one'])
  t.strictSame([second?.opcode, second?.content.toString()], [PONG, ''])
  t.strictSame([third?.opcode, third?.content.toString()], [TEXT, '안녕'])
  t.strictSame(events, ['안녕'], 'a letter may be cut in two')
  connection.destroy()
})

t.test('frames are read the same in whatever pieces they come', async (t) => {
  const { port } = await serveEcho(t)
  for (const size of [1, 2, 3, 7]) {
    const { send, until, socket: connection } = await openRaw(port, '/')
    const bytes = Buffer.concat([
      frame(TEXT, 'he', { fin: false }),
      frame(PING, 'p'),
      frame(0, 'llo'),
      frame(BINARY, Buffer.alloc(130, 7)),
      frame(CLOSE, closing(1000, 'bye')),
    ])
    await sendInPieces(send, bytes, size)
    const got = (await until(4)).map(({ opcode, content }) => [opcode, content.length])
    t.strictSame(
      got,
      [
        [PONG, 1],
        [TEXT, 5],
        [BINARY, 130],
        [CLOSE, 5],
      ],
      `${size} bytes at a time`,
    )
    connection.destroy()
  }
})

t.test('a ping is answered with its own content, up to the longest', async (t) => {
  const { port } = await serveEcho(t)
  const { send, until, socket: connection } = await openRaw(port, '/')
  const contents = ['', 'hello', Buffer.from([0, 255, 254]), 'x'.repeat(125)]
  send(...contents.map((content) => frame(PING, content)))
  const got = await until(contents.length)
  t.strictSame(
    got.map(({ content }) => content),
    contents.map((content) => Buffer.from(content as string)),
  )
  t.ok(got.every(({ opcode }) => opcode === PONG))
  connection.destroy()
})

const first = (content: string | Buffer, options: FrameOptions): Buffer =>
  frame(TEXT, content, { fin: false, ...options })

/** What breaks the protocol, and the code by which the site hears of it. */
const BROKEN: Record<string, [code: number, ...frames: Buffer[]]> = {
  'RSV1 without an extension': [1002, frame(TEXT, 'x', { rsv: 4 })],
  'RSV2 and RSV3': [1002, frame(TEXT, 'x', { rsv: 3 })],
  'RSV of a ping': [1002, frame(PING, 'x', { rsv: 1 })],
  'RSV1 of a continuation': [1002, first('x', {}), frame(0, 'y', { rsv: 4 })],
  'opcode 3': [1002, frame(3, 'x')],
  'opcode 7, empty': [1002, frame(7, '')],
  'opcode 11': [1002, frame(11, 'x')],
  'opcode 15': [1002, frame(15, '')],
  'a ping of 126 bytes': [1002, frame(PING, 'x'.repeat(126))],
  'a close of 126 bytes': [1002, frame(CLOSE, closing(1000, 'x'.repeat(124)))],
  'a ping in fragments': [1002, frame(PING, 'x', { fin: false })],
  'a continuation of nothing': [1002, frame(0, 'x')],
  'a continuation behind the end': [1002, frame(TEXT, 'x'), frame(0, 'y')],
  'a message inside of another': [1002, first('x', {}), frame(TEXT, 'y')],
  'text that is not UTF-8': [1007, frame(TEXT, Buffer.from([0xce, 0xba, 0xff]))],
  'an overlong letter': [1007, frame(TEXT, Buffer.from([0xc0, 0xaf]))],
  'a surrogate': [1007, frame(TEXT, Buffer.from([0xed, 0xa0, 0x80]))],
  'a letter beyond Unicode': [1007, frame(TEXT, Buffer.from([0xf4, 0x90, 0x80, 0x80]))],
  'a letter that is cut off': [1007, frame(TEXT, Buffer.from('안').subarray(0, 2))],
  'a letter that is cut off, in fragments': [
    1007,
    first(Buffer.from('안').subarray(0, 1), {}),
    frame(0, Buffer.from('안').subarray(1, 2)),
  ],
  'a length of 2^63': [1009, frame(BINARY, '', { length: 2 ** 62 })],
  'a length far beyond the limit': [1009, frame(BINARY, '', { length: 10_000_000 })],
  'fragments far beyond the limit': [
    1009,
    frame(BINARY, Buffer.alloc(90_000), { fin: false }),
    ...Array.from({ length: 13 }, () => frame(0, Buffer.alloc(90_000), { fin: false })),
  ],
}

for (const [name, [code, ...frames]] of Object.entries(BROKEN)) {
  t.test(`${name}: the connection ends, and the site hears ${code}`, async (t) => {
    const { port, events } = await serveEcho(t)
    const { send, closed } = await openRaw(port, '/')
    send(...frames)
    await closed
    while (!events.some((event) => Array.isArray(event))) await sleep(1)
    t.equal((events.at(-1) as unknown[])[0], code)
    t.ok(events.length <= 2, 'nothing behind it is handled')
  })
}

t.test('a message that is a little too long is answered with 1009', async (t) => {
  const { port, events } = await serveEcho(t)
  const { send, until, closed } = await openRaw(port, '/')
  send(frame(BINARY, Buffer.alloc(100_001)), frame(TEXT, 'behind'))
  const [last] = await until(1)
  t.equal(last?.opcode, CLOSE)
  t.equal(last?.content.readUInt16BE(), 1009)
  await closed
  t.strictSame(events, [[1009, 'messages have 100000 bytes at most']])
})

t.test('codes that may be sent are answered and told; no code is 1005', async (t) => {
  const { port, events } = await serveEcho(t)
  for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 4000, 4999]) {
    const { send, until, closed } = await openRaw(port, '/')
    send(frame(CLOSE, closing(code, 'because')))
    const [answer] = await until(1)
    await closed
    t.strictSame([answer?.opcode, answer?.content.readUInt16BE()], [CLOSE, code])
    t.strictSame(events.pop(), [code, 'because'])
  }
  const { send, until, closed } = await openRaw(port, '/')
  send(frame(CLOSE), frame(TEXT, 'behind the end'))
  const [answer] = await until(1)
  await closed
  t.strictSame([answer?.opcode, answer?.content.length], [CLOSE, 0])
  t.strictSame(events, [[1005, '']])
})

t.test(
  'codes that may not be sent, and reasons that are no text, are answered without a code',
  async (t) => {
    const { port, events } = await serveEcho(t)
    const contents = [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535].map(
      (code) => closing(code),
    )
    contents.push(closing(1000, Buffer.from([0xff])))
    for (const content of contents) {
      const { send, until, closed } = await openRaw(port, '/')
      send(frame(CLOSE, content))
      const [answer] = await until(1)
      await closed
      t.strictSame([answer?.opcode, answer?.content.length], [CLOSE, 0], content.toString('hex'))
      t.equal((events.pop() as unknown[])[0], 1002)
    }
  },
)

t.test('what the engine does not hold against a client', async (t) => {
  const { port, events } = await serveEcho(t)
  const unmasked = await openRaw(port, '/')
  unmasked.send(frame(TEXT, 'abcdefgh', { masked: false }))
  await sleep(20)
  t.strictSame(
    unmasked.frames().filter(({ opcode }) => opcode === CLOSE),
    [],
    'no mask (section 5.1)',
  )
  unmasked.socket.destroy()
  while (events.length === 0) await sleep(1)
  const other = await openRaw(port, '/')
  other.send(frame(CLOSE, closing(3001)))
  await other.closed
  t.strictSame(
    events.at(-1),
    [1002, 'Received invalid close payload'],
    '3000 to 3999, 1012 to 1014',
  )
})
