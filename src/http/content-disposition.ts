/**
 * Content-Disposition (RFC 6266): a file's name as people wrote it comes in, a field value that every
 * browser reads right leaves. Called by `file()`.
 */

export type Disposition = 'attachment' | 'inline'

/** The longest name in UTF-8 that common file systems take. */
const MAX_NAME_BYTES = 255
/** What may stand in an extended value without percent-encoding: attr-char (RFC 8187 section 3.2.1). */
const ATTR_CHAR = /[!#$&+\-.^_`|~0-9A-Za-z]/
/** Readers disagree about `\` and `%` in quoted strings (RFC 6266 appendix D), so the plain form has none. */
const UNSAFE_IN_QUOTES = /[^\x20-\x7e]|["\\%]/gu

/**
 * `attachment; filename="…"`, and `filename*=UTF-8''…` beside it where the plain form cannot say the
 * whole name. Of a path only the last part stays; control characters and what turns text around are
 * dropped; a name of nothing else is left out. The whole name is cut to 255 bytes, its ending kept.
 */
export function contentDisposition(disposition: Disposition, name: string): string {
  const clean = cleanFileName(name)
  if (clean === '') return disposition
  const plain = clean.replace(UNSAFE_IN_QUOTES, '_')
  const value = `${disposition}; filename="${plain}"`
  return plain === clean ? value : `${value}; filename*=UTF-8''${encodeExtended(clean)}`
}

/** Saved under a name with a path, or one that reads as another, a file would surprise its reader. */
export function cleanFileName(name: string): string {
  const base = name.toWellFormed().replace(/^.*[/\\]/su, '')
  const visible = base.replace(/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu, '').trim()
  return visible === '.' || visible === '..' ? '' : cut(visible)
}

function cut(name: string): string {
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return name
  const dot = name.lastIndexOf('.')
  const ending = dot > 0 && name.length - dot <= 16 ? name.slice(dot) : ''
  const room = MAX_NAME_BYTES - Buffer.byteLength(ending)
  let stem = ''
  let used = 0
  for (const character of name.slice(0, name.length - ending.length)) {
    used += Buffer.byteLength(character)
    if (used > room) break
    stem += character
  }
  return stem + ending
}

function encodeExtended(name: string): string {
  return Array.from(Buffer.from(name), (byte) => {
    const character = String.fromCharCode(byte)
    return byte < 0x80 && ATTR_CHAR.test(character)
      ? character
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }).join('')
}
