/**
 * The ways into a table. Columns that are left out get their defaults, so each set of given columns is a
 * statement of its own: the whole set and the smallest are prepared at start, others when first used.
 */
import { createError } from '../../core/errors.ts'
import { hintNearest } from '../../core/nearest.ts'
import { writeArray } from '../array.ts'
import { type Queryable, Statement, statement } from '../statement.ts'
import { array, type Shape, type Type, text } from '../types.ts'
import { given } from './any.ts'
import { type ColumnInfo, tableError } from './columns.ts'
import * as sql from './sql.ts'

type Values = Readonly<Record<string, unknown>>

/** One way: a row or many, added only or in the place of those that are alike in `by`. */
interface Way {
  /** As the method is called, for messages. */
  readonly method: 'insert' | 'insertMany' | 'upsert' | 'upsertMany'
  /** Begins the names of its statements: `upsert by email`. */
  readonly name: string
  readonly by: readonly ColumnInfo[] | null
  readonly isMany: boolean
  /** Why the table has no such way. */
  readonly refusal: string | null
}

/** Statements for different sets of columns; more of them are programs gone wild. */
const MAX_VARIANTS = 64

export class Inserts {
  readonly #table: string
  readonly #target: sql.Target
  readonly #row: Shape
  readonly #columns: readonly ColumnInfo[]
  readonly #variants = new Map<string, Statement>()
  readonly #insert: Way
  readonly #insertMany: Way
  /** By the keys of the columns in which rows are alike. */
  readonly #upserts: ReadonlyMap<string, { readonly one: Way; readonly many: Way }>

  constructor(
    table: string,
    target: sql.Target,
    row: Shape,
    unique: readonly (readonly ColumnInfo[])[],
  ) {
    this.#table = table
    this.#target = target
    this.#row = row
    this.#columns = target.columns.filter(({ isGenerated }) => !isGenerated)
    const odd = this.#columns.find(({ sqlType }) => sqlType === null)
    const noMany = odd === undefined ? null : `its column "${odd.key}" has no sqlType`
    this.#insert = wayOf('insert', 'insert', null, null)
    this.#insertMany = wayOf('insertMany', 'insertMany', null, noMany)
    this.#upserts = new Map(
      [target.key, ...unique].map((by) => [idOfColumns(by), upsertsBy(by, target, noMany)]),
    )
    const smallest = this.#columns.filter(isRequired)
    this.#declare(this.#insert, this.#columns)
    if (smallest.length < this.#columns.length) this.#declare(this.#insert, smallest)
    this.#declare(this.#insertMany, this.#columns)
    for (const { one, many } of this.#upserts.values()) {
      this.#declare(one, this.#columns)
      this.#declare(many, this.#columns)
    }
  }

  one(on: Queryable, values: Values): Promise<unknown> {
    return this.#single(this.#insert, on, values)
  }

  async upsert(on: Queryable, values: Values, by: readonly string[] | undefined): Promise<unknown> {
    return this.#single(this.#upsertsBy('upsert', by).one, on, values)
  }

  many(on: Queryable, rows: readonly Values[]): Promise<unknown[]> {
    return this.#all(this.#insertMany, on, rows)
  }

  async upsertMany(
    on: Queryable,
    rows: readonly Values[],
    by: readonly string[] | undefined,
  ): Promise<unknown[]> {
    return this.#all(this.#upsertsBy('upsertMany', by).many, on, rows)
  }

  /** The columns of these values and those that must be there, in the table's order. For `copy.ts` too. */
  given(method: string, values: Values): ColumnInfo[] {
    for (const name in values) {
      if (this.#columns.some(({ key }) => key === name)) continue
      const names = this.#columns.map(({ key }) => key)
      throw this.wrong(method, name, `is no column to set${hintNearest(name, names)}`)
    }
    return this.#columns.filter((each) => isRequired(each) || values[each.key] !== undefined)
  }

  wrong(method: string, key: string, problem: string, cause?: unknown): Error {
    const statement = `${this.#table}.${method}`
    return createError('UWAS_ERR_MODEL_PARAMETER', { statement, key, problem }, cause)
  }

  async #single(way: Way, on: Queryable, values: Values): Promise<unknown> {
    this.#check(way)
    const columns = this.given(way.method, values)
    this.#checkBy(way, columns)
    const params = Object.fromEntries(columns.map(({ key }) => [key, values[key]]))
    return this.#variant(way, columns).one(on, ...given(params))
  }

