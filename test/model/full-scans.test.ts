import t from 'tap'
import { findFullScans } from '../../src/model/full-scans.ts'
import { Statement, type StatementOptions } from '../../src/model/statement.ts'
import * as types from '../../src/model/types.ts'
import { testDatabase } from '../support/postgres.ts'

const SCHEMA = `
  create table large (id int primary key, author int not null, title text not null);
  insert into large select i, i % 1000, 'title ' || i from generate_series(1, 30000) as i;
  create table small (id int primary key, author int not null);
  insert into small select i, i from generate_series(1, 500) as i;
  analyze`

const of = (name: string, sql: string, options: Partial<StatementOptions<never, never>> = {}) =>
  new Statement(name, { sql, ...options }) as unknown as Statement

t.test('a statement that reads a large table to find some rows is told', async (t) => {
  const db = await testDatabase(t, SCHEMA)
  const id = { params: { id: types.int } } as never
  const statements = [
    of('by key', 'select title from large where id = $1', id),
    of('by author', '-- which\nselect title from large where author = $1', id),
    of('of small', 'select id from small where author = $1', id),
    of('all', 'select count(*) from large'),
    of('remove', 'delete from large where author = $1', id),
    of('joined', 'select s.id from small s join large l on l.author = s.id where s.id = $1', id),
    of('add', 'insert into small select 1000, 1'),
    of('lock', 'lock table large'),
    of('wrong', 'select nothing from large where author = 1'),
  ]
  const scan = { table: 'public.large', rows: 30_000 }
  t.same(await findFullScans(db, statements), [
    { ...scan, statement: 'by author', filter: '(large.author = $1)' },
    { ...scan, statement: 'remove', filter: '(large.author = $1)' },
    { ...scan, statement: 'joined', filter: '(l.author = $1)' },
  ])
})

t.test('without statistics, or with few rows, nothing is told', async (t) => {
  const db = await testDatabase(t, 'create table large (id int primary key, author int)')
  t.same(await findFullScans(db, [of('by author', 'select id from large where author = 1')]), [])
})
