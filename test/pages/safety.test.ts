import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { HttpError } from '../../src/http/http-error.ts'
import { html, type Reply, redirect, stream, text } from '../../src/http/reply.ts'
import type { Request } from '../../src/http/request.ts'
import { host } from '../../src/route/host.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'
import { vary } from '../../src/was/caching.ts'
import type { UserConfig } from '../../src/was/config-types.ts'
import { currentRequest } from '../../src/was/context.ts'
import { csrfField } from '../../src/was/csrf/csrf.ts'
import { session } from '../../src/was/session/open.ts'
import { cached, PAGE } from '../support/cached.ts'
import { raw } from '../support/raw.ts'
import { siteOf } from '../support/serving.ts'

t.test('a page that must not be compressed is not', async (t) => {
  const { ask } = await cached(t, {}, (req) => {
    const reply = html(PAGE)
    if (req.path === '/secret') reply.compress = false
    else reply.header('Cache-Control', 'public, max-age=5, no-transform')
    return reply
  })
  for (const target of ['/secret', '/secret', '/transform', '/transform']) {
    const reply = await ask(target, ['Accept-Encoding: br, gzip'])
    t.equal(reply.headers['content-encoding'], undefined)
    t.equal(reply.body.toString(), PAGE)
  }
  t.match((await ask('/transform')).headers['cache-control'], 'public, max-age=5')
})

t.test('parameters that are ignored do not exist for the view', async (t) => {
  const options = { vary: { query: ['a'] }, otherQuery: 'ignore' } as const
  const { ask } = await cached(t, options, (req, call) =>
    text(`${call}:${req.search}:${req.query.get('utm')}`),
  )
  t.equal((await ask('/?utm=evil&a=1')).body.toString(), '1:a=1:null')
  t.equal((await ask('/?a=1&utm=other')).body.toString(), '1:a=1:null')
  t.equal((await ask('/?utm=x')).body.toString(), '2::null')
  t.equal((await ask('/')).body.toString(), '2::null')
})

t.test('hosts, fields, languages and cookies that are named have pages of their own', async (t) => {
  const options = {
    vary: { headers: ['X-Kind'], languages: ['en', 'ko'], cookies: ['theme'] },
  }
  const { ask, calls } = await cached(t, options, (req, call) =>
    text(
      [
        call,
        req.header('host'),
        req.header('x-kind'),
        req.header('accept-language'),
        req.cookie('theme'),
      ].join(),
    ),
  )
  const bodyOf = async (...fields: string[]) => (await ask('/', fields)).body.toString()
  t.equal(await bodyOf(), '1,x,,en,')
  t.equal(await bodyOf('Host: y'), '2,y,,en,')
  t.equal(await bodyOf('X-Kind: a'), '3,x,a,en,')
  t.equal(await bodyOf('Accept-Language: ko-KR, en;q=0.5'), '4,x,,ko,')
  t.equal(await bodyOf('Accept-Language: ko'), '4,x,,ko,')
  t.equal(await bodyOf('Accept-Language: de'), '1,x,,en,')
  t.equal(await bodyOf('Cookie: theme=dark; other=1'), '5,x,,en,dark')
  t.equal(await bodyOf('Cookie: more=2; theme=dark'), '5,x,,en,dark')
  t.equal(await bodyOf('Cookie: theme=a%0Ab'), '6,x,,en,a\nb')
  t.match((await ask('/')).headers['vary'], /^X-Kind, Accept-Language, Cookie/)
  t.equal(calls(), 6)
})

t.test('Authorization goes to the view, and what it gets is nobody else’s', async (t) => {
  const { ask } = await cached(t, {}, (req, call) => text(`${call}:${req.header('authorization')}`))
  t.equal((await ask('/', ['Authorization: Basic a'])).body.toString(), '1:Basic a')
  t.equal((await ask('/')).body.toString(), '2:undefined')
  t.equal((await ask('/')).body.toString(), '2:undefined')
  const own = await ask('/', ['Authorization: Basic b'])
  t.equal(own.body.toString(), '3:Basic b')
  t.match(own.headers, { 'cache-control': 'private', vary: /Authorization/ })
})

