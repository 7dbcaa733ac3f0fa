import t from 'tap'
import {
  createTestClient,
  DATABASE,
  HttpError,
  json,
  path,
  pg,
  statement,
  stream,
  text,
  urlconf,
} from '../../src/index.ts'
import { folder } from '../support/binary.ts'
import { testDatabaseUrl } from '../support/postgres.ts'

const add = statement('in transaction add', {
  params: { body: pg.text },
  sql: 'insert into note (body) values ($1)',
})
const all = statement('in transaction all', {
  row: { body: pg.text },
  sql: 'select body from note order by id',
})
const level = statement('in transaction level', {
  row: { level: pg.text, id: pg.text },
  sql: "select current_setting('transaction_isolation') as level, pg_current_xact_id()::text as id",
})
let attempts = 0

const urls = urlconf(
  path(
    '/add',
    async (req) => {
      await add.run(req, { body: 'one' })
      await add.run(req, { body: 'two' })
      return json((await all.all(req)).map(({ body }) => body))
    },
    { methods: ['POST'], atomic: true },
  ),
  path(
    '/fail',
    async (req) => {
      await add.run(req, { body: 'undone' })
      throw new HttpError(409)
    },
    { methods: ['POST'], atomic: true },
  ),
  path(
    '/answer/<int:status>',
    async (req) => {
      await add.run(req, { body: 'undone' })
      const { status } = req.params
      return status === 0 ? (undefined as never) : text('said', { status })
    },
    { methods: ['POST'], atomic: true },
  ),
  path('/level', async (req) => json([await level.one(req), await level.one(req)]), {
    atomic: { isolation: 'serializable' },
  }),
  path(
    '/retry',
    async (req) => {
      const body = (await req.form()).get('body') ?? ''
      await add.run(req, { body })
      if (++attempts < 3)
        throw Object.assign(new Error('x'), { name: 'PostgresError', code: '40001' })
      return text(String(attempts))
    },
    { methods: ['POST'], atomic: { retries: 5 } },
  ),
  path(
    '/late',
    async (req) => {
      await add.run(req, { body: 'late' })
      await new Promise((resolve) => req.signal.addEventListener('abort', resolve))
      return text('nobody reads this')
    },
    { methods: ['POST'], atomic: true, timeoutMs: 50 },
  ),
  path(
    '/stream',
    (req) =>
      stream(
        (async function* () {
          for (const { body } of await all.all(req)) yield `${body}\n`
        })(),
        'text/plain',
      ),
    { atomic: true },
  ),
)

t.test('a route with atomic is one transaction, committed before its reply', async (t) => {
  const client = await createTestClient(
    { urls, migrations: 'migrations' },
    {
      root: folder(t, {
        'migrations/0001_note.sql':
          'create table note (id bigint generated always as identity, body text not null)',
      }),
      env: { DATABASE_URL: await testDatabaseUrl() },
    },
  )
  t.teardown(() => client.close())
  const db = client.services.get(DATABASE)
  const stored = async () => (await all.all(db)).map(({ body }) => body)
  t.same((await client.post('/add')).json(), ['one', 'two'])
  t.same(await stored(), ['one', 'two'])
  t.equal((await client.post('/fail')).status, 409)
  t.same(await stored(), ['one', 'two'], 'an error undoes it')
  const failed = await client.post('/answer/503')
  t.equal(failed.status, 503)
  t.equal(failed.text, 'said', 'its own reply')
  t.same(await stored(), ['one', 'two'], 'what is answered with 5xx is undone')
  t.equal((await client.post('/answer/0')).status, 500)
  t.same(await stored(), ['one', 'two'], 'and so is what has no reply')
  const [first, second] = (await client.get('/level')).json() as { level: string; id: string }[]
  t.equal(first?.level, 'serializable')
  t.equal(first?.id, second?.id, 'one transaction')
  t.equal((await client.post('/retry', { form: { body: 'three' } })).text, '3')
  t.same(await stored(), ['one', 'two', 'three'], 'conflicts run the view again, its body at hand')
  t.equal((await client.post('/late')).status, 503)
  t.same(await stored(), ['one', 'two', 'three'], 'nobody has been told of it')
  t.equal((await client.get('/stream')).text, 'one\ntwo\nthree\n')
  t.same(await all.all(db).then((rows) => rows.length), 3, 'no connection is left in a transaction')
})

t.test('what atomic of a route may be is checked at start', (t) => {
  const wrong = (atomic: unknown, message: RegExp) =>
    t.throws(() => path('/', () => text(''), { atomic: atomic as never }), {
      code: 'UWAS_ERR_CORE_INVALID_OPTION',
      message,
    })
  wrong({ isolation: 'snapshot' }, /atomic: atomic cannot run: isolation is one of/)
  wrong({ retry: 3 }, /atomic has no option "retry"/)
  wrong('yes', /atomic/)
  t.end()
})
