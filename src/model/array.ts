/**
 * PostgreSQL's text form of one-dimensional arrays, both ways; elements are text forms themselves,
 * null is NULL. PostgreSQL 18, section 8.15.6. Called by `types.ts`.
 */

/** `['a', null, 'b"']` → `{"a",NULL,"b\""}`. Elements are always quoted, so none reads as NULL. */
export function writeArray(items: readonly (string | null)[]): string {
  const written = items.map((item) =>
    item === null ? 'NULL' : `"${item.replace(/["\\]/g, '\\$&')}"`,
  )
  return `{${written.join(',')}}`
}

/** `{a,NULL,"b c"}` → `['a', null, 'b c']`. Throws for arrays of several dimensions. */
export function readArray(text: string): (string | null)[] {
  // A lower bound other than 1 stands before: [0:1]={a,b}
  let at = text.startsWith('[') ? text.indexOf('=') + 1 : 0
  if (text[at] !== '{') throw new TypeError('the value is no array')
  const items: (string | null)[] = []
  at++
  while (at < text.length && text[at] !== '}') {
    if (text[at] === '{') throw new TypeError('arrays of several dimensions are not read')
    const [item, end] = text[at] === '"' ? readQuoted(text, at + 1) : readBare(text, at)
    items.push(item)
    at = text[end] === ',' ? end + 1 : end
  }
  return items
}

function readBare(text: string, from: number): [string | null, number] {
  let end = from
  while (text[end] !== ',' && text[end] !== '}') {
    if (end >= text.length) throw new TypeError('the array is not closed')
    end++
  }
  const item = text.slice(from, end)
  return [item === 'NULL' ? null : item, end]
}

function readQuoted(text: string, from: number): [string, number] {
  let item = ''
  let at = from
  while (text[at] !== '"') {
    if (at >= text.length) throw new TypeError('the array is not closed')
    if (text[at] === '\\') at++
    item += text[at]
    at++
  }
  return [item, at + 1]
}
