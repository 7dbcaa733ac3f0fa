import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { Services } from '../../src/core/services.ts'
import { atomic } from '../../src/model/atomic.ts'
import type { Connection } from '../../src/model/connection.ts'
import type { Connector } from '../../src/model/connector.ts'
import { createDatabase, DATABASE, type Database } from '../../src/model/database.ts'
import { ExclusiveLane } from '../../src/model/exclusive-lane.ts'
import { statement } from '../../src/model/statement.ts'
import * as types from '../../src/model/types.ts'
import { warm } from '../../src/model/warm.ts'
import { keepLog, runSql, testDatabase, until } from '../support/postgres.ts'

const one = statement('one', { row: { x: types.int }, sql: 'select 1 as x', repeats: true })
const long = {
  params: { seconds: types.float },
  row: { pid: types.int },
  sql: 'select pg_backend_pid() as pid from pg_sleep($1)',
}
const pause = statement('pause', long)
const report = statement('report', { ...long, slow: true })
const session = statement('session', {
  row: { pid: types.int },
  sql: 'select pg_backend_pid() as pid',
})

/** A transaction that lasts until it is released. */
async function hold(db: Database): Promise<{ release: () => void; held: Promise<void> }> {
  return new Promise((started) => {
    const held: Promise<void> = atomic(
      db,
      () => new Promise<void>((release) => started({ release, held })),
    )
  })
}

/** How many sessions sleep now. */
const SLEEPING =
  "select count(*) from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()"

t.test('statements do not wait behind one that takes long, declared so or not', async (t) => {
  const db = await testDatabase(t, '', { poolSize: 6 })
  await warm(db, [])
  // One on each pipelined connection.
  const found = [pause.one(db, { seconds: 60 }), pause.one(db, { seconds: 60 })]
  for (const each of found) each.catch(() => {})
  await until(async () => (await runSql(db, SLEEPING))[0]?.[0] === '2')
  await sleep(150)
  for (let i = 0; i < 20; i++) t.same(await one.one(db), { x: 1 })
  const declared = [report.one(db, { seconds: 60 }), report.one(db, { seconds: 60 })]
  for (const each of declared) each.catch(() => {})
  await until(async () => (await runSql(db, SLEEPING))[0]?.[0] === '4')
  t.equal(db.stats.inUse, 2, 'those have a connection each')
  t.same(await one.one(db), { x: 1 })
  await runSql(
    db,
    `select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'`,
  )
  await Promise.allSettled([...found, ...declared])
  await until(() => db.stats.inUse === 0)
})

t.test('a slow statement leaves the pipelined lane to the others', async (t) => {
  const db = await testDatabase(t, '', { poolSize: 3 })
  await warm(db, [])
  const [first, second] = await Promise.all([
    report.one(db, { seconds: 0 }),
    report.one(db, { seconds: 0 }),
  ])
  const shared = await session.one(db)
  t.not(first.pid, shared.pid)
  t.not(second.pid, shared.pid)
})

t.test('who waits longest is told, and nobody where one is free', async (t) => {
  const db = await testDatabase(t, '', { poolSize: 2 })
  await warm(db, [])
  t.equal(db.oldestWaitMs(), 0)
  const { release, held } = await hold(db)
  t.equal(db.oldestWaitMs(), 0, 'all are in use, and nobody waits')
  const begun = performance.now()
  const first = atomic(db, async () => 'first')
  await until(() => db.stats.waiting === 1)
  await sleep(200)
  const second = atomic(db, async () => 'second')
  await until(() => db.stats.waiting === 2)
  const now = performance.now()
  t.ok(db.oldestWaitMs(now) >= 195)
  t.ok(db.oldestWaitMs(now) <= now - begun)
  release()
  await Promise.all([held, first, second])
  t.equal(db.oldestWaitMs(), 0)
})

t.test('single statements that all wait are told, not those beside a slow one', async (t) => {
  const db = await testDatabase(t, '', { poolSize: 5 })
  await warm(db, [])
  // One on each of the two that all share; the others are free, so nobody stays behind these.
  const slow = [pause.one(db, { seconds: 60 }), pause.one(db, { seconds: 60 })]
  for (const each of slow) each.catch(() => {})
  await until(async () => (await runSql(db, SLEEPING))[0]?.[0] === '2')
  await sleep(200)
  t.equal(db.oldestWaitMs(), 0)
  const alone = [1, 2, 3].map(() => report.one(db, { seconds: 60 }))
  for (const each of alone) each.catch(() => {})
  await until(() => db.oldestWaitMs() >= 200)
  t.equal(db.stats.waiting, 0, 'nobody waits for a connection')
  const behind = one.one(db)
  await runSql(
    db,
    `select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'`,
  )
  await Promise.allSettled([...slow, ...alone])
  t.same(await behind, { x: 1 })
  await until(() => db.oldestWaitMs() === 0)
})

