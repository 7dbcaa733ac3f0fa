/** What an observer is told of each request, on both lanes. */
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { Services } from '../../src/core/services.ts'
import { TRUSTED_PROXIES, TrustedProxies } from '../../src/http/forwarded.ts'
import { empty, type Reply, stream, text } from '../../src/http/reply.ts'
import type { Request } from '../../src/http/request.ts'
import { loadNative } from '../../src/native/load.ts'
import { observerOf } from '../../src/observe/observer.ts'
import { socket } from '../../src/route/socket.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'
import { serve } from '../support/application.ts'
import { catalogueOf, temporaryFolder, writeTree } from '../support/catalogue.ts'
import { listenerOf } from '../support/listener.ts'
import { dial, raw } from '../support/raw.ts'
import { siteOf } from '../support/serving.ts'

const skip = loadNative().gate === null && 'without the addon there is no gate'
const LANES = ['native', 'strict'] as const

const get = (target: string, fields = '', method = 'GET'): string =>
  `${method} ${target} HTTP/1.1\r\nHost: x.test\r\n${fields}\r\n`

const view = (req: Request): Reply | Promise<Reply> => {
  if (req.path === '/later') return sleep(1).then(() => text('later'))
  if (req.path === '/none') return empty()
  if (req.path === '/large') return text('x'.repeat(300_000))
  if (req.path === '/stream') return stream(chunks(['ab', '안'], false), 'text/plain')
  if (req.path === '/broken') return stream(chunks(['ab'], true), 'text/plain')
  return text('view\n')
}

async function* chunks(all: readonly string[], breaks: boolean) {
  yield* all
  if (breaks) throw new Error('no more')
}

for (const lane of LANES) {
  t.test(`an answered request is told once, with what it was (${lane})`, { skip }, async (t) => {
    const files = { 'a.css': 'p { color: red }', 'b.bin': Buffer.alloc(300_000, 7) }
    const dir = await writeTree(temporaryFolder(t), files)
    const { catalogue } = await catalogueOf(t, dir)
    const etag = catalogue.lookup('/a.css')?.etag
    const listener = listenerOf({ fields: ['x-a'] })
    const { port } = await serve(t, view, { lane, catalogue, listeners: [listener] })
    const said = 'Referer: http://y/\r\nUser-Agent: tests\r\nX-A: 1\r\nX-A: 2\r\n'
    const cases: [request: string, answerer: string, status: number, bytes: number][] = [
      [get('/a.css', said), 'static', 200, 16],
      [get('/a.css', said, 'HEAD'), 'static', 200, 0],
      [get('/a.css', `If-None-Match: ${etag}\r\n${said}`), 'static', 304, 0],
      [get('/a.css', `Range: bytes=0-2\r\n${said}`), 'static', 206, 3],
      [get('/a.css', `Connection: close\r\n${said}`), 'static', 200, 16],
      [get('/b.bin', said), 'static', 200, 300_000],
      [get('/?a=1&b', said), 'view', 200, 5],
      [get('/', said, 'HEAD'), 'view', 200, 0],
      [get('/later', said), 'view', 200, 5],
      [get('/none', said), 'view', 204, 0],
      [get('/large', said), 'view', 200, 300_000],
      [get('/stream', said), 'view', 200, 5],
      [get('/', `Content-Length: 2000000\r\n${said}`, 'POST'), 'view', 413, 10],
      [get('/%', said), 'server', 400, 16],
    ]
    // Of a method that it does not know llhttp tells nothing else.
    if (lane === 'native') cases.push([get('/', said, 'BREW'), 'server', 501, 20])
    for (const [i, [request, answerer, status, bodyBytes]] of cases.entries()) {
      const [method = '', target = ''] = request.split(' ')
      const [path, search = ''] = target.split('?')
      await raw(port, request, { methods: [method] })
      const heard = await listener.wait(i + 1)
      t.equal(heard.length, i + 1, `${method} ${target} is told once`)
      t.match(heard[i], {
        method,
        path,
        search,
        protocol: 'HTTP/1.1',
        host: 'x.test',
        address: '127.0.0.1',
        referer: 'http://y/',
        userAgent: 'tests',
        fields: { 'x-a': '1, 2' },
        answerer,
        status,
        bodyBytes,
        isWhole: true,
      })
      t.ok((heard[i]?.durationMs ?? 0) > 0, 'it took some time')
      t.match(heard[i]?.id, /^[0-9a-f-]{36}$/)
    }
    t.equal(new Set(listener.heard.map(({ id }) => id)).size, cases.length, 'ids differ')
  })

  t.test(`who has gone before the answer is told as 499 (${lane})`, { skip }, async (t) => {
    const listener = listenerOf()
    let began = (): void => {}
    const running = new Promise<void>((resolve) => {
      began = resolve
    })
    const never = (): Promise<Reply> => {
      began()
      return new Promise(() => {})
    }
    const { port } = await serve(t, never, { lane, listeners: [listener] })
    const socket = await dial(port)
    socket.write(get('/'))
    await running
    socket.resetAndDestroy()
    const heard = await listener.wait(1)
    t.match(heard, [{ status: 499, bodyBytes: 0, isWhole: false, answerer: 'view' }])
  })

  t.test(
    `who goes in the middle of an answer is told with what he took (${lane})`,
    { skip },
    async (t) => {
      const listener = listenerOf()
      async function* endless() {
        for (;;) {
          yield 'x'.repeat(1000)
          await sleep(1)
        }
      }
      const { port } = await serve(t, () => stream(endless(), 'text/plain'), {
        lane,
        listeners: [listener],
      })
      const socket = await dial(port)
      socket.write(get('/'))
      await new Promise((resolve) => socket.once('data', resolve))
      socket.resetAndDestroy()
      const [heard] = await listener.wait(1)
      t.match(heard, { status: 200, isWhole: false })
      t.ok((heard?.bodyBytes ?? 0) >= 1000, `${heard?.bodyBytes} bytes were handed over`)
    },
  )

  t.test(`an answer that breaks off is told as not whole, once (${lane})`, { skip }, async (t) => {
    const listener = listenerOf()
    const { port } = await serve(t, view, { lane, listeners: [listener] })
    await raw(port, get('/broken'), { untilClosed: true })
    await raw(port, get('/'))
    const heard = await listener.wait(2)
    t.match(heard, [
      { path: '/broken', status: 200, bodyBytes: 2, isWhole: false },
      { path: '/', status: 200, isWhole: true },
    ])
    t.equal(heard.length, 2)
  })

  t.test(`the client is who trusted proxies say it is (${lane})`, { skip }, async (t) => {
    const listener = listenerOf()
    const services = new Services().provide(
      TRUSTED_PROXIES,
      new TrustedProxies({ networks: ['loopback'] }),
    )
    const { port } = await serve(t, view, { lane, services, listeners: [listener] })
    await raw(port, get('/', 'X-Forwarded-For: 198.51.100.7, 203.0.113.9\r\n'))
    await raw(port, get('/', 'X-Forwarded-For: nobody\r\n'))
    t.match(await listener.wait(2), [{ address: '203.0.113.9' }, { address: '127.0.0.1' }])
  })

  t.test(`what no listener needs is not looked up (${lane})`, { skip }, async (t) => {
    const listener = listenerOf({ needsTime: false, needsClient: false })
    const { port } = await serve(t, view, { lane, listeners: [listener] })
    await raw(port, get('/?a', 'User-Agent: tests\r\n'))
    t.match(await listener.wait(1), [
      {
        method: 'GET',
        status: 200,
        bodyBytes: 5,
        path: '',
        address: '',
        userAgent: '',
        durationMs: 0,
      },
    ])
  })
}

