/** Rows from JSON files into tables, their keys included. Called by a site's own tests and seeds. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { hintNearest } from '../core/nearest.ts'
import { atomic } from '../model/atomic.ts'
import type { Database } from '../model/database.ts'
import type { RequestLike } from '../model/statement.ts'
import { Statement } from '../model/statement.ts'
import { type ColumnInfo, tableError } from '../model/table/columns.ts'
import type { AnyTable } from '../model/table/table.ts'
import type { Transaction } from '../model/transaction.ts'
import { json, nullable, text } from '../model/types.ts'

type Values = Readonly<Record<string, unknown>>

/**
 * Adds the rows of `DIR/NAME.json` for each table, in the order given, all or none: lists of objects with the
 * keys of the table's columns. PostgreSQL reads the values, so numbers of many digits and times are texts. Values of
 * identities are taken as they stand, and their sequences go on behind them. How many rows there were. Throws
 * UWAS_ERR_MODEL_TABLE for a file that is no such list.
 */
export async function loadFixtures(
  on: RequestLike | Database | Transaction,
  dir: string,
  tables: readonly AnyTable[],
): Promise<number> {
  return atomic(on, async (tx) => {
    let count = 0
    for (const table of tables) count += await loadTable(tx, table, join(dir, `${table.name}.json`))
    return count
  })
}

async function loadTable(tx: Transaction, table: AnyTable, path: string): Promise<number> {
  const rows = readRows(table, path)
  const groups = new Map<string, { readonly columns: ColumnInfo[]; readonly rows: Values[] }>()
  for (const [i, row] of rows.entries()) {
    const columns = Object.keys(row).map((key) => columnOf(table, `${path}, row ${i}`, key))
    const id = columns.map(({ name }) => name).join()
    const group = groups.get(id) ?? { columns, rows: [] }
    groups.set(id, group)
    group.rows.push(Object.fromEntries(columns.map(({ name, key }) => [name, row[key]])))
  }
  // What a row leaves out gets its default, so each set of columns is a statement of its own.
  for (const group of groups.values()) await insertGroup(tx, table, group.columns, group.rows)
  for (const column of table.target.columns) {
    if (rows.some((row) => row[column.key] !== undefined)) await setSequence(tx, table, column)
  }
  return rows.length
}

function readRows(table: AnyTable, path: string): Values[] {
  let rows: unknown
  try {
    rows = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw tableError(
      table.name,
      `its fixtures cannot be read: ${(error as Error).message} (${path})`,
    )
  }
  const isList = Array.isArray(rows) && rows.every((row) => row?.constructor === Object)
  if (!isList) throw tableError(table.name, `${path} is no list of objects`)
  return rows as Values[]
}

function columnOf(table: AnyTable, place: string, key: string): ColumnInfo {
  const found = table.target.columns.find((each) => each.key === key)
  if (found !== undefined) return found
  const keys = table.target.columns.map((each) => each.key)
  throw tableError(table.name, `${place}: it has no column "${key}"${hintNearest(key, keys)}`)
}

async function insertGroup(
  tx: Transaction,
  { name, target }: AnyTable,
  columns: readonly ColumnInfo[],
  rows: readonly Values[],
): Promise<void> {
  const names = columns.map(({ quoted }) => quoted).join(', ')
  const into = columns.length === 0 ? '' : ` (${names})`
  await new Statement(`${name}.fixtures`, {
    params: { rows: json<readonly Values[]>() },
    sql: `insert into ${target.quoted}${into} overriding system value
      select ${names} from jsonb_populate_recordset(null::${target.quoted}, $1)`,
  }).run(tx, { rows })
}

const sequenceOf = new Statement('fixtures.sequence', {
  params: { table: text, column: text },
  row: { name: nullable(text) },
  sql: 'select pg_get_serial_sequence($1, $2) as name',
})

/** The next row must not get a key that is there. */
async function setSequence(tx: Transaction, { name, target }: AnyTable, column: ColumnInfo) {
  const sequence = await sequenceOf.one(tx, { table: target.quoted, column: column.name })
  if (sequence.name === null) return
  const set = new Statement(`${name}.sequence(${column.key})`, {
    params: { name: text },
    sql: `select setval($1::regclass, max(${column.quoted})::bigint) from ${target.quoted}`,
  })
  await set.run(tx, { name: sequence.name })
}
