import t from 'tap'
import { Services } from '../../src/core/services.ts'
import { atomic } from '../../src/model/atomic.ts'
import { DATABASE, type Database } from '../../src/model/database.ts'
import { outside } from '../../src/model/outside.ts'
import { statement } from '../../src/model/statement.ts'
import type { Transaction } from '../../src/model/transaction.ts'
import * as types from '../../src/model/types.ts'
import { type KeptLog, runSql, testDatabase } from '../support/postgres.ts'

const SCHEMA = `create table account (id int primary key, points int not null check (points >= 0));
  insert into account values (1, 100), (2, 100);
  create table parent (id int primary key);
  create table child (id int references parent deferrable initially deferred)`

const points = statement('points', {
  params: { id: types.int },
  row: { points: types.int },
  sql: 'select points from account where id = $1',
})
const add = statement('add', {
  params: { id: types.int, points: types.int },
  sql: 'update account set points = points + $2 where id = $1',
})
const orphan = statement('orphan', { sql: 'insert into child values (7)' })
const setting = statement('setting', {
  params: { name: types.text },
  row: { value: types.text },
  sql: 'select current_setting($1) as value',
})

async function stateOf(db: Database): Promise<number[]> {
  const rows = await runSql(db, 'select points from account order by id')
  return rows.map(([value]) => Number(value))
}

t.test('what returns is committed, what throws is rolled back', async (t) => {
  const db = await testDatabase(t, SCHEMA)
  const result = await atomic(db, async (tx) => {
    await add.run(tx, { id: 1, points: -30 })
    t.same(
      await points.one(outside(db), { id: 1 }),
      { points: 100 },
      'outside it is not seen before',
    )
    return add.run(tx, { id: 2, points: 30 })
  })
  t.equal(result, 1)
  t.same(await stateOf(db), [70, 130])
  const failing = atomic(db, async (tx) => {
    await add.run(tx, { id: 1, points: -30 })
    throw new RangeError('mine')
  })
  await t.rejects(failing, new RangeError('mine'))
  const violating = atomic(db, async (tx) => {
    await add.run(tx, { id: 2, points: 500 })
    await add.run(tx, { id: 1, points: -500 })
  })
  await t.rejects(violating, { code: 'UWAS_ERR_MODEL_QUERY', message: /SQLSTATE 23514/ })
  t.same(await stateOf(db), [70, 130])
})

t.test('a request begins a transaction, and nothing of it escapes', async (t) => {
  const db = await testDatabase(t, SCHEMA)
  const req = { services: new Services().provide(DATABASE, db), trace: null }
  const other = { services: req.services, trace: null }
  await atomic(req, async (tx) => {
    await add.run(tx, { id: 1, points: 1 })
    const escaped = {
      code: 'UWAS_ERR_MODEL_ESCAPED',
      message: /^statement "points" was run outside of the transaction .* run it on tx, or on outs/,
    }
    await t.rejects(points.one(req, { id: 1 }), escaped)
    const second = atomic(req, async () => t.fail('a second transaction'))
    await t.rejects(second, { code: 'UWAS_ERR_MODEL_ESCAPED', message: /^atomic was run/ })
    await t.rejects(points.one(db, { id: 1 }), escaped, 'so does the database itself')
    await t.rejects(points.one(other, { id: 1 }), escaped, 'and another request')
    await t.rejects(points.stream(db, { id: 1 }).next(), escaped)
    await t.rejects(
      atomic(db, async () => t.fail('a third')),
      { code: 'UWAS_ERR_MODEL_ESCAPED' },
    )
    const elsewhere = outside(req)
    t.same(await points.one(elsewhere, { id: 1 }), { points: 100 }, 'on purpose it may')
    await atomic(elsewhere, (own) => add.run(own, { id: 2, points: 1 }))
    for await (const row of points.stream(elsewhere, { id: 2 })) t.same(row, { points: 101 })
  })
  t.same(await points.one(req, { id: 1 }), { points: 101 }, 'afterwards the request is free')
  await t.rejects(
    atomic(req, async () => {
      throw new Error('undone')
    }),
  )
  t.same(await points.one(req, { id: 1 }), { points: 101 })
})

t.test('a nested atomic is a savepoint: its rollback leaves the outer one usable', async (t) => {
  const db = await testDatabase(t, SCHEMA)
  await atomic(db, async (tx) => {
    await add.run(tx, { id: 1, points: 1 })
    const inner = atomic(tx, async (inside) => {
      await add.run(inside, { id: 1, points: 10 })
      await atomic(inside, (deepest) => add.run(deepest, { id: 2, points: 5 }))
      await add.run(inside, { id: 1, points: -5000 })
    })
    await t.rejects(inner, { message: /SQLSTATE 23514/ })
    t.same(await points.one(tx, { id: 1 }), { points: 101 })
    await atomic(tx, (inside) => add.run(inside, { id: 2, points: 7 }))
  })
  t.same(await stateOf(db), [101, 107])
})

