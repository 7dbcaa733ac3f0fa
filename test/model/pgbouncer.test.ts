import t, { type Test } from 'tap'
import { advisoryLock, tryAdvisoryLock } from '../../src/model/advisory-lock.ts'
import { atomic } from '../../src/model/atomic.ts'
import { createDatabase, type Database } from '../../src/model/database.ts'
import { migrate } from '../../src/model/migrate.ts'
import { notify } from '../../src/model/notify.ts'
import { outside } from '../../src/model/outside.ts'
import { createScratch } from '../../src/model/scratch.ts'
import { statement } from '../../src/model/statement.ts'
import * as types from '../../src/model/types.ts'
import { warm } from '../../src/model/warm.ts'
import {
  HOW_TO_GET_IT,
  type PgBouncer,
  pgbouncerPath,
  startPgBouncer,
} from '../support/pgbouncer.ts'
import { keepLog, runSql, until } from '../support/postgres.ts'

const options = pgbouncerPath() === undefined ? { skip: HOW_TO_GET_IT } : {}

const SCHEMA = `create table accounts (id int primary key, points int);
  insert into accounts select n, 100 from generate_series(1, 5) as n`

const echo = statement('echo', {
  params: { x: types.int, words: types.array(types.text) },
  row: { x: types.int, words: types.array(types.text), pid: types.int },
  sql: 'select $1::int as x, $2::text[] as words, pg_backend_pid() as pid',
  repeats: true,
})
const add = statement('add', {
  params: { id: types.int, points: types.int },
  sql: 'update accounts set points = points + $2 where id = $1',
})
const read = statement('read', {
  params: { id: types.int },
  row: { points: types.int },
  sql: 'select points from accounts where id = $1',
  repeats: true,
})
const numbers = statement('numbers', {
  row: { n: types.int },
  sql: 'select n from generate_series(0, 999) as n',
})
const limit = statement('time limit', {
  row: { ms: types.int },
  sql: "select setting::int as ms from pg_settings where name = 'statement_timeout'",
  repeats: true,
})
const wrong = statement('wrong', { row: { x: types.int }, sql: 'select 1 / 0 as x' })
const pause = statement('pause', {
  row: { done: types.text },
  sql: 'select pg_sleep(60)::text as done',
})

async function behind(
  t: Test,
): Promise<{ pooler: PgBouncer; db: Database; lines: readonly string[] }> {
  const pooler = await startPgBouncer(t)
  const log = keepLog()
  const { url, directUrl } = pooler
  const db = createDatabase({ url, directUrl, profile: 'pgbouncer', poolSize: 8, log })
  t.teardown(() => db.close())
  await runSql(db, SCHEMA)
  await warm(db)
  return { pooler, db, lines: log.lines }
}

async function pointsOf(db: Database): Promise<(string | null)[]> {
  return (await runSql(db, 'select points from accounts order by id')).map(
    ([points]) => points ?? null,
  )
}

t.test('statements at once share few sessions, and each gets its own rows', options, async (t) => {
  const { db } = await behind(t)
  const asked = Array.from({ length: 300 }, (_, x) => ({ x, words: [`a${x}`, 'ö"\\', ''] }))
  const answers = await Promise.all(asked.map((each) => echo.one(db, each)))
  t.same(
    answers.map(({ x, words }) => ({ x, words })),
    asked,
  )
  const sessions = new Set(answers.map(({ pid }) => pid)).size
  t.ok(sessions <= 3, `${sessions} sessions for ${db.stats.open} connections`)
  const mixed = await Promise.allSettled([
    wrong.one(db),
    ...asked.slice(0, 50).map((each) => echo.one(db, each)),
    wrong.one(db),
  ])
  const failed = mixed.filter(({ status }) => status === 'rejected')
  t.equal(failed.length, 2, 'a failure is its own')
  t.match((failed[0] as PromiseRejectedResult).reason, { code: 'UWAS_ERR_MODEL_QUERY' })
})

t.test('transactions, their savepoints, streams and locks are whole', options, async (t) => {
  const { db } = await behind(t)
  await atomic(db, async (tx) => {
    await add.run(tx, { id: 1, points: 10 })
    await atomic(tx, async (inner) => {
      await add.run(inner, { id: 2, points: 10 })
      throw new Error('undone')
    }).catch(() => {})
    await atomic(tx, (inner) => add.run(inner, { id: 3, points: 10 }))
  })
  await t.rejects(
    atomic(db, async (tx) => {
      await add.run(tx, { id: 1, points: 1000 })
      throw new Error('all of it')
    }),
    { message: 'all of it' },
  )
  t.same(await pointsOf(db), ['110', '100', '110', '100', '100'])
  await atomic(db, async (tx) => {
    await advisoryLock(tx, 'nightly')
    const other = await atomic(outside(db), (second) => tryAdvisoryLock(second, 'nightly'))
    t.equal(other, false)
  })
  t.equal(
    await atomic(db, (tx) => tryAdvisoryLock(tx, 'nightly')),
    true,
    'it ended with its transaction',
  )
  const seen: number[] = []
  for await (const { n } of numbers.stream(db, { batchRows: 100 })) seen.push(n)
  t.same(
    seen,
    Array.from({ length: 1000 }, (_, i) => i),
  )
  t.same(await atomic(db, (tx) => limit.one(tx)), { ms: 30_000 })
  t.same(await limit.one(db), { ms: 0 }, 'and nobody else has got its setting')
})

