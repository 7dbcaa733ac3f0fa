/**
 * Declared SQL: its name, the types of its parameters and row, its text. Made once at module level,
 * called by views and `atomic` blocks on a request, a database or a transaction.
 */
import { createError } from '../core/errors.ts'
import type { Services } from '../core/services.ts'
import type { Trace } from '../core/trace.ts'
import type { Column, Result } from './connection.ts'
import { DATABASE } from './database.ts'
import { problemOf } from './failures.ts'
import { createReader, type RowReader } from './row-reader.ts'
import { checkDeclaration, registerStatement } from './statement-registry.ts'
import type { Shape, Type, ValuesOf } from './types.ts'

/** What runs statements: the Database and the Transaction. */
export interface Runner {
  readonly trace: Trace | null
  execute(what: string, text: string, args: (string | null)[]): Promise<Result>
}

/** What a Request has of this. */
export interface RequestLike {
  readonly services: Services
  readonly trace: Trace | null
}

/** A request (its site's database), the database itself, or the transaction of `atomic`. */
export type Queryable = RequestLike | Runner

export interface StatementOptions<P extends Shape, R extends Shape> {
  /** The types of `$1`, `$2`, … in this order. */
  readonly params?: P
  /** The columns, by name; their order does not matter. None for statements that return no rows. */
  readonly row?: R
  /** One SQL statement; a constant text. */
  readonly sql: string
}

/** No argument for a statement without parameters, else the object of all of them. */
export type Arguments<P extends Shape> = [keyof P] extends [never] ? [] : [params: ValuesOf<P>]

/**
 * Every method throws UWAS_ERR_MODEL_PARAMETER (TypeError) for values that do not fit the declared
 * types, UWAS_ERR_MODEL_VALUE for cells that do not, and what `Database.execute` throws.
 */
export class Statement<P extends Shape = Shape, R extends Shape = Shape> {
  readonly name: string
  readonly sql: string
  readonly params: P
  readonly row: R
  readonly #keys: readonly string[]
  readonly #types: readonly Type<unknown>[]
  readonly #readers: WeakMap<readonly Column[], RowReader>

  constructor(name: string, options: StatementOptions<P, R>) {
    this.name = name
    this.sql = options.sql
    this.params = options.params ?? ({} as P)
    this.row = options.row ?? ({} as R)
    this.#keys = Object.keys(this.params)
    this.#types = Object.values(this.params)
    this.#readers = new WeakMap()
  }

  /** The one row. UWAS_ERR_MODEL_NO_ROW (404) for none, UWAS_ERR_MODEL_NOT_ONE for more. */
  one(on: Queryable, ...params: Arguments<P>): Promise<ValuesOf<R>> {
    return handled(this.#one(on, params))
  }

  /** The one row, or undefined for none. UWAS_ERR_MODEL_NOT_ONE for more. */
  maybe(on: Queryable, ...params: Arguments<P>): Promise<ValuesOf<R> | undefined> {
    return handled(this.#single(on, params, 'at most one'))
  }

  /** All rows, in PostgreSQL's order. */
  all(on: Queryable, ...params: Arguments<P>): Promise<ValuesOf<R>[]> {
    return handled(this.#all(on, params))
  }

  /** Runs it for its effect: how many rows it changed or returned. */
  run(on: Queryable, ...params: Arguments<P>): Promise<number> {
    return handled(this.#execute(on, params).then((result) => result.count))
  }

  async #one(on: Queryable, params: readonly unknown[]): Promise<ValuesOf<R>> {
    const row = await this.#single(on, params, 'one')
    if (row === undefined) throw createError('UWAS_ERR_MODEL_NO_ROW', { statement: this.name })
    return row
  }

  async #single(
    on: Queryable,
    params: readonly unknown[],
    expected: string,
  ): Promise<ValuesOf<R> | undefined> {
    const { rows, columns } = await this.#execute(on, params)
    const [row] = rows
    if (row === undefined) return undefined
    if (rows.length > 1) {
      const values = { statement: this.name, count: rows.length, expected }
      throw createError('UWAS_ERR_MODEL_NOT_ONE', values)
    }
    return this.#readerOf(columns)(row) as ValuesOf<R>
  }

  async #all(on: Queryable, params: readonly unknown[]): Promise<ValuesOf<R>[]> {
    const { rows, columns } = await this.#execute(on, params)
    const read = this.#readerOf(columns)
    return rows.map((row) => read(row) as ValuesOf<R>)
  }

  async #execute(on: Queryable, params: readonly unknown[]): Promise<Result> {
    const runner: Runner = 'services' in on ? on.services.get(DATABASE) : on
    const { trace } = on
    const from = trace === null ? 0 : performance.now()
    try {
      return await runner.execute(`statement "${this.name}"`, this.sql, this.#encode(params))
    } finally {
      trace?.add('model', from, this.name)
    }
  }

  #encode(params: readonly unknown[]): (string | null)[] {
    const values = (params[0] ?? {}) as Record<string, unknown>
    const args = new Array<string | null>(this.#keys.length)
    for (let i = 0; i < args.length; i++) {
      const key = this.#keys[i] as string
      const value = values[key]
      const type = this.#types[i] as Type<unknown>
      if (value === undefined) throw this.#wrong(key, `is missing; its type is ${type.name}`)
      try {
        args[i] = type.encode(value)
      } catch (error) {
        throw this.#wrong(key, problemOf(error), error)
      }
    }
    for (const key in values) {
      if (!Object.hasOwn(this.params, key)) {
        throw this.#wrong(key, `is not declared; declared are: ${this.#keys.join(', ') || 'none'}`)
      }
    }
    return args
  }

  #readerOf(columns: readonly Column[]): RowReader {
    let reader = this.#readers.get(columns)
    if (reader === undefined) {
      reader = createReader(this.name, this.row, columns)
      this.#readers.set(columns, reader)
    }
    return reader
  }

  #wrong(key: string, problem: string, cause?: unknown): Error {
    return createError('UWAS_ERR_MODEL_PARAMETER', { statement: this.name, key, problem }, cause)
  }
}

/**
 * Declares a statement. `name` is unique in the site; it stands in errors and timings. Throws
 * UWAS_ERR_MODEL_STATEMENT for a name in use and for SQL that has no place in a statement.
 */
export function statement<
  // biome-ignore lint/complexity/noBannedTypes: no parameters at all
  const P extends Shape = {},
  // biome-ignore lint/complexity/noBannedTypes: no columns at all
  const R extends Shape = {},
>(name: string, options: StatementOptions<P, R>): Statement<P, R> {
  checkDeclaration(name, options)
  const declared = new Statement<P, R>(name, options)
  registerStatement(declared)
  return declared
}

/**
 * Of two statements started before the first is awaited both may fail, and the second one's rejection
 * would have no handler yet: Node would end the worker. Whoever awaits the promise still gets it.
 */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}
