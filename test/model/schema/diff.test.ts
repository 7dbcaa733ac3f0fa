import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Database } from '../../../src/model/database.ts'
import { migrate, revertMigrations } from '../../../src/model/migrate.ts'
import { compareSchema } from '../../../src/model/schema/diff.ts'
import { draftMigration } from '../../../src/model/schema/draft.ts'
import { beginStatementGeneration } from '../../../src/model/statement-registry.ts'
import { column } from '../../../src/model/table/columns.ts'
import { beginTableGeneration } from '../../../src/model/table/registry.ts'
import { type AnyTable, table } from '../../../src/model/table/table.ts'
import * as pg from '../../../src/model/types.ts'
import { checkStatements } from '../../../src/model/warm.ts'
import { runSql, testDatabase } from '../../support/postgres.ts'

/** Declares tables as a site would, whatever was declared before. */
function declare(make: () => AnyTable[]): AnyTable[] {
  beginStatementGeneration()
  beginTableGeneration()
  return make()
}

const board = () => [
  table(
    'posts',
    {
      id: column(pg.int, { generated: true }),
      authorId: column(pg.nullable(pg.int), { references: 'users', onDelete: 'set null' }),
      slug: pg.text,
      kind: column(pg.oneOf('note', "it's"), { default: "'note'" }),
      tags: column(pg.array(pg.text), { default: "'{}'" }),
      price: column(pg.numeric, { sqlType: 'numeric(12,2)', default: '0' }),
      double: column(pg.nullable(pg.numeric), { sqlType: 'numeric', generated: 'price * 2' }),
      during: pg.nullable(pg.range(pg.timestamptz)),
      createdAt: column(pg.timestamptz, { default: 'now()' }),
    },
    {
      orders: { newest: { by: ['createdAt', 'id'], descending: true } },
      unique: [['slug'], ['authorId', 'kind']],
      indexes: [['authorId']],
      checks: { dear: 'price >= 0 and price < 1000' },
    },
  ),
  table('users', { id: column(pg.int, { generated: true }), name: pg.text }),
]

async function problemsOf(db: Database, tables: readonly AnyTable[]) {
  return (await compareSchema(db, tables)).flatMap(({ table, problem, level }) =>
    problem === null ? [] : [`${level}: ${table} ${problem}`],
  )
}

/** Drafts, writes and applies; what is then different. */
async function applyDraft(t: Test, db: Database, dir: string, tables: readonly AnyTable[]) {
  const draft = draftMigration(dir, 'next', await compareSchema(db, tables))
  writeFileSync(join(dir, `${draft.name}.sql`), draft.up)
  if (draft.down !== null) writeFileSync(join(dir, `${draft.name}.down.sql`), draft.down)
  await migrate(db, dir, { log: db.log })
  t.strictSame(await problemsOf(db, tables), [], draft.up)
  return draft
}

t.test('a draft makes all declared tables, which then fit, and can be reverted', async (t) => {
  const db = await testDatabase(t)
  const dir = t.testdir({})
  const tables = declare(board)
  t.strictSame(await problemsOf(db, tables), [
    'problem: posts is not in the database',
    'problem: users is not in the database',
  ])
  const draft = await applyDraft(t, db, dir, tables)
  t.equal(draft.name, '0001_next')
  t.equal(
    draft.up,
    `-- Drafted from the declared tables and the database: read it before it runs.
create table "posts" (
  "id" bigint not null generated always as identity,
  "author_id" bigint,
  "slug" text not null,
  "kind" text not null default 'note',
  "tags" text[] not null default '{}',
  "price" numeric(12,2) not null default 0,
  "double" numeric generated always as (price * 2) stored,
  "during" tstzrange,
  "created_at" timestamptz not null default now(),
  primary key ("id"),
  constraint "posts_slug_key" unique ("slug"),
  constraint "posts_author_id_kind_key" unique ("author_id", "kind"),
  constraint "posts_dear_check" check (price >= 0 and price < 1000),
  constraint "posts_kind_check" check ("kind" in ('note', 'it''s'))
);
create index "posts_created_at_id_idx" on "posts" ("created_at", "id");
create table "users" (
  "id" bigint not null generated always as identity,
  "name" text not null,
  primary key ("id")
);
alter table "posts" add constraint "posts_author_id_fkey" foreign key ("author_id") references "users" ("id") on delete set null;
`,
  )
  t.strictSame(await checkStatements(db), [], 'their statements fit as well')
  t.strictSame(await compareSchema(db, tables), [])
  const nothing = draftMigration(dir, 'more', [])
  t.strictSame(nothing, {
    name: '0002_more',
    up: '-- Nothing is left to do between the declared tables and the database: write the SQL here.\n',
    down: null,
  })
  await revertMigrations(db, dir, { log: db.log })
  t.strictSame(await runSql(db, "select to_regclass('posts'), to_regclass('users')"), [
    [null, null],
  ])
})

