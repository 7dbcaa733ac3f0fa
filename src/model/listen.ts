/**
 * LISTEN (PostgreSQL 18, "Asynchronous Notification"): short signals between servers that share a database. What is
 * sent while a connection is away is lost, so they are hints and never the truth. Called by `database.ts`.
 */
import { checkChannel, refuse } from './channel.ts'
import type { Database } from './database.ts'
import { Listener } from './listener.ts'
import { Subscription } from './subscription.ts'

/** How somebody listens. */
export interface NotificationOptions {
  /** Ends it, as the returned function does. */
  readonly signal?: AbortSignal
  /**
   * Called when the connection is there again after it had been lost, or when so much was heard that some of it was
   * dropped: read anew what depends on it. In order with the handler. What it throws is logged.
   */
  readonly onResync?: () => unknown
}

const OPTION_NAMES = ['signal', 'onResync']

/** As `Database.listen` says. */
export async function listen(
  db: Database,
  channel: string,
  handler: (payload: string) => unknown,
  options: NotificationOptions = {},
): Promise<() => Promise<void>> {
  const what = `listening to "${channel}"`
  checkChannel(what, channel)
  const unknown = Object.keys(options).find((key) => !OPTION_NAMES.includes(key))
  if (unknown !== undefined) throw refuse(what, `there is no option "${unknown}"`)
  const { signal, onResync } = options
  for (const each of [handler, onResync ?? handler]) {
    if (typeof each !== 'function') throw refuse(what, 'a handler is not a function')
  }
  signal?.throwIfAborted()
  db.listener ??= new Listener(db)
  const { listener } = db
  const subscription = new Subscription({ channel, handler, onResync, log: db.log })
  await listener.add(channel, subscription)
  const onAbort = () => void stop()
  const stop = () => {
    signal?.removeEventListener('abort', onAbort)
    return listener.remove(channel, subscription)
  }
  if (signal?.aborted === true) {
    await stop()
    throw signal.reason
  }
  signal?.addEventListener('abort', onAbort)
  return stop
}
