/**
 * Locks by a name of the site's own, held until the transaction ends (PostgreSQL 18, section 13.3.5): for work that
 * only one server does at a time, and that no row stands for. Called by sites.
 */
import { neededTransaction } from './escape.ts'
import { type RequestLike, Statement } from './statement.ts'
import type { Transaction } from './transaction.ts'
import { bool, int, text } from './types.ts'

// Names are hashed to the 64 bits that PostgreSQL has for a lock; two names in one are as good as impossible.
const KEY = 'hashtextextended($1, 0)'

const waiting = new Statement('advisoryLock', {
  params: { name: text },
  row: { locked: int },
  sql: `select 1 as locked from pg_advisory_xact_lock(${KEY})`,
})

const trying = new Statement('tryAdvisoryLock', {
  params: { name: text },
  row: { locked: bool },
  sql: `select pg_try_advisory_xact_lock(${KEY}) as locked`,
})

/** Waits until no other transaction has the lock of this name, and takes it: `advisoryLock(tx, 'nightly report')`. */
export async function advisoryLock(on: Transaction | RequestLike, name: string): Promise<void> {
  await waiting.run(neededTransaction(on, 'advisoryLock'), { name })
}

/** Takes it if no other transaction has it; whether it did. */
export async function tryAdvisoryLock(
  on: Transaction | RequestLike,
  name: string,
): Promise<boolean> {
  return (await trying.one(neededTransaction(on, 'tryAdvisoryLock'), { name })).locked
}