t.test('each difference is named, and a draft takes it away and back', async (t) => {
  const db = await testDatabase(
    t,
    `create table users (id int generated always as identity primary key, name text);
    create table posts (
      id bigint primary key, author_id text, "slug" varchar(10) not null, kind text default 'x',
      price numeric(10, 2) not null default 1, double numeric, during tstzrange not null,
      created_at timestamptz not null, legacy text not null, old text
    );
    insert into posts values (1, '7', 's', 'note', 3, 6, 'empty', now(), 'l')`,
  )
  const dir = t.testdir({})
  const tables = declare(board)
  const problems = await problemsOf(db, tables)
  t.strictSame(problems, [
    'problem: posts does not make the values of id as it is declared',
    'problem: posts has column author_id as text, declared is bigint',
    'problem: posts allows NULL in kind, declared otherwise',
    "problem: posts has the default 'x'::text for kind, declared is 'note'::text",
    'problem: posts has no column tags',
    'problem: posts has column price as numeric(10,2), declared is numeric(12,2)',
    'problem: posts has the default 1 for price, declared is 0',
    'problem: posts does not make the values of double as it is declared',
    'problem: posts allows no NULL in during, declared otherwise',
    'problem: posts has no default for created_at, declared is now()',
    'problem: posts has column legacy, which is not declared and needs a value',
    'problem: posts does not keep slug unique',
    'problem: posts does not keep author_id, kind unique',
    'problem: posts does not check price >= 0 and price < 1000',
    `problem: posts does not check "kind" in ('note', 'it''s')`,
    'problem: posts does not hold author_id to users.id',
    'warning: posts has no index on author_id',
    'warning: posts has no index on created_at, id',
    'problem: users allows NULL in name, declared otherwise',
  ])
  const before = await schemaOf(db)
  const draft = draftMigration(dir, 'next', await compareSchema(db, tables))
  t.match(
    draft.up,
    '-- Renames are not guessed. If it was legacy: alter table "posts" rename column "legacy" to "tags";',
  )
  t.match(
    draft.up,
    '-- legacy is not declared. To drop it with its data: alter table "posts" drop column "legacy";',
  )
  t.match(draft.up, /^-- "double" is computed otherwise: drop the column and add it again/m)
  t.notMatch(draft.up, /^alter table "posts" (?:drop column|rename)/m, 'nothing is lost unasked')
  writeFileSync(join(dir, '0001_next.sql'), draft.up)
  writeFileSync(join(dir, '0001_next.down.sql'), draft.down ?? '')
  await runSql(db, 'update posts set author_id = null')
  await migrate(db, dir, { log: db.log })
  t.strictSame(await problemsOf(db, tables), [
    'problem: posts does not make the values of double as it is declared',
    'problem: posts has column legacy, which is not declared and needs a value',
  ])
  await revertMigrations(db, dir, { log: db.log })
  t.strictSame(await schemaOf(db), before)
})

t.test('a column more, in a table with rows', async (t) => {
  const db = await testDatabase(
    t,
    'create table users (id int generated always as identity primary key)',
  )
  const [, users] = declare(board) as [AnyTable, AnyTable]
  const draft = draftMigration(t.testdir({}), 'names', await compareSchema(db, [users]))
  t.match(draft.up, /^-- Rows that are there have no value for it: give it a default, or fill/m)
  t.match(draft.up, /^alter table "users" add column "name" text not null;$/m)
  t.match(draft.down, /^alter table "users" drop column "name";$/m)
})

