/**
 * The fingerprint by which a form that is sent twice is known: equal when the same form with the same words
 * comes again. So a double click makes one post, and going back to write something else makes another.
 */
import { createHash } from 'node:crypto'

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export function isUuid(text: string | null | undefined): text is string {
  return typeof text === 'string' && UUID.test(text)
}

/** A UUID of version 8 (RFC 9562 section 5.8) from a hash of a form's values, its token among them. */
export function fingerprintOf(values: object): string {
  const hex = createHash('sha256')
    .update(JSON.stringify(Object.entries(values)))
    .digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
