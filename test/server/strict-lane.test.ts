/** What the strict lane does beyond framing: the same answers as the native lane, order, bodies, ends. */
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { json, type Reply, stream, text } from '../../src/http/reply.ts'
import type { Request } from '../../src/http/request.ts'
import { SECURITY_HEADERS } from '../../src/http/security-headers.ts'
import { loadNative } from '../../src/native/load.ts'
import { serve } from '../support/application.ts'
import { catalogueOf, temporaryFolder, writeTree } from '../support/catalogue.ts'
import { dial, parseResponses, raw } from '../support/raw.ts'
import { converse, strictOnly } from '../support/strict.ts'

const skip = loadNative().gate === null && 'without the addon there is no gate'
const LANES = ['native', 'strict'] as const

const get = (path: string, fields = ''): string =>
  `GET ${path} HTTP/1.1\r\nHost: x.test\r\n${fields}\r\n`
const chunked = (path: string, body: string, fields = ''): string =>
  `POST ${path} HTTP/1.1\r\nHost: x.test\r\nTransfer-Encoding: chunked\r\n${fields}\r\n${body}`

t.test('files are answered with the same fields and bytes on both lanes', { skip }, async (t) => {
  const files = {
    'a.css': 'p { color: red }',
    'b.bin': Buffer.alloc(300_000, 7),
    'd/index.html': 'd',
  }
  const dir = await writeTree(temporaryFolder(t), files)
  const { catalogue } = await catalogueOf(t, dir, { baseHeaders: SECURITY_HEADERS })
  const etag = catalogue.lookup('/a.css')?.etag
  const requests: [method: string, request: string][] = [
    ['GET', get('/a.css')],
    ['HEAD', get('/a.css').replace('GET', 'HEAD')],
    ['GET', get('/a.css', `If-None-Match: ${etag}\r\n`)],
    ['GET', get('/a.css', 'Range: bytes=0-2\r\n')],
    ['GET', get('/a.css', 'Range: bytes=99-\r\n')],
    ['GET', get('/b.bin')],
    ['GET', get('/d?q')],
    ['GET', get('/nothing')],
  ]
  const answers = await Promise.all(
    LANES.map(async (lane) => {
      const notFound = (): Reply => text('nothing', { status: 404 })
      const { port } = await serve(t, notFound, { catalogue, lane })
      const all = []
      for (const [method, request] of requests) {
        const { responses } = await raw(port, request, { methods: [method] })
        const {
          date,
          connection,
          'keep-alive': keepAlive,
          ...headers
        } = responses[0]?.headers ?? {}
        t.match(date, /GMT$/)
        all.push({ ...responses[0], headers })
      }
      return all
    }),
  )
  t.same(
    answers[0]?.map(({ status }) => status),
    [200, 200, 304, 206, 416, 200, 308, 404],
  )
  t.same(answers[1], answers[0])
})

t.test('a view reads the same request on both lanes', { skip }, async (t) => {
  const view = async (req: Request): Promise<Reply> => {
    const body = await req.text()
    const { method, path, search, remoteAddress } = req
    return json({
      method,
      path,
      search,
      remoteAddress,
      cookie: req.cookie('b'),
      body,
      all: req.headers,
    })
  }
  const fields = 'Cookie: a=1; b=2\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 5\r\n'
  const request = `POST /%EA%B8%80?q=1&r HTTP/1.1\r\nHost: x.test\r\n${fields}\r\nhello`
  const bodies = []
  for (const lane of LANES) {
    const { port } = await serve(t, view, { lane })
    bodies.push(JSON.parse((await raw(port, request)).responses[0]?.body.toString() ?? ''))
  }
  t.match(bodies[0], {
    path: '/글',
    search: 'q=1&r',
    remoteAddress: '127.0.0.1',
    cookie: '2',
    body: 'hello',
  })
  t.same(bodies[1], bodies[0])
})

t.test(
  'an absolute target names the host, HTTP/1.0 the address that was called',
  { skip },
  async (t) => {
    const { port } = await serve(t, (req) =>
      text(`${req.header('host')} ${req.path}?${req.search}`),
    )
    const ask = async (request: string): Promise<string | undefined> =>
      (await raw(port, request)).responses[0]?.body.toString()
    t.equal(await ask('GET http://y:81/a?b HTTP/1.1\r\nHost: x\r\n\r\n'), 'y:81 /a?b')
    t.equal(await ask('GET HTTP://y HTTP/1.1\r\nHost: x\r\n\r\n'), 'y /?')
    t.equal(await ask('GET /a HTTP/1.0\r\n\r\n'), `127.0.0.1:${port} /a?`)
  },
)

