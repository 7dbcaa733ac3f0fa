import t from 'tap'
import { Trace } from '../../src/core/trace.ts'
import { atomic } from '../../src/model/atomic.ts'
import { createDatabase } from '../../src/model/database.ts'
import { outside } from '../../src/model/outside.ts'
import { statement } from '../../src/model/statement.ts'
import * as pg from '../../src/model/types.ts'
import {
  type KeptLog,
  keepLog,
  runSql,
  testDatabase,
  testDatabaseUrl,
  until,
} from '../support/postgres.ts'

const slow = statement('slow find', {
  params: { name: pg.text, seconds: pg.float },
  row: { id: pg.int },
  sql: 'select id from people, pg_sleep($2) where name = $1',
})
const quick = statement('quick', { row: { x: pg.int }, sql: 'select 1 as x' })
const locking = statement('slow lock', {
  row: { x: pg.int },
  sql: 'select 1 as x from pg_sleep(0.1)',
})

async function logged(log: KeptLog, count: number): Promise<string[]> {
  const slowLines = () => log.lines.filter((line) => line.includes('slow'))
  for (let i = 0; i < 500 && slowLines().length < count; i++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return slowLines()
}

t.test('a statement that takes long is told with its plan, without its values', async (t) => {
  const db = await testDatabase(t, 'create table people (id int, name text)', {
    slowStatementMs: 100,
  })
  const log = db.log as KeptLog
  await quick.one(db)
  await slow.all(db, { name: 'secret', seconds: 0 })
  await runSql(db, "insert into people values (1, 'secret')")
  await slow.all(db, { name: 'secret', seconds: 0.15 })
  await slow.all(db, { name: 'secret', seconds: 0.15 })
  const lines = await logged(log, 1)
  t.equal(lines.length, 1, 'once a minute')
  t.match(lines[0], /^uwas: warning: slow: statement "slow find" took \d+ ms\n {2}Nested Loop .*\n/)
  t.match(lines[0], /Filter: \(name = \$1\)/)
  t.notMatch(lines.join(), 'secret')
})

t.test('in a transaction it is told too, with its route where times are recorded', async (t) => {
  const db = await testDatabase(
    t,
    "create table people (id int, name text); insert into people values (1, 'a')",
    {
      slowStatementMs: 50,
    },
  )
  const trace = new Trace()
  trace.add('route', performance.now(), '/people/<name>')
  const on = Object.assign(outside(db), { trace })
  await atomic(on, (tx) => slow.all(tx, { name: 'a', seconds: 0.1 }))
  t.match((await logged(db.log as KeptLog, 1))[0], /"slow find" in \/people\/<name> took \d+ ms/)
  const planOf = (each: Trace) => each.spans.find(({ detail }) => detail === 'slow find')?.plan
  await until(() => planOf(trace) !== undefined)
  t.match(planOf(trace)?.[0], /^Nested Loop /)
  const second = new Trace()
  await atomic(Object.assign(outside(db), { trace: second }), (tx) =>
    slow.all(tx, { name: 'a', seconds: 0.1 }),
  )
  await until(() => planOf(second) !== undefined)
  t.same(planOf(second), planOf(trace))
  t.equal((await logged(db.log as KeptLog, 1)).length, 1, 'and not logged again')
})

t.test('nobody waits for a connection because of a plan', async (t) => {
  const db = await testDatabase(t, '', { slowStatementMs: 50, poolSize: 2 })
  await atomic(db, async () => {
    await locking.one(outside(db))
    t.match(await logged(db.log as KeptLog, 1), [
      /^uwas: warning: slow: statement "slow lock" took \d+ ms; there is no plan: .*: all are in use$/,
    ])
    t.equal(db.stats.waiting, 0)
  })
})

t.test('where nobody asked nothing is measured, and nonsense is refused', async (t) => {
  const url = await testDatabaseUrl()
  const db = createDatabase({ url, log: keepLog() })
  t.teardown(() => db.close())
  await locking.one(db).catch(() => {})
  t.strictSame((db.log as KeptLog).lines, [])
  t.throws(() => createDatabase({ url, log: keepLog(), slowStatementMs: -1 }), {
    code: 'UWAS_ERR_CORE_INVALID_OPTION',
    message: /slowStatementMs is -1/,
  })
})
