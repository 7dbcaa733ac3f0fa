import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { Services } from '../../src/core/services.ts'
import { TRUSTED_PROXIES, TrustedProxies } from '../../src/http/forwarded.ts'
import { HttpError } from '../../src/http/http-error.ts'
import { text } from '../../src/http/reply.ts'
import type { SocketHandlers } from '../../src/http/socket.ts'
import { socket } from '../../src/route/socket.ts'
import { path } from '../../src/route/urlconf.ts'
import { dial, raw } from '../support/raw.ts'
import {
  connect,
  frame,
  handshake,
  openRaw,
  refusedWith,
  serveSockets,
  TEXT,
} from '../support/sockets.ts'

const echo: SocketHandlers = {
  message: (socket, message) => void socket.send(message),
}

for (const lane of ['gated', 'native'] as const) {
  const options = lane === 'native' ? { lane } : {}

  t.test(`${lane}: text and bytes come as such, and go as such`, async (t) => {
    const server = await serveSockets(t, [socket('/echo/<slug:room>', echo)], options)
    t.equal(server.gated, lane === 'gated', 'the lane is the one that is meant')
    const client = await connect(`${server.url}/echo/a`)
    client.send('안녕')
    t.equal(await client.next(), '안녕')
    client.send(Buffer.from([0, 255]))
    t.strictSame(await client.next(), Buffer.from([0, 255]))
    client.send('')
    t.equal(await client.next(), '', 'an empty message is one')
    client.close(4001, 'enough')
    t.strictSame(await client.ended, { code: 4001, reason: 'enough' })
  })

  t.test(`${lane}: a handshake may be a later request of its connection`, async (t) => {
    const server = await serveSockets(
      t,
      [path('/', () => text('home')), socket('/echo', echo)],
      options,
    )
    const connection = await dial(server.port)
    let received = ''
    connection.on('data', (chunk) => {
      received += chunk.toString('latin1')
    })
    connection.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    while (!received.includes('home')) await sleep(2)
    connection.write(handshake('/echo'))
    while (!received.includes('101 Switching')) await sleep(2)
    t.match(received, 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=', 'the key is answered (RFC 6455 section 1.3)')
    connection.destroy()
  })
}

t.test(
  'a handler gets typed parameters, cookies, the query, and what authenticate returned',
  async (t) => {
    const seen: unknown[] = []
    const server = await serveSockets(t, [
      socket('/chat/<int:id>', {
        authenticate: (req) => ({ user: req.cookie('user') }),
        open(socket) {
          const { request, params, data, protocol } = socket
          seen.push(params.id + 1, data.user, request.query.get('q'), protocol)
          seen.push(request.remoteAddress, request.header('x-one'), socket.isOpen)
        },
      }),
    ])
    const client = await connect(`${server.url}/chat/41?q=1`, [], {
      headers: { Cookie: 'user=mina', 'X-One': 'yes' },
    })
    while (seen.length === 0) await sleep(2)
    t.strictSame(seen, [42, 'mina', '1', '', '127.0.0.1', 'yes', true])
    client.close()
    await client.ended
  },
)

t.test('authenticate may wait, refuse with a reply, and refuse with an error', async (t) => {
  const server = await serveSockets(t, [
    socket('/late', {
      authenticate: async () => {
        await sleep(5)
        return 'late'
      },
      open: (socket) => void socket.send(socket.data),
    }),
    socket('/reply', { authenticate: () => text('no', { status: 401 }) }),
    socket('/error', {
      authenticate: async () => {
        throw new HttpError(403, 'not you')
      },
    }),
    socket('/broken', {
      authenticate: () => {
        throw new Error('secret')
      },
    }),
  ])
  const client = await connect(`${server.url}/late`)
  t.equal(await client.next(), 'late')
  client.close()
  t.equal(await refusedWith(`${server.url}/reply`), 401)
  t.equal(await refusedWith(`${server.url}/error`), 403)
  t.equal(await refusedWith(`${server.url}/broken`), 500)
})

t.test(
  'the middleware of the site is around the handshake: it refuses, and sets cookies',
  async (t) => {
    const server = await serveSockets(t, [socket('/a', echo), socket('/b', echo)], {
      middleware: [
        async (req, next) => {
          if (req.path === '/b') return text('closed', { status: 403 })
          req.locals['seen'] = true
          return (await next()).cookie('visit', '1')
        },
      ],
    })
    const { head, socket: connection } = await openRaw(server.port, '/a')
    t.match(head, /^HTTP\/1\.1 101 Switching Protocols\r\nSet-Cookie: visit=1; Path=\/; HttpOnly/)
    connection.destroy()
    t.equal(await refusedWith(`${server.url}/b`), 403)
  },
)

t.test('pages of other sites are refused unless they are let in', async (t) => {
  const server = await serveSockets(t, [
    socket('/same', echo),
    socket('/all', echo, { origins: '*' }),
    socket('/some', echo, { origins: ['https://app.example.com'] }),
  ])
  const opens = async (at: string, origin: string | undefined, host = 'site.example') => {
    const headers = { Host: host, ...(origin === undefined ? {} : { Origin: origin }) }
    const found = await connect(server.url + at, [], { headers }).catch(() => undefined)
    found?.terminate()
    return found !== undefined
  }
  t.ok(await opens('/same', undefined), 'a client that is no browser')
  t.ok(await opens('/same', 'http://site.example'))
  t.ok(await opens('/same', 'https://site.example'), 'behind a proxy that takes TLS off')
  t.ok(await opens('/same', 'https://site.example:443', 'SITE.example'))
  t.ok(await opens('/same', 'http://site.example:8080', 'site.example:8080'))
  for (const origin of [
    'http://evil.example',
    'null',
    'http://site.example:81',
    'http://site.example.evil.example',
    'http://evil.example/site.example',
    'http://user@site.example',
    '',
  ]) {
    t.equal(await opens('/same', origin), origin === '', `"${origin}"`)
  }
  t.ok(await opens('/all', 'null'))
  t.ok(await opens('/some', 'https://app.example.com'))
  t.notOk(await opens('/some', 'http://app.example.com'))
  t.notOk(await opens('/some', 'http://site.example'), 'a list does not hold the site itself')
})

t.test('behind a trusted proxy the site is the host that the proxy tells', async (t) => {
  const proxies = new TrustedProxies({ networks: ['loopback'] })
  const services = new Services().provide(TRUSTED_PROXIES, proxies)
  const server = await serveSockets(t, [socket('/', echo)], { services })
  const headers = { Origin: 'https://site.example', 'X-Forwarded-Host': 'site.example' }
  const client = await connect(server.url, [], { headers })
  client.terminate()
  const other = { ...headers, Origin: 'https://other.example' }
  t.equal(await refusedWith(server.url, { headers: other }), 403)
})

t.test('of the subprotocols that are offered, the first that is spoken is agreed on', async (t) => {
  const server = await serveSockets(t, [
    socket('/', { open: (socket) => void socket.send(socket.protocol) }, { protocols: ['b', 'c'] }),
  ])
  const client = await connect(server.url, ['a', 'c', 'b'])
  t.equal(client.protocol, 'c')
  t.equal(await client.next(), 'c')
  client.close()
  const { head, socket: connection } = await openRaw(server.port, '/', {
    'Sec-WebSocket-Protocol': 'x, y',
  })
  t.notMatch(head, /sec-websocket-protocol/i)
  connection.destroy()
})

t.test('what is no handshake gets 426 at the URL of a socket, on both lanes', async (t) => {
  for (const lane of ['native', 'strict'] as const) {
    const server = await serveSockets(t, [socket('/ws', echo)], { lane })
    const requests = {
      'no upgrade': 'GET /ws HTTP/1.1\r\nHost: x\r\n\r\n',
      'an old version': handshake('/ws', { 'Sec-WebSocket-Version': '8' }),
      'a bad key': handshake('/ws', { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ=A' }),
      'no key': handshake('/ws', { 'Sec-WebSocket-Key': null }),
      'another protocol': handshake('/ws', { Upgrade: 'h2c' }),
      'no connection option': handshake('/ws', { Connection: 'close' }),
    }
    for (const [name, request] of Object.entries(requests)) {
      const { responses } = await raw(server.port, request)
      t.equal(responses[0]?.status, 426, `${lane}: ${name}`)
      t.equal(responses[0]?.headers['upgrade'], 'websocket')
      t.match(responses[0]?.headers['connection'], /Upgrade/)
      t.equal(responses[0]?.headers['sec-websocket-version'], '13')
    }
    const post = await raw(server.port, 'POST /ws HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n')
    t.equal(post.responses[0]?.status, 405, lane)
  }
})

t.test('a handshake at an ordinary URL, a file or nothing is an ordinary request', async (t) => {
  const server = await serveSockets(t, [path('/page', () => text('page')), socket('/ws', echo)])
  const page = await raw(server.port, handshake('/page'))
  t.equal(page.responses[0]?.body.toString(), 'page')
  const missing = await raw(server.port, handshake('/missing'))
  t.equal(missing.responses[0]?.status, 404)
})

t.test('a handshake that nobody could read for sure is refused as any request is', async (t) => {
  const server = await serveSockets(t, [socket('/ws', echo)], { lane: 'native' })
  const status = async (request: string) => (await raw(server.port, request)).responses[0]?.status
  t.equal(await status(handshake('/ws').replace('Host: x', 'Host: x\r\nHost: y')), 400)
  t.equal(await status(handshake('/ws', { Host: 'a b' })), 400)
  t.equal(await status(handshake('/ws', { 'Transfer-Encoding': 'chunked' })), 411)
  t.equal(await status(handshake('/ws', { 'Content-Length': 'x' })), 400)
  t.equal(await status(handshake('/%zz')), 400)
})

t.test('a client that goes away while authenticate waits opens nothing', async (t) => {
  const events: string[] = []
  let release = (): void => {}
  const server = await serveSockets(t, [
    socket('/', {
      authenticate: async (req) => {
        req.signal.addEventListener('abort', () => events.push('aborted'))
        events.push('asked')
        await new Promise<void>((resolve) => {
          release = resolve
        })
        events.push('answered')
      },
      open: () => void events.push('opened'),
      close: () => void events.push('closed'),
    }),
  ])
  const connection = await dial(server.port)
  connection.write(handshake('/'))
  while (events.length < 1) await sleep(2)
  connection.destroy()
  while (events.length < 2) await sleep(2)
  release()
  while (events.length < 3) await sleep(2)
  await sleep(20)
  t.strictSame(events, ['asked', 'aborted', 'answered'])
  t.strictSame(server.log, [])
})

t.test(
  'frames before the answer to the handshake are no WebSocket (RFC 6455 section 4.1)',
  async (t) => {
    const request = Buffer.concat([Buffer.from(handshake('/')), frame(TEXT, 'early')])
    const messages: unknown[] = []
    const handlers: SocketHandlers = { message: (_socket, message) => void messages.push(message) }
    const gated = await serveSockets(t, [socket('/', handlers)])
    const { responses, closed } = await raw(gated.port, request, { untilClosed: true })
    t.equal(responses[0]?.status, 426, 'two requests in one segment are for the strict lane')
    t.ok(closed)
    let release: (() => void) | undefined
    const authenticate = () =>
      new Promise<void>((resolve) => {
        release = resolve
      })
    const slow = await serveSockets(t, [socket('/', { ...handlers, authenticate })])
    const connection = await dial(slow.port)
    connection.write(handshake('/'))
    while (release === undefined) await sleep(2)
    connection.resume()
    connection.write(frame(TEXT, 'early'))
    await new Promise((resolve) => connection.on('error', () => {}).on('close', resolve))
    release()
    await sleep(20)
    t.strictSame(messages, [], 'the engine ends the connection')
    t.strictSame(slow.log, [])
  },
)

for (const lane of ['gated', 'native'] as const) {
  t.test(`${lane}: handshakes that are given up at any moment leave nothing behind`, async (t) => {
    let open = 0
    let closed = 0
    const server = await serveSockets(
      t,
      [
        socket('/<int:ms>', {
          authenticate: (req) => (req.params.ms === 0 ? undefined : sleep(req.params.ms)),
          open(socket) {
            open++
            socket.join('all')
          },
          close: () => void closed++,
        }),
      ],
      lane === 'native' ? { lane } : {},
    )
    await Promise.all(
      Array.from({ length: 300 }, async (_, i) => {
        const connection = await dial(server.port)
        connection.on('error', () => {})
        connection.write(handshake(`/${i % 6}`))
        await sleep(i % 9)
        if (i % 2 === 0) connection.destroy()
        else connection.resetAndDestroy()
      }),
    )
    const last = await connect(`${server.url}/1`)
    while (server.rooms.count('all') > 1) await sleep(2)
    last.terminate()
    while (open !== closed) await sleep(2)
    t.ok(open > 0)
    t.equal(server.rooms.count('all'), 0)
    t.strictSame(server.log, [])
  })
}
