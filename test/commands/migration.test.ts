import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createDatabase } from '../../src/model/database.ts'
import { folder, put, run } from '../support/binary.ts'
import { keepLog, runSql, testDatabaseUrl } from '../support/postgres.ts'

const MODELS = `import { column, pg, table } from 'uwas'
export const notes = table('notes', { id: column(pg.int, { generated: true }), body: pg.text })`

const SITE = {
  'uwas.config.ts': `import { defineConfig } from 'uwas'
import { path, text, urlconf } from 'uwas'
import './models.ts'
const urls = urlconf(path('/', () => text('')))
export const config = defineConfig({ urls, migrations: 'migrations', database: {} })`,
  'models.ts': MODELS,
  'migrations/.keep': '',
}

t.test('from declared tables to migrations, and on to what was declared since', async (t) => {
  const cwd = folder(t, SITE)
  const url = await testDatabaseUrl()
  const env = { DATABASE_URL: url }
  const uwas = (...args: string[]) => run(args, { cwd, env })
  const read = (name: string) => readFileSync(join(cwd, 'migrations', name), 'utf8')

  const preview = await uwas('migration', 'notes', '--dry-run')
  t.match(preview.stdout, /^create table "notes" \([\s\S]*-- to revert:\ndrop table "notes";\n$/m)
  const written = await uwas('migration', 'notes')
  t.match(written.stderr, 'wrote migrations/0001_notes.sql and migrations/0001_notes.down.sql')
  const early = await uwas('migration', 'more')
  t.equal(early.code, 2)
  t.match(early.stderr, 'UWAS_ERR_COMMANDS_MIGRATION_OPEN')
  t.match(early.stderr, 'migration 0001_notes is pending, and a draft starts from a database that')
  t.match(
    (await uwas('migrate', '--dry-run')).stdout,
    /^-- apply 0001_notes\nbegin;\n[\s\S]*\ncommit;\n$/,
  )
  t.match((await uwas('migrate')).stderr, '1 migration applied')
  t.match((await uwas('migrate', '--dry-run')).stdout, '-- nothing to run')
  t.match((await uwas('check')).stderr, /is fine: .*1 migration, 1 table, \d+ statements/)

  put(
    cwd,
    'models.ts',
    MODELS.replace('body: pg.text', 'text: pg.text, stars: column(pg.int, { default: "0" })'),
  )
  const drifted = await uwas('check')
  t.equal(drifted.code, 1)
  t.match(
    drifted.stderr,
    'table notes has no column stars; draft the change with "uwas migration NAME"',
  )
  t.match(drifted.stderr, 'table notes has column body, which is not declared and needs a value')
  await uwas('migration', 'Stars and text')
  const draft = read('0002_stars_and_text.sql')
  t.match(
    draft,
    '-- Renames are not guessed. If it was body: alter table "notes" rename column "body" to "text";',
  )
  t.match(draft, 'alter table "notes" add column "stars" bigint not null default 0;')
  put(
    cwd,
    'migrations/0002_stars_and_text.sql',
    `alter table notes rename column body to text;
alter table "notes" add column "stars" bigint not null default 0;`,
  )
  put(
    cwd,
    'migrations/0002_stars_and_text.down.sql',
    `alter table notes rename column text to body;
alter table "notes" drop column "stars";`,
  )
  t.match((await uwas('migrate')).stderr, '1 migration applied')
  t.equal((await uwas('check')).code, 0)

  put(cwd, 'migrations/0002_stars_and_text.sql', 'select 1')
  const changed = await uwas('migrate')
  t.match(
    changed.stderr,
    /migrations\/0002_stars_and_text\.sql was changed after it had been applied/,
  )
  put(
    cwd,
    'migrations/0002_stars_and_text.sql',
    `alter table notes rename column body to text;
alter table "notes" add column "stars" bigint not null default 0;`,
  )
  t.match(
    (await uwas('migrate', '--to', '1', '--dry-run')).stdout,
    /^-- revert 0002_stars_and_text\nbegin;/,
  )
  t.match((await uwas('migrate', '--to', '1')).stderr, '1 migration run')
  t.match((await uwas('migrate', '--down')).stderr, '1 migration reverted')
  t.match((await uwas('migrate', '--to', '2')).stderr, '2 migrations run')

  t.match((await uwas('migration', 'start', '--squash')).stderr, 'wrote migrations/0002_start.sql')
  t.strictSame(readdirSync(join(cwd, 'migrations')).sort(), [
    '.keep',
    '0002_start.down.sql',
    '0002_start.sql',
  ])
  t.match(
    (await uwas('migrate', '--dry-run')).stdout,
    '-- adopt 0002_start: it takes the place of 0001_notes, 0002_',
  )
  t.match((await uwas('migrate')).stderr, 'adopted migration 0002_start')
  t.match(
    (await uwas('migration', 'by_hand', '--empty')).stderr,
    'wrote migrations/0003_by_hand.sql',
  )
  t.match(read('0003_by_hand.sql'), /write the SQL here/)
})

t.test('many processes may migrate at once: each file is applied by one of them', async (t) => {
  const cwd = folder(t, {
    ...SITE,
    'migrations/0001_slow.sql':
      'create table notes (id bigint generated always as identity primary key, body text not null);\nselect pg_sleep(1);\ninsert into notes (body) values (1);',
    'migrations/0002_index.sql': 'create index concurrently notes_body on notes (body);',
    'migrations/0003_more.sql': 'insert into notes (body) values (2);',
  })
  const url = await testDatabaseUrl()
  const env = { DATABASE_URL: url }
  const runs = await Promise.all(Array.from({ length: 4 }, () => run(['migrate'], { cwd, env })))
  t.strictSame(
    runs.map(({ code }) => code),
    [0, 0, 0, 0],
    runs.map(({ stderr }) => stderr).join('\n'),
  )
  const applied = runs.flatMap(({ stderr }) =>
    [...stderr.matchAll(/applied migration (\d+)/g)].map(([, n]) => n),
  )
  t.strictSame(applied.sort(), ['0001', '0002', '0003'])
  const db = createDatabase({ url, log: keepLog() })
  t.teardown(() => db.close())
  t.strictSame(await runSql(db, 'select body from notes order by id'), [['1'], ['2']])
})

t.test('a lock that others have is told with its place', async (t) => {
  const cwd = folder(t, {
    ...SITE,
    'migrations/0001_a.sql':
      'create table notes (id bigint generated always as identity primary key, body text not null);',
  })
  const url = await testDatabaseUrl()
  const env = { DATABASE_URL: url }
  await run(['migrate'], { cwd, env })
  put(cwd, 'migrations/0002_b.sql', '\nalter table notes add more text;')
  const db = createDatabase({ url, log: keepLog() })
  t.teardown(() => db.close())
  const holder = await db.openSeparate()
  await holder.simple('begin; lock table notes in access share mode')
  const { code, stderr } = await run(['migrate', '--lock-timeout', '0.1'], { cwd, env })
  t.equal(code, 2, stderr)
  t.match(
    stderr,
    /0002_b\.sql:2 waited 0\.1 s for a lock, in vain; it is held by, probably: \d+ \(uwas, idle in/,
  )
  await holder.close(1000)
})
