/** Reads one segment of a request's path by a segment of a pattern. Linear, without backtracking. */
import type { DynamicSegment, Parameter } from './pattern.ts'

/**
 * True when `text` matches; then the values of the parameters were pushed on `values` (on a mismatch
 * some may have been pushed as well). Throws what a converter throws.
 */
export function matchSegment(segment: DynamicSegment, text: string, values: unknown[]): boolean {
  const { literals, parameters } = segment
  const last = parameters.length - 1
  if (!text.startsWith(literals[0] as string)) return false
  let at = (literals[0] as string).length
  for (let i = 0; i <= last; i++) {
    const after = literals[i + 1] as string
    const end = i < last ? text.indexOf(after, at) : endOfLast(text, after)
    if (end <= at) return false
    const value = (parameters[i] as Parameter).converter.parse(text.slice(at, end))
    if (value === undefined) return false
    values.push(value)
    at = end + after.length
  }
  return true
}

/** Where the last parameter ends: what follows it ends the segment. -1 for no match. */
function endOfLast(text: string, after: string): number {
  return text.endsWith(after) ? text.length - after.length : -1
}
