/** One thing asked of PostgreSQL, and what becomes of its answer. Run by `session.ts`, in order. */
import type { CopyTarget } from './copy-in.ts'

export interface Column {
  readonly name: string
  /** pg_type.oid */
  readonly type: number
}

/** A statement that a session has prepared, or is preparing. */
export interface Prepared {
  readonly sql: string
  readonly name: string
  /** All of a Bind that stands before its parameters. */
  readonly bind: Uint8Array
  /** Null until PostgreSQL has described them; then always the same arrays. */
  params: readonly number[] | null
  columns: readonly Column[] | null
  /** Why PostgreSQL would not prepare it. */
  failure: unknown
}

const NOTHING: readonly string[] = []

/**
 * The methods are called in the order of the answer, `done` last and once. What they throw (but `done`) is
 * the task's failure; the rest of its answer is read and dropped.
 */
export abstract class Task {
  /** For the session: what it runs, with which parameters; null for an unprepared text. */
  prepared: Prepared | null = null
  args: readonly (string | null)[] | null = null
  /** For the session: what has gone wrong so far. */
  failure: unknown = undefined
  /** For the session: it has been sent a second time, since its plan had become stale. */
  isRepeated = false
  /** Commands that run before it, in the same round trip and implicit transaction: where one fails it does not run. */
  before: readonly string[] = NOTHING
  /** For the session: commands before it in the same message group that have not been answered. */
  leads = 0
  /** For the session: those of `lead`, which begin its transaction. */
  begins: readonly string[] = NOTHING

  /** The rows that follow have these columns. */
  abstract columns(columns: readonly Column[]): void
  /** A row; `at` is where its number of cells stands. The bytes are valid during the call only. */
  abstract row(buffer: Buffer, at: number): void
  /** The statement is through: the tag (`INSERT 0 1`) stands from `at` to `end`. */
  abstract complete(buffer: Buffer, at: number, end: number): void
  /** PostgreSQL waits for the data of a COPY; without it that fails. */
  feed?(target: CopyTarget): void
  /** The end, with what went wrong or undefined. */
  abstract done(failure: unknown): void
}
