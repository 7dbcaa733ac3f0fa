import t, { type Test } from 'tap'
import { bytes, html, type Reply, stream, text } from '../../src/http/reply.ts'
import type { Request } from '../../src/http/request.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'
import { cacheControl } from '../../src/was/caching.ts'
import type { UserConfig } from '../../src/was/config.ts'
import { type Site, site } from '../support/site.ts'

const PAGE = `<p>${'a page of words '.repeat(100)}`
let page = PAGE

async function* pieces() {
  yield PAGE
}

const kept = html(PAGE, { headers: { 'X-Own': '1' } })
const view = (make: (req: Request<unknown>) => Reply) => (req: Request<unknown>) => make(req)
const urls = urlconf(
  path('/page', async () => html(page)),
  path(
    '/bytes',
    view(() => bytes(Buffer.from(PAGE), 'text/html; charset=utf-8')),
  ),
  path(
    '/kept',
    view(() => kept),
  ),
  path(
    '/cookie',
    view((req) => html(`${PAGE}${req.cookie('a') ?? ''}`)),
  ),
  path(
    '/told',
    view(() => cacheControl(html(PAGE), { scope: 'public', maxAgeSeconds: 60 })),
  ),
  path('/form', { get: () => html(PAGE), post: () => html(PAGE) }),
  path(
    '/short',
    view(() => text('x'.repeat(1023))),
  ),
  path(
    '/just',
    view(() => text('x'.repeat(1024))),
  ),
  path(
    '/stream',
    view(() => stream(pieces(), 'text/html')),
  ),
  path(
    '/sets',
    view(() => html(PAGE).cookie('a', 'b')),
  ),
  path(
    '/secret',
    view(() => cacheControl(html(PAGE), { scope: 'no-store' })),
  ),
  path(
    '/own',
    view(() => html(PAGE, { headers: { ETag: '"mine"' } })),
  ),
  path(
    '/dated',
    view(() => html(PAGE, { headers: { 'Last-Modified': 'Mon, 06 Nov 2023 10:00:00 GMT' } })),
  ),
  path(
    '/made',
    view(() => html(PAGE, { status: 201 })),
  ),
)

const start = (t: Test, config: UserConfig = {}): Promise<Site> =>
  site(t, { urls, etags: true, ...config }, { hasDatabase: false })

t.test('a page has a weak tag, and who has it gets 304 with what caches need', async (t) => {
  const { ask } = await start(t)
  const first = await ask('GET', '/page', { 'accept-encoding': 'identity' })
  const etag = first.headers.get('etag') ?? ''
  t.match(etag, /^W\/"[\w-]{22}"$/)
  t.equal(first.text, PAGE)
  const asked = { 'accept-encoding': 'identity', 'if-none-match': `"other", ${etag}` }
  for (const method of ['GET', 'HEAD']) {
    const again = await ask(method, '/page', asked)
    t.equal(again.status, 304)
    t.equal(again.text, '')
    t.equal(again.headers.get('etag'), etag)
    t.equal(again.headers.get('vary'), first.headers.get('vary'))
    t.equal(again.headers.get('content-type'), null)
    t.equal(again.headers.get('content-encoding'), null)
    t.equal(again.headers.get('x-content-type-options'), 'nosniff')
  }
  t.equal((await ask('HEAD', '/page', { 'accept-encoding': 'identity' })).headers.get('etag'), etag)
  t.equal((await ask('GET', '/bytes', asked)).status, 304, 'the same content as bytes')
  page = `${PAGE}!`
  const changed = await ask('GET', '/page', asked)
  page = PAGE
  t.equal(changed.status, 200)
  t.not(changed.headers.get('etag'), etag)
  t.equal(changed.text, `${PAGE}!`)

  const told = await ask('GET', '/told', asked)
  t.equal(told.status, 304)
  t.equal(told.headers.get('cache-control'), 'public, max-age=60')
  const personal = await ask('GET', '/cookie', { ...asked, cookie: 'a=' })
  t.equal(personal.status, 304)
  t.equal(personal.headers.get('cache-control'), 'private')
  t.match(personal.headers.get('vary'), 'Cookie')
})

t.test('each coding has a tag of its own', async (t) => {
  const { ask } = await start(t)
  const tags = new Set<string>()
  for (const coding of ['identity', 'gzip', 'br']) {
    const first = await ask('GET', '/page', { 'accept-encoding': coding })
    const etag = first.headers.get('etag') ?? ''
    t.equal(first.headers.get('content-encoding'), coding === 'identity' ? null : coding)
    t.match(etag, coding === 'identity' ? /^W\/"[\w-]{22}"$/ : new RegExp(`-${coding}"$`))
    tags.add(etag)
    const asked = { 'accept-encoding': coding, 'if-none-match': etag }
    const again = await ask('GET', '/page', asked)
    t.equal(again.status, 304)
    t.equal(again.headers.get('vary'), 'Accept-Encoding')
  }
  t.equal(tags.size, 3)
  const plain = await start(t, { compression: false })
  const reply = await plain.ask('GET', '/page', { 'accept-encoding': 'gzip' })
  t.match(reply.headers.get('etag'), /^W\/"[\w-]{22}"$/)
  t.equal(reply.headers.get('vary'), null)
})

t.test('one reply object for everybody is not changed by its tag', async (t) => {
  const { ask } = await start(t)
  for (let i = 0; i < 3; i++) {
    t.match((await ask('GET', '/kept')).headers.get('etag'), /^W\/"[\w-]+"$/, 'one tag')
  }
  t.strictSame(kept.headers, [['X-Own', '1']])
})

t.test('If-Match never names a weak tag: 412', async (t) => {
  const { ask } = await start(t)
  const etag = (await ask('GET', '/page')).headers.get('etag') ?? ''
  for (const value of [etag, etag.slice(2), '"other"']) {
    const failed = await ask('GET', '/page', { 'if-match': value })
    t.equal(failed.status, 412)
    t.equal(failed.headers.get('etag'), null)
    t.match(failed.text, '412 Precondition Failed')
  }
  t.equal((await ask('GET', '/page', { 'if-match': '*' })).status, 200)
  t.equal((await ask('GET', '/page', { 'if-none-match': '*' })).status, 304)
})

t.test('what must not have a tag has none', async (t) => {
  const { ask } = await start(t)
  const cases = ['short', 'stream', 'sets', 'secret', 'own', 'dated', 'made', 'nowhere']
  for (const name of cases) {
    const reply = await ask('GET', `/${name}`, {
      'accept-encoding': 'identity',
      'if-none-match': '*',
    })
    t.not(reply.status, 304, name)
    t.equal(reply.headers.get('etag'), name === 'own' ? '"mine"' : null, name)
  }
  t.ok((await ask('GET', '/just')).headers.get('etag'))
  t.equal((await ask('POST', '/form', { 'if-none-match': '*' })).headers.get('etag'), null)
  t.ok((await ask('GET', '/form')).headers.get('etag'))

  const off = await start(t, { etags: false })
  t.equal((await off.ask('GET', '/page')).headers.get('etag'), null)
})
