/**
 * All that a database is asked, in one transaction that is never committed: what a test does is undone with one
 * ROLLBACK, whatever the site's code did. A statement of its own is a savepoint, so that its failure is its
 * own; an `atomic` is one too, and its hooks run when it would have committed. Used by the test client.
 */
import type { Trace } from '../core/trace.ts'
import type { Connection } from './connection.ts'
import type { Database } from './database.ts'
import type { Query } from './query.ts'
import { Transaction } from './transaction.ts'

export class Pinned {
  readonly #db: Database
  readonly #connection: Connection
  readonly #root: Transaction
  /** The last that has its turn: savepoints of two at once would mix. */
  #last: Promise<unknown> = Promise.resolve()
  #isInAtomic = false

  private constructor(db: Database, connection: Connection) {
    this.#db = db
    this.#connection = connection
    this.#root = new Transaction(connection, null, db.log, null)
  }

  /** Begins. From here on the database runs everything through it, until `end`. */
  static async begin(db: Database): Promise<Pinned> {
    const connection = await db.openSeparate()
    const pinned = new Pinned(db, connection)
    await pinned.#root.begin('')
    db.pinned = pinned
    return pinned
  }

  /** Undoes everything. */
  async end(): Promise<void> {
    this.#db.pinned = null
    await this.#last
    await this.#root.rollback()
    await this.#connection.close(1000)
  }

  /** For `database.ts`. Inside of an `atomic` it runs at once: it would wait for itself. */
  submit(query: Query): void {
    if (this.#isInAtomic) return query.startOn(this.#connection)
    void this.#next(async () => {
      await this.#connection.simple('savepoint uwas_single')
      query.startOn(this.#connection)
      const isDone = await query.promise.then(
        () => true,
        () => false,
      )
      const undo = isDone ? '' : 'rollback to savepoint uwas_single; '
      await this.#connection.simple(`${undo}release savepoint uwas_single`)
    }).catch((error: unknown) => query.fail(error))
  }

  /** For `atomic.ts`. */
  async atomic<T>(trace: Trace | null, fn: (tx: Transaction) => Promise<T>): Promise<T> {
    const result = await this.#next(async () => {
      const tx = await this.#root.nest(trace)
      this.#isInAtomic = true
      try {
        const value = await fn(tx)
        await tx.commit()
        return value
      } catch (error) {
        await tx.rollback()
        throw error
      } finally {
        this.#isInAtomic = false
      }
    })
    await this.#root.runHooks()
    return result
  }

  #next<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work)
    this.#last = turn.catch(() => undefined)
    return turn
  }
}
