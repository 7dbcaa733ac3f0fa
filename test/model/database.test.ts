import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { isCodedError } from '../../src/core/errors.ts'
import { atomic } from '../../src/model/atomic.ts'
import { createDatabase, type Database } from '../../src/model/database.ts'
import { startEmbeddedPostgres } from '../../src/model/embedded.ts'
import { statement } from '../../src/model/statement.ts'
import * as types from '../../src/model/types.ts'
import { warm } from '../../src/model/warm.ts'
import { copyFreshData } from '../support/fresh-data.ts'
import { keepLog, runSql, testDatabase } from '../support/postgres.ts'

const unhandled: unknown[] = []
process.on('unhandledRejection', (reason) => unhandled.push(reason))

const now = statement('now', { row: { x: types.int }, sql: 'select 1 as x' })
const slow = statement('slow', {
  params: { seconds: types.float },
  row: { done: types.text },
  sql: 'select pg_sleep($1)::text as done',
})
const backend = statement('backend', {
  row: { pid: types.int },
  sql: 'select pg_backend_pid() as pid',
})

const UNAVAILABLE = {
  code: 'UWAS_ERR_MODEL_UNAVAILABLE',
  status: 503,
  headers: [['Retry-After', '1']],
}

/** Repeats `work` until it succeeds, for a bounded time. */
async function eventually<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt === 300) throw error
      await sleep(50)
    }
  }
}

t.test('PostgreSQL killed: requests in flight fail with 503, later ones work', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'uwas-kill-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const log = keepLog()
  await copyFreshData(dir)
  const server = await startEmbeddedPostgres({ dir, log })
  t.teardown(() => server.stop())
  const db = createDatabase({ url: server.url, log })
  t.teardown(() => db.close())
  await runSql(db, 'create table kept (x int); insert into kept values (7)')
  for (const round of [1, 2]) {
    // Both pipelined connections are open: with one of them all statements would wait behind each other.
    await eventually(() => warm(db, [now as never]))
    const victim = server.pid
    const inFlight = [
      ...Array.from({ length: 20 }, () => slow.one(db, { seconds: 60 })),
      atomic(db, (tx) => slow.one(tx, { seconds: 60 })),
    ]
    await eventually(async () => {
      const active = "select 1 from pg_stat_activity where query like '%pg_sleep%'"
      const rows = await runSql(db, `${active} and state = 'active' and pid <> pg_backend_pid()`)
      if (rows.length < 3) throw new Error('not all are running yet')
    })
    process.kill(victim, 'SIGKILL')
    // The orphans of a killed server notice it when they have something to say.
    const results = await Promise.allSettled(inFlight)
    for (const each of results) t.match((each as PromiseRejectedResult).reason, UNAVAILABLE)
    // Until the last of them has, they may even answer.
    await eventually(async () => {
      if (server.pid === victim) throw new Error('not started again yet')
    })
    t.same(await eventually(() => now.one(db)), { x: 1 }, `round ${round}`)
    t.same(await eventually(() => atomic(db, (tx) => now.one(tx))), { x: 1 })
    t.same(await runSql(db, 'select * from kept'), [['7']])
  }
  t.match(log.lines.join('\n'), /the embedded PostgreSQL \(pid \d+\) has ended; starting it again/)
})

t.test('a connection ended by the administrator costs only what was in flight on it', async (t) => {
  const db = await testDatabase(t, '', { poolSize: 4 })
  await warm(db, [now as never])
  const [first, second] = await Promise.all([backend.one(db), backend.one(db)])
  t.not(first.pid, second.pid)
  const results = Promise.allSettled([
    slow.one(db, { seconds: 0.5 }),
    slow.one(db, { seconds: 0.5 }),
  ])
  await runSql(db, `select pg_terminate_backend(${first.pid})`)
  const statuses = (await results).map((each) => each.status).sort()
  t.same(statuses, ['fulfilled', 'rejected'])
  for (const each of await results) {
    if (each.status === 'rejected') t.match(each.reason, UNAVAILABLE)
  }
  for (let i = 0; i < 10; i++) t.same(await now.one(db), { x: 1 }, 'the next ones work at once')
})

t.test('a transaction whose connection is lost never goes on outside of it', async (t) => {
  const db = await testDatabase(t, 'create table a (x int)')
  const insert = statement('insert', { sql: 'insert into a values (1)' })
  const lost = atomic(db, async (tx) => {
    await insert.run(tx)
    const { pid } = await backend.one(tx)
    await runSql(db, `select pg_terminate_backend(${pid})`)
    await eventually(async () => {
      const rows = await runSql(db, `select 1 from pg_stat_activity where pid = ${pid}`)
      if (rows.length > 0) throw new Error('still there')
    })
    await insert.run(tx).catch(() => {})
    await t.rejects(insert.run(tx), UNAVAILABLE)
  })
  await t.rejects(lost, UNAVAILABLE)
  t.same(await runSql(db, 'select * from a'), [])
  t.equal(await atomic(db, (tx) => insert.run(tx)), 1)
})

