/**
 * Runs a function in a transaction on a connection of its own: committed when it returns, rolled back
 * when it throws. Called by views (on their request), by anything that has the Database, and inside
 * itself (on the transaction), where it is a savepoint.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type CodedError, createError, isCodedError } from '../core/errors.ts'
import { handled } from '../core/handled.ts'
import { inPart } from '../core/trace.ts'
import { cancelOnAbort, whileWanted } from './abandon.ts'
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
   * 40P01), each time after a longer random pause; default 0. It must have no effect but on `tx`. As an option of a
   * route it runs the view again, its request as it was before: session, messages, user and `req.locals`. A view that has
   * taken the body as a stream (`req.stream()`, `multipart(req)`) is not run again: the conflict is its 503.
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
/** For whom a transaction is. */
type Caller = Pick<RequestLike, 'trace' | 'signal' | 'endsAt'>

const NOBODY: Caller = { trace: null }
const TRANSACTION = { step: 'transaction' } as const
const FIRST_PAUSE_MS = 10
const LONGEST_PAUSE_MS = 1000

/**
 * Returns what `fn` returns, after COMMIT. Statements run on `tx`. One that is run meanwhile, by `fn` or what it
 * calls, on the request or the database would not belong to the transaction: UWAS_ERR_MODEL_ESCAPED, and so is a
 * second `atomic`. What is meant to stay outside runs on `outside(req)`.
 *
 * When the request's client goes or its time is over, the statement that runs is stopped, the transaction rolled back
 * and UWAS_ERR_MODEL_ABANDONED thrown, without waiting for `fn`.
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
 * A schema that changed under a prepared statement (SQLSTATE 0A000, "cached plan must not change result type") fails
 * the transaction once: it counts as a conflict, which `retries` repeats; what is prepared is made anew. Where it is the
 * first statement, and the next waits for it, nothing has been done: the transaction begins again by itself.
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
  if (on instanceof Outside) {
    // What has to stay whatever becomes of the request is not stopped with it.
    return repeat(on.db, { trace: on.trace }, (tx) => inScope(on.db, () => fn(tx)), options)
  }
  if (on instanceof Database) {
    refuseOutside(on, 'atomic')
    return repeat(on, NOBODY, (tx) => inScope(on, () => fn(tx)), options)
  }
  return beginFor(on as RequestLike, fn, options)
}

/**
 * For `was/`: the transaction of a request whose route wants one. What runs on the request runs in it. Before `fn` is run
 * again `again` is called; where it returns false the conflict is what came of it.
 */
export function atomicRequest<T>(
  req: RequestLike,
  fn: () => Promise<T>,
  options: AtomicOptions,
  again: () => boolean = () => true,
): Promise<T> {
  return handled(beginFor(req, (tx) => joined(req, tx, fn), options, again))
}

/**
 * For `was/`: a part of a view that may fail while the view goes on. Where its route has a transaction it is a
 * savepoint of that, and what runs on the request meanwhile runs in it.
 */
export function partOfRequest<T>(req: RequestLike, fn: () => Promise<T>): Promise<T> {
  const outer = joinedBy(req)
  return outer === null ? fn() : runNested(outer, (tx) => joined(req, tx, fn))
}

async function beginFor<T>(
  req: RequestLike,
  fn: (tx: Transaction) => Promise<T>,
  options: AtomicOptions,
  again: () => boolean = () => true,
): Promise<T> {
  refuseEscape(req, 'atomic')
  const db = req.services.get(DATABASE)
  refuseOutside(db, 'atomic')
  let leave: (() => void) | undefined = enterTransaction(req)
  const run = async (tx: Transaction): Promise<T> => {
    leave ??= enterTransaction(req)
    try {
      const result = await whileWanted(tx, req.signal ?? null, () => inScope(db, () => fn(tx)))
      refuseAbandoned(req)
      return result
    } finally {
      // Hooks, which run after the commit, may use the request.
      leave()
      leave = undefined
    }
  }
  try {
    return await repeat(db, req, run, options, () => {
      refuseAbandoned(req)
      return again()
    })
  } finally {
    leave?.()
  }
}

/** A client that has gone, or whose time is over, has been told nothing: what was done for it is undone. */
function refuseAbandoned(req: RequestLike): void {
  if (req.isAborted === true) throw createError('UWAS_ERR_MODEL_ABANDONED', {})
}

/** Runs it as often as conflicts ask for and `retries` allows. */
async function repeat<T>(
  db: Database,
  caller: Caller,
  fn: (tx: Transaction) => Promise<T>,
  options: AtomicOptions,
  again: () => boolean = () => true,
): Promise<T> {
  if (db.pinned !== null) return db.pinned.atomic(caller.trace, fn, options.readOnly === true)
  const retries = options.retries ?? 0
  for (let attempt = 1; ; attempt++) {
    try {
      return await inPart(caller.trace, TRANSACTION, () => runOnce(db, caller, fn, options))
    } catch (error) {
      // A COMMIT that may have taken effect is none, whatever it failed with.
      if (!isConflict(error)) throw error
      if (attempt > retries || !again()) {
        throw retries === 0 ? error : conflict('atomic', attempt, error)
      }
      db.counts.retries++
      await sleep(Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt))
    }
  }
}

async function runOnce<T>(
  db: Database,
  caller: Caller,
  fn: (tx: Transaction) => Promise<T>,
  options: AtomicOptions,
): Promise<T> {
  const signal = caller.signal ?? null
  const connection = await db.exclusive.acquire(signal)
  const tx = new Transaction(connection, caller.trace, db.log, null, options.readOnly)
  const stop = cancelOnAbort(db, connection, signal)
  let result: T
  try {
    tx.begin([`begin${beginOptions(options)}`, ...timeLimit(db, caller)])
    result = await fn(tx)
    // From here on COMMIT decides, whoever goes.
    await stop()
    await commit(tx)
  } catch (error) {
    await stop()
    // A refused or lost COMMIT leaves nothing to roll back; ROLLBACK outside a transaction is harmless.
    await tx.rollback().catch(() => connection.kill('rolling back failed'))
    throw error
  } finally {
    connection.isLong = false
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

function runNested<T>(outer: Transaction, fn: (tx: Transaction) => Promise<T>): Promise<T> {
  return inPart(outer.trace, { step: 'transaction', name: 'savepoint' }, () => nested(outer, fn))
}

async function nested<T>(outer: Transaction, fn: (tx: Transaction) => Promise<T>): Promise<T> {
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

/**
 * PostgreSQL itself stops a statement when the request's time is over, and behind a pooler, where a session has no
 * time-out of its own, in any case.
 */
function timeLimit(db: Database, caller: Caller): string[] {
  const { profile, statementTimeoutMs } = db.connector.options
  const usualMs = statementTimeoutMs > 0 ? statementTimeoutMs : Infinity
  const leftMs = (caller.endsAt ?? Infinity) - performance.now()
  const ms = Math.max(1, Math.ceil(Math.min(leftMs, usualMs)))
  const isUsual = profile === 'direct' && ms >= usualMs
  return isUsual || ms === Infinity ? [] : [`set local statement_timeout = ${ms}`]
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
