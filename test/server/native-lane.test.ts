import { EventEmitter, once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { Services } from '../../src/core/services.ts'
import { empty, html, json, Reply, redirect, text } from '../../src/http/reply.ts'
import type { Request } from '../../src/http/request.ts'
import { serve } from '../support/application.ts'
import { dial, raw } from '../support/raw.ts'

const get = (path: string, fields = ''): string =>
  `GET ${path} HTTP/1.1\r\nHost: x.test\r\n${fields}\r\n`
t.test('a synchronous view is answered with length, date and the security fields', async (t) => {
  const { port } = await serve(t, () => html('<p>안녕</p>'))
  const { responses } = await raw(port, get('/'))
  const [first] = responses
  t.match(first, {
    status: 200,
    reason: 'OK',
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-length': '13',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'SAMEORIGIN',
      'referrer-policy': 'strict-origin-when-cross-origin',
      date: /GMT$/,
    },
  })
  t.equal(first?.body.toString(), '<p>안녕</p>')
  t.notOk(first?.headers['uwebsockets'], 'the mark of the engine is off')
})

t.test('HEAD has the fields of GET and no body, and the connection goes on', async (t) => {
  const { port } = await serve(t, () => text('hello'))
  const request = `HEAD / HTTP/1.1\r\nHost: x\r\n\r\n${get('/')}`
  const { responses } = await raw(port, request, { expect: 2, methods: ['HEAD', 'GET'] })
  const [head, body] = responses
  t.equal(head?.headers['content-length'], '5')
  t.same({ ...head?.headers, date: '' }, { ...body?.headers, date: '' })
})

t.test('204 and 304 carry no length, 303 has length 0', async (t) => {
  const replies: Record<string, () => Reply> = {
    '/204': () => empty(),
    '/304': () => new Reply(304, null, null),
    '/303': () => redirect('/elsewhere?한=1'),
  }
  const { port } = await serve(t, (req) => replies[req.path]?.() ?? text('?'))
  const { responses } = await raw(port, get('/204') + get('/304') + get('/303'), { expect: 3 })
  t.same(
    responses.map(({ status }) => status),
    [204, 304, 303],
  )
  t.same(
    responses.map(({ headers }) => headers['content-length']),
    [undefined, undefined, '0'],
  )
  t.equal(responses[2]?.headers['location'], '/elsewhere?%ED%95%9C=1')
})

t.test('a view reads the same fields before and after it waits', async (t) => {
  const read = (req: Request): unknown => [
    req.header('X-One'),
    req.header('x-two'),
    req.header('absent'),
    req.cookie('b'),
    req.remoteAddress,
  ]
  const { port } = await serve(t, async (req) => {
    const before = req.path === '/both' ? read(req) : null
    await sleep(5)
    return json({ before, after: read(req) })
  })
  const fields = 'X-One: 1\r\nX-Two: a\r\nX-Two: b\r\nCookie: a=1; b=2\r\n'
  const expected = ['1', 'a, b', null, '2', '127.0.0.1']
  for (const path of ['/both', '/after']) {
    const { responses } = await raw(port, get(path, fields))
    const value = JSON.parse(responses[0]?.body.toString() ?? '')
    t.same(value.after, expected)
    if (path === '/both') t.same(value.before, expected)
  }
})

t.test(
  'fields that were not read before the reply are gone after it, with a clear error',
  async (t) => {
    let later: Promise<unknown> = Promise.resolve()
    const { port } = await serve(t, (req) => {
      if (req.path === '/read') req.header('x')
      later = sleep(20).then(() => [req.header('x-a'), req.remoteAddress])
      return text('ok')
    })
    await raw(port, get('/unread', 'X-A: 1\r\n'))
    await t.rejects(later, {
      code: 'UWAS_ERR_SERVER_REQUEST_OVER',
      message: /read them before the view returns$/,
    })
    await raw(port, get('/read', 'X-A: 1\r\n'))
    await t.rejects(later, { code: 'UWAS_ERR_SERVER_REQUEST_OVER' }, 'the address was not read')
  },
)

