import t from 'tap'
import { createOwnTables, pendingOwnSteps } from '../../src/model/own-tables.ts'
import { runSql, testDatabase } from '../support/postgres.ts'

const FIRST = { name: 'a 1', sql: 'create table uwas.a (x int); insert into uwas.a values (1)' }
const SECOND = { name: 'a 2', sql: 'alter table uwas.a add y int' }

t.test('each step is applied once, whoever asks, also by many servers at once', async (t) => {
  const db = await testDatabase(t)
  t.strictSame(await createOwnTables(db, [], db), [])
  t.strictSame(await runSql(db, "select to_regnamespace('uwas') is null"), [['t']])
  t.strictSame(await pendingOwnSteps(db, [FIRST, SECOND]), ['a 1', 'a 2'])
  const made = await Promise.all(Array.from({ length: 4 }, () => createOwnTables(db, [FIRST], db)))
  t.strictSame(made.flat(), ['a 1'])
  t.strictSame(await createOwnTables(db, [FIRST, SECOND], db), ['a 2'])
  t.strictSame(await createOwnTables(db, [FIRST, SECOND], db), [])
  t.strictSame(await runSql(db, 'select x, y from uwas.a'), [['1', null]])
})

t.test('a step that PostgreSQL refuses leaves nothing behind, and says what to do', async (t) => {
  const db = await testDatabase(t)
  await createOwnTables(db, [FIRST], db)
  const broken = { name: 'b 1', sql: 'create table uwas.b (); create table uwas.a ()' }
  await t.rejects(createOwnTables(db, [FIRST, broken], db), {
    code: 'UWAS_ERR_MODEL_OWN_TABLES',
    message:
      'the tables that uwas keeps in the schema "uwas" cannot be made (b 1): relation "a" already exists (SQLSTATE 42P07); give the database role the right to create the schema, or run "uwas migrate" once with a role that has it',
  })
  t.strictSame(await runSql(db, "select to_regclass('uwas.b') is null"), [['t']])
  t.strictSame(await pendingOwnSteps(db, [FIRST, broken]), ['b 1'])
})

t.test('the tables of a site never stand among those of uwas', async (t) => {
  const db = await testDatabase(t)
  await createOwnTables(db, [FIRST], db)
  await runSql(db, 'create table a (y int)')
  const where = "select schemaname from pg_tables where tablename = 'a' order by 1"
  t.strictSame(await runSql(db, where), [['public'], ['uwas']])
  t.strictSame(await runSql(db, 'select * from a'), [], 'the site reads its own')
})

t.test('a role of the name of the schema is told how not to meet in it', async (t) => {
  const db = await testDatabase(t)
  const [name] = (await runSql(db, 'select current_database()'))[0] ?? []
  await runSql(db, `alter role uwas in database ${name} set search_path = "$user", public`)
  await t.rejects(createOwnTables(db, [FIRST], db), {
    code: 'UWAS_ERR_MODEL_OWN_TABLES',
    message:
      /cannot be made \(a 1\): the role has the same name, so that the tables of the site would stand among them; say ALTER ROLE uwas SET search_path = public, "\$user";/,
  })
  t.strictSame(await runSql(db, "select to_regnamespace('uwas') is null"), [['t']])
})
