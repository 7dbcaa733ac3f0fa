/**
 * The rows of a statement one by one, however many there are: a cursor in a transaction, and a batch of rows in
 * memory at a time (PostgreSQL 18, DECLARE). Called by `statement.ts`.
 */
import { createError } from '../core/errors.ts'
import type { Trace } from '../core/trace.ts'
import { cancelOnAbort } from './abandon.ts'
import type { Database } from './database.ts'
import type { Declared } from './query.ts'
import type { RowReader } from './row-reader.ts'
import { Transaction } from './transaction.ts'
import { Collected, Settling } from './wire/collect.ts'
import type { Column } from './wire/task.ts'

/** How rows are streamed. */
export interface StreamOptions {
  /** Rows that are fetched at a time, 1 to 10,000. Default 200. */
  readonly batchRows?: number
}

const MAX_BATCH = 10_000

/** Throws UWAS_ERR_MODEL_STATEMENT. */
export function readBatchRows(statement: string, options: StreamOptions): number {
  const unknown = Object.keys(options).find((key) => key !== 'batchRows')
  const { batchRows = 200 } = options
  let problem: string | undefined
  if (unknown !== undefined) problem = `stream has no option "${unknown}"; it has "batchRows"`
  else if (!Number.isInteger(batchRows) || batchRows < 1 || batchRows > MAX_BATCH) {
    problem = `batchRows is ${batchRows}; it must be a whole number from 1 to 10,000`
  }
  if (problem === undefined) return batchRows
  throw createError('UWAS_ERR_MODEL_STATEMENT', { statement, problem })
}

/** Whose stream it is. */
export interface Wanting {
  readonly signal?: AbortSignal
  readonly isAborted?: boolean
}

/** In a read-only transaction on a connection that is the stream's own until its end. */
export async function* streamAlone(
  db: Database,
  trace: Trace | null,
  statement: Declared,
  args: readonly (string | null)[],
  batchRows: number,
  request: Wanting | null,
): AsyncGenerator<unknown, void, undefined> {
  const signal = request?.signal ?? null
  const connection = await db.exclusive.acquire(signal)
  const stop = cancelOnAbort(db, connection, signal)
  const tx = new Transaction(connection, trace, db.log, null, true)
  try {
    tx.begin(['begin read only'])
    yield* streamIn(tx, statement, args, batchRows, () => request?.isAborted !== true)
  } finally {
    await stop()
    await tx.rollback().catch(() => connection.kill('rolling back failed'))
    db.exclusive.release(connection)
  }
}

/** `isWanted` is asked before each batch: UWAS_ERR_MODEL_ABANDONED when nobody waits any more. */
export async function* streamIn(
  tx: Transaction,
  statement: Declared,
  args: readonly (string | null)[],
  batchRows: number,
  isWanted: () => boolean = () => true,
): AsyncGenerator<unknown, void, undefined> {
  const what = `statement "${statement.name}"`
  const from = tx.trace === null ? 0 : performance.now()
  const within = tx.trace?.part ?? null
  const name = await tx.openCursor(what, statement.sql, args)
  let isOpen = true
  let reader: RowReader | undefined
  try {
    for (let isFirst = true; ; isFirst = false) {
      if (!isWanted()) throw createError('UWAS_ERR_MODEL_ABANDONED', {})
      const batch = new Batch((columns) => {
        reader ??= statement.readerOf(columns)
        return reader
      })
      const rows = await tx
        .useCursor(what, `fetch ${batchRows} from ${name}`, batch)
        .catch((error) => {
          isOpen = false
          throw error
        })
      if (isFirst && tx.trace !== null) {
        const more = { within, sql: statement.sql }
        tx.trace.add('model', from, statement.name, performance.now(), more)
      }
      yield* rows
      if (rows.length < batchRows) return
    }
  } finally {
    // Left early or at its end; a transaction that has failed or ended has closed it by itself.
    if (isOpen) await tx.useCursor(what, `close ${name}`, new Collected()).catch(() => {})
    tx.releaseCursor(name)
  }
}

/** The rows of one FETCH. */
class Batch extends Settling<unknown[]> {
  readonly #readerOf: (columns: readonly Column[]) => RowReader
  readonly #rows: unknown[] = []
  #reader: RowReader | null = null

  constructor(readerOf: (columns: readonly Column[]) => RowReader) {
    super()
    this.#readerOf = readerOf
  }

  columns(columns: readonly Column[]): void {
    this.#reader = this.#readerOf(columns)
  }

  row(buffer: Buffer, at: number): void {
    this.#rows.push(this.#reader?.(buffer, at))
  }

  complete(): void {}

  protected result(): unknown[] {
    return this.#rows
  }
}
