import t from 'tap'
import { Services } from '../../src/core/services.ts'
import { Trace } from '../../src/core/trace.ts'
import { DATABASE, type Database } from '../../src/model/database.ts'
import { constraintOf, sqlStateOf } from '../../src/model/failures.ts'
import { statement } from '../../src/model/statement.ts'
import { beginStatementGeneration, declaredStatements } from '../../src/model/statement-registry.ts'
import * as types from '../../src/model/types.ts'
import { checkStatements, warm } from '../../src/model/warm.ts'
import { testDatabase } from '../support/postgres.ts'

const SCHEMA = `create table post (id int primary key, title text not null unique);
  insert into post values (1, 'one'), (2, 'two'), (3, 'three')`

const row = { id: types.int, title: types.text }
const byId = statement('byId', {
  params: { id: types.int },
  row,
  sql: 'select title, id from post where id = $1',
})
const all = statement('all', { row, sql: 'select id, title from post order by id' })
const rename = statement('rename', {
  params: { title: types.text, id: types.int },
  sql: 'update post set title = $1 where id >= $2',
})
const names = [byId, all, rename]

t.test('one, maybe, all and run give a row, a row or nothing, rows, and a count', async (t) => {
  const db = await testDatabase(t, SCHEMA)
  t.same(await byId.one(db, { id: 2 }), { id: 2, title: 'two' })
  t.equal(await byId.maybe(db, { id: 9 }), undefined)
  t.same(await byId.maybe(db, { id: 1 }), { id: 1, title: 'one' })
  t.same(
    (await all.all(db)).map(({ id }) => id),
    [1, 2, 3],
  )
  t.equal(await rename.run(db, { title: 'drei', id: 3 }), 1)
  t.equal(await rename.run(db, { id: 9, title: 'order of keys does not matter' }), 0)
  await t.rejects(byId.one(db, { id: 9 }), {
    code: 'UWAS_ERR_MODEL_NO_ROW',
    status: 404,
    message: 'statement "byId" found no row',
  })
  await t.rejects(all.one(db), {
    code: 'UWAS_ERR_MODEL_NOT_ONE',
    message: 'statement "all" returned 3 rows where one was expected',
  })
  await t.rejects(all.maybe(db), {
    message: 'statement "all" returned 3 rows where at most one was expected',
  })
})

t.test('a request runs statements on its site database and keeps their durations', async (t) => {
  const db = await testDatabase(t, SCHEMA)
  const trace = new Trace()
  const req = { services: new Services().provide(DATABASE, db), trace }
  await byId.one(req, { id: 1 })
  await t.rejects(rename.run(req, { id: 1, title: 'two' }))
  t.match(trace.spans, [
    { step: 'model', detail: 'byId' },
    { step: 'model', detail: 'rename' },
  ])
  const without = { services: new Services(), trace: null }
  await t.rejects(byId.one(without, { id: 1 }), {
    code: 'UWAS_ERR_CORE_SERVICE_MISSING',
    message: 'the site has no database: set `database` in the configuration, or DATABASE_URL',
  })
})

t.test('an SQL error is coded, with its SQLSTATE and constraint', async (t) => {
  const db = await testDatabase(t, SCHEMA)
  const error = await rename.run(db, { id: 3, title: 'two' }).catch((reason: unknown) => reason)
  t.match(error, {
    code: 'UWAS_ERR_MODEL_QUERY',
    status: 500,
    message:
      'statement "rename" failed: duplicate key value violates unique constraint "post_title_key" (SQLSTATE 23505)',
  })
  t.equal(sqlStateOf(error), '23505')
  t.equal(constraintOf(error), 'post_title_key')
  t.equal(sqlStateOf(new Error('other')), undefined)
})

t.test('warm prepares every statement on every pipelined connection', async (t) => {
  const db = await testDatabase(t, SCHEMA, { poolSize: 4 })
  await warm(db, names)
  t.equal(db.pipelined.connections.length, 2)
  t.equal(db.exclusive.connections.length, 1)
  const prepared = 'select count(*)::int4 from pg_prepared_statements where statement like $1'
  for (const each of [...db.pipelined.connections, ...db.exclusive.connections]) {
    const { rows } = await each.run(prepared, ['%post%'])
    t.equal(rows[0]?.[0], '3')
  }
  await byId.one(db, { id: 1 })
  const again = await db.pipelined.connections[0]?.run(prepared, ['%post%'])
  t.equal(again?.rows[0]?.[0], '3', 'a run prepares nothing anew')
})