t.test('OPTIONS * names the methods, under the fields of every reply', { skip }, async (t) => {
  const { port } = await serve(t, () => text('view'))
  const { responses } = await raw(port, 'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n')
  t.match(responses[0], {
    status: 204,
    headers: {
      allow: 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS',
      'x-content-type-options': 'nosniff',
    },
  })
})

t.test('a chunked body arrives whole, without its extensions and trailers', { skip }, async (t) => {
  const { port } = await serve(t, async (req) =>
    json([await req.text(), req.header('x-trailer') ?? null]),
  )
  const request = chunked('/', '5;a="b;c"\r\nhello\r\n6\r\n world\r\n0\r\nX-Trailer: 1\r\n\r\n')
  t.equal((await raw(port, request)).responses[0]?.body.toString(), '["hello world",null]')
})

t.test('a body that breaks off in disorder is 400, and its view is told', { skip }, async (t) => {
  const codes: unknown[] = []
  const { port } = await serve(t, async (req) => {
    await req.bytes().catch((error) => codes.push(error.code))
    return text('too late')
  })
  const { responses, closed } = await raw(port, chunked('/', '5\r\nhello\r\nzz\r\n'), {
    untilClosed: true,
  })
  t.match(responses, [{ status: 400, headers: { connection: 'close' } }])
  t.ok(closed)
  t.same(codes, ['UWAS_ERR_HTTP_BODY_ABORTED'])
})

t.test('a client that asks first is told to go on, or not to', { skip }, async (t) => {
  const view = async (req: Request): Promise<Reply> => text(await req.text())
  const { port } = await serve(t, view, { limits: { maxBodyBytes: 10 } })
  const post = (length: number): string =>
    `POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`
  const small = await converse(port, post(5), (seen) => seen.endsWith('\r\n\r\n'))
  t.equal(small.seen(), 'HTTP/1.1 100 Continue\r\n\r\n')
  small.socket.end('hello')
  for (let i = 0; i < 1000 && !small.seen().endsWith('hello'); i++) await sleep(5)
  t.match(small.seen(), /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/)
  const large = await converse(port, post(11), () => false)
  t.match(large.seen(), /^HTTP\/1\.1 413 Content Too Large\r\n/)
  t.match(large.seen(), /\r\nConnection: close\r\n/i)
  t.ok(large.closed())
})

t.test('requests of a pipeline run one after the other, in order', { skip }, async (t) => {
  const events: string[] = []
  const { port } = await serve(t, async (req) => {
    events.push(`begin ${req.path}`)
    await sleep(req.path === '/slow' ? 30 : 1)
    events.push(`end ${req.path}`)
    return text(req.path)
  })
  const { responses } = await raw(port, get('/slow') + get('/b') + get('/c'), { expect: 3 })
  t.same(
    responses.map(({ body }) => body.toString()),
    ['/slow', '/b', '/c'],
  )
  t.same(events, ['begin /slow', 'end /slow', 'begin /b', 'end /b', 'begin /c', 'end /c'])
})

t.test('a long pipeline is read as fast as it is answered', { skip }, async (t) => {
  const { port } = await serve(t, async () => {
    await sleep(0)
    return text('x')
  })
  const { responses } = await raw(port, get('/').repeat(200), { expect: 200 })
  t.equal(responses.length, 200)
})

t.test(
  'garbage behind a pending request waits for its reply, and ends the connection',
  { skip },
  async (t) => {
    const { port } = await serve(t, async () => {
      await sleep(20)
      return text('first')
    })
    const { responses, closed } = await raw(port, `${get('/')}\x01\r\n\r\n`, { untilClosed: true })
    t.same(
      responses.map(({ status }) => status),
      [200, 400],
    )
    t.ok(closed)
  },
)

t.test(
  'a stream waits for its reader, and a reader that leaves is noticed',
  { skip },
  async (t) => {
    let made = 0
    let left = false
    const { port } = await serve(
      t,
      (req) => {
        req.signal.addEventListener('abort', () => {
          left = true
        })
        return stream(
          (async function* () {
            for (; made < 400; made++) yield Buffer.alloc(64 * 1024)
          })(),
          'application/octet-stream',
        )
      },
      { lane: 'strict' },
    )
    const socket = await dial(port)
    socket.pause()
    socket.write(get('/'))
    for (let before = -1; before !== made || made === 0; await sleep(100)) before = made
    t.ok(made < 400, `${made} of 400 parts were made`)
    socket.destroy()
    for (let i = 0; i < 200 && !left; i++) await sleep(10)
    t.ok(left)
  },
)

