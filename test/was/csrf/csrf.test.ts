import t from 'tap'
import { json, text } from '../../../src/http/reply.ts'
import type { Request } from '../../../src/http/request.ts'
import { compileUrls } from '../../../src/route/compile.ts'
import { include, path, urlconf } from '../../../src/route/urlconf.ts'
import type { UserConfig } from '../../../src/was/config.ts'
import { csrfToken } from '../../../src/was/csrf/csrf.ts'
import { csrfGuardOf } from '../../../src/was/csrf/guard.ts'
import { mount } from '../../../src/was/mount.ts'
import { render } from '../../../src/was/render.ts'
import { session } from '../../../src/was/session/open.ts'
import { multipart } from '../../../src/was/upload/multipart.ts'
import { temporaryFolder, writeTree } from '../../support/catalogue.ts'
import { requestOf } from '../../support/request.ts'
import { type Answer, site } from '../../support/site.ts'

const taken = async (req: Request) =>
  text(`taken ${[...(await req.form())].map(([name]) => name).join()}`)
const unread = () => text('done')

const urls = urlconf(
  path('/', () => text('the same for all')),
  path('/form', (req) => render(req, 'form', {})),
  path('/token', (req) => text(csrfToken(req))),
  path('/signed', async (req) => {
    await session(req)
    return text(csrfToken(req))
  }),
  path('/post', { post: taken, put: taken, delete: unread, patch: unread }),
  path('/like', unread, { methods: ['GET', 'POST'] }),
  path('/upload', async (req) => json((await multipart(req)).fields.get('a')), {
    methods: ['POST'],
  }),
  path('/json', async (req) => json(await req.json()), { methods: ['POST'] }),
  path('/public', unread, { methods: ['POST'], csrf: 'fetchMetadata' }),
  include('/hooks', urlconf(path('/pay', unread, { methods: ['POST'], csrf: false }))),
  mount('/app', async (request) => new Response(await request.text())),
  path('/cart', async (req) => {
    ;(await session(req)).set('cart' as never, 1 as never)
    return text(csrfToken(req))
  }),
  path('/sign-in', async (req) => {
    ;(await session(req)).rotate({ userId: req.query.get('user') ?? '' })
    return text(csrfToken(req))
  }),
)

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const WHY = 'the form cannot be taken, since nothing proves that it comes from a page of this site'

async function start(t: Parameters<typeof temporaryFolder>[0], more: UserConfig = {}) {
  const root = await writeTree(temporaryFolder(t), {
    'templates/form.mustache':
      '<form method="post" action="/post">{{csrfField}}<input name="a"></form>',
  })
  const config = {
    urls,
    templates: 'templates',
    sessions: { store: 'cookie' as const },
    trustedProxies: ['loopback'],
  }
  const own = await site(t, { ...config, ...more }, { hasDatabase: false, root })
  /** A page's answer as what its next request sends. */
  const cookiesOf = (...pages: Answer[]) =>
    Object.entries(Object.assign({}, ...pages.map(({ set }) => set)))
      .map(([name, value]) => `${name}=${value}`)
      .join('; ')
  const post = (
    body: string,
    cookie: string,
    headers: Record<string, string> = {},
    where = '/post',
  ) => own.ask('POST', where, { ...FORM, accept: 'application/json', cookie, ...headers }, body)
  return { ...own, cookiesOf, post }
}

t.test('a form with the token of its page is taken, and others are not', async (t) => {
  const { ask, post, cookiesOf } = await start(t)
  const page = await ask('GET', '/form')
  const [, token = ''] = /name="csrfToken" value="([\w-]{86})"/.exec(page.text) ?? []
  t.match(page.setCookies[0], /^csrf=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/)
  t.equal(page.headers.get('cache-control'), 'private, no-cache')
  t.match(page.headers.get('vary'), /\bCookie\b/)
  const cookie = cookiesOf(page)
  t.equal((await post(`csrfToken=${token}&a=1`, cookie)).text, 'taken csrfToken,a')
  const refused = async (body: string, cookies = cookie) => {
    const { status, text } = await post(body, cookies)
    t.equal(status, 403, body)
    return text
  }
  t.match(
    await refused('a=1'),
    `${WHY}; load its page anew and send it again (its token is missing: put {{csrfField}}`,
  )
  const wrong = 'its token is of another session, or was changed'
  t.match(await refused(`csrfToken=${token}`, ''), wrong, 'another client')
  t.match(await refused(`csrfToken=${token}`, `csrf=${'A'.repeat(43)}`), wrong)
  t.match(
    await refused(`csrfToken=${token}`, `${cookie}; ${cookie}x`),
    wrong,
    'a cookie beside ours',
  )
  t.match(await refused(`csrfToken=${token.slice(0, -1)}`), wrong, 'cut off')
  t.match(await refused(`csrfToken=${token}A`), wrong)
  t.match(await refused('csrfToken='), wrong)
  const flipped = (token[50] === 'A' ? 'B' : 'A') + token.slice(51)
  t.match(await refused(`csrfToken=${token.slice(0, 50)}${flipped}`), wrong)
  t.match(await refused(`csrfToken=x&csrfToken=${token}`), wrong, 'the first of two counts')
})