t.test(
  'a body that cannot be read as one is told once, with what its client got',
  { skip },
  async (t) => {
    const listener = listenerOf()
    const read = (req: Request): Promise<Reply> => req.text().then(text)
    const { port } = await serve(t, read, { listeners: [listener] })
    const head = 'POST /a HTTP/1.1\r\nHost: x.test\r\nTransfer-Encoding: chunked\r\n\r\n'
    const { responses } = await raw(port, `${head}3\r\nabc\r\nzz\r\n`)
    t.equal(responses[0]?.status, 400)
    await raw(port, get('/b'))
    const heard = await listener.wait(2)
    t.match(heard, [
      { path: '/a', status: 400, bodyBytes: responses[0]?.body.length, isWhole: false },
      { path: '/b' },
    ])
    t.equal(heard.length, 2)
  },
)

t.test('bytes that are no request are told with their refusal and address', { skip }, async (t) => {
  const listener = listenerOf()
  const { port } = await serve(t, view, { listeners: [listener] })
  const { responses } = await raw(port, 'nonsense\r\n\r\n')
  const heard = await listener.wait(1)
  t.match(heard, [
    {
      method: '',
      path: '',
      address: '127.0.0.1',
      answerer: 'server',
      status: responses[0]?.status,
      bodyBytes: responses[0]?.body.length,
      isWhole: true,
    },
  ])
  t.equal(responses[0]?.status, 400)
})

t.test('what the strict lane refuses is told as it was sent', { skip }, async (t) => {
  const listener = listenerOf()
  const { port } = await serve(t, view, { listeners: [listener] })
  await raw(port, 'GET http://a@b/c?d HTTP/1.1\r\nHost: x\r\n\r\n')
  await raw(port, 'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n')
  await raw(port, 'GET /old HTTP/1.0\r\n\r\n', { timeoutMs: 10_000 }).catch(() => {})
  t.match(await listener.wait(3), [
    { method: 'GET', path: 'http://a@b/c', search: 'd', status: 400, answerer: 'server' },
    { method: 'OPTIONS', path: '*', status: 204, answerer: 'server' },
    { method: 'GET', path: '/old', protocol: 'HTTP/1.0', status: 200, answerer: 'view' },
  ])
})

t.test('a site tells the pattern of the route, and whether a page was made before', async (t) => {
  const site = await siteOf(t, {
    urls: urlconf(
      path('/posts/<int:id>', (req) => text(`${req.route}\n`)),
      path('/page', () => text('a page'), { cached: { seconds: 60 } }),
    ),
  })
  const listener = listenerOf()
  site.server.use({ ...site.app, observer: observerOf([listener]) })
  const answer = await site.ask('/posts/7')
  t.equal(answer.body.toString(), '/posts/<int:id>\n', 'the view knows it too')
  for (const target of ['/posts/x', '/page', '/page']) await site.ask(target)
  t.match(await listener.wait(4), [
    { route: '/posts/<int:id>', answerer: 'view', status: 200 },
    { route: '', answerer: 'view', status: 404 },
    { route: '/page', answerer: 'view', status: 200 },
    { route: '/page', answerer: 'page', status: 200, path: '/page' },
  ])
})

t.test('a WebSocket is told when it opens', async (t) => {
  const site = await siteOf(t, { urls: urlconf(socket('/chat', { open() {} })) })
  const listener = listenerOf()
  site.server.use({ ...site.app, observer: observerOf([listener]) })
  const handshake =
    'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
  const client = await dial(site.server.port)
  t.teardown(() => client.destroy())
  client.write(get('/chat', handshake))
  const heard = await listener.wait(1)
  t.match(heard, [
    { method: 'GET', path: '/chat', route: '/chat', status: 101, answerer: 'view', isWhole: true },
  ])
  t.equal(heard.length, 1)
})