t.test(
  'the address of who has gone is known where it was read, or something was sent',
  async (t) => {
    const seen: string[] = []
    const steps = new EventEmitter()
    const { port } = await serve(t, async (req) => {
      if (req.path === '/read') seen.push(req.remoteAddress)
      if (req.method === 'POST') await req.text()
      const gone = once(req.signal, 'abort')
      steps.emit('waiting')
      await gone
      seen.push(req.remoteAddress)
      steps.emit('gone')
      return text('nobody hears it')
    })
    const post = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello'
    for (const request of [get('/'), get('/read'), post]) {
      const [waiting, gone] = [once(steps, 'waiting'), once(steps, 'gone')]
      const socket = await dial(port)
      socket.write(request)
      await waiting
      socket.destroy()
      await gone
    }
    t.same(seen, ['', '127.0.0.1', '127.0.0.1', '127.0.0.1'])
  },
)

t.test('an exception of the dispatcher costs the connection, not the process', async (t) => {
  const { port, log } = await serve(t, (req) => {
    if (req.path === '/broken') throw new Error('planted in the dispatcher')
    return text('alive')
  })
  const { closed, bytes: sent } = await raw(port, get('/broken'), { untilClosed: true })
  t.ok(closed)
  t.equal(sent.length, 0)
  t.match(log[0], 'planted in the dispatcher')
  t.equal((await raw(port, get('/'))).responses[0]?.body.toString(), 'alive')
})

t.test('a field set by the reply takes the place of the default one', async (t) => {
  const { port } = await serve(t, () =>
    text('x').header('X-Frame-Options', 'DENY').cookie('a', '1').cookie('b', '한'),
  )
  const { bytes: sent } = await raw(port, get('/'))
  const head = sent.toString('latin1')
  t.equal(head.match(/X-Frame-Options/gi)?.length, 1)
  t.match(head, 'X-Frame-Options: DENY\r\n')
  t.match(
    head,
    'Set-Cookie: a=1; Path=/; HttpOnly; SameSite=Lax\r\nSet-Cookie: b=%ED%95%9C; Path=/',
  )
})

