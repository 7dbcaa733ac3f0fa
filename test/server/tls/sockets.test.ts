/** WebSockets by TLS: the same handlers and limits as in clear, on Node's side of the server. */
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { HttpError } from '../../../src/http/http-error.ts'
import { text } from '../../../src/http/reply.ts'
import type { SocketHandlers } from '../../../src/http/socket.ts'
import { type SocketRouteOptions, socket } from '../../../src/route/socket.ts'
import { path } from '../../../src/route/urlconf.ts'
import { authorityOf } from '../../support/certificates.ts'
import { ask2, openHttp2 } from '../../support/http2.ts'
import {
  BINARY,
  CLOSE,
  closing,
  connect,
  frame,
  handshake,
  openRaw,
  PING,
  PONG,
  refusedWith,
  serveSockets,
  TEXT,
} from '../../support/sockets.ts'
import { dialTls, rawTls, tlsOf } from '../../support/tls.ts'

t.setTimeout(120_000)

const own = authorityOf(t).issue('own', ['x.test', 'localhost'])
const ANY = { rejectUnauthorized: false }

const echo: SocketHandlers = { message: (socket, message) => void socket.send(message) }

/** A site with one socket at `/<slug:room>`; `closes` are the codes that its handler has got. */
async function site(t: Test, handlers: SocketHandlers, options: SocketRouteOptions = {}) {
  const closes: number[] = []
  const server = await serveSockets(
    t,
    [
      socket(
        '/<slug:room>',
        { ...handlers, close: (_socket, code) => void closes.push(code) },
        options,
      ),
      path('/page/here', () => text('a page'), { methods: ['GET', 'POST'] }),
    ],
    { tls: await tlsOf([own]) },
  )
  const port = server.tlsPort as number
  const open = async (fields = {}, behind?: Buffer) =>
    openRaw(port, '/a', fields, {
      dialled: await dialTls(port),
      ...(behind !== undefined && { behind }),
    })
  return { server, closes, port, open, url: `wss://127.0.0.1:${port}` }
}

async function eventually(isTrue: () => boolean): Promise<boolean> {
  for (let i = 0; i < 2000 && !isTrue(); i++) await new Promise((done) => setTimeout(done, 10))
  return isTrue()
}

t.test('messages go both ways, and rooms reach those in clear', async (t) => {
  const { server, url, closes } = await site(
    t,
    {
      authenticate: (req) => `${req.secure} ${req.cookie('who')}`,
      open: (socket) => {
        socket.join(socket.params['room'] as string)
        socket.send(`${socket.data} ${socket.protocol}`)
      },
      message: (socket, message) => {
        socket.send(message)
        socket.publish(socket.params['room'] as string, message)
      },
    },
    { protocols: ['chat'] },
  )
  const secure = await connect(`${url}/a`, ['other', 'chat'], {
    ...ANY,
    headers: { cookie: 'who=me' },
  })
  t.equal(await secure.next(), 'true me chat')
  const clear = await connect(`${server.url}/a`)
  t.equal(await clear.next(), 'false undefined ')
  secure.send('hello 한')
  t.equal(await secure.next(), 'hello 한')
  t.equal(await clear.next(), 'hello 한')
  clear.send(Buffer.from([0, 255]))
  t.strictSame(await secure.next(), Buffer.from([0, 255]))
  secure.close(4000, 'done')
  t.strictSame(await secure.ended, { code: 4000, reason: 'done' })
  clear.terminate()
  t.ok(await eventually(() => closes.length === 2))
  t.strictSame(closes.sort(), [1006, 4000])
})

t.test('whoever breaks the protocol gets the code of it, and so does the site', async (t) => {
  const { open, closes } = await site(t, echo, { maxMessageBytes: 1000 })
  const cases: [what: string, bytes: Buffer, code: number][] = [
    ['a reserved bit', frame(TEXT, 'x', { rsv: 4 }), 1002],
    ['a reserved opcode', frame(3), 1002],
    ['no mask', frame(TEXT, 'x', { masked: false }), 1002],
    ['a continuation of nothing', frame(0, 'x'), 1002],
    ['a ping in fragments', frame(PING, 'x', { fin: false }), 1002],
    ['text that is not UTF-8', frame(TEXT, new Uint8Array([0xff])), 1007],
    ['one byte too many', frame(BINARY, Buffer.alloc(1001)), 1009],
    ['a frame of 2 TiB', frame(BINARY, 'x', { length: 2 ** 41 }), 1009],
    ['a Close with a code that nobody sends', frame(CLOSE, closing(1005)), 1002],
  ]
  for (const [what, bytes, code] of cases) {
    const count = closes.length
    const client = await open()
    client.send(bytes)
    const frames = await client.until(1)
    t.strictSame([frames[0]?.opcode, frames[0]?.content.readUInt16BE(0)], [CLOSE, code], what)
    t.ok(await eventually(() => closes.length > count), what)
    t.equal(closes.at(-1), code, what)
    client.socket.destroy()
  }
})

t.test('pings, fragments, and what stands right behind the handshake are read', async (t) => {
  const { open } = await site(t, echo)
  const client = await open({}, frame(TEXT, 'early'))
  t.match(client.head, /^HTTP\/1\.1 101 Switching Protocols\r\n/)
  t.match(client.head, /\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/)
  client.send(
    frame(PING, 'p'),
    frame(TEXT, 'one ', { fin: false }),
    frame(PING, 'q'),
    frame(0, 'two'),
    frame(CLOSE, closing(1000)),
  )
  const frames = await client.until(5)
  t.strictSame(
    frames.map(({ opcode, content }) => [opcode, String(content)]),
    [
      [TEXT, 'early'],
      [PONG, 'p'],
      [PONG, 'q'],
      [TEXT, 'one two'],
      [CLOSE, String(closing(1000))],
    ],
  )
  await client.closed
})

