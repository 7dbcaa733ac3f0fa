/**
 * Knows which requests, and which asynchronous work, are inside an `atomic`. A statement that is run there on the
 * request or the database would use another connection: it would not see the transaction's changes, and stay when
 * they are undone. So it is refused. Called by `atomic.ts`, `statement.ts` and `database.ts`.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { createError } from '../core/errors.ts'
import type { Transaction } from './transaction.ts'

/** A request inside of `atomic`; with option `atomic` of its route its statements run in that transaction. */
interface Inside {
  count: number
  joined: Transaction | null
}

/** The work that `fn` of an `atomic` has begun, over all its promises and callbacks. */
interface Scope {
  readonly db: object
  readonly outer: Scope | undefined
  isOpen: boolean
}

const open = new WeakMap<object, Inside>()
const scopes = new AsyncLocalStorage<Scope>()
/** Nearly always 0, and then nothing else is looked at. */
let openCount = 0

/** `on` is a request: nothing else can be mistaken for its transaction. Call the result at the end, once. */
export function enterTransaction(on: object): () => void {
  const entry = open.get(on) ?? { count: 0, joined: null }
  open.set(on, entry)
  entry.count++
  openCount++
  return () => {
    entry.count--
    openCount--
  }
}

/** Until `work` ends, statements on the request belong to `tx`; then to what they belonged to before. */
export async function joined<T>(on: object, tx: Transaction, work: () => Promise<T>): Promise<T> {
  const entry = open.get(on) as Inside
  const before = entry.joined
  entry.joined = tx
  try {
    return await work()
  } finally {
    entry.joined = before
  }
}

/** The transaction that statements on this request belong to. */
export function joinedBy(on: object): Transaction | null {
  return openCount === 0 ? null : (open.get(on)?.joined ?? null)
}

/** The transaction itself, or that of a request whose route has one. UWAS_ERR_MODEL_TRANSACTION when there is none. */
export function neededTransaction(on: Transaction | object, what: string): Transaction {
  const tx = 'onCommit' in on ? (on as Transaction) : joinedBy(on)
  if (tx !== null) return tx
  const problem = 'it lasts as long as its transaction: call it on the tx of an atomic'
  throw createError('UWAS_ERR_MODEL_TRANSACTION', { what, problem })
}

/** Whether `on` is a request whose `atomic` is not over. */
export function isInTransaction(on: object): boolean {
  return openCount > 0 && (open.get(on)?.count ?? 0) > 0
}

/** Whether this is the work of an `atomic`, or `on` a request whose `atomic` is not over. */
export function mayBeUndone(on: object): boolean {
  if (openCount === 0) return false
  for (let scope = scopes.getStore(); scope !== undefined; scope = scope.outer) {
    if (scope.isOpen) return true
  }
  return isInTransaction(on)
}

/** Throws UWAS_ERR_MODEL_ESCAPED when `on` is a request whose `atomic` is not over. */
export function refuseEscape(on: object, what: string): void {
  if (!isInTransaction(on)) return
  throw createError('UWAS_ERR_MODEL_ESCAPED', { what })
}

/** Runs `work` of a transaction of `db`. */
export async function inScope<T>(db: object, work: () => Promise<T>): Promise<T> {
  const scope: Scope = { db, outer: scopes.getStore(), isOpen: true }
  openCount++
  try {
    return await scopes.run(scope, work)
  } finally {
    scope.isOpen = false
    openCount--
  }
}

/** Throws UWAS_ERR_MODEL_ESCAPED inside of `inScope` of the same database. */
export function refuseOutside(db: object, what: string): void {
  if (openCount === 0) return
  for (let scope = scopes.getStore(); scope !== undefined; scope = scope.outer) {
    if (scope.isOpen && scope.db === db) throw createError('UWAS_ERR_MODEL_ESCAPED', { what })
  }
}
