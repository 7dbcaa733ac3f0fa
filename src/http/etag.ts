/**
 * Entity tags (RFC 9110 section 8.8.3): how they are written, and whether a list of them in a request
 * names the one that we have.
 */

const DOUBLE_QUOTE = 34
const COMMA = 44
const SPACE = 32
const TAB = 9

/** A strong tag: byte for byte the same content. `opaque` must be made of etagc characters. */
export function strongEtag(opaque: string): string {
  return `"${opaque}"`
}

/** A weak tag: the same content for the reader, perhaps not for a range (RFC 9110 section 8.8.1). */
export function weakEtag(opaque: string): string {
  return `W/"${opaque}"`
}

/** The tag for one coding of what `etag` is of (section 8.8.3.3). */
export function codedEtag(etag: string, coding: string): string {
  return `${etag.slice(0, -1)}-${coding}"`
}

/**
 * Whether an If-None-Match value is `*` or names `etag`, compared weakly (section 8.8.3.2), or an
 * If-Match value compared strongly: a weak tag on either side then matches nothing. Tags may hold
 * commas, so the list is scanned rather than split. It ends at the first malformed member: what stands
 * behind that is not believed.
 */
export function matchesEtag(
  field: string,
  etag: string,
  comparison: 'weak' | 'strong' = 'weak',
): boolean {
  const isWeak = etag.startsWith('W/')
  const opaque = isWeak ? etag.slice(2) : etag
  let at = skipBlanks(field, 0, false)
  if (field.charAt(at) === '*') return skipBlanks(field, at + 1, false) === field.length
  for (;;) {
    at = skipBlanks(field, at, true)
    const isMemberWeak = field.startsWith('W/', at)
    if (isMemberWeak) at += 2
    if (field.charCodeAt(at) !== DOUBLE_QUOTE) return false
    const close = field.indexOf('"', at + 1)
    if (close < 0) return false
    const end = skipBlanks(field, close + 1, false)
    if (end < field.length && field.charCodeAt(end) !== COMMA) return false
    const mayMatch = comparison === 'weak' || !(isWeak || isMemberWeak)
    if (mayMatch && close + 1 - at === opaque.length && field.startsWith(opaque, at)) return true
    at = end
  }
}

/** Index of the first character from `at` that is no blank; empty list members count as blanks on demand. */
function skipBlanks(field: string, at: number, commasToo: boolean): number {
  for (; at < field.length; at++) {
    const code = field.charCodeAt(at)
    if (code !== SPACE && code !== TAB && !(commasToo && code === COMMA)) break
  }
  return at
}