const personal: [what: string, view: (req: Request) => Reply | Promise<Reply>, told: string][] = [
  ['a cookie', (req) => text(req.cookie('sid') ?? ''), 'it was made from the cookie sid'],
  ['all cookies', (req) => text(req.header('cookie') ?? ''), 'it was made from all cookies'],
  ['the client', (req) => text(req.client.address), 'it was made from the address of the client'],
  ['an address', (req) => text(req.remoteAddress), 'it was made from the address of the client'],
  ['all fields', (req) => text(String(req.headers)), 'it was made from all fields'],
  ['a field', (req) => text(req.header('x-forwarded-host') ?? ''), 'the field x-forwarded-host'],
  [
    'a session',
    (req) => {
      req.markPersonal('session')
      return text('')
    },
    'it was made from the session',
  ],
  [
    'what somebody calls a cookie’s',
    (req) => {
      req.markPersonal('cookie')
      return text('')
    },
    'it was made from the cookie',
  ],
  [
    'a nonce',
    (req) => {
      req.markPersonal('nonce')
      return text('')
    },
    'it was made from the nonce',
  ],
  ['a cookie that it sets', () => text('').cookie('a', 'b'), 'it sets a cookie'],
  [
    'what it calls private',
    () => text('', { headers: { 'Cache-Control': 'private' } }),
    'its Cache-Control is private',
  ],
  [
    'what nobody may store',
    () => text('', { headers: { 'Cache-Control': 'no-store' } }),
    'its Cache-Control is no-store',
  ],
  [
    'what it calls private in a second field',
    () =>
      text('', { headers: { 'Cache-Control': 'max-age=5' } }).append('Cache-Control', 'private'),
    'its Cache-Control is max-age=5, private',
  ],
  [
    'CORS fields of its own',
    () => text('', { headers: { 'Access-Control-Allow-Origin': '*' } }),
    'it has CORS fields of its own',
  ],
  ['Vary', () => vary(text(''), 'User-Agent'), 'it varies with User-Agent'],
  ['Vary: *', () => vary(text(''), '*'), 'it varies with *'],
  [
    'a stream',
    () =>
      stream(
        (async function* () {
          yield 'a'
        })(),
        'text/plain',
      ),
    'it is a stream',
  ],
  [
    'the current request',
    async () => {
      await sleep(1)
      return text(currentRequest().cookie('sid') ?? '')
    },
    'it was made from the cookie sid',
  ],
]

t.test('a page that is made from what belongs to somebody is never kept', async (t) => {
  for (const [what, view, told] of personal) {
    const config = { requestContext: true }
    const { ask, calls, log, backends } = await cached(t, {}, view, config)
    for (let i = 0; i < 3; i++) {
      const reply = await ask('/', [`Cookie: sid=${i}`, `X-Forwarded-Host: h${i}`])
      t.equal(reply.headers['cache-status'], 'uwas; fwd=miss', what)
    }
    t.equal(calls(), 3)
    t.equal(backends.pages.count, 0)
    const lines = log.filter((line) => line.includes('is not cached'))
    t.equal(lines.length, 1, 'told once')
    t.match(lines[0], told)
    t.match(lines[0], 'GET / is not cached: ')
  }
})

t.test('two users who ask at once never see each other’s page', async (t) => {
  const { ask } = await cached(t, {}, async (req) => {
    await sleep(5)
    return text(`for ${req.cookie('sid')}`)
  })
  for (let round = 0; round < 3; round++) {
    const all = Array.from({ length: 50 }, (_, i) => ask('/', [`Cookie: sid=${i}`]))
    for (const [i, reply] of (await Promise.all(all)).entries()) {
      t.equal(reply.body.toString(), `for ${i}`)
      t.match(reply.headers, { 'cache-control': 'private', vary: /Cookie/ })
    }
  }
})

t.test(
  'with bypassCookies, who has none of them shares pages, and all others have their own',
  async (t) => {
    const { ask, calls } = await cached(t, { bypassCookies: ['sid'] }, async (req) => {
      req.markPersonal('session')
      await sleep(2)
      return text(`for ${req.cookie('sid') ?? 'everybody'}`)
    })
    t.equal((await ask('/', ['Cookie: sid=a'])).body.toString(), 'for a')
    t.equal((await ask('/')).body.toString(), 'for everybody')
    t.equal((await ask('/', ['Cookie: other=1'])).body.toString(), 'for everybody')
    t.equal(calls(), 2)
    const own = await ask('/', ['Cookie: other=1', 'Cookie: sid=b'])
    t.equal(own.body.toString(), 'for b')
    t.equal((await ask('/', ['Cookie: sid=c', 'If-None-Match: *'])).status, 200)
    t.equal((await ask('/')).body.toString(), 'for everybody')
  },
)

t.test('errors, redirects and empty replies are not kept', async (t) => {
  const { ask, calls, backends } = await cached(t, {}, (req) => {
    if (req.path === '/404') throw new HttpError(404)
    if (req.path === '/500') throw new Error('broken')
    if (req.path === '/moved') return redirect('/')
    return text('teapot', { status: 418 })
  })
  for (const [target, status] of [
    ['/404', 404],
    ['/500', 500],
    ['/moved', 303],
    ['/tea', 418],
  ] as const) {
    for (let i = 0; i < 2; i++) t.equal((await ask(target)).status, status)
  }
  t.equal(calls(), 8)
  t.equal(backends.pages.count, 0)
})

t.test('endless URLs leave memory bounded, and the pages that are in use', async (t) => {
  const config = { cache: { maxBytes: 300_000 } }
  const { ask, server, backends, calls } = await cached(t, {}, () => text('x'.repeat(2000)), config)
  for (let i = 0; i < 10; i++) await ask('/hot')
  for (let i = 0; i < 20; i++) {
    const paths = Array.from({ length: 50 }, (_, j) => `/cold${i}-${j}`)
    const requests = paths.map((each) => `GET ${each} HTTP/1.1\r\nHost: h${i}\r\n\r\n`)
    for (const each of requests) await raw(server.port, each)
    await ask('/hot')
    t.ok(backends.values.budget.bytes <= 300_000)
  }
  t.ok(backends.pages.count < 100)
  t.equal(calls(), 1001, 'the page in use was made once')
  backends.pages.forgetAll()
  t.equal(backends.values.budget.bytes, 0)
})