t.test('a connection that breaks during COMMIT leaves the outcome open, and says so', async (t) => {
  const schema = `create table a (x int);
    create function pause() returns trigger language plpgsql as
      $$ begin perform pg_sleep(60); return null; end $$;
    create constraint trigger pause after insert on a deferrable initially deferred
      for each row execute function pause()`
  const db = await testDatabase(t, schema)
  const insert = statement('insert.paused', { sql: 'insert into a values (1)' })
  let pid = 0
  const committing = atomic(db, async (tx) => {
    pid = (await backend.one(tx)).pid
    await insert.run(tx)
  })
  committing.catch(() => {})
  await eventually(async () => {
    const rows = await runSql(
      db,
      `select pg_terminate_backend(pid) from pg_stat_activity
       where pid = ${pid} and query = 'commit' and wait_event = 'PgSleep'`,
    )
    if (rows.length === 0) throw new Error('not in COMMIT yet')
  })
  await t.rejects(committing, {
    code: 'UWAS_ERR_MODEL_COMMIT_UNKNOWN',
    status: 503,
    message: /was lost before it had answered; whether the transaction took effect is not known/,
  })
})

t.test('a statement that takes too long is cancelled with 503, the others go on', async (t) => {
  const db = await testDatabase(t, '', { statementTimeoutMs: 100 })
  await t.rejects(slow.one(db, { seconds: 60 }), {
    code: 'UWAS_ERR_MODEL_TIMEOUT',
    status: 503,
    message:
      'statement "slow" was cancelled by PostgreSQL: canceling statement due to statement timeout',
  })
  t.same(await now.one(db), { x: 1 })
})

t.test('a server that answers no more is given up after a bounded time', async (t) => {
  const db = await testDatabase(t, '', { poolSize: 2, statementTimeoutMs: 200 })
  const { pid } = await backend.one(db)
  process.kill(pid, 'SIGSTOP')
  t.teardown(() => process.kill(pid, 'SIGCONT'))
  await t.rejects(now.one(db), { ...UNAVAILABLE, message: /no answer for \d+ ms$/ })
  t.same(await now.one(db), { x: 1 }, 'another connection serves the next')
})

async function refused(t: Test, db: Database, message: RegExp): Promise<void> {
  const attempts = [now.one(db), atomic(db, (tx) => now.one(tx)), warm(db, [now as never])]
  for (const each of await Promise.allSettled(attempts)) {
    t.match((each as PromiseRejectedResult).reason, { ...UNAVAILABLE, message })
  }
}

t.test('without a server every statement fails soon, and says where it looked', async (t) => {
  const log = keepLog()
  const open = (url: string, connectTimeoutMs = 200) => {
    const db = createDatabase({ url, log, connectTimeoutMs })
    t.teardown(() => db.close())
    return db
  }
  const secret = 'very-secret'
  const nowhere = open(`postgres://me:${secret}@localhost/site?host=/nowhere`)
  await refused(t, nowhere, /^PostgreSQL at \/nowhere \(site\) is not available: connect ENOENT/)
  const closed = open(`postgres://me:${secret}@127.0.0.1:1/site`)
  await refused(t, closed, /^PostgreSQL at 127\.0\.0\.1:1\/site is not available: .*ECONNREFUSED/)

  const silent = createServer(() => {})
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  t.teardown(() => silent.close())
  const { port } = silent.address() as { port: number }
  const mute = open(`postgres://me:${secret}@127.0.0.1:${port}/site`)
  await refused(t, mute, /is not available: no connection within 200 ms/)

  const hangUp = createServer((socket) => socket.end())
  await new Promise<void>((resolve) => hangUp.listen(0, '127.0.0.1', resolve))
  t.teardown(() => hangUp.close())
  const { port: rude } = hangUp.address() as { port: number }
  await refused(t, open(`postgres://me:${secret}@127.0.0.1:${rude}/site`), /is not available/)
  t.notMatch(log.lines.join('\n'), secret)
})

t.test(
  'a wrong database or user is told in PostgreSQL own words, without the password',
  async (t) => {
    const db = await testDatabase(t)
    const host = encodeURIComponent(db.where.replace(/ \(.*/, ''))
    const wrong = createDatabase({
      url: `postgres://uwas:very-secret@localhost/nothing?host=${host}`,
      log: keepLog(),
    })
    t.teardown(() => wrong.close())
    const error = (await now.one(wrong).catch((reason: unknown) => reason)) as Error
    t.ok(isCodedError(error))
    t.match(error.message, /^PostgreSQL at .* is not available: database "nothing" does not exist$/)
    t.notMatch(
      `${error.stack}${JSON.stringify(error)}${(error.cause as Error).stack}`,
      'very-secret',
    )
  },
)

t.test('of two failing statements the second one may be awaited later', async (t) => {
  const db = createDatabase({ url: 'postgres://a@localhost/b?host=/nowhere', log: keepLog() })
  t.teardown(() => db.close())
  const first = now.one(db)
  const second = now.one(db)
  await t.rejects(first, UNAVAILABLE)
  await sleep(50)
  await t.rejects(second, UNAVAILABLE)
  t.same(unhandled, [])
})

t.test('options are checked', (t) => {
  const make = (options: object) => () =>
    createDatabase({ url: 'postgres://a@b/c', log: keepLog(), ...options })
  t.throws(make({ poolSize: 1 }), {
    code: 'UWAS_ERR_CORE_INVALID_OPTION',
    message: 'database: poolSize is 1; it must be a whole number from 2 to 10000',
  })
  t.throws(make({ acquireTimeoutMs: 0 }), { message: /acquireTimeoutMs is 0; it must be/ })
  t.throws(make({ statementTimeoutMs: -1 }), { message: /statementTimeoutMs is -1; it must be/ })
  t.throws(make({ url: 'mysql://x' }), { code: 'UWAS_ERR_MODEL_URL' })
  t.end()
})

t.test('none of all this left a rejection unhandled', (t) => {
  t.same(unhandled, [])
  t.end()
})
