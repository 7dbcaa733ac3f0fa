import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import { createDatabase } from '../../src/model/database.ts'
import {
  migrate,
  migrationStatus,
  previewMigrations,
  revertMigrations,
  runMigrations,
} from '../../src/model/migrate.ts'
import { planTo, planUp } from '../../src/model/migration-plan.ts'
import { withMigrationLock } from '../../src/model/migration-run.ts'
import { squashMigrations, writeDraft } from '../../src/model/schema/draft.ts'
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

t.test(
  'a server may be older than its database, as long as nothing is missing between',
  async (t) => {
    const files = { '0001_a.sql': 'select 1;', '0002_b.sql': 'select 2;' }
    const dir = t.testdir({ ...files, '0010_c.sql': 'select 3;', '0011_d.sql': 'select 4;' })
    const db = await testDatabase(t)
    await migrate(db, dir, { log: db.log })
    rmSync(join(dir, '0010_c.sql'))
    rmSync(join(dir, '0011_d.sql'))
    const log = keepLog()
    t.same(await migrate(db, dir, { log, acceptsNewer: true }), [])
    t.equal(log.lines.length, 1)
    t.match(
      log.lines[0],
      /warning: .* migration 0010_c and 1 more, .* a newer version of the site;/,
    )
    const missing = (name: string) => ({
      code: 'UWAS_ERR_MODEL_MIGRATION_MISSING',
      message: new RegExp(`migration ${name} is applied`),
    })
    await t.rejects(migrate(db, dir, { log }), missing('0010_c'), 'the command says so')
    await t.rejects(previewMigrations(db, dir, planUp()), missing('0010_c'))

    writeFileSync(join(dir, '0003_other.sql'), 'create table other (x int)')
    await t.rejects(migrate(db, dir, { log, acceptsNewer: true }), missing('0010_c'))
    t.same(await runSql(db, "select to_regclass('other') is null"), [['t']], 'it is not applied')
    rmSync(join(dir, '0003_other.sql'))
    rmSync(join(dir, '0001_a.sql'))
    await t.rejects(migrate(db, dir, { log, acceptsNewer: true }), missing('0001_a'))
    rmSync(join(dir, '0002_b.sql'))
    await t.rejects(migrate(db, dir, { log, acceptsNewer: true }), missing('0001_a'), 'no files')
  },
)

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

t.test(
  'what runs in no transaction is alone in its file, and is run again after a failure',
  async (t) => {
    const dir = t.testdir({
      '0001_t.sql': 'create table t (x int); insert into t values (1), (1);',
      '0002_x.sql': '-- by x\ncreate unique index concurrently if not exists t_x on t (x);',
      '0002_x.down.sql': 'drop index concurrently t_x',
    })
    const db = await testDatabase(t)
    const { log } = db
    await t.rejects(migrate(db, dir, { log }), {
      code: 'UWAS_ERR_MODEL_MIGRATION_FAILED',
      message:
        /0002_x\.sql:2: could not create unique index "t_x"; .*; it runs outside of a transaction, and again as a whole the next time$/,
    })
    const valid = "select indisvalid from pg_index where indexrelid = to_regclass('t_x')"
    t.same(await runSql(db, valid), [['f']], 'PostgreSQL leaves it')
    await runSql(db, 'delete from t where ctid = (select min(ctid) from t)')
    t.same(await migrate(db, dir, { log }), ['0002_x'])
    t.same(await runSql(db, valid), [['t']])
    t.same(await revertMigrations(db, dir, { log }), ['0002_x'])
    t.same(await runSql(db, valid), [])
    writeFileSync(join(dir, '0003_y.sql'), 'alter table t add y int;\nvacuum t')
    await t.rejects(migrate(db, dir, { log }), {
      code: 'UWAS_ERR_MODEL_MIGRATION_FILES',
      message: /0003_y\.sql:2: VACUUM T … runs in no transaction: it must be the only statement of/,
    })
  },
)

t.test('many servers may start while an index is made concurrently', async (t) => {
  const dir = t.testdir({
    '0001_t.sql': 'create table t as select x from generate_series(1, 100000) as x;',
    '0002_x.sql': 'create index concurrently t_x on t (x);',
  })
  const url = await testDatabaseUrl()
  const servers = Array.from({ length: 5 }, () => createDatabase({ url, log: keepLog() }))
  const applied = await Promise.all(servers.map((db) => migrate(db, dir, { log: db.log })))
  t.same(applied.flat().sort(), ['0001_t', '0002_x'])
  await Promise.all(servers.map((db) => db.close()))
})

t.test('a lock that does not come names who has it, and nothing is done', async (t) => {
  const dir = t.testdir({
    '0001_t.sql': 'create table t (x int);',
    '0002_y.sql': 'create table other (x int);\nalter table t add y int;',
  })
  const db = await testDatabase(t)
  const { log } = db
  await runMigrations(db, dir, planTo('1'), { log })
  const holder = await db.openSeparate()
  await holder.simple('begin; select * from t')
  await t.rejects(migrate(db, dir, { log, lockTimeoutMs: 50 }), {
    code: 'UWAS_ERR_MODEL_MIGRATION_LOCKED',
    message:
      /0002_y\.sql:2 waited 0\.05 s for a lock, in vain; it is held by, probably: \d+ \(uwas, idle in transaction for \d+ s: begin; select \* from t\)\. Nothing was changed/,
  })
  t.same(await runSql(db, "select to_regclass('other') is null"), [['t']])
  await holder.close(1000)
  t.same(await migrate(db, dir, { log }), ['0002_y'])
})