t.test('a token is another text each time, and a script sends it in a field', async (t) => {
  const { ask, post, cookiesOf } = await start(t)
  const first = await ask('GET', '/token')
  const second = await ask('GET', '/token', { cookie: cookiesOf(first) })
  t.not(first.text, second.text)
  t.strictSame(second.setCookies, [], 'the cookie is there already')
  const both = [first.text, second.text]
  for (const token of both) {
    const sent = { 'x-csrf-token': token }
    t.equal((await post('a=1', cookiesOf(first), sent)).text, 'taken a')
    t.equal((await ask('DELETE', '/post', { ...sent, cookie: cookiesOf(first) })).text, 'done')
  }
})

t.test('over TLS its cookie belongs to this host alone', async (t) => {
  const { ask } = await start(t)
  const { setCookies } = await ask('GET', '/token', { 'x-forwarded-proto': 'https' })
  t.match(setCookies[0], /^__Host-csrf=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
})

t.test('the token of one user is worth nothing for another, nor after signing in', async (t) => {
  const { ask, post, cookiesOf } = await start(t)
  const before = await ask('GET', '/token')
  const anna = await ask('GET', '/sign-in?user=anna')
  const eve = await ask('GET', '/sign-in?user=eve')
  const sent = async (page: Answer, cookie: string) =>
    (await post(`csrfToken=${page.text}`, cookie)).status
  t.equal(await sent(anna, cookiesOf(anna)), 200, 'made in the reply that began the session')
  const later = await ask('GET', '/signed', { cookie: cookiesOf(anna) })
  t.equal(await sent(later, cookiesOf(anna)), 200)
  t.equal(await sent(await ask('GET', '/token', { cookie: cookiesOf(anna) }), cookiesOf(anna)), 200)
  t.equal(await sent(eve, cookiesOf(anna)), 403, "eve's token in anna's browser")
  t.equal(await sent(before, cookiesOf(before, anna)), 403, 'a token from before she signed in')
  t.equal(await sent(eve, `${cookiesOf(anna)}; ${cookiesOf(before)}`), 403)
})

t.test('a session that nobody has signed in to keeps the tokens from before it', async (t) => {
  const { ask, post, cookiesOf } = await start(t)
  const before = await ask('GET', '/token')
  const cart = await ask('GET', '/cart', { cookie: cookiesOf(before) })
  const cookie = cookiesOf(before, cart)
  t.equal((await post(`csrfToken=${before.text}`, cookie)).status, 200)
  t.equal((await post(`csrfToken=${cart.text}`, cookie)).status, 200)
})

t.test('what a browser says of another origin counts against any token', async (t) => {
  const { client, ask, post, cookiesOf } = await start(t, {
    csrf: { trustedOrigins: ['https://admin.example.org'] },
  })
  const page = await ask('GET', '/token')
  const sent = async (headers: Record<string, string>) => {
    const { status, text } = await post(`csrfToken=${page.text}`, cookiesOf(page), headers)
    return status === 200 ? 'taken' : /\((.*)\)/.exec(text)?.[1]
  }
  t.equal(await sent({ 'sec-fetch-site': 'same-origin', origin: 'null' }), 'taken')
  t.equal(await sent({ 'sec-fetch-site': 'none' }), 'taken')
  t.equal(await sent({ origin: client.url }), 'taken')
  t.equal(await sent({ origin: client.url.replace('http:', 'https:') }), 'taken')
  t.match(
    await sent({ origin: client.url, 'x-forwarded-proto': 'https' }),
    /^it comes from the origin http:/,
    'http cannot speak for https',
  )
  t.match(
    await sent({ 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }),
    'the browser says that it comes from a page of https://evil.example (Sec-Fetch-Site: cross-site)',
  )
  t.match(await sent({ 'sec-fetch-site': 'same-site' }), 'Sec-Fetch-Site: same-site')
  t.match(await sent({ 'sec-fetch-site': 'same-origin, cross-site' }), 'Sec-Fetch-Site')
  t.match(await sent({ origin: 'null' }), 'it comes from the origin null, and this is http://127')
  t.match(await sent({ origin: 'http://127.0.0.1' }), 'it comes from the origin http://127.0.0.1,')
  t.equal(
    await sent({ 'sec-fetch-site': 'cross-site', origin: 'https://admin.example.org' }),
    'taken',
    'an origin that is trusted',
  )
})

t.test(
  'every type that a form of another site can have is checked, however it is written',
  async (t) => {
    const { ask } = await start(t)
    const status = async (type: string | undefined, method = 'POST', where = '/like') => {
      const headers = type === undefined ? {} : { 'content-type': type }
      return (await ask(method, where, headers, type === undefined ? undefined : 'a=1')).status
    }
    for (const type of [
      undefined,
      'application/x-www-form-urlencoded',
      'APPLICATION/X-WWW-FORM-URLENCODED; charset=utf-8',
      'multipart/form-data; boundary=x',
      'text/plain',
      'text/plain; application/json',
      'text/plain, application/json',
      'application/json, text/plain',
      'nonsense',
      ';',
    ]) {
      t.equal(await status(type), 403, type ?? 'none')
    }
    t.equal(await status('application/json'), 200, 'the browser asks before it sends this')
    t.equal(await status(undefined, 'DELETE', '/post'), 403)
    t.equal(await status('text/plain', 'PATCH', '/post'), 403)
    t.equal(await status(undefined, 'GET'), 200)
  },
)

t.test(
  'what no form can send is refused where the browser says that a stranger sends it',
  async (t) => {
    const { ask, client } = await start(t, {
      cors: [{ prefix: '/like', origins: ['https://app.example'], headers: ['content-type'] }],
      csrf: { trustedOrigins: ['https://admin.example.org'] },
    })
    const sent = (headers: Record<string, string>, where = '/json') =>
      ask(
        'POST',
        where,
        { 'content-type': 'application/json', accept: 'application/json', ...headers },
        '{}',
      )
    const evil = 'https://evil.example'
    for (const headers of [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'cross-site', origin: evil },
      { origin: evil },
      { origin: 'null' },
      { origin: 'https://app.example', 'sec-fetch-site': 'cross-site' },
    ] as Record<string, string>[]) {
      const { status, text } = await sent(headers)
      t.equal(status, 403, JSON.stringify(headers))
      t.match(text, /name its origin in cors, or in csrf\.trustedOrigins/)
    }
    for (const headers of [
      {},
      { origin: client.url },
      { 'sec-fetch-site': 'same-origin', origin: client.url },
      { 'sec-fetch-site': 'same-site', origin: 'https://other.example.org' },
      { 'sec-fetch-site': 'none' },
      { 'sec-fetch-site': 'cross-site', origin: 'https://admin.example.org' },
    ] as Record<string, string>[]) {
      t.equal((await sent(headers)).status, 200, JSON.stringify(headers))
    }
    const app = { origin: 'https://app.example', 'sec-fetch-site': 'cross-site' }
    t.equal((await sent(app, '/like')).status, 200, 'an origin that CORS lets in')
    t.equal((await sent({ ...app, origin: evil }, '/like')).status, 403)
    t.equal((await sent({ origin: evil }, '/hooks/pay')).status, 200, 'where nothing is checked')
  },
)

