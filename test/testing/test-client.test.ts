import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { json, redirect, text } from '../../src/http/reply.ts'
import { atomic } from '../../src/model/atomic.ts'
import { DATABASE } from '../../src/model/database.ts'
import { outside } from '../../src/model/outside.ts'
import { statement } from '../../src/model/statement.ts'
import * as pg from '../../src/model/types.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'
import { createTestClient } from '../../src/testing/test-client.ts'
import { temporaryFolder, writeTree } from '../support/catalogue.ts'
import { testDatabaseUrl } from '../support/postgres.ts'

const add = statement('note.add', {
  params: { body: pg.text },
  row: { id: pg.int },
  sql: 'insert into note (body) values ($1) returning id',
})
const all = statement('note.all', {
  row: { body: pg.text },
  sql: 'select body from note order by id',
})
const one = statement('note.one', {
  params: { id: pg.int },
  row: { body: pg.text },
  sql: 'select body from note where id = $1',
})

const hooks: string[] = []

const urls = urlconf(
  path('/', async (req) => json((await all.all(req)).map(({ body }) => body))),
  path(
    '/add',
    async (req) => {
      const body = (await req.form()).get('body') ?? ''
      await atomic(req, async (tx) => {
        await add.one(tx, { body })
        tx.onCommit(() => void hooks.push(body))
        if (body === 'undo') throw new Error('undone')
      })
      return redirect('/').cookie('last', body)
    },
    { methods: ['POST'] },
  ),
  path('/twice', async (req) => {
    await add.one(req, { body: 'same' })
    const failed = await add.one(req, { body: 'same' }).catch(() => 'failed')
    return text(String(failed))
  }),
  path('/cookie', (req) => text(req.cookie('last') ?? 'none')),
  path('/bye', () => text('').cookie('last', '', { maxAgeSeconds: 0 })),
  path('/many', async (req) => {
    for (let i = 0; i < 12; i++) await one.maybe(req, { id: i })
    return text('never')
  }),
  path('/deep/from', () => new Response(null, { status: 302, headers: { location: 'to?a=1' } })),
  path('/deep/to', (req) => text(req.search)),
  path(
    '/away',
    () => new Response(null, { status: 302, headers: { location: '//away.invalid/x' } }),
  ),
  path('/echo', async (req) => json({ type: req.header('content-type'), body: await req.text() }), {
    methods: ['POST'],
  }),
)

t.test('a site is tested as a whole, and nothing of a test stays', async (t) => {
  const root = await writeTree(temporaryFolder(t), {
    'migrations/0001_note.sql':
      'create table note (id bigint generated always as identity, body text unique)',
    'public/a.css': 'p {}',
  })
  const env = { DATABASE_URL: await testDatabaseUrl() }
  const client = await createTestClient(
    { urls, migrations: 'migrations', static: [{ dir: 'public', prefix: '/static' }] },
    { root, env },
  )
  t.teardown(() => client.close())
  const db = client.services.get(DATABASE)

  await client.begin()
  await add.one(db, { body: 'of the test itself' })
  const added = await client.post('/add', { form: { body: 'a' } })
  t.equal(added.status, 303)
  t.strictSame(added.queries, ['note.add'])
  const followed = await client.follow(added)
  t.strictSame(followed.json(), ['of the test itself', 'a'])
  t.strictSame(followed.queries, ['note.all'])
  t.equal((await client.get('/cookie')).text, 'a', 'cookies are kept')
  t.strictSame(hooks, ['a'], 'hooks run when the code would have committed')

  t.equal((await client.post('/add', { form: { body: 'undo' } })).status, 500)
  t.strictSame(hooks, ['a'])
  t.equal((await client.get('/twice')).text, 'failed', 'a statement fails alone')
  t.strictSame((await client.get('/')).json(), ['of the test itself', 'a', 'same'])
  await client.rollback()

  t.strictSame((await client.get('/')).json(), [], 'all of it is gone')
  await client.begin()
  t.equal((await client.get('/cookie')).text, 'none')
  const several = await Promise.all(
    ['x', 'y', 'z'].map((body) => client.post('/add', { form: { body } })),
  )
  t.ok(
    several.every(({ status }) => status === 303),
    'requests at once take turns',
  )
  t.equal(((await client.get('/')).json() as string[]).length, 3)
  await client.get('/bye')
  t.equal((await client.get('/cookie')).text, 'none')
  await client.rollback()

  t.equal((await client.get('/static/a.css')).text, 'p {}')
  t.strictSame((await client.get('/static/a.css')).queries, [])
  t.equal((await client.get('/static/none.css')).headers.get('x-content-type-options'), 'nosniff')
  t.equal((await client.get('/many')).status, 500)
  t.match(client.log.join('\n'), /UWAS_ERR_MODEL_REPEATED|run for the 11th time/)
  t.strictSame((await client.post('/echo', { json: { a: 1 } })).json(), {
    type: 'application/json',
    body: '{"a":1}',
  })
  t.equal((await client.follow(await client.get('/deep/from'))).text, 'a=1')
  const away = await client.get('/away')
  t.throws(() => client.follow(away), {
    message: `//away.invalid/x leaves the site, which is ${client.url}`,
  })
  t.equal((await client.get('//away.invalid/x')).status, 404, 'nothing is asked of another host')
  await t.rejects(client.get('deep/to'), { message: 'deep/to is no path: it begins with a slash' })
  t.throws(() => client.follow(followed), { message: 'a 200 has no Location to follow' })
})