t.test('many short statements behind each other are told as a wait', async (t) => {
  const db = await testDatabase(t, '', { poolSize: 2 })
  await warm(db, [])
  const all = Array.from({ length: 100 }, () => pause.one(db, { seconds: 0.01 }))
  let most = 0
  const timer = setInterval(() => {
    most = Math.max(most, db.oldestWaitMs())
  }, 10)
  await Promise.all(all)
  clearInterval(timer)
  t.ok(most > 400, `the last has waited for a second; told were ${most} ms`)
  await until(() => db.oldestWaitMs() === 0)
})

t.test('waiting is bounded in number and in time, and counted', async (t) => {
  const db = await testDatabase(t, '', { poolSize: 2, acquireTimeoutMs: 100, maxWaiting: 1 })
  await warm(db, [])
  const { release, held } = await hold(db)
  const waits = atomic(db, async () => 'got it')
  await until(() => db.stats.waiting === 1)
  await t.rejects(
    atomic(db, async () => {}),
    {
      code: 'UWAS_ERR_MODEL_BUSY',
      status: 503,
      headers: [['Retry-After', '1']],
      message: 'no database connection became free in time: 1 are waiting for one already',
    },
  )
  await t.rejects(waits, { code: 'UWAS_ERR_MODEL_BUSY', message: /were in use for 100 ms$/ })
  const next = atomic(db, async () => 'got it')
  await until(() => db.stats.waiting === 1)
  release()
  await held
  t.equal(await next, 'got it')
  const { open, inUse, waiting, waited, waitedMs, refused } = db.stats
  t.same(
    { open, inUse, waiting, waited, refused },
    { open: 2, inUse: 0, waiting: 0, waited: 2, refused: 2 },
  )
  t.ok(waitedMs >= 90, `${waitedMs} ms`)
})

t.test('who keeps a connection is found, with the place where it was taken', async (t) => {
  const log = keepLog()
  const db = await testDatabase(t, '', { poolSize: 2, acquireTimeoutMs: 50, leakAfterMs: 1, log })
  let release = () => {}
  async function forgetful(): Promise<void> {
    await atomic(db, () => new Promise<void>((resolve) => (release = resolve)))
  }
  const held = forgetful()
  await until(() => db.stats.inUse === 1)
  await t.rejects(
    atomic(db, async () => {}),
    { message: /in use for 50 ms\n {2}held for \d+ ms, taken at .*forgetful.*pool\.test\.ts:\d+/ },
  )
  await until(() => log.lines.length > 0)
  t.match(
    log.lines[0],
    /held for \d+ ms; is a promise .* It was taken\n.*forgetful.*pool\.test\.ts/,
  )
  await sleep(1200)
  t.equal(log.lines.length, 1, 'once')
  release()
  await held
})

t.test('a connection that is never given back is told when the database is closed', async (t) => {
  const log = keepLog()
  const db = await testDatabase(t, '', { poolSize: 2, leakAfterMs: 60_000, log })
  const held = atomic(db, () => new Promise<void>(() => {}))
  held.catch(() => {})
  await until(() => db.stats.inUse === 1)
  await db.close(100)
  t.match(log.lines.join('\n'), /was not given back until the end; it was taken\n.*pool\.test\.ts/)
})

t.test('a connection whose time is over is replaced, and nothing fails for it', async (t) => {
  const db = await testDatabase(t, '', { poolSize: 3, maxConnectionSeconds: 1 })
  await warm(db, [])
  const seen = new Set<number>()
  const all: Promise<unknown>[] = []
  await until(async () => {
    all.push(pause.one(db, { seconds: 0.01 }))
    seen.add((await session.one(db)).pid)
    seen.add((await atomic(db, (tx) => session.one(tx))).pid)
    return seen.size >= 6
  })
  await Promise.all(all)
  t.ok(db.stats.open <= 3, `${db.stats.open} are open`)
})

