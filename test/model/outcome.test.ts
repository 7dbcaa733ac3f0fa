/** What is told of statements and transactions whose connection is lost, and that none of them is run twice. */

import type { AddressInfo } from 'node:net'
import { connect as connectTo, createServer, type Server, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { atomic } from '../../src/model/atomic.ts'
import { createDatabase, type Database } from '../../src/model/database.ts'
import { statement } from '../../src/model/statement.ts'
import type { Transaction } from '../../src/model/transaction.ts'
import * as pg from '../../src/model/types.ts'
import { keepLog, runSql, testDatabase, testDatabaseUrl } from '../support/postgres.ts'

const SCHEMA = `create table account (id int primary key, points int not null);
  insert into account values (1, 100), (2, 100)`
const add = statement('outcome add', {
  params: { id: pg.int, points: pg.int },
  sql: 'update account set points = points + $2 where id = $1',
})
const sum = statement('outcome sum', {
  row: { total: pg.int },
  sql: 'select sum(points) as total from account',
})
const slowAdd = statement('outcome slow', {
  sql: 'with s as (select pg_sleep(60)) update account set points = points + 1 from s',
})
const slowRead = statement('outcome read', {
  row: { id: pg.int },
  sql: 'select id from account, pg_sleep(60)',
})
const pid = statement('outcome pid', {
  row: { pid: pg.int },
  sql: 'select pg_backend_pid() as pid',
})

const UNKNOWN = { code: 'UWAS_ERR_MODEL_COMMIT_UNKNOWN', status: 503, headers: undefined }
const LOST = { code: 'UWAS_ERR_MODEL_UNAVAILABLE', status: 503, headers: [['Retry-After', '1']] }

/** Until a backend runs what `where` says, then ends it as the kernel would. */
async function killRunning(db: Database, where: string, signal: NodeJS.Signals = 'SIGTERM') {
  for (let i = 0; i < 2000; i++) {
    const rows = await runSql(
      db,
      `select pid from pg_stat_activity where pid <> pg_backend_pid() and ${where}`,
    )
    if (rows.length > 0) return process.kill(Number(rows[0]?.[0]), signal)
  }
  throw new Error(`nobody runs ${where}`)
}

t.test(
  'a write of its own whose answer is lost may have been done, a read may be done again',
  async (t) => {
    const db = await testDatabase(t, SCHEMA)
    const writing = slowAdd.run(db)
    await killRunning(db, "query like 'with s as%' and wait_event = 'PgSleep'")
    const told = {
      ...UNKNOWN,
      message:
        'the connection to PostgreSQL was lost before it had answered; whether statement "outcome slow" took effect is not known',
    }
    await t.rejects(writing, told)
    const reading = slowRead.all(db)
    await killRunning(db, "query like 'select id from account%' and wait_event = 'PgSleep'")
    await t.rejects(reading, LOST)
    t.same(await sum.one(db), { total: 200 })
  },
)

t.test('a backend that is killed in any phase of a transaction leaves no half of it', async (t) => {
  const db = await testDatabase(t, SCHEMA)
  const kill = async (tx: Transaction) => {
    const { pid: backend } = await pid.one(tx)
    process.kill(backend, 'SIGTERM')
    while ((await runSql(db, `select 1 from pg_stat_activity where pid = ${backend}`)).length > 0);
  }
  const phases: Record<string, (tx: Transaction) => Promise<unknown>> = {
    'before the first statement': async (tx) => {
      await kill(tx)
      await add.run(tx, { id: 1, points: -1 })
    },
    'between two': async (tx) => {
      await add.run(tx, { id: 1, points: -1 })
      await kill(tx)
      await add.run(tx, { id: 2, points: 1 })
    },
    'before COMMIT': async (tx) => {
      await add.run(tx, { id: 1, points: -1 })
      await kill(tx)
    },
    'in a savepoint': async (tx) => {
      await add.run(tx, { id: 1, points: -1 })
      await atomic(tx, async (inner) => {
        await add.run(inner, { id: 2, points: 1 })
        await kill(inner)
      }).catch(() => {})
      await add.run(tx, { id: 2, points: 1 })
    },
  }
  for (const [phase, fn] of Object.entries(phases)) {
    let runs = 0
    const counted = async (tx: Transaction) => {
      runs++
      await fn(tx)
    }
    await t.rejects(atomic(db, counted, { retries: 5 }), LOST, phase)
    t.equal(runs, 1, 'a lost connection is no conflict')
    t.same(await sum.one(db), { total: 200 }, phase)
  }
})

/** Between the database and PostgreSQL; swallows the answers once `isDeaf` says so, then cuts. */
async function deafProxy(t: Test, url: string, isDeaf: (sent: Buffer) => boolean) {
  const socketFolder = new URL(url.replace('@localhost', '@x')).searchParams.get('host') ?? ''
  const open = new Set<Socket>()
  const server: Server = createServer((client) => {
    const upstream = connectTo(`${socketFolder}/.s.PGSQL.5432`)
    open.add(client).add(upstream)
    let isCut = false
    client.on('data', (chunk) => {
      if (isDeaf(chunk)) isCut = true
      upstream.write(chunk)
    })
    upstream.on('data', (chunk) => {
      // PostgreSQL has answered, so it has committed.
      if (isCut) client.destroy()
      else client.write(chunk)
    })
    for (const [a, b] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      a.on('error', () => {})
      a.on('close', () => b.destroy())
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const each of open) each.destroy()
    return new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  const [, user, database] = /^postgres:\/\/([^@]*)@[^/]*\/([^?]*)/.exec(url) ?? []
  return `postgres://${user}@127.0.0.1:${port}/${database}`
}

t.test(
  'a COMMIT whose answer is lost is told so, and not tried again though it may have failed',
  async (t) => {
    const url = await testDatabaseUrl()
    const direct = createDatabase({ url, log: keepLog() })
    t.teardown(() => direct.close())
    await runSql(direct, SCHEMA)
    let isArmed = false
    const proxied = await deafProxy(t, url, (sent) => isArmed && sent.includes('commit\0'))
    const db = createDatabase({ url: proxied, log: keepLog() })
    t.teardown(() => db.close())
    let runs = 0
    const hooks: string[] = []
    isArmed = true
    const committing = atomic(
      db,
      async (tx) => {
        runs++
        tx.onCommit(() => void hooks.push('told'))
        await add.run(tx, { id: 1, points: 50 })
      },
      { retries: 20 },
    )
    await t.rejects(committing, {
      ...UNKNOWN,
      message: /whether the transaction took effect is not known$/,
    })
    isArmed = false
    t.equal(runs, 1)
    t.same(hooks, [], 'hooks run after what is known to be committed')
    t.same(await sum.one(direct), { total: 250 }, 'here it had')
    t.same(await atomic(db, (tx) => sum.one(tx)), { total: 250 }, 'the next one works')
  },
)

t.test(
  'PostgreSQL that is killed under load costs the requests in flight, and the sum stays',
  async (t) => {
    const db = await testDatabase(t, SCHEMA, { poolSize: 6, acquireTimeoutMs: 60_000 })
    let isOver = false
    const outcomes = new Map<string, number>()
    const count = (key: string) => outcomes.set(key, (outcomes.get(key) ?? 0) + 1)
    const work = async (from: number, to: number) => {
      while (!isOver) {
        await atomic(
          db,
          async (tx) => {
            await add.run(tx, { id: Math.min(from, to), points: from < to ? -1 : 1 })
            await add.run(tx, { id: Math.max(from, to), points: from < to ? 1 : -1 })
          },
          { retries: 10 },
        ).then(
          () => count('committed'),
          (error: { code: string }) => count(error.code),
        )
        t.same(await sum.one(db).catch(() => ({ total: 200 })), { total: 200 })
      }
    }
    const workers = [work(1, 2), work(2, 1), work(1, 2), work(2, 1)]
    const terminate = `select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and random() < 0.5`
    for (let i = 0; i < 15; i++) {
      await runSql(db, terminate).catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    isOver = true
    await Promise.all(workers)
    t.same(await runSql(db, 'select sum(points) from account'), [['200']])
    t.ok((outcomes.get('committed') ?? 0) > 0)
    const known = [
      'committed',
      'UWAS_ERR_MODEL_UNAVAILABLE',
      'UWAS_ERR_MODEL_COMMIT_UNKNOWN',
      'UWAS_ERR_MODEL_CONFLICT',
    ]
    t.ok(
      [...outcomes.keys()].every((key) => known.includes(key)),
      JSON.stringify([...outcomes]),
    )
  },
)

t.test(
  'a transaction whose first statement has an old plan begins once more with it',
  async (t) => {
    const db = await testDatabase(
      t,
      `${SCHEMA}; create table narrow (id int, a text); insert into narrow values (1, 'x')`,
    )
    const first = statement('outcome narrow', {
      params: { id: pg.int },
      row: { id: pg.int, a: pg.text },
      sql: 'select * from narrow where id = $1',
    })
    const add = statement('outcome narrow add', { sql: "insert into narrow values (2, 'y')" })
    const level = statement('outcome narrow level', {
      row: { level: pg.text, mode: pg.text },
      sql: `select current_setting('transaction_isolation') as level,
      current_setting('transaction_read_only') as mode`,
    })
    let runs = 0
    const read = async (tx: Transaction) => {
      runs++
      return [(await first.one(tx, { id: 1 })).a, await level.one(tx)]
    }
    const options = { isolation: 'serializable', readOnly: true } as const
    await atomic(db, read, options)
    await runSql(db, 'alter table narrow alter a type varchar(20)')
    const found = await atomic(db, read, options)
    t.same(found, ['x', { level: 'serializable', mode: 'on' }], 'it begins as it had begun')
    t.equal(runs, 2, 'its function has not run again')
    t.equal(db.stats.retries, 0)
    await runSql(db, 'alter table narrow alter a type text')
    const both = atomic(db, (tx) => Promise.all([first.one(tx, { id: 1 }), add.run(tx)]))
    await t.rejects(both, { code: 'UWAS_ERR_MODEL_CONFLICT' }, 'what was sent behind it has failed')
    await runSql(db, 'alter table narrow alter a type varchar(30)')
    const added = await atomic(db, async (tx) => {
      await first.one(tx, { id: 1 })
      await add.run(tx)
      throw new Error('on purpose')
    }).catch((error: Error) => error.message)
    t.equal(added, 'on purpose')
    t.strictSame(await runSql(db, 'select count(*) from narrow'), [['1']], 'undone as a whole')
  },
)

t.test('a schema that changes under load costs no transaction that may be repeated', async (t) => {
  const db = await testDatabase(
    t,
    `${SCHEMA}; create table wide (id int, a text); insert into wide values (1, 'x')`,
  )
  const shapes = [1, 2, 3].map((n) =>
    statement(`outcome wide ${n}`, {
      row: { id: pg.int, a: pg.text },
      sql: `select * from wide where ${n} = ${n}`,
    }),
  )
  const before = statement('outcome before', { row: { one: pg.int }, sql: 'select 1 as one' })
  const readAll = async (tx: Transaction) => {
    await before.one(tx)
    for (const each of shapes) await each.one(tx)
  }
  await atomic(db, readAll)
  for (let i = 0; i < 3; i++) {
    await runSql(db, `alter table wide alter a type ${i % 2 ? 'text' : 'varchar(20)'}`)
    await t.rejects(atomic(db, readAll), {
      code: 'UWAS_ERR_MODEL_CONFLICT',
      status: 503,
      message: /cached plan must not change result type \(SQLSTATE 0A000\)/,
    })
    await runSql(db, `alter table wide alter a type ${i % 2 ? 'varchar(30)' : 'char(5)'}`)
    const { retries } = db.stats
    await atomic(db, readAll, { retries: 1 })
    t.ok(db.stats.retries - retries <= 1, 'once for all statements together')
    for (const each of shapes) await each.one(db)
  }
})
