/** Mistakes between statements, tables, migrations and the live schema. */
import { declared, type Mistake } from './site.ts'

const statement = (name: string, options: string, ...found: RegExp[]): Mistake => ({
  name,
  patch: declared(options),
  found,
})

const ROW = 'row: { id: pg.int }'

const table = (name: string, columns: string, found: RegExp, sql?: string): Mistake => ({
  name,
  patch: { 'models.ts': ['id: column(pg.int), body: pg.text', columns] },
  found: [found],
  ...(sql === undefined ? {} : { sql }),
})

export const OF_DATA: readonly Mistake[] = [
  {
    ...statement(
      'a search without an index in a large table',
      `sql: 'select id from notes where length(body) = $1', params: { id: pg.int }, ${ROW}`,
      /planted reads all of public\.notes, about 20000 rows, to find some: no index serves \(length\(notes\.body\) = \$1\)/,
    ),
    sql: "insert into notes select i, 'note ' || i from generate_series(1, 20000) as i; analyze notes",
  },
  statement(
    'SQL with a syntax error',
    `sql: 'selct id from notes', params: {}, ${ROW}`,
    /planted.*"selct".*MODEL_PREPARE/,
  ),
  statement(
    'an unknown table',
    `sql: 'select id from note', params: {}, ${ROW}`,
    /planted.*"note".*MODEL_PREPARE/,
  ),
  statement(
    'an unknown column',
    `sql: 'select idd from notes', params: {}, ${ROW}`,
    /planted.*"idd".*MODEL_PREPARE/,
  ),
  statement(
    'an unknown function',
    `sql: 'select twice(id) as id from notes', params: {}, ${ROW}`,
    /planted.*twice.*MODEL_PREPARE/,
  ),
  statement(
    'a parameter too few',
    `sql: 'select id from notes where id = $1', params: {}, ${ROW}`,
    /planted.*0 parameter.*uses 1.*MODEL_COLUMNS/,
  ),
  statement(
    'a parameter too many',
    `sql: 'select id from notes', params: { id: pg.int }, ${ROW}`,
    /planted.*1 parameter.*uses 0/,
  ),
  statement(
    'a parameter of another type',
    `sql: 'select id from notes where id = $1', params: { id: pg.uuid }, ${ROW}`,
    /planted.*parameter id \(\$1\).*uuid.*integer/,
  ),
  statement(
    'a column of another type',
    "sql: 'select body from notes', params: {}, row: { body: pg.int }",
    /planted.*column body.*int.*text/,
  ),
  statement(
    'a column that the row does not declare',
    `sql: 'select id, body from notes', params: {}, ${ROW}`,
    /planted.*returns body/,
  ),
  statement(
    'a column that is not returned',
    "sql: 'select id from notes', params: {}, row: { id: pg.int, body: pg.text }",
    /planted.*declares body/,
  ),
  statement(
    'two columns of one name',
    `sql: 'select id, id from notes', params: {}, ${ROW}`,
    /planted.*two of its columns are named id/,
  ),
  statement(
    'COMMIT as a statement',
    "sql: 'commit', params: {}, row: {}",
    /planted.*COMMIT.*MODEL_STATEMENT/,
  ),
  statement(
    'a column compared with another type',
    `sql: 'select id from notes where body = 1', params: {}, ${ROW}`,
    /planted.*text = integer/,
  ),
  {
    name: 'a column that may be NULL, declared as if it could not',
    patch: declared("sql: 'select author from notes', params: {}, row: { author: pg.text }"),
    sql: 'alter table notes add author text',
    found: [/planted.*author.*nullable/],
    unknown:
      'PostgreSQL does not say of a result whether it can be NULL; a declared table is compared',
  },
  {
    name: 'a statement declared twice',
    patch: { 'models.ts': ["'notes.one'", "'notes.all'"] },
    found: [/notes\.all.*declared twice/],
  },
  table(
    'a column that the table does not have',
    'id: column(pg.int), body: pg.text, author: pg.text',
    /table notes .*author/,
  ),
  table(
    'a column of another type in the table',
    'id: column(pg.int), body: pg.int',
    /table notes .*body/,
  ),
  table(
    'a column that may be NULL in the table',
    'id: column(pg.int), body: pg.text',
    /table notes allows NULL in body/,
    'alter table notes alter body drop not null',
  ),
  table(
    'a column that has gone meanwhile',
    'id: column(pg.int), body: pg.text',
    /table notes .*body/,
    'alter table notes drop body',
  ),
  table(
    'a column that must be given, and is not declared',
    'id: column(pg.int), body: pg.text',
    /table notes .*author/,
    'alter table notes add author text not null',
  ),
  table(
    'a table without its primary key',
    'id: column(pg.int), body: pg.text',
    /table notes does not keep id unique/,
    'alter table notes drop constraint notes_pkey',
  ),
  {
    name: 'a table that is not there',
    patch: {
      'models.ts': [
        'export const allNotes',
        "export const tags = table('tags', { id: pg.int })\nexport const allNotes",
      ],
    },
    found: [/table tags /],
  },
  {
    name: 'a migration that is not applied',
    patch: { 'migrations/0003_more.sql': 'create table more (id integer);' },
    found: ['migration 0003_more is pending'],
  },
  {
    name: 'a migration that was changed afterwards',
    patch: { 'migrations/0001_notes.sql': ['body text', 'body  text'] },
    found: [/0001_notes.*changed/],
  },
  {
    name: 'an applied migration whose file is gone',
    patch: { 'migrations/0002_index.sql': null, 'migrations/0002_index.down.sql': null },
    found: [/0002_index.*missing/],
  },
  {
    name: 'a migration before one that is applied',
    patch: { 'migrations/0000_early.sql': 'create table early (id integer);' },
    found: [/0000_early/],
  },
  {
    name: 'two migrations of one number',
    patch: { 'migrations/0002_other.sql': 'create table other (id integer);' },
    found: [/0002_other/],
  },
  {
    name: 'a way back without its migration',
    patch: { 'migrations/0003_gone.down.sql': 'drop table gone;' },
    found: [/0003_gone/],
  },
  {
    name: 'a migration whose SQL is wrong',
    patch: { 'migrations/0003_bad.sql': 'create tabel bad (id integer);' },
    found: [/0003_bad.*"tabel"/s],
  },
  {
    name: 'statements without a database',
    patch: {
      'uwas.config.ts': ["migrations: 'migrations',", 'database: false,'],
    },
    found: ['statement notes.all: the site has no database'],
  },
]