t.test(
  'where PostgreSQL has no place for more, one waits for a connection that is there',
  async (t) => {
    const log = keepLog()
    const admin = await testDatabase(t)
    await runSql(admin, 'create role limited login connection limit 3')
    const { target } = admin.connector.options
    const url = `postgres://limited@localhost/${target.database}?host=${encodeURIComponent(target.host)}`
    const db = createDatabase({ url, poolSize: 10, log })
    t.teardown(() => db.close())
    await warm(db, [])
    t.match(log.lines, [/poolSize is 10, but the user "limited" may have 3 connections/])
    t.equal(db.stats.open, 3)
    const results = await Promise.all(
      Array.from({ length: 20 }, () => atomic(db, (tx) => pause.one(tx, { seconds: 0.01 }))),
    )
    t.equal(new Set(results.map(({ pid }) => pid)).size, 1, 'all by the one that there is')
    t.match(log.lines.join('\n'), /too many connections for role "limited"/)
    const late = createDatabase({ url, poolSize: 2, log: keepLog() })
    t.teardown(() => late.close())
    await t.rejects(warm(late, []), {
      code: 'UWAS_ERR_MODEL_UNAVAILABLE',
      message: /too many connections for role "limited" \(its max_connections are in use; lower/,
    })
  },
)

t.test('of a request that is gone nothing waits for a connection', async (t) => {
  const db = await testDatabase(t, '', { poolSize: 2 })
  await warm(db, [])
  const { release, held } = await hold(db)
  const gone = new AbortController()
  const services = new Services().provide(DATABASE, db)
  const req = { services, trace: null, signal: gone.signal }
  const waiting: Promise<unknown>[] = [
    atomic(req, async () => {}),
    report.one({ ...req }, { seconds: 0 }),
  ]
  await until(() => db.stats.waiting === 2)
  gone.abort()
  for (const each of waiting)
    await t.rejects(each as Promise<void>, { code: 'UWAS_ERR_MODEL_ABANDONED' })
  t.equal(db.stats.waiting, 0)
  release()
  await held
})

/** PostgreSQL's answer to one connection too many. */
const FULL = Object.assign(new Error('too many clients'), { name: 'PostgresError', code: '53300' })

interface FakeConnection {
  readonly connection: Connection
  die(): void
}

/** Lanes on connections that are made, refused and lost as a test says. */
function fakeLane(options: { size: number; maxWaiting?: number }) {
  const opened: FakeConnection[] = []
  let attempts = 0
  let hasRoom = true
  const connector = {
    async open(onDead: () => void) {
      attempts++
      if (!hasRoom) throw FULL
      const connection = { alive: true, idleSince: 0, isOver: () => false }
      const die = () => {
        connection.alive = false
        onDead()
      }
      opened.push({ connection: connection as unknown as Connection, die })
      return connection
    },
  } as unknown as Connector
  const rest = { acquireTimeoutMs: 60_000, maxWaiting: 10, leaks: null }
  return {
    lane: new ExclusiveLane(connector, { ...rest, ...options }),
    opened,
    attempts: () => attempts,
    room(is: boolean) {
      hasRoom = is
    },
  }
}

t.test('when the last connection of a full server is lost, who waits opens another', async (t) => {
  const { lane, opened, room, attempts } = fakeLane({ size: 3 })
  await lane.acquire()
  room(false)
  const waiting = [lane.acquire(), lane.acquire()]
  await until(() => lane.waiting === 2)
  t.equal(attempts(), 3)
  room(true)
  opened[0]?.die()
  const first = await waiting[0]
  t.equal(first, opened[1]?.connection, 'before the quiet time is over')
  lane.release(first as Connection)
  t.equal(await waiting[1], first)
})

t.test('a server that was full is asked again, however long all others are kept', async (t) => {
  const { lane, room, attempts } = fakeLane({ size: 4 })
  await lane.acquire()
  room(false)
  const waiting = [lane.acquire(), lane.acquire()]
  await until(() => attempts() >= 4)
  t.equal(lane.waiting, 2, 'it had no room yet')
  t.notOk(lane.hasFree)
  room(true)
  const got = await Promise.all(waiting)
  t.equal(new Set(got).size, 2)
  t.ok(lane.hasFree)
})

t.test('a place that somebody does not need any more goes to the next', async (t) => {
  const { lane, opened } = fakeLane({ size: 1 })
  await lane.acquire()
  const gone = new AbortController()
  const abandoned = lane.acquire(gone.signal)
  const next = lane.acquire()
  await until(() => lane.waiting === 2)
  opened[0]?.die()
  gone.abort()
  await t.rejects(abandoned, { code: 'UWAS_ERR_MODEL_ABANDONED' })
  t.equal(await next, opened[1]?.connection)
})

t.test('what is given back while the server refuses another connection is taken', async (t) => {
  const connection = { alive: true, idleSince: 0, isOver: () => false } as unknown as Connection
  let refuse = () => {}
  const answers = [
    () => Promise.resolve(connection),
    () =>
      new Promise<Connection>((_, reject) => {
        refuse = () => reject(FULL)
      }),
  ]
  const connector = { open: () => answers.shift()?.() } as unknown as Connector
  const options = { size: 3, acquireTimeoutMs: 60_000, maxWaiting: 0, leaks: null }
  const lane = new ExclusiveLane(connector, options)
  const first = await lane.acquire()
  const second = lane.acquire()
  await until(() => answers.length === 0)
  lane.release(first)
  refuse()
  t.equal(await second, first)
})
