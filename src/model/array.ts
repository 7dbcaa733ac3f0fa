/**
 * PostgreSQL's text form of arrays, both ways; elements are text forms themselves, null is NULL, an inner array
 * is an array. PostgreSQL 18, section 8.15.6. Called by `types.ts`.
 */

/** Elements in their text form; arrays of several dimensions hold arrays. */
export type TextItem = string | null | readonly TextItem[]

/** Deeper ones PostgreSQL does not have (MAXDIM). */
const MAX_DEPTH = 6

/** `['a', null, 'b"']` → `{"a",NULL,"b\""}`. Elements are always quoted, so none reads as NULL. */
export function writeArray(items: readonly TextItem[]): string {
  const written = items.map((item) => {
    if (item === null) return 'NULL'
    return typeof item === 'string' ? `"${escapeItem(item)}"` : writeArray(item)
  })
  return `{${written.join(',')}}`
}

/** To look for two characters is a tenth of a replacement that finds none: most items are numbers. */
function escapeItem(item: string): string {
  const isPlain = !item.includes('"') && !item.includes('\\')
  return isPlain ? item : item.replace(/["\\]/g, '\\$&')
}

/** `{a,NULL,"b c"}` → `['a', null, 'b c']`; `{{1},{2}}` → `[['1'], ['2']]`. Throws TypeError for what is none. */
export function readArray(text: string): TextItem[] {
  // A lower bound other than 1 stands before: [0:1]={a,b}
  const from = text.startsWith('[') ? text.indexOf('=') + 1 : 0
  const [items, end] = readItems(text, from, 1)
  if (end !== text.length) throw new TypeError('the value is no array')
  return items
}

function readItems(text: string, from: number, depth: number): [TextItem[], number] {
  if (text[from] !== '{' || depth > MAX_DEPTH) throw new TypeError('the value is no array')
  const items: TextItem[] = []
  let at = from + 1
  while (text[at] !== '}') {
    if (at >= text.length) throw new TypeError('the array is not closed')
    const [item, end] = readItem(text, at, depth)
    items.push(item)
    at = text[end] === ',' ? end + 1 : end
  }
  return [items, at + 1]
}

function readItem(text: string, at: number, depth: number): [TextItem, number] {
  if (text[at] === '{') return readItems(text, at, depth + 1)
  return text[at] === '"' ? readQuoted(text, at + 1) : readBare(text, at)
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