t.test(
  'sessions: who has none shares pages, who has one never gets or makes a shared one',
  async (t) => {
    const config: UserConfig = { secrets: ['s'.repeat(40)], sessions: { store: 'cookie' } }
    const options = { bypassCookies: ['session'] }
    const { ask, calls } = await cached(
      t,
      options,
      async (req) => {
        const own = await session(req)
        if (req.path === '/login') own.set('name', 'Ada')
        return text(`for ${String(own.get('name') ?? 'everybody')}`)
      },
      config,
    )
    t.equal((await ask('/')).body.toString(), 'for everybody')
    t.equal((await ask('/')).headers['cache-status'], 'uwas; hit')
    const login = await ask('/login')
    t.match(login.headers, { 'cache-status': 'uwas; fwd=miss', 'cache-control': /private/ })
    const [cookie = ''] = (login.headers['set-cookie'] ?? '').split(';')
    t.match(cookie, /^session=/)
    const own = await ask('/', [`Cookie: ${cookie}`])
    t.equal(own.body.toString(), 'for Ada')
    t.match(own.headers, { 'cache-control': 'private', vary: 'Cookie' })
    t.match((await ask('/', ['Cookie: __Host-session=x'])).headers['cache-status'], 'bypass')
    const again = await ask('/login')
    t.ok(again.headers['set-cookie'], 'each gets a session of its own')
    t.not(again.headers['set-cookie'], login.headers['set-cookie'])
    t.equal((await ask('/')).body.toString(), 'for everybody')
    t.equal(calls(), 5)
  },
)

t.test(
  'a page with the proof for its forms is never kept, and each client gets its cookie',
  async (t) => {
    const config: UserConfig = { secrets: ['s'.repeat(40)], csrf: { mode: 'token' } }
    const { ask, calls } = await cached(t, {}, (req) => html(csrfField(req).toString()), config)
    const [one, other] = [await ask('/'), await ask('/')]
    t.match(one.headers['set-cookie'], /^csrf=[^,]*$/, 'once')
    t.match(other.headers['set-cookie'], /^csrf=/)
    t.not(one.headers['set-cookie'], other.headers['set-cookie'])
    t.equal(calls(), 2)
  },
)

t.test('behind a trusted proxy the host and scheme that it tells choose the page', async (t) => {
  const config: UserConfig = { trustedProxies: ['loopback'] }
  const { ask, calls } = await cached(
    t,
    {},
    (req) => text(`${req.client.scheme}://${req.client.host}`),
    config,
  )
  for (let i = 0; i < 2; i++) {
    for (const [host, scheme] of [
      ['a.example', 'https'],
      ['a.example', 'http'],
      ['b.example', 'https'],
    ]) {
      const fields = [
        'X-Forwarded-For: 192.0.2.1',
        `X-Forwarded-Host: ${host}`,
        `X-Forwarded-Proto: ${scheme}`,
      ]
      t.equal((await ask('/', fields)).body.toString(), `${scheme}://${host}`)
    }
  }
  t.equal(calls(), 3)
})

t.test('hosts of the URL conf have pages of their own', async (t) => {
  const page = (words: string) => path('/', () => text(words), { cached: { seconds: 60 } })
  const urls = urlconf(host('a.example', urlconf(page('a'))), host('b.example', urlconf(page('b'))))
  const { ask } = await siteOf(t, { urls })
  for (let i = 0; i < 2; i++) {
    for (const name of ['a', 'b']) {
      t.equal((await ask('/', [`Host: ${name}.example`])).body.toString(), name)
    }
  }
})

t.test('what is not kept since it was chosen by a field varies with that field', async (t) => {
  const { ask } = await cached(t, {}, (req) =>
    req.path === '/kind'
      ? text(req.accepts('html', 'json') ?? 'neither')
      : text(req.acceptsLanguages('en', 'ko') ?? 'neither', { status: 404 }),
  )
  for (const [target, field, value] of [
    ['/kind', 'Accept', 'application/json'],
    ['/language', 'Accept-Language', 'ko'],
  ] as const) {
    for (let i = 0; i < 2; i++) {
      t.equal((await ask(target, [`${field}: ${value}`])).headers['vary'], field)
      t.equal((await ask(target)).headers['vary'], field)
    }
  }
})

t.test('behind a trusted proxy a page that is made from Host itself is not kept', async (t) => {
  const config: UserConfig = { trustedProxies: ['loopback'] }
  const { ask } = await cached(t, {}, (req) => text(`${req.header('host')}`), config)
  const askAs = async (host: string) =>
    (await ask('/', [`Host: ${host}`, 'X-Forwarded-Host: site.example'])).body.toString()
  t.equal(await askAs('evil.example'), 'evil.example')
  t.equal(await askAs('site.example'), 'site.example')
  t.equal(await askAs('evil.example'), 'evil.example')
})
