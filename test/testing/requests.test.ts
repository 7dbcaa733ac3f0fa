import t, { type Test } from 'tap'
import { redirect, stream, text } from '../../src/http/reply.ts'
import type { Request } from '../../src/http/request.ts'
import { DATABASE } from '../../src/model/database.ts'
import { statement } from '../../src/model/statement.ts'
import * as pg from '../../src/model/types.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'
import { createTestClient } from '../../src/testing/test-client.ts'
import { render } from '../../src/was/render.ts'
import { temporaryFolder, writeTree } from '../support/catalogue.ts'
import { testDatabaseUrl } from '../support/postgres.ts'

const echo = statement('echo', {
  params: { n: pg.int },
  row: { n: pg.int },
  sql: 'select $1::int4 n',
})
const other = statement('other', { row: { n: pg.int }, sql: 'select 2 as n' })
const tell = async (req: Request<unknown>) =>
  text(`${req.method} ${req.path}?${req.search} ${await req.text()} ${req.cookie('seen') ?? '-'}`)
const all = { methods: ['GET', 'POST', 'PUT'] } as const

/** Opened by a test when as many requests wait as it has sent. */
let waiting: (() => void)[] = []
const meet = (count: number) =>
  new Promise<void>((resolve) => {
    waiting.push(resolve)
    if (waiting.length < count) return
    for (const go of waiting) go()
    waiting = []
  })

const urls = urlconf(
  path('/tell', tell, all),
  path('/see/<int:status>', (req) => seeOther(req, '/tell?x=1').cookie('seen', 'yes'), all),
  path('/chain/<int:n>', (req) =>
    redirect(req.params.n === 0 ? '/tell' : `/chain/${req.params.n - 1}`),
  ),
  path('/round', () => redirect('/round')),
  path('/away', () => redirect('https://example.org/', { external: true })),
  path('/made', () => new Response('', { status: 201, headers: { location: '/tell' } }), all),
  path(
    '/host',
    (req) =>
      new Response('', { status: 302, headers: { location: `http://${req.client.host}/tell` } }),
  ),
  path('/met/<int:n>', async (req) => {
    await meet(8)
    for (let i = 0; i < req.params.n; i++) {
      await echo.one(i % 2 === 0 ? req : req.services.get(DATABASE), { n: i })
    }
    return render(req, 'page', { n: req.params.n })
  }),
  path('/pieces', (req) => {
    async function* pieces() {
      for (let n = 0; n < 3; n++) yield String((await echo.one(req, { n })).n)
      for await (const row of other.stream(req)) yield String(row.n)
    }
    return stream(pieces(), 'text/plain')
  }),
  path('/broken', () => {
    throw new Error('broken')
  }),
)

function seeOther(req: Request<{ status: number }>, place: string) {
  return redirect(place, { status: req.params.status as 303 })
}

async function start(t: Test, ownDatabase = false) {
  const root = await writeTree(temporaryFolder(t), {
    'templates/page.mustache': '{{> part}}',
    'templates/part.mustache': 'n is {{n}}',
    'templates/errors/500.mustache': 'sorry: {{status}}',
  })
  const env = { DATABASE_URL: await testDatabaseUrl() }
  const client = await createTestClient(
    { urls, templates: 'templates' },
    { root, env, ownDatabase },
  )
  t.teardown(() => client.close())
  return client
}

