import t from 'tap'
import { column } from '../../../src/model/table/columns.ts'
import { table } from '../../../src/model/table/table.ts'
import * as pg from '../../../src/model/types.ts'
import { testDatabase } from '../../support/postgres.ts'

const labels = table('labels', {
  id: pg.int,
  tag: column(pg.nullable(pg.text), { default: true }),
  note: pg.nullable(pg.text),
})

t.test('a default that some rows leave out does not become NULL', async (t) => {
  const db = await testDatabase(
    t,
    `create table labels (
      id int primary key, tag text default 'dflt', note text
    )`,
  )
  const tags = (rows: { tag: string | null }[]) => rows.map(({ tag }) => tag)
  t.same(tags(await labels.insertMany(db, [{ id: 1 }, { id: 2, note: 'x' }])), ['dflt', 'dflt'])
  t.same(
    tags(
      await labels.insertMany(db, [
        { id: 3, tag: 'a' },
        { id: 4, tag: null },
      ]),
    ),
    ['a', null],
  )
  const mixed = [{ id: 5, tag: 'x', note: 'n' }, { id: 6 }]
  for (const method of ['insertMany', 'upsertMany', 'copyIn'] as const) {
    await t.rejects(labels[method](db, mixed) as Promise<unknown>, {
      code: 'UWAS_ERR_MODEL_PARAMETER',
      message: new RegExp(`labels.${method}.*tag: is missing in row 1`),
    })
  }
  t.equal((await labels.list(db)).rows.length, 4, 'nothing has gone in')
  const [, second] = await labels.insertMany(db, [{ id: 7, note: 'n' }, { id: 8 }])
  t.equal(second?.note, null, 'without a default it is NULL')
})