t.test('a site that does not start says why', async (t) => {
  const root = temporaryFolder(t)
  await t.rejects(createTestClient({ statc: 'x' } as never, { root, env: {} }), {
    code: 'UWAS_ERR_WAS_CONFIG',
  })
  writeFileSync(join(root, 'a.mustache'), '{{#x}}')
  await t.rejects(createTestClient({ urls, templates: '.' }, { root, env: {} }), {
    code: 'UWAS_ERR_TEMPLATE_UNCLOSED_SECTION',
  })
})

t.test('transactions of a site are as separate as they are when it serves', async (t) => {
  const root = await writeTree(temporaryFolder(t), {
    'migrations/0001_note.sql':
      'create table note (id bigint generated always as identity, body text unique)',
  })
  const env = { DATABASE_URL: await testDatabaseUrl() }
  const client = await createTestClient({ urls, migrations: 'migrations' }, { root, env })
  t.teardown(() => client.close())
  const db = client.services.get(DATABASE)
  const bodies = async () => (await all.all(db)).map(({ body }) => body)
  await client.begin()

  // One that fails does not take with it what others did meanwhile.
  let isBegun = () => {}
  const begun = new Promise<void>((resolve) => {
    isBegun = resolve
  })
  let fail = () => {}
  const failing = atomic(db, async (tx) => {
    await add.one(tx, { body: 'undone' })
    isBegun()
    await new Promise<void>((_, reject) => {
      fail = () => reject(new Error('failed'))
    })
  })
  await begun
  const other = add.one(db, { body: 'of another' })
  fail()
  await t.rejects(failing, { message: 'failed' })
  await other
  t.strictSame(await bodies(), ['of another'])

  // What is outside on purpose does not wait for the transaction that it is called in.
  const order: string[] = []
  await atomic(db, async (tx) => {
    await add.one(tx, { body: 'outer' })
    await atomic(tx, async (inner) => {
      await add.one(inner, { body: 'nested' })
      await Promise.all(
        ['p', 'q'].map((body) =>
          atomic(outside(db), async (own) => {
            own.onCommit(() => void order.push(body))
            await add.one(own, { body })
          }),
        ),
      )
      await t.rejects(add.one(outside(db), { body: 'outer' }), { code: 'UWAS_ERR_MODEL_QUERY' })
      await t.rejects(add.one(db, { body: 'outer' }), { code: 'UWAS_ERR_MODEL_ESCAPED' })
      await add.one(inner, { body: 'after' })
    })
    tx.onCommit(() => void order.push('outer'))
  })
  t.strictSame(await bodies(), ['of another', 'outer', 'nested', 'p', 'q', 'after'])
  t.strictSame(order, ['p', 'q', 'outer'])

  const writing = atomic(db, (tx) => add.one(tx, { body: 'refused' }), { readOnly: true })
  await t.rejects(writing, { message: /read-only transaction/ })
  t.ok(await atomic(db, (tx) => all.all(tx), { readOnly: true }))
  await add.one(db, { body: 'writes again' })
  await client.rollback()
  t.strictSame(await bodies(), [])
})
