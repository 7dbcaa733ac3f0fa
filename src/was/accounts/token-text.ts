/** Tokens for programs as texts: what is given away once, and the hash that is kept. */
import { hash, randomBytes } from 'node:crypto'

/** Tells scanners for leaked secrets what it is. */
const PREFIX = 'uwas_'
const TOKEN_BYTES = 32
const TOKEN = /^uwas_[\w-]{43}$/

export function newTokenText(): string {
  return PREFIX + randomBytes(TOKEN_BYTES).toString('base64url')
}

/** A plain hash: the text is random, so there is nothing to guess. Undefined for what is no token. */
export function hashOfToken(text: string): Buffer | undefined {
  return TOKEN.test(text) ? hash('sha256', text, 'buffer') : undefined
}