t.test('everybody is let in where CORS says so', async (t) => {
  const { ask } = await start(t, { cors: [{ origins: '*' }] })
  const headers = { 'content-type': 'application/json', origin: 'https://evil.example' }
  t.equal((await ask('POST', '/json', headers, '{}')).status, 200)
})

t.test('a form of a program that brings a token, and no cookie, needs no proof', async (t) => {
  const { ask } = await start(t)
  const sent = async (headers: Record<string, string>, where = '/post') =>
    (await ask('POST', where, { ...FORM, ...headers }, 'a=1')).status
  const bearer = { authorization: 'Bearer uwas_x' }
  t.equal(await sent(bearer), 200)
  t.equal(await sent({ authorization: 'bearer uwas_x' }), 200, 'in any case')
  t.equal(await sent(bearer, '/public'), 200)
  t.equal(
    await sent({ ...bearer, cookie: 'theme=dark' }),
    403,
    'a cookie may be what the view goes by',
  )
  t.equal(await sent({ authorization: 'Basic YTpi' }), 403, 'a browser sends this by itself')
  t.equal(await sent({ authorization: 'Bearers x' }), 403)
  t.equal(await sent({}), 403)
})

t.test('a form with files is taken by the word of its browser, or with the field', async (t) => {
  const { ask, cookiesOf, client } = await start(t)
  const page = await ask('GET', '/token')
  const body = '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n'
  const sent = (headers: Record<string, string>, where = '/upload') =>
    ask('POST', where, { 'content-type': 'multipart/form-data; boundary=x', ...headers }, body)
  t.equal((await sent({ 'sec-fetch-site': 'same-origin' })).text, '"1"')
  t.equal((await sent({ origin: client.url })).text, '"1"')
  t.equal((await sent({ 'x-csrf-token': page.text, cookie: cookiesOf(page) })).text, '"1"')
  const silent = await sent({ accept: 'application/json' })
  t.equal(silent.status, 403)
  t.match(silent.text, 'it has neither Sec-Fetch-Site nor Origin nor X-CSRF-Token')
  t.equal((await sent({ origin: 'https://evil.example' }, '/like')).status, 403)
  t.equal((await sent({}, '/like')).status, 403, 'a view that reads no body')
})

