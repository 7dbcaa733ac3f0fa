import t from 'tap'
import { insteadOfSession } from '../../src/model/session-need.ts'
import { statement } from '../../src/model/statement.ts'
import { warm } from '../../src/model/warm.ts'
import { testDatabase } from '../support/postgres.ts'

t.test('what lasts as long as a session is found however it is written', async (t) => {
  const found: [sql: string, instead: RegExp][] = [
    ['UNLISTEN *', /listen\(\)/],
    ['LISTEN changes', /use listen\(\), behind a pooler with database\.directUrl/],
    ['discard all', /uwas prepares each statement itself/],
    ['declare c cursor with hold for select 1', /use stream\(\)/],
    ["/* one /* two */ still one */ sEt a.b = 'c'", /SET LOCAL/],
    ["select set_config('a.b', 'c', 'no')", /SET LOCAL/],
    ["select set_config('a.b', 'c', 0::bool)", /SET LOCAL/],
    ["select set_config('a.b', 'c', (true) and ($1))", /SET LOCAL/],
    ["select set_config(is_local => false, setting_name => 'a.b', new_value => 't')", /SET LOCAL/],
    ['create temp view v as select 1', /an ordinary one, by a migration/],
    ['create or replace temporary view v as select 1', /ordinary/],
    ['create local temp sequence s', /ordinary/],
    ['create function pg_temp.f() returns int language sql as $$ select 1 $$', /ordinary/],
    ['create or replace function "pg_temp".f() returns int return 1', /ordinary/],
    ['create sequence if not exists pg_temp.s', /ordinary/],
    ['select setseed($1)', /the random values that it needs, as parameters/],
    ['select set_limit(0.4)', /SET LOCAL pg_trgm\.similarity_threshold/],
    ["do /* ' */ $$ begin set a.b = 'c'; end $$", /SET LOCAL/],
    ["do $$ begin execute format('select %L', 1); perform setseed(1); end $$", /random/],
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
    "select set_config('a.b', 'c', 't')",
    "select set_config('a.b', 'c', E'On')",
    "select set_config('a.b', 'c', '1')",
    "select set_config('a.b', 'c', $$yes$$::pg_catalog.bool)",
    "select set_config('a.b', 'c', bool 't')",
    "select set_config('a.b', 'c', (cast('true' as boolean)))",
    "select set_config('a.b', (array['a','b'])[1], true)",
    "select set_config(is_local => 'on', setting_name => 'a.b', new_value => 'c')",
    "update accounts set id = id where set_config('a.b', '1, false', true) = ''",
    'create unique index i on pg_temp.t (x)',
    'create temp table t on commit drop as select 1 as x',
    "/* /* set a */ 'b */ select 1",
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

t.test('it is refused where it is declared, also after the start', async (t) => {
  const db = await testDatabase(t)
  await warm(db, [])
  t.throws(() => statement('locks', { sql: 'select pg_advisory_lock(7)' }), {
    code: 'UWAS_ERR_MODEL_SESSION',
    message:
      'statement "locks" needs a session of its own, and requests share theirs: use advisoryLock(tx, …), which ends with its transaction',
  })
  t.throws(() => statement('nested', { sql: '/* a /* b */ c */ begin' }), {
    code: 'UWAS_ERR_MODEL_STATEMENT',
    message: /BEGIN cannot be a statement/,
  })
  t.throws(() => statement('nothing', { sql: '-- nothing\n/* /* at */ all */' }), {
    code: 'UWAS_ERR_MODEL_STATEMENT',
    message: /sql is empty/,
  })
  t.ok(statement('local', { sql: 'set local lock_timeout = 5' }))
})

t.test('what PostgreSQL takes for true is no news to a setting of one transaction', async (t) => {
  const db = await testDatabase(t)
  for (const literal of ['t', ' TRU ', 'yes', 'On', '1', 'y']) {
    const sql = `select set_config('a.b', '${literal}', '${literal}') as x`
    t.equal(insteadOfSession(sql), undefined, literal)
    const connection = await db.openSeparate()
    await connection.simple(sql)
    const { rows } = await connection.simple("select coalesce(current_setting('a.b', true), '')")
    t.same(rows, [['']], `${literal}: gone after its transaction`)
    await connection.close(1000)
  }
})
