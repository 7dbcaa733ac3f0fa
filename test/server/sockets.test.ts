import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { text } from '../../src/http/reply.ts'
import type { Socket, SocketHandlers } from '../../src/http/socket.ts'
import { TraceLog } from '../../src/observe/trace-log.ts'
import { socket } from '../../src/route/socket.ts'
import { path } from '../../src/route/urlconf.ts'
import {
  applicationOfSockets,
  closing,
  connect,
  openRaw,
  refusedWith,
  serveSockets,
} from '../support/sockets.ts'

const echo: SocketHandlers = {
  message: (socket, message) => void socket.send(message),
}

t.test(
  'an error of a handler closes with 1011, is logged with the request, and harms nobody else',
  async (t) => {
    const closes: unknown[] = []
    const server = await serveSockets(t, [
      socket('/<slug:how>', {
        open(socket) {
          if (socket.params.how === 'open') throw new Error('in open')
        },
        async message(socket, message) {
          if (message === 'late') await sleep(2)
          if (message !== 'fine') throw new Error(`in message ${message}`)
          socket.send('fine')
        },
        close(socket, code) {
          closes.push([socket.params.how, code, socket.signal.aborted, socket.send('x')])
          if (socket.params.how === 'close') throw new Error('in close')
        },
      }),
    ])
    const other = await connect(`${server.url}/other`)
    const atOpen = await connect(`${server.url}/open`)
    t.strictSame(await atOpen.ended, { code: 1011, reason: 'the server failed' })
    for (const message of ['now', 'late']) {
      const client = await connect(`${server.url}/${message}`)
      client.send(message)
      client.send('fine')
      t.equal((await client.ended).code, 1011, message)
    }
    const atClose = await connect(`${server.url}/close`)
    atClose.close(1000)
    t.equal((await atClose.ended).code, 1000)
    other.send('fine')
    t.equal(await other.next(), 'fine')
    t.strictSame(closes, [
      ['open', 1011, true, false],
      ['now', 1011, true, false],
      ['late', 1011, true, false],
      ['close', 1000, true, false],
    ])
    const log = server.log.join('\n')
    t.match(
      log,
      /WebSocket \/open \(request [0-9a-f-]{36}\): its open handler failed; it was closed with 1011\n.*in open/,
    )
    t.match(
      log,
      /WebSocket \/late \(request .*\): its message handler failed; it was closed with 1011\n.*in message late/,
    )
    t.match(log, /its close handler failed\n.*in close/)
    other.terminate()
  },
)

t.test('one thing at a time happens to a socket, and its end comes last', async (t) => {
  const events: string[] = []
  const server = await serveSockets(t, [
    socket('/', {
      open: async () => {
        await sleep(5)
        events.push('open')
      },
      message: async (_socket, message) => {
        await sleep(message === 'a' ? 5 : 1)
        events.push(String(message))
      },
      close: (_socket, code) => void events.push(`close ${code}`),
    }),
  ])
  const client = await connect(server.url)
  for (const message of ['a', 'b', 'c']) client.send(message)
  client.close(1000)
  while (events.length < 5) await sleep(2)
  t.strictSame(events, ['open', 'a', 'b', 'c', 'close 1000'])
})

t.test('messages that wait for a handler are bounded', async (t) => {
  let handled = 0
  let release = (): void => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const server = await serveSockets(t, [
    socket(
      '/',
      {
        message: async () => {
          handled++
          await held
        },
      },
      { maxMessageBytes: 100 },
    ),
  ])
  const client = await connect(server.url)
  for (let i = 0; i < 1000; i++) client.send('')
  t.strictSame(await client.ended, { code: 1013, reason: 'too many messages wait to be handled' })
  release()
  await sleep(10)
  t.equal(handled, 1)
})

t.test(
  'a message that is longer than the limit closes with 1009, in one frame or in many',
  async (t) => {
    const codes: number[] = []
    const server = await serveSockets(t, [
      socket(
        '/',
        { ...echo, close: (_s, code) => void codes.push(code) },
        { maxMessageBytes: 1000 },
      ),
    ])
    const fits = await connect(server.url)
    fits.send('x'.repeat(1000))
    t.equal((await fits.next()).length, 1000)
    fits.send('x'.repeat(1001))
    t.strictSame(await fits.ended, { code: 1009, reason: 'messages have 1000 bytes at most' })
    const parts = await connect(server.url)
    parts.send('x'.repeat(600), { fin: false })
    parts.send('x'.repeat(600), { fin: true })
    t.equal((await parts.ended).code, 1009)
    const huge = await connect(server.url)
    huge.send('x'.repeat(3 * 1024 * 1024))
    t.equal((await huge.ended).code, 1006, 'the engine cuts without a word')
    while (codes.length < 3) await sleep(2)
    t.strictSame(codes, [1009, 1009, 1009], 'the site hears of the reason all the same')
  },
)

