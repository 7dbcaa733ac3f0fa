/**
 * The Range field (RFC 9110 section 14): which bytes of a content a client wants. Static files ask here
 * after all preconditions; the result is ready to be sent. Pure.
 */
import { trimBlanks } from './headers.ts'

/** `end` is the first byte that is not wanted any more: `bytes=0-1` is 0 to 2. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/**
 * A field with more ranges than this is ignored, which section 14.2 allows for those that look like an
 * attack: every range costs a head of its own.
 */
export const MAX_RANGES = 64

const UNIT = /^bytes=(.*)$/i
const SPEC = /^(?:(\d+)-(\d*)|-(\d+))$/

/**
 * The ranges of a content of `length` bytes, in the order in which they were asked for; overlapping and
 * adjacent ones are one, in the place of the first. Empty when none can be satisfied (416). Null when
 * the field is to be ignored (200): another unit, a malformed set, too many ranges.
 */
export function parseRange(field: string, length: number): ByteRange[] | null {
  const set = UNIT.exec(field)?.[1]
  if (set === undefined) return null
  const specs = set.split(',').map(trimBlanks)
  const named = specs.filter((spec) => spec !== '')
  if (named.length === 0 || named.length > MAX_RANGES) return null
  const ranges: ByteRange[] = []
  for (const spec of named) {
    const range = parseSpec(spec, length)
    if (range === null) return null
    if (range.start < range.end) ranges.push(range)
  }
  return coalesce(ranges)
}

/** An empty range where it cannot be satisfied, null where it is malformed. */
function parseSpec(spec: string, length: number): ByteRange | null {
  const match = SPEC.exec(spec)
  if (match === null) return null
  // Digits beyond what a number holds are beyond every content as well.
  const [, first, last, suffix] = match
  if (suffix !== undefined) return { start: Math.max(0, length - Number(suffix)), end: length }
  const start = Number(first)
  if (last === '') return { start, end: length }
  if (Number(last) < start) return null
  return { start, end: Math.min(Number(last) + 1, length) }
}

/** Merging two may bring a third in touch, so each range meets all that are before it, again and again. */
function coalesce(ranges: readonly ByteRange[]): ByteRange[] {
  const merged: ByteRange[] = []
  for (const range of ranges) {
    let { start, end } = range
    let place = merged.length
    for (let i = 0; i < merged.length; ) {
      const other = merged[i] as ByteRange
      if (other.start > end || other.end < start) {
        i++
        continue
      }
      start = Math.min(start, other.start)
      end = Math.max(end, other.end)
      place = Math.min(place, i)
      merged.splice(i, 1)
      i = 0
    }
    merged.splice(place, 0, { start, end })
  }
  return merged
}

/** `bytes 0-1/10`: the value of Content-Range for a range of a content of `length` bytes. */
export function contentRange({ start, end }: ByteRange, length: number): string {
  return `bytes ${start}-${end - 1}/${length}`
}

/** The value of Content-Range in a 416 (section 15.5.17). */
export function unsatisfiedRange(length: number): string {
  return `bytes */${length}`
}
