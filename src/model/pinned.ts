/**
 * All that a database is asked, in one transaction that is never committed: what a test does is undone with one
 * ROLLBACK, whatever the site's code did. A statement of its own is a savepoint, so that its failure is its
 * own; an `atomic` is one too, and its hooks run when it would have committed. Used by the test client.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Trace } from '../core/trace.ts'
import type { Connection } from './connection.ts'
import type { Database } from './database.ts'
import type { Query } from './query.ts'
import { Transaction } from './transaction.ts'

/** The connection, or an open savepoint on it: what is asked for in it takes turns, two at once would mix. */
class Level {
  isOpen = true
  last: Promise<unknown> = Promise.resolve()

  next<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.last.then(work)
    this.last = turn.catch(() => undefined)
    return turn
  }
}

export class Pinned {
  readonly #db: Database
  readonly #connection: Connection
  readonly #root: Transaction
  readonly #outside = new Level()
  /**
   * The atomic that the caller is in. What it asks of the database itself runs inside, where it would otherwise
   * wait for its own end; what others ask meanwhile waits, and does not share the atomic's fate.
   */
  readonly #inside = new AsyncLocalStorage<Level>()

  private constructor(db: Database, connection: Connection) {
    this.#db = db
    this.#connection = connection
    this.#root = new Transaction(connection, null, db.log, null)
  }

  /** Begins. From here on the database runs everything through it, until `end`. */
  static async begin(db: Database): Promise<Pinned> {
    const connection = await db.openSeparate()
    const pinned = new Pinned(db, connection)
    pinned.#root.begin(['begin'])
    db.pinned = pinned
    return pinned
  }

  /** Undoes everything. */
  async end(): Promise<void> {
    this.#db.pinned = null
    await this.#outside.last
    try {
      await this.#root.rollback()
    } finally {
      await this.#connection.close(1000)
    }
  }

  /** For `database.ts`. */
  submit(query: Query): void {
    const turn = this.#level().next(async () => {
      await this.#connection.simple('savepoint uwas_single')
      query.startOn(this.#connection)
      const isDone = await query.promise.then(
        () => true,
        () => false,
      )
      const undo = isDone ? '' : 'rollback to savepoint uwas_single; '
      await this.#connection.simple(`${undo}release savepoint uwas_single`)
    })
    void turn.catch((error: unknown) => query.fail(error))
  }

  /** For `atomic.ts`. One that is read-only refuses writes here too. */
  async atomic<T>(
    trace: Trace | null,
    fn: (tx: Transaction) => Promise<T>,
    isReadOnly: boolean,
  ): Promise<T> {
    const result = await this.#level().next(() => this.#savepoint(trace, fn, isReadOnly))
    await this.#root.runHooks()
    return result
  }

  async #savepoint<T>(
    trace: Trace | null,
    fn: (tx: Transaction) => Promise<T>,
    isReadOnly: boolean,
  ): Promise<T> {
    // Not by `nest`: one inside another is not its child. PostgreSQL takes the latest savepoint of a name.
    const tx = new Transaction(this.#connection, trace, this.#db.log, this.#root, isReadOnly)
    const level = new Level()
    await this.#connection.simple('savepoint uwas_1')
    try {
      // Ends with the savepoint.
      if (isReadOnly) await this.#connection.simple('set transaction read only')
      const value = await this.#inside.run(level, () => fn(tx))
      await level.last
      await tx.commit()
      return value
    } catch (error) {
      await level.last
      await tx.rollback()
      throw error
    } finally {
      level.isOpen = false
    }
  }

  #level(): Level {
    const level = this.#inside.getStore()
    return level?.isOpen === true ? level : this.#outside
  }
}
