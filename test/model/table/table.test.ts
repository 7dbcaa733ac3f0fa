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
  create type mood as enum ('sad', 'so so', 'happy');
  create table shapes (
    id uuid primary key default gen_random_uuid(),
    code text not null unique,
    matrix bigint[], mood mood not null default 'happy', moods mood[] not null default '{}',
    during tstzrange, days datemultirange,
    price numeric(20, 4) not null default 0, big bigint not null default 0, wall timestamp,
    doubled bigint generated always as (big * 2) stored,
    unique (mood, price)
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
const MOODS = ['sad', 'so so', 'happy'] as const
const shapes = table(
  'shapes',
  {
    id: column(pg.uuid, { default: true }),
    code: pg.text,
    matrix: pg.nullable(pg.array(pg.array(pg.bigint))),
    mood: column(pg.oneOf(...MOODS), { default: true, sqlType: 'mood' }),
    moods: column(pg.array(pg.oneOf(...MOODS)), { default: true, sqlType: 'mood[]' }),
    during: pg.nullable(pg.range(pg.timestamptz)),
    days: pg.nullable(pg.multirange(pg.date)),
    price: column(pg.numeric, { default: true }),
    big: column(pg.bigint, { default: true }),
    wall: pg.nullable(pg.timestamp),
    doubled: column(pg.nullable(pg.bigint), { generated: true }),
  },
  { unique: [['code'], ['mood', 'price']] },
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
  const tagged = await posts.insertMany(db, [
    { title: 'x', tags: ['a', 'b"c', '{,}'] },
    { title: 'y', tags: [] },
  ])
  t.strictSame(
    tagged.map(({ tags }) => tags),
    [['a', 'b"c', '{,}'], []],
  )
  await t.rejects(users.insertMany(db, [{ name: 'x' }, {} as never]), {
    code: 'UWAS_ERR_MODEL_PARAMETER',
    message: /users\.insertMany.*name: is missing in row 1/,
  })
})

t.test('arrays, enums, ranges and exact numbers go in, alone and together', async (t) => {
  const db = await testDatabase(t, SCHEMA)
  const range = {
    lower: new Date('2026-01-31T23:59:59.987Z'),
    upper: null,
    bounds: '(]' as const,
  }
  const row = {
    code: 'a',
    matrix: [
      [1n, 9223372036854775807n],
      [-9223372036854775808n, 0n],
    ],
    mood: 'so so' as const,
    moods: ['sad' as const, 'so so' as const],
    during: range,
    days: [
      { lower: '2026-01-01', upper: '2026-02-01', bounds: '[)' as const },
      { lower: '2026-03-01', upper: null },
    ],
    price: '1234567890123456.7891',
    big: 4611686018427387903n,
    wall: '2026-01-31 23:59:59.123456',
  }
  const read = {
    ...row,
    during: { ...range, bounds: '()' },
    days: [row.days[0], { ...row.days[1], bounds: '[)' }],
    doubled: 9223372036854775806n,
  }
  const { id, ...inserted } = await shapes.insert(db, row)
  t.strictSame(inserted, read)
  const other = { ...row, code: 'b', mood: 'sad' as const, matrix: null, moods: [], days: [] }
  const [many] = await shapes.insertMany(db, [other])
  t.strictSame({ ...many, id }, { ...read, ...other, during: read.during, days: [], id })
  await t.rejects(shapes.insert(db, { code: 'c', mood: 'glad' as never }), {
    message:
      'statement "shapes.insert(code, mood)", parameter mood: expected is one of sad, so so, happy, not another text',
  })
})

t.test('many rows are added or take the place of others with one statement', async (t) => {
  const db = await testDatabase(t, SCHEMA)
  const rows = Array.from({ length: 3000 }, (_, i) => ({
    owner: 'o',
    name: `n${i}`,
    value: { on: true },
  }))
  await settings.upsertMany(db, rows.slice(0, 2000))
  const all = rows.map((row) => ({ ...row, value: { on: false } }))
  t.equal((await settings.upsertMany(db, all)).length, 3000)
  const { rows: page } = await settings.list(db, { limit: 1000 })
  t.ok(page.every(({ value }) => !value.on))
  t.strictSame(await settings.upsertMany(db, []), [])
  const twice = settings.upsertMany(db, [all[0], all[0]] as never)
  await t.rejects(twice, { code: 'UWAS_ERR_MODEL_QUERY', message: /SQLSTATE 21000/ })
})

t.test('upsert goes by what is declared unique', async (t) => {
  const db = await testDatabase(t, SCHEMA)
  const by = ['code'] as const
  const first = await shapes.upsert(db, { code: 'a', price: '1.0000' }, { by })
  const second = await shapes.upsert(db, { code: 'a', price: '2.0000' }, { by })
  t.strictSame(second, { ...first, price: '2.0000' })
  const [third] = await shapes.upsertMany(
    db,
    [{ code: 'z', mood: 'happy', price: '2.0000', big: 7n }],
    { by: ['mood', 'price'] },
  )
  t.strictSame(third, { ...second, code: 'z', big: 7n, doubled: 14n })
  await t.rejects(shapes.upsert(db, { code: 'a' }, { by: ['price'] }), {
    code: 'UWAS_ERR_MODEL_TABLE',
    message:
      'table "shapes": upsert goes by [price], which is not declared unique; there are: [id], [code], [mood, price]',
  })
  await t.rejects(shapes.upsert(db, { code: 'a', mood: 'sad' }, { by: ['mood', 'price'] }), {
    code: 'UWAS_ERR_MODEL_PARAMETER',
    message: /parameter price: is missing; the row is looked for by it/,
  })
  await t.rejects(shapes.upsert(db, { code: 'a' }, { bye: ['code'] } as never), {
    message: 'table "shapes": upsert has the unknown option "bye"; did you mean "by"?',
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
  await t.rejects(posts.list(db, { orderBy: 'newest' } as never), {
    code: 'UWAS_ERR_MODEL_TABLE',
    message: /list has the unknown option "orderBy"; did you mean "order"/,
  })
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
  const order = { by: ['id'], desc: true }
  wrong({ id }, { orders: { x: order } }, /its order "x" has the unknown option "desc"/)
  wrong({ id }, { unique: [['a']] }, /its unique "a" is none of its columns/)
  wrong({ id }, { kye: 'id' }, /no option "kye"; did you mean "key"/)
})

t.test('a statement of the site has its name beside those of tables', async (t) => {
  beginTableGeneration()
  beginStatementGeneration()
  table('things', { id: pg.int })
  t.throws(() => statement('things.get', { sql: 'select 1' }), { code: 'UWAS_ERR_MODEL_STATEMENT' })
  t.throws(() => table('things', { id: pg.int }, { table: 'other' }), { message: /twice/ })
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
