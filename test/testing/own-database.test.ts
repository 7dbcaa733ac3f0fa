import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { json } from '../../src/http/reply.ts'
import { createDatabase, DATABASE } from '../../src/model/database.ts'
import { statement } from '../../src/model/statement.ts'
import * as pg from '../../src/model/types.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'
import { createTestClient } from '../../src/testing/test-client.ts'
import { temporaryFolder, writeTree } from '../support/catalogue.ts'
import { keepLog, runSql, testDatabaseUrl } from '../support/postgres.ts'

const add = statement('own.add', { sql: 'insert into own_note default values' })
const count = statement('own.count', {
  row: { n: pg.int },
  sql: 'select count(*)::int n from own_note',
})
const urls = urlconf(
  path('/', async (req) => json((await count.one(req)).n)),
  path('/add', async (req) => json(await add.run(req)), { methods: ['POST'] }),
)
const config = { urls, migrations: 'migrations' }

const folder = (t: Test) =>
  writeTree(temporaryFolder(t), {
    'migrations/0001_note.sql': 'create table own_note (id bigint generated always as identity)',
  })

t.test(
  'clients with databases of their own do not see each other, nor touch the site’s',
  async (t) => {
    const root = await folder(t)
    const env = { DATABASE_URL: await testDatabaseUrl() }
    const make = () => createTestClient(config, { root, env, ownDatabase: true })
    const clients = await Promise.all([make(), make()])
    const [one, two] = clients
    const db = createDatabase({ url: env.DATABASE_URL, log: keepLog() })
    t.teardown(() => db.close())
    await one.post('/add')
    await one.begin()
    await one.post('/add')
    t.equal((await one.get('/')).json(), 2)
    await one.rollback()
    t.equal((await one.get('/')).json(), 1)
    t.equal((await two.get('/')).json(), 0)
    t.equal((await count.one(one.services.get(DATABASE))).n, 1)
    t.strictSame(await runSql(db, "select to_regclass('own_note') is null"), [['t']])
    t.strictSame(await runSql(db, LEFT), [['2']])
    await Promise.all(clients.map((client) => client.close()))
    t.strictSame(await runSql(db, LEFT), [['0']], 'both are gone')
  },
)

const LEFT = "select count(*) from pg_database where datname like 'uwas\\_scratch\\_%'"

t.test('one that cannot start leaves no database', async (t) => {
  const root = await folder(t)
  await writeTree(root, { 'migrations/0002_wrong.sql': 'create table own_note ()' })
  const env = { DATABASE_URL: await testDatabaseUrl() }
  await t.rejects(createTestClient(config, { root, env, ownDatabase: true }), {
    code: 'UWAS_ERR_MODEL_MIGRATION_FAILED',
  })
  const db = createDatabase({ url: env.DATABASE_URL, log: keepLog() })
  t.teardown(() => db.close())
  t.strictSame(await runSql(db, LEFT), [['0']])
  await t.rejects(createTestClient({ database: false }, { root, env, ownDatabase: true }), {
    message: 'ownDatabase: the site has no database; set the key "database"',
  })
})

t.test('with the embedded PostgreSQL each file of tests has a server of its own', async (t) => {
  const root = await folder(t)
  const make = () => createTestClient(config, { root, env: {}, ownDatabase: true })
  const [one, two] = await Promise.all([make(), make()])
  await one.post('/add')
  t.equal((await two.get('/')).json(), 0)
  await one.close()
  t.equal((await two.get('/')).json(), 0, 'the end of one does not harm the other')
  const again = await make()
  t.equal((await again.get('/')).json(), 0)
  await again.close()
  await two.close()
  const folders = readdirSync(join(root, '.uwas/tests'))
  t.match(folders.sort(), [/^own-database\.test\.ts-[0-9a-f]{8}-1$/, /-2$/])
  t.equal(folders.length, 2, 'the folder of one that was closed is used again')
})