t.test('a handshake is refused as any request is, and other requests are answered', async (t) => {
  const { url, port, server } = await site(t, {
    authenticate: (req) => {
      if (req.params['room'] === 'secret') throw new HttpError(401)
      return undefined
    },
  })
  t.equal(await refusedWith(`${url}/secret`, ANY), 401)
  t.equal(await refusedWith(`${url}/a`, { ...ANY, origin: 'https://evil.test' }), 403)
  t.equal(await refusedWith(`${url}/no/where`, ANY), 404)
  const ask = async (request: string) =>
    (await rawTls(port, request, { untilClosed: true })).responses
  const upgrade = 'Host: x.test\r\nConnection: Upgrade\r\n'
  const version = 'Sec-WebSocket-Version: 12\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
  t.match(await ask(`GET /a HTTP/1.1\r\n${upgrade}Upgrade: websocket\r\n${version}\r\n`), [
    { status: 426 },
  ])
  const body = 'Content-Length: 3\r\n\r\nabc'
  t.match(await ask(`POST /page/here HTTP/1.1\r\n${upgrade}Upgrade: h2c\r\n${body}`), [
    { status: 200, headers: { connection: 'close' } },
  ])
  const chunks = 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'
  t.match(await ask(`POST /page/here HTTP/1.1\r\n${upgrade}Upgrade: h2c\r\n${chunks}`), [
    { status: 200 },
  ])
  t.match(await ask(`GET /page/here HTTP/1.1\r\n${upgrade}Upgrade: websocket\r\n\r\n`), [
    { status: 200 },
  ])
  const reply = await ask2(openHttp2(t, port), { ':path': '/a' })
  t.match(reply, { status: 426, reset: 0, headers: { 'sec-websocket-version': '13' } })
  t.strictSame(server.log, [])
})

t.test('a client that leaves while it is being let in is let go', async (t) => {
  let left: (() => void) | undefined
  const gone = new Promise<void>((resolve) => {
    left = resolve
  })
  let begun: (() => void) | undefined
  const asked = new Promise<void>((resolve) => {
    begun = resolve
  })
  const { server, port } = await site(t, {
    authenticate: async (req) => {
      req.signal.addEventListener('abort', () => left?.())
      begun?.()
      await gone
      return 'late'
    },
  })
  const client = await dialTls(port)
  client.on('error', () => {})
  client.write(
    'GET /a HTTP/1.1\r\nHost: x.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  )
  await asked
  client.end()
  await gone
  t.equal(await server.close({ graceMs: 20_000 }), 0)
})

t.test('messages are compressed for clients that offer it', async (t) => {
  const long = 'the same words again, '.repeat(200)
  const { url } = await site(t, echo, { compress: true })
  const client = await connect(`${url}/a`, [], { ...ANY, perMessageDeflate: true })
  t.match(client.extensions, /permessage-deflate/)
  client.send(long)
  t.equal(await client.next(), long)
  client.terminate()
  const plain = await site(t, echo)
  const other = await connect(`${plain.url}/a`, [], { ...ANY, perMessageDeflate: true })
  t.equal(other.extensions, '')
  other.terminate()
})

t.test('a reader that is too slow is closed, and one that falls silent', async (t) => {
  const { closes, open } = await site(
    t,
    {
      message: (socket) => {
        for (let i = 0; i < 2000 && socket.send(Buffer.alloc(65_536)); i++);
      },
    },
    { maxBackpressureBytes: 200_000, idleTimeoutSeconds: 8 },
  )
  const slow = await open()
  slow.socket.pause()
  slow.send(frame(TEXT, 'go'))
  t.ok(await eventually(() => closes.length === 1))
  t.equal(closes[0], 1013)
  slow.socket.destroy()
  // It answers no ping.
  const silent = await open()
  await silent.closed
  t.ok(silent.frames().some(({ opcode }) => opcode === PING))
  t.ok(await eventually(() => closes.length === 2))
  t.equal(closes[1], 1006)
})

t.test('pongs that nobody reads do not pile up, nor what is sent too early', async (t) => {
  const { port } = await site(
    t,
    { authenticate: () => new Promise(() => {}) },
    { maxBackpressureBytes: 100_000 },
  )
  const early = await dialTls(port)
  early.on('error', () => {})
  const ended = once(early, 'close')
  early.write(handshake('/a'))
  early.write(Buffer.alloc(100_000))
  await ended
  t.pass('it was cut')

  const echoing = await site(t, echo, { maxBackpressureBytes: 100_000 })
  const client = await echoing.open()
  client.socket.pause()
  const pings = Buffer.concat(Array.from({ length: 1000 }, () => frame(PING, 'p'.repeat(125))))
  let sent = 0
  for (; sent < 240_000; sent += 1000) {
    const isTaken = client.socket.write(pings)
    if (!isTaken) await once(client.socket, 'drain')
  }
  client.socket.resume()
  client.send(frame(CLOSE, closing(1000)))
  await client.closed
  const pongs = client.frames().filter(({ opcode }) => opcode === PONG).length
  t.ok(pongs > 0 && pongs < sent, `${pongs} pongs of ${sent}`)
})

t.test('a server that stops tells its sockets', async (t) => {
  const { server, url } = await site(t, echo)
  const client = await connect(`${url}/a`, [], ANY)
  const closed = once(client, 'close')
  await server.close({ graceMs: 5000 })
  const [code] = await closed
  t.equal(code, 1001)
})
