import t from 'tap'
import { redirect, text } from '../../src/http/reply.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'
import { flash, messages } from '../../src/was/flash.ts'
import { render } from '../../src/was/render.ts'
import { temporaryFolder, writeTree } from '../support/catalogue.ts'
import { type Answer, site } from '../support/site.ts'

const urls = urlconf(
  path('/', () => text('the same for all')),
  path('/do', (req) => {
    for (const kind of req.query.getAll('kind')) flash(req, kind, `${kind}: <done>`)
    return redirect('/show')
  }),
  path('/show', (req) => render(req, 'show', {})),
  path('/list', (req) =>
    text(
      messages(req)
        .map(({ kind }) => kind)
        .join(),
    ),
  ),
  path('/at-once', (req) => {
    flash(req, 'now', 'x')
    return text(
      messages(req)
        .map(({ kind }) => kind)
        .join(),
    )
  }),
  path('/fail', (req) => {
    flash(req, 'never', 'x')
    throw new Error('no')
  }),
  path('/long', (req) => {
    try {
      flash(req, 'long', 'é'.repeat(255))
    } catch (error) {
      const { code, message } = error as { code: string; message: string }
      return text(`${code} ${message}`)
    }
    return text('kept')
  }),
)

async function start(t: Parameters<typeof temporaryFolder>[0]) {
  const root = await writeTree(temporaryFolder(t), {
    'templates/show.mustache':
      '{{#messages}}<p class="{{kind}}">{{text}}</p>{{/messages}}{{^messages}}none{{/messages}}',
  })
  return site(
    t,
    { urls, templates: 'templates', trustedProxies: ['loopback'] },
    { hasDatabase: false, root },
  )
}

const cookieOf = (...pages: Answer[]) =>
  pages
    .flatMap(({ set }) => Object.entries(set))
    .map(([name, value]) => `${name}=${value}`)
    .join('; ')

t.test('messages are kept over a redirect, shown once in their order, and gone', async (t) => {
  const { client } = await start(t)
  const page = await client.follow(await client.get('/do?kind=success&kind=error'))
  t.equal(
    page.text,
    '<p class="success">success: &lt;done&gt;</p><p class="error">error: &lt;done&gt;</p>',
  )
  t.equal(page.headers.get('cache-control'), 'private, no-cache')
  t.equal((await client.get('/show')).text, 'none')
  t.equal((await client.get('/at-once')).text, 'now')
  t.equal((await client.get('/list')).text, '')
})

t.test('who has none gets no cookie, and needs no session', async (t) => {
  const { ask } = await start(t)
  t.strictSame((await ask('GET', '/')).headers.get('cache-control'), null)
  t.strictSame((await ask('GET', '/show')).setCookies, [])
  const kept = await ask('GET', '/do?kind=a', { 'x-forwarded-proto': 'https' })
  t.match(
    kept.setCookies[0],
    /^__Host-flash-\w+=[\w-]+; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
  )
  t.notMatch(cookieOf(kept), Buffer.from('done').toString('base64url').slice(0, 4))
})

t.test('two replies at once lose none of their messages', async (t) => {
  const { ask } = await start(t)
  const both = await Promise.all([ask('GET', '/do?kind=a'), ask('GET', '/do?kind=b')])
  const shown = await ask('GET', '/list', { cookie: cookieOf(...both) })
  t.strictSame(shown.text.split(',').sort(), ['a', 'b'])
  t.equal(shown.setCookies.length, 2)
  t.ok(shown.setCookies.every((field) => /^flash-\w+=; Max-Age=0; /.test(field)))
})

t.test('what is none of ours is taken away unseen, and a failed view keeps nothing', async (t) => {
  const { ask } = await start(t)
  const kept = await ask('GET', '/do?kind=a')
  const forged = cookieOf(kept).replace('=', '=x')
  const page = await ask('GET', '/list', { cookie: `${forged}; flash-zz=x` })
  t.equal(page.text, '')
  t.equal(page.setCookies.length, 2)
  t.strictSame((await ask('GET', '/fail')).setCookies, [])
})

t.test('messages that nobody shows do not pile up, and none is too long', async (t) => {
  const { ask } = await start(t)
  const kinds = Array.from({ length: 12 }, (_, i) => `kind=k${i}`).join('&')
  const many = await ask('GET', `/do?${kinds}`)
  t.equal(many.setCookies.length, 8)
  const more = await ask('GET', '/do?kind=new', { cookie: cookieOf(many) })
  t.match(more.setCookies[0], /^flash-\w+=; Max-Age=0/, 'the oldest makes room')
  const shown = await ask('GET', '/list', { cookie: cookieOf(many) })
  t.equal(shown.text, 'k4,k5,k6,k7,k8,k9,k10,k11')
  t.equal(
    (await ask('GET', '/long')).text,
    'UWAS_ERR_WAS_FLASH a message of 514 bytes cannot be kept for the next page; 512 are the most',
  )
})

t.test('a cookie whose name nobody could set is left alone, and fails no page', async (t) => {
  const { ask } = await start(t)
  const kept = cookieOf(await ask('GET', '/do?kind=a'))
  for (const name of ['flash-a b', 'flash-(', 'flash-"x"']) {
    const page = await ask('GET', '/list', { cookie: `${name}=x; ${kept}` })
    t.equal(page.status, 200, name)
    t.equal(page.text, 'a')
    t.equal(page.setCookies.length, 1)
  }
})
