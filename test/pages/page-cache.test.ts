import { setTimeout as sleep } from 'node:timers/promises'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import t from 'tap'
import { cache } from '../../src/cache/cache.ts'
import { HttpError } from '../../src/http/http-error.ts'
import { bytes, html, text } from '../../src/http/reply.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'
import { cached, PAGE } from '../support/cached.ts'
import { raw } from '../support/raw.ts'
import { siteOf } from '../support/serving.ts'

t.test('a page is made once and sent many times, with tag, age and conditions', async (t) => {
  const { ask, calls } = await cached(t, {}, (_req, call) =>
    html(`page ${call}`, { headers: { Link: '</a.css>; rel=preload' } }),
  )
  const first = await ask('/a')
  t.equal(first.headers['cache-status'], 'uwas; fwd=miss; stored')
  const second = await ask('/a')
  t.equal(second.body.toString(), 'page 1')
  t.equal(second.status, 200)
  t.match(second.headers, {
    'cache-status': 'uwas; hit',
    'cache-control': 'no-cache',
    'content-type': 'text/html; charset=utf-8',
    'content-length': '6',
    age: /^\d$/,
    link: '</a.css>; rel=preload',
    'x-content-type-options': 'nosniff',
  })
  const { etag = '' } = second.headers
  t.match(etag, /^"[0-9a-f]{32}"$/)
  t.equal(first.headers['etag'], etag, 'whom it was made for has the same')
  const known = await ask('/a', [`If-None-Match: ${etag}`])
  t.equal(known.status, 304)
  t.match(known.headers, { etag, 'cache-status': 'uwas; hit' })
  t.equal(known.headers['link'], undefined)
  t.equal((await ask('/a', ['If-Match: "other"'])).status, 412)
  t.equal((await ask('/a', ['Range: bytes=0-3'])).body.toString(), 'page')
  const head = await ask('/a', [], 'HEAD')
  t.strictSame(
    [head.status, head.headers['content-length'], head.headers['etag']],
    [200, '6', etag],
  )
  t.equal(calls(), 1)
  t.equal((await ask('/b')).body.toString(), 'page 2', 'another path is another page')
})

t.test(
  'conditions and ranges that do not fit a page that is being made are pages, too',
  async (t) => {
    const { ask, calls } = await cached(t, {}, async (_req, call) => {
      await sleep(50)
      return text(`page ${call}`)
    })
    const beyond = ['Range: bytes=9999-']
    const all = await Promise.all([
      ask('/a', ['If-Match: "nope"']),
      ask('/a', beyond),
      ask('/a'),
      ask('/b', beyond),
    ])
    t.same(
      all.map(({ status }) => status),
      [412, 416, 200, 416],
    )
    t.equal(all[1]?.headers['content-range'], 'bytes */6')
    t.equal(calls(), 2)
    t.equal((await ask('/b')).body.toString().slice(0, 4), 'page', 'and the page is kept')
  },
)

t.test('HEAD before GET makes the page of GET', async (t) => {
  const { ask, calls } = await cached(t, {}, (req) => text(req.method === 'HEAD' ? '' : 'whole'))
  t.equal((await ask('/', [], 'HEAD')).headers['content-length'], '5')
  t.equal((await ask('/')).body.toString(), 'whole')
  t.equal(calls(), 1)
})

t.test('conditions of the first client do not shape the page', async (t) => {
  const { ask } = await cached(t, {}, (req) =>
    text(`${req.header('if-none-match')}${req.header('range')}`),
  )
  const first = await ask('/', ['If-None-Match: *'])
  t.equal(first.status, 304)
  t.equal((await ask('/', ['Range: bytes=0-1'])).status, 206)
  t.equal((await ask('/')).body.toString(), 'undefinedundefined')
})

t.test('a page is continued by its tag, never by a date of its view', async (t) => {
  const date = 'Fri, 02 Jan 2026 03:04:05 GMT'
  const { ask } = await cached(t, {}, (_req, call) =>
    bytes(Buffer.from(`png ${call}`), 'image/png', { headers: { 'Last-Modified': date } }),
  )
  const { headers } = await ask('/a')
  t.equal(headers['last-modified'], date)
  const part = ['Range: bytes=0-1']
  t.equal((await ask('/a', [...part, `If-Range: ${headers['etag']}`])).status, 206)
  t.equal((await ask('/a', [...part, `If-Range: ${date}`])).status, 200)
})

