/**
 * Rows into a table by COPY, as they come: for imports that are too large for one statement. Called by `table.ts`.
 * PostgreSQL 18, COPY, "Text Format".
 */
import { atomic } from '../atomic.ts'
import type { Database } from '../database.ts'
import { problemOf } from '../failures.ts'
import type { Queryable, RequestLike } from '../statement.ts'
import { Transaction } from '../transaction.ts'
import type { ColumnInfo } from './columns.ts'
import { type Inserts, mustBeGiven } from './inserts.ts'
import type { Target } from './sql.ts'

type Values = Readonly<Record<string, unknown>>

/** Characters that are sent together. */
const PIECE_LENGTH = 32 * 1024

/** All or none of the rows; how many there were. Runs in the transaction given, or in one of its own. */
export async function copyIn(
  table: string,
  target: Target,
  inserts: Inserts,
  on: Queryable,
  rows: AsyncIterable<Values> | Iterable<Values>,
): Promise<number> {
  if (on instanceof Transaction) return copyOn(on, table, target, inserts, rows)
  return atomic(on as RequestLike | Database, async (tx) => {
    await tx.allowLong()
    return copyOn(tx, table, target, inserts, rows)
  })
}

async function copyOn(
  tx: Transaction,
  table: string,
  { quoted }: Target,
  inserts: Inserts,
  rows: AsyncIterable<Values> | Iterable<Values>,
): Promise<number> {
  const source =
    Symbol.asyncIterator in rows ? rows[Symbol.asyncIterator]() : rows[Symbol.iterator]()
  try {
    const first = await source.next()
    if (first.done === true) return 0
    // Its columns are those of all rows: COPY names them once.
    const columns = inserts.given('copyIn', first.value)
    const names = columns.map((each) => each.quoted).join(', ')
    const what = `${table}.copyIn`
    const pieces = piecesOf(inserts, columns, first.value, source)
    return await tx.copy(what, `copy ${quoted} (${names}) from stdin`, pieces)
  } finally {
    await source.return?.()
  }
}

async function* piecesOf(
  inserts: Inserts,
  columns: readonly ColumnInfo[],
  first: Values,
  source: AsyncIterator<Values> | Iterator<Values>,
): AsyncGenerator<string, void, undefined> {
  let piece = ''
  let row: Values = first
  for (let number = 0; ; number++) {
    piece += lineOf(inserts, columns, row, number)
    const next = await source.next()
    if (next.done === true) break
    row = next.value
    if (piece.length < PIECE_LENGTH) continue
    yield piece
    piece = ''
  }
  yield piece
}

function lineOf(
  inserts: Inserts,
  columns: readonly ColumnInfo[],
  row: Values,
  number: number,
): string {
  for (const { key } of inserts.given('copyIn', row)) {
    if (columns.some((each) => each.key === key) || row[key] === undefined) continue
    throw inserts.wrong('copyIn', key, `is given in row ${number}, and not in the first`)
  }
  const cells = columns.map((column) => cellOf(inserts, column, row[column.key], number))
  return `${cells.join('\t')}\n`
}

function cellOf(inserts: Inserts, column: ColumnInfo, value: unknown, number: number): string {
  const { key, type } = column
  if (value === undefined && mustBeGiven(column)) {
    throw inserts.wrong('copyIn', key, `is missing in row ${number}`)
  }
  try {
    const text = type.encode(value ?? null)
    return text === null ? '\\N' : text.replace(/[\\\b\f\n\r\t\v]/g, escapeCharacter)
  } catch (error) {
    throw inserts.wrong('copyIn', key, `in row ${number}: ${problemOf(error)}`, error)
  }
}

function escapeCharacter(character: string): string {
  return ESCAPES[character] ?? `\\${character}`
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
}
