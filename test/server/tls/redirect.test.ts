/** From http to https: for whom, where to, and who is answered in clear. */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { text } from '../../../src/http/reply.ts'
import { socket } from '../../../src/route/socket.ts'
import { path, urlconf } from '../../../src/route/urlconf.ts'
import type { UserConfig } from '../../../src/was/config.ts'
import { authorityOf } from '../../support/certificates.ts'
import { dial, raw } from '../../support/raw.ts'
import { siteOf, type TestSite } from '../../support/serving.ts'
import { dialTls, rawTls } from '../../support/tls.ts'

const authority = authorityOf(t)
const { certFile, keyFile } = authority.issue('own', ['x.test', '*.x.test', 'IP:127.0.0.1'])
const certificates = [{ certFile, keyFile }]
const GET = 'GET / HTTP/1.1\r\nHost: x.test\r\n\r\n'

const site = (t: Parameters<typeof siteOf>[0], config: UserConfig = {}): Promise<TestSite> =>
  siteOf(t, {
    urls: urlconf(
      path('/', (req) => text(`${req.method} ${req.client.scheme}`), { methods: ['GET', 'POST'] }),
    ),
    database: false,
    ...config,
    tls: { port: 0, certificates, ...config.tls },
  })

t.test('a request in clear is sent to the same URL by TLS, with its method', async (t) => {
  const { ask, server } = await site(t)
  const at = `https://x.test:${server.tlsPort}`
  const expected: [string, string][] = [
    ['/', `${at}/`],
    ['/none?a=1&b=%20', `${at}/none?a=1&b=%20`],
    ['/?', `${at}/?`],
    ['//evil.test/', `${at}//evil.test/`],
    ['/%0d%0aSet-Cookie:%20a', `${at}/%0d%0aSet-Cookie:%20a`],
  ]
  for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS']) {
    for (const [target, location] of expected) {
      const { status, headers } = await ask(target, ['Host: X.test:80'], method)
      t.strictSame([status, headers['location']], [308, location], `${method} ${target}`)
      t.equal(headers['x-content-type-options'], 'nosniff')
    }
  }
  const { status } = await ask('/', ['Host: x.test', 'Content-Length: 0'], 'POST')
  t.equal(status, 308)
})

t.test('the strict lane sends to https, too', async (t) => {
  const { server } = await site(t)
  const chunked = 'POST / HTTP/1.1\r\nHost: x.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'
  const { responses } = await raw(server.port, chunked)
  t.match(responses, [{ status: 308, headers: { location: `https://x.test:${server.tlsPort}/` } }])
})

t.test('a handshake of a WebSocket is, too', async (t) => {
  const config = { urls: urlconf(socket('/chat', { message: () => {} })) }
  const { ask, server } = await site(t, config)
  const fields = [
    'Host: x.test',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ]
  const { status, headers } = await ask('/chat', fields)
  t.strictSame([status, headers['location']], [308, `https://x.test:${server.tlsPort}/chat`])
})

t.test('no other host is ever named: it is 421', async (t) => {
  const { ask } = await site(t)
  for (const host of [
    'evil.test',
    'x.test.evil.test',
    'a.b.x.test',
    '10.0.0.1',
    '[::1]',
    'x.test@evil.test',
    'evil.test/x.test',
  ]) {
    const { status, headers } = await ask('/', [`Host: ${host}`])
    t.match(status, /^(421|400)$/, host)
    t.notOk(headers['location'], host)
  }
  for (const host of ['a.x.test', '127.0.0.1', 'x.test.']) {
    t.equal((await ask('/', [`Host: ${host}`])).status, 308, host)
  }
})

t.test('with allowedHosts they decide', async (t) => {
  const { ask } = await site(t, { allowedHosts: ['shop.test'] })
  t.equal((await ask('/', ['Host: shop.test'])).status, 308)
  t.equal((await ask('/', ['Host: x.test'])).status, 421)
})

t.test('the port is left out where it is the usual one', async (t) => {
  const { ask } = await site(t, { tls: { certificates, port: 0, publicPort: 443 } })
  t.equal((await ask('/a', ['Host: x.test:8080'])).headers['location'], 'https://x.test/a')
})

