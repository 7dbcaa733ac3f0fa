/** Names of channels, and what is said of misuse. Used by `listen.ts` and `notify.ts`. */
import { type CodedError, createError } from '../core/errors.ts'

/** NAMEDATALEN of PostgreSQL, less its end. */
const MAX_CHANNEL_BYTES = 63

/** Written as UTF-8 it would become another text, without a word. */
export const LONE = 'has half a surrogate pair, which is no character'

/** Throws UWAS_ERR_MODEL_LISTEN. */
export function checkChannel(what: string, channel: string): void {
  if (!channel.isWellFormed()) throw refuse(what.toWellFormed(), `the channel's name ${LONE}`)
  const bytes = Buffer.byteLength(channel)
  if (bytes > 0 && bytes <= MAX_CHANNEL_BYTES && !channel.includes('\0')) return
  throw refuse(what, `a channel's name has 1 to ${MAX_CHANNEL_BYTES} bytes, none of them NUL`)
}

export function refuse(what: string, problem: string): CodedError {
  return createError('UWAS_ERR_MODEL_LISTEN', { what, problem })
}
