/**
 * Declared SQL: its name, the types of its parameters and row, its text. Made once at module level,
 * called by views and `atomic` blocks on a request, a database or a transaction.
 */
import { createError } from '../core/errors.ts'
import type { Services } from '../core/services.ts'
import type { Trace } from '../core/trace.ts'
import { readBatchRows, type StreamOptions, streamAlone, streamIn } from './cursor.ts'
import { DATABASE, Database } from './database.ts'
import { joinedBy, refuseEscape, refuseOutside } from './escape.ts'
import { problemOf, unfit } from './failures.ts'
import { Outside } from './outside.ts'
import type { PlanMode } from './plan-mode.ts'
import { Query, type Wanted } from './query.ts'
import { noteStatement } from './recorded.ts'
import { createReader, type RowReader } from './row-reader.ts'
import { checkDeclaration, registerStatement } from './statement-registry.ts'
import { Transaction } from './transaction.ts'
import type { Shape, Type, ValuesOf } from './types.ts'
import { Unfit } from './unfit.ts'
import type { Column } from './wire/task.ts'

/** What runs statements: the Database and the Transaction. */
export interface Runner {
  readonly trace: Trace | null
  /** Starts a query; whatever becomes of it, its promise tells. */
  submit(query: Query): void
}

/** What a Request has of this. */
export interface RequestLike {
  readonly services: Services
  readonly trace: Trace | null
  /** True when nobody waits for the reply any more. */
  readonly isAborted?: boolean
  /** Fires when that begins to be so. */
  readonly signal?: AbortSignal
  /** `performance.now()` when the time for the reply is over. */
  readonly endsAt?: number
  /** True of a WebSocket's: it lasts, so its reads are not counted. */
  readonly isSocket?: boolean
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
  /**
   * True: it is meant to run many times for one request. Default false: in development and tests the
   * eleventh read of one request is UWAS_ERR_MODEL_REPEATED, since it is nearly always one a row.
   */
  readonly repeats?: boolean
  /**
   * True: it may take long, as a report does. It has a connection to itself, so that no other statement waits behind
   * it, and is stopped when its request's client goes or its time is over. Default false.
   */
  readonly slow?: boolean
  /**
   * `custom`: planned for the values of each run, where they differ much in what they find. `generic`: planned once,
   * where planning costs more than it gains. Default: PostgreSQL chooses, after five runs on a connection (its
   * `plan_cache_mode`). Not of `stream`.
   */
  readonly planMode?: PlanMode
}

/** No argument for a statement without parameters, else the object of all of them. */
export type Arguments<P extends Shape> = [keyof P] extends [never] ? [] : [params: ValuesOf<P>]

/**
 * Every method throws UWAS_ERR_MODEL_PARAMETER (TypeError) for values that do not fit the declared
 * types, UWAS_ERR_MODEL_UNFIT (400) for values that no column can hold, UWAS_ERR_MODEL_VALUE for cells that do
 * not fit, and what `Database.execute` throws.
 */
export class Statement<P extends Shape = Shape, R extends Shape = Shape> {
  readonly name: string
  readonly sql: string
  readonly params: P
  readonly row: R
  readonly repeats: boolean
  readonly slow: boolean
  readonly planMode: PlanMode | null
  readonly #keys: readonly string[]
  readonly #types: readonly Type<unknown>[]
  readonly #readers: WeakMap<readonly Column[], RowReader>

  constructor(name: string, options: StatementOptions<P, R>) {
    this.name = name
    this.sql = options.sql
    this.params = options.params ?? ({} as P)
    this.row = options.row ?? ({} as R)
    this.repeats = options.repeats ?? false
    this.slow = options.slow ?? false
    this.planMode = options.planMode ?? null
    this.#keys = Object.keys(this.params)
    this.#types = Object.values(this.params)
    this.#readers = new WeakMap()
  }

  /** The one row. UWAS_ERR_MODEL_NO_ROW (404) for none, UWAS_ERR_MODEL_NOT_ONE for more. */
  one(on: Queryable, ...params: Arguments<P>): Promise<ValuesOf<R>> {
    return this.#start(on, params, 'one') as Promise<ValuesOf<R>>
  }

  /** The one row, or undefined for none. UWAS_ERR_MODEL_NOT_ONE for more. */
  maybe(on: Queryable, ...params: Arguments<P>): Promise<ValuesOf<R> | undefined> {
    return this.#start(on, params, 'maybe') as Promise<ValuesOf<R> | undefined>
  }

  /** All rows, in PostgreSQL's order. */
  all(on: Queryable, ...params: Arguments<P>): Promise<ValuesOf<R>[]> {
    return this.#start(on, params, 'all') as Promise<ValuesOf<R>[]>
  }