t.test('a body that fails never looks whole, whatever the version', { skip }, async (t) => {
  const { port, log } = await serve(
    t,
    () =>
      stream(
        (async function* () {
          yield 'part'
          await sleep(5)
          throw new Error('planted')
        })(),
        'text/plain',
      ),
    { lane: 'strict' },
  )
  const { bytes, closed } = await raw(port, get('/'), { untilClosed: true })
  t.ok(closed)
  t.notMatch(bytes.toString(), '\r\n0\r\n')
  const old = await dial(port)
  const failure = new Promise<string>((resolve) => {
    old.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
    old.once('end', () => resolve('a clean end'))
  })
  old.on('data', () => {})
  old.write('GET / HTTP/1.0\r\n\r\n')
  t.equal(await failure, 'ECONNRESET', 'HTTP/1.0 has nothing but the end to tell by')
  t.match(log.join('\n'), /planted/)
})

t.test(
  'HTTP/1.0 gets a body of unknown length until the end, without chunks',
  { skip },
  async (t) => {
    const { port } = await serve(t, () =>
      stream(
        (async function* () {
          yield 'one '
          yield 'two'
        })(),
        'text/plain',
      ),
    )
    const { responses, closed } = await raw(port, 'GET / HTTP/1.0\r\n\r\n', { untilClosed: true })
    t.ok(closed)
    t.equal(responses[0]?.body.toString(), 'one two')
    t.equal(responses[0]?.headers['transfer-encoding'], undefined)
  },
)

t.test('a server that stops answers what has begun on both lanes', { skip }, async (t) => {
  for (const lane of LANES) {
    const { port, close } = await serve(
      t,
      async () => {
        await sleep(100)
        return text('done')
      },
      { lane },
    )
    const answered = raw(port, get('/'), { untilClosed: true })
    await sleep(30)
    t.equal(await close(), 0, lane)
    const { responses, closed } = await answered
    t.match(responses[0], { status: 200, headers: { connection: 'close' } }, lane)
    t.ok(closed)
    await t.rejects(dial(port), { code: 'ECONNREFUSED' })
  }
})

t.test('an unknown method is 501 and nonsense 400, however slowly the line comes', async (t) => {
  const port = await strictOnly(t, {})
  const rest = 'Host: x.test\r\n\r\n'
  const lines: [string, number][] = [
    [`get / HTTP/1.1\r\n${rest}`, 501],
    [`BREW /pot HTTP/1.0\r\n${rest}`, 501],
    [`get / HTTP/2.1\r\n${rest}`, 400],
    [`get /\r\n${rest}`, 400],
    [`g(t / HTTP/1.1\r\n${rest}`, 400],
  ]
  for (const [request, status] of lines) {
    for (const before of ['', get('/')]) {
      const isBegun = (text: string) => before === '' || text.includes('200 OK')
      const { socket, seen, closed } = await converse(port, before + request[0], isBegun)
      for (const letter of request.slice(1)) {
        await sleep(1)
        if (!closed() && !socket.destroyed) socket.write(letter)
      }
      for (let i = 0; i < 1000 && !closed(); i++) await sleep(5)
      const statuses = parseResponses(Buffer.from(seen()), [], true).map((one) => one.status)
      t.strictSame(statuses, before === '' ? [status] : [200, status], request)
    }
  }
})

t.test(
  'a line that is never whole is refused when its client ends, or its time or length',
  async (t) => {
    const port = await strictOnly(t, { headersTimeoutMs: 100 })
    const late = await converse(port, 'g', () => false)
    t.match(late.seen(), /^HTTP\/1\.1 408 /)
    const ended = await converse(port, 'ge', () => true)
    ended.socket.end('t')
    for (let i = 0; i < 1000 && !ended.closed(); i++) await sleep(5)
    t.match(ended.seen(), /^HTTP\/1\.1 400 /)
    const long = await converse(port, `get /${'a'.repeat(20_000)}`, () => false)
    t.match(long.seen(), /^HTTP\/1\.1 4\d\d /)
  },
)
