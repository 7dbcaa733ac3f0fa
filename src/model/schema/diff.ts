/**
 * Declared tables against the live schema: each difference with what is wrong for people, and the SQL that takes
 * it away and back. Called by `uwas check` and `uwas migration`.
 */
import type { Connection } from '../connection.ts'
import type { Database } from '../database.ts'
import { translate } from '../failures.ts'
import { accepts } from '../row-reader.ts'
import type { ColumnInfo } from '../table/columns.ts'
import { quoteName } from '../table/columns.ts'
import type { AnyTable } from '../table/table.ts'
import {
  checksOf,
  columnSql,
  constraintName,
  foreignKeySql,
  namesOf,
  referenceOf,
  tableOf,
  typeSql,
} from './ddl.ts'
import {
  type ColumnState,
  declaredState,
  otherTables,
  readState,
  type TableState,
} from './state.ts'

/** The problem of a table that is missing as a whole. */
export const NOT_THERE = 'is not in the database'

export interface Difference {
  readonly table: string
  /** What is wrong, for `check`; null for what is only worth a line in a draft. */
  readonly problem: string | null
  /** A `warning` is slow, not wrong. */
  readonly level: 'problem' | 'warning'
  /** Statements and comments of a migration, and of the one that reverts it. */
  readonly up: readonly string[]
  readonly down: readonly string[]
  /** Runs when all tables are there. */
  readonly isLast?: boolean
}

/**
 * Compares in one transaction that is rolled back. Rejects with UWAS_ERR_MODEL_TABLE for a declaration that
 * PostgreSQL would not take, UWAS_ERR_MODEL_UNAVAILABLE.
 */
export async function compareSchema(
  db: Database,
  tables: readonly AnyTable[],
): Promise<Difference[]> {
  const connection = await db.openSeparate()
  try {
    await connection.simple('begin')
    const others = await otherTables(
      connection,
      tables.map(({ target }) => tableOf(target.name)),
    )
    const found: Difference[] = []
    for (const each of tables) found.push(...(await compareTable(connection, each, others)))
    return found
  } catch (error) {
    throw translate(error, 'comparing tables with the schema', db.where)
  } finally {
    await connection.close(1000)
  }
}

async function compareTable(
  connection: Connection,
  table: AnyTable,
  others: readonly string[],
): Promise<Difference[]> {
  const declared = await declaredState(connection, table)
  const live = await readState(connection, table.target.quoted)
  if (live === undefined) return [missingTable(table, others), ...indexesOf(table, null)]
  if (!live.isTable) return compareView(table, declared, live)
  const pairs = table.target.columns.map((column) => ({
    column,
    is: live.columns.find(({ name }) => name === column.name),
    shall: declared.columns.find(({ name }) => name === column.name) as ColumnState,
  }))
  const extra = live.columns.filter(
    ({ name }) => !table.target.columns.some((each) => each.name === name),
  )
  const isNew = new Set(pairs.filter(({ is }) => is === undefined).map(({ column }) => column))
  return [
    ...pairs.flatMap(({ column, is, shall }) =>
      is === undefined
        ? [missingColumn(table, column, extra)]
        : changedColumn(table, column, is, shall),
    ),
    ...extra.map((each) => extraColumn(table, each)),
    ...missingUnique(table, live),
    ...missingChecks(table, declared, live, isNew),
    ...missingKeys(table, live),
    ...indexesOf(table, live),
  ]
}

/** Only what is read of it matters; how to change a view is for its author. */
function compareView(table: AnyTable, declared: TableState, live: TableState): Difference[] {
  return table.target.columns.flatMap((column) => {
    const is = live.columns.find(({ name }) => name === column.name)
    const shall = declared.columns.find(({ name }) => name === column.name) as ColumnState
    if (is !== undefined && hasType(column, is, shall)) return []
    const text =
      is === undefined ? `has no column ${column.name}` : `has column ${is.name} as ${is.type}`
    const found = problem(table, `${text}, declared is ${shall.type}`)
    return [{ ...found, up: [`-- The view ${table.target.quoted} ${text}.`], down: [] }]
  })
}

function missingTable(table: AnyTable, others: readonly string[]): Difference {
  const { target, schema } = table
  const parts = target.columns.map((each) => columnSql(table, each))
  parts.push(`primary key (${namesOf(target.key)})`)
  for (const columns of schema.unique) {
    const name = quoteName(constraintName(target.name, columns, 'key'))
    parts.push(`constraint ${name} unique (${namesOf(columns)})`)
  }
  for (const [name, condition] of checksOf(table)) {
    parts.push(`constraint ${quoteName(name)} check (${condition})`)
  }
  const rename =
    others.length === 0
      ? []
      : [
          `-- Renames are not guessed. If it was ${others.join(' or ')}: alter table … rename to ${target.quoted};`,
        ]
  return {
    table: table.name,
    problem: NOT_THERE,
    level: 'problem',
    up: [...rename, `create table ${target.quoted} (\n  ${parts.join(',\n  ')}\n);`],
    down: [`drop table ${target.quoted};`],
  }
}

