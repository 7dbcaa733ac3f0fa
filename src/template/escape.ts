/**
 * Text → HTML text. Called by the compiled templates for every value that is not a number.
 *
 * Escaped are `&`, `<`, `>`, `"` and `'`: the Mustache specification's four and the apostrophe, so that
 * the result is right in an element's text and in a quoted attribute value, in either kind of quotes.
 * mustache.js escapes `/`, `` ` `` and `=` as well, for attributes without quotes: write quotes.
 */

const SPECIAL = /[&<>"']/
/** The same class with a memory of where it is: `lastIndex` is set before each use. */
const NEXT_SPECIAL = /[&<>"']/g

const SPECIAL_CODES = [0x26, 0x3c, 0x3e, 0x22, 0x27]

/** Up to here a loop is done before the regular expression's machine has been entered (about 20 ns). */
const SHORT = 16
/** From here on five searches for one character each, which take 32 bytes at a time, cost less than one for all. */
const LONG = 128

/** The argument itself when there is nothing to escape. */
export function escapeHtml(text: string): string {
  if (text.length < SHORT) return escapeShort(text)
  if (text.length >= LONG) return escapeLong(text)
  return SPECIAL.test(text) ? replaceSpecial(text) : text
}

function escapeShort(text: string): string {
  let out = ''
  let copied = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x3e || (code !== 0x26 && code !== 0x3c && code !== 0x3e && !isQuote(code))) continue
    out += text.slice(copied, i) + entityOf(code)
    copied = i + 1
  }
  return copied === 0 ? text : out + text.slice(copied)
}

function isQuote(code: number): boolean {
  return code === 0x22 || code === 0x27
}

/** What has one kind of them alone, as an apostrophe, has few. */
function escapeLong(text: string): string {
  let found = 0
  for (const code of SPECIAL_CODES) {
    if (!text.includes(String.fromCharCode(code))) continue
    if (found !== 0) return replaceSpecial(text)
    found = code
  }
  return found === 0 ? text : text.replaceAll(String.fromCharCode(found), entityOf(found))
}

// Measured against a loop over character codes and String.replace with a callback: this one scans
// within the regular expression's machine code and makes no match objects.
function replaceSpecial(text: string): string {
  let out = ''
  let copied = 0
  NEXT_SPECIAL.lastIndex = 0
  while (NEXT_SPECIAL.test(text)) {
    const at = NEXT_SPECIAL.lastIndex - 1
    out += text.slice(copied, at) + entityOf(text.charCodeAt(at))
    copied = at + 1
  }
  return out + text.slice(copied)
}

function entityOf(code: number): string {
  switch (code) {
    case 0x26:
      return '&amp;'
    case 0x3c:
      return '&lt;'
    case 0x3e:
      return '&gt;'
    case 0x22:
      return '&quot;'
    default:
      return '&#39;'
  }
}
