import t from 'tap'
import { atomic } from '../../src/model/atomic.ts'
import type { Database } from '../../src/model/database.ts'
import { statement } from '../../src/model/statement.ts'
import * as types from '../../src/model/types.ts'
import { warm } from '../../src/model/warm.ts'
import { runSql, testDatabase } from '../support/postgres.ts'

const shape = { params: { id: types.int }, row: { id: types.int } }
const of = (mode: string) => `select id /* ${mode} */ from item where id = $1`
const usual = statement('usual', { ...shape, sql: of('usual') })
const custom = statement('custom', { ...shape, sql: of('custom'), planMode: 'custom' })
const generic = statement('generic', { ...shape, sql: of('generic'), planMode: 'generic' })
const mode = statement('mode', {
  row: { mode: types.text },
  sql: "select current_setting('plan_cache_mode') as mode",
})

const SCHEMA = 'create table item (id int primary key); insert into item values (1), (2)'

/** How often the statement was planned for its values, and run by the plan for all, on all connections. */
async function plans(db: Database, sql: string): Promise<{ custom: number; generic: number }> {
  const found = { custom: 0, generic: 0 }
  for (const each of [...db.pipelined.connections, ...db.exclusive.connections]) {
    const text =
      'select custom_plans, generic_plans from pg_prepared_statements where statement = $1'
    const { rows } = await each.run(text, [sql])
    for (const [customs, generics] of rows) {
      found.custom += Number(customs)
      found.generic += Number(generics)
    }
  }
  return found
}

t.test('each statement is planned as it is declared, and no other', async (t) => {
  const db = await testDatabase(t, SCHEMA, { poolSize: 2 })
  await warm(db, [usual, custom, generic] as never)
  const all: Promise<unknown>[] = []
  for (let i = 0; i < 10; i++) {
    for (const each of [custom, usual, generic]) all.push(each.one(db, { id: 1 + (i % 2) }))
    all.push(mode.one(db))
  }
  const answers = await Promise.all(all)
  t.same(answers.slice(0, 4), [{ id: 1 }, { id: 1 }, { id: 1 }, { mode: 'auto' }])
  t.same(answers.slice(-4), [{ id: 2 }, { id: 2 }, { id: 2 }, { mode: 'auto' }])
  t.same(await plans(db, custom.sql), { custom: 10, generic: 0 })
  t.same(await plans(db, generic.sql), { custom: 0, generic: 10 })
  t.same(await plans(db, usual.sql), { custom: 5, generic: 5 }, 'as PostgreSQL chooses')
})

t.test('in a transaction, too, whatever is rolled back in between', async (t) => {
  const db = await testDatabase(t, SCHEMA, { poolSize: 2 })
  await warm(db, [usual, custom, generic] as never)
  await atomic(db, async (tx) => {
    for (let i = 0; i < 10; i++) await generic.one(tx, { id: 1 })
    t.same(await mode.one(tx), { mode: 'auto' })
    await custom.one(tx, { id: 1 })
    const undone = atomic(tx, async (inner) => {
      t.same(await mode.one(inner), { mode: 'auto' })
      throw new Error('undone')
    })
    await t.rejects(undone, { message: 'undone' })
    t.same(await mode.one(tx), { mode: 'auto' })
  })
  t.same(await plans(db, generic.sql), { custom: 0, generic: 10 })
  t.same(await plans(db, custom.sql), { custom: 1, generic: 0 })
  await atomic(db, async (tx) => t.same(await mode.one(tx), { mode: 'auto' }))
})

t.test('what goes wrong is its own failure, and a changed table is read anew', async (t) => {
  const db = await testDatabase(t, `${SCHEMA}; create table other (id int)`, { poolSize: 2 })
  const failing = statement('failing', {
    ...shape,
    sql: 'select 1 / (id - $1) as id from item where id = $1',
    planMode: 'generic',
  })
  const star = statement('star', {
    row: { id: types.int },
    sql: 'select * from other',
    planMode: 'custom',
  })
  await warm(db, [failing, star] as never)
  await runSql(db, 'insert into other values (1)')
  t.same(await star.all(db), [{ id: 1 }])
  const [failed, fine] = await Promise.allSettled([
    failing.one(db, { id: 1 }),
    custom.one(db, { id: 2 }),
  ])
  t.match(failed, { reason: { code: 'UWAS_ERR_MODEL_QUERY', message: /division by zero/ } })
  t.match(fine, { value: { id: 2 } })
  await runSql(db, 'alter table other alter id type bigint; update other set id = 2')
  t.same(await star.all(db), [{ id: 2 }])
})

t.test('another word is refused where it is declared', async (t) => {
  t.throws(() => statement('odd', { sql: 'select 1', planMode: 'force' as never }), {
    code: 'UWAS_ERR_MODEL_STATEMENT',
    message: 'statement "odd": planMode is "force"; it must be one of: custom, generic',
  })
})