function missingColumn(
  table: AnyTable,
  column: ColumnInfo,
  extra: readonly ColumnState[],
): Difference {
  const { quoted } = table.target
  const rename = extra.map(
    ({ name }) =>
      `-- Renames are not guessed. If it was ${name}: alter table ${quoted} rename column ${quoteName(name)} to ${column.quoted};`,
  )
  const isFilled = column.type.nullable || column.hasDefault || column.isGenerated
  const fill = isFilled
    ? []
    : [
        '-- Rows that are there have no value for it: give it a default, or fill it before "not null".',
      ]
  return {
    ...problem(table, `has no column ${column.name}`),
    up: [...rename, ...fill, `alter table ${quoted} add column ${columnSql(table, column)};`],
    down: [`alter table ${quoted} drop column ${column.quoted};`],
  }
}

function changedColumn(
  table: AnyTable,
  column: ColumnInfo,
  is: ColumnState,
  shall: ColumnState,
): Difference[] {
  const alter = `alter table ${table.target.quoted} alter column ${column.quoted}`
  const found: Difference[] = []
  if (!hasType(column, is, shall)) {
    const type = typeSql(table, column)
    found.push({
      ...problem(table, `has column ${is.name} as ${is.type}, declared is ${shall.type}`),
      up: [`${alter} type ${type} using ${column.quoted}::${type};`],
      down: [`${alter} type ${is.type} using ${column.quoted}::${is.type};`],
    })
  }
  if (is.isNotNull !== shall.isNotNull) {
    const [will, was] = shall.isNotNull ? ['set', 'drop'] : ['drop', 'set']
    found.push({
      ...problem(
        table,
        `${is.isNotNull ? 'allows no NULL' : 'allows NULL'} in ${is.name}, declared otherwise`,
      ),
      up: [`${alter} ${will} not null;`],
      down: [`${alter} ${was} not null;`],
    })
  }
  return [...found, ...changedValue(table, column, is, shall, alter)]
}

/** Without an `sqlType` of its own a column may be of any type that its values can be read from. */
function hasType({ type, options }: ColumnInfo, is: ColumnState, shall: ColumnState): boolean {
  if (is.type === shall.type) return true
  if (options.sqlType !== undefined) return false
  return accepts(type.columns, is.oid)
}

/** Where values come from that nobody gives: default, identity, expression. */
function changedValue(
  table: AnyTable,
  { quoted, options, hasDefault, isGenerated }: ColumnInfo,
  is: ColumnState,
  shall: ColumnState,
  alter: string,
): Difference[] {
  const fills = is.expression !== null || is.isIdentity
  const was =
    is.expression === null ? `${alter} drop default;` : `${alter} set default ${is.expression};`
  if (typeof options.default === 'string' && is.expression !== shall.expression) {
    const what = is.expression === null ? 'no default' : `the default ${is.expression}`
    return [
      {
        ...problem(table, `has ${what} for ${is.name}, declared is ${shall.expression}`),
        up: [`${alter} set default ${options.default};`],
        down: [was],
      },
    ]
  }
  if (hasDefault && !fills) {
    const say = `-- ${table.target.quoted}.${quoted} is declared with a default: ${alter} set default …;`
    return [{ ...problem(table, `has no default for ${is.name}`), up: [say], down: [] }]
  }
  const isRight =
    typeof options.generated === 'string'
      ? is.isComputed && is.expression === shall.expression
      : fills
  if (!isGenerated || isRight) return []
  const found = problem(table, `does not make the values of ${is.name} as it is declared`)
  if (options.generated === true) {
    const up = [`${alter} add generated always as identity;`]
    return [{ ...found, up, down: [`${alter} drop identity;`] }]
  }
  const say = `-- ${quoted} is computed otherwise: drop the column and add it again: ${columnOf(table, is.name)}`
  return [{ ...found, up: [say], down: [] }]
}

function columnOf(table: AnyTable, name: string): string {
  const column = table.target.columns.find((each) => each.name === name) as ColumnInfo
  return columnSql(table, column)
}

