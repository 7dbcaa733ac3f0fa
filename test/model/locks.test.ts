import t from 'tap'
import { Services } from '../../src/core/services.ts'
import { advisoryLock, tryAdvisoryLock } from '../../src/model/advisory-lock.ts'
import { atomic, atomicRequest } from '../../src/model/atomic.ts'
import { DATABASE } from '../../src/model/database.ts'
import { outside } from '../../src/model/outside.ts'
import { statement } from '../../src/model/statement.ts'
import { column } from '../../src/model/table/columns.ts'
import { table } from '../../src/model/table/table.ts'
import * as pg from '../../src/model/types.ts'
import { testDatabase } from '../support/postgres.ts'

const SCHEMA = `create table jobs (id bigint generated always as identity primary key, name text not null);
  insert into jobs (name) select 'job ' || n from generate_series(1, 20) as n`
const jobs = table('jobs', { id: column(pg.int, { generated: true }), name: pg.text })
const take = statement('take job', {
  row: { id: pg.int, name: pg.text },
  sql: `delete from jobs where id = (
    select id from jobs order by id for update skip locked limit 1) returning id, name`,
})

t.test('a row that one transaction has locked others wait for, skip, or do without', async (t) => {
  const db = await testDatabase(t, SCHEMA)
  const other = outside(db)
  let waiting: Promise<unknown> | undefined
  await atomic(db, async (tx) => {
    t.strictSame(await jobs.lock(tx, { id: 1 }), { id: 1, name: 'job 1' })
    t.equal(await jobs.lock(tx, { id: 99 }), undefined)
    await atomic(other, async (second) => {
      t.equal(await jobs.lock(second, { id: 1 }, { ifLocked: 'skip' }), undefined)
      t.equal((await jobs.lock(second, { id: 2 }, { ifLocked: 'skip' }))?.id, 2)
    })
    const failing = atomic(other, (second) => jobs.lock(second, { id: 1 }, { ifLocked: 'fail' }))
    await t.rejects(failing, {
      code: 'UWAS_ERR_MODEL_LOCKED',
      status: 409,
      message:
        /^statement "jobs\.lock\(update nowait\)" did not get a lock that another transaction/,
    })
    waiting = atomic(other, (second) => jobs.lock(second, { id: 1 }))
    await jobs.update(tx, { id: 1 }, { name: 'changed' })
  })
  t.strictSame(await waiting, { id: 1, name: 'changed' }, 'who waits sees what was committed')
  await atomic(db, async (tx) => {
    await jobs.lock(tx, { id: 3 }, { strength: 'share' })
    await atomic(other, (second) =>
      jobs.lock(second, { id: 3 }, { strength: 'key share', ifLocked: 'fail' }),
    )
    for (const wrong of [{ ifLocked: 'now' }, { strength: 'x; drop' }, { skip: true }]) {
      await t.rejects(jobs.lock(tx, { id: 3 }, wrong as never), { code: 'UWAS_ERR_MODEL_TABLE' })
    }
  })
})

t.test('workers take jobs from one table, each job once', async (t) => {
  const db = await testDatabase(t, SCHEMA, { poolSize: 8 })
  const taken: number[] = []
  const work = async () => {
    for (;;) {
      const job = await atomic(db, async (tx) => {
        const found = await take.maybe(tx)
        await new Promise((resolve) => setImmediate(resolve))
        return found
      })
      if (job === undefined) return
      taken.push(job.id)
    }
  }
  await Promise.all([work(), work(), work(), work()])
  t.strictSame(
    taken.sort((a, b) => a - b),
    Array.from({ length: 20 }, (_, i) => i + 1),
  )
})

t.test('an advisory lock is held until the transaction ends', async (t) => {
  const db = await testDatabase(t)
  const other = outside(db)
  const order: string[] = []
  let waiting: Promise<void> | undefined
  await atomic(db, async (tx) => {
    await advisoryLock(tx, 'nightly')
    const tries = (name: string) => atomic(other, (second) => tryAdvisoryLock(second, name))
    t.strictSame([await tries('nightly'), await tries('weekly')], [false, true])
    waiting = atomic(other, async (second) => {
      await advisoryLock(second, 'nightly')
      order.push('second')
    })
    await new Promise((resolve) => setTimeout(resolve, 20))
    order.push('first')
  })
  await waiting
  t.strictSame(order, ['first', 'second'])
  t.equal(await atomic(db, (tx) => tryAdvisoryLock(tx, 'nightly')), true)
})

t.test('a lock without a transaction would be none, and is refused', async (t) => {
  const db = await testDatabase(t, SCHEMA)
  const req = { services: new Services().provide(DATABASE, db), trace: null }
  const needed = {
    code: 'UWAS_ERR_MODEL_TRANSACTION',
    message: /cannot run: it lasts as long as its transaction: call it on the tx of an atomic/,
  }
  await t.rejects(jobs.lock(req, { id: 1 }), needed)
  await t.rejects(jobs.lock(db as never, { id: 1 }), needed)
  await t.rejects(advisoryLock(req, 'x'), needed)
  await t.rejects(tryAdvisoryLock(db as never, 'x'), needed)
  await atomicRequest(
    req,
    async () => {
      t.equal((await jobs.lock(req, { id: 1 }))?.id, 1)
      await advisoryLock(req, 'x')
      t.equal(await atomic(outside(req), (tx) => tryAdvisoryLock(tx, 'x')), false)
    },
    {},
  )
})