t.test('what leaves framing in doubt is refused and closes; nothing behind it runs', async (t) => {
  const seen: string[] = []
  const { port } = await serve(
    t,
    (req) => {
      seen.push(req.path)
      return text('ok')
    },
    { lane: 'native' },
  )
  const canary = get('/canary')
  const cases: [name: string, request: string, status: number][] = [
    ['chunked', `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 411],
    ['unknown coding', `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n`, 411],
    [
      'two lengths',
      `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na`,
      400,
    ],
    [
      'two equal lengths',
      `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na`,
      400,
    ],
    ['empty length', `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \r\n\r\n`, 400],
    ['no Host', `GET / HTTP/1.1\r\nA: b\r\n\r\n`, 400],
    ['two Hosts', `GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n`, 400],
    [
      'empty length first',
      `GET / HTTP/1.1\r\nHost: x\r\nContent-Length:\r\nContent-Length: 5\r\n\r\n`,
      400,
    ],
    ['empty transfer coding', `GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\r\n\r\n`, 411],
    ['space in a name', `GET / HTTP/1.1\r\nHost: x\r\na b: 1\r\n\r\n`, 400],
    ['Host with a path', `GET / HTTP/1.1\r\nHost: x/y\r\n\r\n`, 400],
    ['Host with a user', `GET / HTTP/1.1\r\nHost: a@b\r\n\r\n`, 400],
    ['bad percent-encoding', get('/%zz'), 400],
    ['bytes that are not UTF-8', get('/%ff'), 400],
    ['NUL in the path', get('/a%00b'), 400],
    ['unknown method', `BREW / HTTP/1.1\r\nHost: x\r\n\r\n`, 501],
    ['method in lower case', `get / HTTP/1.1\r\nHost: x\r\n\r\n`, 501],
  ]
  for (const [name, request, status] of cases) {
    const alone = await raw(port, request, { untilClosed: true, timeoutMs: 2000 })
    t.same(
      alone.responses.map((response) => response.status),
      [status],
      name,
    )
    t.ok(alone.closed, `${name}: closed`)
    const followed = await raw(port, request + canary, { untilClosed: true, timeoutMs: 2000 })
    t.notOk(
      followed.responses.some((response) => response.status === 200),
      `${name}: the canary is not answered`,
    )
    t.ok(followed.closed, `${name}: closed with bytes behind it`)
  }
  t.same(seen, [], 'no view has seen any of it')
})

t.test('Connection: close is honoured anywhere in its list', async (t) => {
  const { port } = await serve(t, () => text('ok'))
  for (const value of ['close', 'keep-alive, Close', 'te , close']) {
    const { closed, responses } = await raw(port, get('/', `Connection: ${value}\r\n`), {
      untilClosed: true,
      timeoutMs: 2000,
    })
    t.ok(closed, value)
    t.equal(responses[0]?.headers['connection'], 'close')
  }
})

t.test('closing lets begun replies end and refuses new connections', async (t) => {
  const server = await serve(t, async () => {
    await sleep(150)
    return text('finished')
  })
  const pending = raw(server.port, get('/'), { untilClosed: true })
  await sleep(50)
  const cut = await server.close({ graceMs: 5000 })
  const { responses } = await pending
  t.equal(cut, 0)
  t.equal(responses[0]?.body.toString(), 'finished')
  t.equal(responses[0]?.headers['connection'], 'close')
  await t.rejects(dial(server.port), { code: 'ECONNREFUSED' })
})

t.test('a refused HEAD closes, and what follows in another segment is not a request', async (t) => {
  const seen: string[] = []
  const { port } = await serve(t, (req) => {
    seen.push(req.path)
    return text('ok')
  })
  const heads = ['Transfer-Encoding: chunked', 'Transfer-Encoding: x', 'Transfer-Encoding:']
  for (const field of heads) {
    const socket = await dial(port)
    let answer = ''
    socket.on('data', (chunk) => {
      answer += chunk
    })
    socket.on('error', () => {})
    const closed = new Promise((resolve) => socket.once('close', resolve))
    // The first request of a connection decides its lane.
    socket.write(get('/first'))
    await sleep(30)
    answer = ''
    socket.write(`HEAD / HTTP/1.1\r\nHost: x\r\n${field}\r\n\r\n`)
    await sleep(30)
    socket.write('5\r\nhello\r\n0\r\nX-GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n')
    await closed
    t.match(answer, /^HTTP\/1\.1 4\d\d [\s\S]*Connection: close\r\n[\s\S]*\r\n\r\n$/, field)
  }
  t.same(seen, ['/first', '/first', '/first'])
})

t.test('a reply without a body closes when the client asks for it in a list', async (t) => {
  const { port } = await serve(t, (req) => (req.path === '/204' ? empty() : text('hello')))
  for (const [method, path] of [
    ['HEAD', '/'],
    ['GET', '/204'],
  ] as const) {
    const request = `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: TE, close\r\n\r\n`
    const {
      closed,
      responses,
      bytes: sent,
    } = await raw(port, request, { untilClosed: true, methods: [method], timeoutMs: 3000 })
    t.ok(closed, path)
    t.match(responses[0]?.headers, { connection: 'close', date: /GMT$/ })
    t.equal(sent.toString().match(/content-length/gi)?.length ?? 0, method === 'HEAD' ? 1 : 0)
  }
})

t.test('205 has no content', async (t) => {
  const { port } = await serve(t, () => text('form', { status: 205 }))
  const { responses } = await raw(port, get('/'))
  t.equal(responses[0]?.headers['content-length'], '0')
})

t.test('a port that is taken is an error that says what to do', async (t) => {
  const { port } = await serve(t, () => text('first'))
  const { listen } = await import('../../src/server/server.ts')
  const application = { sockets: null, services: new Services() } as Parameters<typeof listen>[0]
  await t.rejects(listen(application, { host: '127.0.0.1', port, headers: [] }), {
    code: 'UWAS_ERR_SERVER_LISTEN',
    message: `cannot listen on 127.0.0.1:${port}: another program listens there; stop it, or choose another port with --port`,
  })
})
