import { join } from 'node:path'
import t from 'tap'
import { column } from '../../src/model/table/columns.ts'
import { table } from '../../src/model/table/table.ts'
import * as pg from '../../src/model/types.ts'
import { factory } from '../../src/testing/factory.ts'
import { loadFixtures } from '../../src/testing/fixtures.ts'
import { testDatabase } from '../support/postgres.ts'

const SCHEMA = `create table users (id bigint generated always as identity primary key, name text not null unique);
  create table posts (
    id bigint generated always as identity primary key, author_id bigint not null references users,
    title text not null, tags text[] not null default '{new}', price numeric not null default 7, doc jsonb,
    made_at timestamptz not null default now()
  )`
const users = table('users', { id: column(pg.int, { generated: true }), name: pg.text })
const posts = table('posts', {
  id: column(pg.int, { generated: true }),
  authorId: pg.int,
  title: pg.text,
  tags: column(pg.array(pg.text), { default: true }),
  price: column(pg.numeric, { default: true }),
  doc: pg.nullable(pg.json<unknown>()),
  madeAt: column(pg.timestamptz, { default: true }),
})
const user = factory(users, { name: (n) => `user ${n}` })
const post = factory(posts, {
  title: 'hello',
  authorId: async (_, on) => (await user.create(on)).id,
})

t.test('a factory fills in what a test does not say', async (t) => {
  const db = await testDatabase(t, SCHEMA)
  const first = await post.create(db)
  t.match(first, { id: 1, authorId: 1, title: 'hello', tags: ['new'], price: '7', doc: null })
  const anna = await user.create(db, { name: 'anna' })
  const second = await post.create(db, { authorId: anna.id, tags: [] })
  t.match(second, { authorId: anna.id, title: 'hello', tags: [] })
  const many = await user.createMany(db, 50, (i) => (i === 0 ? { name: 'zero' } : {}))
  t.equal(new Set(many.map(({ name }) => name)).size, 50)
  t.ok(many.some(({ name }) => name === 'zero'))
  t.match(await user.build(db), { name: /^user \d+$/ })
  t.equal((await users.list(db, { limit: 1000 })).rows.length, 52)
})

t.test('fixtures come with their keys, and the next row goes behind them', async (t) => {
  const db = await testDatabase(t, SCHEMA)
  const dir = t.testdir({
    'users.json': JSON.stringify([
      { id: 7, name: 'anna' },
      { id: 3, name: "o'ben" },
    ]),
    'posts.json': JSON.stringify([
      { authorId: 7, title: 'x', price: '12345678901234567890.5', doc: { a: [1] } },
      { authorId: 3, title: 'y', tags: ['a', 'b"'], madeAt: '2026-01-31T00:00:00+09:00' },
    ]),
  })
  t.equal(await loadFixtures(db, dir, [users, posts]), 4)
  const { rows } = await posts.list(db)
  t.match(rows, [
    { id: 1, title: 'x', price: '12345678901234567890.5', doc: { a: [1] }, tags: ['new'] },
    { id: 2, title: 'y', tags: ['a', 'b"'], madeAt: new Date('2026-01-30T15:00:00Z'), price: '7' },
  ])
  t.equal((await users.insert(db, { name: 'next' })).id, 8)
  const wrong = async (text: string, message: RegExp) => {
    const folder = t.testdir({ 'users.json': '[{"id": 100, "name": "gone"}]', 'posts.json': text })
    await t.rejects(loadFixtures(db, folder, [users, posts]), {
      code: 'UWAS_ERR_MODEL_TABLE',
      message,
    })
    t.equal(await users.find(db, { id: 100 }), undefined, 'nothing of the others stays')
  }
  await wrong(
    '[{"titel": "x"}]',
    /posts\.json, row 0: it has no column "titel"; did you mean "title"/,
  )
  await wrong('{"title": "x"}', /posts\.json is no list of objects/)
  await wrong('[null]', /posts\.json is no list of objects/)
  await wrong('[', /^table "posts": its fixtures cannot be read: .* \(.*posts\.json\)$/)
  await t.rejects(loadFixtures(db, join(dir, 'nowhere'), [users]), { message: /ENOENT/ })
})