t.test('a route says for itself what it asks for', async (t) => {
  const { post, ask } = await start(t)
  t.equal((await post('', '', {}, '/hooks/pay')).text, 'done')
  t.equal((await post('', '', { origin: 'https://evil.example' }, '/hooks/pay')).text, 'done')
  t.equal((await post('', '', { 'sec-fetch-site': 'same-origin' }, '/public')).text, 'done')
  const silent = await post('', '', {}, '/public')
  t.match([silent.status, silent.text], [403, /neither Sec-Fetch-Site nor Origin says/])
  const page = await ask('GET', '/')
  t.strictSame([page.headers.get('cache-control'), page.setCookies], [null, []])
  t.equal((await post('a=1', '', { 'sec-fetch-site': 'same-origin' }, '/app/x')).text, 'a=1')
  t.equal((await post('a=1', '', {}, '/app/x')).status, 403, 'a mounted application')
})

t.test('while secrets change, tokens of the old one are still taken', async (t) => {
  const [old, young] = ['o'.repeat(32), 'y'.repeat(32)]
  const before = await start(t, { secrets: [old] })
  const between = await start(t, { secrets: [young, old] })
  const after = await start(t, { secrets: [young] })
  const page = await before.ask('GET', '/token')
  const cookie = before.cookiesOf(page)
  t.equal((await between.post(`csrfToken=${page.text}`, cookie)).status, 200)
  t.equal((await after.post(`csrfToken=${page.text}`, cookie)).status, 403)
})

t.test('by fetch metadata alone no secrets are needed, and pages stay public', async (t) => {
  const root = temporaryFolder(t)
  const plain = await site(
    t,
    { urls, secrets: [], csrf: { mode: 'fetchMetadata' } },
    { hasDatabase: false, root },
  )
  const page = await plain.ask('GET', '/token')
  t.strictSame([page.text, page.headers.get('cache-control')], ['', null])
  const from = (value: string) => plain.ask('POST', '/like', { 'sec-fetch-site': value })
  t.strictSame([(await from('same-origin')).status, (await from('cross-site')).status], [200, 403])
  t.equal((await plain.client.post('/like')).status, 200)
})

t.test('the test client sends what a page would, unless it is told not to', async (t) => {
  const { client } = await start(t)
  t.equal((await client.post('/post', { form: { a: '1' } })).text, 'taken a')
  await client.get('/sign-in?user=anna')
  t.equal((await client.post('/post', { form: { a: '1' } })).text, 'taken a')
  t.equal((await client.post('/post', { form: { a: '1' }, csrf: false })).status, 403)
})

t.test('a site that checks nothing says so of a route that wants to', async (t) => {
  await t.rejects(site(t, { urls, csrf: false }, { hasDatabase: false }), {
    code: 'UWAS_ERR_CORE_INVALID_OPTION',
    message: /csrf is "fetchMetadata", but the site checks no forms; set csrf or sessions/,
  })
  t.throws(() => path('/', unread, { csrf: true as never }), {
    code: 'UWAS_ERR_CORE_INVALID_OPTION',
    message: /csrf is true; it has to be "token", "fetchMetadata" or false/,
  })
})

t.test('a stranger is told that a form was refused, not why', async (t) => {
  const [route] = compileUrls(urlconf(path('/x', unread, { methods: ['POST'] }))).routes
  if (route === undefined) throw new Error('no route')
  const site = { mode: 'token', trustedOrigins: [], isTold: false } as const
  const guard = csrfGuardOf(route, unread, site)
  const req = requestOf('POST', '/x', { headers: { origin: 'https://evil.example' } })
  t.throws(() => guard?.(req, unread), {
    code: 'UWAS_ERR_WAS_CSRF',
    status: 403,
    message:
      'the form cannot be taken, since nothing proves that it comes from a page of this site; load its page anew and send it again',
  })
  const [read] = compileUrls(urlconf(path('/x', unread))).routes
  t.equal(
    read && csrfGuardOf(read, unread, site),
    null,
    'a view that only reads has none before it',
  )
})
