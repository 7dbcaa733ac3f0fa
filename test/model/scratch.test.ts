import t from 'tap'
import { createDatabase } from '../../src/model/database.ts'
import { createScratch } from '../../src/model/scratch.ts'
import { keepLog, runSql, testDatabase, testServer } from '../support/postgres.ts'

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