t.test(
  'a site closes with a code and a reason that may be sent, after what it sent before',
  async (t) => {
    const problems: unknown[] = []
    const attempt = (run: () => void): void => {
      try {
        run()
      } catch (error) {
        problems.push(error)
      }
    }
    const server = await serveSockets(t, [
      socket('/', {
        open(socket) {
          for (const code of [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 1000.5])
            attempt(() => socket.close(code))
          attempt(() => socket.close(1000, '안'.repeat(42)))
          attempt(() => socket.close(1000, 1 as unknown as string))
          attempt(() => socket.send(1 as unknown as string))
          attempt(() => socket.send(null as unknown as string))
          attempt(() => socket.join(''))
          socket.send('first')
          socket.close(3001, 'later')
          socket.close(4000, 'too late')
          attempt(() => t.notOk(socket.send('nobody hears this')))
          t.equal(socket.bufferedBytes, 0)
          t.strictSame(socket.rooms, [])
          socket.join('gone')
          socket.leave('gone')
          socket.publish('gone', 'x')
        },
      }),
    ])
    const client = await connect(server.url)
    t.equal(await client.next(), 'first')
    t.strictSame(await client.ended, { code: 3001, reason: 'later' })
    t.equal(problems.length, 14)
    t.match(problems[0], {
      code: 'UWAS_ERR_HTTP_SOCKET',
      message: 'socket.close: code 0 is none of 1000 to 1003, 1007 to 1014 and 3000 to 4999',
    })
    t.match(problems[9], { message: 'socket.close: the reason has 126 bytes; 123 at most' })
    t.match(problems[10], { message: 'socket.close: the reason is of type number, not a string' })
    t.match(problems[11], {
      message: 'socket.send: the message is of type number; give a string or a Uint8Array',
    })
    t.match(problems[13], { message: 'socket.join: the room is empty; give it a name' })
    t.strictSame(server.log, [])
  },
)

t.test(
  'a server that stops closes with 1001 and takes no handshake that is under way',
  async (t) => {
    let asked = false
    let release = (): void => {}
    const codes: number[] = []
    const server = await serveSockets(t, [
      socket('/', { ...echo, close: (_socket, code) => void codes.push(code) }),
      socket('/slow', {
        authenticate: async () => {
          asked = true
          await new Promise<void>((resolve) => {
            release = resolve
          })
        },
      }),
    ])
    const client = await connect(server.url)
    const slow = refusedWith(`${server.url}/slow`)
    while (!asked) await sleep(2)
    const closed = server.close({ graceMs: 5000 })
    t.strictSame(await client.ended, { code: 1001, reason: 'the server stops or restarts' })
    release()
    t.equal(await slow, 503)
    t.equal(await closed, 0, 'nothing was cut')
    t.strictSame(codes, [1001])
  },
)

t.test('a server that stops lets the handlers of its sockets end', async (t) => {
  const events: string[] = []
  const server = await serveSockets(t, [
    socket('/', {
      message: async (_socket, message) => {
        events.push(`${message} begins`)
        await sleep(message === 'first' ? 400 : 1)
        events.push(`${message} ends`)
      },
      close: async (_socket, code) => {
        await sleep(1)
        events.push(`closed with ${code}`)
      },
    }),
  ])
  const client = await connect(server.url)
  client.send('first')
  client.send('second')
  while (events.length === 0) await sleep(2)
  await server.close({ graceMs: 20_000 })
  t.strictSame(events, [
    'first begins',
    'first ends',
    'second begins',
    'second ends',
    'closed with 1001',
  ])
})