t.test('health, and challenges of a certificate authority, are answered in clear', async (t) => {
  const { ask } = await site(t, {
    urls: urlconf(path('/.well-known/acme-challenge/<str:token>', () => text('proof'))),
  })
  t.equal((await ask('/healthz', ['Host: 10.0.0.7'])).status, 200)
  t.equal(String((await ask('/.well-known/acme-challenge/a')).body), 'proof')
  t.equal((await ask('/.well-known/other', ['Host: x.test'])).status, 308)
})

t.test(
  'what a trusted proxy has had by TLS is answered, what it has had in clear is not',
  async (t) => {
    const { ask, server } = await site(t, { trustedProxies: ['loopback'] })
    const proxied = (proto: string) => [
      'Host: inner',
      'X-Forwarded-Host: x.test',
      `X-Forwarded-Proto: ${proto}`,
      'X-Forwarded-For: 192.0.2.1',
    ]
    const secure = await ask('/', proxied('https'))
    t.strictSame([secure.status, String(secure.body)], [200, 'GET https'])
    const clear = await ask('/', proxied('http'))
    const location = `https://x.test:${server.tlsPort}/`
    t.strictSame([clear.status, clear.headers['location']], [308, location])
  },
)

t.test('a word of a stranger does not stop it', async (t) => {
  const { ask } = await site(t)
  t.equal((await ask('/', ['Host: x.test', 'X-Forwarded-Proto: https'])).status, 308)
  t.equal((await ask('/', ['Host: x.test', 'Forwarded: proto=https'])).status, 308)
})

t.test('without redirect both answer', async (t) => {
  const { ask, server } = await site(t, { tls: { certificates, port: 0, redirect: false } })
  t.equal(String((await ask('/')).body), 'GET http')
  const { responses } = await rawTls(server.tlsPort, GET)
  t.equal(String(responses[0]?.body), 'GET https')
})

t.test('a cached page is one by TLS and another in clear', async (t) => {
  let made = 0
  const { ask, server } = await site(t, {
    urls: urlconf(
      path('/page', (req) => text(`${++made} ${req.client.scheme} ${req.header('host')}`), {
        cached: { seconds: 60 },
      }),
    ),
    tls: { certificates, port: 0, redirect: false },
  })
  const secure = async () => {
    const { responses } = await rawTls(server.tlsPort, 'GET /page HTTP/1.1\r\nHost: x.test\r\n\r\n')
    return String(responses[0]?.body)
  }
  const clear = async () => String((await ask('/page', ['Host: x.test'])).body)
  t.equal(await clear(), '1 http x.test')
  t.equal(await secure(), '2 https x.test')
  t.equal(await clear(), '1 http x.test')
  t.equal(await secure(), '2 https x.test')
})

t.test('cookies by TLS are Secure and have their prefix', async (t) => {
  const { server } = await site(t, {
    urls: urlconf(path('/', (req) => text('x').cookie('a', 'b', { secure: req.secure }))),
  })
  const { responses } = await rawTls(server.tlsPort, GET)
  t.match(responses[0]?.headers['set-cookie'], /^a=b;.*Secure/)
})

/** Asks again and again until a reply closes the connection, or something else does: whether a request was lost. */
async function askOn(port: number | null, begun: () => void): Promise<boolean> {
  const socket = await dialTls(port ?? 0)
  let isWaiting = true
  socket.on('error', () => {})
  socket.on('data', (chunk) => {
    begun()
    isWaiting = false
    if (/connection: close/i.test(String(chunk))) return
    setTimeout(() => {
      isWaiting = true
      socket.write(GET)
    }, 1)
  })
  socket.write(GET)
  await once(socket, 'close')
  return isWaiting
}

t.test(
  'connections that are kept alive by TLS lose no request when the server stops',
  async (t) => {
    const { server } = await site(t)
    let replies = 0
    const count = () => {
      replies++
    }
    const clients = Array.from({ length: 5 }, () => askOn(server.tlsPort, count))
    while (replies < 50) await sleep(5)
    await server.close({ graceMs: 60_000 })
    t.strictSame(await Promise.all(clients), [false, false, false, false, false])
    await t.rejects(dial(server.tlsPort ?? 0), { code: 'ECONNREFUSED' })
  },
)