t.test('onCommit hooks run after the outermost commit only', async (t) => {
  const db = await testDatabase(t, SCHEMA)
  const ran: string[] = []
  await atomic(db, async (tx) => {
    tx.onCommit(async () => {
      ran.push(`outer sees ${(await stateOf(db))[0]}`)
    })
    await atomic(tx, async (inner) => inner.onCommit(() => void ran.push('inner')))
    const dropped = atomic(tx, async (inner) => {
      inner.onCommit(() => void ran.push('dropped'))
      throw new Error('no')
    })
    await t.rejects(dropped, { message: 'no' })
    tx.onCommit(() => {
      throw new Error('hook')
    })
    tx.onCommit(() => void ran.push('last'))
    await add.run(tx, { id: 1, points: 1 })
    t.same(ran, [])
  })
  t.same(ran, ['outer sees 101', 'inner', 'last'])
  t.match((db.log as KeptLog).lines, [
    /an onCommit hook failed; the transaction itself is committed/,
  ])
  const rolledBack = atomic(db, async (tx) => {
    tx.onCommit(() => void ran.push('never'))
    throw new Error('undone')
  })
  await t.rejects(rolledBack, { message: 'undone' })
  t.equal(ran.length, 3)
})

t.test('a failed statement whose error is hidden does not pass for a commit', async (t) => {
  const db = await testDatabase(t, SCHEMA)
  const hiding = atomic(db, async (tx) => {
    await add.run(tx, { id: 2, points: 1 })
    await add.run(tx, { id: 1, points: -5000 }).catch(() => {})
  })
  await t.rejects(hiding, {
    code: 'UWAS_ERR_MODEL_ROLLED_BACK',
    message: /was rolled back instead of committed, because a statement in it had failed/,
    cause: { code: '23514' },
  })
  await atomic(db, async (tx) => {
    const inner = atomic(tx, async (inside) => {
      await add.run(inside, { id: 1, points: -5000 }).catch(() => {})
    })
    await t.rejects(inner, { code: 'UWAS_ERR_MODEL_ROLLED_BACK', cause: { code: '23514' } })
    await add.run(tx, { id: 1, points: 1 })
  })
  t.same(await stateOf(db), [101, 100])
})

t.test(
  'a statement that is not awaited is part of the transaction, and its failure counts',
  async (t) => {
    const db = await testDatabase(t, SCHEMA)
    const floating = atomic(db, async (tx) => {
      void add.run(tx, { id: 1, points: -5000 })
    })
    await t.rejects(floating, { code: 'UWAS_ERR_MODEL_ROLLED_BACK' })
  },
)

t.test('an error of COMMIT itself is thrown', async (t) => {
  const db = await testDatabase(t, SCHEMA)
  await t.rejects(
    atomic(db, (tx) => orphan.run(tx)),
    { code: 'UWAS_ERR_MODEL_QUERY', message: /^commit failed: .* foreign key .*SQLSTATE 23503/ },
  )
  await atomic(db, (tx) => add.run(tx, { id: 1, points: 1 }))
  t.same(await stateOf(db), [101, 100], 'the connection is clean afterwards')
})

t.test('a statement outside its transaction fails loudly', async (t) => {
  const db = await testDatabase(t, SCHEMA)
  let escaped: Transaction | undefined
  await atomic(db, async (tx) => {
    escaped = tx
    await atomic(tx, async (inner) => {
      await t.rejects(points.one(tx, { id: 1 }), {
        code: 'UWAS_ERR_MODEL_TRANSACTION',
        message:
          'statement "points" cannot run: an atomic nested in its transaction is still open; use the inner tx',
      })
      await t.rejects(
        atomic(tx, async () => {}),
        { message: /^a nested atomic cannot run: an atomic nested in its transaction is still/ },
      )
      await points.one(inner, { id: 1 })
    })
  })
  const late = escaped as unknown as Transaction
  await t.rejects(points.one(late, { id: 1 }), {
    code: 'UWAS_ERR_MODEL_TRANSACTION',
    message:
      'statement "points" cannot run: its transaction has ended; was a promise in it not awaited?',
  })
  t.throws(() => late.onCommit(() => {}), { code: 'UWAS_ERR_MODEL_TRANSACTION' })
})

