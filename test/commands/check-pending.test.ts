import t from 'tap'
import { createDatabase } from '../../src/model/database.ts'
import { folder, put, run } from '../support/binary.ts'
import { keepLog, runSql, testDatabaseUrl } from '../support/postgres.ts'

const SITE = {
  'uwas.config.ts': `import { defineConfig } from 'uwas'
import { urls } from './urls.ts'
export const config = defineConfig({ urls, migrations: 'migrations' })`,
  'urls.ts': `import { path, pg, statement, text, urlconf } from 'uwas'
export const allNotes = statement('notes.all', {
  sql: 'select id, body from notes', params: {}, row: { id: pg.int, body: pg.text },
})
export const urls = urlconf(path('/', async (req) => text(String((await allNotes.all(req)).length))))`,
  'migrations/0001_notes.sql': 'create table notes (id integer primary key, body text not null);',
}

const DATABASES = 'select datname from pg_database order by 1'

t.test(
  'before migrations are applied, check proves statements in a database for a while',
  async (t) => {
    const cwd = folder(t, SITE)
    const url = await testDatabaseUrl()
    const env = { DATABASE_URL: url }
    const db = createDatabase({ url, log: keepLog() })
    t.teardown(() => db.close())
    const before = await runSql(db, DATABASES)
    const untouched = async () => {
      t.strictSame(await runSql(db, DATABASES), before, 'nothing is left behind')
      t.strictSame(await runSql(db, "select to_regclass('uwas_migrations') is null"), [['t']])
    }

    put(cwd, 'urls.ts', SITE['urls.ts'].replace('select id, body', 'select id, text'))
    const wrong = await run(['check'], { cwd, env })
    t.equal(wrong.code, 1)
    t.match(wrong.stderr, /notes\.all.*"text".* \[UWAS_ERR_MODEL_PREPARE\]/s)
    await untouched()

    put(cwd, 'urls.ts', SITE['urls.ts'])
    put(cwd, 'migrations/0002_bad.sql', 'create tabel bad (id integer);')
    const bad = await run(['check'], { cwd, env })
    t.equal(bad.code, 1)
    t.match(bad.stderr, /0002_bad.*"tabel".* \[UWAS_ERR_MODEL_MIGRATION_FAILED\]/s)
    await untouched()

    put(cwd, 'migrations/0002_bad.sql', 'alter table notes add stars int;')
    await run(['migrate', '--to', '1'], { cwd, env })
    const behind = await run(['check'], { cwd, env })
    t.equal(behind.code, 0, behind.stderr)
    t.match(behind.stderr, 'migration 0002_bad is pending')
    t.notMatch(behind.stderr, '0001_notes')
    t.strictSame(await runSql(db, DATABASES), before)
  },
)

t.test('a role that may make no databases is told to migrate first', async (t) => {
  const cwd = folder(t, SITE)
  const url = await testDatabaseUrl()
  const db = createDatabase({ url, log: keepLog() })
  t.teardown(() => db.close())
  await runSql(db, "create role mere login password 'x'; grant all on schema public to mere")
  t.teardown(() => runSql(db, 'drop owned by mere; drop role mere'))
  const env = { DATABASE_URL: url.replace(/\/\/[^@/]+@/, '//mere:x@') }
  const before = await run(['check'], { cwd, env })
  t.equal(before.code, 1)
  t.match(
    before.stderr,
    /tables and statements cannot be checked before all migrations are applied: run "uwas migrate" first \(.*permission denied to create database.* \[UWAS_ERR_MODEL_SCRATCH\]\)/,
  )
  t.equal((await run(['migrate'], { cwd, env })).code, 0)
  const after = await run(['check'], { cwd, env })
  t.equal(after.code, 0, after.stderr)
})