t.test('each client gets the coding that it takes', async (t) => {
  const { ask, calls } = await cached(t, {}, () => html(PAGE))
  const first = await ask('/', ['Accept-Encoding: br'])
  t.equal(first.headers['content-encoding'], 'br')
  t.equal(brotliDecompressSync(first.body).toString(), PAGE)
  const again = await ask('/', ['Accept-Encoding: br'])
  t.strictSame(again.body, first.body)
  t.equal(again.headers['etag'], first.headers['etag'])
  t.match(again.headers['vary'], 'Accept-Encoding')
  t.equal((await ask('/')).body.toString(), PAGE)
  let gzip = await ask('/', ['Accept-Encoding: gzip'])
  for (let i = 0; i < 100 && gzip.headers['content-encoding'] === undefined; i++) {
    await sleep(20)
    gzip = await ask('/', ['Accept-Encoding: gzip'])
  }
  t.equal(gunzipSync(gzip.body).toString(), PAGE)
  t.not(gzip.headers['etag'], first.headers['etag'])
  for (let i = 0; i < 110; i++) await ask('/', ['Accept-Encoding: br'])
  let best = await ask('/', ['Accept-Encoding: br'])
  for (let i = 0; i < 200 && best.body.length === first.body.length; i++) {
    await sleep(20)
    best = await ask('/', ['Accept-Encoding: br'])
  }
  t.ok(best.body.length < first.body.length, 'a page that is asked for often is compressed better')
  t.equal(brotliDecompressSync(best.body).toString(), PAGE)
  t.equal(calls(), 1)
})

t.test('parameters: those that are named count, in any order; others go to the view', async (t) => {
  const { ask, calls } = await cached(t, { vary: { query: ['a', 'b'] } }, (req, call) =>
    text(`${call}:${req.search}`),
  )
  t.equal((await ask('/?a=1&b=2')).body.toString(), '1:a=1&b=2')
  t.equal((await ask('/?b=2&a=1')).body.toString(), '1:a=1&b=2')
  t.equal((await ask('/?%61=1&b=%32')).body.toString(), '1:a=1&b=2')
  t.equal((await ask('/?b=2&a=2')).body.toString(), '2:a=2&b=2')
  t.equal((await ask('/?a=1&a=2')).body.toString(), '3:a=1&a=2')
  t.equal((await ask('/?a=2&a=1')).body.toString(), '4:a=2&a=1')
  const other = await ask('/?a=1&utm=x')
  t.equal(other.body.toString(), '5:a=1&utm=x')
  t.match(other.headers['cache-status'], 'uwas; fwd=bypass')
  t.equal((await ask('/?a=1&utm=x')).body.toString(), '6:a=1&utm=x')
  t.equal(calls(), 6)
})

t.test('a thousand clients on a cold page make one', async (t) => {
  const { server, calls } = await cached(t, {}, async () => {
    await sleep(50)
    return html(PAGE)
  })
  const request = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
  const all = await Promise.all(
    Array.from({ length: 1000 }, () => raw(server.port, request, { timeoutMs: 20_000 })),
  )
  t.ok(all.every(({ responses: [one] }) => one?.status === 200 && one.body.toString() === PAGE))
  t.equal(calls(), 1)
})

t.test('a view that fails is asked once for all who wait, and again by the next', async (t) => {
  const { ask, calls } = await cached(t, {}, async (_req, call) => {
    await sleep(50)
    if (call === 1) throw new HttpError(503)
    return text('there')
  })
  const all = await Promise.all(Array.from({ length: 20 }, () => ask('/')))
  t.ok(all.every(({ status }) => status === 503))
  t.equal(calls(), 1)
  t.equal((await ask('/')).body.toString(), 'there')
})

t.test('a page ends with its tags, those of the values it was made from included', async (t) => {
  const { ask, calls } = await cached(t, { tags: ['all'] }, async (req) => {
    req.dependsOn('post:7')
    const value = await cache(req).remember('k', { tags: ['value'] }, () => 'x')
    return text(value)
  })
  for (const [i, tag] of ['all', 'post:7', 'value'].entries()) {
    await ask('/')
    await ask('/')
    t.equal(calls(), i + 1)
    await ask(`/invalidate/${tag}`)
  }
  await ask('/')
  await ask('/invalidate/other')
  await ask('/')
  t.equal(calls(), 4)
})

t.test('who asks after an invalidation never gets what was made before', async (t) => {
  let row = 'old'
  const { ask, calls, app } = await cached(t, { tags: ['row'] }, async () => {
    const read = row
    await sleep(60)
    return text(read)
  })
  const before = ask('/')
  await sleep(20)
  row = 'new'
  cache(app).invalidate('row')
  const after = await Promise.all([ask('/'), ask('/')])
  t.strictSame(
    after.map(({ body }) => body.toString()),
    ['new', 'new'],
  )
  t.equal((await before).body.toString(), 'old')
  t.equal((await ask('/')).body.toString(), 'new')
  t.equal(calls(), 2)
})

t.test('an old page is sent while one request makes the next', async (t) => {
  const { ask, calls } = await cached(t, { seconds: 0.1, staleSeconds: 60 }, async (_req, call) => {
    if (call > 1) await sleep(100)
    return text(`page ${call}`)
  })
  t.equal((await ask('/')).body.toString(), 'page 1')
  await sleep(110)
  const stale = await Promise.all(Array.from({ length: 10 }, () => ask('/')))
  t.ok(stale.every(({ body }) => body.toString() === 'page 1'))
  let next = stale[0]
  for (let i = 0; i < 200 && next?.body.toString() === 'page 1'; i++) {
    await sleep(10)
    next = await ask('/')
  }
  t.equal(next?.body.toString(), 'page 2')
  t.ok(calls() >= 2)
})

