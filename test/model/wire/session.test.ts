import t, { type Test } from 'tap'
import type { Connection } from '../../../src/model/connection.ts'
import { sqlStateOf } from '../../../src/model/failures.ts'
import { runSql, testDatabase } from '../../support/postgres.ts'

const noticed: string[] = []

async function open(t: Test, schema = ''): Promise<Connection> {
  const db = await testDatabase(t, schema)
  const connection = await db.openSeparate({ onNotice: (message) => noticed.push(message) })
  t.teardown(() => connection.close(1000))
  return connection
}

t.test('answers come in the order of the tasks, each failure alone', async (t) => {
  const connection = await open(t)
  const results = await Promise.allSettled(
    Array.from({ length: 3000 }, (_, i) =>
      i % 3 === 1
        ? connection.run('select 1 / $1::int', ['0'])
        : connection.run('select $1::int, $2', [String(i), `text ${i}`]),
    ),
  )
  for (const [i, result] of results.entries()) {
    if (i % 3 === 1) {
      if (result.status === 'fulfilled' || sqlStateOf(result.reason) !== '22012')
        t.fail(`task ${i}`)
    } else if (result.status === 'rejected') t.fail(`task ${i}: ${result.reason}`)
    else if (result.value.rows[0]?.[1] !== `text ${i}`) t.fail(`task ${i} got another's answer`)
  }
  t.equal(results.length, 3000)
  t.equal(connection.pending, 0)
})

t.test('texts of every length and alphabet come back as they were', async (t) => {
  const connection = await open(t)
  const texts = [
    '',
    'a',
    '한글',
    'é'.repeat(24),
    `${'a'.repeat(23)}é`,
    '😀'.repeat(13),
    'x'.repeat(70_000),
    '한'.repeat(900_000),
  ]
  const results = await Promise.all(texts.map((text) => connection.run('select $1::text', [text])))
  for (const [i, { rows }] of results.entries()) t.ok(rows[0]?.[0] === texts[i], `text ${i}`)
  const { rows } = await connection.run('select $1::text, $2::text', [null, 'null'])
  t.strictSame(rows, [[null, 'null']])
})

t.test('a statement that cannot be prepared says why to all who ran it at once', async (t) => {
  const connection = await open(t, 'create table late (id int)')
  const sql = 'select other from late where id = $1'
  const runs = await Promise.allSettled([1, 2, 3].map((id) => connection.run(sql, [String(id)])))
  for (const run of runs) {
    t.match((run as PromiseRejectedResult).reason, { code: '42703', message: /"other"/ })
  }
  await connection.simple('alter table late add other int; insert into late values (1, 5)')
  t.strictSame((await connection.run(sql, ['1'])).rows, [['5']], 'it is prepared when it can be')
})

t.test(
  'a plan whose result has changed is made anew, once, outside of a transaction',
  async (t) => {
    const connection = await open(t, 'create table plan (id int); insert into plan values (7)')
    const sql = 'select * from plan'
    t.strictSame((await connection.run(sql, [])).rows, [['7']])
    await connection.simple("alter table plan add word text default 'w'")
    const { rows, columns } = await connection.run(sql, [])
    t.strictSame(rows, [['7', 'w']])
    t.strictSame(
      columns.map(({ name }) => name),
      ['id', 'word'],
    )
    await connection.simple('deallocate all')
    t.strictSame((await connection.run(sql, [])).rows, [['7', 'w']], 'so is one that is gone')

    await connection.simple('begin; alter table plan drop word')
    await t.rejects(connection.run(sql, []), { code: '0A000' }, 'a transaction is aborted by it')
    await connection.simple('rollback')
    t.strictSame((await connection.run(sql, [])).rows, [['7', 'w']])
  },
)