t.test('redirects are followed as browsers do', async (t) => {
  const client = await start(t)
  const body = 'the body'
  const ask = async (method: string, place: string) => {
    await client.begin()
    const reply = await client.request(method, place, {
      follow: true,
      headers: { 'content-type': 'text/plain', 'accept-language': 'ko' },
      ...(method === 'GET' ? {} : { body }),
    })
    t.strictSame(
      reply.redirects.map(({ url }) => url),
      [client.url + place],
    )
    await client.rollback()
    return reply.text
  }
  for (const status of [301, 302]) {
    t.equal(await ask('POST', `/see/${status}`), 'GET /tell?x=1  yes')
    t.equal(await ask('PUT', `/see/${status}`), 'PUT /tell?x=1 the body yes')
  }
  for (const method of ['POST', 'PUT']) {
    t.equal(await ask(method, '/see/303'), 'GET /tell?x=1  yes')
    t.equal(await ask(method, '/see/307'), `${method} /tell?x=1 the body yes`)
    t.equal(await ask(method, '/see/308'), `${method} /tell?x=1 the body yes`)
  }
  t.equal(await ask('GET', '/see/307'), 'GET /tell?x=1  yes')

  const step = await client.post('/see/308', { form: { a: 'b' } })
  t.equal((await client.follow(step)).text, 'POST /tell?x=1 a=b yes')
  t.equal((await client.follow(await client.post('/made', { body }))).text, 'GET /tell?  yes')
  const made = await client.post('/made', { body, follow: true })
  t.equal(made.status, 201, 'a Location that is no redirect is not followed by itself')
  const named = { follow: true, headers: { host: 'shop.example:8080' } }
  t.equal((await client.get('/host', named)).text, 'GET /tell?  yes')

  t.equal((await client.get('/chain/19', { follow: true })).redirects.length, 20)
  await t.rejects(client.get('/chain/20', { follow: true }), {
    name: 'TypeError',
    message: /^more than 20 redirects: \/chain\/20 → \/chain\/19 → .* → \/chain\/0$/,
  })
  await t.rejects(client.get('/round', { follow: true }), { message: /^more than 20 redirects/ })
  await t.rejects(client.get('/away', { follow: true }), {
    message: `https://example.org/ leaves the site, which is ${client.url}`,
  })
})

t.test('each of many requests at once has its own statements and templates', async (t) => {
  const client = await start(t)
  const replies = await Promise.all([7, 6, 5, 4, 3, 2, 1, 0].map((n) => client.get(`/met/${n}`)))
  for (const [i, reply] of replies.entries()) {
    const n = 7 - i
    t.equal(reply.text, `n is ${n}`)
    t.strictSame(reply.queries, new Array(n).fill('echo'))
    t.strictSame(reply.templates, [{ name: 'page', data: { n } }])
  }
  const pieces = await client.get('/pieces')
  t.equal(pieces.text, '0122')
  t.strictSame(pieces.queries, ['echo', 'echo', 'echo', 'other'], 'while a body is made, too')
  const broken = await client.get('/broken')
  t.strictSame(
    broken.templates.map(({ name }) => name),
    ['errors/500'],
  )
  t.match(broken.templates[0]?.data, { status: 500, reason: 'Internal Server Error' })
})

t.test('expectQueries lists what was run where that is not what was expected', async (t) => {
  const client = await start(t)
  const db = client.services.get(DATABASE)
  const work = async () => {
    const [pieces] = await Promise.all([client.get('/pieces'), other.one(db), client.get('/tell')])
    return pieces.text
  }
  t.equal(await client.expectQueries(5, work), '0122', 'it gives what the work gives')
  await client.expectQueries(0, () => client.get('/tell'))
  await t.rejects(
    client.expectQueries(0, () => other.one(db)),
    {
      name: 'AssertionError',
      message: 'expected 0 statements, there was 1:\n  1. other',
      actual: 1,
      expected: 0,
    },
  )
  await t.rejects(
    client.expectQueries(1, () => client.get('/pieces')),
    {
      message: 'expected 1 statement, there were 4:\n  1. echo\n  2. echo\n  3. echo\n  4. other',
    },
  )
  await t.rejects(
    client.expectQueries(1, () => client.get('/tell')),
    {
      message: 'expected 1 statement, there were 0',
    },
  )
  const failure = new Error('of the work')
  await t.rejects(
    client.expectQueries(1, () => Promise.reject(failure)),
    failure,
  )

  // One inside another counts for both, one beside it for neither.
  await client.expectQueries(3, async () => {
    await other.one(db)
    await client.expectQueries(2, async () => {
      await other.one(db)
      await client.begin()
      await other.one(db)
      await client.rollback()
    })
  })
  let go = () => {}
  const gone = new Promise<void>((resolve) => {
    go = resolve
  })
  const beside = client.expectQueries(0, () => gone)
  await client.expectQueries(1, () => other.one(db))
  go()
  await beside
})