t.test('serialization failures are tried again, and no points get lost', options, async (t) => {
  const { db } = await behind(t)
  let readers = 0
  const move = (from: number, to: number) =>
    atomic(
      db,
      async (tx) => {
        const { points } = await read.one(tx, { id: from })
        // Neither of the first two writes before both have read the same row.
        readers++
        await until(() => readers >= 2)
        await add.run(tx, { id: from, points: -1 })
        await add.run(tx, { id: to, points: points > 0 ? 1 : 0 })
      },
      { isolation: 'serializable', retries: 50 },
    )
  await Promise.all([move(1, 2), move(1, 2)])
  t.ok(db.stats.retries > 0, `${db.stats.retries} retries`)
  await move(2, 1)
  await move(2, 1)
  await Promise.all(Array.from({ length: 40 }, (_, i) => move(1 + (i % 5), 1 + ((i + 1) % 5))))
  t.same(await pointsOf(db), ['100', '100', '100', '100', '100'])
})

t.test('a pooler that is away costs 503, and comes back by itself', options, async (t) => {
  const { db, pooler } = await behind(t)
  const inFlight = [pause.one(db), atomic(db, (tx) => pause.one(tx))]
  const over = Promise.allSettled(inFlight)
  const sleeping = "select 1 from pg_stat_activity where wait_event = 'PgSleep'"
  await until(async () => (await runSql(db, sleeping)).length === 2)
  await pooler.stop()
  const gone = { code: 'UWAS_ERR_MODEL_UNAVAILABLE', status: 503, headers: [['Retry-After', '1']] }
  for (const each of await over) t.match((each as PromiseRejectedResult).reason, gone)
  await t.rejects(read.one(db, { id: 1 }), gone)
  await t.rejects(
    atomic(db, (tx) => read.one(tx, { id: 1 })),
    gone,
  )
  await pooler.start()
  await until(() =>
    read.one(db, { id: 1 }).then(
      ({ points }) => points === 100,
      () => false,
    ),
  )
  t.same(await atomic(db, (tx) => read.one(tx, { id: 1 })), { points: 100 })
})

t.test(
  'a scratch database needs a way around it, since its lock is of a session',
  options,
  async (t) => {
    const { url, directUrl } = await startPgBouncer(t)
    const common = { url, profile: 'pgbouncer', poolSize: 2, log: keepLog() } as const
    const without = createDatabase(common)
    t.teardown(() => without.close())
    await t.rejects(createScratch(without), {
      code: 'UWAS_ERR_MODEL_SESSION',
      message: /a scratch database .*database\.directUrl/,
    })
    const db = createDatabase({ ...common, directUrl })
    t.teardown(() => db.close())
    const [one, two] = [await createScratch(db), await createScratch(db)]
    t.same(await runSql(one.database, 'select 1'), [['1']], 'nobody else has dropped it')
    await one.drop()
    await two.drop()
  },
)

t.test('the log says what is slower than it could be, once', options, async (t) => {
  const { db, lines, pooler } = await behind(t)
  const keeps = db.pipelined.connections.every(({ keepsStatements }) => keepsStatements)
  const told = lines.filter((line) => line.includes('keeps no prepared statements'))
  t.equal(told.length, keeps ? 0 : 1)
  const plain = createDatabase({ url: pooler.url, log: keepLog() })
  t.teardown(() => plain.close())
  await t.rejects(read.one(plain, { id: 1 }), {
    code: 'UWAS_ERR_MODEL_UNAVAILABLE',
    message:
      /unsupported startup parameter.*\(a pooler answers; set database\.profile to "pgbouncer"\)/,
  })
})

t.test(
  'what needs a session goes around the pooler, or says that there is no way',
  options,
  async (t) => {
    const { db, pooler } = await behind(t)
    const heard: string[] = []
    await db.listen('changes', (payload) => heard.push(payload))
    await atomic(db, (tx) => notify(tx, 'changes', 'around the pooler'))
    await until(() => heard.length === 1)
    const enclosed = createDatabase({ url: pooler.url, profile: 'pgbouncer', log: keepLog() })
    t.teardown(() => enclosed.close())
    await t.rejects(
      enclosed.listen('changes', () => {}),
      {
        code: 'UWAS_ERR_MODEL_SESSION',
        message: /^listening needs a session of its own, .* set database\.directUrl/,
      },
    )
    await t.rejects(
      migrate(enclosed, t.testdir({ '0001_a.sql': 'select 1;' }), { log: keepLog() }),
      {
        code: 'UWAS_ERR_MODEL_SESSION',
        message:
          'migrating needs a session of its own, and behind PgBouncer there is none: set database.directUrl to a URL of PostgreSQL itself',
      },
    )
  },
)
