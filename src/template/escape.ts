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

/** The argument itself when there is nothing to escape. */
export function escapeHtml(text: string): string {
  return SPECIAL.test(text) ? replaceSpecial(text) : text
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
