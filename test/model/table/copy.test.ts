import t from 'tap'
import { atomic } from '../../../src/model/atomic.ts'
import { statement } from '../../../src/model/statement.ts'
import { column } from '../../../src/model/table/columns.ts'
import { table } from '../../../src/model/table/table.ts'
import * as pg from '../../../src/model/types.ts'
import { runSql, testDatabase } from '../../support/postgres.ts'

const SCHEMA = `create table things (
  id bigint generated always as identity primary key,
  name text not null, note text, tags text[] not null default '{}', doc jsonb, made timestamptz not null default now()
)`
const things = table('things', {
  id: column(pg.int, { generated: true }),
  name: pg.text,
  note: pg.nullable(pg.text),
  tags: column(pg.array(pg.text), { default: true }),
  doc: pg.nullable(pg.json<unknown>()),
  made: column(pg.timestamptz, { default: true }),
})
const count = statement('copy count', {
  row: { n: pg.int },
  sql: 'select count(*) as n from things',
})

const ODD = [
  '',
  '\\N',
  '\\.',
  'a\tb\nc\rd\\e\b\f\v',
  '한국어 😀',
  '"quoted", {braces}',
  'NULL',
  '\\\\N\n\\.',
]

t.test('every value arrives as it was given', async (t) => {
  const db = await testDatabase(t, SCHEMA)
  const rows = ODD.map((name, i) => ({
    name,
    note: i % 2 === 0 ? null : name,
    tags: [name, 'x'],
    doc: { name },
    made: new Date(1_000_000_000_000 + i),
  }))
  t.equal(await things.copyIn(db, rows), ODD.length)
  const { rows: found } = await things.list(db, { limit: 100 })
  t.strictSame(
    found.map(({ id: _, ...rest }) => rest),
    rows,
  )
})

t.test('a hundred thousand rows come from a source, piece by piece', async (t) => {
  const db = await testDatabase(t, SCHEMA, { statementTimeoutMs: 60_000 })
  let ahead = 0
  async function* source() {
    for (let i = 0; i < 100_000; i++) {
      ahead = i
      yield { name: `n${i} ${'x'.repeat(200)}` }
    }
  }
  t.equal(await things.copyIn(db, source()), 100_000)
  t.equal(ahead, 99_999)
  t.strictSame(await runSql(db, 'select count(distinct name) from things'), [['100000']])
  t.equal(await things.copyIn(db, []), 0)
})

t.test('a mistake in any row undoes all of them, and the source is closed', async (t) => {
  const db = await testDatabase(t, SCHEMA)
  let closed = 0
  const rowsThen = async function* (last: () => unknown) {
    try {
      for (let i = 0; i < 5000; i++) yield { name: `n${i}`, doc: null }
      yield last() as { name: string }
      for (let i = 0; i < 100_000; i++) yield { name: `m${i}` }
    } finally {
      closed++
    }
  }
  const failing = (last: () => unknown, expected: { message: string | RegExp; code?: string }) =>
    t.rejects(things.copyIn(db, rowsThen(last)), expected)
  const parameter = { code: 'UWAS_ERR_MODEL_PARAMETER' }
  await failing(() => ({ name: 7 }), {
    ...parameter,
    message:
      'statement "things.copyIn", parameter name: in row 5000: expected is a string, not a number',
  })
  await failing(() => ({}), { ...parameter, message: /name: is missing in row 5000$/ })
  await failing(() => ({ name: 'x', note: 'y' }), {
    ...parameter,
    message: /note: is given in row 5000, and not in the first$/,
  })
  await failing(() => ({ name: 'x', nome: 'y' }), { message: /nome: is no column to set; did you/ })
  const own = new Error('of the source')
  await failing(
    () => {
      throw own
    },
    { message: 'of the source' },
  )
  t.equal(closed, 5)
  await runSql(db, "alter table things add check (name <> 'm70000')")
  await failing(() => ({ name: 'x' }), {
    code: 'UWAS_ERR_MODEL_QUERY',
    message: /^things\.copyIn failed: .*violates check constraint.*SQLSTATE 23514/,
  })
  t.equal(closed, 6)
  t.strictSame(await count.one(db), { n: 0 })
})

t.test('in a transaction it is part of it, and nothing else runs meanwhile', async (t) => {
  const db = await testDatabase(t, SCHEMA)
  await atomic(db, async (tx) => {
    const copying = things.copyIn(tx, [{ name: 'a' }, { name: 'b' }])
    await new Promise((resolve) => setImmediate(resolve))
    await t.rejects(count.one(tx), {
      code: 'UWAS_ERR_MODEL_TRANSACTION',
      message: /rows are being copied in its transaction; await that first/,
    })
    t.equal(await copying, 2)
    t.strictSame(await count.one(tx), { n: 2 })
    const inner = atomic(tx, async (deep) => {
      await things.copyIn(deep, [{ name: 'c' }])
      throw new Error('undone')
    })
    await t.rejects(inner, { message: 'undone' })
  })
  t.strictSame(await count.one(db), { n: 2 })
})

t.test('a copy that nobody awaits does not pass for done', async (t) => {
  const db = await testDatabase(t, SCHEMA, { poolSize: 2 })
  async function* endless() {
    for (let i = 0; ; i++) {
      yield { name: `n${i}` }
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  let copying: Promise<number> | undefined
  const ending = atomic(db, async (tx) => {
    copying = things.copyIn(tx, endless())
    await new Promise((resolve) => setTimeout(resolve, 20))
  })
  await t.rejects(ending, { code: 'UWAS_ERR_MODEL_ROLLED_BACK' })
  await t.rejects(copying as Promise<number>, { code: 'UWAS_ERR_MODEL_TRANSACTION' })
  t.strictSame(await atomic(db, (tx) => count.one(tx)), { n: 0 }, 'the connection is whole')
})

t.test('a backend that dies while it copies costs the copy only', async (t) => {
  const db = await testDatabase(t, SCHEMA)
  let isKilled = false
  async function* source() {
    for (let i = 0; i < 200_000; i++) {
      if (i === 50_000) {
        isKilled = true
        await runSql(
          db,
          "select pg_terminate_backend(pid) from pg_stat_activity where query ~ '^copy'",
        )
      }
      yield { name: `n${i} ${'x'.repeat(100)}` }
    }
  }
  await t.rejects(things.copyIn(db, source()), { code: 'UWAS_ERR_MODEL_UNAVAILABLE' })
  t.ok(isKilled)
  t.equal(await things.copyIn(db, [{ name: 'x' }]), 1)
  t.strictSame(await count.one(db), { n: 1 })
})

t.test('a source may take longer than a statement', async (t) => {
  const db = await testDatabase(t, SCHEMA, { statementTimeoutMs: 1000 })
  async function* slow() {
    yield { name: 'a' }
    // A piece is under way; a minute goes by.
    await new Promise((resolve) => setTimeout(resolve, 20))
    for (const minute of [0, 1, 2]) db.exclusive.tick(performance.now() + 60_000 * minute)
    yield { name: 'b' }
  }
  t.equal(await things.copyIn(db, slow()), 2)
})
