import t from 'tap'
import { createDatabase } from '../../src/model/database.ts'
import { createScratch } from '../../src/model/scratch.ts'
import { keepLog, runSql, testDatabase, testServer, until } from '../support/postgres.ts'

const LEFT = "select count(*) from pg_database where datname like 'uwas\\_scratch\\_%'"

t.test('a scratch database is empty, a like of the one beside, and goes', async (t) => {
  const db = await testDatabase(t, 'create table note (id int)')
  const [one, two] = await Promise.all([createScratch(db), createScratch(db)])
  t.not(one.database.where, two.database.where)
  t.strictSame(await runSql(one.database, "select to_regclass('note') is null"), [['t']])
  const like = `select encoding, datcollate, datctype from pg_database where datname = current_database()`
  t.strictSame(await runSql(one.database, like), await runSql(db, like))
  t.strictSame(await runSql(db, LEFT), [['2']])
  await one.drop()
  t.strictSame(await runSql(db, LEFT), [['1']])
  // Somebody is connected still.
  const other = await two.database.openSeparate()
  await two.drop()
  await t.rejects(other.simple('select 1'))
  t.strictSame(await runSql(db, LEFT), [['0']])
})

t.test('what a killed process has left goes with the next one, what is used stays', async (t) => {
  const db = await testDatabase(t)
  const used = await createScratch(db)
  const prefix = used.database.where.replace(/^.*\((.*_)[0-9a-f]{16}\)$/s, '$1')
  await runSql(db, `create database ${prefix}0123456789abcdef`)
  await runSql(db, 'create database uwas_scratch_of_another_site')
  const next = await createScratch(db)
  const names = await runSql(
    db,
    "select datname from pg_database where datname like 'uwas\\_scratch\\_%' order by 1",
  )
  t.equal(names.length, 3)
  t.notMatch(names.flat().join(), '0123456789abcdef')
  await next.drop()
  await used.drop()
  await runSql(db, 'drop database uwas_scratch_of_another_site')
})

/** The sessions that keep scratch databases, of those that are connected to this one. */
const KEEPERS = `select pid from pg_locks join pg_stat_activity using (pid)
  where locktype = 'advisory' and granted and datname = current_database()`
const END_KEEPERS = `select pg_terminate_backend(pid, 60000) from (${KEEPERS}) as them`

t.test('one in use outlives the session that has marked it, which is made again', async (t) => {
  const db = await testDatabase(t)
  const used = await createScratch(db)
  const connection = await used.database.openSeparate()
  await runSql(db, END_KEEPERS)
  const next = await createScratch(db)
  t.same((await connection.simple('select 1')).rows, [['1']])
  await connection.close(1000)
  await until(async () => (await runSql(db, KEEPERS)).length === 2)
  const another = await createScratch(db)
  t.strictSame(await runSql(used.database, 'select 1'), [['1']], 'nobody is connected to it')
  await runSql(db, END_KEEPERS)
  for (const each of [used, next, another]) await each.drop()
  t.strictSame(await runSql(db, LEFT), [['0']])
})

t.test('a name in capitals is not taken for the one in small letters', async (t) => {
  const db = await testDatabase(t)
  const used = await createScratch(db)
  const name = used.database.where.replace(/^.*\((.*)\)$/s, '$1')
  const capital = name.replace(/[0-9a-f]{16}$/, 'ABCDEF0123456789')
  const small = capital.toLowerCase()
  await runSql(db, `create database "${capital}"`)
  await runSql(db, `create database ${small}`)
  const lock = await db.openSeparate()
  await lock.run('select pg_advisory_lock(hashtext($1), hashtext($2))', [
    'uwas scratch database',
    small,
  ])
  const next = await createScratch(db)
  const kept = `select datname from pg_database where lower(datname) = '${small}' order by 1`
  t.same((await runSql(db, kept)).flat().sort(), [capital, small])
  await lock.close(1000)
  await next.drop()
  await used.drop()
  await runSql(db, `drop database "${capital}"`)
  await runSql(db, `drop database ${small}`)
})

t.test('a role that may not make databases is told so', async (t) => {
  const db = await testDatabase(t, "create role mere login password 'x'")
  t.teardown(() => runSql(db, 'drop role mere'))
  const { url } = await testServer()
  const { database } = parse(db.where)
  const mere = createDatabase({
    url: url.replace(/\/\/[^@]+@localhost\/[^?]+/, `//mere:x@localhost/${database}`),
    log: keepLog(),
  })
  await t.rejects(createScratch(mere), {
    code: 'UWAS_ERR_MODEL_SCRATCH',
    message: `no database for a while could be made on ${mere.where}: permission denied to create database (SQLSTATE 42501); let the role make databases (ALTER ROLE … CREATEDB), or do without one`,
  })
  await mere.close()
})

function parse(where: string): { database: string } {
  return { database: where.replace(/^.*\((.*)\)$/s, '$1') }
}
