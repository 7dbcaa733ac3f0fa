/**
 * Cells of a row, read from the bytes of PostgreSQL's text form without a string between where that is
 * quicker. Used by the generated row readers.
 */

/** How a type's cells are read; `decode` of the type stands behind `other`. */
export type CellKind = 'int' | 'text' | 'bool' | 'other'

type Slice = (this: Buffer, from: number, to: number) => string

/** Buffer's own reader without the look-up of an encoding's name, where this Node has it. */
const slice: Slice =
  (Buffer.prototype as { utf8Slice?: Slice }).utf8Slice ??
  function slice(from, to) {
    return this.toString('utf8', from, to)
  }

export function readText(buffer: Buffer, from: number, to: number): string {
  return slice.call(buffer, from, to)
}

/** Digits that surely fit below 2^53. */
const SAFE_DIGITS = 15

/** A whole number of few digits; NaN for anything else, which the type itself then reads. */
export function readInt(buffer: Buffer, from: number, to: number): number {
  const isNegative = buffer[from] === 45
  let at = isNegative ? from + 1 : from
  if (to - at > SAFE_DIGITS || at === to) return Number.NaN
  let value = 0
  for (; at < to; at++) {
    const digit = (buffer[at] as number) - 48
    if (digit < 0 || digit > 9) return Number.NaN
    value = value * 10 + digit
  }
  return isNegative ? -value : value
}
