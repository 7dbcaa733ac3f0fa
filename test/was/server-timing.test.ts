import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Trace } from '../../src/core/trace.ts'
import { json, text } from '../../src/http/reply.ts'
import { pg } from '../../src/index.ts'
import { statement } from '../../src/model/statement.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'
import { cacheControl } from '../../src/was/caching.ts'
import { render } from '../../src/was/render.ts'
import { timingsOf } from '../../src/was/server-timing.ts'
import { temporaryFolder } from '../support/catalogue.ts'
import { siteOf } from '../support/serving.ts'
import { site } from '../support/site.ts'

const TOKEN = 'sixteen-characters-and-more'
const two = statement('timing: two', { row: { n: pg.int }, sql: 'select 2 as n', repeats: true })
const fails = statement('timing: fails', { row: { n: pg.int }, sql: 'select 1 / (select 0) as n' })

function urls() {
  return urlconf(
    path('/', () => text('x')),
    path('/data', async (req) => {
      const { n } = await two.one(req)
      await two.one(req)
      return render(req, 'page', { n })
    }),
    path('/public', () => cacheControl(json({}), { scope: 'public', maxAgeSeconds: 60 })),
    path('/fails', async (req) => json(await fails.one(req))),
    path('/kept', () => text('kept'), { cached: { seconds: 60 } }),
  )
}

t.test('a client that is named sees statements and templates, another one nothing', async (t) => {
  const root = temporaryFolder(t)
  mkdirSync(join(root, 'templates'))
  writeFileSync(join(root, 'templates/page.mustache'), '<p>{{n}}</p>')
  const options = { clients: ['192.0.2.0/24'], token: TOKEN }
  const { ask } = await site(
    t,
    { urls: urls(), templates: 'templates', serverTiming: options },
    { root },
  )
  const told = await ask('GET', '/data', { 'x-server-timing': TOKEN })
  const field = told.headers.get('server-timing') ?? ''
  t.match(field, /(?:^|, )route;dur=\d+\.\d\d;desc="\/data"/)
  t.match(field, /, sql\.timing-two;dur=\d+\.\d\d;desc="timing: two, 2 times"/)
  t.match(field, /, tpl\.page;dur=\d+\.\d\d;desc="page"/)
  t.match(field, /, view;dur=\d+\.\d\d;desc="\/data"/)
  t.match(field, /, total;dur=\d+\.\d\d$/)
  const msOf = (name: string) =>
    Number(new RegExp(`(?:^|, )${name};dur=([\\d.]+)`).exec(field)?.[1])
  t.ok(msOf('view') >= msOf('sql\\.timing-two'), 'the view holds its statements')
  t.ok(msOf('total') >= msOf('view'))
  for (const headers of [{}, { 'x-server-timing': `${TOKEN}x` }, { 'x-server-timing': '' }]) {
    t.equal((await ask('GET', '/data', headers)).headers.get('server-timing'), null)
  }
  const failed = await ask('GET', '/fails', { 'x-server-timing': TOKEN })
  t.equal(failed.status, 500)
  t.match(failed.headers.get('server-timing'), /sql\.timing-fails;dur=/)
})

t.test('a client is known by its address, behind trusted proxies too', async (t) => {
  const near = await siteOf(t, {
    urls: urls(),
    database: false,
    serverTiming: { clients: ['loopback'] },
  })
  t.match((await near.ask('/')).headers['server-timing'], /total;dur=/)
  const far = await siteOf(t, {
    urls: urls(),
    database: false,
    trustedProxies: ['loopback'],
    serverTiming: { clients: ['192.0.2.0/24'] },
  })
  t.equal((await far.ask('/')).headers['server-timing'], undefined)
  t.equal(
    (await far.ask('/', ['X-Forwarded-For: 198.51.100.1'])).headers['server-timing'],
    undefined,
  )
  t.match(
    (await far.ask('/', ['X-Forwarded-For: 192.0.2.7'])).headers['server-timing'],
    /total;dur=/,
  )
})

t.test('no cache gives the times to somebody else, and none keeps them', async (t) => {
  const { ask } = await siteOf(t, { urls: urls(), database: false, serverTiming: { token: TOKEN } })
  const shown = [`X-Server-Timing: ${TOKEN}`]
  t.equal((await ask('/public', shown)).headers['cache-control'], 'private, no-cache')
  t.equal((await ask('/public')).headers['cache-control'], 'public, max-age=60')
  await ask('/kept', shown)
  t.equal((await ask('/kept')).headers['server-timing'], undefined)
})

t.test('names are tokens, texts are quoted, and the field stays short', async (t) => {
  const trace = new Trace(0)
  trace.add('model', 1, 'all "notes"\\ of Ä', 3.456)
  t.equal(
    timingsOf(trace, 10),
    'sql.all-notes-of-;dur=2.46;desc="all \\"notes\\"\\\\ of ?", total;dur=10.00',
  )
  for (let i = 0; i < 500; i++) trace.add('model', 0, `statement ${i} ${'x'.repeat(500)}`, 1)
  const field = timingsOf(trace, 10)
  t.equal(field.split(', sql.').length, 40)
  t.match(field, /, more;dur=461\.00;desc="461 times", total;dur=10\.00$/)
  t.ok(field.length < 16_000)
})

t.test('what cannot be a client or a token is told at start', async (t) => {
  const wrong = (serverTiming: object) => siteOf(t, { urls: urls(), serverTiming })
  await t.rejects(wrong({ clients: ['10.0.0.0/99'] }), {
    code: 'UWAS_ERR_WAS_CONFIG',
    message: /serverTiming\.clients\[0\] is not a network/,
  })
  await t.rejects(wrong({ token: 'short' }), { message: /serverTiming\.token is no token/ })
  await t.rejects(wrong({ client: [] }), {
    message: /unknown key "serverTiming\.client"; did you mean "clients"\?/,
  })
})
