/**
 * PostgreSQL's text forms of ranges and multiranges, both ways; bounds are text forms themselves. PostgreSQL 18,
 * sections 8.17.5 and 8.17.6. Called by `types.ts`.
 */

/**
 * A range of values. A bound that is null is open without end; `bounds` says which of the two belong to it: `[`
 * and `]` do, `(` and `)` do not. PostgreSQL writes those of whole numbers and days as `[)`. `'empty'` holds
 * nothing.
 */
export type Range<T> =
  | {
      readonly lower: T | null
      readonly upper: T | null
      /** Default `[)`: from `lower` on, up to and without `upper`. */
      readonly bounds?: '[)' | '[]' | '(]' | '()'
    }
  | 'empty'

/** The same with bounds as texts. */
export type TextRange = Range<string>

const BOUNDS = ['[)', '[]', '(]', '()'] as const

/** Throws TypeError for bounds that are none. */
export function writeRange(range: TextRange): string {
  if (range === 'empty') return range
  const { lower, upper, bounds = '[)' } = range
  if (!BOUNDS.includes(bounds))
    throw new TypeError(`expected bounds are one of ${BOUNDS.join(' ')}`)
  return `${bounds[0]}${writeBound(lower)},${writeBound(upper)}${bounds[1]}`
}

export function writeMultirange(ranges: readonly TextRange[]): string {
  return `{${ranges.map(writeRange).join(',')}}`
}

/** Throws TypeError. */
export function readRange(text: string): TextRange {
  const [range, end] = readAt(text, 0)
  if (end !== text.length) throw new TypeError('the value is no range')
  return range
}

/** Throws TypeError. */
export function readMultirange(text: string): TextRange[] {
  const ranges: TextRange[] = []
  if (text[0] !== '{') throw new TypeError('the value is no multirange')
  let at = 1
  while (text[at] !== '}') {
    const [range, end] = readAt(text, at)
    ranges.push(range)
    at = text[end] === ',' ? end + 1 : end
  }
  return ranges
}

function writeBound(value: string | null): string {
  return value === null ? '' : `"${value.replace(/["\\]/g, '\\$&')}"`
}

function readAt(text: string, from: number): [TextRange, number] {
  if (text.startsWith('empty', from)) return ['empty', from + 'empty'.length]
  const [lower, comma] = readBound(text, from + 1)
  const [upper, end] = readBound(text, comma + 1)
  const bounds = BOUNDS.find((each) => each === `${text[from]}${text[end]}`)
  if (bounds === undefined || text[comma] !== ',') throw new TypeError('the value is no range')
  return [{ lower, upper, bounds }, end + 1]
}

/** A bound, and where the character stands that ends it. Quotes may be doubled, or escaped. */
function readBound(text: string, from: number): [string | null, number] {
  let value = ''
  let isQuoted = false
  let at = from
  for (; isQuoted || !',])'.includes(text[at] ?? ','); at++) {
    if (at >= text.length) throw new TypeError('the range is not closed')
    if (text[at] === '\\') value += text[++at]
    else if (text[at] !== '"') value += text[at]
    else if (isQuoted && text[at + 1] === '"') value += text[++at]
    else isQuoted = !isQuoted
  }
  return [at === from ? null : value, at]
}
