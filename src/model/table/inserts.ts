/**
 * The ways into a table. Columns that are left out get their defaults, so each set of given columns is a
 * statement of its own: the whole set and the smallest are prepared at start, others when first used.
 */
import { createError } from '../../core/errors.ts'
import { hintNearest } from '../../core/nearest.ts'
import { type Queryable, Statement, statement } from '../statement.ts'
import { array, type Shape } from '../types.ts'
import { given } from './any.ts'
import { type ColumnInfo, tableError } from './columns.ts'
import * as sql from './sql.ts'

type Values = Readonly<Record<string, unknown>>
type Kind = 'insert' | 'insertMany' | 'upsert'

/** Statements of one kind for different sets of columns; more of them are programs gone wild. */
const MAX_VARIANTS = 64

export class Inserts {
  readonly #table: string
  readonly #target: sql.Target
  readonly #row: Shape
  readonly #columns: readonly ColumnInfo[]
  readonly #variants = new Map<string, Statement>()
  /** Why there is no upsert, or no insert of many. */
  readonly #noUpsert: string | null
  readonly #noMany: string | null

  constructor(table: string, target: sql.Target, row: Shape) {
    this.#table = table
    this.#target = target
    this.#row = row
    this.#columns = target.columns.filter(({ isGenerated }) => !isGenerated)
    const made = target.key.find(({ isGenerated }) => isGenerated)
    this.#noUpsert = made === undefined ? null : `PostgreSQL makes its key "${made.key}"`
    const odd = this.#columns.find(({ sqlType }) => sqlType === null || sqlType.endsWith('[]'))
    this.#noMany =
      odd === undefined
        ? null
        : `its column "${odd.key}" has ${odd.sqlType === null ? 'no sqlType' : 'an array type'}`
    const smallest = this.#columns.filter(isRequired)
    for (const kind of ['insert', 'insertMany', 'upsert'] as const) {
      if (this.#refusal(kind) !== null) continue
      this.#declare(kind, this.#columns)
      if (kind === 'insert' && smallest.length < this.#columns.length) this.#declare(kind, smallest)
    }
  }

  one(on: Queryable, values: Values): Promise<unknown> {
    return this.#single('insert', on, values)
  }

  upsert(on: Queryable, values: Values): Promise<unknown> {
    return this.#single('upsert', on, values)
  }

  async many(on: Queryable, rows: readonly Values[]): Promise<unknown[]> {
    this.#check('insertMany')
    if (rows.length === 0) return []
    const columns = this.#given('insertMany', Object.assign({}, ...rows.map(withoutUndefined)))
    const params = Object.fromEntries(
      columns.map(({ key, type }) => [
        key,
        rows.map((row, i) => {
          const value = row[key] ?? (type.nullable ? null : undefined)
          if (value !== undefined) return value
          throw this.#wrong('insertMany', key, `is missing in row ${i}, and given in others`)
        }),
      ]),
    )
    for (const row of rows) this.#given('insertMany', row)
    return this.#variant('insertMany', columns).all(on, ...given(params))
  }

  async #single(kind: 'insert' | 'upsert', on: Queryable, values: Values): Promise<unknown> {
    this.#check(kind)
    const columns = this.#given(kind, values)
    const params = Object.fromEntries(columns.map(({ key }) => [key, values[key]]))
    return this.#variant(kind, columns).one(on, ...given(params))
  }

  #refusal(kind: Kind): string | null {
    return kind === 'upsert' ? this.#noUpsert : kind === 'insertMany' ? this.#noMany : null
  }

  #check(kind: Kind): void {
    const refusal = this.#refusal(kind)
    if (refusal !== null) throw tableError(this.#table, `it has no ${kind}: ${refusal}`)
  }

  /** The columns of these values and those that must be there, in the table's order. */
  #given(kind: Kind, values: Values): ColumnInfo[] {
    for (const name in values) {
      if (this.#columns.some(({ key }) => key === name)) continue
      const names = this.#columns.map(({ key }) => key)
      throw this.#wrong(kind, name, `is no column to set${hintNearest(name, names)}`)
    }
    return this.#columns.filter((each) => isRequired(each) || values[each.key] !== undefined)
  }

  #variant(kind: Kind, columns: readonly ColumnInfo[]): Statement {
    const id = idOf(kind, columns)
    let found = this.#variants.get(id)
    if (found === undefined) {
      if (this.#variants.size >= MAX_VARIANTS) {
        this.#variants.delete(this.#variants.keys().next().value as string)
      }
      found = new Statement(`${this.#table}.${id}`, this.#options(kind, columns))
      this.#variants.set(id, found)
    }
    return found
  }

  #declare(kind: Kind, columns: readonly ColumnInfo[]): void {
    const isWhole = columns.length === this.#columns.length
    const name = isWhole ? kind : idOf(kind, columns)
    const declared = statement(`${this.#table}.${name}`, this.#options(kind, columns))
    this.#variants.set(idOf(kind, columns), declared as Statement)
  }

  #options(kind: Kind, columns: readonly ColumnInfo[]) {
    const build = { insert: sql.insertRow, insertMany: sql.insertMany, upsert: sql.upsertRow }[kind]
    const params = Object.fromEntries(
      columns.map(({ key, type }) => [key, kind === 'insertMany' ? array(type) : type]),
    )
    return { params, row: this.#row, sql: build(this.#target, columns) }
  }

  #wrong(kind: Kind, key: string, problem: string): Error {
    return createError('UWAS_ERR_MODEL_PARAMETER', {
      statement: `${this.#table}.${kind}`,
      key,
      problem,
    })
  }
}

/** A column that is neither made nor filled by PostgreSQL, and may not be NULL, is always given. */
export function isRequired({ hasDefault, isGenerated, type }: ColumnInfo): boolean {
  return !hasDefault && !isGenerated && !type.nullable
}

function idOf(kind: Kind, columns: readonly ColumnInfo[]): string {
  return `${kind}(${columns.map(({ key }) => key).join(', ')})`
}

function withoutUndefined(values: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}
