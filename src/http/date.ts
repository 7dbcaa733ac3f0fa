/**
 * HTTP-date both ways (RFC 9110 section 5.6.7): files and views write Last-Modified, conditional
 * requests bring dates in three formats. Times are milliseconds since 1970, whole seconds.
 */

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const MONTH = MONTHS.join('|')
const DAY = 'Mon|Tue|Wed|Thu|Fri|Sat|Sun'
const LONG_DAY = 'Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday'
const TIME = String.raw`(?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)`

/** The preferred format and the two obsolete ones that every recipient has to read. */
const FORMATS = [
  new RegExp(String.raw`^(?:${DAY}), (?<day>\d\d) (?<month>${MONTH}) (?<year>\d{4}) ${TIME} GMT$`),
  new RegExp(
    String.raw`^(?:${LONG_DAY}), (?<day>\d\d)-(?<month>${MONTH})-(?<year>\d\d) ${TIME} GMT$`,
  ),
  new RegExp(String.raw`^(?:${DAY}) (?<month>${MONTH}) (?<day>[ \d]\d) ${TIME} (?<year>\d{4})$`),
]

interface DateParts {
  readonly year: string
  readonly month: string
  readonly day: string
  readonly hour: string
  readonly minute: string
  readonly second: string
}

/** IMF-fixdate, `Sun, 06 Nov 1994 08:49:37 GMT`; parts of a second are dropped. */
export function formatHttpDate(timeMs: number): string {
  return new Date(timeMs).toUTCString()
}

/**
 * Reads any of the three formats; NaN for everything else, dates that no calendar has included. A
 * two-digit year that would lie more than 50 years after `nowMs` belongs to the century before.
 */
export function parseHttpDate(text: string, nowMs: number = Date.now()): number {
  for (const format of FORMATS) {
    const match = format.exec(text)
    if (match !== null) return timeOf(match.groups as unknown as DateParts, nowMs)
  }
  return Number.NaN
}

function timeOf(parts: DateParts, nowMs: number): number {
  const day = Number(parts.day)
  const hour = Number(parts.hour)
  const minute = Number(parts.minute)
  const second = Number(parts.second)
  const month = MONTHS.indexOf(parts.month)
  // 60 is a leap second, which the grammar allows.
  if (hour > 23 || minute > 59 || second > 60) return Number.NaN
  const year = fullYear(parts.year, nowMs)
  const date = new Date(0)
  // Not Date.UTC, which takes the years 0 to 99 for 1900 to 1999.
  date.setUTCFullYear(year, month, day)
  if (date.getUTCMonth() !== month || date.getUTCDate() !== day) return Number.NaN
  return date.setUTCHours(hour, minute, second)
}

function fullYear(digits: string, nowMs: number): number {
  if (digits.length === 4) return Number(digits)
  const thisYear = new Date(nowMs).getUTCFullYear()
  const year = thisYear - (thisYear % 100) + Number(digits)
  return year > thisYear + 50 ? year - 100 : year
}
