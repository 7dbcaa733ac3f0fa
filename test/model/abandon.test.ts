import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { Services } from '../../src/core/services.ts'
import { json } from '../../src/http/reply.ts'
import { atomic } from '../../src/model/atomic.ts'
import { createDatabase, DATABASE, type Database } from '../../src/model/database.ts'
import { type RequestLike, statement } from '../../src/model/statement.ts'
import * as types from '../../src/model/types.ts'
import { warm } from '../../src/model/warm.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'
import { keepLog, runSql, testDatabase, testDatabaseUrl, until } from '../support/postgres.ts'
import { siteOf } from '../support/serving.ts'

const SCHEMA = 'create table kept (x int)'
const insert = statement('insert', { sql: 'insert into kept values (1)' })
const one = statement('one', { row: { x: types.int }, sql: 'select 1 as x', repeats: true })
const long = {
  row: { pid: types.int },
  sql: 'select pg_backend_pid() as pid from pg_sleep(60)',
}
const pause = statement('pause', long)
const report = statement('report', { ...long, slow: true })
const timeLimit = statement('time limit', {
  row: { ms: types.int },
  sql: "select setting::int as ms from pg_settings where name = 'statement_timeout'",
})

const SLEEPING =
  "select pid from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()"

async function sleepers(db: Database): Promise<number> {
  return (await runSql(db, SLEEPING)).length
}

function request(db: Database, signal?: AbortSignal, endsAt = Infinity): RequestLike {
  const services = new Services().provide(DATABASE, db)
  return { services, trace: null, endsAt, ...(signal !== undefined && { signal }) }
}

t.test('who goes away stops what PostgreSQL does for him, and nothing of it stays', async (t) => {
  const db = await testDatabase(t, SCHEMA, { poolSize: 2 })
  await warm(db, [])
  const gone = new AbortController()
  let after: unknown
  const transfer = atomic(request(db, gone.signal), async (tx) => {
    await insert.run(tx)
    await pause.one(tx).catch(() => {})
    after = await insert.run(tx).catch((error: unknown) => error)
    await atomic(tx, (inner) => insert.run(inner))
  })
  await until(async () => (await sleepers(db)) === 1)
  gone.abort()
  await t.rejects(transfer, {
    code: 'UWAS_ERR_MODEL_ABANDONED',
    status: 503,
    message: /was rolled back: the client has gone or the time for its reply is over/,
  })
  t.equal(await sleepers(db), 0)
  await until(() => after !== undefined)
  t.match(after, { code: 'UWAS_ERR_MODEL_ABANDONED' }, 'it takes no more statements')
  t.same(await runSql(db, 'select * from kept'), [])
  t.equal(db.stats.cancelled, 1)
  for (let i = 0; i < 20; i++) {
    t.same(await atomic(db, (tx) => one.one(tx)), { x: 1 }, 'the same connection is clean')
  }
  t.equal(db.stats.open, 2)
})

t.test('a transaction whose function never ends is given up with its request', async (t) => {
  const db = await testDatabase(t, SCHEMA, { poolSize: 2 })
  const gone = new AbortController()
  const stuck = atomic(request(db, gone.signal), async (tx) => {
    await insert.run(tx)
    gone.abort()
    await new Promise(() => {})
  })
  await t.rejects(stuck, { code: 'UWAS_ERR_MODEL_ABANDONED' })
  t.equal(db.stats.inUse, 0)
  t.same(await runSql(db, 'select * from kept'), [])
})

t.test(
  'a slow statement is stopped with its request; one on a shared connection never',
  async (t) => {
    const db = await testDatabase(t, '', { poolSize: 4 })
    await warm(db, [])
    const gone = new AbortController()
    const slow = report.one(request(db, gone.signal))
    const shared = pause.one(request(db, gone.signal))
    shared.catch(() => {})
    await until(async () => (await sleepers(db)) === 2)
    gone.abort()
    await t.rejects(slow, { code: 'UWAS_ERR_MODEL_TIMEOUT', message: /due to user request/ })
    t.equal(await sleepers(db), 1)
    t.equal(db.stats.cancelled, 1)
    await runSql(db, `select pg_cancel_backend(pid) from (${SLEEPING}) as them`)
  },
)

t.test('a cancel never hits who has the connection next', async (t) => {
  const db = await testDatabase(t, SCHEMA, { poolSize: 2 })
  await warm(db, [])
  const quick = statement('quick', {
    row: { done: types.text },
    sql: 'select pg_sleep(0.002)::text as done',
    repeats: true,
  })
  for (let i = 0; i < 60; i++) {
    const gone = new AbortController()
    // About when the statement ends.
    setTimeout(() => gone.abort(), i % 6)
    const first = atomic(request(db, gone.signal), (tx) => quick.run(tx))
    const next = atomic(db, async (tx) => {
      await one.one(tx)
      await quick.run(tx)
      return one.one(tx)
    })
    const [, result] = await Promise.allSettled([first, next])
    if (result.status === 'rejected') t.fail(String(result.reason))
  }
  t.ok(db.stats.cancelled > 0, `${db.stats.cancelled} were cancelled`)
})

