/**
 * A table declared once: its row type, its validators, and its standard statements, which are prepared and
 * proved like all others. Made at module level by sites; everything beyond is a `statement`.
 */
import { createError } from '../../core/errors.ts'
import { handled } from '../../core/handled.ts'
import { hintNearest } from '../../core/nearest.ts'
import { type Queryable, type RequestLike, type Statement, statement } from '../statement.ts'
import type { Transaction } from '../transaction.ts'
import { bool, int, nullable, type Shape, type Type } from '../types.ts'
import { given } from './any.ts'
import {
  type Changes,
  type ColumnInfo,
  type Columns,
  type Insert,
  quoteName,
  type Row,
  readColumns,
  refuseUnknown,
  tableError,
} from './columns.ts'
import { copyIn } from './copy.ts'
import { Inserts } from './inserts.ts'
import { type LockOptions, Locks } from './locks.ts'
import { type ListOptions, type Order, type Page, Pages } from './pages.ts'
import { registerTable } from './registry.ts'
import * as sql from './sql.ts'
import { type Validators, validatorsOf } from './validators.ts'

/** Where a table differs from the usual. */
export interface TableOptions<C extends Columns, K extends keyof C & string> {
  /** The key of the primary key's column, or the keys of its columns. Default `id`. */
  readonly key?: K | readonly K[]
  /** Orders to page through, besides `key`, the primary key upwards. Each ends in the whole primary key. */
  readonly orders?: Readonly<Record<string, Order<keyof C & string>>>
  /** Columns that are unique together, besides the key: what `upsert` may go by. A `unique` constraint in drafts. */
  readonly unique?: readonly (readonly (keyof C & string)[])[]
  /** Indexes, for drafts of migrations; `orders` have theirs without being named here. */
  readonly indexes?: readonly (readonly (keyof C & string)[])[]
  /** Conditions in SQL that every row meets, by name: `{ positive: 'price > 0' }`. For drafts, too. */
  readonly checks?: Readonly<Record<string, string>>
  /** The table's name in PostgreSQL where it is not `name`; `schema.table` is a table of a schema. */
  readonly table?: string
}

/** What is declared of a table beyond its columns, for `schema/`. */
export interface TableSchema {
  readonly unique: readonly (readonly ColumnInfo[])[]
  readonly indexes: readonly (readonly ColumnInfo[])[]
  readonly checks: Readonly<Record<string, string>>
}

/** In what rows are alike. */
export interface UpsertOptions<C extends Columns> {
  /** Columns declared `unique` together, in their order there. Default: the key. */
  readonly by?: readonly (keyof C & string)[]
}

type Values = Readonly<Record<string, unknown>>

/** Keys and values of the primary key. */
export type KeyOf<C extends Columns, K extends keyof C> = Pick<Row<C>, K>

// biome-ignore lint/suspicious/noExplicitAny: of any columns
export type AnyTable = Table<any, any>

/**
 * All methods run on a request, the database or a transaction, and throw what statements throw. Those that
 * change rows return them as PostgreSQL has them then, defaults and triggers included.
 */
export class Table<C extends Columns, K extends keyof C & string> {
  readonly name: string
  /** For the rest of `model/`. */
  readonly target: sql.Target
  readonly shape: Shape
  readonly schema: TableSchema
  /** Schemas (zod) of what comes from outside: a new row, changes of one. */
  readonly validators: Validators<C, K>
  readonly #get: Statement
  readonly #update: Statement | null
  readonly #delete: Statement
  readonly #estimate: Statement
  readonly #inserts: Inserts
  readonly #locks: Locks
  readonly #pages: Pages
  readonly #changeable: readonly ColumnInfo[]

