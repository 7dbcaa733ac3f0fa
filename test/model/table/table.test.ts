import t from 'tap'
import { z } from 'zod'
import { statement } from '../../../src/model/statement.ts'
import { beginStatementGeneration } from '../../../src/model/statement-registry.ts'
import { column } from '../../../src/model/table/columns.ts'
import { beginTableGeneration } from '../../../src/model/table/registry.ts'
import { belongsTo, hasMany, preload } from '../../../src/model/table/relations.ts'
import { table } from '../../../src/model/table/table.ts'
import * as pg from '../../../src/model/types.ts'
import { checkStatements, warm } from '../../../src/model/warm.ts'
import { testDatabase } from '../../support/postgres.ts'

const SCHEMA = `
  create table users (id bigint generated always as identity primary key, name text not null unique);
  create table posts (
    id bigint generated always as identity primary key,
    author_id bigint references users,
    title text not null,
    note text,
    tags text[] not null default '{}',
    score numeric(12, 2) not null default 0,
    created_at timestamptz not null default clock_timestamp()
  );
  create table settings (owner text, name text, value jsonb not null, primary key (owner, name))`

const users = table('users', {
  id: column(pg.int, { generated: true }),
  name: column(pg.text, { check: z.string().min(2).max(10) }),
})
const posts = table(
  'posts',
  {
    id: column(pg.int, { generated: true }),
    authorId: pg.nullable(pg.int),
    title: pg.text,
    note: pg.nullable(pg.text),
    tags: column(pg.array(pg.text), { default: true }),
    score: column(pg.numeric, { default: true }),
    createdAt: column(pg.timestamptz, { default: true }),
  },
  { orders: { newest: { by: ['createdAt', 'id'], descending: true } } },
)
const settings = table(
  'settings',
  { owner: pg.text, name: pg.text, value: pg.json<{ on: boolean }>() },
  { key: ['owner', 'name'] },
)
const author = belongsTo('posts.author', 'authorId', users)
const written = hasMany('users.posts', posts, 'authorId', { newestFirst: true })

t.test('every standard statement fits its table, prepared and named at start', async (t) => {
  const db = await testDatabase(t, SCHEMA)
  t.strictSame(await checkStatements(db), [])
  await warm(db)
})

t.test('a row goes in, is found, changed and removed', async (t) => {
  const db = await testDatabase(t, SCHEMA)
  const post = await posts.insert(db, { title: 'one', tags: ['a', 'b"c'], score: '1234567890.12' })
  t.match(post, { id: 1, authorId: null, title: 'one', note: null, score: '1234567890.12' })
  t.strictSame(post.tags, ['a', 'b"c'])
  t.ok(post.createdAt instanceof Date, 'the default of the database')
  t.strictSame(await posts.get(db, { id: 1 }), post)

  const changed = await posts.update(db, { id: 1 }, { note: 'n', title: undefined })
  t.strictSame(changed, { ...post, note: 'n' })
  t.equal((await posts.update(db, { id: 1 }, { note: null })).note, null, 'NULL is a value to set')
  t.strictSame(await posts.update(db, { id: 1 }, {}), post)
  t.equal(await posts.delete(db, { id: 1 }), true)
  t.equal(await posts.delete(db, { id: 1 }), false)
  t.equal(await posts.find(db, { id: 1 }), undefined)
  const none = { code: 'UWAS_ERR_MODEL_NO_ROW', status: 404 }
  await t.rejects(posts.get(db, { id: 1 }), none)
  await t.rejects(posts.update(db, { id: 1 }, { title: 'x' }), none)
})

t.test('upsert adds a row or gives it new values; a key of two columns', async (t) => {
  const db = await testDatabase(t, SCHEMA)
  const key = { owner: 'me', name: 'dark' }
  await settings.upsert(db, { ...key, value: { on: true } })
  t.strictSame(await settings.upsert(db, { ...key, value: { on: false } }), {
    ...key,
    value: { on: false },
  })
  t.strictSame((await settings.get(db, key)).value, { on: false })
  await t.rejects(posts.upsert(db, { title: 'x' }), {
    code: 'UWAS_ERR_MODEL_TABLE',
    message: 'table "posts": it has no upsert: PostgreSQL makes its key "id"',
  })
})

