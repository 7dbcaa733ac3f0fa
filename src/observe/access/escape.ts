/**
 * What a client has sent, as a log may hold it: no value can end a line, a quoted part or a terminal's peace. Leaves
 * printable ASCII only, so that characters are bytes.
 */

const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/
const ODD = /[^\x20\x21\x23-\x5b\x5d-\x7e]/gu

/** Of texts that are kept by their length; longer ones are made each time. */
export const MAX_KEPT_LENGTH = 255
/**
 * The last text of each length, and what became of it. The same agents, referers and paths come again and again, and to
 * compare two texts takes a tenth of looking at each character.
 */
const keptParts = createKept()
const keptJson = createKept()

/** As nginx's `escape=default`: quotes, backslashes and all but printable ASCII are `\xHH`, byte by byte. `-` for nothing. */
export function escapeText(value: string): string {
  return value === '' ? '-' : escapePart(value)
}

/** The same for a part of a text, which may be nothing. */
export function escapePart(value: string): string {
  const known = keptParts[value.length]
  if (known === undefined) return escapeNew(value)
  if (known.value !== value) {
    known.escaped = escapeNew(value)
    known.value = value
  }
  return known.escaped
}

/** A JSON string with its quotes (RFC 8259 section 7). */
export function escapeJson(value: string): string {
  const known = keptJson[value.length]
  if (known === undefined) return quoteNew(value)
  if (known.value !== value || known.escaped === '') {
    known.escaped = quoteNew(value)
    known.value = value
  }
  return known.escaped
}

function createKept(): { value: string; escaped: string }[] {
  return Array.from({ length: MAX_KEPT_LENGTH + 1 }, () => ({ value: '', escaped: '' }))
}

function quoteNew(value: string): string {
  return PLAIN.test(value) ? `"${value}"` : JSON.stringify(value).replace(/[^\x20-\x7e]/g, unicode)
}

function escapeNew(value: string): string {
  return PLAIN.test(value) ? value : value.replace(ODD, hexBytes)
}

function hexBytes(char: string): string {
  let text = ''
  for (const byte of Buffer.from(char))
    text += `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`
  return text
}

function unicode(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}
