import t from 'tap'
import { insteadOfSession } from '../../src/model/session-need.ts'
import { Statement } from '../../src/model/statement.ts'
import { checkStatements, warm } from '../../src/model/warm.ts'
import { testDatabase } from '../support/postgres.ts'

t.test('what lasts as long as a session is found however it is written', async (t) => {
  const found: [sql: string, instead: RegExp][] = [
    ['UNLISTEN *', /listen\(\)/],
    ["SeT /* x */ search_path = 'a'", /SET LOCAL/],
    ['reset all', /SET LOCAL/],
    ["select set_config('a.b', coalesce($1, 'x'), false)", /SET LOCAL/],
    ["select set_config('a.b', 'c', is_local => false)", /SET LOCAL/],
    ["select set_config('a.b', $1, $2)", /SET LOCAL/],
    ["select SET_CONFIG ('a.b', lower('c,d'), 'f')", /SET LOCAL/],
    ["select set_config('a.b', 'c', true), set_config('a.b', 'c', false)", /SET LOCAL/],
    ["select E'\\' --', pg_advisory_lock(1)", /advisoryLock/],
    ["select 'a\\', pg_advisory_unlock_all()", /advisoryLock/],
    ['select pg_catalog.pg_try_advisory_lock (1, 2)', /advisoryLock/],
    [`select "set_config"('a.b', 'c', false)`, /SET LOCAL/],
    ['select pg_catalog."pg_advisory_lock"(7)', /advisoryLock/],
    ['create table pg_temp.t (x int)', /ON COMMIT DROP/],
    ['select 1 as a into temp t', /ON COMMIT DROP AS/],
    ['select 1 as a into local temporary table t', /ON COMMIT DROP AS/],
    ['create temp table t (x int)', /ON COMMIT DROP/],
    ["select currval('ids')", /RETURNING/],
    ['insert into a values (lastval())', /RETURNING/],
    ["do $$ begin perform set_config('a.b', 'c', false); end $$", /SET LOCAL/],
    ["do language plpgsql $x$ begin if true then set a.b to 'c'; end if; end $x$", /SET LOCAL/],
    ["do 'begin perform pg_advisory_lock(1); end'", /advisoryLock/],
  ]
  for (const [sql, instead] of found) t.match(insteadOfSession(sql), instead, sql)
})

t.test('what ends with its transaction is not', async (t) => {
  const free = [
    'set local lock_timeout = 5',
    'set transaction isolation level serializable',
    'set constraints all deferred',
    "select set_config('a.b', 'c', true)",
    "select set_config('a.b', 'c', is_local => true)",
    "select set_config('a.b', 'c', is_local := true)",
    "select set_config('a.b', 'c', true::boolean)",
    "select set_config('a.b', concat('f(', $1, ', false)'), TRUE)",
    'select pg_advisory_xact_lock(1), pg_try_advisory_xact_lock_shared(2)',
    'select \'set_config(a, b, false)\' as "pg_advisory_lock("',
    "select E'it\\'s pg_advisory_lock(1)'",
    'select $$ lastval() $$',
    'update accounts set a = 1 -- ; set x = 1',
    'insert into temp_values select 1 as into_temp',
    'create temp table t (x int) on commit drop',
    "do $$ begin perform set_config('a.b', 'c', true); set local a.b = 'c'; end $$",
    'do $$ begin raise notice $x$ set a = b $x$; end $$',
    'with x as (select 1 as a) insert into temp select a from x',
    "do $$ begin execute format('select %L', 1); end $$",
    'create table resets (execute_at int)',
  ]
  for (const sql of free) t.equal(insteadOfSession(sql), undefined, sql)
})

t.test('without a pooler, too, it is refused at start: requests share connections', async (t) => {
  const db = await testDatabase(t)
  const locks = new Statement('locks', { sql: 'select pg_advisory_lock(7)' })
  await t.rejects(warm(db, [locks]), {
    code: 'UWAS_ERR_MODEL_SESSION',
    message:
      'statement "locks" needs a session of its own, and requests share theirs: use advisoryLock(tx, …), which ends with its transaction',
  })
  const findings = await checkStatements(db, [
    locks,
    new Statement('one', { sql: 'set local lock_timeout = 5' }),
  ])
  t.equal(findings.length, 1)
})
