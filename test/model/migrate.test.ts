import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createDatabase } from '../../src/model/database.ts'
import { migrate, migrationStatus, revertMigrations } from '../../src/model/migrate.ts'
import { keepLog, runSql, testDatabase, testDatabaseUrl } from '../support/postgres.ts'

const FILES = {
  '0001_board.sql': `-- the board
create table post (id int primary key, title text not null);
create function f() returns text language sql begin atomic
  select case when true then 'a;b' else 'c' end; select 'd';
end;
insert into post values (1, 'semi;colon -- no comment');
`,
  '0001_board.down.sql': 'drop function f();\ndrop table post;',
  '0002_likes.sql': 'alter table post add column likes int not null default 0;',
  'README.md': 'not a migration',
}

t.test('applies what is new, once, in order', async (t) => {
  const dir = t.testdir(FILES)
  const db = await testDatabase(t)
  const log = keepLog()
  t.match(await migrationStatus(db, dir), [
    { name: '0001_board', state: 'pending', appliedAt: null },
    { name: '0002_likes', state: 'pending' },
  ])
  t.same(await migrate(db, dir, { log }), ['0001_board', '0002_likes'])
  t.same(await migrate(db, dir, { log }), [])
  t.same(log.lines, ['uwas: applied migration 0001_board', 'uwas: applied migration 0002_likes'])
  t.same(await runSql(db, 'select * from post'), [['1', 'semi;colon -- no comment', '0']])
  const [status] = await migrationStatus(db, dir)
  t.equal(status?.state, 'applied')
  t.ok(Math.abs(Date.now() - Number(status?.appliedAt)) < 600_000)
})

t.test('many servers may migrate at once: each file is applied by one of them', async (t) => {
  const dir = t.testdir({
    '0001_slow.sql': 'create table a (x int);\nselect pg_sleep(0.2);\ninsert into a values (1);',
  })
  const url = await testDatabaseUrl()
  const servers = Array.from({ length: 6 }, () => createDatabase({ url, log: keepLog() }))
  const applied = await Promise.all(servers.map((db) => migrate(db, dir, { log: db.log })))
  t.same(applied.flat(), ['0001_slow'])
  t.same(await runSql(servers[0] as never, 'select count(*) from a'), [['1']])
  await Promise.all(servers.map((db) => db.close()))
})

t.test('a mistake names file and line, and leaves nothing of its file', async (t) => {
  const dir = t.testdir({
    '0001_good.sql': 'create table good (x int unique);',
    '0002_bad.sql':
      'create table bad (x int);\n\n-- 한국어 😀\ninsert into good\nvalues (1, nothing);\n',
  })
  const db = await testDatabase(t)
  const run = () => migrate(db, dir, { log: db.log })
  await t.rejects(run(), {
    code: 'UWAS_ERR_MODEL_MIGRATION_FAILED',
    message:
      /0002_bad\.sql:5: column "nothing" does not exist; .*SQLSTATE 42703; the migration was rolled back$/,
  })
  t.same(await runSql(db, "select to_regclass('good') is null, to_regclass('bad') is null"), [
    ['f', 't'],
  ])
  writeFileSync(join(dir, '0002_bad.sql'), 'select 1;\n\ninsert into good values (1), (1);')
  await t.rejects(run(), { message: /0002_bad\.sql:3: duplicate key .*; Key \(x\)=\(1\) already/ })
  writeFileSync(join(dir, '0002_bad.sql'), 'insert into good values (1);')
  t.same(await run(), ['0002_bad'])
})

t.test('files that do not fit what was applied are named', async (t) => {
  const dir = t.testdir({ '0001_a.sql': 'select 1;\r\n', '0002_b.sql': 'select 2;' })
  const db = await testDatabase(t)
  const run = () => migrate(db, dir, { log: db.log })
  await run()
  writeFileSync(join(dir, '0001_a.sql'), 'select 1;\n')
  t.same(await run(), [], 'other line ends are no change')
  writeFileSync(join(dir, '0001_a.sql'), 'select 3;')
  await t.rejects(run(), {
    code: 'UWAS_ERR_MODEL_MIGRATION_CHANGED',
    message: /0001_a\.sql was changed after it had been applied \(checksum [0-9a-f]{12}, applied/,
  })
  t.match(await migrationStatus(db, dir), [{ state: 'changed' }, { state: 'applied' }])
  rmSync(join(dir, '0001_a.sql'))
  await t.rejects(run(), {
    code: 'UWAS_ERR_MODEL_MIGRATION_MISSING',
    message: /migration 0001_a is applied in this database, but .* has no such file/,
  })
  t.match(await migrationStatus(db, dir), [{ name: '0001_a', state: 'missing' }, {}])
})

t.test('a folder of migrations that is no such is refused before anything runs', async (t) => {
  const db = await testDatabase(t)
  const refuse = async (files: Record<string, string>, message: RegExp) => {
    const dir = join(t.testdir(), String(Math.random()))
    mkdirSync(dir)
    for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text)
    const error = { code: 'UWAS_ERR_MODEL_MIGRATION_FILES', message }
    await t.rejects(migrate(db, dir, { log: db.log }), error)
  }
  await refuse(
    { '0001_a.sql': 'select 1', '0001_b.sql': 'select 2' },
    /0001_b\.sql: has the same number as 0001_a\.sql; give it the next free one/,
  )
  await refuse({ 'one.sql': 'select 1' }, /one\.sql: is not named like a migration: 0001_what/)
  await refuse(
    { '0001_a.down.sql': '' },
    /0001_a\.down\.sql: reverts a migration that is not there/,
  )
  await refuse(
    { '0001_a.sql': 'select 1;\n/* x */ Commit;' },
    /0001_a\.sql:2: COMMIT cannot stand in a migration: uwas runs each file in a transaction/,
  )
  await t.rejects(migrate(db, '/nowhere', { log: db.log }), {
    code: 'UWAS_ERR_MODEL_MIGRATION_FILES',
    message: /^\/nowhere: the folder of migrations cannot be read: ENOENT/,
  })
  t.same(await runSql(db, "select to_regclass('uwas_migrations') is null"), [['t']])
})

t.test('reverts by the down files, newest first', async (t) => {
  const dir = t.testdir(FILES)
  const db = await testDatabase(t)
  const { log } = db
  await migrate(db, dir, { log })
  await t.rejects(revertMigrations(db, dir, { log, count: 2 }), {
    code: 'UWAS_ERR_MODEL_MIGRATION_FILES',
    message: /0002_likes\.sql: cannot be reverted: it has no \.down\.sql beside it/,
  })
  writeFileSync(join(dir, '0002_likes.down.sql'), 'alter table post drop column likes')
  t.same(await revertMigrations(db, dir, { log }), ['0002_likes'])
  t.same(await revertMigrations(db, dir, { log, count: 9 }), ['0001_board'])
  t.same(await runSql(db, "select to_regclass('post') is null"), [['t']])
  t.same(await migrate(db, dir, { log }), ['0001_board', '0002_likes'])
})