t.test('a statement that does not fit the schema stops the start with its place', async (t) => {
  const db = await testDatabase(t, SCHEMA)
  const check = async (options: Parameters<typeof statement>[1], message: RegExp) => {
    beginStatementGeneration()
    const declared = statement('wrong', options)
    const found = await checkStatements(db)
    t.equal(found.length, 1, message.source)
    t.match(found[0]?.message, message)
    await t.rejects(warm(db, [declared as never]), { message })
  }
  await check(
    { sql: 'select id,\n  titel\nfrom post', row },
    /"wrong" cannot be prepared: column "titel" does not exist \(SQLSTATE 42703\) in line 2 of its SQL: titel/,
  )
  await check({ sql: "select '한😀', titel from post" }, /42703\) in line 1 of its SQL: select '한/)
  await check({ sql: 'select id from post; select 2' }, /multiple commands.*\(SQLSTATE 42601\)/)
  await check(
    { sql: 'select id, id as other from post', row },
    /"wrong": it returns other, which its row does not declare; its row declares title, which it/,
  )
  await check({ sql: 'select id, id from post', row }, /two of its columns are named id; name one/)
  await check(
    { sql: 'select id::text, title from post', row },
    /column id is declared int, but PostgreSQL gives text/,
  )
  await check(
    { sql: 'update post set title = $1', params: { a: types.text, b: types.text } },
    /it declares 2 parameter\(s\), but its SQL uses 1/,
  )
  await check(
    { sql: 'update post set title = $1 where id = $2', params: { title: types.text } },
    /it declares 1 parameter\(s\), but its SQL uses 2/,
  )
  await check(
    { sql: 'delete from post where id = $1', params: { id: types.bool } },
    /parameter id \(\$1\) is declared bool, but PostgreSQL expects integer/,
  )
})

t.test('all wrong statements are found; the first is thrown and the others logged', async (t) => {
  const db = await testDatabase(t, SCHEMA)
  beginStatementGeneration()
  statement('first', { sql: 'select nothing from post' })
  statement('second', { sql: 'select' })
  statement('third', { sql: 'delete from posts' })
  await t.rejects(warm(db), { message: /"first" cannot be prepared/ })
  const { lines } = db.log as unknown as { lines: string[] }
  t.match(lines, [/"third" cannot be prepared: relation "posts" does not exist \(SQLSTATE 42P01\)/])
})

t.test('a name is declared once in a generation of the site', (t) => {
  beginStatementGeneration()
  const first = statement('twice', { sql: 'select 1' })
  t.throws(() => statement('twice', { sql: 'select 2' }), {
    code: 'UWAS_ERR_MODEL_STATEMENT',
    message: 'statement "twice": the name is declared twice; every statement needs its own',
  })
  beginStatementGeneration()
  const second = statement('twice', { sql: 'select 2' })
  t.same(declaredStatements(), [second])
  t.not(first, second)
  t.end()
})

t.test('SQL that would change a shared session is refused where it is declared', (t) => {
  const refuse = (sql: string, message: RegExp) =>
    t.throws(() => statement('refused', { sql }), { code: 'UWAS_ERR_MODEL_STATEMENT', message })
  refuse('begin', /BEGIN cannot be a statement: connections are shared; transactions are made with/)
  refuse('-- a comment\n /* another */ COMMIT', /COMMIT cannot be a statement/)
  refuse("set timezone = 'UTC'", /SET cannot be a statement/)
  refuse(' ', /sql is empty/)
  beginStatementGeneration()
  t.ok(statement('local', { sql: "set local timezone = 'UTC'" }))
  t.throws(() => statement('', { sql: 'select 1' }), { message: /it needs a name/ })
  t.throws(() => statement('n', { params: { 1: types.int }, sql: 'select $1' }), {
    message: /"n": 1 cannot be a name; it must not be a number/,
  })
  t.end()
})

t.test('a changed table is read anew, without a failed request', async (t) => {
  const db = await testDatabase(t, SCHEMA, { poolSize: 2 })
  beginStatementGeneration()
  const star = statement('star', { sql: 'select * from post where id = 1', row })
  await warm(db)
  t.same(await star.one(db), { id: 1, title: 'one' })
  const { runSql } = await import('../support/postgres.ts')
  await runSql(db, 'alter table post drop column title; alter table post add column title text')
  await runSql(db, "update post set title = 'new'")
  t.same(await star.one(db), { id: 1, title: 'new' })
})

t.test('one read a row is an error where that is looked for, and nowhere else', async (t) => {
  beginStatementGeneration()
  const shape = { params: { id: types.int }, row }
  const find = statement('find', { ...shape, sql: 'select id, title from post where id = $1' })
  const often = statement('often', { ...shape, sql: find.sql, repeats: true })
  const reads = async (db: Database, read: typeof find, isSocket = false) => {
    const req = { services: new Services().provide(DATABASE, db), trace: null, isSocket }
    for (let i = 0; i < 11; i++) await read.maybe(req, { id: i })
  }
  await reads(await testDatabase(t, SCHEMA), find)
  const strict = await testDatabase(t, SCHEMA, { refusesRepeats: true })
  await reads(strict, often)
  await reads(strict, find, true)
  await t.rejects(reads(strict, find), {
    code: 'UWAS_ERR_MODEL_REPEATED',
    message: /^statement "find" is run for the 11th time in one request.*preload\(\)/,
  })
})
