/** BEGIN goes out with the first statement of an `atomic`, and decides whether that runs. */
import t, { type Test } from 'tap'
import { atomic } from '../../src/model/atomic.ts'
import { createDatabase } from '../../src/model/database.ts'
import { sqlStateOf } from '../../src/model/failures.ts'
import { statement } from '../../src/model/statement.ts'
import * as types from '../../src/model/types.ts'
import { keepLog, runSql, testDatabase } from '../support/postgres.ts'
import { proxied } from '../support/postgres-proxy.ts'

const add = statement('begin add', {
  params: { n: types.int },
  sql: 'insert into kept values ($1)',
})
const state = statement('begin state', {
  row: { isolation: types.text },
  sql: `select current_setting('transaction_isolation') as isolation`,
})

/** A database behind a proxy that counts what its client sends. */
async function counted(t: Test) {
  const { url, parts } = await proxied(t)
  const db = createDatabase({ url, log: keepLog() })
  t.teardown(() => db.close())
  return { db, parts }
}

t.test('a transaction of one statement takes two round trips', async (t) => {
  const { db, parts } = await counted(t)
  await runSql(db, 'create table kept (n int primary key)')
  await atomic(db, (tx) => add.run(tx, { n: 1 }))
  parts()
  await atomic(db, (tx) => add.run(tx, { n: 2 }), { isolation: 'serializable' })
  t.equal(parts(), 2, 'BEGIN with the statement, and COMMIT')
  await atomic(db, async () => {})
  t.equal(parts(), 1, 'BEGIN with COMMIT')
  await atomic(db, () => Promise.reject(new Error('never mind'))).catch(() => {})
  t.equal(parts(), 0, 'nothing to undo')
  await atomic(db, (tx) => atomic(tx, (inner) => add.run(inner, { n: 3 })))
  t.equal(parts(), 4, 'BEGIN with SAVEPOINT, the statement, RELEASE, COMMIT')
  t.strictSame(await runSql(db, 'select n from kept order by n'), [['1'], ['2'], ['3']])
})

t.test('the first statement runs inside, with its options', async (t) => {
  const db = await testDatabase(t, 'create table kept (n int primary key)')
  const first = await atomic(db, (tx) => state.one(tx), { isolation: 'repeatable read' })
  t.match(first, { isolation: 'repeatable read' })
  const readOnly = atomic(db, (tx) => add.run(tx, { n: 1 }), { readOnly: true })
  await t.rejects(readOnly, /read-only transaction/)
  t.strictSame(await runSql(db, 'select n from kept'), [])
})

t.test('where it fails the first statement does not run, prepared before or not', async (t) => {
  const db = await testDatabase(t, 'create table kept (n int primary key)')
  const connection = await db.openSeparate()
  t.teardown(() => connection.close(1000))
  const insert = 'insert into kept values ($1)'
  const fails = async (commands: string[], n: number) => {
    connection.lead(commands)
    const failed = await connection.run(insert, [String(n)]).catch((error: unknown) => error)
    t.equal(sqlStateOf(failed), '42601')
  }
  await fails(['begin nonsense'], 1)
  await fails(['begin', 'set local nonsense'], 2)
  await connection.simple('rollback')
  await connection.run(insert, ['3'])
  await fails(['begin nonsense'], 4)
  connection.lead(['begin nonsense'])
  await t.rejects(connection.simple('insert into kept values (5)'), { code: '42601' })
  t.strictSame(await runSql(db, 'select n from kept'), [['3']])
  connection.lead(['begin', "set local application_name = 'led'"])
  await connection.run(insert, ['6'])
  const { rows } = await connection.run("select current_setting('application_name')", [])
  t.strictSame(rows, [['led']])
  const { command } = await connection.simple('rollback')
  t.equal(command, 'ROLLBACK')
  t.strictSame(await runSql(db, 'select n from kept'), [['3']])
})

t.test('what cannot be sent takes nothing with it', async (t) => {
  const db = await testDatabase(t)
  const connection = await db.openSeparate()
  t.teardown(() => connection.close(1000))
  connection.lead(['begin'])
  const many = Array.from({ length: 70_000 }, () => '1')
  await t.rejects(connection.run('select 1', many), RangeError)
  t.ok(connection.dropLead(), 'BEGIN has not been sent')
  t.notOk(connection.dropLead())
  t.strictSame((await connection.run('select 1', [])).rows, [['1']])
})
