/**
 * Nobody waits any more for what a request does: its client has gone, or its time is over. What runs for it in
 * PostgreSQL is stopped, on connections that it has to itself. Called by `database.ts` and `atomic.ts`.
 */
import { createError } from '../core/errors.ts'
import type { Connection } from './connection.ts'
import type { Transaction } from './transaction.ts'

/** For metrics. */
interface Counting {
  readonly counts: { cancelled: number }
}

/**
 * Stops what runs on the connection when `signal` fires. The result is called, and awaited, before the connection
 * goes to anybody else: a request to cancel names a session, and would hit what the next one does.
 */
export function cancelOnAbort(
  db: Counting,
  connection: Connection,
  signal: AbortSignal | null,
): () => Promise<void> {
  if (signal === null) return nothing
  let cancelled: Promise<unknown> | undefined
  const stop = () => {
    if (connection.pending === 0 || !connection.alive) return
    cancelled = connection.cancel().then((isTaken) => {
      if (isTaken) db.counts.cancelled++
    })
  }
  // One that has fired already fires no more.
  if (signal.aborted) queueMicrotask(stop)
  else signal.addEventListener('abort', stop, { once: true })
  return async () => {
    signal.removeEventListener('abort', stop)
    await cancelled
  }
}

/**
 * What `work` gives; rejects with UWAS_ERR_MODEL_ABANDONED as soon as `signal` fires, and then the transaction takes
 * no more statements, whatever `work` still does.
 */
export function whileWanted<T>(
  tx: Transaction,
  signal: AbortSignal | null,
  work: () => Promise<T>,
): Promise<T> {
  if (signal === null) return work()
  return new Promise<T>((resolve, reject) => {
    const abandon = () => {
      const error = createError('UWAS_ERR_MODEL_ABANDONED', {})
      tx.abandon(error)
      reject(error)
    }
    if (signal.aborted) return abandon()
    signal.addEventListener('abort', abandon, { once: true })
    const settle = (end: () => void) => {
      signal.removeEventListener('abort', abandon)
      end()
    }
    work().then(
      (value) => settle(() => resolve(value)),
      (error: unknown) => settle(() => reject(error)),
    )
  })
}

async function nothing(): Promise<void> {}