t.test('a cancel that comes late hits nobody: the connection is not used again', async (t) => {
  const direct = new URL(await testDatabaseUrl())
  const socket = join(direct.searchParams.get('host') ?? '', '.s.PGSQL.5432')
  let cancel = () => {}
  let hasAsked = false
  // Of a busy server: what asks for a cancel lies about until it is let through.
  const proxy = createServer((client) => {
    const server = connect(socket).on('error', () => {})
    client
      .on('error', () => {})
      .once('data', (first: Buffer) => {
        if (first.length === 16 && first.readInt32BE(4) === 80877102) {
          hasAsked = true
          cancel = () => void server.end(first)
          return
        }
        server.write(first)
        client.pipe(server).pipe(client)
      })
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const { port } = proxy.address() as AddressInfo
  const url = `postgres://uwas@127.0.0.1:${port}${direct.pathname}?sslmode=disable`
  const db = createDatabase({ url, poolSize: 2, log: keepLog() })
  t.teardown(async () => {
    await db.close()
    proxy.close()
  })
  const session = statement('session of', {
    row: { pid: types.int },
    sql: 'select pg_backend_pid() as pid',
  })
  const nap = statement('nap', { row: { x: types.int }, sql: 'select 1 as x from pg_sleep(2)' })
  const gone = new AbortController()
  let before = 0
  const first = atomic(request(db, gone.signal), async (tx) => {
    before = (await session.one(tx)).pid
    const sleeping = nap.one(tx)
    setImmediate(() => setImmediate(() => gone.abort()))
    await sleeping
  })
  await t.rejects(first, { code: 'UWAS_ERR_MODEL_ABANDONED' })
  t.ok(hasAsked)
  const next = await atomic(db, async (tx) => {
    const { pid } = await session.one(tx)
    cancel()
    return { pid, ...(await one.one(tx)) }
  })
  t.not(next.pid, before)
  t.equal(next.x, 1)
  t.equal(db.stats.cancelled, 0)
})

t.test('the request has less time than a statement: PostgreSQL knows', async (t) => {
  const db = await testDatabase(t, '', { statementTimeoutMs: 20_000 })
  const limit = (req: RequestLike | Database) => atomic(req, (tx) => timeLimit.one(tx))
  const { ms } = await limit(request(db, undefined, performance.now() + 5000))
  t.ok(ms > 1000 && ms <= 5000, `${ms}`)
  t.same(await limit(request(db, undefined, performance.now() + 50_000)), { ms: 20_000 })
  t.same(await limit(db), { ms: 20_000 })
})

t.test('a level that outlives its transaction touches nobody', async (t) => {
  const db = await testDatabase(t, SCHEMA, { poolSize: 2 })
  let go = () => {}
  const wait = new Promise<void>((resolve) => {
    go = resolve
  })
  let inner: Promise<unknown> = Promise.resolve()
  let late: Promise<unknown> = Promise.resolve()
  const outer = atomic(db, async (tx) => {
    inner = atomic(tx, async (nested) => {
      await insert.run(nested)
      await wait
      late = insert.run(nested)
      await late
    })
    inner.catch(() => {})
    await until(() => db.stats.inFlight === 0)
  })
  await t.rejects(outer, {
    code: 'UWAS_ERR_MODEL_TRANSACTION',
    message: 'COMMIT cannot run: an atomic nested in it is still open; was it not awaited?',
  })
  go()
  await t.rejects(inner, {
    code: 'UWAS_ERR_MODEL_TRANSACTION',
    message: /its transaction has ended; was a promise in it not awaited\?/,
  })
  t.same(await runSql(db, 'select * from kept'), [])
})

t.test('a real client that hangs up, and a view whose time is over', async (t) => {
  const url = await testDatabaseUrl()
  const admin = createDatabase({ url, log: keepLog() })
  await runSql(admin, SCHEMA)
  const holding = async (req: RequestLike) => json(await atomic(req, (tx) => pause.one(tx)))
  const site = await siteOf(t, {
    urls: urlconf(path('/hold', holding), path('/limited', holding, { timeoutMs: 200 })),
    database: url,
  })
  const db = site.app.services.get(DATABASE)
  const socket = connect(site.server.port, '127.0.0.1')
  socket.write('GET /hold HTTP/1.1\r\nHost: x\r\n\r\n')
  await until(async () => (await sleepers(db)) === 1)
  socket.destroy()
  await until(async () => (await sleepers(db)) === 0)
  await until(() => db.stats.cancelled === 1)
  const reply = await fetch(`http://127.0.0.1:${site.server.port}/limited`)
  t.equal(reply.status, 503)
  await until(async () => (await sleepers(db)) === 0)
  // By a cancel, or by PostgreSQL itself, which knows when the time is over.
  await until(() => db.stats.inUse === 0)
})

t.test('a server that takes no writes is 503, and looked for anew', async (t) => {
  const db = await testDatabase(t, SCHEMA, { poolSize: 3 })
  await warm(db, [])
  const name = db.connector.options.target.database
  await runSql(db, `alter database ${name} set default_transaction_read_only = on`)
  await runSql(
    db,
    `select pg_terminate_backend(pid) from pg_stat_activity
    where datname = '${name}' and pid <> pg_backend_pid()`,
  )
  await until(() => db.stats.open === 0)
  const refused = {
    code: 'UWAS_ERR_MODEL_READ_ONLY',
    status: 503,
    headers: [['Retry-After', '1']],
    message:
      /^statement "insert" was refused, because PostgreSQL at .* takes no writes: it is a standby/,
  }
  await t.rejects(insert.run(db), refused)
  await t.rejects(
    atomic(db, (tx) => insert.run(tx)),
    refused,
  )
  await runSql(
    db,
    `begin read write;
    alter database ${name} reset default_transaction_read_only; commit`,
  )
  await until(() =>
    insert.run(db).then(
      () => true,
      () => false,
    ),
  )
  t.equal(await atomic(db, (tx) => insert.run(tx)), 1)
  await t.rejects(
    atomic(db, (tx) => insert.run(tx), { readOnly: true }),
    { code: 'UWAS_ERR_MODEL_QUERY', status: 500 },
    'a transaction that wants to be read-only is another matter',
  )
})
