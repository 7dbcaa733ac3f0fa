/** NOTIFY (PostgreSQL 18): a short signal to all who listen, on all servers of a database. Called by sites. */
import { checkChannel, LONE, refuse } from './channel.ts'
import { type Queryable, Statement } from './statement.ts'
import { int, text } from './types.ts'

/** PostgreSQL's own limit, for what a page of its queue has to hold. */
const MAX_PAYLOAD_BYTES = 7999

const notifying = new Statement('notify', {
  params: { channel: text, payload: text },
  row: { sent: int },
  sql: 'select 1 as sent from pg_notify($1, $2)',
  repeats: true,
})

/**
 * Sends `payload` (up to 7999 bytes of UTF-8; default empty) to all who listen to `channel`, on all servers. On a transaction
 * they hear of it when it is committed, or never; equal ones in a transaction are sent once. Commits that notify wait for
 * one another, so it is for rare signals. Rejects with UWAS_ERR_MODEL_LISTEN for names and payloads that PostgreSQL
 * does not take, else as statements do.
 */
export async function notify(on: Queryable, channel: string, payload = ''): Promise<void> {
  const what = `notifying "${channel}"`
  checkChannel(what, channel)
  const bytes = Buffer.byteLength(payload)
  if (bytes > MAX_PAYLOAD_BYTES) {
    const problem = `the payload has ${bytes} bytes, and at most ${MAX_PAYLOAD_BYTES} can be sent: send a key, and let them read the rest`
    throw refuse(what, problem)
  }
  if (payload.includes('\0')) throw refuse(what, 'the payload has a NUL character')
  if (!payload.isWellFormed()) throw refuse(what, `the payload ${LONE}`)
  await notifying.run(on, { channel, payload })
}