  /** Runs it for its effect: how many rows it changed or returned. */
  run(on: Queryable, ...params: Arguments<P>): Promise<number> {
    return this.#start(on, params, 'count') as Promise<number>
  }

  /**
   * All rows one by one, with `batchRows` of them in memory: for exports and long work. On a transaction a
   * cursor of it; else one in a read-only transaction on a connection of its own, until the loop ends or is left.
   *
   *     for await (const row of everything.stream(req)) …
   */
  async *stream(
    on: Queryable,
    ...given: [...params: Arguments<P>, options?: StreamOptions]
  ): AsyncGenerator<ValuesOf<R>, void, undefined> {
    const hasParams = this.#keys.length > 0
    const batchRows = readBatchRows(this.name, (given[hasParams ? 1 : 0] ?? {}) as StreamOptions)
    const args = this.#encode(hasParams ? given : [])
    noteStatement(this.name, on.trace)
    yield* this.#stream(on, args, batchRows) as AsyncGenerator<ValuesOf<R>, void, undefined>
  }

  #stream(on: Queryable, args: readonly (string | null)[], batchRows: number) {
    const runner = this.#runnerOf(on, 'all')
    if (runner instanceof Transaction) return streamIn(runner, this, args, batchRows)
    const db = runner instanceof Outside ? runner.db : runner
    if (!(db instanceof Database)) {
      throw this.#wrong('stream', 'needs a request, a database or a transaction')
    }
    if (db === runner) refuseOutside(db, `statement "${this.name}"`)
    if (db.pinned !== null) return this.#allAtOnce(runner, args)
    const request = 'services' in on ? on : null
    return streamAlone(db, on.trace, this, args, batchRows, request)
  }

  /** In a test's transaction, which others use meanwhile. */
  async *#allAtOnce(runner: Runner, args: readonly (string | null)[]) {
    const query = new Query(this, args, 'all', runner.trace)
    runner.submit(query)
    yield* (await query.promise) as unknown[]
  }

  /** For `query.ts`. Throws UWAS_ERR_MODEL_COLUMNS. */
  readerOf(columns: readonly Column[]): RowReader {
    let reader = this.#readers.get(columns)
    if (reader === undefined) {
      reader = createReader(this.name, this.row, columns)
      this.#readers.set(columns, reader)
    }
    return reader
  }

  #start(on: Queryable, params: readonly unknown[], wanted: Wanted): Promise<unknown> {
    let query: Query
    let runner: Runner
    try {
      runner = this.#runnerOf(on, wanted)
      query = new Query(this, this.#encode(params), wanted, on.trace)
      if (this.slow && 'services' in on) query.request = on
    } catch (error) {
      const rejected = Promise.reject(error)
      rejected.catch(() => {})
      return rejected
    }
    noteStatement(this.name, on.trace)
    runner.submit(query)
    return query.promise
  }

  #runnerOf(on: Queryable, wanted: Wanted): Runner {
    if (!('services' in on)) return on
    return joinedBy(on) ?? this.#databaseOf(on, wanted)
  }

  #databaseOf(req: RequestLike, wanted: Wanted): Runner {
    refuseEscape(req, `statement "${this.name}"`)
    const db = req.services.get(DATABASE)
    const isCounted = !this.repeats && wanted !== 'count' && req.isSocket !== true
    if (isCounted) db.repeats?.note(req, this.name)
    return db
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
        if (error instanceof Unfit)
          throw unfit(`statement "${this.name}"`, `parameter ${key}: ${error.message}`, error)
        throw this.#wrong(key, problemOf(error), error)
      }
    }
    let given = 0
    for (const _ in values) given++
    if (given !== args.length) this.#refuseUndeclared(values)
    return args
  }

  #refuseUndeclared(values: Readonly<Record<string, unknown>>): void {
    for (const key in values) {
      if (!Object.hasOwn(this.params, key)) {
        throw this.#wrong(key, `is not declared; declared are: ${this.#keys.join(', ') || 'none'}`)
      }
    }
  }

  #wrong(key: string, problem: string, cause?: unknown): Error {
    return createError('UWAS_ERR_MODEL_PARAMETER', { statement: this.name, key, problem }, cause)
  }
}

/**
 * Declares a statement. `name` is unique in the site; it stands in errors and timings. Throws
 * UWAS_ERR_MODEL_STATEMENT for a name in use and for SQL that has no place in a statement, UWAS_ERR_MODEL_SESSION for
 * what needs a session of its own (SET, `pg_advisory_lock`, temporary tables, `currval`, …).
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