  async #all(way: Way, on: Queryable, rows: readonly Values[]): Promise<unknown[]> {
    this.#check(way)
    if (rows.length === 0) return []
    const columns = this.given(way.method, Object.assign({}, ...rows.map(withoutUndefined)))
    this.#checkBy(way, columns)
    const params = Object.fromEntries(
      columns.map((column) => [
        column.key,
        rows.map((row, i) => {
          const value = row[column.key]
          if (value !== undefined) return value
          if (!mustBeGiven(column)) return null
          throw this.wrong(way.method, column.key, `is missing in row ${i}, and given in others`)
        }),
      ]),
    )
    return this.#variant(way, columns).all(on, ...given(params))
  }

  #upsertsBy(method: string, by: readonly string[] | undefined) {
    const columns = by ?? this.#target.key.map(({ key }) => key)
    const found = this.#upserts.get(columns.join(', '))
    if (found !== undefined) return found
    const known = [...this.#upserts.keys()].map((each) => `[${each}]`).join(', ')
    const problem = `${method} goes by [${columns.join(', ')}], which is not declared unique; there are: ${known}`
    throw tableError(this.#table, problem)
  }

  #check({ method, refusal }: Way): void {
    if (refusal !== null) throw tableError(this.#table, `it has no ${method}: ${refusal}`)
  }

  #checkBy({ method, by }: Way, columns: readonly ColumnInfo[]): void {
    const missing = by?.find((each) => !columns.includes(each))
    if (missing === undefined) return
    throw this.wrong(method, missing.key, 'is missing; the row is looked for by it')
  }

  #variant(way: Way, columns: readonly ColumnInfo[]): Statement {
    const id = idOf(way, columns)
    let found = this.#variants.get(id)
    if (found === undefined) {
      if (this.#variants.size >= MAX_VARIANTS) {
        this.#variants.delete(this.#variants.keys().next().value as string)
      }
      found = new Statement(`${this.#table}.${id}`, this.#options(way, columns))
      this.#variants.set(id, found)
    }
    return found
  }

  #declare(way: Way, columns: readonly ColumnInfo[]): void {
    if (way.refusal !== null) return
    const isWhole = columns.length === this.#columns.length
    const name = isWhole ? way.name : idOf(way, columns)
    const declared = statement(`${this.#table}.${name}`, this.#options(way, columns))
    this.#variants.set(idOf(way, columns), declared as Statement)
  }

  #options({ by, isMany }: Way, columns: readonly ColumnInfo[]) {
    const target = this.#target
    const params = columns.map((each) => [each.key, isMany ? arrayOf(each) : each.type])
    const text =
      by === null
        ? (isMany ? sql.insertMany : sql.insertRow)(target, columns)
        : (isMany ? sql.upsertMany : sql.upsertRow)(target, columns, by)
    return { params: Object.fromEntries(params) as Shape, row: this.#row, sql: text }
  }
}

/** A column that is neither made nor filled by PostgreSQL, and may not be NULL, is always given. */
export function isRequired({ hasDefault, isGenerated, type }: ColumnInfo): boolean {
  return !hasDefault && !isGenerated && !type.nullable
}

/** Whether a row has to have it where others have: NULL would not fit, or stand in the place of its default. */
export function mustBeGiven({ hasDefault, type }: ColumnInfo): boolean {
  return hasDefault || !type.nullable
}

function wayOf(method: Way['method'], name: string, by: Way['by'], refusal: string | null): Way {
  return { method, name, by, refusal, isMany: method.endsWith('Many') }
}

function upsertsBy(by: readonly ColumnInfo[], { key }: sql.Target, noMany: string | null) {
  const made = by.find(({ isGenerated }) => isGenerated)
  const refusal = made === undefined ? null : `PostgreSQL makes its key "${made.key}"`
  const ending = by === key ? '' : ` by ${idOfColumns(by)}`
  return {
    one: wayOf('upsert', `upsert${ending}`, by, refusal),
    many: wayOf('upsertMany', `upsertMany${ending}`, by, refusal ?? noMany),
  }
}

/** One element a row; arrays go as texts, since `unnest` would take them apart. */
function arrayOf(column: ColumnInfo): Type<unknown> {
  const { type } = column
  if (!sql.isArray(column)) return array(type) as Type<unknown>
  const texts = array({ ...text, nullable: true } as Type<string | null>)
  return {
    ...texts,
    encode: (values) => writeArray((values as unknown[]).map((each) => type.encode(each))),
  } as Type<unknown>
}

function idOfColumns(columns: readonly ColumnInfo[]): string {
  return columns.map(({ key }) => key).join(', ')
}

function idOf({ name }: Way, columns: readonly ColumnInfo[]): string {
  return `${name}(${idOfColumns(columns)})`
}

function withoutUndefined(values: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}
