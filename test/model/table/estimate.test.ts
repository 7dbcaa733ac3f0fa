import t from 'tap'
import { table } from '../../../src/model/table/table.ts'
import * as pg from '../../../src/model/types.ts'
import { warm } from '../../../src/model/warm.ts'
import { runSql, testDatabase } from '../../support/postgres.ts'

t.test('the number of rows is counted while there are few, and reckoned later', async (t) => {
  const things = table('o\'d "things', { id: pg.int, filler: pg.text })
  const parts = table('parts', { id: pg.int })
  const db = await testDatabase(
    t,
    `create table "o'd ""things" (id int primary key, filler text not null);
    create table parts (id int primary key) partition by range (id);
    create table parts_1 partition of parts for values from (0) to (50000) with (autovacuum_enabled = false);
    create table parts_2 partition of parts for values from (50000) to (100000) with (autovacuum_enabled = false);
    alter table "o'd ""things" set (autovacuum_enabled = false)`,
  )
  await warm(db)
  t.equal(await things.estimate(db), 0)
  const add = (from: number, to: number) =>
    runSql(
      db,
      `insert into "o'd ""things" select i, repeat('x', 500) from generate_series(${from}, ${to}) as i`,
    )
  await add(1, 100)
  t.equal(await things.estimate(db), 100, 'small')
  await add(101, 4000)
  t.equal(await things.estimate(db), 4000, 'nothing is known of it yet')
  await runSql(db, `analyze "o'd ""things"`)
  t.equal(await things.estimate(db), 4000)
  await add(4001, 8000)
  const grown = await things.estimate(db)
  t.ok(Math.abs(grown - 8000) < 100, `${grown}: it has grown since`)
  await runSql(db, `delete from "o'd ""things" where id > 10`)
  t.equal(await things.estimate(db), grown, 'nobody has counted')
  await runSql(db, 'insert into parts select generate_series(0, 99999)')
  t.equal(await parts.estimate(db), 100_000, 'nothing is known of its partitions')
  await runSql(db, 'analyze parts')
  const reckoned = await parts.estimate(db)
  t.ok(Math.abs(reckoned - 100_000) < 1000, `${reckoned}: both of them`)
})