t.test('within its grace an old page stands in for a view that fails', async (t) => {
  const { ask, calls, log } = await cached(t, { seconds: 0.05, graceSeconds: 60 }, (_req, call) => {
    if (call > 1) throw new HttpError(503, 'the database is away')
    return text('page')
  })
  await ask('/')
  await sleep(60)
  for (let i = 0; i < 3; i++) t.equal((await ask('/')).body.toString(), 'page')
  t.equal(calls(), 2, 'the view is left alone for a while')
  t.ok(log.some((line) => line.includes('the old page is sent, making it anew gave 503')))
  await ask('/invalidate/x')
})

t.test('a page that is gone is not sent from an old one', async (t) => {
  const options = { seconds: 0.05, staleSeconds: 60, graceSeconds: 60 }
  const { ask } = await cached(t, options, (_req, call) => {
    if (call > 1) throw new HttpError(404)
    return text('page')
  })
  await ask('/')
  await sleep(60)
  t.equal((await ask('/')).status, 200, 'whoever comes first gets the old one')
  await sleep(20)
  t.equal((await ask('/')).status, 404)
})

t.test('new code of the site begins with no pages, and old code puts none in', async (t) => {
  const urlsOf = (words: string, wait = 0) =>
    urlconf(
      path(
        '/',
        async () => {
          await sleep(wait)
          return text(words)
        },
        { cached: { seconds: 60 } },
      ),
    )
  const { ask, reload } = await siteOf(t, { urls: urlsOf('old', 80) })
  const slow = ask('/')
  await sleep(20)
  await reload({ urls: urlsOf('new') })
  t.equal((await slow).body.toString(), 'old')
  t.equal((await ask('/')).body.toString(), 'new')
  await reload({ urls: urlsOf('newer') })
  t.equal((await ask('/')).body.toString(), 'newer')
})

t.test('a client that goes away does not take the page along', async (t) => {
  const { ask, server, calls } = await cached(t, {}, async (req) => {
    await sleep(80)
    if (req.isAborted) throw new Error('aborted')
    return text('whole')
  })
  const gone = raw(server.port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', { timeoutMs: 20 })
  await sleep(10)
  t.equal((await ask('/')).body.toString(), 'whole')
  await gone
  t.equal(calls(), 1)
})

t.test('the strict lane sends the same pages', async (t) => {
  const { server, ask, calls } = await cached(t, {}, () => text('page'))
  await ask('/')
  const old = await raw(server.port, 'GET / HTTP/1.0\r\nHost: x\r\n\r\n')
  t.match(old.responses[0]?.headers, { 'cache-status': 'uwas; hit' })
  t.equal(calls(), 1)
})

t.test('CORS fields are added for who asks, and are not a part of the page', async (t) => {
  const config = { cors: [{ origins: ['https://a.example', 'https://b.example'] }] }
  const { ask, calls } = await cached(t, {}, () => text('page'), config)
  for (const origin of ['https://a.example', 'https://b.example']) {
    const reply = await ask('/', [`Origin: ${origin}`])
    t.equal(reply.headers['access-control-allow-origin'], origin)
    t.match(reply.headers['vary'], 'Origin')
  }
  t.equal((await ask('/')).headers['access-control-allow-origin'], undefined)
  t.equal(calls(), 1)
})

t.test('other methods of a cached route go to their views', async (t) => {
  let calls = 0
  const both = () => text(String(++calls))
  const { ask } = await siteOf(t, {
    urls: urlconf(path('/', both, { methods: ['GET', 'POST'], cached: { seconds: 60 } })),
  })
  t.equal((await ask('/')).body.toString(), '1')
  t.equal((await ask('/', ['Content-Length: 0'], 'POST')).body.toString(), '2')
  t.equal((await ask('/')).body.toString(), '1')
})

t.test('the type and the Vary of a page are those that its view has set', async (t) => {
  const { ask } = await cached(t, { vary: { headers: ['x-a', 'x-b'] } }, () =>
    html('<a/>', { headers: { 'Content-Type': 'application/xhtml+xml', Vary: 'X-A' } }).append(
      'Vary',
      'x-b',
    ),
  )
  for (let i = 0; i < 2; i++) {
    const { headers } = await ask('/')
    t.equal(headers['content-type'], 'application/xhtml+xml')
    t.equal(headers['vary'], 'X-A, x-b')
  }
})

t.test('a reply that a view gives to everybody is left as it is', async (t) => {
  const shared = text('the same object')
  const { ask } = await cached(t, {}, () => shared)
  await ask('/?other=1')
  await ask('/')
  await ask('/')
  t.equal(shared.headers, null)
})

t.test('a page may be made of many rows', async (t) => {
  const { ask, calls } = await cached(t, {}, (req) => {
    req.dependsOn(...Array.from({ length: 200 }, (_, i) => `row:${i}`))
    return text('rows')
  })
  await ask('/')
  await ask('/invalidate/row:199')
  await ask('/')
  t.equal(calls(), 2)
})