/** Tables may have more than is declared; only what hinders an insert is wrong. */
function extraColumn(table: AnyTable, { name, ...is }: ColumnState): Difference {
  const { quoted } = table.target
  const hinders = is.isNotNull && is.expression === null && !is.isIdentity
  return {
    table: table.name,
    problem: hinders ? `has column ${name}, which is not declared and needs a value` : null,
    level: 'problem',
    up: [
      `-- ${name} is not declared. To drop it with its data: alter table ${quoted} drop column ${quoteName(name)};`,
    ],
    down: [],
  }
}

function missingUnique(table: AnyTable, live: TableState): Difference[] {
  const { target, schema } = table
  const found: Difference[] = []
  for (const columns of [target.key, ...schema.unique]) {
    const names = columns.map(({ name }) => name)
    if (live.unique.some((each) => sameSet(each, names))) continue
    const isKey = columns === target.key
    const name = quoteName(
      constraintName(target.name, isKey ? [] : columns, isKey ? 'pkey' : 'key'),
    )
    const rule = isKey ? 'primary key' : 'unique'
    found.push({
      ...problem(table, `does not keep ${names.join(', ')} unique`),
      up: [`alter table ${target.quoted} add constraint ${name} ${rule} (${namesOf(columns)});`],
      down: [`alter table ${target.quoted} drop constraint ${name};`],
    })
  }
  return found
}

function missingChecks(
  table: AnyTable,
  declared: TableState,
  live: TableState,
  isNew: ReadonlySet<ColumnInfo>,
): Difference[] {
  const { target } = table
  const names = [...checksOf(table)].sort(([a], [b]) => (a < b ? -1 : 1))
  return names.flatMap(([name, condition], i) => {
    if (live.checks.includes(declared.checks[i] as string)) return []
    // An enum says itself what it holds; the type is for the column to say.
    const enumColumn = target.columns.find(
      (each) => `${tableOf(target.name)}_${each.name}_check` === name,
    )
    const isOfType = enumColumn?.type.choices != null && !isNew.has(enumColumn)
    const of = live.columns.find((each) => each.name === enumColumn?.name)
    if (isOfType && of !== undefined && of.type !== 'text') return []
    return [
      {
        ...problem(table, `does not check ${condition}`),
        up: [
          `alter table ${target.quoted} add constraint ${quoteName(name)} check (${condition});`,
        ],
        down: [`alter table ${target.quoted} drop constraint ${quoteName(name)};`],
      },
    ]
  })
}

function missingKeys(table: AnyTable, live: TableState): Difference[] {
  return table.target.columns.flatMap((column) => {
    const to = referenceOf(column)
    if (to === null) return []
    const target = `${to.table}.${to.column}`
    const isThere = live.foreignKeys.some(
      (each) => each.column === column.name && each.to === target,
    )
    return isThere ? [] : [foreignKey(table, column, `does not hold ${column.name} to ${target}`)]
  })
}

function foreignKey(table: AnyTable, column: ColumnInfo, text: string | null): Difference {
  const { quoted, name } = table.target
  const constraint = quoteName(constraintName(name, [column], 'fkey'))
  return {
    ...problem(table, text),
    isLast: true,
    up: [`alter table ${quoted} add ${foreignKeySql(table, column)};`],
    down: [`alter table ${quoted} drop constraint ${constraint};`],
  }
}

/** Indexes of orders and those declared; of a table that is not there yet also its foreign keys. */
function indexesOf(table: AnyTable, live: TableState | null): Difference[] {
  const { target, schema } = table
  const orders = [...table.orders].filter(([name]) => name !== 'key').map(([, columns]) => columns)
  const wanted = [...schema.indexes, ...orders]
  const found: Difference[] = []
  if (live === null) {
    const columns = target.columns.filter((each) => referenceOf(each) !== null)
    found.push(...columns.map((each) => foreignKey(table, each, null)))
  }
  const there =
    live?.indexes ?? [target.key, ...schema.unique].map((by) => by.map(({ name }) => name))
  for (const columns of wanted) {
    const names = columns.map(({ name }) => name)
    if (there.some((each) => names.every((name, i) => each[i] === name))) continue
    const name = quoteName(constraintName(target.name, columns, 'idx'))
    const isNewTable = live === null
    found.push({
      ...problem(table, isNewTable ? null : `has no index on ${names.join(', ')}`),
      level: 'warning',
      up: [
        ...(isNewTable
          ? []
          : [
              '-- It stops writes while it is made; of a large table make it "concurrently", alone in a migration.',
            ]),
        `create index ${name} on ${target.quoted} (${namesOf(columns)});`,
      ],
      down: [`drop index ${name};`],
    })
  }
  return found
}

function problem(
  table: AnyTable,
  text: string | null,
): Pick<Difference, 'table' | 'problem' | 'level'> {
  return { table: table.name, problem: text, level: 'problem' }
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((each) => b.includes(each))
}
