import t from 'tap'
import { Services } from '../../src/core/services.ts'
import { atomic } from '../../src/model/atomic.ts'
import { DATABASE } from '../../src/model/database.ts'
import { statement } from '../../src/model/statement.ts'
import type { Transaction } from '../../src/model/transaction.ts'
import * as pg from '../../src/model/types.ts'
import { runSql, testDatabase } from '../support/postgres.ts'

const numbers = statement('stream numbers', {
  params: { last: pg.int },
  row: { n: pg.int, pad: pg.text },
  sql: `select n, repeat('x', 1000) as pad from generate_series(1, $1::bigint) as n`,
})
const fixed = statement('stream fixed', {
  row: { n: pg.int },
  sql: 'select n from (values (1), (2), (3)) as v (n)',
})
const dividing = statement('stream dividing', {
  row: { n: pg.int },
  sql: 'select 10 / (3 - n) as n from generate_series(1, 5) as n',
})

t.test('rows come one by one, all of them, in order', async (t) => {
  const db = await testDatabase(t)
  for (const batchRows of [1, 7, 200, 10_000]) {
    const seen: number[] = []
    for await (const { n } of numbers.stream(db, { last: 401 }, { batchRows })) seen.push(n)
    t.strictSame(
      seen,
      Array.from({ length: 401 }, (_, i) => i + 1),
      `${batchRows} at a time`,
    )
  }
  const few: number[] = []
  for await (const { n } of fixed.stream(db)) few.push(n)
  for await (const { n } of fixed.stream(db, { batchRows: 2 })) few.push(n)
  t.strictSame(few, [1, 2, 3, 1, 2, 3], 'the key of a row is not named like its column')
  for await (const _ of numbers.stream(db, { last: 0 })) t.fail('there is none')
})

t.test('a stream of 300 MB needs memory for its batches only', async (t) => {
  const db = await testDatabase(t)
  let most = 0
  let count = 0
  for await (const _ of numbers.stream(db, { last: 300_000 }, { batchRows: 500 })) {
    if (++count % 50_000 === 0) most = Math.max(most, process.memoryUsage().external)
  }
  t.equal(count, 300_000)
  t.ok(most < 50_000_000, `${most} bytes`)
})

t.test('a stream that is left gives its connection back, clean', async (t) => {
  const db = await testDatabase(t, '', { poolSize: 2, acquireTimeoutMs: 200 })
  for (let i = 0; i < 3; i++) {
    for await (const { n } of numbers.stream(db, { last: 1000 }, { batchRows: 10 })) {
      if (n === 15) break
    }
    const failing = async () => {
      for await (const _ of numbers.stream(db, { last: 10 })) throw new Error('of the reader')
    }
    await t.rejects(failing(), { message: 'of the reader' })
  }
  await atomic(db, async (tx) => t.equal((await numbers.all(tx, { last: 2 })).length, 2))
  const open = "select count(*) from pg_stat_activity where state like 'idle in transaction%'"
  t.strictSame(await runSql(db, open), [['0']])
})

t.test('in a transaction a stream belongs to it; several are open at once', async (t) => {
  const db = await testDatabase(t, 'create table seen (n int)')
  const insert = statement('stream seen', {
    params: { n: pg.int },
    sql: 'insert into seen values ($1)',
  })
  const own = statement('stream own', { row: { n: pg.int }, sql: 'select n from seen order by n' })
  let late: AsyncGenerator<{ n: number }> | undefined
  await atomic(db, async (tx) => {
    await insert.run(tx, { n: 7 })
    const first = own.stream(tx, { batchRows: 1 })
    t.strictSame((await first.next()).value, { n: 7 })
    for await (const { n } of numbers.stream(tx, { last: 5 }, { batchRows: 2 })) {
      await atomic(tx, (inner) => insert.run(inner, { n: n + 100 }))
    }
    for await (const _ of fixed.stream(tx, { batchRows: 1 })) break
    t.equal((await first.next()).done, true, 'a cursor sees what was there when it began')
    late = own.stream(tx, { batchRows: 1 })
    await late.next()
  })
  t.strictSame(await runSql(db, 'select count(*) from seen'), [['6']])
  const over = { code: 'UWAS_ERR_MODEL_TRANSACTION', message: /its transaction has ended/ }
  await t.rejects((late as AsyncGenerator).next(), over)
})

t.test('what fails in the middle is thrown there, and counts for the transaction', async (t) => {
  const db = await testDatabase(t)
  const seen: number[] = []
  const reading = async () => {
    for await (const { n } of dividing.stream(db, { batchRows: 1 })) seen.push(n)
  }
  await t.rejects(reading(), {
    code: 'UWAS_ERR_MODEL_QUERY',
    message: /^statement "stream dividing" failed: division by zero \(SQLSTATE 22012\)$/,
  })
  t.strictSame(seen, [5, 10])
  const hidden = atomic(db, async (tx) => {
    for await (const _ of dividing.stream(tx)) t.fail('the first batch fails')
  })
  await t.rejects(hidden, { code: 'UWAS_ERR_MODEL_QUERY' })
  const pid = "select pg_terminate_backend(pid) from pg_stat_activity where query ~ '^fetch 1 from'"
  const cut = async () => {
    for await (const _ of numbers.stream(db, { last: 10 }, { batchRows: 1 })) await runSql(db, pid)
  }
  await t.rejects(cut(), { code: 'UWAS_ERR_MODEL_UNAVAILABLE', status: 503 })
  const { value } = await numbers.stream(db, { last: 1 }).next()
  t.equal(value?.n, 1, 'the next one works')
})

t.test('a request that nobody waits for ends its stream', async (t) => {
  const db = await testDatabase(t)
  const services = new Services().provide(DATABASE, db)
  const req = { services, trace: null, isAborted: false }
  const reading = async () => {
    for await (const { n } of numbers.stream(req, { last: 100 }, { batchRows: 10 })) {
      if (n === 20) req.isAborted = true
      t.ok(n <= 20)
    }
  }
  await t.rejects(reading(), { code: 'UWAS_ERR_MODEL_ABANDONED' })
  const inside = atomic({ services, trace: null }, async (tx: Transaction) => {
    for await (const { n } of fixed.stream(tx)) t.ok(n)
  })
  await inside
})

t.test('what is wrong with a stream is told before anything runs', async (t) => {
  const db = await testDatabase(t)
  const wrong = (options: object, message: string) =>
    t.rejects(fixed.stream(db, options).next(), { code: 'UWAS_ERR_MODEL_STATEMENT', message })
  await wrong(
    { batch: 3 },
    'statement "stream fixed": stream has no option "batch"; it has "batchRows"',
  )
  await wrong({ batchRows: 0 }, /batchRows is 0; it must be a whole number/ as never)
  await t.rejects(numbers.stream(db, { last: 'x' } as never).next(), {
    code: 'UWAS_ERR_MODEL_PARAMETER',
  })
})
