/**
 * Keyset paging: a page begins behind the last row of the one before, found by the index of the order.
 * Called by `table.ts`.
 */
import { createError } from '../../core/errors.ts'
import { hintNearest } from '../../core/nearest.ts'
import { sqlStateOf } from '../failures.ts'
import { type Queryable, type Statement, statement } from '../statement.ts'
import { int, type Shape, type Type, text } from '../types.ts'
import { given } from './any.ts'
import { type ColumnInfo, refuseUnknown, tableError } from './columns.ts'
import * as sql from './sql.ts'

/** Columns to order by, the most important first; all in one direction, so that one index serves it. */
export interface Order<K extends string = string> {
  readonly by: readonly K[]
  /** Largest first. Default false. */
  readonly descending?: boolean
}

/** Which page of a table. */
export interface ListOptions {
  /** A declared order. Default `key`, the primary key upwards. */
  readonly order?: string
  /** Rows of a page, 1 to 1000. Default 20. */
  readonly limit?: number
  /** `next` of the page before. Default: the first page. */
  readonly after?: string | undefined
}

/** Rows in their order, and the way on. */
export interface Page<R> {
  readonly rows: R[]
  /** Where the next page begins, for a URL; undefined on the last one. */
  readonly next: string | undefined
}

interface Paged {
  readonly columns: readonly ColumnInfo[]
  readonly first: Statement
  readonly following: Statement
  readonly hasMarks: boolean
}

const MAX_LIMIT = 1000
const OPTIONS = ['order', 'limit', 'after']
const ORDER_OPTIONS = ['by', 'descending']
/** Names what a row carries besides its columns: the exact text of a value that its type cuts, as Date does. */
const MARK = '#'

export class Pages {
  readonly #table: string
  readonly #keys: readonly string[]
  readonly #orders: ReadonlyMap<string, Paged>

  constructor(
    table: string,
    target: sql.Target,
    row: Shape,
    orders: Readonly<Record<string, Order>>,
  ) {
    this.#table = table
    this.#keys = Object.keys(row)
    const all = { key: { by: target.key.map(({ key }) => key) }, ...orders }
    this.#orders = new Map(
      Object.entries(all).map(([name, order]) => [name, pagedBy(table, target, row, name, order)]),
    )
  }

  /** The columns of each declared order. */
  get orders(): ReadonlyMap<string, readonly ColumnInfo[]> {
    return new Map([...this.#orders].map(([name, { columns }]) => [name, columns]))
  }

  async list(on: Queryable, options: ListOptions): Promise<Page<unknown>> {
    refuseUnknown(this.#table, 'list', options, OPTIONS)
    const { order = 'key', limit = 20, after } = options
    const paged = this.#orders.get(order)
    if (paged === undefined) {
      const hint = hintNearest(order, this.#orders.keys())
      throw tableError(this.#table, `it has no order "${order}"${hint}`)
    }
    if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
      throw tableError(this.#table, `limit is ${limit}; it must be a whole number from 1 to 1000`)
    }
    const params: Record<string, unknown> = { limit: limit + 1 }
    const values = after === undefined ? [] : readCursor(after, order, paged.columns)
    for (const [i, value] of values.entries()) params[`after${i}`] = value
    const from = after === undefined ? paged.first : paged.following
    const rows = (await from.all(on, ...given(params)).catch((error: unknown) => {
      // Of a statement over plain columns only the cursor's values can be wrong (class 22, data exception).
      const isCursor = after !== undefined && sqlStateOf(error)?.startsWith('22') === true
      throw isCursor ? createError('UWAS_ERR_MODEL_CURSOR', { order }, error) : error
    })) as Record<string, unknown>[]
    const hasMore = rows.length > limit
    if (hasMore) rows.pop()
    const last = rows.at(-1)
    const next =
      hasMore && last !== undefined ? writeCursor(order, textsOf(last, paged.columns)) : undefined
    return { rows: paged.hasMarks ? rows.map((row) => pick(row, this.#keys)) : rows, next }
  }
}

function pagedBy(table: string, target: sql.Target, row: Shape, name: string, order: Order): Paged {
  refuseUnknown(table, `its order "${name}"`, order, ORDER_OPTIONS)
  const { by, descending = false } = order
  const columns = by.map((key) => {
    const found = target.columns.find((each) => each.key === key)
    if (found !== undefined && !found.type.nullable) return found
    const problem =
      found === undefined ? 'is none of its columns' : 'may be NULL, which has no place in it'
    throw tableError(table, `its order "${name}" goes by "${key}", which ${problem}`)
  })
  for (const each of target.key) {
    if (columns.includes(each)) continue
    throw tableError(
      table,
      `its order "${name}" does not hold "${each.key}" of the key, so that two rows could be alike in it`,
    )
  }
  const marks = columns.filter(({ type }) => !isExact(type)).map(markOf)
  const marked = { ...target, columns: [...target.columns, ...marks] }
  const shape = { ...row, ...Object.fromEntries(marks.map(({ key }) => [key, text])) }
  const afters = Object.fromEntries(columns.map((_, i) => [`after${i}`, text]))
  const of = (isFirst: boolean) =>
    statement(`${table}.list${isFirst ? '' : 'After'}(${name})`, {
      params: isFirst ? { limit: int } : { limit: int, ...afters },
      row: shape,
      sql: sql.selectPage(marked, columns, descending, isFirst),
    }) as unknown as Statement
  return { columns, first: of(true), following: of(false), hasMarks: marks.length > 0 }
}

function markOf({ key, quoted, ...rest }: ColumnInfo): ColumnInfo {
  return { ...rest, key: MARK + key, quoted: `${quoted}::text`, type: text }
}

/** Whether what is read of a value, written again, is the value to the last digit. */
function isExact({ cell, name }: Type<unknown>): boolean {
  return cell !== 'other' || name === 'bigint'
}

function textsOf(row: Readonly<Record<string, unknown>>, columns: readonly ColumnInfo[]): string[] {
  return columns.map(({ key, type }) =>
    isExact(type) ? (type.encode(row[key]) as string) : (row[MARK + key] as string),
  )
}

function pick(row: Readonly<Record<string, unknown>>, keys: readonly string[]): object {
  const picked: Record<string, unknown> = {}
  for (const key of keys) picked[key] = row[key]
  return picked
}

/** The order's name stands in it: a cursor of another order would lead astray. */
function writeCursor(order: string, texts: readonly string[]): string {
  return Buffer.from(JSON.stringify([order, ...texts])).toString('base64url')
}

/** What a client sends back, so it may be anything. Throws UWAS_ERR_MODEL_CURSOR. */
function readCursor(cursor: string, order: string, columns: readonly ColumnInfo[]): string[] {
  try {
    const parsed = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown
    if (Array.isArray(parsed) && parsed[0] === order && parsed.length === columns.length + 1) {
      const texts = parsed.slice(1) as unknown[]
      return texts.map((value, i) => checkedText(value, columns[i] as ColumnInfo))
    }
  } catch (error) {
    throw createError('UWAS_ERR_MODEL_CURSOR', { order }, error)
  }
  throw createError('UWAS_ERR_MODEL_CURSOR', { order })
}

/** A text that the column's type can read, or PostgreSQL would say so with a 500. */
function checkedText(value: unknown, { type }: ColumnInfo): string {
  if (typeof value !== 'string' || value.includes('\0')) throw new TypeError('not a text')
  return type.encode(type.decode(value)) === null ? '' : value
}
