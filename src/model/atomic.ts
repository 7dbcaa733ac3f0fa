/**
 * Runs a function in a transaction on a connection of its own: committed when it returns, rolled back
 * when it throws. Called by views (on their request), by anything that has the Database, and inside
 * itself (on the transaction), where it is a savepoint.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type CodedError, createError, isCodedError } from '../core/errors.ts'
import { handled } from '../core/handled.ts'
import type { Trace } from '../core/trace.ts'
import { DATABASE, Database } from './database.ts'
import {
  enterTransaction,
  inScope,
  joined,
  joinedBy,
  refuseEscape,
  refuseOutside,
} from './escape.ts'
import { commitUnknown, conflict, isConflict, isConnectionFailure } from './failures.ts'
import { Outside } from './outside.ts'
import type { RequestLike } from './statement.ts'
import { Transaction } from './transaction.ts'

export type Isolation = 'read committed' | 'repeatable read' | 'serializable'

/** How a transaction begins; only the outermost `atomic` takes them. */
export interface AtomicOptions {
  /** Default: the database's, which is `read committed` unless changed. */
  readonly isolation?: Isolation
  /** PostgreSQL refuses writes; default false. */
  readonly readOnly?: boolean
  /** Waits for a snapshot that cannot conflict; for serializable read-only ones. Default false. */
  readonly deferrable?: boolean
  /**
   * How often the function is run again after a serialization failure or deadlock (SQLSTATE 40001,
   * 40P01), each time after a longer random pause; default 0. It must have no effect but on `tx`.
   */
  readonly retries?: number
  /**
   * It must not become a savepoint: what it returns is committed. Inside of another transaction it is
   * UWAS_ERR_MODEL_TRANSACTION. Default false.
   */
  readonly durable?: boolean
}

const ISOLATIONS: readonly Isolation[] = ['read committed', 'repeatable read', 'serializable']
const OPTION_NAMES = ['isolation', 'readOnly', 'deferrable', 'retries', 'durable']
const FIRST_PAUSE_MS = 10
const LONGEST_PAUSE_MS = 1000

/**
 * Returns what `fn` returns, after COMMIT. Statements run on `tx`. One that is run meanwhile, by `fn` or what it
 * calls, on the request or the database would not belong to the transaction: UWAS_ERR_MODEL_ESCAPED, and so is a
 * second `atomic`. What is meant to stay outside runs on `outside(req)`.
 *
 * On a transaction it makes a savepoint: when the inner function throws, only its work is undone and
 * the outer one may go on. One nested `atomic` of a transaction runs at a time; options belong to the
 * outermost.
 *
 * Throws what `fn` throws; UWAS_ERR_MODEL_BUSY and _UNAVAILABLE without a connection,
 * UWAS_ERR_MODEL_CONFLICT when retries are used up, UWAS_ERR_MODEL_ROLLED_BACK when `fn` hid the
 * failure of a statement, UWAS_ERR_MODEL_COMMIT_UNKNOWN when the connection broke during COMMIT, which is never
 * tried again, UWAS_ERR_MODEL_ABANDONED when the request is over, UWAS_ERR_MODEL_TRANSACTION for misuse.
 *
 * A schema that changed under a prepared statement (SQLSTATE 0A000, "cached plan must not change result type")
 * fails the transaction once: it counts as a conflict, which `retries` repeats; what is prepared is made anew.
 */
export function atomic<T>(
  on: RequestLike | Database | Transaction | Outside,
  fn: (tx: Transaction) => Promise<T>,
  options: AtomicOptions = {},
): Promise<T> {
  return handled(begin(on, fn, options))
}

async function begin<T>(
  on: RequestLike | Database | Transaction | Outside,
  fn: (tx: Transaction) => Promise<T>,
  options: AtomicOptions,
): Promise<T> {
  const outer = on instanceof Transaction ? on : 'services' in on ? joinedBy(on) : null
  checkAtomicOptions(options, outer !== null)
  if (outer !== null) return runNested(outer, fn)
  if (on instanceof Outside)
    return repeat(on.db, on.trace, (tx) => inScope(on.db, () => fn(tx)), options)
  if (on instanceof Database) {
    refuseOutside(on, 'atomic')
    return repeat(on, null, (tx) => inScope(on, () => fn(tx)), options)
  }
  return beginFor(on as RequestLike, fn, options)
}

/** For `was/`: the transaction of a request whose route wants one. What runs on the request runs in it. */
export function atomicRequest<T>(
  req: RequestLike,
  fn: () => Promise<T>,
  options: AtomicOptions,
): Promise<T> {
  return handled(beginFor(req, (tx) => joined(req, tx, fn), options))
}