t.test('many rows go in with one statement', async (t) => {
  const db = await testDatabase(t, SCHEMA)
  const names = Array.from({ length: 5000 }, (_, i) => ({ name: `u${i}, "${i}" {한}` }))
  const added = await users.insertMany(db, names)
  t.equal(added.length, 5000)
  t.equal(new Set(added.map(({ id }) => id)).size, 5000)
  t.ok(names.every(({ name }) => added.some((row) => row.name === name)))
  t.strictSame(await users.insertMany(db, []), [])
  await settings.insertMany(db, [
    { owner: 'a', name: 'x', value: { on: true } },
    { owner: 'b', name: 'x', value: { on: false } },
  ])
  t.strictSame((await settings.get(db, { owner: 'b', name: 'x' })).value, { on: false })
  await t.rejects(posts.insertMany(db, [{ title: 'x' }]), {
    message: 'table "posts": it has no insertMany: its column "tags" has an array type',
  })
  await t.rejects(users.insertMany(db, [{ name: 'x' }, {} as never]), {
    code: 'UWAS_ERR_MODEL_PARAMETER',
    message: /users\.insertMany.*name: is missing in row 1/,
  })
})

t.test('pages follow each other without a gap or a repetition, to the microsecond', async (t) => {
  const db = await testDatabase(t, SCHEMA)
  for (let i = 0; i < 25; i++) await posts.insert(db, { title: `t${i}` })
  for (const order of ['newest', 'key']) {
    const seen: number[] = []
    let after: string | undefined
    do {
      const page = await posts.list(db, { order, limit: 4, after })
      t.strictSame(Object.keys(page.rows[0] ?? {}), Object.keys(posts.shape))
      seen.push(...page.rows.map(({ id }) => id))
      after = page.next
      if (seen.length === 8) await posts.insert(db, { title: 'meanwhile' })
    } while (after !== undefined)
    const expected =
      order === 'key' ? [...seen].sort((a, b) => a - b) : [...seen].sort((a, b) => b - a)
    t.strictSame(seen, expected, order)
    t.equal(new Set(seen).size, seen.length)
    t.ok(seen.length >= 25)
  }
})

t.test('a cursor that is none is 400, whatever it is', async (t) => {
  const db = await testDatabase(t, SCHEMA)
  const forged = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const cursors = ['', '%', 'abc', forged(['key']), forged(['newest', '1']), forged(['key', 1])]
  for (const after of [...cursors, forged(['key', 'x']), forged(['key', "1' or"]), forged(null)]) {
    await t.rejects(
      posts.list(db, { after }),
      { code: 'UWAS_ERR_MODEL_CURSOR', status: 400 },
      after,
    )
  }
  const odd = [
    '',
    ' ',
    '1e3',
    '2147483648',
    '-99999999999999999999',
    'NaN',
    '2026-01-01 00:00:00+99',
  ]
  const orders = { key: (x: string) => ['key', x], newest: (x: string) => ['newest', x, x] }
  for (const [order, cursor] of Object.entries(orders)) {
    for (const value of odd) {
      const listed = posts.list(db, { order, after: forged(cursor(value)) })
      const { status } = await listed.then(
        () => ({ status: 200 }),
        (error: { status: number }) => error,
      )
      t.ok(status === 400 || status === 200, `${order} ${value}: ${status}`)
    }
  }
  const limit = { message: 'table "posts": limit is 0; it must be a whole number from 1 to 1000' }
  await t.rejects(posts.list(db, { limit: 0 }), limit)
  await t.rejects(posts.list(db, { order: 'newst' }), { message: /no order "newst"; did you mean/ })
})

t.test('relations are loaded for all rows with one statement each', async (t) => {
  const db = await testDatabase(t, SCHEMA)
  const [a, b] = [await users.insert(db, { name: 'anna' }), await users.insert(db, { name: 'ben' })]
  for (const authorId of [a.id, b.id, a.id, null]) await posts.insert(db, { title: 't', authorId })
  let count = 0
  const counting = {
    trace: null,
    submit: (query: Parameters<typeof db.submit>[0]) => {
      count++
      db.submit(query)
    },
  }
  const { rows } = await posts.list(db)
  const full = await preload(counting, rows, { author })
  t.strictSame(
    full.map((post) => post.author?.name),
    ['anna', 'ben', 'anna', undefined],
  )
  const people = await preload(counting, [a, b], { posts: written })
  t.strictSame(
    people.map((one) => one.posts.map(({ id }) => id)),
    [[3, 1], [2]],
  )
  t.equal(count, 2)
  t.strictSame(await preload(counting, [], { author }), [])
  t.equal(count, 2)
})