t.test('several statements in one text give the last answer, and fail as one', async (t) => {
  const connection = await open(t, 'create table many (id int)')
  const last = await connection.simple('insert into many values (1), (2); select id from many')
  t.strictSame(last.rows, [['1'], ['2']])
  t.equal(last.command, 'SELECT')
  t.equal(last.count, 2)
  await t.rejects(connection.simple('insert into many values (3); select 1 / 0'), { code: '22012' })
  t.equal((await connection.simple('select count(*) from many')).rows[0]?.[0], '2')
  t.strictSame((await connection.simple('')).rows, [])
})

t.test(
  'COPY from a client that has nothing to copy fails and leaves the session whole',
  async (t) => {
    const connection = await open(t, 'create table copied (id int)')
    const refused = { message: /uwas sends no data for COPY/ }
    await t.rejects(connection.simple('copy copied from stdin'), refused)
    await t.rejects(connection.run('copy copied from stdin', []), refused)
    t.equal((await connection.simple('copy (select 1) to stdout')).command, 'COPY')
    t.strictSame((await connection.run('select 1', [])).rows, [['1']])
  },
)

t.test('notices reach their listener; an error carries what PostgreSQL says', async (t) => {
  const connection = await open(
    t,
    'create table named (id int constraint positive check (id > 0)); insert into named values (1)',
  )
  noticed.length = 0
  await connection.simple("do $$ begin raise notice 'look: %', 1; end $$")
  t.strictSame(noticed, ['look: 1'])
  await t.rejects(connection.run('insert into named values ($1)', ['-1']), {
    name: 'PostgresError',
    code: '23514',
    severity: 'ERROR',
    constraint_name: 'positive',
    table_name: 'named',
  })
  await t.rejects(connection.run('select from from', []), { code: '42601', position: '13' })
})

t.test('a session that the server ends fails what is in flight with its reason', async (t) => {
  const db = await testDatabase(t)
  const connection = await db.openSeparate()
  const { rows } = await connection.simple('select pg_backend_pid()')
  const waiting = connection.run('select pg_sleep(60)', [])
  const behind = connection.run('select 1', [])
  waiting.catch(() => {})
  behind.catch(() => {})
  await runSql(
    db,
    `select pg_terminate_backend(pid) from pg_stat_activity where pid = ${rows[0]?.[0]}`,
  )
  await t.rejects(waiting, { code: '57P01' })
  await t.rejects(behind, { code: '57P01' })
  t.equal(connection.alive, false)
  await t.rejects(connection.run('select 1', []), { code: 'UWAS_ERR_MODEL_UNAVAILABLE' })
})

t.test('more parameters than the protocol can count are refused, and harm nobody', async (t) => {
  const connection = await open(t)
  const args = new Array<string>(65_536).fill('1')
  await t.rejects(connection.run('select 1', args), { message: /65,535 parameters at most/ })
  t.strictSame((await connection.run('select 1', [])).rows, [['1']])
})

t.test('a parameter that no message can hold is refused, and harms nobody', async (t) => {
  const connection = await open(t)
  const huge = 'x'.repeat(360_000_000)
  const before = connection.run('select 1', [])
  await t.rejects(connection.run('select length($1)', [huge]), { message: /above 1 GiB/ })
  await t.rejects(connection.run('select $1::int, length($2)', ['1', huge]), {
    message: /above 1 GiB/,
  })
  const behind = connection.run('select length($1)', ['four'])
  t.strictSame((await before).rows, [['1']])
  t.strictSame((await behind).rows, [['4']])
  t.strictSame((await connection.run('select $1::text', ['whole'])).rows, [['whole']])
})

t.test("what a site's own function does not support is its failure, not a plan's", async (t) => {
  const connection = await open(
    t,
    `create sequence runs;
     create function odd(i int) returns int language plpgsql as $$ begin
       if i = 3 and nextval('runs') = 1 then raise feature_not_supported; end if;
       return i;
     end $$`,
  )
  const sql = 'select odd(i) from generate_series(1, 4) i'
  await t.rejects(connection.run(sql, []), { code: '0A000' }, 'it is not run again')
  t.strictSame((await connection.run(sql, [])).rows, [['1'], ['2'], ['3'], ['4']])
})