t.test(
  'isolation, read only and deferrable reach PostgreSQL; other options are refused',
  async (t) => {
    const db = await testDatabase(t, SCHEMA)
    const read = (options: Parameters<typeof atomic>[2], name: string) =>
      atomic(db, (tx) => setting.one(tx, { name: `transaction_${name}` }), options)
    t.same(await read({ isolation: 'serializable' }, 'isolation'), { value: 'serializable' })
    t.same(await read({ isolation: 'repeatable read' }, 'isolation'), { value: 'repeatable read' })
    t.same(await read({}, 'isolation'), { value: 'read committed' })
    t.same(await read({ readOnly: true }, 'read_only'), { value: 'on' })
    t.same(await read({ deferrable: true }, 'deferrable'), { value: 'on' })
    await t.rejects(
      atomic(db, (tx) => add.run(tx, { id: 1, points: 1 }), { readOnly: true }),
      { message: /SQLSTATE 25006/ },
    )
    const refused = (options: object, message: string) =>
      t.rejects(
        atomic(db, async () => {}, options),
        { code: 'UWAS_ERR_MODEL_TRANSACTION', message },
      )
    await refused({ readonly: true }, 'atomic cannot run: atomic has no option "readonly"')
    await refused({ isolation: 'snapshot; drop table account' }, /isolation is one of/ as never)
    await refused({ retries: -1 }, 'atomic cannot run: retries is a whole number from 0 to 100')
    await atomic(db, (tx) =>
      t.rejects(
        atomic(tx, async () => {}, { retries: 1 }),
        { message: /options belong to the outermost atomic/ },
      ),
    )
  },
)

/** Each of two runs reads both accounts before either writes: one of them cannot be serialized. */
function skew(
  db: Database,
  id: number,
  meet: () => Promise<void>,
  retries: number,
  runs: number[],
) {
  return atomic(
    db,
    async (tx) => {
      runs.push(id)
      await points.one(tx, { id: 1 })
      await points.one(tx, { id: 2 })
      if (runs.filter((each) => each === id).length === 1) await meet()
      await add.run(tx, { id, points: -1 })
    },
    { isolation: 'serializable', ...(retries > 0 ? { retries } : {}) },
  )
}

function meetingOf(count: number): () => Promise<void> {
  let open = () => {}
  const all = new Promise<void>((resolve) => {
    open = resolve
  })
  let arrived = 0
  return () => {
    if (++arrived === count) open()
    return all
  }
}

t.test('serialization failures are retried as often as allowed', async (t) => {
  const db = await testDatabase(t, SCHEMA)
  const runs: number[] = []
  const meet = meetingOf(2)
  await Promise.all([skew(db, 1, meet, 5, runs), skew(db, 2, meet, 5, runs)])
  t.ok(runs.length > 2, 'one of the two ran again')
  t.same(await stateOf(db), [99, 99])

  const meetAgain = meetingOf(2)
  const results = await Promise.allSettled([
    skew(db, 1, meetAgain, 0, []),
    skew(db, 2, meetAgain, 0, []),
  ])
  const failed = results.filter((each) => each.status === 'rejected')
  t.equal(failed.length, 1)
  t.match(failed[0]?.reason, {
    code: 'UWAS_ERR_MODEL_CONFLICT',
    status: 503,
    headers: [['Retry-After', '1']],
    message: /met a concurrent transaction and was rolled back after 1 attempt\(s\).*40001/,
  })

  let attempts = 0
  const always = statement('always', {
    row: { x: types.nullable(types.text) },
    sql: `select null as x from (select set_config('a.b', 'c', true)) s`,
  })
  const raise = async (tx: Transaction) => {
    attempts++
    await always.one(tx)
    throw Object.assign(new Error('conflict'), { name: 'PostgresError', code: '40P01' })
  }
  await t.rejects(atomic(db, raise, { retries: 2 }), {
    code: 'UWAS_ERR_MODEL_CONFLICT',
    message: /^atomic met a concurrent transaction and was rolled back after 3 attempt\(s\)/,
  })
  t.equal(attempts, 3)
})

t.test('concurrent transfers keep the sum', async (t) => {
  const quick = `do $$ begin execute format('alter database %I set deadlock_timeout = ''10ms''',
    current_database()); end $$`
  const db = await testDatabase(t, `${SCHEMA}; ${quick}`, { poolSize: 6, acquireTimeoutMs: 60_000 })
  const transfer = (from: number, to: number) =>
    atomic(
      db,
      async (tx) => {
        await add.run(tx, { id: from, points: -1 })
        await add.run(tx, { id: to, points: 1 })
      },
      { retries: 100 },
    )
  const transfers = Array.from({ length: 40 }, (_, i) => (i % 2 ? transfer(1, 2) : transfer(2, 1)))
  await Promise.all(transfers)
  t.same(await stateOf(db), [100, 100])
})

t.test('a transaction that finds no free connection in time is told so with 503', async (t) => {
  const db = await testDatabase(t, SCHEMA, { poolSize: 2, acquireTimeoutMs: 50 })
  let release = () => {}
  const held = atomic(
    db,
    () =>
      new Promise<void>((resolve) => {
        release = resolve
      }),
  )
  await t.rejects(
    atomic(db, async () => {}),
    {
      code: 'UWAS_ERR_MODEL_BUSY',
      status: 503,
      headers: [['Retry-After', '1']],
      message:
        'no database connection became free in time: all 1 for transactions were in use for 50 ms',
    },
  )
  t.same(await points.one(db, { id: 1 }), { points: 100 }, 'single statements go on')
  const next = atomic(db, (tx) => points.one(tx, { id: 1 }))
  release()
  await held
  t.same(await next, { points: 100 }, 'who waits gets the connection that is given back')
})