  constructor(name: string, columns: Columns, options: TableOptions<C, K>) {
    const infos = readColumns(name, columns)
    const key = columnsOf(name, infos, options.key ?? 'id', 'its key')
    const unique = (options.unique ?? []).map((by) => columnsOf(name, infos, by, 'its unique'))
    this.name = name
    this.shape = Object.fromEntries(infos.map((each) => [each.key, each.type]))
    const sqlName = options.table ?? name
    this.target = { quoted: quoteTable(sqlName), name: sqlName, columns: infos, key }
    const indexes = (options.indexes ?? []).map((by) => columnsOf(name, infos, by, 'its index'))
    this.schema = { unique, indexes, checks: options.checks ?? {} }
    this.validators = validatorsOf(this.target) as unknown as Validators<C, K>
    this.#changeable = infos.filter((each) => !each.isGenerated && !key.includes(each))
    const keys = shapeOf(key)
    const row = this.shape
    this.#get = declare(`${name}.get`, keys, row, sql.selectByKey(this.target))
    this.#delete = declare(`${name}.delete`, keys, {}, sql.deleteRow(this.target))
    this.#update =
      this.#changeable.length === 0
        ? null
        : declare(
            `${name}.update`,
            { ...keys, ...changeShape(this.#changeable) },
            row,
            sql.updateRow(this.target, this.#changeable),
          )
    this.#estimate = declare(`${name}.estimate`, {}, { rows: int }, sql.estimate(this.target))
    this.#locks = new Locks(name, this.target, row)
    this.#inserts = new Inserts(name, this.target, row, unique)
    this.#pages = new Pages(name, this.target, row, options.orders ?? {})
  }

  /** For `schema/`: the columns of each declared order, and its name. */
  get orders(): ReadonlyMap<string, readonly ColumnInfo[]> {
    return this.#pages.orders
  }

  /** The row of this key. UWAS_ERR_MODEL_NO_ROW (404) when there is none. */
  get(on: Queryable, key: KeyOf<C, K>): Promise<Row<C>> {
    return this.#get.one(on, ...given(key)) as Promise<Row<C>>
  }

  /** The row of this key, or undefined. */
  find(on: Queryable, key: KeyOf<C, K>): Promise<Row<C> | undefined> {
    return this.#get.maybe(on, ...given(key)) as Promise<Row<C> | undefined>
  }

  /**
   * The row of this key, locked until the transaction ends (`for update`): what others would change of it waits.
   * Undefined when there is none, or with `ifLocked: 'skip'` when another transaction has it; with `'fail'` that
   * is UWAS_ERR_MODEL_LOCKED (409). On a request only where its route has `atomic`.
   */
  lock(
    on: Transaction | RequestLike,
    key: KeyOf<C, K>,
    options: LockOptions = {},
  ): Promise<Row<C> | undefined> {
    return handled(this.#locks.lock(on, key, options) as Promise<Row<C> | undefined>)
  }

  /**
   * A page of rows in a declared order, from the beginning or behind a cursor: the same cost on page 1 and
   * on page 10,000, and no row twice or never while others are added. UWAS_ERR_MODEL_CURSOR (400).
   */
  list(on: Queryable, options: ListOptions = {}): Promise<Page<Row<C>>> {
    return handled(this.#pages.list(on, options) as Promise<Page<Row<C>>>)
  }

  /**
   * About how many rows the table has, by PostgreSQL's statistics (`ANALYZE`, autovacuum) and its size, all partitions
   * together: as quick for a billion as for a thousand. A small table is counted, and so is one of which nothing is known
   * yet. Rows that policies hide are in it.
   */
  async estimate(on: Queryable): Promise<number> {
    const { rows } = (await this.#estimate.one(on, ...given({}))) as { rows: number }
    return rows
  }

  /** Adds a row. */
  insert(on: Queryable, values: Insert<C>): Promise<Row<C>> {
    return handled(this.#inserts.one(on, values as Values) as Promise<Row<C>>)
  }

  /** Adds rows with one statement (`unnest`); all of them leave out the same columns. In no certain order. */
  insertMany(on: Queryable, rows: readonly Insert<C>[]): Promise<Row<C>[]> {
    return handled(this.#inserts.many(on, rows as readonly Values[]) as Promise<Row<C>[]>)
  }

  /**
   * Adds a row, or gives the one of the same key these values; `by` names other columns, declared `unique`, in
   * which rows are alike: `users.upsert(req, { email, name }, { by: ['email'] })`.
   */
  upsert(on: Queryable, values: Insert<C>, options: UpsertOptions<C> = {}): Promise<Row<C>> {
    return handled(this.#upserted('upsert', on, values, options) as Promise<Row<C>>)
  }

  /** `upsert` of many rows with one statement (`unnest`); no two of them are alike. In no certain order. */
  upsertMany(
    on: Queryable,
    rows: readonly Insert<C>[],
    options: UpsertOptions<C> = {},
  ): Promise<Row<C>[]> {
    return handled(this.#upserted('upsertMany', on, rows, options) as Promise<Row<C>[]>)
  }

  /**
   * Adds the rows of a source by COPY, as they come, with little of them in memory: for imports. All or none
   * of them; all give the same columns as the first. Resolves to their number. On a connection of its own, or
   * in the transaction given, where nothing else can run meanwhile.
   */
  copyIn(on: Queryable, rows: AsyncIterable<Insert<C>> | Iterable<Insert<C>>): Promise<number> {
    return handled(copyIn(this.name, this.target, this.#inserts, on, rows as Iterable<Values>))
  }

  /** Changes what `changes` names and leaves the rest. UWAS_ERR_MODEL_NO_ROW (404) when there is no such row. */
  update(on: Queryable, key: KeyOf<C, K>, changes: Changes<C, K>): Promise<Row<C>> {
    const all = changes as Values
    const params: Record<string, unknown> = { ...key }
    for (const name in all) {
      if (all[name] === undefined) continue
      if (!this.#changeable.some((each) => each.key === name)) {
        return handled(Promise.reject(this.#notChangeable(name)))
      }
    }
    for (const { key: name } of this.#changeable) {
      params[`${name}?`] = all[name] !== undefined
      params[name] = all[name] ?? null
    }
    if (this.#update === null) return this.get(on, key)
    return this.#update.one(on, ...given(params)) as Promise<Row<C>>
  }

  /** Removes the row of this key; false when there was none. */
  delete(on: Queryable, key: KeyOf<C, K>): Promise<boolean> {
    return handled(this.#delete.run(on, ...given(key)).then((count) => count > 0))
  }

  async #upserted(
    method: 'upsert' | 'upsertMany',
    on: Queryable,
    values: unknown,
    options: UpsertOptions<C>,
  ): Promise<unknown> {
    refuseUnknown(this.name, method, options, ['by'])
    if (method === 'upsert') return this.#inserts.upsert(on, values as Values, options.by)
    return this.#inserts.upsertMany(on, values as readonly Values[], options.by)
  }

  #notChangeable(name: string): Error {
    const names = this.#changeable.map(({ key }) => key)
    const problem = `cannot be changed${hintNearest(name, names)}`
    return createError('UWAS_ERR_MODEL_PARAMETER', {
      statement: `${this.name}.update`,
      key: name,
      problem,
    })
  }
}

/**
 * Declares a table. `columns` are types (`pg.text`) or `column(type, options)`. Throws UWAS_ERR_MODEL_TABLE
 * for a declaration that cannot be, UWAS_ERR_MODEL_STATEMENT for a name in use.
 */
export function table<const C extends Columns, const K extends keyof C & string = 'id' & keyof C>(
  name: string,
  columns: C,
  options: TableOptions<C, K> = {},
): Table<C, K> {
  const known = ['key', 'orders', 'unique', 'indexes', 'checks', 'table']
  const unknown = Object.keys(options).find((each) => !known.includes(each))
  if (unknown !== undefined) {
    throw tableError(name, `it has no option "${unknown}"${hintNearest(unknown, known)}`)
  }
  const declared = new Table<C, K>(name, columns, options)
  registerTable(declared)
  return declared
}

function columnsOf(
  table: string,
  columns: readonly ColumnInfo[],
  given: string | readonly string[],
  what: string,
): ColumnInfo[] {
  const keys = typeof given === 'string' ? [given] : given
  if (keys.length === 0) throw tableError(table, `${what} has no columns`)
  return keys.map((name) => {
    const found = columns.find((each) => each.key === name)
    if (found !== undefined) return found
    const names = columns.map((each) => each.key)
    throw tableError(table, `${what} "${name}" is none of its columns${hintNearest(name, names)}`)
  })
}

function quoteTable(name: string): string {
  return name.split('.').map(quoteName).join('.')
}

function shapeOf(columns: readonly ColumnInfo[]): Shape {
  return Object.fromEntries(columns.map(({ key, type }) => [key, type]))
}

/** For each column: whether it changes, and to what. */
function changeShape(columns: readonly ColumnInfo[]): Shape {
  return Object.fromEntries(
    columns.flatMap(({ key, type }) => [
      [`${key}?`, bool],
      [key, passing(type)],
    ]),
  )
}

/** NULL passes as the value that is not used; a wanted NULL of a column without it PostgreSQL refuses. */
function passing(type: Type<unknown>): Type<unknown> {
  return type.nullable ? type : nullable(type)
}

/** A declared statement of any shape. */
function declare(name: string, params: Shape, row: Shape, text: string): Statement {
  return statement(name, { params, row, sql: text })
}
