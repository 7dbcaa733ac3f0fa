/**
 * One level of a transaction: the whole of it, or a savepoint inside. Statements run on it while its
 * callback does. Made by `atomic.ts` only.
 */
import { createError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { Trace } from '../core/trace.ts'
import type { Connection } from './connection.ts'
import { isConnectionFailure, sqlStateOf, translate } from './failures.ts'
import { USUAL_PLAN } from './plan-mode.ts'
import type { Query } from './query.ts'
import type { Result, Settling } from './wire/collect.ts'
import { CopyIn } from './wire/copy-in.ts'

/** Runs after the outermost commit; what it throws is logged and harms nobody. */
export type CommitHook = () => void | Promise<void>

const OVER = 'its transaction has ended; was a promise in it not awaited?'

/** What `atomic` gives its function: statements run on it belong to the transaction. */
export class Transaction {
  readonly trace: Trace | null
  readonly #connection: Connection
  readonly #parent: Transaction | null
  readonly #log: Log
  /** The savepoint's name; empty for the outermost level. */
  readonly #savepoint: string
  #state: 'open' | 'nested' | 'copying' | 'finished'
  /** Of the outermost level: the COPY that is under way, on whichever level. */
  #copy: CopyIn | null
  readonly #cursors: Set<string>
  readonly #isReadOnly: boolean
  /** Of the outermost level: nobody waits for it any more. */
  #abandoned: Error | undefined
  #hooks: CommitHook[]
  #failure: unknown
  /** Of the outermost level: a statement's own way of planning is set, perhaps. */
  #hasPlanMode: boolean

  constructor(
    connection: Connection,
    trace: Trace | null,
    log: Log,
    parent: Transaction | null,
    isReadOnly = parent === null ? false : parent.#isReadOnly,
  ) {
    this.trace = trace
    this.#connection = connection
    this.#parent = parent
    this.#log = log
    this.#savepoint = parent === null ? '' : `uwas_${parent.#depth() + 1}`
    this.#isReadOnly = isReadOnly
    this.#state = 'open'
    this.#copy = null
    this.#cursors = new Set()
    this.#abandoned = undefined
    this.#hooks = []
    this.#failure = undefined
    this.#hasPlanMode = false
  }

  /** Calls `hook` after the outermost commit, or never when this level or one around it rolls back. */
  onCommit(hook: CommitHook): void {
    if (this.#state === 'finished') throw this.#refuse('onCommit', 'the transaction has ended')
    this.#hooks.push(hook)
  }

  /** For `statement.ts`. UWAS_ERR_MODEL_TRANSACTION when the level has ended or is not the inmost. */
  submit(query: Query): void {
    try {
      this.#checkOpen(query.what)
    } catch (error) {
      return query.fail(error)
    }
    query.isReadOnly = this.#isReadOnly
    query.onFailure = (error) => {
      this.#failure ??= error
    }
    this.#outermost().#planAsUsual(query)
    query.startOn(this.#connection)
  }

  /** For `table/copy.ts`: sends the rows of a COPY … FROM STDIN; how many there were. */
  async copy(what: string, text: string, pieces: AsyncIterable<string>): Promise<number> {
    this.#checkOpen(what)
    this.#state = 'copying'
    const outermost = this.#outermost()
    const copy = new CopyIn(pieces)
    outermost.#copy = copy
    try {
      return await this.#connection.simply(copy, text)
    } catch (error) {
      throw this.#failed(error, what)
    } finally {
      outermost.#copy = null
      if (this.#state === 'copying') this.#state = 'open'
    }
  }

  /** For `cursor.ts`: the name of a cursor over the rows of `sql`. */
  async openCursor(what: string, sql: string, args: readonly (string | null)[]): Promise<string> {
    this.#checkOpen(what)
    // Few names, used again: each makes a prepared statement.
    let number = 1
    while (this.#cursors.has(`uwas_cursor_${number}`)) number++
    const name = `uwas_cursor_${number}`
    this.#cursors.add(name)
    try {
      await this.#connection.run(`declare ${name} no scroll cursor for ${sql}`, args)
      return name
    } catch (error) {
      this.#cursors.delete(name)
      throw this.#failed(error, what)
    }
  }

  /** For `cursor.ts`: `text` is a FETCH or CLOSE. */
  async useCursor<T>(what: string, text: string, task: Settling<T>): Promise<T> {
    this.#checkOpen(what)
    try {
      return await this.#connection.simply(task, text)
    } catch (error) {
      throw this.#failed(error, what)
    }
  }

  /** For `cursor.ts`: the cursor is no more. */
  releaseCursor(name: string): void {
    this.#cursors.delete(name)
  }

  /** For long work: statements of this transaction may take any time from here on. */
  async allowLong(): Promise<void> {
    await this.#command('set local statement_timeout = 0')
    this.#connection.isLong = true
  }

  /** For `atomic.ts`: begins a level inside this one. */
  async nest(trace = this.trace): Promise<Transaction> {
    this.#checkOpen('a nested atomic')
    this.#state = 'nested'
    const inner = new Transaction(this.#connection, trace, this.#log, this)
    try {
      await this.#command(`savepoint ${inner.#savepoint}`)
      return inner
    } catch (error) {
      this.#state = 'open'
      throw error
    }
  }

  /** For `atomic.ts`: from here on nothing runs in it but its ROLLBACK. */
  abandon(error: Error): void {
    this.#abandoned = error
  }

  /**
   * For `atomic.ts`: BEGIN, which goes out with the first statement; COMMIT or RELEASE, ROLLBACK, after which the level
   * has ended.
   */
  begin(commands: readonly string[]): void {
    this.#connection.lead(commands)
  }

  async commit(): Promise<void> {
    const isNested = this.#state === 'nested'
    this.#state = 'finished'
    await this.#stopCopy()
    if (isNested) {
      throw this.#refuse('COMMIT', 'an atomic nested in it is still open; was it not awaited?')
    }
    this.#checkOuter('a nested atomic')
    if (this.#parent !== null) {
      await this.#release()
      this.#parent.#state = 'open'
      this.#parent.#hooks.push(...this.#hooks)
      return
    }
    const { command } = await this.#command('commit')
    if (command !== 'COMMIT') {
      throw createError('UWAS_ERR_MODEL_ROLLED_BACK', {}, this.#failure)
    }
  }

  async #release(): Promise<void> {
    const failure = this.#failure
    try {
      await this.#command(`release savepoint ${this.#savepoint}`)
    } catch (error) {
      if (sqlStateOf(error) !== '25P02') throw error
      throw createError('UWAS_ERR_MODEL_ROLLED_BACK', {}, failure)
    }
  }

  async rollback(): Promise<void> {
    this.#state = 'finished'
    await this.#stopCopy()
    if (this.#parent === null) {
      if (!this.#connection.dropLead()) await this.#command('rollback')
      return
    }
    // The savepoint went with it, and the connection may be somebody else's by now.
    if (this.#isOver()) return
    this.#parent.#state = 'open'
    // It may be as it was before the savepoint.
    this.#outermost().#hasPlanMode = true
    await this.#command(
      `rollback to savepoint ${this.#savepoint}; release savepoint ${this.#savepoint}`,
    )
  }

  /** For `atomic.ts`: calls the hooks in order, each whatever became of the others. */
  async runHooks(): Promise<void> {
    const hooks = this.#hooks
    this.#hooks = []
    for (const hook of hooks) {
      try {
        await hook()
      } catch (error) {
        this.#log.error('an onCommit hook failed; the transaction itself is committed', error)
      }
    }
  }

  async #command(text: string): Promise<Result> {
    try {
      return await this.#connection.simple(text)
    } catch (error) {
      this.#failure ??= error
      throw isConnectionFailure(error) && text === 'commit'
        ? error
        : translate(error, text, this.#connection.where)
    }
  }

  /** One that nobody awaits: what would be sent behind it would be taken for its data. */
  async #stopCopy(): Promise<void> {
    const copy = this.#outermost().#copy
    if (copy === null) return
    copy.stop(this.#refuse('a COPY', 'its transaction has ended; was its promise not awaited?'))
    await copy.promise.catch(() => {})
  }

  /** What one statement has set for its transaction is not the next one's. */
  #planAsUsual(query: Query): void {
    const isOwn = query.statement.planMode !== null
    if (this.#hasPlanMode && !isOwn) query.before = USUAL_PLAN
    this.#hasPlanMode = isOwn
  }

  #failed(error: unknown, what: string): Error {
    this.#failure ??= error
    return translate(error, what, this.#connection.where)
  }

  #outermost(): Transaction {
    return this.#parent === null ? this : this.#parent.#outermost()
  }

  /** A level may outlive the whole, when its promise was not awaited; the connection is not its own then. */
  #checkOuter(what: string): void {
    const abandoned = this.#outermost().#abandoned
    if (abandoned !== undefined) throw abandoned
    if (this.#isOver()) throw this.#refuse(what, OVER)
  }

  #depth(): number {
    return this.#parent === null ? 0 : this.#parent.#depth() + 1
  }

  #checkOpen(what: string): void {
    this.#checkOuter(what)
    if (this.#state === 'finished') throw this.#refuse(what, OVER)
    if (this.#state === 'copying') {
      throw this.#refuse(what, 'rows are being copied in its transaction; await that first')
    }
    if (this.#state === 'nested') {
      throw this.#refuse(
        what,
        'an atomic nested in its transaction is still open; use the inner tx',
      )
    }
  }

  /** True when a level around it has ended, and with it the use of the connection. */
  #isOver(): boolean {
    for (let each = this.#parent; each !== null; each = each.#parent) {
      if (each.#state === 'finished') return true
    }
    return false
  }

  #refuse(what: string, problem: string): Error {
    return createError('UWAS_ERR_MODEL_TRANSACTION', { what, problem })
  }
}
