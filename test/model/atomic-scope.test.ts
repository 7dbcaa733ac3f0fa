import t from 'tap'
import { Services } from '../../src/core/services.ts'
import { atomic } from '../../src/model/atomic.ts'
import { DATABASE, type Database } from '../../src/model/database.ts'
import { statement } from '../../src/model/statement.ts'
import * as types from '../../src/model/types.ts'
import { runSql, testDatabase } from '../support/postgres.ts'

const SCHEMA = `create table account (id int primary key, points int not null check (points >= 0));
  insert into account values (1, 100), (2, 100)`

const points = statement('points', {
  params: { id: types.int },
  row: { points: types.int },
  sql: 'select points from account where id = $1',
})
const add = statement('add', {
  params: { id: types.int, points: types.int },
  sql: 'update account set points = points + $2 where id = $1',
})
async function stateOf(db: Database): Promise<number[]> {
  const rows = await runSql(db, 'select points from account order by id')
  return rows.map(([value]) => Number(value))
}

t.test('what an atomic has begun may go on after it, and its hooks are outside', async (t) => {
  const db = await testDatabase(t, SCHEMA)
  const req = { services: new Services().provide(DATABASE, db), trace: null }
  const seen: number[] = []
  let later: Promise<void> | undefined
  let end = () => {}
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  await atomic(req, async (tx) => {
    await add.run(tx, { id: 1, points: 1 })
    tx.onCommit(async () => {
      seen.push((await points.one(req, { id: 1 })).points)
    })
    later = ended.then(async () => {
      seen.push((await points.one(db, { id: 1 })).points)
    })
  })
  end()
  await later
  t.same(seen, [101, 101])
})

t.test('an atomic that nobody awaits ends no process', async (t) => {
  const db = await testDatabase(t, SCHEMA)
  const unhandled: unknown[] = []
  const note = (error: unknown) => unhandled.push(error)
  process.on('unhandledRejection', note)
  t.teardown(() => process.off('unhandledRejection', note))
  const failing = atomic(db, async () => {
    throw new Error('nobody hears')
  })
  const refused = atomic(db, async () => {}, { retry: 1 } as never)
  await atomic(db, async (tx) => {
    void atomic(tx, async () => {
      throw new Error('nobody either')
    })
    await new Promise((resolve) => setTimeout(resolve, 20))
  })
  await new Promise((resolve) => setImmediate(resolve))
  t.same(unhandled, [])
  await t.rejects(failing, { message: 'nobody hears' })
  await t.rejects(refused, { code: 'UWAS_ERR_MODEL_TRANSACTION' })
})

t.test('a durable one is never a savepoint', async (t) => {
  const db = await testDatabase(t, SCHEMA)
  await atomic(db, (tx) => add.run(tx, { id: 1, points: 1 }), { durable: true })
  await atomic(db, async (tx) => {
    await t.rejects(
      atomic(tx, async () => t.fail('inside'), { durable: true }),
      {
        code: 'UWAS_ERR_MODEL_TRANSACTION',
        message: /it is durable, and would be a savepoint of the transaction around it/,
      },
    )
  })
  t.same(await stateOf(db), [101, 100])
})

t.test('a request that is over is not tried again', async (t) => {
  const db = await testDatabase(t, SCHEMA)
  const req = { services: new Services().provide(DATABASE, db), trace: null, isAborted: false }
  let runs = 0
  const trying = atomic(
    req,
    async () => {
      runs++
      req.isAborted = true
      throw Object.assign(new Error('conflict'), { name: 'PostgresError', code: '40001' })
    },
    { retries: 50 },
  )
  await t.rejects(trying, { code: 'UWAS_ERR_MODEL_ABANDONED' })
  t.equal(runs, 1)
})

t.test('a storm of serializable transfers ends with the sum that it began with', async (t) => {
  const quick = `do $$ begin execute format('alter database %I set deadlock_timeout = ''10ms''',
    current_database()); end $$`
  const db = await testDatabase(t, `${SCHEMA}; ${quick}`, {
    poolSize: 6,
    acquireTimeoutMs: 60_000,
  })
  const transfer = (from: number, to: number) =>
    atomic(
      db,
      async (tx) => {
        const [a, b] = [await points.one(tx, { id: from }), await points.one(tx, { id: to })]
        if (a.points + b.points !== 200) throw new Error('a transaction sees another sum')
        await add.run(tx, { id: from, points: -1 })
        await add.run(tx, { id: to, points: 1 })
      },
      { isolation: 'serializable', retries: 100 },
    )
  await Promise.all(Array.from({ length: 40 }, (_, i) => (i % 2 ? transfer(1, 2) : transfer(2, 1))))
  t.same(await stateOf(db), [100, 100])
  t.ok(db.stats.retries > 0, `${db.stats.retries} conflicts`)
})

t.test('a nested atomic that nobody awaits never runs on a connection of others', async (t) => {
  const db = await testDatabase(t, SCHEMA, { poolSize: 2 })
  let go = () => {}
  const gone = new Promise<void>((resolve) => {
    go = resolve
  })
  let nested: Promise<unknown> | undefined
  const outer = atomic(db, async (tx) => {
    await add.run(tx, { id: 1, points: 1 })
    await new Promise<void>((resolve) => {
      nested = atomic(tx, async (inner) => {
        await add.run(inner, { id: 1, points: 10 })
        resolve()
        await gone
        await add.run(inner, { id: 2, points: 100 })
      })
    })
  })
  await t.rejects(outer, {
    code: 'UWAS_ERR_MODEL_TRANSACTION',
    message: 'COMMIT cannot run: an atomic nested in it is still open; was it not awaited?',
  })
  await atomic(db, async (tx) => {
    await add.run(tx, { id: 1, points: 5 })
    go()
    await t.rejects(nested as Promise<unknown>, {
      code: 'UWAS_ERR_MODEL_TRANSACTION',
      message: /^statement "add" cannot run: its transaction has ended/,
    })
    await add.run(tx, { id: 2, points: 5 })
  })
  t.same(await stateOf(db), [105, 105])
})

t.test('a view that hangs holds no transaction once nobody waits for it', async (t) => {
  const db = await testDatabase(t, SCHEMA, { poolSize: 2 })
  const gone = new AbortController()
  const req = {
    services: new Services().provide(DATABASE, db),
    trace: null,
    signal: gone.signal,
    get isAborted() {
      return gone.signal.aborted
    },
  }
  let later: Promise<unknown> | undefined
  const hanging = atomic(req, async (tx) => {
    await add.run(tx, { id: 1, points: 1 })
    await atomic(tx, async (inner) => {
      await add.run(inner, { id: 2, points: 1 })
      await new Promise<void>((resolve) => {
        later = new Promise((done) => setTimeout(done, 100)).then(() =>
          add.run(inner, { id: 1, points: 7 }),
        )
        later.catch(() => {})
        setTimeout(() => gone.abort(), 10)
        void later.then(
          () => resolve(),
          () => resolve(),
        )
      })
    })
  })
  await t.rejects(hanging, { code: 'UWAS_ERR_MODEL_ABANDONED', status: 503 })
  await atomic(db, async (tx) => {
    await add.run(tx, { id: 1, points: 5 })
    await t.rejects(later as Promise<unknown>, { code: 'UWAS_ERR_MODEL_ABANDONED' })
  })
  t.same(await stateOf(db), [105, 100], 'it was rolled back at once, and nothing came late')
})
