/**
 * One run of a declared statement: its rows are read as they arrive, its promise settles once. Made by
 * `statement.ts`, started by the database or a transaction.
 */
import { createError, isCodedError } from '../core/errors.ts'
import { failureOf, type Part, type Span, type Trace } from '../core/trace.ts'
import type { Connection } from './connection.ts'
import {
  commitUnknown,
  isConnectionFailure,
  isRefusedWrite,
  sqlStateOf,
  translate,
} from './failures.ts'
import { PLAN_COMMANDS, type PlanMode } from './plan-mode.ts'
import type { RowReader } from './row-reader.ts'
import { bareSql } from './sql-token.ts'
import { countAt } from './wire/collect.ts'
import { type Column, Task } from './wire/task.ts'

/** What is wanted of the rows: the one, one or none, all, or how many there were. */
export type Wanted = 'one' | 'maybe' | 'all' | 'count'

/** What a Statement has of this. */
export interface Declared {
  readonly name: string
  readonly sql: string
  readonly slow: boolean
  readonly planMode: PlanMode | null
  readerOf(columns: readonly Column[]): RowReader
}

export class Query extends Task {
  readonly statement: Declared
  readonly wanted: Wanted
  readonly promise: Promise<unknown>
  /** Where it runs, once that is known. */
  connection: Connection | null
  /** Whose it is, where it is stopped when nobody waits for that one any more. */
  request: { readonly signal?: AbortSignal } | null
  /** Its transaction is read-only by its own choice: that writes are refused is no news of the server. */
  isReadOnly: boolean
  /** Hears of its failure before the promise does. */
  onFailure: ((error: unknown) => void) | null
  readonly trace: Trace | null
  /** The part of the request that it was started in. */
  readonly #within: Part | null
  /** 0 where nobody asks how long it takes. */
  #startedAt: number
  #reader: RowReader | null
  #rows: unknown[]
  #count: number
  #resolve!: (value: unknown) => void
  #reject!: (error: unknown) => void

  constructor(
    statement: Declared,
    args: readonly (string | null)[],
    wanted: Wanted,
    trace: Trace | null,
  ) {
    super()
    this.statement = statement
    this.args = args
    this.wanted = wanted
    if (statement.planMode !== null) this.before = PLAN_COMMANDS[statement.planMode]
    this.connection = null
    this.request = null
    this.isReadOnly = false
    this.onFailure = null
    this.trace = trace
    this.#within = trace === null ? null : trace.part
    this.#startedAt = trace === null ? 0 : performance.now()
    this.#reader = null
    this.#rows = []
    this.#count = 0
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** For errors: `statement "all posts"`. */
  get what(): string {
    return `statement "${this.statement.name}"`
  }

  startOn(connection: Connection): void {
    this.connection = connection
    const isMeasured = connection.slow !== null || connection.times !== null
    if (isMeasured && this.#startedAt === 0) this.#startedAt = performance.now()
    connection.start(this, this.statement.sql, this.args as readonly (string | null)[])
  }

  columns(): void {}

  row(buffer: Buffer, at: number): void {
    if (this.wanted === 'count') return
    this.#reader ??= this.statement.readerOf(this.prepared?.columns as readonly Column[])
    if (this.wanted === 'all' || this.#count === 0) this.#rows.push(this.#reader(buffer, at))
    this.#count++
  }

  complete(buffer: Buffer, _at: number, end: number): void {
    if (this.wanted === 'count') this.#count = countAt(buffer, end)
  }

  done(failure: unknown): void {
    const span = this.trace === null ? null : this.#trace(this.trace, failure)
    if (this.connection !== null) this.#tell(this.connection, failure !== undefined, span)
    if (failure !== undefined) return this.fail(failure)
    if (this.wanted === 'all') return this.#resolve(this.#rows)
    if (this.wanted === 'count') return this.#resolve(this.#count)
    const count = this.#count
    const { name } = this.statement
    if (count > 1) {
      const expected = this.wanted === 'one' ? 'one' : 'at most one'
      this.fail(createError('UWAS_ERR_MODEL_NOT_ONE', { statement: name, count, expected }))
    } else if (this.#rows.length === 0 && this.wanted === 'one') {
      this.fail(createError('UWAS_ERR_MODEL_NO_ROW', { statement: name }))
    } else this.#resolve(this.#rows[0])
  }

  #trace(trace: Trace, failure: unknown): Span {
    const { name, sql } = this.statement
    const told = failure === undefined ? null : (sqlStateOf(failure) ?? failureOf(failure))
    const more = { within: this.#within, sql, failure: told }
    return trace.add('model', this.#startedAt, name, performance.now(), more)
  }

  #tell({ slow, times }: Connection, hasFailed: boolean, span: Span | null): void {
    if (slow === null && times === null) return
    const ms = performance.now() - this.#startedAt
    times?.note(this.statement.name, ms, hasFailed)
    if (slow !== null && ms >= slow.thresholdMs) slow.note(this, ms, span)
  }

  /** Ends it without having run, or after that: the promise rejects with what `translate` makes of it. */
  fail(failure: unknown): void {
    const { connection } = this
    const told = connection === null ? failure : connection.tell(failure)
    // After a failover the same name may lead to the server that takes writes.
    if (connection !== null && !this.isReadOnly && isRefusedWrite(told)) connection.isRetired = true
    this.onFailure?.(told)
    // Of two queries started before the first is awaited both may fail, and the second one's rejection
    // would have no handler yet: Node would end the worker. Whoever awaits the promise still gets it.
    this.promise.catch(() => {})
    if (this.#mayHaveTakenEffect(failure)) return this.#reject(commitUnknown(this.what, told))
    this.#reject(translate(told, this.what, connection?.where ?? '', this.isReadOnly))
  }

  /** Of its own, not in a transaction, it commits itself: its answer was that of a COMMIT. */
  #mayHaveTakenEffect(failure: unknown): boolean {
    if (this.onFailure !== null || this.connection === null || isCodedError(failure)) return false
    return isConnectionFailure(failure) && !isRead(this.statement.sql)
  }
}

/** Surely changes nothing, as far as its text tells; what functions do is not known. */
function isRead(sql: string): boolean {
  const { text } = bareSql(sql)
  return (
    /^(?:select|values|table|show|with|explain)\b/i.test(text) &&
    !/\b(?:insert|update|delete|merge|nextval|setval)\b/i.test(text)
  )
}