t.test('validators say what is wrong with a row from outside', (t) => {
  const { insert, update } = posts.validators
  t.ok(insert.safeParse({ title: 'x' }).success)
  t.ok(update.safeParse({}).success)
  const bad = insert.safeParse({ title: 1, id: 3, score: 'x', tags: 'no' })
  const paths = bad.error?.issues.map(({ path, code }) => `${path.join('.')} ${code}`)
  t.strictSame(paths?.sort(), [
    ' unrecognized_keys',
    'score custom',
    'tags custom',
    'title invalid_type',
  ])
  t.notOk(users.validators.insert.safeParse({ name: 'x' }).success, 'the column’s own schema')
  t.end()
})

t.test('a mistake in values or in the declaration is told', async (t) => {
  const db = await testDatabase(t, SCHEMA)
  const parameter = { code: 'UWAS_ERR_MODEL_PARAMETER' }
  await t.rejects(posts.insert(db, { titel: 'x' } as never), {
    ...parameter,
    message: /titel: is no column to set; did you mean "title"/,
  })
  await t.rejects(posts.insert(db, {} as never), { ...parameter, message: /title: is missing/ })
  await t.rejects(posts.update(db, { id: 1 }, { id: 2 } as never), {
    ...parameter,
    message: /id: cannot be changed/,
  })
  const wrong = (columns: object, options: object, message: RegExp) => {
    beginStatementGeneration()
    t.throws(() => table('wrong', columns as never, options as never), {
      code: 'UWAS_ERR_MODEL_TABLE',
      message,
    })
  }
  const id = pg.int
  wrong({}, {}, /has no columns/)
  wrong({ a: id }, {}, /its key "id" is none of its columns/)
  wrong({ id, a: column(pg.int, { generatd: true } as never) }, {}, /unknown option "generatd"/)
  wrong({ id, aB: pg.int, a_b: pg.int }, {}, /two of its columns are named a_b/)
  wrong({ id, a: pg.int }, { orders: { x: { by: ['a'] } } }, /"x" does not hold "id" of the key/)
  wrong({ id, a: pg.nullable(pg.int) }, { orders: { x: { by: ['a', 'id'] } } }, /may be NULL/)
  wrong({ id }, { kye: 'id' }, /no option "kye"; did you mean "key"/)
})

t.test('a statement of the site has its name beside those of tables', (t) => {
  beginTableGeneration()
  beginStatementGeneration()
  table('things', { id: pg.int })
  t.throws(() => statement('things.get', { sql: 'select 1' }), { code: 'UWAS_ERR_MODEL_STATEMENT' })
  t.throws(() => table('things', { id: pg.int }, { table: 'other' }), { message: /twice/ })
  t.end()
})

t.test('what fails while nobody awaits it harms nobody', async (t) => {
  const unhandled: unknown[] = []
  const note = (error: unknown) => unhandled.push(error)
  process.on('unhandledRejection', note)
  t.teardown(() => process.off('unhandledRejection', note))
  const db = await testDatabase(t)
  const started: Promise<unknown>[] = [
    posts.get(db, { id: 1 }),
    posts.list(db),
    posts.insert(db, { title: 'x' }),
    posts.insertMany(db, [{ title: 'x' }]),
    posts.update(db, { id: 1 }, { title: 'x' }),
    posts.update(db, { id: 1 }, { titel: 'x' } as never),
    posts.delete(db, { id: 1 }),
    settings.upsert(db, { owner: 'x', name: 'x', value: { on: true } }),
    author.load(db, [{ authorId: 1 }]),
    preload(db, [{ id: 1 }], { written }),
  ]
  // Long enough for all of them to fail: there are no tables.
  await db.openSeparate().then((connection) => connection.close(1000))
  await posts.get(db, { id: 1 }).catch(() => {})
  await new Promise((resolve) => setImmediate(resolve))
  t.strictSame(unhandled, [])
  for (const each of started) await t.rejects(each)
})