t.test('what fits without being the same is no difference', async (t) => {
  const db = await testDatabase(
    t,
    `create type kind as enum ('a', 'b');
    create schema other;
    create table other.things (
      id serial primary key, n smallint not null, kind kind not null, name varchar(20) not null,
      at timestamptz not null default now(), more text, made int default 7
    );
    create view seen as select id, name, n::text as n from other.things;
    create unique index on other.things (n, name);
    create index on other.things (at, id, name)`,
  )
  const tables = declare(() => [
    table(
      'things',
      {
        id: column(pg.int, { generated: true }),
        n: pg.int,
        kind: pg.oneOf('a', 'b'),
        name: pg.text,
        at: column(pg.timestamptz, { default: true }),
      },
      { table: 'other.things', unique: [['name', 'n']], orders: { by: { by: ['at', 'id'] } } },
    ),
  ])
  t.strictSame(await problemsOf(db, tables), [])
  const views = declare(() => [
    table('seen', { id: pg.int, name: pg.text, n: pg.int, more: pg.text }),
  ])
  t.strictSame(await problemsOf(db, views), [
    'problem: seen has column n as text, declared is bigint',
    'problem: seen has no column more, declared is text',
  ])
})

t.test('a declaration that PostgreSQL would not take is named', async (t) => {
  const db = await testDatabase(t)
  const refused = async (columns: object, message: RegExp, options = {}) => {
    const tables = declare(() => [table('odd', { id: pg.int, ...columns }, options)])
    await t.rejects(compareSchema(db, tables), { code: 'UWAS_ERR_MODEL_TABLE', message })
  }
  await refused(
    { a: column(pg.text, { sqlType: 'mood' }) },
    /^table "odd": PostgreSQL could not make it: type "mood" does not exist$/,
  )
  await refused(
    { a: column(pg.int, { default: 'nothing()' }) },
    /function nothing\(\) does not exist/,
  )
  await refused({}, /column "x" does not exist/, { checks: { c: 'x > 0' } })
  await refused(
    { a: pg.array(pg.oneOf('x')) },
    /its column a \(array\(oneOf\(x\)\)\) has no sqlType to make it with/,
  )
  const wrong = (options: object, message: RegExp) =>
    t.throws(() => declare(() => [table('odd', { id: pg.int, a: column(pg.int, options) })]), {
      code: 'UWAS_ERR_MODEL_TABLE',
      message,
    })
  wrong({ references: 'a.b.c' }, /references "a\.b\.c"; it must be a table, or table\.column/)
  wrong({ onDelete: 'cascade' }, /onDelete of its column a goes with references/)
  wrong({ references: 'a', onDelete: 'drop' }, /it is one of: cascade, set null, restrict/)
  t.throws(() => draftMigration(t.testdir({}), 'x; drop', []), {
    code: 'UWAS_ERR_MODEL_MIGRATION_FILES',
    message:
      'x; drop: is no name of a migration: letters, digits and _ say what it does, as add_authors',
  })
  t.strictSame(await runSql(db, "select to_regclass('odd'), to_regclass('uwas_declared')"), [
    [null, null],
  ])
})

t.test('a missing table may be one that is there under another name', async (t) => {
  const db = await testDatabase(
    t,
    'create table people (id int); create table uwas_migrations (id int)',
  )
  const [, users] = declare(board) as [AnyTable, AnyTable]
  const [difference] = await compareSchema(db, [users])
  t.equal(
    difference?.up[0],
    '-- Renames are not guessed. If it was people: alter table … rename to "users";',
  )
})

function schemaOf(db: Database) {
  return runSql(
    db,
    `select table_name, column_name, data_type, is_nullable, column_default, is_identity, numeric_precision
    from information_schema.columns where table_schema = 'public' and table_name <> 'uwas_migrations'
    union all select conrelid::regclass::text, conname, pg_get_constraintdef(oid), null, null, null, null
    from pg_constraint where contype <> 'n' and connamespace = 'public'::regnamespace and conrelid::regclass::text <> 'uwas_migrations'
    union all select tablename, indexname, indexdef, null, null, null, null from pg_indexes
    where schemaname = 'public' and tablename <> 'uwas_migrations'
    order by 1, 2, 3`,
  )
}