async function beginFor<T>(
  req: RequestLike,
  fn: (tx: Transaction) => Promise<T>,
  options: AtomicOptions,
): Promise<T> {
  refuseEscape(req, 'atomic')
  const db = req.services.get(DATABASE)
  refuseOutside(db, 'atomic')
  let leave: (() => void) | undefined = enterTransaction(req)
  const run = async (tx: Transaction): Promise<T> => {
    leave ??= enterTransaction(req)
    try {
      const result = await untilAbandoned(
        req,
        inScope(db, () => fn(tx)),
      )
      refuseAbandoned(req)
      return result
    } finally {
      // Hooks, which run after the commit, may use the request.
      leave()
      leave = undefined
    }
  }
  try {
    return await repeat(db, req.trace, run, options, () => refuseAbandoned(req))
  } finally {
    leave?.()
  }
}

/**
 * What `work` gives, or UWAS_ERR_MODEL_ABANDONED as soon as nobody waits for the reply: a view that hangs must not
 * hold its transaction, with all its locks, for longer.
 */
async function untilAbandoned<T>(req: RequestLike, work: Promise<T>): Promise<T> {
  const { signal } = req
  if (signal === undefined) return work
  let abandon = () => {}
  const abandoned = new Promise<never>((_, reject) => {
    abandon = () => reject(createError('UWAS_ERR_MODEL_ABANDONED', {}))
  })
  signal.addEventListener('abort', abandon)
  try {
    return await Promise.race([handled(work), abandoned])
  } finally {
    signal.removeEventListener('abort', abandon)
  }
}

/** A client that has gone, or whose time is over, has been told nothing: what was done for it is undone. */
function refuseAbandoned(req: RequestLike): void {
  if (req.isAborted === true) throw createError('UWAS_ERR_MODEL_ABANDONED', {})
}

/** Runs it as often as conflicts ask for and `retries` allows. */
async function repeat<T>(
  db: Database,
  trace: Trace | null,
  fn: (tx: Transaction) => Promise<T>,
  options: AtomicOptions,
  beforeRetry: () => void = () => {},
): Promise<T> {
  if (db.pinned !== null) return db.pinned.atomic(trace, fn, options.readOnly === true)
  const retries = options.retries ?? 0
  for (let attempt = 1; ; attempt++) {
    try {
      return await runOnce(db, trace, fn, beginOptions(options))
    } catch (error) {
      // A COMMIT that may have taken effect is none, whatever it failed with.
      if (!isConflict(error)) throw error
      if (attempt > retries) throw retries === 0 ? error : conflict('atomic', attempt, error)
      beforeRetry()
      db.stats.retries++
      await sleep(Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt))
    }
  }
}

async function runOnce<T>(
  db: Database,
  trace: Trace | null,
  fn: (tx: Transaction) => Promise<T>,
  begin: string,
): Promise<T> {
  const connection = await db.exclusive.acquire()
  const tx = new Transaction(connection, trace, db.log, null)
  let result: T
  try {
    await tx.begin(begin)
    result = await fn(tx)
    await commit(tx)
  } catch (error) {
    // A refused or lost COMMIT leaves nothing to roll back; ROLLBACK outside a transaction is harmless.
    await tx.rollback().catch(() => connection.kill('rolling back failed'))
    throw error
  } finally {
    db.exclusive.release(connection)
  }
  await tx.runHooks()
  return result
}

async function commit(tx: Transaction): Promise<void> {
  try {
    await tx.commit()
  } catch (error) {
    if (isConnectionFailure(error) && !wasRefused(error))
      throw commitUnknown('the transaction', error)
    throw error
  }
}

async function runNested<T>(outer: Transaction, fn: (tx: Transaction) => Promise<T>): Promise<T> {
  const tx = await outer.nest()
  try {
    const result = await fn(tx)
    await tx.commit()
    return result
  } catch (error) {
    await tx.rollback().catch(() => {})
    throw error
  }
}

/** True when COMMIT was never sent, because the connection had been lost before. */
function wasRefused(error: unknown): boolean {
  return isCodedError(error) && error.cause === undefined
}

function beginOptions({ isolation, readOnly, deferrable }: AtomicOptions): string {
  return [
    isolation === undefined ? '' : ` isolation level ${isolation}`,
    readOnly === true ? ' read only' : '',
    deferrable === true ? ' deferrable' : '',
  ].join('')
}

/** Throws UWAS_ERR_MODEL_TRANSACTION. */
export function checkAtomicOptions(options: AtomicOptions, nested = false): void {
  const { isolation, retries = 0 } = options
  const unknown = Object.keys(options).find((key) => !OPTION_NAMES.includes(key))
  if (unknown !== undefined) throw refuse(`atomic has no option "${unknown}"`)
  if (nested && options.durable === true) {
    throw refuse('it is durable, and would be a savepoint of the transaction around it')
  }
  if (nested && Object.keys(options).length > 0) {
    throw refuse('options belong to the outermost atomic, not to one on a transaction')
  }
  // It becomes part of the SQL text.
  if (isolation !== undefined && !ISOLATIONS.includes(isolation)) {
    throw refuse(`isolation is one of: ${ISOLATIONS.join(', ')}`)
  }
  if (!Number.isInteger(retries) || retries < 0 || retries > 100) {
    throw refuse('retries is a whole number from 0 to 100')
  }
}

function refuse(problem: string): CodedError {
  return createError('UWAS_ERR_MODEL_TRANSACTION', { what: 'atomic', problem })
}