t.test(
  'another application closes the sockets of the one before with 1001, and opens its own',
  async (t) => {
    let release = (): void => {}
    const server = await serveSockets(t, [
      socket('/', echo),
      socket('/slow', {
        authenticate: () =>
          new Promise<void>((resolve) => {
            release = resolve
          }),
      }),
    ])
    const before = await connect(server.url)
    const slow = connect(`${server.url}/slow`)
    await sleep(20)
    server.use(
      applicationOfSockets([
        socket('/new', { message: (socket) => void socket.send('new') }, { maxMessageBytes: 9 }),
      ]),
    )
    t.equal((await before.ended).code, 1001)
    release()
    t.equal((await (await slow).ended).code, 1001, 'a handshake of the old site')
    t.equal(await refusedWith(`${server.url}/`), 404)
    const after = await connect(`${server.url}/new`)
    after.send('x')
    t.equal(await after.next(), 'new')
    after.send('longer than nine')
    t.equal((await after.ended).code, 1009)
    server.use(applicationOfSockets([path('/new', () => text('no socket'))]))
    t.equal(await refusedWith(`${server.url}/new`), 200)
  },
)

t.test('messages are compressed where the route and the client want it', async (t) => {
  const sends: SocketHandlers = { message: (socket, message) => void socket.send(message) }
  const server = await serveSockets(t, [
    socket('/plain', sends),
    socket('/small', sends, { compress: true }),
  ])
  for (const [at, extension] of [
    ['/plain', ''],
    ['/small', 'permessage-deflate'],
  ] as const) {
    const client = await connect(server.url + at, [], { perMessageDeflate: { threshold: 0 } })
    t.equal(client.extensions, extension)
    const long = 'abc'.repeat(10_000)
    for (const message of ['short', long]) {
      client.send(message)
      t.equal(await client.next(), message)
    }
    const received = (client as unknown as { _socket: { bytesRead: number } })._socket.bytesRead
    t.equal(received < 2_000, at === '/small', `${at}: ${received} bytes`)
    client.send(Buffer.alloc(200_000))
    t.equal((await client.ended).code, 1009, 'the limit is of the message as it is read')
    const bomb = await connect(server.url + at, [], { perMessageDeflate: true })
    bomb.send(Buffer.alloc(64 * 1024 * 1024))
    t.equal((await bomb.ended).code, 1006, 'far beyond it nothing is unpacked')
  }
})

t.test(
  'a socket stays open after the client has half-closed only until its close is answered',
  async (t) => {
    const events: unknown[] = []
    const server = await serveSockets(t, [
      socket('/', { close: (_s, code, reason) => void events.push([code, reason]) }),
    ])
    const client = await openRaw(server.port, '/')
    client.socket.end()
    await client.closed
    t.strictSame(events, [[1006, 'Received TCP FIN before WebSocket close frame']])
    const polite = await openRaw(server.port, '/')
    polite.socket.end(Buffer.concat([Buffer.from([0x88, 0x80 | 2, 0, 0, 0, 0]), closing(1000)]))
    await polite.closed
    t.strictSame(events[1], [1000, ''])
  },
)

t.test("a socket's request goes on to be one for statements, and gathers no timings", async (t) => {
  const seen: unknown[] = []
  const traces = new TraceLog()
  const look = ({ request, signal }: Socket) =>
    void seen.push([request.trace, request.isSocket, request.isAborted, signal.aborted])
  const server = await serveSockets(t, [socket('/', { open: look, close: look })], { traces })
  const client = await connect(server.url)
  const [trace] = traces.recent()
  t.match(trace, { lane: 'view', path: '/', status: 101 })
  client.terminate()
  while (seen.length < 2) await sleep(2)
  t.strictSame(seen, [
    [null, true, false, false],
    [null, true, false, true],
  ])
})

t.test('a signal that is asked for late has fired already', async (t) => {
  let own: Socket | undefined
  const server = await serveSockets(t, [
    socket('/', {
      open(socket) {
        own = socket
        socket.signal.addEventListener('abort', () => events.push('abort'))
      },
      close: () => void events.push('close'),
    }),
    socket('/late', {
      close(socket) {
        own = socket
      },
    }),
  ])
  const events: string[] = []
  const client = await connect(server.url)
  client.close()
  await client.ended
  while (events.length < 2) await sleep(2)
  t.strictSame(events, ['abort', 'close'])
  own = undefined
  const late = await connect(`${server.url}/late`)
  late.terminate()
  while (own === undefined) await sleep(2)
  t.ok((own as Socket).signal.aborted)
})