t.test('another server that migrates for too long is named', async (t) => {
  const db = await testDatabase(t)
  const log = keepLog()
  let done = () => {}
  const long = withMigrationLock(
    db,
    { log },
    () => new Promise<void>((resolve) => (done = resolve)),
  )
  const held = `select count(*) from pg_locks where locktype = 'advisory'
    and database = (select oid from pg_database where datname = current_database())`
  while ((await runSql(db, held))[0]?.[0] === '0') await new Promise(setImmediate)
  await t.rejects(
    withMigrationLock(db, { log, waitMs: 10 }, async () => t.fail('both at once')),
    {
      code: 'UWAS_ERR_MODEL_MIGRATION_LOCKED',
      message:
        /^the migration waited 0\.01 s for a lock, in vain; it is held by, probably: \d+ \(uwas/,
    },
  )
  t.match(log.lines, ['uwas: another server is migrating this database; waiting for it'])
  done()
  await long
})

t.test('forwards and back to any migration', async (t) => {
  const dir = t.testdir(
    Object.fromEntries(
      [1, 2, 3].flatMap((n) => [
        [`000${n}_t${n}.sql`, `create table t${n} ();`],
        [`000${n}_t${n}.down.sql`, `drop table t${n};`],
      ]),
    ),
  )
  const db = await testDatabase(t)
  const { log } = db
  const to = (target: string) => runMigrations(db, dir, planTo(target), { log })
  t.same(await to('2'), ['0001_t1', '0002_t2'])
  t.same(await to('0003_t3'), ['0003_t3'])
  t.same(await to('0001_t1'), ['0003_t3', '0002_t2'])
  t.same(
    (await previewMigrations(db, dir, planTo('3'))).map(({ file, does }) => `${does} ${file.name}`),
    ['apply 0002_t2', 'apply 0003_t3'],
  )
  t.same(await to('0'), ['0001_t1'])
  await t.rejects(to('0002_t'), {
    code: 'UWAS_ERR_MODEL_MIGRATION_FILES',
    message: '0002_t: is no migration; did you mean "0002_t2"?',
  })
})

t.test(
  'a squashed migration is adopted where all of its parts are, and run where none is',
  async (t) => {
    const parts = {
      '0001_a.sql': 'create table a (x int);\n',
      '0001_a.down.sql': 'drop table a;\n',
      '0002_b.sql': 'create table b (x int);\ninsert into b values (1);\n',
      '0002_b.down.sql': 'drop table b;\n',
      '0003_c.sql': 'create table c (x int);\n',
    }
    const dir = t.testdir(parts)
    const [old, half, fresh] = [await testDatabase(t), await testDatabase(t), await testDatabase(t)]
    const { log } = old
    await migrate(old, dir, { log })
    await runMigrations(half, dir, planTo('1'), { log })
    const { draft, replaced } = squashMigrations(dir, 'the start', '0002_b')
    t.same(
      writeDraft(dir, draft, replaced).map((path) => basename(path)),
      ['0002_the_start.sql', '0002_the_start.down.sql'],
    )
    t.same(readdirSync(dir).sort(), ['0002_the_start.down.sql', '0002_the_start.sql', '0003_c.sql'])
    t.match(draft, {
      up: '-- replaces: 0001_a, 0002_b\n-- 0001_a\ncreate table a (x int);\n-- 0002_b\ncreate table b',
      down: '-- 0002_b\ndrop table b;\n-- 0001_a\ndrop table a;\n',
    })
    t.match(await migrationStatus(old, dir), [
      { name: '0002_the_start', state: 'pending' },
      { name: '0003_c', state: 'applied' },
    ])
    t.same(await migrate(old, dir, { log }), ['0002_the_start'])
    t.same(await runSql(old, 'select * from b'), [['1']], 'nothing was run')
    t.same(await migrate(old, dir, { log }), [])
    t.same(await migrate(fresh, dir, { log }), ['0002_the_start', '0003_c'])
    t.same(await runSql(fresh, 'select * from b'), [['1']])
    await t.rejects(migrate(half, dir, { log }), {
      code: 'UWAS_ERR_MODEL_MIGRATION_FILES',
      message:
        /0002_the_start\.sql: replaces migrations of which this database lacks 0002_b: apply/,
    })
    writeFileSync(join(dir, '0001_a.sql'), parts['0001_a.sql'])
    await t.rejects(migrate(old, dir, { log }), { message: /replaces 0001_a, whose file is still/ })
    rmSync(join(dir, '0001_a.sql'))
    writeFileSync(join(dir, '0004_i.sql'), 'create index concurrently on c (x)')
    t.throws(() => squashMigrations(dir, 'all'), {
      message: /0004_i\.sql: runs in no transaction: squash up to the one before it/,
    })
    t.throws(() => squashMigrations(dir, 'all', '0002_the_start'), { message: /has no two migra/ })
  },
)
