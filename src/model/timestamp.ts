/** Reads PostgreSQL's ISO text forms of dates and times. Called by `types.ts`. */

const TIMESTAMP =
  /^(\d{4,6})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?$/

/**
 * `2026-01-31 09:30:00.123456+09` as a `Date`; digits below a millisecond are cut off. Offsets may
 * have seconds (local mean times of old dates). Throws for `infinity` and years before 1.
 * PostgreSQL 18, section 8.5.2, DateStyle ISO.
 */
export function readTimestamp(text: string): Date {
  const match = TIMESTAMP.exec(text)
  if (match === null) throw new RangeError(`${text} has no place in a Date; read it as text`)
  const [, year, month, day, hour, minute, second, fraction = '0', sign, oh, om = '0', os = '0'] =
    match
  const date = new Date(0)
  // setUTCFullYear, because Date.UTC takes the years 0 to 99 as 1900 to 1999.
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  date.setUTCHours(
    Number(hour),
    Number(minute),
    Number(second),
    Number(fraction.padEnd(3, '0').slice(0, 3)),
  )
  const offset = (Number(oh) * 3600 + Number(om) * 60 + Number(os)) * 1000
  date.setTime(date.getTime() - (sign === '-' ? -offset : offset))
  return date
}

/** Returns `text` when it is a day that exists, as `YYYY-MM-DD`. Throws TypeError. */
export function readDate(text: string): string {
  const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text)
  const date = new Date(`${text}T00:00:00Z`)
  if (match === null || Number.isNaN(date.getTime()) || date.getUTCDate() !== Number(match[3])) {
    throw new TypeError('expected is a day that exists, like 2026-01-31')
  }
  return text
}

const LOCAL = /^(\d{4,6}-\d\d-\d\d)[ T](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?$/

/** Returns `text` when it is a day that exists and a time of day, without a zone. Throws TypeError. */
export function readLocalTimestamp(text: string): string {
  const day = LOCAL.exec(text)?.[1]
  if (day === undefined) {
    throw new TypeError('expected is a day and a time without a zone, like 2026-01-31 09:30:00')
  }
  readDate(day)
  return text
}
